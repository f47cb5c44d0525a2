//! Collects nodes and steps while the families of [`super::steps`] read the estate.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{Estate, NodeId, Ref, Resource, ResourceRef};

use super::edge::Edge;
use super::fast::FastMap;
use super::graph::{
    Entry, EntryKind, Evidence, Graph, Jewel, Names, NodeNo, Object, Pool, Row, SURE,
};
use super::node::{Node, Place, Texts, principal_key, subject_key};
use super::pools;
use crate::Analyses;
use crate::ask::{Reach as Held, Subject};
use crate::reach::Workload;
use crate::roles::Who;
use crate::roles::kubernetes::Cluster;

mod azure;

/// A step that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    edge: Edge,
    needs: Vec<NodeNo>,
    gives: NodeNo,
    evidence: Vec<Evidence>,
    doubt: Option<Arc<str>>,
}

impl Draft {
    /// From one node to another.
    pub(crate) fn new(edge: Edge, from: NodeNo, to: NodeNo) -> Self {
        Self {
            edge,
            needs: vec![from],
            gives: to,
            evidence: Vec::new(),
            doubt: None,
        }
    }

    /// Needs this too.
    pub(crate) fn and(mut self, node: NodeNo) -> Self {
        if !self.needs.contains(&node) {
            self.needs.push(node);
        }
        self
    }

    /// Rests on this.
    pub(crate) fn by(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Rests on these.
    pub(crate) fn by_all(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// May not be so; the first reason stays.
    pub(crate) fn perhaps(mut self, why: Option<impl Into<Arc<str>>>) -> Self {
        if self.doubt.is_none() {
            self.doubt = why.map(Into::into);
        }
        self
    }
}

/// What makes a step without evidence the same as another, but for its further needs: kind, first need, what it gives,
/// doubt.
type StepKey = (Edge, NodeNo, NodeNo, u32);

/// An estate on its way to a [`Graph`].
pub(crate) struct Builder<'a> {
    pub(crate) analyses: &'a Analyses<'a>,
    pub(crate) estate: &'a Estate,
    /// The cluster that somebody named.
    cluster: Option<&'a str>,
    /// Those that the manifests may be in, once they were asked for.
    clusters: OnceCell<Vec<(&'a Cluster, Option<&'static str>)>>,
    pub(crate) names: Names,
    /// Every namespace that an object is in, by name.
    pub(crate) namespaces: BTreeSet<Box<str>>,
    /// Service accounts that exist, or that a workload names, by namespace.
    pub(crate) accounts: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Secrets that exist, or that an object names, by namespace.
    pub(crate) secrets: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// The pools that the pods of each workload surely are on, sorted. Where that is one of several, it is
    /// the pool that stands for these ([`Pool::any_of`]).
    pub(crate) pools_of: Vec<Vec<u32>>,
    nodes: Vec<Node>,
    numbers: FastMap<Node, NodeNo>,
    drafts: Vec<Row>,
    needs: Vec<NodeNo>,
    evidence: Vec<Evidence>,
    doubts: Texts,
    /// steps without evidence, each with its first need and its others
    seen: FastMap<StepKey, Vec<Box<[NodeNo]>>>,
    entries: Vec<Entry>,
    jewels: Vec<Jewel>,
    base: BTreeSet<NodeNo>,
    gaps: BTreeSet<Arc<str>>,
    says: HashMap<Box<str>, Arc<str>>,
    pub(crate) admission: super::admission::Answers,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(analyses: &'a Analyses<'a>, cluster: Option<&'a str>) -> Self {
        let estate = analyses.estate;
        let workloads = analyses.reach().workloads().to_vec();
        let (pools, pools_of) =
            pools::read(estate, analyses.roles().clusters(), cluster, &workloads);
        let mut builder = Self {
            analyses,
            estate,
            cluster,
            clusters: OnceCell::new(),
            names: Names {
                classes: Names::classes_of(&workloads),
                workloads,
                pools,
                ..Names::default()
            },
            namespaces: BTreeSet::new(),
            accounts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            pools_of,
            nodes: Vec::new(),
            numbers: FastMap::default(),
            drafts: Vec::new(),
            needs: Vec::new(),
            evidence: Vec::new(),
            doubts: Texts::default(),
            seen: FastMap::default(),
            entries: Vec::new(),
            jewels: Vec::new(),
            base: BTreeSet::new(),
            gaps: BTreeSet::new(),
            says: HashMap::new(),
            admission: super::admission::Answers::default(),
        };
        builder.inventory();
        builder
    }

    /// What there is in namespaces.
    fn inventory(&mut self) {
        use model::kinds::Kind;
        for resource in self.estate.resources() {
            let Kind::Kubernetes { group, kind } = &resource.name.kind else {
                continue;
            };
            if group.is_empty() && &**kind == "Namespace" {
                self.namespaces.insert(resource.name.name.clone());
                continue;
            }
            let namespaced = resource.name.namespace.is_some() || resource.is_workload();
            if !namespaced {
                continue;
            }
            let namespace = crate::reach::namespace_of(resource);
            if !self.namespaces.contains(namespace) {
                self.namespaces.insert(namespace.into());
            }
            let mut note = |kind: &str, name: &str| {
                let list = match kind {
                    "ServiceAccount" => &mut self.accounts,
                    "Secret" => &mut self.secrets,
                    _ => return,
                };
                match list.get_mut(namespace) {
                    Some(names) => {
                        if !names.contains(name) {
                            names.insert(name.into());
                        }
                    }
                    None => {
                        list.insert(namespace.into(), BTreeSet::from([name.into()]));
                    }
                }
            };
            if group.is_empty() {
                note(kind, &resource.name.name);
            }
            for (kind, name) in resource.referred() {
                note(kind, name);
            }
        }
        // Each namespace has one (kubernetes pkg/controller/serviceaccount).
        for namespace in &self.namespaces {
            self.accounts
                .entry(namespace.clone())
                .or_default()
                .insert("default".into());
        }
    }

    /// The number of a node.
    pub(crate) fn node(&mut self, node: Node) -> NodeNo {
        if let Some(number) = self.numbers.get(&node) {
            return *number;
        }
        let number = NodeNo(self.nodes.len() as u32);
        self.nodes.push(node);
        self.numbers.insert(node, number);
        number
    }

    /// A node that is there already.
    pub(crate) fn known(&self, node: Node) -> Option<NodeNo> {
        self.numbers.get(&node).copied()
    }

    pub(crate) fn text(&mut self, text: &str) -> u32 {
        self.names.texts.number(text)
    }

    pub(crate) fn subject(&mut self, subject: &Subject) -> NodeNo {
        let number = self.text(&subject_key(subject));
        self.node(Node::Subject(number))
    }

    pub(crate) fn account(&mut self, namespace: &str, name: &str) -> NodeNo {
        let number = self.text(&format!("sa:{namespace}/{name}"));
        self.node(Node::Subject(number))
    }

    pub(crate) fn namespace(&mut self, namespace: &str) -> Place {
        Place::Namespace(self.text(namespace))
    }

    pub(crate) fn place(&mut self, held: &Held) -> Place {
        match held {
            Held::Cluster => Place::Cluster,
            Held::Namespace(namespace) => self.namespace(namespace),
            // `kubectl` applies it where it is pointed at.
            Held::NamespaceNotGiven => self.namespace("default"),
        }
    }

    pub(crate) fn right(&mut self, right: &'static str, place: Place) -> NodeNo {
        self.node(Node::Right(right, place))
    }

    /// A right that somebody holds there.
    pub(crate) fn known_right(&self, right: &'static str, place: Place) -> Option<NodeNo> {
        self.known(Node::Right(right, place))
    }

    pub(crate) fn secret(&mut self, namespace: &str, name: &str) -> NodeNo {
        let number = self.text(&format!("{namespace}/{name}"));
        self.node(Node::Secret(number))
    }

    /// A principal of Entra.
    pub(crate) fn principal(&mut self, who: &Who) -> NodeNo {
        let number = self.text(&principal_key(who));
        if !self.names.shown.contains_key(&number) {
            let name = self.analyses.roles().name(who);
            self.names.shown.insert(number, name.into());
        }
        self.node(Node::Principal(number))
    }

    /// The clusters that what runs in Kubernetes may be in, and why that is not certain: the one that somebody
    /// named, the one whose nodes are there (`kubernetes.azure.com/cluster` names the resource group of a node,
    /// <https://learn.microsoft.com/azure/aks/use-labels>), else the only one that was given.
    pub(crate) fn clusters(&self) -> Vec<(&'a Cluster, Option<&'static str>)> {
        let read = || self.read_clusters();
        self.clusters.get_or_init(read).clone()
    }

    fn read_clusters(&self) -> Vec<(&'a Cluster, Option<&'static str>)> {
        let all = self.analyses.roles().clusters();
        if let Some(named) = self.cluster {
            let own = |cluster: &&Cluster| {
                cluster.name.eq_ignore_ascii_case(named) || cluster.id.eq_ignore_ascii_case(named)
            };
            return all
                .iter()
                .filter(own)
                .map(|cluster| (cluster, None))
                .collect();
        }
        let group = self.estate.of_kind("Node").iter().find_map(|id| {
            self.estate
                .get(*id)?
                .object()
                .path(&["metadata", "labels", "kubernetes.azure.com/cluster"])?
                .as_str()
        });
        let own = |cluster: &&Cluster| {
            let name = model::azure::segments(&cluster.node_group).last().copied();
            name.zip(group)
                .is_some_and(|(name, group)| name.eq_ignore_ascii_case(group))
        };
        let found: Vec<&Cluster> = all.iter().filter(own).collect();
        let (found, doubt) = match (found.len(), all.len()) {
            (0, 1) => (all.iter().collect(), None),
            (0, _) => (
                all.iter().collect(),
                Some(
                    "several clusters were given, and nothing says to which of them the manifests go",
                ),
            ),
            _ => (found, None),
        };
        found.into_iter().map(|cluster| (cluster, doubt)).collect()
    }

    /// A power over something in Azure, by its id.
    pub(crate) fn power(&mut self, power: &'static str, id: &str) -> NodeNo {
        let number = self.text(&id.to_ascii_lowercase());
        self.node(Node::Power(power, number))
    }

    /// Something that everybody has.
    pub(crate) fn base(&mut self, name: &'static str) -> NodeNo {
        let node = self.node(Node::Base(name));
        self.base.insert(node);
        node
    }

    /// Adds a step; the same step by the same evidence counts once.
    pub(crate) fn add(&mut self, draft: Draft) {
        if draft.needs.contains(&draft.gives) {
            return;
        }
        let doubt = match &draft.doubt {
            Some(doubt) => self.doubts.number(doubt),
            None => SURE,
        };
        if draft.evidence.is_empty() && !self.is_new(&draft, doubt) {
            return;
        }
        let needs = (self.needs.len() as u32, draft.needs.len() as u16);
        self.needs.extend(draft.needs);
        let evidence = (self.evidence.len() as u32, draft.evidence.len() as u16);
        self.evidence.extend(draft.evidence);
        self.drafts.push(Row {
            edge: draft.edge,
            gives: draft.gives.0,
            doubt,
            needs,
            evidence,
        });
    }

    /// Adds a step that may have been added before.
    pub(crate) fn add_once(&mut self, draft: Draft) {
        if draft.evidence.is_empty() || self.is_new(&draft, SURE) {
            self.add(draft);
        }
    }

    /// Whether no such step was noted before, whatever it rests on; notes it.
    fn is_new(&mut self, draft: &Draft, doubt: u32) -> bool {
        let Some((first, others)) = draft.needs.split_first() else {
            return false;
        };
        let key = (draft.edge, *first, draft.gives, doubt);
        let known = self.seen.entry(key).or_default();
        let new = !known.iter().any(|known| **known == *others);
        if new {
            known.push(others.into());
        }
        new
    }

    /// Who holds the one holds the other, without a deed.
    pub(crate) fn implied(&mut self, from: NodeNo, to: NodeNo) {
        self.add(Draft::new(Edge::Implied, from, to));
    }

    pub(crate) fn entry(
        &mut self,
        node: NodeNo,
        kind: EntryKind,
        because: &str,
        evidence: Vec<Evidence>,
        doubt: Option<&str>,
    ) {
        let because = self.say(because);
        self.entries.push(Entry {
            node,
            kind,
            because,
            evidence,
            doubt: doubt.map(Into::into),
        });
    }

    pub(crate) fn jewel(&mut self, node: NodeNo, kind: &'static str, title: &str, weight: u32) {
        self.jewels.push(Jewel {
            node,
            kind,
            title: title.into(),
            weight,
        });
    }

    /// What could not be judged, as a clause.
    pub(crate) fn gap(&mut self, text: &str) {
        if !self.gaps.contains(text) {
            self.gaps.insert(text.into());
        }
    }

    /// A text that occurs often is kept once.
    pub(crate) fn say(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.says.get(text) {
            return Arc::clone(known);
        }
        let kept: Arc<str> = text.into();
        self.says.insert(text.into(), Arc::clone(&kept));
        kept
    }

    /// Evidence that is a value of an object of the estate.
    pub(crate) fn seen(
        &mut self,
        resource: ResourceRef,
        value: Option<Ref<'_>>,
        says: &str,
    ) -> Evidence {
        Evidence {
            object: Object::Estate(resource),
            value: value.map(Ref::id),
            says: self.say(says),
        }
    }

    /// Evidence that is no object: what Kubernetes or Azure does anyway.
    pub(crate) fn always(&mut self, says: &str) -> Evidence {
        Evidence {
            object: Object::Nothing,
            value: None,
            says: self.say(says),
        }
    }

    /// Evidence from the estate that rights are read from.
    pub(crate) fn seen_right(
        &mut self,
        resource: ResourceRef,
        value: Option<NodeId>,
        says: &str,
    ) -> Evidence {
        let taken = self.analyses.rights().taken_from.get(resource.0 as usize);
        Evidence {
            object: taken.map_or(Object::BuiltIn(resource), |own| Object::Estate(*own)),
            value,
            says: self.say(says),
        }
    }

    pub(crate) fn resource(&self, workload: &Workload) -> Option<&'a Resource> {
        self.estate.get(workload.resource)
    }

    /// The graph, when every family has been asked.
    pub(crate) fn finish(mut self) -> Graph {
        self.spread_rights();
        self.entries.sort_by_key(|entry| (entry.kind, entry.node));
        self.entries
            .dedup_by(|one, two| one.kind == two.kind && one.node == two.node);
        self.jewels.sort_by_key(|jewel| jewel.node);
        self.jewels.dedup_by_key(|jewel| jewel.node);
        let mut graph = Graph {
            nodes: self.nodes,
            rows: self.drafts,
            needs: self.needs,
            evidence: self.evidence,
            doubts: self.doubts.into_list(),
            names: self.names,
            entries: self.entries,
            jewels: self.jewels,
            base: self.base.into_iter().collect(),
            gaps: self.gaps.into_iter().collect(),
            ..Graph::default()
        };
        graph.index();
        graph.sort_jewels();
        graph
    }

    /// A right in the whole cluster is one in each namespace.
    fn spread_rights(&mut self) {
        let everywhere: Vec<&'static str> = self
            .nodes
            .iter()
            .filter_map(|node| match node {
                Node::Right(right, Place::Cluster) => Some(*right),
                _ => None,
            })
            .collect();
        for right in everywhere {
            let from = self.right(right, Place::Cluster);
            let within: Vec<NodeNo> = self
                .namespaces
                .iter()
                .filter_map(|namespace| self.names.texts.find(namespace))
                .filter_map(|number| self.known(Node::Right(right, Place::Namespace(number))))
                .collect();
            for to in within {
                self.implied(from, to);
            }
        }
    }

    /// Where a right is held by somebody.
    pub(crate) fn places_of(&self, right: &str) -> Vec<Place> {
        self.nodes
            .iter()
            .filter_map(|node| match node {
                Node::Right(own, place) if *own == right => Some(*place),
                _ => None,
            })
            .collect()
    }

    /// Where a subject or a role has one of these rights by an object of the estate: what every cluster has is left
    /// out.
    pub(crate) fn places_held(&self, rights: &[&str]) -> BTreeSet<Place> {
        let node = |number: u32| self.nodes.get(number as usize).copied();
        let counts = |row: &Row| {
            let first = self.needs.get(row.needs.0 as usize);
            let by_right = matches!(first.and_then(|need| node(need.0)), Some(Node::Right(..)));
            let evidence = self.evidence.iter().skip(row.evidence.0 as usize);
            !by_right
                && evidence
                    .take(row.evidence.1.into())
                    .any(|one| matches!(one.object, Object::Estate(_)))
        };
        self.drafts
            .iter()
            .filter_map(|row| match node(row.gives)? {
                Node::Right(own, place) if rights.contains(&own) && counts(row) => Some(place),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn node_of(&self, number: NodeNo) -> Node {
        self.nodes
            .get(number.0 as usize)
            .copied()
            .unwrap_or(Node::Base("nothing"))
    }

    pub(crate) fn pool(&mut self, number: u32) -> NodeNo {
        self.node(Node::Pool(number))
    }

    pub(crate) fn pools(&self) -> &[Pool] {
        &self.names.pools
    }
}
