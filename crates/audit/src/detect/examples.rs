//! Running a detection's examples: each is a list of events that is read and judged as a log is.
//!
//! ````markdown
//! ```yaml bad times=20
//! - {verb: get, user: {username: eve}, objectRef: {resource: secrets, namespace: shop, name: db-$N}}
//! # alert: `eve` read 20 Secrets
//! ```
//! ````
//!
//! What an event leaves out is filled in: it is of level `RequestResponse`, complete, answered with 200 and allowed,
//! one second after the one before. Every event of a `bad` example is also cut at every place: what the whole record
//! alerts, the cut one alerts too, or it says that it cannot tell.

use std::collections::BTreeSet;

use guide::detection::{Detection, EventExample, Log, Memory};
use guide::examples::Failure;
use guide::guideline::Expectation;
use guide::mutation::{Survivor, each};
use guide::{Guide, Setting};
use model::doc::{Dialect, DocBuilder};
use serde_json::{Value, json};

use super::{Baseline, Detections, Detector, Outcome, Verdict};
use crate::event::KEYS;
use crate::read::{Fold as _, Record, What};
use crate::record::Envelope;
use crate::{Event, Json, Place, time};

/// The time of the first event of an example.
const NOON: i64 = 1_795_694_400_000_000;
const SECOND: i64 = 1_000_000;

/// Runs all examples of a detection, and says what is wrong with each.
#[must_use]
pub fn run(guide: &Guide, setting: &Setting, detection: &Detection) -> Vec<Failure> {
    let failures = detection.examples.iter().filter_map(|example| {
        let problems = match events(guide, detection.log, example) {
            Ok(events) => {
                let mut problems = compare(guide, setting, detection, example, &events);
                if problems.is_empty() && example.expectation == Expectation::Bad {
                    problems.extend(cut(guide, setting, detection, &events));
                }
                problems
            }
            Err(problem) => vec![problem],
        };
        (!problems.is_empty()).then(|| Failure {
            file: detection.file.clone(),
            line: example.line,
            problems,
        })
    });
    failures.collect()
}

/// The alerts of some records, each with its verdict.
fn alerts(
    guide: &Guide,
    setting: &Setting,
    detection: &Detection,
    records: &[String],
) -> Vec<(Verdict, String)> {
    let shown = outcome(guide, setting, detection, records)
        .alerts
        .into_iter()
        .map(|alert| (alert.verdict, alert.event.message.into_string()));
    shown.collect()
}

/// What comes out when a detection is asked about some records.
#[must_use]
pub fn outcome(
    guide: &Guide,
    setting: &Setting,
    detection: &Detection,
    records: &[String],
) -> Outcome {
    let detector = Detector::new(guide, setting, |other| other.id == detection.id);
    let mut state = detector.start();
    for (record, number) in records.iter().zip(1..) {
        take(&mut state, detection.log, record, number);
    }
    // An example of a first sighting is judged as if nothing had been seen before.
    let baseline = matches!(detection.memory, Memory::FirstSeen { .. }).then(Baseline::default);
    state.finish(baseline.as_ref())
}

/// Hands one record on as the reader of logs does.
pub(super) fn take(state: &mut Detections<'_, '_>, log: Log, record: &str, number: u32) {
    let envelope = Envelope::default();
    let event;
    let (what, at) = match log {
        Log::Audit => {
            let Some(read) = Event::read(record.as_bytes()) else {
                return;
            };
            event = read;
            let at = time::micros(event.stage_time.as_str());
            (What::Event(&event), at.or(Some(NOON)))
        }
        Log::Activity => {
            let json = Json::new(record.as_bytes(), true);
            (
                What::Activity(json),
                Some(NOON + i64::from(number) * SECOND),
            )
        }
    };
    state.take(&Record {
        place: Place {
            file: 0,
            line: u64::from(number),
        },
        envelope: &envelope,
        what,
        at,
        copy: false,
        first: true,
    });
}

fn compare(
    guide: &Guide,
    setting: &Setting,
    detection: &Detection,
    example: &EventExample,
    events: &[String],
) -> Vec<String> {
    let found: BTreeSet<String> = alerts(guide, setting, detection, events)
        .into_iter()
        .map(|(verdict, message)| match verdict {
            Verdict::Match => message,
            Verdict::Unknown => format!("unknown: {message}"),
        })
        .collect();
    let wanted: BTreeSet<String> = example
        .text
        .lines()
        .filter_map(|line| line.split_once("# alert: "))
        .map(|(_, message)| message.trim().to_owned())
        .collect();
    let mut problems = Vec::new();
    for message in found.difference(&wanted) {
        problems.push(format!("unexpected alert: {message}"));
    }
    for message in wanted.difference(&found) {
        problems.push(format!("missing alert: {message}"));
    }
    if (example.expectation == Expectation::Bad) == wanted.is_empty() {
        problems.push("`# alert: MESSAGE` stands in `bad` examples, and only there".to_owned());
    }
    problems
}

/// Cuts each event of which a single one is an alert behind every word and bracket.
fn cut(guide: &Guide, setting: &Setting, detection: &Detection, events: &[String]) -> Vec<String> {
    if !matches!(detection.memory, Memory::None) || detection.log == Log::Activity {
        return Vec::new();
    }
    let detector = Detector::new(guide, setting, |other| other.id == detection.id);
    let mut problems = Vec::new();
    for event in events.iter().filter(|event| event.ends_with('}')) {
        if says_nothing(&detector, detection.log, event) {
            continue;
        }
        let from = event.find("\"verb\"").unwrap_or_default();
        let rest = event.get(from..).unwrap_or_default();
        for (at, _) in rest.match_indices([',', ':', '"', '{', '[', '/']) {
            let part = event.get(..=from + at).unwrap_or_default();
            if says_nothing(&detector, detection.log, part) {
                problems.push(format!("silent when it is cut behind: …{}", tail(part)));
                break;
            }
        }
    }
    problems
}

/// Whether one record neither alerts nor counts as one of which nobody can tell.
fn says_nothing(detector: &Detector<'_>, log: Log, record: &str) -> bool {
    let mut state = detector.start();
    take(&mut state, log, record, 1);
    let outcome = state.finish(None);
    let tally = outcome.tally;
    outcome.alerts.is_empty() && tally.hidden == 0 && tally.cut.is_empty()
}

fn tail(text: &str) -> &str {
    let from = text.char_indices().rev().nth(40).map_or(0, |(at, _)| at);
    text.get(from..).unwrap_or_default()
}

/// The records of an example, one JSON text each.
///
/// # Errors
/// When the example is no list of events.
pub fn events(guide: &Guide, log: Log, example: &EventExample) -> Result<Vec<String>, String> {
    let mut records = Vec::new();
    for number in 1..=example.times {
        let text = example.text.replace("$N", &number.to_string());
        let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, text.as_str().into(), 1);
        let root = yaml::parse(&text, &yaml::Limits::default(), &mut builder)
            .map_err(|error| format!("line {}: {}", error.line, error.message))?
            .ok_or("there is no event")?;
        let doc = builder.finish(root);
        for event in doc.root().items() {
            let given = with_nulls(event);
            let index = records.len() as i64;
            records.push(match log {
                Log::Audit => filled(given, index),
                Log::Activity => activity(given, index),
            });
        }
    }
    Ok(records)
}

/// The event as JSON. Documents have no nulls, which a patch means: the word `NULL` stands for one.
fn with_nulls(event: model::Ref<'_>) -> Value {
    fn put(value: &mut Value) {
        match value {
            Value::String(text) if text == "NULL" => *value = Value::Null,
            Value::Array(items) => items.iter_mut().for_each(put),
            Value::Object(map) => map.values_mut().for_each(put),
            _ => {}
        }
    }
    let mut value = guide::setting::to_json(event);
    put(&mut value);
    value
}

/// An audit event with what its example leaves out, its keys in the order in which the API server writes them. It ends
/// within the value that `cut` names.
fn filled(given: Value, index: i64) -> String {
    let at = time::shown(NOON + index * SECOND);
    let refused = given
        .pointer("/responseStatus/code")
        .and_then(Value::as_i64);
    let decision = if refused == Some(403) {
        "forbid"
    } else {
        "allow"
    };
    let defaults = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": format!("{index:08}-0000-4000-8000-000000000000"),
        "stage": "ResponseComplete",
        "requestURI": uri(&given),
        "verb": "get",
        "user": {"username": "eve", "groups": ["system:authenticated"]},
        "sourceIPs": ["203.0.113.7"],
        "userAgent": "kubectl/v1.34.1",
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": at,
        "stageTimestamp": at,
        "annotations": {"authorization.k8s.io/decision": decision},
    });
    let mut text = String::from("{");
    for key in KEYS {
        let value = given.get(key).or_else(|| defaults.get(key));
        if let Some(value) = value.filter(|value| !value.is_null()) {
            let between = if text.len() > 1 { "," } else { "" };
            text.push_str(&format!("{between}{}:", Value::from(key)));
            let value = value.to_string();
            if given.get("cut").and_then(Value::as_str) == Some(key) {
                text.extend(value.chars().take(value.chars().count() / 2));
                return text;
            }
            text.push_str(&value);
        }
    }
    text.push('}');
    text
}

/// The path of an event that only says what it is about.
fn uri(event: &Value) -> String {
    let said = |key: &str| {
        let value = event.get("objectRef").and_then(|object| object.get(key));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    if event.get("objectRef").is_none() {
        return "/version".to_owned();
    }
    let mut uri = match said("apiGroup") {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    if !said("namespace").is_empty() && said("resource") != "namespaces" {
        uri.push_str(&format!("/namespaces/{}", said("namespace")));
    }
    for part in [said("resource"), said("name"), said("subresource")] {
        if !part.is_empty() {
            uri.push('/');
            uri.push_str(part);
        }
    }
    uri
}

/// A record of the activity log with what its example leaves out.
fn activity(given: Value, index: i64) -> String {
    let mut record = json!({
        "time": time::shown(NOON + index * SECOND),
        "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP",
        "category": "Administrative",
        "resultType": "Success",
        "callerIpAddress": "203.0.113.7",
        "correlationId": format!("{index:08}-0000-4000-8000-000000000000"),
        "identity": {"claims": {"name": "eve@example.com"}},
    });
    if let (Some(record), Some(given)) = (record.as_object_mut(), given.as_object()) {
        record.extend(given.clone());
    }
    record.to_string()
}

/// Changes the checks of a detection in every small way; an example must notice. Gives the number of changes tried
/// and those that nobody noticed.
pub fn mutate(guide: &mut Guide, setting: &Setting, index: usize) -> (usize, Vec<Survivor>) {
    let mut tried = 0;
    let mut survivors = Vec::new();
    let Some(detection) = guide.detections.get(index) else {
        return (0, survivors);
    };
    let (file, line) = (detection.file.clone(), detection.line);
    let Some(text) = guide.sources.get(&file).cloned() else {
        return (0, survivors);
    };
    let first = match &detection.memory {
        Memory::Sequence { check, .. } => Some(check),
        _ => None,
    };
    let checks = first.into_iter().chain([&detection.check]);
    let sources: Vec<String> = checks.map(|program| program.source().to_owned()).collect();
    for source in sources {
        tried += each(&file, line, &source, &mut survivors, |mutant| {
            let changed = text.replacen(&source, mutant, 1);
            let other = guide.reload_detection(&file, &changed).ok()?;
            let original = swap(guide, index, other)?;
            let noticed = guide.detections.get(index).is_some_and(|detection| {
                detection.examples.iter().any(|example| {
                    events(guide, detection.log, example).map_or(true, |events| {
                        !compare(guide, setting, detection, example, &events).is_empty()
                    })
                })
            });
            swap(guide, index, original);
            Some(noticed)
        });
    }
    (tried, survivors)
}

/// Puts a detection in the place of another, and gives that.
fn swap(guide: &mut Guide, index: usize, other: Detection) -> Option<Detection> {
    let place = guide.detections.get_mut(index)?;
    Some(std::mem::replace(place, other))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use guide::setting::setting;
    use guide::{Guide, GuideError};

    use crate::Fold as _;

    /// The guide as it stands in the folder, so that a page can be tried without building anything.
    fn guide() -> (Guide, Vec<GuideError>) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guide");
        let files = oracle::texts_below(&root).unwrap();
        Guide::load(files.iter().map(|(path, text)| (&**path, &**text)))
    }

    #[test]
    fn every_detection_behaves_and_is_never_silent() {
        let (guide, errors) = guide();
        assert!(errors.is_empty(), "{errors:#?}");
        let setting = setting(&guide, None, None).unwrap();
        let only = std::env::var("SEAWALL_TEST_DETECTION").unwrap_or_default();
        let mut wrong = Vec::new();
        for detection in guide.detections.iter().filter(|one| one.id.contains(&only)) {
            for failure in super::run(&guide, &setting, detection) {
                wrong.push(format!(
                    "{}:{}\n  {}",
                    failure.file,
                    failure.line,
                    failure.problems.join("\n  ")
                ));
            }
        }
        assert!(guide.detections.len() > 60);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// All events of all examples are one log; whoever reads which part of it in which order, the alerts are the
    /// same, and events that come twice change nothing.
    #[test]
    fn neither_order_nor_partition_nor_copies_matter() {
        let (guide, _) = guide();
        let setting = setting(&guide, None, None).unwrap();
        let mut log = Vec::new();
        for detection in &guide.detections {
            for example in &detection.examples {
                let events = super::events(&guide, detection.log, example).unwrap();
                log.extend(events.into_iter().map(|event| (detection.log, event)));
            }
        }
        let detector = super::Detector::new(&guide, &setting, |_| true);
        let read = |order: &[usize], parts: usize| {
            let mut states: Vec<_> = (0..parts).map(|_| detector.start()).collect();
            for (number, index) in order.iter().enumerate() {
                let (kind, event) = &log[*index];
                super::take(&mut states[number * 7 % parts], *kind, event, 1);
            }
            let mut all = states.pop().unwrap();
            while let Some(state) = states.pop() {
                all.merge(state);
            }
            let outcome = all.finish(Some(&super::Baseline::default()));
            (outcome.alerts, outcome.seen)
        };
        let forth: Vec<usize> = (0..log.len()).collect();
        let (alerts, seen) = read(&forth, 1);
        assert!(alerts.len() > 150, "{}", alerts.len());
        for seed in 0..6_u64 {
            let mut order = forth.clone();
            order.extend_from_slice(&forth[..log.len() / 2]);
            order.sort_by_key(|index| super::super::hash(format!("{seed} {index}").as_bytes()));
            let parts = 1 + seed as usize;
            assert_eq!(
                read(&order, parts),
                (alerts.clone(), seen.clone()),
                "{seed}"
            );
        }
    }

    /// The page that holds detections against other rule sets names ones that exist, and each of them.
    #[test]
    fn the_table_of_coverage_names_every_detection() {
        let (guide, _) = guide();
        let text = include_str!("../../../../docs/detections.md");
        for detection in &guide.detections {
            assert!(
                text.contains(&format!("`{}`", detection.id)),
                "{}",
                detection.id
            );
        }
    }
}
