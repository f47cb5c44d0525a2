//! Detections as queries: CEL compiled to KQL, for whoever keeps the logs in Log Analytics or Azure Data Explorer.
//!
//! A query gives one row for each alert that `detect` would give, with the columns `TimeGenerated`, `Detection`,
//! `Severity`, `User`, `Verb`, `Object`, `Verdict`, `Message`, `AuditId`, `MITRE` and `Cluster`. What cannot be said exactly
//! is refused with the reason ([`Refused`]). A record that was cut gives a row whose verdict is `unknown (truncated)`
//! where the request could change something: what it does not say is never taken for absent.
//!
//! - `cond` and `value` are what queries are made of, `translate` makes them of CEL, `names` knows the columns;
//! - `source` brings the rows of every table into the same columns;
//! - `memory` is what thresholds, sequences and first sightings add;
//! - `rule` wraps a query as an analytics rule of Microsoft Sentinel or an alert rule of Azure Monitor.
//!
//! Left out: running queries, and anything that would need the guide's judge (`facts.fails`).

mod cond;
mod memory;
mod names;
mod rule;
mod source;
mod translate;
mod value;

use guide::Guide;
use guide::detection::{Detection, Log, Memory, Target, Trigger};
use guide::message::{Piece, Template};

use cond::{Cond, Truth};
use translate::{Said, Translator};
use value::quoted;

pub use rule::{File, Form, written};

/// Where the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `AKSAudit` and `AKSAuditAdmin` of Log Analytics; for the activity log `AzureActivity`.
    AksAudit,
    /// `AzureDiagnostics` of Log Analytics; for the activity log `AzureActivity`.
    AzureDiagnostics,
    /// `DiagnosticRawRecords` and `ActivityLogsRawRecords` of Azure Data Explorer.
    DataExplorer,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AksAudit, Self::AzureDiagnostics, Self::DataExplorer];

    /// The word of the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AksAudit => "aks-audit",
            Self::AzureDiagnostics => "azure-diagnostics",
            Self::DataExplorer => "data-explorer",
        }
    }

    /// The table of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.word() == word)
    }
}

/// The verdict of a row whose record was cut before it could say.
pub const UNKNOWN: &str = "unknown (truncated)";

/// A detection as a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The detection.
    pub id: Box<str>,
    /// The text, with a comment above it.
    pub text: String,
    /// How far it has to look back, in seconds; 0 where each row is judged alone.
    pub looks_back: u32,
}

/// Why a detection is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The detection.
    pub id: Box<str>,
    /// The reason, as a sentence without its end.
    pub reason: String,
}

/// Columns by which stages and copies of one request are known as one.
const REQUEST: &str = "AuditId, RequestUri, Verb, Actor, Shown, Cluster";

/// Compiles a detection.
///
/// # Errors
/// When it cannot be said exactly.
pub fn query(guide: &Guide, detection: &Detection, table: Table) -> Result<Query, Refused> {
    let looks_back = match &detection.memory {
        Memory::None => 0,
        Memory::Threshold { window, .. } | Memory::Sequence { window, .. } => *window,
        Memory::FirstSeen { days } => days * 86_400,
    };
    match memory::query(guide, detection, table) {
        Ok(body) => Ok(Query {
            id: detection.id.clone(),
            text: format!("{}{body}\n", heading(detection, table)),
            looks_back,
        }),
        Err(reason) => Err(Refused {
            id: detection.id.clone(),
            reason,
        }),
    }
}

fn heading(detection: &Detection, table: Table) -> String {
    let mut text = format!("// {}\n", detection.title);
    text.push_str(&format!(
        "// seawall: {}, severity {}. Why, and what to do next: seawall explain {}\n",
        detection.id,
        detection.severity.word(),
        detection.id
    ));
    if table == Table::AksAudit && detection.log == Log::Audit {
        text.push_str(
            "// AKSAudit does not tell whom a request impersonates: whoever asked stands for both.\n",
        );
    }
    if let Memory::FirstSeen { days } = detection.memory {
        text.push_str(&format!(
            "// Let it read more than {days} days: what was seen in the first {days} of them is known.\n"
        ));
    }
    text
}

/// A pipeline, one step a line.
fn piped(steps: &[String]) -> String {
    steps.join("\n| ")
}

/// Events that a check is asked about, judged: columns `Verdict` and `Message`.
struct Judged {
    steps: Vec<String>,
    /// Whether there may be rows of which one does not know.
    open: bool,
    /// Columns that hold what groups events, and what is counted.
    groups: Vec<String>,
    counted: Option<String>,
}

/// What is asked of events.
struct Asked<'a> {
    triggers: &'a [Trigger],
    check: &'a cel::Program,
    message: Option<&'a Template>,
    by: &'a [cel::Program],
    counted: Option<&'a cel::Program>,
}

fn judged(guide: &Guide, detection: &Detection, table: Table, asked: &Asked<'_>) -> Said<Judged> {
    let activity = detection.log == Log::Activity;
    let mut translator = Translator::new(guide, table, activity);
    translator.may_be_hidden = may_be_hidden(asked.triggers);
    let mut steps = source::rows(table, activity);
    let looked_at = source::looked_at(asked.triggers);
    if looked_at != Cond::Always {
        steps.push(format!("where {looked_at}"));
    }
    steps.push(told(table, activity).to_owned());

    // What is asked is written first, to see what it reads.
    let parts = match &asked.check.expr().kind {
        cel::ast::ExprKind::And(parts) => parts.as_slice(),
        _ => std::slice::from_ref(asked.check.expr()),
    };
    let mut checks = Vec::new();
    let mut rest = Vec::new();
    for part in parts {
        let truth = translator.truth(part)?;
        let before = translator.take_steps();
        if truth.is_known() {
            checks.push((before, Some(truth.holds)));
        } else {
            checks.push((before, None));
            rest.push(truth);
        }
    }
    let cut = translator.may_be_cut();
    let gated = cut && translator.reads_head;
    let manifest = translator.reads_object;
    if manifest {
        steps.extend(source::manifest(cut));
    }
    for (before, holds) in checks {
        steps.extend(before);
        match holds {
            None | Some(Cond::Always) => {}
            Some(holds) if gated => {
                steps.push(format!("where {}", Cond::any([Cond::is("HeadCut"), holds])));
            }
            Some(holds) => steps.push(format!("where {holds}")),
        }
    }
    let open = verdict(&mut steps, &translator, gated, rest, asked.triggers);

    let mut groups = Vec::new();
    for (number, program) in asked.by.iter().enumerate() {
        let (text, known) = translator.text(program.expr())?;
        steps.extend(translator.take_steps());
        let column = format!("Group{}", number + 1);
        steps.push(format!("extend {column} = {}", or_question(&text, &known)));
        groups.push(column);
    }
    let mut counted = None;
    if let Some(program) = asked.counted {
        let (text, known) = translator.text(program.expr())?;
        steps.extend(translator.take_steps());
        steps.push(format!("extend Counted = {}", or_question(&text, &known)));
        counted = Some("Counted".to_owned());
    }
    if let Some(template) = asked.message {
        let message = message(&mut translator, template)?;
        if translator.reads_object && !manifest {
            steps.extend(source::manifest(cut));
        }
        steps.extend(translator.take_steps());
        let message = if gated {
            let cut = quoted(&format!(
                "the record is cut before it tells: {}",
                detection.title
            ));
            format!("iff(HeadCut, {cut}, {message})")
        } else {
            message
        };
        steps.push(format!("extend Message = {message}"));
    }
    Ok(Judged {
        steps,
        open,
        groups,
        counted,
    })
}

/// Columns that every row is told by.
fn told(table: Table, activity: bool) -> &'static str {
    if activity {
        return "extend At = TimeGenerated, AuditId = CorrelationId, RequestUri = tolower(OperationNameValue), Verb = OperationNameValue, Shown = tolower(_ResourceId), Cluster = tolower(_ResourceId), Actor = case(isnotnull(Claims_d['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn']), tostring(Claims_d['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn']), isnotnull(Claims_d['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name']), tostring(Claims_d['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name']), isnotnull(Claims_d.name), tostring(Claims_d.name), isnotnull(Claims_d.appid), tostring(Claims_d.appid), Caller)";
    }
    match table {
        Table::AksAudit => {
            "extend At = coalesce(StageReceivedTime, RequestReceivedTime, TimeGenerated), Cluster = tolower(_ResourceId), Actor = tostring(User.username), Hidden = isempty(Verb) or isempty(RequestUri), Shown = iff(isempty(Resource), tostring(split(RequestUri, '?')[0]), strcat(Resource, iff(Subresource == '', '', strcat('/', Subresource)), iff(Namespace == '' and Name == '', '', ' '), Namespace, iff(Namespace == '' or Name == '', '', '/'), Name))"
        }
        Table::AzureDiagnostics | Table::DataExplorer => {
            "extend At = coalesce(StageReceivedTime, RequestReceivedTime, TimeGenerated), Actor = tostring(User.username), Shown = case(Hidden, '?', isempty(Resource), tostring(split(RequestUri, '?')[0]), strcat(Resource, iff(Subresource == '', '', strcat('/', Subresource)), iff(Namespace == '' and Name == '', '', ' '), Namespace, iff(Namespace == '' or Name == '', '', '/'), Name))"
        }
    }
}

/// Adds what is known of the check; true where some rows may be unknown.
fn verdict(
    steps: &mut Vec<String>,
    translator: &Translator<'_>,
    gated: bool,
    rest: Vec<Truth>,
    triggers: &[Trigger],
) -> bool {
    let known = rest.is_empty();
    let rest = Truth::all(rest);
    if known && !gated {
        steps.push("extend Verdict = 'match'".to_owned());
        return false;
    }
    if known {
        steps.push(format!(
            "extend Verdict = iff(HeadCut, '{UNKNOWN}', 'match')"
        ));
    } else {
        let head = if gated {
            format!("HeadCut, '{UNKNOWN}',\n    ")
        } else {
            String::new()
        };
        steps.push(format!(
            "extend Verdict = case(\n    {head}{}, 'match',\n    {}, '',\n    '{UNKNOWN}')",
            rest.holds, rest.fails
        ));
        steps.push("where Verdict != ''".to_owned());
    }
    let mut worth = vec![source::changes_something(
        triggers,
        translator.table != Table::AksAudit,
    )];
    worth.push(Cond::is("Hidden").negated());
    if translator.reads_object && !known {
        worth.push(Cond::is("NotLogged").negated());
    }
    let worth = Cond::any([Cond::compared("Verdict", true, "'match'"), Cond::all(worth)]);
    steps.push(format!("where {worth}"));
    true
}

/// What nobody knows is a question mark.
fn or_question(text: &str, known: &Cond) -> String {
    match known {
        Cond::Always => text.to_owned(),
        known => format!("iff({known}, {text}, '?')"),
    }
}

fn message(translator: &mut Translator<'_>, template: &Template) -> Said<String> {
    translator.in_message = true;
    let mut parts = Vec::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => parts.push(quoted(text)),
            Piece::Value(program) => {
                let (text, known) = translator.text(program.expr())?;
                parts.push(or_question(&text, &known));
            }
        }
    }
    translator.in_message = false;
    Ok(format!("strcat({})", parts.join(", ")))
}

/// One row for each request, whatever its stages and copies: a match before an unknown, then what came first.
fn one_each(steps: &mut Vec<String>, open: bool) {
    if open {
        steps.push("extend Rank = iff(Verdict == 'match', At, At + 36500d)".to_owned());
        steps.push(format!("summarize arg_min(Rank, *) by {REQUEST}"));
    } else {
        steps.push(format!("summarize arg_min(At, *) by {REQUEST}"));
    }
}

/// Whether requests are looked at that do not say what they are about.
fn may_be_hidden(triggers: &[Trigger]) -> bool {
    triggers.iter().any(|trigger| trigger.target == Target::Any)
}

/// The columns that come out.
fn told_of(detection: &Detection) -> String {
    let verb = if may_be_hidden(&detection.looks_at) {
        "Verb = iff(Verb == '', '?', Verb)"
    } else {
        "Verb"
    };
    format!(
        "project TimeGenerated = At, Detection = {}, Severity = {}, User = Actor, {verb}, Object = Shown, Verdict, Message, AuditId, MITRE = {}, Cluster",
        quoted(&detection.id),
        quoted(detection.severity.word()),
        quoted(&detection.mitre.join(", "))
    )
}
