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
      instance metadata (169.254.169.254, TCP 80): 1 of 3: shop/web[Deployment]
      the API server: 1 of 3: shop/web[Deployment]; perhaps 1: shop/api[Deployment]
      kubelets of other nodes (TCP 10250): 1 of 3: shop/web[Deployment]

    Namespaces open to others
      data  1 workload, from every other
      closed to all others: shop

    3 classes that no policy tells apart
      data/db[StatefulSet]: in by db, out by db
      shop/api[Deployment]: in by api, out by api
      shop/web[Deployment]: in open, out open

    More: --from W --to W (--explain: which rules), --expand (csv), --format html
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
    assert_snapshot!(folder.run(&["reach", ".", "--to", "10.0.0.0/33"]).failure(), @r"
    exit 2
    error: `10.0.0.0/33` is no address and no block
      help: write `10.1.2.3` or `10.0.0.0/8`
    ");
    let empty = Folder::of(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
    )]);
    assert_snapshot!(empty.run(&["reach", "."]).failure(), @r"
    exit 3
    error: there is no workload in what was given
      help: 1 object read, none makes pods; give those that do, or the cluster
    ");
}

/// Beside the shop: what leads nowhere, what is perhaps open, what is for the network only, who is closed.
const WAYS: &str = "\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog, namespace: shop}
spec:
  selector: {matchLabels: {app: blog}}
  template:
    metadata: {labels: {app: blog}}
    spec: {containers: [{name: c, image: a, ports: [{containerPort: 8080, hostPort: 80}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: jobs, namespace: shop}
spec:
  selector: {matchLabels: {app: jobs}}
  template:
    metadata: {labels: {app: jobs}}
    spec: {containers: [{name: c, image: a}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-inner, namespace: shop, annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: 'true'}}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 8443, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {type: LoadBalancer, selector: {app: db}, ports: [{port: 5432}]}
";

fn ways() -> Folder {
    Folder::of(&[("shop.yaml", &format!("{SHOP}{WAYS}"))])
}

#[test]
fn the_internet_comes_in_where_something_leads() {
    let ran = ways().run(&["reach", "--whole", ".", "--from", "internet"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_snapshot!(ran.out, @r"
    5 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    Open to the internet
      shop/web[Deployment] by load balancer Service shop/web, TCP 443 to TCP 8080

    Perhaps open to the internet
      shop/blog[Deployment] by host port, TCP 80 to TCP 8080 (whether nodes have
          public addresses was not given)

    Open to the private network only
      shop/web[Deployment] by load balancer Service shop/web-inner, TCP 8443 to TCP
          8080
      1 way to pods whose policies let nobody in

    Policies let the internet in, but nothing that was given leads there
      shop/jobs[Deployment]: All Connections

    --explain names the rules.
    ");
    let ran = ways().run(&[
        "reach", "--whole", ".", "--from", "internet", "--format", "csv",
    ]);
    assert_snapshot!(ran.out, @r"
    src,dst,conn,way,front,certain
    the internet,shop/web[Deployment],TCP 8080,load balancer Service shop/web,TCP 443,sure
    the internet,shop/blog[Deployment],TCP 8080,host port,TCP 80,perhaps
    ");
    assert_snapshot!(ran.err, @r"
    note: policies let the internet in to 1 more workload, but nothing that was
      given leads there; `--format json` lists them
    ");
    let ran = ways().run(&[
        "reach", "--whole", ".", "--from", "internet", "--format", "dot",
    ]);
    assert_snapshot!(ran.out, @r#"
    digraph reach {
      rankdir=LR;
      node [shape=box];
      n5 [label="the internet", shape=ellipse];
      subgraph cluster_1 {
        label="data";
        n0 [label="data/db[StatefulSet]"];
      }
      subgraph cluster_2 {
        label="shop";
        n1 [label="shop/api[Deployment]"];
        n2 [label="shop/blog[Deployment]"];
        n3 [label="shop/jobs[Deployment]"];
        n4 [label="shop/web[Deployment]"];
      }
      n5 -> n2 [label="host port, TCP 80 to TCP 8080", style=dashed];
      n5 -> n4 [label="load balancer Service shop/web, TCP 443 to TCP 8080"];
    }
    "#);
}

#[test]
fn a_way_in_is_explained_with_its_objects_and_rules() {
    let explain = |to: &str| {
        ways()
            .run(&[
                "reach",
                "--whole",
                ".",
                "--from",
                "internet",
                "--to",
                to,
                "--explain",
            ])
            .out
    };
    assert_snapshot!(explain("shop/web"), @r"
    5 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    the internet → shop/web[Deployment]: TCP 8080
      shop/web[Deployment] by load balancer Service shop/web, TCP 443 to TCP 8080
        Service shop/web (shop.yaml:37)
      shop/web[Deployment] by load balancer Service shop/web-inner, TCP 8443 to TCP
          8080: for the private network only
        Service shop/web-inner (shop.yaml:77)
      shop/web[Deployment] lets in everything from the internet: no policy selects
          it
      shop/web[Deployment] lets in everything from a node in the client's place: no
          policy selects it
    ");
    assert_snapshot!(explain("shop/jobs"), @r"
    5 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    the internet → shop/jobs[Deployment]: nothing that was given leads there
      shop/jobs[Deployment] lets in everything from the internet: no policy selects
          it
    ");
    assert_snapshot!(explain("data/db"), @r"
    5 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    the internet → data/db[StatefulSet]: nothing that was given leads there
      data/db[StatefulSet] by load balancer Service data/db, TCP 5432 to TCP 5432:
          its policies let nobody in
        Service data/db (shop.yaml:82)
      data/db[StatefulSet] lets in No Connections from the internet
        NetworkPolicy data/db: no rule matches the other end (shop.yaml:51)
    ");
}

#[test]
fn what_is_asked_of_who_reaches_a_workload_holds_the_internet_too() {
    let ran = ways().run(&["reach", "--whole", ".", "--to", "shop/jobs"]);
    assert_snapshot!(ran.out, @r"
    5 workloads in 2 namespaces, 2 policies
    Enforced by: not known; judged as Kubernetes documents it (--cni)

    shop/blog[Deployment] → shop/jobs[Deployment]: All Connections
    shop/web[Deployment] → shop/jobs[Deployment]: All Connections
    its own node → shop/jobs[Deployment]: All Connections
    other nodes → shop/jobs[Deployment]: All Connections
    the API server → shop/jobs[Deployment]: All Connections
    all that is not public → shop/jobs[Deployment]: All Connections
    168.63.129.16 → shop/jobs[Deployment]: All Connections
    169.254.169.254 → shop/jobs[Deployment]: All Connections

    Open to the internet
      nothing that was given surely is

    Policies let the internet in, but nothing that was given leads there
      shop/jobs[Deployment]: All Connections

    --explain names the rules.
    ");
}

#[test]
fn the_internet_has_a_name_and_so_has_nothing() {
    let of = |arguments: &[&str]| {
        let mut all = vec!["reach", "--whole", "."];
        all.extend(arguments);
        let ran = shop().run(&all);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let (_, answer) = ran.out.split_once("\n\n").unwrap();
        answer
            .replace("\n--explain names the rules.\n", "")
            .trim_end()
            .to_owned()
    };
    assert_snapshot!(of(&["--from", "shop/web", "--to", "internet"]), @r"shop/web[Deployment] → the internet: All Connections");
    assert_snapshot!(of(&["--from", "shop/web", "--to", "shop/web"]), @r"A workload with itself is left out: nothing else was asked about.");
    assert_snapshot!(of(&["--from", "internet", "--to", "metadata"]), @r"Neither end is a workload: what passes there is not known here.");
    assert_snapshot!(of(&["--from", "data/db", "--to", "internet"]), @r"nothing passes");
    assert_snapshot!(of(&["--from", "shop/web", "--to", "internet", "--explain"]), @r"
    shop/web[Deployment] → the internet but 1.2.3.0/24: All Connections
      the internet but 1.2.3.0/24: 1.0.0.0-1.2.2.255, 1.2.4.0-9.255.255.255,
          11.0.0.0-100.63.255.255, 100.128.0.0-126.255.255.255,
          128.0.0.0-168.63.129.15, 168.63.129.17-169.253.255.255,
          169.255.0.0-172.15.255.255, 172.32.0.0-191.255.255.255, 192.0.1.0/24,
          192.0.3.0-192.167.255.255, 192.169.0.0-198.17.255.255,
          198.20.0.0-198.51.99.255, 198.51.101.0-203.0.112.255,
          203.0.114.0-223.255.255.255, 2000::/3
      shop/web[Deployment] lets out everything: no policy selects it

    shop/web[Deployment] → 1.2.3.0/24: All Connections
      shop/web[Deployment] lets out everything: no policy selects it
    ");
}

#[test]
fn pictures_show_ways_in() {
    let of = |format: &str| {
        ways()
            .run(&["reach", "--whole", ".", "--format", format])
            .out
    };
    let page = of("html");
    assert!(page.contains("\"audience\":\"perhaps\""), "a host port");
    let text = "policies let in All Connections";
    assert!(page.contains(&format!("nothing that was given leads there; {text}")));
    assert!(page.contains("TCP 8080, by load balancer Service shop/web, TCP 443 to TCP 8080"));
    assert!(of("mermaid").contains("|\"load balancer Service shop/web, TCP 443 to TCP 8080\"|"));
}

#[test]
fn json_follows_the_schema() {
    let schema =
        serde_json::from_str(include_str!("../../../../docs/schema/reach-v1.json")).unwrap();
    let folder = ways();
    for arguments in [
        vec!["--whole"],
        vec![],
        vec!["--whole", "--from", "internet"],
        vec!["--whole", "--from", "10.0.0.0/8", "--to", "shop/"],
        vec![
            "--whole", "--from", "shop/api", "--from", "node", "--port", "tcp/5432",
        ],
        vec!["--cni", "cilium"],
    ] {
        let mut all = vec!["reach", ".", "--format", "json"];
        all.extend(&arguments);
        let json = folder.run(&all).json();
        let errors: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&json.value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
    }
    let whole = folder.run(&["reach", "--whole", ".", "--format", "json"]);
    for (right, wrong) in [
        ("\"TCP 443\"", "443"),
        ("\"load balancer\"", "\"tunnel\""),
        ("\"perhaps\"", "\"maybe\""),
        ("\"verdict\"", "\"answer\""),
    ] {
        assert!(whole.out.contains(right), "{right}");
        let text = whole.out.replacen(right, wrong, 1);
        let value = serde_json::from_str(&text).unwrap();
        assert!(!jsonschema::is_valid(&schema, &value), "{right}");
    }
    let json: serde_json::Value = serde_json::from_str(&whole.out).unwrap();
    let reached: Vec<&str> = json["fromInternet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reached"].as_str().unwrap())
        .collect();
    assert_eq!(reached.len(), 5);
    for word in ["yes", "perhaps", "no"] {
        assert!(reached.contains(&word), "{word}");
    }
}
