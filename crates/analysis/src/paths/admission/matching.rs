//! Whether a policy, a binding or a webhook looks at a request for a pod
//! (kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/matching).

use model::Ref;
use serde_json::Value;

use super::policies::About;
use super::shapes::{ANY, OPEN, Wanted};
use super::{Label, label_of, selects};

pub(super) fn texts(value: Option<Ref<'_>>) -> impl Iterator<Item = &str> {
    value
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(Ref::as_str)
}

pub(super) fn list<'a>(holder: Ref<'a>, key: &str) -> Vec<Ref<'a>> {
    holder.get(key).into_iter().flat_map(Ref::items).collect()
}

/// Whether constraints take the request; `None` where labels are not known. A binding without any takes all.
pub(super) fn matches(
    about: &About<'_>,
    constraint: Option<Ref<'_>>,
    of_policy: bool,
) -> Option<bool> {
    let wanted = about.wanted;
    let Some(constraint) = constraint else {
        return Some(!of_policy);
    };
    let mut sure = true;
    // What hangs on the name: the attacker's pod has one that suits.
    let mut takes = |key: &str, suits: bool| {
        let mut taken = false;
        for rule in list(constraint, key) {
            if !rule_takes(rule, wanted) {
                continue;
            }
            match names(rule, wanted) {
                Names::Any | Names::Own => return true,
                Names::Other => {}
                Names::Chosen => {
                    about.choose();
                    taken |= suits;
                }
                Names::Unknown => sure = false,
            }
        }
        taken
    };
    let taken = takes("resourceRules", false);
    let excluded = takes("excludeResourceRules", true);
    let all = !of_policy && list(constraint, "resourceRules").is_empty();
    if excluded || !taken && !all && sure {
        return Some(false);
    }
    let by_object = match constraint
        .get("objectSelector")
        .filter(|one| selects_some(*one))
    {
        None => Some(true),
        Some(selector) => {
            let chosen = |pod: &Value| {
                let labels = pod.pointer("/metadata/labels");
                labels.and_then(Value::as_str) == Some(ANY)
            };
            if chosen(&wanted.object) {
                about.choose();
                return Some(false);
            }
            // Either of the two is enough (webhook/predicates/object).
            let of = |pod: &Value| selects(Some(selector), &|key| label_of_pod(pod, key));
            match (of(&wanted.object), wanted.old.as_ref().and_then(of)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (own, _) => own,
            }
        }
    };
    let label = |key: &str| -> Label { label_of(about.estate, about.namespace, key) };
    match selects(constraint.get("namespaceSelector"), &label) {
        Some(false) => Some(false),
        Some(true) if sure => by_object,
        Some(true) if by_object == Some(false) => Some(false),
        _ => None,
    }
}

/// Whether a selector asks for anything.
fn selects_some(selector: Ref<'_>) -> bool {
    !list(selector, "matchExpressions").is_empty()
        || selector
            .get("matchLabels")
            .is_some_and(|labels| labels.entries().len() > 0)
}

/// What the names of a rule come to.
enum Names {
    Any,
    Own,
    Other,
    Chosen,
    Unknown,
}

fn names(rule: Ref<'_>, wanted: &Wanted) -> Names {
    if list(rule, "resourceNames").is_empty() {
        return Names::Any;
    }
    let name = wanted.object.pointer("/metadata/name");
    match name.and_then(Value::as_str) {
        Some(ANY) => Names::Chosen,
        Some(name) if name.starts_with(OPEN) => Names::Unknown,
        Some(name) if texts(rule.get("resourceNames")).any(|own| own == name) => Names::Own,
        _ => Names::Other,
    }
}

fn label_of_pod(pod: &Value, key: &str) -> Label {
    match pod.pointer("/metadata/labels") {
        Some(Value::Object(labels)) => match labels.get(key).map(|value| value.as_str()) {
            None => Label::Absent,
            Some(Some(value)) if !value.starts_with(OPEN) => Label::Is(value.to_owned()),
            Some(_) => Label::Open,
        },
        Some(Value::String(_)) => Label::Open,
        _ => Label::Absent,
    }
}

/// Whether a rule takes the change of a namespace, or of its status, which writes labels too.
pub(super) fn rule_takes_namespaces(rule: Ref<'_>) -> bool {
    let any = |key: &str, names: &[&str]| texts(rule.get(key)).any(|own| names.contains(&own));
    any("apiGroups", &["", "*"])
        && any("operations", &["UPDATE", "*"])
        && any("resources", &["namespaces", "*", "*/*", "namespaces/*"])
}

/// Whether a rule takes requests for pods, names aside
/// (apiserver/pkg/admission/plugin/policy/matching, webhook/predicates/rules).
pub(super) fn rule_takes(rule: Ref<'_>, wanted: &Wanted) -> bool {
    let any = |key: &str, names: &[&str]| {
        texts(rule.get(key)).any(|own| own == "*" || names.contains(&own))
    };
    let resources: &[&str] = if wanted.subresource.is_empty() {
        &["pods", "*/*"]
    } else {
        &[
            "pods/ephemeralcontainers",
            "pods/*",
            "*/*",
            "*/ephemeralcontainers",
        ]
    };
    let operation = if wanted.subresource.is_empty() {
        "CREATE"
    } else {
        "UPDATE"
    };
    let of_resource = texts(rule.get("resources"))
        .any(|own| resources.contains(&own) || own == "*" && wanted.subresource.is_empty());
    let scope = rule.get("scope").and_then(Ref::as_str).unwrap_or("*");
    any("apiGroups", &[""])
        && any("apiVersions", &["v1"])
        && any("operations", &[operation])
        && of_resource
        && scope != "Cluster"
}
