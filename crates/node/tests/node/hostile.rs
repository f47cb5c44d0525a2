//! A root may be a stranger's: it leads nowhere else, holds nobody up, and its credentials are not read.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::{Duration, SystemTime};

use node::{Family, Root};

use super::shapes::{self, CANARY, Shape};
use super::{read, told};

#[test]
fn links_lead_nowhere_outside() {
    let outside = Shape::new();
    outside.write("/secret", 0o644, "ID=stolen\n");
    let target = outside.at("/secret");
    let shape = shapes::ubuntu_2404();
    // As the node sees it: an absolute link begins at the node's root.
    shape.link("/etc/os-release", target.to_str().unwrap());
    assert_eq!(told(&read(&shape), &["os", "id"]), "absent");
    let up = "../".repeat(30) + target.to_str().unwrap().trim_start_matches('/');
    shape.link("/etc/os-release", &up);
    assert_eq!(told(&read(&shape), &["os", "id"]), "absent");
    // A folder is no way out either.
    let folder = outside.path().to_str().unwrap();
    shape.link("/escape", folder);
    let root = Root::open(shape.path()).unwrap();
    assert_eq!(root.read("/escape/secret"), Ok(None));
    assert_eq!(root.read(&("/".to_owned() + &up)), Ok(None));
    assert_eq!(root.list("/escape"), Ok(None));
    // Inside they lead where the node's own would.
    shape
        .write("/usr/lib/os-release", 0o644, "ID=ubuntu\n")
        .link("/etc/os-release", "/usr/lib/os-release");
    assert_eq!(
        told(&read(&shape), &["os", "id"]),
        "ubuntu @ /etc/os-release:1"
    );
    // Links of a process lead to its own files: the kernel follows them past any root.
    let root = Root::open(std::path::Path::new("/")).unwrap();
    assert!(root.read("/proc/self/root/etc/passwd").is_err());
}

#[test]
fn links_in_circles_and_deep_includes_end() {
    let shape = shapes::ubuntu_2404();
    shape
        .link("/etc/hostname", "/etc/hostname")
        .write(
            "/etc/ssh/sshd_config",
            0o600,
            "Include /etc/ssh/sshd_config\n",
        )
        .link("/etc/kubernetes/d/loop", "/etc/kubernetes/d")
        .replace(
            "/etc/default/kubelet",
            "--max-pods=110",
            "--config-dir=/etc/kubernetes/d",
        );
    let reading = read(&shape);
    assert_eq!(reading.name, "node");
    assert!(told(&reading, &["ssh", "permitRootLogin"]).contains("included too deeply"));
}

#[test]
fn fifos_and_long_files_hold_nobody_up() {
    let shape = shapes::ubuntu_2404();
    for path in [
        "/etc/default/kubeletconfig.json",
        "/etc/fstab",
        "/etc/kubernetes/azure.json",
    ] {
        shape.remove(path);
        let made = Command::new("mkfifo").arg(shape.at(path)).status().unwrap();
        assert!(made.success());
    }
    let long = fs::File::create(shape.at("/etc/os-release")).unwrap();
    long.set_len(1 << 40).unwrap();
    // Whoever opened a FIFO would wait for ever.
    let begun = SystemTime::now();
    let reading = read(&shape);
    assert!(begun.elapsed().unwrap() < Duration::from_secs(60));
    let unread: Vec<String> = reading.unread.iter().map(|unread| unread.noun()).collect();
    assert_eq!(
        unread,
        [
            "/etc/default/kubeletconfig.json (no regular file)",
            "/etc/fstab (no regular file)",
            "/etc/os-release (longer than 4 MB)",
        ]
    );
    assert!(
        told(&reading, &["kubelet", "anonymousAuth"])
            .starts_with("unknown: /etc/default/kubeletconfig.json (no regular file)")
    );
}

#[test]
fn credentials_are_never_read_by_whatever_name() {
    let shape = shapes::ubuntu_2404();
    // What says "read me" leads to what must not be read: by a link of either kind, or as the kubelet's own flag.
    shape.link("/etc/ssh/sshd_config", "/etc/kubernetes/azure.json");
    shape.remove("/etc/fstab");
    fs::hard_link(
        shape.at("/etc/kubernetes/certs/client.key"),
        shape.at("/etc/fstab"),
    )
    .unwrap();
    shape.replace(
        "/etc/systemd/system/kubelet.service.d/10-componentconfig.conf",
        "/etc/default/kubeletconfig.json",
        "/var/lib/kubelet/kubeconfig",
    );
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let guarded = [
        "/etc/kubernetes/azure.json",
        "/etc/kubernetes/certs/client.key",
        "/var/lib/kubelet/kubeconfig",
        "/var/lib/kubelet/bootstrap-kubeconfig",
        "/var/lib/kubelet/pki/kubelet-client-current.pem",
        "/etc/shadow",
        "/etc/ssh/ssh_host_ed25519_key",
    ];
    for path in guarded {
        let file = fs::File::options()
            .write(true)
            .open(shape.at(path))
            .unwrap();
        let times = fs::FileTimes::new().set_accessed(past).set_modified(past);
        file.set_times(times).unwrap();
    }
    let reading = read(&shape);
    for path in guarded {
        let stat = fs::metadata(shape.at(path)).unwrap();
        assert_eq!(stat.atime(), 1_000_000_000, "{path} was read");
    }
    assert!(!format!("{reading:?}").contains(CANARY));
    let told = told(&reading, &["kubelet", "anonymousAuth"]);
    assert!(
        told.starts_with(
            "unknown: /var/lib/kubelet/kubeconfig (it holds credentials, which are never read)"
        ),
        "{told}"
    );
    assert!(
        reading
            .unread
            .iter()
            .any(|unread| unread.path == "/etc/ssh/sshd_config")
    );
    assert!(
        reading
            .unread
            .iter()
            .any(|unread| unread.path == "/etc/fstab")
    );
    // The clock of reads goes: a file that is read has another one.
    let file = shape.at("/etc/passwd");
    let times = fs::FileTimes::new().set_accessed(past).set_modified(past);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_times(times)
        .unwrap();
    fs::read(&file).unwrap();
    assert_ne!(
        fs::metadata(&file).unwrap().atime(),
        1_000_000_000,
        "this file system notes no reads"
    );
}

#[test]
fn what_is_no_linux_root_is_said_so() {
    let shape = shapes::windows();
    let reading = read(&shape);
    assert_eq!(reading.family, Family::Windows);
    assert_eq!(told(&reading, &["kubelet"]), "absent");
    let empty = Shape::new();
    let error = node::probe(empty.path(), None, None).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it has no /etc of a Linux system"),
        "{error}"
    );
    let error = node::probe(&empty.at("/none"), None, None).unwrap_err();
    assert!(
        error.to_string().ends_with("no such file or directory"),
        "{error}"
    );
}

#[test]
fn a_node_calls_itself_by_a_name() {
    let shape = shapes::ubuntu_2404();
    shape.replace(
        "/etc/default/kubelet",
        "--max-pods=110",
        "--hostname-override=../../api/v1/namespaces/x",
    );
    assert_eq!(read(&shape).name, "aks-user-12345678-vmss000000");
    shape.replace(
        "/etc/default/kubelet",
        "../../api/v1/namespaces/x",
        "aks-other",
    );
    assert_eq!(read(&shape).name, "aks-other");
    shape
        .named("a\u{1b}[31m")
        .replace("/etc/default/kubelet", "aks-other", "");
    assert_eq!(read(&shape).name, "node");
}

#[test]
fn nothing_that_stands_in_a_file_stops_the_probes() {
    let nested = "[".repeat(100_000);
    let aliases = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        (0..12)
            .map(|n| format!("b{n}: &b{n} [*a,*a,*a,*a]\n"))
            .collect::<String>()
    );
    let garbage: [&[u8]; 12] = [
        b"",
        b"\0\0\0\0",
        b"\xff\xfe\xfd",
        b"=\n=\n[",
        b"\\\n\\\n\\",
        b"\"",
        b"'''\n$${${}${",
        b"[Service]\nExecStart=\n[Service]\nExecStart=\"${A",
        b"Match\nInclude *\nInclude [\nInclude /etc/ssh/*\n",
        b"- - - - :\n\t? !!x &a *a",
        nested.as_bytes(),
        aliases.as_bytes(),
    ];
    let files = [
        "/etc/os-release",
        "/etc/hostname",
        "/etc/default/kubelet",
        "/etc/default/kubeletconfig.json",
        "/etc/systemd/system/kubelet.service",
        "/etc/systemd/system/kubelet.service.d/10-componentconfig.conf",
        "/etc/ssh/sshd_config",
        "/etc/containerd/config.toml",
        "/etc/fstab",
        "/etc/sysctl.d/60-CIS.conf",
        "/etc/modprobe.d/CIS.conf",
        "/etc/default/grub.d/99-aks-cis.cfg",
        "/etc/apt/apt.conf.d/20auto-upgrades",
        "/proc/1/net/tcp",
        "/proc/modules",
        "/proc/swaps",
        "/proc/9/comm",
        "/proc/9/cmdline",
        "/run/reboot-required.pkgs",
        "/run/reboot-required",
    ];
    for bytes in garbage {
        // All of them, then each alone.
        let shape = shapes::ubuntu_2404();
        for path in files {
            shape.write(path, 0o644, "");
            fs::write(shape.at(path), bytes).unwrap();
        }
        read(&shape);
        for path in files.iter().take(11) {
            let shape = shapes::ubuntu_2404();
            fs::write(shape.at(path), bytes).unwrap();
            // Names of a node come from files, and stay names.
            let name = read(&shape).name;
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)),
                "{name}"
            );
        }
    }
}
