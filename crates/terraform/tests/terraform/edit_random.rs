//! Edits of random bodies, held against HashiCorp's own library: what it reads is the same but for
//! what was wanted, and what was formatted as it formats still is.

use std::collections::BTreeMap;

use terraform::edit::{Editor, Input, Wanted};
use terraform::reading::Options;
use terraform::table::Table;
use yaml::edit::{Operation, Step, Value, apply};

use crate::given::Memory;
use crate::table::table;

/// What HashiCorp's library makes of each text: the text formatted, and what it says.
fn ask(texts: &[String]) -> Vec<Result<(String, Value), String>> {
    let answers = oracle::answers("oracle-hcl", texts).unwrap();
    answers.iter().map(|line| answer(line)).collect()
}

fn answer(line: &str) -> Result<(String, Value), String> {
    let Value::Map(fields) = Value::read(line).unwrap() else {
        return Err(line.to_owned());
    };
    let mut fields: BTreeMap<String, Value> = fields.into_iter().collect();
    match (fields.remove("formatted"), fields.remove("body")) {
        (Some(Value::String(formatted)), Some(body)) => Ok((formatted, body)),
        _ => Err(line.to_owned()),
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

/// Lines that a cluster may have, each with the names that wishes are about.
const LINES: &[&str] = &[
    "location = \"westeurope\"",
    "local_account_disabled = false",
    "run_command_enabled = true",
    "azure_policy_enabled = var.off",
    "sku_tier=\"Free\"",
    "tags = { a = 1, \"b c\" = \"x${var.off}\" }",
    "tags = {\n  env = \"{ not a brace\"\n  longer_name = 2 # two\n}",
    "node_os_upgrade_channel = \"None\" // later",
    "dns_prefix = <<EOT\nweird = { text\nEOT",
    "dns_prefix = \"é ünï\"   # ünï",
    "image_cleaner_interval_hours = 48",
    "private_cluster_enabled = local.off",
    "identity {\n  type = \"SystemAssigned\"\n}",
    "identity { type = \"SystemAssigned\" }",
    "default_node_pool {\n  name = \"system\"\n  vm_size = \"Standard_D4s_v5\" # big\n\n  upgrade_settings {\n    max_surge = \"10%\"\n  }\n}",
    "key_vault_secrets_provider {}",
    "key_vault_secrets_provider {\n  # why\n  secret_rotation_enabled = false\n}",
    "network_profile {\n  network_plugin = \"kubenet\"\n}",
    "api_server_access_profile {\n    authorized_ip_ranges = [\n      \"10.0.0.0/8\", # home\n    ]\n}",
    "lifecycle {\n  ignore_changes = [kubernetes_version]\n}",
    "# a comment",
    "/* { a\n longer one */",
    "",
];

fn name(line: &str) -> &str {
    line.split([' ', '=', '{']).next().unwrap()
}

fn body(dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = vec!["name = \"aks\"", "resource_group_name = \"rg\""];
    for _ in 0..dice.below(12) {
        let line = dice.one(LINES);
        let again = lines.iter().any(|known| name(known) == name(line));
        if line.is_empty() || line.starts_with(['#', '/']) || !again {
            lines.push(line);
        }
    }
    let indent = dice.one(&["  ", "", "\t", "    "]);
    let mut text = String::from("resource \"azurerm_kubernetes_cluster\" \"c\" {\n");
    for line in lines {
        // The lines of a heredoc are its own.
        let line = if line.contains("<<EOT") {
            line.to_owned()
        } else {
            line.replace('\n', &format!("\n{indent}"))
        };
        text.push_str(&format!("{indent}{line}\n"));
    }
    text.push_str("}\n\nvariable \"off\" {\n  default = false\n}\n\nlocals {\n  off = false\n}\n");
    text
}

const WISHES: &[(&str, &str, &str)] = &[
    (
        "properties.disableLocalAccounts",
        "true",
        "local_account_disabled",
    ),
    (
        "properties.apiServerAccessProfile.disableRunCommand",
        "true",
        "run_command_enabled",
    ),
    (
        "properties.addonProfiles.azurepolicy.enabled",
        "true",
        "azure_policy_enabled",
    ),
    ("sku.tier", "Standard", "sku_tier"),
    (
        "properties.autoUpgradeProfile.nodeOSUpgradeChannel",
        "NodeImage",
        "node_os_upgrade_channel",
    ),
    (
        "properties.securityProfile.imageCleaner.intervalHours",
        "168",
        "image_cleaner_interval_hours",
    ),
    (
        "properties.agentPoolProfiles.0.enableEncryptionAtHost",
        "true",
        "default_node_pool",
    ),
    (
        "properties.agentPoolProfiles.0.upgradeSettings.maxSurge",
        "33%",
        "default_node_pool",
    ),
    (
        "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
        "\"true\"",
        "key_vault_secrets_provider",
    ),
    (
        "properties.networkProfile.networkPlugin",
        "azure",
        "network_profile",
    ),
    (
        "properties.apiServerAccessProfile.enablePrivateCluster",
        "true",
        "private_cluster_enabled",
    ),
    (
        "properties.aadProfile.enableAzureRBAC",
        "true",
        "azure_active_directory_role_based_access_control",
    ),
];

fn edited(table: &Table, text: &str, (at, value, _): (&str, &str, &str)) -> Result<String, String> {
    let memory = Memory::of(&[("main.tf", text)]);
    let options = Options::default();
    let input = Input {
        files: &memory,
        table,
        folder: ".",
        options: &options,
    };
    let route = at
        .split('.')
        .map(|step| step.parse().map_or_else(|_| Step::from(step), Step::Index))
        .collect();
    let operations = [Operation::Set {
        route,
        value: Value::read(value).unwrap(),
    }];
    let wanted = Wanted {
        kind: "Microsoft.ContainerService/managedClusters",
        name: "aks",
        place: None,
        operations: &operations,
        within: None,
        at_call: false,
    };
    let mut editor = Editor::default();
    editor.apply(&input, &[wanted]).pop().unwrap()?;
    Ok(match editor.finish().remove("main.tf") {
        Some(edits) => apply(text, &edits),
        None => text.to_owned(),
    })
}

/// What a body says, without what a wish is about.
fn others(body: &Value, about: &str, depth: usize) -> Value {
    match body {
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .filter(|(key, _)| depth > 8 || key != about)
                .map(|(key, value)| (key.clone(), others(value, about, depth + 1)))
                .collect(),
        ),
        Value::List(items) => Value::List(
            items
                .iter()
                .filter(|item| {
                    let block = Value::String(about.to_owned());
                    !matches!(item, Value::Map(all) if all.contains(&("type".to_owned(), block)))
                })
                .map(|item| others(item, about, depth + 1))
                .collect(),
        ),
        value => value.clone(),
    }
}

/// Comments and texts, wherever they stand.
fn words(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.find(['#', '/']).map(|at| &line[at..]))
        .collect()
}

#[test]
fn random_bodies_stay_what_they_are() {
    let table = table();
    let mut dice = Dice(7);
    let mut bodies: Vec<String> = (0..200).map(|_| body(&mut dice)).collect();
    let read = ask(&bodies);
    // Half of them as they are formatted, a part with other line breaks.
    for (at, (text, read)) in bodies.iter_mut().zip(read).enumerate() {
        let (formatted, _) = read.unwrap();
        match at % 4 {
            0 | 1 => *text = formatted,
            2 if !text.contains("<<") => *text = text.replace('\n', "\r\n"),
            _ => {}
        }
    }
    let (mut before, mut after, mut wishes) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = BTreeMap::new();
    for text in &bodies {
        let wish = WISHES[dice.below(WISHES.len())];
        match edited(&table, text, wish) {
            Ok(new) => {
                let again =
                    edited(&table, &new, wish).unwrap_or_else(|why| panic!("{why}:\n{new}"));
                assert_eq!(again, new, "a second time changes something");
                before.push(text.clone());
                after.push(new);
                wishes.push(wish);
            }
            Err(why) => *refused.entry(why).or_insert(0) += 1,
        }
    }
    assert!(after.len() > 130, "{} edited; {refused:#?}", after.len());
    let (old, new) = (ask(&before), ask(&after));
    for (at, (old, new)) in old.into_iter().zip(new).enumerate() {
        let ((was, old), (is, new)) = (old.unwrap(), new.unwrap());
        let (text, made, wish) = (&before[at], &after[at], wishes[at]);
        let told = format!("{wish:?}\n{text}\nbecame\n{made}");
        if was == *text {
            assert_eq!(is, *made, "it is formatted no more: {told}");
        }
        // A literal may stand in a variable or a local value.
        let about = match wish.2 {
            "azure_policy_enabled" if text.contains(wish.2) => "default",
            "private_cluster_enabled" if text.contains(wish.2) => "off",
            about => about,
        };
        assert_eq!(others(&old, about, 0), others(&new, about, 0), "{told}");
        for comment in words(text) {
            assert!(
                made.contains(comment.trim_end()),
                "`{comment}` is lost: {told}"
            );
        }
        if text.contains("\r\n") {
            assert!(
                !made.replace("\r\n", "").contains('\n'),
                "mixed line breaks: {told}"
            );
        }
    }
}
