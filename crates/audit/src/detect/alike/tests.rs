//! Asking only what an outline leaves open finds the same as asking everything.

use guide::detection::Log;
use guide::{Guide, Setting, setting};
use serde_json::{Value, json};

use super::super::{Baseline, Detector, Outcome, examples, hash};

type Line = (Log, String);

fn read(
    guide: &Guide,
    setting: &Setting,
    only: Option<&str>,
    thorough: bool,
    log: &[Line],
) -> Outcome {
    let mut detector = Detector::new(guide, setting, |detection| {
        only.is_none_or(|only| only == &*detection.id)
    });
    detector.thorough = thorough;
    let mut state = detector.start();
    for (kind, event) in log {
        examples::take(&mut state, *kind, event, 1);
    }
    state.finish(Some(&Baseline::default()))
}

fn assert_alike(
    guide: &Guide,
    setting: &Setting,
    only: Option<&str>,
    what: &str,
    log: &[Line],
) -> usize {
    let quick = read(guide, setting, only, false, log);
    let thorough = read(guide, setting, only, true, log);
    for (one, other, way) in [(&quick, &thorough, "more"), (&thorough, &quick, "less")] {
        if let Some(alert) = one
            .alerts
            .iter()
            .find(|alert| !other.alerts.contains(alert))
        {
            panic!("{what}: {way} is found: {alert:#?}");
        }
    }
    assert_eq!(quick.tally, thorough.tally, "{what}");
    assert!(
        quick.seen == thorough.seen,
        "{what}: something else was seen"
    );
    quick.alerts.len()
}

fn all_examples(guide: &Guide) -> Vec<Line> {
    let mut log = Vec::new();
    for detection in &guide.detections {
        for example in &detection.examples {
            let events = examples::events(guide, detection.log, example).unwrap();
            log.extend(events.into_iter().map(|event| (detection.log, event)));
        }
    }
    log
}

/// Events like those of the examples, with other users, answers, programs, ids and times, some of them cut.
fn made(examples: &[Line], count: usize) -> Vec<Line> {
    let mut number = 0_u64;
    let mut dice = move |limit: usize| {
        number += 1;
        (hash(&number.to_le_bytes()) % limit as u64) as usize
    };
    let audit: Vec<&str> = examples
        .iter()
        // Some examples end early.
        .filter(|(log, event)| *log == Log::Audit && serde_json::from_str::<Value>(event).is_ok())
        .map(|(_, event)| event.as_str())
        .collect();
    let users = [
        json!({"username": "eve", "groups": ["system:authenticated"]}),
        json!({"username": "system:anonymous", "groups": ["system:unauthenticated"]}),
        json!({"username": "masterclient", "groups": ["system:masters", "system:authenticated"]}),
        json!({"username": "system:node:aks-1", "groups": ["system:nodes", "system:authenticated"]}),
        json!({"username": "system:serviceaccount:shop:web", "groups": ["system:serviceaccounts"], "uid": "1"}),
        json!({"username": "system:serviceaccount:kube-system:replicaset-controller", "extra": {"a": ["b"]}}),
    ];
    let codes = [200, 201, 101, 401, 403, 404, 500];
    let agents = [
        "kubectl/v1.34.1",
        "curl/8",
        "Go-http-client/2.0",
        "kubelet/v1.34.1",
        "",
    ];
    let ids = ["", "x", "7c1a2b3c-0000-4000-8000-000000000001"];
    let mut log = Vec::new();
    for index in 0..count {
        let from = audit[dice(audit.len())];
        // The order of keys is that of the API server; the text is changed, not written anew.
        let mut event = from.to_owned();
        let put = |event: &mut String, key: &str, value: Option<Value>| {
            let old: Value = serde_json::from_str(event).unwrap();
            let Some(before) = old.get(key) else { return };
            let written = |value: &Value| format!(",\"{key}\":{value}");
            let other = value.as_ref().map(&written).unwrap_or_default();
            *event = event.replacen(&written(before), &other, 1);
        };
        if dice(2) == 0 {
            put(&mut event, "user", Some(users[dice(users.len())].clone()));
        }
        if dice(2) == 0 {
            let code = codes[dice(codes.len())];
            put(
                &mut event,
                "responseStatus",
                Some(json!({"metadata": {}, "code": code})),
            );
        }
        if dice(3) == 0 {
            put(
                &mut event,
                "userAgent",
                Some(json!(agents[dice(agents.len())])),
            );
        }
        if dice(12) == 0 {
            let key = [
                "responseStatus",
                "userAgent",
                "objectRef",
                "user",
                "level",
                "stage",
                "verb",
            ][dice(7)];
            put(&mut event, key, None);
        }
        let id = match dice(8) {
            0 => "i".repeat(dice(100)),
            _ => format!("{index:08x}-0000-4000-8000-000000000000"),
        };
        put(&mut event, "auditID", Some(json!(id)));
        if dice(20) == 0 {
            put(&mut event, "auditID", Some(json!(ids[dice(ids.len())])));
        }
        let time = format!(
            "2026-11-{:02}T{:02}:00:{:02}.{index:06}Z",
            10 + dice(15),
            dice(24),
            dice(60)
        );
        put(
            &mut event,
            "stageTimestamp",
            (dice(30) > 0).then(|| json!(time)),
        );
        if dice(15) == 0 {
            let mut end = dice(event.len());
            while !event.is_char_boundary(end) {
                end -= 1;
            }
            event.truncate(end);
        }
        log.push((Log::Audit, event));
    }
    log
}

#[test]
fn outlines_leave_out_nothing_that_is_found() {
    let (guide, _) = Guide::builtin();
    let setting = setting::setting(&guide, None, None).unwrap();
    let examples = all_examples(&guide);
    assert!(assert_alike(&guide, &setting, None, "examples", &examples) > 150);
    let mut log = made(&examples, 6_000);
    let found = assert_alike(&guide, &setting, None, "a made log", &log);
    assert!(found > 1_000, "{found}");
    log.reverse();
    assert_alike(&guide, &setting, None, "the same backwards", &log);
}

/// Whatever a check says: also every small change of the checks of every detection.
#[test]
fn outlines_leave_out_nothing_of_any_mutant() {
    let (mut guide, _) = Guide::builtin();
    let setting = setting::setting(&guide, None, None).unwrap();
    let log = all_examples(&guide);
    let made = made(&log, 150);
    let mut tried = 0;
    for index in 0..guide.detections.len() {
        let detection = &guide.detections[index];
        if detection.log != Log::Audit {
            continue;
        }
        let (file, id, source) = (
            detection.file.clone(),
            detection.id.clone(),
            detection.check.source().to_owned(),
        );
        let text = guide.sources.get(&file).unwrap().clone();
        let own = detection
            .examples
            .iter()
            .flat_map(|example| examples::events(&guide, Log::Audit, example).unwrap());
        let mut log: Vec<Line> = own.map(|event| (Log::Audit, event)).collect();
        log.extend(made.iter().cloned());
        for mutant in cel::mutate::mutants(&source) {
            let changed = text.replacen(&source, &mutant.source, 1);
            let Ok(other) = guide.reload_detection(&file, &changed) else {
                continue;
            };
            let original = std::mem::replace(&mut guide.detections[index], other);
            assert_alike(
                &guide,
                &setting,
                Some(&id),
                &format!("{id}: {}", mutant.source),
                &log,
            );
            guide.detections[index] = original;
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}
