//! What no listed object says: an object of kind `Cluster` that describes the cluster itself.

use serde::Deserialize;

use super::ask::Asker;
use super::condense::Versions;
use crate::live::{LiveError, Object, Of};

/// The kind, as guidelines name it.
pub(super) const KIND: &str = "Cluster.seawall.dev";

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

    /// The object.
    pub(super) fn object(&self, name: &str, versions: &Versions) -> Object {
        let json = serde_json::json!({
            "apiVersion": "seawall.dev/v1",
            "kind": "Cluster",
            "metadata": {"name": name},
            "version": self.version.git_version,
            "writtenVersions": versions.values(),
        });
        Object {
            of: Of::Kubernetes,
            address: "/version".into(),
            json: json.to_string(),
        }
    }
}
