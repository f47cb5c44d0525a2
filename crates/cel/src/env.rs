//! What expressions may name: the declared variables, and the numbers of all field names.

use crate::compile::Compiler;
use crate::{CompileError, Program, Symbols, parse};
use std::collections::{HashMap, HashSet};

/// The number of a declared variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// The declarations that programs are compiled against.
#[derive(Debug, Clone, Default)]
pub struct Env {
    slots: HashMap<Box<str>, Slot>,
    names: Vec<Box<str>>,
    /// first names of declared dotted names
    roots: HashSet<Box<str>>,
    container: Box<str>,
    symbols: Symbols,
}

impl Env {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable; the same name gives the same slot.
    pub fn declare(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = Slot(u16::try_from(self.names.len()).unwrap_or(u16::MAX));
        self.slots.insert(name.into(), slot);
        self.names.push(name.into());
        if let Some((root, _)) = name.split_once('.') {
            self.roots.insert(root.into());
        }
        slot
    }

    /// Declares `root.member` as a variable of its own. Unless `root` is declared as well, the
    /// bare root and members that are not declared do not compile.
    pub fn declare_member(&mut self, root: &str, member: &str) -> Slot {
        self.declare(&format!("{root}.{member}"))
    }

    /// Names are looked up within this dotted namespace first, as the specification says of
    /// containers.
    pub fn set_container(&mut self, container: &str) {
        self.container = container.into();
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// What does not parse or names something unknown.
    pub fn compile(&mut self, source: &str) -> Result<Program, CompileError> {
        self.compile_in(source, &[])
    }

    /// Compiles an expression that also sees these variables; their values are given to each
    /// evaluation in the same order.
    ///
    /// # Errors
    /// What does not parse or names something unknown.
    pub fn compile_in(&mut self, source: &str, locals: &[&str]) -> Result<Program, CompileError> {
        let expr = parse(source)?;
        Compiler::compile(self, source, expr, locals)
    }

    /// The numbers of all field names that compiled programs mention.
    #[must_use]
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// Numbers a field name although no program mentions it.
    pub fn intern(&mut self, name: &str) -> crate::Symbol {
        self.symbols.intern(name)
    }

    /// The name of a variable.
    #[must_use]
    pub fn name(&self, slot: Slot) -> &str {
        self.names.get(slot.0 as usize).map_or("", |n| n)
    }

    /// The slot of a declared name.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|n| &**n)
    }

    pub(crate) fn has_dotted(&self, root: &str) -> bool {
        self.roots.contains(root) || !self.container.is_empty()
    }

    /// The slot of a name, tried in the container and its parents first.
    pub(crate) fn resolve(&self, name: &str) -> Option<Slot> {
        if let Some(absolute) = name.strip_prefix('.') {
            return self.slot(absolute);
        }
        let mut container: &str = &self.container;
        while !container.is_empty() {
            if let Some(slot) = self.slot(&format!("{container}.{name}")) {
                return Some(slot);
            }
            container = container.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
        self.slot(name)
    }
}
