//! One thing in the estate, and where it came from.

use std::sync::Arc;

use crate::azure::Azure;
use crate::certificates::Certificate;
use crate::doc::{Doc, NodeId};
use crate::kinds::{self, Kind};
use crate::prune::{self, Keep};
use crate::references;
use crate::value::Ref;

/// Number of a resource within its estate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef(pub u32);

/// Where a resource was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as given or found, with `/` between its parts; `-` for standard input.
    pub path: Arc<str>,
    /// Number of the document within the file, from 0.
    pub index: u32,
    /// The chart or kustomization that was rendered, when there is one.
    pub rendered_by: Option<Arc<str>>,
    /// `path` is no file but where a live source (or the one a snapshot was made of) has it:
    /// `/apis/apps/v1/namespaces/shop/deployments/web`, an Azure resource id.
    pub live: bool,
}

/// What people call a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceName {
    /// Its kind.
    pub kind: Kind,
    /// `apps/v1`; for Azure the API version of the template.
    pub api_version: Box<str>,
    /// Its namespace, when the source says it.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
}

impl ResourceName {
    /// A stable text that names the resource within its estate: `apps/Deployment/shop/web`,
    /// `Namespace/shop`, `Microsoft.ContainerService/managedClusters/aks`.
    #[must_use]
    pub fn id(&self) -> String {
        let mut id = String::with_capacity(48);
        match &self.kind {
            Kind::Kubernetes { group, kind } => {
                if !group.is_empty() {
                    id.push_str(group);
                    id.push('/');
                }
                id.push_str(kind);
            }
            Kind::Azure(name) => id.push_str(name),
        }
        for part in [self.namespace.as_deref(), Some(&*self.name)]
            .into_iter()
            .flatten()
        {
            id.push('/');
            id.push_str(part);
        }
        id
    }
}

/// The kind and name of something an object refers to.
pub type Referred = (&'static str, Box<str>);

/// A Kubernetes object or an Azure resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What it is called.
    pub name: ResourceName,
    /// The document it stands in.
    pub doc: Arc<Doc>,
    /// Its value within the document.
    pub root: NodeId,
    /// Where the document came from.
    pub origin: Origin,
    /// AKS itself makes and keeps this object.
    pub provider_managed: bool,
    /// The object was not read: others name it (a namespace that only occurs in `metadata.namespace`).
    pub implied: bool,
    /// What it refers to by kind and name, noted before what says so was dropped.
    pub refers: Option<Box<[Referred]>>,
    /// The certificates of a Secret, noted before its values were struck out; `None` when they were not
    /// read. Other objects say theirs themselves ([`crate::certificates::of_object`]).
    pub certificates: Option<Box<[Certificate]>>,
    /// What only Azure resources have.
    pub azure: Option<Box<Azure>>,
}

impl Resource {
    /// The object itself.
    #[must_use]
    pub fn object(&self) -> Ref<'_> {
        self.doc.node(self.root)
    }

    /// Drops what joins cannot read.
    pub fn prune(&mut self, keep: &Keep) {
        if let Some(doc) = prune::prune(self.object(), keep) {
            self.refers = Some(
                references::of(self)
                    .into_iter()
                    .map(|(kind, name)| (kind, name.into()))
                    .collect(),
            );
            self.root = doc.root().id();
            self.doc = Arc::new(doc);
        }
    }

    /// What it refers to by kind and name in its own namespace: accounts, Secrets, ConfigMaps, claims.
    #[must_use]
    pub fn referred(&self) -> Vec<(&'static str, &str)> {
        match &self.refers {
            Some(refers) => refers.iter().map(|(kind, name)| (*kind, &**name)).collect(),
            None => references::of(self),
        }
    }

    /// What holds the pod's `metadata` and `spec`: the object itself or its template.
    #[must_use]
    pub fn pod_holder(&self) -> Option<Ref<'_>> {
        let Kind::Kubernetes { group, kind } = &self.name.kind else {
            return None;
        };
        self.object().path(kinds::pod_route(group, kind)?)
    }

    /// Whether the resource carries a pod.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        let Kind::Kubernetes { group, kind } = &self.name.kind else {
            return false;
        };
        kinds::pod_route(group, kind).is_some()
    }

    /// The pod's spec, for workloads.
    #[must_use]
    pub fn pod_spec(&self) -> Option<Ref<'_>> {
        self.pod_holder()?.get("spec")
    }
}
