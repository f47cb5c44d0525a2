//! Maps and lists without brackets: lines come and go, nothing else moves.
//!
//! Comments: what stands on the lines of a removed entry goes with it, and so does a comment
//! below it that is indented deeper than the entry; comments above it stay. New entries go
//! behind the last one, and behind comments below it that are indented as the entries are,
//! unless those entries stand at the left margin.

use super::emit::{Emit, Emitted, Fate};
use super::layout::{Child, Form, Kind, Place, PlaceId};
use super::lines::Begins;
use super::refusal::Refusal;
use super::render::is_tall;
use super::style;
use super::value::Value;
use crate::scan::Style as Scalar;

impl<'t> Emit<'_, 't> {
    pub(super) fn block(&mut self, id: PlaceId, fate: &Fate<'_, 't>) -> Emitted {
        let column = style::column(self.lines(), fate.place).ok_or(Refusal::Unsafe)?;
        let Some(last) = fate.last_kept() else {
            if fate.added.is_empty() {
                return self.empty_block(id, fate, column);
            }
            // Same kind, same column: what stands before it stays, a tag too.
            let (start, end) = (fate.place.span.start as usize, fate.place.span.end as usize);
            let mut text = String::new();
            self.render(start, Some(id))
                .block(&mut text, &fate.value(), column);
            self.piece(id, start, end, text);
            return Ok(());
        };
        self.remove_entries(id, fate, column)?;
        if fate.added.is_empty() {
            return Ok(());
        }
        let child = fate.place.children.get(last).ok_or(Refusal::Unsafe)?;
        let is_last = last + 1 == fate.place.children.len();
        let at = self.behind(child, column, is_last);
        let render = self.render(
            self.end(child),
            (fate.place.kind == Kind::Map).then_some(id),
        );
        let mut entries = String::new();
        for (number, (key, value)) in fate.added.iter().enumerate() {
            if number > 0 {
                entries.push_str(render.line_break);
            }
            entries.extend(std::iter::repeat_n(' ', column));
            render.child(&mut entries, key.as_deref(), value, column);
        }
        self.insert_lines(id, child, at, entries);
        Ok(())
    }

    /// Whole lines at the beginning of a line, or at the end of a text without a line break.
    fn insert_lines(&mut self, id: PlaceId, child: &Child<'t>, at: usize, mut text: String) {
        let line_break = self.lines().line_break(at.saturating_sub(1));
        if self.lines().column(at) == 0 && at > 0 {
            text.push_str(line_break);
        } else {
            text.insert_str(0, line_break);
            self.close_block_scalar(id, child);
        }
        self.piece(id, at, at, text);
    }

    /// A text under `|` that ends without a line break must not get one when lines follow.
    fn close_block_scalar(&mut self, id: PlaceId, child: &Child<'t>) {
        let Some((start, header)) = self.last_block_scalar(child) else {
            return;
        };
        match header.find(['+', '-']) {
            Some(sign) if header.get(sign..).is_some_and(|rest| rest.starts_with('+')) => {
                self.piece(id, start + sign, start + sign + 1, "-".to_owned());
            }
            Some(_) => {}
            None => self.piece(id, start + 1, start + 1, "-".to_owned()),
        }
    }

    /// Where the text under `|` or `>` begins that ends an entry, and its header.
    fn last_block_scalar(&self, child: &Child<'t>) -> Option<(usize, &'t str)> {
        let mut place = self.plan.layout.get(child.place)?;
        while let Some(last) = place.children.last() {
            place = self.plan.layout.get(last.place)?;
        }
        if place.kind != Kind::Scalar(Scalar::Block) {
            return None;
        }
        let start = place.span.start as usize;
        let header = self.lines().text.get(start..self.lines().end(start))?;
        Some((start, header.split(' ').next().unwrap_or_default()))
    }

    fn end(&self, child: &Child<'t>) -> usize {
        self.plan.layout.end(child) as usize
    }

    /// Where the line behind an entry begins; blank lines that a text ends with belong to it.
    fn past(&self, child: &Child<'t>) -> usize {
        let lines = self.lines();
        let mut at = lines.next(self.end(child));
        if let Some((_, header)) = self.last_block_scalar(child) {
            while header.contains('+') && at < lines.len() && lines.begins(at) == Begins::Blank {
                at = lines.next(at);
            }
        }
        at
    }

    /// Goes over comments that are indented deeper than a column.
    fn deep(&self, mut at: usize, column: usize) -> usize {
        let lines = self.lines();
        while at < lines.len()
            && matches!(lines.begins(at), Begins::Comment(spaces) if spaces > column)
        {
            at = lines.next(at);
        }
        at
    }

    /// Where new entries go behind a kept one.
    fn behind(&self, child: &Child<'t>, column: usize, is_last: bool) -> usize {
        let lines = self.lines();
        let first = self.deep(self.past(child), column);
        if !is_last || column == 0 {
            return first;
        }
        let (mut at, mut best) = (first, first);
        while at < lines.len() {
            let next = lines.next(at);
            match lines.begins(at) {
                Begins::Blank => {}
                Begins::Comment(spaces) if spaces >= column => best = next,
                Begins::Comment(_) => break,
                // The comments belong to what follows at the same column.
                Begins::Content(spaces) if spaces >= column => return first,
                Begins::Content(_) => break,
            }
            at = next;
        }
        best
    }

    fn remove_entries(&mut self, id: PlaceId, fate: &Fate<'_, 't>, column: usize) -> Emitted {
        let children = &fate.place.children;
        let first = children.first().ok_or(Refusal::Unsafe)?;
        let mut from = 0;
        let compact = !self.lines().first_on_line(first.lead as usize);
        if compact && fate.removed.first() == Some(&true) {
            from = self.remove_compact(id, fate, column)?;
        }
        for (child, removed) in children.iter().zip(&fate.removed).skip(from) {
            if *removed {
                self.remove_lines(id, child, column);
            }
        }
        Ok(())
    }

    fn remove_lines(&mut self, id: PlaceId, child: &Child<'t>, column: usize) {
        let start = self.lines().start(child.lead as usize);
        let end = self.deep(self.past(child), column);
        self.piece(id, start, end, String::new());
    }

    /// Removes what stands behind a dash: what follows takes its place, unless comments stand
    /// between. How many entries are done.
    fn remove_compact(
        &mut self,
        id: PlaceId,
        fate: &Fate<'_, 't>,
        column: usize,
    ) -> Result<usize, Refusal> {
        let children = &fate.place.children;
        let run = fate.removed.iter().take_while(|removed| **removed).count();
        let (Some(first), Some(next)) = (children.first(), children.get(run)) else {
            return Err(Refusal::Unsafe);
        };
        let commented = children
            .iter()
            .take(run)
            .zip(children.iter().skip(1))
            .any(|(a, b)| {
                let mut at = self.deep(self.past(a), column);
                let until = self.lines().start(b.lead as usize);
                while at < until {
                    if matches!(self.lines().begins(at), Begins::Comment(_)) {
                        return true;
                    }
                    at = self.lines().next(at);
                }
                false
            });
        if !commented {
            self.piece(id, first.lead as usize, next.lead as usize, String::new());
            return Ok(run);
        }
        let start = self.lines().skip_back(first.lead as usize);
        let end = self.lines().end(self.end(first));
        self.piece(id, start, end, String::new());
        Ok(1)
    }

    fn empty_block(&mut self, id: PlaceId, fate: &Fate<'_, 't>, column: usize) -> Emitted {
        let place = fate.place;
        let first = place.children.first().ok_or(Refusal::Unsafe)?;
        let lead = first.lead as usize;
        let own = self.plan.layout.own_child(id);
        let compact = !self.lines().first_on_line(lead);
        match own {
            _ if compact => {
                let (start, end) = (lead, place.span.end as usize);
                self.piece(id, start, end, fate.empty().to_owned());
                return Ok(());
            }
            Some(child) => {
                let mut head = self.head(place, child)?;
                head = head.max(place.tag.map_or(0, |tag| tag.end as usize));
                self.piece(id, head, head, [" ", fate.empty()].concat());
            }
            None => {
                let start = self.lines().start(lead);
                let mut text = " ".repeat(column);
                text.push_str(fate.empty());
                text.push_str(self.lines().line_break(lead));
                self.piece(id, start, start, text);
            }
        }
        for child in &place.children {
            self.remove_lines(id, child, column);
        }
        Ok(())
    }

    /// Writes another value in a map or list without brackets.
    pub(super) fn block_value(
        &mut self,
        id: PlaceId,
        place: &Place<'t>,
        parent: &Place<'t>,
        value: &Value,
    ) -> Emitted {
        let child = self.plan.layout.own_child(id).ok_or(Refusal::Unsafe)?;
        let head = self.head(place, child)?;
        let start = self.content_start(place)?;
        // A list without brackets stays one.
        let flat = !(place.form == Form::Block && place.kind == Kind::List)
            && self.render(start, None).is_flat(value);
        let tall = is_tall(value) && !flat;
        let dash = parent.kind != Kind::Map;
        let below = place.form == Form::Block
            && place
                .children
                .first()
                .is_some_and(|first| !self.lines().same(first.lead as usize, head));
        let inside = place.form == Form::Block && !place.children.is_empty();
        let same = matches!(value, Value::Map(_)) == (place.kind == Kind::Map);
        if (tall || flat) && same && place.form == Form::Flow && !place.children.is_empty() {
            // What is in brackets stays in brackets.
            let mut text = String::new();
            self.render(start, None).brackets(&mut text, value, None);
            self.piece(id, start, place.span.end as usize, text);
            return Ok(());
        }
        if !tall {
            return self.short(id, place, child, (head, start, below, dash), value);
        }
        if dash || (inside && !below) {
            return self.behind_dash(id, place, (head, start), value);
        }
        self.under_key(id, place, child, (head, start, below), value)
    }

    /// A scalar, an empty collection or a short list in brackets.
    fn short(
        &mut self,
        id: PlaceId,
        place: &Place<'t>,
        child: &Child<'t>,
        (head, start, below, dash): (usize, usize, bool, bool),
        value: &Value,
    ) -> Emitted {
        let column = self.lines().column(child.lead as usize);
        let parent = place.parent.map(|(parent, _)| parent).filter(|_| !dash);
        let render = self.render(child.lead as usize, parent);
        let inner = column + if dash { 2 } else { render.step };
        let end = place.span.end as usize;
        let behind = if below || end < head { head } else { end };
        let lines = self.lines();
        let free = lines.skip(behind) >= lines.end(behind);
        let mut text = String::new();
        if is_tall(value) {
            render.brackets(&mut text, value, None);
        } else if free {
            render.inline(&mut text, value, inner);
        } else {
            // A text of several lines has no room before a comment.
            let context = super::quote::Context::Block;
            super::quote::scalar(&mut text, value, context, self.style.single);
        }
        // Blanks at the end of the line would become part of a text of several lines.
        let blanks = if free && text.contains(render.line_break) {
            self.lines().skip(behind)
        } else {
            behind
        };
        if below {
            self.piece(id, head, blanks, [" ", &text].concat());
            let from = self.lines().next(head);
            let to = self.deep(self.past(child), column);
            self.piece(id, from, to, String::new());
        } else if start >= end {
            self.piece(id, head, blanks.max(head), [" ", &text].concat());
        } else {
            self.piece(id, start, blanks, text);
        }
        Ok(())
    }

    /// A collection that begins on the line of its dash.
    fn behind_dash(
        &mut self,
        id: PlaceId,
        place: &Place<'t>,
        (head, start): (usize, usize),
        value: &Value,
    ) -> Emitted {
        let end = place.span.end as usize;
        let render = self.render(head, None);
        let mut text = String::new();
        if start < end && place.anchor.is_none() {
            render.block(&mut text, value, self.lines().column(start));
            self.piece(id, start, end, text);
        } else if place.anchor.is_none() {
            text.push(' ');
            render.block(&mut text, value, self.lines().column(head) + 1);
            self.piece(id, head, head, text);
        } else {
            // Behind an anchor the first key would get it.
            let child = self.plan.layout.own_child(id).ok_or(Refusal::Unsafe)?;
            let column = self.lines().column(child.lead as usize) + 2;
            text.push_str(render.line_break);
            text.extend(std::iter::repeat_n(' ', column));
            render.block(&mut text, value, column);
            self.piece(id, head, end.max(head), text);
        }
        Ok(())
    }

    /// A collection on the lines below its key.
    fn under_key(
        &mut self,
        id: PlaceId,
        place: &Place<'t>,
        child: &Child<'t>,
        (head, start, below): (usize, usize, bool),
        value: &Value,
    ) -> Emitted {
        let key_column = self.lines().column(child.lead as usize);
        let render = self.render(head, place.parent.map(|(parent, _)| parent));
        let is_map = matches!(value, Value::Map(_));
        let mut column = key_column + if is_map { render.step } else { render.list };
        if below && (place.kind == Kind::Map) == is_map {
            column = style::column(self.lines(), place).unwrap_or(column);
        }
        let mut text = " ".repeat(column);
        render.block(&mut text, value, column);
        let end = place.span.end as usize;
        let own_line = start < end && !self.lines().same(start, head);
        if below || own_line {
            let from = self.lines().start(start);
            self.piece(id, from, end, text);
            return Ok(());
        }
        if start < end {
            self.piece(id, head, end, String::new());
            let at = self.past(child);
            self.insert_lines(id, child, at, text);
            return Ok(());
        }
        if end > head {
            self.piece(id, head, end, String::new());
        }
        let at = self.deep(self.lines().next(head), key_column);
        self.insert_lines(id, child, at, text);
        Ok(())
    }
}
