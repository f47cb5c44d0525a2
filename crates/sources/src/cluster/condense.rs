//! What of an object is told: not what nobody reads and what must not leave the cluster.
//!
//! Dropped are managed fields (of nodes: which fields; who wrote them stays) and the copy that `kubectl apply` keeps (after noting which API versions
//! wrote the object), the schemas of custom resources, the images that nodes have pulled, conditions of
//! pods. Of Secrets nothing is asked for but metadata; the copy of their values in the annotation of
//! `kubectl apply` is blanked here.

use std::collections::{BTreeMap, BTreeSet};

use model::secrets::is_public_annotation;
use serde_json::Value;

use super::kinds::Wanted;
use super::listing::{Item, names};

/// The annotation in which `kubectl apply` keeps what it was given.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// When the values of a Secret were last written, as far as managed fields say.
pub const VALUES_WRITTEN: &str = "seawall.dev/values-written";

/// API versions that objects were written with, other than the one they are read in.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// by API version, kind and who wrote
    written: BTreeMap<(String, String, String), Writes>,
}

#[derive(Debug, Default)]
struct Writes {
    /// when it was last written so, as far as that is known
    objects: BTreeMap<String, String>,
}

impl Versions {
    fn note(&mut self, version: &str, kind: &str, manager: &str, object: &str, time: &str) {
        let key = (version.to_owned(), kind.to_owned(), manager.to_owned());
        let writes = self.written.entry(key).or_default();
        let latest = writes.objects.entry(object.to_owned()).or_default();
        if time > latest.as_str() {
            time.clone_into(latest);
        }
    }

    /// An object is gone, or is about to be told anew.
    pub(super) fn forget(&mut self, kind: &str, object: &str) {
        self.written.retain(|(_, of, _), writes| {
            if of == kind {
                writes.objects.remove(object);
            }
            !writes.objects.is_empty()
        });
    }

    /// As values of the object that describes the cluster.
    pub(super) fn values(&self) -> Vec<Value> {
        self.written
            .iter()
            .map(|((version, kind, manager), writes)| {
                serde_json::json!({
                    "apiVersion": version,
                    "kind": kind,
                    "manager": manager,
                    "objects": writes.objects.len(),
                    "example": writes.objects.keys().next(),
                    "latest": writes.objects.values().max(),
                })
            })
            .collect()
    }
}

/// Drops what nobody reads, and gives the object its `apiVersion` and `kind`, which items of lists lack.
pub(super) fn condense(
    wanted: &Wanted,
    api_version: &str,
    item: &mut Item,
    versions: &mut Versions,
) {
    item.insert("apiVersion".to_owned(), api_version.into());
    item.insert("kind".to_owned(), wanted.kind.into());
    note_versions(wanted, api_version, item, versions);
    let secret = wanted.resource == "secrets";
    let written = secret.then(|| values_written(item)).flatten();
    if let Some(metadata) = item.get_mut("metadata").and_then(Value::as_object_mut) {
        if wanted.resource == "nodes" {
            only_who_wrote(metadata);
        } else {
            metadata.remove("managedFields");
        }
        for key in ["selfLink", "resourceVersion"] {
            metadata.remove(key);
        }
        let annotations = metadata.get_mut("annotations");
        if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
            if secret {
                // That there is a copy of the values is a finding; the copy is not told, nor what else people
                // note beside what is secret.
                for (key, value) in annotations.iter_mut() {
                    if !is_public_annotation(key) {
                        *value = "".into();
                    }
                }
            } else {
                annotations.remove(APPLIED);
            }
        }
        if let Some(written) = written {
            let annotations = metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(Item::new()));
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(VALUES_WRITTEN.to_owned(), written.into());
            }
        }
    }
    match wanted.resource {
        "secrets" => {
            // Asked for as metadata, so none of it should be here.
            let known = ["apiVersion", "kind", "metadata", "type"];
            item.retain(|key, _| known.contains(&key.as_str()));
        }
        "customresourcedefinitions" => without_schemas(item),
        "nodes" => drop_from(
            item,
            "status",
            &["images", "volumesInUse", "volumesAttached"],
        ),
        "pods" => {
            drop_from(item, "status", &["conditions"]);
            super::admitted::undo(item);
        }
        "configmaps" => {
            if let Some(data) = item.get_mut("binaryData").and_then(Value::as_object_mut) {
                data.values_mut().for_each(|value| *value = "".into());
            }
        }
        _ => {}
    }
}

/// Who wrote a node, and when, says whether somebody edits nodes by hand; which fields does not matter.
fn only_who_wrote(metadata: &mut Item) {
    let entries = metadata
        .get_mut("managedFields")
        .and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            let known = ["manager", "operation", "subresource", "time"];
            entry.retain(|key, _| known.contains(&key.as_str()));
        }
    }
}

fn drop_from(item: &mut Item, within: &str, keys: &[&str]) {
    if let Some(map) = item.get_mut(within).and_then(Value::as_object_mut) {
        for key in keys {
            map.remove(*key);
        }
    }
}

/// A definition's schema is often larger than all other objects together.
fn without_schemas(item: &mut Item) {
    let versions = item
        .get_mut("spec")
        .and_then(|spec| spec.get_mut("versions"))
        .and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        if let Some(version) = version.as_object_mut() {
            version.remove("schema");
            version.remove("additionalPrinterColumns");
        }
    }
}

/// Who wrote the object with another API version than the one it is read in.
fn note_versions(wanted: &Wanted, api_version: &str, item: &Item, versions: &mut Versions) {
    let object = called(item);
    let metadata = item.get("metadata");
    let managed = metadata
        .and_then(|metadata| metadata.get("managedFields"))
        .and_then(Value::as_array);
    let mut seen = BTreeSet::new();
    for entry in managed.into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        // A controller that writes status with an old version is no matter of whoever deploys.
        let version = text("apiVersion");
        if version != api_version && !version.is_empty() && seen.insert((version, text("manager")))
        {
            versions.note(version, wanted.kind, text("manager"), &object, text("time"));
        }
    }
    let applied = metadata
        .and_then(|metadata| metadata.get("annotations"))
        .and_then(|annotations| annotations.get(APPLIED))
        .and_then(Value::as_str);
    if let Some(version) = applied.and_then(applied_version)
        && version != api_version
    {
        versions.note(&version, wanted.kind, "kubectl apply", &object, "");
    }
}

/// `shop/web`; without a namespace the name.
pub(super) fn called(item: &Item) -> String {
    match names(item) {
        ("", name) => name.to_owned(),
        (namespace, name) => format!("{namespace}/{name}"),
    }
}

/// The API version of what was applied.
fn applied_version(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Applied {
        api_version: String,
    }
    serde_json::from_str::<Applied>(text)
        .ok()
        .map(|applied| applied.api_version)
}

/// The newest time at which somebody who owns a value wrote it; the names of the values stay here.
fn values_written(item: &Item) -> Option<String> {
    let entries = item.get("metadata")?.get("managedFields")?.as_array()?;
    entries
        .iter()
        .filter(|entry| {
            entry
                .get("fieldsV1")
                .is_some_and(|fields| fields.get("f:data").is_some())
        })
        .filter_map(|entry| entry.get("time")?.as_str())
        .max()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::kinds::WANTED;

    /// What is left of an object's managed fields.
    fn left(resource: &str) -> Value {
        let wanted = WANTED.iter().find(|one| one.resource == resource).unwrap();
        let item = json!({"metadata": {"name": "a", "managedFields": [
            {"manager": "kubectl-label", "operation": "Update", "apiVersion": "v1", "time": "2026-11-02T17:20:00Z",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {"f:tier": {}}}}},
            {"manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}]}});
        let mut item = item.as_object().unwrap().clone();
        condense(wanted, "v1", &mut item, &mut Versions::default());
        item["metadata"]
            .get_mut("managedFields")
            .map_or(Value::Null, Value::take)
    }

    #[test]
    fn who_wrote_a_node_is_kept_and_of_nothing_else() {
        assert_eq!(
            left("nodes"),
            json!([
                {"manager": "kubectl-label", "operation": "Update", "time": "2026-11-02T17:20:00Z"},
                {"manager": "kubelet", "operation": "Update", "subresource": "status"},
            ])
        );
        assert_eq!(left("pods"), Value::Null);
    }
}
