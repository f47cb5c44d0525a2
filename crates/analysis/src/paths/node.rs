//! What an attacker can hold.

use crate::ask::Subject;
use crate::roles::Who;

/// Something that an attacker holds or does not. Numbers lead into the tables of the
/// [`Graph`](super::Graph).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// What everybody has: a way to the API server, a network position (`internet`, `api-server`).
    Base(&'static str),
    /// Code of the attacker's runs in the pods of a workload.
    Workload(u32),
    /// A network position: everything in it reaches the same. Its number is that of the first workload in it.
    Network(u32),
    /// What listens in the pods of a class that no policy tells apart is reached.
    Class(u32),
    /// What listens in any of the classes that are reached from the same positions. Its number is that of the first
    /// of them.
    Classes(u32),
    /// Root on the nodes of a pool; of several pools of which it is not known which, on a node of one of them.
    Pool(u32),
    /// Something else that the nodes of a pool hold: `kubelet-files` (volumes of pods, the kubelet's own
    /// credential), `pod-volumes`, `azure-file` (`/etc/kubernetes/azure.json`), `network` (a place in their network),
    /// `metadata` (answers of the instance metadata service), `pods` and `tokens`
    /// (of what runs there).
    OnNodes(&'static str, u32),
    /// The API server takes the attacker for this subject (a text as in [`subject_key`]).
    Subject(u32),
    /// The rules of a role, somewhere.
    Role {
        /// its number in the estate that rights are read from
        role: u32,
        /// where
        place: Place,
    },
    /// A right that many may hold and that leads to many: what is between, so that not each holder is
    /// joined to each target. Its name is that of an escalation of [`crate::rbac`], or one of the module
    /// that makes it.
    Right(&'static str, Place),
    /// What a Secret of the cluster holds (`namespace/name`).
    Secret(u32),
    /// What is pulled by an image reference (a registry, or a repository in one).
    Images(u32),
    /// Tokens of a principal of Microsoft Entra.
    Principal(u32),
    /// A power over something in Azure: a resource, a group of them, a subscription (its id in lower case).
    /// `owner`, `write`, `vault-secrets`, `push` …
    Power(&'static str, u32),
}

/// Where rights in the cluster hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Everywhere.
    Cluster,
    /// In a namespace.
    Namespace(u32),
}

/// The right to everything.
pub const EVERYTHING: &str = "everything";

/// A subject as a text, by which it is numbered.
#[must_use]
pub fn subject_key(subject: &Subject) -> String {
    match subject {
        Subject::User(name) => format!("user:{name}"),
        Subject::Group(name) => format!("group:{name}"),
        Subject::ServiceAccount { namespace, name } => format!("sa:{namespace}/{name}"),
        Subject::Principal { id, .. } => format!("entra:{id}"),
    }
}

/// A principal of Entra as a text, by which it is numbered: its object id, or the resource whose identity it is
/// and where in it (`/subscriptions/…#properties.principalId`).
#[must_use]
pub fn principal_key(who: &Who) -> String {
    match who {
        Who::Id(id) => id.to_string(),
        Who::Identity { resource, path } => format!("{}#{path}", resource.to_ascii_lowercase()),
        Who::Open(shown) => format!("{{{shown}}}"),
    }
}

/// Texts as numbers.
#[derive(Debug, Default)]
pub struct Texts {
    list: Vec<Box<str>>,
    numbers: std::collections::HashMap<Box<str>, u32>,
}

impl Texts {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The number of a text that has one.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// All, in the order of their numbers.
    pub(crate) fn into_list(self) -> Vec<std::sync::Arc<str>> {
        self.list.into_iter().map(Into::into).collect()
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.list.get(number as usize).map_or("", |text| text)
    }
}
