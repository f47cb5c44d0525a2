//! A live cluster: read, judged, and never wrong about what it could not read.

use oracle::{ApiServer, Options};
use serde_json::json;

use crate::run::{DAY, Folder};

fn assess(folder: &Folder, kubeconfig: &str, args: &[&str]) -> crate::run::Ran {
    let own = [
        "assess",
        "--as-of",
        DAY,
        "--cluster",
        "--kubeconfig",
        kubeconfig,
    ];
    folder.run(&[&own, args].concat())
}

#[test]
fn a_live_cluster_is_assessed() {
    let server = ApiServer::start_with(&Options::default()).unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1", "securityContext": {"privileged": true}}]}});
    let (status, answer) = server
        .request("POST", "/api/v1/namespaces/default/pods", Some(&pod))
        .unwrap();
    assert_eq!(status, 201, "{answer}");
    let kubeconfig = server.kubeconfig().display().to_string();
    let folder = Folder::new();
    let report = assess(&folder, &kubeconfig, &["--format", "json"]).json();
    assert!(
        report
            .findings()
            .iter()
            .any(|f| f.contains("pss-privileged")),
        "{:?}",
        report.findings()
    );
}
