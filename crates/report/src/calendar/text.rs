//! The calendar on a terminal.

use std::fmt::Write as _;

use guide::renewals::day;

use super::{Calendar, Event};
use crate::text::{clean, count, hanging, wrap};

/// What ends soon is shown apart.
const SOON: i64 = 30;

/// Columns before what is said: a date and how long until then.
const BEFORE: usize = 26;

/// The calendar in lines of so many columns.
#[must_use]
pub fn text(calendar: &Calendar, width: usize) -> String {
    let mut page = String::new();
    let _ = writeln!(
        page,
        "What ends in {}, as of {}",
        clean(&calendar.subject.join(", ")),
        day(calendar.today)
    );
    let days = |event: &&Event| event.days(calendar.today).unwrap_or_default();
    let ended: Vec<&Event> = calendar.events.iter().filter(|one| days(one) < 0).collect();
    let soon: Vec<&Event> = calendar
        .events
        .iter()
        .filter(|one| (0..=SOON).contains(&days(one)))
        .collect();
    let later: Vec<&Event> = calendar
        .events
        .iter()
        .filter(|one| days(one) > SOON)
        .collect();
    for (title, events) in [
        ("Has ended", &ended),
        ("Ends within 30 days", &soon),
        ("Ends later", &later),
    ] {
        if events.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n{title}");
        for event in events {
            let when = event.ends.map(day).unwrap_or_default();
            let first = format!("  {when}  {:>10}  ", distance(days(event)));
            entry(&mut page, &first, event, width);
        }
    }
    if !calendar.unknown.is_empty() {
        let _ = writeln!(page, "\nNobody knows when");
        for event in &calendar.unknown {
            entry(&mut page, &" ".repeat(BEFORE), event, width);
        }
    }
    let own = calendar.events.iter().filter(|event| event.itself).count();
    let mut parts = vec![
        format!("{} ended", ended.len()),
        format!("{} within 30 days", soon.len()),
        format!("{} later", later.len()),
    ];
    if !calendar.unknown.is_empty() {
        parts.push(format!("{} unknown", calendar.unknown.len()));
    }
    let _ = writeln!(
        page,
        "\n{}: {}{}",
        count(calendar.events.len() + calendar.unknown.len(), "end"),
        parts.join(", "),
        match own {
            0 => String::new(),
            1 => "; 1 renews itself".to_owned(),
            own => format!("; {own} renew themselves"),
        }
    );
    page
}

fn entry(page: &mut String, first: &str, event: &Event, width: usize) {
    let mut says = clean(&event.says).into_owned();
    if event.itself {
        says.push_str(" (renews itself)");
    }
    let mut lines = wrap(&says, width.saturating_sub(BEFORE));
    if let Some(because) = &event.because {
        let because = format!("because {}", clean(because));
        lines.extend(wrap(&because, width.saturating_sub(BEFORE)));
    }
    if let Some(place) = &event.place {
        lines.extend(wrap(&clean(place), width.saturating_sub(BEFORE)));
    }
    page.push_str(&hanging(first, BEFORE, &lines));
}

fn distance(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        days if days < 0 => format!("{} d ago", -days),
        days => format!("in {days} d"),
    }
}
