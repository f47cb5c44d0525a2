//! What is said of signatures and statements, from bytes.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "images/keyless.rs"]
mod keyless;
#[path = "images/public.rs"]
mod public;

use images::Outcome;
use images::cosign::Trust;
use images::sigstore::identity::Identity;
use images::sigstore::root::Root;
use serde_json::Value;

const DEV: &str = "https://accounts.example.com=dev@example.com";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn trust(root: &Value, identity: &str) -> Trust {
    Trust {
        keys: Vec::new(),
        root: Some(Root::read(&root.to_string()).unwrap()),
        identities: vec![Identity::exactly(identity).unwrap()],
    }
}

#[track_caller]
fn is(said: (Outcome, String), outcome: Outcome, why: &str) {
    assert!(said.0 == outcome && said.1.contains(why), "{said:?}");
}

/// The bundle with something else at a place.
fn with(bundle: &Value, route: &str, value: impl Into<Value>) -> Value {
    let mut changed = bundle.clone();
    *changed.pointer_mut(route).unwrap() = value.into();
    changed
}
