//! Policies that are asked about changes of namespaces: where there is one, labels may not simply be written.
//!
//! Left out: what it makes of the change (so a step over it is possible only), and webhooks, whose code is not known;
//! that of Gatekeeper is asked about namespaces everywhere and keeps only its own label.

use model::{Ref, ResourceRef};

use super::Removed;
use super::matching::{list, texts};
use crate::paths::builder::Builder;

impl Builder<'_> {
    /// The first of them, and what it is called.
    pub(super) fn guard_of_namespaces(&self, removed: &Removed) -> Option<(ResourceRef, Box<str>)> {
        let estate = self.estate;
        let policies = estate.of_kind("ValidatingAdmissionPolicy").iter();
        policies
            .filter_map(|id| Some((*id, estate.get(*id)?)))
            .find(|(_, policy)| {
                let rules = policy
                    .object()
                    .path(&["spec", "matchConstraints"])
                    .map(|constraints| list(constraints, "resourceRules"));
                !removed.policies.has(&policy.name.name)
                    && rules.into_iter().flatten().any(takes_namespaces)
                    && self.is_bound(&policy.name.name, removed)
            })
            .map(|(id, policy)| (id, policy.name.name.clone()))
    }

    fn is_bound(&self, policy: &str, removed: &Removed) -> bool {
        let bindings = self.estate.of_kind("ValidatingAdmissionPolicyBinding");
        bindings
            .iter()
            .filter_map(|id| self.estate.get(*id))
            .filter(|binding| !removed.bindings.has(&binding.name.name))
            .filter_map(|binding| binding.object().get("spec"))
            .filter(|spec| spec.get("policyName").and_then(Ref::as_str) == Some(policy))
            // What cannot be asked is refused, whatever the actions are.
            .any(|spec| {
                spec.get("paramRef").is_some()
                    || texts(spec.get("validationActions")).any(|action| action == "Deny")
            })
    }
}

/// Whether a rule takes the change of a namespace, or of its status, which writes labels too.
fn takes_namespaces(rule: Ref<'_>) -> bool {
    let any = |key: &str, names: &[&str]| texts(rule.get(key)).any(|own| names.contains(&own));
    any("apiGroups", &["", "*"])
        && any("operations", &["UPDATE", "*"])
        && any("resources", &["namespaces", "*", "*/*", "namespaces/*"])
}
