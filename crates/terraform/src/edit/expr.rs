//! Edits within a value: of a literal, an item of a list, an entry of an object. What is computed
//! is never overwritten.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{
    Array, Expression, Object, ObjectKey, ObjectValue, ObjectValueAssignment,
    ObjectValueTerminator, UnaryOperator,
};
use yaml::edit::{Edit, Step, Value};

use super::body::{indent, line_end, line_start, newline, removed_lines};
use super::render::{Style, expression, inline, key, quoted};

/// Values deeper than this are followed no further.
const DEPTH: usize = 64;

/// What is done to the value at a route.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// It becomes this.
    Set(Value),
    /// The list gets this as well.
    Add(Value),
    /// It goes, with its key.
    Remove,
}

/// What to change so that a value is as wanted; nothing when it is.
pub(crate) type Changed = Result<Option<Edit>, String>;

/// Edits the value at a route within an expression.
pub(crate) fn edit(text: &str, expr: &Expression, route: &[Step], act: &Act) -> Changed {
    let inner = match expr {
        Expression::Parenthesis(inner) => Some(inner.inner()),
        Expression::FuncCall(call) if is_encoding(call) => call.args.iter().next(),
        _ => None,
    };
    if let Some(inner) = inner {
        return edit(text, inner, route, act);
    }
    match (expr, route, act) {
        (_, [], Act::Set(value)) => replace(text, expr, value),
        (Expression::Array(list), [], Act::Add(value)) => append(text, expr, list, value),
        (Expression::Null(_), [], Act::Add(value)) => {
            replace(text, expr, &Value::List(vec![value.clone()]))
        }
        (Expression::Object(object), [Step::Key(wanted), rest @ ..], _) => {
            within(text, expr, object, wanted, rest, act)
        }
        (Expression::Array(list), [Step::Index(at), rest @ ..], _) => match list.iter().nth(*at) {
            Some(_) if rest.is_empty() && *act == Act::Remove => remove_item(text, list, *at),
            Some(item) => edit(text, item, rest, act),
            None => Err("the list has no such item".to_owned()),
        },
        _ => Err(computed(text, expr)),
    }
}

/// `jsonencode({…})` and `jsondecode` of nothing else: what stands in it is what it says.
fn is_encoding(call: &hcl_edit::expr::FuncCall) -> bool {
    let plain = call.name.namespace.is_empty() && call.args.iter().count() == 1;
    plain && call.name.name.as_str() == "jsonencode"
}

fn computed(text: &str, expr: &Expression) -> String {
    format!("`{}` is computed", snippet(text, expr))
}

/// An expression as it is written, in short.
pub(crate) fn snippet(text: &str, expr: &Expression) -> String {
    let whole = expr.span().and_then(|span| text.get(span)).unwrap_or("…");
    let line = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 60 {
        let short: String = line.chars().take(57).collect();
        format!("{short}…")
    } else {
        line
    }
}

/// The value of an expression in which nothing is computed.
pub(crate) fn constant(expr: &Expression, depth: usize) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    Some(match expr {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::Number(number) => {
            let number = number.value();
            match number.as_i64() {
                Some(int) => Value::Int(int),
                None => Value::Float(number.as_f64()?),
            }
        }
        Expression::String(text) => Value::String(text.as_str().to_owned()),
        Expression::UnaryOp(unary) if *unary.operator.value() == UnaryOperator::Neg => {
            match constant(&unary.expr, depth + 1)? {
                Value::Int(value) => Value::Int(value.checked_neg()?),
                Value::Float(value) => Value::Float(-value),
                _ => return None,
            }
        }
        Expression::Array(items) => {
            let items = items.iter().map(|item| constant(item, depth + 1));
            Value::List(items.collect::<Option<_>>()?)
        }
        Expression::Object(object) => {
            let entries = object
                .iter()
                .map(|(key, value)| Some((key_text(key)?, constant(value.expr(), depth + 1)?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn key_text(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(Expression::Variable(name)) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(text)) => Some(text.as_str().to_owned()),
        ObjectKey::Expression(_) => None,
    }
}

/// How the lines are at an offset.
fn style(text: &str, offset: usize) -> Style {
    let line = text.get(line_start(text, offset)..).unwrap_or_default();
    let end = line
        .find(|next| !matches!(next, ' ' | '\t'))
        .unwrap_or(line.len());
    let indent = line.get(..end).unwrap_or_default();
    Style {
        unit: if indent.starts_with('\t') { "\t" } else { "  " },
        indent: indent.to_owned(),
        newline: newline(text, offset),
    }
}

fn replace(text: &str, expr: &Expression, value: &Value) -> Changed {
    let Some(span) = expr.span() else {
        return Err(computed(text, expr));
    };
    match constant(expr, 0) {
        Some(old) if old == *value => Ok(None),
        Some(_) => {
            let new = expression(value, &style(text, span.start));
            Ok(Some(put(span, new)))
        }
        None => Err(computed(text, expr)),
    }
}

fn put(range: Range<usize>, text: String) -> Edit {
    Edit {
        start: range.start,
        end: range.end,
        text,
    }
}

/// The inside of brackets.
fn inside(expr: &Expression) -> Option<Range<usize>> {
    let span = expr.span()?;
    Some(span.start + 1..span.end.checked_sub(1)?)
}

fn append(text: &str, expr: &Expression, list: &Array, value: &Value) -> Changed {
    if list
        .iter()
        .any(|item| constant(item, 0).as_ref() == Some(value))
    {
        return Ok(None);
    }
    let Some(inner) = inside(expr) else {
        return Err(computed(text, expr));
    };
    let last = list.iter().last().and_then(hcl_edit::Span::span);
    let Some(last) = last else {
        return Ok(Some(put(inner, inline(value, 0))));
    };
    let rest = text.get(last.end..inner.end).unwrap_or_default();
    if !rest.contains('\n') || indent(text, last.start).is_none() {
        return Ok(Some(put(
            last.end..last.end,
            format!(", {}", inline(value, 0)),
        )));
    }
    let style = style(text, last.start);
    let line = format!(
        "{}{}{}",
        style.newline,
        style.indent,
        expression(value, &style)
    );
    Ok(Some(if list.trailing_comma() {
        let end = line_end(text, last.end);
        put(end..end, format!("{line},"))
    } else {
        // The comment that may follow stays with its item.
        let end = line_end(text, last.end);
        let tail = text.get(last.end..end).unwrap_or_default();
        put(last.end..end, format!(",{tail}{line}"))
    }))
}

fn remove_item(text: &str, list: &Array, at: usize) -> Changed {
    let spans: Vec<Range<usize>> = list.iter().filter_map(hcl_edit::Span::span).collect();
    let Some(own) = spans.get(at) else {
        return Ok(None);
    };
    let next = spans.get(at + 1);
    let before = at.checked_sub(1).and_then(|at| spans.get(at));
    let alone = indent(text, own.start).is_some()
        && next.is_none_or(|next| indent(text, next.start).is_some());
    Ok(Some(match (before, next) {
        (_, Some(_)) if alone => removed_lines(text, own.clone()),
        (_, Some(next)) => put(own.start..next.start, String::new()),
        (Some(before), None) => put(before.end..own.end, String::new()),
        (None, None) => {
            let open = text.get(..own.start).and_then(|before| before.rfind('['));
            let rest = text.get(own.end..).unwrap_or_default();
            let close = rest.find(']').map(|at| own.end + at);
            match (open, close) {
                (Some(open), Some(close)) => put(open + 1..close, String::new()),
                _ => put(own.clone(), String::new()),
            }
        }
    }))
}

fn within(
    text: &str,
    expr: &Expression,
    object: &Object,
    wanted: &str,
    rest: &[Step],
    act: &Act,
) -> Changed {
    let found: Vec<(usize, &ObjectKey, &ObjectValue)> = object
        .iter()
        .enumerate()
        .filter(|(_, (key, _))| key_text(key).is_some_and(|text| text.eq_ignore_ascii_case(wanted)))
        .map(|(at, (key, value))| (at, key, value))
        .collect();
    match (found.as_slice(), act) {
        ([(at, key, value)], Act::Remove) if rest.is_empty() => {
            remove_entry(text, expr, object, *at, key, value)
        }
        ([(_, _, value)], _) => edit(text, value.expr(), rest, act),
        ([], Act::Remove) => Ok(None),
        ([], _) if object.iter().any(|(key, _)| key_text(key).is_none()) => {
            Err("its keys are computed".to_owned())
        }
        ([], Act::Set(value)) => insert(text, expr, object, wanted, made(rest, value.clone())?),
        ([], Act::Add(value)) => {
            let list = Value::List(vec![value.clone()]);
            insert(text, expr, object, wanted, made(rest, list)?)
        }
        _ => Err(format!("`{wanted}` stands there twice")),
    }
}

/// The maps on a way to a value.
fn made(rest: &[Step], value: Value) -> Result<Value, String> {
    rest.iter().rev().try_fold(value, |value, step| match step {
        Step::Key(key) => Ok(Value::Map(vec![(key.to_string(), value)])),
        Step::Index(_) => Err("the list has no such item".to_owned()),
    })
}

fn insert(text: &str, expr: &Expression, object: &Object, name: &str, value: Value) -> Changed {
    let Some(inner) = inside(expr) else {
        return Err(computed(text, expr));
    };
    let last = object
        .iter()
        .filter_map(|(key, value)| Some((key, value, value.expr().span()?)))
        .last();
    let Some((last_key, last_value, last_span)) = last else {
        let outer = style(text, inner.start);
        let deeper = outer.deeper();
        let entry = format!("{} = {}", key(name), expression(&value, &deeper));
        let new = format!(
            "{}{}{entry}{}{}",
            outer.newline, deeper.indent, outer.newline, outer.indent
        );
        return Ok(Some(put(inner, new)));
    };
    let is_quoted = matches!(last_key, ObjectKey::Expression(Expression::String(_)));
    let name = if is_quoted { quoted(name) } else { key(name) };
    let sign = match last_value.assignment() {
        ObjectValueAssignment::Colon if is_quoted => ":",
        ObjectValueAssignment::Colon => " :",
        ObjectValueAssignment::Equals => " =",
    };
    let whole = text.get(inner).unwrap_or_default();
    if !whole.contains('\n') {
        return Ok(Some(put(
            last_span.end..last_span.end,
            format!(", {name}{sign} {}", inline(&value, 0)),
        )));
    }
    let style = style(
        text,
        last_key.span().map_or(last_span.start, |span| span.start),
    );
    let line = format!(
        "{}{}{name}{sign} {}",
        style.newline,
        style.indent,
        expression(&value, &style)
    );
    let ended = last_value.terminator() == ObjectValueTerminator::Comma;
    let parted = object
        .iter()
        .any(|(_, value)| value.terminator() == ObjectValueTerminator::Comma);
    let end = line_end(text, last_span.end);
    let tail = text.get(last_span.end..end).unwrap_or_default();
    Ok(Some(if tail.contains('}') && !tail.contains(['#', '"']) {
        // The object ends on the line of its last entry.
        let comma = if parted { "," } else { "" };
        put(last_span.end..last_span.end, format!("{comma}{line}"))
    } else if ended {
        put(end..end, format!("{line},"))
    } else if parted {
        put(last_span.end..end, format!(",{tail}{line}"))
    } else {
        put(end..end, line)
    }))
}

fn remove_entry(
    text: &str,
    expr: &Expression,
    object: &Object,
    at: usize,
    key: &ObjectKey,
    value: &ObjectValue,
) -> Changed {
    let (Some(key), Some(value), Some(inner)) = (key.span(), value.expr().span(), inside(expr))
    else {
        return Err(computed(text, expr));
    };
    let entries: Vec<(Range<usize>, Range<usize>)> = object
        .iter()
        .filter_map(|(key, value)| Some((key.span()?, value.expr().span()?)))
        .collect();
    let next = entries.get(at + 1);
    let before = at.checked_sub(1).and_then(|at| entries.get(at));
    let tail = text
        .get(value.end..line_end(text, value.end))
        .unwrap_or_default();
    let alone = indent(text, key.start).is_some()
        && (next.is_some_and(|(next, _)| indent(text, next.start).is_some())
            || (next.is_none() && !tail.contains('}')));
    Ok(Some(match (before, next) {
        _ if alone => removed_lines(text, key.start..value.end),
        (_, Some((next, _))) => put(key.start..next.start, String::new()),
        (Some((_, before)), None) => put(before.end..value.end, String::new()),
        (None, None) => put(inner, String::new()),
    }))
}

#[cfg(test)]
mod tests {
    use super::{Act, edit};
    use yaml::edit::{Step, Value, apply};

    fn edited(value: &str, route: &[&str], act: &Act) -> Result<String, String> {
        let text = format!("v = {value}\n");
        let body = hcl_edit::parser::parse_body(&text).unwrap();
        let route: Vec<Step> = route
            .iter()
            .map(|step| step.parse().map_or_else(|_| Step::from(*step), Step::Index))
            .collect();
        let expr = &body.get_attribute("v").unwrap().value;
        let edit = edit(&text, expr, &route, act)?;
        let text = apply(&text, &edit.into_iter().collect::<Vec<_>>());
        let own = text
            .strip_prefix("v = ")
            .and_then(|text| text.get(..text.len() - 1));
        Ok(own.unwrap().to_owned())
    }

    #[test]
    fn values_are_set() {
        let set = |value: &str, route: &[&str]| edited(value, route, &Act::Set(Value::Bool(true)));
        for (value, route, expected) in [
            ("false", &[][..], "true"),
            ("null", &[], "true"),
            ("\"x\"", &[], "true"),
            ("{ a = 1 }", &["a"], "{ a = true }"),
            ("{ a = 1 }", &["b", "c"], "{ a = 1, b = { c = true } }"),
            ("{}", &["b", "c"], "{\n  b = {\n    c = true\n  }\n}"),
            ("{\n  a = 1 # x\n}", &["b"], "{\n  a = 1 # x\n  b = true\n}"),
            ("{\n  a = 1,\n}", &["b"], "{\n  a = 1,\n  b = true,\n}"),
            (
                "{\n  \"a\" : 1, # x\n  \"c\": 2 # y\n}",
                &["b"],
                "{\n  \"a\" : 1, # x\n  \"c\": 2, # y\n  \"b\": true\n}",
            ),
            (
                "{\n  a = { d = 1\n    c = 2 }\n}",
                &["A", "b"],
                "{\n  a = { d = 1\n    c = 2\n    b = true }\n}",
            ),
            (
                "jsonencode({ a = [{}, { b = 1 }] })",
                &["a", "1", "b"],
                "jsonencode({ a = [{}, { b = true }] })",
            ),
        ] {
            assert_eq!(set(value, route).as_deref(), Ok(expected), "{value}");
        }
        for value in [
            "var.x",
            "\"${var.x}\"",
            "f(1)",
            "[for x in y : x]",
            "a ? b : c",
            "[var.x]",
        ] {
            assert_eq!(set(value, &[]), Err(format!("`{value}` is computed")));
        }
    }

    #[test]
    fn lists_grow_and_shrink() {
        let add = |value: &str| edited(value, &[], &Act::Add(Value::Int(7)));
        for (value, expected) in [
            ("[]", "[7]"),
            ("[1, 2]", "[1, 2, 7]"),
            ("[7]", "[7]"),
            ("[\n    1,\n  ]", "[\n    1,\n    7,\n  ]"),
            ("[\n    1 # x\n  ]", "[\n    1, # x\n    7\n  ]"),
        ] {
            assert_eq!(add(value).as_deref(), Ok(expected));
        }
        for (value, route, expected) in [
            ("[1, 2, 3]", "1", "[1, 3]"),
            ("[1, 2]", "1", "[1]"),
            ("[1]", "0", "[]"),
            ("[\n  1, # x\n  2,\n]", "0", "[\n  2,\n]"),
            ("{ a = 1, b = 2 }", "a", "{ b = 2 }"),
            ("{ a = 1, b = 2 }", "b", "{ a = 1 }"),
            ("{ a = 1 }", "a", "{}"),
            ("{\n  a = 1\n  b = 2 # x\n}", "b", "{\n  a = 1\n}"),
            ("{\n  a = 1\n}", "c", "{\n  a = 1\n}"),
        ] {
            let removed = edited(value, &[route], &Act::Remove);
            assert_eq!(removed.as_deref(), Ok(expected), "{value}");
        }
    }
}
