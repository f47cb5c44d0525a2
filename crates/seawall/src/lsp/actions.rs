//! What can be done about findings: their fixes, as `seawall fix` makes them, and accepting them.
//!
//! What is offered is known from the remedies of findings. Whether a fix holds is proved when it is taken: the files
//! are judged with it, as `seawall fix` does.

use std::sync::mpsc::Receiver;

use ::guide::answers::question;
use lsp_server::{ErrorCode, RequestId, Response};
use lsp_types::{
    Code, CodeAction, CodeActionDisabled, CodeActionKind, CodeActionParams, Diagnostic, Uri,
    WorkspaceEdit,
};
use model::Safety;
use model::finding::Finding;
use serde::{Deserialize, Serialize};

use super::desk::{Desk, Moment};
use super::diagnostics::SOURCE;
use super::documents::text_of;
use super::edits::{self, Changed};
use super::hover::holds;
use super::judge::Remedied;
use super::subject::Subject;
use super::waive;
use crate::fix::{About, Cure, operations};

/// All safe fixes of a file.
pub(super) const FIX_ALL: &str = "source.fixAll.seawall";

/// Longer titles are cut.
const LONGEST: usize = 90;

/// What the editor asks.
pub(super) enum Asked {
    Offer(RequestId, Box<CodeActionParams>),
    Make(RequestId, Box<CodeAction>),
}

/// What an action does, kept with it until it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "do")]
enum Doing {
    Fix { uri: String, fingerprint: String },
    FixAll { uri: String },
    Waive { uri: String, fingerprint: String },
}

/// Answers, one after the other.
pub(super) struct Actions<'d, 'a> {
    desk: &'d Desk<'a>,
    /// Of the last subject, as long as nothing changes.
    known: Option<(u64, Subject, Remedied)>,
}

impl<'d, 'a> Actions<'d, 'a> {
    pub(super) const fn new(desk: &'d Desk<'a>) -> Self {
        Self { desk, known: None }
    }

    pub(super) fn run(mut self, asked: &Receiver<Asked>) {
        for asked in asked {
            let (Asked::Offer(id, _) | Asked::Make(id, _)) = &asked;
            let answer = if !self.desk.is_wanted(id) {
                let why = "the editor gave it up".to_owned();
                Response::new_err(id.clone(), ErrorCode::RequestCanceled as i32, why)
            } else {
                match asked {
                    Asked::Offer(id, params) => Response::new_ok(id, self.offer(&params)),
                    Asked::Make(id, action) => match self.make(*action) {
                        Ok(action) => Response::new_ok(id, action),
                        Err(why) => Response::new_err(id, ErrorCode::RequestFailed as i32, why),
                    },
                }
            };
            self.desk.answer(answer);
        }
    }

    /// What can be done at a place.
    fn offer(&mut self, params: &CodeActionParams) -> Vec<CodeAction> {
        let desk = self.desk;
        let uri = &params.text_document.uri;
        let state = desk.state();
        let Some(document) = state.documents.get(uri) else {
            return Vec::new();
        };
        let Some(subject @ (Subject::File(_) | Subject::Terraform(_))) = document.subject.clone()
        else {
            return Vec::new();
        };
        let name = document.name.clone();
        let given = &params.context.diagnostics;
        let ours = |one: &&Diagnostic| {
            one.source.as_deref() == Some(SOURCE) && one.code.is_some() && print(one).is_some()
        };
        let mut wanted: Vec<Diagnostic> = given.iter().filter(ours).cloned().collect();
        // Not every editor sends what was kept with them.
        if wanted.is_empty() {
            wanted = Desk::shown(&state, &name);
            wanted.retain(|one| {
                ours(&one)
                    && (holds(one.range, params.range.start)
                        || holds(params.range, one.range.start))
            });
        }
        drop(state);
        let is_wanted = |kind: &str| match &params.context.only {
            None => true,
            Some(only) => only.iter().any(|only| {
                let only = only.as_str();
                only.is_empty() || kind == only || kind.starts_with(&format!("{only}."))
            }),
        };
        let mut actions = Vec::new();
        let quick = is_wanted("quickfix") && !wanted.is_empty();
        if !quick && !is_wanted(FIX_ALL) {
            return actions;
        }
        let moment = desk.moment();
        let Ok(remedied) = self.remedied(&subject, &moment) else {
            return actions;
        };
        if quick {
            let mut cured = Vec::new();
            for diagnostic in &wanted {
                fixes(remedied, desk, uri, diagnostic, &mut cured, &mut actions);
            }
            for (number, diagnostic) in wanted.iter().enumerate() {
                let same = |other: &Diagnostic| {
                    other.range == diagnostic.range && other.code == diagnostic.code
                };
                // What a guideline says twice of a place is accepted at once.
                if !wanted.iter().take(number).any(same) {
                    actions.extend(accept(desk, uri, &name, diagnostic));
                }
            }
            tell_apart(&mut actions);
        }
        let safe = remedied.sorted.cures.iter();
        if is_wanted(FIX_ALL) && safe.clone().any(|cure| cure.safety == Safety::Safe) {
            let doing = Doing::FixAll { uri: uri.0.clone() };
            let title = "fix all that is safe in this file (seawall)".to_owned();
            actions.push(action(title, CodeActionKind::new(FIX_ALL), None, &doing));
        }
        if !desk.client.disabled {
            actions.retain(|action| action.disabled.is_none());
        }
        if !desk.client.resolves {
            actions = actions
                .into_iter()
                .filter_map(|action| self.make(action).ok())
                .collect();
        }
        actions
    }

    fn remedied(&mut self, subject: &Subject, moment: &Moment) -> Result<&Remedied, String> {
        let fresh = self
            .known
            .as_ref()
            .is_some_and(|(number, known, _)| *number == moment.number && known == subject);
        if !fresh {
            let remedied = self.desk.judging.remedies(subject, &moment.open);
            let remedied = remedied.map_err(|error| error.to_string())?;
            self.known = Some((moment.number, subject.clone(), remedied));
        }
        match &self.known {
            Some((_, _, remedied)) => Ok(remedied),
            None => Err("nothing is known".to_owned()),
        }
    }

    /// Fills an action with its edits, proved; why there are none.
    fn make(&mut self, mut action: CodeAction) -> Result<CodeAction, String> {
        let Some(data) = action.data.take() else {
            return Ok(action);
        };
        let doing: Doing = serde_json::from_value(data).map_err(|error| error.to_string())?;
        let moment = self.desk.moment();
        let edit = match &doing {
            Doing::Fix { uri, fingerprint } => self.fix(uri, Some(fingerprint), &moment)?,
            Doing::FixAll { uri } => self.fix(uri, None, &moment)?,
            Doing::Waive { uri, fingerprint } => {
                let subject = self.subject(uri)?;
                let judging = &self.desk.judging;
                let (name, edit) = waive::comment(judging, &subject, &moment.open, fingerprint)?;
                let changed = Changed {
                    name: &name,
                    before: &text_of(&moment.open, &name).unwrap_or_default(),
                    edits: &[edit],
                    new: false,
                    gone: false,
                };
                edits::workspace(self.desk, &[changed])?
            }
        };
        if self.desk.is_past(&moment) {
            return Err("the file has changed meanwhile".to_owned());
        }
        action.edit = Some(edit);
        Ok(action)
    }

    fn subject(&self, uri: &str) -> Result<Subject, String> {
        let state = self.desk.state();
        let document = state.documents.get(&Uri(uri.to_owned()));
        let subject = document.and_then(|document| document.subject.clone());
        subject.ok_or_else(|| "the file is not open any more".to_owned())
    }

    /// The edits that cure one finding, or all for which that is safe.
    fn fix(
        &mut self,
        uri: &str,
        fingerprint: Option<&str>,
        moment: &Moment,
    ) -> Result<WorkspaceEdit, String> {
        let desk = self.desk;
        let subject = self.subject(uri)?;
        let remedied = self.remedied(&subject, moment)?;
        let is_meant = |cure: &&Cure| match fingerprint {
            None => cure.safety == Safety::Safe,
            Some(print) => findings(remedied, print)
                .any(|finding| cure.cured.iter().any(|about| is_about(about, finding))),
        };
        let cures: Vec<Cure> = remedied
            .sorted
            .cures
            .iter()
            .filter(is_meant)
            .cloned()
            .collect();
        let proved = desk
            .judging
            .prove(&subject, &moment.open, remedied, &cures)
            .map_err(|error| error.to_string())?;
        if proved.held.is_empty() {
            let why = proved.dropped.into_values().next();
            return Err(why.unwrap_or_else(|| "there is nothing to fix any more".to_owned()));
        }
        edits::workspace(desk, &edits::of_texts(&proved.texts))
    }
}

/// What tells a finding from others, as it was kept with its diagnostic.
fn print(diagnostic: &Diagnostic) -> Option<&str> {
    diagnostic.data.as_ref()?.get("fingerprint")?.as_str()
}

fn findings<'r>(remedied: &'r Remedied, print: &'r str) -> impl Iterator<Item = &'r Finding> {
    let all = remedied.findings.iter();
    all.filter(move |finding| finding.fingerprint.to_string() == print)
}

fn is_about(about: &About, finding: &Finding) -> bool {
    about.guideline == finding.guideline.0
        && about.path == finding.place.path
        && about.line == finding.place.line
        && about.resource == finding.resource
        && *about.message == *finding.message
}

/// The fixes of one finding, or why it has none here. `cured`: which cure is which action already.
fn fixes(
    remedied: &Remedied,
    desk: &Desk<'_>,
    uri: &Uri,
    diagnostic: &Diagnostic,
    cured: &mut Vec<(usize, usize)>,
    actions: &mut Vec<CodeAction>,
) {
    let Some(print) = print(diagnostic) else {
        return;
    };
    let doing = Doing::Fix {
        uri: uri.0.clone(),
        fingerprint: print.to_owned(),
    };
    let meant: Vec<&Finding> = findings(remedied, print).collect();
    let is_meant = |about: &About| meant.iter().any(|finding| is_about(about, finding));
    let sorted = &remedied.sorted;
    let cures = sorted.cures.iter().enumerate();
    for (number, cure) in cures.filter(|(_, cure)| cure.cured.iter().any(is_meant)) {
        // Several findings may be cured by the same.
        let same = cured.iter().find(|(known, _)| *known == number);
        if let Some(same) = same.and_then(|(_, at)| actions.get_mut(*at)) {
            let all = same.diagnostics.get_or_insert_default();
            all.push(diagnostic.clone());
            continue;
        }
        let mut title = operations(cure).join(", ");
        if title.chars().count() > LONGEST {
            title = title.chars().take(LONGEST).chain(['…']).collect();
            if title.matches('`').count() % 2 == 1 {
                title.push('`');
            }
        }
        if cure.safety == Safety::Unsafe {
            title.push_str(" (may break a workload)");
        }
        let kind = CodeActionKind::QuickFix;
        let mut action = action(title, kind, Some(diagnostic), &doing);
        action.is_preferred = Some(cure.safety == Safety::Safe);
        cured.push((number, actions.len()));
        actions.push(action);
    }
    let mut refuse = |why: String| {
        let title = format!("fix `{}`", code(diagnostic));
        let mut action = action(title, CodeActionKind::QuickFix, Some(diagnostic), &doing);
        action.data = None;
        action.disabled = Some(CodeActionDisabled { reason: why });
        actions.push(action);
    };
    if let Some(left) = sorted.left.iter().find(|left| is_meant(&left.about)) {
        refuse(left.why.clone());
    }
    if let Some(waiting) = sorted.waiting.iter().find(|one| is_meant(&one.about)) {
        let first = waiting.wanted.first();
        let asks = first.and_then(|wanted| question(desk.judging.guide, &wanted.name).ok());
        let about = first.and_then(|wanted| wanted.about.as_deref());
        let asks = asks.map_or_else(String::new, |asks| format!(": {}", asks.asks_about(about)));
        refuse(format!(
            "it needs an answer under `answers` in seawall.yaml{asks}"
        ));
    }
}

/// Puts the line behind titles that several actions have.
fn tell_apart(actions: &mut [CodeAction]) {
    let titles: Vec<String> = actions.iter().map(|action| action.title.clone()).collect();
    for action in actions {
        let line = action
            .diagnostics
            .iter()
            .flatten()
            .map(|about| about.range.start.line)
            .next();
        if let Some(line) = line
            && titles
                .iter()
                .filter(|title| **title == action.title)
                .count()
                > 1
        {
            action.title.push_str(&format!(" (line {})", line + 1));
        }
    }
}

/// Accepting a finding.
fn accept(desk: &Desk<'_>, uri: &Uri, name: &str, diagnostic: &Diagnostic) -> Option<CodeAction> {
    waive::mark(name)?;
    let id = code(diagnostic);
    desk.judging.guide.guideline(id)?;
    let until = waive::until(desk.judging.args.as_of.as_deref()).ok()?;
    let doing = Doing::Waive {
        uri: uri.0.clone(),
        fingerprint: print(diagnostic)?.to_owned(),
    };
    let title = format!("waive `{id}` until {until}: say why");
    let kind = CodeActionKind::QuickFix;
    Some(action(title, kind, Some(diagnostic), &doing))
}

fn code(diagnostic: &Diagnostic) -> &str {
    match &diagnostic.code {
        Some(Code::String(id)) => id,
        _ => "",
    }
}

fn action(
    title: String,
    kind: CodeActionKind,
    about: Option<&Diagnostic>,
    doing: &Doing,
) -> CodeAction {
    CodeAction {
        title,
        kind: Some(kind),
        diagnostics: about.map(|diagnostic| vec![diagnostic.clone()]),
        data: serde_json::to_value(doing).ok(),
        ..CodeAction::default()
    }
}
