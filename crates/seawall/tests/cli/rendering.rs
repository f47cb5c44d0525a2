//! Charts and kustomizations, with the programs of the test set-up and without any.

use std::ffi::OsString;

use insta::assert_snapshot;

use crate::run::{DAY, Folder, Json, repository};

const ONE: [&str; 2] = ["--guideline", "pss-privileged"];

pub(crate) fn tools() -> OsString {
    let helm = oracle::part("helm").unwrap();
    let bin = helm.parent().unwrap();
    assert!(
        bin.join("kustomize").is_file(),
        "`cargo xtask setup` builds both"
    );
    bin.as_os_str().to_owned()
}

fn assess(folder: &Folder, args: &[&str], path: OsString) -> Json {
    let args = [&["assess", "--as-of", DAY, "--format", "json"], args].concat();
    folder.run_with(&args, b"", path).json()
}

/// The ledger, without the values beside the templates.
fn ledger(report: &Json) -> String {
    let mut documents = report.documents();
    documents.retain(|entry| !entry.starts_with("web/values.yaml"));
    documents.join("\n")
}

const TEMPLATE: &str = "apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-web
  namespace: shop
spec:
  containers:
  {{- range .Values.containers }}
  - name: {{ .name }}
    image: {{ .image | default \"example.azurecr.io/web:1\" }}
    {{- if $.Values.privileged }}
    securityContext:
      runAsUser: 10001
      privileged: true
    {{- end }}
  {{- end }}
";

fn chart() -> Folder {
    Folder::of(&[
        (
            "web/Chart.yaml",
            "apiVersion: v2\nname: web-chart\nversion: 0.1.0\n",
        ),
        (
            "web/values.yaml",
            "privileged: true\ncontainers: [{name: app}]\n",
        ),
        ("web/templates/pod.yaml", TEMPLATE),
        ("web/templates/NOTES.txt", "hello\n"),
        (
            "web/crds/definition.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n",
        ),
        ("safe.yaml", "privileged: false\n"),
        ("two.yaml", "containers: [{name: app}, {name: other}]\n"),
    ])
}

#[test]
fn a_chart_is_judged_as_rendered_and_shown_as_written() {
    let report = assess(&chart(), &[&["web"], &ONE[..]].concat(), tools());
    assert_eq!(report.code, 1);
    assert_eq!(
        report.findings(),
        ["web/templates/pod.yaml:14 pss-privileged fail"]
    );
    assert_eq!(
        report.list("/findings")[0]["resource"]["id"],
        "Pod/shop/release-web"
    );
    assert_snapshot!(ledger(&report), @"
    web/templates/pod.yaml:1 assessed Pod shop release-web
    web/crds/definition.yaml:1 not-relevant read as a part of web
    web/templates/pod.yaml:1 not-relevant read as a part of web
    ");
}

#[test]
fn values_files_change_what_is_rendered() {
    let folder = chart();
    let safe = assess(
        &folder,
        &[&["web", "--values", "safe.yaml"], &ONE[..]].concat(),
        tools(),
    );
    assert_eq!((safe.code, safe.findings()), (0, vec![]));
    let two = assess(
        &folder,
        &[&["web", "--values", "two.yaml"], &ONE[..]].concat(),
        tools(),
    );
    assert_eq!(
        two.findings(),
        vec!["web/templates/pod.yaml:14 pss-privileged fail"; 2]
    );
    let both = assess(
        &folder,
        &[
            &["web", "--values", "two.yaml", "--values", "safe.yaml"],
            &ONE[..],
        ]
        .concat(),
        tools(),
    );
    assert_eq!((both.code, both.findings()), (0, vec![]));
}

#[test]
fn a_chart_that_does_not_render_is_unresolved() {
    let folder = chart();
    folder.write(
        "web/templates/broken.yaml",
        "a: {{ required \"a name is needed\" .Values.name }}\n",
    );
    let report = assess(&folder, &[&["."], &ONE[..]].concat(), tools());
    assert_eq!((report.code, report.findings()), (4, vec![]));
    assert!(
        report.documents()[0].starts_with("safe.yaml:1 not-relevant"),
        "{:?}",
        report.documents()
    );
    assert!(
        report
            .documents()
            .iter()
            .any(|entry| entry.starts_with("web/Chart.yaml:1 unresolved `helm template` failed")),
        "{:?}",
        report.documents()
    );
}

#[test]
fn a_chart_whose_dependency_is_not_there_is_not_fetched() {
    let folder = chart();
    folder.write(
        "web/Chart.yaml",
        "apiVersion: v2\nname: web-chart\nversion: 0.1.0\ndependencies:\n- {name: redis, version: 1.0.0, repository: https://charts.example.com}\n",
    );
    let report = assess(&folder, &[&["web"], &ONE[..]].concat(), tools());
    assert_eq!(report.code, 4);
    let help = report.list("/coverage/documents")[0]["help"]
        .as_str()
        .unwrap();
    assert!(help.contains("`helm dependency build web`"), "{help}");
}

#[test]
fn without_helm_a_chart_is_unresolved_and_nothing_in_it_is_judged_raw() {
    let report = assess(&chart(), &[&["."], &ONE[..]].concat(), OsString::new());
    assert_eq!((report.code, report.findings()), (4, vec![]));
    assert_eq!(report.value["coverage"]["totals"]["assessed"], 0);
    assert_snapshot!(ledger(&report), @"
    safe.yaml:1 not-relevant not a Kubernetes object
    two.yaml:1 not-relevant not a Kubernetes object
    web/Chart.yaml:1 unresolved a Helm chart, and `helm` is not installed
    web/crds/definition.yaml:1 not-relevant read as a part of web
    web/templates/pod.yaml:1 not-relevant read as a part of web
    ");
}

const BASE: &str = "apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: app
    image: example.azurecr.io/web:1.2.3
";

const PATCH: &str = "apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: app
    securityContext:
      privileged: true
";

fn kustomization(production: &str) -> Folder {
    Folder::of(&[
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", BASE),
        ("production/kustomization.yaml", production),
    ])
}

fn patched() -> Folder {
    let folder =
        kustomization("namespace: shop\nresources: [../base]\npatches: [{path: patch.yaml}]\n");
    folder.write("production/patch.yaml", PATCH);
    folder
}

#[test]
fn an_overlay_is_judged_as_built() {
    // What a patch adds is shown at the container that it changes.
    let report = assess(&patched(), &[&["."], &ONE[..]].concat(), tools());
    assert_eq!(report.code, 1);
    assert_eq!(report.findings(), ["base/pod.yaml:7 pss-privileged fail"]);
    assert_eq!(
        report.list("/findings")[0]["resource"]["id"],
        "Pod/shop/web"
    );
    assert_snapshot!(ledger(&report), @"
    base/kustomization.yaml:1 not-relevant read as a part of production
    base/pod.yaml:1 not-relevant read as a part of production
    base/pod.yaml:1 assessed Pod shop web
    production/patch.yaml:1 not-relevant read as a part of production
    ");
}

#[test]
fn a_finding_of_the_base_points_into_the_base() {
    let folder = kustomization("namespace: shop\nresources: [../base]\n");
    folder.write(
        "base/pod.yaml",
        format!("{BASE}    securityContext:\n      privileged: true\n"),
    );
    let report = assess(&folder, &[&["production"], &ONE[..]].concat(), tools());
    assert_eq!(report.findings(), ["base/pod.yaml:10 pss-privileged fail"]);
}

#[test]
fn without_tools_a_kustomization_is_unresolved_and_nothing_in_it_is_judged_raw() {
    let report = assess(&patched(), &[&["."], &ONE[..]].concat(), OsString::new());
    assert_eq!((report.code, report.findings()), (4, vec![]));
    assert_eq!(report.value["coverage"]["totals"]["assessed"], 0);
    assert_snapshot!(ledger(&report), @"
    base/kustomization.yaml:1 not-relevant read as a part of production
    base/pod.yaml:1 not-relevant read as a part of production
    production/kustomization.yaml:1 unresolved a kustomization, and neither `kustomize` nor `kubectl` is installed
    production/patch.yaml:1 not-relevant read as a part of production
    ");
}

#[test]
fn a_remote_base_is_never_fetched() {
    for remote in [
        "https://github.com/example/shop//deploy?ref=v1",
        "github.com/example/shop/deploy?ref=v1",
        "git@github.com:example/shop.git",
        "https://example.com/pod.yaml",
        "ssh://git@example.com/shop.git",
        "example.com/shop//deploy",
        "git::https://example.com/shop.git",
        "file:///tmp/shop",
    ] {
        let folder = kustomization(&format!("resources: [../base, \"{remote}\"]\n"));
        // A stand-in that tells on itself instead of reaching out.
        let bin = folder.path().join("bin");
        folder.write("bin/kustomize", "#!/bin/sh\n: > called\n");
        make_executable(&bin.join("kustomize"));
        let report = assess(
            &folder,
            &[&["production"], &ONE[..]].concat(),
            bin.into_os_string(),
        );
        assert_eq!(report.code, 4, "{remote}: {:?}", report.documents());
        assert!(!folder.path().join("called").exists(), "{remote} was built");
        assert!(
            report.documents()[0].contains("which is not fetched"),
            "{remote}: {:?}",
            report.documents()
        );
    }
}

#[cfg(unix)]
fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_remote_base_of_a_base_is_found_too() {
    let folder = kustomization("resources: [../base]\n");
    folder.write(
        "base/kustomization.yaml",
        "resources: [pod.yaml, \"https://example.com/more.yaml\"]\n",
    );
    let report = assess(&folder, &[&["production"], &ONE[..]].concat(), tools());
    assert_eq!((report.code, report.findings()), (4, vec![]));
}

#[test]
fn the_charts_of_the_example() {
    let path = repository("examples/charts");
    let folder = Folder::new();
    let args = [path.to_str().unwrap(), "--framework", "pss-baseline"];
    let report = assess(&folder, &args, tools());
    assert_eq!(report.code, 1);
    let places: Vec<String> = report
        .findings()
        .into_iter()
        .map(|finding| finding.replace(&format!("{}/", path.display()), ""))
        .collect();
    assert_snapshot!(places.join("\n"), @"
    charts/loyalty/templates/deployment.yaml:24 pss-privileged fail
    overlay/base/deployment.yaml:17 pss-host-ports fail
    ");
    let production = path.join("charts/loyalty/production.yaml");
    let args = [&args[..], &["--values", production.to_str().unwrap()]].concat();
    assert_eq!(assess(&folder, &args, tools()).findings().len(), 1);
    assert_eq!(assess(&folder, &args, OsString::new()).code, 4);
}
