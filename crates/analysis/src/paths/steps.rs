//! The steps, family by family. Each module says on what its steps hang, and cites where that is written.
//!
//! | module | steps |
//! |---|---|
//! | [`network`] | from pod to pod over the network |
//! | [`pod`] | from code in a pod to what the pod has |
//! | [`rights`] | from a subject to what its rights amount to |

use model::kinds::Kind;

use super::builder::Builder;

mod network;
mod pod;
mod rights;

pub(super) fn add(builder: &mut Builder<'_>) {
    network::add(builder);
    pod::add(builder);
    rights::add(builder);
}

/// Kinds that the families read beside those of [`crate::reach`].
pub(super) fn reads(kind: &Kind) -> bool {
    match kind {
        Kind::Kubernetes { group, kind } => match &**group {
            "" => matches!(
                &**kind,
                "ServiceAccount"
                    | "Secret"
                    | "ConfigMap"
                    | "PersistentVolume"
                    | "PersistentVolumeClaim"
            ),
            "rbac.authorization.k8s.io" | "admissionregistration.k8s.io" => true,
            _ => false,
        },
        Kind::Azure(_) => true,
    }
}
