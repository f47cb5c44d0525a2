//! `seawall.reach/v1`: classes, what each reaches, what leads to it.
//!
//! Its schema is `docs/schema/reach-v1.json`. What comes from the internet is said by what leads there
//! (`exposures`, `fromInternet`). Connections are those of other sources, listed by source and grouped by
//! what passes; ends that no policy tells apart are one
//! class. With `--expand` classes are lists of their workloads all the same: pairs follow from them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ::analysis::reach::{
    Answer, Audience, Conn, ConnId, Direction, End, Exposure, Matrix, Ranges, Verdict, address,
};
use serde_json::{Value, json};

use super::Question;
use super::explain::place;
use super::summary::notes;
use super::table::Named;
use super::ways::{self, Ways};

pub(crate) fn write(question: &Question<'_>, out: &mut impl Write) -> io::Result<()> {
    let reach = question.reach;
    writeln!(out, "{{")?;
    writeln!(out, "  \"schema\": \"seawall.reach/v1\",")?;
    let tool = json!({"name": "seawall", "version": env!("CARGO_PKG_VERSION")});
    writeln!(out, "  \"tool\": {tool},")?;
    writeln!(out, "  \"engine\": {},", json!(reach.engine().name()))?;
    writeln!(out, "  \"notes\": {},", json!(notes(question)))?;
    writeln!(out, "  \"assumptions\": {},", json!(reach.assumptions()))?;
    let (sources, targets) = super::table::ends(question);
    let classes: Vec<usize> = class_numbers(&sources, &targets);
    list(out, "classes", classes.iter(), |class| {
        of_class(question, *class)
    })?;
    writeln!(out, ",")?;
    let ways = question.ways();
    list(out, "exposures", ways.iter(), |exposure| {
        of_exposure(question, exposure)
    })?;
    writeln!(out, ",")?;
    let asked: &[Named] = if question.asks_for_ways() {
        &targets
    } else {
        &[]
    };
    let mut matrix = reach.matrix();
    let policies = let_in(question, &mut matrix, asked);
    list(
        out,
        "fromInternet",
        asked
            .iter()
            .filter_map(|target| from_internet(question, &matrix, &policies, target, &ways)),
        |value| value,
    )?;
    writeln!(out, ",")?;
    connections(question, &mut matrix, &sources, &targets, out)?;
    writeln!(out, "\n}}")
}

/// A list, one item a line.
fn list<I>(
    out: &mut impl Write,
    key: &str,
    items: impl Iterator<Item = I>,
    mut value: impl FnMut(I) -> Value,
) -> io::Result<()> {
    write!(out, "  \"{key}\": [")?;
    for (at, item) in items.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, "{comma}\n    {}", value(item))?;
    }
    write!(out, "\n  ]")
}

fn class_numbers(sources: &[Named], targets: &[Named]) -> Vec<usize> {
    let mut numbers: Vec<usize> = sources
        .iter()
        .chain(targets)
        .filter_map(|named| match named.end {
            End::Pods(class) | End::Host(class) => Some(class),
            _ => None,
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn of_class(question: &Question<'_>, class: usize) -> Value {
    let reach = question.reach;
    let workloads: Vec<String> = reach.members(class).map(|one| one.label()).collect();
    let Some(first) = reach.members(class).next() else {
        return Value::Null;
    };
    let facts = reach.facts(first);
    let host = matches!(reach.end_of(first), End::Host(_));
    let selected = |direction| -> Vec<String> {
        reach
            .selecting(first, direction)
            .into_iter()
            .filter_map(|id| Some(question.estate.get(id)?.name.id()))
            .collect()
    };
    json!({
        "class": class,
        "namespace": first.namespace,
        "workloads": workloads,
        "hostNetwork": host,
        "policies": {"ingress": selected(Direction::Ingress), "egress": selected(Direction::Egress)},
        "reaches": {
            "internet": of_answer(&facts.internet),
            "metadata": of_answer(&facts.metadata),
            "wireServer": of_answer(&facts.wire_server),
            "apiServer": of_answer(&facts.api_server),
            "kubelet": of_answer(&facts.kubelet),
        },
    })
}

fn of_answer(answer: &Answer) -> Value {
    let verdict = match answer.verdict() {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::Unknown => "unknown",
    };
    let mut value = json!({
        "verdict": verdict,
        "conn": answer.conn.sure.to_string(),
    });
    let open = answer.conn.open();
    if let Some(map) = value.as_object_mut() {
        if !open.is_empty() {
            map.insert("may".to_owned(), json!(open.to_string()));
        }
        if let Some(why) = &answer.hangs_on {
            map.insert("hangsOn".to_owned(), json!(why));
        }
    }
    value
}

fn of_exposure(question: &Question<'_>, exposure: &Exposure) -> Value {
    let audience = match exposure.audience {
        Audience::Internet => "internet",
        Audience::Network => "network",
        Audience::Unknown => "unknown",
    };
    let through: Vec<Value> = exposure
        .through
        .iter()
        .filter_map(|id| {
            let resource = question.estate.get(*id)?;
            Some(json!({"id": resource.name.id(), "place": place(question, *id, "")}))
        })
        .collect();
    json!({
        "workload": question.reach.workloads().get(exposure.workload).map(|one| one.label()),
        "way": exposure.way.name(),
        "through": through,
        "audience": audience,
        "certain": ways::is_sure(exposure),
        "because": exposure.because,
        "hosts": exposure.hosts,
        "clients": address::spans(&exposure.clients).collect::<Vec<String>>(),
        // The API server chooses node ports that nobody asks for.
        "front": (!exposure.front.is_empty()).then(|| exposure.front.to_string()),
        "target": exposure.target.to_string(),
        "open": exposure.open.sure.to_string(),
        "mayBeOpen": exposure.open.open().to_string(),
        "hangsOn": exposure.hangs_on,
    })
}

/// By the number of a target: what its policies let in, and from which addresses of the internet.
type LetIn = BTreeMap<usize, BTreeMap<ConnId, Vec<(u128, u128)>>>;

fn let_in(question: &Question<'_>, matrix: &mut Matrix<'_>, targets: &[Named]) -> LetIn {
    let reach = question.reach;
    let targets: Vec<usize> = targets
        .iter()
        .filter(|target| matches!(target.end, End::Pods(_) | End::Host(_)))
        .map(|target| reach.number(target.end))
        .collect();
    let mut found = LetIn::new();
    for (number, end) in reach.ends().filter(|(_, end)| question.is_internet(*end)) {
        let row = matrix.from(number);
        for target in &targets {
            let id = row.get(*target).copied().unwrap_or(ConnId::NONE);
            if let (true, Some(addresses)) = (id != ConnId::NONE, reach.addresses(end)) {
                let by = found.entry(*target).or_default().entry(id).or_default();
                by.extend(addresses.parts());
            }
        }
    }
    found
}

/// Whether anything leads from the internet to a class, and what its policies let in.
fn from_internet(
    question: &Question<'_>,
    matrix: &Matrix<'_>,
    let_in: &LetIn,
    target: &Named,
    found: &[Exposure],
) -> Option<Value> {
    let (End::Pods(class) | End::Host(class)) = target.end else {
        return None;
    };
    let reach = question.reach;
    let led = Ways::of(found.iter()).to_class(reach, class);
    let joined = ways::joined(question, &led);
    let reached = match (led.is_empty(), joined.sure.is_empty()) {
        (true, _) => "no",
        (_, false) => "yes",
        (_, true) => "perhaps",
    };
    let ways: Vec<usize> = led
        .iter()
        .filter_map(|way| found.iter().position(|one| std::ptr::eq(one, *way)))
        .collect();
    let by = let_in.get(&reach.number(target.end));
    let mut policies: Vec<Value> = by
        .into_iter()
        .flatten()
        .filter_map(|(id, parts)| {
            let reached = Reached {
                addresses: Ranges::from_parts(parts.clone()),
                ..Reached::default()
            };
            of_reached(question, &matrix.conn(*id), &reached)
        })
        .collect();
    policies.sort_by_cached_key(Value::to_string);
    Some(json!({
        "class": class,
        "reached": reached,
        "conn": joined.sure.to_string(),
        "may": joined.open().to_string(),
        "ways": ways,
        "policiesLetIn": policies,
    }))
}

/// What a source reaches with one connection.
#[derive(Default)]
struct Reached {
    classes: Vec<usize>,
    others: Vec<&'static str>,
    addresses: Ranges,
}

fn connections(
    question: &Question<'_>,
    matrix: &mut Matrix<'_>,
    sources: &[Named],
    targets: &[Named],
    out: &mut impl Write,
) -> io::Result<()> {
    let reach = question.reach;
    let columns: Vec<(usize, End)> = targets
        .iter()
        .map(|target| (reach.number(target.end), target.end))
        .collect();
    write!(out, "  \"connections\": [")?;
    let mut comma = "";
    for source in sources {
        if question.is_internet(source.end) {
            continue;
        }
        let row = matrix.from(reach.number(source.end));
        let inner = matches!(source.end, End::Pods(_) | End::Host(_));
        let mut by: BTreeMap<ConnId, Reached> = BTreeMap::new();
        for (number, end) in &columns {
            let id = row.get(*number).copied().unwrap_or(ConnId::NONE);
            if id == ConnId::NONE || !inner && !matches!(end, End::Pods(_) | End::Host(_)) {
                continue;
            }
            let reached = by.entry(id).or_default();
            match end {
                End::Pods(class) | End::Host(class) => reached.classes.push(*class),
                End::External(_) => {
                    if let Some(addresses) = reach.addresses(*end) {
                        reached.addresses = reached.addresses.union(addresses);
                    }
                }
                other => reached.others.extend(word(*other)),
            }
        }
        let mut to: Vec<Value> = by
            .into_iter()
            .filter_map(|(id, reached)| of_reached(question, &matrix.conn(id), &reached))
            .collect();
        if to.is_empty() {
            continue;
        }
        // By what passes, not by the order in which it was found.
        to.sort_by_cached_key(Value::to_string);
        let from = match source.end {
            End::Pods(class) | End::Host(class) => json!({"class": class}),
            End::External(_) => {
                let spans: Vec<String> = reach
                    .addresses(source.end)
                    .map(|addresses| address::spans(addresses).collect())
                    .unwrap_or_default();
                json!({"addresses": spans})
            }
            other => json!({"end": word(other)}),
        };
        write!(out, "{comma}\n    {}", json!({"from": from, "to": to}))?;
        comma = ",";
    }
    write!(out, "\n  ]")
}

fn of_reached(question: &Question<'_>, conn: &Conn, reached: &Reached) -> Option<Value> {
    let (sure, may) = (question.asked(&conn.sure), question.asked(&conn.open()));
    if sure.is_empty() && may.is_empty() {
        return None;
    }
    let mut value = json!({"conn": sure.to_string()});
    let map = value.as_object_mut()?;
    if !may.is_empty() {
        map.insert("may".to_owned(), json!(may.to_string()));
    }
    if !reached.classes.is_empty() {
        map.insert("classes".to_owned(), json!(reached.classes));
    }
    if !reached.others.is_empty() {
        map.insert("ends".to_owned(), json!(reached.others));
    }
    if !reached.addresses.is_empty() {
        let spans: Vec<String> = address::spans(&reached.addresses).collect();
        map.insert("addresses".to_owned(), json!(spans));
    }
    Some(value)
}

const fn word(end: End) -> Option<&'static str> {
    match end {
        End::OwnNode => Some("own-node"),
        End::OtherNode => Some("other-nodes"),
        End::ApiServer => Some("api-server"),
        _ => None,
    }
}
