//! Blast radius: what somebody who holds one thing can come to hold, by kind.

use report::clean;

use super::*;

/// What can be held in the end.
pub(crate) struct Radius {
    pub(crate) from: NodeNo,
    /// By kind, in order.
    pub(crate) kinds: Vec<Kind>,
}

/// Things of a kind.
pub(crate) struct Kind {
    pub(crate) id: &'static str,
    /// `service account`
    pub(crate) name: &'static str,
    /// Names, in order: those that surely can be held, and the others.
    pub(crate) sure: Vec<String>,
    pub(crate) possible: Vec<String>,
}

const KINDS: [(&str, &str); 9] = [
    ("workload", "workload"),
    ("nodes", "pool of nodes"),
    ("secret", "Secret"),
    ("service-account", "service account"),
    ("user", "user or group"),
    ("right", "right in the cluster"),
    ("images", "source of images"),
    ("identity", "identity of Entra"),
    ("azure", "power in Azure"),
];

/// Where one thing alone is asked about.
pub(super) fn find(
    graph: &Graph,
    args: &Args,
    ends: &find::Ends,
    efforts: &Efforts,
) -> Option<Radius> {
    if args.from.is_empty() || !args.to.is_empty() {
        return None;
    }
    let (_, from) = *ends.entries.first()?;
    if ends.entries.iter().any(|(_, node)| *node != from) {
        return None;
    }
    let sure = graph.derive(&[from], efforts, Allowed::SURE);
    let possible = (!args.sure).then(|| graph.derive(&[from], efforts, Allowed::POSSIBLE));
    let everybodys: Vec<NodeNo> = graph.derive(&[], efforts, Allowed::SURE).held().collect();
    let mut kinds: Vec<Kind> = KINDS
        .into_iter()
        .map(|(id, name)| Kind {
            id,
            name,
            sure: Vec::new(),
            possible: Vec::new(),
        })
        .collect();
    for (number, node) in graph.nodes() {
        let surely = sure.holds(number);
        let perhaps = possible.as_ref().is_some_and(|held| held.holds(number));
        if number == from || !(surely || perhaps) || everybodys.binary_search(&number).is_ok() {
            continue;
        }
        let Some(kind) =
            kind(graph, number, node).and_then(|id| kinds.iter_mut().find(|kind| kind.id == id))
        else {
            continue;
        };
        let list = if surely {
            &mut kind.sure
        } else {
            &mut kind.possible
        };
        list.push(clean(&graph.title(number)).into_owned());
    }
    for kind in &mut kinds {
        kind.sure.sort_unstable();
        kind.sure.dedup();
        kind.possible.sort_unstable();
        kind.possible.dedup();
    }
    kinds.retain(|kind| !kind.sure.is_empty() || !kind.possible.is_empty());
    Some(Radius { from, kinds })
}

/// What is only between others has no kind.
fn kind(graph: &Graph, number: NodeNo, node: Node) -> Option<&'static str> {
    Some(match node {
        Node::Workload(_) => "workload",
        Node::Pool(_) => "nodes",
        Node::Secret(_) => "secret",
        Node::Subject(_) if graph.id(number).starts_with("sa:") => "service-account",
        Node::Subject(_) => "user",
        Node::Right(analysis::paths::EVERYTHING, _) => "right",
        Node::Images(_) => "images",
        Node::Principal(_) => "identity",
        Node::Power(..) => "azure",
        _ => return None,
    })
}
