//! Which images of a registry nobody uses, so that they can be removed.
//!
//! An image is more than a manifest: an index with a manifest for each platform, signatures, attestations and lists of
//! contents that refer to it. All that hangs together is a *group* and is kept or removed as one: so nothing that is
//! used loses its signature, and nothing is left behind that signs what is gone. A group is kept when anything in it
//! is used, locked, young, or could not be read.
//!
//! Whatever names the registry in any object of the estate counts as a use, also outside of pods: arguments, values of
//! charts, custom resources. A name that a template leaves open keeps all that it may come to mean.
//!
//! What it deliberately leaves out: reading registries, the clock, and carrying a plan out.

mod listing;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

pub use listing::{Files, Listing, Manifest, Repository, SoftDelete};
pub use uses::Uses;

/// What is asked of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What was changed at this moment (seconds since 1970) or later is young.
    pub young_since: i64,
    /// Tags that are kept; `*` stands for anything.
    pub keep_tags: Vec<String>,
}

/// What is kept, what is removed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of repositories, then of digests.
    pub remove: Vec<Group>,
    /// Likewise.
    pub keep: Vec<Kept>,
}

/// Manifests that hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their repository.
    pub repository: String,
    /// Whatever refers to another one stands before it.
    pub manifests: Vec<Manifest>,
}

/// A group that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is.
    pub group: Group,
    /// Why, a clause each.
    pub because: Vec<String>,
}

/// Plans what to remove of a registry.
#[must_use]
pub fn plan(listing: &Listing, uses: &Uses, wishes: &Wishes) -> Plan {
    let mut plan = Plan::default();
    for repository in &listing.repositories {
        for group in groups(repository) {
            let mut because: Vec<String> = Vec::new();
            because.extend(
                repository
                    .locked
                    .then(|| "the repository is locked".to_owned()),
            );
            for manifest in &group.manifests {
                because.extend(reasons(listing, repository, manifest, uses, wishes));
            }
            because.extend(youth(&group, wishes));
            let mut seen = BTreeSet::new();
            because.retain(|reason| seen.insert(reason.clone()));
            if because.is_empty() {
                plan.remove.push(group);
            } else {
                plan.keep.push(Kept { group, because });
            }
        }
    }
    plan
}

/// Why a manifest has to stay.
fn reasons(
    listing: &Listing,
    repository: &Repository,
    manifest: &Manifest,
    uses: &Uses,
    wishes: &Wishes,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(who) = uses.of(&listing.registry, &repository.name, manifest) {
        reasons.push(format!("{who} uses it"));
    }
    if manifest.locked {
        reasons.push("it is locked".to_owned());
    }
    if let Some(problem) = &manifest.unread {
        reasons.push(format!("it could not be read ({problem})"));
    }
    let kept = |tag: &&String| wishes.keep_tags.iter().any(|wish| matches(wish, tag));
    if let Some(tag) = manifest.tags.iter().find(kept) {
        reasons.push(format!("tag `{tag}` is to be kept"));
    }
    reasons
}

/// Why the age of a group keeps it. It is as young as the youngest of it; what says no age does not count.
fn youth(group: &Group, wishes: &Wishes) -> Option<String> {
    match group.manifests.iter().filter_map(|own| own.updated).max() {
        Some(updated) if updated >= wishes.young_since => Some("it was changed lately".to_owned()),
        Some(_) => None,
        None => Some("nobody knows how old it is".to_owned()),
    }
}

/// The manifests of a repository that hang together: along parts of an index, along what signatures and attestations
/// refer to, and along the tags by which cosign and the referrers' fallback refer to an image.
fn groups(repository: &Repository) -> Vec<Group> {
    let numbers: BTreeMap<&str, usize> = repository
        .manifests
        .iter()
        .enumerate()
        .map(|(number, manifest)| (manifest.digest.as_str(), number))
        .collect();
    // What each points to. What is named and not there holds those together that name it.
    let mut absent: BTreeMap<&str, usize> = BTreeMap::new();
    let mut set: Vec<usize> = (0..repository.manifests.len()).collect();
    let points: Vec<Vec<String>> = repository
        .manifests
        .iter()
        .map(Manifest::points_to)
        .collect();
    for (number, targets) in points.iter().enumerate() {
        for target in targets {
            let other = match numbers.get(target.as_str()) {
                Some(other) => *other,
                None => *absent.entry(target).or_insert(number),
            };
            join(&mut set, number, other);
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for number in 0..set.len() {
        members.entry(root(&set, number)).or_default().push(number);
    }
    let mut groups: Vec<Group> = members
        .into_values()
        .map(|own| Group {
            repository: repository.name.clone(),
            manifests: ordered(repository, &own, &points),
        })
        .collect();
    groups.sort_by(|a, b| first(a).cmp(&first(b)));
    groups
}

/// The smallest digest: a name that does not hang on the order of a listing.
fn first(group: &Group) -> Option<&str> {
    let digests = group.manifests.iter().map(|own| own.digest.as_str());
    digests.min()
}

fn root(set: &[usize], mut at: usize) -> usize {
    while let Some(&up) = set.get(at)
        && up != at
    {
        at = up;
    }
    at
}

fn join(set: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(set, one), root(set, other));
    if let Some(own) = set.get_mut(one.max(other)) {
        *own = one.min(other);
    }
}

/// Members of a group, whatever points to another one before it. A registry makes no circles, for a digest is that of
/// a text which holds the digests that it points to; tags might, and then the rest follows by digest.
fn ordered(repository: &Repository, own: &[usize], points: &[Vec<String>]) -> Vec<Manifest> {
    let mut rest: Vec<(&Manifest, &Vec<String>)> = own
        .iter()
        .filter_map(|number| Some((repository.manifests.get(*number)?, points.get(*number)?)))
        .collect();
    rest.sort_by(|a, b| a.0.digest.cmp(&b.0.digest));
    let mut done = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let is_free = |(manifest, _): &&(&Manifest, &Vec<String>)| {
            !rest.iter().any(|(other, targets)| {
                other.digest != manifest.digest && targets.contains(&manifest.digest)
            })
        };
        let free: Vec<&str> = rest
            .iter()
            .filter(is_free)
            .map(|(manifest, _)| manifest.digest.as_str())
            .collect();
        let stuck = free.is_empty();
        let (next, later): (Vec<_>, Vec<_>) = rest
            .iter()
            .copied()
            .partition(|(manifest, _)| stuck || free.contains(&manifest.digest.as_str()));
        done.extend(next.into_iter().map(|(manifest, _)| manifest.clone()));
        rest = later;
    }
    done
}

/// Whether a text matches a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    (0..=text.len())
        .filter(|at| text.is_char_boundary(*at))
        .any(|at| matches(rest, text.get(at..).unwrap_or_default()))
}
