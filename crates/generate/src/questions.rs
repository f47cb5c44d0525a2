//! The questions that an intent answers: content of the guide, over the options of its topics.

use std::collections::BTreeSet;

use guide::front_matter::{self, Fields};
use guide::guideline::Topic;
use guide::options::TopicOption;
use guide::{Guide, GuideError};
use model::Ref;

use crate::intent::{Class, Intent, Profile};

/// The file below `guide/data`.
pub(crate) const FILE: &str = "questions.yaml";

/// The answer that no option is wanted.
pub(crate) const NONE: &str = "none";

/// All of them, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// In order.
    pub questions: Vec<Question>,
    /// What is accepted with an option.
    pub accepts: Vec<Accept>,
    /// Options that cannot be written beside each other, though the guide has nothing against it.
    pub excludes: Vec<Exclude>,
}

/// Something to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Stable name; the key in `decisions`.
    pub id: Box<str>,
    /// The topic whose options these are.
    pub topic: Box<str>,
    /// In words.
    pub asks: Box<str>,
    /// Several options may be chosen, or none.
    pub any: bool,
    /// Only asked where such a workload is wanted.
    pub when: Option<Class>,
    /// Options that can be written, without the topic.
    pub options: Vec<Box<str>>,
    /// What is written however it is answered.
    pub always: Vec<Box<str>>,
    /// What is taken where nobody says, by profile.
    defaults: [Vec<Box<str>>; 3],
}

/// What follows from a choice and is accepted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// `topic/option`; all of them must be chosen.
    pub options: Vec<Box<str>>,
    /// `topic/option`; none of them may be chosen.
    pub without: Vec<Box<str>>,
    /// Only where a workload uses this service.
    pub uses: Option<Box<str>>,
    /// Only where there is one environment, and it is called one of these.
    pub alone: Vec<Box<str>>,
    /// Only where no workload uses Azure or calls a name outside.
    pub quiet: bool,
    /// Only from this care on.
    pub from: Profile,
    /// Only where the intent names a hub, or only where it does not.
    pub hub: Option<bool>,
    /// What would fail.
    pub guideline: Box<str>,
    /// Which resources, as in `seawall.yaml`.
    pub resource: Option<Box<str>>,
    /// Which item of it.
    pub container: Option<Box<str>>,
    /// Only with this language of templates.
    pub language: Option<Box<str>>,
    /// Why that is so.
    pub reason: Box<str>,
}

/// Options that cannot be written beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// `topic/option`, twice.
    pub options: [Box<str>; 2],
    /// Why.
    pub because: Box<str>,
}

impl Questions {
    /// Those of a guide.
    ///
    /// # Errors
    /// What is wrong with the guide's file: an unknown key, or a topic or option that the guide does not have.
    pub fn of(guide: &Guide) -> Result<Self, GuideError> {
        let error = |line, message| GuideError {
            file: format!("data/{FILE}").into(),
            line,
            message,
        };
        let Some(text) = guide.data.get(FILE) else {
            return Err(error(1, "the guide has no questions".to_owned()));
        };
        let doc = front_matter::read(text, 1).map_err(|(line, message)| error(line, message))?;
        let root = doc.root();
        let at = |item: Ref<'_>, message| error(doc.line_column(item.span().start).0, message);
        Fields::of(root, &["questions", "accepts", "excludes"])
            .map_err(|message| error(1, message))?;
        let items = |key: &str| root.get(key).into_iter().flat_map(Ref::items);
        let mut questions = Vec::new();
        for item in items("questions") {
            questions.push(question(guide, item).map_err(|message| at(item, message))?);
        }
        let mut accepts = Vec::new();
        for item in items("accepts") {
            accepts.push(accept(guide, item).map_err(|message| at(item, message))?);
        }
        let mut excludes = Vec::new();
        for item in items("excludes") {
            excludes.push(exclude(guide, item).map_err(|message| at(item, message))?);
        }
        Ok(Self {
            questions,
            accepts,
            excludes,
        })
    }

    /// A question.
    #[must_use]
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| *question.id == *id)
    }

    /// What is set up however the questions are answered, as `topic/option`.
    pub(crate) fn always(&self) -> BTreeSet<String> {
        let each = self
            .questions
            .iter()
            .flat_map(|question| question.always.iter().map(|option| question.full(option)));
        each.collect()
    }
}

impl Question {
    /// An option of it as `topic/option`.
    #[must_use]
    pub fn full(&self, option: &str) -> String {
        format!("{}/{option}", self.topic)
    }

    /// Whether it is asked: something is wanted that it is about.
    #[must_use]
    pub fn is_asked(&self, intent: &Intent) -> bool {
        let mut workloads = intent.workloads.iter();
        self.when
            .is_none_or(|class| workloads.any(|workload| workload.class == class))
    }

    /// What is taken where nobody says, the best first.
    #[must_use]
    pub fn defaults(&self, profile: Profile) -> &[Box<str>] {
        let [development, production, regulated] = &self.defaults;
        match profile {
            Profile::Development => development,
            Profile::Production => production,
            Profile::Regulated => regulated,
        }
    }
}

/// An option of the guide by `topic/option`.
pub(crate) fn option<'g>(guide: &'g Guide, full: &str) -> Option<&'g TopicOption> {
    let (topic, id) = full.split_once('/')?;
    topic_of(guide, topic)?
        .options
        .iter()
        .find(|option| *option.id == *id)
}

pub(crate) fn topic_of<'g>(guide: &'g Guide, id: &str) -> Option<&'g Topic> {
    guide.topics.iter().find(|topic| *topic.id == *id)
}

fn question(guide: &Guide, item: Ref<'_>) -> Result<Question, String> {
    let known = [
        "id",
        "topic",
        "asks",
        "pick",
        "when",
        "options",
        "always",
        "development",
        "production",
        "regulated",
    ];
    let fields = Fields::of(item, &known)?;
    let id = fields.text("topic")?;
    let topic = topic_of(guide, id).ok_or_else(|| format!("there is no topic `{id}`"))?;
    let options = fields.texts("options")?;
    let always = fields.texts("always")?;
    let any = match fields.text("pick")? {
        "any" => true,
        "one" => false,
        _ => return Err("`pick` must be one or any".to_owned()),
    };
    for option in options.iter().chain(&always) {
        let is_none = **option == *NONE && !any;
        if !is_none && !topic.options.iter().any(|other| other.id == *option) {
            return Err(format!("`{id}` has no option `{option}`"));
        }
    }
    let default = |key: &str| -> Result<Vec<Box<str>>, String> {
        if fields.get(key).is_none() {
            return Ok(if any { Vec::new() } else { options.clone() });
        }
        let list = fields.texts(key)?;
        match list.iter().find(|option| !options.contains(option)) {
            Some(option) => Err(format!("`{option}` in `{key}` is not among the options")),
            None => Ok(list),
        }
    };
    Ok(Question {
        id: fields.text("id")?.into(),
        topic: id.into(),
        asks: match fields.get("asks") {
            Some(_) => fields.text("asks")?.into(),
            None => topic.question.clone(),
        },
        any,
        when: match fields.get("when").map(|_| fields.text("when")) {
            None => None,
            Some(Ok("web")) => Some(Class::Web),
            Some(Ok("untrusted")) => Some(Class::Untrusted),
            Some(_) => return Err("`when` must be web or untrusted".to_owned()),
        },
        defaults: [
            default("development")?,
            default("production")?,
            default("regulated")?,
        ],
        options,
        always,
    })
}

fn accept(guide: &Guide, item: Ref<'_>) -> Result<Accept, String> {
    let known = [
        "options",
        "without",
        "uses",
        "hub",
        "from",
        "alone",
        "quiet",
        "guideline",
        "resource",
        "container",
        "language",
        "reason",
    ];
    let fields = Fields::of(item, &known)?;
    let text = |key| {
        fields
            .get(key)
            .map(|_| fields.text(key).map(Into::into))
            .transpose()
    };
    let guideline = fields.text("guideline")?;
    if guide.guideline(guideline).is_none() {
        return Err(format!("there is no guideline `{guideline}`"));
    }
    let hub = match fields.get("hub").map(|_| fields.text("hub")) {
        None => None,
        Some(Ok("given")) => Some(true),
        Some(Ok("own")) => Some(false),
        Some(_) => return Err("`hub` must be given or own".to_owned()),
    };
    let from = match fields.get("from").map(|_| fields.text("from")) {
        None => Profile::Development,
        Some(Ok("production")) => Profile::Production,
        Some(Ok("regulated")) => Profile::Regulated,
        Some(_) => return Err("`from` must be production or regulated".to_owned()),
    };
    Ok(Accept {
        alone: fields.texts("alone")?,
        quiet: fields.get("quiet").and_then(Ref::as_bool).unwrap_or(false),
        from,
        hub,
        options: known_options(guide, &fields, "options")?,
        without: known_options(guide, &fields, "without")?,
        uses: text("uses")?,
        guideline: guideline.into(),
        resource: text("resource")?,
        container: text("container")?,
        language: text("language")?,
        reason: fields.text("reason")?.into(),
    })
}

fn exclude(guide: &Guide, item: Ref<'_>) -> Result<Exclude, String> {
    let fields = Fields::of(item, &["options", "because"])?;
    let options = known_options(guide, &fields, "options")?;
    Ok(Exclude {
        options: <[Box<str>; 2]>::try_from(options)
            .map_err(|_| "`options` must be two".to_owned())?,
        because: fields.text("because")?.into(),
    })
}

fn known_options(guide: &Guide, fields: &Fields<'_>, key: &str) -> Result<Vec<Box<str>>, String> {
    let options = fields.texts(key)?;
    match options.iter().find(|full| option(guide, full).is_none()) {
        Some(full) => Err(format!("there is no option `{full}`")),
        None => Ok(options),
    }
}
