//! The evaluation of a configuration: modules, what they declare, and the memory of what was
//! already evaluated. Everything is evaluated when it is first asked for, so that the order of
//! declarations does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bicep::deployment::{Problem, ProblemKind};
use bicep::source::Span;
use bicep::value::{Shape, Value, Why};
use bumpalo::Bump;

use crate::files::{join, relative};
use crate::load::{Loader, Module, ResourceKey};
use crate::output::Choice;
use crate::syntax::Block;
use crate::table::Table;
use crate::value::{Data, Unknown, Val, bounded, reasons};

/// Levels of expressions, declarations and modules that lead from one to the next.
const MAX_LEVELS: usize = 240;

/// How much is evaluated before it is given up.
const MAX_STEPS: u64 = 20_000_000;

/// How much one value may hold.
const MAX_SIZE: u32 = 1_000_000;

/// Resources of a declaration, items of a dynamic block.
pub(crate) const MAX_INSTANCES: usize = 10_000;

/// Instances of modules in all; the largest estates that people keep in one state have a few
/// hundred.
const MAX_CALLS: usize = 4_000;

/// Resources in all, for the same reason.
const MAX_RESOURCES: usize = 20_000;

/// Why an expression has no value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault<'a> {
    pub(crate) span: Span,
    pub(crate) message: &'a str,
    /// It was reported where it arose.
    pub(crate) reported: bool,
}

pub(crate) type Eval<'a> = Result<Val<'a>, Fault<'a>>;

/// `each` and `count` of an instance.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Repeat<'a> {
    pub(crate) each: Option<(Val<'a>, Val<'a>)>,
    pub(crate) count: Option<Val<'a>>,
}

/// Names that a `for`, a `dynamic` or a template binds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'s, 'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Val<'a>,
    pub(crate) up: Option<&'s Self>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'s, 'a> {
    /// No module: a template that was given its variables.
    pub(crate) module: Option<usize>,
    pub(crate) repeat: Repeat<'a>,
    pub(crate) names: Option<&'s Names<'s, 'a>>,
}

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key<'a> {
    Variable(&'a str),
    Local(&'a str),
    Output(&'a str),
    Resource(ResourceKey<'a>),
    Call(&'a str),
}

#[derive(Debug, Clone, Copy)]
enum Memory<'a> {
    Running,
    Done(Eval<'a>),
}

/// An instance of a module.
pub(crate) struct State<'a> {
    pub(crate) declared: Rc<Module<'a>>,
    /// `module.a[0].module.b`, or nothing for the root.
    pub(crate) address: &'a str,
    /// `a.b`, as `modules.json` names it.
    pub(crate) key: String,
    pub(crate) through: &'a [Span],
    /// The instance that calls it, with which block and repetition.
    pub(crate) call: Option<(usize, Block<'a>, Repeat<'a>)>,
    /// It is not known whether there is such an instance.
    pub(crate) condition: Option<Val<'a>>,
    /// What variables were given, of the root.
    pub(crate) given: BTreeMap<&'a str, Val<'a>>,
    memory: BTreeMap<Key<'a>, Memory<'a>>,
}

/// The evaluation.
pub(crate) struct Engine<'a, 'f> {
    pub(crate) arena: &'a Bump,
    pub(crate) loader: Loader<'a, 'f>,
    pub(crate) table: Option<&'f Table>,
    pub(crate) root: String,
    pub(crate) modules: Vec<State<'a>>,
    loaded: BTreeMap<String, Rc<Module<'a>>>,
    /// Rings of modules that were told of: their folders in order of the alphabet.
    pub(crate) rings: BTreeSet<Vec<String>>,
    /// Resources so far.
    made: usize,
    /// Folders of downloaded modules by key.
    pub(crate) downloaded: BTreeMap<String, String>,
    /// What unknowns were compared with, by their text.
    pub(crate) compared: BTreeMap<&'a str, Vec<Val<'a>>>,
    /// Ids in Azure of resources by their addresses.
    pub(crate) ids: BTreeMap<&'a str, &'a str>,
    /// Texts of `jsonencode` and what they encode.
    pub(crate) encoded: BTreeMap<&'a str, Val<'a>>,
    /// What keeps dynamic blocks away: see [`crate::output::Reading::switches`].
    pub(crate) switches: Vec<(Span, Span, bool)>,
    /// See [`crate::output::Reading::choices`].
    pub(crate) choices: Vec<Choice>,
    pub(crate) levels: usize,
    steps: u64,
    /// Within `try` and `can`, and whether there something was assumed to exist.
    pub(crate) trying: bool,
    pub(crate) assumed: bool,
}

impl<'a, 'f> Engine<'a, 'f> {
    pub(crate) fn new(loader: Loader<'a, 'f>, root: &str, table: Option<&'f Table>) -> Self {
        Self {
            arena: loader.arena,
            loader,
            table,
            root: join(root, ""),
            modules: Vec::new(),
            loaded: BTreeMap::new(),
            rings: BTreeSet::new(),
            made: 0,
            downloaded: BTreeMap::new(),
            compared: BTreeMap::new(),
            ids: BTreeMap::new(),
            encoded: BTreeMap::new(),
            switches: Vec::new(),
            choices: Vec::new(),
            levels: 0,
            steps: 0,
            trying: false,
            assumed: false,
        }
    }

    pub(crate) fn fault(&self, span: Span, message: impl AsRef<str>) -> Fault<'a> {
        Fault {
            span,
            message: self.arena.alloc_str(message.as_ref()),
            reported: false,
        }
    }

    /// Makes an unknown; `why` must not be empty.
    pub(crate) fn unknown(
        &self,
        span: Span,
        text: &str,
        shape: Shape,
        why: Vec<Why<'a>>,
        secret: Option<&'a str>,
    ) -> Val<'a> {
        let unknown = self.arena.alloc(Unknown {
            text: bounded(self.arena, text),
            partial: false,
            shape,
            why: reasons(self.arena, why),
            secret: secret.is_some(),
            not: &[],
            of: None,
            fields: &[],
            items: &[],
        });
        Val::new(span, Data::Unknown(unknown))
    }

    /// The unknown that an expression comes to which was refused.
    pub(crate) fn refused(&mut self, fault: Fault<'a>, span: Span) -> Val<'a> {
        if !fault.reported {
            self.problem(fault.span, fault.message, None, ProblemKind::Expression);
        }
        self.unknown(
            span,
            fault.message,
            Shape::Any,
            vec![Why::Error(fault.message)],
            None,
        )
    }

    pub(crate) fn problem(
        &mut self,
        span: Span,
        message: &str,
        help: Option<&str>,
        kind: ProblemKind,
    ) {
        let problem = Problem {
            span,
            message: message.to_owned(),
            help: help.map(str::to_owned),
            kind,
        };
        if !self.loader.problems.contains(&problem) && self.loader.problems.len() < 10_000 {
            self.loader.problems.push(problem);
        }
    }

    /// One level deeper, when that is still allowed.
    pub(crate) fn enter(&mut self, span: Span) -> Result<(), Fault<'a>> {
        self.steps += 1;
        if self.levels >= MAX_LEVELS {
            return Err(self.fault(span, "this leads through too many levels to be evaluated"));
        }
        if self.steps > MAX_STEPS {
            return Err(self.fault(span, "the configuration is too large to be evaluated"));
        }
        self.levels += 1;
        Ok(())
    }

    /// Counts what a value costs.
    pub(crate) fn charge(&mut self, value: Val<'a>) -> Eval<'a> {
        self.steps += u64::from(value.size / 8);
        if value.size > MAX_SIZE {
            return Err(self.fault(value.span, "this value is too large to be evaluated"));
        }
        Ok(value)
    }

    /// What a key of a module comes to, evaluated once.
    pub(crate) fn remembered(
        &mut self,
        module: usize,
        key: Key<'a>,
        span: Span,
        evaluate: impl FnOnce(&mut Self) -> Eval<'a>,
    ) -> Eval<'a> {
        let Some(state) = self.modules.get_mut(module) else {
            return Err(self.fault(span, "no such module"));
        };
        match state.memory.get(&key) {
            Some(Memory::Done(result)) => return *result,
            Some(Memory::Running) => {
                return Err(self.fault(span, "this value depends on itself"));
            }
            None => {}
        }
        state.memory.insert(key, Memory::Running);
        let (trying, assumed) = (self.trying, self.assumed);
        self.trying = false;
        let result = self.enter(span).and_then(|()| {
            let result = evaluate(self);
            self.levels -= 1;
            result
        });
        (self.trying, self.assumed) = (trying, assumed);
        if let Some(state) = self.modules.get_mut(module) {
            state.memory.insert(key, Memory::Done(result));
        }
        result
    }

    /// The declarations in a folder, read once.
    pub(crate) fn load(&mut self, folder: &str) -> Result<Rc<Module<'a>>, String> {
        if let Some(found) = self.loaded.get(folder) {
            return Ok(Rc::clone(found));
        }
        let module = Rc::new(self.loader.module(folder)?);
        self.loaded.insert(folder.to_owned(), Rc::clone(&module));
        Ok(module)
    }

    /// One resource more, when that is still allowed.
    pub(crate) fn count_resource(&mut self, span: Span) -> Result<(), Fault<'a>> {
        if self.made < MAX_RESOURCES {
            self.made += 1;
            return Ok(());
        }
        let message =
            format!("there are more than {MAX_RESOURCES} resources: the rest is not evaluated");
        if self.made == MAX_RESOURCES {
            // It is said once, where the first of the rest stands.
            self.made += 1;
            self.problem(span, &message, None, ProblemKind::Unresolved);
        }
        let fault = self.fault(span, message);
        Err(Fault {
            reported: true,
            ..fault
        })
    }

    /// Whether there are more resources than are evaluated.
    pub(crate) fn is_full(&self) -> bool {
        self.made > MAX_RESOURCES
    }

    /// The folders from the one in which a folder is already being evaluated down to the caller,
    /// when a module leads back to itself.
    pub(crate) fn ring(&self, caller: usize, folder: &str) -> Option<Vec<String>> {
        let mut chain = Vec::new();
        let mut at = Some(caller);
        while let Some(state) = at.and_then(|at| self.modules.get(at)) {
            chain.push(state.declared.folder.clone());
            if state.declared.folder == folder {
                chain.reverse();
                return Some(chain);
            }
            at = state.call.map(|(outer, ..)| outer);
        }
        None
    }

    /// Adds an instance of the module in a folder.
    pub(crate) fn instantiate(
        &mut self,
        folder: &str,
        address: &str,
        key: String,
        through: Vec<Span>,
        call: Option<(usize, Block<'a>, Repeat<'a>)>,
    ) -> Result<usize, String> {
        let declared = self.load(folder)?;
        if self.modules.len() > MAX_CALLS {
            return Err(format!(
                "there are more than {MAX_CALLS} instances of modules: these are not evaluated"
            ));
        }
        self.modules.push(State {
            declared,
            address: self.arena.alloc_str(address),
            key,
            through: self.arena.alloc_slice_copy(&through),
            call,
            condition: None,
            given: BTreeMap::new(),
            memory: BTreeMap::new(),
        });
        Ok(self.modules.len() - 1)
    }

    /// `path.module` of an instance.
    pub(crate) fn module_path(&self, module: usize) -> String {
        self.modules.get(module).map_or(".".to_owned(), |state| {
            relative(&self.root, &state.declared.folder)
        })
    }

    /// An address in a module.
    pub(crate) fn address(&self, module: usize, local: &str) -> &'a str {
        match self.modules.get(module).map(|state| state.address) {
            None | Some("") => self.arena.alloc_str(local),
            Some(outer) => self.arena.alloc_str(&format!("{outer}.{local}")),
        }
    }

    /// Remembers that an unknown was compared with a literal.
    pub(crate) fn compares(&mut self, unknown: &Unknown<'a>, literal: Val<'a>) {
        let plain = matches!(
            literal.data,
            Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) | Data::Str(_)
        );
        if !plain || unknown.partial || literal.secret.is_some() {
            return;
        }
        let known = self.compared.entry(unknown.text).or_default();
        if known.len() < 64 && !known.iter().any(|value| value.text() == literal.text()) {
            known.push(literal);
        }
    }
}

/// Whether an unknown is known not to be this.
pub(crate) fn excluded(unknown: &Unknown<'_>, value: &Val<'_>) -> bool {
    unknown
        .not
        .iter()
        .any(|not: &Value<'_>| match (not.data, value.data) {
            (bicep::value::Data::Null, Data::Null) => true,
            (bicep::value::Data::Bool(left), Data::Bool(right)) => left == right,
            (bicep::value::Data::Int(left), Data::Int(right)) => left == right,
            (bicep::value::Data::Str(left), Data::Str(right)) => left == right,
            _ => false,
        })
}
