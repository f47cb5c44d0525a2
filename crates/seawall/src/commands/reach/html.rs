//! One self-contained page: who reaches whom as a matrix by namespace, and the rules behind each cell.
//!
//! Classes are rows and columns, after them the places outside that people ask about. The page holds
//! policies with whom their rules name, so that it can say for any cell which rules match.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use ::analysis::reach::{
    Action, Audience, Conn, ConnId, Direction, End, Matrix, PortSet, Tier, address, metadata_ports,
    wire_server_ports,
};
use serde_json::{Value, json};

use super::Question;
use super::explain::place;
use super::summary::notes;
use super::ways::{self, Ways, named};
use super::{csv, table};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/page.js");
const FRAME: &str = include_str!("html/frame.html");

const INTERNET: &str = "the internet";
const METADATA: &str = "instance metadata";
const WIRE_SERVER: &str = "wire server";

/// A row, a column, or both.
struct Node {
    label: String,
    namespace: String,
    members: Vec<String>,
    /// the class it stands for
    class: Option<usize>,
    /// only these ports of it count
    ports: Option<PortSet>,
    /// its numbers in the matrix
    ends: Vec<usize>,
    source: bool,
}

pub(crate) fn write(question: &Question<'_>, out: &mut impl Write) -> io::Result<()> {
    let data = data(question).to_string();
    // Nothing in it may end the element that holds it.
    let data = data.replace('<', "\\u003c").replace('\u{2028}', "\\u2028");
    for part in FRAME.split("%%") {
        match part {
            "STYLE" => {
                out.write_all(report::html::BASE_STYLE.as_bytes())?;
                out.write_all(STYLE.as_bytes())?;
            }
            "DATA" => out.write_all(data.as_bytes())?,
            "SCRIPT" => out.write_all(SCRIPT.as_bytes())?,
            other => out.write_all(other.as_bytes())?,
        }
    }
    Ok(())
}

fn data(question: &Question<'_>) -> Value {
    let reach = question.reach;
    let nodes = nodes(question);
    let mut matrix = reach.matrix();
    let mut conns = Conns::default();
    let found = question.ways();
    let ways = Ways::of(found.iter());
    let rows: Vec<Value> = nodes
        .iter()
        .map(|node| {
            if node.source && node.label == INTERNET {
                json!(from_internet(question, &mut conns, &ways, &nodes))
            } else if node.source {
                json!(row(question, &mut matrix, &mut conns, node, &nodes))
            } else {
                Value::Null
            }
        })
        .collect();
    let numbers = display_numbers(&nodes);
    let shown: Vec<Value> = nodes
        .iter()
        .map(|node| {
            json!({
                "label": node.label,
                "ns": node.namespace,
                "members": node.members,
            })
        })
        .collect();
    let policies: Vec<Value> = reach
        .policy_views()
        .into_iter()
        .map(|policy| {
            let direction = |wanted: Direction| -> Vec<Value> {
                policy
                    .rules
                    .iter()
                    .filter(|rule| rule.direction == wanted)
                    .map(|rule| {
                        json!({
                            "route": rule.route,
                            "place": place(question, policy.policy, &rule.route),
                            "action": action(rule.action),
                            "ports": rule.ports,
                            "sure": ranges(&numbers, &rule.sure),
                            "may": ranges(&numbers, &rule.may),
                        })
                    })
                    .collect()
            };
            json!({
                "name": named(question.estate, policy.policy),
                "place": place(question, policy.policy, ""),
                "tier": match policy.tier {
                    Tier::Admin => "before network policies",
                    Tier::Namespace => "",
                    Tier::Baseline => "after network policies",
                },
                "in": policy.ingress.then(|| direction(Direction::Ingress)),
                "out": policy.egress.then(|| direction(Direction::Egress)),
                "selects": ranges(&numbers, &policy.selects),
            })
        })
        .collect();
    let exposures: Vec<Value> = found
        .iter()
        .filter(|exposure| !exposure.open.is_none())
        .map(|exposure| {
            let workload = reach.workloads().get(exposure.workload);
            json!({
                "text": ways::line(reach, question.estate, exposure),
                "audience": match exposure.audience {
                    _ if ways::is_sure(exposure) => "internet",
                    Audience::Network => "network",
                    _ => "perhaps",
                },
                "node": workload
                    .and_then(|one| numbers.get(&reach.number(reach.end_of(one)))),
            })
        })
        .collect();
    json!({
        "notes": notes(question),
        "workloads": reach.workloads().len(),
        "namespaces": nodes.iter().map(|node| &node.namespace).filter(|name| !name.is_empty()).collect::<std::collections::BTreeSet<_>>().len(),
        "nodes": shown,
        "conns": conns.list,
        "rows": rows,
        "policies": policies,
        "exposures": exposures,
    })
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Allow => "allows",
        Action::Deny => "denies",
        Action::Pass => "passes on",
    }
}

/// Classes by namespace, then the places outside.
fn nodes(question: &Question<'_>) -> Vec<Node> {
    let reach = question.reach;
    let mut nodes: Vec<Node> = csv::classes(reach)
        .into_iter()
        .filter(|(class, ..)| {
            reach
                .members(*class)
                .any(|one| question.is_source(one) || question.is_target(one))
        })
        .map(|(class, workload, label)| Node {
            label: label
                .split_once('/')
                .map_or(label.clone(), |(_, name)| name.to_owned()),
            namespace: workload.namespace.to_string(),
            class: Some(class),
            ports: None,
            members: reach.members(class).map(|one| one.label()).collect(),
            ends: vec![reach.number(reach.end_of(workload))],
            source: true,
        })
        .collect();
    let public = address::public();
    let metadata = address::single(address::METADATA.into());
    let wire = address::single(address::WIRE_SERVER.into());
    let mut outside: [(&str, Vec<usize>, bool); 7] = [
        (INTERNET, Vec::new(), question.asks_for_ways()),
        (METADATA, Vec::new(), false),
        (WIRE_SERVER, Vec::new(), false),
        ("the API server", Vec::new(), false),
        ("its own node", Vec::new(), true),
        ("other nodes", Vec::new(), true),
        ("private addresses", Vec::new(), true),
    ];
    for (number, end) in reach.ends() {
        let at = match (end, reach.addresses(end)) {
            (End::External(_), Some(addresses)) if public.covers(addresses) => 0,
            (End::External(_), Some(addresses)) if metadata.covers(addresses) => 1,
            (End::External(_), Some(addresses)) if wire.covers(addresses) => 2,
            (End::ApiServer, _) => 3,
            (End::OwnNode, _) => 4,
            (End::OtherNode, _) => 5,
            (End::External(_), _) => 6,
            _ => continue,
        };
        if let Some((_, ends, _)) = outside.get_mut(at) {
            ends.push(number);
        }
    }
    nodes.extend(outside.into_iter().map(|(label, ends, source)| Node {
        label: label.to_owned(),
        namespace: String::new(),
        members: Vec::new(),
        class: None,
        ports: match label {
            METADATA => Some(metadata_ports()),
            WIRE_SERVER => Some(wire_server_ports()),
            _ => None,
        },
        ends,
        source,
    }));
    nodes
}

/// The place on the page of each number of the matrix.
fn display_numbers(nodes: &[Node]) -> BTreeMap<usize, usize> {
    nodes
        .iter()
        .enumerate()
        .flat_map(|(at, node)| node.ends.iter().map(move |end| (*end, at)))
        .collect()
}

/// What passes, numbered as the page does.
#[derive(Default)]
struct Conns {
    list: Vec<Value>,
    known: BTreeMap<(String, &'static str), usize>,
}

impl Conns {
    fn number(&mut self, question: &Question<'_>, conn: &Conn, several: bool) -> usize {
        let conn = Conn {
            sure: question.asked(&conn.sure),
            may: question.asked(&conn.may),
        };
        let text = if conn.is_none() {
            "nothing".to_owned()
        } else {
            table::shown(&conn)
        };
        let text = if several && !conn.is_none() {
            format!("{text} (to some of these addresses)")
        } else {
            text
        };
        let kind = match (conn.is_none(), conn.sure.is_empty(), conn.sure.is_all()) {
            (true, ..) => "none",
            (_, true, _) => "perhaps",
            (_, _, true) => "all",
            _ => "some",
        };
        self.add(text, kind)
    }

    fn add(&mut self, text: String, kind: &'static str) -> usize {
        let list = &mut self.list;
        *self
            .known
            .entry((text, kind))
            .or_insert_with_key(|(text, kind)| {
                list.push(json!({"text": text, "kind": kind}));
                list.len() - 1
            })
    }
}

/// The row of the internet: what leads to each class, not what its policies alone would let in.
fn from_internet(
    question: &Question<'_>,
    conns: &mut Conns,
    ways: &Ways<'_>,
    nodes: &[Node],
) -> String {
    let reach = question.reach;
    let mut row = Runs::default();
    for node in nodes {
        let class = node.class.filter(|_| question.asks_for_ways());
        let number = match class {
            None => conns.add("nothing".to_owned(), "none"),
            Some(class) => {
                let led = ways.to_class(reach, class);
                let by: BTreeSet<String> = led
                    .iter()
                    .map(|way| ways::by(question.estate, way))
                    .collect();
                let by: Vec<String> = by.into_iter().collect();
                let conn = ways::joined(question, &led);
                let policies = ways::let_in(question, class);
                match (led.is_empty(), conn.sure.is_empty()) {
                    (true, _) if policies.is_none() => conns.add("nothing".to_owned(), "none"),
                    (true, _) => conns.add(
                        format!(
                            "nothing that was given leads there; policies let in {}",
                            table::shown(&policies)
                        ),
                        "none",
                    ),
                    (_, sure) => conns.add(
                        format!("{}, by {}", table::shown(&conn), by.join("; by ")),
                        if sure { "perhaps" } else { "some" },
                    ),
                }
            }
        };
        row.push(number);
    }
    row.text()
}

/// `CONN*COUNT` for each run of columns.
#[derive(Default)]
struct Runs(Vec<(usize, usize)>);

impl Runs {
    fn push(&mut self, number: usize) {
        match self.0.last_mut() {
            Some((known, count)) if *known == number => *count += 1,
            _ => self.0.push((number, 1)),
        }
    }

    fn text(&self) -> String {
        let runs: Vec<String> = self
            .0
            .iter()
            .map(|(number, count)| format!("{number}*{count}"))
            .collect();
        runs.join(" ")
    }
}

fn row(
    question: &Question<'_>,
    matrix: &mut Matrix<'_>,
    conns: &mut Conns,
    source: &Node,
    nodes: &[Node],
) -> String {
    let rows: Vec<Vec<ConnId>> = source.ends.iter().map(|end| matrix.from(*end)).collect();
    let outside = source.namespace.is_empty();
    let mut runs = Runs::default();
    let mut seen: BTreeMap<Vec<ConnId>, usize> = BTreeMap::new();
    for node in nodes {
        let ids: Vec<ConnId> = rows
            .iter()
            .flat_map(|row| node.ends.iter().filter_map(|end| row.get(*end).copied()))
            .collect();
        let number = if outside && node.namespace.is_empty() {
            conns.number(question, &Conn::none(), false)
        } else if let Some(ports) = &node.ports {
            let all = ids
                .iter()
                .fold(Conn::none(), |all, id| all.join(&matrix.conn(*id)));
            conns.number(question, &all.within(ports), false)
        } else if let Some(known) = seen.get(&ids) {
            *known
        } else {
            let all = ids
                .iter()
                .fold(Conn::none(), |all, id| all.join(&matrix.conn(*id)));
            let several = ids.iter().any(|id| Some(id) != ids.first());
            let number = conns.number(question, &all, several);
            seen.insert(ids, number);
            number
        };
        runs.push(number);
    }
    runs.text()
}

/// `3 5-9` of the places on the page.
fn ranges(numbers: &BTreeMap<usize, usize>, ends: &[usize]) -> String {
    let mut places: Vec<usize> = ends
        .iter()
        .filter_map(|end| numbers.get(end).copied())
        .collect();
    places.sort_unstable();
    places.dedup();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in places {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => runs.push((place, place)),
        }
    }
    let runs: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    runs.join(" ")
}
