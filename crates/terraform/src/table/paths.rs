//! Every property that the table sets, so that they can be held against Azure's own types.

use super::{Form, Rule, Rules, Step, Table, To};

/// A property of a resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The type in Terraform whose entry sets it.
    pub azurerm: String,
    /// The type in Azure.
    pub kind: String,
    /// The API version of the entry.
    pub api_version: String,
    /// Keys that lead to it; `[]` for the items of a list, `*` for any key.
    pub path: Vec<String>,
}

impl Table {
    /// Every property that is set, in the order of the table's types.
    #[must_use]
    pub fn properties(&self) -> Vec<Property> {
        let mut found = Vec::new();
        for (azurerm, kind) in &self.kinds {
            if kind.arm.is_empty() {
                continue;
            }
            let mut start = kind.append.as_deref().map_or(Vec::new(), keys);
            if kind.append.is_some() {
                start.push("[]".to_owned());
            }
            let mut paths = Vec::new();
            collect(&kind.body, &kind.arm, &start, &mut paths);
            found.extend(paths.into_iter().map(|(kind_name, path)| Property {
                azurerm: azurerm.clone(),
                kind: kind_name,
                api_version: kind.api.clone(),
                path,
            }));
        }
        found
    }
}

type Found = (String, Vec<String>);

fn collect(rules: &Rules, kind: &str, base: &[String], found: &mut Vec<Found>) {
    let mut add = |base: &[String], path: &str| {
        found.push((kind.to_owned(), [base, &keys(path)].concat()));
    };
    for (path, _) in &rules.set {
        add(base, path);
    }
    let mut inner = Vec::new();
    for rule in rules.map.iter().flat_map(|argument| &argument.rules) {
        match rule {
            Rule::Nothing => {}
            Rule::Value(to) => found.push((kind.to_owned(), [base, &target(to)].concat())),
            Rule::Block(block) => {
                for (path, _) in &block.absent {
                    inner.push((kind.to_owned(), [base, &keys(path)].concat()));
                }
                let (name, start) = match &block.form {
                    Form::Object(path) if path.is_empty() => (kind.to_owned(), base.to_vec()),
                    Form::Object(path) => (kind.to_owned(), [base, &keys(path)].concat()),
                    Form::List(path) => (kind.to_owned(), within(base, path, "[]")),
                    Form::Keyed(path, _) => (kind.to_owned(), within(base, path, "*")),
                    Form::Child(segment, _) => (format!("{kind}/{segment}"), Vec::new()),
                };
                collect(&block.rules, &name, &start, &mut inner);
            }
        }
    }
    found.extend(inner);
}

fn within(base: &[String], path: &str, item: &str) -> Vec<String> {
    let mut whole = [base, &keys(path)].concat();
    whole.push(item.to_owned());
    whole
}

fn target(to: &To) -> Vec<String> {
    // Where another argument's value is the key, only what leads there is known.
    let known = to
        .path
        .split_once(".{")
        .map_or(to.path.as_str(), |(path, _)| path);
    let mut path = match known.strip_suffix("[]") {
        Some(list) => keys(list),
        None => keys(known),
    };
    for step in &to.steps {
        if let Step::Each(key) = step {
            path.push("[]".to_owned());
            path.extend(keys(key));
        }
    }
    path
}

fn keys(path: &str) -> Vec<String> {
    let parts: Vec<&str> = match path.contains("::") {
        true => path.split("::").collect(),
        false => path.split('.').collect(),
    };
    parts.into_iter().map(str::to_owned).collect()
}
