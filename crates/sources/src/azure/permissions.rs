//! What the caller may do on a subscription. A list proves that something is absent only to who may read all
//! of its type there: Resource Manager answers some lists with the part that can be read.

use serde_json::Value;

use super::client::{Client, Failure};

/// The caller's rights at a scope.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    grants: Vec<Grant>,
    pub(crate) failure: Option<Failure>,
}

#[derive(Debug)]
struct Grant {
    actions: Vec<String>,
    not_actions: Vec<String>,
    conditional: bool,
}

impl Permissions {
    /// Asks for them (Azure/azure-rest-api-specs, specification/authorization,
    /// authorization-PermissionsCalls.json, stable 2022-04-01).
    pub(crate) async fn read(arm: &Client<'_>, scope: &str) -> Self {
        let address =
            format!("{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
        let listed = match arm.address(&address) {
            Ok(url) => arm.list(url).await,
            Err(failure) => {
                return Self {
                    grants: Vec::new(),
                    failure: Some(failure),
                };
            }
        };
        Self {
            grants: listed.items.iter().map(grant).collect(),
            failure: listed.failure,
        }
    }

    /// Whether an action is allowed on all of the scope; `None` when that could not be read.
    pub(crate) fn allow(&self, action: &str) -> Option<bool> {
        let action = action.to_ascii_lowercase();
        let allowed = self.grants.iter().any(|grant| {
            !grant.conditional
                && grant
                    .actions
                    .iter()
                    .any(|pattern| matches(pattern, &action))
                && !grant
                    .not_actions
                    .iter()
                    .any(|pattern| matches(pattern, &action))
        });
        (allowed || self.failure.is_none()).then_some(allowed)
    }
}

fn grant(item: &Value) -> Grant {
    let texts = |key: &str| {
        item.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_ascii_lowercase)
            .collect()
    };
    Grant {
        actions: texts("actions"),
        not_actions: texts("notActions"),
        conditional: item
            .get("condition")
            .and_then(Value::as_str)
            .is_some_and(|condition| !condition.is_empty()),
    }
}

/// `*` stands for anything, slashes included
/// (<https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions-format>).
fn matches(pattern: &str, action: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = action.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.find(middle) {
                Some(at) => rest = rest.get(at + middle.len()..).unwrap_or_default(),
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards_stand_for_anything() {
        for (pattern, action, wanted) in [
            ("*", "a/b/read", true),
            ("*/read", "a/b/read", true),
            ("*/read", "a/b/write", false),
            ("a/*/read", "a/b/c/read", true),
            ("a/*/read", "b/c/read", false),
            ("a/b/read", "a/b/read", true),
            ("a/b/read", "a/b/read/x", false),
            ("a/*", "a/b/read", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "ae", false),
        ] {
            assert_eq!(matches(pattern, action), wanted, "{pattern} {action}");
        }
    }

    #[test]
    fn what_is_taken_away_is_not_allowed() {
        let permissions = Permissions {
            grants: vec![
                grant(&json!({"actions": ["*/read"], "notActions": ["Microsoft.KeyVault/*"]})),
                grant(&json!({"actions": ["*"], "condition": "@Resource[x] StringEquals 'y'"})),
            ],
            failure: None,
        };
        assert_eq!(permissions.allow("Microsoft.Network/x/read"), Some(true));
        assert_eq!(
            permissions.allow("Microsoft.KeyVault/vaults/read"),
            Some(false)
        );
        let unread = Permissions {
            grants: Vec::new(),
            failure: Some(Failure::of("x")),
        };
        assert_eq!(unread.allow("Microsoft.Network/x/read"), None);
    }
}
