//! Graphs of classes: for Graphviz, and for Mermaid in Markdown.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ::analysis::reach::End;

use super::Question;
use super::table::{Named, ends, rows, shown};
use super::ways::{self, Ways};
use crate::output;

/// A node of the graph: an identifier and a name.
struct Node {
    id: String,
    label: String,
    namespace: Option<String>,
}

struct Edge {
    from: String,
    to: String,
    label: String,
    sure: bool,
}

/// The nodes and edges between what is asked about.
fn graph(question: &Question<'_>) -> (Vec<Node>, Vec<Edge>) {
    let (sources, targets) = ends(question);
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    let mut id = |label: &str, nodes: &mut Vec<Node>| -> String {
        if let Some(id) = ids.get(label) {
            return id.clone();
        }
        let id = format!("n{}", ids.len());
        ids.insert(label.to_owned(), id.clone());
        let is_workload = label.contains('[') && label.contains('/');
        nodes.push(Node {
            id: id.clone(),
            label: label.to_owned(),
            namespace: is_workload.then(|| label.split('/').next().unwrap_or_default().to_owned()),
        });
        id
    };
    for named in sources
        .iter()
        .chain(&targets)
        .filter(|named| in_cluster(named))
    {
        id(&named.label, &mut nodes);
    }
    for source in &sources {
        // Policies say little of who comes in from elsewhere: ways in follow.
        let outside = !in_cluster(source) && question.from.is_empty();
        if outside || question.is_internet(source.end) {
            continue;
        }
        for (target, conn) in rows(question, source, &targets) {
            edges.push(Edge {
                from: id(&source.label, &mut nodes),
                to: id(&target, &mut nodes),
                label: shown(&conn),
                sure: !conn.sure.is_empty(),
            });
        }
    }
    let found = question.ways();
    let ways = Ways::of(found.iter());
    for target in &targets {
        let (End::Pods(class) | End::Host(class)) = target.end else {
            continue;
        };
        for way in ways.to_class(question.reach, class) {
            let edge = Edge {
                from: id(&ways::who(question), &mut nodes),
                to: id(&target.label, &mut nodes),
                label: ways::by(question.estate, way),
                sure: ways::is_sure(way),
            };
            // Each workload of a class is behind the same objects.
            let known = |one: &Edge| one.to == edge.to && one.label == edge.label;
            if !edges
                .iter()
                .rev()
                .take_while(|one| one.to == edge.to)
                .any(known)
            {
                edges.push(edge);
            }
        }
    }
    (nodes, edges)
}

const fn in_cluster(named: &Named) -> bool {
    matches!(named.end, End::Pods(_) | End::Host(_))
}

fn by_namespace(nodes: &[Node]) -> BTreeMap<Option<&str>, Vec<&Node>> {
    let mut by: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
    for node in nodes {
        by.entry(node.namespace.as_deref()).or_default().push(node);
    }
    by
}

pub(crate) fn dot(question: &Question<'_>, out: &mut impl Write) -> io::Result<()> {
    let (nodes, edges) = graph(question);
    writeln!(out, "digraph reach {{\n  rankdir=LR;\n  node [shape=box];")?;
    for (number, (namespace, nodes)) in by_namespace(&nodes).into_iter().enumerate() {
        let indent = if let Some(namespace) = namespace {
            writeln!(
                out,
                "  subgraph cluster_{number} {{\n    label={};",
                output::dot_text(namespace)
            )?;
            "    "
        } else {
            "  "
        };
        for node in nodes {
            let shape = if namespace.is_none() {
                ", shape=ellipse"
            } else {
                ""
            };
            writeln!(
                out,
                "{indent}{} [label={}{shape}];",
                node.id,
                output::dot_text(&node.label)
            )?;
        }
        if namespace.is_some() {
            writeln!(out, "  }}")?;
        }
    }
    for edge in &edges {
        let style = if edge.sure { "" } else { ", style=dashed" };
        writeln!(
            out,
            "  {} -> {} [label={}{style}];",
            edge.from,
            edge.to,
            output::dot_text(&edge.label)
        )?;
    }
    writeln!(out, "}}")
}

pub(crate) fn mermaid(question: &Question<'_>, out: &mut impl Write) -> io::Result<()> {
    let (nodes, edges) = graph(question);
    writeln!(out, "flowchart LR")?;
    for (number, (namespace, nodes)) in by_namespace(&nodes).into_iter().enumerate() {
        if let Some(namespace) = namespace {
            writeln!(
                out,
                "  subgraph s{number}[\"{}\"]",
                output::mermaid_text(namespace)
            )?;
        }
        for node in nodes {
            let (open, close) = if namespace.is_none() {
                ("([", "])")
            } else {
                ("[", "]")
            };
            writeln!(
                out,
                "    {}{open}\"{}\"{close}",
                node.id,
                output::mermaid_text(&node.label)
            )?;
        }
        if namespace.is_some() {
            writeln!(out, "  end")?;
        }
    }
    for edge in &edges {
        let arrow = if edge.sure { "-->" } else { "-.->" };
        writeln!(
            out,
            "  {} {arrow}|\"{}\"| {}",
            edge.from,
            output::mermaid_text(&edge.label),
            edge.to
        )?;
    }
    Ok(())
}
