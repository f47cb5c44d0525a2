//! What an assessment says, as far as a later one is held against it: how often guidelines fail, and what could not be
//! read. It leaves out why.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::azure::template;
use model::coverage::{DocumentEntry, Status};
use model::finding::{Finding, GuidelineId, Outcome};
use model::kinds::Kind;
use model::resource::ResourceName;

/// A guideline about a resource of a file: its failures and its unknowns.
pub(super) type Key = (GuidelineId, Arc<str>, String);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) fails: usize,
    pub(super) unknowns: usize,
}

impl Count {
    pub(super) fn worse_than(self, before: Self) -> bool {
        self.fails > before.fails || self.fails + self.unknowns > before.fails + before.unknowns
    }
}

/// The file that findings about a resource are counted for. Those about the estate stand where it begins, which may be
/// elsewhere when objects are rendered anew or come to it.
pub(super) fn path_of(resource: &ResourceName, path: &Arc<str>) -> Arc<str> {
    let of_estate = matches!(&resource.kind, Kind::Kubernetes { group, kind }
        if **group == *template::GROUP && &**kind == "Estate");
    if of_estate { "".into() } else { path.clone() }
}

/// How often each guideline fails, and is undecided, for each object, and what is not read of which file.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(super) counts: BTreeMap<Key, Count>,
    /// the reasons of each file
    unread: BTreeMap<Arc<str>, Vec<Box<str>>>,
}

impl Said {
    /// Notes a finding.
    pub(crate) fn add(&mut self, finding: &Finding) {
        let path = path_of(&finding.resource, &finding.place.path);
        let key = (finding.guideline.clone(), path, finding.resource.id());
        let count = self.counts.entry(key).or_default();
        match finding.outcome {
            Outcome::Fail => count.fails += 1,
            Outcome::Unknown { .. } => count.unknowns += 1,
        }
    }

    /// Notes what could not be read.
    pub(crate) fn unread<'e>(&mut self, entries: impl Iterator<Item = &'e DocumentEntry>) {
        for entry in entries {
            let reason = entry.reason.as_deref().unwrap_or(match entry.status {
                Status::Unreadable => "it cannot be read",
                _ => "it cannot be evaluated",
            });
            let reasons = self.unread.entry(entry.path.clone()).or_default();
            reasons.push(without_place(reason).into());
        }
    }

    pub(super) fn of(&self, key: &Key) -> Count {
        self.counts.get(key).copied().unwrap_or_default()
    }

    /// Files of which more is not read than before, and why.
    pub(super) fn lost(&self, before: &Self) -> BTreeMap<Arc<str>, Box<str>> {
        let none = Vec::new();
        let lost = self.unread.iter().filter_map(|(path, reasons)| {
            let known = before.unread.get(path).unwrap_or(&none);
            if reasons.len() <= known.len() {
                return None;
            }
            let new = reasons.iter().find(|reason| !known.contains(reason));
            let reason = new.or(reasons.last())?;
            Some((path.clone(), reason.clone()))
        });
        lost.collect()
    }
}

/// A reason without the line and column that it begins with: they move with edits.
fn without_place(reason: &str) -> &str {
    let Some((place, rest)) = reason.split_once(": ") else {
        return reason;
    };
    let is_place = place.split(", ").all(|part| {
        let number = part
            .strip_prefix("line ")
            .or_else(|| part.strip_prefix("column "));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if is_place { rest } else { reason }
}

#[cfg(test)]
mod tests {
    use super::without_place;

    #[test]
    fn places_of_reasons_go() {
        assert_eq!(without_place("line 3, column 4: no: such"), "no: such");
        assert_eq!(without_place("line 3: none"), "none");
        assert_eq!(without_place("module `a`: none"), "module `a`: none");
    }
}
