//! Connections from and to what was asked about, one line for each.

use ::analysis::reach::{Conn, End, Ranges, Reach, address};

use super::summary::{head, wrapped};
use super::{Question, csv, ways};

/// An end with a name.
pub(super) struct Named {
    pub(super) end: End,
    pub(super) label: String,
}

pub(crate) fn text(question: &Question<'_>) -> String {
    let mut text = head(question);
    let (sources, targets) = ends(question);
    let mut lines = String::new();
    let mut pairs = 0;
    for source in sources
        .iter()
        .filter(|source| !question.is_internet(source.end))
    {
        pairs += targets
            .iter()
            .filter(|target| is_pair(question.reach, source, target))
            .count();
        for (target, conn) in rows(question, source, &targets) {
            let line = format!("{} → {}: {}", source.label, target, shown(&conn));
            wrapped(&mut lines, &line, "", "    ", question.width);
        }
    }
    let asks = question.asks_for_ways();
    if !lines.is_empty() || !question.names_internet() || !asks {
        text.push('\n');
        text.push_str(match (lines.is_empty(), pairs) {
            (false, _) => &lines,
            (true, 0) if sources.iter().any(|source| is_pod(source.end)) => {
                "A workload with itself is left out: nothing else was asked about.\n"
            }
            (true, 0) => "Neither end is a workload: what passes there is not known here.\n",
            (true, _) => "nothing passes\n",
        });
    }
    if asks {
        ways::text(question, &targets, &mut text);
    }
    text.push_str("\n--explain names the rules.\n");
    text
}

/// Whether what passes between two ends is a question: not of a workload with itself, nor between two
/// ends of which neither is a workload.
pub(super) fn is_pair(reach: &Reach, source: &Named, target: &Named) -> bool {
    let alone = source.end == target.end
        && (!is_class(reach, source.end)
            || source.label == target.label && !source.label.contains([' ']));
    !alone && (is_pod(source.end) || is_pod(target.end))
}

/// What passes from a source to each of the targets; addresses with one connection together.
pub(super) fn rows(
    question: &Question<'_>,
    source: &Named,
    targets: &[Named],
) -> Vec<(String, Conn)> {
    let reach = question.reach;
    let mut found: Vec<(String, Conn)> = Vec::new();
    let mut outside: Vec<(Conn, Ranges)> = Vec::new();
    for target in targets {
        if !is_pair(reach, source, target) {
            continue;
        }
        let conn = asked(question, &reach.conn(source.end, target.end));
        if conn.is_none() {
            continue;
        }
        match reach.addresses(target.end) {
            Some(addresses) => match outside.iter_mut().find(|(known, _)| *known == conn) {
                Some((_, all)) => *all = all.union(addresses),
                None => outside.push((conn, addresses.clone())),
            },
            None => found.push((target.label.clone(), conn)),
        }
    }
    found.extend(
        outside
            .into_iter()
            .map(|(conn, addresses)| (address::named(&addresses), conn)),
    );
    found
}

fn asked(question: &Question<'_>, conn: &Conn) -> Conn {
    Conn {
        sure: question.asked(&conn.sure),
        may: question.asked(&conn.may),
    }
}

const fn is_pod(end: End) -> bool {
    matches!(end, End::Pods(_) | End::Host(_))
}

fn is_class(reach: &Reach, end: End) -> bool {
    match end {
        End::Pods(class) | End::Host(class) => reach.members(class).nth(1).is_some(),
        _ => false,
    }
}

/// `TCP 80`, with what hangs on something after it.
pub(super) fn shown(conn: &Conn) -> String {
    let open = conn.open();
    if open.is_empty() {
        return conn.sure.to_string();
    }
    if conn.sure.is_empty() {
        return format!("perhaps {open}");
    }
    format!("{}, perhaps {open}", conn.sure)
}

/// The sources and targets that are asked about, by class.
pub(super) fn ends(question: &Question<'_>) -> (Vec<Named>, Vec<Named>) {
    let reach = question.reach;
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    for (class, _, label) in csv::classes(reach) {
        let of = |is: &dyn Fn(&::analysis::reach::Workload) -> bool| -> Option<Named> {
            let asked: Vec<_> = reach.members(class).filter(|one| is(one)).collect();
            let first = asked.first()?;
            let label = if asked.len() == reach.members(class).count() {
                label.clone()
            } else {
                let names: Vec<String> = asked.iter().map(|one| one.label()).collect();
                names.join(" ")
            };
            Some(Named {
                end: reach.end_of(first),
                label,
            })
        };
        sources.extend(of(&|workload| question.is_source(workload)));
        targets.extend(of(&|workload| question.is_target(workload)));
    }
    for (_, end) in reach.ends() {
        let label = match end {
            End::OwnNode => "its own node".to_owned(),
            End::OtherNode => "other nodes".to_owned(),
            End::ApiServer => "the API server".to_owned(),
            End::External(_) => reach.addresses(end).map(address::named).unwrap_or_default(),
            _ => continue,
        };
        let addresses = reach.addresses(end);
        let named = |label: &str| Named {
            end,
            label: label.to_owned(),
        };
        if Question::names(&question.from, end, addresses) {
            sources.push(named(&label));
        }
        if Question::names(&question.to, end, addresses) {
            targets.push(named(&label));
        }
    }
    (sources, targets)
}
