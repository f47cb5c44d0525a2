//! Generated Bicep: it compiles, modules get what they ask for and nothing else, every resource fits the
//! types that Azure publishes; as written, and with the values of each parameter file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use bicep::compile::{compile, compile_parameters};
use bicep::emit::emit;
use bicep::expand::{Options, expand};
use bicep::source::{FileId, Files, Found, Source, Sources};
use bicep::value::{Data, Value as Evaluated};
use bumpalo::Bump;
use generate::{Decisions, Intent, Plan, Questions, files, pairs};
use guide::Guide;
use serde_json::{Map, Value};

use crate::types::Types;

/// Scopes of roles without a published type: a namespace of a cluster.
const UNPUBLISHED: [&str; 1] = ["Microsoft.ContainerService/managedClusters/namespaces"];

/// What was generated, by path.
struct Generated(BTreeMap<String, String>);

impl Files for Generated {
    fn file(&self, from: &str, path: &str) -> Result<Found, String> {
        let mut whole = PathBuf::new();
        let from = Path::new(from).parent().unwrap_or(Path::new(""));
        for part in from.join(path).components() {
            match part {
                Component::ParentDir => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        let name = whole.to_string_lossy().into_owned();
        let text = self.0.get(&name).ok_or_else(|| format!("no `{name}`"))?;
        Ok(Found {
            bytes: text.clone().into_bytes(),
            name,
            published: false,
        })
    }

    fn module(&self, _from: &str, reference: &str) -> Result<Found, String> {
        Err(format!("no `{reference}`"))
    }
}

/// The intent of the tests, with a few decisions of its own.
fn intent(decisions: Decisions) -> Intent {
    let intent = Intent::parse(include_str!("../intent.yaml"), "1.34").expect("an intent");
    Intent {
        decisions,
        ..intent
    }
}

fn generated(guide: &Guide, questions: &Questions, intent: Intent) -> Generated {
    let plan = Plan::of(intent, guide, questions, 2026).expect("a plan");
    let files = files(&plan, guide).expect("templates");
    Generated(
        files
            .into_iter()
            .filter(|file| file.path.starts_with("bicep/"))
            .map(|file| (file.path, file.text))
            .collect(),
    )
}

fn add<'a>(bump: &'a Bump, sources: &mut Sources<'a>, files: &Generated, name: &str) -> FileId {
    sources.add(Source {
        name: bump.alloc_str(name),
        text: bump.alloc_str(&files.0[name]),
        published: false,
    })
}

/// Everything that is wrong with a set of files.
fn problems(types: &Types, files: &Generated) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    indexed_in_lambdas(files, &mut problems);
    let bump = Bump::new();
    let mut sources = Sources::default();
    let main = add(&bump, &mut sources, files, "bicep/main.bicep");
    let (root, found) = compile(&bump, &mut sources, files, main);
    problems.extend(found.iter().map(|problem| problem.message.clone()));
    let text = emit(&root);
    let compiled: Value = serde_json::from_str(&text).expect("ARM JSON");
    template(types, &compiled, "main.bicep", &mut problems);

    let declared = compiled["parameters"].as_object().expect("parameters");
    let environments = files.0.keys().filter(|name| name.ends_with(".bicepparam"));
    for name in environments {
        let mut sources = Sources::default();
        let file = add(&bump, &mut sources, files, name);
        let given = compile_parameters(&bump, &mut sources, files, file);
        problems.extend(given.problems.iter().map(|problem| problem.message.clone()));
        let mut set: BTreeSet<&str> = BTreeSet::new();
        for line in files.0[name].lines() {
            if let Some((parameter, _)) = line
                .strip_prefix("param ")
                .and_then(|rest| rest.split_once(" = "))
            {
                set.insert(parameter);
                if !declared.contains_key(parameter) {
                    problems.insert(format!("{name}: `{parameter}` is no parameter"));
                }
            }
        }
        for (parameter, declaration) in declared {
            if declaration.get("defaultValue").is_none() && !set.contains(&**parameter) {
                problems.insert(format!("{name}: `{parameter}` is not set"));
            }
        }
        let template = given.template.expect("the template");
        let (root, _) = compile(&bump, &mut sources, files, template);
        let options = Options {
            parameter_files: vec![given.root],
            ..Options::default()
        };
        let expansion = expand(&bump, &mut sources, files, bump.alloc(root), options);
        problems.extend(
            expansion
                .problems
                .iter()
                .map(|problem| problem.message.clone()),
        );
        assert!(expansion.open.is_empty() || !set.is_empty());
        for resource in expansion.resources.iter().filter(|one| !one.existing) {
            let body = json(resource.body);
            let found = types.problems(&body);
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| format!("{name}: {problem}")),
            );
        }
    }
    problems
}

/// A value as JSON; what is open stands as an expression.
fn json(value: Evaluated<'_>) -> Value {
    match value.data {
        Data::Null => Value::Null,
        Data::Bool(value) => value.into(),
        Data::Int(value) => value.into(),
        Data::Float(value) => value.into(),
        Data::Str(text) => text.into(),
        Data::Array(items) => items.iter().map(|item| json(*item)).collect(),
        Data::Object(fields) => {
            let fields = fields
                .iter()
                .map(|field| (field.key.to_owned(), json(field.value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Data::Unknown(_) => "[open]".into(),
    }
}

/// A compiled template and those of its modules.
fn template(types: &Types, compiled: &Value, of: &str, problems: &mut BTreeSet<String>) {
    unused(compiled, of, problems);
    let resources: Vec<&Value> = match &compiled["resources"] {
        Value::Array(items) => items.iter().collect(),
        Value::Object(named) => named.values().collect(),
        other => panic!("{other} is no list of resources"),
    };
    for resource in resources {
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let (kind, version) = (text("type"), text("apiVersion"));
        if kind == "Microsoft.Resources/deployments" {
            let called = &resource["properties"]["template"];
            let of = format!("{of}, {}", text("name"));
            arguments(resource, called, &of, problems);
            template(types, called, &of, problems);
        } else if resource["existing"] == true {
            if !types.knows(kind, version) && !UNPUBLISHED.contains(&kind) {
                problems.insert(format!("{of}: {kind}@{version} is not known"));
            }
        } else {
            let found = types.problems(resource);
            problems.extend(found.into_iter().map(|problem| format!("{of}: {problem}")));
        }
    }
}

/// Whether a module gets each parameter that it needs, and no other.
fn arguments(call: &Value, called: &Value, of: &str, problems: &mut BTreeSet<String>) {
    let none = Map::new();
    let given = call["properties"]["parameters"]
        .as_object()
        .unwrap_or(&none);
    let declared = called["parameters"].as_object().unwrap_or(&none);
    for name in given.keys().filter(|name| !declared.contains_key(*name)) {
        problems.insert(format!("{of}: the module has no parameter `{name}`"));
    }
    for (name, declaration) in declared {
        if declaration.get("defaultValue").is_none() && !given.contains_key(name) {
            problems.insert(format!("{of}: the module needs `{name}`"));
        }
    }
}

/// What the official compiler refuses though it can be compiled: a variable of a lambda as the index of a
/// resource (BCP247). Any index is refused here.
fn indexed_in_lambdas(files: &Generated, problems: &mut BTreeSet<String>) {
    let lambda = regex::Regex::new(r"\b(\w+) => ").expect("a pattern");
    for (name, text) in &files.0 {
        for line in text.lines() {
            for variable in lambda.captures_iter(line) {
                if line.contains(&format!("[{}]", &variable[1])) {
                    problems.insert(format!("{name}: a lambda's variable is an index: {line}"));
                }
            }
        }
    }
}

/// Parameters and variables that nothing reads (the official linter's `no-unused-params`).
fn unused(compiled: &Value, of: &str, problems: &mut BTreeSet<String>) {
    let mut rest = compiled.clone();
    let parameters = rest
        .as_object_mut()
        .and_then(|template| template.remove("parameters"))
        .unwrap_or_default();
    let text = rest.to_string();
    let names = |values: &Value| -> Vec<String> {
        values
            .as_object()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default()
    };
    for name in names(&parameters) {
        if !text.contains(&format!("parameters('{name}')")) {
            problems.insert(format!("{of}: nothing reads parameter `{name}`"));
        }
    }
    for name in names(&compiled["variables"]) {
        if name != "copy" && !text.contains(&format!("variables('{name}')")) {
            problems.insert(format!("{of}: nothing reads variable `{name}`"));
        }
    }
}

#[test]
fn fits_the_published_types() {
    let (guide, _) = Guide::builtin();
    let questions = Questions::of(&guide).expect("questions");
    let types = Types::read();
    let mut sets = pairs(&guide, &questions);
    assert!(sets.len() > 5, "too few pairs to prove anything");
    sets.push(Decisions::new());
    for decisions in sets {
        let files = generated(&guide, &questions, intent(decisions.clone()));
        assert!(files.0.len() > 10, "{:?}", files.0.keys());
        let problems = problems(&types, &files);
        assert!(problems.is_empty(), "{decisions:?}\n{problems:#?}");
    }
}

/// A mistake in each of the ways that the test above would have to notice.
#[test]
fn mistakes_are_noticed() {
    let (guide, _) = Guide::builtin();
    let questions = Questions::of(&guide).expect("questions");
    let types = Types::read();
    let whole = generated(&guide, &questions, intent(Decisions::new()));
    for (file, from, to, what) in [
        (
            "bicep/modules/cluster.bicep",
            "disableLocalAccounts:",
            "disableLocalAcounts:",
            "no such property",
        ),
        (
            "bicep/modules/cluster.bicep",
            "'ReadOnly'",
            "'Readonly'",
            "none of",
        ),
        (
            "bicep/modules/cluster.bicep",
            "nodeTaints: ['Critical",
            "nodeTaint: ['Critical",
            "no such property",
        ),
        (
            "bicep/modules/vault.bicep",
            "vaults@2024-11-01' =",
            "vaults@2024-11-02' =",
            "no such type",
        ),
        (
            "bicep/main.bicep",
            "    skuTier: skuTier\n",
            "",
            "needs `skuTier`",
        ),
        (
            "bicep/environments/prod.bicepparam",
            "param skuTier",
            "param skuTear",
            "is no parameter",
        ),
        (
            "bicep/modules/network.bicep",
            "zone => zone.key",
            "zone => zones[zone].name",
            "is an index",
        ),
        (
            "bicep/modules/registry.bicep",
            "dataEndpointEnabled: true",
            "dataEndpointEnabled: 'yes'",
            "no \"bool\"",
        ),
    ] {
        let mut files = Generated(whole.0.clone());
        let text = files.0.get_mut(file).expect("a file");
        assert!(text.contains(from), "{file} lacks {from}");
        *text = text.replace(from, to);
        let problems = problems(&types, &files);
        assert!(
            problems.iter().any(|problem| problem.contains(what)),
            "{to}: {problems:#?}"
        );
    }
}

/// A changed answer changes its lines, and no others.
#[test]
fn a_changed_answer_changes_its_lines() {
    let (guide, _) = Guide::builtin();
    let questions = Questions::of(&guide).expect("questions");
    let made = |decisions: &[(&str, &str)]| {
        let decisions = decisions
            .iter()
            .map(|(question, option)| ((*question).into(), vec![(*option).into()]));
        generated(&guide, &questions, intent(decisions.collect())).0
    };
    let base = made(&[]);
    let patched = made(&[("node-updates", "security-patch-channel")]);
    let differing: Vec<(&str, usize)> = base
        .iter()
        .map(|(name, text)| {
            let lines: BTreeSet<&str> = patched[name].lines().collect();
            (
                &**name,
                text.lines().filter(|line| !lines.contains(line)).count(),
            )
        })
        .filter(|(_, lines)| *lines > 0)
        .collect();
    assert_eq!(differing, [("bicep/modules/cluster.bicep", 2)]);
}
