//! Whether cures hold: the texts that they make are assessed as the files were. Every finding that a cure is about
//! must be gone, and no other verdict may be worse; a cure that breaks this is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ::guide::{Guide, Guideline};
use model::azure::template;
use model::finding::{Finding, GuidelineId, Outcome};
use model::kinds::Kind;

use super::became::{Became, is_asked};
use super::cure::{Cure, Numbered};
use super::texts::{Disk, Texts};
use crate::commands::estate::EstateArgs;
use crate::commands::judged::Question;

/// How often the texts are assessed again before every cure of a doubtful object is taken back.
const ROUNDS: usize = 8;

/// Cures that hold.
pub(crate) struct Proved {
    /// By their numbers, in order.
    pub(crate) held: BTreeSet<usize>,
    /// Cures that do not, by number, and why.
    pub(crate) dropped: BTreeMap<usize, String>,
    /// What those that hold write.
    pub(crate) texts: Texts,
}

/// A guideline about a resource of a file: its failures and its unknowns.
type Key = (GuidelineId, Arc<str>, String);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    fails: usize,
    unknowns: usize,
}

impl Count {
    fn worse_than(self, before: Self) -> bool {
        self.fails > before.fails || self.fails + self.unknowns > before.fails + before.unknowns
    }
}

/// How often each guideline fails, and is undecided, for each object.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<Key, Count>);

impl Counts {
    pub(crate) fn add(&mut self, finding: &Finding) {
        // Findings about the estate stand where it begins, which may be elsewhere when objects are rendered anew.
        let of_estate = matches!(&finding.resource.kind, Kind::Kubernetes { group, kind }
            if **group == *template::GROUP && &**kind == "Estate");
        let path = if of_estate {
            "".into()
        } else {
            finding.place.path.clone()
        };
        let key = (finding.guideline.clone(), path, finding.resource.id());
        let count = self.0.entry(key).or_default();
        match finding.outcome {
            Outcome::Fail => count.fails += 1,
            Outcome::Unknown { .. } => count.unknowns += 1,
        }
    }

    fn of(&self, key: &Key) -> Count {
        self.0.get(key).copied().unwrap_or_default()
    }
}

/// What cures write, without proof.
pub(crate) fn alone(question: &Question<'_>, cures: &[Cure]) -> Proved {
    let mut disk = Disk::new(question.estate.options(question.guide, 0));
    disk.read(cures);
    let chosen: Vec<Numbered<'_>> = cures.iter().enumerate().collect();
    Proved {
        held: (0..cures.len()).collect(),
        dropped: BTreeMap::new(),
        texts: Texts::of(&chosen, &disk),
    }
}

/// Proves cures together and takes back those that do not hold.
pub(crate) fn prove(
    question: &Question<'_>,
    unread_before: usize,
    was: &Counts,
    cures: &[Cure],
) -> anyhow::Result<Proved> {
    let mut disk = Disk::new(question.estate.options(question.guide, 0));
    disk.read(cures);
    let mut objects: BTreeMap<(Arc<str>, String), Vec<usize>> = BTreeMap::new();
    for (number, cure) in cures.iter().enumerate() {
        let about = cure.cured.iter();
        let names: BTreeSet<_> = about
            .map(|about| (about.path.clone(), about.resource.id()))
            .collect();
        for name in names {
            objects.entry(name).or_default().push(number);
        }
    }
    let mut held: BTreeSet<usize> = (0..cures.len()).collect();
    let mut dropped = BTreeMap::new();
    for round in 0..=ROUNDS {
        let chosen: Vec<Numbered<'_>> = cures
            .iter()
            .enumerate()
            .filter(|(number, _)| held.contains(number))
            .collect();
        let texts = Texts::of(&chosen, &disk);
        for (number, why) in &texts.refused {
            held.remove(number);
            dropped.insert(*number, why.clone());
        }
        if texts.files.is_empty() {
            return Ok(Proved {
                held: BTreeSet::new(),
                dropped: without_effect(dropped, &held),
                texts,
            });
        }
        let again = Question {
            overlay: texts.overlay(),
            new_files: texts.new_files(),
            remedies: false,
            ..*question
        };
        let mut is = Counts::default();
        let after = again.ask(|finding| is.add(&finding))?;
        let trouble = troubles(question.guide, cures, &held, was, &is, &texts);
        let unread = after.unread().count() > unread_before;
        if trouble.is_empty() && !unread {
            return Ok(Proved {
                held,
                dropped,
                texts,
            });
        }
        let last = round + 1 >= ROUNDS;
        let mut culprits = Culprits {
            question,
            cures,
            disk: &disk,
            objects: &objects,
            known: BTreeMap::new(),
        };
        // A value that a parameter does not allow is unread, and its finding stays.
        for (number, why) in blamed(&held, &trouble, last, &mut culprits)? {
            held.remove(&number);
            dropped.insert(number, why);
        }
    }
    for number in held {
        dropped.insert(
            number,
            "it could not be proved beside the others".to_owned(),
        );
    }
    Ok(Proved {
        held: BTreeSet::new(),
        dropped,
        texts: Texts::default(),
    })
}

fn without_effect(
    mut dropped: BTreeMap<usize, String>,
    held: &BTreeSet<usize>,
) -> BTreeMap<usize, String> {
    for number in held {
        dropped.insert(*number, "it would change nothing".to_owned());
    }
    dropped
}

/// Where the texts are not better as they should be.
#[derive(Debug)]
enum Trouble {
    /// This guideline still fails where cures should have ended it.
    Stays(Key),
    /// This verdict is worse.
    Worse(Key),
}

fn troubles(
    guide: &Guide,
    cures: &[Cure],
    held: &BTreeSet<usize>,
    was: &Counts,
    is: &Counts,
    texts: &Texts,
) -> Vec<Trouble> {
    let mut expected: BTreeMap<Key, usize> = BTreeMap::new();
    for cure in held.iter().filter_map(|number| cures.get(*number)) {
        for about in &cure.cured {
            let key = (
                GuidelineId(about.guideline.clone()),
                about.path.clone(),
                about.resource.id(),
            );
            *expected.entry(key).or_default() += 1;
        }
    }
    let mut troubles = Vec::new();
    for (key, gone) in &expected {
        let (before, now) = (was.of(key), is.of(key));
        if now.fails + gone > before.fails || now.unknowns > before.unknowns {
            troubles.push(Trouble::Stays(key.clone()));
        }
    }
    let mut before = None;
    let became = Became::of(held.iter().filter_map(|number| cures.get(*number)));
    let held = held.iter().filter_map(|number| cures.get(*number));
    let added: BTreeSet<String> = held
        .flat_map(|cure| &cure.added)
        .map(|added| format!("{}/", added.kind))
        .collect();
    for (key, now) in &is.0 {
        if expected.contains_key(key) {
            continue;
        }
        let is_added =
            was.of(key) == Count::default() && added.iter().any(|start| key.2.starts_with(start));
        let is_new = is_added || texts.files.get(&key.1).is_some_and(|file| file.new);
        // Of an object that is new much may be unknown, and that is no worse than that there is none.
        let worse = if is_new {
            let before = before.get_or_insert_with(|| anywhere(was, &expected));
            let before = before.get(&(key.0.clone(), key.2.clone()));
            now.fails > before.copied().unwrap_or_default()
        } else if let Some(old) = became.old(&key.1, &key.2) {
            let guideline = guide.guideline(&key.0.0);
            let old_key = (key.0.clone(), key.1.clone(), old.id());
            guideline.is_some_and(|guideline| is_asked(guideline, old))
                && now.worse_than(was.of(&old_key))
        } else {
            now.worse_than(was.of(key))
        };
        if worse {
            troubles.push(Trouble::Worse(key.clone()));
        }
    }
    troubles
}

/// How often guidelines fail for objects, wherever that is, without what is cured: a namespace that others only named
/// was judged where they name it, and now it is declared by a new file.
fn anywhere(
    was: &Counts,
    expected: &BTreeMap<Key, usize>,
) -> BTreeMap<(GuidelineId, String), usize> {
    let mut fails: BTreeMap<(GuidelineId, String), usize> = BTreeMap::new();
    for (key, count) in &was.0 {
        let gone = expected.get(key).copied().unwrap_or_default();
        let stays = count.fails.saturating_sub(gone);
        if stays > 0 {
            *fails.entry((key.0.clone(), key.2.clone())).or_default() += stays;
        }
    }
    fails
}

/// Which cures make which guideline fail, tried one by one in the file of the first object where it happens.
struct Culprits<'a> {
    question: &'a Question<'a>,
    cures: &'a [Cure],
    disk: &'a Disk,
    /// the cures of each object
    objects: &'a BTreeMap<(Arc<str>, String), Vec<usize>>,
    /// by the guideline that fails and the guidelines of an object's cures
    known: BTreeMap<(GuidelineId, Guidelines), Guidelines>,
}

/// Ids of guidelines.
type Guidelines = BTreeSet<Arc<str>>;

/// The guidelines that a cure is about.
fn about(cure: &Cure) -> impl Iterator<Item = &Arc<str>> {
    cure.cured.iter().map(|about| &about.guideline)
}

/// Cures by the guidelines that they are about.
type Kinds<'c> = BTreeMap<Guidelines, Vec<Numbered<'c>>>;

/// How many assessments of everything are spent on one doubtful verdict.
const TRIALS: usize = 32;

impl Culprits<'_> {
    /// The guidelines among those of these cures whose cure makes `key` worse by itself: tried in the file of the
    /// object, then in all that was given.
    fn of(&mut self, key: &Key, doubted: &[usize]) -> anyhow::Result<Guidelines> {
        let kinds = self.kinds(doubted);
        let asked = (key.0.clone(), kinds.keys().flatten().cloned().collect());
        if let Some(known) = self.known.get(&asked) {
            return Ok(known.clone());
        }
        let file = EstateArgs {
            paths: vec![PathBuf::from(&*key.1)],
            parameters: self.question.estate.parameters.clone(),
            module_cache: self.question.estate.module_cache.clone(),
            whole: self.question.estate.whole,
            renderings: self.question.estate.renderings.clone(),
            ..EstateArgs::default()
        };
        let mut found = BTreeSet::new();
        for (estate, here) in [(&file, true), (self.question.estate, false)] {
            let before = self.count(key, estate, &Texts::default())?;
            for (about, cures) in kinds.iter().take(TRIALS) {
                let cures = cures.iter().filter(|(_, cure)| !here || cure.path == key.1);
                let alone = Texts::of(&cures.copied().collect::<Vec<_>>(), self.disk);
                if !alone.files.is_empty() && self.count(key, estate, &alone)?.worse_than(before) {
                    found.extend(about.iter().cloned());
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        self.known.insert(asked, found.clone());
        Ok(found)
    }

    /// Cures of the same guidelines do the same.
    fn kinds(&self, doubted: &[usize]) -> Kinds<'_> {
        let mut kinds = Kinds::new();
        for number in doubted {
            if let Some(cure) = self.cures.get(*number) {
                let about = about(cure).cloned().collect();
                kinds.entry(about).or_default().push((*number, cure));
            }
        }
        kinds
    }

    /// The cures of an object, wherever its findings stand.
    fn about(&self, object: &str, held: &BTreeSet<usize>) -> Vec<usize> {
        let objects = self.objects.iter().filter(|((_, id), _)| id == object);
        let numbers = objects.flat_map(|(_, numbers)| numbers).copied();
        let numbers: BTreeSet<usize> = numbers.filter(|number| held.contains(number)).collect();
        numbers.into_iter().collect()
    }

    /// Where it takes several cures: the guidelines of those without which the others do no harm.
    fn needed(&self, key: &Key, doubted: &[usize]) -> anyhow::Result<Guidelines> {
        let kinds = self.kinds(doubted);
        let estate = self.question.estate;
        let before = self.count(key, estate, &Texts::default())?;
        for without in kinds.keys().take(TRIALS) {
            let others = kinds.iter().filter(|(about, _)| *about != without);
            let others: Vec<Numbered<'_>> = others.flat_map(|(_, cures)| cures).copied().collect();
            let texts = Texts::of(&others, self.disk);
            if !self.count(key, estate, &texts)?.worse_than(before) {
                return Ok(without.clone());
            }
        }
        Ok(Guidelines::new())
    }

    /// What one guideline says of one object.
    fn count(&self, key: &Key, estate: &EstateArgs, texts: &Texts) -> anyhow::Result<Count> {
        let mut counts = Counts::default();
        Question {
            estate,
            selects: &|guideline: &Guideline| guideline.id == key.0,
            overlay: texts.overlay(),
            new_files: texts.new_files(),
            remedies: false,
            ..*self.question
        }
        .ask(|finding| counts.add(&finding))?;
        Ok(counts.of(key))
    }
}

/// The cures that make a file.
fn makers<'c>(
    cures: &'c [Cure],
    held: &'c BTreeSet<usize>,
    path: &'c str,
) -> impl Iterator<Item = usize> + 'c {
    let makes = move |number: &usize| cures.get(*number).is_some_and(|cure| cure.makes(path));
    held.iter().copied().filter(makes)
}

/// Whether an id is that of a resource of Azure, of which several files may say something.
fn is_azure(id: &str) -> bool {
    id.starts_with("Microsoft.")
}

/// The cures that are taken back for these troubles; `all` ends the search.
fn blamed(
    held: &BTreeSet<usize>,
    troubles: &[Trouble],
    all: bool,
    culprits: &mut Culprits<'_>,
) -> anyhow::Result<Vec<(usize, String)>> {
    let mut blamed = Vec::new();
    if troubles.is_empty() {
        let why = || "a file could not be read after it".to_owned();
        blamed.extend(held.iter().map(|number| (*number, why())));
    }
    let cures = culprits.cures;
    for trouble in troubles {
        let (Trouble::Stays(key) | Trouble::Worse(key)) = trouble;
        let own: Vec<usize> = culprits
            .objects
            .get(&(key.1.clone(), key.2.clone()))
            .into_iter()
            .flatten()
            .copied()
            .filter(|number| held.contains(number))
            .collect();
        let worse = format!("`{}` would be worse for {} after it", key.0, key.2);
        let (numbers, why): (Vec<usize>, String) = match trouble {
            Trouble::Stays(_) => {
                let mine = |number: &usize| {
                    cures
                        .get(*number)
                        .is_some_and(|cure| about(cure).any(|id| *id == key.0.0))
                };
                let mine = own.iter().copied().filter(mine).collect();
                (mine, format!("`{}` would still not hold after it", key.0))
            }
            // A new object that is not good enough itself.
            Trouble::Worse(_) if makers(cures, held, &key.1).next().is_some() => {
                (makers(cures, held, &key.1).collect(), worse)
            }
            Trouble::Worse(_) => {
                // Those of the object where it stands, then wherever a template says something of it; where another
                // object is worse off, any.
                let anywhere: Vec<usize> = culprits.about(&key.2, held);
                let mut doubted = own;
                let mut by = Guidelines::new();
                for wider in [anywhere, held.iter().copied().collect()] {
                    if !doubted.is_empty() {
                        by = culprits.of(key, &doubted)?;
                    }
                    if !by.is_empty() {
                        break;
                    }
                    if doubted.len() < wider.len() && (doubted.is_empty() || is_azure(&key.2)) {
                        doubted = wider;
                    }
                }
                if by.is_empty() {
                    by = culprits.of(key, &doubted)?;
                }
                if by.is_empty() {
                    by = culprits.needed(key, &doubted)?;
                }
                let guilty = |number: &usize| {
                    cures
                        .get(*number)
                        .is_some_and(|cure| about(cure).any(|id| by.contains(id)))
                };
                let guilty: Vec<usize> = doubted.iter().copied().filter(guilty).collect();
                // Those of the same file first: the others may not matter, which the next round shows.
                let beside =
                    |number: &usize| cures.get(*number).is_some_and(|cure| cure.path == key.1);
                let near: Vec<usize> = guilty.iter().copied().filter(beside).collect();
                let numbers = match (guilty.is_empty(), near.is_empty()) {
                    (true, _) => doubted,
                    (false, true) => guilty,
                    (false, false) => near,
                };
                (numbers, worse)
            }
        };
        let numbers = if all || numbers.is_empty() {
            held.iter().copied().collect()
        } else {
            numbers
        };
        blamed.extend(numbers.into_iter().map(|number| (number, why.clone())));
    }
    Ok(blamed)
}
