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
    // decided after it. It sees what is written, Secrets too.
    let hook = builder.right("webhook-write", Place::Cluster);
    let watch = builder.right("webhook-watch", Place::Cluster);
    let create = builder.right("pod-create", Place::Cluster);
    let read = builder.right("secret-read", Place::Cluster);
    builder.implied(hook, create);
    builder.implied(hook, watch);
    builder.implied(watch, read);
    // With a taint on every other node, what does not tolerate it comes to the node that the attacker owns; so does
    // what is bound to it.
    let always = builder.always("pods that are driven out start elsewhere");
    for place in builder.places_of("pod-steal") {
        let steal = builder.right("pod-steal", place);
        let pods = builder.right("pods", place);
        for number in 0..builder.pools().len() as u32 {
            let pool = builder.pool(number);
            let draft = Draft::new(Edge::PodSteal, steal, pods).and(pool);
            builder.add(draft.by(always.clone()));
        }
    }
}
