//! `seawall guide`: what the guide holds, whether its examples behave, and its pages.

mod build;
mod data;
mod templates;

use std::io::Write as _;
use std::path::PathBuf;

use ::guide::edges::EdgePage;
use ::guide::guideline::Topic;
use ::guide::renewals::Renewal;
use ::guide::{Guideline, examples, mutation};
use clap::Subcommand;

use crate::commands::{load_whole_guide, load_with_errors};
use crate::failure::Failure;
use crate::output;

/// Lists and tests the guidelines, and builds the guide's site.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, global = true, value_name = "DIR")]
    guide: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists every guideline with its severity, by chapter and topic
    List {
        /// The options of each topic instead: what they cost, need and rule out
        #[arg(long)]
        options: bool,
        /// The steps of attackers instead
        #[arg(long, conflicts_with = "options")]
        edges: bool,
        /// The detections over audit logs instead
        #[arg(long, conflicts_with_all = ["options", "edges"])]
        detections: bool,
    },
    /// Runs every example of every guideline, option, step of attackers, renewal and detection
    Test {
        /// Only these guidelines: ids, or paths below the guide's folder
        only: Vec<String>,
        /// Also change each check in every small way: an example must notice
        #[arg(long)]
        mutate: bool,
    },
    /// Lists the tables that the guide rests on: how old each is, and how it is renewed
    Data {
        /// The day to look from [default: today]
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
    },
    /// Writes the guide as HTML pages that work without a server
    Build {
        /// Folder for the pages: new, empty, or with an earlier build
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.action {
        Action::List { options: true, .. } => list_options(args),
        Action::List { edges: true, .. } => list_edges(args),
        Action::List {
            detections: true, ..
        } => list_detections(args),
        Action::List { .. } => list(args),
        Action::Test { only, mutate } => test(args, only, *mutate),
        Action::Data { as_of } => data::run(args.guide.as_deref(), as_of.as_deref()),
        Action::Build { out } => build::run(args.guide.as_deref(), out),
    }
}

fn list(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let mut out = anstream::stdout().lock();
    let mut topic = String::new();
    let mut guidelines: Vec<&Guideline> = guide.guidelines.iter().collect();
    let place = |guideline: &Guideline| {
        guide
            .topics
            .iter()
            .position(|topic| topic.chapter == guideline.chapter && topic.id == guideline.topic)
            .unwrap_or(usize::MAX)
    };
    guidelines.sort_by_key(|guideline| (place(guideline), std::cmp::Reverse(guideline.severity)));
    for guideline in guidelines {
        let own = format!("{}/{}", guideline.chapter, guideline.topic);
        if own != topic {
            let title = guide
                .topic(&guideline.chapter, &guideline.topic)
                .map_or("", |topic| &*topic.title);
            writeln!(
                out,
                "{}{own}  {title}",
                if topic.is_empty() { "" } else { "\n" }
            )?;
            topic = own;
        }
        writeln!(
            out,
            "  {:8} {:34} {}",
            guideline.severity.word(),
            guideline.id.0,
            guideline.title
        )?;
    }
    writeln!(
        out,
        "\n{} guidelines; `seawall explain ID` says why and how",
        guide.guidelines.len()
    )?;
    Ok(0)
}

fn list_options(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let mut out = anstream::stdout().lock();
    out.write_all(report::options::list(guide, output::width()).as_bytes())?;
    Ok(0)
}

fn list_edges(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let mut out = anstream::stdout().lock();
    out.write_all(report::edges::list(guide, output::width()).as_bytes())?;
    Ok(0)
}

fn list_detections(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let mut out = anstream::stdout().lock();
    out.write_all(report::detections::list(guide).as_bytes())?;
    Ok(0)
}

/// What came of examples and of changes that they should notice.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    mutants: usize,
    survived: usize,
}

/// Runs the examples of detections, and changes their checks where that is asked for.
fn test_detections(
    guide: &mut ::guide::Guide,
    chosen: &[usize],
    mutate: bool,
    out: &mut impl std::io::Write,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let setting = ::guide::setting::setting(guide, None, None).map_err(Failure::new)?;
    for index in chosen {
        let Some(detection) = guide.detections.get(*index) else {
            continue;
        };
        let failures = audit::detect::examples::run(guide, &setting, detection);
        count.failed += failures.len();
        count.passed += detection.examples.len().saturating_sub(failures.len());
        if failures.is_empty() && mutate {
            let (tried, survivors) = audit::detect::examples::mutate(guide, &setting, *index);
            count.mutants += tried;
            count.survived += survivors.len();
            for survivor in survivors {
                say_survivor(out, &survivor)?;
            }
        }
        for failure in failures {
            say(out, failure)?;
        }
    }
    Ok(count)
}

fn say_survivor(
    out: &mut impl std::io::Write,
    survivor: &mutation::Survivor,
) -> std::io::Result<()> {
    writeln!(
        out,
        "{}:{}: no example notices: {}",
        survivor.file, survivor.line, survivor.description
    )?;
    writeln!(out, "    {}", survivor.source.replace('\n', "\n    "))
}

/// Whether a detection is meant by its id or a path.
fn detection_wanted(detection: &::guide::Detection, only: &[String]) -> bool {
    only.is_empty()
        || only.iter().any(|word| {
            let word = word.trim_end_matches('/');
            let word = word.rsplit("guide/").next().unwrap_or(word);
            word == &*detection.id || word == "detections" || word == &*detection.file
        })
}

/// Runs the examples of steps: how many behave, and how many do not.
fn test_edges(
    guide: &::guide::Guide,
    ids: &[Box<str>],
    out: &mut impl std::io::Write,
) -> std::io::Result<(usize, usize)> {
    let (mut passed, mut failed) = (0, 0);
    for edge in ids.iter().filter_map(|id| guide.edge_pages.get(id)) {
        let failures = ::guide::edges::run(guide, edge);
        passed += edge.examples.len().saturating_sub(failures.len());
        failed += failures.len();
        for failure in failures {
            say(out, failure)?;
        }
    }
    Ok((passed, failed))
}

/// Runs the examples of renewals: how many behave, and how many do not.
fn test_renewals(
    guide: &::guide::Guide,
    chosen: &[usize],
    out: &mut impl std::io::Write,
) -> std::io::Result<(usize, usize)> {
    let (mut passed, mut failed) = (0, 0);
    for renewal in chosen.iter().filter_map(|index| guide.renewals.get(*index)) {
        let failures = ::guide::renewals::run(guide, renewal);
        passed += renewal.examples.len().saturating_sub(failures.len());
        failed += failures.len();
        for failure in failures {
            say(out, failure)?;
        }
    }
    Ok((passed, failed))
}

/// Whether a renewal is meant by its id or a path.
fn renewal_wanted(renewal: &Renewal, only: &[String]) -> bool {
    only.is_empty()
        || only.iter().any(|word| {
            let word = word.trim_end_matches('/');
            let word = word.rsplit("guide/").next().unwrap_or(word);
            word == &*renewal.id || word == "renewals" || word == &*renewal.file
        })
}

/// Whether a step is meant by its id or a path.
fn edge_wanted(edge: &EdgePage, only: &[String]) -> bool {
    only.is_empty()
        || only.iter().any(|word| {
            let word = word.trim_end_matches('/');
            let word = word.rsplit("guide/").next().unwrap_or(word);
            word == &*edge.id || word == "edges" || word == &*edge.file
        })
}

/// Whether a topic's README is meant by an id or a path.
fn topic_wanted(topic: &Topic, only: &[String]) -> bool {
    let own = format!("{}/{}", topic.chapter, topic.id);
    only.is_empty()
        || only.iter().any(|word| {
            let word = word.trim_end_matches('/');
            let word = word.rsplit("guide/").next().unwrap_or(word);
            word == &*topic.id
                || word == &*topic.chapter
                || word == own
                || word == format!("{own}/README.md")
        })
}

fn say(out: &mut impl std::io::Write, failure: examples::Failure) -> std::io::Result<()> {
    writeln!(out, "{}:{}", failure.file, failure.line)?;
    for problem in failure.problems {
        writeln!(out, "    {problem}")?;
    }
    Ok(())
}

fn test(args: &Args, only: &[String], mutate: bool) -> anyhow::Result<u8> {
    let (mut guide, errors) = load_with_errors(args.guide.as_deref())?;
    let wanted = |guideline: &Guideline| {
        only.is_empty()
            || only.iter().any(|word| {
                let word = word.trim_end_matches('/');
                word == &*guideline.id.0
                    || word.ends_with(&*guideline.file)
                    || format!("/{}", guideline.file).contains(&format!(
                        "/{}/",
                        word.rsplit("guide/").next().unwrap_or(word)
                    ))
            })
    };
    let chosen: Vec<usize> = (0..guide.guidelines.len())
        .filter(|index| guide.guidelines.get(*index).is_some_and(wanted))
        .collect();
    let topics: Vec<usize> = (0..guide.topics.len())
        .filter(|index| {
            guide
                .topics
                .get(*index)
                .is_some_and(|topic| topic_wanted(topic, only))
        })
        .collect();
    let edges: Vec<Box<str>> = guide
        .edge_pages
        .values()
        .filter(|edge| edge_wanted(edge, only))
        .map(|edge| edge.id.clone())
        .collect();
    let detections: Vec<usize> = (0..guide.detections.len())
        .filter(|index| {
            let detection = guide.detections.get(*index);
            detection.is_some_and(|detection| detection_wanted(detection, only))
        })
        .collect();
    let renewals: Vec<usize> = (0..guide.renewals.len())
        .filter(|index| {
            let renewal = guide.renewals.get(*index);
            renewal.is_some_and(|renewal| renewal_wanted(renewal, only))
        })
        .collect();
    if chosen.is_empty()
        && topics.is_empty()
        && edges.is_empty()
        && detections.is_empty()
        && renewals.is_empty()
    {
        // A file that does not load matches nothing.
        let broken: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
        let what = match broken.as_slice() {
            [] => "no guideline matches".to_owned(),
            broken => format!(
                "no guideline matches among those that load; these do not:{}",
                broken.concat()
            ),
        };
        return Err(Failure::new(what)
            .help("`seawall guide list` shows all ids")
            .into());
    }
    let mut out = anstream::stdout().lock();
    let (mut passed, mut failed, mut mutants, mut survived) = (0, errors.len(), 0, 0);
    for error in errors {
        writeln!(out, "{error}")?;
    }
    for index in &chosen {
        let Some(guideline) = guide.guidelines.get(*index) else {
            continue;
        };
        let mut sound = true;
        for example in &guideline.examples {
            match examples::run(&guide, guideline, example) {
                None => passed += 1,
                Some(failure) => {
                    failed += 1;
                    sound = false;
                    say(&mut out, failure)?;
                }
            }
        }
        if mutate && sound {
            let (tried, survivors) = mutation::run(&mut guide, *index);
            mutants += tried;
            survived += survivors.len();
            for survivor in survivors {
                say_survivor(&mut out, &survivor)?;
            }
        }
    }
    for topic in topics.iter().filter_map(|index| guide.topics.get(*index)) {
        for example in &topic.examples {
            match ::guide::options::run(&guide, topic, example) {
                None => passed += 1,
                Some(failure) => {
                    failed += 1;
                    say(&mut out, failure)?;
                }
            }
        }
    }
    let (sound, wrong) = test_edges(&guide, &edges, &mut out)?;
    (passed, failed) = (passed + sound, failed + wrong);
    let (sound, wrong) = test_renewals(&guide, &renewals, &mut out)?;
    (passed, failed) = (passed + sound, failed + wrong);
    let of_events = test_detections(&mut guide, &detections, mutate, &mut out)?;
    (passed, failed) = (passed + of_events.passed, failed + of_events.failed);
    (mutants, survived) = (mutants + of_events.mutants, survived + of_events.survived);
    if only.is_empty() {
        for gap in ::guide::complete::gaps(&guide) {
            failed += 1;
            writeln!(out, "{gap}")?;
        }
    }
    write!(
        out,
        "{} guidelines, {} detections, {passed} examples passed, {failed} failed",
        chosen.len(),
        detections.len()
    )?;
    if mutate {
        write!(out, "; {mutants} mutants, {survived} survived")?;
    }
    writeln!(out)?;
    Ok(u8::from(failed + survived > 0))
}
