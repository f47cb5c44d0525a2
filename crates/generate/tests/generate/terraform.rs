//! Generated Terraform: laid out as its own formatter does, every argument and block is one of the
//! provider's, required ones are there, literals are of the type asked for, whatever is referred to
//! is declared, and whatever azapi sends fits the types that Azure publishes.
//!
//! The schemas are those of azurerm and azapi in the versions that `cargo xtask setup` fetches; the
//! second reader is HashiCorp's own HCL library (`oracle/hcl`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use ::bicep::source::Sources;
use ::bicep::value::{Data, Value as Evaluated};
use bumpalo::Bump;
use generate::{Decisions, Intent, Plan, Questions, files, pairs};
use guide::Guide;
use regex::Regex;
use serde_json::{Map, Value};

use crate::types::Types;

/// What azapi makes.
const AZAPI: [&str; 4] = [
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
    "Microsoft.KeyVault/vaults/keys",
    "Microsoft.Network/networkWatchers/flowLogs",
];

const MODULE: &str = "terraform/modules/environment/";

/// Files by path.
#[derive(Debug, Default)]
pub(crate) struct Generated(pub(crate) BTreeMap<String, String>);

impl ::terraform::files::Files for Generated {
    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let prefix = format!("{folder}/");
        let names = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.0.get(path).ok_or_else(|| format!("no `{path}`"))?;
        Ok(text.clone().into_bytes())
    }
}

/// What HashiCorp's library makes of each text.
pub(crate) fn ask(texts: &[&String]) -> Vec<Value> {
    let answers = oracle::answers("oracle-hcl", texts).expect("answers");
    let read = |line: &String| serde_json::from_str(line).expect("JSON");
    answers.iter().map(read).collect()
}

/// Providers' schemas: blocks by kind and type.
pub(crate) struct Schema {
    blocks: BTreeMap<String, Value>,
    versions: BTreeMap<String, String>,
}

impl Schema {
    pub(crate) fn read() -> Self {
        let path = oracle::fixture("terraform-schema.json").expect("a schema");
        let text = std::fs::read_to_string(path).expect("a text");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let mut schema = Self {
            blocks: BTreeMap::new(),
            versions: BTreeMap::new(),
        };
        for provider in all.as_array().expect("providers") {
            let text = |key: &str| provider[key].as_str().expect("text").to_owned();
            schema.versions.insert(text("provider"), text("version"));
            let blocks = provider["blocks"].as_object().expect("blocks").clone();
            schema.blocks.extend(blocks);
        }
        schema
    }

    /// What is wrong with a file's blocks.
    pub(crate) fn problems(&self, body: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        for block in body["blocks"].as_array().expect("blocks") {
            let kind = block["type"].as_str().expect("a type");
            if !matches!(kind, "resource" | "data" | "provider") {
                continue;
            }
            let name = format!("{kind} {}", block["labels"][0].as_str().expect("a type"));
            match self.blocks.get(&name) {
                None => problems.push(format!("{name}: no such type")),
                Some(structures) => {
                    let place = format!("{name} {}", block["labels"][1]);
                    check(structures, "", &block["body"], &place, true, &mut problems);
                }
            }
        }
        problems
    }

    /// Whether a reference to an attribute of a resource means something.
    fn has(&self, kind: &str, of: &str, attribute: &str) -> bool {
        let mut camel = String::new();
        let mut up = false;
        for character in attribute.chars() {
            match character {
                '_' => up = true,
                other if up => {
                    camel.extend(other.to_uppercase());
                    up = false;
                }
                other => camel.push(other),
            }
        }
        let all = &self.blocks[&format!("{kind} {of}")]["="];
        !camel.ends_with("Input") && all.get(&camel).is_some()
    }
}

/// Of a block's own, whatever it is.
const META: [&str; 4] = ["for_each", "count", "depends_on", "provider"];

fn check(
    structures: &Value,
    of: &str,
    body: &Value,
    place: &str,
    top: bool,
    problems: &mut Vec<String>,
) {
    let known = structures[of].as_object().expect("a structure");
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in body["attributes"].as_object().expect("attributes") {
        seen.insert(name, 1);
        match known.get(name).and_then(Value::as_str) {
            _ if top && META.contains(&&**name) => {}
            None => problems.push(format!("{place}: there is no argument `{name}`")),
            Some(kind) => {
                let kind = kind.trim_end_matches('!');
                if structures.get(kind.trim_matches(['[', ']'])).is_some() {
                    problems.push(format!("{place}: `{name}` is a block"));
                } else if let Some(value) = value.get("value").filter(|one| !fits(kind, one)) {
                    problems.push(format!("{place}: `{name}` is {value}, no {kind}"));
                }
            }
        }
    }
    for block in body["blocks"].as_array().expect("blocks") {
        let mut name = block["type"].as_str().expect("a type");
        let mut inner = &block["body"];
        let mut times = 1;
        if top && name == "lifecycle" {
            continue;
        }
        if name == "dynamic" {
            name = block["labels"][0].as_str().expect("a label");
            inner = &inner["blocks"][0]["body"];
            times = 2;
        }
        *seen.entry(name).or_default() += times;
        let kind = known.get(name).and_then(Value::as_str).unwrap_or_default();
        let core = kind.trim_matches(['[', ']', '!']);
        if core.is_empty() || structures.get(core).is_none() {
            problems.push(format!("{place}: there is no block `{name}`"));
            continue;
        }
        if !kind.starts_with('[') && seen.get(name).is_some_and(|times| *times > 1) && times == 1 {
            problems.push(format!("{place}: there is only one block `{name}`"));
        }
        let place = format!("{place}.{name}");
        check(structures, core, inner, &place, false, problems);
    }
    for (name, kind) in known {
        if kind.as_str().is_some_and(|kind| kind.ends_with('!')) && !seen.contains_key(&**name) {
            problems.push(format!("{place}: `{name}` is missing"));
        }
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    if let Some(kind) = kind
        .strip_prefix('[')
        .and_then(|kind| kind.strip_suffix(']'))
    {
        let items = value.as_array();
        return items.is_some_and(|items| items.iter().all(|item| fits(kind, item)));
    }
    match kind {
        "string" => value.is_string(),
        "bool" => value.is_boolean(),
        "number" => value.is_number(),
        "map" => value.is_object(),
        _ => true,
    }
}

/// What a folder declares and what it refers to.
#[derive(Debug, Default)]
struct Names {
    declared: BTreeSet<String>,
    used: BTreeSet<String>,
    /// `KIND TYPE ATTRIBUTE`
    attributes: BTreeSet<(String, String, String)>,
}

impl Names {
    fn read(&mut self, text: &str, body: &Value) {
        for block in body["blocks"].as_array().expect("blocks") {
            let label = |at: usize| block["labels"][at].as_str().unwrap_or_default();
            match block["type"].as_str().expect("a type") {
                "resource" => self.declare(format!("{}.{}", label(0), label(1))),
                "data" => self.declare(format!("data.{}.{}", label(0), label(1))),
                "variable" => self.declare(format!("var.{}", label(0))),
                "module" => self.declare(format!("module.{}", label(0))),
                "locals" => {
                    let names = block["body"]["attributes"].as_object().expect("locals");
                    names
                        .keys()
                        .for_each(|name| self.declare(format!("local.{name}")));
                }
                _ => {}
            }
        }
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .collect();
        let code = code.join("\n");
        let simple = Regex::new(r"\b(?:var|local|module)\.[a-z_0-9]+").expect("a pattern");
        for found in simple.find_iter(&code) {
            self.used.insert(found.as_str().to_owned());
        }
        let resource =
            Regex::new(r"(\bdata\.)?\b(az(?:urerm|api)_[a-z_0-9]+)\.([a-z_0-9]+)(?:\[(?:[^\[\]]|\[[^\]]*\])*\])?(?:\.([a-z_0-9]+))?")
                .expect("a pattern");
        for found in resource.captures_iter(&code) {
            let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
            self.used
                .insert(format!("{}{}.{}", part(1), part(2), part(3)));
            if !part(4).is_empty() {
                let kind = if part(1).is_empty() {
                    "resource"
                } else {
                    "data"
                };
                self.attributes
                    .insert((kind.to_owned(), part(2).to_owned(), part(4).to_owned()));
            }
        }
    }

    fn declare(&mut self, name: String) {
        assert!(self.declared.insert(name.clone()), "`{name}` twice");
    }
}

/// A value as JSON; what is open stands as an expression.
fn json(value: &Evaluated<'_>) -> Value {
    match value.data {
        Data::Null => Value::Null,
        Data::Bool(value) => value.into(),
        Data::Int(value) => value.into(),
        Data::Float(value) => value.into(),
        Data::Str(text) => text.into(),
        Data::Array(items) => items.iter().map(json).collect(),
        Data::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|field| (field.key.to_owned(), json(&field.value)))
                .collect::<Map<_, _>>(),
        ),
        Data::Unknown(_) => "[open]".into(),
    }
}

fn generated(guide: &Guide, questions: &Questions, intent: Intent) -> Generated {
    let plan = Plan::of(intent, guide, questions, 2026).expect("a plan");
    let files = files(&plan, guide).expect("templates");
    Generated(
        files
            .into_iter()
            .filter(|file| file.path.starts_with("terraform/"))
            .map(|file| (file.path, file.text))
            .collect(),
    )
}

/// Intents of all kinds, each with the decisions of all pairs.
static ALL: LazyLock<Vec<Generated>> = LazyLock::new(all);

fn all() -> Vec<Generated> {
    let (guide, problems) = Guide::builtin();
    assert_eq!(problems, []);
    let questions = Questions::of(&guide).expect("questions");
    let text = format!(
        "infrastructure: terraform\n{}",
        include_str!("../intent.yaml")
    );
    let hub = "network:\n  hub: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub\n  firewall: 10.0.0.4\n";
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let decisions: Vec<Decisions> = pairs(&guide, &questions);
    for (text, decisions) in [text.clone(), format!("{hub}{text}")]
        .iter()
        .flat_map(|text| decisions.iter().map(move |one| (text, one)))
    {
        let intent = Intent {
            decisions: decisions.clone(),
            ..Intent::parse(text, "1.34").expect("an intent")
        };
        let files = generated(&guide, &questions, intent);
        if seen.insert(files.0.clone()) {
            all.push(files);
        }
    }
    all
}

#[test]
fn terraform_is_what_its_providers_take() {
    let schema = Schema::read();
    let all = &*ALL;
    let texts: BTreeSet<&String> = all
        .iter()
        .flat_map(|files| files.0.iter())
        .filter(|(path, _)| path.ends_with(".tf"))
        .map(|(_, text)| text)
        .collect();
    let texts: Vec<&String> = texts.into_iter().collect();
    let mut problems = BTreeSet::new();
    let mut bodies = BTreeMap::new();
    for (text, answer) in texts.iter().zip(ask(&texts)) {
        assert_eq!(answer["error"], Value::Null, "{text}");
        assert_eq!(answer["formatted"].as_str(), Some(text.as_str()));
        problems.extend(schema.problems(&answer["body"]));
        bodies.insert(*text, answer["body"].clone());
    }
    assert!(bodies.len() > 100, "{} files only", bodies.len());
    for files in all {
        let folders: BTreeSet<&str> = files
            .0
            .keys()
            .filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        for folder in folders {
            let mut names = Names::default();
            let own = files.0.iter().filter(|(path, _)| {
                path.strip_prefix(folder)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .is_some_and(|name| !name.contains('/'))
            });
            for (path, text) in own {
                // A variable's own validation is no use of it.
                let code = if path.ends_with("/variables.tf") {
                    ""
                } else {
                    text
                };
                names.read(code, &bodies[text]);
            }
            for name in names.used.difference(&names.declared) {
                problems.insert(format!("{folder}: `{name}` is not declared"));
            }
            for name in names.declared.difference(&names.used) {
                if name.starts_with("var.") || name.starts_with("local.") {
                    problems.insert(format!("{folder}: nobody asks for `{name}`"));
                }
            }
            for (kind, of, attribute) in &names.attributes {
                if schema.blocks.contains_key(&format!("{kind} {of}"))
                    && !schema.has(kind, of, attribute)
                {
                    problems.insert(format!("{folder}: {of} has no attribute `{attribute}`"));
                }
            }
        }
        arguments(files, &bodies, &mut problems);
    }
    assert_eq!(problems, BTreeSet::new());
}

/// Whether each environment gives the module what it needs, and nothing else.
fn arguments(
    files: &Generated,
    bodies: &BTreeMap<&String, Value>,
    problems: &mut BTreeSet<String>,
) {
    let mut needed = BTreeSet::new();
    let mut known = BTreeSet::from(["source".to_owned()]);
    let variables = &bodies[&files.0[&format!("{MODULE}variables.tf")]];
    for variable in variables["blocks"].as_array().expect("blocks") {
        let name = variable["labels"][0].as_str().expect("a name").to_owned();
        if variable["body"]["attributes"].get("default").is_none() {
            needed.insert(name.clone());
        }
        known.insert(name);
    }
    for (path, text) in &files.0 {
        if path.starts_with("terraform/environments/") && path.ends_with("/main.tf") {
            let call = &bodies[text]["blocks"][0]["body"]["attributes"];
            let given: BTreeSet<String> =
                call.as_object().expect("a call").keys().cloned().collect();
            for name in given.difference(&known) {
                problems.insert(format!("{path}: the module has no variable `{name}`"));
            }
            for name in needed.difference(&given) {
                problems.insert(format!("{path}: the module needs `{name}`"));
            }
        }
    }
}

#[test]
fn what_azapi_sends_is_of_azures_types() {
    let types = Types::read();
    let text = include_str!("../../../../guide/data/azurerm.yaml");
    let table = ::terraform::table::Table::parse(text).expect("the table");
    let mut problems = BTreeSet::new();
    let mut looked_at = 0;
    for files in &*ALL {
        let environments: BTreeSet<&str> = files
            .0
            .keys()
            .filter(|path| path.starts_with("terraform/environments/"))
            .filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        for folder in environments {
            let arena = Bump::new();
            let mut sources = Sources::default();
            let options = ::terraform::reading::Options::default();
            let found = ::terraform::read(&arena, files, &mut sources, &table, folder, &options);
            let said = found.reading.problems.iter();
            problems.extend(said.map(|problem| format!("{folder}: {problem:?}")));
            for one in &found.resources {
                if AZAPI.contains(&one.kind) {
                    looked_at += 1;
                    let body = json(&one.body);
                    problems.extend(types.problems(&body));
                }
            }
        }
    }
    assert_eq!(problems, BTreeSet::new());
    assert!(looked_at > 100, "{looked_at} only");
}

#[test]
fn versions_are_those_of_the_schemas() {
    let schema = Schema::read();
    for files in &*ALL {
        let declaring = files
            .0
            .iter()
            .filter(|(_, text)| text.contains("required_providers"));
        let mut times = 0;
        for (path, text) in declaring {
            times += 1;
            for (provider, version) in &schema.versions {
                let (minor, _) = version.rsplit_once('.').expect("a version");
                let (_, rest) = text
                    .split_once(&format!("    {provider} = {{"))
                    .expect("a provider");
                let (own, _) = rest.split_once('}').expect("an end");
                assert!(own.contains(&format!("\"~> {minor}\"")), "{path}: {own}");
            }
        }
        assert!(times >= 2);
    }
}

/// Where the program itself is there, it is asked too.
#[test]
fn terraform_itself_finds_nothing_to_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut texts = BTreeSet::new();
    for files in &*ALL {
        texts.extend(files.0.values());
    }
    for (at, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.tf")), text).expect("written");
    }
    let run = Command::new("terraform")
        .args(["fmt", "-check", "-diff"])
        .arg(folder.path())
        .output();
    match run {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("`terraform` is not here: its library was asked instead (oracle-hcl)");
        }
        Err(error) => panic!("{error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}");
        }
    }
}

#[test]
fn wrong_arguments_are_found() {
    let schema = Schema::read();
    let problems = |text: &str| {
        let text = text.to_owned();
        schema.problems(&ask(&[&text])[0]["body"])
    };
    let right = "resource \"azurerm_management_lock\" \"x\" {\n  name = \"keep\"\n  scope = var.x\n  lock_level = \"ReadOnly\"\n}\n";
    assert_eq!(problems(right), [""; 0]);
    for (from, to, message) in [
        ("lock_level", "level", "no argument `level`"),
        ("  scope = var.x\n", "", "`scope` is missing"),
        ("\"keep\"", "1", "`name` is 1, no string"),
        (
            "\"keep\"\n",
            "\"keep\"\n  timeout {\n  }\n",
            "no block `timeout`",
        ),
        ("azurerm_management_lock", "azurerm_lock", "no such type"),
    ] {
        let found = problems(&right.replace(from, to));
        assert!(
            found.iter().any(|problem| problem.contains(message)),
            "{message}: {found:?}"
        );
    }
}
