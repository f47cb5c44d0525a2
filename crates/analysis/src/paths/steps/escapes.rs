//! From code in a pod to its node: by rights over the node's processes, devices and kernel.
//!
//! Namespaces and capabilities are those of man 7 namespaces and capabilities; the default ones those of
//! containerd. A container in a machine of its own (Kata), or whose root is nobody outside (`hostUsers: false`),
//! does not reach the node's kernel.

use model::Ref;

use super::container::{Container, Found, Holds, Pod};
use crate::paths::builder::Builder;
use crate::paths::edge::Edge;
use crate::paths::node::Node;

pub(super) fn add(builder: &mut Builder<'_>) {
    for number in 0..builder.names.workloads.len() {
        let Some(pod) = Pod::read(builder, number) else {
            continue;
        };
        if pod.windows {
            host_process(builder, &pod);
            continue;
        }
        privileged(builder, &pod);
        capabilities(builder, &pod);
        kernel(builder, &pod);
        namespaces(builder, &pod);
        devices(builder, &pod);
    }
}

/// What a privileged container does without anything else.
fn privileged<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    let find = || pod.find(|container| pod.privileged(container));
    let Some(found) = find() else {
        return;
    };
    if pod.in_machine() {
        let why = "its runtime may keep devices of the node from sandboxed pods".to_owned();
        pod.lead(
            builder,
            Edge::HostDevice,
            &found.perhaps(Some(why)),
            Node::Pool,
        );
        return;
    }
    let Some(doubt) = pod.reaches_kernel() else {
        return;
    };
    let found = found.perhaps(doubt.clone());
    for edge in [
        Edge::ContainerEscapeMount,
        Edge::ContainerEscapeModule,
        Edge::HostDevice,
    ] {
        pod.lead(builder, edge, &found, Node::Pool);
    }
    if let Some(shared) = pod.flag("hostPID") {
        let found = found.and(shared, "the pod sees the node's processes");
        for edge in [Edge::ContainerEscapeNsenter, Edge::ContainerEscapePtrace] {
            pod.lead(builder, edge, &found, Node::Pool);
        }
    }
}

/// What single capabilities are enough for. Those of a privileged container are counted there.
fn capabilities<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    let Some(doubt) = pod.reaches_kernel() else {
        return;
    };
    let find = |name: &'static str| {
        pod.find(|container| {
            if pod.privileged(container).is_some() {
                return None;
            }
            pod.capable(container, name)
        })
        .map(|found| found.perhaps(doubt.clone()))
    };
    if let Some(found) = find("SYS_MODULE") {
        pod.lead(builder, Edge::ContainerEscapeModule, &found, Node::Pool);
    }
    // open_by_handle_at(2): any file of a file system of which one file is there, such as /etc/hosts.
    if let Some(found) = find("DAC_READ_SEARCH") {
        pod.lead(builder, Edge::ContainerEscapeFileHandle, &found, Node::Pool);
    }
    // The profile that containerd lays around containers forbids mounts and tracing what is outside
    // (containerd contrib/apparmor/template.go).
    if let Some(shared) = pod.flag("hostPID") {
        confined(builder, pod, Edge::ContainerEscapePtrace, &|| {
            Some(find("SYS_PTRACE")?.and(shared, "the pod sees the node's processes"))
        });
    }
    // Version 1 of control groups only; the kubelet refuses those since 1.35 (KEP 5573, `failCgroupV1`).
    if builder.analyses.kubernetes_minor() < 35 {
        confined(builder, pod, Edge::ContainerEscapeCgroup, &|| {
            let why = "only nodes with version 1 of control groups, which the images of AKS left with Kubernetes 1.25";
            Some(find("SYS_ADMIN")?.perhaps(Some(why.to_owned())))
        });
    }
}

/// A step that AppArmor's default profile stops.
fn confined<'a>(
    builder: &mut Builder<'a>,
    pod: &Pod<'a>,
    edge: Edge,
    find: &dyn Fn() -> Option<Found<'a>>,
) {
    let Some(found) = find() else {
        return;
    };
    let free = pod
        .containers
        .iter()
        .any(|container| pod.unconfined(container));
    for pool in &pod.pools {
        let apparmor = builder
            .pools()
            .get(*pool as usize)
            .and_then(|pool| pool.apparmor);
        let why = match (free, apparmor) {
            (true, _) | (_, Some(false)) => None,
            (false, Some(true)) => continue,
            (false, None) => {
                Some("the nodes may have AppArmor, whose default profile stops it".to_owned())
            }
        };
        let own = Found {
            seen: found.seen.clone(),
            doubt: found.doubt.clone(),
        };
        pod.lead_one(builder, edge, &own.perhaps(why), Node::Pool(*pool));
    }
}

/// A weakness of the kernel that a seccomp profile would keep out of reach. Kubernetes runs containers without
/// one unless the pod or the kubelet says otherwise
/// (kubernetes.io/docs/tutorials/security/seccomp).
fn kernel<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    if pod.reaches_kernel().is_none() {
        return;
    }
    let Some(container) = pod
        .containers
        .iter()
        .find(|container| container.runs && !pod.has_seccomp(container))
    else {
        return;
    };
    let found = Found::one(
        container.value,
        format!("container {} has no seccomp profile", container.name),
    )
    .perhaps(Some("a weakness of the kernel must be found".to_owned()));
    for pool in &pod.pools {
        let by_default = builder
            .pools()
            .get(*pool as usize)
            .is_some_and(|pool| pool.seccomp);
        if !by_default || says_unconfined(pod, container) {
            pod.lead_one(
                builder,
                Edge::ContainerEscapeKernel,
                &found,
                Node::Pool(*pool),
            );
        }
    }
}

fn says_unconfined(pod: &Pod<'_>, container: &Container<'_>) -> bool {
    let own = |holder: Ref<'_>| {
        holder
            .path(&["securityContext", "seccompProfile", "type"])
            .is_some()
    };
    own(container.value) || own(pod.spec) || pod.privileged(container).is_some()
}

/// What the pod shares with its node, or its containers with each other.
fn namespaces<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    if let Some(shared) = pod.flag("hostIPC")
        && let Some(doubt) = pod.reaches_kernel()
    {
        let why = doubt.unwrap_or_else(|| {
            "a program of the node must keep something there that can be misused".to_owned()
        });
        let found = Found::one(shared, "the pod shares memory with the node's programs");
        pod.lead(
            builder,
            Edge::HostIpc,
            &found.perhaps(Some(why)),
            Node::Pool,
        );
    }
    // Kata has no way into the node's network.
    if let Some(shared) = pod.flag("hostNetwork")
        && !pod.in_machine()
    {
        let found = Found::one(shared, "the pod sits in the node's network");
        pod.lead(builder, Edge::HostNetwork, &found, |pool| {
            Node::OnNodes("network", pool)
        });
    }
}

/// Device plug-ins that hand out any device of the node.
const PLUGINS: [&str; 3] = ["smarter-devices/", "squat.ai/", "devic.es/"];

fn devices<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    let found = pod.find(|container| {
        let limits = container.value.path(&["resources", "limits"])?;
        let (name, _, value) = limits
            .entries()
            .find(|(name, _, _)| PLUGINS.iter().any(|plugin| name.starts_with(plugin)))?;
        Some(Holds {
            value,
            says: format!("container {} takes the device {name}", container.name),
            doubt: Some("which device of the node that is was not given".to_owned()),
        })
    });
    if let Some(found) = found {
        pod.lead(builder, Edge::HostDevice, &found, Node::Pool);
    }
}

/// On Windows a container may be a process of the node
/// (kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod); the account may be one without
/// rights, which only the node knows.
fn host_process<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    let option =
        |holder: Ref<'a>, key: &str| holder.path(&["securityContext", "windowsOptions", key]);
    let found = pod.find(|container| {
        let said = |key: &str| option(container.value, key).or_else(|| option(pod.spec, key));
        let value = said("hostProcess").filter(|value| value.as_bool() == Some(true))?;
        let user = said("runAsUserName")
            .and_then(Ref::as_str)
            .unwrap_or_default();
        let system = user.is_empty()
            || user.to_ascii_lowercase().ends_with("\\system")
            || user.eq_ignore_ascii_case("system");
        Some(Holds {
            value,
            says: format!("container {} is a process of the node", container.name),
            doubt: (!system)
                .then(|| format!("what the account {user} may do on the node was not given")),
        })
    });
    if let Some(found) = found {
        pod.lead(builder, Edge::HostProcess, &found, Node::Pool);
    }
}
