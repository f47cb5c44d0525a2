//! What a probe tries, as `--target` writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The words for what a pod finds by itself.
pub const WELL_KNOWN: [&str; 5] = ["metadata", "wire-server", "api-server", "node", "dns"];

/// A workload, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Workload {
    /// Its namespace.
    pub namespace: String,
    /// Its kind: `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// `shop/web[Deployment]`.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}[{}]", self.namespace, self.name, self.kind)
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.strip_suffix(']').and_then(|text| {
            let (path, kind) = text.split_once('[')?;
            let (namespace, name) = path.split_once('/')?;
            Some((namespace, name, kind))
        });
        match parts {
            Some((namespace, name, kind)) if [namespace, name, kind].into_iter().all(is_name) => {
                Ok(Self {
                    namespace: namespace.to_owned(),
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                })
            }
            _ => Err(format!(
                "`{text}` is no workload; write `shop/web[Deployment]`"
            )),
        }
    }
}

/// Whether a text may be the name of an object or of a kind; names of hosts are of the same letters.
pub(super) fn is_name(text: &str) -> bool {
    let known = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | ':' | '_');
    !text.is_empty() && text.len() <= 253 && text.chars().all(known)
}

/// What stands at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum To {
    /// The instance metadata service.
    Metadata,
    /// Azure's wire server.
    WireServer,
    /// The Kubernetes API server.
    ApiServer,
    /// The kubelet of the node that it runs on.
    Node,
    /// The server that the pod asks for names.
    Dns,
    /// A host outside.
    Internet,
    /// The pods of a workload.
    Workload,
}

/// Something to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One of [`WELL_KNOWN`].
    Known(To),
    /// A host outside, and its port.
    Internet(String, u16),
    /// The pods of a workload and their port, and by which host and port to get there.
    Workload(Workload, u16, String, u16),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no target; write {}, `internet=HOST:PORT` or \
                 `shop/db[StatefulSet]:5432=db.shop.svc:5432`",
                WELL_KNOWN.map(|word| format!("`{word}`")).join(", ")
            )
        };
        match text {
            "metadata" => return Ok(Self::Known(To::Metadata)),
            "wire-server" => return Ok(Self::Known(To::WireServer)),
            "api-server" => return Ok(Self::Known(To::ApiServer)),
            "node" => return Ok(Self::Known(To::Node)),
            "dns" => return Ok(Self::Known(To::Dns)),
            _ => {}
        }
        let (what, at) = text.split_once('=').ok_or_else(wrong)?;
        let (host, port) = place(at).ok_or_else(wrong)?;
        if what == "internet" {
            return Ok(Self::Internet(host, port));
        }
        let (workload, own) = what.rsplit_once(':').ok_or_else(wrong)?;
        let own = own.parse::<u16>().ok().filter(|port| *port > 0);
        Ok(Self::Workload(
            workload.parse()?,
            own.ok_or_else(wrong)?,
            host,
            port,
        ))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(to) => f.write_str(to.word()),
            Self::Internet(host, port) => write!(f, "internet={}", joined(host, *port)),
            Self::Workload(workload, own, host, port) => {
                write!(f, "{workload}:{own}={}", joined(host, *port))
            }
        }
    }
}

impl To {
    /// As targets and reports write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::WireServer => "wire-server",
            Self::ApiServer => "api-server",
            Self::Node => "node",
            Self::Dns => "dns",
            Self::Internet => "internet",
            Self::Workload => "workload",
        }
    }
}

/// `HOST:PORT`, an IPv6 address in brackets.
fn place(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match inner {
        Some(inner) => inner,
        None if host.contains(':') => return None,
        None => host,
    };
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    is_name(host).then(|| (host.to_owned(), port))
}

fn joined(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_written_as_they_are_read() {
        for text in [
            "metadata",
            "wire-server",
            "api-server",
            "node",
            "dns",
            "internet=mcr.microsoft.com:443",
            "internet=[2001:db8::1]:443",
            "shop/db[StatefulSet]:5432=db.shop.svc:5433",
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in [
            "",
            "kubelet",
            "internet=host",
            "internet=host:0",
            "internet=2001:db8::1:443",
            "shop/db:5432=db.shop.svc:5432",
            "shop/db[StatefulSet]=db.shop.svc:5432",
            "shop/db[StatefulSet]:x=db.shop.svc:5432",
            "shop/d`b[StatefulSet]:1=db.shop.svc:5432",
            "internet=a b:443",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
