//! What a guideline needs, found out from what its programs refer to.

use std::collections::BTreeSet;

use cel::{Program, Step};

use super::Guide;
use crate::answers;
use crate::fix::Fix;
use crate::guideline::{Applies, FixNeeds, Guideline, Needs};

impl Guide {
    /// What a guideline reads, from the references of its programs and of the variables they use.
    pub(super) fn needs(&self, guideline: &Guideline) -> Result<Needs, String> {
        let mut needs = self.needs_of(guideline, guideline.judging().collect())?;
        // What a fix reads does not make a difference to who can enforce the check.
        for fix in &guideline.fixes {
            self.asked(fix)?;
        }
        let fixes = guideline.fixes.iter().flat_map(Fix::programs).collect();
        let fixes = self.needs_of(guideline, fixes)?;
        // Whether there is such an object already, and what it refers to, is known when all has been read.
        let looks_around = |fix: &Fix| !fix.new.is_empty() || !fix.with.is_empty();
        needs.fixes = FixNeeds {
            joined: fixes.joined || guideline.fixes.iter().any(looks_around),
            network: fixes.network,
            kinds: fixes.kinds,
        };
        Ok(needs)
    }

    /// Whether the questions of a fix exist, and whether it has asked for what it reads.
    fn asked(&self, fix: &Fix) -> Result<(), String> {
        for asks in &fix.asks {
            let question = answers::question(self, &asks.name)?;
            if question.about.is_some() != asks.about.is_some() {
                return Err(match &question.about {
                    Some(about) => format!("`{}` is asked for each {about}", asks.name),
                    None => format!("`{}` is asked once, not for something", asks.name),
                });
            }
        }
        let references = fix.programs().flat_map(Program::references);
        let mut read = references.filter(|reference| reference.root == self.roots.answers);
        let asked = |reference: &cel::Reference| match reference.path.first() {
            Some(Step::Key(name)) => fix.asks.iter().any(|asks| asks.name == *name),
            // A step on the way to what is read.
            _ => !reference.whole,
        };
        match read.find(|reference| !asked(reference)) {
            Some(_) => Err("a fix reads `answers.NAME` of what it asks for".to_owned()),
            None => Ok(()),
        }
    }

    fn needs_of(&self, guideline: &Guideline, programs: Vec<&Program>) -> Result<Needs, String> {
        let mut needs = Needs::default();
        let mut params = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut facts = false;
        let mut resource = false;
        let mut queue = programs;
        needs.minimum_minor = queue
            .iter()
            .map(|program| program.minimum_minor())
            .max()
            .unwrap_or_default();
        while let Some(program) = queue.pop() {
            for reference in program.references() {
                let key = |index: usize| match reference.path.get(index) {
                    Some(Step::Key(key)) => Some(&**key),
                    _ => None,
                };
                if reference.path.is_empty() && !reference.whole {
                    continue; // a step on the way to what is read
                }
                if reference.root == self.roots.event {
                    return Err("`event` is what detections read".to_owned());
                }
                if reference.root == self.roots.params {
                    let Some(name) = key(0) else {
                        return Err("`params` is read key by key".to_owned());
                    };
                    if !self.params.iter().any(|param| &*param.key == name) {
                        return Err(format!("`params.{name}` is not in data/params.yaml"));
                    }
                    params.insert(Box::from(name));
                } else if reference.root == self.roots.facts && key(0) == Some("today") {
                    facts = true;
                } else if reference.root == self.roots.facts && key(0) != Some("kubernetes") {
                    needs.joined = true;
                    facts = true;
                    if key(0) == Some("intent") {
                        params.insert("intent".into());
                    }
                    needs.network |= matches!(
                        key(0),
                        Some("reaches" | "exposedBy" | "intent" | "expected")
                    );
                    if matches!(key(0), Some("all" | "namespace"))
                        && let Some(kind) = key(1)
                    {
                        kinds.insert(Box::from(kind));
                    }
                    if key(0).is_none_or(|name| !crate::context::FACTS.contains(&name)) {
                        return Err(format!("`facts.{}` does not exist", key(0).unwrap_or("?")));
                    }
                } else if reference.root == self.roots.namespace_object {
                    needs.joined = true;
                    kinds.insert("Namespace".into());
                } else if reference.root == self.roots.resource {
                    resource = true;
                } else if reference.root == self.roots.links {
                    needs.joined = true;
                    resource = true;
                    match key(0) {
                        Some("to" | "from" | "over" | "children") => {
                            if let Some(kind) = key(1) {
                                kinds.insert(Box::from(kind));
                            }
                        }
                        Some("at" | "parent" | "scope") => {}
                        other => {
                            return Err(format!("`links.{}` does not exist", other.unwrap_or("?")));
                        }
                    }
                } else if let Some(variable) = self
                    .variables
                    .iter()
                    .find(|variable| variable.slot == reference.root)
                    && seen.insert(variable.name.clone())
                {
                    needs.minimum_minor = needs.minimum_minor.max(variable.program.minimum_minor());
                    queue.push(&variable.program);
                }
            }
        }
        // A template is a part of an Azure environment too.
        let azure_kind = |name: &str| name.contains('/') || name == "Template.seawall.dev";
        let about: Vec<&str> = match &guideline.applies {
            Applies::Kinds(names) => names.iter().map(|name| &**name).collect(),
            Applies::Workload | Applies::Estate => Vec::new(),
        };
        needs.azure =
            kinds.iter().any(|kind| azure_kind(kind)) || about.iter().any(|name| azure_kind(name));
        needs.kubernetes = guideline.applies == Applies::Workload
            || about.iter().any(|name| !azure_kind(name))
            || kinds.iter().any(|kind| !azure_kind(kind));
        needs.joined |= guideline.applies == Applies::Estate || about.contains(&"Namespace");
        needs.params = params.into_iter().collect();
        needs.kinds = kinds.into_iter().collect();
        needs.not_enforceable = if needs.azure || resource {
            Some("it reads Azure resources")
        } else if guideline.applies == Applies::Estate {
            Some("it judges the cluster as a whole, not one object")
        } else if guideline.files_only {
            Some("it judges files, not what a cluster holds")
        } else if facts {
            Some("it reads other objects of the cluster")
        } else {
            None
        };
        Ok(needs)
    }
}
