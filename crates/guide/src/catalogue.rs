//! The guide as a whole: loads every file, compiles every expression, refuses what does not fit.

use std::collections::BTreeMap;

use cel::{Env, Program, Slot, Symbols};
use model::Ref;
use model::azure::Defaults;
use model::managed::Managed;
use model::prune::INDEXED;
use model::schema::Schema;

use crate::answers::Question;
use crate::detection::Detection;
use crate::front_matter::GuideError;
use crate::guideline::{Chapter, Framework, Guideline, Topic};
use crate::odds::Odds;
use crate::options::{Quantity, SharedCost};
use crate::renewals::Renewal;
use crate::variables;

mod content;
mod detection_file;
mod guideline_file;
mod needs;

/// Everything under `guide/`, compiled.
#[derive(Debug)]
pub struct Guide {
    /// In the order of their ids.
    pub guidelines: Vec<Guideline>,
    /// Guidelines over what happened, in the order of their ids.
    pub detections: Vec<Detection>,
    /// In the order of chapters and topics.
    pub topics: Vec<Topic>,
    /// In order.
    pub chapters: Vec<Chapter>,
    /// In the order of their ids.
    pub frameworks: Vec<Framework>,
    /// Attack edges: id and title.
    pub edges: BTreeMap<Box<str>, Box<str>>,
    /// The pages of those that are steps.
    pub edge_pages: crate::edges::EdgePages,
    /// What ends or has to be renewed, in the order of their ids.
    pub renewals: Vec<Renewal>,
    /// How much each kind of entry is to be expected.
    pub odds: Odds,
    /// What the prices of options scale with, in the order of `data/quantities.yaml`.
    pub quantities: Vec<Quantity>,
    /// What several options need and pay for once, in the order of `data/shared.yaml`.
    pub shared: Vec<SharedCost>,
    /// What guidelines may read as `params.KEY`.
    pub params: Vec<Param>,
    /// What fixes may ask, in the order of `data/answers.yaml`.
    pub questions: Vec<Question>,
    /// The definitions behind `variables.NAME`.
    pub variables: Vec<Variable>,
    /// The slots of the root variables.
    pub roots: Roots,
    /// Names of fields that programs mention; readers number their keys by it.
    pub symbols: Symbols,
    /// What Azure fills in where a template says nothing.
    pub defaults: Defaults,
    /// Data files by path below `guide/`.
    pub data: BTreeMap<Box<str>, Box<str>>,
    /// The front page.
    pub front: Box<str>,
    /// The text of each guideline's file.
    pub sources: BTreeMap<Box<str>, Box<str>>,
    env: Env,
}

/// Which pages of the guide are loaded, beside its data, frameworks and variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Everything.
    All,
    /// All but detections, for what looks into no audit log.
    Guidelines,
    /// Detections, for what writes them down: to ask them takes guidelines too (`facts.fails`).
    Detections,
    /// None, for what judges nothing.
    None,
}

impl Pages {
    fn has(self, path: &str) -> bool {
        match path.split_once('/') {
            Some(("detections", _)) => matches!(self, Self::All | Self::Detections),
            Some(("data" | "frameworks", _)) | None => true,
            Some(_) => matches!(self, Self::All | Self::Guidelines),
        }
    }
}

/// A key of the configuration that guidelines read.
#[derive(Debug)]
pub struct Param {
    /// The key.
    pub key: Box<str>,
    /// What it is for.
    pub about: Box<str>,
    /// How it is given, where that is not in the configuration.
    pub given: Option<Box<str>>,
    /// YAML flow, when it has a default.
    pub default: Option<Box<str>>,
    /// Where a default that is a fact was read.
    pub source: Option<Box<str>>,
    /// When (ISO date).
    pub seen: Option<Box<str>>,
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
    /// what fixes asked
    pub answers: Slot,
    /// what analyses derived
    pub facts: Slot,
    /// the Azure resource
    pub resource: Slot,
    /// Azure resources along ids
    pub links: Slot,
    /// reserved: only a running API server answers
    pub authorizer: Slot,
    /// what a detection looks at
    pub event: Slot,
}

impl Guide {
    /// The guide that the binary carries, and what is wrong with it (nothing, in a tested build).
    #[must_use]
    pub fn builtin() -> (Self, Vec<GuideError>) {
        Self::builtin_with(Pages::All)
    }

    /// The same with some of its pages: what is not asked for takes most of the time that loading takes.
    #[must_use]
    pub fn builtin_with(pages: Pages) -> (Self, Vec<GuideError>) {
        let files = crate::builtin::FILES
            .iter()
            .filter(|(path, _)| pages.has(path));
        Self::load(files.map(|(path, text)| (*path, *text)))
    }

    /// How objects that AKS manages are recognised (`data/provider-managed.yaml`).
    #[must_use]
    pub fn managed(&self) -> Managed {
        self.data
            .get("provider-managed.yaml")
            .and_then(|text| crate::front_matter::read(text, 1).ok())
            .map_or_else(Managed::default, |doc| Managed::from_data(doc.root()))
    }

    /// The types that objects are held against (`data/kubernetes-types.txt`).
    #[must_use]
    pub fn schema(&self) -> Option<Schema> {
        let text = self.data.get("kubernetes-types.txt");
        text.map(|text| Schema::parse(text))
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
            answers: env.declare("answers"),
            facts: env.declare("facts"),
            resource: env.declare("resource"),
            links: env.declare("links"),
            authorizer: env.declare("authorizer"),
            event: env.declare("event"),
        };
        let mut guide = Self {
            guidelines: Vec::new(),
            detections: Vec::new(),
            topics: Vec::new(),
            chapters: Vec::new(),
            frameworks: Vec::new(),
            edges: BTreeMap::new(),
            edge_pages: BTreeMap::new(),
            renewals: Vec::new(),
            odds: Odds::default(),
            quantities: Vec::new(),
            shared: Vec::new(),
            params: Vec::new(),
            questions: Vec::new(),
            variables: Vec::new(),
            roots,
            symbols: Symbols::default(),
            defaults: Defaults::default(),
            data: BTreeMap::new(),
            front: Box::default(),
            sources: BTreeMap::new(),
            env: Env::new(),
        };
        let (mut pages, mut topics, mut detections) = (Vec::new(), Vec::new(), Vec::new());
        let mut renewals = Vec::new();
        for (path, text) in files {
            let parts: Vec<&str> = path.split('/').collect();
            let loaded = match parts.as_slice() {
                ["variables.cel"] | ["detections", "variables.cel"] => guide.load_variables(text, &mut env),
                ["README.md"] => {
                    guide.front = text.into();
                    Ok(())
                }
                ["frameworks", name] => guide.load_framework(name, text),
                ["data", name] => guide.load_data(name, text),
                ["data", "arm-defaults", _] => guide.load_defaults(text),
                ["detections", name] => {
                    detections.push((path, *name, text));
                    Ok(())
                }
                ["edges", name] => guide.load_edge(path, name, text),
                ["renewals", name] => {
                    renewals.push((path, *name, text));
                    Ok(())
                }
                [chapter, "README.md"] => guide.load_chapter(chapter, text),
                [chapter, topic, "README.md"] => {
                    topics.push((path, *chapter, *topic, text));
                    Ok(())
                }
                [chapter, topic, name] if name.ends_with(".md") => {
                    pages.push((path, *chapter, *topic, *name, text));
                    Ok(())
                }
                _ => Err((
                    1,
                    "a file of the guide stands in chapter/topic/, detections/, edges/, renewals/, frameworks/ or data/"
                        .to_owned(),
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
        for (path, name, text) in detections {
            match guide.load_detection(path, name, text, &mut env) {
                Ok(detection) => {
                    guide.sources.insert(path.into(), text.into());
                    guide.detections.push(detection);
                }
                Err((line, message)) => errors.push(GuideError {
                    file: path.into(),
                    line,
                    message,
                }),
            }
        }
        for (path, chapter, topic, text) in topics {
            if let Err((line, message)) = guide.load_topic(chapter, topic, text, &mut env) {
                errors.push(GuideError {
                    file: path.into(),
                    line,
                    message,
                });
            }
        }
        // Behind `variables.cel`, which they read.
        for (path, name, text) in renewals {
            if let Err((line, message)) = guide.load_renewal(path, name, text, &mut env) {
                errors.push(GuideError {
                    file: path.into(),
                    line,
                    message,
                });
            }
        }
        guide.compile_choices(&mut env, &mut errors);
        guide.guidelines.sort_by(|a, b| a.id.cmp(&b.id));
        guide.detections.sort_by(|a, b| a.id.cmp(&b.id));
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
        for key in INDEXED.iter().map(|(key, _)| *key).chain([
            "id",
            "name",
            "type",
            "properties",
            "parentId",
            "principal",
            "path",
        ]) {
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

    /// Compiles another text of a detection, as [`Guide::reload`] does of a guideline.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn reload_detection(&self, file: &str, text: &str) -> Result<Detection, GuideError> {
        let name = file.rsplit('/').next().unwrap_or(file);
        self.load_detection(file, name, text, &mut self.env.clone())
            .map_err(|(line, message)| GuideError {
                file: file.into(),
                line,
                message,
            })
    }

    /// A detection by its id.
    #[must_use]
    pub fn detection(&self, id: &str) -> Option<&Detection> {
        self.detections
            .iter()
            .find(|detection| &*detection.id == id)
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

    /// The number of a guideline in [`Guide::guidelines`].
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u16> {
        self.guidelines
            .binary_search_by(|guideline| (*guideline.id.0).cmp(id))
            .ok()
            .map(|number| number as u16)
    }

    /// The number of the shared definition behind a slot.
    #[must_use]
    pub fn variable_at(&self, slot: Slot) -> Option<usize> {
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
        for detection in &self.detections {
            if let Some(guideline) = self.guideline(&detection.id) {
                errors.push(GuideError {
                    file: detection.file.clone(),
                    line: 1,
                    message: format!("the id is also that of {}", guideline.file),
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
}

fn place(value: Ref<'_>) -> u32 {
    value.doc.line_column(value.span().start).0
}

/// The minor of `1.34`, `v1.34`, `1.34.2`.
#[must_use]
pub fn parse_minor(version: &str) -> Option<u8> {
    let rest = version.trim().trim_start_matches('v').strip_prefix("1.")?;
    let minor = rest.split('.').next()?;
    minor.parse().ok()
}
