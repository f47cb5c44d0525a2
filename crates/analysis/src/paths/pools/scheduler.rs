//! Whether a pool takes a pod, as the scheduler sees it
//! (kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node and …/taint-and-toleration).
//!
//! Leaves out what only running pods decide: resources, spreading, affinity to other pods.

use std::collections::BTreeMap;

use model::{Estate, Ref};

use super::super::graph::Pool;
use super::POOL_LABELS;

/// What the scheduler looks at.
pub(super) struct Traits<'e> {
    windows: bool,
    nameless: bool,
    labels: BTreeMap<&'e str, &'e str>,
    /// key and value of those that keep pods off
    taints: Vec<(&'e str, &'e str)>,
    /// Labels that Kubernetes and Azure set are not all known.
    well_known_open: bool,
    /// Nor are others.
    open: bool,
}

/// The taint that AKS gives to nodes of spot pools (<https://learn.microsoft.com/azure/aks/spot-node-pool>).
const SPOT: (&str, &str) = ("kubernetes.azure.com/scalesetpriority", "spot");

impl<'e> Traits<'e> {
    pub(super) fn of(estate: &'e Estate, pool: &'e Pool) -> Self {
        let mut own = Self {
            windows: pool.windows,
            nameless: pool.name.is_empty(),
            labels: BTreeMap::new(),
            taints: Vec::new(),
            well_known_open: true,
            open: pool.name.is_empty(),
        };
        let name = pool.name.rsplit('/').next().unwrap_or_default();
        for key in POOL_LABELS {
            own.labels.insert(key, name);
        }
        let os = if pool.windows { "windows" } else { "linux" };
        if !own.nameless {
            own.labels.insert("kubernetes.io/os", os);
            own.labels.insert("beta.kubernetes.io/os", os);
        }
        if let Some(node) = pool.nodes.first().and_then(|id| estate.get(*id)) {
            own.of_node(node.object());
        } else if let Some(azure) = pool.azure.and_then(|id| estate.get(id)) {
            let object = azure.object();
            let profile = object
                .path(&["properties", "agentPoolProfiles"])
                .into_iter()
                .flat_map(Ref::items)
                .find(|profile| profile.get("name").and_then(Ref::as_str) == Some(name))
                .or_else(|| object.get("properties"));
            match profile {
                Some(profile) => own.of_profile(profile),
                None => own.open = true,
            }
        }
        own
    }

    fn of_node(&mut self, node: Ref<'e>) {
        self.well_known_open = false;
        let labels = node.path(&["metadata", "labels"]);
        for (key, _, value) in labels.iter().flat_map(|labels| labels.entries()) {
            self.labels.insert(key, value.as_str().unwrap_or_default());
        }
        let taints = node.path(&["spec", "taints"]);
        for taint in taints.into_iter().flat_map(Ref::items) {
            let text = |key| taint.get(key).and_then(Ref::as_str).unwrap_or_default();
            if matches!(text("effect"), "NoSchedule" | "NoExecute") {
                self.taints.push((text("key"), text("value")));
            }
        }
    }

    fn of_profile(&mut self, profile: Ref<'e>) {
        let labels = profile.get("nodeLabels");
        self.open = labels.is_some_and(Ref::is_open);
        for (key, _, value) in labels.iter().flat_map(|labels| labels.entries()) {
            self.labels.insert(key, value.as_str().unwrap_or_default());
        }
        let is = |key: &str, wanted: &str| {
            profile
                .get(key)
                .and_then(Ref::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(wanted))
        };
        let mode = if is("mode", "System") {
            "system"
        } else {
            "user"
        };
        self.labels.insert("kubernetes.azure.com/mode", mode);
        if is("scaleSetPriority", "Spot") {
            self.labels.insert(SPOT.0, SPOT.1);
            self.taints.push(SPOT);
        }
        // `key=value:Effect`
        for taint in profile
            .get("nodeTaints")
            .into_iter()
            .flat_map(Ref::items)
            .filter_map(Ref::as_str)
        {
            let (pair, effect) = taint.rsplit_once(':').unwrap_or((taint, ""));
            if matches!(effect, "NoSchedule" | "NoExecute") {
                self.taints.push(pair.split_once('=').unwrap_or((pair, "")));
            }
        }
    }

    /// Whether its nodes may run a pod.
    pub(super) fn takes(&self, spec: Ref<'_>) -> bool {
        // An image for Linux does not start on Windows, and the other way round.
        if !self.nameless && wants_windows(spec) != self.windows {
            return false;
        }
        let selected = spec
            .get("nodeSelector")
            .iter()
            .flat_map(|labels| labels.entries())
            .all(|(key, _, value)| match self.labels.get(key) {
                Some(own) => value.as_str().is_none_or(|value| value == *own),
                None => self.may_have(key),
            });
        selected && self.near(spec) && self.tolerated(spec)
    }

    /// Whether nodes may have a label that is not known.
    fn may_have(&self, key: &str) -> bool {
        const SET_BY_OTHERS: [&str; 3] = ["kubernetes.io/", "k8s.io/", "kubernetes.azure.com/"];
        let well_known = SET_BY_OTHERS.iter().any(|domain| {
            key.split_once('/').is_some_and(|(prefix, _)| {
                let domain = domain.trim_end_matches('/');
                prefix == domain || prefix.ends_with(&format!(".{domain}"))
            })
        });
        self.open || self.well_known_open && well_known
    }

    /// Required node affinity: one term, all expressions of it.
    fn near(&self, spec: Ref<'_>) -> bool {
        let Some(terms) = spec.path(&[
            "affinity",
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
        ]) else {
            return true;
        };
        !terms.is_list()
            || terms.items().any(|term| {
                term.get("matchExpressions")
                    .into_iter()
                    .flat_map(Ref::items)
                    .all(|expression| self.expressed(expression))
            })
    }

    fn expressed(&self, expression: Ref<'_>) -> bool {
        let text = |key: &str| expression.get(key).and_then(Ref::as_str);
        let Some(key) = text("key") else {
            return true;
        };
        let own = self.labels.get(key).copied();
        if own.is_none() && self.may_have(key) {
            return true;
        }
        let among = |own: &str| {
            expression
                .get("values")
                .into_iter()
                .flat_map(Ref::items)
                .any(|value| value.as_str().is_none_or(|value| value == own))
        };
        match text("operator") {
            Some("In") => own.is_some_and(among),
            Some("NotIn") => own.is_none_or(|own| !among(own)),
            Some("Exists") => own.is_some(),
            Some("DoesNotExist") => own.is_none(),
            _ => true,
        }
    }

    fn tolerated(&self, spec: Ref<'_>) -> bool {
        self.taints.iter().all(|(key, value)| {
            spec.get("tolerations")
                .into_iter()
                .flat_map(Ref::items)
                .any(|toleration| {
                    let text = |name| toleration.get(name).and_then(Ref::as_str);
                    let own = text("key").unwrap_or_default();
                    let exists = text("operator") == Some("Exists");
                    let keys = own == *key || own.is_empty() && exists;
                    let values = exists || text("value").unwrap_or_default() == *value;
                    let effects = text("effect")
                        .is_none_or(|effect| matches!(effect, "" | "NoSchedule" | "NoExecute"));
                    keys && values && effects
                })
        })
    }
}

/// Whether a pod says that it is for Windows.
pub(crate) fn wants_windows(spec: Ref<'_>) -> bool {
    let selected =
        |key: &str| spec.path(&["nodeSelector", key]).and_then(Ref::as_str) == Some("windows");
    spec.path(&["os", "name"]).and_then(Ref::as_str) == Some("windows")
        || selected("kubernetes.io/os")
        || selected("beta.kubernetes.io/os")
}

/// Whether a pod goes to virtual nodes only, which are no machines of the cluster
/// (<https://learn.microsoft.com/azure/aks/virtual-nodes>).
pub(super) fn virtual_node(spec: Ref<'_>) -> bool {
    spec.path(&["nodeSelector", "type"]).and_then(Ref::as_str) == Some("virtual-kubelet")
}
