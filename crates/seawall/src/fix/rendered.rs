//! From cures of rendered objects to cures of what they are rendered from: a file that a kustomization builds on, a
//! patch, a chart's values, its template. Which of them it is, is found by trying: a candidate counts when the object,
//! rendered again with it, has the value that the cure wants. It leaves out what else follows: `prove` asks.

mod candidates;
mod chart;
mod charted;
mod kustomized;
mod post;
mod proof;
mod template;
pub(crate) mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Safety;
use model::remedy::{Act, Change};
use sources::{Overlay, Tools};
use yaml::edit::Value;

pub(crate) use self::proof::{Asked, Found};
pub(crate) use self::template::{action_end, masked};
use self::values::{applied, get, holds, same, string};
use super::cure::{Cure, Left, Numbered};
use super::texts::{Disk, Texts};

/// What everything is rendered with, and what may be edited.
pub(crate) struct Rendered<'a> {
    pub(crate) tools: &'a Tools,
    /// The paths that were given: files outside of them are not touched.
    pub(crate) given: &'a [PathBuf],
}

/// Where cures of rendered objects lead.
#[derive(Default)]
struct Led {
    cures: Vec<Cure>,
    left: Vec<Left>,
}

/// A cure that may do it, or why none can be made here.
type Candidate = Result<(Try, Cure), String>;

/// How a candidate is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    /// Beside others: what it changes is where it should.
    Together,
    /// By itself: it may change anything.
    Alone,
}

/// A candidate and the number of the cure that wants it.
type Tentative = (usize, Cure);

/// How often everything is rendered again to find out which candidate stops it.
const TRIALS: usize = 160;

impl Rendered<'_> {
    /// Leads cures, whose paths are those of charts and kustomizations and whose documents are those of what they
    /// render to; to none that was refused.
    fn lead(&self, wanted: &[Cure], refused: &[Cure]) -> Led {
        let mut by_whole: BTreeMap<Arc<str>, Vec<Cure>> = BTreeMap::new();
        for cure in wanted {
            by_whole
                .entry(cure.path.clone())
                .or_default()
                .push(cure.clone());
        }
        let mut led = Led::default();
        for (whole, wanted) in by_whole {
            self.lead_whole(&whole, &wanted, refused, &mut led);
        }
        led.cures = joined(led.cures);
        led
    }

    fn lead_whole(&self, whole: &str, wanted: &[Cure], refused: &[Cure], led: &mut Led) {
        let folder = Path::new(whole);
        let wraps = |cure: &&Cure| {
            let mut changes = cure.changes.iter();
            changes.any(|change| matches!(change.act, Act::Wrap { .. }))
        };
        for cure in wanted.iter().filter(wraps) {
            let why = format!("`{whole}` renders it: wrap it where it is declared");
            led.left.extend(left(cure, &why));
        }
        let wanted: Vec<Cure> = wanted.iter().filter(|cure| !wraps(cure)).cloned().collect();
        let wanted = wanted.as_slice();
        let before = match self.render(folder, &Overlay::default()) {
            Ok(before) => before,
            Err(why) => {
                for cure in wanted {
                    led.left.extend(left(cure, &why));
                }
                return;
            }
        };
        let mut candidates = if sources::is_chart(folder) {
            charted::candidates(self, folder, &before, wanted)
        } else {
            kustomized::candidates(self, folder, &before, wanted)
        };
        for candidates in &mut candidates {
            candidates.retain(|candidate| match candidate {
                Ok((_, cure)) => !refused.iter().any(|refused| does_the_same(refused, cure)),
                Err(_) => true,
            });
        }
        let mut search = Search {
            rendered: self,
            folder,
            before: &before,
            wanted,
            candidates,
            tried: vec![0; wanted.len()],
            found: vec![None; wanted.len()],
            why: vec![None; wanted.len()],
            trials: 0,
        };
        search.run();
        search.doubt();
        let Search { found, why, .. } = search;
        for ((cure, found), why) in wanted.iter().zip(found).zip(why) {
            match found {
                Some(found) => led.cures.push(found),
                None => led.left.extend(proof::unled(whole, cure, why)),
            }
        }
    }

    /// What a folder renders to with other texts.
    fn render(&self, folder: &Path, overlay: &Overlay) -> Result<Rendering, String> {
        sources::render(folder, self.tools, overlay).map(|text| Rendering::of(&text))
    }

    /// Whether a file lies in what was given.
    fn may_edit(&self, file: &Path) -> bool {
        let absolute = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            sources::kustomization::clean(&path)
        };
        let file = absolute(file);
        self.given.iter().any(|given| {
            // A kustomization's or a chart's file that is given means its folder.
            let given = if given.is_file() {
                given.parent().unwrap_or(given)
            } else {
                given
            };
            file.starts_with(absolute(given))
        })
    }
}

/// One finding after the other of a cure that is not made.
fn left<'c>(cure: &'c Cure, why: &'c str) -> impl Iterator<Item = Left> + 'c {
    cure.cured.iter().map(|about| Left {
        about: about.clone(),
        safety: cure.safety,
        why: why.to_owned(),
    })
}

fn does_the_same(one: &Cure, other: &Cure) -> bool {
    one.path == other.path
        && one.document == other.document
        && one.changes == other.changes
        && one.way == other.way
}

/// Cures that do the same as one.
fn joined(cures: Vec<Cure>) -> Vec<Cure> {
    let mut all: Vec<Cure> = Vec::new();
    for cure in cures {
        let alike = all.iter_mut().find(|other| does_the_same(other, &cure));
        match alike {
            Some(other) => {
                if cure.safety == Safety::Unsafe {
                    other.safety = cure.safety;
                }
                other.cured.extend(cure.cured);
            }
            None => all.push(cure),
        }
    }
    all
}

/// What a chart or a kustomization renders to.
pub(super) struct Rendering {
    pub(super) objects: Vec<Object>,
    by_name: BTreeMap<Name, usize>,
}

/// Group, kind, namespace and name: a fix may change the version.
type Name = [String; 4];

/// One rendered object.
pub(super) struct Object {
    pub(super) value: Value,
    /// The template that helm says it comes from, behind the chart's name.
    pub(super) source: Option<String>,
    name: Name,
}

impl Object {
    pub(super) fn kind(&self) -> &str {
        let [_, kind, _, _] = &self.name;
        kind
    }

    pub(super) fn name(&self) -> &str {
        let [_, _, _, name] = &self.name;
        name
    }

    pub(super) fn api_version(&self) -> &str {
        string(&self.value, "apiVersion").unwrap_or_default()
    }
}

impl Rendering {
    fn of(text: &str) -> Self {
        let mut rendering = Self {
            objects: Vec::new(),
            by_name: BTreeMap::new(),
        };
        // Numbers of documents count those that are empty, too.
        for raw in yaml::documents(text) {
            let value = Value::read(&raw.text).unwrap_or(Value::Null);
            let source = raw
                .text
                .lines()
                .find_map(|line| line.strip_prefix("# Source: "))
                .and_then(|source| source.trim().split_once('/'))
                .map(|(_, file)| file.to_owned());
            let name = name_of(&value);
            let number = rendering.objects.len();
            rendering.by_name.entry(name.clone()).or_insert(number);
            rendering.objects.push(Object {
                value,
                source,
                name,
            });
        }
        rendering
    }

    /// The same object here.
    fn find(&self, other: &Object) -> Option<&Object> {
        let number = self.by_name.get(&other.name)?;
        self.objects.get(*number)
    }
}

fn name_of(value: &Value) -> Name {
    let metadata = get(value, "metadata");
    let of = |key: &str| {
        metadata
            .and_then(|metadata| string(metadata, key))
            .unwrap_or_default()
            .to_owned()
    };
    let own = |key: &str| string(value, key).unwrap_or_default().to_owned();
    let version = own("apiVersion");
    let group = version.split_once('/').map_or("", |(group, _)| group);
    [group.to_owned(), own("kind"), of("namespace"), of("name")]
}

/// The search for the candidate of each cure that does what the cure wants.
struct Search<'a> {
    rendered: &'a Rendered<'a>,
    folder: &'a Path,
    before: &'a Rendering,
    wanted: &'a [Cure],
    candidates: Vec<Vec<Candidate>>,
    /// How many candidates of each were tried.
    tried: Vec<usize>,
    found: Vec<Option<Cure>>,
    /// Why the last candidate did not do.
    why: Vec<Option<String>>,
    trials: usize,
}

impl Search<'_> {
    /// Tries the next candidate of all cures that have none yet, together, until there is none.
    fn run(&mut self) {
        loop {
            let next = self.next();
            if next.is_empty() {
                return;
            }
            // One of them stops everything, or undoes what was found: each by itself.
            if let Err((why, next)) = self.attempt(next) {
                if next.len() == 1 {
                    self.refuse(&next, &why);
                    continue;
                }
                for one in next {
                    if let Err((why, one)) = self.attempt(vec![one]) {
                        self.refuse(&one, &why);
                    }
                }
            }
        }
    }

    /// Keeps those that do what is wanted, unless they cannot be together with what was found.
    fn attempt(&mut self, next: Vec<Tentative>) -> Result<(), (String, Vec<Tentative>)> {
        let (after, refused) = match self.render(&next) {
            Ok(rendered) => rendered,
            Err(why) => return Err((why, next)),
        };
        let mut found = self.found.iter().enumerate();
        if found.any(|(number, found)| found.is_some() && !self.does(number, &after)) {
            return Err(("it would undo what cures another finding".to_owned(), next));
        }
        self.judge(next, &after, &refused);
        Ok(())
    }

    fn refuse(&mut self, next: &[Tentative], why: &str) {
        for (number, _) in next {
            self.fail(*number, why);
        }
    }

    fn fail(&mut self, number: usize, why: &str) {
        if let Some(slot) = self.why.get_mut(number) {
            *slot = Some(why.to_owned());
        }
    }

    /// The next candidates that are tried together, with the numbers of the cures that want them; or one that is
    /// tried alone.
    fn next(&mut self) -> Vec<Tentative> {
        let (mut next, mut alone) = (Vec::new(), None);
        for (number, candidates) in self.candidates.iter().enumerate() {
            if self.found.get(number).is_none_or(Option::is_some) {
                continue;
            }
            let Some(tried) = self.tried.get_mut(number) else {
                continue;
            };
            while let Some(candidate) = candidates.get(*tried) {
                match candidate {
                    Ok((Try::Together, cure)) => {
                        *tried += 1;
                        next.push((number, cure.clone()));
                        break;
                    }
                    Ok((Try::Alone, cure)) => {
                        alone = alone.or(Some((number, cure.clone())));
                        break;
                    }
                    Err(why) => {
                        *tried += 1;
                        if let Some(slot) = self.why.get_mut(number) {
                            *slot = Some(why.clone());
                        }
                    }
                }
            }
        }
        if next.is_empty()
            && let Some((number, cure)) = alone
        {
            if let Some(tried) = self.tried.get_mut(number) {
                *tried += 1;
            }
            next.push((number, cure));
        }
        next
    }

    /// Renders what was found with candidates. Those that cannot be written are told by their place among them.
    fn render(
        &mut self,
        next: &[Tentative],
    ) -> Result<(Rendering, BTreeMap<usize, String>), String> {
        self.trials += 1;
        if self.trials > TRIALS {
            return Err("too many of its sources would have to be tried".to_owned());
        }
        let found = self.found.iter().flatten().cloned();
        let all: Vec<Cure> = next
            .iter()
            .map(|(_, cure)| cure.clone())
            .chain(found)
            .collect();
        let mut disk = Disk::default();
        disk.read(&all);
        let numbered: Vec<Numbered<'_>> = all.iter().enumerate().collect();
        let texts = Texts::of(&numbered, &disk);
        let after = self.rendered.render(self.folder, &texts.overlay())?;
        Ok((after, texts.refused.into_iter().collect()))
    }

    /// Keeps the candidates that do what is wanted.
    fn judge(
        &mut self,
        next: Vec<Tentative>,
        after: &Rendering,
        refused: &BTreeMap<usize, String>,
    ) {
        for (at, (number, cure)) in next.into_iter().enumerate() {
            if let Some(why) = refused.get(&at) {
                self.fail(number, why);
            } else if self.does(number, after)
                && let Some(slot) = self.found.get_mut(number)
            {
                *slot = Some(cure);
            }
        }
    }

    /// Whether the object of a cure is as the cure wants it.
    fn does(&self, number: usize, after: &Rendering) -> bool {
        let Some(wanted) = self.wanted.get(number) else {
            return false;
        };
        let Some(object) = self.before.objects.get(wanted.document as usize) else {
            return false;
        };
        match after.find(object) {
            Some(now) => wanted
                .changes
                .iter()
                .all(|change| holds(&now.value, change)),
            // Where an object is to go, nothing else is to be done to it; and no other goes with it.
            None => {
                let gone: BTreeSet<u32> = self.to_go().collect();
                let all = self.before.objects.iter().enumerate();
                gone.contains(&wanted.document)
                    && all.into_iter().all(|(number, object)| {
                        object.kind().is_empty()
                            || gone.contains(&(number as u32))
                            || after.find(object).is_some()
                    })
            }
        }
    }

    /// The objects that are to go.
    fn to_go(&self) -> impl Iterator<Item = u32> {
        let goes = |cure: &&Cure| cure.changes.iter().any(Change::removes_document);
        self.wanted.iter().filter(goes).map(|cure| cure.document)
    }

    /// A fix that changes more than it means to is not safe, whatever it means to do.
    fn doubt(&mut self) {
        let safe = |cure: &Cure| cure.safety == Safety::Safe;
        if !self.found.iter().flatten().any(safe) {
            return;
        }
        let after = self.render(&[]);
        let as_meant = after.is_ok_and(|(after, _)| self.is_as_meant(&after));
        if !as_meant {
            for cure in self.found.iter_mut().flatten() {
                cure.safety = Safety::Unsafe;
            }
        }
    }

    /// Whether every object is what it was but for what its cures say.
    fn is_as_meant(&self, after: &Rendering) -> bool {
        let mut changes: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (wanted, found) in self.wanted.iter().zip(&self.found) {
            if found.is_some() {
                let own = changes.entry(wanted.document as usize).or_default();
                own.extend(wanted.changes.iter().cloned());
            }
        }
        self.before
            .objects
            .iter()
            .enumerate()
            .all(|(number, object)| {
                let own = changes.get(&number).map_or(&[][..], Vec::as_slice);
                if own.iter().any(Change::removes_document) {
                    return after.find(object).is_none();
                }
                let meant = applied(&object.value, own);
                after
                    .find(object)
                    .is_some_and(|now| same(&now.value, &meant))
            })
    }
}
