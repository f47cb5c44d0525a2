//! Manifests, indexes and configurations of images: OCI's, and Docker's, which have the same shape
//! (<https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md>).

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The media types that are asked for.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Something that a registry keeps: its digest, type and size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// `application/…`
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// bytes
    pub size: u64,
    /// What kind of artifact it is, in lists of what refers to an image.
    pub artifact_type: Option<String>,
    /// Free texts.
    pub annotations: BTreeMap<String, String>,
    /// Which machines it is for, in an index.
    pub platform: Option<Platform>,
}

/// Which machines an image is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `amd64`
    pub architecture: String,
    /// `linux`
    pub os: String,
    /// `v8`
    pub variant: Option<String>,
}

impl Platform {
    /// `linux/arm64/v8`
    #[must_use]
    pub fn shown(&self) -> String {
        let variant = self.variant.iter().map(|variant| format!("/{variant}"));
        format!(
            "{}/{}{}",
            self.os,
            self.architecture,
            variant.collect::<String>()
        )
    }
}

/// What stands behind a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is read, none is kept"
)]
pub enum Manifest {
    /// Images for several platforms.
    Index(Vec<Descriptor>),
    /// An image.
    Image(Image),
}

/// An image, or another artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Image {
    /// What it runs as.
    pub config: Descriptor,
    /// Its files.
    pub layers: Vec<Descriptor>,
    /// What kind of artifact it is, where it is no image.
    pub artifact_type: Option<String>,
    /// What it is about, where it is about something.
    pub subject: Option<Descriptor>,
    /// Free texts.
    pub annotations: BTreeMap<String, String>,
}

impl Image {
    /// What kind of artifact it is: what it says, else the type of its configuration.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.artifact_type
            .as_deref()
            .filter(|kind| !kind.is_empty())
            .unwrap_or(&self.config.media_type)
    }

    /// Bytes that are pulled.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layers.iter().fold(self.config.size, |sum, layer| {
            sum.saturating_add(layer.size)
        })
    }
}

impl Manifest {
    /// From what a registry answers.
    ///
    /// # Errors
    /// When it is none, as a clause.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|_| "the manifest is no JSON".to_owned())?;
        if value.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
            return Err("the manifest is of Docker's first version, which is retired".to_owned());
        }
        let malformed = |error: serde_json::Error| format!("the manifest is malformed: {error}");
        if let Some(manifests) = value.get("manifests") {
            let list = Vec::deserialize(manifests).map_err(malformed)?;
            return Ok(Self::Index(list));
        }
        if value.get("layers").is_some() || value.get("config").is_some() {
            return Ok(Self::Image(Image::deserialize(value).map_err(malformed)?));
        }
        Err("the manifest is of a kind that nobody knows".to_owned())
    }
}

/// What an image runs as (<https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Which machines it is for.
    pub platform: Platform,
    /// When it was built, as it says.
    pub created: Option<String>,
    /// `USER`: a name or number, perhaps with a group; empty for root.
    pub user: String,
    /// `ENTRYPOINT`
    pub entrypoint: Vec<String>,
    /// `CMD`
    pub command: Vec<String>,
    /// `8080/tcp`
    pub ports: Vec<String>,
    /// Free texts.
    pub labels: BTreeMap<String, String>,
}

impl Config {
    /// From the blob; `None` when it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let object = value.as_object()?;
        let texts = |value: Option<&Value>| -> Vec<String> {
            let items = value.and_then(Value::as_array).into_iter().flatten();
            items
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let run = object.get("config");
        let of = |key: &str| run.and_then(|run| run.get(key));
        Some(Self {
            platform: Platform::deserialize(&value).unwrap_or_default(),
            created: object
                .get("created")
                .and_then(Value::as_str)
                .map(str::to_owned),
            user: of("User")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            entrypoint: texts(of("Entrypoint")),
            command: texts(of("Cmd")),
            ports: of("ExposedPorts")
                .and_then(Value::as_object)
                .map(|ports| ports.keys().cloned().collect())
                .unwrap_or_default(),
            labels: of("Labels")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_told_apart() {
        let index = br#"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:0","size":3,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#;
        let Ok(Manifest::Index(list)) = Manifest::read(index) else {
            panic!("an index");
        };
        assert_eq!(list[0].platform.as_ref().unwrap().shown(), "linux/arm64/v8");
        let image = br#"{"schemaVersion":2,"config":{"mediaType":"c","digest":"sha256:1","size":2},"layers":[{"mediaType":"l","digest":"sha256:2","size":5}]}"#;
        let Ok(Manifest::Image(image)) = Manifest::read(image) else {
            panic!("an image");
        };
        assert_eq!((image.kind(), image.size()), ("c", 7));
        for bad in [
            &b"<html>"[..],
            b"[]",
            b"{\"schemaVersion\":1}",
            b"{\"schemaVersion\":2}",
            b"{\"schemaVersion\":2,\"layers\":3}",
        ] {
            assert!(Manifest::read(bad).is_err());
        }
    }

    #[test]
    fn a_configuration_says_what_runs() {
        let config = Config::read(
            br#"{"os":"linux","architecture":"amd64","created":"2026-01-02T03:04:05Z","config":{"User":"1000","Entrypoint":["/web"],"ExposedPorts":{"8080/tcp":{}},"Labels":{"a":"b"}}}"#,
        )
        .unwrap();
        assert_eq!(config.platform.shown(), "linux/amd64");
        assert_eq!(config.user, "1000");
        assert_eq!(config.entrypoint, ["/web"]);
        assert_eq!(config.ports, ["8080/tcp"]);
        assert_eq!(Config::read(b"{}").unwrap().user, "");
        assert_eq!(Config::read(b"[]"), None);
    }
}
