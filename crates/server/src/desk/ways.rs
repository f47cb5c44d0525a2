//! The ways of attackers through what runs, told step by step.
//!
//! One start stands for all that open the same.
//!
//! What it deliberately leaves out: ways that are only possible; `seawall paths` tells them, and all others.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use analysis::Analyses;
use analysis::paths::{
    Allowed, Edge, EntryKind, Evidence, Graph, NodeNo, Object, StepNo, Way, Wishes,
};
use guide::measures::{self, Measure, Measures};
use guide::{Guide, Judge};
use jiff::Timestamp;
use model::finding::Fingerprint;
use report::config::Config;

use crate::watch::Picture;

/// Classes of starts that are looked at, the likeliest first.
const STARTS: usize = 60;
/// Ways that are told.
const TOLD: usize = 300;
/// Measures of a step that are told.
const CUTS: usize = 12;

/// The ways of one picture.
#[derive(Debug)]
pub(super) struct Ways {
    /// The moment of the picture.
    pub(super) at: Timestamp,
    /// What leads to the dearest comes first.
    pub(super) told: Vec<Told>,
    /// What more there is, in a clause.
    pub(super) left_out: usize,
    /// What was not given, a clause each.
    pub(super) gaps: Vec<Box<str>>,
}

/// A way from a start to what is worth reaching.
#[derive(Debug)]
pub(super) struct Told {
    /// Stays the same while the two ends do.
    pub(super) id: String,
    pub(super) kind: EntryKind,
    pub(super) start: String,
    pub(super) because: String,
    pub(super) jewel: String,
    weight: u32,
    /// Other starts that open the same.
    pub(super) alike: Vec<String>,
    pub(super) deeds: Vec<Deed>,
}

/// A step.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) edge: &'static str,
    /// What is done.
    pub(super) title: String,
    /// What is held then.
    pub(super) reaches: String,
    /// What it rests on: where, and what that says.
    pub(super) rests: Vec<(Option<String>, String)>,
    /// What takes it away: id, title, and whether it is a guideline.
    pub(super) cuts: Vec<(String, String, bool)>,
}

/// Looks for them. Takes seconds where there is much.
pub(super) fn look(guide: &Guide, config: &Config, picture: &Picture) -> Ways {
    let analyses = guide::facts::analyses(guide, &picture.setting, &picture.estate);
    let wishes = Wishes {
        cluster: config.cluster.clone(),
        jewels: config.jewels.clone(),
    };
    let graph = Graph::build(&analyses, &wishes);
    let judge = Judge::new(guide, &picture.setting, measures::cuts_something);
    let mut teller = Teller {
        guide,
        analyses: &analyses,
        graph: &graph,
        measures: Measures::new(judge, &analyses),
        cuts: BTreeMap::new(),
    };
    let (mut told, mut left_out) = teller.all();
    told.sort_by(|one, other| {
        let key = |told: &Told| {
            (
                Reverse(told.weight),
                told.jewel.clone(),
                told.kind,
                told.deeds.len(),
                told.start.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    left_out += told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    Ways {
        at: picture.at,
        told,
        left_out,
        gaps: graph.gaps.iter().map(|gap| Box::from(&**gap)).collect(),
    }
}

struct Teller<'a> {
    guide: &'a Guide,
    analyses: &'a Analyses<'a>,
    graph: &'a Graph,
    measures: Measures<'a>,
    cuts: BTreeMap<StepNo, Vec<(String, String, bool)>>,
}

impl Teller<'_> {
    /// The cheapest sure way from each class of starts to what it reaches, and of how many none was looked for.
    fn all(&mut self) -> (Vec<Told>, usize) {
        let graph = self.graph;
        let spread = graph.spread(Allowed::SURE);
        let mut classes: BTreeMap<(EntryKind, u32), Vec<usize>> = BTreeMap::new();
        for (number, entry) in graph.entries.iter().enumerate() {
            if let (None, Some(class)) = (&entry.doubt, spread.class_of(number))
                && !spread.jewels_of(number).is_empty()
            {
                classes.entry((entry.kind, class)).or_default().push(number);
            }
        }
        let efforts = self.guide.efforts();
        let (mut told, mut left_out) = (Vec::new(), 0);
        for (at, ((kind, _), members)) in classes.iter().enumerate() {
            let Some((first, others)) = members.split_first() else {
                continue;
            };
            let jewels = spread.jewels_of(*first);
            if at >= STARTS {
                left_out += jewels.len();
                continue;
            }
            let Some(entry) = graph.entries.get(*first) else {
                continue;
            };
            let alike: Vec<String> = others
                .iter()
                .filter_map(|other| Some(graph.title(graph.entries.get(*other)?.node)))
                .collect();
            let derived = graph.derive(&[entry.node], &efforts, Allowed::SURE);
            for jewel in jewels {
                let Some(jewel) = graph.jewels.get(*jewel as usize) else {
                    continue;
                };
                let Some(way) = graph.way(&derived, jewel.node) else {
                    continue;
                };
                let ends = [kind.id(), &graph.id(entry.node), &graph.id(jewel.node)];
                told.push(Told {
                    id: Fingerprint::of(&ends).to_string(),
                    kind: *kind,
                    start: graph.title(entry.node),
                    because: entry.because.to_string(),
                    jewel: jewel.title.to_string(),
                    weight: jewel.weight,
                    alike: alike.clone(),
                    deeds: self.deeds(&way),
                });
            }
        }
        (told, left_out)
    }

    fn deeds(&mut self, way: &Way) -> Vec<Deed> {
        let graph = self.graph;
        let steps = way.steps.iter().filter_map(|step| graph.step(*step));
        let mut deeds = Vec::new();
        for step in steps.filter(|step| step.edge != Edge::Implied) {
            let cuts = match self.cuts.get(&step.number) {
                Some(cuts) => cuts.clone(),
                None => {
                    let found = self.measures.cutting(&step);
                    let cuts: Vec<_> = found
                        .into_iter()
                        .take(CUTS)
                        .map(|measure| {
                            (
                                measures::id(self.guide, measure),
                                measures::title(self.guide, measure).to_owned(),
                                matches!(measure, Measure::Guideline(_)),
                            )
                        })
                        .collect();
                    self.cuts.insert(step.number, cuts.clone());
                    cuts
                }
            };
            let edge = step.edge.id();
            deeds.push(Deed {
                edge,
                title: self
                    .guide
                    .edges
                    .get(edge)
                    .map_or(edge, |title| title)
                    .to_owned(),
                reaches: self.title(step.gives),
                rests: step
                    .evidence
                    .iter()
                    .map(|evidence| (self.place(evidence), evidence.says.to_string()))
                    .collect(),
                cuts,
            });
        }
        deeds
    }

    fn title(&self, node: NodeNo) -> String {
        self.graph.title(node)
    }

    /// The address of a live object.
    fn place(&self, evidence: &Evidence) -> Option<String> {
        let Object::Estate(id) = evidence.object else {
            return None;
        };
        let resource = self.analyses.estate.get(id)?;
        (resource.origin.live && !resource.implied).then(|| resource.origin.path.to_string())
    }
}
