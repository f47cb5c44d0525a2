//! What may change an object of a chart: the value that leads to it, the template's own text. Which value it is, is
//! found by marking: every map of the values gets a key of its own, and where that key turns up in what is rendered,
//! the map was written. Scalars that the template names are tried one by one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model::remedy::{Act, Change, Step};
use yaml::edit::Value;

use super::super::cure::{Cure, Way};
use super::chart::{Chart, Reference};
use super::values::{at, json, mapped, written};
use super::{Candidate, Object, Rendered, Rendering, Try};

/// Scalars that are tried for one cure.
const SCALARS: usize = 8;

pub(super) fn candidates(
    rendered: &Rendered<'_>,
    folder: &Path,
    before: &Rendering,
    wanted: &[Cure],
) -> Vec<Vec<Candidate>> {
    let chart = Chart::read(folder, &rendered.tools.values);
    let marks = Marks::of(rendered, folder, &chart);
    wanted
        .iter()
        .map(|cure| {
            let Some(object) = before.objects.get(cure.document as usize) else {
                return Vec::new();
            };
            let mut found = Vec::new();
            marks.candidates(rendered, &chart, cure, object, &mut found);
            scalars(rendered, &chart, cure, object, &mut found);
            found.extend(super::template::candidate(rendered, folder, cure, object));
            found.push(super::post::candidate(rendered, folder, cure, object));
            found
        })
        .collect()
}

/// A marked map of the values.
struct Mark {
    /// Where it is in the values.
    at: Vec<Step>,
}

/// Where marked maps turn up.
struct Marks {
    marks: Vec<Mark>,
    after: Option<Rendering>,
}

/// What marks begin with.
const MARK: &str = "seawall-probe-";
/// The values file that holds them; it is never written.
const PROBE: &str = "seawall-probe.yaml";
/// Maps that are marked.
const MOST: usize = 5000;

impl Marks {
    fn of(rendered: &Rendered<'_>, folder: &Path, chart: &Chart) -> Self {
        // Maps that templates write and that nobody gives are tried too; where that breaks one, those that are given.
        for absent in [true, false] {
            let mut marked = chart.merged.clone();
            let mut marks = Vec::new();
            if absent {
                for reference in chart.references.iter().filter(|one| one.whole) {
                    place(&mut marked, reference);
                }
            }
            mark(&mut marked, &mut Vec::new(), &mut marks);
            let mut tools = rendered.tools.clone();
            tools.values.push(PROBE.into());
            let text = json(&marked).to_string();
            let overlay = Arc::new(BTreeMap::from([(Arc::from(PROBE), text)]));
            if let Ok(text) = sources::render(folder, &tools, &overlay) {
                return Self {
                    marks,
                    after: Some(Rendering::of(&text)),
                };
            }
        }
        Self {
            marks: Vec::new(),
            after: None,
        }
    }

    /// Values files with the map that holds what a cure changes, the closest first.
    fn candidates(
        &self,
        rendered: &Rendered<'_>,
        chart: &Chart,
        cure: &Cure,
        object: &Object,
        found: &mut Vec<Candidate>,
    ) {
        let Some(now) = self.after.as_ref().and_then(|after| after.find(object)) else {
            return;
        };
        let mut places = Vec::new();
        find(&now.value, &mut Vec::new(), &mut places);
        // For each change the values that hold it.
        let mut ways: Vec<Vec<Vec<Step>>> = Vec::new();
        for change in &cure.changes {
            let Some(way) = mapped(&object.value, &now.value, &change.at) else {
                return;
            };
            let mut holders: Vec<(usize, Vec<Step>)> = places
                .iter()
                .filter(|(holder, _)| holder.len() < way.len() && way.starts_with(holder))
                .filter_map(|(holder, number)| {
                    let mark = self.marks.get(*number)?;
                    let rest = way.get(holder.len()..)?;
                    Some((holder.len(), [&mark.at[..], rest].concat()))
                })
                .collect();
            holders.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
            ways.push(holders.into_iter().map(|(_, way)| way).collect());
        }
        let most = ways.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..most {
            let moved = cure.changes.iter().zip(&ways).map(|(change, ways)| {
                let at = ways.get(number).or(ways.last())?.clone();
                Some(Change {
                    at,
                    ..change.clone()
                })
            });
            let Some(moved) = moved.collect::<Option<Vec<Change>>>() else {
                return;
            };
            found.extend(in_values(rendered, chart, cure, &moved, Try::Together));
        }
    }
}

/// Gives each map a key of its own.
fn mark(value: &mut Value, way: &mut Vec<Step>, marks: &mut Vec<Mark>) {
    match value {
        Value::Map(entries) => {
            for (key, value) in entries.iter_mut() {
                way.push(Step::Key(key.as_str().into()));
                mark(value, way, marks);
                way.pop();
            }
            if !way.is_empty() && marks.len() < MOST {
                let name = format!("{MARK}{}", marks.len());
                entries.push((name, Value::String("seawall".to_owned())));
                marks.push(Mark { at: way.clone() });
            }
        }
        Value::List(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                way.push(Step::Index(index));
                mark(value, way, marks);
                way.pop();
            }
        }
        _ => {}
    }
}

/// Makes the maps that a reference names where nothing stands; one within the items of lists is made in each of them.
fn place(values: &mut Value, reference: &Reference) {
    if !reference.relative {
        let mut here = values;
        for key in &reference.keys {
            if !matches!(here, Value::Map(_) | Value::Null) {
                return;
            }
            here = super::values::entry(here, key);
        }
        if *here == Value::Null {
            *here = Value::Map(Vec::new());
        }
        return;
    }
    match values {
        Value::Map(entries) => {
            for (_, value) in entries {
                place(value, reference);
            }
        }
        Value::List(items) => {
            for item in items {
                if matches!(item, Value::Map(_)) {
                    let absolute = Reference {
                        relative: false,
                        ..reference.clone()
                    };
                    place(item, &absolute);
                }
                place(item, reference);
            }
        }
        _ => {}
    }
}

/// Where marks stand in what was rendered: the way to the map that holds one, and its number.
fn find(value: &Value, way: &mut Vec<Step>, places: &mut Vec<(Vec<Step>, usize)>) {
    match value {
        Value::Map(entries) => {
            for (key, value) in entries {
                if let Some(number) = key.strip_prefix(MARK) {
                    places.extend(number.parse().ok().map(|number| (way.clone(), number)));
                    continue;
                }
                way.push(Step::Key(key.as_str().into()));
                find(value, way, places);
                way.pop();
            }
        }
        Value::List(items) => {
            for (index, value) in items.iter().enumerate() {
                way.push(Step::Index(index));
                find(value, way, places);
                way.pop();
            }
        }
        _ => {}
    }
}

/// Scalars that the object's template names and that may become what a cure wants.
fn scalars(
    rendered: &Rendered<'_>,
    chart: &Chart,
    cure: &Cure,
    object: &Object,
    found: &mut Vec<Candidate>,
) {
    let [change] = &*cure.changes else { return };
    let Some(Step::Key(last)) = change.at.last() else {
        return;
    };
    let now = at(&object.value, &change.at);
    let wanted = match &change.act {
        Act::Set(_) => written(&change.act),
        Act::Remove => Some(Value::Bool(false)),
        Act::Add(_) | Act::Replace { .. } | Act::Wrap { .. } => None,
    };
    let Some(wanted) = wanted.filter(is_scalar) else {
        return;
    };
    let mut ways: Vec<(bool, Vec<Step>, Value)> = Vec::new();
    for reference in chart.references_of(object.source.as_deref()) {
        let way: Vec<Step> = reference
            .keys
            .iter()
            .map(|key| Step::Key(key.clone()))
            .collect();
        let named = reference.keys.last().is_some_and(|key| key == last);
        let value = at(&chart.merged, &way);
        // A part of a text: the registry of an image.
        if let (Some(Value::String(part)), Some(Value::String(now)), Value::String(wanted)) =
            (value, now, &wanted)
            && part != now
            && let Some(new) = part_of(part, now, wanted)
            && !ways.iter().any(|(_, other, _)| *other == way)
        {
            ways.push((true, way, Value::String(new)));
            continue;
        }
        let may = match value {
            None | Some(Value::Null) => named,
            Some(Value::Bool(value)) => {
                *value && wanted == Value::Bool(false) || now == Some(&Value::Bool(*value)) || named
            }
            Some(value) => is_scalar(value) && (now == Some(value) || named),
        };
        if may && value != Some(&wanted) && !ways.iter().any(|(_, other, _)| *other == way) {
            ways.push((named, way, wanted.clone()));
        }
    }
    // Those that are called alike first.
    ways.sort_by_key(|(named, _, _)| !*named);
    for (_, way, value) in ways.into_iter().take(SCALARS) {
        let change = Change {
            at: way,
            act: Act::Set(json(&value).to_string().into()),
            ..change.clone()
        };
        found.extend(in_values(rendered, chart, cure, &[change], Try::Alone));
    }
}

/// What a part of a text becomes when the text becomes another one and all around the part stays.
fn part_of(part: &str, now: &str, wanted: &str) -> Option<String> {
    let (before, after) = now.split_once(part).filter(|_| !part.is_empty())?;
    let new = wanted.strip_prefix(before)?.strip_suffix(after)?;
    (!new.is_empty() && new != part).then(|| new.to_owned())
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Map(_) | Value::List(_) | Value::Null)
}

/// A cure as edits of the file of values that counts for what is changed.
fn in_values(
    rendered: &Rendered<'_>,
    chart: &Chart,
    cure: &Cure,
    changes: &[Change],
    how: Try,
) -> Vec<Candidate> {
    let mut found = Vec::new();
    let ways = || changes.iter().map(|change| &change.at[..]);
    // The last file that says it, or holds it; else the chart's own.
    let file = chart
        .files
        .iter()
        .rev()
        .find(|file| ways().any(|way| at(&file.value, way).is_some()))
        .or_else(|| {
            let holds = |file: &&super::chart::File| {
                ways().any(|way| {
                    let holder = way.split_last().map_or(&[][..], |(_, holder)| holder);
                    !holder.is_empty() && at(&file.value, holder).is_some()
                })
            };
            chart.files.iter().rev().find(holds)
        })
        .or(chart.files.first());
    let Some(file) = file else {
        return vec![Err("the chart has no file `values.yaml`".to_owned())];
    };
    let shown = sources::shown(&file.path);
    if !rendered.may_edit(&file.path) && !rendered.tools.values.contains(&file.path) {
        return vec![Err(format!(
            "its value stands in `{shown}`, which was not given"
        ))];
    }
    let base = Cure {
        path: shown.into(),
        document: 0,
        changes: changes.into(),
        way: Way::Document,
        ..cure.clone()
    };
    // What another file gives is not gone when it is taken out of this one: nothing is put in its place.
    if changes
        .iter()
        .any(|change| matches!(change.act, Act::Remove | Act::Replace { .. }))
    {
        let hidden: Vec<Change> = changes.iter().flat_map(without).collect();
        found.push(Ok((how, base.clone())));
        found.push(Ok((
            how,
            Cure {
                changes: hidden.into(),
                ..base
            },
        )));
    } else {
        found.push(Ok((how, base)));
    }
    found
}

/// A change that sets what it would take away to nothing.
fn without(change: &Change) -> Vec<Change> {
    let nothing = Change {
        act: Act::Set("null".into()),
        ..change.clone()
    };
    match &change.act {
        Act::Remove => vec![nothing],
        Act::Replace { key, value } => {
            let mut at = change.at.clone();
            at.pop();
            at.push(Step::Key(key.clone()));
            let new = Change {
                at,
                act: Act::Set(value.clone()),
                ..change.clone()
            };
            vec![nothing, new]
        }
        _ => vec![change.clone()],
    }
}
