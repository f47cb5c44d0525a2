//! What `--from` and `--to` name.

use ::analysis::reach::{End, Ranges, Reach, Workload, address};

use crate::failure::Failure;

/// One end that is asked about, or several.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// `namespace/`
    Namespace(String),
    /// `namespace/name` or `name`, with or without `[Kind]`
    Workload {
        namespace: Option<String>,
        name: String,
        kind: Option<String>,
    },
    /// An address, a block, `internet`, `metadata`
    Addresses(Ranges),
    ApiServer,
    Node,
}

impl Place {
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "internet" => return Self::Addresses(address::public()),
            "metadata" => return Self::Addresses(address::single(address::METADATA.into())),
            "api-server" | "apiserver" => return Self::ApiServer,
            "node" | "nodes" | "kubelet" => return Self::Node,
            _ => {}
        }
        if let Some(block) = address::block(word) {
            return Self::Addresses(block);
        }
        let (word, kind) = match word.strip_suffix(']').and_then(|word| word.split_once('[')) {
            Some((word, kind)) => (word, Some(kind.to_owned())),
            None => (word, None),
        };
        match word.split_once('/') {
            Some((namespace, "" | "*")) => Self::Namespace(namespace.to_owned()),
            Some((namespace, name)) => Self::Workload {
                namespace: Some(namespace.to_owned()),
                name: name.to_owned(),
                kind,
            },
            None => Self::Workload {
                namespace: None,
                name: word.to_owned(),
                kind,
            },
        }
    }

    pub(crate) fn addresses(&self) -> Option<Ranges> {
        match self {
            Self::Addresses(addresses) => Some(addresses.clone()),
            _ => None,
        }
    }

    pub(crate) fn holds(&self, workload: &Workload) -> bool {
        match self {
            Self::Namespace(namespace) => *namespace == *workload.namespace,
            Self::Workload {
                namespace,
                name,
                kind,
            } => {
                *name == *workload.name
                    && namespace
                        .as_ref()
                        .is_none_or(|namespace| *namespace == *workload.namespace)
                    && kind
                        .as_ref()
                        .is_none_or(|kind| kind.eq_ignore_ascii_case(&workload.kind))
            }
            _ => false,
        }
    }

    /// Whether this names an end that is no workload.
    pub(crate) fn is(&self, end: End, addresses: Option<&Ranges>) -> bool {
        match (self, end) {
            (Self::Addresses(wanted), End::External(_)) => {
                addresses.is_some_and(|addresses| wanted.covers(addresses))
            }
            (Self::ApiServer, End::ApiServer) | (Self::Node, End::OwnNode | End::OtherNode) => true,
            _ => false,
        }
    }

    /// Refuses what looks like an address and is none.
    pub(crate) fn must_be_written_well(&self, word: &str) -> anyhow::Result<()> {
        let looks = !word.is_empty()
            && word
                .chars()
                .all(|one| one.is_ascii_hexdigit() || matches!(one, '.' | ':' | '/'));
        let numbers = word.contains('.') && word.chars().any(|one| one.is_ascii_digit())
            || word.contains("::");
        let whole = word.split('/').next().unwrap_or_default();
        let dotted = whole.split('.').count() == 4 || whole.contains(':');
        if matches!(self, Self::Workload { .. }) && looks && numbers && dotted {
            return Err(Failure::new(format!("`{word}` is no address and no block"))
                .help("write `10.1.2.3` or `10.0.0.0/8`")
                .into());
        }
        Ok(())
    }

    pub(crate) fn must_exist(&self, word: &str, reach: &Reach) -> anyhow::Result<()> {
        let named = match self {
            Self::Namespace(_) | Self::Workload { .. } => reach
                .workloads()
                .iter()
                .any(|workload| self.holds(workload)),
            _ => true,
        };
        if named {
            return Ok(());
        }
        let part = word
            .rsplit('/')
            .find(|part| !part.is_empty())
            .unwrap_or(word);
        let near: Vec<String> = reach
            .workloads()
            .iter()
            .filter(|workload| workload.name.contains(part) || workload.namespace.contains(part))
            .take(5)
            .map(|workload| format!("{}/{}", workload.namespace, workload.name))
            .collect();
        let help = if near.is_empty() {
            "write `namespace/name`, `namespace/`, an address, `internet`, `metadata`, `api-server` or `node`"
                .to_owned()
        } else {
            format!("perhaps {}", near.join(", "))
        };
        Err(Failure::new(format!("there is no workload `{word}`"))
            .help(help)
            .into())
    }
}
