//! The names that a type or an expression uses.

use std::collections::HashSet;

use crate::syntax::{
    ArrayItem, Decorator, Expression, ExpressionKind, ObjectItem, PropertyNameKind, Type, TypeKind,
};

use super::unit::{Symbol, Unit};

/// What is used, in order, each once; and where `load…` calls start.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) loads: HashSet<u32>,
}

impl Names {
    fn add(&mut self, unit: &Unit<'_>, name: &str) {
        if let Some(symbol) = unit.symbols.get(name)
            && !self.symbols.contains(symbol)
        {
            self.symbols.push(*symbol);
        }
    }

    fn all(&mut self, unit: &Unit<'_>, all: &[Expression<'_>]) {
        for expression in all {
            self.expression(unit, expression);
        }
    }

    pub(crate) fn decorators(&mut self, unit: &Unit<'_>, decorators: &[Decorator<'_>]) {
        for decorator in decorators {
            self.all(unit, decorator.arguments());
        }
    }

    pub(crate) fn expression(&mut self, unit: &Unit<'_>, expression: &Expression<'_>) {
        match expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Integer(_)
            | ExpressionKind::Skipped => {}
            ExpressionKind::String(string) => self.all(unit, string.expressions),
            ExpressionKind::Array(items) => {
                for item in items {
                    match item {
                        ArrayItem::Item(item) => self.expression(unit, item),
                        ArrayItem::Spread(spread) => self.expression(unit, &spread.expression),
                    }
                }
            }
            ExpressionKind::Object(object) => {
                for item in object.items {
                    match item {
                        ObjectItem::Property(property) => {
                            if let PropertyNameKind::String(string) = property.key.kind {
                                self.all(unit, string.expressions);
                            }
                            self.expression(unit, &property.value);
                        }
                        ObjectItem::Spread(spread) => self.expression(unit, &spread.expression),
                        ObjectItem::Resource(_) | ObjectItem::Skipped(_) => {}
                    }
                }
            }
            ExpressionKind::For(each) => self.all(unit, &[each.expression, each.body]),
            ExpressionKind::If(of) => self.all(unit, &[of.condition, of.body]),
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.expression(unit, inner);
            }
            ExpressionKind::VariableAccess(name) => {
                if !unit.bound.contains_key(&expression.span.start) {
                    self.add(unit, name);
                }
            }
            ExpressionKind::FunctionCall(call) => {
                self.loads.insert(expression.span.start);
                self.add(unit, call.name.name);
                self.all(unit, call.arguments);
            }
            ExpressionKind::InstanceFunctionCall(call) => {
                self.loads.insert(expression.span.start);
                self.expression(unit, &call.base);
                self.all(unit, call.arguments);
            }
            ExpressionKind::PropertyAccess(access) => self.expression(unit, &access.base),
            ExpressionKind::ArrayAccess(access) => self.all(unit, &[access.base, access.index]),
            ExpressionKind::ResourceAccess(access) => self.expression(unit, &access.base),
            ExpressionKind::Unary(unary) => self.expression(unit, &unary.operand),
            ExpressionKind::Binary(binary) => self.all(unit, &[binary.left, binary.right]),
            ExpressionKind::Ternary(of) => {
                self.all(
                    unit,
                    &[of.condition, of.true_expression, of.false_expression],
                );
            }
            ExpressionKind::Lambda(lambda) => self.expression(unit, &lambda.body),
        }
    }

    pub(crate) fn ty(&mut self, unit: &Unit<'_>, ty: &Type<'_>) {
        match ty.kind {
            TypeKind::Name(name) => self.add(unit, name),
            TypeKind::Object(items) => {
                for item in items {
                    self.decorators(unit, item.decorators);
                    self.ty(unit, &item.ty);
                }
            }
            TypeKind::Tuple(items) => {
                for item in items {
                    self.decorators(unit, item.decorators);
                    self.ty(unit, &item.ty);
                }
            }
            TypeKind::Union(members) => {
                for member in members {
                    self.ty(unit, member);
                }
            }
            TypeKind::Array(inner)
            | TypeKind::Nullable(inner)
            | TypeKind::NonNullable(inner)
            | TypeKind::Parenthesized(inner)
            | TypeKind::PropertyAccess(inner, _)
            | TypeKind::AdditionalPropertiesAccess(inner)
            | TypeKind::ItemsAccess(inner)
            | TypeKind::ArrayAccess(inner, _) => self.ty(unit, inner),
            TypeKind::Unary(unary) => self.ty(unit, &unary.operand),
            TypeKind::Null
            | TypeKind::Boolean(_)
            | TypeKind::Integer(_)
            | TypeKind::String(_)
            | TypeKind::Parameterized(_)
            | TypeKind::Resource(_)
            | TypeKind::Skipped => {}
        }
    }
}
