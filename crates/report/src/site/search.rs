//! Search in the browser: an index that is written beside the pages, and the script that reads it when somebody asks.
//!
//! The index is a script too, since a page that was opened as a file may read no other file.

use std::collections::BTreeSet;

use guide::Guideline;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    Site, chapter_path, detections, edges, framework, guideline_path, left_out, links, lists,
    topic_path,
};
use crate::text;

/// Where the script stands.
pub(super) const SCRIPT_PATH: &str = "search.js";
/// The script.
pub(super) const SCRIPT: &str = include_str!("search.js");
/// Where the index stands.
pub(super) const INDEX_PATH: &str = "search-index.js";

/// Shown by the script, which alone can use it.
pub(super) fn form() -> Markup {
    html! {
        form.search role="search" hidden {
            label.unseen for="search" { "Search the guide" }
            input #search type="search" placeholder="Search: hostPath, egress, 5.2.1 …" autocomplete="off" spellcheck="false" aria-describedby="found-number";
            kbd aria-hidden="true" { "/" }
            div.found #found hidden {
                p #found-number role="status" {}
                ul {}
            }
        }
    }
}

/// The index: for each page its address, title, what it is, and more words that lead to it.
pub(super) fn index(site: &Site<'_>) -> String {
    let guide = site.guide;
    let mut entries: Vec<Value> = Vec::new();
    for guideline in &guide.guidelines {
        let topic = guide.topic(&guideline.chapter, &guideline.topic);
        entries.push(json!([
            guideline_path(guideline),
            guideline.title,
            guideline.severity.word(),
            &*guideline.id.0,
            words_of(guideline, topic.map_or("", |topic| &topic.title)),
        ]));
    }
    for chapter in &guide.chapters {
        entries.push(json!([
            chapter_path(&chapter.id),
            chapter.title,
            "chapter",
            "",
            ""
        ]));
    }
    for topic in &guide.topics {
        let path = topic_path(&topic.chapter, &topic.id);
        entries.push(json!([
            path,
            topic.title,
            "topic",
            topic.id,
            topic.question
        ]));
        for option in &topic.options {
            entries.push(json!([
                format!("{path}#option-{}", option.id),
                option.title,
                "option",
                option.id,
                topic.title
            ]));
        }
    }
    for edge in guide.edge_pages.values() {
        let title = crate::edges::upper(&edge.title);
        entries.push(json!([edges::path(&edge.id), title, "step", edge.id, ""]));
    }
    for detection in &guide.detections {
        entries.push(json!([
            detections::path(&detection.id),
            detection.title,
            "detection",
            detection.id,
            detection.mitre.join(" ")
        ]));
    }
    for known in &guide.frameworks {
        let path = framework::path(&known.id);
        entries.push(json!([
            path,
            framework::name(known),
            "framework",
            known.id,
            ""
        ]));
        for (control, title) in &known.controls {
            entries.push(json!([
                format!("{path}#{}", framework::anchor(control)),
                title,
                "control",
                control,
                known.id
            ]));
        }
    }
    for (path, title) in [
        (lists::SEVERITIES, "Severities"),
        (framework::LIST_PATH, "Frameworks"),
        (edges::LIST_PATH, "Steps of attackers"),
        (detections::LIST_PATH, "Detections"),
        (left_out::PATH, "Not checked, and why"),
        (links::PATH, "Links"),
        (links::BESIDES_PATH, "More links"),
        (lists::ASPECTS_PATH, "Aspects"),
        (lists::PRINCIPLES_PATH, "Principles"),
    ] {
        entries.push(json!([path, title, "list", "", ""]));
    }
    for entry in &mut entries {
        shorten(entry);
    }
    let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
    format!("seawallIndex([\n{}\n]);\n", lines.join(",\n"))
}

/// Most pages are called as what they are about: their address ends with its folder, and the script completes it.
fn shorten(entry: &mut Value) {
    let text = |at: usize| entry.get(at).and_then(Value::as_str).unwrap_or_default();
    let name = format!("/{}.html", text(3));
    let folder = text(0)
        .strip_suffix(&*name)
        .map(|folder| format!("{folder}/"));
    if let (Some(folder), Some(path)) = (folder, entry.get_mut(0)) {
        *path = folder.into();
    }
}

/// What a guideline speaks of: its topic, the names in its text and checks. Controls lead to it by
/// entries of their own.
fn words_of(guideline: &Guideline, topic: &str) -> String {
    let mut words: BTreeSet<String> = BTreeSet::new();
    let sentence = text::first_sentence(&guideline.prose);
    let known = format!("{} {sentence}", guideline.title).to_lowercase();
    let mut add = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if word.len() > 2 && word.len() < 40 && !known.contains(&word.to_lowercase()) {
            words.insert(word.to_owned());
        }
    };
    for code in guideline.prose.split('`').skip(1).step_by(2) {
        code.split_whitespace().for_each(&mut add);
    }
    for program in guideline.judging() {
        program
            .source()
            .split(|c: char| !c.is_alphanumeric())
            // Names of Kubernetes and Azure: `hostPath`, `disableLocalAccounts`.
            .filter(|word| word.len() > 5 && word.chars().any(char::is_uppercase))
            .for_each(&mut add);
    }
    let mut said = vec![topic.to_owned(), sentence];
    said.extend(words);
    said.join(" ")
}
