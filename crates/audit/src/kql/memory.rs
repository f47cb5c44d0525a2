//! What thresholds, sequences and first sightings add to judged events, with the meaning of `detect::memory`: a
//! threshold looks at four slots of a quarter of its window each, a sequence is exact, a first sighting needs days
//! before it.

use guide::Guide;
use guide::detection::{Detection, Memory};

use super::translate::Said;
use super::{Asked, Judged, REQUEST, Table, judged, one_each, piped, told_of};

/// Columns that go on from an event to the alert.
const TOLD: &str = "Actor, Verb, Shown, Verdict, Message, AuditId";

/// The query of a detection.
pub(super) fn query(guide: &Guide, detection: &Detection, table: Table) -> Said<String> {
    let counted = match &detection.memory {
        Memory::Threshold { distinct, .. } => distinct.as_ref(),
        _ => None,
    };
    let asked = Asked {
        triggers: &detection.looks_at,
        check: &detection.check,
        message: Some(&detection.message),
        by: &detection.by,
        counted,
    };
    let mut events = judged(guide, detection, table, &asked)?;
    let told = told_of(detection);
    Ok(match &detection.memory {
        Memory::None => {
            one_each(&mut events.steps, events.open);
            events.steps.push(told);
            piped(&events.steps)
        }
        Memory::Threshold { window, count, .. } => {
            let steps = threshold(&mut events, *window, *count);
            beside(events, "", steps, told)
        }
        Memory::Sequence { window, on, check } => {
            let first = Asked {
                triggers: on,
                check,
                message: None,
                by: &detection.by,
                counted: None,
            };
            let mut first = judged(guide, detection, table, &first)?;
            first.steps.push("where Verdict == 'match'".to_owned());
            let groups = groups(&first);
            first.steps.push(format!("project {groups}, FirstAt = At"));
            let before = format!("let Firsts = {};\n", within(&first.steps));
            let steps = sequence(&events, *window);
            beside(events, &before, steps, told)
        }
        Memory::FirstSeen { days } => {
            let groups = groups(&events);
            let began = within(&[table.began()]);
            let before = format!("let Began = toscalar({began});\n");
            let steps = vec![
                format!("summarize arg_min(At, {TOLD}) by {groups}"),
                format!("where At >= Began + {days}d"),
            ];
            beside(events, &before, steps, told)
        }
    })
}

fn groups(events: &Judged) -> String {
    let mut all = vec!["Cluster"];
    all.extend(events.groups.iter().map(String::as_str));
    all.join(", ")
}

/// A pipeline within other text.
fn within(steps: &[String]) -> String {
    piped(steps).replace('\n', "\n    ")
}

/// What is certain goes through the memory's steps; what is unknown is told by itself.
fn beside(events: Judged, before: &str, memory: Vec<String>, told: String) -> String {
    let Judged {
        mut steps, open, ..
    } = events;
    if !open {
        steps.extend(memory);
        steps.push(told);
        return format!("{before}{}", piped(&steps));
    }
    let mut certain = vec!["Events".to_owned(), "where Verdict == 'match'".to_owned()];
    certain.extend(memory);
    certain.push(told.clone());
    let unknown = vec![
        "Events".to_owned(),
        "where Verdict != 'match'".to_owned(),
        format!("summarize arg_min(At, *) by {REQUEST}"),
        told,
    ];
    format!(
        "{before}let Events = {};\nunion\n    ({}),\n    ({})",
        within(&steps),
        within(&certain),
        within(&unknown)
    )
}

fn threshold(events: &mut Judged, window: u32, count: u32) -> Vec<String> {
    let part = window / 4;
    let by = groups(events);
    let counted = events.counted.clone().unwrap_or_else(|| {
        // An id alone does not tell requests apart: whoever asks may choose it.
        format!("strcat_delim('|', {REQUEST}, RequestReceivedTime)")
    });
    let same: Vec<String> = by
        .split(", ")
        .map(|column| format!("{column} == prev({column})"))
        .collect();
    let order: Vec<String> = by
        .split(", ")
        .map(|column| format!("{column} asc"))
        .collect();
    vec![
        "mv-expand Shift = range(0, 3) to typeof(long)".to_owned(),
        format!("extend Start = bin(At, {part}s) - Shift * {part}s"),
        format!(
            "summarize Own = countif(Shift == 0), Times = count_distinct({counted}), arg_min(At, {TOLD}) by {by}, Start"
        ),
        format!("where Own > 0 and Times >= {count}"),
        format!("sort by {}, Start asc", order.join(", ")),
        format!(
            "extend Burst = row_cumsum(iff(iff({}, Start - prev(Start) > {}s, true), 1, 0))",
            same.join(" and "),
            3 * part
        ),
        "summarize arg_min(At, *) by Burst".to_owned(),
    ]
}

fn sequence(events: &Judged, window: u32) -> Vec<String> {
    let by = groups(events);
    vec![
        format!("join kind=inner Firsts on {by}"),
        format!("where At > FirstAt and At - FirstAt <= {window}s"),
        format!("summarize arg_min(At, {TOLD}) by {by}, Slot = bin(At, {window}s)"),
    ]
}
