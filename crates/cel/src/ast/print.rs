//! Prints a syntax tree as source that parses to the same tree, with as few parentheses as
//! the grammar allows.

use super::{BinaryOp, Expr, ExprKind, Literal};
use std::fmt::{self, Display, Formatter, Write as _};

/// How tightly an expression binds; a part that binds less than its place needs parentheses.
fn level(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Ternary { .. } => 0,
        ExprKind::Or(_) => 1,
        ExprKind::And(_) => 2,
        ExprKind::Binary { op, .. } => binary_level(*op),
        ExprKind::Not(_) | ExprKind::Neg(_) => 6,
        _ => 7,
    }
}

fn binary_level(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Add | BinaryOp::Sub => 4,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 5,
        _ => 3,
    }
}

fn at(f: &mut Formatter<'_>, e: &Expr, needed: u8) -> fmt::Result {
    if level(&e.kind) < needed {
        write!(f, "({e})")
    } else {
        write!(f, "{e}")
    }
}

fn separated<'e>(f: &mut Formatter<'_>, items: impl Iterator<Item = &'e Expr>) -> fmt::Result {
    for (i, e) in items.enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{e}")?;
    }
    Ok(())
}

/// Whether a `-` before it would become part of a number.
fn starts_with_number(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Literal(_))
}

/// The receiver of a select or call. A number needs parentheses: `1.a` would not lex as meant.
fn receiver(f: &mut Formatter<'_>, e: &Expr) -> fmt::Result {
    match e.kind {
        ExprKind::Literal(Literal::Int(_) | Literal::Double(_) | Literal::Uint(_)) => {
            write!(f, "({e})")
        }
        _ => at(f, e, 7),
    }
}

fn field_name(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let plain = name
        .bytes()
        .enumerate()
        .all(|(i, b)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()));
    if plain && !matches!(name, "in" | "true" | "false" | "null" | "") {
        f.write_str(name)
    } else {
        write!(f, "`{name}`")
    }
}

/// `@it:N:M` and `@ac:N:M` are how `cel.iterVar(N, M)` and `cel.accuVar(N, M)` are kept.
fn ident(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let mut parts = name.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("@it"), Some(n), Some(m)) => write!(f, "cel.iterVar({n}, {m})"),
        (Some("@ac"), Some(n), Some(m)) => write!(f, "cel.accuVar({n}, {m})"),
        _ => f.write_str(name),
    }
}

/// Writes a double-quoted CEL string literal.
pub(crate) fn quote(out: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '\\' | '"' => {
                out.write_char('\\')?;
                out.write_char(c)?;
            }
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if c.is_control() => write!(out, "\\U{:08x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Uint(u) => write!(f, "{u}u"),
            Self::Double(d) => {
                let text = format!("{d:?}");
                f.write_str(&text)
            }
            Self::Str(s) => quote(f, s),
            Self::Bytes(bytes) => {
                f.write_str("b\"")?;
                for b in bytes {
                    match b {
                        b'"' | b'\\' => write!(f, "\\{}", char::from(*b))?,
                        0x20..=0x7e => f.write_char(char::from(*b))?,
                        _ => write!(f, "\\x{b:02x}")?,
                    }
                }
                f.write_char('"')
            }
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(l) => write!(f, "{l}"),
            ExprKind::Ident(name) => ident(f, name),
            ExprKind::Select {
                operand,
                field,
                optional,
            } => {
                receiver(f, operand)?;
                f.write_str(if *optional { ".?" } else { "." })?;
                field_name(f, field)
            }
            ExprKind::Has { operand, field } => {
                f.write_str("has(")?;
                receiver(f, operand)?;
                f.write_char('.')?;
                field_name(f, field)?;
                f.write_char(')')
            }
            ExprKind::Index {
                operand,
                index,
                optional,
            } => {
                receiver(f, operand)?;
                write!(f, "[{}{index}]", if *optional { "?" } else { "" })
            }
            ExprKind::Call {
                target,
                function,
                args,
            } => {
                if let Some(t) = target {
                    receiver(f, t)?;
                    f.write_char('.')?;
                }
                write!(f, "{function}(")?;
                separated(f, args.iter())?;
                f.write_char(')')
            }
            ExprKind::Not(x) => {
                f.write_char('!')?;
                at(f, x, 7)
            }
            ExprKind::Neg(x) => {
                // `-1` is a literal.
                f.write_char('-')?;
                if starts_with_number(x) {
                    write!(f, "({x})")
                } else {
                    at(f, x, 7)
                }
            }
            ExprKind::Binary { op, left, right } => {
                let l = binary_level(*op);
                at(f, left, l)?;
                write!(f, " {} ", op.text())?;
                at(f, right, l + 1)
            }
            ExprKind::And(xs) | ExprKind::Or(xs) => {
                let (needed, sep) = match self.kind {
                    ExprKind::And(_) => (3, " && "),
                    _ => (2, " || "),
                };
                for (i, x) in xs.iter().enumerate() {
                    if i > 0 {
                        f.write_str(sep)?;
                    }
                    at(f, x, needed)?;
                }
                Ok(())
            }
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                at(f, condition, 1)?;
                f.write_str(" ? ")?;
                at(f, then, 1)?;
                f.write_str(" : ")?;
                write!(f, "{otherwise}")
            }
            ExprKind::List(xs) => {
                f.write_char('[')?;
                for (i, e) in xs.iter().enumerate() {
                    let sep = if i > 0 { ", " } else { "" };
                    write!(f, "{sep}{}{}", if e.optional { "?" } else { "" }, e.value)?;
                }
                f.write_char(']')
            }
            ExprKind::Map(xs) => {
                f.write_char('{')?;
                for (i, e) in xs.iter().enumerate() {
                    let sep = if i > 0 { ", " } else { "" };
                    write!(
                        f,
                        "{sep}{}{}: {}",
                        if e.optional { "?" } else { "" },
                        e.key,
                        e.value
                    )?;
                }
                f.write_char('}')
            }
            ExprKind::Message(name, fields) => {
                write!(f, "{name}{{")?;
                for (i, (k, v)) in fields.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    field_name(f, k)?;
                    write!(f, ": {v}")?;
                }
                f.write_char('}')
            }
            ExprKind::Macro {
                kind,
                target,
                vars,
                args,
            } => {
                receiver(f, target)?;
                write!(f, ".{}(", kind.name(vars.len()))?;
                for v in vars {
                    ident(f, v)?;
                    f.write_str(", ")?;
                }
                separated(f, args.iter())?;
                f.write_char(')')
            }
            ExprKind::Bind { name, value, body } => write!(f, "cel.bind({name}, {value}, {body})"),
        }
    }
}
