//! The steps of attackers for the terminal: all of them, and the page of one.

use std::fmt::Write as _;

use guide::edges::{Change, EdgePage, Edit, Wanted};
use guide::{Guide, Guideline};

use crate::text::{self, wrap};

/// What an effort means.
pub(crate) const EFFORTS: [&str; 5] = [
    "a command",
    "a few commands",
    "some preparation",
    "luck, or waiting for somebody",
    "a weakness that must be found",
];

/// The words for an effort.
pub(crate) fn effort(page: &EdgePage) -> &'static str {
    EFFORTS
        .get((page.effort as usize).saturating_sub(1))
        .copied()
        .unwrap_or("unknown")
}

/// Guidelines that take a step away, by id.
pub(crate) fn guidelines<'g>(guide: &'g Guide, id: &str) -> Vec<&'g Guideline> {
    guide
        .guidelines
        .iter()
        .filter(|guideline| guideline.cuts.iter().any(|cut| &**cut == id))
        .collect()
}

/// Options that take a step away: `topic/option`, and what they are called.
pub(crate) fn options<'g>(guide: &'g Guide, id: &str) -> Vec<(String, &'g str, &'g str)> {
    guide
        .topics
        .iter()
        .flat_map(|topic| topic.options.iter().map(move |option| (topic, option)))
        .filter(|(_, option)| option.cuts.iter().any(|cut| &**cut == id))
        .map(|(topic, option)| {
            let name = format!("{}/{}", topic.id, option.id);
            (name, &*option.title, &*topic.title)
        })
        .collect()
}

/// The page's text without the headings of its examples.
pub(crate) fn prose(page: &EdgePage) -> String {
    page.prose
        .lines()
        .filter(|line| !line.starts_with("## Example"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `workload:shop/web[Pod] → pool:`
pub(crate) fn step(wanted: &Wanted) -> String {
    let needs: Vec<&str> = wanted.needs.iter().map(|need| &**need).collect();
    let perhaps = if wanted.perhaps { "perhaps " } else { "" };
    format!("{perhaps}{} → {}", needs.join(" and "), wanted.gives)
}

/// What a change does, in words.
pub(crate) fn change(change: &Change) -> String {
    let edits: Vec<String> = change
        .edits
        .iter()
        .map(|edit| match edit {
            Edit::Replace(old, new) if new.is_empty() => format!("without `{old}`"),
            Edit::Replace(old, new) => format!("`{new}` for `{old}`"),
            Edit::Drop(kind, name) => format!("without {kind} {name}"),
        })
        .collect();
    let perhaps = if change.perhaps {
        ", then it is only possible"
    } else {
        ""
    };
    format!("{}: {}{perhaps}", change.title, edits.join(" and "))
}

/// Every kind of step: a line each, what has a page first.
#[must_use]
pub fn list(guide: &Guide, width: usize) -> String {
    let width = width.max(40);
    let mut page = String::new();
    for (id, own) in &guide.edge_pages {
        paragraph(&mut page, &format!("{id:27} "), &own.title, width);
    }
    let bare: Vec<(&str, &str)> = guide
        .edges
        .iter()
        .filter(|(id, _)| !guide.edge_pages.contains_key(*id))
        .map(|(id, title)| (&**id, &**title))
        .collect();
    if !bare.is_empty() {
        let _ = writeln!(page, "\nNamed by guidelines, and no step of the graph");
        for (id, title) in bare {
            paragraph(&mut page, &format!("{id:27} "), title, width);
        }
    }
    let _ = writeln!(
        page,
        "\n{} steps of attackers; `seawall explain STEP` says when each is there",
        guide.edge_pages.len()
    );
    page
}

/// A step: when it is there, an estate that shows it, what takes it away.
#[must_use]
pub fn page(guide: &Guide, own: &EdgePage, width: usize) -> String {
    let width = width.max(40);
    let mut page = String::new();
    paragraph(&mut page, "", &upper(&own.title), width);
    paragraph(&mut page, "  step      ", &own.id, width);
    let costs = format!("{} ({} of 5)", effort(own), own.effort);
    paragraph(&mut page, "  takes     ", &costs, width);
    let _ = writeln!(page, "\nWhen it is there");
    for part in prose(own).split("\n\n") {
        if let Some(heading) = part.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            let _ = writeln!(page, "{}", text::plain(heading));
        } else if !part.trim().is_empty() {
            paragraph(&mut page, "  ", &text::plain(part), width);
            page.push('\n');
        }
    }
    for example in own.examples.iter().take(1) {
        let _ = writeln!(page, "For example");
        for file in &example.files {
            for line in file.text.lines() {
                let _ = writeln!(page, "    {line}");
            }
        }
        let _ = writeln!(page, "\n  gives the step");
        for wanted in &example.steps {
            paragraph(&mut page, "    ", &step(wanted), width);
        }
        let _ = writeln!(page, "\n  and any of these takes it away");
        for one in &example.without {
            paragraph(&mut page, "    - ", &change(one), width);
        }
    }
    if own.examples.len() > 1 {
        let more = text::count(own.examples.len() - 1, "more example");
        let _ = writeln!(page, "  ({more} in guide/{})", own.file);
    }
    cut(&mut page, guide, own, width);
    if !own.references.is_empty() {
        let _ = writeln!(page, "\nReferences");
        for reference in &own.references {
            let _ = writeln!(page, "  {} (seen {})", reference.url, reference.seen);
        }
    }
    page
}

fn cut(page: &mut String, guide: &Guide, own: &EdgePage, width: usize) {
    let guidelines = guidelines(guide, &own.id);
    if !guidelines.is_empty() {
        let _ = writeln!(page, "\nGuidelines that take it away");
        for guideline in guidelines {
            let line = format!("  {:32} ", guideline.id.0);
            paragraph(page, &line, &guideline.title, width);
        }
    }
    let options = options(guide, &own.id);
    if !options.is_empty() {
        let _ = writeln!(page, "\nOptions that take it away");
        for (name, title, _) in options {
            paragraph(page, &format!("  {name:32} "), title, width);
        }
    }
}

pub(crate) fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Wrapped text; later lines are indented as far as the first, at most half the width.
fn paragraph(page: &mut String, lead: &str, text: &str, width: usize) {
    let indent = lead.chars().count().min(width / 2);
    for (index, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        if index == 0 {
            let _ = writeln!(page, "{lead}{line}");
        } else {
            let _ = writeln!(page, "{:indent$}{line}", "");
        }
    }
}
