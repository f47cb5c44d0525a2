//! What in a template has not the form that it must have: a resource without a type, a list where
//! there must be an object. Each is said at its place, and costs only itself.

use crate::deployment::{Problem, ProblemKind};
use crate::evaluate::engine::Engine;
use crate::node::{Node, NodeKind};

/// What types there are, in the letters in which they are documented.
/// <https://learn.microsoft.com/azure/azure-resource-manager/templates/data-types>
const TYPES: [&str; 7] = [
    "string",
    "secureString",
    "int",
    "bool",
    "object",
    "secureObject",
    "array",
];

/// What a node is, with its article.
fn kind_name(node: &Node<'_>) -> &'static str {
    match node.kind {
        NodeKind::Null => "`null`",
        NodeKind::Bool(_) => "a boolean",
        NodeKind::Int(_) | NodeKind::Float(_) => "a number",
        NodeKind::Str(_) => "a string",
        NodeKind::Expr(_) => "an expression",
        NodeKind::Array(_) => "a list",
        NodeKind::Object(_) => "an object",
    }
}

impl<'a> Engine<'a> {
    fn malformed(&self, node: &Node<'a>, message: String) {
        self.problem(Problem {
            span: node.span,
            message,
            help: None,
            kind: ProblemKind::Expression,
        });
    }

    /// Notes what has the wrong form in a template, resources aside.
    pub(crate) fn check_form(&self, template: &Node<'a>) {
        for key in ["parameters", "variables", "outputs"] {
            match template.get(key) {
                Some(node) if !matches!(node.kind, NodeKind::Object(_) | NodeKind::Null) => {
                    let message = format!("`{key}` must be an object, not {}", kind_name(node));
                    self.malformed(node, message);
                }
                _ => {}
            }
        }
        if let Some(node) = template.get("resources")
            && !matches!(
                node.kind,
                NodeKind::Array(_) | NodeKind::Object(_) | NodeKind::Null
            )
        {
            let message = format!(
                "`resources` must be a list or an object, not {}",
                kind_name(node)
            );
            self.malformed(node, message);
        }
        for entry in template
            .get("parameters")
            .map(Node::entries)
            .unwrap_or_default()
        {
            self.check_parameter(entry.key, &entry.value);
        }
    }

    fn check_parameter(&self, name: &str, node: &Node<'a>) {
        if !matches!(node.kind, NodeKind::Object(_)) {
            let message = format!(
                "the parameter `{name}` must be an object, not {}",
                kind_name(node)
            );
            return self.malformed(node, message);
        }
        match node.get("type") {
            // The type of a resource's property is left out where Azure's types are not at hand.
            None if node.get("$ref").is_none()
                && node
                    .get("metadata")
                    .and_then(|metadata| metadata.get("__bicep_resource_derived_type!"))
                    .is_none() =>
            {
                self.malformed(node, format!("the parameter `{name}` has no `type`"));
            }
            Some(kind) => match kind.as_str() {
                Some(text) if TYPES.iter().any(|own| own.eq_ignore_ascii_case(text)) => {}
                Some(text) => {
                    let hint = crate::evaluate::near::hint(text, TYPES.into_iter());
                    self.malformed(kind, format!("there is no type `{text}`{hint}"));
                }
                None => {
                    let message = format!("a type must be a string, not {}", kind_name(kind));
                    self.malformed(kind, message);
                }
            },
            None => {}
        }
    }

    /// Whether a node can be a resource: it is an object and has a type.
    pub(crate) fn is_resource(&self, node: &Node<'a>) -> bool {
        if !matches!(node.kind, NodeKind::Object(_)) {
            let message = format!("a resource must be an object, not {}", kind_name(node));
            self.malformed(node, message);
            return false;
        }
        match node.get("type") {
            None => {
                self.malformed(node, "the resource has no `type`".to_owned());
                return false;
            }
            Some(kind) => match kind.kind {
                NodeKind::Str("") => {
                    self.malformed(kind, "the type of the resource is empty".to_owned());
                    return false;
                }
                NodeKind::Str(_) | NodeKind::Expr(_) => {}
                _ => {
                    let message = format!(
                        "the `type` of a resource must be a string, not {}",
                        kind_name(kind)
                    );
                    self.malformed(kind, message);
                    return false;
                }
            },
        }
        if let Some(properties) = node.get("properties")
            && !matches!(
                properties.kind,
                NodeKind::Object(_) | NodeKind::Expr(_) | NodeKind::Null
            )
        {
            let message = format!(
                "`properties` must be an object, not {}",
                kind_name(properties)
            );
            self.malformed(properties, message);
        }
        true
    }
}
