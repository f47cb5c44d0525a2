//! Types and what is made of them.

use super::{Printer, unary};
use crate::syntax::types::{Type, TypeKind, TypedLambda};

impl Printer {
    pub(super) fn typed_lambda(&mut self, lambda: &TypedLambda<'_>) {
        self.word("(");
        self.list(lambda.parameters, |printer, parameter| {
            printer.word(parameter.name.name);
            printer.word(" ");
            printer.ty(&parameter.ty);
        });
        self.word(") ");
        self.ty(&lambda.return_type);
        self.word(" => ");
        self.expression(&lambda.body);
    }

    pub(super) fn ty(&mut self, ty: &Type<'_>) {
        match &ty.kind {
            TypeKind::Null => self.word("null"),
            TypeKind::Boolean(value) => self.word(if *value { "true" } else { "false" }),
            TypeKind::Integer(value) => self.word(&value.to_string()),
            TypeKind::String(string) => self.string(string),
            TypeKind::Unary(it) => {
                self.word(unary(it.operator));
                self.ty(&it.operand);
            }
            TypeKind::Name(name) => self.word(name),
            TypeKind::Parameterized(it) => {
                if let Some(base) = &it.base {
                    self.ty(base);
                    self.word(".");
                }
                self.word(it.name.name);
                self.word("<");
                self.list(it.arguments, Self::ty);
                self.word(">");
            }
            TypeKind::Resource(string) => {
                self.word("resource");
                if let Some(string) = string {
                    self.word(" ");
                    self.expression(string);
                }
            }
            TypeKind::Object(items) => self.block("{", "}", items, |printer, item| {
                printer.decorators(item.decorators);
                match &item.key {
                    Some(key) => printer.property_name(key),
                    None => printer.word("*"),
                }
                printer.word(": ");
                printer.ty(&item.ty);
            }),
            TypeKind::Tuple(items) => self.block("[", "]", items, |printer, item| {
                printer.decorators(item.decorators);
                printer.ty(&item.ty);
            }),
            TypeKind::Union(members) => {
                // One member alone is a union by the mark before it.
                if members.len() == 1 {
                    self.word("| ");
                }
                for (at, member) in members.iter().enumerate() {
                    if at > 0 {
                        self.word(" | ");
                    }
                    self.ty(member);
                }
            }
            TypeKind::Parenthesized(inner) => {
                self.word("(");
                self.ty(inner);
                self.word(")");
            }
            other => self.type_access(other),
        }
    }

    /// What follows another type.
    fn type_access(&mut self, kind: &TypeKind<'_>) {
        match kind {
            TypeKind::Array(base) => self.after(base, "[]"),
            TypeKind::Nullable(base) => self.after(base, "?"),
            TypeKind::NonNullable(base) => self.after(base, "!"),
            TypeKind::AdditionalPropertiesAccess(base) => self.after(base, ".*"),
            TypeKind::ItemsAccess(base) => self.after(base, "[*]"),
            TypeKind::PropertyAccess(base, name) => {
                self.after(base, ".");
                self.word(name.name);
            }
            TypeKind::ArrayAccess(base, index) => {
                self.after(base, "[");
                self.expression(index);
                self.word("]");
            }
            _ => {}
        }
    }

    fn after(&mut self, base: &Type<'_>, text: &str) {
        self.ty(base);
        self.word(text);
    }
}
