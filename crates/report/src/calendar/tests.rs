//! Forms of the calendar, by what their standards ask for.

use super::*;

fn event(says: &str, ends: &str) -> Event {
    Event {
        kind: "vault-secret".into(),
        says: says.to_owned(),
        ends: guide::setting::midnight(ends).map(|at| at.seconds),
        because: None,
        then: "Clients refuse it.".to_owned(),
        itself: false,
        resource: "Microsoft.KeyVault/vaults/secrets/shop/db".to_owned(),
        place: Some("main.bicep:3".to_owned()),
        guideline: None,
        sources: Vec::new(),
    }
}

fn calendar(events: Vec<Event>) -> Calendar {
    let today = guide::setting::midnight("2026-11-27").unwrap().seconds;
    let mut calendar = Calendar::new(today, vec![".".to_owned()]);
    events.into_iter().for_each(|event| calendar.add(event));
    calendar.settle(None);
    calendar
}

#[test]
fn the_end_of_a_month_is_its_last_day() {
    assert_eq!(last_day("2026-11").map(day).as_deref(), Some("2026-11-30"));
    assert_eq!(last_day("2027-12").map(day).as_deref(), Some("2027-12-31"));
    assert_eq!(last_day("2028-02").map(day).as_deref(), Some("2028-02-29"));
    assert_eq!(
        last_day("2028-03-31").map(day).as_deref(),
        Some("2028-03-31")
    );
    assert_eq!(last_day("soon"), None);
}

#[test]
fn lines_of_icalendar_are_short_and_whole_when_unfolded() {
    let says = "key, of; \\ \u{1f511}".repeat(20);
    let text = icalendar(&calendar(vec![event(&says, "2027-01-31")]));
    for line in text.split("\r\n") {
        assert!(line.len() <= 75, "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
    let unfolded = text.replace("\r\n ", "");
    let escaped = says
        .replace('\\', "\\\\")
        .replace(',', "\\,")
        .replace(';', "\\;");
    assert!(
        unfolded.contains(&format!("SUMMARY:{escaped}\r\n")),
        "{unfolded}"
    );
    assert!(unfolded.contains("DTSTART;VALUE=DATE:20270131\r\nDTEND;VALUE=DATE:20270201\r\n"));
}

#[test]
fn identities_are_unique_and_do_not_hang_on_the_day() {
    let uids = |days: [&str; 2]| -> Vec<String> {
        let text = icalendar(&calendar(days.map(|day| event("x ends", day)).to_vec()));
        let lines = text.split("\r\n").filter(|line| line.starts_with("UID:"));
        lines.map(str::to_owned).collect()
    };
    let first = uids(["2027-01-31", "2027-02-28"]);
    assert_ne!(first[0], first[1]);
    assert_eq!(first, uids(["2028-01-31", "2028-02-28"]));
}

#[test]
fn what_is_near_is_counted_without_what_renews_itself() {
    let mut own = event("own", "2026-12-01");
    own.itself = true;
    let calendar = calendar(vec![
        own,
        event("past", "2026-11-01"),
        event("today", "2026-11-27"),
        event("later", "2027-11-27"),
    ]);
    assert_eq!((calendar.near(0), calendar.near(400)), (2, 3));
}

#[test]
fn labels_of_metrics_escape_what_would_end_them() {
    let text = metrics(&calendar(vec![event("a \"b\" \\ c\nd", "2027-01-31")]));
    assert!(
        text.contains("what=\"a \\\"b\\\" \\\\ c\\nd\",renews_itself=\"false\"} 1801353600\n"),
        "{text}"
    );
}
