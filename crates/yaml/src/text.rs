//! From bytes to text, and from offsets to lines. It leaves out what the text says.

use std::borrow::Cow;
use std::cell::OnceCell;

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// a byte sequence that is no UTF-8
    #[error("line {line}: the text is not valid UTF-8")]
    Utf8 {
        /// of the first wrong byte
        offset: u64,
        /// 1-based
        line: u32,
    },
    /// half a character, or half a surrogate pair
    #[error("line {line}: the text is not valid UTF-16")]
    Utf16 {
        /// of the first wrong unit
        offset: u64,
        /// 1-based
        line: u32,
    },
    /// something other than text
    #[error("the file is {what}, not text")]
    Binary {
        /// such as `a gzip archive`
        what: &'static str,
    },
}

impl DecodeError {
    /// The same error in a stream that began `offset` bytes and `lines` lines earlier.
    pub(crate) fn moved(self, by: u64, lines: u32) -> Self {
        match self {
            Self::Utf8 { offset, line } => Self::Utf8 {
                offset: offset + by,
                line: line + lines,
            },
            Self::Utf16 { offset, line } => Self::Utf16 {
                offset: offset + by,
                line: line + lines,
            },
            binary @ Self::Binary { .. } => binary,
        }
    }
}

const MAGIC: [(&[u8], &str); 8] = [
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"),
];

/// The text of a file: UTF-8 with or without a byte order mark, UTF-16 with one or without.
/// The mark is not part of what is handed back.
///
/// # Errors
/// When the bytes are no text, with the place.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest).map_err(|e| e.moved(3, 0)),
        [0xFF, 0xFE, rest @ ..] if !rest.starts_with(&[0, 0]) => utf16(rest, u16::from_le_bytes, 2),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes, 2),
        [first, 0, ..] if *first != 0 && bytes.len().is_multiple_of(2) => {
            utf16(bytes, u16::from_le_bytes, 0)
        }
        [0, second, ..] if *second != 0 && bytes.len().is_multiple_of(2) => {
            utf16(bytes, u16::from_be_bytes, 0)
        }
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        // `BZh` and `%PDF` may begin a text; what follows decides.
        if std::str::from_utf8(bytes).is_err() || memchr::memchr(0, bytes).is_some() {
            return Err(DecodeError::Binary { what });
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(_) if memchr::memchr(0, bytes.get(..4096).unwrap_or(bytes)).is_some() => {
            Err(DecodeError::Binary {
                what: "a binary file",
            })
        }
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let head = bytes.get(..4096).unwrap_or(bytes);
            if memchr::memchr(0, head).is_some() {
                return Err(DecodeError::Binary {
                    what: "a binary file",
                });
            }
            Err(DecodeError::Utf8 {
                offset: before.len() as u64,
                line: line_after(before),
            })
        }
    }
}

fn line_after(before: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', before).count() as u32 + 1
}

fn utf16(
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
    skipped: u64,
) -> Result<Cow<'static, str>, DecodeError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut offset = skipped;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok('\0') => {
                return Err(DecodeError::Binary {
                    what: "a binary file",
                });
            }
            Ok(character) => {
                text.push(character);
                offset += 2 * character.len_utf16() as u64;
            }
            Err(_) => {
                return Err(DecodeError::Utf16 {
                    offset,
                    line: line_after(text.as_bytes()),
                });
            }
        }
    }
    if !rest.is_empty() {
        return Err(DecodeError::Utf16 {
            offset,
            line: line_after(text.as_bytes()),
        });
    }
    Ok(Cow::Owned(text))
}

/// Where the first character stands that YAML does not allow anywhere.
pub(crate) fn control_character(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut start = 0;
    for chunk in bytes.chunks(4096) {
        let suspicious = chunk.iter().fold(false, |found, b| {
            found | (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) | (*b >= 0x7f)
        });
        if suspicious {
            let end = start + chunk.len();
            for (index, byte) in chunk.iter().enumerate() {
                let at = |ahead: usize| bytes.get(start + index + ahead).copied().unwrap_or(0);
                let forbidden = match byte {
                    b'\t' | b'\n' | b'\r' => false,
                    0..0x20 | 0x7f => true,
                    0xC2 => at(1) < 0xA0 && at(1) != 0x85,
                    0xEF => at(1) == 0xBF && at(2) >= 0xBE,
                    _ => false,
                };
                if forbidden {
                    return Some(start + index);
                }
            }
            start = end;
        } else {
            start += chunk.len();
        }
    }
    None
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1-based
    pub line: u32,
    /// 1-based, in characters
    pub column: u32,
}

/// Finds lines and columns of offsets. Built when first asked.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: OnceCell<Vec<u32>>,
}

impl<'t> Lines<'t> {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Lines {
            text,
            starts: OnceCell::new(),
        }
    }

    fn starts(&self) -> &[u32] {
        self.starts.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0)
                .chain(breaks.map(|at| at as u32 + 1))
                .collect()
        })
    }

    /// The place of a byte offset; past the end, the end.
    #[must_use]
    pub fn at(&self, offset: u32) -> Place {
        let starts = self.starts();
        let index = starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = starts.get(index).copied().unwrap_or(0) as usize;
        let end = (offset as usize).min(self.text.len());
        let before = self.text.as_bytes().get(start..end).unwrap_or_default();
        let characters = before.iter().filter(|b| **b & 0xC0 != 0x80).count();
        Place {
            line: index as u32 + 1,
            column: characters as u32 + 1,
        }
    }

    /// The text of a line (1-based), without its line break.
    #[must_use]
    pub fn text(&self, line: u32) -> Option<&'t str> {
        let index = line.checked_sub(1)? as usize;
        let start = *self.starts().get(index)? as usize;
        let end = self
            .starts()
            .get(index + 1)
            .map_or(self.text.len(), |next| *next as usize);
        let text = self.text.get(start..end)?;
        Some(text.trim_end_matches(['\r', '\n']))
    }
}
