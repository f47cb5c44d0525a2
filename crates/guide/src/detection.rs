//! Detections: guidelines over what happened instead of what there is.
//!
//! A detection is a file in `guide/detections/`. It says what it looks at (`looks_at`), and in CEL when that is worth an
//! alert. What it needs to remember is one of four forms, each of which gives the same answer whatever the order
//! of events. What it leaves out: reading events and remembering, which the crate `audit` does.

use cel::Program;
use model::Severity;

use crate::guideline::{Expectation, Mapping, Reference};
use crate::message::Template;

/// What a detection looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Audit events of a cluster (`applies: event`).
    Audit,
    /// The activity log of Azure (`applies: activity`).
    Activity,
}

/// Requests, by verb and what they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Empty: any verb.
    pub verbs: Vec<Box<str>>,
    /// What it is about.
    pub target: Target,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Anything.
    Any,
    /// A resource, `*` for any; without a subresource, with one, or (`*`) either.
    Resource(Box<str>, Option<Box<str>>),
    /// A path that is no resource; `*` at its end stands for the rest.
    Path(Box<str>),
    /// An operation of Azure Resource Manager, whatever its case; `*` at its end stands for the rest.
    Operation(Box<str>),
}

/// What is remembered between events.
#[derive(Debug)]
pub enum Memory {
    /// Nothing: each event is an alert of its own.
    None,
    /// So many different events (or values of `distinct`) of one group within a window, in seconds.
    Threshold {
        /// seconds
        window: u32,
        /// how many
        count: u32,
        /// what is counted, where it is not requests
        distinct: Option<Program>,
    },
    /// One kind of event, and another of the same group within a window.
    Sequence {
        /// seconds
        window: u32,
        /// what comes first
        on: Vec<Trigger>,
        /// when it counts
        check: Program,
    },
    /// What was not there before, neither in the baseline nor on the days before.
    FirstSeen {
        /// how many days must lie before
        days: u32,
    },
}

/// A list of events that shows a detection at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventExample {
    /// `Bad`: exactly the alerts in its comments. `Good`: none.
    pub expectation: Expectation,
    /// Each event happens so many times; `$N` in it is the number.
    pub times: u32,
    /// YAML: a list of events, what is left out is filled in.
    pub text: Box<str>,
    /// Line of the file on which it begins.
    pub line: u32,
}

/// One detection.
#[derive(Debug)]
pub struct Detection {
    /// Stable name.
    pub id: Box<str>,
    /// What happened, when it alerts.
    pub title: Box<str>,
    /// How bad that is.
    pub severity: Severity,
    /// One of [`crate::guideline::ASPECTS`].
    pub aspect: Box<str>,
    /// Which log it reads.
    pub log: Log,
    /// Which events are asked about at all.
    pub looks_at: Vec<Trigger>,
    /// True where it is worth an alert.
    pub check: Program,
    /// Line of the check in the file.
    pub line: u32,
    /// What is said then.
    pub message: Template,
    /// What is remembered.
    pub memory: Memory,
    /// What groups events: whose they are. For what is seen first the thing itself.
    pub by: Vec<Program>,
    /// Techniques of MITRE ATT&CK.
    pub mitre: Vec<Box<str>>,
    /// Framework and control.
    pub frameworks: Vec<Mapping>,
    /// Where its facts come from.
    pub references: Vec<Reference>,
    /// Why it matters, what it does not see: Markdown.
    pub prose: Box<str>,
    /// What to do: Markdown.
    pub next: Box<str>,
    /// Its tests.
    pub examples: Vec<EventExample>,
    /// Path below `guide/`.
    pub file: Box<str>,
}

impl Detection {
    /// All its programs.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let memory: Option<&Program> = match &self.memory {
            Memory::Threshold { distinct, .. } => distinct.as_ref(),
            Memory::Sequence { check, .. } => Some(check),
            Memory::None | Memory::FirstSeen { .. } => None,
        };
        std::iter::once(&self.check)
            .chain(memory)
            .chain(&self.by)
            .chain(self.message.programs())
    }
}

/// Triggers from a text: `create,get pods/exec,pods/attach`, `* secrets`, `get /healthz*`.
///
/// # Errors
/// When it has not two parts, or a verb that Kubernetes does not have.
pub(crate) fn triggers(log: Log, text: &str) -> Result<Vec<Trigger>, String> {
    if log == Log::Activity {
        return Ok(vec![Trigger {
            verbs: Vec::new(),
            target: Target::Operation(text.to_ascii_lowercase().into()),
        }]);
    }
    let wrong = || format!("`{text}` is not `VERB,VERB RESOURCE`");
    let (verbs, targets) = text.split_once(' ').ok_or_else(wrong)?;
    let mut all: Vec<Box<str>> = Vec::new();
    for verb in verbs.split(',') {
        match verb {
            "*" => {}
            "read" => all.extend(["get", "list", "watch"].map(Box::from)),
            "write" => all.extend(["create", "update", "patch"].map(Box::from)),
            "remove" => all.extend(["delete", "deletecollection"].map(Box::from)),
            "get" | "list" | "watch" | "create" | "update" | "patch" | "delete"
            | "deletecollection" | "post" | "put" => all.push(verb.into()),
            other => return Err(format!("`{other}` is no verb of an audit event")),
        }
    }
    let target = |text: &str| match text.split_once('/') {
        None if text == "*" => Target::Any,
        None => Target::Resource(text.into(), None),
        Some(("", _)) => Target::Path(text.into()),
        Some((resource, subresource)) => {
            Target::Resource(resource.into(), Some(subresource.into()))
        }
    };
    let each = targets.split(',').map(|text| Trigger {
        verbs: all.clone(),
        target: target(text.trim()),
    });
    Ok(each.collect())
}

/// Seconds of `30s`, `10m`, `1h`, `7d`.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::{Log, Target, seconds, triggers};

    #[test]
    fn triggers_and_windows_are_read() {
        let read = |text| triggers(Log::Audit, text);
        let exec = read("create,get pods/exec,pods/attach").unwrap();
        assert_eq!(exec[1].verbs.len(), 2);
        assert_eq!(
            exec[1].target,
            Target::Resource("pods".into(), Some("attach".into()))
        );
        assert_eq!(read("* *").unwrap()[0].target, Target::Any);
        assert_eq!(
            read("get /api*").unwrap()[0].target,
            Target::Path("/api*".into())
        );
        assert!(read("escalate roles").is_err() && read("pods").is_err());
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("0m"), None);
        assert_eq!(seconds("10"), None);
    }
}
