//! An estate read whole and judged: what `diff` compares and `fix` cures.

use std::path::Path;

use ::guide::{Guide, Guideline, Judge, Setting, setting};
use model::coverage::{Coverage, DocumentEntry};
use model::finding::Finding;
use model::manifest::{Reader, Reading};
use model::{Estate, Scope};
use rayon::prelude::*;
use report::config::Config;
use report::owners::Owners;
use report::triage::Triage;
use sources::{Given, Overlay};

use crate::choices;
use crate::commands::assess::{is_about_waivers, read_config_or};
use crate::commands::estate::{self, EstateArgs, Ledger, Stopped};
use crate::progress::Progress;

/// What is read, and how it is judged.
pub(crate) struct Question<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) estate: &'a EstateArgs,
    pub(crate) config: Option<&'a Path>,
    pub(crate) kubernetes: Option<&'a str>,
    pub(crate) as_of: &'a str,
    /// Which guidelines are asked.
    pub(crate) selects: &'a (dyn Fn(&Guideline) -> bool + Sync),
    /// Texts that files are read as.
    pub(crate) overlay: Overlay,
    /// Findings carry what would cure them.
    pub(crate) remedies: bool,
}

/// The estate and what was said about it.
pub(crate) struct Answer {
    pub(crate) estate: Estate,
    pub(crate) setting: Setting,
    pub(crate) config: Config,
    /// Accepted ones too.
    pub(crate) findings: Vec<Finding>,
    /// How many resources were judged.
    pub(crate) resources: usize,
    /// The ledger.
    pub(crate) coverage: Coverage,
}

impl Question<'_> {
    /// Reads and judges.
    pub(crate) fn ask(&self) -> anyhow::Result<Answer> {
        let guide = self.guide;
        let mut opened = self.estate.open()?;
        let config = read_config_or(
            self.config,
            &self.estate.paths,
            opened.config.as_ref(),
            guide,
        )?;
        let minor = choices::kubernetes(self.kubernetes, &config, guide, || {
            opened.kubernetes_minor()
        })?;
        let mut setting = setting::setting(guide, config.params.as_deref(), Some(minor))
            .map_err(crate::failure::Failure::new)?;
        setting.severities.clone_from(&config.severities);
        setting.aks = setting::aks_versions(guide, Some(self.as_of));
        setting.today = setting::midnight(self.as_of);
        setting.roots = opened.roots(&self.estate.paths);
        let judge = Judge::new(guide, &setting, |guideline| {
            (self.selects)(guideline) && !is_about_waivers(guideline)
        });
        let judge = if self.remedies {
            judge.with_remedies()
        } else {
            judge
        };
        let managed = estate::managed(guide);
        let schema = estate::schema(guide);
        // What changed is shown of every kind, also of those that nobody judges.
        let reader = Reader {
            symbols: &guide.symbols,
            wants: &|_| true,
            managed: &managed,
            defaults: &guide.defaults,
            limits: yaml::Limits::default(),
            schema: schema.as_ref(),
        };
        let whole = self.estate.whole || config.whole.unwrap_or(false);
        let mut all = Estate::new(if whole { Scope::Whole } else { Scope::Open });
        let mut triage = Triage::new(&config, self.as_of);
        let mut findings: Vec<Finding> = Vec::new();
        let mut owners = Owners::default();
        let mut ledger = Ledger::default();
        let mut progress = Progress::new(opened.inputs.len());
        let template = model::azure::template::kind();
        let given = Given {
            inputs: &opened.inputs,
            live: opened.live,
        };
        let mut options = self.estate.options(guide, minor);
        options.overlay = self.overlay.clone();
        let mut resources = 0;
        let read = sources::read(
            given,
            &options,
            &reader,
            |reading: &mut Reading| {
                let resources = reading.resources.iter();
                resources
                    .map(|resource| judge.local(resource).findings)
                    .collect::<Vec<_>>()
            },
            |reading, judged| {
                ledger.coverage.empty += usize::from(reading.empty);
                let path = reading.entries.first().map(|entry| &entry.path);
                if let Some(path) = path.or_else(|| Some(&reading.resources.first()?.origin.path)) {
                    triage.add_inline(path, reading.waivers);
                }
                for entry in reading.entries {
                    ledger.add(entry);
                }
                for (resource, own) in reading.resources.into_iter().zip(judged) {
                    resources += usize::from(resource.name.kind != template);
                    owners.note(&resource);
                    findings.extend(owners.sort(&resource, own));
                    all.add(resource);
                }
                Ok::<(), Stopped>(())
            },
            |reached| progress.tick(reached),
        )?;
        progress.phase("joining");
        let mut coverage = ledger.coverage;
        coverage.files = read.files;
        estate::settle(&mut all, &coverage, read.completeness, guide);
        joined(&judge, &all, guide, &mut owners, &mut findings);
        progress.finish();
        for finding in &mut findings {
            triage.apply(finding);
        }
        Ok(Answer {
            estate: all,
            setting,
            config,
            findings,
            resources,
            coverage,
        })
    }
}

/// What the guidelines say that join resources.
fn joined(
    judge: &Judge<'_>,
    estate: &Estate,
    guide: &Guide,
    owners: &mut Owners,
    findings: &mut Vec<Finding>,
) {
    let analyses = ::guide::facts::analyses(guide, judge.setting, estate);
    let judged: Vec<Vec<Finding>> = estate
        .resources()
        .par_iter()
        .map(|resource| judge.joined(resource, &analyses).findings)
        .collect();
    for (resource, own) in estate.resources().iter().zip(judged) {
        findings.extend(owners.sort(resource, own));
    }
    if let Some(witness) = estate.resources().first() {
        findings.extend(judge.estate(witness, &analyses).findings);
    }
    findings.extend(owners.rest());
}

impl Answer {
    /// What could not be read.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &DocumentEntry> {
        let documents = self.coverage.documents.iter();
        documents.filter(|entry| entry.status.incomplete())
    }
}
