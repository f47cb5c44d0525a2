//! Events that are alike: who asked, for what kind of object, with which program, and how it was answered decide most
//! checks, and few events of a log differ from all before in that.
//!
//! Detections are asked once about the *outline* of an event: just that is known of it, and everything else is unknown,
//! as if the record were cut there. What is false of the outline is false of every event that has it, because an unknown
//! never decides in CEL. Nothing here knows what a check reads. Events that are not all there have no outline.
//!
//! Most checks are settled by what was asked for or by who asked, and there are fewer of either than of both together: so
//! what one of them alone settles is worked out once for it, and an outline is asked about the rest.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use cel::{Bump, Val};
use guide::detection::{Detection, Log, Memory};
use serde_json::Value;

use super::bounded::hash;
use super::scope::Scope;
use super::subject::{Subject, Truth};
use super::{Detector, triggered};
use crate::event::{Event, Field, Json, ObjectRef, Response, Text, User};
use crate::read::{Record, What};
use crate::request::{Asked, Request};
use crate::seen::Hashed;

/// How many outlines are kept. When there are more all are forgotten, and worked out again.
const OUTLINES: usize = 16_384;
/// Longer ones are not worth keeping.
const LONGEST: usize = 4096;
/// Stands for every id that is written like it. What is in it is chance, so that a check can hang on its length alone.
const ANY_ID: &str = "00000000-0000-4000-8000-000000000000";

/// What is left to ask about events of one outline.
#[derive(Debug, Clone, Default)]
struct Plan {
    /// What the outline leaves open.
    ask: Vec<u16>,
    /// What the outline settles: something was seen.
    sightings: Vec<Sighting>,
    /// Likewise, where what was seen hangs on the author alone: when it was seen is noted there.
    of_author: Vec<u16>,
    author: Author,
}

/// Where it is noted what an author showed: the number of the key, and which plan that was made for it: numbers are hashes,
/// and who chooses names may choose two that have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Author {
    number: u64,
    made: u64,
}

/// Something that every event of an outline shows.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    number: u16,
    /// An event at this time was asked about: a later one tells nothing new.
    since: i64,
}

/// What is known of outlines: what was made of each, by what they show as it is written in a key.
#[derive(Debug)]
struct Known<T>(HashMap<u64, (Box<[u8]>, T), BuildHasherDefault<Hashed>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T> Known<T> {
    fn get(&self, number: u64, key: &[u8]) -> Option<&T> {
        let (own, made) = self.0.get(&number)?;
        (**own == *key).then_some(made)
    }

    fn put(&mut self, number: u64, key: &[u8], made: T) {
        if self.0.len() >= OUTLINES {
            self.0.clear();
        }
        self.0.insert(number, (key.into(), made));
    }
}

/// How much of an event is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// What was asked for and answered.
    Kind,
    /// Who asked, with which program.
    Author,
    /// Both.
    Both,
}

/// What is left to ask about outlines.
#[derive(Debug, Default)]
pub(crate) struct Outlines {
    known: Known<Plan>,
    /// What is left to ask where just the one or the other is known.
    kinds: Known<Plan>,
    authors: Known<Plan>,
    key: Vec<u8>,
    /// How many plans of authors were made.
    made: u64,
    /// Whose outline was looked at last.
    last: u64,
    /// What is to be asked about that event.
    pub(crate) ask: Vec<u16>,
    /// What saw again what it saw before.
    pub(crate) again: Vec<u16>,
}

impl Outlines {
    /// Finds out what is left to ask about an event; false where nobody can tell from its outline.
    pub(crate) fn left(&mut self, detector: &Detector<'_>, record: &Record<'_>, at: i64) -> bool {
        let What::Event(event) = &record.what else {
            return false;
        };
        self.key.clear();
        let Some(middle) = written(event, record, &mut self.key) else {
            return false;
        };
        if self.key.len() > LONGEST {
            return false;
        }
        let number = hash(&self.key);
        self.last = number;
        if self.known.get(number, &self.key).is_none() {
            let Some(plan) = self.plan(detector, record, event, middle) else {
                return false;
            };
            self.known.put(number, &self.key, plan);
        }
        self.ask.clear();
        self.again.clear();
        let Some(plan) = self.known.get(number, &self.key) else {
            return false;
        };
        self.ask.extend_from_slice(&plan.ask);
        let author = self.authors.0.get(&plan.author.number);
        let author = author.filter(|(_, author)| author.author == plan.author);
        let of_author = plan.of_author.iter().map(|number| Sighting {
            number: *number,
            since: author
                .and_then(|(_, plan)| plan.since(*number))
                .unwrap_or(i64::MAX),
        });
        for sighting in plan.sightings.iter().copied().chain(of_author) {
            let list = if at > sighting.since {
                &mut self.again
            } else {
                &mut self.ask
            };
            list.push(sighting.number);
        }
        true
    }

    /// What events with the outline of this one leave to ask; `None` where it is no JSON after all.
    fn plan(
        &mut self,
        detector: &Detector<'_>,
        record: &Record<'_>,
        event: &Event<'_>,
        middle: usize,
    ) -> Option<Plan> {
        let (kind, author) = self.key.split_at_checked(middle)?;
        let number = hash(kind);
        if self.kinds.get(number, kind).is_none() {
            let plan = detector.plan(record, event, Shown::Kind, &detector.selected)?;
            self.kinds.put(number, kind, plan);
        }
        let by_kind = self.kinds.get(number, kind)?;
        let number = hash(author);
        if self.authors.get(number, author).is_none() {
            let mut plan = detector.plan(record, event, Shown::Author, &detector.selected)?;
            self.made += 1;
            plan.author = Author {
                number,
                made: self.made,
            };
            self.authors.put(number, author, plan);
        }
        let by_author = self.authors.get(number, author)?;
        let left: Vec<u16> = by_kind
            .open()
            .filter(|own| by_author.open().any(|other| other == *own))
            .collect();
        if left.is_empty() {
            return Some(Plan::default());
        }
        let mut plan = detector.plan(record, event, Shown::Both, &left)?;
        plan.author = by_author.author;
        plan.sightings.retain(|sighting| {
            let is_authors = by_author.since(sighting.number).is_some();
            if is_authors {
                plan.of_author.push(sighting.number);
            }
            !is_authors
        });
        Some(plan)
    }

    /// The event that was looked at last was asked about, and all of it was there.
    pub(crate) fn asked(&mut self, at: i64) {
        let Some((_, plan)) = self.known.0.get_mut(&self.last) else {
            return;
        };
        plan.saw(at, |_| true);
        if let Some((_, author)) = self.authors.0.get_mut(&plan.author.number)
            && author.author == plan.author
        {
            author.saw(at, |number| plan.of_author.contains(&number));
        }
    }
}

impl Plan {
    /// All that is not false.
    fn open(&self) -> impl Iterator<Item = u16> {
        let seen = self.sightings.iter().map(|sighting| sighting.number);
        self.ask.iter().copied().chain(seen)
    }

    fn since(&self, number: u16) -> Option<i64> {
        let mut sightings = self.sightings.iter();
        let sighting = sightings.find(|sighting| sighting.number == number)?;
        Some(sighting.since)
    }

    fn saw(&mut self, at: i64, which: impl Fn(u16) -> bool) {
        for sighting in &mut self.sightings {
            if which(sighting.number) {
                sighting.since = sighting.since.min(at);
            }
        }
    }
}

/// Writes down the outline of an event, and says where the part ends that shows of which kind it is; `None` where it has
/// no outline. Each part says whether it is there and how long it is, so that two outlines are never written alike.
fn written(event: &Event<'_>, record: &Record<'_>, key: &mut Vec<u8>) -> Option<usize> {
    if !event.json.whole || event.damaged {
        return None;
    }
    key.push(u8::from(usual(event)));
    let texts = [&event.level, &event.stage, &event.verb];
    let texts = texts.into_iter().all(|field| put_text(field, key));
    let object = match &event.object_ref {
        Field::Known(object) => {
            put(Some(b""), key);
            let texts = [
                &object.resource,
                &object.subresource,
                &object.group,
                &object.version,
            ];
            texts.into_iter().all(|field| put_text(field, key))
        }
        field => put_none(field, key),
    };
    let code = match &event.response {
        Field::Known(Response {
            code: Field::Known(code),
            ..
        }) => {
            put(Some(&code.to_le_bytes()), key);
            true
        }
        // What an answer without a code says is nothing that an outline tells.
        field => put_none(field, key),
    };
    let middle = key.len();
    let users = put_user(&event.user, key) && put_user(&event.impersonated, key);
    let texts = texts && put_text(&event.user_agent, key);
    let cluster = put_text(&record.envelope.resource, key);
    (object && code && users && texts && cluster).then_some(middle)
}

fn put(part: Option<&[u8]>, key: &mut Vec<u8>) {
    key.push(u8::from(part.is_some()));
    let part = part.unwrap_or_default();
    key.extend_from_slice(&(part.len() as u32).to_le_bytes());
    key.extend_from_slice(part);
}

/// Puts that a field is absent; false where it is not.
fn put_none<T>(field: &Field<T>, key: &mut Vec<u8>) -> bool {
    put(None, key);
    matches!(field, Field::Absent)
}

fn put_text(field: &Text<'_>, key: &mut Vec<u8>) -> bool {
    match field {
        Field::Known(text) => {
            put(Some(text.as_bytes()), key);
            true
        }
        field => put_none(field, key),
    }
}

fn put_user(user: &Field<User<'_>>, key: &mut Vec<u8>) -> bool {
    match user {
        Field::Known(user) => {
            let name = put_text(&user.name, key);
            match &user.groups {
                Field::Known(groups) => {
                    put(Some(groups.written()), key);
                    name
                }
                field => put_none(field, key) && name,
            }
        }
        field => put_none(field, key),
    }
}

/// Whether an id is written as the API server writes one that nobody chose.
fn usual(event: &Event<'_>) -> bool {
    event.audit_id.as_str().len() == ANY_ID.len()
}

/// The outline as an event: what is not in it is cut.
fn outlined<'a>(event: &'a Event<'a>, shown: Shown) -> Event<'a> {
    let (kind, author) = (shown != Shown::Author, shown != Shown::Kind);
    let text = |is_shown: bool, field: &Text<'a>| {
        if is_shown { field.clone() } else { Field::Cut }
    };
    let user = |user: &'a Field<User<'a>>| match user {
        _ if !author => Field::Cut,
        Field::Known(user) => Field::Known(User {
            name: user.name.clone(),
            uid: Field::Cut,
            groups: user.groups,
            extra: Field::Cut,
        }),
        _ => Field::Absent,
    };
    Event {
        level: text(kind, &event.level),
        audit_id: if kind && usual(event) {
            Field::Known(ANY_ID.into())
        } else {
            Field::Cut
        },
        stage: text(kind, &event.stage),
        request_uri: Field::Cut,
        verb: text(kind, &event.verb),
        user: user(&event.user),
        impersonated: user(&event.impersonated),
        source_ips: Field::Cut,
        user_agent: text(author, &event.user_agent),
        object_ref: match &event.object_ref {
            _ if !kind => Field::Cut,
            Field::Known(object) => Field::Known(ObjectRef {
                namespace: Field::Cut,
                name: Field::Cut,
                uid: Field::Cut,
                ..object.clone()
            }),
            _ => Field::Absent,
        },
        response: match &event.response {
            _ if !kind => Field::Cut,
            Field::Known(response) => Field::Known(Response {
                code: response.code,
                status: Field::Cut,
                reason: Field::Cut,
                message: Field::Cut,
            }),
            _ => Field::Absent,
        },
        request_object: Field::Cut,
        response_object: Field::Cut,
        received: Field::Cut,
        stage_time: Field::Cut,
        annotations: Field::Cut,
        json: Json::new(b"", false),
        damaged: false,
    }
}

/// The outline as a document. Its objects hold more than is known.
fn document(event: &Event<'_>) -> Option<String> {
    fn put(out: &mut String, key: &str, value: &str) {
        let comma = if out.ends_with('{') { "" } else { "," };
        out.push_str(&format!("{comma}\"{key}\":{value}"));
    }
    fn texts(out: &mut String, fields: &[(&str, &Text<'_>)]) {
        for (key, field) in fields {
            if let Field::Known(text) = field {
                put(out, key, &Value::from(text.as_ref()).to_string());
            }
        }
    }
    let mut out = "{".to_owned();
    texts(
        &mut out,
        &[
            ("level", &event.level),
            ("auditID", &event.audit_id),
            ("stage", &event.stage),
            ("verb", &event.verb),
            ("userAgent", &event.user_agent),
        ],
    );
    for (key, user) in [
        ("user", &event.user),
        ("impersonatedUser", &event.impersonated),
    ] {
        if let Field::Known(user) = user {
            let mut inner = "{".to_owned();
            texts(&mut inner, &[("username", &user.name)]);
            if let Field::Known(groups) = user.groups {
                let groups = groups.text();
                put(&mut inner, "groups", std::str::from_utf8(&groups).ok()?);
            }
            inner.push('}');
            put(&mut out, key, &inner);
        }
    }
    if let Field::Known(object) = &event.object_ref {
        let mut inner = "{".to_owned();
        texts(
            &mut inner,
            &[
                ("resource", &object.resource),
                ("subresource", &object.subresource),
                ("apiGroup", &object.group),
                ("apiVersion", &object.version),
            ],
        );
        inner.push('}');
        put(&mut out, "objectRef", &inner);
    }
    if let Field::Known(response) = &event.response
        && let Field::Known(code) = response.code
    {
        put(&mut out, "responseStatus", &format!("{{\"code\":{code}}}"));
    }
    out.push('}');
    Some(out)
}

impl Detector<'_> {
    /// Which of these detections are not false of all events that show this; `None` where it is no JSON after all.
    fn plan(
        &self,
        record: &Record<'_>,
        event: &Event<'_>,
        shown: Shown,
        candidates: &[u16],
    ) -> Option<Plan> {
        let outline = outlined(event, shown);
        let target = match Request::asked(&outline) {
            Field::Known(target) => Field::Known(target),
            _ if shown == Shown::Author => Field::Cut,
            _ if outline.object_ref == Field::Absent => Field::Known(Asked::Path("".into())),
            _ => return None,
        };
        let text = document(&outline)?;
        let subject = Subject::outline(self.guide, &text, &outline, target, record)?;
        let bump = Bump::new();
        let scope = Scope::new(
            self.guide,
            self.setting,
            &self.judge,
            &self.identities,
            &subject,
            &bump,
        );
        let mut plan = Plan::default();
        for number in candidates {
            if let Some(detection) = self.detection(*number)
                && detection.log == Log::Audit
            {
                plan.enter(*number, detection, shown, &subject, &scope);
            }
        }
        Some(plan)
    }
}

impl Plan {
    fn enter<'a>(
        &mut self,
        number: u16,
        detection: &'a Detection,
        shown: Shown,
        subject: &Subject<'a>,
        scope: &Scope<'a>,
    ) {
        if let Memory::Sequence { on, check, .. } = &detection.memory
            && triggered(on, subject) != Truth::No
            && scope.eval(check).as_bool() != Some(false)
        {
            self.ask.push(number);
            return;
        }
        let triggered = triggered(&detection.looks_at, subject);
        if triggered == Truth::No {
            return;
        }
        let verdict = scope.eval(&detection.check).as_bool();
        if verdict == Some(false) {
            return;
        }
        let by_outline = || {
            detection.by.iter().all(|program| {
                let value = scope.eval(program);
                matches!(value, Val::Str(_) | Val::Int(_) | Val::Bool(_) | Val::Null)
            })
        };
        let is_sighting = matches!(detection.memory, Memory::FirstSeen { .. });
        let settled = verdict == Some(true) && triggered == Truth::Yes;
        // Of an author it is enough to know what is seen, if anything is.
        if is_sighting && (settled || shown == Shown::Author) && by_outline() {
            self.sightings.push(Sighting {
                number,
                since: i64::MAX,
            });
        } else {
            self.ask.push(number);
        }
    }
}

#[cfg(test)]
mod tests;
