//! Resource Graph: which resources a subscription has, as far as the caller may read them. It finds what
//! can be read one by one where a provider's list is refused, what a list left out, the types
//! that nobody asks for, and which management groups a subscription is in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::client::{Client, Failure};
use super::http::header;
use super::is_guid;
use super::table::SUBSCRIPTION;

/// Its stable version (Azure/azure-rest-api-specs, specification/resourcegraph).
const VERSION: &str = "2024-04-01";
/// A page of it is no longer.
const PAGE: u32 = 1000;
const MOST_PAGES: usize = 1000;
/// Subscriptions of one query.
const AT_ONCE: usize = 100;

/// The ids of a subscription's resources by type in lower case.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) by_type: BTreeMap<String, Vec<String>>,
    /// Why there may be more.
    pub(crate) failure: Option<Failure>,
}

/// Asks for everything in a subscription.
pub(crate) async fn inventory(arm: &Client<'_>, subscription: &str) -> Inventory {
    let mut inventory = Inventory::default();
    let query = "resources | project id, type | order by id asc";
    let mut take = |page: &Value| inventory.take(page);
    let asked = rows(arm, &[subscription.to_owned()], query, &mut take).await;
    inventory.failure = asked.err();
    inventory
}

/// The subscriptions with the management groups above them, from the nearest to the root, as objects that
/// `analysis::roles` and `model::azure` read
/// (<https://learn.microsoft.com/azure/governance/management-groups/resource-graph-samples>).
pub(crate) async fn chains(
    arm: &Client<'_>,
    subscriptions: &[String],
) -> (Vec<(String, Value)>, Option<Failure>) {
    let mut found = Vec::new();
    let query = "resourcecontainers | where type == 'microsoft.resources/subscriptions' \
                 | project id, type, name, chain = properties.managementGroupAncestorsChain | order by id asc";
    for some in subscriptions.chunks(AT_ONCE) {
        let mut take = |page: &Value| {
            let next = next(page)?;
            let rows = page.get("data").and_then(Value::as_array);
            found.extend(rows.into_iter().flatten().filter_map(with_chain));
            Ok(next)
        };
        if let Err(failure) = rows(arm, some, query, &mut take).await {
            return (found, Some(failure));
        }
    }
    let missing = subscriptions.len().saturating_sub(found.len());
    let failure = (missing > 0).then(|| {
        Failure::of(format!(
            "Resource Graph does not show {missing} of {} subscriptions",
            subscriptions.len()
        ))
    });
    (found, failure)
}

/// A subscription with its chain, where it has one.
fn with_chain(row: &Value) -> Option<(String, Value)> {
    let own = row.get("id")?.as_str()?.rsplit('/').next()?;
    let own = Some(own).filter(|own| is_guid(own))?.to_ascii_lowercase();
    let chain = row.get("chain")?.as_array()?;
    let groups: Vec<Value> = chain
        .iter()
        .filter_map(|group| group.get("name")?.as_str())
        .map(|name| json!({"name": name}))
        .collect();
    let id = format!("/providers/{SUBSCRIPTION}/{own}");
    let value = json!({
        "id": id, "type": SUBSCRIPTION, "name": own, "apiVersion": VERSION,
        "properties": {
            "displayName": row.get("name"),
            "managementGroupAncestorsChain": groups,
        },
    });
    Some((id, value))
}

/// All pages of a query.
async fn rows(
    arm: &Client<'_>,
    subscriptions: &[String],
    query: &str,
    take: &mut dyn FnMut(&Value) -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    let url = arm.address(&format!(
        "/providers/Microsoft.ResourceGraph/resources?api-version={VERSION}"
    ))?;
    let mut token: Option<String> = None;
    let mut seen = BTreeSet::new();
    loop {
        // Pages are only repeatable when they are ordered
        // (https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data).
        let mut options = json!({"$top": PAGE, "resultFormat": "objectArray"});
        if let (Some(token), Some(options)) = (&token, options.as_object_mut()) {
            options.insert("$skipToken".to_owned(), json!(token));
        }
        let body = json!({
            "subscriptions": subscriptions,
            "query": query,
            "options": options,
        });
        let (page, headers) = arm.ask(Method::POST, &url, Some(&body)).await?;
        token = take(&page)?;
        let Some(next) = &token else {
            return Ok(());
        };
        if !seen.insert(next.clone()) || seen.len() > MOST_PAGES {
            return Err(Failure::of("the pages of Resource Graph do not end"));
        }
        if let Some(wait) = quota(&headers) {
            tokio::time::sleep(wait.min(arm.pace.longest_wait)).await;
        }
    }
}

impl Inventory {
    fn take(&mut self, page: &Value) -> Result<Option<String>, Failure> {
        let Some(rows) = page.get("data").and_then(Value::as_array) else {
            return Err(Failure::of("Resource Graph's answer has no rows"));
        };
        for row in rows {
            let text = |key: &str| row.get(key).and_then(Value::as_str);
            let (Some(id), Some(kind)) = (text("id"), text("type")) else {
                return Err(Failure::of("a row of Resource Graph has no id"));
            };
            self.by_type
                .entry(kind.to_ascii_lowercase())
                .or_default()
                .push(id.to_owned());
        }
        next(page)
    }
}

/// What the next page is asked for with.
fn next(page: &Value) -> Result<Option<String>, Failure> {
    let token = page
        .get("$skipToken")
        .and_then(Value::as_str)
        .filter(|token| !token.is_empty());
    let cut = match page.get("resultTruncated") {
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        Some(Value::Bool(cut)) => *cut,
        _ => false,
    };
    if cut && token.is_none() {
        return Err(Failure::of("Resource Graph cut its answer"));
    }
    Ok(token.map(str::to_owned))
}

/// How long to wait before the next query, when this was the last one that the quota allowed
/// (<https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests>).
fn quota(headers: &HeaderMap) -> Option<Duration> {
    let left: u64 = header(headers, "x-ms-user-quota-remaining")?.parse().ok()?;
    if left > 0 {
        return None;
    }
    let mut seconds = 0_u64;
    for part in header(headers, "x-ms-user-quota-resets-after")?.split(':') {
        let part: f64 = part.parse().ok()?;
        seconds = seconds.checked_mul(60)?.checked_add(part.ceil() as u64)?;
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_used_up_quota_is_waited_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(quota(&headers), None);
        headers.insert("x-ms-user-quota-remaining", HeaderValue::from_static("0"));
        headers.insert(
            "x-ms-user-quota-resets-after",
            HeaderValue::from_static("00:01:04"),
        );
        assert_eq!(quota(&headers), Some(Duration::from_secs(64)));
        headers.insert("x-ms-user-quota-remaining", HeaderValue::from_static("3"));
        assert_eq!(quota(&headers), None);
    }

    #[test]
    fn an_answer_that_was_cut_is_no_whole_answer() {
        let mut inventory = Inventory::default();
        let cut = json!({"data": [{"id": "/a", "type": "T"}], "resultTruncated": "true"});
        assert!(inventory.take(&cut).is_err());
        let page = json!({"data": [], "resultTruncated": "true", "$skipToken": "t"});
        assert_eq!(inventory.take(&page), Ok(Some("t".to_owned())));
        assert!(inventory.take(&json!({"data": [{"id": 7}]})).is_err());
        assert!(inventory.take(&json!([])).is_err());
        assert_eq!(inventory.by_type.get("t").map(Vec::len), Some(1));
    }
}
