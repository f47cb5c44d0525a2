//! Expressions.

use bicep::source::Span;
use bicep::value::{Shape, Why};

use crate::engine::{Engine, Eval, Names, Scope, excluded};
use crate::syntax::{Call, Expr, For, Item, Kind, Operator, Part, Step};
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Unknown, Val, bounded, reasons};

/// Bytes of one string.
const MAX_STRING: usize = 4 << 20;

impl<'a> Engine<'a, '_> {
    /// The value of an expression, or why Terraform would refuse it.
    pub(crate) fn eval(&mut self, scope: &Scope<'_, 'a>, expr: &Expr<'a>) -> Eval<'a> {
        match expr.kind {
            Kind::Null => Ok(Val::null(expr.span)),
            Kind::Bool(value) => Ok(Val::bool(expr.span, value)),
            Kind::Int(value) => Ok(Val::new(expr.span, Data::Int(value))),
            Kind::Float(value) => Ok(Val::new(expr.span, Data::Float(value))),
            Kind::Str(text) => Ok(Val::new(expr.span, Data::Str(text))),
            _ => {
                self.enter(expr.span)?;
                let result = self.eval_deep(scope, expr);
                self.levels -= 1;
                result.and_then(|value| self.charge(value))
            }
        }
    }

    /// The value, or an unknown after the problem was reported.
    pub(crate) fn value(&mut self, scope: &Scope<'_, 'a>, expr: &Expr<'a>) -> Val<'a> {
        self.eval(scope, expr)
            .unwrap_or_else(|fault| self.refused(fault, expr.span))
    }

    fn eval_deep(&mut self, scope: &Scope<'_, 'a>, expr: &Expr<'a>) -> Eval<'a> {
        let span = expr.span;
        match expr.kind {
            Kind::Tuple(items) => self.tuple(scope, items, span),
            Kind::Object(items) => self.object(scope, items, span),
            Kind::Template(parts) => {
                let mut text = Text::default();
                self.template(scope, parts, &mut text)?;
                Ok(self.text_value(text, span))
            }
            Kind::Name(name) => self.name(scope, name, span),
            Kind::Conditional(parts) => self.conditional(scope, parts, span),
            Kind::Call(call) => self.call_expr(scope, call, span),
            Kind::Attr(base, name) => match self.named(scope, expr) {
                Some(found) => found,
                None => {
                    let base = self.eval(scope, base)?;
                    self.attribute(&base, name, span)
                }
            },
            Kind::Index(base, index) => {
                let base = self.eval(scope, base)?;
                let index = self.eval(scope, index)?;
                self.index(&base, &index, span)
            }
            Kind::Splat(base, steps) => self.splat(scope, base, steps, span),
            Kind::Not(inner) => {
                let value = self.eval(scope, inner)?;
                self.not(&value, span)
            }
            Kind::Minus(inner) => {
                let value = self.eval(scope, inner)?;
                self.minus(&value, span)
            }
            Kind::Binary(operator, sides) => self.binary(scope, operator, sides, span),
            Kind::For(repeat) => self.repeat(scope, repeat, span),
            _ => Ok(Val::null(span)),
        }
    }

    fn tuple(&mut self, scope: &Scope<'_, 'a>, items: &'a [Expr<'a>], span: Span) -> Eval<'a> {
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            made.push(self.eval(scope, item)?);
        }
        Ok(self.seq(Seq::Tuple, made, span))
    }

    pub(crate) fn seq(&self, kind: Seq, items: Vec<Val<'a>>, span: Span) -> Val<'a> {
        Val::new(span, Data::Seq(kind, self.arena.alloc_slice_copy(&items)))
    }

    pub(crate) fn map(&self, kind: Map, entries: &[Entry<'a>], span: Span) -> Val<'a> {
        Val::new(span, Data::Map(kind, self.arena.alloc_slice_copy(entries)))
    }

    fn object(&mut self, scope: &Scope<'_, 'a>, items: &'a [Item<'a>], span: Span) -> Eval<'a> {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(items.len());
        for item in items {
            let key = self.eval(scope, &item.key)?;
            let value = self.eval(scope, &item.value)?;
            let entry = self.entry(&key, value, item.key.span)?;
            match entries.iter_mut().find(|old| old.key == entry.key) {
                Some(old) => *old = entry,
                None => entries.push(entry),
            }
        }
        Ok(self.map(Map::Object, &entries, span))
    }

    /// An entry whose key is a value, which may be open.
    pub(crate) fn entry(
        &self,
        key: &Val<'a>,
        value: Val<'a>,
        span: Span,
    ) -> Result<Entry<'a>, crate::engine::Fault<'a>> {
        let (text, open) = match key.unknown() {
            Some(unknown) if unknown.partial => (unknown.text, Some(unknown)),
            Some(unknown) => (
                &*self.arena.alloc_str(&format!("{{{}}}", unknown.text)),
                Some(unknown),
            ),
            None => match types::to_string(self.arena, key) {
                Some(Data::Str(text)) => (text, None),
                _ => return Err(self.fault(span, "a key must be a string")),
            },
        };
        Ok(Entry {
            key: text,
            key_span: key.span,
            open,
            value: value.marked(key.secret),
        })
    }

    fn conditional(
        &mut self,
        scope: &Scope<'_, 'a>,
        parts: &'a [Expr<'a>; 3],
        span: Span,
    ) -> Eval<'a> {
        let [condition, then, otherwise] = parts;
        let condition = self.eval(scope, condition)?;
        match types::to_bool(&condition) {
            Some(Data::Bool(true)) => {
                let value = self.eval(scope, then)?;
                return Ok(value.marked(condition.secret));
            }
            Some(_) => {
                let value = self.eval(scope, otherwise)?;
                return Ok(value.marked(condition.secret));
            }
            None if condition.unknown().is_none() => {
                return Err(self.fault(condition.span, "the condition must be a boolean"));
            }
            None => {}
        }
        // One of both is right; that the other is refused says nothing.
        let then = self.eval(scope, then);
        let otherwise = self.eval(scope, otherwise);
        match (then, otherwise) {
            (Ok(then), Ok(otherwise)) => Ok(self.either(&condition, &then, &otherwise, span, 0)),
            (Ok(value), Err(_)) | (Err(_), Ok(value)) => {
                let other = self.unknown(
                    span,
                    "…",
                    Shape::Any,
                    vec![Why::Unsupported("a branch that may be refused")],
                    None,
                );
                Ok(self.either(&condition, &value, &other, span, 0))
            }
            (Err(fault), Err(_)) => Err(fault),
        }
    }

    /// One of two values, it is not known which.
    pub(crate) fn either(
        &self,
        condition: &Val<'a>,
        then: &Val<'a>,
        otherwise: &Val<'a>,
        span: Span,
        depth: usize,
    ) -> Val<'a> {
        if depth < 16 {
            if let (Some(left), Some(right)) = (map_of(then), map_of(otherwise))
                && left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| left.key == right.key)
            {
                let entries: Vec<Entry<'a>> = left
                    .iter()
                    .zip(right)
                    .map(|(left, right)| Entry {
                        value: self.either(condition, &left.value, &right.value, span, depth + 1),
                        ..*left
                    })
                    .collect();
                return self.map(Map::Object, &entries, span);
            }
            if let (Data::Seq(kind, left), Data::Seq(_, right)) = (then.data, otherwise.data)
                && left.len() == right.len()
                && (left.is_empty() || kind != Seq::Set)
            {
                let items = left
                    .iter()
                    .zip(right)
                    .map(|(left, right)| self.either(condition, left, right, span, depth + 1))
                    .collect();
                return self.seq(kind, items, span);
            }
        }
        let (left, right) = (then.text(), otherwise.text());
        if left == right {
            return *then;
        }
        let mut why = Vec::new();
        let mut secret = None;
        for value in [condition, then, otherwise] {
            value.gather(&mut why, &mut secret);
        }
        let (left_shape, right_shape) = (shape(then), shape(otherwise));
        let shape = if left_shape == right_shape {
            left_shape
        } else {
            Shape::Any
        };
        let text = match (left.as_str(), right.as_str()) {
            ("true", "false") => condition.text(),
            ("false", "true") => format!("!({})", condition.text()),
            _ => format!("{} ? {left} : {right}", condition.text()),
        };
        self.unknown(span, &text, shape, why, secret)
    }

    fn call_expr(&mut self, scope: &Scope<'_, 'a>, call: &'a Call<'a>, span: Span) -> Eval<'a> {
        match call.name {
            "try" => return self.try_each(scope, call, span),
            "can" => return self.can(scope, call, span),
            _ => {}
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in call.args {
            args.push(self.eval(scope, arg)?);
        }
        if call.spread
            && let Some(last) = args.pop()
        {
            match last.data {
                Data::Seq(_, items) => args.extend_from_slice(items),
                _ if last.unknown().is_some() => {
                    args.push(last);
                    return Ok(self.open_call(call.name, &args, Shape::Any, span));
                }
                _ => return Err(self.fault(span, "only a list can be spread")),
            }
        }
        self.call(scope, call.name, &args, span)
    }

    fn try_each(&mut self, scope: &Scope<'_, 'a>, call: &'a Call<'a>, span: Span) -> Eval<'a> {
        let outer = (self.trying, self.assumed);
        self.trying = true;
        let mut result = Err(self.fault(span, "no argument of `try` could be evaluated"));
        for (at, arg) in call.args.iter().enumerate() {
            self.assumed = false;
            let Ok(value) = self.eval(scope, arg) else {
                continue;
            };
            result = Ok(value);
            if self.assumed {
                // It exists or it does not: then it is what comes next.
                let mut why = Vec::new();
                let mut secret = None;
                value.gather(&mut why, &mut secret);
                let mut text = format!("try({}", value.text());
                for rest in call.args.iter().skip(at + 1) {
                    if let Ok(value) = self.eval(scope, rest) {
                        value.gather(&mut why, &mut secret);
                        text = format!("{text}, {}", value.text());
                    }
                }
                text.push(')');
                why.push(Why::Unsupported("a number of resources that is not known"));
                result = Ok(self.unknown(span, &text, Shape::Any, why, secret));
            }
            break;
        }
        (self.trying, self.assumed) = outer;
        result
    }

    fn can(&mut self, scope: &Scope<'_, 'a>, call: &'a Call<'a>, span: Span) -> Eval<'a> {
        let outer = (self.trying, self.assumed);
        (self.trying, self.assumed) = (true, false);
        let result = match call.args.first() {
            Some(arg) => self.eval(scope, arg),
            None => Err(self.fault(span, "`can` takes an argument")),
        };
        let assumed = self.assumed;
        (self.trying, self.assumed) = outer;
        Ok(match result {
            Ok(value) if assumed || value.unknown().is_some() => {
                self.open_call("can", &[value], Shape::Bool, span)
            }
            result => Val::bool(span, result.is_ok()),
        })
    }

    /// The unknown that a call comes to.
    pub(crate) fn open_call(
        &self,
        name: &str,
        args: &[Val<'a>],
        shape: Shape,
        span: Span,
    ) -> Val<'a> {
        let mut why = Vec::new();
        let mut secret = None;
        let mut text = format!("{name}(");
        for (at, arg) in args.iter().enumerate() {
            arg.gather(&mut why, &mut secret);
            if at > 0 {
                text.push_str(", ");
            }
            text.push_str(&arg.text());
        }
        text.push(')');
        if why.is_empty() {
            why.push(Why::Unsupported(self.arena.alloc_str(&format!("{name}()"))));
        }
        self.unknown(span, &text, shape, why, secret)
    }

    /// An attribute of a value.
    pub(crate) fn attribute(&mut self, base: &Val<'a>, name: &str, span: Span) -> Eval<'a> {
        match base.data {
            Data::Map(_, entries) => match entries.iter().find(|entry| entry.key == name) {
                Some(entry) => Ok(entry.value.marked(base.secret)),
                None => match entries.iter().find(|entry| entry.open.is_some()) {
                    Some(_) => Ok(self.open_step(base, &format!(".{name}"), None, span)),
                    None => Err(self.fault(span, format!("there is no attribute `{name}`"))),
                },
            },
            Data::Instance(instance) => {
                match instance.fields.iter().find(|entry| entry.key == name) {
                    Some(entry) if !entry.value.is_null() => Ok(entry.value),
                    _ => Ok(self.known_later(instance, name, span)),
                }
            }
            Data::Module(module) => self.output(module, name, span),
            // What has no index of its own is one of them.
            Data::Uncertain(uncertain) => {
                self.assumed = true;
                self.attribute(&uncertain.sample, name, span)
            }
            Data::Unknown(unknown) if !unknown.partial => {
                if let Some(entry) = unknown.fields.iter().rev().find(|entry| entry.key == name) {
                    return Ok(entry.value);
                }
                let of = unknown.of.and_then(|of| of.attribute(name));
                Ok(self.open_step(base, &format!(".{name}"), of, span))
            }
            Data::Seq(_, items) if name.parse::<usize>().is_ok() => {
                let at = name.parse().unwrap_or(usize::MAX);
                items
                    .get(at)
                    .copied()
                    .ok_or_else(|| self.fault(span, format!("there is no item {at}")))
            }
            Data::Null => Err(self.fault(span, format!("`null` has no attribute `{name}`"))),
            _ => Err(self.fault(span, format!("this value has no attribute `{name}`"))),
        }
    }

    /// A step into an unknown.
    fn open_step(
        &self,
        base: &Val<'a>,
        step: &str,
        of: Option<&'a types::Type<'a>>,
        span: Span,
    ) -> Val<'a> {
        let mut why = Vec::new();
        let mut secret = None;
        base.gather(&mut why, &mut secret);
        // Only the last step tells what an attribute of a resource is.
        let shape = of.map_or(
            if step == ".id" { Shape::Id } else { Shape::Any },
            types::Type::shape,
        );
        let text = match base.unknown() {
            Some(unknown) => format!("{}{step}", unknown.text),
            None => format!("{}{step}", base.text()),
        };
        let made = self.unknown(span, &text, shape, why, secret);
        match (made.data, of) {
            (Data::Unknown(unknown), Some(_)) => Val::new(
                span,
                Data::Unknown(self.arena.alloc(Unknown { of, ..*unknown })),
            ),
            _ => made,
        }
    }

    /// An item of a value.
    pub(crate) fn index(&mut self, base: &Val<'a>, index: &Val<'a>, span: Span) -> Eval<'a> {
        if let Data::Uncertain(uncertain) = base.data {
            self.assumed = true;
            return Ok(uncertain.sample);
        }
        if let Some(open) = index.unknown() {
            return self.open_index(base, index, open, span);
        }
        match base.data {
            Data::Seq(Seq::Set, _) => Err(self.fault(span, "a set has no index")),
            Data::Seq(_, items) => {
                let at = types::to_number(index)
                    .and_then(|data| match data {
                        Data::Int(at) => usize::try_from(at).ok(),
                        _ => None,
                    })
                    .ok_or_else(|| self.fault(span, "the index of a list is a whole number"))?;
                items
                    .get(at)
                    .map(|item| item.marked(base.secret))
                    .ok_or_else(|| {
                        self.fault(span, format!("there is no item {at} of {}", items.len()))
                    })
            }
            Data::Map(..) | Data::Instance(_) | Data::Module(_) => {
                match types::to_string(self.arena, index) {
                    Some(Data::Str(key)) => self.attribute(base, key, span),
                    _ => Err(self.fault(span, "the key of a map is a string")),
                }
            }
            Data::Unknown(unknown) => Ok(self.open_step(
                base,
                &format!("[{}]", index.text()),
                unknown.of.and_then(|of| of.item()),
                span,
            )),
            Data::Null => Err(self.fault(span, "`null` has no items")),
            _ => Err(self.fault(span, "this value has no items")),
        }
    }

    fn open_index(
        &mut self,
        base: &Val<'a>,
        index: &Val<'a>,
        open: &'a Unknown<'a>,
        span: Span,
    ) -> Eval<'a> {
        if let Some(entries) = base.entries() {
            let same = |entry: &&Entry<'a>| entry.open.is_some_and(|key| key.text == open.text);
            if let Some(entry) = entries.iter().find(same) {
                return Ok(entry.value);
            }
            for entry in entries.iter().filter(|entry| entry.open.is_none()) {
                self.compares(open, Val::new(entry.key_span, Data::Str(entry.key)));
            }
        }
        let mut why = open.why.to_vec();
        let mut secret = None;
        base.gather(&mut why, &mut secret);
        let text = format!("{}[{}]", base.text(), index.text());
        // Whatever is chosen has the shape that all have.
        let shapes: Vec<Shape> = match base.data {
            Data::Seq(_, items) => items.iter().map(shape).collect(),
            _ => base
                .entries()
                .unwrap_or_default()
                .iter()
                .map(|entry| shape(&entry.value))
                .collect(),
        };
        let shape = match shapes.split_first() {
            Some((first, rest)) if rest.iter().all(|next| next == first) => *first,
            _ => Shape::Any,
        };
        Ok(self.unknown(span, &text, shape, why, secret))
    }

    fn splat(
        &mut self,
        scope: &Scope<'_, 'a>,
        base: &'a Expr<'a>,
        steps: &'a [Step<'a>],
        span: Span,
    ) -> Eval<'a> {
        let base = self.eval(scope, base)?;
        let one = [base];
        let items: &[Val<'a>] = match base.data {
            Data::Seq(_, items) => items,
            Data::Null => &[],
            Data::Unknown(_) | Data::Uncertain(_) => {
                let mut text = String::from("[*]");
                for step in steps {
                    match step {
                        Step::Attr(name, _) => text.push_str(&format!(".{name}")),
                        Step::Index(index) => {
                            let index = self.eval(scope, index)?;
                            text.push_str(&format!("[{}]", index.text()));
                        }
                    }
                }
                let made = self.open_step(&base, &text, None, span);
                return Ok(match made.data {
                    Data::Unknown(unknown) => Val::new(
                        span,
                        Data::Unknown(self.arena.alloc(Unknown {
                            shape: Shape::Array,
                            ..*unknown
                        })),
                    ),
                    _ => made,
                });
            }
            _ => &one,
        };
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            let mut value = *item;
            for step in steps {
                value = match step {
                    Step::Attr(name, place) => self.attribute(&value, name, *place)?,
                    Step::Index(index) => {
                        let index = self.eval(scope, index)?;
                        self.index(&value, &index, span)?
                    }
                };
            }
            made.push(value);
        }
        Ok(self.seq(Seq::Tuple, made, span))
    }

    fn not(&mut self, value: &Val<'a>, span: Span) -> Eval<'a> {
        if let Some(unknown) = value.unknown() {
            let (why, secret) = (unknown.why.to_vec(), unknown.secret.then_some("!"));
            let text = match unknown.text.strip_prefix('!') {
                Some(rest) if !rest.contains(' ') => rest.to_owned(),
                _ if unknown.text.contains(' ') => format!("!({})", unknown.text),
                _ => format!("!{}", unknown.text),
            };
            return Ok(self.unknown(span, &text, Shape::Bool, why, secret));
        }
        match types::to_bool(value) {
            Some(Data::Bool(known)) => Ok(Val::bool(span, !known).marked(value.secret)),
            _ => Err(self.fault(span, "`!` takes a boolean")),
        }
    }

    fn minus(&mut self, value: &Val<'a>, span: Span) -> Eval<'a> {
        if value.unknown().is_some() {
            return Ok(self.open_call("-", &[*value], Shape::Int, span));
        }
        match types::to_number(value) {
            Some(Data::Int(number)) => Ok(Val::new(span, Data::Int(number.saturating_neg()))),
            Some(Data::Float(number)) => Ok(Val::number(span, -number)),
            _ => Err(self.fault(span, "`-` takes a number")),
        }
    }

    fn repeat(&mut self, scope: &Scope<'_, 'a>, repeat: &'a For<'a>, span: Span) -> Eval<'a> {
        let collection = self.eval(scope, &repeat.collection)?;
        let Some(pairs) = pairs(&collection) else {
            if collection.unknown().is_some() {
                let shape = match repeat.result_key {
                    Some(_) => Shape::Object,
                    None => Shape::Array,
                };
                return Ok(self.open_call("for", &[collection], shape, span));
            }
            return Err(self.fault(
                repeat.collection.span,
                "only lists and maps can be iterated",
            ));
        };
        let mut items = Vec::new();
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for (key, value) in pairs {
            let outer = Names {
                name: repeat.key.unwrap_or(""),
                value: key,
                up: scope.names,
            };
            let names = Names {
                name: repeat.value,
                value,
                up: Some(&outer),
            };
            let inner = Scope {
                names: Some(&names),
                ..*scope
            };
            if let Some(condition) = &repeat.condition {
                let holds = self.eval(&inner, condition)?;
                match types::to_bool(&holds) {
                    Some(Data::Bool(true)) => {}
                    Some(_) => continue,
                    None if holds.unknown().is_some() => {
                        let shape = match repeat.result_key {
                            Some(_) => Shape::Object,
                            None => Shape::Array,
                        };
                        return Ok(self.open_call("for", &[collection, holds], shape, span));
                    }
                    None => return Err(self.fault(condition.span, "`if` takes a boolean")),
                }
            }
            let result = self.eval(&inner, &repeat.result)?;
            match &repeat.result_key {
                None => items.push(result),
                Some(key) => {
                    let place = key.span;
                    let key = self.eval(&inner, key)?;
                    let entry = self.entry(&key, result, place)?;
                    self.collect(&mut entries, entry, repeat.grouping)?;
                }
            }
        }
        if repeat.result_key.is_none() {
            return Ok(self.seq(Seq::Tuple, items, span));
        }
        entries.sort_by_key(|entry| entry.key);
        Ok(self.map(Map::Object, &entries, span))
    }

    fn collect(
        &self,
        entries: &mut Vec<Entry<'a>>,
        entry: Entry<'a>,
        grouping: bool,
    ) -> Result<(), crate::engine::Fault<'a>> {
        let old = entries.iter_mut().find(|old| old.key == entry.key);
        match old {
            None if grouping => entries.push(Entry {
                value: self.seq(Seq::Tuple, vec![entry.value], entry.value.span),
                ..entry
            }),
            None => entries.push(entry),
            Some(old) if grouping => {
                let mut items = old.value.seq().unwrap_or_default().to_vec();
                items.push(entry.value);
                old.value = self.seq(Seq::Tuple, items, old.value.span);
            }
            Some(_) => {
                let message = format!("two items have the key `{}`", entry.key);
                return Err(self.fault(entry.key_span, message));
            }
        }
        Ok(())
    }

    /// Appends the pieces of a template.
    fn template(
        &mut self,
        scope: &Scope<'_, 'a>,
        parts: &'a [Part<'a>],
        out: &mut Text<'a>,
    ) -> Result<(), crate::engine::Fault<'a>> {
        for part in parts {
            match part {
                Part::Literal(text) => out.text.push_str(text),
                Part::Value(expr) => {
                    let value = self.eval(scope, expr)?;
                    self.append(out, &value)?;
                }
                Part::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let holds = self.eval(scope, condition)?;
                    match types::to_bool(&holds) {
                        Some(Data::Bool(true)) => self.nested(scope, then, out, condition.span)?,
                        Some(_) => self.nested(scope, otherwise, out, condition.span)?,
                        None if holds.unknown().is_some() => {
                            let open =
                                self.open_call("if", &[holds], Shape::String, condition.span);
                            self.append(out, &open)?;
                        }
                        None => return Err(self.fault(condition.span, "`if` takes a boolean")),
                    }
                }
                Part::For {
                    key,
                    value,
                    collection,
                    parts,
                } => {
                    let all = self.eval(scope, collection)?;
                    let Some(pairs) = pairs(&all) else {
                        if all.unknown().is_some() {
                            let open =
                                self.open_call("for", &[all], Shape::String, collection.span);
                            self.append(out, &open)?;
                            continue;
                        }
                        return Err(
                            self.fault(collection.span, "only lists and maps can be iterated")
                        );
                    };
                    for (each_key, each_value) in pairs {
                        let outer = Names {
                            name: key.unwrap_or(""),
                            value: each_key,
                            up: scope.names,
                        };
                        let names = Names {
                            name: value,
                            value: each_value,
                            up: Some(&outer),
                        };
                        let inner = Scope {
                            names: Some(&names),
                            ..*scope
                        };
                        self.nested(&inner, parts, out, collection.span)?;
                    }
                }
            }
            if out.text.len() > MAX_STRING {
                return Err(self.fault(Span::default(), "this text is too long to be evaluated"));
            }
        }
        Ok(())
    }

    fn nested(
        &mut self,
        scope: &Scope<'_, 'a>,
        parts: &'a [Part<'a>],
        out: &mut Text<'a>,
        span: Span,
    ) -> Result<(), crate::engine::Fault<'a>> {
        self.enter(span)?;
        let result = self.template(scope, parts, out);
        self.levels -= 1;
        result
    }

    /// Appends a value to a text.
    pub(crate) fn append(
        &self,
        out: &mut Text<'a>,
        value: &Val<'a>,
    ) -> Result<(), crate::engine::Fault<'a>> {
        if value.secret.is_some() {
            out.secret = value.secret;
        }
        if let Some(unknown) = value.unknown() {
            out.open = true;
            out.why.extend_from_slice(unknown.why);
            if unknown.secret {
                out.secret = Some(unknown.text);
            }
            if unknown.shape == Shape::Id {
                out.solid = true;
            }
            if unknown.partial {
                out.text.push_str(unknown.text);
            } else {
                out.text.push('{');
                out.text.push_str(unknown.text);
                out.text.push('}');
            }
            return Ok(());
        }
        match types::to_string(self.arena, value) {
            Some(Data::Str(text)) => {
                out.text.push_str(text);
                Ok(())
            }
            _ => Err(self.fault(value.span, "only strings, numbers and booleans have a text")),
        }
    }

    /// What a text comes to.
    pub(crate) fn text_value(&self, text: Text<'a>, span: Span) -> Val<'a> {
        if !text.open {
            let known = self.arena.alloc_str(&text.text);
            return Val::new(span, Data::Str(known)).marked(text.secret);
        }
        let unknown = self.arena.alloc(Unknown {
            text: bounded(self.arena, &text.text),
            partial: true,
            shape: Shape::String,
            why: reasons(self.arena, text.why),
            secret: text.secret.is_some(),
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }

    /// Whether two values are the same; nothing when it is not known.
    pub(crate) fn same(&mut self, left: &Val<'a>, right: &Val<'a>, depth: usize) -> Option<bool> {
        if let (Some(one), Some(other)) = (left.unknown(), right.unknown()) {
            return (one.text == other.text && one.partial == other.partial).then_some(true);
        }
        for (open, known) in [(left, right), (right, left)] {
            if let Some(unknown) = open.unknown() {
                self.compares(unknown, *known);
                let solid = unknown.shape == Shape::Id || unknown.partial;
                if known.is_null() && solid || excluded(unknown, known) {
                    return Some(false);
                }
                if let Data::Str(text) = known.data
                    && (unknown.partial && !may_be(unknown.text, text)
                        || unknown.shape == Shape::Id && !text.starts_with('/'))
                {
                    return Some(false);
                }
                return None;
            }
        }
        if let (Some(left), Some(right)) = (left.number_value(), right.number_value()) {
            return Some(left == right);
        }
        match (left.data, right.data) {
            (Data::Null, Data::Null) => Some(true),
            (Data::Bool(left), Data::Bool(right)) => Some(left == right),
            (Data::Str(left), Data::Str(right)) => Some(left == right),
            (Data::Seq(kind, left), Data::Seq(other, right)) => {
                // Types are compared too: `var.list == []` is never true.
                if kind != other || left.len() != right.len() {
                    return Some(false);
                }
                let mut open = false;
                for (left, right) in left.iter().zip(right) {
                    match (depth < 32)
                        .then(|| self.same(left, right, depth + 1))
                        .flatten()
                    {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => open = true,
                    }
                }
                (!open).then_some(true)
            }
            (Data::Map(_, left), Data::Map(_, right)) => {
                if left.len() != right.len() {
                    return Some(false);
                }
                let mut open = false;
                for entry in left {
                    let Some(other) = right.iter().find(|other| other.key == entry.key) else {
                        return Some(false);
                    };
                    let same = (depth < 32)
                        .then(|| self.same(&entry.value, &other.value, depth + 1))
                        .flatten();
                    match same {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => open = true,
                    }
                }
                (!open).then_some(true)
            }
            (Data::Instance(left), Data::Instance(right)) => Some(left.address == right.address),
            _ => Some(false),
        }
    }

    fn binary(
        &mut self,
        scope: &Scope<'_, 'a>,
        operator: Operator,
        sides: &'a [Expr<'a>; 2],
        span: Span,
    ) -> Eval<'a> {
        let [left, right] = sides;
        let left = self.eval(scope, left)?;
        if matches!(operator, Operator::And | Operator::Or) {
            return self.logical(scope, operator, &left, right, span);
        }
        let right = self.eval(scope, right)?;
        let secret = left.secret.or(right.secret);
        if matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Ok(match self.same(&left, &right, 0) {
                Some(same) => Val::bool(span, same == (operator == Operator::Equal)).marked(secret),
                None => self.open_binary(operator, &left, &right, Shape::Bool, span),
            });
        }
        let arithmetic = matches!(
            operator,
            Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Modulo
        );
        for (open, known) in [(&left, &right), (&right, &left)] {
            if let Some(unknown) = open.unknown() {
                if !arithmetic {
                    self.compares(unknown, *known);
                }
                let shape = if arithmetic { Shape::Int } else { Shape::Bool };
                return Ok(self.open_binary(operator, &left, &right, shape, span));
            }
        }
        let value = self.arithmetic(operator, &left, &right, span)?;
        Ok(value.marked(secret))
    }

    fn arithmetic(
        &self,
        operator: Operator,
        left: &Val<'a>,
        right: &Val<'a>,
        span: Span,
    ) -> Eval<'a> {
        let number = |value: &Val<'a>| {
            types::to_number(value)
                .and_then(|data| Val::new(span, data).number_value())
                .ok_or_else(|| {
                    self.fault(value.span, format!("`{}` takes numbers", operator.symbol()))
                })
        };
        let (left, right) = (number(left)?, number(right)?);
        let zero = matches!(operator, Operator::Divide | Operator::Modulo) && right == 0.0;
        if zero {
            return Err(self.fault(span, "division by zero"));
        }
        Ok(match operator {
            Operator::Less => Val::bool(span, left < right),
            Operator::LessEqual => Val::bool(span, left <= right),
            Operator::Greater => Val::bool(span, left > right),
            Operator::GreaterEqual => Val::bool(span, left >= right),
            Operator::Add => Val::number(span, decimal(left + right)),
            Operator::Subtract => Val::number(span, decimal(left - right)),
            Operator::Multiply => Val::number(span, decimal(left * right)),
            Operator::Divide => Val::number(span, left / right),
            _ => Val::number(span, decimal(left % right)),
        })
    }

    fn logical(
        &mut self,
        scope: &Scope<'_, 'a>,
        operator: Operator,
        left: &Val<'a>,
        right: &'a Expr<'a>,
        span: Span,
    ) -> Eval<'a> {
        let decisive = operator == Operator::Or;
        let known = |value: &Val<'a>| match types::to_bool(value) {
            Some(Data::Bool(known)) => Some(known),
            _ => None,
        };
        if known(left) == Some(decisive) {
            return Ok(Val::bool(span, decisive).marked(left.secret));
        }
        let right = self.eval(scope, right)?;
        let secret = left.secret.or(right.secret);
        match (known(left), known(&right)) {
            (_, Some(known)) if known == decisive => Ok(Val::bool(span, decisive).marked(secret)),
            (Some(_), Some(known)) => Ok(Val::bool(span, known).marked(secret)),
            // What does not decide leaves the other.
            (None, Some(_)) if left.unknown().is_some() => Ok(Val { span, ..*left }),
            (Some(_), None) if right.unknown().is_some() => Ok(Val { span, ..right }),
            (None, None) if left.unknown().is_some() && right.unknown().is_some() => {
                Ok(self.open_binary(operator, left, &right, Shape::Bool, span))
            }
            _ => Err(self.fault(span, format!("`{}` takes booleans", operator.symbol()))),
        }
    }

    fn open_binary(
        &self,
        operator: Operator,
        left: &Val<'a>,
        right: &Val<'a>,
        shape: Shape,
        span: Span,
    ) -> Val<'a> {
        let mut why = Vec::new();
        let mut secret = None;
        left.gather(&mut why, &mut secret);
        right.gather(&mut why, &mut secret);
        let group = |value: &Val<'a>| {
            let text = value.text();
            let loose = value.unknown().is_some_and(|unknown| {
                !unknown.partial && unknown.text.contains([' ']) && !unknown.text.ends_with(')')
            });
            if loose { format!("({text})") } else { text }
        };
        let text = format!("{} {} {}", group(left), operator.symbol(), group(right));
        self.unknown(span, &text, shape, why, secret)
    }
}

/// A text that is put together.
#[derive(Debug, Default)]
pub(crate) struct Text<'a> {
    pub(crate) text: String,
    open: bool,
    /// It holds a part that is never empty.
    solid: bool,
    why: Vec<Why<'a>>,
    secret: Option<&'a str>,
}

/// Keys and values of what can be iterated.
pub(crate) fn pairs<'a>(value: &Val<'a>) -> Option<Vec<(Val<'a>, Val<'a>)>> {
    match value.data {
        Data::Seq(Seq::Set, items) => Some(items.iter().map(|item| (*item, *item)).collect()),
        Data::Seq(_, items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let at = i64::try_from(at).unwrap_or(i64::MAX);
                    (Val::new(item.span, Data::Int(at)), *item)
                })
                .collect(),
        ),
        Data::Map(kind, entries) => {
            let mut pairs: Vec<&Entry<'a>> = entries.iter().collect();
            if kind == Map::Object {
                // Objects are iterated in the order of their keys as well.
                pairs.sort_by_key(|entry| entry.key);
            }
            Some(
                pairs
                    .into_iter()
                    .map(|entry| (entry.key_value(), entry.value))
                    .collect(),
            )
        }
        Data::Instance(instance) => Some(
            instance
                .fields
                .iter()
                .map(|entry| (entry.key_value(), entry.value))
                .collect(),
        ),
        _ => None,
    }
}

/// Terraform counts with 512 bits: what is exact there is rounded here.
fn decimal(number: f64) -> f64 {
    if number.fract() == 0.0 {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

fn map_of<'a>(value: &Val<'a>) -> Option<&'a [Entry<'a>]> {
    match value.data {
        Data::Map(_, entries) => Some(entries),
        _ => None,
    }
}

/// What is known of a value's type.
pub(crate) fn shape(value: &Val<'_>) -> Shape {
    match value.data {
        Data::Bool(_) => Shape::Bool,
        Data::Int(_) => Shape::Int,
        Data::Str(_) => Shape::String,
        Data::Seq(..) => Shape::Array,
        Data::Map(..) | Data::Instance(_) | Data::Module(_) => Shape::Object,
        Data::Unknown(unknown) => unknown.shape,
        Data::Uncertain(_) => Shape::Any,
        Data::Null | Data::Float(_) => Shape::Any,
    }
}

/// Whether a partly known string may be this one: what stands before the first open part and
/// behind the last must be there.
fn may_be(partial: &str, text: &str) -> bool {
    let before = partial.split('{').next().unwrap_or_default();
    let after = partial.rsplit('}').next().unwrap_or_default();
    text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
}
