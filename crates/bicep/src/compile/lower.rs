//! Expressions of Bicep as expressions of the template language. How resources and modules are
//! named and referred to is in `reference`.
//!
//! A name may be moved: the name of a resource in a loop, asked for elsewhere as `pools[i].name`,
//! is the name's expression with the loop's number replaced by `i`. What is replaced is in [`Env`].

use crate::deployment::{Problem, ProblemKind};
use crate::node::{Expr, ExprKind};
use crate::source::Span;
use crate::syntax::{
    ArrayAccess, ArrayItem, BinaryOperation, BinaryOperator, Expression, ExpressionKind,
    FunctionCall, Identifier, InstanceFunctionCall, Object, ObjectItem, PropertyAccess,
    PropertyName, PropertyNameKind, StringLiteral, UnaryOperator,
};

use super::depend::Waits;
use super::expr::{self, Maker};
use super::reference::Target;
use super::template::Template;
use super::unit::{Bound, Symbol};

/// What stands for the numbers of loops that a name was moved out of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Env<'a>(Option<&'a Frame<'a>>);

#[derive(Debug)]
struct Frame<'a> {
    /// The number of a loop.
    of: usize,
    index: Expr<'a>,
    next: Env<'a>,
}

impl<'a> Env<'a> {
    pub(crate) fn with(self, make: Maker<'a>, of: usize, index: Expr<'a>) -> Self {
        Self(Some(make.0.alloc(Frame {
            of,
            index,
            next: self,
        })))
    }

    fn get(self, of: usize) -> Option<Expr<'a>> {
        let mut at = self;
        while let Some(frame) = at.0 {
            if frame.of == of {
                return Some(frame.index);
            }
            at = frame.next;
        }
        None
    }
}

impl<'a> Template<'_, 'a> {
    /// An expression of the template language. Past the bounds of depth and size it is nothing,
    /// with a problem.
    pub(crate) fn expr(&self, expression: &Expression<'a>, env: Env<'a>) -> Expr<'a> {
        let span = expression.span;
        let Some(_deeper) = self.session.deeper(span) else {
            return self.make().invalid(span);
        };
        let make = self.make();
        match expression.kind {
            ExpressionKind::Null => make.null(span),
            ExpressionKind::Boolean(value) => make.bool(span, value),
            ExpressionKind::Integer(value) => {
                make.int(span, i64::try_from(value).unwrap_or(i64::MAX))
            }
            ExpressionKind::String(string) => self.string(span, &string, env),
            ExpressionKind::Array(items) => self.array(span, items, env),
            ExpressionKind::Object(object) => self.object(span, &object, env),
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.expr(inner, env)
            }
            ExpressionKind::VariableAccess(name) => self.variable(expression, name, env),
            // The reader has said that the name is missing.
            ExpressionKind::FunctionCall(call) if call.name.name.is_empty() => make.invalid(span),
            ExpressionKind::InstanceFunctionCall(call) if call.name.name.is_empty() => {
                make.invalid(span)
            }
            ExpressionKind::FunctionCall(call) => self.function_call(expression, call, env),
            ExpressionKind::InstanceFunctionCall(call) => self.instance_call(expression, call, env),
            ExpressionKind::PropertyAccess(access) => self.property_access(span, access, env),
            ExpressionKind::ArrayAccess(access) => self.array_access(expression, access, env),
            ExpressionKind::ResourceAccess(_) => match self.reference(expression, env) {
                Some(found) => self.whole(span, &found),
                None => self.unknown_name(span, "this is no resource"),
            },
            ExpressionKind::Unary(unary) => match (unary.operator, unary.operand.kind) {
                (UnaryOperator::Minus, ExpressionKind::Integer(value)) => {
                    make.int(span, negative(value))
                }
                (UnaryOperator::Minus, _) => {
                    let operand = self.expr(&unary.operand, env);
                    make.call(span, "sub", &[make.int(span, 0), operand])
                }
                (UnaryOperator::Not, _) => {
                    let operand = self.expr(&unary.operand, env);
                    make.call(span, "not", &[operand])
                }
            },
            ExpressionKind::Binary(binary) => self.binary(span, binary, env),
            ExpressionKind::Ternary(ternary) => {
                let args = [
                    self.expr(&ternary.condition, env),
                    self.expr(&ternary.true_expression, env),
                    self.expr(&ternary.false_expression, env),
                ];
                make.call(span, "if", &args)
            }
            ExpressionKind::Lambda(lambda) => {
                let mut args: Vec<_> = lambda
                    .parameters
                    .iter()
                    .map(|parameter| expr::string(parameter.span, parameter.name))
                    .collect();
                args.push(self.expr(&lambda.body, env));
                make.call(span, "lambda", &args)
            }
            ExpressionKind::For(_) | ExpressionKind::If(_) => {
                self.unknown_name(span, "a loop or a condition cannot stand here")
            }
            ExpressionKind::Skipped => make.invalid(span),
        }
    }

    /// Says what is wrong and goes on with what says no more.
    pub(crate) fn unknown_name(&self, span: Span, message: &str) -> Expr<'a> {
        self.session.problem(Problem {
            span,
            message: message.to_owned(),
            help: None,
            kind: ProblemKind::Expression,
        });
        self.make().invalid(span)
    }

    pub(crate) fn string(&self, span: Span, string: &StringLiteral<'a>, env: Env<'a>) -> Expr<'a> {
        if let Some(text) = string.as_str() {
            return expr::string(span, text);
        }
        let mut format = String::new();
        for (at, segment) in string.segments.iter().enumerate() {
            if at > 0 {
                format.push_str(&format!("{{{}}}", at - 1));
            }
            format.push_str(&segment.text.replace('{', "{{").replace('}', "}}"));
        }
        let mut args = vec![self.make().string(span, &format)];
        args.extend(string.expressions.iter().map(|hole| self.expr(hole, env)));
        self.make().call(span, "format", &args)
    }

    pub(crate) fn key(&self, name: &PropertyName<'a>, env: Env<'a>) -> Expr<'a> {
        match name.kind {
            PropertyNameKind::Identifier(text) => expr::string(name.span, text),
            PropertyNameKind::String(string) => self.string(name.span, &string, env),
            PropertyNameKind::Skipped => expr::string(name.span, ""),
        }
    }

    fn array(&self, span: Span, items: &[ArrayItem<'a>], env: Env<'a>) -> Expr<'a> {
        let make = self.make();
        let mut chunks = Vec::new();
        let mut chunk = Vec::new();
        let mut spread = false;
        for item in items {
            match item {
                ArrayItem::Item(item) => chunk.push(self.expr(item, env)),
                ArrayItem::Spread(of) => {
                    if !chunk.is_empty() {
                        chunks.push(make.call(span, "createArray", &chunk));
                        chunk.clear();
                    }
                    chunks.push(self.expr(&of.expression, env));
                    spread = true;
                }
            }
        }
        if !spread {
            return make.call(span, "createArray", &chunk);
        }
        if !chunk.is_empty() {
            chunks.push(make.call(span, "createArray", &chunk));
        }
        let all = make.call(span, "createArray", &chunks);
        make.call(span, "flatten", &[all])
    }

    fn object(&self, span: Span, object: &Object<'a>, env: Env<'a>) -> Expr<'a> {
        let make = self.make();
        let mut chunks = Vec::new();
        let mut chunk = Vec::new();
        let mut spread = false;
        for item in object.items {
            match item {
                ObjectItem::Property(property) => {
                    chunk.push(self.key(&property.key, env));
                    chunk.push(self.expr(&property.value, env));
                }
                ObjectItem::Spread(of) => {
                    if !chunk.is_empty() {
                        chunks.push(make.call(span, "createObject", &chunk));
                        chunk.clear();
                    }
                    chunks.push(self.expr(&of.expression, env));
                    spread = true;
                }
                ObjectItem::Resource(_) | ObjectItem::Skipped(_) => {}
            }
        }
        if !spread {
            return make.call(span, "createObject", &chunk);
        }
        if !chunk.is_empty() {
            chunks.push(make.call(span, "createObject", &chunk));
        }
        let all = make.call(span, "createArray", &chunks);
        make.call(span, "shallowMerge", &[all])
    }

    fn binary(&self, span: Span, binary: &BinaryOperation<'a>, env: Env<'a>) -> Expr<'a> {
        let make = self.make();
        let left = self.expr(&binary.left, env);
        let right = self.expr(&binary.right, env);
        let both = [left, right];
        let lower = |expr: Expr<'a>| make.call(expr.span, "toLower", &[expr]);
        let not = |expr: Expr<'a>| make.call(span, "not", &[expr]);
        let name = match binary.operator {
            BinaryOperator::LogicalOr => "or",
            BinaryOperator::LogicalAnd => "and",
            BinaryOperator::Equals => "equals",
            BinaryOperator::NotEquals => return not(make.call(span, "equals", &both)),
            BinaryOperator::EqualsInsensitive => {
                return make.call(span, "equals", &[lower(left), lower(right)]);
            }
            BinaryOperator::NotEqualsInsensitive => {
                return not(make.call(span, "equals", &[lower(left), lower(right)]));
            }
            BinaryOperator::LessThan => "less",
            BinaryOperator::LessThanOrEqual => "lessOrEquals",
            BinaryOperator::GreaterThan => "greater",
            BinaryOperator::GreaterThanOrEqual => "greaterOrEquals",
            BinaryOperator::Add => "add",
            BinaryOperator::Subtract => "sub",
            BinaryOperator::Multiply => "mul",
            BinaryOperator::Divide => "div",
            BinaryOperator::Modulo => "mod",
            BinaryOperator::Coalesce => "coalesce",
        };
        make.call(span, name, &both)
    }

    fn variable(&self, expression: &Expression<'a>, name: &'a str, env: Env<'a>) -> Expr<'a> {
        let span = expression.span;
        let make = self.make();
        let named = |function, name| make.call(span, function, &[expr::string(span, name)]);
        match self.unit.bound.get(&span.start) {
            Some(Bound::Item(of)) => return self.loop_item(span, *of, env),
            Some(Bound::Index(of)) => return self.loop_index(span, *of, env),
            Some(Bound::Lambda(_)) => return named("lambdaVariables", name),
            Some(Bound::FunctionParameter) => return named("parameters", name),
            Some(Bound::Resource(_)) | None => {}
        }
        if let Some(found) = self.reference(expression, env) {
            return self.whole(span, &found);
        }
        match self.unit.symbols.get(name) {
            Some(Symbol::Parameter(_)) => named("parameters", name),
            Some(Symbol::Variable(at)) => match self.unit.variables.get(*at) {
                Some(variable) if self.inlined(*at) => {
                    let value = &variable.of.value;
                    let variable = Waits::Variable(*at);
                    self.session
                        .written_out(self.unit.file, variable, span, || self.expr(value, env))
                        .unwrap_or_else(|| make.invalid(span))
                }
                _ => named("variables", self.variable_name(name)),
            },
            Some(Symbol::Import(import, symbol)) => match self.imported_name(*import, *symbol) {
                Some(name) => named("variables", name),
                None => self.unresolved_import(span, name),
            },
            Some(Symbol::Extension(_)) => named("extensions", name),
            Some(Symbol::Assignment(at)) => match self.unit.assignments.get(*at) {
                Some(given) => self.expr(&given.of.value, env),
                None => make.null(span),
            },
            None if name == "base" && self.plan.base.is_some() => make.of_node(&self.base(span)),
            _ => self.unknown_name(span, &format!("nothing is called `{name}`")),
        }
    }

    /// The number of a loop: replaced, or `copyIndex()`.
    fn loop_index(&self, span: Span, of: usize, env: Env<'a>) -> Expr<'a> {
        if let Some(index) = env.get(of) {
            return index;
        }
        let make = self.make();
        match self.unit.loops.get(of).and_then(|found| found.copy) {
            Some(name) => {
                let name = self.copy_name(name);
                make.call(span, "copyIndex", &[expr::string(span, name)])
            }
            None => make.call(span, "copyIndex", &[]),
        }
    }

    /// The item of a loop: what it goes over at its number.
    fn loop_item(&self, span: Span, of: usize, env: Env<'a>) -> Expr<'a> {
        let index = self.loop_index(span, of, env);
        match self.unit.loops.get(of) {
            Some(found) => {
                let over = self.expr(&found.of.expression, env);
                self.make().access(span, over, index)
            }
            None => index,
        }
    }

    fn args(&self, arguments: &[Expression<'a>], env: Env<'a>) -> Vec<Expr<'a>> {
        arguments
            .iter()
            .map(|argument| self.expr(argument, env))
            .collect()
    }

    fn function_call(
        &self,
        expression: &Expression<'a>,
        call: &FunctionCall<'a>,
        env: Env<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let span = expression.span;
        let name = call.name.name;
        match self.unit.symbols.get(name) {
            Some(Symbol::Function(_)) => {
                let (namespace, name) = self.function_name(name);
                return make.call_in(span, Some(namespace), name, &self.args(call.arguments, env));
            }
            Some(Symbol::Import(import, symbol)) => {
                let Some(name) = self.imported_name(*import, *symbol) else {
                    return self.unresolved_import(span, name);
                };
                let (namespace, name) = split_function(name);
                return make.call_in(span, Some(namespace), name, &self.args(call.arguments, env));
            }
            _ => {}
        }
        self.known_call(expression, call.name, call.arguments, env)
    }

    /// A call of a function that Bicep knows by itself.
    fn known_call(
        &self,
        expression: &Expression<'a>,
        name: Identifier<'a>,
        arguments: &'a [Expression<'a>],
        env: Env<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let span = expression.span;
        match (name.name, arguments) {
            ("any", [only]) => return self.expr(only, env),
            ("nameof", [only]) => {
                if let Some(name) = name_of(only) {
                    return expr::string(span, name);
                }
            }
            _ => {}
        }
        if is_other_scope(name.name, arguments) {
            return make.call(span, "createObject", &[]);
        }
        if let Some(name) = self.load_variable(span) {
            return make.call(span, "variables", &[expr::string(span, name)]);
        }
        if let Some(node) = self.load(expression, name.name, arguments) {
            return make.of_node(&node);
        }
        make.call(span, name.name, &self.args(arguments, env))
    }

    fn instance_call(
        &self,
        expression: &Expression<'a>,
        call: &InstanceFunctionCall<'a>,
        env: Env<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let span = expression.span;
        if let ExpressionKind::VariableAccess(name) = call.base.kind
            && !self.unit.bound.contains_key(&call.base.span.start)
        {
            match self.unit.symbols.get(name) {
                Some(Symbol::Wildcard(import)) => {
                    let Some(found) = self.wildcard_name(*import, call.name.name) else {
                        return self.unresolved_import(span, call.name.name);
                    };
                    let (namespace, name) = split_function(found);
                    let args = self.args(call.arguments, env);
                    return make.call_in(span, Some(namespace), name, &args);
                }
                Some(Symbol::Extension(_)) => {
                    return make.call(span, call.name.name, &self.args(call.arguments, env));
                }
                None if matches!(name, "sys" | "az" | "this") => {
                    return self.known_call(expression, call.name, call.arguments, env);
                }
                _ => {}
            }
        }
        match self.reference(&call.base, env) {
            Some(found) => self.method(span, call, &found, env),
            None => self.unknown_name(call.base.span, "this has no functions"),
        }
    }

    fn property_access(&self, span: Span, access: &PropertyAccess<'a>, env: Env<'a>) -> Expr<'a> {
        let name = access.property.name;
        if let ExpressionKind::VariableAccess(base) = access.base.kind
            && !self.unit.bound.contains_key(&access.base.span.start)
            && let Some(Symbol::Wildcard(import)) = self.unit.symbols.get(base)
        {
            return match self.wildcard_name(*import, name) {
                Some(found) => self
                    .make()
                    .call(span, "variables", &[expr::string(span, found)]),
                None => self.unresolved_import(span, name),
            };
        }
        if let Some(value) = self.base_property(&access.base, name) {
            return self.make().of_node(&value);
        }
        if let Some(found) = self.reference(&access.base, env) {
            return match found.target {
                Target::Resource(_) => self.resource_property(span, &found, name, access.safe),
                Target::Module(_) => self.module_property(span, &found, name, access.safe, None),
            };
        }
        if let ExpressionKind::PropertyAccess(outputs) = access.base.kind
            && outputs.property.name == "outputs"
        {
            if let Some(found) = self.reference(&outputs.base, env)
                && let Target::Module(_) = found.target
            {
                return self.module_output(span, &found, outputs.safe, access);
            }
            if self.is_module_item(&outputs.base) {
                return self.item_output(span, access, env);
            }
        }
        let base = self.expr(&access.base, env);
        let accessor = expr::string(access.property.span, name);
        let chained = self.is_access(&access.base);
        self.access(span, base, accessor, (access.safe, false, chained))
    }

    fn array_access(
        &self,
        expression: &Expression<'a>,
        access: &ArrayAccess<'a>,
        env: Env<'a>,
    ) -> Expr<'a> {
        let span = expression.span;
        if let Some(found) = self.reference(expression, env) {
            return self.whole(span, &found);
        }
        if let Some(name) = access.index.as_str()
            && let Some(found) = self.reference(&access.base, env)
        {
            return match found.target {
                Target::Resource(_) => self.resource_property(span, &found, name, access.safe),
                Target::Module(_) => self.module_property(span, &found, name, access.safe, None),
            };
        }
        let base = self.expr(&access.base, env);
        let index = self.expr(&access.index, env);
        let chained = self.is_access(&access.base);
        self.access(span, base, index, (access.safe, access.from_end, chained))
    }

    /// An access as it is written: safely, from the end, on another access.
    fn access(
        &self,
        span: Span,
        base: Expr<'a>,
        accessor: Expr<'a>,
        (safe, from_end, chained): (bool, bool, bool),
    ) -> Expr<'a> {
        let make = self.make();
        if safe {
            let name = if from_end {
                "tryIndexFromEnd"
            } else {
                "tryGet"
            };
            return make.call(span, name, &[base, accessor]);
        }
        if chained && let Some((name, args)) = safe_dereference(&base) {
            let accessor = if from_end {
                let pairs = [
                    expr::string(span, "value"),
                    accessor,
                    expr::string(span, "fromEnd"),
                    make.bool(span, true),
                ];
                make.call(span, "createObject", &pairs)
            } else {
                accessor
            };
            let mut args = args.to_vec();
            args.push(accessor);
            return make.call(span, name, &args);
        }
        if from_end {
            return make.call(span, "indexFromEnd", &[base, accessor]);
        }
        make.access(span, base, accessor)
    }

    /// Whether an expression is itself an access, so that one on it belongs to the same chain.
    fn is_access(&self, expression: &Expression<'a>) -> bool {
        let mut at = expression;
        loop {
            match at.kind {
                ExpressionKind::PropertyAccess(_)
                | ExpressionKind::ArrayAccess(_)
                | ExpressionKind::ResourceAccess(_) => return true,
                ExpressionKind::NonNullAssertion(inner) => at = inner,
                ExpressionKind::FunctionCall(call) if call.name.name == "any" => {
                    match call.arguments {
                        [only] => at = only,
                        _ => return false,
                    }
                }
                _ => return false,
            }
        }
    }

    /// The item of a loop of modules that a lambda is given.
    fn is_module_item(&self, expression: &Expression<'a>) -> bool {
        let inner = match expression.kind {
            ExpressionKind::NonNullAssertion(inner) => *inner,
            _ => *expression,
        };
        matches!(
            self.unit.bound.get(&inner.span.start),
            Some(Bound::Lambda(Some(_)))
        ) && matches!(inner.kind, ExpressionKind::VariableAccess(_))
    }

    /// `item.outputs.name`, of the item of a loop of modules.
    fn item_output(&self, span: Span, access: &PropertyAccess<'a>, env: Env<'a>) -> Expr<'a> {
        let make = self.make();
        let base = make.function(self.expr(&access.base, env));
        let name = expr::string(access.property.span, access.property.name);
        let value = expr::string(span, "value");
        if access.safe {
            let first = make.call(span, "tryGet", &[base, name]);
            return make.call(span, "tryGet", &[first, value]);
        }
        if let Some((function, args)) = safe_dereference(&base) {
            let mut args = args.to_vec();
            args.extend([name, value]);
            return make.call(span, function, &args);
        }
        make.access(span, make.access(span, base, name), value)
    }
}

/// `tryGet(…)` and its like, on which an access without `?` is one argument more.
pub(crate) fn safe_dereference<'a>(expr: &Expr<'a>) -> Option<(&'a str, &'a [Expr<'a>])> {
    match expr.kind {
        ExprKind::Call {
            namespace: None,
            name,
            args,
        } if matches!(name, "tryGet" | "tryIndexFromEnd") => Some((name, args)),
        _ => None,
    }
}

/// `-value`, also the smallest there is.
pub(crate) fn negative(value: u64) -> i64 {
    i64::try_from(value).map_or(i64::MIN, |value| -value)
}

/// What `nameof` says.
fn name_of<'a>(expression: &Expression<'a>) -> Option<&'a str> {
    match expression.inner().kind {
        ExpressionKind::VariableAccess(name) => Some(name),
        ExpressionKind::PropertyAccess(access) => Some(access.property.name),
        ExpressionKind::ResourceAccess(access) => Some(access.name.name),
        ExpressionKind::ArrayAccess(access) => {
            access.index.as_str().or_else(|| name_of(&access.base))
        }
        ExpressionKind::NonNullAssertion(inner) => name_of(inner),
        _ => None,
    }
}

/// Another scope than the one that is deployed to. It says where something is deployed; as a value
/// Azure has nothing for it, and the official compiler writes an empty map.
pub(crate) fn is_other_scope(name: &str, arguments: &[Expression<'_>]) -> bool {
    !arguments.is_empty() && matches!(name, "resourceGroup" | "subscription" | "managementGroup")
}

/// `_1.name` → namespace and name; without a namespace it is Bicep's own.
pub(crate) fn split_function(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or(("__bicep", name))
}
