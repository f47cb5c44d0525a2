//! `can` and `who-can`: the answers as people read them, and as scripts do.

use serde_json::{Value, json};

use crate::run::Folder;

#[path = "rights/reviews.rs"]
mod reviews;

pub(crate) const RBAC: &str = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secret-reader}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list]}
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: payments}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secret-reader}
subjects:
- {kind: Group, name: on-call, apiGroup: rbac.authorization.k8s.io}
- {kind: ServiceAccount, name: reporter}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tls, namespace: payments}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [tls, ca]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tls, namespace: payments}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tls}
subjects:
- {kind: Group, name: "system:serviceaccounts:edge", apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ingress, namespace: edge}
"#;

fn folder() -> Folder {
    Folder::of(&[("rbac.yaml", RBAC)])
}

#[test]
fn who_can_says_who_where_and_by_which_line() {
    let ran = folder().run(&["who-can", "get", "secrets", "-n", "payments", "rbac.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out, @r"
    Who can get secrets in namespace payments?

    everywhere
      Group system:masters (no authorizer is asked about its members)

    in namespace payments
      Group on-call
        RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole
          secret-reader, rule 1 (line 5)
      ServiceAccount payments/reporter
        RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole
          secret-reader, rule 1 (line 5)

    in namespace payments, by name only
      Group system:serviceaccounts:edge (every service account of namespace edge,
        1 is known)
        only ca, tls
        RoleBinding payments/tls (rbac.yaml:23) gives Role tls, rule 1 (line 20)

    not known
      ClusterRoleBinding `viewers` gives User jane ClusterRole `view`, which was
        not given
      group system:nodes: a node may by what its own pods use; the Node
        authorizer, which decides that, is not evaluated

    Nobody else by what was given. Nothing says that every ClusterRole,
    ClusterRoleBinding, Role and RoleBinding was given; the built-in roles of
    Kubernetes were not given.
      help: `--bootstrap-roles` adds the roles that every cluster has, `--whole`
        says that the files are everything
    ");
}

#[test]
fn with_the_built_in_roles_and_all_files_the_list_ends() {
    let args = [
        "who-can",
        "list",
        "pods",
        "--bootstrap-roles",
        "--whole",
        "rbac.yaml",
    ];
    let ran = folder().run(&args);
    insta::assert_snapshot!(ran.out, @r"
    Who can list pods?

    everywhere
      Group system:masters (no authorizer is asked about its members)
      User jane
        ClusterRoleBinding viewers (rbac.yaml:30) gives ClusterRole view, rule 1
          of ClusterRole system:aggregate-to-view (built into Kubernetes 1.34)

    and 23 parts of Kubernetes itself (`--built-in` lists them)

    not known
      group system:nodes: a node may by what its own pods use; the Node
        authorizer, which decides that, is not evaluated

    Nobody else for certain.
    ");
}

#[test]
fn a_matrix_shows_how_far_each_right_reaches() {
    let args = [
        "who-can",
        "get",
        "secrets",
        "-n",
        "payments",
        "--format",
        "matrix",
        "rbac.yaml",
    ];
    let ran = folder().run(&args);
    let matrix = ran.out.split("\n\nnot known").next().unwrap();
    insta::assert_snapshot!(matrix, @r"
    Who can do what with secrets in namespace payments

                                       get  list  watch  create  update  patch
    Group system:masters               ●    ●     ●      ●       ●       ●
    Group on-call                      ◐    ◐     ·      ·       ·       ·
    Group system:serviceaccounts:edge  ○    ·     ·      ·       ·       ·
    SA payments/reporter               ◐    ◐     ·      ·       ·       ·

                                       delete  deletecollection
    Group system:masters               ●       ●
    Group on-call                      ·       ·
    Group system:serviceaccounts:edge  ·       ·
    SA payments/reporter               ·       ·

    ● everywhere, ◐ in a namespace, ○ by name only, ? perhaps
    ");
}

#[test]
fn json_and_csv_hold_the_same() {
    let folder = folder();
    let ask = [
        "who-can",
        "get",
        "secrets",
        "-n",
        "payments",
        "rbac.yaml",
        "--format",
    ];
    let answer: Value =
        serde_json::from_str(&folder.run(&[&ask[..], &["json"]].concat()).out).unwrap();
    assert_eq!(answer["schema"], "seawall.who-can/v1");
    assert_eq!(answer["complete"], false);
    let last = answer["holders"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["subject"],
        json!({"kind": "ServiceAccount", "namespace": "payments", "name": "reporter", "id": null})
    );
    assert_eq!(
        (&last["scope"], &last["namespace"]),
        (&json!("namespace"), &json!("payments"))
    );
    assert_eq!(last["evidence"][0]["binding"]["line"], 9);
    assert_eq!(last["evidence"][0]["rule"]["of"]["line"], 5);
    let csv = folder.run(&[&ask[..], &["csv"]].concat()).out;
    assert_eq!(
        csv.lines().count() - 1,
        answer["holders"].as_array().unwrap().len()
    );
    assert!(csv.contains(
        "get,,secrets,Group,system:serviceaccounts:edge,namespace,payments,ca tls,,RoleBinding payments/tls,Role payments/tls,rbac.yaml:20"
    ), "{csv}");
}

#[test]
fn what_somebody_may_do_is_listed_with_what_it_amounts_to() {
    let ran = folder().run(&[
        "who-can",
        "--as",
        "sa:payments/reporter",
        "--bootstrap-roles",
        "--whole",
        "rbac.yaml",
    ]);
    insta::assert_snapshot!(ran.out, @r"
    What can ServiceAccount payments/reporter do?
      also as a member of system:authenticated, system:serviceaccounts,
        system:serviceaccounts:payments

    in namespace payments
      get, list on secrets
        RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole
          secret-reader, rule 1 (line 5)
      create on pods/exec
        RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole
          secret-reader, rule 2 (line 6)

    and 5 rules of Kubernetes' own bindings (`--built-in` lists them)

    which amounts to: reads Secrets; runs commands in pods

    Nothing else.
    ");
}

#[test]
fn rights_that_amount_to_more_are_listed() {
    let ran = folder().run(&["who-can", "--escalations", "rbac.yaml", "--format", "csv"]);
    insta::assert_snapshot!(ran.out, @r#"
    id,title,kind,subject,scope,names,by
    secret-read,reads Secrets,Group,on-call,payments,,"RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole secret-reader, rule 1 (line 5)"
    secret-read,reads Secrets,Group,system:serviceaccounts:edge,payments,ca tls,"RoleBinding payments/tls (rbac.yaml:23) gives Role tls, rule 1 (line 20)"
    secret-read,reads Secrets,ServiceAccount,payments/reporter,payments,,"RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole secret-reader, rule 1 (line 5)"
    pod-exec,runs commands in pods,Group,on-call,payments,,"RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole secret-reader, rule 2 (line 6)"
    pod-exec,runs commands in pods,ServiceAccount,payments/reporter,payments,,"RoleBinding payments/readers (rbac.yaml:9) gives ClusterRole secret-reader, rule 2 (line 6)"
    "#);
}

/// One answer to who may read Secrets, from bindings and from Azure's role assignments.
#[test]
fn azure_roles_and_bindings_are_one_answer() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/aks-store");
    let args = [
        "who-can", "get", "secrets", "-n", "shop", "--aks", "shop", examples, "--format", "json",
    ];
    let answer: Value = serde_json::from_str(&Folder::new().run(&args).out).unwrap();
    let kinds: Vec<&str> = answer["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| holder["subject"]["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"ServiceAccount"), "{kinds:?}");
    assert!(
        kinds.iter().any(|kind| kind.starts_with("Azure")),
        "{kinds:?}"
    );
}

#[test]
fn wrong_use_is_told_with_what_to_do() {
    let folder = folder();
    for (args, said) in [
        (
            &["who-can", "get", "secretz", "rbac.yaml"][..],
            "`secretz` is no resource of Kubernetes' own",
        ),
        (
            &["who-can", "get", "rbac.yaml"],
            "say who may do what: a verb and a resource",
        ),
        (
            &["who-can", "get", "pods", "rbac.yaml", "--aks", "x"],
            "there is no AKS cluster `x`",
        ),
        (
            &["who-can", "--as", "sa:x", "rbac.yaml"],
            "`sa:x` does not say namespace and name",
        ),
        (
            &["who-can", "get", "pods", "rbac.yaml", "--format", "pdf"],
            "there is no format `pdf`",
        ),
        (
            &["can", "--reviews", "none.jsonl", "rbac.yaml"],
            "cannot read `none.jsonl`",
        ),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.out);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
        assert!(
            ran.err.contains("help: ") || ran.err.contains("there are"),
            "{args:?}: {}",
            ran.err
        );
    }
    folder.write(
        "pod.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n",
    );
    let ran = folder.run(&["who-can", "get", "pods", "pod.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
}

#[test]
fn as_somebody_says_what_is_not_known_and_who_may_do_all() {
    let folder = folder();
    let ran = folder.run(&["who-can", "--as", "jane", "rbac.yaml"]);
    assert!(
        ran.out.contains("ClusterRole `view`, which was not given")
            || ran.out.contains("which was\n    not given"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("other groups are"), "{}", ran.out);
    let ran = folder.run(&[
        "who-can",
        "--as",
        "jane",
        "--format",
        "json",
        "rbac.yaml",
        "--whole",
        "--as-group",
        "on-call",
    ]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        answer["unknown"].as_array().unwrap().len(),
        1,
        "{}",
        ran.out
    );
    assert_eq!(answer["complete"], false);
    assert_eq!(answer["rights"].as_array().unwrap().len(), 2);
    let ran = folder.run(&["who-can", "--as", "group:system:masters", "rbac.yaml"]);
    insta::assert_snapshot!(ran.out, @r"
    What can Group system:masters do?

    everywhere
      everything on *
        whatever roles say

    which amounts to: does everything
    ");
    let ran = folder.run(&["who-can", "--as", "system:masters", "rbac.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("write `group:system:masters`"),
        "{}",
        ran.err
    );
    let ran = folder.run(&[
        "who-can",
        "--as",
        "sa:edge/ingress",
        "--bootstrap-roles",
        "rbac.yaml",
    ]);
    assert!(
        ran.out.contains("reads Secrets (only ca, tls)"),
        "{}",
        ran.out
    );
}

#[test]
fn what_a_rule_cannot_give_is_not_said_to_be_given() {
    let folder = Folder::of(&[(
        "rbac.yaml",
        r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: odd}
rules:
- {apiGroups: [""], resources: [nodes/proxy, "pods/*", namespaces, pods], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: odd, namespace: pay}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: odd}
subjects:
- {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}
"#,
    )]);
    let ran = folder.run(&["who-can", "--as", "jane", "rbac.yaml", "--format", "json"]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        answer["rights"][0]["noEffect"],
        json!([
            "nodes/proxy has no effect here: it belongs to no namespace",
            "pods/* matches nothing"
        ])
    );
    let ran = folder.run(&["who-can", "--as", "jane", "rbac.yaml"]);
    assert!(ran.out.contains("(pods/* matches"), "{}", ran.out);
    let ran = folder.run(&["who-can", "--as", "jane", "rbac.yaml", "--format", "csv"]);
    assert!(
        ran.out.contains(
            "nodes/proxy has no effect here: it belongs to no namespace; pods/* matches nothing"
        ),
        "{}",
        ran.out
    );
}

/// A cluster that asks Azure, and who has what there.
pub(crate) const AZURE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "NAME",
     "location": "westeurope", "identity": {"type": "SystemAssigned"},
     "properties": {"aadProfile": {"managed": true, "enableAzureRBAC": true}, "disableLocalAccounts": false}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
     "name": "10000000-0000-0000-0000-000000000001", "scope": "[resourceId('Microsoft.ContainerService/managedClusters', 'NAME')]",
     "properties": {"principalId": "11111111-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b')]"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
     "name": "10000000-0000-0000-0000-000000000002", "scope": "[resourceId('Microsoft.ContainerService/managedClusters', 'NAME')]",
     "properties": {"principalId": "11111111-0000-0000-0000-000000000002", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb')]"}}
  ]
}
"#;

#[test]
fn holders_of_azure_roles_are_in_every_answer() {
    let folder = folder();
    folder.write("main.json", AZURE.replace("NAME", "shop"));
    let ran = folder.run(&["who-can", "--escalations", ".", "--format", "csv"]);
    let has = |id: &str, last: &str| {
        ran.out.lines().any(|line| {
            line.starts_with(&format!("{id},")) && line.contains(&format!("000000{last},"))
        })
    };
    assert!(
        has("everything", "000001") && !has("everything", "000002"),
        "{}",
        ran.out
    );
    assert!(
        has("secret-read", "000002") && has("pod-exec", "000002"),
        "{}",
        ran.out
    );
    let ran = folder.run(&[
        "who-can",
        "--as",
        "11111111-0000-0000-0000-000000000002",
        ".",
    ]);
    assert!(
        ran.out.contains("everywhere") && ran.out.contains("pods/exec, pods/portforward"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("reads Secrets"), "{}", ran.out);
    let ran = folder.run(&["who-can", "get", "secrets", "-n", "pay", "."]);
    assert!(
        !ran.out.contains("in namespace pay\n  Azure"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("assignment of an Azure role"),
        "{}",
        ran.out
    );
    let ran = folder.run(&["who-can", "get", "secrets", ".", "--format", "matrix"]);
    assert!(
        ran.out.contains("11111111-0000-0000-0000-000000000001"),
        "{}",
        ran.out
    );
    folder.write("other.json", AZURE.replace("NAME", "rehearsal"));
    let ran = folder.run(&[
        "who-can",
        "get",
        "secrets",
        "--whole",
        "--bootstrap-roles",
        ".",
        "--format",
        "json",
    ]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["complete"], false, "{}", ran.out);
    assert!(
        answer["notGiven"][0].as_str().unwrap().contains("--aks"),
        "{}",
        ran.out
    );
}

/// An assignment of a role, by a number and the role's id, at the resource group or at the cluster.
fn assigned(number: u8, role: &str, scope: &str) -> String {
    format!(
        r#",
    {{"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",{scope}
     "name": "20000000-0000-0000-0000-00000000000{number}",
     "properties": {{"principalId": "33333333-0000-0000-0000-00000000000{number}", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')]"}}}}
  ]"#
    )
}

#[test]
fn who_acts_as_the_administrator_is_in_every_answer() {
    const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    const CLUSTER_ADMIN: &str = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8";
    const CLUSTER_USER: &str = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f";
    const ACCESS_ADMINISTRATOR: &str = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
    let mut template = AZURE.replace("NAME", "shop");
    for (number, role) in [
        (3, CONTRIBUTOR),
        (4, CLUSTER_ADMIN),
        (5, CLUSTER_USER),
        (6, ACCESS_ADMINISTRATOR),
    ] {
        template = template.replacen("\n  ]", &assigned(number, role, ""), 1);
    }
    let folder = folder();
    folder.write("main.json", &template);
    let ran = folder.run(&["who-can", "get", "secrets", "-n", "shop", "."]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out, @r"
    Who can get secrets in namespace shop?

    everywhere
      Group system:masters (no authorizer is asked about its members)
      AzureUser 11111111-0000-0000-0000-000000000001
        Azure role Azure Kubernetes Service RBAC Cluster Admin, assigned in
          main.json:8
      AzureUser 11111111-0000-0000-0000-000000000002
        Azure role Azure Kubernetes Service RBAC Writer, assigned in main.json:12
      AzureUser 33333333-0000-0000-0000-000000000003
        as the cluster's administrator by listClusterAdminCredential,
          accessProfiles/listCredential (Azure role Contributor, assigned in
          main.json:16)
      AzureUser 33333333-0000-0000-0000-000000000004
        as the cluster's administrator by listClusterAdminCredential,
          accessProfiles/listCredential (Azure role Azure Kubernetes Service Cluster
          Admin Role, assigned in main.json:20)

    not known
      ClusterRoleBinding `viewers` gives User jane ClusterRole `view`, which was
        not given
      group system:nodes: a node may by what its own pods use; the Node
        authorizer, which decides that, is not evaluated
      2 more can make themselves administrators of cluster `shop` through Azure;
        `seawall who-can --takeover` lists them

    Nobody else by what was given. Nothing says that every ClusterRole,
    ClusterRoleBinding, Role, RoleBinding and assignment of an Azure role was given;
    the built-in roles of Kubernetes were not given.
      help: `--bootstrap-roles` adds the roles that every cluster has, `--whole`
        says that the files are everything
    ");
    // With local accounts off there is no such credential, and Entra runs commands as whoever asks.
    folder.write(
        "main.json",
        template.replace(
            "\"disableLocalAccounts\": false",
            "\"disableLocalAccounts\": true",
        ),
    );
    let off = folder
        .run(&["who-can", "get", "secrets", "-n", "shop", "."])
        .out;
    assert!(!off.contains("as the cluster's administrator"), "{off}");
    assert!(off.contains("3 more can make themselves"), "{off}");
    // A setting that is open is a doubt and no yes.
    folder.write(
        "main.json",
        template
            .replace(
                "\"disableLocalAccounts\": false",
                "\"disableLocalAccounts\": \"[parameters('off')]\"",
            )
            .replace(
                "\"resources\": [",
                "\"parameters\": {\"off\": {\"type\": \"bool\"}}, \"resources\": [",
            ),
    );
    let open = folder.run(&["who-can", "get", "secrets", ".", "--format", "json"]);
    let open: Value = serde_json::from_str(&open.out).unwrap();
    let unknown = open["unknown"].to_string();
    assert!(
        unknown.contains("Contributor may make 33333333-0000-0000-0000-000000000003"),
        "{unknown}"
    );
    assert!(!open["holders"].to_string().contains("administratorBy"));
    // Without Entra whoever may fetch the user's credential fetches the administrator's, and commands run as it.
    folder.write(
        "main.json",
        template.replace(
            "\"aadProfile\": {\"managed\": true, \"enableAzureRBAC\": true}, ",
            "",
        ),
    );
    let ran = folder.run(&["who-can", "get", "secrets", ".", "--format", "csv"]);
    let line = |id: &str| {
        let mut lines = ran.out.lines();
        lines
            .find(|line| line.contains(&format!("33333333-0000-0000-0000-00000000000{id}")))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        line("5").contains("Cluster User Role: listClusterUserCredential"),
        "{}",
        ran.out
    );
    assert!(line("3").contains(", runCommand"), "{}", ran.out);
    assert_eq!(line("6"), "");

    folder.write("main.json", &template);
    let ran = folder.run(&[
        "who-can",
        "--as",
        "33333333-0000-0000-0000-000000000004",
        ".",
    ]);
    insta::assert_snapshot!(ran.out, @r"
    What can AzurePrincipal 33333333-0000-0000-0000-000000000004 do?
      also as a member of 33333333-0000-0000-0000-000000000004,
        system:authenticated

    everywhere
      everything on *
        as the cluster's administrator by listClusterAdminCredential,
          accessProfiles/listCredential (Azure role Azure Kubernetes Service Cluster
          Admin Role, assigned in main.json:20)

    which amounts to: does everything

    Nothing else by what was given. Nothing says that every ClusterRole,
    ClusterRoleBinding, Role, RoleBinding and assignment of an Azure role was given;
    the built-in roles of Kubernetes were not given.
      help: `--bootstrap-roles` adds the roles that every cluster has, `--whole`
        says that the files are everything
    ");
    let ran = folder.run(&["who-can", "--escalations", ".", "--format", "csv"]);
    assert!(
        ran.out
            .lines()
            .any(|line| line.starts_with("everything,") && line.contains("000004,")),
        "{}",
        ran.out
    );
}

#[test]
fn which_cluster_is_meant_is_asked_once() {
    let folder = folder();
    folder.write("main.json", AZURE.replace("NAME", "shop"));
    folder.write("other.json", AZURE.replace("NAME", "rehearsal"));
    for format in ["text", "json", "csv", "matrix"] {
        let ran = folder.run(&["who-can", "get", "secrets", ".", "--format", format]);
        let said = ran.out.matches("--aks").count() + ran.err.matches("--aks").count();
        assert_eq!(said, 1, "{format}: {}{}", ran.out, ran.err);
    }
}
