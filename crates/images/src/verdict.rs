//! What is said of a signature.

/// What became of checking a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is of the image, whole, current, and by somebody who is trusted.
    Verified,
    /// It, or the certificate that it was made with, has ended.
    Expired,
    /// It is whole, and by nobody who is trusted.
    Untrusted,
    /// It is of something else, or was changed.
    Wrong,
    /// It could not be checked.
    Unknown,
}

impl Outcome {
    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Expired => "expired",
            Self::Untrusted => "untrusted",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// A signature, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `notation` or `cosign`.
    pub kind: &'static str,
    /// What became of checking it.
    pub outcome: Outcome,
    /// Who made it, as far as it says: the subject of a certificate, the name of a key.
    pub signer: String,
    /// Why, as a clause; empty for a verified one without reservations.
    pub why: String,
}

impl Signature {
    pub(crate) fn new(
        kind: &'static str,
        outcome: Outcome,
        signer: &str,
        why: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            outcome,
            signer: signer.to_owned(),
            why: why.into(),
        }
    }
}

/// What is wrong with a signature, and what it makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) outcome: Outcome,
    pub(crate) why: String,
}

impl Problem {
    pub(crate) fn new(outcome: Outcome, why: impl Into<String>) -> Self {
        Self {
            outcome,
            why: why.into(),
        }
    }

    pub(crate) fn wrong(why: impl Into<String>) -> Self {
        Self::new(Outcome::Wrong, why)
    }

    pub(crate) fn untrusted(why: impl Into<String>) -> Self {
        Self::new(Outcome::Untrusted, why)
    }

    pub(crate) fn unable(why: impl Into<String>) -> Self {
        Self::new(Outcome::Unknown, why)
    }
}
