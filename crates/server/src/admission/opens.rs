//! What a role or a binding would let somebody take who cannot now: the rights of the whole cluster with the object
//! in them, against those without.
//!
//! It leaves out what leads further over pods, nodes and Azure; `completes` looks for that.

use analysis::Analyses;
use analysis::compare::rights::{Escalated, escalated};
use analysis::rbac::Rbac;
use model::kinds::Kind;
use model::{Estate, Resource};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether a kind is that of roles or of bindings.
pub(super) fn gives_rights(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Kubernetes { group, kind }
            if &**group == GROUP
                && matches!(&**kind, "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding")
    )
}

/// Nothing for an object that gives no rights.
pub(super) fn of(resource: &Resource, beside: &Analyses<'_>) -> Vec<Escalated> {
    if !gives_rights(&resource.name.kind) {
        return Vec::new();
    }
    let known = &beside.rights().estate;
    let estate = with(resource, known);
    let after = Rbac::new(&estate).escalations(beside.kubernetes_minor());
    escalated(beside.escalations(), &after)
}

/// The estate with an object in it, in the place of the one that has its name.
pub(super) fn with(resource: &Resource, known: &Estate) -> Estate {
    let mut estate = Estate::new(known.scope);
    estate.completeness = known.completeness.clone();
    let same = |other: &&Resource| {
        other.name.kind == resource.name.kind
            && other.name.namespace == resource.name.namespace
            && other.name.name == resource.name.name
    };
    for other in known.resources().iter().filter(|other| !same(other)) {
        estate.add(other.clone());
    }
    estate.add(resource.clone());
    estate
}
