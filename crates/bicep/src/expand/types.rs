//! Declared types: `$ref`, constraints, discriminators.
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/definitions>

use crate::evaluate::compare::{identical, kind_name};
use crate::evaluate::engine::Engine;
use crate::expand::instance::Instance;
use crate::node::Node;
use crate::source::Span;
use crate::value::{Data, Shape, Value};

/// How often a type may refer to another, and how deep a value is checked.
const MAX_DEPTH: u32 = 64;

/// Where a value is not what is declared. The value itself is not said: it may be a secret.
pub(crate) struct Violation {
    pub(crate) span: Span,
    pub(crate) message: String,
    /// An object lacks something, or has too much: what it has is as it should be.
    pub(crate) partly: bool,
}

/// A declaration, followed through `$ref`.
#[derive(Clone, Copy)]
pub(crate) struct Type<'a> {
    instance: &'a Instance<'a>,
    /// The declaration itself.
    node: &'a Node<'a>,
    /// What it refers to in the end.
    base: &'a Node<'a>,
}

impl<'a> Type<'a> {
    pub(crate) fn new(instance: &'a Instance<'a>, node: &'a Node<'a>) -> Self {
        let mut base = node;
        for _ in 0..MAX_DEPTH {
            let Some(name) = base.get("$ref").and_then(Node::as_str) else {
                break;
            };
            let name = name.strip_prefix("#/definitions/").unwrap_or(name);
            let name = name.replace("~1", "/").replace("~0", "~");
            let definition = instance
                .node
                .get("definitions")
                .and_then(|all| all.get(&name));
            match definition {
                Some(definition) => base = definition,
                None => break,
            }
        }
        Self {
            instance,
            node,
            base,
        }
    }

    /// A key of the declaration, or of what it refers to.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node<'a>> {
        self.node.get(key).or_else(|| self.base.get(key))
    }

    fn name(&self) -> &'a str {
        self.get("type").and_then(Node::as_str).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    pub(crate) fn nullable(&self) -> bool {
        use crate::node::NodeKind;
        self.get("nullable")
            .is_some_and(|node| matches!(node.kind, NodeKind::Bool(true)))
    }

    pub(crate) fn secure(&self) -> bool {
        self.is("secureString") || self.is("secureObject")
    }

    pub(crate) fn shape(&self) -> Shape {
        if self.nullable() {
            return Shape::Any;
        }
        self.base_shape()
    }

    pub(crate) fn min_length(&self) -> Option<i64> {
        int(self.get("minLength"))
    }

    /// The declaration of a property of a value.
    pub(crate) fn property(&self, name: &str, value: &Value<'a>) -> Option<Self> {
        let own = |declared: &Self| {
            let found = declared.get("properties").and_then(|all| all.get(name));
            let other = || {
                declared
                    .get("additionalProperties")
                    .filter(|node| !node.entries().is_empty())
            };
            found
                .or_else(other)
                .map(|node| Self::new(declared.instance, node))
        };
        let variant = self.get("discriminator").and_then(|discriminator| {
            let key = discriminator.get("propertyName").and_then(Node::as_str)?;
            let chosen = value.get(key).and_then(Value::as_str)?;
            discriminator.get("mapping")?.get(chosen)
        });
        match variant {
            Some(node) => own(&Self::new(self.instance, node)),
            None => own(self),
        }
    }

    /// The declaration of an item of a list.
    pub(crate) fn item(&self, at: usize) -> Option<Self> {
        let prefix = self.get("prefixItems").map(Node::items).unwrap_or_default();
        let items = self
            .get("items")
            .filter(|items| !items.entries().is_empty());
        prefix
            .get(at)
            .or(items)
            .map(|node| Self::new(self.instance, node))
    }

    /// Whether something in it is declared a secret. Types may lead back to themselves, so that
    /// only so many declarations are looked at.
    pub(crate) fn has_secret(&self) -> bool {
        self.leads_to_secret(0, &mut 4096)
    }

    fn leads_to_secret(&self, depth: u32, left: &mut u32) -> bool {
        if self.secure() {
            return true;
        }
        if depth > MAX_DEPTH || *left == 0 {
            return false;
        }
        *left -= 1;
        let mut inner = |node: &'a Node<'a>| {
            !node.entries().is_empty()
                && Self::new(self.instance, node).leads_to_secret(depth + 1, left)
        };
        let mapping = self
            .get("discriminator")
            .and_then(|node| node.get("mapping"));
        let named = [self.get("properties"), mapping];
        let single = [self.get("items"), self.get("additionalProperties")];
        named
            .into_iter()
            .flatten()
            .flat_map(Node::entries)
            .any(|entry| inner(&entry.value))
            || single.into_iter().flatten().any(&mut inner)
            || self
                .get("prefixItems")
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .any(inner)
    }

    /// The first place where a value is not what is declared.
    pub(crate) fn violation(&self, engine: &Engine<'a>, value: &Value<'a>) -> Option<Violation> {
        self.check(engine, value, 0)
    }

    fn check(&self, engine: &Engine<'a>, value: &Value<'a>, depth: u32) -> Option<Violation> {
        if depth > MAX_DEPTH {
            return None;
        }
        let found = |message: String| {
            Some(Violation {
                span: value.span,
                message,
                partly: false,
            })
        };
        if matches!(value.data, Data::Null) {
            return if self.nullable() || self.name().is_empty() {
                None
            } else {
                found(format!("`null` where {} is expected", self.expected()))
            };
        }
        let fits = match (self.base_shape(), value.data) {
            (_, Data::Unknown(_)) => return None,
            (Shape::Any, _)
            | (Shape::String, Data::Str(_))
            | (Shape::Int, Data::Int(_))
            | (Shape::Bool, Data::Bool(_))
            | (Shape::Array, Data::Array(_))
            | (Shape::Object, Data::Object(_)) => true,
            (Shape::Int, Data::Float(float)) => float.fract() == 0.0,
            _ => false,
        };
        if !fits {
            return found(format!(
                "{} where {} is expected",
                kind_name(value),
                self.expected()
            ));
        }
        self.check_allowed(engine, value)
            .or_else(|| self.check_bounds(value))
            .and_then(found)
            .or_else(|| self.check_items(engine, value, depth))
            .or_else(|| self.check_properties(engine, value, depth))
    }

    /// The shape of a value that is not `null`.
    pub(crate) fn base_shape(&self) -> Shape {
        match self.name().to_ascii_lowercase().as_str() {
            "string" | "securestring" => Shape::String,
            "int" => Shape::Int,
            "bool" => Shape::Bool,
            "array" => Shape::Array,
            "object" | "secureobject" => Shape::Object,
            _ => Shape::Any,
        }
    }

    fn expected(&self) -> &'static str {
        match self.base_shape() {
            Shape::String | Shape::Id => "a string",
            Shape::Int => "a whole number",
            Shape::Bool => "a boolean",
            Shape::Array => "a list",
            Shape::Object => "an object",
            Shape::Any => "a value",
        }
    }

    fn check_allowed(&self, engine: &Engine<'a>, value: &Value<'a>) -> Option<String> {
        let allowed = self.get("allowedValues")?.items();
        let env = self.instance.env();
        let allowed: Vec<_> = allowed.iter().map(|node| engine.node(env, node)).collect();
        let is_allowed = |value: &Value<'a>| {
            value.unknown().is_some()
                || allowed.iter().any(|own| match (own.data, value.data) {
                    (Data::Str(a), Data::Str(b)) => a.eq_ignore_ascii_case(b),
                    (Data::Object(_) | Data::Array(_), _) => {
                        crate::evaluate::compare::equal(own, value) != Some(false)
                    }
                    _ => identical(own, value),
                })
        };
        let whole = is_allowed(value);
        // A list may hold any of the allowed values.
        let each = !value.items().is_empty() && value.items().iter().all(is_allowed);
        if whole || each || matches!(value.data, Data::Array([])) {
            return None;
        }
        let names: Vec<_> = allowed
            .iter()
            .map(|value| engine.expr_text(value))
            .take(12)
            .collect();
        Some(format!("it is none of {}", names.join(", ")))
    }

    fn check_bounds(&self, value: &Value<'a>) -> Option<String> {
        let length = match value.data {
            Data::Str(text) => Some(text.encode_utf16().count() as i64),
            Data::Array(items) => Some(items.len() as i64),
            _ => None,
        };
        if let Some(length) = length {
            if let Some(min) = int(self.get("minLength")).filter(|min| length < *min) {
                return Some(format!("its length is {length}, the least is {min}"));
            }
            if let Some(max) = int(self.get("maxLength")).filter(|max| length > *max) {
                return Some(format!("its length is {length}, the most is {max}"));
            }
        }
        if let Data::Int(own) = value.data {
            if let Some(min) = int(self.get("minValue")).filter(|min| own < *min) {
                return Some(format!("it is less than {min}"));
            }
            if let Some(max) = int(self.get("maxValue")).filter(|max| own > *max) {
                return Some(format!("it is more than {max}"));
            }
        }
        None
    }

    fn check_items(&self, engine: &Engine<'a>, value: &Value<'a>, depth: u32) -> Option<Violation> {
        let Data::Array(values) = value.data else {
            return None;
        };
        let prefix = self.get("prefixItems").map(Node::items).unwrap_or_default();
        let items = self
            .get("items")
            .filter(|items| !items.entries().is_empty());
        values.iter().enumerate().find_map(|(at, value)| {
            let declared = prefix.get(at).or(items)?;
            Type::new(self.instance, declared).check(engine, value, depth + 1)
        })
    }

    fn check_properties(
        &self,
        engine: &Engine<'a>,
        value: &Value<'a>,
        depth: u32,
    ) -> Option<Violation> {
        let Data::Object(fields) = value.data else {
            return None;
        };
        if let Some(discriminator) = self.get("discriminator") {
            return self.check_variant(engine, discriminator, value, depth);
        }
        let properties = self
            .get("properties")
            .map(Node::entries)
            .unwrap_or_default();
        for entry in properties {
            let declared = Type::new(self.instance, &entry.value);
            match value.get(entry.key) {
                Some(own) => {
                    if let Some(found) = declared.check(engine, own, depth + 1) {
                        return Some(found);
                    }
                }
                None if declared.nullable() => {}
                None => {
                    return partly(
                        value.span,
                        format!("the property `{}` is missing", entry.key),
                    );
                }
            }
        }
        self.check_additional(engine, fields, depth)
    }

    fn check_additional(
        &self,
        engine: &Engine<'a>,
        fields: &'a [crate::value::Field<'a>],
        depth: u32,
    ) -> Option<Violation> {
        use crate::node::NodeKind;
        let additional = self.get("additionalProperties")?;
        let properties = self.get("properties");
        for field in fields {
            if properties.is_some_and(|all| all.get(field.key).is_some()) {
                continue;
            }
            if matches!(additional.kind, NodeKind::Bool(false)) {
                return partly(
                    field.key_span,
                    format!("there is no property `{}`", field.key),
                );
            }
            if !additional.entries().is_empty() {
                let declared = Type::new(self.instance, additional);
                if let Some(found) = declared.check(engine, &field.value, depth + 1) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn check_variant(
        &self,
        engine: &Engine<'a>,
        discriminator: &'a Node<'a>,
        value: &Value<'a>,
        depth: u32,
    ) -> Option<Violation> {
        let name = discriminator.get("propertyName").and_then(Node::as_str)?;
        let mapping = discriminator.get("mapping")?;
        let Some(chosen) = value.get(name) else {
            return partly(value.span, format!("the property `{name}` is missing"));
        };
        let chosen = match chosen.data {
            Data::Str(text) => text,
            _ => return None,
        };
        match mapping.get(chosen) {
            Some(variant) => Type::new(self.instance, variant).check(engine, value, depth + 1),
            None => {
                let names: Vec<_> = mapping.entries().iter().map(|entry| entry.key).collect();
                partly(
                    value.span,
                    format!("`{name}` is none of `{}`", names.join("`, `")),
                )
            }
        }
    }
}

fn partly(span: Span, message: String) -> Option<Violation> {
    Some(Violation {
        span,
        message,
        partly: true,
    })
}

fn int(node: Option<&Node<'_>>) -> Option<i64> {
    use crate::node::NodeKind;
    match node?.kind {
        NodeKind::Int(int) => Some(int),
        _ => None,
    }
}
