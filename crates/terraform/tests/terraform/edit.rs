//! Edits of configurations: what they write, and what they refuse.

use std::collections::BTreeMap;

use terraform::edit::{Editor, Input, Wanted};
use terraform::reading::Options;
use yaml::edit::{Operation, Step, Value, apply};

use crate::given::Memory;
use crate::table::table;

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";

pub(crate) fn route(text: &str) -> Vec<Step> {
    text.split('.')
        .map(|step| step.parse().map_or_else(|_| Step::from(step), Step::Index))
        .collect()
}

pub(crate) fn set(at: &str, value: &str) -> Operation {
    Operation::Set {
        route: route(at),
        value: Value::read(value).unwrap(),
    }
}

fn remove(at: &str) -> Operation {
    Operation::Remove {
        route: route(at),
        prune: true,
    }
}

/// The files after edits, or why there are none.
fn edited(
    files: &[(&str, &str)],
    options: &Options<'_>,
    (kind, name): (&str, &str),
    operations: &[Operation],
) -> Result<BTreeMap<String, String>, String> {
    let memory = Memory::of(files);
    let table = table();
    let input = Input {
        files: &memory,
        table: &table,
        folder: ".",
        options,
    };
    let mut editor = Editor::default();
    let wanted = Wanted {
        kind,
        name,
        place: None,
        operations,
        within: None,
        at_call: false,
    };
    let done = editor.apply(&input, &[wanted]);
    done.into_iter().collect::<Result<Vec<_>, String>>()?;
    let mut texts = memory.0;
    for (path, edits) in editor.finish() {
        let text = texts.get_mut(&path).unwrap();
        *text = apply(text, &edits);
    }
    Ok(texts)
}

/// One file, one cluster.
fn cluster(body: &str, operations: &[Operation]) -> Result<String, String> {
    let text = format!("resource \"azurerm_kubernetes_cluster\" \"c\" {{\n{body}}}\n");
    let texts = edited(
        &[("main.tf", &text)],
        &Options::default(),
        (CLUSTER, "aks"),
        operations,
    )?;
    let text = texts["main.tf"].clone();
    Ok(text
        .strip_prefix("resource \"azurerm_kubernetes_cluster\" \"c\" {\n")
        .unwrap()
        .strip_suffix("}\n")
        .unwrap()
        .to_owned())
}

const HEAD: &str = "  name                = \"aks\"\n  resource_group_name = \"rg\"\n";

#[test]
fn arguments_are_set() {
    for (body, operation, expected) in [
        // A literal, and what is said the other way round.
        (
            "  local_account_disabled = false # why\n",
            set("properties.disableLocalAccounts", "true"),
            "  local_account_disabled = true # why\n",
        ),
        (
            "  run_command_enabled = true\n",
            set(
                "properties.apiServerAccessProfile.disableRunCommand",
                "true",
            ),
            "  run_command_enabled = false\n",
        ),
        // Whatever the case.
        (
            "  sku_tier = \"Free\"\n",
            set("properties.DISABLELOCALACCOUNTS", "true"),
            "  sku_tier               = \"Free\"\n  local_account_disabled = true\n",
        ),
    ] {
        let body = format!("{HEAD}\n{body}");
        let expected = format!("{HEAD}\n{expected}");
        assert_eq!(cluster(&body, &[operation]).unwrap(), expected);
    }
}

#[test]
fn what_is_missing_is_made() {
    let pool = "\n  default_node_pool {\n    name    = \"system\"\n    vm_size = \"x\"\n  }\n";
    let body = format!("{HEAD}{pool}");
    for (operations, expected) in [
        (
            vec![set("properties.disableLocalAccounts", "true")],
            format!(
                "  name                   = \"aks\"\n  resource_group_name    = \"rg\"\n  local_account_disabled = true\n{pool}"
            ),
        ),
        (
            vec![
                set("properties.aadProfile.managed", "true"),
                set("properties.aadProfile.enableAzureRBAC", "true"),
            ],
            format!(
                "{HEAD}{pool}\n  azure_active_directory_role_based_access_control {{\n    azure_rbac_enabled = true\n  }}\n"
            ),
        ),
        (
            vec![set(
                "properties.agentPoolProfiles.0.enableEncryptionAtHost",
                "true",
            )],
            format!(
                "{HEAD}\n  default_node_pool {{\n    name                    = \"system\"\n    vm_size                 = \"x\"\n    host_encryption_enabled = true\n  }}\n"
            ),
        ),
        (
            vec![
                set(
                    "properties.addonProfiles.azureKeyvaultSecretsProvider.enabled",
                    "true",
                ),
                set(
                    "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
                    "\"true\"",
                ),
            ],
            format!(
                "{HEAD}{pool}\n  key_vault_secrets_provider {{\n    secret_rotation_enabled = true\n  }}\n"
            ),
        ),
    ] {
        assert_eq!(cluster(&body, &operations).unwrap(), expected);
    }
}

#[test]
fn what_is_wrong_goes() {
    let body = format!(
        "{HEAD}\n  service_principal {{\n    client_id     = \"a\"\n    client_secret = var.s\n  }}\n\n  identity {{\n    type = \"SystemAssigned\"\n  }}\n"
    );
    let expected = format!("{HEAD}\n  identity {{\n    type = \"SystemAssigned\"\n  }}\n");
    let removed = cluster(&body, &[remove("properties.servicePrincipalProfile")]);
    assert_eq!(removed.unwrap(), expected);
}

#[test]
fn refusals_say_why() {
    for (body, operation, why) in [
        (
            "",
            set("properties.addonProfiles.omsagent.enabled", "true"),
            "a new `oms_agent` block needs `log_analytics_workspace_id`, which only you can know",
        ),
        (
            "",
            set("properties.securityProfile.nodeRestriction.enabled", "true"),
            "no argument of the resource is known to set `properties.securityProfile.nodeRestriction.enabled`",
        ),
        (
            "",
            set("sku.name", "Automatic"),
            "azurerm always sends `Base` there",
        ),
        (
            "  local_account_disabled = var.x\n",
            set("properties.disableLocalAccounts", "true"),
            "`local_account_disabled`: `var.x` is computed",
        ),
        (
            "  lifecycle {\n    ignore_changes = [local_account_disabled]\n  }\n",
            set("properties.disableLocalAccounts", "true"),
            "`lifecycle` of `azurerm_kubernetes_cluster.c` ignores changes of `local_account_disabled`",
        ),
        (
            "  dynamic \"azure_active_directory_role_based_access_control\" {\n    for_each = var.x ? [1] : []\n    content {}\n  }\n",
            set("properties.aadProfile.enableAzureRBAC", "true"),
            "`azure_active_directory_role_based_access_control` is made by a dynamic block for `var.x ? [1] : []`",
        ),
    ] {
        let refused = cluster(&format!("{HEAD}{body}"), &[operation]).unwrap_err();
        assert_eq!(refused, why);
    }
}

#[test]
fn literals_are_edited_where_they_stand() {
    let main = "variable \"locals\" {\n  type    = bool\n  default = null\n}\n\nvariable \"run\" {\n  default = true\n}\n\nlocals {\n  policy = false\n}\n\nresource \"azurerm_kubernetes_cluster\" \"c\" {\n  name                   = \"aks\"\n  resource_group_name    = \"rg\"\n  local_account_disabled = var.locals\n  run_command_enabled    = var.run\n  azure_policy_enabled   = local.policy\n}\n";
    let texts = edited(
        &[("main.tf", main), ("terraform.tfvars", "run = true\n")],
        &Options::default(),
        (CLUSTER, "aks"),
        &[
            set("properties.disableLocalAccounts", "true"),
            set(
                "properties.apiServerAccessProfile.disableRunCommand",
                "true",
            ),
            set("properties.addonProfiles.azurepolicy.enabled", "true"),
        ],
    )
    .unwrap();
    assert_eq!(texts["terraform.tfvars"], "run = false\n");
    assert_eq!(
        texts["main.tf"],
        main.replace("default = null", "default = true")
            .replace("policy = false", "policy = true")
    );
}

#[test]
fn a_downloaded_module_is_told_by_its_call() {
    let module = "variable \"locals\" {\n  default = false\n}\nresource \"azurerm_kubernetes_cluster\" \"c\" {\n  name                   = \"aks\"\n  resource_group_name    = \"rg\"\n  local_account_disabled = var.locals\n}\n";
    let texts = edited(
        &[
            ("main.tf", "module \"aks\" {\n  source = \"Azure/aks/azurerm\"\n}\n"),
            (".terraform/modules/modules.json", "{\"Modules\":[{\"Key\":\"\",\"Dir\":\".\"},{\"Key\":\"aks\",\"Dir\":\".terraform/modules/aks\"}]}"),
            (".terraform/modules/aks/main.tf", module),
        ],
        &Options::default(),
        (CLUSTER, "aks"),
        &[set("properties.disableLocalAccounts", "true")],
    )
    .unwrap();
    assert_eq!(texts[".terraform/modules/aks/main.tf"], module);
    assert_eq!(
        texts["main.tf"],
        "module \"aks\" {\n  source = \"Azure/aks/azurerm\"\n\n  locals = true\n}\n"
    );
}

#[test]
fn what_others_share_is_not_changed_for_one() {
    let main = "variable \"on\" {\n  default = false\n}\nresource \"azurerm_kubernetes_cluster\" \"c\" {\n  name                   = \"aks\"\n  resource_group_name    = \"rg\"\n  local_account_disabled = var.on\n  azure_policy_enabled   = var.on\n}\n";
    let refused = edited(
        &[("main.tf", main)],
        &Options::default(),
        (CLUSTER, "aks"),
        &[set("properties.disableLocalAccounts", "true")],
    );
    assert_eq!(
        refused.unwrap_err(),
        "`properties.addonprofiles.azurepolicy.enabled` of Microsoft.ContainerService/managedClusters `aks` would change too"
    );
}

#[test]
fn the_body_of_azapi_is_edited() {
    for (body, expected) in [
        (
            "{\n    properties = {\n      disableLocalAccounts = false\n    }\n  }",
            "{\n    properties = {\n      disableLocalAccounts = true\n    }\n  }",
        ),
        (
            "jsonencode({\n    properties = {\n      a = 1\n    }\n  })",
            "jsonencode({\n    properties = {\n      a                    = 1\n      disableLocalAccounts = true\n    }\n  })",
        ),
        (
            "{ properties = { disableLocalAccounts = var.x } }",
            "{ properties = { disableLocalAccounts = var.x } }",
        ),
    ] {
        let text = format!(
            "variable \"x\" {{\n  default = false\n}}\nresource \"azapi_resource\" \"c\" {{\n  type      = \"Microsoft.ContainerService/managedClusters@2025-10-01\"\n  name      = \"aks\"\n  parent_id = \"/subscriptions/s/resourceGroups/rg\"\n  body      = {body}\n}}\n"
        );
        let texts = edited(
            &[("main.tf", &text)],
            &Options::default(),
            (CLUSTER, "aks"),
            &[set("properties.disableLocalAccounts", "true")],
        )
        .unwrap();
        let after = text.replace(body, expected);
        let after = match body.contains("var.x") {
            true => after.replace("default = false", "default = true"),
            false => after,
        };
        // A body on more lines breaks the alignment of its line alone.
        assert_eq!(texts["main.tf"], after);
    }
}

#[test]
fn the_version_in_use_decides_the_name() {
    for (version, name) in [
        ("~> 3.0", "enable_rbac_authorization"),
        ("~> 4.0", "rbac_authorization_enabled"),
    ] {
        let text = format!(
            "terraform {{\n  required_providers {{\n    azurerm = {{\n      source  = \"hashicorp/azurerm\"\n      version = \"{version}\"\n    }}\n  }}\n}}\nresource \"azurerm_key_vault\" \"v\" {{\n  name                = \"v\"\n  resource_group_name = \"rg\"\n}}\n"
        );
        let texts = edited(
            &[("main.tf", &text)],
            &Options::default(),
            ("Microsoft.KeyVault/vaults", "v"),
            &[set("properties.enableRbacAuthorization", "true")],
        )
        .unwrap();
        assert!(
            texts["main.tf"].contains(&format!("  {name}")),
            "{}",
            texts["main.tf"]
        );
    }
}
