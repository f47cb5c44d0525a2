//! The set-up itself: a real API server that enforces, controllers that
//! control, an oracle that answers.

use oracle::{ApiServer, Lines, Options, part};
use serde_json::{Value, json};

#[track_caller]
#[expect(clippy::unwrap_used, reason = "a test's helper fails the test")]
fn create(server: &ApiServer, path: &str, object: &Value) {
    let (status, answer) = server.request("POST", path, Some(object)).unwrap();
    assert_eq!(status, 201, "{answer:#}");
}

#[test]
fn a_validating_admission_policy_denies_a_config_map() {
    let server = ApiServer::start().unwrap();
    let (_, version) = server.request("GET", "/version", None).unwrap();
    assert_eq!(version["gitVersion"], "v1.34.4");

    create(
        &server,
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "harbour"}}),
    );
    let policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    create(
        &server,
        policies,
        &json!({"metadata": {"name": "no-storms"}, "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "validations": [{
                "expression": "!has(object.data) || !('storm' in object.data)",
                "messageExpression": "'no storms in ' + namespaceObject.metadata.name",
            }],
        }}),
    );
    create(
        &server,
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        &json!({"metadata": {"name": "no-storms"},
                "spec": {"policyName": "no-storms", "validationActions": ["Deny"]}}),
    );

    let maps = "/api/v1/namespaces/harbour/configmaps";
    let storm = json!({"metadata": {"generateName": "m-"}, "data": {"storm": "12"}});
    let (status, answer) = server
        .eventually("POST", maps, Some(&storm), |status, _| status != 201)
        .unwrap();
    assert_eq!(status, 422, "{answer:#}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("no storms in harbour"), "{message}");
    let calm = json!({"metadata": {"name": "calm"}, "data": {"wind": "2"}});
    create(&server, maps, &calm);
}

#[test]
fn controllers_aggregate_roles_and_make_service_accounts() {
    let options = Options::default()
        .user("jane", &["dev"])
        .controllers()
        .audit();
    let server = ApiServer::start_with(&options).unwrap();
    let (status, _) = server
        .eventually(
            "GET",
            "/api/v1/namespaces/default/serviceaccounts/default",
            None,
            |status, _| status == 200,
        )
        .unwrap();
    assert_eq!(status, 200);

    // Nobody may do anything unless a role says so.
    let path = "/api/v1/namespaces/default/secrets";
    let jane = server.token_of("jane");
    assert_eq!(server.request_as(jane, "GET", path, None).unwrap().0, 403);
    assert_eq!(server.request_as("", "GET", path, None).unwrap().0, 403);
    assert_eq!(server.request_as("x", "GET", path, None).unwrap().0, 401);

    create(
        &server,
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        &json!({
            "metadata": {"name": "tides", "labels": {
                "rbac.authorization.k8s.io/aggregate-to-view": "true",
            }},
            "rules": [{"apiGroups": ["sea"], "resources": ["tides"], "verbs": ["get"]}],
        }),
    );
    let view = "/apis/rbac.authorization.k8s.io/v1/clusterroles/view";
    let holds_tides = |_: u16, role: &Value| role["rules"].to_string().contains("tides");
    let (_, role) = server.eventually("GET", view, None, holds_tides).unwrap();
    assert!(holds_tides(200, &role), "{role:#}");

    let audit = std::fs::read_to_string(server.audit_log()).unwrap();
    assert!(audit.lines().any(|line| line.contains("\"jane\"")));
}

#[test]
fn a_server_and_its_files_end_with_it() {
    let server = ApiServer::start().unwrap();
    let folder = server.kubeconfig().parent().unwrap().to_owned();
    let address = server.url().strip_prefix("https://").unwrap().to_owned();
    assert!(folder.exists());
    drop(server);
    let gone = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        !folder.exists() && std::net::TcpStream::connect(&address).is_err()
    });
    assert!(gone);
}

#[test]
fn the_pod_security_oracle_answers() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"hostPID": true, "containers": [{"name": "c", "image": "i"}]},
    });
    let question = json!({"level": "baseline", "version": "v1.34", "pod": pod});
    let mut oracle = Lines::spawn(part("oracle-pss").unwrap()).unwrap();
    let answer = oracle.ask(&question).unwrap();
    assert_eq!(
        answer,
        json!({"allowed": false, "failed": [{
            "check": "hostNamespaces", "reason": "host namespaces", "detail": "hostPID=true",
        }]})
    );
    let many = vec![question; 5000];
    assert_eq!(oracle.ask_all(&many).unwrap(), vec![answer; 5000]);
}

#[test]
fn an_older_release_is_emulated() {
    let options = Options::default().flag("--emulated-version=1.33");
    let server = ApiServer::start_with(&options).unwrap();
    let (_, version) = server.request("GET", "/version", None).unwrap();
    assert_eq!(version["gitVersion"], "v1.34.4");
    assert_eq!(version["emulationMinor"], "33", "{version:#}");
}
