//! One HTML page that stands alone: for an auditor, an archive, or a browser without network.
//!
//! Works without JavaScript (a few lines of it filter and search), loads nothing, prints, and
//! follows the reader's light or dark preference. Everything from the input is escaped, and the
//! page's own policy forbids any other script.
//!
//! What it deliberately leaves out: passes one by one, and findings beyond
//! [`FINDINGS_KEPT`]: the worst are kept, and the page says what is missing.

mod controls;
mod document;
mod findings;
pub(crate) mod prose;
mod result;
mod trend;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use guide::{Guide, VerdictWord};
use maud::{Markup, PreEscaped, html};
use model::coverage::Status;
use model::finding::{Finding, GuidelineId, Outcome, Severity};
use model::resource::ResourceName;

use crate::assessment::{Assessment, Counts, Sink};
use crate::outcome;
use crate::text::{clean, count};

pub use self::document::{ALONE, Head, Style, chip, document, symbol};
pub use self::findings::{about, source};
pub use self::prose::{blocks, words};

/// Findings on a page; beyond it browsers become slow.
pub const FINDINGS_KEPT: usize = 5000;
/// Documents listed one by one; more are counted.
const LEDGER_ROWS: usize = 2000;

/// Colours, type and tables, which the guide's site has in common with this page.
pub const BASE_STYLE: &str = include_str!("html/base.css");
/// What a page of findings adds: tiles, bars, cards.
pub const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page's own script filters; nothing else runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A part of the page that is made elsewhere.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its fragment.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What its looks need besides.
    pub style: &'static str,
    /// Below its heading.
    pub body: Markup,
}

/// A sink that writes one HTML page. `selected` are the guidelines in question. Passes are
/// counted when verdicts are passed on; otherwise the page says `no finding` instead.
pub fn new(out: Box<dyn Write>, selected: Vec<GuidelineId>) -> impl Sink {
    let kept = Kept {
        selected: selected.into_iter().collect(),
        ..Kept::default()
    };
    Html { out, kept }
}

struct Html {
    out: Box<dyn Write>,
    kept: Kept,
}

/// What goes first when there is no room: what does not count, then unknowns, then the less severe.
type Rank = (bool, bool, Severity);

/// What the page needs.
#[derive(Debug, Default)]
struct Kept {
    selected: BTreeSet<GuidelineId>,
    findings: BTreeMap<Rank, Vec<Finding>>,
    number: usize,
    left_out: usize,
    tallies: BTreeMap<GuidelineId, Tally>,
    verdicts: BTreeMap<GuidelineId, Counts>,
}

/// Findings of a guideline, shown or not.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    fail: usize,
    unknown: usize,
    aside: usize,
    severity: Option<Severity>,
}

impl Kept {
    fn add(&mut self, finding: &Finding) {
        let tally = self.tallies.entry(finding.guideline.clone()).or_default();
        tally.severity = tally.severity.max(Some(finding.severity));
        let fails = matches!(finding.outcome, Outcome::Fail);
        match (finding.counts(), fails) {
            (false, _) => tally.aside += 1,
            (true, true) => tally.fail += 1,
            (true, false) => tally.unknown += 1,
        }
        let rank = (finding.counts(), fails, finding.severity);
        if self.number >= FINDINGS_KEPT {
            self.left_out += 1;
            match self.findings.first_entry() {
                Some(mut least) if *least.key() < rank => {
                    least.get_mut().pop();
                    if least.get().is_empty() {
                        least.remove();
                    }
                }
                _ => return,
            }
        } else {
            self.number += 1;
        }
        self.findings.entry(rank).or_default().push(finding.clone());
    }
}

impl Sink for Html {
    fn finding(&mut self, finding: &Finding, _guide: &Guide) -> io::Result<()> {
        self.kept.add(finding);
        Ok(())
    }

    fn verdict(
        &mut self,
        guideline: &GuidelineId,
        _resource: &ResourceName,
        verdict: VerdictWord,
    ) -> io::Result<()> {
        if let Some(counts) = self.kept.verdicts.get_mut(guideline) {
            counts.add(verdict);
        } else {
            let mut counts = Counts::default();
            counts.add(verdict);
            self.kept.verdicts.insert(guideline.clone(), counts);
        }
        Ok(())
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        self.out
            .write_all(page(assessment, &self.kept).into_string().as_bytes())?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

fn page(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    let subject = outcome::subject(assessment);
    let title = format!("Security assessment of {subject}");
    let mut sheets = vec![STYLE];
    sheets.extend(assessment.parts.iter().map(|part| part.style));
    let head = Head {
        title: &title,
        policy: Some(POLICY),
        style: Style::Within(&sheets),
    };
    let more = html! { meta name="generator" content={ "seawall " (assessment.version) }; };
    let body = html! {
        a.skip href="#result" { "Skip to the result" }
        (header(assessment, &subject))
        main {
            (result::section(assessment, kept))
            (trend::section(assessment))
            @for part in &assessment.parts {
                section id=(part.id) aria-labelledby={ (part.id) "-title" } {
                    h2 id={ (part.id) "-title" } { (part.title) }
                    (part.body)
                }
            }
            (findings::section(assessment, kept))
            (ledger(assessment))
            (not_assessed(assessment))
            (controls::section(assessment, kept))
        }
        footer { p { "Written by seawall " (assessment.version) ". The page loads nothing and sends nothing." } }
        script { (PreEscaped(SCRIPT)) }
    };
    document(&head, &more, None, &body)
}

fn header(assessment: &Assessment<'_>, subject: &str) -> Markup {
    html! {
        header {
            p.brand { "seawall" }
            h1 { "Security assessment of " span.subject { (subject) } }
            dl.facts {
                div { dt { "As of" } dd { time datetime=(assessment.as_of) { (assessment.as_of) } } }
                div { dt { "Judged for" } dd { "Kubernetes 1." (assessment.kubernetes_minor) } }
                div { dt { "Selected by" } dd {
                    @match assessment.framework.as_deref().and_then(|id| assessment.guide.framework(id)) {
                        Some(framework) => { (framework.title) " " (framework.version) }
                        None => { (assessment.framework.as_deref().unwrap_or("the whole guide")) }
                    }
                } }
                div { dt { "Estate" } dd { @if assessment.whole { "declared whole" } @else { "in part" } } }
                div { dt { "Version" } dd { "seawall " (assessment.version) } }
            }
            nav aria-label="Sections" {
                ul {
                    li { a href="#result" { "Result" } }
                    @if assessment.trend.is_some() { li { a href="#trend" { "Trend" } } }
                    @for part in &assessment.parts { li { a href={ "#" (part.id) } { (part.title) } } }
                    li { a href="#findings" { "Findings" } }
                    li { a href="#coverage" { "Coverage" } }
                    li { a href="#not-assessed" { "Not assessed" } }
                    li { a href="#frameworks" { "Frameworks" } }
                }
            }
        }
    }
}

fn ledger(assessment: &Assessment<'_>) -> Markup {
    let coverage = &assessment.coverage;
    let open: Vec<_> = coverage
        .documents
        .iter()
        .filter(|entry| entry.status != Status::Assessed)
        .collect();
    html! {
        section #coverage aria-labelledby="coverage-title" {
            h2 #coverage-title { "Coverage" }
            p { "Every document that was read, and what became of it. Nothing is skipped silently." }
            dl.facts.boxed {
                div { dt { "files" } dd { (coverage.files) } }
                div { dt { "documents" } dd { (coverage.documents.len()) } }
                @for status in Status::ALL {
                    div { dt { (status.word()) } dd { (coverage.count(status)) } }
                }
                div { dt { "empty" } dd { (coverage.empty) } }
                div { dt { "kept by AKS" } dd { (coverage.provider_managed) } }
            }
            @if open.is_empty() {
                p { "All documents were judged." }
            } @else {
                table.cards {
                    caption { "Documents that were not judged" }
                    thead { tr { th scope="col" { "Document" } th scope="col" { "What became of it" } th scope="col" { "Object" } th scope="col" { "Why, and what to do" } } }
                    tbody {
                        @for entry in open.iter().take(LEDGER_ROWS) {
                            tr {
                                td data-label="Document" { code { (outcome::place(entry)) } }
                                td data-label="What became of it" { span class={ "chip " (if entry.status.incomplete() { "high" } else { "quiet" }) } { (entry.status.word()) } }
                                td data-label="Object" {
                                    @if entry.kind.is_none() && entry.name.is_none() { "–" }
                                    (clean(entry.kind.as_deref().unwrap_or_default())) " " (clean(entry.name.as_deref().unwrap_or_default()))
                                }
                                td data-label="Why" {
                                    (prose::words(entry.reason.as_deref().unwrap_or_default()))
                                    @if let Some(help) = &entry.help { p.help { (prose::words(help)) } }
                                }
                            }
                        }
                    }
                }
                @if open.len() > LEDGER_ROWS { p { "… and " (count(open.len() - LEDGER_ROWS, "document")) " more; the JSON report lists them all." } }
            }
        }
    }
}

fn not_assessed(assessment: &Assessment<'_>) -> Markup {
    let mut by_need: BTreeMap<&str, Vec<&GuidelineId>> = BTreeMap::new();
    for entry in &assessment.coverage.guidelines {
        by_need
            .entry(&entry.needs)
            .or_default()
            .push(&entry.guideline);
    }
    html! {
        section #not-assessed aria-labelledby="not-assessed-title" {
            h2 #not-assessed-title { "Not assessed" }
            @if by_need.is_empty() {
                p { "Every guideline that was selected could be assessed." }
            } @else {
                p { "These guidelines were selected, and the data they need was not given. Nothing is said about them." }
            }
            @for (needs, ids) in &by_need {
                h3 { "Needs " (prose::words(needs)) " " span.quiet { (count(ids.len(), "guideline")) } }
                ul.columns {
                    @for id in ids {
                        li {
                            @if let Some(guideline) = assessment.guide.guideline(&id.0) { (guideline.title) " " }
                            code { (id) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
