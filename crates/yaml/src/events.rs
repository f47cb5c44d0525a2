//! From tokens to events, by the rules of `libyaml` as Kubernetes' reader has them
//! (`go.yaml.in/yaml/v2`, `parserc.go`). It leaves out anchors' targets and values (`compose`).
//!
//! Derived from libyaml, Copyright (c) 2006 Kirill Simonov, under the MIT licence; the notice
//! stands in `NOTICE` beside this crate.

use std::borrow::Cow;

use crate::Span;
use crate::error::{Problem, What};
use crate::scan::{Data, Kind, Scan, Scanner, Style};

/// What stands before a node: `&anchor` and `!tag`.
#[derive(Debug, Default)]
pub(crate) struct Properties<'t> {
    pub(crate) anchor: Option<(&'t str, Span)>,
    pub(crate) tag: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Event<'t> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'t str),
    Scalar(Properties<'t>, Style, Cow<'t, str>),
    SequenceStart(Properties<'t>),
    MappingStart(Properties<'t>),
    /// whether a bracket closed it
    SequenceEnd(bool),
    MappingEnd(bool),
}

#[derive(Debug, Clone, Copy)]
enum State {
    DocumentFirst,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    SequenceFirst,
    Sequence,
    Indentless,
    MappingFirst,
    MappingKey,
    MappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMapping,
    FlowMappingValue,
    FlowMappingEmpty,
    End,
}

#[derive(Debug)]
pub(crate) struct Events<'t> {
    pub(crate) scanner: Scanner<'t>,
    state: State,
    states: Vec<State>,
    /// where the open collections began
    marks: Vec<u32>,
    tags: Vec<(String, String)>,
    /// one past the last token that was taken
    last: u32,
}

type Step<'t> = Scan<(Event<'t>, Span)>;

impl<'t> Events<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Events {
            scanner: Scanner::new(text),
            state: State::DocumentFirst,
            states: Vec::with_capacity(16),
            marks: Vec::with_capacity(16),
            tags: Vec::new(),
            last: 0,
        }
    }

    pub(crate) fn next(&mut self) -> Step<'t> {
        match self.state {
            State::DocumentFirst => self.document_start(true),
            State::Document => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::SequenceFirst => self.sequence(true),
            State::Sequence => self.sequence(false),
            State::Indentless => self.indentless(),
            State::MappingFirst => self.mapping_key(true),
            State::MappingKey => self.mapping_key(false),
            State::MappingValue => self.mapping_value(),
            State::FlowSequenceFirst => self.flow_sequence(true),
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowSequence;
                let span = self.empty_span();
                Ok((Event::MappingEnd(false), span))
            }
            State::FlowMappingFirst => self.flow_mapping(true),
            State::FlowMapping => self.flow_mapping(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmpty => self.flow_mapping_value(true),
            State::End => Ok((Event::StreamEnd, self.empty_span())),
        }
    }

    fn take(&mut self, span: Span) -> Data<'t> {
        self.last = span.end;
        self.scanner.take()
    }

    fn empty_span(&self) -> Span {
        Span {
            start: self.last,
            end: self.last,
        }
    }

    fn empty(&mut self, state: State) -> Step<'t> {
        self.state = state;
        let scalar = Event::Scalar(Properties::default(), Style::Plain, Cow::Borrowed(""));
        Ok((scalar, self.empty_span()))
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn fail<T>(&mut self, what: What, span: Span) -> Scan<T> {
        Err(Problem {
            what,
            at: span.start,
            context: self.marks.last().copied(),
        })
    }

    fn document_start(&mut self, implicit: bool) -> Step<'t> {
        let (mut kind, mut span) = self.scanner.peek()?;
        while !implicit && kind == Kind::DocumentEnd {
            self.take(span);
            (kind, span) = self.scanner.peek()?;
        }
        if kind == Kind::StreamEnd {
            self.state = State::End;
            return Ok((Event::StreamEnd, span));
        }
        let explicit = matches!(
            kind,
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart
        );
        self.directives()?;
        if implicit && !explicit {
            self.states.push(State::DocumentEnd);
            self.state = State::BlockNode;
            return Ok((Event::DocumentStart, span));
        }
        let (kind, span) = self.scanner.peek()?;
        if kind != Kind::DocumentStart {
            return self.fail(What::DocumentStart, span);
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.take(span);
        Ok((Event::DocumentStart, span))
    }

    fn directives(&mut self) -> Scan<()> {
        let mut version = false;
        self.tags.clear();
        loop {
            let (kind, span) = self.scanner.peek()?;
            match kind {
                Kind::VersionDirective => match self.take(span) {
                    Data::Version(1, 1) if !version => version = true,
                    _ => return self.fail(What::Version, span),
                },
                Kind::TagDirective => {
                    if let Data::Pair(pair) = self.take(span) {
                        if self.tags.iter().any(|(handle, _)| *handle == pair.0) {
                            return self.fail(What::Directive, span);
                        }
                        self.tags.push(*pair);
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn document_content(&mut self) -> Step<'t> {
        let (kind, _) = self.scanner.peek()?;
        match kind {
            Kind::VersionDirective
            | Kind::TagDirective
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => {
                self.pop();
                self.empty(self.state)
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if kind == Kind::DocumentEnd {
            self.take(span);
        }
        self.state = State::Document;
        Ok((Event::DocumentEnd, span))
    }

    fn properties(&mut self) -> Scan<Properties<'t>> {
        let mut found = Properties::default();
        let (first, _) = self.scanner.peek()?;
        for _ in 0..2 {
            let (kind, span) = self.scanner.peek()?;
            match kind {
                Kind::Anchor if found.anchor.is_none() => {
                    if let Data::Name(name) = self.take(span) {
                        found.anchor = Some((name, span));
                    }
                }
                Kind::Tag if found.tag.is_none() => {
                    if let Data::Pair(pair) = self.take(span) {
                        found.tag = Some(self.resolve_tag(*pair, span)?);
                    }
                }
                _ => break,
            }
            if first == kind && found.anchor.is_some() && found.tag.is_some() {
                break;
            }
        }
        Ok(found)
    }

    fn resolve_tag(&mut self, (handle, suffix): (String, String), span: Span) -> Scan<String> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let prefix = match self.tags.iter().find(|(h, _)| *h == handle) {
            Some((_, prefix)) => prefix.as_str(),
            None if handle == "!" => "!",
            None if handle == "!!" => "tag:yaml.org,2002:",
            None => return self.fail(What::TagHandle, span),
        };
        Ok([prefix, &suffix].concat())
    }

    fn node(&mut self, block: bool, indentless: bool) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if kind == Kind::Alias {
            self.pop();
            return match self.take(span) {
                Data::Name(name) => Ok((Event::Alias(name), span)),
                _ => self.fail(What::AliasName, span),
            };
        }
        let properties = if matches!(kind, Kind::Anchor | Kind::Tag) {
            self.properties()?
        } else {
            Properties::default()
        };
        let (kind, span) = self.scanner.peek()?;
        match kind {
            Kind::BlockEntry if indentless => {
                self.state = State::Indentless;
                Ok((Event::SequenceStart(properties), span))
            }
            Kind::Scalar => {
                self.pop();
                match self.take(span) {
                    Data::Scalar(style, value) => {
                        Ok((Event::Scalar(properties, style, value), span))
                    }
                    _ => self.fail(What::Content, span),
                }
            }
            Kind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirst;
                Ok((Event::SequenceStart(properties), span))
            }
            Kind::FlowMappingStart => {
                self.state = State::FlowMappingFirst;
                Ok((Event::MappingStart(properties), span))
            }
            Kind::BlockSequenceStart if block => {
                self.state = State::SequenceFirst;
                Ok((Event::SequenceStart(properties), span))
            }
            Kind::BlockMappingStart if block => {
                self.state = State::MappingFirst;
                Ok((Event::MappingStart(properties), span))
            }
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.pop();
                let scalar = Event::Scalar(properties, Style::Plain, Cow::Borrowed(""));
                Ok((scalar, self.empty_span()))
            }
            _ => self.fail(What::Content, span),
        }
    }

    /// Remembers where a collection began and takes the token that began it.
    fn open(&mut self) -> Scan<()> {
        let (_, span) = self.scanner.peek()?;
        self.marks.push(span.start);
        self.take(span);
        Ok(())
    }

    fn close(&mut self, span: Span, event: Event<'t>) -> Step<'t> {
        self.pop();
        self.marks.pop();
        // The end of a block is no text: the last token stays the last.
        let last = self.last;
        self.take(span);
        self.last = self.last.min(span.end);
        if span.start == span.end {
            self.last = last;
        }
        Ok((event, span))
    }

    fn sequence(&mut self, first: bool) -> Step<'t> {
        if first {
            self.open()?;
        }
        let (kind, span) = self.scanner.peek()?;
        match kind {
            Kind::BlockEntry => {
                self.take(span);
                let (kind, _) = self.scanner.peek()?;
                if matches!(kind, Kind::BlockEntry | Kind::BlockEnd) {
                    return self.empty(State::Sequence);
                }
                self.states.push(State::Sequence);
                self.node(true, false)
            }
            Kind::BlockEnd => self.close(span, Event::SequenceEnd(false)),
            _ => self.fail(What::ItemExpected, span),
        }
    }

    fn indentless(&mut self) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if kind != Kind::BlockEntry {
            self.pop();
            return Ok((Event::SequenceEnd(false), self.empty_span()));
        }
        self.take(span);
        let (kind, _) = self.scanner.peek()?;
        if matches!(
            kind,
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd
        ) {
            return self.empty(State::Indentless);
        }
        self.states.push(State::Indentless);
        self.node(true, false)
    }

    fn mapping_key(&mut self, first: bool) -> Step<'t> {
        if first {
            self.open()?;
        }
        let (kind, span) = self.scanner.peek()?;
        match kind {
            Kind::Key => {
                self.take(span);
                let (kind, next) = self.scanner.peek()?;
                if matches!(kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
                    self.last = self.last.max(next.start.min(span.end));
                    return self.empty(State::MappingValue);
                }
                self.states.push(State::MappingValue);
                self.node(true, true)
            }
            Kind::BlockEnd => self.close(span, Event::MappingEnd(false)),
            _ => self.fail(What::KeyExpected, span),
        }
    }

    fn mapping_value(&mut self) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if kind != Kind::Value {
            return self.empty(State::MappingKey);
        }
        self.take(span);
        let (kind, _) = self.scanner.peek()?;
        if matches!(kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
            return self.empty(State::MappingKey);
        }
        self.states.push(State::MappingKey);
        self.node(true, true)
    }

    fn flow_sequence(&mut self, first: bool) -> Step<'t> {
        if first {
            self.open()?;
        }
        let (mut kind, mut span) = self.scanner.peek()?;
        if kind != Kind::FlowSequenceEnd {
            if !first {
                if kind != Kind::FlowEntry {
                    return self.fail(What::SequenceComma, span);
                }
                self.take(span);
                (kind, span) = self.scanner.peek()?;
            }
            if kind == Kind::Key {
                self.take(span);
                self.state = State::FlowPairKey;
                return Ok((Event::MappingStart(Properties::default()), span));
            }
            if kind != Kind::FlowSequenceEnd {
                self.states.push(State::FlowSequence);
                return self.node(false, false);
            }
        }
        self.close(span, Event::SequenceEnd(true))
    }

    fn flow_pair_key(&mut self) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            // Go takes the token that ends the key here, whatever it is.
            self.take(span);
            return self.empty(State::FlowPairValue);
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    fn flow_pair_value(&mut self) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if kind == Kind::Value {
            self.take(span);
            let (kind, _) = self.scanner.peek()?;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.empty(State::FlowPairEnd)
    }

    fn flow_mapping(&mut self, first: bool) -> Step<'t> {
        if first {
            self.open()?;
        }
        let (mut kind, mut span) = self.scanner.peek()?;
        if kind != Kind::FlowMappingEnd {
            if !first {
                if kind != Kind::FlowEntry {
                    return self.fail(What::MappingComma, span);
                }
                self.take(span);
                (kind, span) = self.scanner.peek()?;
            }
            if kind == Kind::Key {
                self.take(span);
                let (kind, _) = self.scanner.peek()?;
                if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                    return self.empty(State::FlowMappingValue);
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if kind != Kind::FlowMappingEnd {
                self.states.push(State::FlowMappingEmpty);
                return self.node(false, false);
            }
        }
        self.close(span, Event::MappingEnd(true))
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Step<'t> {
        let (kind, span) = self.scanner.peek()?;
        if !empty && kind == Kind::Value {
            self.take(span);
            let (kind, _) = self.scanner.peek()?;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                self.states.push(State::FlowMapping);
                return self.node(false, false);
            }
        }
        self.empty(State::FlowMapping)
    }
}
