//! Which pairs of an entry and a jewel are shown, and by which ways.

use super::*;

/// A way is asked for between these.
pub(crate) struct Ends {
    pub(super) entries: Vec<(Option<usize>, NodeNo)>,
    jewels: Vec<(Option<usize>, NodeNo)>,
}

impl Ends {
    /// Those that the words name; without words all.
    pub(crate) fn named(graph: &Graph, from: &[String], to: &[String]) -> anyhow::Result<Self> {
        Ok(Self {
            entries: entries(graph, from)?,
            jewels: jewels(graph, to)?,
        })
    }
}

pub(super) fn answer<'a>(
    args: &Args,
    attack: &'a Attack,
    analyses: &'a Analyses<'a>,
    graph: &'a Graph,
    efforts: &Efforts,
    measures: &mut Measures<'a>,
) -> anyhow::Result<Answer<'a>> {
    let ends = Ends::named(graph, &args.from, &args.to)?;
    let sure = graph.spread(Allowed::SURE);
    let possible = graph.spread(Allowed::POSSIBLE);
    let mut answer = Answer {
        scene: attack.scene(),
        analyses,
        graph,
        pairs: Vec::new(),
        left_out: 0,
        narrowed: !args.from.is_empty() || !args.to.is_empty() || args.all,
        totals: totals(graph, &sure, &possible),
        counts: counts(graph, &sure, &possible),
        ways: Found::default(),
        administrators: Vec::new(),
        radius: radius::find(graph, args, &ends, efforts),
        through: BTreeSet::new(),
        cut_by: BTreeMap::new(),
        chokes: Vec::new(),
    };
    pairs(args, graph, efforts, &ends, (&sure, &possible), &mut answer);
    for pair in &answer.pairs {
        for step in pair.ways.iter().flat_map(|way| &way.steps) {
            if !answer.cut_by.contains_key(step)
                && let Some(row) = graph.step(*step)
            {
                answer.cut_by.insert(*step, measures.cutting(&row));
            }
        }
    }
    answer.chokes = choke::find(graph, measures, &sure, &answer.through);
    Ok(answer)
}

/// How many pairs of an entry and a jewel are sure, and how many are not.
fn counts(graph: &Graph, sure: &Spread, possible: &Spread) -> (usize, usize) {
    let doubted = |entry: usize| {
        graph
            .entries
            .get(entry)
            .is_some_and(|entry| entry.doubt.is_some())
    };
    let surely = sure.pairs().filter(|(entry, _)| !doubted(*entry)).count();
    let all = possible.pairs().count();
    (surely, all.saturating_sub(surely))
}

fn totals(
    graph: &Graph,
    sure: &Spread,
    possible: &Spread,
) -> BTreeMap<EntryKind, (usize, usize, usize)> {
    let mut totals = BTreeMap::new();
    for (number, entry) in graph.entries.iter().enumerate() {
        let (all, surely, perhaps): &mut (usize, usize, usize) =
            totals.entry(entry.kind).or_default();
        *all += 1;
        if !sure.jewels_of(number).is_empty() && entry.doubt.is_none() {
            *surely += 1;
        } else if !possible.jewels_of(number).is_empty() {
            *perhaps += 1;
        }
    }
    totals
}

/// Entries from which the same steps lead on.
type Alike = (Option<EntryKind>, Option<u32>, Option<u32>, bool);

/// Entries by what tells them apart, with one that stands for the others. One search answers for all of a class:
/// its members open the same with their first step (see [`Spread::class_of`]).
fn classes(
    graph: &Graph,
    ends: &Ends,
    (sure, possible): (&Spread, &Spread),
) -> Vec<Vec<(Option<usize>, NodeNo)>> {
    let mut numbers: BTreeMap<(Alike, Option<NodeNo>), usize> = BTreeMap::new();
    let mut classes: Vec<Vec<(Option<usize>, NodeNo)>> = Vec::new();
    // A workload that the internet reaches is no news as any pod, unless it is not sure that it does.
    let mut told: BTreeSet<NodeNo> = BTreeSet::new();
    for (number, node) in &ends.entries {
        let entry = number.and_then(|number| graph.entries.get(number));
        let doubted = entry.is_some_and(|entry| entry.doubt.is_some());
        if told.contains(node) {
            continue;
        }
        if !doubted {
            told.insert(*node);
        }
        let alike = (
            entry.map(|entry| entry.kind),
            number.and_then(|number| sure.class_of(number)),
            number.and_then(|number| possible.class_of(number)),
            doubted,
        );
        // What is no entry has no class.
        let own = number.is_none().then_some(*node);
        let class = *numbers.entry((alike, own)).or_insert_with(|| {
            classes.push(Vec::new());
            classes.len() - 1
        });
        if let Some(class) = classes.get_mut(class) {
            class.push((*number, *node));
        }
    }
    classes
}

/// An entry and those that are like it, with what it reaches: numbers of jewels, or nodes that were asked for.
struct Class {
    members: Vec<(Option<usize>, NodeNo)>,
    reaches: Vec<(Option<usize>, NodeNo, bool)>,
}

/// How many searches are worth their time in a graph: each looks at every step once.
fn affordable(graph: &Graph) -> usize {
    (30_000_000 / graph.size().1.max(1)).max(40)
}

/// What each class reaches, what is shown first coming first.
fn reaching(
    only_sure: bool,
    graph: &Graph,
    ends: &Ends,
    (sure, possible): (&Spread, &Spread),
) -> Vec<Class> {
    let mut found: Vec<_> = classes(graph, ends, (sure, possible))
        .into_iter()
        .filter_map(|members| {
            let (entry, from) = *members.first()?;
            let own = entry.and_then(|entry| graph.entries.get(entry));
            let doubted = own.is_some_and(|entry| entry.doubt.is_some());
            let reaches: Vec<_> = ends
                .jewels
                .iter()
                .filter(|(_, node)| *node != from)
                .filter_map(|(jewel, node)| {
                    let (surely, at_all) = match (entry, jewel) {
                        (Some(entry), Some(jewel)) => {
                            (sure.reaches(entry, *jewel), possible.reaches(entry, *jewel))
                        }
                        _ => (true, true),
                    };
                    let surely = surely && !doubted;
                    (surely || at_all && !only_sure).then_some((*jewel, *node, surely))
                })
                .collect();
            let rank = reaches
                .iter()
                .map(|(jewel, _, surely)| (!surely, std::cmp::Reverse(weight(graph, *jewel))))
                .min()?;
            let kind = own.map(|entry| entry.kind);
            Some((rank, kind, Class { members, reaches }))
        })
        .collect();
    found.sort_by_key(|(rank, kind, _)| (*rank, *kind));
    found.into_iter().map(|(.., class)| class).collect()
}

fn weight(graph: &Graph, jewel: Option<usize>) -> u32 {
    jewel
        .and_then(|jewel| graph.jewels.get(jewel))
        .map_or(0, |jewel| jewel.weight)
}

/// What is looked for.
pub(crate) struct Wanted {
    /// Only what is sure.
    pub(crate) sure: bool,
    /// Entries that go the same way after their first step are told once.
    pub(crate) merged: bool,
    /// Administrators are told apart.
    pub(crate) apart: bool,
}

/// The cheapest way of each pair.
pub(crate) struct Looked {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) administrators: Vec<NodeNo>,
    /// Those of the entries that were not looked at too.
    pub(crate) ways: Found,
    /// Of how many classes of entries the ways were looked for, and how many there are.
    pub(crate) classes: (usize, usize),
}

/// The ways, the sure ones first, the worth of the jewel, then the kind of the entry, then the length.
///
/// In a large graph ways are looked for from as many classes of entries as can be afforded, those first that are
/// shown first; the others are counted, one way for each jewel that they reach.
pub(crate) fn look(
    wanted: &Wanted,
    graph: &Graph,
    efforts: &Efforts,
    ends: &Ends,
    spreads: (&Spread, &Spread),
) -> Looked {
    let mut found: Vec<Pair> = Vec::new();
    let mut seen: BTreeMap<(Option<EntryKind>, NodeNo, Vec<StepNo>), usize> = BTreeMap::new();
    let mut unsure: BTreeSet<(NodeNo, NodeNo)> = BTreeSet::new();
    let mut classes = reaching(wanted.sure, graph, ends, spreads);
    let all = classes.len();
    let looked_at = affordable(graph).min(all);
    let counted = classes.split_off(looked_at);
    for class in classes {
        let Some((entry, from)) = class.members.first().copied() else {
            continue;
        };
        let told = entry.and_then(|entry| graph.entries.get(entry));
        let doubted = told.is_some_and(|entry| entry.doubt.is_some());
        let surely = graph.derive(&[from], efforts, Allowed::SURE);
        let mut perhaps = None;
        for (jewel, to, _) in class.reaches {
            let mut way = graph.way(&surely, to);
            if way.is_none() && !wanted.sure {
                let perhaps = perhaps
                    .get_or_insert_with(|| graph.derive(&[from], efforts, Allowed::POSSIBLE));
                way = graph.way(perhaps, to);
            }
            let Some(mut way) = way else {
                continue;
            };
            way.possible |= doubted;
            if wanted.sure && way.possible {
                continue;
            }
            let mut others: Vec<NodeNo> = class.members.iter().map(|(_, node)| *node).collect();
            if way.possible {
                // Told already, by a likelier start that is not sure either.
                others.retain(|node| unsure.insert((*node, to)));
            }
            let Some(first) = others.first().copied() else {
                continue;
            };
            // Entries that go the same way after their first step are told once.
            let key = (told.map(|entry| entry.kind), to, tail(graph, &way));
            if let Some(pair) = seen.get(&key).and_then(|at| found.get_mut(*at))
                && pair.ways.iter().all(|one| one.possible == way.possible)
                && wanted.merged
            {
                pair.alike.extend(others);
                continue;
            }
            if first != from {
                // The way must be its own.
                let allowed = if graph.way(&surely, to).is_some() {
                    Allowed::SURE
                } else {
                    Allowed::POSSIBLE
                };
                let Some(own) = graph.cheapest(first, to, efforts, allowed) else {
                    continue;
                };
                way.steps = own.steps;
            }
            seen.insert(key, found.len());
            found.push(Pair {
                entry: class
                    .members
                    .iter()
                    .find(|(_, node)| *node == first)
                    .and_then(|(entry, _)| *entry),
                from: first,
                jewel,
                to,
                ways: vec![way],
                more: false,
                alike: others.into_iter().skip(1).collect(),
            });
        }
    }
    sort(graph, &mut found);
    let administrators = if wanted.apart {
        administrators(graph, &mut found)
    } else {
        Vec::new()
    };
    let mut ways = Found::of(graph, &found);
    ways.count(graph, counted.iter().flat_map(|class| &class.reaches));
    Looked {
        pairs: found,
        administrators,
        ways,
        classes: (looked_at, all),
    }
}

/// The ways that are shown.
fn pairs(
    args: &Args,
    graph: &Graph,
    efforts: &Efforts,
    ends: &Ends,
    spreads: (&Spread, &Spread),
    answer: &mut Answer<'_>,
) {
    let wanted = Wanted {
        sure: args.sure,
        merged: args.from.is_empty(),
        apart: !answer.narrowed,
    };
    let looked = look(&wanted, graph, efforts, ends, spreads);
    let mut found = looked.pairs;
    answer.administrators = looked.administrators;
    answer.ways = looked.ways;
    answer.through = found
        .iter()
        .flat_map(|pair| &pair.ways)
        .filter(|way| !way.possible)
        .flat_map(|way| way.steps.iter().copied())
        .collect();
    if !answer.narrowed {
        few_for_each(&mut found);
    }
    found.truncate(args.limit);
    answer.left_out = (answer.ways.sure + answer.ways.possible).saturating_sub(found.len());
    if args.all {
        every(args, graph, efforts, &mut found);
    }
    answer.pairs = found;
}

/// Takes out whoever is an administrator of the cluster by assignment alone: that a stolen credential of theirs
/// opens everything is no news, and would stand before every attacker's way.
fn administrators(graph: &Graph, found: &mut Vec<Pair>) -> Vec<NodeNo> {
    const ASSIGNED: [Edge; 6] = [
        Edge::Implied,
        Edge::AzureRole,
        Edge::GroupMember,
        Edge::EntraGroupBinding,
        Edge::AzureClusterAdmin,
        Edge::BoundRole,
    ];
    let credential = |pair: &Pair| {
        pair.entry
            .and_then(|entry| graph.entries.get(entry))
            .is_some_and(|entry| entry.kind == EntryKind::Credential)
    };
    let assigned = |way: &Way| {
        let mut steps = way.steps.iter().filter_map(|step| graph.step(*step));
        !way.possible && steps.all(|step| ASSIGNED.contains(&step.edge))
    };
    let mut known: BTreeSet<NodeNo> = BTreeSet::new();
    for pair in found.iter().filter(|pair| credential(pair)) {
        let jewel = pair.jewel.and_then(|jewel| graph.jewels.get(jewel));
        if jewel.is_some_and(|jewel| jewel.kind == "cluster-admin")
            && pair.ways.iter().any(assigned)
        {
            known.insert(pair.from);
            known.extend(&pair.alike);
        }
    }
    for pair in found.iter_mut() {
        pair.alike.retain(|node| !known.contains(node));
    }
    found.retain(|pair| !known.contains(&pair.from));
    known.into_iter().collect()
}

/// Leaves a few possible ways to each jewel, the first: what is sure matters more.
fn few_for_each(found: &mut Vec<Pair>) {
    const FEW: usize = 3;
    let mut counts: BTreeMap<NodeNo, usize> = BTreeMap::new();
    found.retain(|pair| {
        let possible = pair.ways.iter().all(|way| way.possible);
        let count = counts.entry(pair.to).or_default();
        *count += usize::from(possible);
        !possible || *count <= FEW
    });
}

/// Puts every minimal way in place of the cheapest.
fn every(args: &Args, graph: &Graph, efforts: &Efforts, found: &mut [Pair]) {
    for pair in found {
        let (ways, more) = graph.ways(pair.from, pair.to, efforts, !args.sure, args.limit);
        if ways.is_empty() {
            continue;
        }
        let doubted = pair
            .entry
            .and_then(|entry| graph.entries.get(entry))
            .is_some_and(|entry| entry.doubt.is_some());
        (pair.ways, pair.more) = (ways, more);
        for way in &mut pair.ways {
            way.possible |= doubted;
        }
        // The sure ones first; the others keep their order.
        pair.ways.sort_by_key(|way| way.possible);
        // The others need not have every one of these ways.
        pair.alike.clear();
    }
}

fn sort(graph: &Graph, found: &mut [Pair]) {
    found.sort_by_key(|pair| {
        let weight = weight(graph, pair.jewel);
        let kind = pair.entry.and_then(|entry| graph.entries.get(entry));
        let deeds = pair.ways.first().map(|way| {
            way.steps
                .iter()
                .filter_map(|step| graph.step(*step))
                .filter(|step| step.edge != Edge::Implied)
                .count()
        });
        (
            pair.ways.iter().all(|way| way.possible),
            std::cmp::Reverse(weight),
            pair.to,
            kind.map(|entry| entry.kind),
            deeds,
            pair.from,
        )
    });
}

/// What a step comes to: behind a right that leads to many, the one that the way goes on from.
pub(super) fn lands_on(graph: &Graph, way: &Way, gives: NodeNo) -> NodeNo {
    let mut at = gives;
    while let Node::Right(..) = graph.node(at) {
        let next = way
            .steps
            .iter()
            .filter_map(|step| graph.step(*step))
            .find(|step| step.edge == Edge::Implied && step.needs == [at]);
        match next {
            Some(step) => at = step.gives,
            None => break,
        }
    }
    at
}

/// The steps after the first deed.
fn tail(graph: &Graph, way: &Way) -> Vec<StepNo> {
    let first = way.steps.iter().position(|step| {
        graph
            .step(*step)
            .is_some_and(|step| step.edge != Edge::Implied)
    });
    way.steps
        .get(first.map_or(0, |first| first + 1)..)
        .unwrap_or_default()
        .to_vec()
}

/// A node that was chosen, with its number among the entries or jewels where it is one.
type Choice = (Option<usize>, NodeNo);

/// The entries that words name, by their kind or one by one; without words all.
pub(crate) fn entries(graph: &Graph, words: &[String]) -> anyhow::Result<Vec<Choice>> {
    let all: Vec<(NodeNo, &str)> = graph
        .entries
        .iter()
        .map(|entry| (entry.node, entry.kind.id()))
        .collect();
    chosen(graph, words, "--from", &all)
}

/// The jewels that words name, by their kind or one by one; without words all.
pub(crate) fn jewels(graph: &Graph, words: &[String]) -> anyhow::Result<Vec<Choice>> {
    let all: Vec<(NodeNo, &str)> = graph
        .jewels
        .iter()
        .map(|jewel| (jewel.node, jewel.kind))
        .collect();
    chosen(graph, words, "--to", &all)
}

/// Of nodes with their kinds those that words name; a word that names no kind names any node of the graph.
fn chosen(
    graph: &Graph,
    words: &[String],
    option: &str,
    all: &[(NodeNo, &str)],
) -> anyhow::Result<Vec<Choice>> {
    let numbered = || {
        all.iter()
            .enumerate()
            .map(|(number, (node, kind))| ((Some(number), *node), *kind))
    };
    if words.is_empty() {
        return Ok(numbered().map(|(choice, _)| choice).collect());
    }
    let mut found: Vec<Choice> = Vec::new();
    for word in words {
        let before = found.len();
        let of_kind = numbered().filter(|(_, kind)| kind == word);
        found.extend(of_kind.map(|(choice, _)| choice));
        if found.len() == before {
            found.extend(nodes(graph, word, option)?.into_iter().map(|node| {
                numbered()
                    .map(|(choice, _)| choice)
                    .find(|(_, own)| *own == node)
                    .unwrap_or((None, node))
            }));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The nodes that a word names: the whole id, or else a part of it that only one kind of node has.
fn nodes(graph: &Graph, word: &str, option: &str) -> anyhow::Result<Vec<NodeNo>> {
    let ids: Vec<(NodeNo, String)> = graph
        .nodes()
        .map(|(number, _)| (number, graph.id(number)))
        .collect();
    let exact: Vec<NodeNo> = ids
        .iter()
        .filter(|(_, id)| id == word || id.split_once(':').is_some_and(|(_, rest)| rest == word))
        .map(|(number, _)| *number)
        .collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let part: Vec<&(NodeNo, String)> = ids.iter().filter(|(_, id)| id.contains(word)).collect();
    match part.as_slice() {
        [] => Err(
            Failure::new(format!("`{option} {word}` names nothing in the graph"))
                .help("`seawall paths PATH --format json` lists entries and jewels by their names")
                .into(),
        ),
        [one] => Ok(vec![one.0]),
        several => {
            let workloads: Vec<NodeNo> = several
                .iter()
                .filter(|(_, id)| id.starts_with("workload:"))
                .map(|(number, _)| *number)
                .collect();
            if let [one] = workloads.as_slice() {
                return Ok(vec![*one]);
            }
            let mut shown: Vec<&str> = several.iter().take(6).map(|(_, id)| id.as_str()).collect();
            if several.len() > 6 {
                shown.push("…");
            }
            Err(
                Failure::new(format!("`{option} {word}` names {} things", several.len()))
                    .help(format!("one of {}", shown.join(", ")))
                    .into(),
            )
        }
    }
}
