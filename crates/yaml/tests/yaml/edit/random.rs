//! Random edits of random documents. What must hold:
//!
//! - the edited text says what the operations mean: for `sigs.k8s.io/yaml` in Go, and for
//!   `serde-saphyr`, a reader that is not made from libyaml, wherever it agreed before;
//! - bytes that an edit takes away belong to what was asked to change; comments elsewhere stay;
//! - the same once more changes nothing;
//! - little is refused as unsafe, although most of these documents nobody would write.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use yaml::edit::{Edit, Editor, Format, Operation, Options, Refusal, Step, Value, apply};
use yaml::{Build, Entry, Limits, Span, documents};

use super::model;
use crate::generate::{self, Random};
use crate::words::{KEYS, PLAIN};
use crate::{canonical, oracle};

/// One edit that was made.
#[derive(Debug)]
pub(crate) struct Made {
    before: String,
    after: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) texts: usize,
    pub(crate) made: usize,
    pub(crate) nothing: usize,
    pub(crate) refused: BTreeMap<String, usize>,
    /// edits that the second Rust reader confirmed
    pub(crate) confirmed: usize,
    pub(crate) unsafe_ones: Vec<String>,
}

fn text(random: &mut Random) -> String {
    match random.below(6) {
        0 => random.pick(PLAIN).to_owned(),
        1 => random
            .pick(&[
                "",
                "a\nb\n",
                "a\nb",
                "\n",
                " x",
                "a\tb",
                "ä\u{85}",
                "a\r\nb",
                "x\n y\n\n",
                "'",
                "\"\\",
            ])
            .to_owned(),
        2 => random
            .pick(&[
                "yes",
                "0o7",
                "1e3",
                "~",
                "2001-01-01",
                "1:20",
                "<<",
                "*",
                "- a",
            ])
            .to_owned(),
        _ => random
            .pick(&["Always", "600Mi", "a b", "x/y:1", "Disabled"])
            .to_owned(),
    }
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 => Value::Bool(random.below(2) == 0),
        1 => Value::Int(random.next() as i64 >> random.below(63)),
        2 => match random.below(4) {
            0 => Value::Null,
            1 => Value::Uint(u64::MAX),
            2 => Value::Float(0.5 * random.below(9) as f64),
            _ => Value::Float(1e21),
        },
        3..=5 => Value::String(text(random)),
        6 | 7 => {
            let count = random.below(3);
            Value::List((0..count).map(|_| value(random, depth - 1)).collect())
        }
        _ => {
            let mut entries: Vec<(String, Value)> = Vec::new();
            for _ in 0..random.below(4) {
                let key = key(random);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, value(random, depth - 1)));
                }
            }
            Value::Map(entries)
        }
    }
}

fn key(random: &mut Random) -> String {
    match random.below(10) {
        0 => text(random),
        1 => random.pick(KEYS).to_owned(),
        n => format!("k{n}"),
    }
}

/// A route that exists, or leaves what exists by a few keys.
fn route(random: &mut Random, root: &Json) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = root;
    loop {
        let go_on = random.below(100) < 75;
        let next = match at {
            Json::Object(entries) if go_on && !entries.is_empty() => {
                let key = entries.keys().nth(random.below(entries.len())).unwrap();
                Step::from(key.as_str())
            }
            Json::Array(items) if !items.is_empty() && (go_on || steps.is_empty()) => {
                Step::from(random.below(items.len()))
            }
            _ => break,
        };
        at = model::step(at, &next).unwrap();
        steps.push(next);
    }
    if (at.is_object() || at.is_null()) && (steps.is_empty() || random.below(100) < 60) {
        for _ in 0..=random.below(3) {
            steps.push(Step::Key(key(random).into()));
        }
    }
    steps
}

fn operation(random: &mut Random, root: &Json) -> Operation {
    let route = route(random, root);
    match random.below(20) {
        0..=8 => Operation::Set {
            route,
            value: value(random, 3),
        },
        9..=11 => Operation::Add {
            route,
            value: value(random, 2),
        },
        // Without a route the whole document would go.
        12..=16 if !route.is_empty() => Operation::Remove {
            route,
            prune: random.below(3) == 0,
        },
        17 => Operation::Rename {
            route,
            key: key(random),
        },
        _ => Operation::Replace {
            route,
            key: key(random),
            value: value(random, 2),
        },
    }
}

/// A name for a refusal without what varies in it.
fn name(refusal: &Refusal) -> String {
    let text = format!("{refusal:?}");
    let end = text.find([' ', '(', '{']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// Edits the first document of a text a few times, each time from the beginning.
pub(crate) fn edit_some(
    text: &str,
    random: &mut Random,
    rounds: usize,
    counts: &mut Counts,
    made: &mut Vec<Made>,
) {
    let readable: Vec<_> = documents(text)
        .filter(|raw| !raw.empty)
        .filter_map(|raw| {
            let mut build = canonical::Canonical::default();
            let node = raw.parse(&Limits::default(), &mut build).ok()??;
            let json: Json = serde_json::from_str(&build.render(node)).unwrap();
            (json.is_object() || json.is_array()).then_some((raw, json))
        })
        .collect();
    if readable.is_empty() {
        return;
    }
    counts.texts += 1;
    for _ in 0..rounds {
        let (raw, json) = &readable[random.below(readable.len())];
        let count = 1 + random.below(10) / 6 * random.below(3);
        let operations: Vec<_> = (0..count).map(|_| operation(random, json)).collect();
        let mut editor = Editor::new(text, Options::default());
        let applied = match editor.apply(raw.index, &operations) {
            Ok(applied) => applied,
            Err(refusal) => {
                *counts.refused.entry(name(&refusal)).or_default() += 1;
                continue;
            }
        };
        let outcome = editor.finish();
        if let Some((_, refusal)) = outcome.refused.first() {
            *counts.refused.entry(name(refusal)).or_default() += 1;
            if *refusal == Refusal::Unsafe {
                let case = format!("{:?}\n  {operations:?}", raw.text);
                counts.unsafe_ones.push(case);
            }
            continue;
        }
        let after = apply(text, &outcome.edits);
        let edited = documents(&after).nth(raw.index as usize).unwrap();
        check_bytes(
            text,
            raw.offset as usize,
            &raw.text,
            &operations,
            &outcome.edits,
        );
        if operations.len() == 1 {
            check_again(&after, raw.index, &operations);
        }
        counts.made += usize::from(applied.changes);
        counts.nothing += usize::from(!applied.changes);
        made.push(Made {
            before: raw.text.to_string(),
            after: edited.text.to_string(),
            operations,
        });
    }
}

/// The same once more changes nothing.
fn check_again(after: &str, document: u32, operations: &[Operation]) {
    let repeatable = match &operations[0] {
        Operation::Set { .. } | Operation::Add { .. } => true,
        // An item's number means another one afterwards.
        Operation::Remove { route, prune } => {
            let item = |step: &Step| matches!(step, Step::Index(_));
            let last = route.last().is_some_and(item);
            !(last || *prune && route.iter().any(item))
        }
        _ => false,
    };
    if repeatable {
        let mut editor = Editor::new(after, Options::default());
        let applied = editor.apply(document, operations);
        // What a merge key brings in stands there again.
        let merged = matches!(applied, Err(Refusal::Merged { .. } | Refusal::Empty));
        let again = applied.is_ok_and(|applied| applied.changes);
        assert!(!again || merged, "{operations:?} again on\n{after}");
    }
}

/// Places of values and keys, by route.
#[derive(Default)]
struct Places(Vec<(Span, Vec<Inside>)>);

/// A step, where its key stands, and what it leads to.
type Inside = (Step, Span, usize);

impl Places {
    fn push(&mut self, span: Span, children: Vec<Inside>) -> usize {
        self.0.push((span, children));
        self.0.len() - 1
    }

    /// Where the longest part of a route that exists begins (with its key) and ends.
    fn extent(&self, root: usize, route: &[Step]) -> (usize, usize) {
        let mut at = root;
        let (mut start, mut end) = (self.0[root].0.start, 0);
        for step in route {
            let children = &self.0[at].1;
            let Some((_, key, next)) = children.iter().find(|(own, _, _)| own == step) else {
                break;
            };
            // An alias stands behind its key; what it means stands elsewhere.
            (start, end, at) = (key.start, key.end, *next);
        }
        (start as usize, self.0[at].0.end.max(end) as usize)
    }
}

impl Build for Places {
    type Node = usize;
    fn null(&mut self, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn bool(&mut self, _: bool, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn int(&mut self, _: i64, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn uint(&mut self, _: u64, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn float(&mut self, _: f64, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn string(&mut self, _: &str, span: Span) -> usize {
        self.push(span, Vec::new())
    }
    fn list(&mut self, items: &[usize], span: Span) -> usize {
        let children = items.iter().enumerate();
        let children = children.map(|(at, item)| (Step::from(at), self.0[*item].0, *item));
        let children = children.collect();
        self.push(span, children)
    }
    fn map(&mut self, entries: &[Entry<'_, usize>], span: Span) -> usize {
        let children = entries.iter();
        let children = children.map(|e| (Step::from(&*e.key), e.key_span, e.value));
        let children = children.collect();
        self.push(span, children)
    }
}

/// What an edit takes away belongs to what was asked to change, or is a comma or white space;
/// comments that stand elsewhere stay.
fn check_bytes(text: &str, offset: usize, raw: &str, operations: &[Operation], edits: &[Edit]) {
    let mut places = Places::default();
    let options = yaml::json::Options::default();
    let root = match yaml::json::parse(raw, options, &Limits::default(), &mut places) {
        Ok(root) => root,
        Err(_) => yaml::parse(raw, &Limits::default(), &mut places)
            .unwrap()
            .unwrap(),
    };
    // Places do not tell where anchors and tags stand, which go with the value behind them.
    if raw.contains(['&', '!']) {
        return;
    }
    let mut extents = Vec::new();
    for operation in operations {
        let mut route = operation.route();
        loop {
            let (mut start, end) = places.extent(root, route);
            let line = raw[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let below = raw[line..start].trim().is_empty();
            if below && matches!(route.last(), Some(Step::Index(_))) {
                // The item begins at its dash, on a line above.
                start = raw[..start].rfind('-').unwrap_or(start);
            }
            // Up to the end of the line, with a comma below it and comments that are indented deeper below it.
            let line = &raw[raw[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1)..];
            let column = line.len() - line.trim_start_matches(' ').len();
            let rest = raw[end..].split_inclusive('\n').scan(true, |first, line| {
                let deeper = line.len() - line.trim_start_matches(' ').len() > column;
                let goes = *first
                    || line.trim_start().starts_with(',')
                    || line.trim().is_empty()
                    || (deeper && line.trim_start().starts_with('#'));
                *first = false;
                goes.then_some(line.len())
            });
            let last = end + rest.sum::<usize>();
            extents.push((offset + start, offset + last));
            let prunes = matches!(operation, Operation::Remove { prune: true, .. });
            match route.split_last() {
                Some((_, parents)) if prunes && !parents.is_empty() => route = parents,
                _ => break,
            }
        }
    }
    for edit in edits {
        for (at, character) in text[edit.start..edit.end].char_indices() {
            let at = edit.start + at;
            let asked = extents
                .iter()
                .any(|(start, end)| (*start..*end).contains(&at));
            assert!(
                asked
                    || matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}')
                    || matches!(
                        character,
                        ' ' | '\t' | '\r' | '\n' | ',' | '-' | '?' | '&' | '!'
                    ),
                "{operations:?} takes {character:?} at {at} from\n{text}\n{edits:?}"
            );
        }
    }
}

/// Asks both second readers.
fn check_values(made: &[Made], counts: &mut Counts) {
    let texts: Vec<String> = made
        .iter()
        .flat_map(|made| [made.before.clone(), made.after.clone()])
        .collect();
    let answers = oracle::ask(&texts);
    let mut wrong = Vec::new();
    for (made, answers) in made.iter().zip(answers.as_chunks::<2>().0) {
        let [before, after] = answers;
        if before.ambiguous || after.ambiguous {
            continue;
        }
        // Go refuses or accepts what `differential` lists.
        let (Ok(before), Ok(after)) = (&before.json, &after.json) else {
            if before.json.is_ok() {
                wrong.push(format!("{made:#?}\nGo: {after:?}"));
            }
            continue;
        };
        let mut expected: Json = serde_json::from_str(before).unwrap();
        let found: Json = serde_json::from_str(after).unwrap();
        model::apply(&mut expected, &made.operations);
        if !model::same(&expected, &found) {
            wrong.push(format!("{made:#?}\nGo: {found}\nexpected: {expected}"));
        }
        let original: Json = serde_json::from_str(before).unwrap();
        let saphyr = |text: &str| serde_saphyr::from_str::<Json>(text);
        // Line breaks and merge keys are YAML 1.1's; a merge key with tags is read in its own way.
        let old = ["\u{85}", "\u{2028}", "\u{2029}", "<<"]
            .iter()
            .any(|odd| made.before.contains(odd));
        let agreed = saphyr(&made.before).is_ok_and(|read| model::same(&read, &original));
        if !old && agreed {
            match saphyr(&made.after) {
                Ok(read) if model::same(&read, &expected) => counts.confirmed += 1,
                other => wrong.push(format!(
                    "{made:#?}\nsaphyr: {other:?}\nexpected: {expected}"
                )),
            }
        }
    }
    wrong.sort_by_key(String::len);
    assert!(
        wrong.is_empty(),
        "{} of {} edits are wrong:\n{}",
        wrong.len(),
        made.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

impl Counts {
    /// Asks the second readers, and fails if more than so many edits were refused as unsafe.
    pub(crate) fn report(&mut self, made: &[Made], most: usize) -> String {
        check_values(made, self);
        self.unsafe_ones.sort_by_key(String::len);
        let unsafe_ones = &self.unsafe_ones;
        assert!(
            unsafe_ones.len() <= most,
            "{} of {} are unsafe:\n{}",
            unsafe_ones.len(),
            self.made,
            unsafe_ones[..unsafe_ones.len().min(20)].join("\n")
        );
        format!(
            "{} texts, {} edits made, {} with nothing to do, {} confirmed by both, refused: {:?}",
            self.texts, self.made, self.nothing, self.confirmed, self.refused
        )
    }
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str, or: u64| std::env::var(name).map_or(or, |v| v.parse().unwrap());
    let from = number("SEAWALL_SEED", 1);
    from..from + number("SEAWALL_CASES", default)
}

#[test]
fn random_edits_say_what_they_should() {
    let mut counts = Counts::default();
    let mut made = Vec::new();
    for seed in seeds(6_000) {
        let text = generate::document(seed);
        edit_some(
            &text,
            &mut Random::new(seed ^ 0x5EA),
            3,
            &mut counts,
            &mut made,
        );
    }
    let most = counts.made / 33;
    println!("{}", counts.report(&made, most));
}

/// Texts that nobody would write, edited anyway: nothing panics, and what is made is proved.
#[test]
fn mutated_texts_never_panic() {
    let mut random = Random::new(11);
    let seeds = [
        "a: &x [1, {b: \"c\\u00e4\"}, 'd']\n<<: *x\ne: |2-\n   f\n--- !!str\n? g\n: %h\n...\n",
        "{\"a\": [1.5e3, \"\\ud83d\\ude00\", null], // c\n \"b\": {}, /* d */ }\n",
        "spec:\r\n  - name: a # c\r\n    env: [{name: b, value: \"c\"},\r\n      d]\r\n",
    ];
    let mut counts = Counts::default();
    let mut made = Vec::new();
    for round in 0..4_000 {
        let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len().max(1));
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes.insert(at, random.next() as u8),
                2 if bytes.len() > 1 => {
                    bytes.remove(at);
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        edit_some(&text, &mut random, 2, &mut counts, &mut made);
        for format in [Format::Json, Format::Jsonc] {
            let options = Options {
                format,
                follow: true,
                any_case: true,
                ..Options::default()
            };
            let mut editor = Editor::new(&text, options);
            let root = Json::Object(serde_json::Map::new());
            let _ = editor.apply(0, &[operation(&mut random, &root)]);
            let outcome = editor.finish();
            assert!(apply(&text, &outcome.edits).len() < 10_000);
        }
    }
    assert!(counts.made > 500, "{counts:?}");
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("{}1{}\n", "{a: ".repeat(90), "}".repeat(90));
    let steps: Vec<Step> = (0..90).map(|_| Step::from("a")).collect();
    let set = |route: Vec<Step>| Operation::Set {
        route,
        value: Value::Int(2),
    };
    let mut editor = Editor::new(&deep, Options::default());
    editor.apply(0, &[set(steps.clone())]).unwrap();
    let edits = editor.finish().edits;
    assert_eq!(apply(&deep, &edits), deep.replace('1', "2"));
    for open in ["[", "{a: ", "- ", "? ", "{\"a\":["] {
        let text = open.repeat(100_000);
        let mut editor = Editor::new(&text, Options::default());
        assert!(editor.apply(0, &[set(steps.clone())]).is_err());
    }
    // A route that would make the document too deep to be read again.
    let long: Vec<Step> = (0..200)
        .map(|n| Step::from(format!("k{n}").as_str()))
        .collect();
    let mut editor = Editor::new("b: 1\n", Options::default());
    if editor.apply(0, &[set(long)]).is_ok() {
        let outcome = editor.finish();
        assert_eq!(outcome.refused.len(), 1);
        assert!(outcome.edits.is_empty());
    }
}

/// One bad edit does not cost the others.
#[test]
fn unsafe_edits_are_found_out_and_left_out() {
    // Behind `...` an emptied map would begin another document.
    let text = "a: 1\n...\n---\nb: 1\n";
    let remove = |key: &str| Operation::Remove {
        route: vec![Step::from(key)],
        prune: false,
    };
    let mut editor = Editor::new(text, Options::default());
    editor.apply(0, &[remove("a")]).unwrap();
    let outcome = editor.finish();
    assert_eq!(outcome.refused, [(0, Refusal::Unsafe)]);
    assert_eq!(apply(text, &outcome.edits), text);
}

fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
        {
            found.push(path);
        }
    }
}

/// The repository's own manifests and templates; by hand those of `SEAWALL_MANIFESTS`, a
/// folder, each `SEAWALL_CASES` times.
#[test]
fn edits_of_real_manifests_say_what_they_should() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let folder = std::env::var("SEAWALL_MANIFESTS").unwrap_or_else(|_| own.to_owned());
    let rounds = std::env::var("SEAWALL_CASES").map_or(5, |n| n.parse().unwrap());
    let mut paths = Vec::new();
    files(folder.as_ref(), &mut paths);
    let mut counts = Counts::default();
    let mut made = Vec::new();
    let mut random = Random::new(7);
    for path in &paths {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if text.len() < 200_000 {
            edit_some(text, &mut random, rounds, &mut counts, &mut made);
        }
        if made.len() > 10_000 {
            check_values(&made, &mut counts);
            made.clear();
        }
    }
    assert!(counts.made > paths.len());
    let most = counts.made / 1000;
    println!("{} files: {}", paths.len(), counts.report(&made, most));
}

/// JSON in the forms people and machines write it.
fn json_text(
    random: &mut Random,
    value: &Json,
    unit: Option<&str>,
    indent: &str,
    notes: bool,
) -> String {
    let inner = unit.map(|unit| [indent, unit].concat());
    let open = |random: &mut Random| match &inner {
        Some(inner) => format!("\n{inner}"),
        None => random.pick(&["", "", " "]).to_owned(),
    };
    let unit = unit.filter(|_| random.below(5) > 0);
    let mut parts = Vec::new();
    let note = |random: &mut Random| match random.below(8) {
        0 if notes => " /* , */".to_owned(),
        1 if notes && inner.is_some() => " // \"c\": 1".to_owned(),
        _ => String::new(),
    };
    let (left, right) = match value {
        Json::Object(entries) => {
            for (key, value) in entries {
                let value = json_text(random, value, unit, inner.as_deref().unwrap_or(""), notes);
                let colon = if inner.is_some() { ": " } else { ":" };
                parts.push(format!("{}{colon}{value}", Json::from(key.as_str())));
            }
            ('{', '}')
        }
        Json::Array(items) => {
            for item in items {
                parts.push(json_text(
                    random,
                    item,
                    unit,
                    inner.as_deref().unwrap_or(""),
                    notes,
                ));
            }
            ('[', ']')
        }
        scalar => return scalar.to_string(),
    };
    let mut out = String::from(left);
    let count = parts.len();
    for (at, part) in parts.iter().enumerate() {
        out.push_str(&open(random));
        out.push_str(part);
        if at + 1 < count || (notes && random.below(6) == 0) {
            out.push(',');
        }
        out.push_str(&note(random));
    }
    if count > 0
        && let Some(_) = &inner
    {
        out.push_str(&format!("\n{indent}"));
    }
    out.push(right);
    out
}

#[test]
fn random_edits_of_json_say_what_they_should() {
    let (mut made, mut unsafe_ones) = (0, Vec::new());
    for seed in seeds(3_000) {
        let mut random = Random::new(seed ^ 0x1_5EA);
        let root = model::json(&Value::Map(
            (0..=random.below(4))
                .map(|n| (format!("k{n}"), value(&mut random, 3)))
                .collect(),
        ));
        let unit = [None, Some("  "), Some("\t"), Some("    ")][random.below(4)];
        let notes = random.below(2) == 0;
        let text = json_text(&mut random, &root, unit, "", notes);
        let format = if notes { Format::Jsonc } else { Format::Json };
        let options = || Options {
            format,
            ..Options::default()
        };
        for _ in 0..3 {
            let count = 1 + random.below(3);
            let operations: Vec<_> = (0..count).map(|_| operation(&mut random, &root)).collect();
            let mut editor = Editor::new(&text, options());
            if editor.apply(0, &operations).is_err() {
                continue;
            }
            let outcome = editor.finish();
            if !outcome.refused.is_empty() {
                unsafe_ones.push(format!("{text}\n{operations:?}"));
                continue;
            }
            let after = apply(&text, &outcome.edits);
            let mut expected = root.clone();
            model::apply(&mut expected, &operations);
            let found = if notes {
                let mut build = canonical::Canonical::default();
                let lenient = yaml::json::Options { lenient: true };
                let node = yaml::json::parse(&after, lenient, &Limits::default(), &mut build);
                serde_json::from_str(&build.render(node.unwrap())).unwrap()
            } else {
                serde_json::from_str::<Json>(&after).unwrap()
            };
            assert!(
                model::same(&expected, &found),
                "{operations:?}\n{text}\n{after}"
            );
            if unit.is_none() && !notes {
                assert!(!after.contains('\n'), "{text}\n{after}");
            }
            made += 1;
        }
    }
    println!("{made} edits of JSON made, {} unsafe", unsafe_ones.len());
    unsafe_ones.sort_by_key(String::len);
    assert!(
        unsafe_ones.is_empty(),
        "{}",
        unsafe_ones[..unsafe_ones.len().min(6)].join("\n")
    );
    assert!(made > 1000);
}
