//! Evaluates nodes and expressions of a template, lazily, with unknowns.
//!
//! What a declaration means (parameters, resources, deployments) is in [`crate::expand`]; what a
//! function means in [`crate::functions`]. Nothing here fails: what Azure would refuse becomes a
//! problem and an unknown.

pub(crate) mod budget;
pub(crate) mod compare;
pub(crate) mod engine;
pub(crate) mod member;
pub(crate) mod merge;
pub(crate) mod near;
pub(crate) mod object;
pub(crate) mod open;
pub(crate) mod text;
pub(crate) mod weight;

use crate::evaluate::engine::{Engine, Env, Frame, FrameKind};
use crate::evaluate::object::Fields;
use crate::functions::{self, Call, Fault};
use crate::json::INVALID;
use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::Span;
use crate::value::{Data, Shape, Value, Why};

/// How often an expression may lead to another before evaluation stops: far above what templates
/// do, below what would end the stack.
const MAX_DEPTH: u32 = 500;

/// Name of the call that stands for a value that is known already: a template that was computed
/// has values in it that are open.
pub(crate) const KEPT: &str = "$kept";

/// Most iterations of a copy loop, as in Azure.
pub(crate) const MAX_COPY: i64 = 800;

impl<'a> Engine<'a> {
    /// The value of a node.
    pub(crate) fn node(&self, env: Env<'a>, node: &'a Node<'a>) -> Value<'a> {
        let data = match node.kind {
            NodeKind::Null => Data::Null,
            NodeKind::Bool(bool) => Data::Bool(bool),
            NodeKind::Int(int) => Data::Int(int),
            NodeKind::Float(float) => Data::Float(float),
            NodeKind::Str(text) => Data::Str(text),
            NodeKind::Expr(expr) => return self.expr(env, expr),
            NodeKind::Array(items) => {
                let Some(_guard) = self.enter() else {
                    return self.too_deep(node.span);
                };
                let values = self
                    .bump
                    .alloc_slice_fill_iter(items.iter().map(|item| self.node(env, item)));
                Data::Array(values)
            }
            NodeKind::Object(entries) => {
                let Some(_guard) = self.enter() else {
                    return self.too_deep(node.span);
                };
                return self.object(env, entries, node.span, &[]);
            }
        };
        Value {
            span: node.span,
            data,
        }
    }

    /// An object without some of its keys. Loops over properties are unrolled.
    pub(crate) fn object(
        &self,
        env: Env<'a>,
        entries: &'a [Entry<'a>],
        span: Span,
        without: &[&str],
    ) -> Value<'a> {
        let mut fields = Fields::new(self.bump, entries.len());
        for entry in entries {
            if let Some(expr) = entry.key_expr {
                let key = self.expr(env, expr);
                let value = self.node(env, &entry.value);
                fields.put(self.key_text(&key), entry.key_span, value);
            } else if without
                .iter()
                .any(|name| entry.key.eq_ignore_ascii_case(name))
            {
            } else if entry.key.eq_ignore_ascii_case("copy") && is_property_copy(&entry.value) {
                for item in entry.value.items() {
                    if let Some((name, name_span, value)) = self.copied(env, item) {
                        fields.put(name, name_span, value);
                    }
                }
            } else {
                fields.put(entry.key, entry.key_span, self.node(env, &entry.value));
            }
        }
        Value {
            span,
            data: Data::Object(fields.finish()),
        }
    }

    /// `{ "name": …, "count": …, "input": … }`: name and list of a loop over a property or a
    /// variable.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/templates/copy-properties>
    pub(crate) fn copied(
        &self,
        env: Env<'a>,
        node: &'a Node<'a>,
    ) -> Option<(&'a str, Span, Value<'a>)> {
        let name_node = node.get("name")?;
        let name = self.key_text(&self.node(env, name_node));
        let count = self.node(env, node.get("count")?);
        let input = node.get("input")?;
        Some((
            name,
            name_node.span,
            self.repeat(env, name, count, input, node.span),
        ))
    }

    /// The list that a loop makes.
    pub(crate) fn repeat(
        &self,
        env: Env<'a>,
        name: &'a str,
        count: Value<'a>,
        input: &'a Node<'a>,
        span: Span,
    ) -> Value<'a> {
        match count.data {
            Data::Int(count) if (0..=MAX_COPY).contains(&count) => {
                let items = self
                    .bump
                    .alloc_slice_fill_iter((0..count as usize).map(|index| {
                        let index = Value {
                            span,
                            data: Data::Int(index as i64),
                        };
                        let env = env.push(
                            self.bump,
                            FrameKind::Loop {
                                name,
                                index,
                                resource: false,
                            },
                        );
                        self.node(env, input)
                    }));
                Value {
                    span,
                    data: Data::Array(items),
                }
            }
            Data::Int(count) => self.error(
                span,
                format!("a loop may run 0 to {MAX_COPY} times, not {count}"),
            ),
            Data::Unknown(unknown) => {
                let index = self.loop_index(env, unknown, span);
                let _guess = self.guess();
                let env = env.push(
                    self.bump,
                    FrameKind::Loop {
                        name,
                        index,
                        resource: false,
                    },
                );
                let item = self.node(env, input);
                let range = format!("range(0, {})", self.expr_text(&count));
                let text = format!(
                    "map({range}, {} => {})",
                    self.expr_text(&index),
                    self.expr_text(&item)
                );
                self.opened(span, &text, Shape::Array, &[count, item])
            }
            _ => self.error(
                span,
                "the `count` of a loop must be a whole number".to_owned(),
            ),
        }
    }

    /// The index of the one iteration that stands for all of a loop whose count is open.
    pub(crate) fn loop_index(
        &self,
        env: Env<'a>,
        count: &crate::value::Unknown<'a>,
        span: Span,
    ) -> Value<'a> {
        let depth = env
            .frames()
            .filter(|frame| matches!(frame.kind, FrameKind::Loop { .. }))
            .count();
        let deep;
        let letter = match depth {
            0 => "i",
            1 => "j",
            2 => "k",
            _ => {
                deep = format!("i{}", depth + 1);
                deep.as_str()
            }
        };
        self.unknown(span, letter, Shape::Int, count.why, false)
    }

    /// The value of an expression.
    pub(crate) fn expr(&self, env: Env<'a>, expr: &'a Expr<'a>) -> Value<'a> {
        let span = expr.span;
        match expr.kind {
            ExprKind::Str(text) => Value {
                span,
                data: Data::Str(text),
            },
            ExprKind::Int(int) => Value {
                span,
                data: Data::Int(int),
            },
            ExprKind::Float(float) => Value {
                span,
                data: Data::Float(float),
            },
            ExprKind::Prop(base, name) => {
                let Some(_guard) = self.enter() else {
                    return self.too_deep(span);
                };
                let base = self.expr(env, base);
                self.property(&base, name, span)
            }
            ExprKind::Index(base, index) => {
                let Some(_guard) = self.enter() else {
                    return self.too_deep(span);
                };
                if let Some(number) = self.number_of_range(env, base, index, span) {
                    return number;
                }
                let container = self.expr(env, base);
                let index = self.expr(env, index);
                let named = index.unknown().is_some() && container.unknown().is_none();
                let name = named.then(|| expr_name(env, base)).flatten();
                self.index(&container, &index, name, span)
            }
            ExprKind::Call {
                namespace,
                name,
                args,
            } => {
                let Some(_guard) = self.enter() else {
                    return self.too_deep(span);
                };
                self.call(env, expr, namespace, name, args)
            }
        }
    }

    /// `range(a, b)[copyIndex()]`, which every loop over numbers has: the list need not be made.
    fn number_of_range(
        &self,
        env: Env<'a>,
        base: &'a Expr<'a>,
        index: &'a Expr<'a>,
        span: Span,
    ) -> Option<Value<'a>> {
        let ExprKind::Call {
            namespace: None,
            name,
            args: [start, count],
        } = base.kind
        else {
            return None;
        };
        let (ExprKind::Int(start), ExprKind::Int(count)) = (start.kind, count.kind) else {
            return None;
        };
        let is_range = name.eq_ignore_ascii_case("range") && (0..=10_000).contains(&count);
        if !is_range || !(0..=i64::from(i32::MAX) - 10_000).contains(&start) {
            return None;
        }
        match self.expr(env, index).data {
            Data::Int(at) if (0..count).contains(&at) => Some(Value {
                span,
                data: Data::Int(start + at),
            }),
            _ => None,
        }
    }

    fn call(
        &self,
        env: Env<'a>,
        expr: &'a Expr<'a>,
        namespace: Option<&'a str>,
        name: &'a str,
        args: &'a [Expr<'a>],
    ) -> Value<'a> {
        let span = expr.span;
        // `this.exists()`, `this.existingResource()`: what was there before the deployment.
        if namespace.is_some_and(|namespace| namespace.eq_ignore_ascii_case("this")) {
            let exists = name.eq_ignore_ascii_case("exists");
            let shape = if exists { Shape::Bool } else { Shape::Any };
            let why = [Why::Reference("this")];
            return self.unknown(span, &format!("this.{name}()"), shape, &why, false);
        }
        if let Some(namespace) = namespace
            && !namespace.eq_ignore_ascii_case("sys")
            && !namespace.eq_ignore_ascii_case("az")
        {
            return self.user_function(env, namespace, name, args, span);
        }
        if name == INVALID {
            return self.unknown(span, "invalid", Shape::Any, &[Why::Error("syntax")], false);
        }
        if let (
            KEPT,
            [
                Expr {
                    kind: ExprKind::Int(at),
                    ..
                },
            ],
        ) = (name, args)
        {
            let kept = usize::try_from(*at)
                .ok()
                .and_then(|at| self.kept.borrow().get(at).copied());
            return kept.unwrap_or(Value {
                span,
                data: Data::Null,
            });
        }
        let call = Call {
            engine: self,
            env,
            span,
            name,
            exprs: args,
        };
        match functions::call(&call) {
            // What is open stands where it is used: there is nothing to see where it comes from.
            // What is wrong stands where it was found, and is said there.
            Ok(value)
                if value.unknown().is_some()
                    && !merge::is_error(&value)
                    && !self.hides(span, value.span) =>
            {
                Value { span, ..value }
            }
            Ok(value) => value,
            Err(Fault::Error(message)) => self.error(span, message),
            Err(Fault::Exhausted) => self.exhausted(span),
            Err(Fault::Open) => {
                self.unknown(span, name, Shape::Any, &[Why::Unsupported(name)], false)
            }
        }
    }

    /// Whether a place is in a published module and another one is not.
    fn hides(&self, place: Span, other: Span) -> bool {
        let sources = self.sources.borrow();
        let published = |span: Span| {
            sources
                .get(span.file)
                .is_some_and(|source| source.published)
        };
        published(place) && !published(other)
    }

    /// A function that the template declares. It sees its own parameters only.
    fn user_function(
        &self,
        env: Env<'a>,
        namespace: &'a str,
        name: &'a str,
        args: &'a [Expr<'a>],
        span: Span,
    ) -> Value<'a> {
        let Some(declaration) = env.template.function(namespace, name) else {
            let message = format!("there is no function `{namespace}.{name}`");
            return self.error(span, message);
        };
        let names = declaration
            .get("parameters")
            .map(Node::items)
            .unwrap_or_default();
        if names.len() != args.len() {
            let message = format!(
                "`{namespace}.{name}` takes {} arguments, not {}",
                names.len(),
                args.len()
            );
            return self.error(span, message);
        }
        let Some(output) = declaration
            .get("output")
            .and_then(|output| output.get("value"))
        else {
            return self.error(span, format!("`{namespace}.{name}` has no output"));
        };
        let params = self
            .bump
            .alloc_slice_fill_iter(names.iter().zip(args).map(|(param, arg)| {
                let name = param.get("name").and_then(Node::as_str).unwrap_or_default();
                (name, self.expr(env, arg))
            }));
        let inner = Env { frame: None, ..env };
        self.node(
            inner.push(self.bump, FrameKind::Function { params }),
            output,
        )
    }

    /// The value of a variable of a lambda, if there is one of this name.
    pub(crate) fn lambda_variable(env: Env<'a>, name: &str) -> Option<Value<'a>> {
        env.frames().find_map(|Frame { kind, .. }| match kind {
            FrameKind::Lambda { name: own, value } if own.eq_ignore_ascii_case(name) => {
                Some(*value)
            }
            _ => None,
        })
    }
}

/// What a variable or a parameter, or something in it, is called in texts.
fn expr_name(env: Env<'_>, expr: &Expr<'_>) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut base = expr;
    loop {
        match base.kind {
            ExprKind::Prop(inner, name) => {
                names.push(name);
                base = inner;
            }
            ExprKind::Call {
                namespace: None,
                name,
                args:
                    [
                        Expr {
                            kind: ExprKind::Str(own),
                            ..
                        },
                    ],
            } if ["variables", "parameters"]
                .iter()
                .any(|is| name.eq_ignore_ascii_case(is)) =>
            {
                let in_function = env
                    .frames()
                    .any(|frame| matches!(frame.kind, FrameKind::Function { .. }));
                names.push(own);
                names.reverse();
                let path = env.template.path;
                return (!in_function).then(|| format!("{path}{}", names.join(".")));
            }
            _ => return None,
        }
    }
}

/// Whether the value of a `copy` key in an object is a loop over properties.
pub(crate) fn is_property_copy(node: &Node<'_>) -> bool {
    let items = node.items();
    !items.is_empty()
        && items
            .iter()
            .all(|item| item.get("name").is_some() && item.get("count").is_some())
}

impl<'a> Engine<'a> {
    fn too_deep(&self, span: Span) -> Value<'a> {
        if self.fuel.get() == 0 {
            return self.exhausted(span);
        }
        let message = "the expression leads through too many others";
        self.error(span, message.to_owned())
    }

    /// Counts one step down. Nothing when it would be one too many.
    pub(crate) fn enter(&self) -> Option<engine::Depth<'_>> {
        let depth = self.depth.get();
        let fuel = self.fuel.get();
        if depth >= MAX_DEPTH || fuel == 0 {
            return None;
        }
        self.fuel.set(fuel - 1);
        if self.bump.allocated_bytes() > self.most_bytes {
            self.fuel.set(0);
        }
        self.depth.set(depth + 1);
        Some(engine::Depth(&self.depth))
    }
}
