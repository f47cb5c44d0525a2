//! Writes the parts of a template that deploy nothing: parameters, types, variables, functions,
//! outputs.

use std::collections::HashSet;
use std::rc::Rc;

use crate::node::{Entry, Node};
use crate::source::Span;
use crate::syntax::{Decorator, Expression, FunctionDeclaration, Statement, TypedLambda};

use super::depend::culture;
use super::expr::{boolean, entry, text};
use super::imports::{Closure, Kind, Part};
use super::lower::{Env, split_function};
use super::template::Template;
use super::types::discriminator;
use super::unit::{Symbol, for_of};

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
