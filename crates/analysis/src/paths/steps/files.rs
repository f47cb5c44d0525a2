//! From code in a pod to its node, by files of the node that are mounted into it.
//!
//! What a mount shows is a tree: it holds what lies below its path, so a mount of a parent counts as one of the
//! child, and one of a child shows what lies in it. `/var/run` is `/run`, `/bin` is `/usr/bin` on the nodes' images.
//! Where files lie is said by containerd, the kubelet and AKS' provisioning
//! (github.com/Azure/AgentBaker, parts/linux/cloud-init).

use std::collections::BTreeSet;

use model::Ref;

use super::container::{Container, Found, Holds, Pod, User};
use super::held::{Request, holders};
use crate::ask::Within;
use crate::paths::NodeNo;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::{Node, Place};

/// A path of the node, and how a container sees it.
#[derive(Clone)]
pub(super) struct Mount<'a> {
    /// Without a slash at its end; empty for the root.
    pub(super) path: String,
    pub(super) value: Ref<'a>,
    read_only: bool,
    /// File systems below are read-only too.
    recursively: bool,
    /// Why the path is not known.
    doubt: Option<String>,
}

/// What a mount is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Commands to the container runtime.
    Socket,
    /// Files that the node runs or trusts.
    Write,
    /// `kernel.core_pattern`
    CorePattern,
    /// The kubelet's credential, and tokens and Secrets of pods.
    KubeletFiles,
    /// Tokens and Secrets of pods.
    PodVolumes,
    /// `/etc/kubernetes/azure.json`
    AzureFile,
    /// The logs that the kubelet reads for others.
    Logs,
}

/// Places where whoever writes a file runs code as root: commands, services, timers, what the runtime and the
/// kubelet start, accounts. A mount that holds one of them is enough.
const RUN_BY_ROOT: [&str; 24] = [
    "/boot",
    "/etc/cni/net.d",
    "/etc/containerd",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/crontab",
    "/etc/kubernetes/manifests",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/systemd/system",
    "/opt/azure",
    "/opt/bin",
    "/opt/cni/bin",
    "/usr/bin",
    "/usr/lib",
    "/usr/local/bin",
    "/usr/sbin",
    "/var/lib/containerd",
    "/var/lib/waagent",
    "/var/spool/cron",
];

/// Trees in which something may be run or trusted by root.
const TRUSTED: [&str; 8] = [
    "/boot",
    "/etc",
    "/opt",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/lib/waagent",
    "/var/spool/cron",
];

/// What lies in them and is neither.
const HARMLESS: [&str; 12] = [
    "/etc/ca-certificates",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/ssl",
    "/etc/timezone",
    "/usr/share",
    "/usr/src",
];

const CONTAINERD: &str = "/run/containerd/containerd.sock";
/// Those of runtimes that AKS' nodes do not have.
const OTHER_SOCKETS: [&str; 3] = [
    "/run/docker.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
];

pub(super) fn add(builder: &mut Builder<'_>) {
    let mut readers: Option<BTreeSet<Place>> = None;
    for number in 0..builder.names.workloads.len() {
        let Some(pod) = Pod::read(builder, number) else {
            continue;
        };
        if pod.windows {
            continue;
        }
        for (of, edge, to) in [
            (Use::Socket, Edge::RuntimeSocket, node as fn(u32) -> Node),
            (Use::Write, Edge::HostPathWrite, node),
            (Use::CorePattern, Edge::ContainerEscapeCorePattern, node),
            (Use::KubeletFiles, Edge::HostPathRead, kubelet_files),
            (Use::PodVolumes, Edge::HostPathRead, pod_volumes),
            (Use::AzureFile, Edge::HostPathRead, azure_file),
        ] {
            if let Some(found) = used(&pod, of, &host_mounts) {
                pod.lead(builder, edge, &found, to);
            }
        }
        if let Some(found) = used(&pod, Use::Logs, &host_mounts) {
            let places = match &readers {
                Some(places) => places.clone(),
                None => readers.insert(log_readers(builder)).clone(),
            };
            let place = builder.namespace(&pod.namespace);
            if places.contains(&place) || places.contains(&Place::Cluster) {
                let right = builder.right(LOGS, place);
                logs(builder, &pod, &found, right);
            }
        }
    }
}

pub(super) const fn node(pool: u32) -> Node {
    Node::Pool(pool)
}
pub(super) const fn kubelet_files(pool: u32) -> Node {
    Node::OnNodes("kubelet-files", pool)
}
pub(super) const fn pod_volumes(pool: u32) -> Node {
    Node::OnNodes("pod-volumes", pool)
}
pub(super) const fn azure_file(pool: u32) -> Node {
    Node::OnNodes("azure-file", pool)
}

/// The mounts of a container that a pod's volumes make from paths of the node.
fn host_mounts<'a>(pod: &Pod<'a>, volume: Ref<'a>) -> Option<Ref<'a>> {
    let _ = pod;
    volume.path(&["hostPath", "path"])
}

/// What containers can use their mounts for. `path_of` says which path of the node a volume shows.
pub(super) fn used<'a>(
    pod: &Pod<'a>,
    of: Use,
    path_of: &dyn Fn(&Pod<'a>, Ref<'a>) -> Option<Ref<'a>>,
) -> Option<Found<'a>> {
    if of == Use::CorePattern && pod.reaches_kernel().is_none() {
        return None;
    }
    let found = pod.find(|container| {
        let user = pod.user(container);
        mounts(pod, container, path_of)
            .into_iter()
            .filter_map(|mount| good_for(&mount, container, &user, of))
            // The surest.
            .min_by_key(|holds| holds.doubt.is_some())
    })?;
    let wall = match of {
        Use::CorePattern => pod.reaches_kernel().flatten(),
        _ => None,
    };
    Some(found.perhaps(wall))
}

fn mounts<'a>(
    pod: &Pod<'a>,
    container: &Container<'a>,
    path_of: &dyn Fn(&Pod<'a>, Ref<'a>) -> Option<Ref<'a>>,
) -> Vec<Mount<'a>> {
    let mut found = Vec::new();
    let volumes = || pod.spec.get("volumes").into_iter().flat_map(Ref::items);
    for mount in container
        .value
        .get("volumeMounts")
        .into_iter()
        .flat_map(Ref::items)
    {
        let text = |key: &str| mount.get(key).and_then(Ref::as_str);
        let Some(value) = volumes()
            .find(|volume| volume.get("name").and_then(Ref::as_str) == text("name"))
            .and_then(|volume| path_of(pod, volume))
        else {
            continue;
        };
        let mut path = clean(value.as_str().unwrap_or_default());
        let mut doubt = value
            .as_str()
            .is_none()
            .then(|| "what was given leaves the path open".to_owned());
        if let Some(sub) = text("subPath") {
            path.push_str(&clean(&format!("/{sub}")));
        } else if mount.get("subPathExpr").is_some() {
            doubt = doubt.or_else(|| Some("what `subPathExpr` comes to is not known".to_owned()));
        }
        found.push(Mount {
            path: resolved(&path),
            value,
            read_only: mount.get("readOnly").and_then(Ref::as_bool) == Some(true),
            recursively: text("recursiveReadOnly").is_some_and(|mode| mode != "Disabled"),
            doubt,
        });
    }
    found
}

/// Without empty parts and without a slash at the end.
fn clean(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        clean.push('/');
        clean.push_str(part);
    }
    clean
}

/// Links of the nodes' images, followed.
fn resolved(path: &str) -> String {
    for (link, target) in [
        ("/var/run", "/run"),
        ("/bin", "/usr/bin"),
        ("/sbin", "/usr/sbin"),
        ("/lib64", "/usr/lib64"),
        ("/lib", "/usr/lib"),
    ] {
        if let Some(rest) = path.strip_prefix(link)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return format!("{target}{rest}");
        }
    }
    path.to_owned()
}

impl Mount<'_> {
    /// Whether the mount shows a path: it is it, or a parent of it.
    fn shows(&self, path: &str) -> bool {
        path.strip_prefix(&*self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the mount lies below a path.
    fn below(&self, path: &str) -> bool {
        self.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether something can be written on a file system that is mounted at a path: a read-only mount leaves those
    /// below it as they are (kubernetes.io/docs/concepts/storage/volumes, recursive read-only mounts).
    fn writes_on(&self, file_system: &str) -> bool {
        let apart = self.path != file_system && self.shows(file_system);
        !self.read_only || apart && !self.recursively
    }
}

fn good_for<'a>(
    mount: &Mount<'a>,
    container: &Container<'a>,
    user: &User,
    of: Use,
) -> Option<Holds<'a>> {
    let path = if mount.path.is_empty() {
        "/"
    } else {
        &mount.path
    };
    let name = container.name;
    let modes = |what: &str| match user {
        User::Root => None,
        User::Other => Some(format!(
            "container {name} does not run as root, and the files' own modes decide what it may {what}"
        )),
    };
    let (says, doubt) = match of {
        Use::Socket => {
            let sure = mount.shows(CONTAINERD);
            let other = OTHER_SOCKETS.iter().any(|socket| mount.shows(socket));
            if !sure && !other {
                return None;
            }
            let why = (!sure).then(|| "the nodes of AKS run containerd".to_owned());
            (
                format!("container {name} mounts the runtime's socket below {path}"),
                why.or_else(|| modes("do")),
            )
        }
        Use::Write => {
            let doubt = writes(mount)?;
            (
                format!("container {name} may write to {path} of the node"),
                doubt.or_else(|| modes("write")),
            )
        }
        Use::CorePattern => {
            let known = mount.shows("/proc/sys/kernel/core_pattern") && mount.writes_on("/proc");
            // Settings of the kernel are written by root only.
            if !known || matches!(user, User::Other) {
                return None;
            }
            (
                format!("container {name} may write to /proc/sys/kernel of the node by {path}"),
                None,
            )
        }
        Use::KubeletFiles => {
            if !mount.shows("/var/lib/kubelet/pki") {
                return None;
            }
            (
                format!("container {name} reads {path} of the node"),
                modes("read"),
            )
        }
        Use::PodVolumes => {
            let pods = "/var/lib/kubelet/pods";
            if mount.shows("/var/lib/kubelet/pki") || !mount.shows(pods) && !mount.below(pods) {
                return None;
            }
            let part = mount
                .below(pods)
                .then(|| "whose volumes lie there is not known".to_owned());
            (
                format!("container {name} reads {path} of the node"),
                part.or_else(|| modes("read")),
            )
        }
        Use::AzureFile => {
            if !mount.shows("/etc/kubernetes/azure.json") {
                return None;
            }
            (
                format!("container {name} reads {path} of the node"),
                modes("read"),
            )
        }
        Use::Logs => {
            let shown = mount.shows("/var/log/pods") || mount.below("/var/log/pods");
            if !shown || !mount.writes_on("/var/log") || matches!(user, User::Other) {
                return None;
            }
            // Only the root's own file system holds `/var/log`.
            if mount.read_only {
                return None;
            }
            (
                format!("container {name} may put links into {path} of the node"),
                None,
            )
        }
    };
    Some(Holds {
        value: mount.value,
        says,
        doubt: mount.doubt.clone().or(doubt),
    })
}

/// Whether writing there takes the node; with why that is not certain.
fn writes(mount: &Mount<'_>) -> Option<Option<String>> {
    if mount.read_only {
        return None;
    }
    let sure = RUN_BY_ROOT.iter().any(|path| mount.shows(path))
        || ["/root/.ssh", "/home"].iter().any(|path| mount.shows(path)) && mount.path.is_empty();
    if sure {
        return Some(None);
    }
    let login = ["/root", "/home"];
    if login
        .iter()
        .any(|path| mount.shows(path) || mount.below(path))
    {
        return Some(Some("only where the nodes let people in by SSH".to_owned()));
    }
    let harmless = HARMLESS
        .iter()
        .any(|path| mount.path == *path || mount.below(path));
    let path = &mount.path;
    let trusted = TRUSTED
        .iter()
        .any(|tree| mount.path == *tree || mount.below(tree));
    (trusted && !harmless).then(|| {
        Some(format!(
            "whether the node runs or trusts what lies in {path} is not known"
        ))
    })
}

/// Who may read the logs of a namespace's pods.
const LOGS: &str = "pod-logs";

/// Where somebody may.
fn log_readers(builder: &mut Builder<'_>) -> BTreeSet<Place> {
    let request = Request {
        verb: "get",
        resource: "pods/log",
        says: "whoever holds the role reads the logs of pods",
    };
    holders(
        builder,
        LOGS,
        Edge::VarLogSymlink,
        &request,
        Within::Anywhere,
    )
}

/// The kubelet opens the log of a container as root and follows a link that lies in its place; what it cannot read
/// as a log it quotes line by line (kubernetes pkg/kubelet/kuberuntime/logs). A token is one line.
fn logs<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>, found: &Found<'a>, right: NodeNo) {
    for pool in &pod.pools {
        let to = builder.node(pod_volumes(*pool));
        let evidence: Vec<_> = found
            .seen
            .iter()
            .map(|(value, says)| builder.seen(pod.resource, Some(*value), says))
            .collect();
        builder.add(
            Draft::new(Edge::VarLogSymlink, pod.from, to)
                .and(right)
                .by_all(evidence)
                .perhaps(found.doubt.as_deref()),
        );
    }
}

/// For what one mount alone is good, as root, whoever mounts it.
pub(super) fn of_path(path: &str, read_only: bool, value: Ref<'_>) -> Vec<(Use, Option<String>)> {
    let mount = Mount {
        path: resolved(&clean(path)),
        value,
        read_only,
        recursively: false,
        doubt: None,
    };
    let container = Container {
        name: "?",
        value,
        runs: true,
    };
    [
        Use::Socket,
        Use::Write,
        Use::KubeletFiles,
        Use::PodVolumes,
        Use::AzureFile,
    ]
    .into_iter()
    .filter_map(|of| {
        let holds = good_for(&mount, &container, &User::Root, of)?;
        Some((of, holds.doubt))
    })
    .collect()
}

pub(super) fn leads_to(of: Use, pool: u32) -> Node {
    match of {
        Use::Socket | Use::Write | Use::CorePattern => node(pool),
        Use::KubeletFiles => kubelet_files(pool),
        Use::PodVolumes | Use::Logs => pod_volumes(pool),
        Use::AzureFile => azure_file(pool),
    }
}
