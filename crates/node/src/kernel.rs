//! How the kernel is set: sysctls, modules, mounts, swap, AppArmor and SELinux. Where it runs, by what it says itself;
//! else by the files that set it, and then a value that no file sets is not known.

use std::collections::BTreeMap;

use crate::root::Root;
use crate::value::{Data, Place, Value};

/// Sysctls that are read. Wanted values stand in the guide.
const SYSCTLS: &[&str] = &[
    "fs.protected_hardlinks",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.dmesg_restrict",
    "kernel.kptr_restrict",
    "kernel.randomize_va_space",
    "kernel.unprivileged_bpf_disabled",
    "kernel.yama.ptrace_scope",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.default.accept_redirects",
    "net.ipv4.conf.all.secure_redirects",
    "net.ipv4.conf.default.secure_redirects",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.conf.default.send_redirects",
    "net.ipv4.conf.all.accept_source_route",
    "net.ipv4.conf.default.accept_source_route",
    "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.tcp_syncookies",
    "net.ipv6.conf.all.accept_redirects",
    "net.ipv6.conf.default.accept_redirects",
];

/// Folders of settings, the ones that count most first (`sysctl.d(5)`).
const SYSCTL_FOLDERS: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];

/// Modules that nodes have no use for. CIS Ubuntu Linux 24.04 LTS, 1.1.1 and 3.2, as AKS publishes its results:
/// <https://learn.microsoft.com/azure/aks/cis-ubuntu>.
const MODULES: &[&str] = &[
    "cramfs",
    "freevxfs",
    "hfs",
    "hfsplus",
    "jffs2",
    "udf",
    "usb_storage",
    "dccp",
    "rds",
    "sctp",
    "tipc",
];

/// Mounts that are told.
const MOUNTS: &[&str] = &["/dev/shm", "/tmp", "/var/tmp", "/home", "/var/log"];

/// Everything of this module.
#[must_use]
pub fn read(root: &Root) -> Vec<(&'static str, Option<Value>)> {
    let (apparmor, selinux) = modules_of_security(root);
    vec![
        ("sysctls", Some(sysctls(root))),
        ("modules", Some(modules(root))),
        ("mounts", Some(mounts(root))),
        ("swap", Some(swap(root))),
        ("apparmor", Some(apparmor)),
        ("selinux", Some(selinux)),
    ]
}

/// Names of `.conf` files in folders, read in the order of names; of one name the first folder counts.
fn by_name(root: &Root, folders: &[&str]) -> (Vec<String>, Option<String>) {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut unread = None;
    for folder in folders {
        match root.list(folder) {
            Ok(names) => {
                for name in names.unwrap_or_default() {
                    if name.ends_with(".conf") {
                        let path = format!("{folder}/{name}");
                        files.entry(name).or_insert(path);
                    }
                }
            }
            Err(error) => {
                unread.get_or_insert(error.noun());
            }
        }
    }
    (files.into_values().collect(), unread)
}

fn sysctls(root: &Root) -> Value {
    let (files, mut unread) = by_name(root, &SYSCTL_FOLDERS);
    let mut set: BTreeMap<String, (String, Place)> = BTreeMap::new();
    for path in files {
        let text = match root.read(&path) {
            Ok(text) => text.unwrap_or_default(),
            Err(error) => {
                unread.get_or_insert(error.noun());
                continue;
            }
        };
        for (number, line) in (1u32..).zip(text.lines()) {
            let line = line.trim().trim_start_matches('-');
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some((name, value)) = line.split_once('=') {
                let name = name.trim().replace('/', ".");
                set.insert(name, (value.trim().to_owned(), Place::new(&path, number)));
            }
        }
    }
    let own_network = own_network(root);
    let runs = root.has("/proc/sys/kernel/osrelease") && root.is_kernel("/proc/sys");
    let items = SYSCTLS.iter().map(|name| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        // What stands below `net` is the network of whoever reads.
        let live = (!name.starts_with("net.") || own_network)
            .then(|| root.read_quietly(&path).ok().flatten())
            .flatten();
        let file = set.get(*name);
        let place = match (&live, file) {
            (Some(live), Some((value, place))) if live.trim() == value => place.clone(),
            (Some(_), _) => Place::new(&path, 1),
            (None, Some((_, place))) => place.clone(),
            (None, None) => Place::new("/etc/sysctl.d", 1),
        };
        let from = if live.is_some() { "kernel" } else { "file" };
        // A kernel that says what it is set to, and has no such switch.
        let lacks = live.is_none() && runs && (!name.starts_with("net.") || own_network);
        let value = match (live, file, &unread) {
            (Some(live), ..) => Value::new(live.trim(), &place),
            _ if lacks => {
                Value::unknown(format!("{name}, which this kernel does not have"), &place)
            }
            (None, _, Some(unread)) => Value::unknown(unread.clone(), &place),
            (None, Some((value, _)), None) => Value::new(value.as_str(), &place),
            (None, None, None) => Value::unknown(
                format!("{name}, which no file sets and the kernel decides"),
                &place,
            ),
        };
        Value::map(
            [
                ("name", Some(Value::new(*name, &place))),
                ("value", Some(value)),
                ("from", Some(Value::new(from, &place))),
            ],
            &place,
        )
    });
    Value::new(items.collect::<Vec<_>>(), &Place::new("/etc/sysctl.d", 1))
}

/// Whether `/proc/sys/net` of the root is the network of the node: it is a copy, or whoever reads has the node's.
fn own_network(root: &Root) -> bool {
    if root.is_own() || !root.is_kernel("/proc/sys") {
        return true;
    }
    let own = std::fs::read_link("/proc/self/ns/net").ok();
    own.is_some()
        && own.as_deref().and_then(|path| path.to_str()) == root.link("/proc/1/ns/net").as_deref()
}

fn modules(root: &Root) -> Value {
    let place = Place::new("/etc/modprobe.d", 1);
    let folders = [
        "/etc/modprobe.d",
        "/run/modprobe.d",
        "/usr/local/lib/modprobe.d",
        "/usr/lib/modprobe.d",
        "/lib/modprobe.d",
    ];
    let (files, mut unread) = by_name(root, &folders);
    let mut refused: BTreeMap<String, Place> = BTreeMap::new();
    for path in files {
        match root.read(&path) {
            Ok(text) => {
                for (number, line) in (1u32..).zip(text.unwrap_or_default().lines()) {
                    let mut words = line.split_ascii_whitespace();
                    // A module on a black list is loaded still, when it is asked for by its name.
                    if words.next() == Some("install")
                        && let (Some(name), Some(command)) = (words.next(), words.next())
                        && (command.ends_with("/true") || command.ends_with("/false"))
                    {
                        let place = Place::new(&path, number);
                        refused.entry(name.replace('-', "_")).or_insert(place);
                    }
                }
            }
            Err(error) => {
                unread.get_or_insert(error.noun());
            }
        }
    }
    let live = root.read_quietly("/proc/modules").ok().flatten();
    // A kernel that runs and has no such file loads no modules at all.
    let fixed = live.is_none() && root.is_kernel("/proc/sys");
    let items = MODULES.iter().map(|name| {
        let own = refused.get(*name);
        let place = own.unwrap_or(&place);
        let is_refused = match (&unread, own) {
            _ if fixed => Value::new(true, &Place::new("/proc/modules", 1)),
            (Some(unread), None) => Value::unknown(unread.clone(), place),
            _ => Value::new(own.is_some(), place),
        };
        let loaded = match &live {
            Some(live) => {
                let mut lines = live.lines();
                let place = Place::new("/proc/modules", 1);
                Value::new(
                    lines.any(|line| line.split(' ').next() == Some(*name)),
                    &place,
                )
            }
            None if fixed => Value::new(false, &Place::new("/proc/modules", 1)),
            None => Value::unknown("/proc/modules, which is not there", place),
        };
        Value::map(
            [
                ("name", Some(Value::new(*name, place))),
                ("refused", Some(is_refused)),
                ("loaded", Some(loaded)),
            ],
            place,
        )
    });
    Value::new(items.collect::<Vec<_>>(), &place)
}

/// `device at type options …`, as in `/proc/mounts` and `/etc/fstab`.
fn table(text: &str) -> impl Iterator<Item = (u32, Vec<&str>)> {
    (1u32..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.split_ascii_whitespace().collect::<Vec<_>>()))
        .filter(|(_, words)| {
            words.len() >= 4 && !words.first().is_some_and(|word| word.starts_with('#'))
        })
}

fn mounts(root: &Root) -> Value {
    let live = if root.is_own() {
        "/proc/mounts"
    } else {
        "/proc/1/mounts"
    };
    let (path, text) = match root.read_quietly(live) {
        Ok(Some(text)) => (live, Ok(Some(text))),
        _ => ("/etc/fstab", root.read("/etc/fstab")),
    };
    let place = Place::new(path, 1);
    let text = match text {
        Ok(text) => text.unwrap_or_default(),
        Err(unread) => return Value::unknown(unread.noun(), &place),
    };
    // The last one covers what was mounted there before.
    let mut found: BTreeMap<&str, Value> = BTreeMap::new();
    for (number, words) in table(&text) {
        let [_, at, kind, options, ..] = words.as_slice() else {
            continue;
        };
        let Some(at) = MOUNTS.iter().find(|wanted| *wanted == at) else {
            continue;
        };
        let place = Place::new(path, number);
        let options = options.split(',').map(|option| Value::new(option, &place));
        found.insert(
            at,
            Value::map(
                [
                    ("at", Some(Value::new(*at, &place))),
                    ("type", Some(Value::new(*kind, &place))),
                    (
                        "options",
                        Some(Value::new(options.collect::<Vec<_>>(), &place)),
                    ),
                ],
                &place,
            ),
        );
    }
    Value::new(found.into_values().collect::<Vec<_>>(), &place)
}

fn swap(root: &Root) -> Value {
    if let Ok(Some(text)) = root.read_quietly("/proc/swaps") {
        let place = Place::new("/proc/swaps", 1);
        let devices = (1u32..)
            .zip(text.lines())
            .skip(1)
            .filter_map(|(number, line)| {
                let device = line.split_ascii_whitespace().next()?;
                Some(Value::new(device, &Place::new("/proc/swaps", number)))
            });
        return Value::new(devices.collect::<Vec<_>>(), &place);
    }
    let place = Place::new("/etc/fstab", 1);
    match root.read("/etc/fstab") {
        Ok(text) => {
            let text = text.unwrap_or_default();
            let devices = table(&text).filter_map(|(number, words)| {
                let [device, _, "swap", ..] = words.as_slice() else {
                    return None;
                };
                Some(Value::new(*device, &Place::new("/etc/fstab", number)))
            });
            Value::new(devices.collect::<Vec<_>>(), &place)
        }
        Err(unread) => Value::unknown(unread.noun(), &place),
    }
}

/// AppArmor (whether it is on), and SELinux (`enforcing`, `permissive`, `disabled`).
fn modules_of_security(root: &Root) -> (Value, Value) {
    let path = "/sys/module/apparmor/parameters/enabled";
    let place = Place::new(path, 1);
    let apparmor = match root.read_quietly(path) {
        Ok(Some(text)) => Value::new(text.trim() == "Y", &place),
        // A kernel that runs and has no such module has it off.
        _ if root.has("/sys/module") => Value::new(false, &place),
        _ => of_grub(root),
    };
    let (file, config) = ("/sys/fs/selinux/enforce", "/etc/selinux/config");
    let selinux = match root.read_quietly(file) {
        Ok(Some(text)) => {
            let word = if text.trim() == "1" {
                "enforcing"
            } else {
                "permissive"
            };
            Value::new(word, &Place::new(file, 1))
        }
        _ if root.has("/sys/module") => Value::new("disabled", &Place::new(config, 1)),
        _ => match root.read(config) {
            Ok(text) => {
                let text = text.unwrap_or_default();
                let found = (1u32..).zip(text.lines()).find_map(|(number, line)| {
                    let word = line.trim().strip_prefix("SELINUX=")?;
                    Some(Value::new(
                        word.trim().to_ascii_lowercase(),
                        &Place::new(config, number),
                    ))
                });
                found.unwrap_or_else(|| Value::new("disabled", &Place::new(config, 1)))
            }
            Err(unread) => Value::unknown(unread.noun(), &Place::new(config, 1)),
        },
    };
    (apparmor, selinux)
}

/// Whether the boot loader asks for AppArmor, where the kernel does not run.
fn of_grub(root: &Root) -> Value {
    let mut files = vec!["/etc/default/grub".to_owned()];
    let (more, _) = by_cfg(root);
    files.extend(more);
    let mut last: Option<Value> = None;
    for path in files {
        let text = root.read(&path).ok().flatten().unwrap_or_default();
        for (number, line) in (1u32..).zip(text.lines()) {
            let line = line.trim();
            if !line.starts_with("GRUB_CMDLINE_LINUX") {
                continue;
            }
            let words = line.split(|c: char| c.is_whitespace() || c == '"' || c == '\'');
            let mut values = words.filter_map(|word| word.strip_prefix("apparmor="));
            let on = values.next_back().map(|value| value == "1");
            if let Some(on) = on {
                last = Some(Value::new(on, &Place::new(&path, number)));
            }
        }
    }
    last.unwrap_or_else(|| Value {
        data: Data::Unknown(
            "/sys/module/apparmor, which is not there (the node does not run)".to_owned(),
        ),
        place: Place::new("/etc/default/grub", 1),
    })
}

fn by_cfg(root: &Root) -> (Vec<String>, Option<String>) {
    let folder = "/etc/default/grub.d";
    match root.list(folder) {
        Ok(names) => {
            let names = names.unwrap_or_default().into_iter();
            let files = names.filter(|name| name.ends_with(".cfg"));
            (files.map(|name| format!("{folder}/{name}")).collect(), None)
        }
        Err(unread) => (Vec::new(), Some(unread.noun())),
    }
}
