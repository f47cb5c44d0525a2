//! A table of bounded size whose content does not hang on the order in which it was filled.
//!
//! Keys are hashes, and the smallest stay: whatever is there at the end was there from its first entry on, so nothing
//! of it is missing; what is left out is left out as a whole, and how much that is follows from how far the smallest
//! hashes reach.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::wire::{Broken, Bytes, Wire};

/// A hash that is the same in every run and on every machine.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The hash of several texts: `["ab", "c"]` differs from `["a", "bc"]`.
pub(crate) fn hash_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hasher = Xxh3::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.digest()
}

/// How many different keys there were, when the `kept` smallest of them reach up to `last`.
pub(crate) fn estimate(kept: usize, last: u64) -> u64 {
    let share = (last as f64 + 1.0) / (u64::MAX as f64 + 1.0);
    (kept as f64 / share) as u64
}

/// The values of the smallest keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounded<V> {
    limit: usize,
    full: bool,
    values: BTreeMap<u64, V>,
}

impl<V> Bounded<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            full: false,
            values: BTreeMap::new(),
        }
    }

    /// Puts a value; `join` adds it to one that is there.
    pub(crate) fn put(&mut self, key: u64, value: V, join: impl Fn(&mut V, V)) {
        if let Some(own) = self.values.get_mut(&key) {
            join(own, value);
            return;
        }
        let last = self.values.last_key_value().map(|(key, _)| *key);
        if self.values.len() >= self.limit {
            self.full = true;
            if last.is_none_or(|last| key > last) {
                return;
            }
            self.values.pop_last();
        }
        self.values.insert(key, value);
    }

    pub(crate) fn merge(&mut self, other: Self, join: impl Fn(&mut V, V)) {
        self.full |= other.full;
        for (key, value) in other.values {
            self.put(key, value, &join);
        }
    }

    /// About how many keys were left out.
    pub(crate) fn left_out(&self) -> u64 {
        match self.values.last_key_value() {
            Some((last, _)) if self.full => estimate(self.values.len(), *last)
                .saturating_sub(self.values.len() as u64)
                .max(1),
            _ => 0,
        }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }

    /// Keys and values, in the order of keys.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (u64, V)> {
        self.values.into_iter()
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.values.into_values()
    }
}

impl<V: Wire> Wire for Bounded<V> {
    fn write(&self, out: &mut Vec<u8>) {
        self.limit.write(out);
        self.full.write(out);
        self.values.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Ok(Self {
            limit: Wire::read(bytes)?,
            full: Wire::read(bytes)?,
            values: Wire::read(bytes)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, hash};

    #[test]
    fn what_stays_hangs_on_nothing_but_what_came() {
        let keys: Vec<u64> = (0..5_000_u64).map(|n| hash(&n.to_le_bytes())).collect();
        let add = |own: &mut u64, other| *own += other;
        let fill = |keys: &mut dyn Iterator<Item = &u64>| {
            let mut table = Bounded::new(100);
            keys.for_each(|key| table.put(*key, 1_u64, add));
            table
        };
        let forth = fill(&mut keys.iter().chain(&keys));
        let back = fill(&mut keys.iter().rev().chain(&keys));
        assert_eq!(forth, back);
        assert!(forth.values().all(|times| *times == 2));
        let (a, b) = keys.split_at(1234);
        let mut merged = fill(&mut b.iter());
        merged.merge(fill(&mut a.iter().chain(&keys)), add);
        assert_eq!(merged, forth);
        let about = forth.left_out();
        assert!((3_500..6_500).contains(&about), "{about}");
        let few = fill(&mut keys.iter().take(50));
        assert_eq!(few.left_out(), 0);
    }
}
