//! What the analyses found out, as guidelines read it: who may do what, who can talk to whom.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use analysis::ask::{Evidence, PrincipalKind, Subject, implied_groups};
use analysis::notes::Read;
use analysis::reach::{Answer, Apart, Audience, Conn, Intent, Options, Reach, Verdict};
use analysis::roles::{Ask, Builtin, Who};
use analysis::{Analyses, Given, rbac};
use bumpalo::Bump;
use cel::{Unknown, Val};
use model::manifest::{Form, Reader};
use model::resource::Origin;
use model::{Estate, Ref, Resource, ResourceRef, Within, unknown};
use yaml::Limits;

use crate::catalogue::Guide;
use crate::context::Value;
use crate::judge::Setting;

mod expected;

const ROLE_ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";

/// The kinds that give rights in a cluster.
const RBAC: [&str; 4] = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

/// What leads from outside to pods.
const WAYS: [&str; 4] = [
    "Service",
    "Ingress",
    "Gateway.gateway.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
];

/// The analyses of an estate, with the guide's data.
#[must_use]
pub fn analyses<'e>(guide: &'e Guide, setting: &Setting, estate: &'e Estate) -> Analyses<'e> {
    Analyses::new(
        estate,
        Given {
            kubernetes_minor: setting.kubernetes_minor,
            builtin_objects: Box::new(|| builtin_objects(guide, |_| true)),
            builtin_roles: Box::new(|| builtin_roles(guide)),
            network: Options::default(),
        },
    )
}

/// What guidelines can see of the connections of each workload of a network ([`Facts`]), as a number beside that of its
/// reading. Numbers of two moments are equal where nothing can be seen to have changed.
#[must_use]
pub fn in_numbers(reach: &Reach, estate: &Estate, setting: &Setting) -> HashMap<u64, u64> {
    let intent = setting.params.root().get("intent");
    let intent = intent.and_then(|intent| Intent::read(intent).ok());
    let mut all = HashMap::new();
    for (number, workload) in reach.workloads().iter().enumerate() {
        let Some(resource) = estate.get(workload.resource) else {
            continue;
        };
        let mut hasher = DefaultHasher::new();
        let facts = reach.facts(workload);
        for answer in [
            &facts.internet,
            &facts.metadata,
            &facts.wire_server,
            &facts.api_server,
            &facts.kubelet,
        ] {
            (answer.verdict() as u8).hash(&mut hasher);
        }
        for exposure in reach.exposures_of(number) {
            let open = exposure.open.sure != Conn::none().sure;
            let hangs = exposure.hangs_on.is_some();
            (exposure.to_internet(), exposure.audience, hangs, open).hash(&mut hasher);
            let first = exposure.through.first().and_then(|id| estate.get(*id));
            first
                .map(|first| (&*first.origin.path, first.doc.text()))
                .hash(&mut hasher);
        }
        if let Some(intent) = &intent {
            format!("{:?}", reach.difference(intent, workload)).hash(&mut hasher);
        }
        all.insert(
            Read::Network(&resource.origin.path).number(),
            hasher.finish(),
        );
    }
    all
}

/// Stands in the place of a file for what every cluster has.
pub const BUILT_IN: &str = "built into Kubernetes";

/// The roles and bindings that every cluster has (`data/default-roles.yaml`), as far as the text of a
/// document is wanted.
#[must_use]
pub fn builtin_objects(guide: &Guide, wanted: impl Fn(&str) -> bool) -> Vec<Resource> {
    let Some(text) = guide.data.get("default-roles.yaml") else {
        return Vec::new();
    };
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &|_| true,
        managed: &model::managed::Managed::default(),
        defaults: &guide.defaults,
        limits: Limits::default(),
        schema: None,
    };
    let of = |raw: yaml::Raw<'_>| {
        let origin = Origin {
            path: format!("{BUILT_IN} 1.34").into(),
            index: raw.index,
            rendered_by: None,
            live: false,
        };
        reader.read(&raw.text, Form::Yaml, 1, &origin).resources
    };
    yaml::documents(text)
        .filter(|raw| wanted(&raw.text))
        .flat_map(of)
        .collect()
}

/// Azure's built-in roles (`data/azure-roles.yaml`).
#[must_use]
pub fn builtin_roles(guide: &Guide) -> Arc<Builtin> {
    let text = guide.data.get("azure-roles.yaml");
    Arc::new(Builtin::new(
        text.map_or_else(String::new, ToString::to_string),
    ))
}

/// One resource and what is known around it.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) analyses: &'a Analyses<'a>,
    pub(crate) resource: &'a Resource,
}

impl<'a> Facts<'a> {
    const fn estate(&self) -> &'a Estate {
        self.analyses.estate
    }

    /// Its number among the workloads that nothing else listed made.
    fn workload(&self) -> Option<usize> {
        let id = self.estate().number_of(self.resource)?;
        self.analyses.workload(id)
    }

    /// Notes what its workload's connections are read.
    fn note_network(&self) {
        self.analyses
            .note(&Read::Network(&self.resource.origin.path));
    }

    /// `facts.reaches`: a boolean for each thing that people ask about.
    pub(crate) fn reaches(&self, bump: &'a Bump) -> Option<Value<'a>> {
        self.note_network();
        let (network, number) = self.analyses.workload_apart(self.resource)?;
        let reach = network.reach();
        let workload = reach.workloads().get(number)?;
        let facts = reach.facts(workload);
        let entries = [
            ("internet", &facts.internet),
            ("metadata", &facts.metadata),
            ("wireServer", &facts.wire_server),
            ("apiServer", &facts.api_server),
            ("kubelets", &facts.kubelet),
        ]
        .map(|(name, answer)| (Val::Str(name), self.answer(answer)));
        Some(Val::map(bump, &entries, None))
    }

    fn answer(&self, answer: &Answer) -> Value<'a> {
        match answer.verdict() {
            Verdict::Yes => Val::Bool(true),
            Verdict::No => Val::Bool(false),
            Verdict::Unknown => Val::Unknown(self.absent(&["NetworkPolicy"])),
        }
    }

    /// The reason why something of these kinds may be missing where the resource is.
    fn absent(&self, kinds: &[&str]) -> Unknown {
        let namespace = self.resource.name.namespace.as_deref().unwrap_or("default");
        self.estate()
            .absent_any(kinds, Within::Namespace(namespace))
            .unwrap_or(unknown::NOT_GIVEN)
    }

    /// `facts.exposedBy`: what leads from the internet to the workload's pods.
    pub(crate) fn exposed_by(&self, bump: &'a Bump) -> Option<Value<'a>> {
        self.note_network();
        let (network, number) = self.analyses.workload_apart(self.resource)?;
        let namespace = self.resource.name.namespace.as_deref().unwrap_or("default");
        let mut more = self
            .estate()
            .absent_any(&WAYS, Within::Namespace(namespace));
        let mut found: Vec<ResourceRef> = Vec::new();
        let own = self.estate().number_of(self.resource);
        for exposure in network.reach().exposures_of(number) {
            if !exposure.to_internet() {
                continue;
            }
            let certain = exposure.audience == Audience::Internet
                && exposure.hangs_on.is_none()
                && exposure.open.sure != Conn::none().sure;
            if certain {
                found.extend(exposure.through.first().copied().or(own));
            } else {
                let reason = match self.absent(&["NetworkPolicy", "Namespace"]) {
                    unknown::NOT_GIVEN => unknown::AUDIENCE,
                    reason => reason,
                };
                more = more.or(Some(reason));
            }
        }
        self.estate().sort(&mut found);
        found.dedup();
        let items: Vec<Value<'a>> = found
            .into_iter()
            .filter_map(|id| self.estate().get(id))
            .map(|resource| Val::Node(resource.object()))
            .collect();
        Some(Val::list(bump, &items, more))
    }

    /// `facts.intent`: how the workload's connections differ from `params.intent`.
    pub(crate) fn intent(&self, setting: &Setting, bump: &'a Bump) -> Option<Value<'a>> {
        self.note_network();
        let intent = Intent::read(setting.params.root().get("intent")?).ok()?;
        let number = self.workload()?;
        let reach = self.analyses.reach();
        let difference = reach.difference(&intent, reach.workloads().get(number)?)?;
        let list = |all: &[Apart], others: Option<Unknown>| {
            let text = |text: &str| Val::Str(bump.alloc_str(text));
            let certain = all.iter().filter(|apart| apart.certain);
            let items: Vec<Value<'a>> = certain
                .map(|apart| {
                    let entries = [
                        (Val::Str("from"), text(&apart.from)),
                        (Val::Str("ports"), text(&apart.ports)),
                    ];
                    Val::map(bump, &entries, None)
                })
                .collect();
            let more = all.iter().any(|apart| !apart.certain);
            let more = more.then(|| self.absent(&["NetworkPolicy", "Namespace", "Service"]));
            Val::list(bump, &items, more.or(others))
        };
        // Whoever was not given may reach it too.
        let others = self
            .estate()
            .absent_any(&["Pod", "Deployment", "Service"], Within::Everywhere);
        let entries = [
            (Val::Str("surplus"), list(&difference.surplus, others)),
            (Val::Str("missing"), list(&difference.missing, None)),
        ];
        Some(Val::map(bump, &entries, None))
    }

    /// The account that the resource is, or runs as.
    fn account(&self) -> Option<Subject> {
        let name = &self.resource.name;
        let namespace: Box<str> = name.namespace.as_deref().unwrap_or("default").into();
        let account = if name.kind.is("ServiceAccount") {
            &*name.name
        } else {
            let pod = self.resource.pod_spec()?;
            pod.get("serviceAccountName")
                .or_else(|| pod.get("serviceAccount"))
                .and_then(Ref::as_str)
                .unwrap_or("default")
        };
        Some(Subject::ServiceAccount {
            namespace,
            name: account.into(),
        })
    }

    /// `facts.escalations`: rights of its account that amount to more than they say, those of the groups
    /// that the account is always in included.
    pub(crate) fn escalations(&self, bump: &'a Bump) -> Option<Value<'a>> {
        let account = self.account()?;
        let evidence = self.analyses.evidence();
        let mut items = Vec::new();
        let mut take = |subject: &Subject, group: Option<&str>| {
            self.analyses.note(&Read::Rights(subject));
            for (fact, held) in self.analyses.escalations_of(subject) {
                items.push(escalation(fact, held, group, evidence, bump));
            }
        };
        take(&account, None);
        if let Subject::ServiceAccount { namespace, name } = &account {
            let user = format!("system:serviceaccount:{namespace}:{name}");
            for group in implied_groups(&user) {
                take(&Subject::Group(group.as_ref().into()), Some(&group));
            }
        }
        let more = self.estate().absent_any(&RBAC, Within::Everywhere);
        Some(Val::list(bump, &items, more))
    }

    /// `facts.holders['ACTION']`, `facts.dataHolders['ACTION']`: who may do that at this resource.
    pub(crate) fn holders(&self, action: &str, data: bool, bump: &'a Bump) -> Option<Value<'a>> {
        let azure = self.resource.azure.as_ref()?;
        self.analyses.note(&Read::Azure);
        let roles = self.analyses.roles();
        let holders = roles.holders(&Ask {
            action,
            data,
            resource: &azure.id,
            attributes: &[],
        });
        let text = |text: &str| Val::Str(bump.alloc_str(text));
        let items: Vec<Value<'a>> = holders
            .grants
            .iter()
            // What may not be so leaves the list open instead.
            .filter(|grant| grant.doubts.is_empty())
            .map(|grant| {
                let (id, path) = match &grant.who {
                    Who::Id(id) => (text(id), Val::Null),
                    Who::Identity { resource, path } => (text(resource), text(path)),
                    Who::Open(_) => (Val::Unknown(unknown::OPEN_VALUE), Val::Null),
                };
                let through: Vec<Value<'a>> =
                    grant.through.iter().map(|group| text(group)).collect();
                let assignment = self
                    .estate()
                    .get(grant.assignment)
                    .map_or(Val::Null, |resource| Val::Node(resource.object()));
                let entries = [
                    (Val::Str("id"), id),
                    (Val::Str("path"), path),
                    (Val::Str("type"), Val::Str(kind(grant.kind))),
                    (Val::Str("name"), text(&roles.name(&grant.who))),
                    (Val::Str("role"), text(&grant.role)),
                    (Val::Str("scope"), text(&grant.scope)),
                    (Val::Str("inherited"), Val::Bool(grant.inherited)),
                    (Val::Str("through"), Val::list(bump, &through, None)),
                    (
                        Val::Str("conditional"),
                        Val::Bool(grant.condition.is_some()),
                    ),
                    (Val::Str("assignment"), assignment),
                ];
                Val::map(bump, &entries, None)
            })
            .collect();
        let doubtful = holders.grants.len() > items.len() || !holders.unknown.is_empty();
        let more = self
            .estate()
            .absent(ROLE_ASSIGNMENTS, Within::Id(&azure.id))
            .or(doubtful.then_some(unknown::NOT_GIVEN));
        Some(Val::list(bump, &items, more))
    }
}

/// As role assignments write it.
const fn kind(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "User",
        PrincipalKind::Group => "Group",
        PrincipalKind::ServicePrincipal => "ServicePrincipal",
        PrincipalKind::ForeignGroup => "ForeignGroup",
        PrincipalKind::Device => "Device",
        PrincipalKind::NotSaid => "",
    }
}

fn escalation<'a>(
    fact: &rbac::Escalation,
    held: &rbac::Held,
    group: Option<&str>,
    estate: &'a Estate,
    bump: &'a Bump,
) -> Value<'a> {
    use analysis::ask::Reach;
    let text = |text: &str| Val::Str(bump.alloc_str(text));
    let resource = |id: ResourceRef| estate.get(id);
    let (binding, role) = match held.evidence.first() {
        Some(Evidence::Binding { binding, role, .. }) => (resource(*binding), resource(*role)),
        _ => (None, None),
    };
    let namespace = match &held.reach {
        Reach::Cluster => Val::Str(""),
        Reach::Namespace(namespace) => text(namespace),
        Reach::NamespaceNotGiven => Val::Unknown(unknown::NAMESPACE_AT_APPLY),
    };
    let name = |resource: Option<&Resource>| {
        resource.map_or(Val::Str(""), |resource| text(&resource.name.name))
    };
    let entries = [
        (Val::Str("power"), Val::Str(fact.id)),
        (Val::Str("title"), Val::Str(fact.title)),
        (Val::Str("leadsTo"), Val::Str(fact.leads_to)),
        (Val::Str("namespace"), namespace),
        (Val::Str("group"), text(group.unwrap_or_default())),
        (Val::Str("role"), name(role)),
        (
            Val::Str("binding"),
            binding.map_or(Val::Null, |resource| Val::Node(resource.object())),
        ),
    ];
    Val::map(bump, &entries, None)
}
