//! Sets of numbers as sorted ranges: ports of a protocol, and addresses. One form for both, so that
//! what is said about sets is proved once.
//!
//! Leaves out what the numbers stand for: [`super::ports`] and [`super::address`] say it.

/// A set of numbers: inclusive ranges, sorted, apart from each other by at least one number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    /// Nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The numbers from `first` to `last`; nothing when they are the wrong way round.
    #[must_use]
    pub fn of(first: u128, last: u128) -> Self {
        if first > last {
            return Self::empty();
        }
        Self(vec![(first, last)])
    }

    /// The set of any ranges, in any order.
    #[must_use]
    pub fn from_parts(mut parts: Vec<(u128, u128)>) -> Self {
        parts.retain(|(first, last)| first <= last);
        parts.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(parts.len());
        for (first, last) in parts {
            match merged.last_mut() {
                Some(before) if first <= before.1 || before.1.checked_add(1) == Some(first) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// Its ranges.
    #[must_use]
    pub fn parts(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a number is in it.
    #[must_use]
    pub fn contains(&self, number: u128) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, last)| number <= *last)
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        Self::from_parts(self.0.iter().chain(&other.0).copied().collect())
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut found = Vec::new();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                found.push((first, last));
            }
            if a.1 <= b.1 {
                left.next();
            } else {
                right.next();
            }
        }
        Self(found)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut found = Vec::new();
        let mut holes = other.0.iter().peekable();
        for (first, last) in &self.0 {
            let mut from = Some(*first);
            while let Some(hole) = holes.peek() {
                if hole.1 < *first {
                    holes.next();
                    continue;
                }
                if hole.0 > *last {
                    break;
                }
                if let Some(start) = from
                    && start < hole.0
                {
                    found.push((start, hole.0 - 1));
                }
                from = hole.1.checked_add(1);
                if hole.1 > *last {
                    break;
                }
                holes.next();
            }
            if let Some(start) = from
                && start <= *last
            {
                found.push((start, *last));
            }
        }
        Self(found)
    }

    /// Whether everything of the other is in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(first, last)| {
            let after = self.0.partition_point(|(start, _)| start <= first);
            after
                .checked_sub(1)
                .and_then(|at| self.0.get(at))
                .is_some_and(|(_, end)| last <= end)
        })
    }

    /// Whether they have anything in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        !self.intersection(other).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    /// Every set of the numbers 0 to 5 against every other, number by number.
    #[test]
    fn sets_behave_as_sets() {
        let set = |bits: u32| {
            Ranges::from_parts(
                (0..6)
                    .filter(|bit| bits >> bit & 1 == 1)
                    .map(|bit| (bit, bit))
                    .collect(),
            )
        };
        let bits = |ranges: &Ranges| {
            (0..6).fold(0, |bits, number| {
                bits | u32::from(ranges.contains(number)) << number
            })
        };
        for a in 0..64 {
            for b in 0..64 {
                let (left, right) = (set(a), set(b));
                assert_eq!(bits(&left), a);
                for (made, wanted) in [
                    (left.union(&right), a | b),
                    (left.intersection(&right), a & b),
                    (left.minus(&right), a & !b),
                ] {
                    assert_eq!(made, set(wanted), "{a:b} {b:b}");
                }
                assert_eq!(left.covers(&right), b & !a == 0);
                assert_eq!(left.meets(&right), a & b != 0);
            }
        }
    }

    #[test]
    fn the_last_number_has_no_next() {
        let all = Ranges::of(0, u128::MAX);
        assert!(all.minus(&all).is_empty());
        assert_eq!(
            all.minus(&Ranges::of(5, u128::MAX)),
            Ranges::of(0, 4),
            "nothing after the end"
        );
        assert_eq!(Ranges::of(0, 4).union(&Ranges::of(5, u128::MAX)), all);
    }
}
