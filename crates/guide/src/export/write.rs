//! Policies and bindings as YAML, with what a reviewer wants to know as comments.

use std::fmt::Write as _;

use super::bindings::{Binding, Selector, bindings};
use super::layout::lay_out;
use super::policy::Draft;
use super::resources::Rule;

/// The policy and its bindings.
pub(crate) fn documents(name: &str, draft: &Draft<'_>) -> String {
    let mut out = about(draft);
    header(
        &mut out,
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        name,
        draft,
    );
    out.push_str("spec:\n  failurePolicy: Fail\n");
    if draft.config_map.is_some() {
        out.push_str("  paramKind:\n    apiVersion: v1\n    kind: ConfigMap\n");
    }
    out.push_str("  matchConstraints:\n");
    resource_rules(&mut out, &draft.rules);
    judged(&mut out, draft);
    for binding in bindings(draft) {
        out.push_str("---\n");
        write_binding(&mut out, name, draft, &binding);
    }
    out
}

/// `resourceRules`, below what selects requests.
pub(crate) fn resource_rules(out: &mut String, rules: &[Rule]) {
    out.push_str("    resourceRules:\n");
    for rule in rules {
        let _ = writeln!(out, "    - apiGroups: [{}]", single(&rule.group));
        out.push_str("      apiVersions: ['*']\n");
        let _ = writeln!(out, "      operations: [{}]", rule.operations.join(", "));
        let _ = writeln!(out, "      resources: [{}]", rule.resources.join(", "));
        if let Some(scope) = rule.scope {
            let _ = writeln!(out, "      scope: {scope}");
        }
    }
}

/// Match conditions, variables and validations: every engine calls them so.
pub(crate) fn judged(out: &mut String, draft: &Draft<'_>) {
    out.push_str("  matchConditions:\n");
    for condition in &draft.conditions {
        let _ = writeln!(out, "  # not judged: {}", condition.about);
        let _ = writeln!(out, "  - name: {}", condition.name);
        field(out, "    expression", &condition.expression);
    }
    if !draft.variables.is_empty() {
        out.push_str("  variables:\n");
        for (name, expr) in &draft.variables {
            let _ = writeln!(out, "  - name: {name}");
            field(out, "    expression", &lay_out(expr));
        }
    }
    out.push_str("  validations:\n");
    for validation in &draft.validations {
        field(out, "  - expression", &lay_out(&validation.expression));
        field(out, "    message", &validation.message);
        if let Some(expr) = &validation.message_expression {
            field(out, "    messageExpression", &lay_out(expr));
        }
    }
}

fn write_binding(out: &mut String, name: &str, draft: &Draft<'_>, binding: &Binding<'_>) {
    let own = binding
        .suffix
        .map_or_else(|| name.to_owned(), |suffix| format!("{name}-{suffix}"));
    header(
        out,
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        &own,
        draft,
    );
    let _ = writeln!(
        out,
        "spec:\n  policyName: {name}\n  validationActions: [{}]",
        binding.actions.join(", ")
    );
    if let Some((map, missing)) = &binding.params {
        let _ = writeln!(
            out,
            "  paramRef:\n    name: {}\n    namespace: {}\n    # what becomes of requests when it is not there\n    parameterNotFoundAction: {missing}",
            map.name, map.namespace
        );
    }
    if binding.selector.is_empty() {
        return;
    }
    out.push_str("  matchResources:\n");
    if !binding.rules.is_empty() {
        resource_rules(out, &binding.rules);
    }
    selector(out, &binding.selector);
}

/// `namespaceSelector`, below what selects requests.
pub(crate) fn selector(out: &mut String, entries: &[Selector]) {
    out.push_str("    namespaceSelector:\n      matchExpressions:\n");
    for entry in entries {
        if !entry.about.is_empty() {
            let _ = writeln!(out, "      # {}", entry.about);
        }
        let values: Vec<String> = entry
            .values
            .iter()
            .map(|value| match value.as_str() {
                // What YAML reads as a truth value.
                "true" | "off" => single(value),
                _ => value.clone(),
            })
            .collect();
        let _ = writeln!(
            out,
            "      - {{key: {}, operator: {}, values: [{}]}}",
            entry.key,
            entry.operator,
            values.join(", ")
        );
    }
}

/// What a reviewer reads first.
pub(crate) fn about(draft: &Draft<'_>) -> String {
    let guideline = draft.guideline;
    format!(
        "# {}.\n# Why, when not, how to fix: seawall explain {}\n",
        guideline.title, guideline.id
    )
}

/// What an object begins with.
pub(crate) fn header(out: &mut String, api: &str, kind: &str, name: &str, draft: &Draft<'_>) {
    let _ = writeln!(
        out,
        "apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}"
    );
    labels(out, draft);
}

/// Labels and annotations, below the name.
pub(crate) fn labels(out: &mut String, draft: &Draft<'_>) {
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
pub(crate) fn field(out: &mut String, key: &str, value: &str) {
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
pub(crate) fn single(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
