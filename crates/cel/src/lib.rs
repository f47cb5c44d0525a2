//! The Common Expression Language as Kubernetes speaks it: compiled once, evaluated over
//! data that stays where it is, aware of unknown values, and able to say which values
//! decided a result.
//!
//! What it deliberately leaves out: protobuf messages, and any knowledge of seawall. The
//! crate knows neither YAML nor files; whoever evaluates implements [`Node`] for their tree.
//!
//! ```text
//! source ──parse──▶ Expr (spans, macros as nodes of their own)
//!        ──compile─▶ Program (names resolved to slots, constants folded, regexes built)
//!        ──eval────▶ Val    (Copy; strings borrowed; what is made lives in a bump arena)
//!        ──blame───▶ the nodes that decided
//! ```
//!
//! What is evaluated over is the caller's: a [`Node`] is a handle into a tree, a [`Scope`] gives
//! the variables, and what is made on the way lives in the caller's arena. The tree, the program
//! and the arena share one lifetime; make the scope beside the arena.
//!
//! ```
//! use cel::{Budget, Bump, Env, Key, Node, Scope, Slot, Unknown, Val, View};
//!
//! /// A tree of one number.
//! #[derive(Clone, Copy)]
//! struct Number(i64);
//!
//! impl<'a> Node<'a> for Number {
//!     fn view(self) -> View<'a> { View::Int(self.0) }
//!     fn field(self, _: &Key) -> Option<Self> { None }
//!     fn field_named(self, _: &str) -> Option<Self> { None }
//!     fn item(self, _: usize) -> Option<Self> { None }
//!     fn entry(self, _: usize) -> Option<(&'a str, Self)> { None }
//!     fn rest(self) -> Option<Unknown> { None }
//!     fn same(self, other: Self) -> bool { self.0 == other.0 }
//! }
//!
//! struct Replicas(i64);
//!
//! impl<'a> Scope<'a, Number> for Replicas {
//!     fn variable(&self, _: Slot) -> Val<'a, Number> { Val::Node(Number(self.0)) }
//! }
//!
//! let mut env = Env::new();
//! env.declare("replicas");
//! let program = env.compile_in("replicas >= least", &["least"])?;
//! let bump = Bump::new();
//! let value = program.eval(&Replicas(3), &[Val::Int(2)], &bump, &Budget::default());
//! assert_eq!(value.as_bool(), Some(true));
//!
//! let blame = program.blame(&Replicas(1), &[Val::Int(2)], &bump, &Budget::default());
//! assert!(matches!(blame.decisions[..], [cel::Decision::Value(Number(1))]));
//! # Ok::<(), cel::CompileError>(())
//! ```
//!
//! Where the specification and cel-go 0.26 (Kubernetes 1.34) differ, cel-go is followed, but for
//! `format()` (version 4 of the strings library), repeated keys in a map literal (an error), and
//! the order of a map's entries (the document's). The text of a timestamp is always in UTC.

pub mod ast;
mod blame;
mod budget;
mod compile;
mod env;
mod error;
mod eval;
mod functions;
mod ir;
mod lexer;
mod library;
pub mod mutate;
mod node;
mod parser;
mod partial;
mod program;
mod references;
mod symbols;
mod time;
mod val;

pub use blame::{Blame, Decision};
pub use budget::Budget;
pub use bumpalo::Bump;
pub use env::{Env, Slot};
pub use error::{CompileError, ErrorKind, EvalError};
pub use node::{Key, Node, Span, Symbol, Unknown, View};
pub use parser::parse;
pub use partial::Partial;
pub use program::Program;
pub use references::{Reference, Step};
pub use symbols::Symbols;
pub use time::{Duration, Timestamp};
pub use val::{Cidr, Format, Host, List, Map, Quantity, Scope, Semver, Seq, Url, Val};
