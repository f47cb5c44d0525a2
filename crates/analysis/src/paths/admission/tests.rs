//! What keeps pods of a shape out of a namespace, and what does not.

use std::sync::Arc;

use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::{Estate, Origin, Scope};

use super::{Admitted, Shape};
use crate::paths::builder::Builder;
use crate::roles::Builtin;
use crate::{Analyses, Given};

fn ask_in(scope: Scope, texts: &[&str], shape: Shape) -> Admitted {
    let symbols = cel::Symbols::default();
    let (managed, defaults) = (Managed::default(), model::azure::Defaults::default());
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(scope);
    for text in texts {
        for (index, text) in text.split("\n---\n").enumerate() {
            let origin = Origin {
                path: "estate".into(),
                index: index as u32,
                rendered_by: None,
                live: false,
            };
            let form = if text.starts_with('{') {
                Form::Json
            } else {
                Form::Yaml
            };
            for resource in reader.read(text, form, 1, &origin).resources {
                estate.add(resource);
            }
        }
    }
    estate.imply_namespaces(&symbols);
    let given = Given {
        kubernetes_minor: 34,
        builtin_objects: Box::new(Vec::new),
        builtin_roles: Box::new(|| Arc::new(Builtin::new(String::new()))),
        network: crate::reach::Options::default(),
    };
    let analyses = Analyses::new(&estate, given);
    Builder::new(&analyses, None).admits("shop", shape)
}

fn ask(texts: &[&str], shape: Shape) -> Admitted {
    ask_in(Scope::Whole, texts, shape)
}

fn word(admitted: &Admitted) -> &'static str {
    match admitted {
        Admitted::Yes(_) => "yes",
        Admitted::Perhaps(..) => "perhaps",
        Admitted::No(_) => "no",
    }
}

const SHOP: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: shop}}";

fn namespace(level: &str) -> String {
    SHOP.replace(
        "team: shop",
        &format!("pod-security.kubernetes.io/enforce: {level}"),
    )
}

#[test]
fn the_label_of_the_namespace_decides() {
    assert_eq!(word(&ask(&[SHOP], Shape::Node)), "yes");
    for (level, wanted) in [
        ("privileged", "yes"),
        ("baseline", "no"),
        ("restricted", "no"),
        // A level that does not exist counts as the strictest.
        ("none", "no"),
    ] {
        let text = namespace(level);
        for shape in [
            Shape::Node,
            Shape::Privileged,
            Shape::HostNetwork,
            Shape::HostPath,
        ] {
            assert_eq!(word(&ask(&[&text], shape)), wanted, "{level} {shape:?}");
        }
        assert_eq!(word(&ask(&[&text], Shape::Plain)), "yes", "{level}");
    }
    // Nobody says its labels.
    assert_eq!(word(&ask_in(Scope::Open, &[], Shape::Node)), "perhaps");
    assert_eq!(word(&ask_in(Scope::Open, &[SHOP], Shape::Node)), "perhaps");
    let restricted = namespace("restricted");
    assert_eq!(
        word(&ask_in(Scope::Open, &[&restricted], Shape::Node)),
        "no"
    );
}

/// A policy over pods, with one binding.
fn policy(validation: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: tame}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods, pods/ephemeralcontainers]}}
  variables:
  - name: all
    expression: object.spec.containers + object.spec.?ephemeralContainers.orValue([])
  validations:
  - expression: >-
      {validation}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: tame}}
spec:
  policyName: tame
  validationActions: [Deny]
  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: shop}}}}}}"
    )
}

/// No container that takes the node in one of the ways that a shape knows.
const CLOSED: &str = "!object.spec.?hostPID.orValue(false) && \
    object.spec.?volumes.orValue([]).all(v, !has(v.hostPath)) && \
    variables.all.all(c, !c.?securityContext.?privileged.orValue(false) && \
    c.?securityContext.?capabilities.?add.orValue([]).size() == 0)";

#[test]
fn policies_are_evaluated_over_what_an_attacker_would_write() {
    let closed = policy(CLOSED);
    assert_eq!(word(&ask(&[SHOP, &closed], Shape::Node)), "no");
    assert_eq!(word(&ask(&[SHOP, &closed], Shape::Plain)), "yes");
    assert_eq!(word(&ask(&[SHOP, &closed], Shape::HostNetwork)), "yes");
    assert_eq!(word(&ask(&[SHOP, &closed], Shape::HostPath)), "no");
    for (old, new, wanted) in [
        (
            "validationActions: [Deny]",
            "validationActions: [Warn, Audit]",
            "yes",
        ),
        ("policyName: tame", "policyName: other", "yes"),
        ("metadata.name: shop}", "metadata.name: bank}", "yes"),
        (
            "resources: [pods, pods/ephemeralcontainers]",
            "resources: [deployments]",
            "yes",
        ),
        (
            "resources: [pods, pods/ephemeralcontainers]",
            "resources: ['*/*']",
            "no",
        ),
        (
            "operations: [CREATE, UPDATE]",
            "operations: [DELETE]",
            "yes",
        ),
        ("apiGroups: ['']", "apiGroups: [apps]", "yes"),
        // Another way to the node stays open.
        ("!object.spec.?hostPID.orValue(false) &&", "", "no"),
        (
            "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath)) &&",
            "",
            "yes",
        ),
        // Whoever writes the pod leaves the label away.
        (
            "    resourceRules:",
            "    objectSelector: {matchLabels: {app: web}}\n    resourceRules:",
            "yes",
        ),
        (
            "  variables:",
            "  matchConditions: [{name: x, expression: \"request.namespace == 'bank'\"}]\n  variables:",
            "yes",
        ),
        (
            "  variables:",
            "  matchConditions: [{name: x, expression: \"request.namespace == 'shop'\"}]\n  variables:",
            "no",
        ),
        // Who asks is not known.
        (
            "  variables:",
            "  matchConditions: [{name: x, expression: \"request.userInfo.username != 'admin'\"}]\n  variables:",
            "perhaps",
        ),
        (
            "!object.spec.?hostPID",
            "no.such.thing || !object.spec.?hostPID",
            "perhaps",
        ),
    ] {
        let changed = closed.replacen(old, new, 1);
        assert_ne!(changed, closed, "{old}");
        assert_eq!(
            word(&ask(&[SHOP, &changed], Shape::Node)),
            wanted,
            "{old} -> {new}"
        );
    }
}

#[test]
fn ephemeral_containers_are_another_resource() {
    let closed = policy(
        "variables.all.all(c, !c.?securityContext.?privileged.orValue(false) && c.?securityContext.?capabilities.?add.orValue([]).size() == 0)",
    );
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web, image: shop.example/web:1}]}";
    assert_eq!(word(&ask(&[SHOP, pod, &closed], Shape::Privileged)), "no");
    let only_pods = closed.replace(
        "resources: [pods, pods/ephemeralcontainers]",
        "resources: [pods]",
    );
    assert_eq!(
        word(&ask(&[SHOP, pod, &only_pods], Shape::Privileged)),
        "yes"
    );
}

#[test]
fn what_the_attacker_chooses_keeps_nobody_out() {
    for validation in [
        "has(object.metadata.labels.team)",
        "object.metadata.labels.team == 'shop'",
        "object.spec.containers.all(c, c.image.startsWith('shop.azurecr.io/'))",
        "object.spec.containers.all(c, has(c.resources.limits.memory))",
        "object.spec.containers.all(c, c.securityContext.readOnlyRootFilesystem)",
    ] {
        let text = policy(validation);
        assert_eq!(
            word(&ask(&[SHOP, &text], Shape::Plain)),
            "yes",
            "{validation}"
        );
        assert_eq!(
            word(&ask(&[SHOP, &text], Shape::Node)),
            "yes",
            "{validation}"
        );
    }
    // An error is a no, unless the policy ignores it.
    let wrong = policy("object.spec.containers.all(c, c.securityContext.noSuchField == 1)");
    assert_eq!(word(&ask(&[SHOP, &wrong], Shape::Plain)), "no");
    let ignored = wrong.replace("failurePolicy: Fail", "failurePolicy: Ignore");
    assert_eq!(word(&ask(&[SHOP, &ignored], Shape::Plain)), "yes");
}

#[test]
fn parameters_are_read_where_they_lie() {
    let with = policy("object.spec.?hostNetwork.orValue(false) == false || params.data.open == 'yes'")
        .replace("  failurePolicy: Fail", "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  failurePolicy: Fail")
        .replace("  policyName: tame", "  paramRef: {name: rules, namespace: ops, parameterNotFoundAction: Deny}\n  policyName: tame");
    let params = |open: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: rules, namespace: ops}}\ndata: {{open: '{open}'}}"
        )
    };
    assert_eq!(
        word(&ask(&[SHOP, &with, &params("yes")], Shape::HostNetwork)),
        "yes"
    );
    assert_eq!(
        word(&ask(&[SHOP, &with, &params("no")], Shape::HostNetwork)),
        "no"
    );
    assert_eq!(word(&ask(&[SHOP, &with], Shape::HostNetwork)), "no");
    let lenient = with.replace("Action: Deny", "Action: Allow");
    assert_eq!(word(&ask(&[SHOP, &lenient], Shape::HostNetwork)), "yes");
}

const CLUSTER: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"addonProfiles": {"azurepolicy": {"enabled": true}}}},
    {"type": "Microsoft.Authorization/policyAssignments", "apiVersion": "2025-03-01", "name": "baseline",
     "properties": {
       "policyDefinitionId": "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d",
       "parameters": {"effect": {"value": "Deny"}, "excludedNamespaces": {"value": ["kube-system"]}}}}
  ]
}"#;

#[test]
fn initiatives_and_safeguards_of_azure_count() {
    assert_eq!(word(&ask(&[SHOP, CLUSTER], Shape::Node)), "no");
    assert_eq!(word(&ask(&[SHOP, CLUSTER], Shape::Plain)), "yes");
    for (old, new, wanted) in [
        ("\"Deny\"", "\"Audit\"", "yes"),
        ("[\"kube-system\"]", "[\"kube-system\", \"shop\"]", "yes"),
        ("\"enabled\": true", "\"enabled\": false", "yes"),
        (
            "\"parameters\"",
            "\"enforcementMode\": \"DoNotEnforce\", \"parameters\"",
            "yes",
        ),
        ("\"Deny\"", "\"[parameters('effect')]\"", "perhaps"),
    ] {
        let changed = CLUSTER.replacen(old, new, 1);
        assert_eq!(
            word(&ask(&[SHOP, &changed], Shape::Node)),
            wanted,
            "{old} -> {new}"
        );
    }
    let safeguards = r#"{
      "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      "contentVersion": "1.0.0.0",
      "resources": [
        {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop", "properties": {}},
        {"type": "Microsoft.ContainerService/deploymentSafeguards", "apiVersion": "2025-07-01", "name": "default",
         "scope": "[resourceId('Microsoft.ContainerService/managedClusters', 'shop')]",
         "properties": {"level": "Enforce", "podSecurityStandardsLevel": "Baseline"}}
      ]
    }"#;
    assert_eq!(word(&ask(&[SHOP, safeguards], Shape::Node)), "no");
    for (old, new) in [("Enforce", "Warn"), ("Baseline", "Privileged")] {
        let changed = safeguards.replace(old, new);
        assert_eq!(word(&ask(&[SHOP, &changed], Shape::Node)), "yes", "{new}");
    }
}

#[test]
fn engines_and_webhooks_leave_a_doubt() {
    let webhook = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.shop.example
  namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [shop]}]}
  rules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods]}]";
    assert_eq!(word(&ask(&[SHOP, webhook], Shape::Node)), "perhaps");
    assert_eq!(word(&ask(&[SHOP, webhook], Shape::Plain)), "yes");
    let other = webhook.replace("values: [shop]", "values: [bank]");
    assert_eq!(word(&ask(&[SHOP, &other], Shape::Node)), "yes");
    let constraint = "\
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sPSPPrivilegedContainer
metadata: {name: privileged}
spec:
  enforcementAction: deny
  match: {kinds: [{apiGroups: [''], kinds: [Pod]}], excludedNamespaces: [kube-system]}";
    assert_eq!(word(&ask(&[SHOP, constraint], Shape::Node)), "perhaps");
    let dry = constraint.replace("Action: deny", "Action: dryrun");
    assert_eq!(word(&ask(&[SHOP, &dry], Shape::Node)), "yes");
    let kyverno = "\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: privileged}
spec:
  validationFailureAction: Enforce
  rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {message: no, pattern: {}}}]";
    assert_eq!(word(&ask(&[SHOP, kyverno], Shape::Node)), "perhaps");
    let audit = kyverno.replace("Enforce", "Audit");
    assert_eq!(word(&ask(&[SHOP, &audit], Shape::Node)), "yes");
}
