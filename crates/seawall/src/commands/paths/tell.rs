//! Ways as they are told: what is done one after the other, on what each deed rests, what takes it away.
//!
//! A right that only leads to the next deed of the same kind is no deed of its own: what it rests on is told
//! with the deed that it serves. Every text is clean of what would do something to a terminal or a page.

use analysis::paths::EVERYTHING;
use report::clean;

use super::*;
use crate::commands::attack::Place;

/// A way from an entry to a jewel.
pub(crate) struct Story {
    pub(crate) entry: Option<usize>,
    pub(crate) from: NodeNo,
    pub(crate) to: NodeNo,
    /// What people call the start.
    pub(crate) start: String,
    /// Why that is to be expected.
    pub(crate) because: Option<String>,
    /// Why it may not be so.
    pub(crate) doubt: Option<String>,
    /// What people call the end.
    pub(crate) jewel: String,
    /// `cluster-admin`, …; `named` where it was asked for.
    pub(crate) kind: &'static str,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) possible: bool,
    /// Other entries from which it goes the same way after the first deed.
    pub(crate) alike: Vec<String>,
    /// There are more ways between the two.
    pub(crate) more: bool,
}

/// Something that an attacker does.
pub(crate) struct Deed {
    pub(crate) edge: Edge,
    /// What it is: the title of its page.
    pub(crate) title: String,
    /// What is held for it, as it was reached before.
    pub(crate) held: Vec<NodeNo>,
    /// What is needed besides the first.
    pub(crate) also: Vec<String>,
    pub(crate) lands: NodeNo,
    /// What people call what it comes to.
    pub(crate) reaches: String,
    pub(crate) evidence: Vec<(Option<Place>, String)>,
    pub(crate) doubts: Vec<String>,
    pub(crate) cuts: Vec<Measure>,
}

impl Story {
    /// What would have to be true, each once.
    pub(crate) fn doubts(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let of_deeds = self.deeds.iter().flat_map(|deed| &deed.doubts);
        for doubt in self.doubt.iter().chain(of_deeds) {
            if !found.contains(&doubt.as_str()) {
                found.push(doubt);
            }
        }
        found
    }
}

/// The story of each way that is shown, in order.
pub(super) fn all(answer: &Answer<'_>) -> Vec<Story> {
    answer
        .pairs
        .iter()
        .flat_map(|pair| pair.ways.iter().map(move |way| story(answer, pair, way)))
        .collect()
}

fn story(answer: &Answer<'_>, pair: &Pair, way: &Way) -> Story {
    let graph = answer.graph;
    let entry = pair.entry.and_then(|entry| graph.entries.get(entry));
    let jewel = pair.jewel.and_then(|jewel| graph.jewels.get(jewel));
    let title = |node| clean(&graph.title(node)).into_owned();
    Story {
        entry: pair.entry,
        from: pair.from,
        to: pair.to,
        start: title(pair.from),
        because: entry.map(|entry| clean(&entry.because).into_owned()),
        doubt: entry
            .and_then(|entry| entry.doubt.as_deref())
            .map(|doubt| clean(doubt).into_owned()),
        jewel: jewel.map_or_else(|| title(pair.to), |jewel| clean(&jewel.title).into_owned()),
        kind: jewel.map_or("named", |jewel| jewel.kind),
        deeds: deeds(answer, pair, way),
        possible: way.possible,
        alike: pair.alike.iter().map(|node| title(*node)).collect(),
        more: pair.more,
    }
}

fn deeds(answer: &Answer<'_>, pair: &Pair, way: &Way) -> Vec<Deed> {
    let graph = answer.graph;
    // What is held without a deed, by what it was reached as.
    let mut reached: BTreeMap<NodeNo, NodeNo> = BTreeMap::new();
    let mut deeds: Vec<Deed> = Vec::new();
    for step in way.steps.iter().filter_map(|step| graph.step(*step)) {
        let known = |need: &NodeNo| reached.get(need).copied().unwrap_or(*need);
        if step.edge == Edge::Implied {
            let as_what = step.needs.first().map_or(pair.from, known);
            reached.entry(step.gives).or_insert(as_what);
            continue;
        }
        let mut held: Vec<NodeNo> = step.needs.iter().map(known).collect();
        held.dedup();
        let lands = find::lands_on(graph, way, step.gives);
        reached.insert(step.gives, lands);
        reached.insert(lands, lands);
        deeds.push(deed(answer, &step, held, lands));
    }
    let mut deeds = folded(graph, deeds);
    // What the last deed gives holds the jewel.
    if let Some(last) = deeds.last_mut()
        && last.lands != pair.to
        && reached.get(&pair.to) == Some(&last.lands)
    {
        last.lands = pair.to;
        last.reaches = format!("{}, and so {}", last.reaches, graph.title(pair.to));
    }
    deeds
}

fn deed(answer: &Answer<'_>, step: &Step<'_>, held: Vec<NodeNo>, lands: NodeNo) -> Deed {
    let graph = answer.graph;
    let titles = &answer.scene.guide.edges;
    Deed {
        edge: step.edge,
        title: titles
            .get(step.edge.id())
            .map_or(step.edge.id(), |title| title)
            .to_owned(),
        also: Vec::new(),
        held,
        lands,
        reaches: clean(&graph.title(lands)).into_owned(),
        evidence: step
            .evidence
            .iter()
            .map(|one| {
                let place = answer.scene.place(answer.analyses, one);
                (place, clean(&one.says).into_owned())
            })
            .collect(),
        doubts: step
            .doubt
            .iter()
            .map(|doubt| clean(doubt).into_owned())
            .collect(),
        cuts: answer.cut_by.get(&step.number).cloned().unwrap_or_default(),
    }
}

/// Takes deeds that only give a right together with the deed of the same kind that uses it.
fn folded(graph: &Graph, mut deeds: Vec<Deed>) -> Vec<Deed> {
    let mut told: Vec<Deed> = Vec::new();
    while !deeds.is_empty() {
        let deed = deeds.remove(0);
        let gives = deed.lands;
        let hub = matches!(graph.node(gives), Node::Right(name, _) if name != EVERYTHING);
        let users: Vec<usize> = (0..deeds.len())
            .filter(|at| {
                deeds
                    .get(*at)
                    .is_some_and(|user| user.held.contains(&gives))
            })
            .collect();
        let alike = users
            .iter()
            .all(|at| deeds.get(*at).is_some_and(|user| user.edge == deed.edge));
        if !hub || users.is_empty() || !alike {
            told.push(deed);
            continue;
        }
        for at in users {
            if let Some(user) = deeds.get_mut(at) {
                user.held.retain(|need| *need != gives);
                join(&mut user.held, &deed.held);
                let mut evidence = deed.evidence.clone();
                join(&mut evidence, &user.evidence);
                user.evidence = evidence;
                join(&mut user.doubts, &deed.doubts);
                join(&mut user.cuts, &deed.cuts);
            }
        }
    }
    let before: Vec<NodeNo> = told.iter().map(|deed| deed.lands).collect();
    for (at, deed) in told.iter_mut().enumerate() {
        // What was reached just before needs no word.
        let last = at.checked_sub(1).and_then(|at| before.get(at));
        let needs = deed.held.iter();
        deed.also = match (deed.held.len(), last) {
            (0 | 1, None) => Vec::new(),
            (1, Some(last)) if deed.held.first() == Some(last) => Vec::new(),
            (_, last) => needs
                .filter(|need| Some(*need) != last)
                .map(|need| clean(&graph.title(*need)).into_owned())
                .collect(),
        };
    }
    told
}

fn join<T: Clone + PartialEq>(into: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !into.contains(one) {
            into.push(one.clone());
        }
    }
}

/// `a, b and c`
pub(super) fn listed(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let mut shown: Vec<String> = names.iter().take(most).cloned().collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
