//! What seawall says of an object.

use std::collections::{BTreeMap, BTreeSet};

use guide::guideline::{Example, ExampleFile, Expectation};
use guide::{Guide, Guideline};
use model::finding::Outcome;
use serde_json::Value;

/// Messages of fails, and reasons of unknowns, of one object.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) fails: BTreeSet<String>,
    pub(crate) unknowns: BTreeSet<String>,
}

/// Kind, namespace and name.
pub(crate) type Id = (String, String, String);

pub(crate) fn id(object: &Value) -> Id {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&object["kind"]),
        text(&object["metadata"]["namespace"]),
        text(&object["metadata"]["name"]),
    )
}

/// Judges objects as an estate of their own that is whole.
pub(crate) fn say(
    guide: &Guide,
    guideline: &Guideline,
    objects: &[Value],
    params: Option<&str>,
    minor: u8,
) -> Result<BTreeMap<Id, Said>, String> {
    let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let file = ExampleFile {
        language: "yaml".into(),
        text: texts.join("\n---\n").into(),
        line: 1,
        live: false,
    };
    let example = Example {
        expectation: Expectation::Bad,
        whole: true,
        invalid: false,
        kubernetes: Some(minor),
        as_of: None,
        params: params.map(Into::into),
        files: vec![file],
    };
    let outcomes = guide::examples::assess(guide, guideline, &example)?;
    if let Some(reason) = outcomes.unread.first() {
        return Err(reason.clone());
    }
    let mut all: BTreeMap<Id, Said> = BTreeMap::new();
    for finding in outcomes.findings {
        let name = &finding.resource;
        let id = (
            name.kind.name().to_owned(),
            name.namespace.as_deref().unwrap_or_default().to_owned(),
            name.name.to_string(),
        );
        let said = all.entry(id).or_default();
        match finding.outcome {
            Outcome::Fail => said
                .fails
                .extend(finding.message.split("; ").map(str::to_owned)),
            Outcome::Unknown { reason, .. } => {
                said.unknowns.insert(reason.to_string());
            }
        }
    }
    Ok(all)
}
