//! Where a policy counts, and what it does there: by severity, or by a label of the namespace.
//!
//! Without the label there is one binding. With it there is one for namespaces that do not have it,
//! and one for each word that it may have; `off` has none.

use super::policy::Draft;
use super::resources::{self, Rule};
use super::{ConfigMap, Enforce};

/// What a ValidatingAdmissionPolicyBinding says.
pub(crate) struct Binding<'a> {
    /// What stands behind the policy's name.
    pub(crate) suffix: Option<&'static str>,
    pub(crate) actions: &'static [&'static str],
    pub(crate) selector: Vec<Selector>,
    /// Only these requests of the policy's.
    pub(crate) rules: Vec<Rule>,
    /// Where settings are read, and what is done when they are missing.
    pub(crate) params: Option<(ConfigMap<'a>, &'static str)>,
}

/// An entry of `matchExpressions`.
pub(crate) struct Selector {
    pub(crate) about: &'static str,
    pub(crate) key: String,
    pub(crate) operator: &'static str,
    pub(crate) values: Vec<String>,
}

const WORDS: [Enforce; 3] = [Enforce::Audit, Enforce::Deny, Enforce::Warn];

/// The bindings of a policy.
pub(crate) fn bindings<'a>(draft: &Draft<'a>) -> Vec<Binding<'a>> {
    let plain = |suffix, actions: &'static [&'static str]| Binding {
        suffix,
        actions,
        selector: spared(draft),
        rules: Vec::new(),
        params: draft.config_map.map(|map| (map, when_missing(actions))),
    };
    // Labels of namespaces say nothing about objects outside of them.
    let key = draft.label.filter(|_| draft.spared.is_some());
    let Some(key) = key else {
        return vec![plain(None, draft.actions)];
    };
    let by_label = |operator, values: Vec<String>| Selector {
        about: "what the namespace says about itself",
        key: key.to_owned(),
        operator,
        values,
    };
    let mut all = WORDS.map(|word| word.word().to_owned()).to_vec();
    all.push("off".to_owned());
    all.sort();
    let mut default = plain(None, draft.actions);
    default.selector.push(by_label("NotIn", all));
    let mut bindings = vec![default];
    for word in WORDS {
        let mut binding = plain(
            Some(word.word()),
            Enforce::actions(Some(word), draft.severity),
        );
        binding
            .selector
            .push(by_label("In", vec![word.word().to_owned()]));
        // A namespace selector lets everything through that is in no namespace.
        binding.rules = resources::in_namespaces(draft.guideline, &draft.rules);
        bindings.push(binding);
    }
    bindings
}

/// A policy whose settings are gone judges nothing, or nothing passes it. To deny is right only for
/// what is denied anyway: a binding that warns would begin to refuse (a failed configuration follows
/// `failurePolicy`, `k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go`).
fn when_missing(actions: &[&str]) -> &'static str {
    if actions.contains(&"Deny") {
        "Deny"
    } else {
        "Allow"
    }
}

/// The namespaces that are left alone.
pub(crate) fn spared(draft: &Draft<'_>) -> Vec<Selector> {
    let Some(namespaces) = draft.spared else {
        return Vec::new();
    };
    let selector = |about, key: &str, values: Vec<String>| Selector {
        about,
        key: key.to_owned(),
        operator: "NotIn",
        values,
    };
    vec![
        selector(
            "namespaces that AKS owns or needs to start",
            "kubernetes.io/metadata.name",
            namespaces.iter().map(ToString::to_string).collect(),
        ),
        selector(
            "what AKS adds to every webhook: whoever may label a namespace leaves the policy",
            "control-plane",
            vec!["true".to_owned()],
        ),
        selector("", "kubernetes.azure.com/managedby", vec!["aks".to_owned()]),
    ]
}

/// Who may set the label: nobody by the right to write namespaces alone. Labels also change through
/// the subresources (`k8s.io/kubernetes/pkg/registry/core/namespace/strategy.go` keeps them there).
pub(crate) fn guard(key: &str) -> String {
    let key = cel::ast::Literal::Str(key.into()).to_string();
    format!(
        r#"# The label {key} of a namespace says what the policies of seawall do there: warn, audit, deny or off.
# Whoever may set it can switch them off. So that the right to write namespaces is not enough, this policy
# asks for one more: the verb `set` on `enforcements.seawall.dev`, which the ClusterRole below has.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: seawall-enforce-label
  labels:
    app.kubernetes.io/managed-by: seawall
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: ['']
      apiVersions: ['*']
      operations: [CREATE, UPDATE]
      resources: [namespaces, namespaces/status, namespaces/finalize]
  variables:
  - name: now
    expression: 'object.metadata.?labels[?{key}].orValue("")'
  - name: before
    expression: 'request.operation == "CREATE" ? "" : oldObject.metadata.?labels[?{key}].orValue("")'
  validations:
  - expression: |-
      variables.now == variables.before
      || authorizer.group("seawall.dev").resource("enforcements").name(object.metadata.name).check("set").allowed()
    message: 'only who may `set` `enforcements.seawall.dev` changes the label {label}'
    reason: Forbidden
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: seawall-enforce-label
  labels:
    app.kubernetes.io/managed-by: seawall
spec:
  policyName: seawall-enforce-label
  validationActions: [Deny]
---
# Bind it to whoever decides what is enforced where. Roles that may do everything have it anyway.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: seawall-enforcement
  labels:
    app.kubernetes.io/managed-by: seawall
rules:
- apiGroups: [seawall.dev]
  resources: [enforcements]
  verbs: [set]
"#,
        label = key.trim_matches('"'),
    )
}
