//! Attributes, items and splats.

use bicep::source::Span;
use bicep::value::Shape;

use super::shape;
use crate::engine::{Engine, Eval, Scope};
use crate::syntax::{Expr, Step};
use crate::types;
use crate::value::{Data, Entry, Seq, Unknown, Val};

impl<'a> Engine<'a, '_> {
    /// An attribute of a value.
    pub(crate) fn attribute(&mut self, base: &Val<'a>, name: &str, span: Span) -> Eval<'a> {
        match base.data {
            Data::Map(_, entries) => match entries.iter().find(|entry| entry.key == name) {
                Some(entry) => Ok(entry.value.marked(base.secret)),
                None => match entries.iter().find(|entry| entry.open.is_some()) {
                    Some(_) => Ok(self.open_step(base, &format!(".{name}"), None, span)),
                    None => Err(self.fault(span, format!("there is no attribute `{name}`"))),
                },
            },
            Data::Instance(instance) => {
                match instance.fields.iter().find(|entry| entry.key == name) {
                    Some(entry) if !entry.value.is_null() => Ok(entry.value),
                    _ => Ok(self.known_later(instance, name, span)),
                }
            }
            Data::Module(module) => self.output(module, name, span),
            // What has no index of its own is one of them.
            Data::Uncertain(uncertain) => {
                self.assumed = true;
                self.attribute(&uncertain.sample, name, span)
            }
            Data::Unknown(unknown) if !unknown.partial => {
                if let Some(entry) = unknown.fields.iter().rev().find(|entry| entry.key == name) {
                    return Ok(entry.value);
                }
                let of = unknown.of.and_then(|of| of.attribute(name));
                Ok(self.open_step(base, &format!(".{name}"), of, span))
            }
            Data::Seq(_, items) if name.parse::<usize>().is_ok() => {
                let at = name.parse().unwrap_or(usize::MAX);
                items
                    .get(at)
                    .copied()
                    .ok_or_else(|| self.fault(span, format!("there is no item {at}")))
            }
            Data::Null => Err(self.fault(span, format!("`null` has no attribute `{name}`"))),
            _ => Err(self.fault(span, format!("this value has no attribute `{name}`"))),
        }
    }

    /// A step into an unknown.
    pub(super) fn open_step(
        &self,
        base: &Val<'a>,
        step: &str,
        of: Option<&'a types::Type<'a>>,
        span: Span,
    ) -> Val<'a> {
        let mut why = Vec::new();
        let mut secret = None;
        base.gather(&mut why, &mut secret);
        // Only the last step tells what an attribute of a resource is.
        let shape = of.map_or(
            if step == ".id" { Shape::Id } else { Shape::Any },
            types::Type::shape,
        );
        let text = match base.unknown() {
            Some(unknown) => format!("{}{step}", unknown.text),
            None => format!("{}{step}", base.text()),
        };
        let made = self.unknown(span, &text, shape, why, secret);
        match (made.data, of) {
            (Data::Unknown(unknown), Some(_)) => Val::new(
                span,
                Data::Unknown(self.arena.alloc(Unknown { of, ..*unknown })),
            ),
            _ => made,
        }
    }

    /// An item of a value.
    pub(crate) fn index(&mut self, base: &Val<'a>, index: &Val<'a>, span: Span) -> Eval<'a> {
        match self.item(base, index, span) {
            Ok(item) => Ok(item.marked(index.secret)),
            // The message may quote the index.
            Err(fault) if index.secret.is_some() && !fault.reported => {
                Err(self.fault(span, "there is no item with this index, which is sensitive"))
            }
            Err(fault) => Err(fault),
        }
    }

    fn item(&mut self, base: &Val<'a>, index: &Val<'a>, span: Span) -> Eval<'a> {
        if let Data::Uncertain(uncertain) = base.data {
            self.assumed = true;
            return Ok(uncertain.sample);
        }
        if let Some(open) = index.unknown() {
            return self.open_index(base, index, open, span);
        }
        match base.data {
            Data::Seq(Seq::Set, _) => Err(self.fault(span, "a set has no index")),
            Data::Seq(_, items) => {
                let at = types::to_number(index)
                    .and_then(|data| match data {
                        Data::Int(at) => usize::try_from(at).ok(),
                        _ => None,
                    })
                    .ok_or_else(|| self.fault(span, "the index of a list is a whole number"))?;
                items
                    .get(at)
                    .map(|item| item.marked(base.secret))
                    .ok_or_else(|| {
                        self.fault(span, format!("there is no item {at} of {}", items.len()))
                    })
            }
            Data::Map(..) | Data::Instance(_) | Data::Module(_) => {
                match types::to_string(self.arena, index) {
                    Some(Data::Str(key)) => self.attribute(base, key, span),
                    _ => Err(self.fault(span, "the key of a map is a string")),
                }
            }
            Data::Unknown(unknown) => Ok(self.open_step(
                base,
                &format!("[{}]", index.text()),
                unknown.of.and_then(|of| of.item()),
                span,
            )),
            Data::Null => Err(self.fault(span, "`null` has no items")),
            _ => Err(self.fault(span, "this value has no items")),
        }
    }

    pub(super) fn open_index(
        &mut self,
        base: &Val<'a>,
        index: &Val<'a>,
        open: &'a Unknown<'a>,
        span: Span,
    ) -> Eval<'a> {
        if let Some(entries) = base.entries() {
            let same = |entry: &&Entry<'a>| entry.open.is_some_and(|key| key.text == open.text);
            if let Some(entry) = entries.iter().find(same) {
                return Ok(entry.value);
            }
            for entry in entries.iter().filter(|entry| entry.open.is_none()) {
                self.compares(open, Val::new(entry.key_span, Data::Str(entry.key)));
            }
        }
        let mut why = open.why.to_vec();
        let mut secret = None;
        base.gather(&mut why, &mut secret);
        let text = format!("{}[{}]", base.text(), index.text());
        // Whatever is chosen has the shape that all have.
        let shapes: Vec<Shape> = match base.data {
            Data::Seq(_, items) => items.iter().map(shape).collect(),
            _ => base
                .entries()
                .unwrap_or_default()
                .iter()
                .map(|entry| shape(&entry.value))
                .collect(),
        };
        let shape = match shapes.split_first() {
            Some((first, rest)) if rest.iter().all(|next| next == first) => *first,
            _ => Shape::Any,
        };
        Ok(self.unknown(span, &text, shape, why, secret))
    }

    pub(super) fn splat(
        &mut self,
        scope: &Scope<'_, 'a>,
        base: &'a Expr<'a>,
        steps: &'a [Step<'a>],
        span: Span,
    ) -> Eval<'a> {
        let base = self.eval(scope, base)?;
        let one = [base];
        let items: &[Val<'a>] = match base.data {
            Data::Seq(_, items) => items,
            Data::Null => &[],
            Data::Unknown(_) | Data::Uncertain(_) => {
                let mut text = String::from("[*]");
                for step in steps {
                    match step {
                        Step::Attr(name, _) => text.push_str(&format!(".{name}")),
                        Step::Index(index) => {
                            let index = self.eval(scope, index)?;
                            text.push_str(&format!("[{}]", index.text()));
                        }
                    }
                }
                let made = self.open_step(&base, &text, None, span);
                return Ok(match made.data {
                    Data::Unknown(unknown) => Val::new(
                        span,
                        Data::Unknown(self.arena.alloc(Unknown {
                            shape: Shape::Array,
                            ..*unknown
                        })),
                    ),
                    _ => made,
                });
            }
            _ => &one,
        };
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            let mut value = *item;
            for step in steps {
                value = match step {
                    Step::Attr(name, place) => self.attribute(&value, name, *place)?,
                    Step::Index(index) => {
                        let index = self.eval(scope, index)?;
                        self.index(&value, &index, span)?
                    }
                };
            }
            made.push(value);
        }
        Ok(self.seq(Seq::Tuple, made, span))
    }
}
