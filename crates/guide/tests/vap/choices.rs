//! What an export can be asked for beside the plain policies: a label of namespaces that says what
//! is done there and who may set it, and settings in a ConfigMap.

use guide::Guide;
use guide::export::{ConfigMap, Export, NAMESPACE_LABEL, Options, vap};
use guide::setting::setting;
use oracle::User;
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVER, objects};

fn export(guide: &Guide, params: &str, options: Options<'_>, ids: &[&str]) -> Export {
    let setting = setting(guide, Some(params), Some(SERVER)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..options
    };
    vap(guide, &setting, options, |guideline| {
        ids.contains(&&*guideline.id.0)
    })
}

fn apply(cluster: &Cluster, text: &str) {
    for object in objects(text) {
        cluster.create(&cluster.path(&object).unwrap(), &object);
    }
}

fn pod(namespace: &str, image: &str, privileged: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": namespace}, "spec": {
        "containers": [{"name": "app", "image": image, "securityContext": {"privileged": privileged}}],
    }})
}

#[test]
fn a_namespace_says_what_is_done_in_it() {
    let (guide, _) = Guide::builtin();
    let user = |name: &str| User {
        name: name.to_owned(),
        groups: Vec::new(),
    };
    let cluster = Cluster::start_with(&[user("tenant"), user("security")]);
    let options = Options {
        namespace_label: Some(NAMESPACE_LABEL),
        ..Options::default()
    };
    let ids = ["pss-privileged", "rbac-no-wildcards", "adm-psa-labels"];
    let export = export(&guide, "{}", options, &ids);
    assert_eq!(export.policies.len(), 3, "{:?}", export.left_out);
    for text in export
        .policies
        .iter()
        .map(|policy| &policy.text)
        .chain(export.beside.iter().map(|beside| &beside.text))
    {
        apply(&cluster, text);
    }
    let words = ["warn", "audit", "deny", "off", "nonsense"];
    for word in words {
        let labels =
            json!({NAMESPACE_LABEL: word, "pod-security.kubernetes.io/enforce": "restricted"});
        cluster.namespace(&format!("says-{word}"), Some(&labels));
    }
    cluster.namespace(
        "says-nothing",
        Some(&json!({"pod-security.kubernetes.io/enforce": "restricted"})),
    );
    cluster.settle("all-made");

    // Privileged is critical: denied where nothing else is said, or nothing that is known.
    for (word, status, warned) in [
        ("warn", 201, 1),
        ("audit", 201, 0),
        ("deny", 422, 0),
        ("off", 201, 0),
        ("nonsense", 422, 0),
        ("nothing", 422, 0),
    ] {
        let answer = cluster
            .judge(
                &pod(&format!("says-{word}"), "example.azurecr.io/web:1", true),
                "test",
            )
            .unwrap();
        assert_eq!(
            (answer.status, answer.policies.len()),
            (status, warned),
            "{word}: {answer:#?}"
        );
    }
    // The same guideline about objects in namespaces and about others.
    let role = |kind: &str, namespace: Option<&str>| {
        let mut role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "all"},
            "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}]});
        if let Some(namespace) = namespace {
            role["metadata"]["namespace"] = namespace.into();
        }
        role
    };
    let ask = |object: &Value| {
        let answer = cluster.judge(object, "test").unwrap();
        let bindings = answer.body["message"]
            .as_str()
            .map_or(0, |text| text.matches("with binding").count());
        (answer.status, answer.policies.len() + bindings)
    };
    assert_eq!(ask(&role("Role", Some("says-off"))), (201, 0));
    assert_eq!(ask(&role("Role", Some("says-warn"))), (201, 1));
    assert_eq!(ask(&role("Role", Some("says-deny"))), (422, 1));
    // Outside of namespaces one binding judges, not all.
    assert_eq!(
        ask(&role("ClusterRole", None)),
        ask(&role("Role", Some("says-nothing")))
    );

    who_sets_the_label(&cluster);
}

/// The right to write namespaces is not the right to switch policies off.
fn who_sets_the_label(cluster: &Cluster) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces", "namespaces/status", "namespaces/finalize"],
        "verbs": ["get", "create", "update", "patch"]}]);
    cluster.create(
        &format!("{rbac}/clusterroles"),
        &json!({"metadata": {"name": "namespaces"}, "rules": rules}),
    );
    let bind = |name: &str, user: &str, role: &str| {
        let binding = json!({"metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]});
        cluster.create(&format!("{rbac}/clusterrolebindings"), &binding);
    };
    bind("tenant", "tenant", "namespaces");
    bind("security", "security", "namespaces");
    bind("enforcement", "security", "seawall-enforcement");
    let server = &cluster.server;
    let path = "/api/v1/namespaces/says-nothing";
    let set = |word: Value| json!({"metadata": {"labels": {NAMESPACE_LABEL: word}}});
    let send = |user: &str, method: &str, path: &str, body: &Value| {
        server
            .request_as(server.token_of(user), method, path, Some(body))
            .unwrap()
    };
    // Until the rights count.
    let begin = std::time::Instant::now();
    while send("security", "PATCH", path, &set(json!("warn"))).0 != 200 {
        assert!(begin.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for (method, path, body) in [
        ("PATCH", path.to_owned(), set(json!("off"))),
        ("PATCH", format!("{path}/status"), set(json!("off"))),
        ("PATCH", path.to_owned(), set(Value::Null)),
        (
            "POST",
            "/api/v1/namespaces".to_owned(),
            json!({"metadata": {"name": "new", "labels": {NAMESPACE_LABEL: "off", "pod-security.kubernetes.io/enforce": "restricted"}}}),
        ),
    ] {
        let (status, answer) = send("tenant", method, &path, &body);
        assert_eq!(status, 403, "{method} {path}: {answer:#}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("only who may `set`"), "{message}");
    }
    let other = json!({"metadata": {"labels": {"team": "shop"}}});
    assert_eq!(send("tenant", "PATCH", path, &other).0, 200);
    assert_eq!(send("security", "PATCH", path, &set(json!("off"))).0, 200);
}

#[test]
fn settings_change_without_a_new_export() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let map = ConfigMap {
        namespace: "kube-system",
        name: "seawall-settings",
    };
    let options = Options {
        settings: Some(map),
        ..Options::default()
    };
    let params = "{registries: [example.azurecr.io], containerMemoryMaximum: 1Gi}";
    let export = export(
        &guide,
        params,
        options,
        &["img-trusted-registry", "cfg-memory-limit", "pss-privileged"],
    );
    assert_eq!(export.policies.len(), 3, "{:?}", export.left_out);
    let settings = &export.beside.first().unwrap().text;
    for policy in &export.policies {
        assert_eq!(
            policy.text.contains("paramKind"),
            &*policy.guideline.0 != "pss-privileged",
            "{}",
            policy.text
        );
        apply(&cluster, &policy.text);
    }
    cluster.namespace("shop", None);
    cluster.settle("all-made");
    let web = |image: &str, memory: &str| {
        let mut pod = pod("shop", image, false);
        pod["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": memory}});
        pod
    };
    let ask = |image: &str, memory: &str| cluster.judge(&web(image, memory), "test").unwrap();
    let missing = ask("example.azurecr.io/web:1", "512Mi");
    assert_ne!(
        missing.status, 201,
        "denied while its settings are missing: {missing:#?}"
    );

    let path = "/api/v1/namespaces/kube-system/configmaps/seawall-settings";
    apply(&cluster, settings);
    let until = |image: &str, memory: &str, status: u16| {
        let begin = std::time::Instant::now();
        loop {
            let answer = ask(image, memory);
            if answer.status == status {
                return answer;
            }
            assert!(begin.elapsed().as_secs() < 30, "{answer:#?}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    until("example.azurecr.io/web:1", "512Mi", 201);
    let refused = ask("other.azurecr.io/web:1", "512Mi");
    assert!(refused.status == 422, "{refused:#?}");
    let change = |data: Value| {
        let (status, answer) = cluster
            .server
            .request("PATCH", path, Some(&json!({"data": data})))
            .unwrap();
        assert_eq!(status, 200, "{answer:#}");
    };
    change(json!({"registries": "other.azurecr.io\n  third.azurecr.io  \n\n"}));
    until("other.azurecr.io/web:1", "512Mi", 201);
    assert_eq!(ask("third.azurecr.io/web:1", "512Mi").status, 201);
    assert_eq!(ask("example.azurecr.io/web:1", "512Mi").status, 422);
    // A key that is gone counts as it was exported.
    change(json!({"registries": null}));
    until("example.azurecr.io/web:1", "512Mi", 201);
    assert_eq!(ask("other.azurecr.io/web:1", "512Mi").status, 422);
}
