//! A comment of a pull request: what got worse in full, the rest folded, never longer than a comment may be.

use std::fmt::Write as _;

use analysis::compare::resources::What;

use super::{Diff, Differs, words};
use crate::markdown::{code, escape};
use crate::outcome;
use crate::text::{count, resource};

/// Forges cut comments at 65,536 characters.
const LIMIT: usize = 60_000;
/// Room that what got worse may take; the rest is for the other parts.
const WORSE: usize = 40_000;
/// Lines of a folded part.
const LINES: usize = 60;
/// Fields of a resource.
const FIELDS: usize = 5;

/// The whole comparison.
#[must_use]
pub fn markdown(diff: &Diff<'_>) -> String {
    let mut out = String::new();
    let mark = if diff.exit_code() == 1 { "❌" } else { "✅" };
    let mark = if diff.exit_code() == 4 {
        "⚠️"
    } else {
        mark
    };
    let _ = writeln!(
        out,
        "## {mark} seawall: {}\n",
        escape(&words::exit_reason(diff))
    );
    let _ = writeln!(
        out,
        "From {} to {}; {}.\n",
        code(&diff.old.name),
        code(&diff.new.name),
        escape(&words::sums(diff))
    );
    worse(diff, &mut out);
    let parts = [
        unknown(diff),
        better(diff),
        rights(diff),
        connections(diff),
        resources(diff),
        unseen(diff),
        unread(diff),
    ];
    for (title, lines) in parts {
        folded(&title, &lines, &mut out);
    }
    out
}

fn worse(diff: &Diff<'_>, out: &mut String) {
    let exposed = diff.connections.exposed.iter();
    let facts: Vec<String> = diff
        .rights
        .escalations
        .iter()
        .map(|escalated| format!("**escalation** {}", escape(&words::escalation(escalated))))
        .chain(
            exposed
                .filter(|exposed| exposed.internet)
                .map(|exposed| format!("**exposed** {}", escape(&words::exposed(exposed)))),
        )
        .collect();
    let findings = diff
        .findings
        .iter()
        .filter(|one| one.became.is_worse())
        .map(|one| {
            let found = &one.finding;
            format!(
                "**{}** {} ({}): {}  \n  {} {}",
                found.severity.word(),
                code(&found.guideline.0),
                words::became(one.became),
                escape(words::message(found)),
                code(&words::place(found, words::side_of(one, diff))),
                escape(&resource(&found.resource))
            )
        });
    let mut lines = facts.into_iter().chain(findings).peekable();
    if lines.peek().is_none() {
        return;
    }
    out.push_str("### Worse\n\n");
    let mut left = 0;
    for line in lines {
        if left > 0 || out.len() + line.len() > WORSE {
            left += 1;
        } else {
            let _ = writeln!(out, "- {line}");
        }
    }
    if left > 0 {
        let _ = writeln!(out, "- … and {left} more, left out for want of room");
    }
    out.push('\n');
}

/// A part that is folded: its title, with how many there are, and its lines.
type Part = (String, Vec<String>);

fn folded(title: &str, lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    let mut part = format!("<details><summary>{title}</summary>\n\n");
    let mut shown = 0;
    for line in lines.iter().take(LINES) {
        if out.len() + part.len() + line.len() + 200 > LIMIT {
            break;
        }
        let _ = writeln!(part, "- {line}");
        shown += 1;
    }
    if shown < lines.len() {
        let _ = writeln!(part, "- … and {} more", lines.len() - shown);
    }
    part.push_str("\n</details>\n\n");
    if out.len() + part.len() <= LIMIT {
        out.push_str(&part);
    }
}

fn brief(diff: &Diff<'_>, one: &Differs) -> String {
    let found = &one.finding;
    format!(
        "{} {} ({}): {} {}",
        found.severity.word(),
        code(&found.guideline.0),
        words::became(one.became),
        escape(&resource(&found.resource)),
        code(&words::place(found, words::side_of(one, diff)))
    )
}

fn unknown(diff: &Diff<'_>) -> Part {
    let lines: Vec<String> = diff
        .findings
        .iter()
        .filter(|one| !one.became.is_worse() && !one.became.is_better())
        .map(|one| brief(diff, one))
        .collect();
    let title = format!(
        "Unknown now or not seen before, which is neither better nor worse: {}",
        count(lines.len(), "finding")
    );
    (title, lines)
}

fn better(diff: &Diff<'_>) -> Part {
    let lines: Vec<String> = diff
        .findings
        .iter()
        .filter(|one| one.became.is_better())
        .map(|one| brief(diff, one))
        .collect();
    (format!("Better: {}", count(lines.len(), "finding")), lines)
}

fn rights(diff: &Diff<'_>) -> Part {
    let rights = &diff.rights;
    let gained = rights.gained.iter().map(|right| {
        format!(
            "➕ {} by {}",
            escape(&words::right(right, "may")),
            escape(&right.by)
        )
    });
    let lost = rights
        .lost
        .iter()
        .map(|right| format!("➖ {}", escape(&words::right(right, "could"))));
    let fewer = rights
        .no_escalations
        .iter()
        .map(|one| format!("➖ no longer: {}", escape(&words::escalation(one))));
    let title = format!(
        "Rights: {} gained, {} lost",
        rights.gained.len(),
        rights.lost.len()
    );
    (title, gained.chain(lost).chain(fewer).collect())
}

fn connections(diff: &Diff<'_>) -> Part {
    let all = &diff.connections;
    let outside = |opened: bool, mark: char| {
        all.outside
            .iter()
            .filter(move |one| one.opened == opened)
            .map(move |one| format!("{mark} {}", escape(&words::outside(one))))
    };
    let lines: Vec<String> = all
        .exposed
        .iter()
        .map(|one| format!("➕ {}", escape(&words::exposed(one))))
        .chain(outside(true, '➕'))
        .chain(
            all.opened
                .iter()
                .map(|one| format!("➕ {}", escape(&words::connection(one)))),
        )
        .chain(
            all.hidden
                .iter()
                .map(|one| format!("➖ {}", escape(&words::exposed(one)))),
        )
        .chain(outside(false, '➖'))
        .chain(
            all.closed
                .iter()
                .map(|one| format!("➖ {}", escape(&words::connection(one)))),
        )
        .collect();
    (
        format!("Connections: {}", count(lines.len(), "difference")),
        lines,
    )
}

fn resources(diff: &Diff<'_>) -> Part {
    let lines: Vec<String> = diff
        .resources
        .iter()
        .map(|change| {
            let (mark, name) = words::change(change);
            let mark = match mark {
                '+' => '➕',
                '-' => '➖',
                _ => '✏',
            };
            let mut line = format!("{mark} {}", escape(&name));
            if let Some(place) = words::change_place(change, diff) {
                let _ = write!(line, " {}", code(&place));
            }
            if let What::Changed(fields, left) = &change.what {
                for field in fields.iter().take(FIELDS) {
                    let _ = write!(line, "\n  - {}", code(&words::field(field)));
                }
                let left = left + fields.len().saturating_sub(FIELDS);
                if left > 0 {
                    let _ = write!(line, "\n  - … and {} more", count(left, "place"));
                }
            }
            line
        })
        .collect();
    (
        format!("Resources: {}", count(lines.len(), "difference")),
        lines,
    )
}

fn unseen(diff: &Diff<'_>) -> Part {
    let all = diff.unseen.iter();
    let lines: Vec<String> = all.map(|one| escape(&words::unseen(one, diff))).collect();
    (
        "Not compared: one of the two cannot see it".to_owned(),
        lines,
    )
}

fn unread(diff: &Diff<'_>) -> Part {
    let lines: Vec<String> = [&diff.old, &diff.new]
        .into_iter()
        .flat_map(|side| side.unread.iter().map(move |entry| (side, entry)))
        .map(|(side, entry)| {
            format!(
                "{} of {}: {}",
                code(&outcome::place(entry)),
                code(&side.name),
                escape(entry.reason.as_deref().unwrap_or("it could not be read"))
            )
        })
        .collect();
    (format!("Not read: {}", count(lines.len(), "part")), lines)
}
