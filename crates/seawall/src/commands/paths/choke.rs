//! Choke points: how many pairs of an entry and a jewel a single measure parts.
//!
//! What parts a pair cuts each of its ways, the cheapest too: so only what cuts a way that was looked at is tried.
//! Measures that take the same steps away are tried once. In a large graph those are tried that take the most.

use super::*;

/// A measure and what it does alone.
pub(crate) struct Choke {
    pub(crate) measure: Measure,
    /// How many sure pairs it parts.
    pub(crate) parts: usize,
    /// How many steps it takes away.
    pub(crate) steps: usize,
}

/// Of more steps than this, only those of the ways that were looked at are judged by the guide.
const MOST: usize = 20_000;

/// The measures that part pairs, the most first.
pub(super) fn find(
    graph: &Graph,
    measures: &mut Measures<'_>,
    sure: &Spread,
    through: &BTreeSet<StepNo>,
) -> Vec<Choke> {
    let count = |spread: &Spread| {
        let sure = |entry: usize| {
            graph
                .entries
                .get(entry)
                .is_some_and(|entry| entry.doubt.is_none())
        };
        spread.pairs().filter(|(entry, _)| sure(*entry)).count()
    };
    let before = count(sure);
    if before == 0 || through.is_empty() {
        return Vec::new();
    }
    let mut tried: Vec<(Vec<StepNo>, Vec<Measure>)> =
        cuts(graph, measures, through).into_iter().collect();
    // Each looks at every step for each few hundred classes of entries.
    let affordable = (10_000_000 / graph.size().1.max(1)).max(12);
    tried.sort_by_key(|(steps, measures)| (std::cmp::Reverse(steps.len()), measures.clone()));
    tried.truncate(affordable);
    let mut found = Vec::new();
    for (steps, measures) in tried {
        let mut set = StepSet::new(graph);
        steps.iter().for_each(|step| set.insert(*step));
        let left = count(&graph.spread_without(false, &set));
        let parts = before - left.min(before);
        if parts > 0 {
            found.extend(measures.into_iter().map(|measure| Choke {
                measure,
                parts,
                steps: steps.len(),
            }));
        }
    }
    found.sort_by_key(|choke| (std::cmp::Reverse(choke.parts), choke.measure));
    found
}

/// What each measure that cuts a way takes away, by that.
fn cuts(
    graph: &Graph,
    measures: &mut Measures<'_>,
    through: &BTreeSet<StepNo>,
) -> BTreeMap<Vec<StepNo>, Vec<Measure>> {
    let mut asked: BTreeSet<StepNo> = through.clone();
    let relevant = graph.relevant(Allowed::SURE);
    if relevant.len() <= MOST {
        asked.extend(relevant);
    }
    let mut cut: BTreeMap<Measure, Vec<StepNo>> = BTreeMap::new();
    let mut cuts_a_way: BTreeSet<Measure> = BTreeSet::new();
    for number in asked {
        let Some(step) = graph.step(number) else {
            continue;
        };
        for measure in measures.cutting(&step) {
            cut.entry(measure).or_default().push(number);
            if through.contains(&number) {
                cuts_a_way.insert(measure);
            }
        }
    }
    cut.retain(|measure, _| cuts_a_way.contains(measure));
    let mut by_steps: BTreeMap<Vec<StepNo>, Vec<Measure>> = BTreeMap::new();
    for (measure, steps) in cut {
        by_steps.entry(steps).or_default().push(measure);
    }
    by_steps
}
