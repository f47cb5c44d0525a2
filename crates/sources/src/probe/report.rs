//! The report of a probe: one line of JSON (`docs/schema/probe-v1.json`). Whoever reads it takes it for a stranger's text.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::target::{To, Workload, is_name};

/// The schema of reports.
pub const SCHEMA: &str = "seawall.probe/v1";

/// A report of more attempts is none.
const MOST: usize = 10_000;

/// A longer text is none of ours.
const LONGEST: usize = 300;

/// What a pod could reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was done.
    pub at: String,
    /// In whose place it was done.
    pub workload: Workload,
    /// The node that it was done on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How long an answer was waited for, each time.
    pub seconds: u64,
    /// What came of it, in the order of the targets.
    pub results: Vec<Attempt>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Connected; of a server for names: it answered.
    Open,
    /// A packet came back that says that nobody listens: it was let through.
    Refused,
    /// Nothing came back, twice.
    Silent,
    /// Something on the way, or the own kernel, says that it does not go there.
    Unreachable,
    /// The name leads to no address.
    Unresolved,
    /// It was not tried, or something else went wrong: nothing follows from it.
    Failed,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// What stands at the other end.
    pub to: To,
    /// Of a workload: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// Of a workload: the port of its pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_port: Option<u16>,
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// The host that was asked; empty where it is not known.
    pub host: String,
    /// The address that it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The port that was asked.
    pub port: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// The status of the answer by HTTP, or the code of one by DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the system says, where it says something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Attempt {
    /// What it is called within its report.
    #[must_use]
    pub fn id(&self) -> String {
        let to = match &self.workload {
            Some(workload) => workload.to_string(),
            None => self.to.word().to_owned(),
        };
        format!("{to} {} {}:{}", self.protocol, self.host, self.port)
    }

    /// The other end, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match (self.to, &self.workload) {
            (To::Workload, Some(workload)) => format!("{}/{}", workload.namespace, workload.name),
            (To::Metadata, _) => "instance metadata".to_owned(),
            (To::WireServer, _) => "the wire server".to_owned(),
            (To::ApiServer, _) => "the API server".to_owned(),
            (To::Node, _) => "its node".to_owned(),
            (To::Dns, _) => "DNS".to_owned(),
            _ => self.host.clone(),
        }
    }
}

impl Report {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn read(line: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Says {
            schema: String,
        }
        let says: Says =
            serde_json::from_str(line).map_err(|_| format!("it does not say `{SCHEMA}`"))?;
        if says.schema != SCHEMA {
            return Err(format!("it does not say `{SCHEMA}`"));
        }
        let report: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        report.check()?;
        Ok(report)
    }

    fn check(&self) -> Result<(), String> {
        let named = |workload: &Workload| {
            let Workload {
                namespace,
                kind,
                name,
            } = workload;
            [namespace, kind, name]
                .into_iter()
                .all(|text| is_name(text))
        };
        let attempts = &self.results;
        if attempts.len() > MOST {
            return Err(format!("it holds more than {MOST} attempts"));
        }
        let mut workloads = attempts.iter().filter_map(|one| one.workload.as_ref());
        if self.at.parse::<jiff::Timestamp>().is_err() {
            return Err("it does not say when it was made".to_owned());
        }
        if !named(&self.workload) || !workloads.all(named) {
            return Err("a workload in it has no name of one".to_owned());
        }
        let whole = |one: &Attempt| {
            let is_workload = one.to == To::Workload;
            is_workload == one.workload.is_some()
                && is_workload == one.pod_port.is_some()
                && matches!(&*one.protocol, "TCP" | "UDP")
                && (one.host.is_empty() || is_name(&one.host))
                && one.detail.as_ref().is_none_or(|text| text.len() <= LONGEST)
        };
        let node = self.node.as_ref().is_none_or(|node| is_name(node));
        if !node || !attempts.iter().all(whole) {
            return Err("it does not follow its schema".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"schema":"seawall.probe/v1","at":"2026-11-27T12:00:00Z","workload":{"namespace":"shop","kind":"Deployment","name":"web"},"seconds":3,"results":[{"to":"metadata","protocol":"TCP","host":"169.254.169.254","address":"169.254.169.254","port":80,"outcome":"open","status":200}]}"#;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = Report::read(LINE).unwrap();
        assert_eq!(serde_json::to_string(&report).unwrap(), LINE);
    }

    #[test]
    fn what_is_no_report_says_why() {
        for (from, to, why) in [
            ("seawall.probe/v1", "seawall.probe/v9", "does not say"),
            ("\"shop\"", "\"sh`op\"", "no name"),
            ("\"TCP\"", "\"SCTP\"", "schema"),
            ("\"open\"", "\"ajar\"", "unknown variant"),
            ("2026-11-27", "2026-13-27", "when"),
            ("\"to\":\"metadata\"", "\"to\":\"workload\"", "schema"),
        ] {
            let wrong = LINE.replace(from, to);
            assert_ne!(wrong, LINE);
            let said = Report::read(&wrong).unwrap_err();
            assert!(said.contains(why), "{to}: {said}");
        }
        assert!(Report::read("Error from server").is_err());
    }
}
