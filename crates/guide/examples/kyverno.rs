//! Holds exported policies against Kyverno's own program, which takes half an hour to build, so that no test does it:
//!
//! ```text
//! cargo run -p seawall-guide --example kyverno -- path/to/kyverno [PODS]
//! ```
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "what differs ends it"
)]
#![expect(clippy::print_stdout, reason = "the counts are its report")]
#![expect(
    dead_code,
    reason = "the test `vap` uses the other half of what they share"
)]

#[path = "../tests/vap/alike.rs"]
mod alike;
#[path = "../tests/vap/cluster.rs"]
mod cluster;
#[path = "../tests/vap/said.rs"]
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::{env, fs};

use guide::export::{Export, Options, kyverno};
use guide::guideline::Applies;
use guide::setting::{newest_minor, setting};
use guide::{Guide, Guideline};
use oracle::pods::{Dice, PARAMS, object};
use serde_json::{Value, json};

use crate::alike::{Case, cases, folder};
use crate::cluster::{SERVER, objects};
use crate::said::{Said, id, say};

fn main() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    let count = env::args().nth(2).map_or(250, |text| text.parse().unwrap());
    spared(&guide);
    mutated(&guide, count);
    examples(&guide);
}

/// Without a cluster it makes `gatewaies` of the kind.
fn gateways() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gateways.gateway.networking.k8s.io"},
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced",
            "names": {"kind": "Gateway", "plural": "gateways", "singular": "gateway", "listKind": "GatewayList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}})
}

/// What it says of objects: a policy, an object's uid, how it is judged, and with which words.
type Verdict = (String, String, String, String);

/// What `kyverno apply` says of objects, of which no two have the same name, when they are made in these namespaces.
fn apply(name: &str, policies: &str, objects: &[Value], namespaces: &[Value]) -> Vec<Verdict> {
    let program = env::args_os()
        .nth(1)
        .expect("the first argument is Kyverno's program");
    let folder = folder(&format!("kyverno-{name}"));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let mut text = String::new();
    let mut around = namespaces.to_vec();
    for object in objects {
        let mut object = object.clone();
        as_served(&mut object);
        let _ = writeln!(text, "---\n{object}");
        let namespace = &object["metadata"]["namespace"];
        if around
            .iter()
            .all(|one| one["metadata"]["name"] != *namespace)
        {
            around.push(json!({"metadata": {"name": namespace}}));
        }
    }
    for namespace in &mut around {
        let name = namespace["metadata"]["name"].clone();
        namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    }
    let values = json!({"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values",
        "metadata": {"name": "values"}, "globalValues": {"request.operation": "CREATE"}, "namespaces": around});
    let ran = Command::new(program)
        .arg("apply")
        .arg(write("policies.yaml", policies))
        .arg("--resource")
        .arg(write("objects.yaml", &text))
        .arg("--crd-paths")
        .arg(write("gateways.yaml", &gateways().to_string()))
        .arg("--values-file")
        .arg(write("values.yaml", &values.to_string()))
        .args([
            "--policy-report",
            "--output-format",
            "json",
            "--remove-color",
        ])
        .output()
        .unwrap();
    let (out, problem) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    // 1: something fails. Where no policy looks at any object, it says nothing at all.
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{problem}");
    let said: Value = match out.find('{').and_then(|at| out.get(at..)) {
        Some(said) => serde_json::from_str(said).unwrap_or_else(|_| panic!("{out}\n{problem}")),
        None if problem.contains("Error") => panic!("{name}: {problem}"),
        None => Value::Null,
    };
    fs::remove_dir_all(folder).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = said["results"].as_array().cloned().unwrap_or_default();
    results
        .iter()
        .map(|one| {
            (
                text(&one["policy"]),
                text(&one["resources"][0]["uid"]),
                text(&one["result"]),
                text(&one["message"]),
            )
        })
        .collect()
}

/// What an API server makes of an object before anybody judges: what is null is gone, and quantities are texts.
fn as_served(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(as_served);
        }
        Value::Array(items) => items.iter_mut().for_each(as_served),
        Value::Number(number) if number.as_i64().is_some_and(|n| n > i64::from(i32::MAX)) => {
            *value = number.to_string().into();
        }
        _ => {}
    }
}

/// The policies of guidelines, and as one text.
fn exported(
    guide: &Guide,
    params: Option<&str>,
    minor: u8,
    select: impl Fn(&Guideline) -> bool,
) -> (Export, String) {
    let setting = setting(guide, params, Some(minor)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = kyverno(guide, &setting, options, select);
    // Who they spare is asked by a test of its own.
    let texts = export.policies.iter().map(|policy| {
        let mut policy = objects(&policy.text).swap_remove(0);
        let constraints = policy["spec"]["matchConstraints"].as_object_mut();
        constraints.unwrap().remove("namespaceSelector");
        policy.to_string()
    });
    let text = texts.collect::<Vec<_>>().join("\n---\n");
    (export, text)
}

/// Objects in groups in which no two have the same name.
fn apart(objects: &[(Value, Said)]) -> Vec<Vec<Value>> {
    let mut groups: Vec<Vec<Value>> = Vec::new();
    for (object, _) in objects {
        let own = |group: &&mut Vec<Value>| group.iter().all(|other| id(other) != id(object));
        match groups.iter_mut().find(own) {
            Some(group) => group.push(object.clone()),
            None => groups.push(vec![object.clone()]),
        }
    }
    groups
}

/// Every example of every guideline that is exported.
fn examples(guide: &Guide) {
    let mut wanted: BTreeMap<String, Said> = BTreeMap::new();
    let mut theirs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut exports = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for (number, case) in cases(guide).into_iter().enumerate() {
        let Case {
            guideline,
            variant: (params, minor),
            mut objects,
            namespaces,
        } = case;
        // For it a policy, no object.
        objects.retain(|(object, _)| object["kind"] != "ValidatingAdmissionPolicy");
        let (export, text) = exported(guide, params.as_deref(), minor, |other| {
            other.id == guideline.id
        });
        if export.policies.is_empty() {
            continue;
        }
        exports.insert(&*guideline.id.0);
        for (part, group) in apart(&objects).iter().enumerate() {
            for (_, uid, result, message) in
                apply(&format!("{number}-{part}"), &text, group, &namespaces)
            {
                if !["pass", "fail"].contains(&&*result) {
                    errors.push(format!("{uid}: {result}: {message}"));
                }
                seen.insert(uid.clone());
                if result == "fail" {
                    let texts = message.split("; ").map(str::to_owned);
                    theirs.entry(uid).or_default().extend(texts);
                }
            }
        }
        for (object, ours) in objects {
            let uid = object["metadata"]["uid"].as_str().unwrap();
            wanted.insert(uid.to_owned(), ours);
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    // It ends with the first check that does not hold.
    for (uid, texts) in &mut theirs {
        let ours = &wanted[uid].fails;
        if !texts.is_empty() && texts.is_subset(ours) {
            texts.clone_from(ours);
        }
    }
    // Silence is no pass.
    let unseen: Vec<&String> = wanted.keys().filter(|uid| !seen.contains(*uid)).collect();
    assert!(unseen.is_empty(), "not judged: {unseen:?}");
    let (fails, passes) = alike::compare("kyverno", &wanted, &theirs);
    println!(
        "{} policies: {fails} objects fail alike, {passes} pass alike",
        exports.len()
    );
    assert!(exports.len() > 70 && fails > 100 && passes > 100);
}

/// Pods that nobody wrote.
fn mutated(guide: &Guide, count: usize) {
    let minor = newest_minor(guide);
    let (export, text) = exported(guide, Some(PARAMS), minor, |guideline| {
        guideline.applies == Applies::Workload && !guideline.needs.joined
    });
    let about: Vec<&Guideline> = export
        .policies
        .iter()
        .filter_map(|policy| guide.guideline(&policy.guideline.0))
        .collect();
    let mut dice = Dice::new(7);
    let (mut failing, mut judged, mut wrong) = (0, 0, Vec::new());
    let numbers: Vec<usize> = (0..count).collect();
    for part in numbers.chunks(500) {
        let objects: Vec<Value> = part
            .iter()
            .map(|number| {
                let mut object = object(&mut dice, *number, "shop");
                object["metadata"]["uid"] = format!("u{number}").into();
                object
            })
            .collect();
        let mut theirs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (policy, uid, result, message) in
            apply(&format!("pods-{}", part[0]), &text, &objects, &[])
        {
            assert!(
                ["pass", "fail"].contains(&&*result),
                "{policy} {uid}: {message}"
            );
            judged += 1;
            if result == "fail" {
                let guideline = policy.strip_prefix("seawall-").unwrap().to_owned();
                theirs.entry(uid).or_default().insert(guideline, message);
            }
        }
        for object in &objects {
            let key = id(object);
            let theirs = theirs
                .remove(object["metadata"]["uid"].as_str().unwrap())
                .unwrap_or_default();
            for guideline in &about {
                let one = std::slice::from_ref(object);
                let mut said = say(guide, guideline, one, Some(PARAMS), minor).unwrap();
                let ours = said.remove(&key).unwrap_or_default();
                failing += usize::from(!ours.fails.is_empty());
                let own = theirs.get(&*guideline.id.0);
                if own.is_some() == ours.fails.is_empty() || !ours.unknowns.is_empty() {
                    wrong.push(format!(
                        "{}: {ours:?}, Kyverno: {own:?}\n  {object}",
                        guideline.id
                    ));
                }
            }
        }
    }
    for line in wrong.iter().take(20) {
        println!("{line}");
    }
    println!(
        "{count} objects, {} policies: {judged} verdicts of Kyverno, {failing} fails of seawall, {} judged otherwise",
        about.len(),
        wrong.len()
    );
    assert!(wrong.is_empty() && failing > count && judged > count * 20);
}

/// Namespaces that policies leave alone.
fn spared(guide: &Guide) {
    let setting = setting(guide, None, Some(SERVER)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = kyverno(guide, &setting, options, |guideline| {
        &*guideline.id.0 == "pss-privileged"
    });
    let all = alike::privileged(&[("shop", json!({})), ("kube-system", json!({}))]);
    let said = apply("spares", &export.policies[0].text, &all, &[]);
    let whom: Vec<&str> = said.iter().map(|(_, uid, ..)| &**uid).collect();
    assert_eq!(whom, ["shop"], "{said:?}");
}
