//! What evaluation carries along: the arena, the texts, the problems, and the environment that
//! an expression sees.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bumpalo::Bump;

use crate::deployment::{Problem, ProblemKind};
use crate::evaluate::budget::EXHAUSTED;
use crate::evaluate::weight::Weight;
use crate::expand::Cloud;
use crate::expand::instance::Instance;
use crate::expand::places::{Directory, Made};
use crate::node::Node;
use crate::problems::Problems;
use crate::source::{FileId, Files, Sources, Span};
use crate::value::{Data, Shape, Value, Why};

/// One evaluation.
pub(crate) struct Engine<'a> {
    pub(crate) bump: &'a Bump,
    pub(crate) files: &'a dyn Files,
    pub(crate) sources: RefCell<Sources<'a>>,
    pub(crate) problems: RefCell<Problems>,
    /// Literals that parameters of the outermost template were compared with.
    pub(crate) compared: RefCell<Vec<(&'a str, Value<'a>)>>,
    /// Values that parameters of the outermost template may have.
    pub(crate) allowed: RefCell<Vec<(&'a str, &'a [Value<'a>])>>,
    /// How many modules were opened.
    pub(crate) instances: Cell<usize>,
    /// Resources of modules by their ids.
    pub(crate) made: RefCell<Made<'a>>,
    /// The resources of templates by what they are called, by where the templates are kept.
    pub(crate) directories: RefCell<HashMap<usize, Directory<'a>>>,
    /// Values that stand in templates that were computed.
    pub(crate) kept: RefCell<Vec<Value<'a>>>,
    /// Weights of values that are heavy, by where they stand in the arena.
    pub(crate) weights: RefCell<HashMap<(usize, usize), Weight>>,
    /// Templates that were read, by file.
    pub(crate) templates: RefCell<Vec<(FileId, &'a Node<'a>)>>,
    /// How many expressions lead here.
    pub(crate) depth: Cell<u32>,
    /// How large the arena may become.
    pub(crate) most_bytes: usize,
    /// Steps that are left.
    pub(crate) fuel: Cell<u64>,
    /// Parts of values that may still be looked at.
    pub(crate) work: Cell<u64>,
    /// It was said that evaluation was given up.
    pub(crate) gave_up: Cell<bool>,
    /// Above 0: what is evaluated may never be, so that its errors are no problems.
    pub(crate) guesses: Cell<u32>,
    pub(crate) cloud: Option<Cloud>,
}

/// Takes one step back when dropped.
pub(crate) struct Depth<'e>(pub(crate) &'e Cell<u32>);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// What an expression sees.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The template whose parameters, variables and functions it sees.
    pub(crate) template: &'a Instance<'a>,
    /// Loops, lambdas and functions around it, innermost first.
    pub(crate) frame: Option<&'a Frame<'a>>,
}

/// One loop, lambda variable or function around an expression.
pub(crate) struct Frame<'a> {
    pub(crate) up: Option<&'a Self>,
    pub(crate) kind: FrameKind<'a>,
}

/// What a [`Frame`] is.
#[derive(Clone, Copy)]
pub(crate) enum FrameKind<'a> {
    Loop {
        name: &'a str,
        index: Value<'a>,
        resource: bool,
    },
    Lambda {
        name: &'a str,
        value: Value<'a>,
    },
    Function {
        params: &'a [(&'a str, Value<'a>)],
    },
}

impl<'a> Env<'a> {
    pub(crate) fn push(self, bump: &'a Bump, kind: FrameKind<'a>) -> Self {
        Env {
            frame: Some(bump.alloc(Frame {
                up: self.frame,
                kind,
            })),
            ..self
        }
    }

    pub(crate) fn frames(self) -> impl Iterator<Item = &'a Frame<'a>> {
        std::iter::successors(self.frame, |frame| frame.up)
    }
}

impl<'a> Engine<'a> {
    /// Until the answer is dropped, errors are no problems.
    pub(crate) fn guess(&self) -> Depth<'_> {
        self.guesses.set(self.guesses.get() + 1);
        Depth(&self.guesses)
    }

    /// Notes an expression that Azure would refuse; its value is unknown.
    pub(crate) fn error(&self, span: Span, message: String) -> Value<'a> {
        let why = Why::Error(self.bump.alloc_str(&message));
        if self.guesses.get() == 0 {
            self.problem(Problem {
                span,
                message,
                help: None,
                kind: ProblemKind::Expression,
            });
        }
        self.unknown(span, "error", Shape::Any, &[why], false)
    }

    /// Notes the errors that a value carries: they were found when it was not sure that the value
    /// would be needed.
    pub(crate) fn note_errors(&self, value: &Value<'a>) {
        match value.data {
            Data::Unknown(unknown) => {
                for why in unknown.why {
                    if let (Why::Error(message), "error") = (why, unknown.text)
                        && *message != EXHAUSTED
                        && !self.is_noted(message, value.span)
                    {
                        self.problem(Problem {
                            span: value.span,
                            message: (*message).to_owned(),
                            help: None,
                            kind: ProblemKind::Expression,
                        });
                    }
                }
            }
            Data::Array(items) => items.iter().for_each(|item| self.note_errors(item)),
            Data::Object(fields) => {
                fields
                    .iter()
                    .for_each(|field| self.note_errors(&field.value));
            }
            _ => {}
        }
    }

    /// Whether a problem was noted at a place, around it or within it: functions hand on what is
    /// wrong with an argument under their own place.
    fn is_noted(&self, message: &str, span: Span) -> bool {
        self.problems.borrow().iter().any(|own| {
            own.span.file == span.file
                && own.span.start < span.end.max(span.start + 1)
                && span.start < own.span.end.max(own.span.start + 1)
                && own.message == message
        })
    }

    /// Notes a problem, once.
    pub(crate) fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().add(problem);
    }
}
