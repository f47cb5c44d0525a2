//! What guidelines say of an object wherever it stands. A verdict of what others only name, as a namespace, stands with the
//! first that names it; where that goes, the verdict moves to the next, and nothing is worse for it.

use std::collections::BTreeMap;

use model::finding::GuidelineId;

use super::said::{Count, Key};

/// Counts by guideline and object, before and after.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<(GuidelineId, String), (Count, Count)>);

impl Totals {
    /// `cured` is what cures are to end.
    pub(super) fn of(
        was: &BTreeMap<Key, Count>,
        is: &BTreeMap<Key, Count>,
        cured: &BTreeMap<Key, usize>,
    ) -> Self {
        let mut totals = Self::default();
        for (key, count) in was {
            let (before, _) = totals.entry(key);
            before.fails += count.fails;
            before.unknowns += count.unknowns;
        }
        for (key, gone) in cured {
            let (before, _) = totals.entry(key);
            before.fails = before.fails.saturating_sub(*gone);
        }
        for (key, count) in is {
            let (_, now) = totals.entry(key);
            now.fails += count.fails;
            now.unknowns += count.unknowns;
        }
        totals
    }

    fn entry(&mut self, key: &Key) -> &mut (Count, Count) {
        self.0.entry((key.0.clone(), key.2.clone())).or_default()
    }

    /// Whether the object is worse off, all places together.
    pub(super) fn is_worse(&self, key: &Key) -> bool {
        let counts = self.0.get(&(key.0.clone(), key.2.clone()));
        counts.is_none_or(|(before, now)| now.worse_than(*before))
    }
}
