//! Resource Graph: which resources a subscription has, as far as the caller may read them. It finds what
//! can be read one by one where a provider's list is refused, what a list left out, and the types
//! that nobody asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::client::{Client, Failure};
use super::http::header;

/// Its stable version (Azure/azure-rest-api-specs, specification/resourcegraph).
const VERSION: &str = "2024-04-01";
/// A page of it is no longer.
const PAGE: u32 = 1000;
const MOST_PAGES: usize = 1000;

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
    let url = match arm.address(&format!(
        "/providers/Microsoft.ResourceGraph/resources?api-version={VERSION}"
    )) {
        Ok(url) => url,
        Err(failure) => {
            inventory.failure = Some(failure);
            return inventory;
        }
    };
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
            "subscriptions": [subscription],
            "query": "resources | project id, type | order by id asc",
            "options": options,
        });
        let (page, headers) = match arm.ask(Method::POST, &url, Some(&body)).await {
            Ok(done) => done,
            Err(failure) => {
                inventory.failure = Some(failure);
                return inventory;
            }
        };
        match inventory.take(&page) {
            Ok(next) => token = next,
            Err(failure) => {
                inventory.failure = Some(failure);
                return inventory;
            }
        }
        let Some(next) = &token else {
            return inventory;
        };
        if !seen.insert(next.clone()) || seen.len() > MOST_PAGES {
            inventory.failure = Some(Failure::of("the pages of Resource Graph do not end"));
            return inventory;
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
