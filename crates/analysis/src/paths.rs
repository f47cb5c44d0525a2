//! What an attacker can do: one graph of the cluster and of Azure, and the ways through it.
//!
//! A [`Graph`] is built from an estate once. Its nodes are what an attacker can hold (code in a pod, root on
//! nodes, the name of a subject, a Secret, a token of Entra, a power over a resource); its steps say what who
//! holds some of these can come to hold, by which kind of deed ([`Edge`]), and what that rests on. What is
//! known of the estate (a container is privileged, a binding gives a right, nothing keeps such a pod out of a
//! namespace) is decided when the graph is built and kept as evidence; what the attacker must hold beforehand
//! are needs of the step. What hangs on something that was not given is a step with a doubt.
//!
//! | module | holds |
//! |---|---|
//! | [`edge`] | the kinds of steps |
//! | [`node`] | what can be held |
//! | [`graph`] | the tables |
//! | [`clauses`] | a graph whose steps are given one by one |
//! | [`search`] | the fixed point, the cheapest way, all minimal ways |
//! | [`spread`] | every entry to every jewel at once |
//! | `builder`, `pools` | what the families write into; which pods run where |
//! | `steps` | one module for each family of steps |
//! | `entries`, `jewels` | where attackers start, and what is worth reaching |
//! | `fast` | maps by numbers |
//! | `words` | what nodes are called |
//!
//! Left out: how likely a weakness is. That a reachable program has one is a doubt
//! ([`Edge::LateralNetwork`], [`Edge::ContainerEscapeKernel`]), so ways over it are possible, never sure.

pub mod clauses;
pub mod edge;
pub mod graph;
pub mod node;
pub mod search;
pub mod spread;

mod admission;
mod builder;
mod entries;
mod fast;
mod jewels;
mod pools;
mod steps;
mod words;

pub use clauses::Clause;
pub use edge::{Edge, Efforts};
pub use graph::{Entry, EntryKind, Evidence, Graph, Jewel, NodeNo, Object, Pool, Step, StepNo};
pub use node::{EVERYTHING, Node, Place};
pub use search::{Allowed, Derived, StepSet, Way};
pub use spread::Spread;

use model::kinds::Kind;

use crate::Analyses;

/// What nobody can read in an estate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The cluster that what runs in Kubernetes is in, by its name or id, where several were given.
    pub cluster: Option<Box<str>>,
    /// What else is worth reaching.
    pub jewels: Vec<Wish>,
}

/// A jewel of somebody's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The id of a node ([`Graph::id`]), or what follows its first colon.
    pub id: Box<str>,
    /// What people call it.
    pub title: Option<Box<str>>,
    /// How much it is worth beside others.
    pub weight: u32,
}

impl Graph {
    /// Reads an estate.
    #[must_use]
    pub fn build(analyses: &Analyses<'_>, wishes: &Wishes) -> Self {
        let mut builder = builder::Builder::new(analyses, wishes.cluster.as_deref());
        steps::add(&mut builder);
        entries::add(&mut builder);
        jewels::add(&mut builder);
        let mut graph = builder.finish();
        jewels::wish(&mut graph, &wishes.jewels);
        graph
    }
}

/// The keys of workloads that are read here beside those of every index; whole below where `true`.
pub const READS: &[(&str, bool)] = &[
    ("spec", true),
    ("status", false),
    ("phase", false),
    ("podIP", false),
    ("podIPs", true),
];

/// Whether the graph is built from objects of a kind.
#[must_use]
pub fn reads(kind: &Kind) -> bool {
    crate::reach::reads(kind) || steps::reads(kind)
}
