//! The server's plain manifests: what its chart renders to, for whoever has no Helm. `test` fails when they are stale.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::places::Places;
use crate::run::{output, say};

const MANIFESTS: &str = "deploy/manifests/server.yaml";

/// Writes them.
pub(crate) fn write(places: &Places) -> Result<()> {
    let path = places.root.join(MANIFESTS);
    fs::write(&path, rendered(places)?).with_context(|| format!("`{}`", path.display()))?;
    say(&format!("wrote {MANIFESTS}"));
    Ok(())
}

/// Fails when they are not what the chart renders to.
pub(crate) fn check(places: &Places) -> Result<()> {
    let kept = fs::read_to_string(places.root.join(MANIFESTS)).unwrap_or_default();
    if kept != rendered(places)? {
        bail!("{MANIFESTS} is stale\nhelp: cargo xtask manifests");
    }
    Ok(())
}

fn rendered(places: &Places) -> Result<String> {
    let rendered = output(
        Command::new(places.bin("helm"))
            .current_dir(&places.root)
            .args(["template", "seawall", "deploy/chart"])
            // The jobs of the chart have no order here: a person installs.
            .args(["--namespace", "seawall", "--no-hooks"])
            .args(["--kube-version", "1.34"]),
    )
    .context("help: cargo xtask setup")?;
    Ok(plain(&rendered))
}

/// Without what only speaks of Helm.
fn plain(rendered: &str) -> String {
    let mut text =
        String::from("# What deploy/chart renders to: `cargo xtask manifests` writes it.\n");
    // What the chart's jobs may: here a person installs and removes.
    let of_jobs = |part: &&str| !part.contains("/templates/install.yaml");
    for line in rendered
        .split_inclusive("---\n")
        .filter(of_jobs)
        .flat_map(str::lines)
    {
        let of_helm = line.starts_with("# Source: ")
            || line.trim() == "app.kubernetes.io/managed-by: Helm"
            || line.trim_end().is_empty();
        if !of_helm {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
