//! Probes over root folders: what holds, where it stands, and what a hostile root does not get.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests stop like tests")]

#[path = "node/hostile.rs"]
mod hostile;
#[path = "node/kubelet.rs"]
mod kubelet;
#[path = "node/shapes.rs"]
mod shapes;

use node::{Data, Reading, Value};
use shapes::Shape;

/// What the probes say of a root.
fn read(shape: &Shape) -> Reading {
    node::probe(shape.path(), None, None).unwrap()
}

/// A value as text, with its place: `false @ /etc/default/kubelet:1`.
fn told(reading: &Reading, way: &[&str]) -> String {
    reading.document.at(way).map_or("absent".to_owned(), shown)
}

fn shown(value: &Value) -> String {
    format!(
        "{} @ {}:{}",
        plain(value),
        value.place.file,
        value.place.line
    )
}

fn plain(value: &Value) -> String {
    match &value.data {
        Data::Bool(truth) => truth.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Text(text) => text.clone(),
        Data::Unknown(why) => format!("unknown: {why}"),
        Data::List(items) => format!(
            "[{}]",
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        ),
        Data::Map(entries) => format!(
            "{{{}}}",
            entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", plain(value)))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

#[test]
fn this_machine_is_read() {
    let reading = node::probe(std::path::Path::new("/"), None, None).unwrap();
    assert!(!reading.name.is_empty());
    assert!(matches!(
        reading.document.at(&["live"]).unwrap().data,
        Data::Bool(true)
    ));
    // The running kernel says it: whatever it is, it is known.
    let sysctls = reading.document.at(&["sysctls"]).unwrap();
    let aslr = sysctls
        .items()
        .iter()
        .find(|item| item.at(&["name"]).unwrap().text() == Some("kernel.randomize_va_space"))
        .unwrap();
    let held = std::fs::read_to_string("/proc/sys/kernel/randomize_va_space").unwrap();
    assert_eq!(aslr.at(&["value"]).unwrap().text(), Some(held.trim()));
    // A port that is listened on is seen.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = i64::from(listener.local_addr().unwrap().port());
    let again = node::probe(std::path::Path::new("/"), None, None).unwrap();
    let listeners = again.document.at(&["listeners"]).unwrap().items();
    let own = listeners
        .iter()
        .find(|item| item.at(&["port"]).unwrap().data == Data::Int(port))
        .unwrap();
    assert_eq!(own.at(&["loopback"]).unwrap().data, Data::Bool(true));
}

#[test]
fn a_default_node_is_read_from_its_files() {
    let shape = shapes::ubuntu_2204();
    let reading = read(&shape);
    assert_eq!(reading.name, "aks-user-12345678-vmss000000");
    assert_eq!(reading.unread, []);
    assert_eq!(
        told(&reading, &["os", "version"]),
        "22.04 @ /etc/os-release:3"
    );
    assert_eq!(told(&reading, &["live"]), "false @ /:1");
    assert_eq!(
        told(&reading, &["apparmor"]),
        "true @ /etc/default/grub.d/99-aks-cis.cfg:1"
    );
    assert_eq!(told(&reading, &["swap"]), "[] @ /etc/fstab:1");
    assert_eq!(
        told(&reading, &["automaticUpdates"]),
        "false @ /etc/apt/apt.conf.d/20auto-upgrades:2"
    );
    assert_eq!(told(&reading, &["restart", "due"]), "false @ /run:1");
    assert_eq!(
        told(&reading, &["mounts"]),
        "[{at: /dev/shm, type: tmpfs, options: [nodev, nosuid, noexec]}] @ /etc/fstab:1"
    );
    assert_eq!(
        told(&reading, &["listeners"]),
        "unknown: /proc/net/tcp, which is not there (the node does not run) @ /proc/net/tcp:1"
    );
    assert!(told(&reading, &["metadataRestricted"]).starts_with("unknown: the rules of iptables"));
    let sysctls: Vec<String> = reading
        .document
        .at(&["sysctls"])
        .unwrap()
        .items()
        .iter()
        .map(shown)
        .collect();
    assert!(
        sysctls.contains(
            &"{name: fs.suid_dumpable, value: 0, from: file} @ /etc/sysctl.d/60-CIS.conf:19"
                .to_owned()
        ),
        "{sysctls:#?}"
    );
    assert!(sysctls.iter().any(|item| item.starts_with("{name: kernel.dmesg_restrict, value: unknown: kernel.dmesg_restrict, which no file sets")), "{sysctls:#?}");
    assert_eq!(
        told(&reading, &["ssh"]),
        "{permitRootLogin: no, passwordAuthentication: no, kbdInteractiveAuthentication: no, permitEmptyPasswords: no, hostbasedAuthentication: no, permitUserEnvironment: no, maxAuthTries: 4, exceptions: [], enabled: true} @ /etc/ssh/sshd_config:1"
    );
    let azure = reading
        .document
        .at(&["files"])
        .unwrap()
        .items()
        .iter()
        .find(|file| file.at(&["is"]).unwrap().text() == Some("azure-json"));
    let azure = shown(azure.unwrap());
    assert!(
        azure.contains("secret: true, mode: 0600") && azure.contains("allows: []}"),
        "{azure}"
    );
}

#[test]
fn sshd_is_read_as_sshd_reads_it() {
    let shape = shapes::ubuntu_2404();
    // An Include above counts first, and a Match counts for some only.
    shape
        .write("/etc/ssh/sshd_config", 0o600, "Include sshd_config.d/*.conf\nPasswordAuthentication no\nMatch User deploy\n  PasswordAuthentication yes\nMatch all\nPermitRootLogin no\n")
        .write("/etc/ssh/sshd_config.d/50-a.conf", 0o600, "PasswordAuthentication yes\n")
        .write("/etc/ssh/sshd_config.d/60-b.conf", 0o600, "PasswordAuthentication no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n");
    let reading = read(&shape);
    assert_eq!(
        told(&reading, &["ssh", "passwordAuthentication"]),
        "yes @ /etc/ssh/sshd_config.d/50-a.conf:1"
    );
    assert_eq!(
        told(&reading, &["ssh", "permitRootLogin"]),
        "no @ /etc/ssh/sshd_config:6"
    );
    assert_eq!(
        told(&reading, &["ssh", "exceptions"]),
        "[{setting: permitRootLogin, value: yes, match: Address 10.0.0.0/8}, {setting: passwordAuthentication, value: yes, match: User deploy}] @ /etc/ssh/sshd_config:1"
    );
    // What cannot be read may set what comes behind it.
    shape
        .remove("/etc/ssh/sshd_config.d/50-a.conf")
        .folder("/etc/ssh/sshd_config.d/50-a.conf");
    let reading = read(&shape);
    assert_eq!(
        told(&reading, &["ssh", "passwordAuthentication"]),
        "unknown: /etc/ssh/sshd_config.d/50-a.conf (no regular file) @ /etc/ssh/sshd_config:1"
    );
}

#[test]
fn a_running_kernel_counts_more_than_files() {
    let shape = shapes::ubuntu_2404();
    shape
        .write("/proc/sys/kernel/randomize_va_space", 0o644, "0\n")
        .write("/proc/sys/kernel/yama/ptrace_scope", 0o644, "1\n")
        .write("/proc/sys/kernel/osrelease", 0o644, "6.8.0-1020-azure\n")
        .write(
            "/proc/swaps",
            0o644,
            "Filename Type Size Used Priority\n/mnt/swapfile file 1 0 -2\n",
        )
        .write(
            "/proc/modules",
            0o644,
            "sctp 1 0 - Live 0x0\nusb_storage 1 0 - Live 0x0\n",
        )
        .write(
            "/proc/1/mounts",
            0o444,
            "tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n",
        )
        .write(
            "/proc/1/net/tcp",
            0o444,
            "  sl  local_address\n   0: 00000000:280F 00000000:0000 0A 0 0 0\n",
        )
        .folder("/sys/module/apparmor/parameters")
        .folder("/lib/modules/6.8.0-1021-azure")
        .folder("/lib/modules/6.8.0-1019-azure")
        .folder("/lib/modules/6.11.0-1-generic");
    let reading = read(&shape);
    let items = |key: &str| -> Vec<String> {
        reading
            .document
            .at(&[key])
            .unwrap()
            .items()
            .iter()
            .map(shown)
            .collect()
    };
    let sysctls = items("sysctls");
    assert!(sysctls.contains(&"{name: kernel.randomize_va_space, value: 0, from: kernel} @ /proc/sys/kernel/randomize_va_space:1".to_owned()), "{sysctls:#?}");
    assert!(sysctls.contains(&"{name: kernel.yama.ptrace_scope, value: 1, from: kernel} @ /etc/sysctl.d/60-CIS.conf:15".to_owned()), "{sysctls:#?}");
    assert_eq!(items("swap"), ["/mnt/swapfile @ /proc/swaps:2"]);
    assert_eq!(
        items("mounts"),
        ["{at: /dev/shm, type: tmpfs, options: [rw, nosuid, nodev]} @ /proc/1/mounts:1"]
    );
    assert_eq!(
        items("listeners"),
        ["{port: 10255, loopback: false} @ /proc/net/tcp:1"]
    );
    let modules = items("modules");
    assert!(
        modules
            .contains(&"{name: sctp, refused: false, loaded: true} @ /etc/modprobe.d:1".to_owned()),
        "{modules:#?}"
    );
    assert!(
        modules.contains(
            &"{name: usb_storage, refused: true, loaded: true} @ /etc/modprobe.d/CIS.conf:6"
                .to_owned()
        ),
        "{modules:#?}"
    );
    assert_eq!(
        told(&reading, &["apparmor"]),
        "false @ /sys/module/apparmor/parameters/enabled:1"
    );
    assert_eq!(
        told(&reading, &["restart", "packages"]),
        "[kernel 6.8.0-1021-azure] @ /lib/modules:1"
    );
}

#[test]
fn containerd_is_read_with_its_imports() {
    let shape = shapes::azure_linux_3();
    shape
        .replace("/etc/containerd/config.toml", "version = 2\n", "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n")
        .write("/etc/containerd/conf.d/10.toml", 0o644, "[grpc]\ntcp_address = '0.0.0.0:2375'\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\nendpoint = [\"http://mirror.shop:5000\"]\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"a\".auth]\npassword = \"canary-of-the-node-4711\"\n")
        .write("/etc/containerd/certs.d/docker.io/hosts.toml", 0o644, "server = \"https://docker.io\"\n[host.\"https://mirror.shop\"]\n  skip_verify = true\n");
    let reading = read(&shape);
    assert_eq!(
        told(&reading, &["containerd", "tcpAddress"]),
        "0.0.0.0:2375 @ /etc/containerd/conf.d/10.toml:2"
    );
    let open: Vec<String> = reading
        .document
        .at(&["containerd", "openRegistries"])
        .unwrap()
        .items()
        .iter()
        .map(shown)
        .collect();
    assert_eq!(
        open,
        [
            "{name: docker.io, why: it is spoken to without TLS} @ /etc/containerd/conf.d/10.toml:4",
            "{name: docker.io, why: its certificate is not checked} @ /etc/containerd/certs.d/docker.io/hosts.toml:3",
        ]
    );
    assert!(!format!("{reading:?}").contains(shapes::CANARY));
}

#[test]
fn a_run_folder_that_is_kept_from_us_says_nothing() {
    let shape = shapes::ubuntu_2404();
    shape
        .write("/proc/sys/kernel/osrelease", 0o644, "6.8.0-1020-azure\n")
        .folder("/run");
    assert_eq!(
        told(&read(&shape), &["restart", "due"]),
        "unknown: /run (it is not shown) @ /run:1"
    );
    shape.folder("/run/systemd");
    assert_eq!(told(&read(&shape), &["restart", "due"]), "false @ /run:1");
}

#[test]
fn what_cannot_be_listed_may_hold_anything() {
    let shape = shapes::ubuntu_2404();
    // More names than are read, so that it is so for root too.
    for number in 0..=node::root::MOST_NAMES {
        shape.write(&format!("/etc/kubernetes/manifests/{number}"), 0o600, "");
        shape.write(&format!("/etc/cron.d/{number}"), 0o600, "");
    }
    let reading = read(&shape);
    let files = reading.document.at(&["files"]).unwrap().items().iter();
    let hidden: Vec<String> = files
        .map(shown)
        .filter(|file| file.contains("more than"))
        .collect();
    assert_eq!(hidden.len(), 2, "{hidden:#?}");
    assert!(hidden.iter().any(|file| file.starts_with("{path: /etc/cron.d, is: cron, secret: false, mode: unknown: /etc/cron.d (more than 4096 files)")), "{hidden:#?}");
    assert!(hidden.iter().any(|file| file.starts_with("{path: /etc/kubernetes/manifests, is: unknown: /etc/kubernetes/manifests (more than 4096 files)")), "{hidden:#?}");
}
