//! Tokens to syntax tree: recursive descent after the grammar of the CEL specification, with
//! macros recognised on the way.
//!
//! The height of the tree is limited, so nothing that walks it can exhaust the stack.

mod macros;

use crate::ast::{BinaryOp, Element, Entry, Expr, ExprKind, Literal};
use crate::lexer::{Lexer, Tok};
use crate::{CompileError, Span};

/// The highest tree that is accepted. cel-go's parser stops at 250 levels of recursion.
const MAX_HEIGHT: u16 = 250;
/// Levels of recursion inside the parser itself; one level of nesting takes several.
const MAX_DEPTH: u16 = 250;

/// An expression with the height of its tree.
type Parsed = Result<(Expr, u16), CompileError>;

/// Parses a whole expression.
///
/// # Errors
/// The first thing that does not follow the grammar, with its place.
pub fn parse(source: &str) -> Result<Expr, CompileError> {
    let mut lexer = Lexer::new(source);
    let (tok, span) = lexer.next()?;
    let mut p = Parser {
        lexer,
        tok,
        span,
        end: 0,
        depth: 0,
    };
    if p.tok == Tok::End {
        return Err(CompileError::new("the expression is empty", p.span));
    }
    let (e, _) = p.expr()?;
    if p.tok != Tok::End {
        return Err(p.unexpected("an operator or the end of the expression"));
    }
    Ok(e)
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    /// the token not yet taken
    tok: Tok<'s>,
    span: Span,
    /// where the last taken token ended
    end: u32,
    depth: u16,
}

/// Words that are no names of variables: the specification keeps them for host languages.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl<'s> Parser<'s> {
    fn bump(&mut self) -> Result<Tok<'s>, CompileError> {
        self.end = self.span.end;
        let (tok, span) = self.lexer.next()?;
        self.span = span;
        Ok(std::mem::replace(&mut self.tok, tok))
    }

    #[inline]
    fn is(&self, p: &str) -> bool {
        matches!(self.tok, Tok::P(q) if q == p)
    }

    #[inline]
    fn eat(&mut self, p: &str) -> Result<bool, CompileError> {
        let yes = self.is(p);
        if yes {
            self.bump()?;
        }
        Ok(yes)
    }

    fn need(&mut self, p: &str) -> Result<(), CompileError> {
        if self.eat(p)? {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{p}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> CompileError {
        CompileError::new(
            format!("expected {wanted}, found {}", self.tok.describe()),
            self.span,
        )
    }

    fn since(&self, start: u32) -> Span {
        Span {
            start,
            end: self.end,
        }
    }

    fn node(&self, kind: ExprKind, start: u32, height: u16) -> Parsed {
        let span = self.since(start);
        if height >= MAX_HEIGHT {
            return Err(CompileError::new(
                "the expression is nested too deeply",
                span,
            ));
        }
        Ok((Expr::new(kind, span), height + 1))
    }

    fn expr(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CompileError::new(
                "the expression is nested too deeply",
                self.span,
            ));
        }
        let start = self.span.start;
        let (condition, h1) = self.or()?;
        let out = if self.eat("?")? {
            let (then, h2) = self.or()?;
            self.need(":")?;
            let (otherwise, h3) = self.expr()?;
            let kind = ExprKind::Ternary {
                condition: condition.into(),
                then: then.into(),
                otherwise: otherwise.into(),
            };
            self.node(kind, start, h1.max(h2).max(h3))
        } else {
            Ok((condition, h1))
        };
        self.depth -= 1;
        out
    }

    fn or(&mut self) -> Parsed {
        let start = self.span.start;
        let (first, mut height) = self.and()?;
        if !self.is("||") {
            return Ok((first, height));
        }
        let mut parts = vec![first];
        while self.eat("||")? {
            let (e, h) = self.and()?;
            height = height.max(h);
            parts.push(e);
        }
        self.node(ExprKind::Or(parts), start, height)
    }

    fn and(&mut self) -> Parsed {
        let start = self.span.start;
        let (first, mut height) = self.relation()?;
        if !self.is("&&") {
            return Ok((first, height));
        }
        let mut parts = vec![first];
        while self.eat("&&")? {
            let (e, h) = self.relation()?;
            height = height.max(h);
            parts.push(e);
        }
        self.node(ExprKind::And(parts), start, height)
    }

    fn relation(&mut self) -> Parsed {
        let start = self.span.start;
        let mut left = self.addition()?;
        loop {
            let op = match self.tok {
                Tok::P("==") => BinaryOp::Eq,
                Tok::P("!=") => BinaryOp::Ne,
                Tok::P("<") => BinaryOp::Lt,
                Tok::P("<=") => BinaryOp::Le,
                Tok::P(">") => BinaryOp::Gt,
                Tok::P(">=") => BinaryOp::Ge,
                Tok::Ident("in") => BinaryOp::In,
                _ => return Ok(left),
            };
            self.bump()?;
            let right = self.addition()?;
            left = self.binary(op, left, right, start)?;
        }
    }

    fn addition(&mut self) -> Parsed {
        let start = self.span.start;
        let mut left = self.multiplication()?;
        loop {
            let op = match self.tok {
                Tok::P("+") => BinaryOp::Add,
                Tok::P("-") => BinaryOp::Sub,
                _ => return Ok(left),
            };
            self.bump()?;
            let right = self.multiplication()?;
            left = self.binary(op, left, right, start)?;
        }
    }

    fn multiplication(&mut self) -> Parsed {
        let start = self.span.start;
        let mut left = self.unary()?;
        loop {
            let op = match self.tok {
                Tok::P("*") => BinaryOp::Mul,
                Tok::P("/") => BinaryOp::Div,
                Tok::P("%") => BinaryOp::Rem,
                _ => return Ok(left),
            };
            self.bump()?;
            let right = self.unary()?;
            left = self.binary(op, left, right, start)?;
        }
    }

    fn binary(&self, op: BinaryOp, left: (Expr, u16), right: (Expr, u16), start: u32) -> Parsed {
        let kind = ExprKind::Binary {
            op,
            left: left.0.into(),
            right: right.0.into(),
        };
        self.node(kind, start, left.1.max(right.1))
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span.start;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CompileError::new(
                "the expression is nested too deeply",
                self.span,
            ));
        }
        let out = if self.is("!") {
            // Pairs cancel out, as in cel-go's parser.
            let mut odd = false;
            while self.eat("!")? {
                odd = !odd;
            }
            let (e, h) = self.operand(start)?;
            if odd {
                self.node(ExprKind::Not(e.into()), start, h)
            } else {
                Ok((e, h))
            }
        } else if self.is("-") {
            self.minus(start)
        } else {
            let primary = self.primary()?;
            self.postfix(primary, start)
        };
        self.depth -= 1;
        out
    }

    /// What `!` or `-` stands before.
    fn operand(&mut self, start: u32) -> Parsed {
        let at = self.span.start;
        if self.is("-") || self.is("!") {
            return self.unary();
        }
        let primary = self.primary()?;
        let (mut e, h) = self.postfix(primary, at)?;
        e.span.start = e.span.start.max(start);
        Ok((e, h))
    }

    /// One or more `-`; the last one belongs to a number that follows.
    fn minus(&mut self, start: u32) -> Parsed {
        let mut odd = false;
        let mut at = start;
        while self.is("-") {
            at = self.span.start;
            self.bump()?;
            odd = !odd;
        }
        let (e, h) = if matches!(self.tok, Tok::Int(_) | Tok::Double(_)) {
            odd = !odd;
            let literal = self.number(true, at)?;
            self.postfix(literal, at)?
        } else {
            self.operand(start)?
        };
        if odd {
            self.node(ExprKind::Neg(e.into()), start, h)
        } else {
            Ok((e, h))
        }
    }

    fn number(&mut self, negative: bool, start: u32) -> Parsed {
        let span = self.span;
        let tok = self.bump()?;
        let bad = |what: &str| CompileError::new(format!("the number is no {what}"), span);
        let literal = match tok {
            Tok::Int(text) => {
                let (digits, radix) = split_radix(text);
                let magnitude =
                    u64::from_str_radix(digits, radix).map_err(|_| bad("64-bit signed integer"))?;
                let value = if negative {
                    0_i64.checked_sub_unsigned(magnitude)
                } else {
                    i64::try_from(magnitude).ok()
                };
                Literal::Int(value.ok_or_else(|| bad("64-bit signed integer"))?)
            }
            Tok::Uint(text) => {
                let (digits, radix) = split_radix(text);
                Literal::Uint(
                    u64::from_str_radix(digits, radix)
                        .map_err(|_| bad("64-bit unsigned integer"))?,
                )
            }
            Tok::Double(d) => Literal::Double(if negative { -d } else { d }),
            _ => return Err(bad("number")),
        };
        self.node(ExprKind::Literal(literal), start, 0)
    }

    fn primary(&mut self) -> Parsed {
        let start = self.span.start;
        match &self.tok {
            Tok::Int(_) | Tok::Uint(_) | Tok::Double(_) => self.number(false, start),
            Tok::Str(_) | Tok::Bytes(_) => {
                let literal = match self.bump()? {
                    Tok::Str(s) => Literal::Str(s.into()),
                    Tok::Bytes(b) => Literal::Bytes(b.into()),
                    _ => Literal::Null,
                };
                self.node(ExprKind::Literal(literal), start, 0)
            }
            Tok::P("(") => {
                self.bump()?;
                let (mut e, h) = self.expr()?;
                self.need(")")?;
                e.span = self.since(start);
                Ok((e, h))
            }
            Tok::P("[") => self.list(),
            Tok::P("{") => self.map(),
            Tok::P(".") => {
                self.bump()?;
                let Tok::Ident(name) = self.tok else {
                    return Err(self.unexpected("a name"));
                };
                self.bump()?;
                self.named(format!(".{name}").into(), start)
            }
            Tok::Ident(name) => {
                let name = *name;
                let literal = match name {
                    "true" => Some(Literal::Bool(true)),
                    "false" => Some(Literal::Bool(false)),
                    "null" => Some(Literal::Null),
                    _ => None,
                };
                if let Some(literal) = literal {
                    self.bump()?;
                    return self.node(ExprKind::Literal(literal), start, 0);
                }
                if name == "in" || RESERVED.contains(&name) {
                    return Err(CompileError::new(
                        format!("`{name}` is a reserved word"),
                        self.span,
                    ));
                }
                self.bump()?;
                self.named(name.into(), start)
            }
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// A name that was just taken: a variable, a call, a macro or a message.
    fn named(&mut self, name: Box<str>, start: u32) -> Parsed {
        if self.eat("(")? {
            let (args, height) = self.args(")")?;
            return self.global_call(name, args, start, height);
        }
        if self.is("{") {
            return self.message(name, start);
        }
        self.node(ExprKind::Ident(name), start, 0)
    }

    fn args(&mut self, close: &str) -> Result<(Vec<Expr>, u16), CompileError> {
        let mut args = Vec::new();
        let mut height = 0;
        while !self.is(close) {
            let (e, h) = self.expr()?;
            height = height.max(h);
            args.push(e);
            if !self.eat(",")? {
                break;
            }
            if self.is(close) && close == ")" {
                return Err(self.unexpected("an argument"));
            }
        }
        self.need(close)?;
        Ok((args, height))
    }

    fn postfix(&mut self, first: (Expr, u16), start: u32) -> Parsed {
        let (mut e, mut h) = first;
        loop {
            if self.eat(".")? {
                let optional = self.eat("?")?;
                let name: Box<str> = match self.tok {
                    Tok::Ident(n) if !matches!(n, "in" | "true" | "false" | "null") => n.into(),
                    Tok::Quoted(n) => n.into(),
                    _ => return Err(self.unexpected("a field's name")),
                };
                let quoted = matches!(self.tok, Tok::Quoted(_));
                self.bump()?;
                if !optional && !quoted && self.eat("(")? {
                    let (args, ha) = self.args(")")?;
                    (e, h) = self.member_call(e, name, args, start, h.max(ha))?;
                    continue;
                }
                if !optional
                    && !quoted
                    && self.is("{")
                    && let Some(qualified) = qualified_name(&e)
                {
                    (e, h) = self.message(format!("{qualified}.{name}").into(), start)?;
                    continue;
                }
                let kind = ExprKind::Select {
                    operand: e.into(),
                    field: name,
                    optional,
                };
                (e, h) = self.node(kind, start, h)?;
            } else if self.eat("[")? {
                let optional = self.eat("?")?;
                let (index, hi) = self.expr()?;
                self.need("]")?;
                let kind = ExprKind::Index {
                    operand: e.into(),
                    index: index.into(),
                    optional,
                };
                (e, h) = self.node(kind, start, h.max(hi))?;
            } else {
                return Ok((e, h));
            }
        }
    }

    fn list(&mut self) -> Parsed {
        let start = self.span.start;
        self.bump()?;
        let mut items = Vec::new();
        let mut height = 0;
        while !self.is("]") {
            let optional = self.eat("?")?;
            let (value, h) = self.expr()?;
            height = height.max(h);
            items.push(Element { optional, value });
            if !self.eat(",")? {
                break;
            }
        }
        self.need("]")?;
        self.node(ExprKind::List(items), start, height)
    }

    fn map(&mut self) -> Parsed {
        let start = self.span.start;
        self.bump()?;
        let mut entries = Vec::new();
        let mut height = 0;
        while !self.is("}") {
            let optional = self.eat("?")?;
            let (key, h1) = self.expr()?;
            self.need(":")?;
            let (value, h2) = self.expr()?;
            height = height.max(h1).max(h2);
            entries.push(Entry {
                optional,
                key,
                value,
            });
            if !self.eat(",")? {
                break;
            }
        }
        self.need("}")?;
        self.node(ExprKind::Map(entries), start, height)
    }

    fn message(&mut self, name: Box<str>, start: u32) -> Parsed {
        self.need("{")?;
        let mut fields = Vec::new();
        let mut height = 0;
        while !self.is("}") {
            self.eat("?")?;
            let field: Box<str> = match self.tok {
                Tok::Ident(n) | Tok::Quoted(n) => n.into(),
                _ => return Err(self.unexpected("a field's name")),
            };
            self.bump()?;
            self.need(":")?;
            let (value, h) = self.expr()?;
            height = height.max(h);
            fields.push((field, value));
            if !self.eat(",")? {
                break;
            }
        }
        self.need("}")?;
        self.node(ExprKind::Message(name, fields), start, height)
    }
}

fn split_radix(text: &str) -> (&str, u32) {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    }
}

/// `a.b.c` when the expression is nothing but names.
pub(crate) fn qualified_name(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Ident(name) => Some(name.to_string()),
        ExprKind::Select {
            operand,
            field,
            optional: false,
        } => {
            let mut name = qualified_name(operand)?;
            name.push('.');
            name.push_str(field);
            Some(name)
        }
        _ => None,
    }
}
