//! Expressions.

mod access;
mod loops;
mod operators;
mod templates;

pub(crate) use loops::pairs;
pub(crate) use templates::Text;

use std::collections::HashMap;

use bicep::source::Span;
use bicep::value::{Shape, Why};

use crate::engine::{Engine, Eval, Scope};
use crate::output::Choice;
use crate::syntax::{Call, Expr, Item, Kind};
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Val};

/// Choices that are remembered at most.
const MAX_CHOICES: usize = 65_536;

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
        let mut places: HashMap<&'a str, usize> = HashMap::with_capacity(items.len());
        for item in items {
            let key = self.eval(scope, &item.key)?;
            let value = self.eval(scope, &item.value)?;
            let entry = self.entry(&key, value, item.key.span)?;
            let place = *places.entry(entry.key).or_insert(entries.len());
            match entries.get_mut(place) {
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
        let chosen = match types::to_bool(&condition) {
            Some(Data::Bool(true)) => Some((then, otherwise)),
            Some(_) => Some((otherwise, then)),
            None if condition.unknown().is_none() => {
                return Err(self.fault(condition.span, "the condition must be a boolean"));
            }
            None => None,
        };
        if let Some((chosen, other)) = chosen {
            self.note_choice(chosen, other, &condition);
            let mut value = self.eval(scope, chosen)?;
            // Both have one type: a string, when the other is written as one.
            if matches!(other.kind, Kind::Str(_) | Kind::Template(_))
                && let Some(data) = types::to_string(self.arena, &value)
            {
                value.data = data;
            }
            return Ok(value.marked(condition.secret));
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

    /// Remembers which literal a condition chose.
    fn note_choice(&mut self, chosen: &Expr<'a>, other: &Expr<'a>, condition: &Val<'a>) {
        let is_literal = matches!(
            chosen.kind,
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Str(_)
        );
        if let (true, Data::Bool(holds)) = (is_literal, condition.data)
            && self.choices.len() < MAX_CHOICES
        {
            self.choices.push(Choice {
                chosen: chosen.span,
                other: other.span,
                condition: condition.span,
                holds,
            });
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
