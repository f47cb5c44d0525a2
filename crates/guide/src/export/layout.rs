//! Long expressions over several lines, so that whoever reviews a policy can read it.

use std::fmt::Write as _;

use cel::ast::{Expr, ExprKind, Macro};

const WIDTH: usize = 100;

/// The source of an expression; it parses to the same tree.
pub(crate) fn lay_out(expr: &Expr) -> String {
    let mut out = String::new();
    put(expr, 0, &mut out);
    out
}

fn put(expr: &Expr, indent: usize, out: &mut String) {
    let flat = expr.to_string();
    if flat.len() + indent <= WIDTH {
        out.push_str(&flat);
        return;
    }
    match &expr.kind {
        ExprKind::And(parts) => chain(parts, "&&", indent, out, |part| {
            matches!(
                part.kind,
                ExprKind::Or(_) | ExprKind::And(_) | ExprKind::Ternary { .. }
            )
        }),
        ExprKind::Or(parts) => chain(parts, "||", indent, out, |part| {
            matches!(part.kind, ExprKind::Or(_) | ExprKind::Ternary { .. })
        }),
        ExprKind::Not(x) if matches!(x.kind, ExprKind::And(_) | ExprKind::Or(_)) => {
            out.push_str("!(");
            line(indent + 2, out);
            put(x, indent + 2, out);
            line(indent, out);
            out.push(')');
        }
        ExprKind::Macro {
            kind: Macro::All | Macro::Exists | Macro::Filter,
            target,
            vars,
            args,
        } => {
            let ExprKind::Macro { kind, .. } = &expr.kind else {
                return;
            };
            let [body] = args.as_slice() else {
                out.push_str(&flat);
                return;
            };
            let simple = matches!(
                target.kind,
                ExprKind::Ident(_)
                    | ExprKind::Select { .. }
                    | ExprKind::Call { .. }
                    | ExprKind::Macro { .. }
            );
            if simple {
                put(target, indent, out);
            } else {
                let _ = write!(out, "({target})");
            }
            let _ = write!(out, ".{}({},", kind.name(vars.len()), vars.join(", "));
            line(indent + 2, out);
            put(body, indent + 2, out);
            line(indent, out);
            out.push(')');
        }
        ExprKind::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                line(indent + 2, out);
                out.push_str(if item.optional { "?" } else { "" });
                put(&item.value, indent + 2, out);
                out.push_str(if at + 1 < items.len() { "," } else { "" });
            }
            line(indent, out);
            out.push(']');
        }
        _ => out.push_str(&flat),
    }
}

fn chain(
    parts: &[Expr],
    operator: &str,
    indent: usize,
    out: &mut String,
    needs_parentheses: fn(&Expr) -> bool,
) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            line(indent, out);
            out.push_str(operator);
            out.push(' ');
        }
        if needs_parentheses(part) {
            out.push('(');
            put(part, indent + 2, out);
            out.push(')');
        } else {
            put(part, indent + 2, out);
        }
    }
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}
