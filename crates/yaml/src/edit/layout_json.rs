//! The same layout of a JSON text, with or without comments. It leaves out what `json` reads
//! already: places of keys and values come from there, only colons and commas are looked for.

use std::borrow::Cow;

use crate::json::Options;
use crate::scan::Style;
use crate::{Build, Entry, Limits, ParseError, Span};

use super::layout::{Child, Form, Key, Kind, Layout, Place, PlaceId};

struct Places<'t> {
    text: &'t str,
    layout: Layout<'t>,
    /// keys that stand twice in the map that ends next: first and again
    twice: Vec<(String, u32, u32)>,
}

/// The layout of a JSON document.
pub(crate) fn json<'t>(
    text: &'t str,
    options: Options,
    limits: &Limits,
) -> Result<Layout<'t>, ParseError> {
    let mut places = Places {
        text,
        layout: Layout::default(),
        twice: Vec::new(),
    };
    let root = crate::json::parse(text, options, limits, &mut places)?;
    places.layout.root = Some(root);
    Ok(places.layout)
}

/// Goes over white space and comments.
pub(crate) fn skip(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest {
            [b' ' | b'\t' | b'\n' | b'\r', ..] => at += 1,
            [b'/', b'/', ..] => {
                at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            [b'/', b'*', inner @ ..] => match memchr::memmem::find(inner, b"*/") {
                Some(end) => at += end + 4,
                None => return at,
            },
            _ => return at,
        }
    }
}

impl<'t> Places<'t> {
    fn add(&mut self, kind: Kind, span: Span, children: Vec<Child<'t>>) -> PlaceId {
        let id = self.layout.places.len() as PlaceId;
        for (slot, child) in children.iter().enumerate() {
            if let Some(place) = self.layout.places.get_mut(child.place as usize) {
                place.parent = Some((id, slot as u32));
            }
        }
        self.layout.places.push(Place {
            kind,
            form: Form::Flow,
            span,
            anchor: None,
            tag: None,
            parent: None,
            children,
        });
        id
    }

    fn scalar(&mut self, style: Style, span: Span) -> PlaceId {
        self.add(Kind::Scalar(style), span, Vec::new())
    }

    fn child(&self, place: PlaceId, key: Option<(&str, Span)>) -> Child<'t> {
        let span = self.layout.get(place).map_or(Span::default(), |p| p.span);
        let end = skip(self.text, span.end as usize);
        let comma = self.text.as_bytes().get(end) == Some(&b',');
        Child {
            key: key.map(|(text, span)| Key {
                text: Cow::Owned(text.to_owned()),
                span,
                merge: false,
            }),
            lead: key.map_or(span.start, |(_, key)| key.start),
            after: key.map(|(_, key)| skip(self.text, key.end as usize) as u32 + 1),
            place,
            comma: comma.then_some(end as u32),
        }
    }
}

impl Build for Places<'_> {
    type Node = PlaceId;

    fn null(&mut self, span: Span) -> PlaceId {
        self.scalar(Style::Plain, span)
    }
    fn bool(&mut self, _: bool, span: Span) -> PlaceId {
        self.scalar(Style::Plain, span)
    }
    fn int(&mut self, _: i64, span: Span) -> PlaceId {
        self.scalar(Style::Plain, span)
    }
    fn uint(&mut self, _: u64, span: Span) -> PlaceId {
        self.scalar(Style::Plain, span)
    }
    fn float(&mut self, _: f64, span: Span) -> PlaceId {
        self.scalar(Style::Plain, span)
    }
    fn string(&mut self, _: &str, span: Span) -> PlaceId {
        self.scalar(Style::Double, span)
    }
    fn list(&mut self, items: &[PlaceId], span: Span) -> PlaceId {
        let children = items.iter().map(|item| self.child(*item, None)).collect();
        self.add(Kind::List, span, children)
    }
    fn map(&mut self, entries: &[Entry<'_, PlaceId>], span: Span) -> PlaceId {
        let mut children = Vec::with_capacity(entries.len());
        for entry in entries {
            children.push(self.child(entry.value, Some((&entry.key, entry.key_span))));
        }
        let id = self.add(Kind::Map, span, children);
        if !self.twice.is_empty() {
            self.layout
                .repeated
                .insert(id, std::mem::take(&mut self.twice));
        }
        id
    }
    fn duplicate(&mut self, key: &str, first: Span, again: Span) {
        self.twice.push((key.to_owned(), first.start, again.start));
    }
}
