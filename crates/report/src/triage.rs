//! What is accepted: waivers from the configuration and from comments, and the baseline.
//!
//! A waiver that is expired, says no reason or no owner, or matches nothing becomes an object
//! of kind `Waiver` that guidelines judge like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Symbols;
use guide::Guideline;
use model::doc::{Dialect, DocBuilder, NodeId};
use model::finding::{Finding, WaiverNote};
use model::kinds::Kind;
use model::resource::{Origin, Resource, ResourceName};
use model::waiver::InlineWaiver;
use yaml::{Build as _, Entry, Span};

use crate::config::{Config, Waiver};

mod baseline;

use self::baseline::Baseline;
pub use self::baseline::{Before, Gone, Trend};

/// The API group of the objects that triage makes.
pub const WAIVER_GROUP: &str = "seawall.dev";

/// Waivers are judged last, when it is known which of them matched.
#[must_use]
pub fn is_about_waivers(guideline: &Guideline) -> bool {
    let waiver = Kind::Kubernetes {
        group: WAIVER_GROUP.into(),
        kind: "Waiver".into(),
    };
    guideline.is_about(&waiver, false)
}

/// Decides which findings are accepted.
#[derive(Debug, Default)]
pub struct Triage {
    waivers: Vec<(Waiver, bool)>,
    inline: BTreeMap<Arc<str>, Vec<(InlineWaiver, bool)>>,
    baseline: Option<Baseline>,
    as_of: String,
}

impl Triage {
    /// Triage by a configuration, as of a day (ISO date).
    #[must_use]
    pub fn new(config: &Config, as_of: &str) -> Self {
        Self {
            waivers: config
                .waivers
                .iter()
                .map(|waiver| (waiver.clone(), false))
                .collect(),
            as_of: as_of.to_owned(),
            ..Self::default()
        }
    }

    /// Takes the findings of an earlier assessment (`--format json`) as known.
    ///
    /// # Errors
    /// When the text is no such report.
    pub fn baseline(&mut self, text: &str) -> Result<(), String> {
        self.baseline = Some(Baseline::read(text)?);
        Ok(())
    }

    /// What became of the findings of the baseline; `looked` tells whether it would be known if a guideline's were there.
    #[must_use]
    pub fn trend(&self, looked: &dyn Fn(&str) -> bool) -> Option<Trend> {
        Some(self.baseline.as_ref()?.trend(looked))
    }

    /// Waivers found in a document's comments.
    pub fn add_inline(&mut self, path: &Arc<str>, waivers: Vec<InlineWaiver>) {
        for waiver in waivers {
            let path = waiver.path.as_ref().unwrap_or(path);
            let known = self.inline.entry(Arc::clone(path)).or_default();
            // A file that several deployments read is read several times.
            if !known.iter().any(|(other, _)| *other == waiver) {
                known.push((waiver, false));
            }
        }
    }

    /// Marks a finding that is accepted or known.
    pub fn apply(&mut self, finding: &mut Finding) {
        let baseline = self.baseline.as_mut();
        finding.in_baseline = baseline.is_some_and(|baseline| baseline.meet(finding));
        let guideline = &*finding.guideline.0;
        if let Some(waivers) = self.inline.get_mut(&finding.place.path) {
            for (waiver, used) in waivers.iter_mut() {
                let (first, last) = waiver.covers;
                if &*waiver.guideline == guideline && (first..=last).contains(&finding.place.line) {
                    *used = true;
                    if in_force(waiver.until.as_deref(), &self.as_of) && !waiver.reason.is_empty() {
                        finding.waiver = Some(WaiverNote {
                            reason: waiver.reason.clone(),
                            owner: Box::default(),
                            until: waiver.until.clone(),
                            at: format!("{}:{}", finding.place.path, waiver.line).into(),
                        });
                    }
                }
            }
        }
        for (waiver, used) in &mut self.waivers {
            if &*waiver.guideline != guideline || !covers(waiver, finding, &finding.resource) {
                continue;
            }
            *used = true;
            if let Some(note) = note(waiver, &self.as_of) {
                finding.waiver = Some(note);
            }
        }
    }

    /// The waiver of the configuration that accepts a finding, also when it names one of `owners`, for which a
    /// controller made the object. Unlike [`Triage::apply`] it does not note that the waiver was of use: an object
    /// that asks to be let in says nothing of that.
    #[must_use]
    pub fn accepted(&self, finding: &Finding, owners: &[ResourceName]) -> Option<WaiverNote> {
        self.waivers
            .iter()
            .map(|(waiver, _)| waiver)
            .filter(|waiver| *waiver.guideline == *finding.guideline.0)
            .filter(|waiver| {
                covers(waiver, finding, &finding.resource)
                    || owners.iter().any(|owner| covers(waiver, finding, owner))
            })
            .find_map(|waiver| note(waiver, &self.as_of))
    }

    /// The waivers as objects, once every finding went through [`Triage::apply`].
    #[must_use]
    pub fn waivers(&self, symbols: &Symbols, seen: &Seen<'_>) -> Vec<Resource> {
        let mut objects = Vec::new();
        let matches = |used: bool, guideline: &str, all: bool| {
            let known = used || all && (seen.asked)(guideline);
            known.then_some(used)
        };
        for (waiver, used) in &self.waivers {
            let facts = Facts {
                guideline: &waiver.guideline,
                reason: &waiver.reason,
                owner: &waiver.owner,
                until: waiver.until.as_deref(),
                expired: !in_force(waiver.until.as_deref(), &self.as_of),
                matches: matches(*used, &waiver.guideline, seen.beside),
                inline: false,
            };
            objects.push(facts.object(
                symbols,
                &Arc::from(&*waiver.path),
                waiver.line,
                &waiver.source,
            ));
        }
        for (path, waivers) in &self.inline {
            for (waiver, used) in waivers {
                let expired = !in_force(waiver.until.as_deref(), &self.as_of);
                let facts = Facts {
                    guideline: &waiver.guideline,
                    reason: &waiver.reason,
                    owner: "",
                    until: waiver.until.as_deref(),
                    expired,
                    matches: matches(*used, &waiver.guideline, true),
                    inline: true,
                };
                objects.push(facts.object(symbols, path, waiver.line, &waiver.source));
            }
        }
        objects
    }
}

/// What must have been seen before a waiver that matched nothing is known to match nothing.
pub struct Seen<'a> {
    /// Whether everything was read that a guideline judges, and it was asked.
    pub asked: &'a dyn Fn(&str) -> bool,
    /// Whether all that the configuration speaks of was given.
    pub beside: bool,
}

/// ISO dates compare as text; anything else is never in force.
fn in_force(until: Option<&str>, as_of: &str) -> bool {
    until.is_none_or(|until| until.parse::<jiff::civil::Date>().is_ok() && until >= as_of)
}

/// What a waiver leaves with a finding, where it is in force.
fn note(waiver: &Waiver, as_of: &str) -> Option<WaiverNote> {
    let valid = !waiver.reason.is_empty() && !waiver.owner.is_empty();
    (valid && in_force(waiver.until.as_deref(), as_of)).then(|| WaiverNote {
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        until: waiver.until.clone(),
        at: format!("{}:{}", waiver.path, waiver.line).into(),
    })
}

/// Whether a waiver is about a finding, were it one of `name`.
fn covers(waiver: &Waiver, finding: &Finding, name: &ResourceName) -> bool {
    let id = name.id();
    let short = match &name.kind {
        Kind::Kubernetes { group, .. } if !group.is_empty() => {
            id.get(group.len() + 1..).unwrap_or(&id)
        }
        _ => &id,
    };
    // Azure does not mind the case of types and names, and reports part the two by a space.
    let azure = matches!(name.kind, Kind::Azure(_));
    let resource = waiver.resource.as_deref().is_none_or(|pattern| {
        if azure {
            glob(
                &pattern.to_ascii_lowercase().replacen(' ', "/", 1),
                &id.to_ascii_lowercase(),
            )
        } else {
            glob(pattern, &id) || glob(pattern, short)
        }
    });
    let container = waiver
        .container
        .as_deref()
        .is_none_or(|name| finding.item.as_deref() == Some(name));
    resource && container
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(previous) = last.replace(part) {
            let Some(at) = rest.find(previous) else {
                return false;
            };
            rest = rest.get(at + previous.len()..).unwrap_or_default();
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

struct Facts<'a> {
    guideline: &'a str,
    reason: &'a str,
    owner: &'a str,
    until: Option<&'a str>,
    expired: bool,
    /// `None` when it is not known
    matches: Option<bool>,
    inline: bool,
}

impl Facts<'_> {
    /// An object whose every value stands on the waiver's line.
    fn object(&self, symbols: &Symbols, path: &Arc<str>, line: u32, source: &str) -> Resource {
        let mut builder = DocBuilder::new(symbols, Dialect::Plain, source.into(), line);
        // A comment after a value begins at its mark; its own line is all of it otherwise.
        let mark = source.find("seawall: waive ").map(|at| {
            let before = source.get(..at).unwrap_or_default().trim_end();
            before.trim_end_matches(['/', '#', '*']).len()
        });
        let start = mark.unwrap_or(source.len() - source.trim_start().len());
        let span = Span {
            start: start as u32,
            end: source.trim_end().len() as u32,
        };
        let entry = |key: &'static str, value: NodeId| Entry {
            key: key.into(),
            key_span: span,
            value,
            merged: false,
        };
        let text = |builder: &mut DocBuilder<'_>, value: &str| builder.string(value, span);
        let api_version = text(&mut builder, "seawall.dev/v1");
        let kind = text(&mut builder, "Waiver");
        let name = text(&mut builder, self.guideline);
        let metadata = builder.map(&[entry("name", name)], span);
        let reason = text(&mut builder, self.reason);
        let owner = text(&mut builder, self.owner);
        let until = text(&mut builder, self.until.unwrap_or_default());
        let inline = builder.bool(self.inline, span);
        let spec = builder.map(
            &[
                entry("reason", reason),
                entry("owner", owner),
                entry("until", until),
                entry("inline", inline),
            ],
            span,
        );
        let expired = builder.bool(self.expired, span);
        let mut status = vec![entry("expired", expired)];
        if let Some(matches) = self.matches {
            let matches = builder.bool(matches, span);
            status.push(entry("matches", matches));
        }
        let status = builder.map(&status, span);
        let root = builder.map(
            &[
                entry("apiVersion", api_version),
                entry("kind", kind),
                entry("metadata", metadata),
                entry("spec", spec),
                entry("status", status),
            ],
            span,
        );
        Resource {
            name: ResourceName {
                kind: Kind::Kubernetes {
                    group: WAIVER_GROUP.into(),
                    kind: "Waiver".into(),
                },
                api_version: "seawall.dev/v1".into(),
                namespace: None,
                name: format!("{}@{line}", self.guideline).into(),
            },
            doc: Arc::new(builder.finish(root)),
            root,
            origin: Origin {
                path: Arc::clone(path),
                index: 0,
                rendered_by: None,
                live: false,
            },
            provider_managed: false,
            implied: false,
            refers: None,
            certificates: None,
            azure: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{glob, in_force};

    #[test]
    fn globs() {
        assert!(glob("Deployment/shop/*", "Deployment/shop/web"));
        assert!(glob("*/web", "Deployment/shop/web"));
        assert!(glob("D*/shop/w*b", "Deployment/shop/web"));
        assert!(!glob("Deployment/shop", "Deployment/shop/web"));
        assert!(!glob("D*x*b", "Deployment/shop/web"));
        assert!(glob("*", ""));
    }

    #[test]
    fn a_waiver_ends_after_its_day() {
        assert!(in_force(Some("2027-01-31"), "2027-01-31"));
        assert!(!in_force(Some("2027-01-30"), "2027-01-31"));
        assert!(!in_force(Some("soon"), "2027-01-31"));
        assert!(in_force(None, "2027-01-31"));
    }
}
