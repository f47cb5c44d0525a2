//! A real API server writes the log, and judges what was learned from it.

use std::time::{Duration, Instant};

use audit::learn::{Grant, Learned, Limits, Rule, compose};
use audit::{Options, Source};
use oracle::ApiServer;
use serde_json::{Value, json};

use crate::learned::lines;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What each user does, as the path that it asks for; some of it is denied.
fn scripted(server: &ApiServer) {
    let ask = |user: &str, method: &str, path: &str, body: Option<&Value>| {
        server
            .request_as(server.token_of(user), method, path, body)
            .unwrap()
            .0
    };
    let map = |name: &str| json!({"metadata": {"name": name}, "data": {"a": "b"}});
    let patch = json!({"data": {"a": "c"}});
    for name in ["one", "two"] {
        ask(
            "alice",
            "POST",
            "/api/v1/namespaces/shop/configmaps",
            Some(&map(name)),
        );
    }
    ask(
        "alice",
        "GET",
        "/api/v1/namespaces/shop/configmaps/one",
        None,
    );
    ask(
        "alice",
        "GET",
        "/api/v1/namespaces/bank/configmaps/one",
        None,
    );
    ask(
        "alice",
        "PATCH",
        "/api/v1/namespaces/shop/configmaps/one",
        Some(&patch),
    );
    ask(
        "alice",
        "GET",
        "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Ddb",
        None,
    );
    ask("alice", "GET", "/api/v1/namespaces/shop/pods/web/log", None);
    ask(
        "alice",
        "POST",
        "/api/v1/namespaces/shop/pods/web/exec?command=id",
        Some(&json!({})),
    );
    ask(
        "alice",
        "DELETE",
        "/api/v1/namespaces/bank/configmaps",
        None,
    );
    ask("alice", "GET", "/api/v1/namespaces/shop", None);
    for number in 0..12 {
        ask(
            "alice",
            "GET",
            &format!("/apis/apps/v1/namespaces/shop/deployments/d{number}"),
            None,
        );
    }
    for number in 0..12 {
        ask(
            "bob",
            "GET",
            &format!("/api/v1/namespaces/n{number}/services/s"),
            None,
        );
    }
    ask("bob", "GET", "/api/v1/nodes", None);
    ask("bob", "GET", "/api/v1/nodes/n1", None);
    ask("bob", "GET", "/metrics", None);
    ask("bob", "GET", "/api/v1/namespaces/shop/endpoints", None);
    ask(
        "bob",
        "GET",
        "/apis/apps/v1/namespaces/shop/deployments/d1/scale",
        None,
    );
    // Denied: no role lets mallory.
    ask("mallory", "GET", "/api/v1/namespaces/shop/secrets", None);
    ask("mallory", "DELETE", "/api/v1/namespaces/shop", None);
    // Let as somebody else.
    let impersonate = [("Impersonate-User", "dave"), ("Impersonate-Group", "ops")];
    let path = "/api/v1/namespaces/shop/services";
    let token = server.token_of("carol");
    server
        .request_with(token, &impersonate, "GET", path, None)
        .unwrap();
}

fn wide(server: &ApiServer) {
    let anything = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]}
    ]);
    for user in ["alice", "bob", "carol", "dave"] {
        let role = json!({"metadata": {"name": user}, "rules": anything});
        server
            .request("POST", &format!("{RBAC}/clusterroles"), Some(&role))
            .unwrap();
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
        });
        server
            .request(
                "POST",
                &format!("{RBAC}/clusterrolebindings"),
                Some(&binding),
            )
            .unwrap();
    }
    for namespace in ["shop", "bank"] {
        let body = json!({"metadata": {"name": namespace}});
        server
            .request("POST", "/api/v1/namespaces", Some(&body))
            .unwrap();
    }
}

fn rule(rule: &Rule) -> Value {
    let mut object = json!({"verbs": rule.verbs});
    if rule.urls.is_empty() {
        object["apiGroups"] = json!(rule.groups);
        object["resources"] = json!(rule.resources);
        if !rule.names.is_empty() {
            object["resourceNames"] = json!(rule.names);
        }
    } else {
        object["nonResourceURLs"] = json!(rule.urls);
    }
    object
}

/// Where a role of a grant is kept.
fn path(grant: &Grant, kind: &str) -> String {
    match &grant.namespace {
        Some(namespace) => format!("{RBAC}/namespaces/{namespace}/{kind}s"),
        None => format!("{RBAC}/cluster{kind}s"),
    }
}

fn role(grant: &Grant, user: &str, without: Option<usize>) -> Value {
    let rules: Vec<Value> = grant
        .rules
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != without)
        .map(|(_, one)| rule(one))
        .collect();
    json!({"metadata": {"name": format!("learned-{user}")}, "rules": rules})
}

fn apply(server: &ApiServer, user: &str, grants: &[Grant]) {
    for grant in grants {
        let made = server.request("POST", &path(grant, "role"), Some(&role(grant, user, None)));
        assert_eq!(made.unwrap().0, 201);
        let kind = if grant.namespace.is_some() {
            "Role"
        } else {
            "ClusterRole"
        };
        let binding = json!({
            "metadata": {"name": format!("learned-{user}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": format!("learned-{user}")},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
        });
        let made = server.request("POST", &path(grant, "rolebinding"), Some(&binding));
        assert_eq!(made.unwrap().0, 201);
    }
}

/// The questions that the log says were answered with yes, as somebody else reads it: by its own JSON.
fn reviews(log: &str, user: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for event in log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let acting = if event["impersonatedUser"].is_object() {
            &event["impersonatedUser"]
        } else {
            &event["user"]
        };
        let allowed = event["annotations"]["authorization.k8s.io/decision"] == "allow";
        if acting["username"] != user || !allowed {
            continue;
        }
        let mut spec = json!({"user": user, "groups": ["system:authenticated"]});
        let object = &event["objectRef"];
        if object.is_object() {
            let verb = event["verb"].as_str().unwrap();
            let sub = object["subresource"].as_str().unwrap_or_default();
            let mut asked = json!({
                "verb": verb, "resource": object["resource"], "version": object["apiVersion"],
                "group": object["apiGroup"].as_str().unwrap_or_default(),
                "namespace": object["namespace"].as_str().unwrap_or_default(), "subresource": sub,
            });
            if verb != "create" || !sub.is_empty() {
                asked["name"] = object["name"].clone();
            }
            spec["resourceAttributes"] = asked;
        } else {
            let path = event["requestURI"]
                .as_str()
                .unwrap()
                .split('?')
                .next()
                .unwrap();
            spec["nonResourceAttributes"] = json!({"path": path, "verb": event["verb"]});
        }
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        if !all.contains(&review) {
            all.push(review);
        }
    }
    all
}

/// Those that are denied now.
fn denied<'r>(server: &ApiServer, reviews: &'r [Value]) -> Vec<&'r Value> {
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    reviews
        .iter()
        .filter(|review| {
            let (status, answer) = server.request("POST", path, Some(review)).unwrap();
            assert_eq!(status, 201, "{answer}");
            answer["status"]["allowed"] != true
        })
        .collect()
}

/// Asks until it is so: the authorizer sees changed roles a moment later.
fn eventually<'r>(
    server: &ApiServer,
    reviews: &'r [Value],
    wanted: impl Fn(&[&Value]) -> bool,
) -> Vec<&'r Value> {
    let begin = Instant::now();
    loop {
        let now = denied(server, reviews);
        if wanted(&now) || begin.elapsed() > Duration::from_secs(30) {
            return now;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn learned_roles_allow_what_was_allowed_and_hold_nothing_to_spare() {
    let options = oracle::Options::default()
        .user("alice", &[])
        .user("bob", &[])
        .user("carol", &[])
        .user("mallory", &[])
        .audit();
    let server = ApiServer::start_with(&options).unwrap();
    wide(&server);
    let ready = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": "dave", "resourceAttributes": {"verb": "get", "resource": "pods"}}});
    assert!(eventually(&server, &[ready], |denied| denied.is_empty()).is_empty());
    scripted(&server);
    let log = std::fs::read_to_string(server.audit_log()).unwrap();
    let sources = [Source::File(server.audit_log())];
    let (learned, losses) = audit::read(&sources, Options::default(), || {
        Learned::new(Limits::default())
    })
    .unwrap();
    assert_eq!(
        (losses.unreadable, losses.cut(), losses.duplicates),
        (0, 0, 0)
    );
    let identities = learned.identities();
    let rules = |user: &str| compose(&identities[user].atoms(), false);
    assert_eq!(
        lines(&rules("alice")),
        [
            "bank: deletecollection /configmaps",
            "bank: get /configmaps [one]",
            "shop: create /configmaps",
            "shop: list /secrets [db]",
            "shop: get,patch /configmaps [one]",
            "shop: get /namespaces [shop]",
            "shop: create /pods/exec [web]",
            "shop: get /pods/log [web]",
            "shop: get apps/deployments",
        ]
    );
    assert_eq!(
        lines(&rules("bob")),
        [
            "*: list /nodes",
            "*: get /nodes [n1]",
            "*: get /services [s]",
            "*: get /metrics",
            "shop: list /endpoints",
            "shop: get apps/deployments/scale [d1]",
        ]
    );
    assert_eq!(
        lines(&rules("carol")),
        [
            "*: impersonate /users [dave]",
            "*: impersonate /groups [ops]"
        ]
    );
    assert_eq!(lines(&rules("dave")), ["shop: list /services"]);
    assert_eq!(lines(&rules("mallory")), Vec::<String>::new());
    assert_eq!(identities["mallory"].denied_requests, 2);
    for user in ["alice", "bob", "carol", "dave"] {
        let path = format!("{RBAC}/clusterrolebindings/{user}");
        server.request("DELETE", &path, None).unwrap();
    }
    let impersonating: Vec<Value> = [("users", "dave"), ("groups", "ops")]
        .map(|(resource, name)| {
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": {"user": "carol", "resourceAttributes":
                    {"verb": "impersonate", "resource": resource, "name": name}}})
        })
        .to_vec();
    for user in ["alice", "bob", "carol", "dave"] {
        let (grants, mut asked) = (rules(user), reviews(&log, user));
        if user == "carol" {
            asked.clone_from(&impersonating);
        }
        assert!(!asked.is_empty());
        let all = asked.len();
        assert_eq!(
            eventually(&server, &asked, |denied| denied.len() == all).len(),
            all
        );
        apply(&server, user, &grants);
        let left = eventually(&server, &asked, |denied| denied.is_empty());
        assert!(left.is_empty(), "{user}: {left:#?}");
        for grant in &grants {
            let place = format!("{}/learned-{user}", path(grant, "role"));
            for at in 0..grant.rules.len() {
                server
                    .request("PUT", &place, Some(&role(grant, user, Some(at))))
                    .unwrap();
                let broken = eventually(&server, &asked, |denied| !denied.is_empty());
                assert!(!broken.is_empty(), "{user}: rule {at} of {place} is spare");
                server
                    .request("PUT", &place, Some(&role(grant, user, None)))
                    .unwrap();
                let left = eventually(&server, &asked, |denied| denied.is_empty());
                assert!(left.is_empty(), "{user}: {left:#?}");
            }
        }
    }
}
