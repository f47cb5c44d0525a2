//! Kubernetes' quantities: `resource.Quantity` of apimachinery v0.34, including where it tells
//! a small integer from an arbitrary decimal (`isInteger` says so).

use super::{Call, Given};
use crate::functions::Func;
use crate::{Node, Val};
use std::cmp::Ordering;
use std::fmt;

/// A decimal number: `value × 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    value: i128,
    scale: i32,
    /// kept as an arbitrary decimal in Go: then it is never an integer to `isInteger`
    decimal: bool,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }
}

impl Eq for Quantity {}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scale {
            0 => write!(f, "{}", self.value),
            s => write!(f, "{}e{s}", self.value),
        }
    }
}

fn power(n: u32) -> Option<i128> {
    10_i128.checked_pow(n)
}

impl Quantity {
    fn integer(n: i64) -> Self {
        Self {
            value: i128::from(n),
            scale: 0,
            decimal: false,
        }
    }

    /// Both values at the smaller scale; `None` when that leaves 128 bits.
    fn aligned(&self, other: &Self) -> Option<(i128, i128, i32)> {
        let scale = self.scale.min(other.scale);
        let at = |q: &Self| q.value.checked_mul(power(q.scale.abs_diff(scale))?);
        Some((at(self)?, at(other)?, scale))
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        if self.value.signum() != other.value.signum() || self.value == 0 {
            return self.value.cmp(&other.value);
        }
        match self.aligned(other) {
            Some((a, b, _)) => a.cmp(&b),
            None => self.float().total_cmp(&other.float()),
        }
    }

    fn float(&self) -> f64 {
        if self.scale == 0 {
            return self.value as f64;
        }
        self.value as f64
            * format!("1e{}", self.scale)
                .parse::<f64>()
                .unwrap_or(f64::NAN)
    }

    fn as_int(&self) -> Option<i64> {
        if self.decimal || self.scale < 0 {
            return None;
        }
        let scale = u32::try_from(self.scale).ok()?;
        i64::try_from(self.value.checked_mul(power(scale)?)?).ok()
    }

    fn add(&self, other: &Self, sign: i128) -> Option<Self> {
        // Go's negation wraps.
        let min = !other.decimal && other.value == i128::from(i64::MIN);
        let sign = if min { 1 } else { sign };
        if other.value == 0 && !other.decimal {
            return Some(*self);
        }
        if self.value == 0 && !self.decimal && !other.decimal {
            return Some(Self {
                value: other.value * sign,
                ..*other
            });
        }
        let (a, b, scale) = self.aligned(other)?;
        let value = a.checked_add(b.checked_mul(sign)?)?;
        let decimal = self.decimal
            || other.decimal
            || [a, b, value].iter().any(|v| i64::try_from(*v).is_err());
        Some(Self {
            value,
            scale,
            decimal,
        })
    }

    /// `resource.ParseQuantity`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let parts = Parts::of(text)?;
        let (base2, exponent) = suffix(parts.suffix)?;
        let digits = format!("{}{}", parts.number, parts.fraction);
        let sign: i128 = if parts.positive { 1 } else { -1 };
        let length = i32::try_from(digits.len()).ok()?;
        let fraction = i32::try_from(parts.fraction.len()).ok()?;
        let precision = match (base2, parts.fraction.is_empty()) {
            (false, _) => 18 - length,
            (true, true) => 15 - i32::try_from(parts.number.len()).ok()? - exponent * 3 / 10 - 1,
            (true, false) => -1,
        };
        let mantissa: i128 = if base2 { 1_i128 << exponent } else { 1 };
        let scale = if base2 { 0 } else { exponent } - fraction;
        if precision >= 0 && scale >= -9 {
            let value = digits.parse::<i64>().ok()?;
            if let Ok(value) = i64::try_from(i128::from(value) * mantissa) {
                return Some(Self {
                    value: i128::from(value) * sign,
                    scale,
                    decimal: false,
                });
            }
        }
        // Arbitrary precision in Go; beyond 128 bits it is cut off here.
        if parts.raw.is_empty() || parts.raw == "." {
            return None;
        }
        let mut value: i128 = digits.parse::<i128>().ok()?.checked_mul(mantissa)?;
        let mut scale = scale;
        while scale < -9 {
            // Away from zero: whoever asks for something gets something.
            value = value / 10 + i128::from(value % 10 != 0);
            scale += 1;
            if value <= 1 && scale < -9 {
                scale = -9;
            }
        }
        // Go rounds to nanos, which leaves the value at that scale.
        let lower = u32::try_from(scale + 9)
            .ok()
            .and_then(power)
            .and_then(|p| value.checked_mul(p));
        if let (Some(v), true) = (lower, value != 0) {
            (value, scale) = (v, -9);
        }
        let max = Self::integer(i64::MAX);
        let mut q = Self {
            value,
            scale,
            decimal: true,
        };
        if base2 && q.compare(&max).is_gt() {
            q = Self {
                decimal: true,
                ..max
            };
        }
        q.value *= sign;
        Some(q)
    }
}

struct Parts<'t> {
    positive: bool,
    /// sign and digits as written
    raw: &'t str,
    number: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let positive = !text.starts_with('-');
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let stripped = unsigned.trim_start_matches('0');
        if stripped.is_empty() {
            return Some(Self {
                positive,
                raw: "0",
                number: "0",
                fraction: "",
                suffix: "",
            });
        }
        let (number, mut rest) = stripped.split_at_checked(digits(stripped))?;
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            (fraction, rest) = after.split_at_checked(digits(after))?;
        }
        let raw = text.get(..text.len() - rest.len())?;
        let letters = rest
            .bytes()
            .take_while(|b| b"eEinumkKMGTP".contains(b))
            .count();
        let tail = rest.get(letters..)?;
        let tail = tail.strip_prefix(['+', '-']).unwrap_or(tail);
        if !tail.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = if number.is_empty() { "0" } else { number };
        Some(Self {
            positive,
            raw,
            number,
            fraction,
            suffix: rest,
        })
    }
}

/// Whether the base is two, and the exponent.
fn suffix(s: &str) -> Option<(bool, i32)> {
    Some(match s {
        "" => (false, 0),
        "n" => (false, -9),
        "u" => (false, -6),
        "m" => (false, -3),
        "k" => (false, 3),
        "M" => (false, 6),
        "G" => (false, 9),
        "T" => (false, 12),
        "P" => (false, 15),
        "E" => (false, 18),
        "Ki" => (true, 10),
        "Mi" => (true, 20),
        "Gi" => (true, 30),
        "Ti" => (true, 40),
        "Pi" => (true, 50),
        "Ei" => (true, 60),
        _ => (false, s.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let made = |q: Option<Quantity>| match q {
        Some(q) => Val::Quantity(c.machine.bump.alloc(q)),
        None => c.fail("the quantity is too large"),
    };
    Some(match (func, args) {
        (Func::Quantity, [Val::Str(s)]) => match Quantity::parse(s) {
            Some(q) => made(Some(q)),
            None => c.fail(&format!("`{s}` is no quantity")),
        },
        (Func::IsQuantity, [Val::Str(s)]) => Val::Bool(Quantity::parse(s).is_some()),
        (Func::Sign, [Val::Quantity(q)]) => Val::Int(q.value.signum() as i64),
        (Func::IsGreaterThan, [Val::Quantity(a), Val::Quantity(b)]) => {
            Val::Bool(a.compare(b).is_gt())
        }
        (Func::IsLessThan, [Val::Quantity(a), Val::Quantity(b)]) => Val::Bool(a.compare(b).is_lt()),
        (Func::CompareTo, [Val::Quantity(a), Val::Quantity(b)]) => Val::Int(a.compare(b) as i64),
        (Func::AsApproximateFloat, [Val::Quantity(q)]) => Val::Double(q.float()),
        (Func::IsInteger, [Val::Quantity(q)]) => Val::Bool(q.as_int().is_some()),
        (Func::AsInteger, [Val::Quantity(q)]) => match q.as_int() {
            Some(i) => Val::Int(i),
            None => c.fail("cannot convert value to integer"),
        },
        (Func::Add, [Val::Quantity(a), Val::Quantity(b)]) => made(a.add(b, 1)),
        (Func::Sub, [Val::Quantity(a), Val::Quantity(b)]) => made(a.add(b, -1)),
        (Func::Add, [Val::Quantity(a), Val::Int(b)]) => made(a.add(&Quantity::integer(*b), 1)),
        (Func::Sub, [Val::Quantity(a), Val::Int(b)]) => made(a.add(&Quantity::integer(*b), -1)),
        _ => return None,
    })
}
