//! Nodes by their files: each shape of AKS, each flaw planted once and found where it stands, and what other benchmarks
//! get wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::run::{DAY, Json, Ran, text};
use shapes::Shape;

#[path = "../../../node/tests/node/shapes.rs"]
pub(crate) mod shapes;

/// The binary as root: files of the fixtures belong to whoever runs the tests, who is root of a user namespace then.
pub(crate) fn run(args: &[&str]) -> Ran {
    let program = env!("CARGO_BIN_EXE_seawall");
    let id = Command::new("id").arg("-u").output().unwrap();
    let mut command = if id.stdout == b"0\n" {
        Command::new(program)
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", program]);
        command
    };
    let output = command
        .args(args)
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

fn judged(shape: &Shape, args: &[&str]) -> Json {
    let root = shape.path().to_str().unwrap();
    let own = ["node", "--root", root, "--as-of", DAY, "--format", "json"];
    run(&[own.as_slice(), args].concat()).json()
}

/// `guideline verdict path:line`, sorted.
pub(crate) fn told(finding: &Value) -> String {
    let place = &finding["locations"][0];
    format!(
        "{} {} {}:{}",
        text(&finding["guideline"]),
        text(&finding["verdict"]),
        text(&place["path"]),
        place["line"]
    )
}

fn all(report: &Json) -> BTreeSet<String> {
    report.list("/findings").iter().map(told).collect()
}

fn fails(report: &Json) -> Vec<String> {
    let all = all(report).into_iter();
    all.filter(|told| told.contains(" fail ")).collect()
}

#[test]
fn a_default_node_has_two_things_to_set() {
    for shape in [
        shapes::ubuntu_2204(),
        shapes::ubuntu_2404(),
        shapes::azure_linux_3(),
    ] {
        let report = judged(&shape, &[]);
        let ids: Vec<String> = fails(&report)
            .iter()
            .map(|told| told.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(ids, ["bench-kubelet-pids-ciphers", "bench-kubelet-seccomp"]);
        assert_eq!(report.code, 0);
        let unread: Vec<&Value> = report
            .list("/coverage/documents")
            .iter()
            .filter(|entry| entry["status"] != "assessed")
            .collect();
        assert!(unread.is_empty(), "{unread:#?}");
    }
}

#[test]
fn a_hardened_node_has_nothing() {
    let report = judged(&shapes::hardened(), &["--verdicts", "all"]);
    assert_eq!(all(&report), BTreeSet::new());
    let passes: BTreeSet<&str> = report
        .list("/verdicts")
        .iter()
        .filter(|verdict| verdict["verdict"] == "pass")
        .map(|verdict| text(&verdict["guideline"]))
        .collect();
    assert!(passes.len() > 20, "{passes:#?}");
    let report = judged(&shapes::hardened(), &["--framework", "cis-aks-1.8"]);
    assert_eq!((report.code, report.list("/findings").len()), (0, 0));
}

#[test]
fn an_old_node_is_open() {
    let report = judged(&shapes::old(), &[]);
    assert_eq!(report.code, 1);
    let unit = "/etc/systemd/system/kubelet.service:7";
    let found = all(&report);
    for wanted in [
        format!("bench-kubelet-anonymous fail {unit}"),
        format!("bench-kubelet-authz fail {unit}"),
        format!("bench-kubelet-client-ca fail {unit}"),
        format!("bench-kubelet-readonly-port fail {unit}"),
        format!("bench-kubelet-cert-rotation fail {unit}"),
        "up-node-os-supported fail /etc/os-release:2".to_owned(),
    ] {
        assert!(found.contains(&wanted), "{wanted}: {found:#?}");
    }
}

#[test]
fn a_windows_node_is_named() {
    let shape = shapes::windows();
    let root = shape.path().to_str().unwrap();
    let ran = run(&["node", "--root", root]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.out
            .contains("it is the root of a Windows node, which is not read"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains(shapes::CANARY));
}

#[test]
fn this_machine_is_judged_without_error() {
    let ran = run(&["node", "--format", "json"]);
    assert!([0, 1, 4].contains(&ran.code), "{}{}", ran.out, ran.err);
    let report = ran.json();
    let own = report
        .list("/coverage/documents")
        .iter()
        .filter(|entry| entry["kind"] == "Node" && entry["status"] == "assessed");
    assert_eq!(own.count(), 1);
}

/// A flaw: what is changed of a hardened node, and the only finding that comes of it.
type Plant = (&'static str, fn(&Shape), &'static str);

const KUBELET: &str = "/etc/default/kubelet";
const CONFIG: &str = "/etc/default/kubeletconfig.json";
const SSHD: &str = "/etc/ssh/sshd_config";

fn flag(shape: &Shape, flag: &str) {
    shape.replace(KUBELET, "--max-pods=110", flag);
}

#[rustfmt::skip]
const PLANTS: &[Plant] = &[
    ("anonymous", |s| flag(s, "--anonymous-auth=true"), "bench-kubelet-anonymous fail /etc/default/kubelet:1"),
    ("authz", |s| flag(s, "--authorization-mode=AlwaysAllow"), "bench-kubelet-authz fail /etc/default/kubelet:1"),
    ("tokens", |s| { s.replace(CONFIG, "\"webhook\": { \"enabled\": true }", "\"webhook\": { \"enabled\": false }"); }, "bench-kubelet-authz fail /etc/default/kubeletconfig.json:6"),
    ("client-ca", |s| { s.replace(CONFIG, "/etc/kubernetes/certs/ca.crt", ""); }, "bench-kubelet-client-ca fail /etc/systemd/system/kubelet.service:7"),
    ("readonly", |s| flag(s, "--read-only-port 10255"), "bench-kubelet-readonly-port fail /etc/default/kubelet:1"),
    ("streaming", |s| flag(s, "--streaming-connection-idle-timeout=0"), "bench-kubelet-streaming-timeout fail /etc/default/kubelet:1"),
    ("iptables", |s| flag(s, "--make-iptables-util-chains=false"), "bench-kubelet-kernel-iptables fail /etc/default/kubelet:1"),
    ("events", |s| flag(s, "--event-qps=1"), "bench-kubelet-events fail /etc/default/kubelet:1"),
    ("client-rotation", |s| { s.replace(CONFIG, "\"rotateCertificates\": true", "\"rotateCertificates\": false"); }, "bench-kubelet-cert-rotation fail /etc/default/kubeletconfig.json:14"),
    ("serving-rotation", |s| { s.replace(KUBELET, "--rotate-server-certificates=true", "--rotate-server-certificates=false"); }, "bench-kubelet-cert-rotation fail /etc/default/kubelet:1"),
    ("serving-gate", |s| flag(s, "--feature-gates=RotateKubeletServerCertificate=false"), "bench-kubelet-cert-rotation fail /etc/default/kubelet:1"),
    ("ciphers", |s| { s.replace(CONFIG, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"); }, "bench-kubelet-pids-ciphers fail /etc/default/kubeletconfig.json:19"),
    ("static-pod", |s| { s.write("/etc/kubernetes/manifests/miner.yaml", 0o644, "kind: Pod\n"); }, "bench-static-pods fail /etc/kubernetes/manifests/miner.yaml:1"),
    ("static-url", |s| flag(s, "--manifest-url=http://10.0.0.4/pod"), "bench-static-pods fail /etc/default/kubelet:1"),
    ("kubeconfig", |s| { s.mode("/var/lib/kubelet/kubeconfig", 0o666); }, "bench-kubeconfig-file fail /var/lib/kubelet/kubeconfig:1"),
    ("azure-json", |s| { s.mode("/etc/kubernetes/azure.json", 0o644); }, "bench-kubelet-config-file fail /etc/kubernetes/azure.json:1"),
    ("config-mode", |s| { s.mode(CONFIG, 0o602); }, "bench-kubelet-config-file fail /etc/default/kubeletconfig.json:1"),
    ("unit-mode", |s| { s.mode("/etc/systemd/system/kubelet.service", 0o646); }, "bench-node-files fail /etc/systemd/system/kubelet.service:1"),
    ("script-folder", |s| { s.mode("/opt/azure/containers", 0o777); }, "bench-node-files fail /opt/azure/containers/kubelet.sh:1"),
    ("key-mode", |s| { s.mode("/etc/kubernetes/certs/client.key", 0o644); }, "bench-node-credentials fail /etc/kubernetes/certs/client.key:1"),
    ("shadow", |s| { s.mode("/etc/shadow", 0o644); }, "bench-node-credentials fail /etc/shadow:1"),
    ("ssh-password", |s| { s.replace(SSHD, "\nPasswordAuthentication no", "\nPasswordAuthentication yes"); }, "bench-node-ssh fail /etc/ssh/sshd_config:6"),
    ("ssh-root", |s| { s.replace(SSHD, "PermitRootLogin no\n", ""); }, "bench-node-ssh fail /etc/ssh/sshd_config:1"),
    ("ssh-match", |s| { s.append("/etc/ssh/sshd_config.d/99-aks-cis.conf", "Match Group admin\nPasswordAuthentication yes\n"); }, "bench-node-ssh fail /etc/ssh/sshd_config.d/99-aks-cis.conf:4"),
    ("sysctl", |s| { s.write("/etc/sysctl.d/99-tuning.conf", 0o644, "kernel.randomize_va_space = 0\n"); }, "bench-node-sysctls fail /etc/sysctl.d/99-tuning.conf:1"),
    ("sysctl-live", |s| { s.write("/proc/sys/net/ipv4/tcp_syncookies", 0o644, "0\n"); }, "bench-node-sysctls fail /proc/sys/net/ipv4/tcp_syncookies:1"),
    ("module", |s| { s.replace("/etc/modprobe.d/CIS.conf", "install jffs2 /bin/true", "blacklist jffs2"); }, "bench-node-modules fail /etc/modprobe.d:1"),
    ("shm", |s| { s.replace("/etc/fstab", "nosuid,noexec", "nosuid"); }, "bench-node-shm fail /etc/fstab:3"),
    ("swap", |s| { s.append("/etc/fstab", "/mnt/swapfile none swap sw 0 0\n"); }, "bench-node-swap fail /etc/fstab:4"),
    ("apparmor", |s| { s.append("/etc/default/grub.d/99-aks-cis.cfg", "GRUB_CMDLINE_LINUX=\"apparmor=0\"\n"); }, "bench-node-apparmor fail /etc/default/grub.d/99-aks-cis.cfg:2"),
    ("containerd", |s| { s.append("/etc/containerd/config.toml", "[grpc]\n  tcp_address = \"0.0.0.0:2375\"\n"); }, "bench-node-containerd fail /etc/containerd/config.toml:7"),
    ("registry", |s| { s.write("/etc/containerd/certs.d/docker.io/hosts.toml", 0o644, "[host.\"http://mirror:5000\"]\ncapabilities = [\"pull\"]\n"); }, "bench-node-containerd fail /etc/containerd/certs.d/docker.io/hosts.toml:2"),
    ("restart", |s| { s.write("/run/reboot-required", 0o644, ""); restarted(s); }, "up-no-pending-reboot fail /run/reboot-required:1"),
    ("differs", |s| { runs(s, "--anonymous-auth=false"); }, "bench-kubelet-as-configured fail /proc/9/cmdline:1"),
    ("pids", |s| { s.replace(CONFIG, "4096", "-1"); }, "bench-kubelet-pids-ciphers fail /etc/default/kubeletconfig.json:11"),
    ("seccomp", |s| { s.replace(CONFIG, "\"seccompDefault\": true", "\"seccompDefault\": false"); }, "bench-kubelet-seccomp fail /etc/default/kubeletconfig.json:12"),
    ("ended", |s| { s.replace("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"", "ID=azurelinux\nVERSION_ID=\"2.0\""); }, "up-node-os-supported fail /etc/os-release:2"),
];

/// The restart was asked for long before the tests' day.
fn restarted(shape: &Shape) {
    let file = std::fs::File::options()
        .write(true)
        .open(shape.at("/run/reboot-required"))
        .unwrap();
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000);
    file.set_times(std::fs::FileTimes::new().set_modified(then))
        .unwrap();
}

/// A kubelet that was started otherwise than its files say.
fn runs(shape: &Shape, more: &str) {
    let line = format!(
        "/opt/bin/kubelet --enable-server --v=2 --volume-plugin-dir=/etc/kubernetes/volumeplugins --kubeconfig /var/lib/kubelet/kubeconfig --bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig --config {CONFIG} --max-pods=110 --rotate-server-certificates=true {more}"
    );
    let words: String = line.split(' ').map(|word| format!("{word}\0")).collect();
    shape
        .write("/proc/9/comm", 0o444, "kubelet\n")
        .write("/proc/9/cmdline", 0o444, &words);
}

#[test]
fn each_flaw_is_found_once_and_where_it_stands() {
    let mut roots = Vec::new();
    for (name, plant, _) in PLANTS {
        let shape = shapes::hardened();
        shape.named(name);
        plant(&shape);
        roots.push(shape);
    }
    // All nodes are one estate.
    let mut args = vec![
        "assess",
        "--as-of",
        DAY,
        "--chapter",
        "cluster",
        "--format",
        "json",
    ];
    for shape in &roots {
        args.extend(["--node", shape.path().to_str().unwrap()]);
    }
    let report = run(&args).json();
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in report.list("/findings") {
        let name = text(&finding["resource"]["name"]);
        found.entry(name).or_default().push(told(finding));
    }
    let mut wrong = Vec::new();
    for (name, _, wanted) in PLANTS {
        let own = found.remove(name).unwrap_or_default();
        if own != [*wanted] {
            wrong.push(format!("{name}: wanted {wanted}, got {own:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found.is_empty(), "{found:#?}");
    assert!(!report.value.to_string().contains(shapes::CANARY));
}

#[test]
fn what_benchmarks_misread_is_read_right() {
    let framework = ["--framework", "cis-aks-1.8"];
    // azure.json is taken as the kubelet's configuration, since it comes first in a list.
    let shape = shapes::ubuntu_2404();
    shape.replace(
        CONFIG,
        "\"anonymous\": {}",
        "\"anonymous\": {\"enabled\": true}",
    );
    shape.write(
        "/etc/kubernetes/azure.json",
        0o600,
        "{\"authentication\": {\"anonymous\": {\"enabled\": false}}}",
    );
    assert_eq!(
        fails(&judged(&shape, &framework)),
        ["bench-kubelet-anonymous fail /etc/default/kubeletconfig.json:5"]
    );
    // The authorization mode is looked for in the flag for anonymous callers.
    let shape = shapes::ubuntu_2204();
    shape.replace(
        KUBELET,
        "--authorization-mode=Webhook",
        "--authorization-mode=AlwaysAllow",
    );
    assert_eq!(
        fails(&judged(&shape, &framework)),
        ["bench-kubelet-authz fail /etc/default/kubelet:1"]
    );
    // A credential that everybody reads passes as 644 or tighter.
    let shape = shapes::ubuntu_2404();
    shape.mode("/etc/kubernetes/azure.json", 0o644);
    assert_eq!(
        fails(&judged(&shape, &framework)),
        ["bench-kubelet-config-file fail /etc/kubernetes/azure.json:1"]
    );
    // The mode of another file is taken for that of azure.json.
    let shape = shapes::ubuntu_2404();
    shape.mode(CONFIG, 0o644);
    assert_eq!(fails(&judged(&shape, &framework)), Vec::<String>::new());
    // Serving certificates are judged by a gate that has been on for years.
    let shape = shapes::ubuntu_2404();
    shape.replace(
        CONFIG,
        "\"serverTLSBootstrap\": true",
        "\"featureGates\": {\"RotateKubeletServerCertificate\": true}",
    );
    shape.replace(KUBELET, " --rotate-server-certificates=true", "");
    assert_eq!(
        fails(&judged(&shape, &framework)),
        ["bench-kubelet-cert-rotation fail /etc/systemd/system/kubelet.service:7"]
    );
    // Five events a second are an appropriate level, not a failure.
    let shape = shapes::ubuntu_2404();
    shape.replace(CONFIG, "\"eventRecordQPS\": 0", "\"eventRecordQPS\": 5");
    assert_eq!(fails(&judged(&shape, &framework)), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_unknown_and_said() {
    let shape = shapes::hardened();
    shape.remove(CONFIG).folder(CONFIG);
    let root = shape.path().to_str().unwrap();
    let report = judged(&shape, &[]);
    assert_eq!(report.code, 4);
    let anonymous = report
        .list("/findings")
        .iter()
        .find(|finding| finding["guideline"] == "bench-kubelet-anonymous")
        .unwrap();
    assert_eq!(anonymous["verdict"], "unknown");
    assert_eq!(
        text(&anonymous["message"]),
        "cannot tell: it depends on `/etc/default/kubeletconfig.json (no regular file)`"
    );
    let ran = run(&["node", "--root", root, "--as-of", DAY]);
    assert!(
        ran.out.contains("/etc/default/kubeletconfig.json"),
        "{}",
        ran.out
    );
    let ran = run(&["node", "--root", "/none/of/these"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("cannot read `/none/of/these` as the root of a node: no such file"),
        "{}",
        ran.err
    );
}

#[test]
fn a_kept_node_is_judged_elsewhere_beside_its_cluster() {
    let shape = shapes::old();
    shape.named("aks-a");
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("node.snapshot");
    let kept = kept.to_str().unwrap();
    let root = shape.path().to_str().unwrap();
    let taken = run(&["snapshot", "--node", root, "-o", kept]);
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    let nodes = folder.path().join("nodes.yaml");
    std::fs::write(&nodes, "apiVersion: v1\nkind: Node\nmetadata: {name: aks-a, labels: {kubernetes.io/os: linux}}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: aks-b, labels: {kubernetes.io/os: linux}}\n").unwrap();
    let nodes = nodes.to_str().unwrap();
    let report = run(&["assess", nodes, "--snapshot", kept, "--format", "json"]).json();
    let beside: Vec<String> = report
        .list("/findings")
        .iter()
        .filter(|finding| text(&finding["guideline"]).starts_with("bench-"))
        .map(|finding| format!("{} {}", text(&finding["resource"]["name"]), told(finding)))
        .collect();
    assert!(
        beside.contains(&format!("aks-b bench-run-fresh fail {nodes}:7")),
        "{beside:#?}"
    );
    assert!(
        !beside
            .iter()
            .any(|told| told.starts_with("aks-a bench-run-fresh")),
        "{beside:#?}"
    );
    assert!(
        beside.contains(
            &"aks-a bench-kubelet-anonymous fail /etc/systemd/system/kubelet.service:7".to_owned()
        ),
        "{beside:#?}"
    );
    // The same as in place.
    let place: BTreeSet<String> = all(&judged(&shape, &[]));
    let again: BTreeSet<String> = report
        .list("/findings")
        .iter()
        .filter(|finding| finding["resource"]["apiVersion"] == "seawall.dev/v1")
        .map(told)
        .collect();
    assert_eq!(place, again);
}

#[test]
fn people_read_it_at_80_columns() {
    let shape = shapes::ubuntu_2404();
    shape.mode("/etc/kubernetes/azure.json", 0o644);
    let root = shape.path().to_str().unwrap();
    let ran = run(&["node", "--root", root, "--as-of", DAY]);
    insta::assert_snapshot!(ran.out.replace(root, "ROOT"), @r#"
    high[bench-kubelet-config-file]: Only root changes the kubelet's
        configuration and reads azure.json
      `/etc/kubernetes/azure.json` says with which identity the node speaks to
      Azure, and on clusters that act as a service principal its password stands in
      it, in clear.
     --> /etc/kubernetes/azure.json:1:1  Node aks-user-12345678-vmss000000
      | files[7].allows[0]: "group-read"
      | `/etc/kubernetes/azure.json` has mode 0644; it may hold a password, and root
      | alone may read it
      |
      = cost: 0.25 days of work
      = more: seawall explain bench-kubelet-config-file

    medium[bench-kubelet-seccomp]: Pods without a seccomp profile get the
        runtime's on this node
      A pod that names no seccomp profile may use every system call of the node's
      kernel, unless the kubelet gives it the runtime's profile (`seccompDefault`).
     --> /etc/systemd/system/kubelet.service:7:1  Node aks-user-12345678-vmss000000
      | kubelet.seccompDefault: false
      | pods that name no profile may use every system call
      |
      = cost: 0.5 to 2 days of work; may break programs that use rare system calls,
              until they name a profile of their own
      = more: seawall explain bench-kubelet-seccomp

    low[bench-kubelet-pids-ciphers]: A pod cannot take all processes, and
        ciphers of the kubelet are strong
      A pod that starts processes without end takes those of the whole node, and
      with them the kubelet and its neighbours.
     --> /etc/systemd/system/kubelet.service:7:1  Node aks-user-12345678-vmss000000
      | kubelet.podPidsLimit: -1
      | a pod may start as many processes as the node has
      |
      = cost: 0.5 to 2 days of work; may break programs that start very many threads
      = more: seawall explain bench-kubelet-pids-ciphers

                 fail  unknown
    critical        0        0
    high            1        0
    medium          1        0
    low             1        0
    total           3        0

    by aspect     api-server 0, traffic 0, images 0, secrets 1, network-isolation 0,
                  pods 2
    by principle  minimise-attack-surface 1, defense-in-depth 1, secure-defaults 3,
                  least-privilege 1
    attack paths  not weighed: only a part of the guide was judged

    judged 1 resource by 25 guidelines; everything was read
    exit 1: 1 finding at or above high
    next: seawall explain bench-kubelet-config-file
          why it matters, how to mend it, and how to accept it
    "#);
}
