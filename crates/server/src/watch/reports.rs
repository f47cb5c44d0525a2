//! Findings as `PolicyReport` objects in the cluster, one for each namespace and one for the cluster, written where they
//! differ from what was written.
//!
//! The objects are those of `assess --format policyreport`. Server-side apply makes them seawall's; what stands in the
//! cluster under its label and is no report of now is deleted.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ::guide::Guide;
use report::policyreport::{Report, Results};
use serde::Deserialize;
use sources::cluster::{Refused, Writer};

use super::Shared;

const GROUP: &str = "/apis/wgpolicyk8s.io/v1alpha2";
const MANAGER: &str = "seawall";

/// What is known of the reports in the cluster.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// By path: a number for the content; `None` for what was found there.
    written: BTreeMap<String, Option<u64>>,
    looked: bool,
    no_critical: bool,
    pub(crate) writes: u64,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    #[serde(default)]
    namespace: Option<String>,
}

fn path(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{GROUP}/namespaces/{namespace}/policyreports/{name}"),
        None => format!("{GROUP}/clusterpolicyreports/{name}"),
    }
}

/// Whether the cluster's definition of reports is one of the early ones.
fn knows_no_critical(refused: &Refused) -> bool {
    refused.status == Some(422) && refused.message.contains("severity")
}

/// Deletes every report that seawall wrote; how many there were.
///
/// # Errors
/// When the cluster refuses, or does not answer.
pub fn remove(writer: &Writer) -> Result<usize, Refused> {
    let mut reports = Reports::default();
    match reports.look(writer) {
        // It knows no reports.
        Err(refused) if refused.is_absent() => return Ok(0),
        looked => looked?,
    }
    for path in reports.written.keys() {
        match writer.delete(path) {
            Err(refused) if !refused.is_absent() => return Err(refused),
            _ => {}
        }
    }
    Ok(reports.written.len())
}

impl Reports {
    /// Another replica may have written them since.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            writes: self.writes,
            ..Self::default()
        };
    }

    /// Writes what differs. The first thing that was refused, after everything was tried.
    pub(crate) fn write(
        &mut self,
        writer: &Writer,
        shared: &Shared,
        guide: &Guide,
    ) -> Result<(), Refused> {
        if !self.looked {
            self.look(writer)?;
        }
        let failed = |error: std::io::Error| Refused {
            status: None,
            message: error.to_string(),
        };
        let mut results = Results::new(self.no_critical);
        let mut added = Ok(());
        shared.visit(|finding| {
            if added.is_ok() {
                added = results.add(finding, guide);
            }
        });
        added.map_err(failed)?;
        let reports = results.reports().map_err(failed)?;
        let mut trouble = None;
        let mut wanted: BTreeMap<String, Report> = reports
            .into_iter()
            .map(|report| (path(report.namespace.as_deref(), &report.name), report))
            .collect();
        let gone: Vec<String> = self
            .written
            .keys()
            .filter(|path| !wanted.contains_key(*path))
            .cloned()
            .collect();
        for path in gone {
            match writer.delete(&path) {
                Err(refused) if !refused.is_absent() => trouble = trouble.or(Some(refused)),
                _ => {
                    self.writes += 1;
                    self.written.remove(&path);
                }
            }
        }
        while let Some((path, report)) = wanted.pop_first() {
            let mut hasher = DefaultHasher::new();
            report.yaml.hash(&mut hasher);
            let content = Some(hasher.finish());
            if self.written.get(&path) == Some(&content) {
                continue;
            }
            match writer.apply(&path, MANAGER, &report.yaml) {
                Ok(_) => {
                    self.writes += 1;
                    self.written.insert(path, content);
                }
                Err(refused) if !self.no_critical && knows_no_critical(&refused) => {
                    self.no_critical = true;
                    return self.write(writer, shared, guide);
                }
                // A namespace that is going takes nothing new, and one that others only name is not there.
                Err(refused) if report.namespace.is_some() && refused.is_absent() => {}
                Err(refused) => trouble = trouble.or(Some(refused)),
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Finds the reports that are there.
    fn look(&mut self, writer: &Writer) -> Result<(), Refused> {
        let label = "labelSelector=app.kubernetes.io/managed-by=seawall";
        for kind in ["policyreports", "clusterpolicyreports"] {
            let text = writer.get(&format!("{GROUP}/{kind}?{label}"))?;
            let list: List = serde_json::from_str(&text).map_err(|error| Refused {
                status: None,
                message: format!("the answer is no list: {error}"),
            })?;
            for Item { metadata } in list.items {
                let path = path(metadata.namespace.as_deref(), &metadata.name);
                self.written.entry(path).or_insert(None);
            }
        }
        self.looked = true;
        Ok(())
    }
}
