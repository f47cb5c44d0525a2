//! The end of the terminal's report: counts, coverage, why the exit code is what it is, what to type next.

use guide::guideline::{ASPECTS, PRINCIPLES};
use model::finding::Severity;

use super::page::{self, BOLD, DIM, Page};
use crate::assessment::Assessment;
use crate::groups::Groups;
use crate::outcome;
use crate::text::{clean, shell_word};
use crate::unknowns::Unknowns;

/// Writes it.
pub(super) fn write(
    page: &mut Page,
    assessment: &Assessment<'_>,
    groups: &Groups,
    unknowns: &Unknowns,
) {
    let summary = &assessment.summary;
    let fails: usize = summary.fails.values().sum();
    let clear = fails == 0 && unknowns.total() == 0;
    if clear {
        let words = match (summary.resources, assessment.coverage.incomplete()) {
            (0, _) => "Nothing was judged.",
            (_, true) => "Nothing found in what could be read.",
            (_, false) => "Nothing found.",
        };
        let words = page.paint(BOLD, words);
        page.line(&words);
    } else {
        table(page, assessment);
        page.blank();
        if fails > 0 {
            tally(page, assessment, groups);
        }
        attack(page, assessment);
    }
    let aside = outcome::set_aside(summary);
    if !clear {
        if let Some(aside) = &aside {
            page.hanging("not counted   ", 14, aside);
        }
        page.blank();
    }
    page.paragraph("", &outcome::coverage(assessment));
    if let (true, Some(aside)) = (clear, &aside) {
        page.paragraph("", &format!("not counted: {aside}"));
    }
    let code = assessment.exit_code();
    if !clear || code != 0 {
        page.paragraph(
            "",
            &format!("exit {code}: {}", outcome::exit_reason(assessment)),
        );
    }
    if let Some((command, why)) = next(assessment, groups, unknowns) {
        let label = page.paint(BOLD, "next:");
        page.line(&format!("{label} {command}"));
        page.paragraph("      ", &why);
    }
}

/// Severity × (fail, unknown).
fn table(page: &mut Page, assessment: &Assessment<'_>) {
    let summary = &assessment.summary;
    let row = |page: &mut Page, style, word: &str, fail: usize, unknown: usize| {
        let line = format!("{word:<10}{fail:>7}{unknown:>9}");
        let line = page.paint(style, &line);
        page.line(&line);
    };
    let head = page.paint(DIM, &format!("{:<10}{:>7}{:>9}", "", "fail", "unknown"));
    page.line(&head);
    for severity in Severity::WORST_FIRST {
        let fail = summary.fails.get(&severity).copied().unwrap_or_default();
        let unknown = summary.unknowns.get(&severity).copied().unwrap_or_default();
        let style = if fail > 0 {
            page::severity(severity)
        } else {
            DIM
        };
        row(page, style, severity.word(), fail, unknown);
    }
    row(
        page,
        BOLD,
        "total",
        summary.fails.values().sum(),
        summary.unknowns.values().sum(),
    );
}

/// Findings by aspect and by principle.
fn tally(page: &mut Page, assessment: &Assessment<'_>, groups: &Groups) {
    let aspects = groups.by(assessment.guide, |guideline| vec![&*guideline.aspect]);
    let principles = groups.by(assessment.guide, |guideline| {
        guideline.principles.iter().map(|word| &**word).collect()
    });
    // All six aspects, the principles that are concerned. A number and its word stay on one line.
    let aspects = ASPECTS
        .iter()
        .map(|(id, _)| (id, aspects.get(id).copied().unwrap_or_default()));
    let principles = PRINCIPLES
        .iter()
        .filter_map(|(id, _)| Some((id, *principles.get(id)?)));
    let words = |(id, number): (&&str, usize)| format!("{id}\u{a0}{number}");
    let rows: [(&str, Vec<String>); 2] = [
        ("by aspect     ", aspects.map(words).collect()),
        ("by principle  ", principles.map(words).collect()),
    ];
    for (label, words) in rows {
        page.hanging(label, label.len(), &words.join(", "));
    }
}

/// The ways that attackers have, and where their story is told.
fn attack(page: &mut Page, assessment: &Assessment<'_>) {
    if let Some(words) = outcome::attack(assessment) {
        page.hanging("attack paths  ", 14, &words);
    }
}

/// The next command to type, and why.
fn next(
    assessment: &Assessment<'_>,
    groups: &Groups,
    unknowns: &Unknowns,
) -> Option<(String, String)> {
    let words: Vec<String> = assessment
        .subject
        .iter()
        .map(|word| shell_word(word))
        .collect();
    let subject = words.join(" ");
    if let Some(first) = groups
        .in_order(&assessment.attack, assessment.guide)
        .first()
    {
        let why = "why it matters, how to mend it, and how to accept it".to_owned();
        return Some((
            format!("seawall explain {}", clean(&first.guideline.0)),
            why,
        ));
    }
    let may_be_whole = assessment.files_only && !assessment.whole && !subject.is_empty();
    if unknowns.absence.count > 0 && may_be_whole {
        let why = "if these files are all there is: what is absent then counts".to_owned();
        return Some((format!("seawall assess --whole {subject}"), why));
    }
    None
}
