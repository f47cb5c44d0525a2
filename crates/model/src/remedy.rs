//! What would cure a finding: changes of the document that its object stands in, without regard to the language
//! that the document is written in.

use std::sync::Arc;

pub use bicep::addition::{self, Addition};
pub use bicep::declaration::{self, Declare};
use yaml::Span;

use crate::finding::Safety;
use crate::resource::{Origin, ResourceName};

/// One step of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a map.
    Key(Box<str>),
    /// An item of a list, from 0.
    Index(usize),
}

/// What a machine would do about one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// Where the document came from.
    pub origin: Origin,
    /// What is changed, where that is another resource than the finding is about.
    pub other: Option<ResourceName>,
    /// In order.
    pub changes: Vec<Change>,
    /// Objects that stand beside it, in order.
    pub new: Vec<NewObject>,
    /// Azure resources that are added to its template, in order.
    pub added: Vec<Addition>,
    /// Why nothing can be offered after all; then there are no changes and no objects.
    pub refused: Option<Box<str>>,
    /// The answers for want of which it is refused.
    pub wanted: Vec<Wanted>,
}

/// An answer that only the owner of an estate knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The name of the question.
    pub name: Box<str>,
    /// What it is asked about, where it is asked about several things.
    pub about: Option<Box<str>>,
}

/// An object that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Its kind; that of the first where the text holds several.
    pub kind: Box<str>,
    /// Its namespace.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// The name of a file for it, without its ending.
    pub stem: Box<str>,
    /// YAML: one document or several. Many findings may ask for it.
    pub text: Arc<str>,
}

/// One change of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, from the document's root; in a template from the resource.
    pub at: Vec<Step>,
    /// What.
    pub act: Act,
    /// Where the values on the way are written, outermost first; nothing where the document is
    /// written as its values are: then the way says it.
    pub written: Vec<Written>,
}

/// Where a value of a template is written. It may be far from where it is used: the default of a
/// parameter, a parameter file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many steps of the way lead to it.
    pub steps: usize,
    /// The file.
    pub path: Arc<str>,
    /// Its place there, in bytes; a byte order mark does not count.
    pub span: Span,
    /// The place of the key that leads to it, when it stands in the same file.
    pub key: Option<Span>,
    /// It stands in a published module, which nobody edits; the place is that of the call.
    pub published: bool,
    /// The file holds values that are not shown.
    pub hidden: bool,
}

impl Change {
    /// Whether the whole document goes.
    #[must_use]
    pub fn removes_document(&self) -> bool {
        self.act == Act::Remove && self.at.is_empty()
    }

    /// The deepest value that is written and that the change is in: what is set, or what holds
    /// that; what holds an entry that goes.
    #[must_use]
    pub fn anchor(&self) -> Option<&Written> {
        let most = match self.act {
            Act::Set(_) | Act::Add(_) | Act::Wrap { .. } => self.at.len(),
            Act::Remove | Act::Replace { .. } => self.at.len().saturating_sub(1),
        };
        self.written
            .iter()
            .rev()
            .find(|written| written.steps <= most)
    }
}

/// What is done to a value. Values are YAML in flow style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It becomes this, and the maps on its way are made.
    Set(Box<str>),
    /// This is appended to the list, unless it stands there.
    Add(Box<str>),
    /// It goes, with its key; where the way is empty, the whole document.
    Remove,
    /// It goes, and the map that held it gets this entry.
    Replace {
        /// the key
        key: Box<str>,
        /// its value
        value: Box<str>,
    },
    /// It goes deeper: this comes in its place, and it becomes a part of that, where these keys lead.
    Wrap {
        /// what comes in its place
        around: Box<str>,
        /// the keys
        within: Box<[Box<str>]>,
    },
}

/// A change of how a template declares a parameter: what is done, and where the parameter's name stands.
#[must_use]
pub fn declared(change: &Change) -> Option<(Declare, &Written)> {
    let Some(Step::Key(last)) = change.at.last() else {
        return None;
    };
    let act = match (&**last, &change.act) {
        ("secure", Act::Set(value)) if **value == *"true" => Declare::Secure,
        ("hasDefault", Act::Set(value)) if **value == *"false" => Declare::NoDefault,
        _ => return None,
    };
    let name = change.at.len() - 1;
    let mut written = change.written.iter();
    Some((act, written.find(|written| written.steps == name)?))
}

/// The way as people write it: `spec.containers[0].image`.
#[must_use]
pub fn route(steps: &[Step]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Key(key) if is_plain(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Key(key) => {
                let _ = write!(text, "[\"{key}\"]");
            }
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
        }
    }
    text
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$')
}
