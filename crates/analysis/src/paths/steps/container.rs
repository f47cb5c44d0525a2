//! A pod and its containers as escapes look at them: what each may do on its node, and what stands between.
//!
//! What a shell in one container can do need not be what one in its neighbour can. Code of the attacker's in *the
//! pod* is in one container, nobody can say in which: what only some containers may do is a step with a doubt.

use model::{Ref, ResourceRef, Within};

use crate::paths::NodeNo;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::paths::node::Node;
use crate::paths::pools::wants_windows;

/// The pods of a workload.
pub(super) struct Pod<'a> {
    pub(super) from: NodeNo,
    pub(super) resource: ResourceRef,
    pub(super) namespace: Box<str>,
    pub(super) spec: Ref<'a>,
    annotations: Option<Ref<'a>>,
    pub(super) containers: Vec<Container<'a>>,
    pub(super) windows: bool,
    pub(super) pools: Vec<u32>,
    wall: Wall,
}

#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) value: Ref<'a>,
    /// It runs beside the others; else it ends before they start.
    pub(super) runs: bool,
}

/// What stands between a pod and the kernel of its node.
enum Wall {
    None,
    /// A virtual machine, or a kernel of its own.
    Machine,
    /// Root in the pod is nobody outside.
    Users,
    /// Perhaps a machine.
    Unsure(String),
}

/// What a container holds.
pub(super) struct Holds<'a> {
    pub(super) value: Ref<'a>,
    pub(super) says: String,
    pub(super) doubt: Option<String>,
}

/// What containers of a pod hold together.
pub(super) struct Found<'a> {
    pub(super) seen: Vec<(Ref<'a>, String)>,
    pub(super) doubt: Option<String>,
}

/// As whom a container runs.
pub(super) enum User {
    Root,
    Other,
}

/// The first minor in which `hostUsers` is not dropped (KEP 127: on by default since 1.33).
const USER_NAMESPACES: u8 = 33;

impl<'a> Pod<'a> {
    pub(super) fn read(builder: &mut Builder<'a>, number: usize) -> Option<Self> {
        let workload = builder.names.workloads.get(number)?;
        let (reference, namespace) = (workload.resource, workload.namespace.clone());
        let resource = builder.estate.get(reference)?;
        let holder = resource.pod_holder()?;
        let spec = holder.get("spec")?;
        let from = builder.node(Node::Workload(number as u32));
        Some(Self {
            from,
            resource: reference,
            namespace,
            spec,
            annotations: holder.path(&["metadata", "annotations"]),
            containers: containers(spec),
            windows: wants_windows(spec),
            pools: builder.pools_of.get(number).cloned().unwrap_or_default(),
            wall: wall(builder, spec),
        })
    }

    pub(super) fn flag(&self, key: &str) -> Option<Ref<'a>> {
        self.spec
            .get(key)
            .filter(|value| value.as_bool() == Some(true))
    }

    /// Whether what needs the node's own kernel can be done; with why that is not certain. `None`: it cannot.
    pub(super) fn reaches_kernel(&self) -> Option<Option<String>> {
        match &self.wall {
            Wall::None => Some(None),
            Wall::Unsure(why) => Some(Some(why.clone())),
            Wall::Machine | Wall::Users => None,
        }
    }

    /// Whether the pod runs in a machine of its own.
    pub(super) fn in_machine(&self) -> bool {
        matches!(self.wall, Wall::Machine)
    }

    /// What containers hold by a test of each.
    pub(super) fn find(
        &self,
        test: impl Fn(&Container<'a>) -> Option<Holds<'a>>,
    ) -> Option<Found<'a>> {
        let mut seen = Vec::new();
        let (mut sure, mut running, mut all) = (0, 0, 0);
        let (mut doubt, mut name, mut first) = (None, "", "");
        for container in &self.containers {
            all += usize::from(container.runs);
            let Some(holds) = test(container) else {
                continue;
            };
            if first.is_empty() {
                first = container.name;
            }
            if container.runs {
                if running == 0 {
                    name = container.name;
                }
                running += 1;
                sure += usize::from(holds.doubt.is_none());
            }
            doubt = doubt.or(holds.doubt);
            // The rest says the same.
            if seen.len() < 4 {
                seen.push((holds.value, holds.says));
            }
        }
        if seen.is_empty() {
            return None;
        }
        let why = if running == 0 {
            Some(format!(
                "only the init container {first} is so, and it ends before the others start"
            ))
        } else if sure == all {
            None
        } else if sure == 0 {
            doubt
        } else {
            Some(format!(
                "not every container is so as {name} is, and which one is broken into is not known"
            ))
        };
        Some(Found { seen, doubt: why })
    }

    /// As whom a container runs. Who says nothing runs as the image says, which was not given: most that are
    /// given rights over the node run as root, so that counts as root.
    pub(super) fn user(&self, container: &Container<'a>) -> User {
        let said = |key: &str| {
            container
                .value
                .path(&["securityContext", key])
                .or_else(|| self.spec.path(&["securityContext", key]))
        };
        match said("runAsUser").and_then(Ref::as_int) {
            Some(0) => User::Root,
            Some(_) => User::Other,
            None if said("runAsNonRoot").and_then(Ref::as_bool) == Some(true) => User::Other,
            None => User::Root,
        }
    }

    /// Whether a container has a capability in effect: it was added and not dropped again
    /// (containerd internal/cri/spec, capabilities), and the user is root or can become it.
    pub(super) fn capable(&self, container: &Container<'a>, name: &str) -> Option<Holds<'a>> {
        let context = container.value.get("securityContext")?;
        let list = |key: &str| {
            context
                .path(&["capabilities", key])
                .into_iter()
                .flat_map(Ref::items)
        };
        let is = |value: &Ref<'a>, wanted: &str| {
            value
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(wanted))
        };
        let one = list("add").find(|value| is(value, name));
        let all = list("add").find(|value| is(value, "ALL"));
        let dropped_one = list("drop").any(|value| is(&value, name));
        let dropped_all = list("drop").any(|value| is(&value, "ALL"));
        let value = one.or(all.filter(|_| !dropped_all))?;
        if dropped_one {
            return None;
        }
        let says = format!("container {} has the capability {name}", container.name);
        self.as_root(container, value, says)
    }

    pub(super) fn privileged(&self, container: &Container<'a>) -> Option<Holds<'a>> {
        let value = container.value.path(&["securityContext", "privileged"])?;
        let says = format!("container {} is privileged", container.name);
        if value.is_open() {
            return Some(Holds {
                value,
                says,
                doubt: Some("what was given leaves `privileged` open".to_owned()),
            });
        }
        if value.as_bool() != Some(true) {
            return None;
        }
        self.as_root(container, value, says)
    }

    /// What only root can use: another user needs a program that makes it root.
    fn as_root(
        &self,
        container: &Container<'a>,
        value: Ref<'a>,
        says: String,
    ) -> Option<Holds<'a>> {
        let doubt = match self.user(container) {
            User::Root => None,
            User::Other => {
                let fixed = container
                    .value
                    .path(&["securityContext", "allowPrivilegeEscalation"])
                    .and_then(Ref::as_bool)
                    == Some(false);
                if fixed {
                    return None;
                }
                Some(format!(
                    "container {} does not run as root, and needs a program that makes it so",
                    container.name
                ))
            }
        };
        Some(Holds { value, says, doubt })
    }

    /// Whether a container says that it runs without an AppArmor profile.
    pub(super) fn unconfined(&self, container: &Container<'a>) -> bool {
        let profile = container
            .value
            .path(&["securityContext", "appArmorProfile", "type"])
            .or_else(|| {
                self.spec
                    .path(&["securityContext", "appArmorProfile", "type"])
            });
        if let Some(profile) = profile.and_then(Ref::as_str) {
            return profile == "Unconfined";
        }
        let key = format!(
            "container.apparmor.security.beta.kubernetes.io/{}",
            container.name
        );
        let annotation = self.annotations.and_then(|all| all.get(&key));
        annotation.and_then(Ref::as_str) == Some("unconfined")
    }

    /// Whether a container runs under a seccomp profile that it or its pod names.
    pub(super) fn has_seccomp(&self, container: &Container<'a>) -> bool {
        let own = |holder: Ref<'a>| {
            holder
                .path(&["securityContext", "seccompProfile", "type"])
                .and_then(Ref::as_str)
        };
        let privileged = container
            .value
            .path(&["securityContext", "privileged"])
            .and_then(Ref::as_bool);
        privileged != Some(true)
            && own(container.value)
                .or_else(|| own(self.spec))
                .is_some_and(|profile| profile != "Unconfined")
    }

    /// Adds a step to something on each pool that the pods are on.
    pub(super) fn lead(
        &self,
        builder: &mut Builder<'a>,
        edge: Edge,
        found: &Found<'a>,
        to: impl Fn(u32) -> Node,
    ) {
        for pool in &self.pools {
            self.lead_one(builder, edge, found, to(*pool));
        }
    }

    /// Adds a step.
    pub(super) fn lead_one(
        &self,
        builder: &mut Builder<'a>,
        edge: Edge,
        found: &Found<'a>,
        to: Node,
    ) {
        let evidence: Vec<Evidence> = found
            .seen
            .iter()
            .map(|(value, says)| builder.seen(self.resource, Some(*value), says))
            .collect();
        let to = builder.node(to);
        builder.add(
            Draft::new(edge, self.from, to)
                .by_all(evidence)
                .perhaps(found.doubt.as_deref()),
        );
    }
}

impl<'a> Found<'a> {
    /// One value that says all.
    pub(super) fn one(value: Ref<'a>, says: impl Into<String>) -> Self {
        Self {
            seen: vec![(value, says.into())],
            doubt: None,
        }
    }

    pub(super) fn and(mut self, value: Ref<'a>, says: impl Into<String>) -> Self {
        self.seen.push((value, says.into()));
        self
    }

    pub(super) fn perhaps(mut self, why: Option<String>) -> Self {
        self.doubt = self.doubt.or(why);
        self
    }
}

/// The containers of a pod; those of `initContainers` that stay are sidecars (`restartPolicy: Always`).
fn containers(spec: Ref<'_>) -> Vec<Container<'_>> {
    let mut all = Vec::new();
    for (list, init) in [
        ("containers", false),
        ("initContainers", true),
        ("ephemeralContainers", false),
    ] {
        for value in spec.get(list).into_iter().flat_map(Ref::items) {
            let stays = value.get("restartPolicy").and_then(Ref::as_str) == Some("Always");
            all.push(Container {
                name: value.get("name").and_then(Ref::as_str).unwrap_or("?"),
                value,
                runs: !init || stays,
            });
        }
    }
    all
}

/// The runtime class's handler and `hostUsers` say what stands between. `kata-vm-isolation` and its siblings are
/// made by AKS (<https://learn.microsoft.com/azure/aks/use-pod-sandboxing>).
fn wall(builder: &Builder<'_>, spec: Ref<'_>) -> Wall {
    let minor = builder.analyses.kubernetes_minor();
    if spec.get("hostUsers").and_then(Ref::as_bool) == Some(false) && minor >= USER_NAMESPACES {
        return Wall::Users;
    }
    let Some(name) = spec.get("runtimeClassName").and_then(Ref::as_str) else {
        return Wall::None;
    };
    let isolates = |handler: &str| {
        ["kata", "runsc", "gvisor"]
            .iter()
            .any(|known| handler.to_ascii_lowercase().contains(known))
    };
    if let Some(class) = builder.estate.find("", "RuntimeClass", name) {
        let handler = class.object().get("handler").and_then(Ref::as_str);
        return match handler {
            Some(handler) if isolates(handler) => Wall::Machine,
            _ => Wall::None,
        };
    }
    if name.starts_with("kata-") {
        return Wall::Machine;
    }
    match builder.estate.absent("RuntimeClass", Within::Everywhere) {
        Some(_) if name != "runc" => Wall::Unsure(format!(
            "RuntimeClass {name} was not given, and may keep the pod in a machine of its own"
        )),
        _ => Wall::None,
    }
}
