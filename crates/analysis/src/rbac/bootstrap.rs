//! The roles and bindings that every cluster has: the API server makes them when it starts
//! (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy). Files hardly ever hold them, yet without them
//! `view` gives nothing and nobody may ask for the version.

use model::{Estate, Resource};

/// Adds those of the built-in objects that the estate does not hold under the same name. What was given stands:
/// the API server adds to changed roles what they lack, but not where they say
/// `rbac.authorization.kubernetes.io/autoupdate: "false"`, and of a file nobody knows which cluster it is for.
pub fn add_bootstrap(estate: &mut Estate, builtin: impl IntoIterator<Item = Resource>) {
    for resource in builtin {
        let namespace = resource.name.namespace.as_deref().unwrap_or_default();
        let known = estate.find(namespace, resource.name.kind.name(), &resource.name.name);
        if known.is_none() {
            estate.add(resource);
        }
    }
}
