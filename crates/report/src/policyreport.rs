//! Policy reports (`wgpolicyk8s.io/v1alpha2`), one for each namespace and one for the cluster.
//!
//! The form is that of the Kubernetes policy working group, which dashboards read. An unknown
//! verdict is `warn`; what was set aside is `skip`. Written as YAML documents that
//! `kubectl apply` takes.
//!
//! What it deliberately leaves out: passes, and time stamps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use guide::Guide;
use model::finding::{Finding, Outcome, Severity};

use crate::assessment::{Assessment, Sink};
use crate::text;

/// Results in one object, and how long they may be together; etcd takes about 1.5 MB, the API server refuses more.
const RESULTS_IN_A_REPORT: usize = 1000;
const LONGEST_REPORT: usize = 900_000;

/// A sink that writes policy reports.
pub fn new(out: Box<dyn Write>) -> impl Sink {
    PolicyReports {
        out,
        results: Results::default(),
    }
}

struct PolicyReports {
    out: Box<dyn Write>,
    results: Results,
}

/// The result of a finding, and its YAML.
type Entry = (&'static str, String);

/// Findings on their way into reports.
#[derive(Debug, Default)]
pub struct Results {
    /// The cluster's definition has no severity `critical`: early ones of v1alpha2 end at `high`
    /// (wg-policy-prototypes, policy-report/crd/v1alpha2). A property says it then.
    no_critical: bool,
    /// By namespace; `None` for what belongs to the cluster.
    by_namespace: BTreeMap<Option<Box<str>>, Vec<Entry>>,
}

/// A report as the API server takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `None`: a `ClusterPolicyReport`.
    pub namespace: Option<Box<str>>,
    /// `seawall`, `seawall-2`, ...
    pub name: String,
    /// The object.
    pub yaml: String,
}

impl Results {
    /// Nothing yet; for a cluster whose definition has no severity `critical`, or for any.
    #[must_use]
    pub fn new(no_critical: bool) -> Self {
        Self {
            no_critical,
            ..Self::default()
        }
    }

    /// Adds a finding.
    ///
    /// # Errors
    /// Never, as far as texts can be written.
    pub fn add(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        let entry = (word(finding), result(finding, guide, self.no_critical)?);
        self.by_namespace
            .entry(finding.resource.namespace.clone())
            .or_default()
            .push(entry);
        Ok(())
    }

    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_namespace.is_empty()
    }

    /// The reports, in the order of namespaces; each small enough for the API server.
    ///
    /// # Errors
    /// Never, as far as texts can be written.
    pub fn reports(self) -> io::Result<Vec<Report>> {
        let mut reports = Vec::new();
        for (namespace, entries) in self.by_namespace {
            for (number, chunk) in chunks(&entries).into_iter().enumerate() {
                reports.push(report(namespace.as_deref(), number, chunk)?);
            }
        }
        Ok(reports)
    }
}

/// Parts of which each fits into an object.
fn chunks(mut entries: &[Entry]) -> Vec<&[Entry]> {
    let mut chunks = Vec::new();
    while !entries.is_empty() {
        let mut length = 0;
        let fits = entries
            .iter()
            .take(RESULTS_IN_A_REPORT)
            .take_while(|(_, yaml)| {
                length += yaml.len();
                length <= LONGEST_REPORT
            });
        let (chunk, rest) = entries.split_at(fits.count().max(1));
        chunks.push(chunk);
        entries = rest;
    }
    chunks
}

/// A YAML scalar: JSON's strings are YAML's double-quoted ones.
fn quoted(text: &str) -> io::Result<String> {
    serde_json::to_string(&*text::clean(text)).map_err(io::Error::from)
}

fn word(finding: &Finding) -> &'static str {
    match finding.outcome {
        _ if !finding.counts() => "skip",
        Outcome::Fail => "fail",
        Outcome::Unknown { .. } => "warn",
    }
}

/// A line of YAML: what stands before the key, the key, and the value in quotes.
fn line(yaml: &mut String, before: &str, key: &str, value: &str) -> io::Result<()> {
    writeln!(yaml, "{before}{key}: {}", quoted(value)?).map_err(io::Error::other)
}

fn result(finding: &Finding, guide: &Guide, no_critical: bool) -> io::Result<String> {
    let raised = no_critical && finding.severity == Severity::Critical;
    let severity = if raised {
        Severity::High
    } else {
        finding.severity
    };
    let resource = &finding.resource;
    let mut yaml = String::new();
    line(&mut yaml, "- ", "policy", &finding.guideline.0)?;
    if let Some(guideline) = guide.guideline(&finding.guideline.0) {
        line(&mut yaml, "  ", "rule", &guideline.topic)?;
        line(&mut yaml, "  ", "category", &guideline.aspect)?;
    }
    line(&mut yaml, "  ", "severity", severity.word())?;
    line(&mut yaml, "  ", "result", word(finding))?;
    line(&mut yaml, "  ", "source", "seawall")?;
    line(&mut yaml, "  ", "message", &finding.message)?;
    yaml.push_str("  scored: true\n  resources:\n");
    line(&mut yaml, "  - ", "apiVersion", &resource.api_version)?;
    line(&mut yaml, "    ", "kind", resource.kind.name())?;
    if let Some(namespace) = &resource.namespace {
        line(&mut yaml, "    ", "namespace", namespace)?;
    }
    line(&mut yaml, "    ", "name", &resource.name)?;
    yaml.push_str("  properties:\n");
    line(
        &mut yaml,
        "    ",
        "fingerprint",
        &finding.fingerprint.to_string(),
    )?;
    line(&mut yaml, "    ", "place", &text::place(&finding.place))?;
    if raised {
        line(&mut yaml, "    ", "severity", finding.severity.word())?;
    }
    if let Some(reason) = text::set_aside(finding) {
        line(&mut yaml, "    ", "skipped", &reason)?;
    }
    Ok(yaml)
}

fn report(namespace: Option<&str>, number: usize, results: &[Entry]) -> io::Result<Report> {
    let kind = if namespace.is_some() {
        "PolicyReport"
    } else {
        "ClusterPolicyReport"
    };
    let name = if number == 0 {
        "seawall".to_owned()
    } else {
        format!("seawall-{}", number + 1)
    };
    let mut yaml =
        format!("apiVersion: wgpolicyk8s.io/v1alpha2\nkind: {kind}\nmetadata:\n  name: {name}\n");
    if let Some(namespace) = namespace {
        let _ = writeln!(yaml, "  namespace: {}", quoted(namespace)?);
    }
    yaml.push_str("  labels:\n    app.kubernetes.io/managed-by: seawall\nsummary:\n");
    for word in ["pass", "fail", "warn", "error", "skip"] {
        let count = results.iter().filter(|(result, _)| *result == word).count();
        let _ = writeln!(yaml, "  {word}: {count}");
    }
    yaml.push_str(if results.is_empty() {
        "results: []\n"
    } else {
        "results:\n"
    });
    for (_, result) in results {
        yaml.push_str(result);
    }
    Ok(Report {
        namespace: namespace.map(Into::into),
        name,
        yaml,
    })
}

impl Sink for PolicyReports {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        self.results.add(finding, guide)
    }

    fn finish(&mut self, _assessment: &Assessment<'_>) -> io::Result<()> {
        let mut reports = std::mem::take(&mut self.results).reports()?;
        if reports.is_empty() {
            reports.push(report(None, 0, &[])?);
        }
        for report in reports {
            write!(self.out, "---\n{}", report.yaml)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assessment, findings, guide, hostile, written};

    #[test]
    fn a_report_for_each_namespace() {
        let guide = guide();
        let some: Vec<Finding> = findings().into_iter().skip(9).take(4).collect();
        insta::assert_snapshot!(written(new, &some, &assessment(&guide, &some)), @r#"
        ---
        apiVersion: wgpolicyk8s.io/v1alpha2
        kind: ClusterPolicyReport
        metadata:
          name: seawall
          labels:
            app.kubernetes.io/managed-by: seawall
        summary:
          pass: 0
          fail: 1
          warn: 1
          error: 0
          skip: 0
        results:
        - policy: "default-deny"
          rule: "network"
          category: "network-isolation"
          severity: "medium"
          result: "warn"
          source: "seawall"
          message: "cannot be said: depends on parameter `networkPolicy` of `main.bicep`"
          scored: true
          resources:
          - apiVersion: "v1"
            kind: "Namespace"
            name: "ops"
          properties:
            fingerprint: "37545c94eacf4a3cb96d62ff2e264b2e"
            place: "deploy/namespaces.yaml:3:1"
        - policy: "default-deny"
          rule: "network"
          category: "network-isolation"
          severity: "medium"
          result: "fail"
          source: "seawall"
          message: "namespace `dev` has no policy that denies traffic"
          scored: true
          resources:
          - apiVersion: "v1"
            kind: "Namespace"
            name: "dev"
          properties:
            fingerprint: "251b1b58a4fc0f847e6bfdba2db67e29"
            place: "deploy/namespaces.yaml:3:1"
        ---
        apiVersion: wgpolicyk8s.io/v1alpha2
        kind: PolicyReport
        metadata:
          name: seawall
          namespace: "shop"
          labels:
            app.kubernetes.io/managed-by: seawall
        summary:
          pass: 0
          fail: 1
          warn: 0
          error: 0
          skip: 1
        results:
        - policy: "no-privileged"
          rule: "pod-security"
          category: "pods"
          severity: "critical"
          result: "fail"
          source: "seawall"
          message: "container `app` is privileged"
          scored: true
          resources:
          - apiVersion: "apps/v1"
            kind: "Deployment"
            namespace: "shop"
            name: "web"
          properties:
            fingerprint: "d62c1680aedbabc423813504a5a18d69"
            place: "deploy/web.yaml:12:11"
        - policy: "no-privileged"
          rule: "pod-security"
          category: "pods"
          severity: "critical"
          result: "skip"
          source: "seawall"
          message: "container `app` is privileged"
          scored: true
          resources:
          - apiVersion: "apps/v1"
            kind: "Deployment"
            namespace: "shop"
            name: "web"
          properties:
            fingerprint: "71202d22e4a08a1209faf0fc6bcf7cf3"
            place: "deploy/agent.yaml:12:11"
            skipped: "waived: =sensor, needs the kernel (sec@example.org), until 2027-01-31"
        "#);
    }

    #[test]
    fn an_estate_in_order_gives_an_empty_report() {
        let guide = guide();
        assert!(written(new, &[], &assessment(&guide, &[])).ends_with("results: []\n"));
    }

    #[test]
    fn hostile_text_stays_inside_its_scalar() {
        let guide = guide();
        let text = written(new, &hostile(), &assessment(&guide, &hostile()));
        assert!(!text.chars().any(|c| c != '\n' && text::hostile(c)));
    }
}
