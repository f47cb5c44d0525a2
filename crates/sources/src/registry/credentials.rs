//! Passwords of registries, where `docker login` and `az acr login` keep them
//! (<https://docs.docker.com/reference/cli/docker/login/>, `config.json`). Programs that keep passwords for Docker are
//! not run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// What somebody signs in to a registry with. It has no `Debug`.
#[derive(Clone)]
pub(super) enum Credential {
    Password {
        user: String,
        password: String,
    },
    /// A token that is exchanged for others.
    Refresh(String),
}

/// What the file says.
#[derive(Default)]
pub(super) struct Credentials {
    known: BTreeMap<String, Credential>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase", default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Where Docker's configuration is, by the environment.
#[must_use]
pub fn docker_config() -> Option<PathBuf> {
    let folder = match std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

impl Credentials {
    /// An absent file is an empty one.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
        };
        Self::parse(&text).map_err(|why| format!("`{}` {why}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        // The parser's own message may repeat what stands there.
        let file: File =
            serde_json::from_str(text).map_err(|_| "is no configuration of Docker's")?;
        let mut known = BTreeMap::new();
        for (name, auth) in file.auths {
            let pair = STANDARD
                .decode(auth.auth.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
            let (user, password) = pair.unwrap_or((&auth.username, &auth.password));
            let credential = if !auth.identitytoken.is_empty() {
                Credential::Refresh(auth.identitytoken)
            } else if password.is_empty() {
                continue;
            } else {
                Credential::Password {
                    user: user.to_owned(),
                    password: password.trim_end_matches('\0').to_owned(),
                }
            };
            known.insert(host(&name), credential);
        }
        let helpers = file.cred_helpers.into_iter();
        Ok(Self {
            known,
            helpers: helpers.map(|(name, by)| (host(&name), by)).collect(),
            store: file.creds_store.filter(|store| !store.is_empty()),
        })
    }

    pub(super) fn of(&self, host: &str) -> Option<Credential> {
        self.known.get(host).cloned()
    }

    /// The program that keeps the password of a registry.
    pub(super) fn helper(&self, host: &str) -> Option<&str> {
        let own = self.helpers.get(host).or(self.store.as_ref());
        own.map(String::as_str)
    }
}

/// The host of an entry, which may be an address.
fn host(name: &str) -> String {
    let name = name.strip_prefix("https://").unwrap_or(name);
    let name = name.strip_prefix("http://").unwrap_or(name);
    match name.split('/').next().unwrap_or_default() {
        "index.docker.io" => "docker.io".to_owned(),
        host => host.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_host() {
        let read = Credentials::parse(
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"shop.azurecr.io":{"auth":"MDA6","identitytoken":"t"},"empty.io":{}},"credHelpers":{"gcr.io":"gcr"}}"#,
        )
        .unwrap();
        let Some(Credential::Password { user, password }) = read.of("docker.io") else {
            panic!("a password");
        };
        assert_eq!((&*user, &*password), ("u", "p"));
        assert!(
            matches!(read.of("shop.azurecr.io"), Some(Credential::Refresh(token)) if token == "t")
        );
        assert!(read.of("empty.io").is_none());
        assert_eq!(read.helper("gcr.io"), Some("gcr"));
        assert_eq!(read.helper("other.io"), None);
        assert!(Credentials::parse("[").is_err_and(|why| !why.contains('[')));
    }
}
