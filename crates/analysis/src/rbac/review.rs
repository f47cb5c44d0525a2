//! The API server's own words for an answer: `status.reason` of a SubjectAccessReview.

use std::fmt::Write as _;

use model::{Estate, Ref};

use super::Rbac;
use super::read::{RoleKind, Space, text};
use crate::ask::{Answer, Attributes, Evidence, Requester, Target};

/// What the authorizer gives as its reason (kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go and
/// pkg/registry/rbac/validation/rule.go, `describeSubject`); empty for `system:masters`, and where nothing
/// allows it. What cannot be said for sure is said in words of our own.
#[must_use]
pub fn reason(answer: &Answer, estate: &Estate) -> String {
    match answer {
        Answer::Yes(evidence) => by(evidence, estate)
            .map(|by| format!("RBAC: allowed by {by}"))
            .unwrap_or_default(),
        Answer::If {
            evidence,
            condition,
        } => {
            let by = by(evidence, estate).unwrap_or_default();
            format!("seawall: would be allowed by {by} if {condition}")
        }
        Answer::Unknown(whys) => {
            let mut reason = "seawall: not known".to_owned();
            for (at, why) in whys.iter().enumerate() {
                reason.push_str(if at == 0 { ": " } else { "; " });
                reason.push_str(&why.text);
            }
            reason
        }
        Answer::No(_) => String::new(),
    }
}

impl Rbac {
    /// What the API server gives as its reason for a *no* where bindings of the requester name roles that are not
    /// there (`NewAggregate` of apimachinery/pkg/util/errors joins the errors of the role listers).
    #[must_use]
    pub fn missing_roles(
        &self,
        requester: &Requester<'_>,
        attributes: &Attributes<'_>,
    ) -> Option<String> {
        let namespace = match attributes.target {
            Target::Resource(target) => target.namespace,
            Target::Path(_) => "",
        };
        let mine = self.numbers_of(requester);
        let mut errors: Vec<String> = Vec::new();
        for number in self.bindings_of(&mine, namespace) {
            let Some(binding) = self.bindings.get(number as usize) else {
                continue;
            };
            let resource = match binding.role_kind {
                _ if !binding.roles.is_empty() || binding.space == Space::NotGiven => continue,
                RoleKind::Role => "role",
                RoleKind::ClusterRole => "clusterrole",
                RoleKind::Other => continue,
            };
            let name = quoted(self.words.text(binding.role_name));
            let error = format!("{resource}.rbac.authorization.k8s.io {name} not found");
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        match errors.as_slice() {
            [] => None,
            [one] => Some(format!("RBAC: {one}")),
            several => Some(format!("RBAC: [{}]", several.join(", "))),
        }
    }
}

/// `RoleBinding "reader/shop" of Role "reader" to User "jane"`: name first, namespace second, as upstream has
/// it.
fn by(evidence: &Evidence, estate: &Estate) -> Option<String> {
    let Evidence::Binding {
        binding, subject, ..
    } = evidence
    else {
        return None;
    };
    let binding = estate.get(*binding)?;
    let object = binding.object();
    let role = object.get("roleRef")?;
    let subject = object
        .get("subjects")
        .and_then(|subjects| subjects.items().nth(*subject as usize))?;
    let namespace = binding.name.namespace.as_deref().unwrap_or_default();
    let name = &binding.name.name;
    let name = if namespace.is_empty() {
        name.to_string()
    } else {
        format!("{name}/{namespace}")
    };
    Some(format!(
        "{} {} of {} {} to {}",
        binding.name.kind.name(),
        quoted(&name),
        text(role, "kind"),
        quoted(text(role, "name")),
        described(subject, namespace)
    ))
}

fn described(subject: Ref<'_>, namespace: &str) -> String {
    let (kind, name) = (text(subject, "kind"), text(subject, "name"));
    if kind != "ServiceAccount" {
        return format!("{kind} {}", quoted(name));
    }
    let own = text(subject, "namespace");
    let namespace = if own.is_empty() { namespace } else { own };
    format!("{kind} {}", quoted(&format!("{name}/{namespace}")))
}

/// Go's `%q`.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() => {
                let _ = write!(out, "\\x{:02x}", control as u32);
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
