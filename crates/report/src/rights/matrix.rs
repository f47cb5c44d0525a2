//! Subjects against verbs, or against resources: who may do what at a glance.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{Layout, gaps, indented, unknown};
use super::{Place, Row, Who};
use crate::text::{clean, count, width};

/// A matrix.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    /// What it shows: `What who can do with secrets in namespace shop`.
    pub title: String,
    /// What the columns are: `verb`, `resource`.
    pub columns_are: &'static str,
    /// Column heads.
    pub columns: Vec<Column>,
    /// Who, in order, with a cell for each column.
    pub lines: Vec<Line>,
    /// What nobody can say.
    pub unknown: Vec<String>,
    /// What was not given.
    pub gaps: Vec<String>,
}

/// A column's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// `get`, `secrets`
    pub name: String,
    /// A second line: the API group of a resource.
    pub below: String,
}

/// One subject.
#[derive(Debug, Clone)]
pub struct Line {
    /// who
    pub who: Who,
    /// a part of Kubernetes itself, and nothing else gives it a right here
    pub built_in: bool,
    /// one for each column
    pub cells: Vec<Cell>,
}

/// What a subject may do in a column: all rights, the widest first.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// each with the letter of what it allows; empty where a column is one verb
    pub rights: Vec<(char, Row)>,
}

/// How far a right reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// everywhere
    Everywhere,
    /// in namespaces
    Namespace,
    /// by name only
    Named,
    /// under a condition, or where nobody says where
    Perhaps,
}

impl Extent {
    /// Of a right.
    #[must_use]
    pub const fn of(row: &Row) -> Self {
        if row.condition.is_some() || matches!(row.place, Place::NotGiven) {
            Self::Perhaps
        } else if row.names.is_some() {
            Self::Named
        } else if matches!(row.place, Place::Everywhere) {
            Self::Everywhere
        } else {
            Self::Namespace
        }
    }

    /// The sign that stands for it.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Everywhere => '●',
            Self::Namespace => '◐',
            Self::Named => '○',
            Self::Perhaps => '?',
        }
    }

    /// What the sign says.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Namespace => "in a namespace",
            Self::Named => "by name only",
            Self::Perhaps => "perhaps",
        }
    }

    /// The word for it in a style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Namespace => "within",
            Self::Named => "named",
            Self::Perhaps => "perhaps",
        }
    }
}

/// All extents, the widest first.
pub const EXTENTS: [Extent; 4] = [
    Extent::Everywhere,
    Extent::Namespace,
    Extent::Named,
    Extent::Perhaps,
];

impl Cell {
    /// The widest extent.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        self.rights.iter().map(|(_, row)| Extent::of(row)).min()
    }

    /// The letters of what is allowed (`rw`), or none.
    #[must_use]
    pub fn letters(&self) -> String {
        ['r', 'w', 'x']
            .into_iter()
            .filter(|letter| self.rights.iter().any(|(own, _)| own == letter))
            .collect()
    }
}

impl Matrix {
    /// Makes a matrix of rows for each column; a column may come several times, with different letters.
    #[must_use]
    pub fn new(columns: Vec<Column>, rights: Vec<(usize, char, Row)>) -> Self {
        let mut lines: BTreeMap<(u8, bool, Who), Line> = BTreeMap::new();
        for (column, letter, row) in rights {
            let key = (
                rank(row.who.kind),
                row.who.name != analysis::ask::MASTERS,
                row.who.clone(),
            );
            let line = lines.entry(key).or_insert_with(|| Line {
                who: row.who.clone(),
                built_in: true,
                cells: vec![Cell::default(); columns.len()],
            });
            line.built_in &= row.is_built_in();
            if let Some(cell) = line.cells.get_mut(column) {
                cell.rights.push((letter, row));
            }
        }
        for line in lines.values_mut() {
            for cell in &mut line.cells {
                cell.rights
                    .sort_by_key(|(letter, row)| (Extent::of(row), *letter));
            }
        }
        Self {
            columns,
            lines: lines.into_values().collect(),
            ..Self::default()
        }
    }
}

/// Groups weigh most, service accounts are many.
fn rank(kind: &str) -> u8 {
    match kind {
        "Group" => 0,
        "User" => 2,
        "ServiceAccount" => 3,
        _ => 1,
    }
}

/// A matrix for a terminal. Columns that do not fit go into a further part below.
#[must_use]
pub fn shown(matrix: &Matrix, layout: Layout) -> String {
    let mut out = format!("{}\n", clean(&matrix.title));
    let lines: Vec<&Line> = matrix
        .lines
        .iter()
        .filter(|line| !line.built_in || layout.built_in)
        .collect();
    let names: Vec<String> = lines
        .iter()
        .map(|line| {
            shorten(
                &format!("{} {}", kind(line.who.kind), line.who.shown()),
                longest(line),
            )
        })
        .collect();
    let first = names
        .iter()
        .map(|name| width(name))
        .max()
        .unwrap_or(0)
        .max(7)
        + 2;
    let mut begin = 0;
    while begin < matrix.columns.len() {
        let mut end = begin;
        let mut used = first;
        while let Some(column) = matrix.columns.get(end) {
            let own = width(&column.name) + 2;
            if end > begin && used + own > layout.width {
                break;
            }
            used += own;
            end += 1;
        }
        part(&mut out, matrix, (&lines, &names), begin..end, first);
        begin = end;
    }
    if lines.is_empty() {
        out.push_str("\n  nobody that is known\n");
    }
    let hidden = matrix.lines.len() - lines.len();
    out.push('\n');
    let legend: Vec<String> = EXTENTS
        .iter()
        .map(|extent| format!("{} {}", extent.sign(), extent.meaning()))
        .collect();
    indented(&mut out, &legend.join(", "), 0, 0, layout);
    if matrix.columns_are == "resource" {
        indented(
            &mut out,
            "r reads, w writes or deletes, x acts (runs commands, makes tokens, binds)",
            0,
            0,
            layout,
        );
    }
    if hidden > 0 {
        let parts = count(hidden, "part");
        let _ = writeln!(
            out,
            "and {parts} of Kubernetes itself (`--built-in` lists them)"
        );
    }
    unknown(&mut out, &matrix.unknown, layout);
    gaps(
        &mut out,
        "Nobody",
        &matrix.gaps,
        !matrix.unknown.is_empty(),
        layout,
    );
    out
}

fn part(
    out: &mut String,
    matrix: &Matrix,
    (lines, names): (&[&Line], &[String]),
    columns: std::ops::Range<usize>,
    first: usize,
) {
    let heads = matrix.columns.get(columns.clone()).unwrap_or_default();
    let _ = write!(out, "\n{:first$}", "");
    for column in heads {
        let _ = write!(out, "{}  ", clean(&column.name));
    }
    trim(out);
    for (line, name) in lines.iter().zip(names) {
        let _ = write!(
            out,
            "{name}{:pad$}",
            "",
            pad = first.saturating_sub(width(name))
        );
        let cells = line.cells.get(columns.clone()).unwrap_or_default();
        for (column, cell) in heads.iter().zip(cells) {
            let sign = match cell.extent() {
                Some(extent) => format!("{}{}", extent.sign(), cell.letters()),
                None => "·".to_owned(),
            };
            let _ = write!(
                out,
                "{sign}{:pad$}",
                "",
                pad = (width(&column.name) + 2).saturating_sub(width(&sign))
            );
        }
        trim(out);
    }
}

fn trim(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// A kind in a narrow column.
fn kind(kind: &str) -> &str {
    if kind == "ServiceAccount" { "SA" } else { kind }
}

/// How wide a name may be: an object id is never cut, for those of one directory begin alike.
fn longest(line: &Line) -> usize {
    match &line.who.id {
        Some(_) => usize::MAX,
        None => 60,
    }
}

fn shorten(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if width(&short) + 2 > columns {
            break;
        }
        short.push(letter);
    }
    short.push('…');
    short
}
