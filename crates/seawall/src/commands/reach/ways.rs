//! What leads from the internet to workloads, and where policies alone would let it in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ::analysis::reach::{Audience, Conn, End, Exposure, PortSet, Reach, Workload, address};
use model::{Estate, ResourceRef};

use super::Question;
use super::summary;
use super::table::{Named, shown};

/// Ways in by how certain they are.
#[derive(Default)]
pub(super) struct Ways<'q> {
    /// Nothing that is missing could close them.
    pub(super) sure: Vec<&'q Exposure>,
    pub(super) perhaps: Vec<&'q Exposure>,
    /// Not for the internet.
    pub(super) private: Vec<&'q Exposure>,
    /// Ways to pods whose policies let nobody in.
    pub(super) closed: usize,
}

impl<'q> Ways<'q> {
    pub(super) fn of(exposures: impl Iterator<Item = &'q Exposure>) -> Self {
        let mut ways = Self::default();
        for one in exposures {
            if one.open.is_none() {
                ways.closed += 1;
            } else if one.audience == Audience::Network {
                ways.private.push(one);
            } else if is_sure(one) {
                ways.sure.push(one);
            } else {
                ways.perhaps.push(one);
            }
        }
        ways
    }

    /// Those that lead, or may lead, from the internet to the pods of a class.
    pub(super) fn to_class(&self, reach: &Reach, class: usize) -> Vec<&'q Exposure> {
        let leads = |one: &&&Exposure| {
            let workload = reach.workloads().get(one.workload);
            workload.is_some_and(|workload| workload.class == class)
        };
        self.sure
            .iter()
            .chain(&self.perhaps)
            .filter(leads)
            .copied()
            .collect()
    }
}

/// Whether nothing that is missing could close it.
pub(super) fn is_sure(exposure: &Exposure) -> bool {
    exposure.audience == Audience::Internet
        && !exposure.open.sure.is_empty()
        && exposure.hangs_on.is_none()
}

impl Question<'_> {
    /// Whether the internet is asked about as a source, and workloads as targets.
    pub(super) fn asks_for_ways(&self) -> bool {
        !self.internet.is_empty()
            && (self.to.is_empty() || self.reach.workloads().iter().any(|one| self.is_target(one)))
    }

    /// What leads from the internet, or the part of it that is asked about, to workloads that are.
    pub(super) fn ways(&self) -> Vec<Exposure> {
        if !self.asks_for_ways() {
            return Vec::new();
        }
        let reach = self.reach;
        let mut found = if self.internet == address::public() {
            reach.exposures().to_vec()
        } else {
            reach.exposures_to(self.estate, &self.internet)
        };
        found.retain(|one| {
            let workload = reach.workloads().get(one.workload);
            let over = |ports| !self.asked(ports).is_empty();
            workload.is_some_and(|workload| self.is_target(workload))
                && (over(&one.front) || over(&one.target))
        });
        found
    }

    /// Whether an end is addresses of the internet: its policies' answer is not the whole one.
    pub(super) fn is_internet(&self, end: End) -> bool {
        self.reach
            .addresses(end)
            .is_some_and(|addresses| self.internet.covers(addresses))
    }
}

/// A class that the policies let the internet into, and nothing leads there.
pub(super) struct Unled {
    pub(super) label: String,
    pub(super) conn: Conn,
}

/// Those among the targets that are asked about.
pub(super) fn unled(question: &Question<'_>, ways: &Ways<'_>, targets: &[Named]) -> Vec<Unled> {
    let reach = question.reach;
    let led: BTreeSet<usize> = ways
        .sure
        .iter()
        .chain(&ways.perhaps)
        .filter_map(|one| Some(reach.workloads().get(one.workload)?.class))
        .collect();
    targets
        .iter()
        .filter_map(|target| {
            let (End::Pods(class) | End::Host(class)) = target.end else {
                return None;
            };
            let conn = let_in(question, class);
            (!led.contains(&class) && !conn.is_none()).then(|| Unled {
                label: target.label.clone(),
                conn,
            })
        })
        .collect()
}

/// What the policies of a class let in from the internet, of the ports that are asked about.
pub(super) fn let_in(question: &Question<'_>, class: usize) -> Conn {
    let conn = question
        .reach
        .members(class)
        .next()
        .map_or_else(Conn::none, |one| {
            question.reach.let_in(one, &question.internet)
        });
    Conn {
        sure: question.asked(&conn.sure),
        may: question.asked(&conn.may),
    }
}

/// The ports of pods that several ways lead to, of those that are asked about.
pub(super) fn joined(question: &Question<'_>, ways: &[&Exposure]) -> Conn {
    ways.iter().fold(Conn::none(), |all, one| {
        let sure = if is_sure(one) {
            question.asked(&one.open.sure)
        } else {
            PortSet::none()
        };
        all.join(&Conn {
            sure,
            may: question.asked(&one.open.may),
        })
    })
}

/// What the addresses that are asked about are called.
pub(super) fn who(question: &Question<'_>) -> String {
    if question.internet == address::public() {
        "the internet".to_owned()
    } else {
        address::named(&question.internet)
    }
}

/// `shop/web[Deployment] by load balancer shop/web, TCP 443 to TCP 8443`
pub(super) fn line(reach: &Reach, estate: &Estate, exposure: &Exposure) -> String {
    let workload = reach
        .workloads()
        .get(exposure.workload)
        .map(Workload::label)
        .unwrap_or_default();
    let mut line = format!("{workload} by {}", by(estate, exposure));
    let why = reasons(exposure);
    if !why.is_empty() {
        let _ = write!(line, " ({why})");
    }
    line
}

/// `load balancer Service shop/web, TCP 443 to TCP 8443, for shop.example`
pub(super) fn by(estate: &Estate, exposure: &Exposure) -> String {
    let mut line = through(estate, exposure);
    if exposure.way.name() != "host network" {
        let _ = write!(line, ", {} to {}", front(exposure), exposure.target);
    }
    if !exposure.hosts.is_empty() {
        let _ = write!(line, ", for {}", exposure.hosts.join(" "));
    }
    if !exposure.clients.is_empty() {
        let _ = write!(line, ", from {}", address::named(&exposure.clients));
    }
    line
}

/// `load balancer Service shop/web`
pub(super) fn through(estate: &Estate, exposure: &Exposure) -> String {
    let name = exposure.way.name();
    if matches!(name, "host port" | "host network") {
        return name.to_owned();
    }
    let through: Vec<String> = exposure
        .through
        .iter()
        .map(|id| named(estate, *id))
        .collect();
    format!("{name} {}", through.join(" and "))
}

/// The ports that clients use.
pub(super) fn front(exposure: &Exposure) -> String {
    if exposure.front.is_empty() {
        // The API server chooses node ports that nobody asks for.
        "a port that the cluster chooses (30000-32767)".to_owned()
    } else {
        exposure.front.to_string()
    }
}

/// Why it is not certain, or not for everybody.
pub(super) fn reasons(exposure: &Exposure) -> String {
    let mut why: Vec<&str> = exposure.because.iter().map(|why| &**why).collect();
    if exposure.open.sure.is_empty() && !exposure.open.is_none() {
        why.push("whether policies let clients in hangs on where the packets seem to come from");
    }
    why.join("; ")
}

/// What objects are called: `Service shop/web`.
pub(super) fn named(estate: &Estate, id: ResourceRef) -> String {
    let Some(resource) = estate.get(id) else {
        return String::new();
    };
    let name = &resource.name;
    match &name.namespace {
        Some(namespace) => format!("{} {namespace}/{}", name.kind.name(), name.name),
        None => format!("{} {}", name.kind.name(), name.name),
    }
}

/// The answer to `--from internet` for people.
pub(super) fn text(question: &Question<'_>, targets: &[Named], text: &mut String) {
    let found = question.ways();
    let ways = Ways::of(found.iter());
    let who = who(question);
    let title = format!("Open to {who}");
    summary::section(
        text,
        &title,
        &ways.sure,
        question,
        "nothing that was given surely is",
    );
    if !ways.perhaps.is_empty() {
        let title = format!("Perhaps open to {who}");
        summary::section(text, &title, &ways.perhaps, question, "");
    }
    if !ways.private.is_empty() {
        summary::section(
            text,
            "Open to the private network only",
            &ways.private,
            question,
            "",
        );
    }
    summary::closed_ways(&ways, text);
    let unled = unled(question, &ways, targets);
    if !unled.is_empty() {
        let _ = writeln!(
            text,
            "\nPolicies let {who} in, but nothing that was given leads there"
        );
        for one in unled.iter().take(summary::CLASSES) {
            let line = format!("{}: {}", one.label, shown(&one.conn));
            summary::wrapped(text, &line, "  ", "      ", question.width);
        }
        summary::more(text, unled.len(), summary::CLASSES);
    }
}
