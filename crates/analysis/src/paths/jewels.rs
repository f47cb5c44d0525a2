//! What is worth reaching, where the configuration names nothing else: cluster-admin, root on nodes.

use super::builder::Builder;
use super::node::{EVERYTHING, Place};

pub(super) fn add(builder: &mut Builder<'_>) {
    let admin = builder.right(EVERYTHING, Place::Cluster);
    builder.jewel(admin, "cluster-admin", "cluster-admin", 10);
    for number in 0..builder.pools().len() as u32 {
        let name = builder
            .pools()
            .get(number as usize)
            .map(|pool| pool.name.clone())
            .unwrap_or_default();
        let title = if name.is_empty() {
            "root on the nodes".to_owned()
        } else {
            format!("root on the nodes of pool {name}")
        };
        let node = builder.pool(number);
        builder.jewel(node, "node-root", &title, 6);
    }
}
