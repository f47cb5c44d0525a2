//! The grammar of conditions, read by descent with a bound on its depth.

use super::{Attribute, Comparison, Expression};

/// Deeper nesting is not read.
const DEEPEST: usize = 60;
/// The portal writes at most 8 KB.
const LONGEST: usize = 64 * 1024;

pub(super) fn parse(text: &str) -> Option<Expression> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let expression = parser.either(0)?;
    (parser.at == parser.tokens.len()).then_some(expression)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    /// `{`
    Set,
    /// `}`
    SetEnd,
    Comma,
    And,
    Or,
    Not,
    Text(Box<str>),
    /// Names, numbers, GUIDs.
    Word(Box<str>),
    Attribute(Attribute),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Some(out);
        };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '{' => (Token::Set, 1),
            '}' => (Token::SetEnd, 1),
            ',' => (Token::Comma, 1),
            '!' => (Token::Not, 1),
            '&' if rest.starts_with("&&") => (Token::And, 2),
            '|' if rest.starts_with("||") => (Token::Or, 2),
            '\'' => {
                // A quote within is doubled or escaped.
                let (value, length) = quoted(rest)?;
                (Token::Text(value.into()), length)
            }
            '@' => {
                let open = rest.find('[')?;
                let close = rest.find(']')?;
                let source = rest.get(1..open)?.trim();
                let name = rest.get(open + 1..close)?.trim();
                let token = Token::Attribute(Attribute {
                    source: source.into(),
                    name: name.into(),
                });
                (token, close + 1)
            }
            _ => {
                let end = rest
                    .find(|letter: char| letter.is_whitespace() || "(){},'&|!@".contains(letter))
                    .unwrap_or(rest.len());
                let word = rest.get(..end).filter(|word| !word.is_empty())?;
                let token = match word.to_ascii_uppercase().as_str() {
                    "AND" => Token::And,
                    "OR" => Token::Or,
                    "NOT" => Token::Not,
                    _ => Token::Word(word.into()),
                };
                (token, end)
            }
        };
        out.push(token);
        rest = rest.get(length..)?;
    }
}

fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
                value.push('\'');
            }
            '\\' => value.push(letters.next()?.1),
            '\'' => return Some((value, at + 1)),
            other => value.push(other),
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, wanted: &Token) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += 1;
        }
        there
    }

    fn either(&mut self, depth: usize) -> Option<Expression> {
        let mut parts = vec![self.both(depth)?];
        while self.takes(&Token::Or) {
            parts.push(self.both(depth)?);
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        Some(Expression::Or(parts))
    }

    fn both(&mut self, depth: usize) -> Option<Expression> {
        let mut parts = vec![self.one(depth)?];
        while self.takes(&Token::And) {
            parts.push(self.one(depth)?);
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        Some(Expression::And(parts))
    }

    fn one(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEEPEST {
            return None;
        }
        match self.take()? {
            Token::Not => Some(Expression::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                let inner = self.either(depth + 1)?;
                self.takes(&Token::Close).then_some(inner)
            }
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "actionmatches" => Some(Expression::Action(self.matched()?)),
                "suboperationmatches" => Some(Expression::SubOperation(self.matched()?)),
                "exists" => match self.take()? {
                    Token::Attribute(attribute) => Some(Expression::Exists(attribute)),
                    _ => None,
                },
                "notexists" => match self.take()? {
                    Token::Attribute(attribute) => {
                        Some(Expression::Not(Box::new(Expression::Exists(attribute))))
                    }
                    _ => None,
                },
                _ => self.compared(vec![word], None),
            },
            Token::Text(text) => self.compared(vec![text], None),
            Token::Set => {
                let values = self.set()?;
                self.compared(values, None)
            }
            Token::Attribute(attribute) => self.compared(Vec::new(), Some(attribute)),
            _ => None,
        }
    }

    /// `{'…'}` after `ActionMatches`.
    fn matched(&mut self) -> Option<Box<str>> {
        if !self.takes(&Token::Set) {
            return None;
        }
        let Token::Text(text) = self.take()? else {
            return None;
        };
        self.takes(&Token::SetEnd).then_some(text)
    }

    /// The rest of a set whose brace is read.
    fn set(&mut self) -> Option<Vec<Box<str>>> {
        let mut values = Vec::new();
        loop {
            match self.take()? {
                Token::SetEnd => return Some(values),
                Token::Comma => {}
                Token::Text(value) | Token::Word(value) => values.push(value),
                _ => return None,
            }
        }
    }

    /// A comparison whose left side is read: values, or an attribute.
    fn compared(
        &mut self,
        values: Vec<Box<str>>,
        attribute: Option<Attribute>,
    ) -> Option<Expression> {
        let Token::Word(operator) = self.take()? else {
            return None;
        };
        let (quantifier, operator) = match operator.split_once(':') {
            Some((quantifier, operator)) => (quantifier.into(), operator.into()),
            None => (Box::default(), operator),
        };
        let (right, other) = match self.take()? {
            Token::Text(value) | Token::Word(value) => (vec![value], None),
            Token::Set => (self.set()?, None),
            Token::Attribute(other) => (Vec::new(), Some(other)),
            _ => return None,
        };
        let (attribute, values, other) = match (attribute, other) {
            (Some(attribute), other) => (attribute, right, other),
            (None, Some(other)) => (other, values, None),
            (None, None) => return None,
        };
        Some(Expression::Compare(Comparison {
            attribute,
            quantifier,
            operator,
            values,
            other,
        }))
    }
}
