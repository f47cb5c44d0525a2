//! Functions on numbers.

use super::Args;
use crate::engine::{Engine, Eval};
use crate::value::{Data, Val};

impl<'a> Engine<'a, '_> {
    pub(super) fn numbers(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let one = |operation: fn(f64) -> f64| {
            self.number_arg(call, 0)
                .map(|number| Val::number(call.span, operation(number)))
        };
        let result = match call.name {
            "abs" => one(f64::abs),
            "ceil" => one(f64::ceil),
            "floor" => one(f64::floor),
            "signum" => one(|number| if number == 0.0 { 0.0 } else { number.signum() }),
            "log" => self.two(call, |number, base| number.log(base)),
            "pow" => self.two(call, f64::powf),
            "max" => self.extreme(call, f64::max),
            "min" => self.extreme(call, f64::min),
            "parseint" => self.parse_int(call),
            _ => return None,
        };
        Some(result)
    }

    fn two(&self, call: &Args<'_, 'a>, operation: fn(f64, f64) -> f64) -> Eval<'a> {
        let result = operation(self.number_arg(call, 0)?, self.number_arg(call, 1)?);
        if result.is_finite() {
            Ok(Val::number(call.span, result))
        } else {
            Err(self.fault(call.span, format!("`{}` has no value here", call.name)))
        }
    }

    fn extreme(&self, call: &Args<'_, 'a>, pick: fn(f64, f64) -> f64) -> Eval<'a> {
        let mut best = self.number_arg(call, 0)?;
        for at in 1..call.args.len() {
            best = pick(best, self.number_arg(call, at)?);
        }
        Ok(Val::number(call.span, best))
    }

    fn parse_int(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let text = self.string_arg(call, 0)?;
        let base = u32::try_from(self.int_arg(call, 1)?).unwrap_or_default();
        let parsed = (2..=36)
            .contains(&base)
            .then(|| i64::from_str_radix(text, base).ok())
            .flatten();
        match parsed {
            Some(number) => Ok(Val::new(call.span, Data::Int(number))),
            None => Err(self.fault(call.span, format!("`{text}` is no number of base {base}"))),
        }
    }
}
