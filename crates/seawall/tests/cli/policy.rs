//! `seawall policy export`: what is written, what is not and why. That an API server agrees is
//! proven beside the exporter, in the guide's own tests.

use crate::run::{DAY, Folder};

fn export(folder: &Folder, args: &[&str]) -> crate::run::Ran {
    folder.run(&[&["policy", "export", "--as", "vap", "--as-of", DAY], args].concat())
}

#[test]
fn a_guideline_becomes_a_policy_and_its_binding() {
    let ran = export(
        &Folder::new(),
        &["--guideline", "pss-host-path", "--kubernetes", "1.34"],
    );
    assert_eq!(
        (ran.code, &*ran.err),
        (0, "1 guideline exported for Kubernetes 1.34\n")
    );
    insta::assert_snapshot!(ran.out, @r#"
    # Pods do not mount the node's file system.
    # Why, when not, how to fix: seawall explain pss-host-path
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicy
    metadata:
      name: seawall-pss-host-path
      labels:
        app.kubernetes.io/managed-by: seawall
        seawall.dev/guideline: pss-host-path
        seawall.dev/severity: critical
      annotations:
        seawall.dev/kubernetes: '1.34'
    spec:
      failurePolicy: Fail
      matchConstraints:
        resourceRules:
        - apiGroups: ['']
          apiVersions: ['*']
          operations: [CREATE, UPDATE]
          resources: [pods, replicationcontrollers, podtemplates]
        - apiGroups: ['apps']
          apiVersions: ['*']
          operations: [CREATE, UPDATE]
          resources: [deployments, statefulsets, daemonsets, replicasets]
        - apiGroups: ['batch']
          apiVersions: ['*']
          operations: [CREATE, UPDATE]
          resources: [jobs, cronjobs]
      matchConditions:
      # not judged: what AKS itself writes
      - name: not-aks
        expression: '!(request.?userInfo.?username.orValue("") in ["aksService", "hcpService"])'
      # not judged: an object that is being deleted and stays as it is: it may lose its finalizers
      - name: not-leaving
        expression: |-
          request.operation != "UPDATE"
          || !has(object.metadata.deletionTimestamp)
          || object.metadata.?labels != oldObject.metadata.?labels
          || object.metadata.?annotations != oldObject.metadata.?annotations
          || !object.all(key, key in ["metadata", "status"] || key in oldObject && oldObject[key] == object[key])
      variables:
      - name: pod
        expression: |-
          object.kind == "Pod"
          ? object.spec
          : object.kind == "CronJob"
          ? object.spec.jobTemplate.spec.template.spec
          : object.kind == "PodTemplate" ? object.template.spec : object.spec.template.spec
      - name: volumes
        expression: 'variables.pod.?volumes.orValue([])'
      validations:
      - expression: 'variables.volumes.all(v, !has(v.hostPath))'
        message: 'does not follow pss-host-path: Pods do not mount the node''s file system'
        messageExpression: |-
          [
            variables.volumes
              .filter(v, has(v.hostPath))
              .map(v,
                "volume `" + string(v.name) + "` mounts `" + string(v.hostPath.?path.orValue(""))
                + "` of the node"
              )
              .join("; ")
          ].map(text, bytes(text).size() > 3800 ? text.substring(0, 900) + " …" : text)[0]
    ---
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicyBinding
    metadata:
      name: seawall-pss-host-path
      labels:
        app.kubernetes.io/managed-by: seawall
        seawall.dev/guideline: pss-host-path
        seawall.dev/severity: critical
      annotations:
        seawall.dev/kubernetes: '1.34'
    spec:
      policyName: seawall-pss-host-path
      validationActions: [Deny]
      matchResources:
        namespaceSelector:
          matchExpressions:
          # namespaces that AKS owns or needs to start
          - {key: kubernetes.io/metadata.name, operator: NotIn, values: [acstor, aks-command, aks-istio-system, app-routing-system, azure-arc, calico-apiserver, calico-system, dataprotection-microsoft, gatekeeper-system, kube-node-lease, kube-public, kube-system, tigera-operator]}
          # what AKS adds to every webhook: whoever may label a namespace leaves the policy
          - {key: control-plane, operator: NotIn, values: ['true']}
          - {key: kubernetes.azure.com/managedby, operator: NotIn, values: [aks]}
    "#);
}

#[test]
fn what_cannot_be_exported_is_named_with_its_reason() {
    let folder = Folder::new();
    let ran = export(
        &folder,
        &[
            "--guideline",
            "img-trusted-registry",
            "--guideline",
            "ns-limit-range",
        ],
    );
    assert_eq!((ran.code, &*ran.out), (3, ""));
    insta::assert_snapshot!(ran.err, @r#"
    0 guidelines exported for Kubernetes 1.37
    2 not exported:
      img-trusted-registry  it needs `registries` in seawall.yaml
      ns-limit-range        it reads other objects of the cluster
    "#);
    let old = export(&folder, &["--kubernetes", "1.29"]);
    assert_eq!(old.code, 2);
    insta::assert_snapshot!(old.err, @r#"
    error: Kubernetes 1.29 has no ValidatingAdmissionPolicy
      help: it is stable since 1.30: `--kubernetes 1.30` or newer
    "#);
}

#[test]
fn every_guideline_is_exported_or_named() {
    let ran = export(&Folder::new(), &[]);
    let made = ran
        .out
        .lines()
        .filter(|line| *line == "kind: ValidatingAdmissionPolicy")
        .count();
    let named = ran
        .err
        .lines()
        .filter(|line| line.starts_with("  "))
        .count();
    let list = Folder::new().run(&["guide", "list"]);
    assert!(
        list.out.contains(&format!("{} guidelines", made + named)),
        "{made} {named}"
    );
    assert!(made > 70, "{made}");
    assert_eq!(export(&Folder::new(), &[]).out, ran.out);
}

#[test]
fn configuration_and_waivers_go_into_the_policies() {
    let folder = Folder::of(&[(
        "seawall.yaml",
        r"registries: [example.azurecr.io]
severities: {img-trusted-registry: low}
waivers:
- {guideline: img-trusted-registry, resource: Deployment/shop/web, reason: a vendor's image, owner: team-web, until: 2027-01-31}
- {guideline: img-trusted-registry, resource: Deployment/shop/old, reason: over, owner: team-web, until: 2026-01-31}
- {guideline: img-trusted-registry, resource: Deployment/shop/api, container: proxy, reason: a proxy, owner: team-web}
",
    )]);
    let ran = export(
        &folder,
        &["--guideline", "img-trusted-registry", "--out", "policies"],
    );
    assert_eq!((ran.code, &*ran.out), (0, ""));
    insta::assert_snapshot!(ran.err, @r#"
    1 guideline exported for Kubernetes 1.37 to policies
    waivers that policies do not hold, so the cluster is stricter:
      img-trusted-registry  the waiver for `proxy` of Deployment/shop/api: a policy accepts whole objects, not one item of them
    "#);
    let text =
        std::fs::read_to_string(folder.path().join("policies/img-trusted-registry.yaml")).unwrap();
    assert!(
        text.contains(r#"["example.azurecr.io"].exists(registry,"#),
        "{text}"
    );
    assert!(text.contains("validationActions: [Warn, Audit]"), "{text}");
    assert!(
        text.contains("# not judged: waived: a vendor's image (team-web) until 2027-01-31"),
        "{text}"
    );
    assert!(text.contains(r#"id == "Deployment/shop/web""#), "{text}");
    assert!(
        !text.contains("shop/old") && !text.contains("shop/api"),
        "{text}"
    );
    let wide = Folder::of(&[(
        "seawall.yaml",
        "waivers: [{guideline: pss-host-path, reason: later, owner: team-web}]\n",
    )]);
    let ran = export(&wide, &["--guideline", "pss-host-path"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.err, @r#"
    0 guidelines exported for Kubernetes 1.37
    1 not exported:
      pss-host-path  it is waived for everything (later (team-web))
    "#);
}

#[test]
fn a_folder_is_a_kustomization_with_what_policies_need() {
    let folder = Folder::of(&[(
        "seawall.yaml",
        "registries: [example.azurecr.io, other.azurecr.io]\n",
    )]);
    let ran = export(
        &folder,
        &[
            "--guideline",
            "img-trusted-registry",
            "--guideline",
            "pss-privileged",
            "--kubernetes",
            "1.36",
            "--namespace-label",
            "--settings",
            "kube-system/seawall-settings",
            "--mutating",
            "--unsafe",
            "--out",
            "policies",
        ],
    );
    assert_eq!((ran.code, &*ran.out), (0, ""));
    assert!(
        ran.err
            .starts_with("2 guidelines exported for Kubernetes 1.36 to policies\n"),
        "{}",
        ran.err
    );
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("policies").join(name)).unwrap();
    let listed: Vec<String> = read("kustomization.yaml")
        .lines()
        .filter_map(|line| line.strip_prefix("- ").map(str::to_owned))
        .collect();
    for name in &listed {
        assert!(!read(name).is_empty(), "{name}");
    }
    for name in [
        "seawall-settings.yaml",
        "seawall-enforce-label.yaml",
        "img-trusted-registry.yaml",
        "pss-privileged.yaml",
        "pss-privileged-fix.yaml",
    ] {
        assert!(listed.iter().any(|listed| listed == name), "{listed:?}");
    }
    let settings = read("seawall-settings.yaml");
    assert!(
        settings.contains("  registries: |-\n    example.azurecr.io\n    other.azurecr.io\n"),
        "{settings}"
    );
    let judged = read("img-trusted-registry.yaml");
    assert!(judged.contains("paramKind:"), "{judged}");
    assert!(
        judged.contains("{key: seawall.dev/enforce, operator: In, values: [audit]}"),
        "{judged}"
    );
    assert!(
        judged.contains("parameterNotFoundAction: Allow"),
        "{judged}"
    );
    let fixed = read("pss-privileged-fix.yaml");
    assert!(
        fixed.contains(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\n"
        ),
        "{fixed}"
    );
}

#[test]
fn azure_policy_is_one_template_and_its_parts() {
    let folder = Folder::new();
    let ran = folder.run(&[
        "policy",
        "export",
        "--as",
        "azure-policy",
        "--guideline",
        "pss-host-path",
        "--guideline",
        "api-local-accounts-off",
        "--guideline",
        "sec-kms",
        "--guideline",
        "ns-limit-range",
        "--kubernetes",
        "1.34",
        "--as-of",
        DAY,
        "--out",
        "azure",
    ]);
    assert_eq!((ran.code, &*ran.out), (0, ""));
    insta::assert_snapshot!(ran.err, @r"
    1 definition made for Kubernetes 1.34, 2 built-in definitions used to azure
    1 not exported:
      ns-limit-range  it reads other objects of the cluster
    where Azure Policy is not as the guideline:
      sec-kms         it does not know encryption with keys of the platform
    ");
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("azure").join(name)).unwrap();
    let initiative: serde_json::Value = serde_json::from_str(&read("initiative.json")).unwrap();
    let ids: Vec<&str> = initiative["policyDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["policyDefinitionId"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "[subscriptionResourceId('Microsoft.Authorization/policyDefinitions', 'seawall-pss-host-path')]",
            "/providers/Microsoft.Authorization/policyDefinitions/993c2fcd-2b29-49d2-9eb0-df2c3a730c32",
            "/providers/Microsoft.Authorization/policyDefinitions/dbbdc317-9734-4dd8-9074-993b29c69008",
        ]
    );
    assert!(read("templates/seawall-pss-host-path.yaml").contains("engine: K8sNativeValidation"));
    assert!(read("definitions/seawall-pss-host-path.json").contains("Microsoft.Kubernetes.Data"));
    // The template is one that seawall itself evaluates.
    let expanded = folder.run(&["template", "expand", "azure/azuredeploy.json"]);
    assert_eq!(expanded.code, 0, "{}", expanded.err);
    assert!(
        expanded.out.contains("[parameters('effect')]"),
        "{}",
        expanded.out
    );
}

#[test]
fn what_a_form_cannot_do_is_said() {
    let folder = Folder::new();
    for (args, message) in [
        (
            &["--as", "kyverno", "--settings", "kube-system/settings"][..],
            "error: `--settings` is for `--as vap`: policies of kyverno have no bindings\n  help: leave it out, or export with `--as vap`\n",
        ),
        (
            &["--as", "vap", "--settings", "settings"],
            "error: `settings` does not name a ConfigMap with its namespace\n  help: NAMESPACE/NAME, for instance `--settings kube-system/seawall-settings`\n",
        ),
        (
            &["--as", "vap", "--namespace-label=a b"],
            "error: `a b` is no key of a label\n  help: for instance `--namespace-label seawall.dev/enforce`\n",
        ),
        (
            &["--as", "vap", "--mutating", "--kubernetes", "1.33"],
            "error: Kubernetes 1.33 has no MutatingAdmissionPolicy\n  help: it is beta and switched off since 1.34, stable since 1.36: leave `--mutating` out, or name a newer version\n",
        ),
    ] {
        let ran = folder.run(&[&["policy", "export"], args].concat());
        assert_eq!((ran.code, &*ran.err), (2, message));
    }
    let kyverno = folder.run(&[
        "policy",
        "export",
        "--as",
        "kyverno",
        "--guideline",
        "pss-host-path",
    ]);
    assert_eq!(kyverno.code, 0, "{}", kyverno.err);
    assert!(
        kyverno
            .out
            .contains("apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\n"),
        "{}",
        kyverno.out
    );
}
