//! What admission lets pass: whether somebody who may create pods in a namespace may create one of a shape.
//!
//! An attacker writes the pod, so a shape is a few pods of which one is enough, each as tame as its purpose lets it
//! be: labels, names and images are such as the rules want. What counts:
//!
//! | module | reads |
//! |---|---|
//! | here | the namespace's Pod Security label (kubernetes staging/src/k8s.io/pod-security-admission); AKS sets neither defaults nor exemptions (<https://learn.microsoft.com/azure/aks/use-psa>) |
//! | [`policies`], [`matching`], [`values`] | ValidatingAdmissionPolicies, evaluated over the pods |
//! | [`engines`] | Azure Policy, deployment safeguards, Gatekeeper, Kyverno, other webhooks |
//! | [`shapes`] | the pods |
//! | [`choices`] | what the attacker may write into them, where several rules look |
//!
//! Each is asked too for what it makes of a pod once some of this is taken away ([`Removed`]).
//!
//! Left out: what admission changes (mutating webhooks), and quotas.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cel::{Node as _, View};
use model::{Ref, Resource, ResourceRef, Within};

use super::builder::Builder;
use super::graph::Evidence;

mod choices;
mod engines;
mod matching;
mod policies;
mod shapes;
#[cfg(test)]
mod tests;
mod values;

/// What a pod must be for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shape {
    /// Nothing special: it runs, as any service account of the namespace, and mounts its Secrets.
    Plain,
    /// It takes the node: a privileged container, or the node's processes or files.
    Node,
    /// The same by a container in a pod that is there already: an ephemeral one.
    Privileged,
    /// It sits in the node's network.
    HostNetwork,
    /// It mounts the node's files.
    HostPath,
}

/// Whether admission lets a shape pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Nothing keeps it out.
    Yes(Vec<Evidence>),
    /// Something may keep it out.
    Perhaps(Arc<str>, Vec<Evidence>),
    /// Something surely does.
    No(Vec<Evidence>),
}

/// Which objects of a kind somebody took away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Gone {
    #[default]
    None,
    These(BTreeSet<Box<str>>),
    All,
}

impl Gone {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::These(names) => names.contains(name),
            Self::All => true,
        }
    }
}

/// What no longer keeps pods out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) policies: Gone,
    pub(crate) bindings: Gone,
    pub(crate) webhooks: Gone,
    pub(crate) kyverno: Gone,
}

impl Removed {
    /// Whether all of a kind are gone, those that were not given too.
    fn all_of(&self, kind: &str) -> bool {
        match kind {
            "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding" => {
                self.policies == Gone::All || self.bindings == Gone::All
            }
            "ValidatingWebhookConfiguration" => self.webhooks == Gone::All,
            _ => false,
        }
    }
}

/// What one rule, or all of them, make of a pod; with the objects that decide.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passes,
    Perhaps(String, Vec<ResourceRef>),
    Denies(Vec<ResourceRef>),
}

impl Outcome {
    /// Both must let it pass.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (denies @ Self::Denies(_), _) | (_, denies @ Self::Denies(_)) => denies,
            (perhaps @ Self::Perhaps(..), _) | (_, perhaps @ Self::Perhaps(..)) => perhaps,
            _ => Self::Passes,
        }
    }

    /// One is enough.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Passes, _) | (_, Self::Passes) => Self::Passes,
            (perhaps @ Self::Perhaps(..), _) | (_, perhaps @ Self::Perhaps(..)) => perhaps,
            (denies, _) => denies,
        }
    }
}

/// What was found out so far.
#[derive(Default)]
pub(crate) struct Answers {
    rules: Option<Arc<Rules>>,
    known: HashMap<(Box<str>, Shape), Admitted>,
}

/// What an estate holds that may keep pods out.
struct Rules {
    policies: policies::Policies,
    engines: engines::Engines,
    /// An image that rules let pass, where the namespace has none.
    image: Option<String>,
}

/// The label that Pod Security reads (k8s.io/pod-security-admission/api, `EnforceLevelLabel`).
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// How many pods of a namespace are looked at where one is enough.
const PODS: usize = 8;

/// Kinds of which one that was not given may keep pods out.
const KINDS: [&str; 3] = [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

impl Builder<'_> {
    /// Whether admission lets pods of a shape into a namespace.
    pub(crate) fn admits(&mut self, namespace: &str, shape: Shape) -> Admitted {
        let key = (Box::from(namespace), shape);
        if let Some(known) = self.admission.known.get(&key) {
            return known.clone();
        }
        let answer = match self.pod_security(namespace, shape) {
            no @ Admitted::No(_) => no,
            level => {
                let pods = self.there(namespace, shape);
                self.by_rules(namespace, shape, level, pods, &Removed::default())
            }
        };
        self.admission.known.insert(key, answer.clone());
        answer
    }

    /// The same once somebody took some of what keeps pods out away, and wrote other labels on the namespace.
    pub(crate) fn admits_without(
        &mut self,
        namespace: &str,
        shape: Shape,
        removed: &Removed,
        relabelled: bool,
    ) -> Admitted {
        if relabelled {
            return self.relabelled(namespace, shape, removed);
        }
        match self.pod_security(namespace, shape) {
            no @ Admitted::No(_) => no,
            level => {
                let pods = self.there(namespace, shape);
                self.by_rules(namespace, shape, level, pods, removed)
            }
        }
    }

    /// Whether it lets a privileged container into a pod of one of these workloads of a namespace.
    pub(crate) fn admits_into(&mut self, namespace: &str, workloads: &[u32]) -> Admitted {
        if self.rules().policies.is_empty() {
            return self.admits(namespace, Shape::Privileged);
        }
        let pods = workloads
            .iter()
            .take(PODS + 1)
            .filter_map(|number| self.names.workloads.get(*number as usize))
            .map(|workload| workload.resource)
            .collect();
        match self.pod_security(namespace, Shape::Privileged) {
            no @ Admitted::No(_) => no,
            level => {
                let none = Removed::default();
                self.by_rules(namespace, Shape::Privileged, level, Some(pods), &none)
            }
        }
    }

    /// The pods that a container is put into, where the shape is one.
    fn there(&self, namespace: &str, shape: Shape) -> Option<Vec<ResourceRef>> {
        let all = self.estate.workloads_in(namespace);
        (shape == Shape::Privileged).then(|| all.take(PODS + 1).collect())
    }

    fn rules(&mut self) -> Arc<Rules> {
        if let Some(rules) = &self.admission.rules {
            return Arc::clone(rules);
        }
        let read = Arc::new(Rules {
            policies: policies::Policies::read(self.estate),
            engines: engines::Engines::read(self.estate),
            image: shapes::any_image(self.estate),
        });
        self.admission.rules = Some(Arc::clone(&read));
        read
    }

    /// What rules make of what Pod Security lets pass: of a new pod, or of pods that are there.
    fn by_rules(
        &mut self,
        namespace: &str,
        shape: Shape,
        level: Admitted,
        there: Option<Vec<ResourceRef>>,
        removed: &Removed,
    ) -> Admitted {
        let rules = self.rules();
        let engines = rules.engines.judge(self, namespace, shape, removed);
        let image = rules.image.as_deref();
        let mut more = false;
        let pods: Vec<shapes::Wanted> = match there {
            _ if rules.policies.is_empty() => Vec::new(),
            None => shapes::pods(self.estate, namespace, shape, image),
            Some(there) => {
                more = there.len() > PODS;
                there
                    .iter()
                    .take(PODS)
                    .filter_map(|id| self.estate.get(*id))
                    .flat_map(|one| shapes::debugged(self.estate, namespace, one, image))
                    .collect()
            }
        };
        let outcome = pods
            .iter()
            .map(|pod| rules.policies.judge(self.estate, namespace, pod, removed))
            .reduce(Outcome::or)
            .unwrap_or(Outcome::Passes);
        let outcome = match outcome {
            Outcome::Denies(by) if more => {
                let why = format!("of the pods in {namespace} only {PODS} were looked at");
                Outcome::Perhaps(why, by)
            }
            outcome => outcome,
        }
        .and(engines);
        let mut seen = |objects: &[ResourceRef], says: &str| -> Vec<Evidence> {
            objects
                .iter()
                .map(|object| self.seen(*object, None, says))
                .collect()
        };
        match (outcome, level) {
            (Outcome::Denies(by), _) => Admitted::No(seen(&by, "admission keeps such pods out")),
            (Outcome::Perhaps(why, by), Admitted::Yes(mut evidence)) => {
                evidence.extend(seen(&by, "admission may keep such pods out"));
                Admitted::Perhaps(why.into(), evidence)
            }
            (Outcome::Passes, Admitted::Yes(evidence)) if shape != Shape::Plain => {
                let kinds: Vec<&str> = KINDS
                    .into_iter()
                    .filter(|kind| !removed.all_of(kind))
                    .collect();
                match self.estate.absent_any(&kinds, Within::Everywhere) {
                    None => Admitted::Yes(evidence),
                    Some(_) => Admitted::Perhaps(
                        "admission policies and webhooks that were not given may keep it out"
                            .into(),
                        evidence,
                    ),
                }
            }
            (_, level) => level,
        }
    }

    /// The same where whoever creates the pod may also write the namespace's labels: Pod Security reads nothing
    /// else, and what selects namespaces by labels may be led past.
    pub(crate) fn admits_relabelled(&mut self, namespace: &str, shape: Shape) -> Admitted {
        self.relabelled(namespace, shape, &Removed::default())
    }

    fn relabelled(&mut self, namespace: &str, shape: Shape, removed: &Removed) -> Admitted {
        let rules = self.rules();
        let pods = self.there(namespace, shape);
        match self.by_rules(namespace, shape, Admitted::Yes(Vec::new()), pods, removed) {
            Admitted::No(evidence) if evidence.iter().any(|one| self.selects(one)) => {
                let why = "what keeps such pods out may not select the namespace by its new labels";
                Admitted::Perhaps(why.into(), evidence)
            }
            Admitted::Yes(mut evidence) => match rules.policies.of_namespaces(self.estate, removed)
            {
                None => Admitted::Yes(evidence),
                Some((policy, name)) => {
                    let why = format!("policy {name} is asked about changes of namespaces");
                    evidence.push(self.seen(policy, None, &why));
                    Admitted::Perhaps(why.into(), evidence)
                }
            },
            answer => answer,
        }
    }

    /// Whether an object says to which namespaces it applies, or judges by what stands in them.
    fn selects(&self, evidence: &Evidence) -> bool {
        let super::graph::Object::Estate(object) = evidence.object else {
            return false;
        };
        let Some(object) = self.estate.get(object).map(Resource::object) else {
            return false;
        };
        let reads = ["validations", "matchConditions", "variables"]
            .iter()
            .filter_map(|key| object.path(&["spec", key]))
            .flat_map(Ref::items)
            .filter_map(|one| one.get("expression").and_then(Ref::as_str))
            .any(|expression| expression.contains("namespaceObject"));
        if reads {
            return true;
        }
        let constraints = ["matchConstraints", "matchResources", "match"]
            .iter()
            .filter_map(|key| object.path(&["spec", key, "namespaceSelector"]));
        let webhooks = object.get("webhooks").into_iter().flat_map(Ref::items);
        let selectors =
            constraints.chain(webhooks.filter_map(|hook| hook.get("namespaceSelector")));
        selectors.into_iter().any(|selector| {
            ["matchLabels", "matchExpressions"]
                .iter()
                .any(|key| selector.get(key).is_some())
        })
    }

    /// What the namespace's own labels say.
    fn pod_security(&mut self, namespace: &str, shape: Shape) -> Admitted {
        // Whoever writes a pod for nothing special can write it so that `restricted` lets it pass.
        if shape == Shape::Plain {
            return Admitted::Yes(Vec::new());
        }
        let not_given = || {
            let why = format!("the labels of namespace {namespace} were not given");
            Admitted::Perhaps(why.into(), Vec::new())
        };
        let Some(resource) = self.estate.find("", "Namespace", namespace) else {
            return match self.estate.absent("Namespace", Within::Everywhere) {
                None => Admitted::Yes(Vec::new()),
                Some(_) => not_given(),
            };
        };
        let number = self.estate.number_of(resource);
        let holder = resource.object().get("metadata");
        let labels = holder.and_then(|holder| holder.get("labels"));
        let level = labels.and_then(|labels| labels.get(ENFORCE));
        let open = |value: Option<Ref<'_>>| value.is_some_and(Ref::is_open);
        let more = labels.is_some_and(|labels| labels.rest().is_some());
        if open(level) || level.is_none() && (open(labels) || open(holder) || more) {
            return not_given();
        }
        let mut seen = |value: Option<Ref<'_>>, says: &str| -> Vec<Evidence> {
            number
                .map(|number| self.seen(number, value, says))
                .into_iter()
                .collect()
        };
        match level.map(|level| level.view()) {
            None => Admitted::Yes(seen(
                holder,
                &format!("namespace {namespace} has no label that enforces Pod Security"),
            )),
            Some(View::Str("privileged")) => Admitted::Yes(seen(
                level,
                &format!("namespace {namespace} enforces no more than `privileged`"),
            )),
            // A level that cannot be read counts as `restricted` (`ParseLevel`).
            Some(_) => Admitted::No(seen(
                level,
                &format!("namespace {namespace} enforces Pod Security"),
            )),
        }
    }
}

/// Whether a label selector takes an object with these labels; `None` where a label is not known.
fn selects(selector: Option<Ref<'_>>, label: &dyn Fn(&str) -> Label) -> Option<bool> {
    let Some(selector) = selector else {
        return Some(true);
    };
    let mut known = true;
    let mut all = true;
    let mut note = |answer: Option<bool>| match answer {
        Some(answer) => all &= answer,
        None => known = false,
    };
    for (key, _, value) in selector
        .get("matchLabels")
        .iter()
        .flat_map(|labels| labels.entries())
    {
        note(match label(key) {
            Label::Open => None,
            Label::Absent => Some(false),
            Label::Is(own) => value.as_str().map(|value| value == own),
        });
    }
    for expression in selector
        .get("matchExpressions")
        .into_iter()
        .flat_map(Ref::items)
    {
        let text = |key: &str| expression.get(key).and_then(Ref::as_str);
        let own = label(text("key").unwrap_or_default());
        let among = |own: &str| {
            expression
                .get("values")
                .into_iter()
                .flat_map(Ref::items)
                .any(|value| value.as_str() == Some(own))
        };
        note(match (text("operator"), own) {
            (_, Label::Open) => None,
            (Some("In"), Label::Is(own)) => Some(among(&own)),
            (Some("NotIn"), Label::Is(own)) => Some(!among(&own)),
            (Some("NotIn" | "DoesNotExist"), Label::Absent) | (Some("Exists"), Label::Is(_)) => {
                Some(true)
            }
            (Some("In" | "Exists"), Label::Absent) | (Some("DoesNotExist"), Label::Is(_)) => {
                Some(false)
            }
            _ => None,
        });
    }
    if !all {
        return Some(false);
    }
    known.then_some(true)
}

/// A label of an object.
enum Label {
    Is(String),
    Absent,
    /// Not known.
    Open,
}

/// A label of a namespace. Each has one with its name (kubernetes pkg/apis/core/types.go, `LabelMetadataName`).
fn label_of(estate: &model::Estate, namespace: &str, key: &str) -> Label {
    if key == "kubernetes.io/metadata.name" {
        return Label::Is(namespace.to_owned());
    }
    let Some(resource) = estate.find("", "Namespace", namespace) else {
        return match estate.absent("Namespace", Within::Everywhere) {
            None => Label::Absent,
            Some(_) => Label::Open,
        };
    };
    label_in(resource.object().path(&["metadata", "labels"]), key)
}

fn label_in(labels: Option<Ref<'_>>, key: &str) -> Label {
    match labels {
        None => Label::Absent,
        Some(labels) if labels.is_open() => Label::Open,
        Some(labels) => match labels.get(key) {
            None if labels.rest().is_some() => Label::Open,
            None => Label::Absent,
            Some(value) => value
                .as_str()
                .map_or(Label::Open, |value| Label::Is(value.to_owned())),
        },
    }
}
