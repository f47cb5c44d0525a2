//! What the watch reads besides the cluster: Azure, and what the cluster is to be as.

use std::path::Path;
use std::sync::Arc;

use server::bench::Law;
use server::watch::Opening;
use server::watch::drift::{Base, Basing};
use sources::live::LiveError;
use sources::snapshot;

use crate::choices;
use crate::commands::azure::AzureArgs;
use crate::commands::estate::EstateArgs;
use crate::failure::Failure;

/// Opens Azure each time that it is read, where it was asked for.
pub(super) fn azure(args: &AzureArgs) -> anyhow::Result<Option<Opening>> {
    // What is wrong with the flags is told at once.
    if args.source()?.is_none() {
        return Ok(None);
    }
    let args = args.clone();
    Ok(Some(Arc::new(move || {
        args.source().map_err(told)?.ok_or_else(LiveError::stopped)
    })))
}

/// Reads anew what the cluster is to be as: files, or a snapshot.
pub(super) fn base(path: &Path, law: &Law, asked: Option<&Path>) -> anyhow::Result<Basing> {
    if !path.exists() {
        let shown = path.display();
        return Err(Failure::new(format!("`{shown}` does not exist"))
            .help("`--drift` takes a folder of manifests, or a file that `seawall snapshot` wrote")
            .into());
    }
    let mut args = EstateArgs::default();
    let mut whole = false;
    if snapshot::is_snapshot(path) {
        // It says itself whether it was everything.
        args.snapshot.push(path.to_path_buf());
    } else {
        args.paths.push(path.to_path_buf());
        whole = choices::whole(&args, asked, &law.config.now())?;
    }
    let (name, guide) = (path.display().to_string(), Arc::clone(&law.guide));
    Ok(Arc::new(move |minor| {
        let opened = args.open().map_err(told)?;
        Ok(Base {
            name: name.clone(),
            inputs: opened.inputs,
            live: opened.live,
            options: args.options(&guide, minor),
            whole,
        })
    }))
}

fn told(error: anyhow::Error) -> LiveError {
    LiveError {
        message: error.to_string(),
        help: error
            .downcast_ref::<Failure>()
            .and_then(|failure| failure.help.clone()),
    }
}
