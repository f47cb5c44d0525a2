//! What public tools push: skopeo brings images of several platforms into the registry, and moves a tag.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use oracle::part;
use serde_json::{Value, json};

use super::keys::Signer;
use super::{Shop, findings, outcomes};
use crate::run::text;

/// An OCI image layout with an index of two platforms.
fn layout(folder: &Path, user: &str) {
    let blob = |bytes: &[u8]| -> (String, usize) {
        let digest = oracle::digest(bytes);
        let path = folder.join("blobs/sha256");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(digest.strip_prefix("sha256:").unwrap()), bytes).unwrap();
        (digest, bytes.len())
    };
    let described = |kind: &str, (digest, size): (String, usize)| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": size});
    let manifests: Vec<Value> = ["amd64", "arm64"]
        .iter()
        .map(|architecture| {
            let config = json!({
                "os": "linux", "architecture": architecture, "created": "2026-11-20T00:00:00Z",
                "config": {"User": user, "Entrypoint": ["/web"]}, "rootfs": {"type": "layers", "diff_ids": []}, "history": [],
            });
            let config = described("config.v1+json", blob(config.to_string().as_bytes()));
            let manifest = json!({
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [],
            });
            let mut entry = described("manifest.v1+json", blob(manifest.to_string().as_bytes()));
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entry
        })
        .collect();
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests,
    });
    let mut top = described("index.v1+json", blob(index.to_string().as_bytes()));
    top["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
    let top = json!({"schemaVersion": 2, "manifests": [top]});
    fs::write(folder.join("index.json"), top.to_string()).unwrap();
    fs::write(
        folder.join("oci-layout"),
        json!({"imageLayoutVersion": "1.0.0"}).to_string(),
    )
    .unwrap();
}

impl Shop {
    fn skopeo(&self, args: &[&str]) -> String {
        let output = Command::new(part("skopeo").unwrap())
            .args(args)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {err}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has skopeo push an image of two platforms, and asks it what its digest is.
    fn copied(&self, repository: &str, user: &str) -> String {
        let from = format!("layout-{repository}-{user}");
        layout(&self.folder.path().join(&from), user);
        let to = format!("docker://{}:1", self.name(repository));
        let from = format!("oci:{from}:1");
        self.skopeo(&[
            "--insecure-policy",
            "copy",
            "--all",
            "--dest-tls-verify=false",
            &from,
            &to,
        ]);
        let raw = self.skopeo(&["inspect", "--raw", "--tls-verify=false", &to]);
        oracle::digest(raw.as_bytes())
    }
}

#[test]
fn what_skopeo_pushes_and_notation_signs_gets_the_verdict_that_notation_gives() {
    let mut shop = Shop::new();
    let acme = Signer::new(shop.folder.path(), "acme", "prime256v1");
    let eve = Signer::new(shop.folder.path(), "eve", "prime256v1");
    shop.trust(&acme, "strict");
    let names = ["both", "expired", "moved", "signed", "stranger", "unsigned"];
    let mut digests = BTreeMap::new();
    let mut deployed = Vec::new();
    for repository in names {
        let digest = shop.copied(repository, "1000");
        match repository {
            "signed" | "moved" => shop.sign(repository, &digest, &acme, "cose", 0),
            "expired" => shop.sign(repository, &digest, &acme, "jws", 1),
            "stranger" => shop.sign(repository, &digest, &eve, "jws", 0),
            "both" => {
                shop.sign(repository, &digest, &eve, "jws", 0);
                shop.sign(repository, &digest, &acme, "jws", 0);
            }
            _ => {}
        }
        deployed.push(format!("{}:1@{digest}", shop.name(repository)));
        digests.insert(repository, digest);
    }
    // Somebody pushes another image under the same tag, which nobody signed.
    let other = shop.copied("moved", "0");
    // What ends in a second has ended.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    shop.deploy(&deployed);
    let images = shop.images(&["--notation", "notation"]);
    for repository in names {
        let seen = &images[repository];
        assert_eq!(seen["platforms"], json!(["linux/amd64", "linux/arm64"]));
        // What is written beside the tag runs, so its signatures count; where the tag leads to now is told.
        let digest = &digests[repository];
        let leads = if repository == "moved" {
            &other
        } else {
            digest
        };
        assert_eq!(text(&seen["digest"]), leads);
        let verified = outcomes(seen).contains(&"notation verified".to_owned());
        let notation = shop.notation_verifies(repository, digest);
        assert_eq!(verified, notation, "{seen:#}");
        let said = findings(seen);
        let unsigned = said.contains(&"img-signed fail".to_owned());
        assert_eq!(unsigned, !verified, "{said:?}");
        let moved = said.contains(&"img-tag-moved fail".to_owned());
        assert_eq!(moved, repository == "moved", "{said:?}");
    }
    let by_image = |repository: &str| outcomes(&images[repository]).join(", ");
    assert_eq!(by_image("expired"), "notation expired");
    assert_eq!(by_image("stranger"), "notation untrusted");
    assert_eq!(by_image("unsigned"), "");
}
