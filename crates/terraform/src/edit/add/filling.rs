//! A body of Azure Resource Manager as arguments and blocks: the table of azurerm read backwards for each of its rules.

use yaml::edit::{Step, Value};

use super::expression;
use crate::edit::render::{New, inline};
use crate::edit::reverse::{self, backwards, leaves};
use crate::table::{Arguments, Constant, Form, Rule, Rules, Step as Forward};

/// Blocks deeper than this are none that the table has.
const DEPTH: usize = 16;

/// Turns a body into arguments and blocks.
pub(super) struct Filling<'t> {
    pub(super) arguments: Option<&'t Arguments>,
    pub(super) versions: (u64, u64),
    /// Arguments that say what the table does not map.
    pub(super) extra: &'t [(Box<str>, Value)],
}

impl Filling<'_> {
    pub(super) fn has(&self, path: &str) -> bool {
        self.arguments
            .is_none_or(|known| known.has(path, self.versions))
    }

    /// The arguments and blocks that say all of a body; nothing where they cannot.
    pub(super) fn fill(
        &self,
        rules: &Rules,
        body: &Value,
        prefix: &str,
        depth: usize,
    ) -> Option<Vec<New>> {
        if depth > DEPTH {
            return None;
        }
        let mut left: Vec<Vec<Step>> = leaves(&[], body)
            .into_iter()
            .map(|(route, _)| route)
            .filter(|route| !route.is_empty())
            .collect();
        let mut all = Vec::new();
        for (path, constant) in &rules.set {
            if at(body, path).is_some_and(|value| same(constant, value)) {
                take(&mut left, path);
            }
        }
        for argument in &rules.map {
            let names = std::iter::once(&argument.name).chain(&argument.aliases);
            let known = |name: &&String| self.has(&format!("{prefix}{name}"));
            let Some(name) = names.into_iter().find(known) else {
                continue;
            };
            for rule in &argument.rules {
                self.rule(rule, name, body, prefix, depth, &mut left, &mut all);
            }
        }
        left.is_empty().then_some(all)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of `fill`, which everything belongs to"
    )]
    fn rule(
        &self,
        rule: &Rule,
        name: &str,
        body: &Value,
        prefix: &str,
        depth: usize,
        left: &mut Vec<Vec<Step>>,
        all: &mut Vec<New>,
    ) {
        let said = |left: &[Vec<Step>], path: &str| {
            let wanted = keys(path);
            left.iter().any(|route| begins(route, &wanted))
        };
        match rule {
            Rule::Value(to) if !to.path.contains(['[', '{']) => {
                let Some(value) = at(body, &to.path).filter(|_| said(left, &to.path)) else {
                    return;
                };
                let loose = self.loose(&to.steps, value);
                let found = loose.clone().or_else(|| match to.steps.as_slice() {
                    [Forward::Json] => {
                        let text = format!("jsonencode({})", inline(value, 0));
                        Some(expression(&text))
                    }
                    steps => backwards(steps, value).ok(),
                });
                let Some(found) = found else {
                    return;
                };
                all.push(New::Attribute(name.to_owned(), found));
                take(left, &to.path);
                if loose.is_some() {
                    let extra = self.extra.iter();
                    all.extend(
                        extra.map(|(name, value)| New::Attribute(name.to_string(), value.clone())),
                    );
                }
            }
            Rule::Block(block) => {
                let inner = format!("{prefix}{name}.");
                let (path, items) = match &block.form {
                    Form::Object(path) if !path.is_empty() => {
                        (path, at(body, path).map(std::slice::from_ref))
                    }
                    Form::List(path) => match at(body, path) {
                        Some(Value::List(items)) => (path, Some(items.as_slice())),
                        _ => return,
                    },
                    _ => return,
                };
                let Some(items) = items.filter(|_| said(left, path)) else {
                    return;
                };
                let blocks = items
                    .iter()
                    .map(|item| self.fill(&block.rules, item, &inner, depth + 1));
                let Some(blocks) = blocks.collect::<Option<Vec<_>>>() else {
                    return;
                };
                let blocks = blocks.into_iter();
                all.extend(blocks.map(|content| New::Block(name.to_owned(), content)));
                take(left, path);
            }
            Rule::Value(_) | Rule::Nothing => {}
        }
    }

    /// The word for an object of which arguments that the table does not map say the rest.
    fn loose(&self, steps: &[Forward], value: &Value) -> Option<Value> {
        let ([Forward::Values(pairs)], Value::Map(entries)) = (steps, value) else {
            return None;
        };
        let [(key, _)] = entries.as_slice() else {
            return None;
        };
        let is_it = |constant: &Constant| {
            matches!(constant, Constant::Object(fields)
                if fields.len() == 1 && fields.iter().all(|(own, _)| own.eq_ignore_ascii_case(key)))
        };
        let found = pairs.iter().find(|(_, constant)| is_it(constant));
        let word = found.filter(|_| !self.extra.is_empty())?;
        Some(Value::String(word.0.clone()))
    }
}

fn keys(path: &str) -> Vec<&str> {
    match path.contains("::") {
        true => path.split("::").collect(),
        false => path.split('.').filter(|key| !key.is_empty()).collect(),
    }
}

/// Whether a route begins with keys.
fn begins(route: &[Step], wanted: &[&str]) -> bool {
    route.len() >= wanted.len()
        && route.iter().zip(wanted).all(|(step, key)| match step {
            Step::Key(own) => own.eq_ignore_ascii_case(key),
            Step::Index(_) => false,
        })
}

fn take(left: &mut Vec<Vec<Step>>, path: &str) {
    let wanted = keys(path);
    left.retain(|route| !begins(route, &wanted));
}

/// The value at a path.
fn at<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    keys(path)
        .into_iter()
        .try_fold(body, |value, key| match value {
            Value::Map(entries) => entries
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(key))
                .map(|(_, value)| value),
            _ => None,
        })
}

fn same(constant: &Constant, value: &Value) -> bool {
    match (constant, value) {
        (Constant::Str(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        // `enabled: true` is a text in some places.
        (constant, value) => reverse::constant(constant) == *value,
    }
}
