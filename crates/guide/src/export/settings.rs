//! Settings that a cluster keeps in a ConfigMap, so that they change without a new export.
//!
//! A ConfigMap holds texts: a list is written an item a line. Maps, and lists of anything but texts
//! and whole numbers, have no such form; they are written into the policies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cel::ast::Expr;
use cel::{Node as _, View};
use model::Ref;

use super::ConfigMap;
use super::fold;
use super::write::field;
use crate::catalogue::Guide;
use crate::judge::Setting;

/// What a setting is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Whole,
    Truth,
    Texts,
}

fn form(value: Ref<'_>) -> Option<Form> {
    match value.view() {
        View::Str(_) => Some(Form::Text),
        View::Int(_) => Some(Form::Whole),
        View::Bool(_) => Some(Form::Truth),
        // A line per item: nothing else may be in it.
        View::List(_) => value
            .items()
            .all(|item| {
                item.as_str().is_some_and(|text| {
                    !text.is_empty() && text.trim() == text && !text.contains('\n')
                })
            })
            .then_some(Form::Texts),
        _ => None,
    }
}

/// Whether a ConfigMap can say such a value.
pub(crate) fn is_live(value: Ref<'_>) -> bool {
    form(value).is_some()
}

/// The name of the policy's variable that holds a setting.
pub(crate) fn variable(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!(
        "setting{}{}",
        first.map(String::from).unwrap_or_default(),
        letters.as_str()
    )
}

/// The expression behind the variable: what the ConfigMap says, or what was exported.
///
/// # Errors
/// When it is not in the language, which no setting can cause.
pub(crate) fn definition(key: &str, value: Ref<'_>) -> Result<Option<Expr>, String> {
    let Some(form) = form(value) else {
        return Ok(None);
    };
    let exported = fold::literal(value)?.to_string();
    let read = match form {
        Form::Text => "text",
        Form::Whole => "int(text)",
        Form::Truth => "text == \"true\"",
        Form::Texts => "text.split(\"\\n\").map(line, line.trim()).filter(line, line != \"\")",
    };
    let source = format!(
        "params.?data[?{}].optMap(text, {read}).orValue({exported})",
        fold::text(key)
    );
    cel::parse(&source)
        .map(Some)
        .map_err(|error| format!("its setting `{key}` cannot be read: {error}"))
}

/// The ConfigMap with what is configured now.
pub(crate) fn config_map(
    guide: &Guide,
    setting: &Setting,
    map: ConfigMap<'_>,
    keys: &BTreeSet<Box<str>>,
) -> String {
    let mut out = format!(
        "# What the policies ask of this cluster. They read it at each request: no new export is needed.\n\
         # A list has a line for each item. A key that is taken out counts as it was exported.\n\
         # Whoever may write this ConfigMap loosens the policies. Without it, what is denied for them is\n\
         # denied altogether, and what only warns or is noted in the audit log is not looked at.\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: {}\n  labels:\n    app.kubernetes.io/managed-by: seawall\ndata:\n",
        map.name, map.namespace
    );
    for param in guide
        .params
        .iter()
        .filter(|param| keys.contains(&param.key))
    {
        let Some(value) = setting.params.root().get(&param.key) else {
            continue;
        };
        let _ = writeln!(
            out,
            "  # {}",
            param.about.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        field(&mut out, &format!("  {}", param.key), &written(value));
    }
    out
}

fn written(value: Ref<'_>) -> String {
    match value.view() {
        View::Str(text) => text.to_owned(),
        View::Int(number) => number.to_string(),
        View::Bool(truth) => truth.to_string(),
        View::List(_) => {
            let lines: Vec<&str> = value.items().filter_map(Ref::as_str).collect();
            lines.join("\n")
        }
        _ => String::new(),
    }
}
