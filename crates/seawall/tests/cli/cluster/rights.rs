//! Rights taken away one by one never make anything look better than it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sources::cluster::kinds::{WANTED, Wanted};

use super::live::{bind, create, live};
use super::roles;
use crate::run::{Json, text};

/// The user who may read everything but one kind.
pub(crate) fn without(wanted: &Wanted) -> String {
    format!("without-{}-{}", wanted.resource, wanted.group.replace('.', "-"))
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
    let (_, discovered) = live.server.request("GET", "/apis", None).unwrap();
    let served: BTreeSet<&str> = discovered["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| text(&group["name"]))
        .chain([""])
        .collect();
    let mut wrong: Vec<String> = Vec::new();
    for wanted in WANTED
        .iter()
        .filter(|wanted| served.contains(wanted.group) && wanted.kind != "PodSecurityPolicy")
    {
        let user = without(wanted);
        let mut role = roles::written("reader.yaml");
        role["metadata"]["name"] = json!(user);
        for rule in role["rules"].as_array_mut().unwrap() {
            if rule["apiGroups"] == json!([wanted.group]) {
                let resources = rule["resources"].as_array_mut().unwrap();
                resources.retain(|resource| *resource != Value::from(wanted.resource));
            }
        }
        role["rules"]
            .as_array_mut()
            .unwrap()
            .retain(|rule| rule["resources"] != json!([]));
        create(&live.server, &role);
        bind(&live.server, &user, &user);
        let report = live.json(&user, &["--verdicts", "all"]);
        let refused = report
            .documents()
            .iter()
            .any(|line| line.contains(&format!("refused to list {} (403)", wanted.resource)));
        if !refused {
            wrong.push(format!("{}: the ledger does not say that it is refused", wanted.resource));
        }
        if report.code == 0 {
            wrong.push(format!("{}: exit code 0", wanted.resource));
        }
        let warned = warned(&report);
        for guideline in failed.difference(&warned) {
            wrong.push(format!("{}: {guideline} is silent", wanted.resource));
        }
        for (key, verdict) in verdicts(&report) {
            let before = known.get(&key).map(String::as_str);
            let better = matches!(verdict.as_str(), "pass" | "not-applicable")
                && matches!(before, Some("fail" | "unknown"));
            if better {
                wrong.push(format!("{}: {key:?} was {before:?}, is {verdict}", wanted.resource));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
