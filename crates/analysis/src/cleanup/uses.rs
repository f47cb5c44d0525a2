//! What of a registry an estate uses: every text that names it.

use std::collections::BTreeMap;

use cel::{Node as _, View};
use model::{Estate, Resource};

use super::Manifest;

/// What an estate names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// `HOST/REPOSITORY:TAG`, and who says it.
    tags: BTreeMap<String, String>,
    /// Digests, wherever they stand: a node reports an image under any repository that it once pulled it from.
    digests: BTreeMap<String, String>,
    /// `HOST/REPOSITORY` as a whole: named without a tag where a tag may stand beside.
    repositories: BTreeMap<String, String>,
    /// Names of which the end is open.
    beginnings: BTreeMap<String, String>,
    /// Names of which nothing is known.
    anything: Option<String>,
}

/// Characters of names, tags and digests.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/:@+".contains(c)
}

impl Uses {
    /// Notes everything that an estate names.
    pub fn add(&mut self, estate: &Estate) {
        for resource in estate.resources() {
            self.add_resource(resource);
        }
    }

    /// Notes everything that a resource names.
    pub fn add_resource(&mut self, resource: &Resource) {
        let who = resource.name.id();
        let mut rest = vec![(resource.object(), "")];
        while let Some((value, key)) = rest.pop() {
            if value.is_map() {
                rest.extend(value.entries().map(|(key, _, value)| (value, key)));
                continue;
            }
            if value.is_list() {
                rest.extend(value.items().map(|value| (value, key)));
                continue;
            }
            match value.view() {
                View::Str(text) => self.add_text(text, key == "image", &who),
                View::Unknown(_) => match value.open_shown() {
                    Some(text) => self.add_open(text, key == "image", &who),
                    None if key == "image" => self.anything = Some(who.clone()),
                    None => {}
                },
                _ => {}
            }
        }
    }

    /// Notes what a text names; of an image the text is the name.
    pub fn add_text(&mut self, text: &str, image: bool, who: &str) {
        for word in text.split(|c: char| !is_part(c)) {
            self.add_word(word, image, who);
        }
    }

    /// Notes a text with open parts in braces.
    fn add_open(&mut self, text: &str, image: bool, who: &str) {
        let before = text.split(['{', '$']).next().unwrap_or_default();
        let word = before
            .rsplit(|c: char| !is_part(c))
            .next()
            .unwrap_or_default();
        if word.is_empty() {
            if image {
                self.anything = Some(who.to_owned());
            }
        } else {
            let word = scheme_less(word).to_ascii_lowercase();
            self.beginnings
                .entry(word)
                .or_insert_with(|| who.to_owned());
        }
    }

    fn add_word(&mut self, word: &str, image: bool, who: &str) {
        let word = scheme_less(word).trim_end_matches(['.', ':', '/', '@', '-']);
        let says = || who.to_owned();
        let (name, digest) = match word.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (word, None),
        };
        // A digest counts wherever it stands.
        for part in [digest, Some(word)].into_iter().flatten() {
            if is_digest(part) {
                self.digests
                    .entry(part.to_ascii_lowercase())
                    .or_insert_with(says);
            }
        }
        let Some((host, path)) = name.split_once('/') else {
            if image && !name.is_empty() {
                self.add_word(&format!("docker.io/library/{word}"), false, who);
            }
            return;
        };
        if !(host.contains(['.', ':']) || host == "localhost") {
            if image {
                self.add_word(&format!("docker.io/{word}"), false, who);
            }
            return;
        }
        let host = host.to_ascii_lowercase();
        match path.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => {
                self.tags
                    .entry(format!("{host}/{path}:{tag}"))
                    .or_insert_with(says);
            }
            _ if digest.is_some() => {}
            _ if image => {
                self.tags
                    .entry(format!("{host}/{path}:latest"))
                    .or_insert_with(says);
            }
            _ => {
                self.repositories
                    .entry(format!("{host}/{path}"))
                    .or_insert_with(says);
            }
        }
    }

    /// Who uses a manifest.
    #[must_use]
    pub fn of(&self, registry: &str, repository: &str, manifest: &Manifest) -> Option<&str> {
        let name = format!("{registry}/{repository}");
        let by_tag = || {
            let names = manifest.tags.iter().map(|tag| format!("{name}:{tag}"));
            names.into_iter().find_map(|name| self.tags.get(&name))
        };
        let may_be = |name: &str| {
            let name = name.to_ascii_lowercase();
            let mut own = self.beginnings.iter();
            own.find(|(start, _)| name.starts_with(start.as_str()) || start.starts_with(&name))
                .map(|(_, who)| who)
        };
        self.digests
            .get(&manifest.digest)
            .or_else(by_tag)
            .or_else(|| self.repositories.get(&name))
            .or_else(|| may_be(&name))
            .or(self.anything.as_ref())
            .map(String::as_str)
    }
}

/// Without what stands before a name: `docker-pullable://`, `oci://`, `https://`.
fn scheme_less(word: &str) -> &str {
    word.rsplit_once("//").map_or(word, |(_, rest)| rest)
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    ["sha256", "sha512"].contains(&algorithm)
        && hex.len() >= 64
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A value's texts, for tests of what is read.
#[cfg(test)]
pub(super) fn of_texts(texts: &[(&str, bool)]) -> Uses {
    let mut uses = Uses::default();
    for (text, image) in texts {
        uses.add_text(text, *image, "ConfigMap/x");
    }
    uses
}

#[cfg(test)]
pub(super) fn of_open(text: &str) -> Uses {
    let mut uses = Uses::default();
    uses.add_open(text, true, "Deployment/x");
    uses
}
