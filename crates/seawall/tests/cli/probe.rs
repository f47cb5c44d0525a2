//! Probes end to end: planned from an estate, tried in a network with rules, held against what policies say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use crate::run::{DAY, Folder, Json, repository, text};
use crate::schemas::{errors, schema};
use crate::serve::create;

const ESTATE: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec:
      containers: [{name: coredns, image: "example.azurecr.io/coredns:1.2.3"}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [10.224.255.4]}]
ports: [{port: 443}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.0.0.10
  selector: {k8s-app: kube-dns}
  ports: [{port: 53, protocol: UDP}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, azure.workload.identity/use: "true"}}
    spec:
      serviceAccountName: web
      containers: [{name: app, image: "example.azurecr.io/web:1.2.3"}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: 10.0.12.10
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "example.azurecr.io/db:1.2.3"}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec:
  clusterIP: 10.0.12.7
  selector: {app: db}
  ports: [{port: 5432}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stock, namespace: shop}
spec:
  selector: {matchLabels: {app: stock}}
  template:
    metadata: {labels: {app: stock}}
    spec:
      containers: [{name: app, image: "example.azurecr.io/stock:1.2.3", ports: [{name: http, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: shop}
spec:
  clusterIP: 10.0.12.8
  selector: {app: stock}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: admin, namespace: shop}
spec:
  selector: {matchLabels: {app: admin}}
  template:
    metadata: {labels: {app: admin}}
    spec:
      containers: [{name: app, image: "example.azurecr.io/admin:1.2.3"}]
---
apiVersion: v1
kind: Service
metadata: {name: admin, namespace: shop}
spec:
  clusterIP: 10.0.12.9
  selector: {app: admin}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 5432}]
  - to: [{podSelector: {matchLabels: {app: stock}}}]
    ports: [{port: 8080}]
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
    ports: [{port: 53, protocol: UDP}]
  - ports: [{port: 443}, {port: 6443}]
    to: [{ipBlock: {cidr: 10.0.0.0/8}}]
"#;

const IMAGE: &str = "example.azurecr.io/seawall:0.1.0";

fn planned(folder: &Folder, more: &[&str]) -> crate::run::Ran {
    let args = [
        "probe",
        "plan",
        "estate.yaml",
        "--whole",
        "--image",
        IMAGE,
        "--out",
        "probes",
    ];
    folder.run(&[&args[..], more].concat())
}

/// The arguments of a Job's container, with what the kubelet fills in.
fn arguments(job: &Path) -> Vec<String> {
    let text = fs::read_to_string(job).unwrap();
    let (_, args) = text.split_once("        args:\n").unwrap();
    let (args, _) = args.split_once("        env:\n").unwrap();
    args.lines()
        .map(|line| line.trim().strip_prefix("- ").unwrap())
        .map(|word| serde_json::from_str(word).unwrap_or_else(|_| word.to_owned()))
        .map(|word: String| {
            word.replace("$(NODE_ADDRESS)", "10.224.0.4")
                .replace("$(NODE_NAME)", "aks-a")
        })
        .collect()
}

fn part(name: &str) -> PathBuf {
    repository(&format!("crates/seawall/tests/cli/probe/{name}"))
}

/// Runs the probe of a Job in a network with rules; what it prints.
fn tried(folder: &Folder, job: &Path) -> String {
    let resolv = folder.write("resolv.conf", "nameserver 10.0.0.10\n");
    let done = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "sh"])
        .args([
            part("network.sh"),
            part("rules.nft"),
            part("listen.py"),
            resolv,
        ])
        .arg(env!("CARGO_BIN_EXE_seawall"))
        .args(arguments(job))
        .output()
        .expect("`cargo xtask setup` installs what it needs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    String::from_utf8(done.stdout).unwrap()
}

fn judged(folder: &Folder, more: &[&str]) -> Json {
    let args = [
        "assess",
        "--as-of",
        DAY,
        "--probed",
        "probed.jsonl",
        "--guideline",
        "bench-probe-open",
        "--guideline",
        "bench-probe-silent",
        "--format",
        "json",
        "--verdicts",
        "all",
    ];
    folder.run(&[&args[..], more].concat()).json()
}

#[test]
fn what_is_planted_in_the_network_is_found_and_nothing_else() {
    let folder = Folder::of(&[("estate.yaml", ESTATE)]);
    let ran = planned(
        &folder,
        &["--from", "shop/web", "--internet", "1.2.3.4:443"],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let job = folder.path().join("probes/shop.seawall-probe-web.yaml");
    let line = tried(&folder, &job);
    // Of an answer nothing is kept but its status.
    assert!(!line.contains("CANARY"), "{line}");
    let report: Value = serde_json::from_str(&line).unwrap();
    let follows = schema("probe-v1.json");
    assert_eq!(errors(&follows, &report), [""; 0]);
    let seen: Vec<String> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{}:{} {}",
                text(&one["host"]),
                one["port"],
                text(&one["outcome"])
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "169.254.169.254:80 open",
            "168.63.129.16:80 silent",
            "168.63.129.16:32526 silent",
            "10.0.0.1:443 open",
            "10.224.0.4:10250 open",
            "10.224.0.4:10255 refused",
            "10.0.0.10:53 open",
            "1.2.3.4:443 silent",
            "10.0.12.9:80 unreachable",
            "10.0.12.7:5432 silent",
            "10.0.12.8:80 open",
        ]
    );
    assert_eq!(report["results"][0]["status"], 200);
    assert_eq!(report["results"][6]["status"], 3, "the name does not exist");
    folder.write("probed.jsonl", &line);
    let report = judged(&folder, &["estate.yaml", "--whole"]);
    let found: Vec<String> = report
        .list("/findings")
        .iter()
        .map(|one| {
            format!(
                "{} {}: {}",
                text(&one["guideline"]),
                text(&one["verdict"]),
                text(&one["message"])
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "bench-probe-open fail: its pods reach instance metadata over TCP 80; expected: not let out by \
             NetworkPolicy `shop/web`",
            "bench-probe-silent fail: its pods get no answer from shop/db over TCP 5432; expected: let through by \
             NetworkPolicy `shop/web`",
        ]
    );
    assert_eq!(report.code, 1);
    assert_eq!(
        text(&report.value["findings"][0]["locations"][0]["path"]),
        "probed.jsonl"
    );
    // What is known of one namespace only decides less, and says so.
    let report = judged(&folder, &["estate.yaml"]);
    let failing = report
        .list("/findings")
        .iter()
        .filter(|one| one["verdict"] == "fail");
    assert_eq!(failing.count(), 0);
    let unknown = report
        .list("/findings")
        .iter()
        .filter(|one| one["verdict"] == "unknown");
    assert!(unknown.count() > 1);
    assert_eq!(report.code, 0);
}

#[test]
fn what_is_no_report_is_listed_and_the_rest_is_judged() {
    let line = json!({"schema": "seawall.probe/v1", "at": "2026-11-27T12:00:00Z", "seconds": 3,
        "workload": {"namespace": "shop", "kind": "Deployment", "name": "web"},
        "results": [{"to": "metadata", "protocol": "TCP", "host": "169.254.169.254", "address": "169.254.169.254",
            "port": 80, "outcome": "open"}]});
    let folder = Folder::of(&[("estate.yaml", ESTATE)]);
    folder.write(
        "probed.jsonl",
        format!("Error from server: \u{1b}[31mnot ready\n\n{line}\n"),
    );
    let report = judged(&folder, &["estate.yaml", "--whole"]);
    let unread: Vec<String> = report
        .documents()
        .into_iter()
        .filter(|entry| entry.contains("unreadable"))
        .collect();
    assert_eq!(
        unread,
        [
            "probed.jsonl:1:1 unreadable Probe line 1 `Error from server: [31mnot ready` is no report of a probe: it does not \
          say `seawall.probe/v1`"
        ]
    );
    assert_eq!(report.findings(), ["probed.jsonl:3 bench-probe-open fail"]);
    folder.write("probed.jsonl", "nothing\n");
    let ran = folder.assess(&["estate.yaml", "--probed", "probed.jsonl"]);
    insta::assert_snapshot!(ran.failure(), @"
    exit 2
    error: cannot read `probed.jsonl`: there is no report of a probe in it
      help: give what the jobs of `seawall probe plan` print, a report on each line
    ");
}

#[test]
fn a_plan_says_what_it_writes_and_what_it_leaves_out() {
    let folder = Folder::of(&[("estate.yaml", ESTATE)]);
    folder.write(
        "more.yaml",
        r#"
apiVersion: v1
kind: Service
metadata: {name: stock-peers, namespace: shop}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: stock}, ports: [{port: 7000}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers: [{name: agent, image: "example.azurecr.io/agent:1.2.3"}]
"#,
    );
    let ran = planned(&folder, &["more.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(ran.out, @"
    3 Jobs in probes to run once in the place of
      shop/admin[Deployment]: 10 targets
      shop/db[StatefulSet]: 10 targets
      shop/web[Deployment]: 10 targets

    Nobody stands in for
      kube-system/coredns[Deployment]: `kube-system` is the cluster's own
        namespace; `--from` names it
      shop/stock[Deployment]: Service `stock-peers` publishes pods that are not
        ready, so it would send traffic to the probe
      shop/agent[DaemonSet]: its pods are on the network of their node, where no
        policy counts

    While they are there, PodDisruptionBudgets allow no eviction: shop/web

    Nothing was applied. Next: read probes/README.md, then kubectl apply -f probes
    ");
    // Twice the same; what somebody changed is not lost.
    assert_eq!(planned(&folder, &["more.yaml"]).out, ran.out);
    let readme = folder.path().join("probes/README.md");
    fs::write(&readme, "mine").unwrap();
    insta::assert_snapshot!(planned(&folder, &["more.yaml"]).failure(), @"
    exit 2
    error: nothing was written: `README.md` in `probes` is not as it was written
      help: choose another folder, or overwrite it: `--force`
    ");
    let forced = planned(&folder, &["more.yaml", "--force"]);
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert_ne!(fs::read_to_string(&readme).unwrap(), "mine");
}

#[test]
fn wrong_use_is_told() {
    let folder = Folder::of(&[("estate.yaml", ESTATE)]);
    for (args, said) in [
        (
            &["probe", "run", "--as", "web", "--target", "node"][..],
            "`web` is no workload",
        ),
        (
            &[
                "probe",
                "run",
                "--as",
                "shop/web[Deployment]",
                "--target",
                "kubelet",
            ],
            "`kubelet` is no target",
        ),
        (
            &[
                "probe",
                "plan",
                "estate.yaml",
                "--image",
                "x",
                "--out",
                "p",
                "--internet",
                "host",
            ],
            "`host` is no host with a port",
        ),
        (
            &[
                "probe",
                "plan",
                "estate.yaml",
                "--image",
                "x",
                "--out",
                "p",
                "--from",
                "internet",
            ],
            "`internet` is no workload",
        ),
        (
            &[
                "probe",
                "plan",
                "estate.yaml",
                "--image",
                "x",
                "--out",
                "p",
                "--from",
                "shop/wob",
            ],
            "there is no workload `shop/wob`",
        ),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert!(!folder.path().join("p").exists());
}

/// The objects of a file of manifests.
fn objects(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    yaml::documents(&text)
        .map(|raw| guide::front_matter::read(&raw.text, 1).unwrap())
        .map(|doc| guide::setting::to_json(doc.root()))
        .collect()
}

#[test]
fn a_cluster_takes_the_jobs_where_it_takes_restricted_pods_only() {
    let controllers = [
        "job-controller",
        "serviceaccount-controller",
        "disruption-controller",
    ];
    let server =
        ApiServer::start_with(&Options::default().controllers_named(&controllers)).unwrap();
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}});
    create(&server, "/api/v1/namespaces", &shop);
    let account = "/api/v1/namespaces/shop/serviceaccounts/default";
    let served = |status: u16, _: &Value| status == 200;
    assert_eq!(
        server.eventually("GET", account, None, served).unwrap().0,
        200
    );
    let budget = |name: &str, spec: Value| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name}, "spec": spec})
    };
    let budgets = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets";
    let web = json!({"matchLabels": {"app": "web"}});
    create(
        &server,
        budgets,
        &budget("web", json!({"maxUnavailable": 1, "selector": web})),
    );

    let folder = Folder::of(&[("estate.yaml", ESTATE)]);
    let ran = planned(&folder, &["--from", "shop/"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let mut applied = 0;
    for file in fs::read_dir(folder.path().join("probes")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        for object in objects(&file) {
            let path = "/apis/batch/v1/namespaces/shop/jobs?fieldValidation=Strict";
            create(&server, path, &object);
            applied += 1;
        }
    }
    assert_eq!(applied, 4);
    let pods = "/api/v1/namespaces/shop/pods?labelSelector=seawall.dev/probe%3Dtrue,app%3Dweb";
    let one = |_: u16, list: &Value| {
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1)
    };
    let (_, list) = server.eventually("GET", pods, None, one).unwrap();
    assert!(one(200, &list), "{list}");
    let pod = &list["items"][0];
    assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "Job");
    assert_eq!(
        pod["metadata"]["labels"]["azure.workload.identity/use"],
        Value::Null
    );
    assert_eq!(pod["spec"]["volumes"], Value::Null, "no token");
    assert_eq!(
        pod["spec"]["readinessGates"][0]["conditionType"],
        "seawall.dev/never-ready"
    );
    // What the plan says of budgets.
    let stopped = |_: u16, budget: &Value| {
        budget["status"]["conditions"][0]["reason"] == "SyncFailed"
            && budget["status"]["disruptionsAllowed"] == 0
    };
    let (_, seen) = server
        .eventually("GET", &format!("{budgets}/web"), None, stopped)
        .unwrap();
    assert!(stopped(200, &seen), "{seen}");
}
