//! What the loopback server answers.

use serde_json::{Value, json};

use super::{Answer, Request, TOKEN, VERSIONS, World, logs};

/// The management group at the root of a tenant is called as the tenant is.
const ROOT: &str = "11111111-1111-1111-1111-111111111111";

/// Answers one request.
pub(super) fn answer(world: &World, address: &str, request: &Request) -> Answer {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let query = pairs(query);
    if path.ends_with("/oauth2/v2.0/token") {
        return token(world, request);
    }
    if request.authorization != format!("Bearer {TOKEN}") {
        return error(401, "InvalidAuthenticationToken", "no token");
    }
    let lower = path.to_ascii_lowercase();
    if lower.starts_with("/v1.0/") {
        return directory(world, &lower, &query, request);
    }
    if lower == "/providers/microsoft.resourcegraph/resources" {
        return graph(world, request);
    }
    if lower == "/subscriptions" {
        let items = world
            .subscriptions
            .iter()
            .map(|id| json!({"id": format!("/subscriptions/{id}"), "subscriptionId": id, "state": "Enabled", "tenantId": "11111111-1111-1111-1111-111111111111", "displayName": "one"}))
            .collect();
        return page(world, address, path, &query, items);
    }
    let Some((scope, rest)) = subscription(world, &lower) else {
        return error(404, "SubscriptionNotFound", "no such subscription");
    };
    match rest.as_str() {
        "/providers" => page(world, address, path, &query, providers(world)),
        "/providers/microsoft.authorization/permissions" => {
            if denies(world, "Microsoft.Authorization/permissions/read", &scope) {
                return error(403, "AuthorizationFailed", "no");
            }
            let denied: Vec<&String> = world
                .denied
                .iter()
                .filter(|(_, at)| {
                    covers(&at.to_ascii_lowercase(), &scope)
                        || covers(&scope, &at.to_ascii_lowercase())
                })
                .map(|(action, _)| action)
                .collect();
            let items = vec![json!({"actions": ["*/read"], "notActions": denied})];
            page(world, address, path, &query, items)
        }
        "/resources" => {
            let wanted = query
                .iter()
                .find(|(key, _)| key == "$filter")
                .and_then(|(_, value)| value.split('\'').nth(1).map(str::to_ascii_lowercase))
                .unwrap_or_default();
            let items = world
                .resources
                .iter()
                .filter(|item| text(item, "type").eq_ignore_ascii_case(&wanted))
                .filter(|item| covers(&scope, &text(item, "id").to_ascii_lowercase()))
                .filter(|item| !denies_item(world, item))
                .map(|item| json!({"id": item["id"], "type": item["type"], "name": item["name"]}))
                .collect();
            page(world, address, path, &query, items)
        }
        _ => resources(world, address, path, &query, &scope),
    }
}

/// A resource, or a list of resources.
fn resources(
    world: &World,
    address: &str,
    path: &str,
    query: &[(String, String)],
    scope: &str,
) -> Answer {
    let lower = path.to_ascii_lowercase();
    let kind = kind_of(&lower);
    let version = query
        .iter()
        .find(|(key, _)| key == "api-version")
        .map_or("", |(_, value)| value);
    let offered = versions(world, &kind);
    if !offered.iter().any(|known| known == version) {
        let message = format!(
            "No registered resource provider found for location 'westeurope' and API version '{version}' for type '{kind}'. The supported api-versions are '{}'. The supported locations are 'westeurope'.",
            offered.join(", ")
        );
        return error(400, "NoRegisteredProviderFound", &message);
    }
    if let Some(found) = at_id(world, &lower, &kind) {
        return if denies_item(world, &found) {
            error(403, "AuthorizationFailed", "no")
        } else {
            ok(&shown(&found))
        };
    }
    if lower.split('/').skip(1).count().is_multiple_of(2)
        && !lower.ends_with(&format!("/providers/{kind}"))
    {
        return error(404, "ResourceNotFound", "no such resource");
    }
    // A list: at a subscription of everything in it and, of rights, of what is above it.
    let at_subscription = lower == format!("{scope}/providers/{kind}");
    let everywhere = at_subscription && kind != "microsoft.insights/diagnosticsettings";
    let holder = lower
        .strip_suffix(&format!("/providers/{kind}"))
        .or_else(|| lower.rsplit_once('/').map(|(parent, _)| parent))
        .unwrap_or_default()
        .to_owned();
    let action = format!("{kind}/read");
    // Only lists of whole subscriptions leave out what may not be read.
    let silent = world.silent && at_subscription;
    if denies(world, &action, &holder) && !silent {
        return error(403, "AuthorizationFailed", "no");
    }
    let items = world
        .resources
        .iter()
        .filter(|item| {
            kind_of(&text(item, "id").to_ascii_lowercase()) == kind
                || text(item, "type").eq_ignore_ascii_case(&kind)
        })
        .filter(|item| {
            let id = text(item, "id").to_ascii_lowercase();
            if everywhere {
                covers(scope, &id) || id.starts_with("/providers/")
            } else {
                id.strip_prefix(&format!("{lower}/"))
                    .is_some_and(|name| !name.contains('/'))
            }
        })
        .filter(|item| !(silent && denies_item(world, item)))
        .filter(|item| {
            let custom = query
                .iter()
                .any(|(_, value)| value.contains("'CustomRole'"));
            !custom
                || item.pointer("/properties/type").and_then(Value::as_str) == Some("CustomRole")
        })
        .map(shown)
        .collect();
    page(world, address, path, query, items)
}

/// The resource of an id. Roles are there in every subscription.
fn at_id(world: &World, id: &str, kind: &str) -> Option<Value> {
    let exact = |item: &&Value| text(item, "id").eq_ignore_ascii_case(id);
    if let Some(found) = world.resources.iter().find(exact) {
        return Some(found.clone());
    }
    let guid = id.rsplit('/').next().unwrap_or_default();
    let role = world.resources.iter().find(|item| {
        kind == "microsoft.authorization/roledefinitions"
            && kind_of(&text(item, "id").to_ascii_lowercase()) == kind
            && text(item, "name").eq_ignore_ascii_case(guid)
    })?;
    let mut role = role.clone();
    if let Some(map) = role.as_object_mut() {
        map.insert("id".to_owned(), json!(id));
    }
    Some(role)
}

fn token(world: &World, request: &Request) -> Answer {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let form = pairs(&body);
    let says = |key: &str, value: &str| form.iter().any(|(k, v)| k == key && v == value);
    let access = if says("scope", "https://storage.azure.com/.default") {
        crate::azurite::token()
    } else if says("scope", crate::kafka::SCOPE) {
        let client = form.iter().find(|(key, _)| key == "client_id");
        crate::kafka::token(client.map_or("", |(_, client)| client))
    } else if says("scope", logs::SCOPE) {
        logs::MONITOR_TOKEN.to_owned()
    } else {
        TOKEN.to_owned()
    };
    if says("client_assertion", &world.assertion) && says("grant_type", "client_credentials") {
        return ok(
            &json!({"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": access}),
        );
    }
    Answer {
        status: 401,
        headers: Vec::new(),
        body: json!({"error": "invalid_client", "error_description": "AADSTS700211: no matching federated identity", "error_codes": [700_211]})
            .to_string()
            .into_bytes(),
    }
}

/// What the providers of a subscription offer.
fn providers(world: &World) -> Vec<Value> {
    let mut kinds: Vec<String> = world
        .resources
        .iter()
        .map(|item| text(item, "type").to_owned())
        .chain(world.versions.iter().map(|(kind, _)| kind.clone()))
        .collect();
    kinds.sort_by_key(|kind| kind.to_ascii_lowercase());
    kinds.dedup_by_key(|kind| kind.to_ascii_lowercase());
    let mut namespaces: Vec<(String, Vec<Value>)> = world
        .unregistered
        .iter()
        .map(|namespace| (namespace.clone(), Vec::new()))
        .collect();
    for kind in kinds {
        let Some((namespace, own)) = kind.split_once('/') else {
            continue;
        };
        let entry = json!({"resourceType": own, "locations": ["West Europe"], "apiVersions": versions(world, &kind)});
        match namespaces
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(namespace))
        {
            Some((_, types)) => types.push(entry),
            None => namespaces.push((namespace.to_owned(), vec![entry])),
        }
    }
    namespaces
        .into_iter()
        .map(|(namespace, types)| {
            let off = world
                .unregistered
                .iter()
                .any(|other| other.eq_ignore_ascii_case(&namespace));
            json!({
                "namespace": namespace,
                "registrationState": if off { "NotRegistered" } else { "Registered" },
                "resourceTypes": types,
            })
        })
        .collect()
}

fn versions(world: &World, kind: &str) -> Vec<String> {
    world
        .versions
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(kind))
        .map_or_else(
            || VERSIONS.map(str::to_owned).to_vec(),
            |(_, versions)| versions.clone(),
        )
}

fn graph(world: &World, request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let asked: Vec<String> = body
        .get("subscriptions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_ascii_lowercase)
        .collect();
    if !text(&body, "query").contains("order by id") {
        return error(400, "BadRequest", "the query is not ordered");
    }
    if text(&body, "query").starts_with("resourcecontainers ") {
        let root = [ROOT.to_owned()];
        let data: Vec<Value> = world
            .subscriptions
            .iter()
            .filter(|id| asked.contains(&id.to_ascii_lowercase()))
            .filter(|id| {
                let scope = format!("/subscriptions/{id}");
                !denies(world, "Microsoft.Resources/subscriptions/read", &scope)
            })
            .map(|id| {
                let own = world.chains.iter().find(|(one, _)| one == id);
                let groups = own.map_or(&root[..], |(_, groups)| groups);
                let chain: Vec<Value> = groups
                    .iter()
                    .map(|name| json!({"displayName": name, "name": name}))
                    .collect();
                json!({"id": format!("/subscriptions/{id}"), "type": "microsoft.resources/subscriptions", "name": "one", "chain": chain})
            })
            .collect();
        let count = data.len();
        return ok(
            &json!({"totalRecords": count, "count": count, "resultTruncated": "false", "data": data}),
        );
    }
    let mut rows: Vec<Value> = world
        .resources
        .iter()
        .filter(|item| {
            let id = text(item, "id").to_ascii_lowercase();
            asked
                .iter()
                .any(|one| covers(&format!("/subscriptions/{one}"), &id))
                && id.contains("/resourcegroups/")
                && kind_of(&id).matches('/').count() == 1
                && id.matches("/providers/").count() == 1
        })
        .filter(|item| !denies_item(world, item))
        .map(|item| json!({"id": item["id"], "type": text(item, "type").to_ascii_lowercase()}))
        .collect();
    rows.sort_by_key(|row| text(row, "id").to_ascii_lowercase());
    let from: usize = body
        .pointer("/options/$skipToken")
        .and_then(Value::as_str)
        .and_then(|token| token.parse().ok())
        .unwrap_or(0);
    let size = world.page.max(1) * 4;
    let total = rows.len();
    let data: Vec<Value> = rows.into_iter().skip(from).take(size).collect();
    let mut answer = json!({"totalRecords": total, "count": data.len(), "resultTruncated": "false", "data": data});
    if let Some(map) = answer.as_object_mut().filter(|_| from + size < total) {
        map.insert("$skipToken".to_owned(), json!((from + size).to_string()));
        map.insert("resultTruncated".to_owned(), json!("true"));
    }
    ok(&answer)
}

fn directory(world: &World, path: &str, query: &[(String, String)], request: &Request) -> Answer {
    let by_id = |id: &str| {
        world
            .directory
            .iter()
            .find(|item| text(item, "id").eq_ignore_ascii_case(id))
    };
    if path == "/v1.0/directoryobjects/getbyids" {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let items: Vec<Value> = body
            .get("ids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(by_id)
            .map(without_members)
            .collect();
        return ok(&json!({"value": items}));
    }
    if let Some(group) = path
        .strip_prefix("/v1.0/groups/")
        .and_then(|rest| rest.strip_suffix("/transitivemembers"))
    {
        let members = by_id(group).map_or(&Value::Null, |group| &group["members"]);
        let items: Vec<Value> = members
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(by_id)
            .map(without_members)
            .collect();
        return ok(&json!({"value": items}));
    }
    if path == "/v1.0/applications" {
        let wanted = query
            .iter()
            .find(|(key, _)| key == "$filter")
            .and_then(|(_, value)| value.split('\'').nth(1))
            .unwrap_or_default();
        let items: Vec<Value> = world
            .directory
            .iter()
            .filter(|item| text(item, "@odata.type") == "#microsoft.graph.application")
            .filter(|item| text(item, "appId") == wanted)
            .cloned()
            .collect();
        return ok(&json!({"value": items}));
    }
    error(404, "Request_ResourceNotFound", "no such object")
}

fn without_members(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(map) = item.as_object_mut() {
        map.remove("members");
    }
    item
}

/// One page of a list, and where the next one is.
fn page(
    world: &World,
    address: &str,
    path: &str,
    query: &[(String, String)],
    items: Vec<Value>,
) -> Answer {
    let from: usize = query
        .iter()
        .find(|(key, _)| key == "$skiptoken")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let size = world.page.max(1);
    let total = items.len();
    let value: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    let mut body = json!({ "value": value });
    if let Some(map) = body.as_object_mut().filter(|_| from + size < total) {
        let kept: Vec<String> = query
            .iter()
            .filter(|(key, _)| key != "$skiptoken")
            .map(|(key, value)| format!("{key}={}", value.replace(' ', "%20").replace('\'', "%27")))
            .collect();
        let link = format!(
            "{address}{path}?{}&$skiptoken={}",
            kept.join("&"),
            from + size
        );
        map.insert("nextLink".to_owned(), json!(link));
    }
    ok(&body)
}

fn ok(body: &Value) -> Answer {
    Answer {
        status: 200,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

/// Azure's form of an error.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: json!({"error": {"code": code, "message": message}})
            .to_string()
            .into_bytes(),
    }
}

/// Changes a key of an answer.
pub(super) fn set(answer: &mut Answer, key: &str, value: Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(map) = body.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
    answer.body = body.to_string().into_bytes();
}

fn shown(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(map) = item.as_object_mut() {
        map.remove("_source");
    }
    item
}

fn subscription(world: &World, path: &str) -> Option<(String, String)> {
    let id = path.strip_prefix("/subscriptions/")?.split('/').next()?;
    let known = world
        .subscriptions
        .iter()
        .any(|one| one.eq_ignore_ascii_case(id));
    let scope = format!("/subscriptions/{id}");
    let rest = path.get(scope.len()..)?.to_owned();
    known.then_some((scope, rest))
}

/// The type of an id or of the address of a list, in lower case.
fn kind_of(path: &str) -> String {
    let tail = path.rsplit("/providers/").next().unwrap_or_default();
    let mut parts = tail.split('/');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(own) = parts.next() {
        text.push('/');
        text.push_str(own);
        if parts.next().is_none() {
            break;
        }
    }
    text
}

fn denies_item(world: &World, item: &Value) -> bool {
    let id = text(item, "id").to_ascii_lowercase();
    denies(world, &format!("{}/read", kind_of(&id)), &id)
}

fn denies(world: &World, action: &str, scope: &str) -> bool {
    world.denied.iter().any(|(denied, at)| {
        denied.eq_ignore_ascii_case(action) && covers(&at.to_ascii_lowercase(), scope)
    })
}

/// Whether one scope holds another.
fn covers(outer: &str, inner: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn text<'v>(item: &'v Value, key: &str) -> &'v str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The pairs of a query or of a form.
fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = String::from_utf8_lossy(&hex).into_owned();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
