//! A decision as the API server and whoever asked it get to read it.
//!
//! API servers cut warnings at 256 characters and leave out those beyond 4096 altogether
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>), so they
//! are cut here, where it is known what matters.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use model::finding::{Finding, Outcome};
use serde::Serialize;

use super::completes::Completed;
use super::gate::{Decision, Why};

/// Characters of a warning.
const WARNING: usize = 256;
/// Characters of all warnings, with room for those of others.
const WARNINGS: usize = 3072;
/// Characters of what a refusal says.
const MESSAGE: usize = 3072;
/// Bytes of an audit annotation.
const ANNOTATION: usize = 1024;

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Whether the object may be written.
    pub allowed: bool,
    /// Why not.
    pub message: String,
    /// The HTTP status that the one who asked gets with a refusal.
    pub code: u16,
    /// A line each.
    pub warnings: Vec<String>,
    /// Keys and values for the audit event.
    pub annotations: Vec<(&'static str, String)>,
}

impl Answer {
    /// From a decision; `age` is that of what is known of the cluster.
    #[must_use]
    pub fn of(decision: &Decision, age: Option<Duration>) -> Self {
        let mut warnings = Warnings::default();
        for (why, note) in [
            (Why::WouldBeRefused, "would be refused"),
            (Why::WasSoBefore, "was so before"),
            (Why::RestsOnOthers, ""),
            (Why::Warned, ""),
        ] {
            let said = decision.said.iter().filter(|said| said.why == why);
            for said in said.filter(|said| fails(&said.finding)) {
                let age = age.filter(|_| said.rests);
                warnings.add(&said.finding, note, age);
            }
        }
        warnings.opens(decision, age);
        warnings.completes(decision, age);
        warnings.unknown(decision);
        if let Some(why) = decision.unreadable.as_ref().filter(|_| decision.allowed) {
            warnings.line(format!("seawall could not judge {}: {why}", decision.name));
        }
        Self {
            allowed: decision.allowed,
            message: if decision.allowed {
                String::new()
            } else {
                message(decision)
            },
            code: 403,
            warnings: warnings.finish(),
            annotations: annotations(decision),
        }
    }

    /// As the body of a response.
    #[must_use]
    pub fn json(&self, uid: &str) -> String {
        let status = (!self.allowed).then(|| Status {
            code: self.code,
            reason: if self.code == 403 {
                "Forbidden"
            } else {
                "ServiceUnavailable"
            },
            message: &self.message,
        });
        let review = Review {
            api_version: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            response: Response {
                uid,
                allowed: self.allowed,
                status,
                warnings: &self.warnings,
                audit_annotations: self
                    .annotations
                    .iter()
                    .map(|(key, value)| (*key, value.as_str()))
                    .collect(),
            },
        };
        serde_json::to_string(&review).unwrap_or_default()
    }
}

/// The answer to what could not be judged.
#[must_use]
pub fn unjudged(allowed: bool, why: &str) -> Answer {
    let text = format!("seawall did not judge this: {why}");
    Answer {
        allowed,
        message: if allowed { String::new() } else { text.clone() },
        code: 503,
        warnings: if allowed {
            vec![cut(&text, WARNING).into_owned()]
        } else {
            Vec::new()
        },
        annotations: vec![("not-judged", cut(why, ANNOTATION).into_owned())],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    audit_annotations: std::collections::BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Status<'a> {
    code: u16,
    reason: &'a str,
    message: &'a str,
}

fn fails(finding: &Finding) -> bool {
    finding.outcome == Outcome::Fail
}

/// `pss-host-path (critical): volume `logs` mounts … (spec.volumes[0])`
fn line(finding: &Finding) -> String {
    let mut line = format!(
        "{} ({}): {}",
        finding.guideline,
        finding.severity.word(),
        report::clean(&finding.message)
    );
    if !finding.place.route.is_empty() {
        let _ = write!(line, " ({})", report::clean(&finding.place.route));
    }
    line
}

/// `completes a way to cluster-admin from User jane (credential): …; …; and from 3 more`
fn completed(way: &Completed) -> String {
    let more = match way.more {
        0 => String::new(),
        more => format!("; and from {more} more"),
    };
    format!(
        "completes a way to {} from {} ({}): {}{more}",
        report::clean(&way.jewel),
        report::clean(&way.start),
        way.because.id(),
        way.deeds.join("; ")
    )
}

/// The lines of what refuses an object.
fn message(decision: &Decision) -> String {
    if let Some(why) = &decision.unreadable {
        return format!("seawall could not judge {}: {why}", decision.name);
    }
    let refused: Vec<&Finding> = decision.those(Why::Refused).collect();
    let (word, them) = match refused.len() {
        1 => ("guideline", "it"),
        _ => ("guidelines", "them"),
    };
    let ids = ids(refused.iter().copied());
    let ways: Vec<&Completed> = decision.ways_that_refuse().collect();
    let mut text = format!("seawall refuses {}: ", decision.name);
    if !ids.is_empty() {
        let _ = write!(text, "{} {word} not followed", ids.len());
    }
    if let Some(way) = ways.first() {
        let and = if ids.is_empty() { "" } else { ", and " };
        let _ = write!(
            text,
            "{and}it completes a way to {}",
            report::clean(&way.jewel)
        );
    }
    let mut left_out = 0;
    for way in ways {
        let line = completed(way);
        if text.len() + line.len() <= MESSAGE {
            text.push_str("\n- ");
            text.push_str(&line);
        }
    }
    for finding in &refused {
        let line = line(finding);
        if text.len() + line.len() > MESSAGE {
            left_out += 1;
        } else {
            text.push_str("\n- ");
            text.push_str(&line);
        }
    }
    if left_out > 0 {
        let _ = write!(text, "\n- and {left_out} more");
    }
    if let Some(first) = ids.first() {
        let _ = write!(
            text,
            "\n`seawall explain {first}` says why and how to mend {them}"
        );
    }
    text
}

/// Without those that are there already, in order.
fn ids<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<&'f str> {
    let mut ids: Vec<&str> = Vec::new();
    for finding in findings {
        if !ids.contains(&&*finding.guideline.0) {
            ids.push(&finding.guideline.0);
        }
    }
    ids
}

#[derive(Default)]
struct Warnings {
    lines: Vec<String>,
    length: usize,
    left_out: usize,
}

impl Warnings {
    fn add(&mut self, finding: &Finding, note: &str, age: Option<Duration>) {
        let mut tail = String::new();
        if let Some(age) = age {
            let _ = write!(tail, ", as the cluster was {} s ago", age.as_secs());
        }
        if !note.is_empty() {
            let _ = write!(tail, ", {note}");
        }
        let _ = write!(tail, "; `seawall explain {}`", finding.guideline);
        let line = line(finding);
        let room = WARNING.saturating_sub(tail.chars().count());
        let line = cut(&line, room).into_owned() + &tail;
        self.line(line);
    }

    fn line(&mut self, line: String) {
        let line = cut(&line, WARNING).into_owned();
        if self.length + line.chars().count() > WARNINGS {
            self.left_out += 1;
        } else {
            self.length += line.chars().count();
            self.lines.push(line);
        }
    }

    /// What a role or binding would let somebody take.
    fn opens(&mut self, decision: &Decision, age: Option<Duration>) {
        for opened in &decision.opens {
            let ways: Vec<String> = opened
                .how
                .iter()
                .take(2)
                .map(|how| format!("{} ({})", how.title, how.leads_to))
                .collect();
            let more = opened.how.len() - ways.len();
            let more = match more {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let tail = age.map_or_else(String::new, |age| {
                format!(", as the cluster was {} s ago", age.as_secs())
            });
            let line = format!(
                "opens: {} in {}: {}",
                report::clean(&opened.who),
                report::clean(&opened.within),
                ways.join("; ")
            );
            let tail = more + &tail;
            let room = WARNING.saturating_sub(tail.chars().count());
            self.line(cut(&line, room).into_owned() + &tail);
        }
    }

    /// The ways that it completes and that do not refuse it.
    fn completes(&mut self, decision: &Decision, age: Option<Duration>) {
        if !decision.allowed {
            return;
        }
        let tail = age.map_or_else(String::new, |age| {
            format!(", as the cluster was {} s ago", age.as_secs())
        });
        for way in &decision.completes {
            let room = WARNING.saturating_sub(tail.chars().count());
            self.line(cut(&completed(way), room).into_owned() + &tail);
        }
    }

    /// What nobody can say is one line: a cluster that has not been read yet would drown the rest.
    fn unknown(&mut self, decision: &Decision) {
        let said = decision.said.iter();
        let unknown: Vec<&Finding> = said
            .filter(|said| !matches!(said.why, Why::Waived | Why::Refused))
            .map(|said| &said.finding)
            .filter(|finding| !fails(finding))
            .collect();
        let Some(first) = unknown.first() else {
            return;
        };
        let ids = ids(unknown.iter().copied());
        let reason = match &first.outcome {
            Outcome::Unknown { reason, .. } => report::clean(reason).into_owned(),
            Outcome::Fail => String::new(),
        };
        self.line(match ids.as_slice() {
            [one] => format!("{one}: cannot tell: {reason}"),
            all => format!(
                "{} guidelines cannot tell ({}): {reason}",
                all.len(),
                all.join(", ")
            ),
        });
    }

    fn finish(mut self) -> Vec<String> {
        if self.left_out > 0 {
            let more = format!("seawall has {} more warnings", self.left_out);
            self.lines.push(more);
        }
        self.lines
    }
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().count() <= most {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// What the audit event keeps: ids, so that it can be counted later.
fn annotations(decision: &Decision) -> Vec<(&'static str, String)> {
    let failing = |why: Why| ids(decision.those(why).filter(|finding| fails(finding)));
    let unknown = decision.said.iter().map(|said| &said.finding);
    let groups = [
        ("refused", ids(decision.those(Why::Refused))),
        ("would-be-refused", failing(Why::WouldBeRefused)),
        ("was-so-before", failing(Why::WasSoBefore)),
        ("rests-on-others", failing(Why::RestsOnOthers)),
        ("warned", failing(Why::Warned)),
        ("waived", ids(decision.those(Why::Waived))),
        ("unknown", ids(unknown.filter(|finding| !fails(finding)))),
    ];
    let mut annotations: Vec<(&'static str, String)> = groups
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(key, ids)| (key, cut(&ids.join(","), ANNOTATION).into_owned()))
        .collect();
    let mut opens: Vec<&str> = Vec::new();
    for how in decision.opens.iter().flat_map(|opened| &opened.how) {
        if !opens.contains(&how.id) {
            opens.push(how.id);
        }
    }
    if !opens.is_empty() {
        annotations.push(("opens", cut(&opens.join(","), ANNOTATION).into_owned()));
    }
    let mut completes: Vec<&str> = decision.completes.iter().map(|way| way.kind).collect();
    completes.dedup();
    if !completes.is_empty() {
        annotations.push((
            "completes",
            cut(&completes.join(","), ANNOTATION).into_owned(),
        ));
    }
    if let Some(why) = &decision.unreadable {
        annotations.push(("not-judged", cut(why, ANNOTATION).into_owned()));
    }
    annotations
}
