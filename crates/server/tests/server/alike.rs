//! Workloads that nobody wrote, asked about three times: as files, before the webhook, and before exported policies.
//! Webhook and policies are both asked by one API server, by one request for each: policies answer in warnings, whose
//! names and texts are kept short so that all fit, the webhook in annotations of the audit event.
//!
//! `SEAWALL_ALIKE_PODS=10000` makes more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use guide::export::{ConfigMap, Enforce, Options, vap};
use guide::guideline::Applies;
use guide::setting::{newest_minor, setting, to_json};
use guide::{Guide, Judge};
use model::Severity;
use model::finding::Outcome;
use model::manifest::Form;
use oracle::ApiServer;
use oracle::pods::{Dice, PARAMS, object};
use serde_json::{Value, json};

use super::cluster::install;
use super::examples::read;
use super::running::{Running, Wishes};

const NAMESPACE: &str = "shop";

/// The minor of the API server of tests.
const SERVER: u8 = 34;

/// What was said of an object.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    message: String,
    fails: BTreeSet<String>,
}

/// An API server that writes an audit event of each request, without bodies.
fn api_server(folder: &std::path::Path) -> ApiServer {
    let policy = json!({ "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived"], "rules": [{ "level": "Metadata" }] });
    std::fs::write(folder.join("policy.json"), policy.to_string()).unwrap();
    let plugins = "ServiceAccount,PodSecurity,RuntimeClass,Priority,DefaultTolerationSeconds,\
        TaintNodesByCondition,LimitRanger,DefaultStorageClass,DefaultIngressClass,ResourceQuota,\
        PersistentVolumeClaimResize,CertificateApproval,CertificateSigning,CertificateSubjectRestriction,\
        ClusterTrustBundleAttest";
    let options = oracle::Options::default()
        .flag(&format!("--disable-admission-plugins={plugins}"))
        .flag("--runtime-config=api/all=true")
        .flag("--feature-gates=AllBeta=true")
        .flag("--audit-log-mode=blocking")
        .flag(&format!(
            "--audit-policy-file={}",
            folder.join("policy.json").display()
        ))
        .flag(&format!(
            "--audit-log-path={}",
            folder.join("audit.log").display()
        ));
    ApiServer::start_with(&options).unwrap()
}

fn create(server: &ApiServer, path: &str, object: &Value) {
    let (status, answer) = server.request("POST", path, Some(object)).unwrap();
    assert_eq!(status, 201, "{answer:#}\n{object:#}");
}

/// Brings all exported policies about workloads to a server; the guidelines by the short names of their policies.
fn deploy(guide: &Guide, server: &ApiServer) -> BTreeMap<String, String> {
    let settings = setting(guide, Some(PARAMS), None).unwrap();
    let options = Options {
        server_minor: SERVER,
        enforce: Some(Enforce::Warn),
        settings: Some(ConfigMap {
            namespace: "kube-system",
            name: "seawall-settings",
        }),
        ..Options::default()
    };
    let export = vap(guide, &settings, options, |guideline| {
        guideline.applies == Applies::Workload && !guideline.needs.joined
    });
    let group = "/apis/admissionregistration.k8s.io/v1";
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut short = BTreeMap::new();
    let beside = export.beside.iter().map(|beside| &beside.text);
    for text in beside.chain(export.policies.iter().map(|policy| &policy.text)) {
        for raw in yaml::documents(text) {
            let doc = guide::front_matter::read(&raw.text, 1).unwrap();
            let mut object = to_json(doc.root());
            let own = object["metadata"]["name"].as_str().unwrap().to_owned();
            match object["kind"].as_str().unwrap() {
                "ValidatingAdmissionPolicy" => {
                    let name = format!("p{}", names.len());
                    if let Some(id) = object["metadata"]["labels"]["seawall.dev/guideline"].as_str()
                    {
                        short.insert(name.clone(), id.to_owned());
                        for validation in object["spec"]["validations"].as_array_mut().unwrap() {
                            validation["message"] = "x".into();
                            validation["messageExpression"] = Value::Null;
                        }
                    }
                    object["metadata"]["name"] = name.clone().into();
                    names.insert(own, name);
                    create(
                        server,
                        &format!("{group}/validatingadmissionpolicies"),
                        &object,
                    );
                }
                "ValidatingAdmissionPolicyBinding" => {
                    let of = object["spec"]["policyName"].as_str().unwrap();
                    let name = names[of].clone();
                    object["metadata"]["name"] = name.clone().into();
                    object["spec"]["policyName"] = name.into();
                    create(
                        server,
                        &format!("{group}/validatingadmissionpolicybindings"),
                        &object,
                    );
                }
                "ConfigMap" => {
                    create(server, "/api/v1/namespaces/kube-system/configmaps", &object);
                }
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!(short.len(), export.policies.len());
    short
}

/// Policies take effect in the order in which they were made: this is the last.
fn settle(server: &ApiServer) {
    let group = "/apis/admissionregistration.k8s.io/v1";
    let policy = json!({ "metadata": { "name": "last" }, "spec": {
        "matchConstraints": { "resourceRules": [{
            "apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["configmaps"] }] },
        "validations": [{ "expression": "object.metadata.name != 'last'" }] } });
    create(
        server,
        &format!("{group}/validatingadmissionpolicies"),
        &policy,
    );
    let binding = json!({ "metadata": { "name": "last" },
        "spec": { "policyName": "last", "validationActions": ["Deny"] } });
    create(
        server,
        &format!("{group}/validatingadmissionpolicybindings"),
        &binding,
    );
    let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    let map = json!({ "metadata": { "name": "last" } });
    let (status, answer) = server
        .eventually("POST", path, Some(&map), |status, _| status == 422)
        .unwrap();
    assert_eq!(status, 422, "{answer:#}");
}

fn collection(object: &Value) -> String {
    let (prefix, plural) = match object["kind"].as_str().unwrap() {
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "CronJob" => ("/apis/batch/v1", "cronjobs"),
        _ => ("/api/v1", "pods"),
    };
    format!("{prefix}/namespaces/{NAMESPACE}/{plural}")
}

/// Policies that warned of an object, by their short names.
fn ask(server: &ApiServer, number: usize, object: &Value) -> Answer {
    let path = format!("{}?dryRun=All&fieldManager=m{number}", collection(object));
    let (status, body, warnings) = server.request_warned("POST", &path, Some(object)).unwrap();
    let named = |warning: &String| {
        let rest = warning.strip_prefix("Validation failed for ValidatingAdmissionPolicy '")?;
        let (policy, rest) = rest.split_once('\'')?;
        // Whatever else it says is an error of the policy.
        assert!(rest.ends_with(": x"), "{warning}");
        Some(policy.to_owned())
    };
    let fails: BTreeSet<String> = warnings.iter().filter_map(named).collect();
    // 4096 characters hold more (`k8s.io/apiserver/pkg/endpoints/filters/warning.go`).
    assert!(
        fails.len() < 50,
        "warnings may have been left out: {fails:?}"
    );
    Answer {
        status,
        message: body["message"].as_str().unwrap_or_default().to_owned(),
        fails,
    }
}

/// What the webhook said, by the number of the request.
fn audited(log: &std::path::Path) -> BTreeMap<usize, BTreeSet<String>> {
    let mut all: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for line in BufReader::new(File::open(log).unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let uri = event["requestURI"].as_str().unwrap_or_default();
        let number = uri.split_once("fieldManager=m").map(|(_, rest)| rest);
        let Some(number) = number.and_then(|rest| rest.split('&').next()?.parse().ok()) else {
            continue;
        };
        let said = all.entry(number).or_default();
        for (key, value) in event["annotations"].as_object().into_iter().flatten() {
            assert!(!key.contains("failed-open"), "{event:#}");
            let Some((webhook, group)) = key.split_once(".seawall.dev/") else {
                continue;
            };
            let value = value.as_str().unwrap();
            assert!(!value.ends_with('…'), "{value}");
            assert!(["closed", "open"].contains(&webhook), "{webhook}");
            if group != "unknown" {
                assert!(["refused", "warned"].contains(&group), "{group}: {value}");
                said.extend(value.split(',').map(str::to_owned));
            }
        }
    }
    all
}

#[test]
fn files_webhook_and_policies_say_the_same() {
    let count = std::env::var("SEAWALL_ALIKE_PODS").map_or(300, |text| text.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("seawall-alike-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty());
    let server = api_server(&folder);
    create(
        &server,
        "/api/v1/namespaces",
        &json!({ "metadata": { "name": NAMESPACE } }),
    );
    let policies = deploy(&guide, &server);
    settle(&server);
    let asked: BTreeSet<String> = policies.values().cloned().collect();
    let selected = asked.clone();
    let running = Running::start(Wishes {
        config: PARAMS,
        select: Arc::new(move |_, guideline| selected.contains(&*guideline.id.0)),
        minor: None,
        ..Wishes::default()
    });
    install(&server, &running);
    let bad = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "bad", "namespace": NAMESPACE },
        "spec": { "hostPID": true, "containers": [{ "name": "c", "image": "web" }] } });
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");
    let (status, answer) = server
        .eventually("POST", &path, Some(&bad), |status, _| status == 403)
        .unwrap();
    assert_eq!(status, 403, "{answer}");

    let begin = Instant::now();
    let next = AtomicUsize::new(0);
    let objects = |number: usize| object(&mut Dice::new(number as u64), number, NAMESPACE);
    let answers: BTreeMap<usize, Answer> = thread::scope(|scope| {
        let asking = || {
            let mut answers = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return answers;
                }
                answers.push((number, ask(&server, number, &objects(number))));
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let took = begin.elapsed();
    let webhook = audited(&folder.join("audit.log"));

    let setting = setting(&guide, Some(PARAMS), Some(newest_minor(&guide))).unwrap();
    let judge = Judge::new(&guide, &setting, |guideline| {
        asked.contains(&*guideline.id.0)
    });
    let (mut judged, mut refused, mut failing, mut most) = (0, 0, 0, 0);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (number, answer) in &answers {
        let said_no = answer.message.starts_with("admission webhook ");
        if answer.status != 201 && !said_no {
            assert_eq!(answer.status, 422, "{answer:?}");
            refused += 1;
            continue;
        }
        judged += 1;
        let object = objects(*number);
        let mut files: BTreeSet<String> = BTreeSet::new();
        let mut denied = false;
        for resource in read(&guide, &object.to_string(), Form::Json, 1) {
            for finding in judge.local(&resource).findings {
                if finding.outcome == Outcome::Fail {
                    denied |= finding.severity >= Severity::High;
                    files.insert(finding.guideline.to_string());
                }
            }
        }
        failing += files.len();
        most = most.max(files.len());
        seen.extend(files.iter().cloned());
        let vap: BTreeSet<String> = answer
            .fails
            .iter()
            .map(|name| policies[name].clone())
            .collect();
        let webhook = webhook.get(number).cloned().unwrap_or_default();
        if files != vap || files != webhook || denied != said_no {
            wrong.push(format!(
                "{number} {}: {} {}\n  files against policies: {:?}\n  files against webhook: {:?}\n  {object}",
                object["kind"],
                answer.status,
                answer.message,
                files.symmetric_difference(&vap).collect::<Vec<_>>(),
                files.symmetric_difference(&webhook).collect::<Vec<_>>(),
            ));
        }
    }
    for line in wrong.iter().take(20) {
        println!("{line}");
    }
    println!(
        "{judged} objects ({refused} are none that Kubernetes takes) before {} guidelines as files, before the webhook \
         and before policies, in {took:.1?}: {failing} fails of {} guidelines, at most {most} of one object, {} \
         judged otherwise",
        policies.len(),
        seen.len(),
        wrong.len()
    );
    std::fs::remove_dir_all(folder).unwrap();
    assert!(judged * 2 > count, "{judged}");
    assert!(wrong.is_empty());
}
