//! A guideline as Gatekeeper's ConstraintTemplate, in the language that the API server speaks too
//! (the engine `K8sNativeValidation`), and as the constraint that puts it into force.
//!
//! Gatekeeper chooses kinds and namespaces in the constraint; what each namespace says by a label,
//! and settings in a ConfigMap, are left out.

use std::fmt::Write as _;

use super::bindings;
use super::policy::Draft;
use super::write::{about, judged, labels, single};

/// The kinds of a constraint.
pub(crate) struct Kinds {
    pub(crate) groups: Vec<String>,
    pub(crate) kinds: Vec<String>,
}

/// The kind that the template defines: `SeawallPssHostPath`.
pub(crate) fn kind(draft: &Draft<'_>) -> String {
    let mut kind = String::from("Seawall");
    for word in draft.guideline.id.0.split('-') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            kind.push(first.to_ascii_uppercase());
            kind.push_str(letters.as_str());
        }
    }
    kind
}

/// The kinds that the policy judges. Gatekeeper crosses groups and kinds, and no kind of these
/// stands in two of the groups.
pub(crate) fn kinds(draft: &Draft<'_>) -> Kinds {
    Kinds {
        groups: draft.groups(),
        kinds: draft.kinds(),
    }
}

/// The template.
///
/// # Errors
/// Says what Gatekeeper does not give to expressions.
pub(crate) fn template(draft: &Draft<'_>) -> Result<String, String> {
    if draft.reads("namespaceObject") {
        return Err(
            "it reads the labels of the namespace, which Gatekeeper does not give to templates in every version"
                .to_owned(),
        );
    }
    let kind = kind(draft);
    let mut out = about(draft);
    let _ = writeln!(
        out,
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata:\n  name: {}",
        kind.to_ascii_lowercase()
    );
    labels(&mut out, draft);
    let _ = writeln!(
        out,
        "spec:\n  crd:\n    spec:\n      names:\n        kind: {kind}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n    code:\n    - engine: K8sNativeValidation\n      source:\n        failurePolicy: Fail"
    );
    let mut inner = String::new();
    judged(&mut inner, draft);
    // Gatekeeper calls the list by the name of one (`pkg/drivers/k8scel/schema/schema.go`).
    let inner = inner.replacen(
        "  matchConditions:\n",
        "  matchCondition:\n  # not judged: what goes, and what is no object\n  - name: has-object\n    expression: 'object != null'\n",
        1,
    );
    for line in inner.lines() {
        if line.is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "      {line}");
        }
    }
    Ok(out)
}

/// Template and constraint.
///
/// # Errors
/// As for [`template`].
pub(crate) fn documents(name: &str, draft: &Draft<'_>) -> Result<String, String> {
    let mut out = template(draft)?;
    let Kinds { groups, kinds } = kinds(draft);
    let groups: Vec<String> = groups.iter().map(|group| single(group)).collect();
    let action = if draft.actions.contains(&"Deny") {
        "deny"
    } else if draft.actions.contains(&"Warn") {
        "warn"
    } else {
        "dryrun"
    };
    let _ = writeln!(
        out,
        "---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: {}\nmetadata:\n  name: {name}",
        kind(draft)
    );
    labels(&mut out, draft);
    let _ = writeln!(
        out,
        "spec:\n  enforcementAction: {action}\n  match:\n    kinds:\n    - apiGroups: [{}]\n      kinds: [{}]",
        groups.join(", "),
        kinds.join(", ")
    );
    let spared = bindings::spared(draft);
    if let Some(namespaces) = draft.spared {
        let names: Vec<&str> = namespaces.iter().map(|name| &**name).collect();
        let _ = writeln!(
            out,
            "    # namespaces that AKS owns or needs to start\n    excludedNamespaces: [{}]",
            names.join(", ")
        );
    }
    if spared.len() > 1 {
        out.push_str("    namespaceSelector:\n      matchExpressions:\n");
        out.push_str("      # what AKS adds to every webhook: whoever may label a namespace leaves the policy\n");
        out.push_str("      - {key: control-plane, operator: NotIn, values: ['true']}\n");
        out.push_str(
            "      - {key: kubernetes.azure.com/managedby, operator: NotIn, values: [aks]}\n",
        );
    }
    Ok(out)
}
