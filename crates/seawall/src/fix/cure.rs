//! Which findings have a cure that can be written into a file, and which have none here, with why.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use model::Safety;
use model::azure::template;
use model::finding::{Finding, Outcome, Severity};
use model::kinds::Kind;
use model::remedy::{self, Act, Addition, Change, Declare, Remedy, Wanted};
use model::resource::ResourceName;
use yaml::edit::Value;

use super::beside::{self, Beside};
use super::languages::terraform::is_terraform;

/// What cures one or more findings of one document.
#[derive(Debug, Clone)]
pub(crate) struct Cure {
    /// The file.
    pub(crate) path: Arc<str>,
    /// Number of the document in it.
    pub(crate) document: u32,
    /// What was read: for Terraform the folder of the configuration, otherwise the file.
    pub(crate) origin: Arc<str>,
    /// Whether it may be written without asking.
    pub(crate) safety: Safety,
    /// What is done.
    pub(crate) changes: Box<[Change]>,
    /// What is made.
    pub(crate) beside: Box<[Beside]>,
    /// Azure resources that are added to a template.
    pub(crate) added: Box<[Addition]>,
    /// What is changed, where that is another resource than the findings are about.
    pub(crate) other: Option<ResourceName>,
    /// What it cures.
    pub(crate) cured: Vec<About>,
    /// How it is written.
    pub(crate) way: Way,
    /// The chart or kustomization that renders what it is about.
    pub(crate) rendered_by: Option<Arc<str>>,
}

/// How changes are written into a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// Into the document itself.
    Document,
    /// Into a chart's template, whose document is not YAML before it is rendered.
    Template,
    /// Into the call of a module of Terraform, which others call too.
    Call,
    /// As a patch of an object, in a kustomization's file; the changes are those of the object.
    Patch(Box<Patch>),
}

impl Way {
    /// Why it is written so and not into the document.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Patch(patch) => Some(&patch.why),
            Self::Document | Self::Template | Self::Call => None,
        }
    }
}

/// A patch of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Patch {
    pub(crate) api_version: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    /// The name that is looked for, a regular expression as kustomize reads it.
    pub(crate) target: Box<str>,
    /// What is merged into the object.
    pub(crate) merge: Value,
    /// Why it is a patch.
    pub(crate) why: Box<str>,
}

impl Cure {
    /// The files that it changes.
    pub(crate) fn files(&self) -> BTreeSet<&Arc<str>> {
        let changed = self
            .changes
            .iter()
            .map(|change| file_of(change, &self.path));
        // What is added stands in the file that the cure is about.
        let added = self.added.iter().map(|_| &self.path);
        changed.chain(added).collect()
    }

    /// Whether it makes a file.
    pub(crate) fn makes(&self, path: &str) -> bool {
        self.beside.iter().any(|beside| *beside.path == *path)
    }

    /// How it changes declarations of parameters in one file: what is done, and where their names stand. Nothing where
    /// it is about something else.
    pub(crate) fn declares_in<'c>(&'c self, path: &'c str) -> Option<Vec<(Declare, Range<usize>)>> {
        let about = self.cured.first()?;
        if about.resource.kind != template::kind() {
            return None;
        }
        let declared = self.changes_in(path).filter_map(remedy::declared);
        let declared = declared.map(|(act, name)| {
            let span = name.span.start as usize..name.span.end as usize;
            (act, span)
        });
        Some(declared.collect())
    }

    /// The texts of the defaults that it takes out of declarations in a file: they are secrets.
    pub(crate) fn defaults_in(&self, path: &str, text: &str) -> Vec<String> {
        if self.declares_in(path).is_none() {
            return Vec::new();
        }
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut hidden = Vec::new();
        for change in self.changes_in(path) {
            let Some((Declare::NoDefault, name)) = remedy::declared(change) else {
                continue;
            };
            let default = change.written.last().map(|written| written.span);
            let Some(span) = default.filter(|span| *span != name.span) else {
                continue;
            };
            let said = bare.get(span.start as usize..span.end as usize);
            let lines = said.unwrap_or_default().lines();
            let words = lines.map(|line| line.trim().trim_matches(['\'', '"']));
            hidden.extend(words.filter(|word| word.len() > 2).map(str::to_owned));
        }
        hidden
    }

    /// What it adds to one file.
    pub(crate) fn added_in(&self, path: &str) -> impl Iterator<Item = &Addition> {
        self.added
            .iter()
            .filter(move |added| added.file() == Some(path))
    }

    /// What it changes in one file.
    pub(crate) fn changes_in<'c>(&'c self, path: &'c str) -> impl Iterator<Item = &'c Change> {
        self.changes
            .iter()
            .filter(move |change| **file_of(change, &self.path) == *path)
    }
}

/// The file that a change is made in: that of the document, unless what it changes is written elsewhere.
fn file_of<'c>(change: &'c Change, document: &'c Arc<str>) -> &'c Arc<str> {
    change.anchor().map_or(document, |anchor| &anchor.path)
}

/// A cure with its number.
pub(crate) type Numbered<'c> = (usize, &'c Cure);

/// A finding as far as fixing is concerned.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) guideline: Arc<str>,
    pub(crate) severity: Severity,
    pub(crate) message: Box<str>,
    pub(crate) resource: Arc<ResourceName>,
    pub(crate) path: Arc<str>,
    pub(crate) line: u32,
}

/// A finding that stays, and why.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) about: About,
    pub(crate) safety: Safety,
    pub(crate) why: String,
}

/// A finding whose fix waits for answers.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) about: About,
    pub(crate) wanted: Vec<Wanted>,
}

/// Sorts findings as they come: those that can be cured here, and the others that have a fix.
#[derive(Default)]
pub(crate) struct Sorting {
    /// by document, then by what is done
    cures: HashMap<Document, Vec<Cure>>,
    /// the same of what is rendered, by the chart or kustomization
    rendered: HashMap<Document, Vec<Cure>>,
    left: Vec<Left>,
    waiting: Vec<Waiting>,
}

/// A document by its file, or by what renders it, and its number there.
type Document = (Arc<str>, u32);

/// What was sorted.
pub(crate) struct Sorted {
    /// In the order of files and documents.
    pub(crate) cures: Vec<Cure>,
    /// Cures of objects that a chart or a kustomization renders: that is their path, and their document is one of
    /// what it renders to.
    pub(crate) rendered: Vec<Cure>,
    /// Findings that stay.
    pub(crate) left: Vec<Left>,
    /// Findings whose fixes wait for answers.
    pub(crate) waiting: Vec<Waiting>,
}

impl Sorting {
    /// Takes a finding; accepted ones are left alone.
    pub(crate) fn add(&mut self, finding: &Finding) {
        let Some(safety) = finding.fix else { return };
        if finding.outcome != Outcome::Fail || finding.waiver.is_some() {
            return;
        }
        let about = About::of(finding);
        if let Some(remedy) = finding.remedy.as_ref().filter(|one| !one.wanted.is_empty()) {
            let wanted = remedy.wanted.clone();
            return self.waiting.push(Waiting { about, wanted });
        }
        let (path, document, remedy) = match writable(finding) {
            Ok(found) => found,
            Err(why) => return self.left.push(Left { about, safety, why }),
        };
        let (changes, new) = (remedy.changes.as_slice(), remedy.new.as_slice());
        let origin = remedy.origin.path.clone();
        let rendered_by = remedy.origin.rendered_by.clone();
        let beside = match &rendered_by {
            Some(whole) if !new.is_empty() => match beside::listed(whole, changes, new) {
                Ok(list) => Some(list),
                Err(why) => return self.left.push(Left { about, safety, why }),
            },
            _ => None,
        };
        let (path, document, all) = match (&beside, &rendered_by) {
            (Some(list), _) => (list.clone(), 0, &mut self.cures),
            (None, Some(whole)) => (whole.clone(), document, &mut self.rendered),
            (None, None) => (path, document, &mut self.cures),
        };
        let same = |cure: &Cure| {
            let made = cure.beside.iter().map(|beside| &beside.object);
            let ours = cure.origin == origin || !is_terraform(cure);
            *cure.changes == *changes && *cure.added == *remedy.added && made.eq(new) && ours
        };
        let cures = all.entry((path.clone(), document)).or_default();
        // Several findings may ask for the same.
        match cures.iter_mut().find(|cure| same(cure)) {
            Some(cure) => {
                if safety == Safety::Unsafe {
                    cure.safety = safety;
                }
                cure.cured.push(about);
            }
            None => cures.push(Cure {
                path: path.clone(),
                document,
                origin: origin.clone(),
                safety,
                changes: changes.into(),
                beside: Beside::of(new),
                added: remedy.added.clone().into(),
                other: remedy.other.clone(),
                cured: vec![about],
                way: Way::Document,
                rendered_by: rendered_by.clone(),
            }),
        }
    }

    /// The cures in the order of files and documents, and the findings that stay.
    pub(crate) fn end(mut self) -> Sorted {
        let cures = beside::place(in_order(self.cures), &mut self.left);
        Sorted {
            cures,
            rendered: in_order(self.rendered),
            left: self.left,
            waiting: self.waiting,
        }
    }
}

fn in_order(cures: HashMap<Document, Vec<Cure>>) -> Vec<Cure> {
    let mut cures: Vec<Cure> = cures.into_values().flatten().collect();
    sort(&mut cures);
    cures
}

/// Puts cures in the order of files and documents.
pub(super) fn sort(cures: &mut [Cure]) {
    let line = |cure: &Cure| cure.cured.first().map_or(0, |about| about.line);
    cures.sort_by(|one, other| {
        let key = |cure: &Cure| (cure.path.clone(), cure.document, line(cure));
        key(one).cmp(&key(other))
    });
}

impl About {
    fn of(finding: &Finding) -> Self {
        Self {
            guideline: finding.guideline.0.clone(),
            severity: finding.severity,
            message: finding.message.as_str().into(),
            resource: finding.resource.clone(),
            path: finding.place.path.clone(),
            line: finding.place.line,
        }
    }
}

type Writable<'f> = (Arc<str>, u32, &'f Remedy);

/// What is to be done to which document of which file and made beside it, or why that cannot be.
fn writable(finding: &Finding) -> Result<Writable<'_>, String> {
    let Some(remedy) = &finding.remedy else {
        return Err(if finding.place.live {
            "it was read from a running system: fix the file that it is applied from".to_owned()
        } else {
            format!(
                "the object itself was not given, or is none that the fix is for: `seawall explain {}` says what to do",
                finding.guideline.0
            )
        });
    };
    if let Some(why) = &remedy.refused {
        return Err(why.to_string());
    }
    if remedy.added.is_empty() && !matches!(finding.resource.kind, Kind::Azure(_)) {
        let origin = &remedy.origin;
        return Ok((origin.path.clone(), origin.index, remedy));
    }
    if let Some(added) = remedy.added.first() {
        return match added.file() {
            Some(file) => Ok((file.into(), 0, remedy)),
            None => Err(format!(
                "it is made by a published module, or written in no file that was given: add a resource {} for it",
                added.kind
            )),
        };
    }
    for change in &remedy.changes {
        let Some(anchor) = change.anchor() else {
            return Err("nothing of it is written in a file that was given".to_owned());
        };
        // A call of Terraform may get an argument.
        if anchor.published && !anchor.path.ends_with(".tf") {
            return Err(format!(
                "it is made by a published module: {} there has to come from what line {} of `{}` passes to it",
                in_words(change),
                finding.place.line,
                anchor.path
            ));
        }
    }
    // What several deployments share is changed once, whichever of them asks.
    let path = remedy.changes.first().and_then(Change::anchor);
    let path = path.map_or(&remedy.origin.path, |anchor| &anchor.path);
    Ok((path.clone(), 0, remedy))
}

/// What is added, for people.
pub(super) fn added_in_words(added: &Addition) -> String {
    if let Ok(Some((target, leaves))) = added.patch() {
        let ways = leaves.iter().map(|(way, _)| {
            let keys = way.iter().filter_map(|step| match step {
                yaml::edit::Step::Key(key) => Some(&**key),
                yaml::edit::Step::Index(_) => None,
            });
            format!("`{}`", keys.collect::<Vec<_>>().join("."))
        });
        let ways = ways.collect::<Vec<_>>().join(", ");
        return format!("set {ways} of {} `{}`", target.kind, target.name);
    }
    format!("add {} `{}`", added.kind, added.shown_name())
}

/// What is to be done, for people.
pub(super) fn in_words(change: &Change) -> String {
    if change.removes_document() {
        return "remove the object".to_owned();
    }
    let at = remedy::route(&change.at);
    match &change.act {
        Act::Set(value) => format!("set `{at}` to `{value}`"),
        Act::Add(value) => format!("add `{value}` to `{at}`"),
        Act::Remove => format!("remove `{at}`"),
        Act::Replace { key, value } => format!("replace `{at}` with `{key}: {value}`"),
        Act::Wrap { around, within } => {
            format!("put `{at}` into `{around}`, at `{}`", within.join("."))
        }
    }
}
