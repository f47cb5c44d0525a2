//! What was seen before, as a file: what is first seen is not in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const SCHEMA: &str = "seawall.baseline/v1";

/// By detection, what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    seen: BTreeMap<Box<str>, BTreeSet<Vec<Box<str>>>>,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BaselineError(String);

impl Baseline {
    pub(crate) fn add<'k>(
        &mut self,
        detection: &str,
        keys: impl Iterator<Item = &'k Vec<Box<str>>>,
    ) {
        let own = self.seen.entry(detection.into()).or_default();
        own.extend(keys.cloned());
    }

    pub(crate) fn has(&self, detection: &str, key: &Vec<Box<str>>) -> bool {
        self.seen
            .get(detection)
            .is_some_and(|own| own.contains(key))
    }

    pub(crate) fn count_of(&self, detection: &str) -> usize {
        self.seen.get(detection).map_or(0, BTreeSet::len)
    }

    pub(crate) fn known(&self, detection: &str) -> BTreeSet<Vec<Box<str>>> {
        self.seen.get(detection).cloned().unwrap_or_default()
    }

    /// Adds what another knows.
    pub fn merge(&mut self, other: Self) {
        for (detection, keys) in other.seen {
            self.seen.entry(detection).or_default().extend(keys);
        }
    }

    /// How much is in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.values().map(BTreeSet::len).sum()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file: a line for each thing that was seen.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("{{\"schema\": \"{SCHEMA}\",\n\"seen\": {{");
        let mut between = "\n";
        for (detection, keys) in &self.seen {
            text.push_str(&format!("{between}{}: [", Value::from(&**detection)));
            between = ",\n";
            let mut comma = "\n  ";
            for key in keys {
                let key: Vec<&str> = key.iter().map(|part| &**part).collect();
                text.push_str(&format!("{comma}{}", json!(key)));
                comma = ",\n  ";
            }
            text.push(']');
        }
        text.push_str("}}\n");
        text
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is no baseline of this form.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let wrong = |what: &str| BaselineError(what.to_owned());
        let value: Value = serde_json::from_str(text)
            .map_err(|error| BaselineError(format!("no JSON: {error}")))?;
        if value.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            return Err(BaselineError(format!("its schema is not `{SCHEMA}`")));
        }
        let seen = value.get("seen").and_then(Value::as_object);
        let mut baseline = Self::default();
        for (detection, keys) in seen.ok_or_else(|| wrong("there is no `seen` in it"))? {
            let own = baseline.seen.entry(detection.as_str().into()).or_default();
            for key in keys
                .as_array()
                .ok_or_else(|| wrong("`seen` has lists in it"))?
            {
                let parts = key.as_array().into_iter().flatten();
                own.insert(parts.filter_map(Value::as_str).map(Into::into).collect());
            }
        }
        Ok(baseline)
    }
}

#[cfg(test)]
mod tests {
    use super::Baseline;

    #[test]
    fn a_baseline_reads_back() {
        let mut baseline = Baseline::default();
        let keys = [
            vec!["".into(), "eve \"x\"".into()],
            vec!["c".into(), "a".into()],
        ];
        baseline.add("account-new-agent", keys.iter());
        baseline.add("empty", [].iter());
        let text = baseline.write();
        assert_eq!(Baseline::read(&text).unwrap(), baseline, "{text}");
        assert!(Baseline::read("{}").is_err() && Baseline::read("[").is_err());
    }
}
