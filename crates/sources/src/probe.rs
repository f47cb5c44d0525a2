//! What can be reached from where a program runs: tried ([`run`]), written down as a report of one line, and read again
//! as objects of kind `Probe.seawall.dev`, which guidelines hold against what the policies say.
//!
//! A report names no secret: of an answer only its status is kept. What is left out: scanning. Only what a target names is
//! tried, once or twice.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use model::coverage::{DocumentEntry, Status};
use model::kept::{Kept, lines_of};
use model::kinds::Kind;
use model::resource::ResourceName;
use serde_json::{Value, json};

use crate::live::{Event, LiveError, Source};

mod attempt;
mod dns;
mod report;
mod target;

pub use attempt::{Options, run};
pub use report::{Attempt, Outcome, Report, SCHEMA};
pub use target::{Target, To, WELL_KNOWN, Workload};

/// The kind, as guidelines name it.
pub const KIND: &str = "Probe.seawall.dev";

/// A file of reports that is longer is none.
const LONGEST: u64 = 64 << 20;

/// What is shown of a report that cannot be read.
const SHOWN: usize = 60;

/// A file with reports, one on a line.
pub struct Reports {
    path: PathBuf,
}

impl Reports {
    /// The file is read when the estate is.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Source for Reports {
    fn name(&self) -> String {
        format!("probes in {}", crate::stream::shown(&self.path))
    }

    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let shown: Arc<str> = crate::stream::shown(&self.path).into();
        let fails = |why: String| LiveError {
            message: format!("cannot read `{shown}`: {why}"),
            help: Some(
                "give what the jobs of `seawall probe plan` print, a report on each line".into(),
            ),
        };
        let size = fs::metadata(&self.path).map_err(|error| fails(error.to_string()))?;
        if size.len() > LONGEST {
            return Err(fails("it is too long for reports of probes".to_owned()));
        }
        let text = fs::read_to_string(&self.path).map_err(|error| fails(error.to_string()))?;
        let mut index = 0;
        for (at, line) in text.lines().enumerate() {
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            if line.trim().is_empty() {
                continue;
            }
            match Report::read(line) {
                Ok(report) => {
                    tell(Event::Kept(Box::new(kept(&report, &shown, number, index))))?;
                    index += 1;
                }
                Err(why) => tell(unread(&shown, number, &why, line))?,
            }
        }
        if index == 0 {
            return Err(fails("there is no report of a probe in it".to_owned()));
        }
        tell(Event::Complete {
            kind: KIND.into(),
            within: Box::default(),
        })
    }
}

fn unread(path: &Arc<str>, line: u32, why: &str, text: &str) -> Event {
    let begin: String = text
        .chars()
        .take(SHOWN)
        .filter(|one| !one.is_control())
        .collect();
    Event::Entry(Box::new(DocumentEntry {
        path: format!("{path}:{line}").into(),
        // It hides no object that files would declare.
        live: true,
        index: 0,
        line: 1,
        status: Status::Unreadable,
        kind: Some("Probe".into()),
        namespace: None,
        name: Some(format!("line {line}").into()),
        reason: Some(format!("`{begin}` is no report of a probe: {why}").into()),
        help: Some("give only what the jobs of `seawall probe plan` print".into()),
    }))
}

/// A report as the object that guidelines judge; all of it stands on its line.
fn kept(report: &Report, path: &Arc<str>, line: u32, index: u32) -> Kept {
    let name = format!("{}/{}", report.workload.kind, report.workload.name);
    let json = object(report, &name).to_string();
    let lines = vec![line; lines_of(&json)];
    Kept {
        name: ResourceName {
            kind: Kind::Kubernetes {
                group: "seawall.dev".into(),
                kind: "Probe".into(),
            },
            api_version: "seawall.dev/v1".into(),
            namespace: Some(report.workload.namespace.as_str().into()),
            name: name.into(),
        },
        path: Arc::clone(path),
        index,
        entry: Some((Arc::clone(path), line)),
        live: false,
        rendered_by: None,
        azure: None,
        json,
        lines,
        files: Vec::new(),
        through: 0,
        cases: Vec::new(),
        certificates: None,
        waivers: Vec::new(),
    }
}

fn object(report: &Report, name: &str) -> Value {
    let attempts: Vec<Value> = report
        .results
        .iter()
        .map(|attempt| {
            let mut value = json!(attempt);
            if let Some(value) = value.as_object_mut() {
                value.insert("id".to_owned(), attempt.id().into());
                value.insert("shown".to_owned(), attempt.shown().into());
            }
            value
        })
        .collect();
    let mut object = json!({
        "apiVersion": "seawall.dev/v1",
        "kind": "Probe",
        "metadata": { "name": name, "namespace": report.workload.namespace },
        "workload": report.workload,
        "takenAt": report.at,
        "seconds": report.seconds,
        "results": attempts,
    });
    if let (Some(node), Some(object)) = (&report.node, object.as_object_mut()) {
        object.insert("node".to_owned(), node.as_str().into());
    }
    object
}
