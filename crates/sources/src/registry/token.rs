//! Tokens of registries: what a registry asks for in `WWW-Authenticate`, and how one gets it
//! (<https://distribution.github.io/distribution/spec/auth/token/>, `…/oauth/`; Azure Container Registry:
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>, seen 2026-11-27).

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::client::Trouble;
use super::credentials::Credential;
use crate::azure::auth::Tokens;
use crate::azure::http;

/// What a token of Entra for Azure's registries is for
/// (<https://learn.microsoft.com/azure/container-registry/container-registry-disable-authentication-as-arm>): of
/// Resource Manager's a registry may take none.
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// Login servers of Azure Container Registry, in its clouds.
const AZURE: [&str; 3] = [".azurecr.io", ".azurecr.cn", ".azurecr.us"];

/// Whether a host is one of Azure's registries, which alone are shown tokens of Entra.
pub(super) fn is_azure(host: &str) -> bool {
    AZURE.iter().any(|end| {
        host.strip_suffix(end)
            .is_some_and(|name| !name.is_empty() && !name.contains([':', '/']))
    })
}

/// What a registry asks for. Which scope it proposes does not matter: pulling is what is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: String },
}

impl Challenge {
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let of = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        Some(Self::Bearer {
            realm: of("realm")?,
            service: of("service").unwrap_or_default(),
        })
    }
}

/// `key="value",…`; a comma within quotes separates nothing.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut key, mut value) = (String::new(), String::new());
    let (mut quoted, mut in_value) = (false, false);
    for character in text.chars().chain([',']) {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
                key.clear();
                value.clear();
                in_value = false;
            }
            '=' if !in_value => in_value = true,
            other if in_value => value.push(other),
            other => key.push(other),
        }
    }
    found
}

/// Who asks for a token.
pub(super) struct Asker<'a> {
    pub(super) client: &'a reqwest::Client,
    /// The registry's own address.
    pub(super) base: &'a Url,
    /// What it is called.
    pub(super) host: &'a str,
    pub(super) credential: Option<&'a Credential>,
    /// Of Entra, where the registry is Azure's.
    pub(super) azure: Option<&'a Tokens>,
}

impl Asker<'_> {
    /// A token to pull from a repository.
    pub(super) async fn token(
        &self,
        realm: &str,
        service: &str,
        scope: &str,
    ) -> Result<HeaderValue, Trouble> {
        let realm = Url::parse(realm).map_err(|_| strange("asks for tokens of no address"))?;
        // A password goes nowhere in clear, and to nobody's own machine because a registry says so.
        if realm.scheme() != "https" && realm.origin() != self.base.origin() {
            return Err(strange("asks for tokens over HTTP without TLS"));
        }
        let answer = match (self.credential, self.azure) {
            (Some(Credential::Password { user, password }), _) => {
                let url = with(&realm, service, scope);
                let request = self.client.get(url).basic_auth(user, Some(password));
                self.send(request).await?
            }
            (Some(Credential::Refresh(token)), _) => {
                self.refreshed(realm, service, scope, token).await?
            }
            (None, Some(azure)) if is_azure(self.host) => {
                let refresh = self.exchanged(azure, service).await?;
                self.refreshed(realm, service, scope, &refresh).await?
            }
            _ => {
                let request = self.client.get(with(&realm, service, scope));
                self.send(request).await?
            }
        };
        let token = ["access_token", "token"]
            .iter()
            .find_map(|key| answer.get(key)?.as_str())
            .ok_or_else(|| strange("gives no token"))?;
        bearer(token)
    }

    async fn refreshed(
        &self,
        realm: Url,
        service: &str,
        scope: &str,
        token: &str,
    ) -> Result<Value, Trouble> {
        let form = [
            ("grant_type", "refresh_token"),
            ("service", service),
            ("scope", scope),
            ("client_id", "seawall"),
            ("refresh_token", token),
        ];
        self.send(self.client.post(realm).form(&form)).await
    }

    /// A token of the registry for one of Entra.
    async fn exchanged(&self, azure: &Tokens, service: &str) -> Result<String, Trouble> {
        let header = azure.header(AUDIENCE).await.map_err(|why| Trouble {
            help: Some(azure.help().to_owned()),
            ..Trouble::of(401, format!("cannot sign in to Azure: {why}"))
        })?;
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "))
            .unwrap_or_default();
        let url = self
            .base
            .join("/oauth2/exchange")
            .map_err(|_| strange("has no address"))?;
        let form = [
            ("grant_type", "access_token"),
            ("service", service),
            ("access_token", token),
        ];
        let answer = self.send(self.client.post(url).form(&form)).await?;
        answer
            .get("refresh_token")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| strange("gives no token for one of Entra"))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Trouble> {
        let request = request
            .build()
            .map_err(|error| Trouble::of(0, http::reason(&error)))?;
        let answer = http::send(self.client, request)
            .await
            .map_err(|error| Trouble::of(0, http::reason(&error)))?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| strange("gives no token")),
            401 | 403 => Err(Trouble::of(
                answer.status,
                format!("who asks gets no token ({})", answer.status),
            )),
            status => Err(Trouble::of(status, format!("gives no token ({status})"))),
        }
    }
}

fn strange(why: &str) -> Trouble {
    Trouble::of(401, why.to_owned())
}

fn with(realm: &Url, service: &str, scope: &str) -> Url {
    let mut url = realm.clone();
    if !service.is_empty() {
        url.query_pairs_mut().append_pair("service", service);
    }
    url.query_pairs_mut().append_pair("scope", scope);
    url
}

fn bearer(token: &str) -> Result<HeaderValue, Trouble> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| strange("gives a token that is no text of a header"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let read = Challenge::read(
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(
            read,
            Some(Challenge::Bearer {
                realm: "https://auth.example/token".to_owned(),
                service: "registry.example".to_owned(),
            })
        );
        assert_eq!(Challenge::read("basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::read("Negotiate"), None);
        assert_eq!(Challenge::read("Bearer service=\"x\""), None);
    }

    #[test]
    fn only_azures_registries_are_shown_tokens_of_entra() {
        assert!(is_azure("shop.azurecr.io") && is_azure("shop.azurecr.cn"));
        for other in [
            "azurecr.io.evil.example",
            "evil.example/.azurecr.io",
            ".azurecr.io",
            "shop.azurecr.io:8443",
        ] {
            assert!(!is_azure(other), "{other}");
        }
    }

    /// Azure's registries give a token of theirs for one of Entra, and tokens to pull for that; another registry is shown
    /// nothing.
    #[test]
    fn a_token_of_entra_is_exchanged_by_azures_registries_only() {
        use crate::azure::{Auth, Cloud, CloudName, Surroundings, Trust};
        use axum::routing::{get, post};
        use std::time::Duration;

        let entra = oracle::azure::Azure::start(oracle::azure::World {
            assertion: "a service account's token".to_owned(),
            ..Default::default()
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "a service account's token").unwrap();
        let address = Some(entra.address());
        let trust = Trust {
            authorities: vec![entra.certificate().as_bytes().to_vec()],
        };
        let around = Surroundings {
            tenant: Some("11111111-1111-1111-1111-111111111111".to_owned()),
            client: Some("22222222-2222-2222-2222-222222222222".to_owned()),
            token_file: Some(file),
            ..Surroundings::default()
        };
        let tokens = Tokens::new(
            Auth::WorkloadIdentity,
            &Cloud::new(CloudName::Public, address, address, address).unwrap(),
            &trust,
            Duration::from_secs(10),
            &around,
        )
        .unwrap();
        let exchange = |body: String| async move {
            let wanted = format!("access_token={}", oracle::azure::TOKEN);
            assert!(
                body.contains(&wanted) && body.contains("service=shop.azurecr.io"),
                "{body}"
            );
            r#"{"refresh_token":"of-the-registry"}"#
        };
        let token = |body: String| async move {
            assert!(body.contains("refresh_token=of-the-registry"), "{body}");
            assert!(body.contains("scope=repository%3Aweb%3Apull"), "{body}");
            r#"{"access_token":"to-pull"}"#
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let own = format!("http://{}/", listener.local_addr().unwrap());
            let app = axum::Router::new()
                .route("/oauth2/exchange", post(exchange))
                .route(
                    "/oauth2/token",
                    post(token).merge(get(async || r#"{"token":"anonymous"}"#)),
                );
            tokio::spawn(async move { axum::serve(listener, app).await });
            let base = Url::parse(&own).unwrap();
            let client = http::client(&Trust::default(), Duration::from_secs(10), true).unwrap();
            for (host, wanted) in [
                ("shop.azurecr.io", "Bearer to-pull"),
                ("shop.azurecr.io.evil.example", "Bearer anonymous"),
            ] {
                let asker = Asker {
                    client: &client,
                    base: &base,
                    host,
                    credential: None,
                    azure: Some(&tokens),
                };
                let realm = format!("{own}oauth2/token");
                let header = asker.token(&realm, host, "repository:web:pull").await;
                assert_eq!(header.unwrap(), wanted);
            }
        });
    }
}
