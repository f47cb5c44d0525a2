//! Renews what seawall knows of Azure Policy, from a checkout of `Azure/azure-policy` (no registry serves it): the names of
//! properties that conditions can read are written anew; the built-in definitions that stand for guidelines are held
//! against what is published, since whether one asks for what a guideline asks for is a judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::places::{Places, entries};
use crate::run;

const ALIASES: &str = "guide/data/azure-policy-aliases.yaml";
const DEFINITIONS: &str = "guide/data/azure-policies.yaml";

/// Where the definitions stand in a checkout.
const FOLDER: &str = "built-in-policies/policyDefinitions";

const HELP: &str = "\
cargo xtask azure-policies --policies DIR

  --policies DIR   a checkout of Azure/azure-policy
";

/// Writes the aliases anew, and fails where a definition is not as published.
pub(crate) fn renew(places: &Places, arguments: &[String]) -> Result<()> {
    let folder = match arguments {
        [option, folder] if option == "--policies" => Path::new(folder).join(FOLDER),
        _ => bail!("a folder with policies is needed\nhelp: {HELP}"),
    };
    if !folder.is_dir() {
        bail!("`{}` is no folder\nhelp: {HELP}", folder.display());
    }
    aliases(places, &folder)?;
    let text = read(&places.root.join(DEFINITIONS))?;
    let own = definitions(&text)?;
    let mut wrong = Vec::new();
    for definition in &own {
        wrong.extend(differences(&folder, definition)?);
    }
    if wrong.is_empty() {
        run::say(&format!(
            "{DEFINITIONS}: {} definitions are as published",
            own.len()
        ));
        return Ok(());
    }
    bail!("{DEFINITIONS}:\n  {}", wrong.join("\n  "));
}

fn read(path: &Path) -> Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn parsed(path: &Path) -> Result<Value> {
    serde_json::from_str(&read(path)?).with_context(|| format!("`{}`", path.display()))
}

/// Keeps the resource types of the table, and takes for them every property that a rule reads.
fn aliases(places: &Places, folder: &Path) -> Result<()> {
    let path = places.root.join(ALIASES);
    let text = read(&path)?;
    let (head, list) = text
        .split_once("\naliases:\n")
        .with_context(|| format!("{ALIASES} has no list `aliases`"))?;
    let known: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .map(|line| line.trim_matches('\''))
        .collect();
    let types: BTreeSet<String> = known.iter().filter_map(|alias| type_of(alias)).collect();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json") {
                files += 1;
                if let Some(rule) = parsed(&path)?.pointer("/properties/policyRule") {
                    fields(rule, &mut used);
                }
            }
        }
    }
    used.retain(|alias, _| type_of(alias).is_some_and(|own| types.contains(&own)));
    let mut lines: Vec<String> = used
        .into_values()
        .filter_map(|spellings| {
            // Case does not count; a spelling that stands here already stays.
            let own = spellings.iter().find(|own| known.contains(&own.as_str()));
            own.or_else(|| spellings.first()).cloned()
        })
        .map(|alias| match alias.contains(['[', '*']) {
            true => format!("- '{alias}'\n"),
            false => format!("- {alias}\n"),
        })
        .collect();
    lines.sort_by_key(|line| line.replace('\'', "").to_ascii_lowercase());
    run::say(&format!(
        "{ALIASES}: {} properties, of {files} definitions",
        lines.len()
    ));
    fs::write(&path, format!("{head}\naliases:\n{}", lines.concat()))
        .with_context(|| format!("cannot write {ALIASES}"))
}

/// `microsoft.cache/redis` of `Microsoft.Cache/Redis/sku.name`.
fn type_of(alias: &str) -> Option<String> {
    let (own, _) = alias.rsplit_once('/')?;
    Some(own.to_ascii_lowercase())
}

/// Each `field` of Microsoft's in a rule, by its name in small letters.
fn fields(value: &Value, used: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(object) => {
            let field = object.get("field").and_then(Value::as_str);
            if let Some(field) = field.filter(|field| field.starts_with("Microsoft.")) {
                let spellings = used.entry(field.to_ascii_lowercase()).or_default();
                spellings.insert(field.to_owned());
            }
            object.values().for_each(|value| fields(value, used));
        }
        Value::Array(items) => items.iter().for_each(|value| fields(value, used)),
        _ => {}
    }
}

/// A definition of the table.
type Definition<'t> = BTreeMap<&'t str, &'t str>;

/// The table has one key a line.
fn definitions(text: &str) -> Result<Vec<Definition<'_>>> {
    let mut all: Vec<Definition<'_>> = Vec::new();
    let lines = text
        .lines()
        .skip_while(|line| *line != "definitions:")
        .skip(1);
    for line in lines {
        let begins = line.starts_with("- ");
        let pair = line.get(2..).and_then(|line| line.split_once(": "));
        let (key, value) =
            pair.with_context(|| format!("{DEFINITIONS}: `{line}` is no key of a definition"))?;
        if begins {
            all.push(Definition::new());
        }
        let own = all.last_mut().context("a definition begins with `- `")?;
        own.insert(key, value);
    }
    Ok(all)
}

/// What is published otherwise.
fn differences(folder: &Path, own: &Definition<'_>) -> Result<Vec<String>> {
    let said = |key: &str| own.get(key).copied().unwrap_or_default();
    let source = said("source").trim_matches('\'');
    let path: PathBuf = folder.join(source);
    if !path.is_file() {
        return Ok(vec![format!("`{source}` is not there any more")]);
    }
    let published = parsed(&path)?;
    let text = |pointer: &str| {
        let value = published.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let mut wrong = Vec::new();
    let mut hold = |what: &str, here: &str, there: &str| {
        if here != there {
            wrong.push(format!("`{source}`: {what} is `{there}`, here `{here}`"));
        }
    };
    hold("its id", said("id"), &text("/name"));
    let title = said("title").trim_matches('\'').replace("''", "'");
    // Some end with a period there.
    let published_title = text("/properties/displayName");
    hold("its title", &title, published_title.trim_end_matches('.'));
    let effects = published
        .pointer("/properties/parameters/effect/allowedValues")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect::<BTreeSet<_>>();
    let here: BTreeSet<&str> = said("effects")
        .trim_matches(['[', ']'])
        .split(", ")
        .collect();
    let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
    hold("what it may do", &list(&here), &list(&effects));
    let parameters = said("parameters").trim_matches(['{', '}']).split(", ");
    for name in parameters
        .filter_map(|pair| pair.split_once(": "))
        .map(|(name, _)| name)
    {
        if published
            .pointer(&format!("/properties/parameters/{name}"))
            .is_none()
        {
            wrong.push(format!("`{source}` has no parameter `{name}`"));
        }
    }
    let deprecated = published.pointer("/properties/metadata/deprecated");
    if deprecated.and_then(Value::as_bool) == Some(true) {
        wrong.push(format!("`{source}` is deprecated"));
    }
    Ok(wrong)
}
