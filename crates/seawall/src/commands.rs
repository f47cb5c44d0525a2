//! One module for each command.

pub(crate) mod assess;
mod attack;
pub(crate) mod audit;
pub(crate) mod azure;
pub(crate) mod can;
pub(crate) mod completions;
pub(crate) mod decide;
pub(crate) mod diff;
pub(crate) mod estate;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod generate;
pub(crate) mod guide;
pub(crate) mod images;
pub(crate) mod judged;
pub(crate) mod lsp;
pub(crate) mod maintenance;
pub(crate) mod man;
pub(crate) mod node;
pub(crate) mod paths;
pub(crate) mod policy;
pub(crate) mod probe;
pub(crate) mod reach;
pub(crate) mod registries;
mod rights;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod template;
pub(crate) mod who_can;

use std::path::Path;

use ::guide::{Guide, GuideError, Pages};

use crate::failure::Failure;

/// The guide that the binary carries, or one from a folder, to judge estates by: without the binary's detections.
pub(crate) fn load_guide(folder: Option<&Path>) -> anyhow::Result<&'static Guide> {
    load_pages(folder, Pages::Guidelines)
}

/// The same, with all of its pages.
pub(crate) fn load_whole_guide(folder: Option<&Path>) -> anyhow::Result<&'static Guide> {
    load_pages(folder, Pages::All)
}

/// The same, with the pages that are needed; of a folder's guide always all. It stays until the program ends: taking its
/// programs apart would take a tenth of the time that loading them takes.
pub(crate) fn load_pages(folder: Option<&Path>, pages: Pages) -> anyhow::Result<&'static Guide> {
    Ok(Box::leak(Box::new(read_guide(folder, pages)?)))
}

/// A guide in which nothing is wrong.
pub(crate) fn read_guide(folder: Option<&Path>, pages: Pages) -> anyhow::Result<Guide> {
    let (guide, errors) = match folder {
        None => Guide::builtin_with(pages),
        Some(_) => load_with_errors(folder)?,
    };
    if errors.is_empty() {
        return Ok(guide);
    }
    let lines: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    Err(
        Failure::new(format!("the guide does not load:{}", lines.concat()))
            .help("`seawall guide test --guide DIR` tests what does load")
            .into(),
    )
}

/// All of a guide, with what is wrong with it.
pub(crate) fn load_with_errors(folder: Option<&Path>) -> anyhow::Result<(Guide, Vec<GuideError>)> {
    Ok(match folder {
        None => Guide::builtin(),
        Some(folder) => {
            let files = read_folder(folder).map_err(|error| {
                Failure::new(format!("cannot read the guide in `{}`: {error}", folder.display()))
                    .help("`--guide` takes the folder that holds `environments`, `cluster` and `workloads`")
            })?;
            Guide::load(
                files
                    .iter()
                    .map(|(name, text)| (name.as_str(), text.as_str())),
            )
        }
    })
}

pub(crate) fn read_folder(root: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| {
                ["md", "yaml", "cel", "txt"]
                    .iter()
                    .any(|known| ending == *known)
            }) {
                let name = path
                    .strip_prefix(root)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .replace('\\', "/");
                files.push((name, std::fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}
