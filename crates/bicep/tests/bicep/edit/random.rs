//! Random edits of random literals. What must hold:
//!
//! - what the compiler makes of the edited text is what it made of the old one with the change
//!   applied to its JSON, by a model that knows no text;
//! - comments that are not in what goes stay, and so does every statement around the literal;
//! - the same once more changes nothing.

use bicep::compile::compile;
use bicep::edit::{Act, Change, Editor, Form, Refusal};
use bicep::emit::emit;
use bicep::source::{NoFiles, Source, Sources};
use bumpalo::Bump;
use serde_json::{Map, Value as Json, json};
use yaml::edit::{Step, Value, apply};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const KEYS: [&str; 9] = [
    "a", "enabled", "Tier", "a-b", "tags", "null", "x y", "it's", "${no}",
];
const TEXTS: [&str; 8] = [
    "",
    "plain",
    "it's",
    "${x}",
    "$",
    "back\\slash",
    "two\nlines\t",
    "ünï…",
];

/// Writes literals in all the ways in which people do.
struct Writer<'r> {
    random: &'r mut Random,
    out: String,
    line: &'static str,
    unit: &'static str,
    comments: usize,
}

impl Writer<'_> {
    fn comment(&mut self, block: bool) {
        self.comments += 1;
        let number = self.comments;
        self.out.push_str(&if block {
            format!("/* c{number}. */")
        } else {
            format!("// c{number}. }} ] '")
        });
    }

    fn start(&mut self, depth: usize) {
        self.out.push_str(self.line);
        if self.random.below(8) == 0 {
            self.out.push_str(self.line);
        }
        if self.random.below(8) == 0 {
            self.out.push_str(&self.unit.repeat(depth));
            let block = self.random.below(2) == 0;
            self.comment(block);
            self.out.push_str(self.line);
        }
        self.out.push_str(&self.unit.repeat(depth));
    }

    fn end_of_item(&mut self) {
        if self.random.below(6) == 0 {
            self.out.push(' ');
            self.comment(true);
        }
        if self.random.below(6) == 0 {
            self.out.push_str("  ");
            self.comment(false);
        }
    }

    fn key(&mut self, taken: &mut Vec<&'static str>) -> bool {
        let key = self.random.pick(&KEYS);
        if taken.iter().any(|own| own.eq_ignore_ascii_case(key)) {
            return false;
        }
        taken.push(key);
        let plain = key.bytes().all(|byte| byte.is_ascii_alphabetic()) && key != "null";
        if plain && self.random.below(4) > 0 {
            self.out.push_str(key);
        } else {
            self.text(key);
        }
        self.out.push_str(if self.random.below(6) == 0 {
            " :  "
        } else {
            ": "
        });
        true
    }

    fn text(&mut self, text: &str) {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\n', "\\n")
            .replace('\t', "\\t")
            .replace("${", "\\${");
        self.out.push_str(&format!("'{escaped}'"));
    }

    fn value(&mut self, depth: usize, levels: usize, flat: bool) {
        match self.random.below(if levels == 0 { 6 } else { 10 }) {
            0 => self
                .out
                .push_str(self.random.pick(&["true", "false", "null"])),
            1 => {
                let number = self.random.below(2000) as i64 - 1000;
                self.out.push_str(&number.to_string());
            }
            2 | 3 => {
                let text = self.random.pick(&TEXTS);
                self.text(text);
            }
            4 => self.out.push_str(self.random.pick(&[
                "given",
                "!given",
                "'${given}-x'",
                "given ? 1 : 2",
                "(given)",
                "(3)",
                "toLower('A')",
            ])),
            5 => self.out.push_str("'''\nraw } ' text'''"),
            6 | 7 => self.list(depth, levels, flat),
            _ => self.object(depth, levels, flat),
        }
    }

    fn list(&mut self, depth: usize, levels: usize, flat: bool) {
        self.items(depth, flat, '[', ']', |writer, _, flat| {
            writer.value(depth + 1, levels - 1, flat);
            true
        });
    }

    fn object(&mut self, depth: usize, levels: usize, flat: bool) {
        self.items(depth, flat, '{', '}', |writer, taken, flat| {
            if !writer.key(taken) {
                return false;
            }
            writer.value(depth + 1, levels.saturating_sub(1), flat);
            true
        });
    }

    fn items(
        &mut self,
        depth: usize,
        flat: bool,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self, &mut Vec<&'static str>, bool) -> bool,
    ) {
        let flat = flat || self.random.below(4) == 0;
        let count = self.random.below(5);
        let mut taken = Vec::new();
        self.out.push(open);
        let space = self.random.below(2) == 0;
        let mut written = 0;
        for _ in 0..count {
            let before = self.out.len();
            let comments = self.comments;
            match (flat, written) {
                (true, 0) if space => self.out.push(' '),
                (true, 0) => {}
                (true, _) => self.out.push_str(", "),
                (false, _) => self.start(depth + 1),
            }
            if item(self, &mut taken, flat) {
                written += 1;
                if !flat {
                    self.end_of_item();
                }
            } else {
                self.out.truncate(before);
                self.comments = comments;
            }
        }
        if !flat && (written > 0 || self.random.below(2) == 0) {
            if self.random.below(8) == 0 {
                self.start(depth + 1);
                self.comment(false);
            }
            self.out.push_str(self.line);
            self.out.push_str(&self.unit.repeat(depth));
        } else if flat && space && written > 0 {
            self.out.push(' ');
        }
        self.out.push(close);
    }
}

fn file(random: &mut Random) -> (String, std::ops::Range<usize>) {
    let line = if random.below(4) == 0 { "\r\n" } else { "\n" };
    let unit = random.pick(&["  ", "    ", "\t"]);
    let mut writer = Writer {
        out: format!("param given bool = true // given{line}{line}var literal = "),
        random,
        line,
        unit,
        comments: 0,
    };
    let start = writer.out.len();
    writer.object(0, 4, false);
    let end = writer.out.len();
    writer
        .out
        .push_str(&format!(" // end{line}output other string = '}}'"));
    (writer.out, start..end)
}

fn compiled(text: &str) -> Json {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let text = bump.alloc_str(text);
    let file = sources.add(Source {
        name: "main.bicep",
        text,
        published: false,
    });
    let (node, problems) = compile(&bump, &mut sources, &NoFiles, file);
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    let mut json: Json = serde_json::from_str(&emit(&node)).unwrap();
    // What the literal is printed with.
    json["metadata"] = Json::Null;
    json
}

fn random_value(random: &mut Random, levels: usize) -> Value {
    match random.below(if levels == 0 { 4 } else { 6 }) {
        0 => Value::Bool(random.below(2) == 0),
        1 => Value::Int(random.below(500) as i64 - 250),
        2 | 3 => Value::String(random.pick(&TEXTS).to_owned()),
        4 => Value::List(
            (0..random.below(3))
                .map(|_| random_value(random, levels - 1))
                .collect(),
        ),
        _ => {
            let mut entries: Vec<(String, Value)> = Vec::new();
            for _ in 0..random.below(4) {
                let key = random.pick(&KEYS);
                if !entries.iter().any(|(own, _)| own.eq_ignore_ascii_case(key)) {
                    entries.push((key.to_owned(), random_value(random, levels - 1)));
                }
            }
            Value::Map(entries)
        }
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Uint(value) => json!(value),
        Value::Float(value) => json!(value),
        // A text that begins with a bracket is no expression.
        Value::String(text) => json!(text),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), json_of(value)))
                .collect(),
        ),
    }
}

fn entry<'j>(map: &'j Map<String, Json>, key: &str) -> Option<&'j String> {
    map.keys().find(|own| own.eq_ignore_ascii_case(key))
}

/// What the JSON becomes; nothing when it cannot be.
fn modelled(at: &mut Json, steps: &[Step], act: &Act) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        match (act, at) {
            (Act::Set(value), at) => *at = keys_as(at, json_of(value)),
            (Act::Add(value), Json::Array(items)) => {
                let value = json_of(value);
                if !items.iter().any(|item| same(item, &value)) {
                    items.push(value);
                }
            }
            _ => return None,
        }
        return Some(());
    };
    match (at, step) {
        (Json::Object(map), Step::Key(key)) => {
            let own = entry(map, key).cloned();
            match (act, rest) {
                (Act::Remove, []) => {
                    if let Some(own) = own {
                        map.remove(&own);
                    }
                }
                (Act::Replace { key, value }, []) => {
                    map.remove(&own?);
                    map.insert(key.clone(), json_of(value));
                }
                (Act::Remove | Act::Replace { .. }, _) => {
                    let Some(own) = own else {
                        return matches!(act, Act::Remove).then_some(());
                    };
                    let inner = map.get_mut(&own)?;
                    let filled = inner.as_object().is_some_and(|map| !map.is_empty());
                    modelled(inner, rest, act)?;
                    if filled && inner.as_object().is_some_and(Map::is_empty) {
                        map.remove(&own);
                    }
                }
                _ => {
                    let own = own.unwrap_or_else(|| key.to_string());
                    let empty = match (rest, act) {
                        ([], Act::Add(_)) => json!([]),
                        _ => json!({}),
                    };
                    let inner = map.entry(own).or_insert(empty);
                    modelled(inner, rest, act)?;
                }
            }
            Some(())
        }
        (Json::Array(items), Step::Index(at)) => match (act, rest) {
            (Act::Remove, []) => {
                (*at < items.len()).then(|| items.remove(*at))?;
                Some(())
            }
            _ => modelled(items.get_mut(*at)?, rest, act),
        },
        _ => None,
    }
}

/// Keys keep the case that they stand in.
fn keys_as(old: &Json, new: Json) -> Json {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => new
            .into_iter()
            .map(|(key, value)| match entry(old, &key) {
                Some(own) => (own.clone(), keys_as(&old[own], value)),
                None => (key, value),
            })
            .collect::<Map<_, _>>()
            .into(),
        (_, new) => new,
    }
}

fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    entry(other, key).is_some_and(|own| same(value, &other[own]))
                })
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
        }
        _ => one == other,
    }
}

/// A way that leads somewhere, as a rule.
fn random_way(random: &mut Random, literal: &Json) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = literal;
    loop {
        match at {
            Json::Object(map) if !map.is_empty() && random.below(5) > 0 => {
                let key = map.keys().nth(random.below(map.len())).unwrap();
                steps.push(Step::from(key.as_str()));
                at = &map[key];
            }
            Json::Array(items) if !items.is_empty() && random.below(5) > 0 => {
                let index = random.below(items.len());
                steps.push(Step::from(index));
                at = &items[index];
            }
            _ => break,
        }
    }
    for _ in 0..random.below(3) {
        steps.push(Step::from(random.pick(&KEYS)));
    }
    steps
}

fn comments(text: &str) -> Vec<&str> {
    text.match_indices(" c")
        .map(|(at, _)| &text[at + 1..])
        .filter_map(|rest| rest.split_once('.').map(|(name, _)| name))
        .filter(|name| name[1..].bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

#[test]
fn random_edits_do_what_they_mean() {
    let mut random = Random(0x5EA_3A11);
    let (mut made, mut nothing, mut refused) = (0, 0, 0);
    for round in 0..6000 {
        let (text, place) = file(&mut random);
        let before = compiled(&text);
        let literal = &before["variables"]["literal"];
        let steps = random_way(&mut random, literal);
        let act = match random.below(6) {
            0..=2 => Act::Set(random_value(&mut random, 2)),
            3 => Act::Add(random_value(&mut random, 1)),
            4 => Act::Remove,
            _ => Act::Replace {
                key: "replaced".to_owned(),
                value: random_value(&mut random, 1),
            },
        };
        let change = Change {
            place: place.clone(),
            steps: &steps,
            act,
        };
        let told = || format!("round {round}\n{text}\n{change:?}");
        let mut editor = Editor::new(&text, Form::Template);
        let changed = match editor.apply(std::slice::from_ref(&change)) {
            Ok(changed) => changed,
            Err(refusal) => {
                assert!(refusal != Refusal::Unsafe, "{}", told());
                refused += 1;
                continue;
            }
        };
        let edits = editor.finish();
        let after = apply(&text, &edits);
        let mut expected = before.clone();
        modelled(&mut expected["variables"]["literal"], &steps, &change.act)
            .unwrap_or_else(|| panic!("{}\n{after}", told()));
        let found = compiled(&after);
        assert!(
            found == expected,
            "{}\n{after}\n{}\n{}",
            told(),
            found["variables"],
            expected["variables"]
        );
        if !changed {
            assert_eq!(after, text);
            nothing += 1;
            continue;
        }
        made += 1;
        if matches!(change.act, Act::Add(_)) {
            assert_eq!(comments(&after), comments(&text), "{}\n{after}", told());
        }
        if matches!(change.act, Act::Replace { .. }) {
            continue;
        }
        let moved = place.start..after.len() - (text.len() - place.end);
        let mut again = Editor::new(&after, Form::Template);
        let change = Change {
            place: moved,
            ..change.clone()
        };
        // An item's number means another one when one is gone.
        let by_number = matches!(
            (&change.act, steps.last()),
            (Act::Remove, Some(Step::Index(_)))
        );
        if !by_number {
            assert_eq!(again.apply(&[change]), Ok(false), "{}\n{after}", told());
        }
    }
    assert!(made > 2000 && nothing > 50, "{made} {nothing} {refused}");
}
