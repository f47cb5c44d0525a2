//! What a guideline sees of a resource: the CEL variables of an admission policy, and the
//! facts that join objects.

use std::cell::Cell;
use std::collections::BTreeMap;

use analysis::Analyses;
use analysis::notes::{Read, WORKLOADS as WORKLOADS_READ};
use bumpalo::Bump;
use cel::{Budget, Host, Program, Slot, Timestamp, Unknown, Val};
use model::azure;
use model::certificates;
use model::estate::namespace_of;
use model::image::Reference;
use model::kinds::{Kind, is_builtin};
use model::resource::ResourceRef;
use model::{Estate, Ref, Resource, Within, unknown};

use crate::admission::Admission;
use crate::beside::{Ask, Cache, level};
use crate::catalogue::Guide;
use crate::facts::Facts;
use crate::judge::Setting;

/// The names below `facts`.
pub(crate) const FACTS: [&str; 21] = [
    "images",
    "expected",
    "podSecurity",
    "dataHolders",
    "reaches",
    "exposedBy",
    "escalations",
    "holders",
    "intent",
    "certificates",
    "kubernetes",
    "today",
    "declared",
    "all",
    "namespace",
    "selectedBy",
    "selects",
    "serviceAccount",
    "boundBy",
    "role",
    "usedBy",
];

pub(crate) type Value<'a> = Val<'a, Ref<'a>>;

/// The variables of one resource under judgement.
pub(crate) struct Context<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) bump: &'a Bump,
    pub(crate) budget: Budget,
    world: World<'a>,
    /// The values of `variables.NAME`, computed when first read.
    variables: Vec<Cell<Option<Value<'a>>>>,
    /// What the fix at hand asked.
    answers: Cell<Value<'a>>,
}

/// Whether resources of a type are attached to others and lie below them
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/extension-resource-types>).
fn attaches(kind: &str) -> bool {
    const ATTACHED: [&str; 5] = [
        "Microsoft.Authorization/locks",
        "Microsoft.Authorization/policyAssignments",
        "Microsoft.ContainerService/deploymentSafeguards",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.KubernetesConfiguration/",
    ];
    let starts = |known: &&str| {
        kind.get(..known.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(known))
    };
    ATTACHED.iter().any(starts)
}

/// Whether a kind is that of AKS clusters or of their parts.
pub(crate) fn is_of_cluster(kind: &str) -> bool {
    kind.get(..CLUSTERS.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(CLUSTERS))
}

/// The kind of AKS clusters.
pub(crate) const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

/// The kind of images of containers.
const IMAGES: &str = "Image.seawall.dev";

/// The kinds that carry pods.
const WORKLOADS: [&str; 8] = [
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
];

/// The kinds that give a role to subjects.
const BINDINGS: [&str; 2] = ["RoleBinding", "ClusterRoleBinding"];

/// What else refers to Secrets, ConfigMaps, accounts and claims.
const USERS: [&str; 2] = ["ServiceAccount", "Ingress"];

/// What facts are computed from.
#[derive(Clone, Copy)]
struct World<'a> {
    guide: &'a Guide,
    setting: &'a Setting,
    resource: &'a Resource,
    /// Present when objects may be joined.
    estate: Option<&'a Estate>,
    analyses: Option<&'a Analyses<'a>>,
    /// Present when an API server asks.
    admission: Option<&'a Admission>,
    /// The id of the one AKS cluster that there is, where a question is about one of several.
    cluster: Option<&'a str>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        guide: &'a Guide,
        setting: &'a Setting,
        resource: &'a Resource,
        analyses: Option<&'a Analyses<'a>>,
        bump: &'a Bump,
    ) -> Self {
        Self {
            guide,
            bump,
            budget: Budget::new(Budget::POLICY),
            world: World {
                guide,
                setting,
                resource,
                estate: analyses.map(|analyses| analyses.estate),
                analyses,
                admission: None,
                cluster: None,
            },
            variables: guide.variables.iter().map(|_| Cell::new(None)).collect(),
            answers: Cell::new(Val::Null),
        }
    }

    /// Binds the answers to what a fix asked.
    pub(crate) fn answer(&self, answers: &[(&'a str, Value<'a>)]) {
        let entries: Vec<(Value<'a>, Value<'a>)> = answers
            .iter()
            .map(|(name, value)| (Val::Str(name), *value))
            .collect();
        self.answers.set(Val::map(self.bump, &entries, None));
    }

    /// A context for a question about a whole estate, which no API server has to answer.
    pub(crate) fn unbounded(
        guide: &'a Guide,
        setting: &'a Setting,
        witness: &'a Resource,
        analyses: &'a Analyses<'a>,
        bump: &'a Bump,
    ) -> Self {
        let mut context = Self::new(guide, setting, witness, Some(analyses), bump);
        context.budget = Budget::new(u64::MAX);
        context
    }

    /// Binds what an API server says of a request.
    pub(crate) fn at_admission(mut self, admission: Option<&'a Admission>) -> Self {
        self.world.admission = admission;
        self
    }

    /// Leaves out all AKS clusters, with their parts, but the one of this id.
    pub(crate) fn of_cluster(mut self, id: &'a str) -> Self {
        self.world.cluster = Some(id);
        self
    }

    /// What writers of new objects are told.
    pub(crate) fn ask(&self, cache: &'a Cache) -> Ask<'a> {
        Ask {
            cache,
            resource: self.world.resource,
            setting: self.world.setting,
            analyses: self.world.analyses,
        }
    }

    /// Every guideline may spend as much as one policy in an API server.
    pub(crate) fn refill(&mut self) {
        self.budget = Budget::new(Budget::POLICY);
    }

    fn host(&self, view: View) -> Value<'a> {
        Val::Host(self.bump.alloc(FactHost {
            world: self.world,
            view,
        }))
    }
}

impl<'a> cel::Scope<'a, Ref<'a>> for Context<'a> {
    fn variable(&self, slot: Slot) -> Value<'a> {
        let roots = &self.guide.roots;
        if let Some(index) = self.guide.variable_at(slot) {
            let Some((cell, variable)) = self
                .variables
                .get(index)
                .zip(self.guide.variables.get(index))
            else {
                return Val::Null;
            };
            if let Some(value) = cell.get() {
                return value;
            }
            let value = variable.program.eval(self, &[], self.bump, &self.budget);
            cell.set(Some(value));
            return value;
        }
        if slot == roots.object || slot == roots.resource {
            Val::Node(self.world.resource.object())
        } else if slot == roots.facts {
            self.host(View::Facts)
        } else if slot == roots.links {
            self.host(View::Links)
        } else if slot == roots.request {
            self.host(View::Request)
        } else if slot == roots.answers {
            self.answers.get()
        } else if slot == roots.params {
            Val::Node(self.world.setting.params.root())
        } else if slot == roots.namespace_object {
            self.world.namespace_object()
        } else if slot == roots.authorizer {
            Val::Unknown(unknown::LIVE_ONLY)
        } else if slot == roots.old_object {
            let old = self
                .world
                .admission
                .and_then(|admission| admission.old.as_ref());
            old.map_or(Val::Null, |old| Val::Node(old.root()))
        } else {
            Val::Null
        }
    }

    fn definition(&self, slot: Slot) -> Option<&'a Program> {
        let guide = self.guide;
        guide
            .variable_at(slot)
            .and_then(|index| guide.variables.get(index))
            .map(|variable| &variable.program)
    }
}

#[derive(Clone, Copy)]
enum View {
    Facts,
    Request,
    Kubernetes,
    Aks,
    All,
    Namespace,
    SelectedBy,
    Links,
    To,
    From,
    Over,
    Children,
    At,
    Holders,
    DataHolders,
    Images,
    Expected,
}

/// A map whose entries are computed when they are read.
struct FactHost<'a> {
    world: World<'a>,
    view: View,
}

impl<'a> Host<'a, Ref<'a>> for FactHost<'a> {
    fn field(&self, name: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let world = self.world;
        if let View::Links | View::To | View::From | View::Over | View::Children | View::At =
            self.view
        {
            world.note(Read::Azure);
        }
        let host = |view| Val::Host(bump.alloc(FactHost { world, view }) as &dyn Host<'a, Ref<'a>>);
        match (self.view, name) {
            (View::Facts, "kubernetes") => Some(host(View::Kubernetes)),
            (View::Facts, "all") => Some(host(View::All)),
            (View::Facts, "namespace") => Some(host(View::Namespace)),
            (View::Facts, "selectedBy") => Some(host(View::SelectedBy)),
            (View::Facts, "images") => Some(host(View::Images)),
            (View::Facts, "expected") => Some(host(View::Expected)),
            (View::Facts, "holders") => Some(host(View::Holders)),
            (View::Facts, "dataHolders") => Some(host(View::DataHolders)),
            (View::Facts, "today") => Some(
                world
                    .setting
                    .today
                    .map_or(Val::Unknown(unknown::NO_DAY), Val::Timestamp),
            ),
            (View::Facts, _) => world.fact(name, bump),
            (View::Kubernetes, "minor") => {
                Some(Val::Int(i64::from(world.setting.kubernetes_minor)))
            }
            (View::Kubernetes, "aks") => Some(host(View::Aks)),
            (View::Aks, "supported") => Some(texts(&world.setting.aks.supported, bump)),
            (View::Aks, "ends") => Some(days(&world.setting.aks.ends, bump)),
            (View::Aks, "longTermEnds") => Some(days(&world.setting.aks.long_term_ends, bump)),
            (View::Aks, "longTerm") => Some(texts(&world.setting.aks.long_term, bump)),
            (View::Request, "operation") => Some(Val::Str(
                world
                    .admission
                    .map_or("CREATE", |admission| admission.operation.word()),
            )),
            (View::Request, "namespace") => Some(match world.namespace() {
                // The place in the file where it is said, so that a finding can point there.
                Some(namespace) => world
                    .resource
                    .object()
                    .path(&["metadata", "namespace"])
                    .filter(|value| value.as_str() == Some(namespace))
                    .map_or(Val::Str(namespace), Val::Node),
                None if world.is_cluster_scoped() => Val::Str(""),
                None => Val::Unknown(unknown::NAMESPACE_AT_APPLY),
            }),
            (View::Request, name) => match world.admission {
                Some(admission) => admission.request.root().get(name).map(Val::Node),
                None => Some(Val::Unknown(unknown::LIVE_ONLY)),
            },
            (View::All, "workloads") => {
                world.note(Read::All(WORKLOADS_READ));
                let more = world.absent(&WORKLOADS, Within::Everywhere);
                Some(world.list(world.estate?.workloads(), more, bump))
            }
            (View::All, kind) => {
                world.note(Read::All(kind));
                let found = world.estate?.of_kind(kind).iter().copied();
                let found = found.filter(|id| world.is_meant(*id));
                Some(world.list(found, world.absent(&[kind], Within::Everywhere), bump))
            }
            (View::Namespace, "workloads") => {
                world.note(Read::In(world.own_namespace(), WORKLOADS_READ));
                let found = world
                    .estate?
                    .workloads_in(world.namespace().unwrap_or_default());
                Some(world.list(found, world.absent(&WORKLOADS, world.here()), bump))
            }
            (View::Namespace, kind) => {
                world.note(Read::In(world.own_namespace(), kind));
                let found = world
                    .estate?
                    .in_namespace(world.namespace().unwrap_or_default(), kind);
                let more = world.absent(&[kind], world.here());
                Some(world.list(found.iter().copied(), more, bump))
            }
            (View::SelectedBy, kind) => {
                world.note(Read::In(namespace_of(world.resource), kind));
                let found = world.estate?.selecting(world.resource, kind);
                let more = world.absent(&[kind], world.here());
                Some(world.list(found.into_iter(), more, bump))
            }
            (View::Links, "to") => Some(host(View::To)),
            (View::Links, "from") => Some(host(View::From)),
            (View::Links, "over") => Some(host(View::Over)),
            (View::Links, "children") => Some(host(View::Children)),
            (View::Links, "at") => Some(host(View::At)),
            (View::Links, "parent") => world.above(azure::parent_of_id),
            (View::Links, "scope") => world.above(azure::scope_of_id),
            (View::To, kind) => Some(world.links_to(kind, bump)),
            (View::From, kind) => {
                let found = world.estate?.links_from(world.resource, kind);
                // What is attached to it lies below it; what names it may lie anywhere, as may the roles
                // that an identity is given.
                let within = if attaches(kind) {
                    world.id()
                } else {
                    Within::Everywhere
                };
                Some(world.list(found.into_iter(), world.absent(&[kind], within), bump))
            }
            (View::Over, kind) => {
                let found = world.estate?.links_over(world.resource, kind);
                let more = world.absent(&[kind], world.id());
                let more = more.or(found.not_given.then_some(unknown::NOT_GIVEN));
                Some(world.list(found.resources.into_iter(), more, bump))
            }
            (View::Children, kind) => {
                let found = world.estate?.links_down(world.resource, kind);
                Some(world.list(found.into_iter(), world.absent(&[kind], world.id()), bump))
            }
            (View::At, id) => Some(world.at_id(id)),
            (View::Images, name) => Some(world.image(name)),
            (View::Expected, attempt) => world.analysed()?.expected(attempt, bump),
            (View::Holders, action) => world.analysed()?.holders(action, false, bump),
            (View::DataHolders, action) => world.analysed()?.holders(action, true, bump),
            _ => None,
        }
    }

    fn node(&self) -> Option<Ref<'a>> {
        None
    }
}

fn texts<'a>(texts: &'a [Box<str>], bump: &'a Bump) -> Value<'a> {
    let items: Vec<Value<'a>> = texts.iter().map(|text| Val::Str(text)).collect();
    Val::list(bump, &items, None)
}

fn days<'a>(days: &'a BTreeMap<Box<str>, Timestamp>, bump: &'a Bump) -> Value<'a> {
    let entries: Vec<(Value<'a>, Value<'a>)> = days
        .iter()
        .map(|(name, day)| (Val::Str(name), Val::Timestamp(*day)))
        .collect();
    Val::map(bump, &entries, None)
}

impl<'a> World<'a> {
    /// Notes what is read of the estate beside the resource.
    fn note(&self, read: Read<'_>) {
        if let Some(analyses) = self.analyses {
            analyses.note(&read);
        }
    }

    fn own_namespace(&self) -> &'a str {
        self.namespace().unwrap_or_default()
    }

    /// Why the absence of these kinds proves nothing; `None` when it does.
    fn absent(&self, kinds: &[&str], within: Within<'_>) -> Option<Unknown> {
        match self.estate {
            Some(estate) => estate.absent_any(kinds, within),
            None => Some(unknown::NOT_WHOLE),
        }
    }

    /// Its namespace; for what belongs to no namespace, everywhere.
    fn here(&self) -> Within<'a> {
        self.namespace()
            .map_or(Within::Everywhere, Within::Namespace)
    }

    /// What lies at or below it in Azure.
    fn id(&self) -> Within<'a> {
        let azure = self.resource.azure.as_ref();
        azure.map_or(Within::Everywhere, |azure| Within::Id(&azure.id))
    }

    /// A list that has one more, unknown element when there is a reason for `more`.
    fn list(
        &self,
        ids: impl Iterator<Item = ResourceRef>,
        more: Option<Unknown>,
        bump: &'a Bump,
    ) -> Value<'a> {
        let Some(estate) = self.estate else {
            return Val::list(bump, &[], Some(unknown::NOT_WHOLE));
        };
        let items: Vec<Value<'a>> = ids
            .filter_map(|id| estate.get(id))
            .map(|resource| Val::Node(resource.object()))
            .collect();
        Val::list(bump, &items, more)
    }

    /// Whether a resource belongs to the cluster that is asked about, or to none.
    fn is_meant(&self, id: ResourceRef) -> bool {
        let Some(cluster) = self.cluster else {
            return true;
        };
        let resource = self.estate.and_then(|estate| estate.get(id));
        let own = resource.and_then(|resource| Some((resource, resource.azure.as_ref()?)));
        let Some((_, azure)) = own.filter(|(resource, _)| is_of_cluster(resource.name.kind.name()))
        else {
            return true;
        };
        let (start, rest) = azure.id.split_at_checked(cluster.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(cluster) && (rest.is_empty() || rest.starts_with('/'))
    }

    fn namespace(&self) -> Option<&'a str> {
        match self.resource.name.kind.name() {
            "Namespace" => Some(&self.resource.name.name),
            _ => self.resource.name.namespace.as_deref(),
        }
    }

    fn is_cluster_scoped(&self) -> bool {
        model::kinds::is_cluster_scoped(self.resource.name.kind.name())
    }

    fn namespace_object(&self) -> Value<'a> {
        if self.is_cluster_scoped() {
            return Val::Null;
        }
        let Some(namespace) = self.namespace() else {
            return Val::Unknown(unknown::NAMESPACE_AT_APPLY);
        };
        let own = self
            .admission
            .and_then(|admission| admission.namespace.as_ref());
        if let Some(own) = own.filter(|own| *own.name.name == *namespace) {
            return Val::Node(own.object());
        }
        self.note(Read::Named("", "Namespace", namespace));
        match self
            .estate
            .and_then(|estate| estate.find("", "Namespace", namespace))
        {
            Some(found) => Val::Node(found.object()),
            None => Val::Unknown(unknown::NAMESPACE_NOT_GIVEN),
        }
    }

    /// An object that is referred to by name: known, absent, or not given.
    fn referred(&self, found: Option<&'a Resource>, kind: &str) -> Option<Value<'a>> {
        match found {
            Some(resource) => Some(Val::Node(resource.object())),
            None => self
                .absent(&[kind], self.here())
                .map(|reason| match reason {
                    unknown::NOT_WHOLE => Val::Unknown(unknown::NOT_GIVEN),
                    gap => Val::Unknown(gap),
                }),
        }
    }

    /// The resource of an id.
    fn at_id(&self, id: &str) -> Value<'a> {
        self.estate
            .and_then(|estate| estate.get(estate.at_id(id)?))
            .map_or(Val::Unknown(unknown::NOT_GIVEN), |resource| {
                Val::Node(resource.object())
            })
    }

    /// What is known of an image, however its name is written.
    fn image(&self, name: &str) -> Value<'a> {
        let name = Reference::read(name).map(|image| image.to_string());
        let name = name.as_deref().unwrap_or_default();
        self.note(Read::Named("", IMAGES, name));
        self.estate
            .and_then(|estate| estate.find("", IMAGES, name))
            .map_or(Val::Unknown(unknown::NOT_GIVEN), |image| {
                Val::Node(image.object())
            })
    }

    /// The resource that the id of this one leads to.
    fn above(&self, of: impl Fn(&str) -> Option<&str>) -> Option<Value<'a>> {
        let azure = self.resource.azure.as_ref()?;
        of(&azure.id).map(|id| self.at_id(id))
    }

    fn links_to(&self, kind: &str, bump: &'a Bump) -> Value<'a> {
        let Some(estate) = self.estate else {
            return Val::list(bump, &[], Some(unknown::NOT_WHOLE));
        };
        let linked = estate.links_to(self.resource, kind);
        let items: Vec<Value<'a>> = linked
            .resources
            .into_iter()
            .filter_map(|id| estate.get(id))
            .map(|resource| Val::Node(resource.object()))
            .collect();
        Val::list(bump, &items, linked.not_given.then_some(unknown::NOT_GIVEN))
    }

    fn analysed(&self) -> Option<Facts<'a>> {
        Some(Facts {
            analyses: self.analyses?,
            resource: self.resource,
        })
    }

    /// What the object holds in certificates, one map each.
    fn certificates(&self, bump: &'a Bump) -> Value<'a> {
        let resource = self.resource;
        let found = if resource.name.kind.is("Secret") {
            resource.certificates.as_deref().map(<[_]>::to_vec)
        } else {
            certificates::of_object(&resource.name.kind, resource.object(), resource.origin.live)
        };
        let Some(found) = found else {
            return Val::list(bump, &[], Some(unknown::SECRET_DATA));
        };
        let text = |text: &str| Val::Str(bump.alloc_str(text));
        let items: Vec<Value<'a>> = found
            .iter()
            .map(|certificate| {
                let not_after = cel::Timestamp {
                    seconds: certificate.not_after,
                    nanos: 0,
                };
                let entries = [
                    (Val::Str("of"), text(&certificate.of)),
                    (Val::Str("subject"), text(&certificate.subject)),
                    (Val::Str("notAfter"), Val::Timestamp(not_after)),
                    (Val::Str("key"), text(&certificate.key)),
                ];
                Val::map(bump, &entries, None)
            })
            .collect();
        Val::list(bump, &items, None)
    }

    fn fact(&self, name: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let estate = self.estate?;
        let own = namespace_of(self.resource);
        let (own_kind, own_name) = (self.resource.name.kind.name(), &*self.resource.name.name);
        match name {
            "selects" => {
                self.note(Read::In(own, WORKLOADS_READ));
                let found = estate.selected_by(self.resource).into_iter();
                Some(self.list(found, self.absent(&WORKLOADS, self.here()), bump))
            }
            "boundBy" => {
                self.note(Read::Bound(own, own_kind, own_name));
                let found = estate.bindings_of(self.resource).iter().copied();
                // A role of a namespace is bound there; an account and a ClusterRole anywhere.
                let within = match self.resource.name.kind.name() {
                    "Role" => self.here(),
                    _ => Within::Everywhere,
                };
                Some(self.list(found, self.absent(&BINDINGS, within), bump))
            }
            "podSecurity" => {
                let namespace = self.namespace()?;
                self.note(Read::In(namespace, WORKLOADS_READ));
                let level = level::of(self.guide, self.setting, estate, namespace);
                Some(Val::Str(level))
            }
            "certificates" => Some(self.certificates(bump)),
            "reaches" => self.analysed()?.reaches(bump),
            "exposedBy" => self.analysed()?.exposed_by(bump),
            "escalations" => self.analysed()?.escalations(bump),
            "intent" => self.analysed()?.intent(self.setting, bump),
            "declared" => {
                // What is declared is of the same kind.
                match &self.resource.name.kind {
                    Kind::Kubernetes { group, kind } if !is_builtin(group, kind) => {
                        self.note(Read::All(&format!("{kind}.{group}")));
                    }
                    kind => self.note(Read::All(kind.name())),
                }
                let found = estate.declared(self.resource).into_iter();
                Some(self.list(found, None, bump))
            }
            "usedBy" => {
                self.note(Read::Used(own, own_kind, own_name));
                let found = estate.users_of(self.resource).iter().copied();
                let more = self
                    .absent(&WORKLOADS, self.here())
                    .or_else(|| self.absent(&USERS, self.here()));
                Some(self.list(found, more, bump))
            }
            "serviceAccount" => {
                let pod = self.resource.pod_spec()?;
                let name = pod
                    .get("serviceAccountName")
                    .or_else(|| pod.get("serviceAccount"))
                    .and_then(Ref::as_str)
                    .unwrap_or("default");
                let namespace = self.own_namespace();
                self.note(Read::Named(namespace, "ServiceAccount", name));
                self.referred(
                    estate.find(namespace, "ServiceAccount", name),
                    "ServiceAccount",
                )
            }
            "role" => {
                let reference = self.resource.object().get("roleRef")?;
                let name = reference.get("name").and_then(Ref::as_str)?;
                let kind = reference.get("kind").and_then(Ref::as_str)?;
                let namespace = if kind == "Role" {
                    self.namespace().unwrap_or_default()
                } else {
                    ""
                };
                self.note(Read::Named(namespace, kind, name));
                let found = estate.find(namespace, kind, name);
                if let (None, "ClusterRole", Some(role)) =
                    (found, kind, self.setting.default_roles.get(name))
                {
                    return Some(Val::Node(role.root()));
                }
                self.referred(found, kind)
            }
            _ => None,
        }
    }
}
