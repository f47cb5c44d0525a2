//! How old the facts are that verdicts rest on: what a guideline's page cites, and the tables and defaults that its
//! expressions read.
//!
//! What it deliberately leaves out: facts of the estate itself, which are as old as the reading.

use std::collections::{BTreeMap, BTreeSet};

use cel::{Program, Step};

use crate::catalogue::Guide;
use crate::guideline::{Applies, Guideline};
use crate::tables::{self, OLD_DAYS, Table, days_between};

// The tables that expressions read.
const KUBERNETES: &str = "kubernetes.yaml";
const AZURE_ROLES: &str = "azure-roles.yaml";
const DEFAULT_ROLES: &str = "default-roles.yaml";

/// A fact that was read too long ago, and whose verdicts rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldFact {
    /// `data/kubernetes.yaml`, or an address.
    pub of: Box<str>,
    /// When it was last read (ISO date).
    pub seen: Box<str>,
    /// Ids, in order.
    pub guidelines: Vec<Box<str>>,
}

/// Two texts: what a fact is, and the day on which it was seen, in the order in which they are sorted.
type Fact = (Box<str>, Box<str>);

/// The facts older than [`OLD_DAYS`] on a day that the verdicts of these guidelines rest on, the oldest first. Keys of
/// `params` that the configuration sets are its own.
#[must_use]
pub fn old_facts<'g>(
    guide: &Guide,
    guidelines: impl Iterator<Item = &'g Guideline>,
    day: &str,
    is_set: &dyn Fn(&str) -> bool,
) -> Vec<OldFact> {
    // What is wrong with a table is said where the guide is tested.
    let wanted = |name: &str| [KUBERNETES, AZURE_ROLES, DEFAULT_ROLES].contains(&name);
    let tables = tables::some(guide, wanted).unwrap_or_default();
    let mut old: BTreeMap<Fact, Vec<Box<str>>> = BTreeMap::new();
    for guideline in guidelines {
        for (of, seen) in facts_of(guide, &tables, guideline, is_set) {
            if days_between(&seen, day).is_some_and(|days| days > OLD_DAYS) {
                let own = old.entry((seen, of)).or_default();
                own.push(guideline.id.0.as_ref().into());
            }
        }
    }
    old.into_iter()
        .map(|((seen, of), guidelines)| OldFact {
            of,
            seen,
            guidelines,
        })
        .collect()
}

/// The dated facts that a guideline rests on: what, and when it was seen.
fn facts_of(
    guide: &Guide,
    tables: &[Table],
    guideline: &Guideline,
    is_set: &dyn Fn(&str) -> bool,
) -> BTreeSet<Fact> {
    let mut facts = BTreeSet::new();
    for reference in &guideline.references {
        facts.insert((reference.url.clone(), reference.seen.clone()));
    }
    let mut read = Reading::default();
    read.all(guide, guideline.judging());
    for name in &read.tables {
        let table = tables.iter().find(|table| *table.name == **name);
        if let Some(date) = table.and_then(|table| table.date.clone()) {
            facts.insert((format!("data/{name}").into(), date));
        }
    }
    for param in &guide.params {
        if let Some(seen) = &param.seen
            && read.params.contains(&param.key)
            && !is_set(&param.key)
        {
            let of = format!("data/params.yaml, `{}`", param.key);
            facts.insert((of.into(), seen.clone()));
        }
    }
    if let Applies::Kinds(kinds) = &guideline.applies {
        for kind in kinds.iter().filter(|kind| kind.contains('/')) {
            for path in &read.paths {
                let keys: Vec<&str> = path.iter().map(|key| &**key).collect();
                for seen in guide.defaults.seen_at(kind, &keys) {
                    let of = format!("data/arm-defaults, {kind}");
                    facts.insert((of.into(), seen.into()));
                }
            }
        }
    }
    facts
}

/// What expressions read, with the definitions that they use.
#[derive(Default)]
struct Reading {
    tables: BTreeSet<&'static str>,
    params: BTreeSet<Box<str>>,
    /// Ways from an Azure resource.
    paths: BTreeSet<Vec<Box<str>>>,
}

impl Reading {
    fn all<'p>(&mut self, guide: &'p Guide, programs: impl Iterator<Item = &'p Program>) {
        let mut queue: Vec<&Program> = programs.collect();
        let mut seen = BTreeSet::new();
        while let Some(program) = queue.pop() {
            for reference in program.references() {
                let keys: Vec<&str> = reference
                    .path
                    .iter()
                    .map_while(|step| match step {
                        Step::Key(key) => Some(&**key),
                        _ => None,
                    })
                    .collect();
                let roots = &guide.roots;
                if reference.root == roots.facts {
                    match keys.as_slice() {
                        ["kubernetes", "aks", ..] => {
                            self.tables.insert(KUBERNETES);
                        }
                        ["holders" | "dataHolders", ..] => {
                            self.tables.insert(AZURE_ROLES);
                        }
                        ["role" | "boundBy" | "escalations", ..] => {
                            self.tables.insert(DEFAULT_ROLES);
                        }
                        _ => {}
                    }
                } else if reference.root == roots.params {
                    self.params.extend(keys.first().map(|key| Box::from(*key)));
                } else if reference.root == roots.resource && reference.whole && !keys.is_empty() {
                    self.paths
                        .insert(keys.into_iter().map(Into::into).collect());
                } else if let Some(index) = guide.variable_at(reference.root)
                    && let Some(variable) = guide.variables.get(index)
                    && seen.insert(index)
                {
                    queue.push(&variable.program);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(id: &str, day: &str, set: &str) -> Vec<Box<str>> {
        let (guide, errors) = Guide::builtin_with(crate::Pages::Guidelines);
        assert!(errors.is_empty(), "{errors:?}");
        let guideline = guide.guideline(id).into_iter();
        let facts = old_facts(&guide, guideline, day, &|key| key == set);
        facts.into_iter().map(|fact| fact.of).collect()
    }

    #[test]
    fn nothing_is_old_on_the_day_it_was_read() {
        for guideline in [
            "up-version-supported",
            "up-node-cve-floor",
            "mt-registry-cleanup",
        ] {
            assert!(old(guideline, "2026-11-27", "").is_empty(), "{guideline}");
        }
    }

    #[test]
    fn tables_parameters_defaults_and_pages_become_old() {
        let has = |id: &str, of: &str| {
            let found = old(id, "2028-01-01", "");
            assert!(found.iter().any(|own| own.contains(of)), "{id}: {found:?}");
        };
        has("up-version-supported", "data/kubernetes.yaml");
        has(
            "up-version-supported",
            "https://learn.microsoft.com/azure/aks/supported",
        );
        has("up-node-cve-floor", "`nodeImageFloors`");
        has(
            "mt-registry-cleanup",
            "data/arm-defaults, Microsoft.ContainerRegistry/registries",
        );
    }

    #[test]
    fn a_parameter_that_is_set_is_no_fact_of_the_guide() {
        let found = old("up-node-cve-floor", "2028-01-01", "nodeImageFloors");
        assert!(
            !found.iter().any(|own| own.contains("nodeImageFloors")),
            "{found:?}"
        );
    }

    #[test]
    fn ninety_days_are_not_old() {
        let (guide, _) = Guide::builtin_with(crate::Pages::Guidelines);
        let guideline = || guide.guideline("cfg-budget-allows-drain").into_iter();
        let own = guideline()
            .flat_map(|own| &own.references)
            .map(|own| &*own.seen);
        let seen = own.min().unwrap().to_owned();
        let later = |days: i64| {
            let at = crate::setting::midnight(&seen).unwrap().seconds + days * 86_400;
            crate::renewals::day(at)
        };
        let many = |days| old_facts(&guide, guideline(), &later(days), &|_| false).len();
        assert_eq!((many(90), many(91) > 0), (0, true));
    }
}
