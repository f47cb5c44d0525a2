//! Which values are never shown.
//!
//! The values of Secrets are dropped when a document is read. Elsewhere a value that looks
//! like a credential may be judged, but it is struck out of everything that is printed.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use cel::{Node as _, View};
use yaml::Span;

use crate::value::Ref;

pub mod scrub;

/// Whether a name (of an environment variable, a key) says that its value is a credential.
/// Names that say where a credential stands (`secretName`, `passwordFile`) do not.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "accesskeyid",
        "accountkey",
        "sharedaccesskey",
        "storagekey",
        "primarykey",
        "connectionstring",
        "connstring",
        "connstr",
        "privatekey",
        "credentials",
        "credential",
        "saskey",
        "signingkey",
        "encryptionkey",
        "secretkey",
        "masterkey",
    ];
    // Without what stands between words, from the end: it is asked of every key.
    let plain = || {
        let bytes = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
        bytes.map(|byte| byte.to_ascii_lowercase())
    };
    let ends_with = |ending: &&str| {
        let mut own = plain();
        ending.bytes().rev().all(|byte| own.next() == Some(byte))
    };
    // `bypass` and `compass` are no credentials.
    let pass = ["_pass", "-pass", ".pass"].iter().any(|ending| {
        let own = name.len().checked_sub(ending.len());
        let own = own.and_then(|at| name.get(at..));
        own.is_some_and(|own| own.eq_ignore_ascii_case(ending))
    });
    pass || ENDINGS.iter().any(ends_with)
}

/// Whether a property of an Azure resource holds a secret, by its own key and the resource's type:
/// such a value is dropped as soon as it is read.
#[must_use]
pub fn is_secret_property(kind: &str, key: &str) -> bool {
    // Microsoft.KeyVault/vaults/secrets: properties.value; secureValue of deployment scripts and
    // container groups; passwords and client secrets of clusters and machines.
    const SECRET: [&str; 5] = [
        "secureValue",
        "adminPassword",
        "administratorLoginPassword",
        "clientSecret",
        "sharedKey",
    ];
    // What a script says is a program, in which a credential can stand in any form.
    const OF_KINDS: [(&str, &str); 2] = [
        ("Microsoft.KeyVault/vaults/secrets", "value"),
        ("Microsoft.Resources/deploymentScripts", SCRIPT),
    ];
    SECRET.iter().any(|known| key.eq_ignore_ascii_case(known))
        || OF_KINDS
            .iter()
            .any(|(own, known)| kind.eq_ignore_ascii_case(own) && key.eq_ignore_ascii_case(known))
}

/// The property of a deployment script that holds its text.
pub(crate) const SCRIPT: &str = "scriptContent";

/// Whether the value of an annotation of a Secret may be shown: controllers write these and read them, and the
/// guide does. Any other may hold what the Secret does.
#[must_use]
pub fn is_public_annotation(key: &str) -> bool {
    const DOMAINS: [&str; 7] = [
        "kubernetes.io",
        "x-k8s.io",
        "cert-manager.io",
        "helm.sh",
        "argoproj.io",
        "fluxcd.io",
        "seawall.dev",
    ];
    let Some((domain, name)) = key.split_once('/') else {
        return false;
    };
    name != "last-applied-configuration"
        && !is_secret_name(key)
        && DOMAINS.iter().any(|own| {
            let rest = domain.strip_suffix(own);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

/// What stands in values that are credentials.
const MARKS: [&str; 27] = [
    "PRIVATE KEY-----",
    "AccountKey=",
    "SharedAccessKey=",
    "SharedAccessSignature=",
    "assword=",
    "ASSWORD=",
    "assword:",
    "Pwd=",
    "pwd=",
    "PWD=",
    "oken=",
    "OKEN=",
    "ecret=",
    "ECRET=",
    "apikey=",
    "api-key=",
    "api_key=",
    "&sig=",
    "?sig=",
    "ghp_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "eyJhbGciOi",
    "Bearer ",
];

/// Looks for all of them at once, in every text of every document; nothing where that cannot be.
static MARKED: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(MARKS).ok());

/// Whether a value looks like a credential whatever its name.
#[must_use]
pub fn is_secret_value(value: &str) -> bool {
    if value.len() < 8 {
        return false;
    }
    let marked = match &*MARKED {
        Some(marked) => marked.is_match(value),
        None => MARKS.iter().any(|mark| value.contains(mark)),
    };
    marked || has_userinfo(value) || scrub::signs_in(value)
}

/// Whether an argument says that the next one is a user, perhaps with a password: `curl -u`.
#[must_use]
pub fn is_user_option(argument: &str) -> bool {
    scrub::USER_OPTIONS.contains(&argument)
}

/// Whether it is a user with a password, `user:password`, and no pair of numbers or variables.
#[must_use]
pub fn is_user_with_password(value: &str) -> bool {
    value.split_once(':').is_some_and(|(user, password)| {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let word = |text: &str| !text.is_empty() && !text.starts_with(['$', '<', '{', '/']);
        word(user) && word(password) && !(number(user) && number(password))
    })
}

/// `scheme://user:password@host`
fn has_userinfo(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

/// The places of values below `value` that must not be shown.
#[must_use]
pub fn secret_spans(value: Ref<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    collect(value, false, &mut spans, 0);
    if value.get("kind").and_then(Ref::as_str) == Some("Secret")
        && let Some(annotations) = value.path(&["metadata", "annotations"])
    {
        let own = annotations.entries();
        spans.extend(
            own.filter(|(key, _, _)| !is_public_annotation(key))
                .map(|(_, _, entry)| entry.span()),
        );
    }
    spans
}

/// What an argument says of the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct After {
    /// `--password`
    credential: bool,
    /// `-u`
    user: bool,
}

impl After {
    pub(crate) fn of(argument: &str) -> Self {
        Self {
            credential: argument.starts_with('-') && is_secret_name(argument),
            user: is_user_option(argument),
        }
    }

    /// Whether the next one is a credential.
    pub(crate) fn holds(self, next: &str) -> bool {
        self.credential || (self.user && is_user_with_password(next))
    }
}

fn collect(value: Ref<'_>, named: bool, spans: &mut Vec<Span>, depth: usize) {
    if depth > 200 {
        return;
    }
    match value.view() {
        View::Map(_) => {
            let by_name = value
                .get("name")
                .and_then(Ref::as_str)
                .is_some_and(is_secret_name);
            for (key, _, entry) in value.entries() {
                let secret = (by_name && key == "value") || is_secret_name(key);
                collect(entry, secret, spans, depth + 1);
            }
        }
        View::List(_) => {
            let mut after = After::default();
            for item in value.items() {
                let text = item.as_str().unwrap_or_default();
                collect(item, named || after.holds(text), spans, depth + 1);
                after = After::of(text);
            }
        }
        View::Str(text) if named || is_secret_value(text) => spans.push(value.span()),
        View::Int(_) | View::Uint(_) | View::Double(_) if named => spans.push(value.span()),
        _ => {}
    }
}

/// Whether the value at `span` must not be shown.
#[must_use]
pub fn hides(spans: &[Span], span: Span) -> bool {
    spans
        .iter()
        .any(|secret| secret.start < span.end && span.start < secret.end)
}

/// The same with one asterisk a byte, so that places stay right.
#[must_use]
pub fn strike_out_bytes(line: &str, start: u32, spans: &[Span]) -> String {
    let mut struck = String::with_capacity(line.len());
    for (offset, character) in line.char_indices() {
        let at = start + offset as u32;
        if spans.iter().any(|span| span.start <= at && at < span.end) && !character.is_whitespace()
        {
            struck.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            struck.push(character);
        }
    }
    struck
}

/// `line`, which begins at byte `start` of the document, with secret places struck out.
#[must_use]
pub fn strike_out(line: &str, start: u32, spans: &[Span]) -> Box<str> {
    let end = start + line.len() as u32;
    if !spans
        .iter()
        .any(|span| span.start < end && start < span.end)
    {
        return line.into();
    }
    let mut struck = String::with_capacity(line.len());
    for (offset, character) in line.char_indices() {
        let at = start + offset as u32;
        let hidden = spans.iter().any(|span| span.start <= at && at < span.end);
        struck.push(if hidden && !character.is_whitespace() {
            '*'
        } else {
            character
        });
    }
    struck.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the name is without what stands between its words.
    fn plain(name: &str) -> String {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    }

    #[test]
    fn a_name_is_told_by_its_last_words() {
        let endings = [
            "password",
            "passwd",
            "passphrase",
            "secret",
            "token",
            "access_key_id",
            "API-Key",
            "connection string",
            "connstr",
            "Credentials",
            "credential",
            "storage.key",
        ];
        for ending in endings {
            for before in ["", "x", "DB_", "é", "my."] {
                for name in [
                    format!("{before}{ending}"),
                    format!("{before}{}", ending.to_uppercase()),
                    format!("{before}{ending}__"),
                ] {
                    assert!(is_secret_name(&name), "{name}");
                }
                // With more behind it, or less, it is another word.
                for name in [
                    format!("{before}{ending}File"),
                    format!("{before}{ending}é1"),
                ] {
                    assert!(!is_secret_name(&name), "{name}");
                }
                let short = plain(&format!("{before}{ending}"));
                let short = short
                    .get(1..)
                    .filter(|_| before.is_empty())
                    .unwrap_or_default();
                assert!(!is_secret_name(short), "{short}");
            }
        }
        for (name, secret) in [
            ("db_pass", true),
            ("DB-PASS", true),
            ("spring.pass", true),
            ("bypass", false),
            ("pass", false),
            ("épass", false),
            ("", false),
            ("secretName", false),
            ("monkey", false),
        ] {
            assert_eq!(is_secret_name(name), secret, "{name}");
        }
    }

    #[test]
    fn a_value_is_told_by_any_mark_anywhere() {
        for mark in MARKS {
            for value in [
                format!("{mark}12345678"),
                format!("é 12345 {mark}"),
                format!("a{mark}b12345"),
            ] {
                assert!(is_secret_value(&value), "{value}");
            }
            let cut = mark.get(1..).unwrap_or_default();
            let other = format!("é 12345 {cut}");
            assert_eq!(
                is_secret_value(&other),
                MARKS.iter().any(|mark| other.contains(mark)),
                "{other}"
            );
        }
        assert!(!is_secret_value("AKIA"));
        assert!(!is_secret_value("nothing to see here"));
        assert!(MARKED.is_some());
    }
}
