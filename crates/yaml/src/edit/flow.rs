//! Maps and lists in brackets, and JSON: commas follow what comes and goes.
//!
//! An entry on lines of its own goes with its lines and the comment behind it; new ones get
//! a line if the last one has one.

use super::emit::{Emit, Emitted, Fate};
use super::layout::{Child, Form, Place, PlaceId};
use super::refusal::Refusal;
use super::render::Render;
use super::value::Value;

impl<'t> Emit<'_, 't> {
    pub(super) fn flow(&mut self, id: PlaceId, fate: &Fate<'_, 't>) -> Emitted {
        let place = fate.place;
        let Some(last) = fate.last_kept() else {
            return self.flow_all(id, fate);
        };
        self.flow_removals(id, fate, last);
        if fate.added.is_empty() {
            return Ok(());
        }
        let kept = place.children.get(last).ok_or(Refusal::Unsafe)?;
        self.flow_added(id, fate, kept);
        Ok(())
    }

    /// Nothing of the old stays.
    fn flow_all(&mut self, id: PlaceId, fate: &Fate<'_, 't>) -> Emitted {
        let place = fate.place;
        let (start, end) = (place.span.start as usize, place.span.end as usize);
        if fate.added.is_empty() {
            let inside = self.lines().text.get(start..end).unwrap_or_default();
            if inside.contains(['#', '/']) {
                self.flow_extents(id, fate, place.children.len());
            } else {
                self.piece(id, start + 1, end - 1, String::new());
            }
            return Ok(());
        }
        let value = fate.value();
        let parent = match place.parent {
            Some((parent, _)) => Some(self.place(parent)?),
            None => None,
        };
        match parent {
            Some(parent)
                if parent.form == Form::Block
                    && place.children.is_empty()
                    && place.tag.is_none() =>
            {
                self.block_value(id, place, parent, &value)
            }
            Some(parent) if parent.form != Form::Block && place.tag.is_none() => {
                self.flow_value(id, place, &value)
            }
            _ if place.parent.is_some() || place.tag.is_some() => {
                let mut text = String::new();
                self.render(start, None).brackets(&mut text, &value, None);
                self.piece(id, start, end, text);
                Ok(())
            }
            _ => self.root_value(id, place, &value),
        }
    }

    fn flow_end(&self, child: &Child<'t>) -> usize {
        self.plan.layout.end(child) as usize
    }

    /// Whether nothing but a comment follows on the line; where the comment ends.
    fn rest(&self, at: usize) -> Option<usize> {
        let lines = self.lines();
        let mut from = lines.skip(at);
        let end = lines.end(at);
        let bytes = lines.bytes();
        loop {
            if from >= end {
                return Some(end);
            }
            match bytes.get(from..end)? {
                [b'/', b'/', ..] if self.style.json => return Some(end),
                [b'#', ..] if !self.style.json && from > at => return Some(end),
                [b'/', b'*', inner @ ..] if self.style.json => {
                    let close = memchr::memmem::find(inner, b"*/")?;
                    from = lines.skip(from + close + 4);
                }
                _ => return None,
            }
        }
    }

    /// Whether an entry begins its line.
    fn own_line(&self, child: &Child<'t>) -> bool {
        self.lines().first_on_line(child.lead as usize)
    }

    fn flow_removals(&mut self, id: PlaceId, fate: &Fate<'_, 't>, last: usize) {
        let children = &fate.place.children;
        let Some(kept) = children.get(last) else {
            return;
        };
        let mut until = children.len();
        // What stands behind the last one that is kept goes at once if it is on its line.
        if let Some(end) = children.last().filter(|_| last + 1 < children.len()) {
            let (from, to) = (self.flow_end(kept), self.flow_end(end));
            let between = self.lines().text.get(from..to).unwrap_or_default();
            let plain = self.lines().same(from, to) && !between.contains("/*");
            if plain && fate.added.is_empty() {
                self.piece(id, from, to, String::new());
                until = last + 1;
            }
        }
        let trailing = children.last().is_some_and(|child| child.comma.is_some());
        if until == children.len()
            && last + 1 < children.len()
            && fate.added.is_empty()
            && !trailing
            && let Some(comma) = kept.comma
        {
            self.piece(id, comma as usize, comma as usize + 1, String::new());
        }
        self.flow_extents(id, fate, until);
    }

    /// Removes entries one by one.
    fn flow_extents(&mut self, id: PlaceId, fate: &Fate<'_, 't>, until: usize) {
        let children = &fate.place.children;
        let mut floor = 0;
        for (slot, child) in children.iter().enumerate().take(until) {
            if fate.removed.get(slot) != Some(&true) {
                floor = self.flow_end(child);
                continue;
            }
            let (start, end) = self.flow_extent(child, slot + 1 == children.len());
            let start = start.max(floor);
            floor = end.max(start);
            self.piece(id, start, floor, String::new());
        }
    }

    /// What goes with an entry.
    fn flow_extent(&self, child: &Child<'t>, is_last: bool) -> (usize, usize) {
        let lead = child.lead as usize;
        let end = child
            .comma
            .map_or_else(|| self.flow_end(child), |comma| comma as usize + 1);
        if self.own_line(child) {
            return match self.rest(end) {
                Some(_) => (self.lines().start(lead), self.lines().next(end)),
                None => (lead, self.lines().skip(end)),
            };
        }
        let next = self.lines().skip(end);
        // A comment behind it stays, and a bracket before it must not touch the comment.
        if next < self.lines().end(end) && self.rest(end).is_some() {
            return (lead, end);
        }
        if is_last || next >= self.lines().end(end) {
            return (self.lines().skip_back(lead), end);
        }
        (lead, next)
    }

    fn flow_added(&mut self, id: PlaceId, fate: &Fate<'_, 't>, kept: &Child<'t>) {
        let place = fate.place;
        let end = self.flow_end(kept);
        let behind = kept.comma.map_or(end, |comma| comma as usize + 1);
        let tall = self.own_line(kept) && !self.lines().same(place.span.start as usize, end);
        let rest = if tall { self.rest(behind) } else { None };
        let indent = rest.map(|_| self.lines().indentation(kept.lead as usize));
        let mut render = self.render(end, None);
        render.json |= place
            .children
            .first()
            .is_some_and(|first| self.quoted(first));
        let mut text = String::new();
        for (number, (key, value)) in fate.added.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            match indent {
                Some(indent) => {
                    text.push_str(render.line_break);
                    text.push_str(indent);
                }
                None => text.push_str(self.style.comma()),
            }
            let inner = indent.filter(|_| self.style.json && self.style.unit.is_some());
            write_entry(&render, &mut text, key.as_deref(), value, inner);
        }
        // `{a:,` would make the colon a part of the key.
        let comma = if kept.after.is_some_and(|after| after as usize == end) {
            " ,"
        } else {
            ","
        };
        let comment = rest.filter(|to| self.lines().skip(behind) < *to);
        match (kept.comma, comment) {
            (None, None) => {
                text.insert_str(0, comma);
                self.piece(id, end, end, text);
            }
            (None, Some(to)) => {
                self.piece(id, end, end, comma.to_owned());
                self.piece(id, to, to, text);
            }
            (Some(_), Some(to)) => self.piece(id, to, to, text),
            (Some(_), None) => self.piece(id, behind, behind, text),
        }
    }

    /// Whether a key is in double quotes.
    fn quoted(&self, child: &Child<'t>) -> bool {
        let key = child.key.as_ref();
        key.is_some_and(|key| self.lines().bytes().get(key.span.start as usize) == Some(&b'"'))
    }

    /// Writes another value in brackets.
    pub(super) fn flow_value(&mut self, id: PlaceId, place: &Place<'t>, value: &Value) -> Emitted {
        let child = self.plan.layout.own_child(id).ok_or(Refusal::Unsafe)?;
        let start = self.content_start(place)?;
        let end = place.span.end as usize;
        let tall = self.style.json && self.style.unit.is_some() && self.own_line(child);
        let indent = tall.then(|| self.lines().indentation(child.lead as usize));
        let mut text = String::new();
        let mut render = self.render(start, None);
        render.json |= self.quoted(child);
        render.brackets(&mut text, value, indent);
        if start < end {
            self.piece(id, start, end, text);
            return Ok(());
        }
        match (&child.key, child.after) {
            (_, Some(_)) => {
                let head = self.head(place, child)?;
                self.piece(id, head, head.max(end), [" ", &text].concat());
            }
            (Some(key), None) => {
                let at = key.span.end as usize;
                self.piece(id, at, at, [": ", &text].concat());
            }
            (None, None) => return Err(self.form("an empty item stands here", child.lead)),
        }
        Ok(())
    }
}

fn write_entry(
    render: &Render<'_>,
    out: &mut String,
    key: Option<&str>,
    value: &Value,
    indent: Option<&str>,
) {
    match key {
        Some(key) => render.pair(out, key, value, indent),
        None => render.brackets(out, value, indent),
    }
}
