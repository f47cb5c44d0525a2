//! Label selectors of the kinds that select pods.

use crate::resource::Resource;
use crate::value::Ref;

pub(super) fn pod_labels(workload: &Resource) -> Option<Ref<'_>> {
    workload.pod_holder()?.path(&["metadata", "labels"])
}

/// A label selector: `matchLabels` and `matchExpressions`, or a Service's plain map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selector<'a> {
    labels: Option<Ref<'a>>,
    expressions: Option<Ref<'a>>,
}

pub(super) fn selector(object: &Resource) -> Option<Selector<'_>> {
    let spec = object.object().get("spec")?;
    match object.name.kind.name() {
        // A Service without a selector selects nothing.
        "Service" => {
            let labels = spec
                .get("selector")
                .filter(|labels| labels.entries().len() > 0)?;
            Some(Selector {
                labels: Some(labels),
                expressions: None,
            })
        }
        "NetworkPolicy" => {
            let selector = spec.get("podSelector");
            Some(Selector {
                labels: selector.and_then(|selector| selector.get("matchLabels")),
                expressions: selector.and_then(|selector| selector.get("matchExpressions")),
            })
        }
        // A budget without a selector selects nothing, one with `{}` everything (policy/v1).
        "PodDisruptionBudget" => {
            let selector = spec.get("selector")?;
            Some(Selector {
                labels: selector.get("matchLabels"),
                expressions: selector.get("matchExpressions"),
            })
        }
        _ => None,
    }
}

pub(super) fn first_label(selector: &Selector<'_>) -> Option<Box<str>> {
    let (key, _, value) = selector.labels?.entries().next()?;
    Some(label_key(key, value.as_str().unwrap_or_default()))
}

pub(super) fn label_key(key: &str, value: &str) -> Box<str> {
    format!("{key}={value}").into_boxed_str()
}

pub(super) fn selects(selector: &Selector<'_>, labels: Option<Ref<'_>>) -> bool {
    let label = |key: &str| {
        labels
            .and_then(|labels| labels.get(key))
            .and_then(Ref::as_str)
    };
    let plain = selector.labels.is_none_or(|wanted| {
        wanted
            .entries()
            .all(|(key, _, value)| label(key) == value.as_str())
    });
    plain
        && selector.expressions.is_none_or(|expressions| {
            expressions.items().all(|expression| {
                let have = expression.get("key").and_then(Ref::as_str).and_then(label);
                let among = |value: &str| {
                    expression.get("values").is_some_and(|values| {
                        values.items().any(|item| item.as_str() == Some(value))
                    })
                };
                match expression.get("operator").and_then(Ref::as_str) {
                    Some("In") => have.is_some_and(among),
                    Some("NotIn") => have.is_none_or(|value| !among(value)),
                    Some("Exists") => have.is_some(),
                    Some("DoesNotExist") => have.is_none(),
                    _ => false,
                }
            })
        })
}
