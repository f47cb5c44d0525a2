//! Findings in few bytes: what many of them say in the same words is kept once.
//!
//! A cluster's findings are tens of thousands of a few sentences, routes and values. Each text is kept once and has a
//! number, a finding is the list of its numbers, and findings that are the same but for their object are one list.
//! What is left to each is a handful of bytes; it is written out when somebody asks.
//!
//! What it leaves out: the number of the judged resource within its estate and the remedy, which nobody asks a watch for.

use std::collections::HashMap;
use std::sync::Arc;

use model::finding::{
    Because, Evidence, Finding, Fingerprint, GuidelineId, Location, Outcome, Safety, Severity,
    WaiverNote,
};
use model::kinds::Kind;
use model::resource::ResourceName;

/// Texts, each kept once for as long as somebody uses it.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Arc<[u8]>, u32>,
    /// The text of a number, and how many use it.
    known: Vec<(Arc<[u8]>, u32)>,
    free: Vec<u32>,
}

impl Texts {
    /// The number of a text that is used once more, and whether it is new.
    fn keep(&mut self, text: &[u8]) -> (u32, bool) {
        if let Some(number) = self.numbers.get(text).copied() {
            if let Some((_, uses)) = self.known.get_mut(number as usize) {
                *uses += 1;
            }
            return (number, false);
        }
        let text: Arc<[u8]> = text.into();
        let number = self.free.pop().unwrap_or(self.known.len() as u32);
        let slot = (Arc::clone(&text), 1);
        match self.known.get_mut(number as usize) {
            Some(free) => *free = slot,
            None => self.known.push(slot),
        }
        self.numbers.insert(text, number);
        (number, true)
    }

    /// It is used once less; the text, when it was used for the last time.
    fn let_go(&mut self, number: u32) -> Option<Arc<[u8]>> {
        let (text, uses) = self.known.get_mut(number as usize)?;
        *uses = uses.saturating_sub(1);
        if *uses > 0 {
            return None;
        }
        let text = std::mem::take(text);
        self.numbers.remove(&text);
        self.free.push(number);
        Some(text)
    }

    fn bytes(&self, number: u32) -> &[u8] {
        self.known
            .get(number as usize)
            .map_or(&[], |(text, _)| text)
    }

    fn text(&self, number: u32) -> &str {
        std::str::from_utf8(self.bytes(number)).unwrap_or_default()
    }
}

/// A finding that was packed: it says the same as another if both numbers are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed {
    /// What is said.
    body: u32,
    /// Of which resource.
    name: u32,
}

/// What counts of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) severity: Severity,
    pub(crate) fails: bool,
    pub(crate) managed: bool,
    pub(crate) waived: bool,
}

/// What packed findings have in common.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    texts: Texts,
    /// Bodies and names, apart from texts: nothing else uses them.
    bodies: Texts,
    names: Texts,
    guidelines: Vec<GuidelineId>,
    by_id: HashMap<GuidelineId, u32>,
}

const MANAGED: u8 = 1;
const BASELINE: u8 = 2;
const FAILS: u8 = 4;

/// Reads numbers one after the other.
struct Numbers<'b>(std::slice::Iter<'b, u8>);

impl Numbers<'_> {
    fn next(&mut self) -> u32 {
        let (mut number, mut shift) = (0_u32, 0);
        for byte in self.0.by_ref() {
            number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        number
    }

    /// A number that may be absent.
    fn maybe(&mut self) -> Option<u32> {
        self.next().checked_sub(1)
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Writes a body: the texts that it uses, then everything in order.
struct Writing<'t> {
    texts: &'t mut Texts,
    used: Vec<u32>,
    bytes: Vec<u8>,
}

impl Writing<'_> {
    fn number(&mut self, number: u32) {
        push(&mut self.bytes, number);
    }

    fn text(&mut self, text: &str) {
        let (number, _) = self.texts.keep(text.as_bytes());
        self.used.push(number);
        self.number(number);
    }

    fn maybe(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                let (number, _) = self.texts.keep(text.as_bytes());
                self.used.push(number);
                self.number(number + 1);
            }
            None => self.number(0),
        }
    }

    fn place(&mut self, place: &Location, address: &str) {
        let elsewhere = (*place.path != *address).then_some(&*place.path);
        self.maybe(elsewhere);
        self.number(u32::from(place.live));
        for number in [place.line, place.column, place.end_line, place.end_column] {
            self.number(number);
        }
        self.text(&place.route);
        self.text(&place.source);
        self.maybe(place.note.as_deref());
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Fail => self.number(0),
            Outcome::Unknown { reason, because } => {
                self.number(match because {
                    Because::Absence => 1,
                    Because::Unread => 2,
                    Because::Content => 3,
                });
                self.text(reason);
            }
        }
    }

    fn waiver(&mut self, waiver: &WaiverNote) {
        self.text(&waiver.reason);
        self.text(&waiver.owner);
        self.maybe(waiver.until.as_deref());
        self.text(&waiver.at);
    }
}

impl Pack {
    fn guideline(&mut self, id: &GuidelineId) -> u32 {
        if let Some(number) = self.by_id.get(id) {
            return *number;
        }
        let number = self.guidelines.len() as u32;
        self.guidelines.push(id.clone());
        self.by_id.insert(id.clone(), number);
        number
    }

    /// Packs a finding about the object of an address. Each is let go of once.
    pub(crate) fn pack(&mut self, finding: &Finding, address: &str) -> Packed {
        let guideline = self.guideline(&finding.guideline);
        let mut writing = Writing {
            texts: &mut self.texts,
            used: Vec::new(),
            bytes: Vec::with_capacity(64),
        };
        let flags = [
            (finding.provider_managed, MANAGED),
            (finding.in_baseline, BASELINE),
            (finding.outcome == Outcome::Fail, FAILS),
        ];
        let flags = flags.iter().filter(|(set, _)| *set);
        writing.number(guideline);
        writing.number(flags.map(|(_, flag)| u32::from(*flag)).sum());
        writing.number(finding.severity as u32);
        writing.number(u32::from(finding.waiver.is_some()));
        writing.outcome(&finding.outcome);
        writing.text(&finding.message);
        writing.maybe(finding.item.as_deref());
        writing.number(finding.check.map_or(0, |check| check as u32 + 1));
        writing.place(&finding.place, address);
        writing.number(finding.more_places.len() as u32);
        for place in &finding.more_places {
            writing.place(place, address);
        }
        writing.number(finding.evidence.len() as u32);
        for evidence in &finding.evidence {
            writing.text(&evidence.route);
            writing.text(&evidence.value);
        }
        writing.number(match finding.fix {
            None => 0,
            Some(Safety::Safe) => 1,
            Some(Safety::Unsafe) => 2,
        });
        writing.maybe(finding.root_cause.as_deref());
        if let Some(waiver) = &finding.waiver {
            writing.waiver(waiver);
        }
        let (used, rest) = (writing.used, writing.bytes);
        let mut bytes = Vec::with_capacity(rest.len() + 4 * used.len());
        push(&mut bytes, used.len() as u32);
        for number in &used {
            push(&mut bytes, *number);
        }
        bytes.extend_from_slice(&rest);
        let (body, new) = self.bodies.keep(&bytes);
        if !new {
            // The body that is there holds them.
            for number in used {
                self.texts.let_go(number);
            }
        }
        let (name, _) = self.names.keep(&written(&finding.resource));
        Packed { body, name }
    }

    pub(crate) fn let_go(&mut self, packed: Packed) {
        self.names.let_go(packed.name);
        let Some(bytes) = self.bodies.let_go(packed.body) else {
            return;
        };
        let mut numbers = Numbers(bytes.iter());
        for _ in 0..numbers.next() {
            let number = numbers.next();
            self.texts.let_go(number);
        }
    }

    /// What follows the texts that a body uses.
    fn numbers(&self, packed: Packed) -> Numbers<'_> {
        let mut numbers = Numbers(self.bodies.bytes(packed.body).iter());
        for _ in 0..numbers.next() {
            numbers.next();
        }
        numbers
    }

    /// By which guideline a finding is, and what counts of it.
    pub(crate) fn head(&self, packed: Packed) -> Option<(&GuidelineId, Head)> {
        let mut numbers = self.numbers(packed);
        let guideline = self.guidelines.get(numbers.next() as usize)?;
        let flags = numbers.next() as u8;
        let head = Head {
            severity: severity(numbers.next()),
            fails: flags & FAILS != 0,
            managed: flags & MANAGED != 0,
            waived: numbers.next() != 0,
        };
        Some((guideline, head))
    }

    /// The finding as it was, about the object of an address.
    pub(crate) fn unpack(
        &self,
        packed: Packed,
        fingerprint: Fingerprint,
        address: &Arc<str>,
    ) -> Option<Finding> {
        let mut numbers = self.numbers(packed);
        let guideline = self.guidelines.get(numbers.next() as usize)?.clone();
        let flags = numbers.next() as u8;
        let severity = severity(numbers.next());
        let waived = numbers.next() != 0;
        let mut reading = Reading {
            texts: &self.texts,
            numbers,
            address,
        };
        let outcome = reading.outcome();
        let message = reading.text().to_owned();
        let item = reading.maybe().map(Into::into);
        let check = reading.numbers.maybe().map(|check| check as usize);
        let place = reading.place();
        let more = reading.numbers.next();
        let more_places = (0..more).map(|_| reading.place()).collect();
        let values = reading.numbers.next();
        let evidence = (0..values)
            .map(|_| Evidence {
                route: reading.text().to_owned(),
                value: reading.text().to_owned(),
            })
            .collect();
        let fix = match reading.numbers.next() {
            1 => Some(Safety::Safe),
            2 => Some(Safety::Unsafe),
            _ => None,
        };
        let root_cause = reading.maybe().map(Into::into);
        let waiver = waived.then(|| reading.waiver());
        Some(Finding {
            guideline,
            severity,
            outcome,
            message,
            resource: Arc::new(read(self.names.bytes(packed.name))),
            object: None,
            item,
            check,
            provider_managed: flags & MANAGED != 0,
            fingerprint,
            place,
            more_places,
            evidence,
            fix,
            remedy: None,
            waiver,
            in_baseline: flags & BASELINE != 0,
            root_cause,
        })
    }
}

fn severity(number: u32) -> Severity {
    let all = Severity::WORST_FIRST.into_iter();
    all.min_by_key(|severity| (*severity as u32).abs_diff(number))
        .unwrap_or(Severity::Critical)
}

/// Reads a body.
struct Reading<'b> {
    texts: &'b Texts,
    numbers: Numbers<'b>,
    address: &'b Arc<str>,
}

impl<'b> Reading<'b> {
    fn text(&mut self) -> &'b str {
        self.texts.text(self.numbers.next())
    }

    fn maybe(&mut self) -> Option<&'b str> {
        Some(self.texts.text(self.numbers.maybe()?))
    }

    fn place(&mut self) -> Location {
        let path = match self.maybe() {
            Some(path) => path.into(),
            None => Arc::clone(self.address),
        };
        Location {
            path,
            live: self.numbers.next() != 0,
            line: self.numbers.next(),
            column: self.numbers.next(),
            end_line: self.numbers.next(),
            end_column: self.numbers.next(),
            route: self.text().to_owned(),
            source: self.text().into(),
            note: self.maybe().map(Into::into),
        }
    }

    fn outcome(&mut self) -> Outcome {
        let because = match self.numbers.next() {
            0 => return Outcome::Fail,
            1 => Because::Absence,
            2 => Because::Unread,
            _ => Because::Content,
        };
        Outcome::Unknown {
            reason: self.text().into(),
            because,
        }
    }

    fn waiver(&mut self) -> WaiverNote {
        WaiverNote {
            reason: self.text().into(),
            owner: self.text().into(),
            until: self.maybe().map(Into::into),
            at: self.text().into(),
        }
    }
}

fn written(name: &ResourceName) -> Vec<u8> {
    let (group, kind) = match &name.kind {
        Kind::Kubernetes { group, kind } => (Some(group), kind),
        Kind::Azure(kind) => (None, kind),
    };
    let mut bytes = Vec::with_capacity(64);
    bytes.push(u8::from(group.is_some()) + 2 * u8::from(name.namespace.is_some()));
    let parts = [
        group.map_or("", |group| group),
        kind,
        &name.api_version,
        name.namespace.as_deref().unwrap_or_default(),
        &name.name,
    ];
    for part in parts {
        push(&mut bytes, part.len() as u32);
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

fn read(bytes: &[u8]) -> ResourceName {
    let (flags, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut rest = rest;
    let mut part = || -> Box<str> {
        let mut numbers = Numbers(rest.iter());
        let length = numbers.next() as usize;
        let (text, after) = numbers
            .0
            .as_slice()
            .split_at_checked(length)
            .unwrap_or_default();
        rest = after;
        std::str::from_utf8(text).unwrap_or_default().into()
    };
    let (group, kind, api_version, namespace, name) = (part(), part(), part(), part(), part());
    ResourceName {
        kind: if flags & 1 == 0 {
            Kind::Azure(kind)
        } else {
            Kind::Kubernetes { group, kind }
        },
        api_version,
        namespace: (flags & 2 != 0).then_some(namespace),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, route: &str) -> Location {
        Location {
            path: path.into(),
            live: true,
            line: 7,
            column: 300,
            end_line: 70_000,
            end_column: 1,
            route: route.to_owned(),
            source: "\"privileged\": true".into(),
            note: Some("because of it".into()),
        }
    }

    fn finding(number: u32) -> Finding {
        let odd = number % 2 == 1;
        Finding {
            guideline: GuidelineId(format!("guideline-{}", number % 3).into()),
            severity: Severity::WORST_FIRST[number as usize % 4],
            outcome: if odd {
                Outcome::Fail
            } else {
                Outcome::Unknown {
                    reason: "nobody said".into(),
                    because: [Because::Absence, Because::Unread, Because::Content]
                        [number as usize % 3],
                }
            },
            message: format!("container `{number}` is privileged"),
            resource: Arc::new(ResourceName {
                kind: if odd {
                    Kind::Kubernetes {
                        group: "apps".into(),
                        kind: "Deployment".into(),
                    }
                } else {
                    Kind::Azure("Microsoft.X/y".into())
                },
                api_version: "apps/v1".into(),
                namespace: odd.then(|| "shop".into()),
                name: format!("web-{number}").into(),
            }),
            object: None,
            item: odd.then(|| "web".into()),
            check: (number.is_multiple_of(4)).then_some(number as usize),
            provider_managed: number.is_multiple_of(5),
            fingerprint: Fingerprint(u128::from(number)),
            place: place("/a", "spec"),
            more_places: (0..number % 3)
                .map(|at| place(["/a", "/b", "/c"][at as usize], "x"))
                .collect(),
            evidence: (0..number % 4)
                .map(|at| Evidence {
                    route: format!("spec[{at}]"),
                    value: "true".into(),
                })
                .collect(),
            fix: [None, Some(Safety::Safe), Some(Safety::Unsafe)][number as usize % 3],
            remedy: None,
            waiver: (number.is_multiple_of(7)).then(|| WaiverNote {
                reason: "it is known".into(),
                owner: "me".into(),
                until: odd.then(|| "2027-01-01".into()),
                at: "seawall.yaml:3".into(),
            }),
            in_baseline: number.is_multiple_of(11),
            root_cause: odd.then(|| "namespace shop".into()),
        }
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was_and_leaves_nothing() {
        let mut pack = Pack::default();
        let here: Arc<str> = "/a".into();
        let packed: Vec<(Packed, Finding)> = (0..500)
            .map(|number| (pack.pack(&finding(number), &here), finding(number)))
            .collect();
        for (packed, finding) in &packed {
            let out = pack.unpack(*packed, finding.fingerprint, &here).unwrap();
            assert_eq!(format!("{out:?}"), format!("{finding:?}"));
            let (id, head) = pack.head(*packed).unwrap();
            assert_eq!(*id, finding.guideline);
            assert_eq!(head.severity, finding.severity);
            assert_eq!(head.fails, finding.outcome == Outcome::Fail);
            assert_eq!(head.managed, finding.provider_managed);
            assert_eq!(head.waived, finding.waiver.is_some());
        }
        // What is said of another object in the same words is the same, at its place.
        let there: Arc<str> = "/b".into();
        let mut other = finding(35);
        for place in std::iter::once(&mut other.place).chain(&mut other.more_places) {
            if *place.path == *here {
                place.path = Arc::clone(&there);
            }
        }
        other.more_places.pop();
        let mut one = finding(35);
        one.more_places.pop();
        let (one, other) = (pack.pack(&one, &here), pack.pack(&other, &there));
        assert_eq!(one, other);
        let shown = pack.unpack(one, Fingerprint(1), &there).unwrap();
        assert_eq!(&*shown.place.path, "/b");
        for packed in packed
            .into_iter()
            .map(|(packed, _)| packed)
            .chain([one, other])
        {
            pack.let_go(packed);
        }
        for texts in [&pack.texts, &pack.bodies, &pack.names] {
            assert!(texts.numbers.is_empty(), "{texts:?}");
            assert_eq!(texts.free.len(), texts.known.len());
            assert!(
                texts
                    .known
                    .iter()
                    .all(|(text, uses)| text.is_empty() && *uses == 0)
            );
        }
    }
}
