//! Holds `guide/data/azurerm.yaml` against the types that Azure publishes: every property that
//! the table sets must be one of the resource's, in the API version that the provider calls.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use terraform::table::{Property, Table};

use crate::places::Places;
use crate::run;

const HELP: &str = "\
cargo xtask conform azurerm --types DIR

  --types DIR   a checkout of Azure/bicep-types-az
";

/// The types of one provider in one version.
struct Version {
    version: String,
    path: PathBuf,
}

/// Types by provider in lower case, read when they are asked for.
struct Types {
    providers: BTreeMap<String, Vec<Version>>,
    read: BTreeMap<PathBuf, Vec<Value>>,
}

pub(crate) fn conform(places: &Places, arguments: &[String]) -> Result<()> {
    let [_, option, folder] = arguments else {
        bail!("a folder with types is needed\nhelp: {HELP}");
    };
    if option != "--types" {
        bail!("`{option}` is no option\nhelp: {HELP}");
    }
    let path = places.root.join("guide/data/azurerm.yaml");
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let table = Table::parse(&text).map_err(anyhow::Error::msg)?;
    let mut types = Types::find(Path::new(folder))?;
    let properties = table.properties();
    let mut wrong = 0;
    for property in &properties {
        if let Some(reason) = types.refuse(property)? {
            wrong += 1;
            run::say(&format!(
                "{}: {} of {}@{}: {reason}",
                property.azurerm,
                property.path.join("."),
                property.kind,
                property.api_version
            ));
        }
    }
    run::say(&format!(
        "{} properties of {} types, {wrong} unknown to Azure",
        properties.len(),
        table.kinds().count()
    ));
    if wrong > 0 {
        bail!("{wrong} properties are not Azure's");
    }
    Ok(())
}

impl Types {
    fn find(folder: &Path) -> Result<Self> {
        let generated = folder.join("generated");
        let mut providers: BTreeMap<String, Vec<Version>> = BTreeMap::new();
        for group in folders(&generated)? {
            for provider in folders(&group)? {
                let name = name(&provider).to_ascii_lowercase();
                let versions = providers.entry(name).or_default();
                for version in folders(&provider)? {
                    versions.push(Version {
                        version: name_of(&version),
                        path: version.join("types.json"),
                    });
                }
            }
        }
        if providers.is_empty() {
            bail!("there are no types in `{}`", generated.display());
        }
        for versions in providers.values_mut() {
            versions.sort_by(|left, right| right.version.cmp(&left.version));
        }
        Ok(Self {
            providers,
            read: BTreeMap::new(),
        })
    }

    /// Why a property is not one of the resource's.
    fn refuse(&mut self, property: &Property) -> Result<Option<&'static str>> {
        let provider = property.kind.split('/').next().unwrap_or_default();
        let Some(versions) = self.providers.get(&provider.to_ascii_lowercase()) else {
            return Ok(Some("no such provider"));
        };
        let Some(version) = versions
            .iter()
            .find(|version| version.version == property.api_version)
        else {
            return Ok(Some("no such version"));
        };
        let path = version.path.clone();
        if !self.read.contains_key(&path) {
            let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
            self.read.insert(path.clone(), serde_json::from_str(&text)?);
        }
        let types = self.read.get(&path).map_or(&[][..], Vec::as_slice);
        let body = types.iter().find_map(|one| {
            let whole = one.get("name")?.as_str()?;
            let (kind, _) = whole.split_once('@')?;
            let resource = one.get("$type")?.as_str()? == "ResourceType";
            (resource && kind.eq_ignore_ascii_case(&property.kind)).then_some(one.get("body")?)
        });
        let Some(body) = body else {
            return Ok(Some("no such type"));
        };
        let known = holds(types, body, &property.path, 0);
        Ok((!known).then_some("no such property"))
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn name_of(path: &Path) -> String {
    name(path).to_owned()
}

/// Follows a path through references to types (`{"$ref": "#/12"}`).
fn holds(types: &[Value], reference: &Value, path: &[String], depth: usize) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return true;
    };
    let target = reference
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|target| target.rsplit('/').next())
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| types.get(number));
    let Some(node) = target.filter(|_| depth < 64) else {
        return false;
    };
    let of = |field: &str| node.get(field).unwrap_or(&Value::Null);
    let follow = |next: &Value, path: &[String]| holds(types, next, path, depth + 1);
    let property = |properties: &Value| {
        properties
            .get(key)
            .is_some_and(|found| follow(found.get("type").unwrap_or(&Value::Null), rest))
    };
    match of("$type").as_str() {
        Some("AnyType") => true,
        Some("UnionType") => of("elements")
            .as_array()
            .is_some_and(|elements| elements.iter().any(|element| follow(element, path))),
        Some("ArrayType") => key == "[]" && follow(of("itemType"), rest),
        Some("DiscriminatedObjectType") => {
            property(of("baseProperties"))
                || of("elements")
                    .as_object()
                    .is_some_and(|elements| elements.values().any(|one| follow(one, path)))
        }
        Some("ObjectType") => {
            property(of("properties"))
                || of("additionalProperties").is_object()
                    && follow(of("additionalProperties"), rest)
        }
        _ => false,
    }
}
