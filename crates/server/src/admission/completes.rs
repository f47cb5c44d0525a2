//! Which ways of attackers an object completes: those from a start to what is worth reaching that are sure with the
//! object in the cluster, and were not without it.
//!
//! The graph is built anew with the object in the estate: what a single object adds to it hangs on everything else
//! (who runs beside it, what its account may do, what lets it through). That takes about as long as a pass of the watch
//! over everything, so one thread does it, which no other review waits for; it is asked only of what a person or a
//! pipeline writes, and only where the time for an answer will do. The ways that are there without it are found once
//! for each picture of the cluster.
//!
//! It leaves out ways that are only possible, and Azure, of which the picture of a webhook holds what the watch reads.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use analysis::Analyses;
use analysis::paths::{self, Allowed, Edge, EntryKind, Graph, Wishes};
use guide::{Guide, Setting};
use model::Resource;
use model::kinds::{self, Kind};
use report::config::Asked;

use super::opens;

/// A way that an object completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// What is worth reaching: `cluster-admin`.
    pub jewel: String,
    /// Its kind, of a few.
    pub kind: &'static str,
    /// How much it is worth beside others.
    pub weight: u32,
    /// Where it starts.
    pub start: String,
    /// Why an attacker may be there.
    pub because: EntryKind,
    /// What is done on the way, in order.
    pub deeds: Vec<String>,
    /// From how many other starts the same is reached.
    pub more: usize,
}

/// What is known of ways without the object, for as long as judges sit.
#[derive(Debug)]
pub struct Ways<'g> {
    guide: &'g Guide,
    setting: &'g Setting,
    wishes: Wishes,
    asked: Asked,
    /// By the ids of both ends.
    before: OnceLock<Pairs>,
    /// How long the last one took, in milliseconds.
    took: AtomicU64,
}

/// Ids of a start and of what it reaches.
type Pairs = BTreeSet<(Box<str>, Box<str>)>;

/// No way was looked for: there was no time left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoTime;

/// Ways that are told.
const TOLD: usize = 3;

impl<'g> Ways<'g> {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new(guide: &'g Guide, setting: &'g Setting, wishes: Wishes, asked: Asked) -> Self {
        Self {
            guide,
            setting,
            wishes,
            asked,
            before: OnceLock::new(),
            took: AtomicU64::new(0),
        }
    }

    /// How long the last search took.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_millis(self.took.load(Ordering::Relaxed))
    }

    /// Whether it is asked of objects of a kind.
    pub(super) fn is_about(&self, group: &str, kind: &str) -> bool {
        let is = Kind::Kubernetes {
            group: group.into(),
            kind: kind.into(),
        };
        match self.asked {
            Asked::Nothing => false,
            Asked::Rights => opens::gives_rights(&is),
            Asked::Everything => paths::reads(&is) || kinds::pod_route(group, kind).is_some(),
        }
    }

    /// What an object completes; `late` tells whether an answer after so long would come too late.
    pub(super) fn of(
        &self,
        resource: &Resource,
        beside: &Analyses<'_>,
        late: &dyn Fn(Duration) -> bool,
    ) -> Result<Vec<Completed>, NoTime> {
        if late(self.took()) {
            return Err(NoTime);
        }
        let before = self.before.get_or_init(|| {
            let graph = Graph::build(beside, &self.wishes);
            let spread = graph.spread(Allowed::SURE);
            let pairs = spread.pairs();
            pairs.filter_map(|pair| ids(&graph, pair)).collect()
        });
        let begun = Instant::now();
        let estate = opens::with(resource, beside.estate);
        let analyses = guide::facts::analyses(self.guide, self.setting, &estate);
        let graph = Graph::build(&analyses, &self.wishes);
        let found = self.newly_joined(&graph, before);
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.took.store(took, Ordering::Relaxed);
        Ok(found)
    }

    /// The ways of a graph between ends that were not joined before: one for each jewel, the dearest first.
    fn newly_joined(&self, graph: &Graph, before: &Pairs) -> Vec<Completed> {
        let spread = graph.spread(Allowed::SURE);
        let mut new: Vec<(usize, usize)> = spread
            .pairs()
            .filter(|(entry, _)| {
                let entry = graph.entries.get(*entry);
                entry.is_some_and(|entry| entry.doubt.is_none())
            })
            .filter(|pair| ids(graph, *pair).is_some_and(|ids| !before.contains(&ids)))
            .collect();
        // The likeliest start of each jewel stands for the others.
        new.sort_by_key(|(entry, jewel)| {
            let weight = graph.jewels.get(*jewel).map_or(0, |jewel| jewel.weight);
            let kind = graph.entries.get(*entry).map(|entry| entry.kind);
            (std::cmp::Reverse(weight), *jewel, kind, *entry)
        });
        let efforts = self.guide.efforts();
        let mut found = Vec::new();
        for those in new.chunk_by(|one, other| one.1 == other.1).take(TOLD) {
            let Some((entry, jewel)) = those.first() else {
                continue;
            };
            let ends = graph.entries.get(*entry).zip(graph.jewels.get(*jewel));
            let Some((entry, jewel)) = ends else {
                continue;
            };
            let derived = graph.derive(&[entry.node], &efforts, Allowed::SURE);
            let Some(way) = graph.way(&derived, jewel.node) else {
                continue;
            };
            let steps = way.steps.iter().filter_map(|step| graph.step(*step));
            let deeds = steps.filter(|step| step.edge != Edge::Implied);
            let title = |edge: &'static str| self.guide.edges.get(edge).map_or(edge, |title| title);
            found.push(Completed {
                jewel: jewel.title.to_string(),
                kind: jewel.kind,
                weight: jewel.weight,
                start: graph.title(entry.node),
                because: entry.kind,
                deeds: deeds.map(|step| title(step.edge.id()).to_owned()).collect(),
                more: those.len() - 1,
            });
        }
        found
    }
}

fn ids(graph: &Graph, (entry, jewel): (usize, usize)) -> Option<(Box<str>, Box<str>)> {
    let (entry, jewel) = (graph.entries.get(entry)?, graph.jewels.get(jewel)?);
    Some((graph.id(entry.node).into(), graph.id(jewel.node).into()))
}
