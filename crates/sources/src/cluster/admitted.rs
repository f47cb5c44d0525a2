//! Takes out of a Pod what admission put in, so that it is judged by what its author wrote.
//!
//! Only what Kubernetes' own admission marks as its own goes: the volume with the token of the service
//! account (plugin/pkg/admission/serviceaccount), what a LimitRange filled in and the annotation names
//! (plugin/pkg/admission/limitranger), the tolerations for nodes that are lost
//! (plugin/pkg/admission/defaulttolerationseconds). What webhooks inject stays: it is somebody's choice.

use serde_json::{Map, Value};

use super::listing::Item;

/// Where LimitRanger says what it set.
const LIMIT_RANGER: &str = "kubernetes.io/limit-ranger";

/// Undoes it.
pub(super) fn undo(pod: &mut Item) {
    let set = pod
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("annotations"))
        .and_then(Value::as_object_mut)
        .and_then(|annotations| annotations.remove(LIMIT_RANGER));
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(set) = set.as_ref().and_then(Value::as_str) {
        without_limits(spec, set);
    }
    without_token(spec);
    without_tolerations(spec);
}

/// `LimitRanger plugin set: cpu request for container app; cpu, memory limit for init container prepare`.
fn without_limits(spec: &mut Map<String, Value>, set: &str) {
    let Some((_, list)) = set.split_once(": ") else {
        return;
    };
    for part in list.split("; ") {
        let (names, of, key) = if let Some((names, of)) = part.split_once(" request for ") {
            (names, of, "requests")
        } else if let Some((names, of)) = part.split_once(" limit for ") {
            (names, of, "limits")
        } else {
            continue;
        };
        let (list, name) = if let Some(name) = of.strip_prefix("init container ") {
            ("initContainers", name)
        } else if let Some(name) = of.strip_prefix("container ") {
            ("containers", name)
        } else {
            continue;
        };
        let container = items(spec, list)
            .find(|container| container.get("name").and_then(Value::as_str) == Some(name));
        let Some(resources) = container
            .and_then(|container| container.get_mut("resources"))
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        if let Some(values) = resources.get_mut(key).and_then(Value::as_object_mut) {
            for name in names.split(", ") {
                values.remove(name);
            }
            if values.is_empty() {
                resources.remove(key);
            }
        }
    }
}

fn items<'m>(
    spec: &'m mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'m mut Map<String, Value>> {
    spec.get_mut(list)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// Removes items of a list, and the list when nothing is left.
fn retain(map: &mut Map<String, Value>, list: &str, keep: impl Fn(&Value) -> bool) {
    if let Some(items) = map.get_mut(list).and_then(Value::as_array_mut) {
        let before = items.len();
        items.retain(keep);
        if before > 0 && items.is_empty() {
            map.remove(list);
        }
    }
}

fn without_token(spec: &mut Map<String, Value>) {
    let own: Vec<String> = items(spec, "volumes")
        .filter(|volume| is_token(volume))
        .filter_map(|volume| volume.get("name")?.as_str().map(str::to_owned))
        .collect();
    if own.is_empty() {
        return;
    }
    let named = |item: &Value| {
        let name = item.get("name").and_then(Value::as_str);
        name.is_some_and(|name| own.iter().any(|own| own == name))
    };
    retain(spec, "volumes", |volume| !named(volume));
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in items(spec, list) {
            retain(container, "volumeMounts", |mount| {
                let path = mount.get("mountPath").and_then(Value::as_str);
                !(named(mount) && path == Some("/var/run/secrets/kubernetes.io/serviceaccount"))
            });
        }
    }
}

/// The volume that admission makes: a token for the API server, its certificate, the namespace.
fn is_token(volume: &Map<String, Value>) -> bool {
    let name = volume
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let sources = volume
        .get("projected")
        .and_then(|projected| projected.get("sources"))
        .and_then(Value::as_array);
    let Some(sources) = sources.filter(|_| name.starts_with("kube-api-access-")) else {
        return false;
    };
    sources.iter().all(|source| {
        let token = source.get("serviceAccountToken");
        let plain = token.is_none_or(|token| {
            token.get("audience").is_none()
                && token.get("expirationSeconds").and_then(Value::as_u64) == Some(3607)
        });
        plain && source.get("secret").is_none() && source.get("clusterTrustBundle").is_none()
    })
}

fn without_tolerations(spec: &mut Map<String, Value>) {
    retain(spec, "tolerations", |toleration| {
        let text = |key: &str| toleration.get(key).and_then(Value::as_str);
        let own = matches!(
            text("key"),
            Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
        ) && text("operator") == Some("Exists")
            && text("effect") == Some("NoExecute")
            && toleration.get("tolerationSeconds").and_then(Value::as_u64) == Some(300);
        !own
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_admission_marks_as_its_own_goes_and_the_rest_stays() {
        let own = json!({"name": "kube-api-access-x7k2p", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt"}}, {"downwardAPI": {}}]}});
        let mut disguised = own.clone();
        disguised["name"] = json!("kube-api-access-mine");
        disguised["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] =
            json!(86400);
        let mount = |name: &str| json!({"name": name, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
        let mut pod = json!({"metadata": {"annotations": {
            "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container app; cpu limit for init container one"}},
            "spec": {
                "volumes": [own, disguised],
                "tolerations": [
                    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}],
                "initContainers": [{"name": "one", "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [mount("kube-api-access-x7k2p")]}],
                "containers": [{"name": "app", "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1", "memory": "1Mi"}},
                    "volumeMounts": [mount("kube-api-access-mine")]}]}});
        undo(pod.as_object_mut().unwrap());
        let spec = &pod["spec"];
        assert_eq!(spec["volumes"].as_array().unwrap().len(), 1);
        assert_eq!(spec["volumes"][0]["name"], "kube-api-access-mine");
        assert_eq!(spec["tolerations"].as_array().unwrap().len(), 1);
        assert_eq!(
            spec["initContainers"],
            json!([{"name": "one", "resources": {}}])
        );
        assert_eq!(
            spec["containers"],
            json!([{"name": "app", "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [mount("kube-api-access-mine")]}])
        );
    }
}
