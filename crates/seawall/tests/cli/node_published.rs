//! Nodes that tell their cluster: a real API server with what the chart makes for it, judged with everything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use crate::node::{run, shapes, told};
use crate::rendering::tools;
use crate::run::{DAY, Folder, repository, text};

const ACCOUNTS: &str = "/api/v1/namespaces/seawall-node/serviceaccounts/seawall-node";

fn helm(server: &ApiServer, arguments: &[&str]) {
    let done = Command::new(oracle::part("helm").unwrap())
        .args(arguments)
        .arg("--kubeconfig")
        .arg(server.kubeconfig())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}

/// A kubeconfig with the token that a pod on a node has.
fn account(server: &ApiServer, folder: &Path, node: &str) -> PathBuf {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": node},
        "spec": {"nodeName": node, "serviceAccountName": "seawall-node", "automountServiceAccountToken": false,
            "containers": [{"name": "node", "image": "example.azurecr.io/seawall:0.1.0"}]}});
    let pods = "/api/v1/namespaces/seawall-node/pods";
    let (status, pod) = server.request("POST", pods, Some(&pod)).unwrap();
    assert_eq!(status, 201, "{pod}");
    let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
        "expirationSeconds": 3600,
        "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": node, "uid": pod["metadata"]["uid"]}}});
    let path = format!("{ACCOUNTS}/token");
    let (status, answer) = server.request("POST", &path, Some(&asked)).unwrap();
    assert_eq!(status, 201, "{answer}");
    fs::write(folder.join("ca.crt"), server.ca()).unwrap();
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server.url(), "certificate-authority": folder.join("ca.crt")}}],
        "users": [{"name": "it", "user": {"token": answer["status"]["token"]}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]});
    let file = folder.join(format!("config-{node}"));
    fs::write(&file, config.to_string()).unwrap();
    file
}

#[test]
fn a_node_tells_its_cluster_and_of_no_other_node() {
    let server = ApiServer::start_with(&Options::default()).unwrap();
    let shape = shapes::old();
    let root = shape.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let admin = server.kubeconfig();
    let admin = admin.to_str().unwrap();
    let publish = |config: &str, name: &str| {
        run(&[
            "node",
            "--publish",
            "--root",
            root,
            "--node-name",
            name,
            "--kubeconfig",
            config,
        ])
    };
    // Nobody defined it yet.
    let ran = publish(admin, "aks-a");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("node.enabled"), "{}", ran.err);
    let chart = repository("deploy/chart");
    helm(
        &server,
        &[
            "install",
            "seawall",
            chart.to_str().unwrap(),
            "--namespace",
            "seawall",
            "--create-namespace",
            "--no-hooks",
            "--set",
            "node.enabled=true",
        ],
    );
    let served = |status: u16, _: &Value| status == 200;
    let list = "/apis/seawall.dev/v1/nodereadings";
    assert_eq!(server.eventually("GET", list, None, served).unwrap().0, 200);
    for name in ["aks-a", "aks-b"] {
        let node = json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}}});
        assert_eq!(
            server
                .request("POST", "/api/v1/nodes", Some(&node))
                .unwrap()
                .0,
            201
        );
    }
    let config = account(&server, folder.path(), "aks-a");
    let config = config.to_str().unwrap();
    // An API server needs a moment until a policy counts.
    let mut refused = publish(config, "aks-b");
    for _ in 0..60 {
        if refused
            .err
            .contains("a pod tells of the node that it runs on")
        {
            break;
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
        refused = publish(config, "aks-b");
    }
    assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
    assert!(
        refused
            .err
            .contains("a pod tells of the node that it runs on"),
        "{}",
        refused.err
    );
    let (_, _) = server
        .request("DELETE", &format!("{list}/aks-b"), None)
        .unwrap();
    // Twice: the second time there is something to change.
    for _ in 0..2 {
        let ran = publish(config, "aks-a");
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "the cluster keeps node aks-a\n"),
            "{}",
            ran.err
        );
    }
    let judged = |args: &[&str]| {
        run(&[&["assess", "--as-of", DAY, "--format", "json"], args].concat()).json()
    };
    let live = judged(&["--cluster", "--kubeconfig", admin]);
    let kept = folder.path().join("all.snapshot");
    let kept = kept.to_str().unwrap();
    let taken = run(&["snapshot", "--cluster", "--kubeconfig", admin, "-o", kept]);
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    let again = judged(&["--snapshot", kept]);
    let place = run(&["node", "--root", root, "--as-of", DAY, "--format", "json"]).json();
    let of_nodes = |report: &crate::run::Json| -> Vec<String> {
        let own = report.list("/findings").iter();
        own.filter(|finding| {
            finding["resource"]["apiVersion"] == "seawall.dev/v1"
                && finding["resource"]["kind"] == "Node"
        })
        .map(told)
        .collect()
    };
    let place = of_nodes(&place);
    assert!(
        place.contains(
            &"bench-kubelet-anonymous fail /etc/systemd/system/kubelet.service:7".to_owned()
        ),
        "{place:#?}"
    );
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(of_nodes(&live)), sorted(place.clone()));
    assert_eq!(sorted(of_nodes(&again)), sorted(place));
    let fresh: Vec<&str> = live
        .list("/findings")
        .iter()
        .filter(|finding| finding["guideline"] == "bench-run-fresh")
        .map(|finding| text(&finding["resource"]["name"]))
        .collect();
    assert_eq!(fresh, ["aks-b"]);
    assert!(!live.value.to_string().contains(shapes::CANARY));
}

#[test]
fn the_chart_with_its_node_part_fails_nothing() {
    let folder = Folder::of(&[("values.yaml", "node: {enabled: true}\n")]);
    let chart = repository("deploy/chart");
    let config = chart.join("seawall-node.yaml");
    let args = [
        "assess",
        chart.to_str().unwrap(),
        "--values",
        "values.yaml",
        "--config",
        config.to_str().unwrap(),
        "--format",
        "json",
    ];
    let report = folder.run_with(&args, b"", tools()).json();
    let failing: Vec<String> = report
        .findings()
        .into_iter()
        .filter(|told| told.contains("fail"))
        .collect();
    assert_eq!(failing, Vec::<String>::new());
    let waived: Vec<String> = report
        .waived()
        .into_iter()
        .filter(|told| told.contains("node.yaml"))
        .collect();
    assert_eq!(waived.len(), 14, "{waived:#?}");
}
