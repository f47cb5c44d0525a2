//! One list and the watch that goes on from it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::AsyncBufReadExt as _;
use futures::io::AsyncBufRead;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Shared;
use crate::cluster::ask::Trouble;
use crate::cluster::condense;
use crate::cluster::discovery::Served;
use crate::cluster::kinds::{SECRETS, Wanted};
use crate::cluster::listing::{Item, List, METADATA, OBJECTS};
use crate::cluster::{object, unread};
use crate::live::{Change, Event};

/// Nothing but what stands under `metadata`, of one object.
const METADATA_OF_ONE: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
/// The most objects of a page: pages of several lists are in memory at once.
const PAGE: u32 = 100;
/// What tells one change is no longer than this. etcd takes objects of 1.5 MiB.
const LONGEST_LINE: usize = 16 << 20;
/// A watch that lived so long was a good one.
const LIVED: Duration = Duration::from_secs(5);
/// After so many failures in a row the list is read again: the version may be one that the server does not have.
const GIVE_UP: u32 = 8;
/// So many refusals in a row are doubted.
const DOUBTED: u32 = 4;
/// How often a list whose past was forgotten is begun again at once.
const RESTARTS: u32 = 3;

/// The lists that together are all of a kind at a place, and which of them are not at their end.
pub(super) struct Parts(Mutex<BTreeSet<String>>);

impl Parts {
    pub(super) fn new(selectors: &[String]) -> Self {
        Self(Mutex::new(selectors.iter().cloned().collect()))
    }

    /// One came to its end: whether that were all.
    fn done(&self, selector: &str) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(selector);
        open.is_empty()
    }

    fn failed(&self, selector: &str) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(selector.to_owned());
    }
}

/// One of them.
pub(super) struct Line {
    shared: Arc<Shared>,
    wanted: &'static Wanted,
    served: Served,
    namespace: String,
    selector: String,
    parts: Arc<Parts>,
    /// What was told: a number for the content of each object.
    seen: BTreeMap<Arc<str>, u64>,
    /// Its first list has come to its end, or was refused.
    listed: bool,
    /// It was told that nothing is heard.
    lost: bool,
}

/// How a watch ended.
enum Ended {
    /// As it should, or by itself.
    Closed,
    /// The version is one that the server has forgotten.
    Expired,
    /// The server refused it.
    Refused,
    /// Nothing is heard any more.
    Lost(String),
    /// Nobody listens.
    Unheard,
}

/// What one line of a watch says (k8s.io/apimachinery/pkg/apis/meta/v1/watch.go).
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    object: Item,
}

impl Line {
    pub(super) fn new(
        shared: &Arc<Shared>,
        wanted: &'static Wanted,
        served: Served,
        namespace: String,
        selector: String,
        parts: &Arc<Parts>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            wanted,
            served,
            namespace,
            selector,
            parts: Arc::clone(parts),
            seen: BTreeMap::new(),
            listed: false,
            lost: false,
        }
    }

    /// Until it is ended from outside; then what it told is gone.
    pub(super) async fn run(mut self, ended: oneshot::Receiver<()>) {
        tokio::select! {
            _ = ended => {}
            () = self.go_on() => return,
        }
        self.first_done();
        for address in std::mem::take(&mut self.seen).into_keys() {
            let _ = self.tell(Change::Gone(address)).await;
        }
    }

    /// Until nobody listens.
    async fn go_on(&mut self) {
        let mut failed = 0;
        loop {
            let listed = self.list().await;
            let Some(listed) = listed else {
                return;
            };
            match listed {
                Ok(version) => {
                    failed = 0;
                    if self.follow(version).await.is_none() {
                        return;
                    }
                }
                Err(trouble) => {
                    failed += 1;
                    let Some(pause) = self.unlisted(&trouble, failed).await else {
                        return;
                    };
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    fn secret(&self) -> bool {
        self.wanted.resource == SECRETS.resource
    }

    fn as_list(&self) -> List<'_> {
        List {
            served: &self.served,
            namespace: &self.namespace,
            page: self.wanted.page().min(PAGE),
            accept: if self.secret() { METADATA } else { OBJECTS },
            field_selector: &self.selector,
        }
    }

    /// Tells; `None` when nobody listens.
    async fn tell(&self, change: Change) -> Option<()> {
        self.shared.told.send(change).await.ok()
    }

    async fn heard(&mut self) -> Option<()> {
        self.lost = false;
        self.tell(Change::Heard(self.wanted.name().into())).await
    }

    async fn lose(&mut self, why: String) -> Option<()> {
        if std::mem::replace(&mut self.lost, true) {
            return Some(());
        }
        let kind = self.wanted.name().into();
        let why = why.into();
        self.tell(Change::Lost { kind, why }).await
    }

    fn first_done(&mut self) {
        if !std::mem::replace(&mut self.listed, true) {
            self.shared.unlisted.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Reads the list to its end, and tells what differs from what was told. The version that it is as of; `None`
    /// when nobody listens.
    async fn list(&mut self) -> Option<Result<String, Trouble>> {
        let shared = Arc::clone(&self.shared);
        let _permit = shared.lists.acquire().await.ok()?;
        let (mut go_on, mut version) = (String::new(), String::new());
        let mut restarts = 0;
        let mut there: BTreeSet<Arc<str>> = BTreeSet::new();
        loop {
            let page = match self.as_list().part(&shared.asker, &go_on).await {
                Ok(page) => page,
                // What goes on from an expired list is of another version: a watch needs one of its own.
                Err(trouble) if trouble.status() == Some(410) && restarts < RESTARTS => {
                    restarts += 1;
                    go_on.clear();
                    version.clear();
                    continue;
                }
                Err(trouble) => return Some(Err(trouble)),
            };
            if version.is_empty() {
                version = page.metadata.resource_version;
            }
            for item in page.items.unwrap_or_default() {
                let (address, told) = self.take(item);
                there.insert(address);
                if let Some(told) = told {
                    self.tell(told).await?;
                }
            }
            go_on = page.metadata.go_on;
            if go_on.is_empty() {
                break;
            }
        }
        let gone: Vec<Arc<str>> = self
            .seen
            .keys()
            .filter(|address| !there.contains(*address))
            .cloned()
            .collect();
        for address in gone {
            self.forget(&address);
            self.tell(Change::Gone(address)).await?;
        }
        if self.parts.done(&self.selector) {
            self.tell(Change::Told(Event::Complete {
                kind: self.wanted.name().into(),
                within: self.namespace.as_str().into(),
            }))
            .await?;
        }
        self.first_done();
        self.heard().await?;
        Some(Ok(version))
    }

    /// What is told when a list was refused or lost, and when it is asked for again.
    async fn unlisted(&mut self, trouble: &Trouble, failed: u32) -> Option<Duration> {
        let pace = self.shared.pace;
        let absent = trouble.status() == Some(404);
        // A server that starts refuses for a moment what it allows once it has read its roles.
        let sure = self.seen.is_empty() || failed > DOUBTED;
        let refused = absent || sure && matches!(trouble.status(), Some(403 | 405));
        if !refused && !self.seen.is_empty() {
            let why = unread(self.wanted, &self.served, &self.namespace, trouble).why;
            self.lose(why.into()).await?;
            return Some(pause(&pace, failed));
        }
        // What may not be read any more is not known any more.
        for address in std::mem::take(&mut self.seen).into_keys() {
            self.tell(Change::Gone(address)).await?;
        }
        if absent {
            // Withdrawn since discovery.
            self.parts.done(&self.selector);
            self.tell(Change::Told(Event::Complete {
                kind: self.wanted.name().into(),
                within: self.namespace.as_str().into(),
            }))
            .await?;
        } else {
            self.parts.failed(&self.selector);
            let mut gap = unread(self.wanted, &self.served, &self.namespace, trouble);
            if self.secret() && trouble.status() == Some(403) {
                gap.help = Some(crate::cluster::HELP_SECRETS.into());
            }
            self.tell(Change::Told(Event::Gap(gap))).await?;
        }
        self.first_done();
        Some(if refused && failed > DOUBTED {
            pace.refused + chance(pace.refused / 4)
        } else {
            pause(&pace, failed).min(pace.refused)
        })
    }

    /// Watches from a version on, until a new list is needed.
    async fn follow(&mut self, mut version: String) -> Option<()> {
        let pace = self.shared.pace;
        let mut failed = 0;
        loop {
            let begun = Instant::now();
            let ended = self.watch(&mut version).await;
            if begun.elapsed() >= LIVED {
                failed = 0;
            }
            match ended {
                Ended::Unheard => return None,
                Ended::Expired => {
                    tokio::time::sleep(chance(pace.first)).await;
                    return Some(());
                }
                Ended::Refused => {
                    tokio::time::sleep(pause(&pace, 1)).await;
                    return Some(());
                }
                Ended::Closed if failed == 0 && begun.elapsed() >= LIVED => {}
                Ended::Closed => {
                    failed += 1;
                    tokio::time::sleep(pause(&pace, failed)).await;
                }
                Ended::Lost(why) => {
                    failed += 1;
                    // A server that starts again is back in a moment.
                    if failed > 1 {
                        self.lose(why).await?;
                    }
                    if failed > GIVE_UP {
                        return Some(());
                    }
                    tokio::time::sleep(pause(&pace, failed)).await;
                }
            }
        }
    }

    /// One watch.
    async fn watch(&mut self, version: &mut String) -> Ended {
        let pace = self.shared.pace;
        let seconds = (pace.watch + chance(pace.watch)).as_secs().max(1);
        let path = self.as_list().watch_path(version, seconds);
        let accept = if self.secret() {
            METADATA_OF_ONE
        } else {
            OBJECTS
        };
        let shared = Arc::clone(&self.shared);
        let opening = tokio::time::timeout(pace.silence, shared.asker.lines(&path, accept));
        let mut lines = match opening.await {
            Ok(Ok(lines)) => lines,
            Ok(Err(trouble)) => {
                return match trouble.status() {
                    Some(410) => Ended::Expired,
                    Some(401 | 403 | 404 | 405) => Ended::Refused,
                    _ => {
                        let why = unread(self.wanted, &self.served, &self.namespace, &trouble);
                        Ended::Lost(why.why.into())
                    }
                };
            }
            Err(_) => return Ended::Lost(self.silent()),
        };
        if self.heard().await.is_none() {
            return Ended::Unheard;
        }
        let mut line = Vec::new();
        loop {
            line.clear();
            match tokio::time::timeout(pace.silence, next(&mut lines, &mut line)).await {
                Err(_) => return Ended::Lost(self.silent()),
                Ok(Err(error)) => {
                    return Ended::Lost(format!(
                        "the watch of {} broke: {error}",
                        self.served.resource
                    ));
                }
                Ok(Ok(false)) => return Ended::Closed,
                Ok(Ok(true)) => {}
            }
            let Ok(told) = serde_json::from_slice::<Told>(&line) else {
                return Ended::Lost(format!(
                    "the watch of {} says what cannot be understood",
                    self.served.resource
                ));
            };
            if let Some(ended) = self.hear(told, version).await {
                return ended;
            }
        }
    }

    fn silent(&self) -> String {
        let silence = self.shared.pace.silence;
        format!(
            "the watch of {} said nothing for {silence:?}",
            self.served.resource
        )
    }

    /// One line of a watch; how that ends it, if it does.
    async fn hear(&mut self, told: Told, version: &mut String) -> Option<Ended> {
        let now = told.object.get("metadata").and_then(|metadata| {
            let version = metadata.get("resourceVersion")?;
            version.as_str().map(str::to_owned)
        });
        let done = match told.kind.as_str() {
            "ADDED" | "MODIFIED" => match self.take(told.object).1 {
                Some(change) => self.tell(change).await,
                None => Some(()),
            },
            "DELETED" => {
                let address: Arc<str> = self.as_list().address_of(&told.object).into();
                self.forget(&address);
                self.tell(Change::Gone(address)).await
            }
            "BOOKMARK" => self.heard().await,
            _ => {
                let code = told.object.get("code").and_then(Value::as_u64);
                let message = told.object.get("message").and_then(Value::as_str);
                return Some(if code == Some(410) {
                    Ended::Expired
                } else {
                    Ended::Lost(format!(
                        "the watch of {} broke: {}",
                        self.served.resource,
                        message.unwrap_or("it does not say why")
                    ))
                });
            }
        };
        if let Some(now) = now {
            *version = now;
        }
        done.is_none().then_some(Ended::Unheard)
    }

    /// Takes an object: its address, and what is to be told of it.
    fn take(&mut self, mut item: Item) -> (Arc<str>, Option<Change>) {
        let address = self.as_list().address_of(&item);
        let known = self.seen.get_key_value(address.as_str());
        let address: Arc<str> = known.map_or_else(|| address.into(), |(own, _)| Arc::clone(own));
        if self.secret()
            && let Some(kind) = self.selector.strip_prefix("type=")
        {
            item.insert("type".to_owned(), kind.into());
        }
        {
            let versions = self.shared.versions.lock();
            let mut versions = versions.unwrap_or_else(PoisonError::into_inner);
            versions.forget(self.wanted.kind, &condense::called(&item));
            let api_version = self.served.api_version();
            condense::condense(self.wanted, &api_version, &mut item, &mut versions);
        }
        let object = object(Arc::clone(&address), item);
        let mut hasher = DefaultHasher::new();
        object.json.hash(&mut hasher);
        let content = hasher.finish();
        let told = self.seen.insert(Arc::clone(&address), content) != Some(content);
        (address, told.then_some(Change::Told(Event::Object(object))))
    }

    fn forget(&mut self, address: &Arc<str>) {
        self.seen.remove(address);
        // `/api/v1/namespaces/shop/pods/web`: names have no slash.
        let mut from_end = address.rsplit('/');
        let (name, _, namespace) = (from_end.next(), from_end.next(), from_end.next());
        let called = match (namespace, name) {
            (Some(namespace), Some(name)) if self.served.namespaced => {
                format!("{namespace}/{name}")
            }
            (_, name) => name.unwrap_or_default().to_owned(),
        };
        let versions = self.shared.versions.lock();
        let mut versions = versions.unwrap_or_else(PoisonError::into_inner);
        versions.forget(self.wanted.kind, &called);
    }
}

/// Reads a line without its end; false at the end.
async fn next(
    lines: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<bool> {
    loop {
        let here = lines.fill_buf().await?;
        if here.is_empty() {
            return Ok(false);
        }
        let end = here.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(here.len());
        line.extend_from_slice(here.get(..taken).unwrap_or_default());
        lines.consume_unpin(end.map_or(taken, |end| end + 1));
        if line.len() > LONGEST_LINE {
            return Err(std::io::Error::other("a line is too long"));
        }
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// The pause after so many failures.
fn pause(pace: &super::Pace, failed: u32) -> Duration {
    let pause = pace.first * 2_u32.pow(failed.saturating_sub(1).min(16));
    let pause = pause.min(pace.longest);
    pause + chance(pause / 2)
}

/// Any time up to one: replicas that lost the same server do not come back at the same moment.
pub(super) fn chance(most: Duration) -> Duration {
    // A new state has keys of its own; nothing here needs more chance than that.
    let number = RandomState::new().hash_one(Instant::now());
    most.mul_f64((number % 1024) as f64 / 1024.0)
}
