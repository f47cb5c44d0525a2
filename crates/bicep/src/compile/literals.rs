//! Values as types: what a union or a literal allows.

use std::rc::Rc;

use crate::node::{Node, NodeKind};
use crate::syntax::{Type, TypeKind, UnaryOperator};

use super::expr::entry;
use super::lower::negative;
use super::resolve::{Declaration, Resolved};
use super::template::Template;

/// A value as a type.
#[derive(Debug, Clone)]
pub(crate) struct Literal<'a> {
    /// By which members of a union are sorted.
    pub(crate) name: String,
    pub(crate) node: Node<'a>,
}

impl<'a> Template<'_, 'a> {
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
    pub(crate) fn literal(self: &Rc<Self>, ty: &Type<'a>) -> Option<Literal<'a>> {
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

    /// The value of the property that discriminates an object type.
    pub(crate) fn discriminating(
        self: &Rc<Self>,
        ty: &Type<'a>,
        discriminator: &str,
    ) -> Option<&'a str> {
        let TypeKind::Object(items) = ty.kind else {
            return None;
        };
        let item = items
            .iter()
            .find(|item| item.key.and_then(|key| key.as_str()) == Some(discriminator))?;
        self.members(&item.ty)?.first()?.node.as_str()
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

/// The name of the type of a value.
pub(crate) fn kind_of(node: &Node<'_>) -> Option<&'static str> {
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
