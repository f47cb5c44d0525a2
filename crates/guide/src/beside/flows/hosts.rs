//! Hosts in texts: names with what stands around them, so that a word is told from a host.

/// A host that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// In small letters, without a final dot.
    pub(super) name: String,
    /// The port that stands behind it, or that of its scheme.
    pub(super) port: Option<u16>,
    /// A single word that can be nothing but a host.
    pub(super) bare: bool,
    /// An address, of the fourth version.
    pub(super) address: Option<std::net::Ipv4Addr>,
    /// It stands behind a scheme: a host, wherever it is.
    pub(super) outside: bool,
}

/// Texts longer than this are no settings.
const LONGEST: usize = 64 << 10;

/// Whether a setting of this name holds a host.
pub(super) fn is_host_key(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "HOST", "ADDR", "URL", "URI", "SERVER", "ENDPOINT", "BROKER", "DSN", "_SERVICE",
    ];
    let name = name.to_ascii_uppercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// The hosts of a text. `host_key`: the whole text may be a host.
pub(super) fn of(text: &str, host_key: bool) -> Vec<Host> {
    let mut hosts = Vec::new();
    if text.len() > LONGEST {
        return hosts;
    }
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = rest.find(part).unwrap_or(rest.len());
        let word = rest.get(skipped..).unwrap_or_default();
        let length = word.find(|c| !part(c)).unwrap_or(word.len());
        let (start, end) = (at + skipped, at + skipped + length);
        if length > 0 {
            hosts.extend(host(text, start, end, host_key));
        }
        at = end.max(at + 1);
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    hosts
}

fn host(text: &str, start: usize, end: usize, host_key: bool) -> Option<Host> {
    let before = text.get(..start)?;
    let after = text.get(end..)?;
    let name = text.get(start..end)?.trim_end_matches('.');
    let name = name.to_ascii_lowercase();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.is_empty() || !starts_well {
        return None;
    }
    let scheme = before.strip_suffix("://").map(|before| {
        let from = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+');
        before
            .get(from.map_or(0, |at| at + 1)..)
            .unwrap_or_default()
    });
    // Behind a user and a password: what is before the `@` is no host.
    let behind_at = before.ends_with('@') && before.contains("://");
    if scheme.is_some() && after.split(['/', '?', '#', ' ', ',']).next()?.contains('@') {
        return None;
    }
    let digits = after.strip_prefix(':').map(|after| {
        let end = after.find(|c: char| !c.is_ascii_digit());
        after.get(..end.unwrap_or(after.len())).unwrap_or_default()
    });
    let written: Option<u16> = digits.and_then(|digits| digits.parse().ok());
    let port = written.or(match scheme {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    });
    let whole = host_key && before.trim().is_empty() && after.trim().is_empty();
    let bare = scheme.is_some() || behind_at || written.is_some() || whole;
    let address: Option<std::net::Ipv4Addr> = name.parse().ok();
    let address = address.filter(|address| {
        bare && !address.is_loopback() && !address.is_unspecified() && !address.is_broadcast()
    });
    // A number with a port behind it is a time or a version.
    if !name.contains(|c: char| c.is_ascii_alphabetic()) && address.is_none() {
        return None;
    }
    Some(Host {
        outside: (scheme.is_some() || behind_at) && name.contains('.') && address.is_none(),
        name,
        port,
        bare,
        address,
    })
}

#[cfg(test)]
mod tests {
    use super::{is_host_key, of};

    fn shown(text: &str, key: bool) -> Vec<String> {
        of(text, key)
            .into_iter()
            .filter(|host| host.bare || host.name.contains('.'))
            .map(|host| match host.port {
                Some(port) => format!("{}:{port}", host.name),
                None => host.name,
            })
            .collect()
    }

    #[test]
    fn hosts_are_told_from_words() {
        assert_eq!(shown("http://cart", false), ["cart:80"]);
        assert_eq!(
            shown("https://Cart.shop.svc:8443/x", false),
            ["cart.shop.svc:8443"]
        );
        assert_eq!(shown("--upstream=cart:8080", false), ["cart:8080"]);
        assert_eq!(
            shown("postgres://user:word@db:5432/shop", false),
            ["db:5432"]
        );
        assert_eq!(shown("cart", true), ["cart"]);
        assert!(shown("cart", false).is_empty());
        assert!(shown("12:30", false).is_empty());
        assert_eq!(shown("10.0.3.4:5432", false), ["10.0.3.4:5432"]);
        assert_eq!(
            shown(
                "kafka-0.kafka.shop.svc.cluster.local:9092,kafka-1.kafka:9092",
                false
            ),
            [
                "kafka-0.kafka.shop.svc.cluster.local:9092",
                "kafka-1.kafka:9092"
            ]
        );
        assert!(is_host_key("CART_URL") && is_host_key("db_host") && !is_host_key("NAME"));
    }

    #[test]
    fn any_text_is_taken() {
        for text in ["", "://", "@", ":", "é://ü", "a:99999", "....", "http://"] {
            of(text, true);
        }
    }
}
