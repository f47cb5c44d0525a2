//! What is done to the whole cluster: other names, ClusterRoles, nodes, admission, DNS.

use analysis::paths::Edge;
use serde_json::json;

use super::super::estate::{NAMESPACES, RBAC};
use super::network::{binds_pods, drives_out};
use super::{
    Deed, authorized, becomes, binds, change, core, deed, dry, rebinds, star, status, widens,
};

pub(super) fn add(all: &mut Vec<Deed>) {
    all.push(deed(
        "act as another user",
        "",
        &[Edge::Impersonate],
        &["user:victim"],
        |server, token| becomes(server, token, "victim", None),
    ));
    for group in ["victims", "system:masters"] {
        all.push(deed(
            &format!("act as a member of {group}"),
            "",
            &[Edge::Impersonate],
            &[&format!("group:{group}")],
            move |server, token| {
                let users = ["victim", "u0", "somebody"].map(str::to_owned);
                let accounts = NAMESPACES.map(|one| format!("system:serviceaccount:{one}:a0"));
                let others = NAMESPACES.map(|one| format!("system:serviceaccount:{one}:any"));
                users
                    .iter()
                    .chain(&accounts)
                    .chain(&others)
                    .any(|user| becomes(server, token, user, Some(group)))
            },
        ));
    }
    all.push(deed(
        "bind cluster-admin",
        "",
        &[Edge::RoleBind],
        &["right:everything@*", "role:cluster-admin@*"],
        |server, token| binds(server, token, "", "ClusterRole", "cluster-admin"),
    ));
    all.push(Deed {
        may_be_covered: true,
        ..deed(
            "bind ClusterRole cr0",
            "",
            &[Edge::RoleBind],
            &["role:cr0@*", "right:everything@*"],
            |server, token| {
                binds(server, token, "", "ClusterRole", "cr0") || rebinds(server, token, "", "cb0")
            },
        )
    });
    all.push(Deed {
        given: vec![
            "role:cr0@*".to_owned(),
            "right:cluster-role-held@*".to_owned(),
        ],
        ..deed(
            "widen ClusterRole cr0",
            "",
            &[Edge::RoleEscalate],
            &["right:everything@*"],
            |server, token| widens(server, token, "", "cr0"),
        )
    });
    all.push(deed(
        "add everything to an aggregated ClusterRole",
        "",
        &[Edge::RoleAggregation, Edge::RoleEscalate],
        &["right:cluster-role-invent@*", "right:cluster-role-widen@*"],
        |server, token| {
            let meta = json!({"name": "new", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}});
            let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": meta, "rules": star()});
            let path = format!("/apis/{RBAC}/v1/clusterroles");
            let labelled = json!({"rules": star(), "metadata": {"labels": meta["labels"]}});
            status(server, token, "POST", &dry(&path), Some(&role)) == 201
                || change(server, token, &format!("{path}/cr0"), &labelled)
                || change(server, token, &format!("{path}/cluster-admin"), &labelled)
        },
    ));
    control(all);
}

fn control(all: &mut Vec<Deed>) {
    all.push(deed(
        "reach the kubelet of a node",
        "",
        &[Edge::KubeletProxy],
        &["right:kubelet-proxy@*"],
        |server, token| {
            let path = "/api/v1/nodes/node2/proxy/pods";
            authorized(server, token, "GET", path) || authorized(server, token, "POST", path)
        },
    ));
    all.push(Deed {
        possible: true,
        ..deed(
            "drive pods from any node",
            "",
            &[Edge::PodSteal],
            &["right:pod-steal@*"],
            |server, token| {
                // Everywhere: a namespace of each kind stands for all.
                let everywhere =
                    |may: &dyn Fn(&str) -> bool| ["n0", "n1", "default"].iter().all(|one| may(one));
                let taints = json!({"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}});
                let ready = json!({"metadata": {"labels": {"a": "b"}}});
                let node = "/api/v1/nodes/node2";
                change(server, token, node, &taints)
                    || everywhere(&|namespace| drives_out(server, token, namespace))
                        && (change(server, token, &format!("{node}/status"), &ready)
                            || everywhere(&|namespace| binds_pods(server, token, namespace)))
            },
        )
    });
    all.push(Deed {
        possible: true,
        unless: vec!["right:webhook-write@*".to_owned()],
        ..deed(
            "see what passes admission",
            "",
            &[Edge::WebhookWrite],
            &["right:webhook-watch@*"],
            |server, token| {
                let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
                let hook = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                    "metadata": {"name": "new"}, "webhooks": []});
                let patch = json!({"metadata": {"labels": {"a": "b"}}});
                status(server, token, "POST", &dry(path), Some(&hook)) == 201
                    || change(server, token, &format!("{path}/vw"), &patch)
            },
        )
    });
    all.push(Deed {
        possible: true,
        ..deed(
            "change what admission does",
            "",
            &[Edge::WebhookWrite],
            &["right:webhook-write@*"],
            |server, token| {
                let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
                let hook = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
                    "metadata": {"name": "new"}, "webhooks": []});
                let patch = json!({"metadata": {"labels": {"a": "b"}}});
                status(server, token, "POST", &dry(path), Some(&hook)) == 201
                    || change(server, token, &format!("{path}/mw"), &patch)
            },
        )
    });
    all.push(Deed {
        possible: true,
        ..deed(
            "change cluster DNS",
            "",
            &[Edge::DnsConfig],
            &["right:dns-config@*", "right:dns-config@kube-system"],
            |server, token| {
                let path = core("kube-system", "configmaps/coredns");
                change(server, token, &path, &json!({"data": {"Corefile": "."}}))
            },
        )
    });
}
