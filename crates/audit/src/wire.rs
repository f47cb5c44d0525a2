//! States as bytes, for processes that each see a part of a log: what is written is read back as it was.
//!
//! Numbers are of variable length, texts and tables have their length before them. Reading bounds everything by the
//! bytes that there are: nothing is allocated because a length says so. What the bytes are of, and in which version, is
//! the matter of whoever writes them.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes that are no state of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Bytes that are read.
pub(crate) struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (first, rest) = self.0.split_first().ok_or(Broken)?;
        self.0 = rest;
        Ok(*first)
    }

    fn some(&mut self, count: usize) -> Result<&'b [u8], Broken> {
        let (some, rest) = self.0.split_at_checked(count).ok_or(Broken)?;
        self.0 = rest;
        Ok(some)
    }

    /// How many follow. Each takes a byte at least.
    fn count(&mut self) -> Result<usize, Broken> {
        let count = usize::read(self)?;
        if count > self.0.len() {
            return Err(Broken);
        }
        Ok(count)
    }
}

/// What can be written and read.
pub(crate) trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken>;
}

impl Wire for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let mut sum = 0;
        for shift in (0..64).step_by(7) {
            let byte = bytes.byte()?;
            let part = Self::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(Broken);
            }
            sum |= part << shift;
            if byte < 0x80 {
                return Ok(sum);
            }
        }
        Err(Broken)
    }
}

impl Wire for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        // Small ones of either sign are short.
        ((*self << 1) ^ (*self >> 63)).cast_unsigned().write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let number = u64::read(bytes)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

impl Wire for usize {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u64).write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Self::try_from(u64::read(bytes)?).map_err(|_| Broken)
    }
}

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        match bytes.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Broken),
        }
    }
}

impl Wire for Box<str> {
    fn write(&self, out: &mut Vec<u8>) {
        text(self, out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let count = bytes.count()?;
        let text = std::str::from_utf8(bytes.some(count)?).map_err(|_| Broken)?;
        Ok(text.into())
    }
}

/// Writes a text as `Box<str>` is read.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    text.len().write(out);
    out.extend_from_slice(text.as_bytes());
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        bool::read(bytes)?.then(|| T::read(bytes)).transpose()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Ok((A::read(bytes)?, B::read(bytes)?))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        (0..bytes.count()?).map(|_| T::read(bytes)).collect()
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        (0..bytes.count()?).map(|_| T::read(bytes)).collect()
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        for (key, value) in self {
            key.write(out);
            value.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        (0..bytes.count()?).map(|_| <(K, V)>::read(bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Bytes, Wire};

    type All = BTreeMap<Box<str>, Vec<(Option<i64>, (u64, bool))>>;

    fn written(value: &impl Wire) -> Vec<u8> {
        let mut out = Vec::new();
        value.write(&mut out);
        out
    }

    #[test]
    fn what_is_written_is_read() {
        let numbers = [i64::MIN, -65, -1, 0, 1, 64, i64::MAX];
        let all: All = [("", 0), ("é", 7)]
            .map(|(name, count)| {
                let items = numbers.iter().take(count).map(|number| {
                    let number = *number;
                    (
                        Some(number).filter(|n| *n != 64),
                        (number as u64, number > 0),
                    )
                });
                (name.into(), items.collect())
            })
            .into();
        let bytes = written(&all);
        let mut rest = Bytes::new(&bytes);
        assert_eq!(All::read(&mut rest), Ok(all));
        assert!(rest.is_empty());
        for end in 0..bytes.len() {
            assert!(All::read(&mut Bytes::new(&bytes[..end])).is_err(), "{end}");
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let lie = written(&u64::MAX);
        assert!(Vec::<u64>::read(&mut Bytes::new(&lie)).is_err());
        assert!(<Box<str>>::read(&mut Bytes::new(&lie)).is_err());
        assert!(u64::read(&mut Bytes::new(&[0xff; 10])).is_err());
        assert!(bool::read(&mut Bytes::new(&[2])).is_err());
    }
}
