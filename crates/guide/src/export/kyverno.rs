//! A guideline as Kyverno's ValidatingPolicy, which holds for what is there already too.
//!
//! Kyverno speaks the same language with almost the same functions; one policy holds its actions and
//! its namespaces itself. What each namespace wants, and settings in a ConfigMap, are left out: a
//! policy of Kyverno has no bindings.

use std::fmt::Write as _;

use super::bindings;
use super::policy::Draft;
use super::write::{about, header, judged, resource_rules, selector};

/// The one document of a policy.
///
/// # Errors
/// Says what Kyverno does not know.
pub(crate) fn document(name: &str, draft: &Draft<'_>) -> Result<String, String> {
    if draft.has_loops_of_two() {
        return Err("it loops with two variables, which Kyverno's policies do not have".to_owned());
    }
    let mut out = about(draft);
    header(
        &mut out,
        "policies.kyverno.io/v1",
        "ValidatingPolicy",
        name,
        draft,
    );
    let _ = writeln!(
        out,
        "spec:\n  validationActions: [{}]",
        draft.actions.join(", ")
    );
    out.push_str("  failurePolicy: Fail\n");
    // Its expressions look into every kind that carries pods, and Kyverno needs to make no others.
    out.push_str("  autogen:\n    podControllers:\n      controllers: []\n");
    out.push_str("  evaluation:\n    admission:\n      enabled: true\n    background:\n      enabled: true\n");
    out.push_str("  matchConstraints:\n");
    resource_rules(&mut out, &draft.rules);
    let spared = bindings::spared(draft);
    if !spared.is_empty() {
        selector(&mut out, &spared);
    }
    judged(&mut out, draft);
    Ok(out)
}
