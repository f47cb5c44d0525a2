//! An estate read whole and judged: what `diff` compares, `fix` cures and editors show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ::guide::answers::Given;
use ::guide::{Guide, Guideline, Judge, Setting, setting, unjudged};
use model::coverage::{Coverage, DocumentEntry};
use model::finding::Finding;
use model::kinds::Kind;
use model::manifest::{Reader, Reading};
use model::{Estate, Scope};
use rayon::prelude::*;
use report::config::Config;
use report::owners::Owners;
use report::triage::{Seen, Triage, is_about_waivers};
use sources::Overlay;

use crate::choices;
use crate::commands::assess;
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
    /// Texts of manifests that are no files yet.
    pub(crate) new_files: Overlay,
    /// Findings carry what would cure them, with these answers to what fixes ask besides those of the configuration.
    pub(crate) remedies: Option<&'a Given>,
}

/// The estate, when everything has been said about it.
pub(crate) struct Answer {
    pub(crate) estate: Estate,
    pub(crate) setting: Setting,
    pub(crate) config: Config,
    /// How many resources were judged.
    pub(crate) resources: usize,
    /// The ledger.
    pub(crate) coverage: Coverage,
}

impl Question<'_> {
    /// Reads and judges. `take` gets each finding, accepted ones too, as soon as it is known.
    pub(crate) fn ask(&self, take: impl FnMut(Finding)) -> anyhow::Result<Answer> {
        self.judge(&|| false, false, take)
    }

    /// The same as `seawall assess` says it: guidelines whose kind of data was not given are not asked, and waivers
    /// are judged too. It ends early, with an error, where `stops` says so.
    pub(crate) fn assess(
        &self,
        stops: &(dyn Fn() -> bool + Sync),
        take: impl FnMut(Finding),
    ) -> anyhow::Result<Answer> {
        self.judge(stops, true, take)
    }

    fn judge(
        &self,
        stops: &(dyn Fn() -> bool + Sync),
        as_assessed: bool,
        mut take: impl FnMut(Finding),
    ) -> anyhow::Result<Answer> {
        let guide = self.guide;
        let mut opened = self.estate.open()?;
        let config = opened.configuration(self.config, &self.estate.paths, guide)?;
        let minor = choices::kubernetes(self.kubernetes, &config, guide, || {
            opened.kubernetes_minor()
        })?;
        let mut setting = setting::setting(guide, config.params.as_deref(), Some(minor))
            .map_err(crate::failure::Failure::new)?;
        setting.severities.clone_from(&config.severities);
        setting.aks = setting::aks_versions(guide, Some(self.as_of));
        setting.today = setting::midnight(self.as_of);
        // What an editor has of a finding is what was assessed.
        if !as_assessed && self.estate.open.is_empty() {
            setting.roots = opened.roots(&self.estate.paths);
        }
        if let Some(answers) = self.remedies {
            let mut all = config.answers.clone();
            all.merge(answers);
            setting.answers = all.answers(guide).map_err(crate::failure::Failure::new)?;
        }
        let judge = Judge::new(guide, &setting, |guideline| {
            (self.selects)(guideline) && !is_about_waivers(guideline)
        });
        let judge = if self.remedies.is_some() {
            judge.with_remedies()
        } else {
            judge
        };
        let managed = guide.managed();
        let schema = guide.schema();
        // What changed is shown of every kind, also of those that nobody judges.
        let wants = |kind: &Kind| !as_assessed || judge.wants(kind);
        let reader = Reader {
            symbols: &guide.symbols,
            wants: &wants,
            managed: &managed,
            defaults: &guide.defaults,
            limits: yaml::Limits::default(),
            schema: schema.as_ref(),
        };
        // One file that an editor has open is never everything.
        let alone = !self.estate.open.is_empty();
        let whole = !alone && choices::whole(self.estate, self.config, &config)?;
        let mut all = Estate::new(if whole { Scope::Whole } else { Scope::Open });
        let mut triage = Triage::new(&config, self.as_of);
        let mut say = |triage: &mut Triage, findings: Vec<Finding>| {
            for mut finding in findings {
                triage.apply(&mut finding);
                take(finding);
            }
        };
        let mut owners = Owners::default();
        let mut ledger = Ledger::default();
        let mut progress = Progress::new(opened.inputs.len());
        let template = model::azure::template::kind();
        let given = sources::Given {
            inputs: &opened.inputs,
            live: opened.live,
        };
        let mut options = self.estate.options(guide, minor);
        options.overlay = over(&options.overlay, &self.overlay);
        options.new_files = self.new_files.clone();
        let mut resources = 0;
        let read = sources::read(
            given,
            &options,
            &reader,
            |reading: &mut Reading| {
                if stops() {
                    return Vec::new();
                }
                let resources = reading.resources.iter();
                resources
                    .map(|resource| judge.local(resource).findings)
                    .collect::<Vec<_>>()
            },
            |reading, judged| {
                if stops() {
                    return Err(Stopped::Superseded);
                }
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
                    say(&mut triage, owners.sort(&resource, own));
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
        let mut asked = BTreeSet::new();
        if as_assessed {
            say(&mut triage, owners.rest());
            let judges =
                |guideline: &Guideline| (self.selects)(guideline) && !is_about_waivers(guideline);
            coverage.guidelines = unjudged::not_assessed(guide, &setting, judges, &all, &coverage);
            let absent: BTreeSet<&str> = coverage
                .guidelines
                .iter()
                .map(|guideline| &*guideline.guideline.0)
                .collect();
            let ids = judge.selected().map(|(_, guideline)| &*guideline.id.0);
            asked = ids.filter(|id| !absent.contains(id)).collect();
        }
        let joint = as_assessed.then(|| {
            Judge::new(guide, &setting, |guideline| {
                asked.contains(&*guideline.id.0)
            })
        });
        joined(
            joint.as_ref().unwrap_or(&judge),
            &all,
            &mut owners,
            stops,
            |findings| say(&mut triage, findings),
        );
        if stops() {
            return Err(Stopped::Superseded.into());
        }
        if as_assessed {
            let complete = !coverage.incomplete();
            let seen = Seen {
                asked: &|id| complete && asked.contains(id) || guide.guideline(id).is_none(),
                beside: whole || !alone && assess::holds(&self.estate.paths, &config.path),
            };
            let overseer = Judge::new(guide, &setting, |guideline| {
                (self.selects)(guideline) && is_about_waivers(guideline)
            });
            for waiver in triage.waivers(&guide.symbols, &seen) {
                say(&mut triage, overseer.local(&waiver).findings);
            }
        }
        progress.finish();
        Ok(Answer {
            estate: all,
            setting,
            config,
            resources,
            coverage,
        })
    }
}

/// What the guidelines say that join resources, a part at a time so that findings do not pile up.
fn joined(
    judge: &Judge<'_>,
    estate: &Estate,
    owners: &mut Owners,
    stops: &(dyn Fn() -> bool + Sync),
    mut say: impl FnMut(Vec<Finding>),
) {
    let analyses = ::guide::facts::analyses(judge.guide, judge.setting, estate);
    for part in estate.resources().chunks(4096) {
        let judged: Vec<Vec<Finding>> = part
            .par_iter()
            .map(|(_, resource)| {
                if stops() {
                    return Vec::new();
                }
                judge.joined(resource, &analyses).findings
            })
            .collect();
        for ((_, resource), own) in part.into_iter().zip(judged) {
            say(owners.sort(resource, own));
        }
    }
    if let Some(witness) = estate.resources().first() {
        say(judge.estate(witness, &analyses).findings);
    }
    say(owners.rest());
}

/// Texts over those of files that are open elsewhere.
fn over(open: &Overlay, texts: &Overlay) -> Overlay {
    if open.is_empty() {
        return texts.clone();
    }
    if texts.is_empty() {
        return open.clone();
    }
    let mut all = BTreeMap::clone(open);
    for (path, text) in texts.iter() {
        all.insert(path.clone(), text.clone());
    }
    all.into()
}

impl Answer {
    /// What could not be read.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &DocumentEntry> {
        let documents = self.coverage.documents.iter();
        documents.filter(|entry| entry.status.incomplete())
    }
}
