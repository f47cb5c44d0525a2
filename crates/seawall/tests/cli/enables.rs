//! What findings open to attackers, in the reports of `assess`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::paths::SHOP;
use crate::run::{DAY, Folder};

fn shop() -> Folder {
    Folder::of(&[("shop.yaml", SHOP)])
}

/// What is open by guideline and name of the object.
fn enables(report: &Value) -> BTreeMap<(String, String), Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding.get("enables").is_some())
        .map(|finding| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let key = (
                text(&finding["guideline"]),
                text(&finding["resource"]["name"]),
            );
            (key, finding["enables"].clone())
        })
        .collect()
}

fn of(all: &BTreeMap<(String, String), Value>, guideline: &str, name: &str) -> Option<Value> {
    all.get(&(guideline.to_owned(), name.to_owned())).cloned()
}

/// How many sure ways `paths` tells of.
fn ways(folder: &Folder, path: &str) -> u64 {
    let out = folder.run(&["paths", "--as-of", DAY, path]).out;
    let first = out.split(' ').next().unwrap();
    match first {
        "No" => 0,
        number => number.parse().unwrap_or_else(|_| panic!("{out}")),
    }
}

#[test]
fn a_finding_says_what_it_opens_and_what_mending_it_closes() {
    let report = shop().json(&["shop.yaml"]).value;
    assert_eq!(report["attackPaths"]["weighed"], true);
    assert_eq!(report["attackPaths"]["ways"], 2);
    assert_eq!(
        report["attackPaths"]["jewels"],
        json!(["root on the nodes"])
    );
    let all = enables(&report);
    let one = json!({
        "ways": 1,
        "closes": 1,
        "jewel": {"kind": "node-root", "title": "root on the nodes"},
        "jewels": 1,
    });
    assert_eq!(of(&all, "pss-privileged", "web"), Some(one.clone()));
    // Told as one way, and each has its own first step.
    assert_eq!(of(&all, "pss-host-path", "logs"), Some(one.clone()));
    assert_eq!(of(&all, "pss-host-path", "metrics"), Some(one));
    // What has nothing to do with a way.
    assert_eq!(of(&all, "pss-host-path", "web"), None);
    assert!(report["findings"].as_array().unwrap().len() > all.len());
}

#[test]
fn what_another_way_keeps_open_is_not_closed() {
    let text = SHOP.replace(
        "        securityContext: {privileged: true}\n",
        "        securityContext: {privileged: true}\n        volumeMounts: [{name: run, mountPath: /run/containerd}]\n      volumes: [{name: run, hostPath: {path: /run/containerd}}]\n",
    );
    assert_ne!(text, SHOP);
    let folder = Folder::of(&[("shop.yaml", &text)]);
    let all = enables(&folder.json(&["shop.yaml"]).value);
    let web: Vec<&Value> = all
        .iter()
        .filter(|((_, name), _)| name == "web")
        .map(|(_, enables)| enables)
        .collect();
    assert!(!web.is_empty());
    assert!(web.iter().all(|enables| enables["closes"] == 0), "{web:?}");
}

#[test]
fn what_is_mended_opens_nothing() {
    let text = SHOP.replace("privileged: true", "privileged: false");
    let folder = Folder::of(&[("shop.yaml", &text)]);
    let report = folder.json(&["shop.yaml"]).value;
    assert_eq!(report["attackPaths"]["ways"], 1);
    let all = enables(&report);
    assert!(all.keys().all(|(_, name)| name != "web"), "{all:?}");
}

#[test]
fn guidelines_of_a_severity_come_in_the_order_of_what_they_open() {
    let folder = shop();
    let out = folder.assess(&["shop.yaml"]).out;
    assert!(
        out.contains("= opens: 1 way to root on the nodes; mended alone, it closes it"),
        "{out}"
    );
    assert!(
        out.contains(
            "attack paths  2 ways to root on the nodes; `seawall paths shop.yaml` tells them"
        ),
        "{out}"
    );
    // Each group: its severity, and whether it opens something.
    let mut groups: Vec<(String, bool)> = Vec::new();
    for line in out.lines() {
        let severity = line.split_once('[').map(|(word, _)| word);
        if let Some(severity @ ("critical" | "high" | "medium" | "low")) = severity {
            groups.push((severity.to_owned(), false));
        } else if line.contains("opens: ") || line.contains("; opens ") {
            groups.last_mut().unwrap().1 = true;
        }
    }
    assert!(groups.iter().any(|(_, opens)| *opens));
    let wrong = groups
        .windows(2)
        .any(|pair| pair[0].0 == pair[1].0 && !pair[0].1 && pair[1].1);
    assert!(!wrong, "{groups:?}");
}

#[test]
fn sarif_ranks_results() {
    let run = shop().assess(&["shop.yaml", "--format", "sarif"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let results = report["runs"][0]["results"].as_array().unwrap();
    let of = |rule: &str, name: &str| {
        results
            .iter()
            .find(|result| {
                result["ruleId"] == rule
                    && result["locations"][0]["logicalLocations"][0]["name"] == name
            })
            .unwrap()
    };
    let open = of("pss-privileged", "web");
    assert_eq!(open["rank"], 99.0);
    assert_eq!(open["properties"]["enables"]["ways"], 1);
    for result in results {
        let fails = result["kind"] == "fail";
        assert_eq!(result.get("rank").is_some(), fails, "{result}");
        let ranked = result["rank"]
            .as_f64()
            .is_some_and(|rank| rank % 25.0 != 0.0);
        assert_eq!(ranked, result.get("properties").is_some(), "{result}");
    }
}

#[test]
fn a_part_of_the_guide_is_not_weighed() {
    let folder = shop();
    let report = folder
        .json(&["shop.yaml", "--framework", "pss-baseline"])
        .value;
    assert_eq!(
        report["attackPaths"],
        json!({"weighed": false, "reason": "only a part of the guide was judged"})
    );
    assert!(enables(&report).is_empty());
    let out = folder
        .assess(&["shop.yaml", "--framework", "pss-baseline"])
        .out;
    assert!(
        out.contains("attack paths  not weighed: only a part of the guide was judged"),
        "{out}"
    );
    assert!(!out.contains("opens:"), "{out}");
}

/// Of workloads a part is kept, and of other objects those that are judged: the graph is the same.
#[test]
fn the_ways_are_those_that_paths_tells() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = shop();
    let mut weighed = 0;
    for path in ["examples/aks-store", "examples/charts", "examples/hardened"] {
        let path = root.join(path).display().to_string();
        let report = folder.json(&[&path]).value;
        if report["attackPaths"]["weighed"] == true {
            assert_eq!(
                report["attackPaths"]["ways"],
                ways(&folder, &path),
                "{path}"
            );
            weighed += 1;
        }
    }
    assert!(weighed > 0);
    assert_eq!(ways(&folder, "shop.yaml"), 2);
}

/// What only the graph reads stands in the ledger as it did, and decides.
#[test]
fn what_verifies_images_is_read_and_not_judged() {
    let folder = shop();
    folder.write(
        "policy.yaml",
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: images}\nspec: {}\n",
    );
    let report = folder.json(&["."]).value;
    let without = shop().json(&["."]).value;
    assert_eq!(
        report["summary"]["resources"],
        without["summary"]["resources"]
    );
    let documents = report["coverage"]["documents"].as_array().unwrap();
    let entry = documents
        .iter()
        .find(|entry| entry["kind"] == "ClusterPolicy")
        .unwrap();
    assert_eq!(entry["status"], "unknown-kind");
    assert_eq!(entry["reason"], "not a kind that seawall knows");
}

#[test]
fn a_snapshot_brings_its_configuration() {
    let folder = shop();
    folder.write("seawall.yaml", "jewels: [sa:shop/nothing]\n");
    let taken = folder.run(&["snapshot", ".", "-o", "kept.snapshot"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let elsewhere = Folder::new();
    let kept = folder.path().join("kept.snapshot").display().to_string();
    let out = elsewhere
        .run(&["paths", "--as-of", DAY, "--snapshot", &kept])
        .out;
    let said = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("the jewel `sa:shop/nothing`"), "{out}");
}
