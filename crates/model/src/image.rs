//! Names of container images, taken apart as container runtimes do.

use std::fmt;

/// `HOST/REPOSITORY:TAG@DIGEST` (github.com/distribution/reference, `ParseNormalizedNamed`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The registry, with its port where it has one.
    pub host: Box<str>,
    /// The path within it.
    pub repository: Box<str>,
    /// The tag that is written.
    pub tag: Option<Box<str>>,
    /// The digest that is written.
    pub digest: Option<Box<str>>,
}

impl Reference {
    /// `None` where it is no name: empty, left open by a template, or malformed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.contains(|c: char| "{}$?#%\\".contains(c) || c.is_whitespace()) {
            return None;
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.into())),
            None => (text, None),
        };
        let (host, path) = match rest.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, path)
            }
            _ => (HUB, rest),
        };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.into())),
            None => (path, None),
        };
        let parts = path.split('/');
        if host.is_empty() || parts.clone().any(|part| part.is_empty() || part == "..") {
            return None;
        }
        let path = if host == HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        Some(Self {
            host: host.to_ascii_lowercase().into(),
            repository: path.into(),
            tag,
            digest,
        })
    }

    /// `HOST/REPOSITORY`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }

    /// `HOST/REPOSITORY:TAG`, without a digest.
    #[must_use]
    pub fn name_and_tag(&self) -> String {
        let tag = self.tag.as_deref().unwrap_or("latest");
        format!("{}/{}:{tag}", self.host, self.repository)
    }

    /// The tag that is meant where none is written, and no digest either.
    #[must_use]
    pub fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, Some(_)) => None,
            (None, None) => Some("latest"),
        }
    }
}

/// The registry of names without one.
const HUB: &str = "docker.io";

/// The whole name: two ways to write an image are the same text.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = self.tag_or_latest() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn names_are_written_whole() {
        let whole = |text: &str| Reference::read(text).map(|image| image.to_string());
        for (text, wanted) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
            ("shop.azurecr.io/a/b:1", "shop.azurecr.io/a/b:1"),
            ("Localhost:5000/a", "localhost:5000/a:latest"),
            ("localhost/a", "localhost/a:latest"),
            ("a.io/b:1@sha256:0", "a.io/b:1@sha256:0"),
            ("a.io/b@sha256:0", "a.io/b@sha256:0"),
        ] {
            assert_eq!(whole(text).as_deref(), Some(wanted), "{text}");
            assert_eq!(whole(wanted).as_deref(), Some(wanted), "{text}");
        }
        for none in ["", "{image}", "a b", "a.io/../b", "a.io/", "a.io/b?x=y"] {
            assert_eq!(whole(none), None, "{none}");
        }
    }
}
