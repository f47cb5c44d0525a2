//! `seawall explain`: a guideline as a page to read.

use std::io::Write as _;
use std::path::PathBuf;

use crate::commands::load_guide;
use crate::failure::Failure;

/// Explains a guideline: why, when not, what it costs, how to fix it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of a guideline, as findings show it
    id: String,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    let Some(guideline) = guide.guideline(&args.id) else {
        return Err(Failure::new(format!("there is no guideline `{}`", args.id))
            .help("`seawall guide list` shows all ids")
            .into());
    };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}\n\n{}", guideline.title, guideline.prose)?;
    Ok(0)
}
