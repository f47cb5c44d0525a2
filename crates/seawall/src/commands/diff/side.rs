//! One of the two estates: read whole, judged, and with what follows from it.

use std::path::Path;

use ::guide::{Guide, Judge, Setting, setting};
use analysis::Analyses;
use model::coverage::{Coverage, DocumentEntry};
use model::finding::{Finding, Severity};
use model::manifest::{Reader, Reading};
use model::{Estate, Scope};
use rayon::prelude::*;
use report::diff::Side;
use report::owners::Owners;
use report::triage::Triage;
use sources::Given;

use super::{Args, selects};
use crate::choices;
use crate::commands::assess::{is_about_waivers, read_config_or};
use crate::commands::estate::{self, Ledger, Stopped};
use crate::progress::Progress;

/// An estate as it was taken in.
pub(super) struct Taken {
    pub(super) side: Side,
    pub(super) estate: Estate,
    pub(super) setting: Setting,
    /// The floor that its configuration sets.
    pub(super) fail_on: Option<Option<Severity>>,
}

/// Reads and judges one side.
pub(super) fn take(args: &Args, guide: &Guide, path: &Path, as_of: &str) -> anyhow::Result<Taken> {
    let own = args.estate(path);
    let mut opened = own.open()?;
    let config = read_config_or(
        args.config.as_deref(),
        &own.paths,
        opened.config.as_ref(),
        guide,
    )?;
    let minor = choices::kubernetes(args.kubernetes.as_deref(), &config, guide, || {
        opened.kubernetes_minor()
    })?;
    let mut setting = setting::setting(guide, config.params.as_deref(), Some(minor))
        .map_err(crate::failure::Failure::new)?;
    setting.severities.clone_from(&config.severities);
    setting.aks = setting::aks_versions(guide, Some(as_of));
    setting.today = setting::midnight(as_of);
    setting.roots = opened.roots(&own.paths);
    let judge = Judge::new(guide, &setting, |guideline| {
        selects(args, &guideline.id) && !is_about_waivers(guideline)
    });
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
    let whole = own.whole || config.whole.unwrap_or(false);
    let mut all = Estate::new(if whole { Scope::Whole } else { Scope::Open });
    let mut triage = Triage::new(&config, as_of);
    let mut findings: Vec<Finding> = Vec::new();
    let mut owners = Owners::default();
    let mut ledger = Ledger::default();
    let mut progress = Progress::new(opened.inputs.len());
    let template = model::azure::template::kind();
    let given = Given {
        inputs: &opened.inputs,
        live: opened.live,
    };
    let mut resources = 0;
    let read = sources::read(
        given,
        &own.options(guide, minor),
        &reader,
        |reading: &mut Reading| {
            let resources = reading.resources.iter();
            resources
                .map(|resource| judge.local(resource).findings)
                .collect::<Vec<_>>()
        },
        |reading, judged| {
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
    let coverage = ledger.coverage;
    estate::settle(&mut all, &coverage, read.completeness, guide);
    joined(&judge, &all, guide, &mut owners, &mut findings);
    progress.finish();
    for finding in &mut findings {
        triage.apply(finding);
    }
    Ok(Taken {
        side: Side {
            name: path.display().to_string(),
            roots: setting.roots.clone(),
            resources,
            findings,
            unread: unread(coverage),
        },
        estate: all,
        setting,
        fail_on: config.fail_on,
    })
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

fn unread(coverage: Coverage) -> Vec<DocumentEntry> {
    let documents = coverage.documents.into_iter();
    documents
        .filter(|entry| entry.status.incomplete())
        .collect()
}

impl Taken {
    /// What follows from it.
    pub(super) fn analyses<'t>(&'t self, guide: &'t Guide) -> Analyses<'t> {
        ::guide::facts::analyses(guide, &self.setting, &self.estate)
    }
}
