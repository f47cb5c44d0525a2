//! Which literal is edited for a way from an expression: behind parentheses, `if`, loops, `any` and `union`.

use yaml::edit::Step;

use crate::syntax::{ArrayItem, Expression, ExpressionKind};

use super::plan::lookup;

/// What stands in parentheses, behind `if`, in a loop, in `any`.
pub(super) fn see_through(expression: Expression<'_>) -> Expression<'_> {
    let mut at = expression;
    loop {
        at = match at.kind {
            ExpressionKind::Parenthesized(inner) => *inner,
            ExpressionKind::If(of) => of.body,
            ExpressionKind::For(of) => of.body,
            ExpressionKind::FunctionCall(call) => match (call.name.name, call.arguments) {
                ("any", [only]) => *only,
                _ => return at,
            },
            _ => return at,
        };
    }
}

/// The literal that is edited for a way from an expression, and the way on from it: behind what is seen through, and
/// in `union(…)` the object that has the key, else the first one.
pub(super) fn nearest<'a, 's>(
    from: Expression<'a>,
    steps: &'s [Step],
    takes_away: bool,
) -> (Expression<'a>, &'s [Step]) {
    let mut nearest = (see_through(from), steps);
    let mut at = from;
    let mut rest = steps;
    loop {
        let mut seen = see_through(at);
        if let [Step::Key(key), ..] = rest {
            seen = of_union(seen, key);
        }
        if seen.span != at.inner().span && !(takes_away && rest.is_empty()) {
            nearest = (seen, rest);
        }
        let Some((step, next)) = rest.split_first() else {
            return nearest;
        };
        let below = match (seen.kind, step) {
            (ExpressionKind::Object(object), Step::Key(key)) => {
                let (found, _) = lookup(&object, key);
                found.map(|(_, property)| property.value)
            }
            (ExpressionKind::Array(items), Step::Index(index)) => match items.get(*index) {
                Some(ArrayItem::Item(item)) => Some(*item),
                _ => None,
            },
            _ => None,
        };
        let Some(below) = below else { return nearest };
        (at, rest) = (below, next);
    }
}

/// Of `union(…)` the object that says a key: the last one that has it, else the first one that is written.
fn of_union<'a>(expression: Expression<'a>, key: &str) -> Expression<'a> {
    let ExpressionKind::FunctionCall(call) = expression.kind else {
        return expression;
    };
    if call.name.name != "union" {
        return expression;
    }
    let mut chosen = None;
    for argument in call.arguments {
        let argument = see_through(*argument);
        if let ExpressionKind::Object(object) = argument.kind
            && (chosen.is_none() || lookup(&object, key).0.is_some())
        {
            chosen = Some(argument);
        }
    }
    chosen.unwrap_or(expression)
}
