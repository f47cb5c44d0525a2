//! Evaluated resources as JSON.

use bicep::deployment::Resource;
use bicep::value::{Data, Unknown, Value, Why};
use model::azure::secrets::Masked;
use model::secrets;
use serde_json::Value as Json;
use sources::template::Expanded;

/// The resources and outputs of a template.
pub(super) fn document(expanded: &Expanded<'_, '_>) -> String {
    let mut out = String::from("{\n  \"resources\": [");
    for (index, resource) in expanded.expansion.resources.iter().enumerate() {
        out.push_str(if index == 0 { "\n    " } else { ",\n    " });
        self::resource(&mut out, resource, expanded);
    }
    out.push_str("\n  ],\n  \"outputs\": {");
    for (index, (name, value)) in expanded.expansion.outputs.iter().enumerate() {
        out.push_str(if index == 0 { "\n    " } else { ",\n    " });
        text(&mut out, name);
        out.push_str(": ");
        let shown = Shown { expanded, kind: "" };
        shown.field(&mut out, name, value, 2);
    }
    out.push_str("\n  }\n}\n");
    out
}

fn resource(out: &mut String, resource: &Resource<'_>, expanded: &Expanded<'_, '_>) {
    let shown = Shown {
        expanded,
        kind: resource.kind,
    };
    let (line, _) = expanded.sources.line_column(resource.span);
    let file = expanded
        .sources
        .get(resource.span.file)
        .map_or("", |source| source.name);
    out.push_str("{\n      \"id\": ");
    text(out, &expanded.masked.mask(resource.id));
    out.push_str(",\n      \"declared\": ");
    text(out, &format!("{file}:{line}"));
    if resource.existing {
        out.push_str(",\n      \"existing\": true");
    }
    if let Some(condition) = &resource.condition {
        out.push_str(",\n      \"condition\": ");
        shown.write(out, condition, 3);
    }
    out.push_str(",\n      \"resource\": ");
    shown.write(out, &resource.body, 3);
    out.push_str("\n    }");
}

fn text(out: &mut String, text: &str) {
    out.push_str(&Json::from(text).to_string());
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Values of one resource, secrets left out.
struct Shown<'s, 'e, 'a> {
    expanded: &'s Expanded<'e, 'a>,
    /// The resource's type.
    kind: &'s str,
}

impl Shown<'_, '_, '_> {
    /// The value of a key: what the key says to be a secret is not shown.
    fn field(&self, out: &mut String, key: &str, value: &Value<'_>, depth: usize) {
        let scalar = matches!(value.data, Data::Str(_) | Data::Int(_) | Data::Float(_));
        let secret = secrets::is_secret_property(self.kind, key)
            || (scalar && secrets::is_secret_name(key))
            || (scalar && self.expanded.secrets.contains(&value.span));
        if secret && !matches!(value.data, Data::Null | Data::Unknown(_)) {
            out.push_str("{\"$secret\": ");
            text(out, key);
            out.push('}');
        } else {
            self.write(out, value, depth);
        }
    }

    fn write(&self, out: &mut String, value: &Value<'_>, depth: usize) {
        match value.data {
            Data::Null => out.push_str("null"),
            Data::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Data::Int(value) => out.push_str(&value.to_string()),
            Data::Float(value) => out.push_str(&Json::from(value).to_string()),
            Data::Str(text) if secrets::is_secret_value(text) => {
                out.push_str("{\"$secret\": \"it looks like a credential\"}");
            }
            Data::Str(value) => text(out, &self.expanded.masked.mask(value)),
            Data::Unknown(value) => unknown(out, value, &self.expanded.masked),
            _ if depth > 100 => out.push_str("\"nested too deeply\""),
            Data::Array([]) => out.push_str("[]"),
            Data::Object([]) => out.push_str("{}"),
            Data::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    indent(out, depth + 1);
                    self.field(out, "", item, depth + 1);
                }
                indent(out, depth);
                out.push(']');
            }
            Data::Object(fields) => {
                out.push('{');
                for (index, field) in fields.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    indent(out, depth + 1);
                    text(out, field.key);
                    out.push_str(": ");
                    self.field(out, field.key, &field.value, depth + 1);
                }
                indent(out, depth);
                out.push('}');
            }
        }
    }
}

fn unknown(out: &mut String, unknown: &Unknown<'_>, masked: &Masked) {
    out.push_str(if unknown.secret {
        "{\"$secret\": "
    } else {
        "{\"$unknown\": "
    });
    text(out, &masked.mask(unknown.text));
    out.push_str(", \"because\": [");
    for (index, why) in unknown.why.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        text(out, &reason(why));
    }
    out.push_str("]}");
}

fn reason(why: &Why<'_>) -> String {
    match why {
        Why::Parameter(name) => format!("parameter {name}"),
        Why::Reference(id) => format!("Azure sets it on {id}"),
        Why::Scope(name) => format!("where it is deployed: {name}"),
        Why::Keys(id) => format!("keys of {id}"),
        Why::Chance(name) => format!("{name}() differs each time"),
        Why::Unresolved(name) => format!("not found: {name}"),
        Why::Unsupported(name) => format!("not evaluated: {name}"),
        Why::Error(message) => format!("error: {message}"),
    }
}
