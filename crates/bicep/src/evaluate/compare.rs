//! Compares values, three-valued.

use crate::evaluate::engine::Engine;
use crate::evaluate::merge::has_open_keys;
use crate::evaluate::text::{known_ends, sole_hole};
use crate::value::{Data, Shape, Unknown, Value, Why};

/// How many parts are compared before one gives up.
pub(crate) const MAX_COMPARED: u32 = 2_000_000;

/// How many values are noted with which parameters are compared.
const MAX_NOTED: usize = 512;

/// How deep one compares.
const MAX_DEPTH: u32 = 160;

/// Whether two values are the same, as far as that is known: JSON equality, letters by case.
pub(crate) fn equal(a: &Value<'_>, b: &Value<'_>) -> Option<bool> {
    Comparison { left: MAX_COMPARED }.equal(a, b, 0)
}

pub(crate) struct Comparison {
    /// Parts that may still be compared.
    pub(crate) left: u32,
}

impl Comparison {
    pub(crate) fn equal(&mut self, a: &Value<'_>, b: &Value<'_>, depth: u32) -> Option<bool> {
        if self.left == 0 || depth > MAX_DEPTH {
            return None;
        }
        self.left -= 1;
        match (a.data, b.data) {
            (Data::Unknown(a), Data::Unknown(b)) => open_equal(a, b),
            (Data::Unknown(unknown), _) => differs(unknown, b),
            (_, Data::Unknown(unknown)) => differs(unknown, a),
            (Data::Null, Data::Null) => Some(true),
            (Data::Bool(a), Data::Bool(b)) => Some(a == b),
            (Data::Int(a), Data::Int(b)) => Some(a == b),
            (Data::Float(a), Data::Float(b)) => Some(a == b),
            (Data::Int(int), Data::Float(float)) | (Data::Float(float), Data::Int(int)) => {
                Some(int as f64 == float)
            }
            (Data::Str(a), Data::Str(b)) => {
                self.left = self.left.saturating_sub(a.len() as u32 / 64);
                Some(a == b)
            }
            (Data::Array(a), Data::Array(b)) => {
                if a.len() != b.len() {
                    return Some(false);
                }
                all(a.iter().zip(b).map(|(a, b)| self.equal(a, b, depth + 1)))
            }
            (Data::Object(fields), Data::Object(others))
                if has_open_keys(fields) || has_open_keys(others) =>
            {
                // The same object is equal to itself; of all others one cannot say.
                let same = fields.len() == others.len()
                    && fields.iter().zip(others).all(|(field, other)| {
                        field.key == other.key
                            && self.equal(&field.value, &other.value, depth + 1) == Some(true)
                    });
                same.then_some(true)
            }
            (Data::Object(fields), Data::Object(others)) => {
                if fields.len() != others.len() {
                    return Some(false);
                }
                self.left = self.left.saturating_sub(others.len() as u32);
                all(fields.iter().zip(others).map(|(field, beside)| {
                    // Mostly the keys come in the same order.
                    let other = if beside.key == field.key {
                        Some(&beside.value)
                    } else {
                        self.left = self.left.saturating_sub(others.len() as u32 / 4);
                        b.get(field.key)
                    };
                    match other {
                        Some(other) => self.equal(&field.value, other, depth + 1),
                        None => Some(false),
                    }
                }))
            }
            _ => Some(false),
        }
    }
}

fn all(mut each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    each.try_fold(Some(true), |sum, one| match one {
        Some(false) => Err(()),
        Some(true) => Ok(sum),
        None => Ok(None),
    })
    .unwrap_or(Some(false))
}

fn open_equal(a: &Unknown<'_>, b: &Unknown<'_>) -> Option<bool> {
    if same_unknown(a, b) && (!volatile(a) || std::ptr::eq(a.text, b.text)) {
        return Some(true);
    }
    if a.shape != Shape::Any && b.shape != Shape::Any && family(a.shape) != family(b.shape) {
        return Some(false);
    }
    if family(a.shape) == Shape::String && family(b.shape) == Shape::String {
        let ((a_start, a_end), (b_start, b_end)) = (known_ends(a.text), known_ends(b.text));
        let starts = a_start.starts_with(b_start) || b_start.starts_with(a_start);
        let ends = a_end.ends_with(b_end) || b_end.ends_with(a_end);
        if !(starts && ends) {
            return Some(false);
        }
    }
    None
}

/// Whether two unknowns are certainly the same value.
pub(crate) fn same_unknown(a: &Unknown<'_>, b: &Unknown<'_>) -> bool {
    if a.text == b.text {
        return true;
    }
    let text = |unknown: &Unknown<'_>| match family(unknown.shape) {
        Shape::String => sole_hole(unknown.text).map(str::to_owned),
        _ => Some(unknown.text.to_owned()),
    };
    family(a.shape) != family(b.shape)
        && (a.shape == Shape::Any || b.shape == Shape::Any)
        && text(a).is_some_and(|a| Some(a) == text(b))
}

/// Whether each use is another value.
fn volatile(unknown: &Unknown<'_>) -> bool {
    let each = |why: &Why<'_>| matches!(why, Why::Error(_) | Why::Chance("newGuid"));
    unknown.why.iter().any(each)
}

/// Whether an unknown is certainly not a known value (false), or one cannot say.
fn differs(unknown: &Unknown<'_>, known: &Value<'_>) -> Option<bool> {
    let excluded = unknown.not.iter().any(|not| match (not.data, known.data) {
        (Data::Str(a), Data::Str(b)) => a.eq_ignore_ascii_case(b),
        _ => equal(not, known) == Some(true),
    });
    if excluded {
        return Some(false);
    }
    let fits = match (family(unknown.shape), known.data) {
        (Shape::Any, _) => true,
        (Shape::String, Data::Str(text)) => fits(unknown, text),
        (Shape::Bool, Data::Bool(_))
        | (Shape::Int, Data::Int(_) | Data::Float(_))
        | (Shape::Object, Data::Object(_)) => true,
        (Shape::Array, Data::Array(items)) => items.len() >= usize::from(!unknown.items.is_empty()),
        _ => false,
    };
    (!fits).then_some(false)
}

fn fits(unknown: &Unknown<'_>, text: &str) -> bool {
    let (start, end) = known_ends(unknown.text);
    text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
}

/// Whether a key may be what an open text turns out to be, whatever the case of letters.
pub(crate) fn may_be_key(unknown: &Unknown<'_>, key: &str) -> bool {
    if family(unknown.shape) != Shape::String {
        return true;
    }
    let (start, end) = known_ends(unknown.text);
    let key = key.to_lowercase();
    let (start, end) = (start.to_lowercase(), end.to_lowercase());
    key.len() >= start.len() + end.len() && key.starts_with(&start) && key.ends_with(&end)
}

/// Ids are strings.
pub(crate) fn family(shape: Shape) -> Shape {
    if shape == Shape::Id {
        Shape::String
    } else {
        shape
    }
}

/// Whether two values are certainly the same.
pub(crate) fn identical(a: &Value<'_>, b: &Value<'_>) -> bool {
    equal(a, b) == Some(true)
}

/// What is known of a value's type.
pub(crate) fn shape(value: &Value<'_>) -> Shape {
    match value.data {
        Data::Null | Data::Float(_) => Shape::Any,
        Data::Bool(_) => Shape::Bool,
        Data::Int(_) => Shape::Int,
        Data::Str(_) => Shape::String,
        Data::Array(_) => Shape::Array,
        Data::Object(_) => Shape::Object,
        Data::Unknown(unknown) => unknown.shape,
    }
}

/// What is known of a value that has one of two types.
pub(crate) fn common_shape(a: Shape, b: Shape) -> Shape {
    if a == b {
        a
    } else if family(a) == family(b) {
        Shape::String
    } else {
        Shape::Any
    }
}

/// A value's type in words, with its article.
pub(crate) fn kind_name(value: &Value<'_>) -> &'static str {
    match value.data {
        Data::Null => "`null`",
        Data::Bool(_) => "a boolean",
        Data::Int(_) | Data::Float(_) => "a number",
        Data::Str(_) => "a string",
        Data::Array(_) => "a list",
        Data::Object(_) => "an object",
        Data::Unknown(_) => "an unknown",
    }
}

/// Whether a text is what a parameter is called.
fn is_parameter(text: &str, name: &str) -> bool {
    let inner = text
        .strip_prefix("parameters('")
        .and_then(|rest| rest.strip_suffix("')"));
    text == name || inner == Some(name)
}

impl<'a> Engine<'a> {
    /// Notes that a parameter of the outermost template is compared with a literal.
    pub(crate) fn note_compared(&self, unknown: &Unknown<'a>, with: Value<'a>) {
        let [Why::Parameter(name)] = unknown.why else {
            return;
        };
        let text = sole_hole(unknown.text).unwrap_or(unknown.text);
        let changed = ["toLower(", "toUpper(", "trim("].iter().any(|function| {
            text.strip_prefix(function)
                .and_then(|rest| rest.strip_suffix(')'))
                .is_some_and(|inner| is_parameter(inner, name))
        });
        let plain = changed || is_parameter(text, name);
        if !plain
            || matches!(
                with.data,
                Data::Unknown(_) | Data::Array(_) | Data::Object(_)
            )
        {
            return;
        }
        let mut compared = self.compared.borrow_mut();
        if !self.spend(compared.len()) {
            return;
        }
        let known = compared
            .iter()
            .any(|(own, value)| own == name && identical(value, &with));
        if !known && compared.len() < MAX_NOTED {
            compared.push((name, with));
        }
    }

    /// Whether two values are equal, with what parameters are allowed to be.
    pub(crate) fn equals(&self, a: &Value<'a>, b: &Value<'a>) -> Option<bool> {
        if let (Data::Unknown(unknown), _) = (a.data, b.data) {
            self.note_compared(unknown, *b);
        }
        if let (_, Data::Unknown(unknown)) = (a.data, b.data) {
            self.note_compared(unknown, *a);
        }
        self.equal(a, b)
            .or_else(|| self.by_allowed(a, b))
            .or_else(|| self.by_allowed(b, a))
    }

    /// Whether a plain parameter is certainly one of some values: all that it may have are.
    pub(crate) fn among(&self, open: &Value<'a>, values: &[Value<'a>]) -> Option<bool> {
        let unknown = open.unknown()?;
        let [Why::Parameter(name)] = unknown.why else {
            return None;
        };
        if !is_parameter(sole_hole(unknown.text).unwrap_or(unknown.text), name) {
            return None;
        }
        let allowed = self.allowed.borrow();
        let (_, allowed) = allowed.iter().find(|(own, _)| own == name)?;
        allowed
            .iter()
            .filter(|value| !unknown.not.iter().any(|not| identical(not, value)))
            .all(|value| values.iter().any(|own| identical(own, value)))
            .then_some(true)
    }

    /// A plain parameter is none of the values that it may not have.
    fn by_allowed(&self, open: &Value<'a>, known: &Value<'a>) -> Option<bool> {
        let unknown = open.unknown()?;
        let [Why::Parameter(name)] = unknown.why else {
            return None;
        };
        if !is_parameter(sole_hole(unknown.text).unwrap_or(unknown.text), name)
            || known.unknown().is_some()
        {
            return None;
        }
        let allowed = self.allowed.borrow();
        let (_, values) = allowed.iter().find(|(own, _)| own == name)?;
        let mut left = values
            .iter()
            .filter(|value| !unknown.not.iter().any(|not| identical(not, value)))
            .map(|value| match (value.data, known.data) {
                // Azure takes an allowed value in other letters, too.
                (Data::Str(a), Data::Str(b)) if a != b && a.eq_ignore_ascii_case(b) => None,
                _ => Some(identical(value, known)),
            });
        let first = left.next()?;
        left.all(|other| other == first).then_some(first).flatten()
    }
}
