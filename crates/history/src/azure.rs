//! Containers of Azure Blob storage, with tokens that somebody else gets.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use object_store::azure::{AzureCredential, MicrosoftAzureBuilder};
use object_store::{Certificate, ClientOptions, CredentialProvider, ObjectStore};

/// Gives tokens for storage, which it keeps as long as they are good.
pub type Tokens = Arc<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

struct Given(Tokens);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for Given {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let token = (self.0)()
            .await
            .map_err(|why| object_store::Error::Generic {
                store: "Azure Blob storage",
                source: why.into(),
            })?;
        Ok(Arc::new(AzureCredential::BearerToken(token)))
    }
}

/// The store of a container: of `container` at `endpoint`, which is trusted by the given authorities too (PEM).
///
/// # Errors
/// When an authority is no certificate.
pub fn container(
    endpoint: &str,
    container: &str,
    tokens: Tokens,
    authorities: &[String],
) -> Result<Arc<dyn ObjectStore>, String> {
    let mut client = ClientOptions::new();
    for pem in authorities {
        let certificate = Certificate::from_pem(pem.as_bytes());
        client = client.with_root_certificate(certificate.map_err(|error| error.to_string())?);
    }
    let store = MicrosoftAzureBuilder::new()
        // Known from the endpoint; the builder only wants a name.
        .with_account("account")
        .with_endpoint(endpoint.to_owned())
        .with_container_name(container)
        .with_credentials(Arc::new(Given(tokens)))
        .with_client_options(client)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(store))
}
