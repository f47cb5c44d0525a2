//! `base.name` and `base[index]`.

use crate::evaluate::compare;
use crate::evaluate::engine::Engine;
use crate::evaluate::text::sole_hole;
use crate::expression::is_name;
use crate::source::Span;
use crate::value::{Data, Field, Shape, Unknown, Value, Why};

impl<'a> Engine<'a> {
    /// `base.name`; a name that an object does not have is an error.
    pub(crate) fn property(&self, base: &Value<'a>, name: &'a str, span: Span) -> Value<'a> {
        if !self.spend(base.fields().len() / 4) {
            return self.exhausted(span);
        }
        match base.data {
            Data::Object(fields) => match base.get(name) {
                Some(value) => self.present(*value),
                None => {
                    let keys: Vec<_> = fields.iter().map(|field| field.key).take(12).collect();
                    let keys = keys.join("`, `");
                    let has = if keys.is_empty() {
                        "it has no properties".to_owned()
                    } else {
                        format!("it has `{keys}`")
                    };
                    self.error(span, format!("the object has no property `{name}`; {has}"))
                }
            },
            Data::Unknown(unknown) => self.open_property(unknown, name, span, "."),
            Data::Null => self.error(span, format!("`null` has no property `{name}`")),
            _ => {
                let kind = compare::kind_name(base);
                self.error(span, format!("{kind} has no property `{name}`"))
            }
        }
    }

    /// The property of an object that is open.
    pub(crate) fn open_property(
        &self,
        unknown: &'a Unknown<'a>,
        name: &'a str,
        span: Span,
        operator: &str,
    ) -> Value<'a> {
        let base = crate::evaluate::text::unknown_text(unknown);
        let base = if crate::evaluate::text::is_compound(&base) {
            format!("({base})")
        } else {
            base.into()
        };
        let text = if is_name(name) {
            format!("{base}{operator}{name}")
        } else {
            let operator = operator.strip_prefix('.').unwrap_or_default();
            format!("{base}[{operator}'{name}']")
        };
        let known = unknown
            .fields
            .iter()
            .find(|field| field.key.eq_ignore_ascii_case(name));
        if let (Some(field), Some(why)) = (known, unknown.why.first()) {
            if name.eq_ignore_ascii_case("outputs") && is_deployment(why) {
                return field.value; // the outputs of a module are what it says, and nothing more
            }
            return self.extended(self.present(field.value), &text, *why);
        }
        self.unknown(span, &text, Shape::Any, unknown.why, unknown.secret)
    }

    /// `base[index]`. The name is what the base is called in texts, if it has one.
    pub(crate) fn index(
        &self,
        base: &Value<'a>,
        index: &Value<'a>,
        name: Option<String>,
        span: Span,
    ) -> Value<'a> {
        match (base.data, index.data) {
            (Data::Array(items), Data::Int(at)) => {
                match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                    Some(item) => *item,
                    None => {
                        let count = items.len();
                        let message = format!("the list has {count} items, none at index {at}");
                        self.error(span, message)
                    }
                }
            }
            (Data::Object(_), Data::Str(name)) => self.property(base, name, span),
            (Data::Unknown(unknown), Data::Str(name)) => {
                self.open_property(unknown, name, span, ".")
            }
            (Data::Array(items), Data::Unknown(_)) => {
                self.one_of(base, items.iter().copied(), index, name, span)
            }
            (Data::Object(fields), Data::Unknown(open)) => {
                let possible = self.possible(fields, index, open);
                self.one_of(base, possible.into_iter(), index, name, span)
            }
            (Data::Unknown(unknown), Data::Int(_) | Data::Unknown(_)) => {
                let text = format!("{}[{}]", self.operand(base), self.expr_text(index));
                let shape = if is_split(unknown) {
                    Shape::String
                } else {
                    Shape::Any
                };
                self.opened(span, &text, shape, &[*base, *index])
            }
            (Data::Array(_), _) => self.error(
                span,
                "the index of a list must be a whole number".to_owned(),
            ),
            (Data::Object(_), _) => {
                self.error(span, "the key of an object must be a string".to_owned())
            }
            (Data::Null, _) => self.error(span, "`null` cannot be indexed".to_owned()),
            _ => {
                let kind = compare::kind_name(base);
                self.error(span, format!("{kind} cannot be indexed"))
            }
        }
    }

    /// The values of the keys that an open key may be. Keys are compared whatever their case, so
    /// that only what a parameter cannot be rules one out.
    pub(crate) fn possible(
        &self,
        fields: &[Field<'a>],
        key: &Value<'a>,
        open: &Unknown<'a>,
    ) -> Vec<Value<'a>> {
        let plain = sole_hole(open.text).is_some();
        fields
            .iter()
            .filter(|field| {
                let data = Data::Str(field.key);
                let own = Value {
                    span: field.key_span,
                    data,
                };
                let equal = self.equals(key, &own);
                if plain {
                    equal != Some(false)
                } else {
                    compare::may_be_key(open, field.key)
                }
            })
            .map(|field| self.present(field.value))
            .collect()
    }

    /// One of some values, it is not known which.
    fn one_of(
        &self,
        base: &Value<'a>,
        values: impl Iterator<Item = Value<'a>>,
        index: &Value<'a>,
        name: Option<String>,
        span: Span,
    ) -> Value<'a> {
        let name = name.unwrap_or_else(|| self.operand(base));
        let text = format!("{name}[{}]", self.expr_text(index));
        let values: Vec<_> = values.collect();
        match values.split_first() {
            None => self.error(span, "there is nothing to index".to_owned()),
            Some((first, rest)) if rest.iter().all(|other| compare::identical(first, other)) => {
                *first
            }
            Some((first, rest)) => {
                let mut shape = compare::shape(first);
                for other in rest {
                    shape = compare::common_shape(shape, compare::shape(other));
                }
                let mut from = vec![*index];
                from.extend(values.iter().filter(|value| value.unknown().is_some()));
                self.opened(span, &text, shape, &from)
            }
        }
    }
}

/// Whether it hangs on a deployment: a module.
fn is_deployment(why: &Why<'_>) -> bool {
    let Why::Reference(id) = why else {
        return false;
    };
    // Its name may be open, with slashes in it; nothing is attached to a deployment.
    id.to_ascii_lowercase()
        .contains("/providers/microsoft.resources/deployments/")
}

/// Whether a list is what `split` gives: at least one item, all of them strings.
pub(crate) fn is_split(unknown: &Unknown<'_>) -> bool {
    unknown.shape == Shape::Array && unknown.text.starts_with("split(")
}
