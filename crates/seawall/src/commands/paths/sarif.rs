//! SARIF 2.1.0: a result for each way, with the way as a code flow. A possible way has the kind `open`, and with it
//! the level `none`, as the standard demands (§3.27.10) of what is no failure.

use serde_json::{Value, json};

use super::tell::{Deed, Story, capital};
use super::*;
use crate::commands::attack::{Place, Standing};

pub(super) fn write(answer: &Answer<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let stories = tell::all(answer);
    let mut kinds: Vec<&'static str> = stories.iter().map(|story| story.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let rules: Vec<Value> = kinds.iter().map(|kind| rule(kind)).collect();
    let results: Vec<Value> = stories
        .iter()
        .map(|story| result(answer, story, &kinds))
        .collect();
    let exit = if answer.scene.coverage.incomplete() {
        4
    } else {
        0
    };
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "seawall",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "originalUriBaseIds": report::sarif::bases(),
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": exit == 0, "exitCode": exit}],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn rule_id(kind: &str) -> String {
    format!("attack-path/{kind}")
}

fn rule(kind: &str) -> Value {
    let (short, severity) = match kind {
        "cluster-admin" => ("An attacker becomes cluster-admin", "9.5"),
        "node-root" => ("An attacker becomes root on nodes", "8.5"),
        "subscription-owner" => ("An attacker becomes Owner of a subscription", "9.5"),
        "vault-data" => ("An attacker reads what a vault holds", "8.0"),
        _ => ("An attacker reaches what is not to be reached", "8.0"),
    };
    json!({
        "id": rule_id(kind),
        "shortDescription": {"text": short},
        "fullDescription": {"text": format!("{short}: a way leads there from where attacks start.")},
        "help": {"text": "Each step of the way names the guidelines and options that take it away. Taking away one step that every way passes is enough; `seawall decide` finds the cheapest set."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"security-severity": severity, "precision": "high", "tags": ["security", "kubernetes", "attack-path"]},
    })
}

fn result(answer: &Answer<'_>, story: &Story, kinds: &[&'static str]) -> Value {
    let rule = kinds.iter().position(|kind| *kind == story.kind);
    let (kind, level) = if story.possible {
        ("open", "none")
    } else {
        ("fail", "error")
    };
    let by: Vec<&str> = story.deeds.iter().map(|deed| deed.edge.id()).collect();
    let mut message = format!("{} leads to {}", capital(&story.start), story.jewel);
    if !by.is_empty() {
        message.push_str(&format!(" by {}", by.join(", ")));
    }
    message.push('.');
    if story.possible {
        message.push_str(&format!(" If: {}.", story.doubts().join("; ")));
    }
    if !story.alike.is_empty() {
        message.push_str(&format!(
            " The same from {}.",
            tell::listed(&story.alike, 5)
        ));
    }
    let flow = flow(answer, story);
    let placed = flow
        .iter()
        .filter_map(|one| one.pointer("/location"))
        .find(|location| location.get("physicalLocation").is_some())
        .map(|location| {
            let mut location = location.clone();
            if let Some(own) = location.as_object_mut() {
                own.remove("message");
            }
            location
        });
    let graph = answer.graph;
    json!({
        "ruleId": rule_id(story.kind),
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": {"text": message},
        "locations": placed.into_iter().collect::<Vec<_>>(),
        "codeFlows": [{"threadFlows": [{"locations": flow}]}],
        "partialFingerprints": {
            "seawallPath/v1": report::clean(&format!("{} {} {}", graph.id(story.from), by.join(" "), graph.id(story.to))),
        },
    })
}

/// Where it starts, then each deed with the places that it rests on.
fn flow(answer: &Answer<'_>, story: &Story) -> Vec<Value> {
    let mut flow = Vec::new();
    let mut start = format!("start: {}", story.start);
    if let Some(because) = &story.because {
        start.push_str(&format!("; {because}"));
    }
    let entry = story
        .entry
        .and_then(|entry| answer.graph.entries.get(entry));
    let place = entry
        .and_then(|entry| entry.evidence.first())
        .and_then(|evidence| answer.scene.place(answer.analyses, evidence));
    flow.push(location(place.as_ref(), &start, "essential"));
    for deed in &story.deeds {
        let first = says(answer, deed);
        match deed.evidence.split_first() {
            None => flow.push(location(None, &first, "essential")),
            Some(((place, why), rest)) => {
                let text = format!("{first}; {why}");
                flow.push(location(place.as_ref(), &text, "essential"));
                for (place, why) in rest {
                    flow.push(location(place.as_ref(), why, "important"));
                }
            }
        }
    }
    flow
}

fn says(answer: &Answer<'_>, deed: &Deed) -> String {
    let mut text = format!("{}: {} [{}]", deed.reaches, deed.title, deed.edge.id());
    for doubt in &deed.doubts {
        text.push_str(&format!("; perhaps: {doubt}"));
    }
    let cuts: Vec<String> = deed
        .cuts
        .iter()
        .map(|measure| ::guide::measures::id(answer.scene.guide, *measure))
        .collect();
    if !cuts.is_empty() {
        text.push_str(&format!("; cut by {}", tell::listed(&cuts, 4)));
    }
    text
}

fn location(place: Option<&Place>, text: &str, importance: &str) -> Value {
    let mut location = json!({"message": {"text": text}});
    if let (Some(place), Some(own)) = (place, location.as_object_mut()) {
        if place.standing != Standing::BuiltIn {
            let live = place.standing == Standing::Live;
            let mut physical =
                json!({"artifactLocation": report::sarif::address(&place.path, live)});
            if let (Some(line), Some(physical)) = (
                place.line.filter(|line| *line > 0),
                physical.as_object_mut(),
            ) {
                physical.insert("region".to_owned(), json!({"startLine": line}));
            }
            own.insert("physicalLocation".to_owned(), physical);
        }
        own.insert(
            "logicalLocations".to_owned(),
            json!([{"fullyQualifiedName": report::clean(&place.object), "kind": "resource"}]),
        );
    }
    json!({"location": location, "importance": importance})
}
