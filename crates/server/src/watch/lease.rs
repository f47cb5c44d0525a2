//! Which of several replicas keeps: the holder of one Lease (`coordination.k8s.io/v1`), as controllers of Kubernetes
//! have it (client-go, tools/leaderelection).
//!
//! Clocks of others are not trusted: a Lease has run out when it was seen unchanged for as long as it lasts. A
//! holder that cannot renew stops keeping before others may begin.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use sources::cluster::{Refused, Writer};

/// Which Lease, and who wants it.
#[derive(Debug, Clone)]
pub struct Election {
    /// The namespace, where this replica runs.
    pub namespace: String,
    /// The name of the Lease.
    pub name: String,
    /// Who this is: the Pod's name.
    pub identity: String,
    /// How long it lasts unless it is renewed.
    pub lasts: Duration,
}

impl Election {
    /// A Lease named `seawall` that lasts 15 s.
    #[must_use]
    pub fn new(namespace: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: "seawall".to_owned(),
            identity: identity.to_owned(),
            lasts: Duration::from_secs(15),
        }
    }

    fn list(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
            self.namespace
        )
    }

    fn path(&self) -> String {
        format!("{}/{}", self.list(), self.name)
    }
}

/// A Lease as it is seen from here.
pub(crate) struct Lease {
    election: Election,
    /// Holder and renewal as last seen, and when that changed.
    seen: Option<(String, String, Instant)>,
    /// When it was last renewed from here.
    renewed: Option<Instant>,
}

impl Lease {
    pub(crate) const fn new(election: Election) -> Self {
        Self {
            election,
            seen: None,
            renewed: None,
        }
    }

    /// Whether this replica keeps. Two thirds of its time after the last renewal it no longer does.
    pub(crate) fn is_held(&self) -> bool {
        let most = self.election.lasts * 2 / 3;
        self.renewed.is_some_and(|renewed| renewed.elapsed() < most)
    }

    /// Takes it or renews it, where that may be. Whether it is held.
    pub(crate) fn hold(&mut self, writer: &Writer, now: Timestamp) -> Result<bool, Refused> {
        let begun = Instant::now();
        let lease = match writer.get(&self.election.path()) {
            Ok(text) => serde_json::from_str::<Value>(&text).unwrap_or_default(),
            Err(refused) if refused.is_absent() => {
                let made = self.wanted(None, now);
                let created = writer.create(&self.election.list(), &made.to_string());
                return self.settle(created, begun);
            }
            Err(refused) => return Err(refused),
        };
        let text = |key: &str| {
            let value = lease.get("spec").and_then(|spec| spec.get(key));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (holder, renewal) = (text("holderIdentity"), text("renewTime"));
        let changed = self
            .seen
            .as_ref()
            .is_none_or(|(seen, at, _)| *seen != holder || *at != renewal);
        if changed {
            self.seen = Some((holder.clone(), renewal, begun));
        }
        let lasts = lease
            .get("spec")
            .and_then(|spec| spec.get("leaseDurationSeconds"))
            .and_then(Value::as_u64)
            .map_or(self.election.lasts, Duration::from_secs);
        let over = self
            .seen
            .as_ref()
            .is_some_and(|(_, _, since)| since.elapsed() > lasts);
        if holder != self.election.identity && !holder.is_empty() && !over {
            self.renewed = None;
            return Ok(false);
        }
        let wanted = self.wanted(Some(&lease), now);
        let replaced = writer.replace(&self.election.path(), &wanted.to_string());
        self.settle(replaced, begun)
    }

    fn settle(&mut self, done: Result<String, Refused>, begun: Instant) -> Result<bool, Refused> {
        match done {
            Ok(_) => {
                // Counted from before it was asked: others may have seen it that early.
                self.renewed = Some(begun);
                Ok(true)
            }
            Err(refused) if refused.is_conflict() => {
                self.renewed = None;
                Ok(false)
            }
            Err(refused) => Err(refused),
        }
    }

    /// The Lease with this replica as its holder.
    fn wanted(&self, before: Option<&Value>, now: Timestamp) -> Value {
        let now = micro(now);
        let mut spec = json!({
            "holderIdentity": self.election.identity,
            "leaseDurationSeconds": self.election.lasts.as_secs().max(1),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        });
        let mut metadata = json!({
            "name": self.election.name,
            "namespace": self.election.namespace,
        });
        if let Some(before) = before {
            let old = |key: &str| before.get("spec").and_then(|spec| spec.get(key)).cloned();
            let holder = old("holderIdentity");
            let holder = holder.as_ref().and_then(Value::as_str);
            let own = holder == Some(self.election.identity.as_str());
            let transitions = old("leaseTransitions").and_then(|count| count.as_u64());
            let transitions = transitions.unwrap_or_default();
            if let Some(spec) = spec.as_object_mut() {
                if own {
                    spec.insert("leaseTransitions".to_owned(), transitions.into());
                    spec.extend(old("acquireTime").map(|time| ("acquireTime".to_owned(), time)));
                } else {
                    spec.insert("leaseTransitions".to_owned(), (transitions + 1).into());
                }
            }
            // Only while nobody else has written it.
            if let Some(old) = before.get("metadata") {
                metadata = old.clone();
            }
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec,
        })
    }

    /// Lets it go, so that another need not wait.
    pub(crate) fn release(&mut self, writer: &Writer) {
        if !self.is_held() {
            return;
        }
        self.renewed = None;
        let Ok(text) = writer.get(&self.election.path()) else {
            return;
        };
        let mut lease: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(spec) = lease.get_mut("spec").and_then(Value::as_object_mut)
            && spec.get("holderIdentity").and_then(Value::as_str)
                == Some(self.election.identity.as_str())
        {
            spec.insert("holderIdentity".to_owned(), "".into());
            spec.insert("leaseDurationSeconds".to_owned(), 1.into());
            // Whoever sees it next takes it; that it was not let go does no harm, it runs out.
            let _ = writer.replace(&self.election.path(), &lease.to_string());
        }
    }
}

/// `metav1.MicroTime`: six digits behind the second, always.
fn micro(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
