//! Objects that should not be there are taken out of their files, with what belongs to them and nothing else.

use serde_json::Value;

use crate::rendering::tools;
use crate::run::{DAY, Folder, Json, Ran};

use super::{read, saved};

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run_with(&[&["fix", "--as-of", DAY], args].concat(), b"", tools())
}

fn written(folder: &Folder, args: &[&str]) -> Json {
    saved(fix, folder, args)
}

const BINDINGS: &str = "\
# Copyright of the shop.

# Who may look.
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: looks, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 11111111-2222-3333-4444-555555555555}
---
# Left over from the old operator.
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding   # whose?
metadata: {name: old, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}
subjects:
- {kind: ServiceAccount, name: operator}
---
# Who may write.
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writes, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 11111111-2222-3333-4444-666666666666}
";

fn why(report: &Json) -> Vec<&str> {
    let left = report.list("/notFixed").iter();
    left.map(|left| left["why"].as_str().unwrap()).collect()
}

fn is_there(folder: &Folder, name: &str) -> bool {
    folder.path().join(name).exists()
}

#[test]
fn one_document_of_several_goes_with_what_belongs_to_it() {
    let folder = Folder::of(&[("roles.yaml", BINDINGS)]);
    let args = [
        "roles.yaml",
        "--whole",
        "--guideline",
        "rbac-no-dangling-bindings",
    ];
    let shown = fix(&folder, &args);
    assert_eq!(shown.code, 1, "{}{}", shown.out, shown.err);
    assert!(
        shown.out.contains("roles.yaml  RoleBinding shop/old"),
        "{}",
        shown.out
    );
    for gone in [
        "-# Left over from the old operator.",
        "-kind: RoleBinding   # whose?",
    ] {
        assert!(shown.out.contains(gone), "{}", shown.out);
    }
    assert_eq!(read(&folder, "roles.yaml"), BINDINGS);
    let report = written(&folder, &args);
    assert_eq!(report.value["changes"][0]["deleted"], false);
    assert_eq!(
        report.value["changes"][0]["fixes"][0]["operations"],
        serde_json::json!(["remove the object"])
    );
    let (before, rest) = BINDINGS.split_once("---\n# Left over").unwrap();
    let (_, after) = rest.split_once("---\n").unwrap();
    assert_eq!(read(&folder, "roles.yaml"), format!("{before}---\n{after}"));
    assert_eq!(fix(&folder, &args).code, 0);
}

#[test]
fn what_is_said_of_the_file_stays_when_its_first_object_goes() {
    let old = BINDINGS.replace(
        "kind: ClusterRole, name: view",
        "kind: ClusterRole, name: old",
    );
    let folder = Folder::of(&[("roles.yaml", &old)]);
    written(
        &folder,
        &[
            "roles.yaml",
            "--whole",
            "--guideline",
            "rbac-no-dangling-bindings",
        ],
    );
    let text = read(&folder, "roles.yaml");
    assert!(
        text.starts_with("# Copyright of the shop.\n\n---\n# Who may write.\n"),
        "{text}"
    );
}

#[test]
fn an_item_of_a_list_goes() {
    let text = "\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: one, namespace: shop}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: nobody}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
# The last.
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: two, namespace: shop}
";
    let folder = Folder::of(&[("list.yaml", text)]);
    written(
        &folder,
        &[
            "list.yaml",
            "--whole",
            "--guideline",
            "rbac-no-dangling-bindings",
        ],
    );
    let (before, rest) = text.split_once("- apiVersion: rbac").unwrap();
    let (_, after) = rest.split_once("# The last.").unwrap();
    assert_eq!(
        read(&folder, "list.yaml"),
        format!("{before}# The last.{after}")
    );
}

const TILLER: &str = "\
# Helm's server.
apiVersion: apps/v1
kind: Deployment
metadata: {name: tiller-deploy, namespace: tools, labels: {app: helm}}
spec:
  selector: {matchLabels: {app: helm}}
  template:
    metadata: {labels: {app: helm}}
    spec:
      containers:
      - name: tiller
        image: ghcr.io/helm/tiller:v2.17.0
        securityContext: {privileged: true}
";

#[test]
fn a_file_without_objects_is_deleted_and_nothing_else_is_done_to_it() {
    let folder = Folder::of(&[("tiller.yaml", TILLER), ("roles.yaml", BINDINGS)]);
    let args = [
        ".",
        "--guideline",
        "rbac-no-tiller",
        "--guideline",
        "pss-privileged",
    ];
    let shown = fix(&folder, &args);
    assert!(
        shown
            .out
            .contains("  --- tiller.yaml\n  +++ /dev/null\n  @@ -1,13 +0,0 @@"),
        "{}",
        shown.out
    );
    let report = written(&folder, &args);
    assert_eq!(report.value["changes"][0]["deleted"], true);
    assert_eq!(report.value["summary"]["unsafe"], 2);
    assert!(!is_there(&folder, "tiller.yaml"));
    assert_eq!(read(&folder, "roles.yaml"), BINDINGS);
}

#[test]
fn what_would_dangle_without_it_keeps_an_object() {
    let service = "\
---
apiVersion: v1
kind: Service
metadata: {name: tiller-deploy, namespace: tools}
spec:
  selector: {app: helm}
  ports: [{port: 44134}]
";
    let text = format!("{TILLER}{service}");
    let folder = Folder::of(&[("tiller.yaml", &text)]);
    let report = written(
        &folder,
        &["tiller.yaml", "--whole", "--guideline", "rbac-no-tiller"],
    );
    assert_eq!(report.list("/changes"), &[] as &[Value]);
    let why = why(&report);
    assert!(
        why.len() == 1 && why[0].contains("would be worse for Service/tools/tiller-deploy"),
        "{why:?}"
    );
    assert_eq!(read(&folder, "tiller.yaml"), text);
}

fn kustomization(more: &str) -> String {
    format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{more}")
}

#[test]
fn a_file_that_a_kustomization_lists_stays_empty() {
    let list = kustomization("resources: [tiller.yaml, roles.yaml]\n");
    let folder = Folder::of(&[
        ("kustomization.yaml", &list),
        ("tiller.yaml", TILLER),
        ("roles.yaml", BINDINGS),
    ]);
    let args = [".", "--guideline", "rbac-no-tiller"];
    let report = written(&folder, &args);
    assert_eq!(report.value["changes"][0]["path"], "tiller.yaml");
    assert_eq!(report.value["changes"][0]["deleted"], false);
    assert_eq!(read(&folder, "tiller.yaml"), "");
    assert_eq!(read(&folder, "kustomization.yaml"), list);
    let again = fix(&folder, &args);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
}

#[test]
fn an_overlay_deletes_what_a_base_declares_that_was_not_given() {
    let folder = Folder::of(&[
        (
            "base/kustomization.yaml",
            &kustomization("resources: [tiller.yaml]\n"),
        ),
        ("base/tiller.yaml", TILLER),
        (
            "prod/kustomization.yaml",
            &kustomization("namespace: shop\nresources: [../base]\n"),
        ),
        (
            "prod/kept.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: shop}\n",
        ),
    ]);
    let args = ["prod", "--guideline", "rbac-no-tiller"];
    written(&folder, &args);
    let own = read(&folder, "prod/kustomization.yaml");
    assert!(own.contains("$patch: delete"), "{own}");
    assert_eq!(read(&folder, "base/tiller.yaml"), TILLER);
    let again = fix(&folder, &args);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
}

const CHART: &str = "apiVersion: v2\nname: tools\nversion: 1.0.0\n";

fn chart(template: &str) -> Folder {
    Folder::of(&[
        ("tools/Chart.yaml", CHART),
        ("tools/values.yaml", "names: [tiller, web]\non: true\n"),
        ("tools/templates/all.yaml", template),
    ])
}

#[test]
fn a_template_goes_with_the_blocks_in_it() {
    let tiller = TILLER.replace(
        "        securityContext: {privileged: true}\n",
        "        {{- if .Values.on }}\n        securityContext: {privileged: true}\n        {{- end }}\n",
    );
    let kept = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {on: {{ .Values.on | quote }}}\n";
    let folder = chart(&format!("{kept}---\n{tiller}"));
    let args = ["tools", "--guideline", "rbac-no-tiller"];
    let report = written(&folder, &args);
    assert_eq!(report.list("/notFixed"), &[] as &[Value]);
    assert_eq!(read(&folder, "tools/templates/all.yaml"), kept);
    let again = fix(&folder, &args);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
}

#[test]
fn what_a_loop_makes_is_deleted_after_rendering() {
    let template = "\
{{- range .Values.names }}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ . }}
spec:
  containers: [{name: app, image: ghcr.io/helm/{{ . }}:v2.17.0}]
{{- end }}
";
    let folder = chart(template);
    let args = ["tools", "--guideline", "rbac-no-tiller"];
    let report = written(&folder, &args);
    assert_eq!(report.list("/notFixed"), &[] as &[Value]);
    assert_eq!(read(&folder, "tools/templates/all.yaml"), template);
    let patch = read(&folder, "tools/seawall-post-render/kustomization.yaml");
    assert!(
        patch.contains("$patch: delete") && patch.contains("name: tiller"),
        "{patch}"
    );
}

#[test]
fn what_a_secret_holds_is_not_shown_when_it_goes() {
    let text = "\
apiVersion: v1
kind: Secret
metadata: {name: old, namespace: shop}
stringData:
  password: Zq7vCanaryW3x
  file: |
    first Canary Line
    second Canary Line
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, namespace: shop}
";
    let folder = Folder::of(&[("all.yaml", text)]);
    for format in ["text", "json"] {
        let args = ["all.yaml", "--whole", "--guideline", "sec-unused-removed"];
        let ran = fix(&folder, &[&args[..], &["--format", format]].concat());
        assert!(ran.out.contains("password: ****"), "{}", ran.out);
        assert!(!ran.out.contains("Canary"), "{}", ran.out);
    }
}

#[test]
fn a_binding_that_would_give_to_nobody_goes_as_a_whole() {
    let binding = |name: &str, subjects: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects:
{subjects}"
        )
    };
    let open =
        "- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:unauthenticated'}\n";
    let all =
        "- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}\n";
    let team = "- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 11111111-2222-3333-4444-555555555555}\n";
    let text = [
        binding("one", open),
        binding("two", &format!("{open}{all}")),
        binding("three", &format!("{open}{team}")),
    ]
    .join("---\n");
    let folder = Folder::of(&[("roles.yaml", &text)]);
    let args = [
        "roles.yaml",
        "--whole",
        "--guideline",
        "rbac-no-anonymous-bindings",
    ];
    let report = written(&folder, &args);
    assert!(report.list("/notFixed").is_empty(), "{:#}", report.value);
    assert_eq!(read(&folder, "roles.yaml"), binding("three", team));
}

#[test]
fn a_verdict_that_only_moves_to_another_file_is_not_worse() {
    // Nobody declares the namespace: what is said of it stands with the first that names it.
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: tools}\n";
    let folder = Folder::of(&[("a-tiller.yaml", TILLER), ("b-kept.yaml", other)]);
    let args = [".", "--whole", "--guideline", "rbac-no-tiller"];
    let report = written(&folder, &args);
    assert!(report.list("/notFixed").is_empty(), "{:#}", report.value);
    assert!(!is_there(&folder, "a-tiller.yaml"));
    assert_eq!(read(&folder, "b-kept.yaml"), other);
}
