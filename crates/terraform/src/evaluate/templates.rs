//! Texts that are put together.

use bicep::source::Span;
use bicep::value::{Shape, Why};

use super::loops::pairs;
use crate::engine::{Engine, Fault, Names, Scope};
use crate::syntax::Part;
use crate::types;
use crate::value::{Data, Unknown, Val, bounded, reasons};

/// Bytes of one string.
const MAX_STRING: usize = 4 << 20;

impl<'a> Engine<'a, '_> {
    /// Appends the pieces of a template.
    pub(super) fn template(
        &mut self,
        scope: &Scope<'_, 'a>,
        parts: &'a [Part<'a>],
        out: &mut Text<'a>,
    ) -> Result<(), Fault<'a>> {
        for part in parts {
            match part {
                Part::Literal(text) => out.push(text),
                Part::Value(expr) => {
                    let value = self.eval(scope, expr)?;
                    self.append(out, &value)?;
                }
                Part::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let holds = self.eval(scope, condition)?;
                    match types::to_bool(&holds) {
                        Some(Data::Bool(true)) => self.nested(scope, then, out, condition.span)?,
                        Some(_) => self.nested(scope, otherwise, out, condition.span)?,
                        None if holds.unknown().is_some() => {
                            let open =
                                self.open_call("if", &[holds], Shape::String, condition.span);
                            self.append(out, &open)?;
                        }
                        None => return Err(self.fault(condition.span, "`if` takes a boolean")),
                    }
                }
                Part::For {
                    key,
                    value,
                    collection,
                    parts,
                } => {
                    let all = self.eval(scope, collection)?;
                    let Some(pairs) = pairs(&all) else {
                        if all.unknown().is_some() {
                            let open =
                                self.open_call("for", &[all], Shape::String, collection.span);
                            self.append(out, &open)?;
                            continue;
                        }
                        return Err(
                            self.fault(collection.span, "only lists and maps can be iterated")
                        );
                    };
                    for (each_key, each_value) in pairs {
                        let outer = Names {
                            name: key.unwrap_or(""),
                            value: each_key,
                            up: scope.names,
                        };
                        let names = Names {
                            name: value,
                            value: each_value,
                            up: Some(&outer),
                        };
                        let inner = Scope {
                            names: Some(&names),
                            ..*scope
                        };
                        self.nested(&inner, parts, out, collection.span)?;
                    }
                }
            }
            if out.text.len() > MAX_STRING {
                return Err(self.fault(Span::default(), "this text is too long to be evaluated"));
            }
        }
        Ok(())
    }

    pub(super) fn nested(
        &mut self,
        scope: &Scope<'_, 'a>,
        parts: &'a [Part<'a>],
        out: &mut Text<'a>,
        span: Span,
    ) -> Result<(), Fault<'a>> {
        self.enter(span)?;
        let result = self.template(scope, parts, out);
        self.levels -= 1;
        result
    }

    /// Appends a value to a text.
    pub(crate) fn append(&self, out: &mut Text<'a>, value: &Val<'a>) -> Result<(), Fault<'a>> {
        if value.secret.is_some() {
            out.secret = value.secret;
        }
        if let Some(unknown) = value.unknown() {
            out.open = true;
            out.why.extend_from_slice(unknown.why);
            if unknown.secret {
                out.secret = Some(unknown.text);
            }
            if unknown.shape == Shape::Id {
                out.solid = true;
            }
            if unknown.partial {
                out.push(unknown.text);
            } else {
                out.push(&format!("{{{}}}", unknown.text));
            }
            return Ok(());
        }
        match types::to_string(self.arena, value) {
            Some(Data::Str(text)) => {
                out.text.push_str(text);
                match value.secret {
                    Some(name) if name.starts_with('{') => out.shown.push_str(name),
                    Some(name) => out.shown.push_str(&format!("{{{name}}}")),
                    None => out.shown.push_str(text),
                }
                Ok(())
            }
            _ => Err(self.fault(value.span, "only strings, numbers and booleans have a text")),
        }
    }

    /// What a text comes to.
    pub(crate) fn text_value(&self, text: Text<'a>, span: Span) -> Val<'a> {
        if !text.open {
            let known = self.arena.alloc_str(&text.text);
            let shown = text.secret.map(|_| bounded(self.arena, &text.shown));
            return Val::new(span, Data::Str(known)).marked(shown);
        }
        let unknown = self.arena.alloc(Unknown {
            text: bounded(self.arena, &text.shown),
            partial: true,
            shape: Shape::String,
            why: reasons(self.arena, text.why),
            secret: text.secret.is_some(),
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }
}

/// A text that is put together.
#[derive(Debug, Default)]
pub(crate) struct Text<'a> {
    text: String,
    /// The same, with the names of what is sensitive in its place.
    shown: String,
    open: bool,
    /// It holds a part that is never empty.
    solid: bool,
    why: Vec<Why<'a>>,
    secret: Option<&'a str>,
}

impl Text<'_> {
    /// Appends what may be shown.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.shown.push_str(text);
    }
}
