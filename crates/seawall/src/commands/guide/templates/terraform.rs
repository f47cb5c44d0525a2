//! Resources of an example as Terraform, by the table of azurerm read backwards.

use std::fs;
use std::path::Path;

use ::bicep::addition::{Addition, Given, Piece, Seat, Target};
use ::guide::Guide;
use serde_json::Value as Json;
use sources::More;
use yaml::edit::{self, Value};

use super::Declared;
use crate::commands::estate::EstateArgs;

/// What everything stands in: azurerm asks for it.
const GROUP: &str = "resource \"azurerm_resource_group\" \"example\" {\n  name     = \"example\"\n  location = \"westeurope\"\n}\n";

/// A file that declares them; nothing where azurerm has no arguments for what they say.
pub(super) fn written(guide: &Guide, resources: &[Declared<'_>], folder: &Path) -> Option<String> {
    let path = folder.join("main.tf");
    fs::write(&path, GROUP).ok()?;
    let file = path.to_str()?;
    let additions: Vec<Addition> = resources
        .iter()
        .map(|resource| addition(resource, file))
        .collect();
    let more: Vec<More<'_>> = additions.iter().map(More::Resource).collect();
    let options = EstateArgs {
        paths: vec![folder.to_path_buf()],
        ..EstateArgs::default()
    }
    .options(guide, 0);
    let wishes = [(folder.to_str()?, Vec::new(), more)];
    let (edits, outcomes) = sources::edit_configurations(&wishes, &options).ok()?;
    if outcomes.iter().flatten().any(Result::is_err) {
        return None;
    }
    let own = edits.get(file)?;
    Some(edit::apply(GROUP, own))
}

fn addition(resource: &Declared<'_>, file: &str) -> Addition {
    let text = |own: &str| vec![Piece::Text(own.into())];
    Addition {
        symbol: "example".into(),
        kind: resource.kind.into(),
        api_version: resource.version.into(),
        name: text(resource.name),
        seat: Seat::Deployment,
        body: resource
            .rest
            .iter()
            .map(|(key, value)| (Box::from(*key), Given::of(&plain(value), &text)))
            .collect(),
        azurerm: Vec::new(),
        comment: Vec::new(),
        apart: false,
        targets: vec![Target {
            kind: "Microsoft.Resources/resourceGroups".into(),
            name: "example".into(),
            id: "".into(),
            declared: Some((file.into(), 0..GROUP.len())),
        }],
    }
}

fn plain(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(own) => Value::Bool(*own),
        Json::Number(own) => own
            .as_i64()
            .map_or_else(|| Value::String(own.to_string()), Value::Int),
        Json::String(own) => Value::String(own.clone()),
        Json::Array(items) => Value::List(items.iter().map(plain).collect()),
        Json::Object(map) => Value::Map(
            map.iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
        ),
    }
}
