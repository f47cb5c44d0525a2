//! What the table's rules make of arguments.

use std::collections::BTreeMap;

use bicep::source::Span;
use bicep::value::{Data, Shape, Unknown, Value, Why};
use bumpalo::Bump;

use super::Unmapped;
use super::tree::{Tree, open, words};
use crate::identity::Piece;
use crate::json::Values;
use crate::lower::Place;
use crate::output::{Out, Resource, expression};
use crate::table::{Block, Constant, Form, Kind, Rule, Rules, Step, To};

/// Arguments of every resource that Azure knows nothing of.
const OWN: &[&str] = &["timeouts", "id"];

/// A child resource that is written as a block.
pub(super) struct Child<'a> {
    pub(super) segment: String,
    pub(super) name: Piece<'a>,
    pub(super) span: Span,
    pub(super) tree: Tree<'a>,
}

/// What applying rules needs and leaves.
pub(super) struct Rest<'a, 't> {
    pub(super) arena: &'a Bump,
    pub(super) encoded: &'t BTreeMap<&'a str, Value<'a>>,
    pub(super) versions: (u64, u64),
    pub(super) resource: Resource<'a>,
    pub(super) own: &'a str,
    pub(super) children: Vec<Child<'a>>,
    pub(super) unmapped: Vec<Unmapped<'a>>,
}

/// A value that counts: azurerm takes an empty string for an absent one.
fn present<'a>(value: &Value<'a>) -> bool {
    !matches!(value.data, Data::Null | Data::Str(""))
}

/// Terraform takes a text for a number or a boolean where the argument is one; which it is, the
/// rule shows, or azurerm's way to name flags.
fn typed<'a>(to: &To, argument: &str, value: &Value<'a>) -> Value<'a> {
    let Data::Str(text) = value.data else {
        return *value;
    };
    let defaults = || to.default.iter().chain(to.before.iter().map(|(_, it)| it));
    let flag = || match to.steps.as_slice() {
        [] => {
            let named = argument.ends_with("_enabled")
                || argument.ends_with("_disabled")
                || argument.starts_with("enable_");
            named || defaults().any(|default| matches!(default, Constant::Bool(_)))
        }
        steps => steps
            .iter()
            .any(|step| matches!(step, Step::Not | Step::Words(..))),
    };
    let number =
        || to.steps.is_empty() && defaults().any(|default| matches!(default, Constant::Int(_)));
    let data = match (text, text.parse()) {
        ("true", _) if flag() => Data::Bool(true),
        ("false", _) if flag() => Data::Bool(false),
        (_, Ok(known)) if number() => Data::Int(known),
        _ => value.data,
    };
    Value { data, ..*value }
}

/// The empty place before another one.
fn before(span: Span) -> Span {
    Span {
        end: span.start,
        ..span
    }
}

impl<'a> Rest<'a, '_> {
    /// Lists what the table does not map; the arguments that make up id and name need no rule.
    pub(super) fn identified(&mut self, kind: &Kind) {
        let fields = self.resource.body.fields();
        self.missing(fields, "", |name| kind.holds(name));
    }

    fn missing(
        &mut self,
        fields: &'a [bicep::value::Field<'a>],
        path: &str,
        known: impl Fn(&str) -> bool,
    ) {
        for field in fields {
            let mapped = OWN.contains(&field.key) || known(field.key);
            if !mapped && present(&field.value) {
                self.unmapped.push(Unmapped {
                    address: self.resource.address,
                    kind: self.resource.kind,
                    argument: self.arena.alloc_str(&format!("{path}{}", field.key)),
                    foreign: false,
                    span: field.key_span,
                });
            }
        }
    }

    /// Applies rules to a body.
    pub(super) fn apply(
        &mut self,
        rules: &Rules,
        body: &Value<'a>,
        head: Span,
        out: &mut Tree<'a>,
        path: &str,
    ) {
        for (to, constant) in &rules.set {
            let value = Tree::constant(self.arena, constant, head);
            out.set(self.arena, to, head, value);
        }
        if !path.is_empty() {
            self.missing(body.fields(), path, |name| rules.holds(name));
        }
        for argument in &rules.map {
            let found = body
                .fields()
                .iter()
                .find(|field| argument.holds(field.key) && present(&field.value));
            for rule in &argument.rules {
                match rule {
                    Rule::Nothing => {}
                    Rule::Value(to) => match found {
                        Some(field) if to.path.contains('{') => {
                            self.placed(to, body, &field.value, field.key_span, out);
                        }
                        Some(field) => {
                            let value = typed(to, &argument.name, &field.value);
                            self.value(to, &value, field.key_span, out);
                        }
                        None => self.default(to, argument.name.as_str(), head, out),
                    },
                    Rule::Block(block) => {
                        let path = format!("{path}{}.", argument.name);
                        match found {
                            Some(field) => {
                                self.block(block, &field.value, field.key_span, out, &path);
                            }
                            None => self.absent(block, head, out),
                        }
                    }
                }
            }
        }
    }

    /// What azurerm sends for an argument that is not there. Nobody wrote it: its place is empty,
    /// before what leaves it out.
    fn default(&self, to: &To, argument: &str, head: Span, out: &mut Tree<'a>) {
        let constant = match (&to.default, &to.before) {
            (None, None) => return,
            (now, Some((version, before))) => {
                let now = now.as_ref().unwrap_or(&Constant::Null);
                let (low, high) = self.versions;
                if high < *version {
                    before
                } else if low >= *version {
                    now
                } else {
                    let why = vec![Why::Unsupported("the version of the azurerm provider")];
                    let text = format!("azurerm's default for {argument}");
                    let value = open(self.arena, head, &text, Shape::Any, why);
                    out.set(self.arena, &to.path, head, Tree::Leaf(value));
                    return;
                }
            }
            (Some(now), None) => now,
        };
        if matches!(constant, Constant::Null) {
            return;
        }
        let head = before(head);
        let value = Tree::constant(self.arena, constant, head).freeze(self.arena, 0);
        self.value(to, &value, head, out);
    }

    /// A path that hangs on the value of another argument.
    fn placed(
        &self,
        to: &To,
        body: &Value<'a>,
        value: &Value<'a>,
        key_span: Span,
        out: &mut Tree<'a>,
    ) {
        let Some((before, (argument, after))) = to
            .path
            .split_once('{')
            .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        else {
            return;
        };
        match body.get(argument).map(|other| (other, other.data)) {
            Some((_, Data::Str(key))) => {
                let path = format!("{before}{key}{after}");
                out.set(self.arena, &path, key_span, Tree::of(value, 0));
            }
            Some((other, Data::Unknown(unknown))) => {
                let why = unknown.why.to_vec();
                let open = open(self.arena, other.span, unknown.text, Shape::Object, why);
                out.set(
                    self.arena,
                    before.trim_end_matches('.'),
                    key_span,
                    Tree::Leaf(open),
                );
            }
            _ => {}
        }
    }

    fn value(&self, to: &To, value: &Value<'a>, key_span: Span, out: &mut Tree<'a>) {
        if to.nonempty && matches!(value.data, Data::Array([])) {
            return;
        }
        let mut changed = *value;
        for step in &to.steps {
            changed = self.step(step, &changed);
        }
        let tree = match changed.data {
            Data::Null => return,
            _ => Tree::of(&changed, 0),
        };
        match to.path.strip_suffix("[]") {
            Some(path) => out.append(self.arena, path, key_span, tree),
            None => out.set(self.arena, &to.path, key_span, tree),
        }
    }

    fn step(&self, step: &Step, value: &Value<'a>) -> Value<'a> {
        let span = value.span;
        if let Some(unknown) = value.unknown() {
            return self.open_step(step, value, unknown);
        }
        let str = |text: &str| Data::Str(self.arena.alloc_str(text));
        let data = match (step, value.data) {
            (Step::Not, Data::Bool(known)) => Data::Bool(!known),
            (Step::Words(yes, no), Data::Bool(known)) => str(if known { yes } else { no }),
            (Step::Words(yes, no), Data::Int(known)) => str(if known == 0 { no } else { yes }),
            (Step::Text, Data::Bool(known)) => str(if known { "true" } else { "false" }),
            (Step::Text, Data::Int(known)) => str(&known.to_string()),
            (Step::First, Data::Array([first, ..])) => return *first,
            (Step::First, Data::Array([])) => Data::Null,
            (Step::List, _) => Data::Array(self.arena.alloc_slice_copy(&[*value])),
            (Step::Each(key), Data::Array(items)) => {
                let items: Vec<Value<'a>> = items
                    .iter()
                    .map(|item| {
                        let mut tree = Tree::object(item.span);
                        tree.set(self.arena, key, item.span, Tree::Leaf(*item));
                        tree.freeze(self.arena, 0)
                    })
                    .collect();
                Data::Array(self.arena.alloc_slice_copy(&items))
            }
            (Step::Keys, Data::Array(items)) => {
                let mut fields = Vec::new();
                for item in items {
                    let Some(key) = Piece::of_value(item) else {
                        continue;
                    };
                    fields.push(bicep::value::Field {
                        key: &*self.arena.alloc_str(&key.text),
                        key_span: item.span,
                        value: Value {
                            span: item.span,
                            data: Data::Object(&[]),
                        },
                    });
                }
                Data::Object(self.arena.alloc_slice_copy(&fields))
            }
            (Step::Values(pairs), Data::Str(_) | Data::Bool(_)) => {
                let text = match value.data {
                    Data::Str(text) => text,
                    Data::Bool(true) => "true",
                    _ => "false",
                };
                let found = pairs.iter().find(|(from, _)| from == text);
                let other = pairs.iter().find(|(from, _)| from == "*");
                match (found, other) {
                    (Some((_, to)), _) => {
                        return Tree::constant(self.arena, to, span).freeze(self.arena, 0);
                    }
                    // What is not listed stands in braces.
                    (None, Some((_, Constant::Str(to)))) => {
                        let why = vec![Why::Unsupported(self.arena.alloc_str(text))];
                        let text = to.replace('*', &format!("{{{text}}}"));
                        return open(self.arena, span, &text, Shape::Id, why);
                    }
                    _ => value.data,
                }
            }
            (Step::Part(segment), Data::Str(name)) => {
                let text = format!("{}/{segment}/{name}", self.own);
                if !text.contains('{') {
                    return Value {
                        span,
                        data: str(&text),
                    };
                }
                let why = vec![Why::Scope("subscription")];
                return open(self.arena, span, &text, Shape::Id, why);
            }
            (Step::Json, Data::Str(text)) => return self.json(value, text),
            (Step::Epoch, Data::Str(text)) => match text.parse::<jiff::Timestamp>() {
                Ok(time) => Data::Int(time.as_second()),
                Err(_) => value.data,
            },
            (_, data) => data,
        };
        Value { span, data }
    }

    fn json(&self, value: &Value<'a>, text: &str) -> Value<'a> {
        if let Some(known) = self.encoded.get(text) {
            return *known;
        }
        let mut values = Values {
            arena: self.arena,
            place: Place::Fixed(value.span),
        };
        let (options, limits) = (yaml::json::Options::default(), yaml::Limits::default());
        match yaml::json::parse(text, options, &limits, &mut values) {
            Ok(parsed) => Out::new(self.arena).value(&parsed),
            Err(_) => *value,
        }
    }

    /// The same step on an unknown.
    fn open_step(&self, step: &Step, value: &Value<'a>, unknown: &'a Unknown<'a>) -> Value<'a> {
        let (text, shape) = match step {
            Step::Not => {
                let text = match unknown.text.strip_prefix('!') {
                    Some(rest) if !rest.contains(' ') => rest.to_owned(),
                    _ if unknown.text.contains(' ') => format!("!({})", unknown.text),
                    _ => format!("!{}", unknown.text),
                };
                (text, Shape::Bool)
            }
            Step::Words(yes, no) => {
                let text = expression(self.arena, unknown.text);
                (format!("{text} ? {yes:?} : {no:?}"), Shape::String)
            }
            Step::Text if unknown.shape != Shape::String => {
                let text = expression(self.arena, unknown.text);
                (text.to_owned(), Shape::String)
            }
            Step::Text => (unknown.text.to_owned(), Shape::String),
            Step::Epoch => (unknown.text.to_owned(), Shape::Int),
            Step::First => (format!("{}[0]", unknown.text), Shape::Any),
            Step::List => {
                let items = self.arena.alloc_slice_copy(&[*value]);
                return Value {
                    span: value.span,
                    data: Data::Array(items),
                };
            }
            Step::Each(_) | Step::Keys => {
                let shape = match step {
                    Step::Keys => Shape::Object,
                    _ => Shape::Array,
                };
                (unknown.text.to_owned(), shape)
            }
            Step::Values(_) => (unknown.text.to_owned(), Shape::Any),
            Step::Part(segment) => {
                let name = Piece::of_value(value).unwrap_or_default();
                (format!("{}/{segment}/{}", self.own, name.text), Shape::Id)
            }
            Step::Json => {
                return self.encoded.get(unknown.text).copied().unwrap_or(*value);
            }
        };
        let made = open(self.arena, value.span, &text, shape, unknown.why.to_vec());
        match made.data {
            Data::Unknown(inner) if unknown.secret => Value {
                span: value.span,
                data: Data::Unknown(self.arena.alloc(Unknown {
                    secret: true,
                    ..*inner
                })),
            },
            _ => made,
        }
    }

    fn absent(&self, block: &Block, head: Span, out: &mut Tree<'a>) {
        let head = before(head);
        for (path, constant) in &block.absent {
            let value = Tree::constant(self.arena, constant, head);
            out.set(self.arena, path, head, value);
        }
    }

    fn block(
        &mut self,
        block: &Block,
        value: &Value<'a>,
        key_span: Span,
        out: &mut Tree<'a>,
        path: &str,
    ) {
        let single = std::slice::from_ref(value);
        let items: &[Value<'a>] = match value.data {
            Data::Array(items) => items,
            Data::Unknown(unknown) => return self.open_block(block, value, unknown, out),
            _ => single,
        };
        if items.is_empty() {
            return self.absent(block, key_span, out);
        }
        match &block.form {
            Form::Object(to) => {
                for item in items {
                    let mut inner = Tree::object(item.span);
                    if to.is_empty() {
                        self.apply(&block.rules, item, item.span, out, path);
                        continue;
                    }
                    self.item(block, item, &mut inner, path);
                    out.set(self.arena, to, item.span, inner);
                }
            }
            Form::List(to) => {
                for item in items {
                    let mut inner = Tree::object(item.span);
                    self.item(block, item, &mut inner, path);
                    out.append(self.arena, to, key_span, inner);
                }
            }
            Form::Keyed(to, name) => {
                for item in items {
                    let mut inner = Tree::object(item.span);
                    self.item(block, item, &mut inner, path);
                    if let Some(key) = item.get(name).and_then(Piece::of_value) {
                        let to = format!("{to}::{}", key.text.replace("::", ":"));
                        out.set(self.arena, &to.replace('.', "::"), item.span, inner);
                    }
                }
            }
            Form::Child(segment, name) => {
                for item in items {
                    let mut inner = Tree::object(item.span);
                    self.item(block, item, &mut inner, path);
                    let address = self.resource.address;
                    let name = match name.strip_prefix('=') {
                        Some(fixed) => Some(Piece {
                            text: fixed.to_owned(),
                            why: Vec::new(),
                        }),
                        None => item.get(name).and_then(Piece::of_value),
                    };
                    self.children.push(Child {
                        segment: segment.clone(),
                        name: name.unwrap_or_else(|| Piece {
                            text: format!("{{{address}.{path}name}}"),
                            why: vec![Why::Reference(address)],
                        }),
                        span: item.span,
                        tree: inner,
                    });
                }
            }
        }
    }

    fn item(&mut self, block: &Block, item: &Value<'a>, inner: &mut Tree<'a>, path: &str) {
        match item.data {
            Data::Unknown(_) => *inner = Tree::Leaf(*item),
            _ => self.apply(&block.rules, item, item.span, inner, path),
        }
    }

    /// Whatever a block may set is open when it is not known whether there is one.
    fn open_block(
        &self,
        block: &Block,
        value: &Value<'a>,
        unknown: &'a Unknown<'a>,
        out: &mut Tree<'a>,
    ) {
        let shaped = |shape| {
            let why = unknown.why.to_vec();
            Tree::Leaf(open(self.arena, value.span, unknown.text, shape, why))
        };
        match &block.form {
            Form::Object(to) if !to.is_empty() => {
                out.set(self.arena, to, value.span, shaped(Shape::Object));
            }
            Form::List(to) => out.set(self.arena, to, value.span, shaped(Shape::Array)),
            Form::Keyed(to, _) => out.set(self.arena, to, value.span, shaped(Shape::Object)),
            Form::Object(_) | Form::Child(..) => {}
        }
        if let Form::Object(to) = &block.form
            && to.is_empty()
        {
            for path in targets(&block.rules) {
                out.set(self.arena, path, value.span, shaped(Shape::Any));
            }
        }
        for (path, _) in &block.absent {
            out.set(self.arena, path, value.span, shaped(Shape::Any));
        }
    }
}

/// The paths that rules may set, without those within others.
fn targets(rules: &Rules) -> Vec<&str> {
    let mut paths: Vec<&str> = rules.set.iter().map(|(path, _)| path.as_str()).collect();
    for argument in &rules.map {
        for rule in &argument.rules {
            match rule {
                Rule::Value(to) => paths.push(&to.path),
                Rule::Block(block) => match &block.form {
                    Form::Object(path) if path.is_empty() => paths.extend(targets(&block.rules)),
                    Form::Object(path) | Form::List(path) | Form::Keyed(path, _) => {
                        paths.push(path);
                    }
                    Form::Child(..) => {}
                },
                Rule::Nothing => {}
            }
        }
    }
    paths
}

/// The `identity` block of azapi.
pub(super) fn azapi_identity<'a>(arena: &'a Bump, body: &Value<'a>, out: &mut Tree<'a>) {
    let Some(value) = body.get("identity") else {
        return;
    };
    let block = match value.data {
        Data::Array([first, ..]) => first,
        Data::Object(_) => value,
        Data::Unknown(_) => return out.set(arena, "identity", value.span, Tree::Leaf(*value)),
        _ => return,
    };
    if let Some(kind) = block.get("type") {
        out.set(arena, "identity.type", kind.span, Tree::Leaf(*kind));
    }
    if let Some(ids) = block
        .get("identity_ids")
        .filter(|ids| !words(ids).is_empty())
    {
        for item in ids.items() {
            if let Some(key) = Piece::of_value(item) {
                let mut inner = Tree::object(item.span);
                let key = arena.alloc_str(&key.text);
                if let Tree::Object(_, fields) = &mut inner {
                    fields.push((key, item.span, Tree::object(item.span)));
                }
                out.set(arena, "identity.userAssignedIdentities", ids.span, inner);
            }
        }
    }
}
