//! As much of CBOR (RFC 8949) as signatures in COSE (RFC 9052) need: whole items of definite or indefinite length,
//! bounded in depth.

/// Levels that are read.
const DEEPEST: usize = 16;

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Tag(u64, Box<Self>),
    /// A float, as far as it says a moment.
    Float(f64),
    /// true, false, null and other simple values.
    Simple,
}

impl Item {
    /// The one item that bytes are.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes, at: 0 };
        let item = reader.item(0)?;
        (reader.at == bytes.len()).then_some(item)
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &Self) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self, low: u8) -> Option<u64> {
        let count = match low {
            0..24 => return Some(u64::from(low)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let bytes = self.take(count)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }

    fn item(&mut self, depth: usize) -> Option<Item> {
        if depth > DEEPEST {
            return None;
        }
        let head = self.byte()?;
        let (major, low) = (head >> 5, head & 0x1f);
        if low == 31 {
            return self.indefinite(major, depth);
        }
        match major {
            7 => self.simple(low),
            _ => {
                let number = self.number(low)?;
                self.definite(major, number, depth)
            }
        }
    }

    fn definite(&mut self, major: u8, number: u64, depth: usize) -> Option<Item> {
        let count = usize::try_from(number).ok()?;
        Some(match major {
            0 => Item::Int(i64::try_from(number).ok()?),
            1 => Item::Int(-1 - i64::try_from(number).ok()?),
            2 => Item::Bytes(self.take(count)?.to_vec()),
            3 => Item::Text(String::from_utf8(self.take(count)?.to_vec()).ok()?),
            4 => {
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.item(depth + 1)?);
                }
                Item::Array(items)
            }
            5 => {
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push((self.item(depth + 1)?, self.item(depth + 1)?));
                }
                Item::Map(entries)
            }
            _ => Item::Tag(number, Box::new(self.item(depth + 1)?)),
        })
    }

    fn indefinite(&mut self, major: u8, depth: usize) -> Option<Item> {
        let mut items = Vec::new();
        loop {
            if self.bytes.get(self.at) == Some(&0xff) {
                self.at += 1;
                break;
            }
            items.push(self.item(depth + 1)?);
        }
        Some(match major {
            2 => {
                let parts: Option<Vec<&[u8]>> = items.iter().map(Item::bytes).collect();
                Item::Bytes(parts?.concat())
            }
            3 => {
                let parts: Option<Vec<&str>> = items.iter().map(Item::text).collect();
                Item::Text(parts?.concat())
            }
            4 => Item::Array(items),
            5 => {
                let mut entries = Vec::new();
                let mut items = items.into_iter();
                while let Some(key) = items.next() {
                    entries.push((key, items.next()?));
                }
                Item::Map(entries)
            }
            _ => return None,
        })
    }

    fn simple(&mut self, low: u8) -> Option<Item> {
        match low {
            0..24 => Some(Item::Simple),
            24 => self.byte().map(|_| Item::Simple),
            26 => Some(Item::Float(f64::from(f32::from_bits(
                u32::try_from(self.number(low)?).ok()?,
            )))),
            27 => Some(Item::Float(f64::from_bits(self.number(low)?))),
            _ => None,
        }
    }
}

/// What COSE signs (RFC 9052, section 4.4): `["Signature1", protected, h'', payload]`.
pub(crate) fn signature1(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x84, 0x6a];
    out.extend_from_slice(b"Signature1");
    string(&mut out, protected);
    string(&mut out, &[]);
    string(&mut out, payload);
    out
}

/// A byte string with the shortest length.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    let count = bytes.len() as u64;
    match count {
        0..24 => out.push(0x40 | count as u8),
        24..0x100 => out.extend_from_slice(&[0x58, count as u8]),
        0x100..0x1_0000 => {
            out.push(0x59);
            out.extend_from_slice(&(count as u16).to_be_bytes());
        }
        _ => {
            out.push(0x5a);
            out.extend_from_slice(&(count as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn items_are_read() {
        let read = |hex: &str| {
            let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap() as u8;
            let bytes: Vec<u8> = hex
                .as_bytes()
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |byte, own| byte << 4 | digit(own)))
                .collect();
            Item::read(&bytes)
        };
        assert_eq!(read("1903e8"), Some(Item::Int(1000)));
        assert_eq!(read("3903e7"), Some(Item::Int(-1000)));
        assert_eq!(
            read("c11a514b67b0"),
            Some(Item::Tag(1, Box::new(Item::Int(1_363_896_240))))
        );
        assert_eq!(
            read("5f42010243030405ff"),
            Some(Item::Bytes(vec![1, 2, 3, 4, 5]))
        );
        assert_eq!(
            read("a26161016162820203"),
            Some(Item::Map(vec![
                (Item::Text("a".into()), Item::Int(1)),
                (
                    Item::Text("b".into()),
                    Item::Array(vec![Item::Int(2), Item::Int(3)])
                ),
            ]))
        );
        // What ends too early, goes on, or claims more than there is.
        for bad in [
            "",
            "19",
            "0000",
            "5bffffffffffffffff",
            "9f",
            "ff",
            "9bffffffffffffffff00",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read(&"81".repeat(100)), None);
    }
}
