//! Microsoft Graph: who is in the groups that hold roles, and what people call a principal. Read only when
//! asked for: it takes rights in the directory (`GroupMember.Read.All`, `Application.Read.All`,
//! `User.ReadBasic.All`) that subscriptions do not give.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _};
use serde_json::{Map, Value, json};

use super::client::{Client, Failure, Listed};
use super::is_guid;
use super::subscription::object;
use crate::live::{Event, Unread};

/// The kinds that it gives, as `analysis::roles` reads them.
pub(crate) const KINDS: [&str; 4] = [GROUPS, USERS, PRINCIPALS, APPLICATIONS];
const GROUPS: &str = "Microsoft.Graph/groups";
const USERS: &str = "Microsoft.Graph/users";
const PRINCIPALS: &str = "Microsoft.Graph/servicePrincipals";
const APPLICATIONS: &str = "Microsoft.Graph/applications";

const AT_ONCE: usize = 4;
/// `directoryObjects/getByIds` takes as many ids at once
/// (<https://learn.microsoft.com/graph/api/directoryobject-getbyids>).
const IDS_AT_ONCE: usize = 1000;

/// The principals that the estate names.
#[derive(Debug, Default)]
pub(crate) struct Wanted(BTreeSet<String>);

impl Wanted {
    /// Those that others than Azure name.
    pub(crate) fn of(ids: &BTreeSet<String>) -> Self {
        Self(ids.clone())
    }

    /// Notes whom a resource names: principals of assignments, the groups that administer a cluster.
    pub(crate) fn learn(&mut self, kind: &str, value: &Value) {
        if kind.starts_with("Microsoft.Authorization/role") {
            self.add(value.pointer("/properties/principalId"));
        }
        let admins = value
            .pointer("/properties/aadProfile/adminGroupObjectIDs")
            .and_then(Value::as_array);
        for group in admins.into_iter().flatten() {
            self.add(Some(group));
        }
        self.add(value.pointer("/properties/servicePrincipalProfile/clientId"));
    }

    fn add(&mut self, guid: Option<&Value>) {
        if let Some(guid) = guid.and_then(Value::as_str).filter(|guid| is_guid(guid)) {
            self.0.insert(guid.to_ascii_lowercase());
        }
    }
}

/// Reads what is wanted.
pub(crate) async fn read(graph: &Client<'_>, wanted: &Wanted) -> Vec<Event> {
    let mut events = Vec::new();
    let mut ids: BTreeSet<String> = wanted.0.clone();
    let named = by_ids(graph, &ids).await;
    let groups = of_type(&named.items, "#microsoft.graph.group");
    let members: Vec<(String, Listed)> = stream::iter(&groups)
        .map(|group| async move {
            let id = text(group, "id").to_owned();
            let path = format!("/v1.0/groups/{id}/transitiveMembers?$select=id,displayName,appId,servicePrincipalType&$top=999");
            (id, list(graph, &path).await)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut all: Vec<Value> = named.items.clone();
    for ((id, listed), group) in members.iter().zip(&groups) {
        let mut found: Vec<String> = listed
            .items
            .iter()
            .map(|member| text(member, "id").to_ascii_lowercase())
            .filter(|id| is_guid(id))
            .collect();
        found.sort();
        found.dedup();
        ids.extend(found.iter().cloned());
        all.extend(listed.items.iter().cloned());
        let members = listed.failure.is_none().then_some(found);
        events.push(directory(GROUPS, id, text(group, "displayName"), members));
        if let Some(failure) = &listed.failure {
            let path = format!("/v1.0/groups/{id}/transitiveMembers");
            events.push(refused(GROUPS, &path, failure, "GroupMember.Read.All"));
        }
    }
    if let Some(failure) = &named.failure {
        for kind in [GROUPS, USERS, PRINCIPALS] {
            let path = "/v1.0/directoryObjects/getByIds";
            events.push(refused(kind, path, failure, "Directory.Read.All"));
        }
    }
    let mut complete = named.failure.is_none();
    for kind in [USERS, PRINCIPALS] {
        events.extend(complete.then(|| whole(kind)));
    }
    complete &= members.iter().all(|(_, listed)| listed.failure.is_none());
    events.extend(complete.then(|| whole(GROUPS)));
    let mut told = BTreeSet::new();
    for (kind, word) in [
        (USERS, "#microsoft.graph.user"),
        (PRINCIPALS, "#microsoft.graph.servicePrincipal"),
    ] {
        for item in of_type(&all, word) {
            let id = text(item, "id").to_ascii_lowercase();
            if is_guid(&id) && told.insert(id.clone()) {
                events.push(directory(kind, &id, text(item, "displayName"), None));
            }
        }
    }
    let applications = applications(graph, &all, &wanted.0).await;
    let failed = applications
        .iter()
        .any(|event| matches!(event, Event::Gap(_)));
    events.extend(applications);
    events.extend((complete && !failed).then(|| whole(APPLICATIONS)));
    events
}

/// Everything of the kind that the estate names was read, or does not exist any more.
fn whole(kind: &str) -> Event {
    Event::Complete {
        kind: kind.into(),
        within: Box::default(),
    }
}

/// The passwords and certificates of the applications behind service principals: when they end,
/// never what they are.
async fn applications(
    graph: &Client<'_>,
    named: &[Value],
    wanted: &BTreeSet<String>,
) -> Vec<Event> {
    // Managed identities have no application of their own.
    let mut apps: BTreeSet<String> = of_type(named, "#microsoft.graph.servicePrincipal")
        .into_iter()
        .filter(|item| text(item, "servicePrincipalType") == "Application")
        .map(|item| text(item, "appId").to_ascii_lowercase())
        .filter(|id| is_guid(id))
        .collect();
    // What a cluster acts as is named by its application.
    let objects: BTreeSet<String> = named
        .iter()
        .map(|item| text(item, "id").to_ascii_lowercase())
        .collect();
    apps.extend(wanted.difference(&objects).cloned());
    let read: Vec<(String, Listed)> = stream::iter(apps)
        .map(|app| async move {
            let path = format!(
                "/v1.0/applications?$filter=appId%20eq%20%27{app}%27&$select=id,appId,displayName,passwordCredentials,keyCredentials"
            );
            (app, list(graph, &path).await)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut events = Vec::new();
    for (app, listed) in read {
        for item in &listed.items {
            let id = text(item, "id").to_ascii_lowercase();
            if !is_guid(&id) {
                continue;
            }
            let mut value = entry(APPLICATIONS, &id, text(item, "displayName"));
            if let Some(properties) = value.get_mut("properties").and_then(Value::as_object_mut) {
                properties.insert("appId".to_owned(), json!(app));
                for kind in ["passwordCredentials", "keyCredentials"] {
                    properties.insert(kind.to_owned(), dates(item.get(kind)));
                }
            }
            events.push(told(APPLICATIONS, &id, &value));
        }
        if let Some(failure) = &listed.failure {
            events.push(refused(
                APPLICATIONS,
                "/v1.0/applications",
                failure,
                "Application.Read.All",
            ));
        }
    }
    events
}

/// Of credentials only when they begin and end.
fn dates(credentials: Option<&Value>) -> Value {
    let items = credentials.and_then(Value::as_array).into_iter().flatten();
    items
        .map(|item| {
            let mut dates = Map::new();
            for key in ["keyId", "startDateTime", "endDateTime"] {
                if let Some(value) = item.get(key).filter(|value| value.is_string()) {
                    dates.insert(key.to_owned(), value.clone());
                }
            }
            Value::Object(dates)
        })
        .collect()
}

async fn by_ids(graph: &Client<'_>, ids: &BTreeSet<String>) -> Listed {
    let mut all = Listed::default();
    let url = match graph.address("/v1.0/directoryObjects/getByIds") {
        Ok(url) => url,
        Err(failure) => {
            all.failure = Some(failure);
            return all;
        }
    };
    let ids: Vec<&String> = ids.iter().collect();
    for some in ids.chunks(IDS_AT_ONCE) {
        let body = json!({"ids": some, "types": ["group", "user", "servicePrincipal"]});
        match graph.ask(reqwest::Method::POST, &url, Some(&body)).await {
            Ok((answer, _)) => match answer.get("value").and_then(Value::as_array) {
                Some(items) => all.items.extend(items.iter().cloned()),
                None => all.failure = Some(Failure::of("the answer is no list")),
            },
            Err(failure) => all.failure = Some(failure),
        }
    }
    all
}

async fn list(graph: &Client<'_>, path: &str) -> Listed {
    match graph.address(path) {
        Ok(url) => graph.list(url).await,
        Err(failure) => Listed {
            items: Vec::new(),
            failure: Some(failure),
        },
    }
}

fn of_type<'v>(items: &'v [Value], word: &str) -> Vec<&'v Value> {
    items
        .iter()
        .filter(|item| text(item, "@odata.type").eq_ignore_ascii_case(word))
        .filter(|item| is_guid(text(item, "id")))
        .collect()
}

fn text<'v>(item: &'v Value, key: &str) -> &'v str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn address(kind: &str, id: &str) -> String {
    format!("/providers/{kind}/{id}")
}

fn entry(kind: &str, id: &str, name: &str) -> Value {
    json!({
        "id": address(kind, id), "type": kind, "name": id, "apiVersion": "v1.0",
        "properties": {"id": id, "displayName": name},
    })
}

fn directory(kind: &str, id: &str, name: &str, members: Option<Vec<String>>) -> Event {
    let id = id.to_ascii_lowercase();
    let mut value = entry(kind, &id, name);
    if let (Some(members), Some(properties)) = (
        members,
        value.get_mut("properties").and_then(Value::as_object_mut),
    ) {
        properties.insert("members".to_owned(), json!(members));
    }
    told(kind, &id, &value)
}

fn told(kind: &str, id: &str, value: &Value) -> Event {
    object(&address(kind, id), value)
}

fn refused(kind: &str, path: &str, failure: &Failure, right: &str) -> Event {
    Event::Gap(Unread {
        kind: kind.into(),
        within: Box::default(),
        address: path.into(),
        why: format!("Microsoft Graph did not show {kind} ({})", failure.shown()).into(),
        help: failure
            .refused()
            .then(|| format!("give the identity the application permission `{right}`").into()),
        by_choice: false,
    })
}
