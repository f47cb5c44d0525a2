//! Resources of a plain ARM JSON template. Expressions are not evaluated here: a value that
//! hangs on one is unknown and names it.

use cel::Symbols;

use crate::azure::{self, Defaults, Found};
use crate::coverage::{DocumentEntry, Status};
use crate::doc::Doc;
use crate::manifest::Reading;
use crate::resource::Origin;
use crate::value::Ref;

/// Whether a text names the schema of a template: of a resource group, or (with a prefix, hence
/// a capital) of a subscription, a management group or a tenant.
#[must_use]
pub fn is_template(text: &str) -> bool {
    [
        "deploymentTemplate.json",
        "DeploymentTemplate.json",
        "deploymenttemplate.json",
    ]
    .iter()
    .any(|schema| text.contains(schema))
}

/// Reads the resources of a template, nested ones too (children and `symbolic names`).
#[must_use]
pub fn read(doc: Doc, defaults: &Defaults, symbols: &Symbols, origin: &Origin) -> Reading {
    let mut found = Vec::new();
    let mut entries = Vec::new();
    if let Some(resources) = doc.root().get("resources") {
        collect(resources, None, origin, &mut found, &mut entries, 0);
    }
    if found.is_empty() && entries.is_empty() {
        entries.push(entry(
            origin,
            doc.first_line,
            Status::NotRelevant,
            None,
            None,
            Some("a template without resources"),
        ));
    }
    let mut reading = azure::settle(doc, found, defaults, symbols, origin);
    reading.entries.extend(entries);
    reading.entries.sort_by_key(|entry| entry.line);
    reading
}

fn collect(
    resources: Ref<'_>,
    parent: Option<(&str, &str)>,
    origin: &Origin,
    found: &mut Vec<Found>,
    entries: &mut Vec<DocumentEntry>,
    depth: usize,
) {
    if depth > 16 {
        return;
    }
    // languageVersion 2.0 keeps resources in a map by symbolic name.
    let values: Vec<Ref<'_>> = if resources.is_map() {
        resources.entries().map(|(_, _, value)| value).collect()
    } else {
        resources.items().collect()
    };
    for resource in values {
        let line = resource
            .doc
            .line_column(resource.get("type").unwrap_or(resource).span().start)
            .0;
        let Some(own_type) = resource.get("type").and_then(Ref::as_str) else {
            let reason = "a resource without `type`";
            entries.push(entry(
                origin,
                line,
                Status::Unreadable,
                None,
                None,
                Some(reason),
            ));
            continue;
        };
        let name = resource
            .get("name")
            .and_then(|name| name.as_str().or_else(|| name.open_expression()))
            .unwrap_or_default();
        let (full_type, full_name) = match parent {
            Some((outer, outer_name)) => (
                format!("{outer}/{own_type}"),
                format!("{outer_name}/{name}"),
            ),
            None => (own_type.to_owned(), name.to_owned()),
        };
        if full_type.eq_ignore_ascii_case("Microsoft.Resources/deployments") {
            let reason = format!("line {line}: a nested deployment is not evaluated yet");
            entries.push(entry(
                origin,
                line,
                Status::Unresolved,
                Some(&full_type),
                Some(&full_name),
                Some(&reason),
            ));
            continue;
        }
        let scope = resource.get("scope").and_then(Ref::as_str);
        let id = match scope {
            Some(scope) => format!(
                "{}/providers/{full_type}/{full_name}",
                scope.trim_end_matches('/')
            ),
            None => azure::id_in_group(&full_type, &full_name),
        };
        found.push(Found {
            root: resource.id(),
            kind: full_type.as_str().into(),
            name: full_name.as_str().into(),
            id: id.into(),
            api_version: resource
                .get("apiVersion")
                .and_then(Ref::as_str)
                .unwrap_or_default()
                .into(),
            condition: None,
        });
        if let Some(children) = resource.get("resources") {
            collect(
                children,
                Some((&full_type, &full_name)),
                origin,
                found,
                entries,
                depth + 1,
            );
        }
    }
}

fn entry(
    origin: &Origin,
    line: u32,
    status: Status,
    kind: Option<&str>,
    name: Option<&str>,
    reason: Option<&str>,
) -> DocumentEntry {
    DocumentEntry {
        path: origin.path.clone(),
        index: origin.index,
        line,
        status,
        kind: kind.map(Into::into),
        namespace: None,
        name: name.map(Into::into),
        reason: reason.map(Into::into),
        help: None,
    }
}
