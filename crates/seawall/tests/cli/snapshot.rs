//! An estate in one file: judged as it was, whole or not at all, and without its secrets.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::run::{DAY, Folder, Json, PRIVILEGED, pod, repository};

/// The report without the columns, which a snapshot does not keep.
fn comparable(report: &Json) -> Value {
    let mut value = report.value.clone();
    for key in ["subject", "exitCode"] {
        value[key] = Value::Null;
    }
    value["coverage"]["totals"]["files"] = 0.into();
    for finding in value["findings"].as_array_mut().unwrap() {
        for place in finding["locations"].as_array_mut().unwrap() {
            for key in ["column", "endLine", "endColumn"] {
                place[key] = Value::Null;
            }
        }
    }
    value
}

fn same_from_a_snapshot(example: &str) {
    let path = repository(&format!("examples/{example}"));
    let path = path.to_str().unwrap();
    let folder = Folder::new();
    let taken = folder.run(&["snapshot", path, "-o", "e.snapshot"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let files = folder.json(&[path]);
    // With the seawall.yaml that stands there.
    let kept = folder.json(&["--snapshot", "e.snapshot"]);
    assert!(files.list("/findings").len() > 3);
    assert_eq!(comparable(&files), comparable(&kept));
    let ran = folder.run(&["diff", "--as-of", DAY, path, "e.snapshot"]);
    assert!(ran.out.contains("Nothing differs."), "{}", ran.out);
}

#[test]
fn a_snapshot_and_its_origin_do_not_differ() {
    let folder = Folder::of(&[(
        "plant.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: pay\n  annotations:\n    token: correct-horse\nstringData:\n  a: b\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  DB_PASSWORD: battery-staple\n",
    )]);
    let taken = folder.run(&["snapshot", "plant.yaml", "-o", "f.snapshot"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    for sides in [["plant.yaml", "f.snapshot"], ["f.snapshot", "plant.yaml"]] {
        let ran = folder.run(&["diff", sides[0], sides[1]]);
        assert!(ran.out.contains("Nothing differs."), "{}", ran.out);
    }
    let refused = folder.run(&["snapshot", "plant.yaml", "-o", "-"]);
    assert_eq!(refused.code, 2);
    assert!(!folder.path().join("-").exists());
}

#[test]
fn flawed_files_are_judged_the_same_from_a_snapshot() {
    same_from_a_snapshot("aks-store");
}

#[test]
fn hardened_files_are_judged_the_same_from_a_snapshot() {
    same_from_a_snapshot("hardened");
}

fn shop() -> Folder {
    let waived = pod(
        "waived",
        "    # seawall: waive pss-privileged because the driver needs it\n    securityContext:\n      privileged: true\n",
    );
    Folder::of(&[
        ("deploy/web.yaml", &pod("web", PRIVILEGED)),
        ("deploy/waived.yaml", &waived),
        ("deploy/broken.yaml", "kind: Pod\n"),
    ])
}

#[test]
fn what_was_kept_and_what_could_not_be_read_is_told() {
    let folder = shop();
    let taken = folder.run(&["snapshot", "deploy", "-o", "shop.snapshot"]);
    assert_eq!(taken.code, 4, "{}", taken.err);
    let out = taken.out.lines().skip(1).collect::<Vec<_>>().join("\n");
    assert!(
        taken
            .out
            .starts_with("shop.snapshot: 2 resources of 1 kind from deploy, ")
    );
    assert_snapshot!(out, @r"
      2 Pod

    Not read  1 part
      deploy/broken.yaml:1
        line 1, column 1: `apiVersion` is missing
        help: every Kubernetes object says its `apiVersion` and `kind`

      judge it: seawall assess --snapshot shop.snapshot
    ");
    let report = folder.json(&[
        "--snapshot",
        "shop.snapshot",
        "--guideline",
        "pss-privileged",
    ]);
    assert_eq!(report.code, 1);
    assert_eq!(
        report.findings(),
        ["deploy/web.yaml:11 pss-privileged fail"]
    );
    assert_eq!(
        report.waived(),
        ["deploy/waived.yaml:12 pss-privileged fail"]
    );
    assert_eq!(
        report.documents(),
        folder
            .json(&["deploy", "--guideline", "pss-privileged"])
            .documents()
    );
}

#[test]
fn the_same_estate_is_the_same_bytes_but_for_the_time() {
    let lines = |folder: &Folder, name: &str| -> Vec<String> {
        let ran = folder.run(&["snapshot", "deploy", "-o", name]);
        assert_eq!(ran.code, 4);
        let bytes = fs::read(folder.path().join(name)).unwrap();
        unpacked(&bytes).lines().map(str::to_owned).collect()
    };
    let folder = shop();
    let (first, second) = (lines(&folder, "a"), lines(&folder, "b"));
    let body = |lines: &[String]| lines[1..lines.len() - 1].to_vec();
    assert_eq!(body(&first), body(&second));
    assert!(first.len() > 4);
}

fn unpacked(bytes: &[u8]) -> String {
    let mut child = std::process::Command::new("gzip")
        .args(["-dc"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_failed_snapshot_leaves_what_stood_there() {
    let folder = shop();
    folder.write("old.snapshot", "what stood there");
    folder.write("empty/notes.txt", "nothing");
    let ran = folder.run(&["snapshot", "empty", "-o", "old.snapshot"]);
    assert_eq!(ran.code, 3);
    let ran = folder.run(&["snapshot", "--snapshot", "nowhere", "-o", "old.snapshot"]);
    assert_eq!(ran.code, 2);
    folder.write("cut", [0x1f, 0x8b, 8, 0]);
    let ran = folder.run(&["snapshot", "--snapshot", "cut", "-o", "old.snapshot"]);
    assert_eq!(ran.code, 2);
    let kept = fs::read_to_string(folder.path().join("old.snapshot")).unwrap();
    assert_eq!(kept, "what stood there");
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    let ran = folder.run(&["snapshot", "deploy", "-o", "gone/x.snapshot"]);
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.err.replace("No such file or directory (os error 2)", "it is not there"), @r"
    error: cannot write `gone/x.snapshot`: it is not there
      help: `-o` takes a file in a folder that exists
    ");
}

#[test]
fn a_whole_folder_stays_whole() {
    let folder = Folder::of(&[("web.yaml", &pod("web", PRIVILEGED))]);
    let verdict = |args: &[&str]| {
        let report = folder.json(&[args, &["--guideline", "np-default-deny"]].concat());
        let verdicts: Vec<String> = report
            .list("/findings")
            .iter()
            .map(|finding| finding["verdict"].to_string())
            .collect();
        verdicts.join(" ")
    };
    assert_eq!(folder.run(&["snapshot", "web.yaml", "-o", "part"]).code, 0);
    assert_eq!(
        folder
            .run(&["snapshot", "web.yaml", "--whole", "-o", "whole"])
            .code,
        0
    );
    let (part, whole) = (
        verdict(&["--snapshot", "part"]),
        verdict(&["--snapshot", "whole"]),
    );
    assert_eq!(part, verdict(&["web.yaml"]));
    assert_eq!(whole, verdict(&["web.yaml", "--whole"]));
    assert_ne!(part, whole);
}

#[test]
fn what_is_no_snapshot_is_refused_with_the_next_step() {
    let folder = shop();
    let failure = |file: &str| {
        let ran = folder.run(&["assess", "--as-of", DAY, "--snapshot", file]);
        ran.failure()
    };
    assert_snapshot!(failure("deploy/web.yaml"), @r"
    exit 2
    error: `deploy/web.yaml` is no snapshot of seawall
      help: make one with `seawall snapshot --cluster -o FILE`; files and folders are given without `--snapshot`
    ");
    assert_eq!(
        folder
            .run(&["snapshot", "deploy", "-o", "kept.snapshot"])
            .code,
        4
    );
    let ran = folder.assess(&["kept.snapshot"]);
    assert_snapshot!(ran.failure(), @r"
    exit 2
    error: `kept.snapshot` is a snapshot
      help: give it with `--snapshot kept.snapshot`
    ");
    assert!(failure("nowhere").contains("cannot read the snapshot `nowhere`"));
    assert!(failure("deploy").contains("deploy"));
}
