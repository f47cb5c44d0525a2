//! Where the texts of a deployment hold the values of secure parameters: defaults, parameter files,
//! arguments of modules. These places are never shown.

use std::borrow::Cow;

use bicep::node::{Expr, ExprKind, Node, NodeKind};
use bicep::source::{Sources, Span};

use super::template::is_secure;
use crate::secrets::{SCRIPT, is_secret_name, is_secret_value};

/// The places of secrets that were written down in a template and its parameter files.
#[must_use]
pub fn places(root: &Node<'_>, parameters: &[Node<'_>]) -> Vec<Span> {
    let mut places = Vec::new();
    template(root, &mut places, 0);
    looking_secret(root, "", &mut places, 0);
    for file in parameters {
        looking_secret(file, "", &mut places, 0);
        arguments(file.get("parameters").unwrap_or(file), root, &mut places);
    }
    places
}

/// What the values of parameters say whose names call them credentials, though nothing else makes them secure.
/// They are judged where they stand by themselves; in a longer text (a name made of one) they are not shown.
#[derive(Debug, Default)]
pub struct Masked(Vec<String>);

/// Shorter ones are words that stand in names anyway.
const SHORTEST: usize = 6;

impl Masked {
    /// Of a template and its parameter files.
    #[must_use]
    pub fn of(root: &Node<'_>, parameters: &[Node<'_>], sources: &Sources<'_>) -> Self {
        let mut places = Vec::new();
        template(root, &mut places, 0);
        for file in parameters {
            arguments(file.get("parameters").unwrap_or(file), root, &mut places);
        }
        let mut texts: Vec<String> = places
            .iter()
            .filter_map(|place| {
                let text = sources.get(place.file)?.text;
                let text = text.get(place.start as usize..place.end as usize)?;
                let text = text.trim_matches(['"', '\'']);
                (text.len() >= SHORTEST).then(|| text.to_ascii_lowercase())
            })
            .collect();
        // What holds another goes first.
        texts.sort_by(|one, two| two.len().cmp(&one.len()).then(one.cmp(two)));
        texts.dedup();
        Self(texts)
    }

    /// A text without what is not shown; names are often made lower case.
    #[must_use]
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.0 {
            let mut from = 0;
            while text.len() > secret.len()
                && let Some(at) = text
                    .get(from..)
                    .and_then(|rest| rest.to_ascii_lowercase().find(secret.as_str()))
            {
                let start = from + at;
                text.to_mut()
                    .replace_range(start..start + secret.len(), "****");
                from = start + 4;
            }
        }
        text
    }
}

/// Texts that look like credentials, by their key or by themselves.
fn looking_secret(node: &Node<'_>, key: &str, places: &mut Vec<Span>, depth: usize) {
    if depth > 64 {
        return;
    }
    match node.kind {
        NodeKind::Str(text)
            if text.len() >= 4
                && (is_secret_value(text)
                    || key.eq_ignore_ascii_case(SCRIPT)
                    || (!key.is_empty() && is_secret_name(key))) =>
        {
            places.push(node.span);
        }
        // The texts within an expression have places of their own.
        NodeKind::Expr(expression) if key.eq_ignore_ascii_case(SCRIPT) => {
            texts(expression, places, depth);
        }
        NodeKind::Array(items) => items
            .iter()
            .for_each(|item| looking_secret(item, "", places, depth + 1)),
        NodeKind::Object(entries) => entries
            .iter()
            .for_each(|entry| looking_secret(&entry.value, entry.key, places, depth + 1)),
        _ => {}
    }
}

/// Those of a template and of the templates within it.
fn template(root: &Node<'_>, places: &mut Vec<Span>, depth: usize) {
    for parameter in root.get("parameters").map_or(&[][..], |all| all.entries()) {
        let Some(default) = parameter.value.get("defaultValue") else {
            continue;
        };
        let looks_secret = default.as_str().is_some_and(is_secret_value);
        if is_secure(&parameter.value, root) || is_secret_name(parameter.key) || looks_secret {
            literals(default, places, 0);
        }
    }
    if let Some(resources) = root.get("resources") {
        deployments(resources, places, depth);
    }
}

fn deployments(at: &Node<'_>, places: &mut Vec<Span>, depth: usize) {
    if depth > 64 {
        return;
    }
    for resource in at
        .items()
        .iter()
        .chain(at.entries().iter().map(|entry| &entry.value))
    {
        if let Some(children) = resource.get("resources") {
            deployments(children, places, depth + 1);
        }
        let Some(properties) = resource.get("properties") else {
            continue;
        };
        if let Some(inner) = properties.get("template") {
            template(inner, places, depth + 1);
            if let Some(given) = properties.get("parameters") {
                arguments(given, inner, places);
            }
        }
    }
}

/// The values that are given to secure parameters.
fn arguments(given: &Node<'_>, root: &Node<'_>, places: &mut Vec<Span>) {
    for argument in given.entries() {
        let secure = root
            .get("parameters")
            .and_then(|all| all.get(argument.key))
            .is_some_and(|parameter| is_secure(parameter, root))
            || is_secret_name(argument.key);
        if secure && let Some(value) = argument.value.get("value") {
            literals(value, places, 0);
        }
    }
}

fn literals(node: &Node<'_>, places: &mut Vec<Span>, depth: usize) {
    if depth > 64 {
        return;
    }
    match node.kind {
        NodeKind::Str(text) if !text.is_empty() => places.push(node.span),
        NodeKind::Int(_) | NodeKind::Float(_) => places.push(node.span),
        // The texts within an expression have places of their own.
        NodeKind::Expr(expression) => texts(expression, places, depth),
        NodeKind::Array(items) => items
            .iter()
            .for_each(|item| literals(item, places, depth + 1)),
        NodeKind::Object(entries) => entries
            .iter()
            .for_each(|entry| literals(&entry.value, places, depth + 1)),
        _ => {}
    }
}

fn texts(expression: &Expr<'_>, places: &mut Vec<Span>, depth: usize) {
    if depth > 64 {
        return;
    }
    match expression.kind {
        ExprKind::Str(text) if !text.is_empty() => places.push(expression.span),
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| texts(arg, places, depth + 1)),
        ExprKind::Prop(base, _) => texts(base, places, depth + 1),
        ExprKind::Index(base, index) => {
            texts(base, places, depth + 1);
            texts(index, places, depth + 1);
        }
        _ => {}
    }
}

/// A message without the secrets that stand at these places.
#[must_use]
pub fn scrubbed(message: &str, places: &[Span], sources: &Sources<'_>) -> String {
    let mut message = message.to_owned();
    for place in places {
        let text = sources
            .get(place.file)
            .and_then(|source| source.text.get(place.start as usize..place.end as usize))
            .unwrap_or_default()
            .trim_matches(['"', '\'']);
        if text.len() >= SHORTEST {
            message = message.replace(text, "****");
        } else if text.len() >= 4 {
            message = without_word(&message, text);
        }
    }
    message
}

/// A text without a word; where it is a part of another one it tells nothing.
fn without_word(text: &str, word: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        shown.push_str(before);
        let within =
            shown.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        shown.push_str(if within { word } else { "****" });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::without_word;

    #[test]
    fn a_short_word_is_struck_out_where_it_stands_alone() {
        assert_eq!(
            without_word("`name` of the namespace is name", "name"),
            "`****` of the namespace is ****"
        );
        assert_eq!(without_word("nothing", "name"), "nothing");
    }
}
