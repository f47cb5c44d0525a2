//! A plan made from what a real registry holds, and carried out there: exactly the plan is gone.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::maintenance;
use crate::run::Folder;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that images are pushed to with curl, as its script reads them.
struct Registry(oracle::Registry);

fn curl(args: &[&str]) -> Output {
    let output = Command::new("curl")
        .args(["--silent", "--fail-with-body"])
        .args(args)
        .output();
    output.unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Registry {
    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.0.address())
    }

    fn blob(&self, repository: &str, text: &str) -> (String, usize) {
        let digest = format!("sha256:{}", hex(text.as_bytes()));
        let begun = curl(&[
            "-X",
            "POST",
            "-i",
            &self.url(&format!("{repository}/blobs/uploads/")),
        ]);
        let head = String::from_utf8_lossy(&begun.stdout).into_owned();
        let to = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .starts_with("location: ")
                    .then(|| line[10..].trim().to_owned())
            })
            .unwrap();
        let sign = if to.contains('?') { '&' } else { '?' };
        let to = format!("{to}{sign}digest={digest}");
        let kind = "Content-Type: application/octet-stream";
        assert!(
            curl(&["-X", "PUT", "-H", kind, "--data-binary", text, &to])
                .status
                .success()
        );
        (digest, text.len())
    }

    /// Puts a manifest under a tag, or its digest alone.
    fn put(&self, repository: &str, tag: Option<&str>, kind: &str, manifest: &Value) -> String {
        let text = manifest.to_string();
        let digest = format!("sha256:{}", hex(text.as_bytes()));
        let path = format!("{repository}/manifests/{}", tag.unwrap_or(&digest));
        let kind = format!("Content-Type: {kind}");
        let put = curl(&[
            "-X",
            "PUT",
            "-H",
            &kind,
            "--data-binary",
            &text,
            &self.url(&path),
        ]);
        assert!(
            put.status.success(),
            "{}",
            String::from_utf8_lossy(&put.stdout)
        );
        digest
    }

    fn image(&self, repository: &str, tag: Option<&str>, created: &str, more: Value) -> String {
        let config = json!({"architecture": "amd64", "os": "linux", "created": created, "tag": tag,
            "rootfs": {"type": "layers", "diff_ids": []}});
        let (config, size) = self.blob(repository, &config.to_string());
        let (layer, length) = self.blob(repository, &format!("{repository} {tag:?} {created}"));
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": length}]});
        for (key, value) in more.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        self.put(repository, tag, MANIFEST, &manifest)
    }

    fn holds(&self, repository: &str, digest: &str) -> bool {
        let accept = format!("Accept: {MANIFEST}, {INDEX}");
        let path = self.url(&format!("{repository}/manifests/{digest}"));
        curl(&["-H", &accept, &path]).status.success()
    }
}

fn sh(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(args).current_dir(folder.path());
    command.output().unwrap()
}

fn pod(image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop}}\nspec:\n  containers: [{{name: app, image: \"{image}\"}}]\n"
    )
}

#[test]
fn a_plan_is_carried_out_and_nothing_else_is_removed() {
    let registry = Registry(oracle::Registry::start().unwrap());
    let host = registry.0.address().to_owned();
    let old = "2026-01-01T00:00:00Z";
    let none = || json!({});
    let mut all: Vec<(&str, String, bool)> = Vec::new();
    // More tags than a page of the registry has.
    for number in 0..120 {
        let digest = registry.image("web", Some(&format!("1.{number}")), old, none());
        all.push(("web", digest, number != 7));
    }
    let young = registry.image("web", Some("2.0"), "2026-11-20T00:00:00Z", none());
    all.push(("web", young, false));
    // An index with two platforms, signed by cosign's tag; one that is used, one that is not.
    for (tag, gone) in [("used", false), ("unused", true)] {
        let parts = ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];
        let parts = parts
            .map(|day| registry.image("team/api", None, day, json!({"annotations": {"of": tag}})));
        let manifests: Vec<Value> = parts
            .iter()
            .map(|part| json!({"mediaType": MANIFEST, "digest": part, "size": 400, "platform": {"os": "linux", "architecture": part[7..9]}}))
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let index = registry.put("team/api", Some(tag), INDEX, &index);
        let by = format!("{}.sig", index.replace(':', "-"));
        let signature = registry.image("team/api", Some(&by), "2026-01-04T00:00:00Z", none());
        all.extend(parts.map(|part| ("team/api", part, gone)));
        all.push(("team/api", index, gone));
        all.push(("team/api", signature, gone));
    }
    let folder = Folder::of(&[
        ("pod.yaml", &pod(&format!("{host}/web:1.7"))),
        (
            "map.yaml",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x, namespace: shop}}\ndata: {{run: \"start {host}/team/api:used now\"}}\n"
            ),
        ),
    ]);
    let list = folder.run(&["maintenance", "cleanup", "--list-script", &host]);
    assert_eq!(list.code, 0, "{}", list.err);
    folder.write("list.sh", &list.out);
    let listed = sh(&folder, &["list.sh", "held"]);
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let plan = |args: &[&str]| {
        let own = ["cleanup", "pod.yaml", "map.yaml", "--registry", "held"];
        maintenance(&folder, &[&own, args].concat())
    };
    // Nobody knows what was used 30 days ago.
    let ran = plan(&[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.failure()
            .contains("nobody knows what was in use 30 days ago")
    );
    // By what is used now alone; nothing that was built before today is young then.
    let now = ["--unused-for", "0", "--keep-tag", "2.*"];
    let ran = plan(
        &[
            &now[..],
            &["--format", "json", "--format", "script=remove.sh"],
        ]
        .concat(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let planned: BTreeSet<(String, String)> = answer["remove"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| {
            let own = group["manifests"].as_array().unwrap().iter();
            own.map(|manifest| {
                (
                    group["repository"].as_str().unwrap().to_owned(),
                    manifest["digest"].as_str().unwrap().to_owned(),
                )
            })
        })
        .collect();
    let wanted: BTreeSet<(String, String)> = all
        .iter()
        .filter(|(.., gone)| *gone)
        .map(|(repository, digest, _)| ((*repository).to_owned(), digest.clone()))
        .collect();
    assert_eq!(planned, wanted);
    let schema = crate::schemas::schema("cleanup-v1.json");
    assert_eq!(crate::schemas::errors(&schema, &answer), [""; 0]);
    let text = plan(&now).out;
    assert!(text.contains("Remove 120 images (123 manifests"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    // It shows, and does nothing; and where nothing can be brought back it wants that to be said.
    assert_eq!(
        String::from_utf8_lossy(&sh(&folder, &["remove.sh"]).stdout)
            .lines()
            .count(),
        planned.len()
    );
    let script = std::fs::read_to_string(folder.path().join("remove.sh")).unwrap();
    // The day of the tests is none near today's, so an old plan is refused.
    let begun = script
        .lines()
        .find(|line| line.contains("-gt 604800"))
        .unwrap();
    folder.write("now.sh", script.replace(begun, "if false; then"));
    assert_eq!(sh(&folder, &["now.sh", "--yes"]).status.code(), Some(1));
    assert!(
        all.iter()
            .all(|(repository, digest, _)| registry.holds(repository, digest))
    );
    let done = sh(&folder, &["now.sh", "--for-good"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        said,
        format!("{} removed, 0 were gone already\n", planned.len()),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    for (repository, digest, gone) in &all {
        assert_eq!(
            registry.holds(repository, digest),
            !gone,
            "{repository}@{digest}"
        );
    }
    // Again there is nothing to do.
    let again = sh(&folder, &["now.sh", "--for-good"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(
        said,
        format!("0 removed, {} were gone already\n", planned.len())
    );
}

#[test]
fn a_plan_rests_on_snapshots_of_every_cluster() {
    let folder = Folder::of(&[
        ("pod.yaml", &pod("shop.azurecr.io/web:1.0")),
        ("held/registry", "shop.azurecr.io\n"),
        ("held/taken", "2026-11-23T00:00:00Z\n"),
        (
            "held/soft-delete.json",
            r#"{"status": "disabled", "retentionDays": 7}"#,
        ),
    ]);
    let ran = maintenance(
        &folder,
        &[
            "cleanup",
            "pod.yaml",
            "--registry",
            "held",
            "--unused-for",
            "0",
            "--format",
            "script",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .contains("az acr config soft-delete show --registry \"$registry\""),
        "{}",
        ran.out
    );
    let ran = maintenance(&folder, &["cleanup", "pod.yaml", "--registry", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.failure()
            .contains("`nowhere` does not say what a registry holds")
    );
    // A document that cannot be read may use an image.
    folder.write("broken.yaml", "apiVersion: v1\nkind: [\n");
    let ran = maintenance(
        &folder,
        &[
            "cleanup",
            "pod.yaml",
            "broken.yaml",
            "--registry",
            "held",
            "--unused-for",
            "0",
        ],
    );
    assert_eq!(ran.code, 4);
    assert!(
        ran.err.contains("no plan: `broken.yaml` could not be read"),
        "{}",
        ran.err
    );
}
