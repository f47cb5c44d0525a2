//! The roles in `deploy/rbac` grant what is read and nothing else, and that suffices.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sources::cluster::kinds::{SECRETS, WANTED};

use super::live::{self, live};
use crate::run::repository;

/// The rules by API group, in the order of the table.
fn rules(secrets: bool) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<&str> = Vec::new();
    let mut resources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for wanted in WANTED.iter().chain(secrets.then_some(&SECRETS)) {
        if !groups.contains(&wanted.group) {
            groups.push(wanted.group);
        }
        resources
            .entry(wanted.group)
            .or_default()
            .push(wanted.resource);
    }
    groups
        .into_iter()
        .map(|group| (group, resources[group].clone()))
        .collect()
}

/// The file of a role, as it must be.
fn text(secrets: bool) -> String {
    let (name, what) = if secrets {
        (
            "seawall-reader-secrets",
            "# What `seawall --cluster --secrets` reads: what seawall-reader reads, and Secrets. seawall asks for\n\
             # metadata of Secrets only, but Kubernetes has no right that stops there: whoever holds this role\n\
             # can read every value. Bind it where that is accepted, and seawall-reader everywhere else.\n",
        )
    } else {
        (
            "seawall-reader",
            "# What `seawall --cluster` reads, kind by kind: no Secrets, no logs, nothing to write.\n",
        )
    };
    format!(
        "{what}apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\n  labels:\n    app.kubernetes.io/name: seawall\n{}",
        rules_text(secrets, "get, list")
    )
}

fn rules_text(secrets: bool, verbs: &str) -> String {
    let mut text = String::from(
        "rules:\n- nonResourceURLs: [/version, /api, /api/*, /apis, /apis/*]\n  verbs: [get]\n",
    );
    for (group, resources) in rules(secrets) {
        let group = if group.is_empty() { "\"\"" } else { group };
        let _ = write!(text, "- apiGroups: [{group}]\n  resources:\n");
        for resource in resources {
            let _ = writeln!(text, "  - {resource}");
        }
        let _ = writeln!(text, "  verbs: [{verbs}]");
    }
    text
}

/// The role of a file, as an object.
pub(crate) fn written(file: &str) -> Value {
    let secrets = file.contains("secrets");
    let rules: Vec<Value> = [json!({"nonResourceURLs": ["/version", "/api", "/api/*", "/apis", "/apis/*"], "verbs": ["get"]})]
        .into_iter()
        .chain(rules(secrets).into_iter().map(|(group, resources)| {
            json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]})
        }))
        .collect();
    let name = if secrets {
        "seawall-reader-secrets"
    } else {
        "seawall-reader"
    };
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
}

/// `SEAWALL_UPDATE=1` writes them.
#[test]
fn the_files_name_each_kind_that_is_read() {
    for (file, secrets) in [("reader.yaml", false), ("reader-secrets.yaml", true)] {
        let path = repository("deploy/rbac").join(file);
        let wanted = text(secrets);
        if std::env::var_os("SEAWALL_UPDATE").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, wanted, "{}", path.display());
    }
}

#[test]
fn the_server_reads_the_same_and_goes_on() {
    let path = repository("deploy/chart/templates/rights.yaml");
    let chart = std::fs::read_to_string(&path).unwrap();
    let wanted = rules_text(false, "list, watch");
    assert!(chart.contains(&wanted), "{}:\n{wanted}", path.display());
}

/// Everything that is not assessed or judged, with its reason.
fn unread(report: &crate::run::Json) -> Vec<String> {
    report
        .documents()
        .into_iter()
        .filter(|line| line.contains("unreadable"))
        .collect()
}

#[test]
fn each_role_alone_suffices() {
    let live = live();
    let all = live.json("admin", &["--secrets", "--verdicts", "all"]);
    let plain = live.json(live::READER, &["--verdicts", "all"]);
    assert_eq!(unread(&plain), Vec::<String>::new());
    let secrets = live.json(live::SECRETS, &["--secrets", "--verdicts", "all"]);
    assert_eq!(unread(&secrets), Vec::<String>::new());
    // An administrator sees no more.
    for list in ["/verdicts", "/findings"] {
        let (less, more) = (secrets.list(list), all.list(list));
        let other = less.iter().zip(more).find(|(one, other)| one != other);
        assert_eq!(other, None);
        assert_eq!(less.len(), more.len());
    }
    // Without the other role Secrets are named as what is missing.
    let refused = live.json(live::READER, &["--secrets"]);
    let missing = unread(&refused);
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(
        missing[0].contains("refused to list secrets (403)"),
        "{missing:?}"
    );
}
