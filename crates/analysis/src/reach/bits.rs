//! Sets of endpoints as bits, and what is known of them: who is surely in, and who may be.

/// A set of small numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn none(size: usize) -> Self {
        Self(vec![0; size.div_ceil(64)])
    }

    pub(crate) fn range(size: usize, from: usize, to: usize) -> Self {
        let mut bits = Self::none(size);
        let to = to.min(size);
        for (at, word) in bits.0.iter_mut().enumerate() {
            let (first, after) = (from.max(at * 64), to.min(at * 64 + 64));
            if first < after {
                *word = u64::MAX >> (64 - (after - first)) << (first - at * 64);
            }
        }
        bits
    }

    pub(crate) fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(crate) fn has(&self, at: usize) -> bool {
        self.0
            .get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own &= other;
        }
    }

    pub(crate) fn minus(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own &= !other;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Its numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.from(0)
    }

    /// Its numbers from one on, ascending.
    pub(crate) fn from(&self, first: usize) -> impl Iterator<Item = usize> + '_ {
        let words = self.0.iter().enumerate().skip(first / 64);
        words.flat_map(move |(at, word)| {
            let mut left = *word;
            if at == first / 64 {
                left &= u64::MAX << (first % 64);
            }
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

/// A set of which only some is known: `sure` is a part of `may`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct TriBits {
    pub(crate) sure: Bits,
    pub(crate) may: Bits,
}

/// Whether something belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Belongs {
    No,
    Maybe,
    Yes,
}

impl TriBits {
    pub(crate) fn none(size: usize) -> Self {
        Self {
            sure: Bits::none(size),
            may: Bits::none(size),
        }
    }

    pub(crate) fn range(size: usize, from: usize, to: usize) -> Self {
        let bits = Bits::range(size, from, to);
        Self {
            sure: bits.clone(),
            may: bits,
        }
    }

    pub(crate) fn set(&mut self, at: usize, belongs: Belongs) {
        if belongs == Belongs::Yes {
            self.sure.set(at);
        }
        if belongs != Belongs::No {
            self.may.set(at);
        }
    }

    pub(crate) fn has(&self, at: usize) -> Belongs {
        if self.sure.has(at) {
            Belongs::Yes
        } else if self.may.has(at) {
            Belongs::Maybe
        } else {
            Belongs::No
        }
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.sure.or(&other.sure);
        self.may.or(&other.may);
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.sure.and(&other.sure);
        self.may.and(&other.may);
    }

    /// Takes out what is in the other: surely in stays what surely is not in the other.
    pub(crate) fn minus(&mut self, other: &Self) {
        self.sure.minus(&other.may);
        self.may.minus(&other.sure);
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn ranges_and_iterators_agree_with_single_bits() {
        for (size, from, to) in [
            (1, 0, 1),
            (64, 0, 64),
            (130, 3, 129),
            (200, 64, 128),
            (70, 9, 9),
        ] {
            let mut single = Bits::none(size);
            (from..to).for_each(|at| single.set(at));
            let range = Bits::range(size, from, to);
            assert_eq!(range, single);
            assert_eq!(
                range.iter().collect::<Vec<_>>(),
                (from..to).collect::<Vec<_>>()
            );
            let first = usize::midpoint(from, to);
            assert_eq!(
                range.from(first).collect::<Vec<_>>(),
                (first..to).collect::<Vec<_>>()
            );
        }
    }
}
