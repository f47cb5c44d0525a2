//! What files declare of something that runs: the template or manifest beside the live object.

use crate::azure;
use crate::estate::Estate;
use crate::kinds::Kind;
use crate::resource::{Resource, ResourceRef};

impl Estate {
    /// The resources read from files that declare a live one: of the same kind, and with the same
    /// namespace and name; in Azure with an id that differs in nothing but what a template leaves open.
    #[must_use]
    pub fn declared(&self, live: &Resource) -> Vec<ResourceRef> {
        if !live.origin.live {
            return Vec::new();
        }
        let is_declaration = |other: &Resource| {
            !other.origin.live
                && !other.implied
                && match (&live.azure, &other.azure) {
                    (Some(live), Some(other)) => may_be(&other.id, &live.id),
                    (None, None) => {
                        other.name.namespace == live.name.namespace
                            && other.name.name == live.name.name
                    }
                    _ => false,
                }
        };
        let kind = match &live.name.kind {
            Kind::Kubernetes { group, kind } if !crate::kinds::is_builtin(group, kind) => {
                format!("{kind}.{group}")
            }
            kind => kind.name().to_owned(),
        };
        self.of_kind(&kind)
            .iter()
            .copied()
            .filter(|id| self.get(*id).is_some_and(is_declaration))
            .collect()
    }
}

/// Whether an id with open parts in braces may be this one. Of its name something must be known.
fn may_be(template: &str, id: &str) -> bool {
    let (open, own) = (azure::segments(template), azure::segments(id));
    let named = open.last().is_some_and(|name| !is_open(name));
    named
        && open.len() == own.len()
        && open
            .iter()
            .zip(&own)
            .all(|(open, own)| segment_may_be(open, own))
}

fn is_open(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1
}

/// The known ends of a segment must be those of the other.
fn segment_may_be(open: &str, own: &str) -> bool {
    let open = open.to_ascii_lowercase();
    let own = own.to_ascii_lowercase();
    match (open.split_once('{'), open.rsplit_once('}')) {
        (Some((start, _)), Some((_, end))) => {
            own.len() >= start.len() + end.len() && own.starts_with(start) && own.ends_with(end)
        }
        _ => open == own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_open_parts_may_be_others() {
        let id = "/subscriptions/5/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/shop-aks";
        for (template, may) in [
            (
                "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.ContainerService/managedClusters/shop-aks",
                true,
            ),
            (
                "/subscriptions/{subscription}/resourceGroups/rg-{env}/providers/microsoft.containerservice/managedClusters/{prefix}-aks",
                true,
            ),
            (
                "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.ContainerService/managedClusters/bank-aks",
                false,
            ),
            (
                "/subscriptions/6/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/shop-aks",
                false,
            ),
            // Nothing of the name is known.
            (
                "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.ContainerService/managedClusters/{name}",
                false,
            ),
            (
                "/subscriptions/{subscription}/resourceGroups/rg-shop",
                false,
            ),
        ] {
            assert_eq!(may_be(template, id), may, "{template}");
        }
    }
}
