//! A template as one deployment sees it: its parameters, variables, functions and resources.

use std::cell::{Cell, OnceCell};

use crate::evaluate::engine::{Engine, Env};
use crate::expand::places::Places;
use crate::expand::scope::Scope;
use crate::node::{Entry, Node};
use crate::source::Span;
use crate::value::{Data, Value};

/// How far something has been evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State<'a> {
    Todo,
    Doing,
    Done(Value<'a>),
}

/// What a parameter is given.
#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    Nothing,
    /// A value.
    Value(Value<'a>),
    /// `{ "value": … }`, or an expression that gives such an object, in another environment.
    Wrapped(&'a Node<'a>, Env<'a>),
    /// A secret of a Key Vault.
    Secret(Span),
}

/// A parameter.
pub(crate) struct Param<'a> {
    pub(crate) name: &'a str,
    pub(crate) name_span: Span,
    pub(crate) node: &'a Node<'a>,
    pub(crate) given: Given<'a>,
    /// Its declaration does not allow what it is given.
    pub(crate) refused: Cell<bool>,
    pub(crate) state: Cell<State<'a>>,
}

/// A variable.
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    pub(crate) node: &'a Node<'a>,
    /// It is an item of `copy`.
    pub(crate) copied: bool,
    pub(crate) state: Cell<State<'a>>,
}

/// A resource as it is declared.
pub(crate) struct Decl<'a> {
    /// Its symbolic name.
    pub(crate) symbol: Option<&'a str>,
    pub(crate) node: &'a Node<'a>,
    /// The resource it is declared in.
    pub(crate) parent: Option<&'a Self>,
    pub(crate) items: OnceCell<&'a [Item<'a>]>,
    /// Its items are being counted.
    pub(crate) counting: Cell<bool>,
}

/// A resource: one iteration of a declaration.
pub(crate) struct Item<'a> {
    pub(crate) decl: &'a Decl<'a>,
    pub(crate) instance: &'a Instance<'a>,
    pub(crate) env: Env<'a>,
    pub(crate) parent: Option<&'a Self>,
    /// Its place in a loop.
    pub(crate) index: Option<Value<'a>>,
    /// It stands for all iterations of a loop that runs if this holds.
    pub(crate) runs: Option<Value<'a>>,
    pub(crate) name: Cell<State<'a>>,
    pub(crate) id: Cell<State<'a>>,
    pub(crate) body: Cell<State<'a>>,
    pub(crate) condition: Cell<State<'a>>,
    pub(crate) module: OnceCell<Option<&'a Instance<'a>>>,
    pub(crate) opening: Cell<bool>,
}

/// A template as one deployment sees it.
pub(crate) struct Instance<'a> {
    pub(crate) node: &'a Node<'a>,
    /// The template whose deployment this is.
    pub(crate) parent: Option<&'a Self>,
    /// The environment of its expressions, when that is not its own (`outer`).
    pub(crate) outer: Option<Env<'a>>,
    pub(crate) scope: Scope<'a>,
    pub(crate) name: Value<'a>,
    pub(crate) location: Option<Value<'a>>,
    pub(crate) params: &'a [Param<'a>],
    pub(crate) variables: &'a [Variable<'a>],
    pub(crate) decls: &'a [&'a Decl<'a>],
    /// Where parameters, variables and symbolic names stand in these.
    pub(crate) param_places: Places<'a>,
    pub(crate) variable_places: Places<'a>,
    pub(crate) symbols: Places<'a>,
    /// Resources have symbolic names.
    pub(crate) symbolic: bool,
    /// Deployments that lead here.
    pub(crate) through: &'a [Span],
    /// What texts of references begin with: the modules that lead here.
    pub(crate) path: &'a str,
    pub(crate) depth: u32,
    pub(crate) outputs: Cell<State<'a>>,
}

impl<'a> Instance<'a> {
    /// What its expressions see.
    pub(crate) fn env(&'a self) -> Env<'a> {
        self.outer.unwrap_or(Env {
            template: self,
            frame: None,
        })
    }

    /// The declaration of a function.
    pub(crate) fn function(&self, namespace: &str, name: &str) -> Option<&'a Node<'a>> {
        self.node
            .get("functions")?
            .items()
            .iter()
            .filter(|set| {
                set.get("namespace")
                    .and_then(Node::as_str)
                    .is_some_and(|own| own.eq_ignore_ascii_case(namespace))
            })
            .find_map(|set| set.get("members")?.get(name))
    }

    pub(crate) fn param(&self, name: &str) -> Option<&'a Param<'a>> {
        self.params.get(self.param_places.get(name)?)
    }
}

/// What a new instance is made of.
pub(crate) struct New<'a> {
    pub(crate) node: &'a Node<'a>,
    pub(crate) parent: Option<&'a Instance<'a>>,
    pub(crate) outer: Option<Env<'a>>,
    pub(crate) scope: Scope<'a>,
    pub(crate) name: Value<'a>,
    pub(crate) location: Option<Value<'a>>,
    pub(crate) through: &'a [Span],
    pub(crate) path: &'a str,
}

impl<'a> Engine<'a> {
    /// A template with what its parameters are given.
    pub(crate) fn instance(
        &self,
        new: New<'a>,
        given: impl Fn(&'a str) -> Given<'a>,
    ) -> &'a Instance<'a> {
        let node = new.node;
        self.check_form(node);
        let params = node
            .get("parameters")
            .map(Node::entries)
            .unwrap_or_default();
        let params = self
            .bump
            .alloc_slice_fill_iter(params.iter().map(|entry| Param {
                name: entry.key,
                name_span: entry.key_span,
                node: &entry.value,
                given: given(entry.key),
                refused: Cell::new(false),
                state: Cell::new(State::Todo),
            }));
        let mut decls = Vec::new();
        let resources = node.get("resources");
        let symbolic = resources.is_some_and(|node| !node.entries().is_empty());
        if let Some(resources) = resources {
            self.declare(resources, None, &mut decls);
        }
        let bump = self.bump;
        let variables = self.declare_variables(node);
        bump.alloc(Instance {
            node,
            parent: new.parent,
            outer: new.outer,
            scope: new.scope,
            name: new.name,
            location: new.location,
            params,
            variables,
            decls: bump.alloc_slice_copy(&decls),
            param_places: Places::new(bump, params.iter().map(|own| Some(own.name))),
            variable_places: Places::new(bump, variables.iter().map(|own| Some(own.name))),
            symbols: Places::new(bump, decls.iter().map(|decl| decl.symbol)),
            symbolic,
            through: new.through,
            path: new.path,
            depth: new.parent.map_or(0, |parent| parent.depth + 1),
            outputs: Cell::new(State::Todo),
        })
    }

    fn declare_variables(&self, node: &'a Node<'a>) -> &'a [Variable<'a>] {
        let mut out = Vec::new();
        for entry in node.get("variables").map(Node::entries).unwrap_or_default() {
            if entry.key.eq_ignore_ascii_case("copy")
                && crate::evaluate::is_property_copy(&entry.value)
            {
                for item in entry.value.items() {
                    let name = item.get("name").and_then(Node::as_str).unwrap_or_default();
                    out.push((name, item, true));
                }
            } else {
                out.push((entry.key, &entry.value, false));
            }
        }
        self.bump
            .alloc_slice_fill_iter(out.into_iter().map(|(name, node, copied)| Variable {
                name,
                node,
                copied,
                state: Cell::new(State::Todo),
            }))
    }

    /// Declares resources and those within them, in the order in which they are written.
    fn declare(
        &self,
        resources: &'a Node<'a>,
        parent: Option<&'a Decl<'a>>,
        out: &mut Vec<&'a Decl<'a>>,
    ) {
        let listed = resources.items().iter().map(|node| (None, node));
        let named = resources
            .entries()
            .iter()
            .map(|Entry { key, value, .. }| (Some(*key), value));
        for (symbol, node) in listed.chain(named) {
            if !self.is_resource(node) {
                continue;
            }
            let decl: &'a Decl<'a> = self.bump.alloc(Decl {
                symbol,
                node,
                parent,
                items: OnceCell::new(),
                counting: Cell::new(false),
            });
            out.push(decl);
            if let Some(children) = node.get("resources") {
                self.declare(children, Some(decl), out);
            }
        }
    }

    /// The value of a variable.
    pub(crate) fn variable(
        &self,
        instance: &'a Instance<'a>,
        name: &str,
        span: Span,
    ) -> crate::functions::Outcome<'a> {
        let place = instance.variable_places.get(name);
        let found = place.and_then(|at| instance.variables.get(at));
        let Some(variable) = found else {
            if !self.spend(instance.variables.len() / 4) {
                return Err(crate::functions::Fault::Exhausted);
            }
            let names = instance.variables.iter().map(|own| own.name);
            let hint = crate::evaluate::near::hint(name, names);
            return crate::functions::Fault::error(format!("there is no variable `{name}`{hint}"));
        };
        match variable.state.get() {
            State::Done(value) => Ok(value),
            State::Doing => crate::functions::Fault::error(format!(
                "the variable `{name}` leads back to itself"
            )),
            State::Todo => {
                variable.state.set(State::Doing);
                let env = instance.env();
                let value = if variable.copied {
                    self.copied(env, variable.node).map_or(
                        Value {
                            span,
                            data: Data::Null,
                        },
                        |(_, _, value)| value,
                    )
                } else {
                    self.node(env, variable.node)
                };
                let value = self.bounded(value);
                variable.state.set(State::Done(value));
                Ok(value)
            }
        }
    }
}
