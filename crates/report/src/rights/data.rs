//! Rights as JSON and as CSV.

use std::io::{self, Write};

use analysis::roles::administrators::said;
use serde_json::{Value, json};

use crate::text::clean;

use super::{Answer, Asked, By, Place, Row, Thing, text};

/// What the JSON of every answer calls itself; its JSON Schema is `docs/schema/who-can-v1.json`.
pub const SCHEMA: &str = "seawall.who-can/v1";

/// The answer to one question.
#[must_use]
pub fn answer(answer: &Answer) -> Value {
    json!({
        "schema": SCHEMA,
        "question": asked(&answer.asked),
        "holders": answer.rows.iter().map(row).collect::<Vec<_>>(),
        "unknown": answer.unknown,
        "complete": answer.gaps.is_empty(),
        "notGiven": answer.gaps,
    })
}

/// What was asked.
#[must_use]
pub fn asked(asked: &Asked) -> Value {
    match &asked.path {
        Some(path) => json!({"verb": asked.verb, "path": path}),
        None => json!({
            "verb": asked.verb,
            "group": asked.group,
            "resource": asked.resource,
            "name": asked.name,
            "namespace": asked.namespace,
        }),
    }
}

/// A right.
#[must_use]
pub fn row(row: &Row) -> Value {
    json!({
        "subject": {
            "kind": row.who.kind,
            "namespace": row.who.namespace,
            "name": row.who.name,
            "id": row.who.id,
        },
        "scope": scope(&row.place),
        "namespace": match &row.place {
            Place::Namespace(namespace) => Some(namespace),
            Place::Everywhere | Place::NotGiven => None,
        },
        "names": row.names,
        "condition": row.condition,
        "evidence": row.by.iter().map(by).collect::<Vec<_>>(),
    })
}

const fn scope(place: &Place) -> &'static str {
    match place {
        Place::Everywhere => "cluster",
        Place::Namespace(_) => "namespace",
        Place::NotGiven => "namespace-not-given",
    }
}

fn by(by: &By) -> Value {
    match by {
        By::Masters => json!({"group": "system:masters"}),
        By::Binding {
            binding,
            role,
            rule,
            written,
        } => json!({
            "binding": thing(binding),
            "role": thing(role),
            "rule": {"number": rule, "of": thing(written)},
        }),
        By::Assignment {
            assignment,
            role,
            route,
        } => json!({"assignment": thing(assignment), "role": role, "route": route}),
        By::Administrator {
            assignment,
            role,
            route,
            actions,
        } => json!({
            "assignment": thing(assignment),
            "role": role,
            "route": route,
            "administratorBy": actions,
        }),
    }
}

fn thing(thing: &Thing) -> Value {
    json!({
        "kind": thing.kind,
        "namespace": thing.namespace,
        "name": thing.name,
        "path": thing.path,
        "line": thing.line,
    })
}

/// The columns of [`write_csv`].
pub const COLUMNS: [&str; 12] = [
    "verb",
    "group",
    "resource",
    "kind",
    "subject",
    "scope",
    "namespace",
    "names",
    "condition",
    "binding",
    "role",
    "place",
];

/// Answers as CSV: a line for each right.
///
/// # Errors
/// When writing fails.
pub fn write_csv<'a>(
    out: impl Write,
    answers: impl Iterator<Item = (&'a Asked, &'a [Row])>,
) -> io::Result<()> {
    let mut out = ::csv::Writer::from_writer(out);
    out.write_record(COLUMNS)?;
    for (asked, rows) in answers {
        for row in rows {
            let resource = asked.path.as_ref().unwrap_or(&asked.resource);
            let (binding, role, place) = match row.by.first() {
                Some(By::Binding {
                    binding,
                    role,
                    written,
                    ..
                }) => (binding.shown(), role.shown(), written.place()),
                Some(By::Assignment {
                    assignment, role, ..
                }) => (assignment.shown(), role.clone(), assignment.place()),
                Some(By::Administrator {
                    assignment,
                    role,
                    actions,
                    ..
                }) => (
                    assignment.shown(),
                    format!("{role}: {}", said(actions)),
                    assignment.place(),
                ),
                Some(by @ By::Masters) => (text::through(by), String::new(), String::new()),
                None => (String::new(), String::new(), String::new()),
            };
            let namespace = match &row.place {
                Place::Namespace(namespace) => namespace.as_str(),
                Place::Everywhere | Place::NotGiven => "",
            };
            let names = row
                .names
                .as_ref()
                .map(|names| names.join(" "))
                .unwrap_or_default();
            let cells = [
                &asked.verb,
                &asked.group,
                resource,
                row.who.kind,
                &row.who.shown(),
                scope(&row.place),
                namespace,
                &names,
                row.condition.as_deref().unwrap_or_default(),
                &binding,
                &role,
                &place,
            ];
            out.write_record(cells.map(safe))?;
        }
    }
    out.flush()
}

/// Any table as CSV.
///
/// # Errors
/// When a cell cannot be written.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<String> {
    let mut out = ::csv::Writer::from_writer(Vec::new());
    out.write_record(head)?;
    for row in rows {
        out.write_record(row.iter().map(|cell| safe(cell)))?;
    }
    let bytes = out
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// A cell that a spreadsheet would take for a formula begins with `'`.
fn safe(cell: &str) -> String {
    let cell = &*clean(cell);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
