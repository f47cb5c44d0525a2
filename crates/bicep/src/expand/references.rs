//! `reference`, `references`, `resourceInfo` and `list…`: what one resource says of another.

use crate::evaluate::compare;
use crate::evaluate::engine::{Engine, Env};
use crate::evaluate::object::Fields;
use crate::evaluate::text::Builder;
use crate::expand::instance::{Decl, Instance, Item};
use crate::expand::places::{Way, last_segment, same_text};
use crate::expand::resources::is_true;
use crate::expand::scope::kind_of_id;
use crate::functions::Outcome;
use crate::source::Span;
use crate::value::{Data, Shape, Value, Why};

impl<'a> Engine<'a> {
    /// What a resource is called in texts.
    pub(crate) fn label(&self, item: &'a Item<'a>) -> String {
        let path = item.instance.path;
        let base = match item.decl.symbol {
            Some(symbol) => format!("{path}{symbol}"),
            None => {
                let kind = self.kind(item).rsplit('/').next().unwrap_or_default();
                return format!("{path}{kind}[{}]", self.expr_text(&self.name(item)));
            }
        };
        match item.index {
            Some(index) => format!("{base}[{}]", self.expr_text(&index)),
            None => base,
        }
    }

    /// The resource that a symbolic name, a name or an id means.
    pub(crate) fn find_resource(&self, env: Env<'a>, target: &Value<'a>) -> Option<&'a Item<'a>> {
        let text = match target.data {
            Data::Str(text) => text,
            Data::Unknown(unknown) => unknown.text,
            _ => return None,
        };
        // Looking at a resource's name does not mean that it is made.
        let _guess = self.guess();
        let instance = env.template;
        if instance.symbolic
            && let Some(item) = self.by_symbol(instance, text)
        {
            return Some(item);
        }
        if text.starts_with('/') || text.contains("/providers/") {
            return self.by_id(instance, target, text);
        }
        self.by_name(instance, target)
    }

    /// `name` or `name[index]`
    fn by_symbol(&self, instance: &'a Instance<'a>, text: &str) -> Option<&'a Item<'a>> {
        let (symbol, index) = match text.split_once('[') {
            Some((symbol, rest)) => (symbol, rest.strip_suffix(']')),
            None => (text, None),
        };
        let decl = self.declared(instance, symbol)?;
        let items = self.items(instance, decl);
        match (items, index) {
            ([one], None) => Some(one),
            ([one], Some(_)) if one.runs.is_some() => Some(one),
            (items, Some(index)) => items.get(index.parse::<usize>().ok()?),
            (_, None) => None,
        }
    }

    fn declared(&self, instance: &'a Instance<'a>, symbol: &str) -> Option<&'a Decl<'a>> {
        instance.decls.get(instance.symbols.get(symbol)?).copied()
    }

    fn by_id(
        &self,
        instance: &'a Instance<'a>,
        target: &Value<'a>,
        text: &str,
    ) -> Option<&'a Item<'a>> {
        let kind = kind_of_id(text)?;
        let mut next = Some(instance);
        let mut named = None;
        while let Some(instance) = next {
            match self.by_id_in(instance, target, &kind) {
                Some(item) if is_true(item.decl.node.get("existing")) => {
                    named = named.or(Some(item))
                }
                Some(item) => return Some(item),
                None => {}
            }
            next = instance.parent;
        }
        self.by_known_id(target, &kind).or(named)
    }

    /// A resource of a module that was evaluated before. Nothing is evaluated here: what looks
    /// for it may be what the module waits for.
    fn by_known_id(&self, target: &Value<'a>, kind: &str) -> Option<&'a Item<'a>> {
        self.made.borrow().find(target, |item| {
            item.decl
                .node
                .get("type")
                .and_then(crate::node::Node::as_str)
                .is_some_and(|own| last_segment(own).eq_ignore_ascii_case(last_segment(kind)))
        })
    }

    fn by_id_in(
        &self,
        instance: &'a Instance<'a>,
        target: &Value<'a>,
        kind: &str,
    ) -> Option<&'a Item<'a>> {
        let mut found = None;
        let last = last_segment(kind).to_ascii_lowercase();
        self.look_up(instance, Way::Id(&last), target, &mut |item| {
            if !self.kind(item).eq_ignore_ascii_case(kind) || self.is_left_out(item) {
                return false;
            }
            found = Some(item);
            !is_true(item.decl.node.get("existing"))
        });
        found
    }

    fn by_name(&self, instance: &'a Instance<'a>, target: &Value<'a>) -> Option<&'a Item<'a>> {
        let mut found = None;
        self.look_up(instance, Way::Name, target, &mut |item| {
            let made = !self.is_left_out(item);
            if made {
                found = Some(item);
            }
            made
        });
        found
    }

    /// Whether its condition certainly does not hold.
    fn is_left_out(&self, item: &'a Item<'a>) -> bool {
        self.condition(item, None).is_none()
    }

    /// What `reference` gives.
    pub(crate) fn reference(
        &self,
        env: Env<'a>,
        target: &Value<'a>,
        full: bool,
        span: Span,
    ) -> Value<'a> {
        match self.find_resource(env, target) {
            Some(item) => self.reference_item(item, full, span),
            None => {
                if let Some(value) = self.reference_any(env, target, full, span) {
                    return value;
                }
                let id = self.key_text(target);
                let text = format!("reference({})", self.expr_text(target));
                let mut why = vec![Why::Reference(id)];
                if let Data::Unknown(unknown) = target.data {
                    why.extend(
                        unknown
                            .why
                            .iter()
                            .filter(|own| matches!(own, Why::Parameter(_))),
                    );
                }
                self.unknown(span, &text, Shape::Object, &why, false)
            }
        }
    }

    /// `reference('loop[…]')` at a place that is open: what all iterations have in common.
    fn reference_any(
        &self,
        env: Env<'a>,
        target: &Value<'a>,
        full: bool,
        span: Span,
    ) -> Option<Value<'a>> {
        let Data::Unknown(unknown) = target.data else {
            return None;
        };
        let (symbol, _) = unknown
            .text
            .split_once('[')
            .filter(|_| env.template.symbolic)?;
        let decl = self.declared(env.template, symbol)?;
        let items = self.items(env.template, decl);
        let values: Vec<_> = items
            .iter()
            .map(|item| self.reference_item(item, full, span))
            .collect();
        let (first, rest) = values.split_first()?;
        let known = |value: &Value<'a>| value.unknown().map(|own| own.fields).unwrap_or_default();
        let common: Vec<_> = known(first)
            .iter()
            .filter(|field| {
                rest.iter().all(|other| {
                    known(other).iter().any(|own| {
                        own.key.eq_ignore_ascii_case(field.key)
                            && compare::identical(&own.value, &field.value)
                    })
                })
            })
            .copied()
            .collect();
        let text = unknown.text.replace(['{', '}'], "");
        let text = format!("{}{text}", env.template.path);
        let mut from = values.clone();
        from.push(*target);
        let open = self.opened(span, &text, Shape::Object, &from);
        let fields = self.bump.alloc_slice_copy(&common);
        Some(self.with(open, |own| own.fields = fields))
    }

    fn reference_item(&self, item: &'a Item<'a>, full: bool, span: Span) -> Value<'a> {
        let guess = self.guess();
        let label = self.label(item);
        let id = self.key_text(&self.id(item));
        drop(guess);
        if self.is_module(item) {
            return self.reference_module(item, id, &label, full, span);
        }
        let why = Why::Reference(id);
        let source = if is_true(item.decl.node.get("existing")) {
            self.same_elsewhere(item)
        } else {
            Some(item).filter(|item| !self.is_left_out(item))
        };
        let made = source.and_then(|item| self.body(item));
        let made = made.map(|body| self.with_child_ids(item, body));
        if full {
            let body = made.unwrap_or(Value {
                span,
                data: Data::Object(&[]),
            });
            return self.extended(Value { span, ..body }, &label, why);
        }
        let text = format!("{label}.properties");
        let properties = made.and_then(|body| body.get("properties").copied());
        match properties {
            Some(
                value @ Value {
                    data: Data::Object(_),
                    ..
                },
            ) => self.extended(value, &text, why),
            Some(
                value @ Value {
                    data: Data::Unknown(unknown),
                    ..
                },
            ) => {
                let open = self.unknown(value.span, &text, Shape::Object, &[why], unknown.secret);
                self.with(open, |own| own.fields = unknown.fields)
            }
            _ => self.unknown(span, &text, Shape::Object, &[why], false),
        }
    }

    /// Items of a network resource's lists (subnets, front ends, rules) are resources of their own:
    /// Azure gives each the id of its parent, the list's name and its own name.
    /// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get>
    fn with_child_ids(&self, item: &'a Item<'a>, body: Value<'a>) -> Value<'a> {
        let kind = self.kind(item);
        let network = kind
            .get(..18)
            .is_some_and(|start| start.eq_ignore_ascii_case("Microsoft.Network/"));
        let Some(properties) = body.get("properties").filter(|_| network) else {
            return body;
        };
        let lists = properties.fields().iter().any(|field| {
            field
                .value
                .items()
                .iter()
                .any(|child| child.get("name").is_some())
        });
        if !lists {
            return body;
        }
        let id = self.id(item);
        let mut fields = Fields::of(self.bump, properties.fields());
        for field in properties.fields() {
            let items = field.value.items();
            if !items.iter().any(|child| child.get("name").is_some()) {
                continue;
            }
            let items = items
                .iter()
                .map(|child| self.with_child_id(&id, field.key, *child));
            let data = Data::Array(self.bump.alloc_slice_fill_iter(items));
            fields.put(
                field.key,
                field.key_span,
                Value {
                    data,
                    ..field.value
                },
            );
        }
        let properties = Value {
            data: Data::Object(fields.finish()),
            ..*properties
        };
        let mut fields = Fields::of(self.bump, body.fields());
        fields.put("properties", properties.span, properties);
        Value {
            data: Data::Object(fields.finish()),
            ..body
        }
    }

    fn with_child_id(&self, parent: &Value<'a>, list: &str, child: Value<'a>) -> Value<'a> {
        let named = child.get("name").filter(|name| is_text(name));
        let Some(name) = named.filter(|_| child.get("id").is_none()) else {
            return child;
        };
        let mut builder = Builder::new(self);
        builder.is_id();
        builder.push(parent);
        builder.literal("/");
        builder.literal(list);
        builder.literal("/");
        builder.push(name);
        let id = builder.finish(self, name.span);
        let mut fields = Fields::of(self.bump, child.fields());
        fields.put("id", name.span, id);
        Value {
            data: Data::Object(fields.finish()),
            ..child
        }
    }

    /// A resource that is named as existing may be made by a template around it.
    fn same_elsewhere(&self, item: &'a Item<'a>) -> Option<&'a Item<'a>> {
        let id = self.id(item);
        let text = self.key_text(&id);
        let found = self.by_id(item.instance, &id, text)?;
        (!is_true(found.decl.node.get("existing"))).then_some(found)
    }

    fn reference_module(
        &self,
        item: &'a Item<'a>,
        id: &'a str,
        label: &str,
        full: bool,
        span: Span,
    ) -> Value<'a> {
        let _guess = self.may_not_be(item).then(|| self.guess());
        let outputs = self
            .module(item)
            .and_then(|module| self.module_outputs(module));
        let why = match outputs {
            Some(_) => Why::Reference(id),
            None => Why::Unresolved(self.bump.alloc_str(label)),
        };
        let open = self.unknown(span, label, Shape::Object, &[why], false);
        let mut fields = Fields::new(self.bump, 1);
        if let Some(outputs) = outputs {
            fields.put("outputs", span, outputs);
        }
        let fields = fields.finish();
        let properties = self.with(open, |unknown| unknown.fields = fields);
        if !full {
            return properties;
        }
        let fields = self.object_of(span, &[("properties", properties)]).fields();
        self.with(open, |unknown| unknown.fields = fields)
    }

    /// What `references` gives.
    pub(crate) fn references(
        &self,
        env: Env<'a>,
        name: &str,
        full: bool,
        span: Span,
    ) -> Outcome<'a> {
        let instance = env.template;
        let Some(decl) = self.declared(instance, name) else {
            return crate::functions::Fault::error(format!("there is no loop `{name}`"));
        };
        let items = self.items(instance, decl);
        if let [one] = items
            && let Some(runs) = one.runs
        {
            let value = self.reference_item(one, full, span);
            let path = instance.path;
            let text = format!("references('{path}{name}')");
            let open = self.opened(span, &text, Shape::Array, &[runs, value]);
            return Ok(open);
        }
        let values = items
            .iter()
            .map(|item| self.reference_item(item, full, span));
        Ok(Value {
            span,
            data: Data::Array(self.bump.alloc_slice_fill_iter(values)),
        })
    }

    /// What is known of a resource without the runtime.
    pub(crate) fn resource_info(&self, item: &'a Item<'a>, span: Span) -> Value<'a> {
        let node = item.decl.node;
        let version = node.get("apiVersion").map(|node| self.node(item.env, node));
        let version = version.unwrap_or(Value {
            span,
            data: Data::Null,
        });
        let kind = Value {
            span,
            data: Data::Str(self.kind(item)),
        };
        self.object_of(
            span,
            &[
                ("id", self.id(item)),
                ("name", self.name(item)),
                ("type", kind),
                ("apiVersion", version),
            ],
        )
    }

    /// What a `list…` function gives.
    pub(crate) fn list(
        &self,
        env: Env<'a>,
        name: &str,
        target: &Value<'a>,
        span: Span,
    ) -> Value<'a> {
        let (text, id) = match self.find_resource(env, target) {
            Some(item) => {
                if name.eq_ignore_ascii_case("listOutputsWithSecureValues")
                    && let Some(values) = self.secure_outputs(item, span)
                {
                    return values;
                }
                (
                    format!("{}.{name}()", self.label(item)),
                    self.key_text(&self.id(item)),
                )
            }
            None => (
                format!("{name}({})", self.expr_text(target)),
                self.key_text(target),
            ),
        };
        self.unknown(span, &text, Shape::Object, &[Why::Keys(id)], true)
    }

    /// A module's outputs, each a secret, without `value` between.
    fn secure_outputs(&self, item: &'a Item<'a>, span: Span) -> Option<Value<'a>> {
        let module = self.module(item).filter(|_| self.is_module(item))?;
        let outputs = self.module_outputs(module)?;
        let id = self.key_text(&self.id(item));
        let text = format!("{}.outputs", self.label(item));
        let fields: Vec<_> = outputs
            .fields()
            .iter()
            .filter_map(|field| {
                let value = *field.value.get("value")?;
                let value = match value.data {
                    Data::Unknown(_) => self.with(value, |unknown| unknown.secret = true),
                    _ => value,
                };
                Some((field.key, value))
            })
            .collect();
        let fields = self.object_of(span, &fields).fields();
        let open = self.unknown(span, &text, Shape::Object, &[Why::Keys(id)], true);
        Some(self.with(open, |unknown| unknown.fields = fields))
    }

    /// The location of a resource group that a template around this one makes.
    pub(crate) fn group_location(
        &self,
        instance: &'a Instance<'a>,
        group: &Value<'a>,
    ) -> Option<Value<'a>> {
        let mut next = instance.parent;
        while let Some(instance) = next {
            for decl in instance.decls {
                let kind = decl
                    .node
                    .get("type")
                    .and_then(crate::node::Node::as_str)
                    .unwrap_or_default();
                if !kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups")
                    || is_true(decl.node.get("existing"))
                {
                    continue;
                }
                for item in self.items(instance, decl) {
                    if same_text(&self.name(item), group) {
                        return Some(self.node(item.env, decl.node.get("location")?));
                    }
                }
            }
            next = instance.parent;
        }
        None
    }
}

/// Whether a value is a string as far as one knows.
fn is_text(value: &Value<'_>) -> bool {
    matches!(value.data, Data::Str(_) | Data::Unknown(_))
}
