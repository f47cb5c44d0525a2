//! `fix` where the cure is an object that is missing: it is made beside, proved like any other fix, and never over
//! what is there.

use std::ffi::OsString;
use std::fs;

use crate::rendering::tools;
use crate::run::{DAY, Folder, Ran};
use crate::schemas::{errors, schema};

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: example.azurecr.io/web:1.2.3
        ports: [{containerPort: 8080}]
        env:
        - {name: CART_URL, value: \"http://cart:80/v1\"}
        - {name: PAY_URL, value: \"https://pay.example.com/\"}
        - {name: NAME, value: cart}
        resources: {requests: {cpu: 250m, memory: 128Mi}, limits: {memory: 256Mi}}
";

const CART: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart, tier: back}}
    spec:
      containers:
      - name: cart
        image: example.azurecr.io/cart:1.2.3
        resources: {requests: {cpu: 500m, memory: 256Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  selector: {app: cart}
  ports: [{port: 80, targetPort: 9090}]
";

const EDGE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [203.0.113.0/24]
  selector: {app: web}
  ports: [{port: 443, targetPort: 8080}]
";

fn shop() -> Folder {
    Folder::of(&[
        ("apps/web.yaml", WEB),
        ("apps/cart.yaml", CART),
        ("edge.yaml", EDGE),
    ])
}

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["fix", "--whole", "--as-of", DAY], args].concat())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn files(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    for below in ["", "apps"] {
        for entry in fs::read_dir(folder.path().join(below))
            .into_iter()
            .flatten()
        {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                names.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    names.sort();
    names
}

/// How often a guideline fails.
fn fails(folder: &Folder, guideline: &str) -> usize {
    let json = folder.json(&[".", "--whole", "--guideline", guideline]);
    let findings = json.list("/findings");
    let failed = findings
        .iter()
        .filter(|finding| finding["verdict"] == "fail");
    failed.count()
}

#[test]
fn a_new_file_is_shown_as_such_and_written_on_request() {
    let folder = shop();
    let args = [".", "--guideline", "cfg-available-through-drain"];
    let ran = fix(&folder, &args);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for shown in [
        "apps/web-poddisruptionbudget.yaml  Deployment shop/web",
        "--- /dev/null",
        "+++ apps/web-poddisruptionbudget.yaml",
        "@@ -0,0 +1,",
        "+  maxUnavailable: 1",
    ] {
        assert!(ran.out.contains(shown), "{shown}\n{}", ran.out);
    }
    assert_eq!(files(&folder).len(), 3);
    // It may hold up a drain, so it is not written by itself.
    let ran = fix(&folder, &[&args[..], &["--write"]].concat());
    assert_eq!((ran.code, files(&folder).len()), (0, 3), "{}", ran.out);
    let ran = fix(&folder, &[&args[..], &["--write", "--unsafe"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(
        read(&folder, "apps/web-poddisruptionbudget.yaml"),
        "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
  namespace: shop
spec:
  # A drain takes one pod at a time.
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web
"
    );
    assert!(read(&folder, "apps/web.yaml").starts_with(WEB));
    let report = folder.json(&[".", "--whole", "--guideline", "cfg-available-through-drain"]);
    let of_web = |finding: &&serde_json::Value| {
        let message = finding["message"].as_str().unwrap();
        message.contains("disruption budget covers the pods of `web`")
    };
    assert_eq!(report.list("/findings").iter().filter(of_web).count(), 0);
}

#[test]
fn an_account_that_is_missing_is_safe_to_make() {
    let folder = shop();
    let ran = fix(
        &folder,
        &[
            ".",
            "--guideline",
            "cfg-service-account-exists",
            "--write",
            "--format",
            "json",
        ],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(
        errors(&schema("fix-v1.json"), &report.value),
        Vec::<String>::new()
    );
    let changes = report.list("/changes");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["new"], true);
    assert_eq!(changes[0]["path"], "apps/web-serviceaccount.yaml");
    assert_eq!(
        changes[0]["fixes"][0]["operations"][0],
        "add ServiceAccount `web` in `apps/web-serviceaccount.yaml`"
    );
    assert!(read(&folder, "apps/web-serviceaccount.yaml").contains("kind: ServiceAccount"));
    assert_eq!(fails(&folder, "cfg-service-account-exists"), 0);
}

#[test]
fn network_policies_allow_what_was_declared_or_seen_and_nothing_else() {
    let folder = shop();
    let args = [
        ".",
        "--guideline",
        "np-default-deny",
        "--guideline",
        "np-pod-coverage",
    ];
    let ran = fix(&folder, &[&args[..], &["--write", "--unsafe"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let name = "apps/shop-networkpolicies.yaml";
    assert_eq!(
        read(&folder, name),
        "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
spec:
  # All pods: what no other policy allows is denied.
  podSelector: {}
  policyTypes:
  - Ingress
  - Egress
  egress:
  # Names of the cluster's DNS.
  - to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: cart
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: cart
  policyTypes:
  - Ingress
  ingress:
  # apps/web.yaml:16: `CART_URL` names Service `cart`
  - from:
    - podSelector:
        matchLabels:
          app: web
    ports:
    - protocol: TCP
      port: 9090
---
# apps/web.yaml:17: `PAY_URL` names the host `pay.example.com`; a network policy knows addresses only: allow those that it has
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
  - Ingress
  - Egress
  ingress:
  # edge.yaml:1: Service `web`
  - from:
    - ipBlock:
        cidr: \"203.0.113.0/24\"
    ports:
    - protocol: TCP
      port: 8080
  egress:
  # apps/web.yaml:16: `CART_URL` names Service `cart`
  - to:
    - podSelector:
        matchLabels:
          app: cart
    ports:
    - protocol: TCP
      port: 9090
"
    );
    for guideline in ["np-default-deny", "np-pod-coverage", "np-metadata-closed"] {
        assert_eq!(fails(&folder, guideline), 0, "{guideline}");
    }
    // The flows are open, and no others: seawall's own answer.
    let ran = folder.run(&["reach", ".", "--whole", "--format", "csv", "--expand"]);
    let pairs = |from: &str, to: &str| {
        let start = format!("{from},{to},");
        ran.out
            .lines()
            .filter(|line| line.starts_with(&start))
            .count()
    };
    assert_eq!(
        pairs("shop/web[Deployment]", "shop/cart[Deployment]"),
        1,
        "{}",
        ran.out
    );
    assert_eq!(
        pairs("shop/cart[Deployment]", "shop/web[Deployment]"),
        0,
        "{}",
        ran.out
    );
    // Once is enough.
    let again = fix(&folder, &args);
    assert_eq!(again.code, 0, "{}", again.out);
}

#[test]
fn what_is_meant_counts_before_what_is_seen() {
    let folder = shop();
    folder.write(
        "seawall.yaml",
        "intent:\n- {from: shop/cart, to: shop/web, ports: [8080]}\n",
    );
    let ran = fix(
        &folder,
        &[".", "--guideline", "np-default-deny", "--write", "--unsafe"],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = read(&folder, "apps/shop-networkpolicies.yaml");
    assert!(
        text.contains("# seawall.yaml: `intent` from shop/cart to shop/web"),
        "{text}"
    );
    assert!(
        !text.contains("203.0.113.0/24") && !text.contains("CART_URL"),
        "{text}"
    );
}

#[test]
fn quotas_are_sized_by_what_is_asked_for() {
    let folder = shop();
    folder.write(
        "namespace.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    );
    let args = [
        ".",
        "--guideline",
        "ns-resource-quota",
        "--write",
        "--unsafe",
    ];
    let ran = fix(&folder, &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    // Four pods of web and two of cart, each with a surge.
    assert_eq!(
        read(&folder, "shop-resourcequota.yaml"),
        "\
apiVersion: v1
kind: ResourceQuota
metadata:
  name: shop
  namespace: shop
spec:
  hard:
    # What its 6 pods ask for at most, one surge included, and half as much again.
    requests.cpu: \"3\"
    requests.memory: 1536Mi
    limits.cpu: \"9\"
    limits.memory: 2560Mi
    # As many claims and half as many again; the doors that there are.
    persistentvolumeclaims: \"0\"
    services.loadbalancers: \"1\"
    services.nodeports: \"1\"
"
    );
    // Containers without limits would be refused: their defaults come with it.
    let range = read(&folder, "shop-limitrange.yaml");
    assert!(
        range.contains("memory: 256Mi # the most that one states: container `web` of web"),
        "{range}"
    );
    assert!(
        range.contains("# twice the request of container `cart` of cart"),
        "{range}"
    );
    assert_eq!(
        fails(&folder, "ns-resource-quota") + fails(&folder, "ns-limit-range"),
        0
    );
}

#[test]
fn where_nothing_is_known_nothing_is_made_up() {
    let web = WEB.replace(
        "        resources: {requests: {cpu: 250m, memory: 128Mi}, limits: {memory: 256Mi}}\n",
        "",
    );
    let folder = Folder::of(&[("web.yaml", &web)]);
    let ran = fix(&folder, &[".", "--guideline", "ns-resource-quota"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("so there is"), "{}", ran.out);
}

#[test]
fn a_namespace_enforces_the_strictest_level_that_its_pods_satisfy() {
    let restricted = "\
apiVersion: v1
kind: Pod
metadata: {name: tight, namespace: tight}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: a
    image: example.azurecr.io/a:1.2.3
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
";
    let baseline = "apiVersion: v1\nkind: Pod\nmetadata: {name: plain, namespace: plain}\nspec: {containers: [{name: a, image: example.azurecr.io/a:1.2.3}]}\n";
    let privileged = "apiVersion: v1\nkind: Pod\nmetadata: {name: open, namespace: open}\nspec: {hostPID: true, containers: [{name: a, image: example.azurecr.io/a:1.2.3}]}\n";
    let given = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: plain # ours\n";
    let folder = Folder::of(&[
        ("tight.yaml", restricted),
        ("plain.yaml", baseline),
        ("open.yaml", privileged),
        ("namespace.yaml", given),
    ]);
    let ran = fix(
        &folder,
        &[".", "--guideline", "adm-psa-labels", "--write", "--unsafe"],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        read(&folder, "tight-namespace.yaml")
            .contains("pod-security.kubernetes.io/enforce: restricted"),
        "{}",
        ran.out
    );
    let plain = read(&folder, "namespace.yaml");
    assert!(
        plain.starts_with(given) && plain.contains("enforce: baseline"),
        "{plain}"
    );
    assert!(
        ran.out.contains("a pod there satisfies no level"),
        "{}",
        ran.out
    );
    assert!(!folder.path().join("open-namespace.yaml").exists());
}

#[test]
fn each_new_file_can_be_asked_for_and_none_is_written_over() {
    let folder = shop();
    let taken = "# something else\n";
    folder.write("apps/web-poddisruptionbudget.yaml", taken);
    let args = [
        "fix",
        "--whole",
        "--as-of",
        DAY,
        "--interactive",
        ".",
        "--guideline",
        "cfg-available-through-drain",
        "--guideline",
        "cfg-service-account-exists",
    ];
    let ran = folder.run_with(&args, b"a\n", OsString::new());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("+++ apps/"), "{}", ran.out);
    assert_eq!(read(&folder, "apps/web-poddisruptionbudget.yaml"), taken);
    assert!(read(&folder, "apps/shop-web-poddisruptionbudget.yaml").contains("name: web"));
}

#[test]
fn a_kustomization_lists_what_is_added_to_it() {
    let folder = Folder::of(&[
        ("base/web.yaml", WEB),
        ("base/kustomization.yaml", "resources:\n- web.yaml # ours\n"),
    ]);
    let whole = [
        "--whole",
        "--as-of",
        DAY,
        "--guideline",
        "cfg-available-through-drain",
    ];
    let run = |args: &[&str]| folder.run_with(&[args, &whole[..]].concat(), b"", tools());
    let ran = run(&["fix", "base", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(
        read(&folder, "base/kustomization.yaml"),
        "resources:\n- web.yaml # ours\n- web-poddisruptionbudget.yaml\n",
        "{}",
        ran.out
    );
    assert!(
        read(&folder, "base/web-poddisruptionbudget.yaml").contains("kind: PodDisruptionBudget")
    );
    let report = run(&["assess", "base", "--format", "json"]).json();
    let findings = report.list("/findings").iter();
    let said: String = findings
        .map(|finding| finding["message"].to_string())
        .collect();
    assert!(!said.contains("disruption budget covers"), "{said}");
}
