//! Running a guideline's examples: each is a tiny estate, its comments say what must be found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::Symbols;
use model::doc::{Dialect, Doc, DocBuilder};
use model::finding::{Finding, Outcome};
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::prune::Keep;
use model::resource::Origin;
use model::{Estate, Ref, Resource, Scope, Status};
use yaml::{Build as _, Entry, Limits, Span};

use crate::catalogue::Guide;
use crate::guideline::{Applies, Example, ExampleFile, Expectation, Guideline};
use crate::judge::{Judge, Judged, Setting, VerdictWord};

/// The newest Kubernetes minor that the guide knows (`data/kubernetes.yaml`): what is judged
/// against when neither the estate nor the user says a version.
#[must_use]
pub fn newest_minor(guide: &Guide) -> u8 {
    guide
        .data
        .get("kubernetes.yaml")
        .and_then(|text| crate::front_matter::read(text, 1).ok())
        .and_then(|doc| crate::parse_minor(doc.root().get("newest")?.as_str()?))
        .unwrap_or_default()
}

/// An example that does not behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Path below `guide/`.
    pub file: Box<str>,
    /// Line of the example in it.
    pub line: u32,
    /// What is expected and what came, a line each.
    pub problems: Vec<String>,
}

/// Everything an assessment of one estate says: used by examples, tests and mutation.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// All findings.
    pub findings: Vec<Finding>,
    /// All verdicts.
    pub verdicts: Vec<VerdictWord>,
    /// Documents that could not be read, with the reason.
    pub unread: Vec<String>,
}

impl Outcomes {
    fn take(&mut self, judged: Judged) {
        self.findings.extend(judged.findings);
        self.verdicts
            .extend(judged.verdicts.iter().map(|(_, verdict)| *verdict));
    }
}

/// Runs one example and says what is wrong with it.
#[must_use]
pub fn run(guide: &Guide, guideline: &Guideline, example: &Example) -> Option<Failure> {
    let line = example.files.first().map_or(1, |file| file.line);
    let fail = |problems| {
        Some(Failure {
            file: guideline.file.clone(),
            line,
            problems,
        })
    };
    let outcomes = match assess(guide, guideline, example) {
        Ok(outcomes) => outcomes,
        Err(problem) => return fail(vec![problem]),
    };
    let mut problems: Vec<String> = outcomes
        .unread
        .iter()
        .map(|reason| format!("the example cannot be read: {reason}"))
        .collect();
    compare(example, &outcomes, &mut problems);
    if problems.is_empty() {
        None
    } else {
        fail(problems)
    }
}

/// Judges an example's estate by one guideline.
///
/// # Errors
/// When its parameters do not parse.
pub fn assess(guide: &Guide, guideline: &Guideline, example: &Example) -> Result<Outcomes, String> {
    assess_with(guide, guideline, example, true)
}

/// The same, with a choice whether workloads are pruned before joining.
///
/// # Errors
/// When its parameters do not parse.
pub fn assess_with(
    guide: &Guide,
    guideline: &Guideline,
    example: &Example,
    prunes: bool,
) -> Result<Outcomes, String> {
    let setting = setting(guide, example.params.as_deref(), example.kubernetes)?;
    let judge = Judge::new(guide, &setting, |other| other.id == guideline.id);
    if judge.selected().next().is_none() {
        return Err(format!(
            "the guideline needs `params`: {}",
            guideline.needs.params.join(", ")
        ));
    }
    let keep = if prunes {
        judge.keep()
    } else {
        Keep::everything()
    };
    let managed = Managed::default();
    let wants = |_: &model::kinds::Kind| true;
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &wants,
        managed: &managed,
        limits: Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(if example.whole {
        Scope::Whole
    } else {
        Scope::Open
    });
    let mut outcomes = Outcomes::default();
    for (index, file) in example.files.iter().enumerate() {
        let path: Arc<str> = format!("{index}").into();
        for (text, first_line, number) in documents(file) {
            let origin = Origin {
                path: path.clone(),
                index: number,
                rendered_by: None,
            };
            let form = if &*file.language == "json" {
                Form::Json
            } else {
                Form::Yaml
            };
            let reading = reader.read(&text, form, first_line, &origin);
            for entry in &reading.entries {
                if !matches!(entry.status, Status::Assessed | Status::UnknownKind) {
                    outcomes
                        .unread
                        .push(entry.reason.as_deref().unwrap_or_default().to_owned());
                }
            }
            for mut resource in reading.resources {
                outcomes.take(judge.local(&resource));
                if resource.is_workload() {
                    resource.prune(&keep);
                }
                estate.add(resource);
            }
        }
    }
    let symbols = &guide.symbols;
    let whole = example.whole;
    estate.imply_namespaces(&|name, witness| implied_namespace(symbols, name, witness, whole));
    for resource in estate.resources() {
        outcomes.take(judge.joined(resource, &estate));
    }
    if guideline.applies == Applies::Estate
        && let Some(witness) = estate.resources().first()
    {
        outcomes.take(judge.estate(witness, &estate));
    }
    Ok(outcomes)
}

fn documents(file: &ExampleFile) -> Vec<(String, u32, u32)> {
    if &*file.language == "json" {
        return vec![(file.text.to_string(), 1, 0)];
    }
    yaml::documents(&file.text)
        .enumerate()
        .map(|(index, raw)| (raw.text.into_owned(), raw.line, index as u32))
        .collect()
}

/// The settings of an example or of a plain run.
///
/// # Errors
/// When the parameters do not parse.
pub fn setting(
    guide: &Guide,
    params: Option<&str>,
    kubernetes: Option<u8>,
) -> Result<Setting, String> {
    let (params, set) = params_doc(guide, params)?;
    Ok(Setting {
        kubernetes_minor: kubernetes.unwrap_or_else(|| newest_minor(guide)),
        params,
        set,
        severities: BTreeMap::new(),
        default_roles: default_roles(guide),
    })
}

/// The configuration that guidelines read: the defaults of `data/params.yaml`, overridden by
/// the keys of `given` (a YAML map).
///
/// # Errors
/// When `given` does not parse or is no map.
pub fn params_doc(guide: &Guide, given: Option<&str>) -> Result<(Doc, BTreeSet<Box<str>>), String> {
    let mut text = String::new();
    let mut set = BTreeSet::new();
    let given_doc = given
        .map(|given| {
            crate::front_matter::read(given, 1)
                .map_err(|(_, message)| format!("in params: {message}"))
        })
        .transpose()?;
    if let Some(doc) = &given_doc {
        if !doc.root().is_map() {
            return Err("params must be a map".to_owned());
        }
        for (key, _, value) in doc.root().entries() {
            set.insert(Box::from(key));
            let json = to_json(value);
            text.push_str(&format!("{}: {json}\n", serde_json::Value::from(key)));
        }
    }
    for param in &guide.params {
        if let Some(default) = &param.default
            && set.insert(param.key.clone())
        {
            text.push_str(&format!("{}: {default}\n", param.key));
        }
    }
    if text.is_empty() {
        text.push_str("{}");
    }
    // Read with the guide's symbols, since programs compare keys by number.
    let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, text.as_str().into(), 1);
    let root = yaml::parse(&text, &Limits::default(), &mut builder)
        .map_err(|error| format!("in params: {}", error.message))?
        .ok_or_else(|| "params are empty".to_owned())?;
    Ok((builder.finish(root), set))
}

/// A value as JSON.
#[must_use]
pub fn to_json(value: Ref<'_>) -> serde_json::Value {
    use cel::{Node as _, View};
    match value.view() {
        View::Null | View::Unknown(_) => serde_json::Value::Null,
        View::Bool(value) => value.into(),
        View::Int(value) => value.into(),
        View::Uint(value) => value.into(),
        View::Double(value) => value.into(),
        View::Str(value) => value.into(),
        View::List(_) => value.items().map(to_json).collect(),
        View::Map(_) => serde_json::Value::Object(
            value
                .entries()
                .map(|(key, _, value)| (key.to_owned(), to_json(value)))
                .collect(),
        ),
    }
}

/// Kubernetes' own ClusterRoles, from `data/default-roles.yaml`.
#[must_use]
pub fn default_roles(guide: &Guide) -> BTreeMap<Box<str>, Doc> {
    let mut roles = BTreeMap::new();
    let Some(text) = guide.data.get("default-roles.yaml") else {
        return roles;
    };
    for raw in yaml::documents(text) {
        let mut builder = DocBuilder::new(&guide.symbols, Dialect::Plain, (&*raw.text).into(), 1);
        if let Ok(Some(root)) = yaml::parse(&raw.text, &Limits::default(), &mut builder) {
            let doc = builder.finish(root);
            let name = doc
                .root()
                .path(&["metadata", "name"])
                .and_then(Ref::as_str)
                .map(Box::<str>::from);
            if let Some(name) = name {
                roles.insert(name, doc);
            }
        }
    }
    roles
}

/// The object of a namespace that others name and that was not read: its labels are unknown,
/// or absent when the estate is whole.
#[must_use]
pub fn implied_namespace(
    symbols: &Symbols,
    name: &str,
    witness: &Resource,
    whole: bool,
) -> Arc<Doc> {
    // Every value stands where the witness says the namespace.
    let object = witness.object();
    let place = object
        .path(&["metadata", "namespace"])
        .unwrap_or(object)
        .span();
    let (line, start) = witness.doc.line_at(place.start);
    let number = witness.doc.line_column(place.start).0;
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, line.into(), number);
    let none = Span {
        start: place.start - start,
        end: (place.end - start).min(line.len() as u32),
    };
    let text = |builder: &mut DocBuilder<'_>, value: &str| builder.string(value, none);
    let entry = |key: &'static str, value| Entry {
        key: key.into(),
        key_span: none,
        value,
        merged: false,
    };
    let api_version = text(&mut builder, "v1");
    let kind = text(&mut builder, "Namespace");
    let name = text(&mut builder, name);
    let metadata = if whole {
        builder.map(&[entry("name", name)], none)
    } else {
        let labels = builder.not_given();
        let annotations = builder.not_given();
        builder.map(
            &[
                entry("name", name),
                entry("labels", labels),
                entry("annotations", annotations),
            ],
            none,
        )
    };
    let root = builder.map(
        &[
            entry("apiVersion", api_version),
            entry("kind", kind),
            entry("metadata", metadata),
        ],
        none,
    );
    Arc::new(builder.finish(root))
}

fn compare(example: &Example, outcomes: &Outcomes, problems: &mut Vec<String>) {
    let wanted = expected(example);
    let found: BTreeSet<(usize, u32, bool, String)> = outcomes
        .findings
        .iter()
        .map(|finding| {
            let file = finding.place.path.parse().unwrap_or_default();
            let (fails, text) = match &finding.outcome {
                Outcome::Fail => (true, finding.message.clone()),
                Outcome::Unknown { reason, .. } => (false, reason.to_string()),
            };
            (file, finding.place.line, fails, text)
        })
        .collect();
    let at = |file: usize, line: u32| {
        let base = example.files.get(file).map_or(1, |file| file.line);
        format!("line {}", base + line - 1)
    };
    for (file, line, fails, text) in &found {
        let met = wanted
            .iter()
            .any(|(wanted_file, wanted_line, wanted_fails, wanted_text)| {
                wanted_file == file
                    && wanted_line == line
                    && wanted_fails == fails
                    && if *fails {
                        wanted_text == text
                    } else {
                        text.contains(wanted_text.as_str())
                    }
            });
        if !met {
            let word = if *fails { "finding" } else { "unknown" };
            problems.push(format!("{}: unexpected {word}: {text}", at(*file, *line)));
        }
    }
    for (file, line, fails, text) in &wanted {
        let met = found
            .iter()
            .any(|(found_file, found_line, found_fails, found_text)| {
                found_file == file
                    && found_line == line
                    && found_fails == fails
                    && if *fails {
                        found_text == text
                    } else {
                        found_text.contains(text.as_str())
                    }
            });
        if !met {
            let word = if *fails { "finding" } else { "unknown" };
            problems.push(format!("{}: missing {word}: {text}", at(*file, *line)));
        }
    }
    let has = |word| outcomes.verdicts.contains(&word);
    match example.expectation {
        Expectation::Bad if !has(VerdictWord::Fail) => {
            problems.push("a `bad` example without a fail".to_owned())
        }
        Expectation::Unknown if !has(VerdictWord::Unknown) => {
            problems.push("an `unknown` example without an unknown".to_owned());
        }
        Expectation::Good if !has(VerdictWord::Pass) => {
            problems.push("a `good` example without a pass".to_owned())
        }
        Expectation::NotApplicable
            if outcomes
                .verdicts
                .iter()
                .any(|word| *word != VerdictWord::NotApplicable) =>
        {
            problems.push("a `na` example to which the guideline applies".to_owned());
        }
        _ => {}
    }
}

/// File, line, whether it is a fail, text.
fn expected(example: &Example) -> BTreeSet<(usize, u32, bool, String)> {
    let mut wanted = BTreeSet::new();
    for (file, text) in example.files.iter().enumerate() {
        let (comment, end) = if &*text.language == "json" {
            ("//", "")
        } else {
            ("#", "")
        };
        for (index, line) in text.text.lines().enumerate() {
            for (word, fails) in [("finding: ", true), ("unknown: ", false)] {
                let Some(at) = line.find(&format!("{comment} {word}")) else {
                    continue;
                };
                let message = line
                    .get(at + comment.len() + 1 + word.len()..)
                    .unwrap_or_default();
                // Several findings on one line are separated by ` | `.
                for message in message.trim_end_matches(end).trim().split(" | ") {
                    wanted.insert((file, index as u32 + 1, fails, message.trim().to_owned()));
                }
            }
        }
    }
    wanted
}
