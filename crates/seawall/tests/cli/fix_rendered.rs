//! `fix` of what charts and kustomizations render: the edit is in the file that leads to the object, and what is
//! rendered from the files afterwards is cured. The programs are those of the test set-up.

use std::fs;

use serde_json::Value;

use crate::rendering::tools;
use crate::run::{DAY, Folder, Json, Ran};
use crate::schemas::{errors, schema};

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run_with(&[&["fix", "--as-of", DAY], args].concat(), b"", tools())
}

fn assess(folder: &Folder, args: &[&str]) -> Json {
    let args = [&["assess", "--as-of", DAY, "--format", "json"], args].concat();
    folder.run_with(&args, b"", tools()).json()
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// What was fixed: `file guideline`, each once.
fn fixed(report: &Json) -> Vec<String> {
    let mut fixed: Vec<String> = report
        .list("/changes")
        .iter()
        .flat_map(|change| {
            let path = change["path"].as_str().unwrap();
            let fixes = change["fixes"].as_array().unwrap().iter();
            fixes
                .flat_map(|fix| fix["findings"].as_array().unwrap())
                .map(move |finding| format!("{path} {}", finding["guideline"].as_str().unwrap()))
        })
        .collect();
    fixed.sort();
    fixed.dedup();
    fixed
}

/// Writes all fixes of one guideline, and proves by rendering the files that it fails nowhere any more.
fn cure(folder: &Folder, paths: &[&str], guideline: &str) -> Json {
    let before = assess(folder, &[paths, &["--guideline", guideline]].concat());
    assert!(!before.findings().is_empty(), "nothing to cure");
    let args = [
        "--guideline",
        guideline,
        "--write",
        "--unsafe",
        "--format",
        "json",
    ];
    let ran = fix(folder, &[paths, &args].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(
        errors(&schema("fix-v1.json"), &report.value),
        Vec::<String>::new()
    );
    assert_eq!(report.list("/notFixed"), &[] as &[Value]);
    let after = assess(folder, &[paths, &["--guideline", guideline]].concat());
    assert_eq!(after.findings(), Vec::<String>::new());
    // Once is enough.
    let again = fix(folder, &[paths, &["--guideline", guideline]].concat());
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    report
}

const DEPLOYMENT: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: side
        image: example.azurecr.io/side:1
      - name: web   # last
        image: example.azurecr.io/web:1
        securityContext: {privileged: true}
";

fn kustomization(more: &str) -> String {
    format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{more}")
}

fn overlays() -> Folder {
    Folder::of(&[
        ("base/web.yaml", DEPLOYMENT),
        (
            "base/kustomization.yaml",
            &kustomization("resources: [web.yaml]\n"),
        ),
        (
            "dev/kustomization.yaml",
            &kustomization("namespace: dev\nnamePrefix: dev-\nresources: [../base]\n"),
        ),
        (
            "prod/kustomization.yaml",
            &kustomization(
                "namespace: shop\nresources: [../base]\npatches: [{path: debug.yaml}]\n",
            ),
        ),
        (
            "prod/debug.yaml",
            "# For a while.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      hostPID: true\n      containers:\n      - name: side\n        securityContext:\n          privileged: true\n",
        ),
    ])
}

#[test]
fn a_base_that_overlays_share_is_edited_once() {
    let folder = overlays();
    let report = cure(&folder, &["."], "pss-privileged");
    assert_eq!(
        fixed(&report),
        [
            "base/web.yaml pss-privileged",
            "prod/debug.yaml pss-privileged"
        ]
    );
    let base = read(&folder, "base/web.yaml");
    assert!(base.starts_with("# The shop's front.\n"), "{base}");
    assert!(base.contains("- name: web   # last"), "{base}");
    assert!(!base.contains("privileged: true"), "{base}");
}

#[test]
fn what_a_patch_sets_is_edited_in_the_patch() {
    let folder = overlays();
    let report = cure(&folder, &["."], "pss-host-pid-ipc");
    assert_eq!(fixed(&report), ["prod/debug.yaml pss-host-pid-ipc"]);
    let patch = read(&folder, "prod/debug.yaml");
    assert!(!patch.contains("hostPID: true"), "{patch}");
    assert_eq!(read(&folder, "base/web.yaml"), DEPLOYMENT);
}

#[test]
fn a_base_that_was_not_given_is_patched() {
    let folder = overlays();
    let report = cure(&folder, &["dev"], "pss-privileged");
    assert_eq!(fixed(&report), ["dev/kustomization.yaml pss-privileged"]);
    assert_eq!(read(&folder, "base/web.yaml"), DEPLOYMENT);
    let own = read(&folder, "dev/kustomization.yaml");
    assert!(own.starts_with(&kustomization("namespace: dev\n")), "{own}");
    assert!(own.contains("patches:\n"), "{own}");
}

#[test]
fn patches_of_one_object_are_one() {
    let folder = overlays();
    let before = assess(&folder, &["dev"]);
    let ran = fix(&folder, &["dev", "--write", "--unsafe", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert!(fixed(&report).len() > 4, "{:?}", fixed(&report));
    let own = read(&folder, "dev/kustomization.yaml");
    assert_eq!(own.matches("target:").count(), 1, "{own}");
    let after = assess(&folder, &["dev"]);
    let count = report.list("/changes")[0]["fixes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fix| fix["findings"].as_array().unwrap().len())
        .sum::<usize>();
    assert!(
        after.findings().len() + count <= before.findings().len(),
        "{:?}",
        after.findings()
    );
}

/// What the guideline asks for besides.
const SPREAD: &str = "      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
        labelSelector: {matchLabels: {app: web}}
";

#[test]
fn an_object_beside_is_a_template_of_the_chart() {
    let folder = chart();
    let template = TEMPLATE
        .replace("spec:\n  sel", "spec:\n  replicas: 2\n  sel")
        .replace("{{ .Release.Name }}-web", "web")
        .replace("      hostIPC", &format!("{SPREAD}      hostIPC"));
    folder.write("web/templates/web.yaml", template);
    let report = cure(&folder, &["web", "--whole"], "cfg-available-through-drain");
    let changes = report.list("/changes");
    let made = changes.iter().find(|change| change["new"] == true).unwrap();
    let path = made["path"].as_str().unwrap();
    assert!(path.starts_with("web/templates/"), "{path}");
    let object = read(&folder, path);
    assert!(object.contains("kind: PodDisruptionBudget"), "{object}");
}

const CHART: &str = "apiVersion: v2\nname: web-chart\nversion: 0.1.0\n";

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
  namespace: shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostIPC: {{ .Values.processes.shared }}
      {{- with .Values.pod }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
      {{- range .Values.containers }}
      - name: {{ .name }}
        image: {{ .image | default \"example.azurecr.io/web:1\" }}
        {{- if $.Values.debug }}
        securityContext:
          privileged: true
        {{- else }}
        {{- with .securityContext }}
        securityContext:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- end }}
      {{- end }}
";

const VALUES: &str = "\
# How the shop is deployed.
processes:
  shared: true   # for all
debug: true
containers:
- name: app
  securityContext: {runAsUser: 10001}
";

fn chart() -> Folder {
    Folder::of(&[
        ("web/Chart.yaml", CHART),
        ("web/values.yaml", VALUES),
        ("web/templates/web.yaml", TEMPLATE),
        ("calm.yaml", "debug: false\n"),
        ("host.yaml", "processes:\n  shared: true\n"),
    ])
}

#[test]
fn a_value_that_a_template_names_is_edited() {
    let folder = chart();
    let report = cure(&folder, &["web"], "pss-host-pid-ipc");
    assert_eq!(fixed(&report), ["web/values.yaml pss-host-pid-ipc"]);
    assert_eq!(
        read(&folder, "web/values.yaml"),
        VALUES.replace("shared: true   #", "shared: false   #")
    );
    assert_eq!(read(&folder, "web/templates/web.yaml"), TEMPLATE);
}

#[test]
fn the_registry_of_an_image_is_a_part_of_it() {
    let image = "image: \"{{ $.Values.image.registry }}/pause:{{ $.Values.image.tag }}\"";
    let folder = chart();
    folder.write(
        "web/templates/web.yaml",
        TEMPLATE.replace(
            "image: {{ .image | default \"example.azurecr.io/web:1\" }}",
            image,
        ),
    );
    folder.write(
        "web/values.yaml",
        format!("{VALUES}image:\n  registry: k8s.gcr.io # moved\n  tag: 3.9\n"),
    );
    let report = cure(&folder, &["web"], "mt-old-image-host");
    assert_eq!(fixed(&report), ["web/values.yaml mt-old-image-host"]);
    let values = read(&folder, "web/values.yaml");
    assert!(
        values.contains("registry: registry.k8s.io # moved\n"),
        "{values}"
    );
}

#[test]
fn a_switch_is_turned_off() {
    let folder = chart();
    let report = cure(&folder, &["web"], "pss-privileged");
    assert_eq!(fixed(&report), ["web/values.yaml pss-privileged"]);
    assert_eq!(
        read(&folder, "web/values.yaml"),
        VALUES.replace("debug: true", "debug: false")
    );
}

#[test]
fn the_file_of_values_that_counts_is_edited() {
    let folder = chart();
    let report = cure(
        &folder,
        &["web", "--values", "host.yaml"],
        "pss-host-pid-ipc",
    );
    assert_eq!(fixed(&report), ["host.yaml pss-host-pid-ipc"]);
    assert_eq!(read(&folder, "host.yaml"), "processes:\n  shared: false\n");
    assert_eq!(read(&folder, "web/values.yaml"), VALUES);
}

#[test]
fn a_map_that_a_template_writes_whole_gets_what_is_missing() {
    let folder = chart();
    let report = cure(&folder, &["web", "--values", "calm.yaml"], "pss-seccomp");
    assert_eq!(fixed(&report), ["web/values.yaml pss-seccomp"]);
    let values = read(&folder, "web/values.yaml");
    assert!(values.contains("seccompProfile"), "{values}");
    assert!(
        values.starts_with("# How the shop is deployed.\n"),
        "{values}"
    );
}

/// The template with a value of its own.
fn literally() -> String {
    TEMPLATE.replace(
        "hostIPC: {{ .Values.processes.shared }}",
        "hostPID: true  # literally",
    )
}

#[test]
fn what_a_template_says_literally_is_edited_there() {
    let folder = chart();
    folder.write("web/templates/web.yaml", literally());
    let report = cure(&folder, &["web"], "pss-host-pid-ipc");
    assert_eq!(fixed(&report), ["web/templates/web.yaml pss-host-pid-ipc"]);
    let template = read(&folder, "web/templates/web.yaml");
    let before = literally();
    let gone: Vec<&str> = before
        .lines()
        .filter(|line| !template.lines().any(|other| other == *line))
        .collect();
    assert_eq!(gone, ["      hostPID: true  # literally"]);
    assert_eq!(read(&folder, "web/values.yaml"), VALUES);
}

/// A chart whose parts are out of reach: a template of another chart, and no value for it.
fn parent() -> Folder {
    Folder::of(&[
        ("shop/Chart.yaml", &CHART.replace("web-chart", "shop")),
        ("shop/values.yaml", "cache: {}\n"),
        (
            "shop/charts/cache/Chart.yaml",
            &CHART.replace("web-chart", "cache"),
        ),
        (
            "shop/charts/cache/values.yaml",
            "processes: {shared: true}\n",
        ),
        (
            "shop/charts/cache/templates/cache.yaml",
            &TEMPLATE.replace("-web", "-cache").replace(
                "{{- range .Values.containers }}",
                "{{- range list (dict \"name\" \"app\") }}",
            ),
        ),
    ])
}

#[test]
fn a_value_of_a_chart_within_is_given_by_the_chart_that_was_given() {
    let folder = parent();
    let report = cure(&folder, &["shop"], "pss-host-pid-ipc");
    assert_eq!(fixed(&report), ["shop/values.yaml pss-host-pid-ipc"]);
    assert_eq!(
        read(&folder, "shop/charts/cache/values.yaml"),
        "processes: {shared: true}\n"
    );
}

#[test]
fn what_nothing_leads_to_is_patched_after_rendering() {
    let folder = parent();
    let path = "shop/charts/cache/templates/cache.yaml";
    let literal = read(&folder, path).replace("{{ .Values.processes.shared }}", "true");
    folder.write(path, literal);
    let shown = fix(&folder, &["shop", "--guideline", "pss-host-pid-ipc"]);
    assert_eq!(shown.code, 1, "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("--- /dev/null"), "{}", shown.out);
    assert!(
        shown.out.contains("patched after rendering"),
        "{}",
        shown.out
    );
    assert!(!folder.path().join("shop/seawall-post-render").exists());
    let report = cure(&folder, &["shop"], "pss-host-pid-ipc");
    assert_eq!(
        fixed(&report),
        ["shop/seawall-post-render/kustomization.yaml pss-host-pid-ipc"]
    );
    // The next patch joins the first.
    let report = cure(&folder, &["shop"], "pss-seccomp");
    assert!(!fixed(&report).is_empty());
    let own = read(&folder, "shop/seawall-post-render/kustomization.yaml");
    assert_eq!(own.matches("target:").count(), 1, "{own}");
    // Whatever the release is called.
    assert!(own.contains("name: .*-cache\n"), "{own}");
    let script = read(&folder, "shop/seawall-post-render/run.sh");
    assert!(script.contains("kubectl kustomize"), "{script}");
}
