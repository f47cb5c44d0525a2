//! Azure resources as guidelines see them, whatever they were written in: children of their
//! own, an id, the API's defaults filled in.
//!
//! What reads a template gives the values and, for each resource, what is known of it
//! ([`Found`]); this makes one form of them ([`settle`]). Joins along ids are in [`links`].

use std::sync::Arc;

use cel::{Symbol, Symbols};
use yaml::Span;

use crate::coverage::{DocumentEntry, Status};
use crate::doc::{Doc, NodeId};
use crate::kinds::Kind;
use crate::manifest::Reading;
use crate::resource::{Origin, Resource, ResourceName};
use crate::secrets::secret_spans;

mod children;
pub mod defaults;
pub mod deployment;
mod ids;
pub(crate) mod links;
pub mod live;
pub mod secrets;
pub mod template;
mod write;

pub use children::{Inline, inline};
pub use defaults::Defaults;
pub use ids::{parent_of_id, scope_of_id, segments, shown, type_of_id};

/// What a resource knows beyond its body.
#[derive(Debug, Clone)]
pub struct Azure {
    /// Its whole id; what a template leaves open in it stands in braces.
    pub id: Box<str>,
    /// Where the modules are called that lead to it, outermost first: places in its document.
    pub through: Vec<Span>,
    /// What it comes to for values of parameters that the template leaves open.
    pub cases: Vec<Case>,
}

/// A resource as it is when a parameter has a certain value.
#[derive(Debug, Clone)]
pub struct Case {
    /// The parameter.
    pub parameter: Box<str>,
    /// Its value as text; `None` for any value but those of the parameter's other cases.
    pub value: Option<Box<str>>,
    /// The document of the case.
    pub doc: Arc<Doc>,
    /// The resource in it; `None` when it is not made in this case.
    pub root: Option<NodeId>,
}

/// A resource within a document, as its reader found it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its body.
    pub root: NodeId,
    /// Its whole type.
    pub kind: Box<str>,
    /// Its whole name: segments joined by `/`.
    pub name: Box<str>,
    /// Its whole id.
    pub id: Box<str>,
    /// The API version it is written for; empty when the source says none.
    pub api_version: Box<str>,
    /// Where the modules are called that lead to it, outermost first.
    pub through: Vec<Span>,
    /// For a role assignment to the identity of a resource: its id, and where in it the identity
    /// stands.
    pub principal: Option<(Box<str>, Box<str>)>,
}

/// Makes resources of what was found in a document: children written inside their parents
/// become resources of their own, everything gets an id and the API's defaults.
#[must_use]
pub fn settle(
    mut doc: Doc,
    mut found: Vec<Found>,
    defaults: &Defaults,
    symbols: &Symbols,
    origin: &Origin,
) -> Reading {
    let declared = found.len();
    for resource in &mut found {
        if let Some((kind, name)) = extension_form(&resource.kind, &resource.name) {
            doc.replace_text(resource.root.0, symbols.get("type"), "type", &kind, false);
            resource.kind = kind.into();
            resource.name = name.into();
        }
    }
    children::separate(&mut doc, &mut found, symbols);
    for resource in &found {
        let given: Vec<(Symbol, &str, &str)> = [
            ("id", &*resource.id),
            ("type", &*resource.kind),
            ("apiVersion", &*resource.api_version),
            ("parentId", parent_of_id(&resource.id).unwrap_or_default()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .filter(|(key, _)| doc.node(resource.root).get(key).is_none())
        .map(|(key, value)| (symbols.get(key), key, value))
        .collect();
        doc.give(resource.root.0, &given);
        short_name(&mut doc, resource, symbols);
        if let Some((id, path)) = &resource.principal {
            let map = doc.empty_map();
            for (key, value) in [("id", id), ("path", path)] {
                let text = doc.add_text(value);
                doc.insert(map, symbols.get(key), key, text);
            }
            doc.insert(resource.root.0, symbols.get("principal"), "principal", map);
        }
        defaults.fill(&mut doc, resource, symbols, origin.live);
    }
    doc.hidden = found
        .iter()
        .flat_map(|found| secret_spans(doc.node(found.root)))
        .collect();
    let doc = Arc::new(doc);
    let mut reading = Reading {
        doc: Some(Arc::clone(&doc)),
        ..Reading::default()
    };
    for (index, found) in found.into_iter().enumerate() {
        if index < declared {
            let object = doc.node(found.root);
            let place = object.get("type").unwrap_or(object).written_holder().span();
            reading.entries.push(DocumentEntry {
                live: origin.live,
                path: doc.path_at(place.start).unwrap_or(&origin.path).clone(),
                index: origin.index,
                line: doc.line_column(place.start).0,
                status: Status::Assessed,
                kind: Some(found.kind.clone()),
                namespace: None,
                name: Some(ids::shown(&found.name).into()),
                reason: None,
                help: None,
            });
        }
        reading.resources.push(Resource {
            name: ResourceName {
                kind: Kind::Azure(found.kind),
                api_version: found.api_version,
                namespace: None,
                name: ids::shown(&found.name).into(),
            },
            doc: Arc::clone(&doc),
            root: found.root,
            origin: origin.clone(),
            provider_managed: false,
            implied: false,
            refers: None,
            certificates: None,
            azure: Some(Box::new(Azure {
                id: found.id,
                through: found.through,
                cases: Vec::new(),
            })),
        });
    }
    reading
}

/// The type and name that an extension resource has of itself, when a template writes it the old
/// way, as if it were a child: `PARENT/providers/TYPE` named `PARENT/NAMESPACE/NAME`. Its id is the
/// same both ways.
fn extension_form(kind: &str, name: &str) -> Option<(String, String)> {
    const BETWEEN: &str = "/providers/";
    let at = kind.to_ascii_lowercase().rfind(BETWEEN)?;
    let parents = kind.get(..at)?.split('/').count() - 1;
    let mut names = ids::segments(name).into_iter().skip(parents);
    let namespace = names.next()?;
    let own: Vec<&str> = names.collect();
    let types = kind.get(at + BETWEEN.len()..)?;
    (!own.is_empty()).then(|| (format!("{namespace}/{types}"), own.join("/")))
}

/// A child's name in a template holds those of its parents; guidelines see its own.
fn short_name(doc: &mut Doc, resource: &Found, symbols: &Symbols) {
    let parts = ids::segments(&resource.name);
    let Some(own) = parts.last() else {
        return;
    };
    let written = doc.node(resource.root).get("name");
    let same =
        written.is_some_and(|name| name.as_str().or_else(|| name.open_expression()) == Some(own));
    if !same {
        let open = own.contains('{');
        doc.replace_text(resource.root.0, symbols.get("name"), "name", own, open);
    }
}

#[cfg(test)]
mod tests {
    use super::extension_form;

    #[test]
    fn extension_resources_written_as_children_get_their_own_type() {
        let form =
            |kind, name| extension_form(kind, name).map(|(kind, name)| format!("{kind} {name}"));
        assert_eq!(
            form(
                "Microsoft.ContainerService/managedClusters/providers/diagnosticSettings",
                "{format('{0}/x', cluster)}/Microsoft.Insights/all"
            )
            .as_deref(),
            Some("Microsoft.Insights/diagnosticSettings all")
        );
        assert_eq!(
            form(
                "Microsoft.Network/virtualNetworks/subnets/PROVIDERS/locks",
                "hub/nodes/Microsoft.Authorization/keep"
            )
            .as_deref(),
            Some("Microsoft.Authorization/locks keep")
        );
        assert_eq!(
            form("Microsoft.Network/virtualNetworks/subnets", "hub/nodes"),
            None
        );
        assert_eq!(
            form("Microsoft.KeyVault/vaults/providers/locks", "{name}"),
            None
        );
    }
}
