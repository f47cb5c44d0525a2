//! New Azure resources that something refers to: the subnet to its security group, the cluster to its identity, in each
//! language in its own way.

use super::{fix, read, saved};
use crate::run::Folder;

const BICEP: &str = include_str!("referred/main.bicep");
const TERRAFORM: &str = include_str!("referred/main.tf");

const ONLY: [&str; 4] = [
    "--guideline",
    "net-subnet-nsg",
    "--guideline",
    "id-control-plane-user-assigned",
];

/// Writes the fixes; once more there is nothing to do.
fn written(folder: &Folder, name: &str, args: &[&str]) -> String {
    let report = saved(fix, folder, &[&["."], args].concat());
    assert_eq!(
        report.value["notFixed"].as_array().unwrap().len(),
        0,
        "{}",
        report.value["notFixed"]
    );
    let text = read(folder, name);
    // What stands for an id while it is not written yet.
    assert!(!text.contains(['\u{e002}', '\u{e003}']), "{text}");
    let again = fix(folder, &[&["."], args].concat());
    assert!(again.out.contains("Nothing to fix here."), "{}", again.out);
    text
}

#[test]
fn bicep_says_symbolic_names() {
    let folder = Folder::of(&[("main.bicep", BICEP)]);
    let text = written(&folder, "main.bicep", &ONLY);
    for said in [
        "resource spokeNsg 'Microsoft.Network/networkSecurityGroups@",
        "name: 'nsg-nodes'",
        "id: spokeNsg.id",
        "addressPrefix: '10.1.0.0/22' // enough for 1000 nodes",
        "resource shopIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@",
        "type: 'UserAssigned'",
        "'${shopIdentity.id}': {}",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn terraform_says_addresses_and_associations() {
    let folder = Folder::of(&[("main.tf", TERRAFORM)]);
    let text = written(&folder, "main.tf", &ONLY);
    for said in [
        "resource \"azurerm_network_security_group\" \"nodes_nsg\" {",
        "resource \"azurerm_subnet_network_security_group_association\" \"nodes_nsg_association\" {",
        "= azurerm_network_security_group.nodes_nsg.id",
        "resource \"azurerm_user_assigned_identity\" \"shop_identity\" {",
        "type         = \"UserAssigned\"",
        "identity_ids = [azurerm_user_assigned_identity.shop_identity.id]",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // The cluster refers to the identity, so the identity must not refer to the cluster.
    let identity = text
        .split("azurerm_user_assigned_identity\"")
        .nth(1)
        .unwrap();
    let identity = identity.split("\n}").next().unwrap();
    assert!(
        !identity.contains("azurerm_kubernetes_cluster"),
        "{identity}"
    );
}

#[test]
fn arm_says_ids_and_what_comes_first() {
    let folder = Folder::of(&[("main.bicep", BICEP)]);
    let built = folder.run(&["template", "build", "main.bicep"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let folder = Folder::of(&[("main.json", &built.out)]);
    let text = written(&folder, "main.json", &ONLY);
    let template: serde_json::Value = serde_json::from_str(&text).unwrap();
    let all = template["resources"].as_array().unwrap();
    let of = |kind: &str| all.iter().find(|one| one["type"] == kind).unwrap();
    let nsg = "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg-nodes')]";
    let spoke = of("Microsoft.Network/virtualNetworks");
    let subnet = &spoke["properties"]["subnets"][0]["properties"];
    assert_eq!(subnet["networkSecurityGroup"]["id"], nsg);
    assert_eq!(spoke["dependsOn"], serde_json::json!([nsg]));
    let shop = of("Microsoft.ContainerService/managedClusters");
    let identities = shop["identity"]["userAssignedIdentities"]
        .as_object()
        .unwrap();
    let id = identities.keys().next().unwrap();
    assert!(
        id.starts_with("[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', "),
        "{id}"
    );
    let depends = shop["dependsOn"].as_array().unwrap();
    assert!(depends.iter().any(|one| one == id), "{depends:?}");
}
