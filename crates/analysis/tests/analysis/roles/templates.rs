//! Role assignments as templates have them: to identities that exist only later, at scopes that are open.

use analysis::roles::{Ask, Roles, Who, identities_of};
use cel::Symbols;
use model::azure::Defaults;
use model::azure::deployment::{self, Language, Request};
use model::managed::Managed;
use model::manifest::Reader;
use model::{Estate, Origin, Scope};
use serde_json::{Value, json};

use super::{build, line};

fn template(resources: Value, parameters: Value) -> Estate {
    let text = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
        "resources": resources,
    })
    .to_string();
    let symbols = Symbols::default();
    let defaults = Defaults::default();
    let managed = Managed::default();
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let origin = Origin {
        path: "main.json".into(),
        index: 0,
        rendered_by: None,
        live: false,
    };
    let request = Request {
        text: &text,
        language: Language::Arm,
        parameters: &[],
        files: &bicep::source::NoFiles,
        origin: &origin,
    };
    let mut estate = Estate::new(Scope::Open);
    for resource in deployment::read(&reader, &request).resources {
        estate.add(resource);
    }
    estate
}

const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const RUN: &str = "Microsoft.ContainerService/managedClusters/runCommand/action";

fn assignment(name: &str, role: &str, principal: &str, scope: Option<&str>) -> Value {
    let mut one = json!({
        "type": ASSIGNMENT,
        "apiVersion": "2022-04-01",
        "name": format!("[guid('{name}')]"),
        "properties": {
            "roleDefinitionId": role,
            "principalId": principal,
        },
    });
    if let Some(scope) = scope {
        one["scope"] = json!(scope);
    }
    one
}

fn role(id: &str) -> String {
    format!("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{id}')]")
}

fn cluster() -> Value {
    json!({
        "type": "Microsoft.ContainerService/managedClusters",
        "apiVersion": "2024-09-01",
        "name": "aks",
        "location": "westeurope",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {
            "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'control')]": {}}},
        "properties": {"identityProfile": {"kubeletidentity": {
            "resourceId": "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'kubelet')]"}}},
    })
}

fn identity(name: &str) -> Value {
    json!({"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31",
           "name": name, "location": "westeurope"})
}

fn id(kind: &str, name: &str) -> String {
    format!(
        "/subscriptions/{{subscription}}/resourceGroups/{{resourceGroup}}/providers/{kind}/{name}"
    )
}

fn ask(roles: &Roles, action: &str, resource: &str) -> Vec<String> {
    let holders = roles.holders(&Ask {
        action,
        data: false,
        resource,
        attributes: &[],
    });
    holders
        .grants
        .iter()
        .map(|grant| line(roles, grant))
        .collect()
}

#[test]
fn identities_of_the_template_hold_roles_under_one_name() {
    let registry = "[resourceId('Microsoft.ContainerRegistry/registries', 'acr')]";
    let estate = template(
        json!([
            identity("control"),
            identity("kubelet"),
            cluster(),
            {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2023-07-01", "name": "acr",
             "location": "westeurope", "sku": {"name": "Premium"}},
            assignment("pull", &role(PULL), "[reference(resourceId('Microsoft.ContainerService/managedClusters', 'aks')).identityProfile.kubeletidentity.objectId]", Some(registry)),
            assignment("net", &role("4d97b98b-1d4f-4787-a291-c67834d212e7"), "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'control')).principalId]", None),
        ]),
        json!({}),
    );
    let roles = build(&estate);
    let acr = id("Microsoft.ContainerRegistry/registries", "acr");
    assert_eq!(
        ask(
            &roles,
            "Microsoft.ContainerRegistry/registries/pull/read",
            &acr
        ),
        ["identity kubelet by AcrPull"]
    );
    assert!(
        ask(
            &roles,
            "Microsoft.ContainerRegistry/registries/push/write",
            &acr
        )
        .is_empty()
    );
    let number = estate.of_kind("Microsoft.ContainerService/managedClusters")[0];
    let identities = identities_of(&estate, number);
    let held: Vec<(String, Vec<&str>)> = identities
        .iter()
        .map(|(_, who)| {
            let names = roles.assigned(who).map(|assignment| assignment.role.name());
            (roles.name(who), names.collect())
        })
        .collect();
    assert_eq!(
        held,
        [
            ("identity control".to_owned(), vec!["Network Contributor"]),
            ("identity kubelet".to_owned(), vec!["AcrPull"]),
        ]
    );
}

#[test]
fn what_is_open_is_a_doubt_and_never_a_no() {
    let owner = role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
    let estate = template(
        json!([
            cluster(),
            identity("kubelet"),
            assignment("a", &owner, "[parameters('admins')]", None),
            assignment(
                "b",
                "[parameters('role')]",
                "10000000-0000-0000-0000-000000000001",
                None
            ),
        ]),
        json!({"admins": {"type": "string"}, "role": {"type": "string"}}),
    );
    let roles = build(&estate);
    let aks = id("Microsoft.ContainerService/managedClusters", "aks");
    let found = ask(&roles, RUN, &aks);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "admins by Owner, inherited");
    assert!(
        found[1].contains("but what the role `role` allows is not known"),
        "{}",
        found[1]
    );
    let grants = &roles
        .holders(&Ask {
            action: RUN,
            data: false,
            resource: &aks,
            attributes: &[],
        })
        .grants;
    assert!(matches!(grants[0].who, Who::Open(_)));
}

#[test]
fn custom_roles_of_the_template_are_known() {
    let estate = template(
        json!([
            cluster(),
            {"type": "Microsoft.Authorization/roleDefinitions", "apiVersion": "2022-04-01",
             "name": "[guid('runner')]",
             "properties": {"roleName": "Runner", "assignableScopes": ["[resourceGroup().id]"],
                "permissions": [{"actions": ["Microsoft.ContainerService/managedClusters/runCommand/action"],
                                 "notActions": []}]}},
            assignment("a", "[resourceId('Microsoft.Authorization/roleDefinitions', guid('runner'))]", "10000000-0000-0000-0000-000000000001", None),
        ]),
        json!({}),
    );
    let roles = build(&estate);
    let aks = id("Microsoft.ContainerService/managedClusters", "aks");
    assert_eq!(
        ask(&roles, RUN, &aks),
        ["10000000-0000-0000-0000-000000000001 by Runner, inherited"]
    );
    let holders = roles.holders(&Ask {
        action: RUN,
        data: false,
        resource: &aks,
        attributes: &[],
    });
    assert!(holders.grants[0].definition.is_some());
    assert_eq!(&*holders.grants[0].route, "permissions[0].actions[0]");
}
