//! A guideline as a page for the terminal: why, how it is judged, how to mend it, what it costs.

use std::fmt::Write as _;

use guide::export;
use guide::fix::Fix;
use guide::guideline::{ASPECTS, Applies, Example, Expectation};
use guide::{Guide, Guideline};

use crate::text::{self, wrap};

/// The page, wrapped at `width` columns.
#[must_use]
pub fn page(guide: &Guide, guideline: &Guideline, width: usize) -> String {
    let width = width.max(40);
    let mut page = String::new();
    paragraph(&mut page, "", &guideline.title, width);
    let aspect = ASPECTS
        .iter()
        .find(|(id, _)| *id == &*guideline.aspect)
        .map_or("", |(_, title)| title);
    let topic = guide
        .topic(&guideline.chapter, &guideline.topic)
        .map_or("", |topic| &*topic.title);
    field(&mut page, "id", &guideline.id.0, width);
    field(&mut page, "severity", guideline.severity.word(), width);
    field(
        &mut page,
        "topic",
        &format!("{topic} ({}/{})", guideline.chapter, guideline.topic),
        width,
    );
    field(&mut page, "aspect", aspect, width);
    field(&mut page, "judges", &about(guideline), width);
    let _ = writeln!(page, "\nWhy");
    for part in guideline.prose.split("\n\n") {
        paragraph(&mut page, "  ", &text::plain(part), width);
        page.push('\n');
    }
    let _ = writeln!(page, "How it is judged");
    if let Some(each) = &guideline.each {
        code(
            &mut page,
            &format!("for each {} of {}", each.name, each.program.source()),
        );
    }
    if let Some(when) = &guideline.when {
        code(&mut page, &format!("only when {}", when.source()));
    }
    for check in &guideline.checks {
        code(&mut page, check.program.source());
        paragraph(&mut page, "    otherwise: ", &check.message.source, width);
    }
    for fix in &guideline.fixes {
        mending(&mut page, guideline, fix, width);
    }
    for by_hand in &guideline.by_hand {
        let which = text::checks_of(guideline, &by_hand.checks);
        let which = which.map_or_else(String::new, |which| format!(", {which}"));
        let _ = writeln!(page, "\nHow to mend it (by hand{which})");
        paragraph(&mut page, "  ", &by_hand.why, width);
    }
    if let Some(cost) = text::cost(&guideline.cost) {
        let _ = writeln!(page, "\nWhat it costs");
        paragraph(&mut page, "  ", &cost, width);
    }
    for (wanted, title) in [
        (Expectation::Bad, "Not like this"),
        (Expectation::Good, "But like this"),
    ] {
        if let Some(example) = guideline
            .examples
            .iter()
            .find(|example| example.expectation == wanted)
        {
            let _ = writeln!(page, "\n{title}");
            page.push_str(&shown(example));
        }
    }
    mappings(&mut page, guide, guideline, width);
    let _ = writeln!(page, "\nTo accept a finding of it");
    code(
        &mut page,
        &format!(
            "# seawall: waive {} until 2027-01-31 because …",
            guideline.id
        ),
    );
    paragraph(
        &mut page,
        "  ",
        "above the line it points to, or an entry under `waivers` in seawall.yaml",
        width,
    );
    let _ = writeln!(page, "\nWhere it can be enforced");
    for way in export::ways(guide, guideline) {
        paragraph(&mut page, "  ", &way, width);
    }
    if !guideline.references.is_empty() {
        let _ = writeln!(page, "\nReferences");
        for reference in &guideline.references {
            let _ = writeln!(page, "  {} (seen {})", reference.url, reference.seen);
        }
    }
    page
}

/// The same in Markdown, as far as somebody reads it beside a finding: why, how to mend it, what it costs.
#[must_use]
pub fn markdown(guideline: &Guideline) -> String {
    let mut page = format!("**{}**\n\n", guideline.title);
    let _ = write!(page, "{} · `{}`", guideline.severity.word(), guideline.id);
    let _ = writeln!(page, "\n\n{}", guideline.prose.trim());
    for fix in &guideline.fixes {
        let which = text::checks_of(guideline, &fix.checks);
        let which = which.map_or_else(String::new, |which| format!(", {which}"));
        let _ = writeln!(
            page,
            "\n**How to mend it** ({}{which})\n",
            fix.safety.word()
        );
        for line in text::fix_lines(fix) {
            let _ = writeln!(page, "- {line}");
        }
    }
    for by_hand in &guideline.by_hand {
        let which = text::checks_of(guideline, &by_hand.checks);
        let which = which.map_or_else(String::new, |which| format!(", {which}"));
        let _ = writeln!(
            page,
            "\n**How to mend it** (by hand{which})\n\n{}",
            by_hand.why
        );
    }
    if let Some(cost) = text::cost(&guideline.cost) {
        let _ = writeln!(page, "\n**What it costs**: {cost}");
    }
    let _ = writeln!(page);
    for reference in &guideline.references {
        let _ = writeln!(page, "- <{}> (seen {})", reference.url, reference.seen);
    }
    page
}

fn mappings(page: &mut String, guide: &Guide, guideline: &Guideline, width: usize) {
    if guideline.frameworks.is_empty() && guideline.cuts.is_empty() {
        return;
    }
    let _ = writeln!(page, "\nWhat it serves");
    for (framework, control) in &guideline.frameworks {
        let known = guide.framework(framework);
        let title = known
            .and_then(|known| known.controls.iter().find(|(id, _)| id == control))
            .map_or("", |(_, title)| &**title);
        paragraph(
            page,
            "  ",
            &format!("{framework} {control}: {title}"),
            width,
        );
    }
    for edge in &guideline.cuts {
        let title = guide.edges.get(edge).map_or("", |title| &**title);
        paragraph(
            page,
            "  ",
            &format!("takes from an attacker: {title}"),
            width,
        );
    }
}

/// What a machine would change for findings of the checks that a fix is for.
fn mending(page: &mut String, guideline: &Guideline, fix: &Fix, width: usize) {
    let which = text::checks_of(guideline, &fix.checks);
    let which = which.map_or_else(String::new, |which| format!(", {which}"));
    let _ = writeln!(page, "\nHow to mend it ({}{which})", fix.safety.word());
    for line in text::fix_lines(fix) {
        paragraph(page, "  ", &line, width);
    }
}

/// What it judges, in words.
pub(crate) fn about(guideline: &Guideline) -> String {
    match &guideline.applies {
        Applies::Workload => "everything that carries a pod".to_owned(),
        Applies::Kinds(kinds) => kinds.join(", "),
        Applies::Estate => "the cluster as a whole".to_owned(),
    }
}

/// The first file of an example without the marks that tests read.
fn shown(example: &Example) -> String {
    let mut text = String::new();
    for line in example.files.first().map_or("", |file| &*file.text).lines() {
        let _ = writeln!(text, "  {}", marked(line).0);
    }
    text
}

/// A line of an example without its marks, and what they say: whether it is a fail, and the text.
pub(crate) fn marked(line: &str) -> (&str, Vec<(bool, &str)>) {
    let first = [
        ("# finding: ", true),
        ("// finding: ", true),
        ("# unknown: ", false),
        ("// unknown: ", false),
    ]
    .into_iter()
    .filter_map(|(mark, fails)| line.find(mark).map(|at| (at, at + mark.len(), fails)))
    .min();
    let Some((at, from, fails)) = first else {
        return (line, Vec::new());
    };
    let said = line.get(from..).unwrap_or_default().trim();
    (
        line.get(..at).unwrap_or(line).trim_end(),
        said.split(" | ").map(|text| (fails, text.trim())).collect(),
    )
}

fn field(page: &mut String, name: &str, value: &str, width: usize) {
    paragraph(page, &format!("  {name:9} "), value, width);
}

/// Wrapped text; the lead stands on the first line, later lines are indented as far.
fn paragraph(page: &mut String, lead: &str, text: &str, width: usize) {
    let indent = lead.chars().count();
    for (index, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        if index == 0 {
            let _ = writeln!(page, "{lead}{line}");
        } else {
            let _ = writeln!(page, "{:indent$}{line}", "");
        }
    }
}

fn code(page: &mut String, source: &str) {
    for line in source.lines() {
        let _ = writeln!(page, "    {line}");
    }
}
