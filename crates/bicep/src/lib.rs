//! The ARM template and Bicep languages: read, evaluate, compile.
//!
//! Stands alone and knows nothing of seawall. Texts come through [`source::Files`]; only [`disk`]
//! does I/O. Both languages become one tree ([`node`]); what evaluates a template does not know
//! which of them it was written in, so that a Bicep file and the JSON compiled from it give the
//! same answer, and every value carries the place where it stands ([`source::Span`]).
//!
//! What a template leaves open (a parameter without a value, a property of a resource that is
//! not in the template, the subscription) is [`value::Data::Unknown`] and says why; it is never
//! guessed.

pub mod addition;
pub mod compile;
pub mod declaration;
pub mod deployment;
pub mod disk;
pub mod edit;
pub mod emit;
mod evaluate;
pub mod expand;
pub mod expression;
pub mod functions;
pub mod json;
pub mod node;
pub mod problems;
pub mod source;
pub mod syntax;
pub mod value;

pub use expand::{Assumption, Cloud, Options, ScopeKind, expand, expand_text};
