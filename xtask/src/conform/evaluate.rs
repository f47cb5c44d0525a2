//! Evaluates a template, and writes down what it comes to without the places.

use std::fmt::Write as _;

use bicep::deployment::{Expansion, Resource};
use bicep::node::Node;
use bicep::source::{Files, Sources};
use bicep::value::{Data, Value};
use bicep::{Options, expand};
use bumpalo::Bump;

/// What a template comes to: its resources and outputs, a line each.
pub(crate) fn lines<'a>(
    bump: &'a Bump,
    sources: &mut Sources<'a>,
    files: &'a dyn Files,
    root: &'a Node<'a>,
) -> Vec<String> {
    let Expansion {
        resources, outputs, ..
    } = expand(bump, sources, files, root, Options::default());
    let mut lines: Vec<String> = resources.iter().map(resource).collect();
    // The order of a map and of a list of resources need not be the same.
    lines.sort();
    for (name, output) in outputs {
        let mut line = format!("output {name} = ");
        value(&mut line, &output);
        lines.push(line);
    }
    lines
}

fn resource(resource: &Resource<'_>) -> String {
    let mut line = format!(
        "{} {}@{} {} existing={} ",
        resource.id, resource.kind, resource.api_version, resource.name, resource.existing
    );
    if let Some(condition) = &resource.condition {
        line.push_str("if ");
        value(&mut line, condition);
        line.push(' ');
    }
    value(&mut line, &resource.body);
    line
}

fn value(out: &mut String, of: &Value<'_>) {
    match of.data {
        Data::Null => out.push_str("null"),
        Data::Bool(own) => {
            let _ = write!(out, "{own}");
        }
        Data::Int(own) => {
            let _ = write!(out, "{own}");
        }
        Data::Float(own) => {
            let _ = write!(out, "{own}");
        }
        Data::Str(own) => {
            let _ = write!(out, "{own:?}");
        }
        Data::Array(items) => {
            out.push('[');
            for item in items {
                value(out, item);
                out.push(',');
            }
            out.push(']');
        }
        Data::Object(fields) => {
            out.push('{');
            for field in fields {
                let _ = write!(out, "{}:", field.key);
                value(out, &field.value);
                out.push(',');
            }
            out.push('}');
        }
        Data::Unknown(unknown) => {
            let _ = write!(
                out,
                "<{} {:?} {:?} {}>",
                unknown.text, unknown.shape, unknown.why, unknown.secret
            );
        }
    }
}
