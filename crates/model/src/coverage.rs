//! The ledger: every document read and what became of it, every guideline not assessed.

use std::sync::Arc;

use crate::finding::GuidelineId;

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Judged.
    Assessed,
    /// Understood, and no guideline is about it.
    NotRelevant,
    /// A kind that seawall does not know.
    UnknownKind,
    /// It could not be read.
    Unreadable,
    /// It refers to something that was not given or needs a tool that is missing.
    Unresolved,
}

impl Status {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::Assessed,
        Self::NotRelevant,
        Self::UnknownKind,
        Self::Unreadable,
        Self::Unresolved,
    ];

    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Assessed => "assessed",
            Self::NotRelevant => "not-relevant",
            Self::UnknownKind => "unknown-kind",
            Self::Unreadable => "unreadable",
            Self::Unresolved => "unresolved",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the input was given but could not be judged (exit code 4).
    #[must_use]
    pub const fn incomplete(self) -> bool {
        matches!(self, Self::Unreadable | Self::Unresolved)
    }
}

/// One document in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    /// The file, `-` for standard input; the address of a live object.
    pub path: Arc<str>,
    /// `path` is an address.
    pub live: bool,
    /// Number of the document within the file, from 0.
    pub index: u32,
    /// The line to look at: where the document begins, or where reading it failed.
    pub line: u32,
    /// What became of it.
    pub status: Status,
    /// Kind, when it has one.
    pub kind: Option<Box<str>>,
    /// Namespace, when it says one.
    pub namespace: Option<Box<str>>,
    /// Name, when it has one.
    pub name: Option<Box<str>>,
    /// Why, in a sentence, unless it was assessed.
    pub reason: Option<Box<str>>,
    /// What to do about it.
    pub help: Option<Box<str>>,
}

/// A guideline that was selected and could not be assessed at all.
#[derive(Debug, Clone)]
pub struct NotAssessed {
    /// Which.
    pub guideline: GuidelineId,
    /// The data it needs and that was not given.
    pub needs: Box<str>,
}

/// Everything that was read, and what was not judged.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// In the order of paths and documents.
    pub documents: Vec<DocumentEntry>,
    /// In the order of ids.
    pub guidelines: Vec<NotAssessed>,
    /// Files read.
    pub files: usize,
    /// Documents that hold nothing but comments and white space.
    pub empty: usize,
    /// Objects that AKS itself manages.
    pub provider_managed: usize,
}

impl Coverage {
    /// How many documents ended with a status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.documents
            .iter()
            .filter(|entry| entry.status == status)
            .count()
    }

    /// Whether something that was given could not be judged.
    #[must_use]
    pub fn incomplete(&self) -> bool {
        self.documents.iter().any(|entry| entry.status.incomplete())
    }
}
