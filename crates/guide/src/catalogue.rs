//! The guide as a whole: loads every file, compiles every expression, refuses what does not fit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::{Env, Program, Slot, Step, Symbols};
use model::prune::INDEXED;
use model::{GuidelineId, Ref};

use crate::front_matter::{self, Fields, GuideError};
use crate::guideline::{
    ASPECTS, Applies, Chapter, Check, Each, Example, ExampleFile, Expectation, Framework,
    Guideline, Needs, PRINCIPLES, Topic, TopicOption,
};
use crate::markdown::{self, Block, Fence, Page};
use crate::message::Template;
use crate::{fix, variables};

/// Everything under `guide/`, compiled.
#[derive(Debug)]
pub struct Guide {
    /// In the order of their ids.
    pub guidelines: Vec<Guideline>,
    /// In the order of chapters and topics.
    pub topics: Vec<Topic>,
    /// In order.
    pub chapters: Vec<Chapter>,
    /// In the order of their ids.
    pub frameworks: Vec<Framework>,
    /// Attack edges: id and title.
    pub edges: BTreeMap<Box<str>, Box<str>>,
    /// What guidelines may read as `params.KEY`.
    pub params: Vec<Param>,
    /// The definitions behind `variables.NAME`.
    pub variables: Vec<Variable>,
    /// The slots of the root variables.
    pub roots: Roots,
    /// Names of fields that programs mention; readers number their keys by it.
    pub symbols: Symbols,
    /// Data files by path below `guide/`.
    pub data: BTreeMap<Box<str>, Box<str>>,
    /// The front page.
    pub front: Box<str>,
    /// The text of each guideline's file.
    pub sources: BTreeMap<Box<str>, Box<str>>,
    env: Env,
}

/// A key of the configuration that guidelines read.
#[derive(Debug)]
pub struct Param {
    /// The key.
    pub key: Box<str>,
    /// What it is for.
    pub about: Box<str>,
    /// YAML flow, when it has a default.
    pub default: Option<Box<str>>,
}

/// A shared definition.
#[derive(Debug)]
pub struct Variable {
    /// The name behind `variables.`.
    pub name: Box<str>,
    /// Its definition.
    pub program: Program,
    /// Its slot.
    pub slot: Slot,
}

/// The slots of the root variables.
#[derive(Debug, Clone, Copy)]
pub struct Roots {
    /// the Kubernetes object
    pub object: Slot,
    /// null outside admission
    pub old_object: Slot,
    /// operation, namespace
    pub request: Slot,
    /// the object's Namespace
    pub namespace_object: Slot,
    /// the configuration
    pub params: Slot,
    /// what analyses derived
    pub facts: Slot,
    /// the Azure resource
    pub resource: Slot,
    /// reserved: only a running API server answers
    pub authorizer: Slot,
}

impl Guide {
    /// The guide that the binary carries, and what is wrong with it (nothing, in a tested build).
    #[must_use]
    pub fn builtin() -> (Self, Vec<GuideError>) {
        Self::load(
            crate::builtin::FILES
                .iter()
                .map(|(path, text)| (*path, *text)),
        )
    }

    /// A guide from its files, and everything that is wrong with them. What is wrong is left out.
    #[must_use]
    pub fn load<'t>(files: impl Iterator<Item = (&'t str, &'t str)>) -> (Self, Vec<GuideError>) {
        let mut errors = Vec::new();
        let mut env = Env::new();
        let roots = Roots {
            object: env.declare("object"),
            old_object: env.declare("oldObject"),
            request: env.declare("request"),
            namespace_object: env.declare("namespaceObject"),
            params: env.declare("params"),
            facts: env.declare("facts"),
            resource: env.declare("resource"),
            authorizer: env.declare("authorizer"),
        };
        let mut guide = Self {
            guidelines: Vec::new(),
            topics: Vec::new(),
            chapters: Vec::new(),
            frameworks: Vec::new(),
            edges: BTreeMap::new(),
            params: Vec::new(),
            variables: Vec::new(),
            roots,
            symbols: Symbols::default(),
            data: BTreeMap::new(),
            front: Box::default(),
            sources: BTreeMap::new(),
            env: Env::new(),
        };
        let mut pages = Vec::new();
        for (path, text) in files {
            let parts: Vec<&str> = path.split('/').collect();
            let loaded = match parts.as_slice() {
                ["variables.cel"] => guide.load_variables(text, &mut env),
                ["README.md"] => {
                    guide.front = text.into();
                    Ok(())
                }
                ["frameworks", name] => guide.load_framework(name, text),
                ["data", name] => guide.load_data(name, text),
                [chapter, "README.md"] => guide.load_chapter(chapter, text),
                [chapter, topic, "README.md"] => guide.load_topic(chapter, topic, text),
                [chapter, topic, name] if name.ends_with(".md") => {
                    pages.push((path, *chapter, *topic, *name, text));
                    Ok(())
                }
                _ => Err((
                    1,
                    "a file of the guide stands in chapter/topic/, frameworks/ or data/".to_owned(),
                )),
            };
            if let Err((line, message)) = loaded {
                errors.push(GuideError {
                    file: path.into(),
                    line,
                    message,
                });
            }
        }
        for (path, chapter, topic, name, text) in pages {
            match guide.load_guideline(path, chapter, topic, name, text, &mut env) {
                Ok(guideline) => {
                    guide.sources.insert(path.into(), text.into());
                    guide.guidelines.push(guideline);
                }
                Err((line, message)) => errors.push(GuideError {
                    file: path.into(),
                    line,
                    message,
                }),
            }
        }
        guide.guidelines.sort_by(|a, b| a.id.cmp(&b.id));
        guide.chapters.sort_by_key(|chapter| chapter.order);
        let chapter_order: BTreeMap<Box<str>, u32> = guide
            .chapters
            .iter()
            .map(|chapter| (chapter.id.clone(), chapter.order))
            .collect();
        guide.topics.sort_by_key(|topic| {
            (
                chapter_order
                    .get(&topic.chapter)
                    .copied()
                    .unwrap_or(u32::MAX),
                topic.order,
                topic.id.clone(),
            )
        });
        guide.frameworks.sort_by(|a, b| a.id.cmp(&b.id));
        guide.duplicates(&mut errors);
        for (key, _) in INDEXED {
            env.intern(key);
        }
        guide.symbols = env.symbols().clone();
        guide.env = env;
        (guide, errors)
    }

    /// Compiles another text of a guideline that the guide already has. It must not mention
    /// fields that the guide does not mention.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn reload(&self, file: &str, text: &str) -> Result<Guideline, GuideError> {
        let error = |(line, message)| GuideError {
            file: file.into(),
            line,
            message,
        };
        match file.split('/').collect::<Vec<_>>().as_slice() {
            [chapter, topic, name] => self
                .load_guideline(file, chapter, topic, name, text, &mut self.env.clone())
                .map_err(error),
            _ => Err(error((
                1,
                "a guideline stands in chapter/topic/".to_owned(),
            ))),
        }
    }

    /// Compiles an expression over the guide's variables.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(&self, source: &str) -> Result<Program, cel::CompileError> {
        self.env.clone().compile(source)
    }

    /// Compiles an expression that also sees these names.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile_in(&self, source: &str, locals: &[&str]) -> Result<Program, cel::CompileError> {
        self.env.clone().compile_in(source, locals)
    }

    /// A guideline by its id.
    #[must_use]
    pub fn guideline(&self, id: &str) -> Option<&Guideline> {
        self.guidelines
            .binary_search_by(|guideline| (*guideline.id.0).cmp(id))
            .ok()
            .and_then(|index| self.guidelines.get(index))
    }

    /// The number of the shared definition behind a slot.
    pub(crate) fn variable_at(&self, slot: Slot) -> Option<usize> {
        self.variables
            .iter()
            .position(|variable| variable.slot == slot)
    }

    /// A framework by its id.
    #[must_use]
    pub fn framework(&self, id: &str) -> Option<&Framework> {
        self.frameworks
            .iter()
            .find(|framework| &*framework.id == id)
    }

    /// A topic by chapter and folder name.
    #[must_use]
    pub fn topic(&self, chapter: &str, id: &str) -> Option<&Topic> {
        self.topics
            .iter()
            .find(|topic| &*topic.chapter == chapter && &*topic.id == id)
    }

    fn duplicates(&self, errors: &mut Vec<GuideError>) {
        for pair in self.guidelines.windows(2) {
            if let [first, second] = pair
                && first.id == second.id
            {
                errors.push(GuideError {
                    file: second.file.clone(),
                    line: 1,
                    message: format!("the id `{}` is also that of {}", second.id, first.file),
                });
            }
        }
    }

    fn load_variables(&mut self, text: &str, env: &mut Env) -> Result<(), (u32, String)> {
        for (name, source, line) in variables::split(text) {
            let program = env
                .compile(&source)
                .map_err(|error| (line, error.to_string()))?;
            let slot = env.declare_member("variables", &name);
            self.variables.push(Variable {
                name: name.into(),
                program,
                slot,
            });
        }
        Ok(())
    }

    fn load_data(&mut self, name: &str, text: &str) -> Result<(), (u32, String)> {
        match name {
            "edges.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let fields = Fields::of(item, &["id", "title"])
                        .map_err(|message| (place(item), message))?;
                    let id = fields
                        .text("id")
                        .map_err(|message| (place(item), message))?;
                    let title = fields
                        .text("title")
                        .map_err(|message| (place(item), message))?;
                    self.edges.insert(id.into(), title.into());
                }
            }
            "params.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let located = |message| (place(item), message);
                    let fields = Fields::of(item, &["key", "about", "default"]).map_err(located)?;
                    let default = fields.get("default").map(|value| {
                        let span = value.span();
                        doc.text()
                            .get(span.start as usize..span.end as usize)
                            .unwrap_or_default()
                            .trim()
                            .into()
                    });
                    self.params.push(Param {
                        key: fields.text("key").map_err(located)?.into(),
                        about: fields.text("about").map_err(located)?.into(),
                        default,
                    });
                }
            }
            _ => {}
        }
        self.data.insert(name.into(), text.into());
        Ok(())
    }

    fn load_framework(&mut self, name: &str, text: &str) -> Result<(), (u32, String)> {
        let doc = front_matter::read(text, 1)?;
        let root = doc.root();
        let at = |message| (1, message);
        let fields = Fields::of(
            root,
            &[
                "framework",
                "title",
                "version",
                "source",
                "note",
                "controls",
            ],
        )
        .map_err(at)?;
        let id = fields.text("framework").map_err(at)?;
        if name.strip_suffix(".yaml") != Some(id) {
            return Err((1, format!("`framework: {id}` must equal the file's name")));
        }
        let mut controls = Vec::new();
        for control in root.get("controls").into_iter().flat_map(Ref::items) {
            let located = |message| (place(control), message);
            let fields =
                Fields::of(control, &["id", "title", "note", "section"]).map_err(located)?;
            let id = fields
                .texts("id")
                .map_err(located)?
                .into_iter()
                .next()
                .unwrap_or_default();
            if controls.iter().any(|(known, _)| *known == id) {
                return Err(located(format!("the control `{id}` occurs twice")));
            }
            controls.push((id, fields.text("title").map_err(located)?.into()));
        }
        self.frameworks.push(Framework {
            id: id.into(),
            title: fields.text("title").map_err(at)?.into(),
            version: fields
                .texts("version")
                .map_err(at)?
                .into_iter()
                .next()
                .unwrap_or_default(),
            controls,
        });
        Ok(())
    }

    fn load_chapter(&mut self, chapter: &str, text: &str) -> Result<(), (u32, String)> {
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        let title = doc
            .root()
            .get("title")
            .and_then(Ref::as_str)
            .ok_or_else(|| at("`title` is missing".to_owned()))?;
        let order = doc
            .root()
            .get("order")
            .and_then(Ref::as_int)
            .unwrap_or_default();
        self.chapters.push(Chapter {
            id: chapter.into(),
            title: title.into(),
            order: u32::try_from(order).unwrap_or(u32::MAX),
            prose: prose_of(text),
        });
        Ok(())
    }

    fn load_topic(&mut self, chapter: &str, topic: &str, text: &str) -> Result<(), (u32, String)> {
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        let known = [
            "topic",
            "title",
            "seed",
            "rating",
            "order",
            "question",
            "options",
            "references",
            "note",
        ];
        let fields = Fields::of(doc.root(), &known).map_err(at)?;
        let id = fields.text("topic").map_err(at)?;
        if id != topic {
            return Err((2, format!("`topic: {id}` must equal the folder's name")));
        }
        let mut options = Vec::new();
        for option in doc.root().get("options").into_iter().flat_map(Ref::items) {
            options.push(topic_option(option).map_err(|message| (place(option), message))?);
        }
        let rating = match fields.get("rating").and_then(Ref::as_str) {
            Some("none") => None,
            _ => fields.severity("rating").map_err(at)?,
        };
        self.topics.push(Topic {
            id: id.into(),
            chapter: chapter.into(),
            title: fields.text("title").map_err(at)?.into(),
            seed: fields.texts("seed").map_err(at)?,
            rating,
            order: fields
                .get("order")
                .and_then(Ref::as_int)
                .and_then(|order| u32::try_from(order).ok())
                .unwrap_or(99),
            question: fields.text("question").map_err(at)?.into(),
            options,
            references: fields.references().map_err(at)?,
            prose: prose_of(text),
        });
        Ok(())
    }

    fn load_guideline(
        &self,
        path: &str,
        chapter: &str,
        topic: &str,
        name: &str,
        text: &str,
        env: &mut Env,
    ) -> Result<Guideline, (u32, String)> {
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        const KNOWN: [&str; 14] = [
            "id",
            "title",
            "severity",
            "aspect",
            "principles",
            "applies",
            "when",
            "each",
            "cost",
            "frameworks",
            "cuts",
            "references",
            "sensitive",
            "note",
        ];
        let fields = Fields::of(doc.root(), &KNOWN).map_err(at)?;
        let id = fields.text("id").map_err(at)?;
        if name.strip_suffix(".md") != Some(id) {
            return Err((2, format!("`id: {id}` must equal the file's name")));
        }
        let each = fields
            .get("each")
            .and_then(Ref::as_str)
            .map(|each| {
                split_each(each).ok_or_else(|| at("`each` is `EXPRESSION as NAME`".to_owned()))
            })
            .transpose()?;
        let locals: Vec<&str> = each.iter().map(|(_, name)| *name).collect();
        let each = each
            .map(|(source, name)| {
                let program = env
                    .compile(source)
                    .map_err(|error| at(format!("in `each`: {error}")))?;
                Ok::<_, (u32, String)>(Each {
                    program,
                    name: name.into(),
                })
            })
            .transpose()?;
        let when = fields
            .get("when")
            .and_then(Ref::as_str)
            .map(|source| {
                env.compile_in(source, &locals)
                    .map_err(|error| at(format!("in `when`: {error}")))
            })
            .transpose()?;
        let aspect = one_of(fields.text("aspect").map_err(at)?, &ASPECTS, "aspect").map_err(at)?;
        let principles = fields.texts("principles").map_err(at)?;
        for principle in &principles {
            one_of(principle, &PRINCIPLES, "principle").map_err(at)?;
        }
        if principles.is_empty() {
            return Err(at("`principles` names at least one".to_owned()));
        }
        let mut guideline = Guideline {
            id: GuidelineId(Arc::from(id)),
            title: fields.text("title").map_err(at)?.into(),
            severity: fields
                .severity("severity")
                .map_err(at)?
                .ok_or_else(|| at("`severity` is missing".to_owned()))?,
            aspect,
            principles,
            applies: applies(fields.texts("applies").map_err(at)?).map_err(at)?,
            when,
            each,
            checks: Vec::new(),
            cost: fields.cost().map_err(at)?,
            frameworks: self.mappings(fields.get("frameworks")).map_err(at)?,
            cuts: self
                .known_edges(fields.texts("cuts").map_err(at)?)
                .map_err(at)?,
            references: fields.references().map_err(at)?,
            fix: None,
            sensitive: fields
                .get("sensitive")
                .and_then(Ref::as_bool)
                .unwrap_or(false),
            prose: Box::default(),
            examples: Vec::new(),
            chapter: chapter.into(),
            topic: topic.into(),
            file: path.into(),
            needs: Needs::default(),
        };
        read_body(&page, &mut guideline, env, &locals)?;
        guideline.needs = self.needs(&guideline).map_err(at)?;
        Ok(guideline)
    }

    fn mappings(&self, value: Option<Ref<'_>>) -> Result<Vec<(Box<str>, Box<str>)>, String> {
        let mut mappings = Vec::new();
        for (framework, _, controls) in value.into_iter().flat_map(Ref::entries) {
            let Some(known) = self.framework(framework) else {
                let names: Vec<&str> = self
                    .frameworks
                    .iter()
                    .map(|framework| &*framework.id)
                    .collect();
                return Err(format!(
                    "unknown framework `{framework}`; known are: {}",
                    names.join(", ")
                ));
            };
            let controls = front_matter::texts(controls).ok_or_else(|| {
                format!("the controls of `{framework}` must be an id or a list of ids")
            })?;
            for control in controls {
                if !known.controls.iter().any(|(id, _)| *id == control) {
                    return Err(format!("`{framework}` has no control `{control}`"));
                }
                mappings.push((framework.into(), control));
            }
        }
        Ok(mappings)
    }

    fn known_edges(&self, cuts: Vec<Box<str>>) -> Result<Vec<Box<str>>, String> {
        match cuts.iter().find(|edge| !self.edges.contains_key(*edge)) {
            Some(edge) => Err(format!(
                "unknown edge `{edge}`; edges stand in data/edges.yaml"
            )),
            None => Ok(cuts),
        }
    }

    /// What a guideline reads, from the references of its programs and of the variables they use.
    fn needs(&self, guideline: &Guideline) -> Result<Needs, String> {
        let mut needs = Needs::default();
        let mut params = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut facts = false;
        let mut resource = false;
        let mut queue: Vec<&Program> = guideline.programs().collect();
        needs.minimum_minor = queue
            .iter()
            .map(|program| program.minimum_minor())
            .max()
            .unwrap_or_default();
        while let Some(program) = queue.pop() {
            for reference in program.references() {
                let key = |index: usize| match reference.path.get(index) {
                    Some(Step::Key(key)) => Some(&**key),
                    _ => None,
                };
                if reference.path.is_empty() && !reference.whole {
                    continue; // a step on the way to what is read
                }
                if reference.root == self.roots.params {
                    let Some(name) = key(0) else {
                        return Err("`params` is read key by key".to_owned());
                    };
                    if !self.params.iter().any(|param| &*param.key == name) {
                        return Err(format!("`params.{name}` is not in data/params.yaml"));
                    }
                    params.insert(Box::from(name));
                } else if reference.root == self.roots.facts && key(0) != Some("kubernetes") {
                    needs.joined = true;
                    facts = true;
                    if matches!(key(0), Some("all" | "namespace"))
                        && let Some(kind) = key(1)
                    {
                        kinds.insert(Box::from(kind));
                    }
                    if key(0).is_none_or(|name| !crate::context::FACTS.contains(&name)) {
                        return Err(format!("`facts.{}` does not exist", key(0).unwrap_or("?")));
                    }
                } else if reference.root == self.roots.namespace_object {
                    needs.joined = true;
                    kinds.insert("Namespace".into());
                } else if reference.root == self.roots.resource {
                    resource = true;
                } else if let Some(variable) = self
                    .variables
                    .iter()
                    .find(|variable| variable.slot == reference.root)
                    && seen.insert(variable.name.clone())
                {
                    needs.minimum_minor = needs.minimum_minor.max(variable.program.minimum_minor());
                    queue.push(&variable.program);
                }
            }
        }
        let azure_kind = |name: &str| name.contains('/');
        let about: Vec<&str> = match &guideline.applies {
            Applies::Kinds(names) => names.iter().map(|name| &**name).collect(),
            Applies::Workload | Applies::Estate => Vec::new(),
        };
        needs.azure =
            kinds.iter().any(|kind| azure_kind(kind)) || about.iter().any(|name| azure_kind(name));
        needs.kubernetes = guideline.applies == Applies::Workload
            || about.iter().any(|name| !azure_kind(name))
            || kinds.iter().any(|kind| !azure_kind(kind));
        needs.joined |= guideline.applies == Applies::Estate || about.contains(&"Namespace");
        needs.params = params.into_iter().collect();
        needs.kinds = kinds.into_iter().collect();
        needs.not_enforceable = if needs.azure || resource {
            Some("it reads Azure resources")
        } else if guideline.applies == Applies::Estate {
            Some("it judges the cluster as a whole, not one object")
        } else if facts {
            Some("it reads other objects of the cluster")
        } else {
            None
        };
        Ok(needs)
    }
}

fn place(value: Ref<'_>) -> u32 {
    value.doc.line_column(value.span().start).0
}

fn one_of(word: &str, known: &[(&str, &str)], what: &str) -> Result<Box<str>, String> {
    if known.iter().any(|(id, _)| *id == word) {
        return Ok(word.into());
    }
    let words: Vec<&str> = known.iter().map(|(id, _)| *id).collect();
    Err(format!(
        "unknown {what} `{word}`; known are: {}",
        words.join(", ")
    ))
}

fn applies(words: Vec<Box<str>>) -> Result<Applies, String> {
    match words.as_slice() {
        [] => Err("`applies` is missing".to_owned()),
        [word] if &**word == "workload" => Ok(Applies::Workload),
        [word] if &**word == "estate" => Ok(Applies::Estate),
        _ => match words.iter().find(|word| {
            !word.contains('/')
                && !word.contains('.')
                && model::kinds::builtin_groups(word).is_empty()
        }) {
            Some(word) => Err(format!(
                "`applies: {word}` is no kind of Kubernetes; write its group behind it: `{word}.GROUP`"
            )),
            None => Ok(Applies::Kinds(words)),
        },
    }
}

fn split_each(each: &str) -> Option<(&str, &str)> {
    let (source, name) = each.rsplit_once(" as ")?;
    let name = name.trim();
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then_some((source.trim(), name))
}

fn topic_option(option: Ref<'_>) -> Result<TopicOption, String> {
    let known = [
        "id",
        "title",
        "cuts",
        "price",
        "effort_days",
        "upkeep_hours",
        "requires",
        "conflicts",
        "recognised",
        "trade_off",
    ];
    let fields = Fields::of(option, &known)?;
    let mut price = Vec::new();
    for meter in option.get("price").into_iter().flat_map(Ref::items) {
        let fields = Fields::of(meter, &["meter", "units"])?;
        price.push((fields.text("meter")?.into(), fields.number("units")?));
    }
    Ok(TopicOption {
        id: fields.text("id")?.into(),
        title: fields.text("title")?.into(),
        cuts: fields.texts("cuts")?,
        price,
        effort_days: fields.number("effort_days")?,
        upkeep_hours: fields.number("upkeep_hours")?,
        requires: fields.texts("requires")?,
        conflicts: fields.texts("conflicts")?,
        recognised: fields
            .get("recognised")
            .and_then(Ref::as_str)
            .map(Into::into),
        trade_off: fields.text("trade_off")?.into(),
    })
}

/// What stands behind the front matter.
fn prose_of(text: &str) -> Box<str> {
    text.splitn(3, "---\n")
        .nth(2)
        .unwrap_or_default()
        .trim()
        .into()
}

fn read_body(
    page: &Page,
    guideline: &mut Guideline,
    env: &mut Env,
    locals: &[&str],
) -> Result<(), (u32, String)> {
    let mut prose = Vec::new();
    let mut pending: Option<&Fence> = None;
    let mut examples = false;
    for block in &page.blocks {
        match block {
            Block::Prose(text) if !examples && guideline.checks.is_empty() => {
                prose.push(text.as_str())
            }
            Block::Heading(_, title) if title == "Examples" => examples = true,
            Block::Fence(fence) if fence.info == "cel" => {
                if pending.is_some() {
                    return Err((
                        fence.line,
                        "a check is followed by its message (a `>` quote)".to_owned(),
                    ));
                }
                pending = Some(fence);
            }
            Block::Quote(text, line) => {
                let Some(fence) = pending.take() else {
                    return Err((*line, "a message stands right after its check".to_owned()));
                };
                let program = env
                    .compile_in(fence.text.trim(), locals)
                    .map_err(|error| (fence.line, error.to_string()))?;
                let message = Template::compile(text, env, locals)
                    .map_err(|error| (*line, format!("in the message: {error}")))?;
                guideline.checks.push(Check {
                    program,
                    message,
                    line: fence.line,
                });
            }
            Block::Fence(fence) if fence.info.starts_with("fix") => {
                let item = locals.first().copied();
                guideline.fix = Some(
                    fix::parse(&fence.info, &fence.text, item)
                        .map_err(|message| (fence.line, message))?,
                );
            }
            Block::Fence(fence) => read_example(fence, &mut guideline.examples)?,
            Block::Prose(_) | Block::Heading(..) => {}
        }
    }
    guideline.prose = prose.join("\n\n").into();
    if guideline.checks.is_empty() {
        return Err((
            1,
            "there is no check (a `cel` block and a `>` message)".to_owned(),
        ));
    }
    if guideline.prose.is_empty() {
        return Err((1, "there is no text that says why".to_owned()));
    }
    for wanted in [Expectation::Bad, Expectation::Good] {
        if !guideline
            .examples
            .iter()
            .any(|example| example.expectation == wanted)
        {
            return Err((
                1,
                "at least one `bad` and one `good` example are needed".to_owned(),
            ));
        }
    }
    Ok(())
}

fn read_example(fence: &Fence, examples: &mut Vec<Example>) -> Result<(), (u32, String)> {
    let mut words = fence.info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let kind = words.next().unwrap_or_default();
    if !["yaml", "json"].contains(&language) || kind.is_empty() {
        return Ok(());
    }
    let file = ExampleFile {
        language: language.into(),
        text: fence.text.as_str().into(),
        line: fence.line,
    };
    let expectation = match kind {
        "bad" => Expectation::Bad,
        "good" => Expectation::Good,
        "unknown" => Expectation::Unknown,
        "na" => Expectation::NotApplicable,
        "with" => {
            let Some(example) = examples.last_mut() else {
                return Err((fence.line, "`with` continues an example".to_owned()));
            };
            example.files.push(file);
            return Ok(());
        }
        other => {
            return Err((
                fence.line,
                format!("`{other}` is none of bad, good, unknown, na, with"),
            ));
        }
    };
    let rest = fence.info.splitn(3, ' ').nth(2).unwrap_or_default().trim();
    let (rest, params) = match rest.split_once("params=") {
        Some((before, params)) => (before, Some(params.trim().into())),
        None => (rest, None),
    };
    let mut example = Example {
        expectation,
        whole: false,
        kubernetes: None,
        params,
        files: vec![file],
    };
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            None if word == "whole" => example.whole = true,
            Some(("kubernetes", version)) => {
                example.kubernetes = Some(parse_minor(version).ok_or_else(|| {
                    (fence.line, format!("`{version}` is no Kubernetes version"))
                })?);
            }
            _ => {
                return Err((
                    fence.line,
                    format!("`{word}` is none of whole, kubernetes=1.N, params={{…}}"),
                ));
            }
        }
    }
    examples.push(example);
    Ok(())
}

/// The minor of `1.34`, `v1.34`, `1.34.2`.
#[must_use]
pub fn parse_minor(version: &str) -> Option<u8> {
    let rest = version.trim().trim_start_matches('v').strip_prefix("1.")?;
    let minor = rest.split('.').next()?;
    minor.parse().ok()
}
