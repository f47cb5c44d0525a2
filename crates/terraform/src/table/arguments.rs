//! Which arguments a version of the provider knows, and what its blocks cannot be without.

use std::collections::BTreeMap;

use super::{string, text_of};
use crate::value::{Data, Val};
use crate::version::Majors;

/// The majors that the table was held against.
const KNOWN: (u64, u64) = (3, 5);

/// What is known of the arguments of a type.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// By block: the arguments that must be in it.
    needs: BTreeMap<String, Vec<String>>,
    /// By argument: the versions that have it, where not all do.
    majors: BTreeMap<String, Vec<u64>>,
}

impl Arguments {
    /// By type.
    pub(super) fn parse(root: &Val<'_>) -> Result<BTreeMap<String, Self>, String> {
        let mut all = BTreeMap::new();
        let listed = root.get("arguments").and_then(|list| list.seq());
        for entry in listed.unwrap_or_default() {
            let name = text_of(entry, "azurerm").ok_or("`arguments` without `azurerm`")?;
            let known = Self {
                needs: words(entry, "needs")
                    .map(|(block, needs)| (block, needs.collect()))
                    .collect(),
                majors: words(entry, "majors")
                    .map(|(argument, majors)| {
                        let majors = majors.filter_map(|major| major.parse().ok()).collect();
                        (argument, majors)
                    })
                    .collect(),
            };
            if all.insert(name.clone(), known).is_some() {
                return Err(format!("the arguments of `{name}` are listed twice"));
            }
        }
        Ok(all)
    }

    /// Whether the newest version that may be used has an argument (`network_profile.pod_cidr`).
    pub(crate) fn has(&self, path: &str, versions: Majors) -> bool {
        let major = versions.1.clamp(KNOWN.0, KNOWN.1);
        let mut whole = path
            .match_indices('.')
            .map(|(at, _)| at)
            .collect::<Vec<_>>();
        whole.push(path.len());
        whole.into_iter().all(|end| {
            let known = path.get(..end).and_then(|part| self.majors.get(part));
            known.is_none_or(|majors| majors.contains(&major))
        })
    }

    /// What must stand in a block.
    pub(crate) fn needs(&self, block: &str, versions: Majors) -> Vec<&str> {
        let needs = self.needs.get(block).map_or(&[][..], Vec::as_slice);
        needs
            .iter()
            .map(String::as_str)
            .filter(|argument| self.has(&format!("{block}.{argument}"), versions))
            .collect()
    }
}

/// Texts by key, in words.
fn words(entry: &Val<'_>, key: &str) -> impl Iterator<Item = (String, std::vec::IntoIter<String>)> {
    let fields: Vec<(String, String)> = entry
        .get(key)
        .and_then(|map| map.entries())
        .unwrap_or_default()
        .iter()
        .map(|field| {
            let text = match field.value.data {
                Data::Int(number) => number.to_string(),
                _ => string(&field.value).unwrap_or_default(),
            };
            (field.key.to_owned(), text)
        })
        .collect();
    fields.into_iter().map(|(key, text)| {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        (key, words.into_iter())
    })
}
