//! Fixes as lists of operations on routes, which each language renders in its own way, and new objects beside.

pub mod object;

use std::ops::Range;

use cel::Program;
use model::Safety;

use self::object::Object;
use crate::beside::{self, Writer};

/// What a machine can do about a finding.
#[derive(Debug)]
pub struct Fix {
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// Where this is not true, a machine has nothing to offer.
    pub when: Option<Box<Program>>,
    /// Where this is true, it must not be done, and why.
    pub unless: Option<(Box<Program>, Box<str>)>,
    /// In order.
    pub operations: Vec<Operation>,
    /// Objects that are missing, in order.
    pub new: Vec<New>,
    /// It cures the findings of these of the guideline's checks: those between the fixes before it and it.
    pub checks: Range<usize>,
}

/// An object that is missing.
#[derive(Debug)]
pub enum New {
    /// As the guideline writes it.
    Written(Object),
    /// What an analysis of the estate writes.
    From(&'static Writer),
}

/// One edit.
#[derive(Debug)]
pub enum Operation {
    /// Sets a value, making the maps on its way.
    Set {
        /// where
        route: Route,
        /// to what
        value: Given,
    },
    /// Appends to a list what is not yet in it.
    Add {
        /// to which list
        route: Route,
        /// what
        value: Given,
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
        /// by which key
        key: Box<str>,
        /// and its value, YAML in flow style
        value: Box<str>,
    },
}

/// A value as a guideline gives it.
#[derive(Debug)]
pub enum Given {
    /// YAML in flow style.
    Written(Box<str>),
    /// What an expression gives, and the expression as written.
    Computed(Box<Program>, Box<str>),
}

/// Where an operation works: a root (`object`, `pod`, `podMetadata`, `resource`, or the name of the item) and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// the first word
    pub root: Box<str>,
    /// the keys below it
    pub keys: Vec<Box<str>>,
}

impl Fix {
    /// The expressions that it computes values with.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let computed = self.operations.iter().filter_map(|operation| {
            let (Operation::Set { value, .. } | Operation::Add { value, .. }) = operation else {
                return None;
            };
            match value {
                Given::Written(_) => None,
                Given::Computed(program, _) => Some(&**program),
            }
        });
        let written = self.new.iter().filter_map(|new| match new {
            New::Written(object) => Some(object.programs()),
            New::From(_) => None,
        });
        self.when
            .iter()
            .map(|when| &**when)
            .chain(self.unless.iter().map(|(unless, _)| &**unless))
            .chain(computed)
            .chain(written.flatten())
    }
}

/// Reads the operations of a fix block. `compile` compiles the expressions in it.
///
/// # Errors
/// A sentence that names the line that is not understood.
pub fn parse(
    info: &str,
    text: &str,
    item: Option<&str>,
    compile: &mut dyn FnMut(&str) -> Result<Program, String>,
) -> Result<Fix, String> {
    let safety = match info.split_whitespace().nth(1) {
        Some("safe") => Safety::Safe,
        Some("unsafe") => Safety::Unsafe,
        _ => return Err("a fix is `fix safe` or `fix unsafe`".to_owned()),
    };
    let (text, object) = beside_of(text);
    let mut operations = Vec::new();
    let mut new = Vec::new();
    let (mut when, mut unless) = (None, None);
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(name) = line.strip_prefix("new from ") {
            new.push(New::From(beside::writer(name.trim())?));
            continue;
        }
        if let Some(rest) = line.strip_prefix("unless ") {
            let (condition, why) = rest.split_once(" because ").ok_or_else(|| {
                format!("`{line}` says no reason: `unless EXPRESSION because REASON`")
            })?;
            let program =
                compile(condition.trim()).map_err(|error| format!("in `{line}`: {error}"))?;
            if unless
                .replace((Box::new(program), why.trim().into()))
                .is_some()
            {
                return Err("a fix has one `unless`".to_owned());
            }
            continue;
        }
        if let Some(condition) = line.strip_prefix("when ") {
            let program =
                compile(condition.trim()).map_err(|error| format!("in `{line}`: {error}"))?;
            if when.replace(Box::new(program)).is_some() {
                return Err("a fix has one `when`".to_owned());
            }
            continue;
        }
        let read = operation(line, item).ok_or_else(|| {
            format!(
                "`{line}` is no operation: `set ROUTE to VALUE`, `set ROUTE from EXPRESSION`, `add VALUE to ROUTE`, `remove ROUTE`, `replace ROUTE with KEY: VALUE`, `new from ANALYSIS`, `new` above the YAML of an object"
            )
        })?;
        operations.push(match read {
            Read::Whole(operation) => operation,
            Read::SetFrom(route, expression) => Operation::Set {
                route,
                value: Given::Computed(
                    Box::new(compile(expression).map_err(|error| format!("in `{line}`: {error}"))?),
                    expression.into(),
                ),
            },
        });
    }
    if let Some(object) = object {
        new.push(New::Written(Object::compile(object, compile)?));
    }
    if operations.is_empty() && new.is_empty() {
        return Err("a fix without operations and without a new object".to_owned());
    }
    Ok(Fix {
        safety,
        when,
        unless,
        operations,
        new,
        checks: 0..usize::MAX,
    })
}

/// The operations of a fix, and the YAML of the object that it makes, which stands below the line `new`.
fn beside_of(text: &str) -> (&str, Option<&str>) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim() == "new" {
            return (text.get(..at).unwrap_or_default(), text.get(end..));
        }
        at = end;
    }
    (text, None)
}

/// A line that was read: an operation, or one whose value is yet to be compiled.
enum Read<'t> {
    Whole(Operation),
    SetFrom(Route, &'t str),
}

fn operation<'t>(line: &'t str, item: Option<&str>) -> Option<Read<'t>> {
    let (verb, rest) = line.split_once(' ')?;
    let rest = rest.trim();
    let written = |text: &str| Given::Written(text.trim().into());
    Some(Read::Whole(match verb {
        "set" => {
            let (at, rest) = rest.split_once(' ')?;
            let (word, value) = rest.trim().split_once(' ')?;
            let at = route(at, item)?;
            match word {
                "to" => Operation::Set {
                    route: at,
                    value: written(value),
                },
                "from" => return Some(Read::SetFrom(at, value.trim())),
                _ => return None,
            }
        }
        "add" => {
            let (value, at) = rest.rsplit_once(" to ")?;
            Operation::Add {
                route: route(at, item)?,
                value: written(value),
            }
        }
        "remove" => Operation::Remove {
            route: route(rest, item)?,
        },
        "replace" => {
            let (at, entry) = rest.split_once(" with ")?;
            let (key, value) = entry.split_once(':')?;
            Operation::Replace {
                route: route(at, item)?,
                key: key.trim().into(),
                value: value.trim().into(),
            }
        }
        _ => return None,
    }))
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

    fn compile(text: &str) -> Result<Program, String> {
        let mut env = cel::Env::default();
        env.compile_in(text, &["c"])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_operation() {
        let text = "set c.a.b to false\nset c.d from c.a + \" to \"\nadd \"ALL\" to c.drop\nremove object.metadata.annotations[\"a.b/c\"]\nreplace c.x with emptyDir: {}\n";
        let fix = parse("fix safe", text, Some("c"), &mut compile).unwrap();
        assert_eq!(fix.operations.len(), 5);
        let Operation::Set {
            value: Given::Computed(_, expression),
            ..
        } = &fix.operations[1]
        else {
            panic!("{:?}", fix.operations[1]);
        };
        assert_eq!(&**expression, "c.a + \" to \"");
        let Operation::Remove { route } = &fix.operations[3] else {
            panic!("{:?}", fix.operations[3]);
        };
        assert_eq!(&*route.root, "object");
        assert_eq!(
            route.keys,
            ["metadata".into(), "annotations".into(), Box::from("a.b/c")]
        );
        let Operation::Replace { key, value, .. } = &fix.operations[4] else {
            panic!("{:?}", fix.operations[4]);
        };
        assert_eq!((&**key, &**value), ("emptyDir", "{}"));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, says) in [
            ("remove x.y", "`remove x.y` is no operation"),
            ("set c.a towards 1", "is no operation"),
            ("set c.a from c.", "in `set c.a from c.`"),
        ] {
            let error = parse("fix safe", text, Some("c"), &mut compile).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
