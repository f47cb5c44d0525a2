//! What remains of a condition, in words.

use super::{Attribute, Comparison, Expression};

/// More values than these are counted, not listed.
const SHOWN: usize = 4;

pub(super) fn say(expression: &Expression, role: &dyn Fn(&str) -> Option<String>) -> String {
    match expression {
        Expression::Or(parts) => joined(parts, " or ", role),
        Expression::And(parts) => joined(parts, " and ", role),
        Expression::Not(inner) => match &**inner {
            Expression::Exists(attribute) => format!("{} is not there", subject(attribute)),
            other => format!("not ({})", say(other, role)),
        },
        Expression::Action(pattern) => format!("the action is `{pattern}`"),
        Expression::SubOperation(name) => format!("the operation is `{name}`"),
        Expression::Exists(attribute) => format!("{} is there", subject(attribute)),
        Expression::Compare(comparison) => compared(comparison, role),
    }
}

fn joined(parts: &[Expression], word: &str, role: &dyn Fn(&str) -> Option<String>) -> String {
    let said: Vec<String> = parts
        .iter()
        .map(|part| match part {
            Expression::Or(_) | Expression::And(_) => format!("({})", say(part, role)),
            _ => say(part, role),
        })
        .collect();
    said.join(word)
}

fn subject(attribute: &Attribute) -> String {
    let key = attribute
        .name
        .rsplit_once(':')
        .map_or(&*attribute.name, |(_, key)| key);
    let of_assignment = attribute
        .name
        .to_ascii_lowercase()
        .starts_with("microsoft.authorization/roleassignments:");
    match key.to_ascii_lowercase().as_str() {
        "roledefinitionid" if of_assignment => "the role".to_owned(),
        "principaltype" if of_assignment => "the kind of principal".to_owned(),
        "principalid" if of_assignment => "the principal".to_owned(),
        _ => format!("`@{}[{}]`", attribute.source, attribute.name),
    }
}

fn compared(comparison: &Comparison, role: &dyn Fn(&str) -> Option<String>) -> String {
    let subject = subject(&comparison.attribute);
    if let Some(other) = &comparison.other {
        return format!(
            "{subject} {} `@{}[{}]`",
            comparison.operator, other.source, other.name
        );
    }
    let mut values: Vec<String> = comparison
        .values
        .iter()
        .take(SHOWN)
        .map(|value| format!("`{}`", role(value).unwrap_or_else(|| value.to_string())))
        .collect();
    let more = comparison.values.len().saturating_sub(SHOWN);
    if more > 0 {
        values.push(format!("{more} more"));
    }
    let list = match values.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => "nothing".to_owned(),
    };
    let several = comparison.values.len() > 1;
    let one_of = if several { "one of " } else { "" };
    let none_of = if several { "none of " } else { "not " };
    match comparison.operator.to_ascii_lowercase().as_str() {
        "guidequals" | "stringequals" | "stringequalsignorecase" | "boolequals" => {
            format!("{subject} is {one_of}{list}")
        }
        "guidnotequals" | "stringnotequals" | "stringnotequalsignorecase" | "boolnotequals" => {
            format!("{subject} is {none_of}{list}")
        }
        "stringlike" | "stringlikeignorecase" => format!("{subject} is like {list}"),
        "stringstartswith" | "stringstartswithignorecase" => {
            format!("{subject} begins with {list}")
        }
        _ => format!("{subject} {} {list}", comparison.operator),
    }
}
