//! From events to the reader's own values: anchors and aliases, merge keys, duplicate keys,
//! limits. It leaves out how a scalar is read (`resolve`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use crate::error::{Problem, What};
use crate::events::{Event, Events, Properties};
use crate::maps::{self, Merge};
use crate::resolve::{self, Scalar};
use crate::scan::{Scan, Style};
use crate::{Build, Entry, Limits, Span};

/// A finished value and what composing must still know about it.
struct Done<'t, N> {
    node: N,
    span: Span,
    /// nodes when aliases are written out
    size: u64,
    /// levels of lists and maps
    height: u32,
    /// the entries, of a map that may be merged
    entries: Option<Rc<[Entry<'t, N>]>>,
    /// a list under `<<`: the maps in it
    sources: Option<Vec<Rc<[Entry<'t, N>]>>>,
}

struct Anchor<'t, N> {
    value: Option<Value<'t, N>>,
}

struct Value<'t, N> {
    node: N,
    size: u64,
    height: u32,
    entries: Option<Rc<[Entry<'t, N>]>>,
    /// why it can be a key only
    fault: Option<What>,
    /// what it is as a key, if it is a scalar
    key: Option<Result<Cow<'t, str>, What>>,
}

struct Frame<'t, N> {
    is_map: bool,
    span: Span,
    /// where its items or entries begin on the common stacks
    first: usize,
    anchor: Option<usize>,
    name: Option<(&'t str, Span)>,
    size: u64,
    height: u32,
    key: Option<(Cow<'t, str>, Span)>,
    /// the waiting key is `<<`
    merging: bool,
    merges: Vec<Merge<'t, N>>,
    /// a list under `<<`
    sources: Option<Vec<Rc<[Entry<'t, N>]>>>,
}

struct Composer<'t, 'b, B: Build> {
    build: &'b mut B,
    limits: &'b Limits,
    frames: Vec<Frame<'t, B::Node>>,
    items: Vec<B::Node>,
    entries: Vec<Entry<'t, B::Node>>,
    names: HashMap<&'t str, usize>,
    anchors: Vec<Anchor<'t, B::Node>>,
    /// nodes that aliases and merge keys added
    expanded: u64,
    root: Option<B::Node>,
}

fn fail<T>(what: What, span: Span) -> Scan<T> {
    Err(Problem {
        what,
        at: span.start,
        context: None,
    })
}

/// Reads one document.
pub(crate) fn document<B: Build>(
    text: &str,
    limits: &Limits,
    build: &mut B,
) -> Scan<Option<B::Node>> {
    if text.len() > limits.bytes.min(u32::MAX as usize / 2) {
        return fail(What::TooLarge, Span::default());
    }
    if let Some(at) = crate::text::control_character(text) {
        let at = at as u32;
        return fail(What::Control, Span { start: at, end: at });
    }
    let mut events = Events::new(text);
    let mut composer = Composer {
        build,
        limits,
        frames: Vec::with_capacity(16),
        items: Vec::new(),
        entries: Vec::with_capacity(64),
        names: HashMap::new(),
        anchors: Vec::new(),
        expanded: 0,
        root: None,
    };
    loop {
        let (event, span) = events.next()?;
        match event {
            Event::StreamEnd | Event::DocumentEnd => return Ok(composer.root),
            Event::DocumentStart => {}
            Event::Alias(name) => composer.alias(name, span)?,
            Event::Scalar(properties, style, value) => {
                let nothing = composer.frames.is_empty()
                    && style == Style::Plain
                    && value.is_empty()
                    && properties.tag.is_none()
                    && properties.anchor.is_none();
                if nothing {
                    continue;
                }
                composer.scalar(properties, style, value, span)?;
            }
            Event::SequenceStart(properties) => composer.open(false, properties, span)?,
            Event::MappingStart(properties) => composer.open(true, properties, span)?,
            Event::SequenceEnd(bracket) | Event::MappingEnd(bracket) => {
                composer.close(bracket, span)?;
            }
        }
    }
}

impl<'t, B: Build> Composer<'t, '_, B> {
    fn wants_key(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|f| f.is_map && f.key.is_none())
    }

    fn declare(&mut self, anchor: Option<(&'t str, Span)>) -> Scan<Option<usize>> {
        let Some((name, span)) = anchor else {
            return Ok(None);
        };
        if self.anchors.len() >= self.limits.anchors {
            return fail(What::TooManyAnchors, span);
        }
        let index = self.anchors.len();
        self.anchors.push(Anchor { value: None });
        self.names.insert(name, index);
        Ok(Some(index))
    }

    fn define(&mut self, index: Option<usize>, value: Value<'t, B::Node>) {
        if let Some(anchor) = index.and_then(|i| self.anchors.get_mut(i)) {
            anchor.value = Some(value);
        }
    }

    fn scalar(
        &mut self,
        properties: Properties<'t>,
        style: Style,
        value: Cow<'t, str>,
        span: Span,
    ) -> Scan<()> {
        let tag = properties.tag.as_deref();
        let is_key = self.wants_key();
        let merging = is_key && resolve::is_merge(tag, style, &value);
        let scalar = match resolve::resolve(tag, style, value) {
            Ok(scalar) => scalar,
            Err(what) => return fail(what, span),
        };
        let anchor = self.declare(properties.anchor)?;
        if is_key && anchor.is_none() {
            return self.take_key(resolve::key(&scalar), merging, span);
        }
        let key = anchor.map(|_| resolve::key(&scalar));
        // As a key infinity has a name; an alias may still make a value of it.
        let fault = match scalar {
            Scalar::Float(value) if !value.is_finite() => Some(What::NotFinite),
            _ => None,
        };
        let node = self.build_scalar(scalar, span)?;
        if let Some((name, place)) = properties.anchor {
            self.build.anchored(node, name, place);
            self.define(
                anchor,
                Value {
                    node,
                    size: 1,
                    height: 0,
                    entries: None,
                    fault,
                    key: key.clone(),
                },
            );
            if let (true, Some(key)) = (is_key, key) {
                return self.take_key(key, merging, span);
            }
        }
        self.put(Done {
            node,
            span,
            size: 1,
            height: 0,
            entries: None,
            sources: None,
        })
    }

    fn build_scalar(&mut self, scalar: Scalar<'t>, span: Span) -> Scan<B::Node> {
        Ok(match scalar {
            Scalar::Str(value) => self.build.string(&value, span),
            Scalar::Null => self.build.null(span),
            Scalar::Bool(value) => self.build.bool(value, span),
            Scalar::Int(value) => self.build.int(value, span),
            Scalar::Uint(value) => self.build.uint(value, span),
            Scalar::Float(value) if value.is_finite() => self.build.float(value, span),
            Scalar::Float(_) if self.wants_key() => self.build.null(span),
            Scalar::Float(_) => return fail(What::NotFinite, span),
        })
    }

    fn take_key(&mut self, key: Result<Cow<'t, str>, What>, merging: bool, span: Span) -> Scan<()> {
        match key {
            Ok(key) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.span.end = frame.span.end.max(span.end);
                    frame.key = Some((key, span));
                    frame.merging = merging;
                }
                Ok(())
            }
            Err(what) => fail(what, span),
        }
    }

    fn alias(&mut self, name: &'t str, span: Span) -> Scan<()> {
        let Some(anchor) = self.names.get(name).and_then(|i| self.anchors.get(*i)) else {
            return fail(What::UnknownAnchor, span);
        };
        let Some(value) = &anchor.value else {
            return fail(What::Recursive, span);
        };
        let (node, size, height) = (value.node, value.size, value.height);
        if self.wants_key() {
            let key = value.key.clone().unwrap_or(Err(What::ComplexKey));
            return self.take_key(key, false, span);
        }
        if let Some(fault) = value.fault {
            return fail(fault, span);
        }
        let entries = value.entries.clone();
        self.expand(size, span)?;
        if self.frames.len() + height as usize > self.limits.depth {
            return fail(What::TooDeep, span);
        }
        self.build.aliased(node, name, span);
        self.put(Done {
            node,
            span,
            size,
            height,
            entries,
            sources: None,
        })
    }

    fn expand(&mut self, nodes: u64, span: Span) -> Scan<()> {
        self.expanded = self.expanded.saturating_add(nodes);
        if self.expanded > self.limits.expanded {
            return fail(What::TooManyAliases, span);
        }
        Ok(())
    }

    fn open(&mut self, is_map: bool, properties: Properties<'t>, span: Span) -> Scan<()> {
        if self.wants_key() {
            return fail(What::ComplexKey, span);
        }
        if self.frames.len() >= self.limits.depth {
            return fail(What::TooDeep, span);
        }
        let merged_list = !is_map && self.frames.last().is_some_and(|f| f.merging);
        let anchor = self.declare(properties.anchor)?;
        self.frames.push(Frame {
            is_map,
            span,
            first: if is_map {
                self.entries.len()
            } else {
                self.items.len()
            },
            anchor,
            name: properties.anchor,
            size: 1,
            height: 1,
            key: None,
            merging: false,
            merges: Vec::new(),
            sources: merged_list.then(Vec::new),
        });
        Ok(())
    }

    fn close(&mut self, bracket: bool, span: Span) -> Scan<()> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let mut place = frame.span;
        if bracket {
            place.end = span.end;
        }
        let mut entries = None;
        let node = if frame.is_map {
            let own = self.entries.get(frame.first..).unwrap_or_default();
            let resolved = maps::resolve(own, &frame.merges, self.build);
            let all = resolved.as_deref().unwrap_or(own);
            let node = self.build.map(all, place);
            let wanted = frame.anchor.is_some()
                || self
                    .frames
                    .last()
                    .is_some_and(|f| f.merging || f.sources.is_some());
            if wanted {
                entries = Some(Rc::from(all));
            }
            self.entries.truncate(frame.first);
            node
        } else {
            let items = self.items.get(frame.first..).unwrap_or_default();
            let node = self.build.list(items, place);
            self.items.truncate(frame.first);
            node
        };
        if let Some((name, at)) = frame.name {
            self.build.anchored(node, name, at);
            self.define(
                frame.anchor,
                Value {
                    node,
                    size: frame.size,
                    height: frame.height,
                    entries: entries.clone(),
                    fault: None,
                    key: None,
                },
            );
        }
        self.put(Done {
            node,
            span: place,
            size: frame.size,
            height: frame.height,
            entries,
            sources: frame.sources,
        })
    }

    /// Hands a finished value to what it stands in.
    fn put(&mut self, done: Done<'t, B::Node>) -> Scan<()> {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(done.node);
            return Ok(());
        };
        frame.span.end = frame.span.end.max(done.span.end);
        frame.size = frame.size.saturating_add(done.size);
        frame.height = frame.height.max(done.height.saturating_add(1));
        if !frame.is_map {
            if let Some(sources) = &mut frame.sources {
                match done.entries {
                    Some(entries) => sources.push(entries),
                    None => return fail(What::MergeValue, done.span),
                }
            }
            self.items.push(done.node);
            return Ok(());
        }
        let Some((key, key_span)) = frame.key.take() else {
            return fail(What::ComplexKey, done.span);
        };
        if !frame.merging {
            self.entries.push(Entry {
                key,
                key_span,
                value: done.node,
                merged: false,
            });
            return Ok(());
        }
        frame.merging = false;
        let at = self.entries.len() - frame.first;
        let mut added = 0;
        // In a list the earlier map wins, so the later one is merged first.
        let sources = match (done.entries, done.sources) {
            (Some(entries), _) => vec![entries],
            (None, Some(sources)) => sources,
            (None, None) => return fail(What::MergeValue, done.span),
        };
        for source in sources.into_iter().rev() {
            added += source.len() as u64;
            frame.merges.push(Merge { at, source });
        }
        self.expand(added, done.span)
    }
}
