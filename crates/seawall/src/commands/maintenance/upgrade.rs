//! `seawall maintenance upgrade`: what stands in the way of the next Kubernetes versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ::guide::guideline::Framework;
use ::guide::renewals::day;
use ::guide::{Guide, Judge, parse_minor};
use model::finding::{Finding, Outcome};
use model::{Estate, Ref};
use rayon::prelude::*;
use report::owners::Owners;
use report::triage::Triage;
use serde_json::{Value, json};

use super::{Asked, Common, write};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

/// The framework whose controls are the questions, in their order.
const FRAMEWORK: &str = "upgrade-readiness";

/// Shows what stands in the way of an upgrade of Kubernetes: APIs that end, budgets that block drains, nodes that lag.
///
/// Goes from the version of the cluster to the one that is asked for, one minor after the other, and says of each
/// finding with which version it begins. The questions are those of the framework `upgrade-readiness`.
///
/// Exit code: 0 nothing stands in the way; 1 something does; 2 wrong use; 3 nothing to look at; 4 something given could
/// not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall maintenance upgrade .                            to the version after the cluster's
  seawall maintenance upgrade --cluster --azure --to 1.37  what runs, through several versions
  seawall maintenance upgrade deploy --from 1.34 --to 1.36 --format json")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// The version that the cluster has [default: what the cluster or its template says]
    #[arg(long, value_name = "1.N")]
    from: Option<String>,
    /// The version to go to [default: the one after]
    #[arg(long, value_name = "1.N")]
    to: Option<String>,
    /// text, json; `F=FILE` writes to a file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
}

/// What stands in the way.
struct Answer<'g> {
    framework: &'g Framework,
    from: u8,
    to: u8,
    /// ISO date
    day: String,
    subject: Vec<String>,
    /// Of each version on the way: the day on which AKS stops to support it.
    ends: BTreeMap<u8, Option<String>>,
    /// By control.
    found: BTreeMap<&'g str, Vec<Hindrance>>,
    /// Controls of which a guideline could be asked about something.
    asked: BTreeSet<&'g str>,
}

/// A finding, and the first version with which it stands in the way.
struct Hindrance {
    at: u8,
    finding: Finding,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let wanted = output::parse_of(&args.format, &["text", "json"])?;
    let guide = load_guide(args.common.guide.as_deref())?;
    let framework = guide.framework(FRAMEWORK).ok_or_else(|| {
        Failure::new(format!("the guide has no framework `{FRAMEWORK}`"))
            .help(format!("copy `frameworks/{FRAMEWORK}.yaml` into it"))
    })?;
    let mut asked = args.common.read(guide)?;
    if asked.is_empty() {
        return asked.nothing();
    }
    let (from, to) = versions(args, &asked)?;
    let mut answer = Answer {
        framework,
        from,
        to,
        day: asked.day.clone(),
        subject: asked.subject.clone(),
        ends: BTreeMap::new(),
        found: BTreeMap::new(),
        asked: BTreeSet::new(),
    };
    for minor in from..=to {
        let end = asked.setting.aks.ends.get(format!("1.{minor}").as_str());
        answer.ends.insert(minor, end.map(|end| day(end.seconds)));
    }
    let mut known = BTreeSet::new();
    for minor in from + 1..=to {
        asked.setting.kubernetes_minor = minor;
        judge(guide, &asked, &mut answer, &mut known);
    }
    for one in &wanted {
        let width = if one.file.is_some() {
            80
        } else {
            output::width()
        };
        let text = match one.format.as_str() {
            "json" => format!("{:#}\n", in_json(&answer)),
            _ => text(&answer, width),
        };
        write(&text, one.file.as_deref())?;
    }
    let hindered = answer.found.values().flatten().any(Hindrance::is_fail);
    asked.end(u8::from(hindered))
}

impl Hindrance {
    fn is_fail(&self) -> bool {
        matches!(self.finding.outcome, Outcome::Fail)
    }
}

/// From which version to which.
fn versions(args: &Args, asked: &Asked) -> anyhow::Result<(u8, u8)> {
    let read = |text: &String| {
        parse_minor(text).ok_or_else(|| {
            Failure::new(format!("`{text}` is no Kubernetes version")).help("write it as `1.36`")
        })
    };
    let from = args.from.as_ref().map(read).transpose()?;
    let from = from.or_else(|| of_estate(&asked.estate)).ok_or_else(|| {
        Failure::new("nothing that was given says which version the cluster has")
            .help("say it with `--from 1.N`, or give the cluster or its template")
    })?;
    let to = args.to.as_ref().map(read).transpose()?.unwrap_or(from + 1);
    if to <= from {
        return Err(Failure::new(format!("1.{to} is not after 1.{from}"))
            .help("Kubernetes goes forward only: say a later version with `--to`")
            .into());
    }
    if to - from > 20 {
        return Err(Failure::new(format!("1.{to} is too far from 1.{from}"))
            .help("say a version that there is")
            .into());
    }
    Ok((from, to))
}

/// The oldest version of a cluster in the estate.
fn of_estate(estate: &Estate) -> Option<u8> {
    let azure = estate
        .of_kind("Microsoft.ContainerService/managedClusters")
        .iter();
    let azure = azure.filter_map(|id| {
        let object = estate.get(*id)?.object();
        let text = |key| object.path(&["properties", key]).and_then(Ref::as_str);
        parse_minor(text("currentKubernetesVersion").or_else(|| text("kubernetesVersion"))?)
    });
    let running = estate.of_kind("Cluster.seawall.dev").iter();
    let running = running.filter_map(|id| {
        let version = estate.get(*id)?.object().get("version");
        parse_minor(version.and_then(Ref::as_str)?)
    });
    azure.chain(running).min()
}

/// What the guidelines of the framework say, judged against one version. What an earlier version brought is known.
fn judge<'g>(
    guide: &'g Guide,
    asked: &Asked,
    answer: &mut Answer<'g>,
    known: &mut BTreeSet<(String, String)>,
) {
    let judge = Judge::new(guide, &asked.setting, |guideline| {
        guideline.controls(FRAMEWORK).next().is_some()
    });
    let analyses = ::guide::facts::analyses(guide, &asked.setting, &asked.estate);
    let resources: Vec<_> = asked.estate.resources().iter().collect();
    let judged: Vec<_> = resources
        .par_iter()
        .map(|resource| {
            let mut own = judge.local(resource);
            let joined = judge.joined(resource, &analyses);
            own.findings.extend(joined.findings);
            own.verdicts.extend(joined.verdicts);
            own
        })
        .collect();
    let mut triage = Triage::new(&asked.config, &answer.day);
    let mut owners = Owners::default();
    let mut findings = Vec::new();
    for resource in &resources {
        owners.note(resource);
    }
    for (resource, own) in resources.iter().zip(judged) {
        for (number, verdict) in own.verdicts {
            let guideline = guide.guidelines.get(usize::from(number));
            if verdict != ::guide::VerdictWord::NotApplicable {
                let controls = guideline
                    .into_iter()
                    .flat_map(|own| own.controls(FRAMEWORK));
                answer.asked.extend(controls);
            }
        }
        findings.extend(owners.sort(resource, own.findings));
    }
    findings.extend(owners.rest());
    for mut finding in findings {
        triage.apply(&mut finding);
        if finding.waiver.is_some() || finding.provider_managed {
            continue;
        }
        // A deprecated version says something else when it is gone.
        if !known.insert((
            finding.fingerprint.to_string(),
            without_version(&finding.message),
        )) {
            continue;
        }
        let guideline = guide.guideline(&finding.guideline.0);
        let Some(control) = guideline.and_then(|own| own.controls(FRAMEWORK).next()) else {
            continue;
        };
        let at = asked.setting.kubernetes_minor;
        let own = answer.found.entry(control).or_default();
        own.push(Hindrance { at, finding });
    }
}

/// A message that says nothing else with the next version is the same.
fn without_version(message: &str) -> String {
    let mut parts = message.split("Kubernetes 1.");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// Findings of one control are listed up to so many; JSON has all.
const MOST: usize = 12;

fn text(answer: &Answer<'_>, width: usize) -> String {
    let mut page = String::new();
    let _ = writeln!(
        page,
        "From Kubernetes 1.{} to 1.{}: {}, as of {}",
        answer.from,
        answer.to,
        report::clean(&answer.subject.join(", ")),
        answer.day
    );
    for (minor, end) in &answer.ends {
        let _ = match end {
            Some(end) => writeln!(page, "  1.{minor}  AKS supports it until {end}"),
            None => writeln!(
                page,
                "  1.{minor}  AKS's calendar, as it is known here, does not have it"
            ),
        };
    }
    let (mut fails, mut unknown) = (0, 0);
    for (id, title) in &answer.framework.controls {
        let found = answer.found.get(&**id).map_or(&[][..], Vec::as_slice);
        let own = found.iter().filter(|one| one.is_fail()).count();
        fails += own;
        unknown += found.len() - own;
        let word = match (own, found.len(), answer.asked.contains(&**id)) {
            (0, 0, true) => "ok",
            (0, 0, false) => "nothing to judge",
            (0, ..) => "unknown",
            _ => "in the way",
        };
        let _ = writeln!(page, "\n{title}: {word}");
        let mut shown: Vec<&Hindrance> = found.iter().collect();
        shown.sort_by_key(|one| (!one.is_fail(), one.at));
        for one in shown.iter().take(MOST) {
            line(&mut page, one, width);
        }
        if let Some(more) = shown.len().checked_sub(MOST).filter(|more| *more > 0) {
            let _ = writeln!(page, "  and {more} more; `--format json` has all");
        }
    }
    let _ = writeln!(
        page,
        "\n{} in the way, {} unknown",
        report::count(fails, "finding"),
        unknown
    );
    if fails > 0 {
        let text = "`seawall fix` mends what it can; `seawall explain ID` says why and how.";
        for line in output::folded(text, width) {
            let _ = writeln!(page, "{line}");
        }
    }
    page
}

fn line(page: &mut String, one: &Hindrance, width: usize) {
    let finding = &one.finding;
    let place = if finding.place.live {
        finding.place.path.to_string()
    } else {
        format!("{}:{}", finding.place.path, finding.place.line)
    };
    let text = format!(
        "{} ({})",
        report::clean(&finding.message),
        finding.guideline.0
    );
    let mut lines = output::folded(&text, width.saturating_sub(8));
    let about = format!("{}  {}", finding.resource.id(), place);
    lines.extend(output::folded(
        &report::clean(&about),
        width.saturating_sub(8),
    ));
    let label = format!("  {:<4}  ", format!("1.{}", one.at));
    page.push_str(&report::hanging(&label, 8, &lines));
}

fn in_json(answer: &Answer<'_>) -> Value {
    let versions: Vec<Value> = answer
        .ends
        .iter()
        .map(|(minor, end)| json!({"version": format!("1.{minor}"), "aksSupportEnds": end}))
        .collect();
    let controls: Vec<Value> = answer
        .framework
        .controls
        .iter()
        .map(|(id, title)| {
            let found = answer.found.get(&**id).map_or(&[][..], Vec::as_slice);
            let findings: Vec<Value> = found
                .iter()
                .map(|one| {
                    json!({
                        "version": format!("1.{}", one.at),
                        "guideline": &*one.finding.guideline.0,
                        "verdict": if one.is_fail() { "fail" } else { "unknown" },
                        "message": one.finding.message,
                        "resource": one.finding.resource.id(),
                        "path": &*one.finding.place.path,
                        "line": (!one.finding.place.live).then_some(one.finding.place.line),
                    })
                })
                .collect();
            json!({
                "id": id,
                "title": title,
                "judged": answer.asked.contains(&**id),
                "findings": findings,
            })
        })
        .collect();
    json!({
        "schema": "seawall.upgrade/v1",
        "tool": {"name": "seawall", "version": env!("CARGO_PKG_VERSION")},
        "asOf": answer.day,
        "subject": answer.subject,
        "from": format!("1.{}", answer.from),
        "to": format!("1.{}", answer.to),
        "versions": versions,
        "controls": controls,
    })
}
