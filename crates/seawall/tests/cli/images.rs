//! `images` against a real registry, with signatures that the Notary Project's library and openssl make.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use oracle::{Lines, Registry, part};
use serde_json::{Value, json};

use crate::run::{DAY, Folder, Ran, text};

#[path = "images/keyless.rs"]
mod keyless;
#[path = "images/keys.rs"]
mod keys;
#[path = "images/tools.rs"]
mod tools;

use keys::Signer;

/// Somebody's shop: a registry, and a folder with what is deployed.
struct Shop {
    registry: Registry,
    folder: Folder,
    notation: Lines,
}

impl Shop {
    fn new() -> Self {
        Self {
            registry: Registry::start().unwrap(),
            folder: Folder::new(),
            notation: Lines::spawn(part("oracle-notation").unwrap()).unwrap(),
        }
    }

    fn name(&self, repository: &str) -> String {
        format!("{}/{repository}", self.registry.address())
    }

    /// An image of its own, and its manifest's digest.
    fn push(&self, repository: &str, tag: &str, user: &str) -> String {
        let config = json!({
            "os": "linux", "architecture": "amd64", "created": "2026-11-20T00:00:00Z",
            "config": {"User": user, "Entrypoint": ["/web"], "Labels": {"of": repository, "tag": tag}},
        });
        let manifest = self
            .registry
            .image(repository, tag, &config, &[b"layer"])
            .unwrap();
        oracle::digest(manifest.to_string().as_bytes())
    }

    fn sign(&mut self, repository: &str, digest: &str, by: &Signer, format: &str, expiry: u32) {
        let signed = self
            .notation
            .ask(&json!({
                "do": "sign", "image": format!("{}@{digest}", self.name(repository)), "format": format,
                "key": by.path("leaf.key"), "chain": by.path("chain.crt"), "expiry": expiry,
            }))
            .unwrap();
        assert_eq!(signed["signed"], digest, "{signed}");
    }

    /// What Notation says of an image by the same policy.
    fn notation_verifies(&mut self, repository: &str, digest: &str) -> bool {
        let config = self.folder.path().join("notation");
        let said = self
            .notation
            .ask(&json!({
                "do": "verify", "image": format!("{}@{digest}", self.name(repository)),
                "config": config.to_str().unwrap(),
            }))
            .unwrap();
        said["verified"]
            .as_bool()
            .unwrap_or_else(|| panic!("{said}"))
    }

    /// Whom to trust: everybody whom an authority vouches for.
    fn trust(&self, by: &Signer, level: &str) {
        let policy = json!({"version": "1.0", "trustPolicies": [{
            "name": "all", "registryScopes": ["*"], "signatureVerification": {"level": level},
            "trustStores": ["ca:acme"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
        }]});
        self.folder
            .write("notation/trustpolicy.json", policy.to_string());
        let root = std::fs::read(by.path("root.crt")).unwrap();
        self.folder
            .write("notation/truststore/x509/ca/acme/root.crt", root);
    }

    /// A Deployment of each image.
    fn deploy(&self, images: &[String]) {
        let mut text = String::new();
        for (at, image) in images.iter().enumerate() {
            let _ = write!(
                text,
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{at}, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: d{at}}}}}\n  template:\n    metadata: {{labels: {{app: d{at}}}}}\n    spec:\n      containers:\n      - name: app\n        image: {image}\n---\n"
            );
        }
        self.folder.write("deploy/all.yaml", text);
    }

    fn run(&self, args: &[&str]) -> Ran {
        let all = [&["images", "deploy", "--as-of", DAY], args].concat();
        self.folder.run_with(&all, b"", OsString::new())
    }

    /// Images of the answer by their repository.
    fn images(&self, args: &[&str]) -> BTreeMap<String, Value> {
        let ran = self.run(&[args, &["--format", "json"]].concat()).json();
        let schema = crate::schemas::schema("images-v1.json");
        assert_eq!(crate::schemas::errors(&schema, &ran.value), [""; 0]);
        let begin = format!("{}/", self.registry.address());
        ran.list("/images")
            .iter()
            .map(|image| {
                let name = text(&image["name"]).strip_prefix(&begin).unwrap();
                let name = name.split([':', '@']).next().unwrap();
                (name.to_owned(), image.clone())
            })
            .collect()
    }
}

/// `kind outcome` of each signature.
fn outcomes(image: &Value) -> Vec<String> {
    let all = image["signatures"].as_array().unwrap();
    all.iter()
        .map(|one| format!("{} {}", text(&one["kind"]), text(&one["outcome"])))
        .collect()
}

/// `guideline verdict` of each finding.
fn findings(image: &Value) -> Vec<String> {
    let all = image["findings"].as_array().unwrap();
    all.iter()
        .map(|one| format!("{} {}", text(&one["guideline"]), text(&one["verdict"])))
        .collect()
}

#[test]
fn signatures_of_notation_get_the_verdict_that_notation_gives() {
    let mut shop = Shop::new();
    let acme = Signer::new(shop.folder.path(), "acme", "prime256v1");
    let large = Signer::new(shop.folder.path(), "large", "secp384r1");
    let rsa = Signer::new(shop.folder.path(), "rsa", "rsa");
    let eve = Signer::new(shop.folder.path(), "eve", "prime256v1");
    shop.trust(&acme, "strict");
    for (name, by) in [("large", &large), ("rsa", &rsa)] {
        let root = std::fs::read(by.path("root.crt")).unwrap();
        let file = format!("notation/truststore/x509/ca/acme/{name}.crt");
        shop.folder.write(&file, root);
    }
    let mut digests = BTreeMap::new();
    for (repository, by, format, expiry) in [
        ("jws", Some(&acme), "jws", 0),
        ("cose", Some(&acme), "cose", 3600),
        ("expired", Some(&acme), "jws", 1),
        ("stranger", Some(&eve), "cose", 0),
        // Of a trusted authority, and not of whom the policy names.
        ("other-p384", Some(&large), "jws", 0),
        ("other-rsa", Some(&rsa), "cose", 0),
        ("none", None, "", 0),
        ("stolen", None, "", 0),
        ("changed", None, "", 0),
    ] {
        let digest = shop.push(repository, "1", "1000");
        if let Some(by) = by {
            shop.sign(repository, &digest, by, format, expiry);
        }
        digests.insert(repository.to_owned(), digest);
    }
    stick(&shop, &acme, "stolen", &digests["stolen"], |envelope| {
        envelope
    });
    stick(
        &shop,
        &acme,
        "changed",
        &digests["changed"],
        |mut envelope| {
            // A byte of the signature, at the end of a COSE envelope.
            *envelope.last_mut().unwrap() ^= 1;
            envelope
        },
    );
    // What ends in a second has ended.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let names: Vec<String> = digests
        .keys()
        .map(|repository| format!("{}:1", shop.name(repository)))
        .collect();
    shop.deploy(&names);
    let images = shop.images(&["--notation", "notation"]);
    let said: Vec<(String, Vec<String>)> = images
        .iter()
        .map(|(name, image)| (name.clone(), outcomes(image)))
        .collect();
    let wanted = [
        ("changed", vec!["notation wrong"]),
        ("cose", vec!["notation verified"]),
        ("expired", vec!["notation expired"]),
        ("jws", vec!["notation verified"]),
        ("none", vec![]),
        ("other-p384", vec!["notation untrusted"]),
        ("other-rsa", vec!["notation untrusted"]),
        ("stolen", vec!["notation wrong"]),
        ("stranger", vec!["notation untrusted"]),
    ];
    let wanted: Vec<(String, Vec<String>)> = wanted
        .into_iter()
        .map(|(name, all)| {
            (
                name.to_owned(),
                all.into_iter().map(str::to_owned).collect(),
            )
        })
        .collect();
    assert_eq!(said, wanted);
    // The project's own verifier agrees, and the guideline follows.
    for (name, digest) in &digests {
        let own = outcomes(&images[name]) == ["notation verified"];
        assert_eq!(shop.notation_verifies(name, digest), own, "{name}");
        let fails = findings(&images[name]).contains(&"img-signed fail".to_owned());
        assert_eq!(fails, !own, "{name}");
    }
    // Without a word on whom to trust nobody knows.
    let images = shop.images(&[]);
    assert_eq!(outcomes(&images["jws"]), ["notation unknown"]);
    assert!(findings(&images["jws"]).contains(&"img-signed unknown".to_owned()));
    assert!(findings(&images["none"]).contains(&"img-signed fail".to_owned()));
}

/// Puts a signature of another image beside an image, as somebody would who may push.
fn stick(
    shop: &Shop,
    by: &Signer,
    repository: &str,
    digest: &str,
    change: impl Fn(Vec<u8>) -> Vec<u8>,
) {
    let mut own = Lines::spawn(part("oracle-notation").unwrap()).unwrap();
    // For `changed` a signature of the image itself, for `stolen` one of another.
    let of = if repository == "stolen" {
        shop.push("victim", "1", "1000")
    } else {
        digest.to_owned()
    };
    let from = if repository == "stolen" {
        "victim"
    } else {
        repository
    };
    let signed = own
        .ask(&json!({
            "do": "sign", "image": format!("{}@{of}", shop.name(from)), "format": "cose",
            "key": by.path("leaf.key"), "chain": by.path("chain.crt"), "expiry": 0,
        }))
        .unwrap();
    assert_eq!(signed["signed"], of, "{signed}");
    let get = |path: &str| {
        let url = format!("http://{}/v2/{from}/{path}", shop.registry.address());
        let mut answer = http(&url);
        let at = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        answer.split_off(at + 4)
    };
    let list: Value =
        serde_json::from_slice(&get(&format!("manifests/{}", of.replace(':', "-")))).unwrap();
    let manifest = text(&list["manifests"][0]["digest"]).to_owned();
    let mut manifest: Value =
        serde_json::from_slice(&get(&format!("manifests/{manifest}"))).unwrap();
    let envelope = change(get(&format!(
        "blobs/{}",
        text(&manifest["layers"][0]["digest"])
    )));
    let blob = shop.registry.blob(repository, &envelope).unwrap();
    shop.registry.blob(repository, b"{}").unwrap();
    manifest["layers"][0]["digest"] = blob.into();
    manifest["subject"]["digest"] = digest.into();
    let stuck = shop.registry.manifest(repository, "", &manifest).unwrap();
    let list = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": stuck,
            "size": manifest.to_string().len(), "artifactType": "application/vnd.cncf.notary.signature",
        }],
    });
    shop.registry
        .manifest(repository, &digest.replace(':', "-"), &list)
        .unwrap();
}

/// A plain GET.
fn http(url: &str) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let accept =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
    write!(
        stream,
        "GET /{path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn signatures_of_cosign_are_checked_by_keys() {
    let shop = Shop::new();
    let acme = Signer::new(shop.folder.path(), "acme", "prime256v1");
    let rsa = Signer::new(shop.folder.path(), "rsa", "rsa");
    let eve = Signer::new(shop.folder.path(), "eve", "prime256v1");
    let sign = |repository: &str, digest: &str, about: &str, by: &Signer| {
        use base64::Engine as _;
        let payload = json!({"critical": {
            "identity": {"docker-reference": ""}, "type": "cosign container image signature",
            "image": {"docker-manifest-digest": about},
        }, "optional": null})
        .to_string();
        let signature =
            base64::engine::general_purpose::STANDARD.encode(by.sign(payload.as_bytes()));
        let blob = shop.registry.blob(repository, payload.as_bytes()).unwrap();
        let config = shop.registry.blob(repository, b"{}").unwrap();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": blob,
                "size": payload.len(), "annotations": {"dev.cosignproject.cosign/signature": signature},
            }],
        });
        let tag = format!("{}.sig", digest.replace(':', "-"));
        shop.registry.manifest(repository, &tag, &manifest).unwrap();
    };
    let mut names = Vec::new();
    for (repository, by, own) in [
        ("good", &acme, true),
        ("rsa", &rsa, true),
        ("stranger", &eve, true),
        ("stolen", &acme, false),
    ] {
        let digest = shop.push(repository, "1", "1000");
        let about = if own {
            digest.clone()
        } else {
            format!("sha256:{}", "0".repeat(64))
        };
        sign(repository, &digest, &about, by);
        names.push(format!("{}:1", shop.name(repository)));
    }
    shop.deploy(&names);
    let keys = [acme.path("cosign.pub"), rsa.path("cosign.pub")];
    let images = shop.images(&["--cosign-key", &keys[0], "--cosign-key", &keys[1]]);
    assert_eq!(outcomes(&images["good"]), ["cosign verified"]);
    assert_eq!(outcomes(&images["rsa"]), ["cosign verified"]);
    assert_eq!(outcomes(&images["stranger"]), ["cosign untrusted"]);
    assert_eq!(outcomes(&images["stolen"]), ["cosign wrong"]);
}

#[test]
fn what_names_lead_to_is_found_out() {
    let shop = Shop::new();
    let first = shop.push("web", "1", "");
    let again = {
        let config = json!({"os": "linux", "architecture": "amd64", "created": "2026-09-01T00:00:00Z", "config": {"User": "1000"}});
        let manifest = shop
            .registry
            .image("web", "1", &config, &[b"other"])
            .unwrap();
        oracle::digest(manifest.to_string().as_bytes())
    };
    let amd = shop
        .registry
        .image(
            "many",
            "amd",
            &json!({"os": "linux", "architecture": "amd64", "config": {"User": "7"}}),
            &[b"a"],
        )
        .unwrap();
    let arm = shop
        .registry
        .image(
            "many",
            "arm",
            &json!({"os": "linux", "architecture": "arm64", "config": {"User": "8"}}),
            &[b"b"],
        )
        .unwrap();
    let entry = |manifest: &Value, architecture: &str| {
        let whole = manifest.to_string();
        json!({
            "mediaType": manifest["mediaType"], "digest": oracle::digest(whole.as_bytes()), "size": whole.len(),
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&amd, "amd64"), entry(&arm, "arm64")],
    });
    let index = shop.registry.manifest("many", "1", &index).unwrap();
    shop.deploy(&[
        format!("{}:1@{first}", shop.name("web")),
        format!("{}:1", shop.name("many")),
        format!("{}:1", shop.name("gone")),
    ]);
    let images = shop.images(&[]);
    // What is written runs; the tag was moved.
    assert_eq!(images["web"]["digest"], again);
    assert_eq!(images["web"]["user"], "");
    let said = findings(&images["web"]);
    assert!(said.contains(&"img-tag-moved fail".to_owned()), "{said:?}");
    assert!(
        said.contains(&"img-minimal-nonroot fail".to_owned()),
        "{said:?}"
    );
    assert_eq!(images["many"]["digest"], index);
    assert_eq!(
        images["many"]["platforms"],
        json!(["linux/amd64", "linux/arm64"])
    );
    assert_eq!(images["many"]["user"], "7");
    assert_eq!(findings(&images["gone"]), ["img-found fail"]);
    let arm = shop.images(&["--platform", "linux/arm64"]);
    assert_eq!(arm["many"]["user"], "8");
    // The same digest is written by a fix.
    let ran = shop.folder.run(&[
        "fix",
        "deploy",
        "--images",
        "--guideline",
        "img-digest",
        "--unsafe",
        "--write",
        "--as-of",
        DAY,
    ]);
    let text = std::fs::read_to_string(shop.folder.path().join("deploy/all.yaml")).unwrap();
    let pinned = format!("image: {}:1@{index}", shop.name("many"));
    assert!(text.contains(&pinned), "{text}\n{}\n{}", ran.out, ran.err);
}

/// What Trivy says of an image by its name.
fn trivy(name: &str, id: &str, severity: &str) -> String {
    json!({
        "SchemaVersion": 2, "ArtifactName": name, "ArtifactType": "container_image",
        "Results": [{"Target": "debian", "Vulnerabilities": [{
            "VulnerabilityID": id, "PkgName": "openssl", "InstalledVersion": "3.0.1", "FixedVersion": "3.0.2",
            "Severity": severity, "PublishedDate": "2026-10-01T00:00:00Z",
        }]}],
    })
    .to_string()
}

#[test]
fn what_is_bad_and_reachable_comes_first() {
    let folder = Folder::new();
    let name = |image: &str| format!("shop.azurecr.io/{image}:1");
    let mut deployed = String::new();
    for image in ["calm", "excused", "hidden", "open", "unscanned"] {
        let _ = write!(
            deployed,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {image}, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: {image}}}}}\n  template:\n    metadata: {{labels: {{app: {image}}}}}\n    spec:\n      securityContext: {{runAsUser: 0}}\n      containers: [{{name: app, image: \"{}\", ports: [{{containerPort: 8080}}]}}]\n---\n",
            name(image)
        );
    }
    deployed += "apiVersion: v1\nkind: Service\nmetadata: {name: open, namespace: shop}\nspec:\n  type: LoadBalancer\n  selector: {app: open}\n  ports: [{port: 80, targetPort: 8080}]\n";
    folder.write("all.yaml", deployed);
    folder.write("calm.json", trivy(&name("calm"), "CVE-2026-1", "LOW"));
    folder.write(
        "excused.json",
        trivy(&name("excused"), "CVE-2026-2", "CRITICAL"),
    );
    folder.write(
        "hidden.json",
        trivy(&name("hidden"), "CVE-2026-3", "CRITICAL"),
    );
    folder.write("open.json", trivy(&name("open"), "CVE-2026-3", "CRITICAL"));
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [{
            "vulnerability": {"name": "CVE-2026-2"}, "status": "not_affected",
            "products": [{"@id": "pkg:oci/excused?repository_url=shop.azurecr.io/excused"}],
            "justification": "vulnerable_code_not_in_execute_path",
        }],
    });
    folder.write("vex.json", vex.to_string());
    let scans = [
        "calm.json",
        "excused.json",
        "hidden.json",
        "open.json",
        "vex.json",
    ];
    let scans = scans.iter().flat_map(|file| ["--scan", file]);
    let args: Vec<&str> = ["images", "all.yaml", "--whole", "--offline", "--as-of", DAY]
        .into_iter()
        .chain(scans)
        .collect();
    let json = folder
        .run(&[&args, &["--format", "json"][..]].concat())
        .json();
    assert_eq!(json.code, 1);
    let images = json.list("/images");
    let order: Vec<&str> = images.iter().map(|image| text(&image["name"])).collect();
    assert_eq!(order[..2], [&name("open"), &name("hidden")]);
    assert_eq!(images[0]["exposed"], true);
    assert_eq!(images[0]["root"], true);
    assert_eq!(images[1]["exposed"], false);
    let of = |wanted: &str| {
        let found = images
            .iter()
            .find(|image| text(&image["name"]) == name(wanted));
        found.unwrap().clone()
    };
    let critical = "img-critical-open fail".to_owned();
    assert!(findings(&of("open")).contains(&critical));
    assert_eq!(of("excused")["vulnerabilities"]["excused"], 1);
    assert!(!findings(&of("excused")).contains(&critical));
    assert!(!findings(&of("calm")).contains(&critical));
    // Nobody scanned it: that is told, not passed.
    let said = findings(&of("unscanned"));
    assert!(
        said.contains(&"img-critical-open unknown".to_owned()),
        "{said:?}"
    );
    let page = folder.run(&args);
    assert!(page.out.starts_with(&name("open")), "{}", page.out);
    assert!(
        page.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        page.out
    );
}

#[test]
fn what_is_asked_of_nobody_is_wrong_use() {
    let folder = Folder::of(&[(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    )]);
    let ran = folder.run(&["assess", "a.yaml", "--layers"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("add `--images`"), "{}", ran.err);
    let ran = folder.run(&["images", "a.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let ran = folder.run(&["images", "a.yaml", "--cosign-key", "a.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("no public key"), "{}", ran.err);
}
