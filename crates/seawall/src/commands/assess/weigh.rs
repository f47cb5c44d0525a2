//! What findings open to attackers: the graph of attacks, when everything has been judged.
//!
//! The ways are those that `seawall paths` counts, the cheapest of each start and jewel. What stands behind their
//! steps was noted while it was judged ([`Failures`]), so nothing is judged again.
//!
//! What it deliberately leaves out: what is only possible, and telling the ways.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::guide::Guide;
use ::guide::measures::{Failure, Failures};
use analysis::Analyses;
use analysis::paths::{Allowed, Edge, Efforts, Graph, NodeNo, StepNo, StepSet, Way, Wishes};
use model::coverage::DocumentEntry;
use model::manifest::{self, Reading};
use report::Attack;
use report::config::Config;
use report::enables::{Enables, Weighed};
use report::html::Part;

use super::drawn::Told;
use crate::commands::paths::Pair;
use crate::commands::paths::find::{self, Ends, Wanted};

/// Weighs what was found, and draws it where `told` says by what.
pub(super) fn weigh(
    guide: &Guide,
    config: &Config,
    analyses: &Analyses<'_>,
    failures: &Failures,
    told: Option<&Told<'_>>,
) -> anyhow::Result<(Attack, Vec<Part>)> {
    if failures.is_empty() {
        return Ok((Attack::Nothing, Vec::new()));
    }
    let wishes = Wishes {
        cluster: config.cluster.clone(),
        jewels: config.jewels.clone(),
    };
    let graph = Graph::build(analyses, &wishes);
    let efforts = guide.efforts();
    let sure = graph.spread(Allowed::SURE);
    let wanted = Wanted {
        sure: true,
        merged: true,
        apart: true,
    };
    let ends = Ends::named(&graph, &[], &[])?;
    let looked = find::look(&wanted, &graph, &efforts, &ends, (&sure, &sure));
    let weigher = Weigher {
        graph: &graph,
        efforts: &efforts,
        pairs: &looked.pairs,
    };
    let (findings, guidelines) = weigher.enables(failures);
    let weighed = Weighed {
        ways: looked.ways.sure,
        jewels: looked
            .ways
            .surely
            .iter()
            .map(|jewel| Box::from(&**jewel))
            .collect(),
        starts: looked.classes,
        findings,
        guidelines,
    };
    let parts = match told {
        Some(told) if weighed.ways > 0 => told.parts(config, analyses, &graph, looked)?,
        _ => Vec::new(),
    };
    Ok((Attack::Weighed(weighed), parts))
}

/// Ways, and the steps that are cut.
#[derive(Default)]
struct Over {
    /// by the number of the pair: the starts from which they pass over one of the steps
    pairs: BTreeMap<usize, BTreeSet<NodeNo>>,
    steps: Vec<StepNo>,
}

impl Over {
    fn add(&mut self, pair: usize, from: NodeNo) {
        self.pairs.entry(pair).or_default().insert(from);
    }
}

struct Weigher<'a> {
    graph: &'a Graph,
    efforts: &'a Efforts,
    pairs: &'a [Pair],
}

type Both = (
    std::collections::HashMap<Failure, Enables>,
    std::collections::HashMap<u16, Enables>,
);

impl Weigher<'_> {
    fn enables(&self, failures: &Failures) -> Both {
        let mut findings = self.over(failures);
        let mut guidelines: BTreeMap<u16, Over> = BTreeMap::new();
        for (failure, over) in &findings {
            let own = guidelines.entry(failure.guideline).or_default();
            for (pair, starts) in &over.pairs {
                own.pairs.entry(*pair).or_default().extend(starts);
            }
        }
        self.cut(failures, &mut findings, &mut guidelines);
        let mut searches = Searches {
            left: (10_000_000 / self.graph.size().1.max(1)).max(100),
            known: BTreeMap::new(),
        };
        let guidelines = self.of(guidelines, &mut searches);
        (self.of(findings, &mut searches), guidelines)
    }

    /// What stands behind the steps of ways.
    fn over(&self, failures: &Failures) -> BTreeMap<Failure, Over> {
        let mut behind: BTreeMap<StepNo, Vec<Failure>> = BTreeMap::new();
        let mut found: BTreeMap<Failure, Over> = BTreeMap::new();
        let mut take = |number: usize, from: NodeNo, step: StepNo| {
            let behind = behind.entry(step).or_insert_with(|| {
                let step = self.graph.step(step);
                step.map_or_else(Vec::new, |step| failures.behind(&step))
            });
            for failure in behind {
                found.entry(*failure).or_default().add(number, from);
            }
        };
        for (number, pair) in self.pairs.iter().enumerate() {
            for way in &pair.ways {
                let rest = self.after_first(way);
                for from in std::iter::once(pair.from).chain(pair.alike.iter().copied()) {
                    if from == pair.from {
                        way.steps.iter().for_each(|step| take(number, from, *step));
                        continue;
                    }
                    // The others go the same way after a first step of their own.
                    rest.iter().for_each(|step| take(number, from, *step));
                    if let Some(step) = self.own_first(from, way) {
                        take(number, from, step);
                    }
                }
            }
        }
        found
    }

    /// The first deed of a way.
    fn first(&self, way: &Way) -> Option<usize> {
        way.steps.iter().position(|step| {
            let step = self.graph.step(*step);
            step.is_some_and(|step| step.edge != Edge::Implied)
        })
    }

    fn after_first<'w>(&self, way: &'w Way) -> &'w [StepNo] {
        let first = self.first(way).map_or(0, |first| first + 1);
        way.steps.get(first..).unwrap_or_default()
    }

    /// The step by which a start comes to what the first deed of a way gives.
    fn own_first(&self, from: NodeNo, way: &Way) -> Option<StepNo> {
        let first = self.graph.step(*way.steps.get(self.first(way)?)?)?;
        self.graph
            .from(from)
            .filter(|step| {
                step.gives == first.gives && step.doubt.is_none() && step.needs == [from]
            })
            .min_by_key(|step| (self.efforts.of(step.edge), step.number))
            .map(|step| step.number)
    }

    /// All that goes when one of them is mended, on no way that was looked at too.
    fn cut(
        &self,
        failures: &Failures,
        findings: &mut BTreeMap<Failure, Over>,
        guidelines: &mut BTreeMap<u16, Over>,
    ) {
        if findings.is_empty() {
            return;
        }
        for step in self.graph.steps().filter(|step| step.doubt.is_none()) {
            for failure in failures.behind(&step) {
                if let Some(over) = findings.get_mut(&failure) {
                    over.steps.push(step.number);
                }
                if let Some(over) = guidelines.get_mut(&failure.guideline)
                    && over.steps.last() != Some(&step.number)
                {
                    over.steps.push(step.number);
                }
            }
        }
    }

    /// In words of a report; where there is time for it, with what is closed.
    fn of<K: Ord + std::hash::Hash + Copy>(
        &self,
        found: BTreeMap<K, Over>,
        searches: &mut Searches,
    ) -> std::collections::HashMap<K, Enables> {
        let mut all: Vec<(K, Over, Enables)> = found
            .into_iter()
            .filter_map(|(key, over)| {
                let enables = self.enable(&over)?;
                Some((key, over, enables))
            })
            .collect();
        all.sort_by_key(|(key, _, enables)| (std::cmp::Reverse(enables.weight), *key));
        all.into_iter()
            .map(|(key, over, enables)| {
                let closes = searches.closes(self, over);
                (key, Enables { closes, ..enables })
            })
            .collect()
    }

    fn enable(&self, over: &Over) -> Option<Enables> {
        let mut jewels: BTreeMap<usize, NodeNo> = BTreeMap::new();
        let mut weight = 0;
        for pair in over.pairs.keys().filter_map(|pair| self.pairs.get(*pair)) {
            let number = pair.jewel?;
            jewels.insert(number, pair.to);
            weight += u64::from(self.graph.jewels.get(number)?.weight);
        }
        // The dearest comes first.
        let jewel = self.graph.jewels.get(*jewels.keys().next()?)?;
        Some(Enables {
            ways: over.pairs.len(),
            closes: None,
            jewel: Arc::clone(&jewel.title),
            kind: jewel.kind,
            jewels: jewels.len(),
            weight,
        })
    }
}

impl Weigher<'_> {
    /// Which of the starts still come to the ends of the pairs.
    fn held(
        &self,
        starts: &BTreeSet<NodeNo>,
        pairs: &Starts,
        without: &StepSet,
    ) -> BTreeSet<(NodeNo, NodeNo)> {
        let allowed = Allowed {
            possible: false,
            without: Some(without),
        };
        let mut open = BTreeSet::new();
        for from in starts {
            let held = self.graph.derive(&[*from], self.efforts, allowed);
            let ends = pairs
                .iter()
                .filter(|(_, starts)| starts.contains(from))
                .filter_map(|(pair, _)| Some(self.pairs.get(*pair)?.to));
            open.extend(ends.filter(|to| held.holds(*to)).map(|to| (*from, to)));
        }
        open
    }

    /// All entries with the jewels that they still come to.
    fn spread(&self, without: &StepSet) -> BTreeSet<(NodeNo, NodeNo)> {
        let spread = self.graph.spread_without(false, without);
        spread
            .pairs()
            .filter_map(|(entry, jewel)| {
                let entry = self.graph.entries.get(entry)?;
                Some((entry.node, self.graph.jewels.get(jewel)?.node))
            })
            .collect()
    }
}

/// Searches for other ways, of which only so many are worth their time in a large graph.
struct Searches {
    left: usize,
    /// by the steps that are cut and the pairs in question
    known: BTreeMap<(Vec<StepNo>, Starts), usize>,
}

/// Pairs with the starts in question.
type Starts = BTreeMap<usize, BTreeSet<NodeNo>>;

/// For so many starts all entries are answered at once.
const MANY: usize = 16;

impl Searches {
    /// How many pairs are parted.
    fn closes(&mut self, weigher: &Weigher<'_>, over: Over) -> Option<usize> {
        let key = (over.steps, over.pairs);
        if let Some(closes) = self.known.get(&key) {
            return Some(*closes);
        }
        let (steps, pairs) = &key;
        let starts: BTreeSet<NodeNo> = pairs.values().flatten().copied().collect();
        self.left = self.left.checked_sub(starts.len().min(MANY))?;
        let mut without = StepSet::new(weigher.graph);
        steps.iter().for_each(|step| without.insert(*step));
        let open: BTreeSet<(NodeNo, NodeNo)> = if starts.len() < MANY {
            weigher.held(&starts, pairs, &without)
        } else {
            weigher.spread(&without)
        };
        let closed = |(pair, starts): &(&usize, &BTreeSet<NodeNo>)| {
            let to = weigher.pairs.get(**pair).map(|pair| pair.to);
            to.is_some_and(|to| starts.iter().all(|from| !open.contains(&(*from, to))))
        };
        let closes = pairs.iter().filter(closed).count();
        self.known.insert(key, closes);
        Some(closes)
    }
}

/// Puts what was read for the graph alone where it stands without it: it is not judged.
pub(super) fn unjudged(
    reading: &mut Reading,
    judged: impl Fn(&model::kinds::Kind) -> bool,
) -> Vec<bool> {
    let known: Vec<bool> = reading
        .resources
        .iter()
        .map(|resource| judged(&resource.name.kind))
        .collect();
    if known.iter().all(|judged| *judged) {
        return known;
    }
    for (resource, judged) in reading.resources.iter().zip(&known) {
        let model::kinds::Kind::Kubernetes { group, kind } = &resource.name.kind else {
            continue;
        };
        let own = |entry: &DocumentEntry| {
            entry.status == model::coverage::Status::Assessed
                && entry.kind.as_deref() == Some(kind)
                && entry.name.as_deref() == Some(&*resource.name.name)
        };
        if !judged {
            for entry in reading.entries.iter_mut().filter(|entry| own(entry)) {
                (entry.status, entry.reason) = manifest::unwanted(group, kind);
            }
        }
    }
    known
}
