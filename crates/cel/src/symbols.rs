//! Numbers for field names, so that reading a field compares two bytes instead of text.
//!
//! The table only grows while expressions are compiled; readers of manifests look every key
//! up in it, so a miss must be cheap: one hash over at most 24 bytes and one probe.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::Symbol;

/// The field names that compiled programs mention, numbered from 1.
#[derive(Debug, Clone)]
pub struct Symbols {
    names: Vec<Box<str>>,
    /// open addressing: (hash, symbol), symbol 0 is an empty place; a power of two long
    table: Vec<(u32, u16)>,
    /// names in lower case, made when first asked for
    folded: OnceLock<HashMap<Box<str>, Symbol>>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            table: vec![(0, 0); 64],
            folded: OnceLock::new(),
        }
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b))
}

/// Covers the length, the first and last eight bytes and eight from the middle.
fn hash(text: &str) -> u32 {
    let b = text.as_bytes();
    let n = b.len();
    let read = |at: usize| match b.get(at..at + 8).and_then(|s| s.try_into().ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => 0,
    };
    let (first, middle, last) = if n >= 8 {
        (read(0), read((n - 8) / 2), read(n - 8))
    } else {
        (word(b), 0, 0)
    };
    let mut h = first ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ middle.rotate_left(17);
    h = (h ^ (h >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53) ^ last;
    h = (h ^ (h >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (h >> 32) as u32
}

impl Symbols {
    /// The number of a name; [`Symbol::NONE`] when no program mentions it.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Symbol {
        let h = hash(name);
        let mask = self.table.len() - 1;
        let mut at = h as usize & mask;
        loop {
            match self.table.get(at) {
                Some(&(_, 0)) | None => return Symbol::NONE,
                Some(&(g, s)) if g == h && self.name(Symbol(s)) == name => return Symbol(s),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// The number of a name whatever its case; for documents whose keys have no case of their own.
    #[must_use]
    pub fn fold(&self, name: &str) -> Symbol {
        let folded = self.folded.get_or_init(|| {
            let mut folded = HashMap::new();
            for (at, name) in self.names.iter().enumerate() {
                folded
                    .entry(name.to_ascii_lowercase().into())
                    .or_insert(Symbol(at as u16 + 1));
            }
            folded
        });
        folded
            .get(&*name.to_ascii_lowercase())
            .copied()
            .unwrap_or(Symbol::NONE)
    }

    /// The name of a number; empty for [`Symbol::NONE`].
    #[must_use]
    pub fn name(&self, symbol: Symbol) -> &str {
        (symbol.0 as usize)
            .checked_sub(1)
            .and_then(|i| self.names.get(i))
            .map_or("", |n| n)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Numbers a name. When all 65,535 numbers are taken, further names stay unnumbered and
    /// are compared as text.
    pub(crate) fn intern(&mut self, name: &str) -> Symbol {
        let known = self.get(name);
        if known != Symbol::NONE || name.is_empty() {
            return known;
        }
        let Ok(number) = u16::try_from(self.names.len() + 1) else {
            return Symbol::NONE;
        };
        self.names.push(name.into());
        self.folded.take();
        if self.names.len() * 2 > self.table.len() {
            let mut bigger = vec![(0, 0); self.table.len() * 2];
            for &(h, s) in self.table.iter().filter(|(_, s)| *s != 0) {
                place(&mut bigger, h, s);
            }
            self.table = bigger;
        }
        place(&mut self.table, hash(name), number);
        Symbol(number)
    }
}

fn place(table: &mut [(u32, u16)], h: u32, symbol: u16) {
    let mask = table.len() - 1;
    let mut at = h as usize & mask;
    while let Some(entry) = table.get_mut(at) {
        if entry.1 == 0 {
            *entry = (h, symbol);
            return;
        }
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_stable_and_misses_are_none() {
        let mut s = Symbols::default();
        let names: Vec<String> = (0..3000).map(|i| format!("spec.field-{i}")).collect();
        let numbers: Vec<Symbol> = names.iter().map(|n| s.intern(n)).collect();
        for (n, number) in names.iter().zip(&numbers) {
            assert_eq!(s.get(n), *number);
            assert_eq!(s.name(*number), n);
        }
        assert_eq!(s.get("spec.field-3000"), Symbol::NONE);
        assert_eq!(s.get(""), Symbol::NONE);
    }
}
