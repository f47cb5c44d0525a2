//! Who may sign: whoever an issuer of identities calls by a name.

use regex::Regex;

use super::certificate::Leaf;

/// An issuer of identities, and whom it names: `https://accounts.google.com`, `me@example.com`.
#[derive(Debug, Clone)]
pub struct Identity {
    issuer: Named,
    subject: Named,
}

#[derive(Debug, Clone)]
enum Named {
    Exactly(String),
    /// Somewhere in the text, as Go's `MatchString` and so cosign understand it
    /// (<https://github.com/sigstore/cosign/blob/v3.1.3/pkg/cosign/verify.go>, `CheckCertificatePolicy`).
    Like(Regex),
}

impl Named {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Like(pattern) => pattern.is_match(text),
        }
    }
}

impl Identity {
    /// By its texts: `ISSUER=SUBJECT`.
    ///
    /// # Errors
    /// When it is none, as a clause.
    pub fn exactly(text: &str) -> Result<Self, String> {
        let (issuer, subject) = parts(text)?;
        Ok(Self {
            issuer: Named::Exactly(issuer.to_owned()),
            subject: Named::Exactly(subject.to_owned()),
        })
    }

    /// By regular expressions: `ISSUER=SUBJECT`. They match anywhere in the text, as cosign's do.
    ///
    /// # Errors
    /// When it is none, as a clause.
    pub fn like(text: &str) -> Result<Self, String> {
        let (issuer, subject) = parts(text)?;
        let pattern = |text: &str| {
            Regex::new(text)
                .map(Named::Like)
                .map_err(|_| format!("`{text}` is no regular expression"))
        };
        Ok(Self {
            issuer: pattern(issuer)?,
            subject: pattern(subject)?,
        })
    }

    /// Whether a certificate was given to it.
    pub(super) fn is(&self, leaf: &Leaf<'_>) -> bool {
        let issuer = leaf.issuer();
        issuer.is_some_and(|issuer| self.issuer.is(issuer))
            && leaf.names().iter().any(|name| self.subject.is(name))
    }
}

/// Nobody is meant by an empty text: as a pattern it would be everybody.
fn parts(text: &str) -> Result<(&str, &str), String> {
    let parts = text.split_once('=');
    parts
        .map(|(issuer, subject)| (issuer.trim(), subject.trim()))
        .filter(|(issuer, subject)| !issuer.is_empty() && !subject.is_empty())
        .ok_or_else(|| format!("`{text}` is no ISSUER=SUBJECT"))
}
