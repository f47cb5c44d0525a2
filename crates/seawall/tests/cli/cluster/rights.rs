//! Rights taken away one by one never make anything look better than it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sources::cluster::kinds::{WANTED, Wanted};

use super::live::live;
use super::roles;
use crate::run::{Json, text};

/// The user who may read everything but one kind.
pub(crate) fn without(wanted: &Wanted) -> String {
    format!(
        "without-{}-{}",
        wanted.resource,
        wanted.group.replace('.', "-")
    )
}

/// The verdict of each guideline about each resource.
fn verdicts(report: &Json) -> BTreeMap<(String, String), String> {
    report
        .list("/verdicts")
        .iter()
        .map(|verdict| {
            let key = (
                text(&verdict["guideline"]).to_owned(),
                verdict["resource"].to_string(),
            );
            (key, text(&verdict["verdict"]).to_owned())
        })
        .collect()
}

/// The guidelines that say that something is wrong, or that they cannot tell.
fn warned(report: &Json) -> BTreeSet<String> {
    let found = report
        .list("/findings")
        .iter()
        .map(|finding| text(&finding["guideline"]).to_owned());
    let missing = report
        .list("/coverage/guidelines")
        .iter()
        .map(|entry| text(&entry["guideline"]).to_owned());
    found.chain(missing).collect()
}

#[test]
fn what_may_not_be_read_is_never_taken_for_good() {
    let live = live();
    let all = live.json("admin", &["--verdicts", "all"]);
    let known = verdicts(&all);
    let failed: BTreeSet<String> = known
        .iter()
        .filter(|(_, verdict)| *verdict == "fail")
        .map(|((guideline, _), _)| guideline.clone())
        .collect();
    assert!(failed.len() > 30, "{failed:?}");
    let served: Vec<&Wanted> = WANTED.iter().filter(|wanted| serves(wanted)).collect();
    assert!(served.len() > 35, "{}", served.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(wanted) = served.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = taken_for_good(wanted, &known, &failed);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether the server knows a kind.
fn serves(wanted: &Wanted) -> bool {
    let get = |path: &str| live().server.request("GET", path, None).unwrap().1;
    let versions: Vec<String> = if wanted.group.is_empty() {
        vec!["/api/v1".to_owned()]
    } else {
        get(&format!("/apis/{}", wanted.group))["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|version| format!("/apis/{}", text(&version["groupVersion"])))
            .collect()
    };
    versions.iter().any(|version| {
        get(version)["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|resource| resource["name"] == wanted.resource)
    })
}

/// Where an assessment that may not read one kind looks better than it is.
fn taken_for_good(
    wanted: &Wanted,
    known: &BTreeMap<(String, String), String>,
    failed: &BTreeSet<String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let report = live().json(&without(wanted), &["--verdicts", "all"]);
    let what = wanted.resource;
    let refused = report
        .documents()
        .iter()
        .any(|line| line.contains(&format!("refused to list {what} (403)")));
    if !refused {
        wrong.push(format!(
            "{what}: the ledger does not say that it is refused"
        ));
    }
    if report.code == 0 {
        wrong.push(format!("{what}: exit code 0"));
    }
    for guideline in failed.difference(&warned(&report)) {
        wrong.push(format!("{what}: {guideline} is silent"));
    }
    // What the cluster refused is no mere absence.
    for finding in report.list("/findings") {
        if text(&finding["message"]).contains("(403)") && finding["fromAbsence"] != false {
            wrong.push(format!("{what}: {finding} is said to be absent"));
        }
    }
    for (key, verdict) in verdicts(&report) {
        let before = known.get(&key).map(String::as_str);
        let better = matches!(verdict.as_str(), "pass" | "not-applicable")
            && matches!(before, Some("fail" | "unknown"));
        if better {
            wrong.push(format!("{what}: {key:?} was {before:?}, is {verdict}"));
        }
    }
    wrong
}

/// The role that reads everything but one kind.
pub(crate) fn role(wanted: &Wanted) -> Value {
    let mut role = roles::written("reader.yaml");
    role["metadata"]["name"] = json!(without(wanted));
    let rules = role["rules"].as_array_mut().unwrap();
    for rule in rules.iter_mut() {
        if rule["apiGroups"] == json!([wanted.group]) {
            let resources = rule["resources"].as_array_mut().unwrap();
            resources.retain(|resource| resource.as_str() != Some(wanted.resource));
        }
    }
    rules.retain(|rule| rule["resources"] != json!([]));
    role
}
