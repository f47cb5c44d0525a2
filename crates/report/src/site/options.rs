//! The options of a topic, compared: what each costs, asks for and cuts off.

use std::collections::BTreeSet;

use guide::guideline::Topic;
use guide::options::{Charge, TopicOption};
use maud::{Markup, html};
use model::Range;

use super::{Site, edges, relative, topic_path};
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
                    p.meta { "No price: the guide knows by what it is charged and has no amount with a source. seawall takes amounts from the Azure Retail Prices API." }
                }
                (cuts(site, here, topic))
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
                    th scope="col" { "Effort, once" } th scope="col" { "Upkeep, a month" }
                    @if bound { th scope="col" { "Needs and rules out" } }
                }
            }
            tbody {
                @for option in &topic.options {
                    tr id=(format!("option-{}", option.id)) {
                        th scope="row" {
                            (option.title)
                            @if option.preview { " " span.chip.quiet { "preview" } }
                            @if let Some(ends) = &option.ends { " " span.chip.quiet { "ends " (ends) } }
                            " " code.quiet { (option.id) }
                        }
                        td data-label="Trade-off" { (prose::spans_with(&option.trade_off, &prose::web)) }
                        td data-label="Price" { (price(site, option)) }
                        td data-label="Effort, once" { (amount(option.effort_days, "day")) }
                        td data-label="Upkeep, a month" { (amount(Range::exact(option.upkeep_hours), "hour")) }
                        @if bound { (bonds(site, here, topic, option)) }
                    }
                }
            }
        }
    }
}

/// Whether any option is charged by a meter that nobody priced.
fn assumes(site: &Site<'_>, topic: &Topic) -> bool {
    let own = topic.options.iter().flat_map(|option| &option.price);
    let shared = topic
        .options
        .iter()
        .flat_map(|option| &option.shared)
        .filter_map(|id| site.guide.shared_cost(id))
        .flat_map(|shared| &shared.price);
    own.chain(shared)
        .any(|charge| site.prices.of(&charge.meter).is_none())
}

fn amount(range: Range, unit: &str) -> Markup {
    html! {
        @if range.high == 0.0 { "none" }
        @else { (range) " " (unit) @if range.high != 1.0 || range.low != 1.0 { "s" } }
    }
}

fn price(site: &Site<'_>, option: &TopicOption) -> Markup {
    let shared = option
        .shared
        .iter()
        .filter_map(|id| site.guide.shared_cost(id));
    html! {
        @if option.price.is_empty() && option.shared.is_empty() { "no charge" } @else {
            ul.plain {
                @for own in &option.price { li { (charge(site, own)) } }
                @for shared in shared {
                    li {
                        (shared.title) ", once for all that share it"
                        @if !shared.price.is_empty() { ": " }
                        @for (index, own) in shared.price.iter().enumerate() {
                            @if index > 0 { "; " }
                            (charge(site, own))
                        }
                    }
                }
            }
        }
    }
}

/// `3 × node month, for each node: general purpose node`
fn charge(site: &Site<'_>, charge: &Charge) -> Markup {
    let per = charge.per.as_deref();
    html! {
        @match site.prices.meter(&charge.meter) {
            None => { (charge.units) " × " code { (charge.meter) } },
            Some(meter) => {
                (charge.units) " × " (meter.about) ", by the " (meter.unit)
                @if let Some(per) = per { ", for each " (per) }
                @match site.prices.of(&charge.meter) {
                    None => { " " span.chip.quiet { "no price" } },
                    Some(price) => {
                        @if let Some(each) = price.flat() { " at " (text::money(each, &price.currency)) }
                        " (" (prose::spans_with(&format!("[seen {}]({})", price.date, price.source), &prose::web)) ")"
                    }
                }
            }
        }
    }
}

/// The cell of what an option needs and rules out.
fn bonds(site: &Site<'_>, here: &str, topic: &Topic, option: &TopicOption) -> Markup {
    let name = |bond: &str| {
        html! {
            @match site.guide.option(bond) {
                None => code { (bond) },
                Some((home, other)) if std::ptr::eq(home, topic) => a href=(format!("#option-{}", other.id)) { (other.title) },
                Some((home, other)) => {
                    a href=(format!("{}#option-{}", relative(here, &topic_path(&home.chapter, &home.id)), other.id)) { (other.title) }
                    " (" (home.title) ")"
                }
            }
        }
    };
    html! {
        @if option.requires.is_empty() && option.conflicts.is_empty() { td.no { "–" } } @else {
            td data-label="Needs and rules out" {
                ul.plain {
                    @for any in &option.requires {
                        li {
                            "needs "
                            @for (index, bond) in any.iter().enumerate() {
                                @if index > 0 { " or " }
                                (name(bond))
                            }
                        }
                    }
                    @if !option.conflicts.is_empty() {
                        li {
                            "rules out "
                            @for (index, bond) in option.conflicts.iter().enumerate() {
                                @if index > 0 { ", " }
                                (name(bond))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cuts(site: &Site<'_>, here: &str, topic: &Topic) -> Markup {
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
                            th scope="row" { (edges::link(site, here, edge)) }
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
        .filter_map(|option| Some((option, option.recognised.as_ref()?.source())))
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
