//! Nested and linked deployments.

use crate::deployment::{Problem, ProblemKind};
use crate::evaluate::KEPT;
use crate::evaluate::budget::MOST_TEMPLATES;
use crate::evaluate::engine::Engine;
use crate::expand::instance::{Given, Instance, Item, New, State};
use crate::expand::scope::{Scope, ScopeKind};
use crate::json;
use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::{Found, Source};
use crate::value::{Data, Shape, Value, Why};

/// How deep deployments may be nested.
const MAX_DEPTH: u32 = 40;

/// The path of a template that is linked relative to the one that links to it: the way before
/// there was `relativePath`.
fn beside(uri: &str) -> &str {
    uri.strip_prefix("{uri(deployment().properties.templateLink.uri, '")
        .and_then(|rest| rest.strip_suffix("')}"))
        .unwrap_or(uri)
}

/// Why a template is not read that lies on another machine. What follows the path of an address is
/// often a key.
fn remote(uri: &str) -> Option<String> {
    let lower = uri.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return None;
    }
    let address = uri.split(['?', '#']).next().unwrap_or_default();
    Some(format!("`{address}` is not fetched"))
}

impl<'a> Engine<'a> {
    /// The template that a deployment deploys, if it can be read.
    pub(crate) fn module(&self, item: &'a Item<'a>) -> Option<&'a Instance<'a>> {
        if let Some(module) = item.module.get() {
            return *module;
        }
        if item.opening.replace(true) {
            return None;
        }
        let guess = item.runs.is_some().then(|| self.guess());
        let module = self.open_module(item);
        drop(guess);
        item.opening.set(false);
        *item.module.get_or_init(|| module)
    }

    fn open_module(&self, item: &'a Item<'a>) -> Option<&'a Instance<'a>> {
        let node = item.decl.node;
        let properties = node.get("properties")?;
        if self.fuel.get() == 0 {
            self.exhausted(node.span);
            return None;
        }
        if item.instance.depth >= MAX_DEPTH {
            self.unresolved(node, "deployments are nested too deeply".to_owned());
            return None;
        }
        if self.instances.get() >= MOST_TEMPLATES {
            let message = format!("the template deploys more than {MOST_TEMPLATES} others");
            self.too_many(node.span, message);
            return None;
        }
        let inline = properties
            .get("template")
            .filter(|node| !node.entries().is_empty());
        let template = match (inline, properties.get("template")) {
            (Some(template), _) => template,
            (None, Some(node)) if matches!(node.kind, NodeKind::Expr(_)) => {
                self.computed(item, node)?
            }
            _ => self.linked(item, properties)?,
        };
        if inline.is_none() && self.leads_back(item.instance, template) {
            let link = properties.get("templateLink").unwrap_or(properties);
            let name = self.file_name(template);
            let message = match self.file_name(link) {
                own if own == name => format!("`{name}` links to itself"),
                own => format!("`{own}` links to `{name}`, which leads back to it"),
            };
            self.unresolved(link, message);
            return None;
        }
        let inner = properties
            .get("expressionEvaluationOptions")
            .and_then(|options| options.get("scope"))
            .and_then(Node::as_str)
            .is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
        let outer = (inline.is_some() && !inner).then_some(item.env);
        let through: Vec<_> = item
            .instance
            .through
            .iter()
            .copied()
            .chain([node.span])
            .collect();
        let location = node.get("location").map(|node| self.node(item.env, node));
        let new = New {
            node: template,
            parent: Some(item.instance),
            outer,
            scope: self.module_scope(item),
            name: self.name(item),
            location,
            through: self.bump.alloc_slice_copy(&through),
            path: self.bump.alloc_str(&format!("{}.", self.label(item))),
        };
        let parameters = properties.get("parameters");
        let whole = parameters
            .filter(|node| matches!(node.kind, NodeKind::Expr(_)))
            .map(|node| self.node(item.env, node));
        let file = self.linked_parameters(item, properties);
        let instance = self.instance(new, |name| {
            if let Some(whole) = whole {
                return match whole.get(name).and_then(|entry| entry.get("value")) {
                    Some(value) => Given::Value(*value),
                    None => Given::Nothing,
                };
            }
            if let Some(entry) = parameters.and_then(|all| all.get(name)) {
                return Given::Wrapped(entry, item.env);
            }
            match file.and_then(|file| file.get("parameters")?.get(name)) {
                Some(entry) => Given::Wrapped(entry, item.env),
                None => Given::Nothing,
            }
        });
        self.instances.set(self.instances.get() + 1);
        if outer.is_none() {
            self.superfluous(instance, parameters);
        }
        Some(instance)
    }

    /// A template that is the value of an expression, such as a file that the compiler put into a
    /// variable. Strings in brackets in it are expressions of the template itself.
    fn computed(&self, item: &'a Item<'a>, node: &'a Node<'a>) -> Option<&'a Node<'a>> {
        let value = self.node(item.env, node);
        if value.fields().is_empty() {
            let text = self.expr_text(&value);
            self.unresolved(node, format!("the template of the deployment is `{text}`"));
            return None;
        }
        Some(self.bump.alloc(self.as_node(&value)))
    }

    fn as_node(&self, value: &Value<'a>) -> Node<'a> {
        let kind = match value.data {
            Data::Null => NodeKind::Null,
            Data::Bool(bool) => NodeKind::Bool(bool),
            Data::Int(int) => NodeKind::Int(int),
            Data::Float(float) => NodeKind::Float(float),
            Data::Str(text) => return json::string_node(self.bump, text, value.span),
            Data::Array(items) => NodeKind::Array(
                self.bump
                    .alloc_slice_fill_iter(items.iter().map(|item| self.as_node(item))),
            ),
            Data::Object(fields) => {
                NodeKind::Object(self.bump.alloc_slice_fill_iter(fields.iter().map(|field| {
                    Entry {
                        key: field.key,
                        key_expr: None,
                        key_span: field.key_span,
                        value: self.as_node(&field.value),
                    }
                })))
            }
            Data::Unknown(_) => {
                let mut kept = self.kept.borrow_mut();
                let number = ExprKind::Int(kept.len() as i64);
                kept.push(*value);
                let args = self.bump.alloc_slice_copy(&[Expr {
                    span: value.span,
                    kind: number,
                }]);
                let kind = ExprKind::Call {
                    namespace: None,
                    name: KEPT,
                    args,
                };
                NodeKind::Expr(self.bump.alloc(Expr {
                    span: value.span,
                    kind,
                }))
            }
        };
        Node {
            span: value.span,
            kind,
        }
    }

    /// Notes arguments for parameters that a module does not have.
    fn superfluous(&self, instance: &'a Instance<'a>, parameters: Option<&'a Node<'a>>) {
        if self.guesses.get() > 0 {
            return;
        }
        for entry in parameters.map(Node::entries).unwrap_or_default() {
            if entry.key_expr.is_none() && instance.param(entry.key).is_none() {
                self.problem(Problem {
                    span: entry.key_span,
                    message: format!("the module has no parameter `{}`", entry.key),
                    help: crate::expand::parameters::meant(instance, entry.key),
                    kind: ProblemKind::Expression,
                });
            }
        }
    }

    fn unresolved(&self, node: &Node<'a>, message: String) {
        self.missing_template(node, message, "what it makes is not part of the answer");
    }

    fn missing_template(&self, node: &Node<'a>, message: String, help: &str) {
        self.problem(Problem {
            span: node.span,
            message,
            help: Some(help.to_owned()),
            kind: ProblemKind::Unresolved,
        });
    }

    /// Whether a template is one of those that lead to it.
    fn leads_back(&self, instance: &'a Instance<'a>, template: &'a Node<'a>) -> bool {
        std::iter::successors(Some(instance), |own| own.parent)
            .any(|own| own.node.span == template.span)
    }

    /// The template of a `templateLink`.
    fn linked(&self, item: &'a Item<'a>, properties: &'a Node<'a>) -> Option<&'a Node<'a>> {
        let Some(link) = properties.get("templateLink") else {
            // Where a module was not found, its call says so.
            if !self.file_name(properties).ends_with(".bicep") {
                self.unresolved(properties, "the deployment has no template".to_owned());
            }
            return None;
        };
        let text = |key: &str| {
            let value = self.node(item.env, link.get(key)?);
            Some(self.key_text(&value))
        };
        let from = self.file_name(link);
        let found = if let Some(path) = text("relativePath") {
            self.beside(from, path)
        } else if let Some(uri) = text("uri") {
            if let Some(message) = remote(uri) {
                let help = "give it as a file: download it and link to it with `relativePath`";
                self.missing_template(link, message, help);
                return None;
            }
            self.beside(from, beside(uri))
        } else if let Some(id) = text("id") {
            self.files.module(from, &format!("ts:{id}"))
        } else {
            Err("the link says neither `relativePath`, `uri` nor `id`".to_owned())
        };
        match found {
            Ok(found) => self.read(found, link),
            Err(message) => {
                self.unresolved(link, message);
                None
            }
        }
    }

    /// The parameter file of a `parametersLink`.
    fn linked_parameters(
        &self,
        item: &'a Item<'a>,
        properties: &'a Node<'a>,
    ) -> Option<&'a Node<'a>> {
        let link = properties.get("parametersLink")?;
        let node = link.get("relativePath").or_else(|| link.get("uri"))?;
        let value = self.node(item.env, node);
        let path = self.key_text(&value);
        if let Some(message) = remote(path) {
            let help = "give it as a file: download it and link to it with `relativePath`";
            self.missing_template(link, message, help);
            return None;
        }
        match self.beside(self.file_name(link), path) {
            Ok(found) => self.read(found, link),
            Err(message) => {
                self.unresolved(link, message);
                None
            }
        }
    }

    /// A file that is linked to by its path.
    fn beside(&self, from: &str, path: &str) -> Result<Found, String> {
        self.files.file(from, path).map_err(|why| {
            if why.contains(path) {
                why
            } else {
                format!("`{path}` was not found: {why}")
            }
        })
    }

    fn file_name(&self, node: &Node<'a>) -> &'a str {
        self.sources
            .borrow()
            .get(node.span.file)
            .map_or("", |source| source.name)
    }

    fn read(&self, found: Found, link: &Node<'a>) -> Option<&'a Node<'a>> {
        let Ok(text) = std::str::from_utf8(&found.bytes) else {
            self.unresolved(link, format!("`{}` is no text", found.name));
            return None;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let known = self.sources.borrow().find(&found.name);
        let file = match known {
            Some(file) => file,
            None => {
                let name = self.bump.alloc_str(&found.name);
                let text = self.bump.alloc_str(text);
                let source = Source {
                    name,
                    text,
                    published: found.published,
                };
                self.sources.borrow_mut().add(source)
            }
        };
        let read = self.templates.borrow();
        if let Some((_, root)) = read.iter().find(|(own, _)| *own == file) {
            return Some(root);
        }
        drop(read);
        let text = self
            .sources
            .borrow()
            .get(file)
            .map_or("", |source| source.text);
        let parsed = json::parse(self.bump, text, file);
        for problem in parsed.problems {
            self.problem(problem);
        }
        let root: &'a Node<'a> = self.bump.alloc(parsed.root);
        self.templates.borrow_mut().push((file, root));
        Some(root)
    }

    /// Where a nested deployment goes.
    fn module_scope(&self, item: &'a Item<'a>) -> Scope<'a> {
        let mut scope = item.instance.scope;
        let node = item.decl.node;
        if let Some(base) = node.get("scope") {
            let base = self.node(item.env, base);
            return scope.of_id(self, &base);
        }
        if let Some(node) = node.get("subscriptionId") {
            scope.subscription = self.shaped(self.node(item.env, node), Shape::String);
            scope.kind = ScopeKind::Subscription;
        }
        if let Some(node) = node.get("resourceGroup") {
            scope.group = self.shaped(self.node(item.env, node), Shape::String);
            scope.kind = ScopeKind::ResourceGroup;
        }
        scope
    }

    /// The outputs of a template by name.
    pub(crate) fn outputs(&self, instance: &'a Instance<'a>) -> Vec<(&'a str, Value<'a>)> {
        let mut out = Vec::new();
        for entry in instance
            .node
            .get("outputs")
            .map(Node::entries)
            .unwrap_or_default()
        {
            if let Some(condition) = entry.value.get("condition") {
                let condition = self.node(instance.env(), condition);
                if matches!(condition.data, Data::Bool(false)) {
                    continue;
                }
            }
            if let Some(value) = self.output(instance, &entry.value, entry.key) {
                out.push((entry.key, value));
            }
        }
        out
    }

    fn output(
        &self,
        instance: &'a Instance<'a>,
        node: &'a Node<'a>,
        name: &'a str,
    ) -> Option<Value<'a>> {
        let env = instance.env();
        let value = match (node.get("value"), node.get("copy")) {
            (Some(value), _) => self.bounded(self.node(env, value)),
            (None, Some(copy)) => {
                let count = self.node(env, copy.get("count")?);
                let list = self.repeat(env, name, count, copy.get("input")?, copy.span);
                self.bounded(list)
            }
            (None, None) => return None,
        };
        let declared = crate::expand::types::Type::new(instance, node);
        if declared.secure() && !matches!(value.data, Data::Null) {
            let text = format!("{{{}outputs.{name}}}", instance.path);
            let why = match value.data {
                Data::Unknown(unknown) => unknown.why,
                _ => &[Why::Keys("Microsoft.Resources/deployments")],
            };
            return Some(self.unknown(value.span, &text, Shape::String, why, true));
        }
        Some(value)
    }

    /// What `reference` gives for a deployment.
    pub(crate) fn module_outputs(&self, instance: &'a Instance<'a>) -> Option<Value<'a>> {
        match instance.outputs.get() {
            State::Done(value) => Some(value),
            State::Doing => None,
            State::Todo => {
                instance.outputs.set(State::Doing);
                let span = instance.node.span;
                let fields: Vec<_> = self
                    .outputs(instance)
                    .into_iter()
                    .map(|(name, value)| (name, self.object_of(span, &[("value", value)])))
                    .collect();
                let value = self.object_of(span, &fields);
                instance.outputs.set(State::Done(value));
                Some(value)
            }
        }
    }
}
