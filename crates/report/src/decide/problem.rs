//! The estate as a question to the optimiser: its measures with their costs, its pairs of an entry and a
//! jewel with their weights, and what an attacker can still do when some measures stand.

use std::collections::{BTreeMap, BTreeSet};

use ::guide::Guide;
use ::guide::measures::{self, Measure};
use ::guide::measures::{Measures, cuts_something};
use ::guide::options::{Recognition, recognise};
use ::guide::{Judge, Setting};
use analysis::Analyses;
use analysis::decide::{self, Attacks, Question, Set, Shared};
use analysis::paths::{Edge, EntryKind, Graph, NodeNo};

use super::costs::{Bill, Costs};
use super::net::{Come, Net, Perhaps};
use super::{DecideError, Terms};

/// A node, and what its sure and its possible ways weigh.
type Weighed = (NodeNo, u32, u32);

/// Alike entries on their way to a jewel, by sure steps or by possible ones.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// What the entries hold, the first by number first.
    pub entries: Vec<NodeNo>,
    /// What they lead to.
    pub jewel: NodeNo,
    /// By sure steps alone.
    pub sure: bool,
    /// How much it matters, in hundredths.
    pub weight: u32,
    /// Numbers in the net.
    start: u32,
    end: u32,
}

/// A measure, what it costs and what it does.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The measure.
    pub measure: Measure,
    /// What it costs.
    pub bill: Bill,
    /// The kinds of steps that it takes away here.
    pub edges: BTreeSet<Edge>,
    /// It is chosen in the estate, and stays unless something that it rules out is chosen.
    pub kept: bool,
    /// Why it is not known whether it is chosen already.
    pub open: Option<String>,
    /// In how many of how many clusters it is chosen, where that is not all of them.
    pub partly: Option<(usize, usize)>,
}

/// The question, and what it is made from.
pub struct Problem<'a> {
    /// What it is about.
    pub matter: Matter<'a>,
    /// What an attacker can do.
    pub graph: &'a Graph,
    /// What amounts rest on.
    pub costs: Costs,
    /// What the optimiser is asked.
    pub question: Question,
    /// By place in [`Question::measures`].
    pub offers: Vec<Offer>,
    /// By place in [`Question::shared`].
    pub shared: Vec<Bill>,
    /// By place in [`Question::threats`].
    pub threats: Vec<Pairs>,
    /// Ids of options that the estate has chosen.
    pub recognised: Vec<String>,
    /// Options that cut something and are not offered, with why.
    pub withheld: Vec<(String, String)>,
    net: Net,
    /// The numbers of what threats lead to, ascending.
    ends: Vec<u32>,
    /// For each threat the last way that was found, while it is left.
    found: Vec<Option<decide::Way>>,
    /// For each set of [`Net::cuts`], the places of its measures.
    cuts: Vec<Vec<usize>>,
}

/// What is decided about.
#[derive(Clone, Copy)]
pub struct Matter<'a> {
    /// The guide.
    pub guide: &'a Guide,
    /// What verdicts depend on.
    pub setting: &'a Setting,
    /// The day, as an ISO date.
    pub as_of: &'a str,
    /// How much there is of what prices scale with, where somebody says it.
    pub quantities: &'a BTreeMap<String, f64>,
    /// The estate, and what follows from it.
    pub analyses: &'a Analyses<'a>,
}

/// An entry or a jewel: its number in the graph, unless it was named otherwise, and its node.
pub type End = (Option<usize>, NodeNo);

/// Which part of it.
#[derive(Debug, Clone)]
pub struct Chosen<'w> {
    /// Only ways from these,
    pub entries: Vec<End>,
    /// to these.
    pub jewels: Vec<End>,
    /// What is only possible is left out.
    pub sure: bool,
    /// Options in preview are offered.
    pub preview: bool,
    /// Ids of measures that are offered whatever they cut.
    pub take: &'w [String],
}

impl Chosen<'_> {
    /// Everything that a graph has.
    #[must_use]
    pub fn all(graph: &Graph) -> Self {
        let entries = graph.entries.iter().map(|entry| entry.node);
        let jewels = graph.jewels.iter().map(|jewel| jewel.node);
        let numbered = |(number, node)| (Some(number), node);
        Self {
            entries: entries.enumerate().map(numbered).collect(),
            jewels: jewels.enumerate().map(numbered).collect(),
            sure: false,
            preview: false,
            take: &[],
        }
    }
}

/// What the estate says of the options.
struct Choices {
    /// Chosen, or perhaps.
    said: BTreeMap<Measure, Recognition>,
}

impl<'a> Problem<'a> {
    /// The question that an estate and its graph are.
    ///
    /// # Errors
    /// When prices cannot be read, or nobody says where they are asked for.
    pub fn new(
        terms: &Terms,
        matter: Matter<'a>,
        graph: &'a Graph,
        chosen: &Chosen<'_>,
    ) -> Result<Self, DecideError> {
        let analyses = matter.analyses;
        let costs = Costs::new(terms, &matter)?;
        let (entries, jewels) = (&chosen.entries, &chosen.jewels);
        let choices = Choices::of(&matter);
        let guide = matter.guide;
        let judge = Judge::new(guide, matter.setting, cuts_something);
        let mut measures = Measures::new(judge, analyses);
        let unfit = unfit(&matter, chosen.preview);
        measures.leave_out(|measure| choices.chosen(measure) || unfit.contains_key(&measure));
        let nodes = |chosen: &[(Option<usize>, NodeNo)]| -> Vec<NodeNo> {
            chosen.iter().map(|(_, node)| *node).collect()
        };
        let ends = (nodes(entries), nodes(jewels));
        let net = Net::new(graph, &mut measures, (&ends.0, &ends.1), !chosen.sure);
        let mut problem = Self {
            matter,
            graph,
            costs,
            question: Question::default(),
            offers: Vec::new(),
            shared: Vec::new(),
            threats: Vec::new(),
            recognised: choices.names(guide),
            withheld: Vec::new(),
            net,
            ends: Vec::new(),
            found: Vec::new(),
            cuts: Vec::new(),
        };
        problem.offer(&choices, asked(guide, chosen.take));
        problem.share(analyses, &choices);
        problem.threaten(chosen.sure, entries, jewels);
        problem.withhold(unfit);
        Ok(problem)
    }

    /// Says of options why they are not offered, where they would cut something.
    fn withhold(&mut self, unfit: BTreeMap<Measure, String>) {
        let guide = self.matter.guide;
        let occurs: BTreeSet<&str> = self
            .net
            .hops
            .iter()
            .filter_map(|hop| Some(self.graph.step(hop.step)?.edge.id()))
            .collect();
        for (measure, why) in unfit {
            let id = measures::id(guide, measure);
            let cuts = guide
                .option(&id)
                .is_some_and(|(_, option)| option.cuts.iter().any(|edge| occurs.contains(&**edge)));
            if cuts {
                self.withheld.push((id, why));
            }
        }
    }

    /// The measures that cut something, with what they require and what stands against them.
    /// Those that were asked for are among them, whatever they cut.
    fn offer(&mut self, choices: &Choices, asked: BTreeSet<Measure>) {
        let guide = self.matter.guide;
        let mut wanted: BTreeSet<Measure> = self.net.cuts.iter().flatten().copied().collect();
        wanted.extend(asked.into_iter().filter(|asked| !choices.chosen(*asked)));
        let mut open: Vec<Measure> = wanted.iter().copied().collect();
        while let Some(measure) = open.pop() {
            let Some((_, option)) = guide.option(&measures::id(guide, measure)) else {
                continue;
            };
            let bonds = option.requires.iter().flatten();
            for other in bonds.filter_map(|bond| find_option(guide, bond)) {
                if wanted.insert(other) {
                    open.push(other);
                }
            }
            // What is chosen now matters where it would have to go.
            let ruled = option.conflicts.iter();
            for other in ruled.filter_map(|bond| find_option(guide, bond)) {
                if choices.chosen(other) {
                    wanted.insert(other);
                }
            }
        }
        let places: BTreeMap<Measure, usize> = wanted
            .iter()
            .enumerate()
            .map(|(place, measure)| (*measure, place))
            .collect();
        let mut edges: BTreeMap<Measure, BTreeSet<Edge>> = BTreeMap::new();
        for hop in &self.net.hops {
            let Some(step) = self.graph.step(hop.step) else {
                continue;
            };
            for measure in self.net.cuts.get(hop.cut).into_iter().flatten() {
                edges.entry(*measure).or_default().insert(step.edge);
            }
        }
        for measure in &wanted {
            let kept = choices.chosen(*measure);
            let bill = match measure {
                _ if kept => Bill::default(),
                Measure::Guideline(number) => self.costs.guideline(guide, *number),
                Measure::Choice(..) => match guide.option(&measures::id(guide, *measure)) {
                    Some((_, option)) => {
                        self.costs
                            .bill(&option.price, option.effort_days, option.upkeep_hours)
                    }
                    None => Bill::default(),
                },
            };
            let (requires, conflicts) = bonds(guide, *measure, &places);
            self.question.measures.push(decide::Measure {
                id: measures::id(guide, *measure),
                title: measures::title(guide, *measure).to_owned(),
                cost: bill.cost,
                requires,
                conflicts,
                chosen_already: false,
            });
            self.offers.push(Offer {
                measure: *measure,
                bill,
                edges: edges.remove(measure).unwrap_or_default(),
                kept,
                open: choices.open(*measure),
                partly: choices.partly(*measure),
            });
        }
        let place = |measure: &Measure| places.get(measure).copied();
        self.cuts = self
            .net
            .cuts
            .iter()
            .map(|set| set.iter().filter_map(place).collect())
            .collect();
    }

    /// Costs that several offers need, without those that are there already.
    fn share(&mut self, analyses: &Analyses<'_>, choices: &Choices) {
        let guide = self.matter.guide;
        for shared in &guide.shared {
            let members: Vec<usize> = self
                .offers
                .iter()
                .enumerate()
                .filter(|(_, offer)| !offer.kept && shares(guide, offer.measure, &shared.id))
                .map(|(place, _)| place)
                .collect();
            let there = shared.recognised.as_ref().is_some_and(|program| {
                let said = recognise(guide, self.matter.setting, analyses, program);
                matches!(said, Recognition::Chosen | Recognition::Partly(..))
            });
            let chosen = choices.said.iter().any(|(measure, said)| {
                matches!(said, Recognition::Chosen | Recognition::Partly(..))
                    && shares(guide, *measure, &shared.id)
            });
            if members.is_empty() || there || chosen {
                continue;
            }
            let bill = self
                .costs
                .bill(&shared.price, shared.effort_days, shared.upkeep_hours);
            self.question.shared.push(Shared {
                id: shared.id.to_string(),
                cost: bill.cost,
                measures: members,
            });
            self.shared.push(bill);
        }
    }

    /// The pairs, alike ones together.
    fn threaten(
        &mut self,
        sure_only: bool,
        entries: &[(Option<usize>, NodeNo)],
        jewels: &[(Option<usize>, NodeNo)],
    ) {
        // One start for each node: what makes it likeliest counts.
        let mut starts: BTreeMap<NodeNo, (u32, u32)> = BTreeMap::new();
        let share = self.share_of_possible(sure_only);
        for (number, node) in entries {
            let entry = number.and_then(|number| self.graph.entries.get(number));
            let weight = self.entry_weight(entry.map(|entry| entry.kind));
            let sure = entry.is_none_or(|entry| entry.doubt.is_none());
            // (of sure ways, of possible ways), in hundredths
            let (surely, perhaps) = starts.entry(*node).or_default();
            let own = weight * share;
            *perhaps = (*perhaps).max(own);
            if sure {
                *surely = (*surely).max(weight * (100 - share));
            }
        }
        let mut worth: BTreeMap<NodeNo, u32> = BTreeMap::new();
        for (number, node) in jewels {
            let jewel = number.and_then(|number| self.graph.jewels.get(number));
            let weight = jewel.map_or(USUAL, |jewel| jewel.weight);
            let own = worth.entry(*node).or_default();
            *own = (*own).max(weight);
        }
        let mut classes: BTreeMap<(u32, bool), Vec<Weighed>> = BTreeMap::new();
        for (node, (surely, perhaps)) in &starts {
            let Some(start) = self.net.of(*node) else {
                continue;
            };
            classes
                .entry((start, *surely > 0))
                .or_default()
                .push((*node, *surely, *perhaps));
        }
        let mut found = Vec::new();
        for ((start, _), alike) in &classes {
            let start = *start;
            for sure in [true, false] {
                let weight: u32 = alike
                    .iter()
                    .map(|(_, surely, perhaps)| if sure { *surely } else { *perhaps })
                    .fold(0, u32::saturating_add);
                if weight == 0 || (!sure && sure_only) {
                    continue;
                }
                let come = self.net.come(start, !sure, &[]);
                for (jewel, worth) in &worth {
                    let Some(end) = self.net.of(*jewel) else {
                        continue;
                    };
                    if end == start || !come.holds(end) {
                        continue;
                    }
                    found.push(Pairs {
                        entries: alike.iter().map(|(node, ..)| *node).collect(),
                        jewel: *jewel,
                        sure,
                        weight: weight.saturating_mul(*worth),
                        start,
                        end,
                    });
                }
            }
        }
        found.sort_by_key(|pairs| (pairs.start, pairs.sure, pairs.end));
        self.question.threats = found
            .iter()
            .map(|pairs| decide::Threat {
                id: self.threat_id(pairs),
                weight: pairs.weight,
            })
            .collect();
        self.ends = found.iter().map(|pairs| pairs.end).collect();
        self.ends.sort_unstable();
        self.ends.dedup();
        self.found = vec![None; found.len()];
        self.threats = found;
    }

    fn threat_id(&self, pairs: &Pairs) -> String {
        let from = pairs.entries.first().map(|node| self.graph.id(*node));
        format!(
            "{} {} {}",
            from.unwrap_or_default(),
            if pairs.sure { "->" } else { "~>" },
            self.graph.id(pairs.jewel)
        )
    }

    /// Hundredths of a pair's weight that count where only possible ways are left.
    fn share_of_possible(&self, sure_only: bool) -> u32 {
        if sure_only {
            return 0;
        }
        let possible = self.matter.guide.odds.possible();
        possible.map_or(0, |possible| possible.weight.min(100))
    }

    fn entry_weight(&self, kind: Option<EntryKind>) -> u32 {
        let odds = &self.matter.guide.odds;
        match kind {
            Some(kind) => odds.of(kind).map_or(1, |odd| odd.weight),
            // Somebody asked for it.
            None => USUAL,
        }
    }

    /// Of these threats, ascending, those that have a way left where these measures stand, with the hops of it.
    pub fn ways(
        &self,
        threats: impl Iterator<Item = usize>,
        standing: &Set,
    ) -> Vec<(usize, Vec<usize>)> {
        let gone = self.gone(standing);
        let mut perhaps: [Option<Perhaps>; 2] = [None, None];
        let mut ways = Vec::new();
        // Threats of one start follow each other.
        let mut last: Option<((u32, bool), Come)> = None;
        for threat in threats {
            let Some(pairs) = self.threats.get(threat) else {
                continue;
            };
            let end = self.ends.binary_search(&pairs.end).unwrap_or(usize::MAX);
            let [surely, at_all] = &mut perhaps;
            let may = if pairs.sure { surely } else { at_all };
            let may = may.get_or_insert_with(|| self.net.perhaps(&self.ends, !pairs.sure, &gone));
            if !may.has(pairs.start, end) {
                continue;
            }
            let key = (pairs.start, pairs.sure);
            if last.as_ref().is_none_or(|(known, _)| *known != key) {
                last = Some((key, self.net.come(pairs.start, !pairs.sure, &gone)));
            }
            let way = last
                .as_ref()
                .and_then(|(_, come)| self.net.way(come, pairs.end));
            ways.extend(way.map(|way| (threat, way)));
        }
        ways
    }

    fn gone(&self, standing: &Set) -> Vec<bool> {
        self.cuts
            .iter()
            .map(|places| standing.has_any(places))
            .collect()
    }

    /// The kinds of a way's steps, in order, each once in a row.
    pub fn deeds(&self, way: &[usize]) -> Vec<&'static str> {
        let mut deeds: Vec<&'static str> = Vec::new();
        for hop in way.iter().filter_map(|number| self.net.hops.get(*number)) {
            let edge = self.graph.step(hop.step).map(|step| step.edge);
            if let Some(edge) = edge.filter(|edge| *edge != Edge::Implied)
                && deeds.last() != Some(&edge.id())
            {
                deeds.push(edge.id());
            }
        }
        deeds
    }

    /// How many pairs of an entry and a jewel these threats are: a pair that has sure and possible ways is
    /// one.
    pub fn count(&self, threats: &[usize]) -> usize {
        self.both(threats, threats)
    }

    /// How many pairs of an entry and a jewel are in both.
    pub fn both(&self, some: &[usize], others: &[usize]) -> usize {
        let pairs = |threats: &[usize]| -> BTreeSet<(NodeNo, NodeNo)> {
            threats
                .iter()
                .filter_map(|threat| self.threats.get(*threat))
                .flat_map(|pairs| pairs.entries.iter().map(|entry| (*entry, pairs.jewel)))
                .collect()
        };
        pairs(some).intersection(&pairs(others)).count()
    }

    /// The weight of these threats.
    pub fn weight(&self, threats: impl Iterator<Item = usize>) -> u64 {
        threats
            .filter_map(|threat| self.threats.get(threat))
            .map(|pairs| u64::from(pairs.weight))
            .sum()
    }

    /// The place of a measure by its id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.question
            .measures
            .iter()
            .position(|measure| measure.id == id)
    }
}

/// What a jewel or an entry is worth that somebody asked for by name.
const USUAL: u32 = 10;

impl Attacks for Problem<'_> {
    fn surviving(&mut self, standing: &Set) -> Vec<decide::Way> {
        // What was found before and is not cut needs no search.
        let is_left = |known: &Option<decide::Way>| {
            let way = known.as_ref();
            way.is_some_and(|way| !standing.has_any(&way.cut_by))
        };
        let mut left: Vec<bool> = self.found.iter().map(is_left).collect();
        let lost = (0..).zip(&left).filter(|(_, left)| !**left);
        let again = self.ways(lost.map(|(threat, _)| threat), standing);
        for (threat, way) in again {
            let sets = way
                .iter()
                .filter_map(|hop| self.cuts.get(self.net.hops.get(*hop)?.cut));
            let cut_by: BTreeSet<usize> = sets.flatten().copied().collect();
            let slots = left.get_mut(threat).zip(self.found.get_mut(threat));
            if let Some((left, found)) = slots {
                *left = true;
                *found = Some(decide::Way {
                    threat,
                    cut_by: cut_by.into_iter().collect(),
                });
            }
        }
        let ways = self.found.iter().zip(left).filter(|(_, left)| *left);
        ways.filter_map(|(way, _)| way.clone()).collect()
    }
}

impl Choices {
    fn of(matter: &Matter<'_>) -> Self {
        let guide = matter.guide;
        let mut said = BTreeMap::new();
        for (topic, of) in guide.topics.iter().enumerate() {
            for (at, option) in of.options.iter().enumerate() {
                if let Some(program) = &option.recognised {
                    let measure = Measure::Choice(topic as u16, at as u16);
                    let answer = recognise(guide, matter.setting, matter.analyses, program);
                    said.insert(measure, answer);
                }
            }
        }
        Self { said }
    }

    fn chosen(&self, measure: Measure) -> bool {
        self.said.get(&measure) == Some(&Recognition::Chosen)
    }

    fn open(&self, measure: Measure) -> Option<String> {
        match self.said.get(&measure) {
            Some(Recognition::Open(why)) => Some(why.clone()),
            _ => None,
        }
    }

    fn partly(&self, measure: Measure) -> Option<(usize, usize)> {
        match self.said.get(&measure) {
            Some(Recognition::Partly(some, of)) => Some((*some, *of)),
            _ => None,
        }
    }

    fn names(&self, guide: &Guide) -> Vec<String> {
        self.said
            .iter()
            .filter(|(_, said)| **said == Recognition::Chosen)
            .map(|(measure, _)| measures::id(guide, *measure))
            .collect()
    }
}

/// Options that are not offered, with why: their provider has ended them, or they are in preview.
fn unfit(matter: &Matter<'_>, preview: bool) -> BTreeMap<Measure, String> {
    let guide = matter.guide;
    let mut found = BTreeMap::new();
    for (topic, of) in guide.topics.iter().enumerate() {
        for (at, option) in of.options.iter().enumerate() {
            let measure = Measure::Choice(topic as u16, at as u16);
            match &option.ends {
                Some(ends) if **ends <= *matter.as_of => {
                    found.insert(measure, format!("ended on {ends}"));
                }
                _ if option.preview && !preview => {
                    found.insert(measure, "in preview: `--preview` offers it".to_owned());
                }
                _ => {}
            }
        }
    }
    found
}

/// The measures that these ids name; what names none is refused later.
fn asked(guide: &Guide, ids: &[String]) -> BTreeSet<Measure> {
    let guideline = |id: &str| {
        let at = guide.guidelines.iter().position(|own| *own.id.0 == *id)?;
        Some(Measure::Guideline(at as u16))
    };
    ids.iter()
        .filter_map(|id| find_option(guide, id).or_else(|| guideline(id)))
        .collect()
}

/// The measure that `topic/option` is.
fn find_option(guide: &Guide, bond: &str) -> Option<Measure> {
    let (topic, id) = bond.rsplit_once('/')?;
    let number = guide.topics.iter().position(|own| &*own.id == topic)?;
    let options = &guide.topics.get(number)?.options;
    let at = options.iter().position(|option| &*option.id == id)?;
    Some(Measure::Choice(number as u16, at as u16))
}

/// What a measure requires and what it rules out, by their places. A requirement that there is no measure
/// for stays as one that nothing meets.
fn bonds(
    guide: &Guide,
    measure: Measure,
    places: &BTreeMap<Measure, usize>,
) -> (Vec<Vec<usize>>, Vec<usize>) {
    let place = |bond: &str| places.get(&find_option(guide, bond)?).copied();
    match guide.option(&measures::id(guide, measure)) {
        Some((_, option)) if matches!(measure, Measure::Choice(..)) => (
            option
                .requires
                .iter()
                .map(|any| any.iter().filter_map(|bond| place(bond)).collect())
                .collect(),
            option
                .conflicts
                .iter()
                .filter_map(|bond| place(bond))
                .collect(),
        ),
        _ => (Vec::new(), Vec::new()),
    }
}

fn shares(guide: &Guide, measure: Measure, id: &str) -> bool {
    matches!(measure, Measure::Choice(..))
        && guide
            .option(&measures::id(guide, measure))
            .is_some_and(|(_, option)| option.shared.iter().any(|own| &**own == id))
}
