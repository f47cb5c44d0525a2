//! Edits of what stands between the braces of a block: an argument or a block comes or goes.
//! New lines follow the indentation and the line breaks around them.

use std::ops::Range;
use std::rc::Rc;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body, Structure};
use yaml::edit::Edit;

use super::parses::Parses;
use super::render::{New, Style};

/// What comes first in a block, apart from the rest.
/// <https://developer.hashicorp.com/terraform/language/style>
const FIRST: &[&str] = &[
    "count",
    "for_each",
    "provider",
    "providers",
    "source",
    "version",
];

/// What comes last.
const LAST: &[&str] = &[
    "connection",
    "depends_on",
    "lifecycle",
    "provisioner",
    "tags",
    "timeouts",
];

/// What a text says.
pub(crate) struct Parsed {
    pub(crate) body: Rc<Body>,
}

impl Parsed {
    pub(crate) fn new(parses: &Parses, path: &str, text: &str) -> Result<Self, String> {
        let body = parses.body(path, text);
        body.map(|body| Self { body })
            .map_err(|error| error.message().replace('\n', "; "))
    }

    /// The block whose kind stands at an offset.
    pub(crate) fn block_at(&self, offset: usize) -> Option<&Block> {
        let mut body = &*self.body;
        loop {
            let block = body
                .blocks()
                .find(|block| block.span().is_some_and(|span| span.contains(&offset)))?;
            if block.span().is_some_and(|span| span.start == offset) {
                return Some(block);
            }
            body = &block.body;
        }
    }

    /// The innermost block around an offset, and the attribute in it that holds the offset.
    pub(crate) fn around(&self, offset: usize) -> Vec<&Structure> {
        let mut found = Vec::new();
        let mut body = &*self.body;
        while let Some(structure) = body
            .iter()
            .find(|one| span_of(one).is_some_and(|span| span.contains(&offset)))
        {
            found.push(structure);
            match structure {
                Structure::Block(block) => body = &block.body,
                Structure::Attribute(_) => break,
            }
        }
        found
    }
}

fn span_of(structure: &Structure) -> Option<Range<usize>> {
    match structure {
        Structure::Attribute(attribute) => attribute.span(),
        Structure::Block(block) => block.span(),
    }
}

fn name_of(structure: &Structure) -> &str {
    match structure {
        Structure::Attribute(attribute) => attribute.key.as_str(),
        Structure::Block(block) => block.ident.as_str(),
    }
}

/// A block in its text.
pub(crate) struct Place<'t> {
    text: &'t str,
    block: &'t Block,
    /// After the brace that opens it.
    open: usize,
    /// Before the one that closes it.
    close: usize,
}

impl<'t> Place<'t> {
    pub(crate) fn new(text: &'t str, block: &'t Block) -> Option<Self> {
        let span = block.span()?;
        let head = block
            .labels
            .iter()
            .filter_map(hcl_edit::Span::span)
            .chain(block.ident.span())
            .map(|span| span.end)
            .max()?;
        let open = head + text.get(head..span.end)?.find('{')? + 1;
        Some(Self {
            text,
            block,
            open,
            close: span.end.checked_sub(1)?,
        })
    }

    fn is_one_line(&self) -> bool {
        !self
            .text
            .get(self.open..self.close)
            .is_some_and(|inner| inner.contains('\n'))
    }

    /// How lines within the block begin and end.
    fn style(&self) -> Style {
        let start = self.block.span().map_or(0, |span| span.start);
        let outer = indent(self.text, start).unwrap_or_default();
        let own = Style {
            indent: outer.to_owned(),
            unit: if outer.starts_with('\t') { "\t" } else { "  " },
            newline: newline(self.text, start),
        };
        let inner = self
            .block
            .body
            .iter()
            .filter_map(span_of)
            .find_map(|span| indent(self.text, span.start));
        match inner {
            Some(inner) if !self.is_one_line() => Style {
                indent: inner.to_owned(),
                ..own
            },
            _ => own.deeper(),
        }
    }

    /// Puts something new into the block.
    pub(crate) fn insert(&self, new: &New) -> Edit {
        let style = self.style();
        let text = new.text(&style);
        if self.is_one_line() {
            return self.unfold(&text, &style);
        }
        let structures: Vec<&Structure> = self.block.body.iter().collect();
        let after = match new {
            New::Attribute(..) => attribute_place(&structures),
            New::Block(..) => block_place(&structures),
        };
        let newline = style.newline;
        let line = format!("{newline}{}{text}", style.indent);
        let Some((at, after)) = after.and_then(|at| Some((at, *structures.get(at)?))) else {
            // First of all.
            let at = line_end(self.text, self.open);
            let gap = match structures.first() {
                Some(Structure::Block(_)) if matches!(new, New::Attribute(..)) => newline,
                _ => "",
            };
            return insertion(at, format!("{line}{gap}"));
        };
        let at_end = span_of(after).map_or(self.open, |span| span.end);
        let end = line_end(self.text, at_end);
        let apart = match (new, after) {
            (New::Attribute(..), after) => FIRST.contains(&name_of(after)),
            (New::Block(..), Structure::Attribute(_)) => true,
            (New::Block(..), Structure::Block(_)) => {
                at == 0 || blank_before(self.text, span_of(after).map_or(0, |span| span.start))
            }
        };
        let gap = if apart { newline } else { "" };
        insertion(end, format!("{gap}{line}"))
    }

    /// A block on one line holds one argument at most: it takes more lines from now on.
    fn unfold(&self, text: &str, style: &Style) -> Edit {
        let newline = style.newline;
        let mut outer = style.indent.clone();
        outer.truncate(outer.len().saturating_sub(style.unit.len()));
        let inner = self
            .text
            .get(self.open..self.close)
            .unwrap_or_default()
            .trim();
        let old = if inner.is_empty() {
            String::new()
        } else {
            format!("{newline}{}{inner}", style.indent)
        };
        Edit {
            start: self.open,
            end: self.close,
            text: format!("{old}{newline}{}{text}{newline}{outer}", style.indent),
        }
    }

    /// Takes an argument or a block out; `span` is its place.
    pub(crate) fn remove(&self, span: Range<usize>) -> Edit {
        let gone = |start, end| Edit {
            start,
            end,
            text: String::new(),
        };
        if self.is_one_line() {
            return gone(self.open, self.close);
        }
        removed_lines(self.text, span)
    }
}

/// Takes out the lines of something that stands on lines of its own.
pub(crate) fn removed_lines(text: &str, span: Range<usize>) -> Edit {
    let start = line_start(text, span.start);
    let end = (line_end(text, span.end) + newline(text, span.start).len()).min(text.len());
    // A gap before and one after would be one gap too many.
    let before = text.get(..start).unwrap_or_default();
    let after = text
        .get(end..)
        .unwrap_or_default()
        .trim_start_matches([' ', '\t']);
    let gap_after = after.starts_with(['\n', '\r', '}']) || after.is_empty();
    let start = if gap_after && blank_before(text, start) {
        let line = before.trim_end_matches(['\n', '\r', ' ', '\t']).len();
        line_end(text, line) + newline(text, span.start).len()
    } else {
        start
    };
    let opens = before
        .trim_end_matches([' ', '\t', '\r', '\n'])
        .ends_with('{');
    let end = if opens && after.starts_with(['\n', '\r']) {
        (line_end(text, end) + newline(text, span.start).len()).min(text.len())
    } else {
        end
    };
    Edit {
        start,
        end,
        text: String::new(),
    }
}

fn insertion(at: usize, text: String) -> Edit {
    Edit {
        start: at,
        end: at,
        text,
    }
}

/// The argument after which a new one comes: the last of those before the blocks.
fn attribute_place(structures: &[&Structure]) -> Option<usize> {
    let blocks = structures
        .iter()
        .position(|one| matches!(one, Structure::Block(_)));
    let before = structures.get(..blocks.unwrap_or(structures.len()))?;
    let last = |all: &[&Structure]| {
        all.iter().rposition(|one| {
            matches!(one, Structure::Attribute(_)) && !LAST.contains(&name_of(one))
        })
    };
    last(before).or_else(|| last(structures))
}

/// The block after which a new one comes: the last one that is no afterword.
fn block_place(structures: &[&Structure]) -> Option<usize> {
    structures
        .iter()
        .rposition(|one| matches!(one, Structure::Block(_)) && !LAST.contains(&name_of(one)))
        .or_else(|| {
            structures
                .iter()
                .rposition(|one| !LAST.contains(&name_of(one)))
        })
}

/// What a line begins with, when nothing but white space stands before an offset.
pub(crate) fn indent(text: &str, offset: usize) -> Option<&str> {
    let before = text.get(line_start(text, offset)..offset)?;
    before
        .chars()
        .all(|next| matches!(next, ' ' | '\t'))
        .then_some(before)
}

pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.rfind('\n').map_or(0, |at| at + 1)
}

/// The end of a line, before its line break.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    offset + line.strip_suffix('\r').unwrap_or(line).len()
}

fn blank_before(text: &str, offset: usize) -> bool {
    let start = line_start(text, offset);
    let before = text.get(..start).unwrap_or_default();
    let before = before.strip_suffix('\n').unwrap_or(before);
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim().is_empty() && !before.is_empty()
}

/// The line break at an offset's line.
pub(crate) fn newline(text: &str, offset: usize) -> &'static str {
    let end = text.get(offset..).and_then(|rest| rest.find('\n'));
    let before = end.and_then(|end| text.get(..offset + end));
    if before.is_some_and(|before| before.ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::{New, Parsed, Parses, Place};
    use yaml::edit::{Value, apply};

    fn with(text: &str, new: &New) -> String {
        let parsed = Parsed::new(&Parses::default(), "main.tf", text).unwrap();
        let block = parsed.body.blocks().next().unwrap();
        apply(text, &[Place::new(text, block).unwrap().insert(new)])
    }

    fn flag(name: &str) -> New {
        New::Attribute(name.to_owned(), Value::Bool(true))
    }

    #[test]
    fn what_is_new_finds_its_place() {
        let block = New::Block("new".to_owned(), vec![flag("on")]);
        for (text, attribute, nested) in [
            (
                "r \"a\" {}\n",
                "r \"a\" {\n  x = true\n}\n",
                "r \"a\" {\n  new {\n    on = true\n  }\n}\n",
            ),
            (
                "r { a = 1 }\n",
                "r {\n  a = 1\n  x = true\n}\n",
                "r {\n  a = 1\n  new {\n    on = true\n  }\n}\n",
            ),
            (
                "r {\r\n  a = 1 # one\r\n}\r\n",
                "r {\r\n  a = 1 # one\r\n  x = true\r\n}\r\n",
                "r {\r\n  a = 1 # one\r\n\r\n  new {\r\n    on = true\r\n  }\r\n}\r\n",
            ),
            (
                "r {\n  count = 1\n\n  b {\n  }\n  lifecycle {}\n}\n",
                "r {\n  count = 1\n\n  x = true\n\n  b {\n  }\n  lifecycle {}\n}\n",
                "r {\n  count = 1\n\n  b {\n  }\n\n  new {\n    on = true\n  }\n  lifecycle {}\n}\n",
            ),
            (
                "r {\n  a = [\n    1,\n  ]\n  tags = {}\n}\n",
                "r {\n  a = [\n    1,\n  ]\n  x = true\n  tags = {}\n}\n",
                "r {\n  a = [\n    1,\n  ]\n\n  new {\n    on = true\n  }\n  tags = {}\n}\n",
            ),
            (
                "r {\n  b {\n  }\n}\n",
                "r {\n  x = true\n\n  b {\n  }\n}\n",
                "r {\n  b {\n  }\n\n  new {\n    on = true\n  }\n}\n",
            ),
        ] {
            assert_eq!(with(text, &flag("x")), attribute);
            assert_eq!(with(text, &block), nested);
        }
    }

    #[test]
    fn what_goes_takes_its_lines() {
        for (text, expected) in [
            ("r { b = 1 }\n", "r {}\n"),
            (
                "r {\n  a = 1\n  b = 2 # two\n  c = 3\n}\n",
                "r {\n  a = 1\n  c = 3\n}\n",
            ),
            (
                "r {\n  a = 1\n\n  b = 2\n\n  c = 3\n}\n",
                "r {\n  a = 1\n\n  c = 3\n}\n",
            ),
            (
                "r {\n  a = 1\n\n  b = [\n    2\n  ]\n}\n",
                "r {\n  a = 1\n}\n",
            ),
            ("r {\n  b = 2\n\n  c = 3\n}\n", "r {\n  c = 3\n}\n"),
        ] {
            let parsed = Parsed::new(&Parses::default(), "main.tf", text).unwrap();
            let block = parsed.body.blocks().next().unwrap();
            let span = hcl_edit::Span::span(block.body.get_attribute("b").unwrap()).unwrap();
            let edit = Place::new(text, block).unwrap().remove(span);
            assert_eq!(apply(text, &[edit]), expected);
        }
    }
}
