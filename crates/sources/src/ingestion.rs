//! Rows of a table of Azure Monitor, sent by its Logs Ingestion API
//! (<https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>).
//!
//! A data collection rule says which stream becomes which table. What it deliberately leaves out: trying again, and
//! knowing what rows hold.

use std::fmt;

use reqwest::{Method, Url};
use serde_json::Value;

use crate::azure::plane::{Plane, SignIn, address, refusal};
use crate::post::Untold;

const VERSION: &str = "2023-01-01";
/// Where data collection endpoints and rules are, and what tokens for them are for, in Azure's clouds
/// (Azure/azure-sdk-for-net, sdk/monitor/Azure.Monitor.Ingestion/src/LogsIngestionAudience.cs; the tokens' audience
/// ends with a slash).
const CLOUDS: [(&str, &str); 3] = [
    (".ingest.monitor.azure.com", "https://monitor.azure.com/"),
    (".ingest.monitor.azure.us", "https://monitor.azure.us/"),
    (".ingest.monitor.azure.cn", "https://monitor.azure.cn/"),
];

/// The most bytes of one call
/// (<https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#logs-ingestion-api>); the limit is 1 MB,
/// and nobody says whether that is the decimal one.
pub const MOST: usize = 1_000_000;
/// The most of a text in a row; what is longer is cut there.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// A stream of a data collection rule.
pub struct Ingestion {
    plane: Plane,
    url: Url,
}

impl fmt::Debug for Ingestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingestion")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Ingestion {
    /// Of `https://ENDPOINT/dataCollectionRules/IMMUTABLE-ID/streams/STREAM`. Nothing is sent yet.
    ///
    /// # Errors
    /// When it is no such address, or nobody can sign in in that way.
    pub fn new(text: &str, sign_in: &SignIn) -> Result<Self, String> {
        let mut url = address(text, &CLOUDS.map(|(host, _)| host))?;
        let parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        let ["dataCollectionRules", rule, "streams", stream] = parts.as_slice() else {
            return Err(
                "it must be `https://ENDPOINT/dataCollectionRules/IMMUTABLE-ID/streams/STREAM`"
                    .to_owned(),
            );
        };
        if !rule.starts_with("dcr-") || stream.is_empty() {
            return Err("a data collection rule is named by its immutable id, `dcr-…`".to_owned());
        }
        let host = url.host_str().unwrap_or_default();
        let cloud = CLOUDS.iter().find(|(end, _)| host.ends_with(end));
        let audience = cloud.map_or("https://monitor.azure.com/", |(_, audience)| *audience);
        url.set_query(Some(&format!("api-version={VERSION}")));
        Ok(Self {
            plane: Plane::new(sign_in, audience)?,
            url,
        })
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Sends rows, all or none. When there is no answer, nobody knows which.
    ///
    /// # Errors
    /// When Azure Monitor refuses (413: they are too many), or does not answer.
    pub fn send(&self, rows: &[Value]) -> Result<(), Untold> {
        let body = serde_json::to_vec(rows).map_err(|error| Untold::never(error.to_string()))?;
        let kind = [("content-type", "application/json".to_owned())];
        let answer = self.plane.ask(Method::POST, &self.url, &kind, body)?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        let help = match answer.status {
            403 => Some(
                "the identity needs the role `Monitoring Metrics Publisher` on the data collection rule",
            ),
            404 => Some("check the immutable id of the rule, and that its endpoint is this one"),
            400 => Some(
                "check that the rule declares this stream: deploy/azure/seawall-alerts.bicep does",
            ),
            _ => None,
        };
        Err(Untold {
            help,
            ..refusal(&self.url, &answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::{Auth, Cloud, CloudName, Surroundings, Trust};

    #[test]
    fn addresses_are_of_a_stream_of_a_rule() {
        let sign_in = SignIn {
            cloud: Cloud::new(CloudName::Public, None, None, None).unwrap(),
            auth: Auth::AzureCli,
            surroundings: Surroundings::default(),
            trust: Trust::default(),
            timeout: std::time::Duration::from_secs(1),
        };
        let of = |text: &str| Ingestion::new(text, &sign_in);
        let path = "/dataCollectionRules/dcr-0123456789abcdef/streams/Custom-SeawallAlerts_CL";
        let one = of(&format!(
            "https://dce-x1.westeurope-1.ingest.monitor.azure.com{path}"
        ))
        .unwrap();
        assert!(one.url.as_str().ends_with("?api-version=2023-01-01"));
        assert_eq!(one.plane.audience(), "https://monitor.azure.com/");
        let one = of(&format!(
            "https://x.usgovvirginia-1.ingest.monitor.azure.us{path}"
        ))
        .unwrap();
        assert_eq!(one.plane.audience(), "https://monitor.azure.us/");
        for wrong in [
            format!("https://ingest.monitor.azure.com.example.com{path}"),
            format!("http://x.westeurope-1.ingest.monitor.azure.com{path}"),
            "https://x.westeurope-1.ingest.monitor.azure.com/".to_owned(),
            "https://x.westeurope-1.ingest.monitor.azure.com/dataCollectionRules/my-rule/streams/S"
                .to_owned(),
        ] {
            assert!(of(&wrong).is_err(), "{wrong}");
        }
    }
}
