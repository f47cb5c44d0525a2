//! The options of a topic, compared: what each costs, asks for and cuts off.

use std::collections::BTreeSet;

use guide::guideline::{Topic, TopicOption};
use maud::{Markup, html};

use super::{Site, relative, topic_path};
use crate::html::prose;
use crate::text;

/// Both tables.
pub(super) fn section(site: &Site<'_>, here: &str, topic: &Topic) -> Markup {
    html! {
        section aria-labelledby="options" {
            h2 #options { "Options" }
            @if topic.options.is_empty() {
                p { "There is nothing to choose here." }
            } @else {
                (costs(site, here, topic))
                @if assumes(site, topic) {
                    p.meta { "Assumed: the guide knows by what it is charged, and has no price with source and date yet." }
                }
                (cuts(site, topic))
                (recognised(topic))
            }
        }
    }
}

fn costs(site: &Site<'_>, here: &str, topic: &Topic) -> Markup {
    let bound = topic
        .options
        .iter()
        .any(|option| !option.requires.is_empty() || !option.conflicts.is_empty());
    html! {
        table.cards.options {
            caption { "What they cost" }
            thead {
                tr {
                    th scope="col" { "Option" } th scope="col" { "Trade-off" } th scope="col" { "Price" }
                    th scope="col" { "Effort" } th scope="col" { "Upkeep" }
                    @if bound { th scope="col" { "Needs and rules out" } }
                }
            }
            tbody {
                @for option in &topic.options {
                    tr id=(format!("option-{}", option.id)) {
                        th scope="row" { (option.title) " " code.quiet { (option.id) } }
                        td data-label="Trade-off" { (prose::spans_with(&option.trade_off, &prose::web)) }
                        td data-label="Price" { (price(site, option)) }
                        td data-label="Effort" { (amount(option.effort_days, "day", "once")) }
                        td data-label="Upkeep" { (amount(option.upkeep_hours, "hour", "a month")) }
                        @if bound { (bonds(site, here, topic, option)) }
                    }
                }
            }
        }
    }
}

/// Whether the price of any option rests on a meter without a source.
fn assumes(site: &Site<'_>, topic: &Topic) -> bool {
    let mut meters = topic.options.iter().flat_map(|option| &option.price);
    meters.any(|(id, _)| {
        site.meters
            .get(id)
            .is_none_or(|meter| meter.price.is_none())
    })
}

fn amount(number: f64, unit: &str, when: &str) -> Markup {
    html! {
        @if number == 0.0 { "none" }
        @else { (number) " " (unit) @if number != 1.0 { "s" } " " (when) }
    }
}

fn price(site: &Site<'_>, option: &TopicOption) -> Markup {
    html! {
        @if option.price.is_empty() { "no charge" } @else {
            ul.plain {
                @for (id, units) in &option.price {
                    li {
                        @match site.meters.get(id) {
                            None => { (units) " × " code { (id) } " " span.chip.quiet { "assumed" } },
                            Some(meter) => {
                                (units) " × " (meter.about) ", by the " (meter.unit) " "
                                @match &meter.price {
                                    None => span.chip.quiet { "assumed" },
                                    Some((eur, source)) => {
                                        "at " (eur) " EUR (" (prose::spans_with(&format!("[seen {}]({})", source.seen, source.url), &prose::web)) ")"
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The cell of what an option needs and rules out: `option` of the same topic, or `topic/option` of another.
fn bonds(site: &Site<'_>, here: &str, topic: &Topic, option: &TopicOption) -> Markup {
    let name = |bond: &str| {
        let (home, id) = match bond.rsplit_once('/') {
            Some((name, id)) => {
                let name = name.rsplit('/').next().unwrap_or(name);
                (
                    site.guide.topics.iter().find(|topic| &*topic.id == name),
                    id,
                )
            }
            None => (Some(topic), bond),
        };
        let found =
            home.and_then(|home| Some((home, home.options.iter().find(|own| &*own.id == id)?)));
        html! {
            @match found {
                None => code { (bond) },
                Some((home, other)) if std::ptr::eq(home, topic) => a href=(format!("#option-{id}")) { (other.title) },
                Some((home, other)) => {
                    a href=(format!("{}#option-{id}", relative(here, &topic_path(&home.chapter, &home.id)))) { (other.title) }
                    " (" (home.title) ")"
                }
            }
        }
    };
    html! {
        @if option.requires.is_empty() && option.conflicts.is_empty() { td.no { "–" } } @else {
            td data-label="Needs and rules out" {
                ul.plain {
                    @for bond in &option.requires { li { "needs " (name(bond)) } }
                    @for bond in &option.conflicts { li { "rules out " (name(bond)) } }
                }
            }
        }
    }
}

fn cuts(site: &Site<'_>, topic: &Topic) -> Markup {
    let mut seen = BTreeSet::new();
    let edges: Vec<&str> = topic
        .options
        .iter()
        .flat_map(|option| option.cuts.iter().map(|edge| &**edge))
        .filter(|edge| seen.insert(*edge))
        .collect();
    html! {
        @if edges.is_empty() {
            p { "None of them removes a step of an attacker by itself." }
        } @else {
            table.cards.matrix {
                caption { "What they cut: steps of an attacker that an option removes" }
                thead { tr { th scope="col" { "Step" } @for option in &topic.options { th scope="col" { (option.title) } } } }
                tbody {
                    @for edge in &edges {
                        tr {
                            th scope="row" { (edge_title(site, edge)) }
                            @for option in &topic.options {
                                @if option.cuts.iter().any(|own| &**own == *edge) {
                                    td data-label=(option.title) { span.cut { "cut" } }
                                } @else {
                                    td.no { span.quiet { "–" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// An edge in words; its id where the guide has no title for it.
pub(super) fn edge_title<'a>(site: &'a Site<'_>, edge: &'a str) -> &'a str {
    site.guide.edges.get(edge).map_or(edge, |title| title)
}

fn recognised(topic: &Topic) -> Markup {
    let known: Vec<(&TopicOption, &str)> = topic
        .options
        .iter()
        .filter_map(|option| Some((option, option.recognised.as_deref()?)))
        .collect();
    html! {
        @if !known.is_empty() {
            details {
                summary { "How an estate shows what it chose (" (text::count(known.len(), "option")) ")" }
                dl.stack {
                    @for (option, source) in known {
                        dt { (option.title) }
                        dd { pre tabindex="0" { code { (source) } } }
                    }
                }
            }
        }
    }
}
