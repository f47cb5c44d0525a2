//! Who can talk to whom: drawn, as a table that says the same, and why for each pair.
//!
//! | address | shows |
//! |---|---|
//! | `/map` | everything: few workloads as ends and lines, many as a matrix of namespaces |
//! | `/map?namespace=N` | from or to workloads of a namespace |
//! | `/map?from=X&to=Y` | what passes; of two single ends also why. An end is `shop/`, `shop/web[Deployment]`, `internet`, `metadata` or `api-server` |
//!
//! Pictures are for eyes and the pointer; keyboards and screen readers have the tables.

mod drawn;
mod matrix;
mod why;

use analysis::reach::{Engine, Exposure};
use maud::{Markup, html};
use report::html::words;
use report::{clean, count};

use super::super::network::{Folded, Network, Outside, Passes, Passing, Spot};
use super::super::request::{Replied, address};
use super::export::{self, Form};
use super::object::linked;
use super::{Content, Frame, PAGE, files, select, shell, time};

pub(super) use self::why::entrance;

/// Ends up to which everything is drawn as lines.
const DRAWN: usize = 12;
/// Pairs from which on ends that stand alike are told as one.
const FOLDED: usize = 40;
/// Pairs that are gone through for a page; there may be millions.
const PAIRS: usize = 20_000;

/// Which ends are asked about.
struct Asked<'q> {
    namespace: &'q str,
    from: &'q str,
    to: &'q str,
}

impl<'q> Asked<'q> {
    fn of(frame: &'q Frame<'_>) -> Self {
        let query = &frame.asked.query;
        Self {
            namespace: query.get("namespace"),
            from: query.get("from"),
            to: query.get("to"),
        }
    }

    fn fields(&self) -> [(&'static str, &'q str); 3] {
        [
            ("namespace", self.namespace),
            ("from", self.from),
            ("to", self.to),
        ]
    }

    /// The sources and the targets.
    fn ends(&self, network: &Network<'_>) -> Vec<(Vec<Spot>, Vec<Spot>)> {
        let pods: Vec<Spot> = (0..network.groups.len()).map(Spot::Pods).collect();
        let with = |outside: &[Outside]| -> Vec<Spot> {
            let outside = outside.iter().map(|one| Spot::Outside(*one));
            pods.iter().copied().chain(outside).collect()
        };
        let sources = with(&[Outside::Internet]);
        let targets = with(&Outside::ALL);
        if !self.namespace.is_empty() {
            let own = network.find(&format!("{}/", self.namespace));
            let others = |all: Vec<Spot>| -> Vec<Spot> {
                all.into_iter().filter(|spot| !own.contains(spot)).collect()
            };
            return vec![(own.clone(), targets), (others(sources), own)];
        }
        let named = |id: &str, all: Vec<Spot>| match id {
            "" => all,
            id => network.find(id),
        };
        vec![(named(self.from, sources), named(self.to, targets))]
    }
}

pub(super) fn page(frame: &Frame<'_>) -> Markup {
    let analyses = frame.analyses();
    let network = Network::of(analyses.reach(), analyses.estate, frame.sight);
    let asked = Asked::of(frame);
    let narrowed = asked.fields().iter().any(|(_, value)| !value.is_empty());
    let title = match (asked.namespace, asked.from, asked.to) {
        ("", "", "") => "Reachability".to_owned(),
        (namespace, "", "") => format!("From and to {}", clean(namespace)),
        (_, from, to) => format!("From {} to {}", named(&network, from), named(&network, to)),
    };
    let body = html! {
        @if network.groups.is_empty() {
            p { "There is no workload" @if !frame.sight.is_everything() { " that you see" } "." }
        } @else {
            (form(frame, &asked))
            @if narrowed { (narrow(frame, &network, &asked)) } @else { (overview(frame, &network)) }
            (notes(frame, &network))
            (files("/map", &asked.fields()))
        }
    };
    shell(
        frame,
        &Content {
            title: &title,
            within: "/map",
            body,
        },
    )
}

/// What people call what an address names.
fn named(network: &Network<'_>, id: &str) -> String {
    if id.is_empty() {
        return "anything".to_owned();
    }
    if let Some(namespace) = id.strip_suffix('/') {
        return format!("namespace {}", clean(namespace));
    }
    match network.find(id).as_slice() {
        [one] => clean(&network.title(*one)).into_owned(),
        _ => clean(id).into_owned(),
    }
}

fn form(frame: &Frame<'_>, asked: &Asked<'_>) -> Markup {
    let namespaces = frame.sight.namespaces();
    let places: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(namespaces.iter().map(|name| (&**name, &**name)))
        .collect();
    html! {
        form.filter method="get" action="/map" aria-label="Choose a namespace" data-submits {
            (select("namespace", "Namespace", asked.namespace, &places))
            button type="submit" { "Show" }
        }
        @if !asked.from.is_empty() || !asked.to.is_empty() { p.narrowed { a href="/map" { "Everything" } } }
    }
}

/// What passes between all ends.
fn overview(frame: &Frame<'_>, network: &Network<'_>) -> Markup {
    if network.groups.len() <= DRAWN {
        let asked = Asked {
            namespace: "",
            from: "",
            to: "",
        };
        return pairs(frame, network, &asked);
    }
    matrix::section(frame, network)
}

/// What passes between some ends.
fn narrow(frame: &Frame<'_>, network: &Network<'_>, asked: &Asked<'_>) -> Markup {
    let single = |id: &str| match network.find(id).as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    if let (Some(from), Some(to)) = (single(asked.from), single(asked.to))
        && !asked.from.ends_with('/')
        && !asked.to.ends_with('/')
    {
        return why::section(frame, network, from, to);
    }
    pairs(frame, network, asked)
}

/// The pairs, drawn where they are few, and as a table.
fn pairs(frame: &Frame<'_>, network: &Network<'_>, asked: &Asked<'_>) -> Markup {
    let (found, whole) = passing(network, asked, PAIRS);
    let number = found.len();
    let folded = if number > FOLDED {
        Folded::of(found)
    } else {
        Folded::plain(found)
    };
    let found = &folded.passing;
    let part = super::Part::of(found.len(), frame.asked);
    html! {
        p.found role="status" {
            (count(number, "pair")) " of ends between which something passes"
            @if !whole { ", and more: choose fewer ends" }
            ". Workloads that no policy tells apart are one end"
            @if found.len() < number { ", and ends that stand alike are told as one" } "."
        }
        @if !found.is_empty() {
            (drawn::picture(network, &folded))
            table.cards.labelled.pairs {
                caption { "What passes" }
                thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Over" } th scope="col" { "Passes" } } }
                tbody { @for passing in found.iter().skip(part.first()).take(PAGE) { tr {
                    th scope="row" data-label="From" { (ends(frame, network, &folded, passing.from)) }
                    td data-label="To" { (ends(frame, network, &folded, passing.to)) }
                    td data-label="Over" { (passing.ports) }
                    td data-label="Passes" { (passing.passes.word()) " – " a href=(of(network, passing)) { "why" span.unseen { " from " (clean(&network.title(passing.from))) " to " (clean(&network.title(passing.to))) } } }
                } } }
            }
            (part.turner("/map", &asked.fields(), "pair"))
        }
    }
}

/// The address of what passes between two ends.
fn of(network: &Network<'_>, passing: &Passing) -> String {
    let (from, to) = (network.id(passing.from), network.id(passing.to));
    address("/map", &[("from", &from), ("to", &to)])
}

/// An end, or those that stand alike.
fn ends(frame: &Frame<'_>, network: &Network<'_>, folded: &Folded, spot: Spot) -> Markup {
    let members = folded.fold(spot).map_or(&[][..], |fold| &fold.members);
    if members.len() < 2 {
        return end(frame, network, spot);
    }
    html! {
        (folded.title(network, spot))
        details {
            summary { "Which" span.unseen { " of " (folded.title(network, spot)) } }
            ul.bare { @for one in members.iter().take(PAGE) { li { (end(frame, network, *one)) } } }
            @if members.len() > PAGE { p.help { "and " (members.len() - PAGE) " more" } }
        }
    }
}

/// An end, with a link to the objects that it is.
fn end(frame: &Frame<'_>, network: &Network<'_>, spot: Spot) -> Markup {
    let Spot::Pods(at) = spot else {
        return html! { (network.title(spot)) };
    };
    let Some(group) = network.groups.get(at) else {
        return html! {};
    };
    let place = |id| network.object(id).map(|(_, at)| at);
    html! {
        span.kind { (clean(group.namespace)) } " "
        @for (index, one) in group.members.iter().take(3).enumerate() {
            @if index > 0 { ", " }
            (linked(frame, &one.name, place(one.resource)))
        }
        @if group.members.len() > 3 { " and " (group.members.len() - 3) " more" }
    }
}

fn passing(network: &Network<'_>, asked: &Asked<'_>, most: usize) -> (Vec<Passing>, bool) {
    let mut found: Vec<Passing> = Vec::new();
    let mut whole = true;
    for (from, to) in asked.ends(network) {
        whole &= network.passing(&from, &to, |passing| {
            let room = found.len() < most;
            if room {
                found.push(passing);
            }
            room
        });
    }
    // What comes from or goes outside matters first.
    found.sort_by_key(|one| {
        let inside = |spot| matches!(spot, Spot::Pods(_));
        let rank = (inside(one.from), inside(one.to));
        (rank, std::cmp::Reverse(one.passes), one.from, one.to)
    });
    (found, whole)
}

/// What passes, as a file.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    let analyses = frame.analyses();
    let network = Network::of(analyses.reach(), analyses.estate, frame.sight);
    let (found, _) = passing(&network, &Asked::of(frame), export::ROWS);
    let rows = found.iter().map(|one| {
        let members = |spot| match spot {
            Spot::Pods(at) => network.groups.get(at).map_or_else(String::new, |group| {
                let labels: Vec<String> = group.members.iter().map(|one| one.label()).collect();
                labels.join(" ")
            }),
            Spot::Outside(_) => network.title(spot),
        };
        vec![
            members(one.from),
            members(one.to),
            one.ports.clone(),
            one.passes.word().to_owned(),
        ]
    });
    export::file(
        form,
        "reachability",
        &["from", "to", "over", "passes"],
        rows,
    )
}

/// What the answers rest on.
fn notes(frame: &Frame<'_>, network: &Network<'_>) -> Markup {
    let reach = network.reach;
    let assumptions = reach.assumptions();
    let picture = &frame.sight.picture;
    html! {
        section aria-labelledby="rests" {
            h2 #rests { "What this rests on" }
            ul {
                li { "As of " (time::moment(picture.at)) "; " (enforced(reach.engine())) ", Services, Ingresses, gateways, and Azure's network where it is read." }
                @if frame.sight.is_everything() {
                    @for remark in reach.remarks() { li { (words(remark)) } }
                    @for assumption in &assumptions { li { "By what is known: " (words(assumption)) "." } }
                } @else {
                    li { "Only workloads that you see. Others may be able to reach them." }
                    @if !assumptions.is_empty() || !reach.remarks().is_empty() { li { "Something that it rests on could not be read." } }
                }
                li { "“Perhaps” hangs on something that is not known." }
            }
        }
    }
}

/// What is made of network policies.
fn enforced(engine: Engine) -> String {
    match engine {
        Engine::None => "no network policy, since nothing enforces them".to_owned(),
        Engine::Upstream => "network policies as Kubernetes documents them".to_owned(),
        engine => format!("network policies as {} enforces them", engine.name()),
    }
}

/// Of some, the surest.
fn surest(some: impl Iterator<Item = Passes>) -> Passes {
    some.max().unwrap_or(Passes::No)
}

/// Ways in, with whether they are sure.
fn surely<'e>(ways: impl Iterator<Item = &'e &'e Exposure>) -> Passes {
    surest(ways.map(|way| {
        if super::super::network::is_sure(way) {
            Passes::Yes
        } else {
            Passes::Perhaps
        }
    }))
}
