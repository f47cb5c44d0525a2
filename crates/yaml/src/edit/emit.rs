//! From what becomes of each place to pieces of text. It leaves out how maps and lists without
//! brackets (`block`) and with brackets (`flow`) change.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::layout::{Child, Form, Kind, Place, PlaceId};
use super::lines::Lines;
use super::plan::{Change, Plan};
use super::quote::{self, Context};
use super::refusal::Refusal;
use super::render::Render;
use super::style::{self, Style};
use super::value::Value;

/// One replacement in the document's text.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
    /// levels above what changes: of insertions at one offset the deeper comes first
    depth: usize,
}

pub(crate) struct Emit<'p, 't> {
    pub(super) plan: &'p Plan<'t>,
    pub(super) style: &'p Style,
    pub(super) pieces: Vec<Piece>,
    /// how much deeper maps and lists stand in a map, where it was asked before
    widths: RefCell<HashMap<PlaceId, Widths>>,
}

/// Of a map in a map, and of a list in a map.
type Widths = (Option<usize>, Option<usize>);

pub(crate) type Emitted = Result<(), Refusal>;

/// The children of a collection, sorted by what becomes of them.
pub(super) struct Fate<'p, 't> {
    pub(super) place: &'p Place<'t>,
    pub(super) removed: Vec<bool>,
    pub(super) added: &'p [(Option<String>, Value)],
}

impl Fate<'_, '_> {
    pub(super) fn last_kept(&self) -> Option<usize> {
        self.removed.iter().rposition(|removed| !removed)
    }

    /// What is added, as a collection of its own.
    pub(super) fn value(&self) -> Value {
        let added = self.added.iter();
        match self.place.kind {
            Kind::Map => Value::Map(
                added
                    .map(|(key, value)| (key.clone().unwrap_or_default(), value.clone()))
                    .collect(),
            ),
            _ => Value::List(added.map(|(_, value)| value.clone()).collect()),
        }
    }

    pub(super) fn empty(&self) -> &'static str {
        match self.place.kind {
            Kind::Map => "{}",
            _ => "[]",
        }
    }
}

/// The pieces of one document, in order, none touching another.
pub(crate) fn pieces(plan: &Plan<'_>, style: &Style) -> Result<Vec<Piece>, Refusal> {
    let mut emit = Emit {
        plan,
        style,
        pieces: Vec::new(),
        widths: RefCell::default(),
    };
    let mut collections = BTreeSet::new();
    for (id, change) in &plan.changes {
        if emit.covered(*id) {
            continue;
        }
        if change.removed {
            let parent = plan.layout.get(*id).and_then(|place| place.parent);
            collections.extend(parent.map(|(parent, _)| parent));
            continue;
        }
        if let Some(key) = &change.key {
            emit.rename(*id, key);
        }
        if let Some(value) = &change.value {
            emit.value(*id, value)?;
        } else if !change.added.is_empty() {
            collections.insert(*id);
        }
    }
    for id in collections {
        emit.collection(id)?;
    }
    let mut pieces = emit.pieces;
    pieces.retain(|piece| piece.start < piece.end || !piece.text.is_empty());
    pieces.sort_by_key(|piece| {
        let inserts = piece.start == piece.end;
        (piece.start, !inserts, std::cmp::Reverse(piece.depth))
    });
    // Two insertions at the end of the text may both have closed the scalar before them.
    pieces.dedup_by(|a, b| a.text == "-" && (a.start, a.end, &a.text) == (b.start, b.end, &b.text));
    let ordered = pieces.windows(2).all(|pair| match pair {
        [a, b] => a.end <= b.start,
        _ => true,
    });
    if ordered {
        Ok(pieces)
    } else {
        Err(Refusal::Unsafe)
    }
}

impl<'p, 't> Emit<'p, 't> {
    pub(super) fn lines(&self) -> &'p Lines<'t> {
        &self.plan.lines
    }

    pub(super) fn place(&self, id: PlaceId) -> Result<&'p Place<'t>, Refusal> {
        self.plan.layout.get(id).ok_or(Refusal::Unsafe)
    }

    fn changed(&self, id: PlaceId) -> Option<&'p Change> {
        self.plan.changes.get(&id)
    }

    /// Whether something above a place goes or is replaced.
    fn covered(&self, id: PlaceId) -> bool {
        let mut at = self.plan.layout.get(id).and_then(|place| place.parent);
        while let Some((parent, _)) = at {
            let change = self.changed(parent);
            if change.is_some_and(|change| change.removed || change.value.is_some()) {
                return true;
            }
            at = self.plan.layout.get(parent).and_then(|place| place.parent);
        }
        false
    }

    fn depth(&self, id: PlaceId) -> usize {
        let mut depth = 0;
        let mut at = self.plan.layout.get(id).and_then(|place| place.parent);
        while let Some((parent, _)) = at {
            depth += 1;
            at = self.plan.layout.get(parent).and_then(|place| place.parent);
        }
        depth
    }

    pub(super) fn piece(&mut self, id: PlaceId, start: usize, end: usize, text: String) {
        let depth = self.depth(id);
        self.pieces.push(Piece {
            start,
            end,
            text,
            depth,
        });
    }

    pub(super) fn form(&self, what: &'static str, at: u32) -> Refusal {
        Refusal::Form {
            what,
            line: self.plan.line(at),
        }
    }

    fn fate(&self, id: PlaceId) -> Result<Fate<'p, 't>, Refusal> {
        let place = self.place(id)?;
        let removed = place.children.iter().map(|child| {
            let change = self.changed(child.place);
            change.is_some_and(|change| change.removed)
        });
        Ok(Fate {
            place,
            removed: removed.collect(),
            added: self.changed(id).map_or(&[], |change| &change.added),
        })
    }

    fn collection(&mut self, id: PlaceId) -> Emitted {
        let fate = self.fate(id)?;
        match fate.place.form {
            Form::Block => self.block(id, &fate),
            Form::Flow => self.flow(id, &fate),
            Form::Pair => {
                Err(self.form("this map has no braces of its own", fate.place.span.start))
            }
        }
    }

    fn value(&mut self, id: PlaceId, value: &Value) -> Emitted {
        let place = self.place(id)?;
        let parent = match place.parent {
            Some((parent, _)) => Some(self.place(parent)?),
            None => None,
        };
        match parent {
            Some(parent) if parent.form != Form::Block => self.flow_value(id, place, value),
            Some(parent) => self.block_value(id, place, parent, value),
            None => self.root_value(id, place, value),
        }
    }

    pub(super) fn root_value(&mut self, id: PlaceId, place: &Place<'_>, value: &Value) -> Emitted {
        let start = self.content_start(place)?;
        let mut text = String::new();
        let render = self.render(start, None);
        if place.form == Form::Flow {
            let indent = self.style.unit.is_some().then_some("");
            render.brackets(&mut text, value, indent);
        } else {
            render.block(&mut text, value, self.lines().column(start));
        }
        self.piece(id, start, place.span.end as usize, text);
        Ok(())
    }

    /// Where a value's text begins; a tag goes with it, an anchor stays.
    pub(super) fn content_start(&self, place: &Place<'_>) -> Result<usize, Refusal> {
        Ok(match (place.tag, place.anchor) {
            (Some(tag), Some(anchor)) if tag.start < anchor.start => {
                return Err(self.form("a tag stands before an anchor", tag.start));
            }
            (Some(tag), _) => tag.start as usize,
            (None, _) => place.span.start as usize,
        })
    }

    /// Behind `:`, `-` and an anchor: where a value may begin.
    pub(super) fn head(&self, place: &Place<'_>, child: &Child<'_>) -> Result<usize, Refusal> {
        let Some(after) = child.after else {
            return Err(self.form("this key has no `:`", child.lead));
        };
        Ok(after.max(place.anchor.map_or(0, |anchor| anchor.end)) as usize)
    }

    /// How to write near an offset, in a map.
    pub(super) fn render(&self, at: usize, map: Option<PlaceId>) -> Render<'p> {
        let (map, list) = map.map_or((None, None), |id| {
            *self.widths.borrow_mut().entry(id).or_insert_with(|| {
                let layout = &self.plan.layout;
                let width = |is_map| style::siblings(layout, self.lines(), id, is_map);
                (width(true), width(false))
            })
        });
        Render {
            style: self.style,
            line_break: self.lines().line_break(at),
            step: map.unwrap_or_else(|| self.style.step()).max(1),
            list: list.unwrap_or_else(|| self.style.list()),
            json: self.style.json,
            // Without a line break at the end the text would lose its own.
            literal: self.lines().column(self.lines().len()) == 0,
        }
    }

    fn rename(&mut self, id: PlaceId, key: &str) {
        let Some(old) = self
            .plan
            .layout
            .own_child(id)
            .and_then(|child| child.key.as_ref())
        else {
            return;
        };
        let (start, end) = (old.span.start as usize, old.span.end as usize);
        let parent = self.plan.layout.get(id).and_then(|place| place.parent);
        let parent = parent.and_then(|(parent, _)| self.plan.layout.get(parent));
        let quoted = self
            .lines()
            .text
            .get(start..end)
            .is_some_and(|old| old.starts_with('"'));
        let mut text = String::new();
        if quoted {
            quote::double(&mut text, key, self.style.json);
        } else {
            let block = parent.is_some_and(|parent| parent.form == Form::Block);
            let context = if block { Context::Block } else { Context::Flow };
            quote::string(&mut text, key, context, self.style.single);
        }
        self.piece(id, start, end, text);
    }
}
