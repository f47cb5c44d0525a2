//! What an API server says of a request while it asks for a decision: the variables `request` and `oldObject`
//! of an admission policy
//! (<https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>).
//!
//! It leaves out the form in which it is sent: the server reads that.

use cel::Symbols;
use model::Resource;
use model::doc::{Dialect, Doc, DocBuilder};
use yaml::{Build as _, Limits, Span, json};

/// What is done to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is new.
    Create,
    /// It is there already.
    Update,
    /// It goes.
    Delete,
    /// Somebody talks through it (`pods/exec`, `services/proxy`).
    Connect,
}

impl Operation {
    /// The word that admission uses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Connect]
            .into_iter()
            .find(|operation| operation.word() == word)
    }
}

/// A request before an API server.
#[derive(Debug)]
pub struct Admission {
    /// What is done.
    pub operation: Operation,
    /// `request`, without the objects.
    pub request: Doc,
    /// `oldObject`: what was there before.
    pub old: Option<Doc>,
    /// `namespaceObject`, where it is known better than the estate knows it.
    pub namespace: Option<Resource>,
}

impl Admission {
    /// From JSON texts. What is no JSON, or beyond the limits, is null.
    #[must_use]
    pub fn of(symbols: &Symbols, operation: Operation, request: &str, old: Option<&str>) -> Self {
        Self {
            operation,
            request: json(symbols, request),
            old: old.map(|old| json(symbols, old)),
            namespace: None,
        }
    }
}

fn json(symbols: &Symbols, text: &str) -> Doc {
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, text.into(), 1);
    let options = json::Options { lenient: false };
    if let Ok(root) = json::parse(text, options, &Limits::default(), &mut builder) {
        return builder.finish(root);
    }
    let mut nothing = DocBuilder::new(symbols, Dialect::Plain, "".into(), 1);
    let root = nothing.null(Span { start: 0, end: 0 });
    nothing.finish(root)
}
