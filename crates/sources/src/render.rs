//! Charts and kustomizations, rendered by the programs that are installed. Nothing is
//! fetched: what would reach outside is unresolved. What an overlay has other texts for is rendered from a copy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::kustomization;
use crate::mirror::{self, Mirror};
use crate::post_render;
use crate::renderings::{Key, Renderings};
use crate::stream::Overlay;

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
    /// The Kubernetes minor that charts are rendered for; `helm`'s own default without it.
    pub kubernetes_minor: Option<u8>,
    /// What was rendered before.
    pub renderings: Renderings,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            helm: "helm".into(),
            kustomize: "kustomize".into(),
            kubectl: "kubectl".into(),
            values: Vec::new(),
            kubernetes_minor: None,
            renderings: Renderings::default(),
        }
    }
}

/// Why something was not rendered, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRendered {
    pub(crate) reason: String,
    pub(crate) help: Option<String>,
    /// Nothing is missing: it makes no objects by itself.
    pub(crate) no_objects: bool,
}

impl NotRendered {
    pub(crate) fn new(reason: impl Into<String>, help: Option<String>) -> Self {
        Self {
            reason: reason.into(),
            help,
            no_objects: false,
        }
    }

    pub(crate) fn not_copied(error: &std::io::Error) -> Self {
        let reason = format!("what it is rendered from cannot be copied: {error}");
        Self::new(reason, None)
    }

    fn no_objects(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            help: None,
            no_objects: true,
        }
    }
}

/// The release and its namespace. `default`, which helm takes when nobody says one, would be
/// judged as if the chart had chosen it.
pub const RELEASE: &str = "release";

/// Renders a chart with its own defaults and the given values.
pub(crate) fn chart(
    folder: &Path,
    tools: &Tools,
    overlay: &Overlay,
) -> Result<String, NotRendered> {
    let key = || {
        let values = tools.values.iter().filter_map(|values| {
            let text = mirror::text_of(overlay, values)?;
            Some((values.as_path(), text))
        });
        key(folder, tools, mirror::within(overlay, folder).chain(values))
    };
    tools
        .renderings
        .of(key, || render_chart(folder, tools, overlay))
}

fn key<'o>(folder: &Path, tools: &Tools, texts: impl Iterator<Item = (&'o Path, &'o str)>) -> Key {
    let texts = texts.filter_map(|(path, text)| Some((path.to_str()?, text)));
    Key::new(
        folder.to_path_buf(),
        tools.values.clone(),
        tools.kubernetes_minor,
        texts,
    )
}

fn render_chart(folder: &Path, tools: &Tools, overlay: &Overlay) -> Result<String, NotRendered> {
    let copied = copied_chart(folder, tools, overlay);
    let (mirror, changed) = copied.map_err(|error| NotRendered::not_copied(&error))?;
    let given = match &mirror {
        Some(mirror) if changed => mirror.at(folder),
        _ => folder.to_path_buf(),
    };
    let mut command = Command::new(&tools.helm);
    command
        .arg("template")
        .arg(RELEASE)
        .arg(given)
        .arg("--namespace")
        .arg(RELEASE);
    if let Some(minor) = tools.kubernetes_minor {
        command.arg("--kube-version").arg(format!("1.{minor}.0"));
    }
    for values in &tools.values {
        let other = mirror::text_of(overlay, values).and(mirror.as_ref());
        let values = other.map_or_else(|| values.clone(), |mirror| mirror.at(values));
        command.arg("--values").arg(values);
    }
    // A lookup of a cluster or a repository must not happen.
    command
        .env("HELM_NO_PLUGINS", "1")
        .env("KUBECONFIG", "/dev/null");
    match output(command) {
        Ok(text) => post_render::applied(folder, text, tools, overlay),
        Err(Failed::Missing) => Err(NotRendered::new(
            "a Helm chart, and `helm` is not installed",
            Some(format!(
                "install helm, or render it elsewhere: `helm template {} | seawall assess -`",
                folder.display()
            )),
        )),
        Err(Failed::Said(said)) => {
            let said = mirror.map_or_else(|| said.clone(), |mirror| mirror.outside(&said));
            Err(chart_failed(folder, &said))
        }
    }
}

/// A copy with the overlay's texts, where it has some, and whether the chart itself is in it.
fn copied_chart(
    folder: &Path,
    tools: &Tools,
    overlay: &Overlay,
) -> std::io::Result<(Option<Mirror>, bool)> {
    let changed = mirror::within(overlay, folder).next().is_some();
    let values: Vec<(&Path, &str)> = tools
        .values
        .iter()
        .filter_map(|values| Some((values.as_path(), mirror::text_of(overlay, values)?)))
        .collect();
    if !changed && values.is_empty() {
        return Ok((None, false));
    }
    let mut copy = Mirror::new()?;
    if changed {
        copy.copy_folder(folder)?;
    }
    for (path, text) in mirror::within(overlay, folder).chain(values) {
        copy.write(path, text)?;
    }
    Ok((Some(copy), changed))
}

/// The files that a kustomization reads, and the overlay's texts for them.
#[derive(Default)]
struct Reads<'o> {
    files: BTreeSet<PathBuf>,
    changed: Vec<(PathBuf, &'o str)>,
}

impl<'o> Reads<'o> {
    fn of(folder: &Path, overlay: &'o Overlay) -> Self {
        if overlay.is_empty() {
            return Self::default();
        }
        let files = kustomization::reads(folder);
        // A file that is not there yet stands in the kustomization's own folder.
        let new = mirror::within(overlay, folder).filter(|(path, _)| !path.exists());
        let changed = files
            .iter()
            .filter_map(|file| Some((file.clone(), mirror::text_of(overlay, file)?)))
            .chain(new.map(|(path, text)| (path.to_path_buf(), text)))
            .collect();
        Self { files, changed }
    }

    /// A copy with the overlay's texts, where it has some.
    fn copied(&self) -> std::io::Result<Option<Mirror>> {
        if self.changed.is_empty() {
            return Ok(None);
        }
        let mut copy = Mirror::new()?;
        for file in &self.files {
            copy.copy(file)?;
        }
        for (path, text) in &self.changed {
            copy.write(path, text)?;
        }
        Ok(Some(copy))
    }
}

fn chart_failed(folder: &Path, said: &str) -> NotRendered {
    if said.contains("library charts are not installable") {
        return NotRendered::no_objects("a library chart, which makes no objects by itself");
    }
    if let Some((_, names)) = said.split_once("missing in charts/ directory: ") {
        return NotRendered::new(
            format!("the chart's dependencies are not in its folder `charts`: {names}"),
            Some(format!(
                "fetch them first: `helm dependency build {}`",
                folder.display()
            )),
        );
    }
    NotRendered::new(
        format!("`helm template` failed: {said}"),
        Some("give the values it needs with `--values FILE`".to_owned()),
    )
}

/// Builds a kustomization.
pub(crate) fn kustomization(
    folder: &Path,
    tools: &Tools,
    overlay: &Overlay,
) -> Result<String, NotRendered> {
    let reads = Reads::of(folder, overlay);
    let key = || {
        let changed = reads.changed.iter();
        key(
            folder,
            tools,
            changed.map(|(path, text)| (path.as_path(), *text)),
        )
    };
    tools
        .renderings
        .of(key, || render_kustomization(folder, tools, &reads))
}

fn render_kustomization(
    folder: &Path,
    tools: &Tools,
    reads: &Reads<'_>,
) -> Result<String, NotRendered> {
    let outside = kustomization::outside(folder);
    if let Some(first) = outside.missing.first() {
        return Err(NotRendered::new(
            format!("a kustomization that builds on `{first}`, which does not exist"),
            Some("create what it names, or take the name out".to_owned()),
        ));
    }
    if let Some(first) = outside.remote.first() {
        return Err(NotRendered::new(
            format!("a kustomization that builds on {first}, which is not fetched"),
            Some(format!(
                "build it where the network is allowed: `kustomize build {} | seawall assess -`",
                folder.display()
            )),
        ));
    }
    let mirror = reads
        .copied()
        .map_err(|error| NotRendered::not_copied(&error))?;
    let given = mirror
        .as_ref()
        .map_or_else(|| folder.to_path_buf(), |mirror| mirror.at(folder));
    match build(&given, tools) {
        Some(Ok(text)) => return Ok(text),
        // A component that brings objects can be built; one that patches those of others cannot.
        Some(Err(_)) if kustomization::is_component(folder) => {
            return Err(NotRendered::no_objects(
                "a component, which changes the kustomization that names it and makes no objects by itself",
            ));
        }
        Some(Err((name, said))) => {
            let said = mirror.map_or_else(|| said.clone(), |mirror| mirror.outside(&said));
            return Err(NotRendered::new(format!("`{name}` failed: {said}"), None));
        }
        None => {}
    }
    Err(NotRendered::new(
        "a kustomization, and neither `kustomize` nor `kubectl` is installed",
        Some(format!(
            "install one of them, or build it elsewhere: `kustomize build {} | seawall assess -`",
            folder.display()
        )),
    ))
}

/// Builds the kustomization in a folder with the first program that is installed; `None` when none is. What failed
/// says which, and why.
pub(crate) fn build(
    folder: &Path,
    tools: &Tools,
) -> Option<Result<String, (&'static str, String)>> {
    let mut kustomize = Command::new(&tools.kustomize);
    kustomize.arg("build").arg(folder);
    let mut kubectl = Command::new(&tools.kubectl);
    kubectl.arg("kustomize").arg(folder);
    for (name, command) in [
        ("kustomize build", kustomize),
        ("kubectl kustomize", kubectl),
    ] {
        match output(command) {
            Ok(text) => return Some(Ok(text)),
            Err(Failed::Missing) => {}
            Err(Failed::Said(said)) => return Some(Err((name, said))),
        }
    }
    None
}

/// Renders the chart or kustomization in a folder, with an overlay's texts in place of those of its files.
///
/// # Errors
/// Why it cannot be rendered.
pub fn render(folder: &Path, tools: &Tools, overlay: &Overlay) -> Result<String, String> {
    let rendered = if is_chart(folder) {
        chart(folder, tools, overlay)
    } else {
        kustomization(folder, tools, overlay)
    };
    rendered.map_err(|error| error.reason)
}

/// Whether a folder is a chart's; otherwise what is rendered of it is a kustomization.
#[must_use]
pub fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file()
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
    Err(Failed::Said(complaint(&String::from_utf8_lossy(
        &output.stderr,
    ))))
}

/// The sentence of a program's output that says what is wrong: the line that begins with
/// `Error`, with what it announces.
fn complaint(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let start = lines()
        .position(|line| line.to_ascii_lowercase().starts_with("error"))
        .unwrap_or_default();
    let mut sentence = String::new();
    for line in lines().skip(start) {
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(line.trim_start_matches("Error: "));
        if !line.ends_with(':') {
            break;
        }
    }
    if sentence.is_empty() {
        "it gave no reason".to_owned()
    } else {
        sentence
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{chart_failed, complaint};

    #[test]
    fn a_complaint_is_a_whole_sentence() {
        let said = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nshop:\n- at '/port': got string, want integer\n\n";
        assert_eq!(
            complaint(said),
            "values don't meet the specifications of the schema(s) in the following chart(s): shop: - at '/port': got string, want integer"
        );
        assert_eq!(complaint("warning: old\nError: no\nmore\n"), "no");
        assert_eq!(complaint("\n"), "it gave no reason");
    }

    #[test]
    fn a_library_is_not_missing() {
        let library = chart_failed(Path::new("lib"), "library charts are not installable");
        assert!(library.no_objects);
        let said = "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: cache, queue";
        let missing = chart_failed(Path::new("shop"), said);
        assert_eq!(
            missing.reason,
            "the chart's dependencies are not in its folder `charts`: cache, queue"
        );
        assert!(!missing.no_objects);
    }
}
