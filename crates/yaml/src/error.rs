//! What can be wrong with a document, in words for people who did not read the YAML
//! specification. It leaves out how errors are shown.

use crate::Lines;
use crate::template::looks_like_template;

/// What the scanner, the parser or the composer met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Tab,
    Percent,
    Reserved,
    BlockInFlow,
    NoColon,
    DashHere,
    KeyHere,
    ValueHere,
    QuoteOpen,
    QuoteDocument,
    Escape,
    EscapeDigits,
    EscapeCode,
    BlockZero,
    BlockHeader,
    AnchorName,
    AliasName,
    Directive,
    Version,
    Tag,
    TagHandle,
    DocumentStart,
    Content,
    ItemExpected,
    KeyExpected,
    SequenceComma,
    MappingComma,
    TagValue,
    Base64,
    NullKey,
    HugeKey,
    ComplexKey,
    NotFinite,
    MergeValue,
    UnknownAnchor,
    Recursive,
    Control,
    TooDeep,
    TooLarge,
    TooManyAliases,
    TooManyAnchors,
    Json(JsonFault),
}

/// What the JSON reader met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonFault {
    End,
    Value,
    KeyString,
    Colon,
    ObjectComma,
    ArrayComma,
    TrailingComma,
    Trailing,
    StringEnd,
    StringControl,
    Escape,
    Number,
    NumberRange,
    Comment,
}

/// Something wrong, where it was noticed, and where the thing that is wrong began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem {
    pub(crate) what: What,
    pub(crate) at: u32,
    pub(crate) context: Option<u32>,
}

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// what is wrong: lower case, no final period
    pub message: String,
    /// what to do about it
    pub help: Option<String>,
    /// byte offset in the document's text
    pub offset: u32,
    /// 1-based; of the document for [`crate::parse`], of the file for [`crate::Raw::parse`]
    pub line: u32,
    /// 1-based, in characters
    pub column: u32,
}

impl ParseError {
    /// `first` is the line of the file on which `text` begins.
    pub(crate) fn new(problem: Problem, text: &str, first: u32) -> Self {
        let shift = first.saturating_sub(1);
        let lines = Lines::new(text);
        // What is missing at the end is best shown where it began.
        let at = match problem.what {
            What::QuoteOpen | What::QuoteDocument | What::NoColon => {
                problem.context.unwrap_or(problem.at)
            }
            _ => problem.at,
        };
        let mut place = lines.at(at);
        place.line += shift;
        let begun = problem.context.map(|at| lines.at(at).line + shift);
        let (message, help) = sentence(problem.what, place.line, begun);
        let template = looks_like_template(text).map(|line| {
            let line = line + shift;
            format!(
                "line {line} holds a template action (`{{{{ … }}}}`): render the template first, \
                 for example with `helm template`, and read what comes out"
            )
        });
        Self {
            message,
            help: template.or(help.map(str::to_owned)),
            offset: at,
            line: place.line,
            column: place.column,
        }
    }
}

fn since(what: &str, line: u32, begun: Option<u32>) -> String {
    match begun {
        Some(begun) if begun != line => format!("{what}; it began on line {begun}"),
        _ => what.to_owned(),
    }
}

fn sentence(what: What, line: u32, begun: Option<u32>) -> (String, Option<&'static str>) {
    let indent = Some("keys of one map, and `-` of one list, begin in the same column");
    let quote = Some("put the value in quotes");
    let (text, help) = match what {
        What::Tab => (
            "a tab stands where YAML wants spaces",
            Some("indent with spaces: YAML does not allow tabs for indentation"),
        ),
        What::Percent => ("a value must not begin with `%`", quote),
        What::Reserved => ("a value must not begin with `@` or a backtick", quote),
        What::BlockInFlow => (
            "`|` and `>` cannot be used inside `[…]` or `{…}`",
            Some("put the value in quotes, or write the list or map on lines of its own"),
        ),
        What::NoColon => (
            "this line should be `key: value`, but has no `:`",
            Some("add the `:` and a space, or indent the line if it continues the one above"),
        ),
        What::DashHere => (
            "a list item (`- …`) cannot begin here",
            Some("begin the list on a new line below its key"),
        ),
        What::KeyHere => ("a key (`? …`) cannot begin here", indent),
        What::ValueHere => (
            "`:` is not allowed here",
            Some(
                "a value that holds `: ` needs quotes; otherwise look whether this line is \
                 indented too far",
            ),
        ),
        What::QuoteOpen | What::QuoteDocument => (
            "the text that this quote begins does not end",
            Some("add the missing quote"),
        ),
        What::Escape => (
            "an unknown escape follows `\\` in double quotes",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        What::EscapeDigits => (
            "`\\x`, `\\u` and `\\U` need 2, 4 and 8 hexadecimal digits",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        What::EscapeCode => ("this escape names no character", None),
        What::BlockZero => (
            "the indentation after `|` or `>` must be 1 to 9",
            Some("leave the digit out, YAML finds the indentation itself"),
        ),
        What::BlockHeader => (
            "text follows `|` or `>` on the same line",
            Some("begin the text on the next line, indented"),
        ),
        What::AnchorName => (
            "`&` must be followed by a name",
            Some("put the value in quotes if no anchor is meant"),
        ),
        What::AliasName => (
            "`*` must be followed by the name of an anchor",
            Some("put the value in quotes if it is a pattern such as `\"*\"`"),
        ),
        What::Directive => (
            "this `%` line is no directive that Kubernetes reads",
            Some("remove the line, or quote the value that begins with `%`"),
        ),
        What::Version => (
            "Kubernetes reads YAML 1.1 only",
            Some("remove the `%YAML` line"),
        ),
        What::Tag => (
            "this tag (`!…`) is malformed",
            Some("put the value in quotes if no tag is meant"),
        ),
        What::TagHandle => ("this tag's prefix (`!…!`) was not declared", None),
        What::DocumentStart => (
            "text stands here that belongs to no document",
            Some("put a line `---` between documents, and look at the indentation"),
        ),
        What::Content => ("a value is missing here", quote),
        What::ItemExpected => {
            return (
                since("a list item (`- …`) should stand here", line, begun),
                indent,
            );
        }
        What::KeyExpected => {
            return (
                since(
                    "a key should stand here: the indentation fits nothing above",
                    line,
                    begun,
                ),
                indent,
            );
        }
        What::SequenceComma => {
            return (
                since("a `,` or `]` is missing in a `[…]` list", line, begun),
                None,
            );
        }
        What::MappingComma => {
            return (
                since("a `,` or `}` is missing in a `{…}` map", line, begun),
                None,
            );
        }
        What::TagValue => ("the value does not fit its tag", None),
        What::Base64 => ("the value tagged `!!binary` is not base64", None),
        What::NullKey => ("a key must not be null", Some("put the key in quotes")),
        What::HugeKey => (
            "Kubernetes cannot use so large a number as a key",
            Some("put the key in quotes"),
        ),
        What::ComplexKey => (
            "a key must be a single value, not a list or a map",
            Some("put quotes around a value that begins with `{` or `[`"),
        ),
        What::NotFinite => (
            "infinity and not-a-number cannot be written in JSON, so Kubernetes refuses them",
            Some("put the value in quotes if a text is meant"),
        ),
        What::MergeValue => (
            "`<<` merges a map or a list of maps, nothing else",
            Some("give it an alias such as `*defaults`"),
        ),
        What::UnknownAnchor => (
            "no anchor of that name stands above",
            Some("put the value in quotes if it is a pattern such as `\"*\"`"),
        ),
        What::Recursive => ("the anchor's value contains itself", None),
        What::Control => (
            "a control character stands here",
            Some("remove it, or write it as an escape in double quotes"),
        ),
        What::TooDeep => ("lists and maps are nested too deeply", None),
        What::TooLarge => ("the document is too large", None),
        What::TooManyAliases => (
            "aliases make the document too large when they are written out",
            None,
        ),
        What::TooManyAnchors => ("the document has too many anchors", None),
        What::Json(fault) => return (since(json(fault), line, begun), None),
    };
    (text.to_owned(), help)
}

fn json(fault: JsonFault) -> &'static str {
    match fault {
        JsonFault::End => "the JSON ends too early",
        JsonFault::Value => "a JSON value should stand here",
        JsonFault::KeyString => "a key in double quotes should stand here",
        JsonFault::Colon => "a `:` should stand here",
        JsonFault::ObjectComma => "a `,` or `}` should stand here",
        JsonFault::ArrayComma => "a `,` or `]` should stand here",
        JsonFault::TrailingComma => "JSON allows no `,` before a closing bracket",
        JsonFault::Trailing => "text follows the end of the JSON value",
        JsonFault::StringEnd => "a string does not end",
        JsonFault::StringControl => "a line break or control character stands in a string",
        JsonFault::Escape => "an unknown escape follows `\\`",
        JsonFault::Number => "this is no JSON number",
        JsonFault::NumberRange => "the number is out of range",
        JsonFault::Comment => "a comment does not end",
    }
}
