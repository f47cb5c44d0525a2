//! A unit of systemd: its files in the order in which they count, and the command line that comes of them.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html> (drop-ins),
//! `systemd.exec` (`Environment=`, `EnvironmentFile=`), `systemd.service` (command lines), `systemd.syntax` (lines).
//! Left out: specifiers but `%%`; what hangs on one stands as it is written.

use std::collections::BTreeMap;

use crate::root::{Root, Unread};
use crate::value::Place;

/// Folders of units, the ones that count most first.
pub(crate) const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A word of a command line and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word.
    pub(super) text: String,
    /// Where.
    pub(super) place: Place,
}

/// What a unit starts.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The unit's own file, then its drop-ins, in the order in which they are read.
    pub(super) files: Vec<String>,
    /// The program and its arguments, variables filled in.
    pub(super) command: Vec<Word>,
    /// Files that should say more and could not be read.
    pub(super) unread: Vec<Unread>,
}

#[derive(Debug, Clone)]
struct Assigned {
    value: String,
    place: Place,
}

type Variables = BTreeMap<String, Assigned>;

/// Reads a service; `None` when no folder has it.
#[must_use]
pub(super) fn read(root: &Root, name: &str) -> Option<Unit> {
    let mut unit = Unit::default();
    let own = FOLDERS
        .iter()
        .map(|folder| format!("{folder}/{name}"))
        // What cannot be looked at may be there, and would count: reading it says why it is not known.
        .find(|path| !matches!(root.stat(path), Ok(None)))?;
    unit.files.push(own);
    // Of drop-ins with one name the folder counts that counts most; they are read by name.
    let mut drops: BTreeMap<String, String> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/{name}.d");
        match root.list(&folder) {
            Ok(names) => {
                for name in names.unwrap_or_default() {
                    if name.ends_with(".conf") {
                        let path = format!("{folder}/{name}");
                        drops.entry(name).or_insert(path);
                    }
                }
            }
            Err(unread) => unit.unread.push(unread),
        }
    }
    unit.files.extend(drops.into_values());
    let mut said = Said::default();
    for path in unit.files.clone() {
        match root.read(&path) {
            Ok(text) => said.add(&path, &text.unwrap_or_default()),
            Err(unread) => unit.unread.push(unread),
        }
    }
    let mut variables = said.environment;
    // What files say counts more than what the unit says.
    for (path, may_be_missing) in said.environment_files {
        match root.read(&path) {
            Ok(Some(text)) => environment_file(&path, &text, &mut variables),
            Ok(None) if may_be_missing => {}
            Ok(None) => unit.unread.push(Unread {
                path,
                why: "the unit names it, and it is not there".to_owned(),
            }),
            Err(unread) => unit.unread.push(unread),
        }
    }
    if let Some(line) = said.start {
        unit.command = command(&line, &variables);
    }
    Some(unit)
}

/// What the lines of `[Service]` say.
#[derive(Default)]
struct Said {
    environment: Variables,
    environment_files: Vec<(String, bool)>,
    start: Option<Logical>,
}

impl Said {
    fn add(&mut self, path: &str, text: &str) {
        let mut section = String::new();
        for line in logical_lines(path, text) {
            let trimmed = line.text.trim();
            if let Some(name) = trimmed.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
                continue;
            }
            let Some((key, value)) = line.split() else {
                continue;
            };
            if section != "Service" {
                continue;
            }
            match key.as_str() {
                "ExecStart" if value.text.trim().is_empty() => self.start = None,
                // A service that is no oneshot has one.
                "ExecStart" => self.start = Some(value),
                "Environment" if value.text.trim().is_empty() => self.environment.clear(),
                "Environment" => {
                    for word in words(&value) {
                        if let Some((name, text)) = word.text.split_once('=') {
                            let assigned = Assigned {
                                value: text.to_owned(),
                                place: word.place.clone(),
                            };
                            self.environment.insert(name.to_owned(), assigned);
                        }
                    }
                }
                "EnvironmentFile" if value.text.trim().is_empty() => {
                    self.environment_files.clear();
                }
                "EnvironmentFile" => {
                    let path = value.text.trim();
                    let optional = path.strip_prefix('-');
                    self.environment_files
                        .push((optional.unwrap_or(path).to_owned(), optional.is_some()));
                }
                _ => {}
            }
        }
    }
}

/// A line that may run over several, and where each of its parts begins.
#[derive(Debug, Clone, Default)]
struct Logical {
    text: String,
    /// From which byte on which line, in rising order.
    lines: Vec<(usize, u32)>,
    file: String,
}

impl Logical {
    fn place(&self, offset: usize) -> Place {
        let line = self
            .lines
            .iter()
            .rev()
            .find(|(start, _)| *start <= offset)
            .map_or(1, |(_, line)| *line);
        Place::new(&self.file, line)
    }

    /// Key and value of `KEY=VALUE`.
    fn split(&self) -> Option<(String, Self)> {
        let (key, value) = self.text.split_once('=')?;
        let skipped = key.len() + 1;
        let lines = self
            .lines
            .iter()
            .map(|(start, line)| (start.saturating_sub(skipped), *line))
            .collect();
        Some((
            key.trim().to_owned(),
            Self {
                text: value.to_owned(),
                lines,
                file: self.file.clone(),
            },
        ))
    }
}

/// Joins lines that end in a backslash; comments between them are left out.
fn logical_lines(path: &str, text: &str) -> Vec<Logical> {
    let mut all = Vec::new();
    let mut current: Option<Logical> = None;
    for (number, line) in (1u32..).zip(text.lines()) {
        let is_comment = line.trim_start().starts_with(['#', ';']);
        if is_comment || (current.is_none() && line.trim().is_empty()) {
            continue;
        }
        let own = current.get_or_insert_with(|| Logical {
            file: path.to_owned(),
            ..Logical::default()
        });
        own.lines.push((own.text.len(), number));
        if let Some(head) = line.strip_suffix('\\') {
            own.text.push_str(head);
            own.text.push(' ');
        } else {
            own.text.push_str(line);
            all.extend(current.take());
        }
    }
    all.extend(current);
    all
}

/// The words of a line, quotes and escapes resolved.
fn words(line: &Logical) -> Vec<Word> {
    split(&line.text)
        .into_iter()
        .map(|(at, text, _)| Word {
            text,
            place: line.place(at),
        })
        .collect()
}

/// Words as systemd splits them: where each begins, the word, and whether a quote stood in it.
fn split(text: &str) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    let mut word: Option<(usize, String, bool)> = None;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert((at, String::new(), true)).2 = true;
            }
            // Within single quotes too: systemd knows C's escapes in both.
            ('\\', _) => {
                let own = word.get_or_insert((at, String::new(), false));
                match chars.next() {
                    Some((_, 'n')) => own.1.push('\n'),
                    Some((_, 't')) => own.1.push('\t'),
                    Some((_, 's')) => own.1.push(' '),
                    Some((_, other)) => own.1.push(other),
                    None => own.1.push('\\'),
                }
            }
            (c, None) if c.is_whitespace() => found.extend(word.take()),
            (c, _) => word.get_or_insert((at, String::new(), false)).1.push(c),
        }
    }
    found.extend(word);
    found
}

/// The command line of `ExecStart=`: `$NAME` alone is split into words, `${NAME}` is one part of a word.
fn command(line: &Logical, variables: &Variables) -> Vec<Word> {
    let mut command = Vec::new();
    for word in words(line) {
        let alone = word.text.strip_prefix('$').filter(|name| is_name(name));
        if let Some(name) = alone {
            if let Some(assigned) = variables.get(name) {
                for (_, text, _) in split(&assigned.value) {
                    let place = assigned.place.clone();
                    command.push(Word { text, place });
                }
            }
            continue;
        }
        command.push(filled(word, variables));
    }
    // `-`, `@`, `:`, `+`, `!` say how it is started.
    if let Some(first) = command.first_mut() {
        first.text = first
            .text
            .trim_start_matches(['-', '@', ':', '+', '!', '|'])
            .to_owned();
    }
    command
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A word with its `${NAME}` filled in. What is filled in tells the place.
fn filled(word: Word, variables: &Variables) -> Word {
    let mut text = String::new();
    let mut place = word.place;
    let mut rest = word.text.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        let Some((name, behind)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .filter(|(name, _)| is_name(name))
        else {
            // `$$` is a dollar.
            rest = after.strip_prefix('$').unwrap_or(after);
            text.push('$');
            continue;
        };
        if let Some(assigned) = variables.get(name) {
            text.push_str(&assigned.value);
            place = assigned.place.clone();
        }
        rest = behind;
    }
    text.push_str(rest);
    let text = text.replace("%%", "%");
    Word { text, place }
}

/// `NAME=VALUE` lines of an `EnvironmentFile=`.
fn environment_file(path: &str, text: &str, variables: &mut Variables) {
    for line in logical_lines(path, text) {
        let Some((name, value)) = line.split() else {
            continue;
        };
        let name = name
            .strip_prefix("export ")
            .unwrap_or(&name)
            .trim()
            .to_owned();
        if !is_name(&name) {
            continue;
        }
        let assigned = Assigned {
            value: unquoted(value.text.trim()),
            place: line.place(0),
        };
        variables.insert(name, assigned);
    }
}

/// A value of an environment file, as `parse_env_file_internal` of systemd reads it: quotes count only where a part
/// begins.
fn unquoted(text: &str) -> String {
    let mut value = String::new();
    let (mut quote, mut begins) = (None, true);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => {
                quote = None;
                begins = true;
            }
            ('"' | '\'', None) if begins => quote = Some(c),
            (c, None) if begins && c.is_whitespace() => {}
            ('\\', None) => {
                begins = false;
                value.extend(chars.next());
            }
            ('\\', Some('"')) => match chars.next() {
                Some(c @ ('"' | '\\' | '`' | '$')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                None => {}
            },
            (c, None) => {
                begins = false;
                value.push(c);
            }
            (c, Some(_)) => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logical(text: &str) -> Logical {
        logical_lines("u", text).remove(0)
    }

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn a_variable_alone_is_split_and_one_in_braces_is_not() {
        let mut variables = Variables::new();
        environment_file(
            "/etc/default/kubelet",
            "# labels\nFLAGS=--a=1 --b \"two words\"\nLABEL='x y'\n",
            &mut variables,
        );
        let line = logical(
            "ExecStart=/opt/bin/kubelet \\\n  # between\n  --v=2 \\\n  --labels=\"${LABEL}\" $FLAGS $GONE a$FLAGS $$HOME 100%%",
        );
        let (_, value) = line.split().unwrap();
        let words = command(&value, &variables);
        // Quotes within a value are part of it, and count when it is split.
        assert_eq!(
            texts(&words),
            [
                "/opt/bin/kubelet",
                "--v=2",
                "--labels=x y",
                "--a=1",
                "--b",
                "two words",
                "a$FLAGS",
                "$HOME",
                "100%"
            ]
        );
        let lines: Vec<(&str, u32)> = words
            .iter()
            .map(|word| (&*word.place.file, word.place.line))
            .collect();
        assert_eq!(lines.first(), Some(&("u", 1)));
        assert_eq!(lines.get(1), Some(&("u", 3)));
        assert_eq!(lines.get(2), Some(&("/etc/default/kubelet", 3)));
        assert_eq!(lines.get(3), Some(&("/etc/default/kubelet", 2)));
    }

    #[test]
    fn words_are_split_as_systemd_does() {
        let split = |text: &str| texts(&words(&logical(text))).join("|");
        assert_eq!(split(r#"a "b c" 'd "e' f\ g"#), "a|b c|d \"e|f g");
        assert_eq!(split("-x --y= ''"), "-x|--y=|");
    }
}
