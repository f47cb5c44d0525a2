//! The graph as it is kept: nodes and steps in flat tables, with an index both ways.
//!
//! A step may need several things at once, so this is no graph of pairs: its meaning is a set of Horn
//! clauses, and what an attacker comes to hold is their least fixed point ([`super::search`]). What many hold
//! and what leads to many is a node of its own ([`Node::Right`]), so nothing here multiplies.

use std::sync::Arc;

use model::{NodeId, ResourceRef};

use super::edge::Edge;
use super::node::{Node, Place, Texts};
use crate::reach::Workload;

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNo(pub u32);

/// The number of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepNo(pub u32);

/// Why something is so: an object, perhaps a value of it, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The object.
    pub object: Object,
    /// The value that says it.
    pub value: Option<NodeId>,
    /// What it says, as a clause: `container web is privileged`.
    pub says: Arc<str>,
}

/// An object that something rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// Of the estate.
    Estate(ResourceRef),
    /// One that every cluster has, in the estate that rights are read from
    /// ([`Rights::estate`](crate::analyses::Rights)).
    BuiltIn(ResourceRef),
    /// None: it follows from what Kubernetes or Azure does anyway.
    Nothing,
}

/// A step: who holds all of `needs` can come to hold `gives`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) edge: Edge,
    pub(crate) gives: u32,
    /// Why it may not be so: a number in `doubts`; [`SURE`] where nothing stands against it.
    pub(crate) doubt: u32,
    pub(crate) needs: (u32, u16),
    pub(crate) evidence: (u32, u16),
}

pub(crate) const SURE: u32 = u32::MAX;

/// A step, for reading.
#[derive(Debug, Clone, Copy)]
pub struct Step<'g> {
    /// Its number.
    pub number: StepNo,
    /// What kind it is.
    pub edge: Edge,
    /// What is needed, all of it.
    pub needs: &'g [NodeNo],
    /// What it gives.
    pub gives: NodeNo,
    /// What it rests on.
    pub evidence: &'g [Evidence],
    /// Why it may not be there; nothing for a sure one.
    pub doubt: Option<&'g str>,
}

/// Where an attacker may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is held at the start.
    pub node: NodeNo,
    /// Why that is to be expected.
    pub kind: EntryKind,
    /// What makes it so, as a clause.
    pub because: Arc<str>,
    /// The objects that make it so.
    pub evidence: Vec<Evidence>,
    /// Why it may not be so.
    pub doubt: Option<Arc<str>>,
}

/// Kinds of entries, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A workload that the internet reaches is broken into.
    Exposed,
    /// Anybody at all, without signing in.
    Anonymous,
    /// A bad image is pushed to where a workload's image is pulled from.
    Image,
    /// The credential of a person or a pipeline is stolen.
    Credential,
    /// Any pod is assumed to be broken into.
    Breached,
}

impl EntryKind {
    /// All, in order.
    pub const ALL: [Self; 5] = [
        Self::Exposed,
        Self::Anonymous,
        Self::Image,
        Self::Credential,
        Self::Breached,
    ];

    /// Its stable name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Anonymous => "anonymous",
            Self::Image => "image",
            Self::Credential => "credential",
            Self::Breached => "breached",
        }
    }
}

/// What is worth reaching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jewel {
    /// What is held when it is reached.
    pub node: NodeNo,
    /// What kind it is: `cluster-admin`, `node-root`, `subscription-owner`, `vault-data`, `named`.
    pub kind: &'static str,
    /// What people call it.
    pub title: Arc<str>,
    /// How much it is worth beside others.
    pub weight: u32,
}

/// Nodes that run pods, of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The pool's name; empty where no pool is known.
    pub name: Box<str>,
    /// The Node objects.
    pub nodes: Vec<ResourceRef>,
    /// The agent pool in Azure, or the cluster it is written in.
    pub azure: Option<ResourceRef>,
    /// Its nodes run Windows.
    pub windows: bool,
    /// Whether containers that ask for nothing else run under an AppArmor profile; nothing where it is not
    /// known.
    pub apparmor: Option<bool>,
    /// Containers that ask for nothing else run under the runtime's seccomp profile.
    pub seccomp: bool,
    /// The cluster in Azure that it belongs to.
    pub cluster: Option<ResourceRef>,
    /// No pool but several: what is here runs in one of them, and it is not known in which.
    pub any_of: Vec<u32>,
}

/// What attackers can do in an estate.
#[derive(Debug, Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) rows: Vec<Row>,
    pub(crate) needs: Vec<NodeNo>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) doubts: Vec<Arc<str>>,
    /// For each node the steps that need it; and those that give it.
    pub(crate) out: Index,
    pub(crate) into: Index,
    pub(crate) names: Names,
    /// Where an attacker may start, by kind and node.
    pub entries: Vec<Entry>,
    /// What is worth reaching.
    pub jewels: Vec<Jewel>,
    /// Held by everybody.
    pub(crate) base: Vec<NodeNo>,
    /// What the graph leaves out because it was not given, a clause each.
    pub gaps: Vec<Arc<str>>,
}

/// What nodes are called.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) texts: Texts,
    pub(crate) workloads: Vec<Workload>,
    /// the first workload of each class
    pub(crate) classes: Vec<u32>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) roles: Vec<Box<str>>,
    /// names that people use instead of ids, by the number of the text
    pub(crate) shown: std::collections::HashMap<u32, Box<str>>,
}

impl Names {
    /// The first workload of each class.
    pub(crate) fn classes_of(workloads: &[Workload]) -> Vec<u32> {
        let mut first: Vec<u32> = Vec::new();
        for (number, workload) in (0u32..).zip(workloads) {
            if first.len() <= workload.class {
                first.resize(workload.class + 1, u32::MAX);
            }
            if let Some(own) = first.get_mut(workload.class) {
                *own = number.min(*own);
            }
        }
        first
    }

    pub(crate) fn first_of(&self, class: u32) -> Option<&Workload> {
        let first = self.classes.get(class as usize)?;
        self.workloads.get(*first as usize)
    }
}

/// Lists of numbers, one for each node.
#[derive(Debug, Default)]
pub(crate) struct Index {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Index {
    /// From pairs of a key below `keys` and an item; items stay in order.
    pub(crate) fn new(keys: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0u32; keys + 1];
        for (key, _) in pairs.clone() {
            if let Some(count) = starts.get_mut(key as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut items = vec![0; sum as usize];
        for (key, item) in pairs {
            if let Some(at) = next.get_mut(key as usize) {
                if let Some(slot) = items.get_mut(*at as usize) {
                    *slot = item;
                }
                *at += 1;
            }
        }
        Self { starts, items }
    }

    pub(crate) fn of(&self, key: u32) -> &[u32] {
        let at = |key: usize| self.starts.get(key).copied().unwrap_or_default() as usize;
        self.items
            .get(at(key as usize)..at(key as usize + 1))
            .unwrap_or_default()
    }
}

fn range((start, length): (u32, u16)) -> std::ops::Range<usize> {
    start as usize..start as usize + usize::from(length)
}

impl Graph {
    /// How many nodes and steps there are.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        (self.nodes.len(), self.rows.len())
    }

    /// Makes the index both ways, when all steps are there.
    pub(crate) fn index(&mut self) {
        let out = self.rows.iter().enumerate().flat_map(|(number, row)| {
            let needs = self.needs.get(range(row.needs)).unwrap_or_default();
            needs.iter().map(move |node| (node.0, number as u32))
        });
        self.out = Index::new(self.nodes.len(), out);
        let into = self.rows.iter().enumerate();
        let into = into.map(|(number, row)| (row.gives, number as u32));
        self.into = Index::new(self.nodes.len(), into);
    }

    /// The dearest first.
    pub(crate) fn sort_jewels(&mut self) {
        self.jewels.sort_by(|one, two| {
            two.weight.cmp(&one.weight).then_with(|| {
                (one.kind, &one.title, one.node).cmp(&(two.kind, &two.title, two.node))
            })
        });
    }

    /// What a node is.
    #[must_use]
    pub fn node(&self, node: NodeNo) -> Node {
        self.nodes
            .get(node.0 as usize)
            .copied()
            .unwrap_or(Node::Base("nothing"))
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeNo, Node)> + '_ {
        (0u32..).map(NodeNo).zip(self.nodes.iter().copied())
    }

    /// One step.
    #[must_use]
    pub fn step(&self, step: StepNo) -> Option<Step<'_>> {
        let row = self.rows.get(step.0 as usize)?;
        Some(Step {
            number: step,
            edge: row.edge,
            needs: self.needs.get(range(row.needs)).unwrap_or_default(),
            gives: NodeNo(row.gives),
            evidence: self.evidence.get(range(row.evidence)).unwrap_or_default(),
            doubt: self.doubts.get(row.doubt as usize).map(|doubt| &**doubt),
        })
    }

    /// All steps.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        (0..self.rows.len() as u32).filter_map(|number| self.step(StepNo(number)))
    }

    /// The steps that need a node.
    pub fn from(&self, node: NodeNo) -> impl Iterator<Item = Step<'_>> {
        self.out
            .of(node.0)
            .iter()
            .filter_map(|number| self.step(StepNo(*number)))
    }

    /// The steps that give a node.
    pub fn to(&self, node: NodeNo) -> impl Iterator<Item = Step<'_>> {
        self.into
            .of(node.0)
            .iter()
            .filter_map(|number| self.step(StepNo(*number)))
    }

    pub(crate) fn needs_of(&self, row: &Row) -> &[NodeNo] {
        self.needs.get(range(row.needs)).unwrap_or_default()
    }

    /// A stable text for a node, as commands take it: `workload:shop/web`, `sa:shop/web`, `pool:system`,
    /// `right:secret-read@shop`, `secret:shop/db`, `azure:owner:/subscriptions/…`.
    #[must_use]
    pub fn id(&self, node: NodeNo) -> String {
        let names = &self.names;
        let text = |number| names.texts.text(number);
        match self.node(node) {
            Node::Base(name) => name.to_owned(),
            Node::Workload(number) => match names.workloads.get(number as usize) {
                Some(workload) => format!("workload:{}", workload.label()),
                None => "workload:?".to_owned(),
            },
            Node::Network(first) => match names.workloads.get(first as usize) {
                Some(workload) => format!("network:{}", workload.label()),
                None => "network:?".to_owned(),
            },
            Node::Class(number) => format!("listening:{}", self.class_name(number)),
            Node::Classes(first) => format!("open:{}", self.class_name(first)),
            Node::Pool(number) => format!("pool:{}", self.pool_name(number)),
            Node::OnNodes(what, pool) => format!("nodes:{what}:{}", self.pool_name(pool)),
            Node::Subject(number) => text(number).to_owned(),
            Node::Role { role, place } => {
                let name = names.roles.get(role as usize).map_or("?", |name| name);
                format!("role:{name}@{}", self.place(place))
            }
            Node::Right(right, place) => format!("right:{right}@{}", self.place(place)),
            Node::Secret(number) => format!("secret:{}", text(number)),
            Node::Images(number) => format!("images:{}", text(number)),
            Node::Principal(number) => format!("entra:{}", text(number)),
            Node::Power(power, on) => format!("azure:{power}:{}", text(on)),
        }
    }

    /// The first of the workloads of a class.
    fn class_name(&self, class: u32) -> String {
        let first = self.names.first_of(class);
        first.map_or_else(|| "?".to_owned(), Workload::label)
    }

    fn pool_name(&self, number: u32) -> &str {
        self.names
            .pools
            .get(number as usize)
            .map_or("?", |pool| &pool.name)
    }

    /// The name of a place: a namespace, or `*`.
    #[must_use]
    pub fn place(&self, place: Place) -> &str {
        match place {
            Place::Cluster => "*",
            Place::Namespace(number) => self.names.texts.text(number),
        }
    }

    /// What people call a node.
    #[must_use]
    pub fn title(&self, node: NodeNo) -> String {
        super::words::title(self, self.node(node))
    }

    /// The workloads, as [`Node::Workload`] numbers them.
    #[must_use]
    pub fn workloads(&self) -> &[Workload] {
        &self.names.workloads
    }

    /// The pools, as [`Node::Pool`] numbers them.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.names.pools
    }

    /// The text of a number in a node.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.names.texts.text(number)
    }
}
