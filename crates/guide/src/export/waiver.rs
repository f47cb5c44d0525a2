//! Waivers as match conditions: a request about an accepted object is not judged.

use super::Waiver;
use crate::guideline::{Applies, Guideline};

/// An entry of `matchConditions`.
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) expression: String,
}

/// What AKS's own control plane signs in as when it keeps its add-ons as they should be; both
/// are client certificates that nobody else gets.
// Gatekeeper's audit and what runs before a cluster (`gator test`) know no user.
const AKS_USERS: &str =
    "!(request.?userInfo.?username.orValue(\"\") in [\"aksService\", \"hcpService\"])";

/// Finalizers must go although the object is not as it should be, or nobody could delete it.
const LEAVING: &str = "request.operation != \"UPDATE\"
|| !has(object.metadata.deletionTimestamp)
|| object.metadata.?labels != oldObject.metadata.?labels
|| object.metadata.?annotations != oldObject.metadata.?annotations
|| !object.all(key, key in [\"metadata\", \"status\"] || key in oldObject && oldObject[key] == object[key])";

/// The conditions under which a policy judges a request.
///
/// # Errors
/// When nothing is left to judge.
pub(crate) fn conditions(
    guideline: &Guideline,
    waivers: &[Waiver],
    stricter: &mut Vec<String>,
) -> Result<Vec<Condition>, String> {
    let mut conditions = vec![
        Condition {
            name: "not-aks".to_owned(),
            about: "what AKS itself writes".to_owned(),
            expression: AKS_USERS.to_owned(),
        },
        Condition {
            name: "not-leaving".to_owned(),
            about: "an object that is being deleted and stays as it is: it may lose its finalizers"
                .to_owned(),
            expression: LEAVING.to_owned(),
        },
    ];
    for waiver in waivers
        .iter()
        .filter(|waiver| *waiver.guideline == *guideline.id.0)
    {
        match (&waiver.resource, &waiver.item) {
            (None, None) => return Err(format!("it is waived for everything ({})", waiver.reason)),
            (resource, Some(item)) => {
                let resource = resource.as_deref().unwrap_or("everything");
                stricter.push(format!(
                    "the waiver for `{item}` of {resource}: a policy accepts whole objects, not one item of them"
                ));
            }
            (Some(resource), None) => conditions.push(Condition {
                name: format!("waiver-{}", conditions.len() - 1),
                about: format!("waived: {}", waiver.reason),
                expression: format!("!{}", covers(resource, guideline)),
            }),
        }
    }
    Ok(conditions)
}

/// Whether the object is one that the pattern names, in CEL. What a named workload makes is
/// covered with it: a Deployment that is let in needs its ReplicaSet and Pods let in too.
fn covers(pattern: &str, guideline: &Guideline) -> String {
    let first = pattern.split('/').next().unwrap_or_default();
    let star = first.contains('*');
    let grouped = !star
        && (first.contains('.') || first.starts_with(|letter: char| letter.is_ascii_lowercase()));
    let workloads = guideline.applies == Applies::Workload;
    let mut ids = Vec::new();
    if !grouped {
        ids.push(own_ids(false, workloads));
    }
    if grouped || star {
        ids.push(own_ids(true, workloads));
    }
    let test = if pattern.contains('*') {
        format!("id.matches({})", quoted(&format!("^{}$", regex(pattern))))
    } else {
        format!("id == {}", quoted(pattern))
    };
    format!("({}).exists(id, {test})", ids.join("\n+ "))
}

/// A CEL list of the names that a pattern may mean: the object's own, its controller's, and the
/// Deployment or CronJob behind a ReplicaSet or Job.
fn own_ids(grouped: bool, workloads: bool) -> String {
    let group = if grouped {
        "(request.kind.group == \"\" ? \"\" : request.kind.group + \"/\") + "
    } else {
        ""
    };
    let mut text = format!(
        "[{group}request.kind.kind + \"/\" + object.metadata.?namespace.optMap(n, n + \"/\").orValue(\"\") + object.metadata.?name.orValue(\"\")]"
    );
    if workloads {
        let owners =
            "object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false)";
        let group = if grouped {
            "(o.apiVersion.contains(\"/\") ? o.apiVersion.split(\"/\")[0] + \"/\" : \"\") + "
        } else {
            ""
        };
        let batch = if grouped {
            "\"apps/Deployment/\" : \"batch/CronJob/\""
        } else {
            "\"Deployment/\" : \"CronJob/\""
        };
        text.push_str(&format!(
            "\n+ {owners}).map(o, {group}o.kind + \"/\" + request.namespace + \"/\" + o.name)\
             \n+ {owners} && o.kind in [\"ReplicaSet\", \"Job\"] && o.name.contains(\"-\"))\
             \n  .map(o, (o.kind == \"ReplicaSet\" ? {batch}) + request.namespace + \"/\" + o.name.substring(0, o.name.lastIndexOf(\"-\")))"
        ));
    }
    text
}

fn regex(pattern: &str) -> String {
    let mut out = String::new();
    for letter in pattern.chars() {
        match letter {
            '*' => out.push_str(".*"),
            letter if letter.is_ascii_alphanumeric() || "/-_:".contains(letter) => out.push(letter),
            letter if letter == '^' || letter == '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter => {
                out.push('[');
                out.push(letter);
                out.push(']');
            }
        }
    }
    out
}

fn quoted(text: &str) -> String {
    cel::ast::Literal::Str(text.into()).to_string()
}
