//! Which keys of workloads the guidelines that join objects can read: everything else is
//! dropped once a workload has been judged by itself.

use std::collections::BTreeSet;

use cel::{Program, Reference, Step};
use model::kinds;
use model::prune::Keep;

use crate::catalogue::Guide;
use crate::guideline::{Applies, Guideline};

impl Guide {
    /// Adds what a guideline can read of workloads.
    pub(crate) fn reads_of(&self, guideline: &Guideline, keep: &mut Keep) {
        let own = about_workloads(guideline);
        let mut queue: Vec<&[Reference]> = Vec::new();
        for program in guideline.programs() {
            queue.push(program.references());
            for reference in program.local_references() {
                // A local is an item of what `each` gives.
                if !self.keep_path(reference, keep)
                    && reference.whole
                    && let Some(each) = &guideline.each
                {
                    self.keep_results(&each.program, keep, 0);
                }
            }
        }
        if let Some(each) = &guideline.each {
            // Its result is said by whoever reads the item.
            queue.retain(|references| !std::ptr::eq(*references, each.program.references()));
            queue.push(each.program.reads());
        }
        let mut seen = BTreeSet::new();
        while let Some(references) = queue.pop() {
            for reference in references {
                if reference.root == self.roots.facts {
                    self.keep_fact(reference, keep);
                    continue;
                }
                let variable = self
                    .variable_at(reference.root)
                    .and_then(|index| self.variables.get(index));
                if !own || (variable.is_none() && reference.root != self.roots.object) {
                    continue;
                }
                if !self.keep_path(reference, keep) && reference.whole {
                    match variable {
                        Some(variable) => self.keep_results(&variable.program, keep, 0),
                        None => keep.everything = true,
                    }
                }
                if let Some(variable) = variable
                    && seen.insert(variable.name.clone())
                {
                    queue.push(variable.program.reads());
                }
            }
        }
    }

    /// Adds what a question about the whole estate reads of workloads.
    pub(crate) fn keep_program(&self, program: &Program, keep: &mut Keep) {
        for reference in program.references() {
            if reference.root == self.roots.facts {
                self.keep_fact(reference, keep);
            }
        }
    }

    /// Keeps the keys of a path, the last one whole if the reference is. False without any key.
    fn keep_path(&self, reference: &Reference, keep: &mut Keep) -> bool {
        let mut last = None;
        for step in &reference.path {
            match step {
                Step::Key(key) => {
                    last = Some(self.symbols.get(key));
                    keep.add(self.symbols.get(key), false);
                }
                // An item of a list, or an entry of a map under a computed key.
                Step::Any => {
                    if let Some(last) = last {
                        keep.add_entries(last);
                    }
                }
            }
        }
        if let Some(last) = last {
            keep.add(last, reference.whole);
        }
        last.is_some()
    }

    /// What is read of workloads that a fact lists.
    fn keep_fact(&self, reference: &Reference, keep: &mut Keep) {
        let key = |index: usize| match reference.path.get(index) {
            Some(Step::Key(key)) => Some(&**key),
            _ => None,
        };
        if let Some("reaches" | "exposedBy" | "intent") = key(0) {
            for (key, whole) in analysis::reach::READS {
                keep.add(self.symbols.get(key), *whole);
            }
            return;
        }
        let of_workloads = match key(0) {
            Some("all" | "namespace") => key(1)
                .is_some_and(|kind| kind == "workloads" || carries_pod(kind))
                .then_some(2),
            Some("selects" | "usedBy") => Some(1),
            _ => None,
        };
        let Some(skip) = of_workloads else { return };
        let below = Reference {
            root: reference.root,
            path: reference.path.get(skip..).unwrap_or_default().to_vec(),
            whole: reference.whole,
        };
        if !self.keep_path(&below, keep) && below.whole {
            keep.everything = true;
        }
    }

    /// Keeps whole what a program's value can be.
    fn keep_results(&self, program: &Program, keep: &mut Keep, depth: usize) {
        for place in program.yields() {
            let variable = self
                .variable_at(place.root)
                .and_then(|index| self.variables.get(index));
            let whole = Reference {
                whole: true,
                ..place.clone()
            };
            if !self.keep_path(&whole, keep) {
                match variable {
                    Some(variable) if depth < 8 => {
                        self.keep_results(&variable.program, keep, depth + 1)
                    }
                    _ => keep.everything = true,
                }
            }
        }
    }
}

fn about_workloads(guideline: &Guideline) -> bool {
    match &guideline.applies {
        Applies::Workload => true,
        Applies::Kinds(kinds) => kinds.iter().any(|kind| carries_pod(kind)),
        Applies::Estate => false,
    }
}

fn carries_pod(kind: &str) -> bool {
    kinds::builtin_groups(kind)
        .iter()
        .any(|group| kinds::pod_route(group, kind).is_some())
}
