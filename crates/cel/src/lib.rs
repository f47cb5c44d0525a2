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
pub use program::Program;
pub use references::{Reference, Step};
pub use symbols::Symbols;
pub use val::{Cidr, Format, Host, List, Map, Quantity, Scope, Semver, Url, Val};
pub use time::{Duration, Timestamp};
