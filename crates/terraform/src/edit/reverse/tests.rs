//! The whole table backwards and forwards again: whatever it can set must be found by the way that
//! the reverse says, and be in Azure what was wanted.

use std::collections::BTreeMap;

use bicep::source::Sources;
use bumpalo::Bump;
use yaml::edit::{Step, Value};

use super::{End, Item, Way, constant, ways};
use crate::edit::expr::Act;
use crate::edit::prove::{at_route, covers};
use crate::edit::render::{New, Style};
use crate::files::Files;
use crate::reading::Options;
use crate::table::{self, Form, Id, Kind, Rule, Rules, Table, To};

struct One(String);

impl Files for One {
    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(vec!["main.tf".to_owned()])
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "main.tf" => Ok(self.0.clone().into_bytes()),
            other => Err(format!("there is no `{other}`")),
        }
    }
}

/// Something that the table says can be set.
struct Case {
    /// The arguments that lead there, for people.
    argument: String,
    /// The type in Azure.
    kind: String,
    route: Vec<Step>,
    wanted: Value,
    /// The block that is a resource of its own, and its rules' place.
    child: Option<String>,
}

fn key(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Values that an argument may become.
fn samples(to: &To) -> Vec<Value> {
    use table::Step as Forward;
    let mut samples = match to.default {
        Some(table::Constant::Bool(_)) => vec![Value::Bool(true), Value::Bool(false)],
        Some(table::Constant::Int(_)) => vec![Value::Int(7)],
        _ => vec![key("x")],
    };
    for step in &to.steps {
        samples = match step {
            Forward::Not => vec![Value::Bool(true), Value::Bool(false)],
            Forward::Words(yes, no) => vec![key(yes), key(no)],
            Forward::Each(path) => {
                let inner = path.split('.').rev().fold(key("x"), |value, key| {
                    Value::Map(vec![(key.to_owned(), value)])
                });
                vec![Value::List(vec![inner])]
            }
            Forward::Keys => vec![Value::Map(vec![("x".to_owned(), Value::Map(Vec::new()))])],
            Forward::Text => vec![key("true"), key("12")],
            Forward::First | Forward::Epoch | Forward::Part(_) => vec![key("x")],
            Forward::List => vec![Value::List(samples)],
            Forward::Values(pairs) => pairs
                .iter()
                .filter(|(word, to)| word != "*" && !matches!(to, table::Constant::Null))
                .map(|(_, to)| constant(to))
                .collect(),
            Forward::Json => vec![Value::Map(vec![("a".to_owned(), Value::Int(1))])],
        };
    }
    samples
}

fn steps(path: &str) -> Vec<Step> {
    super::path_keys(path).into_iter().map(Step::from).collect()
}

/// Everything that rules set.
fn cases(
    rules: &Rules,
    base: &[Step],
    argument: &str,
    kind: &str,
    child: Option<&str>,
    found: &mut Vec<Case>,
) {
    let mut add = |argument: String, path: &str, wanted: Value| {
        found.push(Case {
            argument,
            kind: kind.to_owned(),
            route: [base, &steps(path.trim_end_matches("[]"))].concat(),
            wanted,
            child: child.map(str::to_owned),
        });
    };
    for (path, value) in &rules.set {
        add(format!("{argument}={path}"), path, constant(value));
    }
    let mut inner = Vec::new();
    for one in &rules.map {
        let name = format!("{argument}{}", one.name);
        for rule in &one.rules {
            match rule {
                Rule::Nothing => {}
                Rule::Value(to) => {
                    for wanted in samples(to) {
                        add(name.clone(), &to.path, wanted);
                    }
                }
                Rule::Block(block) => {
                    for (path, value) in &block.absent {
                        inner.push((format!("{name}!{path}"), path.clone(), constant(value)));
                    }
                }
            }
        }
    }
    for (name, path, value) in inner {
        add(name, &path, value);
    }
    for one in &rules.map {
        let name = format!("{argument}{}.", one.name);
        for rule in &one.rules {
            let Rule::Block(block) = rule else { continue };
            let (path, item) = match &block.form {
                Form::Object(path) => (path, None),
                Form::List(path) => (path, Some(Step::Index(0))),
                Form::Keyed(path, _) => (path, Some(Step::from("k"))),
                Form::Child(segment, _) => {
                    let kind = format!("{kind}/{segment}");
                    cases(&block.rules, &[], &name, &kind, Some(&one.name), found);
                    continue;
                }
            };
            let base = [base, &steps(path), item.as_slice()].concat();
            cases(&block.rules, &base, &name, kind, child, found);
        }
    }
}

/// The block that a way leads to, with what it says.
fn content(way: &Way<'_>) -> Option<New> {
    let mut content = match &way.end {
        End::Fixed | End::Absent => return None,
        End::Present => Vec::new(),
        End::Another(arguments) => {
            let arguments = arguments.iter();
            arguments
                .map(|(argument, value)| New::Attribute(argument.name.clone(), value.clone()))
                .collect()
        }
        End::Argument {
            argument,
            route,
            act: Act::Set(value),
        } if route.is_empty() => vec![New::Attribute(argument.name.clone(), value.clone())],
        End::Argument { .. } => return None,
    };
    for hop in way.hops.iter().rev() {
        if let Item::Named(name, key) = &hop.item {
            content.insert(0, New::Attribute(name.clone(), Value::String(key.clone())));
        }
        content = vec![New::Block(hop.argument.name.clone(), content)];
    }
    content.pop()
}

/// A resource with nothing but what identifies it, and this.
fn configuration(azurerm: &str, kind: &Kind, child: Option<&str>, new: Option<New>) -> String {
    let mut arguments: BTreeMap<&str, &str> = BTreeMap::new();
    let id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.A/b/c";
    match &kind.id {
        Id::Group(argument) => {
            arguments.insert(argument, "rg");
        }
        Id::Extension(argument) | Id::Patch(argument) => {
            arguments.insert(argument, id);
        }
        Id::PatchNamed(argument) => {
            arguments.extend([("resource_group_name", "rg"), (argument, "n")]);
        }
        Id::Child(of) => {
            if let Some(first) = of.first() {
                arguments.insert(first, id);
            }
        }
        Id::ResourceGroup => {
            arguments.insert("name", "n");
        }
        Id::Subscription | Id::Itself | Id::None => {}
    }
    for name in kind.names.iter().filter(|name| !name.starts_with('=')) {
        arguments.entry(name).or_insert("n");
    }
    let style = Style {
        indent: "  ".to_owned(),
        unit: "  ",
        newline: "\n",
    };
    let new = match (child, new) {
        (Some(block), Some(new)) => Some(New::Block(block.to_owned(), vec![new])),
        (Some(block), None) => Some(New::Block(block.to_owned(), Vec::new())),
        (None, new) => new,
    };
    if let Some(New::Attribute(name, _)) = &new {
        arguments.remove(name.as_str());
    }
    let lines: Vec<String> = arguments
        .iter()
        .map(|(name, value)| format!("  {name} = \"{value}\"\n"))
        .chain(new.map(|new| format!("  {}\n", new.text(&style))))
        .collect();
    format!("resource \"{azurerm}\" \"r\" {{\n{}}}\n", lines.concat())
}

/// Whether what was wanted is in Azure.
fn forward(table: &Table, case: &Case, text: String) -> Result<(), String> {
    let arena = Bump::new();
    let mut sources = Sources::default();
    let files = One(text);
    let found = crate::read(
        &arena,
        &files,
        &mut sources,
        table,
        ".",
        &Options::default(),
    );
    let of_kind = found.resources.iter().filter(|one| one.kind == case.kind);
    let values: Vec<_> = of_kind
        .filter_map(|one| at_route(&one.body, &case.route))
        .collect();
    // An id is open where nobody knows the subscription.
    let right = |value: &&bicep::value::Value<'_>| {
        covers(value, &case.wanted, 0)
            || case.wanted == Value::String(crate::arm::tree_words(value))
    };
    if values.iter().any(right) {
        Ok(())
    } else {
        let is: Vec<String> = values.into_iter().map(crate::arm::tree_words).collect();
        Err(format!(
            "{} instead of {:?} by\n{}",
            is.join(", "),
            case.wanted,
            files.0
        ))
    }
}

/// What becomes of a case: it went there and back, or why there is no way.
fn there_and_back(table: &Table, azurerm: &str, kind: &Kind, case: &Case) -> Result<(), String> {
    let rules = match &case.child {
        None => &kind.body,
        Some(block) => kind.body.block(block).ok_or("no such block")?,
    };
    let ways = ways(rules, &case.route, &Act::Set(case.wanted.clone()));
    if ways.found.is_empty() {
        return Err(ways.against.join("; "));
    }
    for way in &ways.found {
        if matches!(&way.end, End::Argument { route, .. } if !route.is_empty()) {
            continue;
        }
        // A name that leads there is not what is wanted there.
        let named = way.hops.iter().any(|hop| match (&hop.item, &way.end) {
            (Item::Named(name, _), End::Argument { argument, .. }) => argument.name == *name,
            _ => false,
        });
        if named {
            continue;
        }
        let text = configuration(azurerm, kind, case.child.as_deref(), content(way));
        forward(table, case, text).map_err(|why| format!("WRONG {}: {why}", case.argument))?;
    }
    Ok(())
}

#[test]
fn the_whole_table_goes_there_and_back() {
    let table = Table::parse(include_str!("../../../../../guide/data/azurerm.yaml")).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    let mut against: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (azurerm, kind) in &table.kinds {
        if kind.arm.is_empty() || kind.append.is_some() {
            continue;
        }
        let mut all = Vec::new();
        cases(&kind.body, &[], "", &kind.arm, None, &mut all);
        for case in &all {
            match there_and_back(&table, azurerm, kind, case) {
                Ok(()) => right += 1,
                Err(why) if why.starts_with("WRONG") => wrong.push(format!("{azurerm}: {why}")),
                Err(why) => {
                    let why = why.replace(case.argument.rsplit('.').next().unwrap(), "…");
                    against
                        .entry(why)
                        .or_default()
                        .push(format!("{azurerm}.{}", case.argument));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let unexpected: Vec<String> = against
        .iter()
        .filter(|(why, _)| !NO_WAY_BACK.iter().any(|known| why.contains(known)))
        .map(|(why, all)| format!("{why}: {}", all.join(", ")))
        .collect();
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    let left: usize = against.values().map(Vec::len).sum();
    assert!(right > 1000, "{right} went there and back");
    assert!(left * 20 < right, "{left} have no way back: {against:#?}");
}

/// Why something has no way back.
const NO_WAY_BACK: [&str; 5] = [
    // The key in Azure is the value of another argument.
    "is put where another argument says",
    // Several arguments make up one list.
    "is one of several that make up the list",
    "is a text of JSON as a whole",
    "is a point in time",
    "is the name of another part",
];
