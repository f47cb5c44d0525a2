//! `who-can` about Azure: an action, and who can take over a cluster.

use insta::assert_snapshot;

use crate::run::Folder;

const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"admins": {"type": "string"}, "role": {"type": "string"}},
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "location": "westeurope", "identity": {"type": "SystemAssigned"},
     "properties": {"aadProfile": {"managed": true, "enableAzureRBAC": true}, "disableLocalAccounts": true}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
     "name": "10000000-0000-0000-0000-000000000001",
     "properties": {"principalId": "22222222-0000-0000-0000-000000000001", "principalType": "Group",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c')]"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
     "name": "10000000-0000-0000-0000-000000000002",
     "properties": {"principalId": "[parameters('admins')]", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'f58310d9-a9f6-439a-9e8d-f62e7b41a168')]",
       "condition": "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {7f951dda-4ed3-4680-a7ca-43fe172d538d}))"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
     "name": "10000000-0000-0000-0000-000000000003",
     "scope": "[resourceId('Microsoft.ContainerService/managedClusters', 'shop')]",
     "properties": {"principalId": "22222222-0000-0000-0000-000000000003", "principalType": "ServicePrincipal",
       "roleDefinitionId": "[parameters('role')]"}}
  ]
}
"#;

fn ask(arguments: &[&str]) -> (i32, String) {
    let folder = Folder::of(&[("main.json", TEMPLATE)]);
    let run = folder.run(arguments);
    (run.code, run.out)
}

#[test]
fn an_action_of_azure_is_answered_with_role_scope_and_place() {
    let (code, text) = ask(&[
        "who-can",
        "Microsoft.ContainerService/managedClusters/runCommand/action",
        ".",
    ]);
    assert_eq!(code, 0);
    assert_snapshot!(text, @"
    Microsoft.ContainerService/managedClusters/runCommand/action
    Whoever holds it runs kubectl and helm inside the cluster through Azure, past
    the API server's network limits.

    managedClusters/shop
      group 22222222-0000-0000-0000-000000000001
        Contributor at resource group {resourceGroup} (main.json:9)
      not known:
        22222222-0000-0000-0000-000000000003
          role at managedClusters/shop (main.json:18)
          what the role `role` allows is not known
        not all members of group 22222222-0000-0000-0000-000000000001 are known

    Role assignments that were not given may allow it to others.
    ");
    let (_, text) = ask(&[
        "who-can",
        "Microsoft.Authorization/roleAssignments/write",
        ".",
    ]);
    assert_snapshot!(text, @"
    Microsoft.Authorization/roleAssignments/write
    Whoever holds it gives itself any role that it may give.

    managedClusters/shop
      user given by `admins`
        Role Based Access Control Administrator at resource group {resourceGroup}
          (main.json:13)
        only if the role is `AcrPull`
      not known:
        22222222-0000-0000-0000-000000000003
          role at managedClusters/shop (main.json:18)
          what the role `role` allows is not known

    Role assignments that were not given may allow it to others.
    ");
}

#[test]
fn delegates_of_harmless_roles_take_nothing_over() {
    let (code, text) = ask(&["who-can", "--takeover", "."]);
    assert_eq!(code, 0);
    assert_snapshot!(text, @"
    Who can take over managedClusters/shop through Azure

      group 22222222-0000-0000-0000-000000000001
        Contributor at resource group {resourceGroup} (main.json:9)
        - changes the cluster: turns local accounts on, names other
          administrators, turns policy off
        - adds node pools of its own making to the cluster, whose nodes get what
          is scheduled on them
        - installs extensions, which AKS deploys with the rights of a cluster
          administrator
        - has the cluster apply whatever a repository of its choice holds
        - lets the identity of another Azure resource into the cluster
        - changes which Entra applications sign users in to the cluster
      not known:
        22222222-0000-0000-0000-000000000003
          role at managedClusters/shop (main.json:18)
          what the role `role` allows is not known
        not all members of group 22222222-0000-0000-0000-000000000001 are known

      Role assignments that were not given may allow it to others.
    ");
}

#[test]
fn the_answer_is_machine_readable() {
    let (_, text) = ask(&[
        "who-can",
        "Microsoft.ContainerService/managedClusters/runCommand/action",
        ".",
        "--format",
        "json",
    ]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let holders = &value["resources"][0]["holders"];
    assert_eq!(holders.as_array().unwrap().len(), 2);
    assert_eq!(holders[0]["role"], "Contributor");
    assert_eq!(holders[0]["assignment"]["line"], 9);
    assert_eq!(holders[1]["doubts"].as_array().unwrap().len(), 1);
    assert_eq!(value["resources"][0]["complete"], false);
}
