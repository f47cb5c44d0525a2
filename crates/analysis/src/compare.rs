//! Two estates side by side: which resources changed, who gained or lost rights, which connections opened or
//! closed.
//!
//! Pure comparisons; what is worse is said where it follows from the fact alone (a new escalation, something new
//! that the internet reaches). Left out: findings, which reports compare, and how all of it is printed.
//!
//! Resources are the same when their ids are. Where an id occurs more than once (overlays of one
//! application), the file tells them apart; so paths must be relative to what was given
//! ([`resources::relative`]).

use model::{Estate, Resource, ResourceRef};

pub mod connections;
pub mod resources;
pub mod rights;
pub mod sight;

/// `RoleBinding shop/reader`
#[must_use]
pub fn shown(resource: &Resource) -> String {
    let name = &resource.name;
    match name.namespace.as_deref() {
        Some(namespace) => format!("{} {namespace}/{}", name.kind.name(), name.name),
        None => format!("{} {}", name.kind.name(), name.name),
    }
}

fn shown_at(estate: &Estate, resource: ResourceRef) -> String {
    estate
        .get(resource)
        .map_or_else(|| "something not given".to_owned(), shown)
}
