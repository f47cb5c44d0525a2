//! Events come back from a snapshot as they went in; what was cut, edited or made up is refused.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use model::coverage::{DocumentEntry, Status};
use model::kept::Kept;
use model::kinds::Kind;
use model::resource::ResourceName;

use super::*;
use crate::live::{Object, Of, Unread};

fn about() -> About {
    About {
        version: "0.1.0".to_owned(),
        taken_at: "2026-11-26T12:00:00Z".to_owned(),
        sources: vec!["cluster kind-dev".to_owned(), "deploy".to_owned()],
        given: vec!["deploy".to_owned()],
        config: None,
        kubernetes_minor: Some(34),
    }
}

fn object(name: &str) -> Event {
    let address = format!("/api/v1/namespaces/shop/pods/{name}");
    let json = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"shop\"}}}}"
    );
    Event::Object(Object {
        of: Of::Kubernetes,
        address: address.into(),
        json,
    })
}

fn events() -> Vec<Event> {
    let path: Arc<str> = "deploy/web.yaml".into();
    vec![
        object("web"),
        Event::Object(Object {
            of: Of::Azure,
            address: "/subscriptions/s/resourceGroups/g".into(),
            json: "{\"id\":\"/subscriptions/s/resourceGroups/g\",\"type\":\"Microsoft.Resources/resourceGroups\",\"n\":1.5}".to_owned(),
        }),
        Event::Kept(Box::new(Kept {
            name: ResourceName {
                kind: Kind::Azure("Microsoft.Network/virtualNetworks".into()),
                api_version: "2025-01-01".into(),
                namespace: None,
                name: "v".into(),
            },
            path: Arc::clone(&path),
            index: 2,
            entry: Some(("modules/net.bicep".into(), 7)),
            live: false,
            rendered_by: None,
            azure: Some("/subscriptions/{s}/x".into()),
            json: "{\"a\":{\"$seawall\":\"open\",\"text\":\"{x}\"}}".to_owned(),
            lines: vec![1, 2, 3],
            files: vec![(0, Arc::clone(&path)), (1, "modules/net.bicep".into())],
            through: 1,
            cases: Vec::new(),
            certificates: Some(Box::default()),
            waivers: Vec::new(),
        })),
        Event::Entry(Box::new(DocumentEntry {
            path,
            live: false,
            index: 0,
            line: 3,
            status: Status::Unreadable,
            kind: None,
            namespace: Some("shop".into()),
            name: None,
            reason: Some("line 3".into()),
            help: None,
        })),
        Event::Complete {
            kind: "Pod".into(),
            within: Box::default(),
        },
        Event::Gap(Unread {
            kind: "Secret".into(),
            within: "shop".into(),
            address: "/api/v1/secrets".into(),
            why: "nobody asked".into(),
            help: Some("--secrets".into()),
            by_choice: true,
        }),
        Event::Other {
            api_version: "x/v1".into(),
            kind: "Thing".into(),
        },
    ]
}

fn packed(events: &[Event]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &about()).unwrap();
    for event in events {
        writer.event(event).unwrap();
    }
    writer.finish().unwrap().0
}

/// A file of these bytes, and its folder, which lives as long as the test looks at it.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.snapshot");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn read_within(bytes: &[u8], limits: Limits) -> Result<Vec<Event>, String> {
    let (_folder, path) = file(bytes);
    let mut events = Vec::new();
    let mut snapshot = Snapshot::open(&path, limits).map_err(|error| error.message)?;
    snapshot
        .read(&mut |event| {
            if !matches!(event, Event::Doing(_)) {
                events.push(event);
            }
            Ok(())
        })
        .map_err(|error| {
            assert!(error.help.is_some(), "{}", error.message);
            error.message
        })?;
    Ok(events)
}

fn read(bytes: &[u8]) -> Result<Vec<Event>, String> {
    read_within(bytes, Limits::default())
}

fn lines_of(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

#[test]
fn what_was_told_is_told_again() {
    let bytes = packed(&events());
    assert_eq!(read(&bytes).unwrap(), events());
    assert_eq!(bytes, packed(&events()), "the same bytes");
    let (_folder, path) = file(&bytes);
    let mut snapshot = Snapshot::open(&path, Limits::default()).unwrap();
    assert_eq!(*snapshot.about(), about());
    assert_eq!(snapshot.kubernetes_minor().unwrap(), Some(34));
    assert!(
        snapshot
            .name()
            .ends_with("e.snapshot of 2026-11-26 (cluster kind-dev, deploy)")
    );
    assert!(is_snapshot(&path));
}

#[test]
fn every_cut_is_noticed() {
    let bytes = packed(&events());
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = packed(&events());
    // The header of gzip holds a name of the operating system and how hard it tried: nobody reads them.
    for at in (0..bytes.len()).filter(|at| !(4..10).contains(at)) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x11;
        let found = read(&changed);
        assert!(found.is_err(), "byte {at}");
    }
}

#[test]
fn a_line_that_was_edited_left_out_or_added_is_noticed() {
    let text = lines_of(&packed(&events()));
    assert_eq!(
        read(&gzip(text.as_bytes())).unwrap(),
        events(),
        "packed again it is the same"
    );
    let lines: Vec<&str> = text.lines().collect();
    let edited = text.replacen("\"name\":\"web\"", "\"name\":\"wed\"", 1);
    assert_ne!(edited, text);
    let without: String = lines
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != 2)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let twice = text.replacen(lines[1], &format!("{}\n{}", lines[1], lines[1]), 1);
    let more = format!("{text}{}\n", lines[1]);
    for wrong in [edited, without, twice, more, text.trim_end().to_owned()] {
        let error = read(&gzip(wrong.as_bytes())).unwrap_err();
        assert!(error.contains("is damaged"), "{error}");
    }
    let mut joined = packed(&events());
    joined.extend(packed(&events()));
    assert!(read(&joined).unwrap_err().contains("after its end"));
}

#[test]
fn a_later_version_and_another_file_are_refused() {
    let later = "{\"schema\":\"seawall.snapshot/v2\",\"new\":[]}\n";
    let error = read(&gzip(later.as_bytes())).unwrap_err();
    assert!(
        error.contains("of version 2, which this seawall does not know"),
        "{error}"
    );
    for other in [
        gzip(b"{\"schema\":\"else\"}\n"),
        gzip(b"{}\n"),
        gzip(b"apiVersion: v1\n"),
        gzip(b""),
        b"apiVersion: v1\n".to_vec(),
        b"\x1f\x8b".to_vec(),
        Vec::new(),
    ] {
        let error = read(&other).unwrap_err();
        assert!(error.contains("is no snapshot of seawall"), "{error}");
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let limits = Limits {
        line: 1 << 16,
        total: 1 << 20,
    };
    let head = lines_of(&packed(&[]));
    let head = head.lines().next().unwrap();
    let long = format!("{head}\n{}\n", " ".repeat(1 << 24));
    let error = read_within(&gzip(long.as_bytes()), limits).unwrap_err();
    assert!(error.contains("line 2 is longer"), "{error}");
    let first = " ".repeat(1 << 24);
    assert!(read_within(&gzip(first.as_bytes()), limits).is_err());
    let line = "{\"other\":{\"apiVersion\":\"x/v1\",\"kind\":\"Thing\"}}\n";
    let many = format!("{head}\n{}", line.repeat(1 << 16));
    let error = read_within(&gzip(many.as_bytes()), limits).unwrap_err();
    assert!(error.contains("it holds more than 1 MB"), "{error}");
}

#[test]
fn nonsense_between_the_lines_is_an_error_with_its_place() {
    let text = lines_of(&packed(&[]));
    let (head, end) = text.split_once('\n').unwrap();
    for wrong in [
        "{\"object\":{\"of\":\"moon\",\"address\":\"x\",\"value\":{}}}",
        "{\"object\":{\"of\":\"azure\",\"address\":\"x\",\"value\":}}",
        "{\"entry\":{\"path\":\"x\",\"line\":1,\"status\":\"fine\"}}",
        "{\"surprise\":{}}",
        "null",
        "",
        "[[[[",
    ] {
        let error = read(&gzip(format!("{head}\n{wrong}\n{end}").as_bytes())).unwrap_err();
        assert!(error.contains("line 2"), "{wrong}: {error}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let line = format!("{{\"object\":{{\"of\":\"azure\",\"address\":\"x\",\"value\":{deep}}}}}");
    assert!(read(&gzip(format!("{head}\n{line}\n{end}").as_bytes())).is_err());
}

#[test]
fn an_object_that_is_no_json_leaves_a_gap() {
    let broken = Event::Object(Object {
        of: Of::Kubernetes,
        address: "/api/v1/pods/x".into(),
        json: "{".to_owned(),
    });
    let mut writer = Writer::new(Vec::new(), &about()).unwrap();
    writer.event(&broken).unwrap();
    let (bytes, written) = writer.finish().unwrap();
    assert_eq!(written.lost, ["/api/v1/pods/x"]);
    let events = read(&bytes).unwrap();
    assert!(matches!(&events[..], [Event::Gap(gap)] if &*gap.kind == "*" && !gap.by_choice));
}
