//! Why something passes between two ends, or does not: what leads there, the policies, and which of their rules match.

use analysis::reach::{Action, Conn, End, Exposure, Side, Tier, address as addresses};
use maud::{Markup, html};
use report::clean;
use report::html::words;

use super::super::super::network::{
    Network, Outside, Passes, Spot, is_sure, over, shown, to_outside,
};
use super::super::Frame;
use super::super::object::linked;
use super::end;

/// Ends of the internet that are told apart.
const SIDES: usize = 4;

pub(super) fn section(frame: &Frame<'_>, network: &Network<'_>, from: Spot, to: Spot) -> Markup {
    let ends = html! {
        dl.facts.boxed {
            div { dt { "From" } dd { (end(frame, network, from)) } }
            div { dt { "To" } dd { (end(frame, network, to)) } }
        }
    };
    let said = match (from, to) {
        (Spot::Outside(Outside::Internet), Spot::Pods(at)) => from_internet(frame, network, at),
        (Spot::Pods(one), Spot::Pods(other)) => between(frame, network, one, other),
        (Spot::Pods(at), Spot::Outside(outside)) => outwards(frame, network, at, outside),
        _ => html! { p { "What passes there is not known here: neither end is a workload." } },
    };
    html! { (ends) (said) }
}

fn verdict(passes: Passes, ports: &str) -> Markup {
    html! {
        p.lead {
            @match passes {
                Passes::No => { "Nothing passes." },
                Passes::Perhaps => { "Perhaps: " (ports) "." },
                Passes::Yes => { "Passes: " (ports) "." },
            }
        }
    }
}

fn from_internet(frame: &Frame<'_>, network: &Network<'_>, at: usize) -> Markup {
    let ways = network.entrances(at);
    let sure = super::surely(ways.iter());
    let Some(group) = network.groups.get(at) else {
        return html! {};
    };
    let own = network.end(group);
    html! {
        p.lead {
            @match sure {
                Passes::No => { "Nothing that is known leads there." },
                Passes::Perhaps => { "Perhaps something leads there." },
                Passes::Yes => { "Something leads there." },
            }
        }
        @if !ways.is_empty() {
            h2 { "What leads there" }
            ul { @for way in &ways { li { (entrance(frame, network, way)) @if !is_sure(way) { " – perhaps" } } } }
        }
        h2 { "What policies let in" }
        @match own {
            End::Host(_) => { p { "Everything: it is on its node's network, which policies of pods do not close." } },
            _ => {
                @for (side, whom) in sides(network, Outside::Internet, own, false) {
                    @if !whom.is_empty() { h3 { "From " (whom) } }
                    (policies(frame, network, &side, "in"))
                }
            },
        }
    }
}

fn between(frame: &Frame<'_>, network: &Network<'_>, one: usize, other: usize) -> Markup {
    let (Some(source), Some(target)) = (network.groups.get(one), network.groups.get(other)) else {
        return html! {};
    };
    let told = network
        .reach
        .explain(network.end(source), network.end(target));
    html! {
        (verdict(Passes::of(&told.conn), &over(&told.conn)))
        @if told.one_node { p { "It passes whatever policies say: one end is the node of the other." } }
        h2 { "What the source may send" }
        (of_end(frame, network, network.end(source), &told.egress, "out"))
        @if let Some(limit) = &told.network { p { "The nodes' network lets out " (shown(limit)) "." } }
        h2 { "What the target lets in" }
        (of_end(frame, network, network.end(target), &told.ingress, "in"))
    }
}

fn outwards(frame: &Frame<'_>, network: &Network<'_>, at: usize, outside: Outside) -> Markup {
    let (Some(group), Some(facts)) = (network.groups.get(at), network.facts(at)) else {
        return html! {};
    };
    let (passes, ports) = to_outside(facts, outside);
    let answer = match outside {
        Outside::Internet => &facts.internet,
        Outside::Metadata => &facts.metadata,
        Outside::ApiServer => &facts.api_server,
    };
    let own = network.end(group);
    html! {
        (verdict(passes, &ports))
        @if let Some(why) = &answer.hangs_on { p.notice { @if frame.sight.hides(why) { "It hangs on what you may not see." } @else { "It hangs on this: " (words(why)) "." } } }
        h2 { "What it may send" }
        @match own {
            End::Host(_) => { p { "Everything: it is on its node's network, which policies of pods do not close." } },
            _ => {
                @for (side, whom) in sides(network, outside, own, true) {
                    @if !whom.is_empty() { h3 { "To " (whom) } }
                    (policies(frame, network, &side, "out"))
                }
            },
        }
    }
}

/// What the policies of an end say of a place outside: ranges of which they say the same together.
fn sides(network: &Network<'_>, outside: Outside, own: End, out: bool) -> Vec<(Side, String)> {
    let mut found: Vec<(Side, analysis::reach::Ranges)> = Vec::new();
    for end in network.ends_of(outside) {
        let side = if out {
            network.reach.explain(own, end).egress
        } else {
            network.reach.explain(end, own).ingress
        };
        let own = network.reach.addresses(end).cloned().unwrap_or_default();
        match found.iter_mut().find(|(known, _)| *known == side) {
            Some((_, all)) => *all = all.union(&own),
            None => found.push((side, own)),
        }
    }
    let several = found.len() > 1;
    let named = |ranges: &analysis::reach::Ranges| {
        if several {
            addresses::named(ranges)
        } else {
            String::new()
        }
    };
    found
        .into_iter()
        .take(SIDES)
        .map(|(side, ranges)| {
            let named = named(&ranges);
            (side, named)
        })
        .collect()
}

fn of_end(frame: &Frame<'_>, network: &Network<'_>, end: End, side: &Side, way: &str) -> Markup {
    match end {
        End::Host(_) => html! { p { "Everything: it is on its node's network." } },
        _ => policies(frame, network, side, way),
    }
}

/// The policies that select an end, and which of their rules match the other.
fn policies(frame: &Frame<'_>, network: &Network<'_>, side: &Side, way: &str) -> Markup {
    let verb = if way == "out" { "out" } else { "in" };
    html! {
        @if side.policies.is_empty() { p { "Everything: no policy selects it." } } @else {
            p { "They let " (verb) " " @if side.conn.is_none() { "nothing" } @else { (shown(&side.conn)) } ":" }
            ul.policies {
                @for selecting in &side.policies {
                    li {
                        @match network.object(selecting.policy) {
                            Some((name, at)) => {
                                (linked(frame, &name, Some(at)))
                                @match selecting.tier { Tier::Admin => ", before network policies", Tier::Baseline => ", after network policies", Tier::Namespace => "" }
                                @if !selecting.sure { " may select it" }
                                @if selecting.rules.is_empty() { ": no rule matches the other end" } @else {
                                    ul { @for rule in &selecting.rules { li { code { (clean(&rule.route)) } " " (action(rule.action)) " " (ports(&rule.ports)) } } }
                                }
                            },
                            None => { "A policy that you may not see" },
                        }
                    }
                }
            }
        }
    }
}

fn ports(conn: &Conn) -> String {
    if conn.is_none() {
        "nothing".to_owned()
    } else {
        shown(conn)
    }
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Allow => "allows",
        Action::Deny => "denies",
        Action::Pass => "passes on",
    }
}

/// What leads from the internet to pods: over which objects, from which port to which.
pub(in super::super) fn entrance(
    frame: &Frame<'_>,
    network: &Network<'_>,
    way: &Exposure,
) -> Markup {
    let workload = network.reach.workloads().get(way.workload);
    // Hosts and clients may be said by an object elsewhere.
    let seen = way.through.iter().all(|id| network.object(*id).is_some());
    html! {
        @if let Some(workload) = workload { strong { (clean(&workload.name)) } " by " }
        (way.way.name())
        @for (index, id) in way.through.iter().enumerate() {
            @if index > 0 { " and" } " "
            @match network.object(*id) {
                Some((name, at)) => (linked(frame, &name, Some(at))),
                None => "an object that you may not see",
            }
        }
        @if way.way.name() != "host network" {
            ", " @if way.front.is_empty() { "a port that the cluster chooses" } @else { (way.front.to_string()) } " to " (way.target.to_string())
        }
        @if seen && !way.hosts.is_empty() { ", for " (clean(&way.hosts.join(" "))) }
        @if seen && !way.clients.is_empty() { ", from " (addresses::named(&way.clients)) }
        @for why in way.because.iter().chain(&way.hangs_on) { @if !frame.sight.hides(why) { " (" (words(why)) ")" } }
    }
}
