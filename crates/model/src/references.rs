//! What an object refers to by name in its own namespace: accounts, Secrets, ConfigMaps, claims.

use crate::resource::Resource;
use crate::value::Ref;

pub(crate) fn of(resource: &Resource) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    let object = resource.object();
    match resource.name.kind.name() {
        "Ingress" => {
            for tls in object
                .path(&["spec", "tls"])
                .into_iter()
                .flat_map(Ref::items)
            {
                push(&mut found, "Secret", tls.get("secretName"));
            }
        }
        "Gateway" => {
            for listener in object
                .path(&["spec", "listeners"])
                .into_iter()
                .flat_map(Ref::items)
            {
                let certificates = listener.path(&["tls", "certificateRefs"]);
                for certificate in certificates.into_iter().flat_map(Ref::items) {
                    push(&mut found, "Secret", certificate.get("name"));
                }
            }
        }
        "ServiceAccount" => {
            for list in ["secrets", "imagePullSecrets"] {
                for secret in object.get(list).into_iter().flat_map(Ref::items) {
                    push(&mut found, "Secret", secret.get("name"));
                }
            }
        }
        _ => {}
    }
    if let Some(pod) = resource.pod_spec() {
        pod_references(pod, &mut found);
    }
    for claim in object
        .path(&["spec", "volumeClaimTemplates"])
        .into_iter()
        .flat_map(Ref::items)
    {
        push(
            &mut found,
            "PersistentVolumeClaim",
            claim.path(&["metadata", "name"]),
        );
    }
    found
}

fn push<'a>(found: &mut Vec<(&'static str, &'a str)>, kind: &'static str, name: Option<Ref<'a>>) {
    if let Some(name) = name.and_then(Ref::as_str) {
        found.push((kind, name));
    }
}

fn pod_references<'a>(pod: Ref<'a>, found: &mut Vec<(&'static str, &'a str)>) {
    match pod
        .get("serviceAccountName")
        .or_else(|| pod.get("serviceAccount"))
    {
        Some(name) => push(found, "ServiceAccount", Some(name)),
        None => found.push(("ServiceAccount", "default")),
    }
    for secret in pod.get("imagePullSecrets").into_iter().flat_map(Ref::items) {
        push(found, "Secret", secret.get("name"));
    }
    for volume in pod.get("volumes").into_iter().flat_map(Ref::items) {
        push(found, "Secret", volume.path(&["secret", "secretName"]));
        push(found, "ConfigMap", volume.path(&["configMap", "name"]));
        push(
            found,
            "PersistentVolumeClaim",
            volume.path(&["persistentVolumeClaim", "claimName"]),
        );
        push(found, "Secret", volume.path(&["azureFile", "secretName"]));
        for driver in [
            "csi",
            "flexVolume",
            "cephfs",
            "rbd",
            "iscsi",
            "scaleIO",
            "storageos",
        ] {
            for field in ["nodePublishSecretRef", "secretRef"] {
                push(found, "Secret", volume.path(&[driver, field, "name"]));
            }
        }
        for source in volume
            .path(&["projected", "sources"])
            .into_iter()
            .flat_map(Ref::items)
        {
            push(found, "Secret", source.path(&["secret", "name"]));
            push(found, "ConfigMap", source.path(&["configMap", "name"]));
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in pod.get(list).into_iter().flat_map(Ref::items) {
            for variable in container.get("env").into_iter().flat_map(Ref::items) {
                push(
                    found,
                    "Secret",
                    variable.path(&["valueFrom", "secretKeyRef", "name"]),
                );
                push(
                    found,
                    "ConfigMap",
                    variable.path(&["valueFrom", "configMapKeyRef", "name"]),
                );
            }
            for source in container.get("envFrom").into_iter().flat_map(Ref::items) {
                push(found, "Secret", source.path(&["secretRef", "name"]));
                push(found, "ConfigMap", source.path(&["configMapRef", "name"]));
            }
        }
    }
}
