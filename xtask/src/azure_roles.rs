//! The table of Azure's built-in roles that the binary carries, from a list of role definitions as Azure
//! gives it. It is checked in; it is renewed by hand, from a newer list.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::places::Places;
use crate::run::say;

const TABLE: &str = "guide/data/azure-roles.yaml";

const HEAD: &str = "\
# Azure's built-in roles: what each allows, as Azure lists it (`cargo xtask azure-roles`). Actions that begin
# alike share what they begin with: `A/{b,c/d}` is `A/b` and `A/c/d`. Every value stands on one line in double
# quotes, since a role is looked up without reading the rest. A brace that is a part of an action's name is
# written as a parenthesis.
";

/// `cargo xtask azure-roles --from FILE --seen DATE [--source ADDRESS]`
pub(crate) fn write(places: &Places, arguments: &[String]) -> Result<()> {
    let mut from = None;
    let mut seen = None;
    let mut source = "https://github.com/iann0036/iam-dataset (azure/built-in-roles-raw.json)";
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let value = rest
            .next()
            .with_context(|| format!("`{option}` lacks a value"))?;
        match option.as_str() {
            "--from" => from = Some(value),
            "--seen" => seen = Some(value),
            "--source" => source = value,
            other => {
                bail!("no option `{other}`\nhelp: cargo xtask azure-roles --from FILE --seen DATE")
            }
        }
    }
    let (Some(from), Some(seen)) = (from, seen) else {
        bail!(
            "say which list, and of which day\nhelp: cargo xtask azure-roles --from FILE --seen DATE"
        );
    };
    let text = fs::read_to_string(from).with_context(|| format!("cannot read `{from}`"))?;
    let list: Value =
        serde_json::from_str(&text).with_context(|| format!("`{from}` is no JSON"))?;
    let (table, roles) = table(&list, source, seen)?;
    say(&format!(
        "azure-roles: {roles} roles, {} bytes",
        table.len()
    ));
    fs::write(places.root.join(TABLE), table).with_context(|| format!("cannot write {TABLE}"))
}

/// The table's text, and how many roles it holds.
fn table(list: &Value, source: &str, seen: &str) -> Result<(String, usize)> {
    let roles = list
        .as_array()
        .or_else(|| list.get("value").and_then(Value::as_array))
        .context("a list of role definitions is wanted")?;
    let mut entries = BTreeMap::new();
    for role in roles {
        let kind = role.get("properties").unwrap_or(role).get("roleType");
        if kind.and_then(Value::as_str) == Some("CustomRole") {
            continue;
        }
        let (id, entry) = entry(role)?;
        if entries.insert(id.clone(), entry).is_some() {
            bail!("role `{id}` stands twice in the list");
        }
    }
    let mut out = format!("{HEAD}# Source: {source}, as of {seen}.\n");
    for (id, entry) in &entries {
        let _ = write!(out, "{id}:\n{entry}");
    }
    Ok((out, entries.len()))
}

fn entry(role: &Value) -> Result<(String, String)> {
    // ARM wraps what the list of the data set says at the top.
    let body = role.get("properties").unwrap_or(role);
    let id = text(role, "name")?.to_ascii_lowercase();
    let name = text(body, "roleName")?;
    let mut out = format!("  name: {}\n  permissions:\n", quoted(name)?);
    let permissions = body
        .get("permissions")
        .and_then(Value::as_array)
        .with_context(|| format!("role `{id}` has no permissions"))?;
    for permission in permissions {
        let mut lead = "  - ";
        for key in ["actions", "notActions", "dataActions", "notDataActions"] {
            let listed = permission.get(key).and_then(Value::as_array);
            let mut actions: Vec<String> = listed
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|action| action.trim().replace('{', "(").replace('}', ")"))
                .collect();
            actions.sort_by_key(|action| action.to_ascii_lowercase());
            actions.dedup_by(|one, two| one.eq_ignore_ascii_case(two));
            if actions.is_empty() {
                continue;
            }
            let paths = actions.iter().map(|action| action.split('/').collect());
            let _ = writeln!(
                out,
                "{lead}{key}: {}",
                quoted(&shared(paths.collect()).join(" "))?
            );
            lead = "    ";
        }
        if let Some(condition) = permission.get("condition").and_then(Value::as_str) {
            let condition = condition.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "{lead}condition: {}", quoted(&condition)?);
            lead = "    ";
        }
        if lead == "  - " {
            out.push_str("  - {}\n");
        }
    }
    Ok((id, out))
}

/// Paths with what they begin with written once.
fn shared(paths: Vec<Vec<&str>>) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<Vec<&str>>)> = Vec::new();
    for path in paths {
        let Some((first, rest)) = path.split_first() else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| known == first) {
            Some((_, group)) => group.push(rest.to_vec()),
            None => groups.push((first, vec![rest.to_vec()])),
        }
    }
    let mut out = Vec::new();
    for (first, group) in groups {
        let (ends, further): (Vec<_>, Vec<_>) = group.into_iter().partition(Vec::is_empty);
        if !ends.is_empty() {
            out.push(first.to_owned());
        }
        let inner = shared(further);
        match inner.as_slice() {
            [] => {}
            [one] => out.push(format!("{first}/{one}")),
            several => out.push(format!("{first}/{{{}}}", several.join(","))),
        }
    }
    out
}

fn quoted(text: &str) -> Result<String> {
    if text.contains(['"', '\\', '\n']) {
        bail!("`{text}` cannot stand between double quotes");
    }
    Ok(format!("\"{text}\""))
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    value
        .get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("a role lacks `{key}`"))
}
