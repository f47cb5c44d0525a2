//! Fixes that need what only the owner knows: which answer is missing is said with the words to type, an answer that
//! does not hold is refused, and with one the finding is gone.

use std::ffi::OsString;

use super::{errors, fix, read, saved, schema};
use crate::run::Folder;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: example.azurecr.io/web:1.2.3 # moves with each build
";

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: clean, namespace: shop}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: clean, image: \"example.azurecr.io/clean:1\"}]
";

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd";

const ONLY: [&str; 4] = ["--guideline", "img-digest", "--guideline", "cfg-requests"];

#[test]
fn what_is_asked_is_said_with_the_words_to_type() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let ran = fix(&folder, &[&["."], &ONLY[..]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for said in [
        "Fixed with an answer that only you know",
        "Which digest has the image `example.azurecr.io/web:1.2.3`",
        "--answer 'imageDigest[example.azurecr.io/web:1.2.3]=…'",
        "Such as cpu=100m,memory=128Mi",
        "--answer 'requests[shop/web/app]=…'",
        "Nothing to fix here without an answer.",
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
    let report = fix(&folder, &[&[".", "--format", "json"], &ONLY[..]].concat()).json();
    assert_eq!(
        errors(&schema("fix-v1.json"), &report.value),
        Vec::<String>::new()
    );
    let waiting = report.value["waiting"].as_array().unwrap();
    let names: Vec<(&str, &str, usize)> = waiting
        .iter()
        .map(|one| {
            (
                one["answer"].as_str().unwrap(),
                one["about"].as_str().unwrap(),
                one["findings"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("imageDigest", "example.azurecr.io/web:1.2.3", 1),
            ("requests", "shop/web/app", 2)
        ]
    );
    assert_eq!(read(&folder, "web.yaml"), WEB);
}

#[test]
fn answers_of_the_command_line_and_of_the_configuration_are_written() {
    let folder = Folder::of(&[
        ("web.yaml", WEB),
        (
            "seawall.yaml",
            "answers:\n  requests:\n    \"*\": {cpu: 50m, memory: 64Mi}\n    shop/web/app: {cpu: 250m, memory: 128Mi}\n",
        ),
        ("job.yaml", JOB),
    ]);
    let answer = format!("imageDigest[example.azurecr.io/web:1.2.3]={DIGEST}");
    let report = saved(
        fix,
        &folder,
        &[&[".", "--answer", &answer], &ONLY[..]].concat(),
    );
    let web = read(&folder, "web.yaml");
    assert!(
        web.contains(&format!(
            "image: example.azurecr.io/web:1.2.3@{DIGEST} # moves with each build"
        )),
        "{web}"
    );
    assert!(
        web.contains("cpu: 250m") && web.contains("memory: 128Mi"),
        "{web}"
    );
    let job = read(&folder, "job.yaml");
    assert!(
        job.contains("cpu: 50m") && job.contains("memory: 64Mi"),
        "{job}"
    );
    // The other image waits still.
    let waiting = report.value["waiting"].as_array().unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["about"], "example.azurecr.io/clean:1");
}

#[test]
fn an_answer_that_does_not_hold_is_refused() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    for (answer, says) in [
        ("imageDigest[a]=sha256:12", "`imageDigest` must be a digest"),
        (
            "imageDigest=sha256:12",
            "`imageDigest` is asked about each image",
        ),
        ("ranges=0.0.0.0/0", "`ranges` must be addresses"),
        ("ranges[x]=10.0.0.0/24", "`ranges` is asked once"),
        (
            "administrators=admins",
            "`administrators` must be the object id",
        ),
        ("colour=red", "no fix asks for `colour`; known are: ranges"),
        ("ranges", "`ranges` must be NAME=VALUE"),
        (
            "tags=owner=AccountKey=abcdefgh12345678abcdefgh12345678",
            "looks like a secret",
        ),
    ] {
        let ran = fix(&folder, &[".", "--answer", answer]);
        assert_eq!(ran.code, 2, "{answer}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{answer}: {}", ran.err);
    }
    folder.write("seawall.yaml", "whole: true\nanswers:\n  mail: nobody\n");
    let ran = fix(&folder, &["."]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("seawall.yaml:2: `mail` must be a mail address"),
        "{}",
        ran.err
    );
}

#[test]
fn whoever_is_there_is_asked() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let args = [
        &["fix", "--as-of", crate::run::DAY, ".", "--interactive"],
        &ONLY[..2],
    ]
    .concat();
    let input = format!("sha256:12\n{DIGEST}\ny\n");
    let ran = folder.run_with(&args, input.as_bytes(), OsString::new());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("Which digest has the image `example.azurecr.io/web:1.2.3`"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("`imageDigest` must be a digest"),
        "{}",
        ran.out
    );
    let web = read(&folder, "web.yaml");
    assert!(web.contains(&format!("web:1.2.3@{DIGEST}")), "{web}");
    // Whoever says nothing changes nothing.
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let ran = folder.run_with(&args, b"\n", OsString::new());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(read(&folder, "web.yaml"), WEB);
}
