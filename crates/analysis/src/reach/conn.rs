//! What may pass between two ends, and how rules in their order come to it.
//!
//! A port is in one or several of four states: undecided, let through, stopped, left to the next tier.
//! It is in several when a rule only may match. States and steps are numbered and remembered, so that
//! a matrix of millions of cells computes each of them once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::policy::Action;
use super::ports::PortSet;

/// The ports over which a connection can be made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Conn {
    /// Whatever is not known does not change that these are let through.
    pub sure: PortSet,
    /// These may be let through: `sure`, and what hangs on something that was not given.
    pub may: PortSet,
}

impl Conn {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self {
            sure: PortSet::all(),
            may: PortSet::all(),
        }
    }

    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// What both ends let through.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            sure: self.sure.intersection(&other.sure),
            may: self.may.intersection(&other.may),
        }
    }

    /// What either lets through.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self {
            sure: self.sure.union(&other.sure),
            may: self.may.union(&other.may),
        }
    }

    /// The part that concerns some ports.
    #[must_use]
    pub fn within(&self, ports: &PortSet) -> Self {
        Self {
            sure: self.sure.intersection(ports),
            may: self.may.intersection(ports),
        }
    }

    /// What hangs on something that was not given.
    #[must_use]
    pub fn open(&self) -> PortSet {
        self.may.minus(&self.sure)
    }

    /// Whether nothing can pass.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.may.is_empty()
    }
}

/// Where each port stands while rules are gone through.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct State {
    rest: PortSet,
    allow: PortSet,
    pass: PortSet,
    deny: PortSet,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A rule that matches: surely on the first ports, perhaps on the second, which hold the first.
    Rule(Action, PortSet, PortSet),
    /// The tier ends: what was left to the next is undecided again.
    NextTier,
    /// What is undecided is stopped.
    DenyRest,
    /// What is undecided may be stopped.
    MayDenyRest,
    /// What is undecided is let through.
    AllowRest,
}

impl State {
    pub(crate) fn start() -> Self {
        Self {
            rest: PortSet::all(),
            ..Self::default()
        }
    }

    pub(crate) fn after(&self, step: &Step) -> Self {
        let mut next = self.clone();
        match step {
            Step::Rule(action, sure, may) => {
                let taken = self.rest.intersection(may);
                let place = match action {
                    Action::Allow => &mut next.allow,
                    Action::Deny => &mut next.deny,
                    Action::Pass => &mut next.pass,
                };
                *place = place.union(&taken);
                next.rest = self.rest.minus(sure);
            }
            Step::NextTier => {
                next.rest = self.rest.union(&self.pass);
                next.pass = PortSet::none();
            }
            Step::DenyRest => {
                next.deny = self.deny.union(&self.rest);
                next.rest = PortSet::none();
            }
            Step::MayDenyRest => next.deny = self.deny.union(&self.rest),
            Step::AllowRest => {
                next.allow = self.allow.union(&self.rest);
                next.rest = PortSet::none();
            }
        }
        next
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            rest: self.rest.union(&other.rest),
            allow: self.allow.union(&other.allow),
            pass: self.pass.union(&other.pass),
            deny: self.deny.union(&other.deny),
        }
    }

    pub(crate) fn conn(&self) -> Conn {
        Conn {
            sure: self.allow.minus(&self.deny),
            may: self.allow.clone(),
        }
    }
}

/// Number of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateId(u32);

/// Number of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub(crate) u32);

impl ConnId {
    /// Everything.
    pub const ALL: Self = Self(0);
    /// Nothing.
    pub const NONE: Self = Self(1);

    /// The number, counted from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Number of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepId(u32);

/// Everything that was computed once.
#[derive(Debug)]
pub(crate) struct Memo {
    states: Vec<State>,
    state_ids: HashMap<State, u32>,
    steps: Vec<Step>,
    step_ids: HashMap<Step, u32>,
    after: Fast<u32>,
    joins: Fast<u32>,
    pub(crate) conns: Vec<Conn>,
    conn_ids: HashMap<Conn, u32>,
    results: Vec<Option<u32>>,
    meets: Fast<u32>,
}

type Fast<V> = HashMap<u64, V, BuildHasherDefault<Mix>>;

/// A hasher for pairs of small numbers that nobody outside chooses.
#[derive(Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

const fn pair(a: u32, b: u32) -> u64 {
    (a as u64) << 32 | b as u64
}

impl Default for Memo {
    fn default() -> Self {
        let mut memo = Self {
            states: Vec::new(),
            state_ids: HashMap::new(),
            steps: Vec::new(),
            step_ids: HashMap::new(),
            after: Fast::default(),
            joins: Fast::default(),
            conns: Vec::new(),
            conn_ids: HashMap::new(),
            results: Vec::new(),
            meets: Fast::default(),
        };
        memo.state(State::start());
        memo.conn(Conn::all());
        memo.conn(Conn::none());
        memo
    }
}

impl Memo {
    /// Where every port begins.
    pub(crate) const START: StateId = StateId(0);

    fn state(&mut self, state: State) -> StateId {
        if let Some(id) = self.state_ids.get(&state) {
            return StateId(*id);
        }
        let id = self.states.len() as u32;
        self.states.push(state.clone());
        self.results.push(None);
        self.state_ids.insert(state, id);
        StateId(id)
    }

    pub(crate) fn step(&mut self, step: Step) -> StepId {
        if let Some(id) = self.step_ids.get(&step) {
            return StepId(*id);
        }
        let id = self.steps.len() as u32;
        self.steps.push(step.clone());
        self.step_ids.insert(step, id);
        StepId(id)
    }

    pub(crate) fn conn(&mut self, conn: Conn) -> ConnId {
        if let Some(id) = self.conn_ids.get(&conn) {
            return ConnId(*id);
        }
        let id = self.conns.len() as u32;
        self.conns.push(conn.clone());
        self.conn_ids.insert(conn, id);
        ConnId(id)
    }

    pub(crate) fn get(&self, id: ConnId) -> Conn {
        self.conns.get(id.0 as usize).cloned().unwrap_or_default()
    }

    pub(crate) fn after(&mut self, state: StateId, step: StepId) -> StateId {
        let key = pair(state.0, step.0);
        if let Some(next) = self.after.get(&key) {
            return StateId(*next);
        }
        let next = match (
            self.states.get(state.0 as usize),
            self.steps.get(step.0 as usize),
        ) {
            (Some(state), Some(step)) => state.after(step),
            _ => State::default(),
        };
        let next = self.state(next);
        self.after.insert(key, next.0);
        next
    }

    pub(crate) fn join(&mut self, one: StateId, other: StateId) -> StateId {
        if one == other {
            return one;
        }
        let key = pair(one.0, other.0);
        if let Some(joined) = self.joins.get(&key) {
            return StateId(*joined);
        }
        let joined = match (
            self.states.get(one.0 as usize),
            self.states.get(other.0 as usize),
        ) {
            (Some(one), Some(other)) => one.join(other),
            _ => State::default(),
        };
        let joined = self.state(joined);
        self.joins.insert(key, joined.0);
        joined
    }

    /// What a state lets through in the end.
    pub(crate) fn result(&mut self, state: StateId) -> ConnId {
        if let Some(Some(known)) = self.results.get(state.0 as usize) {
            return ConnId(*known);
        }
        let conn = self
            .states
            .get(state.0 as usize)
            .map(State::conn)
            .unwrap_or_default();
        let id = self.conn(conn);
        if let Some(slot) = self.results.get_mut(state.0 as usize) {
            *slot = Some(id.0);
        }
        id
    }

    /// What both let through.
    pub(crate) fn meet(&mut self, one: ConnId, other: ConnId) -> ConnId {
        if one == other || other == ConnId::ALL {
            return one;
        }
        if one == ConnId::ALL {
            return other;
        }
        let key = pair(one.0, other.0);
        if let Some(met) = self.meets.get(&key) {
            return ConnId(*met);
        }
        let met = self.get(one).meet(&self.get(other));
        let met = self.conn(met);
        self.meets.insert(key, met.0);
        met
    }
}
