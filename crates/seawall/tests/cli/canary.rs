//! A secret that stands in the input stands in no output.

use std::fmt::Write as _;

use crate::run::{Folder, PRIVILEGED, Ran, pod};

const FORMATS: [&str; 8] = [
    "terminal",
    "json",
    "sarif",
    "html",
    "junit",
    "markdown",
    "csv",
    "policyreport",
];

/// No part of it is a word that stands anywhere else.
const CANARY: &str = "Zq7vCanaryW3x";
/// The same as Secrets hold it.
const ENCODED: &str = "WnE3dkNhbmFyeVczeA==";

fn leaks(what: &str, ran: &Ran) -> Option<String> {
    let leak = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.contains(CANARY) || line.contains(ENCODED))?;
        Some(format!("{what}: {line}"))
    };
    leak(&ran.out).or_else(|| leak(&ran.err))
}

/// Everywhere that people put credentials, in places where guidelines look.
fn estate() -> Folder {
    let folder = Folder::new();
    folder.write(
        "secret.yaml",
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: shop}}\ndata: {{one: {ENCODED}, \"two\": \"{ENCODED}\"}}\nstringData:\n  three: {CANARY}\n  four: |\n    first\n    {CANARY}\n  five: \"{CANARY}\\n\"\n"),
    );
    folder.write(
        "secret.json",
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {{\"name\": \"b\"}},\n\"data\": {{\"a\": \"{ENCODED}\"}}, \"stringData\": {{\"b\": \"{CANARY}\"}}}}\n"),
    );
    folder.write(
        "secrets.yaml",
        format!("apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {{name: c}}\n  stringData: {{a: {CANARY}}}\n- metadata: {{name: d}}\n  data: &d {{a: {ENCODED}}}\n- metadata: {{name: e}}\n  data: *d\n"),
    );
    folder.write(
        "token.yaml",
        format!("apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: f\n  annotations:\n    kubernetes.io/service-account.name: web\n    kubectl.kubernetes.io/last-applied-configuration: '{{\"data\":{{\"a\":\"{ENCODED}\"}}}}'\ndata: {{token: {ENCODED}}}\n"),
    );
    let mut env = String::from("    env:\n");
    for name in [
        "DB_PASSWORD",
        "API_TOKEN",
        "STORAGE_ACCOUNT_KEY",
        "AZURE_CLIENT_SECRET",
        "SIGNING_KEY",
        "SMTP_PASS",
    ] {
        writeln!(env, "    - name: {name}\n      value: {CANARY}").unwrap();
    }
    writeln!(env, "    - {{name: FLOW_PASSWORD, value: {CANARY}}}").unwrap();
    writeln!(env, "    - {{value: \"{CANARY}\", name: ADMIN_PASSWD}}").unwrap();
    writeln!(
        env,
        "    - name: DATABASE_URL\n      value: postgres://shop:{CANARY}@db/shop"
    )
    .unwrap();
    writeln!(
        env,
        "    - name: STORAGE\n      value: DefaultEndpointsProtocol=https;AccountKey={CANARY}"
    )
    .unwrap();
    writeln!(
        env,
        "    - name: BLOCK_SECRET\n      value: |\n        {CANARY}"
    )
    .unwrap();
    folder.write("env.yaml", pod("env", &format!("{env}{PRIVILEGED}")));
    let args = format!(
        "    args: [--password={CANARY}, --user, shop]\n  - name: b\n    image: b\n    args: [--password, {CANARY}, --x]\n  - name: c\n    image: b\n    command:\n    - run\n    - --client-secret\n    - {CANARY}\n  - name: d\n    image: b\n    command: [sh, -c, \"login --password {CANARY}\"]\n"
    );
    folder.write("args.yaml", pod("args", &args));
    folder.write(
        "config.yaml",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: shop}}\ndata:\n  DB_PASSWORD: {CANARY}\n  app.properties: |\n    user=shop\n    password={CANARY}\n  settings.json: '{{\"password\": \"{CANARY}\"}}'\n  url: amqp://u:{CANARY}@queue\n"),
    );
    folder.write(
        "config.json",
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {{\"name\": \"b\"}}, \"data\": {{\"apiKey\": \"{CANARY}\", \"x\": \"1\"}}}}\n"),
    );
    let annotated = pod("annotated", PRIVILEGED).replace(
        "  namespace: shop\n",
        &format!("  namespace: shop\n  annotations: {{example.com/token: {CANARY}}}\n"),
    );
    folder.write("annotation.yaml", annotated);
    folder.write(
        "aks.json",
        format!("{{\n\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\",\n\"parameters\": {{\"adminPassword\": {{\"type\": \"securestring\", \"defaultValue\": \"{CANARY}\"}}}},\n\"resources\": [{{\"type\": \"Microsoft.ContainerService/managedClusters\", \"apiVersion\": \"2025-10-01\", \"name\": \"a\",\n\"properties\": {{\"disableLocalAccounts\": false, \"windowsProfile\": {{\"adminPassword\": \"{CANARY}\"}}, \"servicePrincipalProfile\": {{\"clientId\": \"a\", \"secret\": \"{CANARY}\"}}}}}}]\n}}\n"),
    );
    folder
}

#[test]
fn a_planted_secret_is_in_no_report() {
    let folder = estate();
    for more in [
        &["--whole"][..],
        &["--verdicts", "all"],
        &["--framework", "pss-restricted"],
    ] {
        for format in FORMATS {
            let ran = folder.assess(&[&[".", "--format", format], more].concat());
            assert!(ran.out.len() > 500, "{format}: {}", ran.err);
            assert_eq!(leaks(&format!("{format} {more:?}"), &ran), None);
        }
    }
}

#[test]
fn each_secret_is_reported_all_the_same() {
    let report = estate().json(&[
        ".",
        "--guideline",
        "sec-no-plain-secrets",
        "--guideline",
        "sec-no-secret-manifest-in-git",
    ]);
    for file in [
        "args.yaml",
        "config.json",
        "config.yaml",
        "env.yaml",
        "secret.json",
        "secret.yaml",
        "secrets.yaml",
        "token.yaml",
    ] {
        assert!(
            report
                .findings()
                .iter()
                .any(|finding| finding.starts_with(file)),
            "{file}: {:#?}",
            report.findings()
        );
    }
}

#[test]
fn a_broken_document_does_not_show_the_secret_beside_the_mistake() {
    let broken = [
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: {CANARY}\n   b: {CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: {{a: {CANARY}\nb: 1\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: \"{CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: *{CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: !{CANARY}! b\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n\ta: {CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: \"\\q{CANARY}\"\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: {CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: [{CANARY}]\n"),
        format!("apiVersion: v1\nkind: Secret\nmetadata: {CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{a: [{CANARY}]}}\n"),
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"stringData\": {{\"a\": \"{CANARY}\" \"b\"}}}}\n"
        ),
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"stringData\": {{\"a\": {CANARY}}}}}\n"
        ),
        pod(
            "a",
            &format!("    env:\n    - {{name: DB_PASSWORD, value: [{CANARY}]}}\n"),
        ),
        pod(
            "a",
            &format!("    env:\n    - {{name: DB_PASSWORD, value: {{{CANARY}: 1}}}}\n"),
        ),
        pod(
            "a",
            &format!("    env:\n    - name: DB_PASSWORD\n      value: {{{{ \"{CANARY}\" }}}}\n"),
        ),
    ];
    for (number, text) in broken.iter().enumerate() {
        for format in FORMATS {
            let folder = Folder::of(&[
                ("a.yaml", text),
                ("b.json", text),
                ("pod.yaml", &pod("web", PRIVILEGED)),
            ]);
            let ran = folder.assess(&[".", "--format", format]);
            assert_eq!(
                leaks(&format!("{format} of broken document {number}"), &ran),
                None,
                "{text}"
            );
        }
    }
}

#[test]
fn mistakes_in_the_configuration_do_not_show_what_stands_there() {
    for text in [
        format!("whole: {CANARY}\n"),
        format!("fail-on: [{CANARY}]\n"),
        format!("kubernetes: {{a: {CANARY}}}\n"),
    ] {
        let folder = Folder::of(&[("seawall.yaml", &*text), ("pod.yaml", &pod("web", ""))]);
        let ran = folder.assess(&["."]);
        assert_eq!((ran.code, leaks("configuration", &ran)), (2, None));
    }
}
