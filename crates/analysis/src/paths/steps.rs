//! The steps, family by family. Each module says on what its steps hang, and cites where that is written.
//!
//! | module | steps |
//! |---|---|
//! | [`azure`] | Azure, and the ways between it and the cluster |
//! | [`network`] | from pod to pod over the network |
//! | [`pod`] | from code in a pod to what the pod has |
//! | [`escapes`] | from code in a pod to its node, by rights over processes and the kernel |
//! | [`files`] | the same by files of the node |
//! | [`volumes`] | the same by persistent volumes |
//! | [`container`], [`held`] | what these read of pods, and of rights |
//! | [`nodes`] | from a node to what runs on it and to what it keeps |
//! | [`metadata`] | from pods and nodes to the identities that nodes carry |
//! | [`rights`] | from a subject to what its rights amount to |

use model::kinds::Kind;

use super::builder::Builder;

mod azure;
mod container;
mod escapes;
mod files;
mod held;
mod metadata;
mod network;
mod nodes;
mod pod;
mod rights;
mod volumes;

pub(super) use rights::API_SERVER;
pub(crate) use rights::title_of;

pub(super) fn add(builder: &mut Builder<'_>) {
    azure::add(builder);
    network::add(builder);
    pod::add(builder);
    escapes::add(builder);
    files::add(builder);
    volumes::add(builder);
    nodes::add(builder);
    metadata::add(builder);
    rights::add(builder);
    volumes::created(builder);
    nodes::created(builder);
    metadata::created(builder);
}

/// Kinds that the families read beside those of [`crate::reach`].
pub(super) fn reads(kind: &Kind) -> bool {
    match kind {
        own @ Kind::Kubernetes { .. } if rights::reads(own) => true,
        Kind::Kubernetes { group, kind } => match &**group {
            "" => matches!(
                &**kind,
                "ServiceAccount"
                    | "Secret"
                    | "ConfigMap"
                    | "PersistentVolume"
                    | "PersistentVolumeClaim"
            ),
            // What Flux takes manifests from.
            "source.toolkit.fluxcd.io" => true,
            "rbac.authorization.k8s.io"
            | "admissionregistration.k8s.io"
            | "node.k8s.io"
            | "templates.gatekeeper.sh"
            | "constraints.gatekeeper.sh"
            | "secrets-store.csi.x-k8s.io"
            | "aadpodidentity.k8s.io"
            | "velero.io"
            // What verifies images.
            | "kyverno.io"
            | "policies.kyverno.io"
            | "policy.sigstore.dev" => true,
            _ => false,
        },
        Kind::Azure(_) => true,
    }
}
