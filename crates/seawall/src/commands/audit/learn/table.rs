//! Learned needs as people skim them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Log, Needs};

/// Everybody, a line for each right.
pub(super) fn shown(needs: &[Needs<'_>], log: &Log<'_>) -> String {
    let mut page = String::new();
    for one in needs {
        let _ = writeln!(page, "{}", report::clean(one.user));
        let _ = writeln!(page, "  {}", log.window(one.identity));
        for grant in &one.grants {
            let place = match &grant.namespace {
                Some(namespace) => format!("in {namespace}"),
                None => "in the whole cluster".to_owned(),
            };
            let _ = writeln!(page, "  {place}");
            for rule in &grant.rules {
                let what = if rule.urls.is_empty() {
                    resources(&rule.groups, &rule.resources)
                } else {
                    list(&rule.urls)
                };
                let names = if rule.names.is_empty() {
                    String::new()
                } else {
                    format!(" named {}", list(&rule.names))
                };
                let _ = writeln!(page, "    {} {what}{names}", list(&rule.verbs));
            }
        }
        if one.grants.is_empty() && !one.master {
            page.push_str("  needs no role of its own\n");
        }
        if one.identity.denied_requests > 0 {
            let (denied, _) = one.identity.denied();
            let first: Vec<String> = denied
                .iter()
                .take(3)
                .map(|one| format!("{} {} ({})", one.verb, one.what, one.count))
                .collect();
            let _ = writeln!(
                page,
                "  denied {}: {}",
                one.identity.denied_requests,
                report::clean(&first.join(", "))
            );
        }
        for note in &one.notes {
            let _ = writeln!(page, "  {note}");
        }
        page.push('\n');
    }
    page
}

fn list(items: &BTreeSet<Box<str>>) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    report::clean(&items.join(", ")).to_string()
}

fn resources(groups: &BTreeSet<Box<str>>, resources: &BTreeSet<Box<str>>) -> String {
    let mut all = Vec::new();
    for group in groups {
        for resource in resources {
            all.push(match &**group {
                "" => resource.to_string(),
                group => format!("{resource}.{group}"),
            });
        }
    }
    report::clean(&all.join(", ")).to_string()
}
