//! Identities of Kubernetes and AKS themselves, by name (`data/system-identities.yaml`).

use guide::Guide;
use model::Ref;

/// A pattern in two halves around its `*`, and what it is.
type Known = (Box<str>, Option<Box<str>>, Box<str>);

/// Names, and what they are.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    known: Vec<Known>,
}

impl Identities {
    pub(crate) fn of(guide: &Guide) -> Self {
        let mut identities = Self::default();
        let Some(doc) = guide
            .data
            .get("system-identities.yaml")
            .and_then(|text| guide::front_matter::read(text, 1).ok())
        else {
            return identities;
        };
        for (class, _, users) in doc
            .root()
            .get("identities")
            .into_iter()
            .flat_map(Ref::entries)
        {
            for user in users.items().filter_map(Ref::as_str) {
                let (start, end) = match user.split_once('*') {
                    Some((start, end)) => (start, Some(end.into())),
                    None => (user, None),
                };
                identities.known.push((start.into(), end, class.into()));
            }
        }
        identities
    }

    /// What names begin with, what they end with where there is a `*` between, and what they are; the first that fits
    /// counts.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&str, Option<&str>, &str)> {
        self.known
            .iter()
            .map(|(start, end, class)| (&**start, end.as_deref(), &**class))
    }

    /// What a user is: `kubernetes`, `node`, `aks`; empty for everybody else.
    pub(crate) fn class(&self, user: &str) -> &str {
        let is_it = |start: &str, end: Option<&str>| match end {
            None => user == start,
            Some(end) => user
                .strip_prefix(start)
                .is_some_and(|rest| rest.len() > end.len() && rest.ends_with(end)),
        };
        self.known
            .iter()
            .find(|(start, end, _)| is_it(start, end.as_deref()))
            .map_or("", |(_, _, class)| class)
    }
}
