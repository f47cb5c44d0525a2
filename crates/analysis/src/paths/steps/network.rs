//! From pod to pod over the network.
//!
//! Who reaches whom is said by [`crate::reach`]; that what listens there has a weakness is not known, so these
//! steps are never sure. Pods of which no policy tells apart the ends that they reach share one network
//! position; ends that are reached from the same positions are one beyond these. So steps grow with what policies
//! tell apart, not with pairs of pods.

use std::collections::{BTreeMap, HashMap};

use model::ResourceRef;

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::fast::FastMap;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::Node;
use crate::reach::{ConnId, Direction, End, Engine, Matrix};

const DOUBT: &str = "what listens there must have a weakness";

pub(super) fn add(builder: &mut Builder<'_>) {
    let reach = builder.analyses.reach();
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, workload) in reach.workloads().iter().enumerate() {
        let class = workload.class as u32;
        members.entry(class).or_default().push(number as u32);
    }
    let ends: Vec<(usize, u32)> = reach
        .ends()
        .filter_map(|(number, end)| match end {
            End::Pods(class) | End::Host(class) => Some((number, class as u32)),
            _ => None,
        })
        .collect();
    for (class, workloads) in &members {
        let listening = builder.node(Node::Class(*class));
        for workload in workloads {
            let target = builder.node(Node::Workload(*workload));
            builder.implied(listening, target);
        }
    }
    let found = Positions::read(reach.matrix(), &ends, &members);
    let mut from: Vec<NodeNo> = Vec::new();
    for (_, first) in &found.reached {
        from.push(builder.node(Node::Network(*first)));
    }
    for (workload, position) in &found.of_workload {
        let own = builder.node(Node::Workload(*workload));
        if let Some(position) = from.get(*position as usize) {
            builder.implied(own, *position);
        }
    }
    // Pods in their node's network no policy keeps from the pods of that node.
    let closable =
        reach.engine() != Engine::None && !reach.ends().any(|(_, end)| matches!(end, End::Host(_)));
    let namespaces = if closable {
        namespaces(builder)
    } else {
        HashMap::new()
    };
    for (positions, classes) in found.groups(&ends) {
        let several = positions.len() > 1 && classes.len() > 1;
        let mut sources: Vec<NodeNo> = positions
            .iter()
            .filter_map(|position| from.get(*position as usize).copied())
            .collect();
        if several && let Some(first) = classes.first() {
            let all = builder.node(Node::Classes(*first));
            for source in &sources {
                builder.implied(*source, all);
            }
            sources = vec![all];
        }
        for class in classes {
            let listening = builder.node(Node::Class(class));
            let workloads = members.get(&class).map_or(&[][..], Vec::as_slice);
            let evidence = evidence(builder, workloads, &namespaces);
            for source in &sources {
                builder.add(
                    Draft::new(Edge::LateralNetwork, *source, listening)
                        .by_all(evidence.iter().cloned())
                        .perhaps(Some(DOUBT)),
                );
            }
        }
    }
}

/// Namespaces that were given, by name.
pub(super) fn namespaces(builder: &Builder<'_>) -> HashMap<Box<str>, ResourceRef> {
    builder
        .estate
        .of_kind("Namespace")
        .iter()
        .filter_map(|id| Some((*id, builder.estate.get(*id)?)))
        .filter(|(_, namespace)| !namespace.implied)
        .map(|(id, namespace)| (namespace.name.name.clone(), id))
        .collect()
}

/// Ends as bits, by their place in the list of ends.
type Ends = Vec<u64>;

fn places(bits: &Ends) -> impl Iterator<Item = usize> + '_ {
    bits.iter().enumerate().flat_map(|(at, word)| {
        (0..64)
            .filter(move |bit| word & (1 << bit) != 0)
            .map(move |bit| at * 64 + bit)
    })
}

/// Network positions.
struct Positions {
    /// What is reached from each, and its first workload.
    reached: Vec<(Ends, u32)>,
    /// Workloads, each with its position.
    of_workload: Vec<(u32, u32)>,
}

impl Positions {
    fn read(
        mut matrix: Matrix<'_>,
        ends: &[(usize, u32)],
        members: &BTreeMap<u32, Vec<u32>>,
    ) -> Self {
        let alike = matrix.alike();
        let mut known: HashMap<Ends, u32> = HashMap::new();
        // Positions of the ends that come first of those alike; nothing where nothing is reached.
        let mut position_of: BTreeMap<usize, Option<u32>> = BTreeMap::new();
        let mut found = Self {
            reached: Vec::new(),
            of_workload: Vec::new(),
        };
        for (number, class) in ends {
            let Some(workloads) = members.get(class) else {
                continue;
            };
            let first = alike.get(*number).copied().unwrap_or(*number);
            let position = *position_of.entry(first).or_insert_with(|| {
                let row = matrix.from(*number);
                let mut bits: Ends = vec![0; ends.len().div_ceil(64)];
                for (at, (other, _)) in ends.iter().enumerate() {
                    if row.get(*other).is_some_and(|conn| *conn != ConnId::NONE)
                        && let Some(word) = bits.get_mut(at / 64)
                    {
                        *word |= 1 << (at % 64);
                    }
                }
                if bits.iter().all(|word| *word == 0) {
                    return None;
                }
                let next = found.reached.len() as u32;
                Some(*known.entry(bits).or_insert_with_key(|bits| {
                    let first = workloads.first().copied().unwrap_or_default();
                    found.reached.push((bits.clone(), first));
                    next
                }))
            });
            if let Some(position) = position {
                let own = workloads.iter().map(|workload| (*workload, position));
                found.of_workload.extend(own);
            }
        }
        found
    }

    /// Classes that are reached from the same positions, with these.
    fn groups(&self, ends: &[(usize, u32)]) -> Vec<(Vec<u32>, Vec<u32>)> {
        // Position by position, what is reached from it is parted from what is not.
        let mut group_of: Vec<u32> = vec![0; ends.len()];
        let mut next = 1;
        for (bits, _) in &self.reached {
            let mut parted: FastMap<u32, u32> = FastMap::default();
            for place in places(bits) {
                if let Some(group) = group_of.get_mut(place) {
                    *group = *parted.entry(*group).or_insert_with(|| {
                        next += 1;
                        next - 1
                    });
                }
            }
        }
        let mut groups: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for ((_, class), group) in ends.iter().zip(&group_of) {
            if *group != 0 {
                groups.entry(*group).or_default().1.push(*class);
            }
        }
        for (position, (bits, _)) in (0u32..).zip(&self.reached) {
            let mut last = 0;
            for place in places(bits) {
                let group = group_of.get(place).copied().unwrap_or_default();
                if group != last
                    && let Some((positions, _)) = groups.get_mut(&group)
                    && positions.last() != Some(&position)
                {
                    positions.push(position);
                }
                last = group;
            }
        }
        groups.into_values().collect()
    }
}

/// Where a policy would close the pods of a class: the first of them, and their namespace.
fn evidence(
    builder: &mut Builder<'_>,
    workloads: &[u32],
    namespaces: &HashMap<Box<str>, ResourceRef>,
) -> Vec<Evidence> {
    let first = workloads.first().map(|number| *number as usize);
    let Some(workload) = first.and_then(|first| builder.names.workloads.get(first)) else {
        return Vec::new();
    };
    // A policy for all pods of the namespace closes those that no policy selects.
    let reach = builder.analyses.reach();
    let closes = reach.selecting(workload, Direction::Ingress).is_empty();
    let namespace = namespaces.get(&workload.namespace).filter(|_| closes);
    let resource = workload.resource;
    let mut found = vec![builder.seen(
        resource,
        None,
        "the policies of both ends let ports of it through",
    )];
    if let Some(id) = namespace {
        found.push(builder.seen(*id, None, "no policy of the namespace selects these pods"));
    }
    found
}
