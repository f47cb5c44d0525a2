//! The Logs Ingestion API of Azure Monitor, as far as a sender sees it: streams of data collection rules, limits and
//! rights. Written to Azure/azure-rest-api-specs, specification/monitor/data-plane/ingestion (`2023-01-01`:
//! `POST /dataCollectionRules/{ruleId}/streams/{stream}`, an array of rows, 204), and to the limits of
//! <https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#logs-ingestion-api>.

use serde_json::Value;

use super::answers::error;
use super::{Answer, Request, State, World, locked};

/// The token for Azure Monitor, which nothing else takes.
pub const MONITOR_TOKEN: &str = "token-for-azure-monitor";
/// What it is asked for by.
pub(super) const SCOPE: &str = "https://monitor.azure.com//.default";
/// The most bytes of a call.
const MOST: usize = 1 << 20;

/// Answers one request for a stream.
pub(super) fn answer(state: &State, world: &World, request: &Request) -> Answer {
    if request.authorization != format!("Bearer {MONITOR_TOKEN}") {
        return error(401, "InvalidToken", "the token is none for Azure Monitor");
    }
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    if query != "api-version=2023-01-01" {
        return error(400, "InvalidApiVersion", "unknown version");
    }
    if request.method != "POST" {
        return error(405, "MethodNotAllowed", "rows are posted");
    }
    if !world.streams.iter().any(|stream| stream == path) {
        return error(404, "NotFound", "there is no such stream");
    }
    if request.body.len() > MOST.min(world.most_of_a_call.unwrap_or(MOST)) {
        return error(413, "ContentLengthLimitExceeded", "too large");
    }
    let Ok(Value::Array(rows)) = serde_json::from_slice(&request.body) else {
        return error(400, "InvalidContent", "rows are an array");
    };
    locked(&state.rows).extend(rows);
    Answer {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    }
}
