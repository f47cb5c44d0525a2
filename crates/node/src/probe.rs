//! All probes of a root, as one document.

use std::path::Path;

use crate::root::{Root, RootError, Unread};
use crate::value::{Place, Value};
use crate::{containerd, files, kernel, kubelet, network, ssh, system};

/// What kind of system a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Linux.
    Linux,
    /// Windows, whose settings stand in its registry: it is named, and nothing is said of it.
    Windows,
}

/// What the probes say.
#[derive(Debug)]
pub struct Reading {
    /// The node's name.
    pub name: String,
    /// Its system.
    pub family: Family,
    /// The document: `apiVersion`, `kind`, `metadata`, and a key for each probe.
    pub document: Value,
    /// What was there and could not be read.
    pub unread: Vec<Unread>,
}

/// Reads a root. `name` is what the node is called, where that is not to be read; `now` is noted, in seconds since 1970.
///
/// # Errors
/// When it cannot be opened, or is no root of a system.
pub fn probe(path: &Path, name: Option<&str>, now: Option<i64>) -> Result<Reading, RootError> {
    let root = Root::open(path)?;
    if is_windows(&root) {
        let name = name.map_or_else(|| "windows".to_owned(), str::to_owned);
        let place = Place::new("/", 1);
        let document = Value::map(head(&name, &place), &place);
        return Ok(Reading {
            name,
            family: Family::Windows,
            document,
            unread: Vec::new(),
        });
    }
    if !root.has("/etc") || !(root.has("/usr") || root.has("/lib") || root.has("/etc/os-release")) {
        return Err(RootError {
            shown: root.shown().to_owned(),
            why: "it has no /etc of a Linux system".to_owned(),
        });
    }
    let place = Place::new("/", 1);
    let kubelet = kubelet::read(&root);
    let name = name
        .map(str::to_owned)
        .or_else(|| {
            let named = kubelet.as_ref().and_then(|kubelet| kubelet.name.clone());
            named.filter(|name| is_name(name))
        })
        .or_else(|| host_name(&root))
        .unwrap_or_else(|| "node".to_owned());
    let live = root.has("/proc/sys/kernel");
    let mut entries = head(&name, &place);
    entries.extend([
        (
            "takenAt",
            now.map(|now| Value::new(system::timestamp(now), &place)),
        ),
        ("os", Some(system::os(&root))),
        ("live", Some(Value::new(live, &place))),
        (
            "files",
            Some(Value::new(files::look(&root, kubelet.as_ref()), &place)),
        ),
        ("kubelet", kubelet.map(|kubelet| kubelet.value)),
        ("containerd", containerd::read(&root)),
        ("ssh", ssh::read(&root)),
    ]);
    entries.extend(kernel::read(&root));
    entries.extend([
        ("restart", Some(system::restart(&root))),
        ("automaticUpdates", Some(system::updates(&root))),
        ("listeners", Some(network::listeners(&root))),
        (
            "metadataRestricted",
            Some(Value::unknown(
                "the rules of iptables, which no file holds (`seawall assess --azure` asks the cluster)",
                &place,
            )),
        ),
    ]);
    Ok(Reading {
        document: Value::map(entries, &place),
        name,
        family: Family::Linux,
        unread: root.unread(),
    })
}

fn head(name: &str, place: &Place) -> Vec<(&'static str, Option<Value>)> {
    let metadata = Value::map([("name", Some(Value::new(name, place)))], place);
    vec![
        ("apiVersion", Some(Value::new("seawall.dev/v1", place))),
        ("kind", Some(Value::new("Node", place))),
        ("metadata", Some(metadata)),
    ]
}

fn is_windows(root: &Root) -> bool {
    root.has("/Windows/System32") || root.has("/windows/system32")
}

fn host_name(root: &Root) -> Option<String> {
    let paths = ["/etc/hostname", "/proc/sys/kernel/hostname"];
    paths.into_iter().find_map(|path| {
        let text = root.read_quietly(path).ok().flatten()?;
        let name = text.trim().to_owned();
        is_name(&name).then_some(name)
    })
}

/// Whether a node can be called so in a cluster.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(sound)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}
