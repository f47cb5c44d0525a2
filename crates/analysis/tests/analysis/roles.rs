//! Azure roles: against a naive evaluator, documented examples, and the webhook's own cases.

use std::fs;
use std::sync::Arc;

use analysis::roles::{Ask, Builtin, Grant, Roles};
use cel::Symbols;
use model::azure::Defaults;
use model::managed::Managed;
use model::manifest::Reader;
use model::{Estate, Origin, Scope};
use serde_json::{Value, json};

#[path = "roles/builtin.rs"]
mod builtin;
#[path = "roles/conditions.rs"]
mod conditions;
#[path = "roles/documented.rs"]
mod documented;
#[path = "roles/kubernetes.rs"]
mod kubernetes;
#[path = "roles/random.rs"]
mod random;
#[path = "roles/templates.rs"]
mod templates;

pub(crate) const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-00000000000a";

/// The table that the binary carries.
pub(crate) fn table() -> Arc<Builtin> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guide/data/azure-roles.yaml"
    );
    Arc::new(Builtin::new(fs::read_to_string(path).unwrap()))
}

/// Resources as Azure's API returns them, as an estate.
pub(crate) fn live(resources: &[Value]) -> Estate {
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
    let mut estate = Estate::new(Scope::Open);
    for resource in resources {
        let origin = Origin {
            path: resource["id"].as_str().unwrap().into(),
            index: 0,
            rendered_by: None,
            live: true,
        };
        let reading = model::azure::live::read(&reader, &resource.to_string(), &origin);
        for entry in &reading.entries {
            assert!(entry.reason.is_none(), "{:?}", entry.reason);
        }
        for resource in reading.resources {
            estate.add(resource);
        }
    }
    estate
}

/// The object id that a number stands for.
pub(crate) fn guid(number: u32) -> String {
    format!("10000000-0000-0000-0000-{number:012}")
}

pub(crate) fn assignment(name: u32, scope: &str, role: &str, principal: u32, rest: Value) -> Value {
    let mut properties = json!({
        "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": guid(principal),
        "principalType": "User",
        "scope": scope,
    });
    for (key, value) in rest.as_object().into_iter().flatten() {
        properties[key] = value.clone();
    }
    let at = scope.trim_end_matches('/');
    json!({
        "id": format!("{at}/providers/Microsoft.Authorization/roleAssignments/{}", guid(name)),
        "properties": properties,
    })
}

pub(crate) fn custom(number: u32, permissions: Value) -> Value {
    json!({
        "id": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{}", guid(number)),
        "name": guid(number),
        "properties": {
            "roleName": format!("Custom {number}"),
            "type": "CustomRole",
            "permissions": permissions,
        },
    })
}

pub(crate) fn cluster(properties: Value) -> Value {
    json!({
        "id": cluster_id(),
        "name": "shop",
        "type": "Microsoft.ContainerService/managedClusters",
        "location": "westeurope",
        "properties": properties,
    })
}

pub(crate) fn cluster_id() -> String {
    format!(
        "{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/shop"
    )
}

pub(crate) fn build(estate: &Estate) -> Roles {
    Roles::build(estate, table())
}

/// Who holds an action, as lines: name, `*` where it is not certain, role.
pub(crate) fn lines(roles: &Roles, action: &str, data: bool, resource: &str) -> Vec<String> {
    let holders = roles.holders(&Ask {
        action,
        data,
        resource,
        attributes: &[],
    });
    holders
        .grants
        .iter()
        .map(|grant| line(roles, grant))
        .collect()
}

pub(crate) fn line(roles: &Roles, grant: &Grant) -> String {
    let mut out = format!("{} by {}", roles.name(&grant.who), grant.role);
    if grant.inherited {
        out.push_str(", inherited");
    }
    if !grant.through.is_empty() {
        out.push_str(&format!(", through {}", grant.through.join(" > ")));
    }
    if let Some(condition) = &grant.condition {
        out.push_str(&format!(", if {condition}"));
    }
    for doubt in &grant.doubts {
        out.push_str(&format!(", but {doubt}"));
    }
    out
}
