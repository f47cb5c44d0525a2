//! Which scope holds which: management groups, subscriptions, resource groups, resources, and what is below
//! a resource.

use std::collections::{BTreeMap, BTreeSet};

use model::azure::segments;
use model::{Estate, Ref};

/// Whether something at a scope counts for a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// It is the scope itself.
    Itself,
    /// The scope is above.
    Above,
    /// What a template leaves open, or an unknown management group, decides.
    Maybe,
    /// No.
    No,
}

/// Ids in lower case; what a template leaves open stands in braces.
#[must_use]
pub(super) fn covers(scope: &str, target: &str, groups: &Groups) -> Covers {
    if scope == target {
        return Covers::Itself;
    }
    if scope == "/" {
        return Covers::Above;
    }
    if !scope.starts_with('/') {
        // Nothing but an open value.
        return if scope.contains('{') {
            Covers::Maybe
        } else {
            Covers::No
        };
    }
    if let Some(group) = management_group(scope) {
        return groups.covers(group, target);
    }
    let scope = segments(scope.trim_end_matches('/'));
    let target = segments(target);
    if scope.len() > target.len() {
        return Covers::No;
    }
    let mut maybe = false;
    for (one, other) in scope.iter().zip(&target) {
        if one == other {
            continue;
        }
        if !may_be_same(one, other) {
            return Covers::No;
        }
        maybe = true;
    }
    match (maybe, scope.len() == target.len()) {
        (true, _) => Covers::Maybe,
        (false, true) => Covers::Itself,
        (false, false) => Covers::Above,
    }
}

/// Whether two texts with open parts can be the same: their known beginnings and ends must agree.
fn may_be_same(one: &str, other: &str) -> bool {
    if !one.contains('{') && !other.contains('{') {
        return false;
    }
    fn start(text: &str) -> &str {
        text.split_once('{').map_or(text, |(start, _)| start)
    }
    fn end(text: &str) -> &str {
        text.rsplit_once('}').map_or(text, |(_, end)| end)
    }
    let starts = start(one).starts_with(start(other)) || start(other).starts_with(start(one));
    let ends = end(one).ends_with(end(other)) || end(other).ends_with(end(one));
    starts && ends
}

/// The name of a management group that a scope is.
fn management_group(scope: &str) -> Option<&str> {
    scope.strip_prefix("/providers/microsoft.management/managementgroups/")
}

/// What is known of management groups: from `Microsoft.Management/managementGroups` (its parent in
/// `properties.details.parent.id`, what is below in `properties.children`), from
/// `Microsoft.Management/managementGroups/subscriptions`, and from subscriptions
/// (`Microsoft.Resources/subscriptions`) that say `properties.managementGroupAncestorsChain`, as Resource
/// Graph has it.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// the group above a group, or above a subscription (by its id)
    above: BTreeMap<Box<str>, Box<str>>,
    /// subscriptions all of whose groups are known
    whole: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// The only subscription whose assignments were read. Azure lists with them those of the groups above it
    /// and of no other, so a group that an assignment was read of is above it
    /// (<https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest>).
    only: Option<Box<str>>,
}

impl Groups {
    pub(super) fn read(estate: &Estate) -> Self {
        let mut groups = Self::default();
        let mut read = estate
            .completeness
            .declared()
            .filter(|(kind, _)| {
                kind.eq_ignore_ascii_case("microsoft.authorization/roleassignments")
            })
            .map(|(_, within)| within);
        if let (Some(one), None) = (read.next(), read.next())
            && one.starts_with("/subscriptions/")
        {
            groups.only = Some(one.into());
        }
        for (_, object) in of(estate, "Microsoft.Management/managementGroups") {
            let Some(name) = text(object, &["name"]) else {
                continue;
            };
            if let Some(parent) = text(object, &["properties", "details", "parent", "id"]) {
                groups.set(&name, &parent);
            }
            for child in object
                .path(&["properties", "children"])
                .into_iter()
                .flat_map(Ref::items)
            {
                if let Some(id) = text(child, &["id"]) {
                    let child = management_group(&id).unwrap_or(&id).to_owned();
                    groups.above.insert(child.into(), name.clone());
                }
            }
        }
        for (id, _) in of(
            estate,
            "Microsoft.Management/managementGroups/subscriptions",
        ) {
            if let Some((group, subscription)) = id.rsplit_once("/subscriptions/")
                && let Some(group) = management_group(group)
            {
                groups.above.insert(
                    format!("/subscriptions/{subscription}").into(),
                    group.into(),
                );
            }
        }
        for (id, object) in of(estate, "Microsoft.Resources/subscriptions") {
            if let Some(chain) = object.path(&["properties", "managementGroupAncestorsChain"]) {
                let names = chain.items().filter_map(|item| text(item, &["name"]));
                let subscription = id.rsplit('/').next().unwrap_or_default();
                groups.whole.insert(
                    format!("/subscriptions/{subscription}").into(),
                    names.collect(),
                );
            }
        }
        groups
    }

    fn set(&mut self, name: &str, parent: &str) {
        let parent = management_group(parent).unwrap_or(parent);
        self.above.insert(name.into(), parent.into());
    }

    fn covers(&self, group: &str, target: &str) -> Covers {
        if let Some(own) = management_group(target) {
            return self.climb(group, own);
        }
        let parts = segments(target);
        let Some(subscription) = parts
            .get(2)
            .filter(|_| parts.get(1).copied() == Some("subscriptions"))
        else {
            return Covers::No;
        };
        let subscription = format!("/subscriptions/{subscription}");
        if let Some(chain) = self.whole.get(&*subscription) {
            return if chain.contains(group) {
                Covers::Above
            } else {
                Covers::No
            };
        }
        match self.climb(group, &subscription) {
            Covers::Maybe if self.only.as_deref() == Some(&*subscription) => Covers::Above,
            found => found,
        }
    }

    /// Climbs from a group or subscription; where the way ends before the root, nobody knows.
    fn climb(&self, wanted: &str, from: &str) -> Covers {
        let mut at = from;
        for _ in 0..16 {
            let Some(above) = self.above.get(at) else {
                return Covers::Maybe;
            };
            if **above == *wanted {
                return Covers::Above;
            }
            at = above;
        }
        Covers::Maybe
    }
}

fn of<'e>(estate: &'e Estate, kind: &str) -> impl Iterator<Item = (String, Ref<'e>)> {
    estate
        .of_kind(kind)
        .iter()
        .filter_map(|number| estate.get(*number))
        .filter_map(|resource| {
            let id = resource.azure.as_ref()?.id.to_ascii_lowercase();
            Some((id, resource.object()))
        })
}

/// A text in lower case.
fn text(object: Ref<'_>, keys: &[&str]) -> Option<Box<str>> {
    object
        .path(keys)
        .and_then(Ref::as_str)
        .map(|text| text.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests {
    use super::{Covers, Groups, covers};

    #[test]
    fn scopes_hold_what_is_below_them() {
        let groups = Groups::default();
        let covers = |scope: &str, target: &str| covers(scope, target, &groups);
        let cluster = "/subscriptions/1/resourcegroups/shop/providers/microsoft.containerservice/managedclusters/a";
        assert_eq!(covers("/", cluster), Covers::Above);
        assert_eq!(covers("/subscriptions/1", cluster), Covers::Above);
        assert_eq!(covers("/subscriptions/2", cluster), Covers::No);
        assert_eq!(
            covers("/subscriptions/1/resourcegroups/shop", cluster),
            Covers::Above
        );
        assert_eq!(
            covers("/subscriptions/1/resourcegroups/sho", cluster),
            Covers::No
        );
        assert_eq!(covers(cluster, cluster), Covers::Itself);
        let namespace = format!("{cluster}/namespaces/pay");
        assert_eq!(covers(&namespace, cluster), Covers::No);
        assert_eq!(covers(cluster, &namespace), Covers::Above);
        let group = "/providers/microsoft.management/managementgroups/root";
        assert_eq!(covers(group, cluster), Covers::Maybe);
    }

    #[test]
    fn what_is_open_may_be_the_same() {
        let groups = Groups::default();
        let covers = |scope: &str, target: &str| covers(scope, target, &groups);
        let cluster = "/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/x/y/{prefix}-aks";
        assert_eq!(
            covers("/subscriptions/{subscription}", cluster),
            Covers::Above
        );
        assert_eq!(covers("/subscriptions/1", cluster), Covers::Maybe);
        assert_eq!(covers("{scope}", cluster), Covers::Maybe);
        let other = "/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/x/y/{prefix}-acr";
        assert_eq!(covers(other, cluster), Covers::No);
        let some =
            "/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/x/y/{name}";
        assert_eq!(covers(some, cluster), Covers::Maybe);
    }
}
