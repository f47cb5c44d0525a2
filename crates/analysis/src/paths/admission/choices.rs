//! What the attacker may write into a pod, where several rules look at it: values that the rules themselves name.
//!
//! One rule about what the attacker writes can be met. Several may contradict each other, so a pod is sought that
//! meets all of them. Left out: values that no rule spells out; that none was found proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shapes::{ANY, Wanted};

/// Words of the rules.
#[derive(Default)]
pub(super) struct Choices {
    /// what labels may be called
    keys: BTreeSet<String>,
    /// texts that values are held against
    values: BTreeSet<String>,
    /// all expressions
    text: String,
}

/// Choices for one value, and pods in all.
const FEW: usize = 8;
const MANY: usize = 256;
const DEPTH: usize = 32;

impl Choices {
    /// Takes the words of a policy's or a binding's `spec`.
    pub(super) fn read(&mut self, spec: &Value) {
        self.walk(spec, "", 0);
    }

    fn walk(&mut self, value: &Value, key: &str, depth: usize) {
        if depth > DEPTH {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if key == "matchLabels" {
                        self.keys.insert(name.clone());
                        self.values.extend(value.as_str().map(ToOwned::to_owned));
                    }
                    self.walk(value, name, depth + 1);
                }
            }
            Value::Array(items) => {
                for item in items {
                    match item.as_str() {
                        Some(text) => {
                            self.values.insert(text.to_owned());
                        }
                        None => self.walk(item, key, depth + 1),
                    }
                }
            }
            Value::String(text) if key == "expression" => {
                self.text.push_str(text);
                self.text.push('\n');
                let named = text.split("labels.").skip(1).map(|rest| {
                    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
                });
                self.keys.extend(named.map(ToOwned::to_owned));
                for literal in literals(text) {
                    if text.contains("labels") {
                        self.keys.insert(literal.clone());
                    }
                    self.values.insert(literal);
                }
            }
            Value::String(text) if key == "key" => {
                self.keys.insert(text.clone());
            }
            _ => {}
        }
    }

    /// The same pod with values for what the attacker writes, as far as rules name some: made as they are asked for,
    /// since one of the first is often enough.
    pub(super) fn pods<'w>(&self, wanted: &'w Wanted) -> impl Iterator<Item = Wanted> + 'w {
        let mut places = BTreeMap::new();
        open(&wanted.object, String::new(), 0, &mut places);
        let places: Vec<(String, Vec<Value>)> = places
            .into_iter()
            .map(|(place, key)| (place, self.values_of(&key)))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let all = places.iter().fold(1_usize, |all, (_, values)| {
            all.saturating_mul(values.len()).min(MANY)
        });
        (0..all).map(move |number| {
            let mut object = wanted.object.clone();
            // The last place changes first.
            let mut rest = number;
            for (place, values) in places.iter().rev() {
                let value = values.get(rest % values.len().max(1));
                rest /= values.len().max(1);
                if let (Some(own), Some(value)) = (object.pointer_mut(place), value) {
                    *own = value.clone();
                }
            }
            Wanted {
                object,
                old: wanted.old.clone(),
                subresource: wanted.subresource,
            }
        })
    }

    fn values_of(&self, key: &str) -> Vec<Value> {
        let asked = self.text.contains(key);
        let texts = || {
            let own = self.values.iter().take(FEW).flat_map(|value| {
                let longer = format!("{value}1");
                [Value::from(value.clone()), Value::from(longer)]
            });
            std::iter::once(Value::from("app")).chain(own).collect()
        };
        match key {
            "labels" if asked || !self.keys.is_empty() => self.labels(),
            "name" | "image" | "serviceAccountName" | "serviceAccount" if asked => texts(),
            "automountServiceAccountToken" | "enableServiceLinks" if asked => {
                vec![true.into(), false.into()]
            }
            _ => Vec::new(),
        }
    }

    fn labels(&self) -> Vec<Value> {
        let mut all = vec![Map::new()];
        for key in self.keys.iter().take(FEW) {
            let mut next = all.clone();
            for labels in &all {
                for value in self
                    .values
                    .iter()
                    .take(FEW)
                    .map(String::as_str)
                    .chain(["x"])
                {
                    if next.len() < MANY / 4 {
                        let mut labels = labels.clone();
                        labels.insert(key.clone(), value.into());
                        next.push(labels);
                    }
                }
            }
            all = next;
        }
        all.into_iter().map(Value::Object).collect()
    }
}

/// Where the attacker chooses, and what the value is called.
fn open(value: &Value, at: String, depth: usize, found: &mut BTreeMap<String, String>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::String(text) if text == ANY => {
            let key = at.rsplit('/').next().unwrap_or_default().to_owned();
            found.insert(at, key);
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                open(value, format!("{at}/{key}"), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                open(item, format!("{at}/{number}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// The texts that an expression spells out.
fn literals(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(begin) = rest.find(['\'', '"']) {
        let (Some(quote), Some(after)) = (rest.get(begin..=begin), rest.get(begin + 1..)) else {
            break;
        };
        let Some(end) = after.find(quote) else {
            break;
        };
        let own = after.get(..end).unwrap_or_default();
        if !own.is_empty() {
            found.push(own.to_owned());
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    found
}
