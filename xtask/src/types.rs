//! The table of Kubernetes' field types that the binary carries, from what the oracle reads in
//! the Go types. It is checked in; `test` fails when it is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::places::Places;

/// The kinds whose types are held against objects: those that guidelines judge or read.
const KINDS: [&str; 33] = [
    "Pod",
    "Service",
    "ConfigMap",
    "Secret",
    "Namespace",
    "ServiceAccount",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "LimitRange",
    "ReplicationController",
    "PodTemplate",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "NetworkPolicy",
    "Ingress",
    "PodDisruptionBudget",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "StorageClass",
    "RuntimeClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "HorizontalPodAutoscaler",
    "EndpointSlice",
];

const TABLE: &str = "guide/data/kubernetes-types.txt";

const HEAD: &str = "\
# Field types of Kubernetes' own kinds, from the Go types of k8s.io/api v0.34.4 (`cargo xtask types`).
# KIND lines: apiVersion kind struct. STRUCT lines: struct field=type …; #x is a struct, [] a list, {} a map.
[kinds]
";

/// Writes the table.
pub(crate) fn write(places: &Places) -> Result<()> {
    fs::write(places.root.join(TABLE), table(places)?)
        .with_context(|| format!("cannot write {TABLE}"))
}

/// Fails when the table is not what `write` would write.
pub(crate) fn check(places: &Places) -> Result<()> {
    if fs::read_to_string(places.root.join(TABLE)).unwrap_or_default() != table(places)? {
        bail!("{TABLE} is stale\nhelp: cargo xtask types");
    }
    Ok(())
}

fn table(places: &Places) -> Result<String> {
    let path = places.cache.join("kubernetes-schema.json");
    let text = fs::read_to_string(&path)
        .context("the oracle's types are missing: run `cargo xtask setup`")?;
    let schema: Value = serde_json::from_str(&text).context("the oracle's types are no JSON")?;
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut kinds = BTreeSet::new();
    let mut queue = Vec::new();
    for kind in schema
        .get("kinds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let (name, of) = (text(kind, "kind"), text(kind, "struct"));
        if KINDS.contains(&name.as_str()) && !of.is_empty() {
            kinds.insert(format!("{} {name} {of}", text(kind, "apiVersion")));
            queue.push(of);
        }
    }
    let mut structs: BTreeMap<String, String> = BTreeMap::new();
    while let Some(name) = queue.pop() {
        if structs.contains_key(&name) {
            continue;
        }
        let Some(fields) = schema
            .pointer("/structs")
            .and_then(|all| all.get(&name))
            .and_then(Value::as_object)
        else {
            continue;
        };
        let mut line = name.clone();
        let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
        for (field, kind) in sorted {
            // What only the server writes hides nothing.
            if field == "status" || field == "managedFields" {
                continue;
            }
            let kind = kind.as_str().unwrap_or_default();
            line.push_str(&format!(" {field}={kind}"));
            if let Some((_, of)) = kind.split_once('#') {
                queue.push(of.to_owned());
            }
        }
        structs.insert(name, line);
    }
    let mut table = HEAD.to_owned();
    for line in kinds {
        table.push_str(&line);
        table.push('\n');
    }
    table.push_str("[structs]\n");
    for line in structs.values() {
        table.push_str(line);
        table.push('\n');
    }
    Ok(table)
}
