//! For a reviewer at a terminal: what got worse stands on top, and each part is short.

use super::{Became, Diff, Differs, words};
use crate::outcome;
use crate::terminal::Options;
use crate::terminal::page::{self, BOLD, DIM, Page};
use crate::text::{clean, count, resource};

/// Findings of a part.
const FINDINGS: usize = 40;
/// Lines of what is no finding.
const LINES: usize = 20;
/// Fields of a resource.
const FIELDS: usize = 6;

/// The whole comparison.
#[must_use]
pub fn text(diff: &Diff<'_>, options: Options) -> String {
    let mut page = Page::new(options);
    worse(&mut page, diff);
    undecided(&mut page, diff);
    better(&mut page, diff);
    rights(&mut page, diff);
    connections(&mut page, diff);
    resources(&mut page, diff);
    unseen(&mut page, diff);
    unread(&mut page, diff);
    summary(&mut page, diff);
    page.text().to_owned()
}

fn worse(page: &mut Page, diff: &Diff<'_>) {
    let findings: Vec<&Differs> = of(diff, |one| one.became.is_worse());
    let escalations = &diff.rights.escalations;
    let exposed: Vec<String> = diff
        .connections
        .exposed
        .iter()
        .filter(|exposed| exposed.internet)
        .map(words::exposed)
        .collect();
    if findings.is_empty() && escalations.is_empty() && exposed.is_empty() {
        return;
    }
    let total = findings.len() + escalations.len() + exposed.len();
    page.title("Worse", &total.to_string());
    list(
        page,
        "escalation",
        escalations.iter().map(words::escalation),
    );
    list(page, "exposed", exposed.into_iter());
    for one in findings.iter().take(FINDINGS) {
        finding(page, diff, one);
    }
    more(page, findings.len(), FINDINGS);
    page.blank();
}

/// A finding with its place.
fn finding(page: &mut Page, diff: &Diff<'_>, one: &Differs) {
    let found = &one.finding;
    let head = format!("{}[{}]", found.severity.word(), clean(&found.guideline.0));
    let painted = page.paint(page::severity(found.severity), &head);
    let columns = head.chars().count() + 3;
    page.hanging(
        &format!("  {painted} "),
        columns,
        &format!(
            "{}: {}",
            words::became(one.became),
            clean(words::message(found))
        ),
    );
    let place = words::place(found, words::side_of(one, diff));
    page.place(2, "-->", &place, &resource(&found.resource));
}

fn better(page: &mut Page, diff: &Diff<'_>) {
    let findings: Vec<&Differs> = of(diff, |one| one.became.is_better());
    if findings.is_empty() {
        return;
    }
    page.title("Better", &findings.len().to_string());
    for one in findings.iter().take(LINES) {
        brief(page, diff, one);
    }
    more(page, findings.len(), LINES);
    page.blank();
}

fn undecided(page: &mut Page, diff: &Diff<'_>) {
    let all = of(diff, |one| {
        !one.became.is_better() && !one.became.is_worse()
    });
    let (fresh, lost): (Vec<&Differs>, Vec<&Differs>) = all
        .into_iter()
        .partition(|one| one.became == Became::Unseen);
    for (title, findings) in [
        ("Unknown now, which is not better", lost),
        ("Not seen before, which is not worse", fresh),
    ] {
        if findings.is_empty() {
            continue;
        }
        page.title(title, &findings.len().to_string());
        for one in findings.iter().take(LINES) {
            brief(page, diff, one);
        }
        more(page, findings.len(), LINES);
        page.blank();
    }
}

/// What cannot be compared, since one of the two does not see it.
fn unseen(page: &mut Page, diff: &Diff<'_>) {
    if diff.unseen.is_empty() {
        return;
    }
    page.title("Not compared", "one of the two cannot see it");
    for one in diff.unseen.iter().take(LINES) {
        page.hanging("  ", 4, &words::unseen(one, diff));
    }
    more(page, diff.unseen.len(), LINES);
    page.blank();
}

/// A finding on one or two lines.
fn brief(page: &mut Page, diff: &Diff<'_>, one: &Differs) {
    let found = &one.finding;
    let place = words::place(found, words::side_of(one, diff));
    page.hanging(
        "  ",
        4,
        &format!(
            "{}[{}] {}: {}, {place}",
            found.severity.word(),
            clean(&found.guideline.0),
            words::became(one.became),
            resource(&found.resource),
        ),
    );
}

fn rights(page: &mut Page, diff: &Diff<'_>) {
    let rights = &diff.rights;
    if rights.is_empty() {
        return;
    }
    let words_of = |gained: usize, lost: usize| match (gained, lost) {
        (gained, 0) => format!("{gained} gained"),
        (0, lost) => format!("{lost} lost"),
        (gained, lost) => format!("{gained} gained, {lost} lost"),
    };
    page.title("Rights", &words_of(rights.gained.len(), rights.lost.len()));
    for right in rights.gained.iter().take(LINES) {
        page.hanging("  + ", 4, &words::right(right, "may"));
        let by = page.paint(DIM, &format!("    by {}", clean(&right.by)));
        page.line(&by);
    }
    more(page, rights.gained.len(), LINES);
    for right in rights.lost.iter().take(LINES) {
        page.hanging("  - ", 4, &words::right(right, "could"));
    }
    more(page, rights.lost.len(), LINES);
    for escalated in rights.no_escalations.iter().take(LINES) {
        page.hanging(
            "  - ",
            4,
            &format!("no longer: {}", words::escalation(escalated)),
        );
    }
    more(page, rights.no_escalations.len(), LINES);
    page.blank();
}

fn connections(page: &mut Page, diff: &Diff<'_>) {
    let connections = &diff.connections;
    if connections.is_empty() {
        return;
    }
    page.title("Connections", "between what is there before and after");
    let outside = |opened: bool| {
        connections
            .outside
            .iter()
            .filter(move |one| one.opened == opened)
            .map(words::outside)
    };
    marked(page, '+', connections.exposed.iter().map(words::exposed));
    marked(page, '+', outside(true));
    marked(page, '+', connections.opened.iter().map(words::connection));
    marked(page, '-', connections.hidden.iter().map(words::exposed));
    marked(page, '-', outside(false));
    marked(page, '-', connections.closed.iter().map(words::connection));
    page.blank();
}

fn resources(page: &mut Page, diff: &Diff<'_>) {
    use analysis::compare::resources::What;
    if diff.resources.is_empty() {
        return;
    }
    let of = |wanted: fn(&What) -> bool| {
        diff.resources
            .iter()
            .filter(|change| wanted(&change.what))
            .count()
    };
    page.title(
        "Resources",
        &format!(
            "{} added, {} removed, {} changed",
            of(|what| *what == What::Added),
            of(|what| *what == What::Removed),
            of(|what| matches!(what, What::Changed(..)))
        ),
    );
    for change in diff.resources.iter().take(LINES) {
        let (mark, name) = words::change(change);
        let place = words::change_place(change, diff).unwrap_or_default();
        page.hanging(&format!("  {mark} "), 4, &format!("{name}  {place}"));
        if let What::Changed(fields, left) = &change.what {
            for field in fields.iter().take(FIELDS) {
                page.hanging("      ", 8, &words::field(field));
            }
            let left = left + fields.len().saturating_sub(FIELDS);
            if left > 0 {
                page.line(&format!("      … and {} more", count(left, "place")));
            }
        }
    }
    more(page, diff.resources.len(), LINES);
    page.blank();
}

fn unread(page: &mut Page, diff: &Diff<'_>) {
    for side in [&diff.old, &diff.new] {
        if side.unread.is_empty() {
            continue;
        }
        page.title(
            &format!("Not read of {}", clean(&side.name)),
            &count(side.unread.len(), "part"),
        );
        for entry in side.unread.iter().take(LINES) {
            let place = page.paint(BOLD, &outcome::place(entry));
            page.line(&format!("  {place}"));
            page.paragraph(
                "    ",
                &clean(entry.reason.as_deref().unwrap_or("it could not be read")),
            );
            if let Some(help) = &entry.help {
                page.paragraph("    ", &format!("help: {}", clean(help)));
            }
        }
        more(page, side.unread.len(), LINES);
        page.blank();
    }
}

fn summary(page: &mut Page, diff: &Diff<'_>) {
    let side = |side: &super::Side| {
        format!(
            "{} ({})",
            clean(&side.name),
            count(side.resources, "resource")
        )
    };
    page.paragraph(
        "",
        &format!("from {} to {}", side(&diff.old), side(&diff.new)),
    );
    if diff.is_empty() {
        let words = page.paint(BOLD, "Nothing differs.");
        page.line(&words);
    } else {
        page.paragraph("", &words::sums(diff));
    }
    page.paragraph(
        "",
        &format!("exit {}: {}", diff.exit_code(), words::exit_reason(diff)),
    );
}

fn of<'d>(diff: &'d Diff<'_>, wanted: impl Fn(&Differs) -> bool) -> Vec<&'d Differs> {
    diff.findings.iter().filter(|one| wanted(one)).collect()
}

fn list(page: &mut Page, label: &str, lines: impl ExactSizeIterator<Item = String>) {
    let total = lines.len();
    let painted = page.paint(page::severity(super::FACTS), label);
    for line in lines.take(LINES) {
        page.hanging(&format!("  {painted} "), label.chars().count() + 3, &line);
    }
    more(page, total, LINES);
}

fn marked(page: &mut Page, mark: char, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    for line in lines.iter().take(LINES) {
        page.hanging(&format!("  {mark} "), 4, line);
    }
    more(page, lines.len(), LINES);
}

fn more(page: &mut Page, total: usize, shown: usize) {
    if total > shown {
        page.line(&format!(
            "  … and {} more; `--format json` lists them all",
            total - shown
        ));
    }
}
