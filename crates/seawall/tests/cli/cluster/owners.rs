//! What controllers made is judged in what made it, and its past is not judged.

use super::live::live;
use crate::run::{Folder, Json, PRIVILEGED, pod, text};

/// `resource item at address` of each finding of one guideline in a namespace.
fn found(report: &Json, namespace: &str) -> Vec<String> {
    report
        .list("/findings")
        .iter()
        .filter(|finding| text(&finding["resource"]["namespace"]) == namespace)
        .map(|finding| {
            let place = &finding["locations"][0];
            let at = ["uri", "path"].map(|key| text(&place[key])).concat();
            format!(
                "{} {} at {at}",
                text(&finding["resource"]["id"]),
                text(&finding["item"])
            )
        })
        .collect()
}

#[test]
fn what_only_a_pod_has_is_said_once_of_its_owner() {
    let report = live().json("admin", &["--guideline", "pss-privileged"]);
    assert_eq!(
        found(&report, "past"),
        [
            // The sets of the Deployment are gone or good; both pods have the container, it is said once.
            "argoproj.io/Rollout/past/roll app at /api/v1/namespaces/past/pods/roll-7d4b9c",
            "apps/StatefulSet/past/store injected at /api/v1/namespaces/past/pods/store-0",
        ]
    );
    let past: Vec<String> = report
        .documents()
        .into_iter()
        .filter(|line| line.contains(" past ") && line.contains("not-relevant"))
        .collect();
    assert_eq!(past.len(), 2, "{past:?}");
}

/// Files may hold what controllers made, before what made it.
#[test]
fn the_order_of_files_does_not_matter() {
    let folder = Folder::new();
    let owned = |name: &str, kind: &str, of: &str, extra: &str| {
        let owner = format!(
            "  ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: {of}, uid: \"1\", controller: true}}]\nspec:"
        );
        pod(name, extra).replacen("spec:", &owner, 1)
    };
    folder.write(
        "a.yaml",
        owned("web-1-a", "ReplicaSet", "web-1", PRIVILEGED),
    );
    folder.write(
        "b.yaml",
        owned("web-1-b", "ReplicaSet", "web-1", PRIVILEGED),
    );
    let template = "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: app, image: example.azurecr.io/web:1.2.3}]\n";
    folder.write(
        "c.yaml",
        format!("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: web-1\n  namespace: shop\n  ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: web, uid: \"1\", controller: true}}]\nspec:\n{template}"),
    );
    folder.write(
        "d.yaml",
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n{template}"),
    );
    let report = folder.json(&[
        ".",
        "--guideline",
        "pss-privileged",
        "--guideline",
        "pss-seccomp",
    ]);
    assert_eq!(
        found(&report, "shop"),
        [
            "apps/Deployment/shop/web app at d.yaml",
            "apps/Deployment/shop/web app at a.yaml",
        ]
    );
}
