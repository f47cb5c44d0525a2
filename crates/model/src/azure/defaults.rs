//! What the API fills in where a template says nothing: absent is not false. The facts stand in
//! `guide/data/arm-defaults/`, each with its source.

use std::collections::BTreeMap;

use cel::Symbols;

use super::Found;
use crate::doc::Doc;
use crate::value::Ref;

/// A value without a place.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    List(Vec<Self>),
    /// The API sets something, but nobody says what.
    Undocumented,
}

/// One documented default.
#[derive(Debug, Clone, PartialEq)]
struct Default {
    /// Keys from the resource down; a key that ends with `[]` stands for every item of a list.
    path: Vec<(Box<str>, bool)>,
    value: Plain,
    /// First and last API version it holds for, dates.
    from: Option<Box<str>>,
    until: Option<Box<str>>,
    /// Holds only where these texts stand: route and value.
    when: Vec<(Vec<Box<str>>, Box<str>)>,
    /// Where it was read, and when.
    source: Box<str>,
    seen: Box<str>,
}

/// The documented defaults by resource type.
#[derive(Debug, Clone, std::default::Default)]
pub struct Defaults {
    by_type: BTreeMap<Box<str>, Vec<Default>>,
}

impl Defaults {
    /// Reads one data file and adds what it says.
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn add(&mut self, root: Ref<'_>) -> Result<(), (u32, String)> {
        let line = |value: Ref<'_>| value.doc.line_column(value.span().start).0;
        for (kind, _, properties) in root.entries() {
            if !properties.is_map() || !kind.contains('/') {
                return Err((
                    line(properties),
                    format!("`{kind}` must be a resource type with a map of properties"),
                ));
            }
            for (path, _, says) in properties.entries() {
                let several = if says.is_list() {
                    says.items().collect()
                } else {
                    vec![says]
                };
                for one in several {
                    let read = read(path, one).map_err(|message| (line(one), message))?;
                    self.by_type
                        .entry(kind.to_ascii_lowercase().into())
                        .or_default()
                        .push(read);
                }
            }
        }
        Ok(())
    }

    /// When each default was read (ISO dates).
    pub fn seen(&self) -> impl Iterator<Item = &str> {
        self.by_type.values().flatten().map(|one| &*one.seen)
    }

    /// Where each default was read.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.by_type.values().flatten().map(|one| &*one.source)
    }

    /// When the defaults of a type were read whose way from the resource begins with these keys, or leads to them.
    pub fn seen_at<'d>(&'d self, kind: &str, keys: &'d [&str]) -> impl Iterator<Item = &'d str> {
        let defaults = self.by_type.get(&*kind.to_ascii_lowercase());
        defaults
            .into_iter()
            .flatten()
            .filter(move |one| {
                one.path
                    .iter()
                    .zip(keys)
                    .all(|((own, _), key)| **own == **key)
            })
            .map(|one| &*one.seen)
    }

    /// Fills a resource's defaults in, without a place of their own. What Azure itself returned
    /// (`live`) leaves nothing undocumented open: absent is absent. And the version it was read with
    /// is not the one it was made with: a default that began with a version is set on what was made
    /// since then, so what is absent has the one that held from the start.
    pub(super) fn fill(&self, doc: &mut Doc, found: &Found, symbols: &Symbols, live: bool) {
        let Some(defaults) = self.by_type.get(&*found.kind.to_ascii_lowercase()) else {
            return;
        };
        for default in defaults {
            if live && (default.value == Plain::Undocumented || default.from.is_some()) {
                continue;
            }
            match default.holds(doc, found, live) {
                Some(true) => {
                    default.apply(doc, found.root.0, &default.path, &default.value, symbols)
                }
                Some(false) => {}
                // Whether this default or another one holds hangs on a value that is open.
                None if live => {}
                None => default.apply(
                    doc,
                    found.root.0,
                    &default.path,
                    &Plain::Undocumented,
                    symbols,
                ),
            }
        }
    }
}

const KEYS: [&str; 8] = [
    "default", "unknown", "from", "until", "when", "source", "seen", "note",
];

fn read(path: &str, says: Ref<'_>) -> Result<Default, String> {
    if let Some((key, ..)) = says.entries().find(|(key, ..)| !KEYS.contains(key)) {
        return Err(format!("`{path}`: `{key}` is not a key of a default"));
    }
    let fact = |key: &str| {
        let said = says.get(key).and_then(Ref::as_str).map(Box::<str>::from);
        said.ok_or_else(|| format!("`{path}`: a default needs its `{key}`"))
    };
    let (source, seen) = (fact("source")?, fact("seen")?);
    let value = match (says.get("default"), says.get("unknown")) {
        (Some(value), None) => plain(value).ok_or_else(|| {
            format!("`{path}`: a default is a boolean, a number, a text or a list")
        })?,
        (None, Some(_)) => Plain::Undocumented,
        _ => return Err(format!("`{path}`: either `default` or `unknown: true`")),
    };
    let text = |key: &str| says.get(key).and_then(Ref::as_str).map(Box::<str>::from);
    let when = says
        .get("when")
        .into_iter()
        .flat_map(Ref::entries)
        .map(|(route, _, value)| {
            let value = value
                .as_str()
                .map(Box::<str>::from)
                .or_else(|| value.as_bool().map(|value| value.to_string().into()))
                .ok_or_else(|| format!("`{path}`: `when` compares texts and booleans"))?;
            Ok((route.split('.').map(Into::into).collect(), value))
        })
        .collect::<Result<_, String>>()?;
    Ok(Default {
        path: path
            .split('.')
            .map(|key| match key.strip_suffix("[]") {
                Some(list) => (list.into(), true),
                None => (key.into(), false),
            })
            .collect(),
        value,
        from: text("from"),
        until: text("until"),
        when,
        source,
        seen,
    })
}

fn plain(value: Ref<'_>) -> Option<Plain> {
    if let Some(value) = value.as_bool() {
        Some(Plain::Bool(value))
    } else if let Some(value) = value.as_int() {
        Some(Plain::Int(value))
    } else if let Some(value) = value.as_str() {
        Some(Plain::Text(value.into()))
    } else if value.is_list() {
        value
            .items()
            .map(plain)
            .collect::<Option<_>>()
            .map(Plain::List)
    } else {
        None
    }
}

impl Default {
    /// Whether the default holds for a resource; `None` when that hangs on an open value.
    fn holds(&self, doc: &Doc, found: &Found, live: bool) -> Option<bool> {
        let version = found.api_version.get(..10).unwrap_or_default();
        let within = live
            || version.is_empty()
            || (self.from.as_deref().is_none_or(|from| version >= from)
                && self.until.as_deref().is_none_or(|until| version <= until));
        if !within {
            return Some(false);
        }
        for (route, wanted) in &self.when {
            let mut at = doc.node(found.root);
            for key in route {
                if at.is_open() {
                    return None;
                }
                match at.get(key) {
                    Some(next) => at = next,
                    None => return Some(false),
                }
            }
            if at.is_open() {
                return None;
            }
            let equal = at
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(wanted))
                || at
                    .as_bool()
                    .is_some_and(|value| value.to_string() == **wanted);
            if !equal {
                return Some(false);
            }
        }
        Some(true)
    }

    fn apply(
        &self,
        doc: &mut Doc,
        at: u32,
        path: &[(Box<str>, bool)],
        value: &Plain,
        symbols: &Symbols,
    ) {
        let Some(((key, every), rest)) = path.split_first() else {
            return;
        };
        let here = doc.ref_at(at);
        if !here.is_map() {
            return;
        }
        let next = here.get(key);
        if *every {
            let items: Vec<u32> = next
                .into_iter()
                .flat_map(Ref::items)
                .map(|item| item.id().0)
                .collect();
            for item in items {
                self.apply(doc, item, rest, value, symbols);
            }
            return;
        }
        match (next.map(|next| next.id().0), rest.is_empty()) {
            (Some(_), true) => {}
            (Some(next), false) => self.apply(doc, next, rest, value, symbols),
            (None, true) => {
                let value = make(doc, value);
                doc.insert(at, symbols.get(key), key, value);
            }
            (None, false) => {
                // An empty list has no items that could take a default.
                if rest.iter().any(|(_, every)| *every) {
                    return;
                }
                let map = doc.empty_map();
                doc.insert(at, symbols.get(key), key, map);
                self.apply(doc, map, rest, value, symbols);
            }
        }
    }
}

fn make(doc: &mut Doc, value: &Plain) -> u32 {
    match value {
        Plain::Bool(value) => doc.add_bool(*value),
        Plain::Int(value) => doc.add_int(*value),
        Plain::Text(value) => doc.add_text(value),
        Plain::List(items) => {
            let items: Vec<u32> = items.iter().map(|item| make(doc, item)).collect();
            doc.add_list(&items)
        }
        Plain::Undocumented => doc.add_undocumented(),
    }
}
