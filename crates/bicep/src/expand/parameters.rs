//! Parameters: what they are given, their defaults, and what stays open.

use crate::deployment::{Problem, ProblemKind};
use crate::evaluate::compare::identical;
use crate::evaluate::engine::Engine;
use crate::evaluate::near;
use crate::expand::instance::{Given, Instance, New, Param, State};
use crate::expand::places::Places;
use crate::expand::scope::{self, Scope};
use crate::expand::secrets;
use crate::expand::types::{Type, Violation};
use crate::expand::{Assumption, Options};
use crate::functions::{Fault, Outcome};
use crate::node::{Entry, Node, NodeKind};
use crate::value::{Data, Field, Shape, Value, Why};

/// Names that stand for where something is deployed; a parameter that is called so is written
/// as `parameters('subscription')`.
const TAKEN: [&str; 7] = [
    "subscription",
    "resourceGroup",
    "tenant",
    "managementGroup",
    "i",
    "j",
    "k",
];

/// What is refused, and why what takes its place is open.
struct Refused<'v, 'a> {
    violation: &'v Violation,
    why: &'v [Why<'a>],
}

/// A help line for a parameter that there is not.
pub(crate) fn meant(instance: &Instance<'_>, name: &str) -> Option<String> {
    near::nearest(name, instance.params.iter().map(|param| param.name))
        .map(|own| format!("did you mean `{own}`?"))
}

impl<'a> Engine<'a> {
    /// The template that is deployed.
    pub(crate) fn outermost(&self, root: &'a Node<'a>, options: &Options<'a>) -> &'a Instance<'a> {
        let kind = options
            .scope
            .or_else(|| scope::of_template(root))
            .unwrap_or_default();
        let scope = Scope::open(self, kind, root.span);
        let why = [Why::Scope("deployment")];
        let name = self.unknown(root.span, "{deployment().name}", Shape::String, &why, false);
        let new = New {
            node: root,
            parent: None,
            outer: None,
            scope,
            name,
            location: None,
            through: &[],
            path: "",
        };
        let files: &'a [Node<'a>] = self.bump.alloc_slice_copy(&options.parameter_files);
        // Values in parameter files are no expressions, but the file may be one of a Bicep
        // compiler, which allows some: they see a template without anything.
        let lists: Vec<(&'a [Entry<'a>], Places<'a>)> = files
            .iter()
            .rev()
            .map(|file| {
                let entries = file.get("parameters").unwrap_or(file).entries();
                let plain = entries
                    .iter()
                    .map(|entry| entry.key_expr.is_none().then_some(entry.key));
                (entries, Places::new(self.bump, plain))
            })
            .collect();
        let instance = self.instance(new, |name| self.outermost_given(name, &lists, options));
        for param in instance.params {
            let assumed = options
                .assume
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(param.name));
            match assumed {
                Some((_, Assumption::Is(value))) => {
                    let value = self.conceal(instance, param, *value);
                    param.state.set(State::Done(value));
                }
                Some((_, Assumption::NoneOf(values))) => {
                    let open = self.open_parameter(instance, param);
                    let not = self.bump.alloc_slice_copy(values);
                    let open = self.with(open, |unknown| unknown.not = not);
                    param.state.set(State::Done(open));
                }
                None => {}
            }
        }
        self.unknown_parameters(files, instance, options);
        instance
    }

    fn outermost_given(
        &self,
        name: &str,
        lists: &[(&'a [Entry<'a>], Places<'a>)],
        options: &Options<'a>,
    ) -> Given<'a> {
        let given = options
            .given
            .iter()
            .rev()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((_, value)) = given {
            return Given::Value(*value);
        }
        for (entries, places) in lists {
            let found = places.get(name).and_then(|at| entries.get(at));
            let Some(entry) = found.map(|entry| &entry.value) else {
                continue;
            };
            if let Some(value) = entry.get("value") {
                return Given::Value(self.plain(value));
            }
            if entry.get("reference").is_some() {
                return Given::Secret(entry.span);
            }
        }
        Given::Nothing
    }

    /// A node of a parameter file as a value. Expressions in it are not evaluated.
    fn plain(&self, node: &Node<'a>) -> Value<'a> {
        let data = match node.kind {
            NodeKind::Null => Data::Null,
            NodeKind::Bool(bool) => Data::Bool(bool),
            NodeKind::Int(int) => Data::Int(int),
            NodeKind::Float(float) => Data::Float(float),
            NodeKind::Str(text) => Data::Str(text),
            NodeKind::Expr(expr) => {
                let text = crate::expression::print(expr);
                let why = [Why::Unsupported(self.bump.alloc_str(&text))];
                return self.unknown(node.span, &text, Shape::Any, &why, false);
            }
            NodeKind::Array(items) => Data::Array(
                self.bump
                    .alloc_slice_fill_iter(items.iter().map(|item| self.plain(item))),
            ),
            NodeKind::Object(entries) => {
                let mut fields = crate::evaluate::object::Fields::new(self.bump, entries.len());
                for entry in entries {
                    fields.put(entry.key, entry.key_span, self.plain(&entry.value));
                }
                Data::Object(fields.finish())
            }
        };
        Value {
            span: node.span,
            data,
        }
    }

    /// Notes what was given to parameters that there are not.
    fn unknown_parameters(
        &self,
        files: &'a [Node<'a>],
        instance: &'a Instance<'a>,
        options: &Options<'a>,
    ) {
        for file in files {
            let Some(list) = file.get("parameters") else {
                continue;
            };
            for entry in list.entries() {
                if instance.param(entry.key).is_none() {
                    self.problem(Problem {
                        span: entry.key_span,
                        message: format!("the template has no parameter `{}`", entry.key),
                        help: meant(instance, entry.key),
                        kind: ProblemKind::Expression,
                    });
                }
            }
        }
        for (name, value) in &options.given {
            if instance.param(name).is_none() {
                self.problem(Problem {
                    span: value.span,
                    message: format!("the template has no parameter `{name}`"),
                    help: meant(instance, name),
                    kind: ProblemKind::Expression,
                });
            }
        }
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, instance: &'a Instance<'a>, name: &str) -> Outcome<'a> {
        let Some(param) = instance.param(name) else {
            if !self.spend(instance.params.len() / 4) {
                return Err(Fault::Exhausted);
            }
            let hint = near::hint(name, instance.params.iter().map(|param| param.name));
            return Fault::error(format!("there is no parameter `{name}`{hint}"));
        };
        match param.state.get() {
            State::Done(value) => Ok(value),
            State::Doing => Fault::error(format!("the parameter `{name}` leads back to itself")),
            State::Todo => {
                param.state.set(State::Doing);
                let value = self.bounded(self.parameter_value(instance, param));
                param.state.set(State::Done(value));
                Ok(value)
            }
        }
    }

    fn parameter_value(&self, instance: &'a Instance<'a>, param: &'a Param<'a>) -> Value<'a> {
        let given = match param.given {
            Given::Nothing => None,
            Given::Value(value) => Some(value),
            Given::Secret(span) => {
                let text = self.parameter_text(param.name);
                return self.secret(instance, param, span, &text);
            }
            Given::Wrapped(node, env) => self.unwrap(instance, param, node, env),
        };
        let root = instance.parent.is_none();
        match given {
            // `null` for a parameter is as good as nothing.
            None
            | Some(Value {
                data: Data::Null, ..
            }) => {
                if let Some(default) = param.node.get("defaultValue") {
                    let value = self.node(instance.env(), default);
                    return self.conceal(instance, param, self.checked(instance, param, value));
                }
                let declared = Type::new(instance, param.node);
                if declared.nullable() {
                    let span = given.map_or(param.node.span, |value| value.span);
                    return Value {
                        span,
                        data: Data::Null,
                    };
                }
                if root {
                    return self.open_parameter(instance, param);
                }
                self.missing(instance, param)
            }
            // A value that a parameter file leaves open (an environment variable) is as good as none.
            Some(Value {
                data: Data::Unknown(open),
                ..
            }) if root && !open.secret && !matches!(open.why, [Why::Parameter(_)]) => {
                self.open_parameter(instance, param)
            }
            Some(value) => {
                let value = self.refined(instance, param, value);
                self.conceal(instance, param, self.checked(instance, param, value))
            }
        }
    }

    /// A parameter of a module that needs a value and has none.
    fn missing(&self, instance: &'a Instance<'a>, param: &'a Param<'a>) -> Value<'a> {
        let span = instance.through.last().copied().unwrap_or(param.name_span);
        let message = format!("the parameter `{}` of the module has no value", param.name);
        self.error(span, message)
    }

    pub(crate) fn parameter_text(&self, name: &str) -> String {
        if TAKEN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            format!("parameters('{name}')")
        } else {
            name.to_owned()
        }
    }

    /// A parameter of the outermost template that nobody gave a value.
    fn open_parameter(&self, instance: &'a Instance<'a>, param: &'a Param<'a>) -> Value<'a> {
        let declared = Type::new(instance, param.node);
        let text = self.parameter_text(param.name);
        if declared.secure() {
            return self.secret(instance, param, param.name_span, &text);
        }
        let shape = declared.shape();
        let braced = if shape == Shape::String {
            format!("{{{text}}}")
        } else {
            text
        };
        let why = [Why::Parameter(param.name)];
        let open = self.unknown(param.name_span, &braced, shape, &why, false);
        let allowed = self.allowed_values(instance, param.node);
        if !allowed.is_empty() {
            let allowed = self.bump.alloc_slice_copy(&allowed);
            self.allowed.borrow_mut().push((param.name, allowed));
        }
        let nonempty = declared.min_length().is_some_and(|min| min > 0) && shape == Shape::String;
        if !nonempty {
            return open;
        }
        let empty = Value {
            span: param.name_span,
            data: Data::Str(""),
        };
        let not = self.bump.alloc_slice_copy(&[empty]);
        self.with(open, |unknown| unknown.not = not)
    }

    /// What the declared type says of a value that is open.
    fn refined(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        value: Value<'a>,
    ) -> Value<'a> {
        let Data::Unknown(unknown) = value.data else {
            return value;
        };
        if unknown.shape != Shape::Any {
            return value;
        }
        let declared = Type::new(instance, param.node);
        let value = match param.node.get("defaultValue") {
            Some(default) => {
                let _guess = self.guess();
                let default = self.node(instance.env(), default);
                if unknown.not.iter().any(|not| matches!(not.data, Data::Null)) {
                    value
                } else if matches!(default.data, Data::Null) {
                    return value;
                } else {
                    let text = format!("{} ?? {}", self.operand(&value), self.operand(&default));
                    self.opened(value.span, &text, Shape::Any, &[value, default])
                }
            }
            None if declared.nullable() => return value,
            None => value,
        };
        self.shaped(value, declared.shape())
    }

    /// An open value of which the type becomes known.
    pub(crate) fn shaped(&self, value: Value<'a>, shape: Shape) -> Value<'a> {
        let Data::Unknown(unknown) = value.data else {
            return value;
        };
        if unknown.shape != Shape::Any || shape == Shape::Any {
            return value;
        }
        let text = if shape == Shape::String {
            self.bump.alloc_str(&format!("{{{}}}", unknown.text))
        } else {
            unknown.text
        };
        self.with(value, |unknown| {
            unknown.shape = shape;
            unknown.text = text;
        })
    }

    /// Notes where a value is not what its parameter's declaration allows, and leaves it open: with
    /// what is refused nothing is deployed.
    fn checked(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        value: Value<'a>,
    ) -> Value<'a> {
        let declared = Type::new(instance, param.node);
        let name = param.name;
        let mut value = value;
        // One problem for each part that is refused, up to a few.
        for _ in 0..8 {
            let Some(violation) = declared.violation(self, &value) else {
                break;
            };
            let message = if declared.secure() || secrets::says_secret(name) {
                format!("the value of `{name}` is not what its declaration allows")
            } else {
                format!(
                    "the value of `{name}` is not allowed: {}",
                    violation.message
                )
            };
            if self.guesses.get() == 0 {
                self.problem(Problem {
                    span: violation.span,
                    message,
                    help: None,
                    kind: ProblemKind::Expression,
                });
            }
            param.refused.set(true);
            let text = format!("{}{}", instance.path, self.parameter_text(name));
            let why = [self.parameter_reason(instance, param)];
            let refused = Refused {
                violation: &violation,
                why: &why,
            };
            value = self.without(&refused, value, &text, 0);
            if violation.partly {
                break;
            }
        }
        value
    }

    /// A value whose refused part is open.
    fn without(
        &self,
        refused: &Refused<'_, 'a>,
        value: Value<'a>,
        text: &str,
        depth: u32,
    ) -> Value<'a> {
        let span = refused.violation.span;
        if value.span == span {
            let open = self.unknown(span, text, Shape::Any, refused.why, false);
            return match value.data {
                Data::Object(fields) if refused.violation.partly => self.with(open, |own| {
                    own.shape = Shape::Object;
                    own.fields = fields;
                }),
                _ => open,
            };
        }
        if depth > 64 {
            return value;
        }
        let data = match value.data {
            Data::Object(fields) => {
                let fields = fields.iter().map(|field| {
                    let text = format!("{text}.{}", field.key);
                    let value = self.without(refused, field.value, &text, depth + 1);
                    Field { value, ..*field }
                });
                let fields: Vec<_> = fields.collect();
                Data::Object(self.bump.alloc_slice_copy(&fields))
            }
            Data::Array(items) => {
                let items = items.iter().enumerate().map(|(at, item)| {
                    self.without(refused, *item, &format!("{text}[{at}]"), depth + 1)
                });
                let items: Vec<_> = items.collect();
                Data::Array(self.bump.alloc_slice_copy(&items))
            }
            data => data,
        };
        Value { data, ..value }
    }

    /// What is open because of a parameter.
    fn parameter_reason(&self, instance: &'a Instance<'a>, param: &'a Param<'a>) -> Why<'a> {
        match instance.parent {
            None => Why::Parameter(param.name),
            Some(_) => {
                let name = format!("{}{}", instance.path, param.name);
                Why::Parameter(self.bump.alloc_str(&name))
            }
        }
    }

    /// Whether a parameter's declaration makes its value a secret.
    pub(crate) fn is_secret(&self, instance: &'a Instance<'a>, node: &'a Node<'a>) -> bool {
        Type::new(instance, node).secure()
    }

    /// What a declaration allows.
    pub(crate) fn allowed_values(
        &self,
        instance: &'a Instance<'a>,
        node: &'a Node<'a>,
    ) -> Vec<Value<'a>> {
        let declared = Type::new(instance, node);
        let mut values: Vec<Value<'a>> = Vec::new();
        // A list may hold any of the allowed values: that says little of the list itself.
        if declared.base_shape() == Shape::Array {
            return values;
        }
        for item in declared
            .get("allowedValues")
            .map(Node::items)
            .unwrap_or_default()
        {
            let value = self.plain(item);
            if !values.iter().any(|own| identical(own, &value)) {
                values.push(value);
            }
        }
        if values.is_empty() && declared.shape() == Shape::Bool {
            values = [true, false]
                .map(|bool| Value {
                    span: node.span,
                    data: Data::Bool(bool),
                })
                .to_vec();
        }
        values
    }
}
