//! Findings about what another object made become findings about its maker.
//!
//! A Deployment, its ReplicaSet and its hundred Pods are wrong in the same way; it is said once, of the
//! Deployment. What only a Pod has (something injected it, or the Deployment could not be read) is said of
//! the Deployment too, with the Pod's place. Kept are a name for each workload and a number for each of
//! their findings.

use std::collections::HashMap;
use std::sync::Arc;

use model::finding::{Finding, Fingerprint, Outcome};
use model::ownership::{self, Made};
use model::resource::{Resource, ResourceName};

/// Who made what, and what was said of whom.
#[derive(Debug, Default)]
pub struct Owners {
    /// workloads by id: where they were read, and what made them
    known: HashMap<Box<str>, (Arc<str>, Option<Made>)>,
    /// findings that were said, and whether as a failure
    said: HashMap<Fingerprint, bool>,
    /// what came before its owner did
    held: Vec<(Made, Vec<Finding>)>,
}

impl Owners {
    /// Takes note of a resource; call it for each before its findings are sorted.
    pub fn note(&mut self, resource: &Resource) {
        if resource.is_workload() {
            self.known
                .entry(resource.name.id().into())
                .or_insert_with(|| (Arc::clone(&resource.origin.path), ownership::made(resource)));
        }
    }

    /// The findings about a resource that are to be said now. What was read live comes after its owner;
    /// of files that is not sure, so there they wait for [`Owners::rest`].
    pub fn sort(&mut self, resource: &Resource, findings: Vec<Finding>) -> Vec<Finding> {
        if findings.is_empty() || !resource.is_workload() {
            return findings;
        }
        match ownership::made(resource) {
            None => {
                for finding in &findings {
                    self.say(finding);
                }
                findings
            }
            Some(made) if resource.origin.live => self.passed_on(&made, findings),
            Some(made) => {
                self.held.push((made, findings));
                Vec::new()
            }
        }
    }

    /// The findings that waited for their owner.
    pub fn rest(&mut self) -> Vec<Finding> {
        let held = std::mem::take(&mut self.held);
        held.into_iter()
            .flat_map(|(made, findings)| self.passed_on(&made, findings))
            .collect()
    }

    /// Notes that a finding is said; false when it was before.
    fn say(&mut self, finding: &Finding) -> bool {
        let fails = finding.outcome == Outcome::Fail;
        match self.said.insert(finding.fingerprint, fails) {
            None => true,
            // That it fails says more than that it is unknown.
            Some(failed) => {
                if failed {
                    self.said.insert(finding.fingerprint, true);
                }
                fails && !failed
            }
        }
    }

    /// Findings of the owner, without those that were said of it before.
    fn passed_on(&mut self, made: &Made, mut findings: Vec<Finding>) -> Vec<Finding> {
        let known = |name: &ResourceName| {
            self.known
                .get(name.id().as_str())
                .map(|(_, made)| made.clone())
        };
        let top = Arc::new(ownership::top(made, known));
        let id = top.id();
        let path = self
            .known
            .get(id.as_str())
            .map_or_else(Arc::default, |(path, _)| Arc::clone(path));
        for finding in &mut findings {
            finding.resource = Arc::clone(&top);
            finding.fingerprint = Fingerprint::of_finding(
                &finding.guideline,
                &path,
                &id,
                finding.item.as_deref(),
                finding.check,
            );
        }
        findings.retain(|finding| self.say(finding));
        findings
    }
}
