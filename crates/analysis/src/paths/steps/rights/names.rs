//! What a name in a rule is the name of.

use std::collections::{BTreeMap, BTreeSet};

use model::{Ref, Within};

use super::deeds::{Deed, Guard, Target};
use super::{Hand, Hands, Tamper, operators};
use crate::ask::{Subject, service_account};
use crate::paths::admission::{Gone, Removed};
use crate::paths::builder::Builder;
use crate::paths::graph::NodeNo;
use crate::paths::node::{Node, Place};
use crate::reach::makers;

/// By name: the namespace, and numbers of workloads.
type ByName = BTreeMap<Box<str>, Vec<(Box<str>, u32)>>;

/// Where names lead.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// pods by their names, those that are given and those of a StatefulSet by its own
    pods: ByName,
    /// workloads by kind and name
    makers: BTreeMap<Box<str>, ByName>,
    /// StatefulSets by the namespace and name that their pods' names begin with
    sets: BTreeMap<(Box<str>, Box<str>), u32>,
    /// workloads in which a container reads what is typed
    pub(super) typed: BTreeSet<u32>,
    /// workloads of each namespace
    pub(super) within: BTreeMap<Box<str>, Vec<u32>>,
    /// pools by the name of a node
    nodes: BTreeMap<Box<str>, u32>,
    services: ByName,
}

impl Index {
    pub(super) fn new(builder: &Builder<'_>) -> Self {
        let mut index = Self::default();
        for (number, workload) in builder.names.workloads.iter().enumerate() {
            let number = number as u32;
            let at = (workload.namespace.clone(), number);
            index
                .within
                .entry(workload.namespace.clone())
                .or_default()
                .push(number);
            index
                .makers
                .entry(workload.kind.clone())
                .or_default()
                .entry(workload.name.clone())
                .or_default()
                .push(at.clone());
            match &*workload.kind {
                "Pod" => index
                    .pods
                    .entry(workload.name.clone())
                    .or_default()
                    .push(at),
                "StatefulSet" => {
                    let key = (workload.namespace.clone(), workload.name.clone());
                    index.sets.insert(key, number);
                }
                _ => {}
            }
            let spec = builder.resource(workload).and_then(|own| own.pod_spec());
            if spec.is_some_and(reads_typed) {
                index.typed.insert(number);
            }
        }
        for id in builder.estate.of_kind("Pod") {
            let Some(pod) = builder.estate.get(*id) else {
                continue;
            };
            for maker in makers(builder.estate, *id) {
                if let Some(number) = builder.analyses.workload(maker) {
                    let namespace = crate::reach::namespace_of(pod);
                    let at = (Box::from(namespace), number as u32);
                    let all = index.pods.entry(pod.name.name.clone()).or_default();
                    if !all.contains(&at) {
                        all.push(at);
                    }
                }
            }
        }
        for (number, pool) in builder.names.pools.iter().enumerate() {
            for node in &pool.nodes {
                if let Some(node) = builder.estate.get(*node) {
                    index.nodes.insert(node.name.name.clone(), number as u32);
                }
            }
        }
        for id in builder.estate.of_kind("Service") {
            let Some(service) = builder.estate.get(*id) else {
                continue;
            };
            let namespace: Box<str> = crate::reach::namespace_of(service).into();
            let all = index.services.entry(service.name.name.clone()).or_default();
            for (number, _) in builder.analyses.reach().behind(service) {
                all.push((namespace.clone(), number as u32));
            }
        }
        index
    }

    /// Workloads behind the Services of each namespace.
    pub(super) fn served(&self) -> BTreeSet<(&str, u32)> {
        let all = self.services.values().flatten();
        all.map(|(namespace, number)| (&**namespace, *number))
            .collect()
    }

    /// Pods of a name; of a StatefulSet, `NAME-0` and so on.
    fn pods(&self, name: &str, place: Option<&str>) -> Vec<u32> {
        let mut found = at(self.pods.get(name), place);
        if let Some((set, ordinal)) = name.rsplit_once('-')
            && !ordinal.is_empty()
            && ordinal.bytes().all(|byte| byte.is_ascii_digit())
        {
            let sets = self.sets.iter().filter(|((namespace, own), _)| {
                **own == *set && place.is_none_or(|place| place == &**namespace)
            });
            found.extend(sets.map(|(_, number)| *number));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// What of this is in a place.
fn at(all: Option<&Vec<(Box<str>, u32)>>, place: Option<&str>) -> Vec<u32> {
    all.into_iter()
        .flatten()
        .filter(|(namespace, _)| place.is_none_or(|place| place == &**namespace))
        .map(|(_, number)| *number)
        .collect()
}

fn reads_typed(spec: Ref<'_>) -> bool {
    spec.get("containers")
        .into_iter()
        .flat_map(Ref::items)
        .any(|container| container.get("stdin").and_then(Ref::as_bool) == Some(true))
}

impl Hands {
    pub(super) const fn index(&self) -> &Index {
        &self.names
    }

    /// The steps of a right that is limited to names.
    pub(super) fn named(
        &mut self,
        builder: &mut Builder<'_>,
        deed: &Deed,
        target: Target,
        hand: &Hand,
        names: &BTreeSet<Box<str>>,
    ) {
        if let Target::Guards(guard) = target {
            self.tampers.push(tamper(guard, hand, names));
            return;
        }
        let place = match hand.place {
            Place::Cluster => None,
            Place::Namespace(number) => Some(builder.names.texts.text(number).to_owned()),
        };
        let place = place.as_deref();
        let workload = |builder: &mut Builder<'_>, number| builder.node(Node::Workload(number));
        for name in names.iter().filter(|name| !name.is_empty()) {
            let give = |builder: &mut Builder<'_>, to: NodeNo| {
                builder.add(hand.step(deed.edge, to));
            };
            match target {
                Target::Pods | Target::Typed => {
                    // `pods/proxy` is asked for `scheme:name:port`
                    // (kubernetes pkg/registry/core/pod, `ResourceLocation`).
                    let parts: Vec<&str> = name.split(':').collect();
                    let own = match parts.as_slice() {
                        [_, own, _] | [own] | [own, _] => *own,
                        _ => continue,
                    };
                    for number in self.names.pods(own, place) {
                        if target == Target::Pods || self.names.typed.contains(&number) {
                            let to = workload(builder, number);
                            give(builder, to);
                            self.debugged(builder, deed, hand, number);
                        }
                    }
                }
                Target::Makers(kind) => {
                    let all = self.names.makers.get(kind).and_then(|all| all.get(name));
                    for number in at(all, place) {
                        let to = workload(builder, number);
                        give(builder, to);
                        // Its pods can be made to be anything.
                        let namespace = builder.names.workloads.get(number as usize);
                        let namespace = namespace.map(|own| own.namespace.clone());
                        let within = builder.namespace(&namespace.unwrap_or_default());
                        let to = builder.right("pod-create", within);
                        give(builder, to);
                    }
                }
                Target::Namespaces => {
                    if place.is_none_or(|place| place == &**name)
                        && builder.namespaces.contains(name)
                    {
                        let within = builder.namespace(name);
                        let to = builder.right(deed.right, within);
                        give(builder, to);
                    }
                }
                Target::Secrets => self.secret(builder, deed, hand, place, name),
                Target::Accounts => account(builder, deed, hand, place, name),
                Target::Users => {
                    // Such a name is asked of `serviceaccounts`
                    // (apiserver/pkg/endpoints/filters/impersonation.go).
                    if service_account(name).is_none() {
                        let to = builder.subject(&Subject::User(name.clone()));
                        give(builder, to);
                    }
                }
                Target::Groups => {
                    let to = builder.subject(&Subject::Group(name.clone()));
                    give(builder, to);
                }
                Target::Nodes => {
                    if let Some(pool) = self.names.nodes.get(name).copied() {
                        let alone = builder
                            .pools()
                            .get(pool as usize)
                            .is_some_and(|pool| pool.nodes.len() == 1);
                        let why = (!alone).then_some("its pods may be on other nodes of the pool");
                        let own: Vec<u32> = (0u32..)
                            .zip(&builder.pools_of)
                            .filter(|(_, pools)| pools.contains(&pool))
                            .map(|(number, _)| number)
                            .collect();
                        for number in own {
                            let to = workload(builder, number);
                            builder.add(hand.step(deed.edge, to).perhaps(why));
                        }
                    }
                }
                Target::Services => {
                    let own = match name.split(':').collect::<Vec<_>>().as_slice() {
                        [_, own, _] | [own] | [own, _] => *own,
                        _ => continue,
                    };
                    for number in at(self.names.services.get(own), place) {
                        let to = workload(builder, number);
                        give(builder, to);
                    }
                }
                Target::Present(kinds) => present(builder, deed, hand, kinds, place, name),
                Target::Definitions => {
                    if let Some(right) = operators::right_of(name) {
                        let to = builder.right(right, Place::Cluster);
                        give(builder, to);
                    }
                }
                Target::Guards(_) => {}
            }
        }
    }

    /// A Secret of a name. One that is not there can be made for a token, by whoever may create Secrets.
    fn secret(
        &self,
        builder: &mut Builder<'_>,
        deed: &Deed,
        hand: &Hand,
        place: Option<&str>,
        name: &str,
    ) {
        let namespaces: Vec<Box<str>> = match place {
            Some(place) => vec![place.into()],
            None => builder.namespaces.iter().cloned().collect(),
        };
        for namespace in namespaces {
            let there = builder
                .secrets
                .get(&namespace)
                .is_some_and(|all| all.contains(name));
            let unknown = builder
                .estate
                .absent("Secret", Within::Namespace(&namespace))
                .is_some();
            if there || unknown && place.is_some() {
                let to = builder.secret(&namespace, name);
                let doubt = (!there).then(|| format!("Secret {namespace}/{name} was not given"));
                builder.add(hand.step(deed.edge, to).perhaps(doubt));
            }
            if !there {
                let within = builder.namespace(&namespace);
                let create = builder.right("secret-create", within);
                let to = builder.right("accounts", within);
                builder.add(hand.step(crate::paths::Edge::TokenSecret, to).and(create));
            }
        }
    }
}

/// Who takes guards of some names away.
fn tamper(guard: Guard, hand: &Hand, names: &BTreeSet<Box<str>>) -> Tamper {
    let gone = Gone::These(names.clone());
    let mut removed = Removed::default();
    match guard {
        Guard::Policy => removed.policies = gone,
        Guard::Binding => removed.bindings = gone,
        Guard::Webhook => removed.webhooks = gone,
        Guard::Kyverno => removed.kyverno = gone,
    }
    Tamper {
        hand: hand.clone(),
        removed,
    }
}

/// Objects of a name, which must be there.
fn present(
    builder: &mut Builder<'_>,
    deed: &Deed,
    hand: &Hand,
    kinds: &[&'static str],
    place: Option<&str>,
    name: &str,
) {
    let namespaced = !deed.is_of_the_cluster();
    let namespaces: Vec<Box<str>> = match place {
        _ if !namespaced => vec!["".into()],
        Some(place) => vec![place.into()],
        None => builder.namespaces.iter().cloned().collect(),
    };
    let mut found = false;
    for namespace in &namespaces {
        let there = kinds
            .iter()
            .any(|kind| builder.estate.find(namespace, kind, name).is_some());
        if there {
            let within = if namespaced {
                builder.namespace(namespace)
            } else {
                hand.place
            };
            let to = builder.right(deed.right, within);
            builder.add(hand.step(deed.edge, to));
            found = true;
        }
    }
    // In one place, that it was not given says little.
    let [namespace] = namespaces.as_slice() else {
        return;
    };
    let scope = if namespaced {
        Within::Namespace(namespace)
    } else {
        Within::Everywhere
    };
    if let (false, Some(kind)) = (found, kinds.first())
        && builder.estate.absent_any(kinds, scope).is_some()
    {
        let kind = kind.split('.').next().unwrap_or(kind);
        let to = builder.right(deed.right, hand.place);
        let why = format!("{kind} {name} was not given");
        builder.add(hand.step(deed.edge, to).perhaps(Some(why)));
    }
}

/// A service account of a name.
fn account(builder: &mut Builder<'_>, deed: &Deed, hand: &Hand, place: Option<&str>, name: &str) {
    let namespaces: Vec<Box<str>> = match place {
        Some(place) => vec![place.into()],
        None => builder
            .accounts
            .iter()
            .filter(|(_, names)| names.contains(name))
            .map(|(namespace, _)| namespace.clone())
            .collect(),
    };
    for namespace in namespaces {
        let there = builder
            .accounts
            .get(&namespace)
            .is_some_and(|all| all.contains(name));
        let to = builder.account(&namespace, name);
        // Whoever impersonates is not asked whether the account is there.
        if there || deed.edge == crate::paths::Edge::Impersonate {
            builder.add(hand.step(deed.edge, to));
            continue;
        }
        let unknown = builder
            .estate
            .absent("ServiceAccount", Within::Namespace(&namespace))
            .is_some();
        if unknown {
            let why = format!("ServiceAccount {namespace}/{name} was not given");
            builder.add(hand.step(deed.edge, to).perhaps(Some(why)));
        } else {
            let within = builder.namespace(&namespace);
            let create = builder.right("account-create", within);
            builder.add(hand.step(deed.edge, to).and(create));
        }
    }
}
