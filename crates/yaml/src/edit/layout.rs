//! Where everything of one document stands: keys, colons, dashes, commas, anchors, tags.
//!
//! Made from the same tokens as the values. It leaves out what the values are (`tree`) and
//! what may be done to them (`plan`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::Span;
use crate::error::{Problem, What};
use crate::events::{Event, Events, Properties};
use crate::resolve;
use crate::scan::{Kind as Token, Style};
use crate::text::control_character;

use super::same_key;

pub(crate) type PlaceId = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Style),
    /// of an anchored value; nothing if a key has the anchor
    Alias(Option<PlaceId>),
    List,
    Map,
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Block,
    /// in brackets
    Flow,
    /// a map without brackets in a list with brackets: `[a: b]`
    Pair,
}

/// One value, where it stands.
#[derive(Debug)]
pub(crate) struct Place<'t> {
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    /// without anchor and tag
    pub(crate) span: Span,
    pub(crate) anchor: Option<Span>,
    pub(crate) tag: Option<Span>,
    /// in which collection, as which child
    pub(crate) parent: Option<(PlaceId, u32)>,
    pub(crate) children: Vec<Child<'t>>,
}

/// A value's key.
#[derive(Debug)]
pub(crate) struct Key<'t> {
    pub(crate) text: Cow<'t, str>,
    /// without anchor and tag
    pub(crate) span: Span,
    pub(crate) merge: bool,
}

/// An entry of a map or an item of a list.
#[derive(Debug)]
pub(crate) struct Child<'t> {
    pub(crate) key: Option<Key<'t>>,
    /// its first byte: of `- `, `? `, or of what stands before the key or item
    pub(crate) lead: u32,
    /// behind `:` or `-`, where a value begins; an item in brackets has none
    pub(crate) after: Option<u32>,
    pub(crate) place: PlaceId,
    /// where the comma behind it stands
    pub(crate) comma: Option<u32>,
}

#[derive(Debug, Default)]
pub(crate) struct Layout<'t> {
    pub(crate) places: Vec<Place<'t>>,
    pub(crate) root: Option<PlaceId>,
    /// aliases by the place of their anchor
    pub(crate) uses: HashMap<PlaceId, Vec<PlaceId>>,
    /// JSON: keys that stand twice in a map, of which only the last has a child
    pub(crate) repeated: HashMap<PlaceId, Vec<(String, u32, u32)>>,
    /// maps with a `<<` entry
    merging: HashSet<PlaceId>,
    /// children of large maps by key
    index: HashMap<PlaceId, HashMap<String, Found>>,
}

/// What a map has under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Once(u32),
    /// a key that stands twice, at these offsets
    Twice(u32, u32),
}

/// Up to here looking at each key is cheaper than a table.
const FEW: usize = 16;

impl<'t> Layout<'t> {
    pub(crate) fn get(&self, id: PlaceId) -> Option<&Place<'t>> {
        self.places.get(id as usize)
    }

    pub(crate) fn child(&self, id: PlaceId, slot: u32) -> Option<&Child<'t>> {
        self.get(id)?.children.get(slot as usize)
    }

    /// The entry or item that a place is.
    pub(crate) fn own_child(&self, id: PlaceId) -> Option<&Child<'t>> {
        let (parent, slot) = self.get(id)?.parent?;
        self.child(parent, slot)
    }

    /// One past the last byte of an entry or item, without its comma.
    pub(crate) fn end(&self, child: &Child<'t>) -> u32 {
        let place = self.get(child.place);
        let value = place.map_or(0, |place| {
            let properties = place
                .anchor
                .map_or(0, |s| s.end)
                .max(place.tag.map_or(0, |s| s.end));
            place.span.end.max(properties)
        });
        let key = child.key.as_ref().map_or(0, |key| key.span.end);
        value.max(key).max(child.after.unwrap_or(0))
    }

    /// The entry of a map under a key.
    pub(crate) fn find(&mut self, map: PlaceId, key: &str, any_case: bool) -> Found {
        let repeated = self
            .repeated
            .get(&map)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if let Some((_, first, again)) = repeated.iter().find(|r| same_key(&r.0, key, any_case)) {
            return Found::Twice(*first, *again);
        }
        let count = self.get(map).map_or(0, |place| place.children.len());
        if count <= FEW {
            return self.look(map, key, any_case);
        }
        if !self.index.contains_key(&map) {
            let table = self.table(map, any_case);
            self.index.insert(map, table);
        }
        let table = self.index.get(&map);
        let found = if any_case {
            table.and_then(|table| table.get(&key.to_ascii_lowercase()))
        } else {
            table.and_then(|table| table.get(key))
        };
        found.copied().unwrap_or(Found::Nothing)
    }

    fn entries(&self, map: PlaceId) -> impl Iterator<Item = (u32, &Key<'t>)> {
        let children = self.get(map).map(|place| place.children.as_slice());
        let children = children.unwrap_or_default().iter().enumerate();
        children.filter_map(|(slot, child)| {
            let key = child.key.as_ref().filter(|key| !key.merge)?;
            Some((slot as u32, key))
        })
    }

    fn look(&self, map: PlaceId, key: &str, any_case: bool) -> Found {
        let mut same = self
            .entries(map)
            .filter(|(_, own)| same_key(&own.text, key, any_case));
        match (same.next(), same.next()) {
            (Some((_, first)), Some((_, again))) => {
                Found::Twice(first.span.start, again.span.start)
            }
            (Some((slot, _)), None) => Found::Once(slot),
            _ => Found::Nothing,
        }
    }

    fn table(&self, map: PlaceId, any_case: bool) -> HashMap<String, Found> {
        let mut table = HashMap::new();
        for (slot, key) in self.entries(map) {
            let mut text = key.text.to_string();
            if any_case {
                text.make_ascii_lowercase();
            }
            let start = key.span.start;
            table
                .entry(text)
                .and_modify(|found| {
                    if let Found::Once(first) = *found {
                        let first = self.child(map, first).map_or(start, |child| child.lead);
                        *found = Found::Twice(first, start);
                    }
                })
                .or_insert(Found::Once(slot));
        }
        table
    }

    /// Whether a map has a `<<` entry.
    pub(crate) fn merges(&self, map: PlaceId) -> bool {
        self.merging.contains(&map)
    }
}

/// A collection whose end was not met yet.
struct Open<'t> {
    id: PlaceId,
    is_map: bool,
    key: Option<(Key<'t>, u32)>,
    /// of the child that begins: its `-`, `?` or key, and what is behind its `-` or `:`
    lead: Option<u32>,
    after: Option<u32>,
}

struct Builder<'t> {
    layout: Layout<'t>,
    open: Vec<Open<'t>>,
    /// anchors by name: the place, or the key that has it
    names: HashMap<&'t str, (Option<PlaceId>, Option<Cow<'t, str>>)>,
    anchor: Option<Span>,
    tag: Option<Span>,
}

/// The layout of a YAML document.
pub(crate) fn yaml(text: &str) -> Result<Layout<'_>, Problem> {
    if let Some(at) = control_character(text) {
        return Err(Problem {
            what: What::Control,
            at: at as u32,
            context: None,
        });
    }
    let mut events = Events::new(text);
    events.scanner.trail = Some(Vec::new());
    let mut builder = Builder {
        layout: Layout::default(),
        open: Vec::new(),
        names: HashMap::new(),
        anchor: None,
        tag: None,
    };
    loop {
        let (event, span) = events.next()?;
        if let Some(trail) = &mut events.scanner.trail {
            // `[a: b]`: the key was taken before the map it belongs to begins.
            let pair = matches!(event, Event::MappingStart(_))
                .then(|| trail.pop_if(|(token, _)| *token == Token::Key))
                .flatten();
            builder.tokens(trail);
            trail.clear();
            if matches!(event, Event::StreamEnd | Event::DocumentEnd) {
                return Ok(builder.layout);
            }
            builder.event(event, span);
            if let Some((_, key)) = pair {
                builder.pair(key);
            }
        }
    }
}

impl<'t> Builder<'t> {
    fn tokens(&mut self, trail: &[(Token, Span)]) {
        for (token, span) in trail {
            match token {
                Token::Anchor => self.anchor = Some(*span),
                Token::Tag => self.tag = Some(*span),
                Token::FlowEntry => {
                    let open = self.open.last().map(|open| open.id);
                    let list = open.and_then(|id| self.layout.places.get_mut(id as usize));
                    if let Some(child) = list.and_then(|list| list.children.last_mut()) {
                        child.comma = Some(span.start);
                    }
                }
                Token::BlockEntry => {
                    if let Some(open) = self.open.last_mut() {
                        open.lead = Some(span.start);
                        open.after = Some(span.end);
                    }
                }
                Token::Key => {
                    if let Some(open) = self.open.last_mut() {
                        open.lead = Some(span.start);
                        open.after = None;
                    }
                }
                Token::Value => {
                    if let Some(open) = self.open.last_mut() {
                        open.lead.get_or_insert(span.start);
                        open.after = Some(span.end);
                    }
                }
                _ => {}
            }
        }
    }

    fn pair(&mut self, key: Span) {
        if let Some(open) = self.open.last_mut() {
            open.lead = Some(key.start);
            if let Some(place) = self.layout.places.get_mut(open.id as usize) {
                place.form = Form::Pair;
            }
        }
    }

    fn event(&mut self, event: Event<'t>, span: Span) {
        match event {
            Event::Scalar(properties, style, value) => self.scalar(properties, style, value, span),
            Event::Alias(name) => {
                let (place, key) = self.names.get(name).cloned().unwrap_or_default();
                if self.wants_key() {
                    self.take_key(key.unwrap_or_default(), span, false);
                    return;
                }
                let id = self.add(Kind::Alias(place), span);
                if let Some(place) = place {
                    self.layout.uses.entry(place).or_default().push(id);
                }
            }
            Event::SequenceStart(properties) => self.begin(false, &properties, span),
            Event::MappingStart(properties) => self.begin(true, &properties, span),
            Event::SequenceEnd(bracket) | Event::MappingEnd(bracket) => self.close(bracket, span),
            Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd => {}
        }
    }

    fn wants_key(&self) -> bool {
        let open = self.open.last();
        open.is_some_and(|open| open.is_map && open.key.is_none())
    }

    fn take_key(&mut self, text: Cow<'t, str>, span: Span, merge: bool) {
        let lead = self
            .anchor
            .take()
            .map_or(span.start, |s| s.start.min(span.start));
        let lead = self.tag.take().map_or(lead, |s| s.start.min(lead));
        if let Some(open) = self.open.last_mut() {
            let lead = open.lead.take().map_or(lead, |mark| mark.min(lead));
            if merge {
                self.layout.merging.insert(open.id);
            }
            open.key = Some((Key { text, span, merge }, lead));
        }
    }

    fn scalar(
        &mut self,
        properties: Properties<'t>,
        style: Style,
        value: Cow<'t, str>,
        span: Span,
    ) {
        let tag = properties.tag.as_deref();
        let is_key = self.wants_key();
        let merge = is_key && resolve::is_merge(tag, style, &value);
        let nothing = self.open.is_empty()
            && style == Style::Plain
            && value.is_empty()
            && tag.is_none()
            && properties.anchor.is_none();
        if nothing {
            return;
        }
        let mut key = None;
        if is_key || properties.anchor.is_some() {
            let scalar = resolve::resolve(tag, style, value).ok();
            key = scalar.and_then(|scalar| resolve::key(&scalar).ok());
        }
        if is_key {
            let key = key.unwrap_or_default();
            if let Some((name, _)) = properties.anchor {
                self.names.insert(name, (None, Some(key.clone())));
            }
            self.take_key(key, span, merge);
            return;
        }
        let id = self.add(Kind::Scalar(style), span);
        if let Some((name, _)) = properties.anchor {
            self.names.insert(name, (Some(id), key));
        }
    }

    fn begin(&mut self, is_map: bool, properties: &Properties<'t>, span: Span) {
        let kind = if is_map { Kind::Map } else { Kind::List };
        let id = self.add(kind, span);
        if let Some((name, _)) = properties.anchor {
            self.names.insert(name, (Some(id), None));
        }
        self.open.push(Open {
            id,
            is_map,
            key: None,
            lead: None,
            after: None,
        });
    }

    fn close(&mut self, bracket: bool, span: Span) {
        let Some(open) = self.open.pop() else { return };
        let end = self.layout.get(open.id).and_then(|place| {
            let last = place.children.last()?;
            Some(self.layout.end(last))
        });
        if let Some(place) = self.layout.places.get_mut(open.id as usize) {
            if bracket {
                place.form = Form::Flow;
                place.span.end = span.end;
            } else {
                place.span.end = end.unwrap_or(place.span.end);
            }
        }
    }

    /// A new value, put into the collection it belongs to.
    fn add(&mut self, kind: Kind, span: Span) -> PlaceId {
        let id = self.layout.places.len() as PlaceId;
        let (anchor, tag) = (self.anchor.take(), self.tag.take());
        let begin = anchor.map_or(span.start, |s| s.start.min(span.start));
        let begin = tag.map_or(begin, |s| s.start.min(begin));
        let mut parent = None;
        if let Some(open) = self.open.last_mut() {
            let (mark, after) = (open.lead.take(), open.after.take());
            let mut lead = mark.map_or(begin, |mark| mark.min(begin));
            let mut own = None;
            if let Some((key, first)) = open.key.take() {
                lead = first;
                own = Some(key);
            }
            if let Some(place) = self.layout.places.get_mut(open.id as usize) {
                parent = Some((open.id, place.children.len() as u32));
                place.children.push(Child {
                    key: own,
                    lead,
                    after,
                    place: id,
                    comma: None,
                });
            }
        } else {
            self.layout.root = Some(id);
        }
        self.layout.places.push(Place {
            kind,
            form: Form::Block,
            span,
            anchor,
            tag,
            parent,
            children: Vec::new(),
        });
        id
    }
}
