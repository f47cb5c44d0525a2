//! Resources: loops, conditions, names, ids, bodies.

use std::cell::{Cell, OnceCell};

use crate::deployment::Resource;
use crate::evaluate::compare;
use crate::evaluate::engine::{Engine, Env, FrameKind};
use crate::evaluate::text::Builder;
use crate::evaluate::{MAX_COPY, object::Fields};
use crate::expand::instance::{Decl, Instance, Item, State};
use crate::expand::scope::{Scope, ScopeKind, join_id};
use crate::node::{Node, NodeKind};
use crate::source::Span;
use crate::value::{Data, Shape, Value};

/// What is no part of a resource's body in the API.
const NOT_BODY: [&str; 16] = [
    "copy",
    "condition",
    "dependsOn",
    "resources",
    "existing",
    "scope",
    "comments",
    "metadata",
    "type",
    "apiVersion",
    "name",
    "import",
    "extension",
    "@options",
    "subscriptionId",
    "resourceGroup",
];

impl<'a> Engine<'a> {
    /// The iterations of a declaration: one without a loop, one for all when their number is open.
    pub(crate) fn items(&self, instance: &'a Instance<'a>, decl: &'a Decl<'a>) -> &'a [Item<'a>] {
        if let Some(items) = decl.items.get() {
            return items;
        }
        if decl.counting.replace(true) {
            return &[];
        }
        let items = match decl.parent {
            None => self.iterate(instance, decl, instance.env(), None),
            Some(parent) => {
                let mut all = Vec::new();
                for item in self.items(instance, parent) {
                    all.extend(self.iterate(instance, decl, item.env, Some(item)));
                }
                all
            }
        };
        decl.counting.set(false);
        let items = self.bump.alloc_slice_fill_iter(items);
        decl.items.get_or_init(|| items)
    }

    fn iterate(
        &self,
        instance: &'a Instance<'a>,
        decl: &'a Decl<'a>,
        env: Env<'a>,
        parent: Option<&'a Item<'a>>,
    ) -> Vec<Item<'a>> {
        let item = |env: Env<'a>, index: Option<Value<'a>>, runs: Option<Value<'a>>| Item {
            decl,
            instance,
            env,
            parent,
            index,
            runs,
            name: Cell::new(State::Todo),
            id: Cell::new(State::Todo),
            body: Cell::new(State::Todo),
            condition: Cell::new(State::Todo),
            module: OnceCell::new(),
            opening: Cell::new(false),
        };
        let Some(copy) = decl
            .node
            .get("copy")
            .filter(|copy| copy.get("count").is_some())
        else {
            return vec![item(env, None, None)];
        };
        let name = copy
            .get("name")
            .map(|name| self.key_text(&self.node(env, name)));
        let name = name.or(decl.symbol).unwrap_or_default();
        let Some(count) = copy.get("count").map(|count| self.node(env, count)) else {
            return Vec::new();
        };
        let turn = |index: Value<'a>, runs: Option<Value<'a>>| {
            let env = env.push(
                self.bump,
                FrameKind::Loop {
                    name,
                    index,
                    resource: true,
                },
            );
            item(env, Some(index), runs)
        };
        match count.data {
            Data::Int(count) if (0..=MAX_COPY).contains(&count) => (0..count)
                .map(|at| {
                    turn(
                        Value {
                            span: copy.span,
                            data: Data::Int(at),
                        },
                        None,
                    )
                })
                .collect(),
            Data::Unknown(unknown) => {
                let index = self.loop_index(env, unknown, copy.span);
                let text = format!("{} > 0", self.operand(&count));
                let runs = self.opened(count.span, &text, Shape::Bool, &[count]);
                vec![turn(index, Some(runs))]
            }
            Data::Int(_) => {
                self.error(count.span, format!("a loop may run 0 to {MAX_COPY} times"));
                Vec::new()
            }
            _ => {
                self.error(
                    count.span,
                    "the `count` of a loop must be a whole number".to_owned(),
                );
                Vec::new()
            }
        }
    }

    /// Under what condition a resource is made, together with that of the deployment it is in:
    /// nothing when it is not, `Some(None)` when it certainly is.
    #[expect(
        clippy::option_option,
        reason = "not made, made, made under a condition"
    )]
    pub(crate) fn condition(
        &self,
        item: &'a Item<'a>,
        outer: Option<Value<'a>>,
    ) -> Option<Option<Value<'a>>> {
        let own = self.own_condition(item);
        let mut open: Vec<Value<'a>> = Vec::new();
        for value in [outer, item.runs, own].into_iter().flatten() {
            match value.data {
                Data::Bool(false) => return None,
                Data::Bool(true) => {}
                _ if open.iter().any(|other| compare::identical(other, &value)) => {}
                _ => open.push(value),
            }
        }
        match open.as_slice() {
            [] => Some(None),
            [one] => Some(Some(*one)),
            [.., last] => {
                let texts: Vec<_> = open
                    .iter()
                    .map(|value| {
                        let text = self.expr_text(value);
                        let loose = text.contains('?') || text.contains("||");
                        if loose { format!("({text})") } else { text }
                    })
                    .collect();
                let text = texts.join(" && ");
                Some(Some(self.opened(last.span, &text, Shape::Bool, &open)))
            }
        }
    }

    /// Whether it is not certain that a resource is made.
    pub(crate) fn may_not_be(&self, item: &'a Item<'a>) -> bool {
        !matches!(self.condition(item, None), Some(None))
    }

    fn own_condition(&self, item: &'a Item<'a>) -> Option<Value<'a>> {
        let node = item.decl.node.get("condition")?;
        match item.condition.get() {
            State::Done(value) => Some(value),
            State::Doing => None,
            State::Todo => {
                item.condition.set(State::Doing);
                let guess = item.runs.is_some().then(|| self.guess());
                let mut value = self.node(item.env, node);
                if !matches!(value.data, Data::Bool(_) | Data::Unknown(_)) {
                    let found = compare::kind_name(&value);
                    value = self.error(
                        node.span,
                        format!("a condition must be a boolean, not {found}"),
                    );
                }
                drop(guess);
                item.condition.set(State::Done(value));
                Some(value)
            }
        }
    }

    /// The type of a declaration, with those of the resources it is declared in.
    pub(crate) fn kind(&self, item: &'a Item<'a>) -> &'a str {
        let own = match item.decl.node.get("type") {
            Some(node) => self.key_text(&self.node(item.env, node)),
            None => "",
        };
        match item.parent {
            Some(parent) if !own.split('/').next().unwrap_or_default().contains('.') => {
                self.bump.alloc_str(&format!("{}/{own}", self.kind(parent)))
            }
            // An extension resource declared inside another: `providers/locks`.
            _ => own,
        }
    }

    pub(crate) fn is_module(&self, item: &'a Item<'a>) -> bool {
        let kind = item
            .decl
            .node
            .get("type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        kind.eq_ignore_ascii_case("Microsoft.Resources/deployments")
            && !is_true(item.decl.node.get("existing"))
            && item.decl.node.get("properties").is_some()
    }

    /// The whole name.
    pub(crate) fn name(&self, item: &'a Item<'a>) -> Value<'a> {
        match item.name.get() {
            State::Done(value) => value,
            State::Doing => self.error(item.decl.node.span, "the name leads back to itself".into()),
            State::Todo => {
                item.name.set(State::Doing);
                let value = self.make_name(item);
                item.name.set(State::Done(value));
                value
            }
        }
    }

    fn make_name(&self, item: &'a Item<'a>) -> Value<'a> {
        let span = item.decl.node.span;
        let own = match item.decl.node.get("name") {
            Some(node) => self.node(item.env, node),
            None => self.extension_name(item),
        };
        let own = match own.data {
            Data::Str(_) => own,
            Data::Unknown(_) => self.shaped(own, Shape::String),
            _ => {
                let mut builder = Builder::new(self);
                builder.push(&own);
                builder.finish(self, own.span)
            }
        };
        match item.parent {
            Some(parent)
                if self.kind(item).len() > self.kind(parent).len() && self.is_child(item) =>
            {
                let mut builder = Builder::new(self);
                builder.push(&self.name(parent));
                builder.literal("/");
                builder.push(&own);
                Value {
                    span: own.span,
                    ..builder.finish(self, span)
                }
            }
            _ => own,
        }
    }

    /// Whether a resource inside another is named relative to it.
    fn is_child(&self, item: &'a Item<'a>) -> bool {
        let own = item
            .decl
            .node
            .get("type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        !own.split('/').next().unwrap_or_default().contains('.')
    }

    /// Resources of extensions (Microsoft Graph, Kubernetes) have their name among their
    /// properties.
    fn extension_name(&self, item: &'a Item<'a>) -> Value<'a> {
        let properties = item.decl.node.get("properties");
        let metadata = properties.and_then(|all| all.get("metadata")?.get("name"));
        let named = ["uniqueName", "name", "appId", "displayName"]
            .iter()
            .find_map(|key| properties.and_then(|all| all.get(key)));
        match metadata.or(named) {
            Some(node) => self.node(item.env, node),
            None => self.str(item.decl.node.span, item.decl.symbol.unwrap_or_default()),
        }
    }

    /// The whole id.
    pub(crate) fn id(&self, item: &'a Item<'a>) -> Value<'a> {
        match item.id.get() {
            State::Done(value) => value,
            State::Doing => self.error(item.decl.node.span, "the id leads back to itself".into()),
            State::Todo => {
                item.id.set(State::Doing);
                let value = self.make_id(item);
                item.id.set(State::Done(value));
                let own = item.instance.parent.is_some();
                if own && !is_true(item.decl.node.get("existing")) {
                    self.made.borrow_mut().add(&value, item);
                }
                value
            }
        }
    }

    fn make_id(&self, item: &'a Item<'a>) -> Value<'a> {
        let node = item.decl.node;
        let kind = self.kind(item);
        let name = self.name(item);
        let mut builder = Builder::new(self);
        builder.is_id();
        if node.get("import").is_some() || node.get("extension").is_some() {
            let alias = node.get("extension").or_else(|| node.get("import"));
            let alias = alias.and_then(Node::as_str).unwrap_or_default();
            builder.literal(alias);
            builder.literal(":");
            builder.literal(kind.split('@').next().unwrap_or_default());
            builder.literal("/");
            builder.push(&name);
            return builder.finish(self, node.span);
        }
        let names = self.segments_of(&name, kind);
        let scope = self.scope_of(item);
        match node.get("scope").filter(|_| !self.is_module(item)) {
            Some(base) => {
                let base = self.node(item.env, base);
                self.write_base(&base, &scope, &mut builder);
            }
            None if item.parent.is_some() && !self.is_child(item) => {
                if let Some(parent) = item.parent {
                    builder.push(&self.id(parent));
                }
            }
            None => scope.write(&mut builder),
        }
        join_id(&mut builder, kind, &names);
        builder.finish(self, node.span)
    }

    /// The scope of an extension resource: a whole id, or a type and names in turn.
    fn write_base(&self, base: &Value<'a>, scope: &Scope<'a>, builder: &mut Builder<'a>) {
        match base.data {
            Data::Str("/") => {}
            Data::Str(text) if is_tenant_level(text) => {
                builder.literal("/providers/");
                builder.literal(text);
            }
            Data::Str(text) if !text.starts_with('/') => {
                scope.write(builder);
                builder.literal("/providers/");
                builder.literal(text);
            }
            Data::Str(text) => builder.literal(text.trim_end_matches('/')),
            Data::Unknown(unknown)
                if unknown.shape != Shape::Any && unknown.text.starts_with("Microsoft.") =>
            {
                scope.write(builder);
                builder.literal("/providers/");
                builder.push(base);
            }
            _ => builder.push(base),
        }
    }

    /// Where a resource itself goes: `existing` ones may say so.
    pub(crate) fn scope_of(&self, item: &'a Item<'a>) -> Scope<'a> {
        let mut scope = item.instance.scope;
        let node = item.decl.node;
        let (subscription, group) = (node.get("subscriptionId"), node.get("resourceGroup"));
        if let Some(node) = subscription {
            scope.subscription = self.shaped(self.node(item.env, node), Shape::String);
            scope.kind = ScopeKind::Subscription;
        }
        if let Some(node) = group {
            scope.group = self.shaped(self.node(item.env, node), Shape::String);
            scope.kind = ScopeKind::ResourceGroup;
        }
        // Created resources are subscription-level where the type says so.
        scope
    }

    /// The segments of a name, one for each of the type.
    fn segments_of(&self, name: &Value<'a>, kind: &str) -> Vec<Value<'a>> {
        let wanted = kind.split('/').count().saturating_sub(1).max(1);
        let text = match name.data {
            Data::Str(text) => text,
            Data::Unknown(unknown) => unknown.text,
            _ => return vec![*name],
        };
        let mut pieces = Vec::new();
        let (mut depth, mut start) = (0_u32, 0);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b'/' if depth == 0 && pieces.len() + 1 < wanted => {
                    pieces.push(text.get(start..at).unwrap_or_default());
                    start = at + 1;
                }
                _ => {}
            }
        }
        pieces.push(text.get(start..).unwrap_or_default());
        let values = pieces.iter().map(|piece| match name.data {
            Data::Unknown(unknown) if piece.contains('{') => {
                self.unknown(name.span, piece, Shape::String, unknown.why, unknown.secret)
            }
            _ => self.str(name.span, piece),
        });
        let mut values: Vec<_> = values.collect();
        // A name that is open as a whole: the segments are parts of it.
        if values.len() < wanted
            && let [one] = values.as_slice()
            && one.unknown().is_some()
        {
            let text = self.expr_text(one);
            values = (0..wanted)
                .map(|at| {
                    let text = format!("split({text}, '/')[{at}]");
                    self.opened(name.span, &text, Shape::String, &[*name])
                })
                .collect();
        }
        values
    }

    /// The body as the API has it.
    pub(crate) fn body(&self, item: &'a Item<'a>) -> Option<Value<'a>> {
        match item.body.get() {
            State::Done(value) => Some(value),
            State::Doing => None,
            State::Todo => {
                item.body.set(State::Doing);
                let guess = self.may_not_be(item).then(|| self.guess());
                let value = self.bounded(self.make_body(item));
                drop(guess);
                item.body.set(State::Done(value));
                Some(value)
            }
        }
    }

    fn make_body(&self, item: &'a Item<'a>) -> Value<'a> {
        let node = item.decl.node;
        let rest = self.object(item.env, node.entries(), node.span, &NOT_BODY);
        let mut fields = Fields::new(self.bump, rest.fields().len() + 3);
        let kind_span = node.get("type").map_or(node.span, |node| node.span);
        let (kind, version) = self.kind_and_version(item);
        fields.put(
            "type",
            key_span(node, "type"),
            Value {
                span: kind_span,
                data: Data::Str(kind),
            },
        );
        if let Some(version) = version {
            fields.put("apiVersion", key_span(node, "apiVersion"), version);
        }
        fields.put("name", key_span(node, "name"), self.name(item));
        for field in rest.fields() {
            fields.put(field.key, field.key_span, field.value);
        }
        Value {
            span: node.span,
            data: Data::Object(fields.finish()),
        }
    }

    fn kind_and_version(&self, item: &'a Item<'a>) -> (&'a str, Option<Value<'a>>) {
        let kind = self.kind(item);
        let version = item
            .decl
            .node
            .get("apiVersion")
            .map(|node| self.node(item.env, node));
        match kind.split_once('@') {
            Some((kind, own)) if version.is_none() => {
                let span = item.decl.node.span;
                (
                    kind,
                    Some(Value {
                        span,
                        data: Data::Str(own),
                    }),
                )
            }
            _ => (kind, version),
        }
    }

    /// The resource as it is handed out.
    pub(crate) fn resource(
        &self,
        item: &'a Item<'a>,
        condition: Option<Value<'a>>,
    ) -> Option<Resource<'a>> {
        let node = item.decl.node;
        if !matches!(node.kind, NodeKind::Object(_)) {
            return None;
        }
        let (kind, version) = self.kind_and_version(item);
        let body = self.body(item)?;
        Some(Resource {
            id: self.key_text(&self.id(item)),
            kind,
            api_version: version.map_or("", |version| self.key_text(&version)),
            name: self.key_text(&self.name(item)),
            body,
            condition,
            existing: is_true(node.get("existing")),
            span: node.span,
            through: item.instance.through,
        })
    }
}

/// Whether a relative scope names something that is in no subscription.
fn is_tenant_level(text: &str) -> bool {
    const START: &str = "Microsoft.Management/managementGroups/";
    text.get(..START.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(START))
}

fn key_span(node: &Node<'_>, key: &str) -> Span {
    node.entry(key).map_or(node.span, |entry| entry.key_span)
}

pub(crate) fn is_true(node: Option<&Node<'_>>) -> bool {
    node.is_some_and(|node| matches!(node.kind, NodeKind::Bool(true)))
}
