//! Charts and kustomizations, rendered by the programs that are installed. Nothing is
//! fetched: what would reach outside is unresolved.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::kustomization;

/// The programs to render with, by path or name.
#[derive(Debug, Clone)]
pub struct Tools {
    /// `helm`
    pub helm: PathBuf,
    /// `kustomize`
    pub kustomize: PathBuf,
    /// `kubectl`, when there is no `kustomize`
    pub kubectl: PathBuf,
    /// Values files for charts.
    pub values: Vec<PathBuf>,
}

impl Default for Tools {
    fn default() -> Self {
        Self { helm: "helm".into(), kustomize: "kustomize".into(), kubectl: "kubectl".into(), values: Vec::new() }
    }
}

/// Why something was not rendered, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRendered {
    pub(crate) reason: String,
    pub(crate) help: Option<String>,
}

/// Renders a chart with its own defaults and the given values.
pub(crate) fn chart(folder: &Path, tools: &Tools) -> Result<String, NotRendered> {
    let mut command = Command::new(&tools.helm);
    command.arg("template").arg("release").arg(folder);
    for values in &tools.values {
        command.arg("--values").arg(values);
    }
    // A lookup of a cluster or a repository must not happen.
    command.env("HELM_NO_PLUGINS", "1").env("KUBECONFIG", "/dev/null");
    match output(command) {
        Ok(text) => Ok(text),
        Err(Failed::Missing) => Err(NotRendered {
            reason: "a Helm chart, and `helm` is not installed".to_owned(),
            help: Some(format!("install helm, or render it elsewhere: `helm template {} | seawall assess -`", folder.display())),
        }),
        Err(Failed::Said(said)) => Err(NotRendered {
            reason: format!("`helm template` failed: {said}"),
            help: Some(if said.contains("dependenc") {
                format!("fetch the chart's dependencies first: `helm dependency build {}`", folder.display())
            } else {
                "give the values it needs with `--values FILE`".to_owned()
            }),
        }),
    }
}

/// Builds a kustomization.
pub(crate) fn kustomization(folder: &Path, tools: &Tools) -> Result<String, NotRendered> {
    let remotes = kustomization::remotes(folder);
    if let Some(first) = remotes.first() {
        return Err(NotRendered {
            reason: format!("a kustomization that builds on `{first}`, which is not fetched"),
            help: Some(format!("build it where the network is allowed: `kustomize build {} | seawall assess -`", folder.display())),
        });
    }
    let mut kustomize = Command::new(&tools.kustomize);
    kustomize.arg("build").arg(folder);
    let mut kubectl = Command::new(&tools.kubectl);
    kubectl.arg("kustomize").arg(folder);
    for (name, command) in [("kustomize build", kustomize), ("kubectl kustomize", kubectl)] {
        match output(command) {
            Ok(text) => return Ok(text),
            Err(Failed::Missing) => {}
            Err(Failed::Said(said)) => {
                return Err(NotRendered { reason: format!("`{name}` failed: {said}"), help: None });
            }
        }
    }
    Err(NotRendered {
        reason: "a kustomization, and neither `kustomize` nor `kubectl` is installed".to_owned(),
        help: Some(format!("install one of them, or build it elsewhere: `kustomize build {} | seawall assess -`", folder.display())),
    })
}

enum Failed {
    Missing,
    Said(String),
}

fn output(mut command: Command) -> Result<String, Failed> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Failed::Missing),
        Err(error) => return Err(Failed::Said(error.to_string())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said
        .lines()
        .map(str::trim)
        .find(|line| line.to_ascii_lowercase().starts_with("error"))
        .or_else(|| said.lines().map(str::trim).find(|line| !line.is_empty()))
        .unwrap_or("it gave no reason");
    Err(Failed::Said(line.trim_start_matches("Error: ").to_owned()))
}
