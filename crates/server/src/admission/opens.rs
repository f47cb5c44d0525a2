//! What a role or a binding would let somebody take who cannot now: the rights of the cluster with the object in
//! them, against those without; for what belongs to a namespace, those that are held there.
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
    let of = |estate: &Estate| Rbac::new(estate).escalations(beside.kubernetes_minor());
    // What is held elsewhere stays as it is.
    let namespace = resource.name.namespace.as_deref();
    if let Some(known) = namespace.and_then(|namespace| beside.rights_within(namespace)) {
        return escalated(&of(&known), &of(&with(resource, &known)));
    }
    let after = of(&with(resource, &beside.rights().estate));
    escalated(beside.escalations(), &after)
}

/// The estate with an object in it, in the place of the one that has its name.
pub(super) fn with(resource: &Resource, known: &Estate) -> Estate {
    let same = |other: &&Resource| {
        other.name.kind == resource.name.kind
            && other.name.namespace == resource.name.namespace
            && other.name.name == resource.name.name
    };
    let others = known.resources().iter().filter(|other| !same(other));
    known.part(others.chain([resource]))
}
