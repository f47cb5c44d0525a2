//! A template, evaluated: what it makes, what it leaves open, and what it comes to for the values
//! that an open parameter can have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bicep::compile::{compile, compile_parameters};
use bicep::deployment::{Expansion, OpenParameter, Problem, ProblemKind};
use bicep::expand::{Assumption, Options, expand};
use bicep::node::{Node, NodeKind};
use bicep::problems::few;
use bicep::source::{Files, Source, Sources, Span};
use bicep::value::{Data, Value};
use bumpalo::Bump;

use super::secrets::Masked;
use super::template::{self, Declared};
use super::write::{self, Written};
use super::{Case, settle};
use crate::coverage::{DocumentEntry, Status};
use crate::doc::NodeId;
use crate::manifest::{Reader, Reading, failed};
use crate::resource::{Origin, Resource};
use crate::waiver;

/// The language of a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// ARM JSON.
    Arm,
    /// Bicep.
    Bicep,
    /// Parameters for a Bicep file, which names it.
    BicepParameters,
}

/// A template to evaluate.
pub struct Request<'r> {
    /// Its text.
    pub text: &'r str,
    /// Its language.
    pub language: Language,
    /// Parameter files, by name and text; what a later one says counts.
    pub parameters: &'r [(String, String)],
    /// Where modules and linked templates come from.
    pub files: &'r dyn Files,
    /// What it is called.
    pub origin: &'r Origin,
}

/// At most this many parameters are tried, and this many values of each.
const PARAMETERS: usize = 24;
const VALUES: usize = 12;

/// A template and its parameter files as trees.
pub struct Loaded<'a> {
    /// The template.
    pub root: &'a Node<'a>,
    /// Parameter files; what a later one says counts.
    pub parameters: Vec<Node<'a>>,
    /// What is wrong with the texts.
    pub problems: Vec<Problem>,
}

/// Reads a template's texts into trees.
pub fn load<'a>(bump: &'a Bump, sources: &mut Sources<'a>, request: &Request<'a>) -> Loaded<'a> {
    let add = |sources: &mut Sources<'a>, name: &str, text: &str| {
        let text: &'a str = bump.alloc_str(text);
        let file = sources.add(Source {
            name: bump.alloc_str(name),
            text,
            published: false,
        });
        (file, text)
    };
    let (file, text) = add(sources, &request.origin.path, request.text);
    let mut problems = Vec::new();
    let mut parameters = Vec::new();
    let root = match request.language {
        Language::Arm => {
            let parsed = bicep::json::parse(bump, text, file);
            problems.extend(few(parsed.problems));
            parsed.root
        }
        Language::Bicep => {
            let (root, found) = compile(bump, sources, request.files, file);
            problems.extend(found);
            root
        }
        Language::BicepParameters => {
            let found = compile_parameters(bump, sources, request.files, file);
            problems.extend(found.problems);
            match found.template {
                Some(template) => {
                    parameters.push(found.root);
                    let (root, found) = compile(bump, sources, request.files, template);
                    problems.extend(found);
                    root
                }
                None => Node {
                    span: Span {
                        file,
                        start: 0,
                        end: 0,
                    },
                    kind: NodeKind::Null,
                },
            }
        }
    };
    for (name, text) in request.parameters {
        let (file, text) = add(sources, name, text);
        let parsed = bicep::json::parse(bump, text, file);
        problems.extend(few(parsed.problems));
        parameters.push(parsed.root);
    }
    Loaded {
        root: bump.alloc(root),
        parameters,
        problems,
    }
}

impl<'a> Loaded<'a> {
    /// With what it is deployed.
    #[must_use]
    pub fn options(&self) -> Options<'a> {
        Options {
            parameter_files: self.parameters.clone(),
            ..Options::default()
        }
    }
}

/// Evaluates a template and makes resources of what it would deploy.
#[must_use]
pub fn read(reader: &Reader<'_>, request: &Request<'_>) -> Reading {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let loaded = load(&bump, &mut sources, request);
    if matches!(loaded.root.kind, NodeKind::Null)
        && loaded.problems.is_empty()
        && matches!(request.language, Language::BicepParameters)
    {
        let reason = "a parameter file for no template";
        return failed(Status::NotRelevant, 1, request.origin, reason, None);
    }
    let source = Template {
        root: loaded.root,
        language: match request.language {
            Language::Arm => "arm",
            _ => "bicep",
        },
        parameters: &loaded.parameters,
        problems: &loaded.problems,
    };
    evaluated(
        reader,
        request.origin,
        &mut sources,
        Some(&source),
        &mut |sources, assumed| {
            let options = Options {
                assume: assumed.into_iter().collect(),
                ..loaded.options()
            };
            expand(&bump, sources, request.files, loaded.root, options)
        },
    )
}

/// What a template says of itself.
pub struct Template<'t, 'a> {
    /// Its tree.
    pub root: &'t Node<'a>,
    /// `arm`, `bicep` or `terraform`.
    pub language: &'static str,
    /// Its parameter files.
    pub parameters: &'t [Node<'a>],
    /// What is wrong with its texts.
    pub problems: &'t [Problem],
}

/// What is assumed of one open parameter.
pub type Assumed<'a> = (&'a str, Assumption<'a>);

/// Makes resources of whatever an evaluation gives. `evaluate` is asked once as it is, and once for
/// each value that an open parameter can have.
pub fn evaluated<'a>(
    reader: &Reader<'_>,
    origin: &Origin,
    sources: &mut Sources<'a>,
    template: Option<&Template<'_, 'a>>,
    evaluate: &mut dyn FnMut(&mut Sources<'a>, Option<Assumed<'a>>) -> Expansion<'a>,
) -> Reading {
    let base = evaluate(sources, None);
    read_base(reader, origin, sources, template, base, evaluate)
}

/// The same, with the first evaluation done: what declares the template may come out of it.
pub fn read_base<'a>(
    reader: &Reader<'_>,
    origin: &Origin,
    sources: &mut Sources<'a>,
    template: Option<&Template<'_, 'a>>,
    mut base: Expansion<'a>,
    evaluate: &mut dyn FnMut(&mut Sources<'a>, Option<Assumed<'a>>) -> Expansion<'a>,
) -> Reading {
    let problems = template.map_or(&[][..], |template| template.problems);
    leave_broken(&mut base, problems);
    let secrets = template.map_or_else(Vec::new, |template| {
        super::secrets::places(template.root, template.parameters)
    });
    let masked = template.map_or_else(Masked::default, |template| {
        Masked::of(template.root, template.parameters, sources)
    });
    let declared = template.map(|template| Declared {
        root: template.root,
        language: template.language,
        secrets: &secrets,
        outputs: Some(&base.outputs),
    });
    let Written {
        doc,
        found,
        templates,
        hang,
    } = write::write(
        &base,
        sources,
        reader.symbols,
        declared.as_ref(),
        &masked,
        true,
    );
    let keys = keys(&base);
    let mut reading = settle(doc, found, reader.defaults, reader.symbols, origin);
    let tried = base
        .open
        .iter()
        .filter(|parameter| !parameter.secret && hang.contains(parameter.name))
        .take(PARAMETERS);
    for parameter in tried {
        for (value, assumption) in assumptions(parameter) {
            let mut other = evaluate(sources, Some((parameter.name, assumption)));
            leave_broken(&mut other, problems);
            let written = write::write(&other, sources, reader.symbols, None, &masked, false);
            let same = keys_of(&keys, &self::keys(&other));
            let settled = settle(
                written.doc,
                written.found,
                reader.defaults,
                reader.symbols,
                origin,
            );
            add_case(
                &mut reading,
                parameter.name,
                value.as_deref(),
                &same,
                &settled,
            );
        }
    }
    let said = Said {
        sources,
        secrets: &secrets,
    };
    finish(&mut reading, templates, problems, &base, &said, origin);
    reading
}

/// A resource with a mistake in its text is not judged: what it seems to lack may stand in the part
/// that could not be read.
fn leave_broken(expansion: &mut Expansion<'_>, problems: &[Problem]) {
    let mistakes: Vec<Span> = problems
        .iter()
        .filter(|problem| problem.kind == ProblemKind::Syntax)
        .map(|problem| problem.span)
        .collect();
    if mistakes.is_empty() {
        return;
    }
    expansion.resources.retain(|resource| {
        !mistakes.iter().any(|mistake| {
            mistake.file == resource.span.file
                && (resource.span.start..=resource.span.end).contains(&mistake.start)
        })
    });
}

/// Adds the template's own resource, the ledger's entries of what went wrong, and waivers.
fn finish(
    reading: &mut Reading,
    templates: Vec<(NodeId, Box<str>)>,
    problems: &[Problem],
    base: &Expansion<'_>,
    said: &Said<'_, '_>,
    origin: &Origin,
) {
    let doc = reading
        .resources
        .first()
        .map(|resource| Arc::clone(&resource.doc))
        .or_else(|| reading.doc.clone());
    for ((root, path), doc) in templates.into_iter().zip(doc.iter().cycle()) {
        reading.resources.push(Resource {
            name: template::name(&path),
            doc: Arc::clone(doc),
            root,
            origin: origin.clone(),
            provider_managed: false,
            implied: false,
            refers: None,
            certificates: None,
            azure: None,
        });
    }
    let mut seen: BTreeSet<(Span, String)> = BTreeSet::new();
    for problem in problems.iter().chain(&base.problems) {
        if seen.insert((problem.span, problem.message.clone())) {
            reading.entries.push(entry(problem, said, origin));
        }
    }
    if reading.entries.is_empty() {
        let reason = "it makes no Azure resource";
        let nothing = failed(Status::NotRelevant, 1, origin, reason, None);
        reading.entries.extend(nothing.entries);
    }
    if let Some(doc) = doc {
        reading.waivers = waiver::inline_in_templates(&doc);
    }
}

/// With what problems are told.
struct Said<'s, 'a> {
    sources: &'s Sources<'a>,
    /// Where secrets stand that were written down: no message repeats them.
    secrets: &'s [Span],
}

fn entry(problem: &Problem, said: &Said<'_, '_>, origin: &Origin) -> DocumentEntry {
    let (line, column) = said.sources.line_column(problem.span);
    let message = super::secrets::scrubbed(&problem.message, said.secrets, said.sources);
    let path = said
        .sources
        .get(problem.span.file)
        .map_or_else(|| origin.path.clone(), |source| source.name.into());
    DocumentEntry {
        live: false,
        path,
        index: origin.index,
        line,
        status: match problem.kind {
            // An expression that Azure would refuse was read; what it comes to is not known.
            ProblemKind::Unresolved | ProblemKind::Expression => Status::Unresolved,
            ProblemKind::Unmapped => Status::UnknownKind,
            ProblemKind::Syntax => Status::Unreadable,
        },
        // What has no form in Azure is named by itself.
        kind: match problem.kind {
            ProblemKind::Unmapped => message.split('`').nth(1).map(Into::into),
            _ => None,
        },
        namespace: None,
        name: None,
        reason: Some(format!("line {line}, column {column}: {message}").into()),
        help: problem.help.as_deref().map(Into::into),
    }
}

/// The values that are tried for an open parameter, each as text; `None` stands for any other.
fn assumptions<'a>(parameter: &OpenParameter<'a>) -> Vec<(Option<String>, Assumption<'a>)> {
    let mut values: Vec<Value<'a>> = Vec::new();
    let closed = !parameter.allowed.is_empty();
    let candidates = if closed {
        &parameter.allowed
    } else {
        &parameter.compared
    };
    for value in candidates.iter().take(VALUES) {
        if text_of(value).is_some() && !values.iter().any(|known| text_of(known) == text_of(value))
        {
            values.push(*value);
        }
    }
    let mut tried: Vec<(Option<String>, Assumption<'a>)> = values
        .iter()
        .map(|value| (text_of(value), Assumption::Is(*value)))
        .collect();
    if !tried.is_empty() && (!closed || candidates.len() > VALUES) {
        tried.push((None, Assumption::NoneOf(values)));
    }
    tried
}

fn text_of(value: &Value<'_>) -> Option<String> {
    match value.data {
        Data::Str(text) => Some(text.to_owned()),
        Data::Bool(value) => Some(value.to_string()),
        Data::Int(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What tells a resource in another evaluation: where it is declared, through which modules, and
/// which one of a loop it is.
type Key = (Span, Vec<Span>, usize);

fn keys(expansion: &Expansion<'_>) -> Vec<Key> {
    let mut count: BTreeMap<(Span, Vec<Span>), usize> = BTreeMap::new();
    expansion
        .resources
        .iter()
        .filter(|resource| !resource.existing)
        .map(|resource| {
            let through = resource.through.to_vec();
            let nth = count.entry((resource.span, through.clone())).or_default();
            *nth += 1;
            (resource.span, through, *nth)
        })
        .collect()
}

/// For each resource of one evaluation its number in another.
fn keys_of(base: &[Key], other: &[Key]) -> Vec<Option<usize>> {
    let places: BTreeMap<&Key, usize> = other
        .iter()
        .enumerate()
        .map(|(at, key)| (key, at))
        .collect();
    base.iter().map(|key| places.get(key).copied()).collect()
}

/// Notes for every resource what it is in one case.
fn add_case(
    reading: &mut Reading,
    parameter: &str,
    value: Option<&str>,
    same: &[Option<usize>],
    other: &Reading,
) {
    let places = places(other);
    for (index, resource) in reading.resources.iter_mut().enumerate() {
        // Children written inside their parents come after everything that is declared; they
        // are found by their ids, or the parent's case speaks for them.
        let found = match same.get(index) {
            Some(at) => at.and_then(|at| other.resources.get(at)),
            None => twin(resource, other, &places),
        };
        let doc = found
            .map(|found| Arc::clone(&found.doc))
            .or_else(|| other.doc.clone())
            .unwrap_or_else(|| Arc::clone(&resource.doc));
        let root = found.map(|found| found.root);
        if let Some(azure) = &mut resource.azure {
            azure.cases.push(Case {
                parameter: parameter.into(),
                value: value.map(Into::into),
                doc,
                root,
            });
        }
    }
}

/// Where resources stand in a reading, by their ids.
fn places(reading: &Reading) -> HashMap<&str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, resource) in reading.resources.iter().enumerate() {
        if let Some(azure) = &resource.azure {
            places.entry(&azure.id).or_default().push(at);
        }
    }
    places
}

fn twin<'o>(
    resource: &Resource,
    other: &'o Reading,
    places: &HashMap<&str, Vec<usize>>,
) -> Option<&'o Resource> {
    let id = &*resource.azure.as_ref()?.id;
    places
        .get(id)?
        .iter()
        .filter_map(|at| other.resources.get(*at))
        .find(|other| other.name.kind == resource.name.kind)
}
