//! Objects that a powerful controller carries out: whoever writes them acts with its rights.
//!
//! A controller is found by the name of its workload, as its makers' manifests call it. What else such objects give
//! is in [`argo`] (Applications in other namespaces, projects) and [`stores`] (External Secrets).
//!
//! Left out: controllers that AKS runs by itself (the Flux extension: `flux-write` in Azure leads there); limits that
//! controllers set to single users; certificates of cert-manager, which prove a name to whoever trusts their issuer and
//! give no right in the cluster.

use model::{Ref, Within};

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::paths::node::Place;
use crate::reach::Workload;

mod argo;
mod stores;

/// A controller.
struct Controller {
    /// The right that it carries out.
    right: &'static str,
    /// What the name of its workload is or ends with; with `*`, begins with.
    names: &'static [&'static str],
    serves: Serves,
    gives: Gives,
    doubt: Option<&'static str>,
    /// The definitions of what it carries out.
    definitions: &'static [&'static str],
}

/// Where objects are carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serves {
    /// In the controller's own namespace.
    Own,
    /// Anywhere.
    All,
    /// Anywhere, as service accounts of the object's namespace where a flag names one
    /// (fluxcd.io/flux/installation/configuration/multitenancy); it takes manifests from a source.
    Flux,
}

/// What whoever writes the objects has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// The controller's own account.
    Account,
    /// These rights, where the object is.
    Rights(&'static [&'static str]),
    /// These rights, where the controller is.
    Beside(&'static [&'static str]),
}

const fn controller(
    right: &'static str,
    names: &'static [&'static str],
    serves: Serves,
    gives: Gives,
    definitions: &'static [&'static str],
) -> Controller {
    Controller {
        right,
        names,
        serves,
        gives,
        doubt: None,
        definitions,
    }
}

const fn perhaps(why: &'static str, controller: Controller) -> Controller {
    Controller {
        doubt: Some(why),
        ..controller
    }
}

/// Pods with any account of the namespace; admission is asked for them as for others.
const PODS: Gives = Gives::Rights(&["pod-create"]);

const CONTROLLERS: &[Controller] = &[
    perhaps(
        argo::DOUBT,
        controller(
            argo::APPLICATION,
            &["argocd-application-controller"],
            Serves::Own,
            Gives::Account,
            &["applications.argoproj.io"],
        ),
    ),
    // argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Security
    controller(
        "argo-application-set",
        &["argocd-applicationset-controller"],
        Serves::Own,
        Gives::Rights(&[argo::APPLICATION]),
        &["applicationsets.argoproj.io"],
    ),
    // argo-workflows.readthedocs.io/en/latest/security
    controller(
        "argo-workflow",
        &["workflow-controller"],
        Serves::All,
        PODS,
        &["workflows.argoproj.io", "cronworkflows.argoproj.io"],
    ),
    // argo-rollouts.readthedocs.io/en/stable/features/specification
    controller(
        "argo-rollout",
        &["argo-rollouts"],
        Serves::All,
        PODS,
        &["rollouts.argoproj.io"],
    ),
    // tekton.dev/docs/pipelines/taskruns
    controller(
        "tekton-run",
        &["tekton-pipelines-controller"],
        Serves::All,
        PODS,
        &["taskruns.tekton.dev", "pipelineruns.tekton.dev"],
    ),
    // keda.sh/docs/latest/reference/scaledjob-spec
    controller(
        "keda-job",
        &["keda-operator"],
        Serves::All,
        PODS,
        &["scaledjobs.keda.sh"],
    ),
    // prometheus-operator.dev/docs/api-reference/api, `containers` and `serviceAccountName`
    controller(
        "prometheus-resource",
        &["prometheus-operator", "prometheus-stack-operator"],
        Serves::All,
        PODS,
        &[
            "prometheuses.monitoring.coreos.com",
            "alertmanagers.monitoring.coreos.com",
        ],
    ),
    controller(
        "flux-kustomization",
        &["kustomize-controller"],
        Serves::Flux,
        Gives::Account,
        &["kustomizations.kustomize.toolkit.fluxcd.io"],
    ),
    controller(
        "flux-helm-release",
        &["helm-controller"],
        Serves::Flux,
        Gives::Account,
        &["helmreleases.helm.toolkit.fluxcd.io"],
    ),
    perhaps(
        "the operator's identity must be allowed to assign roles",
        controller(
            "operator-role-assignment",
            &["azureserviceoperator-controller-manager"],
            Serves::All,
            Gives::Account,
            &["roleassignments.authorization.azure.com"],
        ),
    ),
    // Workloads of providers are called by their revisions (docs.crossplane.io/latest/packages/providers).
    perhaps(
        "a ProviderConfig must let the provider act with rights of its own",
        controller(
            "crossplane-object",
            &["provider-kubernetes", "provider-kubernetes-*"],
            Serves::All,
            Gives::Account,
            &["objects.kubernetes.crossplane.io"],
        ),
    ),
    perhaps(
        "a ProviderConfig must let the provider act with rights of its own",
        controller(
            "crossplane-release",
            &["provider-helm", "provider-helm-*"],
            Serves::All,
            Gives::Account,
            &["releases.helm.crossplane.io"],
        ),
    ),
    // An issuer names a vault server anywhere, and a Secret that it signs in there with: in its own namespace, a
    // ClusterIssuer in that of cert-manager (cert-manager.io/docs/configuration/vault,
    // cert-manager.io/docs/configuration/#cluster-resource-namespace).
    controller(
        "certificate-issuer",
        &["cert-manager"],
        Serves::All,
        Gives::Rights(&["secret-read"]),
        &["issuers.cert-manager.io"],
    ),
    controller(
        "certificate-cluster-issuer",
        &["cert-manager"],
        Serves::All,
        Gives::Beside(&["secret-read"]),
        &["clusterissuers.cert-manager.io"],
    ),
    // A store names a server anywhere, and what it signs in there with: a Secret, or a token of an account that is
    // made for it (external-secrets.io/latest/provider/hashicorp-vault, …/provider/kubernetes).
    controller(
        "secret-store",
        &["external-secrets"],
        Serves::All,
        Gives::Rights(&["secret-read", "accounts"]),
        &["secretstores.external-secrets.io"],
    ),
    controller(
        "cluster-secret-store",
        &["external-secrets"],
        Serves::All,
        Gives::Rights(&["secret-read", "accounts"]),
        &["clustersecretstores.external-secrets.io"],
    ),
    // kyverno.io/docs/policy-types/cluster-policy/mutate
    perhaps(
        "somebody must create a pod afterwards",
        controller(
            "kyverno-mutation",
            &["kyverno-admission-controller"],
            Serves::All,
            Gives::Rights(&["pod-create"]),
            &["clusterpolicies.kyverno.io"],
        ),
    ),
];

/// The flag by which Flux acts as an account of the object's namespace.
const DEFAULT_ACCOUNT: &str = "--default-service-account";

/// The kinds that Flux takes manifests from.
const SOURCES: [&str; 4] = [
    "GitRepository.source.toolkit.fluxcd.io",
    "OCIRepository.source.toolkit.fluxcd.io",
    "Bucket.source.toolkit.fluxcd.io",
    "HelmRepository.source.toolkit.fluxcd.io",
];

pub(super) fn add(builder: &mut Builder<'_>) {
    let mut carried: Vec<&'static str> = Vec::new();
    for workload in builder.names.workloads.clone() {
        for controller in CONTROLLERS {
            if controller.is(&workload.name) {
                carries_out(builder, controller, &workload);
                carried.push(controller.right);
            }
        }
        stores::add(builder, &workload);
    }
    converted(builder, &carried);
}

/// The right over objects of a definition, by its name.
pub(super) fn right_of(definition: &str) -> Option<&'static str> {
    CONTROLLERS
        .iter()
        .find(|controller| controller.definitions.contains(&definition))
        .map(|controller| controller.right)
}

/// Who changes how all custom objects are converted writes those that a controller carries out.
fn converted(builder: &mut Builder<'_>, carried: &[&'static str]) {
    let Some(from) = builder.known_right("crd-conversion", Place::Cluster) else {
        return;
    };
    let always = builder.always("what a webhook converts is what the controller reads");
    for right in carried {
        let to = builder.right(right, Place::Cluster);
        builder.add_once(Draft::new(Edge::CrdConversion, from, to).by(always.clone()));
    }
}

impl Controller {
    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| match own.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name.ends_with(own),
        })
    }
}

/// Steps of who holds a right in a place, to what it gives there.
fn step(
    builder: &mut Builder<'_>,
    controller: &Controller,
    workload: &Workload,
    place: Place,
    by: &Evidence,
    doubt: Option<&str>,
) {
    let from = builder.right(controller.right, place);
    let targets = match controller.gives {
        Gives::Account => vec![account(builder, workload)],
        Gives::Rights(rights) => rights
            .iter()
            .map(|right| builder.right(right, place))
            .collect(),
        Gives::Beside(rights) => {
            let beside = builder.namespace(&workload.namespace);
            rights
                .iter()
                .map(|right| builder.right(right, beside))
                .collect()
        }
    };
    for to in targets {
        builder.add(
            Draft::new(Edge::OperatorResource, from, to)
                .by(by.clone())
                .perhaps(doubt),
        );
    }
}

fn account(builder: &mut Builder<'_>, workload: &Workload) -> crate::paths::NodeNo {
    let name = account_name(builder, workload);
    builder.account(&workload.namespace, &name)
}

fn account_name(builder: &Builder<'_>, workload: &Workload) -> String {
    let spec = builder.resource(workload).and_then(|own| own.pod_spec());
    spec.and_then(|spec| spec.get("serviceAccountName"))
        .and_then(Ref::as_str)
        .unwrap_or("default")
        .to_owned()
}

fn carries_out(builder: &mut Builder<'_>, controller: &Controller, workload: &Workload) {
    let Some(spec) = builder.resource(workload).and_then(|own| own.pod_spec()) else {
        return;
    };
    let by = if controller.gives == Gives::Account {
        let account = account_name(builder, workload);
        let says = format!(
            "{} {} acts as ServiceAccount {account}",
            workload.kind, workload.name
        );
        builder.seen(workload.resource, spec.get("serviceAccountName"), &says)
    } else {
        let says = format!("{} {} carries it out", workload.kind, workload.name);
        builder.seen(workload.resource, None, &says)
    };
    let mut doubt = controller.doubt;
    if controller.right == argo::APPLICATION {
        argo::add(builder, workload, &by);
        return;
    }
    if controller.serves == Serves::Flux {
        let given = SOURCES
            .iter()
            .any(|kind| !builder.estate.of_kind(kind).is_empty());
        if !given {
            if builder
                .estate
                .absent_any(&SOURCES, Within::Everywhere)
                .is_none()
            {
                return;
            }
            doubt = Some("what Flux takes manifests from was not given");
        }
        if let Some(flag) = flag(spec, DEFAULT_ACCOUNT) {
            as_tenant(builder, controller, workload, flag, doubt);
            return;
        }
    }
    // The makers of pods can be told to serve their own namespace alone.
    let own = controller.serves == Serves::Own || flag(spec, "--namespaced").is_some();
    if own {
        let place = builder.namespace(&workload.namespace);
        step(builder, controller, workload, place, &by, doubt);
        return;
    }
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        if builder.known_right(controller.right, place).is_some() {
            step(builder, controller, workload, place, &by, doubt);
        }
    }
    step(builder, controller, workload, Place::Cluster, &by, doubt);
}

/// An argument that begins so.
fn flag<'a>(spec: Ref<'a>, start: &str) -> Option<Ref<'a>> {
    spec.get("containers")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|container| container.get("args"))
        .flat_map(Ref::items)
        .find(|arg| arg.as_str().is_some_and(|text| text.starts_with(start)))
}

/// Then the object names any account of its own namespace.
fn as_tenant(
    builder: &mut Builder<'_>,
    controller: &Controller,
    workload: &Workload,
    flag: Ref<'_>,
    doubt: Option<&'static str>,
) {
    let says = "acts as an account of the namespace of what it carries out";
    let by: Evidence = builder.seen(workload.resource, Some(flag), says);
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        let from = builder.right(controller.right, place);
        let to = builder.right("accounts", place);
        builder.add(
            Draft::new(Edge::OperatorResource, from, to)
                .by(by.clone())
                .perhaps(doubt),
        );
    }
}
