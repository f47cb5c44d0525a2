//! What somebody may do, and whose rights amount to more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::ask::{Names, Requester, SERVICE_ACCOUNT_PREFIX, Subject, service_account};
use analysis::rbac::{PolicyRule, Right};
use report::rights::{Place, Row, data, text};
use serde_json::json;

use super::{Asking, Format, pretty};
use crate::failure::Failure;

/// What somebody may do.
pub(super) fn answer(asking: &Asking<'_>, word: &str) -> anyhow::Result<String> {
    let subject = parse(word)?;
    let user = match &subject {
        Subject::User(name) => name.to_string(),
        Subject::ServiceAccount { namespace, name } => {
            format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")
        }
        Subject::Group(_) | Subject::Principal { .. } => String::new(),
    };
    let requester = requester(&subject, &user);
    let rights = asking.rights.rbac.rights_of(&requester);
    let rows: Vec<(Row, &PolicyRule)> = asking.words(|words| {
        rights
            .iter()
            .filter(|right| is_within(asking, right))
            .map(|right| {
                let names = match right.rule.names.as_slice() {
                    [] => Names::Any,
                    names => Names::Only(names.iter().cloned().collect()),
                };
                let condition = right.condition.as_deref();
                let by = std::slice::from_ref(&right.evidence);
                let row = words.right(&subject, &right.reach, &names, condition, by);
                (row, &right.rule)
            })
            .collect()
    });
    let mut facts: Vec<&'static str> = asking
        .rights
        .rbac
        .escalations(asking.rights.kubernetes_minor)
        .into_iter()
        .filter(|fact| fact.held.iter().any(|held| held.subject == subject))
        .map(|fact| fact.title)
        .collect();
    // Whoever does everything does all the rest.
    let all = PolicyRule {
        verbs: vec!["*".into()],
        groups: vec!["*".into()],
        resources: vec!["*".into()],
        ..PolicyRule::default()
    };
    if rows
        .iter()
        .any(|(row, rule)| row.place == Place::Everywhere && **rule == all)
    {
        facts.truncate(1);
    }
    Ok(match asking.format {
        Format::Json => pretty(&json!({
            "schema": "seawall.who-can/v1",
            "subject": {"kind": subject.kind(), "name": subject.name()},
            "groups": requester.groups,
            "rights": rows.iter().map(|(row, rule)| {
                let mut value = data::row(row);
                if let Some(fields) = value.as_object_mut() {
                    fields.remove("subject");
                    fields.insert("rule".to_owned(), json!({
                        "verbs": rule.verbs,
                        "apiGroups": rule.groups,
                        "resources": rule.resources,
                        "resourceNames": rule.names,
                        "nonResourceURLs": rule.urls,
                    }));
                }
                value
            }).collect::<Vec<_>>(),
            "amountsTo": facts,
            "complete": asking.gaps().is_empty(),
            "notGiven": asking.gaps(),
        })),
        Format::Csv => {
            let lines = rows.iter().map(|(row, rule)| {
                let join = |list: &[Box<str>]| list.join(" ");
                vec![
                    place(&row.place),
                    join(&rule.verbs),
                    join(&rule.groups),
                    join(&rule.resources),
                    join(&rule.names),
                    join(&rule.urls),
                    row.by
                        .iter()
                        .map(text::through)
                        .collect::<Vec<_>>()
                        .join("; "),
                ]
            });
            let head = [
                "scope",
                "verbs",
                "groups",
                "resources",
                "names",
                "paths",
                "by",
            ];
            data::table(&head, lines)?
        }
        Format::Text => shown(asking, &subject, &requester, &rows, &facts),
        Format::Matrix | Format::Html => return Err(asking.refuse("--as")),
    })
}

fn is_within(asking: &Asking<'_>, right: &Right) -> bool {
    match (&asking.args.within, &right.reach) {
        (Some(wanted), analysis::ask::Reach::Namespace(own)) => **own == **wanted,
        _ => true,
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Everywhere => "cluster".to_owned(),
        Place::Namespace(namespace) => namespace.clone(),
        Place::NotGiven => "namespace-not-given".to_owned(),
    }
}

fn shown(
    asking: &Asking<'_>,
    subject: &Subject,
    requester: &Requester<'_>,
    rows: &[(Row, &PolicyRule)],
    facts: &[&str],
) -> String {
    let layout = asking.layout;
    let mut out = format!("What can {} {} do?\n", subject.kind(), subject.name());
    if !requester.groups.is_empty() && !matches!(subject, Subject::Group(_)) {
        let groups = requester.groups.join(", ");
        text::indented(
            &mut out,
            &format!("also as a member of {groups}"),
            2,
            4,
            layout,
        );
    }
    let mut places: BTreeMap<&Place, Vec<(&Row, &PolicyRule)>> = BTreeMap::new();
    let mut hidden = 0;
    for (row, rule) in rows {
        // What everybody who signs in may is no news.
        let everybody = row.by.iter().all(
            |by| matches!(by, report::rights::By::Binding { binding, .. } if binding.is_built_in()),
        );
        if everybody && !layout.built_in {
            hidden += 1;
            continue;
        }
        places.entry(&row.place).or_default().push((row, rule));
    }
    if places.is_empty() {
        out.push_str("\n  nothing that is known\n");
    }
    for (place, rights) in places {
        let _ = write!(out, "\n{}\n", place.shown());
        let mut by: Vec<(String, Vec<String>)> = Vec::new();
        for (row, rule) in rights {
            let through: Vec<String> = row.by.iter().map(text::through).collect();
            let through = through.join(" and ");
            let mut said = said(rule);
            if let Some(condition) = &row.condition {
                said.push_str(&format!(", if {condition}"));
            }
            match by.iter_mut().find(|(known, _)| *known == said) {
                Some((_, reasons)) => reasons.push(through),
                None => by.push((said, vec![through])),
            }
        }
        for (said, reasons) in by {
            text::indented(&mut out, &said, 2, 4, layout);
            for reason in reasons {
                text::indented(&mut out, &reason, 4, 6, layout);
            }
        }
    }
    if hidden > 0 {
        let _ = write!(
            out,
            "\nand {hidden} rules of Kubernetes' own bindings (`--built-in` lists them)\n"
        );
    }
    if !facts.is_empty() {
        out.push('\n');
        text::indented(
            &mut out,
            &format!("which amounts to: {}", facts.join("; ")),
            0,
            2,
            layout,
        );
    }
    text::gaps(&mut out, "Nothing", &asking.gaps(), false, layout);
    out
}

/// `get, list on pods, secrets; only a, b`
fn said(rule: &PolicyRule) -> String {
    let verbs = if rule.verbs.iter().any(|verb| &**verb == "*") {
        "everything".to_owned()
    } else {
        rule.verbs.join(", ")
    };
    let mut on = rule.resources.clone();
    if let [group] = rule.groups.as_slice()
        && !group.is_empty()
        && &**group != "*"
        && let Some(last) = on.last_mut()
    {
        *last = format!("{last} of {group}").into();
    } else if rule.groups.len() > 1
        && let Some(last) = on.last_mut()
    {
        let groups: Vec<&str> = rule
            .groups
            .iter()
            .map(|group| {
                if group.is_empty() {
                    "the core group"
                } else {
                    group
                }
            })
            .collect();
        *last = format!("{last} of {}", groups.join(", ")).into();
    }
    on.extend(rule.urls.iter().cloned());
    let mut said = format!("{verbs} on {}", on.join(", "));
    if !rule.names.is_empty() {
        said.push_str(&format!("; only {}", rule.names.join(", ")));
    }
    said
}

/// `jane`, `user:jane`, `group:dev`, `sa:shop/web`, `system:serviceaccount:shop:web`.
fn parse(word: &str) -> anyhow::Result<Subject> {
    let account = |namespace: &str, name: &str| Subject::ServiceAccount {
        namespace: namespace.into(),
        name: name.into(),
    };
    if let Some((namespace, name)) = service_account(word) {
        return Ok(account(namespace, name));
    }
    match word.split_once(':') {
        Some(("user", name)) => Ok(match service_account(name) {
            Some((namespace, name)) => account(namespace, name),
            None => Subject::User(name.into()),
        }),
        Some(("group", name)) => Ok(Subject::Group(name.into())),
        Some(("sa" | "serviceaccount", name)) => match name.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(account(namespace, name))
            }
            _ => Err(
                Failure::new(format!("`{word}` does not say namespace and name"))
                    .help("write a service account as `sa:NAMESPACE/NAME`")
                    .into(),
            ),
        },
        _ => Ok(Subject::User(word.into())),
    }
}

fn requester<'s>(subject: &'s Subject, user: &'s str) -> Requester<'s> {
    match subject {
        Subject::Group(name) => Requester {
            groups: vec![(&**name).into()],
            ..Requester::default()
        },
        Subject::Principal { id, .. } => Requester {
            object_id: Some(id),
            ..Requester::default()
        },
        Subject::User(_) | Subject::ServiceAccount { .. } => Requester {
            user,
            ..Requester::default()
        }
        .with_implied_groups(),
    }
}

/// Whose rights amount to more.
pub(super) fn escalations(asking: &Asking<'_>) -> anyhow::Result<String> {
    let facts = asking
        .rights
        .rbac
        .escalations(asking.rights.kubernetes_minor);
    let listed: Vec<(&analysis::rbac::Escalation, Vec<Row>)> = asking.words(|words| {
        facts
            .iter()
            .map(|fact| {
                let rows =
                    fact.held
                        .iter()
                        .filter(|held| match (&asking.args.within, &held.reach) {
                            (Some(wanted), analysis::ask::Reach::Namespace(own)) => {
                                **own == **wanted
                            }
                            _ => true,
                        });
                let rows = rows.map(|held| {
                    words.right(
                        &held.subject,
                        &held.reach,
                        &held.names,
                        None,
                        &held.evidence,
                    )
                });
                (fact, rows.collect())
            })
            .collect()
    });
    Ok(match asking.format {
        Format::Json => pretty(&json!({
            "schema": "seawall.who-can/v1",
            "escalations": listed.iter().map(|(fact, rows)| json!({
                "id": fact.id,
                "title": fact.title,
                "leadsTo": fact.leads_to,
                "holders": rows.iter().map(data::row).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "complete": asking.gaps().is_empty(),
            "notGiven": asking.gaps(),
        })),
        Format::Csv => {
            let lines = listed.iter().flat_map(|(fact, rows)| {
                rows.iter().map(|row| {
                    vec![
                        fact.id.to_owned(),
                        fact.title.to_owned(),
                        row.who.kind.to_owned(),
                        row.who.shown(),
                        place(&row.place),
                        row.names
                            .as_ref()
                            .map(|names| names.join(" "))
                            .unwrap_or_default(),
                        row.by
                            .iter()
                            .map(text::through)
                            .collect::<Vec<_>>()
                            .join("; "),
                    ]
                })
            });
            let head = ["id", "title", "kind", "subject", "scope", "names", "by"];
            data::table(&head, lines)?
        }
        Format::Text => {
            let mut out = "Whose rights amount to more?\n".to_owned();
            let mut nobody: Vec<&str> = Vec::new();
            // Who does everything would be listed under each fact.
            let everything: Vec<Row> = listed
                .iter()
                .filter(|(fact, _)| fact.id == "everything")
                .flat_map(|(_, rows)| rows)
                .filter(|row| row.place == Place::Everywhere)
                .cloned()
                .collect();
            for (fact, rows) in &listed {
                let mut rows = rows.clone();
                if fact.id != "everything" {
                    rows.retain(|row| !everything.iter().any(|all| all.who == row.who));
                }
                if rows
                    .iter()
                    .all(|row| row.is_built_in() && !asking.layout.built_in)
                {
                    nobody.push(fact.id);
                    continue;
                }
                let _ = write!(out, "\n{}: {}\n", fact.id, fact.title);
                text::indented(&mut out, fact.leads_to, 2, 2, asking.layout);
                text::rows(&mut out, &rows, asking.layout);
                if fact.id == "everything" && !everything.is_empty() {
                    out.push_str("\nWhoever does everything everywhere is left out below.\n");
                }
            }
            if !nobody.is_empty() {
                out.push('\n');
                let text = format!("nobody else that is known: {}", nobody.join(", "));
                text::indented(&mut out, &text, 0, 2, asking.layout);
            }
            text::gaps(&mut out, "Nobody", &asking.gaps(), false, asking.layout);
            out
        }
        Format::Matrix | Format::Html => return Err(asking.refuse("--escalations")),
    })
}
