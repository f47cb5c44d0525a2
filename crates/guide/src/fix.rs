//! Fixes as lists of operations on routes, which each language renders in its own way, and new objects beside.

pub mod added;
pub mod object;

use std::ops::Range;

use cel::Program;
use model::Safety;

use self::added::Added;
use self::object::Object;
use crate::answers::Asks;
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
    /// What only the owner knows.
    pub asks: Vec<Asks>,
    /// Other resources that it changes or refers to.
    pub with: Vec<With>,
    /// Places that operations are repeated for.
    pub each: Option<Box<Places>>,
    /// In order.
    pub operations: Vec<Operation>,
    /// Objects that are missing, in order.
    pub new: Vec<New>,
    /// Which of the guideline's checks it cures findings of. Of several fixes for a check the first counts that has
    /// something to offer.
    pub checks: Range<usize>,
}

/// An object that is missing.
#[derive(Debug)]
pub enum New {
    /// As the guideline writes it.
    Written(Object),
    /// A resource of Azure, as the guideline writes it.
    Azure(Added),
    /// What an analysis of the estate writes.
    From(&'static Writer),
}

/// Checks whose findings no machine can cure.
#[derive(Debug)]
pub struct ByHand {
    /// Which of the guideline's.
    pub checks: Range<usize>,
    /// What a person has to decide or do.
    pub why: Box<str>,
}

/// Another resource that a fix changes or refers to.
#[derive(Debug)]
pub struct With {
    /// what gives it: an Azure resource, or an id
    pub program: Program,
    /// what it is called
    pub name: Box<str>,
    /// why nothing is offered where there is none
    pub why: Box<str>,
}

/// A list, for each item of which operations on routes with its name are done.
#[derive(Debug)]
pub struct Places {
    /// what gives the items: values of the document, or keys of maps in it
    pub program: Program,
    /// what an item is called
    pub name: Box<str>,
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
    /// Puts a map deeper: it becomes a part of the value that comes in its place.
    Wrap {
        /// which
        route: Route,
        /// the keys that lead to it then
        within: Box<[Box<str>]>,
        /// what comes in its place, without it
        around: Given,
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

/// Where an operation works: a root (`object`, `pod`, `podMetadata`, `resource`, or the name of an item) and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// the first word
    pub root: Box<str>,
    /// the keys below it
    pub keys: Vec<Key>,
}

/// A step below a route's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// as written
    Written(Box<str>),
    /// the item of the fix's list, a text, whose name this is
    Item(Box<str>),
}

impl Route {
    /// Whether it hangs on the item of the fix's own list.
    pub(crate) fn names(&self, item: &str) -> bool {
        *self.root == *item || self.keys.iter().any(|key| matches!(key, Key::Item(_)))
    }
}

impl Fix {
    /// The expressions that it computes values with.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let computed = self.operations.iter().filter_map(|operation| {
            let (Operation::Set { value, .. }
            | Operation::Add { value, .. }
            | Operation::Wrap { around: value, .. }) = operation
            else {
                return None;
            };
            match value {
                Given::Written(_) => None,
                Given::Computed(program, _) => Some(&**program),
            }
        });
        let written = self.new.iter().filter_map(|new| match new {
            New::Written(object) => Some(object.programs()),
            New::Azure(_) | New::From(_) => None,
        });
        let azure = self.new.iter().filter_map(|new| match new {
            New::Azure(added) => Some(added.programs()),
            New::Written(_) | New::From(_) => None,
        });
        self.when
            .iter()
            .map(|when| &**when)
            .chain(self.unless.iter().map(|(unless, _)| &**unless))
            .chain(self.asks.iter().flat_map(Asks::programs))
            .chain(self.with.iter().map(|with| &with.program))
            .chain(self.each.iter().map(|each| &each.program))
            .chain(computed)
            .chain(written.flatten())
            .chain(azure.flatten())
    }
}

impl Operation {
    /// Where it works.
    #[must_use]
    pub fn route(&self) -> &Route {
        match self {
            Self::Set { route, .. }
            | Self::Add { route, .. }
            | Self::Remove { route }
            | Self::Replace { route, .. }
            | Self::Wrap { route, .. } => route,
        }
    }
}

/// Compiles an expression, in which the item of the fix's own list may have a name.
pub type Compile<'c> = dyn FnMut(&str, Option<&str>) -> Result<Program, String> + 'c;

/// Reads the operations of a fix block. `item` is the name of the guideline's own items.
///
/// # Errors
/// A sentence that names the line that is not understood.
pub fn parse(
    info: &str,
    text: &str,
    item: Option<&str>,
    compile: &mut Compile<'_>,
) -> Result<Fix, String> {
    let safety = match info.split_whitespace().nth(1) {
        Some("safe") => Safety::Safe,
        Some("unsafe") => Safety::Unsafe,
        _ => return Err("a fix is `fix safe` or `fix unsafe`".to_owned()),
    };
    let (text, objects) = beside_of(text);
    let mut fix = Fix {
        safety,
        when: None,
        unless: None,
        asks: Vec::new(),
        with: Vec::new(),
        each: None,
        operations: Vec::new(),
        new: Vec::new(),
        checks: 0..usize::MAX,
    };
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        fix.line(line, item, compile)?;
    }
    for object in objects {
        let mut compile = |text: &str| compile(text, None);
        fix.new.push(if added::is_azure(object) {
            let with = fix.with.iter().map(|with| &*with.name);
            let before = fix.new.iter().filter_map(|new| match new {
                New::Azure(added) => Some(&*added.symbol),
                New::Written(_) | New::From(_) => None,
            });
            let names: Vec<&str> = std::iter::once("resource").chain(with).collect();
            let before: Vec<&str> = before.collect();
            New::Azure(Added::compile(object, &names, &before, &mut compile)?)
        } else {
            New::Written(Object::compile(object, &mut compile)?)
        });
    }
    if fix.operations.is_empty() && fix.new.is_empty() {
        return Err("a fix without operations and without a new object".to_owned());
    }
    Ok(fix)
}

impl Fix {
    fn line(
        &mut self,
        line: &str,
        item: Option<&str>,
        compile: &mut Compile<'_>,
    ) -> Result<(), String> {
        let within = |error: String| format!("in `{line}`: {error}");
        if let Some(condition) = line.strip_prefix("when ") {
            let program = compile(condition.trim(), None).map_err(within)?;
            return match self.when.replace(Box::new(program)) {
                Some(_) => Err("a fix has one `when`".to_owned()),
                None => Ok(()),
            };
        }
        if let Some(name) = line.strip_prefix("new from ") {
            self.new.push(New::From(beside::writer(name.trim())?));
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("unless ") {
            let (condition, why) = rest.split_once(" because ").ok_or_else(|| {
                format!("`{line}` says no reason: `unless EXPRESSION because REASON`")
            })?;
            let program = compile(condition.trim(), None).map_err(within)?;
            let unless = (Box::new(program), why.trim().into());
            return match self.unless.replace(unless) {
                Some(_) => Err("a fix has one `unless`".to_owned()),
                None => Ok(()),
            };
        }
        if let Some(rest) = line.strip_prefix("ask ") {
            let ask = asks(rest, &mut |text| compile(text, None)).map_err(within)?;
            self.asks.push(ask);
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("with ") {
            let wrong = || format!("`{line}` must be `with EXPRESSION as NAME because REASON`");
            let (rest, why) = rest.split_once(" because ").ok_or_else(wrong)?;
            let (source, name) = split_each(rest).ok_or_else(wrong)?;
            if item == Some(name) || ROOTS.contains(&name) {
                return Err(within(format!("`{name}` means something else already")));
            }
            let program = compile(source, None).map_err(within)?;
            self.with.push(With {
                program,
                name: name.into(),
                why: why.trim().into(),
            });
            return Ok(());
        }
        if let Some(each) = line.strip_prefix("each ") {
            let (source, name) = split_each(each)
                .ok_or_else(|| format!("`{line}` must be `each EXPRESSION as NAME`"))?;
            if item == Some(name) || ROOTS.contains(&name) {
                return Err(within(format!("`{name}` means something else already")));
            }
            if self.each.is_some() || !self.operations.is_empty() {
                return Err("a fix has one `each`, before its operations".to_owned());
            }
            let program = compile(source, None).map_err(within)?;
            self.each = Some(Box::new(Places {
                program,
                name: name.into(),
            }));
            return Ok(());
        }
        let own = self.each.as_ref().map(|each| &*each.name);
        let names = Names {
            item,
            own,
            with: &self.with,
        };
        let read = operation(line, names).ok_or_else(|| {
            format!(
                "`{line}` is no operation: `set ROUTE to VALUE`, `set ROUTE from EXPRESSION`, `add VALUE to ROUTE`, `add from EXPRESSION to ROUTE`, `remove ROUTE`, `replace ROUTE with KEY: VALUE`, `wrap ROUTE as KEYS in EXPRESSION`, `new from ANALYSIS`, `new` above the YAML of an object or an Azure resource"
            )
        })?;
        let mut computed = |expression: &str| {
            let program = compile(expression, own).map_err(within)?;
            Ok::<_, String>(Given::Computed(Box::new(program), expression.into()))
        };
        self.operations.push(match read {
            Read::Whole(operation) => operation,
            Read::SetFrom(route, expression) => Operation::Set {
                route,
                value: computed(expression)?,
            },
            Read::AddFrom(expression, route) => Operation::Add {
                route,
                value: computed(expression)?,
            },
            Read::WrapIn(route, within, expression) => Operation::Wrap {
                route,
                within,
                around: computed(expression)?,
            },
        });
        Ok(())
    }
}

/// `EXPRESSION as NAME`.
pub(crate) fn split_each(each: &str) -> Option<(&str, &str)> {
    let (source, name) = each.rsplit_once(" as ")?;
    let name = name.trim();
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then_some((source.trim(), name))
}

/// `NAME for EXPRESSION else EXPRESSION`, of which the name is needed.
fn asks(
    text: &str,
    compile: &mut dyn FnMut(&str) -> Result<Program, String>,
) -> Result<Asks, String> {
    let (text, known) = match text.split_once(" else ") {
        Some((text, known)) => (text, Some(compile(known.trim())?)),
        None => (text, None),
    };
    let (name, about) = match text.split_once(" for ") {
        Some((name, about)) => (name, Some(compile(about.trim())?)),
        None => (text, None),
    };
    let name = name.trim();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("`ask NAME`, `ask NAME for EXPRESSION`, `… else EXPRESSION`".to_owned());
    }
    Ok(Asks {
        name: name.into(),
        about,
        known,
    })
}

/// What a route may begin with, whatever the guideline.
const ROOTS: [&str; 4] = ["object", "pod", "podMetadata", "resource"];

/// Names of items: the guideline's, the fix's own.
#[derive(Debug, Clone, Copy)]
struct Names<'n> {
    item: Option<&'n str>,
    own: Option<&'n str>,
    with: &'n [With],
}

/// The operations of a fix, and the YAML of the objects that it makes, each of which stands below a line `new`.
fn beside_of(text: &str) -> (&str, Vec<&str>) {
    let mut parts = Vec::new();
    let (mut at, mut start) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_end() == "new" {
            parts.push(text.get(start..at).unwrap_or_default());
            start = end;
        }
        at = end;
    }
    parts.push(text.get(start..).unwrap_or_default());
    (parts.remove(0), parts)
}

/// A line that was read: an operation, or one whose value is yet to be compiled.
enum Read<'t> {
    Whole(Operation),
    SetFrom(Route, &'t str),
    AddFrom(&'t str, Route),
    WrapIn(Route, Box<[Box<str>]>, &'t str),
}

fn operation<'t>(line: &'t str, names: Names<'_>) -> Option<Read<'t>> {
    let (verb, rest) = line.split_once(' ')?;
    let rest = rest.trim();
    let written = |text: &str| Given::Written(text.trim().into());
    Some(Read::Whole(match verb {
        "set" => {
            let (at, rest) = rest.split_once(' ')?;
            let (word, value) = rest.trim().split_once(' ')?;
            let at = route(at, names)?;
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
            let at = route(at, names)?;
            if let Some(expression) = value.strip_prefix("from ") {
                return Some(Read::AddFrom(expression.trim(), at));
            }
            Operation::Add {
                route: at,
                value: written(value),
            }
        }
        "wrap" => {
            let (at, rest) = rest.split_once(" as ")?;
            let (keys, around) = rest.split_once(" in ")?;
            let keys = keys.trim().split('.').map(Into::into).collect();
            return Some(Read::WrapIn(route(at, names)?, keys, around.trim()));
        }
        "remove" => Operation::Remove {
            route: route(rest, names)?,
        },
        "replace" => {
            let (at, entry) = rest.split_once(" with ")?;
            let (key, value) = entry.split_once(':')?;
            Operation::Replace {
                route: route(at, names)?,
                key: key.trim().into(),
                value: value.trim().into(),
            }
        }
        _ => return None,
    }))
}

fn route(text: &str, names: Names<'_>) -> Option<Route> {
    let mut keys = Vec::new();
    let mut rest = text.trim();
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (root, tail) = rest.split_at(end);
    let is_other = names.with.iter().any(|with| *with.name == *root);
    if !ROOTS.contains(&root) && ![names.item, names.own].contains(&Some(root)) && !is_other {
        return None;
    }
    rest = tail;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"").or_else(|| rest.strip_prefix("['")) {
            let close = quoted.find(['"', '\''])?;
            keys.push(Key::Written(quoted.get(..close)?.into()));
            rest = quoted.get(close + 1..)?.strip_prefix(']')?;
        } else if let Some(name) = rest.strip_prefix('[') {
            let close = name.find(']')?;
            let (name, tail) = name.split_at(close);
            if names.own != Some(name) {
                return None;
            }
            keys.push(Key::Item(name.into()));
            rest = tail.strip_prefix(']')?;
        } else {
            let plain = rest.strip_prefix('.')?;
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (key, tail) = plain.split_at(end);
            if key.is_empty() {
                return None;
            }
            keys.push(Key::Written(key.into()));
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

    fn compile(text: &str, own: Option<&str>) -> Result<Program, String> {
        let mut env = cel::Env::default();
        let names: Vec<&str> = ["c"].into_iter().chain(own).collect();
        env.compile_in(text, &names)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_operation() {
        let text = "set c.a.b to false\nset c.d from c.a + \" to \"\nadd \"ALL\" to c.drop\nadd from c.a + [1] to c.e\nremove object.metadata.annotations[\"a.b/c\"]\nreplace c.x with emptyDir: {}\n";
        let fix = parse("fix safe", text, Some("c"), &mut compile).unwrap();
        assert_eq!(fix.operations.len(), 6);
        let Operation::Set {
            value: Given::Computed(_, expression),
            ..
        } = &fix.operations[1]
        else {
            panic!("{:?}", fix.operations[1]);
        };
        assert_eq!(&**expression, "c.a + \" to \"");
        let Operation::Remove { route } = &fix.operations[4] else {
            panic!("{:?}", fix.operations[4]);
        };
        assert_eq!(&*route.root, "object");
        assert_eq!(
            route.keys,
            ["metadata", "annotations", "a.b/c"].map(|key| Key::Written(key.into()))
        );
        let Operation::Replace { key, value, .. } = &fix.operations[5] else {
            panic!("{:?}", fix.operations[5]);
        };
        assert_eq!((&**key, &**value), ("emptyDir", "{}"));
    }

    #[test]
    fn repeats_operations_for_items_of_a_list() {
        let text = "each c.ports.filter(p, p.hostPort != 0) as p\nremove p.hostPort\nset c.names[p].mode from p.name\nremove c.x\n";
        let fix = parse("fix unsafe", text, Some("c"), &mut compile).unwrap();
        let name = &*fix.each.as_ref().unwrap().name;
        let hang: Vec<bool> = fix
            .operations
            .iter()
            .map(|operation| operation.route().names(name))
            .collect();
        assert_eq!(hang, [true, true, false]);
        assert_eq!(
            fix.operations[1].route().keys[1],
            Key::Item("p".into()),
            "{:?}",
            fix.operations[1]
        );
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, says) in [
            ("remove x.y", "`remove x.y` is no operation"),
            ("set c.a towards 1", "is no operation"),
            ("set c.a from c.", "in `set c.a from c.`"),
            ("remove c[p]", "`remove c[p]` is no operation"),
            ("each c.ports", "must be `each EXPRESSION as NAME`"),
            (
                "each c.ports as c\nremove c.a",
                "`c` means something else already",
            ),
            (
                "each c.a as p\neach c.b as q\nremove p",
                "a fix has one `each`",
            ),
            ("when c.a\nwhen c.b\nremove c", "a fix has one `when`"),
        ] {
            let error = parse("fix safe", text, Some("c"), &mut compile).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
