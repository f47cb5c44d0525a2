//! Every verb and resource: how many may, and who may what in a namespace.

use std::fmt::Write as _;

use analysis::ask::{Attributes, Question, ResourceTarget, Target, Within};
use analysis::rbac::resources::Known;
use analysis::rbac::{Counts, Sweep};
use report::rights::matrix::{Column, Matrix};
use report::rights::{data, text};
use serde_json::json;

use super::{Asking, Format, pretty};

/// One thing that can be asked: a verb on a resource or subresource.
struct Ask<'r> {
    known: &'r Known,
    subresource: &'r str,
    verb: &'static str,
}

impl<'r> Ask<'r> {
    fn question<'q>(&self, within: Option<&'q str>) -> Question<'q>
    where
        'r: 'q,
    {
        Question {
            attributes: Attributes {
                verb: self.verb,
                target: Target::Resource(ResourceTarget {
                    group: &self.known.group,
                    version: "",
                    resource: &self.known.name,
                    subresource: self.subresource,
                    namespace: within.unwrap_or_default(),
                    name: "",
                }),
            },
            within: match within {
                _ if self.known.cluster_scoped == Some(true)
                    && &*self.known.name != "namespaces" =>
                {
                    Within::Cluster
                }
                Some(namespace) => Within::Namespace(namespace),
                None => Within::Anywhere,
            },
        }
    }

    fn resource(&self) -> String {
        match self.subresource {
            "" => self.known.name.to_string(),
            subresource => format!("{}/{subresource}", self.known.name),
        }
    }

    /// Reads, writes, or acts.
    fn letter(&self) -> char {
        match self.verb {
            "bind" | "escalate" | "impersonate" | "approve" | "sign" | "attest" => 'x',
            "get" | "list" | "watch" => 'r',
            "create"
                if matches!(
                    self.subresource,
                    "exec" | "attach" | "portforward" | "token" | "proxy" | "eviction" | "binding"
                ) =>
            {
                'x'
            }
            _ => 'w',
        }
    }
}

fn all<'r>(asking: &'r Asking<'_>) -> Vec<Ask<'r>> {
    let mut all = Vec::new();
    for known in asking.rights.resources.all() {
        // Cluster-scoped resources are in no namespace.
        if asking.args.within.is_some()
            && known.cluster_scoped == Some(true)
            && &*known.name != "namespaces"
        {
            continue;
        }
        all.extend(known.verbs.iter().map(|verb| Ask {
            known,
            subresource: "",
            verb,
        }));
        for (subresource, verbs) in &known.subresources {
            all.extend(verbs.iter().map(|verb| Ask {
                known,
                subresource,
                verb,
            }));
        }
    }
    all
}

pub(super) fn answer(asking: &Asking<'_>) -> anyhow::Result<String> {
    if matches!(asking.format, Format::Matrix | Format::Html) {
        return Ok(asking.matrix(&matrix(asking)));
    }
    let within = asking.args.within.as_deref();
    let mut sweep = Sweep::new(&asking.rights.rbac);
    let counted: Vec<(Ask<'_>, Counts)> = all(asking)
        .into_iter()
        .map(|ask| {
            let counts = sweep.count(&ask.question(within));
            (ask, counts)
        })
        .collect();
    Ok(match asking.format {
        Format::Json => pretty(&json!({
            "schema": data::SCHEMA,
            "namespace": within,
            "counts": counted.iter().map(|(ask, counts)| json!({
                "verb": ask.verb,
                "group": ask.known.group,
                "resource": ask.resource(),
                "everywhere": counts.everywhere,
                "within": counts.within,
                "named": counts.named,
            })).collect::<Vec<_>>(),
            "complete": asking.gaps().is_empty(),
            "notGiven": asking.gaps(),
        })),
        Format::Csv => {
            let rows = counted.iter().map(|(ask, counts)| {
                vec![
                    ask.verb.to_owned(),
                    ask.known.group.to_string(),
                    ask.resource(),
                    counts.everywhere.to_string(),
                    counts.within.to_string(),
                    counts.named.to_string(),
                ]
            });
            let head = ["verb", "group", "resource", "everywhere", "within", "named"];
            data::table(&head, rows)?
        }
        _ => shown(asking, &counted),
    })
}

/// Resources against verbs: how many may.
fn shown(asking: &Asking<'_>, counted: &[(Ask<'_>, Counts)]) -> String {
    const HEADS: [(&str, &[&str]); 7] = [
        ("get", &["get"]),
        ("list", &["list", "watch"]),
        ("create", &["create"]),
        ("update", &["update", "patch"]),
        ("delete", &["delete", "deletecollection"]),
        ("bind", &["bind", "escalate"]),
        ("as", &["impersonate"]),
    ];
    let place = match &asking.args.within {
        Some(namespace) => format!(" in namespace {namespace}"),
        None => String::new(),
    };
    let mut out = format!("How many can do what{place}?\n\n{:31}", "");
    for (head, _) in HEADS {
        let _ = write!(out, "{head:>7}");
    }
    out.push('\n');
    for group in counted
        .chunk_by(|(one, _), (two, _)| one.known == two.known && one.subresource == two.subresource)
    {
        let Some((first, _)) = group.first() else {
            continue;
        };
        let mut line = format!("{:31}", first.resource());
        let mut any = false;
        for (_, verbs) in HEADS {
            let most = group
                .iter()
                .filter(|(ask, _)| verbs.contains(&ask.verb))
                .map(|(_, counts)| counts.everywhere + counts.within + counts.named)
                .max();
            any |= most.is_some_and(|most| most > 0);
            match most {
                Some(0) => line.push_str("      ·"),
                Some(most) => {
                    let _ = write!(line, "{most:>7}");
                }
                None => line.push_str("       "),
            }
        }
        if any {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.push('\n');
    text::indented(
        &mut out,
        "Each number counts users, groups and service accounts that are bound; members of groups are not known. \
         Resources that nobody may touch are left out, and `system:masters`, who may do everything.",
        0,
        0,
        asking.layout,
    );
    if asking.rights.cluster().is_some() {
        text::indented(
            &mut out,
            "Azure's roles are not counted; `--format matrix` has them.",
            0,
            0,
            asking.layout,
        );
    }
    text::gaps(&mut out, "Nobody", &asking.gaps(), false, asking.layout);
    out
}

/// The resources that matter most, when there is room for few.
const SHORT: [(&str, &str); 12] = [
    ("", "secrets"),
    ("", "configmaps"),
    ("", "pods"),
    ("", "pods/exec"),
    ("apps", "deployments"),
    ("batch", "jobs"),
    ("", "services"),
    ("networking.k8s.io", "ingresses"),
    ("", "serviceaccounts"),
    ("", "serviceaccounts/token"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
];

/// Subjects against resources.
fn matrix(asking: &Asking<'_>) -> Matrix {
    let within = asking.args.within.as_deref();
    let asks: Vec<Ask<'_>> = all(asking)
        .into_iter()
        .filter(|ask| {
            let resource = ask.resource();
            SHORT
                .iter()
                .any(|(group, name)| *group == &*ask.known.group && *name == resource)
        })
        .collect();
    let mut columns: Vec<Column> = Vec::new();
    let mut rights = Vec::new();
    let mut unknown = Vec::new();
    for (group, name) in SHORT {
        let at = columns.len();
        columns.push(Column {
            name: name.to_owned(),
            below: group.to_owned(),
        });
        for ask in asks
            .iter()
            .filter(|ask| &*ask.known.group == group && ask.resource() == name)
        {
            let question = ask.question(within);
            let found = asking.rights.rbac.who_can(&question);
            let azure = asking.rights.who_can_by_azure(&question);
            unknown.extend(
                found
                    .unknown
                    .iter()
                    .chain(&azure.unknown)
                    .map(|why| why.text.to_string()),
            );
            asking.words(|words| {
                let holders = found.holders.iter().chain(&azure.holders);
                rights.extend(holders.map(|holder| (at, ask.letter(), words.row(holder))));
            });
        }
    }
    unknown.sort();
    unknown.dedup();
    let place = match within {
        Some(namespace) => format!(" in namespace {namespace}"),
        None => String::new(),
    };
    Matrix {
        title: format!("Who can do what{place}"),
        columns_are: "resource",
        unknown,
        gaps: asking.gaps(),
        ..Matrix::new(columns, rights)
    }
}
