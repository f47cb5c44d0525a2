//! A graph whose steps are given one by one: for steps that come from elsewhere than an estate.

use std::sync::Arc;

use super::edge::Edge;
use super::graph::{Entry, EntryKind, Graph, Jewel, NodeNo, Row, SURE};
use super::node::Node;

/// A step as it is given: who holds all of `needs` can come to hold `gives`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clause {
    /// What kind it is.
    pub edge: Edge,
    /// What is needed, all of it.
    pub needs: Vec<NodeNo>,
    /// What it gives.
    pub gives: NodeNo,
    /// Why it may not be there; nothing for a sure one.
    pub doubt: Option<Arc<str>>,
}

impl Graph {
    /// A graph of as many nodes as `names`, each a subject of that name, with these steps, numbered in this order.
    /// Everybody holds `base`. What names no node is left out.
    #[must_use]
    pub fn of_clauses(
        names: &[&str],
        base: &[NodeNo],
        clauses: &[Clause],
        entries: &[NodeNo],
        jewels: &[NodeNo],
    ) -> Self {
        let mut graph = Self::default();
        for name in names {
            let number = graph.names.texts.number(name);
            graph.nodes.push(Node::Subject(number));
        }
        let count = graph.nodes.len() as u32;
        let is_node = |node: &NodeNo| node.0 < count;
        graph.base = base.iter().copied().filter(is_node).collect();
        for clause in clauses {
            if !clause.needs.iter().all(is_node) || !is_node(&clause.gives) {
                continue;
            }
            let mut needs: Vec<NodeNo> = Vec::with_capacity(clause.needs.len());
            for need in &clause.needs {
                if !needs.contains(need) {
                    needs.push(*need);
                }
            }
            let doubt = clause.doubt.as_ref().map_or(SURE, |doubt| {
                graph.doubts.push(Arc::clone(doubt));
                graph.doubts.len() as u32 - 1
            });
            let start = graph.needs.len() as u32;
            graph.rows.push(Row {
                edge: clause.edge,
                gives: clause.gives.0,
                doubt,
                needs: (start, needs.len() as u16),
                evidence: (0, 0),
            });
            graph.needs.extend(needs);
        }
        let titled = |node: &NodeNo| names.get(node.0 as usize).copied().unwrap_or_default();
        graph.entries = entries
            .iter()
            .filter(|node| is_node(node))
            .map(|node| Entry {
                node: *node,
                kind: EntryKind::Credential,
                because: "it is given".into(),
                evidence: Vec::new(),
                doubt: None,
            })
            .collect();
        graph.jewels = jewels
            .iter()
            .filter(|node| is_node(node))
            .map(|node| Jewel {
                node: *node,
                kind: "named",
                title: titled(node).into(),
                weight: 1,
            })
            .collect();
        graph.index();
        graph
    }
}
