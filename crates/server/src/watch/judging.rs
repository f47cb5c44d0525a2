//! How what is told is read and judged: the same reader, judge and setting as in an assessment of one reading.

use std::sync::Arc;

use ::guide::{Guide, Guideline, Judge, Setting, setting};
use analysis::paths;
use model::coverage::{DocumentEntry, Status};
use model::doc::Shapes;
use model::finding::Finding;
use model::kinds::Kind;
use model::managed::Managed;
use model::manifest::Reader;
use model::ownership::{self, Made};
use model::prune::Keep;
use model::schema::Schema;
use model::{Resource, completeness::Gap};
use report::assessment::Counts;
use report::config::Config;
use report::triage::is_about_waivers;
use sources::live::{self, Object};

use super::said::counted;

/// What verdicts depend on besides the estate, on a day (ISO date).
///
/// # Errors
/// When the configuration's parameters do not parse.
pub fn settings(
    guide: &Guide,
    config: &Config,
    minor: Option<u8>,
    day: &str,
) -> Result<Setting, String> {
    let minor = config.kubernetes.or(minor);
    let mut setting = setting::setting(guide, config.params.as_deref(), minor)?;
    setting.severities.clone_from(&config.severities);
    setting.aks = setting::aks_versions(guide, Some(day));
    setting.today = setting::midnight(day);
    Ok(setting)
}

/// Whether a guideline is in question: not those about waivers, which are judged when it is known what they match.
pub(crate) fn is_asked(config: &Config, guideline: &Guideline) -> bool {
    let frameworks = &config.frameworks;
    !is_about_waivers(guideline)
        && (frameworks.is_empty()
            || frameworks
                .iter()
                .any(|framework| guideline.controls(framework).next().is_some()))
}

/// The judge of a day.
pub(crate) struct Judging<'g> {
    guide: &'g Guide,
    judge: Judge<'g>,
    managed: Managed,
    schema: Option<Schema>,
    keep: Keep,
    shapes: &'g Shapes,
}

/// An object that was read and judged.
pub(crate) struct Read {
    pub(crate) resources: Vec<Resource>,
    pub(crate) entries: Vec<DocumentEntry>,
    pub(crate) judged: bool,
    pub(crate) made: Option<Made>,
    pub(crate) verdicts: Counts,
    pub(crate) hidden: Option<Gap>,
    pub(crate) findings: Vec<Finding>,
}

impl<'g> Judging<'g> {
    pub(crate) fn new(
        guide: &'g Guide,
        setting: &'g Setting,
        config: &Config,
        shapes: &'g Shapes,
    ) -> Self {
        let judge = Judge::new(guide, setting, |guideline| is_asked(config, guideline));
        let mut keep = judge.keep();
        for (key, whole) in paths::READS {
            keep.add(guide.symbols.get(key), *whole);
        }
        Self {
            guide,
            judge,
            managed: guide.managed(),
            schema: guide.schema(),
            keep,
            shapes,
        }
    }

    /// Reads an object and asks the guidelines that need nothing but it.
    pub(crate) fn read(&self, object: &Object) -> Read {
        let wants = |kind: &Kind| self.judge.wants(kind) || paths::reads(kind);
        let reader = Reader {
            symbols: &self.guide.symbols,
            wants: &wants,
            managed: &self.managed,
            defaults: &self.guide.defaults,
            limits: yaml::Limits::default(),
            schema: self.schema.as_ref(),
        };
        let mut reading = live::read_object(object, &reader);
        let hidden = live::hidden(&reading);
        let mut read = Read {
            resources: Vec::new(),
            entries: Vec::new(),
            judged: true,
            made: None,
            verdicts: Counts::default(),
            hidden,
            findings: Vec::new(),
        };
        for resource in &mut reading.resources {
            let judged = self.judge.local(resource);
            add(&mut read.verdicts, &counted(&judged.verdicts));
            read.findings.extend(judged.findings);
            read.made = read.made.or_else(|| ownership::made(resource));
            read.judged &= self.judge.wants(&resource.name.kind);
            if resource.is_workload() {
                resource.prune(&self.keep);
            }
            if let Some(doc) = Arc::get_mut(&mut resource.doc) {
                self.shapes.share(doc);
            }
        }
        read.resources = reading.resources;
        let entries = reading.entries.into_iter();
        read.entries = entries
            .filter(|entry| entry.status != Status::Assessed)
            .collect();
        read
    }

    /// Whether what is said of the whole may hang on an object of a kind.
    pub(crate) fn joins_read(&self, kind: &Kind) -> bool {
        self.judge.joins_read(kind) || paths::reads(kind)
    }
}

/// Adds counts to others.
pub(crate) fn add(sum: &mut Counts, more: &Counts) {
    sum.pass += more.pass;
    sum.fail += more.fail;
    sum.unknown += more.unknown;
    sum.not_applicable += more.not_applicable;
}
