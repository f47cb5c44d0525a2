//! The table read backwards: which argument makes a property what it should be.

use yaml::edit::{Step, Value};

use super::expr::Act;
use crate::table::{self, Argument, Block, Constant, Form, Rule, Rules, To};

/// Which of the blocks of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// There is one at most.
    Only,
    At(usize),
    /// The one whose argument has this value.
    Named(String, String),
}

/// A block on the way to an argument.
#[derive(Debug, Clone)]
pub(crate) struct Hop<'t> {
    pub(crate) argument: &'t Argument,
    pub(crate) item: Item,
    /// The keys that lead to it in Azure, in lower case; without numbers.
    pub(crate) azure: Vec<String>,
}

/// What is to be done at the end of the way.
#[derive(Debug, Clone)]
pub(crate) enum End<'t> {
    /// Something is done to an argument, or in it.
    Argument {
        argument: &'t Argument,
        route: Vec<Step>,
        act: Act,
    },
    /// The last block must be there; nothing else.
    Present,
    /// There is one more block of the last kind, with these arguments.
    Another(Vec<(&'t Argument, Value)>),
    /// It must not.
    Absent,
    /// It is so whatever is written.
    Fixed,
}

/// A way to make a property what it should be.
#[derive(Debug, Clone)]
pub(crate) struct Way<'t> {
    pub(crate) hops: Vec<Hop<'t>>,
    pub(crate) end: End<'t>,
}

/// Every way, and what stands against those that are none.
#[derive(Debug, Default)]
pub(crate) struct Ways<'t> {
    pub(crate) found: Vec<Way<'t>>,
    pub(crate) against: Vec<String>,
}

/// How a path of the table lies to a route.
enum Lies<'r> {
    /// It leads to the same.
    There,
    /// The route goes on below it.
    Above(&'r [Step]),
    /// It goes on below the route.
    Below,
    Elsewhere,
}

fn path_keys(path: &str) -> Vec<&str> {
    match path.contains("::") {
        true => path.split("::").collect(),
        false => path.split('.').filter(|key| !key.is_empty()).collect(),
    }
}

fn lies<'r>(path: &str, route: &'r [Step]) -> Lies<'r> {
    let mut rest = route;
    for key in path_keys(path) {
        match rest.split_first() {
            None => return Lies::Below,
            Some((Step::Key(step), after)) if step.eq_ignore_ascii_case(key) => rest = after,
            Some(_) => return Lies::Elsewhere,
        }
    }
    if rest.is_empty() {
        Lies::There
    } else {
        Lies::Above(rest)
    }
}

/// Finds the ways to do something to a property of a resource.
pub(crate) fn ways<'t>(rules: &'t Rules, route: &[Step], act: &Act) -> Ways<'t> {
    let mut ways = Ways::default();
    search(rules, route, act, &mut Vec::new(), &mut ways);
    ways.against.sort();
    ways.against.dedup();
    ways
}

fn search<'t>(
    rules: &'t Rules,
    route: &[Step],
    act: &Act,
    hops: &mut Vec<Hop<'t>>,
    ways: &mut Ways<'t>,
) {
    for (path, constant) in &rules.set {
        if !matches!(lies(path, route), Lies::There) {
            continue;
        }
        match act {
            Act::Set(value) if same(constant, value) => ways.found.push(Way {
                hops: hops.clone(),
                end: if hops.is_empty() {
                    End::Fixed
                } else {
                    End::Present
                },
            }),
            _ => ways
                .against
                .push(format!("azurerm always sends `{}` there", words(constant))),
        }
    }
    for argument in &rules.map {
        for rule in &argument.rules {
            match rule {
                Rule::Nothing => {}
                Rule::Value(to) => match value(argument, to, route, act) {
                    None => {}
                    Some(Ok(end)) => ways.found.push(Way {
                        hops: hops.clone(),
                        end,
                    }),
                    Some(Err(why)) => ways.against.push(format!("`{}` {why}", argument.name)),
                },
                Rule::Block(block) => nested(argument, block, route, act, hops, ways),
            }
        }
    }
}

fn nested<'t>(
    argument: &'t Argument,
    block: &'t Block,
    route: &[Step],
    act: &Act,
    hops: &mut Vec<Hop<'t>>,
    ways: &mut Ways<'t>,
) {
    let outer = hops.last().map_or_else(Vec::new, |hop| hop.azure.clone());
    let hop = |item: Item| {
        let path = match &block.form {
            Form::Object(path) | Form::List(path) | Form::Keyed(path, _) => path.as_str(),
            Form::Child(..) => "",
        };
        let mut azure = outer.clone();
        azure.extend(path_keys(path).into_iter().map(str::to_ascii_lowercase));
        if let Item::Named(_, key) = &item {
            azure.push(key.to_ascii_lowercase());
        }
        Hop {
            argument,
            item,
            azure,
        }
    };
    let mut end = |hops: &[Hop<'t>], item: Item, end: End<'t>| {
        let mut hops = hops.to_vec();
        hops.push(hop(item));
        ways.found.push(Way { hops, end });
    };
    for (path, constant) in &block.absent {
        if let (Lies::There, Act::Set(value)) = (lies(path, route), act)
            && same(constant, value)
        {
            end(hops, Item::Only, End::Absent);
        }
    }
    if let (Form::List(path), Act::Add(item)) = (&block.form, act)
        && matches!(lies(path, route), Lies::There)
    {
        return match another(&block.rules, item) {
            Ok(arguments) => end(hops, Item::Only, End::Another(arguments)),
            Err(why) => ways.against.push(format!("`{}` {why}", argument.name)),
        };
    }
    let (path, rest) = match &block.form {
        Form::Object(path) if path.is_empty() => (path, Some((Item::Only, route))),
        Form::Object(path) => match lies(path, route) {
            Lies::Above(rest) => (path, Some((Item::Only, rest))),
            _ => (path, None),
        },
        Form::List(path) => match lies(path, route) {
            Lies::Above([Step::Index(at), rest @ ..]) => (path, Some((Item::At(*at), rest))),
            _ => (path, None),
        },
        Form::Keyed(path, name) => match lies(path, route) {
            Lies::Above([Step::Key(key), rest @ ..]) => (
                path,
                Some((Item::Named(name.clone(), key.to_string()), rest)),
            ),
            _ => (path, None),
        },
        // A resource of its own.
        Form::Child(..) => return,
    };
    let Some((item, rest)) = rest else {
        if !path.is_empty() && *act == Act::Remove {
            match lies(path, route) {
                Lies::There | Lies::Below if matches!(block.form, Form::Object(_)) => {
                    end(hops, Item::Only, End::Absent);
                }
                _ => {}
            }
        }
        return;
    };
    if rest.is_empty() && *act == Act::Remove {
        return end(hops, item, End::Absent);
    }
    hops.push(hop(item));
    search(&block.rules, rest, act, hops, ways);
    hops.pop();
}

/// The arguments of a block that makes an item of a list.
fn another<'t>(rules: &'t Rules, item: &Value) -> Result<Vec<(&'t Argument, Value)>, String> {
    let mut arguments = Vec::new();
    for (route, value) in leaves(&[], item) {
        let mut inner = Ways::default();
        search(rules, &route, &Act::Set(value), &mut Vec::new(), &mut inner);
        let mut found = inner.found.into_iter().filter(|way| way.hops.is_empty());
        match found.next().map(|way| way.end) {
            Some(End::Fixed) => {}
            Some(End::Argument {
                argument,
                route,
                act: Act::Set(value),
            }) if route.is_empty() => arguments.push((argument, value)),
            _ => {
                return Err(match inner.against.into_iter().next() {
                    Some(why) => format!("makes no such item: {why}"),
                    None => format!("cannot say `{}`", super::route_text(&route)),
                });
            }
        }
    }
    Ok(arguments)
}

/// What must become of an argument; nothing where it has nothing to do with the route.
fn value<'t>(
    argument: &'t Argument,
    to: &To,
    route: &[Step],
    act: &Act,
) -> Option<Result<End<'t>, String>> {
    let end = |route: &[Step], act: Act| End::Argument {
        argument,
        route: route.to_vec(),
        act,
    };
    if let Some((path, _)) = to.path.split_once(".{") {
        return match lies(path, route) {
            Lies::There | Lies::Above(_) => {
                Some(Err("is put where another argument says".to_owned()))
            }
            _ => None,
        };
    }
    let path = to.path.strip_suffix("[]");
    if let Some(path) = path {
        return match lies(path, route) {
            Lies::There | Lies::Above(_) => {
                Some(Err("is one of several that make up the list".to_owned()))
            }
            _ => None,
        };
    }
    let back = |wanted: &Value| backwards(&to.steps, wanted);
    Some(match (lies(&to.path, route), act) {
        (Lies::Elsewhere, _) => return None,
        (Lies::Below, Act::Remove) | (Lies::There, Act::Remove) => Ok(end(&[], Act::Remove)),
        (Lies::Below, _) => return None,
        (Lies::There, Act::Set(wanted)) => match wanted {
            Value::List(items) if items.is_empty() && to.nonempty => Ok(end(&[], Act::Remove)),
            wanted => back(wanted).map(|value| end(&[], Act::Set(value))),
        },
        (Lies::There, Act::Add(item)) => {
            // What becomes of a list of one shows what becomes of the item.
            match back(&Value::List(vec![item.clone()])) {
                Ok(Value::List(items)) => match items.into_iter().next() {
                    Some(item) => Ok(end(&[], Act::Add(item))),
                    None => Err("takes no list".to_owned()),
                },
                Ok(value) => Ok(end(&[], Act::Set(value))),
                Err(why) => Err(why),
            }
        }
        (Lies::Above(rest), act) => {
            below(&to.steps, rest, act).map(|(route, act)| end(&route, act))
        }
    })
}

/// A route into what an argument becomes, as one into the argument.
fn below(steps: &[table::Step], rest: &[Step], act: &Act) -> Result<(Vec<Step>, Act), String> {
    match (steps, rest) {
        ([] | [table::Step::Json], rest) => Ok((rest.to_vec(), act.clone())),
        ([table::Step::Each(key)], [Step::Index(at), inner @ ..])
            if matches!(lies(key, inner), Lies::There) =>
        {
            Ok((vec![Step::Index(*at)], act.clone()))
        }
        ([table::Step::Keys], [Step::Key(key)]) if matches!(act, Act::Set(_)) => {
            Ok((Vec::new(), Act::Add(Value::String(key.to_string()))))
        }
        _ => Err("takes no part of it".to_owned()),
    }
}

/// The value that steps turn into the wanted one.
pub(crate) fn backwards(steps: &[table::Step], wanted: &Value) -> Result<Value, String> {
    steps
        .iter()
        .rev()
        .try_fold(wanted.clone(), |value, step| back(step, value))
}

fn back(step: &table::Step, value: Value) -> Result<Value, String> {
    use table::Step as Forward;
    Ok(match (step, value) {
        (Forward::Not, Value::Bool(value)) => Value::Bool(!value),
        (Forward::Words(yes, _), Value::String(text)) if text.eq_ignore_ascii_case(yes) => {
            Value::Bool(true)
        }
        (Forward::Words(_, no), Value::String(text)) if text.eq_ignore_ascii_case(no) => {
            Value::Bool(false)
        }
        (Forward::Words(yes, no), _) => {
            return Err(format!("makes nothing but `{yes}` and `{no}`"));
        }
        (Forward::Text, Value::String(text)) => match (text.as_str(), text.parse()) {
            ("true", _) => Value::Bool(true),
            ("false", _) => Value::Bool(false),
            (_, Ok(number)) => Value::Int(number),
            _ => Value::String(text),
        },
        (Forward::First, value) => Value::List(vec![value]),
        (Forward::List, Value::List(items)) => match <[Value; 1]>::try_from(items) {
            Ok([item]) => item,
            Err(_) => return Err("makes a list of one".to_owned()),
        },
        (Forward::Each(key), Value::List(items)) => {
            let items: Option<Vec<Value>> = items.iter().map(|item| only(item, key)).collect();
            Value::List(items.ok_or_else(|| format!("says nothing but `{key}` of each"))?)
        }
        (Forward::Keys, Value::Map(entries)) => {
            let empty = |value: &Value| matches!(value, Value::Map(inner) if inner.is_empty());
            if !entries.iter().all(|(_, value)| empty(value)) {
                return Err("says nothing of each".to_owned());
            }
            let keys = entries.into_iter().map(|(key, _)| Value::String(key));
            Value::List(keys.collect())
        }
        (Forward::Values(pairs), value) => worded(pairs, value)?,
        (Forward::Json, _) => return Err("is a text of JSON as a whole".to_owned()),
        (Forward::Epoch, _) => return Err("is a point in time".to_owned()),
        (Forward::Part(_), _) => return Err("is the name of another part".to_owned()),
        (_, value) => return Err(format!("cannot make `{}`", shown(&value))),
    })
}

/// The word that stands for a value.
fn worded(pairs: &[(String, Constant)], value: Value) -> Result<Value, String> {
    let found = pairs
        .iter()
        .find(|(word, constant)| word != "*" && same(constant, &value));
    if let Some((word, _)) = found {
        return Ok(match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            word => Value::String(word.to_owned()),
        });
    }
    match &value {
        // What is not listed goes through as it is.
        Value::String(text) if pairs.iter().all(|(word, _)| word != "*" && word != text) => {
            Ok(value)
        }
        _ => Err(format!("has no word for `{}`", shown(&value))),
    }
}

/// The value at a path in an object that holds nothing else.
fn only(item: &Value, path: &str) -> Option<Value> {
    path.split('.')
        .try_fold(item.clone(), |value, key| match value {
            Value::Map(entries) => match <[(String, Value); 1]>::try_from(entries) {
                Ok([(own, value)]) if own.eq_ignore_ascii_case(key) => Some(value),
                _ => None,
            },
            _ => None,
        })
}

/// A value that the table gives.
pub(crate) fn constant(constant: &Constant) -> Value {
    match constant {
        Constant::Null => Value::Null,
        Constant::Bool(value) => Value::Bool(*value),
        Constant::Int(value) => Value::Int(*value),
        Constant::Str(text) => Value::String(text.clone()),
        Constant::List(items) => Value::List(items.iter().map(self::constant).collect()),
        Constant::Object(fields) => Value::Map(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), self::constant(value)))
                .collect(),
        ),
    }
}

/// Azure compares words without regard to case.
fn same(constant: &Constant, value: &Value) -> bool {
    match (constant, value) {
        (Constant::Str(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        (constant, value) => self::constant(constant) == *value,
    }
}

fn words(constant: &Constant) -> String {
    shown(&self::constant(constant))
}

/// A value for people.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => super::render::inline(value, 0),
    }
}

/// A map as what is to be set at each of its ends; anything else as it is.
pub(crate) fn leaves(route: &[Step], value: &Value) -> Vec<(Vec<Step>, Value)> {
    let mut found = Vec::new();
    let mut rest = vec![(route.to_vec(), value.clone())];
    while let Some((route, value)) = rest.pop() {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries.into_iter().rev() {
                    let mut route = route.clone();
                    route.push(Step::Key(key.into()));
                    rest.push((route, value));
                }
            }
            value => found.push((route, value)),
        }
    }
    found
}

#[cfg(test)]
mod tests;
