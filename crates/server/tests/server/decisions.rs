//! What follows from findings: refusals, warnings, waivers, changes of what was so before.

use analysis::paths::{EntryKind, Wishes};
use guide::{Guide, Setting, setting};
use model::managed::Managed;
use report::config::Config;
use report::triage::Triage;
use serde_json::{Value, json};
use server::admission::{Answer, Decision, Gate, Half, Malformed, Review, Rules, Ways, Why};

use model::manifest::Form;

use super::examples::{read, review};

/// A guide, and what a configuration makes of it.
pub(crate) struct Court {
    guide: Guide,
    setting: Setting,
    config: Config,
    dry_run: bool,
}

impl Court {
    pub(crate) fn new(config: &str) -> Self {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty());
        let config = Config::parse("seawall.yaml", config, &guide).unwrap();
        let mut setting = setting::setting(&guide, config.params.as_deref(), Some(34)).unwrap();
        setting.severities.clone_from(&config.severities);
        setting.today = setting::midnight("2026-11-27");
        Self {
            guide,
            setting,
            config,
            dry_run: false,
        }
    }

    fn gate(&self) -> Gate<'_> {
        let rules = Rules {
            serve: self.config.serve.clone(),
            dry_run: self.dry_run,
        };
        let triage = Triage::new(&self.config, "2026-11-27");
        let managed = self.guide.data.get("provider-managed.yaml").unwrap();
        let managed = guide::front_matter::read(managed, 1).unwrap();
        let managed = Managed::from_data(managed.root());
        Gate::new(&self.guide, &self.setting, rules, triage, managed, |_| true)
    }

    fn decide(&self, body: &Value) -> Decision {
        let body = body.to_string();
        let review = Review::parse(&body).unwrap();
        self.gate()
            .decide(&review, Half::Both, None, None, &|_| false)
    }

    fn resource(&self, object: &Value) -> model::Resource {
        let mut read = read(&self.guide, &object.to_string(), Form::Json, 1);
        read.remove(0)
    }

    fn create(&self, object: &Value) -> Decision {
        self.decide(&serde_json::from_str(&review(object)).unwrap())
    }
}

/// A pod that follows every guideline about pods.
pub(crate) fn good() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "good", "namespace": "shop", "labels": { "app": "good" } },
        "spec": {
            "automountServiceAccountToken": false,
            "serviceAccountName": "good",
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": { "type": "RuntimeDefault" }
            },
            "containers": [container("web")]
        }
    })
}

pub(crate) fn container(name: &str) -> Value {
    json!({
        "name": name,
        "image": format!("contoso.azurecr.io/shop/web@sha256:{}", "a".repeat(64)),
        "imagePullPolicy": "Always",
        "securityContext": {
            "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
            "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] }
        },
        "resources": {
            "limits": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" },
            "requests": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" }
        },
        "livenessProbe": { "httpGet": { "path": "/", "port": 8080 } },
        "readinessProbe": { "httpGet": { "path": "/", "port": 8080 } }
    })
}

/// The same with the node's file system.
pub(crate) fn bad() -> Value {
    let mut pod = good();
    pod["metadata"]["name"] = "bad".into();
    pod["spec"]["volumes"] = json!([{ "name": "logs", "hostPath": { "path": "/var/log" } }]);
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{ "name": "logs", "mountPath": "/logs" }]);
    pod
}

fn ids(decision: &Decision, why: Why) -> Vec<String> {
    decision
        .those(why)
        .map(|finding| finding.guideline.to_string())
        .collect()
}

/// A review of a change by somebody.
fn change(old: &Value, new: &Value, user: &str, groups: &[&str]) -> Value {
    let mut body: Value = serde_json::from_str(&review(new)).unwrap();
    body["request"]["operation"] = "UPDATE".into();
    body["request"]["oldObject"] = old.clone();
    body["request"]["userInfo"] = json!({ "username": user, "groups": groups });
    body
}

#[test]
fn a_good_pod_is_let_in_and_a_bad_one_is_not() {
    let court = Court::new("");
    let decision = court.create(&good());
    assert_eq!(ids(&decision, Why::Refused), Vec::<String>::new());
    assert!(decision.allowed);
    let decision = court.create(&bad());
    assert!(!decision.allowed);
    assert!(ids(&decision, Why::Refused).contains(&"pss-host-path".to_owned()));
    let answer = Answer::of(&decision, None);
    assert!(!answer.allowed);
    assert_eq!(answer.code, 403);
    assert!(
        answer.message.starts_with("seawall refuses Pod shop/bad: "),
        "{}",
        answer.message
    );
    assert!(answer.message.contains("pss-host-path (critical): "));
    assert!(answer.message.contains("`seawall explain "));
    let json: Value = serde_json::from_str(&answer.json("u")).unwrap();
    assert_eq!(json["response"]["uid"], "u");
    assert_eq!(json["response"]["allowed"], false);
    assert_eq!(json["response"]["status"]["code"], 403);
    let refused = json["response"]["auditAnnotations"]["refused"]
        .as_str()
        .unwrap();
    assert!(refused.split(',').any(|id| id == "pss-host-path"));
}

#[test]
fn severities_decide_and_a_dry_run_only_warns() {
    let court = Court::new("serve: { deny: [] }\n");
    let decision = court.create(&bad());
    assert!(decision.allowed);
    assert!(ids(&decision, Why::Warned).contains(&"pss-host-path".to_owned()));
    let mut court = Court::new("");
    court.dry_run = true;
    let decision = court.create(&bad());
    assert!(decision.allowed);
    assert!(ids(&decision, Why::WouldBeRefused).contains(&"pss-host-path".to_owned()));
    let answer = Answer::of(&decision, None);
    let warning = answer
        .warnings
        .iter()
        .find(|line| line.starts_with("pss-host-path"))
        .unwrap();
    assert!(
        warning.ends_with(", would be refused; `seawall explain pss-host-path`"),
        "{warning}"
    );
    assert!(
        answer
            .warnings
            .iter()
            .all(|line| line.chars().count() <= 256)
    );
}

#[test]
fn waivers_hold_also_for_pods_that_controllers_make() {
    let court = Court::new(
        "waivers:\n- { guideline: pss-host-path, resource: Deployment/shop/web, reason: reads logs, owner: team, until: 2027-01-31 }\n",
    );
    assert!(!court.create(&bad()).allowed);
    let mut pod = bad();
    pod["metadata"]["name"] = "web-5d4f-x".into();
    pod["metadata"]["labels"]["pod-template-hash"] = "5d4f".into();
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f", "uid": "1", "controller": true
    }]);
    // Anybody can say that a Deployment owns a pod.
    assert!(!court.create(&pod).allowed);
    let mut body: Value = serde_json::from_str(&review(&pod)).unwrap();
    body["request"]["userInfo"]["username"] =
        "system:serviceaccount:kube-system:replicaset-controller".into();
    let decision = court.decide(&body);
    assert_eq!(ids(&decision, Why::Waived), ["pss-host-path"]);
    assert!(decision.allowed, "{:?}", decision.said);
    // An expired one does not.
    let court = Court::new(
        "waivers:\n- { guideline: pss-host-path, reason: reads logs, owner: team, until: 2026-01-31 }\n",
    );
    assert!(!court.create(&bad()).allowed);
}

#[test]
fn what_was_so_before_does_not_stop_a_change() {
    let court = Court::new("");
    let old = bad();
    let mut new = bad();
    new["metadata"]["labels"]["tier"] = "web".into();
    let decision = court.decide(&change(&old, &new, "jane", &[]));
    assert!(decision.allowed);
    assert!(ids(&decision, Why::WasSoBefore).contains(&"pss-host-path".to_owned()));
    // Something worse under the same guideline does.
    new["spec"]["volumes"][0]["hostPath"]["path"] = "/".into();
    let decision = court.decide(&change(&old, &new, "jane", &[]));
    assert!(!decision.allowed);
    // So does what is new.
    let decision = court.decide(&change(&good(), &old, "jane", &[]));
    assert!(!decision.allowed);
}

#[test]
fn deletions_and_connections_are_let_through() {
    let court = Court::new("serve: { deny-unknown: [critical] }\n");
    let mut body: Value = serde_json::from_str(&review(&bad())).unwrap();
    body["request"]["operation"] = "DELETE".into();
    body["request"]["oldObject"] = body["request"]["object"].take();
    assert!(court.decide(&body).allowed);
    body["request"]["operation"] = "CONNECT".into();
    body["request"]["object"] =
        json!({ "apiVersion": "v1", "kind": "PodExecOptions", "stdin": true });
    assert!(court.decide(&body).allowed);
}

#[test]
fn labels_excuse_only_those_who_could_remove_the_webhook() {
    let court = Court::new("");
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "all", "labels": { "kubernetes.azure.com/managedby": "aks", "addonmanager.kubernetes.io/mode": "Reconcile" } },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated" }]
    });
    assert!(!court.create(&binding).allowed);
    let mut body: Value = serde_json::from_str(&review(&binding)).unwrap();
    body["request"]["userInfo"]["groups"] = json!(["system:masters"]);
    assert!(court.decide(&body).allowed);
}

#[test]
fn an_unknown_verdict_is_let_in_unless_opted_in() {
    // No cluster was read: what joins objects is not asked, and said so.
    let decision = Court::new("").create(&good());
    assert!(decision.not_asked.iter().all(|(_, why)| !why.is_empty()));
    assert!(!decision.not_asked.is_empty());
    // What cannot be read at all.
    let mut pod = good();
    pod["spec"] = "nothing".into();
    let decision = Court::new("").create(&pod);
    assert!(decision.allowed);
    assert!(decision.unreadable.is_some());
    let answer = Answer::of(&decision, None);
    assert!(
        answer.warnings[0].contains("could not judge Pod shop/good"),
        "{answer:?}"
    );
    let decision = Court::new("serve: { deny-unknown: [critical] }\n").create(&pod);
    assert!(!decision.allowed);
    // Deeper than anything may be.
    let mut deep = json!(1);
    for _ in 0..110 {
        deep = json!({ "a": deep });
    }
    let mut custom = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "deep", "namespace": "shop" } });
    custom["data"] = deep;
    assert!(Court::new("").create(&custom).unreadable.is_some());
}

#[test]
fn what_is_no_review_is_refused() {
    for (body, error) in [
        ("", "no AdmissionReview"),
        ("[]", "a `` of ``"),
        ("{}", "a `` of ``"),
        (
            "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\"}",
            "v1beta1",
        ),
        (
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}",
            "no `request`",
        ),
        (
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"operation\":\"CREATE\"}}",
            "uid",
        ),
        (
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"1\",\"operation\":\"EAT\"}}",
            "`EAT` is no operation",
        ),
    ] {
        let malformed: Malformed = Review::parse(body).unwrap_err();
        assert!(malformed.to_string().contains(error), "{body}: {malformed}");
    }
    let deep = format!(
        "{{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{{\"uid\":\"1\",\"operation\":\"CREATE\",\"object\":{}1{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let review = Review::parse(&deep).unwrap();
    let court = Court::new("");
    let decision = court
        .gate()
        .decide(&review, Half::Both, None, None, &|_| false);
    assert!(decision.unreadable.is_some());
}

#[test]
fn a_binding_says_what_it_opens() {
    let court = Court::new("serve: { deny: [] }\n");
    let object = |text: Value| court.resource(&text);
    let mut estate = model::Estate::new(model::Scope::Whole);
    for text in [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "keys", "namespace": "shop" },
            "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"] }] }),
    ] {
        estate.add(object(text));
    }
    let beside = guide::facts::analyses(&court.guide, &court.setting, &estate);
    let binding = |role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": "reads", "namespace": "shop" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane" }]
        })
    };
    let decide = |object: &Value| {
        let body = review(object);
        let review = Review::parse(&body).unwrap();
        court
            .gate()
            .decide(&review, Half::Open, None, Some(&beside), &|_| false)
    };
    let decision = decide(&binding("keys"));
    assert_eq!(decision.opens.len(), 1, "{:?}", decision.opens);
    assert_eq!(decision.opens[0].who, "User jane");
    let answer = Answer::of(&decision, Some(std::time::Duration::from_secs(7)));
    let line = answer
        .warnings
        .iter()
        .find(|line| line.starts_with("opens: "))
        .unwrap();
    assert!(
        line.starts_with("opens: User jane in namespace shop: reads Secrets"),
        "{line}"
    );
    assert!(line.ends_with(", as the cluster was 7 s ago"), "{line}");
    assert!(
        answer
            .annotations
            .iter()
            .any(|(key, ids)| *key == "opens" && ids.contains("secret"))
    );
    // A role that nobody gave anything opens nothing, and a pod gives no rights.
    assert_eq!(decide(&binding("nothing")).opens, []);
    assert_eq!(decide(&good()).opens, []);
}

/// A shop that the internet reaches, whose account may do nothing, and what looks for ways through it.
fn entrance(court: &Court, also: &[Value]) -> model::Estate {
    let mut estate = model::Estate::new(model::Scope::Whole);
    let own = [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "web", "namespace": "shop" } }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "type": "LoadBalancer", "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] } }),
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "serviceAccountName": "web", "automountServiceAccountToken": true,
                    "containers": [{ "name": "web", "image": "web:1", "ports": [{ "containerPort": 8080 }] }] } } } }),
    ];
    for object in own.iter().chain(also) {
        estate.add(court.resource(object));
    }
    estate
}

fn to_admin(name: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": "web", "namespace": "shop" }]
    })
}

impl Court {
    /// Decides beside an estate, with an eye on ways of attackers.
    fn watchful(&self, estate: &model::Estate, body: &Value, late: bool) -> Decision {
        let beside = guide::facts::analyses(&self.guide, &self.setting, estate);
        let ways = Ways::new(
            &self.guide,
            &self.setting,
            Wishes::default(),
            self.config.serve.ways,
        );
        let gate = self.gate().looking_for(ways);
        let body = body.to_string();
        let review = Review::parse(&body).unwrap();
        let mut decision = gate.decide(&review, Half::Open, None, Some(&beside), &|_| false);
        if decision.allowed && gate.is_to_complete(&review, Half::Open, &beside) {
            gate.complete(&review, &beside, &|_| late, &mut decision);
        }
        decision
    }
}

#[test]
fn what_completes_a_way_of_attackers_is_told_and_refused_where_asked() {
    let court = Court::new("serve: { deny: [] }\n");
    let estate = entrance(&court, &[]);
    let asked = |object: &Value| serde_json::from_str::<Value>(&review(object)).unwrap();
    let decision = court.watchful(&estate, &asked(&to_admin("web-admin")), false);
    assert!(decision.allowed);
    let way = decision.completes.first().expect("a way");
    assert_eq!((way.kind, way.weight), ("cluster-admin", 10));
    assert_eq!(way.because, EntryKind::Exposed);
    let answer = Answer::of(&decision, Some(std::time::Duration::from_secs(7)));
    let line = answer
        .warnings
        .iter()
        .find(|line| line.starts_with("completes a way"))
        .unwrap();
    assert!(
        line.starts_with("completes a way to cluster-admin from Deployment shop/web (exposed): "),
        "{line}"
    );
    assert!(line.ends_with(", as the cluster was 7 s ago"), "{line}");
    assert!(
        answer
            .annotations
            .iter()
            .any(|(key, kinds)| *key == "completes" && kinds.contains("cluster-admin"))
    );
    // Where the way is there already, nothing is completed; nor where there is no time to look.
    let before = entrance(&court, &[to_admin("other")]);
    let decision = court.watchful(&before, &asked(&to_admin("web-admin")), false);
    assert_eq!(decision.completes, []);
    let decision = court.watchful(&estate, &asked(&to_admin("web-admin")), true);
    assert_eq!(decision.completes, []);
    assert_eq!(decision.not_asked.last().unwrap().0, "ways");
    // A pod is asked about where everything is.
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "new", "namespace": "shop" },
        "spec": { "containers": [{ "name": "c", "image": "web:1", "securityContext": { "privileged": true } }] } });
    assert_eq!(court.watchful(&estate, &asked(&pod), false).completes, []);
    let all = Court::new("serve: { deny: [], ways: all }\n");
    let decision = all.watchful(&estate, &asked(&pod), false);
    assert!(
        decision.completes.iter().any(|way| way.kind == "node-root"),
        "{:?}",
        decision.completes
    );
    // Refused from a weight on, but for those who may remove the webhook, and not in a dry run.
    let mut strict = Court::new("serve: { deny: [], deny-ways: 10 }\n");
    let body = asked(&to_admin("web-admin"));
    let decision = strict.watchful(&estate, &body, false);
    assert!(!decision.allowed);
    let answer = Answer::of(&decision, None);
    assert!(
        answer.message.starts_with(
            "seawall refuses ClusterRoleBinding web-admin: it completes a way to cluster-admin\n- completes a way"
        ),
        "{}",
        answer.message
    );
    let mut master = body.clone();
    master["request"]["userInfo"]["groups"] = json!(["system:masters"]);
    assert!(strict.watchful(&estate, &master, false).allowed);
    let mut controller = body.clone();
    controller["request"]["userInfo"]["groups"] = json!(["system:serviceaccounts:kube-system"]);
    assert!(strict.watchful(&estate, &controller, false).allowed);
    strict.dry_run = true;
    assert!(strict.watchful(&estate, &body, false).allowed);
    let lenient = Court::new("serve: { deny: [], deny-ways: 11 }\n");
    assert!(lenient.watchful(&estate, &body, false).allowed);
}

#[test]
fn images_are_judged_by_what_is_known_of_them() {
    let court = Court::new("registries: [contoso.azurecr.io]\n");
    let refused = |image: &str| {
        let mut pod = good();
        pod["spec"]["containers"][0]["image"] = image.into();
        let decision = court.create(&pod);
        // Whether it is signed, or free of weaknesses, only a registry knows: nothing is said of that.
        let unknown = decision.said.iter().map(|said| said.finding.outcome.word());
        assert!(unknown.into_iter().all(|word| word == "fail"), "{image}");
        ids(&decision, Why::Refused)
    };
    let digest = format!("@sha256:{}", "a".repeat(64));
    assert_eq!(
        refused(&format!("contoso.azurecr.io/shop/web:1{digest}")),
        Vec::<String>::new()
    );
    for (image, guideline) in [
        (
            format!("contoso.azurecr.io.evil.example/web{digest}"),
            "img-trusted-registry",
        ),
        (format!("web{digest}"), "img-trusted-registry"),
        ("contoso.azurecr.io/shop/web:1".to_owned(), "img-digest"),
        (
            "contoso.azurecr.io/shop/web:1@sha256:abc".to_owned(),
            "img-digest",
        ),
    ] {
        let refused = refused(&image);
        assert!(
            refused.contains(&guideline.to_owned()),
            "{image}: {refused:?}"
        );
    }
    // So it is of a container that is added while a pod runs.
    let mut debugged = good();
    debugged["spec"]["ephemeralContainers"] =
        json!([{ "name": "debug", "image": format!("busybox{digest}") }]);
    let decision = court.decide(&change(&good(), &debugged, "jane", &[]));
    assert!(ids(&decision, Why::Refused).contains(&"img-trusted-registry".to_owned()));
}
