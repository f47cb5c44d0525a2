//! Edits of YAML and JSON texts: a value is set, added, removed or renamed, and every other
//! byte stays as it is. Comments, order, anchors, quotes, line breaks and indentation are kept;
//! what is new follows the style around it.
//!
//! Every edit is proved before it is handed out: the operations are applied to the values of
//! the document without looking at its text, the edited text is read again, and both must be
//! the same; every other document of the file must be unchanged byte for byte. What fails is
//! refused ([`Refusal::Unsafe`]), never written.
//!
//! What is refused, with a reason for people: an edit through an alias, or inside an anchor
//! that is used elsewhere (unless [`Options::follow`] is set, which then says what else
//! changes); the removal of an anchor that is used; a key that stands twice; an entry that a
//! merge key (`<<`) brings in. A whole value may be set beside a merge key: what stands below it
//! counts.
//!
//! Comments: those on the lines of a removed entry go with it, and those below it that are
//! indented deeper; those above it stay. A replaced value takes the comments inside it along.
//! It leaves out what is worth editing, and files: offsets are those of the text.
//!
//! ```
//! use yaml::edit::{Editor, Operation, Options, Step, Value, apply};
//! let text = "spec:\n  containers:\n  - name: web # the shop\n    image: web:1\n";
//! let route = |last: &str| -> Vec<Step> {
//!     ["spec", "containers"].map(Step::from).into_iter()
//!         .chain([Step::from(0), Step::from("securityContext"), Step::from(last)])
//!         .collect()
//! };
//! let mut editor = Editor::new(text, Options::default());
//! editor.apply(0, &[
//!     Operation::Set { route: route("privileged"), value: Value::Bool(false) },
//!     Operation::Set { route: route("runAsUser"), value: Value::Int(10001) },
//! ])?;
//! let outcome = editor.finish();
//! assert_eq!(
//!     apply(text, &outcome.edits),
//!     "spec:\n  containers:\n  - name: web # the shop\n    image: web:1\n    \
//!      securityContext:\n      privileged: false\n      runAsUser: 10001\n"
//! );
//! # Ok::<(), yaml::edit::Refusal>(())
//! ```

mod block;
mod editor;
mod emit;
mod flow;
mod layout;
mod layout_json;
mod lines;
mod nest;
mod plan;
mod quote;
mod refusal;
mod render;
mod style;
mod tree;
mod value;
mod whole;

pub use editor::{Applied, Editor, Outcome};
pub use refusal::Refusal;
pub use value::Value;

use crate::Limits;

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// offset of the first byte that goes
    pub start: usize,
    /// one past the last byte that goes
    pub end: usize,
    /// what comes in its place
    pub text: String,
}

/// One step of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// into a map
    Key(Box<str>),
    /// into a list, from 0
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// What to do. Routes mean the document as it was read: an item's number stays when an earlier
/// operation removes another item.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Sets a value, making the maps on its way. Of a map that stands there already, only
    /// entries that differ change.
    Set {
        /// where
        route: Vec<Step>,
        /// to what
        value: Value,
    },
    /// Appends to a list what is not in it yet; makes the list if nothing stands there.
    Add {
        /// to which list
        route: Vec<Step>,
        /// what
        value: Value,
    },
    /// Removes an entry with its key, or an item. Nothing to do if it is not there. By itself and without a route it
    /// takes the whole document out of the text, whatever else is done to it.
    Remove {
        /// what
        route: Vec<Step>,
        /// also removes the map or list it leaves empty, instead of `{}` or `[]`
        prune: bool,
    },
    /// Gives an entry another key.
    Rename {
        /// which entry
        route: Vec<Step>,
        /// the new key
        key: String,
    },
    /// Replaces an entry by another one at the same place.
    Replace {
        /// which entry
        route: Vec<Step>,
        /// the new key
        key: String,
        /// the new value
        value: Value,
    },
    /// Puts what stands behind a key deeper: the key gets a new value, and the old one becomes a part of that. Done after
    /// all other operations.
    Nest {
        /// which value
        route: Vec<Step>,
        /// the new value without the old one
        around: Value,
        /// where in it the old one goes; maps on the way are made
        within: Vec<Box<str>>,
    },
}

impl Operation {
    /// Where it works.
    #[must_use]
    pub fn route(&self) -> &[Step] {
        match self {
            Self::Set { route, .. }
            | Self::Add { route, .. }
            | Self::Remove { route, .. }
            | Self::Rename { route, .. }
            | Self::Replace { route, .. }
            | Self::Nest { route, .. } => route,
        }
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// documents as `kubectl` reads them, YAML or JSON
    #[default]
    Documents,
    /// one JSON value
    Json,
    /// one JSON value with comments, as Azure Resource Manager reads it
    Jsonc,
}

/// How to read and edit.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// what the text is
    pub format: Format,
    /// keys are found whatever their case, as Azure does
    pub any_case: bool,
    /// edits through an alias go to its anchor, and edits inside an anchor are made although
    /// its aliases change too
    pub follow: bool,
    /// how much one document may cost
    pub limits: Limits,
}

/// What changes besides what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// line of the alias
    pub line: u32,
    /// name of the anchor
    pub anchor: String,
}

/// Makes edits; they must be in order and not overlap, as an [`Outcome`] has them.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + edits.len() * 32);
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A route for people: `spec.containers[0].image`.
fn route_text(route: &[Step]) -> String {
    let mut out = String::new();
    for step in route {
        match step {
            Step::Index(index) => out.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
                if key.is_empty() || !key.chars().all(plain) {
                    out.push_str(&format!("[{key:?}]"));
                } else {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key);
                }
            }
        }
    }
    out
}

fn same_key(a: &str, b: &str, any_case: bool) -> bool {
    if any_case {
        a.eq_ignore_ascii_case(b)
    } else {
        a == b
    }
}
