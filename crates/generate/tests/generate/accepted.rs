//! A real API server takes everything that is generated, in the order of the pipeline, and then lets in what does
//! everything right.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::made::{Made, objects, text, workloads};

/// Kinds that AKS and its add-ons bring: nothing here knows their schemas.
const OF_ADD_ONS: [&str; 9] = [
    "AuthorizationPolicy security.istio.io/v1",
    "CiliumNetworkPolicy cilium.io/v2",
    "ExternalSecret external-secrets.io/v1",
    "Gateway gateway.networking.k8s.io/v1",
    "HTTPRoute gateway.networking.k8s.io/v1",
    "PeerAuthentication security.istio.io/v1",
    "SecretProviderClass secrets-store.csi.x-k8s.io/v1",
    "SecretStore external-secrets.io/v1",
    "WebApplicationFirewallPolicy alb.networking.azure.io/v1",
];

/// The least of an API server's own kinds that must have been taken.
const TAKEN: [&str; 10] = [
    "ClusterRole",
    "ConfigMap",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "RoleBinding",
    "ServiceAccount",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

#[test]
fn the_api_server_takes_all_pairs_of_answers() {
    let made = Made::new();
    let cluster = Cluster::start();
    let (mut applied, mut taken, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let sets = made.pairs();
    for (number, decisions) in sets.iter().enumerate() {
        for object in objects(&made.files(decisions.clone())) {
            // Most of it is the same from set to set.
            if !applied.insert(object.to_string()) {
                continue;
            }
            let Some((status, message)) = cluster.apply(&object) else {
                continue;
            };
            taken.insert(object["kind"].as_str().unwrap().to_owned());
            if ![200, 201].contains(&status) {
                wrong.push(format!("{number}: {status} {message}\n{object:#}"));
            }
        }
    }
    let missing = cluster.missing.borrow().clone();
    println!(
        "{} sets, {} objects of {taken:?}; not served: {missing:?}",
        sets.len(),
        applied.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(TAKEN.iter().all(|kind| taken.contains(*kind)), "{taken:?}");
    assert!(
        missing.iter().all(|kind| OF_ADD_ONS.contains(&&**kind)),
        "{missing:?}"
    );
}

/// What a Deployment or CronJob makes.
fn pod_of(workload: &Value) -> Option<Value> {
    let template = match workload["kind"].as_str()? {
        "Deployment" => &workload["spec"]["template"],
        "CronJob" => &workload["spec"]["jobTemplate"]["spec"]["template"],
        _ => return None,
    };
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
    pod["metadata"] = template["metadata"].clone();
    pod["metadata"]["name"] = workload["metadata"]["name"].clone();
    pod["metadata"]["namespace"] = workload["metadata"]["namespace"].clone();
    // Its maker's labels are asked of a pod that has none.
    pod["metadata"]["labels"]["owner"] = "team-platform".into();
    pod["spec"] = template["spec"].clone();
    Some(pod)
}

fn prepared(answers: &[(&str, &str)]) -> (Made, Cluster) {
    let made = Made::new();
    let cluster = Cluster::start();
    let all = made.decided(answers);
    assert!(!text(&all, "seawall.yaml").is_empty());
    for object in objects(&all) {
        if let Some((status, message)) = cluster.apply(&object) {
            assert!([200, 201].contains(&status), "{message}\n{object:#}");
        }
    }
    cluster.settle();
    for namespace in ["storefront", "orders", "report", "plugins"] {
        cluster.counted(namespace);
    }
    (made, cluster)
}

#[test]
fn hardened_workloads_get_in_and_nothing_else() {
    let (_, cluster) = prepared(&[("rights", "entra-kubernetes-rbac")]);
    let mut pods = 0;
    for workload in workloads() {
        cluster.made(&workload);
        if let Some(pod) = pod_of(&workload) {
            cluster.made(&pod);
            pods += 1;
        }
    }
    assert_eq!(pods, 4);

    // Pod Security by the namespace's label, before any policy is asked.
    let mut privileged = workloads().iter().find_map(pod_of).unwrap();
    privileged["metadata"]["name"] = "privileged".into();
    privileged["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    let (status, message) = cluster.create(&privileged, true).unwrap();
    assert_eq!(status, 403, "{message}");
    assert!(
        message.contains("violates PodSecurity \"restricted:latest\""),
        "{message}"
    );

    // A sandbox for the code of others.
    let mut plugins = workloads()
        .into_iter()
        .filter_map(|workload| pod_of(&workload));
    let mut bare = plugins.next_back().unwrap();
    assert_eq!(bare["metadata"]["namespace"], "plugins");
    bare["metadata"]["name"] = "bare".into();
    bare["spec"]
        .as_object_mut()
        .unwrap()
        .remove("runtimeClassName");
    let (status, message) = cluster.create(&bare, true).unwrap();
    assert_eq!(status, 422, "{message}");
    assert!(message.contains("seawall-"), "{message}");

    // No entrance beside the gateway, by the quota.
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door", "namespace": "orders",
        "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}},
        "spec": {"type": "LoadBalancer", "selector": {"app.kubernetes.io/name": "orders"}, "ports": [{"port": 8081}]}});
    let (status, message) = cluster.create(&service, true).unwrap();
    assert_eq!(status, 403, "{message}");
    assert!(message.contains("exceeded quota: bounds"), "{message}");

    // A container that asks for nothing gets what the namespace gives.
    let path = "/api/v1/namespaces/orders/pods?dryRun=All";
    let mut silent = workloads().iter().filter_map(pod_of).nth(1).unwrap();
    silent["metadata"]["name"] = "silent".into();
    silent["metadata"]["namespace"] = "orders".into();
    silent["spec"]["containers"][0]["resources"] = json!({});
    let (status, answer) = cluster.server.request("POST", path, Some(&silent)).unwrap();
    assert_eq!(status, 201, "{answer:#}");
    let resources = &answer["spec"]["containers"][0]["resources"];
    assert_eq!(
        resources["limits"],
        json!({"cpu": "500m", "memory": "256Mi"})
    );
}

#[test]
fn people_may_what_the_roles_say() {
    let (_, cluster) = prepared(&[("rights", "entra-kubernetes-rbac")]);
    let pod = workloads().iter().filter_map(pod_of).nth(1).unwrap();
    assert_eq!(pod["metadata"]["namespace"], "orders");
    cluster.made(&pod);
    let name = pod["metadata"]["name"].as_str().unwrap();
    let own = "/apis/apps/v1/namespaces/orders/deployments";
    let map = json!({"metadata": {"name": "settings"}, "data": {"a": "b"}});
    let maps = "/api/v1/namespaces/orders/configmaps?dryRun=All";
    let secret = json!({"metadata": {"name": "key"}, "stringData": {"a": "b"}});
    let secrets = "/api/v1/namespaces/orders/secrets?dryRun=All";
    let exec = format!("/api/v1/namespaces/orders/pods/{name}/exec?command=id&stdout=true");
    let log = format!("/api/v1/namespaces/orders/pods/{name}/log");
    let deployment = workloads().into_iter().find(|workload| {
        workload["kind"] == "Deployment" && workload["metadata"]["namespace"] == "orders"
    });
    type Case<'c> = (&'c str, &'c str, &'c str, Option<&'c Value>, &'c [u16]);
    let cases: [Case<'_>; 12] = [
        (
            "deployer",
            "POST",
            &format!("{own}?dryRun=All"),
            deployment.as_ref(),
            &[201],
        ),
        ("deployer", "POST", maps, Some(&map), &[201]),
        ("deployer", "POST", secrets, Some(&secret), &[403]),
        (
            "deployer",
            "GET",
            "/api/v1/namespaces/orders/secrets",
            None,
            &[403],
        ),
        (
            "deployer",
            "GET",
            "/apis/apps/v1/namespaces/kube-system/deployments",
            None,
            &[403],
        ),
        ("deployer", "POST", &exec, None, &[403]),
        ("reader", "GET", own, None, &[200]),
        // The pod has no node, so there is no log yet.
        ("reader", "GET", &log, None, &[200, 204, 400]),
        ("reader", "POST", maps, Some(&map), &[403]),
        (
            "reader",
            "GET",
            "/api/v1/namespaces/orders/configmaps",
            None,
            &[403],
        ),
        (
            "reader",
            "GET",
            "/api/v1/namespaces/kube-system/pods",
            None,
            &[403],
        ),
        ("reader", "POST", &exec, None, &[403]),
    ];
    for (user, method, path, body, expected) in cases {
        let (status, message) = cluster.as_user(user, method, path, body);
        assert!(
            expected.contains(&status),
            "{user} {method} {path}: {status} {message}"
        );
    }
    // Even who may do everything opens no shell, unless in the group of administrators.
    let (status, message) = cluster.as_user("admin", "POST", &exec, None);
    assert!(
        status == 422 && message.contains("shells in pods are for administrators"),
        "{status} {message}"
    );
    let all = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "administrators"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": crate::cluster::ADMINISTRATORS}]});
    cluster.made(&all);
    // The server hears of its own bindings a moment later.
    let heard = (0..100).find_map(|_| {
        let (status, message) = cluster.as_user("administrator", "POST", &exec, None);
        if message.contains("cannot create resource") {
            std::thread::sleep(std::time::Duration::from_millis(100));
            return None;
        }
        Some((status, message))
    });
    let (status, message) = heard.expect("the binding counts");
    assert!(
        ![403, 422].contains(&status) && message.contains("does not have a host assigned"),
        "{status} {message}"
    );
}
