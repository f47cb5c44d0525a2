//! What a deployment gives the parameters of its template.

use crate::evaluate::engine::{Engine, Env};
use crate::expand::instance::{Instance, Param};
use crate::node::{Expr, ExprKind, Node, NodeKind};
use crate::value::{Data, Shape, Value, Why};

impl<'a> Engine<'a> {
    /// `{ "value": … }` of a parameter of a deployment, or an expression that gives that.
    pub(crate) fn unwrap(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        node: &'a Node<'a>,
        env: Env<'a>,
    ) -> Option<Value<'a>> {
        let value = node.get("value");
        if value.is_none() && node.get("reference").is_some() {
            return self.wrapped(self.node(env, node));
        }
        match (value, value.unwrap_or(node).kind) {
            (_, NodeKind::Expr(expr)) => self.argument(instance, param, expr, env, value.is_none()),
            (Some(value), _) => Some(self.node(env, value)),
            // A loop makes the value: `{ "copy": [{ "name": "value", … }] }`.
            (None, _) => self.wrapped(self.node(env, node)),
        }
    }

    /// An argument. Where a condition is open, a branch without a value has the default.
    fn argument(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        expr: &'a Expr<'a>,
        env: Env<'a>,
        wrapped: bool,
    ) -> Option<Value<'a>> {
        let ExprKind::Call {
            namespace: None,
            name,
            args: [condition, yes, no],
        } = expr.kind
        else {
            return self.unwrapped(self.expr(env, expr), wrapped);
        };
        if !name.eq_ignore_ascii_case("if") {
            return self.unwrapped(self.expr(env, expr), wrapped);
        }
        let condition = self.expr(env, condition);
        match condition.data {
            Data::Bool(true) => self.argument(instance, param, yes, env, wrapped),
            Data::Bool(false) => self.argument(instance, param, no, env, wrapped),
            Data::Unknown(_) => {
                let _guess = self.guess();
                let branch = |expr: &'a Expr<'a>| {
                    let own = self.argument(instance, param, expr, env, wrapped);
                    match (own, param.node.get("defaultValue")) {
                        (
                            Some(Value {
                                data: Data::Null, ..
                            })
                            | None,
                            Some(default),
                        ) => self.node(instance.env(), default),
                        (Some(value), _) => value,
                        (None, None) => Value {
                            span: expr.span,
                            data: Data::Null,
                        },
                    }
                };
                Some(self.either(&condition, branch(yes), branch(no), expr.span))
            }
            _ => self.unwrapped(self.expr(env, expr), wrapped),
        }
    }

    fn unwrapped(&self, value: Value<'a>, wrapped: bool) -> Option<Value<'a>> {
        if wrapped {
            self.wrapped(value)
        } else {
            Some(value)
        }
    }

    /// What stands in `{ "value": … }` or is meant by `{ "reference": … }`.
    fn wrapped(&self, whole: Value<'a>) -> Option<Value<'a>> {
        match whole.data {
            Data::Object(_) => match (whole.get("value"), whole.get("reference")) {
                (Some(value), _) => Some(*value),
                (None, Some(reference)) => Some(self.vault_secret(reference)),
                (None, None) => None,
            },
            Data::Unknown(unknown) => Some(self.open_property(unknown, "value", whole.span, ".?")),
            _ => None,
        }
    }

    /// A secret of a Key Vault.
    fn vault_secret(&self, reference: &Value<'a>) -> Value<'a> {
        let vault = reference.get("keyVault").and_then(|vault| vault.get("id"));
        let null = Value {
            span: reference.span,
            data: Data::Null,
        };
        let vault = vault.copied().unwrap_or(null);
        let name = reference.get("secretName").copied().unwrap_or(null);
        let text = format!(
            "{{getSecret({}, {})}}",
            self.expr_text(&vault),
            self.expr_text(&name)
        );
        let why = [Why::Keys(self.key_text(&vault))];
        self.unknown(reference.span, &text, Shape::String, &why, true)
    }
}
