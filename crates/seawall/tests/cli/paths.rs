//! `paths`: what scripts rely on, and what people read.

use serde_json::{Value, json};

use crate::pages::widths;
use crate::run::{DAY, Folder};

/// A shop whose front the internet reaches and whose agents command the runtime; a group that holds everything.
pub(crate) const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostPID: true
      containers:
      - name: web
        image: shop.example/web:1
        securityContext: {privileged: true}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: logs, namespace: shop}
spec:
  selector: {matchLabels: {app: logs}}
  template:
    metadata: {labels: {app: logs}}
    spec:
      containers:
      - name: logs
        image: shop.example/logs:1
        volumeMounts: [{name: run, mountPath: /run/containerd}]
      volumes: [{name: run, hostPath: {path: /run/containerd}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: metrics, namespace: shop}
spec:
  selector: {matchLabels: {app: metrics}}
  template:
    metadata: {labels: {app: metrics}}
    spec:
      containers:
      - name: metrics
        image: shop.example/metrics:1
        volumeMounts: [{name: run, mountPath: /run/containerd}]
      volumes: [{name: run, hostPath: {path: /run/containerd}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: ops, apiGroup: rbac.authorization.k8s.io}]
";

fn shop() -> Folder {
    Folder::of(&[("shop.yaml", SHOP)])
}

/// The same shop with nothing of it.
fn hardened() -> Folder {
    let text = SHOP
        .replace("      hostPID: true\n", "")
        .replace(
            "privileged: true",
            "privileged: false, allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 1000, \
             capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}",
        )
        .replace("hostPath: {path: /run/containerd}", "emptyDir: {}")
        .replace("name: cluster-admin}", "name: view}");
    Folder::of(&[("shop.yaml", &text)])
}

fn paths(folder: &Folder, args: &[&str]) -> crate::run::Ran {
    folder.run(&[&["paths", "--whole", "--as-of", DAY, "."], args].concat())
}

fn json_of(folder: &Folder, args: &[&str]) -> Value {
    paths(folder, &[args, &["--format", "json"]].concat())
        .json()
        .value
}

#[test]
fn the_first_line_answers_and_no_line_is_wider_than_the_terminal() {
    let ran = paths(&shop(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let sure = json_of(&shop(), &[])["ways"]["sure"].as_u64().unwrap();
    assert!(sure > 1);
    assert!(
        ran.out.starts_with(&format!("{sure} sure ways lead to ")),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("To root on the nodes\n"), "{}", ran.out);
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // What is told once: the two agents go the same way.
    let surely = paths(&shop(), &["--sure"]).out;
    assert_eq!(surely.matches("[runtime-socket]").count(), 1, "{surely}");
    assert!(
        surely.contains("The same from DaemonSet shop/metrics."),
        "{surely}"
    );
    assert!(
        surely.contains("shop.yaml:17: container web is privileged"),
        "{surely}"
    );
    assert!(!ran.out.contains('\u{1b}'), "a pipe gets no colour");
}

#[test]
fn a_sure_way_fails_where_that_is_asked_for() {
    assert_eq!(paths(&shop(), &["--fail"]).code, 1);
    let ran = paths(&hardened(), &["--fail"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.starts_with("No sure way leads to a jewel;"),
        "{}",
        ran.out
    );
    assert_eq!(json_of(&hardened(), &[])["pairs"]["sure"], 0);
    assert_eq!(json_of(&hardened(), &["--sure"])["paths"], json!([]));
}

#[test]
fn steps_lead_on_from_what_is_held() {
    let value = json_of(&shop(), &["--from", "exposed"]);
    let path = &value["paths"][0];
    assert_eq!(path["entry"]["id"], "workload:shop/web[Deployment]");
    assert_eq!(path["entry"]["kind"], "exposed");
    assert_eq!(path["certainty"], "sure");
    let step = &path["steps"][0];
    assert_eq!(step["from"], json!(["workload:shop/web[Deployment]"]));
    assert_eq!(step["to"], path["jewel"]["id"]);
    assert_eq!(step["evidence"][0]["path"], "shop.yaml");
    let cuts = step["cutBy"].as_array().unwrap();
    assert!(cuts.contains(&json!("pss-privileged")), "{cuts:?}");
    // Taking one thing away parts what passes it.
    let value = json_of(&shop(), &[]);
    let chokes = value["chokePoints"].as_array().unwrap();
    let parted = |measure: &str| {
        chokes
            .iter()
            .find(|choke| choke["measure"] == measure)
            .map(|choke| choke["pairs"].clone())
    };
    assert_eq!(parted("pss-runtime-socket"), Some(json!(2)), "{chokes:?}");
}

#[test]
fn one_start_alone_shows_what_it_comes_to() {
    let value = json_of(&shop(), &["--from", "shop/web"]);
    let radius = &value["blastRadius"];
    assert_eq!(radius["from"], "workload:shop/web[Deployment]");
    let kinds: Vec<&str> = radius["holds"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|kind| !kind["sure"].as_array().unwrap().is_empty())
        .map(|kind| kind["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"nodes"), "{radius}");
    assert!(
        kinds.contains(&"workload"),
        "who has the nodes has their pods: {radius}"
    );
    let text = paths(&shop(), &["--from", "shop/web"]).out;
    assert!(
        text.contains("Who holds Deployment shop/web comes to hold\n"),
        "{text}"
    );
    assert_eq!(json_of(&shop(), &[])["blastRadius"], Value::Null);
    let both = json_of(&shop(), &["--from", "shop/web", "--to", "cluster-admin"]);
    assert_eq!(both["blastRadius"], Value::Null);
}

#[test]
fn what_is_not_there_is_said() {
    let ran = paths(&shop(), &["--from", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("`--from nowhere` names nothing in the graph")
    );
}

#[test]
fn json_follows_the_schema() {
    let schema =
        serde_json::from_str(include_str!("../../../../docs/schema/paths-v1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = |value: &Value| -> Vec<String> {
        validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    };
    for folder in [shop(), hardened()] {
        for args in [
            &[][..],
            &["--all", "--limit", "3"],
            &["--from", "shop/web"],
            &["--to", "cluster-admin"],
            &["--sure"],
        ] {
            let value = json_of(&folder, args);
            assert_eq!(errors(&value), [""; 0], "{args:?}");
        }
    }
    // The schema tells wrong answers from right ones.
    for (at, wrong) in [
        ("/paths/0/certainty", json!("maybe")),
        ("/paths/0/steps/0/from", json!([])),
        ("/paths/0/steps/0/cutBy", Value::Null),
        ("/paths/0/entry/kind", json!("x")),
        ("/ways", json!(1)),
        ("/chokePoints/0/pairs", json!(0)),
        ("/blastRadius", json!({})),
    ] {
        let mut value = json_of(&shop(), &[]);
        *value.pointer_mut(at).unwrap() = wrong;
        assert!(!errors(&value).is_empty(), "{at}");
    }
}

/// OASIS's schema. The test set-up fetches it.
fn sarif_schema() -> Value {
    let path = oracle::fixture("sarif-schema-2.1.0.json").unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    // A stray bracket in its pattern for languages, which strict ECMAScript expressions refuse.
    serde_json::from_str(&text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$")).unwrap()
}

#[test]
fn sarif_follows_the_standard_and_each_way_is_a_flow() {
    let schema = sarif_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for folder in [shop(), hardened()] {
        let value = paths(&folder, &["--format", "sarif"]).json().value;
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
        let ways = json_of(&folder, &[]);
        let run = &value["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), ways["paths"].as_array().unwrap().len());
        for (result, way) in results.iter().zip(ways["paths"].as_array().unwrap()) {
            let rule =
                &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            let sure = way["certainty"] == "sure";
            assert_eq!(result["kind"], if sure { "fail" } else { "open" });
            assert_eq!(result["level"], if sure { "error" } else { "none" });
            let flow = &result["codeFlows"][0]["threadFlows"][0]["locations"];
            assert!(flow.as_array().unwrap().len() > way["steps"].as_array().unwrap().len());
            assert!(
                flow[0]["location"]["message"]["text"]
                    .as_str()
                    .unwrap()
                    .starts_with("start: ")
            );
        }
    }
    let value = paths(
        &shop(),
        &["--to", "pool:", "--from", "shop/web", "--format", "sarif"],
    )
    .json()
    .value;
    let result = &value["runs"][0]["results"][0];
    let place =
        &result["codeFlows"][0]["threadFlows"][0]["locations"][1]["location"]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "shop.yaml");
    assert!(
        place["region"]["startLine"].as_u64().unwrap() > 6,
        "{place}"
    );
}

#[test]
fn pictures_draw_what_several_ways_pass_once() {
    let dot = paths(&shop(), &["--sure", "--format", "dot"]).out;
    assert!(dot.starts_with("digraph paths {\n  rankdir=LR;\n"), "{dot}");
    assert_eq!(
        dot.matches("label=\"root on the nodes\"").count(),
        1,
        "{dot}"
    );
    assert!(
        dot.contains("label=\"DaemonSet shop/logs\", shape=ellipse"),
        "{dot}"
    );
    assert!(!dot.contains("dashed"), "{dot}");
    let mermaid = paths(&shop(), &["--format", "mermaid"]).out;
    assert!(mermaid.starts_with("flowchart LR\n"), "{mermaid}");
    assert!(mermaid.contains("{{\"root on the nodes\"}}"), "{mermaid}");
    assert!(mermaid.contains("-->|\"runtime-socket\"|"), "{mermaid}");
}

#[test]
fn the_page_stands_alone_and_does_not_scroll_sideways() {
    let folder = shop();
    folder.write("paths.html", paths(&folder, &["--format", "html"]).out);
    let page = std::fs::read_to_string(folder.path().join("paths.html")).unwrap();
    assert!(page.contains("<svg"), "a drawing");
    assert!(!page.contains("<script"));
    assert!(page.contains(" sure ways lead to "));
    for window in [700, 1280] {
        let (wide, seen) = widths(folder.path(), "paths.html", window);
        assert!(wide <= seen, "{wide} wide in a window of {seen}");
    }
}

#[test]
fn names_cannot_do_anything() {
    let text = SHOP.replace(
        "metadata: {name: logs, namespace: shop}",
        "metadata: {name: \"<b>\\e[2J\\u202elogs\", namespace: shop}",
    );
    assert_ne!(text, SHOP);
    let folder = Folder::of(&[("shop.yaml", &text)]);
    for format in ["text", "html", "dot", "mermaid", "sarif"] {
        let out = paths(&folder, &["--format", format]).out;
        assert!(out.contains("logs"), "{format}: {out}");
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{format}");
    }
    assert!(
        !paths(&folder, &["--format", "html"])
            .out
            .contains("<b>\\u{")
    );
    assert!(!paths(&folder, &["--format", "mermaid"]).out.contains("<b>"));
}

#[test]
fn a_step_has_a_page() {
    let folder = Folder::new();
    let page = folder.run(&["explain", "runtime-socket"]);
    assert_eq!(page.code, 0, "{}", page.err);
    for part in [
        "Container commands the container runtime\n",
        "workload:build/ci[Pod] → pool:",
        "and any of these takes it away",
        "pss-runtime-socket",
        "References",
    ] {
        assert!(page.out.contains(part), "{part}: {}", page.out);
    }
    let list = folder.run(&["guide", "list", "--edges"]).out;
    assert!(
        list.contains("runtime-socket              container commands"),
        "{list}"
    );
    let ran = folder.run(&["guide", "test", "runtime-socket"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.starts_with("0 guidelines, ") && ran.out.contains(" examples passed, 0 failed"),
        "{}",
        ran.out
    );
}
