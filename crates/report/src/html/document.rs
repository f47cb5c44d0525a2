//! What every page has around its body, wherever it is shown: report, guide, dashboard, rights, paths, decisions.
//!
//! What it deliberately leaves out: navigation and text, which are each page's own.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::Severity;

/// Where a page has its looks from.
#[derive(Debug, Clone, Copy)]
pub enum Style<'a> {
    /// Written into it, after what all pages have in common: the page stands alone.
    Within(&'a [&'a str]),
    /// A file beside it.
    At(&'a str),
}

/// What a page of the report forbids itself: everything but its own style.
pub const ALONE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The head of a page.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// In the browser's tab.
    pub title: &'a str,
    /// What the page may load and run; nothing where the server says it.
    pub policy: Option<&'a str>,
    /// Its looks.
    pub style: Style<'a>,
}

/// A whole page. `more` ends the head, `class` is that of the body.
#[must_use]
pub fn document(head: &Head<'_>, more: &Markup, class: Option<&str>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(policy) = head.policy { meta http-equiv="Content-Security-Policy" content=(policy); }
                title { (head.title) }
                @match head.style {
                    Style::Within(sheets) => {
                        style { (PreEscaped(super::BASE_STYLE)) @for sheet in sheets { (PreEscaped(sheet)) } }
                    }
                    Style::At(address) => { link rel="stylesheet" href=(address); }
                }
                (more)
            }
            body class=[class] {
                @if body.0.contains(USE) { (symbols()) }
                (body)
            }
        }
    }
}

/// What begins the address of a symbol; a page without any carries none.
const USE: &str = "\"#severity-";

/// The seed's symbols of severities, drawn: fonts differ in theirs, and some have none.
fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" width="0" height="0" {
            @for severity in Severity::WORST_FIRST {
                symbol id=(format!("severity-{}", severity.word())) viewBox="0 0 16 16" { path d=(drawn(severity)) {} }
            }
        }
    }
}

/// A burst, a flame, a cloud, a sun behind a cloud.
const fn drawn(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => {
            "M8 0l1.6 4.2 4.1-1.9-1.9 4.1L16 8l-4.2 1.6 1.9 4.1-4.1-1.9L8 16l-1.6-4.2-4.1 1.9 1.9-4.1L0 8l4.2-1.6-1.9-4.1 4.1 1.9z"
        }
        Severity::High => {
            "M8.8 0c.5 2.6-.7 4-2 5.5-1.4 1.6-3.3 3.1-3.3 5.7C3.5 14 5.6 16 8.1 16s4.6-1.9 4.6-4.6c0-2.3-1.2-3.8-1.9-5-.3 1.2-.8 1.9-1.6 2.5.9-3.3.8-6.5-.4-8.9z"
        }
        Severity::Medium => {
            "M4.2 13.2a3.7 3.7 0 0 1-.4-7.4 4.5 4.5 0 0 1 8.6.5 3.5 3.5 0 0 1-.4 6.9z"
        }
        Severity::Low => {
            "M6.5 14.5a2.8 2.8 0 0 1-.2-5.6 3.4 3.4 0 0 1 6.5.5 2.6 2.6 0 0 1-.4 5.1zM2.3 7.3a3.4 3.4 0 0 1 6.2-2.7A4.6 4.6 0 0 0 5 7.7a4 4 0 0 0-1.4.7 3.4 3.4 0 0 1-1.3-1.1zM4.7 0h1.2v1.6H4.7zM0 4.5l.4-1.1 1.5.5-.4 1.2zM8.6 1.2l1 .7-.9 1.3-1-.7zM.4 9.6l1.2-1 .7 1-1.2.9z"
        }
    }
}

/// A severity as a label with its symbol.
#[must_use]
pub fn chip(severity: Severity) -> Markup {
    html! { span class={ "chip " (severity.word()) } { (symbol(severity)) (severity.word()) } }
}

/// The symbol of a severity, which the word beside it says too.
#[must_use]
pub fn symbol(severity: Severity) -> Markup {
    html! {
        svg.symbol aria-hidden="true" { use href=(format!("#severity-{}", severity.word())) {} }
    }
}
