//! From evaluated values to a document: the texts they stand in, joined, and every value with its
//! place there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use bicep::deployment::{Expansion, Resource};
use bicep::source::{FileId, Sources};
use bicep::value::{Data, Shape, Unknown, Value, Why};
use cel::Symbols;
use yaml::{Build as _, Entry, Span};

use super::Found;
use super::secrets::Masked;
use super::template::{self, Declared};
use crate::doc::{Dialect, Doc, DocBuilder, NodeId, Part};
use crate::secrets::is_secret_property;

/// Where each text begins in the joined one.
pub(super) struct Bases(Vec<u32>);

impl Bases {
    /// The place of a value in the joined text.
    pub(super) fn place(&self, span: bicep::source::Span) -> Span {
        let base = self
            .0
            .get(span.file.0 as usize)
            .copied()
            .unwrap_or_default();
        Span {
            start: base + span.start,
            end: base + span.end,
        }
    }
}

/// Joins texts; each begins on a line of its own. Without `texts` only what is called how is kept.
fn join(sources: &Sources<'_>, texts: bool) -> (String, Vec<Part>, Bases) {
    let mut text = String::new();
    let mut parts = Vec::new();
    let mut bases = Vec::new();
    let mut start = 0;
    for (_, source) in sources.iter() {
        bases.push(start);
        parts.push(Part {
            start,
            path: Arc::from(source.name),
            hidden: holds_values(source.name, source.text),
        });
        // Nothing is ever shown of a published module.
        let own = if source.published { "" } else { source.text };
        start += own.len() as u32 + 1;
        if texts {
            text.push_str(own);
            text.push('\n');
        }
    }
    (text, parts, Bases(bases))
}

/// Whether a text is a plan or the values of variables: any line may hold a secret that nothing
/// says to be one.
fn holds_values(name: &str, text: &str) -> bool {
    let head = text
        .char_indices()
        .nth(4096)
        .map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    name.ends_with(".tfvars")
        || name.ends_with(".tfvars.json")
        || head.contains("\"terraform_version\"")
}

/// A document of an expansion's resources.
pub(super) struct Written {
    pub(super) doc: Doc,
    pub(super) found: Vec<Found>,
    /// The template's own resource and those of the templates within it, each with its name.
    pub(super) templates: Vec<(NodeId, Box<str>)>,
    /// Parameters that some value hangs on.
    pub(super) hang: BTreeSet<Box<str>>,
}

/// Writes what a deployment makes, and the template itself. Without `texts` only the values are
/// kept.
pub(super) fn write(
    expansion: &Expansion<'_>,
    sources: &Sources<'_>,
    symbols: &Symbols,
    declared: Option<&Declared<'_, '_>>,
    masked: &Masked,
    texts: bool,
) -> Written {
    let (text, parts, bases) = join(sources, texts);
    let mut builder = DocBuilder::new(symbols, Dialect::Azure, text.into(), 1);
    builder.parts(parts);
    let mut writer = Writer {
        builder,
        bases: &bases,
        sources,
        masked,
        through: &[],
        hang: BTreeSet::new(),
        kind: "",
        literals: Vec::new(),
    };
    let mut found = Vec::new();
    for resource in expansion
        .resources
        .iter()
        .filter(|resource| !resource.existing)
    {
        found.push(writer.resource(resource));
    }
    let templates = declared.map_or_else(Vec::new, |declared| {
        let inner = template::within(declared.root, &|file| {
            sources.get(file).is_some_and(|source| source.published)
        });
        let inner: Vec<Declared<'_, '_>> = inner
            .iter()
            .map(|root| Declared {
                root,
                outputs: None,
                secrets: &[],
                language: declared.language,
            })
            .collect();
        std::iter::once(declared)
            .chain(&inner)
            .map(|declared| {
                let node = template::write(&mut writer.builder, &bases, declared);
                let name = sources
                    .get(declared.root.span.file)
                    .map_or("", |source| source.name);
                (node, name.into())
            })
            .collect()
    });
    let root = writer.builder.map(&[], Span::default());
    let Writer {
        builder,
        hang,
        literals,
        ..
    } = writer;
    let mut doc = builder.finish(root);
    if texts {
        doc.strike(&literals);
    }
    let secrets: Vec<Span> = declared
        .into_iter()
        .flat_map(|declared| declared.secrets)
        .map(|place| bases.place(*place))
        .collect();
    doc.strike(&secrets);
    Written {
        doc,
        found,
        templates,
        hang,
    }
}

struct Writer<'w, 's> {
    builder: DocBuilder<'s>,
    bases: &'w Bases,
    sources: &'w Sources<'w>,
    /// What stands in no longer text.
    masked: &'w Masked,
    /// The modules that lead to the resource being written.
    through: &'w [bicep::source::Span],
    hang: BTreeSet<Box<str>>,
    /// The type of the resource being written.
    kind: &'w str,
    /// Where secrets stand that were written down.
    literals: Vec<Span>,
}

impl<'w> Writer<'w, '_> {
    fn resource(&mut self, resource: &Resource<'w>) -> Found {
        self.through = resource.through;
        self.kind = resource.kind;
        // Whether it is made may hang on a parameter too.
        if let Some(Data::Unknown(unknown)) = resource.condition.map(|condition| condition.data) {
            self.hangs(unknown);
        }
        let root = self.value(&resource.body, 0);
        Found {
            root,
            kind: resource.kind.into(),
            name: self.masked.mask(resource.name).into(),
            id: self.masked.mask(resource.id).into(),
            api_version: resource.api_version.into(),
            through: resource
                .through
                .iter()
                .filter(|span| {
                    self.sources
                        .get(span.file)
                        .is_some_and(|source| !source.published)
                })
                .map(|span| self.bases.place(*span))
                .collect(),
            principal: principal(resource),
        }
    }

    /// What stands in a published module is not the user's to edit: it stands where the module
    /// is called.
    fn place(&self, span: bicep::source::Span) -> Span {
        let published = |file: FileId| {
            self.sources
                .get(file)
                .is_some_and(|source| source.published)
        };
        let own = if published(span.file) {
            self.through
                .iter()
                .rev()
                .find(|span| !published(span.file))
                .copied()
                .unwrap_or(span)
        } else {
            span
        };
        self.bases.place(own)
    }

    fn hangs(&mut self, unknown: &Unknown<'_>) {
        for why in unknown.why {
            if let Why::Parameter(name) = why {
                self.hang.insert((*name).into());
            }
        }
    }

    /// A value that is dropped; where it is a literal, its place is struck out.
    fn secret(&mut self, value: &Value<'w>) -> NodeId {
        let span = self.place(value.span);
        match value.data {
            Data::Null => self.builder.null(span),
            Data::Unknown(unknown) => {
                self.hangs(unknown);
                self.builder.redacted(span)
            }
            _ => {
                self.literals.push(self.bases.place(value.span));
                self.builder.redacted(span)
            }
        }
    }

    fn value(&mut self, value: &Value<'w>, depth: usize) -> NodeId {
        let span = self.place(value.span);
        if depth > 100 {
            return self.builder.open("a value that is nested too deeply", span);
        }
        match value.data {
            Data::Null => self.builder.null(span),
            Data::Bool(value) => self.builder.bool(value, span),
            Data::Int(value) => self.builder.int(value, span),
            Data::Float(value) => self.builder.float(value, span),
            Data::Str(text) => self.builder.text(&self.masked.mask(text), span),
            Data::Array(items) => {
                let items: Vec<NodeId> = items
                    .iter()
                    .map(|item| self.value(item, depth + 1))
                    .collect();
                self.builder.list(&items, span)
            }
            Data::Object(fields) => {
                let entries: Vec<Entry<'_, NodeId>> = fields
                    .iter()
                    .map(|field| Entry {
                        key: Cow::Borrowed(field.key),
                        key_span: self.place(field.key_span),
                        value: if is_secret_property(self.kind, field.key) {
                            self.secret(&field.value)
                        } else {
                            self.value(&field.value, depth + 1)
                        },
                        merged: false,
                    })
                    .collect();
                self.builder.map(&entries, span)
            }
            Data::Unknown(unknown) => {
                self.hangs(unknown);
                if unknown.secret {
                    // In a plan the value itself stands there; in a template what leads to it.
                    if is_literal(self.sources, value.span) {
                        self.literals.push(self.bases.place(value.span));
                    }
                    return self.builder.redacted(span);
                }
                // Whatever is open in it, an id is there and leads somewhere.
                if unknown.shape == Shape::Id || is_id(unknown.text) {
                    return self.builder.text(&self.masked.mask(unknown.text), span);
                }
                match unknown.shape {
                    Shape::String => self
                        .builder
                        .open_text(&self.masked.mask(&shown(unknown)), span),
                    _ => self.builder.open(&shown(unknown), span),
                }
            }
        }
    }
}

/// Whose identity a role assignment names: the id of a resource, and where in it the identity
/// stands.
fn principal(resource: &Resource<'_>) -> Option<(Box<str>, Box<str>)> {
    if !resource
        .kind
        .eq_ignore_ascii_case("Microsoft.Authorization/roleAssignments")
    {
        return None;
    }
    let unknown = resource
        .body
        .get("properties")?
        .get("principalId")?
        .unknown()?;
    let [Why::Reference(id)] = unknown.why else {
        return None;
    };
    let text = unknown.text.trim_matches(['{', '}']);
    let of_template = [".properties.", ".identity."]
        .into_iter()
        .filter_map(|part| text.find(part))
        .min()
        .and_then(|path| text.get(path + 1..));
    let path = of_template.or_else(|| {
        ATTRIBUTES
            .iter()
            .find(|(attribute, _)| text.ends_with(attribute))
            .map(|(_, path)| *path)
    })?;
    Some(((*id).into(), path.into()))
}

/// Where the attributes of Terraform's azurerm that name an identity stand in the resource
/// (the provider's documentation, attributes of `azurerm_kubernetes_cluster` and
/// `azurerm_user_assigned_identity`); the longer ending first.
const ATTRIBUTES: [(&str, &str); 6] = [
    (
        ".kubelet_identity[0].object_id",
        "properties.identityProfile.kubeletidentity.objectId",
    ),
    (
        ".key_vault_secrets_provider[0].secret_identity[0].object_id",
        "properties.addonProfiles.azureKeyvaultSecretsProvider.identity.objectId",
    ),
    (
        ".ingress_application_gateway[0].ingress_application_gateway_identity[0].object_id",
        "properties.addonProfiles.ingressApplicationGateway.identity.objectId",
    ),
    (
        ".oms_agent[0].oms_agent_identity[0].object_id",
        "properties.addonProfiles.omsagent.identity.objectId",
    ),
    (".identity[0].principal_id", "identity.principalId"),
    (".principal_id", "properties.principalId"),
];

/// An id put together from texts, open parts in braces.
fn is_id(text: &str) -> bool {
    (text.starts_with("/subscriptions/") || text.starts_with("/providers/"))
        && super::type_of_id(text).is_some_and(|kind| !kind.contains('{'))
}

/// Whether a quoted text that is no expression stands at a place.
fn is_literal(sources: &Sources<'_>, span: bicep::source::Span) -> bool {
    let text = sources
        .get(span.file)
        .and_then(|source| source.text.get(span.start as usize..span.end as usize))
        .unwrap_or_default();
    text.starts_with(['"', '\'']) && !text.contains("${") && !text.starts_with("\"[")
}

/// Longer expressions say less than what they hang on.
const LONGEST: usize = 90;

/// The expression, or what decides it where that is shorter.
fn shown<'u>(unknown: &Unknown<'u>) -> Cow<'u, str> {
    if unknown.text.len() <= LONGEST {
        return Cow::Borrowed(unknown.text);
    }
    let mut names: Vec<&str> = Vec::new();
    for why in unknown.why {
        let name = match why {
            Why::Parameter(name) | Why::Scope(name) | Why::Chance(name) => name,
            Why::Reference(id) | Why::Keys(id) => id.rsplit('/').next().unwrap_or(id),
            Why::Unresolved(name) | Why::Unsupported(name) | Why::Error(name) => name,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut joined = names.join(", ");
    if unknown.shape == Shape::String {
        // What is known of a text tells it from others.
        let start = unknown.text.split_once('{').map_or("", |(start, _)| start);
        let end = unknown.text.rsplit_once('}').map_or("", |(_, end)| end);
        if !start.is_empty() || !end.is_empty() {
            joined = format!("{start}{{{joined}}}{end}");
        }
    }
    if joined.len() < unknown.text.len() {
        Cow::Owned(joined)
    } else {
        Cow::Borrowed(unknown.text)
    }
}
