//! What is worth reaching, where the configuration names nothing else: cluster-admin, root on nodes.

use super::builder::Builder;
use super::node::{EVERYTHING, Place};

pub(super) fn add(builder: &mut Builder<'_>) {
    let admin = builder.right(EVERYTHING, Place::Cluster);
    builder.jewel(admin, "cluster-admin", "cluster-admin", 10);
    for number in 0..builder.pools().len() as u32 {
        let Some(pool) = builder.pools().get(number as usize) else {
            continue;
        };
        let (name, several) = (pool.name.clone(), !pool.any_of.is_empty());
        let title = if name.is_empty() {
            "root on the nodes".to_owned()
        } else if several {
            format!("root on a node of pool {}", name.replace('|', " or "))
        } else {
            format!("root on the nodes of pool {name}")
        };
        let node = builder.pool(number);
        builder.jewel(node, "node-root", &title, 6);
    }
}
