//! What is done to the objects of a chart after they are rendered: a kustomization in the chart's folder that a
//! post-renderer of helm applies, for what no value exposes. `seawall fix` writes it. Its script is not run: what
//! counts is the kustomization, and it reads nothing but the rendered objects and files beside it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::align;
use crate::kustomization;
use crate::mirror::{self, Mirror};
use crate::render::{NotRendered, Tools, build};
use crate::stream::Overlay;

/// The folder, within the chart's.
pub const FOLDER: &str = "seawall-post-render";
/// What is rendered, as the kustomization names it.
pub const RENDERED: &str = "rendered.yaml";

/// What a chart's post-renderer makes of what it renders to; the same where there is none.
pub(crate) fn applied(
    chart: &Path,
    rendered: String,
    tools: &Tools,
    overlay: &Overlay,
) -> Result<String, NotRendered> {
    let folder = chart.join(FOLDER);
    let file = folder.join("kustomization.yaml");
    if !file.is_file() && mirror::text_of(overlay, &file).is_none() {
        return Ok(rendered);
    }
    let copied = copied(&folder, &rendered, overlay);
    let mirror = copied.map_err(|error| NotRendered::not_copied(&error))?;
    let given = mirror.at(&folder);
    let outside = kustomization::outside(&given);
    if let Some(first) = outside.remote.first().or(outside.missing.first()) {
        return Err(NotRendered::new(
            format!("its post-renderer builds on {first}, which is not here"),
            None,
        ));
    }
    let Some(built) = build(&given, tools) else {
        return Err(NotRendered::new(
            "a chart with a post-renderer, and neither `kustomize` nor `kubectl` is installed",
            Some("install one of them".to_owned()),
        ));
    };
    let built = built.map_err(|(_, said)| {
        let said = mirror.outside(&said);
        NotRendered::new(format!("its post-renderer failed: {said}"), None)
    })?;
    Ok(with_sources(&rendered, &built))
}

fn copied(folder: &Path, rendered: &str, overlay: &Overlay) -> std::io::Result<Mirror> {
    let mut copy = Mirror::new()?;
    if folder.is_dir() {
        for file in kustomization::reads(folder) {
            // What lies elsewhere is not this post-renderer's.
            if file.starts_with(kustomization::clean(folder)) {
                copy.copy(&file)?;
            }
        }
    }
    for (path, text) in mirror::within(overlay, folder) {
        copy.write(path, text)?;
    }
    copy.write(&folder.join(RENDERED), rendered)?;
    Ok(copy)
}

/// The lines by which helm tells the template of each document, put back where they were lost.
fn with_sources(rendered: &str, built: &str) -> String {
    let mut sources = BTreeMap::new();
    for raw in yaml::documents(rendered) {
        let source = raw.text.lines().find(|line| line.starts_with(SOURCE));
        if let (Some(source), Some(name)) = (source, align::named(&raw.text)) {
            sources.insert(name, source.to_owned());
        }
    }
    let mut out = String::with_capacity(built.len());
    for raw in yaml::documents(built) {
        let text = raw.text.trim_start_matches("---").trim_start_matches('\n');
        if text.trim().is_empty() {
            continue;
        }
        out.push_str("---\n");
        let name = align::named(text);
        if let Some(source) = name.and_then(|name| sources.get(&name))
            && !text.lines().any(|line| line.starts_with(SOURCE))
        {
            out.push_str(source);
            out.push('\n');
        }
        out.push_str(text);
        if !text.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

const SOURCE: &str = "# Source: ";
