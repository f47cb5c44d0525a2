//! What people ask first, at the width of their terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ::analysis::reach::{
    Answer, ConnId, Direction, End, Engine, Exposure, Reach, Source, Verdict, Workload,
};

use super::ways::{self, Ways};
use super::{Question, csv};

/// Lists longer than this are cut.
const MOST: usize = 8;
/// Of classes more are shown.
pub(super) const CLASSES: usize = 24;

pub(crate) fn text(question: &Question<'_>) -> String {
    let mut text = head(question);
    exposed(question, &mut text);
    reached(question, &mut text);
    namespaces(question, &mut text);
    classes(question, &mut text);
    text.push_str(
        "\nMore: --from W --to W (--explain: which rules), --expand (csv), --format html\n",
    );
    text
}

/// What was read, what enforces it, and what the answers hang on.
pub(super) fn head(question: &Question<'_>) -> String {
    let reach = question.reach;
    let spaces: BTreeSet<&str> = reach
        .workloads()
        .iter()
        .map(|workload| &*workload.namespace)
        .collect();
    let mut text = format!(
        "{} in {}, {}\n",
        count(reach.workloads().len(), "workload"),
        count(spaces.len(), "namespace"),
        policies(question),
    );
    for line in notes(question) {
        wrapped(&mut text, &line, "", "  ", question.width);
    }
    text
}

fn policies(question: &Question<'_>) -> String {
    let used = question.reach.policies().len();
    let given = question
        .estate
        .resources()
        .iter()
        .filter(|resource| resource.name.kind.name().ends_with("NetworkPolicy"))
        .count();
    if given > used {
        format!("{used} of {}", policy(given))
    } else {
        policy(used)
    }
}

fn policy(count: usize) -> String {
    match count {
        1 => "1 policy".to_owned(),
        count => format!("{count} policies"),
    }
}

/// The engine, and what the answers hang on.
pub(super) fn notes(question: &Question<'_>) -> Vec<String> {
    let reach = question.reach;
    let name = reach.engine().name();
    let cluster = reach
        .cluster()
        .and_then(|id| question.estate.get(id))
        .map(|cluster| &*cluster.name.name);
    let mut notes = vec![match (reach.engine_source(), cluster) {
        (Source::Asked, _) => format!("Enforced by: {name}, as asked"),
        (Source::Cluster, Some(cluster)) => {
            format!("Enforced by: {name}, says the network profile of `{cluster}`")
        }
        (Source::Cluster, None) => format!("Enforced by: {name}, say the clusters"),
        (Source::Policies, _) => {
            format!("Enforced by: {name}, since there are policies that only it reads (--cni)")
        }
        (Source::Assumed, _) => {
            "Enforced by: not known; judged as Kubernetes documents it (--cni)".to_owned()
        }
    }];
    notes.push(difference(reach.engine()).to_owned());
    notes.extend(reach.remarks().iter().map(|remark| remark.to_string()));
    let assumptions = reach.assumptions();
    if !assumptions.is_empty() {
        let mut line = format!("By what was given: {}", assumptions.join("; "));
        // A running cluster says of itself what was read to the end.
        if question.estate.scope == model::Scope::Open && question.estate.completeness.is_empty() {
            line.push_str(" (--whole if the files are everything)");
        }
        notes.push(line);
    }
    notes.retain(|note| !note.is_empty());
    notes
}

/// What is different with an engine.
const fn difference(engine: Engine) -> &'static str {
    match engine {
        Engine::None => "Without an engine, network policies have no effect at all.",
        Engine::Azure => {
            "Azure Network Policy Manager: an address block holds pods that have such addresses."
        }
        Engine::Calico => "Calico: an address block holds pods that have such addresses.",
        Engine::Cilium => {
            "Cilium: an address block never holds pods or nodes; pods reach their own node only by a rule."
        }
        Engine::Upstream => "",
    }
}

fn exposed(question: &Question<'_>, text: &mut String) {
    let ways = Ways::of(question.reach.exposures().iter());
    section(
        text,
        "Open to the internet",
        &ways.sure,
        question,
        "nothing that was given surely is",
    );
    if !ways.perhaps.is_empty() {
        section(
            text,
            "Perhaps open to the internet",
            &ways.perhaps,
            question,
            "",
        );
    }
    if !ways.private.is_empty() {
        section(
            text,
            "Open to the private network",
            &ways.private,
            question,
            "",
        );
    }
    closed_ways(&ways, text);
}

pub(super) fn closed_ways(ways: &Ways<'_>, text: &mut String) {
    if ways.closed > 0 {
        let _ = writeln!(
            text,
            "  {} to pods whose policies let nobody in",
            count(ways.closed, "way")
        );
    }
}

pub(super) fn section(
    text: &mut String,
    title: &str,
    exposures: &[&Exposure],
    question: &Question<'_>,
    none: &str,
) {
    let _ = writeln!(text, "\n{title}");
    if exposures.is_empty() {
        let _ = writeln!(text, "  {none}");
    }
    for exposure in exposures.iter().take(MOST * 2) {
        let line = ways::line(question.reach, question.estate, exposure);
        wrapped(text, &line, "  ", "      ", question.width);
    }
    more(text, exposures.len(), MOST * 2);
}

fn reached(question: &Question<'_>, text: &mut String) {
    let reach = question.reach;
    type Pick = fn(&::analysis::reach::Facts) -> &Answer;
    let asked: [(&str, Pick); 4] = [
        ("the internet", |facts| &facts.internet),
        ("instance metadata (169.254.169.254, TCP 80)", |facts| {
            &facts.metadata
        }),
        ("the API server", |facts| &facts.api_server),
        ("kubelets of other nodes (TCP 10250)", |facts| {
            &facts.kubelet
        }),
    ];
    text.push_str("\nReach from pods\n");
    for (name, pick) in asked {
        let mut by: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
        let (mut open, mut perhaps) = (Vec::new(), Vec::new());
        for workload in reach.workloads() {
            let answer = pick(reach.facts(workload));
            by.entry(answer.verdict())
                .or_default()
                .push(workload.label());
            if !answer.conn.sure.is_empty() {
                open.push(workload.label());
            } else if !answer.conn.may.is_empty() {
                perhaps.push(workload.label());
            }
        }
        let all = reach.workloads().len();
        let mut line = match open.len() {
            0 => format!("{name}: none"),
            count if count == all => format!("{name}: all {all}"),
            count => format!("{name}: {count} of {all}: {}", few(&open)),
        };
        if !perhaps.is_empty() {
            let _ = write!(line, "; perhaps {}: {}", perhaps.len(), few(&perhaps));
        }
        wrapped(text, &line, "  ", "      ", question.width);
    }
}

fn few(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    let mut text = shown.join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}

/// Which namespaces reach each namespace.
fn namespaces(question: &Question<'_>, text: &mut String) {
    let reach = question.reach;
    let open = between_namespaces(reach);
    let names: Vec<&str> = open.keys().map(String::as_str).collect();
    if names.len() < 2 {
        return;
    }
    text.push_str("\nNamespaces open to others\n");
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut closed = Vec::new();
    let mut shown = 0;
    for (name, (members, from)) in &open {
        if from.is_empty() {
            closed.push(name.as_str());
            continue;
        }
        shown += 1;
        if shown > CLASSES {
            continue;
        }
        let from: Vec<&str> = from.iter().map(String::as_str).collect();
        let who = if from.len() + 1 == names.len() {
            "from every other".to_owned()
        } else {
            let first: Vec<&str> = from.iter().take(MOST).copied().collect();
            let rest = from.len().saturating_sub(MOST);
            let rest = if rest > 0 {
                format!(" and {rest} more")
            } else {
                String::new()
            };
            format!("from {}{rest}", first.join(", "))
        };
        let line = format!("{name:width$}  {}, {who}", count(*members, "workload"));
        wrapped(text, &line, "  ", "      ", question.width);
    }
    more(text, shown, CLASSES);
    if !closed.is_empty() {
        let line = format!("closed to all others: {}", closed.join(", "));
        wrapped(text, &line, "  ", "      ", question.width);
    }
}

/// By namespace: how many workloads it has, and which other namespaces have one that surely reaches
/// one of them.
pub(super) fn between_namespaces(reach: &Reach) -> BTreeMap<String, (usize, BTreeSet<String>)> {
    let mut open: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    let mut numbers: Vec<(usize, &str, End)> = Vec::new();
    for workload in reach.workloads() {
        open.entry(workload.namespace.to_string()).or_default().0 += 1;
        let end = reach.end_of(workload);
        numbers.push((reach.number(end), &workload.namespace, end));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut matrix = reach.matrix();
    let mut surely: Vec<Option<bool>> = Vec::new();
    for (number, own, end) in &numbers {
        // Pods on their nodes' network belong to the node rather than to their namespace.
        if matches!(end, End::Host(_)) {
            continue;
        }
        let row = matrix.from(*number);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (target, other, end) in &numbers {
            if own == other || matches!(end, End::Host(_)) || seen.contains(other) {
                continue;
            }
            let id = row.get(*target).copied().unwrap_or(ConnId::NONE);
            if surely.len() <= id.index() {
                surely.resize(id.index() + 1, None);
            }
            let Some(slot) = surely.get_mut(id.index()) else {
                continue;
            };
            if *slot.get_or_insert_with(|| !matrix.conn(id).sure.is_empty()) {
                seen.insert(other);
            }
        }
        for other in seen {
            if let Some((_, from)) = open.get_mut(other) {
                from.insert((*own).to_owned());
            }
        }
    }
    open
}

fn classes(question: &Question<'_>, text: &mut String) {
    let reach = question.reach;
    let classes = csv::classes(reach);
    let _ = writeln!(
        text,
        "\n{} that no policy tells apart",
        count_of(classes.len(), "class", "classes")
    );
    for (_, workload, label) in classes.iter().take(CLASSES) {
        let line = format!(
            "{label}: in {}, out {}",
            closed(question, workload, Direction::Ingress),
            closed(question, workload, Direction::Egress)
        );
        wrapped(text, &line, "  ", "      ", question.width);
    }
    more(text, classes.len(), CLASSES);
}

/// Which policies close a direction.
fn closed(question: &Question<'_>, workload: &Workload, direction: Direction) -> String {
    let reach = question.reach;
    if matches!(reach.end_of(workload), End::Host(_)) {
        return "as its node".to_owned();
    }
    let by: Vec<String> = reach
        .selecting(workload, direction)
        .into_iter()
        .filter_map(|id| Some(question.estate.get(id)?.name.name.to_string()))
        .collect();
    if by.is_empty() {
        return "open".to_owned();
    }
    let shown: Vec<&str> = by.iter().take(3).map(String::as_str).collect();
    let rest = by.len().saturating_sub(3);
    let rest = if rest > 0 {
        format!(" +{rest}")
    } else {
        String::new()
    };
    format!("by {}{rest}", shown.join(", "))
}

pub(super) fn more(text: &mut String, all: usize, most: usize) {
    if all > most {
        let _ = writeln!(text, "  and {} more (--format json lists all)", all - most);
    }
}

pub(super) fn count(number: usize, noun: &str) -> String {
    count_of(number, noun, &format!("{noun}s"))
}

fn count_of(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// A line broken at spaces, further lines indented.
pub(super) fn wrapped(text: &mut String, line: &str, first: &str, rest: &str, width: usize) {
    let width = width.clamp(40, 120);
    let mut at = first.chars().count();
    text.push_str(first);
    let mut begun = false;
    for word in line.split(' ') {
        let length = word.chars().count();
        if begun && at + 1 + length > width {
            text.push('\n');
            text.push_str(rest);
            at = rest.chars().count();
        } else if begun {
            text.push(' ');
            at += 1;
        }
        text.push_str(word);
        at += length;
        begun = true;
    }
    text.push('\n');
}
