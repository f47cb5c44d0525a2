//! Pods that nobody wrote, in namespaces that say what is done in them: the API server and seawall
//! say the same of each. `SEAWALL_VAP_PODS=10000` makes more of them.

use std::collections::{BTreeMap, BTreeSet};

use guide::export::{ConfigMap, Enforce, NAMESPACE_LABEL, Options, vap};
use guide::guideline::Applies;
use guide::setting::{newest_minor, setting};
use guide::{Guide, Guideline};
use oracle::pods::{Dice, PARAMS, object};
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVER, objects};
use crate::said::{id, say};

/// What policies of a namespace do: none, one for each guideline that fails, or a refusal.
const SAYS: [(&str, Option<&str>); 5] = [
    ("silent", None),
    ("warns", Some("warn")),
    ("audits", Some("audit")),
    ("refuses", Some("deny")),
    ("left-alone", Some("off")),
];

/// Warnings of more than 4096 characters are dropped (`k8s.io/apiserver/pkg/endpoints/filters/warning.go`),
/// so that policies are asked in parts.
const PARTS: usize = 12;

/// The guidelines that warn of an object.
fn warn(cluster: &Cluster, object: &Value) -> BTreeSet<String> {
    let answers = (0..PARTS).map(|part| cluster.judge(object, &format!("part-{part}")).unwrap());
    let policies = answers.flat_map(|answer| {
        assert_eq!(answer.status, 201, "{:#}", answer.body);
        answer.policies
    });
    policies
        .filter_map(|(policy, text)| {
            assert!(
                !text.contains("does not follow") && !text.contains("error:"),
                "{policy}: {text}"
            );
            Some(policy.strip_prefix("seawall-")?.to_owned())
        })
        .collect()
}

#[test]
fn mutated_pods_are_judged_alike() {
    let count = std::env::var("SEAWALL_VAP_PODS").map_or(250, |text| text.parse().unwrap());
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let about: Vec<&Guideline> = deploy(&guide, &cluster);
    let mut dice = Dice::new(7);
    let (mut judged, mut refused, mut failing, mut wrong) = (0, 0, 0, Vec::new());
    for number in 0..count {
        let (namespace, word) = SAYS[dice.roll(SAYS.len())];
        let object = object(&mut dice, number, namespace);
        let answer = cluster.judge(&object, "all").unwrap();
        let message = answer.body["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if answer.status != 201 && !message.contains("ValidatingAdmissionPolicy") {
            refused += 1;
            continue;
        }
        judged += 1;
        let theirs = if matches!(word, None | Some("warn")) {
            warn(&cluster, &object)
        } else {
            BTreeSet::new()
        };
        let ours = fails(&guide, &about, &object);
        failing += ours.len();
        let all: BTreeSet<String> = ours.keys().map(|id| (*id).to_owned()).collect();
        let expected = match word {
            None | Some("warn") => all.clone(),
            _ => BTreeSet::new(),
        };
        let wanted = if word == Some("deny") && !all.is_empty() {
            422
        } else {
            201
        };
        if theirs != expected || answer.status != wanted {
            wrong.push(format!(
                "{} in {namespace}: {} {message}\n  only the server: {:?}\n  only seawall: {:?}\n  {object}",
                object["kind"],
                answer.status,
                theirs.difference(&expected).collect::<Vec<_>>(),
                expected.difference(&theirs).collect::<Vec<_>>(),
            ));
        }
    }
    for line in wrong.iter().take(20) {
        println!("{line}");
    }
    println!(
        "{judged} objects judged by {} policies ({refused} are none that Kubernetes takes), {failing} fails, {} judged otherwise",
        about.len(),
        wrong.len()
    );
    assert!(judged * 2 > count, "{judged}");
    assert!(wrong.is_empty());
}

/// All policies about workloads, with the label and with settings in a ConfigMap.
fn deploy<'g>(guide: &'g Guide, cluster: &Cluster) -> Vec<&'g Guideline> {
    let setting = setting(guide, Some(PARAMS), None).unwrap();
    let options = Options {
        server_minor: SERVER,
        enforce: Some(Enforce::Warn),
        namespace_label: Some(NAMESPACE_LABEL),
        settings: Some(ConfigMap {
            namespace: "kube-system",
            name: "seawall-settings",
        }),
        ..Options::default()
    };
    let workloads =
        |guideline: &Guideline| guideline.applies == Applies::Workload && !guideline.needs.joined;
    let export = vap(guide, &setting, options, workloads);
    let texts = export.beside.iter().map(|beside| &beside.text);
    let mut parts = 0;
    for text in texts.chain(export.policies.iter().map(|policy| &policy.text)) {
        for mut object in objects(text) {
            let asked = object["metadata"]["labels"]["seawall.dev/guideline"].is_string()
                && object["kind"] == "ValidatingAdmissionPolicy";
            if asked {
                let part = parts % PARTS;
                parts += 1;
                let condition = json!({"name": "asked", "expression":
                    format!("request.options.?fieldManager.orValue(\"\") in [\"all\", \"part-{part}\"]")});
                object["spec"]["matchConditions"]
                    .as_array_mut()
                    .unwrap()
                    .push(condition);
            }
            cluster.create(&cluster.path(&object).unwrap(), &object);
        }
    }
    for (namespace, word) in SAYS {
        cluster.namespace(
            namespace,
            word.map(|word| json!({NAMESPACE_LABEL: word})).as_ref(),
        );
    }
    cluster.settle("all-made");
    let ids = export.policies.iter();
    ids.filter_map(|policy| guide.guideline(&policy.guideline.0))
        .collect()
}

/// The guidelines that an object fails, by seawall, with what they say.
fn fails<'g>(
    guide: &Guide,
    about: &[&'g Guideline],
    object: &Value,
) -> BTreeMap<&'g str, BTreeSet<String>> {
    let key = id(object);
    let mut found = BTreeMap::new();
    for guideline in about {
        let mut said = say(
            guide,
            guideline,
            std::slice::from_ref(object),
            Some(PARAMS),
            newest_minor(guide),
        )
        .unwrap();
        let said = said.remove(&key).unwrap_or_default();
        if !said.fails.is_empty() {
            found.insert(&*guideline.id.0, said.fails);
        }
    }
    found
}

/// The API server counts what an expression costs, and refuses when it is too much.
#[test]
fn a_large_pod_is_not_too_dear() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let about = deploy(&guide, &cluster);
    let volumes: Vec<Value> = (0..40)
        .map(|number| json!({"name": format!("v{number}"), "emptyDir": {}}))
        .collect();
    let containers: Vec<Value> = (0..40)
        .map(|number| {
            let env: Vec<Value> = (0..40).map(|at| json!({"name": format!("VARIABLE_{at}"), "value": "value ".repeat(10)})).collect();
            let mounts: Vec<Value> = (0..20).map(|at| json!({"name": format!("v{at}"), "mountPath": format!("/m/{at}")})).collect();
            let ports: Vec<Value> = (0..10).map(|at| json!({"containerPort": 8000 + 10 * number + at})).collect();
            json!({"name": format!("c{number}"), "image": "example.azurecr.io/shop/some/long/name/web:1.2.3", "env": env,
                "volumeMounts": mounts, "ports": ports, "args": ["--a", "--b", "--c"],
                "securityContext": {"capabilities": {"add": ["NET_ADMIN", "CHOWN", "KILL"]}}})
        })
        .collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "large", "namespace": "silent"},
        "spec": {"containers": containers, "volumes": volumes}});
    let theirs = warn(&cluster, &pod);
    let ours = fails(&guide, &about, &pod);
    let ours: BTreeSet<String> = ours.keys().map(|id| (*id).to_owned()).collect();
    assert_eq!(theirs, ours);
    assert!(theirs.len() > 10, "{theirs:?}");
}
