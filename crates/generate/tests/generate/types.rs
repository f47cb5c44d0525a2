//! Holds resources against the types that Azure publishes (`tests/data/azure-types.json`, made by
//! `cargo xtask azure-types`): every property is one of the type's and may be written, what is
//! required is there, values are of the type and among those allowed.
//!
//! An expression counts as any value. An enumeration that Azure may extend counts as closed: a typing
//! error would pass otherwise.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Members of open enumerations that the published types lack, by the end of their path.
const BEYOND: [(&str, &str); 1] = [
    // https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable
    (".streams[0]", "Microsoft-ContainerInsights-Group-Default"),
];

/// What is Azure Resource Manager's, not the type's.
const MANAGERS: [&str; 12] = [
    "type",
    "apiVersion",
    "dependsOn",
    "scope",
    "condition",
    "copy",
    "existing",
    "comments",
    "metadata",
    "resourceGroup",
    "subscriptionId",
    "id",
];

pub(crate) struct Types {
    resources: BTreeMap<String, Value>,
    types: Vec<Value>,
}

impl Types {
    pub(crate) fn read() -> Self {
        let text = include_str!("../data/azure-types.json");
        let all: Value = serde_json::from_str(text).expect("JSON");
        let resources = all["resources"].as_object().expect("resources");
        Self {
            resources: resources
                .iter()
                .map(|(name, body)| (name.to_ascii_lowercase(), body.clone()))
                .collect(),
            types: all["types"].as_array().expect("types").clone(),
        }
    }

    /// Which of its names the table holds (`type@version`).
    pub(crate) fn knows(&self, kind: &str, version: &str) -> bool {
        self.resources
            .contains_key(&format!("{kind}@{version}").to_ascii_lowercase())
    }

    /// What is wrong with a resource's body, each with its path.
    pub(crate) fn problems(&self, body: &Value) -> Vec<String> {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        let name = format!("{}@{}", text("type"), text("apiVersion"));
        let mut problems = Vec::new();
        match self.resources.get(&name.to_ascii_lowercase()) {
            Some(of) => self.check(of, body, &name, true, &mut problems),
            None => problems.push(format!("{name}: no such type")),
        }
        problems
    }

    fn check(&self, of: &Value, value: &Value, path: &str, top: bool, problems: &mut Vec<String>) {
        if is_expression(value) {
            return;
        }
        let mut wrong = |what: &str| problems.push(format!("{path}: {value} is {what}"));
        if let Some(number) = of.as_u64() {
            let of = &self.types[number as usize];
            match value.as_object() {
                Some(object) => self.object(of, object, path, top, problems),
                None => wrong("no object"),
            }
            return;
        }
        if let Some(item) = of.get("list") {
            match value.as_array() {
                Some(items) => {
                    for (at, one) in items.iter().enumerate() {
                        self.check(item, one, &format!("{path}[{at}]"), false, problems);
                    }
                }
                None => wrong("no list"),
            }
            return;
        }
        if let Some(one) = of.get("one").and_then(Value::as_array) {
            let literal = |of: &&Value| of.as_str().is_some_and(|of| of.starts_with('='));
            let closed = value.is_string() && one.iter().any(|of| literal(&of));
            let fits = one.iter().filter(|of| !closed || literal(of)).any(|of| {
                let mut found = Vec::new();
                self.check(of, value, path, false, &mut found);
                found.is_empty()
            });
            let beyond = BEYOND
                .iter()
                .any(|(end, member)| path.ends_with(end) && value.as_str() == Some(member));
            if !fits && !beyond {
                wrong(&format!("none of {}", of["one"]));
            }
            return;
        }
        if !fits(of, value) {
            wrong(&format!("no {of}"));
        }
    }

    fn object(
        &self,
        of: &Value,
        object: &Map<String, Value>,
        path: &str,
        top: bool,
        problems: &mut Vec<String>,
    ) {
        let mut parts = vec![of];
        if let Some(by) = of["by"].as_str() {
            match object.get(by).and_then(Value::as_str) {
                Some(case) if of["cases"][case].is_u64() => {
                    let number = of["cases"][case].as_u64().expect("a number");
                    parts.push(&self.types[number as usize]);
                }
                case => problems.push(format!("{path}.{by}: {case:?} is no case")),
            }
        }
        let among = |list: &str, name: &str| {
            let mut names = parts.iter().filter_map(|part| part[list].as_array());
            names.any(|names| names.iter().any(|other| other == name))
        };
        let property = |name: &str| parts.iter().find_map(|part| part["properties"].get(name));
        let others = parts.iter().find_map(|part| part.get("others"));
        let mut set: Vec<&str> = Vec::new();
        let mut values: Vec<(&str, Value)> = Vec::new();
        for (key, value) in object {
            match value.as_array().filter(|_| key == "copy" && !top) {
                // A loop that makes a property: what it makes is a list.
                Some(loops) => values.extend(loops.iter().map(|made| {
                    let name = made["name"].as_str().expect("a name");
                    (name, Value::Array(vec![made["input"].clone()]))
                })),
                None => values.push((key, value.clone())),
            }
        }
        for (key, value) in &values {
            set.push(key);
            if top && MANAGERS.contains(key) {
                continue;
            }
            let here = format!("{path}.{key}");
            if among("readOnly", key) {
                problems.push(format!("{here}: is read-only"));
            } else if let Some(of) = property(key).or(others) {
                let own = match value.as_str() {
                    // A child's name is written with its parents'.
                    Some(name) if top && *key == "name" && !is_expression(value) => {
                        Value::from(name.rsplit('/').next().unwrap_or(name))
                    }
                    _ => value.clone(),
                };
                self.check(of, &own, &here, false, problems);
            } else {
                problems.push(format!("{here}: there is no such property"));
            }
        }
        let required = parts.iter().filter_map(|part| part["required"].as_array());
        for name in required.flatten().filter_map(Value::as_str) {
            if !set.contains(&name) {
                problems.push(format!("{path}.{name}: is required"));
            }
        }
    }
}

/// `[…]`, but not `[[…`, which is text.
pub(crate) fn is_expression(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.starts_with('[') && !text.starts_with("[["))
}

fn fits(of: &Value, value: &Value) -> bool {
    let bounds = |kind: &str| of.get(kind).and_then(Value::as_array);
    match of.as_str() {
        Some("any") => return true,
        Some("null") => return value.is_null(),
        Some("bool") => return value.is_boolean(),
        Some("int") => return value.is_i64(),
        Some("string") => return value.is_string(),
        Some(literal) => return value.as_str() == literal.strip_prefix('='),
        None => {}
    }
    if let (Some(bounds), Some(number)) = (bounds("int"), value.as_i64()) {
        return bounds[0].as_i64().is_none_or(|least| number >= least)
            && bounds[1].as_i64().is_none_or(|most| number <= most);
    }
    if let (Some(bounds), Some(text)) = (bounds("string"), value.as_str()) {
        let length = text.chars().count() as u64;
        return bounds[0].as_u64().is_none_or(|least| length >= least)
            && bounds[1].as_u64().is_none_or(|most| length <= most)
            && bounds[2].as_str().is_none_or(|pattern| {
                regex::Regex::new(pattern)
                    .expect("a pattern")
                    .is_match(text)
            });
    }
    false
}

#[test]
fn a_wrong_property_is_found() {
    let types = Types::read();
    let problems = |properties: Value| {
        types.problems(&serde_json::json!({
            "type": "Microsoft.Authorization/locks",
            "apiVersion": "2020-05-01",
            "name": "keep",
            "properties": properties,
        }))
    };
    assert_eq!(
        problems(serde_json::json!({"level": "CanNotDelete"})),
        [""; 0]
    );
    let found = |properties: Value, what: &str| {
        let problems = problems(properties);
        assert!(
            problems.iter().any(|problem| problem.contains(what)),
            "{problems:?}"
        );
    };
    found(serde_json::json!({"notes": "x"}), ".level: is required");
    found(serde_json::json!({"level": "CannotDelete"}), "is none of");
    found(
        serde_json::json!({"level": "ReadOnly", "note": "x"}),
        ".note: there is no such",
    );
    found(
        serde_json::json!({"level": "ReadOnly", "notes": 1}),
        "no \"string\"",
    );
    found(
        serde_json::json!({"level": "ReadOnly", "owners": [{"applicationId": true}]}),
        "owners[0]",
    );
    assert_eq!(
        types.problems(&serde_json::json!({
            "type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-02",
        })),
        ["Microsoft.Authorization/locks@2020-05-02: no such type"]
    );
    let network = types.problems(&serde_json::json!({
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2025-05-01",
        "name": "vnet",
        "properties": {"provisioningState": "Succeeded"},
    }));
    assert_eq!(network.len(), 1, "{network:?}");
    assert!(network[0].ends_with("is read-only"));
}
