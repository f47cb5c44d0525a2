//! What is known of a value that is one of two.

use crate::evaluate::compare::{common_shape, shape};
use crate::evaluate::engine::Engine;
use crate::source::Span;
use crate::value::{Data, Field, Shape, Value, Why};

/// Whether a value is an expression that Azure refuses, and nothing else.
pub(crate) fn is_error(value: &Value<'_>) -> bool {
    value
        .unknown()
        .is_some_and(|unknown| unknown.text == "error" && matches!(unknown.why, [Why::Error(_)]))
}

/// Whether the key of this value may not be there at all.
pub(crate) fn may_be_absent(value: &Value<'_>) -> bool {
    value.unknown().is_some_and(|unknown| unknown.absent)
}

/// Whether it is not certain which keys an object has.
pub(crate) fn has_open_keys(fields: &[Field<'_>]) -> bool {
    fields.iter().any(|field| may_be_absent(&field.value))
}

impl<'a> Engine<'a> {
    fn absent(&self, value: Value<'a>) -> Value<'a> {
        self.with(value, |unknown| unknown.absent = true)
    }

    /// The value of a key that something asks for: elsewhere it is a value like others.
    pub(crate) fn present(&self, value: Value<'a>) -> Value<'a> {
        if may_be_absent(&value) {
            self.with(value, |unknown| unknown.absent = false)
        } else {
            value
        }
    }

    /// The value of a key that is set over another: if the new one may be absent, the old one may
    /// stay.
    pub(crate) fn over(&self, old: Option<&Value<'a>>, new: Value<'a>) -> Value<'a> {
        let Some(old) = old.filter(|_| may_be_absent(&new)) else {
            return new;
        };
        let text = format!("{} ?? {}", self.operand(&new), self.operand(old));
        let value = self.opened(new.span, &text, Shape::Any, &[new, *old]);
        if may_be_absent(old) {
            self.absent(value)
        } else {
            value
        }
    }

    /// `condition ? a : b` for a condition that is open.
    pub(crate) fn either(
        &self,
        condition: &Value<'a>,
        a: Value<'a>,
        b: Value<'a>,
        span: Span,
    ) -> Value<'a> {
        if self.identical(&a, &b) {
            return a;
        }
        // Where one branch ends the deployment, what is deployed is the other.
        match (is_error(&a), is_error(&b)) {
            (true, false) => return b,
            (false, true) => return a,
            _ => {}
        }
        let Some(_guard) = self.enter() else {
            return self.ternary(condition, &a, &b, Shape::Any, span);
        };
        match (a.data, b.data) {
            (Data::Bool(true), Data::Bool(false)) => Value { span, ..*condition },
            (Data::Bool(false), Data::Bool(true)) => self.negated(condition, span),
            (Data::Object(left), Data::Object(right)) => {
                if !self.spend(left.len().saturating_mul(right.len()) / 4) {
                    return self.exhausted(span);
                }
                let null = Value {
                    span,
                    data: Data::Null,
                };
                let mut fields: Vec<_> = left
                    .iter()
                    .map(|field| {
                        let value = match b.get(field.key) {
                            Some(other) => self.either(condition, field.value, *other, span),
                            None => {
                                let shape = Shape::Any;
                                self.absent(self.ternary(
                                    condition,
                                    &field.value,
                                    &null,
                                    shape,
                                    span,
                                ))
                            }
                        };
                        let value = if may_be_absent(&field.value)
                            || b.get(field.key).is_some_and(may_be_absent)
                        {
                            self.absent(value)
                        } else {
                            value
                        };
                        Field { value, ..*field }
                    })
                    .collect();
                for field in right.iter().filter(|field| a.get(field.key).is_none()) {
                    let value = self.ternary(condition, &null, &field.value, Shape::Any, span);
                    let value = self.absent(value);
                    fields.push(Field { value, ..*field });
                }
                Value {
                    span,
                    data: Data::Object(self.bump.alloc_slice_copy(&fields)),
                }
            }
            (Data::Array(left), Data::Array(right)) if left.len() == right.len() => {
                let items = self.bump.alloc_slice_fill_iter(
                    left.iter()
                        .zip(right)
                        .map(|(a, b)| self.either(condition, *a, *b, span)),
                );
                Value {
                    span,
                    data: Data::Array(items),
                }
            }
            _ => {
                let shape = common_shape(shape(&a), shape(&b));
                self.ternary(condition, &a, &b, shape, span)
            }
        }
    }

    fn ternary(
        &self,
        condition: &Value<'a>,
        a: &Value<'a>,
        b: &Value<'a>,
        shape: Shape,
        span: Span,
    ) -> Value<'a> {
        let mut head = self.expr_text(condition);
        if head.contains('?') {
            head = format!("({head})");
        }
        let text = format!("{head} ? {} : {}", self.operand(a), self.operand(b));
        let shape = if shape == Shape::Id {
            Shape::String
        } else {
            shape
        };
        let open = self.opened(span, &text, shape, &[*condition, *a, *b]);
        // What neither branch can be, the whole cannot be: `''` and `null` matter most.
        let never: Vec<_> = [Data::Null, Data::Str("")]
            .into_iter()
            .map(|data| Value { span, data })
            .filter(|value| {
                [a, b]
                    .into_iter()
                    .all(|side| crate::evaluate::compare::equal(side, value) == Some(false))
            })
            .collect();
        if never.is_empty() || shape == Shape::Bool || shape == Shape::Int {
            return open;
        }
        self.with(open, |unknown| {
            unknown.not = self.bump.alloc_slice_copy(&never)
        })
    }

    /// `!condition` for a condition that is open.
    pub(crate) fn negated(&self, condition: &Value<'a>, span: Span) -> Value<'a> {
        let text = self.expr_text(condition);
        let compound = crate::evaluate::text::is_compound(&text);
        let single = !text.contains("&&") && !text.contains("||") && !text.contains('?');
        let text = if let Some(inner) = text.strip_prefix('!')
            && !crate::evaluate::text::is_compound(inner)
        {
            inner
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
                .unwrap_or(inner)
                .to_owned()
        } else if compound && single && text.matches(" == ").count() == 1 {
            text.replacen(" == ", " != ", 1)
        } else if compound && single && text.matches(" != ").count() == 1 {
            text.replacen(" != ", " == ", 1)
        } else if compound {
            format!("!({text})")
        } else {
            format!("!{text}")
        };
        self.opened(span, &text, Shape::Bool, &[*condition])
    }
}
