//! Why something passes or does not: the policies that select each end, and of each the rules that
//! match the other.

use model::ResourceRef;

use super::Reach;
use super::bits::Belongs;
use super::conn::{Conn, ConnId};
use super::matrix::{self, Policy};
use super::policy::{Action, Direction, Ports, Tier};
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
    /// What the network of the nodes lets out, where it stands in the way.
    pub network: Option<Conn>,
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

/// A policy and whom it names, for pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyView {
    /// The policy.
    pub policy: ResourceRef,
    /// Where it stands in the order.
    pub tier: Tier,
    /// It says something of connections to the pods it selects.
    pub ingress: bool,
    /// It says something of connections from them.
    pub egress: bool,
    /// Numbers of the ends that it surely or perhaps selects.
    pub selects: Vec<usize>,
    /// Its rules, in their order.
    pub rules: Vec<RuleView>,
}

/// A rule and whom it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView {
    /// Which end it is about.
    pub direction: Direction,
    /// Where it stands in the object.
    pub route: Box<str>,
    /// What it does.
    pub action: Action,
    /// Its ports, names as they are written.
    pub ports: String,
    /// Numbers of the ends that it surely matches.
    pub sure: Vec<usize>,
    /// The same with those that it may match.
    pub may: Vec<usize>,
}

impl Reach {
    /// All policies in effect, in the order in which they decide, with the numbers of whom they name.
    #[must_use]
    pub fn policy_views(&self) -> Vec<PolicyView> {
        self.policies
            .iter()
            .map(|policy| PolicyView {
                policy: policy.resource,
                tier: policy.tier,
                ingress: policy.ingress.is_some(),
                egress: policy.egress.is_some(),
                selects: policy.subject.may.iter().collect(),
                rules: [Direction::Egress, Direction::Ingress]
                    .into_iter()
                    .flat_map(|direction| {
                        policy
                            .rules(direction)
                            .into_iter()
                            .flatten()
                            .map(move |rule| (direction, rule))
                    })
                    .map(|(direction, rule)| RuleView {
                        direction,
                        route: rule.route.clone(),
                        action: rule.action,
                        ports: ports_text(&rule.ports),
                        sure: if rule.partly {
                            Vec::new()
                        } else {
                            rule.peers.sure.iter().collect()
                        },
                        may: rule.peers.may.iter().collect(),
                    })
                    .collect(),
            })
            .collect()
    }

    /// Why what passes between two ends passes, and the rest does not.
    #[must_use]
    pub fn explain(&self, from: End, to: End) -> Explanation {
        Explanation {
            conn: self.conn(from, to),
            egress: self.side(from, to, Direction::Egress),
            ingress: self.side(to, from, Direction::Ingress),
            network: self.universe.limit(from, to).cloned(),
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

/// The ports of a rule as it writes them.
fn ports_text(ports: &Ports) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !ports.sure.is_empty() || ports.named.is_empty() {
        parts.push(ports.sure.to_string());
    }
    parts.extend(ports.named.iter().map(|(protocol, name)| match protocol {
        Some(protocol) => format!("{} `{name}`", protocol.name()),
        None => format!("`{name}`"),
    }));
    parts.join(",")
}
