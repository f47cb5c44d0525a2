//! What was not given proves nothing, unless the estate is declared whole.

use crate::run::{Folder, pod, text};

const NAMESPACE: &str =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {owner: a, tier: b}}\n";
const DENY: [&str; 2] = ["--guideline", "np-default-deny"];

fn shop() -> Folder {
    Folder::of(&[("namespace.yaml", NAMESPACE), ("pod.yaml", &pod("web", ""))])
}

#[test]
fn an_absent_policy_is_unknown_and_does_not_fail() {
    let report = shop().json(&[&["."], &DENY[..]].concat());
    assert_eq!(report.code, 0);
    assert!(!report.findings().is_empty());
    assert!(
        report
            .list("/findings")
            .iter()
            .all(|finding| finding["verdict"] == "unknown" && finding["fromAbsence"] == true)
    );
    assert_eq!(report.value["summary"]["bySeverity"]["high"]["fail"], 0);
}

#[test]
fn it_fails_when_unknowns_count() {
    let folder = shop();
    assert_eq!(
        folder
            .assess(&[&[".", "--fail-on-unknown"], &DENY[..]].concat())
            .code,
        1
    );
    folder.write("seawall.yaml", "fail-on-unknown: true\n");
    assert_eq!(folder.assess(&[&["."], &DENY[..]].concat()).code, 1);
    assert_eq!(
        folder
            .assess(&[&[".", "--fail-on", "none"], &DENY[..]].concat())
            .code,
        0
    );
}

#[test]
fn it_fails_where_the_estate_is_whole() {
    let folder = shop();
    let by_option = folder.json(&[&[".", "--whole"], &DENY[..]].concat());
    folder.write("seawall.yaml", "whole: true\n");
    let by_file = folder.json(&[&["."], &DENY[..]].concat());
    for report in [by_option, by_file] {
        assert_eq!(report.code, 1);
        assert_eq!(report.value["whole"], true);
        assert!(
            report
                .list("/findings")
                .iter()
                .all(|finding| finding["verdict"] == "fail")
        );
    }
}

#[test]
fn a_part_of_what_is_whole_is_not() {
    let folder = Folder::new();
    folder.write("seawall.yaml", "whole: true\nkubernetes: \"1.30\"\n");
    folder.write("shop/namespace.yaml", NAMESPACE);
    let whole = |given: &[&str]| {
        let report = folder.json(&[given, &DENY[..]].concat());
        assert!(!report.findings().is_empty());
        // The configuration is found, and holds in all else.
        assert_eq!(report.value["kubernetes"], "1.30");
        let note = report.err.contains("`whole` in ") && report.err.contains("--whole");
        let whole = report.value["whole"] == true;
        assert_eq!(note, !whole, "{}", report.err);
        whole
    };
    assert!(whole(&["."]));
    folder.write("shop/part.yaml", NAMESPACE.replace("shop", "part"));
    assert!(!whole(&["shop"]));
    assert!(!whole(&["shop/part.yaml"]));
    assert!(!whole(&["shop", "shop/part.yaml"]));
    assert!(whole(&["shop", "."]));
    assert!(whole(&["shop/part.yaml", "--whole"]));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), folder.path().join("shop/link")).unwrap();
        assert!(whole(&["shop/link"]));
    }
    // What was given with it by hand is what it is about.
    assert!(whole(&["shop", "--config", "seawall.yaml"]));
}

#[test]
fn a_snapshot_is_as_whole_as_what_it_was_taken_of() {
    let folder = Folder::new();
    folder.write("seawall.yaml", "whole: true\n");
    folder.write("shop/namespace.yaml", NAMESPACE);
    for (given, code) in [(".", 1), ("shop", 0)] {
        let taken = folder.run(&["snapshot", given, "-o", "taken"]);
        assert_eq!(taken.code, 0, "{}", taken.err);
        // Whoever reads it stands elsewhere.
        let other = Folder::new();
        let path = folder.path().join("taken");
        let kept = ["--snapshot", path.to_str().unwrap()];
        let report = other.json(&[&kept, &DENY[..]].concat());
        let whole = report.value["whole"] == true;
        assert_eq!((report.code, whole), (code, code == 1), "{given}");
        assert!(!report.findings().is_empty());
    }
}

#[test]
fn a_policy_that_is_given_passes_in_both() {
    let folder = shop();
    folder.write(
        "policy.yaml",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n",
    );
    assert!(
        folder
            .json(&[&["."], &DENY[..]].concat())
            .findings()
            .is_empty()
    );
    assert!(
        folder
            .json(&[&[".", "--whole"], &DENY[..]].concat())
            .findings()
            .is_empty()
    );
}

#[test]
fn a_namespace_that_is_only_named_is_judged_too() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", ""))]);
    let report = folder.json(&[".", "--whole", "--guideline", "np-default-deny"]);
    assert_eq!(report.code, 1);
    assert_eq!(
        report.list("/findings")[0]["resource"]["id"],
        "Namespace/shop"
    );
    assert_eq!(
        report.list("/findings")[0]["locations"][0]["path"],
        "pod.yaml"
    );
}

#[test]
fn guidelines_without_their_kind_of_data_are_listed_and_change_nothing() {
    let report = shop().json(&[
        ".",
        "--guideline",
        "api-local-accounts-off",
        "--guideline",
        "pss-privileged",
    ]);
    assert_eq!(report.code, 0);
    assert!(report.findings().is_empty());
    let missing = report.list("/coverage/guidelines");
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0]["guideline"], "api-local-accounts-off");
    assert_eq!(
        missing[0]["needs"],
        "Azure resources: an ARM template, Bicep, Terraform, or `--azure`"
    );
    assert_eq!(missing[0]["notAssessed"], true);
    let failing = shop().assess(&[
        ".",
        "--fail-on-unknown",
        "--guideline",
        "api-local-accounts-off",
        "--guideline",
        "pss-privileged",
    ]);
    assert_eq!(failing.code, 0);
}

#[test]
fn a_setting_that_is_missing_is_named() {
    let folder = shop();
    let report = folder.json(&[".", "--guideline", "img-trusted-registry"]);
    assert_eq!(
        report.list("/coverage/guidelines")[0]["needs"],
        "`registries` in seawall.yaml"
    );
    folder.write("seawall.yaml", "registries: [other.azurecr.io]\n");
    let report = folder.json(&[".", "--guideline", "img-trusted-registry"]);
    assert_eq!((report.code, report.findings().len()), (1, 1));
    folder.write("seawall.yaml", "registries: [example.azurecr.io]\n");
    assert!(
        folder
            .json(&[".", "--guideline", "img-trusted-registry"])
            .findings()
            .is_empty()
    );
}

#[test]
fn a_value_left_to_a_parameter_is_unknown_and_names_it() {
    let template = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"open": {"type": "bool"}},
  "resources": [{
    "type": "Microsoft.ContainerService/managedClusters",
    "apiVersion": "2025-10-01",
    "name": "shop",
    "properties": {
      "disableLocalAccounts": "[parameters('open')]"
    }
  }]
}
"#;
    let folder = Folder::of(&[("aks.json", template)]);
    let report = folder.json(&["aks.json", "--guideline", "api-local-accounts-off"]);
    assert_eq!(report.code, 0);
    assert_eq!(
        report.findings(),
        ["aks.json:10 api-local-accounts-off unknown"]
    );
    assert_eq!(
        text(&report.list("/findings")[0]["message"]),
        "it depends on the parameter `open`: fails when it is `false` (the local admin \
         account of the cluster is on)"
    );
    let closed = template.replace("\"[parameters('open')]\"", "false");
    folder.write("aks.json", closed);
    let report = folder.json(&["aks.json", "--guideline", "api-local-accounts-off"]);
    assert_eq!(
        (report.code, report.findings()),
        (
            1,
            vec!["aks.json:10 api-local-accounts-off fail".to_owned()]
        )
    );
}

#[test]
fn templates_of_every_scope_leave_parameters_open() {
    for schema in [
        "deploymentTemplate",
        "subscriptionDeploymentTemplate",
        "managementGroupDeploymentTemplate",
        "tenantDeploymentTemplate",
    ] {
        let template = format!(
            r#"{{
  // comments are allowed
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/{schema}.json#",
  "parameters": {{"closed": {{"type": "string"}}}},
  "resources": [{{
    "type": "Microsoft.ContainerService/managedClusters",
    "apiVersion": "2025-10-01",
    "name": "shop",
    "properties": {{
      "disableLocalAccounts": "[bool(parameters('closed'))]"
    }}
  }}]
}}
"#
        );
        let folder = Folder::of(&[("aks.json", &template)]);
        let report = folder.json(&["aks.json", "--guideline", "api-local-accounts-off"]);
        assert_eq!(
            report.findings(),
            ["aks.json:10 api-local-accounts-off unknown"],
            "{schema}"
        );
        let message = text(&report.list("/findings")[0]["message"]);
        assert!(message.contains("`bool(closed)`"), "{schema}: {message}");
    }
}
