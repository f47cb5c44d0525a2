//! The steps of attackers as pages: what each is, and an estate that shows it.
//!
//! A page in `edges/` has an estate in which the step exists, the steps that must be found in it, and the
//! smallest changes of which each takes the step away:
//!
//! ````markdown
//! ```yaml
//! …
//! ```
//! ```steps
//! workload:shop/web[Pod] -> pool:
//! ```
//! ```without
//! the container is not privileged: `privileged: true` -> `privileged: false`
//! nobody is bound: drop ClusterRoleBinding readers
//! ```
//! ````
//!
//! Where `steps some` is written, only these steps are looked at: others of the kind may be there, and lead to the
//! same end.
//!
//! `\n` in an edit stands for the end of a line. `perhaps` before a step asks for one with a doubt. After a change no step of this kind may lead to the same
//! end any more, neither a sure nor a doubtful one; a line that begins with `perhaps` says that a doubtful one
//! stays.

use std::collections::BTreeMap;

use analysis::paths::{Edge, Efforts, Graph, Object, Step, Wishes};
use model::{Estate, Scope};

use crate::catalogue::Guide;
use crate::examples::{self, Failure};
use crate::facts;
use crate::front_matter::{self, Fields};
use crate::guideline::{ExampleFile, Reference};
use crate::markdown::{self, Block};
use crate::setting::setting;

/// A kind of step.
#[derive(Debug, Default)]
pub struct EdgePage {
    /// Stable name.
    pub id: Box<str>,
    /// `container to node through nsenter`
    pub title: Box<str>,
    /// What it costs an attacker: 1 is a command, 5 is a weakness that must be found.
    pub effort: u32,
    /// Path below `guide/`.
    pub file: Box<str>,
    /// The text.
    pub prose: Box<str>,
    /// Sources.
    pub references: Vec<Reference>,
    /// Estates that show it.
    pub examples: Vec<EdgeExample>,
}

/// An estate that shows a step, and what takes the step away.
#[derive(Debug, Default)]
pub struct EdgeExample {
    /// What it is read from.
    pub files: Vec<ExampleFile>,
    /// It may be a part.
    pub open: bool,
    /// Judged against this Kubernetes minor.
    pub kubernetes: Option<u8>,
    /// Only some of its steps are named.
    pub some: bool,
    /// What must be found.
    pub steps: Vec<Wanted>,
    /// What takes it away.
    pub without: Vec<Change>,
}

/// A step that must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// With a doubt.
    pub perhaps: bool,
    /// Ids of nodes; see [`Graph::id`].
    pub needs: Vec<Box<str>>,
    /// Id of a node.
    pub gives: Box<str>,
}

/// A change of an estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is, in words.
    pub title: Box<str>,
    /// A step with a doubt stays.
    pub perhaps: bool,
    /// One after the other.
    pub edits: Vec<Edit>,
    /// Line of the file.
    pub line: u32,
}

/// A part of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A text that occurs once becomes another.
    Replace(Box<str>, Box<str>),
    /// The document of a kind and name goes.
    Drop(Box<str>, Box<str>),
}

impl Guide {
    pub(crate) fn load_edge(
        &mut self,
        path: &str,
        name: &str,
        text: &str,
    ) -> Result<(), (u32, String)> {
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        let fields =
            Fields::of(doc.root(), &["id", "title", "effort", "references"]).map_err(at)?;
        let id = fields.text("id").map_err(at)?;
        if name.strip_suffix(".md") != Some(id) {
            return Err((2, format!("`id: {id}` must equal the file's name")));
        }
        if Edge::find(id).is_none() {
            return Err((2, format!("the program knows no step `{id}`")));
        }
        let effort = fields.number("effort").map_err(at)?;
        if !(1.0..=5.0).contains(&effort) || effort.fract() != 0.0 {
            return Err((2, "`effort` is a whole number from 1 to 5".to_owned()));
        }
        let title = fields.text("title").map_err(at)?;
        let mut edge = EdgePage {
            id: id.into(),
            title: title.into(),
            effort: effort as u32,
            file: path.into(),
            references: fields.references().map_err(at)?,
            ..EdgePage::default()
        };
        let mut prose = String::new();
        let mut example: Option<EdgeExample> = None;
        for block in page.blocks {
            match block {
                Block::Fence(fence) => {
                    let words: Vec<&str> = fence.info.split_whitespace().collect();
                    let own = example.get_or_insert_with(EdgeExample::default);
                    match words.first().copied().unwrap_or_default() {
                        "steps" => {
                            own.some = words.contains(&"some");
                            own.steps = wanted(&fence.text, fence.line)?;
                        }
                        "without" => {
                            own.without = changes(&fence.text, fence.line)?;
                            edge.examples.extend(example.take());
                        }
                        language @ ("yaml" | "json") => {
                            own.open |= words.contains(&"open");
                            if let Some(minor) = words
                                .iter()
                                .find_map(|word| word.strip_prefix("kubernetes=1."))
                            {
                                own.kubernetes = minor.parse().ok();
                            }
                            own.files.push(ExampleFile {
                                language: language.into(),
                                text: fence.text.into(),
                                line: fence.line,
                                live: words.contains(&"live"),
                            });
                        }
                        other => return Err((fence.line, format!("unknown fence `{other}`"))),
                    }
                }
                Block::Prose(text) => prose.push_str(&text),
                Block::Quote(text, _) => {
                    prose.push_str("> ");
                    prose.push_str(&text);
                    prose.push('\n');
                }
                Block::Heading(level, text) => {
                    if !prose.is_empty() {
                        prose.push_str("\n\n");
                    }
                    prose.push_str(&"#".repeat(usize::from(level)));
                    prose.push(' ');
                    prose.push_str(&text);
                    prose.push('\n');
                }
            }
        }
        if example.is_some() {
            return Err((1, "an example ends with a fence `without`".to_owned()));
        }
        if edge.examples.is_empty() {
            return Err((1, "an example is missing".to_owned()));
        }
        edge.prose = prose.trim().into();
        self.edges.insert(id.into(), title.into());
        self.edge_pages.insert(id.into(), edge);
        Ok(())
    }

    /// What each kind of step costs an attacker.
    #[must_use]
    pub fn efforts(&self) -> Efforts {
        let mut efforts = Efforts::default();
        for (id, page) in &self.edge_pages {
            if let Some(edge) = Edge::find(id) {
                efforts.set(edge, page.effort);
            }
        }
        efforts
    }
}

fn wanted(text: &str, first: u32) -> Result<Vec<Wanted>, (u32, String)> {
    let mut found = Vec::new();
    for (line, text) in (first..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let (perhaps, text) = perhaps(text);
        let (needs, gives) = text
            .rsplit_once(" -> ")
            .ok_or((line, "a step is `FROM + FROM -> TO`".to_owned()))?;
        found.push(Wanted {
            perhaps,
            needs: needs.split(" + ").map(|need| need.trim().into()).collect(),
            gives: gives.trim().into(),
        });
    }
    Ok(found)
}

fn perhaps(text: &str) -> (bool, &str) {
    let text = text.trim();
    match text.strip_prefix("perhaps ") {
        Some(rest) => (true, rest.trim()),
        None => (false, text),
    }
}

fn changes(text: &str, first: u32) -> Result<Vec<Change>, (u32, String)> {
    let mut found = Vec::new();
    for (line, text) in (first..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let (perhaps, text) = perhaps(text);
        let (title, edits) = text.split_once(": ").ok_or((
            line,
            "a change is `WHAT IT IS: \\`old\\` -> \\`new\\`` or `WHAT IT IS: drop KIND NAME`"
                .to_owned(),
        ))?;
        let edits: Option<Vec<Edit>> = edits.split(" and ").map(edit).collect();
        let edits = edits.ok_or((
            line,
            "an edit is `\\`old\\` -> \\`new\\`` or `drop KIND NAME`".to_owned(),
        ))?;
        found.push(Change {
            title: title.into(),
            perhaps,
            edits,
            line,
        });
    }
    Ok(found)
}

fn edit(text: &str) -> Option<Edit> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("drop ") {
        let (kind, name) = rest.split_once(' ')?;
        return Some(Edit::Drop(kind.into(), name.into()));
    }
    let (old, new) = text.split_once(" ->")?;
    let quoted = |text: &str| -> Option<Box<str>> {
        let text = text.trim();
        if text.is_empty() {
            return Some("".into());
        }
        let text = text.strip_prefix('`')?.strip_suffix('`')?;
        Some(text.replace("\\n", "\n").into())
    };
    Some(Edit::Replace(quoted(old)?, quoted(new)?))
}

/// Runs the examples of a page; what is wrong with each.
#[must_use]
pub fn run(guide: &Guide, page: &EdgePage) -> Vec<Failure> {
    let Some(edge) = Edge::find(&page.id) else {
        return Vec::new();
    };
    let mut failures = Vec::new();
    for example in &page.examples {
        let line = example.files.first().map_or(1, |file| file.line);
        let mut problems = Vec::new();
        if let Err(problem) = check(guide, edge, example, &mut problems) {
            problems.push(problem);
        }
        if !problems.is_empty() {
            failures.push(Failure {
                file: page.file.clone(),
                line,
                problems,
            });
        }
    }
    failures
}

fn check(
    guide: &Guide,
    edge: Edge,
    example: &EdgeExample,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    if example.steps.is_empty() || example.without.is_empty() {
        return Err("an example needs `steps` and `without`".to_owned());
    }
    let texts: Vec<&ExampleFile> = example.files.iter().collect();
    let found = steps_of(guide, edge, example, &texts)?;
    let shown = |wanted: &Wanted| {
        format!(
            "{}{} -> {}",
            if wanted.perhaps { "perhaps " } else { "" },
            wanted.needs.join(" + "),
            wanted.gives
        )
    };
    for wanted in &example.steps {
        if !found.contains(wanted) {
            problems.push(format!("missing step: {}", shown(wanted)));
        }
    }
    for step in &found {
        if !example.some && !example.steps.contains(step) {
            problems.push(format!("unexpected step: {}", shown(step)));
        }
    }
    for change in &example.without {
        let files = changed(example, change)
            .map_err(|problem| format!("line {}: {problem}", change.line))?;
        let files: Vec<&ExampleFile> = files.iter().collect();
        let left = steps_of(guide, edge, example, &files)
            .map_err(|problem| format!("line {}: {problem}", change.line))?;
        // The step itself is gone; others of its kind are their own.
        let stays = |step: &&Wanted| {
            example.steps.iter().any(|wanted| {
                wanted.gives == step.gives && (!example.some || wanted.needs == step.needs)
            }) && (!step.perhaps || !change.perhaps)
        };
        if let Some(step) = left.iter().find(stays) {
            problems.push(format!(
                "line {}: with the change `{}` there is still: {}",
                change.line,
                change.title,
                shown(step)
            ));
        }
        if change.perhaps && left.is_empty() {
            problems.push(format!(
                "line {}: with the change `{}` nothing is left, not even perhaps",
                change.line, change.title
            ));
        }
    }
    Ok(())
}

pub(crate) fn changed(example: &EdgeExample, change: &Change) -> Result<Vec<ExampleFile>, String> {
    let mut files = example.files.clone();
    for edit in &change.edits {
        match edit {
            Edit::Replace(old, new) => {
                let count: usize = files
                    .iter()
                    .map(|file| file.text.matches(&**old).count())
                    .sum();
                if count != 1 {
                    return Err(format!("`{old}` occurs {count} times, not once"));
                }
                for file in &mut files {
                    file.text = file.text.replace(&**old, new).into();
                }
            }
            Edit::Drop(kind, name) => {
                let mut dropped = false;
                for file in &mut files {
                    if &*file.language != "yaml" {
                        continue;
                    }
                    let kept: Vec<&str> = file
                        .text
                        .split("\n---\n")
                        .filter(|text| {
                            let hit = text
                                .lines()
                                .any(|line| line.strip_prefix("kind: ") == Some(&**kind))
                                && names(text, name);
                            dropped |= hit;
                            !hit
                        })
                        .collect();
                    file.text = kept.join("\n---\n").into();
                }
                if !dropped {
                    return Err(format!("there is no {kind} {name} to drop"));
                }
            }
        }
    }
    files.retain(|file| !file.text.trim().is_empty());
    Ok(files)
}

/// Whether a document's `metadata` line names it so.
fn names(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start()
            .strip_prefix("metadata: ")
            .unwrap_or_else(|| line.trim_start())
            .split(['{', ',', '}'])
            .any(|part| {
                part.trim()
                    .strip_prefix("name: ")
                    .is_some_and(|own| own.trim().trim_matches('"') == name)
            })
    })
}

/// The estate of an example.
///
/// # Errors
/// When a document cannot be read.
pub fn estate(guide: &Guide, files: &[&ExampleFile], scope: Scope) -> Result<Estate, String> {
    let (mut estate, unread) = examples::read(guide, files.iter().copied(), scope, |_| ());
    if let Some(reason) = unread.first() {
        return Err(format!("the example cannot be read: {reason}"));
    }
    estate.imply_namespaces(&guide.symbols);
    Ok(estate)
}

fn steps_of(
    guide: &Guide,
    edge: Edge,
    example: &EdgeExample,
    files: &[&ExampleFile],
) -> Result<Vec<Wanted>, String> {
    let scope = if example.open {
        Scope::Open
    } else {
        Scope::Whole
    };
    let estate = estate(guide, files, scope)?;
    let setting = setting(guide, None, example.kubernetes)?;
    let analyses = facts::analyses(guide, &setting, &estate);
    let graph = Graph::build(&analyses, &Wishes::default());
    let mut found: Vec<Wanted> = graph
        .steps()
        .filter(|step| step.edge == edge)
        .map(|step| (rests_on_builtin(&step), as_wanted(&graph, &step)))
        // What every cluster has shows in each of them.
        .filter(|(builtin, step)| !builtin || example.steps.contains(step))
        .map(|(_, step)| step)
        .collect();
    found.sort_by(|one, two| {
        (&one.needs, &one.gives, one.perhaps).cmp(&(&two.needs, &two.gives, two.perhaps))
    });
    found.dedup();
    Ok(found)
}

/// Whether it rests on what every cluster has, or on nothing but what Kubernetes does anyway.
pub(crate) fn rests_on_builtin(step: &Step<'_>) -> bool {
    let objects = || step.evidence.iter().map(|evidence| evidence.object);
    objects().any(|object| matches!(object, Object::BuiltIn(_)))
        || !step.evidence.is_empty() && objects().all(|object| object == Object::Nothing)
}

pub(crate) fn as_wanted(graph: &Graph, step: &Step<'_>) -> Wanted {
    Wanted {
        perhaps: step.doubt.is_some(),
        needs: step
            .needs
            .iter()
            .map(|need| graph.id(*need).into())
            .collect(),
        gives: graph.id(step.gives).into(),
    }
}

/// All pages, by id.
pub type EdgePages = BTreeMap<Box<str>, EdgePage>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_has_a_page() {
        let (guide, _) = Guide::builtin();
        let missing: Vec<&str> = Edge::ALL
            .iter()
            .map(|edge| edge.id())
            .filter(|id| !guide.edge_pages.contains_key(*id))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_page_shows_its_step_and_what_takes_it_away() {
        let (mut guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let only = std::env::var("SEAWALL_TEST_EDGE").unwrap_or_default();
        // The page that is asked for may have changed since the guide was built in.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide/edges");
        for file in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            if !only.is_empty() && name.contains(&*only) {
                let text = std::fs::read_to_string(file.path()).unwrap();
                let read = guide.load_edge(&format!("edges/{name}"), &name, &text);
                assert!(read.is_ok(), "{name}: {read:?}");
            }
        }
        let mut wrong = String::new();
        for page in guide.edge_pages.values() {
            if !page.id.contains(&*only) {
                continue;
            }
            for failure in run(&guide, page) {
                wrong.push_str(&format!("\nguide/{}:{}\n  ", failure.file, failure.line));
                wrong.push_str(&failure.problems.join("\n  "));
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}
