//! Root folders as AKS nodes have them, made anew for each test. Shapes follow
//! <https://github.com/Azure/AgentBaker>, `parts/linux/cloud-init/artifacts`; texts are our own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// What stands in azure.json, in keys and in kubeconfigs: it must be found nowhere.
pub(crate) const CANARY: &str = "canary-of-the-node-4711";

/// A root folder that is gone after the test.
pub(crate) struct Shape {
    folder: tempfile::TempDir,
}

impl Shape {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o755);
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn folder(&self, path: &str) -> &Self {
        let mut whole = self.path().to_path_buf();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            whole.push(part);
            if !whole.exists() {
                fs::create_dir(&whole).unwrap();
                mode(&whole, 0o755);
            }
        }
        self
    }

    pub(crate) fn write(&self, path: &str, bits: u32, text: &str) -> &Self {
        let (folder, _) = path.rsplit_once('/').unwrap();
        self.folder(folder);
        let whole = self.at(path);
        fs::write(&whole, text).unwrap();
        mode(&whole, bits);
        self
    }

    pub(crate) fn mode(&self, path: &str, bits: u32) -> &Self {
        mode(&self.at(path), bits);
        self
    }

    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        let (folder, _) = path.rsplit_once('/').unwrap();
        self.folder(folder);
        let _ = fs::remove_file(self.at(path));
        symlink(target, self.at(path)).unwrap();
        self
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.at(path)).unwrap();
        self
    }

    /// Replaces the first place of a text, which must be there.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let whole = self.at(path);
        let text = fs::read_to_string(&whole).unwrap();
        assert!(text.contains(from), "{path} holds no `{from}`: {text}");
        fs::write(&whole, text.replacen(from, to, 1)).unwrap();
        self
    }

    pub(crate) fn append(&self, path: &str, text: &str) -> &Self {
        let whole = self.at(path);
        let before = fs::read_to_string(&whole).unwrap();
        fs::write(&whole, before + text).unwrap();
        self
    }

    pub(crate) fn named(&self, name: &str) -> &Self {
        self.write("/etc/hostname", 0o644, &format!("{name}\n"))
    }
}

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

/// Flags that AKS gives where no configuration file is used.
const FLAGS: &str = "--address=0.0.0.0 --anonymous-auth=false --authentication-token-webhook=true --authorization-mode=Webhook --client-ca-file=/etc/kubernetes/certs/ca.crt --cluster-dns=10.0.0.10 --event-qps=0 --max-pods=110 --pod-manifest-path=/etc/kubernetes/manifests --pod-max-pids=-1 --protect-kernel-defaults=true --read-only-port=0 --rotate-certificates=true --rotate-server-certificates=true --streaming-connection-idle-timeout=4h --tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_GCM_SHA256";

/// The same as a configuration file.
pub(crate) const CONFIG: &str = r#"{
  "kind": "KubeletConfiguration",
  "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "authentication": {
    "anonymous": {},
    "webhook": { "enabled": true },
    "x509": { "clientCAFile": "/etc/kubernetes/certs/ca.crt" }
  },
  "authorization": { "mode": "Webhook" },
  "eventRecordQPS": 0,
  "protectKernelDefaults": true,
  "rotateCertificates": true,
  "serverTLSBootstrap": true,
  "staticPodPath": "/etc/kubernetes/manifests",
  "streamingConnectionIdleTimeout": "4h0m0s",
  "tlsCipherSuites": [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
  ]
}
"#;

/// Ubuntu 22.04 as AKS makes it: the kubelet has flags only.
pub(crate) fn ubuntu_2204() -> Shape {
    let shape = ubuntu("22.04");
    shape.write(
        "/etc/default/kubelet",
        0o600,
        &format!("KUBELET_FLAGS={FLAGS}\nKUBELET_REGISTER_SCHEDULABLE=true\nKUBELET_NODE_LABELS=agentpool=user,kubernetes.azure.com/role=agent\n"),
    );
    shape
}

/// Ubuntu 24.04 as AKS makes it: the kubelet has a configuration file.
pub(crate) fn ubuntu_2404() -> Shape {
    let shape = ubuntu("24.04");
    shape
        .write(
            "/etc/default/kubelet",
            0o600,
            "KUBELET_FLAGS=--max-pods=110 --rotate-server-certificates=true\nKUBELET_NODE_LABELS=agentpool=user\n",
        )
        .write("/etc/default/kubeletconfig.json", 0o600, CONFIG)
        .write(
            "/etc/systemd/system/kubelet.service.d/10-componentconfig.conf",
            0o644,
            "[Service]\nEnvironment=\"KUBELET_CONFIG_FILE_FLAGS=--config /etc/default/kubeletconfig.json\"\n",
        );
    shape
}

/// Ubuntu 24.04 with what a customer can set of it.
pub(crate) fn hardened() -> Shape {
    let shape = ubuntu_2404();
    shape.replace(
        "/etc/default/kubeletconfig.json",
        "  \"eventRecordQPS\": 0,",
        "  \"eventRecordQPS\": 0,\n  \"podPidsLimit\": 4096,\n  \"seccompDefault\": true,",
    );
    shape
}

/// Azure Linux 3 as AKS makes it.
pub(crate) fn azure_linux_3() -> Shape {
    let shape = common("azurelinux", "3.0");
    shape
        .write(
            "/etc/default/kubelet",
            0o600,
            &format!("KUBELET_FLAGS={FLAGS}\n"),
        )
        .write(
            "/etc/selinux/config",
            0o644,
            "# comment\nSELINUX=permissive\nSELINUXTYPE=targeted\n",
        )
        .write("/etc/ssh/sshd_config", 0o600, SSHD)
        .link(
            "/etc/systemd/system/multi-user.target.wants/sshd.service",
            "/usr/lib/systemd/system/sshd.service",
        );
    shape
}

/// A node of years ago: a distribution that has ended, a kubelet with hardly a flag.
pub(crate) fn old() -> Shape {
    let shape = common("mariner", "2.0");
    shape
        .write(
            "/etc/default/kubelet",
            0o644,
            "KUBELET_FLAGS=--cloud-provider=azure\n",
        )
        .write("/etc/selinux/config", 0o644, "SELINUX=disabled\n");
    shape
}

/// A Windows node's disk.
pub(crate) fn windows() -> Shape {
    let shape = Shape::new();
    shape
        .folder("/Windows/System32/config")
        .write("/k/azure.json", 0o644, CANARY);
    shape
}

const SSHD: &str = "Port 22\nPermitRootLogin no\nPermitEmptyPasswords no\nHostbasedAuthentication no\nChallengeResponseAuthentication no\nPasswordAuthentication no\nMaxAuthTries 4\nInclude /etc/ssh/sshd_config.d/*.conf\n";

fn ubuntu(version: &str) -> Shape {
    let shape = common("ubuntu", version);
    shape
        .write("/etc/ssh/sshd_config", 0o600, SSHD)
        .write(
            "/etc/ssh/sshd_config.d/99-aks-cis.conf",
            0o600,
            "ClientAliveInterval 120\nClientAliveCountMax 3\n",
        )
        .link("/etc/systemd/system/multi-user.target.wants/ssh.service", "/lib/systemd/system/ssh.service")
        .write("/etc/default/grub", 0o644, "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"quiet\"\n")
        .write(
            "/etc/default/grub.d/99-aks-cis.cfg",
            0o644,
            "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX apparmor=1 security=apparmor\"\n",
        )
        .write(
            "/etc/apt/apt.conf.d/20auto-upgrades",
            0o644,
            "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";\n",
        );
    shape
}

fn common(id: &str, version: &str) -> Shape {
    let shape = Shape::new();
    let secret = |path: &str| {
        shape.write(path, 0o600, CANARY);
    };
    for path in [
        "/etc/kubernetes/azure.json",
        "/etc/kubernetes/certs/client.key",
        "/var/lib/kubelet/pki/kubelet-client-current.pem",
        "/etc/ssh/ssh_host_ed25519_key",
    ] {
        secret(path);
    }
    shape
        .folder("/usr/bin")
        .folder("/etc/kubernetes/manifests")
        .write("/etc/os-release", 0o644, &format!("NAME=\"{id}\"\nID={id}\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"{id} {version}\"\n"))
        .named("aks-user-12345678-vmss000000")
        .write("/etc/kubernetes/certs/ca.crt", 0o644, "certificate\n")
        .write("/var/lib/kubelet/kubeconfig", 0o644, CANARY)
        .write("/var/lib/kubelet/bootstrap-kubeconfig", 0o644, CANARY)
        .write("/etc/shadow", 0o640, CANARY)
        .write("/etc/passwd", 0o644, "root:x:0:0::/root:/bin/bash\n")
        .write("/etc/group", 0o644, "root:x:0:\n")
        .write("/opt/azure/containers/kubelet.sh", 0o744, "#!/bin/bash\n")
        .write("/etc/systemd/system/kubelet.service", 0o644, "[Unit]\nDescription=Kubelet\n[Service]\nRestart=always\nEnvironmentFile=/etc/default/kubelet\nExecStartPre=/bin/bash /opt/azure/containers/kubelet.sh\nExecStart=/opt/bin/kubelet \\\n        --enable-server \\\n        --node-labels=\"${KUBELET_NODE_LABELS}\" \\\n        --v=2 \\\n        --volume-plugin-dir=/etc/kubernetes/volumeplugins \\\n        $KUBELET_TLS_BOOTSTRAP_FLAGS \\\n        $KUBELET_CONFIG_FILE_FLAGS \\\n        $KUBELET_FLAGS\n")
        .write("/etc/systemd/system/kubelet.service.d/10-tlsbootstrap.conf", 0o644, "[Service]\nEnvironment=\"KUBELET_TLS_BOOTSTRAP_FLAGS=--kubeconfig /var/lib/kubelet/kubeconfig --bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig\"\n")
        .write("/etc/containerd/config.toml", 0o644, "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"mcr.microsoft.com/oss/kubernetes/pause:3.6\"\n  [plugins.\"io.containerd.grpc.v1.cri\".registry]\n    config_path = \"/etc/containerd/certs.d\"\n")
        .write("/etc/fstab", 0o644, "# disks\nUUID=1 / ext4 defaults 0 1\ntmpfs /dev/shm tmpfs nodev,nosuid,noexec 0 0\n")
        .write("/etc/sysctl.d/60-CIS.conf", 0o644, SYSCTLS)
        .write("/etc/modprobe.d/CIS.conf", 0o644, "install cramfs /bin/true\ninstall freevxfs /bin/true\ninstall jffs2 /bin/true\ninstall hfs /bin/true\ninstall hfsplus /bin/true\ninstall usb-storage /bin/false\nblacklist udf\n");
    shape
}

const SYSCTLS: &str = "# as the distribution and AKS set it
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.default.accept_source_route = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv4.conf.all.secure_redirects = 0
net.ipv4.conf.default.secure_redirects = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.tcp_syncookies = 1
kernel.randomize_va_space = 2
kernel.yama.ptrace_scope = 1
kernel.unprivileged_bpf_disabled = 2
fs.protected_hardlinks = 1
-fs.protected_symlinks = 1
fs/suid_dumpable = 0
";
