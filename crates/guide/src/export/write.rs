//! Policies and bindings as YAML, with what a reviewer wants to know as comments.

use std::fmt::Write as _;

use super::layout::lay_out;
use super::policy::Draft;

/// The two documents of a policy.
pub(crate) fn documents(name: &str, draft: &Draft<'_>) -> String {
    let mut out = String::new();
    let guideline = draft.guideline;
    let _ = writeln!(out, "# {}.", guideline.title);
    let _ = writeln!(
        out,
        "# Why, when not, how to fix: seawall explain {}",
        guideline.id
    );
    header(&mut out, "ValidatingAdmissionPolicy", name, draft);
    out.push_str("spec:\n  failurePolicy: Fail\n  matchConstraints:\n    resourceRules:\n");
    for rule in &draft.rules {
        let _ = writeln!(out, "    - apiGroups: [{}]", single(&rule.group));
        out.push_str("      apiVersions: ['*']\n");
        let _ = writeln!(out, "      operations: [{}]", rule.operations.join(", "));
        let _ = writeln!(out, "      resources: [{}]", rule.resources.join(", "));
    }
    out.push_str("  matchConditions:\n");
    for condition in &draft.conditions {
        let _ = writeln!(out, "  # not judged: {}", condition.about);
        let _ = writeln!(out, "  - name: {}", condition.name);
        field(&mut out, "    expression", &condition.expression);
    }
    if !draft.variables.is_empty() {
        out.push_str("  variables:\n");
        for (name, expr) in &draft.variables {
            let _ = writeln!(out, "  - name: {name}");
            field(&mut out, "    expression", &lay_out(expr));
        }
    }
    out.push_str("  validations:\n");
    for validation in &draft.validations {
        field(&mut out, "  - expression", &lay_out(&validation.expression));
        field(&mut out, "    message", &validation.message);
        if let Some(expr) = &validation.message_expression {
            field(&mut out, "    messageExpression", &lay_out(expr));
        }
    }
    out.push_str("---\n");
    binding(&mut out, name, draft);
    out
}

fn binding(out: &mut String, name: &str, draft: &Draft<'_>) {
    header(out, "ValidatingAdmissionPolicyBinding", name, draft);
    let _ = writeln!(
        out,
        "spec:\n  policyName: {name}\n  validationActions: {}",
        draft.actions
    );
    let Some(namespaces) = draft.spared else {
        return;
    };
    let names: Vec<&str> = namespaces.iter().map(|name| &**name).collect();
    out.push_str("  matchResources:\n    namespaceSelector:\n      matchExpressions:\n");
    out.push_str("      # namespaces that AKS owns or needs to start\n");
    let _ = writeln!(
        out,
        "      - {{key: kubernetes.io/metadata.name, operator: NotIn, values: [{}]}}",
        names.join(", ")
    );
    out.push_str(
        "      # what AKS adds to every webhook: whoever may label a namespace leaves the policy\n",
    );
    out.push_str("      - {key: control-plane, operator: NotIn, values: ['true']}\n");
    out.push_str("      - {key: kubernetes.azure.com/managedby, operator: NotIn, values: [aks]}\n");
}

fn header(out: &mut String, kind: &str, name: &str, draft: &Draft<'_>) {
    let _ = writeln!(
        out,
        "apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}"
    );
    out.push_str("  labels:\n    app.kubernetes.io/managed-by: seawall\n");
    let _ = writeln!(out, "    seawall.dev/guideline: {}", draft.guideline.id);
    let _ = writeln!(out, "    seawall.dev/severity: {}", draft.severity.word());
    let _ = writeln!(
        out,
        "  annotations:\n    seawall.dev/kubernetes: '1.{}'",
        draft.minor
    );
}

/// `key: value`; several lines as a block.
fn field(out: &mut String, key: &str, value: &str) {
    if !value.contains('\n') {
        let _ = writeln!(out, "{key}: {}", single(value));
        return;
    }
    let _ = writeln!(out, "{key}: |-");
    let indent = key.len() - key.trim_start_matches([' ', '-']).len() + 2;
    for line in value.lines() {
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

/// A scalar in single quotes: CEL is written with double ones.
fn single(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
