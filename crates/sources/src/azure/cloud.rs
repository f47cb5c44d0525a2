//! Azure's clouds: where their tokens, their Resource Manager and their Microsoft Graph are.

use reqwest::Url;

/// A cloud by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CloudName {
    /// Azure.
    #[default]
    Public,
    /// Azure operated by 21Vianet.
    China,
    /// Azure Government.
    UsGovernment,
}

/// The addresses of a cloud. They are always HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Where tokens are asked for.
    pub(crate) authority: Url,
    /// Azure Resource Manager.
    pub(crate) manager: Url,
    /// What a token for it is asked for.
    pub(crate) audience: String,
    /// Microsoft Graph.
    pub(crate) graph: Url,
}

impl Cloud {
    /// A cloud of Microsoft's (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>,
    /// <https://learn.microsoft.com/graph/deployments>), with addresses of one's own where they
    /// are given.
    ///
    /// # Errors
    /// An address that is none, or not HTTPS.
    pub fn new(
        name: CloudName,
        authority: Option<&str>,
        manager: Option<&str>,
        graph: Option<&str>,
    ) -> Result<Self, String> {
        let (own_authority, own_manager, own_graph) = match name {
            CloudName::Public => (
                "https://login.microsoftonline.com",
                "https://management.azure.com",
                "https://graph.microsoft.com",
            ),
            CloudName::China => (
                "https://login.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
            CloudName::UsGovernment => (
                "https://login.microsoftonline.us",
                "https://management.usgovcloudapi.net",
                "https://graph.microsoft.us",
            ),
        };
        let manager = https(manager.unwrap_or(own_manager))?;
        Ok(Self {
            authority: https(authority.unwrap_or(own_authority))?,
            audience: manager.as_str().trim_end_matches('/').to_owned(),
            manager,
            graph: https(graph.unwrap_or(own_graph))?,
        })
    }
}

/// An address of a service: HTTPS, a host, nothing else.
fn https(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no address: {error}"))?;
    if url.scheme() != "https" {
        return Err(format!("`{text}` is not an https address"));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || !matches!(url.path(), "" | "/")
    {
        return Err(format!("`{text}` must be `https://HOST` and nothing more"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_and_nothing_but_a_host() {
        for name in [CloudName::Public, CloudName::China, CloudName::UsGovernment] {
            assert!(Cloud::new(name, None, None, None).is_ok());
        }
        for wrong in [
            "http://127.0.0.1:8080",
            "management.azure.com",
            "https://user:word@host",
            "https://host/path",
            "https://host/?a=b",
        ] {
            assert!(
                Cloud::new(CloudName::Public, None, Some(wrong), None).is_err(),
                "{wrong}"
            );
        }
        let own = Cloud::new(CloudName::China, None, Some("https://127.0.0.1:8443"), None).unwrap();
        assert_eq!(own.audience, "https://127.0.0.1:8443");
        assert_eq!(own.authority.host_str(), Some("login.chinacloudapi.cn"));
    }
}
