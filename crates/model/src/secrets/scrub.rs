//! Striking credentials out of values that are kept: letters become `x`, digits `0`, everything else stays.
//!
//! What is kept of a running estate (a snapshot) is judged again later, and the guidelines about
//! credentials must come to the same verdict: names, separators, known prefixes and the form of a value
//! stay, what it says is gone. What is left out: deciding where values stand, which
//! [`crate::kept`] does.

use std::borrow::Cow;

use super::is_secret_name;

/// Prefixes of tokens; what follows them is struck.
const TOKENS: [&str; 9] = [
    "ghp_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "eyJhbGciOi",
    "Bearer ",
    "Basic ",
];

/// Names of credentials that say so only before a `=`.
const ASSIGNED: [&str; 5] = ["sig", "sharedaccesssignature", "pwd", "pass", "auth"];

/// A value of something that is named as a credential. Words that are none (`true`, `none`, a short
/// number) stay.
#[must_use]
pub fn whole(value: &str) -> String {
    let word = value.to_ascii_lowercase();
    let plain = ["true", "false", "yes", "no", "on", "off", "none", "null"];
    let short = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    if short || plain.contains(&word.as_str()) {
        return value.to_owned();
    }
    value.chars().map(struck).collect()
}

/// A text that may hold credentials among other things: assignments, options, tokens, keys, addresses.
#[must_use]
pub fn text(value: &str) -> Cow<'_, str> {
    // Nothing shorter holds a name, a separator and a credential.
    if value.len() < 6 {
        return Cow::Borrowed(value);
    }
    let mut ranges = Vec::new();
    assignments(value, &mut ranges);
    options(value, &mut ranges);
    users(value, &mut ranges);
    keys(value, &mut ranges);
    tokens(value, &mut ranges);
    addresses(value, &mut ranges);
    if ranges.is_empty() {
        return Cow::Borrowed(value);
    }
    ranges.sort_unstable();
    let mut out = String::with_capacity(value.len());
    let mut next = ranges.iter().peekable();
    let mut until = 0;
    for (at, c) in value.char_indices() {
        while let Some((_, end)) = next.next_if(|(start, _)| *start <= at) {
            until = until.max(*end);
        }
        out.push(if at < until { struck(c) } else { c });
    }
    Cow::Owned(out)
}

const fn struck(c: char) -> char {
    match c {
        '0'..='9' => '0',
        c if c.is_ascii_alphabetic() || !c.is_ascii() => 'x',
        c => c,
    }
}

type Ranges = Vec<(usize, usize)>;

/// `password=…`, `"password": "…"`, `apiKey: …`
fn assignments(value: &str, ranges: &mut Ranges) {
    for (at, _) in value.match_indices(['=', ':']) {
        let before = value.get(..at).unwrap_or_default();
        let name = last_word(before.trim_end_matches([' ', '\t', '"', '\'', '\\']));
        if name.is_empty() {
            continue;
        }
        let lower = name.to_ascii_lowercase();
        if !is_secret_name(name) && !ASSIGNED.contains(&lower.as_str()) {
            continue;
        }
        // `https://…` after a name is an address, which `addresses` looks at; `a::b` is no assignment.
        let option = name.starts_with('-');
        let rest = value.get(at + 1..).unwrap_or_default();
        ranges.extend(assigned(rest, at + 1, option));
    }
}

/// `--password …` as one text.
fn options(value: &str, ranges: &mut Ranges) {
    for (at, _) in value.match_indices([' ', '\t', '\n']) {
        let name = last_word(value.get(..at).unwrap_or_default());
        if name.starts_with('-') && is_secret_name(name) {
            let rest = value.get(at + 1..).unwrap_or_default();
            ranges.extend(assigned(rest, at + 1, true));
        }
    }
}

/// Options whose value is a user, perhaps with a password (curl(1)).
pub(super) const USER_OPTIONS: [&str; 4] = ["-u", "--user", "-U", "--proxy-user"];

/// Whether a command line signs in with a password: `curl -u user:password`.
#[must_use]
pub(super) fn signs_in(value: &str) -> bool {
    let mut ranges = Vec::new();
    users(value, &mut ranges);
    !ranges.is_empty()
}

/// The password in `curl -u user:password`.
fn users(value: &str, ranges: &mut Ranges) {
    for (at, _) in value.match_indices([' ', '\t', '\n', '=']) {
        let before = value.get(..at).unwrap_or_default();
        if !USER_OPTIONS.contains(&last_word(before)) {
            continue;
        }
        let rest = value.get(at + 1..).unwrap_or_default();
        let Some((start, end)) = assigned(rest, at + 1, true) else {
            continue;
        };
        let user = value.get(start..end).unwrap_or_default();
        if let Some((name, _)) = user.split_once(':')
            && super::is_user_with_password(user)
        {
            ranges.push((start + name.len() + 1, end));
        }
    }
}

/// The value that begins in `rest`, which stands at `base`.
fn assigned(rest: &str, base: usize, option: bool) -> Option<(usize, usize)> {
    let lead = rest.len() - rest.trim_start_matches([' ', '\t', '=', '\\']).len();
    let body = rest.get(lead..)?;
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (from, length) = match quote {
        Some(quote) => {
            let inside = body.get(1..)?;
            let end = quoted(inside, quote);
            (1, end)
        }
        None => {
            let end = body
                .find(|c: char| {
                    matches!(c, '\n' | '\r' | ';' | '&') || (option && c.is_whitespace())
                })
                .unwrap_or(body.len());
            (0, end)
        }
    };
    let start = base + lead + from;
    (length > 0).then_some((start, start + length))
}

/// Where a quoted text ends: at its quote that no backslash stands before, or with the line.
fn quoted(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '\n' => return at,
            c if c == quote && !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    inside.len()
}

/// The name that a text ends with.
fn last_word(text: &str) -> &str {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let start = text.trim_end_matches(of_name).len();
    text.get(start..).unwrap_or_default()
}

/// What stands between the lines of a private key.
fn keys(value: &str, ranges: &mut Ranges) {
    const BEGIN: &str = "PRIVATE KEY-----";
    for (at, _) in value.match_indices(BEGIN) {
        let start = at + BEGIN.len();
        let rest = value.get(start..).unwrap_or_default();
        let end = rest.find("-----END").unwrap_or(rest.len());
        ranges.push((start, start + end));
    }
}

fn tokens(value: &str, ranges: &mut Ranges) {
    for prefix in TOKENS {
        for (at, _) in value.match_indices(prefix) {
            let start = at + prefix.len();
            let rest = value.get(start..).unwrap_or_default();
            let of_token = |c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '/' | '=')
            };
            let end = rest.find(|c| !of_token(c)).unwrap_or(rest.len());
            ranges.push((start, start + end));
        }
    }
}

/// The password in `scheme://user:password@host`.
fn addresses(value: &str, ranges: &mut Ranges) {
    for (at, mark) in value.match_indices("://") {
        let start = at + mark.len();
        let rest = value.get(start..).unwrap_or_default();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
            .unwrap_or(rest.len());
        // A password may hold what should have been escaped, so the last `@` ends it, unless a path
        // or a query with one of its own begins before.
        let authority = rest.get(..end).unwrap_or_default();
        let Some(host) = authority.rfind('@') else {
            continue;
        };
        if let Some(colon) = authority.get(..host).and_then(|user| user.find(':')) {
            ranges.push((start + colon + 1, start + host));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::is_secret_value;

    #[test]
    fn what_a_credential_says_is_gone_and_its_form_stays() {
        for (from, to) in [
            ("--password=Zq7v", "--password=xx0x"),
            (
                "login --password Zq7v --as shop",
                "login --password xx0x --as shop",
            ),
            (
                "user=shop\npassword=Zq7v W3\nx=1",
                "user=shop\npassword=xx0x x0\nx=1",
            ),
            (
                "{\"password\": \"Zq7v\", \"port\": 1}",
                "{\"password\": \"xx0x\", \"port\": 1}",
            ),
            (
                "{\\\"apiKey\\\": \\\"Zq7v\\\"}",
                "{\\\"apiKey\\\": \\\"xx0x\\\"}",
            ),
            (
                "Protocol=https;AccountKey=Zq7v==;Suffix=a",
                "Protocol=https;AccountKey=xx0x==;Suffix=a",
            ),
            (
                "postgres://shop:Zq7v@db/shop",
                "postgres://shop:xx0x@db/shop",
            ),
            (
                "curl -fsS -u shop:Zq7v https://a",
                "curl -fsS -u shop:xx0x https://a",
            ),
            (
                "curl --user='shop:Zq7v W3' https://a",
                "curl --user='shop:xx0x x0' https://a",
            ),
            ("ghp_Zq7v and more", "ghp_xx0x and more"),
            (
                "Authorization: Bearer Zq7v.a",
                "Authorization: Bearer xx0x.x",
            ),
            (
                "https://a/b?se=1&sig=Zq7v&x=1",
                "https://a/b?se=1&sig=xx0x&x=1",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nZq7v\n-----END PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\nxx0x\n-----END PRIVATE KEY-----",
            ),
        ] {
            assert_eq!(text(from), to);
            assert_eq!(text(to), to, "what was struck is struck once");
            assert_eq!(is_secret_value(from), is_secret_value(to), "{from}");
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for plain in [
            "nginx:1.27@sha256:0123",
            "https://example.com/a:b",
            "/var/run/secrets/kubernetes.io",
            "--tls-private-key-file=/etc/key.pem",
            "system:serviceaccount:shop:web",
            "token",
            "docker run -u 1000:1000 a",
            "curl -u $USER:$PASSWORD https://a",
            "curl -u shop:$PASSWORD https://a",
        ] {
            assert_eq!(text(plain), plain);
        }
        for plain in ["true", "12345", "", "None"] {
            assert_eq!(whole(plain), plain);
        }
        assert_eq!(whole("$(PASSWORD)"), "$(xxxxxxxx)");
        assert_eq!(whole("Zq7v/W3é"), "xx0x/x0x");
    }
}
