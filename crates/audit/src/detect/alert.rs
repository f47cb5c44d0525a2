//! What detections say.

use guide::Detection;
use model::Severity;

use crate::wire::{Broken, Bytes, Wire};

/// Whether it happened. What is certain comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It did.
    Match,
    /// The record was cut before it could say so.
    Unknown,
}

impl Verdict {
    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Unknown => "unknown",
        }
    }
}

/// One event, as far as an alert tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stub {
    /// Microseconds since 1970; 0 where nobody knows.
    pub at: i64,
    /// `auditID`; of the activity log `correlationId`.
    pub audit_id: Box<str>,
    /// What happened, in words.
    pub message: Box<str>,
    /// Who asked, by the name that authentication gave.
    pub user: Box<str>,
    /// `create`; of the activity log the operation.
    pub verb: Box<str>,
    /// `pods/exec shop/web`
    pub object: Box<str>,
    /// The Azure resource of the cluster, where the record says it.
    pub cluster: Box<str>,
    /// The namespace of the object; empty where it is in none, or nobody knows.
    pub namespace: Box<str>,
}

/// What a detection says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// Of what: for what is remembered, of the event that began it.
    pub event: Stub,
    /// Which detection.
    pub detection: Box<str>,
    /// How bad.
    pub severity: Severity,
    /// Whether it happened.
    pub verdict: Verdict,
    /// How often, at least.
    pub times: u64,
}

impl Alert {
    pub(crate) fn new(detection: &Detection, verdict: Verdict, event: Stub, times: u64) -> Self {
        Self {
            event,
            detection: detection.id.clone(),
            severity: detection.severity,
            verdict,
            times,
        }
    }
}

impl Wire for Verdict {
    fn write(&self, out: &mut Vec<u8>) {
        (*self == Self::Match).write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Ok(if bool::read(bytes)? {
            Self::Match
        } else {
            Self::Unknown
        })
    }
}

impl Wire for Stub {
    fn write(&self, out: &mut Vec<u8>) {
        self.at.write(out);
        for text in [
            &self.audit_id,
            &self.message,
            &self.user,
            &self.verb,
            &self.object,
            &self.cluster,
            &self.namespace,
        ] {
            text.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Ok(Self {
            at: Wire::read(bytes)?,
            audit_id: Wire::read(bytes)?,
            message: Wire::read(bytes)?,
            user: Wire::read(bytes)?,
            verb: Wire::read(bytes)?,
            object: Wire::read(bytes)?,
            cluster: Wire::read(bytes)?,
            namespace: Wire::read(bytes)?,
        })
    }
}
