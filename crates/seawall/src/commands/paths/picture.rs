//! The ways that are shown as one graph: what several ways pass is drawn once. For Graphviz, and for Mermaid in
//! Markdown; [`super::svg`] draws it itself.

use super::tell::Story;
use super::*;

/// What a node is in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Between,
    Entry,
    Jewel,
}

/// Something that can be held.
pub(super) struct Spot {
    pub(super) title: String,
    pub(super) role: Role,
}

/// A deed; numbers are those of spots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sure: bool,
    /// Kinds of steps, each once.
    pub(super) labels: Vec<&'static str>,
}

pub(super) struct Picture {
    pub(super) spots: Vec<Spot>,
    pub(super) lines: Vec<Line>,
}

impl Picture {
    pub(super) fn of(answer: &Answer<'_>, stories: &[Story]) -> Self {
        let mut numbers: BTreeMap<NodeNo, usize> = BTreeMap::new();
        let mut spots: Vec<Spot> = Vec::new();
        let mut spot = |node: NodeNo, role: Role, title: Option<&str>| {
            let number = *numbers.entry(node).or_insert_with(|| {
                spots.push(Spot {
                    title: report::clean(&answer.graph.title(node)).into_owned(),
                    role: Role::Between,
                });
                spots.len() - 1
            });
            if let Some(own) = spots.get_mut(number)
                && own.role < role
            {
                own.role = role;
                if let Some(title) = title {
                    title.clone_into(&mut own.title);
                }
            }
            number
        };
        let mut lines: BTreeMap<(usize, usize), Line> = BTreeMap::new();
        for story in stories {
            spot(story.from, Role::Entry, None);
            for deed in &story.deeds {
                let to = spot(deed.lands, Role::Between, None);
                for need in &deed.held {
                    let from = spot(*need, Role::Between, None);
                    let sure = deed.doubts.is_empty();
                    let line = lines.entry((from, to)).or_insert_with(|| Line {
                        from,
                        to,
                        sure,
                        labels: Vec::new(),
                    });
                    line.sure |= sure;
                    if !line.labels.contains(&deed.edge.id()) {
                        line.labels.push(deed.edge.id());
                    }
                }
            }
            spot(story.to, Role::Jewel, Some(&story.jewel));
        }
        Self {
            spots,
            lines: lines.into_values().collect(),
        }
    }
}

pub(super) fn dot(answer: &Answer<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let picture = Picture::of(answer, &tell::all(answer));
    writeln!(out, "digraph paths {{\n  rankdir=LR;\n  node [shape=box];")?;
    for (number, spot) in picture.spots.iter().enumerate() {
        let style = match spot.role {
            Role::Between => "",
            Role::Entry => ", shape=ellipse",
            Role::Jewel => ", shape=octagon, penwidth=2",
        };
        writeln!(
            out,
            "  n{number} [label={}{style}];",
            output::dot_text(&spot.title)
        )?;
    }
    for line in &picture.lines {
        let style = if line.sure { "" } else { ", style=dashed" };
        writeln!(
            out,
            "  n{} -> n{} [label={}{style}];",
            line.from,
            line.to,
            output::dot_text(&line.labels.join(", "))
        )?;
    }
    writeln!(out, "}}")
}

pub(super) fn mermaid(answer: &Answer<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let picture = Picture::of(answer, &tell::all(answer));
    writeln!(out, "flowchart LR")?;
    for (number, spot) in picture.spots.iter().enumerate() {
        let (open, close) = match spot.role {
            Role::Between => ("[", "]"),
            Role::Entry => ("([", "])"),
            Role::Jewel => ("{{", "}}"),
        };
        writeln!(
            out,
            "  n{number}{open}\"{}\"{close}",
            output::mermaid_text(&spot.title)
        )?;
    }
    for line in &picture.lines {
        let arrow = if line.sure { "-->" } else { "-.->" };
        writeln!(
            out,
            "  n{} {arrow}|\"{}\"| n{}",
            line.from,
            line.labels.join(", "),
            line.to
        )?;
    }
    Ok(())
}
