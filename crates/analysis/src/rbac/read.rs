//! Roles and bindings as objects: what they say, in numbers.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use model::{Estate, Ref, Resource, ResourceRef};

use super::rule::Rule;
use super::words::{Word, Words};
use crate::ask::{self, Subject};

/// Where a role or binding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Space {
    /// At the level of the cluster.
    Cluster,
    /// In a namespace.
    In(Word),
    /// In a namespace that its file does not say: `kubectl` takes the one it is pointed at.
    NotGiven,
}

/// The kind that a `roleRef` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RoleKind {
    Role,
    ClusterRole,
    /// Anything else: the API server refuses it, the authorizer skips it.
    Other,
}

/// One rule of a role, and where it is written: another ClusterRole for an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleAt {
    pub(crate) rule: u32,
    pub(crate) written: ResourceRef,
    pub(crate) index: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) resource: ResourceRef,
    pub(crate) kind: RoleKind,
    pub(crate) space: Space,
    pub(crate) name: Word,
    pub(crate) rules: Vec<RuleAt>,
}

#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) resource: ResourceRef,
    pub(crate) space: Space,
    pub(crate) name: Word,
    pub(crate) role_kind: RoleKind,
    pub(crate) role_name: Word,
    /// One number for each subject as written; [`NOBODY`] for one that matches no request.
    pub(crate) subjects: Box<[u32]>,
    /// The roles that it may name: none when it dangles, several when a name was given twice.
    pub(crate) roles: Vec<u32>,
    /// Another, different object has the same name: only one of them can be there.
    pub(crate) rivals: u32,
}

/// The number of a subject that nobody is.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Rules, each different one once.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    numbers: HashMap<Rule, u32>,
    pub(crate) list: Vec<Rule>,
}

impl Rules {
    fn add(&mut self, rule: Rule) -> u32 {
        if let Some(number) = self.numbers.get(&rule) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(rule.clone());
        self.numbers.insert(rule, number);
        number
    }
}

/// Subjects, each once: a service account and the user of its name are one.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    users: HashMap<Box<str>, u32>,
    groups: HashMap<Box<str>, u32>,
    pub(crate) list: Vec<Subject>,
}

impl Subjects {
    /// The subject of a user's name.
    pub(crate) fn user(&self, name: &str) -> Option<u32> {
        self.users.get(name).copied()
    }

    /// The subject of a group's name.
    pub(crate) fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    fn add_user(&mut self, name: &str) -> u32 {
        if let Some(number) = self.users.get(name) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(match ask::service_account(name) {
            Some((namespace, name)) => Subject::ServiceAccount {
                namespace: namespace.into(),
                name: name.into(),
            },
            None => Subject::User(name.into()),
        });
        self.users.insert(name.into(), number);
        number
    }

    fn add_group(&mut self, name: &str) -> u32 {
        if let Some(number) = self.groups.get(name) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(Subject::Group(name.into()));
        self.groups.insert(name.into(), number);
        number
    }

    /// A subject of a binding (kubernetes pkg/registry/rbac/validation/rule.go, `appliesToUser`). A service
    /// account without a namespace is one of the binding's; in a ClusterRoleBinding it is nobody.
    fn add(&mut self, subject: Ref<'_>, namespace: &str) -> u32 {
        let name = text(subject, "name");
        match text(subject, "kind") {
            "User" => self.add_user(name),
            "Group" => self.add_group(name),
            "ServiceAccount" => {
                let own = text(subject, "namespace");
                let namespace = if own.is_empty() { namespace } else { own };
                if namespace.is_empty() {
                    NOBODY
                } else {
                    self.add_user(&format!(
                        "{}{namespace}:{name}",
                        ask::SERVICE_ACCOUNT_PREFIX
                    ))
                }
            }
            _ => NOBODY,
        }
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) words: Words,
    pub(crate) rules: Rules,
    pub(crate) subjects: Subjects,
    pub(crate) roles: Vec<Role>,
    pub(crate) bindings: Vec<Binding>,
}

/// Stands for the namespace of a binding that does not say its own, so that the service accounts that it
/// names without one are not nobody.
pub(crate) const NAMESPACE_NOT_GIVEN: &str = "(namespace not given)";

impl Objects {
    /// Reads the four kinds: ClusterRoles, then Roles; ClusterRoleBindings, then RoleBindings, as the
    /// authorizer visits them.
    /// Of what belongs to a namespace only that of some, where these are said.
    pub(crate) fn read(estate: &Estate, namespaces: Option<&BTreeSet<Box<str>>>) -> Self {
        let within = |kind: &str| -> Vec<ResourceRef> {
            let namespaces = namespaces.into_iter().flatten();
            let within = namespaces.flat_map(|namespace| estate.in_namespace(namespace, kind));
            within.copied().collect()
        };
        let all = |kind: &str| match namespaces {
            Some(_) if matches!(kind, "Role" | "RoleBinding") => Cow::from(within(kind)),
            _ => Cow::from(estate.of_kind(kind)),
        };
        let mut objects = Self::default();
        for (kind, name) in [
            (RoleKind::ClusterRole, "ClusterRole"),
            (RoleKind::Role, "Role"),
        ] {
            for id in &*all(name) {
                if let Some(resource) = estate.get(*id) {
                    objects.role(*id, resource, kind);
                }
            }
        }
        for kind in ["ClusterRoleBinding", "RoleBinding"] {
            for id in &*all(kind) {
                if let Some(resource) = estate.get(*id) {
                    objects.binding(*id, resource, kind == "ClusterRoleBinding");
                }
            }
        }
        objects
    }

    fn space(&mut self, resource: &Resource, cluster: bool) -> Space {
        match resource.name.namespace.as_deref() {
            _ if cluster => Space::Cluster,
            Some(namespace) => Space::In(self.words.add(namespace)),
            None => Space::NotGiven,
        }
    }

    fn role(&mut self, id: ResourceRef, resource: &Resource, kind: RoleKind) {
        let space = self.space(resource, kind == RoleKind::ClusterRole);
        let rules = resource.object().get("rules");
        let rules = rules
            .into_iter()
            .flat_map(Ref::items)
            .enumerate()
            .map(|(index, rule)| RuleAt {
                rule: self.rule(rule),
                written: id,
                index: index as u32,
            })
            .collect();
        let name = self.words.add(&resource.name.name);
        self.roles.push(Role {
            resource: id,
            kind,
            space,
            name,
            rules,
        });
    }

    fn rule(&mut self, rule: Ref<'_>) -> u32 {
        let mut list = |key: &str| -> Box<[Word]> {
            rule.get(key)
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(Ref::as_str)
                .map(|text| self.words.add(text))
                .collect()
        };
        let rule = Rule {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        };
        self.rules.add(rule)
    }

    fn binding(&mut self, id: ResourceRef, resource: &Resource, cluster: bool) {
        let object = resource.object();
        let space = self.space(resource, cluster);
        let namespace = match space {
            Space::Cluster => "",
            Space::In(_) => resource.name.namespace.as_deref().unwrap_or_default(),
            Space::NotGiven => NAMESPACE_NOT_GIVEN,
        };
        let role = object.get("roleRef");
        let of_role = |key| role.map_or("", |role| text(role, key));
        let role_kind = match of_role("kind") {
            "Role" => RoleKind::Role,
            "ClusterRole" => RoleKind::ClusterRole,
            _ => RoleKind::Other,
        };
        let subjects = object
            .get("subjects")
            .into_iter()
            .flat_map(Ref::items)
            .map(|subject| self.subjects.add(subject, namespace))
            .collect();
        self.bindings.push(Binding {
            resource: id,
            space,
            name: self.words.add(&resource.name.name),
            role_kind,
            role_name: self.words.add(of_role("name")),
            subjects,
            roles: Vec::new(),
            rivals: 0,
        });
    }
}

/// A text under a key; empty where there is none.
pub(crate) fn text<'a>(object: Ref<'a>, key: &str) -> &'a str {
    object.get(key).and_then(Ref::as_str).unwrap_or_default()
}
