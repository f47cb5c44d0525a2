//! Estates from objects written as YAML or JSON.

use std::sync::Arc;

use cel::Symbols;
use model::azure::Defaults;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::{Estate, Origin, Scope};
use serde_json::Value;

pub(crate) fn of(objects: &[Value], scope: Scope) -> Estate {
    let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    read(texts.iter().map(String::as_str), Form::Json, scope)
}

pub(crate) fn of_yaml(text: &str, scope: Scope) -> Estate {
    read(
        text.split("---\n").filter(|part| !part.trim().is_empty()),
        Form::Yaml,
        scope,
    )
}

fn read<'t>(texts: impl Iterator<Item = &'t str>, form: Form, scope: Scope) -> Estate {
    let symbols = Symbols::default();
    let managed = Managed::default();
    let defaults = Defaults::default();
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(scope);
    for (index, text) in texts.enumerate() {
        let origin = Origin {
            path: Arc::from("estate.yaml"),
            index: index as u32,
            rendered_by: None,
            live: false,
        };
        let reading = reader.read(text, form, 1, &origin);
        for entry in &reading.entries {
            assert!(entry.reason.is_none(), "{entry:?}\n{text}");
        }
        for resource in reading.resources {
            estate.add(resource);
        }
    }
    estate.imply_namespaces(&symbols);
    estate
}
