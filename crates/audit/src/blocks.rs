//! Text in blocks of bytes that are compared at once: where quotes and brackets stand is a bit for each byte.

use wide::u8x16;

/// How many bytes a [`Block`] has.
pub(crate) const SIZE: usize = 64;

/// The places of the bytes that decide where a JSON value ends, the first byte being the lowest bit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    pub(crate) quotes: u64,
    pub(crate) backslashes: u64,
    /// `{` and `[`
    pub(crate) opens: u64,
    /// `}` and `]`
    pub(crate) closes: u64,
}

impl Block {
    pub(crate) fn of(bytes: &[u8; SIZE]) -> Self {
        let mut block = Self::default();
        let (parts, _) = bytes.as_chunks::<16>();
        // From the last part on, so that each is moved up by those before it.
        for part in parts.iter().rev() {
            let part = u8x16::new(*part);
            let marks = |found: u8x16| u64::from(found.to_bitmask());
            // `[` and `{`, `]` and `}` differ in this bit alone.
            let either = part | u8x16::splat(0x20);
            block.quotes = block.quotes << 16 | marks(part.simd_eq(u8x16::splat(b'"')));
            block.backslashes = block.backslashes << 16 | marks(part.simd_eq(u8x16::splat(b'\\')));
            block.opens = block.opens << 16 | marks(either.simd_eq(u8x16::splat(b'{')));
            block.closes = block.closes << 16 | marks(either.simd_eq(u8x16::splat(b'}')));
        }
        block
    }
}

/// The place of the first quote or backslash.
pub(crate) fn mark(bytes: &[u8]) -> Option<usize> {
    let (parts, rest) = bytes.as_chunks::<16>();
    let mut at = 0;
    // Most strings of a record are short, and starting what is fast on long ones takes longer than reading them.
    for part in parts.iter().take(8) {
        let part = u8x16::new(*part);
        let found = part.simd_eq(u8x16::splat(b'"')) | part.simd_eq(u8x16::splat(b'\\'));
        let found = found.to_bitmask();
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
        at += 16;
    }
    let rest = if parts.len() > 8 {
        bytes.get(at..)?
    } else {
        rest
    };
    Some(at + memchr::memchr2(b'"', b'\\', rest)?)
}

/// Of each bit, whether the number of those up to it is odd.
pub(crate) fn odd(mut bits: u64) -> u64 {
    for by in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << by;
    }
    bits
}

/// Which bytes follow a backslash that is not itself escaped; `carry` goes from one block to the next.
///
/// A run of backslashes escapes every second byte behind its start: adding the starts of runs to all bits at odd places
/// carries through each run, and shows whether it ends at an odd or an even place (simdjson's `json_escape_scanner`).
pub(crate) fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    let begins = backslashes & !*carry;
    let followed = (begins << 1) | ODD;
    let codes = followed.wrapping_sub(begins) ^ ODD;
    let escaped = codes ^ (backslashes | *carry);
    *carry = (codes & backslashes) >> 63;
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Block, SIZE, escaped, mark, odd};

    fn texts() -> Vec<[u8; SIZE]> {
        let letters = *b"\"\\{}[]ab\\\"";
        let mut state = 7_u64;
        let mut dice = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        };
        (0..500)
            .map(|_| std::array::from_fn(|_| letters[dice() % letters.len()]))
            .collect()
    }

    fn bits(found: impl Fn(usize) -> bool) -> u64 {
        (0..SIZE).fold(0, |bits, at| bits | u64::from(found(at)) << at)
    }

    #[test]
    fn agrees_with_one_byte_after_the_other() {
        let mut carry = 0;
        let mut escapes = false;
        for text in texts() {
            let block = Block::of(&text);
            assert_eq!(block.quotes, bits(|at| text[at] == b'"'));
            assert_eq!(block.backslashes, bits(|at| text[at] == b'\\'));
            assert_eq!(block.opens, bits(|at| matches!(text[at], b'{' | b'[')));
            assert_eq!(block.closes, bits(|at| matches!(text[at], b'}' | b']')));
            let slowly = text.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            assert_eq!(mark(&text), slowly);
            let mut expected = 0;
            for (at, byte) in text.iter().enumerate() {
                expected |= u64::from(escapes) << at;
                escapes = *byte == b'\\' && !escapes;
            }
            assert_eq!(escaped(block.backslashes, &mut carry), expected);
            let mut within = false;
            let inside = bits_of(block.quotes, |quote| {
                within ^= quote;
                within
            });
            assert_eq!(odd(block.quotes), inside);
        }
        let long = [vec![b'a'; 1000], vec![b'\\']].concat();
        assert_eq!(mark(&long), Some(1000));
        assert_eq!(mark(b"abc"), None);
    }

    fn bits_of(bits: u64, mut next: impl FnMut(bool) -> bool) -> u64 {
        (0..SIZE).fold(0, |all, at| {
            all | u64::from(next(bits >> at & 1 == 1)) << at
        })
    }
}
