//! Children that ARM lets one write inside the parent's properties.

use std::collections::HashSet;

use cel::{Symbol, Symbols};

use super::Found;
use crate::doc::{Doc, NodeId};
use crate::value::Ref;

/// How a list in a parent's properties holds resources that also exist on their own.
#[derive(Debug, Clone, Copy)]
pub struct Inline {
    /// The parent's type.
    pub parent: &'static str,
    /// The property of the parent.
    pub list: &'static str,
    child: &'static str,
    /// The item holds the properties themselves, without a `properties` of its own.
    pub flat: bool,
}

/// The list of a parent in which resources of a type may be written, too.
#[must_use]
pub fn inline(kind: &str) -> Option<Inline> {
    let (parent, child) = kind.rsplit_once('/')?;
    let found = INLINE.iter().find(|inline| {
        inline.parent.eq_ignore_ascii_case(parent) && inline.child.eq_ignore_ascii_case(child)
    });
    found.copied()
}

/// The lists whose items have a resource type of their own (Azure/bicep-types-az, types of
/// each parent).
const INLINE: [Inline; 9] = [
    Inline {
        parent: "Microsoft.ContainerService/managedClusters",
        list: "agentPoolProfiles",
        child: "agentPools",
        flat: true,
    },
    Inline {
        parent: "Microsoft.Network/virtualNetworks",
        list: "subnets",
        child: "subnets",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/virtualNetworks",
        list: "virtualNetworkPeerings",
        child: "virtualNetworkPeerings",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/networkSecurityGroups",
        list: "securityRules",
        child: "securityRules",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/routeTables",
        list: "routes",
        child: "routes",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/dnsForwardingRulesets",
        list: "forwardingRules",
        child: "forwardingRules",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/firewallPolicies",
        list: "ruleCollectionGroups",
        child: "ruleCollectionGroups",
        flat: false,
    },
    Inline {
        parent: "Microsoft.Network/privateEndpoints",
        list: "privateDnsZoneGroups",
        child: "privateDnsZoneGroups",
        flat: false,
    },
    Inline {
        parent: "Microsoft.KeyVault/vaults",
        list: "secrets",
        child: "secrets",
        flat: false,
    },
];

/// Adds the children that stand in their parents' properties to what was found.
pub(super) fn separate(doc: &mut Doc, found: &mut Vec<Found>, symbols: &Symbols) {
    let mut known: HashSet<String> = found
        .iter()
        .map(|resource| resource.id.to_ascii_lowercase())
        .collect();
    for index in 0..found.len() {
        let Some(parent) = found.get(index).cloned() else {
            return;
        };
        for inline in INLINE
            .iter()
            .filter(|inline| inline.parent.eq_ignore_ascii_case(&parent.kind))
        {
            let items: Vec<(NodeId, Box<str>)> = doc
                .node(parent.root)
                .path(&["properties", inline.list])
                .into_iter()
                .flat_map(Ref::items)
                .filter(|item| item.is_map() && !refers(*item))
                .enumerate()
                .map(|(at, item)| {
                    let name = item
                        .get("name")
                        .and_then(|name| name.as_str().or_else(|| name.open_expression()))
                        .map_or_else(|| format!("{at}").into(), Into::into);
                    (item.id(), name)
                })
                .collect();
            for (item, name) in items {
                let id = format!("{}/{}/{name}", parent.id, inline.child);
                if !known.insert(id.to_ascii_lowercase()) {
                    continue;
                }
                let root = if inline.flat {
                    doc.wrap(
                        item.0,
                        symbols.get("properties"),
                        "properties",
                        &carried(doc, item, symbols),
                    )
                } else {
                    doc.copy_map(item.0)
                };
                found.push(Found {
                    root: NodeId(root),
                    kind: format!("{}/{}", parent.kind, inline.child).into(),
                    name: format!("{}/{name}", parent.name).into(),
                    id: id.into(),
                    api_version: parent.api_version.clone(),
                    through: parent.through.clone(),
                    principal: None,
                });
            }
        }
    }
}

/// Whether an item only names a resource that stands elsewhere: what Azure answers with where it
/// does not show a child (`properties.ruleCollectionGroups` of a firewall policy).
fn refers(item: Ref<'_>) -> bool {
    item.get("id").is_some() && item.get("name").is_none() && item.get("properties").is_none()
}

/// What a flat item says of itself and not of its properties.
fn carried(doc: &Doc, item: NodeId, symbols: &Symbols) -> Vec<(Symbol, &'static str, u32)> {
    doc.node(item)
        .get("name")
        .map(|name| (symbols.get("name"), "name", name.id().0))
        .into_iter()
        .collect()
}
