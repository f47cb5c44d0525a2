//! Kubernetes' own ClusterRoles, as guidelines read them: sums are added up.
//!
//! The cluster does that with every ClusterRole it holds (`analysis::rbac`); here only the built-in ones count,
//! whatever an estate adds to them.

use std::collections::BTreeMap;

use model::doc::{Dialect, Doc, DocBuilder};
use serde_json::{Value, json};
use yaml::Limits;

use super::to_json;
use crate::catalogue::Guide;

/// `cluster-admin`, `admin`, `edit` and `view` by name, from `data/default-roles.yaml`.
#[must_use]
pub fn default_roles(guide: &Guide) -> BTreeMap<Box<str>, Doc> {
    let Some(text) = guide.data.get("default-roles.yaml") else {
        return BTreeMap::new();
    };
    let mut roles: BTreeMap<Box<str>, Value> = BTreeMap::new();
    for raw in yaml::documents(text) {
        // Reading the roles of controllers would take most of the time, and nothing sums them.
        if raw.text.contains("name: system:") && !raw.text.contains("name: system:aggregate-to-") {
            continue;
        }
        let Some(doc) = read(guide, &raw.text) else {
            continue;
        };
        let role = to_json(doc.root());
        let name = role.pointer("/metadata/name").and_then(Value::as_str);
        if role.get("kind").and_then(Value::as_str) == Some("ClusterRole")
            && let Some(name) = name.map(Box::<str>::from)
        {
            roles.insert(name, role);
        }
    }
    // A sum may hold another: `admin` holds `edit`, which holds `view`.
    for _ in 0..3 {
        add_up(&mut roles);
    }
    roles
        .iter()
        .filter(|(name, _)| !name.starts_with("system:"))
        .filter_map(|(name, role)| Some((name.clone(), read(guide, &role.to_string())?)))
        .collect()
}

fn add_up(roles: &mut BTreeMap<Box<str>, Value>) {
    let sums: Vec<(Box<str>, Value)> = roles
        .iter()
        .filter(|(_, role)| role.get("aggregationRule").is_some())
        .map(|(name, sum)| {
            let selectors = sum
                .pointer("/aggregationRule/clusterRoleSelectors")
                .and_then(Value::as_array);
            let mut rules: Vec<&Value> = Vec::new();
            for selector in selectors.into_iter().flatten() {
                for role in roles.values().filter(|role| selects(selector, role)) {
                    let rules_here = role.get("rules").and_then(Value::as_array);
                    for rule in rules_here.into_iter().flatten() {
                        if !rules.contains(&rule) {
                            rules.push(rule);
                        }
                    }
                }
            }
            (name.clone(), json!(rules))
        })
        .collect();
    for (name, rules) in sums {
        if let Some(Value::Object(role)) = roles.get_mut(&name) {
            role.insert("rules".to_owned(), rules);
        }
    }
}

fn selects(selector: &Value, role: &Value) -> bool {
    let labels = role.pointer("/metadata/labels");
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    wanted.is_some_and(|wanted| {
        wanted
            .iter()
            .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    })
}

fn read(guide: &Guide, text: &str) -> Option<Doc> {
    let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, text.into(), 1);
    let root = yaml::parse(text, &Limits::default(), &mut builder).ok()??;
    Some(builder.finish(root))
}

#[cfg(test)]
mod tests {
    use model::Ref;

    use super::*;

    #[test]
    fn sums_hold_what_they_select_and_what_that_selects() {
        let roles = default_roles(&Guide::builtin().0);
        let names: Vec<&str> = roles.keys().map(|name| &**name).collect();
        assert_eq!(names, ["admin", "cluster-admin", "edit", "view"]);
        let count = |name: &str| {
            let rules = roles.get(name).and_then(|role| role.root().get("rules"));
            rules.map_or(0, |rules| rules.items().len())
        };
        // As many as `kubectl get clusterrole` counts on v1.34.4.
        assert_eq!([count("cluster-admin"), count("view")], [2, 11]);
        assert!(count("admin") > count("edit") && count("edit") > count("view"));
        let secrets = |name: &str| {
            let rules = roles.get(name).and_then(|role| role.root().get("rules"));
            rules.into_iter().flat_map(Ref::items).any(|rule| {
                let resources = rule.get("resources").into_iter().flat_map(Ref::items);
                resources
                    .filter_map(Ref::as_str)
                    .any(|one| one == "secrets")
            })
        };
        assert!(secrets("edit") && !secrets("view"));
    }
}
