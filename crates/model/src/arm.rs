//! Resources of a plain ARM JSON template. Expressions are not evaluated here: a value that
//! hangs on one is unknown and names it.

use std::sync::Arc;

use crate::coverage::{DocumentEntry, Status};
use crate::doc::Doc;
use crate::kinds::Kind;
use crate::manifest::Reading;
use crate::resource::{Origin, Resource, ResourceName};
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
pub fn read(doc: Doc, origin: &Origin) -> Reading {
    let mut reading = Reading::default();
    let doc = Arc::new(doc);
    let root = doc.root();
    if let Some(resources) = root.get("resources") {
        collect(&doc, resources, None, origin, &mut reading, 0);
    }
    if reading.entries.is_empty() {
        reading.entries.push(entry(
            origin,
            doc.first_line,
            Status::NotRelevant,
            None,
            None,
            Some("a template without resources"),
        ));
    }
    reading
}

fn collect(
    doc: &Arc<Doc>,
    resources: Ref<'_>,
    parent: Option<(&str, &str)>,
    origin: &Origin,
    reading: &mut Reading,
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
        let line = doc
            .line_column(resource.get("type").unwrap_or(resource).span().start)
            .0;
        let Some(own_type) = resource.get("type").and_then(Ref::as_str) else {
            let reason = "a resource without `type`";
            reading.entries.push(entry(
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
            reading.entries.push(entry(
                origin,
                line,
                Status::Unresolved,
                Some(&full_type),
                Some(&full_name),
                Some(&reason),
            ));
            continue;
        }
        reading.entries.push(entry(
            origin,
            line,
            Status::Assessed,
            Some(&full_type),
            Some(&full_name),
            None,
        ));
        reading.resources.push(Resource {
            name: ResourceName {
                kind: Kind::Azure(full_type.as_str().into()),
                api_version: resource
                    .get("apiVersion")
                    .and_then(Ref::as_str)
                    .unwrap_or_default()
                    .into(),
                namespace: None,
                name: full_name.as_str().into(),
            },
            doc: Arc::clone(doc),
            root: resource.id(),
            origin: origin.clone(),
            provider_managed: false,
            implied: false,
            refers: None,
        });
        if let Some(children) = resource.get("resources") {
            collect(
                doc,
                children,
                Some((&full_type, &full_name)),
                origin,
                reading,
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
