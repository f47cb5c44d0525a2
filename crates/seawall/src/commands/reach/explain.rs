//! Which rules let through, and which policies stop the rest.

use std::fmt::Write as _;

use ::analysis::reach::{Action, End, Side, Tier};
use model::{Ref, Resource, ResourceRef};

use super::Question;
use super::summary::{head, named, wrapped};
use super::table::{Named, ends, shown};
use crate::failure::Failure;

/// More pairs than this nobody reads.
const MOST: usize = 200;

pub(crate) fn text(question: &Question<'_>) -> anyhow::Result<String> {
    if question.from.is_empty() && question.to.is_empty() {
        return Err(
            Failure::new("`--explain` needs to know of which connections")
                .help("`seawall reach . --from shop/web --to data/db --explain`")
                .into(),
        );
    }
    let (sources, targets) = ends(question);
    let mut text = head(question);
    let mut left = MOST;
    for source in &sources {
        for target in &targets {
            let pods = |end| matches!(end, End::Pods(_) | End::Host(_));
            if source.end == target.end
                && source.label == target.label
                && !source.label.contains('+')
                || !pods(source.end) && !pods(target.end)
            {
                continue;
            }
            if left == 0 {
                text.push_str("\nand more pairs: ask about fewer with --from and --to\n");
                return Ok(text);
            }
            left -= 1;
            pair(question, source, target, &mut text);
        }
    }
    Ok(text)
}

fn pair(question: &Question<'_>, source: &Named, target: &Named, text: &mut String) {
    let explanation = question.reach.explain(source.end, target.end);
    let conn = &explanation.conn;
    let conn = ::analysis::reach::Conn {
        sure: question.asked(&conn.sure),
        may: question.asked(&conn.may),
    };
    let _ = writeln!(text);
    let line = format!("{} → {}: {}", source.label, target.label, shown(&conn));
    wrapped(text, &line, "", "    ", question.width);
    if explanation.one_node {
        text.push_str("  passes whatever policies say: one end is the node of the other\n");
    }
    side(
        question,
        "out",
        &source.label,
        source.end,
        &explanation.egress,
        text,
    );
    side(
        question,
        "in",
        &target.label,
        target.end,
        &explanation.ingress,
        text,
    );
}

fn side(question: &Question<'_>, way: &str, label: &str, end: End, side: &Side, text: &mut String) {
    let verb = if way == "out" { "lets out" } else { "lets in" };
    let line = match end {
        End::Pods(_) if side.policies.is_empty() => {
            format!("{label} {verb} everything: no policy selects it")
        }
        End::Pods(_) => format!("{label} {verb} {}", shown(&side.conn)),
        End::Host(_) => format!("{label} {verb} everything: it is on its node's network"),
        _ => return,
    };
    wrapped(text, &line, "  ", "      ", question.width);
    for selecting in &side.policies {
        let mut line = format!(
            "{}{}",
            named(question.estate, selecting.policy),
            match selecting.tier {
                Tier::Admin => ", before network policies",
                Tier::Baseline => ", after network policies",
                Tier::Namespace => "",
            }
        );
        if !selecting.sure {
            line.push_str(" may select it");
        }
        if selecting.rules.is_empty() {
            line.push_str(": no rule matches the other end");
            let _ = write!(line, " ({})", place(question, selecting.policy, ""));
        }
        wrapped(text, &line, "    ", "        ", question.width);
        for rule in &selecting.rules {
            let verb = match rule.action {
                Action::Allow => "allows",
                Action::Deny => "denies",
                Action::Pass => "passes on",
            };
            let line = format!(
                "{} {verb} {} ({})",
                rule.route,
                shown(&rule.ports),
                place(question, selecting.policy, &rule.route)
            );
            wrapped(text, &line, "      ", "        ", question.width);
        }
    }
}

/// `FILE:LINE` of a rule.
pub(super) fn place(question: &Question<'_>, policy: ResourceRef, route: &str) -> String {
    let Some(resource) = question.estate.get(policy) else {
        return String::new();
    };
    let value = follow(resource, route).unwrap_or_else(|| resource.object());
    if resource.origin.live {
        return resource.origin.path.to_string();
    }
    let (line, _) = resource.doc.line_column(value.span().start);
    let path = resource
        .doc
        .path_at(value.span().start)
        .unwrap_or(&resource.origin.path);
    format!("{path}:{line}")
}

/// The value at the end of a route such as `spec.ingress[0]`.
fn follow<'r>(resource: &'r Resource, route: &str) -> Option<Ref<'r>> {
    let mut at = resource.object();
    if route.is_empty() {
        return Some(at);
    }
    for step in route.split('.') {
        let (key, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((key, index)) => (key, Some(index.parse::<usize>().ok()?)),
            None => (step, None),
        };
        at = at.get(key)?;
        if let Some(index) = index {
            at = at.items().nth(index)?;
        }
    }
    Some(at)
}
