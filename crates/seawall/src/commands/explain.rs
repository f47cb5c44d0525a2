//! `seawall explain`: a guideline, a topic with its options, a step of attackers, a detection or a renewal, as a page to
//! read.

use std::io::Write as _;
use std::path::PathBuf;

use ::guide::Guide;

use crate::commands::load_whole_guide;
use crate::failure::Failure;
use crate::output;

/// Explains a guideline, a topic, a step of attackers, a detection.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of a guideline, as findings show it, of a topic, of a step, as `paths` shows it, of a
    /// detection, as alerts show it, or of what ends, as the calendar's JSON shows it
    id: String,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let (id, width) = (&*args.id, output::width());
    let page = if let Some(guideline) = guide.guideline(id) {
        report::explain::page(guide, guideline, width)
    } else if let Some(topic) = topic(guide, id) {
        report::options::topic(guide, topic, width)
    } else if let Some(edge) = guide.edge_pages.get(id) {
        report::edges::page(guide, edge, width)
    } else if let Some(detection) = guide.detection(id) {
        report::detections::page(guide, detection, width)
    } else if let Some(renewal) = guide.renewals.iter().find(|own| *own.id == *id) {
        report::renewals::page(renewal, width)
    } else {
        return Err(unknown(guide, id).into());
    };
    anstream::stdout().lock().write_all(page.as_bytes())?;
    Ok(0)
}

/// There is no such page; some that are near.
fn unknown(guide: &Guide, id: &str) -> Failure {
    let near: Vec<&str> = guide
        .guidelines
        .iter()
        .map(|guideline| &*guideline.id.0)
        .chain(guide.edge_pages.keys().map(|id| &**id))
        .chain(guide.detections.iter().map(|detection| &*detection.id))
        .chain(guide.renewals.iter().map(|renewal| &*renewal.id))
        .filter(|own| own.contains(id) || id.split('-').all(|word| own.contains(word)))
        .take(5)
        .collect();
    let all = "`seawall guide list` shows all ids";
    let help = if near.is_empty() {
        all.to_owned()
    } else {
        format!("perhaps {}; {all}", near.join(", "))
    };
    Failure::new(format!(
        "there is no guideline, topic, step, detection or renewal `{id}`"
    ))
    .help(help)
}

/// A topic by its name, with its chapter or without.
fn topic<'g>(guide: &'g Guide, id: &str) -> Option<&'g ::guide::guideline::Topic> {
    let id = id.trim_end_matches('/');
    guide
        .topics
        .iter()
        .find(|topic| *topic.id == *id || format!("{}/{}", topic.chapter, topic.id) == id)
}
