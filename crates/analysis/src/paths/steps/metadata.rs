//! From pods and nodes to the identities that nodes carry: by the instance metadata service, by the platform's wire
//! server, by the file in which the kubelet's cloud settings lie.
//!
//! Identities of nodes are the kubelet's, those of add-ons, and what else the scale set was given
//! (<https://learn.microsoft.com/azure/aks/use-managed-identity>). Pods on the node's network are beyond network
//! policies and the restriction (<https://learn.microsoft.com/azure/aks/imds-restriction>).

use std::collections::HashMap;
use std::sync::Arc;

use model::{Ref, Resource, ResourceRef};

use super::container::Pod;
use super::files::{azure_file, kubelet_files};
use super::network::namespaces;
use super::nodes::network;
use crate::paths::NodeNo;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, Object};
use crate::paths::node::{Node, Place};
use crate::reach::ports::{PortSet, Protocol};
use crate::reach::{Answer, Direction, End, Engine, Workload};
use crate::roles::{Who, identities_of};

const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";

pub(super) fn add(builder: &mut Builder<'_>) {
    let carried: Vec<Vec<(NodeNo, Evidence)>> = (0..builder.pools().len() as u32)
        .map(|pool| identities(builder, pool))
        .collect();
    let any = carried.iter().any(|own| !own.is_empty());
    if !any && !builder.names.workloads.is_empty() {
        builder.gap("the cluster in Azure was not given, nor the identities that its nodes carry");
    }
    for (pool, own) in (0u32..).zip(&carried) {
        let metadata = builder.node(Node::OnNodes("metadata", pool));
        for (who, evidence) in own {
            builder.add(Draft::new(Edge::NodeIdentity, metadata, *who).by(evidence.clone()));
        }
        let from = builder.node(network(pool));
        builder.implied(from, metadata);
        let files = builder.node(kubelet_files(pool));
        let evidence = always(builder, "168.63.129.16 answers in the nodes' network");
        builder.add(
            Draft::new(Edge::WireServer, from, files)
                .by(evidence)
                .perhaps(Some(WIRE_SERVER)),
        );
    }
    pods(builder, &carried);
    service_principals(builder);
}

fn always(builder: &mut Builder<'_>, says: &str) -> Evidence {
    Evidence {
        object: Object::Nothing,
        value: None,
        says: builder.say(says),
    }
}

/// The identities of the nodes of a pool; of several pools, those that all have.
fn identities(builder: &mut Builder<'_>, pool: u32) -> Vec<(NodeNo, Evidence)> {
    let Some(own) = builder.pools().get(pool as usize).cloned() else {
        return Vec::new();
    };
    if !own.any_of.is_empty() {
        let all: Vec<Vec<(NodeNo, Evidence)>> = own
            .any_of
            .iter()
            .map(|member| identities(builder, *member))
            .collect();
        let Some((first, rest)) = all.split_first() else {
            return Vec::new();
        };
        return first
            .iter()
            .filter(|(who, _)| {
                rest.iter()
                    .all(|others| others.iter().any(|(other, _)| other == who))
            })
            .cloned()
            .collect();
    }
    let Some(cluster) = own.cluster else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (path, who) in identities_of(builder.estate, cluster) {
        let says = if path.starts_with("properties.identityProfile.") {
            "the kubelets act as this identity"
        } else if path.starts_with("properties.addonProfiles.") {
            "an add-on acts as this identity, which nodes carry too"
        } else {
            // The control plane's.
            continue;
        };
        note(builder, cluster, &path, &who, says, &mut found);
    }
    let group = builder
        .analyses
        .roles()
        .clusters()
        .iter()
        .find(|known| known.resource == cluster)
        .map(|known| known.node_group.to_ascii_lowercase());
    for id in builder.estate.of_kind(SCALE_SET) {
        let Some(resource) = builder.estate.get(*id) else {
            continue;
        };
        if !is_of(resource, group.as_deref(), &own.name) {
            continue;
        }
        for (path, who) in identities_of(builder.estate, *id) {
            let says = "the nodes' scale set carries this identity";
            note(builder, *id, &path, &who, says, &mut found);
        }
    }
    found
}

fn note(
    builder: &mut Builder<'_>,
    resource: ResourceRef,
    path: &str,
    who: &Who,
    says: &str,
    found: &mut Vec<(NodeNo, Evidence)>,
) {
    let node = builder.principal(who);
    let value = builder.estate.get(resource).map(|resource| {
        let keys: Vec<&str> = path.split('.').collect();
        // As far down as it is written.
        keys.iter()
            .try_fold(resource.object(), |at, key| at.get(key).ok_or(at))
            .unwrap_or_else(|last| last)
    });
    let evidence = builder.seen(resource, value, says);
    if !found.iter().any(|(known, _)| *known == node) {
        found.push((node, evidence));
    }
}

/// Whether a scale set is the pool's: it lies in the cluster's resource group for nodes, and its tag or name says the
/// pool (`aks-POOL-NUMBER-vmss`).
fn is_of(resource: &Resource, group: Option<&str>, pool: &str) -> bool {
    let Some(azure) = &resource.azure else {
        return false;
    };
    let id = azure.id.to_ascii_lowercase();
    let here = group.is_some_and(|group| id.starts_with(&format!("{group}/")));
    let pool = pool.rsplit('/').next().unwrap_or_default();
    let tag = resource
        .object()
        .path(&["tags", "aks-managed-poolName"])
        .and_then(Ref::as_str);
    here && match tag {
        Some(tag) => tag == pool,
        None => resource.name.name.starts_with(&format!("aks-{pool}-")),
    }
}

const WIRE_SERVER: &str =
    "AKS closed the known way in 2024; only nodes with an older image may answer";

/// What of an answer concerns HTTP, and why it is not certain. `None`: nothing passes.
fn http(answer: &Answer) -> Option<Option<Arc<str>>> {
    let ports = PortSet::port(Protocol::Tcp, 80);
    let sure = !answer.conn.within(&ports).sure.is_empty();
    let may = !answer.conn.within(&ports).may.is_empty();
    match (&answer.hangs_on, sure, may) {
        (None, true, _) => Some(None),
        (None, false, false) => None,
        (Some(why), _, _) => Some(Some(Arc::from(&**why))),
        (None, false, true) => Some(Some(
            "what was given does not say whether policies let it out".into(),
        )),
    }
}

/// Pods with an address of their own, past the policies and the cluster's setting.
fn pods<'a>(builder: &mut Builder<'a>, carried: &[Vec<(NodeNo, Evidence)>]) {
    let analyses = builder.analyses;
    let reach = analyses.reach();
    let namespaces = namespaces(builder);
    for number in 0..builder.names.workloads.len() {
        let Some(pod) = Pod::read(builder, number) else {
            continue;
        };
        if pod.flag("hostNetwork").is_some() && !pod.in_machine() {
            continue;
        }
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let facts = reach.facts(&workload);
        let namespace = unselecting(builder, &workload, &namespaces);
        if let Some(doubt) = http(&facts.metadata) {
            ask_metadata(builder, &pod, carried, doubt.as_ref(), namespace.as_ref());
        }
        if http(&facts.wire_server).is_some() {
            let says = "no policy keeps the pods from 168.63.129.16";
            let evidence = builder.seen(pod.resource, None, says);
            for pool in &pod.pools {
                let to = builder.node(kubelet_files(*pool));
                builder.add(
                    Draft::new(Edge::WireServer, pod.from, to)
                        .by(evidence.clone())
                        .by_all(namespace.clone())
                        .perhaps(Some(WIRE_SERVER)),
                );
            }
        }
    }
}

/// The namespace of pods that no policy selects for what they send: one for all of its pods would close these.
fn unselecting(
    builder: &mut Builder<'_>,
    workload: &Workload,
    namespaces: &HashMap<Box<str>, ResourceRef>,
) -> Option<Evidence> {
    let reach = builder.analyses.reach();
    let free = reach.engine() != Engine::None
        && matches!(reach.end_of(workload), End::Pods(_))
        && reach.selecting(workload, Direction::Egress).is_empty();
    let id = namespaces.get(&workload.namespace).filter(|_| free)?;
    Some(builder.seen(*id, None, "no policy of the namespace selects these pods"))
}

/// A pod that is made for it: it has the labels of one that policies let ask, or such as no policy selects.
pub(super) fn created(builder: &mut Builder<'_>) {
    const RIGHT: &str = "pod-create";
    let held = builder.places_of(RIGHT);
    if held.is_empty() {
        return;
    }
    let carried: Vec<Vec<(NodeNo, Evidence)>> = (0..builder.pools().len() as u32)
        .map(|pool| identities(builder, pool))
        .collect();
    if carried.iter().all(Vec::is_empty) {
        return;
    }
    let asking = asking(builder);
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        if !held.contains(&place) && !held.contains(&Place::Cluster) {
            continue;
        }
        let by_labels = asking.get(&namespace).cloned();
        let doubt = match (by_labels, unselected(builder, &namespace)) {
            (Some(None), _) | (_, Some(None)) => None,
            (Some(Some(why)), _) | (None, Some(Some(why))) => Some(why),
            (None, None) => continue,
        };
        let from = builder.right(RIGHT, place);
        let says = "no policy keeps a pod of the attacker's own from 169.254.169.254";
        for pool in 0..builder.pools().len() as u32 {
            let own = builder.pools().get(pool as usize);
            if own.is_none_or(|own| !own.any_of.is_empty())
                || carried.get(pool as usize).is_none_or(Vec::is_empty)
            {
                continue;
            }
            let Some(open) = lets_ask(builder, pool) else {
                continue;
            };
            let mut evidence = vec![always(builder, says)];
            evidence.extend(open.evidence);
            let to = builder.node(Node::OnNodes("metadata", pool));
            builder.add(
                Draft::new(Edge::ImdsIdentity, from, to)
                    .by_all(evidence)
                    .perhaps(doubt.clone().or_else(|| open.doubt.map(Into::into))),
            );
        }
    }
}

/// Namespaces of which a pod may ask, the surest first.
fn asking(builder: &Builder<'_>) -> HashMap<Box<str>, Option<Arc<str>>> {
    let reach = builder.analyses.reach();
    let mut found: HashMap<Box<str>, Option<Arc<str>>> = HashMap::new();
    for workload in &builder.names.workloads {
        if let Some(doubt) = http(&reach.facts(workload).metadata) {
            let place = found
                .entry(workload.namespace.clone())
                .or_insert_with(|| doubt.clone());
            if doubt.is_none() {
                *place = None;
            }
        }
    }
    found
}

/// Whether a pod with labels of its own is kept from nothing in a namespace: no policy for all pods closes egress.
/// `Some` with why that is not certain.
fn unselected(builder: &Builder<'_>, namespace: &str) -> Option<Option<Arc<str>>> {
    let estate = builder.estate;
    let reach = builder.analyses.reach();
    if reach.engine() == Engine::None {
        return Some(None);
    }
    let for_all = estate
        .in_namespace(namespace, "NetworkPolicy")
        .iter()
        .filter_map(|id| estate.get(*id)?.object().get("spec"))
        .any(|spec| {
            let selector = spec.get("podSelector");
            let all = selector.is_none_or(|selector| {
                selector
                    .get("matchLabels")
                    .is_none_or(|labels| labels.entries().len() == 0)
                    && selector
                        .get("matchExpressions")
                        .is_none_or(|list| list.items().len() == 0)
            });
            let closes = spec.get("egress").is_some()
                || spec
                    .get("policyTypes")
                    .into_iter()
                    .flat_map(Ref::items)
                    .any(|one| one.as_str() == Some("Egress"));
            all && closes
        });
    if for_all {
        return None;
    }
    let others = reach
        .policies()
        .filter_map(|id| estate.get(id))
        .any(|policy| policy.name.kind.name() != "NetworkPolicy");
    let why = if others {
        Some("what policies of other kinds make of a new pod is not known")
    } else {
        estate
            .absent("NetworkPolicy", model::Within::Namespace(namespace))
            .map(|_| "network policies that were not given may exist")
    };
    Some(why.map(Into::into))
}

fn ask_metadata<'a>(
    builder: &mut Builder<'a>,
    pod: &Pod<'a>,
    carried: &[Vec<(NodeNo, Evidence)>],
    doubt: Option<&Arc<str>>,
    namespace: Option<&Evidence>,
) {
    for pool in &pod.pools {
        if carried.get(*pool as usize).is_none_or(Vec::is_empty) {
            continue;
        }
        let Some(open) = lets_ask(builder, *pool) else {
            continue;
        };
        let says = "no policy keeps the pods from 169.254.169.254";
        let mut evidence = vec![builder.seen(pod.resource, None, says)];
        evidence.extend(namespace.cloned());
        evidence.extend(open.evidence);
        let to = builder.node(Node::OnNodes("metadata", *pool));
        builder.add(
            Draft::new(Edge::ImdsIdentity, pod.from, to)
                .by_all(evidence)
                .perhaps(doubt.cloned().or_else(|| open.doubt.map(Into::into))),
        );
    }
}

/// A cluster that does not keep pods from the metadata service.
struct Open {
    evidence: Option<Evidence>,
    doubt: Option<&'static str>,
}

/// Whether the cluster of a pool lets pods ask (`networkProfile.podLinkLocalAccess`).
fn lets_ask(builder: &mut Builder<'_>, pool: u32) -> Option<Open> {
    let own = builder.pools().get(pool as usize)?;
    let member = own.any_of.first().copied();
    let cluster = match member {
        Some(member) => builder.pools().get(member as usize)?.cluster,
        None => own.cluster,
    }?;
    let object = builder.estate.get(cluster)?.object();
    let profile = object.path(&["properties", "networkProfile"]);
    let setting = profile.and_then(|profile| profile.get("podLinkLocalAccess"));
    let closed = setting
        .and_then(Ref::as_str)
        .is_some_and(|word| word.eq_ignore_ascii_case("None"));
    if closed {
        return None;
    }
    let is_open = [setting, profile].into_iter().flatten().any(Ref::is_open);
    let says = "the cluster lets pods ask the metadata service";
    let value = setting.or(profile).unwrap_or(object);
    Some(Open {
        evidence: Some(builder.seen(cluster, Some(value), says)),
        doubt: is_open.then_some("the template leaves `podLinkLocalAccess` open"),
    })
}

/// Clusters that act as a service principal: its secret lies in `/etc/kubernetes/azure.json` on each node
/// (<https://learn.microsoft.com/azure/aks/kubernetes-service-principal>).
fn service_principals(builder: &mut Builder<'_>) {
    for pool in 0..builder.pools().len() as u32 {
        let cluster = builder
            .pools()
            .get(pool as usize)
            .and_then(|pool| pool.cluster);
        let Some((cluster, resource)) = cluster.and_then(|id| Some((id, builder.estate.get(id)?)))
        else {
            continue;
        };
        let Some(value) =
            resource
                .object()
                .path(&["properties", "servicePrincipalProfile", "clientId"])
        else {
            continue;
        };
        if value
            .as_str()
            .is_some_and(|id| id.is_empty() || id.eq_ignore_ascii_case("msi"))
        {
            continue;
        }
        let (to, doubt) = match value.as_str() {
            Some(id) => match object_id(builder, id) {
                Some(object) => (builder.principal(&Who::Id(object)), None),
                None => {
                    builder.gap(&format!(
                        "the object id of the service principal with the client id {id} was not given, nor the roles that hang on it"
                    ));
                    (
                        builder.principal(&Who::Open(format!("client id {id}").into())),
                        None,
                    )
                }
            },
            None => {
                let shown = value.open_shown().unwrap_or("?");
                let who = Who::Open(shown.into());
                (
                    builder.principal(&who),
                    Some("the template leaves open which service principal the cluster acts as"),
                )
            }
        };
        let evidence = builder.seen(
            cluster,
            Some(value),
            "the cluster acts as a service principal",
        );
        let from = builder.node(azure_file(pool));
        builder.add(
            Draft::new(Edge::NodeServicePrincipal, from, to)
                .by(evidence)
                .perhaps(doubt),
        );
    }
}

/// The object id of a service principal, by its application's id.
fn object_id(builder: &Builder<'_>, client: &str) -> Option<Box<str>> {
    builder
        .estate
        .of_kind("Microsoft.Graph/servicePrincipals")
        .iter()
        .filter_map(|id| builder.estate.get(*id))
        .find_map(|resource| {
            let object = resource.object();
            let text = |keys: &[&str]| object.path(keys).and_then(Ref::as_str);
            let app = text(&["properties", "appId"]).or_else(|| text(&["appId"]))?;
            if !app.eq_ignore_ascii_case(client) {
                return None;
            }
            let id = [&["properties", "id"][..], &["id"][..]]
                .into_iter()
                .find_map(text)
                .unwrap_or(&resource.name.name);
            Some(id.rsplit('/').next()?.to_ascii_lowercase().into())
        })
}
