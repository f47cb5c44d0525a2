//! Events that are alike: who asked, for what kind of object, with which program, and how it was answered decide most
//! checks, and few events of a log differ from all before in that.
//!
//! Detections are asked once about the *outline* of an event: just that is known of it, and everything else is unknown,
//! as if the record were cut there. What is false of the outline is false of every event that has it, because an unknown
//! never decides in CEL. Nothing here knows what a check reads. Events that are not all there have no outline.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use cel::{Bump, Val};
use guide::detection::{Detection, Memory};
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
pub(crate) struct Plan {
    /// What the outline leaves open.
    ask: Vec<u16>,
    /// What the outline settles: something was seen.
    sightings: Vec<Sighting>,
}

/// Something that every event of an outline shows.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    number: u16,
    /// An event at this time was asked about: a later one tells nothing new.
    since: i64,
}

/// What is known of outlines.
#[derive(Debug, Default)]
pub(crate) struct Outlines {
    known: HashMap<u64, (Box<[u8]>, Plan), BuildHasherDefault<Hashed>>,
    key: Vec<u8>,
    /// Whose outline was looked at last.
    last: u64,
}

/// What is to be done about an event.
pub(crate) enum Left {
    /// Nobody can tell from an outline.
    All,
    /// These are to be asked; these others saw again what they saw before.
    Some(Vec<u16>, Vec<u16>),
    /// Only that they saw again what they saw before.
    Again(Vec<u16>),
    /// Nothing.
    Nothing,
}

impl Outlines {
    /// What is left to ask about an event.
    pub(crate) fn left(&mut self, detector: &Detector<'_>, record: &Record<'_>, at: i64) -> Left {
        let What::Event(event) = &record.what else {
            return Left::All;
        };
        self.key.clear();
        if !written(event, record, &mut self.key) || self.key.len() > LONGEST {
            return Left::All;
        }
        let number = hash(&self.key);
        self.last = number;
        let known = self.known.get(&number);
        if known.is_none_or(|(key, _)| **key != *self.key) {
            let Some(plan) = detector.plan(record, event) else {
                return Left::All;
            };
            if self.known.len() >= OUTLINES {
                self.known.clear();
            }
            self.known
                .insert(number, (self.key.as_slice().into(), plan));
        }
        match self.known.get(&number) {
            Some((_, plan)) => plan.left(at),
            None => Left::All,
        }
    }

    /// The event that was looked at last was asked about, and all of it was there.
    pub(crate) fn asked(&mut self, at: i64) {
        if let Some((_, plan)) = self.known.get_mut(&self.last) {
            for sighting in &mut plan.sightings {
                sighting.since = sighting.since.min(at);
            }
        }
    }
}

impl Plan {
    fn left(&self, at: i64) -> Left {
        let (mut ask, mut again) = (Vec::new(), Vec::new());
        for sighting in &self.sightings {
            let list = if at > sighting.since {
                &mut again
            } else {
                &mut ask
            };
            list.push(sighting.number);
        }
        ask.extend_from_slice(&self.ask);
        match (ask.is_empty(), again.is_empty()) {
            (true, true) => Left::Nothing,
            (true, false) => Left::Again(again),
            (false, _) => Left::Some(ask, again),
        }
    }
}

/// Writes down the outline of an event; false where it has none. Each part says whether it is there and how long it is,
/// so that two outlines are never written alike.
fn written(event: &Event<'_>, record: &Record<'_>, key: &mut Vec<u8>) -> bool {
    if !event.json.whole || event.damaged {
        return false;
    }
    let texts = [
        &event.level,
        &event.stage,
        &event.verb,
        &event.user_agent,
        &record.envelope.resource,
    ];
    if !texts.into_iter().all(|field| put_text(field, key)) {
        return false;
    }
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
    put(Some(&[u8::from(usual(event))]), key);
    object && code && put_user(&event.user, key) && put_user(&event.impersonated, key)
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
                    put(Some(groups.text), key);
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
fn outlined<'a>(event: &'a Event<'a>) -> Event<'a> {
    let user = |user: &'a Field<User<'a>>| match user {
        Field::Known(user) => Field::Known(User {
            name: user.name.clone(),
            uid: Field::Cut,
            groups: user.groups,
            extra: Field::Cut,
        }),
        _ => Field::Absent,
    };
    Event {
        level: event.level.clone(),
        audit_id: if usual(event) {
            Field::Known(ANY_ID.into())
        } else {
            Field::Cut
        },
        stage: event.stage.clone(),
        request_uri: Field::Cut,
        verb: event.verb.clone(),
        user: user(&event.user),
        impersonated: user(&event.impersonated),
        source_ips: Field::Cut,
        user_agent: event.user_agent.clone(),
        object_ref: match &event.object_ref {
            Field::Known(object) => Field::Known(ObjectRef {
                namespace: Field::Cut,
                name: Field::Cut,
                uid: Field::Cut,
                ..object.clone()
            }),
            _ => Field::Absent,
        },
        response: match &event.response {
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
        json: Json {
            text: b"",
            whole: false,
        },
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
                put(&mut inner, "groups", std::str::from_utf8(groups.text).ok()?);
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
    /// What events with the outline of this one leave to ask; `None` where it is no JSON after all.
    fn plan(&self, record: &Record<'_>, event: &Event<'_>) -> Option<Plan> {
        let outline = outlined(event);
        let target = match Request::asked(&outline) {
            Field::Known(target) => target,
            _ if outline.object_ref == Field::Absent => Asked::Path("".into()),
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
        for number in self.candidates(&subject) {
            if let Some(detection) = self.detection(number) {
                plan.enter(number, detection, &subject, &scope);
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
        if is_sighting && verdict == Some(true) && triggered == Truth::Yes && by_outline() {
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
