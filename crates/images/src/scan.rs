//! Results of scanners, in one form: Trivy, Grype, Defender for Containers, SARIF, CycloneDX; and VEX (OpenVEX,
//! CycloneDX), which says what of them does not count.
//!
//! A file is told apart by what it holds, not by its name. What it deliberately leaves out: scanning, and databases of
//! vulnerabilities.

mod cyclonedx;
mod defender;
mod grype;
mod sarif;
mod trivy;
mod vex;

use std::collections::BTreeSet;

use serde_json::Value;

pub use vex::Vex;

/// How bad it is, as the scanner says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// nobody says
    Unknown,
    /// hardly
    Low,
    /// somewhat
    Medium,
    /// badly
    High,
    /// very badly
    Critical,
}

impl Severity {
    /// From a scanner's word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" | "info" | "none" => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// From a score of CVSS (<https://www.first.org/cvss/v3.1/specification-document>, section 5).
    pub(crate) fn of_score(score: f64) -> Self {
        match score {
            9.0.. => Self::Critical,
            7.0.. => Self::High,
            4.0.. => Self::Medium,
            0.0.. => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Something that a scanner found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vulnerability {
    /// `CVE-2026-1`
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// The package that has it.
    pub package: String,
    /// The package's version in the image.
    pub installed: String,
    /// The versions that do not have it; empty where there is none, or the scanner does not say.
    pub fixed: String,
    /// Since when it is known, RFC 3339 or a day.
    pub published: Option<String>,
    /// Why it does not count.
    pub excused: Option<String>,
}

/// What a scanner said of one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// `trivy`, `grype`, …
    pub tool: String,
    /// When, as it says.
    pub at: Option<String>,
    /// Digests of the image: of its manifest or index.
    pub digests: BTreeSet<String>,
    /// Names of the image with their tags, as the scanner writes them.
    pub names: BTreeSet<String>,
    /// What it found.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// What a file is.
#[derive(Debug)]
pub enum Read {
    /// Results, of one image or of several.
    Scans(Vec<Scan>),
    /// What does not count.
    Vex(Vex),
}

impl Scan {
    /// Whether it is about an image: a digest decides, else a name of one that has none.
    #[must_use]
    pub fn is_about(&self, digests: &BTreeSet<String>, name: &str) -> bool {
        if !self.digests.is_empty() && !digests.is_empty() {
            return self.digests.iter().any(|own| digests.contains(own));
        }
        self.names.contains(name)
    }

    /// Notes a name such as `HOST/NAME:TAG@DIGEST`.
    pub(crate) fn called(&mut self, name: &str) {
        let (tagged, digest) = match name.split_once('@') {
            Some((tagged, digest)) => (tagged, Some(digest)),
            None => (name, None),
        };
        self.digests.extend(digest.map(str::to_owned));
        if !tagged.is_empty() {
            self.names.insert(tagged.to_owned());
        }
    }
}

/// Reads a file.
///
/// # Errors
/// When it is none of these forms, as a clause.
pub fn read(text: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let has = |key: &str| value.get(key).is_some();
    let scans = if has("ArtifactName") && has("SchemaVersion") {
        vec![trivy::read(&value)]
    } else if has("matches") && has("descriptor") {
        vec![grype::read(&value)]
    } else if has("runs") {
        sarif::read(&value)
    } else if value.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
        return Ok(cyclonedx::read(&value));
    } else if has("@context") && has("statements") {
        return Ok(Read::Vex(vex::openvex(&value)));
    } else if let Some(scans) = defender::read(&value) {
        scans
    } else {
        return Err(
            "none of Trivy, Grype, Defender, SARIF, CycloneDX and OpenVEX writes such a file"
                .to_owned(),
        );
    };
    if scans
        .iter()
        .all(|scan| scan.digests.is_empty() && scan.names.is_empty())
    {
        return Err("it does not say which image was scanned".to_owned());
    }
    Ok(Read::Scans(scans))
}

/// The text at a route.
fn text<'v>(value: &'v Value, route: &str) -> &'v str {
    value
        .pointer(route)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The items at a route.
fn items<'v>(value: &'v Value, route: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(route)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The texts at a route.
fn texts<'v>(value: &'v Value, route: &str) -> impl Iterator<Item = &'v str> {
    items(value, route).filter_map(Value::as_str)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
