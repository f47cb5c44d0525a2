//! Whether a rule allows a request (kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go, `RuleAllows`, and
//! pkg/apis/rbac/v1/evaluation_helpers.go).
//!
//! There are no patterns: `*` alone stands for everything, `*/scale` for one subresource of everything,
//! `/healthz/*` for what begins with `/healthz/`. `pods/*` matches nothing, for no request asks for it.

use super::words::{STAR, Word, Words};
use crate::ask::{Attributes, Target};

/// A rule as it is written, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Rule {
    pub(crate) verbs: Box<[Word]>,
    pub(crate) groups: Box<[Word]>,
    pub(crate) resources: Box<[Word]>,
    pub(crate) names: Box<[Word]>,
    pub(crate) urls: Box<[Word]>,
}

/// A rule as people write it: the fields of `PolicyRule`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct PolicyRule {
    /// `verbs`
    pub verbs: Vec<Box<str>>,
    /// `apiGroups`
    pub groups: Vec<Box<str>>,
    /// `resources`
    pub resources: Vec<Box<str>>,
    /// `resourceNames`
    pub names: Vec<Box<str>>,
    /// `nonResourceURLs`
    pub urls: Vec<Box<str>>,
}

impl Rule {
    pub(crate) fn shown(&self, words: &Words) -> PolicyRule {
        let texts = |list: &[Word]| -> Vec<Box<str>> {
            list.iter().map(|word| words.text(*word).into()).collect()
        };
        PolicyRule {
            verbs: texts(&self.verbs),
            groups: texts(&self.groups),
            resources: texts(&self.resources),
            names: texts(&self.names),
            urls: texts(&self.urls),
        }
    }
}

/// A request in numbers. `None` is a text that no role mentions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) verb: Option<Word>,
    pub(crate) target: AskedTarget<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AskedTarget<'a> {
    Resource {
        group: Option<Word>,
        /// `pods/exec`
        combined: Option<Word>,
        /// `*/exec`
        of_all: Option<Word>,
        name: Option<Word>,
    },
    Path(&'a str),
}

impl<'a> Asked<'a> {
    pub(crate) fn new(attributes: &Attributes<'a>, words: &Words) -> Self {
        let verb = words.find(attributes.verb);
        let target = match attributes.target {
            Target::Path(path) => AskedTarget::Path(path),
            Target::Resource(target) => {
                let (combined, of_all) = if target.subresource.is_empty() {
                    (words.find(target.resource), None)
                } else {
                    (
                        words.find(&format!("{}/{}", target.resource, target.subresource)),
                        words.find(&format!("*/{}", target.subresource)),
                    )
                };
                AskedTarget::Resource {
                    group: words.find(target.group),
                    combined,
                    of_all,
                    name: words.find(target.name),
                }
            }
        };
        Self { verb, target }
    }
}

/// How a rule answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It allows it.
    Yes,
    /// It would allow it for other names.
    OtherNames,
    /// It does not.
    No,
}

impl Rule {
    /// Whether the rule allows the request.
    pub(crate) fn matches(&self, asked: &Asked<'_>, words: &Words) -> Match {
        if !has(&self.verbs, asked.verb) {
            return Match::No;
        }
        match asked.target {
            AskedTarget::Path(path) => {
                if self
                    .urls
                    .iter()
                    .any(|url| url_matches(words.text(*url), path))
                {
                    Match::Yes
                } else {
                    Match::No
                }
            }
            AskedTarget::Resource {
                group,
                combined,
                of_all,
                name,
            } => {
                let resource = self.resources.iter().any(|own| {
                    *own == STAR
                        || Some(*own) == combined
                        || (of_all.is_some() && Some(*own) == of_all)
                });
                if !resource || !has(&self.groups, group) {
                    Match::No
                } else if self.names.is_empty()
                    || name.is_some_and(|name| self.names.contains(&name))
                {
                    Match::Yes
                } else {
                    Match::OtherNames
                }
            }
        }
    }

    /// The names that the rule is limited to, when it is. The empty one stands for requests that have none.
    pub(crate) fn named<'r>(&'r self, words: &'r Words) -> impl Iterator<Item = &'r str> {
        self.names.iter().map(|name| words.text(*name))
    }
}

fn has(list: &[Word], asked: Option<Word>) -> bool {
    list.iter().any(|own| *own == STAR || Some(*own) == asked)
}

/// A `*` at the end stands for any rest; elsewhere it is a letter.
pub(crate) fn url_matches(own: &str, path: &str) -> bool {
    own == path || (own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
}
