//! Signatures without keys, as cosign leaves them in a registry, by a Sigstore of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oracle::sigstore::{
    LOGGED, Leaf, Signer, Sigstore, annotations, bundle, dsse, hashedrekord, pae, simple, statement,
};
use serde_json::{Value, json};

use super::{Shop, findings, outcomes};
use crate::run::text;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const DEV: &str = "https://accounts.example.com=dev@example.com";

/// A bundle about an image.
fn signed(store: &Sigstore, by: &Signer, digest: &str) -> Value {
    let payload = statement(digest);
    let signature = by.sign(pae(&payload).as_bytes());
    let entry = store.entry(&dsse(payload.as_bytes(), &signature, by), LOGGED);
    bundle(by, &payload, &signature, &entry)
}

impl Shop {
    fn manifest_of(&self, repository: &str, layer: &[u8], mut described: Value) -> Value {
        let config = self.registry.blob(repository, b"{}").unwrap();
        described["digest"] = self.registry.blob(repository, layer).unwrap().into();
        described["size"] = layer.len().into();
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
            "layers": [described],
        })
    }

    /// A bundle that refers to an image, under the tag that stands in for referrers.
    fn refer(&self, repository: &str, digest: &str, bundle: &Value) {
        let layer = bundle.to_string();
        let mut manifest =
            self.manifest_of(repository, layer.as_bytes(), json!({"mediaType": BUNDLE}));
        manifest["artifactType"] = BUNDLE.into();
        manifest["subject"] = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1,
        });
        let put = self.registry.manifest(repository, "", &manifest).unwrap();
        let list = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": put,
                "size": manifest.to_string().len(), "artifactType": BUNDLE,
            }],
        });
        let tag = digest.replace(':', "-");
        self.registry.manifest(repository, &tag, &list).unwrap();
    }

    /// A layer under a tag of cosign's.
    fn tag(&self, repository: &str, digest: &str, of: &str, layer: &str, described: Value) {
        let manifest = self.manifest_of(repository, layer.as_bytes(), described);
        let tag = format!("{}.{of}", digest.replace(':', "-"));
        self.registry.manifest(repository, &tag, &manifest).unwrap();
    }
}

#[test]
fn signatures_without_keys_are_checked_by_a_trusted_root() {
    let shop = Shop::new();
    let store = Sigstore::default();
    let dev = store.certify(&Leaf::default());
    let eve = store.certify(&Leaf {
        name: "eve@example.com",
        ..Leaf::default()
    });
    let mut names = Vec::new();
    for repository in [
        "attested", "bundle", "forged", "layer", "manifest", "stolen", "stranger", "untimed",
    ] {
        let config = json!({
            "os": "linux", "architecture": "amd64", "created": "2026-11-20T00:00:00Z",
            "config": {"User": "1000", "Labels": {"of": repository}},
        });
        let manifest = shop
            .registry
            .image(repository, "1", &config, &[b"layer"])
            .unwrap()
            .to_string();
        let digest = &oracle::digest(manifest.as_bytes());
        names.push(format!("{}:1", shop.name(repository)));
        let layer = |all: Value| json!({"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "annotations": all});
        let payload = simple(digest);
        let signature = dev.sign(payload.as_bytes());
        let body = hashedrekord(payload.as_bytes(), &signature, &dev);
        let mut annotated = annotations(&dev, &signature, &store.entry(&body, LOGGED));
        match repository {
            "layer" => shop.tag(repository, digest, "sig", &payload, layer(annotated)),
            "untimed" => {
                annotated
                    .as_object_mut()
                    .unwrap()
                    .remove("dev.sigstore.cosign/bundle");
                shop.tag(repository, digest, "sig", &payload, layer(annotated));
            }
            "bundle" => shop.refer(repository, digest, &signed(&store, &dev, digest)),
            "stranger" => shop.refer(repository, digest, &signed(&store, &eve, digest)),
            "forged" => {
                let own = Sigstore::default();
                let by = own.certify(&Leaf::default());
                shop.refer(repository, digest, &signed(&own, &by, digest));
            }
            "stolen" => {
                let other = format!("sha256:{}", "0".repeat(64));
                shop.refer(repository, digest, &signed(&store, &dev, &other));
            }
            "manifest" => {
                let signature = dev.sign(manifest.as_bytes());
                let body = hashedrekord(manifest.as_bytes(), &signature, &dev);
                let mut whole = bundle(&dev, "", b"", &store.entry(&body, LOGGED));
                whole.as_object_mut().unwrap().remove("dsseEnvelope");
                let hash: Vec<u8> = (7..digest.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap())
                    .collect();
                whole["messageSignature"] = json!({
                    "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(hash)},
                    "signature": STANDARD.encode(signature),
                });
                shop.refer(repository, digest, &whole);
            }
            // What `cosign attest` leaves: an envelope whose layer tells of the certificate and the log.
            _ => {
                let payload = statement(digest).replace(
                    "https://sigstore.dev/cosign/sign/v1",
                    "https://slsa.dev/provenance/v1",
                );
                let signature = dev.sign(pae(&payload).as_bytes());
                let body = dsse(payload.as_bytes(), &signature, &dev);
                let mut all = annotations(&dev, b"", &store.entry(&body, LOGGED));
                all["dev.cosignproject.cosign/signature"] = "".into();
                let envelope =
                    bundle(&dev, &payload, &signature, &json!({}))["dsseEnvelope"].clone();
                let described = json!({"mediaType": "application/vnd.dsse.envelope.v1+json", "annotations": all});
                shop.tag(repository, digest, "att", &envelope.to_string(), described);
            }
        }
    }
    shop.deploy(&names);
    shop.folder
        .write("trusted_root.json", store.root().to_string());
    let images = shop.images(&[
        "--cosign-trusted-root",
        "trusted_root.json",
        "--cosign-identity",
        DEV,
    ]);
    for (repository, wanted) in [
        ("attested", ""),
        ("bundle", "cosign verified"),
        ("forged", "cosign untrusted"),
        ("layer", "cosign verified"),
        ("manifest", "cosign verified"),
        ("stolen", ""),
        ("stranger", "cosign untrusted"),
        ("untimed", "cosign unknown"),
    ] {
        let seen = &images[repository];
        assert_eq!(outcomes(seen).join(", "), wanted, "{repository} {seen:#}");
        let verdict = match wanted {
            "cosign verified" => None,
            "cosign unknown" => Some("img-signed unknown"),
            _ => Some("img-signed fail"),
        };
        let said = findings(seen);
        let said = said.iter().find(|one| one.starts_with("img-signed "));
        assert_eq!(said.map(String::as_str), verdict, "{repository}");
    }
    let signer = &images["layer"]["signatures"][0]["signer"];
    assert_eq!(
        text(signer),
        "dev@example.com (https://accounts.example.com)"
    );
    let why = &images["stranger"]["signatures"][0]["why"];
    assert_eq!(text(why), "who signed is none of the trusted identities");
    let why = &images["untimed"]["signatures"][0]["why"];
    assert_eq!(text(why), "nothing beside it shows that it was logged");
    let attested = &images["attested"]["attestations"][0];
    assert_eq!(text(&attested["about"]), "provenance");
    assert_eq!(text(&attested["outcome"]), "verified", "{attested:#}");
    // By a pattern more are trusted, and without a word nobody is known.
    let images = shop.images(&[
        "--cosign-trusted-root",
        "trusted_root.json",
        "--cosign-identity-regexp",
        "^https://accounts\\.example\\.com$=@example\\.com$",
    ]);
    assert_eq!(outcomes(&images["stranger"]), ["cosign verified"]);
    assert_eq!(outcomes(&images["forged"]), ["cosign untrusted"]);
    let images = shop.images(&[]);
    assert_eq!(outcomes(&images["layer"]), ["cosign unknown"]);
    assert_eq!(outcomes(&images["bundle"]), ["cosign unknown"]);
}

#[test]
fn a_trusted_root_and_identities_belong_together() {
    let shop = Shop::new();
    shop.deploy(&[]);
    let root = Sigstore::default().root().to_string();
    shop.folder.write("trusted_root.json", root);
    shop.folder.write("other.json", "{}");
    for (args, said) in [
        (
            &["--cosign-trusted-root", "trusted_root.json"][..],
            "add `--cosign-identity",
        ),
        (&["--cosign-identity", DEV], "add `--cosign-trusted-root"),
        (
            &[
                "--cosign-trusted-root",
                "other.json",
                "--cosign-identity",
                DEV,
            ],
            "no trusted root of Sigstore",
        ),
        (
            &[
                "--cosign-trusted-root",
                "gone.json",
                "--cosign-identity",
                DEV,
            ],
            "cannot read `gone.json`",
        ),
        (
            &[
                "--cosign-trusted-root",
                "trusted_root.json",
                "--cosign-identity",
                "dev",
            ],
            "`dev` is no ISSUER=SUBJECT",
        ),
        (
            &[
                "--cosign-trusted-root",
                "trusted_root.json",
                "--cosign-identity-regexp",
                "(=a",
            ],
            "`(` is no regular expression",
        ),
        (
            &["--offline", "--cosign-identity", DEV],
            "`--cosign-identity` asks registries for nothing",
        ),
    ] {
        let ran = shop.run(args);
        assert_eq!(ran.code, 2, "{args:?} {}", ran.err);
        assert!(ran.err.contains(said), "{args:?} {}", ran.err);
    }
}
