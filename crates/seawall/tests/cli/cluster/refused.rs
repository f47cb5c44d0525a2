//! Questions to a cluster that shows a part: answered from that part, with what is not known, and exit 4.

use sources::cluster::kinds::WANTED;

use super::live::{TEAM, live};
use super::rights::without;
use crate::run::Ran;

/// Who may list everything but this.
fn all_but(resource: &str) -> String {
    without(WANTED.iter().find(|one| one.resource == resource).unwrap())
}

/// On one line, however it was broken.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn answered(ran: &Ran) -> String {
    assert_eq!(ran.code, 4, "{}\n{}", ran.out, ran.err);
    assert!(!ran.err.contains("error:"), "{}", ran.err);
    flat(&ran.out)
}

#[test]
fn who_can_answers_from_what_was_read() {
    let refused = "the cluster refused to list rolebindings (403)";
    let user = all_but("rolebindings");
    let ran = live().run(&user, &["who-can", "get", "secrets"]);
    let said = answered(&ran);
    assert!(said.contains("ServiceAccount team-0/web"), "{said}");
    assert!(!said.contains("jane@example.com"), "{said}");
    assert!(
        said.contains("Nobody else by what was given. The cluster refused to list"),
        "{said}"
    );
    assert!(flat(&ran.err).contains(refused), "{}", ran.err);
    // As JSON no more certain.
    let json = live().run(&user, &["who-can", "get", "secrets", "--format", "json"]);
    assert_eq!(json.code, 4);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["complete"], false, "{json}");
    assert!(json.to_string().contains(refused), "{json}");
    // Nobody loses a right that a list gives which was read.
    let roles = answered(&live().run(&user, &["who-can", "--as", "sa:team-0/web"]));
    assert!(roles.contains("cluster-admin"), "{roles}");
    assert!(
        roles.contains("The cluster refused to list rolebindings (403)"),
        "{roles}"
    );
}

#[test]
fn who_may_read_one_namespace_is_answered_about_it() {
    let words = ["who-can", "get", "secrets", "-n", "team-1"];
    let said = answered(&live().run(TEAM, &words));
    assert!(
        said.contains("jane@example.com RoleBinding team-1/operate"),
        "{said}"
    );
    assert!(
        said.contains("refused to list clusterrolebindings (403)"),
        "{said}"
    );
    assert!(!said.contains("Nobody else."), "{said}");
}

#[test]
fn without_any_right_nothing_is_claimed() {
    let nobody = live().server.kubeconfig_of(super::live::NOBODY).unwrap();
    let nobody = nobody.display().to_string();
    let folder = crate::run::Folder::new();
    for words in [
        &["who-can", "get", "secrets"][..],
        &["reach"],
        &["who-can", "--all"],
    ] {
        let ran = folder.run(&[words, &["--cluster", "--kubeconfig", &nobody]].concat());
        assert!(
            ran.code == 2 || ran.code == 4,
            "{words:?}: {} {}",
            ran.code,
            ran.err
        );
        assert!(flat(&ran.err).contains("(403)"), "{words:?}: {}", ran.err);
        assert!(!ran.out.contains("Nobody else."), "{words:?}: {}", ran.out);
    }
}

#[test]
fn reach_answers_from_what_was_read() {
    let user = all_but("networkpolicies");
    let words = ["reach", "--from", "team-0/w1", "--to", "team-1/w1"];
    let whole = live().run("admin", &words);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let ran = live().run(&user, &words);
    let said = answered(&ran);
    // What policies might forbid is open by what was given only, and that is said first.
    let refused = "By what was given: the cluster refused to list networkpolicies (403)";
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(at(refused) < at("All Connections"), "{said}");
    assert!(!said.contains("--whole"), "{said}");
    assert!(
        flat(&ran.err).contains("the cluster refused to list networkpolicies (403)"),
        "{}",
        ran.err
    );
    let summary = answered(&live().run(&user, &["reach"]));
    assert!(
        summary.contains("refused to list networkpolicies"),
        "{summary}"
    );
}

/// What Kubernetes gives its own parts is one line, from a running cluster too.
#[test]
fn the_parts_of_kubernetes_are_folded() {
    let ask = |more: &[&str]| {
        let ran = live().run("admin", &[&["who-can", "get", "secrets"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        flat(&ran.out)
    };
    let part = "generic-garbage-collector";
    let folded = ask(&[]);
    assert!(
        folded.contains("parts of Kubernetes itself (`--built-in` lists them)"),
        "{folded}"
    );
    assert!(!folded.contains(part), "{folded}");
    // Where a binding stands is said by its kind and name: its address says no more.
    assert!(!folded.contains("/apis/"), "{folded}");
    let all = ask(&["--built-in"]);
    assert!(all.contains(part), "{all}");
}

/// Who wrote a node is known of a running one, and of a snapshot of it.
#[test]
fn a_node_that_was_edited_by_hand_is_found() {
    let live = live();
    let own = ["--guideline", "host-nodes-not-hand-edited"];
    let report = live.json("admin", &own);
    let messages: Vec<&str> = report
        .list("/findings")
        .iter()
        .map(|finding| finding["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("`kubectl-label`"), "{messages:?}");
    let folder = crate::run::Folder::new();
    let kubeconfig = live.kubeconfig("admin").display().to_string();
    let cluster = ["--cluster", "--kubeconfig", &kubeconfig];
    let taken = folder.run(&[&["snapshot", "-o", "a.snapshot"], &cluster[..]].concat());
    assert_eq!(taken.code, 0, "{}", taken.err);
    let kept = folder.run(
        &[
            &["assess", "--snapshot", "a.snapshot", "--format", "json"],
            &own[..],
        ]
        .concat(),
    );
    assert_eq!(kept.json().list("/findings").len(), 1);
}
