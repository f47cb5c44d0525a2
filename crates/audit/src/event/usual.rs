//! An event as the API server writes it: keys in its order, no white space, nothing left out. It is read by knowing what
//! comes next, in the log's own text or where that text stands in a string of an envelope, and there without a copy of it.
//!
//! Whatever is otherwise (cut, written by somebody else, escaped in another way) is nobody's here: [`Event::read`] reads
//! it key by key. What this says of an event is what that says of it; tests hold the one against the other.

use std::borrow::Cow;

use super::{BEGIN, Event, Field, Json, ObjectRef, Response, Text, User};
use crate::blocks::{self, Block};
use crate::scan::{self, unescape};

/// A place in a text that holds an event. `QUOTED`: within a string, so that each of its quotes and backslashes has a
/// backslash before it.
struct Usual<'a, const QUOTED: bool> {
    text: &'a str,
    at: usize,
    /// At the beginning of an object: no comma comes before its key.
    first: bool,
}

/// The event that a text begins with.
pub(super) fn plain(text: &str) -> Option<Event<'_>> {
    Usual::<false>::new(text).event()
}

/// The event that the string which begins here says, and the string's length with its quotes.
pub(crate) fn quoted(text: &str) -> Option<(Event<'_>, usize)> {
    let mut scan = Usual::<true>::new(text);
    if !scan.eat(b"\"") {
        return None;
    }
    let event = scan.event()?;
    // AKS keeps the line's end.
    while scan.eat(b"\\n") {}
    scan.eat(b"\"").then_some((event, scan.at))
}

impl<'a, const QUOTED: bool> Usual<'a, QUOTED> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            first: false,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// A quote of the event's text.
    #[inline(always)]
    fn quote(&mut self) -> bool {
        self.eat(if QUOTED { b"\\\"" } else { b"\"" })
    }

    /// Goes over a key and its colon, if it is the next.
    #[inline(always)]
    fn key<const N: usize>(&mut self, key: &[u8; N]) -> bool {
        let before = self.at;
        let comma = self.first || self.eat(b",");
        if comma && self.quote() && self.eat(key) && self.quote() && self.eat(b":") {
            self.first = false;
            return true;
        }
        self.at = before;
        false
    }

    fn begin(&mut self) -> Option<()> {
        self.first = true;
        self.eat(b"{").then_some(())
    }

    fn end(&mut self) -> Option<()> {
        self.first = false;
        self.eat(b"}").then_some(())
    }

    fn event(&mut self) -> Option<Event<'a>> {
        let from = self.at;
        let begins = if QUOTED { BEGIN.1 } else { BEGIN.0 };
        if !self.eat(begins) || !self.key(b"level") {
            return None;
        }
        let mut event = Event::empty(b"");
        event.level = self.string()?;
        if self.key(b"auditID") {
            event.audit_id = self.string()?;
        }
        if self.key(b"stage") {
            event.stage = self.string()?;
        }
        if self.key(b"requestURI") {
            event.request_uri = self.string()?;
        }
        if self.key(b"verb") {
            event.verb = self.string()?;
        }
        if self.key(b"user") {
            event.user = Field::Known(self.user()?);
        }
        if self.key(b"impersonatedUser") {
            event.impersonated = Field::Known(self.user()?);
        }
        if self.key(b"authenticationMetadata") {
            self.tree()?;
        }
        if self.key(b"sourceIPs") {
            event.source_ips = self.tree()?;
        }
        if self.key(b"userAgent") {
            event.user_agent = self.string()?;
        }
        if self.key(b"objectRef") {
            event.object_ref = Field::Known(self.object_ref()?);
        }
        if self.key(b"responseStatus") {
            event.response = Field::Known(self.response()?);
        }
        if self.key(b"requestObject") {
            event.request_object = self.tree()?;
        }
        if self.key(b"responseObject") {
            event.response_object = self.tree()?;
        }
        if self.key(b"requestReceivedTimestamp") {
            event.received = self.string()?;
        }
        if self.key(b"stageTimestamp") {
            event.stage_time = self.string()?;
        }
        if self.key(b"annotations") {
            event.annotations = self.tree()?;
        }
        self.end()?;
        event.json = self.json(from);
        Some(event)
    }

    fn user(&mut self) -> Option<User<'a>> {
        let mut user = User::default();
        self.begin()?;
        if self.key(b"username") {
            user.name = self.string()?;
        }
        if self.key(b"uid") {
            user.uid = self.string()?;
        }
        if self.key(b"groups") {
            user.groups = self.tree()?;
        }
        if self.key(b"extra") {
            user.extra = self.tree()?;
        }
        self.end()?;
        Some(user)
    }

    /// apiserver/pkg/apis/audit/v1/types.go, `ObjectReference`
    fn object_ref(&mut self) -> Option<ObjectRef<'a>> {
        let mut object = ObjectRef::default();
        self.begin()?;
        if self.key(b"resource") {
            object.resource = self.string()?;
        }
        if self.key(b"namespace") {
            object.namespace = self.string()?;
        }
        if self.key(b"name") {
            object.name = self.string()?;
        }
        if self.key(b"uid") {
            object.uid = self.string()?;
        }
        if self.key(b"apiGroup") {
            object.group = self.string()?;
        }
        if self.key(b"apiVersion") {
            object.version = self.string()?;
        }
        if self.key(b"resourceVersion") {
            self.body()?;
        }
        if self.key(b"subresource") {
            object.subresource = self.string()?;
        }
        self.end()?;
        Some(object)
    }

    /// apimachinery/pkg/apis/meta/v1/types.go, `Status`
    fn response(&mut self) -> Option<Response<'a>> {
        let mut response = Response::default();
        self.begin()?;
        if self.key(b"kind") {
            self.body()?;
        }
        if self.key(b"apiVersion") {
            self.body()?;
        }
        if self.key(b"metadata") {
            self.tree()?;
        }
        if self.key(b"status") {
            response.status = self.string()?;
        }
        if self.key(b"message") {
            response.message = self.string()?;
        }
        if self.key(b"reason") {
            response.reason = self.string()?;
        }
        if self.key(b"details") {
            self.tree()?;
        }
        if self.key(b"code") {
            response.code = Field::Known(self.number()?);
        }
        self.end()?;
        Some(response)
    }

    /// A status code, which has few digits.
    fn number(&mut self) -> Option<i64> {
        let digits = self.rest().iter().take(6);
        let (mut number, mut length) = (0, 0);
        for digit in digits.take_while(|byte| byte.is_ascii_digit()) {
            number = number * 10 + i64::from(digit - b'0');
            length += 1;
        }
        self.at += length;
        (length > 0 && self.rest().first() == Some(&b'}')).then_some(number)
    }

    #[inline(always)]
    fn string(&mut self) -> Option<Text<'a>> {
        let (body, escapes) = self.body()?;
        Some(Field::Known(if escapes {
            said(body, QUOTED)
        } else {
            Cow::Borrowed(body)
        }))
    }

    /// What is within the quotes of the string that begins here, as it is written, and whether it has escapes of its own.
    #[inline(always)]
    fn body(&mut self) -> Option<(&'a str, bool)> {
        if !self.quote() {
            return None;
        }
        let bytes = self.text.as_bytes();
        let (from, mut at, mut escapes) = (self.at, self.at, false);
        loop {
            at += blocks::mark(bytes.get(at..)?)?;
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'"'), _) if !QUOTED => {
                    self.at = at + 1;
                    break;
                }
                (Some(b'\\'), Some(_)) if !QUOTED => at += 2,
                (Some(b'\\'), Some(b'"')) => {
                    self.at = at + 2;
                    break;
                }
                // A backslash of the event's text, and the letter that it escapes.
                (Some(b'\\'), Some(b'\\')) => {
                    at += match (bytes.get(at + 2)?, bytes.get(at + 3)?) {
                        (b'\\', b'"' | b'\\') => 4,
                        (b'\\' | b'"', _) => return None,
                        _ => 3,
                    }
                }
                _ => return None,
            }
            escapes = true;
        }
        Some((self.text.get(from..at)?, escapes))
    }

    /// The object or list that begins here.
    fn tree(&mut self) -> Option<Field<Json<'a>>> {
        let from = self.at;
        if !matches!(self.rest().first(), Some(b'{' | b'[')) {
            return None;
        }
        let mut strings = Strings::<QUOTED>::default();
        let mut depth = 0_u32;
        loop {
            let rest = self.rest();
            let (block, length) = match rest.first_chunk() {
                Some(bytes) => (Block::of(bytes), blocks::SIZE),
                None if rest.is_empty() => return None,
                None => {
                    let mut bytes = [0; blocks::SIZE];
                    bytes
                        .iter_mut()
                        .zip(rest)
                        .for_each(|(to, byte)| *to = *byte);
                    (Block::of(&bytes), rest.len())
                }
            };
            let within = strings.next(&block);
            let (opens, closes) = (block.opens & !within, block.closes & !within);
            if closes.count_ones() < depth {
                if strings.broken != 0 {
                    return None;
                }
                depth = depth + opens.count_ones() - closes.count_ones();
                self.at += length;
                continue;
            }
            let mut left = opens | closes;
            while left != 0 {
                let bit = left & left.wrapping_neg();
                left ^= bit;
                if opens & bit != 0 {
                    depth += 1;
                    continue;
                }
                depth -= 1;
                if depth == 0 {
                    // What comes behind is the event's, and may be the end of the string that it stands in.
                    if strings.broken & (bit - 1) != 0 {
                        return None;
                    }
                    self.at += bit.trailing_zeros() as usize + 1;
                    return Some(Field::Known(self.json(from)));
                }
            }
            if strings.broken != 0 {
                return None;
            }
            self.at += length;
        }
    }

    fn json(&self, from: usize) -> Json<'a> {
        let bytes = self.text.as_bytes();
        Json {
            raw: bytes.get(from..self.at).unwrap_or_default(),
            whole: true,
            quoted: QUOTED,
        }
    }
}

/// What a string with escapes says.
#[cold]
fn said(body: &str, quoted: bool) -> Cow<'static, str> {
    let plain = |body: &[u8]| Cow::Owned(scan::text(body, true, true).into_owned());
    if !quoted {
        return plain(body.as_bytes());
    }
    let mut once = Vec::with_capacity(body.len());
    unescape(body.as_bytes(), &mut once);
    plain(&once)
}

/// Where strings are, one block after the other.
#[derive(Default)]
struct Strings<const QUOTED: bool> {
    /// The next byte is escaped.
    escape: u64,
    /// All bits when the last block ended within a string.
    within: u64,
    /// The place, in the next block, of the letter that the last backslash of the event's text escapes.
    letter: Option<u32>,
    /// Places at which the text is not what is read here.
    broken: u64,
}

impl<const QUOTED: bool> Strings<QUOTED> {
    /// Which bytes of the next block are within strings.
    #[inline(always)]
    fn next(&mut self, block: &Block) -> u64 {
        let escaped = blocks::escaped(block.backslashes, &mut self.escape);
        let (quotes, backslashes, broken) = if QUOTED {
            let others = !(block.quotes | block.backslashes);
            let backslashes = block.backslashes & escaped;
            let quotes = block.quotes & escaped;
            let quotes = if backslashes == 0 && self.letter.is_none() {
                quotes
            } else {
                self.unescaped(quotes, backslashes)
            };
            // The end of the string that holds the event, or an escape that may stand for anything.
            let broken = block.quotes & !escaped | escaped & others;
            (quotes, backslashes, broken)
        } else {
            (block.quotes & !escaped, block.backslashes, 0)
        };
        let within = blocks::odd(quotes) ^ self.within;
        // Outside of strings no backslash is JSON.
        self.broken = broken | backslashes & !within;
        self.within = if within >> 63 == 1 { u64::MAX } else { 0 };
        within
    }

    /// The quotes of the event's text that no backslash of it escapes. Both have two bytes, so the letter behind such a
    /// backslash has its own place two bytes on.
    fn unescaped(&mut self, quotes: u64, backslashes: u64) -> u64 {
        let mut left = quotes | backslashes;
        let mut found = 0;
        while left != 0 {
            let at = left.trailing_zeros();
            let bit = 1 << at;
            left ^= bit;
            if self.letter.take() == Some(at) {
                continue;
            }
            if backslashes & bit == 0 {
                found |= bit;
            } else {
                self.letter = Some(at + 2);
            }
        }
        self.letter = self.letter.and_then(|at| at.checked_sub(64));
        found
    }
}

#[cfg(test)]
mod tests;
