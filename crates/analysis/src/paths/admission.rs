//! What admission lets pass: whether somebody who may create pods in a namespace may create one of a shape.
//!
//! An attacker writes the pod, so a shape is the tamest pod that serves the purpose: only what the purpose
//! needs is held against the rules. Pod Security reads the namespace's `enforce` label
//! (kubernetes staging/src/k8s.io/pod-security-admission); AKS configures neither defaults nor exemptions
//! (<https://learn.microsoft.com/azure/aks/use-psa>).

use std::sync::Arc;

use cel::{Node as _, View};
use model::{Ref, Within};

use super::builder::Builder;
use super::graph::Evidence;

/// What a pod must be for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shape {
    /// Nothing special: it runs, as any service account of the namespace, and mounts its Secrets.
    Plain,
    /// It takes the node: a privileged container among the node's processes and files.
    Node,
    /// A privileged container in a pod that is there already: an ephemeral one.
    Privileged,
    /// It sits in the node's network.
    HostNetwork,
    /// It mounts the node's files.
    HostPath,
}

/// Whether admission lets a shape pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Nothing keeps it out.
    Yes(Vec<Evidence>),
    /// Something may keep it out.
    Perhaps(Arc<str>, Vec<Evidence>),
    /// Something surely does.
    No(Vec<Evidence>),
}

/// The label that Pod Security reads (k8s.io/pod-security-admission/api, `EnforceLevelLabel`).
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

impl Builder<'_> {
    /// Whether admission lets pods of a shape into a namespace.
    pub(crate) fn admits(&mut self, namespace: &str, shape: Shape) -> Admitted {
        self.pod_security(namespace, shape)
    }

    /// What the namespace's own labels say.
    fn pod_security(&mut self, namespace: &str, shape: Shape) -> Admitted {
        // Whoever writes a pod for nothing special can write it so that `restricted` lets it pass.
        if shape == Shape::Plain {
            return Admitted::Yes(Vec::new());
        }
        let Some(resource) = self.estate.find("", "Namespace", namespace) else {
            return match self.estate.absent("Namespace", Within::Everywhere) {
                None => Admitted::Yes(Vec::new()),
                Some(_) => Admitted::Perhaps(
                    format!("the labels of namespace {namespace} were not given").into(),
                    Vec::new(),
                ),
            };
        };
        let number = self.estate.number_of(resource);
        let labels = resource.object().path(&["metadata", "labels"]);
        let level = labels.and_then(|labels| labels.get(ENFORCE));
        let open = |value: Option<Ref<'_>>| value.is_some_and(Ref::is_open);
        let more = labels.is_some_and(|labels| labels.rest().is_some());
        let holder = resource.object().get("metadata");
        if open(level) || level.is_none() && (open(labels) || open(holder) || more) {
            return Admitted::Perhaps(
                format!("the labels of namespace {namespace} were not given").into(),
                Vec::new(),
            );
        }
        let mut seen = |value: Option<Ref<'_>>, says: &str| -> Vec<Evidence> {
            number
                .map(|number| self.seen(number, value, says))
                .into_iter()
                .collect()
        };
        match level.map(|level| level.view()) {
            None => Admitted::Yes(seen(holder, "has no label that enforces Pod Security")),
            Some(View::Str("privileged")) => {
                Admitted::Yes(seen(level, "enforces no more than Pod Security privileged"))
            }
            // A level that cannot be read counts as `restricted` (`ParseLevel`).
            Some(_) => Admitted::No(seen(level, "enforces Pod Security")),
        }
    }
}
