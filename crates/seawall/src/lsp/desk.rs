//! What the threads share: the documents, what waits to be judged, and what was said.
//!
//! ```text
//! editor ─▶ server (reads) ─▶ Documents, what waits ─▶ this thread judges ─▶ diagnostics ─▶ editor
//!              │                                              ▲
//!              └─▶ actions (a thread) ── proves fixes ────────┘ the texts
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lsp_server::{Message, Notification, RequestId, Response};
use lsp_types::{Diagnostic, DiagnosticSeverity, PublishDiagnosticsParams};
use sources::Overlay;

use super::diagnostics::{Shown, Writer};
use super::documents::{Documents, here, uri_of};
use super::judge::Judging;
use super::subject::Subject;
use super::text::Encoding;
use super::{pages, quick};

/// How long nobody types before all of a large file is judged.
const PAUSE: Duration = Duration::from_millis(300);

/// What the editor can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) encoding: Encoding,
    /// Edits of an action may be asked for later.
    pub(super) resolves: bool,
    /// It shows why an action cannot be taken.
    pub(super) disabled: bool,
    /// It makes and deletes files, and minds versions.
    pub(super) document_changes: bool,
}

/// What is shared.
pub(super) struct Desk<'a> {
    pub(super) judging: Judging<'a>,
    pub(super) client: Client,
    state: Mutex<State>,
    wake: Condvar,
    /// Counts changes: what was begun before the last one is not finished.
    changes: AtomicU64,
    /// What is asked and not answered, and whether an answer is still wanted.
    asked: Mutex<HashMap<RequestId, bool>>,
    sender: Box<dyn Fn(Message) + Send + Sync>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) documents: Documents,
    /// The next one first.
    waiting: Vec<Subject>,
    /// What was said of each subject, by files.
    said: BTreeMap<Subject, Said>,
    /// Files whose diagnostics may have changed.
    stale: BTreeSet<Arc<str>>,
    closing: bool,
}

/// What was said of a subject.
#[derive(Default)]
struct Said {
    shown: Shown,
    /// The text that it was said of, where that is a large file of manifests.
    text: Option<String>,
}

/// The texts at one moment.
pub(super) struct Moment {
    pub(super) open: Overlay,
    pub(super) number: u64,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        judging: Judging<'a>,
        client: Client,
        send: impl Fn(Message) + Send + Sync + 'static,
    ) -> Self {
        Self {
            judging,
            client,
            state: Mutex::default(),
            wake: Condvar::new(),
            changes: AtomicU64::new(0),
            asked: Mutex::default(),
            sender: Box::new(send),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<RequestId, bool>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that something is asked which is answered later.
    pub(super) fn begin(&self, id: &RequestId) {
        self.asked().insert(id.clone(), true);
    }

    /// Nobody wants the answer any more.
    pub(super) fn cancel(&self, id: &RequestId) {
        if let Some(wanted) = self.asked().get_mut(id) {
            *wanted = false;
        }
    }

    pub(super) fn is_wanted(&self, id: &RequestId) -> bool {
        self.asked().get(id).copied().unwrap_or_default()
    }

    /// Answers what was begun, whether or not that is wanted: the protocol asks for it.
    pub(super) fn answer(&self, response: Response) {
        self.asked().remove(&response.id);
        self.send(response);
    }

    pub(super) fn send(&self, message: impl Into<Message>) {
        (self.sender)(message.into());
    }

    /// Changes documents; what `with` names is judged next, and what may read it after that.
    pub(super) fn change(&self, with: impl FnOnce(&mut Documents) -> Option<Subject>) {
        let mut state = self.state();
        let first = with(&mut state.documents);
        let others: Vec<Subject> = state.documents.subjects().cloned().collect();
        for subject in others {
            if subject.reads_others() {
                state.wait(subject);
            }
        }
        if let Some(first) = first {
            state.waiting.retain(|other| *other != first);
            state.waiting.insert(0, first);
        }
        let subjects: BTreeSet<Subject> = state.documents.subjects().cloned().collect();
        let gone: Vec<Subject> = state.said.keys().cloned().collect();
        for subject in gone {
            if !subjects.contains(&subject) {
                let said = state.said.remove(&subject).unwrap_or_default();
                state.stale.extend(said.shown.into_keys());
            }
        }
        state.waiting.retain(|subject| subjects.contains(subject));
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_all();
    }

    /// Judges all anew: something on disk has changed.
    pub(super) fn judge_all(&self) {
        let mut state = self.state();
        let all: Vec<Subject> = state.documents.subjects().cloned().collect();
        for subject in all {
            state.wait(subject);
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_all();
    }

    pub(super) fn close(&self) {
        self.state().closing = true;
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_all();
    }

    /// The texts as they are now.
    pub(super) fn moment(&self) -> Moment {
        self.moment_of(&self.state())
    }

    fn moment_of(&self, state: &State) -> Moment {
        Moment {
            open: state.documents.overlay(),
            number: self.changes.load(Ordering::Acquire),
        }
    }

    /// Whether something has changed since.
    pub(super) fn is_past(&self, moment: &Moment) -> bool {
        self.changes.load(Ordering::Acquire) != moment.number
    }

    /// What is shown of a file: what is said of itself, by which it is mended, and what else others that read it say.
    pub(super) fn shown(state: &State, name: &str) -> Vec<Diagnostic> {
        let document = state.documents.named(name);
        let own = document.and_then(|document| document.subject.as_ref());
        let mut lists: Vec<(&Subject, &Vec<Diagnostic>)> = state
            .said
            .iter()
            .filter_map(|(subject, said)| Some((subject, said.shown.get(name)?)))
            .collect();
        lists.sort_by_key(|(subject, _)| Some(*subject) != own);
        let mut lists = lists.into_iter().map(|(_, list)| list);
        let mut all = lists.next().cloned().unwrap_or_default();
        for diagnostic in lists.flatten() {
            // Several templates may say the same of what they share.
            let same = |other: &Diagnostic| {
                (other.range, &other.code, &other.message)
                    == (diagnostic.range, &diagnostic.code, &diagnostic.message)
            };
            if !all.iter().any(same) {
                all.push(diagnostic.clone());
            }
        }
        all
    }

    /// Judges what waits, until the end.
    pub(super) fn run(&self) {
        loop {
            let mut state = self.state();
            while state.waiting.is_empty() && state.stale.is_empty() && !state.closing {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.closing {
                return;
            }
            let next = (!state.waiting.is_empty()).then(|| state.waiting.remove(0));
            let moment = self.moment_of(&state);
            let Some(subject) = next else {
                self.publish(state);
                continue;
            };
            drop(state);
            if let Some(shown) = self.quick(&subject, &moment) {
                self.say(&subject, &moment, shown);
                self.pause(&moment);
            }
            let of_use = !self.is_past(&moment) && {
                let shown = self.judge(&subject, &moment);
                self.say(&subject, &moment, shown)
            };
            if !of_use {
                // It is still to be judged, unless nobody has it open any more.
                let mut state = self.state();
                if state.documents.subjects().any(|other| *other == subject) {
                    state.wait(subject);
                }
            }
        }
    }

    /// Waits a moment for the next key: what is known of all objects together cannot be given up half way.
    fn pause(&self, moment: &Moment) {
        let still = |state: &mut State| !self.is_past(moment) && !state.closing;
        let waited = self.wake.wait_timeout_while(self.state(), PAUSE, still);
        drop(waited);
    }

    /// Keeps and publishes what was said, unless something has changed meanwhile: tells whether it was of use.
    fn say(&self, subject: &Subject, moment: &Moment, shown: Shown) -> bool {
        let mut state = self.state();
        if self.is_past(moment) {
            return false;
        }
        state.stale.extend(shown.keys().cloned());
        let text = subject.manifests().and_then(|name| moment.open.get(&name));
        let text = text.filter(|text| text.len() > quick::LARGE).cloned();
        let said = Said { shown, text };
        let before = state.said.insert(subject.clone(), said).unwrap_or_default();
        state.stale.extend(before.shown.into_keys());
        // Also where nothing is wrong: the editor may wait for it.
        let documents = state.documents.iter();
        let own = documents.filter(|document| document.subject.as_ref() == Some(subject));
        let own: Vec<Arc<str>> = own.map(|document| document.name.clone()).collect();
        state.stale.extend(own);
        self.publish(state);
        true
    }

    fn writer<'m>(&'m self, moment: &'m Moment) -> Writer<'m> {
        Writer {
            guide: self.judging.guide,
            encoding: self.client.encoding,
            unknown: !self.judging.args.no_unknown,
            open: &moment.open,
        }
    }

    /// What can be said of a large file before it is judged.
    fn quick(&self, subject: &Subject, moment: &Moment) -> Option<Shown> {
        let name = subject.manifests()?;
        let text = moment.open.get(&name)?;
        let state = self.state();
        let said = state.said.get(subject)?;
        let changed = quick::changed(said.text.as_ref()?, text)?;
        let known = said.shown.get(&name).cloned().unwrap_or_default();
        drop(state);
        let mut open = BTreeMap::new();
        open.insert(name.clone(), changed.text.clone());
        let stops = || self.is_past(moment);
        let judged = self.judging.judge_alone(subject, &open.into(), &stops);
        let mut now = self.writer(moment).judged(&judged.ok()?);
        let joins = |id: &str| {
            let guideline = self.judging.guide.guideline(id);
            guideline.is_some_and(|guideline| guideline.needs.joined)
        };
        let now_here = now.remove(&name).unwrap_or_default();
        let merged = quick::merged(&known, now_here, &changed, &joins);
        Some([(name, merged)].into())
    }

    fn judge(&self, subject: &Subject, moment: &Moment) -> Shown {
        let writer = self.writer(moment);
        let stops = || self.is_past(moment);
        match subject {
            Subject::File(_) | Subject::Terraform(_) | Subject::Unsaved(_) => {
                match self.judging.judge(subject, &moment.open, &stops) {
                    Ok(judged) => writer.judged(&judged),
                    Err(error) => {
                        let files = super::judge::own_file(subject);
                        let files = files.or_else(|| subject.given());
                        files.map_or_else(Shown::new, |file| {
                            writer.said(&file, 1, DiagnosticSeverity::Error, error.to_string())
                        })
                    }
                }
            }
            Subject::Page(root, below) => {
                let failures = pages::failures(root, below, &moment.open, &stops);
                writer.failures(&here(&root.join(&**below)), failures)
            }
            Subject::Configuration(path) => {
                let name = sources::shown(path);
                let text = moment.open.get(name.as_str());
                let wrong = text.and_then(|text| self.judging.configuration(path, text));
                wrong.map_or_else(Shown::new, |(line, message)| {
                    writer.said(path, line, DiagnosticSeverity::Error, message)
                })
            }
            Subject::Rendered(path, whole) => {
                let whole = sources::shown(&here(whole));
                let whole = if whole.is_empty() { "." } else { &whole };
                let message = format!(
                    "this is not judged as it stands: `seawall assess {}` judges what is rendered",
                    report::shell_word(whole)
                );
                writer.said(path, 1, DiagnosticSeverity::Information, message)
            }
        }
    }

    /// Tells the editor what has changed.
    fn publish(&self, mut state: MutexGuard<'_, State>) {
        let stale = std::mem::take(&mut state.stale);
        let mut messages = Vec::new();
        for name in stale {
            let document = state.documents.named(&name);
            let uri = match document {
                Some(document) => Some(document.uri.clone()),
                None => uri_of(&name),
            };
            if let Some(uri) = uri {
                messages.push(PublishDiagnosticsParams {
                    uri,
                    version: document.map(|document| document.version),
                    diagnostics: Self::shown(&state, &name),
                });
            }
        }
        drop(state);
        for params in messages {
            let method = "textDocument/publishDiagnostics".to_owned();
            self.send(Notification::new(method, params));
        }
    }
}

impl State {
    fn wait(&mut self, subject: Subject) {
        if !self.waiting.contains(&subject) {
            self.waiting.push(subject);
        }
    }
}
