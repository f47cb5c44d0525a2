//! What is read by knowing what comes next is held against what is read key by key.

use super::{plain, quoted};
use crate::event::{BEGIN, Event, Field, Json};

const PERSON: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"6f1c2a3e-77aa-4b6e-9c41-000000000001","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web/exec?command=ls\u0026command=\"-l\"\u0026tty=true","verb":"create","user":{"username":"ada@contoso.example","uid":"7","groups":["a \"b\"","system:authenticated"],"extra":{"k":["v\\","{"]}},"impersonatedUser":{"username":"bob"},"authenticationMetadata":{"impersonationConstraint":"x"},"sourceIPs":["10.0.0.4","::1"],"userAgent":"kubectl/v1.34.1 (\\\"odd\\\\)","objectRef":{"resource":"pods","namespace":"shop","name":"web","uid":"1","apiGroup":"x","apiVersion":"v1","resourceVersion":"3","subresource":"exec"},"responseStatus":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no {\"} \u00e4","reason":"Forbidden","details":{"name":"web","kind":"pods"},"code":403},"requestObject":{"a":["]}",{"b":"\\\\\""},[1,2,{"c":{}}]],"d":"\\"},"responseObject":[],"requestReceivedTimestamp":"2026-11-27T08:00:00.000001Z","stageTimestamp":"2026-11-27T08:00:01.000001Z","annotations":{"authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":"no \"rule\""}}"#;
const PROBE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","requestURI":"/readyz","verb":"get","user":{},"sourceIPs":[],"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-27T08:00:00.000001Z","stageTimestamp":"2026-11-27T08:00:01.000001Z"}"#;

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

/// As the text of an envelope has it.
fn wrapped(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

fn texts(event: &Event<'_>) -> String {
    let json = |field: Field<Json<'_>>| {
        field.map(|json| {
            (
                String::from_utf8_lossy(&json.text()).into_owned(),
                json.whole,
            )
        })
    };
    let user = |user: &Field<crate::User<'_>>| match user {
        Field::Known(user) => format!(
            "{:?} {:?} {:?} {:?}",
            user.name,
            user.uid,
            json(user.groups),
            json(user.extra)
        ),
        other => format!("{other:?}"),
    };
    format!(
        "{:?}",
        (
            [
                &event.level,
                &event.audit_id,
                &event.stage,
                &event.request_uri,
                &event.verb,
                &event.user_agent,
                &event.received,
                &event.stage_time
            ],
            [user(&event.user), user(&event.impersonated)],
            [
                json(event.source_ips),
                json(event.request_object),
                json(event.response_object),
                json(event.annotations)
            ],
            (
                &event.object_ref,
                &event.response,
                event.damaged,
                event.text(),
                event.json.whole
            ),
        )
    )
}

#[test]
fn says_what_reading_by_keys_says() {
    for text in [PERSON, PROBE] {
        let known = Event::by_keys(text.as_bytes()).unwrap();
        let found = plain(text).expect("it is as the API server writes it");
        assert_eq!(texts(&found), texts(&known));
        for end in ["", "\\n"] {
            let within = format!(
                "{}{end}\",\"time\":\"now\"",
                wrapped(text).trim_end_matches('"')
            );
            // The last quote may be the text's own.
            let (found, length) = quoted(&within).expect("the same, quoted");
            assert_eq!(texts(&found), texts(&known));
            assert_eq!(within.get(length..), Some(",\"time\":\"now\""));
        }
    }
    let event = plain(PERSON).unwrap();
    assert_eq!(
        event.annotation("authorization.k8s.io/reason").as_str(),
        "no \"rule\""
    );
    let within = wrapped(PERSON);
    let (event, _) = quoted(&within).unwrap();
    assert_eq!(
        event.annotation("authorization.k8s.io/reason").as_str(),
        "no \"rule\""
    );
    assert_eq!(
        event.user.there().unwrap().extra.there().unwrap().lists(),
        [("k".into(), vec!["v\\".into(), "{".into()])]
    );
}

/// Changed in one place or two, cut, or with more in it: never anything else than what reading by keys says.
#[test]
fn never_says_anything_else() {
    let mut dice = Dice(11);
    let (mut alike, mut left) = (0, 0);
    for turn in 0..60_000 {
        let mut text: Vec<u8> = if turn % 2 == 0 { PERSON } else { PROBE }.into();
        for _ in 0..=dice.below(2) {
            let at = dice.below(text.len());
            match dice.below(5) {
                0 => drop(text.remove(at)),
                1 => text.truncate(at.max(1)),
                2 => text[at] = b"\"\\{}[]:,\n x0\xc3"[dice.below(13)],
                3 => text.insert(at, b"\"\\{}[]:,\n x0\xa4"[dice.below(13)]),
                _ => {
                    let long = b"abc\\\\\\\"def{}".repeat(dice.below(12));
                    text.splice(at..at, long);
                }
            }
        }
        let Ok(text) = String::from_utf8(text) else {
            continue;
        };
        let Some(known) = Event::by_keys(text.as_bytes()) else {
            assert!(plain(&text).is_none(), "{text}");
            continue;
        };
        match plain(&text) {
            Some(found) => {
                assert_eq!(texts(&found), texts(&known), "{text}");
                alike += 1;
            }
            None => left += 1,
        }
        let within = wrapped(&text);
        if let Some((found, length)) = quoted(&within) {
            assert_eq!(texts(&found), texts(&known), "{text}");
            assert_eq!(length, within.len(), "{text}");
        }
    }
    assert!(alike > 5000 && left > 5000, "{alike} {left}");
}

/// Text of an envelope that somebody damaged is never read as more than it says.
#[test]
fn takes_no_damaged_string() {
    let mut dice = Dice(12);
    let mut found_some = 0;
    for turn in 0..60_000 {
        let mut text = wrapped(if turn % 2 == 0 { PERSON } else { PROBE }).into_bytes();
        for _ in 0..=dice.below(2) {
            let at = 1 + dice.below(text.len() - 1);
            match dice.below(3) {
                0 => drop(text.remove(at)),
                1 => text[at] = b"\"\\{}[]:,nu0"[dice.below(11)],
                _ => text.insert(at, b"\"\\{}[]:,nu0"[dice.below(11)]),
            }
            text.push(b' ');
        }
        let text = String::from_utf8(text).unwrap();
        let mut plainly = Vec::new();
        let end = crate::scan::Scan::new(text.as_bytes()).unescaped(&mut plainly);
        if let Some((found, _)) = quoted(&text) {
            assert_eq!(end, crate::scan::End::Whole, "{text}");
            let known = Event::by_keys(&plainly).unwrap();
            assert_eq!(texts(&found), texts(&known), "{text}");
            found_some += 1;
        }
    }
    assert!(found_some > 3000, "{found_some}");
}

#[test]
fn begins_as_it_stands_in_a_string() {
    let within = wrapped(std::str::from_utf8(BEGIN.0).unwrap());
    assert_eq!(
        within.trim_matches('"').as_bytes(),
        &BEGIN.1[..BEGIN.1.len() - 1],
        "{within}"
    );
    assert!(BEGIN.1.ends_with(b"\\\""));
}
