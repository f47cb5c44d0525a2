//! Queries as rules: an analytics rule of Microsoft Sentinel, as its repository keeps them, or an alert rule of Azure
//! Monitor in Bicep.

use std::fmt::Write as _;

use guide::Guide;
use guide::detection::{Detection, Log, Memory};
use model::Severity;

use super::{Query, Refused, Table};
use crate::detect::hash;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The query alone.
    Query,
    /// An analytics rule of Microsoft Sentinel (YAML).
    Sentinel,
    /// Alert rules of Azure Monitor (Bicep), all in one file.
    AlertRule,
}

impl Form {
    /// The form of a word of the command line.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "query" => Some(Self::Query),
            "sentinel" => Some(Self::Sentinel),
            "alert-rule" => Some(Self::AlertRule),
            _ => None,
        }
    }
}

/// How far an alert rule of Azure Monitor looks back at most
/// (learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule: two days).
const RULE_DAYS: u32 = 2;
/// How far an analytics rule of Sentinel looks back at most
/// (learn.microsoft.com/azure/sentinel/scheduled-rules-overview).
const SENTINEL_DAYS: u32 = 14;
/// How long the query of an analytics rule may be (the same page).
const SENTINEL_LETTERS: usize = 10_000;
const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;

/// A file: its name and text.
pub type File = (String, String);

/// Queries in a form, and those that the form has no room for.
#[must_use]
pub fn written(
    guide: &Guide,
    queries: &[Query],
    table: Table,
    form: Form,
) -> (Vec<File>, Vec<Refused>) {
    let mut files = Vec::new();
    let mut refused = Vec::new();
    let mut rules = Vec::new();
    for query in queries {
        let Some(detection) = guide.detection(&query.id) else {
            continue;
        };
        let made = match form {
            Form::Query => Ok((format!("{}.kql", query.id), query.text.clone())),
            Form::Sentinel => {
                sentinel(detection, query, table).map(|text| (format!("{}.yaml", query.id), text))
            }
            Form::AlertRule => alert_rule(detection, query).map(|text| {
                rules.push(text);
                (String::new(), String::new())
            }),
        };
        match made {
            Ok((name, _)) if name.is_empty() => {}
            Ok(file) => files.push(file),
            Err(reason) => refused.push(Refused {
                id: query.id.clone(),
                reason,
            }),
        }
    }
    if !rules.is_empty() {
        files.push(("detections.bicep".to_owned(), bicep(&rules)));
    }
    (files, refused)
}

/// How often a rule asks, and about how long, in seconds.
fn schedule(detection: &Detection, query: &Query) -> (u32, u32) {
    match detection.memory {
        Memory::FirstSeen { .. } => (DAY, query.looks_back + DAY),
        // What began within the hour before is seen whole.
        _ => (HOUR, (HOUR + query.looks_back).div_ceil(HOUR) * HOUR),
    }
}

fn span(seconds: u32) -> String {
    if seconds.is_multiple_of(DAY) {
        format!("{}d", seconds / DAY)
    } else {
        format!("{}h", seconds / HOUR)
    }
}

fn iso(seconds: u32) -> String {
    if seconds.is_multiple_of(DAY) {
        format!("P{}D", seconds / DAY)
    } else {
        format!("PT{}H", seconds / HOUR)
    }
}

/// The same for the same detection, in every version: Sentinel knows a rule by its id.
fn guid(detection: &Detection) -> String {
    let (a, b) = (
        hash(format!("seawall {}", detection.id).as_bytes()),
        hash(format!("{} seawall", detection.id).as_bytes()),
    );
    format!(
        "{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// Sentinel's words; it has none above `High`.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

/// Tactics of MITRE ATT&CK, in Sentinel's spelling, by technique (attack.mitre.org/techniques, v17): the first that the
/// technique serves in a cluster.
fn tactic(technique: &str) -> Option<&'static str> {
    Some(match technique.split('.').next().unwrap_or_default() {
        "T1190" | "T1078" => "InitialAccess",
        "T1059" | "T1609" | "T1610" | "T1651" => "Execution",
        "T1053" | "T1098" | "T1133" | "T1525" | "T1543" => "Persistence",
        "T1548" | "T1611" => "PrivilegeEscalation",
        "T1036" | "T1070" | "T1550" | "T1562" => "DefenseEvasion",
        "T1528" | "T1552" | "T1556" | "T1557" => "CredentialAccess",
        "T1069" | "T1613" => "Discovery",
        "T1105" | "T1572" => "CommandAndControl",
        "T1485" | "T1496" | "T1498" | "T1499" => "Impact",
        _ => return None,
    })
}

fn sentinel(detection: &Detection, query: &Query, table: Table) -> Result<String, String> {
    let (frequency, period) = schedule(detection, query);
    if period > SENTINEL_DAYS * DAY {
        return Err(format!(
            "it looks back {}, and an analytics rule {SENTINEL_DAYS} days",
            span(period)
        ));
    }
    let letters = query.text.chars().count();
    if letters > SENTINEL_LETTERS {
        return Err(format!(
            "its query has {letters} letters, and that of an analytics rule {SENTINEL_LETTERS} at most"
        ));
    }
    let (connector, data) = match (detection.log, table) {
        (Log::Activity, _) => ("AzureActivity", "AzureActivity"),
        (_, Table::AzureDiagnostics) => ("AzureKubernetes", "AzureDiagnostics"),
        _ => ("AzureKubernetes", "AKSAudit"),
    };
    let mut tactics: Vec<&str> = detection.mitre.iter().filter_map(|id| tactic(id)).collect();
    tactics.sort_unstable();
    tactics.dedup();
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = String::new();
    let about = format!(
        "{}. Why it matters and what to do next: seawall explain {}",
        detection.title, detection.id
    );
    let _ = write!(
        text,
        "id: {}\nname: {}\ndescription: {}\nseverity: {}\nstatus: Available\nrequiredDataConnectors:\n  - connectorId: {connector}\n    dataTypes:\n      - {data}\nqueryFrequency: {}\nqueryPeriod: {}\ntriggerOperator: gt\ntriggerThreshold: 0\n",
        guid(detection),
        string(&detection.title),
        string(&about),
        severity(detection.severity),
        span(frequency),
        span(period),
    );
    for (key, values) in [
        ("tactics", tactics),
        (
            "relevantTechniques",
            detection.mitre.iter().map(|id| &**id).collect(),
        ),
    ] {
        let _ = writeln!(text, "{key}:");
        for value in values {
            let _ = writeln!(text, "  - {value}");
        }
    }
    text.push_str("query: |\n");
    for line in query.text.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str(
        "entityMappings:\n  - entityType: Account\n    fieldMappings:\n      - identifier: FullName\n        columnName: User\n  - entityType: AzureResource\n    fieldMappings:\n      - identifier: ResourceId\n        columnName: Cluster\nalertDetailsOverride:\n  alertDescriptionFormat: \"{{Verdict}}: {{Message}}\"\ncustomDetails:\n  Verdict: Verdict\n  AuditId: AuditId\neventGroupingSettings:\n  aggregationKind: AlertPerResult\nversion: 1.0.0\nkind: Scheduled\n",
    );
    Ok(text)
}

/// A text as Bicep writes it.
fn bicep_string(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace("${", "\\${");
    format!("'{escaped}'")
}

fn alert_rule(detection: &Detection, query: &Query) -> Result<String, String> {
    let (frequency, period) = schedule(detection, query);
    if period > RULE_DAYS * DAY {
        return Err(format!(
            "it looks back {}, and an alert rule of Azure Monitor {RULE_DAYS} days",
            span(period)
        ));
    }
    let severity = match detection.severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
    };
    let symbol: String = detection
        .id
        .split('-')
        .enumerate()
        .map(|(at, part)| {
            let mut letters = part.chars();
            match letters.next() {
                Some(first) if at > 0 => {
                    format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
                }
                Some(first) => format!("{first}{}", letters.as_str()),
                None => String::new(),
            }
        })
        .collect();
    Ok(format!(
        "resource {symbol} 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {{
  name: {name}
  location: location
  kind: 'LogAlert'
  properties: {{
    displayName: {title}
    description: {about}
    severity: {severity}
    enabled: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: '{frequency}'
    windowSize: '{period}'
    autoMitigate: false
    criteria: {{
      allOf: [
        {{
          query: '''
{query}'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            {{
              name: 'Verdict'
              operator: 'Include'
              values: [
                '*'
              ]
            }}
            {{
              name: 'Message'
              operator: 'Include'
              values: [
                '*'
              ]
            }}
          ]
          failingPeriods: {{
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }}
        }}
      ]
    }}
    actions: {{
      actionGroups: actionGroupIds
    }}
  }}
}}
",
        name = bicep_string(&format!("seawall-{}", detection.id)),
        title = bicep_string(&detection.title),
        about = bicep_string(&format!(
            "Why it matters and what to do next: seawall explain {}",
            detection.id
        )),
        frequency = iso(frequency),
        period = iso(period),
        query = query.text,
    ))
}

fn bicep(rules: &[String]) -> String {
    format!(
        "@description('The Log Analytics workspace that holds the logs.')
param workspaceId string

@description('Where the rules are kept: the region of the workspace.')
param location string = resourceGroup().location

@description('Who is told: ids of action groups.')
param actionGroupIds string[] = []

{}",
        rules.join("\n")
    )
}
