//! `reach`: what scripts rely on, and what people read.

use insta::assert_snapshot;

use crate::run::Folder;

/// A shop: a public front, an API that only the front may call, a database that only the API may.
const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: sales}}
---
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: a, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: c, image: a}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: a}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 443, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 8000, endPort: 9100}, {port: 53, protocol: UDP}]}]
  egress: [{to: [{ipBlock: {cidr: 1.2.3.0/24}}]}, {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}}], ports: [{port: 5432}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {matchLabels: {team: sales}}, podSelector: {matchLabels: {app: api}}}]}]
";

fn shop() -> Folder {
    Folder::of(&[("shop.yaml", SHOP)])
}

#[test]
fn rows_of_pairs_are_the_contract() {
    let ran = shop().run(&["reach", "--whole", "--expand", "."]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_snapshot!(ran.out, @r#"
    src,dst,conn
    shop/api[Deployment],data/db[StatefulSet],TCP 5432
    shop/api[Deployment],1.2.3.0-1.2.3.255[External],All Connections
    shop/web[Deployment],shop/api[Deployment],"TCP 80,8000-9100,UDP 53"
    shop/web[Deployment],0.0.0.0-255.255.255.255[External],All Connections
    0.0.0.0-255.255.255.255[External],shop/web[Deployment],All Connections
    "#);
}

#[test]
fn what_people_ask_first_comes_first() {
    let ran = shop().run(&["reach", "--whole", "."]);
    assert_snapshot!(ran.out, @r"
    3 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    Open to the internet
      shop/web[Deployment] by load balancer Service shop/web, TCP 443 to TCP 8080

    Reach from pods
      the internet: 2 of 3: shop/api[Deployment], shop/web[Deployment]
      instance metadata (169.254.169.254): 1 of 3: shop/web[Deployment]
      the API server: 1 of 3: shop/web[Deployment]; perhaps 1: shop/api[Deployment]
      kubelets of other nodes (TCP 10250): 1 of 3: shop/web[Deployment]

    Namespaces open to others
      data  1 workload, from every other
      closed to all others: shop

    3 classes that no policy tells apart
      data/db[StatefulSet]: in by db, out by db
      shop/api[Deployment]: in by api, out by api
      shop/web[Deployment]: in open, out open

    More: --from W --to W (with --explain: which rules), --expand (csv), --format html
    ");
}

#[test]
fn open_files_say_that_policies_may_be_missing() {
    let ran = shop().run(&["reach", "."]);
    assert!(
        ran.out
            .contains("network policies that were not given may exist"),
        "{}",
        ran.out
    );
    let json = shop().run(&["reach", ".", "--format", "json"]).json();
    assert_eq!(json.value["schema"], "seawall.reach/v1");
    for class in json.value["classes"].as_array().unwrap() {
        assert_eq!(
            class["reaches"]["internet"]["verdict"], "unknown",
            "{class}"
        );
    }
    let whole = shop()
        .run(&["reach", "--whole", ".", "--format", "json"])
        .json();
    let of = |name: &str| {
        let classes = whole.value["classes"].as_array().unwrap().iter();
        let is = |class: &&serde_json::Value| class["workloads"][0] == name;
        classes
            .filter(is)
            .map(|class| class["reaches"]["metadata"]["verdict"].clone())
            .next()
            .unwrap()
    };
    assert_eq!(of("shop/web[Deployment]"), "yes");
    assert_eq!(of("shop/api[Deployment]"), "no");
}

#[test]
fn explanations_name_the_lines() {
    let ran = shop().run(&[
        "reach",
        "--whole",
        ".",
        "--from",
        "shop/api",
        "--to",
        "data/",
        "--explain",
    ]);
    assert_snapshot!(ran.out, @r"
    3 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    shop/api[Deployment] → data/db[StatefulSet]: TCP 5432
      shop/api[Deployment] lets out TCP 5432
        NetworkPolicy shop/api
          spec.egress[1] allows TCP 5432 (shop.yaml:49)
      data/db[StatefulSet] lets in All Connections
        NetworkPolicy data/db
          spec.ingress[0] allows All Connections (shop.yaml:57)
    ");
}

#[test]
fn pages_and_graphs_load_nothing() {
    let folder = shop();
    let page = folder
        .run(&["reach", "--whole", ".", "--format", "html"])
        .out;
    assert!(page.starts_with("<!doctype html>"));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let dot = folder
        .run(&["reach", "--whole", ".", "--format", "dot"])
        .out;
    assert!(dot.contains("label=\"TCP 5432\""), "{dot}");
    let mermaid = folder
        .run(&["reach", "--whole", ".", "--format", "mermaid"])
        .out;
    assert!(mermaid.starts_with("flowchart LR\n"), "{mermaid}");
}

#[test]
fn wrong_use_says_what_to_type() {
    let folder = shop();
    assert_snapshot!(folder.run(&["reach", ".", "--to", "shop/wbe"]).failure(), @r"
    exit 2
    error: there is no workload `shop/wbe`
      help: write `namespace/name`, `namespace/`, an address, `internet`, `metadata`, `api-server` or `node`
    ");
    assert_snapshot!(folder.run(&["reach", ".", "--explain"]).failure(), @r"
    exit 2
    error: `--explain` needs to know of which connections
      help: `seawall reach . --from shop/web --to data/db --explain`
    ");
    assert_snapshot!(folder.run(&["reach", ".", "--port", "http"]).failure(), @r"
    exit 2
    error: `http` is no port
      help: write `--port 80`, `8000-9000` or `udp/53`
    ");
    let empty = Folder::of(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
    )]);
    assert_snapshot!(empty.run(&["reach", "."]).failure(), @r"
    exit 3
    error: there is no workload in what was given
      help: 1 object read; give the manifests, the chart or the cluster that holds pods
    ");
}
