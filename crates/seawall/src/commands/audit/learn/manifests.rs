//! Learned needs as manifests to apply.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use audit::learn::{Grant, Rule};

use super::{Log, Needs, subject};

/// Everybody's roles and bindings.
pub(super) fn shown(needs: &[Needs<'_>], log: &Log<'_>) -> String {
    let mut page = String::new();
    let mut names = BTreeMap::new();
    page.push_str("# The least roles for what a log shows, by `seawall audit learn`.\n");
    if !log.has_reads() {
        page.push_str(
            "# WARNING: reads are not in this log. These roles allow none, and whoever reads would lose it.\n",
        );
    }
    for one in needs {
        let name = named(one.user, &mut names);
        let user = report::clean(one.user);
        let _ = writeln!(page, "#\n# {user}: {}", log.window(one.identity));
        for note in &one.notes {
            let _ = writeln!(page, "#   {}", report::clean(note));
        }
        denied(&mut page, one);
        if one.grants.is_empty() && !one.master {
            let why = if one.built_in > 0 {
                "needs nothing but what every cluster gives"
            } else {
                "was allowed nothing"
            };
            let _ = writeln!(page, "#   {why}");
        }
        for grant in &one.grants {
            role(&mut page, &name, grant);
            binding(&mut page, &name, grant, one.user);
        }
    }
    page
}

fn denied(page: &mut String, needs: &Needs<'_>) {
    let (denied, more) = needs.identity.denied();
    if denied.is_empty() {
        return;
    }
    let requests = match needs.identity.denied_requests {
        1 => "1 request".to_owned(),
        number => format!("{number} requests"),
    };
    let _ = writeln!(page, "#   denied, so in no role: {requests}");
    for one in denied.iter().take(5) {
        let within = match &*one.namespace {
            "" => String::new(),
            namespace => format!(" in {namespace}"),
        };
        let what = format!("{} {}{within}", one.verb, one.what);
        let _ = writeln!(page, "#     {} × {}", one.count, report::clean(&what));
    }
    let shown: u64 = denied.iter().take(5).map(|one| one.count).sum();
    let left = needs
        .identity
        .denied_requests
        .saturating_sub(shown)
        .max(more);
    if left > 0 {
        let _ = writeln!(page, "#     {left} more");
    }
}

fn role(page: &mut String, name: &str, grant: &Grant) {
    let kind = if grant.namespace.is_some() {
        "Role"
    } else {
        "ClusterRole"
    };
    let _ = writeln!(
        page,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}"
    );
    if let Some(namespace) = &grant.namespace {
        let _ = writeln!(page, "  namespace: {}", quoted(namespace));
    }
    page.push_str("rules:\n");
    for one in &grant.rules {
        rule(page, one);
    }
}

fn rule(page: &mut String, rule: &Rule) {
    let lists = [
        ("apiGroups", &rule.groups),
        ("resources", &rule.resources),
        ("resourceNames", &rule.names),
        ("nonResourceURLs", &rule.urls),
        ("verbs", &rule.verbs),
    ];
    let mut first = true;
    for (key, list) in lists {
        if list.is_empty() {
            continue;
        }
        let items: Vec<String> = list.iter().map(|item| quoted(item)).collect();
        let lead = if first { "- " } else { "  " };
        let _ = writeln!(page, "{lead}{key}: [{}]", items.join(", "));
        first = false;
    }
}

fn binding(page: &mut String, name: &str, grant: &Grant, user: &str) {
    let (kind, role) = match grant.namespace {
        Some(_) => ("RoleBinding", "Role"),
        None => ("ClusterRoleBinding", "ClusterRole"),
    };
    let _ = writeln!(
        page,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}"
    );
    if let Some(namespace) = &grant.namespace {
        let _ = writeln!(page, "  namespace: {}", quoted(namespace));
    }
    let (subject, user, namespace) = subject(user);
    let _ = writeln!(
        page,
        "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {role}\n  name: {name}\nsubjects:\n- kind: {subject}"
    );
    if namespace.is_none() {
        page.push_str("  apiGroup: rbac.authorization.k8s.io\n");
    }
    let _ = writeln!(page, "  name: {}", quoted(user));
    if let Some(namespace) = namespace {
        let _ = writeln!(page, "  namespace: {}", quoted(namespace));
    }
}

/// A name for somebody's roles that nobody else has here.
pub(super) fn named(user: &str, taken: &mut BTreeMap<String, BTreeSet<String>>) -> String {
    let (kind, name, namespace) = subject(user);
    let plain = match namespace {
        Some(namespace) if kind == "ServiceAccount" => format!("{namespace}-{name}"),
        _ => name.to_owned(),
    };
    let mut slug = String::from("learned-");
    for letter in plain.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-').to_owned();
    let of = taken.entry(slug.clone()).or_default();
    of.insert(user.to_owned());
    match of.len() {
        1 => slug,
        number => format!("{slug}-{number}"),
    }
}

/// A text as YAML reads it back, whatever it is.
fn quoted(text: &str) -> String {
    let plain = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '/' | '_'))
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
