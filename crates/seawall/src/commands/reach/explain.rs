//! Which rules let through, and which policies stop the rest.

use std::fmt::Write as _;

use ::analysis::reach::{Action, Conn, End, Exposure, Ranges, Side, Tier, Way, address};
use model::{Ref, Resource, ResourceRef};

use super::Question;
use super::summary::{head, wrapped};
use super::table::{Named, ends, is_pair, shown};
use super::ways::{self, Ways, named};
use crate::failure::Failure;

/// More pairs than this nobody reads.
const MOST: usize = 200;

pub(crate) fn text(question: &Question<'_>) -> anyhow::Result<String> {
    if question.from.is_empty() && question.to.is_empty() {
        return Err(
            Failure::new("`--explain` needs to know of which connections")
                .help("`seawall reach . --from shop/web --to data/db --explain`")
                .into(),
        );
    }
    let (sources, targets) = ends(question);
    let mut text = head(question);
    let mut left = MOST;
    let inner = sources
        .iter()
        .filter(|source| !question.is_internet(source.end));
    for source in inner {
        for target in &targets {
            if !is_pair(question.reach, source, target) {
                continue;
            }
            if left == 0 {
                text.push_str("\nand more pairs: ask about fewer with --from and --to\n");
                return Ok(text);
            }
            left -= 1;
            pair(question, source, target, &mut text);
        }
    }
    let found = question.ways();
    for target in targets.iter().filter(|_| question.asks_for_ways()) {
        let (End::Pods(class) | End::Host(class)) = target.end else {
            continue;
        };
        if left == 0 {
            text.push_str("\nand more pairs: ask about fewer with --from and --to\n");
            break;
        }
        left -= 1;
        way_in(question, target, class, &found, &mut text);
    }
    if left == MOST {
        text.push_str("\nThere is no such pair: a workload with itself, and two ends that are no\nworkloads, are left out.\n");
    }
    Ok(text)
}

/// What leads from the internet to a class, and which rules then let it in.
fn way_in(
    question: &Question<'_>,
    target: &Named,
    class: usize,
    found: &[Exposure],
    text: &mut String,
) {
    let reach = question.reach;
    let here = |one: &&Exposure| {
        let workload = reach.workloads().get(one.workload);
        workload.is_some_and(|workload| workload.class == class)
    };
    let here: Vec<&Exposure> = found.iter().filter(here).collect();
    let open = Ways::of(here.iter().copied()).to_class(reach, class);
    let who = ways::who(question);
    let conn = ways::joined(question, &open);
    let what = if open.is_empty() {
        "nothing that was given leads there".to_owned()
    } else {
        shown(&conn)
    };
    let _ = writeln!(text);
    let line = format!("{who} → {}: {what}", target.label);
    wrapped(text, &line, "", "    ", question.width);
    for exposure in &here {
        let mut line = ways::line(reach, question.estate, exposure);
        if exposure.open.is_none() {
            line.push_str(": its policies let nobody in");
        } else if !open.contains(exposure) {
            line.push_str(": for the private network only");
        } else if !ways::is_sure(exposure) {
            line.push_str(": perhaps");
        }
        wrapped(text, &line, "  ", "      ", question.width);
        for id in &exposure.through {
            let place = place(question, *id, "");
            let line = format!("{} ({place})", named(question.estate, *id));
            wrapped(text, &line, "    ", "        ", question.width);
        }
    }
    if let End::Host(_) = target.end {
        side(
            question,
            "in",
            &target.label,
            target.end,
            &empty(),
            "",
            text,
        );
        return;
    }
    for (name, end) in arriving(question, &here, target.end) {
        let explanation = reach.explain(end, target.end);
        let from = format!(" from {name}");
        side(
            question,
            "in",
            &target.label,
            target.end,
            &explanation.ingress,
            &from,
            text,
        );
    }
}

fn empty() -> Side {
    Side {
        conn: Conn::none(),
        policies: Vec::new(),
    }
}

/// As whom clients may come to the pods: as themselves, ranges that no rule tells apart as one; as a node;
/// as a controller's pod.
fn arriving(question: &Question<'_>, ways: &[&Exposure], to: End) -> Vec<(String, End)> {
    let reach = question.reach;
    let mut alike: Vec<(Side, Ranges, End)> = Vec::new();
    for (_, end) in reach.ends().filter(|(_, end)| question.is_internet(*end)) {
        let Some(addresses) = reach.addresses(end) else {
            continue;
        };
        let side = reach.explain(end, to).ingress;
        match alike.iter_mut().find(|(known, ..)| *known == side) {
            Some((_, all, _)) => *all = all.union(addresses),
            None => alike.push((side, addresses.clone(), end)),
        }
    }
    let mut found: Vec<(String, End)> = alike
        .into_iter()
        .map(|(_, addresses, end)| (address::named(&addresses), end))
        .collect();
    let open: Vec<&&Exposure> = ways.iter().filter(|one| !one.open.is_none()).collect();
    let local = |one: &&&Exposure| {
        let service = one.through.last().and_then(|id| question.estate.get(*id));
        let policy = ["spec", "externalTrafficPolicy"];
        service.and_then(|service| service.object().path(&policy)?.as_str()) == Some("Local")
    };
    let by_node = |one: &&&Exposure| {
        matches!(
            one.way,
            Way::LoadBalancer | Way::NodePort | Way::ExternalAddress
        )
    };
    if open.iter().any(|one| by_node(one) && !local(one)) {
        found.push(("a node in the client's place".to_owned(), End::OtherNode));
    }
    if open
        .iter()
        .any(|one| matches!(one.way, Way::Ingress | Way::Gateway))
    {
        found.push(("a controller's pod".to_owned(), End::Stranger));
    }
    found
}

fn pair(question: &Question<'_>, source: &Named, target: &Named, text: &mut String) {
    let explanation = question.reach.explain(source.end, target.end);
    let conn = &explanation.conn;
    let conn = ::analysis::reach::Conn {
        sure: question.asked(&conn.sure),
        may: question.asked(&conn.may),
    };
    let _ = writeln!(text);
    let line = format!("{} → {}: {}", source.label, target.label, shown(&conn));
    wrapped(text, &line, "", "    ", question.width);
    for end in [source, target] {
        if let Some(addresses) = question.reach.addresses(end.end)
            && address::shown(addresses) != end.label
        {
            let line = format!("{}: {}", end.label, address::shown(addresses));
            wrapped(text, &line, "  ", "      ", question.width);
        }
    }
    if explanation.one_node {
        text.push_str("  passes whatever policies say: one end is the node of the other\n");
    }
    side(
        question,
        "out",
        &source.label,
        source.end,
        &explanation.egress,
        "",
        text,
    );
    if let Some(network) = &explanation.network {
        let line = format!("the nodes' network lets out {}", shown(network));
        wrapped(text, &line, "  ", "      ", question.width);
    }
    side(
        question,
        "in",
        &target.label,
        target.end,
        &explanation.ingress,
        "",
        text,
    );
}

fn side(
    question: &Question<'_>,
    way: &str,
    label: &str,
    end: End,
    side: &Side,
    from: &str,
    text: &mut String,
) {
    let verb = if way == "out" { "lets out" } else { "lets in" };
    let line = match end {
        End::Pods(_) if side.policies.is_empty() => {
            format!("{label} {verb} everything{from}: no policy selects it")
        }
        End::Pods(_) => format!("{label} {verb} {}{from}", shown(&side.conn)),
        End::Host(_) => format!("{label} {verb} everything: it is on its node's network"),
        _ => return,
    };
    wrapped(text, &line, "  ", "      ", question.width);
    for selecting in &side.policies {
        let mut line = format!(
            "{}{}",
            named(question.estate, selecting.policy),
            match selecting.tier {
                Tier::Admin => ", before network policies",
                Tier::Baseline => ", after network policies",
                Tier::Namespace => "",
            }
        );
        if !selecting.sure {
            line.push_str(" may select it");
        }
        if selecting.rules.is_empty() {
            line.push_str(": no rule matches the other end");
            let _ = write!(line, " ({})", place(question, selecting.policy, ""));
        }
        wrapped(text, &line, "    ", "        ", question.width);
        for rule in &selecting.rules {
            let verb = match rule.action {
                Action::Allow => "allows",
                Action::Deny => "denies",
                Action::Pass => "passes on",
            };
            let line = format!(
                "{} {verb} {} ({})",
                rule.route,
                shown(&rule.ports),
                place(question, selecting.policy, &rule.route)
            );
            wrapped(text, &line, "      ", "        ", question.width);
        }
    }
}

/// `FILE:LINE` of a rule.
pub(super) fn place(question: &Question<'_>, policy: ResourceRef, route: &str) -> String {
    let Some(resource) = question.estate.get(policy) else {
        return String::new();
    };
    let value = follow(resource, route).unwrap_or_else(|| resource.object());
    if resource.origin.live {
        return resource.origin.path.to_string();
    }
    let (line, _) = resource.doc.line_column(value.span().start);
    let path = resource
        .doc
        .path_at(value.span().start)
        .unwrap_or(&resource.origin.path);
    format!("{path}:{line}")
}

/// The value at the end of a route such as `spec.ingress[0]`.
fn follow<'r>(resource: &'r Resource, route: &str) -> Option<Ref<'r>> {
    let mut at = resource.object();
    if route.is_empty() {
        return Some(at);
    }
    for step in route.split('.') {
        let (key, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((key, index)) => (key, Some(index.parse::<usize>().ok()?)),
            None => (step, None),
        };
        at = at.get(key)?;
        if let Some(index) = index {
            at = at.items().nth(index)?;
        }
    }
    Some(at)
}
