//! One detection from its file: front matter, checks, message, what to do next, examples.

use std::fmt::Write as _;

use cel::{Env, Program, Step};
use model::Ref;

use super::Guide;
use super::guideline_file::one_of;
use crate::detection::{Detection, EventExample, Log, Memory, Trigger, seconds, triggers};
use crate::front_matter::{self, Fields};
use crate::guideline::{ASPECTS, Expectation};
use crate::markdown::{self, Block, Fence, Page};
use crate::message::Template;

/// The names below `facts` that detections read.
const FACTS: [&str; 5] = ["fails", "hidden", "identity", "realIdentity", "removes"];

type Wrong = (u32, String);

impl Guide {
    pub(super) fn load_detection(
        &self,
        path: &str,
        name: &str,
        text: &str,
        env: &mut Env,
    ) -> Result<Detection, Wrong> {
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        const KNOWN: [&str; 15] = [
            "id",
            "title",
            "severity",
            "aspect",
            "applies",
            "looks_at",
            "then",
            "by",
            "window",
            "count",
            "distinct",
            "first_seen",
            "mitre",
            "frameworks",
            "references",
        ];
        let fields = Fields::of(doc.root(), &KNOWN).map_err(at)?;
        let id = fields.text("id").map_err(at)?;
        if name.strip_suffix(".md") != Some(id) {
            return Err((2, format!("`id: {id}` must equal the file's name")));
        }
        let log = match fields.text("applies").map_err(at)? {
            "event" => Log::Audit,
            "activity" => Log::Activity,
            other => {
                return Err(at(format!(
                    "`applies: {other}` is neither event nor activity"
                )));
            }
        };
        let compile = |env: &mut Env, key: &str, source: &str| {
            env.compile(source)
                .map_err(|error| at(format!("in `{key}`: {error}")))
        };
        let mut by = Vec::new();
        for source in fields.texts("by").map_err(at)? {
            by.push(compile(env, "by", &source)?);
        }
        let distinct = match fields.get("distinct").and_then(Ref::as_str) {
            Some(source) => Some(compile(env, "distinct", source)?),
            None => None,
        };
        let read = |key: &str| -> Result<Vec<Trigger>, Wrong> {
            let mut all = Vec::new();
            for text in fields.texts(key).map_err(at)? {
                all.extend(triggers(log, &text).map_err(at)?);
            }
            Ok(all)
        };
        let (on, then) = (read("looks_at")?, read("then")?);
        if on.is_empty() {
            return Err(at("`looks_at` says which events are asked about".to_owned()));
        }
        let body = read_body(&page, env)?;
        let mut checks = body.checks.into_iter();
        let (Some(first), second) = (checks.next(), checks.next()) else {
            return Err((1, "there is no check (a `cel` block)".to_owned()));
        };
        let remembered = Remembered {
            window: fields.get("window").and_then(Ref::as_str),
            count: fields.get("count").and_then(Ref::as_int),
            first_seen: fields.get("first_seen").and_then(Ref::as_int),
            distinct,
        };
        let ((check, line), on, memory) = match (second, then.is_empty()) {
            (None, true) => (first, on, remembered.memory().map_err(at)?),
            (Some(second), false) => {
                let window = remembered.seconds().map_err(at)?;
                let check = first.0;
                (second, then, Memory::Sequence { window, on, check })
            }
            _ => {
                return Err(at(
                    "a sequence has `then` and a second `cel` block".to_owned()
                ));
            }
        };
        if matches!(memory, Memory::None) != by.is_empty() {
            return Err(at("`by` groups what is remembered: it needs window and count, then, or first_seen, and these need it".to_owned()));
        }
        let mut detection = Detection {
            id: id.into(),
            title: fields.text("title").map_err(at)?.into(),
            severity: fields
                .severity("severity")
                .map_err(at)?
                .ok_or_else(|| at("`severity` is missing".to_owned()))?,
            aspect: one_of(fields.text("aspect").map_err(at)?, &ASPECTS, "aspect").map_err(at)?,
            log,
            looks_at: on,
            check,
            line,
            message: body.message,
            memory,
            by,
            mitre: fields.texts("mitre").map_err(at)?,
            frameworks: self.mappings(fields.get("frameworks")).map_err(at)?,
            references: fields.references().map_err(at)?,
            prose: body.prose.into(),
            next: body.next.into(),
            examples: body.examples,
            file: path.into(),
        };
        self.known_techniques(&mut detection.mitre).map_err(at)?;
        self.only_of_events(&detection).map_err(at)?;
        Ok(detection)
    }

    fn known_techniques(&self, ids: &mut [Box<str>]) -> Result<(), String> {
        match ids.iter().find(|id| self.technique(id).is_none()) {
            Some(id) => Err(format!("`{id}` is not in data/attack-techniques.yaml")),
            None if ids.is_empty() => Err("`mitre` names at least one technique".to_owned()),
            None => Ok(()),
        }
    }

    /// The title of a technique of MITRE ATT&CK.
    #[must_use]
    pub fn technique(&self, id: &str) -> Option<Box<str>> {
        let text = self.data.get("attack-techniques.yaml")?;
        let doc = front_matter::read(text, 1).ok()?;
        let all = doc.root().get("techniques")?;
        all.get(id).and_then(Ref::as_str).map(Into::into)
    }

    /// Refuses what no event has: an event is not an estate.
    fn only_of_events(&self, detection: &Detection) -> Result<(), String> {
        let roots = &self.roots;
        let mut queue: Vec<&Program> = detection.programs().collect();
        let mut seen = Vec::new();
        while let Some(program) = queue.pop() {
            for reference in program.references() {
                let root = reference.root;
                if [
                    roots.resource,
                    roots.links,
                    roots.namespace_object,
                    roots.authorizer,
                ]
                .contains(&root)
                {
                    return Err("an event has no `resource`, `links`, `namespaceObject`".to_owned());
                }
                if root == roots.facts
                    && let Some(Step::Key(key)) = reference.path.first()
                    && !FACTS.contains(&&**key)
                {
                    return Err(format!("of an event there is no `facts.{key}`"));
                }
                if let Some(index) = self.variable_at(root)
                    && !seen.contains(&index)
                {
                    seen.push(index);
                    queue.extend(self.variables.get(index).map(|variable| &variable.program));
                }
            }
        }
        Ok(())
    }
}

/// The keys that say what is remembered.
struct Remembered<'a> {
    window: Option<&'a str>,
    count: Option<i64>,
    first_seen: Option<i64>,
    distinct: Option<Program>,
}

impl Remembered<'_> {
    fn seconds(&self) -> Result<u32, String> {
        self.window
            .and_then(seconds)
            .ok_or_else(|| "`window` is a time such as 10m".to_owned())
    }

    fn memory(self) -> Result<Memory, String> {
        let number = |number: i64| u32::try_from(number).ok().filter(|number| *number > 0);
        match (self.count, self.first_seen) {
            (None, None) if self.window.is_none() => Ok(Memory::None),
            (Some(count), None) => Ok(Memory::Threshold {
                window: self.seconds()?,
                count: number(count).ok_or("`count` is a number of events")?,
                distinct: self.distinct,
            }),
            (None, Some(days)) if self.window.is_none() => Ok(Memory::FirstSeen {
                days: number(days).ok_or("`first_seen` is a number of days")?,
            }),
            _ => Err("`window` goes with `count` or `then`, `first_seen` alone".to_owned()),
        }
    }
}

struct Body {
    prose: String,
    next: String,
    checks: Vec<(Program, u32)>,
    message: Template,
    examples: Vec<EventExample>,
}

fn read_body(page: &Page, env: &mut Env) -> Result<Body, Wrong> {
    let (mut prose, mut next) = (String::new(), String::new());
    let mut checks = Vec::new();
    let mut message = None;
    let mut examples = Vec::new();
    let mut section = "";
    for block in &page.blocks {
        match block {
            Block::Heading(_, title) => section = title,
            Block::Fence(fence) if fence.info == "cel" => {
                let program = env
                    .compile(fence.text.trim())
                    .map_err(|error| (fence.line, error.to_string()))?;
                checks.push((program, fence.line));
            }
            Block::Quote(text, line) => {
                let template = Template::compile(text, env, &[])
                    .map_err(|error| (*line, format!("in the message: {error}")))?;
                message = Some(template);
            }
            Block::Fence(fence) if fence.info.starts_with("yaml ") => {
                examples.push(example(fence)?);
            }
            Block::Fence(fence) if section == "What to do next" => {
                let _ = write!(next, "```{}\n{}```\n\n", fence.info, fence.text);
            }
            Block::Prose(text) if section == "What to do next" => {
                let _ = write!(next, "{text}\n\n");
            }
            Block::Prose(text) if section.is_empty() => {
                let _ = write!(prose, "{text}\n\n");
            }
            Block::Prose(_) | Block::Fence(_) => {}
        }
    }
    let missing = |what: &str| (1, format!("there is no {what}"));
    if prose.trim().is_empty() {
        return Err(missing("text that says why"));
    }
    if next.trim().is_empty() {
        return Err(missing("section `What to do next`"));
    }
    for wanted in [Expectation::Bad, Expectation::Good] {
        if !examples
            .iter()
            .any(|one: &EventExample| one.expectation == wanted)
        {
            return Err(missing("`bad` or no `good` example"));
        }
    }
    Ok(Body {
        prose: prose.trim().to_owned(),
        next: next.trim().to_owned(),
        checks,
        message: message.ok_or_else(|| missing("message (a `>` quote)"))?,
        examples,
    })
}

fn example(fence: &Fence) -> Result<EventExample, Wrong> {
    let mut words = fence.info.split_whitespace().skip(1);
    let expectation = match words.next() {
        Some("bad") => Expectation::Bad,
        Some("good") => Expectation::Good,
        other => {
            let word = other.unwrap_or_default();
            return Err((fence.line, format!("`{word}` is neither bad nor good")));
        }
    };
    let mut times = 1;
    for word in words {
        times = word
            .strip_prefix("times=")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| (fence.line, format!("`{word}` is not times=N")))?;
    }
    Ok(EventExample {
        expectation,
        times,
        text: fence.text.as_str().into(),
        line: fence.line,
    })
}
