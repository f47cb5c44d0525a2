//! Fixes as lists of operations on routes; each language renders them in its own way.

use model::Safety;

/// What a machine can do about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// In order.
    pub operations: Vec<Operation>,
}

/// One edit. Values are YAML in flow style and may hold `{CEL}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Sets a value, making the maps on its way.
    Set {
        /// where
        route: Route,
        /// to what
        value: Box<str>,
    },
    /// Appends to a list what is not yet in it.
    Add {
        /// to which list
        route: Route,
        /// what
        value: Box<str>,
    },
    /// Removes a value with its key.
    Remove {
        /// where
        route: Route,
    },
    /// Replaces a key and its value by another key and value.
    Replace {
        /// what
        route: Route,
        /// by which entry
        entry: Box<str>,
    },
}

/// Where an operation works: a root (`object`, `pod`, `podMetadata`, `resource`, or the name of the item) and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// the first word
    pub root: Box<str>,
    /// the keys below it
    pub keys: Vec<Box<str>>,
}

/// Reads the operations of a fix block.
///
/// # Errors
/// A sentence that names the line that is not understood.
pub fn parse(info: &str, text: &str, item: Option<&str>) -> Result<Fix, String> {
    let safety = match info.split_whitespace().nth(1) {
        Some("safe") => Safety::Safe,
        Some("unsafe") => Safety::Unsafe,
        _ => return Err("a fix is `fix safe` or `fix unsafe`".to_owned()),
    };
    let mut operations = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        operations.push(operation(line, item).ok_or_else(|| {
            format!(
                "`{line}` is no operation: `set ROUTE to VALUE`, `add VALUE to ROUTE`, `remove ROUTE`, `replace ROUTE with KEY: VALUE`"
            )
        })?);
    }
    if operations.is_empty() {
        return Err("a fix without operations".to_owned());
    }
    Ok(Fix { safety, operations })
}

fn operation(line: &str, item: Option<&str>) -> Option<Operation> {
    let (verb, rest) = line.split_once(' ')?;
    let rest = rest.trim();
    match verb {
        "set" => {
            let (at, value) = rest.split_once(" to ")?;
            Some(Operation::Set {
                route: route(at, item)?,
                value: value.trim().into(),
            })
        }
        "add" => {
            let (value, at) = rest.rsplit_once(" to ")?;
            Some(Operation::Add {
                route: route(at, item)?,
                value: value.trim().into(),
            })
        }
        "remove" => Some(Operation::Remove {
            route: route(rest, item)?,
        }),
        "replace" => {
            let (at, entry) = rest.split_once(" with ")?;
            entry.contains(':').then_some(())?;
            Some(Operation::Replace {
                route: route(at, item)?,
                entry: entry.trim().into(),
            })
        }
        _ => None,
    }
}

fn route(text: &str, item: Option<&str>) -> Option<Route> {
    let mut keys = Vec::new();
    let mut rest = text.trim();
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (root, tail) = rest.split_at(end);
    if !["object", "pod", "podMetadata", "resource"].contains(&root) && Some(root) != item {
        return None;
    }
    rest = tail;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"").or_else(|| rest.strip_prefix("['")) {
            let close = quoted.find(['"', '\''])?;
            keys.push(quoted.get(..close)?.into());
            rest = quoted.get(close + 1..)?.strip_prefix(']')?;
        } else {
            let plain = rest.strip_prefix('.')?;
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (key, tail) = plain.split_at(end);
            if key.is_empty() {
                return None;
            }
            keys.push(key.into());
            rest = tail;
        }
    }
    Some(Route {
        root: root.into(),
        keys,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_operation() {
        let text = "set c.a.b to false\nadd \"ALL\" to c.drop\nremove object.metadata.annotations[\"a.b/c\"]\nreplace c.x with emptyDir: {}\n";
        let fix = parse("fix safe", text, Some("c")).unwrap();
        assert_eq!(fix.operations.len(), 4);
        assert_eq!(
            fix.operations[2],
            Operation::Remove {
                route: Route {
                    root: "object".into(),
                    keys: vec!["metadata".into(), "annotations".into(), "a.b/c".into()]
                }
            }
        );
    }

    #[test]
    fn refuses_a_route_that_starts_nowhere() {
        assert!(
            parse("fix safe", "remove x.y", Some("c"))
                .unwrap_err()
                .contains("`remove x.y` is no operation")
        );
    }
}
