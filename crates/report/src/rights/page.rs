//! A matrix of rights as one HTML page that stands alone: no script, nothing loaded, everything escaped.

use maud::{Markup, html};

use super::matrix::{Cell, Column, EXTENTS, Line, Matrix};
use super::text::through;
use super::{Place, Row};
use crate::html::{ALONE, Head, Style, document};
use crate::text::{clean, count};

const STYLE: &str = include_str!("page.css");

/// Lines on a page; beyond it browsers become slow.
pub const LINES_KEPT: usize = 1000;

/// More columns than this have their heads turned.
const MANY: usize = 9;

/// The page. `subject` is what was read.
#[must_use]
pub fn html(matrix: &Matrix, subject: &[String], built_in: bool) -> String {
    let all: Vec<&Line> = matrix
        .lines
        .iter()
        .filter(|line| !line.built_in || built_in)
        .collect();
    let hidden = matrix.lines.len() - all.len();
    let lines = all.get(..all.len().min(LINES_KEPT)).unwrap_or_default();
    let title = clean(&matrix.title);
    let head = Head {
        title: &title,
        policy: Some(ALONE),
        style: Style::Within(&[STYLE]),
    };
    let body = html! {
        a.skip href="#matrix" { "Skip to the table" }
        header {
            p.brand { "seawall" }
            h1 { (clean(&matrix.title)) }
            dl.facts {
                div { dt { "Read" } dd { (clean(&subject.join(", "))) } }
                div { dt { "Who" } dd { (count(all.len(), "subject")) } }
                div { dt { "Complete" } dd { @if matrix.gaps.is_empty() && matrix.unknown.is_empty() { "yes" } @else { "no, see below" } } }
            }
        }
        main {
            (legend(matrix))
            (table(matrix, lines))
            @if all.len() > lines.len() {
                p.help { "The first " (lines.len()) " of " (count(all.len(), "subject")) "; `--format csv` lists all." }
            }
            @if hidden > 0 {
                p.help { "Left out: " (count(hidden, "part")) " of Kubernetes itself (" code { "--built-in" } " shows them)." }
            }
            (doubts(matrix))
            h2 { "What gives it" }
            ul.from { @for line in lines { (from(matrix, line)) } }
        }
        footer { p { "Written by seawall. This page loads nothing and sends nothing." } }
    };
    document(&head, &html! {}, None, &body).into_string()
}

fn legend(matrix: &Matrix) -> Markup {
    let letters = matrix.columns_are == "resource";
    html! {
        ul.legend {
            @for extent in EXTENTS {
                li { span class={ "mark " (extent.class()) } { @if letters { "rw" } @else { (extent.sign()) } } (extent.meaning()) }
            }
            @if letters {
                li { b { "r" } " reads, " b { "w" } " writes or deletes, " b { "x" } " acts: runs commands, makes tokens, binds" }
            }
        }
    }
}

fn table(matrix: &Matrix, lines: &[&Line]) -> Markup {
    let many = matrix.columns.len() > MANY;
    let groups = lines.chunk_by(|one, two| kind(one) == kind(two));
    html! {
        div #matrix class={ "matrix" @if many { " many" } } tabindex="0" role="region" aria-label="Who may do what" {
            table {
                thead {
                    tr {
                        th scope="col" { "Who" }
                        @for column in &matrix.columns { (head(column)) }
                    }
                }
                @if lines.is_empty() {
                    tbody { tr { th scope="row" { "nobody that is known" } } }
                }
                @for group in groups {
                    tbody {
                        tr.group { th colspan=(matrix.columns.len() + 1) scope="rowgroup" { (group.first().map_or("", |line| kind(line))) } }
                        @for line in group {
                            tr {
                                th scope="row" {
                                    (clean(&line.who.shown()))
                                    @if let Some(note) = &line.who.note { span.note { (clean(note)) } }
                                }
                                @for cell in &line.cells { (self::cell(cell)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn head(column: &Column) -> Markup {
    html! {
        th scope="col" {
            span {
                (clean(&column.name))
                @if !column.below.is_empty() { span.below { (clean(&column.below)) } }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    let Some(extent) = cell.extent() else {
        return html! { td { span.none aria-label="no" { "·" } } };
    };
    let letters = cell.letters();
    let tip: Vec<String> = cell
        .rights
        .iter()
        .take(6)
        .map(|(_, row)| reason(row))
        .collect();
    html! {
        td title=(clean(&tip.join("; "))) {
            span class={ "mark " (extent.class()) } {
                @if letters.is_empty() { (extent.sign()) } @else { (letters) }
                span.unseen { " " (extent.meaning()) }
            }
        }
    }
}

/// Groups of lines: what people look for first comes first by its name.
fn kind(line: &Line) -> &'static str {
    match line.who.kind {
        "User" => "Users",
        "Group" => "Groups",
        "ServiceAccount" => "Service accounts",
        _ => "Microsoft Entra, by Azure roles",
    }
}

fn reason(row: &Row) -> String {
    let mut text = match &row.place {
        Place::Everywhere => "everywhere".to_owned(),
        place => place.shown(),
    };
    if let Some(names) = &row.names {
        text.push_str(&format!(", only {}", names.join(", ")));
    }
    if let Some(condition) = &row.condition {
        text.push_str(&format!(", if {condition}"));
    }
    let mut by: Vec<String> = row.by.iter().map(through).collect();
    by.dedup();
    format!("{text}: {}", by.join(" and "))
}

/// What gives a subject its cells, each reason once.
fn from(matrix: &Matrix, line: &Line) -> Markup {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (column, cell) in matrix.columns.iter().zip(&line.cells) {
        for (_, row) in &cell.rights {
            let text = reason(row);
            match reasons.iter_mut().find(|(known, _)| *known == text) {
                Some((_, columns)) if columns.last() == Some(&&*column.name) => {}
                Some((_, columns)) => columns.push(&column.name),
                None => reasons.push((text, vec![&column.name])),
            }
        }
    }
    html! {
        li {
            b { (line.who.kind) " " (clean(&line.who.shown())) }
            ul {
                @for (text, columns) in reasons {
                    li { b { (clean(&columns.join(", "))) } " " (clean(&text)) }
                }
            }
        }
    }
}

fn doubts(matrix: &Matrix) -> Markup {
    html! {
        @if !matrix.unknown.is_empty() {
            h2 { "Not known" }
            ul.prose { @for one in matrix.unknown.iter().take(200) { li { (clean(one)) } } }
        }
        @if matrix.gaps.is_empty() {
            p.prose { @if matrix.unknown.is_empty() { "Nobody else." } @else { "Nobody else for certain." } }
        } @else {
            p.prose { "Others may too: " (clean(&matrix.gaps.join("; "))) "." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::Who;
    use crate::rights::matrix::Extent;

    #[test]
    fn what_is_read_is_escaped() {
        let row = Row {
            who: Who {
                kind: "User",
                namespace: None,
                name: "<script>alert(1)</script>".to_owned(),
                id: None,
                note: Some("\"><b>".to_owned()),
            },
            place: Place::Everywhere,
            names: None,
            condition: None,
            by: Vec::new(),
        };
        let columns = vec![Column {
            name: "<i>".to_owned(),
            below: String::new(),
        }];
        let matrix = Matrix::new(columns, vec![(0, ' ', row)]);
        let page = html(&matrix, &["<u>".to_owned()], false);
        assert!(page.contains("&lt;script&gt;"));
        for bad in ["<script", "<i>", "<u>", "\"><b>"] {
            assert!(!page.contains(bad), "{bad}");
        }
        assert_eq!(
            Extent::of(&matrix.lines[0].cells[0].rights[0].1),
            Extent::Everywhere
        );
    }
}
