//! Writes what is deployed: resources, and modules as deployments of their own.

use std::rc::Rc;

use crate::node::{Entry, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind, ObjectItem, Statement};

use super::depend::Dependencies;
use super::expr::{boolean, entry, text};
use super::lower::Env;
use super::reference::Target;
use super::scope::ScopeKind;
use super::template::{DEPLOYMENT_API, DEPLOYMENT_TYPE, Module, Template};
use super::types::whole_number;
use super::unit::{Resource, Scope, Symbol, for_of};
use super::value::properties;

/// What is not a property of a resource as Azure has it.
const NOT_OF_RESOURCE: [&str; 4] = ["name", "scope", "parent", "dependsOn"];

/// What is not a property of a deployment as Azure has it.
const NOT_OF_MODULE: [&str; 5] = ["name", "params", "extensionConfigs", "scope", "dependsOn"];

/// Decorators of resources that Azure knows under the same name.
const OPTIONS: [&str; 4] = ["waitUntil", "retryOn", "onlyIfNotExists", "nullIfNotFound"];

impl<'a> Template<'_, 'a> {
    /// `resources`: a list, or a map by symbolic names.
    pub(crate) fn resources(self: &Rc<Self>) -> Node<'a> {
        let make = self.make();
        let here = self.start();
        let dependencies = self.dependencies();
        let mut out = Vec::new();
        for at in self.unit.written_order() {
            let Some(resource) = self.unit.resources.get(at) else {
                continue;
            };
            let existing = resource.of.existing.is_some();
            if self.plan.hidden.contains(&at) || (existing && !self.plan.symbolic.get()) {
                continue;
            }
            let value = self.resource(at, resource, &dependencies);
            out.push(entry(self.symbolic_name(at), resource.of.name.span, value));
        }
        for at in 0..self.unit.modules.len() {
            if let Some(module) = self.module(at, &dependencies) {
                out.push(module);
            }
        }
        if self.plan.symbolic.get() {
            make.object(here, &out)
        } else {
            let items: Vec<_> = out.iter().map(|entry| entry.value).collect();
            make.array(here, &items)
        }
    }

    fn batch(&self, statement: &Statement<'a>) -> Option<i64> {
        statement
            .decorator("batchSize")
            .and_then(|decorator| decorator.arguments().first())
            .and_then(whole_number)
    }

    /// The loop that a resource is made in: its own, or that of one it stands in.
    fn copy_of(&self, at: usize) -> Option<Node<'a>> {
        let mut number = Some(at);
        while let Some(current) = number {
            let resource = self.unit.resources.get(current)?;
            if let Some(each) = for_of(&resource.of.value) {
                let own = self.unit.resources.get(at)?;
                let name = self.symbolic_name(current);
                let batch = self.batch(own.statement);
                let span = own.of.name.span;
                return Some(self.copy(span, Some(name), each, batch, None, Env::default()));
            }
            number = resource.within;
        }
        None
    }

    fn resource(
        self: &Rc<Self>,
        at: usize,
        resource: &Resource<'a>,
        dependencies: &Dependencies<'a>,
    ) -> Node<'a> {
        let make = self.make();
        let env = Env::default();
        let span = resource.statement.span;
        let written = resource.of.ty.span;
        let kind = self.resource_type(at);
        let mut out = Vec::new();
        if let Some(copy) = self.copy_of(at) {
            out.push(entry("copy", copy.span, copy));
        }
        if let Some(condition) = self.resource_condition(at, env) {
            out.push(entry(
                "condition",
                condition.span,
                self.condition(at, condition),
            ));
        }
        if let Some(existing) = resource.of.existing {
            out.push(entry("existing", existing, boolean(existing, true)));
        }
        let extension = kind
            .extension
            .and_then(|number| self.unit.extensions.get(number));
        if let Some(extension) = extension {
            out.push(entry("import", written, text(written, extension.alias)));
        }
        self.options(resource.statement, &mut out);
        if extension.is_some() {
            let name = resource.written_type();
            out.push(entry("type", written, text(written, name)));
        } else {
            out.push(entry("type", written, text(written, kind.name)));
            if !kind.version.is_empty() {
                out.push(entry("apiVersion", written, text(written, kind.version)));
            }
        }
        let scope = self.resource_scope(at);
        let ancestors = self.ancestors(at);
        let scope_env = self
            .ancestor_envs(&ancestors, env)
            .first()
            .copied()
            .unwrap_or(env);
        let scope_span = resource.property("scope").map_or(span, |scope| scope.span);
        self.scope_properties(scope_span, &scope, scope_env, &mut out);
        let body = resource.of.value.body();
        let own = |key: Option<&str>| key.is_none_or(|key| !NOT_OF_RESOURCE.contains(&key));
        let kept = body
            .into_iter()
            .flat_map(properties)
            .filter(|property| match extension {
                Some(_) => property.key.as_str() != Some("dependsOn"),
                None => own(property.key.as_str()),
            });
        let entries = self.entries(kept, env);
        if extension.is_some() {
            out.push(entry("properties", span, make.object(span, &entries)));
        } else {
            let name_span = resource.property("name").map_or(span, |name| name.span);
            let name = make.value(self.full_name(at, env));
            out.push(entry("name", name_span, name));
            out.extend(entries);
        }
        self.waits(Target::Resource(at), span, dependencies, &mut out);
        if let Some(described) = self.described(resource.statement.decorators) {
            self.set(&mut out, "metadata", described);
        }
        make.object(span, &out)
    }

    /// A condition that is a literal stands as it is.
    fn condition(&self, at: usize, lowered: crate::node::Expr<'a>) -> Node<'a> {
        let resource = self.unit.resources.get(at);
        let written = resource
            .and_then(|resource| super::template::own_condition(&resource.of.value))
            .filter(|_| resource.is_some_and(|resource| resource.within.is_none()));
        match written {
            Some(written) => self.node(&written, Env::default()),
            None => self.make().value(lowered),
        }
    }

    fn options(&self, statement: &'a Statement<'a>, out: &mut Vec<Entry<'a>>) {
        let make = self.make();
        let options: Vec<_> = statement
            .decorators
            .iter()
            .filter_map(|decorator| {
                let name = decorator.name()?;
                if !OPTIONS.contains(&name.name) {
                    return None;
                }
                let items: Vec<_> = decorator
                    .arguments()
                    .iter()
                    .map(|argument| self.node(argument, Env::default()))
                    .collect();
                let value = make.array(decorator.span, &items);
                Some(entry(name.name, name.span, value))
            })
            .collect();
        if let Some(first) = options.first() {
            let span = first.key_span;
            out.push(entry("@options", span, make.object(span, &options)));
        }
    }

    fn waits(
        self: &Rc<Self>,
        of: Target,
        span: Span,
        dependencies: &Dependencies<'a>,
        out: &mut Vec<Entry<'a>>,
    ) {
        let all = self.depends_on(of, span, dependencies);
        if !all.is_empty() {
            out.push(entry("dependsOn", span, self.make().array(span, &all)));
        }
    }

    /// The deployment of a module.
    fn module(self: &Rc<Self>, at: usize, dependencies: &Dependencies<'a>) -> Option<Entry<'a>> {
        let make = self.make();
        let env = Env::default();
        let module = *self.unit.modules.get(at)?;
        let span = module.statement.span;
        let name = module.of.name;
        let mut out = Vec::new();
        if let Some(each) = for_of(&module.of.value) {
            let batch = self.batch(module.statement);
            let copy = self.copy(name.span, Some(name.name), each, batch, None, env);
            out.push(entry("copy", name.span, copy));
        }
        if let Some(condition) = super::template::own_condition(&module.of.value) {
            out.push(entry(
                "condition",
                condition.span,
                self.node(&condition, env),
            ));
        }
        out.push(entry("type", name.span, text(name.span, DEPLOYMENT_TYPE)));
        out.push(entry(
            "apiVersion",
            name.span,
            text(name.span, DEPLOYMENT_API),
        ));
        let kept = module
            .of
            .value
            .body()
            .into_iter()
            .flat_map(properties)
            .filter(|property| {
                property
                    .key
                    .as_str()
                    .is_none_or(|key| !NOT_OF_MODULE.contains(&key))
            });
        out.extend(self.entries(kept, env));
        let name_span = module.property("name").map_or(name.span, |name| name.span);
        let deployment = make.value(self.module_name(at, None, env));
        out.push(entry("name", name_span, deployment));
        let scope = self.module_scope(at);
        let scope_span = module.property("scope").map_or(span, |scope| scope.span);
        self.scope_properties(scope_span, &scope, env, &mut out);
        if scope.kind != ScopeKind::At(Scope::ResourceGroup) {
            let function = match self.unit.target {
                Scope::ResourceGroup => "resourceGroup",
                _ => "deployment",
            };
            let here = make.call(span, function, &[]);
            let location = make.value(make.property(span, here, "location"));
            out.push(entry("location", span, location));
        }
        let deployed = self.deployed(at, span);
        out.push(entry("properties", span, deployed));
        self.waits(Target::Module(at), span, dependencies, &mut out);
        if let Some(described) = self.described(module.statement.decorators) {
            self.set(&mut out, "metadata", described);
        }
        Some(entry(name.name, name.span, make.object(span, &out)))
    }

    /// The `properties` of a deployment.
    fn deployed(self: &Rc<Self>, at: usize, span: Span) -> Node<'a> {
        let make = self.make();
        let inner = entry("scope", span, text(span, "inner"));
        let mut out = vec![
            entry(
                "expressionEvaluationOptions",
                span,
                make.object(span, &[inner]),
            ),
            entry("mode", span, text(span, "Incremental")),
        ];
        let parameters = self
            .unit
            .modules
            .get(at)
            .and_then(|module| module.property("params"));
        if let Some(parameters) = parameters
            && let ExpressionKind::Object(object) = parameters.inner().kind
        {
            let entries: Vec<_> = object
                .items
                .iter()
                .filter_map(|item| match item {
                    ObjectItem::Property(property) => {
                        let name = property.key.as_str()?;
                        let value = match property.value.kind {
                            ExpressionKind::For(each) => {
                                self.parameter_copy(property.value.span, each)
                            }
                            _ => self.argument(&property.value),
                        };
                        Some(self.entry(name, property.key.span, value))
                    }
                    _ => None,
                })
                .collect();
            let all = make.object(parameters.span, &entries);
            out.push(entry("parameters", parameters.span, all));
        }
        match self.plan.modules.get(at).and_then(Option::as_ref) {
            Some(Module { link: Some(id), .. }) => {
                let link = make.object(span, &[entry("id", span, text(span, id))]);
                out.push(entry("templateLink", span, link));
            }
            Some(module) => out.push(entry("template", span, module.template)),
            None => {}
        }
        make.object(span, &out)
    }

    /// What a module's parameter is given: `{ "value": … }`, or `{ "reference": … }` to a secret.
    fn argument(&self, value: &Expression<'a>) -> Node<'a> {
        let make = self.make();
        let env = Env::default();
        let span = value.span;
        let wrap = |key, node| make.object(span, &[entry(key, span, node)]);
        let Some(_deeper) = self.session.deeper(span) else {
            return wrap(
                "value",
                Node {
                    span,
                    kind: NodeKind::Null,
                },
            );
        };
        match value.kind {
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.argument(inner)
            }
            ExpressionKind::Ternary(ternary) => {
                let args = [
                    self.expr(&ternary.condition, env),
                    make.of_node(&self.argument(&ternary.true_expression)),
                    make.of_node(&self.argument(&ternary.false_expression)),
                ];
                make.value(make.call(span, "if", &args))
            }
            ExpressionKind::InstanceFunctionCall(call) if call.name.name == "getSecret" => {
                match self.reference(&call.base, env) {
                    Some(found) => {
                        let id = self.resource_property(call.base.span, &found, "id", false);
                        let id = entry("id", call.base.span, make.value(id));
                        let vault = make.object(call.base.span, &[id]);
                        let mut secret = vec![entry("keyVault", call.base.span, vault)];
                        for (key, argument) in ["secretName", "secretVersion"]
                            .into_iter()
                            .zip(call.arguments)
                        {
                            let node = self.node(argument, env);
                            secret.push(entry(key, argument.span, node));
                        }
                        wrap("reference", make.object(span, &secret))
                    }
                    None => wrap("value", self.node(value, env)),
                }
            }
            ExpressionKind::VariableAccess(name) => match self.named(value, name) {
                Some(Symbol::Variable(at))
                    if self.inlined(at) && self.plain_reference(value).is_none() =>
                {
                    match self.unit.variables.get(at) {
                        Some(variable) => self.argument(&variable.of.value),
                        None => wrap("value", self.node(value, env)),
                    }
                }
                _ => wrap("value", self.node(value, env)),
            },
            _ => wrap("value", self.node(value, env)),
        }
    }
}
