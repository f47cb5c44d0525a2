//! Messages of findings: text with CEL in braces.

use std::fmt::Write as _;

use cel::{CompileError, Env, Node as _, Program, Val};
use model::Ref;

use crate::context::{Context, Value};

/// A message with its expressions compiled.
#[derive(Debug)]
pub struct Template {
    /// As written.
    pub source: Box<str>,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a message.
#[derive(Debug)]
pub enum Piece {
    /// Literal text.
    Text(Box<str>),
    /// A value shown as a string.
    Value(Box<Program>),
}

impl Template {
    /// Compiles a message.
    ///
    /// # Errors
    /// When a brace is not closed or an expression does not compile.
    pub fn compile(source: &str, env: &mut Env, locals: &[&str]) -> Result<Self, CompileError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            text.push_str(before);
            let Some(close) = closing(after) else {
                // Not an expression: shown as it is.
                text.push_str(after);
                rest = "";
                break;
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text).into_boxed_str()));
            }
            let expression = after.get(1..close).unwrap_or_default();
            pieces.push(Piece::Value(Box::new(env.compile_in(expression, locals)?)));
            rest = after.get(close + 1..).unwrap_or_default();
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into_boxed_str()));
        }
        Ok(Self {
            source: source.into(),
            pieces,
        })
    }

    /// The programs in the message.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(program) => Some(&**program),
            Piece::Text(_) => None,
        })
    }
}

/// How values are written into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// As they are.
    None,
    /// Each as one word of a shell's command.
    Shell,
}

impl<'a> Context<'a> {
    /// A message with its values. What cannot be told is a question mark, and nothing that looks like a credential is
    /// shown.
    pub(crate) fn message(
        &self,
        template: &'a Template,
        locals: &[Value<'a>],
        quoting: Quoting,
    ) -> String {
        let mut message = String::with_capacity(template.source.len() + 32);
        for piece in &template.pieces {
            let program = match piece {
                Piece::Text(text) => {
                    message.push_str(text);
                    continue;
                }
                Piece::Value(program) => program,
            };
            let value = program.eval(self, locals, self.bump, &self.budget);
            // Of a text that is open in part people want to see what is known.
            let open = value.as_node().filter(|node| node.known_ends().is_some());
            let open = open.and_then(Ref::open_shown).map(Val::Str);
            let mut shown = String::new();
            match open.unwrap_or(value).resolve() {
                Val::Error(_) | Val::Unknown(_) => shown.push('?'),
                Val::Str(text) if model::secrets::is_secret_value(text) => shown.push_str("****"),
                value => {
                    let _ = write!(shown, "{value}");
                }
            }
            match quoting {
                Quoting::None => message.push_str(&shown),
                Quoting::Shell => message.push_str(&shell_word(&shown)),
            }
        }
        message
    }
}

/// A word of a command line, quoted where a shell needs it, on one line.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let line: String = word
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("'{}'", line.replace('\'', "'\\''"))
}

/// The offset of the brace that closes the one at the start, minding quotes and nesting.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == open {
                quote = None;
            }
            continue;
        }
        match character {
            '\'' | '"' => quote = Some(character),
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::closing;

    #[test]
    fn finds_the_closing_brace() {
        assert_eq!(closing("{a}"), Some(2));
        assert_eq!(closing("{'}'}b"), Some(4));
        assert_eq!(closing("{{'a': 1}.a}"), Some(11));
        assert_eq!(closing("{a"), None);
    }
}
