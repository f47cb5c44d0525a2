//! What random estates do not hold: names that were given twice, files without a namespace, circles, roles that
//! were not given; and what the facts about escalation say.

use std::borrow::Cow;

use analysis::ask::{
    Answer, Attributes, Evidence, Ground, Names, Question, Reach, Requester, ResourceTarget,
    Subject, Target, Within,
};
use analysis::rbac::{Rbac, reason};
use model::{Estate, Scope};

use crate::estates;

fn estate(scope: Scope, text: &str) -> (Estate, Rbac) {
    let estate = estates::estate(scope, estates::yaml(text));
    let rbac = Rbac::new(&estate);
    (estate, rbac)
}

fn secrets<'a>(verb: &'a str, namespace: &'a str) -> Attributes<'a> {
    Attributes {
        verb,
        target: Target::Resource(ResourceTarget {
            resource: "secrets",
            namespace,
            ..ResourceTarget::default()
        }),
    }
}

fn jane() -> Requester<'static> {
    Requester {
        user: "jane",
        groups: vec![Cow::Borrowed("dev")],
        object_id: None,
    }
}

const READER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [secrets], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: dev, apiGroup: rbac.authorization.k8s.io}]
";

#[test]
fn an_answer_names_the_binding_and_the_rule() {
    let (estate, rbac) = estate(Scope::Open, READER);
    let answer = rbac.can(&jane(), &secrets("list", "shop"));
    let Answer::Yes(Evidence::Binding {
        binding,
        subject: 0,
        role,
        rule: (written, 0),
    }) = &answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(
        estate.get(*binding).unwrap().name.id(),
        "rbac.authorization.k8s.io/RoleBinding/shop/readers"
    );
    assert_eq!(role, written);
    assert_eq!(
        reason(&answer, &estate),
        r#"RBAC: allowed by RoleBinding "readers/shop" of ClusterRole "reader" to Group "dev""#
    );
    assert_eq!(
        rbac.can(&jane(), &secrets("list", "")),
        Answer::No(Ground::ByWhatWasGiven)
    );
    assert_eq!(
        rbac.can(&jane(), &secrets("delete", "shop")),
        Answer::No(Ground::ByWhatWasGiven)
    );
}

#[test]
fn a_role_that_was_not_given_leaves_the_answer_open_and_a_whole_estate_closes_it() {
    let text = READER.replace("name: reader}\nsubjects", "name: view}\nsubjects");
    let (_, rbac) = estate(Scope::Open, &text);
    let answer = rbac.can(&jane(), &secrets("list", "shop"));
    let Answer::Unknown(whys) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(
        &*whys[0].text,
        "RoleBinding `shop/readers` names ClusterRole `view`, which was not given"
    );

    // Files that are declared whole lack the built-in roles all the same.
    let (_, rbac) = estate(Scope::Whole, &text);
    assert!(matches!(
        rbac.can(&jane(), &secrets("list", "shop")),
        Answer::Unknown(_)
    ));
    assert_eq!(
        rbac.gaps(Within::Cluster),
        ["the built-in roles of Kubernetes were not given"]
    );
    let with_builtin = format!(
        "{text}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: cluster-admin}}\n"
    );
    let (_, rbac) = estate(Scope::Whole, &with_builtin);
    assert_eq!(
        rbac.can(&jane(), &secrets("list", "shop")),
        Answer::No(Ground::Complete)
    );
}

#[test]
fn a_role_that_was_given_twice_allows_under_a_condition() {
    let other = "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]
";
    let (_, rbac) = estate(Scope::Open, &format!("{READER}{other}"));
    let Answer::If { condition, .. } = rbac.can(&jane(), &secrets("get", "shop")) else {
        panic!()
    };
    assert_eq!(
        &*condition,
        "this is the one in force of 2 different ClusterRoles `reader` that were given"
    );
    // Alike is no difference.
    let twice = format!("{READER}---{}", READER.split("---").next().unwrap());
    let (_, rbac) = estate(Scope::Open, &twice);
    assert!(rbac.can(&jane(), &secrets("get", "shop")).is_yes());
}

#[test]
fn a_binding_that_was_given_twice_allows_under_a_condition() {
    let binding = READER
        .split("---")
        .nth(1)
        .unwrap()
        .replace("name: dev", "name: ops");
    let (_, rbac) = estate(Scope::Open, &format!("{READER}---{binding}"));
    let Answer::If { condition, .. } = rbac.can(&jane(), &secrets("get", "shop")) else {
        panic!()
    };
    assert_eq!(
        &*condition,
        "this is the one in force of 2 different RoleBindings `readers` that were given"
    );
}

#[test]
fn a_binding_that_does_not_say_its_namespace_may_count_anywhere() {
    let text = READER.replace(", namespace: shop", "");
    let (_, rbac) = estate(Scope::Open, &text);
    let Answer::Unknown(whys) = rbac.can(&jane(), &secrets("get", "bank")) else {
        panic!()
    };
    assert_eq!(
        &*whys[0].text,
        "RoleBinding `readers` does not say its namespace"
    );
    assert_eq!(
        rbac.can(&jane(), &secrets("get", "")),
        Answer::No(Ground::ByWhatWasGiven)
    );
    let question = Question {
        attributes: secrets("get", ""),
        within: Within::Namespace("bank"),
    };
    let found = rbac.who_can(&question);
    assert_eq!(found.holders[1].reach, Reach::NamespaceNotGiven);
}

#[test]
fn aggregates_in_a_circle_come_to_rest() {
    let role = |name: &str, selects: &str, resource: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}, labels: {{l: {name}}}}}\n\
             aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{l: {selects}}}}}, {{matchLabels: {{l: base}}}}]}}\n\
             rules: [{{apiGroups: [''], resources: [{resource}], verbs: [get]}}]\n"
        )
    };
    let base = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: base, labels: {l: base}}\n\
                rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]\n";
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
                   roleRef: {kind: ClusterRole, name: a}\nsubjects: [{kind: User, name: jane}]\n";
    let text = [
        role("a", "b", "pods"),
        role("b", "a", "nodes"),
        base.into(),
        binding.into(),
    ]
    .join("---\n");
    let (estate, rbac) = estate(Scope::Open, &text);
    let answer = rbac.can(&jane(), &secrets("get", "shop"));
    // The rule is written in the role that is summed, not in the one that is bound.
    let Answer::Yes(Evidence::Binding {
        role,
        rule: (written, 0),
        ..
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(&*estate.get(role).unwrap().name.name, "a");
    assert_eq!(&*estate.get(written).unwrap().name.name, "base");
}

#[test]
fn a_service_account_without_a_namespace_is_nobody_in_a_cluster_role_binding() {
    let text = READER
        .replace(
            "kind: RoleBinding\nmetadata: {name: readers, namespace: shop}",
            "kind: ClusterRoleBinding\nmetadata: {name: readers}",
        )
        .replace(
            "{kind: Group, name: dev, apiGroup: rbac.authorization.k8s.io}",
            "{kind: ServiceAccount, name: bot}",
        );
    let (_, rbac) = estate(Scope::Open, &text);
    let question = Question {
        attributes: secrets("get", ""),
        within: Within::Anywhere,
    };
    assert_eq!(rbac.who_can(&question).holders.len(), 1); // system:masters
    let (_, rbac) = estate(
        Scope::Open,
        &READER.replace(
            "{kind: Group, name: dev, apiGroup: rbac.authorization.k8s.io}",
            "{kind: ServiceAccount, name: bot}",
        ),
    );
    assert_eq!(
        rbac.who_can(&question).holders[1].subject,
        Subject::ServiceAccount {
            namespace: "shop".into(),
            name: "bot".into()
        }
    );
}

/// Each fact on its own: exactly the rights that it needs make it true, and one fewer does not.
#[test]
fn escalations_need_all_of_their_rights() {
    /// verb, API group, resource, name
    type Right = (&'static str, &'static str, &'static str, &'static str);
    let cases: [(&str, &[Right]); 8] = [
        (
            "role-bind",
            &[
                ("create", "rbac.authorization.k8s.io", "rolebindings", ""),
                ("bind", "rbac.authorization.k8s.io", "clusterroles", "edit"),
            ],
        ),
        (
            "role-escalate",
            &[
                ("update", "rbac.authorization.k8s.io", "roles", ""),
                ("escalate", "rbac.authorization.k8s.io", "roles", ""),
            ],
        ),
        (
            "token-request",
            &[("create", "", "serviceaccounts/token", "bot")],
        ),
        (
            "token-secret",
            &[("create", "", "secrets", ""), ("get", "", "secrets", "")],
        ),
        ("secret-read", &[("watch", "", "secrets", "")]),
        ("pod-exec", &[("create", "", "pods/exec", "")]),
        ("pod-exec-get", &[("get", "", "pods/exec", "")]),
        ("pod-create", &[("create", "batch", "cronjobs", "")]),
    ];
    for (id, rights) in cases {
        for left_out in 0..=rights.len() {
            let rules: Vec<String> = rights
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != left_out)
                .map(|(_, (verb, group, resource, name))| {
                    let names = if name.is_empty() { String::new() } else { format!(", resourceNames: [{name}]") };
                    format!("{{apiGroups: ['{group}'], resources: ['{resource}'], verbs: [{verb}]{names}}}")
                })
                .collect();
            let text = READER.replace(
                "{apiGroups: [''], resources: [secrets], verbs: [get, list]}",
                &rules.join(", "),
            );
            let (_, rbac) = estate(Scope::Open, &text);
            let facts = rbac.escalations(34);
            let fact = facts.iter().find(|fact| fact.id == id).unwrap();
            assert_eq!(
                fact.held.len(),
                usize::from(left_out == rights.len()),
                "{id} without right {left_out}"
            );
            if let Some(held) = fact.held.first() {
                assert_eq!(held.reach, Reach::Namespace("shop".into()));
                assert_eq!(held.evidence.len(), rights.len());
                let names = rights.iter().find(|right| !right.3.is_empty());
                let names =
                    names.map_or(Names::Any, |right| Names::Only([Box::from(right.3)].into()));
                assert_eq!(held.names, names, "{id}");
            }
        }
    }
    let (_, rbac) = estate(Scope::Open, READER);
    assert!(
        !rbac
            .escalations(35)
            .iter()
            .any(|fact| fact.id == "pod-exec-get")
    );
}

/// `create` has no name, so that a rule with names allows none; cluster-scoped rights count for nothing in a
/// RoleBinding.
#[test]
fn escalations_leave_out_what_no_request_can_use() {
    let named = READER.replace(
        "verbs: [get, list]",
        "verbs: [create, deletecollection], resourceNames: [a]",
    );
    let (_, rbac) = estate(Scope::Open, &named);
    assert!(rbac.escalations(34).iter().all(|fact| fact.held.is_empty()));
    let nodes = READER.replace(
        "resources: [secrets]",
        "resources: [nodes/proxy, nodes, persistentvolumes]",
    );
    let (_, rbac) = estate(Scope::Open, &nodes);
    assert!(rbac.escalations(34).iter().all(|fact| fact.held.is_empty()));
}

/// Seen on a v1.34.4 server: an empty list of rules is not applied.
#[test]
fn an_aggregate_of_nothing_keeps_what_is_written() {
    let text = READER.replace(
        "metadata: {name: reader}",
        "metadata: {name: reader}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {l: nobody}}]}",
    );
    let (_, rbac) = estate(Scope::Open, &text);
    assert!(rbac.can(&jane(), &secrets("get", "shop")).is_yes());
}
