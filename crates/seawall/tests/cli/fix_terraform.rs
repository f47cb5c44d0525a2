//! `fix` of Terraform configurations: arguments are set where they are said, and nothing else changes.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::run::{DAY, Folder, Json, Ran};

const MAIN: &str = r#"# The shop's cluster.
resource "azurerm_resource_group" "shop" {
  name     = "rg-shop"
  location = "westeurope"
}

resource "azurerm_kubernetes_cluster" "shop" {
  name                = "shop"
  location            = azurerm_resource_group.shop.location
  resource_group_name = azurerm_resource_group.shop.name
  dns_prefix          = "shop"

  # nobody needs it
  local_account_disabled = false # yet
  run_command_enabled    = var.run_command

  default_node_pool {
    name    = "system"
    vm_size = "Standard_D4s_v5" # with a disk
  }

  identity {
    type = "SystemAssigned"
  }
}
"#;

const VARIABLES: &str = r#"variable "run_command" {
  type    = bool
  default = true
}
"#;

/// What must have become of it; only these guidelines are asked for.
const FIXED: &str = r#"# The shop's cluster.
resource "azurerm_resource_group" "shop" {
  name     = "rg-shop"
  location = "westeurope"
}

resource "azurerm_kubernetes_cluster" "shop" {
  name                = "shop"
  location            = azurerm_resource_group.shop.location
  resource_group_name = azurerm_resource_group.shop.name
  dns_prefix          = "shop"

  # nobody needs it
  local_account_disabled = true # yet
  run_command_enabled    = var.run_command

  default_node_pool {
    name                    = "system"
    vm_size                 = "Standard_D4s_v5" # with a disk
    host_encryption_enabled = true
  }

  identity {
    type = "SystemAssigned"
  }
}
"#;

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["fix", "--as-of", DAY], args].concat())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The guidelines with findings, without their places: lines move.
fn failing(report: &Json) -> Vec<String> {
    let findings = report.findings();
    findings
        .iter()
        .filter_map(|finding| finding.split_once(' '))
        .map(|(_, said)| said.to_owned())
        .collect()
}

const ASKED: [&str; 6] = [
    "--guideline",
    "api-local-accounts-off",
    "--guideline",
    "api-run-command-off",
    "--guideline",
    "host-encryption-at-host",
];

#[test]
fn arguments_are_set_where_they_are_said() {
    let folder = Folder::of(&[("infra/main.tf", MAIN), ("infra/variables.tf", VARIABLES)]);
    let before = failing(&folder.json(&["infra"]));
    let shown = fix(&folder, &[&["infra"], &ASKED[..]].concat());
    assert_eq!(shown.code, 1, "{}{}", shown.out, shown.err);
    for line in [
        "-  local_account_disabled = false # yet",
        "+  local_account_disabled = true # yet",
        "+    host_encryption_enabled = true",
        "infra/variables.tf",
        "-  default = true",
        "+  default = false",
    ] {
        assert!(shown.out.contains(line), "{line}:\n{}", shown.out);
    }
    assert_eq!(read(&folder, "infra/main.tf"), MAIN);
    let wrote = fix(
        &folder,
        &[&["infra", "--write", "--unsafe"], &ASKED[..]].concat(),
    );
    assert_eq!(wrote.code, 0, "{}{}", wrote.out, wrote.err);
    assert_eq!(read(&folder, "infra/main.tf"), FIXED);
    assert_eq!(
        read(&folder, "infra/variables.tf"),
        VARIABLES.replace("default = true", "default = false")
    );
    let after = failing(&folder.json(&["infra"]));
    let known: BTreeSet<&String> = before.iter().collect();
    assert!(
        after.iter().all(|one| known.contains(one)),
        "{after:?}\n{before:?}"
    );
    assert!(after.len() + 3 <= before.len(), "{after:?}\n{before:?}");
    let again = fix(&folder, &[&["infra"], &ASKED[..]].concat());
    assert_eq!(again.code, 0, "{}", again.out);
    assert!(again.out.contains("Nothing to fix here"), "{}", again.out);
}

fn fingerprint(finding: &Value) -> String {
    finding["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn all_that_can_be_written_holds() {
    let folder = Folder::of(&[("main.tf", MAIN), ("variables.tf", VARIABLES)]);
    let before = folder.json(&["."]);
    let wrote = fix(&folder, &[".", "--write", "--unsafe", "--format", "json"]);
    let (code, report) = (wrote.code, wrote.json());
    assert_eq!(code, 0);
    let fixed = report.value["summary"]["safe"].as_u64().unwrap()
        + report.value["summary"]["unsafe"].as_u64().unwrap();
    assert!(fixed >= 10, "{:#}", report.value["summary"]);
    let after = folder.json(&["."]);
    let known: BTreeSet<String> = before.list("/findings").iter().map(fingerprint).collect();
    let (old, new): (Vec<_>, Vec<_>) = after
        .list("/findings")
        .iter()
        .partition(|one| known.contains(&fingerprint(one)));
    assert!(old.len() as u64 + fixed <= known.len() as u64, "{old:#?}");
    // How people come to an API server that has become private is in no file.
    assert!(
        new.iter().all(|one| one["verdict"] == "unknown"),
        "{new:#?}"
    );
    let text = read(&folder, "main.tf");
    assert!(text.contains("# nobody needs it\n"), "{text}");
    let reasons = report.value["notFixed"].to_string();
    assert!(reasons.contains("which only you can know"), "{reasons}");
}

#[test]
fn a_plan_names_the_configuration() {
    let plan = include_str!("../../../terraform/tests/terraform/plan.json");
    let folder = Folder::of(&[("plan.json", plan)]);
    let ran = fix(&folder, &["plan.json"]);
    assert_eq!(read(&folder, "plan.json"), plan);
    let said: Vec<&str> = ran.out.split_whitespace().collect();
    assert!(
        said.join(" ")
            .contains("give the configuration that it is made from"),
        "{}{}",
        ran.out,
        ran.err
    );
}
