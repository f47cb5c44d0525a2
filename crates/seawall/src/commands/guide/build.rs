//! `seawall guide build`: the guide as a folder of HTML pages.
//!
//! A file in the folder lists what was written, so that the next build replaces its own pages,
//! removes those that are gone, and touches nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use ::guide::Guide;
use anyhow::Context as _;
use report::site::{self, Beside, Built};

use super::templates;
use crate::commands::load_whole_guide;
use crate::failure::Failure;

/// Lists the files of a build, a path a line.
const MARKER: &str = ".seawall-guide";

pub(super) fn run(guide: Option<&Path>, out: &Path) -> anyhow::Result<u8> {
    let guide = load_whole_guide(guide)?;
    let earlier = earlier(out)?;
    let beside = Beside {
        queries: queries(guide),
        fixes: templates::fixes(guide)?,
    };
    let built = site::build(guide, &beside);
    write(out, &built, &earlier).with_context(|| format!("cannot write to `{}`", out.display()))?;
    writeln!(
        anstream::stdout().lock(),
        "{} pages in {}; open {}",
        built.pages.len(),
        out.display(),
        out.join("index.html").display()
    )?;
    Ok(0)
}

/// Each detection as the query of AKS's own tables, or why it is none.
fn queries(guide: &Guide) -> BTreeMap<Box<str>, Result<String, String>> {
    let query = |detection| {
        audit::kql::query(guide, detection, audit::kql::Table::AksAudit)
            .map(|query| query.text)
            .map_err(|refused| refused.reason)
    };
    let all = guide.detections.iter();
    all.map(|detection| (detection.id.clone(), query(detection)))
        .collect()
}

/// The files of an earlier build; none when the folder is empty or missing.
fn earlier(out: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let failed = |error: &io::Error| {
        Failure::new(format!("cannot read `{}`: {error}", out.display()))
            .help("`--out` takes a folder; it is made if it is not there")
    };
    match fs::read_to_string(out.join(MARKER)) {
        // A line that leads out of the folder is none of ours.
        Ok(list) => Ok(list
            .lines()
            .map(PathBuf::from)
            .filter(|path| {
                path.components()
                    .all(|part| matches!(part, Component::Normal(_)))
            })
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
                Ok(true) => Ok(BTreeSet::new()),
                Ok(false) => Err(Failure::new(format!(
                    "`{}` holds files that are no build of the guide",
                    out.display()
                ))
                .help("name a new folder, or empty this one first")
                .into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
                Err(error) => Err(failed(&error).into()),
            }
        }
        Err(error) => Err(failed(&error).into()),
    }
}

fn write(out: &Path, built: &Built, earlier: &BTreeSet<PathBuf>) -> io::Result<()> {
    let pages = built.pages.iter().map(|page| (&*page.path, &page.html));
    let assets = built.assets.iter().map(|asset| (asset.path, &asset.text));
    let files: Vec<(&str, &String)> = pages.chain(assets).collect();
    let own: BTreeSet<PathBuf> = files.iter().map(|(path, _)| PathBuf::from(path)).collect();
    fs::create_dir_all(out)?;
    // First of all, so that a build that is cut short is known as one.
    mark(out, own.union(earlier))?;
    for (path, text) in files {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    for gone in earlier.difference(&own) {
        match fs::remove_file(out.join(gone)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    mark(out, own.iter())
}

fn mark<'p>(out: &Path, paths: impl Iterator<Item = &'p PathBuf>) -> io::Result<()> {
    let mut list = String::new();
    for path in paths {
        list.push_str(&path.to_string_lossy().replace('\\', "/"));
        list.push('\n');
    }
    fs::write(out.join(MARKER), list)
}
