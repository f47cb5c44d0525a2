//! Secrets: what a declaration makes one does not flow on.

use crate::evaluate::engine::Engine;
use crate::evaluate::text::sole_hole;
use crate::expand::instance::{Instance, Param};
use crate::expand::types::Type;
use crate::source::Span;
use crate::value::{Data, Field, Shape, Value, Why};

/// Words that the names of parameters end in whose values nobody else should read.
const SECRET: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "secrets",
    "secretvalue",
    "token",
    "key",
    "keys",
    "connectionstring",
    "credentials",
];

/// Whether a parameter is called like something that is nobody else's business. It may be none,
/// so that this decides what is said and never what is judged.
pub(crate) fn says_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.ends_with(word)) || name.contains("password")
}

impl<'a> Engine<'a> {
    /// A secret that is called like this.
    pub(crate) fn secret(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        span: Span,
        text: &str,
    ) -> Value<'a> {
        let shape = Type::new(instance, param.node).shape();
        let text = if shape == Shape::String {
            format!("{{{text}}}")
        } else {
            text.to_owned()
        };
        let name = match instance.parent {
            None => param.name,
            Some(_) => self
                .bump
                .alloc_str(&format!("{}{}", instance.path, param.name)),
        };
        self.unknown(span, &text, shape, &[Why::Parameter(name)], true)
    }

    /// The value of a secure parameter does not flow on; that it is empty or not does.
    pub(crate) fn conceal(
        &self,
        instance: &'a Instance<'a>,
        param: &'a Param<'a>,
        value: Value<'a>,
    ) -> Value<'a> {
        let declared = Type::new(instance, param.node);
        let name = match instance.parent {
            None => param.name,
            Some(_) => self
                .bump
                .alloc_str(&format!("{}{}", instance.path, param.name)),
        };
        let text = format!("{}{}", instance.path, self.parameter_text(param.name));
        self.concealed(declared, value, &text, &[Why::Parameter(name)], 0)
    }

    /// A value with what its declared type makes a secret struck out.
    fn concealed(
        &self,
        declared: Type<'a>,
        value: Value<'a>,
        text: &str,
        why: &[Why<'a>],
        depth: u32,
    ) -> Value<'a> {
        if declared.secure() {
            return self.struck(declared, value, text, why);
        }
        if depth > 64 || !declared.has_secret() {
            return value;
        }
        let data = match value.data {
            Data::Object(fields) => {
                let fields = fields.iter().map(|field| {
                    let Some(own) = declared.property(field.key, &value) else {
                        return *field;
                    };
                    let text = format!("{text}.{}", field.key);
                    let value = self.concealed(own, field.value, &text, why, depth + 1);
                    Field { value, ..*field }
                });
                let fields: Vec<_> = fields.collect();
                Data::Object(self.bump.alloc_slice_copy(&fields))
            }
            Data::Array(items) => {
                let items = items.iter().enumerate().map(|(at, item)| {
                    let Some(own) = declared.item(at) else {
                        return *item;
                    };
                    self.concealed(own, *item, &format!("{text}[{at}]"), why, depth + 1)
                });
                let items: Vec<_> = items.collect();
                Data::Array(self.bump.alloc_slice_copy(&items))
            }
            data => data,
        };
        Value { data, ..value }
    }

    /// A secret in place of a value. That a value is empty or not is no secret.
    fn struck(
        &self,
        declared: Type<'a>,
        value: Value<'a>,
        text: &str,
        why: &[Why<'a>],
    ) -> Value<'a> {
        let shape = declared.base_shape();
        let why = match value.data {
            Data::Null | Data::Str("") | Data::Object([]) => return value,
            Data::Unknown(unknown) if unknown.secret => return value,
            // Nothing of it is known but what it is called.
            Data::Unknown(unknown)
                if sole_hole(unknown.text).is_some() || shape != Shape::String =>
            {
                return self.with(value, |own| {
                    own.secret = true;
                    own.fields = &[];
                    own.items = &[];
                });
            }
            Data::Unknown(unknown) => unknown.why,
            _ => why,
        };
        let text = if shape == Shape::String {
            format!("{{{text}}}")
        } else {
            text.to_owned()
        };
        let open = self.unknown(value.span, &text, shape, why, true);
        let empty = [Data::Null, Data::Str("")].map(|data| Value {
            span: value.span,
            data,
        });
        let not = self.bump.alloc_slice_copy(&empty);
        self.with(open, |unknown| unknown.not = not)
    }
}
