//! Frameworks: each control, which guidelines it maps to, and what they found.

use guide::Guideline;
use guide::guideline::Framework;
use maud::{Markup, html};

use super::{Kept, Tally};
use crate::assessment::Assessment;
use crate::text::count;

/// What can be said about a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Fail,
    Unknown,
    /// Only findings that were waived or otherwise set aside.
    SetAside,
    Pass,
    NotApplicable,
    /// Nothing was found; passes were not counted.
    NoFinding,
    NotAssessed,
    /// No guideline maps to it.
    NoGuideline,
}

impl Standing {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::SetAside => "not counted",
            Self::Pass => "pass",
            Self::NotApplicable => "not applicable",
            Self::NoFinding => "no finding",
            Self::NotAssessed => "not assessed",
            Self::NoGuideline => "no guideline",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Fail => "chip critical",
            Self::Unknown => "chip unknown",
            Self::Pass | Self::NoFinding => "chip good",
            _ => "chip quiet",
        }
    }
}

/// A control and the sums over its guidelines.
struct Row<'g> {
    id: &'g str,
    title: &'g str,
    guidelines: Vec<&'g Guideline>,
    tally: Tally,
    pass: usize,
    standing: Standing,
}

/// The section.
pub(super) fn section(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    html! {
        section #frameworks aria-labelledby="frameworks-title" {
            h2 #frameworks-title { "Frameworks" }
            p { "Controls as far as guidelines map to them. A control without a guideline is not covered by this assessment; one without findings was judged on what was given only." }
            @for framework in &assessment.guide.frameworks {
                @let rows = rows(framework, assessment, kept);
                @let covered = rows.iter().filter(|row| !row.guidelines.is_empty()).count();
                @if covered > 0 { (table(framework, &rows, covered, assessment.framework.as_deref() == Some(&framework.id))) }
            }
        }
    }
}

fn rows<'g>(framework: &'g Framework, assessment: &Assessment<'g>, kept: &Kept) -> Vec<Row<'g>> {
    let guide = assessment.guide;
    framework
        .controls
        .iter()
        .map(|(id, title)| {
            let guidelines: Vec<&Guideline> = guide
                .guidelines
                .iter()
                .filter(|guideline| {
                    guideline
                        .controls(&framework.id)
                        .any(|control| *control == **id)
                })
                .collect();
            let mut tally = Tally::default();
            let mut pass = 0;
            for guideline in &guidelines {
                let own = kept.tallies.get(&guideline.id).copied().unwrap_or_default();
                tally.fail += own.fail;
                tally.unknown += own.unknown;
                tally.aside += own.aside;
                pass += kept
                    .verdicts
                    .get(&guideline.id)
                    .map_or(0, |counts| counts.pass);
            }
            let standing = standing(&guidelines, tally, pass, kept);
            Row {
                id,
                title,
                guidelines,
                tally,
                pass,
                standing,
            }
        })
        .collect()
}

fn standing(guidelines: &[&Guideline], tally: Tally, pass: usize, kept: &Kept) -> Standing {
    let assessed = guidelines
        .iter()
        .any(|guideline| kept.selected.contains(&guideline.id));
    if guidelines.is_empty() {
        Standing::NoGuideline
    } else if tally.fail > 0 {
        Standing::Fail
    } else if tally.unknown > 0 {
        Standing::Unknown
    } else if tally.aside > 0 {
        Standing::SetAside
    } else if !assessed {
        Standing::NotAssessed
    } else if kept.verdicts.is_empty() {
        Standing::NoFinding
    } else if pass > 0 {
        Standing::Pass
    } else {
        Standing::NotApplicable
    }
}

/// How many controls stand how, as lengths.
fn bar(rows: &[Row<'_>]) -> Markup {
    let kinds = [
        ("fail", "critical", &[Standing::Fail][..]),
        ("unknown", "unknown", &[Standing::Unknown]),
        ("not counted", "set-aside", &[Standing::SetAside]),
        (
            "pass or no finding",
            "good",
            &[Standing::Pass, Standing::NoFinding],
        ),
        (
            "not applicable or not assessed",
            "open",
            &[Standing::NotApplicable, Standing::NotAssessed],
        ),
        ("no guideline", "nothing", &[Standing::NoGuideline]),
    ];
    let mut at = 0;
    let counted = kinds.map(|(words, class, standings)| {
        let own = rows.iter().filter(|row| standings.contains(&row.standing));
        let (from, number) = (at, own.count());
        at += number;
        (words, class, from, number)
    });
    let said: Vec<String> = counted
        .iter()
        .filter(|(.., number)| *number > 0)
        .map(|(words, .., number)| format!("{number} {words}"))
        .collect();
    html! {
        svg.standing viewBox={ "0 0 " (rows.len().max(1)) " 1" } preserveAspectRatio="none" role="img" aria-label=(said.join(", ")) {
            @for (_, class, from, number) in &counted {
                rect.(class) x=(from) width=(number) height="1" {}
            }
        }
        span.said { (said.join(" · ")) }
    }
}

fn table(framework: &Framework, rows: &[Row<'_>], covered: usize, open: bool) -> Markup {
    let failed = rows
        .iter()
        .filter(|row| row.standing == Standing::Fail)
        .count();
    html! {
        details.framework open[open] {
            summary {
                h3 { (framework.title) " " (framework.version) }
                span { (covered) " of " (count(rows.len(), "control")) " have guidelines, " (failed) " fail" }
                (bar(rows))
            }
            table.cards {
                caption.unseen { "Controls of " (framework.title) }
                thead { tr { th scope="col" { "Control" } th scope="col" { "Standing" } th.count scope="col" { "fail" } th.count scope="col" { "unknown" } th.count scope="col" { "pass" } th scope="col" { "Guidelines" } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { code { (row.id) } " " (row.title) }
                            td data-label="Standing" { span class=(row.standing.class()) { (row.standing.word()) } }
                            td.count data-label="fail" { (row.tally.fail) }
                            td.count data-label="unknown" { (row.tally.unknown) }
                            td.count data-label="pass" { @if row.pass > 0 { (row.pass) } @else { "–" } }
                            td data-label="Guidelines" { @for guideline in &row.guidelines { code { (guideline.id) } " " } @if row.guidelines.is_empty() { "–" } }
                        }
                    }
                }
            }
        }
    }
}
