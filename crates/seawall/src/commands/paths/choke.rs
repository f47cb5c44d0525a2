//! Choke points: how many pairs of an entry and a jewel a single measure parts.

use super::*;

/// A measure and what it does alone.
pub(crate) struct Choke {
    pub(crate) measure: Measure,
    /// How many sure pairs it parts.
    pub(crate) parts: usize,
    /// How many steps it takes away.
    pub(crate) steps: usize,
}

/// Where more steps than this matter, nothing is said: each would have to be judged by the guide.
const MOST: usize = 20_000;

/// The measures that part pairs, the most first.
pub(super) fn find(graph: &Graph, measures: &mut Measures<'_>, sure: &Spread) -> Vec<Choke> {
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
    if before == 0 {
        return Vec::new();
    }
    let steps = graph.relevant(Allowed::SURE);
    if steps.len() > MOST {
        return Vec::new();
    }
    let mut cut: BTreeMap<Measure, StepSet> = BTreeMap::new();
    let mut counts: BTreeMap<Measure, usize> = BTreeMap::new();
    for number in steps {
        let Some(step) = graph.step(number) else {
            continue;
        };
        for measure in measures.cutting(&step) {
            cut.entry(measure)
                .or_insert_with(|| StepSet::new(graph))
                .insert(number);
            *counts.entry(measure).or_default() += 1;
        }
    }
    let mut found: Vec<Choke> = cut
        .into_iter()
        .filter_map(|(measure, set)| {
            let left = count(&graph.spread_without(false, &set));
            let parts = before - left.min(before);
            (parts > 0).then(|| Choke {
                measure,
                parts,
                steps: counts.get(&measure).copied().unwrap_or_default(),
            })
        })
        .collect();
    found.sort_by_key(|choke| (std::cmp::Reverse(choke.parts), choke.measure));
    found
}
