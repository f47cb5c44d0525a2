//! `base64.encode`, `base64.decode`, `jsonpatch.escapeKey`.

use super::{Call, Given};
use crate::functions::Func;
use crate::{Node, Val};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    Some(match (func, args) {
        (Func::Base64Encode, [Val::Bytes(b)]) => c.text(&encode(b)),
        (Func::Base64Decode, [Val::Str(s)]) => match decode(s) {
            Some(bytes) => Val::Bytes(c.machine.bump.alloc_slice_copy(&bytes)),
            None => c.fail("illegal base64 data"),
        },
        (Func::EscapeKey, [Val::Str(s)]) => c.text(&s.replace('~', "~0").replace('/', "~1")),
        _ => return None,
    })
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n =
            chunk.iter().fold(0_u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = ALPHABET
                .get((n >> (18 - 6 * i)) as usize & 63)
                .copied()
                .unwrap_or(b'=');
            out.push(if i <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

/// With or without padding, as cel-go takes it.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let trimmed = text.trim_end_matches('=');
    let padding = text.len() - trimmed.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut out = Vec::with_capacity(trimmed.len() * 3 / 4);
    let (mut bits, mut n) = (0_u32, 0);
    for b in trimmed.bytes() {
        let value = ALPHABET.iter().position(|a| *a == b)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        n += 6;
        if n >= 8 {
            n -= 8;
            out.push((bits >> n) as u8);
        }
    }
    (n < 6).then_some(out)
}
