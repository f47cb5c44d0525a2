//! Makes unknowns.

use crate::evaluate::engine::Engine;
use crate::evaluate::text::{collect_unknowns, cut, sole_hole};
use crate::source::Span;
use crate::value::{Data, Field, Shape, Unknown, Value, Why};

/// How many reasons an unknown keeps.
const MAX_WHY: usize = 64;

impl<'a> Engine<'a> {
    /// An unknown with a text that is complete: braces around the open parts of a string.
    pub(crate) fn unknown(
        &self,
        span: Span,
        text: &str,
        shape: Shape,
        why: &[Why<'a>],
        secret: bool,
    ) -> Value<'a> {
        let text = match shape {
            Shape::String | Shape::Id => self.cut_string(text),
            _ => self.bump.alloc_str(&cut(text)),
        };
        let unknown = Unknown {
            text,
            shape,
            why: self.reasons(why),
            secret,
            absent: false,
            not: &[],
            fields: &[],
            items: &[],
        };
        Value {
            span,
            data: Data::Unknown(self.bump.alloc(unknown)),
        }
    }

    fn cut_string(&self, text: &str) -> &'a str {
        match sole_hole(text) {
            Some(inner) => {
                let cut = cut(inner);
                self.bump.alloc_str(&format!("{{{cut}}}"))
            }
            None if text.len() > 2000 => {
                let cut = cut(text);
                self.bump
                    .alloc_str(&format!("{{{}}}", cut.replace(['{', '}'], "")))
            }
            None => self.bump.alloc_str(text),
        }
    }

    /// Reasons, sorted and distinct.
    pub(crate) fn reasons(&self, why: &[Why<'a>]) -> &'a [Why<'a>] {
        if let [one] = why {
            return self.bump.alloc_slice_copy(&[*one]);
        }
        let mut why = why.to_vec();
        why.sort_unstable();
        why.dedup();
        why.truncate(MAX_WHY);
        self.bump.alloc_slice_copy(&why)
    }

    /// An unknown that is computed from others; for a string the text is one open part.
    pub(crate) fn opened(
        &self,
        span: Span,
        text: &str,
        shape: Shape,
        from: &[Value<'a>],
    ) -> Value<'a> {
        let mut found = Vec::new();
        for value in from {
            let walked = collect_unknowns(value, &mut found);
            self.spend(walked as usize * 2);
        }
        let mut why: Vec<Why<'a>> = Vec::new();
        let mut secret = false;
        for unknown in found {
            secret |= unknown.secret;
            if !unknown.why.iter().all(|reason| why.contains(reason)) {
                why.extend_from_slice(unknown.why);
            }
        }
        if why.is_empty() {
            why.push(Why::Unsupported("value"));
        }
        let braced;
        let text = if matches!(shape, Shape::String | Shape::Id) {
            braced = format!("{{{text}}}");
            braced.as_str()
        } else {
            text
        };
        self.unknown(span, text, shape, &why, secret)
    }

    /// A call whose result hangs on unknowns.
    pub(crate) fn opaque(
        &self,
        span: Span,
        name: &str,
        args: &[Value<'a>],
        shape: Shape,
    ) -> Value<'a> {
        let mut text = String::from(name);
        text.push('(');
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            text.push_str(&self.expr_text(arg));
        }
        text.push(')');
        self.opened(span, &text, shape, args)
    }

    /// The same unknown with more that is known of it.
    pub(crate) fn with(
        &self,
        value: Value<'a>,
        change: impl FnOnce(&mut Unknown<'a>),
    ) -> Value<'a> {
        match value.data {
            Data::Unknown(unknown) => {
                let mut unknown = *unknown;
                change(&mut unknown);
                Value {
                    data: Data::Unknown(self.bump.alloc(unknown)),
                    ..value
                }
            }
            _ => value,
        }
    }

    /// Turns an object that a resource is made with into one that may have more properties: Azure
    /// adds what the template does not say. The text is how the object is called.
    pub(crate) fn extended(&self, value: Value<'a>, text: &str, why: Why<'a>) -> Value<'a> {
        match value.data {
            Data::Object(fields) => {
                let open = self.unknown(value.span, text, Shape::Object, &[why], false);
                // What the template leaves `null`, Azure fills in.
                let null = |field: &Field<'a>| matches!(field.value.data, Data::Null);
                let fields = if fields.iter().any(null) {
                    let kept: Vec<_> = fields
                        .iter()
                        .filter(|field| !null(field))
                        .copied()
                        .collect();
                    self.bump.alloc_slice_copy(&kept)
                } else {
                    fields
                };
                self.with(open, |unknown| unknown.fields = fields)
            }
            Data::Array(items) => {
                let items = self.bump.alloc_slice_fill_iter(
                    items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| self.extended(*item, &format!("{text}[{at}]"), why)),
                );
                Value {
                    data: Data::Array(items),
                    ..value
                }
            }
            _ => value,
        }
    }

    /// An object of fields without places of their own.
    pub(crate) fn object_of(&self, span: Span, fields: &[(&'a str, Value<'a>)]) -> Value<'a> {
        let fields = fields.iter().map(|(key, value)| Field {
            key,
            key_span: span,
            value: *value,
        });
        Value {
            span,
            data: Data::Object(self.bump.alloc_slice_fill_iter(fields)),
        }
    }

    /// A known string.
    pub(crate) fn str(&self, span: Span, text: &str) -> Value<'a> {
        Value {
            span,
            data: Data::Str(self.bump.alloc_str(text)),
        }
    }
}
