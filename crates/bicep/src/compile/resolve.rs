//! What the name of a type leads to: a place in the template, or in the type of a resource.

use std::rc::Rc;

use crate::node::Node;
use crate::source::Span;
use crate::syntax::{ExpressionKind, ParameterizedType, Type, TypeKind};

use super::template::Template;
use super::types::{AMBIENT, discriminator};
use super::unit::Symbol;

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

impl<'s, 'a> Template<'s, 'a> {
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
