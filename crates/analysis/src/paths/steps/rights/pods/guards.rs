//! What keeps pods out, taken away first: ValidatingAdmissionPolicies and their bindings, webhooks, policies of
//! Kyverno.
//!
//! Who may change or delete these lets the pod in that they kept out. Whether what is left lets it in is asked of
//! [`crate::paths::admission`]. Left out: Gatekeeper's constraints, each of a resource of its own, and parameters of
//! policies; namespaces that are relabelled besides count where neither alone is enough.

use super::Hands;
use crate::paths::admission::{Admitted, Gone, Removed, Shape};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo, Object};
use crate::paths::node::Place;

/// What a right takes away of the guards.
type Takes = fn(&mut Removed);

/// The rights over all objects of a kind.
const RIGHTS: [(&str, &str, Takes); 3] = [
    ("policy-remove", "ValidatingAdmissionPolicy", |removed| {
        removed.policies = Gone::All;
    }),
    (
        "webhook-remove",
        "ValidatingWebhookConfiguration",
        |removed| {
            removed.webhooks = Gone::All;
        },
    ),
    ("kyverno-remove", "ClusterPolicy.kyverno.io", |removed| {
        removed.kyverno = Gone::All;
    }),
];

const fn rank(answer: &Admitted) -> u8 {
    match answer {
        Admitted::No(_) => 0,
        Admitted::Perhaps(..) => 1,
        Admitted::Yes(_) => 2,
    }
}

fn evidence(answer: &Admitted) -> &[Evidence] {
    match answer {
        Admitted::No(evidence) | Admitted::Perhaps(_, evidence) | Admitted::Yes(evidence) => {
            evidence
        }
    }
}

/// Whether it is the namespace's own label.
fn is_label(builder: &Builder<'_>, by: &Evidence) -> bool {
    let Object::Estate(object) = by.object else {
        return false;
    };
    let resource = builder.estate.get(object);
    resource.is_some_and(|own| own.name.kind.name() == "Namespace")
}

/// A way to let the pod in.
struct Way {
    needs: Vec<NodeNo>,
    removed: Removed,
    by: Vec<Evidence>,
    doubt: Option<std::sync::Arc<str>>,
}

/// What taking guards away leads to in a namespace that keeps pods out which take nodes. `before` is what they
/// are met by now.
pub(super) fn removed(
    builder: &mut Builder<'_>,
    hands: &Hands,
    (namespace, place): (&str, Place),
    before: &Admitted,
    every_node: NodeNo,
) {
    let ways = ways(builder, hands);
    if ways.is_empty() {
        return;
    }
    let create = builder.right("pod-create", place);
    let label = builder.right("namespace-label", place);
    let relabelled = builder.admits_relabelled(namespace, Shape::Node);
    if rank(&relabelled) == 2
        && matches!(before, Admitted::No(by) if by.iter().all(|by| is_label(builder, by)))
    {
        return; // the namespace's label alone
    }
    // By what each way removes, so that a wider one counts only where it leads further.
    let mut known: Vec<(Vec<NodeNo>, u8, u8)> = Vec::new();
    for way in ways {
        let less = |at: fn(&(Vec<NodeNo>, u8, u8)) -> u8| {
            let within = known
                .iter()
                .filter(|(needs, ..)| needs.iter().all(|need| way.needs.contains(need)));
            within.map(at).max().unwrap_or(0)
        };
        let (best, best_labelled) = (less(|known| known.1), less(|known| known.2));
        let alone = builder.admits_without(namespace, Shape::Node, &way.removed, false);
        let labelled = builder.admits_without(namespace, Shape::Node, &way.removed, true);
        let (own, both) = (rank(&alone), rank(&labelled));
        let mut step = |answer: &Admitted, needs: &[NodeNo], more: &[Evidence]| {
            let why = match answer {
                Admitted::Perhaps(why, _) => Some(std::sync::Arc::clone(why)),
                _ => None,
            };
            let mut draft = Draft::new(Edge::AdmissionRemoval, create, every_node)
                .by_all(way.by.iter().cloned())
                .by_all(more.iter().cloned())
                .by_all(evidence(answer).iter().cloned())
                .perhaps(why)
                .perhaps(way.doubt.clone());
            for need in way.needs.iter().chain(needs) {
                draft = draft.and(*need);
            }
            builder.add(draft);
        };
        if own > rank(before).max(best) {
            step(&alone, &[], evidence(before));
        }
        if both > rank(&relabelled).max(own).max(best_labelled) {
            step(&labelled, &[label], evidence(&relabelled));
        }
        known.push((way.needs, own, both.max(own)));
    }
}

/// All sets of rights over guards that are held, the smaller ones first, then those over some names.
fn ways(builder: &Builder<'_>, hands: &Hands) -> Vec<Way> {
    let held: Vec<(NodeNo, Takes)> = RIGHTS
        .iter()
        .filter(|(_, kind, _)| !builder.estate.of_kind(kind).is_empty())
        .filter_map(|(right, _, take)| Some((builder.known_right(right, Place::Cluster)?, *take)))
        .collect();
    let mut sets: Vec<u32> = (1..1 << held.len()).collect();
    sets.sort_by_key(|set| set.count_ones());
    let mut found: Vec<Way> = sets
        .into_iter()
        .map(|set| {
            let mut way = Way {
                needs: Vec::new(),
                removed: Removed::default(),
                by: Vec::new(),
                doubt: None,
            };
            for (number, (right, take)) in held.iter().enumerate() {
                if set & (1 << number) != 0 {
                    way.needs.push(*right);
                    take(&mut way.removed);
                }
            }
            way
        })
        .collect();
    found.extend(hands.tampers.iter().map(|tamper| Way {
        needs: vec![tamper.hand.from],
        removed: tamper.removed.clone(),
        by: tamper.hand.evidence.clone(),
        doubt: tamper.hand.doubt.clone(),
    }));
    found
}
