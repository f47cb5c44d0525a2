//! One posture in every way that templates can be written in: a good and a bad twin of each. The
//! bad one has a finding of each guideline at the line where the deciding literal stands, and no
//! other; the good one has none; neither leaves anything open.

#[path = "templates/bicep.rs"]
mod bicep;
#[path = "templates/json.rs"]
mod json;
#[path = "templates/posture.rs"]
mod posture;
#[path = "templates/terraform.rs"]
mod terraform;

use std::collections::BTreeSet;

use posture::{Files, POSTURE, Twin, Way};

use crate::run::{Folder, Json, text};

#[test]
fn json_means_what_it_says() {
    judge(json::WAYS);
}

#[test]
fn bicep_means_what_it_says() {
    judge(bicep::WAYS);
}

#[test]
fn terraform_means_what_it_says() {
    judge(terraform::WAYS);
}

/// Assesses all twins of all ways, each in a folder of its own. Those whose parameters have to be
/// given are assessed by themselves.
fn judge(ways: &[&[Way]]) {
    let folder = Folder::new();
    let mut expected = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut together = 0;
    for (name, write) in ways.iter().copied().flatten() {
        assert!(names.insert(name), "`{name}` is there twice");
        let good = write(Twin::Good);
        let bad = write(Twin::Bad);
        assert!(
            bad.marked.len() >= POSTURE.len(),
            "`{name}` marks too little"
        );
        if good.explicit.is_some() {
            judge_alone(name, &good, &BTreeSet::new());
            judge_alone(name, &bad, &bad.marked);
            continue;
        }
        together += 1;
        let path: String = name
            .chars()
            .map(|letter| {
                if letter.is_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        for (files, twin) in [(&good, "good"), (&bad, "bad")] {
            for (file, text) in &files.files {
                folder.write(&format!("{path}/{twin}/{file}"), text);
            }
        }
        let marked = bad.marked.iter().map(|mark| format!("{path}/bad/{mark}"));
        expected.extend(marked);
    }
    let report = assess(&folder, &["."]);
    compare(&folder, &expected, &report);
    for property in &POSTURE {
        for verdict in ["pass", "fail"] {
            let count = report
                .list("/verdicts")
                .iter()
                .filter(|entry| text(&entry["guideline"]) == property.guideline)
                .filter(|entry| text(&entry["verdict"]) == verdict)
                .count();
            let guideline = property.guideline;
            assert!(
                count >= together,
                "{count} {verdict} of {guideline}, fewer than {together}"
            );
        }
    }
}

fn judge_alone(name: &str, files: &Files, expected: &BTreeSet<String>) {
    let folder = Folder::new();
    for (file, text) in &files.files {
        folder.write(file, text);
    }
    let given = files.explicit.expect("it is given");
    let report = assess(&folder, &[&files.files[0].0, "--parameters", given]);
    assert!(!report.list("/verdicts").is_empty(), "{name}");
    compare(&folder, expected, &report);
}

fn assess(folder: &Folder, args: &[&str]) -> Json {
    let mut args = args.to_vec();
    for property in &POSTURE {
        args.extend(["--guideline", property.guideline]);
    }
    args.extend(["--verdicts", "all"]);
    folder.json(&args)
}

/// Everything was read, and the findings are those that are expected.
fn compare(folder: &Folder, expected: &BTreeSet<String>, report: &Json) {
    let mut wrong: Vec<String> = report
        .documents()
        .into_iter()
        .filter(|document| !document.contains(" assessed ") && !document.contains(" not-relevant "))
        .collect();
    let found: BTreeSet<String> = report
        .findings()
        .into_iter()
        .map(|finding| match finding.strip_suffix(" fail") {
            Some(failed) => failed.to_owned(),
            None => finding,
        })
        .collect();
    wrong.extend(
        expected
            .difference(&found)
            .map(|missing| format!("no finding {missing}")),
    );
    wrong.extend(
        found
            .difference(expected)
            .map(|more| format!("a finding too many: {more}")),
    );
    let first = wrong
        .first()
        .and_then(|line| line.split([' ', ':']).find(|word| word.contains('.')))
        .and_then(|path| std::fs::read_to_string(folder.path().join(path)).ok())
        .unwrap_or_default();
    assert!(
        wrong.is_empty(),
        "{}\nthe first is about\n{first}",
        wrong.join("\n")
    );
}
