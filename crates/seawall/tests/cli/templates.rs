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

use crate::run::{Folder, text};

#[test]
fn json_means_what_it_says() {
    none(&wrong(json::WAYS));
}

#[test]
fn bicep_means_what_it_says() {
    none(&wrong(bicep::WAYS));
}

#[test]
fn terraform_means_what_it_says() {
    none(&wrong(terraform::WAYS));
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as it should be: the way, the twin and the first thing that is wrong; with the
/// texts of the first.
fn wrong(ways: &[&[Way]]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, write) in ways.iter().copied().flatten() {
        assert!(names.insert(name), "`{name}` is there twice");
        for (twin, word) in [(Twin::Good, "good"), (Twin::Bad, "bad")] {
            let files = write(twin);
            if let Err(what) = judge(&files, twin) {
                let mut line = format!("{name}, {word}: {what}");
                if wrong.is_empty() {
                    for (name, text) in &files.files {
                        line += &format!("\n--- {name}\n{text}");
                    }
                }
                wrong.push(line);
            }
        }
    }
    wrong
}

/// Assesses the files and compares.
fn judge(files: &Files, twin: Twin) -> Result<(), String> {
    let folder = Folder::new();
    for (name, text) in &files.files {
        folder.write(name, text);
    }
    let mut args = match files.explicit {
        // Given by name, whatever it is called.
        Some(given) => vec![files.files[0].0.as_str(), "--parameters", given],
        // Found by its name, or says itself what it is for.
        None => vec!["."],
    };
    for property in &POSTURE {
        args.extend(["--guideline", property.guideline]);
    }
    args.extend(["--verdicts", "all"]);
    let report = folder.json(&args);
    for document in report.documents() {
        if !document.contains(" assessed ") && !document.contains(" not-relevant ") {
            return Err(format!("not read: {document}"));
        }
    }
    let expected = match twin {
        Twin::Good => BTreeSet::new(),
        Twin::Bad => files.marked.clone(),
    };
    let found: BTreeSet<String> = report
        .findings()
        .into_iter()
        .map(|finding| match finding.strip_suffix(" fail") {
            Some(failed) => failed.to_owned(),
            None => finding,
        })
        .collect();
    if let Some(missing) = expected.difference(&found).next() {
        return Err(format!("no finding {missing}"));
    }
    if let Some(more) = found.difference(&expected).next() {
        return Err(format!("an unexpected finding {more}"));
    }
    for property in &POSTURE {
        let mut verdicts = report
            .list("/verdicts")
            .iter()
            .filter(|verdict| text(&verdict["guideline"]) == property.guideline);
        let judged = match twin {
            Twin::Good => "pass",
            Twin::Bad => "fail",
        };
        if !verdicts.any(|verdict| text(&verdict["verdict"]) == judged) {
            return Err(format!("no {judged} of {}", property.guideline));
        }
    }
    Ok(())
}
