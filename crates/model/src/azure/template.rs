//! A template itself as a resource: what it takes and gives. Guidelines about templates say
//! `applies: Template.seawall.dev`.
//!
//! ```text
//! {kind: Template, language: arm|bicep|terraform,
//!  parameters: {NAME: {type, secure, hasDefault, allowed}}, outputs: {NAME: {type, secret}}}
//! ```

use std::borrow::Cow;
use std::collections::HashSet;

use bicep::node::{Entry as NodeEntry, Expr, ExprKind, Node, NodeKind};
use bicep::source::FileId;
use bicep::value::Data;
use yaml::{Build as _, Entry, Span};

use super::write::Bases;
use crate::doc::{DocBuilder, NodeId};
use crate::kinds::Kind;
use crate::resource::ResourceName;

/// The group of kinds that are neither Kubernetes' nor Azure's.
pub const GROUP: &str = "seawall.dev";

/// The kind of a template.
#[must_use]
pub fn kind() -> Kind {
    Kind::Kubernetes {
        group: GROUP.into(),
        kind: "Template".into(),
    }
}

/// The name of a template's resource.
pub(super) fn name(path: &str) -> ResourceName {
    ResourceName {
        kind: kind(),
        api_version: "seawall.dev/v1".into(),
        namespace: None,
        name: path.into(),
    }
}

/// What a template declares.
pub(super) struct Declared<'d, 'a> {
    /// Its tree.
    pub(super) root: &'d Node<'a>,
    /// `arm`, `bicep`
    pub(super) language: &'static str,
    /// Where secrets stand that were written down in it and its parameter files.
    pub(super) secrets: &'d [bicep::source::Span],
    /// Its outputs, evaluated; for a template within another one they are only looked at.
    pub(super) outputs: Option<&'d [(&'a str, bicep::value::Value<'a>)]>,
}

/// The templates within a template that the user can edit: modules and nested deployments.
pub(super) fn within<'a>(root: &Node<'a>, published: &dyn Fn(FileId) -> bool) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    let mut queue: Vec<(Node<'a>, usize)> = root
        .get("resources")
        .map(|all| (*all, 0))
        .into_iter()
        .collect();
    while let Some((at, depth)) = queue.pop() {
        if depth > 64 {
            continue;
        }
        let entries = at.entries().iter().map(|entry| entry.value);
        for resource in at.items().iter().copied().chain(entries) {
            queue.extend(resource.get("resources").map(|all| (*all, depth + 1)));
            let template = resource
                .get("properties")
                .and_then(|properties| properties.get("template"));
            let Some(template) = template.filter(|inner| !inner.entries().is_empty()) else {
                continue;
            };
            queue.extend(template.get("resources").map(|all| (*all, depth + 1)));
            let known = found
                .iter()
                .any(|other: &Node<'a>| other.span == template.span);
            if !known && !published(template.span.file) {
                found.push(*template);
            }
        }
    }
    found.sort_by_key(|template| template.span);
    found
}

/// Whether an expression shows a secret: it lists keys, or reads a secure parameter.
fn shows_secret(node: &Node<'_>, root: &Node<'_>, depth: usize) -> bool {
    depth < 64
        && match node.kind {
            NodeKind::Expr(expression) => expression_shows(expression, root, 0),
            NodeKind::Array(items) => items.iter().any(|item| shows_secret(item, root, depth + 1)),
            NodeKind::Object(entries) => entries
                .iter()
                .any(|entry| shows_secret(&entry.value, root, depth + 1)),
            _ => false,
        }
}

fn expression_shows(expression: &Expr<'_>, root: &Node<'_>, depth: usize) -> bool {
    if depth > 64 {
        return false;
    }
    match expression.kind {
        ExprKind::Call { name, args, .. } => {
            let parameter = || match args.first().map(|first| first.kind) {
                Some(ExprKind::Str(own)) => root
                    .get("parameters")
                    .and_then(|all| all.get(own))
                    .is_some_and(|parameter| is_secure(parameter, root)),
                _ => false,
            };
            (name.eq_ignore_ascii_case("parameters") && parameter())
                || name
                    .get(..4)
                    .is_some_and(|start| start.eq_ignore_ascii_case("list"))
                || args
                    .iter()
                    .any(|arg| expression_shows(arg, root, depth + 1))
        }
        ExprKind::Prop(base, _) => expression_shows(base, root, depth + 1),
        ExprKind::Index(base, index) => {
            expression_shows(base, root, depth + 1) || expression_shows(index, root, depth + 1)
        }
        _ => false,
    }
}

/// Whether a parameter's type is secure.
pub(super) fn is_secure(parameter: &Node<'_>, root: &Node<'_>) -> bool {
    resolve(parameter, root)
        .get("type")
        .and_then(Node::as_str)
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("secure"))
}

/// Writes it.
pub(super) fn write(
    builder: &mut DocBuilder<'_>,
    bases: &Bases,
    declared: &Declared<'_, '_>,
) -> NodeId {
    let mut writer = Writer { builder, bases };
    let nowhere = writer.bases.place(declared.root.span);
    let nowhere = Span {
        end: nowhere.start,
        ..nowhere
    };
    let kind = writer.builder.text("Template", nowhere);
    let version = writer.builder.text("seawall.dev/v1", nowhere);
    let language = writer.builder.text(declared.language, nowhere);
    let parameters = writer.section(declared.root, "parameters", |writer, entry| {
        writer.parameter(entry, declared.root)
    });
    let secret_outputs: HashSet<String> = declared
        .outputs
        .unwrap_or_default()
        .iter()
        .filter(|(_, value)| holds_secret(value, 0))
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    let outputs = writer.section(declared.root, "outputs", |writer, entry| {
        let secret = match declared.outputs {
            Some(_) => secret_outputs.contains(&entry.key.to_ascii_lowercase()),
            None => entry
                .value
                .get("value")
                .is_some_and(|value| shows_secret(value, declared.root, 0)),
        };
        writer.output(entry, secret)
    });
    let entry = |key: &'static str, value| Entry {
        key: Cow::Borrowed(key),
        key_span: nowhere,
        value,
        merged: false,
    };
    builder.map(
        &[
            entry("kind", kind),
            entry("apiVersion", version),
            entry("language", language),
            entry("parameters", parameters),
            entry("outputs", outputs),
        ],
        nowhere,
    )
}

/// Whether a secret stands anywhere in a value.
fn holds_secret(value: &bicep::value::Value<'_>, depth: usize) -> bool {
    depth < 64
        && match value.data {
            Data::Unknown(unknown) => unknown.secret,
            Data::Array(items) => items.iter().any(|item| holds_secret(item, depth + 1)),
            Data::Object(fields) => fields
                .iter()
                .any(|field| holds_secret(&field.value, depth + 1)),
            _ => false,
        }
}

struct Writer<'w, 's> {
    builder: &'w mut DocBuilder<'s>,
    bases: &'w Bases,
}

impl Writer<'_, '_> {
    fn section<'a>(
        &mut self,
        root: &Node<'a>,
        key: &str,
        write: impl Fn(&mut Self, &NodeEntry<'a>) -> NodeId,
    ) -> NodeId {
        let node = root.get(key);
        let span = self.bases.place(node.map_or(root.span, |node| node.span));
        let entries: Vec<Entry<'_, NodeId>> = node
            .map_or(&[][..], |node| node.entries())
            .iter()
            .map(|entry| Entry {
                key: Cow::Borrowed(entry.key),
                key_span: self.bases.place(entry.key_span),
                value: write(self, entry),
                merged: false,
            })
            .collect();
        self.builder.map(&entries, span)
    }

    fn parameter(&mut self, entry: &NodeEntry<'_>, root: &Node<'_>) -> NodeId {
        let node = &entry.value;
        let typed = resolve(node, root);
        let kind = typed.get("type").and_then(Node::as_str).unwrap_or("any");
        let secure = kind.to_ascii_lowercase().starts_with("secure");
        let default = node.get("defaultValue");
        let place = self.bases.place(entry.key_span);
        let default_place = default.map_or(place, |default| self.bases.place(default.span));
        let fields = [
            ("type", self.builder.text(kind, place)),
            ("secure", self.builder.bool(secure, place)),
            (
                "hasDefault",
                self.builder.bool(
                    default.is_some_and(|default| !is_empty(default)),
                    default_place,
                ),
            ),
        ];
        self.fields(&fields, place)
    }

    fn output(&mut self, entry: &NodeEntry<'_>, secret: bool) -> NodeId {
        let node = &entry.value;
        let kind = node.get("type").and_then(Node::as_str).unwrap_or("any");
        let place = self.bases.place(entry.key_span);
        let value = node
            .get("value")
            .map_or(place, |value| self.bases.place(value.span));
        // A secure output is not kept in the history of deployments.
        let secret = secret && !kind.to_ascii_lowercase().starts_with("secure");
        let fields = [
            ("type", self.builder.text(kind, place)),
            ("secret", self.builder.bool(secret, value)),
        ];
        self.fields(&fields, place)
    }

    fn fields(&mut self, fields: &[(&'static str, NodeId)], place: Span) -> NodeId {
        let entries: Vec<Entry<'_, NodeId>> = fields
            .iter()
            .map(|(key, value)| Entry {
                key: Cow::Borrowed(*key),
                key_span: place,
                value: *value,
                merged: false,
            })
            .collect();
        self.builder.map(&entries, place)
    }
}

/// A default that says nothing: an empty text, list or map, `null`, `newGuid()`.
fn is_empty(default: &Node<'_>) -> bool {
    match default.kind {
        NodeKind::Null => true,
        NodeKind::Str(text) => text.is_empty(),
        NodeKind::Array(items) => items.is_empty(),
        NodeKind::Object(entries) => entries.is_empty(),
        // `[newGuid()]` is another value each time.
        NodeKind::Expr(expression) => matches!(
            expression.kind,
            bicep::node::ExprKind::Call { name, .. } if name.eq_ignore_ascii_case("newGuid")
        ),
        _ => false,
    }
}

/// A parameter's type, through `$ref` to the template's definitions.
pub(super) fn resolve<'a>(node: &Node<'a>, root: &Node<'a>) -> Node<'a> {
    let mut at = *node;
    for _ in 0..8 {
        let Some(target) = at.get("$ref").and_then(Node::as_str) else {
            break;
        };
        let found = target
            .strip_prefix("#/definitions/")
            .and_then(|name| root.get("definitions")?.get(name));
        match found {
            Some(found) => at = *found,
            None => break,
        }
    }
    at
}
