//! Which ports are open between any two ends.
//!
//! Every connection needs egress at its source and ingress at its destination. Pods that the same
//! policies select have the same row, so that the work grows with sets of policies times ends.

use std::collections::HashMap;
use std::ops::Range;

use model::ResourceRef;

use super::bits::{Belongs, TriBits};
use super::conn::{Conn, ConnId, Memo, StateId, Step, StepId};
use super::engine::Engine;
use super::policy::{Action, Direction, Isolates, Ports, Tier, Written, WrittenRule};
use super::ports::PortSet;
use super::universe::{End, Universe};

/// The first class with a column of connections.
type FirstWith = HashMap<Vec<ConnId>, usize>;

/// A policy whose names are resolved.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) resource: ResourceRef,
    pub(crate) tier: Tier,
    pub(crate) priority: i64,
    pub(crate) subject: TriBits,
    pub(crate) ingress: Option<Vec<Rule>>,
    pub(crate) egress: Option<Vec<Rule>>,
    pub(crate) isolates: Isolates,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    pub(crate) peers: TriBits,
    pub(crate) ports: Ports,
    pub(crate) route: Box<str>,
    pub(crate) partly: bool,
}

impl Policy {
    pub(crate) fn resolve(written: Written, universe: &Universe) -> Self {
        let rules = |rules: Option<Vec<WrittenRule>>| {
            rules.map(|rules| {
                rules
                    .into_iter()
                    .map(|rule| Rule {
                        action: rule.action,
                        peers: universe.resolve(&rule.peers, &written.namespace),
                        ports: rule.ports,
                        route: rule.route,
                        partly: rule.partly,
                    })
                    .collect()
            })
        };
        Self {
            resource: written.resource,
            tier: written.tier,
            priority: written.priority,
            subject: universe.resolve(&written.subject, &written.namespace),
            isolates: written.isolates,
            ingress: rules(written.ingress),
            egress: rules(written.egress),
        }
    }

    pub(crate) const fn rules(&self, direction: Direction) -> Option<&Vec<Rule>> {
        match direction {
            Direction::Ingress => self.ingress.as_ref(),
            Direction::Egress => self.egress.as_ref(),
        }
    }

    pub(crate) const fn isolates(&self, direction: Direction) -> bool {
        match direction {
            Direction::Ingress => self.isolates.ingress,
            Direction::Egress => self.isolates.egress,
        }
    }
}

/// The policies that select a class, in the order in which they decide.
pub(crate) type Applied = Vec<(u32, Belongs)>;

/// Stands for policies that could not be read.
const UNREAD: u32 = u32::MAX;

/// Which policies select which pods.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) ingress: Vec<Applied>,
    pub(crate) egress: Vec<Applied>,
}

impl Selected {
    pub(crate) fn new(universe: &Universe, policies: &[Policy]) -> Self {
        let of = |direction| {
            let mut applied: Vec<Applied> = vec![Vec::new(); universe.pods];
            for (at, policy) in policies.iter().enumerate() {
                if policy.rules(direction).is_none() {
                    continue;
                }
                for class in policy.subject.may.iter() {
                    if let Some(applied) = applied.get_mut(class) {
                        applied.push((at as u32, policy.subject.has(class)));
                    }
                }
            }
            applied
        };
        Self {
            ingress: of(Direction::Ingress),
            egress: of(Direction::Egress),
        }
    }

    /// Notes of classes that policies nobody could read may select them.
    pub(crate) fn unread(&mut self, classes: impl Iterator<Item = usize>) {
        for class in classes {
            for applied in [&mut self.ingress, &mut self.egress] {
                if let Some(applied) = applied.get_mut(class) {
                    applied.push((UNREAD, Belongs::Maybe));
                }
            }
        }
    }

    pub(crate) fn of(&self, direction: Direction, class: usize) -> &[(u32, Belongs)] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
        .get(class)
        .map_or(&[], Vec::as_slice)
    }
}

/// Computes rows: what one class lets through to or from every end.
pub(crate) struct Rows<'r> {
    pub(crate) universe: &'r Universe,
    pub(crate) policies: &'r [Policy],
    pub(crate) memo: Memo,
}

impl Rows<'_> {
    /// What the policies of a class come to for each end of a range.
    pub(crate) fn row(
        &mut self,
        class: usize,
        applied: &[(u32, Belongs)],
        direction: Direction,
        ends: Range<usize>,
    ) -> Vec<ConnId> {
        if applied.is_empty() {
            return vec![ConnId::ALL; ends.len()];
        }
        if applied.iter().any(|(policy, _)| *policy == UNREAD) {
            // They may stop anything, and let through what others stop.
            let open = self.memo.conn(Conn {
                sure: PortSet::none(),
                may: PortSet::all(),
            });
            return vec![open; ends.len()];
        }
        let mut row = Row {
            states: vec![Memo::START; ends.len()],
            first: ends.start,
            class,
            direction,
        };
        for tier in [Tier::Admin, Tier::Namespace, Tier::Baseline] {
            let policies = self.policies;
            let here: Vec<(&Policy, Belongs)> = applied
                .iter()
                .filter_map(|(at, belongs)| Some((policies.get(*at as usize)?, *belongs)))
                .filter(|(policy, _)| policy.tier == tier)
                .collect();
            if here.is_empty() {
                continue;
            }
            if tier == Tier::Namespace {
                self.namespace_tier(&mut row, &here);
            } else {
                self.ordered_tier(&mut row, &here);
            }
        }
        let rest = self.memo.step(Step::AllowRest);
        self.everywhere(&mut row, rest);
        let memo = &mut self.memo;
        let mut last = None;
        row.states
            .into_iter()
            .map(|state| match last {
                Some((known, conn)) if known == state => conn,
                _ => {
                    let conn = memo.result(state);
                    last = Some((state, conn));
                    conn
                }
            })
            .collect()
    }

    /// Rules of a tier whose policies have priorities: the first that matches decides. Which of two
    /// policies of one priority comes first is undefined, so each may.
    fn ordered_tier(&mut self, row: &mut Row, policies: &[(&Policy, Belongs)]) {
        for group in policies.chunk_by(|a, b| a.0.priority == b.0.priority) {
            if let [(policy, belongs)] = group {
                self.rules(row, policy, *belongs, None);
                continue;
            }
            let before = row.states.clone();
            let mut joined: Option<Vec<StateId>> = None;
            for first in 0..group.len() {
                row.states.clone_from(&before);
                for (policy, belongs) in group.iter().cycle().skip(first).take(group.len()) {
                    self.rules(row, policy, *belongs, None);
                }
                joined = Some(match joined {
                    None => row.states.clone(),
                    Some(joined) => joined
                        .into_iter()
                        .zip(&row.states)
                        .map(|(one, other)| self.memo.join(one, *other))
                        .collect(),
                });
            }
            row.states = joined.unwrap_or(before);
        }
        let next = self.memo.step(Step::NextTier);
        self.everywhere(row, next);
    }

    /// Rules of network policies only add to each other, after what Cilium's deny rules stop.
    fn namespace_tier(&mut self, row: &mut Row, policies: &[(&Policy, Belongs)]) {
        for action in [Action::Deny, Action::Allow] {
            for (policy, belongs) in policies {
                self.rules(row, policy, *belongs, Some(action));
            }
        }
        let isolated = policies
            .iter()
            .filter(|(policy, _)| policy.isolates(row.direction))
            .map(|(_, belongs)| *belongs)
            .max();
        let rest = match isolated {
            Some(Belongs::Yes) => Step::DenyRest,
            Some(Belongs::Maybe) => Step::MayDenyRest,
            _ => return,
        };
        let rest = self.memo.step(rest);
        self.everywhere(row, rest);
    }

    fn rules(&mut self, row: &mut Row, policy: &Policy, belongs: Belongs, only: Option<Action>) {
        for rule in policy.rules(row.direction).into_iter().flatten() {
            if only.is_none_or(|only| rule.action == only) {
                self.rule(row, rule, belongs == Belongs::Yes && !rule.partly);
            }
        }
    }

    fn rule(&mut self, row: &mut Row, rule: &Rule, certain: bool) {
        if rule.ports.named.is_empty() || row.direction == Direction::Ingress {
            let ports = match row.direction {
                Direction::Ingress => self.ports_at(&rule.ports, End::Pods(row.class)),
                Direction::Egress => (rule.ports.sure.clone(), rule.ports.may.clone()),
            };
            let (sure, maybe) = self.steps(rule.action, ports, certain);
            self.apply(row, rule, |_, _| (sure, maybe));
            return;
        }
        // A name means what the destination's containers call so.
        let mut known: HashMap<(PortSet, PortSet), (StepId, StepId)> = HashMap::new();
        self.apply(row, rule, |rows, end| {
            let ports = rows.ports_at(&rule.ports, rows.universe.end(end));
            *known
                .entry(ports.clone())
                .or_insert_with(|| rows.steps(rule.action, ports, certain))
        });
    }

    /// The steps of a rule for ends that surely match, and for those that may.
    fn steps(
        &mut self,
        action: Action,
        (sure, may): (PortSet, PortSet),
        certain: bool,
    ) -> (StepId, StepId) {
        let maybe = self
            .memo
            .step(Step::Rule(action, PortSet::none(), may.clone()));
        if !certain {
            return (maybe, maybe);
        }
        (self.memo.step(Step::Rule(action, sure, may)), maybe)
    }

    fn apply(
        &mut self,
        row: &mut Row,
        rule: &Rule,
        mut steps: impl FnMut(&mut Self, usize) -> (StepId, StepId),
    ) {
        let mut last = None;
        for end in rule.peers.may.from(row.first) {
            let Some(state) = row.states.get(end - row.first).copied() else {
                break;
            };
            let (sure, maybe) = steps(self, end);
            let step = if rule.peers.sure.has(end) {
                sure
            } else {
                maybe
            };
            let next = match last {
                Some((known, by, next)) if known == state && by == step => next,
                _ => self.memo.after(state, step),
            };
            last = Some((state, step, next));
            if let Some(state) = row.states.get_mut(end - row.first) {
                *state = next;
            }
        }
    }

    fn everywhere(&mut self, row: &mut Row, step: StepId) {
        let mut last = None;
        for state in &mut row.states {
            let next = match last {
                Some((known, next)) if known == *state => next,
                _ => self.memo.after(*state, step),
            };
            last = Some((*state, next));
            *state = next;
        }
    }

    /// The ports of a rule at a destination.
    pub(crate) fn ports_at(&self, ports: &Ports, destination: End) -> (PortSet, PortSet) {
        resolve_ports(self.universe, ports, destination)
    }
}

/// The ports of a rule at a destination, with names replaced by what its containers call so.
pub(crate) fn resolve_ports(
    universe: &Universe,
    ports: &Ports,
    destination: End,
) -> (PortSet, PortSet) {
    let (mut sure, mut may) = (ports.sure.clone(), ports.may.clone());
    for (protocol, name) in &ports.named {
        match destination {
            End::Pods(class) => {
                let declared = universe
                    .classes
                    .get(class)
                    .map_or(&[][..], |class| &class.traits.ports);
                for port in declared {
                    if port.name == *name
                        && protocol.is_none_or(|protocol| protocol == port.protocol)
                    {
                        let one = PortSet::port(port.protocol, port.port);
                        sure = sure.union(&one);
                        may = may.union(&one);
                    }
                }
            }
            // Nobody knows what that pod calls its ports.
            End::Stranger => {
                may = may.union(&protocol.map_or_else(PortSet::all, PortSet::protocol));
            }
            _ => {}
        }
    }
    (sure, may)
}

struct Row {
    states: Vec<StateId>,
    first: usize,
    class: usize,
    direction: Direction,
}

/// The policies that select a class, and what their names of ports come to there.
type Selection<'r> = (&'r [(u32, Belongs)], Vec<PortSet>);

/// Number of a set of policies.
type Signature = u32;

/// All connections: the rows of ingress kept, those of egress computed as they are asked for.
pub struct Matrix<'r> {
    rows: Rows<'r>,
    selected: &'r Selected,
    /// by signature
    ingress: Vec<Vec<ConnId>>,
    ingress_of: Vec<Signature>,
    /// no policy lets anything in or not
    idle: bool,
    last: Option<(usize, Vec<ConnId>)>,
}

impl<'r> Matrix<'r> {
    pub(crate) fn new(
        universe: &'r Universe,
        policies: &'r [Policy],
        selected: &'r Selected,
    ) -> Self {
        let mut rows = Rows {
            universe,
            policies,
            memo: Memo::default(),
        };
        let mut ingress = Vec::new();
        let mut ingress_of = Vec::new();
        let mut known: HashMap<Selection<'_>, Signature> = HashMap::new();
        for class in 0..universe.pods {
            let applied = selected.of(Direction::Ingress, class);
            // What names of ports come to belongs to the row.
            let named: Vec<PortSet> = applied
                .iter()
                .filter_map(|(at, _)| policies.get(*at as usize)?.ingress.as_ref())
                .flatten()
                .filter(|rule| !rule.ports.named.is_empty())
                .map(|rule| rows.ports_at(&rule.ports, End::Pods(class)).0)
                .collect();
            let signature = *known.entry((applied, named)).or_insert_with(|| {
                ingress.push(rows.row(class, applied, Direction::Ingress, 0..universe.size()));
                ingress.len() as u32 - 1
            });
            ingress_of.push(signature);
        }
        Self {
            rows,
            selected,
            ingress,
            ingress_of,
            idle: selected.ingress.iter().all(Vec::is_empty),
            last: None,
        }
    }

    /// The connection of a number.
    #[must_use]
    pub fn conn(&self, id: ConnId) -> Conn {
        self.rows.memo.get(id)
    }

    /// All connections that the matrix has seen so far.
    #[must_use]
    pub fn conns(&self) -> &[Conn] {
        &self.rows.memo.conns
    }

    /// What else than policies stands between a source and addresses outside.
    fn limit(&mut self, source: End, row: &mut [ConnId]) {
        let universe = self.rows.universe;
        let first = universe.number(End::External(0));
        for (conn, limit) in row.iter_mut().skip(first).zip(universe.limits(source)) {
            if let Some(limit) = limit {
                let limit = self.rows.memo.conn(limit.clone());
                *conn = self.rows.memo.meet(*conn, limit);
            }
        }
    }

    /// What can go from an end to every end.
    pub fn from(&mut self, source: usize) -> Vec<ConnId> {
        let universe = self.rows.universe;
        let end = universe.end(source);
        let size = universe.size();
        let mut row = match end {
            End::Pods(class) => self.egress(class),
            _ => vec![ConnId::ALL; size],
        };
        self.limit(end, &mut row);
        if self.idle {
            return row;
        }
        for (conn, signature) in row.iter_mut().zip(&self.ingress_of) {
            if let Some(inbound) = self
                .ingress
                .get(*signature as usize)
                .and_then(|row| row.get(source))
            {
                *conn = self.rows.memo.meet(*conn, *inbound);
            }
        }
        for (number, conn) in row.iter_mut().enumerate() {
            // Pods of every class come first; the others matter only to pods.
            if number >= universe.pods && !matches!(end, End::Pods(_)) {
                break;
            }
            let always = on_one_node(universe, end, universe.end(number));
            if always != Belongs::No {
                *conn = same_node(&mut self.rows.memo, *conn, always);
            }
        }
        row
    }

    /// For each class of pods with addresses of their own, the number of the first class from which the same can go
    /// to pods, hosts and nodes; addresses outside may differ.
    pub(crate) fn alike(&self) -> Vec<usize> {
        // By the policies of their egress, then by what policies of ingress let in from them.
        let mut known: HashMap<&[(u32, Belongs)], FirstWith> = HashMap::new();
        let mut column: Vec<ConnId> = Vec::new();
        (0..self.rows.universe.pods)
            .map(|class| {
                column.clear();
                if !self.idle {
                    let own = self.ingress.iter().filter_map(|row| row.get(class));
                    column.extend(own.copied());
                }
                let applied = self.selected.of(Direction::Egress, class);
                let like = known.entry(applied).or_default();
                if let Some(first) = like.get(column.as_slice()) {
                    return *first;
                }
                like.insert(column.clone(), class);
                class
            })
            .collect()
    }

    fn egress(&mut self, class: usize) -> Vec<ConnId> {
        let selected = self.selected;
        let applied = selected.of(Direction::Egress, class);
        if let Some((known, row)) = &self.last
            && selected.of(Direction::Egress, *known) == applied
        {
            return row.clone();
        }
        let size = self.rows.universe.size();
        let row = self.rows.row(class, applied, Direction::Egress, 0..size);
        self.last = Some((class, row.clone()));
        row
    }
}

/// "Traffic to and from the node where a Pod is running is always allowed" (Kubernetes
/// documentation, concepts/services-networking/network-policies). Cilium lets the node in, but holds
/// pods to their rules (entity `host`; Cilium documentation, security/policy/language).
pub(crate) fn on_one_node(universe: &Universe, from: End, to: End) -> Belongs {
    let node = |end| match end {
        End::OwnNode => Belongs::Yes,
        End::Host(class) => match universe.classes.get(class) {
            Some(class) if class.traits.everywhere => Belongs::Yes,
            _ => Belongs::Maybe,
        },
        _ => Belongs::No,
    };
    match (from, to) {
        (End::Pods(_), end) if universe.engine != Engine::Cilium => node(end),
        (end, End::Pods(_)) => node(end),
        _ => Belongs::No,
    }
}

pub(crate) fn same_node(memo: &mut Memo, conn: ConnId, always: Belongs) -> ConnId {
    if always == Belongs::Yes {
        return ConnId::ALL;
    }
    let sure = memo.get(conn).sure;
    memo.conn(Conn {
        sure,
        may: PortSet::all(),
    })
}
