//! Small wrong changes of an expression: a test set that does not notice one is incomplete.

use crate::ast::{BinaryOp, Expr, ExprKind, Literal, Macro};
use crate::parse;

/// A changed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What was changed, for a report.
    pub description: String,
    /// The changed source.
    pub source: String,
}

/// One way to change one part.
struct Change {
    description: String,
    replacement: Expr,
}

/// All mutants of an expression, each with one change; none when it does not parse. Clauses are
/// dropped, comparisons and boolean operators flipped, `!` dropped, `all` and `exists` swapped,
/// the branches of `?:` swapped, and integers in comparisons moved by one.
#[must_use]
pub fn mutants(source: &str) -> Vec<Mutant> {
    let Ok(original) = parse(source) else {
        return Vec::new();
    };
    let mut out: Vec<Mutant> = Vec::new();
    let mut index = 0;
    // Parts are numbered in the order of a walk; each is changed in a copy of the whole.
    loop {
        let mut seen = 0;
        let Some(changes) = changes_of(&original, index, &mut seen) else {
            break;
        };
        for change in changes {
            let mut copy = original.clone();
            let mut seen = 0;
            put(&mut copy, index, &mut seen, &change.replacement);
            let text = copy.to_string();
            if copy != original && parse(&text).is_ok() && !out.iter().any(|m| m.source == text) {
                out.push(Mutant {
                    description: change.description,
                    source: text,
                });
            }
        }
        index += 1;
    }
    out
}

/// The changes of the `index`th part; `None` when there are not so many.
fn changes_of(e: &Expr, index: usize, seen: &mut usize) -> Option<Vec<Change>> {
    if *seen == index {
        return Some(changes(e));
    }
    *seen += 1;
    let mut found = None;
    e.children(&mut |x| {
        if found.is_none() {
            found = changes_of(x, index, seen);
        }
    });
    found
}

/// Replaces the `index`th part.
fn put(e: &mut Expr, index: usize, seen: &mut usize, replacement: &Expr) -> bool {
    if *seen == index {
        *e = replacement.clone();
        return true;
    }
    *seen += 1;
    let mut done = false;
    e.children_mut(&mut |x| {
        if !done {
            done = put(x, index, seen, replacement);
        }
    });
    done
}

fn changes(e: &Expr) -> Vec<Change> {
    let mut out = Vec::new();
    let mut add = |description: String, kind: ExprKind| {
        out.push(Change {
            description,
            replacement: Expr::new(kind, e.span),
        });
    };
    match &e.kind {
        ExprKind::And(xs) => {
            drop_clauses(xs, "&&", ExprKind::And, &mut add);
            add(
                format!("`&&` became `||` in `{e}`"),
                ExprKind::Or(xs.clone()),
            );
        }
        ExprKind::Or(xs) => {
            drop_clauses(xs, "||", ExprKind::Or, &mut add);
            add(
                format!("`||` became `&&` in `{e}`"),
                ExprKind::And(xs.clone()),
            );
        }
        ExprKind::Not(x) => add(format!("dropped `!` of `{x}`"), x.kind.clone()),
        ExprKind::Binary { op, left, right } => {
            if let Some(flipped) = flip(*op) {
                add(
                    format!("`{}` became `{}` in `{e}`", op.text(), flipped.text()),
                    ExprKind::Binary {
                        op: flipped,
                        left: left.clone(),
                        right: right.clone(),
                    },
                );
            }
            if *op == BinaryOp::In {
                add(
                    format!("`{e}` became its contrary"),
                    ExprKind::Not(e.clone().into()),
                );
            }
            if flip(*op).is_some() {
                off_by_one(e, *op, left, right, &mut add);
            }
        }
        ExprKind::Ternary {
            condition,
            then,
            otherwise,
        } => add(
            format!("swapped the branches of `{e}`"),
            ExprKind::Ternary {
                condition: condition.clone(),
                then: otherwise.clone(),
                otherwise: then.clone(),
            },
        ),
        ExprKind::Macro {
            kind,
            target,
            vars,
            args,
        } => {
            let (from, to) = match kind {
                Macro::All => ("all", Macro::Exists),
                Macro::Exists => ("exists", Macro::All),
                _ => return out,
            };
            add(
                format!("`{from}` became `{}` in `{e}`", to.name(1)),
                ExprKind::Macro {
                    kind: to,
                    target: target.clone(),
                    vars: vars.clone(),
                    args: args.clone(),
                },
            );
        }
        ExprKind::Literal(Literal::Bool(b)) => add(
            format!("`{b}` became `{}`", !b),
            ExprKind::Literal(Literal::Bool(!b)),
        ),
        _ => {}
    }
    out
}

fn drop_clauses(
    xs: &[Expr],
    op: &str,
    make: fn(Vec<Expr>) -> ExprKind,
    add: &mut dyn FnMut(String, ExprKind),
) {
    for (i, dropped) in xs.iter().enumerate() {
        let mut rest: Vec<Expr> = xs.to_vec();
        rest.remove(i);
        let kind = match rest.len() {
            1 => rest.pop().map(|e| e.kind),
            _ => Some(make(rest)),
        };
        if let Some(kind) = kind {
            add(format!("dropped `{dropped}` from a `{op}`"), kind);
        }
    }
}

fn flip(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq => BinaryOp::Ne,
        BinaryOp::Ne => BinaryOp::Eq,
        BinaryOp::Lt => BinaryOp::Ge,
        BinaryOp::Ge => BinaryOp::Lt,
        BinaryOp::Gt => BinaryOp::Le,
        BinaryOp::Le => BinaryOp::Gt,
        _ => return None,
    })
}

fn off_by_one(
    e: &Expr,
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
    add: &mut dyn FnMut(String, ExprKind),
) {
    for (side, is_left) in [(left, true), (right, false)] {
        let ExprKind::Literal(Literal::Int(n)) = side.kind else {
            continue;
        };
        for moved in [n.checked_sub(1), n.checked_add(1)].into_iter().flatten() {
            let literal = Expr::new(ExprKind::Literal(Literal::Int(moved)), side.span);
            let (l, r) = if is_left {
                (literal, right.clone())
            } else {
                (left.clone(), literal)
            };
            add(
                format!("`{n}` became `{moved}` in `{e}`"),
                ExprKind::Binary {
                    op,
                    left: l.into(),
                    right: r.into(),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(of: &str) -> Vec<String> {
        mutants(of).into_iter().map(|m| m.source).collect()
    }

    #[test]
    fn every_clause_and_operator_is_changed_once() {
        assert_eq!(sources("a && !b"), ["!b", "a", "a || !b", "a && b"]);
        assert_eq!(sources("x >= 3"), ["x < 3", "x >= 2", "x >= 4"]);
        assert_eq!(
            sources("l.all(c, c == 'x' || has(c.y))"),
            [
                "l.exists(c, c == \"x\" || has(c.y))",
                "l.all(c, has(c.y))",
                "l.all(c, c == \"x\")",
                "l.all(c, c == \"x\" && has(c.y))",
                "l.all(c, c != \"x\" || has(c.y))",
            ]
        );
        assert_eq!(sources("c ? 1 : 2"), ["c ? 2 : 1"]);
        assert_eq!(sources("a &&"), Vec::<String>::new());
    }

    #[test]
    fn parts_of_equal_text_are_changed_one_by_one() {
        assert_eq!(sources("!a && !a").len(), 4);
    }
}
