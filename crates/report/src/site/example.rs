//! Examples with what is found in them beside the line it points to.

use guide::guideline::{Example, ExampleFile, Expectation};
use maud::{Markup, html};

use crate::explain::marked;
use crate::html::prose;
use crate::text::count;

/// The first bad and good example, then the others on demand.
pub(super) fn section(examples: &[Example]) -> Markup {
    let first = |wanted| {
        examples
            .iter()
            .position(|example| example.expectation == wanted)
    };
    let shown = [first(Expectation::Bad), first(Expectation::Good)];
    let rest: Vec<&Example> = examples
        .iter()
        .enumerate()
        .filter(|(index, _)| !shown.contains(&Some(*index)))
        .map(|(_, example)| example)
        .collect();
    html! {
        section aria-labelledby="examples" {
            h2 #examples { "Examples" }
            @for example in shown.iter().flatten().filter_map(|index| examples.get(*index)) { (figure(example)) }
            @if !rest.is_empty() {
                details {
                    summary { (count(rest.len(), "more example")) }
                    @for example in rest { (figure(example)) }
                }
            }
        }
    }
}

fn figure(example: &Example) -> Markup {
    let (class, word) = match example.expectation {
        Expectation::Bad => ("bad", "Not like this"),
        Expectation::Good => ("good", "But like this"),
        Expectation::Unknown => ("open", "Cannot be said"),
        Expectation::NotApplicable => ("aside", "Does not apply"),
    };
    html! {
        figure class={ "source " (class) } {
            figcaption {
                strong { (word) }
                @if example.whole { ", where these files are the whole estate" }
                @if let Some(minor) = example.kubernetes { ", judged for Kubernetes 1." (minor) }
                @if let Some(params) = &example.params { ", with " code { (params) } " in seawall.yaml" }
            }
            @for file in &example.files { (listing(file)) }
        }
    }
}

fn listing(file: &ExampleFile) -> Markup {
    html! {
        pre tabindex="0" {
            code {
                @for line in file.text.trim_end().lines() {
                    @let (text, said) = marked(line);
                    @if said.is_empty() { (text) "\n" } @else {
                        @let start = text.len() - text.trim_start().len();
                        @let (indent, rest) = text.split_at_checked(start).unwrap_or(("", text));
                        (indent) mark { (rest) } "\n"
                        @for (fails, message) in said {
                            span.said { (indent) (if fails { "finding: " } else { "unknown: " }) (prose::words(message)) }
                        }
                    }
                }
            }
        }
    }
}
