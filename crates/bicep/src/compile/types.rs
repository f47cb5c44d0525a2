//! Types as the schemas of a template: `{ "type": "array", "items": { "$ref": "#/definitions/…" } }`.

use std::rc::Rc;

use crate::node::{Entry, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{
    Decorator, Expression, ExpressionKind, ObjectTypeItem, ParameterizedType, TupleTypeItem, Type,
    TypeKind, UnaryOperator,
};

use super::expr::{boolean, entry, text};
use super::lower::{Env, negative};
use super::template::Template;
use super::unit::Symbol;

/// Types that Bicep knows by itself.
const AMBIENT: [&str; 5] = ["string", "int", "bool", "object", "array"];

/// What a reference to a type leads to.
pub(crate) enum Resolved<'s, 'a> {
    /// A place in the template, and what stands there.
    Place(Vec<String>, Declaration<'s, 'a>),
    /// A place in the type of a resource; whether that of what is read or of what is written.
    Derived(&'a str, Vec<String>, Option<bool>),
}

/// What stands at a place that a type refers to.
pub(crate) enum Declaration<'s, 'a> {
    /// A type as it is written in a file, and what its decorator says discriminates it.
    Written(Rc<Template<'s, 'a>>, Type<'a>, Option<&'a str>),
    /// A schema of a compiled template.
    Schema(Rc<super::compiled::Compiled<'a>>, Node<'a>),
}

/// A value as a type.
#[derive(Debug, Clone)]
pub(crate) struct Literal<'a> {
    /// By which members of a union are sorted.
    pub(crate) name: String,
    pub(crate) node: Node<'a>,
}

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

    /// The values that a union or a literal allows, sorted and distinct; nothing for other types.
    pub(crate) fn members(self: &Rc<Self>, ty: &Type<'a>) -> Option<Vec<Literal<'a>>> {
        let mut found = Vec::new();
        self.collect_members(ty, &mut found)?;
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found.dedup_by(|one, other| one.name == other.name);
        (!found.is_empty()).then_some(found)
    }

    fn collect_members(self: &Rc<Self>, ty: &Type<'a>, out: &mut Vec<Literal<'a>>) -> Option<()> {
        let _deeper = self.session.deeper(ty.span)?;
        match ty.kind {
            TypeKind::Union(members) => members
                .iter()
                .try_for_each(|member| self.collect_members(member, out)),
            TypeKind::Parenthesized(inner) => self.collect_members(inner, out),
            TypeKind::Nullable(base) => {
                out.push(Literal {
                    name: "null".to_owned(),
                    node: Node {
                        span: ty.span,
                        kind: NodeKind::Null,
                    },
                });
                self.collect_members(base, out)
            }
            TypeKind::NonNullable(base) => {
                self.collect_members(base, out)?;
                out.retain(|literal| !matches!(literal.node.kind, NodeKind::Null));
                Some(())
            }
            TypeKind::Name(_)
            | TypeKind::PropertyAccess(..)
            | TypeKind::ItemsAccess(_)
            | TypeKind::ArrayAccess(..)
            | TypeKind::AdditionalPropertiesAccess(_) => match self.resolve(ty)? {
                Resolved::Place(_, Declaration::Written(at, ty, _)) => at.collect_members(&ty, out),
                Resolved::Place(_, Declaration::Schema(_, schema)) => schema_members(&schema, out),
                Resolved::Derived(..) => None,
            },
            _ => {
                out.push(self.literal(ty)?);
                Some(())
            }
        }
    }

    /// The value that a type is, when it is one.
    fn literal(self: &Rc<Self>, ty: &Type<'a>) -> Option<Literal<'a>> {
        let span = ty.span;
        let _deeper = self.session.deeper(span)?;
        let made = |kind| Node { span, kind };
        let node = match ty.kind {
            TypeKind::Null => made(NodeKind::Null),
            TypeKind::Boolean(value) => made(NodeKind::Bool(value)),
            TypeKind::Integer(value) => {
                made(NodeKind::Int(i64::try_from(value).unwrap_or(i64::MAX)))
            }
            TypeKind::String(string) => made(NodeKind::Str(string.as_str()?)),
            TypeKind::Unary(unary) => match (unary.operator, unary.operand.kind) {
                (UnaryOperator::Minus, TypeKind::Integer(value)) => {
                    made(NodeKind::Int(negative(value)))
                }
                (UnaryOperator::Not, _) => match self.literal(&unary.operand)?.node.kind {
                    NodeKind::Bool(value) => made(NodeKind::Bool(!value)),
                    _ => return None,
                },
                (UnaryOperator::Minus, _) => match self.literal(&unary.operand)?.node.kind {
                    NodeKind::Int(value) => made(NodeKind::Int(value.checked_neg()?)),
                    _ => return None,
                },
            },
            TypeKind::Parenthesized(inner) => return self.literal(inner),
            TypeKind::Tuple(items) => {
                let items = items
                    .iter()
                    .map(|item| Some(self.literal(&item.ty)?.node))
                    .collect::<Option<Vec<_>>>()?;
                self.make().array(span, &items)
            }
            TypeKind::Object(items) => {
                let entries = items
                    .iter()
                    .map(|item| {
                        let key = item.key?;
                        let value = self.literal(&item.ty)?.node;
                        Some(entry(key.as_str()?, key.span, value))
                    })
                    .collect::<Option<Vec<_>>>()?;
                if entries.is_empty() {
                    return None;
                }
                self.make().object(span, &entries)
            }
            TypeKind::Name(_) => {
                return match self.members(ty)?.as_slice() {
                    [only] => Some(only.clone()),
                    _ => None,
                };
            }
            _ => return None,
        };
        Some(Literal {
            name: literal_name(&node),
            node,
        })
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

    /// The value of the property that discriminates an object type.
    fn discriminating(self: &Rc<Self>, ty: &Type<'a>, discriminator: &str) -> Option<&'a str> {
        let TypeKind::Object(items) = ty.kind else {
            return None;
        };
        let item = items
            .iter()
            .find(|item| item.key.and_then(|key| key.as_str()) == Some(discriminator))?;
        self.members(&item.ty)?.first()?.node.as_str()
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

    /// What a type that names another leads to.
    pub(crate) fn resolve(self: &Rc<Self>, ty: &Type<'a>) -> Option<Resolved<'s, 'a>> {
        let _deeper = self.session.deeper(ty.span)?;
        match ty.kind {
            TypeKind::Parenthesized(inner) => self.resolve(inner),
            TypeKind::Name(name) => self.resolve_name(ty.span, name),
            TypeKind::Parameterized(of) => self.resolve_derived(of),
            TypeKind::PropertyAccess(base, name) => {
                if let TypeKind::Name(namespace) = base.kind
                    && let Some(Symbol::Wildcard(import)) = self.unit.symbols.get(namespace)
                {
                    return self.wildcard_type(*import, name.name);
                }
                self.resolve(base)?.property(name.name)
            }
            TypeKind::AdditionalPropertiesAccess(base) => self.resolve(base)?.others(),
            TypeKind::ItemsAccess(base) => self.resolve(base)?.items(),
            TypeKind::ArrayAccess(base, index) => match index.inner().kind {
                ExpressionKind::Integer(at) => self.resolve(base)?.item(usize::try_from(at).ok()?),
                _ => self.resolve(base)?.property(index.as_str()?),
            },
            _ => None,
        }
    }

    fn resolve_name(self: &Rc<Self>, span: Span, name: &'a str) -> Option<Resolved<'s, 'a>> {
        match self.unit.symbols.get(name)? {
            Symbol::Type(at) => {
                let declared = self.unit.types.get(*at)?;
                Some(self.declared(self.type_name(name), declared))
            }
            Symbol::Import(import, symbol) => {
                let found = self.imported_type(*import, *symbol);
                if found.is_none() {
                    self.unresolved_import(span, name);
                }
                found
            }
            _ => None,
        }
    }

    /// A type that this file declares, under the name that it has in the template.
    pub(crate) fn declared(
        self: &Rc<Self>,
        name: &str,
        declared: &super::unit::Declared<'a, crate::syntax::TypeDeclaration<'a>>,
    ) -> Resolved<'s, 'a> {
        Resolved::Place(
            vec!["definitions".to_owned(), name.to_owned()],
            Declaration::Written(
                Rc::clone(self),
                declared.of.ty,
                discriminator(declared.statement.decorators),
            ),
        )
    }

    fn resolve_derived(&self, of: &ParameterizedType<'a>) -> Option<Resolved<'s, 'a>> {
        let output = match of.name.name {
            "resourceInput" => Some(false),
            "resourceOutput" => Some(true),
            "resource" => None,
            _ => return None,
        };
        let TypeKind::String(string) = of.arguments.first()?.kind else {
            return None;
        };
        let written = super::unit::unqualified(string.as_str()?);
        let root = match self.session.files.resource_type(written) {
            Some(name) => self.make().text(&name),
            None => written,
        };
        Some(Resolved::Derived(root, Vec::new(), output))
    }
}

impl<'s, 'a> Resolved<'s, 'a> {
    /// Follows aliases until a type of its own stands there.
    fn traced(self) -> Option<Self> {
        let mut at = self;
        // No chain of aliases is longer, unless it is a circle.
        for _ in 0..64 {
            at = match at {
                Self::Derived(..) => return Some(at),
                Self::Place(place, Declaration::Written(template, ty, by)) => match ty.kind {
                    TypeKind::Parenthesized(inner) => {
                        Self::Place(place, Declaration::Written(template, *inner, by))
                    }
                    TypeKind::Name(name) if AMBIENT.contains(&name) => return None,
                    TypeKind::Name(_)
                    | TypeKind::PropertyAccess(..)
                    | TypeKind::Parameterized(_)
                    | TypeKind::AdditionalPropertiesAccess(_)
                    | TypeKind::ItemsAccess(_)
                    | TypeKind::ArrayAccess(..) => template.resolve(&ty)?,
                    _ => {
                        return Some(Self::Place(place, Declaration::Written(template, ty, by)));
                    }
                },
                Self::Place(place, Declaration::Schema(compiled, schema)) => {
                    match schema.get("$ref").and_then(Node::as_str) {
                        Some(pointer) => {
                            let (place, schema) = compiled.follow(pointer)?;
                            Self::Place(place, Declaration::Schema(compiled, schema))
                        }
                        None => {
                            return Some(Self::Place(place, Declaration::Schema(compiled, schema)));
                        }
                    }
                }
            };
        }
        None
    }

    fn property(self, name: &str) -> Option<Self> {
        let at = |mut place: Vec<String>| {
            place.extend(["properties".to_owned(), name.to_owned()]);
            place
        };
        Some(match self.traced()? {
            Self::Derived(root, place, output) => Self::Derived(root, at(place), output),
            Self::Place(place, Declaration::Written(template, ty, _)) => {
                let TypeKind::Object(items) = ty.kind else {
                    return None;
                };
                let item = items
                    .iter()
                    .find(|item| item.key.and_then(|key| key.as_str()) == Some(name))?;
                let by = discriminator(item.decorators);
                Self::Place(at(place), Declaration::Written(template, item.ty, by))
            }
            Self::Place(place, Declaration::Schema(compiled, schema)) => {
                let found = *schema.get("properties")?.get(name)?;
                Self::Place(at(place), Declaration::Schema(compiled, found))
            }
        })
    }

    fn others(self) -> Option<Self> {
        let at = |mut place: Vec<String>| {
            place.push("additionalProperties".to_owned());
            place
        };
        Some(match self.traced()? {
            Self::Derived(root, place, output) => Self::Derived(root, at(place), output),
            Self::Place(place, Declaration::Written(template, ty, _)) => {
                let TypeKind::Object(items) = ty.kind else {
                    return None;
                };
                let item = items.iter().find(|item| item.key.is_none())?;
                let by = discriminator(item.decorators);
                Self::Place(at(place), Declaration::Written(template, item.ty, by))
            }
            Self::Place(place, Declaration::Schema(compiled, schema)) => {
                let found = *schema.get("additionalProperties")?;
                Self::Place(at(place), Declaration::Schema(compiled, found))
            }
        })
    }

    fn items(self) -> Option<Self> {
        let at = |mut place: Vec<String>| {
            place.push("items".to_owned());
            place
        };
        Some(match self.traced()? {
            Self::Derived(root, place, output) => Self::Derived(root, at(place), output),
            Self::Place(place, Declaration::Written(template, ty, _)) => {
                let TypeKind::Array(item) = ty.kind else {
                    return None;
                };
                Self::Place(at(place), Declaration::Written(template, *item, None))
            }
            Self::Place(place, Declaration::Schema(compiled, schema)) => {
                let found = *schema.get("items")?;
                Self::Place(at(place), Declaration::Schema(compiled, found))
            }
        })
    }

    fn item(self, number: usize) -> Option<Self> {
        let at = |mut place: Vec<String>| {
            place.extend(["prefixItems".to_owned(), number.to_string()]);
            place
        };
        Some(match self.traced()? {
            Self::Derived(root, place, output) => Self::Derived(root, at(place), output),
            Self::Place(place, Declaration::Written(template, ty, _)) => {
                let TypeKind::Tuple(items) = ty.kind else {
                    return None;
                };
                let item = items.get(number)?;
                let by = discriminator(item.decorators);
                Self::Place(at(place), Declaration::Written(template, item.ty, by))
            }
            Self::Place(place, Declaration::Schema(compiled, schema)) => {
                let found = *schema.get("prefixItems")?.items().get(number)?;
                Self::Place(at(place), Declaration::Schema(compiled, found))
            }
        })
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

/// The values that a compiled schema allows.
fn schema_members<'a>(schema: &Node<'a>, out: &mut Vec<Literal<'a>>) -> Option<()> {
    let values = schema.get("allowedValues")?;
    if schema.get("type").and_then(Node::as_str) == Some("array") {
        return None;
    }
    out.extend(values.items().iter().map(|node| Literal {
        name: literal_name(node),
        node: *node,
    }));
    Some(())
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

/// The name of the type of a value.
fn kind_of(node: &Node<'_>) -> Option<&'static str> {
    match node.kind {
        NodeKind::Str(_) => Some("string"),
        NodeKind::Int(_) => Some("int"),
        NodeKind::Bool(_) => Some("bool"),
        NodeKind::Array(_) => Some("array"),
        NodeKind::Object(_) => Some("object"),
        _ => None,
    }
}

/// How the official compiler calls a value as a type, by which it sorts.
fn literal_name(node: &Node<'_>) -> String {
    match node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Int(value) => value.to_string(),
        NodeKind::Str(text) => {
            let text = text
                .replace('\\', "\\\\")
                .replace('\'', "\\'")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace('\t', "\\t")
                .replace("${", "\\${");
            format!("'{text}'")
        }
        NodeKind::Array(items) => {
            let items: Vec<_> = items.iter().map(literal_name).collect();
            format!("[{}]", items.join(", "))
        }
        NodeKind::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| format!("{}: {}", entry.key, literal_name(&entry.value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        NodeKind::Float(_) | NodeKind::Expr(_) => String::new(),
    }
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
