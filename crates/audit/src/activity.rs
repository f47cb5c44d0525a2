//! Operations of Azure Resource Manager, in whichever shape somebody kept the activity log, written down as diagnostic
//! settings write them.
//!
//! | from | what differs |
//! |---|---|
//! | diagnostic settings (Event Hub, storage account) | nothing: `operationName`, `resultType`, `identity.claims` |
//! | the REST API and `az monitor activity-log list` | texts are `{"value", "localizedValue"}`, `claims` and `authorization` stand at the top, the address in `httpRequest` |
//! | Log Analytics, table `AzureActivity` | columns; `Claims` and `Authorization` are texts that hold JSON, or `_d` ones objects |
//!
//! Sources: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema,
//! learn.microsoft.com/rest/api/monitor/activity-logs/list and
//! learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity. A record that is cut stays as it is.

use serde_json::{Map, Value};

/// The operation as diagnostic settings write it; `None` where it is written so already, or is not all there.
pub(crate) fn diagnostic(record: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(record).ok()?;
    let given = value.as_object()?;
    let is_row = given.contains_key("OperationNameValue");
    if !is_row && !given.get("operationName")?.is_object() {
        return None;
    }
    let mut made = Map::new();
    let mut put = |key: &str, names: &[&str]| {
        let mut values = names.iter().filter_map(|name| given.get(*name)).map(plain);
        if let Some(value) = values.find(|value| !is_empty(value)) {
            made.insert(key.to_owned(), value);
        }
    };
    put(
        "time",
        &[
            "eventTimestamp",
            "TimeGenerated",
            "EventSubmissionTimestamp",
        ],
    );
    put("resourceId", &["resourceId", "_ResourceId", "ResourceId"]);
    put("operationName", &["operationName", "OperationNameValue"]);
    put("category", &["category", "CategoryValue"]);
    put(
        "resultType",
        &["status", "ActivityStatusValue", "ActivityStatus"],
    );
    put("resultSignature", &["subStatus", "ActivitySubstatusValue"]);
    put("callerIpAddress", &["CallerIpAddress"]);
    put("correlationId", &["correlationId", "CorrelationId"]);
    put("caller", &["caller", "Caller"]);
    put("level", &["level", "Level"]);
    put("properties", &["properties", "Properties_d", "Properties"]);
    if let Some(result) = made.get_mut("resultType")
        && let Some(word) = result.as_str().map(result_type)
    {
        *result = word.into();
    }
    let address = ["httpRequest", "HTTPRequest"].iter().find_map(|name| {
        let request = tree(given.get(*name)?)?;
        request.get("clientIpAddress").cloned()
    });
    if let Some(address) = address {
        made.entry("callerIpAddress").or_insert(address);
    }
    let mut identity = Map::new();
    for (key, names) in [
        (
            "authorization",
            ["authorization", "Authorization_d", "Authorization"],
        ),
        ("claims", ["claims", "Claims_d", "Claims"]),
    ] {
        let found = names.iter().find_map(|name| tree(given.get(*name)?));
        if let Some(value) = found {
            identity.insert(key.to_owned(), value);
        }
    }
    if !identity.is_empty() {
        made.insert("identity".to_owned(), identity.into());
    }
    serde_json::to_vec(&made).ok()
}

/// The text of `{"value": …, "localizedValue": …}`.
fn plain(value: &Value) -> Value {
    match value.get("value") {
        Some(inner) if value.get("localizedValue").is_some() => inner.clone(),
        _ => value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// An object, or the one that a text holds.
fn tree(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) => serde_json::from_str(text).ok().filter(Value::is_object),
        _ => None,
    }
}

/// The words of the REST API as diagnostic settings write them.
fn result_type(status: &str) -> &str {
    match status {
        "Succeeded" => "Success",
        "Failed" => "Failure",
        "Started" => "Start",
        "Accepted" => "Accept",
        other => other,
    }
}
