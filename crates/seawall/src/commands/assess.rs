//! `seawall assess`: reads what is given, judges it, reports.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ::guide::ages::old_facts;
use ::guide::measures::Failures;
use ::guide::{Guide, Guideline, Judge, Judged, Setting, VerdictWord};
use ::guide::{setting, unjudged};
use analysis::Analyses;
use analysis::paths;
use model::coverage::Status;
use model::finding::{Finding, GuidelineId, Severity};
use model::kinds::Kind;
use model::manifest::{Reader, Reading};
use model::{Estate, Resource, ResourceName, ResourceRef, Scope};
use rayon::prelude::*;
use report::config::{self, Config, ConfigError};
use report::owners::Owners;
use report::triage::{Seen, Triage, is_about_waivers};
use report::{Assessment, Attack, Sink, Summary};
use sources::Given;
use sources::snapshot::Configuration;

use crate::choices;
use crate::commands::attack::Scene;
use crate::commands::audit;
use crate::commands::estate::{self, EstateArgs, Ledger, Opened, Stopped};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output::{self, Wanted};
use crate::progress::Progress;

mod drawn;
mod weigh;

/// Judges an environment against the guide.
///
/// Reads manifests, Helm charts, kustomizations, ARM templates, Bicep and Terraform below the given
/// paths, judges them by every guideline that applies, and prints what to do first. Nothing leaves the machine.
///
/// Exit code: 0 nothing at or above the floor; 1 findings at or above it; 2 wrong use; 3
/// nothing to assess; 4 something given could not be read (and nothing at the floor was found).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall assess .                                  everything below this folder
  helm template . | seawall assess -                standard input
  seawall assess deploy --framework pss-restricted  one framework only
  seawall assess --cluster                          what runs, by the kubeconfig
  seawall assess --snapshot monday.snapshot         what ran on Monday
  seawall assess . --format sarif=out.sarif --format terminal")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) estate: EstateArgs,
    /// Only guidelines that map to this framework (pss-baseline, cis-aks-1.8, …); repeatable
    #[arg(long, value_name = "ID")]
    pub(super) framework: Vec<String>,
    /// Only this chapter (environments, cluster, workloads); repeatable
    #[arg(long, value_name = "ID")]
    pub(super) chapter: Vec<String>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    pub(super) guideline: Vec<String>,
    /// Audit logs of the cluster (files, folders): what roles give and nobody used is found; repeatable
    #[arg(long, value_name = "SOURCE")]
    pub(super) audit: Vec<PathBuf>,
    /// Kubernetes version to judge against [default: the cluster's, else the newest known]
    #[arg(long, value_name = "1.N")]
    pub(super) kubernetes: Option<String>,
    /// Lowest severity that makes the exit code 1: critical, high, medium, low, none [default: high]
    #[arg(long, value_name = "SEVERITY")]
    pub(super) fail_on: Option<String>,
    /// Unknown verdicts count as findings for the exit code
    #[arg(long)]
    pub(super) fail_on_unknown: bool,
    /// terminal, json, sarif, html, junit, markdown, csv, policyreport; `F=FILE` writes to a
    /// file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    pub(super) format: Vec<String>,
    /// `all` lists every verdict in JSON, passes too
    #[arg(long, value_name = "WHICH", value_parser = ["findings", "all"], default_value = "findings")]
    pub(super) verdicts: String,
    /// An earlier JSON report: its findings are known and do not count
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// The day to judge as of (waivers and dated facts hang on it) [default: today]
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    pub(super) guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    audit::used::learn(
        &args.audit,
        &args.estate,
        args.config.as_deref(),
        args.kubernetes.as_deref(),
        guide,
    )?;
    let mut opened = args.estate.open()?;
    let plan = Plan::new(args, guide, &mut opened)?;
    let selected: Vec<GuidelineId> = guide
        .guidelines
        .iter()
        .filter(|guideline| plan.selects(args, guideline))
        .map(|guideline| guideline.id.clone())
        .collect();
    let mut sinks = output::open(&plan.formats, &selected, plan.baseline.is_some())?;
    let assessment = assess(args, guide, plan, opened, &mut sinks)?;
    // A template that makes nothing may still have been found wanting.
    let nothing =
        assessment.coverage.count(Status::Assessed) == 0 && assessment.summary.verdicts.fail == 0;
    for sink in &mut sinks {
        sink.finish(&assessment)?;
    }
    drop(sinks);
    if nothing && !assessment.coverage.incomplete() {
        let mut stderr = anstream::stderr().lock();
        writeln!(
            stderr,
            "error: nothing to assess: no Kubernetes object or Azure resource in {}",
            assessment.subject.join(", ")
        )?;
        writeln!(
            stderr,
            "  help: give a folder with manifests, a chart, a template, or `--cluster` (`seawall assess --help`)"
        )?;
        return Ok(3);
    }
    Ok(assessment.exit_code())
}

/// Everything that the command line and the configuration decide.
struct Plan {
    setting: Setting,
    config: Config,
    frameworks: Vec<Box<str>>,
    fail_on: Option<Severity>,
    fail_on_unknown: bool,
    whole: bool,
    as_of: String,
    formats: Vec<Wanted>,
    baseline: Option<String>,
}

impl Plan {
    fn new(args: &Args, guide: &Guide, opened: &mut Opened) -> anyhow::Result<Self> {
        let config = opened.configuration(args.config.as_deref(), &args.estate.paths, guide)?;
        let kubernetes = choices::kubernetes(args.kubernetes.as_deref(), &config, guide, || {
            opened.kubernetes_minor()
        })?;
        let mut setting = setting::setting(guide, config.params.as_deref(), Some(kubernetes))
            .map_err(Failure::new)?;
        setting.severities.clone_from(&config.severities);
        let fail_on = match &args.fail_on {
            Some(word) => config::parse_floor(word).ok_or_else(|| {
                Failure::new(format!("`{word}` is no severity"))
                    .help("--fail-on takes critical, high, medium, low or none")
            })?,
            None => config.fail_on.unwrap_or(Some(Severity::High)),
        };
        let frameworks = choices::frameworks(&args.framework, &config, guide)?;
        choices::guidelines_exist(&args.guideline, guide)?;
        if let Some(id) = args.chapter.iter().find(|id| {
            !guide
                .chapters
                .iter()
                .any(|chapter| &*chapter.id == id.as_str())
        }) {
            let known: Vec<&str> = guide.chapters.iter().map(|chapter| &*chapter.id).collect();
            return Err(Failure::new(format!(
                "there is no chapter `{id}`; there are {}",
                known.join(", ")
            ))
            .into());
        }
        let as_of = choices::day(args.as_of.as_deref())?;
        let baseline = match &args.baseline {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                Failure::new(format!(
                    "cannot read the baseline `{}`: {error}",
                    path.display()
                ))
                .help("make one with `seawall assess PATH --format json=baseline.json`")
            })?),
            None => None,
        };
        setting.aks = setting::aks_versions(guide, Some(&as_of.to_string()));
        setting.today = setting::midnight(&as_of.to_string());
        Ok(Self {
            whole: choices::whole(&args.estate, args.config.as_deref(), &config)?,
            fail_on_unknown: args.fail_on_unknown || config.fail_on_unknown.unwrap_or(false),
            formats: output::parse(&args.format)?,
            as_of: as_of.to_string(),
            setting,
            config,
            frameworks,
            fail_on,
            baseline,
        })
    }

    /// Why it is not asked what findings open to attackers.
    fn unweighed(&self, args: &Args) -> Option<Attack> {
        let narrowed =
            !args.guideline.is_empty() || !args.chapter.is_empty() || !self.frameworks.is_empty();
        narrowed.then(|| Attack::Left("only a part of the guide was judged".into()))
    }

    fn selects(&self, args: &Args, guideline: &Guideline) -> bool {
        let named =
            |words: &[String], word: &str| words.is_empty() || words.iter().any(|one| one == word);
        named(&args.chapter, &guideline.chapter)
            && named(&args.guideline, &guideline.id.0)
            && (self.frameworks.is_empty()
                || self
                    .frameworks
                    .iter()
                    .any(|framework| guideline.controls(framework).next().is_some()))
    }
}

/// The configuration beside the code: in the first folder given, or above it within the repository, else within the folder
/// that seawall runs in.
pub(crate) fn read_config(
    given: Option<&Path>,
    paths: &[PathBuf],
    guide: &Guide,
) -> anyhow::Result<Config> {
    read_config_or(given, paths, None, guide)
}

/// The same, or the configuration that a snapshot was taken with, and of what that was.
pub(crate) fn read_config_or(
    given: Option<&Path>,
    paths: &[PathBuf],
    kept: Option<(&Configuration, &[PathBuf])>,
    guide: &Guide,
) -> anyhow::Result<Config> {
    match config_text(given, paths)? {
        Some(found) => parse_config(&found, guide),
        None => match kept {
            Some((kept, of)) => {
                let mut config = parse_kept(kept, guide)?;
                let is_all = paths.is_empty() && holds(of, &config.path);
                config.whole = config.whole.filter(|_| is_all);
                Ok(config)
            }
            None => Ok(Config::default()),
        },
    }
}

/// What a configuration file says, and the waivers beside it.
pub(crate) fn parse_config(found: &Configuration, guide: &Guide) -> anyhow::Result<Config> {
    let mut config = parse_kept(found, guide)?;
    let beside = Path::new(&found.path).with_file_name(config::WAIVERS);
    if beside.is_file() {
        let shown = beside.display().to_string();
        let text = std::fs::read_to_string(&beside)
            .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
        config.accept(&shown, &text, guide).map_err(wrong)?;
    }
    Ok(config)
}

/// What a configuration says that stands in no file.
fn parse_kept(kept: &Configuration, guide: &Guide) -> anyhow::Result<Config> {
    Ok(Config::parse(&kept.path, &kept.text, guide).map_err(wrong)?)
}

fn wrong(error: ConfigError) -> Failure {
    Failure::new(error.to_string()).help("docs/configuration.md describes the keys of seawall.yaml")
}

/// The configuration that is given or stands beside the files.
pub(crate) fn config_text(
    given: Option<&Path>,
    paths: &[PathBuf],
) -> anyhow::Result<Option<Configuration>> {
    let path = match given {
        Some(path) => Some(path.to_path_buf()),
        None => paths.iter().find_map(|path| find_config(path)),
    };
    let Some(path) = path else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    let shown = path.display().to_string();
    Ok(Some(Configuration {
        path: shown.strip_prefix("./").unwrap_or(&shown).to_owned(),
        text,
    }))
}

fn find_config(path: &Path) -> Option<PathBuf> {
    if path.as_os_str() == "-" {
        return None;
    }
    let mut folder = if path.is_dir() {
        path.to_path_buf()
    } else {
        path.parent()?.to_path_buf()
    };
    if folder.as_os_str().is_empty() {
        folder = PathBuf::from(".");
    }
    let beside = folder.join(config::FILE);
    if beside.is_file() {
        return Some(beside);
    }
    // Above it only within one repository, or within the folder that seawall runs in.
    let absolute = folder.canonicalize().ok()?;
    let repository = absolute
        .ancestors()
        .find(|above| above.join(".git").exists());
    let here = || std::env::current_dir().ok()?.canonicalize().ok();
    let outermost = repository.map(Path::to_path_buf).or_else(here)?;
    absolute
        .ancestors()
        .take_while(|above| above.starts_with(&outermost))
        .map(|above| above.join(config::FILE))
        .find(|file| file.is_file())
}

/// What one resource's judges said, with the resource.
struct Batch {
    judged: Vec<Judged>,
}

fn assess<'g>(
    args: &Args,
    guide: &'g Guide,
    plan: Plan,
    opened: Opened,
    sinks: &mut [Box<dyn Sink>],
) -> anyhow::Result<Assessment<'g>> {
    let setting = &plan.setting;
    let managed = guide.managed();
    let schema = guide.schema();
    let judge = Judge::new(guide, setting, |guideline| {
        plan.selects(args, guideline) && !is_about_waivers(guideline)
    });
    let unweighed = plan.unweighed(args);
    let weighs = unweighed.is_none();
    let judged = |kind: &Kind| judge.wants(kind);
    let wants = |kind: &Kind| judged(kind) || weighs && paths::reads(kind);
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &wants,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: schema.as_ref(),
    };
    let mut triage = Triage::new(&plan.config, &plan.as_of);
    if let (Some(text), Some(path)) = (&plan.baseline, &args.baseline) {
        triage
            .baseline(text)
            .map_err(|error| Failure::new(format!("`{}`: {error}", path.display())))?;
    }
    let mut hearing = Hearing {
        guide,
        triage,
        owners: Owners::default(),
        summary: Summary::default(),
        sinks,
        failures: weighs.then(|| Failures::new(guide)),
        all: args.verdicts == "all",
        judged: BTreeSet::new(),
    };
    let mut ledger = Ledger::default();
    let template = model::azure::template::kind();
    let mut estate = Estate::new(if plan.whole {
        Scope::Whole
    } else {
        Scope::Open
    });
    let joins = judge.joins();
    let mut keep = judge.keep();
    if weighs {
        for (key, whole) in paths::READS {
            keep.add(guide.symbols.get(key), *whole);
        }
    }
    let mut progress = Progress::new(opened.inputs.len());
    let options = args.estate.options(guide, plan.setting.kubernetes_minor);
    let given = Given {
        inputs: &opened.inputs,
        live: opened.live,
    };
    let read = sources::read(
        given,
        &options,
        &reader,
        |reading: &mut Reading| {
            let judged = reading
                .resources
                .iter()
                .map(|resource| judge.local(resource))
                .collect();
            for resource in reading
                .resources
                .iter_mut()
                .filter(|resource| joins && resource.is_workload())
            {
                resource.prune(&keep);
            }
            Batch { judged }
        },
        |mut reading, batch| {
            let known = weigh::unjudged(&mut reading, judged);
            ledger.coverage.empty += usize::from(reading.empty);
            let path = reading.entries.first().map(|entry| &entry.path);
            if let Some(path) = path.or_else(|| Some(&reading.resources.first()?.origin.path)) {
                hearing.triage.add_inline(path, reading.waivers);
            }
            reading.entries.into_iter().for_each(|entry| {
                ledger.add(entry);
            });
            for ((resource, judged), known) in
                reading.resources.into_iter().zip(batch.judged).zip(known)
            {
                // A template is judged too, but it is no resource.
                hearing.summary.resources += usize::from(known && resource.name.kind != template);
                ledger.coverage.provider_managed += usize::from(known && resource.provider_managed);
                let number = joins.then(|| ResourceRef(estate.resources().len() as u32));
                hearing.hear(&resource, number, judged)?;
                if joins {
                    estate.add(resource);
                }
            }
            Ok::<(), Stopped>(())
        },
        |reached| progress.tick(reached),
    )?;
    hearing.hear_rest()?;
    for entry in unjudged::unlisted(&ledger.coverage) {
        if let Some((name, judged)) = judge.unread(&entry) {
            hearing.count(&name, &judged)?;
            hearing.say(judged.findings)?;
        }
    }
    progress.phase("joining");
    let mut coverage = ledger.coverage;
    coverage.files = read.files;
    estate::settle(&mut estate, &coverage, read.completeness, guide);
    let asked =
        |guideline: &Guideline| plan.selects(args, guideline) && !is_about_waivers(guideline);
    let missing = unjudged::not_assessed(guide, setting, asked, &estate, &coverage);
    let absent: BTreeSet<&str> = missing
        .iter()
        .map(|guideline| &*guideline.guideline.0)
        .collect();
    let joint = Judge::new(guide, setting, |guideline| {
        plan.selects(args, guideline)
            && guideline.needs.joined
            && !absent.contains(&*guideline.id.0)
            && !is_about_waivers(guideline)
    });
    let analyses = ::guide::facts::analyses(guide, setting, &estate);
    join(&joint, &analyses, &mut hearing)?;
    let files_only = read.names.is_empty();
    let subject = estate::subject(&args.estate.paths, read.names);
    let told = drawn::Told {
        scene: Scene {
            guide,
            estate: &estate,
            coverage: &coverage,
            as_of: &plan.as_of,
            subject: &subject,
        },
        setting,
    };
    let drawn = plan.formats.iter().any(|one| one.format == "html");
    let (attack, parts) = match (unweighed, hearing.failures.take()) {
        (None, Some(failures)) => {
            progress.phase("attack paths");
            let told = drawn.then_some(&told);
            weigh::weigh(guide, &plan.config, &analyses, &failures, told)?
        }
        (unweighed, _) => (unweighed.unwrap_or_default(), Vec::new()),
    };
    let complete = !coverage.incomplete();
    let asked: BTreeSet<&str> = judge
        .selected()
        .map(|(_, guideline)| &*guideline.id.0)
        .filter(|id| !absent.contains(id))
        .collect();
    let seen = Seen {
        // One that the guide does not know matches nothing, whatever is read.
        asked: &|id| complete && asked.contains(id) || guide.guideline(id).is_none(),
        beside: plan.whole || holds(&args.estate.paths, &plan.config.path),
    };
    let waivers = hearing.triage.waivers(&guide.symbols, &seen);
    let overseer = Judge::new(guide, setting, |guideline| {
        plan.selects(args, guideline) && is_about_waivers(guideline)
    });
    for waiver in &waivers {
        hearing.hear(waiver, None, overseer.local(waiver))?;
    }
    let trend = hearing.triage.trend(&|id| complete && asked.contains(id));
    progress.finish();
    hearing.summary.guidelines = asked.len();
    let spoken = hearing.judged.iter();
    let spoken = spoken.filter_map(|number| guide.guidelines.get(usize::from(*number)));
    let old_facts = old_facts(guide, spoken, &plan.as_of, &|key| {
        plan.config.sets_param(key)
    });
    let summary = hearing.summary;
    coverage.guidelines = missing;
    Ok(Assessment {
        guide,
        summary,
        coverage,
        subject,
        kubernetes_minor: plan.setting.kubernetes_minor,
        as_of: plan.as_of,
        fail_on: plan.fail_on,
        fail_on_unknown: plan.fail_on_unknown,
        whole: plan.whole,
        files_only,
        framework: (!plan.frameworks.is_empty()).then(|| plan.frameworks.join(", ")),
        attack,
        old_facts,
        parts,
        trend,
        site: plan.config.site,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Whether the folder of a configuration was given as a whole; a live estate always is.
pub(crate) fn holds(given: &[PathBuf], config: &str) -> bool {
    // Without links: a configuration that was found above has none.
    let real = |path: &Path| {
        path.canonicalize().unwrap_or_else(|_| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            sources::kustomization::clean(&path)
        })
    };
    let config = real(Path::new(config));
    let folder = config.parent().unwrap_or(&config);
    given.is_empty() || given.iter().any(|path| folder.starts_with(real(path)))
}

/// Judges the complete estate by the guidelines that join objects, a part at a time so that
/// findings do not pile up.
fn join(
    judge: &Judge<'_>,
    analyses: &Analyses<'_>,
    hearing: &mut Hearing<'_, '_>,
) -> io::Result<()> {
    let estate = analyses.estate;
    if !judge.joins() {
        return Ok(());
    }
    for part in estate.resources().chunks(4096) {
        let judged: Vec<Judged> = if part.len() < 8 {
            part.iter()
                .map(|(_, resource)| judge.joined(resource, analyses))
                .collect()
        } else {
            part.par_iter()
                .map(|(_, resource)| judge.joined(resource, analyses))
                .collect()
        };
        for ((number, resource), judged) in part.into_iter().zip(judged) {
            hearing.hear(resource, Some(number), judged)?;
        }
    }
    if let Some(witness) = estate.resources().first() {
        let judged = judge.estate(witness, analyses);
        if let Some(failures) = &mut hearing.failures {
            failures.note_estate(&judged);
        }
        hearing.count(&witness.name, &judged)?;
        hearing.say(judged.findings)?;
    }
    hearing.hear_rest()
}

/// Takes what judges say through triage to the reports.
struct Hearing<'a, 'g> {
    guide: &'g Guide,
    triage: Triage,
    owners: Owners,
    summary: Summary,
    sinks: &'a mut [Box<dyn Sink>],
    /// What takes steps of attackers away, where it is asked for.
    failures: Option<Failures>,
    all: bool,
    /// Numbers of guidelines that said something.
    judged: BTreeSet<u16>,
}

impl Hearing<'_, '_> {
    fn hear(
        &mut self,
        resource: &Resource,
        number: Option<ResourceRef>,
        mut judged: Judged,
    ) -> io::Result<()> {
        self.count(&resource.name, &judged)?;
        if let (Some(failures), Some(number)) = (&mut self.failures, number) {
            failures.note(number, &judged);
            for finding in &mut judged.findings {
                finding.object = Some(number);
            }
        }
        self.owners.note(resource);
        let findings = self.owners.sort(resource, judged.findings);
        self.say(findings)
    }

    fn count(&mut self, name: &ResourceName, judged: &Judged) -> io::Result<()> {
        for (index, verdict) in &judged.verdicts {
            self.summary.verdicts.add(*verdict);
            if *verdict != VerdictWord::NotApplicable {
                self.judged.insert(*index);
            }
            if self.all
                && let Some(guideline) = self.guide.guidelines.get(*index as usize)
            {
                for sink in self.sinks.iter_mut() {
                    sink.verdict(&guideline.id, name, *verdict)?;
                }
            }
        }
        Ok(())
    }

    /// What waited for its owner to be read.
    fn hear_rest(&mut self) -> io::Result<()> {
        let findings = self.owners.rest();
        self.say(findings)
    }

    fn say(&mut self, findings: Vec<Finding>) -> io::Result<()> {
        for mut finding in findings {
            self.triage.apply(&mut finding);
            self.summary.add(&finding);
            for sink in self.sinks.iter_mut() {
                sink.finding(&finding, self.guide)?;
            }
        }
        Ok(())
    }
}
