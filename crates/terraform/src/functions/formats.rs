//! `format`: <https://developer.hashicorp.com/terraform/language/functions/format>

use super::Args;
use super::encoding::json_text;
use crate::engine::{Engine, Eval, Fault};
use crate::types;
use crate::value::{Data, Val};

/// One `%…` of a pattern.
#[derive(Debug, Default, Clone, Copy)]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl<'a> Engine<'a, '_> {
    pub(super) fn formatted(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let pattern = self.string_arg(call, 0)?;
        let mut out = String::new();
        let mut next = 1;
        let mut chars = pattern.chars().peekable();
        while let Some(letter) = chars.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            let mut verb = Verb::default();
            let Some(explicit) = verb.read(&mut chars) else {
                return Err(self.fault(call.span, "the pattern of `format` is incomplete"));
            };
            if verb.letter == '%' {
                out.push('%');
                continue;
            }
            let at = explicit.unwrap_or(next);
            next = at + 1;
            let Some(arg) = call.get(at).copied() else {
                return Err(self.fault(call.span, format!("`format` has no argument {at}")));
            };
            let text = self.verb(call, &verb, &arg)?;
            // Terraform pads everything but booleans.
            match verb.letter {
                't' => out.push_str(&text),
                _ => out.push_str(&verb.padded(text)),
            }
            if out.len() > 1 << 20 {
                return Err(self.fault(call.span, "this text is too long to be evaluated"));
            }
        }
        Ok(self.str(call.span, &out))
    }

    fn verb(&self, call: &Args<'_, 'a>, verb: &Verb, arg: &Val<'a>) -> Result<String, Fault<'a>> {
        let number = || {
            types::to_number(arg)
                .and_then(|data| Val::new(call.span, data).number_value())
                .ok_or_else(|| self.fault(call.span, format!("`%{}` takes a number", verb.letter)))
        };
        let string = || match types::to_string(self.arena, arg) {
            Some(Data::Str(text)) => Ok(text.to_owned()),
            _ => Err(self.fault(call.span, format!("`%{}` takes a string", verb.letter))),
        };
        let int = || number().map(|number| number.trunc() as i64);
        let text = match verb.letter {
            'v' if verb.sharp || arg.seq().is_some() || arg.entries().is_some() => json_text(arg),
            'v' if arg.is_null() => "null".to_owned(),
            'v' => string()?,
            's' => {
                let text = string()?;
                match verb.precision {
                    Some(length) => text.chars().take(length).collect(),
                    None => text,
                }
            }
            'q' => json_text(&self.str(call.span, &string()?)),
            't' => match types::to_bool(arg) {
                Some(Data::Bool(value)) => value.to_string(),
                _ => return Err(self.fault(call.span, "`%t` takes a boolean")),
            },
            'd' => verb.signed(&int()?.unsigned_abs().to_string(), number()? < 0.0),
            'b' => verb.signed(&format!("{:b}", int()?.unsigned_abs()), number()? < 0.0),
            'o' => verb.signed(&format!("{:o}", int()?.unsigned_abs()), number()? < 0.0),
            'x' => verb.signed(&format!("{:x}", int()?.unsigned_abs()), number()? < 0.0),
            'X' => verb.signed(&format!("{:X}", int()?.unsigned_abs()), number()? < 0.0),
            'f' | 'F' => {
                let number = number()?;
                let digits = verb.precision.unwrap_or(6).min(100);
                verb.signed(&format!("{:.digits$}", number.abs()), number < 0.0)
            }
            'e' | 'E' => verb.signed(&exponent(number()?.abs(), verb), number()? < 0.0),
            'g' | 'G' => verb.signed(&number()?.abs().to_string(), number()? < 0.0),
            letter => {
                return Err(self.fault(call.span, format!("`format` has no `%{letter}`")));
            }
        };
        Ok(text)
    }
}

impl Verb {
    /// Reads what stands behind `%`; gives the explicit argument (`%[2]s`).
    fn read(
        &mut self,
        chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ) -> Option<Option<usize>> {
        loop {
            match chars.peek()? {
                '-' => self.minus = true,
                '+' => self.plus = true,
                ' ' => self.space = true,
                '0' => self.zero = true,
                '#' => self.sharp = true,
                _ => break,
            }
            chars.next();
        }
        self.width = digits(chars).unwrap_or_default().min(10_000);
        if chars.peek() == Some(&'.') {
            chars.next();
            self.precision = Some(digits(chars).unwrap_or_default());
        }
        let mut explicit = None;
        if chars.peek() == Some(&'[') {
            chars.next();
            explicit = digits(chars);
            chars.next_if_eq(&']')?;
        }
        self.letter = chars.next()?;
        Some(explicit)
    }

    fn signed(self, digits: &str, negative: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.zero && !self.minus {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{sign}{digits}")
        }
    }

    fn padded(self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        match (missing, self.minus) {
            (0, _) => text,
            (_, true) => format!("{text}{}", " ".repeat(missing)),
            (_, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }
}

/// `1.234560e+04`
fn exponent(number: f64, verb: &Verb) -> String {
    let digits = verb.precision.unwrap_or(6).min(100);
    let text = format!("{number:.digits$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}{}{sign}{:02}", verb.letter, power.abs())
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number: Option<usize> = None;
    while let Some(digit) = chars.peek().and_then(|next| next.to_digit(10)) {
        chars.next();
        number = Some(number.unwrap_or_default().saturating_mul(10) + digit as usize);
    }
    number
}
