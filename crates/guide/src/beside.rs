//! New objects that cannot be written down as a template: what they hold follows from the estate. A guideline's fix
//! names its writer (`new from resource-quota`).
//!
//! Writers are pure functions of what was read. What a rule, a sum or a level cannot be told from is refused with the
//! reason; nothing is made up.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use analysis::Analyses;
use model::Resource;
use model::remedy::NewObject;

use self::flows::Flows;
use crate::judge::Setting;

mod budget;
mod flows;
pub(crate) mod level;
mod network;
mod quantity;

/// What a writer is told.
pub struct Ask<'a> {
    /// What the finding is about.
    pub(crate) resource: &'a Resource,
    pub(crate) setting: &'a Setting,
    /// Present when objects may be joined.
    pub(crate) analyses: Option<&'a Analyses<'a>>,
    /// What was written before.
    pub(crate) cache: &'a Cache,
}

/// What writers found out about the one estate that a judge with remedies is asked about: many findings of a namespace
/// ask for the same.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    flows: OnceLock<Flows>,
    written: Mutex<BTreeMap<Key, Written>>,
}

/// A writer, and the namespace that it wrote for.
type Key = (&'static str, Box<str>);

impl Ask<'_> {
    /// What is written for a namespace, once.
    pub(crate) fn once(
        &self,
        writer: &'static str,
        namespace: &str,
        make: impl FnOnce() -> Written,
    ) -> Written {
        let key = (writer, namespace.into());
        let lock = || {
            let written = self.cache.written.lock();
            written.unwrap_or_else(PoisonError::into_inner)
        };
        let known = lock().get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let written = make();
        lock().insert(key, written.clone());
        written
    }
}

/// What comes of it: objects, or why there are none.
pub(crate) type Written = Result<Vec<NewObject>, Box<str>>;

/// Writes objects that are missing.
pub struct Writer {
    /// As fixes name it.
    pub name: &'static str,
    /// What it makes, for people.
    pub makes: &'static str,
    pub(crate) write: fn(&Ask<'_>) -> Written,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Writer").field(&self.name).finish()
    }
}

/// All writers.
pub static WRITERS: [Writer; 3] = [
    Writer {
        name: "network-policies",
        makes: "NetworkPolicies that deny by default and allow the flows that were declared or seen",
        write: network::policies,
    },
    Writer {
        name: "resource-quota",
        makes: "a ResourceQuota with room above what the namespace's workloads ask for",
        write: budget::resource_quota,
    },
    Writer {
        name: "limit-range",
        makes: "a LimitRange with defaults that the namespace's containers fit in",
        write: budget::limit_range,
    },
];

pub(crate) fn writer(name: &str) -> Result<&'static Writer, String> {
    let found = WRITERS.iter().find(|writer| writer.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = WRITERS.iter().map(|writer| writer.name).collect();
        format!("`{name}` writes nothing; known are: {}", known.join(", "))
    })
}
