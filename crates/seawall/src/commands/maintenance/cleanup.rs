//! `seawall maintenance cleanup`: which images of a registry nobody uses, and a script that removes them.

mod script;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::guide::setting;
use analysis::cleanup::{self, Files, Listing, Plan, Uses, Wishes};
use model::coverage::DocumentEntry;
use serde_json::{Value, json};
use sources::snapshot::{self, Snapshot};

use super::{Asked, Common, write};
use crate::commands::estate::Stopped;
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

/// Plans which images of a registry to remove: those that no cluster, snapshot or file names.
///
/// Removes nothing. `--list-script` prints a script that writes down what the registry holds; from that, and from what
/// uses it, the plan is made; `--format script=FILE` writes a script that carries it out. Both run with your own
/// sign-in, and are meant to be read first. An image goes with its platforms, signatures and attestations, or stays
/// with them. Whatever names an image in any object counts as a use.
///
/// Exit code: 0 answered; 2 wrong use; 3 nothing that could use an image was given; 4 something given could not be
/// read, so no plan is made.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall maintenance cleanup --list-script shop.azurecr.io > list.sh && sh list.sh held
  seawall maintenance cleanup --registry held --cluster --snapshot october.snapshot
  seawall maintenance cleanup --registry held --cluster --snapshot october.snapshot \\
    --format text --format script=remove.sh
  sh remove.sh                                      shows it; `--yes` removes it")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// The folder that the script of `--list-script` wrote
    #[arg(long, value_name = "DIR", required_unless_present = "list_script")]
    registry: Option<PathBuf>,
    /// Print the script that writes down what this registry holds
    #[arg(long, value_name = "HOST", conflicts_with = "registry")]
    list_script: Option<String>,
    /// Days for which nobody has used an image: each cluster needs a snapshot of that age besides how it is now; 0 asks
    /// for none
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    unused_for: u32,
    /// Keep tags like this (`*` stands for anything); repeatable
    #[arg(long, value_name = "PATTERN")]
    keep_tag: Vec<String>,
    /// text, json, script; `F=FILE` writes to a file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
}

/// A snapshot is taken to tell how a cluster is now for so many days.
const NOW_DAYS: i64 = 2;
const DAY: i64 = 86_400;

/// A plan with what it rests on.
struct Answer {
    listing: Listing,
    plan: Plan,
    /// ISO date
    day: String,
    /// Seconds since 1970.
    today: i64,
    unused_for: u32,
    /// What was read, as people call it.
    subject: Vec<String>,
    /// First and last snapshot of each cluster, ISO dates.
    seen: BTreeMap<String, (String, String)>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if let Some(host) = &args.list_script {
        write(&script::list(host)?, None)?;
        return Ok(0);
    }
    let wanted = output::parse_of(&args.format, &["text", "json", "script"])?;
    let listing = read_listing(args.registry.as_deref().unwrap_or(Path::new(".")))?;
    let guide = load_guide(args.common.guide.as_deref())?;
    let asked = args.common.read(guide)?;
    if asked.is_empty() {
        return asked.nothing();
    }
    if let Some(entry) = unread(&asked) {
        output::say(
            "error",
            &format!(
                "no plan: `{}` could not be read, and may use an image",
                entry.path
            ),
        )?;
        return asked.end(0);
    }
    let today = asked.setting.today.map_or(0, |today| today.seconds);
    let seen = seen(args, &asked)?;
    let mut uses = Uses::default();
    uses.add(&asked.estate);
    let wishes = Wishes {
        young_since: today - i64::from(args.unused_for) * DAY,
        keep_tags: args.keep_tag.clone(),
    };
    let answer = Answer {
        plan: cleanup::plan(&listing, &uses, &wishes),
        listing,
        day: asked.day.clone(),
        today,
        unused_for: args.unused_for,
        subject: asked.subject.clone(),
        seen,
    };
    for one in &wanted {
        let width = if one.file.is_some() {
            80
        } else {
            output::width()
        };
        let text = match one.format.as_str() {
            "json" => format!("{:#}\n", in_json(&answer)),
            "script" => script::remove(&answer)?,
            _ => text::text(&answer, width),
        };
        write(&text, one.file.as_deref())?;
    }
    asked.end(0)
}

fn unread(asked: &Asked) -> Option<&DocumentEntry> {
    let mut entries = asked.coverage.documents.iter();
    entries.find(|entry| entry.status.incomplete())
}

/// When each cluster was seen. Each must have been seen long enough ago and lately: between, an image that nobody names
/// now may still have been in use.
fn seen(args: &Args, asked: &Asked) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut note = |cluster: String, day: &str| {
        let own = seen
            .entry(cluster)
            .or_insert_with(|| (day.to_owned(), day.to_owned()));
        if day < own.0.as_str() {
            own.0 = day.to_owned();
        }
        if day > own.1.as_str() {
            own.1 = day.to_owned();
        }
    };
    for path in &args.common.estate.snapshot {
        let opened = Snapshot::open(path, snapshot::Limits::default()).map_err(Stopped::Live)?;
        let about = opened.about();
        let day = about.taken_at.get(..10).unwrap_or_default();
        note(about.sources.join(", "), day);
    }
    if args.unused_for == 0 {
        return Ok(seen);
    }
    let days = |day: &str| {
        let today = asked.setting.today.map_or(0, |today| today.seconds);
        setting::midnight(day).map_or(i64::MAX, |at| (today - at.seconds) / DAY)
    };
    let wanted = i64::from(args.unused_for);
    let help = format!(
        "give a snapshot that is {wanted} days old or older (`seawall snapshot --cluster -o FILE` takes one), \
         or `--unused-for 0` to go by what is used now"
    );
    if !seen.values().any(|(first, _)| days(first) >= wanted) {
        return Err(Failure::new(format!(
            "nobody knows what was in use {wanted} days ago: no snapshot is that old"
        ))
        .help(help)
        .into());
    }
    if let Some((cluster, (first, _))) = seen.iter().find(|(_, (first, _))| days(first) < wanted) {
        return Err(Failure::new(format!(
            "the first snapshot of {cluster} is of {first}, less than {wanted} days ago"
        ))
        .help(help)
        .into());
    }
    let is_now = |(_, last): &(String, String)| days(last) <= NOW_DAYS;
    if !args.common.estate.cluster
        && let Some((cluster, (_, last))) = seen.iter().find(|(_, own)| !is_now(own))
    {
        return Err(Failure::new(format!(
            "the last snapshot of {cluster} is of {last}: nobody knows what it uses now"
        ))
        .help("give a snapshot of today, or `--cluster`")
        .into());
    }
    Ok(seen)
}

/// More files than any registry makes, and larger ones than any manifest is.
const MOST_FILES: usize = 2_000_000;
const LONGEST: u64 = 64 << 20;

fn read_listing(folder: &Path) -> anyhow::Result<Listing> {
    let shown = folder.display();
    let fail = |why: String| {
        Failure::new(format!(
            "`{shown}` does not say what a registry holds: {why}"
        ))
        .help("`seawall maintenance cleanup --list-script HOST` prints the script that writes it")
    };
    let mut files = Files::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(own) = folders.pop() {
        let entries = std::fs::read_dir(&own).map_err(|error| fail(error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| fail(error.to_string()))?;
            let (path, kind) = (
                entry.path(),
                entry.file_type().map_err(|error| fail(error.to_string()))?,
            );
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let long = entry.metadata().is_ok_and(|about| about.len() > LONGEST);
            if !kind.is_file() || long || files.len() >= MOST_FILES {
                let path = path.display();
                return Err(fail(format!("`{path}` is none of its files")).into());
            }
            let text = std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
            let name = path.strip_prefix(folder).unwrap_or(&path);
            files.insert(name.to_string_lossy().replace('\\', "/"), text);
        }
    }
    Listing::read(&files).map_err(|why| fail(why).into())
}

fn in_json(answer: &Answer) -> Value {
    let group = |own: &cleanup::Group| {
        let manifests: Vec<Value> = own
            .manifests
            .iter()
            .map(|manifest| {
                json!({
                    "digest": manifest.digest,
                    "mediaType": manifest.kind,
                    "artifactType": manifest.artifact,
                    "tags": manifest.tags,
                    "updated": manifest.updated.map(::guide::renewals::day),
                    "size": manifest.size,
                })
            })
            .collect();
        json!({"repository": own.repository, "manifests": manifests})
    };
    let kept: Vec<Value> = answer
        .plan
        .keep
        .iter()
        .map(|kept| {
            let mut value = group(&kept.group);
            if let Some(map) = value.as_object_mut() {
                map.insert("because".to_owned(), json!(kept.because));
            }
            value
        })
        .collect();
    let soft = answer.listing.soft_delete;
    json!({
        "schema": "seawall.cleanup/v1",
        "tool": {"name": "seawall", "version": env!("CARGO_PKG_VERSION")},
        "asOf": answer.day,
        "subject": answer.subject,
        "registry": answer.listing.registry,
        "listed": answer.listing.taken_at,
        "softDelete": soft.map(|soft| json!({"enabled": soft.enabled, "days": soft.days})),
        "unusedForDays": answer.unused_for,
        "remove": answer.plan.remove.iter().map(group).collect::<Vec<_>>(),
        "keep": kept,
    })
}
