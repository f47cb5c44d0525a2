//! A record that ends anywhere: what is said of it is true, or it is not said.

use audit::{Event, Field, Text};

use crate::made::{envelope, event, read};

/// What is known is what the whole record says; what is begun is its beginning; nothing is absent that is there.
fn holds(part: &Text<'_>, whole: &Text<'_>, at: usize) {
    match (part, whole) {
        (Field::Known(part), Field::Known(whole)) => assert_eq!(part, whole, "cut at {at}"),
        (Field::Begun(part), Field::Known(whole)) => {
            assert!(whole.starts_with(part.as_ref()), "cut at {at}: {part:?}");
        }
        (Field::Cut, _) | (Field::Absent, Field::Absent) => {}
        (part, whole) => panic!("cut at {at}: {part:?} of {whole:?}"),
    }
}

#[test]
fn cut_at_every_byte_says_nothing_wrong() {
    let text = event(7, "create", "web");
    let whole = Event::read(text.as_bytes()).unwrap();
    assert_eq!(whole.cut_at(), None);
    let mut before = 0;
    for at in 0..text.len() {
        let Some(part) = Event::read(&text.as_bytes()[..at]) else {
            assert!(at < 70, "nothing at all of {at} bytes");
            continue;
        };
        for (part, whole) in [
            (&part.level, &whole.level),
            (&part.audit_id, &whole.audit_id),
            (&part.stage, &whole.stage),
            (&part.request_uri, &whole.request_uri),
            (&part.verb, &whole.verb),
            (&part.user_agent, &whole.user_agent),
            (&part.received, &whole.received),
            (&part.stage_time, &whole.stage_time),
        ] {
            holds(part, whole, at);
        }
        if let Some(user) = part.user.there() {
            let known = whole.user.known().unwrap();
            holds(&user.name, &known.name, at);
            holds(&user.uid, &known.uid, at);
        } else {
            assert_ne!(part.user, Field::Absent);
        }
        if let Some(object) = part.object_ref.there() {
            let known = whole.object_ref.known().unwrap();
            holds(&object.resource, &known.resource, at);
            holds(&object.namespace, &known.namespace, at);
            holds(&object.name, &known.name, at);
            holds(&object.version, &known.version, at);
            assert!(matches!(object.group, Field::Absent | Field::Cut));
            assert!(matches!(object.subresource, Field::Absent | Field::Cut));
        }
        match part.response.there().map(|response| response.code) {
            Some(Field::Known(code)) => assert_eq!(code, 200),
            Some(Field::Cut) | None => {}
            other => panic!("cut at {at}: {other:?}"),
        }
        match part.allowed() {
            Field::Known(allowed) => assert!(allowed),
            Field::Cut => {}
            other => panic!("cut at {at}: {other:?}"),
        }
        // What was asked is the same from the path as from the object; a path that may go on says nothing.
        if let Field::Known(request) = part.request() {
            assert_eq!(
                Field::Known(&request),
                whole.request().known().map_or(Field::Cut, Field::Known),
                "cut at {at}"
            );
        }
        // Only the last bracket may be missing from what says everything.
        let Some(known) = part.cut_at() else {
            assert_eq!(at, text.len() - 1);
            continue;
        };
        let place = text.find(&format!("\"{known}\"")).unwrap_or(usize::MAX);
        assert!(place >= before || known == "impersonatedUser");
        if place != usize::MAX {
            before = place;
        }
    }
}

#[test]
fn an_envelope_cut_at_every_byte_of_its_log_gives_the_same() {
    let text = event(7, "get", "web");
    for at in (70..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let line = envelope("kube-audit", &text[..at]);
        let raw = Event::read(&text.as_bytes()[..at]).unwrap();
        let (told, losses) = read(&[("a.json", line.as_bytes())], 1);
        assert_eq!(losses.truncated.keys().next().copied(), raw.cut_at());
        assert_eq!(told.len(), 1);
        let (same, _) = read(&[("a.json", &text.as_bytes()[..at])], 1);
        assert_eq!(told, same, "cut at {at}");
    }
}

#[test]
fn an_envelope_that_ends_itself_loses_nothing_else() {
    let line = envelope("kube-audit", &event(7, "get", "web"));
    for at in 0..line.len() {
        let mut text = line.as_bytes()[..at].to_vec();
        text.push(b'\n');
        text.extend_from_slice(event(8, "get", "other").as_bytes());
        let (told, losses) = read(&[("a.json", &text)], 1);
        let last = told.last().unwrap();
        assert!(last.starts_with("id-8 alice"), "cut at {at}: {last}");
        assert!(losses.records <= 2);
    }
}

#[test]
fn absent_follows_from_the_order_and_from_the_level_alone() {
    let text = event(7, "get", "web");
    let at = text.find("\"responseObject\"").unwrap() + 30;
    let part = Event::read(&text.as_bytes()[..at]).unwrap();
    // The API server writes it before what is there.
    assert_eq!(part.impersonated, Field::Absent);
    assert_eq!(part.annotations, Field::Cut);
    // Another writer may sort keys: then nothing follows.
    let sorted = "{\"auditID\":\"a\",\"level\":\"Metadata\",\"verb\":\"get\",\"stage\":\"Resp";
    let part = Event::read(sorted.as_bytes()).unwrap();
    assert_eq!(part.impersonated, Field::Cut);
    assert_eq!(part.user, Field::Cut);
    // No object is written on this level.
    assert_eq!(part.request_object, Field::Absent);
}

#[test]
fn a_number_that_is_cut_is_not_known() {
    let text = event(7, "get", "web");
    let at = text.find("\"code\":200").unwrap() + "\"code\":20".len();
    let part = Event::read(&text.as_bytes()[..at]).unwrap();
    assert_eq!(part.response.there().unwrap().code, Field::Cut);
    assert_eq!(part.allowed(), Field::Cut);
}
