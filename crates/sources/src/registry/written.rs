//! What is found out about an image, as the object `Image.seawall.dev` that guidelines judge. What is not known is open,
//! and says why.

use std::collections::{BTreeMap, BTreeSet};

use images::attestation::Attestation;
use images::manifest::Config;
use images::scan::Vulnerability;
use images::{Outcome, Signature};
use model::image::Reference;
use model::kept::{Kept, MARK};
use model::kinds::Kind;
use model::resource::ResourceName;
use serde_json::{Map, Value, json};

/// Known, or why not, as a clause.
pub(super) type Known<T> = Result<T, String>;

/// What is known of an image.
pub(super) struct Facts {
    pub(super) reference: Reference,
    /// What runs of it in a live cluster, by digest.
    pub(super) running: BTreeSet<String>,
    /// Workloads that name it: `shop/Deployment/web`.
    pub(super) used_by: BTreeSet<String>,
    pub(super) now: String,
    /// Whether its registry was asked.
    pub(super) asked: bool,
    /// Whether it is there.
    pub(super) exists: Known<bool>,
    /// What the tag leads to; without a tag what is written.
    pub(super) digest: Known<String>,
    /// Whether the tag leads elsewhere than to what is written or runs.
    pub(super) moved: Known<bool>,
    pub(super) content: Known<Content>,
    pub(super) signatures: Known<Vec<Signature>>,
    pub(super) attestations: Known<Vec<Attestation>>,
    /// Where layers were asked for: paths of programs by what they are.
    pub(super) files: Option<Known<BTreeMap<&'static str, BTreeSet<String>>>>,
    /// Where results of scanners were given: tools that scanned it, with the moments; and what they found.
    pub(super) scans: super::Scanned,
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

/// What is in it.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) platforms: Vec<String>,
    pub(super) size: u64,
    pub(super) layers: usize,
    pub(super) config: Config,
    /// What it was built on: its name and digest, as it says, and whether that is still so.
    pub(super) base: Option<(String, Option<String>, Known<bool>)>,
}

/// The kind.
pub(super) fn kind() -> Kind {
    Kind::Kubernetes {
        group: "seawall.dev".into(),
        kind: "Image".into(),
    }
}

/// A value that is not known.
fn open(why: &str) -> Value {
    json!({ MARK: "open", "text": why })
}

fn known<T>(value: &Known<T>, write: impl Fn(&T) -> Value) -> Value {
    match value {
        Ok(value) => write(value),
        Err(why) => open(why),
    }
}

impl Facts {
    /// As a resource.
    pub(super) fn kept(&self) -> Kept {
        let name = self.reference.to_string();
        let json = self.object(&name).to_string();
        let lines = vec![1; model::kept::lines_of(&json)];
        Kept {
            name: ResourceName {
                kind: kind(),
                api_version: "seawall.dev/v1".into(),
                namespace: None,
                name: name.as_str().into(),
            },
            path: name.as_str().into(),
            index: 0,
            entry: Some((name.as_str().into(), 1)),
            live: true,
            rendered_by: None,
            azure: None,
            json,
            lines,
            files: Vec::new(),
            through: 0,
            cases: Vec::new(),
            certificates: None,
            waivers: Vec::new(),
        }
    }

    fn object(&self, name: &str) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| {
            object.insert(key.to_owned(), value);
        };
        put("apiVersion", "seawall.dev/v1".into());
        put("kind", "Image".into());
        put("metadata", json!({ "name": name }));
        put("takenAt", self.now.as_str().into());
        put("registry", Value::from(&*self.reference.host));
        put("repository", Value::from(&*self.reference.repository));
        if let Some(tag) = self.reference.tag_or_latest() {
            put("tag", tag.into());
        }
        if let Some(digest) = &self.reference.digest {
            put("pinned", Value::from(&**digest));
        }
        put("running", texts(&self.running));
        put("usedBy", texts(&self.used_by));
        if self.asked {
            self.put_asked(&mut put);
        }
        if let Some(files) = &self.files {
            put(
                "files",
                known(files, |files| {
                    let files = files.iter();
                    Value::Object(
                        files
                            .map(|(key, names)| ((*key).to_owned(), texts(names)))
                            .collect(),
                    )
                }),
            );
        }
        if let Some(scans) = &self.scans {
            put(
                "scans",
                known(scans, |scans| {
                    let scans = scans.iter();
                    scans
                        .map(|(tool, at)| json!({"tool": tool, "at": at}))
                        .collect()
                }),
            );
            put(
                "vulnerabilities",
                known(scans, |_| {
                    self.vulnerabilities.iter().map(vulnerability).collect()
                }),
            );
        }
        Value::Object(object)
    }

    /// What registries say; where they were not asked there is nothing of it.
    fn put_asked(&self, put: &mut impl FnMut(&str, Value)) {
        put("found", known(&self.exists, |exists| (*exists).into()));
        put(
            "digest",
            known(&self.digest, |digest| digest.as_str().into()),
        );
        put("moved", known(&self.moved, |moved| (*moved).into()));
        self.put_content(put);
        let signatures = known(&self.signatures, |all| all.iter().map(signature).collect());
        put("signatures", signatures);
        let attestations = known(&self.attestations, |all| {
            all.iter().map(attestation).collect()
        });
        put("attestations", attestations);
    }

    fn put_content(&self, put: &mut impl FnMut(&str, Value)) {
        let content = match &self.content {
            Ok(content) => content,
            Err(why) => {
                for key in ["platforms", "size", "layers", "created", "config", "base"] {
                    put(key, open(why));
                }
                return;
            }
        };
        let config = &content.config;
        put(
            "platforms",
            content.platforms.iter().map(String::as_str).collect(),
        );
        put("size", content.size.into());
        put("layers", content.layers.into());
        if let Some(created) = &config.created {
            put("created", created.as_str().into());
        }
        put(
            "config",
            json!({
                "platform": config.platform.shown(),
                "user": config.user,
                "entrypoint": config.entrypoint,
                "command": config.command,
                "ports": config.ports,
            }),
        );
        if let Some((name, digest, current)) = &content.base {
            let mut base = Map::new();
            base.insert("name".to_owned(), name.as_str().into());
            // Without a digest nobody ever knows whether it is the same.
            if let Some(digest) = digest {
                base.insert("digest".to_owned(), digest.as_str().into());
                let current = known(current, |current| (*current).into());
                base.insert("current".to_owned(), current);
            }
            put("base", Value::Object(base));
        }
    }
}

fn texts(all: &BTreeSet<String>) -> Value {
    all.iter().map(String::as_str).collect()
}

fn signature(one: &Signature) -> Value {
    let mut value = json!({ "kind": one.kind, "signer": one.signer, "why": one.why });
    put_outcome(&mut value, one.outcome, &one.why);
    value
}

/// An outcome that nobody knows is open: a check that hangs on it is unknown.
fn put_outcome(value: &mut Value, outcome: Outcome, why: &str) {
    let outcome = match outcome {
        Outcome::Unknown => open(why),
        known => known.word().into(),
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("outcome".to_owned(), outcome);
    }
}

fn attestation(one: &Attestation) -> Value {
    use images::attestation::About;
    let about = match one.about {
        About::Provenance => "provenance",
        About::Bom => "bom",
        About::Signature => "signature",
        About::Other => "other",
    };
    let mut value = json!({
        "about": about,
        "predicate": one.predicate,
        "signer": one.signer,
        "why": one.why,
    });
    if let Some(builder) = &one.builder
        && let Some(object) = value.as_object_mut()
    {
        object.insert("builder".to_owned(), builder.as_str().into());
    }
    match one.outcome {
        Some(outcome) => put_outcome(&mut value, outcome, &one.why),
        None => {
            if let Some(object) = value.as_object_mut() {
                object.insert("outcome".to_owned(), "unsigned".into());
            }
        }
    }
    value
}

fn vulnerability(one: &Vulnerability) -> Value {
    let mut value = json!({
        "id": one.id,
        "severity": one.severity.word(),
        "package": one.package,
        "installed": one.installed,
        "fixed": one.fixed,
    });
    if let Some(object) = value.as_object_mut() {
        for (key, text) in [("published", &one.published), ("excused", &one.excused)] {
            if let Some(text) = text {
                object.insert(key.to_owned(), text.as_str().into());
            }
        }
    }
    value
}
