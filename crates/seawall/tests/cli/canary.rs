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

fn leak(what: &str, text: &str) -> Option<String> {
    let line = text.lines().find(|line| {
        let lower = line.to_ascii_lowercase();
        lower.contains(&CANARY.to_ascii_lowercase()) || line.contains(ENCODED)
    })?;
    Some(format!("{what}: {line}"))
}

fn leaks(what: &str, ran: &Ran) -> Option<String> {
    leak(what, &ran.out).or_else(|| leak(what, &ran.err))
}

/// What one run writes in every format, of which none may be short or show the secret.
fn nothing_leaks(what: &str, folder: &Folder, args: &[&str], least: usize) {
    let reports = Folder::new();
    let of = |format: &str| reports.path().join(format);
    let formats: Vec<String> = FORMATS
        .iter()
        .map(|format| format!("--format={format}={}", of(format).display()))
        .collect();
    let formats: Vec<&str> = formats.iter().map(String::as_str).collect();
    let ran = folder.assess(&[args, &formats].concat());
    assert_eq!(leaks(what, &ran), None);
    for format in FORMATS {
        let report = std::fs::read_to_string(of(format)).unwrap_or_default();
        assert!(report.len() > least, "{format} of {what}: {}", ran.err);
        assert_eq!(leak(&format!("{format} of {what}"), &report), None);
    }
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
    folder.write(
        "noted.yaml",
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: g\n  namespace: shop\n  annotations:\n    note: {CANARY}\n    example.com/was: one {CANARY}\ntype: Opaque\n"),
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
        "    args: [--password={CANARY}, --user, shop]\n  - name: b\n    image: b\n    args: [--password, {CANARY}, --x]\n  - name: c\n    image: b\n    command:\n    - run\n    - --client-secret\n    - {CANARY}\n  - name: d\n    image: b\n    command: [sh, -c, \"login --password {CANARY}\"]\n  - name: e\n    image: b\n    command: [sh, -c, \"curl -fsS -u shop:{CANARY} https://a\"]\n  - name: f\n    image: b\n    command: [curl, -u, \"shop:{CANARY}\", https://a]\n"
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
        let what = format!("{more:?}");
        nothing_leaks(&what, &folder, &[&["."], more].concat(), 500);
    }
}

/// Templates with a secret wherever one can be written down.
fn templates() -> Folder {
    let folder = Folder::new();
    folder.write(
        "bicep/main.bicep",
        format!(
            "@secure()\nparam given string\n@secure()\nparam pw string = '{CANARY}'\n@secure()\nparam either string = true ? '{CANARY}' : 'x{CANARY}'\nparam adminPassword string = '{CANARY}'\nparam open bool\nvar derived = '${{pw}}-${{given}}'\nvar number = int(adminPassword)\nresource aks 'Microsoft.ContainerService/managedClusters@2025-10-01' = {{\n  name: derived\n  location: 'westeurope'\n  properties: {{\n    disableLocalAccounts: open\n    windowsProfile: {{ adminUsername: 'a', adminPassword: adminPassword }}\n    servicePrincipalProfile: {{ clientId: 'x', secret: '{CANARY}' }}\n  }}\n}}\nresource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {{\n  name: 'v${{number}}'\n  location: 'westeurope'\n  properties: {{ tenantId: tenant().tenantId, sku: {{ family: 'A', name: 'standard' }} }}\n  resource one 'secrets' = {{ name: 'one', properties: {{ value: '{CANARY}' }} }}\n}}\nresource named 'Microsoft.KeyVault/vaults@2023-07-01' = {{\n  name: 'kv${{toLower(adminPassword)}}'\n  location: 'westeurope'\n  properties: {{ tenantId: tenant().tenantId, sku: {{ family: 'A', name: 'standard' }} }}\n}}\nresource named2 'Microsoft.KeyVault/vaults@2023-07-01' = {{\n  name: 'kv${{adminPassword}}'\n  location: 'westeurope'\n  properties: {{ tenantId: tenant().tenantId, sku: {{ family: 'A', name: 'standard' }} }}\n}}\nresource script 'Microsoft.Resources/deploymentScripts@2023-08-01' = {{\n  name: 's'\n  location: 'westeurope'\n  kind: 'AzureCLI'\n  properties: {{ azCliVersion: '2.60.0', retentionInterval: 'P1D', scriptContent: 'az login -p {CANARY}' }}\n}}\nmodule inner 'inner.bicep' = {{ name: 'i', params: {{ secret: '{CANARY}', adminPassword: '{CANARY}' }} }}\noutput shown string = derived\noutput plain string = adminPassword\n"
        ),
    );
    folder.write(
        "bicep/inner.bicep",
        format!("@secure()\nparam secret string = '{CANARY}'\nparam adminPassword string\noutput o string = '${{secret}}${{adminPassword}}'\n"),
    );
    folder.write(
        "bicep/main.parameters.json",
        format!("{{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\", \"parameters\": {{\"open\": {{\"value\": false}}, \"given\": {{\"value\": \"{CANARY}\"}}, \"gonePassword\": {{\"value\": \"{CANARY}\"}}}}}}\n"),
    );
    folder.write(
        "tf/main.tf",
        format!("variable \"pw\" {{\n  type      = string\n  sensitive = true\n  default   = \"{CANARY}\"\n}}\nvariable \"given\" {{\n  sensitive = true\n}}\nvariable \"open\" {{\n  type = bool\n}}\nlocals {{\n  broken = {{ x = 1 }}[var.pw]\n}}\nresource \"azurerm_resource_group\" \"a\" {{\n  name     = \"rg-${{var.pw}}\"\n  location = \"westeurope\"\n}}\nresource \"azurerm_kubernetes_cluster\" \"a\" {{\n  name                   = var.given\n  location               = local.broken\n  resource_group_name    = azurerm_resource_group.a.name\n  local_account_disabled = var.open\n  default_node_pool {{\n    name    = \"p\"\n    vm_size = \"Standard_D4s_v5\"\n  }}\n  windows_profile {{\n    admin_username = \"a\"\n    admin_password = \"{CANARY}\"\n  }}\n}}\noutput \"o\" {{\n  value = var.pw\n}}\n"),
    );
    folder.write(
        "tf/a.auto.tfvars.json",
        format!("{{\"open\": false, \"given\": \"{CANARY}\", \"gone_password\": \"{CANARY}\"}}\n"),
    );
    folder.write(
        "plan.json",
        format!("{{\"format_version\":\"1.2\",\"terraform_version\":\"1.11.4\",\"variables\":{{\"pw\":{{\"value\":\"{CANARY}\"}}}},\"planned_values\":{{\"root_module\":{{\"resources\":[{{\"address\":\"azurerm_kubernetes_cluster.k\",\"mode\":\"managed\",\"type\":\"azurerm_kubernetes_cluster\",\"name\":\"k\",\"values\":{{\"name\":\"k\",\"location\":\"x\",\"local_account_disabled\":false,\"dns_prefix\":\"{CANARY}\"}},\"sensitive_values\":{{\"dns_prefix\":true}}}}]}}}}}}\n"),
    );
    folder
}

#[test]
fn a_secret_in_a_template_is_in_no_report() {
    let folder = templates();
    nothing_leaks("templates", &folder, &[".", "--fail-on", "none"], 500);
    let ran = folder.run(&[
        "template",
        "expand",
        "bicep/main.bicep",
        "--parameters",
        "bicep/main.parameters.json",
    ]);
    assert!(ran.out.contains("managedClusters"), "{}", ran.err);
    assert_eq!(leaks("template expand", &ran), None);
}

/// The lines of a snapshot.
fn unpacked(folder: &Folder, name: &str) -> Ran {
    let gzip = std::process::Command::new("gzip")
        .arg("-dc")
        .arg(folder.path().join(name))
        .output()
        .unwrap();
    assert!(gzip.status.success());
    Ran {
        code: 0,
        out: String::from_utf8(gzip.stdout).unwrap(),
        err: String::new(),
    }
}

#[test]
fn a_secret_is_in_no_snapshot_and_is_reported_from_it_all_the_same() {
    let folder = estate();
    let ran = folder.run(&["snapshot", ".", "-o", "kept.snapshot"]);
    assert_eq!(
        (ran.code, leaks("snapshot", &ran)),
        (0, None),
        "{}",
        ran.err
    );
    let kept = unpacked(&folder, "kept.snapshot");
    assert!(kept.out.len() > 5000);
    assert_eq!(leaks("the snapshot", &kept), None);
    let select = |args: &[&str]| {
        let own = [
            "--guideline",
            "sec-no-plain-secrets",
            "--guideline",
            "sec-no-secret-manifest-in-git",
        ];
        folder.json(&[args, &own].concat()).findings()
    };
    let files = select(&["."]);
    assert!(files.len() > 8);
    assert_eq!(files, select(&["--snapshot", "kept.snapshot"]));
    nothing_leaks(
        "the snapshot",
        &folder,
        &["--snapshot", "kept.snapshot"],
        500,
    );
}

#[test]
fn a_secret_of_a_template_is_in_no_snapshot() {
    let folder = templates();
    let ran = folder.run(&["snapshot", ".", "-o", "kept.snapshot"]);
    assert_eq!(leaks("snapshot", &ran), None);
    let kept = unpacked(&folder, "kept.snapshot");
    assert!(kept.out.contains("managedClusters"));
    assert_eq!(leaks("the snapshot", &kept), None);
}

#[test]
fn a_secret_is_in_no_comparison() {
    let folder = estate();
    let other = estate();
    // Everything differs, and everything that differs holds the secret.
    for name in [
        "env.yaml",
        "args.yaml",
        "config.yaml",
        "annotation.yaml",
        "noted.yaml",
        "aks.json",
    ] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        other.write(name, text.replace(CANARY, &format!("{CANARY}{CANARY}")));
    }
    let other = other.path().to_str().unwrap().to_owned();
    for format in ["text", "json", "markdown"] {
        let ran = folder.run(&["diff", ".", &other, "--format", format]);
        assert!(ran.out.len() > 200, "{format}: {}", ran.err);
        assert_eq!(leaks(&format!("diff as {format}"), &ran), None);
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
        let folder = Folder::of(&[
            ("a.yaml", text),
            ("b.json", text),
            ("pod.yaml", &pod("web", PRIVILEGED)),
        ]);
        let what = format!("broken document {number}");
        nothing_leaks(&what, &folder, &["."], 100);
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

#[test]
fn a_secret_of_a_template_is_in_no_comparison() {
    let folder = templates();
    let other = templates();
    for name in [
        "bicep/main.bicep",
        "bicep/inner.bicep",
        "tf/main.tf",
        "plan.json",
    ] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        other.write(name, text.replace(CANARY, &format!("{CANARY}{CANARY}")));
    }
    let other = other.path().to_str().unwrap().to_owned();
    for format in ["text", "json", "markdown"] {
        let ran = folder.run(&["diff", ".", &other, "--format", format]);
        assert_eq!(leaks(&format!("diff as {format}"), &ran), None);
    }
}

/// What is kept of a Secret is equal to the Secret as far as anybody may see.
#[test]
fn a_snapshot_equals_what_it_was_taken_of() {
    let folder = estate();
    folder.run(&["snapshot", ".", "-o", "kept.snapshot"]);
    let ran = folder.run(&["diff", ".", "kept.snapshot"]);
    assert!(!ran.out.contains("Secret shop/g"), "{}", ran.out);
    let kept = unpacked(&folder, "kept.snapshot");
    assert!(kept.out.contains("example.com/was"), "keys are kept");
}
