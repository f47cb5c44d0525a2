//! What people may see, as the API server says: `TokenReview` for whom a token belongs to, `SubjectAccessReview` for
//! where they may list pods.
//!
//! Answers hold for a minute, so that a right that was taken away is gone soon. No answer is no right. What it
//! deliberately leaves out: deciding by itself from roles; the cluster may have other authorizers than RBAC.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use sources::cluster::Writer;

use super::session::Who;

/// Where tokens are reviewed.
const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
/// Where rights are.
const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(60);
/// People whose answers are kept.
const PEOPLE: usize = 1024;
/// Namespaces that are asked about for one person.
pub(super) const NAMESPACES: usize = 2000;
/// Questions at once.
const AT_ONCE: usize = 6;

/// What somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extent {
    /// They may list the pods of all namespaces.
    Everything,
    /// They may list pods in these.
    Namespaces(BTreeSet<Box<str>>),
}

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// The token is nobody's.
    Nobody,
    /// The API server was not asked, or did not answer.
    Silent(String),
}

/// Answers, for a minute.
pub(super) struct Rights {
    writer: Arc<Writer>,
    kept: Mutex<BTreeMap<Who, (Instant, Extent)>>,
}

impl Rights {
    pub(super) const fn new(writer: Arc<Writer>) -> Self {
        Self {
            writer,
            kept: Mutex::new(BTreeMap::new()),
        }
    }

    /// Whose token it is. Blocks.
    pub(super) fn who(&self, token: &str) -> Result<Who, Denied> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": { "token": token } });
        let answer: TokenReview = self.ask(TOKEN_REVIEWS, &review)?;
        let status = answer.status;
        match status.user {
            Some(user) if status.authenticated && !user.username.is_empty() => Ok(Who {
                name: user.username,
                uid: user.uid,
                groups: user.groups,
                extra: user.extra,
            }),
            _ => Err(Denied::Nobody),
        }
    }

    /// What somebody may see of these namespaces. Blocks.
    pub(super) fn extent(
        &self,
        who: &Who,
        namespaces: &BTreeSet<Box<str>>,
    ) -> Result<Extent, Denied> {
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, extent)) = kept.get(who)
                && at.elapsed() < HOLDS
            {
                return Ok(extent.clone());
            }
        }
        let extent = if self.may_list(who, None)? {
            Extent::Everything
        } else {
            Extent::Namespaces(self.each(who, namespaces)?)
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= PEOPLE {
            kept.retain(|_, (at, _)| at.elapsed() < HOLDS);
        }
        if kept.len() >= PEOPLE {
            kept.pop_first();
        }
        kept.insert(who.clone(), (Instant::now(), extent.clone()));
        Ok(extent)
    }

    fn each(
        &self,
        who: &Who,
        namespaces: &BTreeSet<Box<str>>,
    ) -> Result<BTreeSet<Box<str>>, Denied> {
        let names: Vec<&str> = namespaces
            .iter()
            .map(|name| &**name)
            .take(NAMESPACES)
            .collect();
        let next = AtomicUsize::new(0);
        let ask = || -> Result<BTreeSet<Box<str>>, Denied> {
            let mut seen = BTreeSet::new();
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.may_list(who, Some(name))? {
                    seen.insert(Box::from(*name));
                }
            }
            Ok(seen)
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE.min(names.len()))
                .map(|_| scope.spawn(ask))
                .collect();
            let mut all = BTreeSet::new();
            for thread in threads {
                let silent = |_| Denied::Silent("a question was not answered".to_owned());
                all.extend(thread.join().map_err(silent)??);
            }
            Ok(all)
        })
    }

    fn may_list(&self, who: &Who, namespace: Option<&str>) -> Result<bool, Denied> {
        let mut attributes = json!({ "verb": "list", "resource": "pods" });
        if let (Some(namespace), Some(attributes)) = (namespace, attributes.as_object_mut()) {
            attributes.insert("namespace".to_owned(), namespace.into());
        }
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": { "user": who.name, "uid": who.uid, "groups": who.groups, "extra": who.extra,
                "resourceAttributes": attributes } });
        let answer: AccessReview = self.ask(ACCESS_REVIEWS, &review)?;
        Ok(answer.status.allowed && !answer.status.denied)
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, path: &str, review: &Value) -> Result<T, Denied> {
        let answer = self
            .writer
            .create(path, &review.to_string())
            .map_err(|refused| Denied::Silent(refused.message))?;
        serde_json::from_str(&answer).map_err(|error| Denied::Silent(error.to_string()))
    }
}

#[derive(Deserialize)]
struct TokenReview {
    #[serde(default)]
    status: TokenStatus,
}

#[derive(Default, Deserialize)]
struct TokenStatus {
    #[serde(default)]
    authenticated: bool,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct AccessReview {
    #[serde(default)]
    status: AccessStatus,
}

#[derive(Default, Deserialize)]
struct AccessStatus {
    #[serde(default)]
    allowed: bool,
    #[serde(default)]
    denied: bool,
}
