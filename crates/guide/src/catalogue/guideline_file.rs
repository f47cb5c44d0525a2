//! One guideline from its file: front matter, checks, messages, fix, examples.

use std::ops::Range;
use std::sync::Arc;

use cel::Env;
use model::{GuidelineId, Ref};

use super::{Guide, parse_minor};
use crate::fix;
use crate::front_matter::{self, Fields};
use crate::guideline::{
    ASPECTS, Applies, Check, Each, Example, ExampleFile, Expectation, Guideline, Mapping, Needs,
    OptionExample, PRINCIPLES,
};
use crate::markdown::{self, Block, Fence, Page};
use crate::message::Template;

impl Guide {
    pub(super) fn load_guideline(
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
        const KNOWN: [&str; 15] = [
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
            "files_only",
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
                fix::split_each(each).ok_or_else(|| at("`each` is `EXPRESSION as NAME`".to_owned()))
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
            fixes: Vec::new(),
            by_hand: Vec::new(),
            sensitive: fields
                .get("sensitive")
                .and_then(Ref::as_bool)
                .unwrap_or(false),
            files_only: fields
                .get("files_only")
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

    pub(super) fn mappings(&self, value: Option<Ref<'_>>) -> Result<Vec<Mapping>, String> {
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
}

pub(super) fn one_of(word: &str, known: &[(&str, &str)], what: &str) -> Result<Box<str>, String> {
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

/// The checks that a fix is for: those above it, back to the fix before it, or those of that one, to which it is
/// then another way.
fn checks_above(guideline: &Guideline) -> Result<Range<usize>, String> {
    let to = guideline.checks.len();
    let fixes = guideline.fixes.last().map(|fix| &fix.checks);
    let by_hand = guideline.by_hand.last().map(|other| &other.checks);
    let last = fixes
        .into_iter()
        .chain(by_hand)
        .max_by_key(|range| range.end);
    match last {
        Some(last) if last.end == to => Ok(last.clone()),
        _ if to == 0 => Err("a fix stands behind the checks whose findings it cures".to_owned()),
        Some(last) => Ok(last.end..to),
        None => Ok(0..to),
    }
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
            Block::Fence(fence) if fence.info == "by-hand" => {
                let checks = checks_above(guideline).map_err(|message| (fence.line, message))?;
                let why = fence.text.split_whitespace().collect::<Vec<_>>().join(" ");
                guideline.by_hand.push(fix::ByHand {
                    checks,
                    why: why.into(),
                });
            }
            Block::Fence(fence) if fence.info.starts_with("fix") => {
                let item = locals.first().copied();
                let mut compile = |text: &str, own: Option<&str>| {
                    let names: Vec<&str> = locals.iter().copied().chain(own).collect();
                    env.compile_in(text, &names)
                        .map_err(|error| error.to_string())
                };
                let fix = fix::parse(&fence.info, &fence.text, item, &mut compile)
                    .map_err(|message| (fence.line, message))?;
                let checks = checks_above(guideline).map_err(|message| (fence.line, message))?;
                guideline.fixes.push(fix::Fix { checks, ..fix });
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
    let expectation = match kind {
        "bad" => Expectation::Bad,
        "good" => Expectation::Good,
        "unknown" => Expectation::Unknown,
        "na" => Expectation::NotApplicable,
        "with" => {
            let Some(example) = examples.last_mut() else {
                return Err((fence.line, "`with` continues an example".to_owned()));
            };
            example.files.push(example_file(fence, language));
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
    examples.push(example(fence, language, expectation, rest)?);
    Ok(())
}

/// The examples of a topic's README: ` ```yaml recognised OPTION… `, `not-recognised`, `unclear`;
/// `with` continues one. Several options are separated by commas.
pub(super) fn read_option_examples(page: &Page) -> Result<Vec<OptionExample>, (u32, String)> {
    let mut examples: Vec<OptionExample> = Vec::new();
    for block in &page.blocks {
        let Block::Fence(fence) = block else {
            continue;
        };
        let mut words = fence.info.splitn(4, ' ');
        let language = words.next().unwrap_or_default();
        let expectation = match words.next() {
            Some("recognised") => Expectation::Good,
            Some("not-recognised") => Expectation::Bad,
            Some("unclear") => Expectation::Unknown,
            Some("with") => {
                let Some(last) = examples.last_mut() else {
                    return Err((fence.line, "`with` continues an example".to_owned()));
                };
                last.example.files.push(example_file(fence, language));
                continue;
            }
            _ => continue,
        };
        let options: Vec<Box<str>> = words
            .next()
            .unwrap_or_default()
            .split(',')
            .filter(|id| !id.is_empty())
            .map(Into::into)
            .collect();
        if options.is_empty() {
            return Err((
                fence.line,
                "the options that the example is about stand behind the word".to_owned(),
            ));
        }
        let rest = words.next().unwrap_or_default().trim();
        examples.push(OptionExample {
            options,
            example: example(fence, language, expectation, rest)?,
        });
    }
    Ok(examples)
}

fn example_file(fence: &Fence, language: &str) -> ExampleFile {
    ExampleFile {
        language: language.into(),
        text: fence.text.as_str().into(),
        line: fence.line,
        live: fence.info.split_whitespace().any(|word| word == "live"),
    }
}

impl Example {
    /// The example in a fence; `rest` are the words behind the language.
    pub(crate) fn of_fence(
        fence: &Fence,
        language: &str,
        rest: &str,
    ) -> Result<Self, (u32, String)> {
        example(fence, language, Expectation::Good, rest)
    }

    /// One more file of the same example.
    pub(crate) fn add_file(&mut self, fence: &Fence, language: &str) {
        self.files.push(example_file(fence, language));
    }
}

/// An example with what its words say.
fn example(
    fence: &Fence,
    language: &str,
    expectation: Expectation,
    rest: &str,
) -> Result<Example, (u32, String)> {
    let (rest, params) = match rest.split_once("params=") {
        Some((before, params)) => (before, Some(params.trim().into())),
        None => (rest, None),
    };
    let mut example = Example {
        expectation,
        whole: false,
        invalid: false,
        kubernetes: None,
        as_of: None,
        params,
        files: vec![example_file(fence, language)],
    };
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            None if word == "live" => {}
            None if word == "whole" => example.whole = true,
            None if word == "invalid" => example.invalid = true,
            Some(("kubernetes", version)) => {
                example.kubernetes = Some(parse_minor(version).ok_or_else(|| {
                    (fence.line, format!("`{version}` is no Kubernetes version"))
                })?);
            }
            Some(("as-of", day)) if crate::setting::midnight(day).is_some() => {
                example.as_of = Some(day.into());
            }
            _ => {
                return Err((
                    fence.line,
                    format!(
                        "`{word}` is none of whole, live, invalid, kubernetes=1.N, as-of=DATE, params={{…}}"
                    ),
                ));
            }
        }
    }
    Ok(example)
}
