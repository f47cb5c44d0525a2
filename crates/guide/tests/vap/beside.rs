//! New objects that fixes make of bad examples: a real server takes them, every field known to it.

use std::collections::BTreeMap;

use guide::Guide;
use guide::examples::fixed;
use model::kinds::is_cluster_scoped;
use serde_json::Value;

use crate::cluster::{Cluster, objects};

#[test]
fn the_api_server_takes_what_fixes_put_beside() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    let cluster = Cluster::start();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut refused = Vec::new();
    let mut not_served = 0;
    for guideline in &guide.guidelines {
        if !guideline.fixes.iter().any(|fix| !fix.new.is_empty()) {
            continue;
        }
        for example in &guideline.examples {
            let Some(after) = fixed(&guide, guideline, example).unwrap().after else {
                continue;
            };
            let made = after.files.iter().skip(example.files.len());
            for mut object in made.flat_map(|file| objects(&file.text)) {
                let kind = object["kind"].as_str().unwrap().to_owned();
                if kind == "Namespace" {
                    // The server has it already, for the objects in it.
                    object["metadata"]["name"] = "beside".into();
                } else if let Some(namespace) = object["metadata"]["namespace"].as_str() {
                    cluster.namespace(namespace, None);
                } else if !is_cluster_scoped(&kind) {
                    object["metadata"]["namespace"] = "default".into();
                }
                let Some(path) = cluster.path(&object) else {
                    not_served += 1;
                    continue;
                };
                let path = format!("{path}?dryRun=All&fieldValidation=Strict");
                let (status, answer): (u16, Value) = cluster
                    .server
                    .request("POST", &path, Some(&object))
                    .unwrap();
                if status == 201 {
                    *taken.entry(kind).or_default() += 1;
                } else {
                    refused.push(format!("{}: {answer:#}\n{object:#}", guideline.id));
                }
            }
        }
    }
    println!("taken: {taken:?}, of kinds that the server does not have: {not_served}");
    assert!(refused.is_empty(), "{refused:#?}");
    for kind in [
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ResourceQuota",
        "LimitRange",
        "ServiceAccount",
        "Namespace",
        "ValidatingAdmissionPolicyBinding",
    ] {
        assert!(taken.contains_key(kind), "{kind}: {taken:?}");
    }
}
