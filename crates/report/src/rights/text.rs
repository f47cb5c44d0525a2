//! A list of rights for a terminal: by place, then by who; what gives each below it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::roles::administrators::said;

use super::{Answer, By, Place, Row, Thing};
use crate::text::{clean, count, wrap};

/// How a list is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// List the parts of Kubernetes itself one by one.
    pub built_in: bool,
}

/// The answer to one question.
#[must_use]
pub fn answer(answer: &Answer, layout: Layout) -> String {
    let mut out = format!("Who can {}?\n", clean(&answer.asked.shown()));
    if answer.rows.is_empty() {
        out.push_str("\n  nobody that is known\n");
    }
    rows(&mut out, &answer.rows, layout);
    unknown(&mut out, &answer.unknown, layout);
    gaps(
        &mut out,
        "Nobody",
        &answer.gaps,
        !answer.unknown.is_empty(),
        layout,
    );
    out
}

/// Rows by place.
pub fn rows(out: &mut String, rows: &[Row], layout: Layout) {
    let mut places: BTreeMap<(Place, bool), Vec<&Row>> = BTreeMap::new();
    let mut hidden = 0;
    for row in rows {
        if row.is_built_in() && !layout.built_in {
            hidden += 1;
            continue;
        }
        places
            .entry((row.place.clone(), row.names.is_some()))
            .or_default()
            .push(row);
    }
    for ((place, named), rows) in &places {
        let by_name = if *named { ", by name only" } else { "" };
        let _ = write!(out, "\n{}{by_name}\n", clean(&place.shown()));
        for row in rows {
            one(out, row, layout);
        }
    }
    if hidden > 0 {
        let parts = count(hidden, "part");
        let _ = write!(
            out,
            "\nand {parts} of Kubernetes itself (`--built-in` lists them)\n"
        );
    }
}

fn one(out: &mut String, row: &Row, layout: Layout) {
    let mut head = format!("{} {}", row.who.kind, row.who.shown());
    if let Some(note) = &row.who.note {
        head.push_str(&format!(" ({note})"));
    }
    indented(out, &head, 2, 4, layout);
    if let Some(names) = &row.names {
        let names: Vec<&str> = names
            .iter()
            .map(|name| {
                if name.is_empty() {
                    "(requests without a name)"
                } else {
                    name
                }
            })
            .collect();
        indented(out, &format!("only {}", names.join(", ")), 4, 6, layout);
    }
    if let Some(condition) = &row.condition {
        indented(out, &format!("if {condition}"), 4, 6, layout);
    }
    let mut told = Vec::new();
    for by in row.by.iter().filter(|by| **by != By::Masters) {
        let text = through(by);
        if !told.contains(&text) {
            indented(out, &text, 4, 6, layout);
            told.push(text);
        }
    }
}

/// What gives a right, on a line.
#[must_use]
pub fn through(by: &By) -> String {
    match by {
        By::Masters => "whatever roles say".to_owned(),
        By::Assignment {
            assignment, role, ..
        } => format!("Azure role {role}, assigned in {}", assignment.place()),
        By::Administrator {
            assignment,
            role,
            actions,
            ..
        } => format!(
            "as the cluster's administrator by {} (Azure role {role}, assigned in {})",
            said(actions),
            assignment.place()
        ),
        By::Binding {
            binding,
            role,
            rule,
            written,
        } => {
            // `Role reader` needs no namespace: it is the binding's.
            let name = format!("{} {}", role.kind, role.name);
            let rule = format!("rule {rule}");
            let of = if written.name == role.name && written.kind == role.kind {
                String::new()
            } else {
                format!(" of {}", written.shown())
            };
            let mut said = binding.shown();
            if !binding.is_said_by_name() {
                said.push_str(&format!(" ({})", binding.place()));
            }
            said.push_str(&format!(" gives {name}, {rule}{of}"));
            if !written.is_said_by_name() {
                said.push_str(&format!(" ({})", place_beside(written, binding)));
            }
            said
        }
    }
}

/// The place of a rule; of a line in the same file only the line.
fn place_beside(written: &Thing, binding: &Thing) -> String {
    match written.line {
        Some(line) if written.path == binding.path => format!("line {line}"),
        _ => written.place(),
    }
}

/// What nobody can say.
pub fn unknown(out: &mut String, sentences: &[String], layout: Layout) {
    if sentences.is_empty() {
        return;
    }
    out.push_str("\nnot known\n");
    for sentence in sentences {
        indented(out, sentence, 2, 4, layout);
    }
}

/// On what the end of the list rests; `none` is `Nobody` or `Nothing`.
pub fn gaps(out: &mut String, none: &str, gaps: &[String], doubts: bool, layout: Layout) {
    out.push('\n');
    let end = match (gaps.is_empty(), doubts) {
        (true, false) => format!("{none} else."),
        (true, true) => format!("{none} else for certain."),
        (false, _) => format!("{none} else by what was given. {}.", sentence(gaps)),
    };
    indented(out, &end, 0, 0, layout);
    let mut help = Vec::new();
    if gaps.iter().any(|gap| gap.contains("built-in roles")) {
        help.push("`--bootstrap-roles` adds the roles that every cluster has");
    }
    if gaps.iter().any(|gap| gap.starts_with("not every ")) {
        help.push("`--whole` says that the files are everything");
    }
    if !help.is_empty() {
        let help = format!("help: {}", help.join(", "));
        indented(out, &help, 2, 4, layout);
    }
}

fn sentence(gaps: &[String]) -> String {
    // "not every Role was given; not every RoleBinding was given" is one thing.
    let kinds: Vec<&str> = gaps
        .iter()
        .filter_map(|gap| gap.strip_prefix("not every ")?.strip_suffix(" was given"))
        .collect();
    let mut parts: Vec<String> = gaps
        .iter()
        .filter(|gap| !gap.starts_with("not every "))
        .cloned()
        .collect();
    match kinds.split_last() {
        Some((last, [])) => parts.insert(0, format!("not every {last} was given")),
        Some((last, rest)) => parts.insert(
            0,
            format!(
                "nothing says that every {} and {last} was given",
                rest.join(", ")
            ),
        ),
        None => {}
    }
    let text = parts.join("; ");
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A paragraph whose first line is indented by `first` and whose others by `rest`.
pub fn indented(out: &mut String, text: &str, first: usize, rest: usize, layout: Layout) {
    let text = clean(text);
    let lines = wrap(&text, layout.width.saturating_sub(rest.max(first)));
    for (at, line) in lines.iter().enumerate() {
        let indent = if at == 0 { first } else { rest };
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}
