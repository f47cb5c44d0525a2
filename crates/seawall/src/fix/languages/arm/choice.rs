//! Values that `if(…)` chooses in an ARM template. The parameter that decides gets the other default, when the other
//! value is the one that is wanted. A value is not overwritten: two that are the same are no choice. It leaves out
//! templates within templates, whose parameters may be those of either.

use std::ops::Range;

use bicep::node::{Expr, ExprKind, Node, NodeKind};
use yaml::edit::{Operation, Step, Value};

/// The operation that makes `if` choose the wanted value instead of the one at a place.
pub(super) fn switched(
    root: &Node<'_>,
    whole: &Node<'_>,
    place: &Range<usize>,
    wanted: &Value,
) -> Option<Operation> {
    let NodeKind::Expr(expr) = whole.kind else {
        return None;
    };
    if is_nested(root, place) {
        return None;
    }
    let (condition, other, holds) = choice(expr, place)?;
    if literal(other)? != *wanted {
        return None;
    }
    let (name, wanted) = parameter(condition, !holds)?;
    let default = root.get("parameters")?.get(name)?.get("defaultValue")?;
    match default.kind {
        NodeKind::Bool(now) if now != wanted => Some(Operation::Set {
            route: ["parameters", name, "defaultValue"]
                .map(Step::from)
                .to_vec(),
            value: Value::Bool(wanted),
        }),
        _ => None,
    }
}

/// Whether a place is in a template within the template.
fn is_nested(root: &Node<'_>, place: &Range<usize>) -> bool {
    let within = |node: &Node<'_>| {
        node.span.start as usize <= place.start && place.end <= node.span.end as usize
    };
    let mut at = root;
    loop {
        let values = at.entries().iter().map(|entry| &entry.value);
        let Some(below) = values.chain(at.items()).find(|node| within(node)) else {
            return false;
        };
        if below.get("resources").is_some() {
            return true;
        }
        at = below;
    }
}

/// The condition of the innermost `if` that has a value at a place, its other value, and whether it chooses the one at
/// the place when the condition holds. The reader bounds how deep expressions are.
fn choice<'e, 'a>(
    expr: &'e Expr<'a>,
    place: &Range<usize>,
) -> Option<(&'e Expr<'a>, &'e Expr<'a>, bool)> {
    let is_there = |expr: &Expr<'_>| {
        expr.span.start as usize == place.start && expr.span.end as usize == place.end
    };
    match &expr.kind {
        ExprKind::Call {
            namespace: None,
            name,
            args: [condition, yes, no],
        } if name.eq_ignore_ascii_case("if") => {
            if is_there(yes) {
                return Some((condition, no, true));
            }
            if is_there(no) {
                return Some((condition, yes, false));
            }
            choice(yes, place).or_else(|| choice(no, place))
        }
        ExprKind::Call { args, .. } => args.iter().find_map(|arg| choice(arg, place)),
        ExprKind::Prop(base, _) => choice(base, place),
        ExprKind::Index(base, index) => choice(base, place).or_else(|| choice(index, place)),
        ExprKind::Str(_) | ExprKind::Int(_) | ExprKind::Float(_) => None,
    }
}

fn literal(expr: &Expr<'_>) -> Option<Value> {
    match &expr.kind {
        ExprKind::Str(text) => Some(Value::String((*text).to_owned())),
        ExprKind::Int(number) => Some(Value::Int(*number)),
        ExprKind::Call {
            namespace: None,
            name,
            args: [],
        } => match name.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        },
        _ => None,
    }
}

/// The parameter that a condition is, and what it must be for the condition to hold or not.
fn parameter<'a>(condition: &Expr<'a>, holds: bool) -> Option<(&'a str, bool)> {
    let ExprKind::Call {
        namespace: None,
        name,
        args: [only],
    } = &condition.kind
    else {
        return None;
    };
    match (&only.kind, name.to_ascii_lowercase().as_str()) {
        (ExprKind::Str(name), "parameters") => Some((*name, holds)),
        (_, "not") => parameter(only, !holds),
        _ => None,
    }
}
