//! Which API version each type is read with. The cloud itself says which it has; the newest stable one is
//! taken. Versions retire, previews soonest, so none is fixed here but where the newest stable one
//! is of no use, and where nobody says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Types that are read with a version that the rule would not choose. One table, and why.
const EXCEPTIONS: [(&str, &str); 1] = [
    // The only stable version is of 2016, has another form and serves no subscription
    // (Azure/azure-rest-api-specs, specification/monitor, diagnosticsSettings_API.json).
    (
        "microsoft.insights/diagnosticsettings",
        "2021-05-01-preview",
    ),
];

/// What a subscription's providers say.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// by type in lower case
    offered: BTreeMap<String, Vec<String>>,
    /// by namespace in lower case
    registered: BTreeMap<String, bool>,
    /// what a server's refusal taught
    learned: std::cell::RefCell<BTreeMap<String, String>>,
}

impl Versions {
    /// From the items of `GET /subscriptions/{id}/providers`.
    pub(crate) fn of(providers: &[Value]) -> Self {
        let mut versions = Self::default();
        for provider in providers {
            let Some(namespace) = provider.get("namespace").and_then(Value::as_str) else {
                continue;
            };
            let namespace = namespace.to_ascii_lowercase();
            let state = provider.get("registrationState").and_then(Value::as_str);
            versions.registered.insert(
                namespace.clone(),
                !state.is_some_and(|state| state.eq_ignore_ascii_case("NotRegistered")),
            );
            let types = provider.get("resourceTypes").and_then(Value::as_array);
            for kind in types.into_iter().flatten() {
                let Some(name) = kind.get("resourceType").and_then(Value::as_str) else {
                    continue;
                };
                let offered = kind.get("apiVersions").and_then(Value::as_array);
                let offered = offered
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .filter(|version| is_version(version))
                    .map(str::to_owned)
                    .collect();
                versions.offered.insert(
                    format!("{namespace}/{}", name.to_ascii_lowercase()),
                    offered,
                );
            }
        }
        versions
    }

    /// Whether resources of a namespace can exist: an unregistered provider has none.
    pub(crate) fn registered(&self, kind: &str) -> bool {
        let namespace = kind.split('/').next().unwrap_or_default();
        self.registered
            .get(&namespace.to_ascii_lowercase())
            .copied()
            .unwrap_or(true)
    }

    /// The version to read a type with; `known` where the cloud does not say.
    pub(crate) fn choose(&self, kind: &str, known: &str) -> String {
        let kind = kind.to_ascii_lowercase();
        if let Some(learned) = self.learned.borrow().get(&kind) {
            return learned.clone();
        }
        let offered = self.offered.get(&kind).map_or(&[][..], Vec::as_slice);
        if let Some((_, wanted)) = EXCEPTIONS.iter().find(|(exception, _)| *exception == kind)
            && (offered.is_empty() || offered.iter().any(|version| version == wanted))
        {
            return (*wanted).to_owned();
        }
        newest(offered.iter().map(String::as_str)).map_or_else(|| known.to_owned(), str::to_owned)
    }

    /// The version to try after one was rejected with a message that lists what there is.
    pub(crate) fn after_rejection(
        &self,
        kind: &str,
        tried: &BTreeSet<String>,
        message: &str,
    ) -> Option<String> {
        let version = newest(
            versions_in(message)
                .into_iter()
                .filter(|version| !tried.contains(*version)),
        )?;
        self.learned
            .borrow_mut()
            .insert(kind.to_ascii_lowercase(), version.to_owned());
        Some(version.to_owned())
    }
}

/// Azure's words for a version that it does not have
/// (<https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-resource-type>).
pub(crate) fn rejects_version(code: &str) -> bool {
    [
        "NoRegisteredProviderFound",
        "InvalidApiVersionParameter",
        "InvalidResourceType",
        "UnsupportedApiVersion",
    ]
    .iter()
    .any(|word| word.eq_ignore_ascii_case(code))
}

/// The newest stable version, or else the newest of all.
fn newest<'v>(versions: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    // A stable one is its date; dates sort as texts.
    versions.max_by_key(|version| (version.len() == DATE, *version))
}

const DATE: usize = "2026-05-01".len();

fn is_version(text: &str) -> bool {
    let date = text.as_bytes().get(..DATE);
    let tail = text.get(DATE..).unwrap_or_default();
    date.is_some_and(|date| {
        date.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    }) && (tail.is_empty()
        || tail.strip_prefix('-').is_some_and(|tail| {
            !tail.is_empty() && tail.len() < 24 && tail.bytes().all(|b| b.is_ascii_alphanumeric())
        }))
}

/// The versions that a message names, past the words that say it names them.
fn versions_in(message: &str) -> Vec<&str> {
    let lower = message.to_ascii_lowercase();
    let from = lower.find("supported").unwrap_or(0);
    message
        .get(from..)
        .unwrap_or_default()
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| is_version(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offered() -> Versions {
        Versions::of(&[
            json!({"namespace": "Microsoft.ContainerService", "registrationState": "Registered", "resourceTypes": [
                {"resourceType": "managedClusters", "apiVersions": ["2026-05-02-preview", "2026-05-01", "2025-10-01"]},
                {"resourceType": "managedClusters/identityBindings", "apiVersions": ["2025-08-02-preview", "2026-01-02-preview"]},
            ]}),
            json!({"namespace": "microsoft.insights", "registrationState": "Registering", "resourceTypes": [
                {"resourceType": "diagnosticSettings", "apiVersions": ["2021-05-01-preview", "2017-05-01-preview", "2016-09-01"]},
            ]}),
            json!({"namespace": "Microsoft.Cdn", "registrationState": "NotRegistered", "resourceTypes": []}),
            json!({"namespace": 7}),
            json!("x"),
        ])
    }

    #[test]
    fn the_newest_stable_version_is_read() {
        let versions = offered();
        let choose = |kind| versions.choose(kind, "1999-01-01");
        assert_eq!(
            choose("Microsoft.ContainerService/managedClusters"),
            "2026-05-01"
        );
        // No stable one: the newest preview.
        assert_eq!(
            choose("Microsoft.ContainerService/managedClusters/identityBindings"),
            "2026-01-02-preview"
        );
        assert_eq!(
            choose("Microsoft.Insights/diagnosticSettings"),
            "2021-05-01-preview"
        );
        assert_eq!(choose("Microsoft.Network/virtualNetworks"), "1999-01-01");
        assert!(!versions.registered("Microsoft.Cdn/profiles"));
        assert!(versions.registered("Microsoft.Insights/actionGroups"));
        assert!(versions.registered("Microsoft.Network/virtualNetworks"));
    }

    #[test]
    fn a_rejection_says_which_versions_there_are() {
        let versions = offered();
        let kind = "Microsoft.ContainerService/managedClusters";
        let message = "No registered resource provider found for location 'westeurope' and API \
            version '2026-05-01' for type 'managedClusters'. The supported api-versions are \
            '2024-01-01, 2025-01-01, 2025-03-02-preview'. The supported locations are ', westeurope'.";
        let tried = BTreeSet::from(["2026-05-01".to_owned()]);
        let next = versions.after_rejection(kind, &tried, message);
        assert_eq!(next.as_deref(), Some("2025-01-01"));
        // It stays known.
        assert_eq!(versions.choose(kind, ""), "2025-01-01");
        let none = "The api-version '2026-05-01' is invalid.";
        assert_eq!(versions.after_rejection(kind, &tried, none), None);
    }
}
