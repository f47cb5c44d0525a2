//! The types of the Azure resources that seawall generates, and of those that fixes of the guide add, reduced from what Azure publishes
//! (`Azure/bicep-types-az`, whose data no registry serves). The reduction is checked in, and tests
//! hold what is generated and added against it; `conform azure-types` fails when it is not what the published
//! types come to.
//!
//! Read-only properties are named without their types; what a resource's functions take and give is
//! left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::places::Places;
use crate::run;

/// Where the templates stand that name the types.
const TEMPLATES: &str = "crates/generate/templates/bicep";

/// Where the fixes stand that name types.
const GUIDE: &str = "guide";

const TABLE: &str = "crates/generate/tests/data/azure-types.json";

const HELP: &str = "\
cargo xtask azure-types --types DIR           write the table
cargo xtask conform azure-types --types DIR   fail where it is not what DIR says

  --types DIR   a checkout of Azure/bicep-types-az
";

/// What stands before a type that is not published.
const UNPUBLISHED: &str = "#disable-next-line BCP081";

/// Bits of a property's `flags` (`Azure/bicep-types`, `ObjectTypePropertyFlags`).
const REQUIRED: u64 = 1;
const READ_ONLY: u64 = 2;

/// How deep types may lie in each other.
const DEEPEST: usize = 64;

/// Writes the table.
pub(crate) fn write(places: &Places, arguments: &[String]) -> Result<()> {
    let made = table(places, folder(arguments)?)?;
    let path = places.root.join(TABLE);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, &made).with_context(|| format!("cannot write {TABLE}"))?;
    run::say(&format!("{TABLE}: {} bytes", made.len()));
    Ok(())
}

/// Fails when the table is not what `write` would write.
pub(crate) fn conform(places: &Places, arguments: &[String]) -> Result<()> {
    let rest = arguments.get(1..).unwrap_or_default();
    let made = table(places, folder(rest)?)?;
    if fs::read_to_string(places.root.join(TABLE)).unwrap_or_default() != made {
        bail!(
            "{TABLE} is not what the published types come to\nhelp: cargo xtask azure-types --types DIR"
        );
    }
    run::say(&format!("{TABLE} is what the published types come to"));
    Ok(())
}

fn folder(arguments: &[String]) -> Result<&Path> {
    match arguments {
        [option, folder] if option == "--types" => Ok(Path::new(folder)),
        _ => bail!("a folder with types is needed\nhelp: {HELP}"),
    }
}

fn table(places: &Places, folder: &Path) -> Result<String> {
    let mut wanted = BTreeSet::new();
    named(&places.root.join(TEMPLATES), &mut wanted)?;
    if wanted.is_empty() {
        bail!("no template in {TEMPLATES} names a type");
    }
    added(&places.root.join(GUIDE), &mut wanted, 0)?;
    let mut published = Published::find(folder)?;
    let mut reduced = Reduced::default();
    let mut resources = BTreeMap::new();
    for name in &wanted {
        let (path, body) = published
            .body(name)?
            .with_context(|| format!("`{name}` is not published"))?;
        let types = published.read.get(&path).map_or(&[][..], Vec::as_slice);
        resources.insert(name, reduced.of(&path, types, &body, 0)?);
    }
    let mut text = format!(
        "{{\n\"source\": \"Azure/bicep-types-az\",\n\"commit\": {},\n\"resources\": {{\n",
        json!(commit(folder)?)
    );
    let lines: Vec<String> = resources
        .iter()
        .map(|(name, body)| format!("{}: {body}", json!(name)))
        .collect();
    text.push_str(&lines.join(",\n"));
    text.push_str("\n},\n\"types\": [\n");
    let lines: Vec<String> = reduced.types.iter().map(Value::to_string).collect();
    text.push_str(&lines.join(",\n"));
    text.push_str("\n]\n}\n");
    Ok(text)
}

fn commit(folder: &Path) -> Result<String> {
    let output = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(folder)
        .output()
        .context("git does not run")?;
    if !output.status.success() {
        bail!("`{}` is no checkout", folder.display());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The types that templates name in full: `'Microsoft.X/y/z@2025-01-01'`.
fn named(folder: &Path, out: &mut BTreeSet<String>) -> Result<()> {
    for path in crate::places::entries(folder)? {
        if path.is_dir() {
            named(&path, out)?;
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let mut unpublished = false;
        for line in text.lines() {
            // What Bicep is told not to look for has no type.
            let skipped = std::mem::replace(&mut unpublished, line.trim() == UNPUBLISHED);
            let quoted = line.split('\'').skip(1).step_by(2).filter(|_| !skipped);
            out.extend(quoted.filter(|text| is_type(text)).map(ToOwned::to_owned));
        }
    }
    Ok(())
}

/// The types of the resources that fixes add: `type: X` with `apiVersion: "Y"` on the next line, in a fence of a fix.
fn added(folder: &Path, out: &mut BTreeSet<String>, depth: usize) -> Result<()> {
    for path in crate::places::entries(folder)? {
        if path.is_dir() {
            if depth < DEEPEST {
                added(&path, out, depth + 1)?;
            }
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let (mut fix, mut kind) = (false, None);
        for line in text.lines() {
            if line.starts_with("```") {
                fix = line.starts_with("```fix ");
            }
            let version = line.strip_prefix("apiVersion: \"");
            let version = version.and_then(|rest| rest.strip_suffix('"'));
            if let (Some(kind), Some(version)) = (kind.take(), version) {
                out.insert(format!("{kind}@{version}"));
            }
            kind = line.strip_prefix("type: ").filter(|_| fix);
        }
    }
    Ok(())
}

fn is_type(quoted: &str) -> bool {
    quoted.split_once('@').is_some_and(|(kind, version)| {
        let dated = version.starts_with("20") && version.len() >= 10;
        kind.starts_with("Microsoft.") && kind.contains('/') && dated
    })
}

/// Files of types by provider and version in lower case; a provider may have several.
struct Published {
    files: BTreeMap<(String, String), Vec<PathBuf>>,
    read: BTreeMap<PathBuf, Vec<Value>>,
}

impl Published {
    fn find(folder: &Path) -> Result<Self> {
        let mut files: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
        for group in folders(&folder.join("generated"))? {
            for provider in folders(&group)? {
                for version in folders(&provider)? {
                    files
                        .entry((name(&provider), name(&version)))
                        .or_default()
                        .push(version.join("types.json"));
                }
            }
        }
        Ok(Self {
            files,
            read: BTreeMap::new(),
        })
    }

    /// The file that holds a type, and the reference to its body.
    fn body(&mut self, wanted: &str) -> Result<Option<(PathBuf, Value)>> {
        let provider = wanted.split('/').next().unwrap_or_default();
        let version = wanted.split('@').next_back().unwrap_or_default();
        let key = (provider.to_ascii_lowercase(), version.to_ascii_lowercase());
        for path in self.files.get(&key).into_iter().flatten() {
            if !self.read.contains_key(path) {
                let text =
                    fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
                self.read.insert(path.clone(), serde_json::from_str(&text)?);
            }
            let types = self.read.get(path).map_or(&[][..], Vec::as_slice);
            let body = types.iter().find_map(|one| {
                let resource = one.get("$type")?.as_str()? == "ResourceType";
                let name = one.get("name")?.as_str()?;
                (resource && name.eq_ignore_ascii_case(wanted)).then_some(one.get("body")?)
            });
            if let Some(body) = body {
                return Ok(Some((path.clone(), body.clone())));
            }
        }
        Ok(None)
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = crate::places::entries(folder)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Objects get a number, so that they may hold each other; all else stands where it is used:
/// `"bool"`, `"any"`, `"=literal"`, `{"string": […]}`, `{"list": T}`, `{"one": [T, …]}`.
#[derive(Default)]
struct Reduced {
    types: Vec<Value>,
    numbers: HashMap<(PathBuf, usize), usize>,
}

impl Reduced {
    fn of(
        &mut self,
        path: &Path,
        types: &[Value],
        reference: &Value,
        depth: usize,
    ) -> Result<Value> {
        let number = reference
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.rsplit('/').next())
            .and_then(|number| number.parse::<usize>().ok())
            .context("a reference leads nowhere")?;
        let node = types.get(number).context("a reference leads nowhere")?;
        if depth > DEEPEST {
            bail!("types lie too deep in each other");
        }
        let of = |field: &str| node.get(field).unwrap_or(&Value::Null);
        Ok(match of("$type").as_str().unwrap_or_default() {
            "StringLiteralType" => json!(format!("={}", of("value").as_str().unwrap_or_default())),
            "StringType" => bounded(node, "string", ["minLength", "maxLength", "pattern"]),
            "IntegerType" => bounded(node, "int", ["minValue", "maxValue", ""]),
            "BooleanType" => json!("bool"),
            "AnyType" => json!("any"),
            "NullType" => json!("null"),
            "ArrayType" => json!({ "list": self.of(path, types, of("itemType"), depth + 1)? }),
            "UnionType" => {
                let mut one = Vec::new();
                for element in of("elements").as_array().into_iter().flatten() {
                    one.push(self.of(path, types, element, depth + 1)?);
                }
                json!({ "one": one })
            }
            "ObjectType" | "DiscriminatedObjectType" => {
                let key = (path.to_owned(), number);
                if let Some(known) = self.numbers.get(&key) {
                    return Ok(json!(known));
                }
                let own = self.types.len();
                self.numbers.insert(key, own);
                self.types.push(Value::Null);
                let made = self.object(path, types, node, depth)?;
                if let Some(place) = self.types.get_mut(own) {
                    *place = made;
                }
                json!(own)
            }
            other => bail!("`{other}` is a kind of type that is not known"),
        })
    }

    fn object(
        &mut self,
        path: &Path,
        types: &[Value],
        node: &Value,
        depth: usize,
    ) -> Result<Value> {
        let of = |field: &str| node.get(field).unwrap_or(&Value::Null);
        let mut made = Map::new();
        let (mut required, mut read_only, mut properties) = (Vec::new(), Vec::new(), Map::new());
        let all = [of("properties"), of("baseProperties")];
        for (name, property) in all.iter().filter_map(|all| all.as_object()).flatten() {
            let flags = property
                .get("flags")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            // What says which resource it is (`id`, `type`, `apiVersion`) is read-only and required.
            if flags & READ_ONLY != 0 {
                read_only.push(json!(name));
                continue;
            }
            if flags & REQUIRED != 0 {
                required.push(json!(name));
            }
            let reference = property.get("type").unwrap_or(&Value::Null);
            properties.insert(name.clone(), self.of(path, types, reference, depth + 1)?);
        }
        made.insert("properties".to_owned(), Value::Object(properties));
        for (key, names) in [("required", required), ("readOnly", read_only)] {
            if !names.is_empty() {
                made.insert(key.to_owned(), Value::Array(names));
            }
        }
        if of("additionalProperties").is_object() {
            let others = self.of(path, types, of("additionalProperties"), depth + 1)?;
            made.insert("others".to_owned(), others);
        }
        if let Some(elements) = of("elements").as_object() {
            let mut cases = Map::new();
            for (name, element) in elements {
                cases.insert(name.clone(), self.of(path, types, element, depth + 1)?);
            }
            made.insert("by".to_owned(), of("discriminator").clone());
            made.insert("cases".to_owned(), Value::Object(cases));
        }
        Ok(Value::Object(made))
    }
}

/// `"string"`, or `{"string": [least, most, pattern]}` where anything is said of it.
fn bounded(node: &Value, kind: &str, bounds: [&str; 3]) -> Value {
    let bounds: Vec<&Value> = bounds
        .iter()
        .map(|bound| node.get(bound).unwrap_or(&Value::Null))
        .collect();
    if bounds.iter().all(|bound| bound.is_null()) {
        json!(kind)
    } else {
        json!({ kind: bounds })
    }
}
