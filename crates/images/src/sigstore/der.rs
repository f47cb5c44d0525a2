//! As much of DER as taking an extension out of a certificate and a token of time apart need.

/// An element: its whole bytes, its tag, what is in it.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) whole: &'a [u8],
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;

/// The first element, and what follows it.
pub(super) fn element(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, rest) = input.split_first()?;
    // Tags of several bytes are in no certificate.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if first & 0x80 == 0 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        let length = digits
            .iter()
            .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
        (length, rest)
    };
    let (body, rest) = rest.split_at_checked(length)?;
    let whole = input.get(..input.len().checked_sub(rest.len())?)?;
    let element = Element {
        whole,
        tag: *tag,
        body,
    };
    Some((element, rest))
}

/// All elements of a body.
pub(super) fn elements(mut body: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut all = Vec::new();
    while !body.is_empty() {
        let (one, rest) = element(body)?;
        all.push(one);
        body = rest;
    }
    Some(all)
}

/// An element, written.
pub(super) fn write(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let digits: Vec<u8> = length
        .to_be_bytes()
        .into_iter()
        .skip_while(|digit| *digit == 0)
        .collect();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(digits.first().copied().unwrap_or(0));
    } else {
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        out.extend_from_slice(&digits);
    }
    out.extend_from_slice(body);
    out
}
