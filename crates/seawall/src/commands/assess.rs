//! `seawall assess`: the main job.

/// Judges an environment against the guide.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> anyhow::Result<u8> {
    Ok(0)
}
