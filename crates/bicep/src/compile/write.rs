//! Writes the parts of a template: parameters, variables, functions, resources, modules, outputs.

use std::collections::HashSet;
use std::rc::Rc;

use crate::node::{Entry, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{
    Decorator, Expression, ExpressionKind, FunctionDeclaration, ObjectItem, Statement, TypedLambda,
};

use super::depend::{Dependencies, culture};
use super::expr::{boolean, entry, text};
use super::imports::{Closure, Kind, Part};
use super::lower::{Env, split_function};
use super::reference::Target;
use super::scope::ScopeKind;
use super::template::{DEPLOYMENT_API, DEPLOYMENT_TYPE, Module, Template};
use super::types::{discriminator, whole_number};
use super::unit::{Resource, Scope, Symbol, for_of};
use super::value::properties;

/// What is not a property of a resource as Azure has it.
const NOT_OF_RESOURCE: [&str; 4] = ["name", "scope", "parent", "dependsOn"];

/// What is not a property of a deployment as Azure has it.
const NOT_OF_MODULE: [&str; 5] = ["name", "params", "extensionConfigs", "scope", "dependsOn"];

/// Decorators of resources that Azure knows under the same name.
const OPTIONS: [&str; 4] = ["waitUntil", "retryOn", "onlyIfNotExists", "nullIfNotFound"];

impl<'s, 'a> Template<'s, 'a> {
    /// The entries of `parameters`.
    pub(crate) fn parameters(self: &Rc<Self>) -> Vec<Entry<'a>> {
        let all = &self.unit.parameters;
        all.iter()
            .map(|parameter| {
                let decorators = parameter.statement.decorators;
                let mut schema = self.schema(&parameter.of.ty, discriminator(decorators));
                if let Some(default) = &parameter.of.default {
                    let value = self.node(default, Env::default());
                    self.set(&mut schema, "defaultValue", value);
                }
                if let Some(allowed) = decorator(decorators, "allowed")
                    .and_then(|decorator| decorator.arguments().first())
                {
                    let values = self.node(allowed, Env::default());
                    self.set(&mut schema, "allowedValues", values);
                }
                self.decorate(&mut schema, decorators, false);
                let name = parameter.of.name;
                let value = self.make().object(parameter.statement.span, &schema);
                self.entry(name.name, name.span, value)
            })
            .collect()
    }

    /// The entries of `outputs`.
    pub(crate) fn outputs(self: &Rc<Self>) -> Vec<Entry<'a>> {
        let make = self.make();
        let all = &self.unit.outputs;
        all.iter()
            .map(|output| {
                let decorators = output.statement.decorators;
                let mut schema = self.schema(&output.of.ty, discriminator(decorators));
                self.decorate(&mut schema, decorators, false);
                let value = &output.of.value;
                let env = Env::default();
                if let Some(each) = for_of(value) {
                    let copy = self.copy(value.span, None, each, None, Some(&each.body), env);
                    schema.push(entry("copy", value.span, copy));
                } else {
                    let resource =
                        matches!(output.of.ty.kind, crate::syntax::TypeKind::Resource(_));
                    let node = match self.reference(value, env) {
                        Some(found) if resource => {
                            make.value(self.resource_property(value.span, &found, "id", false))
                        }
                        _ => self.node(value, env),
                    };
                    schema.push(entry("value", value.span, node));
                }
                let name = output.of.name;
                let value = make.object(output.statement.span, &schema);
                self.entry(name.name, name.span, value)
            })
            .collect()
    }

    /// The entries of `definitions`, those of imported types last.
    pub(crate) fn definitions(self: &Rc<Self>, closure: &Rc<Closure<'s, 'a>>) -> Vec<Entry<'a>> {
        let mut out = Vec::new();
        for declared in &self.unit.types {
            let decorators = declared.statement.decorators;
            let mut schema = self.schema(&declared.of.ty, discriminator(decorators));
            self.decorate(&mut schema, decorators, true);
            let value = self.make().object(declared.statement.span, &schema);
            let name = declared.of.name;
            out.push(entry(name.name, name.span, value));
        }
        for part in &closure.parts {
            if part.kind == Kind::Type
                && let Some(mut schema) = self.imported_schema(closure, part)
            {
                let from = self.imported_from(part, !part.name.ends_with(&part.original));
                let metadata = self.make().object(part.span, &[from]);
                self.set(&mut schema, "metadata", metadata);
                let value = self.make().object(part.span, &schema);
                out.push(entry(part.name, part.span, value));
            }
        }
        out
    }

    fn imported_schema(
        self: &Rc<Self>,
        closure: &Rc<Closure<'s, 'a>>,
        part: &Part<'a>,
    ) -> Option<Vec<Entry<'a>>> {
        if let Some(compiled) = closure.compiled(part.file) {
            return compiled.declared_type(self.make(), &part.identifier);
        }
        let from = closure.file(self.session, part.file);
        let Some(Symbol::Type(at)) = from.unit.symbols.get(part.identifier.as_str()) else {
            return None;
        };
        let declared = from.unit.types.get(*at)?;
        let decorators = declared.statement.decorators;
        let mut schema = from.schema(&declared.of.ty, discriminator(decorators));
        from.decorate(&mut schema, decorators, false);
        Some(schema)
    }

    fn imported_from(&self, part: &Part<'a>, renamed: bool) -> Entry<'a> {
        let make = self.make();
        let span = part.span;
        let of = |key, value: &str| entry(key, span, text(span, make.text(value)));
        let mut from = vec![of("sourceTemplate", &part.source)];
        if renamed {
            from.push(of("originalIdentifier", &part.original));
        }
        entry("__bicep_imported_from!", span, make.object(span, &from))
    }

    /// `variables`: loops in `copy`, then what `load…` reads, then the others.
    pub(crate) fn variables(self: &Rc<Self>, closure: &Rc<Closure<'s, 'a>>) -> Vec<Entry<'a>> {
        let make = self.make();
        let mut copies = Vec::new();
        let mut out = Vec::new();
        let mut loads: Vec<_> = self
            .unit
            .loads
            .iter()
            .filter_map(|load| {
                let name = self.load_variable(load.call.span)?;
                Some((name, load.call.span, self.load_call(&load.call)?))
            })
            .collect();
        loads.sort_by_key(|(name, ..)| *name);
        for (name, span, value) in loads {
            out.push(entry(name, span, value));
        }
        for (at, variable) in self.unit.variables.iter().enumerate() {
            if self.inlined(at) {
                continue;
            }
            let name = variable.of.name;
            self.variable_value(
                name.name,
                name.span,
                &variable.of.value,
                &mut copies,
                &mut out,
            );
        }
        for part in &closure.parts {
            self.imported_variable(closure, part, &mut copies, &mut out);
        }
        if let Some(first) = copies.first() {
            let span = first.span;
            out.insert(0, entry("copy", span, make.array(span, &copies)));
        }
        out
    }

    fn variable_value(
        &self,
        name: &'a str,
        span: Span,
        value: &Expression<'a>,
        copies: &mut Vec<Node<'a>>,
        out: &mut Vec<Entry<'a>>,
    ) {
        let env = Env::default();
        match for_of(value) {
            Some(each) => {
                copies.push(self.copy(span, Some(name), each, None, Some(&each.body), env));
            }
            None => out.push(self.entry(name, span, self.node(value, env))),
        }
    }

    fn imported_variable(
        self: &Rc<Self>,
        closure: &Rc<Closure<'s, 'a>>,
        part: &Part<'a>,
        copies: &mut Vec<Node<'a>>,
        out: &mut Vec<Entry<'a>>,
    ) {
        let make = self.make();
        match part.kind {
            Kind::Load(at) => {
                let from = closure.file(self.session, part.file);
                let load = from
                    .unit
                    .loads
                    .iter()
                    .find(|load| load.call.span.start == at);
                if let Some(value) = load.and_then(|load| from.load_call(&load.call)) {
                    out.push(entry(part.name, part.span, value));
                }
            }
            Kind::Variable => {
                if let Some(compiled) = closure.compiled(part.file) {
                    let Some((value, count)) = compiled.variable(make, &part.identifier) else {
                        return;
                    };
                    match count {
                        None => out.push(entry(part.name, part.span, value)),
                        Some(count) => {
                            copies.push(self.imported_copy(part, &value, &count));
                        }
                    }
                    return;
                }
                let from = closure.file(self.session, part.file);
                let Some(Symbol::Variable(at)) = from.unit.symbols.get(part.identifier.as_str())
                else {
                    return;
                };
                if let Some(variable) = from.unit.variables.get(*at) {
                    let names = &from.plan.names;
                    let before = names.copy.replace(Some(part.name));
                    from.variable_value(part.name, part.span, &variable.of.value, copies, out);
                    names.copy.set(before);
                }
            }
            Kind::Type | Kind::Function => {}
        }
    }

    /// A loop of a compiled template goes over numbers.
    fn imported_copy(&self, part: &Part<'a>, value: &Node<'a>, count: &Node<'a>) -> Node<'a> {
        let make = self.make();
        let span = part.span;
        let count = make.of_node(count);
        let numbers = make.call(span, "range", &[make.int(span, 0), count]);
        let length = make.value(make.call(span, "length", &[numbers]));
        make.object(
            span,
            &[
                entry("name", span, text(span, part.name)),
                entry("count", span, length),
                entry("input", span, *value),
            ],
        )
    }

    /// `functions`, grouped by namespace.
    pub(crate) fn functions(self: &Rc<Self>, closure: &Rc<Closure<'s, 'a>>) -> Vec<Node<'a>> {
        let mut spaces: Vec<(&'a str, Vec<Entry<'a>>)> = Vec::new();
        let mut add = |namespace: &'a str, member: Entry<'a>| match spaces
            .iter_mut()
            .find(|(name, _)| *name == namespace)
        {
            Some((_, members)) => members.push(member),
            None => spaces.push((namespace, vec![member])),
        };
        for function in &self.unit.functions {
            if let Some(value) = self.function(&function.of, function.statement, None) {
                let name = function.of.name;
                add("__bicep", entry(name.name, name.span, value));
            }
        }
        let mut imported: Vec<_> = closure
            .parts
            .iter()
            .filter(|part| part.kind == Kind::Function)
            .map(|part| (split_function(part.name), part))
            .collect();
        imported.sort_by(|((_, one), _), ((_, other), _)| culture(one, other));
        for ((namespace, name), part) in imported {
            if let Some(value) = self.imported_function(closure, part) {
                add(namespace, entry(name, part.span, value));
            }
        }
        let make = self.make();
        spaces
            .into_iter()
            .map(|(namespace, members)| {
                let span = members
                    .first()
                    .map_or_else(Span::default, |first| first.key_span);
                make.object(
                    span,
                    &[
                        entry("namespace", span, text(span, namespace)),
                        entry("members", span, make.object(span, &members)),
                    ],
                )
            })
            .collect()
    }

    fn imported_function(
        self: &Rc<Self>,
        closure: &Rc<Closure<'s, 'a>>,
        part: &Part<'a>,
    ) -> Option<Node<'a>> {
        let name = split_function(part.name).1;
        let from = self.imported_from(part, name != part.original);
        if let Some(compiled) = closure.compiled(part.file) {
            let node = compiled.function(self.make(), &part.identifier)?;
            let mut entries = node.entries().to_vec();
            let metadata = self.make().object(part.span, &[from]);
            self.set(&mut entries, "metadata", metadata);
            return Some(self.make().object(part.span, &entries));
        }
        let source = closure.file(self.session, part.file);
        let Some(Symbol::Function(at)) = source.unit.symbols.get(part.identifier.as_str()) else {
            return None;
        };
        let function = source.unit.functions.get(*at)?;
        source.function(&function.of, function.statement, Some(from))
    }

    /// A function; `from` says where it is imported from.
    fn function(
        self: &Rc<Self>,
        of: &FunctionDeclaration<'a>,
        statement: &'a Statement<'a>,
        from: Option<Entry<'a>>,
    ) -> Option<Node<'a>> {
        let make = self.make();
        let lambda: TypedLambda<'a> = of.lambda?;
        let span = statement.span;
        let parameters: Vec<_> = lambda
            .parameters
            .iter()
            .map(|parameter| {
                let mut schema = self.schema(&parameter.ty, None);
                let name = parameter.name;
                self.set(&mut schema, "name", text(name.span, name.name));
                make.object(name.span, &schema)
            })
            .collect();
        let mut output = self.schema(&lambda.return_type, None);
        let value = self.node(&lambda.body, Env::default());
        self.set(&mut output, "value", value);
        let mut entries = vec![
            entry("parameters", span, make.array(span, &parameters)),
            entry("output", span, make.object(span, &output)),
        ];
        let mut metadata = Vec::new();
        if let Some(described) = self.described(statement.decorators) {
            metadata.extend_from_slice(described.entries());
        }
        if from.is_none()
            && let Some(exported) = statement.decorator("export")
        {
            let flag = boolean(exported.span, true);
            metadata.push(entry("__bicep_export!", exported.span, flag));
        }
        metadata.extend(from);
        if !metadata.is_empty() {
            entries.push(entry("metadata", span, make.object(span, &metadata)));
        }
        Some(make.object(span, &entries))
    }

    /// `imports`: the extensions that are used.
    pub(crate) fn extensions(&self) -> Vec<Entry<'a>> {
        let make = self.make();
        self.unit
            .extensions
            .iter()
            .map(|extension| {
                let span = extension.statement.span;
                let (provider, version) = super::extension_settings(extension.specification);
                let mut entries = vec![
                    entry("provider", span, text(span, make.text(provider))),
                    entry("version", span, text(span, make.text(version))),
                ];
                if let Some(with) = &extension.with {
                    entries.push(entry("config", with.span, self.node(with, Env::default())));
                }
                entry(extension.alias, span, make.object(span, &entries))
            })
            .collect()
    }

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

    /// `asserts`
    pub(crate) fn asserts(&self) -> Vec<Entry<'a>> {
        self.unit
            .asserts
            .iter()
            .map(|assert| {
                let value = self.node(&assert.of.value, Env::default());
                self.entry(assert.of.name.name, assert.of.name.span, value)
            })
            .collect()
    }
}

fn decorator<'a>(decorators: &'a [Decorator<'a>], name: &str) -> Option<&'a Decorator<'a>> {
    decorators
        .iter()
        .rev()
        .find(|decorator| decorator.name().is_some_and(|found| found.name == name))
}

/// The outputs of a compiled template whose values must not be shown.
pub(crate) fn secure_outputs<'a>(template: &Node<'a>) -> HashSet<&'a str> {
    template
        .get("outputs")
        .into_iter()
        .flat_map(Node::entries)
        .filter(|output| is_secure(template, &output.value, &mut HashSet::new()))
        .map(|output| output.key)
        .collect()
}

/// Whether a schema is, or has in it, something that must not be shown.
pub(crate) fn is_secure<'a>(
    template: &Node<'a>,
    schema: &Node<'a>,
    seen: &mut HashSet<&'a str>,
) -> bool {
    if let Some(kind) = schema.get("type").and_then(Node::as_str)
        && (kind.eq_ignore_ascii_case("securestring") || kind.eq_ignore_ascii_case("secureObject"))
    {
        return true;
    }
    if let Some(pointer) = schema.get("$ref").and_then(Node::as_str) {
        if !seen.insert(pointer) {
            return false;
        }
        return super::compiled::at_pointer(template, pointer)
            .is_some_and(|found| is_secure(template, found, seen));
    }
    let mut parts: Vec<&'a Node<'a>> = Vec::new();
    let under = |key: &str| schema.get(key).into_iter();
    parts.extend(
        under("properties")
            .flat_map(Node::entries)
            .map(|entry| &entry.value),
    );
    parts.extend(under("additionalProperties"));
    parts.extend(under("items"));
    parts.extend(under("prefixItems").flat_map(Node::items));
    let mapping = schema
        .get("discriminator")
        .and_then(|by| by.get("mapping"))
        .into_iter();
    parts.extend(mapping.flat_map(Node::entries).map(|entry| &entry.value));
    parts
        .into_iter()
        .any(|part| is_secure(template, part, seen))
}
