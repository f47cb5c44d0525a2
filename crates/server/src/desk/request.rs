//! A request and a reply, without how they travel.
//!
//! What it deliberately leaves out: bounds on bytes and time; the door has them.

use std::fmt::Write as _;

use maud::Markup;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) post: bool,
    pub(super) path: String,
    pub(super) query: Fields,
    /// `Cookie`, as it came.
    pub(super) cookies: String,
    /// Whether a page of ours asks; see [`super::door`].
    pub(super) own: bool,
    /// The fields of a form.
    pub(super) form: Fields,
}

impl Asked {
    /// A cookie. Of several with one name the first counts, as browsers send the nearest first.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }
}

/// Names and values, as forms send them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

/// Fields of a query or form that are looked at.
const FIELDS: usize = 32;

impl Fields {
    /// `application/x-www-form-urlencoded` (URL Standard, 5.1).
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(FIELDS);
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        )
    }

    /// A value; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value)
    }
}

/// An address with fields; empty ones are left out.
pub(super) fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut sign = '?';
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(address, "{sign}{name}={}", encoded(value));
        sign = '&';
    }
    address
}

/// A text as it stands in a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let pair = (ahead.next().and_then(hex), ahead.next().and_then(hex));
                if let (Some(high), Some(low)) = pair {
                    bytes.push(high << 4 | low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    pub(super) location: Option<String>,
    pub(super) cookies: Vec<String>,
    /// What a file is called that is kept rather than shown.
    pub(super) named: Option<String>,
}

impl Replied {
    pub(super) fn page(status: u16, page: Markup) -> Self {
        Self::text(status, "text/html; charset=utf-8", page.into_string())
    }

    pub(super) const fn text(status: u16, kind: &'static str, body: String) -> Self {
        Self {
            status,
            kind,
            body,
            location: None,
            cookies: Vec::new(),
            named: None,
        }
    }

    /// A file to keep. Its name is one of ours.
    pub(super) fn file(kind: &'static str, body: String, name: &str) -> Self {
        Self {
            named: Some(name.to_owned()),
            ..Self::text(200, kind, body)
        }
    }

    /// Go there, by GET.
    pub(super) fn to(location: impl Into<String>) -> Self {
        Self {
            location: Some(location.into()),
            ..Self::text(303, "text/plain; charset=utf-8", String::new())
        }
    }

    pub(super) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were() {
        let odd = "a b&c=d%/ä+\u{202e}";
        let address = address("/findings", &[("text", odd), ("none", ""), ("page", "2")]);
        let (_, query) = address.split_once('?').unwrap();
        let fields = Fields::parse(query);
        assert_eq!(fields.get("text"), odd);
        assert_eq!(fields.get("page"), "2");
        assert_eq!(fields.get("none"), "");
        assert_eq!(Fields::parse("a=%zz%4&b=+%41").get("a"), "%zz%4");
        assert_eq!(Fields::parse("a=%zz%4&b=+%41").get("b"), " A");
        assert_eq!(Fields::parse(&"x=1&".repeat(100)).0.len(), FIELDS);
    }

    #[test]
    fn cookies_are_told_apart() {
        let asked = Asked {
            cookies: "a=1; __Host-seawall=x.y; b=2".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.cookie("__Host-seawall"), Some("x.y"));
        assert_eq!(asked.cookie("seawall"), None);
    }
}
