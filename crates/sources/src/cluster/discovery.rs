//! What a cluster serves: aggregated discovery (`apidiscovery.k8s.io`, Kubernetes 1.26 and later), and the
//! older way of one request for each group and version.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ask::{Asker, Trouble};
use super::kinds::Wanted;

/// One resource of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    pub(super) lists: bool,
}

impl Served {
    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `/api/v1`, `/apis/apps/v1`.
    pub(super) fn base(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }
}

/// Everything that is served.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    /// In the server's order of groups; versions by preference.
    pub(super) served: Vec<Served>,
    /// Groups of which not everything is known: the server behind them does not answer.
    pub(super) stale: Vec<String>,
}

impl Discovered {
    /// The preferred version that serves a kind.
    pub(super) fn find(&self, wanted: &Wanted) -> Option<&Served> {
        self.served
            .iter()
            .find(|served| served.group == wanted.group && served.resource == wanted.resource)
    }

    /// Kinds that are served and not wanted, once each, with their preferred version.
    pub(super) fn others<'d>(
        &'d self,
        wanted: impl Fn(&Served) -> bool + 'd,
    ) -> impl Iterator<Item = &'d Served> {
        let mut seen = BTreeMap::new();
        for (index, served) in self.served.iter().enumerate() {
            if served.lists && !wanted(served) {
                seen.entry((&served.group, &served.kind)).or_insert(index);
            }
        }
        seen.into_values()
            .filter_map(|index| self.served.get(index))
    }
}

/// `apidiscovery.k8s.io/v2` (k8s.io/api/apidiscovery/v2/types.go), the parts that are read.
#[derive(Debug, Deserialize)]
struct GroupList {
    kind: String,
    #[serde(default)]
    items: Vec<Group>,
    /// The older form, `APIGroupList`.
    #[serde(default)]
    groups: Vec<OldGroup>,
    /// The older form, `APIVersions`.
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    freshness: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<Gvk>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Gvk {
    #[serde(default)]
    kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldGroup {
    name: String,
    #[serde(default)]
    versions: Vec<OldVersion>,
    preferred_version: Option<OldVersion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldVersion {
    group_version: String,
}

#[derive(Debug, Deserialize)]
struct OldResources {
    #[serde(default)]
    resources: Vec<OldResource>,
}

#[derive(Debug, Deserialize)]
struct OldResource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                          application/json";

/// Asks what is served.
pub(super) async fn discover(asker: &Asker) -> Result<Discovered, Trouble> {
    let mut found = Discovered::default();
    for path in ["/api", "/apis"] {
        let text = asker.fetch(path, AGGREGATED).await?;
        let Ok(list) = serde_json::from_str::<GroupList>(&text) else {
            return Err(no_api_server(path));
        };
        match list.kind.as_str() {
            "APIGroupDiscoveryList" => list.items.into_iter().for_each(|group| found.add(group)),
            "APIVersions" => {
                for version in &list.versions {
                    found.ask_old(asker, version).await?;
                }
            }
            "APIGroupList" => {
                for group in &list.groups {
                    found.add_old(asker, group).await?;
                }
            }
            _ => return Err(no_api_server(path)),
        }
    }
    Ok(found)
}

fn no_api_server(path: &str) -> Trouble {
    Trouble::Lost(crate::live::LiveError {
        message: format!("what answers at `{path}` is no Kubernetes API server"),
        help: Some("is the `server` of the kubeconfig's cluster right?".to_owned()),
    })
}

impl Discovered {
    fn add(&mut self, group: Group) {
        let name = group.metadata.name;
        for version in group.versions {
            if version.freshness == "Stale" {
                self.stale.push(name.clone());
            }
            for resource in version.resources {
                self.served.push(Served {
                    group: name.clone(),
                    version: version.version.clone(),
                    kind: resource
                        .response_kind
                        .map(|kind| kind.kind)
                        .unwrap_or_default(),
                    namespaced: resource.scope == "Namespaced",
                    lists: resource.verbs.iter().any(|verb| verb == "list"),
                    resource: resource.resource,
                });
            }
        }
    }

    async fn add_old(&mut self, asker: &Asker, group: &OldGroup) -> Result<(), Trouble> {
        let preferred = group.preferred_version.as_ref();
        let preferred = preferred.map(|version| version.group_version.as_str());
        let mut versions: Vec<&str> = preferred.into_iter().collect();
        versions.extend(
            group
                .versions
                .iter()
                .map(|version| version.group_version.as_str())
                .filter(|version| Some(*version) != preferred),
        );
        for version in versions {
            self.ask_old(asker, version).await?;
        }
        if group.versions.is_empty() {
            self.stale.push(group.name.clone());
        }
        Ok(())
    }

    /// One version of a group, as Kubernetes before 1.26 tells it.
    async fn ask_old(&mut self, asker: &Asker, api_version: &str) -> Result<(), Trouble> {
        let (group, version) = model::kinds::split_api_version(api_version);
        let root = if group.is_empty() { "/api" } else { "/apis" };
        let path = format!("{root}/{api_version}");
        let answer = asker.fetch(&path, "application/json").await;
        let text = match answer {
            Ok(text) => text,
            // A server behind the API server may be away; the others are not.
            Err(Trouble::Refused { .. }) => {
                self.stale.push(group.to_owned());
                return Ok(());
            }
            Err(lost) => return Err(lost),
        };
        let Ok(list) = serde_json::from_str::<OldResources>(&text) else {
            self.stale.push(group.to_owned());
            return Ok(());
        };
        for resource in list.resources {
            if resource.name.contains('/') {
                continue; // a subresource
            }
            self.served.push(Served {
                group: group.to_owned(),
                version: version.to_owned(),
                resource: resource.name,
                kind: resource.kind,
                namespaced: resource.namespaced,
                lists: resource.verbs.iter().any(|verb| verb == "list"),
            });
        }
        Ok(())
    }
}
