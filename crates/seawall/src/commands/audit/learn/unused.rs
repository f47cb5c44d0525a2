//! What everybody holds and never used, the worst first: beside what they did in a log, the roles and bindings of an
//! estate, and of each right that nobody used what it opens in the graph of attacks.
//!
//! A right opens what can be reached from the node that it leads its holder to, and only what the rights that were used
//! do not lead to as well. Left out: what Kubernetes gives to its own components (bindings that it keeps itself), and
//! Azure's roles, whose use stands in no audit log.

use std::collections::{BTreeMap, BTreeSet};

use ::audit::Losses;
use ::audit::learn::{Atom, Identity, Learned};
use ::audit::time;
use analysis::ask::{Reach, Subject};
use analysis::paths::node::subject_key;
use analysis::paths::{Allowed, Efforts, Graph, Node, NodeNo, Object, Place};
use analysis::rbac::{Granted, PolicyRule, powers};
use model::{Estate, ResourceRef};
use serde_json::{Value, json};

use crate::commands::attack::{Attack, AttackArgs};
use crate::commands::audit::used::{READS, allowed, is_held_by, policy_rule};

/// Days after which what happens every month was seen.
const MONTH: usize = 30;
/// And every week.
const WEEK: usize = 7;
/// Fewer requests tell little of somebody.
const FEW: u64 = 20;

/// One right: its binding, its role, what it is about and which names.
type Key = (ResourceRef, ResourceRef, String, Vec<Box<str>>);

/// A right that somebody holds and never used.
#[derive(Debug)]
pub(super) struct Right {
    /// Who holds it: the user in the log, or, of somebody who is not in it, the subject of the binding.
    pub(super) holder: String,
    /// Whether the holder is in the log.
    pub(super) seen: bool,
    pub(super) verbs: BTreeSet<Box<str>>,
    /// `pods/exec`, `deployments.apps`, or a path
    pub(super) what: String,
    /// none for the whole cluster
    pub(super) namespace: Option<String>,
    pub(super) names: Vec<Box<str>>,
    pub(super) binding: String,
    pub(super) role: String,
    pub(super) opens: Vec<Opened>,
    /// What it opens too, but so do rights that were used.
    pub(super) anyway: usize,
}

/// Something worth reaching that a right opens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Opened {
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) weight: u32,
    /// A step of the way may not be there.
    pub(super) possible: bool,
}

/// How much the log says of somebody.
#[derive(Debug)]
pub(super) struct Confidence {
    /// `low`, `fair`, `good`
    pub(super) level: &'static str,
    pub(super) because: Vec<String>,
}

/// Everybody's unused rights.
#[derive(Debug, Default)]
pub(super) struct Unused {
    /// The worst first.
    pub(super) rights: Vec<Right>,
    pub(super) confidence: BTreeMap<String, Confidence>,
}

/// The rights of an estate that nobody used.
pub(super) fn read(
    args: &AttackArgs,
    learned: &Learned,
    losses: &Losses,
    wanted: &dyn Fn(&str) -> bool,
) -> anyhow::Result<Unused> {
    let attack = Attack::read(args)?;
    let analyses = attack.analyses();
    let graph = Graph::build(&analyses, &attack.wishes);
    let rights = analyses.rights();
    let mut ways = Ways::new(&graph, attack.efforts());
    let identities = learned.identities();
    let mut by_holder: BTreeMap<(String, bool), Vec<Granted>> = BTreeMap::new();
    for granted in rights.rbac.granted() {
        let of_kubernetes = granted.binding.0 as usize >= rights.taken_from.len()
            || is_kept_by_kubernetes(&rights.estate, granted.binding);
        if of_kubernetes {
            continue;
        }
        let holders: Vec<&str> = identities
            .iter()
            .filter(|(user, identity)| is_held_by(&granted, user, identity))
            .map(|(user, _)| *user)
            .collect();
        let absent = holders.is_empty().then(|| (shown(&granted.subject), false));
        let all = holders.into_iter().map(|user| (user.to_owned(), true));
        for holder in all.chain(absent).filter(|(name, _)| wanted(name)) {
            by_holder.entry(holder).or_default().push(granted.clone());
        }
    }
    let reads = losses.without_reads == 0 && losses.reads > 0;
    let mut unused = Unused::default();
    for ((holder, seen), granted) in by_holder {
        let identity = identities.get(holder.as_str()).filter(|_| seen);
        let confidence = confidence(identity.copied(), losses, reads);
        unused.confidence.insert(holder.clone(), confidence);
        let of_one = One {
            holder: &holder,
            seen,
            atoms: identity
                .map(|identity| identity.atoms())
                .unwrap_or_default(),
            reads,
            estate: &rights.estate,
            taken_from: &rights.taken_from,
        };
        unused.rights.extend(of_one.unused(&granted, &mut ways));
    }
    unused.rights.sort_by(|a, b| {
        let worth = |right: &Right| {
            let sure = right.opens.iter().filter(|one| !one.possible);
            let all = right.opens.iter();
            (
                sure.map(|one| one.weight).sum::<u32>(),
                all.map(|one| one.weight).sum::<u32>(),
                right.anyway,
            )
        };
        let name = |right: &Right| {
            (
                right.holder.clone(),
                right.namespace.clone(),
                right.what.clone(),
                right.verbs.clone(),
                right.binding.clone(),
            )
        };
        worth(b).cmp(&worth(a)).then_with(|| name(a).cmp(&name(b)))
    });
    Ok(unused)
}

/// Whether the API server makes a binding anew when it is gone.
fn is_kept_by_kubernetes(estate: &Estate, binding: ResourceRef) -> bool {
    let label = ["metadata", "labels", "kubernetes.io/bootstrapping"];
    estate
        .get(binding)
        .is_some_and(|binding| binding.object().path(&label).is_some())
}

/// One holder.
struct One<'e> {
    holder: &'e str,
    seen: bool,
    atoms: Vec<Atom>,
    /// Whether reads are in the log.
    reads: bool,
    estate: &'e Estate,
    taken_from: &'e [ResourceRef],
}

impl One<'_> {
    fn unused(&self, granted: &[Granted], ways: &mut Ways<'_>) -> Vec<Right> {
        let mut anyway: BTreeSet<usize> = BTreeSet::new();
        for one in granted {
            for atom in &self.atoms {
                if let Some(used) = self.used(one, &one.rule, atom) {
                    anyway.extend(self.reached(one, &policy_rule(&used), ways).into_keys());
                }
            }
        }
        let mut found: BTreeMap<Key, Right> = BTreeMap::new();
        for one in granted {
            for (verb, what, piece) in pieces(&one.rule) {
                if !self.reads && READS.contains(&&*verb) {
                    continue;
                }
                let wide = piece
                    .verbs
                    .iter()
                    .chain(&piece.groups)
                    .chain(&piece.resources)
                    .any(|part| &**part == "*");
                let used: Vec<PolicyRule> = self
                    .atoms
                    .iter()
                    .filter_map(|atom| self.used(one, &piece, atom))
                    .map(|atom| policy_rule(&atom))
                    .collect();
                // Of `*` something is always left.
                if !used.is_empty() && !wide {
                    continue;
                }
                let reached = self.reached(one, &piece, ways);
                let opened = reached.iter().filter(|(jewel, _)| !anyway.contains(jewel));
                let opens: Vec<Opened> = opened
                    .filter_map(|(jewel, possible)| ways.opened(*jewel, *possible))
                    .collect();
                let also = reached
                    .keys()
                    .filter(|jewel| anyway.contains(jewel))
                    .count();
                let key = (one.binding, one.role, what.clone(), one.rule.names.clone());
                let right = found.entry(key).or_insert_with(|| Right {
                    holder: self.holder.to_owned(),
                    seen: self.seen,
                    verbs: BTreeSet::new(),
                    what,
                    namespace: match &one.reach {
                        Reach::Cluster => None,
                        Reach::Namespace(name) => Some(name.to_string()),
                        Reach::NamespaceNotGiven => Some("?".to_owned()),
                    },
                    names: one.rule.names.clone(),
                    binding: self.called(one.binding),
                    role: self.called(one.role),
                    opens: Vec::new(),
                    anyway: 0,
                });
                right.verbs.insert(verb);
                right.anyway = right.anyway.max(also);
                for new in opens {
                    match right
                        .opens
                        .iter_mut()
                        .find(|own| own.title == new.title && own.kind == new.kind)
                    {
                        Some(own) => own.possible &= new.possible,
                        None => right.opens.push(new),
                    }
                }
            }
        }
        let mut rights: Vec<Right> = found.into_values().collect();
        for right in &mut rights {
            right.opens.sort_by(|a, b| {
                (a.possible, b.weight, &a.title).cmp(&(b.possible, a.weight, &b.title))
            });
        }
        rights
    }

    /// What of a rule was used where it is bound.
    fn used(&self, granted: &Granted, rule: &PolicyRule, atom: &Atom) -> Option<Atom> {
        let within = atom.namespace.as_deref();
        let there = match &granted.reach {
            Reach::Cluster => true,
            Reach::Namespace(namespace) => within == Some(namespace),
            Reach::NamespaceNotGiven => within.is_some(),
        };
        if !there {
            return None;
        }
        allowed(rule, atom)
    }

    /// The jewels that a rule opens to its holder, and whether each only may be.
    fn reached(
        &self,
        granted: &Granted,
        rule: &PolicyRule,
        ways: &mut Ways<'_>,
    ) -> BTreeMap<usize, bool> {
        let powers = powers(rule);
        if powers.is_empty() {
            return BTreeMap::new();
        }
        let role = self.taken_from.get(granted.role.0 as usize).copied();
        ways.from(
            &granted.subject,
            &granted.reach,
            &powers,
            &|object| match object {
                Object::Estate(own) => Some(own) == role,
                Object::BuiltIn(own) => own == granted.role,
                Object::Nothing => false,
            },
        )
    }

    /// `RoleBinding kube-system/web`
    fn called(&self, resource: ResourceRef) -> String {
        let Some(resource) = self.estate.get(resource) else {
            return String::new();
        };
        let name = &resource.name;
        let within = name
            .namespace
            .as_deref()
            .map(|namespace| format!("{namespace}/"));
        format!(
            "{} {}{}",
            name.kind.name(),
            within.unwrap_or_default(),
            name.name
        )
    }
}

/// A rule, a verb and a resource (or a path) at a time.
fn pieces(rule: &PolicyRule) -> Vec<(Box<str>, String, PolicyRule)> {
    let mut all = Vec::new();
    for verb in &rule.verbs {
        let piece = || PolicyRule {
            verbs: vec![verb.clone()],
            names: rule.names.clone(),
            ..PolicyRule::default()
        };
        for url in &rule.urls {
            let urls = vec![url.clone()];
            all.push((
                verb.clone(),
                url.to_string(),
                PolicyRule { urls, ..piece() },
            ));
        }
        for group in &rule.groups {
            for resource in &rule.resources {
                let what = match &**group {
                    "" => resource.to_string(),
                    group => format!("{resource}.{group}"),
                };
                let (groups, resources) = (vec![group.clone()], vec![resource.clone()]);
                all.push((
                    verb.clone(),
                    what,
                    PolicyRule {
                        groups,
                        resources,
                        ..piece()
                    },
                ));
            }
        }
    }
    all
}

/// What can be reached from what rights lead to.
struct Ways<'g> {
    graph: &'g Graph,
    efforts: Efforts,
    subjects: BTreeMap<&'g str, NodeNo>,
    known: BTreeMap<NodeNo, BTreeMap<usize, bool>>,
}

impl<'g> Ways<'g> {
    fn new(graph: &'g Graph, efforts: Efforts) -> Self {
        let subjects = graph.nodes().filter_map(|(number, node)| match node {
            Node::Subject(text) => Some((graph.text(text), number)),
            _ => None,
        });
        Self {
            subjects: subjects.collect(),
            graph,
            efforts,
            known: BTreeMap::new(),
        }
    }

    /// What a subject comes to by such powers, where the role of a right (`is_role`) is what gives them to it.
    fn from(
        &mut self,
        subject: &Subject,
        reach: &Reach,
        powers: &[&'static str],
        is_role: &dyn Fn(Object) -> bool,
    ) -> BTreeMap<usize, bool> {
        let graph = self.graph;
        let mut found: BTreeMap<usize, bool> = BTreeMap::new();
        let Some(from) = self.subjects.get(&*subject_key(subject)).copied() else {
            return found;
        };
        for step in graph.from(from) {
            if !step
                .evidence
                .iter()
                .any(|evidence| is_role(evidence.object))
            {
                continue;
            }
            let counts = match graph.node(step.gives) {
                Node::Right(right, place) => {
                    powers.contains(&right)
                        && (place == Place::Cluster || is_there(reach, graph.place(place)))
                }
                // A right over single names leads to what they name.
                _ => true,
            };
            if !counts {
                continue;
            }
            for (jewel, possible) in self.reached(step.gives) {
                let possible = possible || step.doubt.is_some();
                let own = found.entry(jewel).or_insert(possible);
                *own &= possible;
            }
        }
        found
    }

    fn reached(&mut self, from: NodeNo) -> BTreeMap<usize, bool> {
        if let Some(known) = self.known.get(&from) {
            return known.clone();
        }
        let sure = self.graph.derive(&[from], &self.efforts, Allowed::SURE);
        let possible = self.graph.derive(&[from], &self.efforts, Allowed::POSSIBLE);
        let jewels = self.graph.jewels.iter().enumerate();
        let found: BTreeMap<usize, bool> = jewels
            .filter(|(_, jewel)| possible.holds(jewel.node))
            .map(|(number, jewel)| (number, !sure.holds(jewel.node)))
            .collect();
        self.known.insert(from, found.clone());
        found
    }

    fn opened(&self, jewel: usize, possible: bool) -> Option<Opened> {
        let jewel = self.graph.jewels.get(jewel)?;
        Some(Opened {
            kind: jewel.kind,
            title: jewel.title.to_string(),
            weight: jewel.weight,
            possible,
        })
    }
}

fn is_there(reach: &Reach, namespace: &str) -> bool {
    match reach {
        Reach::Cluster | Reach::NamespaceNotGiven => true,
        Reach::Namespace(own) => **own == *namespace,
    }
}

/// What people call a subject of a binding.
fn shown(subject: &Subject) -> String {
    match subject {
        Subject::User(name) => name.to_string(),
        Subject::Group(name) => format!("group {name}"),
        Subject::ServiceAccount { namespace, name } => {
            format!("system:serviceaccount:{namespace}:{name}")
        }
        Subject::Principal { id, .. } => id.to_string(),
    }
}

/// How far a log tells that somebody does not need what they did not use.
fn confidence(identity: Option<&Identity>, losses: &Losses, reads: bool) -> Confidence {
    let mut because = Vec::new();
    let window = losses.first.zip(losses.last);
    let spans = window.map_or(0, |(first, last)| {
        ((last - first) / 86_400_000_000) as usize + 1
    });
    let days = match spans {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let mut level = 2;
    if spans < WEEK {
        level = 0;
        because.push(format!("the log spans {days}: what happens once a week is not in it; read at least {MONTH} days"));
    } else if spans < MONTH {
        level = 1;
        because.push(format!(
            "the log spans {days}: what happens once a month is not in it"
        ));
    } else {
        because.push(format!(
            "the log spans {days}; what happens once a year is not in it"
        ));
    }
    match identity {
        None => {
            level = level.min(1);
            because.push("is not in the log at all: find out whether it is still there before its binding is removed".to_owned());
        }
        Some(identity) => {
            if identity.requests < FEW {
                level = level.min(1);
                because.push(format!(
                    "was seen with {} only",
                    match identity.requests {
                        1 => "1 request".to_owned(),
                        requests => format!("{requests} requests"),
                    }
                ));
            }
            if let Some((last, end)) = identity.last.zip(losses.last)
                && (end - last) / 86_400_000_000 >= WEEK as i64
            {
                because.push(format!("was last seen {}", time::shown(last)));
            }
            if identity.undecided > 0 {
                level = level.min(1);
                because.push(format!(
                    "{} of its events are cut off before they say enough",
                    identity.undecided
                ));
            }
        }
    }
    if !reads {
        level = level.min(1);
        because.push("reads are not in the log: rights to read are not judged".to_owned());
    }
    if !losses.gaps().is_empty() {
        level = level.min(1);
        because.push("the log has gaps".to_owned());
    }
    Confidence {
        level: ["low", "fair", "good"].get(level).copied().unwrap_or("low"),
        because,
    }
}

impl Unused {
    /// For scripts.
    pub(super) fn json(&self) -> Value {
        let rights: Vec<Value> = self
            .rights
            .iter()
            .map(|right| {
                let opens: Vec<Value> = right
                    .opens
                    .iter()
                    .map(|one| json!({"kind": one.kind, "title": one.title, "weight": one.weight, "possible": one.possible}))
                    .collect();
                json!({
                    "holder": right.holder,
                    "inLog": right.seen,
                    "verbs": right.verbs,
                    "what": right.what,
                    "namespace": right.namespace,
                    "names": right.names,
                    "binding": right.binding,
                    "role": right.role,
                    "opens": opens,
                    "opensAnyway": right.anyway,
                })
            })
            .collect();
        let confidence: BTreeMap<&str, Value> = self
            .confidence
            .iter()
            .map(|(holder, own)| {
                (
                    holder.as_str(),
                    json!({"level": own.level, "because": own.because}),
                )
            })
            .collect();
        json!({"rights": rights, "confidence": confidence})
    }
}
