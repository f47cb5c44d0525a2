//! What findings open to attackers: how many of the ways that `seawall paths` shows pass over something that is as
//! it is because of a finding.
//!
//! Findings are reported as they are read, and this is known when everything has been read. So a report notes what a
//! finding is about ([`Mark`]), and looks up at its end what that opens.
//!
//! What it deliberately leaves out: finding it out, and the ways themselves.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use guide::Guide;
use guide::measures::Failure;
use model::finding::{Finding, Outcome, Severity};
use model::{GuidelineId, ResourceRef};
use serde::Serialize;

use crate::text::count;

/// What is known of the ways that attackers have.
#[derive(Debug, Default)]
pub enum Attack {
    /// They were looked for.
    Weighed(Weighed),
    /// Nothing was found that has to do with them, so they were not looked for.
    #[default]
    Nothing,
    /// They were not looked for, and why.
    Left(Box<str>),
}

/// The ways, and what findings have to do with them.
#[derive(Debug, Default)]
pub struct Weighed {
    /// How many sure ways there are.
    pub ways: usize,
    /// What they lead to, the dearest first.
    pub jewels: Vec<Box<str>>,
    /// Of how many kinds of starts the ways were looked for, and how many there are.
    pub starts: (usize, usize),
    /// What an object's not following a guideline opens.
    pub findings: HashMap<Failure, Enables>,
    /// The same of all objects that do not follow it together, by the guideline's number.
    pub guidelines: HashMap<u16, Enables>,
}

/// What is open as long as something is not mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enables {
    /// How many ways pass over it.
    pub ways: usize,
    /// How many of them lead nowhere, by no other way either, when it alone is mended; nothing where that was not
    /// found out.
    pub closes: Option<usize>,
    /// The dearest that they lead to.
    pub jewel: Arc<str>,
    /// Its kind: `cluster-admin`.
    pub kind: &'static str,
    /// How many things they lead to.
    pub jewels: usize,
    /// The weights of what each of them leads to, added up: what findings are ranked by.
    pub weight: u64,
}

impl Attack {
    /// What a finding opens.
    #[must_use]
    pub fn of(&self, mark: Mark) -> Option<&Enables> {
        match self {
            Self::Weighed(weighed) => weighed.findings.get(&mark.failure()?),
            Self::Nothing | Self::Left(_) => None,
        }
    }

    /// What a finding opens.
    pub(crate) fn of_finding(&self, finding: &Finding, guide: &Guide) -> Option<&Enables> {
        self.of(Mark::of(finding, guide))
    }

    /// What the findings of a guideline open together.
    pub(crate) fn of_guideline(&self, id: &GuidelineId, guide: &Guide) -> Option<&Enables> {
        match self {
            Self::Weighed(weighed) => weighed.guidelines.get(&guide.number(&id.0)?),
            Self::Nothing | Self::Left(_) => None,
        }
    }

    /// From 0 to 100: the severity, and within one what it opens.
    pub(crate) fn rank(&self, mark: Mark) -> Option<f64> {
        let Self::Weighed(weighed) = self else {
            return None;
        };
        let most = weighed.findings.values().map(|one| one.weight).max();
        let base = match mark.severity? {
            Severity::Critical => 75.0,
            Severity::High => 50.0,
            Severity::Medium => 25.0,
            Severity::Low => 0.0,
        };
        let share = match (self.of(mark), most) {
            (Some(own), Some(most)) => own.weight as f64 / most.max(1) as f64,
            _ => 0.0,
        };
        Some(((base + share * 24.0) * 10.0).round() / 10.0)
    }
}

impl Enables {
    /// `3 ways to root on the nodes and 2 more`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = format!("{} to {}", count(self.ways, "way"), self.jewel);
        if self.jewels > 1 {
            words.push_str(&format!(" and {} more", self.jewels - 1));
        }
        words
    }

    /// What mending it alone does: `mended alone it closes 2 of them`.
    #[must_use]
    pub fn closing(&self) -> Option<String> {
        Some(match self.closes? {
            0 => "other ways stay when it alone is mended".to_owned(),
            all if all == self.ways && all == 1 => "mended alone, it closes it".to_owned(),
            all if all == self.ways => "mended alone, it closes all of them".to_owned(),
            some => format!("mended alone, it closes {some} of them"),
        })
    }
}

/// What a finding is about, in a few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    guideline: Option<u16>,
    object: Option<ResourceRef>,
    /// nothing for what does not fail
    severity: Option<Severity>,
}

/// How long a mark is when it is written.
const LENGTH: usize = 13;

impl Mark {
    pub(crate) fn of(finding: &Finding, guide: &Guide) -> Self {
        Self {
            guideline: guide.number(&finding.guideline.0),
            object: finding.object,
            severity: (finding.outcome == Outcome::Fail).then_some(finding.severity),
        }
    }

    pub(crate) fn failure(self) -> Option<Failure> {
        self.severity?;
        Some(Failure {
            guideline: self.guideline?,
            object: self.object,
        })
    }

    /// Writes it before a line.
    pub(crate) fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let severity = match self.severity {
            None => '-',
            Some(Severity::Low) => '0',
            Some(Severity::Medium) => '1',
            Some(Severity::High) => '2',
            Some(Severity::Critical) => '3',
        };
        let guideline = self.guideline.unwrap_or(u16::MAX);
        let object = self.object.map_or(u32::MAX, |object| object.0);
        write!(out, "{severity}{guideline:04x}{object:08x}")
    }

    /// A line's mark, and the line.
    pub(crate) fn read(line: &[u8]) -> Option<(Self, &[u8])> {
        let (mark, rest) = line.split_at_checked(LENGTH)?;
        let (severity, numbers) = std::str::from_utf8(mark).ok()?.split_at_checked(1)?;
        let (guideline, object) = numbers.split_at_checked(4)?;
        let guideline = u16::from_str_radix(guideline, 16).ok()?;
        let object = u32::from_str_radix(object, 16).ok()?;
        let mark = Self {
            guideline: (guideline != u16::MAX).then_some(guideline),
            object: (object != u32::MAX).then_some(ResourceRef(object)),
            severity: match severity {
                "0" => Some(Severity::Low),
                "1" => Some(Severity::Medium),
                "2" => Some(Severity::High),
                "3" => Some(Severity::Critical),
                _ => None,
            },
        };
        Some((mark, rest))
    }
}

/// As JSON has it.
#[derive(Debug, Serialize)]
pub(crate) struct EnablesLine<'a> {
    ways: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    closes: Option<usize>,
    jewel: JewelLine<'a>,
    jewels: usize,
}

#[derive(Debug, Serialize)]
struct JewelLine<'a> {
    kind: &'a str,
    title: &'a str,
}

impl<'a> From<&'a Enables> for EnablesLine<'a> {
    fn from(enables: &'a Enables) -> Self {
        Self {
            ways: enables.ways,
            closes: enables.closes,
            jewel: JewelLine {
                kind: enables.kind,
                title: &enables.jewel,
            },
            jewels: enables.jewels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, guide};

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let guide = guide();
        let mut of = finding();
        for object in [None, Some(ResourceRef(0)), Some(ResourceRef(0x00ab_cdef))] {
            of.object = object;
            let mark = Mark::of(&of, &guide);
            let mut line = Vec::new();
            mark.write(&mut line).unwrap();
            line.extend_from_slice(b"{\"a\":1}");
            assert_eq!(Mark::read(&line), Some((mark, &b"{\"a\":1}"[..])));
        }
        assert_eq!(Mark::read(b"short"), None);
    }

    #[test]
    fn ranks_follow_the_severity_and_then_what_is_open() {
        let guide = guide();
        let mut of = finding();
        let number = guide.number(&of.guideline.0).unwrap();
        let enables = |weight| Enables {
            ways: 1,
            closes: None,
            jewel: "cluster-admin".into(),
            kind: "cluster-admin",
            jewels: 1,
            weight,
        };
        let at = |object| Failure {
            guideline: number,
            object: Some(ResourceRef(object)),
        };
        let attack = Attack::Weighed(Weighed {
            findings: HashMap::from([(at(1), enables(10)), (at(2), enables(20))]),
            ..Weighed::default()
        });
        let mut rank = |object, severity| {
            of.object = Some(ResourceRef(object));
            of.severity = severity;
            attack.rank(Mark::of(&of, &guide)).unwrap()
        };
        let ranks = [
            rank(2, Severity::Critical),
            rank(1, Severity::Critical),
            rank(0, Severity::Critical),
            rank(2, Severity::High),
            rank(0, Severity::High),
            rank(2, Severity::Low),
        ];
        assert_eq!(ranks, [99.0, 87.0, 75.0, 74.0, 50.0, 24.0]);
        assert_eq!(Attack::Left("no".into()).rank(Mark::of(&of, &guide)), None);
    }
}
