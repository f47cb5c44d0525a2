//! `seawall explain`: a guideline, a topic with its options, a step of attackers or a detection, as a page to read.

use std::io::Write as _;
use std::path::PathBuf;

use crate::commands::load_whole_guide;
use crate::failure::Failure;
use crate::output;

/// Explains a guideline, a topic with its options, a step of attackers, or a detection.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of a guideline, as findings show it, of a topic, of a step, as `paths` shows it, or of a
    /// detection, as alerts show it
    id: String,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let Some(guideline) = guide.guideline(&args.id) else {
        if let Some(topic) = topic(&guide, &args.id) {
            let page = report::options::topic(&guide, topic, output::width());
            anstream::stdout().lock().write_all(page.as_bytes())?;
            return Ok(0);
        }
        if let Some(edge) = guide.edge_pages.get(&*args.id) {
            let page = report::edges::page(&guide, edge, output::width());
            anstream::stdout().lock().write_all(page.as_bytes())?;
            return Ok(0);
        }
        if let Some(detection) = guide.detection(&args.id) {
            let page = report::detections::page(&guide, detection, output::width());
            anstream::stdout().lock().write_all(page.as_bytes())?;
            return Ok(0);
        }
        let near: Vec<&str> = guide
            .guidelines
            .iter()
            .map(|guideline| &*guideline.id.0)
            .chain(guide.edge_pages.keys().map(|id| &**id))
            .chain(guide.detections.iter().map(|detection| &*detection.id))
            .filter(|id| id.contains(&args.id) || args.id.split('-').all(|word| id.contains(word)))
            .take(5)
            .collect();
        let help = if near.is_empty() {
            "`seawall guide list` shows all ids".to_owned()
        } else {
            format!(
                "perhaps {}; `seawall guide list` shows all ids",
                near.join(", ")
            )
        };
        return Err(Failure::new(format!(
            "there is no guideline, topic, step or detection `{}`",
            args.id
        ))
        .help(help)
        .into());
    };
    let mut out = anstream::stdout().lock();
    out.write_all(report::explain::page(&guide, guideline, output::width()).as_bytes())?;
    Ok(0)
}

/// A topic by its name, with its chapter or without.
fn topic<'g>(guide: &'g guide::Guide, id: &str) -> Option<&'g guide::guideline::Topic> {
    let id = id.trim_end_matches('/');
    guide
        .topics
        .iter()
        .find(|topic| *topic.id == *id || format!("{}/{}", topic.chapter, topic.id) == id)
}
