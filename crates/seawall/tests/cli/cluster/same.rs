//! The same objects from files and from a cluster are judged alike.

use std::collections::BTreeSet;

use serde_json::Value;

use super::live::{Live, NODE, live};
use crate::run::{DAY, Folder, Json, text};

/// `guideline verdict resource item` of each finding about one of the objects.
fn findings(live: &Live, report: &Json) -> BTreeSet<String> {
    let own: BTreeSet<String> = live
        .objects
        .iter()
        .map(|object| {
            let meta = &object["metadata"];
            format!(
                "{}/{}/{}",
                text(&object["kind"]),
                text(&meta["namespace"]),
                text(&meta["name"])
            )
        })
        .collect();
    report
        .list("/findings")
        .iter()
        .filter_map(|finding| {
            let resource = &finding["resource"];
            let name = format!(
                "{}/{}/{}",
                text(&resource["kind"]),
                text(&resource["namespace"]),
                text(&resource["name"])
            );
            own.contains(&name).then(|| line(finding, &name))
        })
        .collect()
}

fn line(finding: &Value, name: &str) -> String {
    format!(
        "{} {} {name} {}: {}",
        text(&finding["guideline"]),
        text(&finding["verdict"]),
        text(&finding["item"]),
        text(&finding["message"])
    )
}

#[test]
fn files_and_the_cluster_are_judged_alike() {
    let live = live();
    let folder = Folder::new();
    for (number, objects) in live.objects.chunks(25).enumerate() {
        let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
        folder.write(&format!("{number}.yaml"), documents.join("\n---\n"));
    }
    // No file made the node, but what runs on it hangs on it.
    let path = format!("/api/v1/nodes/{NODE}");
    let node = live.server.request("GET", &path, None).unwrap().1;
    folder.write("node.yaml", node.to_string());
    let minor = live.server.request("GET", "/version", None).unwrap().1;
    let version = format!("1.{}", text(&minor["minor"]));
    let files = folder
        .run(&[
            "assess",
            "--as-of",
            DAY,
            ".",
            "--whole",
            "--kubernetes",
            &version,
            "--format",
            "json",
        ])
        .json();
    let files = findings(live, &files);
    let report = live.json("admin", &["--secrets"]);
    let running = findings(live, &report);
    // What controllers made is judged in its owner: nothing is said of the pods that they made.
    let made: Vec<String> = report
        .findings_of(&["ReplicaSet", "Pod"])
        .into_iter()
        .filter(|name| !name.ends_with("/w6"))
        .collect();
    assert_eq!(made, Vec::<String>::new());
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).cloned().collect::<Vec<_>>()
    };
    let (lost, new) = (only(&files, &running), only(&running, &files));
    assert!(
        lost.is_empty() && new.is_empty(),
        "of {} findings only in files: {}\n{}\nonly live: {}\n{}",
        files.len(),
        lost.len(),
        lost.join("\n"),
        new.len(),
        new.join("\n")
    );
    assert!(files.len() > 300, "{}", files.len());
}
