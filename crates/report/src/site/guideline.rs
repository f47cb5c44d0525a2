//! A guideline: why, how it is judged, how to mend it, what it costs, examples, what it serves.

use guide::Guideline;
use guide::guideline::{ASPECTS, PRINCIPLES};
use maud::{Markup, html};
use model::Safety;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{
    Page, Site, chapter_path, edges, example, fixed, framework, front, guideline_path, links,
    lists, network, policy, relative, topic_path,
};
use crate::explain;
use crate::html::{prose, symbol};
use crate::text;

/// The heading of a topic's comparison with other tools.
const OTHERS: &str = "What others check here";

pub(super) fn page(site: &Site<'_>, guideline: &Guideline) -> Page {
    let path = guideline_path(guideline);
    let resolve = |address: &str| site.resolve(&path, address);
    let body = html! {
        (facts(guideline, &path))
        section.prose aria-labelledby="why" {
            h2 #why { "Why" }
            (prose::document(&guideline.prose, &resolve))
        }
        (fix(site, guideline))
        (example::section(&guideline.examples))
        (network::section(site.guide, guideline))
        (judged(guideline))
        section.prose aria-labelledby="cost" {
            h2 #cost { "What it costs" }
            @match text::cost(&guideline.cost) {
                Some(cost) => p { (prose::words(&first_upper(&cost))) "." },
                None => p { "Nothing that is known." },
            }
        }
        (serves(site, guideline, &path))
        (others(site, guideline, &path))
        (policy::section(&site.policies, guideline))
        (data(site, guideline))
        section.prose aria-labelledby="accept" {
            h2 #accept { "To accept a finding of it" }
            p { "Say who accepts it, why and until when: an entry under " code { "waivers" } " in " code { "seawall.yaml" } ", or above the line it points to" }
            pre tabindex="0" { code { "# seawall: waive " (guideline.id) " until 2027-01-31 because …" } }
        }
        (links::references(&guideline.references))
    };
    let guide = site.guide;
    let mut above = vec![("Guide".to_owned(), front::PATH.to_owned())];
    let chapter = guide
        .chapters
        .iter()
        .find(|chapter| chapter.id == guideline.chapter);
    above.extend(chapter.map(|chapter| (chapter.title.to_string(), chapter_path(&chapter.id))));
    let topic = guide.topic(&guideline.chapter, &guideline.topic);
    above.extend(topic.map(|topic| {
        (
            topic.title.to_string(),
            topic_path(&topic.chapter, &topic.id),
        )
    }));
    frame::page(
        site,
        Content {
            title: format!("{} ({})", guideline.title, guideline.id),
            heading: guideline.title.to_string(),
            above,
            path: path.clone(),
            checked: Checked::by(&guideline.references)
                .or(|| Checked::by(topic.into_iter().flat_map(|topic| &topic.references))),
            body,
        },
    )
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn facts(guideline: &Guideline, here: &str) -> Markup {
    let list = |path: &str, fragment: &str| format!("{}#{fragment}", relative(here, path));
    let named = |known: &[(&'static str, &'static str)], id: &str| {
        known
            .iter()
            .find(|(own, _)| *own == id)
            .map_or("", |(_, title)| *title)
    };
    html! {
        dl.facts.boxed {
            div { dt { "Severity" } dd { a.chip.(guideline.severity.word()) href=(list(lists::SEVERITIES, guideline.severity.word())) { (symbol(guideline.severity)) (guideline.severity.word()) } } }
            div { dt { "Id" } dd { code { (guideline.id) } } }
            div { dt { "Judges" } dd { (explain::about(guideline)) } }
            div { dt { "Aspect" } dd { a href=(list(lists::ASPECTS_PATH, &guideline.aspect)) { (named(&ASPECTS, &guideline.aspect)) } } }
            div { dt { "Principles" } dd {
                @for (index, principle) in guideline.principles.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(list(lists::PRINCIPLES_PATH, principle)) { (named(&PRINCIPLES, principle)) }
                }
            } }
        }
    }
}

fn judged(guideline: &Guideline) -> Markup {
    html! {
        section aria-labelledby="judged" {
            h2 #judged { "How it is judged" }
            @if let Some(each) = &guideline.each {
                p { "For each " code { (each.name) } " of:" }
                pre tabindex="0" { code { (each.program.source()) } }
            }
            @if let Some(when) = &guideline.when {
                p { "Only when:" }
                pre tabindex="0" { code { (when.source()) } }
            }
            @for (index, check) in guideline.checks.iter().enumerate() {
                p { @if index == 0 { "This must hold:" } @else { "And this:" } }
                pre tabindex="0" { code { (check.program.source()) } }
                p.otherwise { "otherwise: " (prose::words(&check.message.source)) }
            }
        }
    }
}

fn fix(site: &Site<'_>, guideline: &Guideline) -> Markup {
    let shown = fixed::of(site.guide, guideline);
    let elsewhere = site.beside.fixes.get(&*guideline.id.0);
    html! {
        section.prose aria-labelledby="fix" {
            h2 #fix { "How to mend it" }
            @for by_hand in &guideline.by_hand {
                p {
                    "By hand"
                    @if let Some(which) = text::checks_of(guideline, &by_hand.checks) { ", " (which) }
                    ": " (prose::words(&by_hand.why))
                }
            }
            @if guideline.fixes.is_empty() && guideline.by_hand.is_empty() {
                p { "By hand: the guide has no change that a machine could make." }
            }
            @for fix in &guideline.fixes {
                p {
                    @if let Some(which) = text::checks_of(guideline, &fix.checks) { (which) ": " }
                    @match fix.safety {
                        Safety::Safe => "A machine can make this change, and it is safe: it cannot break a workload that works.",
                        Safety::Unsafe => "A machine can make this change, and it is unsafe: it may break a workload that works, so look at it first.",
                    }
                }
                ul { @for line in text::fix_lines(fix) { li { code { (line) } } } }
            }
            @for change in shown.iter().chain(elsewhere.into_iter().flatten()) { (fixed::figure(change)) }
        }
    }
}

fn serves(site: &Site<'_>, guideline: &Guideline, here: &str) -> Markup {
    let guide = site.guide;
    html! {
        section aria-labelledby="serves" {
            h2 #serves { "What it serves" }
            @if guideline.cuts.is_empty() {
                p { "It removes no step of an attacker by itself." }
            } @else {
                p { "It takes from an attacker:" }
                @for edge in &guideline.cuts { (edges::parted(site, here, edge)) }
            }
            @if guideline.frameworks.is_empty() {
                p { "No control of a framework is mapped to it." }
            } @else {
                table.cards.controls {
                    caption { "Controls of frameworks" }
                    thead { tr { th scope="col" { "Framework" } th scope="col" { "Control" } th scope="col" { "What it demands" } } }
                    tbody {
                        @for (id, control) in &guideline.frameworks {
                            @let known = guide.framework(id);
                            @let title = known.and_then(|known| known.controls.iter().find(|(own, _)| own == control)).map_or("", |(_, title)| title);
                            tr {
                                td data-label="Framework" { (known.map_or_else(|| id.to_string(), framework::name)) }
                                td data-label="Control" { a href=(format!("{}#{}", relative(here, &framework::path(id)), framework::anchor(control))) { code { (control) } } }
                                td data-label="What it demands" { (title) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn data(site: &Site<'_>, guideline: &Guideline) -> Markup {
    let needs = &guideline.needs;
    let kinds = needs.kinds.iter().map(|kind| html! { code { (kind) } });
    html! {
        section.prose aria-labelledby="data" {
            h2 #data { "What it needs to be judged" }
            ul {
                @if needs.kubernetes { li { "Kubernetes objects: files, a rendered chart or a cluster." } }
                @if needs.azure { li { "Azure resources: templates or a subscription." } }
                @if needs.joined { li { "Objects beside the one it judges. What was not given is unknown, unless the estate is declared whole." } }
                @if !needs.kinds.is_empty() {
                    li { "Objects of " @for (index, kind) in kinds.enumerate() { @if index > 0 { ", " } (kind) } "." }
                }
                @for key in &needs.params {
                    @let known = site.guide.params.iter().find(|param| param.key == *key);
                    li {
                        code { (key) } " in " code { "seawall.yaml" }
                        @if let Some(known) = known {
                            ": " (known.about)
                            @match &known.default {
                                Some(default) => { " (default " code { (default) } ")" },
                                None => " (no default: without it the guideline is not assessed)",
                            }
                        }
                        "."
                    }
                }
            }
        }
    }
}

/// The topic's page compares with other tools.
fn others(site: &Site<'_>, guideline: &Guideline, here: &str) -> Markup {
    let topic = site.guide.topic(&guideline.chapter, &guideline.topic);
    let told = topic.filter(|topic| topic.prose.contains(&format!("\n## {OTHERS}\n")));
    html! {
        @if let Some(topic) = told {
            section.prose aria-labelledby="others" {
                h2 #others { (OTHERS) }
                p {
                    "What other tools check of " a href=(format!("{}#{}", relative(here, &topic_path(&topic.chapter, &topic.id)), prose::slug(OTHERS))) { (topic.title) }
                    ", and where they stop, stands with the topic."
                }
            }
        }
    }
}
