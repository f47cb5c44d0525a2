//! Everything but guidelines: data files, frameworks, chapters, topics.

use cel::Env;
use model::Ref;

use super::{Guide, Param, place};
use crate::answers::Question;
use crate::front_matter::{self, Fields};
use crate::guideline::{Chapter, Framework, Topic};
use crate::markdown;
use crate::options::{Quantity, SharedCost, TopicOption};

impl Guide {
    pub(super) fn load_data(&mut self, name: &str, text: &str) -> Result<(), (u32, String)> {
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
            "quantities.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let quantity =
                        Quantity::read(item).map_err(|message| (place(item), message))?;
                    self.quantities.push(quantity);
                }
            }
            "entries.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    self.odds
                        .add(item)
                        .map_err(|message| (place(item), message))?;
                }
            }
            "shared.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let shared =
                        SharedCost::read(item).map_err(|message| (place(item), message))?;
                    self.shared.push(shared);
                }
            }
            "answers.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let question =
                        Question::read(item).map_err(|message| (place(item), message))?;
                    self.questions.push(question);
                }
            }
            "params.yaml" => {
                let doc = front_matter::read(text, 1)?;
                for item in doc.root().items() {
                    let located = |message| (place(item), message);
                    let fields = Fields::of(
                        item,
                        &["key", "about", "default", "given", "source", "seen"],
                    )
                    .map_err(located)?;
                    let text = |key| fields.get(key).and_then(Ref::as_str).map(Into::into);
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
                        given: text("given"),
                        default,
                        source: text("source"),
                        seen: text("seen"),
                    });
                }
            }
            _ => {}
        }
        self.data.insert(name.into(), text.into());
        Ok(())
    }

    pub(super) fn load_defaults(&mut self, text: &str) -> Result<(), (u32, String)> {
        self.defaults.add(front_matter::read(text, 1)?.root())
    }

    pub(super) fn load_framework(&mut self, name: &str, text: &str) -> Result<(), (u32, String)> {
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
            source: root
                .get("source")
                .map(front_matter::reference)
                .transpose()
                .map_err(at)?,
            note: fields
                .get("note")
                .and_then(Ref::as_str)
                .unwrap_or_default()
                .trim()
                .into(),
            controls,
        });
        Ok(())
    }

    pub(super) fn load_chapter(&mut self, chapter: &str, text: &str) -> Result<(), (u32, String)> {
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

    pub(super) fn load_topic(
        &mut self,
        chapter: &str,
        topic: &str,
        text: &str,
        env: &mut Env,
    ) -> Result<(), (u32, String)> {
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
            let located = |message| (place(option), message);
            options.push(TopicOption::read(option, topic, env).map_err(located)?);
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
            examples: super::guideline_file::read_option_examples(&page)?,
            references: fields.references().map_err(at)?,
            prose: topic_prose(text),
        });
        Ok(())
    }
}

/// What stands before the examples, which are tests.
fn topic_prose(text: &str) -> Box<str> {
    let prose = prose_of(text);
    match prose.split_once("\n## Examples\n") {
        Some((before, _)) => before.trim_end().into(),
        None => prose,
    }
}

/// What stands behind the front matter.
fn prose_of(text: &str) -> Box<str> {
    text.splitn(3, "---\n")
        .nth(2)
        .unwrap_or_default()
        .trim()
        .into()
}
