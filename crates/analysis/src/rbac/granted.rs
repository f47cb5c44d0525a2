//! Every rule that every subject is given, one by one: what is compared between two estates.

use model::ResourceRef;

use super::Rbac;
use super::read::NOBODY;
use super::rule::PolicyRule;
use crate::ask::{Reach, Subject};

/// A rule that somebody is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Who.
    pub subject: Subject,
    /// Where.
    pub reach: Reach,
    /// What.
    pub rule: PolicyRule,
    /// The binding.
    pub binding: ResourceRef,
    /// The role.
    pub role: ResourceRef,
}

impl Rbac {
    /// All of them, in the order of bindings. What only may be given is among them: a role that was
    /// given twice, each time different.
    pub fn granted(&self) -> impl Iterator<Item = Granted> + '_ {
        self.bindings.iter().flat_map(move |binding| {
            let reach = self.reach(binding.space);
            let subjects = binding
                .subjects
                .iter()
                .filter(|subject| **subject != NOBODY)
                .filter_map(|subject| self.subjects.list.get(*subject as usize));
            subjects.flat_map(move |subject| {
                let reach = reach.clone();
                binding
                    .roles
                    .iter()
                    .filter_map(|role| self.roles.get(*role as usize))
                    .flat_map(|role| role.rules.iter().map(move |at| (role, at)))
                    .filter_map(move |(role, at)| {
                        let rule = self.rules.get(at.rule as usize)?;
                        Some(Granted {
                            subject: subject.clone(),
                            reach: reach.clone(),
                            rule: rule.shown(&self.words),
                            binding: binding.resource,
                            role: role.resource,
                        })
                    })
            })
        })
    }
}
