//! Ports of pods past network policies, and Services that lead elsewhere.

use analysis::paths::Edge;
use oracle::ApiServer;
use serde_json::json;

use super::{Deed, authorized, change, core, deed, dry, status};

pub(super) fn add(all: &mut Vec<Deed>, namespace: &'static str) {
    all.push(Deed {
        possible: true,
        ..deed(
            "reach the ports of a pod of",
            namespace,
            &[Edge::PodForward],
            &["workload:NS/p0[Pod]"],
            move |server, token| {
                let paths = [
                    "pods/p0/portforward?ports=80",
                    "pods/p0/proxy/",
                    "services/web/proxy/",
                ];
                paths.iter().any(|path| {
                    let path = core(namespace, path);
                    ["POST", "GET"]
                        .iter()
                        .any(|method| authorized(server, token, method, &path))
                })
            },
        )
    });
    all.push(Deed {
        possible: true,
        ..deed(
            "redirect a Service of",
            namespace,
            &[Edge::ServiceRedirect],
            &["workload:NS/p0[Pod]"],
            move |server, token| {
                let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
                let endpoints = core(namespace, "endpoints");
                let selector = json!({"spec": {"selector": {"app": "other"}}});
                let subsets = json!([{"addresses": [{"ip": "10.9.9.9"}], "ports": [{"port": 80}]}]);
                let ends = json!([{"addresses": ["10.9.9.9"]}]);
                let new = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "new"}, "subsets": subsets});
                let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                    "metadata": {"name": "new", "labels": {"kubernetes.io/service-name": "web"}},
                    "addressType": "IPv4", "endpoints": ends});
                change(server, token, &core(namespace, "services/web"), &selector)
                    || change(server, token, &format!("{endpoints}/web"), &json!({"subsets": subsets}))
                    || change(server, token, &format!("{slices}/web"), &json!({"endpoints": ends}))
                    || change(server, token, &core(namespace, "services/web/status"), &json!({"metadata": {"labels": {"a": "b"}}}))
                    || change(server, token, &core(namespace, "pods/p0/status"), &json!({"status": {"message": "a"}}))
                    || status(server, token, "POST", &dry(&endpoints), Some(&new)) == 201
                    || status(server, token, "POST", &dry(&slices), Some(&slice)) == 201
            },
        )
    });
    let networking = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}");
    let labelled = || json!({"metadata": {"labels": {"a": "b"}}});
    let ingresses = format!("{networking}/ingresses");
    all.push(Deed {
        possible: true,
        ..deed(
            "lead the internet to pods of",
            namespace,
            &[Edge::NetworkOpen],
            &["right:network-open@NS", "right:network-open@*"],
            move |server, token| {
                let services = core(namespace, "services");
                let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "new"},
                    "spec": {"type": "LoadBalancer", "selector": {"app": "p0"}, "ports": [{"port": 80}]}});
                let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "new"},
                    "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}});
                status(server, token, "POST", &dry(&services), Some(&service)) == 201
                    || change(server, token, &format!("{services}/web"), &labelled())
                    || status(server, token, "POST", &dry(&ingresses), Some(&ingress)) == 201
                    || change(server, token, &format!("{ingresses}/i0"), &labelled())
            },
        )
    });
    let policies = format!("{networking}/networkpolicies");
    all.push(Deed {
        possible: true,
        ..deed(
            "change network policies of",
            namespace,
            &[Edge::NetworkOpen],
            &[
                "right:network-policy-write@NS",
                "right:network-policy-write@*",
            ],
            move |server, token| {
                let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                    "metadata": {"name": "new"}, "spec": {"podSelector": {}, "ingress": [{}]}});
                let own = format!("{policies}/np0");
                status(server, token, "POST", &dry(&policies), Some(&policy)) == 201
                    || change(server, token, &own, &labelled())
                    || status(server, token, "DELETE", &dry(&own), None) == 200
                    || status(server, token, "DELETE", &dry(&policies), None) == 200
            },
        )
    });
    all.push(Deed {
        possible: true,
        // Whoever drives pods from nodes does without.
        unless: vec!["right:pod-steal@*".to_owned()],
        ..deed(
            "choose the nodes of pods of",
            namespace,
            &[Edge::PodSteal],
            &["right:pod-steal@NS"],
            move |server, token| {
                binds_pods(server, token, namespace) && drives_out(server, token, namespace)
            },
        )
    });
}

/// Whether somebody may say where a pod runs that waits; none does, for there is no scheduler.
pub(super) fn binds_pods(server: &ApiServer, token: &str, namespace: &str) -> bool {
    ["pods/none/binding", "bindings"].iter().any(|rest| {
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "none"},
            "target": {"kind": "Node", "name": "node2"}});
        status(
            server,
            token,
            "POST",
            &dry(&core(namespace, rest)),
            Some(&binding),
        ) != 403
    })
}

/// Whether somebody may take pods away, in any way.
pub(super) fn drives_out(server: &ApiServer, token: &str, namespace: &str) -> bool {
    let eviction =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "none"}});
    let pods = core(namespace, "pods");
    status(server, token, "DELETE", &dry(&format!("{pods}/none")), None) != 403
        || status(server, token, "DELETE", &dry(&pods), None) == 200
        || status(
            server,
            token,
            "POST",
            &dry(&format!("{pods}/none/eviction")),
            Some(&eviction),
        ) != 403
}
