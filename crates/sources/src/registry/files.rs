//! Files in an image that matter: shells, package managers, sudo, servers of SSH. Known from the names in its layers;
//! what is inside them is not looked at.

use std::collections::{BTreeMap, BTreeSet};

/// Programs by what they are, as distributions call them.
const PROGRAMS: [(&str, &[&str]); 4] = [
    (
        "shells",
        &["sh", "bash", "ash", "dash", "zsh", "ksh", "busybox", "pwsh"],
    ),
    (
        "packageManagers",
        &[
            "apt", "apt-get", "dpkg", "apk", "yum", "dnf", "microdnf", "tdnf", "rpm", "zypper",
            "pacman",
        ],
    ),
    ("sudo", &["sudo", "doas"]),
    ("ssh", &["sshd", "dropbear"]),
];

/// Where programs stand.
const FOLDERS: [&str; 7] = [
    "bin",
    "sbin",
    "usr/bin",
    "usr/sbin",
    "usr/local/bin",
    "usr/local/sbin",
    "usr/lib/sudo",
];

/// What layers leave of programs, from the lowest to the uppermost.
#[derive(Default)]
pub(super) struct Files {
    found: BTreeMap<String, &'static str>,
}

impl Files {
    /// A layer lies over the others.
    pub(super) fn add(&mut self, names: &[String]) {
        // What a layer takes away is below it, whatever comes first in it
        // (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts).
        for name in names {
            let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
            if last == ".wh..wh..opq" {
                self.remove(folder, true);
            } else if let Some(gone) = last.strip_prefix(".wh.") {
                let path = if folder.is_empty() {
                    gone.to_owned()
                } else {
                    format!("{folder}/{gone}")
                };
                self.remove(&path, false);
            }
        }
        for name in names {
            let Some((folder, last)) = name.rsplit_once('/') else {
                continue;
            };
            if !FOLDERS.contains(&folder) {
                continue;
            }
            let kind = PROGRAMS.iter().find(|(_, names)| names.contains(&last));
            if let Some((kind, _)) = kind {
                self.found.insert(name.clone(), kind);
            }
        }
    }

    fn remove(&mut self, path: &str, only_below: bool) {
        let below = format!("{path}/");
        self.found.retain(|name, _| {
            let gone = path.is_empty() || name.starts_with(&below) || !only_below && name == path;
            !gone
        });
    }

    /// Paths by what they are; every kind is there.
    pub(super) fn by_kind(self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut all: BTreeMap<&'static str, BTreeSet<String>> = PROGRAMS
            .iter()
            .map(|(kind, _)| (*kind, BTreeSet::new()))
            .collect();
        for (name, kind) in self.found {
            all.entry(kind).or_default().insert(format!("/{name}"));
        }
        all
    }
}

/// Whether a name is one that [`Files`] needs.
pub(super) fn matters(name: &str) -> bool {
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    last.starts_with(".wh.") || FOLDERS.contains(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_layer_takes_away_is_gone() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let mut files = Files::default();
        files.add(&names(&[
            "bin/sh",
            "usr/bin/sudo",
            "usr/sbin/sshd",
            "srv/bin/sh",
            "usr/bin/apt",
        ]));
        files.add(&names(&[
            "usr/bin/.wh.sudo",
            "usr/sbin/.wh..wh..opq",
            "usr/sbin/dropbear",
        ]));
        let all = files.by_kind();
        assert_eq!(all["shells"], BTreeSet::from(["/bin/sh".to_owned()]));
        assert_eq!(
            all["packageManagers"],
            BTreeSet::from(["/usr/bin/apt".to_owned()])
        );
        assert!(all["sudo"].is_empty());
        assert_eq!(
            all["ssh"],
            BTreeSet::from(["/usr/sbin/dropbear".to_owned()])
        );
        let mut files = Files::default();
        files.add(&names(&["usr/bin/sudo"]));
        files.add(&names(&[".wh.usr"]));
        assert!(files.by_kind()["sudo"].is_empty());
    }
}
