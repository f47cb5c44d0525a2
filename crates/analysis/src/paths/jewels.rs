//! What is worth reaching, where the configuration names nothing else: cluster-admin, root on nodes, a whole
//! subscription. (Vaults and clusters beside the one are named where they are read, in the steps of Azure.)

use super::Wish;
use super::builder::Builder;
use super::graph::{Graph, Jewel};
use super::node::{EVERYTHING, Place};

pub(super) fn add(builder: &mut Builder<'_>) {
    let admin = builder.right(EVERYTHING, Place::Cluster);
    builder.jewel(admin, "cluster-admin", "cluster-admin", 10);
    for number in 0..builder.pools().len() as u32 {
        let Some(pool) = builder.pools().get(number as usize) else {
            continue;
        };
        let (name, several) = (pool.name.clone(), pool.any_of.len());
        let title = if name.is_empty() {
            "root on the nodes".to_owned()
        } else if several > 3 {
            format!("root on a node of one of {several} pools")
        } else if several > 0 {
            format!("root on a node of pool {}", name.replace('|', " or "))
        } else {
            format!("root on the nodes of pool {name}")
        };
        let node = builder.pool(number);
        builder.jewel(node, "node-root", &title, 6);
    }
    for id in builder.scopes_of("owner") {
        let parts = model::azure::segments(&id);
        if let ["", "subscriptions", name] = parts.as_slice() {
            let title = format!("Owner of subscription {}", model::azure::shown(name));
            let node = builder.power("owner", &id);
            builder.jewel(node, "subscription-owner", &title, 9);
        }
    }
}

/// Adds what somebody named. What no step leads to is a gap: a name may be misspelt.
pub(super) fn wish(graph: &mut Graph, wishes: &[Wish]) {
    for wish in wishes {
        let named = |id: &str| {
            id.eq_ignore_ascii_case(&wish.id)
                || id
                    .split_once(':')
                    .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(&wish.id))
        };
        let found: Vec<_> = graph
            .nodes()
            .map(|(number, _)| number)
            .filter(|number| named(&graph.id(*number)))
            .collect();
        if found.is_empty() {
            let gap = format!(
                "nothing leads to the jewel `{}`, or it is not called that",
                wish.id
            );
            graph.gaps.push(gap.into());
        }
        for node in found {
            let title = match &wish.title {
                Some(title) => title.to_string(),
                None => graph.title(node),
            };
            graph.jewels.retain(|jewel| jewel.node != node);
            graph.jewels.push(Jewel {
                node,
                kind: "named",
                title: title.into(),
                weight: wish.weight,
            });
        }
    }
    graph.sort_jewels();
}
