//! `uniqueString`, `guid`, `newGuid`: exact.
//!
//! `guid` is a name-based UUID (RFC 4122, version 5) of the arguments joined by `-` in Azure's
//! namespace. `uniqueString` is a 64-bit variant of MurmurHash3 of the same text, written in 13
//! letters. Neither is documented; published pairs of argument and result confirm both, see the
//! tests: Azure/bicep, `src/Bicep.Core.UnitTests/TypeSystem/FunctionResolverTests.cs` and
//! `src/Bicep.Core.Samples/Files/baselines_bicepparam/Expressions/parameters.json`, both computed
//! by Azure's own library; <https://stackoverflow.com/questions/43295720>;
//! <https://github.com/JasonWhall/go-azure-uniquestring>.

use crate::evaluate::text::Builder;
use crate::functions::{ANY, Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Value, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("uniqueString", 1, ANY, Shape::String, unique_string),
    plain("guid", 1, ANY, Shape::String, guid),
    plain("newGuid", 0, 0, Shape::String, new_guid),
];

/// The arguments joined by `-`.
fn joined(args: &Args<'_, '_>) -> Result<String, Fault> {
    let mut text = String::new();
    for at in 0..args.len() {
        if at > 0 {
            text.push('-');
        }
        match args.get(at).data {
            Data::Str(part) => text.push_str(part),
            Data::Unknown(_) => return Err(Fault::Open),
            Data::Null | Data::Array(_) | Data::Object(_) => {
                return args.mismatch(at, "a string");
            }
            _ => {
                let mut builder = Builder::new(args.engine);
                builder.push(&args.get(at));
                let part = builder.finish(args.engine, args.span);
                text.push_str(part.as_str().unwrap_or_default());
            }
        }
    }
    Ok(text)
}

fn unique_string<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match joined(args) {
        Ok(text) => args.text(&letters(murmur(text.as_bytes()))),
        Err(Fault::Open) => Ok(filled(args, args.opaque(Shape::String))),
        Err(fault) => Err(fault),
    }
}

fn guid<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    match joined(args) {
        Ok(text) => args.text(&uuid(text.as_bytes())),
        Err(Fault::Open) => Ok(filled(args, args.opaque(Shape::String))),
        Err(fault) => Err(fault),
    }
}

fn new_guid<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let why = [Why::Chance("newGuid")];
    let open = args
        .engine
        .unknown(args.span, "{newGuid()}", Shape::String, &why, false);
    Ok(filled(args, open))
}

/// A string that is certainly not empty.
fn filled<'a>(args: &Args<'_, 'a>, open: Value<'a>) -> Value<'a> {
    let empty = args.value(Data::Str(""));
    let not = args.engine.bump.alloc_slice_copy(&[empty]);
    args.engine.with(open, |unknown| unknown.not = not)
}

/// 13 letters, 5 bits each from the highest on.
fn letters(mut hash: u64) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut out = String::with_capacity(13);
    for _ in 0..13 {
        out.push(
            ALPHABET
                .get((hash >> 59) as usize)
                .copied()
                .map_or('a', char::from),
        );
        hash <<= 5;
    }
    out
}

/// Azure's 64-bit hash of a text; it is also that of `templateHash`.
pub(crate) fn murmur(data: &[u8]) -> u64 {
    const C1: u32 = 0x239b_961b;
    const C2: u32 = 0xab0e_9789;
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
    };
    let (mut low, mut high) = (0_u32, 0_u32);
    let mut blocks = data.chunks_exact(8);
    for block in &mut blocks {
        let (first, second) = block.split_at(4);
        let first = word(first)
            .wrapping_mul(C1)
            .rotate_left(15)
            .wrapping_mul(C2);
        low = (low ^ first).rotate_left(19).wrapping_add(high);
        low = low.wrapping_mul(5).wrapping_add(0x561c_cd1b);
        let second = word(second)
            .wrapping_mul(C2)
            .rotate_left(17)
            .wrapping_mul(C1);
        high = (high ^ second).rotate_left(13).wrapping_add(low);
        high = high.wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        let (first, second) = rest.split_at(rest.len().min(4));
        low ^= word(first)
            .wrapping_mul(C1)
            .rotate_left(15)
            .wrapping_mul(C2);
        if !second.is_empty() {
            high ^= word(second)
                .wrapping_mul(C2)
                .rotate_left(17)
                .wrapping_mul(C1);
        }
    }
    let length = data.len() as u32;
    low ^= length;
    high ^= length;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    low = mixed(low);
    high = mixed(high);
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    u64::from(high) << 32 | u64::from(low)
}

const fn mixed(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

/// Azure's namespace for `guid`; the pairs in the tests confirm it.
const NAMESPACE: [u8; 16] = [
    0x11, 0xfb, 0x06, 0xfb, 0x71, 0x2d, 0x4d, 0xdd, 0x98, 0xc7, 0xe7, 0x1b, 0xbd, 0x58, 0x88, 0x30,
];

/// RFC 4122, section 4.3.
fn uuid(name: &[u8]) -> String {
    let mut text = NAMESPACE.to_vec();
    text.extend_from_slice(name);
    let mut out = String::with_capacity(36);
    for (at, byte) in sha1(&text).into_iter().take(16).enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x50,
            8 => byte & 0x3f | 0x80,
            _ => byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// FIPS 180-4. For names only, never for security.
fn sha1(data: &[u8]) -> [u8; 20] {
    let mut message = data.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&(data.len() as u64 * 8).to_be_bytes());
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in message.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|bytes| {
                bytes
                    .iter()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        for at in 16..80 {
            let get = |back: usize| words.get(at - back).copied().unwrap_or(0);
            let next = (get(3) ^ get(8) ^ get(14) ^ get(16)).rotate_left(1);
            words.push(next);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (round, word) in words.into_iter().enumerate() {
            let (mix, constant) = match round {
                0..20 => (b & c | !b & d, 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mix)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (own, add) in state.iter_mut().zip([a, b, c, d, e]) {
            *own = own.wrapping_add(add);
        }
    }
    let mut out = [0; 20];
    for (slot, byte) in out
        .iter_mut()
        .zip(state.iter().flat_map(|word| word.to_be_bytes()))
    {
        *slot = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{letters, murmur, uuid};

    #[test]
    fn unique_strings_are_azures() {
        let pairs = [
            ("hello-world", "a7wkljktk6wne"),
            ("tyeth", "zcztcwvu6iyg6"),
            ("snap-crackle-pop", "byghxckddilkc"),
            ("asd-asdf-asdf", "iizpqit7ih3cc"),
        ];
        for (text, expected) in pairs {
            assert_eq!(letters(murmur(text.as_bytes())), expected, "{text}");
        }
        assert_eq!(murmur(b"hello-world"), 571_013_382_255_652_050);
    }

    #[test]
    fn guids_are_azures() {
        assert_eq!(uuid(b"foo-bar-baz"), "2ed86837-7c7c-5eaa-9864-dd077fd19b0d");
        assert_eq!(uuid(b"asdf"), "228d27cc-6fdb-5934-b7ac-1efccebade04");
    }
}
