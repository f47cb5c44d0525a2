//! Two assessments side by side: what got worse, what got better, and what cannot be said any more.
//!
//! A finding is the same when its fingerprint is, or, where its file was moved, when guideline, resource
//! and item are. What turned from a failure into *unknown* is not better; from unknown into a failure is
//! worse. What changed in rights, connections and resources comes from `analysis::compare`.
//!
//! | module | writes |
//! |---|---|
//! | `text` | for a reviewer at a terminal: what got worse first |
//! | `json` | the contract for scripts, `docs/schema/diff-v1.json` |
//! | `markdown` | a comment of a pull request, bounded |

use std::collections::{BTreeMap, BTreeSet};

use analysis::compare::connections::Connections;
use analysis::compare::resources::{Change, What};
use analysis::compare::rights::Rights;
use analysis::compare::sight::{Of, Unseen};
use model::coverage::DocumentEntry;
use model::finding::{Because, Finding, Outcome, Severity};
use model::resource::ResourceName;

mod json;
mod markdown;
mod text;
mod words;

pub use json::{SCHEMA, json};
pub use markdown::markdown;
pub use text::text;

/// One of the two.
#[derive(Debug)]
pub struct Side {
    /// What people call it.
    pub name: String,
    /// The paths that were given, which places leave out.
    pub roots: Vec<String>,
    /// Resources judged.
    pub resources: usize,
    /// Its findings after triage.
    pub findings: Vec<Finding>,
    /// What of it could not be read.
    pub unread: Vec<DocumentEntry>,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// It was not there.
    New,
    /// It was less severe.
    Worse(Severity),
    /// It was unknown whether it fails.
    Decided,
    /// It was waived and is not any more.
    Unwaived,
    /// It is mended.
    Mended,
    /// The resource is gone, and the finding with it.
    WithResource,
    /// It was more severe.
    Better(Severity),
    /// It is waived now.
    Waived,
    /// It failed, and nobody can say any more.
    Undecided,
    /// It failed, and it cannot be seen any more whether it still does.
    Lost,
    /// It is new that nobody can say.
    NewUnknown,
    /// Nobody could say, and now it holds or is gone.
    Resolved,
    /// It fails, and before nobody could see whether it did.
    Unseen,
}

impl Became {
    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse(_) => "more-severe",
            Self::Decided => "decided",
            Self::Unwaived => "no-longer-waived",
            Self::Mended => "mended",
            Self::WithResource => "gone-with-resource",
            Self::Better(_) => "less-severe",
            Self::Waived => "waived",
            Self::Undecided => "undecided",
            Self::Lost => "not-seen-now",
            Self::NewUnknown => "new-unknown",
            Self::Resolved => "resolved",
            Self::Unseen => "not-seen-before",
        }
    }

    /// Whether it got worse.
    #[must_use]
    pub const fn is_worse(self) -> bool {
        matches!(
            self,
            Self::New | Self::Worse(_) | Self::Decided | Self::Unwaived
        )
    }

    /// Whether it got better.
    #[must_use]
    pub const fn is_better(self) -> bool {
        matches!(
            self,
            Self::Mended | Self::WithResource | Self::Better(_) | Self::Waived | Self::Resolved
        )
    }
}

/// A finding that differs: as it is now, or as it was where it is gone.
#[derive(Debug)]
pub struct Differs {
    /// What became of it.
    pub became: Became,
    /// The finding.
    pub finding: Finding,
}

/// Everything that differs.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The guide.
    pub guide: &'a guide::Guide,
    /// Before.
    pub old: Side,
    /// After.
    pub new: Side,
    /// Findings that differ: the worst first.
    pub findings: Vec<Differs>,
    /// Resources that differ.
    pub resources: Vec<Change>,
    /// Who may do what.
    pub rights: Rights,
    /// What can talk to what.
    pub connections: Connections,
    /// What only one holds, of which the other cannot say that it lacks it.
    pub unseen: Vec<Unseen>,
    /// What is worse at or above it trips the exit code; `None`: never.
    pub fail_on: Option<Severity>,
    /// The day it was judged as of.
    pub as_of: String,
    /// Program version.
    pub version: &'static str,
}

/// The severity that a new escalation, and a new way in from the internet, count as.
pub const FACTS: Severity = Severity::High;

impl Diff<'_> {
    /// What got worse and trips the exit code, counted: findings, escalations, ways in from the internet.
    #[must_use]
    pub fn worse(&self) -> (usize, usize, usize) {
        let Some(floor) = self.fail_on else {
            return (0, 0, 0);
        };
        let findings = self
            .findings
            .iter()
            .filter(|one| one.became.is_worse() && one.finding.severity >= floor)
            .count();
        if floor > FACTS {
            return (findings, 0, 0);
        }
        let exposed = self.connections.exposed.iter();
        (
            findings,
            self.rights.escalations.len(),
            exposed.filter(|exposed| exposed.internet).count(),
        )
    }

    /// Whether something of either side could not be read.
    #[must_use]
    pub fn incomplete(&self) -> bool {
        !self.old.unread.is_empty() || !self.new.unread.is_empty()
    }

    /// The exit code: 1 something got worse, 4 something could not be read, 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.worse() {
            (0, 0, 0) if self.incomplete() => 4,
            (0, 0, 0) => 0,
            _ => 1,
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
            && self.resources.is_empty()
            && self.rights.is_empty()
            && self.connections.is_empty()
            && self.unseen.is_empty()
    }
}

/// Compares findings. Takes them from the two sides. `hidden` says whether a side cannot say what became of a
/// resource.
#[must_use]
pub fn posture(
    old: &mut Side,
    new: &mut Side,
    resources: &[Change],
    hidden: &dyn Fn(Of, &ResourceName) -> bool,
    narrower: bool,
) -> Vec<Differs> {
    let removed: BTreeSet<String> = resources
        .iter()
        .filter(|change| change.what == What::Removed)
        .map(|change| change.name.id())
        .collect();
    let (olds, news) = (
        std::mem::take(&mut old.findings),
        std::mem::take(&mut new.findings),
    );
    let (doubts, old_doubts) = (doubts(&news), doubts(&olds));
    let (pairs, olds, news) = matched(olds, news, |finding| finding.fingerprint.to_string());
    // A file that was moved or renamed changes the fingerprint and nothing else.
    let (more, olds, news) = matched(olds, news, |finding| {
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{}",
            finding.guideline,
            finding.resource.id(),
            finding.item.as_deref().unwrap_or_default(),
            finding.message
        )
    });
    let (last, olds, news) = matched(olds, news, |finding| {
        format!(
            "{}\u{1f}{}\u{1f}{}",
            finding.guideline,
            finding.resource.id(),
            finding.item.as_deref().unwrap_or_default(),
        )
    });
    let mut differs: Vec<Differs> = pairs
        .into_iter()
        .chain(more)
        .chain(last)
        .filter_map(|(was, is)| between(&was, is, narrower))
        .collect();
    // What is only unknown because files may be a part says nothing about the change.
    let counts = |finding: &Finding| finding.counts() && !from_absence(finding);
    differs.extend(news.into_iter().filter(counts).map(|finding| {
        let unseen = hidden(Of::Old, &finding.resource)
            || (narrower && old_doubts.contains(&subject(&finding)));
        let became = match finding.outcome {
            Outcome::Fail if unseen => Became::Unseen,
            Outcome::Fail => Became::New,
            Outcome::Unknown { .. } => Became::NewUnknown,
        };
        Differs { became, finding }
    }));
    differs.extend(olds.into_iter().filter(counts).filter_map(|finding| {
        let unseen = hidden(Of::New, &finding.resource) || doubts.contains(&subject(&finding));
        let became = match finding.outcome {
            Outcome::Fail if unseen => Became::Lost,
            Outcome::Unknown { .. } if unseen => return None,
            Outcome::Fail if removed.contains(&finding.resource.id()) => Became::WithResource,
            Outcome::Fail => Became::Mended,
            Outcome::Unknown { .. } => Became::Resolved,
        };
        Some(Differs { became, finding })
    }));
    differs.sort_by(|one, other| order(one).cmp(&order(other)));
    differs
}

type Order<'f> = (
    bool,
    bool,
    std::cmp::Reverse<Severity>,
    &'f str,
    &'f str,
    u32,
    Became,
    String,
);

fn order(differs: &Differs) -> Order<'_> {
    let finding = &differs.finding;
    (
        !differs.became.is_worse(),
        differs.became.is_better(),
        std::cmp::Reverse(finding.severity),
        &finding.guideline.0,
        &finding.place.path,
        finding.place.line,
        differs.became,
        finding.fingerprint.to_string(),
    )
}

/// Pairs of the same key, in their order, and what is left.
fn matched(
    olds: Vec<Finding>,
    news: Vec<Finding>,
    key: impl Fn(&Finding) -> String,
) -> (Vec<(Finding, Finding)>, Vec<Finding>, Vec<Finding>) {
    let mut waiting: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for old in olds.into_iter().rev() {
        waiting.entry(key(&old)).or_default().push(old);
    }
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    for new in news {
        match waiting.get_mut(&key(&new)).and_then(Vec::pop) {
            Some(old) => pairs.push((old, new)),
            None => left.push(new),
        }
    }
    let rest = waiting
        .into_values()
        .flat_map(|list| list.into_iter().rev())
        .collect();
    (pairs, rest, left)
}

/// What became of a finding that is there before and after.
fn between(was: &Finding, is: Finding, narrower: bool) -> Option<Differs> {
    let fails = |finding: &Finding| finding.outcome == Outcome::Fail;
    let became = match (was.counts(), is.counts()) {
        // Of what absence decides nobody said anything.
        (true, false) if from_absence(was) => return None,
        (false, true) if from_absence(&is) => return None,
        (true, true) if fails(&is) && from_absence(was) => {
            if narrower {
                Became::Unseen
            } else {
                Became::New
            }
        }
        (false, false) => return None,
        (true, false) if fails(was) => Became::Waived,
        (true, false) => Became::Resolved,
        (false, true) if fails(&is) => Became::Unwaived,
        (false, true) => Became::NewUnknown,
        (true, true) => match (fails(was), fails(&is)) {
            (true, true) if is.severity > was.severity => Became::Worse(was.severity),
            (true, true) if is.severity < was.severity => Became::Better(was.severity),
            (true, false) => Became::Undecided,
            (false, true) => Became::Decided,
            _ => return None,
        },
    };
    Some(Differs {
        became,
        finding: is,
    })
}

/// Whether it hangs on what a side does not see.
fn from_absence(finding: &Finding) -> bool {
    matches!(
        finding.outcome,
        Outcome::Unknown {
            because: Because::Absence | Because::Unread,
            ..
        }
    )
}

fn subject(finding: &Finding) -> (String, String) {
    (finding.guideline.0.to_string(), finding.resource.id())
}

/// Of what a side cannot say whether it fails, since it may not see everything.
fn doubts(findings: &[Finding]) -> BTreeSet<(String, String)> {
    let doubtful = findings.iter().filter(|one| from_absence(one));
    doubtful.map(subject).collect()
}

#[cfg(test)]
mod tests;
