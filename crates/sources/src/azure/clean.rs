//! What never leaves the source: values that are, or look like, credentials. Azure's reads give none
//! away by design, but people put them where they do not belong: into tags, settings of extensions,
//! addresses of web hooks.

use model::secrets::{is_secret_name, is_secret_property, is_secret_value};
use serde_json::Value;

/// What stands where a value was.
pub(crate) const NOT_KEPT: &str = "(not kept)";

/// Properties that hold whatever their authors like, scripts and their arguments above all.
const SCRIPTS: [&str; 7] = [
    "commandToExecute",
    "customData",
    "encodedTaskContent",
    "protectedSettings",
    "configurationProtectedSettings",
    "script",
    "userData",
];

/// Strikes out what must not be kept.
pub(crate) fn clean(kind: &str, value: &mut Value) {
    strike(kind, value, false, 0);
}

fn strike(kind: &str, value: &mut Value, named: bool, depth: usize) {
    // serde_json itself reads no deeper than 128.
    if depth > 160 {
        *value = Value::Null;
        return;
    }
    match value {
        Value::Object(map) => {
            let by_name = map
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(is_secret_name);
            for (key, entry) in map.iter_mut() {
                if SCRIPTS.iter().any(|known| key.eq_ignore_ascii_case(known)) {
                    if !entry.is_null() {
                        *entry = Value::String(NOT_KEPT.to_owned());
                    }
                    continue;
                }
                let secret = is_secret_name(key)
                    || is_secret_property(kind, key)
                    || by_name && key.eq_ignore_ascii_case("value");
                strike(kind, entry, secret, depth + 1);
            }
        }
        Value::Array(items) => {
            for item in items {
                strike(kind, item, named, depth + 1);
            }
        }
        Value::String(text) if named && !text.is_empty() || is_secret_value(text) => {
            NOT_KEPT.clone_into(text);
        }
        Value::Number(_) if named => *value = Value::String(NOT_KEPT.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_struck_out_and_nothing_else() {
        let mut value = json!({
            "tags": {"note": "AccountKey=abcdefgh", "owner": "team", "token": ""},
            "properties": {
                "adminPassword": "x", "settings": {"commandToExecute": "curl -u a:b"},
                "list": [{"name": "DB_PASSWORD", "value": "y"}, {"name": "MODE", "value": "z"}],
                "credentials": {"passwords": [{"name": "password1", "expiry": "2027-01-01T00:00:00Z"}]},
                "serviceUri": "https://hook.example/?sig=abc", "secretUri": "https://kv.example/secrets/a",
                "primaryKey": 7, "enabled": true
            }
        });
        clean("Microsoft.X/y", &mut value);
        assert_eq!(
            value,
            json!({
                "tags": {"note": NOT_KEPT, "owner": "team", "token": ""},
                "properties": {
                    "adminPassword": NOT_KEPT, "settings": {"commandToExecute": NOT_KEPT},
                    "list": [{"name": "DB_PASSWORD", "value": NOT_KEPT}, {"name": "MODE", "value": "z"}],
                    "credentials": {"passwords": [{"name": "password1", "expiry": "2027-01-01T00:00:00Z"}]},
                    "serviceUri": NOT_KEPT, "secretUri": "https://kv.example/secrets/a",
                    "primaryKey": NOT_KEPT, "enabled": true
                }
            })
        );
    }
}
