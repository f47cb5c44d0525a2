//! Kubelets, admission, scheduling, DNS and Services: rights over what the cluster itself runs on.

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::Place;

pub(super) fn add(builder: &mut Builder<'_>) {
    // The kubelet does what its API says in any pod of the node (kubernetes pkg/kubelet/server).
    let pods = builder.right("pods", Place::Cluster);
    for right in ["kubelet-proxy", "dns-config"] {
        let from = builder.right(right, Place::Cluster);
        builder.implied(from, pods);
    }
    // A webhook makes the next pod that anybody creates one of its choice, wherever that is; where it may run is
    // decided after it.
    let hook = builder.right("webhook-write", Place::Cluster);
    let create = builder.right("pod-create", Place::Cluster);
    builder.implied(hook, create);
    // With a taint on every other node, what does not tolerate it comes to the node that the attacker owns.
    let steal = builder.right("pod-steal", Place::Cluster);
    let always = builder.always("pods that a taint drives out start elsewhere");
    for number in 0..builder.pools().len() as u32 {
        let pool = builder.pool(number);
        let draft = Draft::new(Edge::PodSteal, steal, pods).and(pool);
        builder.add(draft.by(always.clone()));
    }
}
