//! `audit learn`, and roles that are narrowed to what a log shows.

use serde_json::{Value, json};

use crate::run::Folder;

/// An event as the API server writes it.
pub(crate) fn event(number: usize, user: &str, verb: &str, object: &Value, code: u16) -> String {
    let groups = match user {
        "masterclient" => json!(["system:masters", "system:authenticated"]),
        _ => json!(["system:authenticated"]),
    };
    let decision = if code == 403 { "forbid" } else { "allow" };
    let time = format!(
        "2026-11-{:02}T10:00:{:02}.000000Z",
        10 + number % 5,
        number % 60
    );
    let resource = object["resource"].as_str().unwrap();
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": format!("a-{number}"), "stage": "ResponseComplete",
        "requestURI": format!("/api/v1/{resource}?{number}"), "verb": verb,
        "user": {"username": user, "groups": groups}, "objectRef": object,
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": decision},
    })
    .to_string()
}

const WEB: &str = "system:serviceaccount:shop:web";

fn log() -> String {
    let config =
        json!({"resource": "configmaps", "namespace": "shop", "name": "web", "apiVersion": "v1"});
    let secret =
        json!({"resource": "secrets", "namespace": "shop", "name": "db", "apiVersion": "v1"});
    let pods = json!({"resource": "pods", "namespace": "shop", "apiVersion": "v1"});
    let review = json!({"resource": "selfsubjectaccessreviews", "apiGroup": "authorization.k8s.io", "apiVersion": "v1"});
    let nodes = json!({"resource": "nodes", "apiVersion": "v1"});
    [
        event(1, WEB, "get", &config, 200),
        event(2, WEB, "list", &pods, 200),
        event(3, WEB, "get", &secret, 403),
        event(4, "alice", "list", &nodes, 200),
        event(5, "alice", "create", &review, 201),
        event(6, "masterclient", "list", &nodes, 200),
        event(7, "mal\nkind: Role", "list", &nodes, 403),
        event(8, "alice", "list", &nodes, 200),
        event(8, "alice", "list", &nodes, 200),
    ]
    .join("\n")
}

const ROLES: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules:
# what the team asked for
- apiGroups: [\"\"]
  resources: [\"*\"]
  verbs: [\"*\"] # all of it
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
";

#[test]
fn learned_roles_are_manifests_and_a_name_cannot_break_out() {
    let folder = Folder::of(&[("audit.log", &log())]);
    let ran = folder.run(&["audit", "learn", "audit.log"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.err, @"note: 1 event was there twice, and counted once");
    insta::assert_snapshot!(ran.out, @r#"
    # The least roles for what a log shows, by `seawall audit learn`.
    #
    # alice: 3 requests on 3 days, 2026-11-10T10:00:05Z to 2026-11-14T10:00:04Z
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: learned-alice
    rules:
    - apiGroups: [""]
      resources: [nodes]
      verbs: [list]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata:
      name: learned-alice
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: ClusterRole
      name: learned-alice
    subjects:
    - kind: User
      apiGroup: rbac.authorization.k8s.io
      name: alice
    #
    # mal kind: Role: 1 request on 1 day, 2026-11-12T10:00:07Z to 2026-11-12T10:00:07Z
    #   denied, so in no role: 1 request
    #     1 × list nodes
    #   was allowed nothing
    #
    # masterclient: 1 request on 1 day, 2026-11-11T10:00:06Z to 2026-11-11T10:00:06Z
    #   is in `system:masters`: no authorizer is asked, and no role narrows it
    #
    # system:serviceaccount:shop:web: 3 requests on 3 days, 2026-11-11T10:00:01Z to 2026-11-13T10:00:03Z
    #   denied, so in no role: 1 request
    #     1 × get secrets in shop
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: learned-shop-web
      namespace: shop
    rules:
    - apiGroups: [""]
      resources: [pods]
      verbs: [list]
    - apiGroups: [""]
      resources: [configmaps]
      resourceNames: [web]
      verbs: [get]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: learned-shop-web
      namespace: shop
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: learned-shop-web
    subjects:
    - kind: ServiceAccount
      name: web
      namespace: shop
    "#);
    // What was written is read back, and answers as it should.
    folder.write("learned.yaml", &ran.out);
    let ran = folder.run(&[
        "who-can",
        "list",
        "pods",
        "-n",
        "shop",
        "--whole",
        "learned.yaml",
    ]);
    assert!(ran.out.contains("shop/web"), "{}", ran.out);
    let ran = folder.run(&[
        "who-can",
        "get",
        "secrets",
        "-n",
        "shop",
        "--whole",
        "learned.yaml",
    ]);
    assert!(!ran.out.contains("shop/web"), "{}", ran.out);
}

#[test]
fn json_says_what_was_learned_and_what_was_lost() {
    let text = log() + "\nnot json\n";
    let folder = Folder::of(&[("audit.log", &text)]);
    let ran = folder.run(&[
        "audit",
        "learn",
        "--format",
        "json",
        "--user",
        WEB,
        "audit.log",
    ]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let one = &json["identities"][0];
    assert_eq!(
        one["subject"],
        json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"})
    );
    assert_eq!(
        one["grants"],
        json!([{"namespace": "shop", "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["web"], "verbs": ["get"]},
        ]}])
    );
    assert_eq!(
        one["denied"],
        json!([{"verb": "get", "what": "secrets", "namespace": "shop", "requests": 1}])
    );
    let losses = &json["losses"];
    assert_eq!(
        losses["unreadableAt"],
        json!([{"path": "audit.log", "line": 10}])
    );
    assert_eq!(
        (&losses["events"], &losses["duplicates"]),
        (&json!(9), &json!(1))
    );
}

#[test]
fn a_log_without_reads_says_so() {
    let pods = json!({"resource": "pods", "namespace": "shop", "name": "p", "apiVersion": "v1"});
    let log = event(1, WEB, "delete", &pods, 200);
    let line = json!({"category": "kube-audit-admin", "properties": {"log": log}, "time": "2026-11-11T10:00:02Z"});
    let folder = Folder::of(&[("PT1H.json", &line.to_string()), ("roles.yaml", ROLES)]);
    let ran = folder.run(&["audit", "learn", "PT1H.json"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.err, @"warning: the category `kube-audit-admin` leaves out `get` and `list`, and commands run in pods by WebSocket: nothing is known of what was read");
    assert!(
        ran.out.contains("# WARNING: reads are not in this log."),
        "{}",
        ran.out
    );
    // A role keeps what it lets read.
    let ran = folder.run(&[
        "fix",
        "roles.yaml",
        "--audit",
        "PT1H.json",
        "--write",
        "--unsafe",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = std::fs::read_to_string(folder.path().join("roles.yaml")).unwrap();
    assert!(text.contains("verbs: [delete]"), "{text}");
    assert!(text.contains("verbs: [get, list, watch]"), "{text}");
}

#[test]
fn a_role_is_narrowed_to_what_its_holders_used() {
    let folder = Folder::of(&[("roles.yaml", ROLES), ("audit.log", &log())]);
    let only = ["--guideline", "rbac-unused-grants"];
    let ran = folder.assess(&[&only[..], &["roles.yaml"]].concat());
    assert!(
        ran.out.contains("needs an audit log: `--audit SOURCE`"),
        "{}",
        ran.out
    );
    let ran = folder.assess(&[&only[..], &["--audit", "audit.log", "roles.yaml"]].concat());
    assert!(ran.out.contains("less than it gives"), "{}", ran.out);
    let ran = folder.run(&[
        "fix",
        "roles.yaml",
        "--audit",
        "audit.log",
        "--write",
        "--unsafe",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = std::fs::read_to_string(folder.path().join("roles.yaml")).unwrap();
    insta::assert_snapshot!(text.split("---").next().unwrap(), @r#"
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: web, namespace: shop}
    rules:
    # what the team asked for
    - apiGroups: [""]
      resources: [pods]
      verbs: [list]
    - apiGroups: [""]
      resourceNames: [web]
      resources: [configmaps]
      verbs: [get] # all of it
    "#);
    // By the same log there is nothing left to take away.
    let ran = folder.assess(&[&only[..], &["--audit", "audit.log", "roles.yaml"]].concat());
    assert!(ran.out.contains("Nothing found"), "{}", ran.out);
}

/// `web` may run commands where a workload is that may everything, and so may `ci`, which is in no log.
const WIDE: &str = "apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: kube-system}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: kube-system}
spec:
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec: {serviceAccountName: operator, containers: [{name: operator, image: contoso.azurecr.io/operator:1}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: exec, namespace: kube-system}
rules:
- {apiGroups: [''], resources: [pods], verbs: [get]}
- {apiGroups: [''], resources: [pods/exec], verbs: [create]}
- {apiGroups: [''], resources: [events], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: exec, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: exec}
subjects:
- {kind: ServiceAccount, name: web, namespace: shop}
- {kind: ServiceAccount, name: ci, namespace: shop}
";

#[test]
fn what_nobody_used_is_ranked_by_what_it_opens() {
    let pods =
        json!({"resource": "pods", "namespace": "kube-system", "name": "p", "apiVersion": "v1"});
    let mut exec = pods.clone();
    exec["subresource"] = "exec".into();
    let quiet: Vec<String> = (1..60)
        .map(|number| event(number, WEB, "get", &pods, 200))
        .collect();
    let folder = Folder::of(&[
        ("wide.yaml", WIDE),
        ("quiet.log", &quiet.join("\n")),
        ("used.log", &event(1, WEB, "create", &exec, 101)),
    ]);
    let unused = |log: &str| -> Value {
        let ran = folder.run(&[
            "audit",
            "learn",
            log,
            "--with",
            "wide.yaml",
            "--format",
            "json",
        ]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["unused"].clone()
    };
    let all = unused("quiet.log");
    let of = |all: &Value, holder: &str| -> Vec<String> {
        let rights = all["rights"].as_array().unwrap().iter();
        rights
            .filter(|right| right["holder"] == holder)
            .map(|right| {
                format!(
                    "{} {} {}",
                    right["verbs"][0].as_str().unwrap(),
                    right["what"].as_str().unwrap(),
                    !right["opens"].as_array().unwrap().is_empty()
                )
            })
            .collect()
    };
    assert_eq!(
        of(&all, WEB),
        ["create pods/exec true", "patch events false"]
    );
    // The worst is what may everything and is never seen.
    assert_eq!(
        all["rights"][0]["holder"],
        "system:serviceaccount:kube-system:operator"
    );
    let opens: Vec<&Value> = all["rights"]
        .as_array()
        .unwrap()
        .iter()
        .take(3)
        .map(|right| &right["opens"][0]["kind"])
        .collect();
    assert_eq!(opens, ["cluster-admin"; 3]);
    let absent = "system:serviceaccount:shop:ci";
    assert_eq!(of(&all, absent).len(), 3);
    assert_eq!(all["confidence"][absent]["level"], "low");
    assert!(
        all["confidence"][absent]
            .to_string()
            .contains("not in the log at all")
    );
    // Who used it has it no more among what is unused; reads are not in this log, so they are not judged.
    let all = unused("used.log");
    assert_eq!(of(&all, WEB), ["patch events false"]);
    assert!(
        all["confidence"][WEB]
            .to_string()
            .contains("rights to read are not judged")
    );
    let ran = folder.run(&[
        "audit",
        "learn",
        "quiet.log",
        "--with",
        "wide.yaml",
        "--user",
        WEB,
    ]);
    for line in [
        "Held and never used, the worst first",
        "    never used create pods/exec in kube-system",
        "      by RoleBinding kube-system/exec, Role kube-system/exec",
        "      confidence low: the log spans 5 days: what happens once a week is not in it; read at least 30 days",
        "  1 unused right besides opens nothing more",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
}

#[test]
fn wrong_use_is_told() {
    let folder = Folder::of(&[("audit.log", &log()), ("empty.log", "")]);
    let ran = folder.run(&["audit", "learn", "--user", "nobody", "audit.log"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err, @"
    note: 1 event was there twice, and counted once
    error: nobody called `nobody` is in the log
      help: `--format table` without `--user` lists everybody
    ");
    let ran = folder.run(&["audit", "learn", "empty.log"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (3, "error: no audit event in what was given\n")
    );
    let ran = folder.run(&["audit", "learn", "gone.log"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot read `gone.log`"), "{}", ran.err);
}
