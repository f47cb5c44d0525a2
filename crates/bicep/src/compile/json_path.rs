//! JSON paths, as far as the official compiler's own library has them: names, numbers, `*`, `..`
//! and filters with one comparison.

use std::cmp::Ordering;

use crate::node::{Node, NodeKind};

use super::expr::Maker;

/// How many values a path may lead to.
const MAX_VALUES: usize = 100_000;

/// What a path selects: a value, or a list of all when there are more.
pub(crate) fn selected<'a>(
    make: Maker<'a>,
    root: Node<'a>,
    path: Option<&str>,
) -> Result<Node<'a>, String> {
    let Some(path) = path else {
        return Ok(root);
    };
    match select(root, path).as_deref() {
        Some([only]) => Ok(*only),
        Some(all @ [_, ..]) => Ok(make.array(root.span, all)),
        _ => Err(format!("`{path}` selects nothing")),
    }
}

fn select<'a>(root: Node<'a>, path: &str) -> Option<Vec<Node<'a>>> {
    let mut at = vec![root];
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[?(") {
            let (filter, after) = after.split_once(")]")?;
            at = all(&at).filter(|node| holds(node, filter)).collect();
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']')?;
            let inside = inside.trim();
            at = match inside.parse::<usize>() {
                Ok(number) => at
                    .iter()
                    .filter_map(|node| node.items().get(number).copied())
                    .collect(),
                Err(_) if inside == "*" => all(&at).collect(),
                Err(_) => members(&at, inside.trim_matches(['\'', '"'])),
            };
            rest = after;
        } else {
            let deep = rest.starts_with("..");
            rest = rest.trim_start_matches('.');
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if deep {
                at = below(&at);
            }
            at = match name {
                "" => return None,
                "*" => all(&at).collect(),
                name => members(&at, name),
            };
            rest = after;
        }
        at.truncate(MAX_VALUES);
    }
    Some(at)
}

/// The values directly inside lists and maps.
fn all<'n, 'a: 'n>(of: &'n [Node<'a>]) -> impl Iterator<Item = Node<'a>> + 'n {
    of.iter().flat_map(|node| {
        let entries = node.entries().iter().map(|entry| entry.value);
        node.items().iter().copied().chain(entries)
    })
}

/// Values with all that is in them.
fn below<'a>(of: &[Node<'a>]) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    let mut open: Vec<Node<'a>> = of.iter().rev().copied().collect();
    while let Some(next) = open.pop() {
        if found.len() >= MAX_VALUES {
            break;
        }
        found.push(next);
        let inside: Vec<_> = all(&[next]).collect();
        open.extend(inside.into_iter().rev());
    }
    found
}

fn members<'a>(of: &[Node<'a>], key: &str) -> Vec<Node<'a>> {
    of.iter().filter_map(|node| member(node, key)).collect()
}

fn member<'a>(of: &Node<'a>, key: &str) -> Option<Node<'a>> {
    of.entries()
        .iter()
        .find(|entry| entry.key == key)
        .map(|entry| entry.value)
}

/// `@.price > 3`, `@.name == 'x'`, `@.name`
fn holds(node: &Node<'_>, filter: &str) -> bool {
    let operator = ["==", "!=", ">=", "<=", ">", "<"]
        .into_iter()
        .find(|operator| filter.contains(operator));
    let (path, wanted) = match operator.and_then(|operator| filter.split_once(operator)) {
        Some((path, wanted)) => (path, Some(wanted.trim())),
        None => (filter, None),
    };
    let mut at = Some(*node);
    for name in path.trim().trim_start_matches('@').split('.') {
        if !name.is_empty() {
            at = at.and_then(|node| member(&node, name));
        }
    }
    let (Some(found), Some(wanted)) = (at, wanted) else {
        return at.is_some() && wanted.is_none();
    };
    let order = compare(&found, wanted);
    match operator {
        Some("==") => order == Some(Ordering::Equal),
        Some("!=") => order != Some(Ordering::Equal),
        Some(">=") => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Some("<=") => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Some(">") => order == Some(Ordering::Greater),
        _ => order == Some(Ordering::Less),
    }
}

fn compare(found: &Node<'_>, wanted: &str) -> Option<Ordering> {
    let number = match found.kind {
        NodeKind::Int(value) => Some(value as f64),
        NodeKind::Float(value) => Some(value),
        _ => None,
    };
    match (found.kind, number) {
        (_, Some(number)) => number.partial_cmp(&wanted.parse::<f64>().ok()?),
        (NodeKind::Str(text), _) => Some(text.cmp(wanted.trim_matches(['\'', '"']))),
        (NodeKind::Bool(value), _) => Some(value.to_string().as_str().cmp(wanted)),
        (NodeKind::Null, _) => (wanted == "null").then_some(Ordering::Equal),
        _ => None,
    }
}
