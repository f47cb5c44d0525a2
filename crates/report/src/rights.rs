//! Who may do what, for people and for programs: lists and matrices of rights.
//!
//! An answer is put into words once ([`Row`]: who, where, for what, by which binding and rule in which line of which
//! file); each format only lays them out.
//!
//! | module | holds |
//! |---|---|
//! | [`text`] | a list for a terminal |
//! | [`matrix`] | subjects against verbs or resources, as text |
//! | [`page`] | the same as one HTML page |
//! | [`data`] | JSON and CSV |

pub mod data;
pub mod matrix;
pub mod page;

pub mod text;

use analysis::ask::{
    AUTHENTICATED, Evidence, Holder, MASTERS, Names, Reach, SERVICE_ACCOUNTS, Subject,
    UNAUTHENTICATED,
};
use guide::facts::BUILT_IN;
use model::{Estate, Ref, ResourceRef};

/// A right of somebody, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who, by kind and name.
    pub who: Who,
    /// Where it holds.
    pub place: Place,
    /// The names it is limited to; `None` for any.
    pub names: Option<Vec<String>>,
    /// The condition under which it holds.
    pub condition: Option<String>,
    /// What gives it; several where several rights are needed.
    pub by: Vec<By>,
}

/// Somebody, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// `User`, `Group`, `ServiceAccount`, `AzureGroup` …
    pub kind: &'static str,
    /// The namespace of a service account.
    pub namespace: Option<String>,
    /// The name; for Azure the display name where one is known.
    pub name: String,
    /// The object id in Entra.
    pub id: Option<String>,
    /// What everybody should know of it.
    pub note: Option<String>,
}

/// Where a right holds, in the order in which places are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// the whole cluster
    Everywhere,
    /// a namespace
    Namespace(String),
    /// a file does not say
    NotGiven,
}

/// What gives a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A binding and the rule of a role.
    Binding {
        /// the RoleBinding or ClusterRoleBinding
        binding: Thing,
        /// the Role or ClusterRole
        role: Thing,
        /// number of the rule in what holds it, from 1
        rule: u32,
        /// where the rule is written
        written: Thing,
    },
    /// An Azure role assignment.
    Assignment {
        /// the assignment
        assignment: Thing,
        /// the role
        role: String,
        /// the way to the action in the role
        route: String,
    },
    /// An Azure role assignment that makes somebody the cluster's administrator.
    Administrator {
        /// the assignment
        assignment: Thing,
        /// the role
        role: String,
        /// the way to the first of the actions in the role
        route: String,
        /// the actions of Azure by which
        actions: Vec<&'static str>,
    },
    /// No authorizer is asked.
    Masters,
}

/// An object and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// its kind
    pub kind: String,
    /// its namespace
    pub namespace: Option<String>,
    /// its name
    pub name: String,
    /// the file, or the address of a live object
    pub path: String,
    /// the line, for files
    pub line: Option<u32>,
    /// a live object that the API server made itself, by its label
    pub default: bool,
}

impl Thing {
    /// `rbac.yaml:12`, an address, or `built into Kubernetes 1.34`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.path),
            None => self.path.clone(),
        }
    }

    /// Whether every cluster has it.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.path.starts_with(BUILT_IN)
    }

    /// Whether the place says no more than kind and name do: the address of a live object.
    pub(crate) fn is_said_by_name(&self) -> bool {
        self.line.is_none()
            && !self.is_built_in()
            && self.path.rsplit('/').next() == Some(&*self.name)
    }

    fn shown(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

impl Row {
    /// Whether a part of Kubernetes itself holds it, through a binding that every cluster has.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.who.name != MASTERS
            && !self.by.is_empty()
            && self
                .by
                .iter()
                .all(|by| matches!(by, By::Binding { binding, .. } if binding.is_built_in() || self.is_own(binding)))
            && !matches!(self.who.kind, "Group" if !self.who.name.starts_with("system:node"))
    }
}

impl Row {
    /// Whether a live binding gives a part of Kubernetes what it is made for. Anybody may put the label on, and
    /// somebody else may stand in the binding: a controller is told by its own binding, the other parts by names
    /// that only the cluster's own certificates give
    /// (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
    fn is_own(&self, binding: &Thing) -> bool {
        let controller = binding.name.strip_prefix("system:controller:");
        binding.default
            && match (self.who.kind, self.who.namespace.as_deref()) {
                ("ServiceAccount", Some("kube-system")) => controller == Some(&*self.who.name),
                ("User", _) => self.who.name.starts_with("system:kube-"),
                _ => false,
            }
    }
}

impl Who {
    /// `shop/web`, `jane`
    #[must_use]
    pub fn shown(&self) -> String {
        match (&self.namespace, &self.id) {
            (Some(namespace), _) => format!("{namespace}/{}", self.name),
            (None, Some(id)) if *id != self.name => format!("{} ({id})", self.name),
            _ => self.name.clone(),
        }
    }
}

impl Place {
    /// As a heading or the end of a sentence.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Everywhere => "everywhere".to_owned(),
            Self::Namespace(namespace) => format!("in namespace {namespace}"),
            Self::NotGiven => "in a namespace that the file does not say".to_owned(),
        }
    }
}

/// Puts rights into words.
pub struct Words<'e> {
    /// Where the objects are.
    pub estate: &'e Estate,
    /// What people call a principal of Entra.
    pub name: &'e dyn Fn(&str) -> Option<String>,
}

impl Words<'_> {
    /// A holder.
    #[must_use]
    pub fn row(&self, holder: &Holder) -> Row {
        self.right(
            &holder.subject,
            &holder.reach,
            &holder.names,
            holder.condition.as_deref(),
            std::slice::from_ref(&holder.evidence),
        )
    }

    /// A right that takes several.
    #[must_use]
    pub fn right(
        &self,
        subject: &Subject,
        reach: &Reach,
        names: &Names,
        condition: Option<&str>,
        evidence: &[Evidence],
    ) -> Row {
        Row {
            who: self.who(subject),
            place: place(reach),
            names: match names {
                Names::Any => None,
                Names::Only(names) => Some(names.iter().map(|name| name.to_string()).collect()),
            },
            condition: condition.map(str::to_owned),
            by: evidence.iter().map(|evidence| self.by(evidence)).collect(),
        }
    }

    /// Somebody.
    #[must_use]
    pub fn who(&self, subject: &Subject) -> Who {
        let (namespace, name, id) = match subject {
            Subject::ServiceAccount { namespace, name } => {
                (Some(namespace.to_string()), name.to_string(), None)
            }
            Subject::User(name) | Subject::Group(name) => (None, name.to_string(), None),
            Subject::Principal { id, .. } => (
                None,
                (self.name)(id).unwrap_or_else(|| id.to_string()),
                Some(id.to_string()),
            ),
        };
        Who {
            kind: subject.kind(),
            note: match subject {
                Subject::Group(name) => self.note(name).or_else(|| self.entra(name)),
                Subject::User(name) => self.entra(name),
                _ => None,
            },
            namespace,
            name,
            id,
        }
    }

    /// What people call somebody whom AKS knows by an object id.
    fn entra(&self, name: &str) -> Option<String> {
        (self.name)(&name.to_ascii_lowercase()).map(|called| format!("{called} in Microsoft Entra"))
    }

    /// What a group's name says about who is in it.
    fn note(&self, group: &str) -> Option<String> {
        Some(match group {
            AUTHENTICATED => "everybody who signs in, every service account too".to_owned(),
            UNAUTHENTICATED => "everybody who reaches the API server".to_owned(),
            MASTERS => "no authorizer is asked about its members".to_owned(),
            SERVICE_ACCOUNTS => "every service account".to_owned(),
            _ => {
                let namespace = group.strip_prefix(SERVICE_ACCOUNTS)?.strip_prefix(':')?;
                let known = self.estate.in_namespace(namespace, "ServiceAccount").len();
                match known {
                    0 => format!("every service account of namespace {namespace}"),
                    1 => format!("every service account of namespace {namespace}, 1 is known"),
                    _ => {
                        format!("every service account of namespace {namespace}, {known} are known")
                    }
                }
            }
        })
    }

    /// What gives a right.
    #[must_use]
    pub fn by(&self, evidence: &Evidence) -> By {
        match evidence {
            Evidence::Masters => By::Masters,
            Evidence::Binding {
                binding,
                role,
                rule: (written, index),
                ..
            } => By::Binding {
                binding: self.thing(*binding, |_| None),
                role: self.thing(*role, |_| None),
                rule: index + 1,
                written: self.thing(*written, |object| {
                    object.get("rules")?.items().nth(*index as usize)
                }),
            },
            Evidence::Assignment {
                assignment,
                role,
                route,
                ..
            } => By::Assignment {
                assignment: self.thing(*assignment, |_| None),
                role: role.to_string(),
                route: route.to_string(),
            },
            Evidence::Administrator {
                assignment,
                role,
                route,
                actions,
            } => By::Administrator {
                assignment: self.thing(*assignment, |_| None),
                role: role.to_string(),
                route: route.to_string(),
                actions: actions.clone(),
            },
        }
    }

    /// An object, and the place of a part of it.
    fn thing(&self, id: ResourceRef, part: impl Fn(Ref<'_>) -> Option<Ref<'_>>) -> Thing {
        let Some(resource) = self.estate.get(id) else {
            return Thing {
                kind: String::new(),
                namespace: None,
                name: String::new(),
                path: String::new(),
                line: None,
                default: false,
            };
        };
        let object = resource.object();
        let at = part(object).or(object.get("kind")).unwrap_or(object);
        let at = at.written_holder().span().start;
        let path = resource.doc.path_at(at).unwrap_or(&resource.origin.path);
        let built_in = path.starts_with(BUILT_IN);
        Thing {
            kind: resource.name.kind.name().to_owned(),
            namespace: resource.name.namespace.as_deref().map(str::to_owned),
            name: resource.name.name.to_string(),
            path: path.to_string(),
            line: (!resource.origin.live && !built_in).then(|| resource.doc.line_column(at).0),
            default: resource.origin.live
                && object
                    .path(&["metadata", "labels", "kubernetes.io/bootstrapping"])
                    .and_then(Ref::as_str)
                    == Some("rbac-defaults"),
        }
    }
}

fn place(reach: &Reach) -> Place {
    match reach {
        Reach::Cluster => Place::Everywhere,
        Reach::Namespace(namespace) => Place::Namespace(namespace.to_string()),
        Reach::NamespaceNotGiven => Place::NotGiven,
    }
}

/// What was asked, in words: `list secrets in namespace shop`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// `list`
    pub verb: String,
    /// API group; empty for the core group
    pub group: String,
    /// `secrets`, `pods/exec`
    pub resource: String,
    /// a path instead of a resource
    pub path: Option<String>,
    /// one name only
    pub name: Option<String>,
    /// one namespace only
    pub namespace: Option<String>,
}

impl Asked {
    /// The question without its first words.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text = format!("{} ", self.verb);
        match &self.path {
            Some(path) => text.push_str(path),
            None => {
                text.push_str(&self.resource);
                if !self.group.is_empty() && self.group != "*" {
                    text.push('.');
                    text.push_str(&self.group);
                }
            }
        }
        if let Some(name) = &self.name {
            text.push_str(&format!(" `{name}`"));
        }
        if let Some(namespace) = &self.namespace {
            text.push_str(&format!(" in namespace {namespace}"));
        }
        text
    }
}

/// An answer to *who may*.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What was asked.
    pub asked: Asked,
    /// Who may.
    pub rows: Vec<Row>,
    /// What nobody can say, a sentence each.
    pub unknown: Vec<String>,
    /// What was not given, so that others may too; empty where nobody else may.
    pub gaps: Vec<String>,
}
