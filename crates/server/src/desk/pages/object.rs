//! One object: what is said of it, who can reach it and what it reaches, what its account may do, who may do what to
//! it, and the attack paths that it is part of.
//!
//! What it deliberately leaves out: what somebody does not see; where rights and connections lead elsewhere, that is not
//! told either.

use std::collections::{BTreeMap, BTreeSet};

use analysis::Analyses;
use maud::{Markup, html};
use model::Resource;
use model::finding::Finding;
use report::html::words;
use report::{clean, count};

use super::super::network::{Network, Outside, Passes, Spot, is_sure, to_outside};
use super::super::powers::{self, Held};
use super::super::request::address;
use super::super::ways::Told;
use super::{Content, Frame, declared, findings, map, objects, resource, shell};

/// Entries of a list here; pages of their own have all.
const SHOWN: usize = 12;
/// Of what rights amount to.
const FEW: usize = 4;

/// What is known of the object at an address.
pub(super) fn page(frame: &Frame<'_>) -> Option<Markup> {
    let at = frame.asked.query.get("at");
    let shared = &frame.desk.options.shared;
    let object = shared.object(at)?;
    if !frame.sight.sees(&object.name) {
        return None;
    }
    let prints: BTreeSet<_> = shared
        .findings_of(at)
        .iter()
        .map(|finding| finding.fingerprint)
        .collect();
    // Those of the sight: they say no more than may be seen.
    let said: Vec<&Finding> = frame
        .sight
        .findings
        .iter()
        .map(|finding| &**finding)
        .filter(|finding| prints.contains(&finding.fingerprint) || *finding.resource == object.name)
        .collect();
    let body = html! {
        (facts(frame, at, &object, &said))
        section aria-labelledby="said" {
            h2 #said { "What is said of it" }
            @if said.is_empty() { p { "Nothing was found." } } @else { (findings::table(frame, &said, "Findings of this object")) }
        }
        (declared::section(frame, &object.name))
        @if let Some(known) = powers::at(&frame.sight.picture.estate, at) { (joined(frame, known)) }
    };
    Some(shell(
        frame,
        &Content {
            title: &object.name.name,
            within: "/objects",
            body,
        },
    ))
}

fn facts(frame: &Frame<'_>, at: &str, object: &Resource, said: &[&Finding]) -> Markup {
    let made = model::ownership::made(object);
    let refers = object.referred();
    let labels: Vec<(&str, &str)> = objects::labels(object).collect();
    html! {
        dl.facts.boxed {
            div { dt { "Kind" } dd { (clean(object.name.kind.name())) } }
            @if let Some(namespace) = &object.name.namespace { div { dt { "Namespace" } dd { a href=(address("/objects", &[("namespace", namespace)])) { (clean(namespace)) } } } }
            div { dt { "API version" } dd { (clean(&object.name.api_version)) } }
            div { dt { "Findings" } dd { (objects::tally(said)) } }
        }
        p.help { "Read at " code { (clean(at)) } @if object.provider_managed { ". AKS makes and keeps it" } }
        @if let Some(made) = &made { p { "Made by " (resource(&made.by)) "; what is wrong with both is said of that." } }
        @if !refers.is_empty() {
            p { "It refers to " @for (index, (kind, name)) in refers.iter().enumerate() { @if index > 0 { ", " } (kind) " " code { (clean(name)) } } "." }
        }
        @if !labels.is_empty() {
            ul.labels aria-label="Labels" { @for (key, value) in labels.iter().take(SHOWN) { li { a href=(address("/objects", &[("text", &format!("{key}={value}"))])) { (clean(key)) "=" (clean(value)) } } } }
        }
        @if let Some(estate) = (frame.sight.picture.number > 0).then_some(&frame.sight.picture.estate)
            && let Some(own) = powers::at(estate, at) {
            (related(frame, own, "Used by", estate.users_of(own)))
            (related(frame, own, "Selects", &estate.selected_by(own)))
            (related(frame, own, "Named by", estate.bindings_of(own)))
        }
    }
}

/// Other objects, by a word, those that may be seen.
fn related(frame: &Frame<'_>, own: &Resource, word: &str, others: &[model::ResourceRef]) -> Markup {
    let estate = &frame.sight.picture.estate;
    let seen: Vec<&Resource> = others
        .iter()
        .filter_map(|id| estate.get(*id))
        .filter(|other| other.name != own.name && frame.sight.sees(&other.name))
        .collect();
    html! {
        @if !seen.is_empty() {
            p { (word) " "
                @for (index, other) in seen.iter().take(SHOWN).enumerate() { @if index > 0 { ", " } a href=(address("/object", &[("at", &other.origin.path)])) { (clean(other.name.kind.name())) " " (clean(&other.name.name)) } }
                @if seen.len() > SHOWN { " and " (seen.len() - SHOWN) " more" } "."
            }
        }
    }
}

/// What analyses know of it, as of the last pass.
fn joined(frame: &Frame<'_>, object: &Resource) -> Markup {
    let analyses = frame.analyses();
    let id = frame.sight.picture.estate.number_of(object);
    let workload = id.and_then(|id| analyses.workload(id));
    html! {
        @if let Some(number) = workload { (reached(frame, &analyses, number)) }
        (may(frame, &analyses, object))
        @if frame.sight.is_everything() {
            (who(frame, &analyses, object))
            (steps(frame, &object.origin.path))
        }
    }
}

/// Who can reach a workload, and what it reaches.
fn reached(frame: &Frame<'_>, analyses: &Analyses<'_>, number: usize) -> Markup {
    let network = Network::of(analyses.reach(), analyses.estate, frame.sight);
    let workload = analyses.reach().workloads().get(number);
    let Some(at) = workload.and_then(|workload| network.group_of(workload)) else {
        return html! {};
    };
    let own = Spot::Pods(at);
    let id = workload
        .map(|workload| workload.label())
        .unwrap_or_default();
    let all: Vec<Spot> = (0..network.groups.len()).map(Spot::Pods).collect();
    let into = by_namespace(&network, &all, &[own], |passing| passing.from);
    let out = by_namespace(&network, &[own], &all, |passing| passing.to);
    let entrances = network.entrances(at);
    let facts = network.facts(at);
    html! {
        section aria-labelledby="reached" {
            h2 #reached { "Who can reach it" }
            @if entrances.is_empty() { p { "Nothing that is known leads to it from the internet." } } @else {
                ul { @for way in entrances.iter().take(SHOWN) { li { (map::entrance(frame, &network, way)) @if !is_sure(way) { " – perhaps" } } } }
            }
            (talks(frame, &into, "Workloads that can reach it"))
            p { a href=(address("/map", &[("to", &id)])) { "Each of them, and why" } }
        }
        section aria-labelledby="reaches" {
            h2 #reaches { "What it can reach" }
            @if let Some(facts) = facts {
                ul { @for outside in Outside::ALL {
                    @let (passes, ports) = to_outside(facts, outside);
                    li { (outside.title()) ": " strong { (passes.word()) } @if passes != Passes::No && !ports.is_empty() { ", " (ports) } " – " a href=(address("/map", &[("from", &id), ("to", outside.id())])) { "why" span.unseen { " " (outside.title()) } } }
                } }
            }
            (talks(frame, &out, "Workloads that it can reach"))
            p { a href=(address("/map", &[("from", &id)])) { "Each of them, and why" } }
        }
    }
}

/// By what passes, how many workloads of which namespaces.
type Talks = BTreeMap<String, BTreeMap<String, usize>>;

fn by_namespace(
    network: &Network<'_>,
    from: &[Spot],
    to: &[Spot],
    other: impl Fn(&super::super::network::Passing) -> Spot,
) -> Talks {
    let mut found = Talks::new();
    network.passing(from, to, |passing| {
        if let Spot::Pods(at) = other(&passing)
            && let Some(group) = network.groups.get(at)
        {
            let spaces = found.entry(passing.ports).or_default();
            *spaces.entry(group.namespace.to_owned()).or_default() += group.members.len();
        }
        true
    });
    found
}

fn talks(frame: &Frame<'_>, talks: &Talks, caption: &str) -> Markup {
    html! {
        @if talks.is_empty() { p { "No workload" @if !frame.sight.is_everything() { " that you see" } "." } } @else {
            table.cards.labelled.talks {
                caption { (caption) }
                thead { tr { th scope="col" { "Over" } th scope="col" { "Namespaces" } th.count scope="col" { "Workloads" } } }
                tbody { @for (ports, spaces) in talks.iter().take(SHOWN) { tr {
                    th scope="row" data-label="Over" { (ports) }
                    td data-label="Namespaces" {
                        @for (at, name) in spaces.keys().take(SHOWN).enumerate() { @if at > 0 { ", " } (clean(name)) }
                        @if spaces.len() > SHOWN { " and " (spaces.len() - SHOWN) " more" }
                    }
                    td.count data-label="Workloads" { (spaces.values().sum::<usize>()) }
                } } }
            }
            @if talks.len() > SHOWN { p.help { "and " (talks.len() - SHOWN) " more" } }
        }
    }
}

/// What the account of a workload, or an account, may do.
fn may(frame: &Frame<'_>, analyses: &Analyses<'_>, object: &Resource) -> Markup {
    let is_account = object.name.kind.name() == "ServiceAccount";
    let account = if is_account {
        Some(&*object.name.name)
    } else {
        powers::account(object)
    };
    let (Some(account), Some(namespace)) = (account, object.name.namespace.as_deref()) else {
        return html! {};
    };
    let Held { given, amounts } = powers::of_account(analyses, frame.sight, namespace, account);
    let at = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}");
    html! {
        section aria-labelledby="may" {
            h2 #may { "What it may do" }
            @if !is_account {
                p { "Its pods run as the account "
                    @if frame.has_object(&at) { a href=(address("/object", &[("at", &at)])) { (clean(account)) } } @else { code { (clean(account)) } } "."
                }
            }
            @if given.is_empty() { p { "Nothing more than every account may" @if !frame.sight.is_everything() { ", as far as you see" } "." } }
            @if !amounts.is_empty() {
                ul.amounts { @for (title, place) in amounts.iter().take(FEW) { li { strong { (title) } " " (clean(place)) } } }
                @if amounts.len() > FEW {
                    details { summary { "and " (amounts.len() - FEW) " more" } ul.amounts { @for (title, place) in amounts.iter().skip(FEW) { li { strong { (title) } " " (clean(place)) } } } }
                }
            }
            @if !given.is_empty() {
                table.cards.labelled.given {
                    caption { "What it is given" }
                    thead { tr { th scope="col" { "By" } th scope="col" { "Where" } th scope="col" { "What" } } }
                    tbody { @for one in given.iter().take(SHOWN) { tr {
                        th scope="row" { (linked(frame, &one.binding.0, Some(&one.binding.1))) span.item { "gives " (linked(frame, &one.role.0, one.role.1.as_deref())) } }
                        td data-label="Where" { (clean(&one.place)) }
                        td data-label="What" { ul.bare { @for rule in &one.rules { li { (clean(rule)) } } } }
                    } } }
                }
                @if given.len() > SHOWN { p.help { "and " (given.len() - SHOWN) " more bindings" } }
            }
        }
    }
}

/// A name, with a link where there is a page about it.
pub(super) fn linked(frame: &Frame<'_>, name: &str, at: Option<&str>) -> Markup {
    html! {
        @match at {
            Some(at) if frame.has_object(at) => { a href=(address("/object", &[("at", at)])) { (clean(name)) } },
            _ => { (clean(name)) },
        }
    }
}

/// Who may do to it what matters most.
fn who(frame: &Frame<'_>, analyses: &Analyses<'_>, object: &Resource) -> Markup {
    let Some((deed, may)) = powers::who_may(analyses, object) else {
        return html! {};
    };
    html! {
        section aria-labelledby="who" {
            h2 #who { "Who may " (deed) }
            table.cards.labelled.given {
                caption.unseen { "Who may " (deed) }
                thead { tr { th scope="col" { "Who" } th scope="col" { "Where" } th scope="col" { "By" } } }
                tbody { @for one in may.iter().take(2 * SHOWN) { tr {
                    th scope="row" { span.kind { (one.kind) } " " (clean(&one.name)) @if let Some(note) = &one.note { span.item { (clean(note)) } } }
                    td data-label="Where" { (clean(&one.place)) }
                    td data-label="By" { @match &one.by { Some((name, at)) => (linked(frame, name, Some(at))), None => "whatever roles say" } }
                } } }
            }
            @if may.len() > 2 * SHOWN { p.help { "and " (may.len() - 2 * SHOWN) " more; " code { "seawall who-can" } " tells all" } }
            p.help { "By Kubernetes' roles; those of Azure may add to it." }
        }
    }
}

/// The ways of attackers that rest on it.
fn steps(frame: &Frame<'_>, at: &str) -> Markup {
    let ways = frame.ways();
    let on = |told: &Told| {
        let rests = |(place, _): &(Option<String>, String)| place.as_deref() == Some(at);
        told.deeds
            .iter()
            .position(|deed| deed.rests.iter().any(rests))
    };
    let found: Vec<(usize, &Told)> = ways
        .iter()
        .flat_map(|ways| &ways.told)
        .filter_map(|told| Some((on(told)?, told)))
        .collect();
    html! {
        section aria-labelledby="steps" {
            h2 #steps { "Attack paths that it is part of" }
            @if ways.is_none() {
                p role="status" data-waits { "They are being looked for." }
            } @else if found.is_empty() { p { "None that is sure from what is known." } } @else {
                ol { @for (step, told) in found.iter().take(SHOWN) {
                    li { a href=(format!("/paths/{}#step-{}", told.id, step + 1)) { (clean(&told.start)) " → " (clean(&told.jewel)) } ": step " (step + 1) ", " @if let Some(deed) = told.deeds.get(*step) { (words(&deed.title)) } }
                } }
                @if found.len() > SHOWN { p.help { "and " (count(found.len() - SHOWN, "more path")) " of " a href="/paths" { "all" } } }
            }
        }
    }
}
