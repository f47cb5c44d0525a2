//! Kubernetes' own fixtures for the Pod Security Standards: the exported policies of a standard
//! refuse a pod exactly when seawall does, and when the standard does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use guide::export::{Options, vap};
use guide::setting::setting;
use guide::{Guide, Guideline};
use serde_json::Value;

use crate::cluster::{Cluster, SERVER, objects};
use crate::examples::listening;
use crate::said::{id, say};

/// Where `cargo xtask setup` puts the fixtures.
fn folder(level: &str, minor: u8) -> PathBuf {
    oracle::fixture("pss-testdata")
        .unwrap()
        .join(level)
        .join(format!("v1.{minor}"))
}

/// The pods of a folder that must pass or fail, under names that the API server takes.
fn pods(folder: &Path, word: &str) -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder.join(word)).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let mut pod = objects(&std::fs::read_to_string(&file).unwrap())
            .pop()
            .unwrap();
        pod["metadata"]["namespace"] = "shop".into();
        let name = pod["metadata"]["name"].as_str().unwrap().replace('_', "-");
        pod["metadata"]["name"] = name.into();
        (file.display().to_string(), pod)
    };
    files.into_iter().map(read).collect()
}

/// Adds the policies of a standard; all listen to its name. What comes back are its guidelines.
fn enforce<'g>(cluster: &Cluster, guide: &'g Guide, level: &str, minor: u8) -> Vec<&'g Guideline> {
    let setting = setting(guide, None, Some(minor)).unwrap();
    let framework = format!("pss-{level}");
    let maps = |guideline: &Guideline| guideline.controls(&framework).next().is_some();
    let export = vap(
        guide,
        &setting,
        Options {
            server_minor: SERVER,
            ..Options::default()
        },
        maps,
    );
    for policy in &export.policies {
        let mut documents = objects(&policy.text).into_iter();
        let (policy_object, binding) = documents.next().zip(documents.next()).unwrap();
        let (mut policy_object, _) =
            listening(&format!("{level}-{minor}"), policy_object, &binding);
        let name = format!("{level}-{minor}-{}", policy.guideline);
        let (_, binding) = listening(&name, policy_object.clone(), &binding);
        policy_object["metadata"]["name"] = name.into();
        cluster.add(&policy_object, &binding);
    }
    cluster.settle(&format!("{level}-{minor}"));
    guide
        .guidelines
        .iter()
        .filter(|guideline| maps(guideline))
        .collect()
}

#[test]
fn policies_agree_on_the_fixtures_of_pod_security() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    cluster.namespace("shop", None);
    let (mut judged, mut disagreements) = (0, Vec::new());
    for (level, minor) in ["baseline", "restricted"]
        .into_iter()
        .flat_map(|level| (30..=SERVER).map(move |minor| (level, minor)))
    {
        let about = enforce(&cluster, &guide, level, minor);
        for word in ["pass", "fail"] {
            for (file, pod) in pods(&folder(level, minor), word) {
                let answer = cluster.judge(&pod, &format!("{level}-{minor}")).unwrap();
                assert_eq!(answer.status, 201, "{file}: {:#}", answer.body);
                judged += 1;
                let theirs: BTreeSet<String> = answer
                    .policies
                    .into_iter()
                    .map(|(policy, _)| policy)
                    .collect();
                let fails = |guideline: &&&Guideline| {
                    let said =
                        say(&guide, guideline, std::slice::from_ref(&pod), None, minor).unwrap();
                    said.get(&id(&pod))
                        .is_some_and(|said| !said.fails.is_empty())
                };
                let ours: BTreeSet<String> = about
                    .iter()
                    .filter(fails)
                    .map(|guideline| format!("{level}-{minor}-{}", guideline.id))
                    .collect();
                if ours != theirs || theirs.is_empty() != (word == "pass") {
                    disagreements.push(format!("{file}: seawall {ours:?}, policies {theirs:?}"));
                }
            }
        }
    }
    println!("{judged} pods judged, {} disagree", disagreements.len());
    assert!(judged > 600, "{judged}");
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}
