//! What is read, in which form, and what the ledger says about the rest.

use std::fs;

use insta::assert_snapshot;

use crate::run::{DAY, Folder, Json, PRIVILEGED, pod, text};

const ONE: [&str; 2] = ["--guideline", "pss-privileged"];

fn read(files: &[(&str, &str)]) -> Json {
    Folder::of(files).json(&[&["."], &ONE[..]].concat())
}

fn ledger(files: &[(&str, &str)]) -> String {
    read(files).documents().join("\n")
}

#[test]
fn standard_input_holds_many_documents() {
    let folder = Folder::new();
    let text = format!("{}---\n{}---\na: [\n", pod("a", PRIVILEGED), pod("b", ""));
    let args = [
        &["assess", "-", "--as-of", DAY, "--format", "json"],
        &ONE[..],
    ]
    .concat();
    let report = folder.run_with(&args, text.as_bytes(), "".into()).json();
    assert_eq!(report.code, 1);
    assert_snapshot!(report.documents().join("\n"), @"
    -:1 assessed Pod shop a
    -:12 assessed Pod shop b
    -:24 unreadable line 24, column 1: a value is missing here
    ");
    assert_eq!(report.findings(), ["-:11 pss-privileged fail"]);
    let empty = folder.run_with(&args, b"", "".into());
    assert_eq!(empty.code, 3);
}

#[test]
fn standard_input_beside_files() {
    let folder = Folder::of(&[("pod.yaml", &pod("a", ""))]);
    let args = [
        &[
            "assess", "pod.yaml", "-", "--as-of", DAY, "--format", "json",
        ],
        &ONE[..],
    ]
    .concat();
    let report = folder
        .run_with(&args, pod("b", PRIVILEGED).as_bytes(), "".into())
        .json();
    assert_eq!((report.code, report.documents().len()), (1, 2));
}

#[test]
fn a_broken_document_between_good_ones() {
    let text = format!(
        "{}---\nmetadata:\n  name: x\n   labels: y\n---\n{}",
        pod("a", PRIVILEGED),
        pod("b", PRIVILEGED)
    );
    let report = read(&[("all.yaml", &text)]);
    assert_eq!(report.code, 1);
    assert_eq!(
        report.findings(),
        [
            "all.yaml:11 pss-privileged fail",
            "all.yaml:27 pss-privileged fail"
        ]
    );
    assert_snapshot!(report.documents().join("\n"), @"
    all.yaml:1 assessed Pod shop a
    all.yaml:15 unreadable line 15, column 10: `:` is not allowed here
    all.yaml:16 assessed Pod shop b
    ");
}

#[test]
fn every_kind_of_broken_text_has_its_place() {
    let broken = [
        ("alias.yaml", "a: 1\nb: *nothing\n"),
        ("bracket.yaml", "a: 1\nb: [1, 2\n"),
        ("brace.json", "{\"apiVersion\": \"v1\",\n \"kind\": }\n"),
        ("key.yaml", "a: 1\n? [b]\n: c\nkind: Pod\n"),
        ("quote.yaml", "a: 'one\nb: 2\n"),
        ("tab.yaml", "a:\n\tb: 1\n"),
        ("escape.yaml", "a: \"\\q\"\n"),
        ("indent.yaml", "a:\n    b: 1\n  c: 2\n"),
    ];
    let report = read(&broken);
    assert_eq!(report.code, 4);
    assert_snapshot!(report.documents().join("\n"), @r"
    alias.yaml:2 unreadable line 2, column 4: no anchor of that name stands above
    brace.json:1 unreadable line 1, column 1: `kind` is missing
    bracket.yaml:3 unreadable line 3, column 1: a `,` or `]` is missing in a `[…]` list; it began on line 2
    escape.yaml:1 unreadable line 1, column 5: an unknown escape follows `\` in double quotes
    indent.yaml:3 unreadable line 3, column 3: a key should stand here: the indentation fits nothing above; it began on line 1
    key.yaml:2 unreadable line 2, column 3: a key must be a single value, not a list or a map
    quote.yaml:1 unreadable line 1, column 4: the text that this quote begins does not end
    tab.yaml:2 unreadable line 2, column 1: a tab stands where YAML wants spaces
    ");
}

#[test]
fn kinds_that_nobody_judges_stand_in_the_ledger() {
    let files = [
        (
            "application.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop, namespace: argocd}\n",
        ),
        (
            "claim.yaml",
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: shop}\n",
        ),
        (
            "definition.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n",
        ),
        ("empty.yaml", "# nothing\n---\n\n"),
        ("notes.yaml", "- one\n- two\n"),
        ("pod.yaml", &pod("web", "")),
        (
            "rollout.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: shop}\nspec: {template: {spec: {containers: [{name: a, securityContext: {privileged: true}}]}}}\n",
        ),
        ("scalar.yaml", "just text\n"),
        ("values.yaml", "replicas: 2\n"),
    ];
    let report = read(&files);
    assert_eq!(report.code, 0);
    assert_snapshot!(report.documents().join("\n"), @"
    application.yaml:1 unknown-kind Application not a kind that seawall knows
    claim.yaml:1 not-relevant PersistentVolumeClaim no selected guideline is about this kind
    definition.yaml:1 not-relevant CustomResourceDefinition no selected guideline is about this kind
    notes.yaml:1 not-relevant not a Kubernetes object
    pod.yaml:1 assessed Pod shop web
    rollout.yaml:1 unknown-kind Rollout not a kind that seawall knows
    scalar.yaml:1 not-relevant not a Kubernetes object
    values.yaml:1 not-relevant not a Kubernetes object
    ");
    assert_eq!(report.value["coverage"]["totals"]["empty"], 1);
}

#[test]
fn templates_that_make_nothing_are_named() {
    assert_snapshot!(ledger(&[
        ("main.bicep", "param a string\n"),
        ("main.tf", "resource \"random_id\" \"b\" {}\n"),
        ("notes.md", "# kind: Pod\n"),
        ("pod.yaml", &pod("web", "")),
        ("web.yml", &pod("web", "")),
    ]), @"
    main.bicep:1 not-relevant it makes no Azure resource
    .:1 not-relevant it makes no Azure resource
    pod.yaml:1 assessed Pod shop web
    web.yml:1 assessed Pod shop web
    ");
}

#[test]
fn a_named_file_is_read_whatever_it_is_called() {
    let folder = Folder::of(&[
        ("manifest.txt", &pod("web", PRIVILEGED)),
        ("bare", &pod("web", PRIVILEGED)),
    ]);
    let report = folder.json(&[&["manifest.txt", "bare"], &ONE[..]].concat());
    assert_eq!(
        report.findings(),
        [
            "manifest.txt:11 pss-privileged fail",
            "bare:11 pss-privileged fail"
        ]
    );
}

#[test]
fn hidden_folders_are_read_and_ignored_ones_are_not() {
    let bad = pod("web", PRIVILEGED);
    let report = read(&[
        (".deploy/a.yaml", &bad),
        (".git/b.yaml", &bad),
        (".gitignore", "build/\n*.local.yaml\n"),
        ("build/c.yaml", &bad),
        ("d.local.yaml", &bad),
        ("deep/er/e.yaml", &bad),
    ]);
    assert_eq!(
        report.findings(),
        [
            ".deploy/a.yaml:11 pss-privileged fail",
            "deep/er/e.yaml:11 pss-privileged fail"
        ]
    );
    let folder = Folder::of(&[(".gitignore", "build/\n"), ("build/c.yaml", &bad)]);
    let named = folder.json(&[&["build/c.yaml"], &ONE[..]].concat());
    assert_eq!(named.code, 1, "what is named is read");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_read_and_circles_end() {
    use std::os::unix::fs::symlink;
    let folder = Folder::of(&[("real/pod.yaml", &pod("web", PRIVILEGED))]);
    symlink("real/pod.yaml", folder.path().join("link.yaml")).unwrap();
    symlink("..", folder.path().join("real/up")).unwrap();
    symlink("gone.yaml", folder.path().join("dangling.yaml")).unwrap();
    let report = folder.json(&[&["."], &ONE[..]].concat());
    assert_eq!(
        report.findings(),
        [
            "link.yaml:11 pss-privileged fail",
            "real/pod.yaml:11 pss-privileged fail"
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_opened_is_unreadable() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of(&[
        ("secret.yaml", &pod("web", "")),
        ("pod.yaml", &pod("web", "")),
    ]);
    let path = folder.path().join("secret.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        // The administrator may open everything; a folder in the place of a file fails for all.
        fs::remove_file(&path).unwrap();
        std::os::unix::net::UnixListener::bind(&path).unwrap();
        let named = folder.json(&[&["secret.yaml", "pod.yaml"], &ONE[..]].concat());
        assert_eq!(named.code, 4, "{:?}", named.documents());
        assert!(
            named.documents()[0].starts_with("secret.yaml:1 unreadable cannot be "),
            "{:?}",
            named.documents()
        );
        return;
    }
    let report = folder.json(&[&["."], &ONE[..]].concat());
    assert_eq!(report.code, 4);
    assert!(
        report.documents()[1].contains("unreadable cannot be opened"),
        "{:?}",
        report.documents()
    );
}

#[test]
fn bytes_that_are_no_text_are_unreadable() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", ""))]);
    let noise: Vec<u8> = (0..4096_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    folder.write("noise.yaml", &noise);
    folder.write("nulls.yaml", [0; 64]);
    folder.write("image.json", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR");
    folder.write("half.yaml", b"\xff\xfea\x00:\x00 \x00b");
    let report = folder.json(&[&["."], &ONE[..]].concat());
    assert_eq!(report.code, 4);
    assert_snapshot!(report.documents().join("\n"), @"
    half.yaml:1 unreadable line 1: the text is not valid UTF-16
    image.json:1 unreadable the file is a picture, not text
    noise.yaml:1 unreadable line 1: the text is not valid UTF-16
    nulls.yaml:1 unreadable the file is a binary file, not text
    pod.yaml:1 assessed Pod shop web
    ");
}

#[test]
fn what_the_api_server_would_refuse_is_unreadable() {
    let refused = [
        (
            "a.yaml",
            pod("web", "").replace("containers:", "containers: none\n  x:"),
        ),
        (
            "b.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n".to_owned(),
        ),
        (
            "c.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: [a]\nspec: {containers: [{name: a}]}\n"
                .to_owned(),
        ),
        (
            "d.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n".to_owned(),
        ),
        (
            "e.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: two}\n"
                .to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = refused
        .iter()
        .map(|(name, text)| (*name, &**text))
        .collect();
    let report = read(&files);
    assert_eq!(report.code, 4);
    assert_snapshot!(report.documents().join("\n"), @"
    a.yaml:7 unreadable Pod shop web line 7, column 15: `spec.containers` must be a list, not a string
    b.yaml:2 unreadable Pod a line 2, column 7: `spec` is missing
    c.yaml:3 unreadable Pod  line 3, column 11: `metadata` must be a map
    d.yaml:4 unreadable Pod a line 4, column 7: `spec.containers` is missing or empty
    e.yaml:4 unreadable Deployment a line 4, column 18: `spec.replicas` must be an integer, not a string
    ");
}

#[test]
fn an_empty_list_and_a_null_one_are_nothing() {
    assert_snapshot!(ledger(&[
        ("empty.yaml", "apiVersion: v1\nkind: List\nitems: []\n"),
        ("null.yaml", "apiVersion: v1\nkind: PodList\nitems: null\n"),
        ("text.yaml", "apiVersion: v1\nkind: PodList\nitems: none\n"),
        ("pod.yaml", &pod("web", "")),
    ]), @"
    empty.yaml:1 not-relevant List an empty list
    null.yaml:1 not-relevant PodList an empty list
    pod.yaml:1 assessed Pod shop web
    text.yaml:1 unreadable PodList line 1, column 1: `items` must be a list
    ");
}

#[test]
fn a_templates_parameter_file_is_known_as_such() {
    let report = read(&[
        (
            "aks.parameters.json",
            "{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\", \"parameters\": {}}\n",
        ),
        ("package.json", "{\"name\": \"web\"}\n"),
        ("pod.yaml", &pod("web", "")),
    ]);
    assert_eq!(report.code, 0);
    assert_snapshot!(report.documents().join("\n"), @"
    aks.parameters.json:1 not-relevant a parameter file
    package.json:1 not-relevant not a Kubernetes object
    pod.yaml:1 assessed Pod shop web
    ");
}

#[test]
fn what_has_parameters_of_its_own_is_deployed_by_itself() {
    let folder = Folder::of(&[
        (
            "main.bicep",
            "param local bool\nresource aks 'Microsoft.ContainerService/managedClusters@2025-10-01' = {\n  name: 'shop'\n  location: 'westeurope'\n  properties: {\n    disableLocalAccounts: !local\n  }\n}\n",
        ),
        // Whoever tries it calls it too, and has none of its parameters.
        (
            "main.test.bicep",
            "module main 'main.bicep' = {\n  name: 'main'\n  params: {\n    local: false\n  }\n}\n",
        ),
        (
            "main.parameters.json",
            "{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\", \"parameters\": {\"local\": {\"value\": true}}}\n",
        ),
    ]);
    let report = folder.json(&[".", "--guideline", "api-local-accounts-off"]);
    let findings = report.list("/findings");
    assert_eq!(report.code, 1, "{:#}", report.value);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let place = findings[0].pointer("/locations/0/path").unwrap();
    assert_eq!(place, "main.bicep", "{findings:#?}");
    assert_eq!(report.value["coverage"]["totals"]["unresolved"], 0);
}

#[test]
fn arm_templates_may_hold_comments_and_children() {
    let template = r#"{
  // the cluster
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "resources": [
    {
      "type": "Microsoft.ContainerService/managedClusters", /* AKS */
      "apiVersion": "2025-10-01",
      "name": "[format('{0}-aks', 'shop')]",
      "properties": {"disableLocalAccounts": true},
      "resources": [{"type": "agentPools", "apiVersion": "2025-10-01", "name": "user", "properties": {}}]
    },
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "more", "properties": {}}
  ]
}
"#;
    let folder = Folder::of(&[("aks.json", template)]);
    let report = folder.json(&["aks.json", "--guideline", "api-local-accounts-off"]);
    assert_eq!(report.code, 4, "a deployment says what it deploys");
    assert_snapshot!(report.documents().join("\n"), @"
    aks.json:6 assessed Microsoft.ContainerService/managedClusters shop-aks
    aks.json:10 assessed Microsoft.ContainerService/managedClusters/agentPools shop-aks/user
    aks.json:12 unresolved line 12, column 107: the deployment has no template
    ");
}

#[test]
fn huge_and_deep_input_ends_soon_and_is_named() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", ""))]);
    folder.write(
        "large.yaml",
        format!(
            "a: {}\n---\n{}",
            "x".repeat(33 << 20),
            pod("web", PRIVILEGED)
        ),
    );
    folder.write(
        "deep.json",
        format!(
            "{{\"kind\": \"Pod\", \"spec\": {}{}}}",
            "[".repeat(200_000),
            "]".repeat(200_000)
        ),
    );
    folder.write(
        "anchors.yaml",
        (0..200_000)
            .map(|number| format!("- &a{number} x\n"))
            .collect::<String>(),
    );
    let started = std::time::Instant::now();
    let report = folder.json(&[&["."], &ONE[..]].concat());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    assert_eq!(
        (report.code, report.findings()),
        (1, vec!["large.yaml:13 pss-privileged fail".to_owned()])
    );
    let unreadable = report
        .list("/coverage/documents")
        .iter()
        .filter(|entry| entry["status"] == "unreadable");
    let paths: Vec<&str> = unreadable.map(|entry| text(&entry["path"])).collect();
    assert_eq!(paths, ["anchors.yaml", "deep.json", "large.yaml"]);
}

#[test]
fn every_document_is_in_the_ledger_once() {
    let mut all = String::new();
    for number in 0..5000 {
        all.push_str(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\n---\n"
        ));
    }
    let report = read(&[("all.yaml", &all), ("pod.yaml", &pod("web", ""))]);
    assert_eq!(report.documents().len(), 5001);
    let indices: Vec<u64> = report
        .list("/coverage/documents")
        .iter()
        .take(5000)
        .map(|entry| entry["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indices, (0..5000).collect::<Vec<_>>());
}
