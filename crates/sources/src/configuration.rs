//! Terraform from disk: configurations by folder, and plans, as the Azure resources that they
//! stand for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use bicep::deployment::{Expansion, Problem, ProblemKind};
use bicep::expand::Assumption;
use bicep::source::Sources;
use bumpalo::Bump;
use model::azure::deployment::{self, Assumed, Template};
use model::coverage::Status;
use model::manifest::{Reader, Reading, failed};
use model::resource::Origin;
use terraform::Environment;
use terraform::edit::{Editor, Input, More, Outcome, Wanted};
use terraform::files::Files;
use terraform::reading;
use terraform::table::Table;
use yaml::edit::Edit;

use crate::fence::Fence;
use crate::stream::{Options, Overlay, shown};

/// Larger files are no configuration that a person wrote.
const LONGEST: u64 = 64 << 20;

/// Files of configurations on disk, as far as they may be read.
struct Disk {
    fence: Fence,
    /// Files that the user named: they may lie anywhere.
    named: Vec<String>,
    /// Texts that files are read as.
    overlay: Overlay,
}

impl Files for Disk {
    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let folder = if folder.is_empty() { "." } else { folder };
        self.fence.admits(Path::new(folder), folder)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| said(&error))? {
            let entry = entry.map_err(|error| said(&error))?;
            if entry.path().is_file()
                && let Some(name) = entry.file_name().to_str()
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if !self.named.iter().any(|named| named == path) {
            self.fence.admits(Path::new(path), path)?;
        }
        if let Some(text) = self.overlay.get(path) {
            return Ok(text.clone().into_bytes());
        }
        let about = fs::metadata(path).map_err(|error| said(&error))?;
        if !about.is_file() {
            return Err("it is no file".to_owned());
        }
        if about.len() > LONGEST {
            return Err(format!("it is larger than {} MiB", LONGEST >> 20));
        }
        fs::read(path).map_err(|error| said(&error))
    }
}

/// What went wrong, without the number that the system has for it.
fn said(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it is not there".to_owned(),
        std::io::ErrorKind::NotADirectory => "it is no folder".to_owned(),
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            text.get(..end).unwrap_or_default().to_lowercase()
        }
    }
}

/// What Terraform's arguments are in Azure: read once, and only where there is Terraform.
pub(crate) struct Mapping<'o> {
    text: &'o str,
    table: OnceLock<Result<Table, String>>,
}

impl<'o> Mapping<'o> {
    /// From the text of `data/azurerm.yaml`.
    pub(crate) fn new(text: &'o str) -> Self {
        Self {
            text,
            table: OnceLock::new(),
        }
    }

    fn table(&self, origin: &Origin) -> Result<&Table, Reading> {
        self.table
            .get_or_init(|| Table::parse(self.text))
            .as_ref()
            .map_err(|reason| {
                let reason = format!("data/azurerm.yaml of the guide cannot be read: {reason}");
                failed(Status::Unresolved, 1, origin, &reason, None)
            })
    }
}

/// Evaluates the configuration in a folder.
pub(crate) fn read(
    folder: &Path,
    options: &Options,
    mapping: &Mapping<'_>,
    reader: &Reader<'_>,
) -> Reading {
    let shown = shown(folder);
    let name = if shown.is_empty() { "." } else { &shown };
    let origin = Origin {
        path: name.into(),
        index: 0,
        rendered_by: None,
        live: false,
    };
    let table = match mapping.table(&origin) {
        Ok(table) => table,
        Err(reading) => return reading,
    };
    let var_files = var_files(options);
    let disk = disk(folder, options, &var_files);
    let bump = Bump::new();
    let mut sources = Sources::default();
    let first = terraform::read(
        &bump,
        &disk,
        &mut sources,
        table,
        name,
        &given(&bump, &var_files, None),
    );
    let interface = first.reading.interface;
    let template = interface.as_ref().map(|root| Template {
        root,
        language: "terraform",
        parameters: &[],
        problems: &[],
    });
    deployment::read_base(
        reader,
        &origin,
        &mut sources,
        template.as_ref(),
        expansion(first),
        &mut |sources, assumed| {
            let options = given(&bump, &var_files, assumed);
            expansion(terraform::read(
                &bump, &disk, sources, table, name, &options,
            ))
        },
    )
}

/// What is wanted of the resources of one configuration: its folder, each wish, and what is written besides.
pub type Wishes<'w> = (&'w str, Vec<Wanted<'w>>, Vec<More<'w>>);

/// What comes of wishes: edits by file, and what became of each wish, then of what is written besides, by configuration.
pub type Granted = (BTreeMap<String, Vec<Edit>>, Vec<Vec<Outcome>>);

/// Edits configurations so that their resources are as wanted.
///
/// # Errors
/// When what the guide says of azurerm cannot be read.
pub fn edit(configurations: &[Wishes<'_>], options: &Options) -> Result<Granted, String> {
    let table = Table::parse(&options.azurerm)?;
    let mut editor = Editor::default();
    let mut granted = Vec::new();
    for (folder, wishes, more) in configurations {
        let var_files = var_files(options);
        let disk = disk(Path::new(folder), options, &var_files);
        let bump = Bump::new();
        let given = given(&bump, &var_files, None);
        let input = Input {
            files: &disk,
            table: &table,
            folder,
            options: &given,
        };
        let mut outcomes = editor.apply(&input, wishes);
        outcomes.extend(more.iter().map(|more| editor.more(&input, more)));
        granted.push(outcomes);
    }
    Ok((editor.finish(), granted))
}

fn var_files(options: &Options) -> Vec<String> {
    options
        .parameters
        .iter()
        .filter(|file| {
            let name = file.to_string_lossy();
            name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
        })
        .map(|file| crate::stream::shown(file))
        .collect()
}

fn disk(folder: &Path, options: &Options, var_files: &[String]) -> Disk {
    Disk {
        fence: Fence::around(folder, &options.given),
        named: var_files.to_vec(),
        overlay: options.overlay.clone(),
    }
}

/// What is given beside the folder.
fn given<'a>(
    bump: &'a Bump,
    var_files: &[String],
    assumed: Option<Assumed<'a>>,
) -> reading::Options<'a> {
    reading::Options {
        var_files: var_files.to_vec(),
        assumed: assumed
            .into_iter()
            .map(|(name, assumption)| {
                let assumption = match assumption {
                    Assumption::Is(value) => reading::Assumed::Value(value),
                    Assumption::NoneOf(values) => {
                        reading::Assumed::Other(bump.alloc_slice_copy(&values))
                    }
                };
                (name, assumption)
            })
            .collect(),
    }
}

/// Reads a plan.
pub(crate) fn read_plan(
    name: &str,
    text: &str,
    mapping: &Mapping<'_>,
    reader: &Reader<'_>,
) -> Reading {
    let origin = Origin {
        path: name.into(),
        index: 0,
        rendered_by: None,
        live: false,
    };
    let table = match mapping.table(&origin) {
        Ok(table) => table,
        Err(reading) => return reading,
    };
    let bump = Bump::new();
    let mut sources = Sources::default();
    deployment::evaluated(reader, &origin, &mut sources, None, &mut |sources, _| {
        expansion(terraform::read_plan(&bump, sources, table, name, text))
    })
}

/// What was read as any template's outcome; what the table does not map is told.
fn expansion(environment: Environment<'_>) -> Expansion<'_> {
    let mut problems = environment.reading.problems;
    problems.extend(environment.unmapped.iter().map(|unmapped| Problem {
        span: unmapped.span,
        message: if unmapped.foreign {
            format!(
                "`{}` is of another provider than azurerm and azapi: it is not judged",
                unmapped.kind
            )
        } else if unmapped.argument.is_empty() {
            format!(
                "`{}` is not a type that seawall maps to Azure",
                unmapped.kind
            )
        } else {
            format!(
                "`{}` of `{}` is not mapped to Azure: what it sets is not judged",
                unmapped.argument, unmapped.address
            )
        },
        help: None,
        kind: ProblemKind::Unmapped,
    }));
    Expansion {
        resources: environment.resources,
        outputs: environment.reading.outputs,
        open: environment.reading.open,
        problems,
    }
}
