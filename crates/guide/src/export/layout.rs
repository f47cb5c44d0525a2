//! Long expressions over several lines, so that whoever reviews a policy can read it.

use cel::ast::{BinaryOp, Expr, ExprKind};

const WIDTH: usize = 100;

/// The source of an expression; it parses to the same tree.
pub(crate) fn lay_out(expr: &Expr) -> String {
    let mut out = String::new();
    put(expr, 0, &mut out);
    out
}

fn put(expr: &Expr, indent: usize, out: &mut String) {
    let flat = expr.to_string();
    if flat.chars().count() + indent <= WIDTH {
        out.push_str(&flat);
        return;
    }
    match &expr.kind {
        ExprKind::And(parts) => chain(parts, "&&", indent, out),
        ExprKind::Or(parts) => chain(parts, "||", indent, out),
        ExprKind::Not(x) if matches!(x.kind, ExprKind::And(_) | ExprKind::Or(_)) => {
            out.push('!');
            enclosed(x, indent, out);
        }
        ExprKind::Ternary {
            condition,
            then,
            otherwise,
        } => {
            inner(condition, is_ternary(condition), indent + 2, out);
            line(indent, out);
            out.push_str("? ");
            inner(then, is_ternary(then), indent + 2, out);
            line(indent, out);
            out.push_str(": ");
            put(otherwise, indent, out);
        }
        ExprKind::Binary {
            op: BinaryOp::Add,
            left,
            right,
        } => {
            let looser = match &left.kind {
                ExprKind::Binary { op, .. } => *op != BinaryOp::Add,
                kind => matches!(
                    kind,
                    ExprKind::Ternary { .. } | ExprKind::And(_) | ExprKind::Or(_)
                ),
            };
            inner(left, looser, indent, out);
            line(indent, out);
            out.push_str("+ ");
            let binds_less = matches!(
                right.kind,
                ExprKind::Binary { .. }
                    | ExprKind::Ternary { .. }
                    | ExprKind::And(_)
                    | ExprKind::Or(_)
            );
            inner(right, binds_less, indent + 2, out);
        }
        ExprKind::Macro { .. }
        | ExprKind::Call {
            target: Some(_), ..
        } => links(expr, indent, out),
        ExprKind::Index {
            operand,
            index,
            optional: false,
        } if is_receiver(operand) => {
            put(operand, indent, out);
            out.push_str(&format!("[{index}]"));
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

fn is_ternary(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Ternary { .. })
}

/// Whether it stands before a dot or bracket without parentheses.
fn is_receiver(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Ident(_)
            | ExprKind::Select { .. }
            | ExprKind::Index { .. }
            | ExprKind::Call { .. }
            | ExprKind::Macro { .. }
            | ExprKind::List(_)
    )
}

fn chain(parts: &[Expr], operator: &str, indent: usize, out: &mut String) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            line(indent, out);
            out.push_str(operator);
            out.push(' ');
        }
        let binds_less = match part.kind {
            ExprKind::Or(_) | ExprKind::Ternary { .. } => true,
            ExprKind::And(_) => operator == "&&",
            _ => false,
        };
        inner(part, binds_less, indent + 3, out);
    }
}

fn inner(expr: &Expr, parentheses: bool, indent: usize, out: &mut String) {
    if !parentheses {
        put(expr, indent, out);
    } else if expr.to_string().chars().count() + indent + 2 <= WIDTH {
        out.push_str(&format!("({expr})"));
    } else {
        enclosed(expr, indent.saturating_sub(3), out);
    }
}

fn enclosed(expr: &Expr, indent: usize, out: &mut String) {
    out.push('(');
    line(indent + 2, out);
    put(expr, indent + 2, out);
    line(indent, out);
    out.push(')');
}

/// `list.filter(v, …).map(v, …).join(…)`: one call a line when there are several.
fn links(expr: &Expr, indent: usize, out: &mut String) {
    let mut base = expr;
    let mut calls = Vec::new();
    while let ExprKind::Macro { target, .. }
    | ExprKind::Call {
        target: Some(target),
        ..
    } = &base.kind
    {
        calls.push(base);
        base = target;
    }
    calls.reverse();
    if is_receiver(base) {
        put(base, indent, out);
    } else {
        out.push_str(&format!("({base})"));
    }
    let is_macro = |call: &&Expr| matches!(call.kind, ExprKind::Macro { .. });
    let several = calls.iter().copied().filter(|call| is_macro(call)).count() > 1;
    let indent = if several { indent + 2 } else { indent };
    let mut begun = false;
    for call in calls {
        begun |= is_macro(&call);
        if several && begun {
            line(indent, out);
        }
        let (name, vars, args): (&str, &[Box<str>], &[Expr]) = match &call.kind {
            ExprKind::Macro {
                kind, vars, args, ..
            } => (kind.name(vars.len()), vars, args),
            ExprKind::Call { function, args, .. } => (function, &[], args),
            _ => continue,
        };
        let head: String = vars.iter().map(|var| format!("{var}, ")).collect();
        let flat: Vec<String> = args.iter().map(ToString::to_string).collect();
        let flat = flat.join(", ");
        if name.len() + head.len() + flat.chars().count() + indent + 3 <= WIDTH || args.is_empty() {
            out.push_str(&format!(".{name}({head}{flat})"));
            continue;
        }
        out.push_str(&format!(".{name}({}", head.trim_end()));
        for (at, arg) in args.iter().enumerate() {
            line(indent + 2, out);
            put(arg, indent + 2, out);
            out.push_str(if at + 1 < args.len() { "," } else { "" });
        }
        line(indent, out);
        out.push(')');
    }
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::lay_out;

    #[test]
    fn every_expression_of_the_guide_reads_the_same() {
        let (guide, _) = crate::Guide::builtin();
        let mut broken = 0;
        for program in guide.guidelines.iter().flat_map(crate::Guideline::programs) {
            let text = lay_out(program.expr());
            broken += usize::from(text.contains('\n'));
            let again = cel::parse(&text).unwrap();
            assert_eq!(again.to_string(), program.expr().to_string(), "{text}");
        }
        assert!(broken > 50, "{broken}");
    }
}
