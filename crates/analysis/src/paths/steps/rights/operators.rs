//! Objects that a powerful controller carries out: whoever writes them acts with its rights.
//!
//! A controller is found by the name of its workload, as its makers' manifests call it. Left out: cert-manager
//! and External Secrets, whose controllers give away certificates and secrets of a store and no rights of their
//! own; limits that the controllers set to single users.

use model::{Ref, Within};

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::paths::node::Place;
use crate::reach::Workload;

/// A controller.
struct Controller {
    /// The right that it carries out.
    right: &'static str,
    /// What the name of its workload is or ends with.
    name: &'static str,
    serves: Serves,
    doubt: Option<&'static str>,
}

/// Where objects are carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serves {
    /// In the controller's own namespace
    /// (argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace).
    Own,
    /// Anywhere.
    All,
    /// Anywhere, as service accounts of the object's namespace where a flag names one
    /// (fluxcd.io/flux/installation/configuration/multitenancy); it takes manifests from a source.
    Flux,
}

const CONTROLLERS: [Controller; 5] = [
    Controller {
        right: "argo-application",
        name: "argocd-application-controller",
        serves: Serves::Own,
        doubt: Some("a project of Argo CD must allow it"),
    },
    Controller {
        right: "flux-kustomization",
        name: "kustomize-controller",
        serves: Serves::Flux,
        doubt: None,
    },
    Controller {
        right: "flux-helm-release",
        name: "helm-controller",
        serves: Serves::Flux,
        doubt: None,
    },
    Controller {
        right: "operator-role-assignment",
        name: "azureserviceoperator-controller-manager",
        serves: Serves::All,
        doubt: Some("the operator's identity must be allowed to assign roles"),
    },
    Controller {
        right: "crossplane-object",
        name: "provider-kubernetes",
        serves: Serves::All,
        doubt: Some("a ProviderConfig must let the provider act with rights of its own"),
    },
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
    for workload in builder.names.workloads.clone() {
        for controller in &CONTROLLERS {
            if workload.name.ends_with(controller.name) {
                carries_out(builder, controller, &workload);
            }
        }
    }
}

fn carries_out(builder: &mut Builder<'_>, controller: &Controller, workload: &Workload) {
    let Some(spec) = builder.resource(workload).and_then(|own| own.pod_spec()) else {
        return;
    };
    let account = spec
        .get("serviceAccountName")
        .and_then(Ref::as_str)
        .unwrap_or("default");
    let says = format!(
        "{} {} acts as ServiceAccount {account}",
        workload.kind, workload.name
    );
    let by = builder.seen(workload.resource, spec.get("serviceAccountName"), &says);
    let to = builder.account(&workload.namespace, account);
    let place = match controller.serves {
        Serves::Own => builder.namespace(&workload.namespace),
        Serves::All | Serves::Flux => Place::Cluster,
    };
    let mut doubt = controller.doubt;
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
        if let Some(flag) = flag(spec) {
            as_tenant(builder, controller, workload, flag, doubt);
            return;
        }
    }
    if place != Place::Cluster {
        let from = builder.right(controller.right, place);
        builder.add(
            Draft::new(Edge::OperatorResource, from, to)
                .by(by)
                .perhaps(doubt),
        );
        return;
    }
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        let Some(from) = builder.known_right(controller.right, place) else {
            continue;
        };
        builder.add(
            Draft::new(Edge::OperatorResource, from, to)
                .by(by.clone())
                .perhaps(doubt),
        );
    }
    let from = builder.right(controller.right, Place::Cluster);
    builder.add(
        Draft::new(Edge::OperatorResource, from, to)
            .by(by)
            .perhaps(doubt),
    );
}

/// The argument that makes Flux act as an account of the object's namespace.
fn flag(spec: Ref<'_>) -> Option<Ref<'_>> {
    spec.get("containers")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|container| container.get("args"))
        .flat_map(Ref::items)
        .find(|arg| {
            arg.as_str()
                .is_some_and(|text| text.starts_with(DEFAULT_ACCOUNT))
        })
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
