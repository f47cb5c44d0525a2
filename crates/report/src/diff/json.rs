//! JSON, version 1: the contract for scripts. Its schema is `docs/schema/diff-v1.json`.

use analysis::compare::connections::{Connection, Exposed, Outside};
use analysis::compare::resources::{Change, Field, What, relative};
use analysis::compare::rights::{Escalated, Right};
use analysis::compare::sight::{Of, Unseen};
use model::coverage::DocumentEntry;
use model::finding::Outcome;
use model::resource::ResourceName;
use serde::Serialize;

use super::{Became, Diff, Differs, Side, words};

/// The name of this version of the contract.
pub const SCHEMA: &str = "seawall.diff/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'d> {
    schema: &'static str,
    tool: Tool,
    as_of: &'d str,
    fail_on: &'static str,
    exit_code: u8,
    old: SideLine<'d>,
    new: SideLine<'d>,
    findings: Vec<FindingLine<'d>>,
    rights: RightsLine<'d>,
    connections: ConnectionsLine<'d>,
    resources: Vec<ChangeLine<'d>>,
    not_compared: Vec<UnseenLine<'d>>,
}

/// What only one holds, of which the other cannot say that it lacks it.
#[derive(Serialize)]
struct UnseenLine<'d> {
    by: &'static str,
    what: &'d str,
    count: usize,
    why: &'d str,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct SideLine<'d> {
    name: &'d str,
    resources: usize,
    unread: Vec<UnreadLine<'d>>,
}

#[derive(Serialize)]
struct UnreadLine<'d> {
    path: &'d str,
    line: Option<u32>,
    reason: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'d str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLine<'d> {
    id: String,
    kind: &'d str,
    api_version: &'d str,
    namespace: Option<&'d str>,
    name: &'d str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingLine<'d> {
    became: &'static str,
    worse: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<&'static str>,
    guideline: &'d str,
    severity: &'static str,
    verdict: &'static str,
    message: &'d str,
    resource: ResourceLine<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'d str>,
    fingerprint: String,
    location: Place<'d>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Place<'d> {
    File {
        path: String,
        line: u32,
        route: &'d str,
    },
    Live {
        uri: &'d str,
        route: &'d str,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RightsLine<'d> {
    gained: Vec<RightLine<'d>>,
    lost: Vec<RightLine<'d>>,
    escalations: Vec<EscalationLine<'d>>,
    no_longer: Vec<EscalationLine<'d>>,
}

#[derive(Serialize)]
struct RightLine<'d> {
    who: &'d str,
    within: &'d str,
    what: &'d str,
    names: &'d [Box<str>],
    verbs: &'d [Box<str>],
    by: &'d str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EscalationLine<'d> {
    who: &'d str,
    within: &'d str,
    how: Vec<HowLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HowLine {
    id: &'static str,
    title: &'static str,
    leads_to: &'static str,
}

#[derive(Serialize)]
struct ConnectionsLine<'d> {
    opened: Vec<ConnectionLine<'d>>,
    closed: Vec<ConnectionLine<'d>>,
    outside: Vec<OutsideLine<'d>>,
    exposed: Vec<ExposedLine<'d>>,
    hidden: Vec<ExposedLine<'d>>,
}

#[derive(Serialize)]
struct ConnectionLine<'d> {
    from: &'d [String],
    to: &'d [String],
    ports: &'d str,
    certain: bool,
}

#[derive(Serialize)]
struct OutsideLine<'d> {
    target: &'d str,
    opened: bool,
    from: &'d [String],
    certain: bool,
}

#[derive(Serialize)]
struct ExposedLine<'d> {
    to: &'d str,
    way: &'d str,
    through: &'d [String],
    internet: bool,
    certain: bool,
    ports: &'d str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeLine<'d> {
    change: &'static str,
    resource: ResourceLine<'d>,
    path: String,
    line: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldLine<'d>>,
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
}

#[derive(Serialize)]
struct FieldLine<'d> {
    route: &'d str,
    old: Option<&'d str>,
    new: Option<&'d str>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The whole comparison.
///
/// # Errors
/// Never: everything in it can be written.
pub fn json(diff: &Diff<'_>) -> serde_json::Result<String> {
    let document = Document {
        schema: SCHEMA,
        tool: Tool {
            name: "seawall",
            version: diff.version,
        },
        as_of: &diff.as_of,
        fail_on: diff.fail_on.map_or("none", |floor| floor.word()),
        exit_code: diff.exit_code(),
        old: side(&diff.old),
        new: side(&diff.new),
        findings: diff
            .findings
            .iter()
            .map(|one| finding(one, words::side_of(one, diff)))
            .collect(),
        rights: RightsLine {
            gained: diff.rights.gained.iter().map(right).collect(),
            lost: diff.rights.lost.iter().map(right).collect(),
            escalations: diff.rights.escalations.iter().map(escalation).collect(),
            no_longer: diff.rights.no_escalations.iter().map(escalation).collect(),
        },
        connections: ConnectionsLine {
            opened: diff.connections.opened.iter().map(connection).collect(),
            closed: diff.connections.closed.iter().map(connection).collect(),
            outside: diff.connections.outside.iter().map(outside).collect(),
            exposed: diff.connections.exposed.iter().map(exposed).collect(),
            hidden: diff.connections.hidden.iter().map(exposed).collect(),
        },
        resources: diff
            .resources
            .iter()
            .map(|one| {
                let of = if one.what == What::Removed {
                    &diff.old
                } else {
                    &diff.new
                };
                change(one, of)
            })
            .collect(),
        not_compared: diff.unseen.iter().map(unseen).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn unseen(one: &Unseen) -> UnseenLine<'_> {
    UnseenLine {
        by: match one.by {
            Of::Old => "old",
            Of::New => "new",
        },
        what: &one.what,
        count: one.count,
        why: &one.why,
    }
}

fn side(side: &Side) -> SideLine<'_> {
    SideLine {
        name: &side.name,
        resources: side.resources,
        unread: side.unread.iter().map(unread).collect(),
    }
}

fn unread(entry: &DocumentEntry) -> UnreadLine<'_> {
    UnreadLine {
        path: &entry.path,
        line: (!entry.live).then_some(entry.line),
        reason: entry.reason.as_deref().unwrap_or("it could not be read"),
        help: entry.help.as_deref(),
    }
}

fn resource(name: &ResourceName) -> ResourceLine<'_> {
    ResourceLine {
        id: name.id(),
        kind: name.kind.name(),
        api_version: &name.api_version,
        namespace: name.namespace.as_deref(),
        name: &name.name,
    }
}

/// A path below what was given.
fn below(path: &str, side: &Side) -> String {
    relative(path, &side.roots)
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| path.to_owned())
}

fn finding<'d>(one: &'d Differs, side: &Side) -> FindingLine<'d> {
    let found = &one.finding;
    FindingLine {
        became: one.became.word(),
        worse: one.became.is_worse(),
        was: match one.became {
            Became::Worse(was) | Became::Better(was) => Some(was.word()),
            _ => None,
        },
        guideline: &found.guideline.0,
        severity: found.severity.word(),
        verdict: match found.outcome {
            Outcome::Fail => "fail",
            Outcome::Unknown { .. } => "unknown",
        },
        message: words::message(found),
        resource: resource(&found.resource),
        item: found.item.as_deref(),
        fingerprint: found.fingerprint.to_string(),
        location: if found.place.live {
            Place::Live {
                uri: &found.place.path,
                route: &found.place.route,
            }
        } else {
            Place::File {
                path: below(&found.place.path, side),
                line: found.place.line,
                route: &found.place.route,
            }
        },
    }
}

fn right(right: &Right) -> RightLine<'_> {
    RightLine {
        who: &right.who,
        within: &right.within,
        what: &right.what,
        names: &right.names,
        verbs: &right.verbs,
        by: &right.by,
    }
}

fn escalation(one: &Escalated) -> EscalationLine<'_> {
    EscalationLine {
        who: &one.who,
        within: &one.within,
        how: one
            .how
            .iter()
            .map(|how| HowLine {
                id: how.id,
                title: how.title,
                leads_to: how.leads_to,
            })
            .collect(),
    }
}

fn connection(one: &Connection) -> ConnectionLine<'_> {
    ConnectionLine {
        from: &one.from,
        to: &one.to,
        ports: &one.ports,
        certain: one.certain,
    }
}

fn outside(one: &Outside) -> OutsideLine<'_> {
    OutsideLine {
        target: one.target,
        opened: one.opened,
        from: &one.from,
        certain: one.certain,
    }
}

fn exposed(one: &Exposed) -> ExposedLine<'_> {
    ExposedLine {
        to: &one.to,
        way: one.way,
        through: &one.through,
        internet: one.internet,
        certain: one.certain,
        ports: &one.ports,
    }
}

fn change<'d>(change: &'d Change, side: &Side) -> ChangeLine<'d> {
    let (word, fields, more) = match &change.what {
        What::Added => ("added", &[][..], 0),
        What::Removed => ("removed", &[][..], 0),
        What::Changed(fields, more) => ("changed", fields.as_slice(), *more),
    };
    ChangeLine {
        change: word,
        resource: resource(&change.name),
        path: below(&change.path, side),
        line: change.line,
        fields: fields.iter().map(field).collect(),
        more,
    }
}

fn field(field: &Field) -> FieldLine<'_> {
    FieldLine {
        route: &field.route,
        old: field.old.as_deref(),
        new: field.new.as_deref(),
    }
}
