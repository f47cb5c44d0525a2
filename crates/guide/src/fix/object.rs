//! The YAML of a new object with expressions in it: `{{ … }}` stands as a value or within one, and is filled in so
//! that the text stays what it says, whatever the values are.
//!
//! Lines without expressions, comments among them, are kept as they are written. Expressions within flow collections,
//! block texts and keys are left out.

use cel::{Program, Val};
use model::Ref;
use model::doc::{Dialect, DocBuilder};
use model::remedy::NewObject;
use serde_json::Value as Json;

use crate::context::Value;
use crate::message::{Piece, closing};
use crate::remedy::json;

/// A new object as a guideline writes it.
#[derive(Debug)]
pub struct Object {
    /// Its kind.
    pub kind: Box<str>,
    /// As written.
    pub source: Box<str>,
    lines: Lines,
}

/// The lines of a template.
#[derive(Debug)]
pub(super) struct Lines(Vec<Line>);

/// Compiles an expression.
pub(super) type Compile<'c> = dyn FnMut(&str) -> Result<Bit, String> + 'c;

/// A piece of a value.
#[derive(Debug)]
pub(super) enum Bit {
    /// A text, or a value shown as a string.
    Piece(Piece),
    /// What stands for a value that is filled in later.
    Mark(Box<str>),
}

#[derive(Debug)]
enum Line {
    /// As it is.
    Plain(Box<str>),
    /// What stands before a value, the column where its key or dash begins, and the value.
    Value {
        head: Box<str>,
        column: usize,
        item: bool,
        pieces: Vec<Bit>,
    },
}

impl Object {
    /// Compiles a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(
        text: &str,
        compile: &mut dyn FnMut(&str) -> Result<Program, String>,
    ) -> Result<Self, String> {
        let mut value = |text: &str| Ok(Bit::Piece(Piece::Value(Box::new(compile(text)?))));
        let (lines, shape) = Lines::compile(text, &mut value)?;
        let name = named(&shape).ok_or(
            "a new object is one YAML document with `apiVersion`, `kind` and `metadata.name`",
        )?;
        Ok(Self {
            kind: name.kind,
            source: text.into(),
            lines,
        })
    }

    /// The expressions in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.lines.programs()
    }

    /// The object with its values; `None` where one of them is not known.
    pub(crate) fn filled<'a>(
        &'a self,
        eval: &mut dyn FnMut(&'a Program) -> Value<'a>,
    ) -> Option<NewObject> {
        named(&self.lines.filled(eval)?)
    }
}

impl Lines {
    /// Compiles a template; what it would be with any values.
    pub(super) fn compile(text: &str, compile: &mut Compile<'_>) -> Result<(Self, String), String> {
        let mut lines = Vec::new();
        let mut shape = String::new();
        for line in text.lines() {
            let wrong = |what: &str| format!("in `{}`: {what}", line.trim());
            if !line.contains("{{") || line.trim_start().starts_with('#') {
                shape.push_str(line);
                lines.push(Line::Plain(line.into()));
            } else {
                let (head, column, value) = split(line).ok_or_else(|| {
                    wrong("`{{…}}` is the value of a key or of an item, or stands within one")
                })?;
                let pieces = pieces(value, compile).map_err(|why| wrong(&why))?;
                let item = head.ends_with('-');
                shape.push_str(head);
                shape.push_str(" x");
                lines.push(Line::Value {
                    head: head.into(),
                    column,
                    item,
                    pieces,
                });
            }
            shape.push('\n');
        }
        Ok((Self(lines), shape))
    }

    /// The expressions in it.
    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> {
        let pieces = self.0.iter().flat_map(|line| match line {
            Line::Plain(_) => &[],
            Line::Value { pieces, .. } => pieces.as_slice(),
        });
        pieces.filter_map(|piece| match piece {
            Bit::Piece(Piece::Value(program)) => Some(&**program),
            Bit::Piece(Piece::Text(_)) | Bit::Mark(_) => None,
        })
    }

    /// The text with its values; `None` where one of them is not known.
    pub(super) fn filled<'a>(
        &'a self,
        eval: &mut dyn FnMut(&'a Program) -> Value<'a>,
    ) -> Option<String> {
        let mut text = String::new();
        for line in &self.0 {
            match line {
                Line::Plain(line) => {
                    text.push_str(line);
                    text.push('\n');
                }
                Line::Value {
                    head,
                    column,
                    item,
                    pieces,
                } => {
                    let value = match pieces.as_slice() {
                        [Bit::Piece(Piece::Value(program))] => match present(eval(program)) {
                            // An absent value leaves its key out.
                            None => continue,
                            Some(value) => json(value, 0)?,
                        },
                        _ => joined(pieces, eval)?.into(),
                    };
                    text.push_str(head);
                    write(&value, *column, *item, &mut text);
                }
            }
        }
        Some(text)
    }
}

/// What stands before the value of a line that has expressions, the column of its key or dash, and the value.
fn split(line: &str) -> Option<(&str, usize, &str)> {
    let mut at = line.len() - line.trim_start().len();
    let mut column = at;
    loop {
        let rest = line.get(at..)?;
        if rest.starts_with("{{") || rest.starts_with("\"{{") {
            let head = line.get(..at)?.trim_end();
            return head.ends_with('-').then_some((head, column, rest));
        }
        let Some(after) = rest.strip_prefix("- ") else {
            break;
        };
        column = at;
        at += rest.len() - after.trim_start().len();
    }
    let colon = at + line.get(at..)?.find(": ")?;
    let value = line.get(colon + 1..)?.trim();
    let key = line.get(at..colon)?;
    let plain = !key.contains("{{") && !value.starts_with(['[', '|', '>', '\'']);
    let flow = value.starts_with('{') && !value.starts_with("{{");
    (plain && !flow).then_some((line.get(..=colon)?, at, value))
}

/// The texts and expressions of a value, which may stand in double quotes.
fn pieces(value: &str, compile: &mut Compile<'_>) -> Result<Vec<Bit>, String> {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let mut rest = inner.unwrap_or(value);
    let mut pieces = Vec::new();
    while let Some(open) = rest.find("{{") {
        let (text, after) = rest.split_at(open);
        if !text.is_empty() {
            pieces.push(Bit::Piece(Piece::Text(text.into())));
        }
        // From the second brace on: a brace that is closed like any other.
        let from = after.get(1..).unwrap_or_default();
        let close = closing(from).ok_or("`{{` is not closed")?;
        let expression = from.get(1..close).unwrap_or_default();
        pieces.push(compile(expression.trim())?);
        rest = from
            .get(close + 1..)
            .and_then(|rest| rest.strip_prefix('}'))
            .ok_or("`{{` is closed by `}}`")?;
    }
    if !rest.is_empty() {
        pieces.push(Bit::Piece(Piece::Text(rest.into())));
    }
    let odd =
        |bit: &Bit| matches!(bit, Bit::Piece(Piece::Text(text)) if text.contains(['"', '\\', '#']));
    if pieces.iter().any(odd) {
        return Err("quotes, backslashes and `#` beside `{{…}}` are not understood".to_owned());
    }
    Ok(pieces)
}

/// A value that is there.
fn present(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Val::Optional(inner) => inner.copied(),
        value => Some(value),
    }
}

fn joined<'a>(pieces: &'a [Bit], eval: &mut dyn FnMut(&'a Program) -> Value<'a>) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Bit::Mark(mark) => text.push_str(mark),
            Bit::Piece(Piece::Text(piece)) => text.push_str(piece),
            Bit::Piece(Piece::Value(program)) => match json(present(eval(program))?, 0)? {
                Json::String(value) => text.push_str(&value),
                value @ (Json::Number(_) | Json::Bool(_)) => text.push_str(&value.to_string()),
                _ => return None,
            },
        }
    }
    Some(text)
}

/// Writes a value behind its key, or behind the dash of an item, which begins at `column`.
fn write(value: &Json, column: usize, item: bool, out: &mut String) {
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            for (number, (key, value)) in entries.iter().enumerate() {
                if item && number == 0 {
                    out.push(' ');
                } else {
                    if number == 0 {
                        out.push('\n');
                    }
                    indent(column + 2, out);
                }
                out.push_str(&scalar(key));
                out.push(':');
                write(value, column + 2, false, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            out.push('\n');
            let column = if item { column + 2 } else { column };
            for value in items {
                indent(column, out);
                out.push('-');
                write(value, column, true, out);
            }
        }
        Json::Object(_) => out.push_str(" {}\n"),
        Json::Array(_) => out.push_str(" []\n"),
        Json::String(text) => {
            out.push(' ');
            out.push_str(&scalar(text));
            out.push('\n');
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            out.push(' ');
            out.push_str(&value.to_string());
            out.push('\n');
        }
    }
}

fn indent(column: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', column));
}

/// A text as YAML reads it back: plain where it can be nothing else, else in double quotes.
pub(crate) fn scalar(text: &str) -> String {
    // What YAML 1.1 takes for something else than a text.
    const OTHER: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let lower = text.to_ascii_lowercase();
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && !OTHER.contains(&&*lower);
    if plain {
        text.to_owned()
    } else {
        Json::from(text).to_string()
    }
}

/// What the first document of a text declares; `None` unless it can be read and says what it is.
pub(crate) fn named(text: &str) -> Option<NewObject> {
    let symbols = cel::Symbols::default();
    let raw = yaml::documents(text).next()?;
    let mut builder = DocBuilder::new(&symbols, Dialect::Plain, (&*raw.text).into(), 1);
    let root = yaml::parse(&raw.text, &yaml::Limits::default(), &mut builder)
        .ok()
        .flatten()?;
    let doc = builder.finish(root);
    let root = doc.root();
    let text_at = |keys: &[&str]| root.path(keys).and_then(Ref::as_str).map(Box::<str>::from);
    text_at(&["apiVersion"])?;
    let (kind, name) = (text_at(&["kind"])?, text_at(&["metadata", "name"])?);
    Some(NewObject {
        stem: format!("{name}-{}", kind.to_lowercase()).into(),
        kind,
        namespace: text_at(&["metadata", "namespace"]),
        name,
        text: text.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> Result<Program, String> {
        let mut env = cel::Env::default();
        env.compile(text).map_err(|error| error.to_string())
    }

    struct Nothing;

    impl<'a> cel::Scope<'a, Ref<'a>> for Nothing {
        fn variable(&self, _: cel::Slot) -> Value<'a> {
            Val::Null
        }

        fn definition(&self, _: cel::Slot) -> Option<&'a Program> {
            None
        }
    }

    fn filled(template: &str) -> Option<NewObject> {
        let object = Object::compile(template, &mut compile).unwrap();
        let (bump, budget) = (bumpalo::Bump::new(), cel::Budget::new(10_000));
        object.filled(&mut |program| program.eval(&Nothing, &[], &bump, &budget))
    }

    #[test]
    fn values_stand_as_values_and_absent_ones_leave_their_key_out() {
        let made = filled(concat!(
            "apiVersion: v1\n",
            "kind: Thing # what it is\n",
            "metadata:\n",
            "  name: {{ 'web' }}-{{ 1 + 1 }}\n",
            "  namespace: {{ optional.none() }}\n",
            "  labels: {{ {'a': 'on', 'b': '1', 'c.d/e': 'plain'} }}\n",
            "spec:\n",
            "  list: {{ [{'x': [1, 2], 'z': {}}, {'y': 'a: b'}] }}\n",
            "  items:\n",
            "  - {{ 'no' }}\n",
            "  - {{ {'k': 'v', 'l': ['w']} }}\n",
            "  quoted: \"{{ 'a' }}: \"\n",
        ))
        .unwrap();
        assert_eq!(
            &*made.text,
            concat!(
                "apiVersion: v1\n",
                "kind: Thing # what it is\n",
                "metadata:\n",
                "  name: web-2\n",
                "  labels:\n",
                "    a: \"on\"\n",
                "    b: \"1\"\n",
                "    c.d/e: plain\n",
                "spec:\n",
                "  list:\n",
                "  - x:\n",
                "    - 1\n",
                "    - 2\n",
                "    z: {}\n",
                "  - \"y\": \"a: b\"\n",
                "  items:\n",
                "  - \"no\"\n",
                "  - k: v\n",
                "    l:\n",
                "    - w\n",
                "  quoted: \"a: \"\n",
            )
        );
        assert_eq!((&*made.kind, &*made.name), ("Thing", "web-2"));
        assert_eq!(made.namespace, None);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (text, says) in [
            ("kind: Pod\n", "a new object is one YAML document"),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ 'a' }}}\n",
                "is the value of a key",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ 'a' }\n",
                "closed",
            ),
        ] {
            let error = Object::compile(text, &mut compile).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
