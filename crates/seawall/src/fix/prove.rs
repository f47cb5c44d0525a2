//! Whether cures hold: the texts that they make are assessed as the files were. Every finding that a cure is about
//! must be gone, no other verdict may be worse, and nothing may have become unreadable; a cure that breaks this is
//! taken back. Which one it is, `culprits` finds out.

mod culprits;
mod said;
mod totals;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::guide::Guide;
use model::finding::GuidelineId;

use super::became::{Became, is_asked};
use super::cure::{About, Cure, Left, Numbered, Way};
use super::languages::terraform::is_terraform;
use super::texts::{Disk, Texts};
use crate::commands::judged::Question;
use culprits::Culprits;
pub(crate) use said::Said;
use said::{Count, Key};
use totals::Totals;
use trials::Trials;

/// How often the texts are assessed again before all cures are taken back. Each time some are.
const ROUNDS: usize = 16;

/// Cures that hold.
pub(crate) struct Proved {
    /// By their numbers, in order.
    pub(crate) held: BTreeSet<usize>,
    /// Cures that do not, by number, and why.
    pub(crate) dropped: BTreeMap<usize, String>,
    /// What those that hold write.
    pub(crate) texts: Texts,
    stays: Stays,
}

/// Findings that stay with cures that cure others: by the number of the cure and of the finding among its own, and why.
type Stays = BTreeMap<usize, BTreeMap<usize, String>>;

impl Proved {
    /// Takes the findings that stay from cures that hold for others.
    pub(crate) fn apart(&mut self, cures: &mut [Cure]) -> Vec<Left> {
        let mut left = Vec::new();
        for (number, findings) in std::mem::take(&mut self.stays) {
            let Some(cure) = cures
                .get_mut(number)
                .filter(|_| self.held.contains(&number))
            else {
                continue;
            };
            let all = std::mem::take(&mut cure.cured);
            for (at, about) in all.into_iter().enumerate() {
                match findings.get(&at) {
                    Some(why) => left.push(Left {
                        about,
                        safety: cure.safety,
                        why: why.clone(),
                    }),
                    None => cure.cured.push(about),
                }
            }
        }
        left
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
        stays: Stays::new(),
    }
}

/// Proves cures together and takes back those that do not hold. What a module of Terraform must not say for all who
/// call it, the call says then.
pub(crate) fn prove(question: &Question<'_>, was: &Said, cures: &[Cure]) -> anyhow::Result<Proved> {
    let mut disk = Disk::new(question.estate.options(question.guide, 0));
    disk.read(cures);
    let trials = Trials {
        question,
        was,
        cures,
        disk: &disk,
    };
    let first = rounds(&trials, (0..cures.len()).collect())?;
    let shared: BTreeSet<usize> = first
        .harmful
        .iter()
        .copied()
        .filter(|number| cures.get(*number).is_some_and(is_of_module))
        .collect();
    if shared.is_empty() {
        return Ok(first.proved);
    }
    let mut others = cures.to_vec();
    for number in &shared {
        if let Some(cure) = others.get_mut(*number) {
            cure.way = Way::Call;
        }
    }
    let trials = Trials {
        question,
        was,
        cures: &others,
        disk: &disk,
    };
    let tried = first.proved.held.union(&shared).copied().collect();
    let mut second = rounds(&trials, tried)?.proved;
    let first = first.proved;
    if second.held.len() <= first.held.len() {
        return Ok(first);
    }
    for (number, why) in first.dropped {
        if !second.held.contains(&number) {
            second.dropped.insert(number, why);
        }
    }
    Ok(second)
}

/// What came of rounds.
struct Rounds {
    proved: Proved,
    /// Those of the dropped that made something worse.
    harmful: BTreeSet<usize>,
}

fn rounds(trials: &Trials<'_>, mut held: BTreeSet<usize>) -> anyhow::Result<Rounds> {
    let mut culprits = Culprits::new(trials);
    let (mut dropped, mut harmful) = (BTreeMap::new(), BTreeSet::new());
    let mut stays = Stays::new();
    let end = |held, dropped, texts, stays, harmful| {
        Ok(Rounds {
            proved: Proved {
                held,
                dropped,
                texts,
                stays,
            },
            harmful,
        })
    };
    for round in 1..=ROUNDS {
        let texts = trials.texts(&held);
        for (number, why) in &texts.refused {
            held.remove(number);
            dropped.insert(*number, why.clone());
        }
        if texts.files.is_empty() {
            let dropped = without_effect(dropped, &held);
            return end(BTreeSet::new(), dropped, texts, stays, harmful);
        }
        let troubles = trials.troubles(&held, &texts, &stays)?;
        if troubles.is_empty() {
            return end(held, dropped, texts, stays, harmful);
        }
        let (stay, worse): (Vec<Trouble>, Vec<Trouble>) = troubles
            .into_iter()
            .partition(|trouble| matches!(trouble, Trouble::Stays(_)));
        let mut gone = BTreeSet::new();
        for (number, why) in culprits.blamed(&held, &worse, round == ROUNDS)? {
            gone.insert(number);
            dropped.entry(number).or_insert(why);
            harmful.insert(number);
        }
        held.retain(|number| !gone.contains(number));
        for (number, why) in culprits.staying(&held, &gone, &stay, &mut stays)? {
            held.remove(&number);
            dropped.entry(number).or_insert(why);
        }
    }
    for number in held {
        dropped.insert(
            number,
            "it could not be proved beside the others".to_owned(),
        );
    }
    end(BTreeSet::new(), dropped, Texts::default(), stays, harmful)
}

/// Whether a cure changes a module of Terraform in another folder than that of the configuration.
fn is_of_module(cure: &Cure) -> bool {
    let folder = cure.path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    is_terraform(cure) && cure.way == Way::Document && *cure.origin != *folder
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// This guideline still fails where cures should have ended it.
    Stays(Key),
    /// This verdict is worse.
    Worse(Key),
    /// More of this file cannot be read, and why.
    Unread(Arc<str>, Box<str>),
}

/// A finding that a cure is about, as it is counted.
fn key_of(about: &About) -> Key {
    (
        GuidelineId(about.guideline.clone()),
        said::path_of(&about.resource, &about.path),
        about.resource.id(),
    )
}

fn troubles(
    guide: &Guide,
    cures: &[Numbered<'_>],
    stays: &Stays,
    was: &Said,
    is: &Said,
    texts: &Texts,
) -> Vec<Trouble> {
    let mut expected: BTreeMap<Key, usize> = BTreeMap::new();
    for (number, cure) in cures {
        let stays = stays.get(number);
        for (at, about) in cure.cured.iter().enumerate() {
            if stays.is_none_or(|stays| !stays.contains_key(&at)) {
                *expected.entry(key_of(about)).or_default() += 1;
            }
        }
    }
    let mut troubles = Vec::new();
    for (path, reason) in is.lost(was) {
        troubles.push(Trouble::Unread(path, reason));
    }
    for (key, gone) in &expected {
        let (before, now) = (was.of(key), is.of(key));
        if now.fails + gone > before.fails || now.unknowns > before.unknowns {
            troubles.push(Trouble::Stays(key.clone()));
        }
    }
    let (mut before, mut totals_of) = (None, None);
    let became = Became::of(cures.iter().map(|(_, cure)| *cure));
    let added: BTreeSet<String> = cures
        .iter()
        .flat_map(|(_, cure)| &cure.added)
        .map(|added| format!("{}/", added.kind))
        .collect();
    for (key, now) in &is.counts {
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
            let totals = || Totals::of(&was.counts, &is.counts, &expected);
            now.worse_than(was.of(key)) && totals_of.get_or_insert_with(totals).is_worse(key)
        };
        if worse {
            troubles.push(Trouble::Worse(key.clone()));
        }
    }
    troubles
}

/// How often guidelines fail for objects, wherever that is, without what is cured: a namespace that others only named
/// was judged where they name it, and now it is declared by a new file.
fn anywhere(was: &Said, expected: &BTreeMap<Key, usize>) -> BTreeMap<(GuidelineId, String), usize> {
    let mut fails: BTreeMap<(GuidelineId, String), usize> = BTreeMap::new();
    for (key, count) in &was.counts {
        let gone = expected.get(key).copied().unwrap_or_default();
        let stays = count.fails.saturating_sub(gone);
        if stays > 0 {
            *fails.entry((key.0.clone(), key.2.clone())).or_default() += stays;
        }
    }
    fails
}
