//! Tokens: who seawall is to Azure. The credentials are azure_identity's; here is which are tried, and
//! how what goes wrong is told. A token is never printed: it only ever becomes a header that is
//! marked as sensitive.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{
    ClientOptions, ExponentialRetryOptions, RetryOptions, Transport as AzureTransport,
};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use reqwest::header::HeaderValue;

use super::cloud::Cloud;
use super::http::{self, Transport, Trust};

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// The first that gives a token, in the order of `DefaultAzureCredential`
    /// (<https://learn.microsoft.com/azure/developer/intro/authentication-overview>).
    #[default]
    Default,
    /// A service principal's password in `AZURE_CLIENT_SECRET`.
    Environment,
    /// The token of a Kubernetes service account, `AZURE_FEDERATED_TOKEN_FILE`.
    WorkloadIdentity,
    /// The identity of the virtual machine or the App Service.
    ManagedIdentity,
    /// `az login`.
    AzureCli,
    /// `azd auth login`.
    AzureDeveloperCli,
}

/// What of the environment says who one is. It is read once, by whoever starts the process.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// `AZURE_TENANT_ID`.
    pub tenant: Option<String>,
    /// `AZURE_CLIENT_ID`.
    pub client: Option<String>,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// `AZURE_CLIENT_SECRET`.
    pub secret: Option<String>,
    /// Whether `IDENTITY_ENDPOINT` is set: an App Service.
    pub identity_endpoint: bool,
}

impl Surroundings {
    /// From the environment of the process.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            tenant: text("AZURE_TENANT_ID"),
            client: text("AZURE_CLIENT_ID"),
            token_file: text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            secret: text("AZURE_CLIENT_SECRET"),
            identity_endpoint: text("IDENTITY_ENDPOINT").is_some(),
        }
    }
}

/// Where there is no metadata service nobody answers, and nobody waits longer than this.
const PROBE: Duration = Duration::from_secs(3);

/// The ways that are tried, the first one that gives a token is kept.
pub(crate) struct Tokens {
    auth: Auth,
    ways: Vec<Way>,
    /// the way that gave a token
    chosen: std::sync::OnceLock<usize>,
}

struct Way {
    name: &'static str,
    auth: Auth,
    credential: Arc<dyn TokenCredential>,
    /// It may hang where it does not exist.
    probed: bool,
}

impl Tokens {
    pub(crate) fn new(
        auth: Auth,
        cloud: &Cloud,
        trust: &Trust,
        timeout: Duration,
        around: &Surroundings,
    ) -> Result<Self, String> {
        let mut ways = Vec::new();
        let all = auth == Auth::Default;
        let mut told = Vec::new();
        let secret = around.secret.is_some() && around.tenant.is_some() && around.client.is_some();
        if auth == Auth::Environment || all && secret {
            match environment(cloud, trust, timeout, around) {
                Ok(way) => ways.push(way),
                Err(error) => told.push(error),
            }
        }
        if auth == Auth::WorkloadIdentity || all && around.token_file.is_some() {
            match workload(cloud, trust, timeout, around) {
                Ok(way) => ways.push(way),
                Err(error) => told.push(error),
            }
        }
        if auth == Auth::ManagedIdentity || all {
            match managed(trust, timeout, around) {
                Ok(way) => ways.push(Way {
                    probed: all && !around.identity_endpoint,
                    ..way
                }),
                Err(error) => told.push(error),
            }
        }
        if auth == Auth::AzureCli || all {
            let credential = AzureCliCredential::new(None).map_err(|error| error.to_string())?;
            ways.push(Way {
                name: "az",
                auth: Auth::AzureCli,
                credential,
                probed: false,
            });
        }
        if auth == Auth::AzureDeveloperCli || all {
            let credential =
                AzureDeveloperCliCredential::new(None).map_err(|error| error.to_string())?;
            ways.push(Way {
                name: "azd",
                auth: Auth::AzureDeveloperCli,
                credential,
                probed: false,
            });
        }
        if ways.is_empty() {
            return Err(told.join("; "));
        }
        Ok(Self {
            auth,
            ways,
            chosen: std::sync::OnceLock::new(),
        })
    }

    /// The header that says who asks, for an audience. azure_identity keeps tokens until shortly before
    /// they end.
    pub(crate) async fn header(&self, audience: &str) -> Result<HeaderValue, String> {
        let scope = format!("{audience}/.default");
        let scopes = [scope.as_str()];
        let mut told = Vec::new();
        for (index, way) in self.ways.iter().enumerate() {
            if self.chosen.get().is_some_and(|chosen| *chosen != index) {
                continue;
            }
            let asked = way.credential.get_token(&scopes, None);
            let token = if way.probed && self.chosen.get().is_none() {
                match tokio::time::timeout(PROBE, asked).await {
                    Ok(token) => token,
                    Err(_) => {
                        told.push(format!("{}: nobody answers", way.name));
                        continue;
                    }
                }
            } else {
                asked.await
            };
            match token {
                Ok(token) => {
                    let _ = self.chosen.set(index);
                    let mut value =
                        HeaderValue::from_str(&format!("Bearer {}", token.token.secret()))
                            .map_err(|_| "the token is no text of a header".to_owned())?;
                    value.set_sensitive(true);
                    return Ok(value);
                }
                Err(error) => told.push(format!("{}: {}", way.name, clause(&error))),
            }
        }
        Err(told.join("; "))
    }

    /// What to do when a token is not given or not accepted.
    pub(crate) fn help(&self) -> &'static str {
        let way = self.chosen.get().and_then(|index| self.ways.get(*index));
        way.map_or_else(|| help(self.auth), |way| help(way.auth))
    }
}

/// What to do when nobody signs one in that way.
pub(crate) fn help(auth: Auth) -> &'static str {
    match auth {
        Auth::Default => "`az login`, or say how to sign in with `--azure-auth`",
        Auth::Environment => {
            "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET: the tenant, the application, and a \
             password of it that has not ended"
        }
        Auth::WorkloadIdentity => {
            "the service account needs the label `azure.workload.identity/use` on its pod, and a federated \
             credential on the identity AZURE_CLIENT_ID; the webhook then sets the variables"
        }
        Auth::ManagedIdentity => {
            "assign an identity to this machine; AZURE_CLIENT_ID chooses one of several"
        }
        Auth::AzureCli => "`az login`",
        Auth::AzureDeveloperCli => "`azd auth login`",
    }
}

/// The message of an error of azure_identity's, on one line, and no longer than people read.
fn clause(error: &azure_core::Error) -> String {
    let text = error.to_string();
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    // The SDK ends with a link to its own pages, once for each way.
    let text = text.split(" To troubleshoot").next().unwrap_or_default();
    // It begins with its own name for the way.
    let text = match text.split_once(" authentication failed. ") {
        Some((name, rest)) if !name.contains(' ') => rest,
        _ => text,
    };
    if text.contains("not found on PATH") {
        return "not installed".to_owned();
    }
    if text.contains("retry policy expired") {
        // Why stands below what was done about it.
        let mut cause: &dyn std::error::Error = error;
        for _ in 0..8 {
            let Some(next) = cause.source() else { break };
            cause = next;
        }
        return cause.to_string().trim_end_matches('.').to_owned();
    }
    let mut short: String = text.chars().take(300).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.trim_end_matches('.').to_owned()
}

fn options(cloud: &Cloud, client: reqwest::Client) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = cloud.authority.as_str().trim_end_matches('/').to_owned();
    ClientOptions {
        transport: Some(AzureTransport::new(Arc::new(Transport(client)))),
        cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
        // Whoever waits for a token waits for everything.
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 3,
            max_total_elapsed: azure_core::time::Duration::seconds(20),
            ..ExponentialRetryOptions::default()
        }),
        ..ClientOptions::default()
    }
}

fn environment(
    cloud: &Cloud,
    trust: &Trust,
    timeout: Duration,
    around: &Surroundings,
) -> Result<Way, String> {
    let (Some(tenant), Some(client), Some(secret)) =
        (&around.tenant, &around.client, &around.secret)
    else {
        return Err(missing(&[
            ("AZURE_TENANT_ID", around.tenant.is_some()),
            ("AZURE_CLIENT_ID", around.client.is_some()),
            ("AZURE_CLIENT_SECRET", around.secret.is_some()),
        ]));
    };
    let credential = ClientSecretCredential::new(
        tenant,
        client.clone(),
        Secret::new(secret.clone()),
        Some(ClientSecretCredentialOptions {
            client_options: options(cloud, http::client(trust, timeout, false)?),
        }),
    )
    .map_err(|error| clause(&error))?;
    Ok(Way {
        name: "environment",
        auth: Auth::Environment,
        credential,
        probed: false,
    })
}

/// Names the variables that are not set.
fn missing(variables: &[(&str, bool)]) -> String {
    let names: Vec<&str> = variables
        .iter()
        .filter(|(_, set)| !set)
        .map(|(name, _)| *name)
        .collect();
    match names.as_slice() {
        [one] => format!("{one} is not set"),
        [all @ .., last] => format!("{} and {last} are not set", all.join(", ")),
        [] => String::new(),
    }
}

fn workload(
    cloud: &Cloud,
    trust: &Trust,
    timeout: Duration,
    around: &Surroundings,
) -> Result<Way, String> {
    if around.tenant.is_none() || around.client.is_none() || around.token_file.is_none() {
        return Err(missing(&[
            ("AZURE_TENANT_ID", around.tenant.is_some()),
            ("AZURE_CLIENT_ID", around.client.is_some()),
            ("AZURE_FEDERATED_TOKEN_FILE", around.token_file.is_some()),
        ]));
    }
    let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions {
            client_options: options(cloud, http::client(trust, timeout, false)?),
        },
        client_id: around.client.clone(),
        tenant_id: around.tenant.clone(),
        token_file_path: around.token_file.clone(),
    }))
    .map_err(|error| clause(&error))?;
    Ok(Way {
        name: "workload identity",
        auth: Auth::WorkloadIdentity,
        credential,
        probed: false,
    })
}

fn managed(trust: &Trust, timeout: Duration, around: &Surroundings) -> Result<Way, String> {
    let client = http::client(trust, timeout, true)?;
    let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: around.client.clone().map(UserAssignedId::ClientId),
        client_options: ClientOptions {
            transport: Some(AzureTransport::new(Arc::new(Transport(client)))),
            ..ClientOptions::default()
        },
    }))
    .map_err(|error| clause(&error))?;
    Ok(Way {
        name: "managed identity",
        auth: Auth::ManagedIdentity,
        credential,
        probed: false,
    })
}
