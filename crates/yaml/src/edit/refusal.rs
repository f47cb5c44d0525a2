//! Why an edit is not made, in words for people.

use crate::ParseError;

/// Why an operation was refused. Lines are those of the file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// the document has an error
    #[error("the document cannot be read: {0}")]
    Unreadable(Box<ParseError>),
    /// the file has no document of that number
    #[error("the file has no document {0}")]
    NoDocument(u32),
    /// the document holds nothing
    #[error("the document holds no value")]
    Empty,
    /// a route without steps
    #[error("the route is empty")]
    NoRoute,
    /// a value that cannot be written
    #[error("the value cannot be written: {0}")]
    Value(&'static str),
    /// a step that the value does not have
    #[error("line {line}: `{route}` is {found}, not {wanted}")]
    Kind {
        /// up to here
        route: String,
        /// what stands there
        found: &'static str,
        /// what the operation needs
        wanted: &'static str,
        /// where
        line: u32,
    },
    /// nothing stands at the end of the route
    #[error("nothing stands at `{0}`")]
    Missing(String),
    /// an item that an earlier edit of the same file removes
    #[error("`{0}` is removed or renamed by an earlier edit")]
    Gone(String),
    /// a new key that the map already has
    #[error("line {line}: `{key}` stands there already")]
    Taken {
        /// the new key
        key: String,
        /// where
        line: u32,
    },
    /// a key that stands twice in one map
    #[error("`{key}` stands twice, on lines {first} and {again}; only the last one counts")]
    Twice {
        /// the key
        key: String,
        /// line
        first: u32,
        /// line
        again: u32,
    },
    /// the value stands elsewhere and is used here through an alias
    #[error(
        "line {line}: `{route}` is `*{anchor}`; the value stands at `&{anchor}` on line {defined}"
    )]
    Alias {
        /// up to here
        route: String,
        /// name of the anchor
        anchor: String,
        /// where the alias stands
        line: u32,
        /// where the anchor stands
        defined: u32,
    },
    /// the value is used elsewhere too
    #[error(
        "line {line}: `{route}` is the anchor `&{anchor}`, also used on {}; all of them would change",
        lines(uses)
    )]
    Shared {
        /// of the anchor
        route: String,
        /// name of the anchor
        anchor: String,
        /// where the anchor stands
        line: u32,
        /// lines of its aliases
        uses: Vec<u32>,
    },
    /// what would go holds an anchor that is used elsewhere
    #[error(
        "line {line}: the anchor `&{anchor}` stands here, and is used on {}",
        lines(uses)
    )]
    Anchor {
        /// name of the anchor
        anchor: String,
        /// where the anchor stands
        line: u32,
        /// lines of its aliases
        uses: Vec<u32>,
    },
    /// a merge key brings the entry in
    #[error("line {line}: `{route}` comes from the merge key (`<<`) of this map")]
    Merged {
        /// of the entry
        route: String,
        /// where the merge key stands
        line: u32,
    },
    /// a form of YAML that this engine does not edit
    #[error("line {line}: {what}")]
    Form {
        /// what stands there
        what: &'static str,
        /// where
        line: u32,
    },
    /// the edited text would not say what it should
    #[error("the text could not be edited safely")]
    Unsafe,
}

fn lines(lines: &[u32]) -> String {
    let mut out = String::from(if lines.len() == 1 { "line " } else { "lines " });
    for (at, line) in lines.iter().take(5).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(&line.to_string());
    }
    if lines.len() > 5 {
        out.push_str(" and more");
    }
    out
}
