//! What the graph says of admission is done: random namespaces with Pod Security labels and random
//! ValidatingAdmissionPolicies on a running API server, to which every pod that serves an attacker is sent, in every
//! way of writing it of which a rule asks; again with other labels on the namespace, and once the policies are gone.
//! Where the graph is sure that it passes one of them must; where the graph
//! says that none does, none may.

#[path = "admitted/estate.rs"]
mod estate;
#[path = "admitted/pods.rs"]
mod pods;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use analysis::paths::{Edge, Graph};
use model::Scope;
use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use super::performed::{path_of, with_graph};
use crate::estates::{self, Dice, rounds};
use pods::Purpose;

/// What the graph says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Yes,
    Perhaps,
    No,
}

const PURPOSES: [(Purpose, &str); 5] = [
    (Purpose::Account("a0"), "a service account"),
    (Purpose::Node, "the node"),
    (Purpose::Debug, "the node, from a pod that is there"),
    (Purpose::Network, "the node's network"),
    (Purpose::Files, "the node's files"),
];

/// Where the step begins and ends, and its kinds.
fn step(purpose: Purpose, namespace: &str) -> (String, String, &'static [Edge]) {
    let create = format!("right:pod-create@{namespace}");
    match purpose {
        Purpose::Account(_) => (
            create,
            format!("right:accounts@{namespace}"),
            &[Edge::Implied, Edge::PodCreate],
        ),
        Purpose::Node => (create, "right:every-node@*".into(), &[Edge::PodCreateNode]),
        Purpose::Debug => (
            format!("right:pod-debug@{namespace}"),
            "pool:".into(),
            &[Edge::PodDebug],
        ),
        Purpose::Network => (create, "nodes:network:".into(), &[Edge::HostNetwork]),
        Purpose::Files => (create, "nodes:kubelet-files:".into(), &[Edge::HostPathRead]),
    }
}

fn claim(graph: &Graph, purpose: Purpose, namespace: &str) -> Claim {
    let (from, to, edges) = step(purpose, namespace);
    best(graph, edges, &[from], &to)
}

/// What the surest step of some kinds says that takes all of these and nothing else.
fn best(graph: &Graph, edges: &[Edge], needs: &[String], to: &str) -> Claim {
    let best = graph
        .steps()
        .filter(|step| {
            edges.contains(&step.edge)
                && graph.id(step.gives) == to
                && step.needs.len() == needs.len()
                && step
                    .needs
                    .iter()
                    .all(|need| needs.contains(&graph.id(*need)))
        })
        .map(|step| match step.doubt {
            None => Claim::Yes,
            Some(_) => Claim::Perhaps,
        })
        .min();
    best.unwrap_or(Claim::No)
}

/// What the graph says of the node once the namespace has other labels, or once its guards are gone.
fn later(graph: &Graph, namespace: &str) -> (Claim, Claim) {
    let create = format!("right:pod-create@{namespace}");
    let node = "right:every-node@*";
    let label = format!("right:namespace-label@{namespace}");
    let removal = "right:policy-remove@*".to_owned();
    let relabelled = best(
        graph,
        &[Edge::NamespaceLabel],
        &[create.clone(), label],
        node,
    );
    let removed = best(graph, &[Edge::AdmissionRemoval], &[create, removal], node);
    (relabelled, removed)
}

/// Whether the API server takes one of them.
fn admitted(
    server: &ApiServer,
    purpose: Purpose,
    namespace: &str,
    rules: &str,
) -> Result<(), String> {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    // What is wrong for another reason than admission is a fault of this test.
    let mut last = String::new();
    let mut passes = |status: u16, answer: &Value| {
        let text = answer.to_string();
        let expected = [
            "ValidatingAdmissionPolicy",
            "PodSecurity",
            "Duplicate value",
        ];
        let known = expected.iter().any(|word| text.contains(word));
        assert!(status < 300 || known, "{status} {answer:#}");
        last = answer["message"].to_string();
        status < 300
    };
    if purpose == Purpose::Debug {
        let path = format!("{path}/p0/ephemeralcontainers?dryRun=All");
        let passed = pods::containers(rules).into_iter().any(|container| {
            let patch = json!({"spec": {"ephemeralContainers": [container]}});
            let (status, answer) = server.request("PATCH", &path, Some(&patch)).unwrap();
            passes(status, &answer)
        });
        return passed.then_some(()).ok_or(last);
    }
    let path = format!("{path}?dryRun=All");
    let passed = pods::pods(purpose, namespace, rules).iter().any(|pod| {
        let (status, answer) = server.request("POST", &path, Some(pod)).unwrap();
        passes(status, &answer)
    });
    passed.then_some(()).ok_or(last)
}

/// A policy that answers once all before it are in force. With one that is always there, ConfigMaps stay known to
/// the server: the first policy with parameters refuses everything until they are.
fn probe(name: &str) -> [Value; 2] {
    let version = "admissionregistration.k8s.io/v1";
    [
        json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]},
            "validations": [{"expression": format!("object.metadata.name != '{name}'")}]}}),
        json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]}}),
    ]
}

fn plural(object: &Value) -> String {
    path_of(object).replace("policys", "policies")
}

/// Policies of the round before may be in force for a moment.
fn create(server: &ApiServer, objects: &[Value]) {
    for object in objects {
        let (status, answer) = server
            .eventually("POST", &plural(object), Some(object), |status, answer| {
                ![403, 500].contains(&status) && !answer.to_string().contains("denied request")
            })
            .unwrap();
        assert_eq!(status, 201, "{object}\n{answer:#}");
    }
}

/// As the attacker.
fn delete(server: &ApiServer, objects: &[Value]) {
    let token = server.token_of("mallory");
    for object in objects {
        let path = format!(
            "{}/{}",
            plural(object),
            object["metadata"]["name"].as_str().unwrap()
        );
        let (status, answer) = server.request_as(token, "DELETE", &path, None).unwrap();
        assert_eq!(status, 200, "{answer:#}");
    }
}

/// Somebody who may create pods, add containers to them, change namespaces and take policies away.
fn attacker() -> [Value; 2] {
    let rbac = "rbac.authorization.k8s.io";
    [
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": "deploys"}, "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["patch"]},
            {"apiGroups": ["admissionregistration.k8s.io"], "verbs": ["delete"],
                "resources": ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]},
            {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "deploys"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "deploys"},
            "subjects": [{"kind": "User", "name": "mallory", "apiGroup": rbac}]}),
    ]
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<(Claim, bool), usize>,
    wrong: Vec<String>,
}

impl Tally {
    /// Holds what the graph says of something against what became of each try.
    fn note(&mut self, what: &str, claimed: Claim, tried: &[Result<(), String>]) {
        let all = tried.iter().all(Result::is_ok);
        let none = tried.iter().all(Result::is_err);
        *self.counts.entry((claimed, all)).or_default() += 1;
        if claimed == Claim::Yes && !all || claimed == Claim::No && !none {
            self.wrong.push(format!(
                "{what}: the graph says {claimed:?}, the server {tried:?}"
            ));
        }
    }
}

/// Whether the node can be had once the attacker writes other labels on the namespace; its own come back.
fn relabelled(server: &ApiServer, namespace: &str, rules: &str) -> Result<(), String> {
    let path = format!("/api/v1/namespaces/{namespace}");
    let (_, own) = server.request("GET", &path, None).unwrap();
    let own = own["metadata"]["labels"].clone();
    let patch = |labels: Value| {
        let body = json!({"metadata": {"labels": labels}});
        let token = server.token_of("mallory");
        let (status, answer) = server
            .request_as(token, "PATCH", &path, Some(&body))
            .unwrap();
        // Policies may guard namespaces as well.
        match status {
            200 => Ok(()),
            _ => Err(format!("{status}: {}", answer["message"])),
        }
    };
    let mut last = Ok(());
    for team in [Value::Null, "shop".into(), "bank".into()] {
        for env in [Value::Null, "live".into(), "test".into()] {
            let labels = json!({"pod-security.kubernetes.io/enforce": "privileged", "team": team, "env": env});
            last = patch(labels).and_then(|()| {
                thread::sleep(Duration::from_millis(50));
                admitted(server, Purpose::Node, namespace, rules)
            });
            if last.is_ok() {
                break;
            }
        }
        if last.is_ok() {
            break;
        }
    }
    let mut back = json!({"pod-security.kubernetes.io/enforce": null, "team": null, "env": null});
    for (key, value) in own.as_object().unwrap() {
        back[key] = value.clone();
    }
    let (_, now) = server.request("GET", &path, None).unwrap();
    if now["metadata"]["labels"] != own {
        patch(back).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    last
}

fn round(server: &ApiServer, seed: u64, tally: &mut Tally) {
    let mut dice = Dice(seed);
    let namespaces: Vec<String> = (0..3).map(|number| format!("s{seed}n{number}")).collect();
    let within: Vec<Value> = namespaces
        .iter()
        .flat_map(|name| estate::namespace(&mut dice, name))
        .collect();
    let own = format!("probe-{seed}");
    let policies: Vec<Value> = (0..dice.below(4))
        .flat_map(|number| estate::policy(&mut dice, &format!("x{seed}-{number}"), &namespaces))
        .chain(probe(&own))
        .collect();
    create(server, &within);
    create(server, &policies);
    wait(server, &own, 422);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1"}});
    let mut all: Vec<Value> = within.iter().chain(&policies).cloned().collect();
    all.push(node);
    all.extend(attacker());
    let rules: String = policies.iter().map(Value::to_string).collect();
    let estate = estates::estate(Scope::Whole, estates::json(&all));
    let before = tally.wrong.len();
    with_graph(&estate, |graph| {
        for namespace in &namespaces {
            let title = |what: &str| format!("seed {seed}: {namespace}: {what}");
            let node = claim(graph, Purpose::Node, namespace);
            for (purpose, what) in PURPOSES {
                // Who has the node has these without a step of their own.
                if node == Claim::Yes && matches!(purpose, Purpose::Network | Purpose::Files) {
                    continue;
                }
                let mut tried = vec![admitted(server, purpose, namespace, &rules)];
                // Any account of the namespace.
                if matches!(purpose, Purpose::Account(_)) {
                    let other = Purpose::Account("default");
                    tried.push(admitted(server, other, namespace, &rules));
                }
                tally.note(&title(what), claim(graph, purpose, namespace), &tried);
            }
            if node != Claim::Yes {
                let tried = [relabelled(server, namespace, &rules)];
                let (claimed, _) = later(graph, namespace);
                tally.note(&title("the node, by other labels"), claimed, &tried);
            }
        }
        delete(server, &policies);
        wait(server, &own, 201);
        for namespace in &namespaces {
            let (_, removed) = later(graph, namespace);
            let claimed = removed.min(claim(graph, Purpose::Node, namespace));
            let tried = [admitted(server, Purpose::Node, namespace, &rules)];
            let what = format!("seed {seed}: {namespace}: the node, without policies");
            tally.note(&what, claimed, &tried);
        }
    });
    if tally.wrong.len() > before {
        tally
            .wrong
            .extend(within.iter().chain(&policies).map(Value::to_string));
    }
}

/// Waits until a probe's policy is in force, or no longer.
fn wait(server: &ApiServer, name: &str, wanted: u16) {
    let asked = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    let (status, answer) = server
        .eventually("POST", path, Some(&asked), |status, _| status == wanted)
        .unwrap();
    assert_eq!(status, wanted, "{answer}");
}

#[test]
fn what_admission_lets_pass_is_what_the_server_lets_pass() {
    let options = Options::default().controllers().user("mallory", &[]);
    let server = ApiServer::start_with(&options).unwrap();
    let first = rounds("SEAWALL_ADMISSION_SERVER_FIRST", 1);
    let seeds = rounds("SEAWALL_ADMISSION_SERVER_SEEDS", 6);
    let mut tally = Tally::default();
    create(&server, &probe("always"));
    create(&server, &attacker());
    for seed in first..first + seeds {
        round(&server, seed, &mut tally);
    }
    println!("claim and whether it passed: {:?}", tally.counts);
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    let count = |claim: Claim| -> usize {
        [true, false]
            .iter()
            .filter_map(|passes| tally.counts.get(&(claim, *passes)))
            .sum()
    };
    let (yes, perhaps, no) = (count(Claim::Yes), count(Claim::Perhaps), count(Claim::No));
    // A lazy answer would show little.
    assert!(yes > seeds as usize && no > seeds as usize, "{yes} {no}");
    assert!(perhaps * 4 < yes + no, "{yes} {perhaps} {no}");
}
