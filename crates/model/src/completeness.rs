//! For what absence proves something: which kinds were read to the end, and where.
//!
//! Files declare nothing, or (`--whole`) everything. A live source declares each kind it has listed to
//! the end, and names what it could not read, with the reason: a verdict that would rest on
//! the absence of that is unknown, for that reason.

use std::collections::BTreeMap;

use cel::Unknown;

use crate::estate::Scope;
use crate::unknown;

/// Where something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within<'a> {
    /// The whole cluster; of Azure, everything.
    Everywhere,
    /// One namespace.
    Namespace(&'a str),
    /// At or below an Azure scope or resource.
    Id(&'a str),
}

/// Something that was not read although it was asked for, or could have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The kind as guidelines name it (`NetworkPolicy`, `Gateway.gateway.networking.k8s.io`,
    /// `Microsoft.Insights/diagnosticSettings`).
    pub kind: Box<str>,
    /// Empty for everywhere, a namespace, or an Azure id.
    pub within: Box<str>,
    /// Why, as a clause: `the cluster refused to list NetworkPolicies (403)`.
    pub why: Box<str>,
}

/// Which kinds are complete, and what is known to be missing.
#[derive(Debug, Clone, Default)]
pub struct Completeness {
    /// by kind: where it was read to the end (empty: everywhere)
    complete: BTreeMap<Box<str>, Vec<Box<str>>>,
    gaps: Vec<Gap>,
}

impl Completeness {
    /// A kind was listed to the end ([`EVERY_KIND`]: all of them): everywhere (empty), in a namespace, or
    /// below an Azure id.
    pub fn declare(&mut self, kind: &str, within: &str) {
        self.complete
            .entry(key(kind))
            .or_default()
            .push(folded(kind, within));
    }

    /// Something was not read. A gap counts more than any declaration that spans it.
    pub fn gap(&mut self, gap: Gap) {
        let gap = Gap {
            kind: key(&gap.kind),
            within: folded(&gap.kind, &gap.within),
            why: gap.why,
        };
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// What could not be read.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The kinds that were read to the end, and where.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &str)> {
        self.complete
            .iter()
            .flat_map(|(kind, places)| places.iter().map(|within| (&**kind, &**within)))
    }

    /// Whether anything was declared: whether a live source or a snapshot was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.complete.is_empty() && self.gaps.is_empty()
    }

    /// Why the absence of a kind proves nothing; `None` when it does.
    #[must_use]
    pub fn absent(&self, base: Scope, kind: &str, within: Within<'_>) -> Option<Unknown> {
        let kind = key(kind);
        let wanted: Box<str> = match within {
            Within::Everywhere => Box::default(),
            Within::Namespace(namespace) => Box::from(namespace),
            Within::Id(id) => Box::from(id.to_ascii_lowercase()),
        };
        let gap = self.gaps.iter().position(|gap| {
            (gap.kind == kind || &*gap.kind == EVERY_KIND)
                && &*gap.within != ELSEWHERE
                && (wanted.is_empty()
                    || gap.within.is_empty()
                    || covers(&gap.within, &wanted, within)
                    || covers(&wanted, &gap.within, within))
        });
        if let Some(index) = gap {
            return Some(Unknown(unknown::GAP.0 + index as u32));
        }
        if base == Scope::Whole {
            return None;
        }
        let declared = [&*kind, EVERY_KIND].into_iter().any(|kind| {
            self.complete.get(kind).is_some_and(|places| {
                places.iter().any(|place| {
                    place.is_empty() || (!wanted.is_empty() && covers(place, &wanted, within))
                })
            })
        });
        if declared {
            return None;
        }
        // Azure's types are no cluster's.
        let elsewhere = self.gaps.iter().position(|gap| {
            &*gap.within == ELSEWHERE
                && (gap.kind == kind || &*gap.kind == EVERY_KIND && !kind.contains('/'))
        });
        Some(elsewhere.map_or(unknown::NOT_WHOLE, |index| {
            Unknown(unknown::GAP.0 + index as u32)
        }))
    }

    /// Whether a reason is that something that was asked for could not be read.
    #[must_use]
    pub fn is_gap(&self, reason: Unknown) -> bool {
        reason.0 >= unknown::GAP.0 && !self.is_elsewhere(reason)
    }

    /// Whether a reason is that only a part was to be read.
    #[must_use]
    pub fn is_elsewhere(&self, reason: Unknown) -> bool {
        let index = reason.0.checked_sub(unknown::GAP.0);
        let gap = index.and_then(|index| self.gaps.get(index as usize));
        gap.is_some_and(|gap| &*gap.within == ELSEWHERE)
    }

    /// The sentence for a reason that is a gap.
    #[must_use]
    pub fn describe(&self, reason: Unknown) -> Option<&str> {
        let index = reason.0.checked_sub(unknown::GAP.0)?;
        self.gaps.get(index as usize).map(|gap| &*gap.why)
    }
}

/// The kind of a gap that may hide anything, and of a declaration that nothing is missing.
pub const EVERY_KIND: &str = "*";

/// Where a gap is that spans whatever was not read to the end: only some namespaces were to be.
pub const ELSEWHERE: &str = "*";

/// Azure's types and ids are compared without their case.
fn key(kind: &str) -> Box<str> {
    if kind.contains('/') {
        kind.to_ascii_lowercase().into()
    } else {
        kind.into()
    }
}

fn folded(kind: &str, within: &str) -> Box<str> {
    if kind.contains('/') || within.starts_with('/') {
        within.trim_end_matches('/').to_ascii_lowercase().into()
    } else {
        within.into()
    }
}

/// Whether one place holds another: a namespace itself, an id what lies below it.
fn covers(outer: &str, inner: &str, within: Within<'_>) -> bool {
    match within {
        Within::Id(_) => inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        _ => outer == inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(kind: &str, within: &str) -> Gap {
        Gap {
            kind: kind.into(),
            within: within.into(),
            why: format!("{kind} in {within} refused").into(),
        }
    }

    #[test]
    fn absence_proves_something_only_where_a_kind_was_read_to_the_end() {
        let mut known = Completeness::default();
        known.declare("NetworkPolicy", "");
        known.declare("Role", "shop");
        known.gap(gap("NetworkPolicy", "bank"));
        let ask = |kind, within| known.absent(Scope::Open, kind, within);
        assert_eq!(ask("NetworkPolicy", Within::Namespace("shop")), None);
        let refused = ask("NetworkPolicy", Within::Namespace("bank")).unwrap();
        assert_eq!(
            known.describe(refused),
            Some("NetworkPolicy in bank refused")
        );
        assert_eq!(ask("NetworkPolicy", Within::Everywhere), Some(refused));
        assert_eq!(ask("Role", Within::Namespace("shop")), None);
        assert_eq!(
            ask("Role", Within::Namespace("bank")),
            Some(unknown::NOT_WHOLE)
        );
        assert_eq!(ask("Role", Within::Everywhere), Some(unknown::NOT_WHOLE));
        assert_eq!(ask("Secret", Within::Everywhere), Some(unknown::NOT_WHOLE));
        // Files declared whole do not make up for what a live source could not read.
        let whole = |kind, within| known.absent(Scope::Whole, kind, within);
        assert_eq!(whole("Secret", Within::Everywhere), None);
        assert_eq!(whole("NetworkPolicy", Within::Everywhere), Some(refused));
    }

    #[test]
    fn azure_scopes_hold_what_lies_below_them() {
        let mut known = Completeness::default();
        let settings = "Microsoft.Insights/diagnosticSettings";
        known.declare(settings, "/subscriptions/A");
        known.gap(gap(settings, "/subscriptions/a/resourceGroups/locked"));
        let ask = |id| known.absent(Scope::Open, settings, Within::Id(id));
        assert_eq!(
            ask("/subscriptions/a/resourcegroups/open/providers/x"),
            None
        );
        assert!(ask("/subscriptions/a/resourceGroups/LOCKED/providers/x").is_some());
        assert_eq!(ask("/subscriptions/ab"), Some(unknown::NOT_WHOLE));
        // The whole subscription holds the part that was refused.
        assert_ne!(ask("/subscriptions/a"), None);
    }

    #[test]
    fn what_was_not_to_be_read_is_the_reason_where_nothing_else_is_known() {
        let mut known = Completeness::default();
        known.declare("Role", "pay");
        known.declare("ClusterRole", "");
        known.gap(gap(EVERY_KIND, ELSEWHERE));
        let ask = |kind, within| known.absent(Scope::Open, kind, within);
        assert_eq!(ask("Role", Within::Namespace("pay")), None);
        assert_eq!(ask("ClusterRole", Within::Everywhere), None);
        let reason = ask("Role", Within::Everywhere).unwrap();
        assert!(known.is_elsewhere(reason));
        assert_eq!(ask("Role", Within::Namespace("bank")), Some(reason));
        assert_eq!(
            ask("Microsoft.Network/virtualNetworks", Within::Everywhere),
            Some(unknown::NOT_WHOLE)
        );
        assert!(!known.is_elsewhere(unknown::NOT_WHOLE));
    }

    #[test]
    fn what_may_hide_anything_hides_every_kind() {
        let mut known = Completeness::default();
        known.declare("Role", "");
        known.gap(gap(EVERY_KIND, "bank"));
        assert!(
            known
                .absent(Scope::Open, "Role", Within::Namespace("bank"))
                .is_some()
        );
        assert_eq!(
            known.absent(Scope::Open, "Role", Within::Namespace("shop")),
            None
        );
    }
}
