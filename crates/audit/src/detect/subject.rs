//! One event before its detections: what triggers are held against, and what it is about.
//!
//! What a cut record does not say is unknown, not absent. What CEL sees of it is the module `scope`'s matter.

use std::sync::Arc;

use cel::Val;
use guide::Guide;
use guide::detection::{Target, Trigger};
use model::doc::{Dialect, Doc, DocBuilder};
use model::kinds::{Kind, split_api_version};
use model::resource::{Origin, ResourceName};
use model::{Ref, Resource, unknown};

use super::alert::Stub;
use super::bounded::hash_texts;
use crate::event::{Event, Field};
use crate::read::{Record, What};
use crate::request::{Asked, Request};
use crate::time;

pub(crate) type Value<'a> = Val<'a, Ref<'a>>;

/// What is known of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Subresources through which somebody acts whatever the verb: a WebSocket begins with a GET.
pub(crate) const CONNECTS: [&str; 5] = ["exec", "attach", "portforward", "proxy", "token"];

/// One event.
pub(crate) struct Subject<'r> {
    pub(super) doc: Arc<Doc>,
    /// None for the activity log.
    pub(super) event: Option<&'r Event<'r>>,
    pub(super) target: Field<Asked<'r>>,
    pub(super) cut: bool,
    /// It stands for all events that are like it in what it shows.
    pub(super) is_outline: bool,
    at: i64,
    cluster: Box<str>,
}

/// The beginning of a text that is JSON as far as it goes, and whether it is all.
fn parsed(guide: &Guide, text: &str) -> Option<(Doc, bool)> {
    let limits = yaml::Limits::default();
    let read = |text: &str| {
        let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, text.into(), 1);
        yaml::json::prefix(text, &limits, &mut builder)
            .map(|(root, cut)| (builder.finish(root), cut))
    };
    match read(text) {
        Ok(read) => Some(read),
        Err(error) => {
            // What is no JSON from some place on is one that ends there.
            let line = text
                .split_inclusive('\n')
                .take(error.line.saturating_sub(1) as usize);
            let before: usize = line.map(str::len).sum();
            let rest = text.get(before..)?;
            let within = rest
                .char_indices()
                .nth(error.column.saturating_sub(1) as usize);
            let end = before + within.map_or(rest.len(), |(at, _)| at);
            read(text.get(..end)?).ok().map(|(doc, _)| (doc, true))
        }
    }
}

/// When it happened, or else when it was collected; 0 where nobody says.
pub(crate) fn moment(record: &Record<'_>) -> i64 {
    let kept = || time::micros(record.envelope.time.known()?);
    record.at.or_else(kept).unwrap_or_default()
}

/// Azure writes ids in capitals in some places.
fn cluster(record: &Record<'_>) -> Box<str> {
    let id = record.envelope.resource.as_str();
    id.to_ascii_lowercase().into()
}

fn text(json: &[u8]) -> &str {
    match std::str::from_utf8(json) {
        Ok(text) => text,
        Err(error) => json
            .get(..error.valid_up_to())
            .and_then(|start| std::str::from_utf8(start).ok())
            .unwrap_or_default(),
    }
}

impl<'r> Subject<'r> {
    /// None when the record is no JSON.
    pub(crate) fn of(guide: &Guide, record: &'r Record<'r>) -> Option<Self> {
        let (event, json) = match &record.what {
            What::Event(event) => (Some(*event), event.json),
            What::Activity(json) => (None, *json),
        };
        let (mut doc, cut) = parsed(guide, text(&json.text()))?;
        if let Some(event) = event {
            open_patch(&mut doc, event);
        }
        Some(Self {
            doc: Arc::new(doc),
            event,
            target: event.map_or(Field::Absent, Request::asked),
            cut: cut || !json.whole,
            is_outline: false,
            at: moment(record),
            cluster: cluster(record),
        })
    }

    /// What a record shares with all that are like it: `text` is what is known of the event, and its objects have
    /// entries that are not.
    pub(crate) fn outline(
        guide: &Guide,
        text: &str,
        event: &'r Event<'r>,
        target: Field<Asked<'r>>,
        record: &Record<'_>,
    ) -> Option<Self> {
        let (mut doc, _) = parsed(guide, text)?;
        let root = doc.root();
        let mut open = vec![root.id()];
        for key in ["user", "impersonatedUser", "objectRef", "responseStatus"] {
            open.extend(root.get(key).map(Ref::id));
        }
        open.into_iter().for_each(|map| doc.leave_map_open(map));
        Some(Self {
            doc: Arc::new(doc),
            event: Some(event),
            target,
            cut: true,
            is_outline: true,
            at: 0,
            cluster: cluster(record),
        })
    }

    pub(crate) fn is_activity(&self) -> bool {
        self.event.is_none()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn cluster(&self) -> Box<str> {
        self.cluster.clone()
    }

    pub(crate) fn resource(&self) -> Option<&str> {
        match self.target.known()? {
            Asked::Resource(object) => Some(&object.resource),
            Asked::Path(_) => None,
        }
    }

    /// Whether the record ends before it says what was asked for: in its id or its path, which whoever asks may make
    /// as long as they like.
    pub(crate) fn hidden(&self) -> bool {
        self.event.is_some() && (self.target.is_cut() || self.verb().is_none())
    }

    /// The verb; `None` where nobody knows it.
    pub(super) fn verb(&self) -> Option<&str> {
        match self.event.map(|event| &event.verb) {
            Some(Field::Known(verb)) => Some(verb),
            Some(Field::Begun(_) | Field::Cut) => None,
            Some(Field::Absent) | None => Some(""),
        }
    }

    fn operation(&self) -> &str {
        let root = self.doc.root();
        let name = root
            .get("operationName")
            .or_else(|| root.get("OperationNameValue"));
        name.and_then(Ref::as_str).unwrap_or_default()
    }

    pub(crate) fn matches(&self, trigger: &Trigger) -> Truth {
        let verb = match self.verb() {
            _ if trigger.verbs.is_empty() => Truth::Yes,
            Some(verb) => trigger.verbs.iter().any(|own| **own == *verb).into(),
            None => Truth::Unknown,
        };
        let begins = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => text == pattern,
        };
        let target = match (&trigger.target, &self.target) {
            (Target::Operation(name), _) => {
                begins(name, &self.operation().to_ascii_lowercase()).into()
            }
            (Target::Any, _) => Truth::Yes,
            (Target::Path(_), Field::Known(Asked::Path(_))) if self.is_outline => Truth::Unknown,
            (Target::Path(path), Field::Known(Asked::Path(own))) => begins(path, own).into(),
            (Target::Resource(name, subresource), Field::Known(Asked::Resource(own))) => {
                let same = match subresource.as_deref() {
                    None => own.subresource.is_empty(),
                    Some("*") => true,
                    Some(subresource) => *own.subresource == *subresource,
                };
                Truth::from(same && (&**name == "*" || *own.resource == **name))
            }
            (_, Field::Known(_) | Field::Absent) => Truth::No,
            (_, Field::Begun(_) | Field::Cut) => Truth::Unknown,
        };
        verb.min(target)
    }

    /// Whether the request could change something or act for somebody, so that not knowing is worth an alert.
    pub(crate) fn changes_something(&self) -> bool {
        let Some(event) = self.event else { return true };
        let connects = match self.target.known() {
            Some(Asked::Resource(object)) => CONNECTS.contains(&&*object.subresource),
            Some(Asked::Path(_)) => false,
            None => true,
        };
        let reads = self
            .verb()
            .is_some_and(|verb| ["get", "list", "watch", "head", "options", ""].contains(&verb));
        // A record that is cut behind the verb says whether somebody was impersonated, unless it ends right there.
        connects || !reads || event.impersonated.there().is_some()
    }

    fn user(&self) -> String {
        match self.event {
            Some(event) => {
                let user = event.user.there().map(|user| user.name.as_str().to_owned());
                user.unwrap_or_default()
            }
            None => self.caller(),
        }
    }

    /// Who did an operation of Azure: a person by their name, an application by its id.
    fn caller(&self) -> String {
        let root = self.doc.root();
        let claim = |name: &str| {
            root.path(&["identity", "claims", name])
                .and_then(Ref::as_str)
        };
        const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
        const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
        claim(UPN)
            .or_else(|| claim(NAME))
            .or_else(|| claim("name"))
            .or_else(|| claim("appid"))
            .or_else(|| root.get("caller").and_then(Ref::as_str))
            .unwrap_or_default()
            .to_owned()
    }

    fn audit_id(&self) -> String {
        match self.event {
            Some(event) => event.audit_id.as_str().to_owned(),
            None => {
                let id = self.doc.root().get("correlationId").and_then(Ref::as_str);
                id.unwrap_or_default().to_owned()
            }
        }
    }

    fn object_shown(&self) -> String {
        match self.target.known() {
            Some(Asked::Resource(object)) => {
                let mut shown = object.resource.to_string();
                if !object.subresource.is_empty() {
                    shown.push('/');
                    shown.push_str(&object.subresource);
                }
                let parts = [&object.namespace, &object.name];
                let said: Vec<&str> = parts
                    .iter()
                    .map(|part| &***part)
                    .filter(|part| !part.is_empty())
                    .collect();
                if !said.is_empty() {
                    shown.push(' ');
                    shown.push_str(&said.join("/"));
                }
                shown
            }
            Some(Asked::Path(path)) => path.to_string(),
            None if self.is_activity() => {
                let id = self.doc.root().get("resourceId").and_then(Ref::as_str);
                id.unwrap_or_default().to_ascii_lowercase()
            }
            None => "?".to_owned(),
        }
    }

    /// What tells this request from others; all stages of it have the same. An audit id alone does not: whoever
    /// asks may choose it (apiserver/pkg/endpoints/filters/audit_init.go).
    pub(crate) fn key(&self) -> u64 {
        let uri = match self.event.map(|event| &event.request_uri) {
            // Where a query is cut hangs on how long the name of the stage is.
            Some(Field::Begun(uri)) => uri.split('?').next().unwrap_or_default().to_owned(),
            Some(uri) => uri.as_str().to_owned(),
            None => self.operation().to_ascii_lowercase(),
        };
        let (id, user, object) = (self.audit_id(), self.user(), self.object_shown());
        let verb = self.verb().unwrap_or_default();
        hash_texts([&*id, &*uri, verb, &*user, &*object, &*self.cluster])
    }

    /// The same with the time at which it came: one of several requests that somebody gave the same id.
    pub(crate) fn moment(&self) -> u64 {
        let received = self.event.map_or("", |event| event.received.as_str());
        let key = self.key().to_string();
        hash_texts([key.as_str(), received])
    }

    pub(crate) fn stub(&self, message: String) -> Stub {
        let verb = match self.event {
            Some(_) => self.verb().unwrap_or("?"),
            None => self.operation(),
        };
        Stub {
            at: self.at,
            audit_id: self.audit_id().into(),
            message: message.into(),
            user: self.user().into(),
            verb: verb.into(),
            object: self.object_shown().into(),
            cluster: self.cluster.clone(),
            namespace: match self.target.known() {
                Some(Asked::Resource(object)) => (*object.namespace).into(),
                _ => Box::default(),
            },
        }
    }

    /// A field of the record.
    fn field(&self, name: &str) -> Option<Ref<'_>> {
        self.doc.root().get(name)
    }

    /// A field of which a cut record may not say whether it is there.
    pub(super) fn value(&self, name: &str) -> Option<Value<'_>> {
        match self.field(name) {
            // Log Analytics leaves large objects out and says so in a text.
            Some(value) if name.ends_with("Object") && value.as_str().is_some() => {
                Some(Val::Unknown(unknown::CUT))
            }
            Some(value) => Some(Val::Node(value)),
            None if self.cut && self.may_hold(name) => Some(Val::Unknown(unknown::CUT)),
            None => None,
        }
    }

    /// Whether a field that a cut record does not show may have been there: the API server writes fields in one
    /// order, so what stands before the last that is there is absent.
    fn may_hold(&self, name: &str) -> bool {
        let Some(event) = self.event else { return true };
        match name {
            "level" => event.level.is_cut(),
            "auditID" => event.audit_id.is_cut(),
            "stage" => event.stage.is_cut(),
            "requestURI" => event.request_uri.is_cut(),
            "verb" => event.verb.is_cut(),
            "user" => event.user.is_cut(),
            "impersonatedUser" => event.impersonated.is_cut(),
            "sourceIPs" => event.source_ips.is_cut(),
            "userAgent" => event.user_agent.is_cut(),
            "objectRef" => event.object_ref.is_cut(),
            "responseStatus" => event.response.is_cut(),
            "requestObject" => event.request_object.is_cut(),
            "responseObject" => event.response_object.is_cut(),
            "annotations" => event.annotations.is_cut(),
            _ => true,
        }
    }

    /// What a create, update or patch makes, as an admission policy sees it.
    pub(super) fn object(&self) -> Value<'_> {
        let Some(verb) = self.verb() else {
            return Val::Unknown(unknown::CUT);
        };
        if !["create", "update", "patch"].contains(&verb) || self.connects() {
            return Val::Null;
        }
        let answer = self
            .field("responseObject")
            .filter(|answer| answer.is_map());
        let made =
            answer.filter(|answer| answer.get("kind").and_then(Ref::as_str) != Some("Status"));
        if verb == "patch"
            && let Some(made) = made
        {
            return Val::Node(made);
        }
        match self.value("requestObject") {
            Some(Val::Node(sent)) if sent.is_map() => Val::Node(sent),
            // A JSON patch says what it changes, not what comes out.
            Some(Val::Node(_)) => Val::Unknown(unknown::NOT_LOGGED),
            Some(unknown) => unknown,
            None => made.map_or(Val::Unknown(unknown::NOT_LOGGED), Val::Node),
        }
    }

    pub(super) fn connects(&self) -> bool {
        matches!(self.target.known(), Some(Asked::Resource(object)) if CONNECTS.contains(&&*object.subresource))
    }

    /// What a delete takes away, where the answer shows it; of an update the log does not say what was before.
    pub(super) fn old_object(&self) -> Value<'_> {
        match self.verb() {
            Some("delete") => match self.value("responseObject") {
                Some(Val::Node(gone))
                    if gone.get("kind").and_then(Ref::as_str) != Some("Status") =>
                {
                    Val::Node(gone)
                }
                Some(Val::Unknown(reason)) => Val::Unknown(reason),
                _ => Val::Unknown(unknown::NOT_LOGGED),
            },
            Some("update" | "patch") => Val::Unknown(unknown::NOT_LOGGED),
            Some(_) => Val::Null,
            None => Val::Unknown(unknown::CUT),
        }
    }

    /// The object as the guide's judge takes it.
    pub(super) fn judged(&self, object: Ref<'_>) -> Option<Resource> {
        let kind = object.get("kind").and_then(Ref::as_str)?;
        let api_version = object.get("apiVersion").and_then(Ref::as_str)?;
        let (group, _) = split_api_version(api_version);
        let metadata = |key: &str| object.path(&["metadata", key]).and_then(Ref::as_str);
        let namespace = match self.target.known() {
            Some(Asked::Resource(asked)) => Some(asked.namespace.as_ref()),
            _ => metadata("namespace"),
        };
        Some(Resource {
            name: ResourceName {
                kind: Kind::Kubernetes {
                    group: group.into(),
                    kind: kind.into(),
                },
                api_version: api_version.into(),
                namespace: namespace.filter(|name| !name.is_empty()).map(Into::into),
                name: metadata("name").unwrap_or_default().into(),
            },
            doc: Arc::clone(&self.doc),
            root: object.id(),
            origin: Origin {
                path: "audit".into(),
                index: 0,
                rendered_by: None,
                live: true,
            },
            provider_managed: false,
            implied: false,
            refers: None,
            certificates: None,
            azure: None,
        })
    }

    /// Keys that a patch takes away, with dots between them.
    pub(super) fn removes(&self) -> Option<Vec<String>> {
        if self.verb() != Some("patch") {
            return Some(Vec::new());
        }
        let span = match self.value("requestObject")? {
            Val::Node(sent) => sent.span(),
            _ => return None,
        };
        let text = self
            .doc
            .text()
            .get(span.start as usize..span.end as usize)?;
        let patch: serde_json::Value = serde_json::from_str(text).ok()?;
        let mut gone = Vec::new();
        nulls(&patch, &mut String::new(), 0, &mut gone);
        for operation in patch.as_array().into_iter().flatten() {
            let said = |key: &str| operation.get(key).and_then(serde_json::Value::as_str);
            if said("op") == Some("remove") {
                let path = said("path").unwrap_or_default().trim_start_matches('/');
                let parts: Vec<String> = path
                    .split('/')
                    .map(|part| part.replace("~1", "/").replace("~0", "~"))
                    .collect();
                gone.push(parts.join("."));
            }
        }
        Some(gone)
    }
}

/// The paths of a merge patch that are null: what it removes (RFC 7386).
fn nulls(patch: &serde_json::Value, at: &mut String, depth: usize, gone: &mut Vec<String>) {
    let Some(map) = patch.as_object().filter(|_| depth < 32) else {
        return;
    };
    for (key, value) in map {
        let length = at.len();
        if length > 0 {
            at.push('.');
        }
        at.push_str(key);
        if value.is_null() {
            gone.push(at.clone());
        } else {
            nulls(value, at, depth + 1, gone);
        }
        at.truncate(length);
    }
}

/// A patch shows a part of the object that it makes.
fn open_patch(doc: &mut Doc, event: &Event<'_>) {
    if event.verb.as_str() == "patch"
        && let Some(id) = doc.root().get("requestObject").map(Ref::id)
    {
        doc.leave_open(id);
    }
}
