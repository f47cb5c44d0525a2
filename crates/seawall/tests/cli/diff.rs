//! Two states of a pull request, and two snapshots: what got worse stands on top, and only what did.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::run::{DAY, Folder, Json, PRIVILEGED, Ran, pod, repository, text};

/// The hardened example twice, in `old` and `new`; the second to be changed.
fn pull_request() -> Folder {
    let folder = Folder::new();
    for side in ["old", "new"] {
        copy(&repository("examples/hardened"), &folder.path().join(side));
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes a file of the new state; the text must be there.
fn edit(folder: &Folder, file: &str, from: &str, to: &str) {
    let path = folder.path().join("new").join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = before.replacen(from, to, 1);
    assert_ne!(before, after, "`{from}` in {file}");
    fs::write(path, after).unwrap();
}

fn diff(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["diff", "--as-of", DAY], args].concat())
}

/// Without the number of resources, which grows with the example.
fn shown(ran: &Ran) -> String {
    let mut out = ran.out.clone();
    while let Some((before, number, after)) =
        out.split_once(" resources)").and_then(|(head, after)| {
            let (before, number) = head.rsplit_once('(')?;
            Some((before.to_owned(), number.to_owned(), after.to_owned()))
        })
    {
        assert!(number.parse::<u32>().unwrap() > 100);
        out = format!("{before}(all){after}");
    }
    out
}

fn json(folder: &Folder, args: &[&str]) -> Json {
    diff(folder, &[args, &["--format", "json"]].concat()).json()
}

/// `became guideline resource` of each finding.
fn findings(report: &Json) -> Vec<String> {
    report
        .list("/findings")
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                text(&one["became"]),
                text(&one["guideline"]),
                text(&one["resource"]["name"])
            )
        })
        .collect()
}

fn is_without_difference(report: &Json) {
    for part in [
        "/findings",
        "/resources",
        "/rights/gained",
        "/rights/lost",
        "/rights/escalations",
        "/connections/opened",
        "/connections/closed",
        "/connections/outside",
        "/connections/exposed",
        "/connections/hidden",
    ] {
        assert!(
            report.list(part).is_empty(),
            "{part}: {:#?}",
            report.list(part)
        );
    }
}

#[test]
fn the_same_twice_has_no_difference() {
    let folder = pull_request();
    let report = json(&folder, &["old", "new"]);
    is_without_difference(&report);
    assert_eq!(report.code, 0);
    let ran = diff(&folder, &["old", "new"]);
    assert_snapshot!(shown(&ran), @r"
    from old (all) to new (all)
    Nothing differs.
    exit 0: nothing at or above high got worse
    ");
}

#[test]
fn lines_and_files_that_move_are_no_difference() {
    let folder = pull_request();
    edit(
        &folder,
        "shop/orders.yaml",
        "apiVersion:",
        "# a comment\n\n# of three lines\napiVersion:",
    );
    let new = folder.path().join("new");
    fs::create_dir_all(new.join("moved")).unwrap();
    fs::rename(new.join("data/cache.yaml"), new.join("moved/store.yaml")).unwrap();
    fs::rename(new.join("workers"), new.join("jobs")).unwrap();
    is_without_difference(&json(&folder, &["old", "new"]));
}

#[test]
fn a_snapshot_of_a_state_stands_for_it() {
    let folder = pull_request();
    let ran = folder.run(&["snapshot", "old", "-o", "old.snapshot"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let config = ["--config", "old/seawall.yaml"];
    let report = json(&folder, &[&["old.snapshot", "new"], &config[..]].concat());
    is_without_difference(&report);
    edit(
        &folder,
        "infra/modules/cluster.bicep",
        "disableLocalAccounts: true",
        "disableLocalAccounts: false",
    );
    let report = json(&folder, &[&["old.snapshot", "new"], &config[..]].concat());
    assert_eq!(findings(&report), ["new api-local-accounts-off shop"]);
    assert_eq!(report.code, 1);
}

#[test]
fn a_binding_to_cluster_admin_is_an_escalation() {
    let folder = pull_request();
    folder.write(
        "new/base/admin.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: orders-admin}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: ServiceAccount, name: orders, namespace: shop}]\n",
    );
    let ran = diff(&folder, &["old", "new"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.starts_with(
            "Worse: 3\n  escalation ServiceAccount shop/orders in the cluster: does everything ("
        ),
        "{}",
        ran.out
    );
    let report = json(&folder, &["old", "new"]);
    assert_eq!(report.list("/rights/escalations").len(), 1);
    assert_eq!(
        report.value["rights"]["escalations"][0]["how"][0]["id"],
        "everything"
    );
    assert!(
        findings(&report)
            .iter()
            .any(|one| one.starts_with("new rbac-cluster-admin-minimal"))
    );
    let rights: Vec<String> = report
        .list("/rights/gained")
        .iter()
        .map(|right| {
            format!(
                "{} {} {}",
                text(&right["who"]),
                right["verbs"],
                text(&right["what"])
            )
        })
        .collect();
    assert_eq!(
        rights,
        [
            "ServiceAccount shop/orders [\"*\"] *.*",
            "ServiceAccount shop/orders [\"*\"] /*"
        ]
    );
    // The other way round it is better, and fails nothing.
    let back = json(&folder, &["new", "old"]);
    assert_eq!(back.code, 0);
    assert_eq!(back.list("/rights/noLonger").len(), 1);
    assert!(
        back.list("/findings")
            .iter()
            .all(|one| one["worse"] == false)
    );
}

#[test]
fn fewer_rights_of_a_role_are_lost_by_those_who_hold_it() {
    let role = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: reader, namespace: shop}}\nrules: [{{apiGroups: [\"\"], resources: [secrets, configmaps], verbs: {verbs}}}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: web, namespace: shop}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}\nsubjects: [{{kind: ServiceAccount, name: web}}, {{kind: Group, name: dev, apiGroup: rbac.authorization.k8s.io}}]\n"
        )
    };
    let folder = Folder::of(&[
        ("old.yaml", &*role("[get, list]")),
        ("new.yaml", &role("[get]")),
    ]);
    let report = json(&folder, &["old.yaml", "new.yaml"]);
    let lost: Vec<String> = report
        .list("/rights/lost")
        .iter()
        .map(|right| {
            format!(
                "{} {} {}",
                text(&right["who"]),
                right["verbs"],
                text(&right["what"])
            )
        })
        .collect();
    assert_eq!(
        lost,
        [
            "Group dev [\"list\"] configmaps",
            "Group dev [\"list\"] secrets",
            "ServiceAccount shop/web [\"list\"] configmaps",
            "ServiceAccount shop/web [\"list\"] secrets"
        ]
    );
    assert!(report.list("/rights/gained").is_empty());
}

#[test]
fn a_policy_that_is_gone_opens_and_closes_connections() {
    let folder = pull_request();
    // What selects a pod and allows little restricts it: without it all of the namespace's default counts.
    let policies = fs::read_to_string(folder.path().join("new/base/namespaces.yaml")).unwrap();
    let (kept, gone): (Vec<&str>, Vec<&str>) = policies.split("\n---\n").partition(|document| {
        !document.contains("kind: NetworkPolicy") || !document.contains("namespace: shop\n")
    });
    assert!(!gone.is_empty());
    folder.write("new/base/namespaces.yaml", kept.join("\n---\n"));
    let report = json(&folder, &["old", "new"]);
    assert_eq!(report.code, 1);
    let removed = report
        .list("/resources")
        .iter()
        .filter(|one| one["change"] == "removed");
    assert_eq!(removed.count(), gone.len());
    assert!(
        findings(&report)
            .iter()
            .any(|one| one.starts_with("new np-")),
        "{:#?}",
        findings(&report)
    );
}

#[test]
fn a_service_that_the_internet_reaches_stands_on_top() {
    let folder = pull_request();
    // The nodes' security group would stop it.
    for side in ["old", "new"] {
        let file = folder.path().join(side).join("infra/modules/network.bicep");
        let before = fs::read_to_string(&file).unwrap();
        let after = before.replace(
            "          networkSecurityGroup: { id: nodesGuard.id }\n",
            "",
        );
        assert_ne!(before, after);
        fs::write(file, after).unwrap();
    }
    edit(
        &folder,
        "shop/backoffice.yaml",
        "  selector: {app.kubernetes.io/name: backoffice}\n",
        "  type: LoadBalancer\n  selector: {app.kubernetes.io/name: backoffice}\n",
    );
    edit(
        &folder,
        "shop/backoffice.yaml",
        "cidr: 10.40.4.0/24",
        "cidr: 0.0.0.0/0",
    );
    let ran = diff(&folder, &["old", "new"]);
    assert_eq!(ran.code, 1);
    assert_snapshot!(shown(&ran), @r#"
    Worse: 4
      exposed shop/backoffice[Deployment] from the internet by load balancer
              (Service shop/backoffice): TCP 8080
      high[in-service-lb-internal] new: the load balancer gets a public address
      --> shop/backoffice.yaml:76  Service shop/backoffice
      high[in-waf-no-bypass] new: the public load balancer takes web traffic past
                             the gateway, from everybody
      --> shop/backoffice.yaml:79  Service shop/backoffice
      high[np-rules-narrow] new: the rule allows nearly all addresses without
                            leaving out private and platform ones
      --> shop/backoffice.yaml:99  NetworkPolicy shop/backoffice

    Connections: between what is there before and after
      + shop/backoffice[Deployment] from the internet by load balancer (Service
        shop/backoffice): TCP 8080

    Resources: 0 added, 0 removed, 2 changed
      ~ NetworkPolicy shop/backoffice shop/backoffice.yaml:88
          spec.ingress[0].from[0].ipBlock.cidr: "10.40.4.0/24" → "0.0.0.0/0"
      ~ Service shop/backoffice shop/backoffice.yaml:75
          spec.type: added "LoadBalancer"

    from old (all) to new (all)
    findings: 3 worse
    exit 1: 3 findings and 1 way in from the internet at or above high got worse
    "#);
    let report = json(&folder, &["old", "new", "--fail-on", "critical"]);
    assert_eq!(report.code, 0, "a way in counts as high");
    assert_eq!(report.value["connections"]["exposed"][0]["internet"], true);
    let none = json(&folder, &["old", "new", "--fail-on", "none"]);
    assert_eq!(none.code, 0);
}

#[test]
fn weakened_bicep_is_worse_and_unknown_is_not_better() {
    let folder = pull_request();
    edit(
        &folder,
        "infra/modules/cluster.bicep",
        "disableLocalAccounts: true",
        "disableLocalAccounts: false",
    );
    let report = json(&folder, &["old", "new"]);
    assert_eq!(findings(&report), ["new api-local-accounts-off shop"]);
    let field = &report.list("/resources")[0]["fields"][0];
    assert_eq!(
        (text(&field["old"]), text(&field["new"])),
        ("true", "false")
    );
    // From a failure to something that only a deployment knows.
    let open = pull_request();
    edit(
        &open,
        "infra/modules/cluster.bicep",
        "disableLocalAccounts: true",
        "disableLocalAccounts: utcNow() == 'x'",
    );
    folder.write(
        "open/modules/cluster.bicep",
        fs::read_to_string(open.path().join("new/infra/modules/cluster.bicep")).unwrap(),
    );
    let report = json(
        &folder,
        &[
            "new/infra/modules/cluster.bicep",
            "open/modules/cluster.bicep",
            "--guideline",
            "api-local-accounts-off",
        ],
    );
    let became: Vec<&str> = report
        .list("/findings")
        .iter()
        .map(|one| text(&one["became"]))
        .collect();
    assert_eq!(became, ["undecided"]);
    assert_eq!(report.list("/findings")[0]["worse"], false);
    assert_eq!(report.code, 0);
}

#[test]
fn severities_and_waivers_of_each_state_count() {
    let folder = Folder::of(&[
        ("old/pod.yaml", &*pod("web", PRIVILEGED)),
        ("new/pod.yaml", &*pod("web", PRIVILEGED)),
        ("new/seawall.yaml", "severities: {pss-privileged: low}\n"),
        ("waived/pod.yaml", &*pod("web", PRIVILEGED)),
        (
            "waived/seawall.yaml",
            "waivers:\n- {guideline: pss-privileged, reason: tested, owner: us, until: 2030-01-01}\n",
        ),
    ]);
    let own = ["--guideline", "pss-privileged"];
    let became = |old: &str, new: &str| findings(&json(&folder, &[&[old, new], &own[..]].concat()));
    assert_eq!(became("old", "new"), ["less-severe pss-privileged web"]);
    assert_eq!(became("new", "old"), ["more-severe pss-privileged web"]);
    assert_eq!(became("old", "waived"), ["waived pss-privileged web"]);
    assert_eq!(
        became("waived", "old"),
        ["no-longer-waived pss-privileged web"]
    );
}

#[test]
fn what_could_not_be_read_is_told_and_is_no_success() {
    let folder = Folder::of(&[
        ("old/pod.yaml", &*pod("web", "")),
        ("new/pod.yaml", &*pod("web", "")),
        ("new/broken.yaml", "kind: Pod\n"),
    ]);
    let ran = diff(&folder, &["old", "new"]);
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("Not read of new: 1 part"), "{}", ran.out);
    let ran = diff(&folder, &["old", "nowhere"]);
    assert_eq!(ran.code, 2);
    let ran = diff(&folder, &["old", "new", "--format", "sarif"]);
    assert_snapshot!(ran.failure(), @"
    exit 2
    error: there is no format `sarif`; there are text, json, markdown
    ");
}

#[test]
fn a_node_port_that_nobody_chose_is_said_to_be_one() {
    let folder = Folder::of(&[("old/web.yaml", &pod("web", ""))]);
    let web = pod("web", "").replacen("  name: web\n", "  name: web\n  labels: {app: web}\n", 1);
    folder.write("old/web.yaml", &web);
    folder.write("new/web.yaml", &web);
    folder.write(
        "new/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  type: NodePort\n  selector: {app: web}\n  ports: [{port: 80}]\n",
    );
    let report = json(&folder, &["old", "new", "--whole"]);
    let ports = &report.value["connections"]["exposed"][0]["ports"];
    assert_eq!(
        text(ports),
        "a node port that the cluster chooses (30000-32767)"
    );
}

#[test]
fn what_the_new_state_cannot_see_is_not_better() {
    let folder = Folder::new();
    folder.write("old/pod.yaml", pod("old", PRIVILEGED));
    folder.write("part/web.yaml", pod("web", ""));
    folder.write("broken/pod.yaml", "a: [");
    let taken = folder.run(&["snapshot", "--whole", "old", "-o", "whole.snapshot"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    // A folder that may be a part, and one that could not be read.
    for (old, new) in [("whole.snapshot", "part"), ("old", "broken")] {
        let report = json(&folder, &[old, new]);
        let words = findings(&report);
        assert!(
            words.iter().any(|one| one.starts_with("not-seen-now")),
            "{words:?}"
        );
        for word in ["mended", "gone-with-resource"] {
            assert!(!words.iter().any(|one| one.starts_with(word)), "{words:?}");
        }
        let removed = report.list("/resources").iter();
        assert_eq!(removed.filter(|one| one["change"] == "removed").count(), 0);
        let not = report.list("/notCompared");
        assert!(
            not.iter()
                .any(|one| one["by"] == "new" && one["what"] == "Pod"),
            "{not:?}"
        );
    }
    // The other way round nothing is new.
    let report = json(&folder, &["part", "whole.snapshot"]);
    let words = findings(&report);
    assert!(
        words.iter().any(|one| one.starts_with("not-seen-before")),
        "{words:?}"
    );
    assert!(
        !words.iter().any(|one| one.starts_with("new ")),
        "{words:?}"
    );
    assert_eq!(report.code, 0);
}
