//! Where a hub is, and the connection strings that open it.

use std::fmt;

use reqwest::Url;

/// What addresses of hubs begin with.
pub const SCHEME: &str = "eventhub://";
/// Namespaces, in Azure's clouds
/// (<https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure#guidance-for-developers>,
/// <https://learn.microsoft.com/azure/china/resources-developer-guide>, 2026-11).
const HOSTS: [&str; 3] = [
    ".servicebus.windows.net",
    ".servicebus.usgovcloudapi.net",
    ".servicebus.chinacloudapi.cn",
];
/// Where namespaces speak Kafka
/// (<https://learn.microsoft.com/azure/event-hubs/azure-event-hubs-apache-kafka-overview>, 2026-11).
const PORT: u16 = 9093;

/// An event hub of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The namespace's host.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// The hub's name.
    pub(super) hub: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, hub } = self;
        match *port {
            PORT => write!(f, "{SCHEME}{host}/{hub}"),
            port => write!(f, "{SCHEME}{host}:{port}/{hub}"),
        }
    }
}

impl Address {
    /// Of `eventhub://NAMESPACE.servicebus.windows.net/HUB`; what runs on this machine has a port too.
    ///
    /// # Errors
    /// When it is no such address. What stands in it is not repeated: it may hold a key.
    pub fn new(text: &str) -> Result<Self, String> {
        let form = || format!("it must be `{SCHEME}NAMESPACE.servicebus.windows.net/HUB`");
        if !text.starts_with(SCHEME) {
            return Err(form());
        }
        let url = Url::parse(text).map_err(|_| form())?;
        let own = !url.username().is_empty() || url.password().is_some();
        if own || url.query().is_some() || url.fragment().is_some() {
            return Err("an address holds no name, key or option here".to_owned());
        }
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let here = is_here(&host);
        let of_azure = |end: &str| {
            let name = host.strip_suffix(end).unwrap_or_default();
            !name.is_empty() && !name.contains('.')
        };
        if !here && !HOSTS.into_iter().any(of_azure) {
            return Err(form());
        }
        if !here && url.port().is_some_and(|port| port != PORT) {
            return Err(format!(
                "namespaces speak Kafka at port {PORT} and no other"
            ));
        }
        let hub = url.path().trim_matches('/').to_owned();
        // (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsofteventhub>)
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if hub.is_empty() || hub.len() > 256 || !hub.bytes().all(named) {
            return Err(format!("it names no event hub: {}", form()));
        }
        Ok(Self {
            host,
            port: url.port().unwrap_or(PORT),
            hub,
        })
    }
}

fn is_here(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost")
}

/// `Endpoint=sb://NAMESPACE.servicebus.windows.net/;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=HUB`
/// (<https://learn.microsoft.com/azure/event-hubs/event-hubs-get-connection-string>, 2026-11). It is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString(String);

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionString")
    }
}

impl ConnectionString {
    /// From a text, perhaps with white space around it.
    ///
    /// # Errors
    /// When it is none. What stands in it is not repeated.
    pub fn new(text: &str) -> Result<Self, String> {
        let own = Self(text.trim().to_owned());
        let has = |name| own.part(name).is_some_and(|value| !value.is_empty());
        if own.0.contains(['\n', '\r', '\0']) || !has("Endpoint") {
            return Err("it is no connection string of an event hub".to_owned());
        }
        if !has("SharedAccessKeyName") || !has("SharedAccessKey") {
            return Err("the connection string holds no key and its name".to_owned());
        }
        Ok(own)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn part(&self, wanted: &str) -> Option<&str> {
        let mut parts = self.0.split(';').filter_map(|part| part.split_once('='));
        let found = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    }

    /// Of the emulator, whose key everybody knows, and which speaks no TLS
    /// (<https://learn.microsoft.com/azure/event-hubs/test-locally-with-event-hub-emulator>, 2026-11).
    pub(super) fn is_of_emulator(&self) -> bool {
        let said = self.part("UseDevelopmentEmulator");
        said.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether it is of this hub: no other may hear its key, and nobody at all in plain text.
    pub(super) fn check(&self, address: &Address) -> Result<(), String> {
        let endpoint = self.part("Endpoint").unwrap_or_default();
        let host = endpoint
            .split_once("://")
            .map_or(endpoint, |(_, host)| host);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let here = is_here(&address.host);
        if self.is_of_emulator() && !here {
            return Err(
                "the connection string is of the emulator, which is on this machine".to_owned(),
            );
        }
        let same = host.eq_ignore_ascii_case(&address.host) || here && is_here(host);
        if !same {
            return Err("the connection string is of another namespace".to_owned());
        }
        match self.part("EntityPath") {
            Some(hub) if !hub.eq_ignore_ascii_case(&address.hub) => {
                Err("the connection string is of another event hub of the namespace".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_namespace_and_a_hub() {
        let address = Address::new("eventhub://Shop.servicebus.windows.net/audit-logs").unwrap();
        assert_eq!(
            address.to_string(),
            "eventhub://shop.servicebus.windows.net/audit-logs"
        );
        assert_eq!((address.port, &*address.hub), (9093, "audit-logs"));
        let address = Address::new("eventhub://127.0.0.1:19092/audit/").unwrap();
        assert_eq!(address.to_string(), "eventhub://127.0.0.1:19092/audit");
        for cloud in ["usgovcloudapi.net", "chinacloudapi.cn"] {
            assert!(Address::new(&format!("eventhub://shop.servicebus.{cloud}/a")).is_ok());
        }
        for wrong in [
            "https://shop.servicebus.windows.net/audit",
            "eventhub://shop.servicebus.windows.net",
            "eventhub://shop.servicebus.windows.net/a/b",
            "eventhub://shop.servicebus.windows.net/a?key=b",
            "eventhub://key@shop.servicebus.windows.net/a",
            "eventhub://shop.servicebus.windows.net:443/a",
            "eventhub://shop.servicebus.windows.net.example.com/a",
            "eventhub://servicebus.windows.net/a",
            "eventhub://.servicebus.windows.net/a",
            "eventhub://a.b.servicebus.windows.net/a",
            "eventhub://192.168.0.1/a",
            "eventhub://example.com/a",
            "eventhub://",
        ] {
            let refused = Address::new(wrong).unwrap_err();
            assert!(
                !refused.contains("key@") && !refused.contains("?key"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_connection_string_opens_the_hub_that_it_names_and_shows_nothing() {
        let of = |more: &str| {
            let text = format!(
                "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=read;SharedAccessKey=c2VjcmV0=={more}\n"
            );
            ConnectionString::new(&text).unwrap()
        };
        let hub = |text: &str| Address::new(text).unwrap();
        let (own, other) = (
            hub("eventhub://shop.servicebus.windows.net/audit"),
            hub("eventhub://bank.servicebus.windows.net/audit"),
        );
        assert_eq!(of("").check(&own), Ok(()));
        assert_eq!(of(";EntityPath=audit").check(&own), Ok(()));
        assert!(of(";EntityPath=other").check(&own).is_err());
        assert!(of("").check(&other).is_err());
        assert!(of(";UseDevelopmentEmulator=true").check(&own).is_err());
        assert!(of("").check(&hub("eventhub://localhost/audit")).is_err());
        assert_eq!(of("").part("SharedAccessKey"), Some("c2VjcmV0=="));
        assert_eq!(format!("{:?}", of("")), "ConnectionString");
        for wrong in [
            "",
            "secret",
            "Endpoint=sb://shop.servicebus.windows.net/",
            "Endpoint=sb://a/;SharedAccessKeyName=b;SharedAccessKey=c\nd",
            "SharedAccessKeyName=b;SharedAccessKey=c",
        ] {
            let refused = ConnectionString::new(wrong).unwrap_err();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
