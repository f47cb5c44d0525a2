//! The Bicep language as text: reading it into a tree ([`parse`], [`parse_parameters`]) and
//! printing the tree ([`print`]).
//!
//! The tree is what is written, name by name as Bicep's own grammar calls things, with a place on
//! everything. What names refer to, types, and what a file comes to are not looked at here: see
//! `compile`. A text is always read to its end; what cannot be read is a `Skipped` node and a
//! [`Problem`](crate::deployment::Problem).
//!
//! Followed: the parser of Azure/bicep (`src/Bicep.Core/Parsing`), which decides where its
//! `docs/grammar.md` is silent, such as about where lines may break.

mod expression;
mod lexer;
mod parser;
mod print;
mod statement;
mod text;
mod types;

pub use expression::*;
pub use parser::{MAX_DEPTH, parse, parse_parameters};
pub use print::{print, print_expression, print_type};
pub use statement::*;
pub(crate) use text::escape;
pub use types::*;
