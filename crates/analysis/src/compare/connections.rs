//! Which connections opened and closed: between workloads that are there before and after, from them to what
//! matters outside, and from outside to them.
//!
//! Workloads are compared in classes that the policies of neither estate tell apart, so that a change of a
//! policy is one line and not one for each pair. What hangs on something that was not given counts as *may*:
//! something opened when it surely could not pass before and may now, and it closed when it surely could
//! and cannot any more. A doubt that went is neither.

use std::collections::{BTreeMap, BTreeSet};

use model::Estate;

use crate::reach::{Answer, Audience, Exposure, PortSet, Reach, Workload};

use super::shown_at;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections {
    /// Between workloads: open now.
    pub opened: Vec<Connection>,
    /// Between workloads: closed now.
    pub closed: Vec<Connection>,
    /// To what lies outside.
    pub outside: Vec<Outside>,
    /// From outside: new, or open to more.
    pub exposed: Vec<Exposed>,
    /// From outside: gone, or open to fewer.
    pub hidden: Vec<Exposed>,
}

impl Connections {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.closed.is_empty()
            && self.outside.is_empty()
            && self.exposed.is_empty()
            && self.hidden.is_empty()
    }
}

/// Connections between two sets of workloads, of each with each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// From these: `shop/web[Deployment]`.
    pub from: Vec<String>,
    /// To these.
    pub to: Vec<String>,
    /// `TCP 80,8000-9100`
    pub ports: String,
    /// Nothing that was not given can change it.
    pub certain: bool,
}

/// What workloads reach outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// `the internet`, `instance metadata`, `the API server`.
    pub target: &'static str,
    /// Whether they reach it now, and did not; otherwise the other way round.
    pub opened: bool,
    /// The workloads.
    pub from: Vec<String>,
    /// Nothing that was not given can change it.
    pub certain: bool,
}

/// What leads from outside to a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposed {
    /// The workload.
    pub to: String,
    /// `load balancer`
    pub way: &'static str,
    /// `Ingress shop/web`, `Service shop/web`
    pub through: Vec<String>,
    /// From the internet, surely or perhaps.
    pub internet: bool,
    /// It is known from where.
    pub certain: bool,
    /// Ports that clients use.
    pub ports: String,
}

/// An estate with what reaches what in it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Who can talk to whom.
    pub reach: &'a Reach,
}

/// Workloads that no policy of either estate tells apart: their numbers in both matrices, and their labels.
struct Group {
    old: usize,
    new: usize,
    labels: Vec<String>,
}

/// Compares what can talk to what.
#[must_use]
pub fn compare(old: Side<'_>, new: Side<'_>) -> Connections {
    let groups = groups(old.reach, new.reach);
    let (opened, closed) = between(&groups, old.reach, new.reach);
    let (exposed, hidden) = from_outside(old, new);
    Connections {
        opened,
        closed,
        outside: to_outside(old.reach, new.reach),
        exposed,
        hidden,
    }
}

fn by_label(reach: &Reach) -> BTreeMap<String, &Workload> {
    reach
        .workloads()
        .iter()
        .map(|workload| (workload.label(), workload))
        .collect()
}

fn groups(old: &Reach, new: &Reach) -> Vec<Group> {
    let news = by_label(new);
    let mut groups: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for (label, before) in by_label(old) {
        let Some(after) = news.get(&label) else {
            continue;
        };
        let numbers = (
            old.number(old.end_of(before)),
            new.number(new.end_of(after)),
        );
        groups.entry(numbers).or_default().push(label);
    }
    groups
        .into_iter()
        .map(|((old, new), labels)| Group { old, new, labels })
        .collect()
}

/// What differs between two groups: the ports, whether they opened, whether that is certain.
type Difference = (String, bool, bool);

fn between(groups: &[Group], old: &Reach, new: &Reach) -> (Vec<Connection>, Vec<Connection>) {
    let (mut before, mut after) = (old.matrix(), new.matrix());
    // One change of a policy concerns many targets alike: by source and what differs.
    let mut found: BTreeMap<(usize, Difference), Vec<usize>> = BTreeMap::new();
    let mut known: BTreeMap<(u32, u32), Vec<Difference>> = BTreeMap::new();
    for (at, source) in groups.iter().enumerate() {
        let olds = before.from(source.old);
        let news = after.from(source.new);
        for (to, target) in groups.iter().enumerate() {
            // A workload with itself is nothing that anybody asks for.
            if at == to && source.labels.len() == 1 {
                continue;
            }
            let (Some(was), Some(is)) = (olds.get(target.old), news.get(target.new)) else {
                continue;
            };
            let differences = known.entry((was.0, is.0)).or_insert_with(|| {
                let (was, is) = (before.conn(*was), after.conn(*is));
                let opened = is.may.minus(&was.may);
                let closed = was.sure.minus(&is.may);
                let mut list = Vec::new();
                if !opened.is_empty() {
                    let sure = opened.minus(&is.sure).is_empty();
                    list.push((ports(&opened), true, sure));
                }
                if !closed.is_empty() {
                    list.push((ports(&closed), false, true));
                }
                list
            });
            for difference in differences.iter() {
                found.entry((at, difference.clone())).or_default().push(to);
            }
        }
    }
    // And sources that differ alike to the same targets are one line.
    let mut lines: BTreeMap<(Vec<usize>, Difference), Vec<usize>> = BTreeMap::new();
    for ((source, difference), targets) in found {
        lines.entry((targets, difference)).or_default().push(source);
    }
    let labels = |numbers: &[usize]| -> Vec<String> {
        let mut labels: Vec<String> = numbers
            .iter()
            .filter_map(|number| groups.get(*number))
            .flat_map(|group| group.labels.iter().cloned())
            .collect();
        labels.sort();
        labels
    };
    let (mut opened, mut closed) = (Vec::new(), Vec::new());
    for ((targets, (ports, opens, certain)), sources) in lines {
        let line = Connection {
            from: labels(&sources),
            to: labels(&targets),
            ports,
            certain,
        };
        if opens {
            opened.push(line);
        } else {
            closed.push(line);
        }
    }
    opened.sort();
    closed.sort();
    (opened, closed)
}

/// The ports that clients use, where somebody chose them.
fn front(way: &str, set: &PortSet) -> String {
    match way {
        _ if !set.is_empty() => ports(set),
        // `--service-node-port-range` of the API server, by default.
        "node port" => "a node port that the cluster chooses (30000-32767)".to_owned(),
        _ => "ports that were not given".to_owned(),
    }
}

fn ports(set: &PortSet) -> String {
    if set.is_all() {
        "all ports".to_owned()
    } else {
        set.to_string()
    }
}

fn to_outside(old: &Reach, new: &Reach) -> Vec<Outside> {
    let news = by_label(new);
    let mut found: BTreeMap<(&'static str, bool, bool), BTreeSet<String>> = BTreeMap::new();
    for (label, before) in by_label(old) {
        let Some(after) = news.get(&label) else {
            continue;
        };
        let (was, is) = (old.facts(before), new.facts(after));
        for (target, was, is) in [
            ("the internet", &was.internet, &is.internet),
            ("instance metadata", &was.metadata, &is.metadata),
            ("the API server", &was.api_server, &is.api_server),
        ] {
            if let Some((opened, certain)) = difference(was, is) {
                found
                    .entry((target, opened, certain))
                    .or_default()
                    .insert(label.clone());
            }
        }
    }
    found
        .into_iter()
        .map(|((target, opened, certain), from)| Outside {
            target,
            opened,
            from: from.into_iter().collect(),
            certain,
        })
        .collect()
}

fn difference(was: &Answer, is: &Answer) -> Option<(bool, bool)> {
    if was.conn.may.is_empty() && !is.conn.may.is_empty() {
        return Some((true, !is.conn.sure.is_empty()));
    }
    (!was.conn.sure.is_empty() && is.conn.may.is_empty()).then_some((false, true))
}

/// A way from outside: the workload, what leads there, through which objects.
type Key = (String, &'static str, Vec<String>);

/// From where, whether that is known, and the ports.
#[derive(PartialEq, Eq, Clone)]
struct Seen {
    internet: bool,
    certain: bool,
    front: PortSet,
}

fn from_outside(old: Side<'_>, new: Side<'_>) -> (Vec<Exposed>, Vec<Exposed>) {
    let (before, after) = (seen(old), seen(new));
    (wider(&after, &before), wider(&before, &after))
}

fn seen(side: Side<'_>) -> BTreeMap<Key, Seen> {
    let mut all: BTreeMap<Key, Seen> = BTreeMap::new();
    for exposure in side.reach.exposures() {
        // What the policies of the pods let nobody use leads nowhere.
        if exposure.open.is_none() {
            continue;
        }
        let Some(workload) = side.reach.workloads().get(exposure.workload) else {
            continue;
        };
        let through = exposure
            .through
            .iter()
            .map(|resource| shown_at(side.estate, *resource))
            .collect();
        let key = (workload.label(), exposure.way.name(), through);
        let own = Seen {
            internet: exposure.to_internet(),
            certain: is_certain(exposure),
            front: exposure.front.clone(),
        };
        all.entry(key)
            .and_modify(|seen| {
                seen.internet |= own.internet;
                seen.certain &= own.certain;
                seen.front = seen.front.union(&own.front);
            })
            .or_insert(own);
    }
    all
}

fn is_certain(exposure: &Exposure) -> bool {
    exposure.audience != Audience::Unknown && exposure.hangs_on.is_none()
}

/// The ways that are here and not there, or not for so many.
fn wider(here: &BTreeMap<Key, Seen>, there: &BTreeMap<Key, Seen>) -> Vec<Exposed> {
    let mut found = Vec::new();
    for (key, own) in here {
        let other = there.get(key);
        let ports_here = match other {
            Some(other) if other.internet || !own.internet => own.front.minus(&other.front),
            _ => own.front.clone(),
        };
        if other.is_some() && ports_here.is_empty() {
            continue;
        }
        let (to, way, through) = key.clone();
        found.push(Exposed {
            to,
            way,
            through,
            internet: own.internet,
            certain: own.certain,
            ports: front(way, &ports_here),
        });
    }
    found
}
