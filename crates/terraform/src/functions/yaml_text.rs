//! YAML as `yamlencode` writes it: keys sorted and quoted, strings quoted. Texts of several
//! lines are left out.

use crate::value::{Data, Entry, MAX_DEPTH, Val};

use super::encoding::json_text;

pub(super) fn encode(value: &Val<'_>) -> Option<String> {
    let mut out = String::new();
    match value.data {
        Data::Seq(_, items) if !items.is_empty() => block(&mut out, value, 0)?,
        Data::Map(_, entries) if !entries.is_empty() => block(&mut out, value, 0)?,
        _ => {
            out.push_str(&inline(value)?);
            out.push('\n');
        }
    }
    Some(out)
}

fn inline(value: &Val<'_>) -> Option<String> {
    match value.data {
        Data::Str(text) if text.contains('\n') => None,
        Data::Seq(..) => Some("[]".to_owned()),
        Data::Map(..) => Some("{}".to_owned()),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) | Data::Str(_) => {
            Some(json_text(value))
        }
        _ => None,
    }
}

fn block(out: &mut String, value: &Val<'_>, indent: usize) -> Option<()> {
    if indent > MAX_DEPTH * 2 {
        return None;
    }
    let space = " ".repeat(indent);
    match value.data {
        Data::Seq(_, items) => {
            for item in items {
                out.push_str(&format!("{space}-"));
                match item.data {
                    Data::Seq(_, inner) if !inner.is_empty() => nested_item(out, item, indent)?,
                    Data::Map(_, inner) if !inner.is_empty() => nested_item(out, item, indent)?,
                    _ => out.push_str(&format!(" {}\n", inline(item)?)),
                }
            }
        }
        Data::Map(_, entries) => {
            let mut entries: Vec<&Entry<'_>> = entries.iter().collect();
            entries.sort_by_key(|entry| entry.key);
            for entry in entries {
                let key = json_text(&entry.key_value());
                match entry.value.data {
                    Data::Seq(_, inner) if !inner.is_empty() => {
                        out.push_str(&format!("{space}{key}:\n"));
                        block(out, &entry.value, indent)?;
                    }
                    Data::Map(_, inner) if !inner.is_empty() => {
                        out.push_str(&format!("{space}{key}:\n"));
                        block(out, &entry.value, indent + 2)?;
                    }
                    _ => out.push_str(&format!("{space}{key}: {}\n", inline(&entry.value)?)),
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// The first line of what is nested stands behind the dash.
fn nested_item(out: &mut String, item: &Val<'_>, indent: usize) -> Option<()> {
    let mut inner = String::new();
    block(&mut inner, item, indent + 2)?;
    out.push(' ');
    out.push_str(inner.trim_start_matches(' '));
    Some(())
}
