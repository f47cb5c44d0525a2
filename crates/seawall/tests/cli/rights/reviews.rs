//! `can`: reviews as the API server answers them.

use serde_json::{Value, json};

use super::folder;

fn review(user: &str, groups: &[&str], verb: &str, namespace: &str) -> Value {
    json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": user, "groups": groups,
        "resourceAttributes": {"verb": verb, "resource": "secrets", "namespace": namespace}}})
}

#[test]
fn reviews_come_back_with_their_status() {
    let folder = folder();
    let reviews = [
        review("x", &["on-call"], "list", "payments"),
        review(
            "system:serviceaccount:payments:reporter",
            &[],
            "get",
            "payments",
        ),
        review("x", &["on-call"], "list", "shop"),
        review("jane", &[], "list", "payments"),
        review("x", &["system:masters"], "delete", ""),
    ];
    let lines: String = reviews.iter().map(|one| format!("{one}\n")).collect();
    folder.write("reviews.jsonl", &lines);
    let ran = folder.run(&["can", "--reviews", "reviews.jsonl", "rbac.yaml"]);
    let answers: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let statuses: Vec<&Value> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(answers[0]["spec"], reviews[0]["spec"]);
    assert_eq!(
        statuses,
        [
            &json!({"allowed": true, "reason": "RBAC: allowed by RoleBinding \"readers/payments\" of ClusterRole \"secret-reader\" to Group \"on-call\""}),
            &json!({"allowed": true, "reason": "RBAC: allowed by RoleBinding \"readers/payments\" of ClusterRole \"secret-reader\" to ServiceAccount \"reporter/payments\""}),
            &json!({"allowed": false}),
            &json!({"allowed": false, "evaluationError": "seawall: not known: ClusterRoleBinding `viewers` names ClusterRole `view`, which was not given"}),
            &json!({"allowed": true}),
        ]
    );
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains("1 not known") && ran.err.contains("1 not allowed by what was given"),
        "{}",
        ran.err
    );

    // As YAML documents, and with everything given: nothing is left open.
    let documents = "kind: SubjectAccessReview\nspec: {user: jane, resourceAttributes: {verb: list, resource: secrets}}\n---\n\
                     spec: {user: jane, nonResourceAttributes: {verb: get, path: /version}}\n---\nkind: Pod\n";
    folder.write("reviews.yaml", documents);
    let args = [
        "can",
        "--reviews",
        "reviews.yaml",
        "--bootstrap-roles",
        "--whole",
        "rbac.yaml",
    ];
    let ran = folder.run(&args);
    let statuses: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["status"].clone())
        .collect();
    assert_eq!(
        statuses[..2],
        [json!({"allowed": false}), json!({"allowed": false})]
    );
    assert!(
        statuses[2]["evaluationError"]
            .as_str()
            .unwrap()
            .starts_with("invalid: ")
    );
    assert_eq!((ran.code, ran.err.as_str()), (4, ""));
}

#[test]
fn what_the_node_authorizer_decides_is_no_plain_no() {
    let folder = folder();
    let of = |user: &str, groups: &[&str], verb: &str| review(user, groups, verb, "payments");
    let lines = [
        of("system:node:n1", &["system:nodes"], "get"),
        of("system:node:n1", &["system:nodes"], "delete"),
        of("system:node:n1", &[], "get"),
        of("jane", &["system:nodes"], "get"),
    ]
    .map(|one| one.to_string())
    .join("\n");
    folder.write("reviews.jsonl", &lines);
    let ran = folder.run(&[
        "can",
        "--reviews",
        "reviews.jsonl",
        "--bootstrap-roles",
        "--whole",
        "rbac.yaml",
    ]);
    let errors: Vec<bool> = ran
        .out
        .lines()
        .map(|line| line.contains("Node authorizer"))
        .collect();
    assert_eq!(errors, [true, false, false, false], "{}", ran.out);
    assert!(!ran.out.contains("\"allowed\":true"), "{}", ran.out);
}

#[test]
fn a_broken_review_does_not_keep_the_others_from_an_answer() {
    let folder = folder();
    let good = review("x", &["on-call"], "list", "payments");
    folder.write("reviews.jsonl", format!("{good}\nnot json\n{good}\n"));
    let ran = folder.run(&["can", "--reviews", "reviews.jsonl", "rbac.yaml"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains("\"allowed\":true") && lines[2].contains("\"allowed\":true"));
    assert!(
        lines[1].contains("line 2: ") && !lines[1].contains("line 1"),
        "{}",
        lines[1]
    );
}

/// Reviews are answered on several cores, a batch at a time.
#[test]
fn many_reviews_come_back_in_order() {
    let folder = folder();
    let lines: String = (0..9000)
        .map(|number| match number {
            8500 => "not json\n".to_owned(),
            _ => format!(
                "{}\n",
                review(&number.to_string(), &["on-call"], "list", "payments")
            ),
        })
        .collect();
    folder.write("reviews.jsonl", lines);
    let ran = folder.run(&["can", "--reviews", "reviews.jsonl", "rbac.yaml"]);
    assert_eq!(ran.code, 4);
    for (number, line) in ran.out.lines().enumerate() {
        let wanted = match number {
            8500 => "line 8501: ".to_owned(),
            _ => format!("\"user\":\"{number}\""),
        };
        assert!(line.contains(&wanted), "{number}: {line}");
    }
    assert_eq!(ran.out.lines().count(), 9000);
}
