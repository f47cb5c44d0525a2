//! Azure resources that fixes of the guide add, held against what Azure publishes and what azurerm takes: each fix is
//! made in its guideline's own examples, and what comes of it is read by type, version and property; then once more
//! beside resources of azurerm, by argument.

use std::collections::{BTreeMap, BTreeSet};

use ::terraform::edit::{Editor, Input, More};
use ::terraform::reading::Options;
use ::terraform::table::Table;
use guide::Guide;
use guide::examples::{self, Tried};
use model::remedy::Addition;
use serde_json::Value;

use crate::terraform::{Generated, Schema, ask};
use crate::types::Types;

/// The resources of a template, nested ones too.
fn resources(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(entries) => {
            if entries.contains_key("type") && entries.contains_key("apiVersion") {
                found.push(value.clone());
            }
            entries.values().for_each(|value| resources(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| resources(item, found)),
        _ => {}
    }
}

/// JSON without its comments.
fn read(text: &str) -> Value {
    let lines = text.lines().map(|line| match line.split_once("//") {
        Some((before, _)) if !before.ends_with(':') => before,
        _ => line,
    });
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).expect("JSON")
}

/// What fixes do in the examples: the guideline, and what was tried.
fn tried(guide: &Guide) -> Vec<(String, Vec<Value>, Tried)> {
    let mut all = Vec::new();
    for guideline in &guide.guidelines {
        for example in &guideline.examples {
            let tried = examples::fixed(guide, guideline, example).expect("a fix");
            if tried.added.is_empty() {
                continue;
            }
            let mut before = Vec::new();
            for file in example
                .files
                .iter()
                .filter(|file| &*file.language == "json")
            {
                resources(&read(&file.text), &mut before);
            }
            all.push((guideline.id.0.to_string(), before, tried));
        }
    }
    all
}

#[test]
fn what_fixes_add_is_what_azure_publishes() {
    let (guide, problems) = Guide::builtin();
    assert_eq!(problems, []);
    let types = Types::read();
    let (mut kinds, mut wrong) = (BTreeSet::new(), Vec::new());
    for (guideline, before, tried) in tried(&guide) {
        let after = tried.after.expect("a text");
        let mut all = Vec::new();
        for file in after.files.iter().filter(|file| &*file.language == "json") {
            resources(&read(&file.text), &mut all);
        }
        for made in all.iter().filter(|one| !before.contains(one)) {
            let kind = made["type"].as_str().expect("a type");
            let version = made["apiVersion"].as_str().expect("a version");
            // Of one that was there before only what was set is the fix's.
            let is_old = before
                .iter()
                .any(|old| old["type"] == made["type"] && old["name"] == made["name"]);
            if is_old || kind == "Microsoft.Resources/deployments" {
                continue;
            }
            kinds.insert(format!("{kind}@{version}"));
            let found = types.problems(made).into_iter();
            wrong.extend(found.map(|problem| format!("{guideline}: {problem}")));
        }
        for patch in tried
            .added
            .iter()
            .filter(|one| matches!(one.patch(), Ok(Some(_))))
        {
            kinds.insert(format!("{}@{}", patch.kind, patch.api_version));
            let (_, leaves) = patch.patch().expect("leaves").expect("a patch");
            let mut body = serde_json::json!({
                "type": &*patch.kind, "apiVersion": &*patch.api_version, "name": "it",
            });
            // A child is where its parent is.
            if patch.kind.split('/').count() == 2 {
                body["location"] = "westeurope".into();
            }
            for (way, value) in leaves {
                let mut at = &mut body;
                for step in &way {
                    let yaml::edit::Step::Key(key) = step else {
                        continue;
                    };
                    at = &mut at[&**key];
                }
                *at = json(&value);
            }
            let found = types.problems(&body).into_iter();
            wrong.extend(found.map(|problem| format!("{guideline}: {problem}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(kinds.len() >= 12, "{kinds:?}");
}

fn json(value: &yaml::edit::Value) -> Value {
    use yaml::edit::Value as Tree;
    match value {
        Tree::Bool(value) => (*value).into(),
        Tree::Int(value) => (*value).into(),
        // An id that is not known yet.
        Tree::String(text) if bicep::addition::is_unfinished(text) => "[id]".into(),
        Tree::String(text) => text.as_str().into(),
        Tree::List(items) => items.iter().map(json).collect(),
        Tree::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => Value::Null,
    }
}

/// What azurerm calls the types that fixes add resources beside.
const BESIDE: [(&str, &str); 9] = [
    (
        "Microsoft.ContainerService/managedClusters",
        "azurerm_kubernetes_cluster",
    ),
    (
        "Microsoft.ContainerService/managedClusters/agentPools",
        "azurerm_kubernetes_cluster_node_pool",
    ),
    (
        "Microsoft.ContainerRegistry/registries",
        "azurerm_container_registry",
    ),
    ("Microsoft.KeyVault/vaults", "azurerm_key_vault"),
    (
        "Microsoft.Network/privateDnsZones",
        "azurerm_private_dns_zone",
    ),
    (
        "Microsoft.Network/virtualNetworks",
        "azurerm_virtual_network",
    ),
    (
        "Microsoft.Network/virtualNetworks/subnets",
        "azurerm_subnet",
    ),
    (
        "Microsoft.OperationalInsights/workspaces",
        "azurerm_log_analytics_workspace",
    ),
    (
        "Microsoft.Storage/storageAccounts",
        "azurerm_storage_account",
    ),
];

/// A configuration that declares what additions refer to, and the additions as they refer to it.
fn beside(added: &[Addition]) -> Option<(String, Vec<Addition>)> {
    let mut text = String::from(
        "data \"azurerm_subscription\" \"current\" {}\nresource \"azurerm_resource_group\" \"shop\" {\n  name     = \"shop\"\n  location = \"westeurope\"\n}\n",
    );
    let mut places: BTreeMap<String, std::ops::Range<usize>> = BTreeMap::new();
    let mut added = added.to_vec();
    for target in added.iter_mut().flat_map(|one| &mut one.targets) {
        if target.declared.is_none() {
            continue;
        }
        let name = target
            .name
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let key = format!("{}|{}", target.kind, target.name);
        if !places.contains_key(&key) {
            let (_, kind) = BESIDE
                .iter()
                .find(|(kind, _)| kind.eq_ignore_ascii_case(&target.kind))?;
            let start = text.len();
            text.push_str(&format!(
                "resource \"{kind}\" \"t{}\" {{\n  name                = \"{name}\"\n  location            = azurerm_resource_group.shop.location\n  resource_group_name = azurerm_resource_group.shop.name\n}}\n",
                places.len()
            ));
            places.insert(key.clone(), start..text.len() - 1);
        }
        target.declared = Some(("infra/main.tf".into(), places[&key].clone()));
    }
    Some((text, added))
}

#[test]
fn what_fixes_add_is_what_azurerm_takes() {
    let (guide, problems) = Guide::builtin();
    assert_eq!(problems, []);
    let table = Table::parse(&guide.data["azurerm.yaml"]).expect("a table");
    let schema = Schema::read();
    let (mut texts, mut refused) = (Vec::new(), BTreeSet::new());
    let mut written = BTreeSet::new();
    for (guideline, _, tried) in tried(&guide) {
        let Some((text, added)) = beside(&tried.added) else {
            continue;
        };
        let files = Generated(BTreeMap::from([("infra/main.tf".to_owned(), text.clone())]));
        let options = Options::default();
        let input = Input {
            files: &files,
            table: &table,
            folder: "infra",
            options: &options,
        };
        let mut editor = Editor::default();
        let done: Result<Vec<_>, _> = added
            .iter()
            .map(|one| editor.more(&input, &More::Resource(one)))
            .collect();
        if let Err(why) = done {
            refused.insert(format!("{guideline}: {why}"));
            continue;
        }
        let edits = editor.finish();
        let made = yaml::edit::apply(&text, &edits["infra/main.tf"]);
        assert!(
            !bicep::addition::is_unfinished(&made),
            "{guideline}\n{made}"
        );
        written.insert(guideline.clone());
        texts.push((guideline, text.matches("resource \"").count(), made));
    }
    let asked: Vec<&String> = texts.iter().map(|(_, _, text)| text).collect();
    let mut wrong = Vec::new();
    for ((guideline, old, text), body) in texts.iter().zip(ask(&asked)) {
        assert!(body["error"].is_null(), "{guideline}: {body}\n{text}");
        // What stood there before is no whole resource.
        let is_old = |label: &str| {
            label
                .strip_prefix('t')
                .is_some_and(|number| number.parse::<usize>().is_ok())
        };
        let mut new = body["body"].clone();
        let blocks = new["blocks"]
            .as_array_mut()
            .unwrap_or_else(|| panic!("{guideline}: {body}\n{text}"));
        let all = blocks.len();
        blocks.retain(|block| {
            block["type"] == "resource"
                && !is_old(block["labels"][1].as_str().unwrap_or_default())
                && block["labels"][0] != "azurerm_resource_group"
        });
        assert!(
            all > *old || !blocks.is_empty() || text.contains("identity {"),
            "{guideline}\n{text}"
        );
        let found = schema.problems(&new).into_iter();
        wrong.extend(found.map(|problem| format!("{guideline}: {problem}\n{text}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(written.len() >= 8, "{written:?} {refused:?}");
}
