//! Where an attacker may start: workloads that the internet reaches, whoever does not sign in, the credential
//! of a person or a pipeline, a pushed image, and any pod at all.

use super::builder::Builder;
use super::graph::EntryKind;
use super::node::Node;
use crate::reach::{Audience, Exposure};

pub(super) fn add(builder: &mut Builder<'_>) {
    exposed(builder);
    breached(builder);
}

/// A workload that the internet reaches is assumed to have a weakness.
fn exposed(builder: &mut Builder<'_>) {
    let exposures: Vec<Exposure> = builder
        .analyses
        .reach()
        .exposures()
        .iter()
        .filter(|exposure| exposure.to_internet())
        .cloned()
        .collect();
    for exposure in exposures {
        let node = builder.node(Node::Workload(exposure.workload as u32));
        let doubt = if exposure.audience == Audience::Internet && !exposure.open.sure.is_empty() {
            None
        } else {
            Some(
                exposure
                    .because
                    .as_deref()
                    .or(exposure.hangs_on.as_deref())
                    .unwrap_or("what was given does not say whether the internet reaches it")
                    .to_owned(),
            )
        };
        let because = format!("the internet reaches it by {}", exposure.way.name());
        let evidence = exposure
            .through
            .iter()
            .map(|object| builder.seen(*object, None, exposure.way.name()))
            .collect();
        builder.entry(
            node,
            EntryKind::Exposed,
            &because,
            evidence,
            doubt.as_deref(),
        );
    }
}

/// Any pod is assumed to be broken into: its image or a library of it is bad.
fn breached(builder: &mut Builder<'_>) {
    for number in 0..builder.names.workloads.len() {
        let node = builder.node(Node::Workload(number as u32));
        builder.entry(
            node,
            EntryKind::Breached,
            "any pod may be broken into",
            Vec::new(),
            None,
        );
    }
}
