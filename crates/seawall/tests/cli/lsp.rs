//! `lsp`, driven by Microsoft's client of the protocol: what an editor shows is what `assess` says, and what it does
//! is what `fix` writes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{DAY, Folder, PRIVILEGED, pod, repository, text};

/// What an editor of today can do.
fn modern() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {
            "publishDiagnostics": {"relatedInformation": true, "versionSupport": true, "dataSupport": true},
            "codeAction": {
                "dataSupport": true,
                "disabledSupport": true,
                "resolveSupport": {"properties": ["edit"]},
            },
        },
        "workspace": {"workspaceEdit": {"documentChanges": true}},
    })
}

/// Plays steps in a folder: what came of each.
fn play(folder: &Folder, steps: &[Value]) -> Vec<Value> {
    play_with(folder, &modern(), &[], steps)
}

fn play_with(folder: &Folder, capabilities: &Value, args: &[&str], steps: &[Value]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/lsp/main.js");
    let mut child = Command::new("node")
        .arg(script)
        .arg(oracle::fixture("lsp").unwrap())
        .arg(oracle::fixture("lsp-texts").unwrap())
        .arg(folder.path())
        .arg(env!("CARGO_BIN_EXE_seawall"))
        .args(["lsp", "--as-of", DAY])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = json!({"capabilities": capabilities, "steps": steps}).to_string();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(said.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["code"], 0, "an orderly end");
    assert_eq!(answer["abilities"]["positionEncoding"], "utf-16");
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), steps.len());
    results.clone()
}

fn open(path: &str, text: &str) -> Value {
    let language = Path::new(path).extension().unwrap().to_str().unwrap();
    let language = match language {
        "yml" => "yaml",
        "tf" => "terraform",
        "md" => "markdown",
        other => other,
    };
    json!({"do": "open", "path": path, "text": text, "language": language})
}

fn diagnostics(path: &str) -> Value {
    json!({"do": "diagnostics", "path": path})
}

fn act(path: &str, code: &str, title: &str) -> Value {
    json!({"do": "act", "path": path, "code": code, "title": title})
}

/// Line, columns, guideline and message of each, in order. Lines and columns are as reports count them.
fn shown(diagnostics: &Value) -> Vec<String> {
    let place = |place: &Value| {
        let (line, character) = (&place["line"], &place["character"]);
        format!(
            "{}:{}",
            line.as_u64().unwrap() + 1,
            character.as_u64().unwrap() + 1
        )
    };
    let mut all: Vec<String> = diagnostics
        .as_array()
        .unwrap_or_else(|| panic!("{diagnostics}"))
        .iter()
        .map(|one| {
            let (start, end) = (place(&one["range"]["start"]), place(&one["range"]["end"]));
            format!(
                "{start}-{end} {} {}",
                text(&one["code"]),
                text(&one["message"])
            )
        })
        .collect();
    all.sort();
    all
}

/// The same of what `assess` says of a file given alone.
fn assessed(folder: &Folder, path: &str) -> Vec<String> {
    assessed_at(folder, path, path)
}

/// What it says of a file when another is given.
fn assessed_at(folder: &Folder, given: &str, path: &str) -> Vec<String> {
    let report = folder.json(&[given]);
    let counts = |finding: &&Value| {
        finding["waiver"].is_null()
            && finding["providerManaged"] == false
            && finding["locations"][0]["path"] == path
    };
    let mut all: Vec<String> = report
        .list("/findings")
        .iter()
        .filter(counts)
        .map(|finding| {
            let at = &finding["locations"][0];
            // Of what cannot be told, what that would be: a list of problems has no headings.
            let what = match text(&finding["verdict"]) {
                "unknown" => format!("{}: ", text(&finding["title"])),
                _ => String::new(),
            };
            format!(
                "{}:{}-{}:{} {} {what}{}",
                at["line"],
                at["column"],
                at["endLine"],
                at["endColumn"],
                text(&finding["guideline"]),
                text(&finding["message"])
            )
        })
        .collect();
    all.sort();
    all
}

/// A copy of a folder of examples, as a repository.
fn copied(from: &str) -> Folder {
    fn copy(from: &Path, below: &str, to: &Folder) {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                copy(&entry.path(), &format!("{name}/"), to);
            } else {
                to.write(&name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let folder = Folder::new();
    copy(&repository(from), "", &folder);
    folder.write(".git/HEAD", "");
    folder
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn an_editor_shows_what_assess_says() {
    let folder = copied("examples/aks-store");
    let files = [
        "shop/storefront.yaml",
        "base/rbac.yaml",
        "workers/reports.yaml",
        "base/network-policies.yaml",
        "infra/bicep/main.bicep",
        "infra/bicep/modules/cluster.bicep",
        "infra/terraform/cluster.tf",
        "infra/terraform/services.tf",
    ];
    for path in files {
        // What the file holds on disk must not matter: only what is open.
        let said = assessed(&folder, path);
        let now = read(&folder, path);
        let results = play(&folder, &[open(path, &now), diagnostics(path)]);
        assert_eq!(shown(&results[1]), said, "{path}");
        if !path.contains("network-policies") {
            assert!(!said.is_empty(), "{path}");
        }
    }
}

#[test]
fn what_is_open_counts_and_not_what_is_on_disk() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", ""))]);
    let privileged = pod("web", PRIVILEGED);
    let results = play(
        &folder,
        &[
            open("pod.yaml", &privileged),
            diagnostics("pod.yaml"),
            json!({"do": "close", "path": "pod.yaml"}),
        ],
    );
    assert!(
        shown(&results[1])
            .iter()
            .any(|one| one.contains("pss-privileged"))
    );
    assert_eq!(results[2], json!([]));
}

#[test]
fn modules_are_read_as_they_are_open() {
    let (main, module) = (
        "infra/bicep/main.bicep",
        "infra/bicep/modules/cluster.bicep",
    );
    let folder = copied("examples/aks-store");
    let before = read(&folder, module);
    let after = before.replace("disableLocalAccounts: false", "disableLocalAccounts: true");
    let steps = [
        open(main, &read(&folder, main)),
        open(module, &after),
        json!({"do": "diagnostics", "path": module, "times": 2}),
    ];
    let results = play(&folder, &steps);
    // As assess says it of both, once it is saved.
    let saved = copied("examples/aks-store");
    saved.write(module, &after);
    let mut said = assessed_at(&saved, main, module);
    said.extend(assessed(&saved, module));
    said.sort();
    said.dedup();
    assert_eq!(shown(&results[2]), said);
    let local = |all: &[String]| all.iter().any(|one| one.contains("api-local-accounts-off"));
    assert!(!local(&said) && local(&assessed_at(&folder, main, module)));
}

#[test]
fn what_an_editor_gives_up_is_not_worked_out() {
    let text = pod("web", PRIVILEGED);
    let folder = Folder::of(&[("pod.yaml", &text)]);
    let ask = json!({"do": "cancel", "path": "pod.yaml", "code": "pss-privileged"});
    let results = play(&folder, &[open("pod.yaml", &text), ask]);
    // `RequestCancelled`; who asked before is answered.
    assert_eq!(results[1]["code"], -32800, "{}", results[1]);
    assert!(results[1]["others"].as_u64().unwrap() > 0, "{}", results[1]);
}

#[test]
fn edits_are_those_of_fix() {
    let bicep = "infra/bicep/modules/cluster.bicep";
    for path in ["shop/orders.yaml", "workers/fulfilment.yaml", bicep] {
        let folder = copied("examples/aks-store");
        let before = read(&folder, path);
        let results = play(
            &folder,
            &[
                open(path, &before),
                json!({"do": "act", "path": path, "only": ["source.fixAll"]}),
            ],
        );
        let texts: BTreeMap<String, Option<String>> =
            serde_json::from_value(results[1].clone()).unwrap_or_default();
        let ran = folder.run(&["fix", "--as-of", DAY, path, "--write"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        // Files that the edit does not name stay as they are.
        assert!(!texts.is_empty(), "{path}: {}", results[1]);
        for (name, text) in &texts {
            assert_eq!(text.as_deref(), Some(&*read(&folder, name)), "{name}");
        }
        let fresh = copied("examples/aks-store");
        for file in oracle::texts_below(folder.path())
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
        {
            let is_same =
                fs::read(folder.path().join(&file)).ok() == fs::read(fresh.path().join(&file)).ok();
            let named = texts.keys().any(|name| Path::new(name) == Path::new(&file));
            assert!(is_same || named, "{} is written by fix alone", file);
        }
    }
}

#[test]
fn one_finding_is_fixed_as_fix_does_it() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", PRIVILEGED))]);
    let before = read(&folder, "pod.yaml");
    let results = play(
        &folder,
        &[
            open("pod.yaml", &before),
            json!({"do": "actions", "path": "pod.yaml", "code": "pss-privileged"}),
            act("pod.yaml", "pss-privileged", "privileged"),
        ],
    );
    let offered = results[1].to_string();
    assert!(offered.contains("(may break a workload)"), "{offered}");
    assert!(
        offered.contains("waive `pss-privileged` until 2027-02-21: say why"),
        "{offered}"
    );
    let args = [
        "fix",
        "--as-of",
        DAY,
        ".",
        "--guideline",
        "pss-privileged",
        "--write",
        "--unsafe",
    ];
    assert_eq!(folder.run(&args).code, 0);
    assert_eq!(results[2]["pod.yaml"], read(&folder, "pod.yaml"));
    // An editor that knows less gets the edits at once, by file.
    let fresh = Folder::of(&[("pod.yaml", &before)]);
    let old = json!({});
    let steps = [
        open("pod.yaml", &before),
        act("pod.yaml", "pss-privileged", "privileged"),
    ];
    let results = play_with(&fresh, &old, &[], &steps);
    assert_eq!(results[1]["pod.yaml"], read(&folder, "pod.yaml"));
}

#[test]
fn a_configuration_is_fixed_as_fix_does_it() {
    let main = "resource \"azurerm_kubernetes_cluster\" \"shop\" {\n  name = \"shop\"\n  location = \"westeurope\"\n  resource_group_name = \"rg-shop\"\n  dns_prefix = \"shop\"\n  local_account_disabled = false # yet\n  default_node_pool {\n    name = \"system\"\n    vm_size = \"Standard_D4s_v5\"\n  }\n  identity {\n    type = \"SystemAssigned\"\n  }\n}\n";
    let folder = Folder::of(&[("main.tf", main)]);
    let code = "api-local-accounts-off";
    let results = play(
        &folder,
        &[open("main.tf", main), act("main.tf", code, "set ")],
    );
    let args = [
        "fix",
        "--as-of",
        DAY,
        "main.tf",
        "--guideline",
        code,
        "--write",
        "--unsafe",
    ];
    assert_eq!(folder.run(&args).code, 0);
    assert_ne!(read(&folder, "main.tf"), main);
    assert_eq!(results[1]["main.tf"], read(&folder, "main.tf"));
}

#[test]
fn a_waiver_is_put_where_it_covers_its_finding() {
    let folder = Folder::of(&[
        ("pod.yaml", &pod("web", PRIVILEGED)),
        (
            "role.yaml",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules:\n- {apiGroups: ['*'], resources: ['*'], verbs: ['*']}\n",
        ),
    ]);
    for (path, code) in [
        ("pod.yaml", "pss-privileged"),
        ("role.yaml", "rbac-no-wildcards"),
    ] {
        let before = read(&folder, path);
        let said = assessed(&folder, path);
        let results = play(&folder, &[open(path, &before), act(path, code, "waive")]);
        let after = text(&results[1][path]).to_owned();
        assert!(
            after.contains(&format!(
                "# seawall: waive {code} until 2027-02-21 because "
            )),
            "{}",
            results[1]
        );
        // It holds once somebody says why.
        folder.write(path, after.replace("because ", "because it is measured"));
        let report = folder.json(&[path]);
        let waived = report.waived();
        assert!(waived.iter().all(|one| one.contains(code)), "{waived:?}");
        assert!(!waived.is_empty());
        assert_eq!(
            report.findings().len() + waived.len(),
            said.len(),
            "nothing else is gone or new"
        );
        // Until then it is not honoured, and that is said.
        folder.write(path, &after);
        assert!(
            folder
                .json(&[path])
                .findings()
                .iter()
                .any(|one| one.contains("waiver-current"))
        );
    }
}

#[test]
fn places_hold_over_edits_with_astral_characters() {
    let folder = Folder::of(&[("pod.yaml", "")]);
    let before = pod("web", PRIVILEGED).replace("namespace: shop", "namespace: shop # 𝒳é🏖");
    let place = |line: u32, character: u32| json!({"line": line, "character": character});
    let edit = |from: Value, to: Value, text: &str| json!({"range": {"start": from, "end": to}, "text": text});
    let results = play(
        &folder,
        &[
            open("pod.yaml", &before),
            json!({"do": "change", "path": "pod.yaml", "changes": [
                // Behind the beach, which counts two.
                edit(place(4, 25), place(4, 25), "🏝 more"),
                edit(place(4, 20), place(4, 22), "𝒴"),
                edit(place(10, 18), place(10, 22), "false"),
                edit(place(6, 0), place(6, 0), "  hostPID: true # 🏖\n"),
            ]}),
            diagnostics("pod.yaml"),
        ],
    );
    let after = text(&results[1]["text"]);
    assert!(after.contains("shop # 𝒴é🏖🏝 more"), "{after}");
    assert!(after.contains("privileged: false"), "{after}");
    // The server has the same text: it says of it what is said of the file.
    folder.write("pod.yaml", after);
    assert_eq!(shown(&results[2]), assessed(&folder, "pod.yaml"));
}

#[test]
fn columns_count_units_of_utf_16() {
    let folder = Folder::of(&[("pod.yaml", "")]);
    let text = pod("web", "    securityContext: {a: 🏖🏖, privileged: true}\n");
    let results = play(&folder, &[open("pod.yaml", &text), diagnostics("pod.yaml")]);
    let found = results[1].as_array().unwrap();
    let found = found
        .iter()
        .find(|one| one["code"] == "pss-privileged")
        .unwrap();
    let line = text.lines().nth(9).unwrap();
    let at = line.find("true").unwrap_or_default();
    let units = line[..at].encode_utf16().count();
    assert_eq!(
        found["range"]["start"],
        json!({"line": 9, "character": units}),
        "{found}"
    );
}

#[test]
fn what_is_broken_while_typing_is_said_and_the_rest_stays() {
    let whole = format!("{}---\n{}", pod("one", PRIVILEGED), pod("two", PRIVILEGED));
    let folder = Folder::of(&[("pods.yaml", &whole)]);
    let place = |line: u32, character: u32| json!({"line": line, "character": character});
    let results = play(
        &folder,
        &[
            open("pods.yaml", &whole),
            diagnostics("pods.yaml"),
            json!({"do": "change", "path": "pods.yaml", "changes": [
                {"range": {"start": place(3, 0), "end": place(3, 0)}, "text": "  labels: {app: \n"},
            ]}),
            diagnostics("pods.yaml"),
            json!({"do": "change", "path": "pods.yaml", "changes": [
                {"range": {"start": place(3, 0), "end": place(4, 0)}, "text": ""},
            ]}),
            diagnostics("pods.yaml"),
        ],
    );
    let (first, broken, mended) = (shown(&results[1]), shown(&results[3]), shown(&results[5]));
    assert_eq!(mended, first);
    let errors: Vec<&Value> = results[3]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"].is_null())
        .collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["severity"], 1);
    // The second document is where it was, a line lower.
    let of_second = |all: &[String]| {
        all.iter()
            .filter(|one| one.contains("pss-privileged"))
            .count()
    };
    assert_eq!(
        (of_second(&first), of_second(&broken)),
        (2, 1),
        "{broken:?}"
    );
}

#[test]
fn what_is_no_file_yet_is_judged_too() {
    let folder = Folder::new();
    let results = play(
        &folder,
        &[
            open("new.yaml", &pod("web", PRIVILEGED)),
            diagnostics("new.yaml"),
            open("notes.json", "{ // not ours\n}"),
            open("ci.yaml", "jobs: [\n"),
            diagnostics("ci.yaml"),
        ],
    );
    folder.write("new.yaml", pod("web", PRIVILEGED));
    assert_eq!(shown(&results[1]), assessed(&folder, "new.yaml"));
    assert_eq!(results[4], json!([]));
}

#[test]
fn one_file_is_not_everything_whatever_its_folder_says() {
    let folder = Folder::new();
    folder.write("seawall.yaml", "whole: true\n");
    folder.write("shop/pod.yaml", pod("web", PRIVILEGED));
    let results = play(
        &folder,
        &[
            open("shop/pod.yaml", &pod("web", PRIVILEGED)),
            diagnostics("shop/pod.yaml"),
            open("shop/new.yaml", &pod("new", PRIVILEGED)),
            diagnostics("shop/new.yaml"),
        ],
    );
    for result in [&results[1], &results[3]] {
        let said = shown(result);
        assert!(said.iter().any(|line| line.contains("pss-privileged")));
        assert!(
            said.iter()
                .any(|line| line.contains("what was given may not be everything")),
            "{said:#?}"
        );
    }
    assert_eq!(shown(&results[1]), assessed(&folder, "shop/pod.yaml"));
}

#[test]
fn templates_of_charts_are_not_judged_as_they_stand() {
    let template = "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n";
    let folder = Folder::of(&[
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 0.1.0\n",
        ),
        ("chart/templates/pod.yaml", template),
    ]);
    let path = "chart/templates/pod.yaml";
    let results = play(&folder, &[open(path, template), diagnostics(path)]);
    let all = results[1].as_array().unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0]["message"],
        "this is not judged as it stands: `seawall assess chart` judges what is rendered"
    );
    assert_eq!(all[0]["severity"], 3);
}

#[test]
fn the_guideline_is_shown_where_the_pointer_rests() {
    let folder = Folder::of(&[
        ("pod.yaml", &pod("web", PRIVILEGED)),
        ("seawall.yaml", "severities:\n  pss-privileged: low\n"),
    ]);
    let results = play(
        &folder,
        &[
            open("pod.yaml", &pod("web", PRIVILEGED)),
            diagnostics("pod.yaml"),
            json!({"do": "hover", "path": "pod.yaml", "position": {"line": 10, "character": 19}}),
            json!({"do": "hover", "path": "pod.yaml", "position": {"line": 5, "character": 0}}),
            open("seawall.yaml", "severities:\n  pss-privileged: none\n"),
            diagnostics("seawall.yaml"),
            json!({"do": "hover", "path": "seawall.yaml", "position": {"line": 1, "character": 5}}),
        ],
    );
    for page in [&results[2], &results[6]] {
        let page = text(&page["page"]);
        assert!(
            page.starts_with("**Containers are not privileged**"),
            "{page}"
        );
        assert!(page.contains("**How to mend it**"), "{page}");
    }
    assert!(
        text(&results[5][0]["message"]).contains("pss-privileged"),
        "{}",
        results[5]
    );
    assert_eq!(results[5][0]["range"]["start"]["line"], 1);
}

#[test]
fn pages_of_a_guide_are_compiled_and_their_examples_run() {
    let folder = copied("guide");
    let path = "workloads/pod-security/pss-privileged.md";
    let page = read(&folder, path);
    let broken = page.replacen("```cel\n", "```cel\nnone(\n", 1);
    let wrong = page.replacen("# finding: ", "# finding: not ", 1);
    assert!(page != broken && page != wrong);
    let change = |text: &str| json!({"do": "change", "path": path, "changes": [{"text": text}]});
    let results = play(
        &folder,
        &[
            open(path, &page),
            diagnostics(path),
            change(&broken),
            diagnostics(path),
            change(&wrong),
            diagnostics(path),
        ],
    );
    assert_eq!(results[1], json!([]));
    // Its folder has variables of its own.
    let detection = "detections/exec-into-pod.md";
    let of_detection = play(
        &folder,
        &[
            open(detection, &read(&folder, detection)),
            diagnostics(detection),
        ],
    );
    assert_eq!(of_detection[1], json!([]));
    let line = |result: &Value| result[0]["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert_eq!(results[3].as_array().unwrap().len(), 1, "{}", results[3]);
    assert!(broken.lines().nth(line(&results[3])).is_some());
    assert_eq!(results[5].as_array().unwrap().len(), 1, "{}", results[5]);
    let before: Vec<&str> = wrong.lines().take(line(&results[5]) + 1).collect();
    assert!(
        before
            .iter()
            .rev()
            .take(2)
            .any(|line| line.starts_with("```yaml bad")),
        "{before:?}"
    );
}

/// A file of so many bytes.
fn large(bytes: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < bytes {
        text.push_str(&format!("---\n{}", pod(&format!("web-{number}"), "")));
        number += 1;
    }
    text
}

#[test]
fn the_first_answer_in_a_large_file_is_that_of_the_whole() {
    let text = large(70 << 10);
    let folder = Folder::of(&[("pods.yaml", &text)]);
    // The container of the second pod becomes privileged, and everything after it moves.
    let end = json!({"line": 20, "character": 0});
    assert_eq!(text.lines().nth(20), Some("---"));
    let change = json!([{"range": {"start": end, "end": end}, "text": PRIVILEGED}]);
    let results = play_with(
        &folder,
        &modern(),
        &["--no-unknown"],
        &[
            open("pods.yaml", &text),
            json!({"do": "change", "path": "pods.yaml", "changes": change}),
            diagnostics("pods.yaml"),
            json!({"do": "diagnostics", "path": "pods.yaml", "times": 2}),
        ],
    );
    let (first, whole) = (shown(&results[2]), shown(&results[3]));
    let privileged = |all: &[String]| -> Vec<String> {
        let all = all.iter().filter(|one| one.contains("pss-privileged"));
        all.cloned().collect()
    };
    assert_eq!(privileged(&first).len(), 1, "{first:?}");
    assert!(privileged(&first)[0].starts_with("22:"), "{first:?}");
    assert_eq!(privileged(&first), privileged(&whole));
    // Which thousand are shown of more may differ; where they stand may not.
    let moved = first.iter().filter(|one| !whole.contains(one)).count();
    assert!(moved * 20 < first.len(), "{moved} of {}", first.len());
}

/// The time is printed, not judged: the machine of a test is anybody's.
#[test]
fn a_large_file_is_judged_while_somebody_types() {
    let whole = large(1 << 20);
    let folder = Folder::of(&[("pods.yaml", &whole)]);
    let end = |at: u32| json!({"start": {"line": 4, "character": at}, "end": {"line": 4, "character": at}});
    let at = "  name: web-0".len() as u32;
    let mut steps = vec![open("pods.yaml", &whole)];
    for more in 0..5 {
        steps.push(json!({"do": "change", "path": "pods.yaml", "changes": [{"range": end(at + more), "text": "x"}]}));
    }
    steps.push(diagnostics("pods.yaml"));
    let results = play(&folder, &steps);
    let times: Vec<f64> = results[..6]
        .iter()
        .map(|result| result["milliseconds"].as_f64().unwrap())
        .collect();
    eprintln!(
        "{} bytes: opened in {:.0} ms, then {:.0?} ms after each key",
        whole.len(),
        times[0],
        &times[1..]
    );
    let last = results[6].as_array().unwrap();
    assert!(last.len() > 1000, "a thousand, and how many more");
}
