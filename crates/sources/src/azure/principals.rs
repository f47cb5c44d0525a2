//! Whose identity a role assignment names. Azure says it by the GUID of the principal; templates say
//! it by the resource, and guidelines are written for that: so a live assignment gets `principal`
//! with the resource's id and where in it the identity stands, as a template's does
//! (`model::azure::Found::principal`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Identities by the GUID of their principal.
#[derive(Debug, Default)]
pub(crate) struct Principals(BTreeMap<String, (String, &'static str)>);

/// Where a user-assigned identity and a resource's own identity say it.
const ASSIGNED: &str = "properties.principalId";
const OWN: &str = "identity.principalId";

impl Principals {
    /// Learns the identities that a resource has or is.
    pub(crate) fn learn(&mut self, kind: &str, id: &str, value: &Value) {
        if kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities") {
            self.add(value.pointer("/properties/principalId"), id, ASSIGNED);
        }
        self.add(value.pointer("/identity/principalId"), id, OWN);
        let assigned = value.pointer("/identity/userAssignedIdentities");
        for (identity, says) in entries(assigned) {
            self.add(says.get("principalId"), identity, ASSIGNED);
        }
        // The identities that AKS makes or is given, for the kubelets and for add-ons
        // (Azure/azure-rest-api-specs, managedClusters.json, UserAssignedIdentity).
        let of_cluster = entries(value.pointer("/properties/identityProfile"))
            .map(|(_, says)| says)
            .chain(
                entries(value.pointer("/properties/addonProfiles"))
                    .filter_map(|(_, addon)| addon.get("identity")),
            );
        for says in of_cluster {
            if let Some(identity) = says.get("resourceId").and_then(Value::as_str) {
                self.add(says.get("objectId"), identity, ASSIGNED);
            }
        }
    }

    fn add(&mut self, guid: Option<&Value>, id: &str, path: &'static str) {
        if let Some(guid) = guid.and_then(Value::as_str).filter(|guid| !guid.is_empty()) {
            self.0
                .entry(guid.to_ascii_lowercase())
                .or_insert_with(|| (id.to_owned(), path));
        }
    }

    /// Says on a role assignment whose identity it names, when that is known.
    pub(crate) fn say(&self, assignment: &mut Value) {
        let guid = assignment
            .pointer("/properties/principalId")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let (Some((id, path)), Some(map)) = (self.0.get(&guid), assignment.as_object_mut()) {
            map.insert("principal".to_owned(), json!({"id": id, "path": path}));
        }
    }
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_known_from_themselves_and_from_who_has_them() {
        let mut principals = Principals::default();
        principals.learn(
            "Microsoft.ContainerService/managedClusters",
            "/s/aks",
            &json!({
                "identity": {"principalId": "A", "userAssignedIdentities": {"/s/id": {"principalId": "B"}}},
                "properties": {
                    "identityProfile": {"kubeletidentity": {"resourceId": "/s/kubelet", "objectId": "C"}},
                    "addonProfiles": {"azurepolicy": {"enabled": true, "identity": {"resourceId": "/s/policy", "objectId": "D"}}}
                }
            }),
        );
        let said = |guid: &str| {
            let mut assignment = json!({"properties": {"principalId": guid}});
            principals.say(&mut assignment);
            assignment
                .get("principal")
                .map(|principal| (principal["id"].clone(), principal["path"].clone()))
        };
        assert_eq!(said("a"), Some((json!("/s/aks"), json!(OWN))));
        assert_eq!(said("b"), Some((json!("/s/id"), json!(ASSIGNED))));
        assert_eq!(said("C"), Some((json!("/s/kubelet"), json!(ASSIGNED))));
        assert_eq!(said("D"), Some((json!("/s/policy"), json!(ASSIGNED))));
        assert_eq!(said("E"), None);
        assert_eq!(said(""), None);
    }
}
