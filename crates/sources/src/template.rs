//! Templates from disk: the text, its parameter files, and where its modules come from.

use std::fs;
use std::path::{Path, PathBuf};

use bicep::source::NoFiles;
use model::azure::deployment::{self, Language, Request};
use model::coverage::{DocumentEntry, Status};
use model::manifest::{Reader, Reading};
use model::resource::Origin;

use crate::stream::{Options, shown};

/// Evaluates a template with its parameter files.
pub(crate) fn read(
    path: &Path,
    parameters: &[PathBuf],
    options: &Options,
    reader: &Reader<'_>,
) -> Reading {
    let origin = Origin {
        path: shown(path).into(),
        index: 0,
        rendered_by: None,
    };
    let text = match text(path) {
        Ok(text) => text,
        Err(reason) => return unreadable(&origin, &reason),
    };
    let mut problems = Reading::default();
    let mut given = Vec::new();
    for file in parameters.iter().filter(|file| belongs(file, path)) {
        match self::text(file) {
            Ok(text) => given.push((shown(file), text)),
            Err(reason) => {
                let origin = Origin {
                    path: shown(file).into(),
                    ..origin.clone()
                };
                problems
                    .entries
                    .extend(unreadable(&origin, &reason).entries);
            }
        }
    }
    let files = NoFiles;
    let _ = &options.module_caches;
    let mut reading = deployment::read(
        reader,
        &Request {
            text: &text,
            language: language(path),
            parameters: &given,
            files: &files,
            origin: &origin,
        },
    );
    reading.entries.extend(problems.entries);
    reading
}

/// A Bicep parameter file stands for itself; others take JSON parameter files.
fn belongs(parameters: &Path, template: &Path) -> bool {
    let ending = |path: &Path, wanted: &str| path.extension().is_some_and(|own| own == wanted);
    !ending(template, "bicepparam") && !ending(parameters, "tfvars") && parameters != template
}

fn language(path: &Path) -> Language {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("bicep") => Language::Bicep,
        Some("bicepparam") => Language::BicepParameters,
        _ => Language::Arm,
    }
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    yaml::decode(&bytes)
        .map(|text| text.into_owned())
        .map_err(|error| error.to_string())
}

fn unreadable(origin: &Origin, reason: &str) -> Reading {
    Reading {
        entries: vec![DocumentEntry {
            path: origin.path.clone(),
            index: 0,
            line: 1,
            status: Status::Unreadable,
            kind: None,
            namespace: None,
            name: None,
            reason: Some(reason.into()),
            help: Some("check the file and its permissions".into()),
        }],
        ..Reading::default()
    }
}
