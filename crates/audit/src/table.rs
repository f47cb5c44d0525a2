//! What the query API of Log Analytics answers: `{"tables":[{"name", "columns":[{"name", "type"}, …], "rows":[[…], …]}]}`
//! (learn.microsoft.com/azure/azure-monitor/logs/api/response-format). Each row is written down again as an object,
//! which the reader of rows takes.

use crate::event::text_of;
use crate::scan::{End, Raw, Scan};

/// The columns of a table, and how much of the text comes before the first of its rows. `None` where no table begins
/// here, or its rows are not in sight yet.
pub(crate) fn begin(text: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut found = None;
    Scan::new(text).entries(|key, scan| {
        if key == b"tables" && scan.peek() == Some(b'[') {
            let before = text.len() - scan.rest().len();
            let inner = scan.rest().get(1..).unwrap_or_default();
            found = table(inner).map(|(columns, length)| (columns, before + 1 + length));
            return End::Wrong;
        }
        if key == b"columns" || key == b"rows" {
            found = table(text);
            return End::Wrong;
        }
        scan.value().end()
    });
    found
}

fn table(text: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut columns = Vec::new();
    let mut rows = None;
    Scan::new(text).entries(|key, scan| match key {
        b"columns" => scan.items(|scan| {
            let mut name = String::new();
            let end = scan.entries(|key, scan| {
                let value = scan.value();
                if key == b"name" {
                    text_of(value).as_str().clone_into(&mut name);
                }
                value.end()
            });
            columns.push(std::mem::take(&mut name));
            end
        }),
        b"rows" if scan.peek() == Some(b'[') => {
            rows = Some(text.len() - scan.rest().len() + 1);
            End::Wrong
        }
        _ => scan.value().end(),
    });
    Some((columns, rows?)).filter(|(columns, _)| !columns.is_empty())
}

/// A row as a JSON object; one that is cut is an object that is cut.
pub(crate) fn object(columns: &[String], row: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.push(b'{');
    let mut names = columns.iter();
    let end = Scan::new(row).items(|scan| {
        let value = scan.value();
        let (text, ends): (&[u8], bool) = match value {
            Raw::Text { body, whole, .. } => (body, whole),
            Raw::Tree { text, whole } | Raw::Plain { text, whole } => (text, whole),
            Raw::Missing | Raw::Wrong => return value.end(),
        };
        let Some(name) = names.next() else {
            return value.end();
        };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(
            serde_json::Value::from(name.as_str())
                .to_string()
                .as_bytes(),
        );
        out.push(b':');
        let quoted = matches!(value, Raw::Text { .. });
        if quoted {
            out.push(b'"');
        }
        out.extend_from_slice(text);
        if quoted && ends {
            out.push(b'"');
        }
        value.end()
    });
    if end == End::Whole {
        out.push(b'}');
    }
}
