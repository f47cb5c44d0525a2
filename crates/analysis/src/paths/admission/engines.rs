//! Rules that other programs carry out: Azure Policy and deployment safeguards, Gatekeeper, Kyverno, webhooks.
//!
//! They are judged for pods that take a node only. A pod for nothing special is written as they want it. What their
//! rules say is written in languages of their own, so all but the built-in initiatives are a *perhaps*.

use model::kinds::Kind;
use model::{Estate, Ref, Resource, ResourceRef};

use super::matching::rule_takes;
use super::shapes::Wanted;
use super::{Gone, Outcome, Removed, Shape, label_of, selects};
use crate::paths::builder::Builder;

const ASSIGNMENT: &str = "Microsoft.Authorization/policyAssignments";
const SAFEGUARDS: &str = "Microsoft.ContainerService/deploymentSafeguards";

/// The built-in initiatives *Kubernetes cluster pod security baseline standards* and *… restricted standards*
/// (<https://learn.microsoft.com/azure/aks/policy-reference>).
const STANDARDS: [&str; 2] = [
    "a8640138-9b0a-4a28-b8cb-1666c838647d",
    "42b8ef37-b724-4e24-bbc8-7a7708edfe00",
];

/// Namespaces that initiatives leave out unless they are told otherwise, and that safeguards always do.
const LEFT_OUT: [&str; 5] = [
    "kube-system",
    "gatekeeper-system",
    "azure-arc",
    "azure-extensions-usage-system",
    "calico-system",
];

/// The rules of engines in the cluster.
pub(super) struct Engines {
    constraints: Vec<ResourceRef>,
    kyverno: Vec<ResourceRef>,
}

impl Engines {
    pub(super) fn read(estate: &Estate) -> Self {
        let of_group = |wanted: &str| {
            estate
                .resources()
                .numbered()
                .filter(|(_, resource)| {
                    matches!(&resource.name.kind, Kind::Kubernetes { group, .. } if &**group == wanted)
                })
                .map(|(id, _)| id)
                .collect()
        };
        Self {
            constraints: of_group("constraints.gatekeeper.sh"),
            kyverno: of_group("kyverno.io"),
        }
    }

    pub(super) fn judge(
        &self,
        builder: &Builder<'_>,
        namespace: &str,
        shape: Shape,
        removed: &Removed,
    ) -> Outcome {
        if shape == Shape::Plain {
            return Outcome::Passes;
        }
        let estate = builder.estate;
        let mut found = match azure(builder, namespace) {
            // AKS manages the webhook of its own Gatekeeper.
            Outcome::Denies(by) if removed.webhooks != Gone::None => Outcome::Perhaps(
                "AKS may put the webhook of Azure Policy back".to_owned(),
                by,
            ),
            azure => azure,
        };
        // Engines are asked by webhooks.
        if !is_unasked(estate, "gatekeeper", removed) {
            found = found.and(self.gatekeeper(estate, namespace));
        }
        if !is_unasked(estate, "kyverno", removed) {
            found = found.and(self.kyverno(estate, namespace, removed));
        }
        found.and(self.webhooks(estate, namespace, shape, removed))
    }
}

/// Whether the webhooks of an engine were taken away: all of those that were given, or all there are.
fn is_unasked(estate: &Estate, engine: &str, removed: &Removed) -> bool {
    let mut own = estate
        .of_kind("ValidatingWebhookConfiguration")
        .iter()
        .filter_map(|id| estate.get(*id))
        .map(|hook| &*hook.name.name)
        .filter(|name| name.contains(engine))
        .peekable();
    removed.webhooks == Gone::All
        || own.peek().is_some() && own.all(|name| removed.webhooks.has(name))
}

fn word(value: Option<Ref<'_>>) -> Option<String> {
    value.and_then(Ref::as_str).map(str::to_ascii_lowercase)
}

fn names(list: Option<Ref<'_>>, namespace: &str) -> Option<bool> {
    let list = list?;
    (!list.is_open()).then(|| list.items().any(|item| item.as_str() == Some(namespace)))
}

/// Azure Policy's initiatives for the Pod Security Standards, and deployment safeguards.
fn azure(builder: &Builder<'_>, namespace: &str) -> Outcome {
    let mut outcome = Outcome::Passes;
    for (cluster, doubt) in builder.clusters() {
        let Some(resource) = builder.estate.get(cluster.resource) else {
            continue;
        };
        let id = cluster.id.to_ascii_lowercase();
        let addon = ["properties", "addonProfiles", "azurepolicy", "enabled"];
        let on = resource.object().path(&addon).and_then(Ref::as_bool);
        for kind in [ASSIGNMENT, SAFEGUARDS] {
            for own in builder.estate.of_kind(kind) {
                let Some(rule) = builder.estate.get(*own) else {
                    continue;
                };
                let Some(scope) = scope_of(rule) else {
                    continue;
                };
                let above = id == scope || id.starts_with(&format!("{scope}/"));
                let one = if kind == SAFEGUARDS {
                    safeguards(rule, *own, resource, namespace)
                } else if on == Some(false) || on.is_none() && !addon_open(resource) {
                    Outcome::Passes
                } else {
                    initiative(rule, *own, namespace)
                };
                let one = match (one, above) {
                    (_, false) if !scope.contains("managementgroups") => Outcome::Passes,
                    (Outcome::Denies(by), false) => Outcome::Perhaps(
                        "whether the assignment's management group holds the cluster is not known"
                            .to_owned(),
                        by,
                    ),
                    (one, _) => one,
                };
                let one = match (one, doubt) {
                    (Outcome::Denies(by), Some(why)) => Outcome::Perhaps(why.to_owned(), by),
                    (one, _) => one,
                };
                outcome = outcome.and(one);
            }
        }
    }
    outcome
}

fn addon_open(cluster: &Resource) -> bool {
    let profiles = cluster.object().path(&["properties", "addonProfiles"]);
    profiles.is_some_and(|profiles| {
        profiles.is_open() || profiles.get("azurepolicy").is_some_and(Ref::is_open)
    })
}

/// What an extension resource is about: its id up to its own provider.
fn scope_of(resource: &Resource) -> Option<String> {
    let id = resource.azure.as_ref()?.id.to_ascii_lowercase();
    let at = id.rfind("/providers/")?;
    id.get(..at).map(str::to_owned)
}

fn initiative(assignment: &Resource, id: ResourceRef, namespace: &str) -> Outcome {
    let object = assignment.object();
    let definition = word(object.path(&["properties", "policyDefinitionId"])).unwrap_or_default();
    if !STANDARDS.iter().any(|own| definition.ends_with(own)) {
        return Outcome::Passes;
    }
    if word(object.path(&["properties", "enforcementMode"])).as_deref() == Some("donotenforce") {
        return Outcome::Passes;
    }
    let parameter = |name: &str| object.path(&["properties", "parameters", name, "value"]);
    let effect = parameter("effect");
    let overridden = object
        .path(&["properties", "overrides"])
        .into_iter()
        .flat_map(Ref::items)
        .any(|one| word(one.get("value")).as_deref() == Some("deny"));
    let denies = match effect {
        Some(effect) if effect.is_open() => None,
        effect => Some(word(effect).as_deref() == Some("deny") || overridden),
    };
    let excluded = match parameter("excludedNamespaces") {
        None => Some(LEFT_OUT.contains(&namespace)),
        list => names(list, namespace),
    };
    let chosen = match parameter("namespaces") {
        Some(list) if list.is_list() && list.items().len() == 0 => Some(true),
        None => Some(true),
        list => names(list, namespace),
    };
    decide(
        denies,
        excluded,
        chosen,
        id,
        "what the assignment's parameters come to was not given",
    )
}

fn safeguards(rule: &Resource, id: ResourceRef, cluster: &Resource, namespace: &str) -> Outcome {
    let object = rule.object();
    let get = |key: &str| object.path(&["properties", key]);
    let automatic = word(cluster.object().path(&["sku", "name"])).as_deref() == Some("automatic");
    let standard = match get("podSecurityStandardsLevel") {
        None => Some(automatic),
        Some(level) => word(Some(level)).map(|level| level != "privileged"),
    };
    let enforced = word(get("level")).map(|level| level == "enforce");
    let denies = match (standard, enforced) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let excluded = match get("excludedNamespaces") {
        None => Some(LEFT_OUT.contains(&namespace)),
        list => names(list, namespace).map(|own| own || LEFT_OUT.contains(&namespace)),
    };
    decide(
        denies,
        excluded,
        Some(true),
        id,
        "what the safeguards are set to was not given",
    )
}

fn decide(
    denies: Option<bool>,
    excluded: Option<bool>,
    chosen: Option<bool>,
    id: ResourceRef,
    why: &str,
) -> Outcome {
    if denies == Some(false) || excluded == Some(true) || chosen == Some(false) {
        return Outcome::Passes;
    }
    if denies.is_some() && excluded.is_some() && chosen.is_some() {
        return Outcome::Denies(vec![id]);
    }
    Outcome::Perhaps(why.to_owned(), vec![id])
}

impl Engines {
    /// Gatekeeper's constraints (<https://open-policy-agent.github.io/gatekeeper/website/docs/howto>).
    fn gatekeeper(&self, estate: &Estate, namespace: &str) -> Outcome {
        for id in &self.constraints {
            let Some(constraint) = estate.get(*id) else {
                continue;
            };
            let spec = constraint.object().get("spec");
            let action = spec
                .and_then(|spec| spec.get("enforcementAction"))
                .and_then(Ref::as_str)
                .unwrap_or("deny");
            let fits = spec.and_then(|spec| spec.get("match"));
            let list = |key: &str| names(fits.and_then(|fits| fits.get(key)), namespace);
            let kinds: Vec<Ref<'_>> = fits
                .and_then(|fits| fits.get("kinds"))
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(|one| one.get("kinds"))
                .flat_map(Ref::items)
                .collect();
            let pods = kinds.is_empty()
                || kinds
                    .iter()
                    .any(|kind| matches!(kind.as_str(), Some("Pod" | "*")));
            if action != "deny"
                || !pods
                || list("excludedNamespaces") == Some(true)
                || list("namespaces") == Some(false)
            {
                continue;
            }
            let why = format!(
                "Gatekeeper's constraint {} may keep it out",
                constraint.name.name
            );
            return Outcome::Perhaps(why, vec![*id]);
        }
        Outcome::Passes
    }

    /// Kyverno's policies (<https://kyverno.io/docs/policy-types/cluster-policy/validate/>).
    fn kyverno(&self, estate: &Estate, namespace: &str, removed: &Removed) -> Outcome {
        for id in &self.kyverno {
            let Some(policy) = estate.get(*id) else {
                continue;
            };
            if policy.name.kind.name() == "ClusterPolicy" && removed.kyverno.has(&policy.name.name)
            {
                continue;
            }
            let own = policy.name.namespace.as_deref();
            let applies = match policy.name.kind.name() {
                "ClusterPolicy" => true,
                "Policy" => own == Some(namespace),
                _ => false,
            };
            if !applies {
                continue;
            }
            let spec = policy.object().get("spec");
            let by_default = spec
                .and_then(|spec| spec.get("validationFailureAction"))
                .and_then(Ref::as_str)
                .unwrap_or("Audit")
                .to_owned();
            let enforces = spec
                .and_then(|spec| spec.get("rules"))
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(|rule| rule.get("validate"))
                .any(|validate| {
                    let action = validate
                        .get("failureAction")
                        .and_then(Ref::as_str)
                        .unwrap_or(&by_default);
                    action.eq_ignore_ascii_case("enforce")
                });
            if enforces {
                let why = format!("Kyverno's policy {} may keep it out", policy.name.name);
                return Outcome::Perhaps(why, vec![*id]);
            }
        }
        Outcome::Passes
    }

    /// Webhooks that are asked about pods. Those of engines whose rules were given are judged by these.
    fn webhooks(
        &self,
        estate: &Estate,
        namespace: &str,
        shape: Shape,
        removed: &Removed,
    ) -> Outcome {
        let wanted = Wanted {
            object: serde_json::Value::Null,
            old: None,
            subresource: if shape == Shape::Privileged {
                "ephemeralcontainers"
            } else {
                ""
            },
        };
        let engines = [
            ("gatekeeper", !self.constraints.is_empty()),
            ("kyverno", !self.kyverno.is_empty()),
        ];
        for id in estate.of_kind("ValidatingWebhookConfiguration") {
            let Some(configuration) = estate.get(*id) else {
                continue;
            };
            let name = &configuration.name.name;
            if removed.webhooks.has(name) {
                continue;
            }
            if engines
                .iter()
                .any(|(engine, given)| *given && name.contains(engine))
            {
                continue;
            }
            let hooks = configuration.object().get("webhooks");
            for hook in hooks.into_iter().flat_map(Ref::items) {
                let asked = hook
                    .get("rules")
                    .into_iter()
                    .flat_map(Ref::items)
                    .any(|rule| rule_takes(rule, &wanted));
                let label = |key: &str| label_of(estate, namespace, key);
                let here = selects(hook.get("namespaceSelector"), &label) != Some(false);
                let objects = hook
                    .path(&["objectSelector", "matchLabels"])
                    .is_some_and(|labels| labels.entries().len() > 0)
                    || hook
                        .path(&["objectSelector", "matchExpressions"])
                        .is_some_and(|list| list.items().len() > 0);
                // Whoever writes the pod's labels is not asked about.
                let dodged = objects && shape != Shape::Privileged;
                if asked && here && !dodged {
                    let why = format!("the admission webhook {name} may keep it out");
                    return Outcome::Perhaps(why, vec![*id]);
                }
            }
        }
        Outcome::Passes
    }
}
