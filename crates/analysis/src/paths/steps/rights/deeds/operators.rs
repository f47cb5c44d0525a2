//! Over objects that a controller carries out; one that is there counts as well as a new one.

use super::{Deed, Edge, Target, Use, anywhere, cluster, deed, perhaps};
use crate::rbac::escalations::facts::{Need, WRITE};

const fn carried(
    right: &'static str,
    title: &'static str,
    kinds: &'static [&'static str],
    any_of: &'static [&'static [Need]],
) -> Deed {
    deed(
        right,
        title,
        Edge::OperatorResource,
        Use::Named(Target::Present(kinds)),
        any_of,
    )
}

pub(super) const DEEDS: &[Deed] = &[
    carried(
        "argo-application",
        "may write Applications of Argo CD",
        &["Application.argoproj.io"],
        &[&[anywhere(WRITE, "argoproj.io", &["applications"])]],
    ),
    carried(
        "argo-application-set",
        "may write ApplicationSets of Argo CD",
        &["ApplicationSet.argoproj.io"],
        &[&[anywhere(WRITE, "argoproj.io", &["applicationsets"])]],
    ),
    carried(
        "argo-project",
        "may write projects of Argo CD",
        &["AppProject.argoproj.io"],
        &[&[anywhere(WRITE, "argoproj.io", &["appprojects"])]],
    ),
    carried(
        "argo-workflow",
        "may write Workflows of Argo",
        &["Workflow.argoproj.io", "CronWorkflow.argoproj.io"],
        &[&[anywhere(
            WRITE,
            "argoproj.io",
            &["workflows", "cronworkflows"],
        )]],
    ),
    carried(
        "argo-rollout",
        "may write Rollouts of Argo",
        &["Rollout.argoproj.io"],
        &[&[anywhere(WRITE, "argoproj.io", &["rollouts"])]],
    ),
    carried(
        "tekton-run",
        "may write runs of Tekton",
        &["TaskRun.tekton.dev", "PipelineRun.tekton.dev"],
        &[&[anywhere(WRITE, "tekton.dev", &["taskruns", "pipelineruns"])]],
    ),
    carried(
        "keda-job",
        "may write ScaledJobs of KEDA",
        &["ScaledJob.keda.sh"],
        &[&[anywhere(WRITE, "keda.sh", &["scaledjobs"])]],
    ),
    carried(
        "prometheus-resource",
        "may write what the Prometheus operator runs",
        &[
            "Prometheus.monitoring.coreos.com",
            "PrometheusAgent.monitoring.coreos.com",
            "Alertmanager.monitoring.coreos.com",
            "ThanosRuler.monitoring.coreos.com",
        ],
        &[&[anywhere(
            WRITE,
            "monitoring.coreos.com",
            &[
                "prometheuses",
                "prometheusagents",
                "alertmanagers",
                "thanosrulers",
            ],
        )]],
    ),
    carried(
        "flux-kustomization",
        "may write Kustomizations of Flux",
        &["Kustomization.kustomize.toolkit.fluxcd.io"],
        &[&[anywhere(
            WRITE,
            "kustomize.toolkit.fluxcd.io",
            &["kustomizations"],
        )]],
    ),
    carried(
        "flux-helm-release",
        "may write HelmReleases of Flux",
        &["HelmRelease.helm.toolkit.fluxcd.io"],
        &[&[anywhere(WRITE, "helm.toolkit.fluxcd.io", &["helmreleases"])]],
    ),
    carried(
        "operator-role-assignment",
        "may write role assignments of Azure Service Operator",
        &["RoleAssignment.authorization.azure.com"],
        &[&[anywhere(
            WRITE,
            "authorization.azure.com",
            &["roleassignments"],
        )]],
    ),
    carried(
        "crossplane-object",
        "may write Objects of Crossplane's Kubernetes provider",
        &["Object.kubernetes.crossplane.io"],
        &[&[cluster(WRITE, "kubernetes.crossplane.io", &["objects"])]],
    ),
    carried(
        "crossplane-release",
        "may write Releases of Crossplane's Helm provider",
        &["Release.helm.crossplane.io"],
        &[&[cluster(WRITE, "helm.crossplane.io", &["releases"])]],
    ),
    carried(
        "certificate-issuer",
        "may write Issuers of cert-manager",
        &["Issuer.cert-manager.io"],
        &[&[anywhere(WRITE, "cert-manager.io", &["issuers"])]],
    ),
    carried(
        "certificate-cluster-issuer",
        "may write ClusterIssuers of cert-manager",
        &["ClusterIssuer.cert-manager.io"],
        &[&[cluster(WRITE, "cert-manager.io", &["clusterissuers"])]],
    ),
    carried(
        "pod-identity-binding",
        "may write bindings of AAD Pod Identity",
        &["AzureIdentityBinding.aadpodidentity.k8s.io"],
        &[&[anywhere(
            WRITE,
            "aadpodidentity.k8s.io",
            &["azureidentitybindings"],
        )]],
    ),
    carried(
        "external-secret",
        "may write ExternalSecrets",
        &["ExternalSecret.external-secrets.io"],
        &[&[anywhere(WRITE, "external-secrets.io", &["externalsecrets"])]],
    ),
    carried(
        "external-secret",
        "may write ClusterExternalSecrets",
        &["ClusterExternalSecret.external-secrets.io"],
        &[&[cluster(
            WRITE,
            "external-secrets.io",
            &["clusterexternalsecrets"],
        )]],
    ),
    carried(
        "secret-store",
        "may write SecretStores",
        &["SecretStore.external-secrets.io"],
        &[&[anywhere(WRITE, "external-secrets.io", &["secretstores"])]],
    ),
    carried(
        "cluster-secret-store",
        "may write ClusterSecretStores",
        &["ClusterSecretStore.external-secrets.io"],
        &[&[cluster(
            WRITE,
            "external-secrets.io",
            &["clustersecretstores"],
        )]],
    ),
    perhaps(
        "somebody must create a pod afterwards",
        carried(
            "kyverno-mutation",
            "may have Kyverno change objects",
            &[
                "ClusterPolicy.kyverno.io",
                "MutatingPolicy.policies.kyverno.io",
            ],
            &[
                &[cluster(WRITE, "kyverno.io", &["clusterpolicies"])],
                &[cluster(WRITE, "policies.kyverno.io", &["mutatingpolicies"])],
            ],
        ),
    ),
];
