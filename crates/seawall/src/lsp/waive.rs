//! Accepting a finding where it stands: a comment, tried before it is offered. What it is put at is what it must
//! cover, and as little else as may be.

use std::collections::BTreeMap;

use model::finding::{Finding, Fingerprint};
use sources::Overlay;
use yaml::edit::{Edit, apply};

use super::documents::text_of;
use super::judge::Judging;
use super::subject::Subject;

/// How long a finding is accepted unless somebody writes another day.
const DAYS: i64 = 90;

/// What begins a comment in a file; nothing where it has none.
pub(super) fn mark(name: &str) -> Option<&'static str> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".yaml", ".yml", ".tf"]) {
        Some("#")
    } else if ends(&[".bicep", ".bicepparam"]) {
        Some("//")
    } else {
        None
    }
}

/// The day until which it is accepted.
pub(super) fn until(as_of: Option<&str>) -> anyhow::Result<String> {
    let day = crate::choices::day(as_of)?;
    let until = day.saturating_add(jiff::Span::new().days(DAYS));
    Ok(until.to_string())
}

/// The comment for a finding, as an edit of the file that it stands in; why there is none.
pub(super) fn comment(
    judging: &Judging<'_>,
    subject: &Subject,
    open: &Overlay,
    fingerprint: &str,
) -> Result<(String, Edit), String> {
    let judge = |open: &Overlay| {
        let judged = judging.judge(subject, open, &|| false);
        judged.map_err(|error| error.to_string())
    };
    let before = judge(open)?.findings;
    let finding = before
        .iter()
        .find(|finding| finding.fingerprint.to_string() == fingerprint)
        .ok_or("the finding is not there any more")?;
    let name = finding.place.path.clone();
    let mark = mark(&name).ok_or("comments do not stand in such a file")?;
    let text = text_of(open, &name).map_err(|error| error.to_string())?;
    let until = until(judging.args.as_of.as_deref()).map_err(|error| error.to_string())?;
    let said = format!(
        "{mark} seawall: waive {} until {until} because ",
        finding.guideline
    );
    let mut best: Option<(usize, Edit)> = None;
    for edit in places(&text, finding.place.line, &said) {
        let tried = Edit {
            text: edit.text.replace("because ", "because so"),
            ..edit.clone()
        };
        let mut texts = BTreeMap::clone(open);
        texts.insert(name.clone(), apply(&text, &[tried]));
        let after = judge(&texts.into())?.findings;
        if let Some(waived) = waived(&before, &after, finding)
            && best.as_ref().is_none_or(|(least, _)| waived < *least)
        {
            best = Some((waived, edit));
        }
    }
    let (_, edit) = best.ok_or(
        "no comment there would accept this finding alone: put it under `waivers` in seawall.yaml",
    )?;
    Ok((name.to_string(), edit))
}

/// The comment on a line of its own above a line, and behind it.
fn places(text: &str, line: u32, said: &str) -> Vec<Edit> {
    let number = line.saturating_sub(1) as usize;
    let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let whole = rest.split_inclusive('\n').next().unwrap_or_default();
    let own = whole.trim_end_matches(['\n', '\r']);
    let ending = if whole.ends_with("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let indent = own.get(..own.len() - own.trim_start().len());
    let indent = indent.unwrap_or_default();
    // Before a dash of a list the comment stands where the dash does.
    let above = Edit {
        start,
        end: start,
        text: format!("{indent}{said}{ending}"),
    };
    let end = start + own.trim_end().len();
    let behind = Edit {
        start: end,
        end,
        text: format!("  {said}"),
    };
    vec![above, behind]
}

/// How many findings are gone, where the wanted one is and none is new.
fn waived(before: &[Finding], after: &[Finding], wanted: &Finding) -> Option<usize> {
    let count = |findings: &[Finding]| {
        let mut counts: BTreeMap<Fingerprint, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(finding.fingerprint).or_default() += 1;
        }
        counts
    };
    let (before, after) = (count(before), count(after));
    let of = |counts: &BTreeMap<Fingerprint, usize>, print: &Fingerprint| {
        counts.get(print).copied().unwrap_or_default()
    };
    let gone = of(&after, &wanted.fingerprint) < of(&before, &wanted.fingerprint);
    let none_new = after.iter().all(|(print, now)| *now <= of(&before, print));
    let all = |counts: &BTreeMap<Fingerprint, usize>| counts.values().sum::<usize>();
    let less = all(&before).saturating_sub(all(&after));
    (gone && none_new).then_some(less)
}
