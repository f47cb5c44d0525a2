//! Azure's built-in roles, looked up in a table that is not read as a whole.
//!
//! The table (`guide/data/azure-roles.yaml`) is YAML with every value on one line, so that a role is found by
//! searching for its id: an estate names a few of 900 roles.

use std::borrow::Cow;

use super::condition::Condition;
use super::definition::{Definition, Permission};
use super::pattern;

/// The table.
#[derive(Debug, Clone, Default)]
pub struct Builtin {
    text: Cow<'static, str>,
}

impl Builtin {
    /// The table with this text.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into() }
    }

    /// What a role is called.
    #[must_use]
    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.entry(id)?.lines().find_map(|line| value(line, "name"))
    }

    /// A role by its id, a GUID with or without dashes.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Definition> {
        let id = guid(id)?;
        Some(read(&id, self.entry(&id)?))
    }

    /// A role by its name, whatever its case.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<Definition> {
        self.entries()
            .find(|(_, entry)| {
                entry
                    .lines()
                    .find_map(|line| value(line, "name"))
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
            .map(|(id, entry)| read(id, entry))
    }

    /// All roles, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = Definition> + '_ {
        self.entries().map(|(id, entry)| read(id, entry))
    }

    /// Whether an action is a data action, where a role names it without a star.
    #[must_use]
    pub fn is_data_action(&self, action: &str) -> Option<bool> {
        let named = |list: &[Box<str>]| list.iter().any(|own| own.eq_ignore_ascii_case(action));
        let mut found = None;
        for role in self.all() {
            for permission in &role.permissions {
                if named(&permission.control.allow) || named(&permission.control.except) {
                    return Some(false);
                }
                if named(&permission.data.allow) || named(&permission.data.except) {
                    found = Some(true);
                }
            }
        }
        found
    }

    /// The lines of a role.
    fn entry(&self, id: &str) -> Option<&str> {
        let head = format!("\n{}:\n", guid(id)?);
        let start = self.text.find(&head)? + head.len();
        let rest = self.text.get(start..)?;
        Some(rest.get(..end_of_entry(rest)).unwrap_or(rest))
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &*self.text;
        std::iter::from_fn(move || {
            loop {
                let (line, after) = rest.split_once('\n')?;
                rest = after;
                if line.starts_with([' ', '#']) {
                    continue;
                }
                let Some(id) = line.strip_suffix(':') else {
                    continue;
                };
                return Some((id, after.get(..end_of_entry(after)).unwrap_or(after)));
            }
        })
    }
}

/// Where the next role begins.
fn end_of_entry(text: &str) -> usize {
    text.match_indices('\n')
        .map(|(at, _)| at + 1)
        .find(|at| !text.get(*at..).is_some_and(|rest| rest.starts_with(' ')))
        .unwrap_or(text.len())
}

/// A GUID with dashes, in lower case.
pub(crate) fn guid(text: &str) -> Option<String> {
    let digits: String = text
        .chars()
        .filter(|letter| *letter != '-')
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    Some(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.trim_start()
        .trim_start_matches("- ")
        .strip_prefix(key)?
        .strip_prefix(": ")?
        .strip_prefix('"')?
        .strip_suffix('"')
}

fn read(id: &str, entry: &str) -> Definition {
    let mut definition = Definition {
        id: id.into(),
        name: id.into(),
        ..Definition::default()
    };
    for line in entry.lines() {
        if line.starts_with("  - ") {
            definition.permissions.push(Permission::default());
        }
        if let Some(name) = value(line, "name") {
            definition.name = name.into();
        }
        let Some(permission) = definition.permissions.last_mut() else {
            continue;
        };
        if let Some(list) = value(line, "actions") {
            permission.control.allow = pattern::expand(list);
        } else if let Some(list) = value(line, "notActions") {
            permission.control.except = pattern::expand(list);
        } else if let Some(list) = value(line, "dataActions") {
            permission.data.allow = pattern::expand(list);
        } else if let Some(list) = value(line, "notDataActions") {
            permission.data.except = pattern::expand(list);
        } else if let Some(text) = value(line, "condition") {
            permission.condition = Some(Condition::read(text));
        }
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::guid;

    #[test]
    fn guids_are_told_with_or_without_dashes() {
        let dashed = "8311e382-0749-4cb8-b61a-304f252e45ec";
        assert_eq!(guid(dashed).as_deref(), Some(dashed));
        assert_eq!(
            guid("8311E38207494CB8B61A304F252E45EC").as_deref(),
            Some(dashed)
        );
        assert_eq!(guid("8311e382"), None);
        assert_eq!(guid("8311e382-0749-4cb8-b61a-304f252e45eZ"), None);
    }
}
