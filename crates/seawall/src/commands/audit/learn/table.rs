//! Learned needs as people skim them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::unused::{Right, Unused};
use super::{Log, Needs};

/// How many unused rights are shown; JSON has all.
const SHOWN: usize = 20;

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
    if let Some(unused) = &log.unused {
        put_unused(unused, &mut page);
    }
    page
}

/// What nobody used, the worst first, and how sure that is.
fn put_unused(unused: &Unused, page: &mut String) {
    let opening: Vec<&Right> = unused
        .rights
        .iter()
        .filter(|right| !right.opens.is_empty())
        .collect();
    if opening.is_empty() {
        page.push_str("Held and never used: nothing that opens a way to an attacker\n");
    } else {
        page.push_str("Held and never used, the worst first\n");
    }
    for right in opening.iter().take(SHOWN) {
        let _ = writeln!(page, "\n  {}", report::clean(&right.holder));
        let place = match &right.namespace {
            Some(namespace) => format!("in {namespace}"),
            None => "in the whole cluster".to_owned(),
        };
        let names = match right.names.as_slice() {
            [] => String::new(),
            names => format!(" named {}", list(&names.iter().cloned().collect())),
        };
        let _ = writeln!(page, "    never used {}{names} {place}", right_of(right));
        for one in right.opens.iter().take(3) {
            let perhaps = if one.possible { "perhaps " } else { "" };
            let _ = writeln!(
                page,
                "      opens {perhaps}a way to {}",
                report::clean(&one.title)
            );
        }
        if right.opens.len() > 3 {
            let _ = writeln!(page, "      and to {} more", right.opens.len() - 3);
        }
        let _ = writeln!(
            page,
            "      by {}, {}",
            report::clean(&right.binding),
            report::clean(&right.role)
        );
        if let Some(confidence) = unused.confidence.get(&right.holder) {
            let _ = writeln!(
                page,
                "      confidence {}: {}",
                confidence.level,
                confidence.because.join("; ")
            );
        }
    }
    if opening.len() > SHOWN {
        let _ = writeln!(
            page,
            "\n  {} more open a way; `--format json` has all",
            opening.len() - SHOWN
        );
    }
    let besides = match unused.rights.len() - opening.len() {
        0 => return,
        1 => "1 unused right besides opens nothing more".to_owned(),
        quiet => format!("{quiet} unused rights besides open nothing more"),
    };
    let _ = writeln!(page, "\n  {besides}; `--format json` has all");
}

/// `create pods/exec`
fn right_of(right: &Right) -> String {
    let verbs = list(&right.verbs);
    if verbs == "*" && right.what == "*.*" {
        return "most of everything".to_owned();
    }
    format!("{verbs} {}", report::clean(&right.what))
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
