//! A cluster and Azure together: the groups that bindings name are asked of Microsoft Graph.

use oracle::azure::Azure as Server;
use serde_json::json;

use super::live::{DEVELOPERS, live};
use crate::azure;
use crate::run::Folder;

#[test]
fn a_group_that_a_binding_names_gets_its_name_and_members() {
    let mut world = azure::world();
    world.directory.push(json!({
        "id": DEVELOPERS, "@odata.type": "#microsoft.graph.group", "displayName": "payment developers",
        "members": ["0b000000-0000-4000-8000-00000000000b"],
    }));
    let server = Server::start(world).unwrap();
    let folder = Folder::new();
    let kubeconfig = live().kubeconfig("admin").display().to_string();
    let estate = [
        "--cluster",
        "--kubeconfig",
        &kubeconfig,
        "--azure",
        "--entra",
    ];
    let asked = [
        &["who-can", "create", "pods/exec", "-n", "past"],
        &estate[..],
    ]
    .concat();
    let ran = azure::run(&server, &folder, &asked);
    assert!(
        ran.out.contains("payment developers"),
        "{}\n{}",
        ran.out,
        ran.err
    );
    // Kept, too: a snapshot reads one after the other as well.
    let taken = [&["snapshot", "-o", "a.snapshot"], &estate[..]].concat();
    let ran = azure::run(&server, &folder, &taken);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.out
    );
    let told = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("3 subscriptions of tenant 11111111-"),
        "{told}"
    );
    let kept = folder.run(&[
        "who-can",
        "create",
        "pods/exec",
        "-n",
        "past",
        "--snapshot",
        "a.snapshot",
    ]);
    assert!(kept.out.contains("payment developers"), "{}", kept.out);
}
