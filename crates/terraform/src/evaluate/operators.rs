//! Operators, and when two values are the same.

use bicep::source::Span;
use bicep::value::Shape;

use crate::engine::{Engine, Eval, Scope, excluded};
use crate::syntax::{Expr, Operator};
use crate::types;
use crate::value::{Data, Val};

impl<'a> Engine<'a, '_> {
    pub(super) fn not(&mut self, value: &Val<'a>, span: Span) -> Eval<'a> {
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

    pub(super) fn minus(&mut self, value: &Val<'a>, span: Span) -> Eval<'a> {
        if value.unknown().is_some() {
            return Ok(self.open_call("-", &[*value], Shape::Int, span));
        }
        match types::to_number(value) {
            Some(Data::Int(number)) => Ok(Val::new(span, Data::Int(number.saturating_neg()))),
            Some(Data::Float(number)) => Ok(Val::number(span, -number)),
            _ => Err(self.fault(span, "`-` takes a number")),
        }
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

    pub(super) fn binary(
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

    pub(super) fn arithmetic(
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

    pub(super) fn logical(
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

    pub(super) fn open_binary(
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

/// Terraform counts with 512 bits: what is exact there is rounded here.
fn decimal(number: f64) -> f64 {
    if number.fract() == 0.0 {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// Whether a partly known string may be this one: what stands before the first open part and
/// behind the last must be there.
fn may_be(partial: &str, text: &str) -> bool {
    let before = partial.split('{').next().unwrap_or_default();
    let after = partial.rsplit('}').next().unwrap_or_default();
    text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
}
