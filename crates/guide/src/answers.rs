//! What fixes have to ask, since only the owner knows it: address ranges, groups, a workspace. The questions stand in
//! `data/answers.yaml`; fixes name them (`ask NAME`), and guidelines that need the same share a question.
//!
//! Nobody is asked here: this reads answers and says what is wrong with them. Secret values are never an answer.

use bumpalo::Bump;
use cel::{Budget, Env, Program, Slot, Symbols, Val};
use model::Ref;
use model::doc::{Dialect, Doc, DocBuilder};
use model::remedy::Wanted;
use serde_json::{Map, Value as Json};

use crate::catalogue::Guide;
use crate::context::Value;
use crate::front_matter::{self, Fields};
use crate::setting::to_json;

/// The key under which an answer holds for whatever is asked about.
pub const ANY: &str = "*";

/// A question whose answer only the owner of an estate knows.
#[derive(Debug)]
pub struct Question {
    /// As fixes, `seawall.yaml` and `--answer` call it.
    pub name: Box<str>,
    /// For people.
    pub asks: Box<str>,
    /// What it is asked about once each, for people: `image`. Nothing: it is asked once.
    pub about: Option<Box<str>>,
    /// How an answer is written.
    pub form: Form,
    /// What must be true of an `answer`, and how people say that.
    pub must: (Program, Box<str>),
    /// An answer that holds.
    pub example: Json,
    /// The names of fields that the program knows.
    symbols: Symbols,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// a text
    Text,
    /// a whole number
    Number,
    /// texts
    List,
    /// keys and texts
    Map,
}

impl Form {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "number" => Self::Number,
            "list" => Self::List,
            "map" => Self::Map,
            _ => return None,
        })
    }

    /// Whether a value is written so.
    fn is_of(self, value: &Json) -> bool {
        let text = |value: &Json| value.as_str().is_some_and(|text| !text.is_empty());
        match (self, value) {
            (Self::Text, value) => text(value),
            (Self::Number, value) => value.is_u64(),
            (Self::List, Json::Array(items)) => !items.is_empty() && items.iter().all(text),
            (Self::Map, Json::Object(entries)) => !entries.is_empty() && entries.values().all(text),
            _ => false,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::List => "a list of texts",
            Self::Map => "a map of texts",
        }
    }
}

impl Question {
    /// What is asked about one thing.
    #[must_use]
    pub fn asks_about(&self, about: Option<&str>) -> String {
        self.asks.replace("{}", about.unwrap_or_default())
    }

    /// Reads one of `data/answers.yaml`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(item: Ref<'_>) -> Result<Self, String> {
        let mut env = Env::new();
        let fields = Fields::of(
            item,
            &["name", "asks", "about", "form", "must", "says", "example"],
        )?;
        let form =
            Form::parse(fields.text("form")?).ok_or("`form` must be text, number, list or map")?;
        let program = env
            .compile_in(fields.text("must")?, &["answer"])
            .map_err(|error| format!("in `must`: {error}"))?;
        let example = fields.get("example").ok_or("`example` is missing")?;
        let about = fields.get("about").and_then(Ref::as_str);
        let question = Self {
            name: fields.text("name")?.into(),
            asks: fields.text("asks")?.into(),
            about: about.map(Into::into),
            form,
            must: (program, fields.text("says")?.into()),
            example: to_json(example),
            symbols: env.symbols().clone(),
        };
        let example = question.example.clone();
        question
            .checked(example)
            .map_err(|why| format!("the example does not hold: {why}"))?;
        Ok(question)
    }

    /// An answer as it was typed.
    ///
    /// # Errors
    /// What it must be.
    pub fn typed(&self, text: &str) -> Result<Json, String> {
        let text = text.trim();
        let flow = || -> Option<Json> {
            let doc = front_matter::read(text, 1).ok()?;
            Some(to_json(doc.root()))
        };
        let value = match self.form {
            Form::Text => Json::from(text),
            Form::Number => text.parse::<u64>().map_or(Json::Null, Json::from),
            Form::List if !text.starts_with('[') => {
                let items = text.split(',').map(str::trim);
                items.filter(|item| !item.is_empty()).collect()
            }
            Form::Map if !text.starts_with('{') => {
                let entries = text.split(',').map(|entry| {
                    let (key, value) = entry.split_once([':', '='])?;
                    Some((key.trim().to_owned(), Json::from(value.trim())))
                });
                entries
                    .collect::<Option<Map<_, _>>>()
                    .map_or(Json::Null, Json::Object)
            }
            Form::List | Form::Map => flow().unwrap_or_default(),
        };
        self.checked(value)
    }

    /// An answer, when it holds.
    ///
    /// # Errors
    /// What it must be.
    pub fn checked(&self, value: Json) -> Result<Json, String> {
        let (must, says) = &self.must;
        let wrong = |what: &str| format!("`{}` must be {what}", self.name);
        if has_secret(&value) {
            return Err(format!(
                "the answer to `{}` looks like a secret: no fix writes one",
                self.name
            ));
        }
        if !self.form.is_of(&value) {
            return Err(wrong(&format!("{}: {says}", self.form.words())));
        }
        let doc = doc(&value, &self.symbols)?;
        let (bump, budget) = (Bump::new(), Budget::new(Budget::POLICY));
        let holds = must.eval(&Nothing, &[Val::Node(doc.root())], &bump, &budget);
        match holds.resolve() {
            Val::Bool(true) => Ok(value),
            _ => Err(wrong(says)),
        }
    }

    /// How its example is typed.
    #[must_use]
    pub fn shown_example(&self) -> String {
        match &self.example {
            Json::String(text) => text.clone(),
            Json::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                items.join(",")
            }
            Json::Object(entries) => {
                let entries = entries.iter();
                let entries: Vec<String> = entries
                    .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                    .collect();
                entries.join(",")
            }
            other => other.to_string(),
        }
    }
}

fn has_secret(value: &Json) -> bool {
    match value {
        Json::String(text) => model::secrets::is_secret_value(text),
        // Answers are no deeper than this.
        Json::Array(items) => items
            .iter()
            .filter_map(Json::as_str)
            .any(model::secrets::is_secret_value),
        Json::Object(entries) => entries
            .values()
            .filter_map(Json::as_str)
            .any(model::secrets::is_secret_value),
        _ => false,
    }
}

/// The question behind a name; the sentence where there is none.
///
/// # Errors
/// Which there are.
pub fn question<'g>(guide: &'g Guide, name: &str) -> Result<&'g Question, String> {
    let found = guide.questions.iter().find(|own| *own.name == *name);
    found.ok_or_else(|| {
        let known: Vec<&str> = guide.questions.iter().map(|own| &*own.name).collect();
        format!("no fix asks for `{name}`; known are: {}", known.join(", "))
    })
}

/// Answers that were given: by their names, those asked about several things by these too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given(Map<String, Json>);

impl Given {
    /// What `answers` of `seawall.yaml` says.
    ///
    /// # Errors
    /// What is wrong with which.
    pub fn read(guide: &Guide, answers: Ref<'_>) -> Result<Self, String> {
        if !answers.is_map() {
            return Err("`answers` must be a map of names to answers".to_owned());
        }
        let mut given = Self::default();
        for (name, _, value) in answers.entries() {
            let question = question(guide, name)?;
            match &question.about {
                None => given.put(name, None, question.checked(to_json(value))?),
                Some(about) if !value.is_map() => {
                    return Err(format!(
                        "`{name}` must be a map of one answer for each {about}, or for all: `\"*\"`"
                    ));
                }
                Some(_) => {
                    for (about, _, value) in value.entries() {
                        let value = question.checked(to_json(value))?;
                        given.put(name, Some(about), value);
                    }
                }
            }
        }
        Ok(given)
    }

    /// Takes an answer as it was typed: `NAME=VALUE`, `NAME[ABOUT]=VALUE`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn type_in(&mut self, guide: &Guide, text: &str) -> Result<(), String> {
        // What is asked about may hold `=`.
        let (name, about, value) = match text.split_once('[') {
            Some((name, rest)) if !name.contains('=') => {
                let (about, value) = rest
                    .split_once("]=")
                    .ok_or_else(|| format!("`{text}` must be NAME[ABOUT]=VALUE"))?;
                (name, Some(about), value)
            }
            _ => {
                let (name, value) = text
                    .split_once('=')
                    .ok_or_else(|| format!("`{text}` must be NAME=VALUE"))?;
                (name, None, value)
            }
        };
        let question = question(guide, name)?;
        match (&question.about, about) {
            (None, Some(_)) => return Err(format!("`{name}` is asked once: say {name}=VALUE")),
            (Some(of), None) => {
                return Err(format!(
                    "`{name}` is asked about each {of}: say {name}[{}]=VALUE, or {name}[*]=VALUE for all",
                    of.to_uppercase().replace(' ', "-")
                ));
            }
            _ => {}
        }
        let value = question.typed(value)?;
        self.put(name, about, value);
        Ok(())
    }

    /// Takes the answers of another, which count more.
    pub fn merge(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            match (self.0.get_mut(name), value) {
                (Some(Json::Object(own)), Json::Object(new)) => {
                    own.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                _ => {
                    self.0.insert(name.clone(), value.clone());
                }
            }
        }
    }

    /// Takes an answer that holds.
    pub fn put(&mut self, name: &str, about: Option<&str>, value: Json) {
        let Some(about) = about else {
            self.0.insert(name.to_owned(), value);
            return;
        };
        let entry = self.0.entry(name).or_insert_with(|| Map::new().into());
        if let Json::Object(entries) = entry {
            entries.insert(about.to_owned(), value);
        }
    }

    /// As fixes read them.
    ///
    /// # Errors
    /// When they are too many to be read.
    pub fn answers(&self, guide: &Guide) -> Result<Answers, String> {
        Ok(Answers {
            doc: Some(self.doc(guide)?),
            examples: None,
        })
    }

    fn doc(&self, guide: &Guide) -> Result<Doc, String> {
        doc(&Json::Object(self.0.clone()), &guide.symbols)
    }
}

/// Answers as fixes read them.
#[derive(Debug, Default)]
pub struct Answers {
    doc: Option<Doc>,
    /// The example of each question, which is taken where nobody answered.
    examples: Option<Doc>,
}

impl Answers {
    /// What tests of fixes answer: what is given, else the example of each question.
    ///
    /// # Errors
    /// What is wrong with what is given.
    pub fn examples(guide: &Guide, given: Option<Ref<'_>>) -> Result<Self, String> {
        let given = given.map(|given| Given::read(guide, given)).transpose()?;
        let examples = guide.questions.iter();
        let examples = examples.map(|own| (own.name.to_string(), own.example.clone()));
        Ok(Self {
            doc: given.map(|given| given.doc(guide)).transpose()?,
            examples: Some(doc(&Json::Object(examples.collect()), &guide.symbols)?),
        })
    }

    /// The answer to a question.
    pub(crate) fn to(&self, name: &str, about: Option<&str>) -> Option<Ref<'_>> {
        let given = self.doc.as_ref().and_then(|doc| doc.root().get(name));
        let given = match about {
            Some(about) => given.and_then(|own| own.get(about).or_else(|| own.get(ANY))),
            None => given,
        };
        given.or_else(|| self.examples.as_ref()?.root().get(name))
    }
}

fn doc(value: &Json, symbols: &Symbols) -> Result<Doc, String> {
    let text = value.to_string();
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, text.as_str().into(), 1);
    let root = yaml::parse(&text, &yaml::Limits::default(), &mut builder)
        .map_err(|error| format!("in answers: {}", error.message))?
        .ok_or("answers are empty")?;
    Ok(builder.finish(root))
}

/// What a fix asks.
#[derive(Debug)]
pub struct Asks {
    /// Which question.
    pub name: Box<str>,
    /// What gives the text that it is asked about.
    pub about: Option<Program>,
    /// What the estate itself has for an answer, where nobody gave one.
    pub known: Option<Program>,
}

impl Asks {
    /// The expressions in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.about.iter().chain(&self.known)
    }

    /// What is asked for, where nobody has said it.
    pub(crate) fn wanted(&self, about: Option<&str>) -> Wanted {
        Wanted {
            name: self.name.clone(),
            about: about.map(Into::into),
        }
    }
}

/// A scope without variables.
struct Nothing;

impl<'a> cel::Scope<'a, Ref<'a>> for Nothing {
    fn variable(&self, _: Slot) -> Value<'a> {
        Val::Null
    }

    fn definition(&self, _: Slot) -> Option<&'a Program> {
        None
    }
}
