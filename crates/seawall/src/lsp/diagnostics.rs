//! What was said of a subject as diagnostics of its files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ::guide::Guide;
use ::guide::examples::Failure;
use lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location,
    Range, Uri,
};
use model::coverage::{DocumentEntry, Status};
use model::finding::{self, Finding, Outcome, Severity};
use serde_json::json;
use sources::Overlay;

use super::documents::{text_of, uri_of};
use super::judge::Judged;
use super::text::{Encoding, Lines};

/// Diagnostics by the names of files, the worst first.
pub(super) type Shown = BTreeMap<Arc<str>, Vec<Diagnostic>>;

/// More are not shown of one file: editors show no more either, and what nobody reads takes its time.
const MOST: usize = 1000;

/// Marks the line that tells of these.
const MORE: &str = "more";

/// Whether a diagnostic is about the file as a whole, wherever something changes in it.
pub(super) fn is_of_all(diagnostic: &Diagnostic) -> bool {
    let data = diagnostic.data.as_ref();
    data.is_some_and(|data| data.get(MORE).is_some())
}

/// Values that decided, shown with a finding.
const EVIDENCE: usize = 4;

/// Who says it.
pub(super) const SOURCE: &str = "seawall";

/// How diagnostics are made.
pub(super) struct Writer<'a> {
    pub(super) guide: &'a Guide,
    pub(super) encoding: Encoding,
    /// Whether what cannot be told is shown.
    pub(super) unknown: bool,
    /// The texts that were judged.
    pub(super) open: &'a Overlay,
}

impl Writer<'_> {
    /// What was said of files.
    pub(super) fn judged(&self, judged: &Judged) -> Shown {
        let mut by_file: BTreeMap<Arc<str>, Vec<&Finding>> = BTreeMap::new();
        for finding in &judged.findings {
            if self.unknown || finding.outcome == Outcome::Fail {
                let path = finding.place.path.clone();
                by_file.entry(path).or_default().push(finding);
            }
        }
        let mut shown = Shown::new();
        for (path, mut findings) in by_file {
            let Some(text) = self.text(&path) else {
                continue;
            };
            let lines = Lines::of(&text, self.encoding);
            findings.sort_by_key(|finding| {
                let fails = finding.outcome == Outcome::Fail;
                (
                    !fails,
                    std::cmp::Reverse(finding.severity),
                    finding.place.line,
                )
            });
            let more = findings.len().saturating_sub(MOST);
            let site = judged.site.as_deref();
            let all = findings.iter().take(MOST);
            let mut list: Vec<Diagnostic> = all
                .map(|finding| self.finding(finding, &lines, site))
                .collect();
            if more > 0 {
                let text = format!(
                    "{more} more findings are not shown: `seawall assess {}` lists them",
                    report::shell_word(&path)
                );
                let mut note = plain(lines.whole(1), DiagnosticSeverity::Information, text);
                note.data = Some(json!({ MORE: more }));
                list.insert(0, note);
            }
            shown.insert(path, list);
        }
        for entry in &judged.unread {
            let Some(text) = self
                .text(&entry.path)
                .filter(|text| is_ours(&entry.path, text))
            else {
                continue;
            };
            let lines = Lines::of(&text, self.encoding);
            let list = shown.entry(entry.path.clone()).or_default();
            list.insert(0, unread(entry, &lines));
        }
        shown
    }

    /// What is wrong with one file as a whole, or at a line of it.
    pub(super) fn said(
        &self,
        file: &Path,
        line: u32,
        severity: DiagnosticSeverity,
        message: String,
    ) -> Shown {
        let name: Arc<str> = sources::shown(file).into();
        let text = self.text(&name).unwrap_or_default();
        let range = Lines::of(&text, self.encoding).whole(line);
        [(name, vec![plain(range, severity, message)])].into()
    }

    /// What is wrong with a page of the guide.
    pub(super) fn failures(&self, file: &Path, failures: Vec<Failure>) -> Shown {
        let name: Arc<str> = sources::shown(file).into();
        let text = self.text(&name).unwrap_or_default();
        let lines = Lines::of(&text, self.encoding);
        let all = failures.into_iter().map(|failure| {
            let message = failure.problems.join("\n");
            plain(
                lines.whole(failure.line),
                DiagnosticSeverity::Error,
                message,
            )
        });
        [(name, all.collect())].into()
    }

    fn finding(&self, finding: &Finding, lines: &Lines<'_>, site: Option<&str>) -> Diagnostic {
        let range = range(&finding.place, lines);
        // A folder beside the reports is no address that an editor could open.
        let page = site
            .filter(|site| site.starts_with("http"))
            .and_then(|site| {
                let guideline = self.guide.guideline(&finding.guideline.0)?;
                Some(report::site::page_of(site, guideline))
            });
        Diagnostic {
            range,
            severity: Some(severity(finding)),
            code: Some(Code::String(finding.guideline.to_string())),
            code_description: page.map(|page| CodeDescription { href: Uri(page) }),
            source: Some(SOURCE.to_owned()),
            message: self.message(finding).into(),
            related_information: Some(self.related(finding, range, lines))
                .filter(|all| !all.is_empty()),
            data: Some(json!({"fingerprint": finding.fingerprint.to_string()})),
            ..Diagnostic::default()
        }
    }

    /// What is wrong. Several guidelines may not be able to tell for one and the same reason.
    fn message(&self, finding: &Finding) -> String {
        match self.guide.guideline(&finding.guideline.0) {
            Some(guideline) if finding.outcome != Outcome::Fail => {
                format!("{}: {}", guideline.title, finding.message)
            }
            _ => finding.message.clone(),
        }
    }

    /// The values that decided, and other places.
    fn related(
        &self,
        finding: &Finding,
        range: Range,
        own: &Lines<'_>,
    ) -> Vec<DiagnosticRelatedInformation> {
        let here = uri_of(&finding.place.path);
        let evidence = finding.evidence.iter().take(EVIDENCE);
        let evidence = evidence.filter_map(|evidence| {
            let value = report::clean(&evidence.value);
            Some(DiagnosticRelatedInformation {
                location: Location {
                    uri: here.clone()?,
                    range,
                },
                message: format!("`{}`: {value}", evidence.route),
            })
        });
        let places = finding.more_places.iter().filter(|place| !place.live);
        let places = places.filter_map(|place| {
            let range = if place.path == finding.place.path {
                self::range(place, own)
            } else {
                let text = self.text(&place.path)?;
                self::range(place, &Lines::of(&text, self.encoding))
            };
            let uri = uri_of(&place.path)?;
            let note = place.note.as_deref().unwrap_or("here too");
            Some(DiagnosticRelatedInformation {
                location: Location { uri, range },
                message: note.to_owned(),
            })
        });
        evidence.chain(places).collect()
    }

    /// The text that was judged.
    fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        text_of(self.open, path).ok()
    }
}

/// Whether a text means to be something that is judged: a file of another kind that is broken is not our concern.
fn is_ours(path: &str, text: &str) -> bool {
    let ends = |ending: &str| path.ends_with(ending);
    if ends(".json") && !ends(".tf.json") {
        return text.contains("\"apiVersion\"") || model::arm::is_template(text);
    }
    if ends(".yaml") || ends(".yml") {
        return text
            .lines()
            .any(|line| line.starts_with("apiVersion:") || line.starts_with("kind:"));
    }
    true
}

fn unread(entry: &DocumentEntry, lines: &Lines<'_>) -> Diagnostic {
    let severity = if entry.status == Status::Unreadable {
        DiagnosticSeverity::Error
    } else {
        DiagnosticSeverity::Warning
    };
    let reason = entry.reason.as_deref().unwrap_or("this cannot be read");
    let message = match &entry.help {
        Some(help) => format!("{reason}\n{help}"),
        None => reason.to_owned(),
    };
    plain(lines.whole(entry.line), severity, message)
}

fn plain(range: Range, severity: DiagnosticSeverity, message: String) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(severity),
        source: Some(SOURCE.to_owned()),
        message: message.into(),
        ..Diagnostic::default()
    }
}

fn range(place: &finding::Location, lines: &Lines<'_>) -> Range {
    Range {
        start: lines.place(place.line, place.column),
        end: lines.place(place.end_line, place.end_column),
    }
}

fn severity(finding: &Finding) -> DiagnosticSeverity {
    match (&finding.outcome, finding.severity) {
        (Outcome::Unknown { .. }, _) | (_, Severity::Low) => DiagnosticSeverity::Information,
        (_, Severity::Medium) => DiagnosticSeverity::Warning,
        (_, Severity::High | Severity::Critical) => DiagnosticSeverity::Error,
    }
}
