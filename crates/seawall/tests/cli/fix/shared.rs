//! Fixes of modules that several call: for all of them, for those that may have it, or in their calls.

use std::fs;

use crate::run::Folder;

use super::{fix, read};

fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (name, text) in files {
        if let Some((inner, _)) = name.rsplit_once('/') {
            fs::create_dir_all(folder.path().join(inner)).unwrap();
        }
        folder.write(name, text);
    }
    folder
}

const PLATFORM: &str = "\
param name string
param paid bool = false // for a while

var tier = paid ? 'Standard' : 'Free'

resource cluster 'Microsoft.ContainerService/managedClusters@2025-10-01' = {
  name: name
  location: 'westeurope'
  identity: { type: 'SystemAssigned' }
  sku: { name: 'Base', tier: tier }
  properties: {
    dnsPrefix: name
    agentPoolProfiles: [
      { name: 'system', mode: 'System', count: 3, vmSize: 'Standard_D4ds_v5' }
    ]
  }
}
";

fn call(name: &str, more: &str) -> String {
    format!(
        "module cluster 'platform.bicep' = {{\n  name: '{name}'\n  params: {{\n    name: '{name}'{more}\n  }}\n}}\n"
    )
}

#[test]
fn a_caller_that_says_otherwise_keeps_nobody_else_from_it() {
    let folder = folder(&[
        ("platform.bicep", PLATFORM),
        ("one.bicep", &call("one", "")),
        ("two.bicep", &call("two", "\n    paid: false")),
        ("three.bicep", &call("three", "")),
    ]);
    let asked = [
        "one.bicep",
        "two.bicep",
        "three.bicep",
        "--guideline",
        "prov-sla-tier",
        "--write",
        "--unsafe",
        "--format",
        "json",
    ];
    let report = fix(&folder, &asked).json();
    assert_eq!(
        read(&folder, "platform.bicep"),
        PLATFORM.replace("bool = false", "bool = true")
    );
    let cured = report.value["changes"][0]["fixes"][0]["findings"]
        .as_array()
        .unwrap();
    let mut names: Vec<&str> = cured
        .iter()
        .map(|finding| finding["resource"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Microsoft.ContainerService/managedClusters/one",
            "Microsoft.ContainerService/managedClusters/three"
        ]
    );
    assert_eq!(report.value["summary"]["unsafe"], 2);
    let left = report.list("/notFixed");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        left[0]["finding"]["resource"],
        "Microsoft.ContainerService/managedClusters/two"
    );
    assert_eq!(
        left[0]["why"],
        "`prov-sla-tier` would still not hold after it"
    );
}

const MODULE: &str = r#"variable "name" {
  type = string
}

variable "defended" {
  type    = bool
  default = false
}

variable "workspace" {
  type    = object({ id = string })
  default = null
}

resource "azurerm_kubernetes_cluster" "main" {
  name                   = var.name
  location               = "westeurope"
  resource_group_name    = "rg"
  dns_prefix             = var.name
  local_account_disabled = false

  default_node_pool {
    name    = "system"
    vm_size = "Standard_D4s_v5"
  }

  dynamic "microsoft_defender" {
    for_each = var.defended ? ["on"] : []

    content {
      log_analytics_workspace_id = var.workspace.id
    }
  }

  identity {
    type = "SystemAssigned"
  }
}
"#;

const WITH: &str = r#"module "aks" {
  source = "../../"

  name = "with"
  workspace = {
    id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w"
  }
}
"#;

const WITHOUT: &str = r#"module "aks" {
  source = "../../"

  name = "without"
}
"#;

#[test]
fn a_call_says_what_the_module_must_not_say_for_all() {
    let folder = folder(&[
        ("main.tf", MODULE),
        ("examples/with/main.tf", WITH),
        ("examples/without/main.tf", WITHOUT),
    ]);
    let asked = [
        "--guideline",
        "mon-defender-profile",
        "--guideline",
        "api-local-accounts-off",
    ];
    let before = folder.json(&["."]).findings().len();
    let ran = fix(
        &folder,
        &[&[".", "--write", "--unsafe"], &asked[..]].concat(),
    );
    // One reads no workspace, and says so with the name of the file.
    let said: Vec<&str> = ran.out.split_whitespace().collect();
    let said = said.join(" ");
    assert!(said.contains("after it"), "{}{}", ran.out, ran.err);
    assert_eq!(
        read(&folder, "main.tf"),
        MODULE.replace(
            "local_account_disabled = false",
            "local_account_disabled = true"
        )
    );
    assert_eq!(
        read(&folder, "examples/with/main.tf"),
        WITH.replace(
            "/workspaces/w\"\n  }\n",
            "/workspaces/w\"\n  }\n  defended = true\n"
        )
    );
    assert_eq!(read(&folder, "examples/without/main.tf"), WITHOUT);
    assert!(folder.json(&["."]).findings().len() < before);
}

const ARM: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "paid": { "type": "bool", "defaultValue": false } // for a while
  },
  "resources": [
    {
      "type": "Microsoft.ContainerService/managedClusters",
      "apiVersion": "2025-10-01",
      "name": "shop",
      "location": "westeurope",
      "sku": { "name": "Base", "tier": "[if(parameters('paid'), 'Standard', 'Free')]" },
      "properties": { "dnsPrefix": "shop" }
    }
  ]
}
"#;

#[test]
fn a_condition_of_arm_is_decided_by_its_parameter() {
    let asked = [
        "azuredeploy.json",
        "--guideline",
        "prov-sla-tier",
        "--write",
        "--unsafe",
    ];
    for (from, to) in [
        ("if(parameters('paid'), ", "if(parameters('paid'), "),
        (
            "if(parameters('paid'), 'Standard', 'Free')",
            "if(not(not(parameters('paid'))), 'Standard', 'Free')",
        ),
    ] {
        let text = ARM.replace(from, to);
        let folder = folder(&[("azuredeploy.json", &text)]);
        let ran = fix(&folder, &asked);
        assert_eq!(
            read(&folder, "azuredeploy.json"),
            text.replace("\"defaultValue\": false", "\"defaultValue\": true"),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    // No default of the parameter makes it what it should be.
    let text = ARM.replace("'Standard'", "'Trial'");
    let folder = folder(&[("azuredeploy.json", &text)]);
    let ran = fix(&folder, &asked);
    let said: Vec<&str> = ran.out.split_whitespace().collect();
    assert!(
        said.join(" ").contains("is decided by `[if("),
        "{}",
        ran.out
    );
    assert_eq!(read(&folder, "azuredeploy.json"), text);
}
