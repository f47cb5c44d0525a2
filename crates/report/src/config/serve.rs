//! `serve`: what the webhook does about what it finds.

use std::collections::BTreeSet;

use guide::front_matter;
use model::{Ref, Severity};

/// Of which objects it is asked what ways of attackers they complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asked {
    /// None.
    Nothing,
    /// Roles and bindings.
    #[default]
    Rights,
    /// All that ways can hang on.
    Everything,
}

/// How `seawall serve` answers an API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// An object that fails a guideline of these severities is refused; of others it is let in with a warning.
    pub deny: BTreeSet<Severity>,
    /// An object that could not be judged by guidelines of these severities, for lack of time or of a webhook, is
    /// refused; for those of others it is let in.
    pub fail_closed: BTreeSet<Severity>,
    /// An unknown verdict of these severities refuses too.
    pub deny_unknown: BTreeSet<Severity>,
    /// Guidelines that read other objects refuse too. What they read is a little older than the request, so
    /// they only warn otherwise.
    pub deny_joined: bool,
    /// Of which objects it is asked what ways of attackers they complete.
    pub ways: Asked,
    /// Whatever completes a way to something that is worth so much is refused; none: it is let in with a warning.
    pub deny_ways: Option<u32>,
    /// Namespaces that are left alone, besides `kube-system` and the webhook's own.
    pub exclude: Vec<Box<str>>,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            deny: BTreeSet::from([Severity::High, Severity::Critical]),
            fail_closed: BTreeSet::from([Severity::Critical]),
            deny_unknown: BTreeSet::new(),
            deny_joined: false,
            ways: Asked::Rights,
            deny_ways: None,
            exclude: Vec::new(),
        }
    }
}

const KEYS: &str = "deny, fail-closed, deny-unknown, deny-joined, ways, deny-ways, exclude";

impl Serve {
    /// Reads the map; what is wrong with the place in the text where it is.
    pub(super) fn read(value: Ref<'_>) -> Result<Self, (u32, String)> {
        let mut serve = Self::default();
        for (key, span, value) in value.entries() {
            let wrong = |what: &str| (span.start, format!("`{key}` must be {what}"));
            let severities = || {
                front_matter::texts(value)
                    .and_then(|words| {
                        let severities = words.iter().map(|word| Severity::parse(word));
                        severities.collect::<Option<BTreeSet<Severity>>>()
                    })
                    .ok_or_else(|| wrong("a list of critical, high, medium and low"))
            };
            match key {
                "deny" => serve.deny = severities()?,
                "fail-closed" => serve.fail_closed = severities()?,
                "deny-unknown" => serve.deny_unknown = severities()?,
                "deny-joined" => {
                    serve.deny_joined = value.as_bool().ok_or_else(|| wrong("true or false"))?;
                }
                "ways" => {
                    serve.ways = match value.as_str() {
                        Some("none") => Asked::Nothing,
                        Some("rights") => Asked::Rights,
                        Some("all") => Asked::Everything,
                        _ => return Err(wrong("none, rights or all")),
                    };
                }
                "deny-ways" => {
                    let weight = value.as_int().and_then(|weight| u32::try_from(weight).ok());
                    let weight = weight.filter(|weight| (1..=100).contains(weight));
                    serve.deny_ways =
                        Some(weight.ok_or_else(|| wrong("a weight of jewels, from 1 to 100"))?);
                }
                "exclude" => {
                    serve.exclude =
                        front_matter::texts(value).ok_or_else(|| wrong("a list of namespaces"))?;
                }
                _ => {
                    let message = format!("unknown key `{key}` of `serve`; known are: {KEYS}");
                    return Err((span.start, message));
                }
            }
        }
        Ok(serve)
    }
}
