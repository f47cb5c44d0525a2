//! Expressions of Bicep as values of a template: what needs no expression is written plainly,
//! loops become `copy`.

use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, ForExpression, Object, ObjectItem, ObjectProperty,
    UnaryOperator,
};

use super::depend::Waits;
use super::expr::{self, entry};
use super::lower::{Env, negative};
use super::template::Template;
use super::unit::Symbol;

impl<'a> Template<'_, 'a> {
    /// A value. Past the bounds of depth and size it is nothing, with a problem.
    pub(crate) fn node(&self, expression: &Expression<'a>, env: Env<'a>) -> Node<'a> {
        let span = expression.span;
        let plain = |kind| Node { span, kind };
        let invalid = || self.make().value(self.make().invalid(span));
        let Some(_deeper) = self.session.deeper(span) else {
            return invalid();
        };
        match expression.kind {
            ExpressionKind::Null => plain(NodeKind::Null),
            ExpressionKind::Skipped => invalid(),
            ExpressionKind::Boolean(value) => plain(NodeKind::Bool(value)),
            ExpressionKind::Integer(value) => {
                plain(NodeKind::Int(i64::try_from(value).unwrap_or(i64::MAX)))
            }
            ExpressionKind::Unary(unary) => match (unary.operator, unary.operand.kind) {
                (UnaryOperator::Minus, ExpressionKind::Integer(value)) => {
                    plain(NodeKind::Int(negative(value)))
                }
                _ => self.make().value(self.expr(expression, env)),
            },
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.node(inner, env)
            }
            ExpressionKind::Array(items) if !spreads_items(items) => {
                let items: Vec<_> = items
                    .iter()
                    .filter_map(|item| match item {
                        ArrayItem::Item(item) => Some(self.node(item, env)),
                        ArrayItem::Spread(_) => None,
                    })
                    .collect();
                self.make().array(span, &items)
            }
            ExpressionKind::Object(object) if !spreads(&object) => {
                let entries = self.entries(properties(object), env);
                self.make().object(span, &entries)
            }
            ExpressionKind::VariableAccess(name) => match self.named(expression, name) {
                Some(Symbol::Variable(at))
                    if self.inlined(at) && self.plain_reference(expression).is_none() =>
                {
                    let variable = self.unit.variables.get(at);
                    variable
                        .and_then(|variable| {
                            let value = &variable.of.value;
                            let variable = Waits::Variable(at);
                            self.session
                                .written_out(self.unit.file, variable, span, || {
                                    self.node(value, env)
                                })
                        })
                        .unwrap_or_else(invalid)
                }
                Some(Symbol::Assignment(at)) => match self.unit.assignments.get(at) {
                    Some(given) => self.node(&given.of.value, env),
                    None => plain(NodeKind::Null),
                },
                None if name == "base" && self.plan.base.is_some() => self.base(span),
                _ => self.make().value(self.expr(expression, env)),
            },
            ExpressionKind::PropertyAccess(access) => {
                match self.base_property(&access.base, access.property.name) {
                    Some(value) => value,
                    None => self.make().value(self.expr(expression, env)),
                }
            }
            ExpressionKind::FunctionCall(call) => {
                self.call_value(expression, call.name.name, call.arguments, env)
            }
            ExpressionKind::InstanceFunctionCall(call) => {
                self.call_value(expression, call.name.name, call.arguments, env)
            }
            _ => self.make().value(self.expr(expression, env)),
        }
    }

    fn call_value(
        &self,
        expression: &Expression<'a>,
        name: &str,
        arguments: &'a [Expression<'a>],
        env: Env<'a>,
    ) -> Node<'a> {
        if let ("any", [only]) = (name, arguments) {
            return self.node(only, env);
        }
        if super::lower::is_other_scope(name, arguments) {
            return self.make().object(expression.span, &[]);
        }
        if super::load::is_load(name)
            && self.load_variable(expression.span).is_none()
            && let Some(node) = self.load(expression, name, arguments)
        {
            return node;
        }
        self.make().value(self.expr(expression, env))
    }

    /// The entries of a map: loops first, as `copy`.
    pub(crate) fn entries(
        &self,
        properties: impl Iterator<Item = &'a ObjectProperty<'a>>,
        env: Env<'a>,
    ) -> Vec<Entry<'a>> {
        let mut copies = Vec::new();
        let mut out = Vec::new();
        for property in properties {
            if let ExpressionKind::For(each) = property.value.kind {
                let name = property.key.as_str().unwrap_or_default();
                let span = property.key.span;
                copies.push(self.copy(span, Some(name), each, None, Some(&each.body), env));
                continue;
            }
            let value = self.node(&property.value, env);
            match property.key.as_str() {
                Some(name) => out.push(self.entry(name, property.key.span, value)),
                None => {
                    let key = self.key(&property.key, env);
                    out.push(self.entry_of(key, value));
                }
            }
        }
        if let Some(first) = copies.first() {
            let span = first.span;
            out.insert(0, entry("copy", span, self.make().array(span, &copies)));
        }
        out
    }

    /// A key that is written; `copy` means something else in a template and is escaped.
    pub(crate) fn entry(&self, name: &'a str, span: Span, value: Node<'a>) -> Entry<'a> {
        if name.eq_ignore_ascii_case("copy") {
            let name = expr::string(span, name);
            return self.entry_of(self.make().call(span, "string", &[name]), value);
        }
        entry(name, span, value)
    }

    fn entry_of(&self, key: Expr<'a>, value: Node<'a>) -> Entry<'a> {
        if let ExprKind::Str(name) = key.kind {
            return self.entry(name, key.span, value);
        }
        let mut text = String::new();
        crate::expression::write(&key, &mut text);
        let text = self.make().text(&text);
        Entry {
            key: text,
            key_expr: Some(self.make().expr(key)),
            key_span: key.span,
            value,
        }
    }

    /// `{ name, count, mode, batchSize, input }`
    pub(crate) fn copy(
        &self,
        span: Span,
        name: Option<&'a str>,
        each: &ForExpression<'a>,
        batch: Option<i64>,
        input: Option<&Expression<'a>>,
        env: Env<'a>,
    ) -> Node<'a> {
        let make = self.make();
        let mut out = Vec::new();
        if let Some(name) = name {
            out.push(entry("name", span, expr::text(span, name)));
        }
        out.push(entry("count", each.expression.span, self.count(each, env)));
        if let Some(batch) = batch {
            out.push(entry("mode", span, expr::text(span, "serial")));
            out.push(entry("batchSize", span, expr::number(span, batch)));
        }
        if let Some(input) = input {
            out.push(entry("input", input.span, self.copy_input(input, env)));
        }
        make.object(span, &out)
    }

    pub(crate) fn count(&self, each: &ForExpression<'a>, env: Env<'a>) -> Node<'a> {
        let over = self.expr(&each.expression, env);
        let make = self.make();
        make.value(make.call(each.expression.span, "length", &[over]))
    }

    /// Azure takes a map or a string there, nothing else.
    fn copy_input(&self, input: &Expression<'a>, env: Env<'a>) -> Node<'a> {
        let node = self.node(input, env);
        match node.kind {
            NodeKind::Object(_) => node,
            NodeKind::Str(_) if input.inner().as_str().is_some() => node,
            _ => {
                let expr = self.make().function(self.expr(input, env));
                Node {
                    span: input.span,
                    kind: NodeKind::Expr(self.make().expr(expr)),
                }
            }
        }
    }

    /// The loop that is the value of a module's parameter: `{ "copy": [ … ] }`.
    pub(crate) fn parameter_copy(&self, span: Span, each: &ForExpression<'a>) -> Node<'a> {
        let make = self.make();
        let env = Env::default();
        let body = self.expr(&each.body, env);
        let input = if each.body.inner().as_str().is_some() {
            make.value(body)
        } else {
            let expr = self.rename_copy_index(make.function(body), "value");
            Node {
                span: each.body.span,
                kind: NodeKind::Expr(make.expr(expr)),
            }
        };
        let copy = make.object(
            span,
            &[
                entry("name", span, expr::text(span, "value")),
                entry("count", each.expression.span, self.count(each, env)),
                entry("input", each.body.span, input),
            ],
        );
        let copies = make.array(span, &[copy]);
        make.object(span, &[entry("copy", span, copies)])
    }

    /// Gives every named `copyIndex` another name.
    fn rename_copy_index(&self, expr: Expr<'a>, to: &'a str) -> Expr<'a> {
        let make = self.make();
        let Some(_deeper) = self.session.deeper(expr.span) else {
            return expr;
        };
        let kind = match expr.kind {
            ExprKind::Call {
                namespace: None,
                name: "copyIndex",
                args: [only],
            } if matches!(only.kind, ExprKind::Str(_)) => {
                return make.call(expr.span, "copyIndex", &[expr::string(only.span, to)]);
            }
            ExprKind::Call {
                namespace,
                name,
                args,
            } => {
                let args: Vec<_> = args
                    .iter()
                    .map(|arg| self.rename_copy_index(*arg, to))
                    .collect();
                return make.call_in(expr.span, namespace, name, &args);
            }
            ExprKind::Prop(base, name) => {
                ExprKind::Prop(make.expr(self.rename_copy_index(*base, to)), name)
            }
            ExprKind::Index(base, index) => ExprKind::Index(
                make.expr(self.rename_copy_index(*base, to)),
                make.expr(self.rename_copy_index(*index, to)),
            ),
            other => other,
        };
        Expr { kind, ..expr }
    }
}

pub(crate) fn spreads(object: &Object<'_>) -> bool {
    object
        .items
        .iter()
        .any(|item| matches!(item, ObjectItem::Spread(_)))
}

fn spreads_items(items: &[ArrayItem<'_>]) -> bool {
    items
        .iter()
        .any(|item| matches!(item, ArrayItem::Spread(_)))
}

pub(crate) fn properties<'a>(object: Object<'a>) -> impl Iterator<Item = &'a ObjectProperty<'a>> {
    object.items.iter().filter_map(|item| match item {
        ObjectItem::Property(property) => Some(property),
        _ => None,
    })
}
