//! A privileged container is found however it is written, or its document is named as not read.

use std::collections::BTreeMap;

use crate::disguises;
use crate::run::{Folder, Json, text};

const ARGS: [&str; 4] = [
    "--guideline",
    "pss-privileged",
    "--framework",
    "pss-baseline",
];

/// Lines of findings and of documents not read, by file.
fn said(report: &Json) -> BTreeMap<String, (Vec<u64>, Vec<u64>)> {
    let mut said: BTreeMap<String, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
    for finding in report.list("/findings") {
        let place = &finding["locations"][0];
        let counts = finding["verdict"] == "fail" && finding["providerManaged"] == false;
        let known = said.entry(text(&place["path"]).to_owned()).or_default();
        known.0.extend(place["line"].as_u64().filter(|_| counts));
    }
    for entry in report.list("/coverage/documents") {
        if ["unreadable", "unresolved"].contains(&text(&entry["status"])) {
            said.entry(text(&entry["path"]).to_owned())
                .or_default()
                .1
                .extend(entry["line"].as_u64());
        }
    }
    said
}

#[test]
fn each_is_found_or_named_as_not_read() {
    let cases = disguises::all();
    assert!(cases.len() >= 100, "{}", cases.len());
    let folder = Folder::new();
    for case in &cases {
        folder.write(case.file, &case.text);
    }
    let report = folder.json(&[&["."], &ARGS[..]].concat());
    let said = said(&report);
    let mut wrong = String::new();
    for case in &cases {
        let lines = |lines: &[u32]| {
            lines
                .iter()
                .map(|line| u64::from(*line))
                .collect::<Vec<_>>()
        };
        let expected = (lines(case.found), lines(case.not_read));
        let got = said.get(case.file).cloned().unwrap_or_default();
        if got != expected {
            let reasons: Vec<String> = report
                .documents()
                .into_iter()
                .filter(|entry| entry.starts_with(&format!("{}:", case.file)))
                .take(5)
                .collect();
            wrong.push_str(&format!(
                "{}: expected {expected:?}, got {got:?} {reasons:?}\n",
                case.file
            ));
        }
        assert!(
            !expected.0.is_empty() || !expected.1.is_empty(),
            "{} expects nothing",
            case.file
        );
    }
    assert!(wrong.is_empty(), "found lines and lines not read:\n{wrong}");
}

#[test]
fn each_alone_decides_the_exit_code() {
    for case in disguises::all() {
        let folder = Folder::new();
        folder.write(case.file, &case.text);
        let expected = if case.found.is_empty() { 4 } else { 1 };
        let report = folder.json(&[&[case.file], &ARGS[..]].concat());
        assert_eq!(
            report.code,
            expected,
            "{}: {:?}",
            case.file,
            report.documents()
        );
    }
}

#[test]
fn standard_input_is_read_the_same_way() {
    for case in disguises::all() {
        let folder = Folder::new();
        let args = [
            &[
                "assess",
                "-",
                "--as-of",
                crate::run::DAY,
                "--format",
                "json",
            ],
            &ARGS[..],
        ]
        .concat();
        let report = folder.run_with(&args, &case.text, "".into()).json();
        let expected = if case.found.is_empty() { 4 } else { 1 };
        assert_eq!(
            report.code,
            expected,
            "{} on standard input: {:?}",
            case.file,
            report.documents()
        );
    }
}
