//! What a running estate gives: objects with their addresses, which kinds were read to the end, and
//! what could not be read.
//!
//! A live source (a cluster, Azure) and a snapshot tell the same story in the same words, one
//! [`Event`] after the other, so that judging does not know the difference. What must never leave a
//! source (values of Secrets, their copies in annotations and managed fields) is dropped before
//! an event is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Ref;
use model::completeness::{ELSEWHERE, EVERY_KIND, Gap};
use model::coverage::{DocumentEntry, Status};
use model::image::Reference;
use model::kept::Kept;
use model::manifest::{Form, Reader, Reading};
use model::resource::Origin;

use crate::azure::is_guid;

/// One thing that a live source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What it is doing, for people who wait: `listing pods`.
    Doing(String),
    /// An object.
    Object(Object),
    /// A resource of a file that a snapshot was made of.
    Kept(Box<Kept>),
    /// What became of a document of such a file that is no resource.
    Entry(Box<DocumentEntry>),
    /// A kind was read to the end: everywhere (empty), in a namespace, or at and below an Azure id.
    Complete {
        /// The kind as guidelines name it: `NetworkPolicy`, `Gateway.gateway.networking.k8s.io`,
        /// `Microsoft.Network/virtualNetworks`.
        kind: Box<str>,
        /// Empty, a namespace, or an Azure id.
        within: Box<str>,
    },
    /// Something was not read.
    Gap(Unread),
    /// A kind that the cluster serves and nobody asked for: it enters the ledger, nothing else.
    Other {
        /// API group and version.
        api_version: Box<str>,
        /// Kind.
        kind: Box<str>,
    },
}

/// One thing that a source tells while it is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// As when it is read. An object that was told before has changed; what is said of a kind and a place takes
    /// the place of what was said before.
    Told(Event),
    /// The object of this address is there no more.
    Gone(Arc<str>),
    /// What was told of the kind is as of now.
    Heard(Box<str>),
    /// What was told of the kind may be old from now on, until it is heard of again.
    Lost {
        /// The kind as guidelines name it.
        kind: Box<str>,
        /// Why, as a clause.
        why: Box<str>,
    },
    /// Everything that is there has been told once; from now on only what changes is.
    CaughtUp,
}

/// An object as the API gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where it came from.
    pub of: Of,
    /// `/apis/apps/v1/namespaces/shop/deployments/web`, or the id of an Azure resource.
    pub address: Arc<str>,
    /// JSON, complete: with `apiVersion` and `kind`; of Azure with `id`, `type`, and in `apiVersion` the
    /// version it was read with.
    pub json: String,
}

/// Which API an object belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Kubernetes' own, and objects that describe the cluster (`Cluster.seawall.dev`).
    Kubernetes,
    /// Azure Resource Manager and Microsoft Graph.
    Azure,
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The kind as guidelines name it; `*` when anything may be hidden.
    pub kind: Box<str>,
    /// Empty for everywhere, a namespace, an Azure id, or [`ELSEWHERE`].
    pub within: Box<str>,
    /// The address that was asked.
    pub address: Arc<str>,
    /// Why, as a clause: `the cluster refused to list NetworkPolicies (403)`.
    pub why: Box<str>,
    /// What to do about it: `bind the ClusterRole seawall-reader`.
    pub help: Option<Box<str>>,
    /// It was not asked for (Secrets without the opt-in): nothing went wrong.
    pub by_choice: bool,
}

impl Unread {
    /// Its line in the ledger.
    #[must_use]
    pub fn entry(&self) -> DocumentEntry {
        let status = if self.by_choice {
            Status::NotRelevant
        } else {
            Status::Unreadable
        };
        let is_namespace =
            !self.within.is_empty() && !self.within.starts_with('/') && &*self.within != ELSEWHERE;
        let namespace = is_namespace.then(|| self.within.clone());
        DocumentEntry {
            path: Arc::clone(&self.address),
            index: 0,
            line: 1,
            live: true,
            status,
            kind: Some(self.kind.clone()),
            namespace,
            name: None,
            reason: Some(self.why.clone()),
            help: self.help.clone(),
        }
    }
}

/// Makes a resource of an object.
#[must_use]
pub fn read_object(object: &Object, reader: &Reader<'_>) -> Reading {
    if let Some(reading) = crate::node::read_object(object, reader) {
        return reading;
    }
    let origin = Origin {
        path: Arc::clone(&object.address),
        index: 0,
        rendered_by: None,
        live: true,
    };
    match object.of {
        Of::Kubernetes => reader.read(&in_lines(&object.json), Form::Json, 1, &origin),
        Of::Azure => model::azure::live::read(reader, &object.json, &origin),
    }
}

/// The kinds of which a live object could not be understood: they are not complete any more.
#[must_use]
pub fn hidden(reading: &Reading) -> Option<Gap> {
    let entry = reading
        .entries
        .iter()
        .find(|entry| entry.live && entry.status == Status::Unreadable)?;
    let kind = entry.kind.as_deref().unwrap_or(EVERY_KIND);
    Some(Gap {
        kind: kind.into(),
        within: entry.namespace.clone().unwrap_or_default(),
        why: format!("{} could not be understood", entry.path).into(),
    })
}

/// A kind that a cluster serves and nobody asked for.
#[must_use]
pub fn other(api_version: &str, kind: &str) -> DocumentEntry {
    if kind.contains('/') {
        return DocumentEntry {
            path: format!("/{api_version}").into(),
            index: 0,
            line: 1,
            live: true,
            status: Status::NotRelevant,
            kind: Some(kind.into()),
            namespace: None,
            name: None,
            reason: Some("no guideline reads this type".into()),
            help: None,
        };
    }
    let (group, _) = model::kinds::split_api_version(api_version);
    let builtin = model::kinds::is_builtin(group, kind);
    DocumentEntry {
        path: format!("/{api_version}").into(),
        index: 0,
        line: 1,
        live: true,
        status: if builtin {
            Status::NotRelevant
        } else {
            Status::UnknownKind
        },
        kind: Some(kind.into()),
        namespace: None,
        name: None,
        reason: Some(if builtin {
            "no guideline reads this kind".into()
        } else {
            "the cluster serves this kind, and seawall does not know it".into()
        }),
        help: None,
    }
}

/// The users and groups of Entra that a binding names, from its JSON; of anything else none.
#[must_use]
pub fn principals_of(json: &str) -> BTreeSet<String> {
    #[derive(serde::Deserialize)]
    struct Binding {
        kind: String,
        #[serde(default)]
        subjects: Vec<Subject>,
    }
    #[derive(serde::Deserialize)]
    struct Subject {
        kind: String,
        name: String,
    }
    let none = BTreeSet::new();
    if !json.contains("RoleBinding") {
        return none;
    }
    let Ok(binding) = serde_json::from_str::<Binding>(json) else {
        return none;
    };
    if !matches!(&*binding.kind, "RoleBinding" | "ClusterRoleBinding") {
        return none;
    }
    let named = binding.subjects.into_iter();
    named
        .filter(|subject| matches!(&*subject.kind, "User" | "Group") && is_guid(&subject.name))
        .map(|subject| subject.name.to_ascii_lowercase())
        .collect()
}

/// The images that workloads name, and how they are used.
pub type Images = BTreeMap<Reference, ImageUse>;

/// How an image is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageUse {
    /// Digests that pods of a live cluster run of it.
    pub running: BTreeSet<String>,
    /// Workloads that name it: `shop/Deployment/web`.
    pub used_by: BTreeSet<String>,
}

/// Notes the images that workloads name.
pub fn images(reading: &Reading, named: &Mutex<Images>) {
    for resource in &reading.resources {
        let Some(pod) = resource.pod_spec() else {
            continue;
        };
        let (kind, name) = (resource.name.kind.name(), &resource.name.name);
        let user = match &resource.name.namespace {
            Some(namespace) => format!("{namespace}/{kind}/{name}"),
            None => format!("{kind}/{name}"),
        };
        let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |value: Ref<'_>, key| value.get(key).and_then(Ref::as_str).map(str::to_owned);
        let mut note = |written: &str, running: Option<String>| {
            let Some(reference) = Reference::read(written) else {
                return;
            };
            let image = named.entry(reference).or_default();
            image.used_by.insert(user.clone());
            image.running.extend(running);
        };
        // What runs: `docker-pullable://HOST/NAME@DIGEST` or `HOST/NAME@DIGEST`
        // (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus).
        let mut running: BTreeMap<String, String> = BTreeMap::new();
        for list in [
            "initContainerStatuses",
            "containerStatuses",
            "ephemeralContainerStatuses",
        ] {
            let statuses = resource.object().path(&["status", list]);
            for status in statuses.into_iter().flat_map(Ref::items) {
                let digest =
                    text(status, "imageID").and_then(|id| Some(id.rsplit_once('@')?.1.to_owned()));
                if let (Some(container), Some(digest)) = (text(status, "name"), digest) {
                    running.insert(container, digest);
                }
            }
        }
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in pod.get(list).into_iter().flat_map(Ref::items) {
                if let Some(image) = text(container, "image") {
                    let own = text(container, "name").and_then(|name| running.remove(&name));
                    note(&image, own);
                }
            }
        }
        for volume in pod.get("volumes").into_iter().flat_map(Ref::items) {
            let image = volume.path(&["image", "reference"]).and_then(Ref::as_str);
            if let Some(image) = image {
                note(image, None);
            }
        }
    }
}

/// Notes the users and groups of Entra that bindings name: AKS knows them by their object ids.
pub(crate) fn principals(reading: &Reading, named: &Mutex<BTreeSet<String>>) {
    for resource in &reading.resources {
        let kind = &resource.name.kind;
        if !kind.is("RoleBinding") && !kind.is("ClusterRoleBinding") {
            continue;
        }
        let subjects = resource.object().path(&["subjects"]);
        for subject in subjects.into_iter().flat_map(Ref::items) {
            let text = |key| subject.path(&[key]).and_then(Ref::as_str);
            if let (Some("User" | "Group"), Some(name)) = (text("kind"), text("name"))
                && is_guid(name)
            {
                let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
                named.insert(name.to_ascii_lowercase());
            }
        }
    }
}

/// The same JSON with a line for each value: of a long line nothing can be dropped once it was judged
/// (`model::prune` keeps whole lines).
fn in_lines(json: &str) -> String {
    let mut lines = String::with_capacity(json.len() + json.len() / 8);
    let (mut quoted, mut escaped) = (false, false);
    for character in json.chars() {
        lines.push(character);
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' | ',' if !quoted => lines.push('\n'),
            _ => {}
        }
    }
    lines
}

/// Tells people who wait what for, once that takes long.
#[derive(Clone)]
pub struct Patience {
    told: Arc<dyn Fn(&str) + Send + Sync>,
    /// After this time, and no more often.
    pub after: Duration,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Patience {
    /// With what tells them: `a token of Microsoft Entra`.
    pub fn new(told: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            told: Arc::new(told),
            after: Duration::from_secs(5),
            last: Arc::default(),
        }
    }

    /// Does something that may take long.
    pub(crate) async fn on<F: Future>(&self, what: impl FnOnce() -> String, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        if let Ok(done) = tokio::time::timeout(self.after, work.as_mut()).await {
            return done;
        }
        self.say(&what());
        work.await
    }

    /// Says what is waited for, unless something was said a moment ago.
    pub(crate) fn say(&self, what: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= self.after) {
            *last = Some(Instant::now());
            (self.told)(what);
        }
    }
}

/// Tells nobody.
impl Default for Patience {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

/// Why a live source could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LiveError {
    /// What went wrong.
    pub message: String,
    /// What to type next.
    pub help: Option<String>,
}

impl LiveError {
    /// Whoever is told has had enough; why is known there.
    #[must_use]
    pub fn stopped() -> Self {
        Self {
            message: "stopped".to_owned(),
            help: None,
        }
    }
}

/// What is read live.
pub trait Source {
    /// What it is called in reports: `cluster kind-dev`, `subscription 0000…`. Once it was read that may be
    /// more than before.
    fn name(&self) -> String;

    /// Principals of Entra that what was read before names: users and groups of bindings, by their object
    /// ids.
    fn principals(&mut self, _ids: &BTreeSet<String>) {}

    /// Images that workloads name which were read before.
    fn images(&mut self, _images: &Images) {}

    /// The Kubernetes minor that a cluster runs (34 of 1.34), asked before anything is judged.
    ///
    /// # Errors
    /// When nothing can be read at all.
    fn kubernetes_minor(&mut self) -> Result<Option<u8>, LiveError> {
        Ok(None)
    }

    /// Tells everything, in the same order whenever the same is there.
    ///
    /// # Errors
    /// When nothing can be read at all; what is only in part unreadable is an [`Event::Gap`]. Also what
    /// `tell` returns.
    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError>;
}

#[cfg(test)]
mod tests {
    use super::in_lines;

    #[test]
    fn lines_break_between_values_and_nowhere_else() {
        let json = r#"{"a":[1,{"b":"x,{\"[\\"}],"c":{}}"#;
        let lines = in_lines(json);
        assert_eq!(lines.lines().count(), 7, "{lines}");
        assert_eq!(lines.replace('\n', ""), json);
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&lines), value(json));
    }
}
