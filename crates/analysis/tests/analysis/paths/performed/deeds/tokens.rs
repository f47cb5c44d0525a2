//! Tokens of service accounts: in Secrets, asked for, of accounts that are not there yet, for somebody else than the
//! API server.

use analysis::paths::Edge;
use oracle::ApiServer;
use serde_json::{Value, json};

use super::super::estate::{IDENTITY, ISSUER};
use super::{Deed, core, deed, makes_pod, reads, status, writers};

/// Whom the API server takes a token for.
pub(in super::super) fn user_of(server: &ApiServer, token: &str) -> String {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (_, answer) = server
        .request_as(token, "POST", path, Some(&review))
        .unwrap();
    let name = answer["status"]["userInfo"]["username"].as_str();
    name.unwrap_or_default().to_owned()
}

fn ask(audiences: &[&str], bound: Option<&Value>) -> Value {
    let mut request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": audiences}});
    if let Some(bound) = bound {
        request["spec"]["boundObjectRef"] = bound.clone();
    }
    request
}

fn asked(
    server: &ApiServer,
    token: &str,
    namespace: &str,
    account: &str,
    request: &Value,
) -> Option<String> {
    let path = core(namespace, &format!("serviceaccounts/{account}/token"));
    let (status, answer) = server
        .request_as(token, "POST", &path, Some(request))
        .unwrap();
    (status == 201).then(|| answer["status"]["token"].as_str().unwrap().to_owned())
}

/// The token that a pod of an account mounts.
pub(in super::super) fn of_pod(
    server: &ApiServer,
    namespace: &str,
    pod: &str,
    account: &str,
) -> String {
    let (_, object) = server
        .request("GET", &core(namespace, &format!("pods/{pod}")), None)
        .unwrap();
    let bound =
        json!({"kind": "Pod", "apiVersion": "v1", "name": pod, "uid": object["metadata"]["uid"]});
    asked(
        server,
        server.token(),
        namespace,
        account,
        &ask(&[], Some(&bound)),
    )
    .unwrap()
}

/// A token is taken for its account by whom it is meant for, as long as what it is bound to is there.
pub(in super::super) fn are_what_they_say(server: &ApiServer) {
    let own = of_pod(server, "n0", "p0", "a0");
    assert_eq!(user_of(server, &own), "system:serviceaccount:n0:a0");
    let other = asked(server, server.token(), "n0", "a0", &ask(&["other"], None)).unwrap();
    assert_eq!(user_of(server, &other), "");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bound"}});
    let secrets = core("n0", "secrets");
    let (_, secret) = server.request("POST", &secrets, Some(&secret)).unwrap();
    let bound = json!({"kind": "Secret", "apiVersion": "v1", "name": "bound", "uid": secret["metadata"]["uid"]});
    let own = asked(server, server.token(), "n0", "a0", &ask(&[], Some(&bound))).unwrap();
    assert_eq!(user_of(server, &own), "system:serviceaccount:n0:a0");
    server
        .request("DELETE", &format!("{secrets}/bound"), None)
        .unwrap();
    // What was found good is so for a few seconds.
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": own}});
    let (_, answer) = server
        .eventually("POST", path, Some(&review), |_, answer| {
            answer["status"]["authenticated"] != true
        })
        .unwrap();
    assert_ne!(answer["status"]["authenticated"], true);
}

pub(super) fn add(all: &mut Vec<Deed>, namespace: &'static str) {
    all.push(deed(
        "read the token in a Secret of",
        namespace,
        &[Edge::SecretRead],
        &["secret:NS/legacy"],
        move |server, token| {
            let path = core(namespace, "secrets/legacy");
            let (_, secret) = server
                .eventually("GET", &path, None, |_, secret| {
                    secret["data"]["token"].is_string()
                })
                .unwrap();
            let own = oracle::from_base64(secret["data"]["token"].as_str().unwrap()).unwrap();
            let account = format!("system:serviceaccount:{namespace}:a0");
            assert_eq!(user_of(server, &own), account);
            reads(server, token, namespace, "legacy")
        },
    ));
    all.push(deed(
        "make an account that a binding names, and be it, in",
        namespace,
        &[Edge::TokenRequest, Edge::PodCreate, Edge::PodPatch],
        &["sa:NS/robot"],
        move |server, token| {
            let path = core(namespace, "serviceaccounts");
            let robot = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}});
            if status(server, token, "POST", &path, Some(&robot)) != 201 {
                return false;
            }
            let own = asked(server, token, namespace, "robot", &ask(&[], None));
            if let Some(own) = &own {
                assert_eq!(user_of(server, own), format!("system:serviceaccount:{namespace}:robot"));
            }
            let is = own.is_some()
                || makes_pod(server, token, namespace, "robot", false)
                || writers::changes_any(server, token, namespace, "robot");
            assert_eq!(server.request("DELETE", &format!("{path}/robot"), None).unwrap().0, 200);
            is
        },
    ));
    if namespace != "n0" {
        return;
    }
    // Its own pod mounts no token for Entra.
    all.push(deed(
        "be the identity that trusts an account of",
        namespace,
        &[
            Edge::FederatedIdentity,
            Edge::TokenRequest,
            Edge::PodCreate,
            Edge::PodPatch,
        ],
        &[&format!("entra:{IDENTITY}")],
        move |server, token| {
            let audience = "api://AzureADTokenExchange";
            if let Some(own) = asked(server, token, namespace, "a0", &ask(&[audience], None)) {
                let claims = oracle::from_base64url(own.split('.').nth(1).unwrap()).unwrap();
                let claims: Value = serde_json::from_str(&claims).unwrap();
                assert_eq!(claims["iss"], ISSUER);
                assert_eq!(claims["sub"], "system:serviceaccount:n0:a0");
                assert_eq!(claims["aud"], json!([audience]));
                return true;
            }
            makes_pod(server, token, namespace, "a0", false)
                || writers::changes_any(server, token, namespace, "a0")
        },
    ));
}
