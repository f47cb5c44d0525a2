//! Whether Azure answers at all. What goes wrong with one provider says nothing of the others; when several in
//! a row go wrong in a way that is not theirs (a page of a proxy's, an outage, a token that is not
//! accepted), asking on would be in vain, and is ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;

use super::client::Failure;

/// So many providers fail in a row before nothing more is asked.
const MOST_PROVIDERS: usize = 3;
/// A part that failed this often is asked once, and no longer again and again.
const PATIENCE: usize = 2;
/// A part that failed this often in a row is not asked any more.
const MOST_OF_A_PART: usize = 16;

/// What was seen of a service.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The providers that failed since something worked.
    failing: BTreeSet<String>,
    /// How often in a row a part failed, and how.
    parts: BTreeMap<String, (usize, Failure)>,
    lost: Option<Failure>,
}

impl Health {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing more is asked.
    pub(crate) fn lost(&self) -> Option<Failure> {
        self.seen().lost.clone()
    }

    /// How often a part is worth asking of the most that anything is; or why it is not.
    pub(crate) fn attempts(&self, part: &str, most: u32) -> Result<u32, Failure> {
        let seen = self.seen();
        if let Some(failure) = &seen.lost {
            return Err(failure.clone());
        }
        match seen.parts.get(part) {
            Some((times, failure)) if *times >= MOST_OF_A_PART => Err(failure.clone()),
            Some((times, _)) if *times >= PATIENCE => Ok(1),
            _ if seen.failing.is_empty() => Ok(most),
            _ => Ok(most.min(2)),
        }
    }

    /// There was an answer of the service's own, be it a refusal.
    pub(crate) fn works(&self, part: &str) {
        let mut seen = self.seen();
        seen.failing.clear();
        seen.parts.remove(part);
    }

    /// There was none that says anything of the part.
    pub(crate) fn fails(&self, part: String, failure: &Failure) {
        let mut seen = self.seen();
        let times = seen.parts.get(&part).map_or(0, |(times, _)| *times);
        let provider = part.split('/').next().unwrap_or_default().to_owned();
        seen.failing.insert(provider);
        seen.parts.insert(part, (times + 1, failure.clone()));
        if seen.lost.is_none() && (failure.is_final() || seen.failing.len() >= MOST_PROVIDERS) {
            seen.lost = Some(failure.clone());
        }
    }
}

/// The part of a service that an address belongs to: a type of resources, or a list of its own.
pub(crate) fn part(url: &Url) -> String {
    let path = url.path().to_ascii_lowercase();
    if let Some((_, own)) = path.rsplit_once("/providers/") {
        let mut words = own.split('/');
        let mut part = words.next().unwrap_or_default().to_owned();
        for word in words.step_by(2) {
            part.push('/');
            part.push_str(word);
        }
        return part;
    }
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16) -> Failure {
        Failure {
            status,
            ..Failure::of("")
        }
    }

    #[test]
    fn a_part_is_a_type_or_a_list() {
        for (path, wanted) in [
            (
                "/subscriptions/1/providers/Microsoft.Network/virtualNetworks?a=b",
                "microsoft.network/virtualnetworks",
            ),
            (
                "/subscriptions/1/resourceGroups/g/providers/M.N/a/one/b/two",
                "m.n/a/b",
            ),
            ("/subscriptions/1/providers?a=b", "providers"),
            ("/v1.0/groups/1/transitiveMembers", "transitivemembers"),
            ("/", ""),
        ] {
            let url = Url::parse(&format!("https://host{path}")).unwrap();
            assert_eq!(part(&url), wanted);
        }
    }

    #[test]
    fn three_providers_in_a_row_are_enough_and_one_alone_is_not() {
        let health = Health::default();
        for _ in 0..MOST_OF_A_PART {
            assert!(health.attempts("a/x", 5).is_ok());
            health.fails("a/x".to_owned(), &failure(503));
        }
        assert_eq!(health.attempts("a/x", 5), Err(failure(503)));
        for kind in ["a/y", "a/z"] {
            health.fails(kind.to_owned(), &failure(503));
        }
        assert_eq!(health.lost(), None);
        health.fails("b".to_owned(), &failure(503));
        health.works("c");
        assert_eq!(health.attempts("c", 5), Ok(5));
        health.fails("b".to_owned(), &failure(500));
        health.fails("c".to_owned(), &failure(500));
        assert_eq!(health.lost(), None);
        assert_eq!(health.attempts("d", 5), Ok(2));
        health.fails("d".to_owned(), &failure(500));
        assert_eq!(health.lost(), Some(failure(500)));
        assert_eq!(health.attempts("e", 5), Err(failure(500)));
    }

    #[test]
    fn who_is_not_accepted_once_is_not_accepted() {
        let health = Health::default();
        health.fails("a".to_owned(), &failure(401));
        assert_eq!(health.lost(), Some(failure(401)));
    }
}
