//! What a registry holds, as the files of a folder say it (those that the scripts of `seawall maintenance cleanup` write).
//!
//! ```text
//! registry             shop.azurecr.io
//! taken                2026-11-27T10:00:00Z
//! soft-delete.json     what `az acr config soft-delete show` prints
//! repositories/N/name             team/web
//!               /metadata.json    what `az acr manifest list-metadata` prints, or
//!               /tags             TAG DIGEST, a line each
//!               /repository.json  what `az acr repository show` prints
//!               /manifests/DIGEST.json, /configs/DIGEST.json
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a registry holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// `shop.azurecr.io`, in small letters.
    pub registry: String,
    /// When it was listed (RFC 3339).
    pub taken_at: String,
    /// Whether what is removed can be brought back; `None`: nobody knows.
    pub soft_delete: Option<SoftDelete>,
    /// In the order of their names.
    pub repositories: Vec<Repository>,
}

/// Whether a registry keeps what is removed for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoftDelete {
    /// Whether it does.
    pub enabled: bool,
    /// For so many days.
    pub days: u32,
}

/// A repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// `team/web`
    pub name: String,
    /// It is locked against deletion or writing as a whole.
    pub locked: bool,
    /// Tagged or not.
    pub manifests: Vec<Manifest>,
}

/// A manifest: of an image, an index, a signature, an attestation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:…`
    pub digest: String,
    /// Its media type.
    pub kind: String,
    /// What an artifact is of, where it says so: `application/vnd.cncf.notary.signature`.
    pub artifact: Option<String>,
    /// Tags that lead to it.
    pub tags: Vec<String>,
    /// When it or its tags were last changed, in seconds since 1970; `None`: nobody knows.
    pub updated: Option<i64>,
    /// It is locked against deletion or writing.
    pub locked: bool,
    /// Bytes.
    pub size: Option<u64>,
    /// The manifests that an index holds.
    pub parts: Vec<String>,
    /// What it signs or attests.
    pub subject: Option<String>,
    /// Why its content, and so what it refers to, is not known.
    pub unread: Option<String>,
}

impl Manifest {
    /// The digests that it refers to.
    pub(super) fn points_to(&self) -> Vec<String> {
        let mut targets = self.parts.clone();
        targets.extend(self.subject.clone());
        targets.extend(self.tags.iter().filter_map(|tag| signed_by_tag(tag)));
        targets
    }
}

/// What a tag in cosign's form (`sha256-….sig`) or of the referrers' fallback (`sha256-…`) refers to:
/// <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery>,
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>, seen 2026-11-27.
fn signed_by_tag(tag: &str) -> Option<String> {
    let (algorithm, rest) = tag.split_once('-')?;
    let hex = rest.split('.').next()?;
    let is_digest =
        algorithm == "sha256" && hex.len() == 64 || algorithm == "sha512" && hex.len() == 128;
    (is_digest && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| format!("{algorithm}:{}", hex.to_ascii_lowercase()))
}

/// The files of a folder: path and text.
pub type Files = BTreeMap<String, String>;

impl Listing {
    /// Reads the files of a folder.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn read(files: &Files) -> Result<Self, String> {
        let line = |name: &str| {
            let text = files.get(name).map(|text| text.trim().to_owned());
            text.ok_or_else(|| format!("`{name}` is missing"))
        };
        let mut listing = Self {
            registry: line("registry")?.to_ascii_lowercase(),
            taken_at: line("taken")?,
            soft_delete: match files.get("soft-delete.json") {
                Some(text) => soft_delete(&json(text, "soft-delete.json")?),
                None => None,
            },
            repositories: Vec::new(),
        };
        let names = files.keys().filter_map(|path| path.strip_suffix("/name"));
        for place in names {
            listing.repositories.push(repository(files, place)?);
        }
        listing.repositories.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }
}

fn json(text: &str, name: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{name}` is no JSON ({error})"))
}

fn soft_delete(value: &Value) -> Option<SoftDelete> {
    Some(SoftDelete {
        enabled: value
            .get("status")?
            .as_str()?
            .eq_ignore_ascii_case("enabled"),
        days: u32::try_from(value.get("retentionDays")?.as_u64()?).ok()?,
    })
}

fn repository(files: &Files, place: &str) -> Result<Repository, String> {
    let file = |name: &str| files.get(&format!("{place}/{name}"));
    let name = file("name").map(|text| text.trim().to_owned());
    let mut known: BTreeMap<String, Manifest> = BTreeMap::new();
    if let Some(text) = file("metadata.json") {
        let value = json(text, &format!("{place}/metadata.json"))?;
        let items = value.as_array().ok_or("`metadata.json` must be a list")?;
        for item in items {
            let manifest = of_metadata(item)?;
            known.insert(manifest.digest.clone(), manifest);
        }
    }
    for line in file("tags").into_iter().flat_map(|text| text.lines()) {
        let (tag, digest) = line
            .split_once(' ')
            .ok_or_else(|| format!("`{place}/tags` has the line `{line}`"))?;
        entry(&mut known, digest.trim()).tags.push(tag.to_owned());
    }
    // What an index holds is there as well, though no tag leads to it.
    let folder = format!("{place}/manifests/");
    for path in files.keys().filter_map(|path| path.strip_prefix(&folder)) {
        if let Some(digest) = path.strip_suffix(".json") {
            entry(&mut known, digest);
        }
    }
    for manifest in known.values_mut() {
        let digest = manifest.digest.clone();
        let text = file(&format!("manifests/{digest}.json"));
        match text.map(|text| serde_json::from_str::<Value>(text)) {
            Some(Ok(content)) => {
                let config = file(&format!("configs/{digest}.json"));
                fill(manifest, &content, config.map(String::as_str));
            }
            Some(Err(error)) => manifest.unread = Some(format!("no JSON: {error}")),
            None => manifest.unread = Some("the registry did not show it".to_owned()),
        }
        manifest.tags.sort();
    }
    let locked = match file("repository.json") {
        Some(text) => is_locked(&json(text, &format!("{place}/repository.json"))?),
        None => false,
    };
    Ok(Repository {
        name: name.unwrap_or_default(),
        locked,
        manifests: known.into_values().collect(),
    })
}

fn entry<'k>(known: &'k mut BTreeMap<String, Manifest>, digest: &str) -> &'k mut Manifest {
    known.entry(digest.to_owned()).or_insert_with(|| Manifest {
        digest: digest.to_owned(),
        ..Manifest::default()
    })
}

/// An item of what ACR lists, which knows also manifests without a tag.
fn of_metadata(item: &Value) -> Result<Manifest, String> {
    let tags = item.get("tags").and_then(Value::as_array);
    let tags = tags.into_iter().flatten().filter_map(Value::as_str);
    Ok(Manifest {
        digest: text_of(item, "digest").ok_or("a manifest without `digest`")?,
        kind: text_of(item, "mediaType").unwrap_or_default(),
        tags: tags.map(str::to_owned).collect(),
        updated: text_of(item, "lastUpdateTime").and_then(|time| moment(&time)),
        locked: is_locked(item),
        size: item.get("imageSize").and_then(Value::as_u64),
        ..Manifest::default()
    })
}

/// A lock of ACR forbids to delete, or to overwrite:
/// <https://learn.microsoft.com/azure/container-registry/container-registry-image-lock>, seen 2026-11-27.
fn is_locked(item: &Value) -> bool {
    let allowed = |key: &str| {
        let own = item
            .get("changeableAttributes")
            .and_then(|own| own.get(key));
        own.and_then(Value::as_bool).unwrap_or(true)
    };
    !allowed("deleteEnabled") || !allowed("writeEnabled")
}

/// What the content of a manifest says.
fn fill(manifest: &mut Manifest, content: &Value, config: Option<&str>) {
    let list = |key: &str| {
        content
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let digests: BTreeSet<String> = list("manifests")
        .filter_map(|part| text_of(part, "digest"))
        .collect();
    manifest.parts = digests.into_iter().collect();
    manifest.subject = content
        .get("subject")
        .and_then(|own| text_of(own, "digest"));
    manifest.artifact = text_of(content, "artifactType");
    if let Some(kind) = text_of(content, "mediaType") {
        manifest.kind = kind;
    }
    let layers: u64 = list("layers")
        .filter_map(|layer| layer.get("size").and_then(Value::as_u64))
        .sum();
    if layers > 0 {
        manifest.size = manifest.size.or(Some(layers));
    }
    // Where the registry does not say when it got it, what was built says when that was.
    let annotated = content
        .get("annotations")
        .and_then(|own| text_of(own, "org.opencontainers.image.created"));
    let built = || {
        let config: Value = serde_json::from_str(config?).ok()?;
        text_of(&config, "created")
    };
    manifest.updated = manifest
        .updated
        .or_else(|| moment(&annotated.or_else(built)?));
}

/// A moment in RFC 3339, in seconds since 1970.
fn moment(text: &str) -> Option<i64> {
    cel::Timestamp::parse(text).map(|time| time.seconds)
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}
