//! Certificates: each step alone, and the whole way from a request to somebody else's name.

use analysis::paths::Edge;
use oracle::{ApiServer, certificate_request};
use serde_json::{Value, json};

use super::{Deed, change, core, deed, dry, status};

const CSRS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const KUBELET: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// A request, and its key.
fn request(name: &str, (subject, group): (&str, &str), signer: &str) -> (Value, String) {
    let (request, key) = certificate_request(subject, group).unwrap();
    let usages = ["client auth", "digital signature", "key encipherment"];
    let own = if signer == KUBELET {
        &usages[..2]
    } else {
        &usages[..1]
    };
    let object = json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": {"name": name}, "spec": {"request": request, "signerName": signer, "usages": own}});
    (object, key)
}

fn approved() -> Value {
    json!({"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "test"}]}})
}

/// Really asks and approves; the certificate as the answer to a second approval holds it, and its key.
fn signed(
    server: &ApiServer,
    token: &str,
    subject: (&str, &str),
    signer: &str,
) -> Option<(String, String)> {
    let path = format!("{CSRS}/csr0");
    let (gone, _) = server.request("DELETE", &path, None).unwrap();
    assert!(gone == 200 || gone == 404);
    let (object, key) = request("csr0", subject, signer);
    if status(server, token, "POST", CSRS, Some(&object)) != 201 {
        return None;
    }
    let approval = format!("{path}/approval");
    let approve = || {
        let (patched, answer) = server
            .request_as(token, "PATCH", &approval, Some(&approved()))
            .unwrap();
        if patched == 200 {
            return Some(answer);
        }
        let (_, mut object) = server.request("GET", &path, None).unwrap();
        object["status"]["conditions"] = approved()["status"]["conditions"].clone();
        let (put, answer) = server
            .request_as(token, "PUT", &approval, Some(&object))
            .unwrap();
        (put == 200).then_some(answer)
    };
    approve()?;
    let (_, issued) = server
        .eventually("GET", &path, None, |_, csr| {
            csr["status"]["certificate"].is_string()
        })
        .unwrap();
    assert!(issued["status"]["certificate"].is_string(), "{issued:#}");
    // Whoever approved need not read it.
    let answer = approve()?;
    let certificate = answer["status"]["certificate"].as_str().unwrap();
    assert_eq!(server.request("DELETE", &path, None).unwrap().0, 200);
    Some((pem(certificate), key))
}

fn pem(base64: &str) -> String {
    oracle::from_base64(base64).unwrap()
}

/// Asks the API server with a certificate.
fn with(
    server: &ApiServer,
    (certificate, key): &(String, String),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    server
        .request_certified(certificate, key, method, path, body)
        .unwrap()
}

pub(super) fn add(all: &mut Vec<Deed>) {
    all.push(deed(
        "ask for a certificate",
        "",
        &[Edge::CertificateSign],
        &["right:csr-create@*"],
        |server, token| {
            // That of system:masters is refused to everybody.
            let (masters, _) = request("masters", ("victim", "system:masters"), CLIENT);
            assert_eq!(
                status(server, server.token(), "POST", CSRS, Some(&masters)),
                403
            );
            let (own, _) = request("new", ("victim", "victims"), CLIENT);
            status(server, token, "POST", &dry(CSRS), Some(&own)) == 201
        },
    ));
    for (signer, right) in [(CLIENT, "csr-approve"), (KUBELET, "csr-approve-node")] {
        all.push(deed(
            &format!("approve a certificate of {signer}"),
            "",
            &[Edge::CertificateSign],
            &[&format!("right:{right}@*")],
            move |server, token| {
                let path = format!("{CSRS}/csr0");
                let (gone, _) = server.request("DELETE", &path, None).unwrap();
                assert!(gone == 200 || gone == 404);
                let (own, _) = request("csr0", ("system:node:node1", "system:nodes"), signer);
                let (created, answer) = server.request("POST", CSRS, Some(&own)).unwrap();
                assert_eq!(created, 201, "{answer:#}");
                change(server, token, &format!("{path}/approval"), &approved())
            },
        ));
    }
    all.push(deed(
        "have a certificate of any name signed",
        "",
        &[Edge::CertificateSign],
        &["right:certificate-sign@*"],
        |server, token| {
            let Some(own) = signed(server, token, ("victim", "victims"), CLIENT) else {
                return false;
            };
            let review =
                json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
            let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
            let (status, answer) = with(server, &own, "POST", path, Some(&review));
            assert_eq!(status, 201, "{answer:#}");
            let info = &answer["status"]["userInfo"];
            assert_eq!(info["username"], "victim");
            info["groups"]
                .as_array()
                .unwrap()
                .contains(&"victims".into())
        },
    ));
    all.push(deed(
        "have a certificate of a node signed, and take what its pods have",
        "",
        &[Edge::CertificateSign],
        &["right:node-certificate@*"],
        |server, token| {
            let node = ("system:node:node1", "system:nodes");
            signed(server, token, node, KUBELET).is_some_and(|own| takes_pods(server, &own))
        },
    ));
}

/// What a node may: a token of the account of its pod, and the Secret that the pod mounts.
fn takes_pods(server: &ApiServer, own: &(String, String)) -> bool {
    let (_, pod) = server.request("GET", &core("n0", "pods/p0"), None).unwrap();
    let bound =
        json!({"kind": "Pod", "apiVersion": "v1", "name": "p0", "uid": pod["metadata"]["uid"]});
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [], "boundObjectRef": bound}});
    let path = core("n0", "serviceaccounts/a0/token");
    let (token, answer) = with(server, own, "POST", &path, Some(&request));
    assert_eq!(token, 201, "{answer:#}");
    let (secret, _) = with(server, own, "GET", &core("n0", "secrets/mounted"), None);
    // That of another pod's it may not read.
    let (other, _) = with(server, own, "GET", &core("n0", "secrets/s0"), None);
    assert_eq!((secret, other), (200, 403));
    true
}
