//! ARM templates: reading and evaluating.

#[path = "arm/bounds.rs"]
mod bounds;
#[path = "arm/deployments.rs"]
mod deployments;
#[path = "arm/functions.rs"]
mod functions;
#[path = "arm/json.rs"]
mod json;
#[path = "arm/malformed.rs"]
mod malformed;
#[path = "arm/many.rs"]
mod many;
#[path = "arm/mutations.rs"]
mod mutations;
#[path = "arm/parameters.rs"]
mod parameters;
#[path = "arm/postures.rs"]
mod postures;
#[path = "arm/unknown.rs"]
mod unknown;

use bicep::Options;
use bicep::deployment::Expansion;
use bicep::source::{NoFiles, Sources};
use bicep::value::{Data, Value};

/// A value as JSON; an unknown as its text between `<` and `>`, a secret one with `!` before.
fn show(value: &Value<'_>) -> String {
    match value.data {
        Data::Null => "null".to_owned(),
        Data::Bool(bool) => bool.to_string(),
        Data::Int(int) => int.to_string(),
        Data::Float(float) => float.to_string(),
        Data::Str(text) => format!("{text:?}"),
        Data::Array(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(","))
        }
        Data::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{:?}:{}", field.key, show(&field.value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Data::Unknown(unknown) => {
            let secret = if unknown.secret { "!" } else { "" };
            format!("{secret}<{}>", unknown.text)
        }
    }
}

/// Evaluates a template with nothing given.
fn expand<R>(text: &str, then: impl FnOnce(&Expansion<'_>, &Sources<'_>) -> R) -> R {
    bicep::expand_text(
        "main.json",
        text,
        &NoFiles,
        |_, _| Options::default(),
        |expansion, sources| then(expansion, sources),
    )
}

/// Problems as `line:column message`.
fn problems(expansion: &Expansion<'_>, sources: &Sources<'_>) -> Vec<String> {
    expansion
        .problems
        .iter()
        .map(|problem| {
            let (line, column) = sources.line_column(problem.span);
            format!("{line}:{column} {}", problem.message)
        })
        .collect()
}

/// What a template comes to, as lines: resources, outputs, open parameters, problems.
fn outcome(text: &str) -> String {
    expand(text, lines)
}

fn lines(expansion: &Expansion<'_>, sources: &Sources<'_>) -> String {
    let mut out = String::new();
    for resource in &expansion.resources {
        let existing = if resource.existing { "existing " } else { "" };
        out.push_str(&format!("{existing}{}\n", resource.id));
        if let Some(condition) = &resource.condition {
            out.push_str(&format!("  if {}\n", show(condition)));
        }
        if let Some(properties) = resource.body.get("properties") {
            out.push_str(&format!("  {}\n", show(properties)));
        }
    }
    for (name, value) in &expansion.outputs {
        out.push_str(&format!("{name} = {}\n", show(value)));
    }
    for open in &expansion.open {
        let values = |values: &[Value<'_>]| values.iter().map(show).collect::<Vec<_>>().join(",");
        let secret = if open.secret { "secret " } else { "" };
        out.push_str(&format!(
            "open {secret}{} allowed [{}] compared [{}]\n",
            open.name,
            values(&open.allowed),
            values(&open.compared)
        ));
    }
    for problem in problems(expansion, sources) {
        out.push_str(&format!("problem {problem}\n"));
    }
    out
}

/// A resource group template around parameters, variables, resources and outputs.
fn template(rest: &str) -> String {
    format!(
        r#"{{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
"contentVersion":"1.0.0.0",{rest}}}"#
    )
}

/// What an expression comes to in a template with a few open parameters, or the problem.
fn eval(expression: &str) -> String {
    let value = serde_escape(&format!("[{expression}]"));
    let text = template(&format!(
        r#""parameters":{{
"prefix":{{"type":"string"}},"environment":{{"type":"string","allowedValues":["dev","test","prod"]}},
"flag":{{"type":"bool"}},"count":{{"type":"int"}},"list":{{"type":"array"}},"config":{{"type":"object"}},
"maybe":{{"type":"string","nullable":true}},"password":{{"type":"secureString"}}}},
"resources":[],"outputs":{{"it":{{"type":"object","value":{value}}}}}"#
    ));
    expand(&text, |expansion, sources| {
        let problems = problems(expansion, sources);
        match problems.first() {
            Some(problem) => format!("! {}", problem.split_once(' ').unwrap().1),
            None => expansion
                .outputs
                .first()
                .map(|(_, value)| show(value))
                .unwrap_or_default(),
        }
    })
}

/// A text as a JSON string.
fn serde_escape(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

/// Checks rows of expression and expected value.
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<_> = rows
        .iter()
        .map(|(expression, expected)| (expression, expected, eval(expression)))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(expression, expected, found)| {
            format!("{expression}\n  expected {expected}\n  found    {found}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
