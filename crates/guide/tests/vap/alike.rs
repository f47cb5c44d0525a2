//! The objects of every example, and what seawall says of each: what programs that judge without a cluster are
//! held against.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{env, fs, process};

use guide::setting::newest_minor;
use guide::{Guide, Guideline};
use model::kinds::is_cluster_scoped;
use serde_json::{Value, json};

use crate::cluster::objects;
use crate::said::{Said, id, say};

/// Configuration and Kubernetes minor.
pub(crate) type Variant = (Option<Box<str>>, u8);

/// What a guideline's examples hold that it is about, as far as they are judged with the same settings.
pub(crate) struct Case<'g> {
    pub(crate) guideline: &'g Guideline,
    pub(crate) variant: Variant,
    pub(crate) objects: Vec<(Value, Said)>,
    /// The Namespaces that stand beside them.
    pub(crate) namespaces: Vec<Value>,
}

/// All cases, those of a guideline together. No two objects of all cases have the same uid.
pub(crate) fn cases(guide: &Guide) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for guideline in &guide.guidelines {
        let mut own: Vec<Case<'_>> = Vec::new();
        for (number, example) in guideline.examples.iter().enumerate() {
            // A template of Azure, or what no API server takes.
            let yaml = example.files.iter().all(|file| &*file.language == "yaml");
            if example.invalid || !yaml || guideline.needs.not_enforceable.is_some() {
                continue;
            }
            let minor = example.kubernetes.unwrap_or_else(|| newest_minor(guide));
            let variant = (example.params.clone(), minor);
            let files = example.files.iter();
            let all: Vec<Value> = files.flat_map(|file| objects(&file.text)).collect();
            let namespace = |object: &&Value| object["kind"] == "Namespace";
            let namespaces: Vec<Value> = all.iter().filter(namespace).cloned().collect();
            let mut objects = judged(guide, guideline, all, &variant);
            for (index, (object, _)) in objects.iter_mut().enumerate() {
                let uid = format!("{}/{number}/{index}", guideline.id);
                object["metadata"]["uid"] = uid.into();
            }
            let same =
                |case: &&mut Case<'_>| case.variant == variant && case.namespaces == namespaces;
            match own.iter_mut().find(same) {
                Some(case) => case.objects.extend(objects),
                None => own.push(Case {
                    guideline,
                    variant,
                    objects,
                    namespaces,
                }),
            }
        }
        cases.extend(own);
    }
    cases
}

/// What no API server gives anybody any more; policies name kinds that there are.
const GONE: [(&str, &str); 2] = [
    ("extensions/v1beta1", "Ingress"),
    ("policy/v1beta1", "PodSecurityPolicy"),
];

/// The objects that the guideline is about, and what seawall says of each.
fn judged(
    guide: &Guide,
    guideline: &Guideline,
    mut all: Vec<Value>,
    (params, minor): &Variant,
) -> Vec<(Value, Said)> {
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

/// Holds what a program says of objects, by their uid, against what seawall says. How many fail, and how many pass.
pub(crate) fn compare(
    name: &str,
    wanted: &BTreeMap<String, Said>,
    theirs: &BTreeMap<String, BTreeSet<String>>,
) -> (usize, usize) {
    let (mut fails, mut passes, mut problems) = (0, 0, Vec::new());
    for (uid, ours) in wanted {
        let texts = theirs.get(uid).cloned().unwrap_or_default();
        if !ours.unknowns.is_empty() || ours.fails != texts {
            problems.push(format!(
                "{uid}\n    seawall: {ours:?}\n    {name}: {texts:?}"
            ));
        } else if texts.is_empty() {
            passes += 1;
        } else {
            fails += 1;
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    (fails, passes)
}

/// A pod of these namespaces, which bindings spare or do not, is privileged.
pub(crate) fn privileged(namespaces: &[(&str, Value)]) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, labels) in namespaces {
        all.push(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}}));
        all.push(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": name, "uid": name},
            "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1",
                "securityContext": {"privileged": true}}]}}));
    }
    all
}

/// A folder of one run alone.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("seawall-{name}-{}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
