//! What no listed object says: an object of kind `Cluster` that describes the cluster itself.
//!
//! | key | what it holds |
//! |---|---|
//! | `version` | the server's version, `v1.34.4` |
//! | `anonymous` | paths that were asked for without credentials, and the status of the answer |
//! | `certificates` | `of`, `notAfter`, `key` of what the API server showed, its own first |
//! | `writtenVersions` | API versions that objects were written with, other than the one served first |

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::ask::Asker;
use super::certificates;
use crate::live::{LiveError, Object, Of};

/// The kind, as guidelines name it.
pub(super) const KIND: &str = "Cluster.seawall.dev";

/// What is asked for without credentials. Kubernetes lets everybody read health and version
/// (`system:public-info-viewer`); the rest must be refused. Nothing of the answers but their status is
/// looked at.
const ANONYMOUS: [&str; 9] = [
    "/version",
    "/healthz",
    "/livez",
    "/readyz",
    "/api",
    "/apis",
    "/openapi/v2",
    "/metrics",
    "/api/v1/namespaces?limit=1",
];

/// `GET /version` (k8s.io/apimachinery/pkg/version/types.go).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(default)]
    major: String,
    #[serde(default)]
    minor: String,
    #[serde(default)]
    git_version: String,
}

/// The cluster itself.
#[derive(Debug)]
pub(super) struct Described {
    version: Version,
}

impl Described {
    /// Asks for the version: the first request, whose failure says why nothing can be read.
    pub(super) fn ask(asker: &Asker) -> Result<Self, LiveError> {
        let text = asker
            .get("/version", "application/json")
            .map_err(|trouble| super::fatal(trouble, asker.url()))?;
        let version = serde_json::from_str(&text).map_err(|_| LiveError {
            message: format!(
                "what answers at {} is no Kubernetes API server",
                asker.url()
            ),
            help: Some("is the `server` of the kubeconfig's cluster right?".to_owned()),
        })?;
        Ok(Self { version })
    }

    /// 34 of 1.34; managed clusters may say `34+`.
    pub(super) fn minor(&self) -> Option<u8> {
        if self.version.major != "1" {
            return None;
        }
        let minor = self.version.minor.trim_end_matches('+');
        minor.parse().ok()
    }

    /// The object. What could not be found out is absent from it.
    pub(super) async fn object(&self, name: &str, asker: &Asker, written: Vec<Value>) -> Object {
        let mut object = serde_json::json!({
            "apiVersion": "seawall.dev/v1",
            "kind": "Cluster",
            "metadata": {"name": name},
            "version": self.version.git_version,
            "writtenVersions": written,
        });
        let anonymous: BTreeMap<&str, u16> = asker
            .anonymously(&ANONYMOUS)
            .await
            .into_iter()
            .map(|(path, status)| (path.split('?').next().unwrap_or(path), status))
            .collect();
        let shown: Vec<Value> = asker
            .certificates()
            .await
            .iter()
            .enumerate()
            .filter_map(|(index, der)| {
                let of = if index == 0 {
                    "API server"
                } else {
                    "cluster authority"
                };
                certificates::describe(of, der)
            })
            .collect();
        if let Some(map) = object.as_object_mut() {
            if !anonymous.is_empty() {
                map.insert("anonymous".to_owned(), serde_json::json!(anonymous));
            }
            if !shown.is_empty() {
                map.insert("certificates".to_owned(), Value::Array(shown));
            }
        }
        Object {
            of: Of::Kubernetes,
            address: "/version".into(),
            json: object.to_string(),
        }
    }
}
