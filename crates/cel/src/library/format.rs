//! Kubernetes' `format` library: named formats with the messages of apimachinery v0.34.

use super::{Call, Given, encoders, url};
use crate::functions::Func;
use crate::time::Timestamp;
use crate::{Node, Val};
use bumpalo::collections::Vec as BumpVec;

/// A named format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dns1123Label { prefix: bool },
    Dns1123Subdomain { prefix: bool },
    Dns1035Label { prefix: bool },
    QualifiedName,
    LabelValue,
    Uri,
    Uuid,
    Byte,
    Date,
    Datetime,
}

const NAMED: [(&str, Kind); 13] = [
    ("dns1123Label", Kind::Dns1123Label { prefix: false }),
    ("dns1123Subdomain", Kind::Dns1123Subdomain { prefix: false }),
    ("dns1035Label", Kind::Dns1035Label { prefix: false }),
    ("qualifiedName", Kind::QualifiedName),
    ("dns1123LabelPrefix", Kind::Dns1123Label { prefix: true }),
    (
        "dns1123SubdomainPrefix",
        Kind::Dns1123Subdomain { prefix: true },
    ),
    ("dns1035LabelPrefix", Kind::Dns1035Label { prefix: true }),
    ("labelValue", Kind::LabelValue),
    ("uri", Kind::Uri),
    ("uuid", Kind::Uuid),
    ("byte", Kind::Byte),
    ("date", Kind::Date),
    ("datetime", Kind::Datetime),
];

impl Format {
    fn named(name: &str) -> Option<Self> {
        NAMED
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, k)| Self(*k))
    }

    pub(crate) fn name(self) -> &'static str {
        NAMED
            .iter()
            .find(|(_, k)| *k == self.0)
            .map_or("", |(n, _)| n)
    }

    /// What is wrong with a text.
    fn problems(self, s: &str) -> Vec<String> {
        let is = |ok: bool, message: &str| {
            if ok {
                Vec::new()
            } else {
                vec![message.to_owned()]
            }
        };
        match self.0 {
            Kind::Dns1123Label { prefix } => label_1123(&masked(s, prefix)),
            Kind::Dns1123Subdomain { prefix } => subdomain(&masked(s, prefix)),
            Kind::Dns1035Label { prefix } => label_1035(&masked(s, prefix)),
            Kind::QualifiedName => qualified(s),
            Kind::LabelValue => {
                let mut out = too_long(s, 63);
                if !s.is_empty() && !is_name(s) {
                    out.push(format!(
                        "a valid label must be an empty string or {NAME} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({NAME_RE})?')"
                    ));
                }
                out
            }
            Kind::Uri => is(url::is_request_uri(s), "invalid URI for request"),
            Kind::Uuid => is(is_uuid(s), "does not match the UUID format"),
            Kind::Byte => is(is_byte(s), "invalid base64"),
            Kind::Date => is(is_date(s), "invalid date"),
            Kind::Datetime => is(is_datetime(s), "invalid datetime"),
        }
    }
}

const NAME: &str = "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_RE: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_RE: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// A name that a suffix will follow may end in a dash (`maskTrailingDash`).
fn masked(s: &str, prefix: bool) -> String {
    match s.get(..s.len().saturating_sub(2)) {
        Some(head) if prefix && s.len() > 1 && s.ends_with('-') => format!("{head}a"),
        _ => s.to_owned(),
    }
}

fn too_long(s: &str, max: usize) -> Vec<String> {
    if s.len() > max {
        vec![format!("must be no more than {max} characters")]
    } else {
        Vec::new()
    }
}

fn is_label(s: &str) -> bool {
    let inner = |b: u8| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit();
    !s.is_empty() && s.bytes().all(inner) && !s.starts_with('-') && !s.ends_with('-')
}

fn is_name(s: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(s.chars().next())
        && ends(s.chars().last())
        && s.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn label_1123(s: &str) -> Vec<String> {
    let mut out = too_long(s, 63);
    if !is_label(s) {
        // A subdomain is the likelier mistake: Kubernetes says so.
        if s.split('.').all(is_label) {
            out.push("must not contain dots".into());
        } else {
            out.push(format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL_RE}')"
            ));
        }
    }
    out
}

fn subdomain(s: &str) -> Vec<String> {
    let mut out = too_long(s, 253);
    if !s.split('.').all(is_label) {
        out.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{LABEL_RE}(\\.{LABEL_RE})*')"
        ));
    }
    out
}

fn label_1035(s: &str) -> Vec<String> {
    let mut out = too_long(s, 63);
    if !is_label(s) || s.starts_with(|c: char| c.is_ascii_digit()) {
        out.push("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')".into());
    }
    out
}

fn qualified(s: &str) -> Vec<String> {
    let explain = |what: &str| {
        format!(
            "{what} must {NAME} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_RE}')"
        )
    };
    let empty = "must be non-empty";
    let mut out = Vec::new();
    let name = match s.split_once('/') {
        Some((_, rest)) if rest.contains('/') => {
            let shape =
                " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![explain("a qualified name") + shape];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                out.push(format!("prefix part {empty}"));
            } else {
                out.extend(
                    subdomain(prefix)
                        .into_iter()
                        .map(|m| format!("prefix part {m}")),
                );
            }
            name
        }
        None => s,
    };
    if name.is_empty() {
        out.push(format!("name part {empty}"));
    }
    out.extend(
        too_long(name, 63)
            .into_iter()
            .map(|m| format!("name part {m}")),
    );
    if !is_name(name) {
        out.push(explain("name part"));
    }
    out
}

/// With or without dashes, in either case, as go-openapi's pattern has it.
fn is_uuid(s: &str) -> bool {
    let mut rest = s;
    for (i, n) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.split_at_checked(n) {
            Some((head, tail)) if head.bytes().all(|b| b.is_ascii_hexdigit()) => rest = tail,
            _ => return false,
        }
    }
    rest.is_empty()
}

fn is_byte(s: &str) -> bool {
    !s.is_empty() && s.len().is_multiple_of(4) && encoders::decode(s).is_some()
}

fn is_date(s: &str) -> bool {
    s.len() == 10 && Timestamp::parse(&format!("{s}T00:00:00Z")).is_some()
}

fn is_datetime(s: &str) -> bool {
    let upper = s.to_ascii_uppercase();
    s.len() >= 4 && Timestamp::parse(&upper).is_some()
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let name = match func {
        Func::Dns1123Label => "dns1123Label",
        Func::Dns1123Subdomain => "dns1123Subdomain",
        Func::Dns1035Label => "dns1035Label",
        Func::QualifiedName => "qualifiedName",
        Func::Dns1123LabelPrefix => "dns1123LabelPrefix",
        Func::Dns1123SubdomainPrefix => "dns1123SubdomainPrefix",
        Func::Dns1035LabelPrefix => "dns1035LabelPrefix",
        Func::LabelValue => "labelValue",
        Func::FormatUri => "uri",
        Func::FormatUuid => "uuid",
        Func::FormatByte => "byte",
        Func::FormatDate => "date",
        Func::FormatDatetime => "datetime",
        _ => "",
    };
    Some(match (func, args) {
        (Func::FormatNamed, [Val::Str(name)]) => match Format::named(name) {
            Some(f) => c.machine.some(Val::Format(f)),
            None => Val::Optional(None),
        },
        (Func::Validate, [Val::Format(f), Val::Str(s)]) => {
            c.walk(s.len() * 8);
            let problems = f.problems(s);
            if problems.is_empty() {
                return Some(Val::Optional(None));
            }
            let items = problems.iter().map(|p| Val::string(c.machine.bump, p));
            c.machine
                .some(c.list(BumpVec::from_iter_in(items, c.machine.bump)))
        }
        (_, []) => Val::Format(Format::named(name)?),
        _ => return None,
    })
}
