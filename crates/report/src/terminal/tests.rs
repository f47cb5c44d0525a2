use model::finding::Finding;

use super::*;
use crate::testing::{assessment, findings, guide, hostile, with_ledger, written};

fn at(width: usize, colour: bool) -> impl FnOnce(Box<dyn Write>) -> Box<dyn Sink> {
    move |out| Box::new(new(out, Options { width, colour }))
}

fn lines_wider_than(text: &str, width: usize) -> Vec<&str> {
    let path = |line: &str| ["-->", ":::", "next:"].iter().any(|mark| line.contains(mark)) || line.starts_with("  deploy/");
    text.lines().filter(|line| text::width(line) > width && !path(line)).collect()
}

#[test]
fn everything_at_80_columns() {
    let guide = guide();
    let findings = findings();
    let text = written(at(80, false), &findings, &with_ledger(&guide, &findings));
    insta::assert_snapshot!(text, @"");
}

#[test]
fn everything_at_120_columns() {
    let guide = guide();
    let findings = findings();
    let text = written(at(120, false), &findings, &with_ledger(&guide, &findings));
    insta::assert_snapshot!(text, @"");
}

#[test]
fn nothing_found() {
    let guide = guide();
    insta::assert_snapshot!(written(at(80, false), &[], &assessment(&guide, &[])), @"");
}

#[test]
fn only_absence() {
    let guide = guide();
    let some: Vec<Finding> = findings().into_iter().skip(7).take(2).collect();
    insta::assert_snapshot!(written(at(80, false), &some, &assessment(&guide, &some)), @"");
}

#[test]
fn nothing_found_but_something_not_read() {
    let guide = guide();
    insta::assert_snapshot!(written(at(80, false), &[], &with_ledger(&guide, &[])), @"");
}

#[test]
fn many_findings_of_one_guideline_and_many_guidelines() {
    let guide = guide();
    let mut many = Vec::new();
    for number in 0..40 {
        many.push(crate::testing::in_file(&format!("deploy/{}.yaml", number % 9)));
    }
    for number in 0..14 {
        let mut finding = crate::testing::finding();
        finding.guideline = crate::testing::id(&format!("other-{number:02}"));
        finding.severity = model::Severity::Low;
        many.push(finding);
    }
    let text = written(at(80, false), &many, &assessment(&guide, &many));
    assert!(text.contains("… and 37 more in 9 files"), "{text}");
    assert!(text.contains("low[other-13]:\n --> deploy/web.yaml:12:11  1 finding in 1 file"), "{text}");
}

#[test]
fn colour_changes_no_word() {
    let guide = guide();
    let findings = findings();
    let plain = written(at(80, false), &findings, &with_ledger(&guide, &findings));
    let painted = written(at(80, true), &findings, &with_ledger(&guide, &findings));
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_ne!(plain, painted);
    assert_eq!(plain, stripped);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let guide = guide();
    for width in [40, 60, 80, 100, 120, 200] {
        for findings in [findings(), hostile()] {
            let text = written(at(width, false), &findings, &with_ledger(&guide, &findings));
            assert_eq!(lines_wider_than(&text, width), Vec::<&str>::new(), "at {width}");
        }
    }
}

/// A manifest must not be able to write to the terminal.
#[test]
fn control_characters_never_reach_the_terminal() {
    let guide = guide();
    // Every control and format character, one at a time, in every text of a finding and of the ledger.
    let mut characters: Vec<char> = (0..0xA0_u32).chain(0x2000..0x2070).chain([0x61C, 0xFEFF, 0xFFF9, 0xE0001]).filter_map(char::from_u32).collect();
    characters.retain(|c| *c != '\n' && text::hostile(*c));
    for bad in characters {
        let mut findings = hostile();
        for finding in &mut findings {
            finding.message = format!("x{bad}y");
            finding.place.source = format!("  key: x{bad}y").into();
            finding.place.path = format!("a{bad}b.yaml").into();
        }
        let mut assessment = with_ledger(&guide, &findings);
        assessment.subject = vec![format!("a{bad}b")];
        for entry in &mut assessment.coverage.documents {
            entry.path = format!("a{bad}b").into();
            entry.reason = Some(format!("a{bad}b").into());
            entry.help = Some(format!("a{bad}b").into());
            entry.kind = Some(format!("a{bad}b").into());
        }
        let text = written(at(80, false), &findings, &assessment);
        assert!(!text.chars().any(|c| c != '\n' && text::hostile(c)), "{bad:?}");
    }
}
