//! A value that goes deeper: what stands behind a key becomes a part of a new value, and its lines move to the right with
//! their comments. Maps in lines of their own are moved, and maps in brackets on the line of their key; JSON, which has no
//! comments, is written anew there. What stands behind an anchor is refused.

use crate::Raw;

use super::editor::places;
use super::layout::{Form, Found, Kind};
use super::refusal::Refusal;
use super::{Edit, Editor, Operation, Options, Step, Value, apply, route_text};

/// What stands in the new value's text where the old one comes.
const HOLE: &str = "seawall-hole";

/// Which value goes into which.
#[derive(Debug, Clone)]
pub(super) struct Nest {
    route: Vec<Step>,
    around: Value,
    within: Vec<Box<str>>,
}

/// Where the old value is in the text of its document.
enum Old {
    /// on the line of its key
    Inline {
        start: usize,
        end: usize,
    },
    Lined(Lined),
    /// it may be written anew
    Json,
}

/// Whole lines.
struct Lined {
    start: usize,
    end: usize,
    /// columns in front of them
    indent: usize,
    /// columns by which they are deeper than the key
    step: usize,
}

impl Nest {
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::Nest {
                route,
                around,
                within,
            } => Some(Self {
                route: route.clone(),
                around: around.clone(),
                within: within.clone(),
            }),
            _ => None,
        }
    }

    /// The text of a document with the value moved, proved.
    pub(super) fn made(
        &self,
        text: &str,
        raw: &Raw<'_>,
        options: &Options,
    ) -> Result<String, Refusal> {
        let old = self.find(text, raw, options)?;
        let read = |text: &str| Value::read(text).map_err(|_| Refusal::Unsafe);
        let mut before = read(text)?;
        let Some(Step::Key(key)) = self.route.last() else {
            return Err(Refusal::NoRoute);
        };
        let mut value = with_hole(&self.around, &self.within);
        if matches!(old, Old::Json) {
            let moves = at_mut(&mut before, &self.route).ok_or(Refusal::Unsafe)?;
            if !fill(&mut value, moves, 0) {
                return Err(Refusal::Unsafe);
            }
        }
        let replaced = Operation::Replace {
            route: self.route.clone(),
            key: key.to_string(),
            value,
        };
        let mut made = Err(Refusal::Unsafe);
        for (bare, says) in old.bases(text, &before, &self.route) {
            if read(&bare).is_ok_and(|now| now == says) {
                made = replace(&bare, &replaced, options)
                    .and_then(|holed| self.moved(text, &mut before, &old, holed));
            }
            if made.is_ok() {
                break;
            }
        }
        made
    }

    /// The text with the old value in the hole, proved.
    fn moved(
        &self,
        text: &str,
        before: &mut Value,
        old: &Old,
        holed: String,
    ) -> Result<String, Refusal> {
        let moved = match old {
            Old::Json => return Ok(holed),
            Old::Inline { start, end } => {
                text.get(*start..*end).and_then(|old| inlined(&holed, old))
            }
            Old::Lined(lined) => filled(&holed, text, lined),
        };
        let moved = moved.ok_or(Refusal::Unsafe)?;
        let read = |text: &str| Value::read(text).map_err(|_| Refusal::Unsafe);
        let old = at_mut(before, &self.route).ok_or(Refusal::Unsafe)?;
        let mut meant = read(&holed)?;
        if !fill(&mut meant, old, 0) || read(&moved)? != meant {
            return Err(Refusal::Unsafe);
        }
        Ok(moved)
    }

    /// Where the lines are, if they can be moved.
    fn find(&self, text: &str, raw: &Raw<'_>, options: &Options) -> Result<Old, Refusal> {
        let missing = || Refusal::Missing(route_text(&self.route));
        let (mut layout, json) = places(text, raw, options)?;
        let mut at = layout.root.ok_or(Refusal::Empty)?;
        let mut lead = 0;
        for step in &self.route {
            let Step::Key(key) = step else {
                return Err(missing());
            };
            let Found::Once(slot) = layout.find(at, key, options.any_case) else {
                return Err(missing());
            };
            let child = layout.child(at, slot).ok_or_else(missing)?;
            lead = child.lead as usize;
            at = child.place;
        }
        let place = layout.get(at).ok_or_else(missing)?;
        let (start, end) = (place.span.start as usize, place.span.end as usize);
        let first = line_start(text, start);
        let moves = place.kind == Kind::Map && place.anchor.is_none() && place.tag.is_none();
        if moves && json {
            return Ok(Old::Json);
        }
        let is_inline = place.form == Form::Flow
            && text
                .get(lead..end)
                .is_some_and(|all| !all.contains(['\n', '\r', '#']));
        if moves && is_inline {
            return Ok(Old::Inline { start, end });
        }
        let own_lines = moves
            && place.form == Form::Block
            && first > lead
            && is_blank(text.get(first..start).unwrap_or_default())
            && is_blank(text.get(line_start(text, lead)..lead).unwrap_or_default());
        let (indent, key) = (start - first, lead - line_start(text, lead));
        if !own_lines || indent <= key {
            return Err(Refusal::Form {
                what: "what stands here is no map in lines of its own or on the line of its key",
                line: raw.line + text.get(..lead).unwrap_or_default().matches('\n').count() as u32,
            });
        }
        let from = text
            .get(lead..)
            .and_then(|rest| rest.find('\n'))
            .map_or(text.len(), |found| lead + found + 1);
        let (mut at, mut end) = (from, from);
        for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
            at += line.len();
            if !is_blank(line) {
                if line.len() - line.trim_start_matches(' ').len() <= key {
                    break;
                }
                end = at;
            }
        }
        Ok(Old::Lined(Lined {
            start: from,
            end,
            indent,
            step: indent - key,
        }))
    }
}

/// An edit that makes one text of another, without the lines that both begin and end with.
pub(super) fn edit(before: &str, after: &str, offset: usize) -> Edit {
    let same: usize = before
        .split_inclusive('\n')
        .zip(after.split_inclusive('\n'))
        .take_while(|(one, other)| one == other)
        .map(|(line, _)| line.len())
        .sum();
    let rest = before.len().min(after.len()) - same;
    let back: usize = before
        .split_inclusive('\n')
        .rev()
        .zip(after.split_inclusive('\n').rev())
        .take_while(|(one, other)| one == other)
        .map(|(line, _)| line.len())
        .scan(0, |sum, length| {
            *sum += length;
            (*sum <= rest).then_some(length)
        })
        .sum();
    Edit {
        start: offset + same,
        end: offset + before.len() - back,
        text: after
            .get(same..after.len() - back)
            .unwrap_or_default()
            .to_owned(),
    }
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).and_then(|before| before.rfind('\n'));
    before.map_or(0, |found| found + 1)
}

fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\r', '\n']).is_empty()
}

/// The value with the hole in it.
fn with_hole(around: &Value, within: &[Box<str>]) -> Value {
    let Some((key, rest)) = within.split_first() else {
        return Value::String(HOLE.to_owned());
    };
    let mut entries = match around {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let found = entries.iter().position(|(own, _)| **own == **key);
    let old = found.map_or(Value::Null, |found| entries.remove(found).1);
    let place = found.unwrap_or(entries.len());
    entries.insert(place, (key.to_string(), with_hole(&old, rest)));
    Value::Map(entries)
}

/// The text with the old value in the hole, where it stands on a line with others.
fn inlined(holed: &str, old: &str) -> Option<String> {
    let (before, after) = holed.split_once(HOLE)?;
    (!after.contains(HOLE)).then(|| format!("{before}{old}{after}"))
}

/// The text with the old lines in the hole.
fn filled(holed: &str, old: &str, lined: &Lined) -> Option<String> {
    let ending = format!(": {HOLE}");
    let mut out = String::with_capacity(holed.len() + lined.end - lined.start);
    let mut done = false;
    for line in holed.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let Some(key) = content.strip_suffix(&*ending) else {
            out.push_str(line);
            continue;
        };
        if done {
            return None;
        }
        done = true;
        let column = key.len() - key.trim_start_matches(' ').len();
        let right = (column + lined.step).checked_sub(lined.indent)?;
        let end = line.get(content.len()..).filter(|end| !end.is_empty());
        out.push_str(key);
        out.push(':');
        out.push_str(end.unwrap_or("\n"));
        let lines = old.get(lined.start..lined.end)?;
        for line in lines.split_inclusive('\n') {
            if !line.trim_matches(['\r', '\n']).is_empty() {
                out.extend(std::iter::repeat_n(' ', right));
            }
            out.push_str(line);
        }
        // The last line of a text may have no end, and others may follow now.
        if end.is_some() && !lines.ends_with('\n') {
            out.push_str(end.unwrap_or_default());
        }
    }
    done.then_some(out)
}

/// The value at the end of a route.
fn at_mut<'v>(value: &'v mut Value, route: &[Step]) -> Option<&'v mut Value> {
    route
        .iter()
        .try_fold(value, |value, step| match (value, step) {
            (Value::Map(entries), Step::Key(key)) => entries
                .iter_mut()
                .find(|(own, _)| **own == **key)
                .map(|(_, value)| value),
            _ => None,
        })
}

/// A text after one operation.
fn replace(text: &str, operation: &Operation, options: &Options) -> Result<String, Refusal> {
    let mut editor = Editor::new(text, options.clone());
    editor.apply(0, std::slice::from_ref(operation))?;
    let outcome = editor.finish();
    match outcome.refused.into_iter().next() {
        Some((_, refusal)) => Err(refusal),
        None => Ok(apply(text, &outcome.edits)),
    }
}

impl Old {
    /// Texts in which the new value may come, and what they must say: without comments at the ends of the old one, which
    /// belong to it; without the old one, whose anchors go where it goes.
    fn bases(&self, text: &str, before: &Value, route: &[Step]) -> Vec<(String, Value)> {
        let Self::Lined(lined) = self else {
            return vec![(text.to_owned(), before.clone())];
        };
        let mut nothing = before.clone();
        if let Some(moves) = at_mut(&mut nothing, route) {
            *moves = Value::Null;
        }
        let bare = [
            lined.uncommented(text, true),
            lined.uncommented(text, false),
        ];
        let bare = bare
            .into_iter()
            .flatten()
            .map(|bare| (bare, before.clone()));
        bare.chain(lined.without(text).map(|bare| (bare, nothing)))
            .collect()
    }
}

impl Lined {
    /// The text without the lines.
    fn without(&self, text: &str) -> Option<String> {
        Some(format!(
            "{}{}",
            text.get(..self.start)?,
            text.get(self.end..)?
        ))
    }

    /// The text without comments in front of the first key, and without those behind the last value if that is wanted.
    fn uncommented(&self, text: &str, both: bool) -> Option<String> {
        let lines = text.get(self.start..self.end)?;
        let is_comment = |line: &&str| is_blank(line) || line.trim_start().starts_with('#');
        let front: usize = lines
            .split_inclusive('\n')
            .take_while(is_comment)
            .map(str::len)
            .sum();
        let back: usize = lines
            .split_inclusive('\n')
            .rev()
            .take_while(|line| both && is_comment(line))
            .map(str::len)
            .sum();
        let kept = lines.get(front..lines.len().checked_sub(back)?)?;
        Some(format!(
            "{}{kept}{}",
            text.get(..self.start)?,
            text.get(self.end..)?
        ))
    }
}

/// Puts a value into the hole; whether there was one.
fn fill(value: &mut Value, old: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) if text == HOLE => {
            *value = old.clone();
            true
        }
        Value::Map(entries) if depth < 64 => entries
            .iter_mut()
            .any(|(_, value)| fill(value, old, depth + 1)),
        _ => false,
    }
}
