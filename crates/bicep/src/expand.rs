//! From a template to what its deployment would make.
//!
//! Everything is evaluated lazily and once: a parameter, a variable, a resource's body or a
//! module is computed when something asks for it, so that what is never asked for costs nothing
//! and what leads back to itself is found out. Deployments (`Microsoft.Resources/deployments`)
//! are how a template is composed; they are not listed as resources, what they make is.

pub(crate) mod arguments;
pub(crate) mod instance;
pub(crate) mod malformed;
pub(crate) mod modules;
pub(crate) mod parameters;
pub(crate) mod places;
pub(crate) mod references;
pub(crate) mod resources;
pub(crate) mod scope;
pub(crate) mod secrets;
pub(crate) mod types;

use std::cell::{Cell, RefCell};

use bumpalo::Bump;

use crate::deployment::{Expansion, OpenParameter, Problem, Resource};
use crate::evaluate::budget::{FUEL, MOST_BYTES, MOST_RESOURCES, WORK};
use crate::evaluate::compare::identical;
use crate::evaluate::engine::Engine;
use crate::expand::instance::{Given, Instance};
use crate::json;
use crate::node::Node;
use crate::problems::few;
use crate::source::{Files, Source, Sources};
use crate::value::{Value, Why};

pub use crate::expand::scope::ScopeKind;

/// A cloud whose constants `environment()` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// `AzureCloud`
    Public,
}

/// What is assumed of a parameter of the outermost template.
#[derive(Debug, Clone)]
pub enum Assumption<'a> {
    /// It has this value, whatever else is given.
    Is(Value<'a>),
    /// It has a value, but none of these, whatever the case of letters.
    NoneOf(Vec<Value<'a>>),
}

/// With what a template is deployed.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// Parameter files (`deploymentParameters.json`), parsed with [`json::parse`]; a later one
    /// counts more.
    pub parameter_files: Vec<Node<'a>>,
    /// Values that were given otherwise; they count more than files.
    pub given: Vec<(&'a str, Value<'a>)>,
    /// For case analysis.
    pub assume: Vec<(&'a str, Assumption<'a>)>,
    /// Where it is deployed, if that is known better than from the template's schema.
    pub scope: Option<ScopeKind>,
    /// The cloud, if it is known.
    pub cloud: Option<Cloud>,
}

/// Evaluates a template. Texts that it links to are added to the sources.
pub fn expand<'a>(
    bump: &'a Bump,
    sources: &mut Sources<'a>,
    files: &'a dyn Files,
    root: &'a Node<'a>,
    options: Options<'a>,
) -> Expansion<'a> {
    let engine = Engine {
        bump,
        files,
        sources: RefCell::new(std::mem::take(sources)),
        problems: RefCell::default(),
        instances: Cell::new(0),
        made: RefCell::default(),
        directories: RefCell::default(),
        kept: RefCell::default(),
        weights: RefCell::default(),
        templates: RefCell::default(),
        compared: RefCell::default(),
        allowed: RefCell::default(),
        depth: Cell::new(0),
        most_bytes: bump.allocated_bytes().saturating_add(MOST_BYTES),
        fuel: Cell::new(FUEL),
        work: Cell::new(WORK),
        gave_up: Cell::new(false),
        guesses: Cell::new(0),
        cloud: options.cloud,
    };
    let instance = engine.outermost(root, &options);
    let mut walk = Walk {
        engine: &engine,
        parts: MOST_PARTS,
        resources: Vec::new(),
    };
    walk.template(instance, None);
    let resources = walk.resources;
    let outputs = engine.outputs(instance);
    let open = open_parameters(&engine, instance);
    let mut problems = engine.problems.take().take();
    problems.sort_by_key(|problem: &Problem| (problem.span, problem.kind));
    *sources = engine.sources.take();
    Expansion {
        resources,
        outputs,
        open,
        problems: few(problems),
    }
}

/// Reads and evaluates one text, in an arena of its own, and hands the result to a function.
pub fn expand_text<R>(
    name: &str,
    text: &str,
    files: &dyn Files,
    options: impl for<'a> FnOnce(&'a Bump, &mut Sources<'a>) -> Options<'a>,
    then: impl for<'a> FnOnce(&Expansion<'a>, &Sources<'a>) -> R,
) -> R {
    let bump = Bump::new();
    expand_in(&bump, name, text, files, options, then)
}

fn expand_in<'a, R>(
    bump: &'a Bump,
    name: &'a str,
    text: &'a str,
    files: &'a dyn Files,
    options: impl FnOnce(&'a Bump, &mut Sources<'a>) -> Options<'a>,
    then: impl FnOnce(&Expansion<'a>, &Sources<'a>) -> R,
) -> R {
    let mut sources = Sources::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = sources.add(Source {
        name,
        text,
        published: false,
    });
    let parsed = json::parse(bump, text, file);
    let root = bump.alloc(parsed.root);
    let options = options(bump, &mut sources);
    let mut expansion = expand(bump, &mut sources, files, root, options);
    let mut problems = few(parsed.problems);
    problems.append(&mut expansion.problems);
    expansion.problems = problems;
    then(&expansion, &sources)
}

fn open_parameters<'a>(engine: &Engine<'a>, root: &'a Instance<'a>) -> Vec<OpenParameter<'a>> {
    let mut slots = Vec::new();
    for slot in root.params {
        let value = engine.parameter(root, slot.name);
        let unknown = value.ok().and_then(|value| value.unknown());
        let nothing = matches!(slot.given, Given::Nothing);
        let plain = nothing && slot.node.get("defaultValue").is_none();
        // What a file leaves open is as open as what nobody gives; a secret that is given is not.
        let left_open = unknown.is_some_and(|open| {
            !nothing && !open.secret && open.why == [Why::Parameter(slot.name)]
        });
        if unknown.is_some() && (plain || left_open) && !slot.refused.get() {
            slots.push(slot);
        }
    }
    let compared = engine.compared.borrow();
    let mut open = Vec::new();
    for slot in slots {
        let name = slot.name;
        let mut values: Vec<Value<'a>> = Vec::new();
        for (own, value) in compared.iter() {
            if own.eq_ignore_ascii_case(name) && !values.iter().any(|other| identical(other, value))
            {
                values.push(*value);
            }
        }
        open.push(OpenParameter {
            name,
            span: slot.name_span,
            secret: engine.is_secret(root, slot.node),
            allowed: engine.allowed_values(root, slot.node),
            compared: values,
        });
    }
    open
}

/// How many parts the bodies of all resources may have together.
const MOST_PARTS: u64 = 8_000_000;

struct Walk<'e, 'a> {
    engine: &'e Engine<'a>,
    /// Parts that are left.
    parts: u64,
    resources: Vec<Resource<'a>>,
}

impl<'a> Walk<'_, 'a> {
    /// Lists what a template makes, if a condition holds.
    fn template(&mut self, instance: &'a Instance<'a>, condition: Option<Value<'a>>) {
        for decl in instance.decls {
            for item in self.engine.items(instance, decl) {
                if self.engine.fuel.get() == 0 {
                    self.engine.exhausted(decl.node.span);
                    return;
                }
                let Some(own) = self.engine.condition(item, condition) else {
                    continue;
                };
                let guess = own.is_some().then(|| self.engine.guess());
                if self.engine.is_module(item) {
                    if let Some(inner) = self.engine.module(item) {
                        self.template(inner, own);
                        drop(guess);
                        // What goes wrong in a module's outputs matters only where they are used.
                    }
                    continue;
                }
                if self.resources.len() >= MOST_RESOURCES {
                    let message =
                        format!("the template makes more than {MOST_RESOURCES} resources");
                    self.engine.too_many(decl.node.span, message);
                    return;
                }
                if let Some(resource) = self.engine.resource(item, own) {
                    if self.engine.guesses.get() == 0 {
                        self.engine.note_errors(&resource.body);
                        self.engine.note_errors(&self.engine.id(item));
                    }
                    self.parts = self.parts.saturating_sub(self.engine.size(&resource.body));
                    if self.parts == 0 {
                        self.engine.fuel.set(0);
                    }
                    self.resources.push(resource);
                }
            }
        }
    }
}
