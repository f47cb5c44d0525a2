//! What a resource or module is called where it is referred to: its id, its name, the function
//! that reads it.

use crate::node::Expr;
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind, InstanceFunctionCall, PropertyAccess};

use super::depend::Waits;
use super::expr;
use super::lower::{Env, safe_dereference};
use super::template::{DEPLOYMENT_API, DEPLOYMENT_TYPE, Template};
use super::unit::{Bound, Symbol, for_of};

/// A resource or a module, maybe one of many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'a> {
    pub(crate) target: Target,
    /// Which of many.
    pub(crate) index: Option<Expr<'a>>,
    /// In which its name is to be read.
    pub(crate) env: Env<'a>,
}

/// What a [`Reference`] refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Target {
    Resource(usize),
    Module(usize),
}

/// A resource above another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ancestor<'a> {
    pub(crate) resource: usize,
    /// Which of many.
    pub(crate) index: Option<Expression<'a>>,
}

impl<'a> Template<'_, 'a> {
    /// The resource or module that an expression names.
    pub(crate) fn reference(
        &self,
        expression: &Expression<'a>,
        env: Env<'a>,
    ) -> Option<Reference<'a>> {
        let _deeper = self.session.deeper(expression.span)?;
        match expression.kind {
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.reference(inner, env)
            }
            ExpressionKind::FunctionCall(call) if call.name.name == "any" => match call.arguments {
                [only] => self.reference(only, env),
                _ => None,
            },
            ExpressionKind::VariableAccess(name) => match self.named(expression, name)? {
                Symbol::Resource(at) => Some(Reference {
                    target: Target::Resource(at),
                    index: None,
                    env,
                }),
                Symbol::Module(at) => Some(Reference {
                    target: Target::Module(at),
                    index: None,
                    env,
                }),
                Symbol::Variable(at) => match self.plain_reference(expression) {
                    Some(target) => Some(Reference {
                        target,
                        index: None,
                        env,
                    }),
                    None if self.inlined(at) => {
                        self.reference(&self.unit.variables.get(at)?.of.value, env)
                    }
                    None => None,
                },
                _ => None,
            },
            ExpressionKind::ResourceAccess(access) => {
                let base = self.reference(&access.base, env)?;
                let Target::Resource(at) = base.target else {
                    return None;
                };
                let (number, _) = self
                    .unit
                    .nested(at)
                    .find(|(_, nested)| nested.of.name.name == access.name.name)?;
                Some(Reference {
                    target: Target::Resource(number),
                    index: None,
                    env: base.env,
                })
            }
            ExpressionKind::ArrayAccess(access) => {
                if !matches!(
                    access.base.kind,
                    ExpressionKind::VariableAccess(_) | ExpressionKind::ResourceAccess(_)
                ) {
                    return None;
                }
                let base = self.reference(&access.base, env)?;
                if base.index.is_some() || !self.is_collection(base.target) {
                    return None;
                }
                let index = self.expr(&access.index, env);
                Some(self.indexed(base.target, index, env))
            }
            _ => None,
        }
    }

    /// One of many.
    pub(crate) fn indexed(&self, target: Target, index: Expr<'a>, env: Env<'a>) -> Reference<'a> {
        let env = match self.target_loop(target) {
            Some(of) => env.with(self.make(), of, index),
            None => env,
        };
        Reference {
            target,
            index: Some(index),
            env,
        }
    }

    /// What the name in an expression stands for, unless it is a loop's or a lambda's.
    pub(crate) fn named(&self, expression: &Expression<'a>, name: &str) -> Option<Symbol> {
        match self.unit.bound.get(&expression.span.start) {
            Some(Bound::Resource(at)) => Some(Symbol::Resource(*at)),
            Some(_) => None,
            None => self.unit.symbols.get(name).copied(),
        }
    }

    pub(crate) fn is_collection(&self, target: Target) -> bool {
        match target {
            Target::Resource(at) => self
                .unit
                .resources
                .get(at)
                .is_some_and(|resource| resource.is_collection()),
            Target::Module(at) => self
                .unit
                .modules
                .get(at)
                .is_some_and(|module| module.is_collection()),
        }
    }

    /// The loop that makes many of a resource or module.
    pub(crate) fn target_loop(&self, target: Target) -> Option<usize> {
        let value = match target {
            Target::Resource(at) => &self.unit.resources.get(at)?.of.value,
            Target::Module(at) => &self.unit.modules.get(at)?.of.value,
        };
        self.unit.loop_of(for_of(value)?)
    }

    /// The resources above one, outermost first.
    pub(crate) fn ancestors(&self, of: usize) -> Vec<Ancestor<'a>> {
        let mut found = Vec::new();
        let mut at = of;
        // No chain is longer than there are resources, unless it is a circle.
        for _ in 0..self.unit.resources.len() {
            let Some(resource) = self.unit.resources.get(at) else {
                break;
            };
            if let Some(within) = resource.within {
                found.push(Ancestor {
                    resource: within,
                    index: None,
                });
                at = within;
                continue;
            }
            let Some(parent) = resource.property("parent") else {
                break;
            };
            let (base, index) = match parent.inner().kind {
                ExpressionKind::ArrayAccess(access) => (access.base, Some(access.index)),
                _ => (parent, None),
            };
            let Some(Target::Resource(number)) = self.plain_reference(&base) else {
                break;
            };
            found.push(Ancestor {
                resource: number,
                index,
            });
            at = number;
        }
        found.reverse();
        found
    }

    /// The resource or module that an expression names as a whole.
    pub(crate) fn plain_reference(&self, expression: &Expression<'a>) -> Option<Target> {
        let mut at = *expression;
        let mut through = Vec::new();
        let found = loop {
            match at.kind {
                ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                    at = *inner;
                }
                ExpressionKind::VariableAccess(name) => match self.named(&at, name) {
                    Some(Symbol::Resource(number)) => break Some(Target::Resource(number)),
                    Some(Symbol::Module(number)) => break Some(Target::Module(number)),
                    Some(Symbol::Variable(number)) => {
                        if let Some(known) = self.plan.aliases.borrow().get(&number) {
                            break *known;
                        }
                        // Until more is known it names nothing: it may be a circle.
                        self.plan.aliases.borrow_mut().insert(number, None);
                        through.push(number);
                        match self.unit.variables.get(number) {
                            Some(variable) => at = variable.of.value,
                            None => break None,
                        }
                    }
                    _ => break None,
                },
                ExpressionKind::ResourceAccess(access) => {
                    let base = self.plain_reference(&access.base);
                    let Some(Target::Resource(base)) = base else {
                        break None;
                    };
                    break self
                        .unit
                        .nested(base)
                        .find(|(_, nested)| nested.of.name.name == access.name.name)
                        .map(|(number, _)| Target::Resource(number));
                }
                _ => break None,
            }
        };
        let mut aliases = self.plan.aliases.borrow_mut();
        for variable in through {
            aliases.insert(variable, found);
        }
        found
    }

    /// In what the name of each ancestor is to be read, outermost first.
    pub(crate) fn ancestor_envs(&self, ancestors: &[Ancestor<'a>], env: Env<'a>) -> Vec<Env<'a>> {
        let mut envs = Vec::with_capacity(ancestors.len());
        let mut at = env;
        for ancestor in ancestors.iter().rev() {
            if let Some(index) = &ancestor.index {
                let index = self.expr(index, at);
                at = self
                    .indexed(Target::Resource(ancestor.resource), index, at)
                    .env;
            }
            envs.push(at);
        }
        envs.reverse();
        envs
    }

    /// The name of a resource as it is written.
    pub(crate) fn own_name(&self, of: usize, env: Env<'a>) -> Expr<'a> {
        let Some(resource) = self.unit.resources.get(of) else {
            return self.make().null(Span::default());
        };
        match resource.property("name") {
            Some(name) => self
                .session
                .written_out(
                    self.unit.file,
                    Waits::On(Target::Resource(of)),
                    name.span,
                    || self.expr(&name, env),
                )
                .unwrap_or_else(|| self.make().invalid(name.span)),
            None => expr::string(resource.of.name.span, ""),
        }
    }

    /// The names that go with the segments of the type.
    pub(crate) fn name_segments(&self, of: usize, env: Env<'a>) -> Vec<Expr<'a>> {
        let make = self.make();
        let kind = self.resource_type(of);
        let segments = kind.name.split('/').count().saturating_sub(1);
        let split = |name: Expr<'a>, count: usize, out: &mut Vec<Expr<'a>>| {
            let slash = expr::string(name.span, "/");
            let parts = make.call(name.span, "split", &[name, slash]);
            for at in 0..count {
                let at = make.int(name.span, at as i64);
                out.push(make.access(name.span, parts, at));
            }
        };
        let ancestors = self.ancestors(of);
        let own = self.own_name(of, env);
        let mut out = Vec::new();
        if ancestors.is_empty() {
            if segments <= 1 {
                out.push(own);
            } else {
                split(own, segments, &mut out);
            }
            return out;
        }
        let first = segments.saturating_sub(ancestors.len());
        let envs = self.ancestor_envs(&ancestors, env);
        for (at, (ancestor, env)) in ancestors.iter().zip(envs).enumerate() {
            let name = self.own_name(ancestor.resource, env);
            if at == 0 && first > 1 {
                split(name, first, &mut out);
            } else {
                out.push(name);
            }
        }
        out.push(own);
        out
    }

    /// The value of `name` of a resource in the template.
    pub(crate) fn full_name(&self, of: usize, env: Env<'a>) -> Expr<'a> {
        if self.ancestors(of).is_empty() {
            return self.own_name(of, env);
        }
        let segments = self.name_segments(of, env);
        let span = segments
            .last()
            .map_or_else(Span::default, |segment| segment.span);
        let format: Vec<_> = (0..segments.len()).map(|at| format!("{{{at}}}")).collect();
        let mut args = vec![self.make().string(span, &format.join("/"))];
        args.extend(segments);
        self.make().call(span, "format", &args)
    }

    /// How a resource is called in a template with symbolic names: `parent::child`.
    pub(crate) fn symbolic_name(&self, of: usize) -> &'a str {
        let mut names = Vec::new();
        let mut at = Some(of);
        while let Some(resource) = at.and_then(|at| self.unit.resources.get(at)) {
            names.push(resource.of.name.name);
            at = resource.within;
        }
        names.reverse();
        self.make().text(&names.join("::"))
    }

    /// `'name'`, or `format('name[{0}]', index)` of one of many.
    pub(crate) fn symbolic(&self, span: Span, found: &Reference<'a>) -> Expr<'a> {
        let name = match found.target {
            Target::Resource(at) => self.symbolic_name(at),
            Target::Module(at) => self
                .unit
                .modules
                .get(at)
                .map_or("", |module| module.of.name.name),
        };
        match found.index {
            None => expr::string(span, name),
            Some(index) => {
                let format = self.make().string(span, &format!("{name}[{{0}}]"));
                self.make().call(span, "format", &[format, index])
            }
        }
    }

    /// The whole id.
    pub(crate) fn resource_id(&self, span: Span, of: usize, env: Env<'a>) -> Expr<'a> {
        let names = self.name_segments(of, env);
        let kind = self.resource_type(of).name;
        self.scoped_id(span, of, kind, &names, env)
    }

    /// The whole id of a deployment.
    pub(crate) fn module_id(&self, span: Span, found: &Reference<'a>) -> Expr<'a> {
        let Target::Module(at) = found.target else {
            return self.make().null(span);
        };
        let name = self.module_name(at, found.index, found.env);
        let scope = self.module_scope(at);
        self.id_in(span, &scope, DEPLOYMENT_TYPE, &[name], found.env)
    }

    /// The name of a module's deployment; made up when none is written.
    pub(crate) fn module_name(&self, of: usize, index: Option<Expr<'a>>, env: Env<'a>) -> Expr<'a> {
        let make = self.make();
        let Some(module) = self.unit.modules.get(of) else {
            return make.null(Span::default());
        };
        if let Some(name) = module.property("name") {
            let target = Waits::On(Target::Module(of));
            return self
                .session
                .written_out(self.unit.file, target, name.span, || self.expr(&name, env))
                .unwrap_or_else(|| make.null(name.span));
        }
        // At most 64 letters: the name, a number of at most three digits, 13 of a hash, dashes.
        let span = module.of.name.span;
        let name = module.of.name.name;
        let many = module.is_collection();
        let room = if many { 64 - 3 - 13 - 2 } else { 64 - 13 - 1 };
        let prefix: String = name.chars().take(room).collect();
        let format = if many {
            format!("{prefix}-{{0}}-{{1}}")
        } else {
            format!("{prefix}-{{0}}")
        };
        let deployment = make.call(span, "deployment", &[]);
        let hash = make.call(
            span,
            "uniqueString",
            &[
                expr::string(span, name),
                make.property(span, deployment, "name"),
            ],
        );
        let mut args = vec![make.string(span, &format)];
        if many {
            args.push(index.unwrap_or_else(|| make.call(span, "copyIndex", &[])));
        }
        args.push(hash);
        make.call(span, "format", &args)
    }

    /// A resource or module as a value of its own.
    pub(crate) fn whole(&self, span: Span, found: &Reference<'a>) -> Expr<'a> {
        match found.target {
            Target::Resource(_) => self.read(span, found, true),
            Target::Module(_) => self.read_module(span, found),
        }
    }

    /// `reference(…)` of a resource, with all it has or only its properties.
    fn read(&self, span: Span, found: &Reference<'a>, full: bool) -> Expr<'a> {
        let make = self.make();
        let Target::Resource(of) = found.target else {
            return make.null(span);
        };
        let kind = self.resource_type(of);
        let whole = self.is_collection(found.target) && found.index.is_none();
        let target = if self.plan.symbolic.get() || whole {
            self.symbolic(span, found)
        } else {
            self.resource_id(span, of, found.env)
        };
        let name = if whole { "references" } else { "reference" };
        if kind.extension.is_some() {
            return make.call(span, name, &[target]);
        }
        let mut args = vec![target];
        if !whole && (full || !self.plan.symbolic.get()) {
            args.push(expr::string(span, kind.version));
        }
        if full {
            args.push(expr::string(span, "full"));
        }
        make.call(span, name, &args)
    }

    /// `reference(…)` of a deployment.
    fn read_module(&self, span: Span, found: &Reference<'a>) -> Expr<'a> {
        let make = self.make();
        let whole = self.is_collection(found.target) && found.index.is_none();
        let name = if whole { "references" } else { "reference" };
        if self.plan.symbolic.get() || whole {
            return make.call(span, name, &[self.symbolic(span, found)]);
        }
        let id = self.module_id(span, found);
        make.call(span, name, &[id, expr::string(span, DEPLOYMENT_API)])
    }

    /// A property of a resource.
    pub(crate) fn resource_property(
        &self,
        span: Span,
        found: &Reference<'a>,
        name: &'a str,
        safe: bool,
    ) -> Expr<'a> {
        let make = self.make();
        let Target::Resource(of) = found.target else {
            return make.null(span);
        };
        let kind = self.resource_type(of);
        let property = expr::string(span, name);
        if kind.extension.is_some() {
            let read = self.read(span, found, false);
            return if safe {
                make.call(span, "tryGet", &[read, property])
            } else {
                make.access(span, read, property)
            };
        }
        let condition = safe
            .then(|| self.resource_condition(of, found.env))
            .flatten();
        let guard = |value: Expr<'a>| match condition {
            Some(condition) => make.call(span, "if", &[condition, value, make.null(span)]),
            None => value,
        };
        match name {
            "id" => guard(self.resource_id(span, of, found.env)),
            "name" => guard(self.own_name(of, found.env)),
            "type" => expr::string(span, kind.name),
            "apiVersion" => expr::string(span, kind.version),
            "properties" if !safe => self.read(span, found, false),
            _ => {
                let read = guard(self.read(span, found, true));
                if safe {
                    make.call(span, "tryGet", &[read, property])
                } else {
                    make.access(span, read, property)
                }
            }
        }
    }

    /// `name` or `outputs` of a module.
    pub(crate) fn module_property(
        &self,
        span: Span,
        found: &Reference<'a>,
        name: &'a str,
        safe: bool,
        secure: Option<bool>,
    ) -> Expr<'a> {
        let make = self.make();
        let Target::Module(of) = found.target else {
            return make.null(span);
        };
        let condition = safe.then(|| self.module_condition(of, found.env)).flatten();
        let guard = |value: Expr<'a>| match condition {
            Some(condition) => make.call(span, "if", &[condition, value, make.null(span)]),
            None => value,
        };
        match name {
            "name" => guard(self.module_name(of, found.index, found.env)),
            "outputs" if secure.unwrap_or_else(|| self.has_secure_outputs(of)) => {
                let target = if self.plan.symbolic.get() {
                    self.symbolic(span, found)
                } else {
                    self.module_id(span, found)
                };
                guard(make.call(
                    span,
                    "listOutputsWithSecureValues",
                    &[target, expr::string(span, DEPLOYMENT_API)],
                ))
            }
            "outputs" => {
                let read = self.read_module(span, found);
                let outputs = expr::string(span, "outputs");
                if safe {
                    make.call(span, "tryGet", &[guard(read), outputs])
                } else {
                    make.access(span, read, outputs)
                }
            }
            other => {
                let read = self.read_module(span, found);
                make.property(span, read, other)
            }
        }
    }

    /// `module.outputs.name`
    pub(crate) fn module_output(
        &self,
        span: Span,
        found: &Reference<'a>,
        safe_outputs: bool,
        access: &PropertyAccess<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let Target::Module(of) = found.target else {
            return make.null(span);
        };
        let name = access.property.name;
        let secure = self.is_secure_output(of, name);
        let base = self.module_property(span, found, "outputs", safe_outputs, Some(secure));
        let mut tail = vec![expr::string(access.property.span, name)];
        if !secure {
            tail.push(expr::string(span, "value"));
        }
        if access.safe {
            return tail
                .into_iter()
                .fold(base, |base, key| make.call(span, "tryGet", &[base, key]));
        }
        if let Some((function, args)) = safe_dereference(&base) {
            let mut args = args.to_vec();
            args.extend(tail);
            return make.call(span, function, &args);
        }
        if is_guarded(&base) {
            let mut args = vec![base];
            args.extend(tail);
            return make.call(span, "tryGet", &args);
        }
        tail.into_iter()
            .fold(base, |base, key| make.access(span, base, key))
    }

    /// `resource.listKeys()`, or a method of an extension's resource.
    pub(crate) fn method(
        &self,
        span: Span,
        call: &InstanceFunctionCall<'a>,
        found: &Reference<'a>,
        env: Env<'a>,
    ) -> Expr<'a> {
        let make = self.make();
        let Target::Resource(of) = found.target else {
            return self.unknown_name(call.base.span, "a module has no functions");
        };
        let kind = self.resource_type(of);
        let mut args: Vec<_> = call
            .arguments
            .iter()
            .map(|argument| self.expr(argument, env))
            .collect();
        if kind.extension.is_some() {
            let all = make.call(span, "createArray", &args);
            let name = expr::string(call.name.span, call.name.name);
            let target = self.symbolic(span, found);
            return make.call(span, "invokeResourceMethod", &[target, name, all]);
        }
        let target = if self.plan.symbolic.get() {
            self.symbolic(span, found)
        } else {
            self.resource_id(span, of, found.env)
        };
        if args.is_empty() {
            args.push(expr::string(span, kind.version));
        }
        args.insert(0, target);
        make.call(span, call.name.name, &args)
    }
}

/// `if(…, …, null())`
fn is_guarded(expr: &Expr<'_>) -> bool {
    match expr.kind {
        crate::node::ExprKind::Call {
            name: "if", args, ..
        } => args.last().is_some_and(|last| {
            matches!(last.kind, crate::node::ExprKind::Call { name: "null", .. })
        }),
        _ => false,
    }
}
