//! Fixes that make an object another kind of, that change another object than the one that is found, and that put what
//! keeps a thing in the place of the thing.

use crate::run::{Folder, Json};

use super::{fix, read, saved};

fn written(folder: &Folder, args: &[&str]) -> Json {
    let report = saved(fix, folder, args);
    assert!(report.list("/notFixed").is_empty(), "{:#}", report.value);
    let again = fix(folder, args);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    report
}

const PODS: &str = "\
# The shop's front.
apiVersion: v1
kind: Pod
metadata:
  name: web # one
  namespace: shop
  labels: {app: web}
spec:
  # Both share a folder.
  containers:
  - name: web
    image: example.azurecr.io/web:1.2.3   # the newest
    securityContext: {privileged: true}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: shop}
---
# Once.
apiVersion: v1
kind: Pod
metadata: {name: migrate, namespace: shop}
spec:
  restartPolicy: Never
  containers: [{name: migrate, image: example.azurecr.io/migrate:1.2.3}]
";

#[test]
fn a_pod_becomes_the_template_of_a_controller() {
    let folder = Folder::of(&[("pods.yaml", PODS)]);
    let args = ["pods.yaml", "--guideline", "cfg-no-naked-pods"];
    written(&folder, &args);
    assert_eq!(
        read(&folder, "pods.yaml"),
        "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # one
  namespace: shop
  labels: {app: web}
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      # Both share a folder.
      containers:
      - name: web
        image: example.azurecr.io/web:1.2.3   # the newest
        securityContext: {privileged: true}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: shop}
---
# Once.
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    metadata: {}
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: example.azurecr.io/migrate:1.2.3}]
"
    );
}

#[test]
fn a_pod_is_wrapped_with_what_else_is_fixed_in_it() {
    let folder = Folder::of(&[("pods.yaml", PODS)]);
    let ran = fix(&folder, &["pods.yaml", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = read(&folder, "pods.yaml");
    assert!(text.contains("kind: Deployment"), "{text}");
    assert!(
        text.contains("          privileged: false") || !text.contains("privileged: true"),
        "{text}"
    );
    assert!(text.contains("      # Both share a folder.\n"), "{text}");
    let after = folder.json(&["pods.yaml"]);
    let still = |id: &str| after.findings().iter().any(|finding| finding.contains(id));
    assert!(
        !still("cfg-no-naked-pods") && !still("pss-privileged"),
        "{:?}",
        after.findings()
    );
}

#[test]
fn the_service_that_exposes_a_console_is_changed() {
    let console = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: grafana, namespace: tools}
spec:
  selector: {matchLabels: {app: grafana}}
  template:
    metadata: {labels: {app: grafana}}
    spec:
      containers: [{name: grafana, image: docker.io/grafana/grafana:12.1.0}]
";
    let service = "\
apiVersion: v1
kind: Service
metadata:
  name: grafana   # for all
  namespace: tools
spec:
  type: LoadBalancer
  selector: {app: grafana}
  ports: [{port: 80}]
";
    let folder = Folder::of(&[("console.yaml", console), ("service.yaml", service)]);
    let args = [".", "--whole", "--guideline", "addon-exposed-consoles"];
    written(&folder, &args);
    assert_eq!(read(&folder, "console.yaml"), console);
    assert_eq!(
        read(&folder, "service.yaml"),
        service.replace(
            "  namespace: tools\n",
            "  namespace: tools\n  annotations:\n    service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"\n"
        )
    );
}

#[test]
fn what_a_vault_keeps_takes_the_place_of_a_secret() {
    let store = "\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: vault}
spec: {provider: {azurekv: {authType: WorkloadIdentity, vaultUrl: https://shop.vault.azure.net}}}
";
    let secret = "\
apiVersion: v1
kind: Secret
metadata: {name: database, namespace: shop}
stringData: {user.name: shop, password: hunter2}
";
    let folder = Folder::of(&[("store.yaml", store), ("database.yaml", secret)]);
    let args = [
        ".",
        "--whole",
        "--guideline",
        "sec-no-secret-manifest-in-git",
    ];
    let shown = fix(&folder, &args);
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    written(&folder, &args);
    assert!(!folder.path().join("database.yaml").exists());
    let made = read(&folder, "database-externalsecret.yaml");
    assert!(
        made.contains("  - remoteRef:\n      key: database-user-name\n    secretKey: user.name\n"),
        "{made}"
    );
}

#[test]
fn a_route_takes_the_place_of_an_ingress() {
    let gateway = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: approuting-istio
  listeners:
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: front}]}, allowedRoutes: {namespaces: {from: All}}}
";
    let ingress = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: webapprouting.kubernetes.azure.com
  tls: [{hosts: [shop.example.com], secretName: web}]
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
";
    let folder = Folder::of(&[("gateway.yaml", gateway), ("web.yaml", ingress)]);
    let args = [".", "--whole", "--guideline", "in-nginx-retired"];
    written(&folder, &args);
    assert!(!folder.path().join("web.yaml").exists());
    let made = read(&folder, "web-httproute.yaml");
    for line in [
        "  - name: front\n    namespace: edge\n",
        "  - shop.example.com\n",
        "type: PathPrefix\n",
    ] {
        assert!(made.contains(line), "{made}");
    }
    // What NGINX makes of a path, nobody else knows.
    let odd = ingress.replace("pathType: Prefix", "pathType: ImplementationSpecific");
    let folder = Folder::of(&[("gateway.yaml", gateway), ("web.yaml", &odd)]);
    let ran = fix(&folder, &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("cannot say all of it"), "{}", ran.out);
}
