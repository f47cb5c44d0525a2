//! The words of a question about rights, and of its answer.
//!
//! Kubernetes RBAC ([`crate::rbac`]), Azure role assignments and Azure RBAC for Kubernetes
//! ([`crate::roles`]) answer the same questions in these words, so that one answer can span them. What is
//! left out: how any of them decides.
//!
//! Two questions are asked: *may this requester do that* ([`Requester`], [`Attributes`] → [`Answer`]) and
//! *who may do that* ([`Question`] → [`Holder`]s).

use std::collections::BTreeSet;

use model::ResourceRef;

/// What is asked of an API server: the attributes that its authorizers see
/// (apiserver/pkg/authorization/authorizer, `Attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attributes<'a> {
    /// `get`, `list`, `create`, `bind` …; for a path the HTTP method in lower case.
    pub verb: &'a str,
    /// What the verb is done to.
    pub target: Target<'a>,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target<'a> {
    /// Objects of a resource.
    Resource(ResourceTarget<'a>),
    /// A path that is no resource: `/healthz`.
    Path(&'a str),
}

/// Objects of a resource. What is empty is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ResourceTarget<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version; Kubernetes RBAC does not look at it.
    pub version: &'a str,
    /// `pods`
    pub resource: &'a str,
    /// `exec`
    pub subresource: &'a str,
    /// Namespace; empty for cluster-scoped resources and for all namespaces.
    pub namespace: &'a str,
    /// Name; empty for a request without one. A `list`, `watch` or `deletecollection` with the field
    /// selector `metadata.name=X` has the name X (apiserver/pkg/endpoints/request/requestinfo.go).
    pub name: &'a str,
}

/// Who asks, as authentication leaves them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requester<'a> {
    /// The user's name; `system:serviceaccount:NAMESPACE:NAME` for a service account.
    pub user: &'a str,
    /// The groups. Nothing is added to them: see [`Requester::with_implied_groups`].
    pub groups: Vec<std::borrow::Cow<'a, str>>,
    /// The object id in Microsoft Entra, where the user comes from there (a review's `extra.oid`).
    pub object_id: Option<&'a str>,
}

/// The group of everybody who signed in.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of everybody who did not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group that no authorizer is asked about
/// (kubernetes pkg/kubeapiserver/authorizer/reload.go).
pub const MASTERS: &str = "system:masters";
/// The group of all service accounts; with `:NAMESPACE`, of those of a namespace.
pub const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
/// What the user name of a service account begins with.
pub const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";
/// The user name of whoever did not sign in.
pub const ANONYMOUS: &str = "system:anonymous";

impl<'a> Requester<'a> {
    /// The groups that authentication adds to a user of this name: `system:authenticated` or
    /// `system:unauthenticated`, and those of a service account
    /// (apiserver/pkg/authentication/group, apiserver/pkg/authentication/serviceaccount). A
    /// `SubjectAccessReview` gets none of them: it says the groups itself.
    #[must_use]
    pub fn with_implied_groups(mut self) -> Self {
        for group in implied_groups(self.user) {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
        self
    }

    /// Whether no authorizer is asked.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

/// The groups that follow from a user's name alone.
#[must_use]
pub fn implied_groups(user: &str) -> Vec<std::borrow::Cow<'static, str>> {
    if user == ANONYMOUS {
        return vec![UNAUTHENTICATED.into()];
    }
    let mut groups = vec![AUTHENTICATED.into()];
    if let Some((namespace, _)) = service_account(user) {
        groups.push(SERVICE_ACCOUNTS.into());
        groups.push(format!("{SERVICE_ACCOUNTS}:{namespace}").into());
    }
    groups
}

/// The namespace and name that a user name of a service account holds
/// (apiserver/pkg/authentication/serviceaccount, `SplitUsername`).
#[must_use]
pub fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT_PREFIX)?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// Who holds a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user by the name that authentication gives.
    User(Box<str>),
    /// A group by the name that authentication gives; for Entra its object id.
    Group(Box<str>),
    /// A service account of the cluster.
    ServiceAccount {
        /// its namespace
        namespace: Box<str>,
        /// its name
        name: Box<str>,
    },
    /// A principal of Microsoft Entra.
    Principal {
        /// its object id
        id: Box<str>,
        /// what it is, where the assignment says it
        kind: PrincipalKind,
    },
}

/// What a principal is (`principalType` of a role assignment).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// a user
    User,
    /// a group
    Group,
    /// a service principal or managed identity
    ServicePrincipal,
    /// a user or group of another tenant that was given access through a partner
    ForeignGroup,
    /// a device
    Device,
    /// not said
    NotSaid,
}

impl Subject {
    /// The kind, as a word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Group(_) => "Group",
            Self::ServiceAccount { .. } => "ServiceAccount",
            Self::Principal { kind, .. } => match kind {
                PrincipalKind::User => "AzureUser",
                PrincipalKind::Group => "AzureGroup",
                PrincipalKind::ServicePrincipal => "AzureServicePrincipal",
                PrincipalKind::ForeignGroup => "AzureForeignGroup",
                PrincipalKind::Device => "AzureDevice",
                PrincipalKind::NotSaid => "AzurePrincipal",
            },
        }
    }

    /// The name as people write it: `NAMESPACE/NAME` for service accounts.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::User(name) | Self::Group(name) => name.to_string(),
            Self::ServiceAccount { namespace, name } => format!("{namespace}/{name}"),
            Self::Principal { id, .. } => id.to_string(),
        }
    }
}

/// The answer to *may they*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, by this.
    Yes(Evidence),
    /// Only where a condition holds.
    If {
        /// what grants it then
        evidence: Evidence,
        /// the condition, in its own words
        condition: Box<str>,
    },
    /// Nobody can say.
    Unknown(Vec<Why>),
    /// No.
    No(Ground),
}

impl Answer {
    /// Whether it is a plain yes.
    #[must_use]
    pub const fn is_yes(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// The answer of two authorizers of which either may allow: the more certain grant, then doubt, then no.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        const fn rank(answer: &Answer) -> u8 {
            match answer {
                Answer::Yes(_) => 0,
                Answer::If { .. } => 1,
                Answer::Unknown(_) => 2,
                Answer::No(Ground::ByWhatWasGiven) => 3,
                Answer::No(Ground::Complete) => 4,
            }
        }
        match (self, other) {
            (Self::Unknown(mut one), Self::Unknown(two)) => {
                one.extend(two);
                Self::Unknown(one)
            }
            (one, two) if rank(&two) < rank(&one) => two,
            (one, _) => one,
        }
    }
}

/// Why an answer is unknown: a sentence without its full stop, and where it shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Why {
    /// `RoleBinding shop/reader names Role reader, which was not given`
    pub text: Box<str>,
    /// The resource that leaves it open, when it is one.
    pub resource: Option<ResourceRef>,
}

/// What a *no* rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// All that could grant it is known.
    Complete,
    /// Nothing that was given grants it; something else may.
    ByWhatWasGiven,
}

/// What grants a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// A binding and a rule of the role it names.
    Binding {
        /// the RoleBinding or ClusterRoleBinding
        binding: ResourceRef,
        /// number of the subject within the binding
        subject: u32,
        /// the Role or ClusterRole
        role: ResourceRef,
        /// the object that the rule is written in and its number there: another ClusterRole's where the
        /// role is an aggregate
        rule: (ResourceRef, u32),
    },
    /// An Azure role assignment.
    Assignment {
        /// the assignment
        assignment: ResourceRef,
        /// the role definition, where the estate holds it; built-in ones stand in the guide's data
        definition: Option<ResourceRef>,
        /// what people call the role
        role: Box<str>,
        /// the way to the action that grants it: `permissions[0].dataActions[2]`
        route: Box<str>,
    },
    /// An Azure role assignment that lets somebody act as the cluster's built-in administrator.
    Administrator {
        /// the assignment
        assignment: ResourceRef,
        /// what people call the role
        role: Box<str>,
        /// the way to the first of the actions in the role
        route: Box<str>,
        /// the actions of Azure by which
        actions: Vec<&'static str>,
    },
    /// The group `system:masters`, about which no authorizer is asked.
    Masters,
}

/// *Who may do that?* An empty name asks for the right to any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The request. Its namespace counts only for [`Within::Namespace`].
    pub attributes: Attributes<'a>,
    /// Where.
    pub within: Within<'a>,
}

/// Where a right is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within<'a> {
    /// At the level of the cluster: cluster-scoped resources, and all namespaces at once.
    Cluster,
    /// In one namespace.
    Namespace(&'a str),
    /// Anywhere: each holder says where.
    Anywhere,
}

/// Somebody who may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Who.
    pub subject: Subject,
    /// Where.
    pub reach: Reach,
    /// Which objects.
    pub names: Names,
    /// Whether only under a condition, in its own words.
    pub condition: Option<Box<str>>,
    /// What grants it.
    pub evidence: Evidence,
}

/// Where a right holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The whole cluster.
    Cluster,
    /// A namespace.
    Namespace(Box<str>),
    /// A namespace that nobody says: a file without `metadata.namespace`.
    NamespaceNotGiven,
}

/// For which objects a right holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Names {
    /// Any.
    Any,
    /// Only those of these names. The empty name is a rule for it: requests that have none, a list of all.
    Only(BTreeSet<Box<str>>),
}
