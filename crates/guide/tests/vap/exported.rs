//! Policies as they are written down: whom they refuse, whom they spare, and that nothing that
//! an object may lack makes them fail.

use guide::Guide;
use guide::export::{Enforce, Export, Options, Waiver, vap};
use guide::setting::setting;
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVER, objects};
use crate::examples::listening;

/// Configuration that leaves no guideline out.
const PARAMS: &str = "{registries: [example.azurecr.io], tierLabel: tier, untrustedLabels: {tenancy: untrusted}, \
     untrustedPodLabels: {code: untrusted}, servicePorts: [443], admissionWebhooks: [policy.example.com]}";

fn export(guide: &Guide, options: Options<'_>) -> Export {
    let setting = setting(guide, Some(PARAMS), Some(SERVER)).unwrap();
    vap(guide, &setting, options, |_| true)
}

fn documents(text: &str) -> (Value, Value) {
    let mut documents = objects(text).into_iter();
    documents.next().zip(documents.next()).unwrap()
}

/// The least that the API server takes of each kind.
fn least() -> Vec<Value> {
    let pod = json!({"containers": [{"name": "app", "image": "example.azurecr.io/web:1"}]});
    let spec = json!({"selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}});
    let once = json!({"containers": pod["containers"], "restartPolicy": "Never"});
    let core = |kind: &str| json!({"apiVersion": "v1", "kind": kind});
    let of = |api_version: &str, kind: &str, spec: &Value| json!({"apiVersion": api_version, "kind": kind, "spec": spec});
    let rbac = |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind});
    let with = |mut object: Value, key: &str, value: Value| {
        object[key] = value;
        object
    };
    let role =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
    let projected = json!({"containers": pod["containers"], "volumes": [{"name": "none", "projected": {}}, {"name": "plain"}]});
    let ingress = json!({"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}});
    let aggregate = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
    let networking = "networking.k8s.io/v1";
    let hooks = "admissionregistration.k8s.io/v1";
    vec![
        of("v1", "Pod", &pod),
        of("v1", "Pod", &projected),
        of(
            "v1",
            "ReplicationController",
            &json!({"selector": {"app": "web"}, "template": spec["template"]}),
        ),
        with(core("PodTemplate"), "template", spec["template"].clone()),
        of("apps/v1", "Deployment", &spec),
        of("apps/v1", "ReplicaSet", &spec),
        of("apps/v1", "DaemonSet", &spec),
        of("apps/v1", "StatefulSet", &spec),
        of("batch/v1", "Job", &json!({"template": {"spec": once}})),
        of(
            "batch/v1",
            "CronJob",
            &json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": once}}}}),
        ),
        of("v1", "Service", &json!({"clusterIP": "None"})),
        of(
            "v1",
            "Service",
            &json!({"type": "ExternalName", "externalName": "shop.example.com"}),
        ),
        core("Secret"),
        core("ConfigMap"),
        core("ServiceAccount"),
        core("Namespace"),
        of(networking, "NetworkPolicy", &json!({"podSelector": {}})),
        of(
            networking,
            "NetworkPolicy",
            &json!({"podSelector": {}, "ingress": [{}], "egress": [{}]}),
        ),
        of(networking, "Ingress", &ingress),
        of(
            networking,
            "IngressClass",
            &json!({"controller": "example.com/controller"}),
        ),
        of(
            "policy/v1",
            "PodDisruptionBudget",
            &json!({"minAvailable": 1}),
        ),
        rbac("Role"),
        rbac("ClusterRole"),
        with(rbac("ClusterRole"), "aggregationRule", aggregate),
        with(rbac("RoleBinding"), "roleRef", role.clone()),
        with(rbac("ClusterRoleBinding"), "roleRef", role),
        with(
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}),
            "provisioner",
            "disk.csi.azure.com".into(),
        ),
        json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "kata"}),
        json!({"apiVersion": hooks, "kind": "ValidatingWebhookConfiguration"}),
        json!({"apiVersion": hooks, "kind": "MutatingWebhookConfiguration"}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}),
        json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "spec": {"provider": "azure"}}),
    ]
}

#[test]
fn nothing_that_an_object_may_lack_makes_a_policy_fail() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let export = export(
        &guide,
        Options {
            server_minor: SERVER,
            ..Options::default()
        },
    );
    let objects = least();
    cluster.define(&objects);
    cluster.namespace("shop", None);
    for policy in &export.policies {
        let (one, binding) = documents(&policy.text);
        let (one, binding) = listening(&policy.name, one, &binding);
        cluster.add(&one, &binding);
    }
    cluster.settle("all-made");
    let (mut asked, mut errors) = (0, Vec::new());
    for (number, mut object) in objects.into_iter().enumerate() {
        let kind = object["kind"].as_str().unwrap().to_owned();
        object["metadata"] = json!({"name": format!("least-{number}")});
        if !model::kinds::is_cluster_scoped(&kind) {
            object["metadata"]["namespace"] = "shop".into();
        }
        for policy in &export.policies {
            let answer = cluster
                .judge(&object, &policy.name)
                .unwrap_or_else(|| panic!("{kind} is not served"));
            assert_eq!(answer.status, 201, "{kind}: {}", answer.body["message"]);
            asked += 1;
            let wrong = |text: &&String| {
                text.contains("resulted in error") || text.contains("does not follow")
            };
            errors.extend(
                answer
                    .policies
                    .iter()
                    .map(|(_, text)| text)
                    .filter(wrong)
                    .map(|text| format!("{kind}: {}: {text}", policy.name)),
            );
        }
    }
    println!(
        "{} policies, {asked} requests, {} errors",
        export.policies.len(),
        errors.len()
    );
    assert!(errors.is_empty(), "{errors:#?}");
}

fn pod(name: &str, namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": {
        "containers": [{"name": "app", "image": "example.azurecr.io/web:1", "securityContext": {"privileged": true}}],
    }})
}

#[test]
fn policies_refuse_and_spare_as_they_say() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let waivers = [
        Waiver {
            guideline: "pss-privileged".into(),
            resource: Some("Deployment/shop/agent".into()),
            item: None,
            reason: "node agent".into(),
        },
        Waiver {
            guideline: "pss-privileged".into(),
            resource: Some("apps/DaemonSet/*/log*".into()),
            item: None,
            reason: "logs".into(),
        },
    ];
    let options = Options {
        server_minor: SERVER,
        enforce: Some(Enforce::Deny),
        waivers: &waivers,
        ..Options::default()
    };
    let export = export(&guide, options);
    let written = export
        .policies
        .iter()
        .find(|policy| policy.name == "seawall-pss-privileged")
        .unwrap();
    let (policy, binding) = documents(&written.text);
    cluster.namespace("shop", None);
    cluster.namespace(
        "managed",
        Some(&json!({"kubernetes.azure.com/managedby": "aks"})),
    );
    // Made before the policy, with a finalizer that must still go.
    let mut old = pod("old", "shop");
    old["metadata"]["finalizers"] = json!(["example.com/wait"]);
    cluster.create("/api/v1/namespaces/shop/pods", &old);
    cluster
        .server
        .request(
            "DELETE",
            "/api/v1/namespaces/shop/pods/old",
            Some(&json!({"gracePeriodSeconds": 0})),
        )
        .unwrap();
    cluster.add(&policy, &binding);
    cluster.settle("all-made");

    let ask = |object: &Value| cluster.judge(object, "test").unwrap();
    let refused = ask(&pod("web", "shop"));
    assert_eq!(refused.status, 422);
    let message = refused.body["message"].as_str().unwrap();
    let wanted = "ValidatingAdmissionPolicy 'seawall-pss-privileged' with binding 'seawall-pss-privileged' denied request: \
         container `app` is privileged";
    assert!(message.contains(wanted), "{message}");
    for namespace in ["kube-system", "managed"] {
        assert_eq!(ask(&pod("web", namespace)).status, 201, "{namespace}");
    }

    let spec = |name: &str| {
        json!({"selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod(name, "shop")["spec"]}})
    };
    let made = |kind: &str, name: &str| {
        json!({"apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec(name)})
    };
    let owned = |mut object: Value, kind: &str, name: &str| {
        object["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": name,
            "uid": "5c0d1f0e-0000-4000-8000-000000000001", "controller": true}]);
        object
    };
    assert_eq!(ask(&made("Deployment", "agent")).status, 201);
    assert_eq!(
        ask(&owned(
            made("ReplicaSet", "agent-5d4f"),
            "Deployment",
            "agent"
        ))
        .status,
        201
    );
    assert_eq!(
        ask(&owned(
            pod("agent-5d4f-x2x4z", "shop"),
            "ReplicaSet",
            "agent-5d4f"
        ))
        .status,
        201
    );
    assert_eq!(ask(&made("DaemonSet", "logs")).status, 201);
    assert_eq!(
        ask(&owned(pod("logs-x2x4z", "shop"), "DaemonSet", "logs")).status,
        201
    );
    assert_eq!(ask(&made("Deployment", "agents")).status, 422);
    assert_eq!(ask(&made("StatefulSet", "logs")).status, 422);
    assert_eq!(
        ask(&owned(
            pod("agent2-5d4f-x2x4z", "shop"),
            "ReplicaSet",
            "agent2-5d4f"
        ))
        .status,
        422
    );

    let free = json!({"metadata": {"finalizers": []}});
    let gone = cluster
        .server
        .request("PATCH", "/api/v1/namespaces/shop/pods/old", Some(&free))
        .unwrap();
    assert_eq!(gone.0, 200, "{:#}", gone.1);
}

/// What Kubernetes itself makes must stand: the server restores it at every start.
#[test]
fn the_roles_of_kubernetes_itself_pass() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let options = Options {
        server_minor: SERVER,
        enforce: None,
        waivers: &[],
        ..Options::default()
    };
    let export = export(&guide, options);
    for policy in &export.policies {
        let (policy, binding) = documents(&policy.text);
        cluster.add(&policy, &binding);
    }
    cluster.settle("all-made");
    let (mut judged, mut refused) = (0, Vec::new());
    for path in [
        "roles",
        "clusterroles",
        "rolebindings",
        "clusterrolebindings",
    ] {
        let group = "/apis/rbac.authorization.k8s.io/v1";
        let (_, list) = cluster
            .server
            .request("GET", &format!("{group}/{path}"), None)
            .unwrap();
        for object in list["items"].as_array().unwrap() {
            let within = object["metadata"]["namespace"]
                .as_str()
                .map(|name| format!("/namespaces/{name}"))
                .unwrap_or_default();
            let name = object["metadata"]["name"].as_str().unwrap();
            let answer = cluster.send(
                "PUT",
                &format!("{group}{within}/{path}/{name}"),
                object,
                "test",
            );
            judged += 1;
            if answer.status != 200 {
                refused.push(format!(
                    "{path}/{name}: {}",
                    answer.body["message"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    println!("{judged} objects of Kubernetes, {} refused", refused.len());
    assert!(judged > 100, "{judged}");
    assert!(refused.is_empty(), "{refused:#?}");
}

/// A running pod's resources change through a request of their own.
#[test]
fn a_running_pod_does_not_grow_past_a_policy() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let setting = setting(&guide, Some("{containerMemoryMaximum: 1Gi}"), Some(SERVER)).unwrap();
    let options = Options {
        server_minor: SERVER,
        enforce: Some(Enforce::Deny),
        waivers: &[],
        ..Options::default()
    };
    let reads = |guideline: &guide::Guideline| {
        guideline
            .needs
            .params
            .iter()
            .any(|key| &**key == "containerMemoryMaximum")
    };
    for policy in vap(&guide, &setting, options, reads).policies {
        let (policy, binding) = documents(&policy.text);
        cluster.add(&policy, &binding);
    }
    cluster.settle("all-made");
    cluster.namespace("shop", None);
    let of = |memory: &str| {
        json!({"spec": {"containers": [{"name": "app", "resources": {
            "requests": {"memory": "256Mi"}, "limits": {"memory": memory},
        }}]}})
    };
    let mut web = of("512Mi");
    web["metadata"] = json!({"name": "web"});
    web["spec"]["containers"][0]["image"] = "example.azurecr.io/web:1".into();
    cluster.create("/api/v1/namespaces/shop/pods", &web);
    let path = "/api/v1/namespaces/shop/pods/web";
    let (_, mut now) = cluster.server.request("GET", path, None).unwrap();
    for (memory, status) in [("768Mi", 200), ("2Gi", 422)] {
        now["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory.into();
        let answer = cluster.send("PUT", &format!("{path}/resize"), &now, "test");
        assert_eq!(answer.status, status, "{memory}: {:#}", answer.body);
    }
}
