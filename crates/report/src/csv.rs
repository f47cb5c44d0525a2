//! CSV: a row for each finding, for spreadsheets and for joining with other lists.
//!
//! A cell that a spreadsheet would take for a formula begins with `'`, as OWASP advises; a
//! manifest must not be able to run one.
//!
//! What it deliberately leaves out: coverage and passes, which are no findings.

use std::io::{self, Write};

use guide::Guide;
use model::finding::{Finding, Outcome};

use crate::assessment::{Assessment, Sink};
use crate::text;

/// The header row.
pub const COLUMNS: [&str; 25] = [
    "severity",
    "verdict",
    "status",
    "guideline",
    "title",
    "message",
    "kind",
    "namespace",
    "name",
    "item",
    "path",
    "line",
    "column",
    "route",
    "evidence",
    "fix",
    "monthly_eur",
    "effort_days",
    "upkeep_hours",
    "breaks",
    "waiver_reason",
    "waiver_owner",
    "waiver_until",
    "root_cause",
    "fingerprint",
];

/// A sink that writes CSV with a header row.
pub fn new(out: Box<dyn Write>) -> impl Sink {
    Csv {
        out: ::csv::Writer::from_writer(out),
        begun: false,
    }
}

struct Csv {
    out: ::csv::Writer<Box<dyn Write>>,
    begun: bool,
}

impl Csv {
    fn begin(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            self.out.write_record(COLUMNS).map_err(io::Error::from)?;
        }
        Ok(())
    }
}

/// The text of a cell, harmless to spreadsheets and terminals.
fn cell(text: &str) -> String {
    let text = text::clean(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.into_owned()
    }
}

fn status(finding: &Finding) -> &'static str {
    if finding.waiver.is_some() {
        "waived"
    } else if finding.in_baseline {
        "baseline"
    } else if finding.provider_managed {
        "provider-managed"
    } else {
        "open"
    }
}

fn evidence(finding: &Finding) -> String {
    let parts: Vec<String> = finding
        .evidence
        .iter()
        .map(|evidence| format!("{} = {}", evidence.route, evidence.value))
        .collect();
    parts.join("; ")
}

/// A line or column; what is live has none.
fn number(number: u32, live: bool) -> String {
    if live {
        String::new()
    } else {
        number.to_string()
    }
}

/// The cells of a finding, by [`COLUMNS`].
#[must_use]
pub fn row(finding: &Finding, guide: &Guide) -> [String; COLUMNS.len()] {
    let guideline = guide.guideline(&finding.guideline.0);
    let cost = guideline
        .map(|guideline| guideline.cost.clone())
        .unwrap_or_default();
    let waiver = finding.waiver.as_ref();
    let fix = finding.fix.map_or("none", model::Safety::word);
    let message = match &finding.outcome {
        Outcome::Unknown { reason, .. } if finding.message.is_empty() => reason,
        _ => finding.message.as_str(),
    };
    let place = &finding.place;
    [
        finding.severity.word().to_owned(),
        finding.outcome.word().to_owned(),
        status(finding).to_owned(),
        cell(&finding.guideline.0),
        cell(guideline.map_or("", |guideline| &guideline.title)),
        cell(message),
        cell(finding.resource.kind.name()),
        cell(finding.resource.namespace.as_deref().unwrap_or_default()),
        cell(&finding.resource.name),
        cell(finding.item.as_deref().unwrap_or_default()),
        cell(&place.path),
        number(place.line, place.live),
        number(place.column, place.live),
        cell(&place.route),
        cell(&evidence(finding)),
        fix.to_owned(),
        cost.monthly.to_string(),
        cost.effort_days.middle().to_string(),
        cost.upkeep_hours.to_string(),
        cell(cost.breaks.as_deref().unwrap_or_default()),
        cell(waiver.map_or("", |waiver| &waiver.reason)),
        cell(waiver.map_or("", |waiver| &waiver.owner)),
        cell(
            waiver
                .and_then(|waiver| waiver.until.as_deref())
                .unwrap_or_default(),
        ),
        cell(finding.root_cause.as_deref().unwrap_or_default()),
        finding.fingerprint.to_string(),
    ]
}

impl Sink for Csv {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        self.begin()?;
        self.out
            .write_record(row(finding, guide))
            .map_err(io::Error::from)
    }

    fn finish(&mut self, _assessment: &Assessment<'_>) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assessment, findings, guide, hostile, written};

    #[test]
    fn a_row_for_each_finding() {
        let guide = guide();
        let some: Vec<Finding> = findings()
            .into_iter()
            .filter(|finding| finding.guideline.0.starts_with("no-"))
            .collect();
        insta::assert_snapshot!(written(new, &some, &assessment(&guide, &some)), @r#"
        severity,verdict,status,guideline,title,message,kind,namespace,name,item,path,line,column,route,evidence,fix,monthly_eur,effort_days,upkeep_hours,breaks,waiver_reason,waiver_owner,waiver_until,root_cause,fingerprint
        critical,fail,open,no-privileged,Containers are not privileged,container `app` is privileged,Deployment,shop,web,app,deploy/web.yaml,12,11,spec.template.spec.containers[0].securityContext.privileged,spec.template.spec.containers[0].securityContext.privileged = true,unsafe,0,0.5,0,"agents that manage the node: storage, network, security sensors",,,,,d62c1680aedbabc423813504a5a18d69
        critical,fail,waived,no-privileged,Containers are not privileged,container `app` is privileged,Deployment,shop,web,app,deploy/agent.yaml,12,11,spec.template.spec.containers[0].securityContext.privileged,spec.template.spec.containers[0].securityContext.privileged = true,unsafe,0,0.5,0,"agents that manage the node: storage, network, security sensors","'=sensor, needs the kernel",sec@example.org,2027-01-31,,71202d22e4a08a1209faf0fc6bcf7cf3
        critical,fail,baseline,no-privileged,Containers are not privileged,container `app` is privileged,Deployment,shop,web,app,deploy/old.yaml,12,11,spec.template.spec.containers[0].securityContext.privileged,spec.template.spec.containers[0].securityContext.privileged = true,unsafe,0,0.5,0,"agents that manage the node: storage, network, security sensors",,,,,24a9240c8ae408ba7160ebe24e8887ab
        critical,fail,provider-managed,no-privileged,Containers are not privileged,container `app` is privileged,Deployment,shop,web,app,live/kube-proxy.yaml,12,11,spec.template.spec.containers[0].securityContext.privileged,spec.template.spec.containers[0].securityContext.privileged = true,unsafe,0,0.5,0,"agents that manage the node: storage, network, security sensors",,,,,4f00e4b4c46c18860e7578fb1147c29d
        "#);
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@a", "\t=1"] {
            assert!(!cell(text).starts_with(['=', '+', '-', '@']), "{text:?}");
        }
        let guide = guide();
        let text = written(new, &hostile(), &assessment(&guide, &hostile()));
        assert!(!text.chars().any(|c| c != '\n' && text::hostile(c)));
    }
}
