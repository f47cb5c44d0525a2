//! Why something passes or does not: the policies that select each end, and of each the rules that
//! match the other.

use model::ResourceRef;

use super::Reach;
use super::bits::Belongs;
use super::conn::{Conn, ConnId};
use super::matrix::{self, Policy};
use super::policy::{Action, Direction, Tier};
use super::ports::PortSet;
use super::universe::End;

/// Why a connection is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What passes.
    pub conn: Conn,
    /// What the policies of the source let out.
    pub egress: Side,
    /// What the policies of the destination let in.
    pub ingress: Side,
    /// It passes whatever policies say: one end is the node of the other.
    pub one_node: bool,
}

/// One direction of one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What it lets through.
    pub conn: Conn,
    /// The policies that select the end, in the order in which they decide. None: nothing is
    /// closed.
    pub policies: Vec<Selecting>,
}

/// A policy that selects an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selecting {
    /// The policy.
    pub policy: ResourceRef,
    /// Where it stands in the order.
    pub tier: Tier,
    /// Whether it surely selects the end.
    pub sure: bool,
    /// Whether being selected closes what no rule lets through.
    pub closes: bool,
    /// Its rules that match the other end, in their order.
    pub rules: Vec<Matching>,
}

/// A rule that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// Where it stands in the object: `spec.ingress[0]`.
    pub route: Box<str>,
    /// What it does.
    pub action: Action,
    /// With which ports; sure, where it surely matches.
    pub ports: Conn,
}

impl Reach {
    /// Why what passes between two ends passes, and the rest does not.
    #[must_use]
    pub fn explain(&self, from: End, to: End) -> Explanation {
        Explanation {
            conn: self.conn(from, to),
            egress: self.side(from, to, Direction::Egress),
            ingress: self.side(to, from, Direction::Ingress),
            one_node: matrix::on_one_node(&self.universe, from, to) == Belongs::Yes,
        }
    }

    fn side(&self, own: End, other: End, direction: Direction) -> Side {
        let End::Pods(class) = own else {
            return Side {
                conn: Conn::all(),
                policies: Vec::new(),
            };
        };
        let at = self.universe.number(other);
        let applied = self.selected.of(direction, class);
        let mut rows = self.rows();
        let id = rows
            .row(class, applied, direction, at..at + 1)
            .first()
            .copied()
            .unwrap_or(ConnId::ALL);
        let destination = match direction {
            Direction::Ingress => own,
            Direction::Egress => other,
        };
        let policies = applied
            .iter()
            .filter_map(|(number, belongs)| {
                let policy = self.policies.get(*number as usize)?;
                let sure = *belongs == Belongs::Yes;
                Some(Selecting {
                    policy: policy.resource,
                    tier: policy.tier,
                    sure,
                    closes: policy.tier == Tier::Namespace && policy.isolates(direction),
                    rules: self.matching(policy, direction, at, destination, sure),
                })
            })
            .collect();
        Side {
            conn: rows.memo.get(id),
            policies,
        }
    }

    fn matching(
        &self,
        policy: &Policy,
        direction: Direction,
        other: usize,
        destination: End,
        selected: bool,
    ) -> Vec<Matching> {
        policy
            .rules(direction)
            .into_iter()
            .flatten()
            .filter_map(|rule| {
                let belongs = rule.peers.has(other);
                let (sure, may) = matrix::resolve_ports(&self.universe, &rule.ports, destination);
                if belongs == Belongs::No || may.is_empty() {
                    return None;
                }
                let certain = belongs == Belongs::Yes && selected && !rule.partly;
                Some(Matching {
                    route: rule.route.clone(),
                    action: rule.action,
                    ports: Conn {
                        sure: if certain { sure } else { PortSet::none() },
                        may,
                    },
                })
            })
            .collect()
    }
}
