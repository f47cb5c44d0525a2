//! The guide's Markdown as HTML: paragraphs, lists, code, emphasis, links. Text from the input is
//! no Markdown: a manifest must not be able to place a link in a report.
//!
//! What it deliberately leaves out: tables and headings, which guidelines' prose has none of.

use maud::{Markup, html};

use crate::text::{Inline, clean, inline};

/// Paragraphs and lists.
pub(super) fn blocks(markdown: &str) -> Markup {
    html! {
        @for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            @if block.starts_with("- ") {
                ul { @for item in items(block) { li { (spans(&item)) } } }
            } @else {
                p { (spans(block.trim_start_matches('#').trim_start())) }
            }
        }
    }
}

/// List items; a line without a dash continues the one before.
fn items(block: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("- "), items.last_mut()) {
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            (item, _) => items.push(item.unwrap_or(line).to_owned()),
        }
    }
    items
}

/// A text from the input: what stands between backticks is code, everything else is as it is.
pub(super) fn words(text: &str) -> Markup {
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

/// One paragraph of the guide. Only web addresses become links.
pub(super) fn spans(markdown: &str) -> Markup {
    html! {
        @for piece in inline(markdown) {
            @match piece {
                Inline::Text(text) => (text),
                Inline::Code(text) => code { (text) },
                Inline::Strong(text) => strong { (text) },
                Inline::Emphasis(text) => em { (text) },
                Inline::Link(text, address) => {
                    @if address.starts_with("https://") { a href=(address) rel="noreferrer" { (text) } } @else { (text) }
                }
            }
        }
    }
}
