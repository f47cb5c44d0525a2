//! Pages from hand-made findings: what is shown, escaped and counted.

use super::*;
use crate::testing::{
    assessment, finding, findings, guide, hostile, id, in_file, selected, with_ledger, written,
};

fn sink(out: Box<dyn Write>) -> impl Sink {
    new(out, selected())
}

#[test]
fn a_page_stands_alone() {
    let guide = guide();
    let findings = findings();
    let page = written(sink, &findings, &with_ledger(&guide, &findings));
    for part in [
        "<h2 id=\"result-title\">",
        "Containers are not privileged",
        "default-src 'none'",
        "prefers-color-scheme",
        "Pod rules 1.34",
        "registry-private",
        "did not find expected",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for outside in ["src=\"http", "@import", "url(", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("data-severity=").count(), findings.len());
}

#[test]
fn nothing_found() {
    let guide = guide();
    let page = written(sink, &[], &assessment(&guide, &[]));
    assert!(page.contains("Nothing was found."));
    assert!(page.contains("Exit code 0: nothing at or above high."));
}

#[test]
fn a_manifest_cannot_write_markup() {
    let guide = guide();
    let mut findings = hostile();
    for finding in &mut findings {
        finding.place.source = "</style><script>alert(1)</script>".into();
        finding.message = "<img src=x onerror=alert(1)> [x](https://evil.example)".to_owned();
        finding.guideline = id("\"><script>x</script>");
    }
    let page = written(sink, &findings, &with_ledger(&guide, &findings));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    assert!(!page.contains("evil.example\""));
    assert!(!page.chars().any(|c| c != '\n' && crate::text::hostile(c)));
}

#[test]
fn the_worst_are_kept_and_the_rest_is_counted() {
    let mut kept = Kept::default();
    for number in 0..FINDINGS_KEPT {
        let mut low = in_file(&format!("{number}.yaml"));
        low.severity = Severity::Low;
        kept.add(&low);
    }
    kept.add(&finding());
    let mut aside = finding();
    aside.in_baseline = true;
    kept.add(&aside);
    assert_eq!(kept.left_out, 2);
    assert_eq!(kept.findings[&(true, true, Severity::Critical)].len(), 1);
    assert_eq!(
        kept.findings[&(true, true, Severity::Low)].len(),
        FINDINGS_KEPT - 1
    );
}

#[test]
fn controls_say_what_is_known() {
    let guide = guide();
    let findings: Vec<Finding> = findings()
        .into_iter()
        .filter(|finding| &*finding.guideline.0 != "image-tag")
        .collect();
    let mut assessment = assessment(&guide, &findings);
    assessment.framework = Some("pods".to_owned());
    let page = written(sink, &findings, &assessment);
    let row = |control: &str| {
        let from = page.find(&format!("<code>{control}</code>")).unwrap();
        page.get(from..)
            .unwrap()
            .split("</tr>")
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(row("privileged").contains(">fail<"));
    assert!(row("images").contains(">not applicable<"));
    assert!(row("windows").contains(">no guideline<"));
    assert!(page.contains("3 of 4 controls have guidelines, 1 fail"));
}
