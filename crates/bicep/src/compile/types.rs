//! Types as the schemas of a template: `{ "type": "array", "items": { "$ref": "#/definitions/…" } }`.

use std::rc::Rc;

use crate::node::{Entry, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{
    Decorator, Expression, ExpressionKind, ObjectTypeItem, TupleTypeItem, Type, TypeKind,
};

use super::expr::{boolean, entry, text};
use super::literals::{Literal, kind_of};
use super::lower::Env;
use super::resolve::{Declaration, Resolved};
use super::template::Template;
use super::unit::Symbol;

/// Types that Bicep knows by itself.
pub(crate) const AMBIENT: [&str; 5] = ["string", "int", "bool", "object", "array"];

type Schema<'a> = Vec<Entry<'a>>;

impl<'s, 'a> Template<'s, 'a> {
    /// The schema of a type. `discriminator` is what the decorator above it says.
    pub(crate) fn schema(
        self: &Rc<Self>,
        ty: &Type<'a>,
        discriminator: Option<&'a str>,
    ) -> Schema<'a> {
        let span = ty.span;
        let Some(_deeper) = self.session.deeper(span) else {
            return Vec::new();
        };
        let kind = |name| entry("type", span, text(span, name));
        match ty.kind {
            TypeKind::Null | TypeKind::Skipped => Vec::new(),
            TypeKind::Boolean(_)
            | TypeKind::Integer(_)
            | TypeKind::String(_)
            | TypeKind::Unary(_) => match self.literal(ty) {
                Some(literal) => self.literal_schema(span, &literal),
                None => Vec::new(),
            },
            TypeKind::Name(name) => match self.unit.symbols.get(name) {
                Some(Symbol::Type(_) | Symbol::Import(..)) => self.reference_schema(ty),
                _ if AMBIENT.contains(&name) => vec![kind(name)],
                _ if name == "any" => Vec::new(),
                _ => {
                    self.unknown_name(span, &format!("no type is called `{name}`"));
                    Vec::new()
                }
            },
            TypeKind::Resource(of) => self.resource_schema(span, of),
            TypeKind::Parameterized(_)
            | TypeKind::AdditionalPropertiesAccess(_)
            | TypeKind::ItemsAccess(_)
            | TypeKind::ArrayAccess(..) => self.reference_schema(ty),
            TypeKind::PropertyAccess(base, name) => match base.kind {
                TypeKind::Name("sys") if !self.unit.symbols.contains_key("sys") => {
                    if name.name == "any" {
                        Vec::new()
                    } else {
                        vec![kind(name.name)]
                    }
                }
                _ => self.reference_schema(ty),
            },
            TypeKind::Object(items) => self.object_schema(span, items),
            TypeKind::Tuple(items) => self.tuple_schema(span, items),
            TypeKind::Array(item) => self.array_schema(span, item),
            TypeKind::Nullable(base) => {
                let mut schema = self.schema(base, discriminator);
                self.set(&mut schema, "nullable", boolean(span, true));
                schema
            }
            TypeKind::NonNullable(base) => {
                let mut schema = self.schema(base, discriminator);
                self.set(&mut schema, "nullable", boolean(span, false));
                schema
            }
            TypeKind::Parenthesized(inner) => self.schema(inner, discriminator),
            TypeKind::Union(members) => match discriminator {
                Some(discriminator) => self.discriminated_schema(span, members, discriminator),
                None => self.union_schema(span, members),
            },
        }
    }

    /// Puts a key into a map; what is a map on both sides is merged.
    pub(crate) fn set(&self, schema: &mut Schema<'a>, key: &'a str, value: Node<'a>) {
        let Some(old) = schema.iter_mut().find(|old| old.key == key) else {
            schema.push(entry(key, value.span, value));
            return;
        };
        if let (NodeKind::Object(before), NodeKind::Object(added)) = (old.value.kind, value.kind) {
            let mut merged = before.to_vec();
            for entry in added {
                self.set(&mut merged, entry.key, entry.value);
            }
            old.value = self.make().object(value.span, &merged);
        } else {
            old.value = value;
        }
    }

    /// A schema with what the decorators above it say.
    pub(crate) fn decorate(
        self: &Rc<Self>,
        schema: &mut Schema<'a>,
        decorators: &'a [Decorator<'a>],
        export: bool,
    ) {
        let find = |name: &str| {
            decorators
                .iter()
                .rev()
                .find(|decorator| decorator.name().is_some_and(|found| found.name == name))
        };
        if let Some(secure) = find("secure") {
            let kind = schema
                .iter()
                .find(|entry| entry.key == "type")
                .and_then(|entry| entry.value.as_str());
            let secured = match kind {
                Some("string") => Some("securestring"),
                Some("object") => Some("secureObject"),
                _ => None,
            };
            if let Some(secured) = secured {
                self.set(schema, "type", text(secure.span, secured));
            }
        }
        if let Some(sealed) = find("sealed") {
            self.set(schema, "additionalProperties", boolean(sealed.span, false));
        }
        if export && let Some(exported) = find("export") {
            let flag = entry(
                "__bicep_export!",
                exported.span,
                boolean(exported.span, true),
            );
            let metadata = self.make().object(exported.span, &[flag]);
            self.set(schema, "metadata", metadata);
        }
        for name in ["metadata", "minLength", "maxLength", "minValue", "maxValue"] {
            if let Some(value) = find(name).and_then(|decorator| decorator.arguments().first()) {
                self.set(schema, name, self.node(value, Env::default()));
            }
        }
        if let Some(described) = self.described(decorators) {
            self.set(schema, "metadata", described);
        }
    }

    /// `{ "description": … }`
    pub(crate) fn described(&self, decorators: &'a [Decorator<'a>]) -> Option<Node<'a>> {
        let described = description(decorators)?;
        let value = self.description_text(&described);
        let span = described.span;
        Some(
            self.make()
                .object(span, &[entry("description", span, value)]),
        )
    }

    /// A description, without the white space that all its lines start with.
    pub(crate) fn description_text(&self, described: &Expression<'a>) -> Node<'a> {
        match described.as_str() {
            Some(written) => text(described.span, self.make().text(&unindent(written))),
            None => self.node(described, Env::default()),
        }
    }

    fn resource_schema(&self, span: Span, of: Option<&'a Expression<'a>>) -> Schema<'a> {
        let make = self.make();
        let name = of.and_then(Expression::as_str).unwrap_or_default();
        let kind = entry("resourceType", span, text(span, name));
        vec![
            entry("type", span, text(span, "string")),
            entry("metadata", span, make.object(span, &[kind])),
        ]
    }

    fn object_schema(self: &Rc<Self>, span: Span, items: &'a [ObjectTypeItem<'a>]) -> Schema<'a> {
        let make = self.make();
        let mut properties = Vec::new();
        let mut others = None;
        for item in items {
            let mut schema = self.schema(&item.ty, discriminator(item.decorators));
            self.decorate(&mut schema, item.decorators, false);
            let value = make.object(item.ty.span, &schema);
            match item.key {
                Some(key) => {
                    let name = key.as_str().unwrap_or_default();
                    properties.push(self.entry(name, key.span, value));
                }
                None => others = Some(entry("additionalProperties", item.span, value)),
            }
        }
        let mut schema = vec![
            entry("type", span, text(span, "object")),
            entry("properties", span, make.object(span, &properties)),
        ];
        schema.extend(others);
        schema
    }

    fn tuple_schema(self: &Rc<Self>, span: Span, items: &'a [TupleTypeItem<'a>]) -> Schema<'a> {
        let make = self.make();
        let items: Vec<_> = items
            .iter()
            .map(|item| {
                let mut schema = self.schema(&item.ty, discriminator(item.decorators));
                self.decorate(&mut schema, item.decorators, false);
                make.object(item.ty.span, &schema)
            })
            .collect();
        vec![
            entry("type", span, text(span, "array")),
            entry("prefixItems", span, make.array(span, &items)),
            entry("items", span, boolean(span, false)),
        ]
    }

    fn array_schema(self: &Rc<Self>, span: Span, item: &Type<'a>) -> Schema<'a> {
        let mut inner = *item;
        while let TypeKind::Parenthesized(within) = inner.kind {
            inner = *within;
        }
        let literals = match inner.kind {
            TypeKind::Union(_)
            | TypeKind::Null
            | TypeKind::Boolean(_)
            | TypeKind::Integer(_)
            | TypeKind::String(_)
            | TypeKind::Unary(_)
            | TypeKind::Object(_)
            | TypeKind::Tuple(_) => self.members(&inner),
            _ => None,
        };
        let kind = entry("type", span, text(span, "array"));
        let make = self.make();
        match literals {
            Some(literals) => {
                let values: Vec<_> = literals.iter().map(|literal| literal.node).collect();
                vec![
                    kind,
                    entry("allowedValues", item.span, make.array(item.span, &values)),
                ]
            }
            None => {
                let schema = self.schema(item, None);
                let items = make.object(item.span, &schema);
                vec![kind, entry("items", item.span, items)]
            }
        }
    }

    fn literal_schema(&self, span: Span, literal: &Literal<'a>) -> Schema<'a> {
        let mut schema = Vec::new();
        if let Some(kind) = kind_of(&literal.node) {
            schema.push(entry("type", span, text(span, kind)));
        }
        let values = self.make().array(span, &[literal.node]);
        schema.push(entry("allowedValues", span, values));
        schema
    }

    fn union_schema(self: &Rc<Self>, span: Span, members: &'a [Type<'a>]) -> Schema<'a> {
        let whole = Type {
            kind: TypeKind::Union(members),
            span,
        };
        let Some(mut literals) = self.members(&whole) else {
            self.unknown_name(span, "only literals can be alternatives here");
            return Vec::new();
        };
        let all = literals.len();
        literals.retain(|literal| !matches!(literal.node.kind, NodeKind::Null));
        let nullable = literals.len() < all;
        let mut schema = Vec::new();
        if let Some(kind) = literals.first().and_then(|first| kind_of(&first.node)) {
            schema.push(entry("type", span, text(span, kind)));
        }
        let values: Vec<_> = literals.iter().map(|literal| literal.node).collect();
        schema.push(entry(
            "allowedValues",
            span,
            self.make().array(span, &values),
        ));
        if nullable {
            schema.push(entry("nullable", span, boolean(span, true)));
        }
        schema
    }

    fn discriminated_schema(
        self: &Rc<Self>,
        span: Span,
        members: &'a [Type<'a>],
        discriminator: &'a str,
    ) -> Schema<'a> {
        let make = self.make();
        let mut mapping = Vec::new();
        for member in members {
            self.map_member(member, discriminator, &mut mapping);
        }
        let by = make.object(
            span,
            &[
                entry("propertyName", span, text(span, discriminator)),
                entry("mapping", span, make.object(span, &mapping)),
            ],
        );
        vec![
            entry("type", span, text(span, "object")),
            entry("discriminator", span, by),
        ]
    }

    /// The entries of `mapping` for one alternative.
    fn map_member(
        self: &Rc<Self>,
        member: &Type<'a>,
        discriminator: &'a str,
        out: &mut Vec<Entry<'a>>,
    ) {
        let Some(_deeper) = self.session.deeper(member.span) else {
            return;
        };
        match member.kind {
            TypeKind::Parenthesized(inner) => self.map_member(inner, discriminator, out),
            TypeKind::Union(members) => {
                for member in members {
                    self.map_member(member, discriminator, out);
                }
            }
            TypeKind::Object(_) => {
                if let Some(value) = self.discriminating(member, discriminator) {
                    let schema = self.schema(member, None);
                    let value = entry(value, member.span, self.make().object(member.span, &schema));
                    out.push(value);
                }
            }
            _ => match self.resolve(member) {
                Some(Resolved::Place(place, declaration)) => {
                    self.map_place(member.span, &place, &declaration, discriminator, out);
                }
                Some(Resolved::Derived(..)) | None => {}
            },
        }
    }

    fn map_place(
        self: &Rc<Self>,
        span: Span,
        place: &[String],
        declaration: &Declaration<'s, 'a>,
        discriminator: &'a str,
        out: &mut Vec<Entry<'a>>,
    ) {
        let mut add = |value: &'a str| {
            let reference = self.pointer(span, place);
            let schema = self.make().object(span, &[reference]);
            out.push(entry(value, span, schema));
        };
        match declaration {
            Declaration::Written(at, ty, own) => match ty.kind {
                TypeKind::Object(_) => {
                    if let Some(value) = at.discriminating(ty, discriminator) {
                        add(value);
                    }
                }
                TypeKind::Union(members) if own.is_some() => {
                    for member in members {
                        at.map_member(member, discriminator, out);
                    }
                }
                _ => at.map_member(ty, discriminator, out),
            },
            Declaration::Schema(compiled, schema) => {
                if let Some(mapping) = schema.get("discriminator").and_then(|by| by.get("mapping"))
                {
                    for mapped in mapping.entries() {
                        out.push(entry(
                            mapped.key,
                            span,
                            compiled.rewritten(self.make(), &mapped.value),
                        ));
                    }
                    return;
                }
                let value = schema
                    .get("properties")
                    .and_then(|properties| properties.get(discriminator))
                    .map(|property| compiled.dereferenced(*property))
                    .and_then(|property| property.get("allowedValues"))
                    .and_then(|values| values.items().first())
                    .and_then(Node::as_str);
                if let Some(value) = value {
                    add(value);
                }
            }
        }
    }

    fn pointer(&self, span: Span, place: &[String]) -> Entry<'a> {
        let place: Vec<_> = place.iter().map(|segment| escaped(segment)).collect();
        let pointer = self.make().text(&format!("#/{}", place.join("/")));
        entry("$ref", span, text(span, pointer))
    }

    /// `$ref`, or what is known of a resource's property.
    fn reference_schema(self: &Rc<Self>, ty: &Type<'a>) -> Schema<'a> {
        let span = ty.span;
        match self.resolve(ty) {
            Some(Resolved::Place(place, _)) => vec![self.pointer(span, &place)],
            Some(Resolved::Derived(root, place, output)) => {
                self.derived_schema(span, root, &place, output)
            }
            None => Vec::new(),
        }
    }

    fn derived_schema(
        &self,
        span: Span,
        root: &'a str,
        place: &[String],
        output: Option<bool>,
    ) -> Schema<'a> {
        let make = self.make();
        let segments: Vec<_> = place.iter().map(|segment| escaped(segment)).collect();
        let source = match segments.as_slice() {
            [] => root,
            _ => make.text(&format!("{root}#{}", segments.join("/"))),
        };
        let source = text(span, source);
        let value = match output {
            // How it was written before there were two of them.
            None => source,
            Some(output) => {
                let mut entries = vec![entry("source", span, source)];
                if output {
                    entries.push(entry("output", span, boolean(span, true)));
                }
                make.object(span, &entries)
            }
        };
        let derived = entry("__bicep_resource_derived_type!", span, value);
        let mut schema = Vec::new();
        let place: Vec<_> = place.iter().map(String::as_str).collect();
        let kind = self.session.files.property_type(root, &place);
        let kind = kind.as_deref().or_else(|| common_kind(&place));
        if let Some(kind) = kind {
            schema.push(entry("type", span, text(span, make.text(kind))));
        }
        schema.push(entry("metadata", span, make.object(span, &[derived])));
        schema
    }
}

/// The kind of what every resource of Azure may have, whatever its type says.
fn common_kind(place: &[&str]) -> Option<&'static str> {
    match place {
        [] => Some("object"),
        ["properties", name] => match *name {
            "id" | "name" | "type" | "apiVersion" | "location" | "kind" | "managedBy" | "eTag" => {
                Some("string")
            }
            "tags" | "properties" | "sku" | "extendedLocation" | "placement" | "plan" | "scale"
            | "identity" => Some("object"),
            "zones" | "managedByExtended" => Some("array"),
            _ => None,
        },
        ["properties", "tags", "additionalProperties"] => Some("string"),
        _ => None,
    }
}

/// `@discriminator('kind')`
pub(crate) fn discriminator<'a>(decorators: &'a [Decorator<'a>]) -> Option<&'a str> {
    decorators
        .iter()
        .find(|decorator| {
            decorator
                .name()
                .is_some_and(|name| name.name == "discriminator")
        })
        .and_then(|decorator| decorator.arguments().first())
        .and_then(Expression::as_str)
}

/// `@description('…')`; the last one counts.
pub(crate) fn description<'a>(decorators: &'a [Decorator<'a>]) -> Option<Expression<'a>> {
    decorators
        .iter()
        .rev()
        .find(|decorator| {
            decorator
                .name()
                .is_some_and(|name| name.name == "description")
        })
        .and_then(|decorator| decorator.arguments().first())
        .copied()
}

/// A segment of a JSON pointer (RFC 6901), as it stands in an address.
fn escaped(segment: &str) -> String {
    let mut out = String::new();
    for byte in segment.bytes() {
        match byte {
            b'~' => out.push_str("~0"),
            b'/' => out.push_str("~1"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Without the white space that all lines but the first start with.
fn unindent(text: &str) -> String {
    let normal = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = normal.split('\n');
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    let indent = rest
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| {
            line.chars()
                .take_while(|letter| matches!(letter, ' ' | '\t'))
                .count()
        })
        .min()
        .unwrap_or_default();
    let mut out = first.to_owned();
    for line in rest {
        out.push('\n');
        out.push_str(line.get(indent..).unwrap_or_default());
    }
    out
}

/// An amount of a decorator that only takes whole numbers.
pub(crate) fn whole_number(expression: &Expression<'_>) -> Option<i64> {
    match expression.inner().kind {
        ExpressionKind::Integer(value) => i64::try_from(value).ok(),
        _ => None,
    }
}
