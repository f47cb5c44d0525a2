//! What a role or a binding would let somebody take who cannot now: the rights of the whole cluster with the object
//! in them, against those without.
//!
//! It leaves out what leads further over pods, nodes and Azure (`analysis::paths`): that graph takes longer than an
//! API server waits, and the watch makes it a moment later.

use analysis::Analyses;
use analysis::compare::rights::{Escalated, escalated};
use analysis::rbac::Rbac;
use model::kinds::Kind;
use model::{Estate, Resource};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Nothing for an object that gives no rights.
pub(super) fn of(resource: &Resource, beside: &Analyses<'_>) -> Vec<Escalated> {
    let gives = matches!(
        &resource.name.kind,
        Kind::Kubernetes { group, kind }
            if &**group == GROUP
                && matches!(&**kind, "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding")
    );
    if !gives {
        return Vec::new();
    }
    let known = &beside.rights().estate;
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
    let after = Rbac::new(&estate).escalations(beside.kubernetes_minor());
    escalated(beside.escalations(), &after)
}
