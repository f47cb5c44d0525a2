//! Modes and owners of the files that matter, without their contents.
//!
//! Which files an AKS node has: <https://github.com/Azure/AgentBaker>, `parts/linux/cloud-init/artifacts`.

use std::collections::BTreeSet;

use crate::kubelet::{self, Kubelet};
use crate::root::{KEY_FOLDERS, Root, Stat, Unread};
use crate::value::{Place, Value};

/// A file and what it is for.
#[derive(Debug)]
struct Wanted {
    path: String,
    /// `azure-json`, `kubeconfig`, …
    is: &'static str,
    /// It holds credentials.
    secret: bool,
}

const FIXED: &[(&str, &str, bool)] = &[
    ("/etc/kubernetes/azure.json", "azure-json", true),
    (
        "/etc/kubernetes/custom-cloud-config/azure.json",
        "azure-json",
        true,
    ),
    ("/etc/default/kubelet", "environment", false),
    ("/etc/containerd/config.toml", "containerd-config", false),
    ("/run/containerd/containerd.sock", "runtime-socket", true),
    ("/etc/ssh/sshd_config", "sshd-config", false),
    ("/etc/shadow", "password-hashes", true),
    ("/etc/gshadow", "password-hashes", true),
    ("/etc/passwd", "accounts", false),
    ("/etc/group", "accounts", false),
    ("/etc/crontab", "cron", false),
    ("/root/.ssh/authorized_keys", "authorized-keys", false),
];

/// Folders whose files are run or obeyed by root.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("/etc/ssh/sshd_config.d", ".conf", "sshd-config"),
    ("/etc/cni/net.d", "", "cni-config"),
    ("/etc/cron.d", "", "cron"),
    ("/opt/azure/containers", ".sh", "root-script"),
    ("/etc/containerd/certs.d", "", "containerd-config"),
];

/// What the kubelet starts without asking.
const STATIC_POD: &str = "static-pod";

/// Where kubeadm and kube-bench expect a kubeconfig of the kubelet when nothing names one.
const KUBECONFIGS: [&str; 2] = [
    "/var/lib/kubelet/kubeconfig",
    "/etc/kubernetes/kubelet.conf",
];

/// Looks at all of them. What is not there is left out.
#[must_use]
pub fn look(root: &Root, kubelet: Option<&Kubelet>) -> Vec<Value> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut want = |path: String, is: &'static str, secret: bool| {
        if !wanted.iter().any(|one| one.path == path) {
            wanted.push(Wanted { path, is, secret });
        }
    };
    of_kubelet(kubelet, &mut want);
    for (path, is, secret) in FIXED {
        want((*path).to_owned(), is, *secret);
    }
    for unit in ["kubelet.service", "containerd.service"] {
        for folder in kubelet::UNIT_FOLDERS {
            want(format!("{folder}/{unit}"), "unit", false);
        }
    }
    // Folders that could not be listed, with what may stand in them.
    let mut hidden: Vec<(String, &'static str, bool, Unread)> = Vec::new();
    let mut names = |folder: &str, is: &'static str, secret: bool| {
        root.list(folder).unwrap_or_else(|unread| {
            hidden.push((folder.to_owned(), is, secret, unread));
            None
        })
    };
    for (folder, ending, is) in FOLDERS {
        for name in names(folder, is, false).unwrap_or_default() {
            if name.ends_with(ending) {
                want(format!("{folder}/{name}"), is, false);
            }
        }
    }
    for folder in KEY_FOLDERS.iter().copied().chain(["/etc/ssh"]) {
        for name in names(folder, "private-key", true).unwrap_or_default() {
            let key = name.ends_with(".key")
                || name.ends_with(".pem")
                || (name.starts_with("ssh_host_") && name.ends_with("_key"));
            if key {
                want(format!("{folder}/{name}"), "private-key", true);
            } else if name.ends_with(".crt") {
                want(format!("{folder}/{name}"), "certificate", false);
            }
        }
    }
    if let Some(folder) = kubelet.and_then(|kubelet| kubelet.static_pods.as_deref()) {
        let folder = folder.trim_end_matches('/');
        match names(folder, STATIC_POD, false) {
            Some(names) => {
                for name in names.iter().filter(|name| !name.starts_with('.')) {
                    want(format!("{folder}/{name}"), STATIC_POD, false);
                }
            }
            // It may be one file.
            None => want(folder.to_owned(), STATIC_POD, false),
        }
    }
    // `/lib` is a link to `/usr/lib` nearly everywhere.
    let mut units = BTreeSet::new();
    wanted.retain(|wanted| {
        wanted.is != "unit"
            || root
                .stat(&wanted.path)
                .ok()
                .flatten()
                .is_none_or(|stat| units.insert(stat.id))
    });
    let found = wanted.iter().filter_map(|wanted| file(root, wanted));
    let hidden = hidden.into_iter().map(|(folder, is, secret, unread)| {
        let place = Place::new(&folder, 1);
        // Whether there is a static pod at all is what is asked of them.
        let is = if is == STATIC_POD {
            Value::unknown(unread.noun(), &place)
        } else {
            Value::new(is, &place)
        };
        unknown(&folder, is, secret, &unread)
    });
    found.chain(hidden).collect()
}

/// A file of which nothing is known but what it would be.
fn unknown(path: &str, is: Value, secret: bool, unread: &Unread) -> Value {
    let place = Place::new(path, 1);
    let about = [
        ("path", Some(Value::new(path, &place))),
        ("is", Some(is)),
        ("secret", Some(Value::new(secret, &place))),
    ];
    let unknown = |key| (key, Some(Value::unknown(unread.noun(), &place)));
    let rest = ["mode", "uid", "gid", "allows", "openFolder"].map(unknown);
    Value::map(about.into_iter().chain(rest), &place)
}

fn of_kubelet(kubelet: Option<&Kubelet>, want: &mut dyn FnMut(String, &'static str, bool)) {
    let Some(kubelet) = kubelet else {
        return;
    };
    match &kubelet.kubeconfig {
        Some(path) => want(path.clone(), "kubeconfig", true),
        None => {
            for path in KUBECONFIGS {
                want(path.to_owned(), "kubeconfig", true);
            }
        }
    }
    let bootstrap = kubelet.bootstrap.clone();
    want(
        bootstrap.unwrap_or_else(|| "/var/lib/kubelet/bootstrap-kubeconfig".to_owned()),
        "kubeconfig",
        true,
    );
    for path in &kubelet.config_files {
        want(path.clone(), "kubelet-config", false);
    }
    for path in &kubelet.unit_files {
        want(path.clone(), "unit", false);
    }
    if let Some(path) = &kubelet.client_ca {
        want(path.clone(), "authority", false);
    }
}

fn file(root: &Root, wanted: &Wanted) -> Option<Value> {
    let place = Place::new(&wanted.path, 1);
    let about = [
        ("path", Some(Value::new(wanted.path.as_str(), &place))),
        ("is", Some(Value::new(wanted.is, &place))),
        ("secret", Some(Value::new(wanted.secret, &place))),
    ];
    let stat = match root.stat(&wanted.path) {
        Ok(None) => return None,
        Ok(Some(stat)) if stat.folder => return None,
        Ok(Some(stat)) => stat,
        Err(unread) => {
            let is = Value::new(wanted.is, &place);
            return Some(unknown(&wanted.path, is, wanted.secret, &unread));
        }
    };
    let allows = allowed(stat)
        .map(|word| Value::new(word, &place))
        .collect::<Vec<_>>();
    let seen = [
        (
            "mode",
            Some(Value::new(format!("{:04o}", stat.mode), &place)),
        ),
        ("uid", Some(Value::new(stat.uid, &place))),
        ("gid", Some(Value::new(stat.gid, &place))),
        ("allows", Some(Value::new(allows, &place))),
        ("openFolder", open_folder(root, &wanted.path, &place)),
    ];
    Some(Value::map(about.into_iter().chain(seen), &place))
}

/// What others than the owner may do.
fn allowed(stat: Stat) -> impl Iterator<Item = &'static str> {
    [
        (0o040, "group-read"),
        (0o020, "group-write"),
        (0o010, "group-execute"),
        (0o004, "others-read"),
        (0o002, "others-write"),
        (0o001, "others-execute"),
    ]
    .into_iter()
    .filter(move |(bit, _)| stat.mode & bit != 0)
    .map(|(_, word)| word)
}

/// The first folder on the way to a file in which somebody else than root may put another one in its place.
fn open_folder(root: &Root, path: &str, place: &Place) -> Option<Value> {
    let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    for end in ends {
        let folder = path.get(..end).filter(|folder| !folder.is_empty());
        let folder = folder.unwrap_or("/");
        match root.stat(folder) {
            Err(unread) => return Some(Value::unknown(unread.noun(), place)),
            Ok(Some(stat)) => {
                // In a folder with the sticky bit only owners replace what is theirs.
                let sticky = stat.mode & 0o1000 != 0;
                let others = stat.mode & 0o002 != 0 || (stat.mode & 0o020 != 0 && stat.gid != 0);
                if stat.uid != 0 || (others && !sticky) {
                    return Some(Value::new(folder, place));
                }
            }
            Ok(None) => return None,
        }
    }
    None
}
