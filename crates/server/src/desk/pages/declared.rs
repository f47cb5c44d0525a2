//! Where what runs is written, as far as the files say it that `--drift` names.
//!
//! What it deliberately leaves out: files that were not given; the object's address in the cluster stands in its place.

use maud::{Markup, html};
use model::finding::Finding;
use model::resource::ResourceName;
use report::clean;
use report::html::source;

use super::Frame;
use crate::watch::drift::{Drift, Line};

/// Who does not see everything is told of files only where an object is theirs: it is shown for what they see.
fn drift(frame: &Frame<'_>) -> Option<std::sync::Arc<Drift>> {
    frame.desk.options.shared.drift()
}

/// Where an object is written.
pub(super) fn section(frame: &Frame<'_>, name: &ResourceName) -> Markup {
    let Some(drift) = drift(frame) else {
        return html! {};
    };
    let places = drift.declared.places(&name.id());
    html! {
        section aria-labelledby="declared" {
            h2 #declared { "Where it is written" }
            @if places.is_empty() { p { "Not in " code { (clean(&drift.base)) } "." } } @else {
                @for place in places.iter().take(8) { (source(place)) }
            }
        }
    }
}

/// The line that a finding comes from, and what would mend it.
pub(super) fn of_finding(frame: &Frame<'_>, finding: &Finding) -> Markup {
    let Some(drift) = drift(frame) else {
        return html! {};
    };
    let line = drift.declared.line(finding);
    let places = drift.declared.places(&finding.resource.id());
    html! {
        section aria-labelledby="declared" {
            h2 #declared { "Where it comes from" }
            @match line {
                Some(line) => (told(line)),
                None if places.is_empty() => { p { "Its object is not written in " code { (clean(&drift.base)) } "." } },
                None => {
                    p { "It is written here, and not found there: what runs differs from it." }
                    @for place in places.iter().take(8) { (source(place)) }
                },
            }
        }
    }
}

fn told(line: &Line) -> Markup {
    html! {
        (source(&line.place))
        @if let Some(mended) = &line.mended {
            p.help { "What would mend it (" code { "seawall fix" } " writes it and proves it):" }
            figure.source.diff {
                figcaption { (clean(&line.place.path)) }
                pre tabindex="0" { code { @for text in mended.lines() { (changed(text)) } } }
            }
        }
    }
}

fn changed(text: &str) -> Markup {
    let shown = clean(text);
    html! {
        @match text.chars().next() {
            Some('+') => { ins { (shown) } },
            Some('-') => { del { (shown) } },
            Some('@') => { span.quiet { (shown) } },
            _ => { span { (shown) } },
        }
    }
}
