//! Lists as files: what a filter leaves, as CSV and JSON. They say no more than their page.
//!
//! What it deliberately leaves out: which rows there are.

use model::finding::Finding;
use report::rights::data::table;
use serde_json::{Value, json};

use super::super::request::Replied;
use super::Frame;

/// Rows of a file; nobody reads more, and memory is bounded by it.
pub(super) const ROWS: usize = 50_000;

/// How a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Csv,
    Json,
}

impl Form {
    /// `/findings.csv` is the path and the form.
    pub(crate) fn of(path: &str) -> Option<(&str, Self)> {
        let csv = path.strip_suffix(".csv").map(|path| (path, Self::Csv));
        csv.or_else(|| path.strip_suffix(".json").map(|path| (path, Self::Json)))
    }
}

/// A table as a file of that name.
pub(super) fn file(
    form: Form,
    name: &'static str,
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Option<Replied> {
    match form {
        Form::Csv => Some(csv(name, table(head, rows).ok()?)),
        Form::Json => {
            let line = |row: Vec<String>| -> Value {
                let cells = head.iter().zip(row);
                cells
                    .map(|(key, cell)| ((*key).to_owned(), Value::from(cell)))
                    .collect::<serde_json::Map<String, Value>>()
                    .into()
            };
            Some(self::json(name, &rows.map(line).collect()))
        }
    }
}

fn csv(name: &'static str, text: String) -> Replied {
    Replied::file("text/csv; charset=utf-8", text, &format!("{name}.csv"))
}

/// Values as a file of that name.
pub(super) fn json(name: &'static str, values: &Value) -> Replied {
    let mut text = json!({ name: values }).to_string();
    text.push('\n');
    Replied::file("application/json", text, &format!("{name}.json"))
}

/// Findings as a file, in the form of reports.
pub(super) fn findings(form: Form, frame: &Frame<'_>, found: &[&Finding]) -> Option<Replied> {
    let some = found.iter().take(ROWS);
    match form {
        Form::Csv => {
            let rows = some.map(|finding| report::csv::row(finding, frame.guide()));
            // Its cells are harmless already, and a second time changes nothing.
            let rows = rows.map(|row| row.to_vec());
            Some(csv("findings", table(&report::csv::COLUMNS, rows).ok()?))
        }
        Form::Json => {
            let values = some.map(|finding| report::json::finding(finding, frame.guide()));
            let values: Result<Vec<Value>, _> = values.collect();
            Some(json("findings", &values.ok()?.into()))
        }
    }
}
