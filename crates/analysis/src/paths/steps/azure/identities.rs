//! Workload identity both ways: federated credentials of identities, who may add one, who may attach an
//! identity to something of its own; and pipelines that an identity trusts.
//!
//! An identity trusts the tokens of one issuer for one subject, letter by letter
//! (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>). The annotation of a
//! service account and the label of a pod only make AKS mount such a token: whoever can ask for a token of the
//! account, or create a pod as it, has one for any audience (kubernetes pkg/registry/core/serviceaccount/storage,
//! `TokenREST`). A token that is mounted for the API server is none: its audience is another.

use std::collections::{BTreeMap, BTreeSet};

use model::{Ref, Resource, ResourceRef, Within};

use super::powers::{CARRY_IDENTITY, On};
use super::{Azure, value};
use crate::ask::{
    Attributes, Evidence as Grant, Names, Question, Reach, ResourceTarget, Target,
    Within as AskWithin,
};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{EntryKind, Evidence, NodeNo};
use crate::paths::node::{Node, Place};
use crate::roles::Who;
use crate::roles::kubernetes::Cluster;
use crate::roles::user_assigned;

const CREDENTIALS: &str =
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

/// A credential that trusts a service account.
struct Trust<'e> {
    credential: ResourceRef,
    identity: NodeNo,
    namespace: &'e str,
    account: &'e str,
    audiences: Vec<&'e str>,
    /// Why the tokens of the cluster may not be those that it trusts.
    doubt: Option<String>,
}

pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    for target in azure
        .targets
        .iter()
        .filter(|target| target.on == On::Identity)
    {
        let who = user_assigned(azure.estate, &target.id);
        if let Some(from) = builder.known_power("federated-credential", &target.id) {
            let to = builder.principal(&who);
            let locked = azure.locked(&target.id);
            builder.add(Draft::new(Edge::FederatedCredentialWrite, from, to).perhaps(locked));
        }
        if let (Some(from), Some(carry)) = (
            builder.known_power("identity-assign", &target.id),
            builder.known_power(CARRY_IDENTITY, "/"),
        ) {
            let to = builder.principal(&who);
            builder.add(Draft::new(Edge::IdentityAssign, from, to).and(carry));
        }
    }
    let inside = builder.clusters();
    let mut trusts: BTreeMap<(&str, &str), Vec<Trust<'_>>> = BTreeMap::new();
    for number in azure.estate.of_kind(CREDENTIALS) {
        let Some(credential) = azure.estate.get(*number) else {
            continue;
        };
        let Some(identity) = credential
            .azure
            .as_ref()
            .and_then(|own| model::azure::parent_of_id(&own.id))
        else {
            continue;
        };
        let who = user_assigned(azure.estate, identity);
        let subject = value(credential, &["properties", "subject"]);
        match subject.and_then(Ref::as_str).and_then(account_of) {
            Some((namespace, account)) => {
                let Some(doubt) = trusted(credential, &inside) else {
                    continue;
                };
                let identity = builder.principal(&who);
                trusts.entry((namespace, account)).or_default().push(Trust {
                    credential: *number,
                    identity,
                    namespace,
                    account,
                    audiences: value(credential, &["properties", "audiences"])
                        .into_iter()
                        .flat_map(Ref::items)
                        .filter_map(Ref::as_str)
                        .collect(),
                    doubt,
                });
            }
            None => pipeline(builder, *number, credential, &who),
        }
    }
    for trust in trusts.values().flatten() {
        askers(builder, azure, trust);
    }
    if !trusts.is_empty() {
        mounted(builder, azure, &trusts, &inside);
    }
}

/// `system:serviceaccount:NAMESPACE:NAME`
fn account_of(subject: &str) -> Option<(&str, &str)> {
    // Names that an object can have (apimachinery/pkg/util/validation).
    let is_name = |text: &str, dots: bool| {
        text.bytes().all(|letter| {
            letter.is_ascii_lowercase()
                || letter.is_ascii_digit()
                || letter == b'-'
                || dots && letter == b'.'
        })
    };
    crate::ask::service_account(subject)
        .filter(|(namespace, account)| is_name(namespace, false) && is_name(account, true))
}

/// Whether a credential trusts the cluster that the manifests go to: nothing where it does not, else why that
/// may not be so.
fn trusted(
    credential: &Resource,
    inside: &[(&Cluster, Option<&'static str>)],
) -> Option<Option<String>> {
    let issuer = value(credential, &["properties", "issuer"]);
    let of_aks = issuer
        .and_then(Ref::as_str)
        .is_some_and(|issuer| issuer.contains(".oic.prod-aks.azure."));
    if inside.is_empty() {
        return (of_aks || issuer.is_none_or(Ref::is_open)).then(|| {
            Some("no cluster was given, so whose tokens it trusts is not known".to_owned())
        });
    }
    let mut best: Option<Option<String>> = None;
    for (cluster, which) in inside {
        let found = match trusts_cluster(issuer, cluster, (of_aks, inside.len() == 1)) {
            Trusts::No => continue,
            Trusts::Yes => which.map(ToOwned::to_owned),
            Trusts::Maybe(why) => Some(why.to_owned()),
        };
        if best.is_none() || found.is_none() {
            best = Some(found);
        }
    }
    best
}

enum Trusts {
    Yes,
    Maybe(&'static str),
    No,
}

fn trusts_cluster(
    issuer: Option<Ref<'_>>,
    cluster: &Cluster,
    (of_aks, only): (bool, bool),
) -> Trusts {
    let own = cluster.issuer.as_deref();
    match (issuer.and_then(Ref::as_str), own) {
        (Some(issuer), Some(own)) => {
            if issuer == own {
                Trusts::Yes
            } else {
                Trusts::No
            }
        }
        _ if cluster.issues == Some(false) => Trusts::No,
        (Some(_), None) if of_aks => {
            Trusts::Maybe("whether the issuer that it trusts is this cluster's was not given")
        }
        (Some(_), None) => Trusts::No,
        (None, _) => {
            let expression = issuer.and_then(Ref::open_expression).unwrap_or_default();
            let lower = expression.to_ascii_lowercase();
            let named = only
                || lower.contains(&*cluster.name.to_ascii_lowercase())
                || lower.contains(&*cluster.id.to_ascii_lowercase());
            if lower.contains("oidcissuerprofile") && named {
                Trusts::Yes
            } else {
                Trusts::Maybe("the template leaves open which issuer it trusts")
            }
        }
    }
}

fn says(builder: &mut Builder<'_>, azure: &Azure<'_>, trust: &Trust<'_>) -> Evidence {
    let at = azure
        .estate
        .get(trust.credential)
        .and_then(|credential| value(credential, &["properties", "subject"]));
    let text = format!(
        "the identity trusts ServiceAccount {}/{}",
        trust.namespace, trust.account
    );
    builder.seen(trust.credential, at, &text)
}

/// Whoever can ask for a token of the account, or create a pod as it.
fn askers(builder: &mut Builder<'_>, azure: &Azure<'_>, trust: &Trust<'_>) {
    let evidence = says(builder, azure, trust);
    let place = builder.namespace(trust.namespace);
    let step =
        |builder: &mut Builder<'_>, needs: &[NodeNo], more: Vec<Evidence>, why: Option<&str>| {
            let Some((first, rest)) = needs.split_first() else {
                return;
            };
            let mut draft = Draft::new(Edge::FederatedIdentity, *first, trust.identity)
                .by(evidence.clone())
                .by_all(more)
                .perhaps(trust.doubt.as_deref())
                .perhaps(why);
            for need in rest {
                draft = draft.and(*need);
            }
            builder.add(draft);
        };
    let there = builder
        .accounts
        .get(trust.namespace)
        .is_some_and(|names| names.contains(trust.account));
    let request = builder.right("token-request", place);
    let create = builder.right("pod-create", place);
    let unknown = azure
        .estate
        .absent("ServiceAccount", Within::Namespace(trust.namespace));
    if there || unknown.is_some() {
        let why = (!there).then_some("whether the service account exists was not given");
        step(builder, &[request], Vec::new(), why);
        step(builder, &[create], Vec::new(), why);
        for (holder, more) in named_requests(builder, trust) {
            step(builder, &[holder], more, why);
        }
        return;
    }
    // Who may create what is not there may then have its tokens.
    if builder.namespaces.contains(trust.namespace) {
        let account = builder.right("account-create", place);
        step(builder, &[account, request], Vec::new(), None);
        step(builder, &[account, create], Vec::new(), None);
        return;
    }
    if azure
        .estate
        .absent("Namespace", Within::Everywhere)
        .is_some()
    {
        return;
    }
    let [account, request, create] = ["account-create", "token-request", "pod-create"]
        .map(|right| builder.right(right, Place::Cluster));
    for (holder, more) in namespace_creators(builder) {
        step(builder, &[holder, account, request], more.clone(), None);
        step(builder, &[holder, account, create], more, None);
    }
}

/// Those who may ask for tokens of this account by its name.
fn named_requests(builder: &mut Builder<'_>, trust: &Trust<'_>) -> Vec<(NodeNo, Vec<Evidence>)> {
    let analyses = builder.analyses;
    let mut found = Vec::new();
    let facts = analyses
        .escalations()
        .iter()
        .filter(|fact| fact.id == "token-request");
    for held in facts.flat_map(|fact| &fact.held) {
        let Names::Only(names) = &held.names else {
            continue;
        };
        let here = match &held.reach {
            Reach::Cluster => true,
            Reach::Namespace(own) => **own == *trust.namespace,
            Reach::NamespaceNotGiven => trust.namespace == "default",
        };
        if here && names.contains(trust.account) {
            let holder = builder.subject(&held.subject);
            let more = held
                .evidence
                .iter()
                .filter_map(|grant| binding(builder, grant, "asks for its tokens"))
                .collect();
            found.push((holder, more));
        }
    }
    found
}

fn binding(builder: &mut Builder<'_>, grant: &Grant, says: &str) -> Option<Evidence> {
    match grant {
        Grant::Binding { binding, .. } => Some(builder.seen_right(*binding, None, says)),
        _ => None,
    }
}

/// Those who may create namespaces.
fn namespace_creators(builder: &mut Builder<'_>) -> Vec<(NodeNo, Vec<Evidence>)> {
    let question = Question {
        attributes: Attributes {
            verb: "create",
            target: Target::Resource(ResourceTarget {
                resource: "namespaces",
                ..ResourceTarget::default()
            }),
        },
        within: AskWithin::Cluster,
    };
    let holders = builder.analyses.rights().rbac.who_can(&question).holders;
    holders
        .iter()
        .filter(|holder| holder.names == Names::Any && holder.condition.is_none())
        .filter(|holder| holder.evidence != Grant::Masters)
        .map(|holder| {
            let node = builder.subject(&holder.subject);
            let evidence = binding(builder, &holder.evidence, "may create namespaces");
            (node, evidence.into_iter().collect())
        })
        .collect()
}

/// Pods into which a token is mounted that an identity trusts: by a volume of their own, or by the webhook of
/// workload identity, which looks at the pod's label
/// (<https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html>).
fn mounted(
    builder: &mut Builder<'_>,
    azure: &Azure<'_>,
    trusts: &BTreeMap<(&str, &str), Vec<Trust<'_>>>,
    inside: &[(&Cluster, Option<&'static str>)],
) {
    let webhook = webhook(azure, inside);
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(resource) = builder.resource(&workload) else {
            continue;
        };
        let Some(spec) = resource.pod_spec() else {
            continue;
        };
        let account = account_name(spec);
        let Some(trusts) = trusts.get(&(&*workload.namespace, account)) else {
            continue;
        };
        let label = resource
            .pod_holder()
            .and_then(|holder| holder.path(&["metadata", "labels", "azure.workload.identity/use"]));
        let labelled = label.filter(|label| label.as_str() == Some("true"));
        for trust in trusts {
            let (at, by_webhook) = match (projected(spec, &trust.audiences), labelled) {
                (Some(at), _) => (at, None),
                (None, Some(at)) => (at, Some(webhook)),
                (None, None) => continue,
            };
            let why = match by_webhook {
                Some(Webhook::Off) => continue,
                Some(Webhook::Unknown) => {
                    Some("whether workload identity is on in the cluster was not given")
                }
                Some(Webhook::On) | None => None,
            };
            let from = builder.node(Node::Workload(number as u32));
            let own = builder.seen(
                workload.resource,
                Some(at),
                "its pods hold a token for Entra",
            );
            let evidence = says(builder, azure, trust);
            builder.add(
                Draft::new(Edge::FederatedIdentity, from, trust.identity)
                    .by(own)
                    .by(evidence)
                    .perhaps(trust.doubt.as_deref())
                    .perhaps(why),
            );
        }
    }
    old_kubelets(builder, azure, trusts);
}

fn account_name(spec: Ref<'_>) -> &str {
    spec.get("serviceAccountName")
        .or_else(|| spec.get("serviceAccount"))
        .and_then(Ref::as_str)
        .filter(|name| !name.is_empty())
        .unwrap_or("default")
}

/// Before 1.33 a kubelet could ask for tokens of the accounts of its pods with any audience
/// (`ServiceAccountNodeAudienceRestriction`,
/// <https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/>); since then with those alone
/// that a pod mounts.
fn old_kubelets(
    builder: &mut Builder<'_>,
    azure: &Azure<'_>,
    trusts: &BTreeMap<(&str, &str), Vec<Trust<'_>>>,
) {
    if builder.analyses.kubernetes_minor() >= 33 {
        return;
    }
    let mut seen = BTreeSet::new();
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(spec) = builder.resource(&workload).and_then(Resource::pod_spec) else {
            continue;
        };
        let Some(trusts) = trusts.get(&(&*workload.namespace, account_name(spec))) else {
            continue;
        };
        for pool in builder.pools_of.get(number).cloned().unwrap_or_default() {
            for trust in trusts {
                if seen.insert((pool, trust.credential)) {
                    let from = builder.pool(pool);
                    let evidence = says(builder, azure, trust);
                    builder.add(
                        Draft::new(Edge::FederatedIdentity, from, trust.identity)
                            .by(evidence)
                            .perhaps(trust.doubt.as_deref()),
                    );
                }
            }
        }
    }
}

/// A volume that projects a token for one of these audiences.
fn projected<'e>(spec: Ref<'e>, audiences: &[&str]) -> Option<Ref<'e>> {
    spec.get("volumes")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|volume| volume.path(&["projected", "sources"]))
        .flat_map(Ref::items)
        .filter_map(|source| source.path(&["serviceAccountToken", "audience"]))
        .find(|audience| {
            audience
                .as_str()
                .is_some_and(|own| audiences.contains(&own))
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Webhook {
    On,
    Off,
    Unknown,
}

/// Whether the webhook of workload identity runs: AKS's (`securityProfile.workloadIdentity`), or one that was
/// installed.
fn webhook(azure: &Azure<'_>, inside: &[(&Cluster, Option<&'static str>)]) -> Webhook {
    let installed = azure
        .estate
        .of_kind("MutatingWebhookConfiguration")
        .iter()
        .filter_map(|number| azure.estate.get(*number))
        .any(|resource| resource.name.name.starts_with("azure-wi-webhook"));
    if installed {
        return Webhook::On;
    }
    let flags: Vec<Option<bool>> = inside
        .iter()
        .filter_map(|(cluster, _)| azure.estate.get(cluster.resource))
        .map(|resource| {
            match value(
                resource,
                &[
                    "properties",
                    "securityProfile",
                    "workloadIdentity",
                    "enabled",
                ],
            ) {
                Some(flag) => flag.as_bool(),
                None => {
                    let open = [&["properties"][..], &["properties", "securityProfile"]]
                        .into_iter()
                        .any(|path| value(resource, path).is_some_and(Ref::is_open));
                    (!open).then_some(false)
                }
            }
        })
        .collect();
    if flags.contains(&Some(true)) {
        Webhook::On
    } else if !flags.is_empty()
        && flags.iter().all(|flag| *flag == Some(false))
        && azure
            .estate
            .absent("MutatingWebhookConfiguration", Within::Everywhere)
            .is_none()
    {
        Webhook::Off
    } else {
        Webhook::Unknown
    }
}

/// An identity that trusts the tokens of a pipeline, or of another issuer.
fn pipeline(builder: &mut Builder<'_>, number: ResourceRef, credential: &Resource, who: &Who) {
    let issuer = value(credential, &["properties", "issuer"]);
    let (issuer, open) = match issuer.and_then(|own| Some((own, own.as_str()?))) {
        Some((_, text)) => (text, None),
        None => match issuer.and_then(Ref::open_shown) {
            Some(shown) => (
                shown,
                Some("the template leaves open which issuer it trusts"),
            ),
            None => return,
        },
    };
    let of_cluster = issuer.contains(".oic.prod-aks.azure.")
        || open.is_some() && issuer.to_ascii_lowercase().contains("oidcissuerprofile");
    // A subject that names no service account matches no token of a cluster.
    if of_cluster {
        if value(credential, &["properties", "subject"]).is_some_and(Ref::is_open) {
            builder.gap(&format!(
                "which service account the federated credential {} trusts is left open",
                credential.name.name
            ));
        }
        return;
    }
    let (at, subject) = match (
        value(credential, &["properties", "subject"]),
        value(
            credential,
            &["properties", "claimsMatchingExpression", "value"],
        ),
    ) {
        (Some(at), _) | (None, Some(at)) => match at.as_str().or_else(|| at.open_shown()) {
            Some(text) => (at, text),
            None => return,
        },
        (None, None) => return,
    };
    let host = issuer
        .split_once("://")
        .map_or(issuer, |(_, rest)| rest)
        .split('/')
        .next()
        .unwrap_or(issuer);
    let from = builder.outsider(&format!("{subject} of {host}"));
    let to = builder.principal(who);
    let evidence = builder.seen(number, Some(at), "the identity trusts the pipeline");
    builder.add(
        Draft::new(Edge::PipelineIdentity, from, to)
            .by(evidence.clone())
            .perhaps(open),
    );
    builder.entry(
        from,
        EntryKind::Credential,
        "whoever can run or change it has its tokens",
        vec![evidence],
        None,
    );
}
