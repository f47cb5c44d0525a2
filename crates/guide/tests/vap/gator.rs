//! Gatekeeper's own program on the exported templates: it compiles each of them, and says of every example's objects
//! what seawall says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use guide::export::{Options, gatekeeper};
use guide::guideline::Example;
use guide::setting::{newest_minor, setting};
use guide::{Guide, Guideline};
use model::kinds::is_cluster_scoped;
use serde_json::{Value, json};

use crate::cluster::objects;
use crate::examples::SERVER;
use crate::said::{Said, id, say};

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("seawall-gator-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What `gator test` says of objects: the texts of violations, by constraint and by the objects' uid.
fn gator(name: &str, policies: &[Value], objects: &[Value]) -> Vec<(String, String, String)> {
    let folder = folder(name);
    let mut text = String::new();
    for object in policies.iter().chain(objects) {
        let _ = writeln!(text, "---\n{object}");
    }
    fs::write(folder.join("all.yaml"), text).unwrap();
    let ran = Command::new(oracle::part("gator").unwrap())
        .args(["test", "--output", "json", "--filename"])
        .arg(&folder)
        .output()
        .unwrap();
    // 1: there are violations that are denied.
    let problem = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{problem}");
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{problem}"));
    fs::remove_dir_all(folder).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = said.as_array().cloned().unwrap_or_default();
    said.iter()
        .map(|one| {
            (
                text(&one["constraint"]["metadata"]["name"]),
                text(&one["violatingObject"]["metadata"]["uid"]),
                text(&one["msg"]),
            )
        })
        .collect()
}

/// What no API server gives Gatekeeper any more; constraints name kinds that there are.
const GONE: [(&str, &str); 2] = [
    ("extensions/v1beta1", "Ingress"),
    ("policy/v1beta1", "PodSecurityPolicy"),
];

type Variant = (Option<Box<str>>, u8);

/// The template of a guideline and a constraint that holds in every namespace.
fn exported(guide: &Guide, guideline: &Guideline, variant: &Variant) -> Option<Vec<Value>> {
    let setting = setting(guide, variant.0.as_deref(), Some(variant.1)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = gatekeeper(guide, &setting, options, |other| other.id == guideline.id);
    let mut both = objects(&export.policies.into_iter().next()?.text);
    let chosen = both[1]["spec"]["match"]["kinds"].clone();
    assert!(chosen.is_array(), "{both:?}");
    both[1]["spec"]["match"] = json!({ "kinds": chosen });
    Some(both)
}

/// The objects of an example that the guideline is about, and what seawall says of each.
fn judged(
    guide: &Guide,
    guideline: &Guideline,
    example: &Example,
    (params, minor): &Variant,
) -> Vec<(Value, Said)> {
    let files = example.files.iter();
    let mut all: Vec<Value> = files.flat_map(|file| objects(&file.text)).collect();
    for object in &mut all {
        let kind = object["kind"].as_str().unwrap_or_default();
        if !is_cluster_scoped(kind) && object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = "somewhere".into();
        }
    }
    let said = say(guide, guideline, &all, params.as_deref(), *minor).unwrap();
    let about = all.into_iter().filter(|object| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, _) = model::kinds::split_api_version(version);
        let kind = id(object).0;
        if GONE.contains(&(version, kind.as_str())) {
            return false;
        }
        let workload = model::kinds::pod_route(group, &kind).is_some();
        let kind = model::kinds::Kind::Kubernetes {
            group: group.into(),
            kind: kind.into(),
        };
        guideline.is_about(&kind, workload)
    });
    about
        .map(|object| {
            let ours = said.get(&id(&object)).cloned().unwrap_or_default();
            (object, ours)
        })
        .collect()
}

#[test]
fn gatekeeper_agrees_with_every_example() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    // Templates have the name of their guideline, so each run has one of each: the first variant, the second, …
    let mut runs: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    let mut wanted: BTreeMap<String, (String, Said)> = BTreeMap::new();
    let mut exports = BTreeSet::new();
    for guideline in &guide.guidelines {
        let mut variants: Vec<Variant> = Vec::new();
        for (number, example) in guideline.examples.iter().enumerate() {
            let minor = example.kubernetes.unwrap_or_else(|| newest_minor(&guide));
            let variant = (example.params.clone(), minor);
            // A template of Azure, or what no API server takes.
            let yaml = example.files.iter().all(|file| &*file.language == "yaml");
            if example.invalid || !yaml {
                continue;
            }
            let run = variants.iter().position(|known| *known == variant);
            let run = match run {
                Some(run) => run,
                None => {
                    let Some(policies) = exported(&guide, guideline, &variant) else {
                        continue;
                    };
                    variants.push(variant.clone());
                    let run = variants.len() - 1;
                    if runs.len() == run {
                        runs.push(Default::default());
                    }
                    runs[run].0.extend(policies);
                    exports.insert(guideline.id.0.to_string());
                    run
                }
            };
            for (index, (mut object, ours)) in judged(&guide, guideline, example, &variant)
                .into_iter()
                .enumerate()
            {
                let uid = format!("{}/{number}/{index}", guideline.id);
                object["metadata"]["uid"] = uid.as_str().into();
                wanted.insert(uid, (format!("seawall-{}", guideline.id), ours));
                runs[run].1.push(object);
            }
        }
    }
    let mut theirs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (number, (policies, objects)) in runs.iter().enumerate() {
        for (constraint, uid, text) in gator(&number.to_string(), policies, objects) {
            if wanted.get(&uid).is_some_and(|(own, _)| *own == constraint) {
                let texts = text.split("; ").map(str::to_owned);
                theirs.entry(uid).or_default().extend(texts);
            }
        }
    }
    let (mut fails, mut passes, mut problems) = (0, 0, Vec::new());
    for (uid, (_, ours)) in &wanted {
        let texts = theirs.remove(uid).unwrap_or_default();
        if !ours.unknowns.is_empty() || ours.fails != texts {
            problems.push(format!(
                "{uid}\n    seawall: {ours:?}\n    gator:   {texts:?}"
            ));
        } else if texts.is_empty() {
            passes += 1;
        } else {
            fails += 1;
        }
    }
    println!(
        "{} templates in {} runs: {fails} objects fail alike, {passes} pass alike",
        exports.len(),
        runs.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(exports.len() > 70 && fails > 100 && passes > 100);
}

#[test]
fn gatekeepers_constraints_spare_whom_they_say() {
    let (guide, _) = Guide::builtin();
    let setting = setting(&guide, None, Some(SERVER)).unwrap();
    let options = Options {
        server_minor: SERVER,
        ..Options::default()
    };
    let export = gatekeeper(&guide, &setting, options, |guideline| {
        &*guideline.id.0 == "pss-privileged"
    });
    let policies = objects(&export.policies[0].text);
    let mut all = Vec::new();
    for (name, labels) in [
        ("shop", json!({})),
        ("kube-system", json!({})),
        ("managed", json!({"kubernetes.azure.com/managedby": "aks"})),
    ] {
        all.push(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}}));
        all.push(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": name, "uid": name},
            "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1",
                "securityContext": {"privileged": true}}]}}));
    }
    let said = gator("spares", &policies, &all);
    let whom: Vec<&str> = said.iter().map(|(_, uid, _)| &**uid).collect();
    assert_eq!(whom, ["shop"], "{said:?}");
}
