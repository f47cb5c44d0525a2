//! The terminal: what to do first, where exactly, what it costs, and what was not looked at.
//!
//! Guidelines come in the order of severity, then of what they open to attackers, then of what a machine can
//! mend, then of how much there is; each shows a few places in the manner of rustc. The first guidelines are shown in
//! full, the rest in two lines each. Plain words instead of symbols, so that a pipe, a log and
//! a screen reader get the same text.
//!
//! What it deliberately leaves out: single unknown verdicts and findings that were set aside
//! (counted here, listed by JSON and HTML); and deciding on colour, which the caller does.

pub(crate) mod page;
mod snippet;
mod summary;

use std::io::{self, Write};

use guide::{Guide, Guideline};
use model::finding::{Finding, Location, Safety};

use crate::assessment::{Assessment, Sink};
use crate::groups::{Entry, Group, Groups};
use crate::outcome;
use crate::text::{self, clean, count};
use crate::unknowns::Unknowns;
use page::{BOLD, DIM, Page};

/// Places shown of a guideline.
const PLACES: usize = 3;
/// Further places of a finding.
const MORE_PLACES: usize = 2;
/// Edits of a fix that are spelled out.
const EDITS: usize = 3;
/// Guidelines shown in full.
const FULL_GROUPS: usize = 12;
/// Lines of the ledger.
const LEDGER_LINES: usize = 20;
/// Reasons why something is unknown.
const REASONS: usize = 8;

/// What the terminal is like.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Columns; below 40 counts as 40.
    pub width: usize,
    /// Whether to use colours.
    pub colour: bool,
}

/// A sink that writes for people at a terminal.
pub fn new(out: Box<dyn Write>, options: Options) -> impl Sink {
    Terminal {
        out,
        options,
        groups: Groups::new(PLACES),
        unknowns: Unknowns::default(),
    }
}

struct Terminal {
    out: Box<dyn Write>,
    options: Options,
    groups: Groups,
    unknowns: Unknowns,
}

impl Sink for Terminal {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        self.groups.add(finding, guide);
        self.unknowns.add(finding);
        Ok(())
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let mut page = Page::new(self.options);
        let groups = self.groups.in_order(&assessment.attack, assessment.guide);
        for group in groups.iter().take(FULL_GROUPS) {
            full(&mut page, group, assessment);
        }
        further(
            &mut page,
            groups.get(FULL_GROUPS..).unwrap_or_default(),
            assessment,
        );
        // Where nothing but a running estate was read there are no files to declare whole.
        let settled = assessment.whole || assessment.coverage.files == 0;
        unknowns(&mut page, &self.unknowns, settled);
        unread(&mut page, assessment);
        not_assessed(&mut page, assessment);
        summary::write(&mut page, assessment, &self.groups, &self.unknowns);
        self.out.write_all(page.text().as_bytes())?;
        self.out.flush()
    }
}

/// `critical[pss-privileged]: Containers are not privileged`.
fn heading(page: &mut Page, group: &Group, guideline: Option<&Guideline>) {
    let prefix = format!("{}[{}]:", group.severity.word(), clean(&group.guideline.0));
    let title = guideline.map_or("", |guideline| &*guideline.title);
    let style = page::severity(group.severity);
    for (index, line) in text::wrap(&format!("{prefix} {}", clean(title)), page.width() - 4)
        .iter()
        .enumerate()
    {
        let painted = match line.strip_prefix(&prefix) {
            Some(rest) if index == 0 => page.paint(style, &prefix) + &page.paint(BOLD, rest),
            _ => format!("    {}", page.paint(BOLD, line)),
        };
        page.line(&painted);
    }
}

/// A guideline with its places, why it matters, how to mend it and what that costs.
fn full(page: &mut Page, group: &Group, assessment: &Assessment<'_>) {
    let guideline = assessment.guide.guideline(&group.guideline.0);
    heading(page, group, guideline);
    if let Some(guideline) = guideline {
        page.paragraph("  ", &clean(&text::first_sentence(&guideline.prose)));
    }
    let (entries, rest) = group.shown(PLACES, &assessment.attack, assessment.guide);
    let widest = entries
        .iter()
        .flat_map(|entry| entry.finding.places())
        .filter(|place| !place.live)
        .map(|place| place.line)
        .max();
    let gutter = widest.unwrap_or_default().max(1).to_string().len();
    for entry in entries {
        places(page, entry, gutter);
    }
    if rest.findings > 0 {
        let files = group.count_places(rest.files);
        page.line(&format!(
            "{:gutter$} {}",
            "",
            page.paint(DIM, &format!("… and {} more in {files}", rest.findings))
        ));
        page.gutter(gutter, "");
    }
    opens(page, group, assessment, gutter);
    advice(page, group, guideline, gutter);
    page.blank();
}

fn places(page: &mut Page, entry: &Entry, gutter: usize) {
    let finding = &entry.finding;
    if let (Some(cause), 2..) = (&finding.root_cause, entry.count) {
        let first = if entry.files.len() > 1 {
            "; the first of them:"
        } else {
            ":"
        };
        page.paragraph(
            "  ",
            &format!(
                "{} from one place, {}{first}",
                count(entry.count, "finding"),
                clean(cause)
            ),
        );
    }
    let style = page::severity(finding.severity);
    let inside = text::resource(&finding.resource);
    page.place(gutter, "-->", &text::place(&finding.place), &inside);
    snippet::write(
        page,
        gutter,
        &finding.place,
        '^',
        style,
        &clean(&finding.message),
        value_at(finding, &finding.place),
    );
    for place in finding.more_places.iter().take(MORE_PLACES) {
        page.place(gutter, ":::", &text::place(place), "");
        snippet::write(
            page,
            gutter,
            place,
            '-',
            page::GUTTER,
            &clean(place.note.as_deref().unwrap_or_default()),
            value_at(finding, place),
        );
    }
    page.gutter(gutter, "");
}

/// What stands at a place, where it decided.
fn value_at<'f>(finding: &'f Finding, place: &Location) -> Option<&'f str> {
    finding
        .evidence
        .iter()
        .find(|evidence| evidence.route == place.route)
        .map(|evidence| evidence.value.as_str())
}

/// What the findings open to attackers, in a clause.
fn opens(page: &mut Page, group: &Group, assessment: &Assessment<'_>, gutter: usize) {
    if let Some(enables) = assessment
        .attack
        .of_guideline(&group.guideline, assessment.guide)
    {
        let mut words = clean(&enables.words()).into_owned();
        if let Some(closing) = enables.closing() {
            words.push_str("; ");
            words.push_str(&closing);
        }
        page.labelled(gutter, "opens:", &[words]);
    }
}

fn advice(page: &mut Page, group: &Group, guideline: Option<&Guideline>, gutter: usize) {
    if let Some(guideline) = guideline {
        for fix in text::fixes(guideline, &group.checks) {
            let label = match fix.safety {
                Safety::Safe => "safe fix:",
                Safety::Unsafe => "unsafe fix:",
            };
            let all = text::operations(fix);
            let mut edits: Vec<String> = all
                .iter()
                .take(EDITS)
                .map(|edit| clean(edit).into_owned())
                .collect();
            if all.len() > EDITS {
                edits.push(format!("and {}", count(all.len() - EDITS, "further edit")));
            }
            page.labelled(gutter, label, &edits);
        }
        if let Some(cost) = text::cost(&guideline.cost) {
            page.labelled(gutter, "cost:", &[clean(&cost).into_owned()]);
        }
    }
    let command = format!("seawall explain {}", clean(&group.guideline.0));
    page.labelled(gutter, "more:", &[command]);
}

/// Guidelines that are not shown in full.
fn further(page: &mut Page, groups: &[&Group], assessment: &Assessment<'_>) {
    let (guide, attack) = (assessment.guide, &assessment.attack);
    for group in groups {
        heading(page, group, guide.guideline(&group.guideline.0));
        let (entries, _) = group.shown(1, attack, guide);
        let files = group.count_places(group.files.len());
        let mut words = format!("{} in {files}", count(group.fails, "finding"));
        if let Some(enables) = attack.of_guideline(&group.guideline, guide) {
            words.push_str("; opens ");
            words.push_str(&clean(&enables.words()));
        }
        match entries.first() {
            Some(entry) => page.place(1, "-->", &text::place(&entry.finding.place), &words),
            None => page.line(&format!("  {words}")),
        }
    }
    if !groups.is_empty() {
        page.blank();
    }
}

/// Unknown verdicts by reason.
fn unknowns(page: &mut Page, unknowns: &Unknowns, whole: bool) {
    if unknowns.total() == 0 {
        return;
    }
    page.title("Unknown", &count(unknowns.total(), "verdict"));
    let reasons = unknowns.in_order();
    for (reason, entry) in reasons.iter().take(REASONS) {
        let mut ids: Vec<&str> = entry.guidelines.iter().take(4).map(|id| &*id.0).collect();
        if entry.guidelines.len() > ids.len() {
            ids.push("…");
        }
        page.numbered(
            entry.count,
            &format!("{} ({})", clean(reason), clean(&ids.join(", "))),
        );
    }
    let left: usize = reasons
        .iter()
        .skip(REASONS)
        .map(|(_, entry)| entry.count)
        .sum();
    if left + unknowns.other > 0 {
        page.numbered(
            left + unknowns.other,
            "for other reasons; `--format json` lists them all",
        );
    }
    if unknowns.absence.count > 0 {
        let hint = if whole {
            "; what could not be read or was not given may hold it"
        } else {
            "; if these files are all there is, say so with `--whole` or `whole: true` in seawall.yaml"
        };
        let guidelines = count(unknowns.absence.guidelines.len(), "guideline");
        page.numbered(
            unknowns.absence.count,
            &format!("of {guidelines}, because what was given lacks something that may stand elsewhere{hint}"),
        );
    }
    page.blank();
}

/// Documents that could not be judged, and kinds that nobody knows.
fn unread(page: &mut Page, assessment: &Assessment<'_>) {
    let unread: Vec<_> = outcome::incomplete(assessment).collect();
    if !unread.is_empty() {
        let live = unread.iter().all(|entry| entry.live);
        let what = if live { "part" } else { "document" };
        page.title("Not read", &count(unread.len(), what));
        for entry in unread.iter().take(LEDGER_LINES) {
            page.line(&format!("  {}", page.paint(BOLD, &outcome::place(entry))));
            let reason = clean(entry.reason.as_deref().unwrap_or("it could not be read"));
            page.paragraph("    ", &format!("{}: {reason}", entry.status.word()));
            if let Some(help) = &entry.help {
                page.paragraph("    ", &format!("help: {}", clean(help)));
            }
        }
        if unread.len() > LEDGER_LINES {
            page.line(&format!(
                "  … and {} more; `--format json` lists them all",
                unread.len() - LEDGER_LINES
            ));
        }
        page.blank();
    }
    let kinds = outcome::unknown_kinds(assessment);
    if !kinds.is_empty() {
        page.title(
            "Not judged",
            &format!(
                "{} of kinds that seawall does not know",
                count(kinds.values().sum(), "document")
            ),
        );
        let mut words: Vec<String> = kinds
            .iter()
            .take(LEDGER_LINES)
            .map(|(kind, number)| format!("{} ({number})", clean(kind)))
            .collect();
        if kinds.len() > words.len() {
            words.push(format!(
                "and {} more",
                count(kinds.len() - words.len(), "kind")
            ));
        }
        page.paragraph("  ", &words.join(", "));
        page.blank();
    }
}

fn not_assessed(page: &mut Page, assessment: &Assessment<'_>) {
    let total = assessment.coverage.guidelines.len();
    if total == 0 {
        return;
    }
    page.title("Not assessed", &count(total, "guideline"));
    for (needs, number) in outcome::needs(assessment) {
        let verb = if number == 1 { "needs" } else { "need" };
        page.numbered(number, &format!("{verb} {}", clean(needs)));
    }
    page.blank();
}

#[cfg(test)]
mod tests;
