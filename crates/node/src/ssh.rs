//! What sshd does: its configuration with all that it includes.
//!
//! `sshd_config(5)`: of a keyword the first value counts, an `Include` stands for the files that it names, in the order
//! of their names, and what comes behind `Match` counts for some connections only.

use crate::root::Root;
use crate::value::{Data, Place, Value};

const CONFIG: &str = "/etc/ssh/sshd_config";

/// Folder that relative names of `Include` begin in.
const FOLDER: &str = "/etc/ssh";

const MOST_FILES: usize = 256;

/// Name in the report, keyword in small letters, other keyword for the same, what holds where nothing is said.
const KEYWORDS: &[(&str, &str, &str, &str)] = &[
    (
        "permitRootLogin",
        "permitrootlogin",
        "",
        "prohibit-password",
    ),
    (
        "passwordAuthentication",
        "passwordauthentication",
        "",
        "yes",
    ),
    (
        "kbdInteractiveAuthentication",
        "kbdinteractiveauthentication",
        "challengeresponseauthentication",
        "yes",
    ),
    ("permitEmptyPasswords", "permitemptypasswords", "", "no"),
    (
        "hostbasedAuthentication",
        "hostbasedauthentication",
        "",
        "no",
    ),
    ("permitUserEnvironment", "permituserenvironment", "", "no"),
    ("maxAuthTries", "maxauthtries", "", "6"),
];

/// A line that counts.
struct Said {
    keyword: String,
    value: String,
    place: Place,
    /// The `Match` that it stands behind.
    within: Option<String>,
}

#[derive(Default)]
struct Read {
    lines: Vec<Said>,
    /// After so many lines something could not be read.
    hole: Option<(usize, String)>,
    files: usize,
}

/// What sshd does; `None` where it is not there.
#[must_use]
pub fn read(root: &Root) -> Option<Value> {
    let absent = |path| matches!(root.stat(path), Ok(None));
    if absent(CONFIG) && absent("/usr/sbin/sshd") {
        return None;
    }
    let mut read = Read::default();
    read.file(root, CONFIG, None, 0);
    let place = Place::new(CONFIG, 1);
    let mut entries: Vec<(&str, Option<Value>)> = KEYWORDS
        .iter()
        .map(|(name, keyword, other, default)| {
            (*name, Some(read.value(keyword, other, default, &place)))
        })
        .collect();
    let exceptions = read.lines.iter().filter_map(|said| {
        let within = said.within.as_deref()?;
        let (name, ..) = KEYWORDS
            .iter()
            .find(|(_, keyword, other, _)| said.keyword == *keyword || said.keyword == *other)?;
        Some(Value::map(
            [
                ("setting", Some(Value::new(*name, &said.place))),
                ("value", Some(Value::new(said.value.as_str(), &said.place))),
                ("match", Some(Value::new(within, &said.place))),
            ],
            &said.place,
        ))
    });
    entries.push((
        "exceptions",
        Some(Value::new(exceptions.collect::<Vec<_>>(), &place)),
    ));
    entries.push(("enabled", Some(enabled(root, &place))));
    Some(Value::map(entries, &place))
}

/// Whether it is started with the machine.
/// <https://learn.microsoft.com/azure/aks/manage-ssh-node-access>: where SSH is off the service is disabled.
fn enabled(root: &Root, place: &Place) -> Value {
    let wanted = [
        "/etc/systemd/system/multi-user.target.wants/ssh.service",
        "/etc/systemd/system/multi-user.target.wants/sshd.service",
        "/etc/systemd/system/sockets.target.wants/ssh.socket",
        "/etc/systemd/system/sockets.target.wants/sshd.socket",
        "/etc/systemd/system/ssh.service.requires/ssh.socket",
    ];
    for path in wanted {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        match root.list(folder) {
            // The link counts, wherever it leads.
            Ok(Some(names)) if names.iter().any(|own| own == name) => {
                return Value::new(true, &Place::new(path, 1));
            }
            Ok(_) => {}
            Err(unread) => return Value::unknown(unread.noun(), place),
        }
    }
    Value::new(false, place)
}

impl Read {
    fn file(&mut self, root: &Root, path: &str, within: Option<&str>, depth: usize) {
        self.files += 1;
        // sshd itself includes no deeper than 16.
        if depth > 16 || self.files > MOST_FILES {
            self.cut(format!("{path} (included too deeply)"));
            return;
        }
        let text = match root.read(path) {
            Ok(text) => text.unwrap_or_default(),
            Err(unread) => {
                self.cut(unread.noun());
                return;
            }
        };
        let mut within = within.map(str::to_owned);
        for (number, line) in (1u32..).zip(text.lines()) {
            let mut words = words(line).into_iter();
            let Some(keyword) = words.next() else {
                continue;
            };
            let keyword = keyword.to_ascii_lowercase();
            let rest: Vec<String> = words.collect();
            match keyword.as_str() {
                "match" => {
                    let criteria = rest.join(" ");
                    within = (!criteria.eq_ignore_ascii_case("all")).then_some(criteria);
                }
                "include" => {
                    for pattern in &rest {
                        for file in self.named(root, pattern) {
                            self.file(root, &file, within.as_deref(), depth + 1);
                        }
                    }
                }
                _ => self.lines.push(Said {
                    keyword,
                    value: rest.first().cloned().unwrap_or_default(),
                    place: Place::new(path, number),
                    within: within.clone(),
                }),
            }
        }
    }

    fn cut(&mut self, why: String) {
        let at = self.lines.len();
        self.hole.get_or_insert((at, why));
    }

    /// The files that a pattern names, sorted. Stars stand in the last part only.
    fn named(&mut self, root: &Root, pattern: &str) -> Vec<String> {
        let whole = if pattern.starts_with('/') {
            pattern.to_owned()
        } else {
            format!("{FOLDER}/{pattern}")
        };
        if !whole.contains(['*', '?', '[']) {
            return vec![whole];
        }
        let (folder, last) = whole.rsplit_once('/').unwrap_or(("", whole.as_str()));
        if folder.contains(['*', '?', '[']) || last.contains('[') {
            self.cut(format!("{whole} (a pattern that is not resolved)"));
            return Vec::new();
        }
        match root.list(folder) {
            Ok(names) => names
                .unwrap_or_default()
                .into_iter()
                .filter(|name| !name.starts_with('.') && matches(last, name))
                .map(|name| format!("{folder}/{name}"))
                .collect(),
            Err(unread) => {
                self.cut(unread.noun());
                Vec::new()
            }
        }
    }

    fn value(&self, keyword: &str, other: &str, default: &str, place: &Place) -> Value {
        let first = self.lines.iter().position(|said| {
            said.within.is_none()
                && (said.keyword == keyword || (!other.is_empty() && said.keyword == other))
        });
        if let Some((at, why)) = &self.hole
            && first.is_none_or(|first| first >= *at)
        {
            return Value::unknown(why.clone(), place);
        }
        match first.and_then(|first| self.lines.get(first)) {
            Some(said) => Value {
                data: Data::Text(said.value.to_ascii_lowercase()),
                place: said.place.clone(),
            },
            None => Value::new(default, place),
        }
    }
}

/// The words of a line: `Keyword value`, `Keyword=value`, `Keyword "two words"`.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '#' if !quoted && word.is_none() => break,
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '=' if !quoted && words.is_empty() => words.extend(word.take()),
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// `*.conf`, with any number of stars and question marks.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == c => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern
        .get(p..)
        .is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::{matches, words};

    #[test]
    fn patterns_and_words() {
        assert!(matches("*.conf", "50-cloud.conf"));
        assert!(matches("a*b?d", "axxbcd"));
        assert!(!matches("*.conf", "x.conf.bak"));
        assert!(matches("*", ""));
        assert_eq!(words("PermitRootLogin=no # x"), ["PermitRootLogin", "no"]);
        assert_eq!(words(" Match User \"a b\""), ["Match", "User", "a b"]);
        assert!(words("# PermitRootLogin yes").is_empty());
    }
}
