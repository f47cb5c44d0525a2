//! What everybody used: all identities of a log in one pass, in memory that does not grow with it.
//!
//! Only what the authorizer allowed counts. What it denied is kept apart: an attacker's attempts must not become
//! rights. Nothing is widened but for two limits, of names and of namespaces, and where one is reached the answer
//! says so. What is kept of a log hangs neither on its order nor on how it was divided.
//!
//! Left out: what a request needs beyond its own authorization. Who creates a RoleBinding needs the rights in it
//! too, or `bind`; the log does not tell by which of them it was let through.

mod role;

pub use role::{Atom, Grant, Rule, What as AtomWhat, compose};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::{Event, Field, User};
use crate::hash::Texts;
use crate::read::{Fold, Record, What};
use crate::request::{Asked, Object, Request};

/// How much is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Names of objects in a rule; more are any name.
    pub names: usize,
    /// Namespaces of a right; more are all of them.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            names: 10,
            namespaces: 10,
        }
    }
}

/// Different denied requests that are kept of somebody: the first in alphabetical order.
const DENIED: usize = 200;
/// Paths that are no resources, of somebody.
const PATHS: usize = 100;
/// Groups that are kept of somebody.
const GROUPS: usize = 200;
/// Kinds of requests (verb and resource) of somebody: no API has more, so more are names that somebody made up.
const USES: usize = 20_000;

/// What a log says of everybody in it.
#[derive(Debug)]
pub struct Learned {
    limits: Limits,
    identities: HashMap<Box<str>, Identity, Texts>,
    /// Events whose user is cut off.
    pub unattributed: u64,
    key: String,
}

/// What somebody did.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Groups that authentication told.
    pub groups: BTreeSet<Box<str>>,
    /// Requests, each counted once.
    pub requests: u64,
    /// Requests that the authorizer denied.
    pub denied_requests: u64,
    /// Events that end before it is said what was asked, or whether it was allowed.
    pub undecided: u64,
    /// More kinds of requests than anybody can make.
    pub too_many: bool,
    /// The first event, in microseconds since 1970.
    pub first: Option<i64>,
    /// The last.
    pub last: Option<i64>,
    /// Days with events, in days since 1970.
    pub days: BTreeSet<i64>,
    /// It wrote roles or bindings: that takes the rights in them, which no log shows.
    pub grants_rights: bool,
    uses: HashMap<Box<str>, Use, Texts>,
    denied: BTreeMap<Box<str>, u64>,
    paths: BTreeMap<(Box<str>, Box<str>), u64>,
    paths_over: bool,
    /// The list of groups that was read last, as it is written.
    groups_read: Box<[u8]>,
}

/// A verb on a resource.
#[derive(Debug, Clone, Default)]
struct Use {
    count: u64,
    /// In any namespace.
    all: Names,
    /// In each; the empty one for requests without.
    within: BTreeMap<Box<str>, Names>,
    /// There were too many to tell apart.
    everywhere: bool,
}

#[derive(Debug, Clone, Default)]
struct Names {
    /// A request had none, so no name is enough.
    nameless: bool,
    /// There were too many to tell apart.
    over: bool,
    known: BTreeSet<Box<str>>,
}

/// A request that was denied, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// `get`
    pub verb: Box<str>,
    /// `pods/exec`, `deployments.apps`, or a path
    pub what: Box<str>,
    /// nothing where none was said
    pub namespace: Box<str>,
    /// requests
    pub count: u64,
}

impl Learned {
    /// Nothing so far.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            identities: HashMap::default(),
            unattributed: 0,
            key: String::new(),
        }
    }

    /// Everybody by name.
    #[must_use]
    pub fn identities(&self) -> BTreeMap<&str, &Identity> {
        // Sorted here, so that the order of the table does not matter.
        self.identities
            .iter()
            .map(|(name, identity)| (name.as_ref(), identity))
            .collect()
    }

    /// Tells somebody something, who may be new.
    fn tell(&mut self, name: &str, what: impl FnOnce(&mut Identity)) {
        match self.identities.get_mut(name) {
            Some(identity) => what(identity),
            None => what(self.identities.entry(name.into()).or_default()),
        }
    }

    fn event(&mut self, event: &Event<'_>, record: &Record<'_>) {
        let user = event.acting().there();
        let Some(name) = user.and_then(|user| user.name.known()) else {
            self.unattributed += 1;
            return;
        };
        let (limits, mut key) = (self.limits, std::mem::take(&mut self.key));
        self.tell(name, |identity| {
            identity.seen(user, record);
            match (event.request(), event.allowed()) {
                (Field::Known(request), Field::Known(true)) => {
                    identity.allowed(&request, limits, &mut key);
                }
                (Field::Known(request), Field::Known(false)) => {
                    identity.denied_requests += 1;
                    identity.deny(&request, &mut key);
                }
                _ => identity.undecided += 1,
            }
        });
        if let (Some(acting), Field::Known(user)) = (event.impersonated.there(), &event.user)
            && let Some(by) = user.name.known()
        {
            self.tell(by, |identity| {
                identity.seen(Some(user), record);
                identity.impersonated(acting, limits, &mut key);
            });
        }
        self.key = key;
    }
}

impl Fold for Learned {
    fn take(&mut self, record: &Record<'_>) {
        let What::Event(event) = record.what else {
            return;
        };
        // It tells nothing that the other stages do not, and nothing of the answer.
        if record.copy || event.stage.as_str() == "RequestReceived" {
            return;
        }
        self.event(event, record);
    }

    fn merge(&mut self, other: Self) {
        self.unattributed += other.unattributed;
        #[expect(
            clippy::iter_over_hash_type,
            reason = "merging gives the same in any order"
        )]
        for (name, theirs) in other.identities {
            match self.identities.get_mut(&name) {
                Some(ours) => ours.merge(theirs, self.limits),
                None => {
                    self.identities.insert(name, theirs);
                }
            }
        }
    }
}

const DAY: i64 = 86_400_000_000;

impl Identity {
    fn seen(&mut self, user: Option<&User<'_>>, record: &Record<'_>) {
        self.requests += u64::from(record.first);
        if let Some(at) = record.at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
            self.days.insert(at.div_euclid(DAY));
        }
        // Hardly ever do they change.
        let groups = user.and_then(|user| user.groups.there());
        if let Some(groups) = groups
            && *self.groups_read != *groups.written()
        {
            self.groups_read = groups.written().into();
            for group in groups.strings() {
                if self.groups.len() < GROUPS && !self.groups.contains(group.as_ref()) {
                    self.groups.insert(group.as_ref().into());
                }
            }
        }
    }

    fn allowed(&mut self, request: &Request<'_>, limits: Limits, key: &mut String) {
        match &request.target {
            Asked::Resource(object) => {
                self.grants_rights |= object.group == "rbac.authorization.k8s.io"
                    && matches!(request.verb.as_ref(), "create" | "update" | "patch");
                self.used(&request.verb, object, limits, key);
            }
            Asked::Path(path) => {
                let key = (request.verb.as_ref().into(), path.as_ref().into());
                *self.paths.entry(key).or_default() += 1;
                self.bound_paths();
            }
        }
    }

    fn used(&mut self, verb: &str, object: &Object<'_>, limits: Limits, key: &mut String) {
        key.clear();
        for part in [verb, "\0", &object.group, "\0", &object.resource] {
            key.push_str(part);
        }
        if !object.subresource.is_empty() {
            key.push('/');
            key.push_str(&object.subresource);
        }
        if let Some(used) = self.uses.get_mut(key.as_str()) {
            used.saw(&object.namespace, &object.name, limits);
        } else if self.uses.len() < USES {
            let mut used = Use::default();
            used.saw(&object.namespace, &object.name, limits);
            self.uses.insert(key.as_str().into(), used);
        } else {
            self.too_many = true;
        }
    }

    fn deny(&mut self, request: &Request<'_>, key: &mut String) {
        key.clear();
        key.push_str(&request.verb);
        key.push('\0');
        let namespace = match &request.target {
            Asked::Resource(object) => {
                key.push_str(&object.resource);
                if !object.subresource.is_empty() {
                    key.push('/');
                    key.push_str(&object.subresource);
                }
                if !object.group.is_empty() {
                    key.push('.');
                    key.push_str(&object.group);
                }
                object.namespace.as_ref()
            }
            Asked::Path(path) => {
                key.push_str(path);
                ""
            }
        };
        key.push('\0');
        key.push_str(namespace);
        match self.denied.get_mut(key.as_str()) {
            Some(count) => *count += 1,
            None => {
                self.denied.insert(key.as_str().into(), 1);
            }
        }
        self.bound_denied();
    }

    /// What impersonating somebody takes (apiserver/pkg/endpoints/filters/impersonation.go). Groups that follow
    /// from the name were not asked for.
    fn impersonated(&mut self, acting: &User<'_>, limits: Limits, key: &mut String) {
        let mut asked =
            |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| {
                let object = Object {
                    group: group.into(),
                    resource: resource.into(),
                    subresource: subresource.into(),
                    namespace: namespace.into(),
                    name: name.into(),
                    version: "".into(),
                };
                self.used("impersonate", &object, limits, key);
            };
        let name = acting.name.as_str();
        let account = name
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => asked("", "serviceaccounts", "", namespace, name),
            None => asked("", "users", "", "", name),
        }
        let groups = acting.groups.there().map(|groups| groups.strings());
        for group in groups.unwrap_or_default() {
            let implied = matches!(
                group.as_ref(),
                "system:authenticated" | "system:unauthenticated"
            ) || account.is_some() && group.starts_with("system:serviceaccounts");
            if !implied {
                asked("", "groups", "", "", &group);
            }
        }
        if let Field::Known(uid) = &acting.uid
            && !uid.is_empty()
        {
            asked("authentication.k8s.io", "uids", "", "", uid);
        }
        for (name, values) in acting
            .extra
            .there()
            .map(|extra| extra.lists())
            .unwrap_or_default()
        {
            for value in values {
                asked("authentication.k8s.io", "userextras", &name, "", &value);
            }
        }
    }

    fn bound_denied(&mut self) {
        while self.denied.len() > DENIED {
            self.denied.pop_last();
        }
    }

    fn bound_paths(&mut self) {
        while self.paths.len() > PATHS {
            self.paths.pop_last();
            self.paths_over = true;
        }
    }

    fn merge(&mut self, other: Self, limits: Limits) {
        self.groups.extend(other.groups);
        self.requests += other.requests;
        self.denied_requests += other.denied_requests;
        self.undecided += other.undecided;
        self.too_many |= other.too_many;
        self.grants_rights |= other.grants_rights;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.days.extend(other.days);
        #[expect(
            clippy::iter_over_hash_type,
            reason = "merging gives the same in any order"
        )]
        for (key, theirs) in other.uses {
            let room = self.uses.len() < USES;
            match self.uses.get_mut(&key) {
                Some(ours) => ours.merge(theirs, limits),
                None if room => {
                    self.uses.insert(key, theirs);
                }
                None => self.too_many = true,
            }
        }
        for (key, count) in other.denied {
            *self.denied.entry(key).or_default() += count;
        }
        for (key, count) in other.paths {
            *self.paths.entry(key).or_default() += count;
        }
        self.paths_over |= other.paths_over;
        self.bound_denied();
        self.bound_paths();
    }

    /// What was denied, the most frequent first, and how many requests are not among it.
    #[must_use]
    pub fn denied(&self) -> (Vec<Denied>, u64) {
        let mut all: Vec<Denied> = self
            .denied
            .iter()
            .map(|(key, count)| {
                let mut parts = key.split('\0');
                let mut part = || parts.next().unwrap_or_default().into();
                Denied {
                    verb: part(),
                    what: part(),
                    namespace: part(),
                    count: *count,
                }
            })
            .collect();
        all.sort_by(|a, b| {
            let key = |one: &Denied| (one.what.clone(), one.verb.clone(), one.namespace.clone());
            b.count.cmp(&a.count).then_with(|| key(a).cmp(&key(b)))
        });
        let shown: u64 = all.iter().map(|one| one.count).sum();
        (all, self.denied_requests.saturating_sub(shown))
    }

    /// Everything that was used, one by one.
    #[must_use]
    pub fn atoms(&self) -> Vec<Atom> {
        let mut atoms = Vec::new();
        let sorted: BTreeMap<&str, &Use> = self
            .uses
            .iter()
            .map(|(key, used)| (key.as_ref(), used))
            .collect();
        for (key, used) in sorted {
            let mut parts = key.split('\0');
            let mut part = || -> Box<str> { parts.next().unwrap_or_default().into() };
            let (verb, group, resource) = (part(), part(), part());
            let atom = |namespace: &str, names: &Names, everywhere: bool| Atom {
                namespace: (!namespace.is_empty()).then(|| namespace.into()),
                verb: verb.clone(),
                what: role::What::Resource {
                    group: group.clone(),
                    resource: resource.clone(),
                    names: names.limited().then(|| names.known.clone()),
                },
                count: used.count,
                any_name: names.over && !names.nameless,
                everywhere,
            };
            if used.everywhere {
                atoms.push(atom("", &used.all, true));
            } else {
                let within = used.within.iter();
                atoms.extend(within.map(|(namespace, names)| atom(namespace, names, false)));
            }
        }
        atoms.extend(self.path_atoms());
        atoms
    }

    /// Paths; where there are too many, what they begin with.
    fn path_atoms(&self) -> Vec<Atom> {
        let mut found: BTreeMap<(Box<str>, Box<str>), u64> = BTreeMap::new();
        for ((verb, path), count) in &self.paths {
            let path = if self.paths_over {
                let first = path.trim_start_matches('/').split('/').next();
                format!("/{}*", first.unwrap_or_default()).into()
            } else {
                path.clone()
            };
            *found.entry((verb.clone(), path)).or_default() += count;
        }
        found
            .into_iter()
            .map(|((verb, path), count)| Atom {
                namespace: None,
                verb,
                what: role::What::Path(path),
                count,
                any_name: self.paths_over,
                everywhere: false,
            })
            .collect()
    }
}

impl Use {
    fn saw(&mut self, namespace: &str, name: &str, limits: Limits) {
        self.count += 1;
        self.all.saw(name, limits);
        if self.everywhere {
            return;
        }
        match self.within.get_mut(namespace) {
            Some(names) => names.saw(name, limits),
            None => {
                let mut names = Names::default();
                names.saw(name, limits);
                self.within.insert(namespace.into(), names);
                self.bound(limits);
            }
        }
    }

    fn bound(&mut self, limits: Limits) {
        let namespaces = self.within.len() - usize::from(self.within.contains_key(""));
        if namespaces > limits.namespaces {
            self.everywhere = true;
            self.within.clear();
        }
    }

    fn merge(&mut self, other: Self, limits: Limits) {
        self.count += other.count;
        self.all.merge(other.all, limits);
        self.everywhere |= other.everywhere;
        if self.everywhere {
            self.within.clear();
            return;
        }
        for (namespace, names) in other.within {
            self.within
                .entry(namespace)
                .or_default()
                .merge(names, limits);
        }
        self.bound(limits);
    }
}

impl Names {
    fn saw(&mut self, name: &str, limits: Limits) {
        if self.nameless || self.over && !name.is_empty() {
            return;
        }
        if name.is_empty() {
            self.nameless = true;
        } else if !self.known.contains(name) {
            self.known.insert(name.into());
        }
        self.bound(limits);
    }

    fn merge(&mut self, other: Self, limits: Limits) {
        self.nameless |= other.nameless;
        self.over |= other.over;
        self.known.extend(other.known);
        self.bound(limits);
    }

    fn bound(&mut self, limits: Limits) {
        self.over |= self.known.len() > limits.names;
        if self.nameless || self.over {
            self.known.clear();
        }
    }

    /// Whether names say what may be touched.
    fn limited(&self) -> bool {
        !self.nameless && !self.over
    }
}
