//! A template itself as a resource: what it takes and gives. Guidelines about templates say
//! `applies: Template.seawall.dev`.
//!
//! ```text
//! {kind: Template, language: arm|bicep|terraform,
//!  parameters: {NAME: {type, secure, hasDefault, allowed}}, outputs: {NAME: {type, secret}}}
//! ```

use std::borrow::Cow;

use bicep::node::{Entry as NodeEntry, Node, NodeKind};
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
    /// Its parameter files.
    pub(super) parameters: &'d [Node<'a>],
    /// Its outputs, evaluated.
    pub(super) outputs: &'d [(&'a str, bicep::value::Value<'a>)],
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
    let outputs = writer.section(declared.root, "outputs", |writer, entry| {
        let secret = declared
            .outputs
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(entry.key))
            .is_some_and(|(_, value)| holds_secret(value, 0));
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
