//! What `who-can` and `can` print, held against the JSON Schemas in `docs/schema`.

use serde_json::{Value, json};

use crate::rights::{AZURE, RBAC};
use crate::run::Folder;

pub(crate) fn schema(name: &str) -> Value {
    let path = format!("{}/../../docs/schema/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with a text.
pub(crate) fn errors(schema: &Value, instance: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn estate() -> Folder {
    let masters = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: odd}\n\
                   roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secret-reader}\n\
                   subjects:\n- {kind: User, name: max, apiGroup: rbac.authorization.k8s.io}\n";
    Folder::of(&[
        ("rbac.yaml", &format!("{RBAC}{masters}")),
        ("main.json", &AZURE.replace("NAME", "shop")),
    ])
}

#[test]
fn every_answer_of_who_can_follows_its_schema() {
    let schema = schema("who-can-v1.json");
    let folder = estate();
    let oid = "11111111-0000-0000-0000-000000000002";
    for (question, member) in [
        (&["get", "secrets"][..], "question"),
        (&["get", "secrets", "--bootstrap-roles"], "question"),
        (
            &["get", "secrets", "--name", "tls", "-n", "payments"],
            "question",
        ),
        (&["get", "/metrics"], "question"),
        (&["--as", "jane"], "subject"),
        (
            &["--as", "sa:payments/reporter", "--bootstrap-roles"],
            "subject",
        ),
        (&["--as", "group:system:masters"], "subject"),
        (&["--as", oid], "subject"),
        (&["--escalations", "--bootstrap-roles"], "escalations"),
        (&["--all"], "counts"),
        (&["--all", "-n", "payments"], "counts"),
        (
            &["Microsoft.ContainerService/managedClusters/write"],
            "resources",
        ),
        (&["--takeover"], "clusters"),
    ] {
        let ran = folder.run(&[&["who-can"], question, &[".", "--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{question:?}: {}", ran.err);
        let mut answer: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(errors(&schema, &answer), [""; 0], "{question:?}");
        assert!(answer[member].is_object() || !answer[member].as_array().unwrap().is_empty());
        // The schema tells wrong answers from right ones.
        answer[member] = json!(1);
        assert!(!errors(&schema, &answer).is_empty(), "{question:?}");
        answer.as_object_mut().unwrap().remove(member);
        assert!(!errors(&schema, &answer).is_empty(), "{question:?}");
    }
    // What somebody has as an administrator is told apart.
    let contributor = AZURE.replace("NAME", "shop").replace(
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
    );
    folder.write("main.json", contributor);
    let ran = folder.run(&["who-can", "get", "secrets", ".", "--format", "json"]);
    let mut answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(errors(&schema, &answer), [""; 0]);
    let by = answer["holders"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find_map(|holder| holder.pointer_mut("/evidence/0/administratorBy"))
        .unwrap();
    assert_eq!(by.as_array().unwrap().len(), 2);
    *by = json!([]);
    assert!(!errors(&schema, &answer).is_empty());
}

#[test]
fn every_line_of_can_follows_its_schema() {
    let schema = schema("can-v1.json");
    let folder = estate();
    let review = |user: &str, verb: &str, resource: &str| {
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": user, "groups": ["on-call"],
            "resourceAttributes": {"verb": verb, "resource": resource, "namespace": "payments"}}})
    };
    let lines = format!(
        "{}\n{}\n{}\nnot json\n{}\n",
        review("x", "list", "secrets"),
        review("jane", "list", "pods"),
        review("x", "delete", "pods"),
        json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"a": 1}}),
    );
    folder.write("reviews.jsonl", lines);
    let ran = folder.run(&["can", "--reviews", "reviews.jsonl", "rbac.yaml"]);
    let answers: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let members: Vec<usize> = answers
        .iter()
        .map(|answer| {
            assert_eq!(errors(&schema, answer), [""; 0], "{answer}");
            answer["status"].as_object().unwrap().len()
        })
        .collect();
    assert_eq!(members, [2, 2, 1, 2, 2], "{}", ran.out);
    for (at, wrong) in [
        ("/status/allowed", json!("yes")),
        ("/status/reason", json!("")),
        ("/status", json!({"allowed": true, "evaluationError": "x"})),
    ] {
        let mut answer = answers[0].clone();
        *answer.pointer_mut(at).unwrap() = wrong;
        assert!(!errors(&schema, &answer).is_empty(), "{at}");
    }
}
