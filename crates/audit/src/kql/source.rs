//! Where the rows of a query come from, brought into the columns of AKSAudit, and which of them a detection looks at.
//!
//! | table | what it is |
//! |---|---|
//! | `AKSAudit`, `AKSAuditAdmin` | Log Analytics' own tables; objects that are too large are the text `skipped-too-big-size-object` |
//! | `AzureDiagnostics` | the event as the text of `log_s` (Azure documentation, troubleshoot/azure/azure-kubernetes/create-upgrade-delete/troubleshoot-apiserver-etcd) |
//! | `DiagnosticRawRecords` | Azure Data Explorer, as Microsoft's tutorial for monitoring data makes it: bodies of an Event Hub in one column, `Records` |
//! | `AzureActivity`, `ActivityLogsRawRecords` | the activity log in the same two places |
//!
//! A text that was cut is no JSON. The API server writes the objects behind everything else, so what stands before them
//! is whole JSON but for a brace, and quotes within texts have a backslash before them: `,"requestObject":` stands
//! nowhere else. Where even the beginning is cut, only the path, the verb and the id are read, and whether somebody was
//! impersonated.

use guide::detection::{Target, Trigger};

use super::Table;
use super::cond::Cond;
use super::translate::Translator;
use super::value::{list, quoted};
use crate::detect::{CONNECTS, Identities};

/// Verbs that change nothing.
const READS: [&str; 6] = ["get", "list", "watch", "head", "options", ""];

impl Table {
    /// Where audit events are.
    fn audit(self) -> &'static str {
        match self {
            Self::AksAudit => "union isfuzzy=true AKSAudit, AKSAuditAdmin",
            Self::AzureDiagnostics => {
                "AzureDiagnostics\n| where Category in ('kube-audit', 'kube-audit-admin')"
            }
            Self::DataExplorer => {
                "DiagnosticRawRecords\n| mv-expand Record = Records\n| where tostring(Record.category) in ('kube-audit', 'kube-audit-admin')\n| extend TimeGenerated = todatetime(Record['time'])"
            }
        }
    }

    fn activity(self) -> &'static str {
        match self {
            Self::AksAudit | Self::AzureDiagnostics => "AzureActivity",
            Self::DataExplorer => {
                "ActivityLogsRawRecords\n| mv-expand Record = Records\n| extend TimeGenerated = todatetime(Record['time'])"
            }
        }
    }

    /// The table, and when its first row is of.
    pub(super) fn began(self) -> String {
        format!("{}\n| summarize min(TimeGenerated)", self.audit())
    }
}

/// Steps before everything else.
pub(super) fn rows(table: Table, activity: bool) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut put = |step: &str| steps.push(step.to_owned());
    if activity {
        put(table.activity());
        if table == Table::DataExplorer {
            put(
                "extend OperationNameValue = tostring(Record.operationName), ActivityStatusValue = tostring(Record.resultType), Caller = tostring(Record.caller), CallerIpAddress = tostring(Record.callerIpAddress), Claims_d = Record.identity.claims, CorrelationId = tostring(Record.correlationId), _ResourceId = tostring(Record.resourceId)",
            );
        }
        return steps;
    }
    put(table.audit());
    match table {
        Table::AksAudit => {}
        Table::AzureDiagnostics => put("extend Log = log_s, Cluster = tolower(_ResourceId)"),
        Table::DataExplorer => put(
            "extend Log = tostring(Record.properties.log), Cluster = tolower(tostring(Record.resourceId))",
        ),
    }
    if table == Table::AksAudit {
        put("where Stage != 'RequestReceived'");
        put(
            "extend Resource = tostring(ObjectRef.resource), Subresource = tostring(ObjectRef.subresource), Namespace = tostring(ObjectRef.namespace), Name = tostring(ObjectRef.name)",
        );
    } else {
        steps.extend(events_of_texts().map(str::to_owned));
    }
    steps
}

/// From the texts of events to columns.
fn events_of_texts() -> impl Iterator<Item = &'static str> {
    [
        "extend Event = parse_json(Log)",
        "extend Cut = gettype(Event) != 'dictionary'",
        "extend Event = iff(Cut and indexof(Log, ',\"requestReceivedTimestamp\":') > 0, parse_json(strcat(substring(Log, 0, indexof(Log, ',\"requestReceivedTimestamp\":')), '}')), Event)",
        "extend CutAnswer = gettype(Event) != 'dictionary'",
        "extend Event = iff(CutAnswer and indexof(Log, ',\"responseObject\":') > 0, parse_json(strcat(substring(Log, 0, indexof(Log, ',\"responseObject\":')), '}')), Event)",
        "extend CutObject = gettype(Event) != 'dictionary'",
        "extend Event = iff(CutObject and indexof(Log, ',\"requestObject\":') > 0, parse_json(strcat(substring(Log, 0, indexof(Log, ',\"requestObject\":')), '}')), Event)",
        "extend HeadCut = gettype(Event) != 'dictionary'",
        "extend Path = split(iff(HeadCut, extract(@'\"requestURI\":\"([^\"?]*)[\"?]', 1, Log), ''), '/')",
        "extend First = case(tostring(Path[1]) == 'api', 3, tostring(Path[1]) == 'apis', 4, 1000)",
        "extend First = iff(tostring(Path[First]) in ('watch', 'proxy'), First + 1, First)",
        "extend Within = tostring(Path[First]) == 'namespaces' and array_length(Path) > First + 2 and tostring(Path[First + 2]) !in ('status', 'finalize')",
        "extend ObjectRef = iff(HeadCut, bag_pack('resource', iff(Within, Path[First + 2], Path[First]), 'namespace', iff(tostring(Path[First]) == 'namespaces', Path[First + 1], dynamic(null)), 'name', iff(Within, Path[First + 3], Path[First + 1]), 'subresource', iff(Within, Path[First + 4], Path[First + 2])), Event.objectRef)",
        "extend Resource = tostring(ObjectRef.resource), Subresource = tostring(ObjectRef.subresource), Namespace = tostring(ObjectRef.namespace), Name = tostring(ObjectRef.name)",
        "extend AuditId = iff(HeadCut, extract(@'\"auditID\":\"((?:[^\"\\\\]|\\\\.)*)\"', 1, Log), tostring(Event.auditID)), Verb = iff(HeadCut, extract(@',\"verb\":\"([^\"]*)\"', 1, Log), tostring(Event.verb)), RequestUri = iff(HeadCut, strcat_array(Path, '/'), tostring(Event.requestURI)), Stage = tostring(Event.stage), Level = tostring(Event.level)",
        "where Stage != 'RequestReceived'",
        "extend User = Event.user, ImpersonatedUser = iff(HeadCut and Log contains_cs ',\"impersonatedUser\":', parse_json('{}'), Event.impersonatedUser), SourceIps = Event.sourceIPs, UserAgent = tostring(Event.userAgent), ResponseStatus = Event.responseStatus, RequestObject = iff(CutObject, parse_json('\"cut\"'), Event.requestObject), ResponseObject = iff(CutAnswer, parse_json('\"cut\"'), Event.responseObject), RequestReceivedTime = todatetime(Event.requestReceivedTimestamp), StageReceivedTime = todatetime(Event.stageTimestamp)",
        "extend Requester = iff(isnull(ImpersonatedUser), User, ImpersonatedUser)",
        "extend Hidden = HeadCut and (isempty(Verb) or isempty(RequestUri))",
    ]
    .into_iter()
}

/// The object that a request makes, as an admission policy sees it (`detect::subject`): of a patch what came out, else
/// what was sent.
pub(super) fn manifest(cut: bool) -> Vec<String> {
    let connects = list(CONNECTS);
    let cut = if cut { " and not(Cut)" } else { "" };
    vec![
        "extend Answer = iff(gettype(ResponseObject) == 'dictionary' and tostring(ResponseObject['kind']) != 'Status', ResponseObject, dynamic(null))".to_owned(),
        format!(
            "extend Manifest = case(\n    Verb !in ('create', 'update', 'patch') or Subresource in ({connects}), dynamic(null),\n    Verb == 'patch' and isnotnull(Answer), Answer,\n    gettype(RequestObject) == 'dictionary', RequestObject,\n    isnull(RequestObject), Answer,\n    dynamic(null))"
        ),
        "extend ManifestOpen = Verb == 'patch' and isnull(Answer)".to_owned(),
        format!(
            "extend NotLogged = isnull(Manifest) and gettype(RequestObject) != 'string' and gettype(ResponseObject) != 'string'{cut}"
        ),
    ]
}

/// Verbs, and names of one shape.
type Group<'t> = (&'t [Box<str>], Shape<'t>, Vec<&'t str>);
/// Verbs, and names of several shapes.
type Merged<'t> = (&'t [Box<str>], Vec<Shape<'t>>, Vec<&'t str>);

/// Which events a detection looks at.
pub(super) fn looked_at(triggers: &[Trigger]) -> Cond {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for trigger in triggers {
        let (shape, name) = match &trigger.target {
            Target::Any => (Shape::Any, ""),
            Target::Resource(name, None) => (Shape::Resource(Some("")), &**name),
            Target::Resource(name, Some(sub)) if &**sub == "*" => (Shape::Resource(None), &**name),
            Target::Resource(name, Some(sub)) => (Shape::Resource(Some(sub)), &**name),
            Target::Path(path) => (Shape::Path, &**path),
            Target::Operation(name) => (Shape::Operation, &**name),
        };
        match groups
            .iter_mut()
            .find(|(verbs, own, _)| *verbs == trigger.verbs.as_slice() && *own == shape)
        {
            Some((_, _, names)) => names.push(name),
            None => groups.push((&trigger.verbs, shape, vec![name])),
        }
    }
    // The same names with several subresources are one condition.
    let mut merged: Vec<Merged<'_>> = Vec::new();
    for (verbs, shape, names) in groups {
        match merged.iter_mut().find(|(own, shapes, all)| {
            *own == verbs
                && *all == names
                && matches!(shapes.first(), Some(Shape::Resource(Some(_))))
                && matches!(shape, Shape::Resource(Some(_)))
        }) {
            Some((_, shapes, _)) => shapes.push(shape),
            None => merged.push((verbs, vec![shape], names)),
        }
    }
    Cond::any(merged.into_iter().map(|(verbs, shapes, names)| {
        let verbs = if verbs.is_empty() {
            Cond::Always
        } else {
            among("Verb", verbs.iter().map(|verb| &**verb))
        };
        Cond::all([verbs, target(&shapes, &names)])
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Shape<'t> {
    Any,
    Resource(Option<&'t str>),
    Path,
    Operation,
}

fn target(shapes: &[Shape<'_>], names: &[&str]) -> Cond {
    match shapes.first() {
        Some(Shape::Resource(_)) => {
            let resource = if names.contains(&"*") {
                Cond::compared("Resource", false, "''")
            } else {
                among("Resource", names.iter().copied())
            };
            let subresources = shapes.iter().filter_map(|shape| match shape {
                Shape::Resource(subresource) => *subresource,
                _ => None,
            });
            let subresources: Vec<&str> = subresources.collect();
            if subresources.is_empty() {
                return resource;
            }
            Cond::all([resource, among("Subresource", subresources.into_iter())])
        }
        Some(Shape::Path) => Cond::any(names.iter().map(|path| {
            let path = match path.strip_suffix('*') {
                Some(start) => Cond::is(format!("RequestUri startswith_cs {}", quoted(start))),
                None => Cond::is(format!(
                    "tostring(split(RequestUri, '?')[0]) == {}",
                    quoted(path)
                )),
            };
            Cond::all([Cond::is("isempty(Resource)"), path])
        })),
        Some(Shape::Operation) => {
            let (begins, whole): (Vec<&str>, Vec<&str>) =
                names.iter().copied().partition(|name| name.ends_with('*'));
            let begins = begins.iter().map(|name| {
                let start = name.trim_end_matches('*');
                Cond::is(format!("OperationNameValue startswith {}", quoted(start)))
            });
            let whole = (!whole.is_empty())
                .then(|| Cond::is(format!("OperationNameValue in~ ({})", list(whole))));
            Cond::any(begins.chain(whole))
        }
        Some(Shape::Any) | None => Cond::Always,
    }
}

fn among<'t>(column: &str, texts: impl Iterator<Item = &'t str>) -> Cond {
    let texts: Vec<&str> = texts.collect();
    match texts.as_slice() {
        [one] => Cond::compared(column, true, &quoted(one)),
        many => Cond::is(format!("{column} in ({})", list(many.iter().copied()))),
    }
}

/// Whether a request could change something or act for somebody, so that not knowing is worth a row; nothing where all
/// that is looked at could.
pub(super) fn changes_something(triggers: &[Trigger], impersonation: bool) -> Cond {
    let always = triggers.iter().all(|trigger| {
        let writes =
            !trigger.verbs.is_empty() && trigger.verbs.iter().all(|verb| !READS.contains(&&**verb));
        let connects =
            matches!(&trigger.target, Target::Resource(_, Some(sub)) if CONNECTS.contains(&&**sub));
        writes || connects
    });
    if always {
        return Cond::Always;
    }
    let mut parts = vec![
        Cond::is(format!("Verb !in ({})", list(READS))),
        Cond::is(format!("Subresource in ({})", list(CONNECTS))),
    ];
    if impersonation {
        parts.push(Cond::is("isnotnull(ImpersonatedUser)"));
    }
    Cond::any(parts)
}

impl Translator<'_> {
    /// The cases that tell what a user of this name is.
    pub(super) fn classes(&self, name: &str) -> String {
        let identities = Identities::of(self.guide);
        let mut cases: Vec<String> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut class = "";
        for (start, end, own) in identities.patterns() {
            if own != class {
                whole(name, &mut names, class, &mut cases);
                class = own;
            }
            match end {
                None => names.push(start),
                Some(end) => {
                    let ends = if end.is_empty() {
                        String::new()
                    } else {
                        format!(" and {name} endswith_cs {}", quoted(end))
                    };
                    let least = start.len() + end.len();
                    cases.push(format!(
                        "{name} startswith_cs {} and strlen({name}) > {least}{ends}, {}",
                        quoted(start),
                        quoted(own)
                    ));
                }
            }
        }
        whole(name, &mut names, class, &mut cases);
        cases.join(",\n    ")
    }
}

fn whole(name: &str, names: &mut Vec<&str>, class: &str, cases: &mut Vec<String>) {
    if !names.is_empty() {
        cases.push(format!(
            "{name} in ({}), {}",
            list(names.drain(..)),
            quoted(class)
        ));
    }
}
