//! Azure resources that `fix` adds beside others: in Bicep, ARM JSON and Terraform, with what they refer to.

use std::fs;

use serde_json::Value;

use crate::run::{DAY, Folder, Ran};

const GUIDELINES: [&str; 12] = [
    "--guideline",
    "env-delete-lock",
    "--guideline",
    "up-maintenance-window",
    "--guideline",
    "prov-policy-initiative-assigned",
    "--guideline",
    "mon-vault-registry-logs",
    "--guideline",
    "paas-endpoint-subnet-guarded",
    "--guideline",
    "mon-defender-plan",
];

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["fix", "--as-of", DAY, "--whole"], &GUIDELINES[..], args].concat())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// What still fails, of the guidelines that were asked for.
fn failing(folder: &Folder) -> Vec<String> {
    let args = ["assess", ".", "--whole", "--as-of", DAY, "--format", "json"];
    let report = folder.run(&[&args[..], &GUIDELINES].concat());
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let all = report["findings"].as_array().unwrap().iter();
    let fails = all.filter(|finding| finding["verdict"] == "fail");
    fails
        .map(|finding| {
            format!(
                "{} {}",
                finding["guideline"].as_str().unwrap_or_default(),
                finding["resource"]["id"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

/// The workspace that takes the logs: in the cluster's own group the cluster's administrators could delete it.
const CONFIGURED: &str = "logWorkspace: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/all\n";

/// Writes all fixes; what is written must hold, and once more there is nothing to do.
fn written(folder: &Folder, name: &str) -> String {
    let ran = fix(folder, &[".", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = read(folder, name);
    let again = fix(folder, &[".", "--write", "--unsafe"]);
    assert!(!again.out.contains("Fixed"), "{}\n{text}", again.out);
    assert_eq!(read(folder, name), text);
    text
}

const BICEP: &str = "\
param location string = 'westeurope'
param withCluster bool = true

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
    name: 'shop'
    location: location
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
    name: 'shop'
    location: location
    properties: {
        addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
        subnets: [
            {
                name: 'endpoints'
                properties: { addressPrefix: '10.0.1.0/24' }
            }
        ]
    }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
    name: 'vault'
    location: location
    properties: {
        subnet: { id: '${network.id}/subnets/endpoints' }
    }
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
    name: 'shop'
    location: location
    sku: { name: 'Premium' }
    properties: {}
}

resource aks 'Microsoft.ContainerService/managedClusters@2025-10-01' = if (withCluster) {
    name: 'shop'
    location: location
    identity: { type: 'SystemAssigned' }
    properties: {
        dnsPrefix: 'shop'
        autoUpgradeProfile: { upgradeChannel: 'stable', nodeOSUpgradeChannel: 'None' }
    }
} // the shop
// Taken already.
var aksLock = 1

output one int = aksLock
";

#[test]
fn bicep_gets_statements_with_symbolic_names() {
    let folder = Folder::of(&[("main.bicep", BICEP)]);
    let text = written(&folder, "main.bicep");
    for block in [
        "\
// Whoever deploys it needs Owner, User Access Administrator or a role made for locks.
resource aksLock2 'Microsoft.Authorization/locks@2020-05-01' = if (withCluster) {
    scope: aks
    name: 'keep'
    properties: {
        level: 'CanNotDelete'
    }
}
",
        "\
resource logsLock 'Microsoft.Authorization/locks@2020-05-01' = {
    scope: logs
    name: 'keep'
",
        "\
resource registryAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
    scope: registry
    name: 'audit'
    properties: {
        workspaceId: logs.id
        logs: [
            {
                categoryGroup: 'audit'
                enabled: true
            }
        ]
    }
}
",
        "\
resource aksUpgradeWindow 'Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2026-05-01' = if (withCluster) {
    parent: aks
    name: 'aksManagedAutoUpgradeSchedule'
",
        "\
resource aksPodSecurity 'Microsoft.Authorization/policyAssignments@2025-03-01' = if (withCluster) {
    name: 'aks-pod-security'
",
        "}\n\n// Taken already.\n",
        // Another resource than the one that the finding is about.
        "                properties: { addressPrefix: '10.0.1.0/24', privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled' }\n",
    ] {
        assert!(text.contains(block), "{block}\n---\n{text}");
    }
    // Nothing that stood there went, but for what the line of the subnet holds.
    let mut lines = text.lines();
    for line in BICEP.lines().filter(|line| !line.contains("10.0.1.0/24")) {
        assert!(lines.any(|new| new == line), "{line}\n---\n{text}");
    }
    // What belongs to the subscription has no place in the file.
    assert_eq!(
        failing(&folder),
        ["mon-defender-plan Microsoft.ContainerService/managedClusters/shop"]
    );
    let left = fix(&folder, &["."]);
    let words: Vec<&str> = left.out.split_whitespace().collect();
    let says = "`Containers` belongs to the subscription";
    assert!(words.join(" ").contains(says), "{}", left.out);
}

#[test]
fn what_cannot_be_added_says_why() {
    let looped = "\
param names array
resource vaults 'Microsoft.KeyVault/vaults@2024-11-01' = [for name in names: {
  name: name
  location: 'westeurope'
  properties: {}
}]
resource one 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'one'
  location: 'westeurope'
}
resource two 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'two'
  location: 'westeurope'
}
resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'shop'
  location: 'westeurope'
  sku: { name: 'Premium' }
  properties: {}
}
";
    let values = "using 'main.bicep'\nparam names = ['a', 'b']\n";
    let folder = Folder::of(&[("main.bicep", looped), ("main.bicepparam", values)]);
    let ran = fix(&folder, &["."]);
    for why in [
        "is made in a loop",
        "Which Log Analytics workspace takes the logs?",
    ] {
        let out: Vec<&str> = ran.out.split_whitespace().collect();
        assert!(out.join(" ").contains(why), "{why}\n{}", ran.out);
    }
    // What is configured is used.
    folder.write("seawall.yaml", CONFIGURED);
    let ran = fix(&folder, &["."]);
    let says = "workspaceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/all'";
    assert!(ran.out.contains(says), "{}", ran.out);
}

#[test]
fn logs_of_a_cluster_do_not_go_where_its_administrators_delete_them() {
    let folder = Folder::of(&[("main.bicep", BICEP)]);
    let only = [
        "fix",
        ".",
        "--as-of",
        DAY,
        "--whole",
        "--guideline",
        "mon-audit-logs",
    ];
    let ran = folder.run(&only);
    assert!(
        ran.out.contains("`mon-log-tamper` would be worse"),
        "{}",
        ran.out
    );
    folder.write("seawall.yaml", CONFIGURED);
    let ran = folder.run(&only);
    assert!(ran.out.contains("+resource aksAudit "), "{}", ran.out);
}

const ARM: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"name": {"type": "string", "defaultValue": "shop"}},
  "resources": [
    {
      "type": "Microsoft.OperationalInsights/workspaces",
      "apiVersion": "2025-02-01",
      "name": "[format('log-{0}', parameters('name'))]",
      "location": "westeurope"
    },
    {
      "type": "Microsoft.ContainerRegistry/registries",
      "apiVersion": "2025-11-01",
      "name": "[format('{0}registry', parameters('name'))]",
      "location": "westeurope",
      "sku": {"name": "Premium"},
      "properties": {}
    },
    {
      "type": "Microsoft.ContainerService/managedClusters",
      "apiVersion": "2025-10-01",
      "name": "[parameters('name')]",
      "location": "westeurope",
      "identity": {"type": "SystemAssigned"},
      "properties": {
        "dnsPrefix": "shop", // a comment
        "autoUpgradeProfile": {"upgradeChannel": "stable", "nodeOSUpgradeChannel": "None"}
      }
    }
  ]
}
"#;

#[test]
fn arm_gets_elements_of_resources() {
    let folder = Folder::of(&[("main.json", ARM)]);
    let text = written(&folder, "main.json");
    assert!(failing(&folder).is_empty(), "{:?}", failing(&folder));
    let id = "[resourceId('Microsoft.ContainerService/managedClusters', parameters('name'))]";
    let workspace = "[resourceId('Microsoft.OperationalInsights/workspaces', format('log-{0}', parameters('name')))]";
    let bare: String = text
        .lines()
        .map(|line| line.split(" // ").next().unwrap_or_default())
        .collect();
    let template: Value = serde_json::from_str(&bare).unwrap();
    let all = template["resources"].as_array().unwrap();
    let found = |kind: &str, name: &str| -> &Value {
        all.iter()
            .find(|one| one["type"] == kind && one["name"] == name)
            .unwrap_or_else(|| panic!("{kind} {name}\n{text}"))
    };
    let audit = found("Microsoft.Insights/diagnosticSettings", "audit");
    let registry = "[resourceId('Microsoft.ContainerRegistry/registries', format('{0}registry', parameters('name')))]";
    assert_eq!(audit["scope"], registry);
    assert_eq!(audit["properties"]["workspaceId"], workspace);
    assert_eq!(audit["dependsOn"].as_array().unwrap().len(), 2, "{audit}");
    let window = found(
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        "[format('{0}/aksManagedAutoUpgradeSchedule', parameters('name'))]",
    );
    assert_eq!(window["dependsOn"], serde_json::json!([id]));
    let locks = all
        .iter()
        .filter(|one| one["type"] == "Microsoft.Authorization/locks");
    let locked: Vec<&Value> = locks.map(|lock| &lock["scope"]).collect();
    for wanted in [id, registry, workspace] {
        assert!(locked.contains(&&Value::from(wanted)), "{wanted}\n{text}");
    }
    let plan = found("Microsoft.Resources/deployments", "defender-Containers");
    assert_eq!(plan["subscriptionId"], "[subscription().subscriptionId]");
    assert!(text.contains("\"dnsPrefix\": \"shop\", // a comment"));
}

const TERRAFORM: &str = r#"resource "azurerm_resource_group" "shop" {
  name     = "rg-shop"
  location = "westeurope"
}

resource "azurerm_log_analytics_workspace" "logs" {
  name                = "shop"
  location            = azurerm_resource_group.shop.location
  resource_group_name = azurerm_resource_group.shop.name
}

resource "azurerm_container_registry" "registry" {
  name                = "shop"
  location            = azurerm_resource_group.shop.location
  resource_group_name = azurerm_resource_group.shop.name
  sku                 = "Premium"
}

resource "azurerm_kubernetes_cluster" "shop" {
  name                      = "shop"
  location                  = azurerm_resource_group.shop.location
  resource_group_name       = azurerm_resource_group.shop.name
  dns_prefix                = "shop"
  automatic_upgrade_channel = "stable"
  node_os_upgrade_channel   = "None"

  default_node_pool {
    name    = "system"
    vm_size = "Standard_D4s_v5"
  }

  identity {
    type = "SystemAssigned"
  }
} # the shop
"#;

#[test]
fn terraform_gets_resources_and_blocks() {
    let folder = Folder::of(&[("main.tf", TERRAFORM)]);
    let text = written(&folder, "main.tf");
    for block in [
        r#"
# Whoever deploys it needs Owner, User Access Administrator or a role made for locks.
resource "azurerm_management_lock" "shop_lock" {
  name       = "keep"
  scope      = azurerm_kubernetes_cluster.shop.id
  lock_level = "CanNotDelete"
}
"#,
        r#"
resource "azurerm_monitor_diagnostic_setting" "registry_audit" {
  name                       = "audit"
  target_resource_id         = azurerm_container_registry.registry.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.logs.id

  enabled_log {
    category_group = "audit"
  }
}
"#,
        r#"
  maintenance_window_auto_upgrade {
    frequency   = "Weekly"
    interval    = 1
    day_of_week = "Sunday"
    duration    = 4
    start_time  = "02:00"
    utc_offset  = "+00:00"
  }
"#,
        "  resource_group_id    = azurerm_resource_group.shop.id\n",
        "  parameters           = jsonencode({ effect = { value = \"deny\" } })\n",
        r#"
resource "azurerm_security_center_subscription_pricing" "shop_defender" {
  resource_type = "Containers"
  tier          = "Standard"

  extension {
    name = "ContainerRegistriesVulnerabilityAssessments"
  }
}
"#,
    ] {
        assert!(text.contains(block), "{block}\n---\n{text}");
    }
    assert!(failing(&folder).is_empty(), "{:?}", failing(&folder));
    let mut lines = text.lines();
    for line in TERRAFORM.lines() {
        assert!(lines.any(|new| new == line), "{line}\n---\n{text}");
    }
}

#[test]
fn terraform_says_what_it_cannot_add() {
    let dynamic = r#"  dynamic "maintenance_window_auto_upgrade" {
    for_each = var.window == null ? [] : [var.window]
    content {
      frequency = "Weekly"
      interval  = 1
      duration  = 4
    }
  }

  identity {"#;
    let text = TERRAFORM.replace("  identity {", dynamic)
        + "\nvariable \"window\" {\n  default = null\n}\n\ndata \"azurerm_subscription\" \"current\" {}\n";
    let folder = Folder::of(&[("main.tf", &text)]);
    let asked = [
        "--guideline",
        "up-maintenance-window",
        "--guideline",
        "mon-activity-log",
    ];
    let args = [&["fix", ".", "--as-of", DAY, "--whole"][..], &asked].concat();
    let ran = folder.run(&args);
    let words: Vec<&str> = ran.out.split_whitespace().collect();
    let says = "has a dynamic block `maintenance_window_auto_upgrade`";
    assert!(words.join(" ").contains(says), "{}", ran.out);
    for line in [
        "+resource \"azurerm_monitor_diagnostic_setting\" \"shop_activity\" {",
        "+  target_resource_id         = data.azurerm_subscription.current.id",
        "+    category = \"Administrative\"",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
}

#[test]
fn parameters_that_carry_secrets_are_declared_secure() {
    let only = [
        "--guideline",
        "prov-secure-parameters",
        "--whole",
        "--as-of",
        DAY,
    ];
    let bicep = "\
@description('Of the jump host.')
param adminPassword string = 'not-a-real-one'
@secure()
param clientSecret string = 'neither'
param location string = 'westeurope'

resource id 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'shop'
  location: location
}
";
    let terraform = r#"variable "admin_password" {
  type    = string
  default = "not-a-real-one" # for tests
}

resource "azurerm_resource_group" "shop" {
  name     = "rg-shop"
  location = "westeurope"
}
"#;
    let folder = Folder::of(&[("main.bicep", bicep), ("main.tf", terraform)]);
    let args = [&["fix", ".", "--write", "--unsafe"][..], &only].concat();
    let ran = folder.run(&args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let cured = bicep
        .replace(
            "param adminPassword string = 'not-a-real-one'",
            "@secure()\nparam adminPassword string",
        )
        .replace(" = 'neither'", "");
    assert_eq!(read(&folder, "main.bicep"), cured, "{}", ran.out);
    assert_eq!(
        read(&folder, "main.tf"),
        terraform.replace(
            "  type    = string\n  default = \"not-a-real-one\" # for tests\n",
            "  type      = string\n  sensitive = true\n"
        ),
        "{}",
        ran.out
    );
    // Nobody may see what stood there.
    assert!(!ran.out.contains("not-a-real-one"), "{}", ran.out);
}
