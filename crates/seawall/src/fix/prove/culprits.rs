//! Which cures are taken back where the texts are not as they should be. Cures of the same guidelines do the same, so
//! they are tried together, once for all troubles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::finding::GuidelineId;

use super::said::Key;
use super::trials::Trials;
use super::{Stays, Trouble, key_of};
use crate::fix::cure::{Cure, Numbered};

/// How many kinds of cures are tried for one trouble.
const MOST: usize = 64;

/// Ids of guidelines.
type Guidelines = BTreeSet<Arc<str>>;

/// Cures by the guidelines that they are about.
type Kinds<'c> = BTreeMap<Guidelines, Vec<Numbered<'c>>>;

/// Numbers of cures.
type Numbers = BTreeSet<usize>;

/// A cure that is taken back, and why.
type Blamed = (usize, String);

/// The guidelines that a cure is about.
fn about(cure: &Cure) -> impl Iterator<Item = &Arc<str>> {
    cure.cured.iter().map(|about| &about.guideline)
}

/// Whether an id is that of a resource of Azure, of which several files may say something.
fn is_azure(id: &str) -> bool {
    id.starts_with("Microsoft.")
}

/// The search for culprits, over all rounds.
pub(super) struct Culprits<'a> {
    trials: &'a Trials<'a>,
    /// the cures of each object
    objects: BTreeMap<(Arc<str>, String), Vec<usize>>,
    /// what is wrong when only these cures are made
    tried: BTreeMap<Numbers, BTreeSet<Trouble>>,
    /// in the file of an object: by the guideline that fails and the guidelines of the object's cures
    in_file: BTreeMap<(GuidelineId, Guidelines), Guidelines>,
    /// How many cures were tried by themselves for findings that stay.
    singles: usize,
}

impl<'a> Culprits<'a> {
    pub(super) fn new(trials: &'a Trials<'a>) -> Self {
        let mut objects: BTreeMap<(Arc<str>, String), Vec<usize>> = BTreeMap::new();
        for (number, cure) in trials.cures.iter().enumerate() {
            let about = cure.cured.iter();
            let names: BTreeSet<_> = about
                .map(|about| (about.path.clone(), about.resource.id()))
                .collect();
            for name in names {
                objects.entry(name).or_default().push(number);
            }
        }
        Self {
            trials,
            objects,
            tried: BTreeMap::new(),
            in_file: BTreeMap::new(),
            singles: 0,
        }
    }

    /// The cures that are taken back for these troubles; `all` ends the search.
    pub(super) fn blamed(
        &mut self,
        held: &Numbers,
        troubles: &[Trouble],
        all: bool,
    ) -> anyhow::Result<Vec<Blamed>> {
        let mut blamed = Vec::new();
        for trouble in troubles {
            let why = match trouble {
                Trouble::Stays(_) => continue,
                Trouble::Worse(key) => {
                    format!("`{}` would be worse for {} after it", key.0, key.2)
                }
                Trouble::Unread(path, reason) => {
                    format!("`{path}` could not be read after it: {reason}")
                }
            };
            let numbers = if all {
                held.clone()
            } else {
                self.guilty(held, trouble)?
            };
            let numbers = if numbers.is_empty() { held } else { &numbers };
            blamed.extend(numbers.iter().map(|number| (*number, why.clone())));
        }
        Ok(blamed)
    }

    /// Notes the findings that stay, and gives the cures of which none is left. `gone` has just been taken back, which
    /// may be why some stay: the next round shows.
    pub(super) fn staying(
        &mut self,
        held: &Numbers,
        gone: &Numbers,
        troubles: &[Trouble],
        stays: &mut Stays,
    ) -> anyhow::Result<Vec<Blamed>> {
        let mut without = Vec::new();
        for trouble in troubles {
            let Trouble::Stays(key) = trouble else {
                continue;
            };
            if !self.cures_of(key, gone).is_empty() {
                continue;
            }
            let mut vain = self.cures_of(key, held);
            if vain.len() > 1 && vain.len() <= MOST && self.singles < MOST {
                // Each by itself: what one does in vain, another may do well.
                let mut found = Numbers::new();
                for number in &vain {
                    self.singles += 1;
                    if self.makes(trouble, Numbers::from([*number]))? {
                        found.insert(*number);
                    }
                }
                if !found.is_empty() {
                    vain = found;
                }
            }
            let why = format!("`{}` would still not hold after it", key.0);
            for (number, cure) in self.trials.chosen(&vain) {
                let own = stays.entry(number).or_default();
                let about = cure.cured.iter().enumerate();
                let staying = about.filter(|(_, about)| key_of(about) == *key);
                own.extend(staying.map(|(at, _)| (at, why.clone())));
                if own.len() >= cure.cured.len() {
                    without.push((number, why.clone()));
                }
            }
        }
        Ok(without)
    }

    /// The cures that are about a finding.
    fn cures_of(&self, key: &Key, among: &Numbers) -> Numbers {
        let own = self.trials.chosen(&self.own(key, among)).into_iter();
        own.filter(|(_, cure)| cure.cured.iter().any(|about| key_of(about) == *key))
            .map(|(number, _)| number)
            .collect()
    }

    fn guilty(&mut self, held: &Numbers, trouble: &Trouble) -> anyhow::Result<Numbers> {
        let key = match trouble {
            Trouble::Stays(_) => return Ok(Numbers::new()),
            Trouble::Unread(path, _) => return self.of_file(held, trouble, path),
            Trouble::Worse(key) => key,
        };
        // A new object that is not good enough itself.
        let makes = |number: &usize| {
            let cure = self.trials.cures.get(*number);
            cure.is_some_and(|cure| cure.makes(&key.1))
        };
        let makers: Numbers = held.iter().copied().filter(makes).collect();
        if !makers.is_empty() {
            return Ok(makers);
        }
        // Those of the object where it stands, then wherever a template says something of it; where another object
        // is worse off, any.
        let mut doubted = self.own(key, held);
        let anywhere = self.anywhere(&key.2, held);
        let mut by = Guidelines::new();
        for wider in [anywhere, held.clone()] {
            if !doubted.is_empty() {
                by = self.of(trouble, key, held, &doubted)?;
            }
            if !by.is_empty() {
                break;
            }
            if doubted.len() < wider.len() && (doubted.is_empty() || is_azure(&key.2)) {
                doubted = wider;
            }
        }
        if by.is_empty() {
            by = self.of(trouble, key, held, &doubted)?;
        }
        if by.is_empty() {
            by = self.needed(trouble, held, &doubted)?;
        }
        let guilty = doubted.iter().copied();
        let guilty: Numbers = guilty
            .filter(|number| self.is_about(*number, |id| by.contains(id)))
            .collect();
        // Those of the same file first: the others may not matter, which the next round shows.
        let beside = |number: &usize| {
            let cure = self.trials.cures.get(*number);
            cure.is_some_and(|cure| cure.path == key.1)
        };
        let near: Numbers = guilty.iter().copied().filter(beside).collect();
        Ok(match (guilty.is_empty(), near.is_empty()) {
            (true, _) => doubted,
            (false, true) => guilty,
            (false, false) => near,
        })
    }

    /// The cures without which a file can be read.
    fn of_file(
        &mut self,
        held: &Numbers,
        trouble: &Trouble,
        path: &str,
    ) -> anyhow::Result<Numbers> {
        let beside = |number: &usize| {
            let cure = self.trials.cures.get(*number);
            cure.is_some_and(|cure| *cure.path == *path || *cure.origin == *path)
        };
        let near: Numbers = held.iter().copied().filter(beside).collect();
        for doubted in [&near, held] {
            let mut by = self.alone(trouble, held, doubted)?;
            if by.is_empty() && !doubted.is_empty() {
                by = self.needed(trouble, held, doubted)?;
            }
            let guilty = doubted.iter().copied();
            let guilty: Numbers = guilty
                .filter(|number| self.is_about(*number, |id| by.contains(id)))
                .collect();
            if !guilty.is_empty() {
                return self.fewest(trouble, guilty);
            }
        }
        Ok(near)
    }

    /// Those of guilty cures that make the trouble by themselves, where that is found out soon.
    fn fewest(&mut self, trouble: &Trouble, guilty: Numbers) -> anyhow::Result<Numbers> {
        let mut found = Numbers::new();
        let mut rest = vec![guilty.clone()];
        let mut trials = 0;
        while let Some(some) = rest.pop() {
            if some.len() == 1 || trials >= MOST {
                found.extend(some);
                continue;
            }
            let mut halves = some.iter().copied();
            let first: Numbers = halves.by_ref().take(some.len() / 2).collect();
            let halves = [first, halves.collect()];
            let mut makers = Vec::new();
            for half in halves {
                trials += 1;
                if self.makes(trouble, half.clone())? {
                    makers.push(half);
                }
            }
            if makers.is_empty() {
                found.extend(some);
            }
            rest.extend(makers);
        }
        Ok(found)
    }

    /// The guidelines among those of doubted cures whose cure makes a verdict worse by itself: tried in the file of
    /// the object, unless other files say something of it too, then in all that was given.
    fn of(
        &mut self,
        trouble: &Trouble,
        key: &Key,
        held: &Numbers,
        doubted: &Numbers,
    ) -> anyhow::Result<Guidelines> {
        if !is_azure(&key.2) {
            let kinds = self.kinds(doubted);
            let asked = (key.0.clone(), kinds.keys().flatten().cloned().collect());
            let found = match self.in_file.get(&asked) {
                Some(known) => known.clone(),
                None => {
                    let mut found = Guidelines::new();
                    for (about, cures) in kinds.iter().take(MOST) {
                        if self.trials.worse_in_file(key, cures)? {
                            found.extend(about.iter().cloned());
                        }
                    }
                    self.in_file.insert(asked, found.clone());
                    found
                }
            };
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.alone(trouble, held, doubted)
    }

    /// The guidelines among those of doubted cures whose cures make the trouble by themselves.
    fn alone(
        &mut self,
        trouble: &Trouble,
        held: &Numbers,
        doubted: &Numbers,
    ) -> anyhow::Result<Guidelines> {
        let doubted: Vec<Guidelines> = self.kinds(doubted).into_keys().collect();
        let all = self.kinds(held);
        let mut found = Guidelines::new();
        for about in doubted.into_iter().take(MOST) {
            let cures = all.get(&about).into_iter().flatten();
            if self.makes(trouble, cures.map(|(number, _)| *number).collect())? {
                found.extend(about);
            }
        }
        Ok(found)
    }

    /// Where it takes several cures: the guidelines of those without which the others do no harm.
    fn needed(
        &mut self,
        trouble: &Trouble,
        held: &Numbers,
        doubted: &Numbers,
    ) -> anyhow::Result<Guidelines> {
        for (without, cures) in self.kinds(doubted).into_iter().take(MOST) {
            let mut others = held.clone();
            for (number, _) in cures {
                others.remove(&number);
            }
            if !self.makes(trouble, others)? {
                return Ok(without);
            }
        }
        Ok(Guidelines::new())
    }

    /// Whether these cures make the trouble.
    fn makes(&mut self, trouble: &Trouble, numbers: Numbers) -> anyhow::Result<bool> {
        let troubles = match self.tried.entry(numbers) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let texts = self.trials.texts(new.key());
                let found = if texts.files.is_empty() {
                    BTreeSet::new()
                } else {
                    let troubles = self.trials.troubles(new.key(), &texts, &Stays::new())?;
                    troubles.into_iter().collect()
                };
                new.insert(found)
            }
        };
        Ok(match trouble {
            Trouble::Unread(path, _) => troubles
                .iter()
                .any(|other| matches!(other, Trouble::Unread(own, _) if own == path)),
            trouble => troubles.contains(trouble),
        })
    }

    /// The cures of an object where it stands.
    fn own(&self, key: &Key, held: &Numbers) -> Numbers {
        let own = self.objects.get(&(key.1.clone(), key.2.clone()));
        let own = own.into_iter().flatten().copied();
        own.filter(|number| held.contains(number)).collect()
    }

    /// The cures of an object, wherever its findings stand.
    fn anywhere(&self, object: &str, held: &Numbers) -> Numbers {
        let objects = self.objects.iter().filter(|((_, id), _)| id == object);
        let numbers = objects.flat_map(|(_, numbers)| numbers).copied();
        numbers.filter(|number| held.contains(number)).collect()
    }

    fn is_about(&self, number: usize, wanted: impl Fn(&Arc<str>) -> bool) -> bool {
        let cure = self.trials.cures.get(number);
        cure.is_some_and(|cure| about(cure).any(wanted))
    }

    /// Cures of the same guidelines do the same.
    fn kinds(&self, numbers: &Numbers) -> Kinds<'a> {
        let mut kinds = Kinds::new();
        for (number, cure) in self.trials.chosen(numbers) {
            let about = about(cure).cloned().collect();
            kinds.entry(about).or_default().push((number, cure));
        }
        kinds
    }
}
