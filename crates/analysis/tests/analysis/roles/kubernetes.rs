//! Azure RBAC for Kubernetes, against the cases of the open-source webhook's own tests
//! (github.com/kubeguard/guard, authz/providers/azure/rbac/checkaccessreqhelper_test.go), as facts.

use analysis::ask::{
    Answer, Attributes, Question, Reach, Requester, ResourceTarget, Target, Within,
};
use analysis::roles::Roles;
use analysis::roles::kubernetes::checked;
use serde_json::{Value, json};

use super::{SUBSCRIPTION, assignment, build, cluster, cluster_id, custom, guid, live};

const READER: &str = "7f6c6a51-bcf8-42ba-9220-52d62157d7db";
const WRITER: &str = "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb";
const ADMIN: &str = "3498e952-d568-435e-9b2c-8d77e338d7f7";
const CLUSTER_ADMIN: &str = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b";

fn request<'a>(
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    subresource: &'a str,
) -> Attributes<'a> {
    Attributes {
        verb,
        target: Target::Resource(ResourceTarget {
            group,
            resource,
            subresource,
            ..ResourceTarget::default()
        }),
    }
}

#[test]
fn requests_become_the_data_actions_of_the_webhook() {
    for (verb, group, resource, subresource, action) in [
        ("delete", "", "pods", "status", "pods/delete"),
        (
            "create",
            "apps",
            "apps/deployments",
            "status",
            "apps/apps/deployments/write",
        ),
        (
            "use",
            "policy",
            "podsecuritypolicies",
            "status",
            "policy/podsecuritypolicies/use/action",
        ),
        (
            "impersonate",
            "authentication.k8s.io",
            "userextras",
            "scopes",
            "authentication.k8s.io/userextras/impersonate/action",
        ),
        (
            "bind",
            "rbac.authorization.k8s.io",
            "clusterroles",
            "status",
            "rbac.authorization.k8s.io/clusterroles/bind/action",
        ),
        (
            "escalate",
            "rbac.authorization.k8s.io",
            "clusterroles",
            "status",
            "rbac.authorization.k8s.io/clusterroles/escalate/action",
        ),
        (
            "update",
            "scheduling.k8s.io",
            "priorityclasses",
            "status",
            "scheduling.k8s.io/priorityclasses/write",
        ),
        (
            "watch",
            "events.k8s.io",
            "events",
            "status",
            "events.k8s.io/events/read",
        ),
        (
            "patch",
            "batch",
            "cronjobs",
            "status",
            "batch/cronjobs/write",
        ),
        (
            "deletecollection",
            "certificates.k8s.io",
            "certificatesigningrequests",
            "approvals",
            "certificates.k8s.io/certificatesigningrequests/delete",
        ),
        ("create", "", "pods", "exec", "pods/exec/action"),
        ("get", "", "pods", "logs", "pods/read"),
        ("update", "", "deployments", "scale", "deployments/write"),
        // What follows from the source for a verb that it does not know.
        (
            "approve",
            "certificates.k8s.io",
            "signers",
            "",
            "certificates.k8s.io/signers",
        ),
    ] {
        let got = checked(&request(verb, group, resource, subresource));
        assert_eq!(got.action, action);
    }
    for (path, verb, action) in [
        ("/apis", "get", "apis/read"),
        ("/logs", "get", "logs/read"),
        ("/healthz/etcd", "get", "healthz/etcd/read"),
        ("/metrics", "post", "metrics"),
    ] {
        let got = checked(&Attributes {
            verb,
            target: Target::Path(path),
        });
        assert_eq!(got.action, action);
    }
    for (verb, group, resource, custom) in [
        (
            "list",
            "customresources.contoso.io",
            "contosoCustomResource",
            Some("customresources/read"),
        ),
        (
            "get",
            "apps",
            "aCustomResource",
            Some("customresources/read"),
        ),
        (
            "create",
            "cert-manager.io",
            "issuers",
            Some("customresources/write"),
        ),
        ("get", "apps", "deployments", None),
        ("get", "", "whatever", None),
    ] {
        let got = checked(&request(verb, group, resource, ""));
        assert_eq!(got.custom.as_deref(), custom, "{group}/{resource}");
    }
}

fn asking(resources: &[Value]) -> Roles {
    let mut all = vec![cluster(
        json!({"aadProfile": {"managed": true, "enableAzureRBAC": true}}),
    )];
    all.extend(resources.iter().cloned());
    build(&live(&all))
}

fn who(roles: &Roles, attributes: Attributes<'_>, within: Within<'_>) -> Vec<String> {
    let found = roles.who_can(&roles.clusters()[0], &Question { attributes, within });
    let mut lines: Vec<String> = found
        .holders
        .iter()
        .map(|holder| {
            let place = match &holder.reach {
                Reach::Cluster => "everywhere".to_owned(),
                Reach::Namespace(name) => format!("in {name}"),
                Reach::NamespaceNotGiven => panic!("an assignment says its scope"),
            };
            let condition = holder.condition.as_deref().unwrap_or("always");
            format!("{} {place}, {condition}", holder.subject.name())
        })
        .collect();
    lines.extend(found.unknown.iter().map(|why| format!("? {}", why.text)));
    lines
}

/// The built-in roles hold more than their names say.
#[test]
fn reader_and_writer_reach_further_than_their_names() {
    let roles = asking(&[
        assignment(1, &cluster_id(), READER, 1, json!({})),
        assignment(
            2,
            &format!("{}/namespaces/pay", cluster_id()),
            WRITER,
            2,
            json!({}),
        ),
    ]);
    let everywhere = |verb, resource, subresource| {
        who(
            &roles,
            request(verb, "", resource, subresource),
            Within::Anywhere,
        )
    };
    let reader = format!("{} everywhere, always", guid(1));
    let writer = format!("{} in pay, always", guid(2));
    // Port forwarding and attaching by GET need nothing but reading pods.
    assert_eq!(
        everywhere("get", "pods", "portforward"),
        [reader.clone(), writer.clone()]
    );
    assert_eq!(
        everywhere("create", "pods", "exec"),
        std::slice::from_ref(&writer)
    );
    assert_eq!(
        everywhere("get", "secrets", ""),
        std::slice::from_ref(&writer)
    );
    // Tokens of service accounts.
    assert_eq!(
        everywhere("create", "serviceaccounts", "token"),
        std::slice::from_ref(&writer)
    );
    assert!(everywhere("get", "nodes", "proxy").is_empty());
    let in_pay = who(
        &roles,
        request("get", "", "secrets", ""),
        Within::Namespace("pay"),
    );
    assert_eq!(in_pay, [writer]);
    assert!(
        who(
            &roles,
            request("get", "", "secrets", ""),
            Within::Namespace("shop")
        )
        .is_empty()
    );
    assert!(who(&roles, request("get", "", "secrets", ""), Within::Cluster).is_empty());
}

#[test]
fn admin_of_a_namespace_may_do_all_but_four_things() {
    let roles = asking(&[assignment(1, &cluster_id(), ADMIN, 1, json!({}))]);
    let ask = |verb, group, resource| {
        who(
            &roles,
            request(verb, group, resource, ""),
            Within::Namespace("pay"),
        )
        .len()
    };
    assert_eq!(ask("escalate", "rbac.authorization.k8s.io", "roles"), 1);
    assert_eq!(ask("create", "", "resourcequotas"), 0);
    assert_eq!(ask("delete", "", "namespaces"), 0);
    assert_eq!(ask("*", "", "resourcequotas"), 0);
    assert_eq!(ask("*", "apps", "deployments"), 1);
    assert_eq!(ask("*", "*", "*"), 0);
    let roles = asking(&[assignment(1, SUBSCRIPTION, CLUSTER_ADMIN, 1, json!({}))]);
    let ask = |verb, group, resource| {
        who(&roles, request(verb, group, resource, ""), Within::Cluster).len()
    };
    assert_eq!(ask("*", "*", "*"), 1);
}

#[test]
fn managed_namespaces_are_scopes_too() {
    let roles = asking(&[assignment(
        1,
        &format!("{}/managedNamespaces/pay", cluster_id()),
        WRITER,
        1,
        json!({}),
    )]);
    let found = who(&roles, request("get", "", "secrets", ""), Within::Anywhere);
    assert_eq!(found, [format!("{} in pay, always", guid(1))]);
}

/// learn.microsoft.com/azure/aks/entra-id-authorization, "Restrict custom resource access using ABAC conditions":
/// its role and its condition.
#[test]
fn custom_resources_are_restricted_by_a_condition() {
    let kinds = "Microsoft.ContainerService/managedClusters/customResources";
    let condition = format!(
        "( ( !(ActionMatches{{'Microsoft.ContainerService/managedClusters/customresources/read'}}) ) OR \
         ( @Request[{kinds}:group] StringEqualsIgnoreCase 'secrets-store.csi.x-k8s.io' AND \
         @Request[{kinds}:kind] StringEqualsIgnoreCase 'secretproviderclasses' ) )"
    );
    let both = json!([{"dataActions": [
        "Microsoft.ContainerService/managedClusters/customresources/read",
        "Microsoft.ContainerService/managedClusters/*/read",
    ]}]);
    let alone = json!([{"dataActions": ["Microsoft.ContainerService/managedClusters/customresources/read"]}]);
    let ask = |permissions: &Value, group: &str, resource: &str| {
        let roles = asking(&[
            custom(50, permissions.clone()),
            assignment(
                1,
                &cluster_id(),
                &guid(50),
                1,
                json!({"condition": condition}),
            ),
        ]);
        who(
            &roles,
            request("list", group, resource, ""),
            Within::Cluster,
        )
    };
    let yes = [format!("{} everywhere, always", guid(1))];
    assert_eq!(
        ask(&both, "secrets-store.csi.x-k8s.io", "secretproviderclasses"),
        yes
    );
    let doubt = ask(
        &alone,
        "secrets-store.csi.x-k8s.io",
        "secretproviderclasses",
    );
    assert_eq!(doubt.len(), 1);
    assert!(doubt[0].contains("which is not public"), "{}", doubt[0]);
    assert!(ask(&alone, "security.istio.io", "authorizationpolicies").is_empty());
}

#[test]
fn only_entra_users_of_a_cluster_that_asks_are_azures() {
    let roles = asking(&[assignment(1, &cluster_id(), CLUSTER_ADMIN, 1, json!({}))]);
    let cluster_ = &roles.clusters()[0];
    let object_id = guid(1);
    let ask = |user: &str, object_id: Option<&str>| {
        let requester = Requester {
            user,
            groups: Vec::new(),
            object_id,
        };
        roles.may(cluster_, &requester, &request("get", "", "secrets", ""))
    };
    assert!(ask("ada@example.com", Some(&object_id)).is_yes());
    assert!(matches!(ask("ada@example.com", None), Answer::No(_)));
    assert!(matches!(
        ask("system:serviceaccount:a:b", Some(&object_id)),
        Answer::No(_)
    ));
    let other = build(&live(&[
        cluster(json!({"aadProfile": {"managed": true, "adminGroupObjectIDs": [guid(9)]}})),
        assignment(1, &cluster_id(), CLUSTER_ADMIN, 1, json!({})),
    ]));
    let found = who(&other, request("get", "", "secrets", ""), Within::Anywhere);
    assert_eq!(found, [format!("{} everywhere, always", guid(9))]);
}
