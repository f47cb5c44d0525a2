//! What is said of objects that exist or may, and that nobody could read: every guideline about their kind
//! is unknown for them, for the reason that is in the ledger.

use std::sync::Arc;

use model::coverage::{DocumentEntry, Status};
use model::finding::{Because, Finding, Fingerprint, Location, Outcome};
use model::kinds::{self, Kind};
use model::resource::ResourceName;

use crate::guideline::Guideline;
use crate::judge::{Judge, Judged, VerdictWord};

/// The name that stands for all objects of a kind.
const ALL: &str = "*";

impl Judge<'_> {
    /// What the guidelines say of a kind that could not be listed; `None` for any other entry.
    #[must_use]
    pub fn unread(&self, entry: &DocumentEntry) -> Option<(ResourceName, Judged)> {
        if !entry.live || entry.status != Status::Unreadable || entry.name.is_some() {
            return None;
        }
        let kind = kind_of(entry.kind.as_deref()?);
        let name = ResourceName {
            api_version: Box::default(),
            namespace: entry.namespace.clone(),
            name: ALL.into(),
            kind,
        };
        let workload = match &name.kind {
            Kind::Kubernetes { group, kind } => kinds::pod_route(group, kind).is_some(),
            Kind::Azure(_) => false,
        };
        let shared = Arc::new(name.clone());
        let mut judged = Judged::default();
        for (index, guideline) in self.selected() {
            if guideline.is_about(&name.kind, workload) {
                judged.verdicts.push((index, VerdictWord::Unknown));
                judged
                    .findings
                    .push(self.cannot_tell(guideline, &shared, entry));
            }
        }
        Some((name, judged))
    }

    fn cannot_tell(
        &self,
        guideline: &Guideline,
        name: &Arc<ResourceName>,
        entry: &DocumentEntry,
    ) -> Finding {
        let reason: Box<str> = entry
            .reason
            .clone()
            .unwrap_or_else(|| "it could not be read".into());
        Finding {
            guideline: guideline.id.clone(),
            severity: self.severity(guideline),
            message: format!("cannot tell: {reason}"),
            outcome: Outcome::Unknown {
                reason,
                because: Because::Unread,
            },
            resource: Arc::clone(name),
            object: None,
            item: None,
            check: None,
            provider_managed: false,
            fingerprint: Fingerprint::of_finding(
                &guideline.id,
                &entry.path,
                &name.id(),
                None,
                None,
            ),
            place: Location {
                path: Arc::clone(&entry.path),
                live: true,
                line: 1,
                column: 1,
                end_line: 1,
                end_column: 1,
                route: String::new(),
                source: Box::default(),
                note: None,
            },
            more_places: Vec::new(),
            evidence: Vec::new(),
            fix: None,
            remedy: None,
            waiver: None,
            in_baseline: false,
            root_cause: None,
        }
    }
}

/// A kind from its name in guidelines.
fn kind_of(name: &str) -> Kind {
    if name.contains('/') {
        return Kind::Azure(name.into());
    }
    let (kind, group) = match name.split_once('.') {
        Some((kind, group)) => (kind, group),
        None => (
            name,
            kinds::builtin_groups(name)
                .first()
                .copied()
                .unwrap_or_default(),
        ),
    };
    Kind::Kubernetes {
        group: group.into(),
        kind: kind.into(),
    }
}
