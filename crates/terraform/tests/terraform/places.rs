//! Where the properties stand that arguments become, and those that nobody wrote.

use bicep::source::Sources;
use bicep::value::{Data, Value};
use bumpalo::Bump;
use terraform::reading::Options;

use crate::given::Memory;
use crate::table::table;

#[test]
fn properties_stand_where_their_arguments_do() {
    let text = "resource \"azurerm_kubernetes_cluster\" \"c\" {\n  name = \"aks\"\n  local_account_disabled = true\n  network_profile {\n    network_plugin = \"azure\"\n  }\n}\n";
    let arena = Bump::new();
    let mut sources = Sources::default();
    let files = Memory::of(&[("main.tf", text)]);
    let found = terraform::read(
        &arena,
        &files,
        &mut sources,
        &table(),
        ".",
        &Options::default(),
    );
    let properties = found.resources[0].body.get("properties").unwrap();
    let line = |path: &[&str]| {
        let value = path
            .iter()
            .fold(properties, |value, key| value.get(key).unwrap());
        sources.line_column(value.span)
    };
    assert_eq!(line(&["disableLocalAccounts"]), (3, 28));
    assert_eq!(line(&["networkProfile"]), (4, 3));
    assert_eq!(line(&["networkProfile", "networkPlugin"]), (5, 22));
    // What nobody wrote stands with what it is in.
    assert_eq!(sources.line_column(properties.span), (1, 1));
    assert_eq!(line(&["apiServerAccessProfile"]), (1, 1));
    // What azurerm sends by itself stands with the block that leaves it out.
    assert_eq!(line(&["networkProfile", "outboundType"]), (4, 3));
    assert_eq!(line(&["enableRBAC"]), (1, 1));
}

/// Every object of a body by its path, with the lines of its key and of the object, and every
/// other value that nobody wrote.
fn places(value: &Value<'_>, sources: &Sources<'_>) -> (Vec<(String, u32)>, Vec<String>) {
    fn walk(
        path: &str,
        value: &Value<'_>,
        sources: &Sources<'_>,
        objects: &mut Vec<(String, u32)>,
        nobody: &mut Vec<String>,
    ) {
        for field in value.fields() {
            let path = format!("{path}.{}", field.key);
            let path = path.trim_start_matches('.');
            if matches!(field.value.data, Data::Object(_)) {
                objects.push((path.to_owned(), sources.line_column(field.key_span).0));
                walk(path, &field.value, sources, objects, nobody);
            } else if field.value.span.start == field.value.span.end {
                nobody.push(path.to_owned());
            }
        }
    }
    let (mut objects, mut nobody) = (Vec::new(), Vec::new());
    walk("", value, sources, &mut objects, &mut nobody);
    (objects, nobody)
}

#[test]
fn what_nobody_wrote_stands_with_its_resource_or_its_block() {
    let text = r#"resource "azurerm_kubernetes_cluster" "c" {
  name                = "aks"
  resource_group_name = "rg"
  default_node_pool {
    name    = "system"
    vm_size = "Standard_D4s_v5"
  }
  identity { type = "SystemAssigned" }
  workload_identity_enabled = true
  private_cluster_enabled   = true
  azure_policy_enabled      = true
  network_profile {
    network_plugin = "azure"
  }
  key_vault_secrets_provider {}
}
resource "azurerm_subnet" "s" {
  name                 = "nodes"
  resource_group_name  = "rg"
  virtual_network_name = "v"
  address_prefixes     = ["10.0.0.0/24"]
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = "/n"
}
"#;
    let arena = Bump::new();
    let mut sources = Sources::default();
    let files = Memory::of(&[("main.tf", text)]);
    let found = terraform::read(
        &arena,
        &files,
        &mut sources,
        &table(),
        ".",
        &Options::default(),
    );
    let (objects, nobody) = places(&found.resources[0].body, &sources);
    let blocks = [
        ("identity", 8),
        ("properties.networkProfile", 12),
        ("properties.addonProfiles.azureKeyvaultSecretsProvider", 15),
        (
            "properties.addonProfiles.azureKeyvaultSecretsProvider.config",
            15,
        ),
    ];
    for (path, line) in &objects {
        let block = blocks.iter().find(|(block, _)| block == path);
        assert_eq!(*line, block.map_or(1, |(_, line)| *line), "{path}");
    }
    assert!(
        blocks
            .iter()
            .all(|(block, line)| { objects.contains(&((*block).to_owned(), *line)) })
    );
    for path in [
        "properties.disableLocalAccounts",
        "properties.apiServerAccessProfile.disableRunCommand",
        "properties.networkProfile.outboundType",
        "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
        "sku.tier",
    ] {
        assert!(
            nobody.iter().any(|known| known == path),
            "{path} {nobody:?}"
        );
    }
    // What is written, also for another property, was written by somebody.
    for path in [
        "type",
        "name",
        "properties.apiServerAccessProfile.enablePrivateCluster",
        "properties.networkProfile.networkPlugin",
        "properties.addonProfiles.azureKeyvaultSecretsProvider.enabled",
    ] {
        assert!(
            !nobody.iter().any(|known| known == path),
            "{path} {nobody:?}"
        );
    }
    let (objects, _) = places(&found.resources[1].body, &sources);
    assert!(
        objects.contains(&("properties".to_owned(), 17)),
        "{objects:?}"
    );
    let nsg = found.resources[1].body.get("properties").unwrap();
    let nsg = nsg.get("networkSecurityGroup").unwrap().get("id").unwrap();
    assert_eq!(sources.line_column(nsg.span).0, 25);
}

#[test]
fn an_association_does_not_place_what_it_adds_to() {
    let text = r#"resource "azurerm_subnet" "s" {
  name                 = "nodes"
  resource_group_name  = "rg"
  virtual_network_name = "v"
}
resource "azurerm_subnet_network_security_group_association" "a" {
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = "/n"
}
"#;
    let arena = Bump::new();
    let mut sources = Sources::default();
    let files = Memory::of(&[("main.tf", text)]);
    let found = terraform::read(
        &arena,
        &files,
        &mut sources,
        &table(),
        ".",
        &Options::default(),
    );
    let (objects, _) = places(&found.resources[0].body, &sources);
    assert!(
        objects.contains(&("properties".to_owned(), 1)),
        "{objects:?}"
    );
    assert!(
        objects.contains(&("properties.networkSecurityGroup".to_owned(), 6))
            || objects.contains(&("properties.networkSecurityGroup".to_owned(), 8)),
        "{objects:?}"
    );
}
