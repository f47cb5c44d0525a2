//! What nobody in the cluster uses, by a log.

use serde_json::{Value, json};

use super::live::{NOBODY, live};
use crate::audit_learn::event;
use crate::run::{Folder, text};

const HOLDER: &str = "system:serviceaccount:team-1:default";

#[test]
fn rights_of_the_running_cluster_are_held_against_a_log() {
    let live = live();
    let secret =
        json!({"resource": "secrets", "namespace": "team-1", "name": "db", "apiVersion": "v1"});
    let log: Vec<String> = (1..60)
        .map(|number| event(number, HOLDER, "get", &secret, 200))
        .collect();
    let folder = Folder::of(&[("used.log", &log.join("\n"))]);
    let learn = |more: &[&str]| {
        let own = ["audit", "learn", "used.log", "--format", "json"];
        folder.run(&[&own, more].concat())
    };
    let of = |user: &str| live.kubeconfig(user).display().to_string();
    let admin = of("admin");
    let cluster = ["--cluster", "--kubeconfig", &admin];
    let running = learn(&cluster);
    assert_eq!(running.code, 0, "{}", running.err);
    let report: Value = serde_json::from_str(&running.out).unwrap();
    let unused: Vec<String> = report["unused"]["rights"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|right| right["holder"] == HOLDER)
        .map(|right| format!("{} {}", right["verbs"], text(&right["what"])))
        .collect();
    // It got a Secret; it never listed or made one, nor ran a command. The others everybody who signs in may.
    assert_eq!(
        unused,
        [
            r#"["create"] pods/exec"#,
            r#"["get","list"] endpoints"#,
            r#"["get","list"] events"#,
            r#"["create","list"] secrets"#,
        ],
        "{report:#}"
    );

    // The same as of a snapshot of it.
    let taken = folder.run(&[&["snapshot", "-o", "kept.snapshot"], &cluster[..]].concat());
    assert_eq!(taken.code, 0, "{}", taken.err);
    let kept = learn(&["--snapshot", "kept.snapshot"]);
    let kept: Value = serde_json::from_str(&kept.out).unwrap();
    assert_eq!(kept["unused"], report["unused"]);

    // Who may read nothing is told so, and nobody is said to use all that they hold.
    let nobody = of(NOBODY);
    let refused = learn(&["--cluster", "--kubeconfig", &nobody]);
    assert!(refused.err.contains("(403)"), "{}", refused.err);
    assert_eq!((refused.code, &*refused.out), (2, ""));
}
