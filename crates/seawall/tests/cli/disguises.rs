//! One privileged container each, written in another way.

use std::fmt::Write as _;

use crate::oddities;
use crate::run::{PRIVILEGED, pod};

/// A file, and the lines at which something must be said about it.
pub(crate) struct Case {
    pub(crate) file: &'static str,
    pub(crate) text: Vec<u8>,
    /// Lines of findings of `pss-privileged`.
    pub(crate) found: &'static [u32],
    /// Lines of documents that are unreadable or unresolved.
    pub(crate) not_read: &'static [u32],
}

pub(crate) struct Cases(Vec<Case>);

impl Cases {
    pub(crate) fn found(
        &mut self,
        file: &'static str,
        text: impl Into<Vec<u8>>,
        found: &'static [u32],
    ) {
        self.0.push(Case {
            file,
            text: text.into(),
            found,
            not_read: &[],
        });
    }

    pub(crate) fn not_read(
        &mut self,
        file: &'static str,
        text: impl Into<Vec<u8>>,
        not_read: &'static [u32],
    ) {
        self.0.push(Case {
            file,
            text: text.into(),
            found: &[],
            not_read,
        });
    }

    pub(crate) fn both(
        &mut self,
        file: &'static str,
        text: impl Into<Vec<u8>>,
        found: &'static [u32],
        not_read: &'static [u32],
    ) {
        self.0.push(Case {
            file,
            text: text.into(),
            found,
            not_read,
        });
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    kinds(&mut cases);
    lists(&mut cases);
    scalars(&mut cases);
    sharing(&mut cases);
    styles(&mut cases);
    oddities::add(&mut cases);
    cases.0
}

pub(crate) fn privileged(name: &str) -> String {
    pod(name, PRIVILEGED)
}

/// A workload with its pod's spec at `indent` below `route`.
fn workload(api_version: &str, kind: &str, route: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let spec = [
        "metadata: {labels: {app: web}}",
        "spec:",
        "  restartPolicy: Never",
        "  containers:",
        "  - name: app",
        "    image: example.azurecr.io/web:1.2.3",
        "    securityContext:",
        "      privileged: true",
    ];
    let mut text = format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\n{route}"
    );
    for line in spec {
        writeln!(text, "{pad}{line}").unwrap();
    }
    text
}

fn kinds(cases: &mut Cases) {
    let template = "spec:\n  template:\n";
    let selector = "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n";
    let stateful =
        "spec:\n  serviceName: web\n  selector: {matchLabels: {app: web}}\n  template:\n";
    let cron = "spec:\n  schedule: '@daily'\n  jobTemplate:\n    spec:\n      template:\n";
    cases.found("pod.yaml", privileged("web"), &[11]);
    cases.found(
        "deployment.yaml",
        workload("apps/v1", "Deployment", selector, 4),
        &[14],
    );
    cases.found(
        "daemonset.yaml",
        workload("apps/v1", "DaemonSet", selector, 4),
        &[14],
    );
    cases.found(
        "replicaset.yaml",
        workload("apps/v1", "ReplicaSet", selector, 4),
        &[14],
    );
    cases.found(
        "statefulset.yaml",
        workload("apps/v1", "StatefulSet", stateful, 4),
        &[15],
    );
    cases.found("job.yaml", workload("batch/v1", "Job", template, 4), &[13]);
    cases.found(
        "cronjob.yaml",
        workload("batch/v1", "CronJob", cron, 8),
        &[16],
    );
    cases.found(
        "controller.yaml",
        workload("v1", "ReplicationController", template, 4),
        &[13],
    );
    cases.found(
        "template.yaml",
        workload("v1", "PodTemplate", "template:\n", 2),
        &[12],
    );
    cases.found(
        "old-deployment.yaml",
        workload("extensions/v1beta1", "Deployment", template, 4),
        &[13],
    );
    cases.found(
        "old-daemonset.yaml",
        workload("apps/v1beta2", "DaemonSet", template, 4),
        &[13],
    );
    cases.found(
        "old-statefulset.yaml",
        workload("apps/v1beta1", "StatefulSet", stateful, 4),
        &[15],
    );
    cases.found(
        "old-cronjob.yaml",
        workload("batch/v1beta1", "CronJob", cron, 8),
        &[16],
    );
    cases.found(
        "older-cronjob.yaml",
        workload("batch/v2alpha1", "CronJob", cron, 8),
        &[16],
    );
    let other = |key: &str| {
        pod(
            "web",
            &format!("  {key}:\n  - name: other\n    image: example.azurecr.io/o:1\n{PRIVILEGED}"),
        )
    };
    cases.found("init.yaml", other("initContainers"), &[14]);
    cases.found("ephemeral.yaml", other("ephemeralContainers"), &[14]);
    let sidecar = other("initContainers").replace("o:1\n", "o:1\n    restartPolicy: Always\n");
    cases.found("sidecar.yaml", sidecar, &[15]);
    let windows = privileged("web").replace("spec:\n", "spec:\n  os: {name: windows}\n");
    cases.found("windows.yaml", windows, &[12]);
    let labelled = privileged("web").replace(
        "  namespace: shop\n",
        "  namespace: shop\n  labels: {kubernetes.azure.com/managedby: aks}\n",
    );
    cases.found("says-it-is-of-aks.yaml", labelled, &[12]);
    let finished = format!("{}status: {{phase: Succeeded}}\n", privileged("web"));
    cases.found("finished.yaml", finished, &[11]);
}

/// A pod as a list item, at `indent`, of privileged containers.
fn item(indent: usize, header: &str) -> String {
    let pad = " ".repeat(indent);
    format!(
        "{pad}- {header}metadata: {{name: web, namespace: shop}}\n{pad}  spec:\n{pad}    containers:\n{pad}    - name: app\n{pad}      image: example.azurecr.io/web:1.2.3\n{pad}      securityContext: {{privileged: true}}\n"
    )
}

fn lists(cases: &mut Cases) {
    let header = "apiVersion: v1\n  kind: Pod\n  ";
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}", item(0, header));
    cases.found("list.yaml", list.clone(), &[11]);
    cases.found(
        "list-first.yaml",
        format!("items:\n{}kind: List\napiVersion: v1\n", item(0, header)),
        &[9],
    );
    let inner = item(2, &header.replace("\n  ", "\n    "));
    let nested = format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n{inner}"
    );
    cases.found("list-in-list.yaml", nested, &[14]);
    cases.found(
        "typed.yaml",
        format!("apiVersion: v1\nkind: PodList\nitems:\n{}", item(0, "")),
        &[9],
    );
    let typed = format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n{}",
        item(2, "")
    );
    cases.found("typed-in-list.yaml", typed, &[12]);
    let null = list.replace(
        "items:\n",
        "items:\n- apiVersion: v1\n  kind: PodList\n  items: null\n",
    );
    cases.found("beside-a-null-list.yaml", null, &[14]);
    let broken = list.replace("items:\n", "items:\n- kind: Pod\n");
    cases.both("beside-a-broken-item.yaml", broken, &[12], &[4]);
    let flow = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: s}, spec: {containers: [{name: a, image: b, securityContext: {privileged: true}}]}}]}\n";
    cases.found("flow-list.yaml", flow, &[1]);
}

fn scalars(cases: &mut Cases) {
    let with = |value: &str| {
        privileged("web").replace("privileged: true", &format!("privileged: {value}"))
    };
    cases.found("yes.yaml", with("yes"), &[11]);
    cases.found("on.yaml", with("ON"), &[11]);
    cases.found("capital.yaml", with("True"), &[11]);
    cases.found("y.yaml", with("y"), &[11]);
    cases.found("tagged.yaml", with("!!bool true"), &[11]);
    cases.found("tagged-text.yaml", with("!!bool \"true\""), &[11]);
    cases.found("next-line.yaml", with("\n        true"), &[12]);
    cases.found("commented.yaml", with("true # not really"), &[11]);
    cases.found(
        "spaced.yaml",
        with("true").replace("privileged:", "privileged :"),
        &[11],
    );
    cases.found("tab-after-colon.yaml", with("\ttrue"), &[11]);
    cases.not_read("quoted.yaml", with("\"true\""), &[11]);
    cases.not_read("text-by-tag.yaml", with("!!str true"), &[11]);
    cases.not_read("number.yaml", with("1"), &[11]);
    cases.not_read("block-text.yaml", with("|\n        true"), &[11]);
    cases.found(
        "escaped-key.yaml",
        privileged("web").replace("privileged", r#""privil\u0065g\x65d""#),
        &[11],
    );
    cases.found(
        "quoted-key.yaml",
        privileged("web").replace("privileged", "'privileged'"),
        &[11],
    );
    cases.found(
        "question.yaml",
        privileged("web").replace("privileged: true", "? privileged\n      : true"),
        &[12],
    );
    let twice = privileged("web").replace(
        "privileged: true",
        "privileged: false\n      privileged: true",
    );
    cases.found("twice.yaml", twice, &[12]);
    let section = privileged("web") + "    securityContext: {privileged: true}\n";
    cases.found(
        "section-twice.yaml",
        section.replace("      privileged: true", "      privileged: false"),
        &[12],
    );
}

fn sharing(cases: &mut Cases) {
    let annotated = |anchor: &str| {
        privileged("web").replace(
            "  namespace: shop\n",
            &format!("  namespace: shop\n  annotations: {anchor}\n"),
        )
    };
    let value = annotated("{a: &t true}").replace("privileged: true", "privileged: *t");
    cases.not_read("annotation-is-no-text.yaml", value, &[6]);
    let pod = |anchored: &str, used: &str| {
        format!(
            "x-shared: {anchored}\n{}",
            privileged("web").replace("    securityContext:\n      privileged: true\n", used)
        )
    };
    cases.found(
        "alias-value.yaml",
        pod("&t true", "    securityContext:\n      privileged: *t\n"),
        &[1],
    );
    cases.found(
        "alias-map.yaml",
        pod("&s {privileged: true}", "    securityContext: *s\n"),
        &[1],
    );
    cases.found(
        "merge.yaml",
        pod("&s {privileged: true}", "    securityContext: {<<: *s}\n"),
        &[1],
    );
    let merged = "    securityContext:\n      <<: [*a, *b]\n";
    let two = format!(
        "x: &a {{runAsUser: 1}}\n{}",
        pod("&b {privileged: true}", merged)
    );
    cases.found("merge-list.yaml", two, &[2]);
    let over = pod(
        "&s {privileged: false}",
        "    securityContext:\n      <<: *s\n      privileged: true\n",
    );
    cases.found("merge-overridden.yaml", over, &[13]);
    let container = "x: &c {name: app, image: b, securityContext: {privileged: true}}\napiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: s}\nspec:\n  containers: [*c]\n";
    cases.found("alias-container.yaml", container, &[1]);
    let spec = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, namespace: s}\n  spec: &p\n    containers:\n    - {name: a, image: b, securityContext: {privileged: true}}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b, namespace: s}\n  spec: *p\n";
    cases.found("alias-spec.yaml", spec, &[9, 9]);
    let kind = privileged("web").replace("kind: Pod", "kind: *k");
    cases.found("kind-by-alias.yaml", format!("x: &k Pod\n{kind}"), &[12]);
    let merged = "x: &h {apiVersion: v1, kind: Pod}\n<<: *h\nmetadata: {name: w, namespace: s}\nspec:\n  containers:\n  - {name: a, image: b, securityContext: {privileged: true}}\n";
    cases.found("kind-by-merge.yaml", merged, &[6]);
}

fn styles(cases: &mut Cases) {
    let flow = "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: s},\n spec: {containers: [\n  {name: a, image: b, securityContext: {\n   privileged: true}}]}}\n";
    cases.found("flow.yaml", flow, &[4]);
    let json = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "w", "namespace": "s"},
 "spec": {"containers": [{"name": "a", "image": "b", "securityContext": {
  "privileged": true}}]}}
"#;
    cases.found("object.json", json, &[3]);
    cases.found("json-in.yaml", json, &[3]);
    cases.found("json-stream.json", format!("{json}{json}"), &[3, 6]);
    cases.found(
        "json-lines.json",
        format!("{0}\n{0}\n", json.replace('\n', " ")),
        &[1, 2],
    );
    cases.found(
        "json-side-by-side.yaml",
        format!("{0}{0}\n", json.replace('\n', " ").trim_end()),
        &[1, 1],
    );
    cases.found("json-tabs.json", json.replace(' ', "\t"), &[3]);
    cases.found(
        "json-escape.json",
        json.replace("privileged", r"privi\u006ceged"),
        &[3],
    );
    let twice = json.replace(
        "\"privileged\": true",
        "\"privileged\": false, \"privileged\": true",
    );
    cases.found("json-twice.json", twice, &[3]);
    cases.found(
        "json-then-yaml.yaml",
        format!("{json}---\n{}", privileged("b")),
        &[3, 15],
    );
    cases.found("yaml-in.json", privileged("web"), &[11]);
    cases.not_read("json-quoted.json", json.replace("true", "\"true\""), &[3]);
    cases.not_read(
        "tabs.yaml",
        privileged("web").replace("      privileged", "\t\t\tprivileged"),
        &[11],
    );
}
