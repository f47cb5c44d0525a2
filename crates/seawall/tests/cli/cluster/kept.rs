//! A snapshot of a cluster is judged as the cluster is.

use serde_json::Value;

use super::live::{CANARY, ENCODED, live};
use crate::run::{DAY, Folder, Json};

/// What differs between two readings of the same: how they are called.
fn comparable(report: &Json) -> Value {
    let mut value = report.value.clone();
    value["subject"] = Value::Null;
    value
}

#[test]
fn a_snapshot_of_a_cluster_is_judged_as_the_cluster_is() {
    let live = live();
    let folder = Folder::new();
    let kubeconfig = live.kubeconfig("admin").display().to_string();
    let cluster = ["--cluster", "--kubeconfig", &kubeconfig, "--secrets"];
    let taken = folder.run(&[&["snapshot", "-o", "a.snapshot"], &cluster[..]].concat());
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    let judged = |args: &[&str]| {
        let ran = folder.run(&[&["assess", "--as-of", DAY, "--format", "json"], args].concat());
        ran.json()
    };
    let (running, kept) = (judged(&cluster), judged(&["--snapshot", "a.snapshot"]));
    assert!(running.list("/findings").len() > 100);
    assert_eq!(
        running.list("/findings").len(),
        kept.list("/findings").len()
    );
    for (one, other) in running.list("/findings").iter().zip(kept.list("/findings")) {
        assert_eq!(one, other);
    }
    assert_eq!(comparable(&running), comparable(&kept));
    // The next one of the same cluster has nothing that differs.
    let again = folder.run(&[&["snapshot", "-o", "b.snapshot"], &cluster[..]].concat());
    assert_eq!(again.code, 0);
    let diff = folder.run(&["diff", "--as-of", DAY, "a.snapshot", "b.snapshot"]);
    assert_eq!(diff.code, 0, "{}", diff.out);
    assert!(diff.out.contains("Nothing differs."), "{}", diff.out);
    let unpacked = std::process::Command::new("gzip")
        .arg("-dc")
        .arg(folder.path().join("a.snapshot"))
        .output()
        .unwrap();
    let text = String::from_utf8(unpacked.stdout).unwrap();
    assert!(text.len() > 100_000);
    assert!(!text.contains(CANARY) && !text.contains(ENCODED));
}
