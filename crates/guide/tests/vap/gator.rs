//! Gatekeeper's own program on the exported templates: it compiles each of them, and says of every example's objects
//! what seawall says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use guide::export::{Options, gatekeeper};
use guide::setting::setting;
use guide::{Guide, Guideline};
use serde_json::{Value, json};

use crate::alike::{self, Variant, cases, folder};
use crate::cluster::{SERVER, objects};
use crate::said::Said;

/// What `gator test` says of objects: the texts of violations, by constraint and by the objects' uid.
fn gator(name: &str, policies: &[Value], objects: &[Value]) -> Vec<(String, String, String)> {
    let folder = folder(&format!("gator-{name}"));
    let mut text = String::new();
    for object in policies.iter().chain(objects) {
        let _ = writeln!(text, "---\n{object}");
    }
    fs::write(folder.join("all.yaml"), text).unwrap();
    let ran = Command::new(oracle::part("gator").unwrap())
        .args(["test", "--output", "json", "--filename"])
        .arg(&folder)
        .output()
        .unwrap();
    // 1: there are violations that are denied.
    let problem = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{problem}");
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{problem}"));
    fs::remove_dir_all(folder).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = said.as_array().cloned().unwrap_or_default();
    said.iter()
        .map(|one| {
            (
                text(&one["constraint"]["metadata"]["name"]),
                text(&one["violatingObject"]["metadata"]["uid"]),
                text(&one["msg"]),
            )
        })
        .collect()
}

/// The template of a guideline and a constraint that holds in every namespace.
fn exported(guide: &Guide, guideline: &Guideline, variant: &Variant) -> Option<Vec<Value>> {
    let setting = setting(guide, variant.0.as_deref(), Some(variant.1)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = gatekeeper(guide, &setting, options, |other| other.id == guideline.id);
    let mut both = objects(&export.policies.into_iter().next()?.text);
    let chosen = both[1]["spec"]["match"]["kinds"].clone();
    assert!(chosen.is_array(), "{both:?}");
    both[1]["spec"]["match"] = json!({ "kinds": chosen });
    Some(both)
}

#[test]
fn gatekeeper_agrees_with_every_example() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    // Templates have the name of their guideline, so each run has one of each: the first variant, the second, …
    let mut runs: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    let mut wanted: BTreeMap<String, Said> = BTreeMap::new();
    let mut exports: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases(&guide) {
        let Some(policies) = exported(&guide, case.guideline, &case.variant) else {
            continue;
        };
        let run = exports.entry(&case.guideline.id.0).or_default();
        if runs.len() == *run {
            runs.push(Default::default());
        }
        runs[*run].0.extend(policies);
        for (object, ours) in case.objects {
            let uid = object["metadata"]["uid"].as_str().unwrap();
            wanted.insert(uid.to_owned(), ours);
            runs[*run].1.push(object);
        }
        *run += 1;
    }
    let mut theirs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (number, (policies, objects)) in runs.iter().enumerate() {
        for (constraint, uid, text) in gator(&number.to_string(), policies, objects) {
            // Other guidelines' constraints look at it too.
            if uid.split('/').next() == constraint.strip_prefix("seawall-") {
                let texts = text.split("; ").map(str::to_owned);
                theirs.entry(uid).or_default().extend(texts);
            }
        }
    }
    let (fails, passes) = alike::compare("gator", &wanted, &theirs);
    println!(
        "{} templates in {} runs: {fails} objects fail alike, {passes} pass alike",
        exports.len(),
        runs.len()
    );
    assert!(exports.len() > 70 && fails > 100 && passes > 100);
}

#[test]
fn gatekeepers_constraints_spare_whom_they_say() {
    let (guide, _) = Guide::builtin();
    let setting = setting(&guide, None, Some(SERVER)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = gatekeeper(&guide, &setting, options, |guideline| {
        &*guideline.id.0 == "pss-privileged"
    });
    let policies = objects(&export.policies[0].text);
    let all = alike::privileged(&[
        ("shop", json!({})),
        ("kube-system", json!({})),
        ("managed", json!({"kubernetes.azure.com/managedby": "aks"})),
    ]);
    let said = gator("spares", &policies, &all);
    let whom: Vec<&str> = said.iter().map(|(_, uid, _)| &**uid).collect();
    assert_eq!(whom, ["shop"], "{said:?}");
}
