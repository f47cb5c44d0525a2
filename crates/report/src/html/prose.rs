//! The guide's Markdown as HTML: headings, paragraphs, lists, tables, code, emphasis, links. Text
//! from the input is no Markdown: a manifest must not be able to place a link in a report.
//!
//! What it deliberately leaves out: nested lists, quotes, pictures and raw HTML, which the guide
//! has none of.

use guide::markdown::{self, Block};
use maud::{Markup, html};
use model::Severity;

use super::document::symbol;
use crate::text::{Inline, clean, inline};

/// Where an address of the guide's text leads; `None` shows the text without a link.
pub(crate) type Links<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Only addresses in the web.
pub(crate) fn web(address: &str) -> Option<String> {
    address.starts_with("https://").then(|| address.to_owned())
}

/// Paragraphs and lists.
#[must_use]
pub fn blocks(markdown: &str) -> Markup {
    document(markdown, &web)
}

/// A page's text. The heading of the first level is the page's own and left out.
pub(crate) fn document(markdown: &str, links: Links<'_>) -> Markup {
    let parsed = markdown::parse(&format!("---\n---\n{markdown}")).map_or_else(
        |_| vec![Block::Prose(markdown.to_owned())],
        |page| page.blocks,
    );
    html! {
        @for block in &parsed {
            @match block {
                Block::Heading(1, _) => {},
                Block::Heading(2, text) => h2 id=(slug(text)) { (spans_with(text, links)) },
                Block::Heading(_, text) => h3 id=(slug(text)) { (spans_with(text, links)) },
                Block::Fence(fence) => pre tabindex="0" { code { (fence.text) } },
                Block::Quote(text, _) => blockquote { p { (spans_with(text, links)) } },
                Block::Prose(text) => (prose(text, links)),
            }
        }
    }
}

/// A heading as a fragment: letters and digits, everything else a dash.
pub(crate) fn slug(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
        .to_lowercase()
}

fn prose(markdown: &str, links: Links<'_>) -> Markup {
    html! {
        @for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            @if block.starts_with("- ") {
                ul { @for item in items(block, dashed) { li { (spans_with(&item, links)) } } }
            } @else if numbered(block).is_some() {
                ol { @for item in items(block, numbered) { li { (spans_with(&item, links)) } } }
            } @else if block.starts_with('|') {
                (table(block, links))
            } @else {
                p { (spans_with(block, links)) }
            }
        }
    }
}

fn dashed(line: &str) -> Option<&str> {
    line.strip_prefix("- ")
}

fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// List items; a line without a mark continues the one before.
fn items(block: &str, mark: fn(&str) -> Option<&str>) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block.lines() {
        match (mark(line), items.last_mut()) {
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            (item, _) => items.push(item.unwrap_or(line).to_owned()),
        }
    }
    items
}

/// A table: the first line is its head, the second only rules it off.
fn table(block: &str, links: Links<'_>) -> Markup {
    let mut rows = block.lines().map(cells);
    let head = rows.next().unwrap_or_default();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(head.join(", ")) {
            table {
                thead { tr { @for cell in &head { th scope="col" { (spans_with(cell, links)) } } } }
                tbody {
                    @for row in rows.skip(1) {
                        tr { @for cell in &row { td { (spans_with(cell, links)) } } }
                    }
                }
            }
        }
    }
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A text from the input: what stands between backticks is code, everything else is as it is.
#[must_use]
pub fn words(text: &str) -> Markup {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index % 2 == 1 && index + 1 < parts.len() { code { (part) } }
            @else if index % 2 == 1 { "`" (part) }
            @else { (part) }
        }
    }
}

/// The seed names severities by pictures, as GitHub writes them.
fn pictured(text: &str) -> Markup {
    let first = PICTURES
        .iter()
        .filter_map(|(name, severity)| Some((text.find(name)?, *name, *severity)))
        .min_by_key(|(at, ..)| *at);
    html! {
        @match first {
            None => (text),
            Some((at, name, severity)) => {
                (text.get(..at).unwrap_or_default())
                span.picture.(severity.word()) { (symbol(severity)) }
                (pictured(text.get(at + name.len()..).unwrap_or_default()))
            }
        }
    }
}

const PICTURES: [(&str, Severity); 4] = [
    (":boom:", Severity::Critical),
    (":fire:", Severity::High),
    (":cloud:", Severity::Medium),
    (":partly_sunny:", Severity::Low),
];

/// One paragraph of the guide. Only web addresses become links.
pub(super) fn spans(markdown: &str) -> Markup {
    spans_with(markdown, &web)
}

/// One paragraph of the guide.
pub(crate) fn spans_with(markdown: &str, links: Links<'_>) -> Markup {
    html! {
        @for piece in inline(markdown) {
            @match piece {
                Inline::Text(text) => (pictured(&text)),
                Inline::Code(text) => code { (text) },
                Inline::Strong(text) => strong { (text) },
                Inline::Emphasis(text) => em { (text) },
                Inline::Link(text, address) => {
                    @match links(&address) {
                        Some(target) => a href=(target) rel=[target.starts_with("https:").then_some("noreferrer")] { (text) },
                        None => (text),
                    }
                }
            }
        }
    }
}
