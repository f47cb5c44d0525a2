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

use super::scope::Scope;
use super::subject::{Subject, Truth};
use super::{Detector, triggered};
use crate::event::{Event, Field, Json, ObjectRef, Response, Text, User};
use crate::hash::{Hashed, Secret};
use crate::read::{Record, What};
use crate::request::{Asked, Request};

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
    author: u128,
}

/// Something that every event of an outline shows.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    number: u16,
    /// An event at this time was asked about: a later one tells nothing new.
    since: i64,
    /// Every event of the outline shows it. Of an author it may hang on what is asked for.
    always: bool,
}

/// Plans of outlines, by a number for what each shows.
#[derive(Debug, Default)]
struct Known<P = Plan>(HashMap<u128, P, BuildHasherDefault<Hashed>>);

impl<P> Known<P> {
    fn put(&mut self, number: u128, plan: P) {
        if self.0.len() >= OUTLINES {
            self.0.clear();
        }
        self.0.insert(number, plan);
    }
}

impl Known {
    /// The plan of that number, made where there is none.
    fn or_made(&mut self, number: u128, make: impl FnOnce() -> Option<Plan>) -> Option<&Plan> {
        if !self.0.contains_key(&number) {
            self.put(number, make()?);
        }
        self.0.get(&number)
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
    /// Plans in which anything is left. Most have none: they are small, since events come to them in any order.
    known: Known<Option<Box<Plan>>>,
    /// What is left to ask where just the one or the other is known.
    kinds: Known,
    authors: Known,
    secret: Secret,
    key: Vec<u8>,
    /// Whose outline was looked at last.
    last: u128,
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
        let number = self.secret.number(&self.key);
        self.last = number;
        self.ask.clear();
        self.again.clear();
        if !self.known.0.contains_key(&number) {
            let Some(plan) = self.plan(detector, record, event, middle) else {
                return false;
            };
            let left = Some(plan).filter(|plan| !plan.is_empty()).map(Box::new);
            self.known.put(number, left);
        }
        let Some(Some(plan)) = self.known.0.get(&number) else {
            return true;
        };
        self.ask.extend_from_slice(&plan.ask);
        let author = (!plan.of_author.is_empty())
            .then(|| self.authors.0.get(&plan.author))
            .flatten();
        let of_author = plan.of_author.iter().map(|number| {
            let noted = author.and_then(|author| author.sighting(*number));
            (*number, noted.map_or(i64::MAX, |sighting| sighting.since))
        });
        let own = plan.sightings.iter();
        let own = own.map(|sighting| (sighting.number, sighting.since));
        for (number, since) in own.chain(of_author) {
            let list = if at > since {
                &mut self.again
            } else {
                &mut self.ask
            };
            list.push(number);
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
        let part = |shown| detector.plan(record, event, shown, &detector.selected);
        let number = self.secret.number(kind);
        let by_kind = self.kinds.or_made(number, || part(Shown::Kind))?;
        let number = self.secret.number(author);
        let by_author = self.authors.or_made(number, || part(Shown::Author))?;
        let mut left: Vec<u16> = by_kind
            .open()
            .filter(|own| by_author.open().any(|other| other == *own))
            .collect();
        let mut of_author = Vec::new();
        left.retain(|number| {
            let always = by_author.sighting(*number).is_some_and(|own| own.always);
            if always {
                of_author.push(*number);
            }
            !always
        });
        let mut plan = match left.as_slice() {
            [] => Plan::default(),
            left => detector.plan(record, event, Shown::Both, left)?,
        };
        plan.sightings.retain(|sighting| {
            let is_authors = by_author.sighting(sighting.number).is_some();
            if is_authors {
                of_author.push(sighting.number);
            }
            !is_authors
        });
        plan.author = number;
        plan.of_author = of_author;
        Some(plan)
    }

    /// The event that was looked at last was asked about, and all of it was there.
    pub(crate) fn asked(&mut self, at: i64) {
        let Some(Some(plan)) = self.known.0.get_mut(&self.last) else {
            return;
        };
        plan.saw(at, |_| true);
        if let Some(author) = self.authors.0.get_mut(&plan.author) {
            author.saw(at, |number| plan.of_author.contains(&number));
        }
    }
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.ask.is_empty() && self.sightings.is_empty() && self.of_author.is_empty()
    }

    /// All that is not false.
    fn open(&self) -> impl Iterator<Item = u16> {
        let seen = self.sightings.iter().map(|sighting| sighting.number);
        self.ask.iter().copied().chain(seen)
    }

    fn sighting(&self, number: u16) -> Option<&Sighting> {
        self.sightings
            .iter()
            .find(|sighting| sighting.number == number)
    }

    fn saw(&mut self, at: i64, which: impl Fn(u16) -> bool) {
        for sighting in &mut self.sightings {
            if which(sighting.number) {
                sighting.since = sighting.since.min(at);
            }
        }
    }
}

/// A part of an outline as it is written; none where it is absent, which is something else than empty.
type Part<'e> = Option<&'e [u8]>;

/// Writes down the outline of an event, and says where the part ends that shows of which kind it is; `None` where it has
/// no outline.
fn written(event: &Event<'_>, record: &Record<'_>, key: &mut Vec<u8>) -> Option<usize> {
    if !event.json.whole || event.damaged {
        return None;
    }
    let (object, resource, subresource, group, version) = match &event.object_ref {
        Field::Known(object) => (
            Some(&[][..]),
            text(&object.resource)?,
            text(&object.subresource)?,
            text(&object.group)?,
            text(&object.version)?,
        ),
        field => (absent(field)?, None, None, None, None),
    };
    let code = match &event.response {
        Field::Known(Response {
            code: Field::Known(code),
            ..
        }) => Some(code.to_le_bytes()),
        // What an answer without a code says is nothing that an outline tells.
        field => {
            absent(field)?;
            None
        }
    };
    let usual = [u8::from(usual(event))];
    let kind = [
        Some(&usual[..]),
        text(&event.level)?,
        text(&event.stage)?,
        text(&event.verb)?,
        object,
        resource,
        subresource,
        group,
        version,
        code.as_ref().map(<[u8; 8]>::as_slice),
    ];
    let (user, impersonated) = (user(&event.user)?, user(&event.impersonated)?);
    let author = [
        user.0,
        user.1,
        user.2,
        impersonated.0,
        impersonated.1,
        impersonated.2,
        text(&event.user_agent)?,
        text(&record.envelope.resource)?,
    ];
    put(&kind, key);
    let middle = key.len();
    put(&author, key);
    Some(middle)
}

/// All lengths come before all parts, so that two outlines are never written alike.
fn put(parts: &[Part<'_>], key: &mut Vec<u8>) {
    for part in parts {
        let length = part.map_or(u32::MAX, |part| part.len() as u32);
        key.extend_from_slice(&length.to_le_bytes());
    }
    for part in parts.iter().flatten() {
        key.extend_from_slice(part);
    }
}

/// No part, where a field is surely absent.
fn absent<T>(field: &Field<T>) -> Option<Part<'_>> {
    matches!(field, Field::Absent).then_some(None)
}

fn text<'e>(field: &'e Text<'_>) -> Option<Part<'e>> {
    match field {
        Field::Known(text) => Some(Some(text.as_bytes())),
        field => absent(field),
    }
}

/// That there is a user, the name, and the groups.
fn user<'e>(user: &'e Field<User<'_>>) -> Option<(Part<'e>, Part<'e>, Part<'e>)> {
    match user {
        Field::Known(user) => {
            let groups = match &user.groups {
                Field::Known(groups) => Some(groups.written()),
                field => absent(field)?,
            };
            Some((Some(&[]), text(&user.name)?, groups))
        }
        field => absent(field).map(|absent| (absent, None, None)),
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
                always: settled,
            });
        } else {
            self.ask.push(number);
        }
    }
}

#[cfg(test)]
mod tests;
