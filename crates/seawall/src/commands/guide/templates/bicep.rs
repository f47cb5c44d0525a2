//! Resources of an example as Bicep.

use std::fmt::Write as _;

use serde_json::Value;

use super::Declared;

/// A file that declares them; nothing where a text has no form in Bicep.
pub(super) fn written(resources: &[Declared<'_>]) -> Option<String> {
    let mut text = String::new();
    let mut taken: Vec<String> = Vec::new();
    for resource in resources {
        let symbol = bicep::addition::free(&symbol(resource.name), |name| {
            taken.iter().any(|own| own == name)
        });
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "resource {symbol} '{}@{}' = {{\n  name: {}",
            resource.kind,
            resource.version,
            quoted(resource.name)
        );
        for (key, value) in &resource.rest {
            let _ = write!(text, "  {}: ", self::key(key));
            self::value(value, 2, &mut text)?;
            text.push('\n');
        }
        text.push_str("}\n");
        taken.push(symbol);
    }
    Some(text)
}

/// A name as an identifier.
fn symbol(name: &str) -> String {
    let mut symbol = String::new();
    let mut upper = false;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            upper = !symbol.is_empty();
        } else if upper {
            symbol.push(character.to_ascii_uppercase());
            upper = false;
        } else {
            symbol.push(character);
        }
    }
    match symbol.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => symbol,
        _ => format!("the{symbol}"),
    }
}

fn value(value: &Value, indent: usize, text: &mut String) -> Option<()> {
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + 2));
    match value {
        Value::Null | Value::Bool(_) => text.push_str(&value.to_string()),
        // Bicep has no fractions.
        Value::Number(number) if number.is_f64() => return None,
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(own) => text.push_str(&quoted(own)),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            text.push_str("[\n");
            for item in items {
                text.push_str(&inner);
                self::value(item, indent + 2, text)?;
                text.push('\n');
            }
            let _ = write!(text, "{outer}]");
        }
        Value::Object(map) if map.is_empty() => text.push_str("{}"),
        Value::Object(map) => {
            text.push_str("{\n");
            for (name, own) in map {
                let _ = write!(text, "{inner}{}: ", key(name));
                self::value(own, indent + 2, text)?;
                text.push('\n');
            }
            let _ = write!(text, "{outer}}}");
        }
    }
    Some(())
}

fn key(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if plain && starts {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n")
        .replace("${", "\\${");
    format!("'{escaped}'")
}
