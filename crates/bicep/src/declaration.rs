//! Changes of how a template declares a parameter, and how they are made in ARM JSON. Bicep has them in [`crate::edit`],
//! Terraform in its own crate.

use std::ops::Range;

use bumpalo::Bump;
use yaml::edit::{Operation, Step, Value};

use crate::json;
use crate::node::{Node, NodeKind};
use crate::source::FileId;

/// Nodes deeper than this declare no parameters.
const DEPTH: usize = 64;

/// What is done to a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declare {
    /// Its value is a secret.
    Secure,
    /// It has no value of its own.
    NoDefault,
}

/// What changes the declaration of a parameter, whose key stands at a place of a text without its byte order mark.
///
/// # Errors
/// Why it cannot be changed.
pub fn operations(
    text: &str,
    place: &Range<usize>,
    act: Declare,
) -> Result<Vec<Operation>, String> {
    let bump = Bump::new();
    let parsed = json::parse(&bump, text, FileId(0));
    let mut route = Vec::new();
    let declared = find(&parsed.root, place, &mut route, 0)
        .ok_or("the declaration of the parameter is not found")?;
    match act {
        Declare::NoDefault if declared.get("defaultValue").is_none() => Ok(Vec::new()),
        Declare::NoDefault => {
            route.push(Step::Key("defaultValue".into()));
            Ok(vec![Operation::Remove {
                route,
                prune: false,
            }])
        }
        Declare::Secure => {
            let own = declared.get("type").and_then(Node::as_str);
            let secure = match own.map(str::to_ascii_lowercase).as_deref() {
                Some("string") => "securestring",
                Some("object") => "secureObject",
                Some("securestring" | "secureobject") => return Ok(Vec::new()),
                _ => return Err("only a string or an object can be secure".to_owned()),
            };
            route.push(Step::Key("type".into()));
            Ok(vec![Operation::Set {
                route,
                value: Value::String(secure.to_owned()),
            }])
        }
    }
}

/// The value of the key at a place, and the way to it.
fn find<'n>(
    node: &'n Node<'n>,
    place: &Range<usize>,
    way: &mut Vec<Step>,
    depth: usize,
) -> Option<&'n Node<'n>> {
    if depth > DEPTH {
        return None;
    }
    for entry in node.entries() {
        way.push(Step::Key(entry.key.into()));
        let span = entry.key_span;
        if span.start as usize == place.start && span.end as usize == place.end {
            return Some(&entry.value);
        }
        if let Some(found) = find(&entry.value, place, way, depth + 1) {
            return Some(found);
        }
        way.pop();
    }
    if let NodeKind::Array(items) = node.kind {
        for (number, item) in items.iter().enumerate() {
            way.push(Step::Index(number));
            if let Some(found) = find(item, place, way, depth + 1) {
                return Some(found);
            }
            way.pop();
        }
    }
    None
}
