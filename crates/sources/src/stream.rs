//! Documents, a batch at a time: read in parallel, handed on in order, memory bounded by the
//! batch and not by the input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::completeness::{Completeness, Gap};
use model::coverage::{DocumentEntry, Status};
use model::kept::Kept;
use model::manifest::{Form, Reader, Reading};
use model::resource::Origin;
use rayon::prelude::*;
use yaml::{DecodeError, Raw, SplitError};

use crate::align;
use crate::configuration;
use crate::kustomization;
use crate::live::{self, Event, LiveError, Object, Source};
use crate::render::{self, NotRendered, Tools};
use crate::template;
use crate::walk::Input;

/// How inputs are read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Programs for charts and kustomizations.
    pub tools: Tools,
    /// What was given to assess: templates read nothing outside of it and of their repository.
    pub given: Vec<PathBuf>,
    /// Parameter files for templates; where there are none, those beside each template count.
    pub parameters: Vec<PathBuf>,
    /// What Terraform's arguments are in Azure (`guide/data/azurerm.yaml`).
    pub azurerm: String,
    /// Folders with published Bicep modules.
    pub module_caches: Vec<PathBuf>,
    /// Texts that files of manifests are read as, whatever stands in them.
    pub overlay: Overlay,
    /// Texts of files of manifests that are not there yet: they are read after the inputs.
    pub new_files: Overlay,
}

/// Texts of files by the paths that [`Origin`] has, as if they had been written.
pub type Overlay = Arc<BTreeMap<Arc<str>, String>>;

/// A batch is handed out when it holds this many bytes or documents.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_DOCUMENTS: usize = 2048;

/// Something a batch holds.
enum Work {
    Text {
        text: String,
        form: Form,
        line: u32,
        origin: Origin,
        lines: Option<Box<[u32]>>,
    },
    /// A template and its parameter files.
    Deployment(PathBuf, Vec<PathBuf>),
    /// A Terraform configuration's folder.
    Terraform(PathBuf),
    /// A Terraform plan: its name and text.
    Plan(String, String),
    /// An object of a running estate.
    Live(Object),
    /// A resource of a file, from a snapshot.
    Kept(Box<Kept>),
    Entry(Box<DocumentEntry>),
    FileDone,
}

/// What is read.
#[derive(Default)]
pub struct Given<'i> {
    /// Files, charts, templates.
    pub inputs: &'i [Input],
    /// Running estates and snapshots of them.
    pub live: Vec<Box<dyn Source>>,
}

/// What is being read, for people who wait.
#[derive(Debug, Clone, Copy)]
pub enum Reached<'i> {
    /// A file, a chart, a template.
    Input(&'i Input),
    /// What a live source is doing.
    Live(&'i str),
}

/// What is known when everything has been read.
#[derive(Debug, Default)]
pub struct Read {
    /// How many files were read.
    pub files: usize,
    /// What live sources read to the end.
    pub completeness: Completeness,
    /// What live sources are called, now that they were read.
    pub names: Vec<String>,
}

/// Reads all that is given. `judge` runs on every reading in parallel and may drop from it what is not
/// needed later; `consume` gets the readings in the order of the input. `progress` is told of
/// every file.
///
/// # Errors
/// What `consume` returns, and why a live source cannot be read at all.
pub fn read<T: Send, E: From<LiveError>>(
    given: Given<'_>,
    options: &Options,
    reader: &Reader<'_>,
    judge: impl Fn(&mut Reading) -> T + Sync,
    mut consume: impl FnMut(Reading, T) -> Result<(), E>,
    mut progress: impl FnMut(Reached<'_>),
) -> Result<Read, E> {
    let Given { inputs, live } = given;
    let mut files = 0;
    let unread = std::cell::RefCell::new(Vec::new());
    let named = Mutex::new(BTreeSet::new());
    let pictures = Mutex::new(live::Images::new());
    let mut batch = Batch::default();
    let table = configuration::Mapping::new(&options.azurerm);
    let mut flush = |works: Vec<Work>, files: &mut usize| -> Result<(), E> {
        let run = |work: Work| {
            let mut reading = match work {
                Work::Text {
                    text,
                    form,
                    line,
                    origin,
                    lines,
                } => match lines {
                    Some(lines) => reader.read_rendered(&text, form, line, &origin, lines),
                    None => reader.read(&text, form, line, &origin),
                },
                Work::Deployment(path, parameters) => {
                    template::read(&path, &parameters, options, reader)
                }
                Work::Terraform(folder) => configuration::read(&folder, options, &table, reader),
                Work::Plan(name, text) => configuration::read_plan(&name, &text, &table, reader),
                Work::Live(object) => live::read_object(&object, reader),
                Work::Kept(kept) => model::kept::read(&kept, reader),
                Work::Entry(entry) => Reading {
                    entries: vec![*entry],
                    ..Reading::default()
                },
                Work::FileDone => return None,
            };
            live::principals(&reading, &named);
            live::images(&reading, &pictures);
            let judged = judge(&mut reading);
            Some((reading, judged))
        };
        // A single document is not worth waking other threads.
        let done: Vec<Option<(Reading, T)>> = if works.len() < 4 {
            works.into_iter().map(run).collect()
        } else {
            works.into_par_iter().map(run).collect()
        };
        for result in done {
            match result {
                Some((reading, judged)) => {
                    unread.borrow_mut().extend(live::hidden(&reading));
                    consume(reading, judged)?;
                }
                None => *files += 1,
            }
        }
        Ok(())
    };
    for input in inputs {
        progress(Reached::Input(input));
        let mut sink = |work: Work, batch: &mut Batch, files: &mut usize| -> Result<(), E> {
            batch.push(work);
            if batch.full() {
                flush(std::mem::take(batch).works, files)
            } else {
                Ok(())
            }
        };
        match input {
            Input::Stdin => {
                stream(&mut BufReader::new(io::stdin().lock()), "-", &mut |work| {
                    sink(work, &mut batch, &mut files)
                })?;
            }
            Input::Terraform(path) => {
                sink(Work::Terraform(path.clone()), &mut batch, &mut files)?;
            }
            Input::Deployment(path, parameters) => {
                // Each parameter file beside a template makes a deployment of its own; those that
                // are named on the command line make one together.
                let deployments: Vec<Vec<PathBuf>> = if !options.parameters.is_empty() {
                    vec![options.parameters.clone()]
                } else if parameters.is_empty() {
                    vec![Vec::new()]
                } else {
                    parameters.iter().map(|file| vec![file.clone()]).collect()
                };
                for parameters in deployments {
                    sink(
                        Work::Deployment(path.clone(), parameters),
                        &mut batch,
                        &mut files,
                    )?;
                }
            }
            Input::File(path) => {
                let name = shown(path);
                if let Some(text) = options.overlay.get(name.as_str()) {
                    stream(&mut text.as_bytes(), &name, &mut |work| {
                        sink(work, &mut batch, &mut files)
                    })?;
                    sink(Work::FileDone, &mut batch, &mut files)?;
                    continue;
                }
                match File::open(path) {
                    Ok(file) => stream(
                        &mut BufReader::with_capacity(1 << 16, file),
                        &name,
                        &mut |work| sink(work, &mut batch, &mut files),
                    )?,
                    Err(error) => {
                        sink(
                            entry(
                                &name,
                                Status::Unreadable,
                                &format!("cannot be opened: {error}"),
                                None,
                            ),
                            &mut batch,
                            &mut files,
                        )?;
                    }
                }
            }
            Input::Unread(path, reason) => {
                sink(
                    entry(&shown(path), Status::Unresolved, reason, None),
                    &mut batch,
                    &mut files,
                )?;
            }
            Input::Beside(path, chart) => {
                let reason = format!(
                    "lies in the chart {}, which does not render it",
                    shown(chart)
                );
                sink(
                    entry(&shown(path), Status::NotRelevant, &reason, None),
                    &mut batch,
                    &mut files,
                )?;
            }
            Input::Part(path, whole) => {
                let reason = format!("read as a part of {}", shown(whole));
                sink(
                    entry(&shown(path), Status::NotRelevant, &reason, None),
                    &mut batch,
                    &mut files,
                )?;
            }
            Input::Chart(folder) => {
                let output = render::chart(folder, &options.tools, &options.overlay);
                for work in rendered(folder, "Chart.yaml", output, &options.overlay) {
                    sink(work, &mut batch, &mut files)?;
                }
            }
            Input::Kustomization(folder) => {
                let file = kustomization::file_of(folder);
                let name = file
                    .as_ref()
                    .and_then(|file| file.file_name()?.to_str())
                    .unwrap_or("kustomization.yaml");
                let output = render::kustomization(folder, &options.tools, &options.overlay);
                for work in rendered(folder, name, output, &options.overlay) {
                    sink(work, &mut batch, &mut files)?;
                }
            }
        }
        sink(Work::FileDone, &mut batch, &mut files)?;
    }
    for (path, text) in options.new_files.iter() {
        stream(&mut text.as_bytes(), path, &mut |work| {
            batch.push(work);
            if batch.full() {
                flush(std::mem::take(&mut batch).works, &mut files)
            } else {
                Ok(())
            }
        })?;
        files += 1;
    }
    let mut completeness = Completeness::default();
    let mut names = Vec::new();
    for mut source in live {
        // Whom bindings name is known once they were read.
        flush(std::mem::take(&mut batch.works), &mut files)?;
        batch.bytes = 0;
        source.principals(&named.lock().unwrap_or_else(PoisonError::into_inner));
        source.images(&pictures.lock().unwrap_or_else(PoisonError::into_inner));
        let mut failed = None;
        let done = source.read(&mut |event| {
            let work = match event {
                Event::Doing(what) => {
                    progress(Reached::Live(&what));
                    return Ok(());
                }
                Event::Complete { kind, within } => {
                    completeness.declare(&kind, &within);
                    return Ok(());
                }
                Event::Gap(gap) => {
                    let entry = gap.entry();
                    completeness.gap(Gap {
                        kind: gap.kind,
                        within: gap.within,
                        why: gap.why,
                    });
                    Work::Entry(Box::new(entry))
                }
                Event::Other { api_version, kind } => {
                    Work::Entry(Box::new(live::other(&api_version, &kind)))
                }
                Event::Object(object) => Work::Live(object),
                Event::Kept(kept) => Work::Kept(kept),
                Event::Entry(entry) => Work::Entry(entry),
            };
            batch.push(work);
            if batch.full()
                && let Err(error) = flush(std::mem::take(&mut batch).works, &mut files)
            {
                failed = Some(error);
                return Err(LiveError::stopped());
            }
            Ok(())
        });
        if let Some(error) = failed {
            return Err(error);
        }
        done?;
        names.push(source.name());
    }
    flush(batch.works, &mut files)?;
    for gap in unread.into_inner() {
        completeness.gap(gap);
    }
    Ok(Read {
        files,
        completeness,
        names,
    })
}

#[derive(Default)]
struct Batch {
    works: Vec<Work>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, work: Work) {
        self.bytes += match &work {
            Work::Text { text, .. } => text.len(),
            Work::Live(object) => object.json.len(),
            Work::Kept(kept) => kept.json.len(),
            _ => 0,
        };
        self.works.push(work);
    }

    fn full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.works.len() >= BATCH_DOCUMENTS
    }
}

/// A path as people write it.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./")
        .map_or_else(|| text.clone(), str::to_owned)
}

fn entry(path: &str, status: Status, reason: &str, help: Option<&str>) -> Work {
    Work::Entry(Box::new(DocumentEntry {
        live: false,
        path: path.into(),
        index: 0,
        line: 1,
        status,
        kind: None,
        namespace: None,
        name: None,
        reason: Some(reason.into()),
        help: help.map(Into::into),
    }))
}

/// Splits a stream into documents.
fn stream<E>(
    input: &mut impl io::BufRead,
    name: &str,
    sink: &mut dyn FnMut(Work) -> Result<(), E>,
) -> Result<(), E> {
    let path: Arc<str> = name.into();
    let head = match input.fill_buf() {
        Ok(head) => head,
        Err(error) => {
            return sink(entry(
                name,
                Status::Unreadable,
                &format!("cannot be read: {error}"),
                None,
            ));
        }
    };
    let utf8 = !head.starts_with(&[0xFF, 0xFE])
        && !head.starts_with(&[0xFE, 0xFF])
        && !head.iter().take(4).any(|byte| *byte == 0);
    if !utf8 || name.ends_with(".json") {
        // Read whole: other encodings are converted first, and a template's JSON may hold comments.
        let mut bytes = Vec::new();
        if let Err(error) = input.read_to_end(&mut bytes) {
            return sink(entry(
                name,
                Status::Unreadable,
                &format!("cannot be read: {error}"),
                None,
            ));
        }
        let text = match yaml::decode(&bytes) {
            Ok(text) => text,
            Err(error) => return sink(entry(name, Status::Unreadable, &error.to_string(), None)),
        };
        // Editors' settings begin with a comment, which YAML would take for text.
        let commented = name.ends_with(".json") && text.trim_start().starts_with('/');
        if model::arm::is_template(&text) || commented {
            let origin = Origin {
                path,
                index: 0,
                rendered_by: None,
                live: false,
            };
            return sink(Work::Text {
                text: text.into_owned(),
                form: Form::Json,
                line: 1,
                origin,
                lines: None,
            });
        }
        if terraform::looks_like_plan(&text) {
            return sink(Work::Plan(name.to_owned(), text.into_owned()));
        }
        for raw in yaml::documents(&text) {
            sink(document(raw, &path))?;
        }
        return Ok(());
    }
    for (index, raw) in yaml::Splitter::new(input).enumerate() {
        match raw {
            Ok(raw) => sink(document(raw, &path))?,
            Err(error) => {
                let line = match &error {
                    SplitError::TooLarge { line, .. }
                    | SplitError::Encoding(
                        DecodeError::Utf8 { line, .. } | DecodeError::Utf16 { line, .. },
                    ) => *line,
                    _ => 1,
                };
                sink(Work::Entry(Box::new(DocumentEntry {
                    live: false,
                    path: path.clone(),
                    index: index as u32,
                    line,
                    status: Status::Unreadable,
                    kind: None,
                    namespace: None,
                    name: None,
                    reason: Some(error.to_string().into()),
                    help: Some(match error {
                        SplitError::TooLarge { .. } => "split the document".into(),
                        SplitError::Encoding(_) => "save the file as UTF-8".into(),
                        SplitError::Io(_) => "check the file and its permissions".into(),
                    }),
                })))?;
            }
        }
    }
    Ok(())
}

fn document(raw: Raw<'_>, path: &Arc<str>) -> Work {
    let origin = Origin {
        path: path.clone(),
        index: raw.index,
        rendered_by: None,
        live: false,
    };
    let form = if raw.json { Form::Json } else { Form::Yaml };
    Work::Text {
        text: raw.text.into_owned(),
        form,
        line: raw.line,
        origin,
        lines: None,
    }
}

/// The documents of a rendered chart or kustomization, each led back to the file it came from.
fn rendered(
    folder: &Path,
    file: &str,
    output: Result<String, NotRendered>,
    overlay: &Overlay,
) -> Vec<Work> {
    let own = shown(&folder.join(file));
    let text = match output {
        Ok(text) => text,
        Err(error) => {
            let status = if error.no_objects {
                Status::NotRelevant
            } else {
                Status::Unresolved
            };
            return vec![entry(&own, status, &error.reason, error.help.as_deref())];
        }
    };
    let whole: Arc<str> = shown(folder).into();
    let mut sources = align::Sources::new(folder, overlay);
    let mut works = Vec::new();
    for raw in yaml::documents(&text) {
        let found = sources.find(&raw.text);
        let (path, lines): (Arc<str>, _) = match found {
            Some((path, lines)) => (shown(&path).into(), lines),
            None => (
                own.as_str().into(),
                vec![1; raw.text.lines().count().max(1)].into(),
            ),
        };
        let origin = Origin {
            path,
            index: raw.index,
            rendered_by: Some(whole.clone()),
            live: false,
        };
        works.push(Work::Text {
            text: raw.text.into_owned(),
            form: Form::Yaml,
            line: 1,
            origin,
            lines: Some(lines),
        });
    }
    if works.is_empty() {
        works.push(entry(&own, Status::NotRelevant, "renders to nothing", None));
    }
    works
}
