//! What goes wrong before anything is read says what to do next, and shows no credential.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::live::{CANARY, live};
use crate::run::Folder;

/// A kubeconfig with one context.
fn kubeconfig(server: &str, cluster: Value, user: Value) -> String {
    let mut cluster = cluster;
    cluster["server"] = json!(server);
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "me"}},
            {"name": "stock", "context": {"cluster": "shop", "user": "me"}}],
        "clusters": [{"name": "shop", "cluster": cluster}],
        "users": [{"name": "me", "user": user}]})
    .to_string()
}

/// What `assess --cluster` says with a kubeconfig.
fn failure(text: &str, args: &[&str]) -> String {
    let folder = Folder::of(&[("config", text)]);
    let own = ["assess", "--cluster", "--kubeconfig", "config"];
    let ran = folder.run(&[&own, args].concat());
    assert!(!ran.err.contains(CANARY), "{}", ran.err);
    ran.failure()
}

/// The certificate that the server shows, to trust it.
fn trusted() -> Value {
    let own = std::fs::read_to_string(live().server.kubeconfig()).unwrap();
    let own: Value = serde_json::from_str(&own).unwrap();
    let ca = &own["clusters"][0]["cluster"]["certificate-authority-data"];
    json!({"certificate-authority-data": ca})
}

#[test]
fn without_a_usable_kubeconfig() {
    let folder = Folder::new();
    // Without HOME the one of the user counts, and it may be there.
    let none = folder.run(&["assess", "--cluster", "--kubeconfig", "none"]);
    assert_snapshot!(none.failure(), @"
    exit 2
    error: there is no kubeconfig: `none` does not exist
      help: `az aks get-credentials --resource-group GROUP --name CLUSTER` writes one, `--kubeconfig FILE` names another
    ");
    assert_snapshot!(failure(&format!("token: {CANARY}\n\t- ["), &[]), @"
    exit 2
    error: the kubeconfig `config` cannot be understood: it is no YAML of a kubeconfig
      help: `kubectl config view` shows what kubectl makes of it
    ");
    let config = kubeconfig("https://127.0.0.1:1", json!({}), json!({"token": CANARY}));
    assert_snapshot!(failure(&config, &["--context", "shp"]), @"
    exit 2
    error: there is no context `shp` in the kubeconfig
      help: there are `shop`, `stock`
    ");
}

#[test]
fn where_nobody_answers() {
    let config = kubeconfig("https://127.0.0.1:1", json!({}), json!({"token": CANARY}));
    assert_snapshot!(failure(&config, &[]), @"
    exit 2
    error: nothing answers at https://127.0.0.1:1: the connection was refused
      help: is the cluster running? `az aks show --query powerState` says, and `--context NAME` chooses another
    ");
    let config = kubeconfig(
        "https://no-such-name.invalid",
        json!({}),
        json!({"token": CANARY}),
    );
    let said = failure(&config, &[]);
    assert!(
        said.contains("a private cluster's name is only known in its network"),
        "{said}"
    );
}

#[test]
fn where_the_server_is_not_trusted_or_does_not_trust() {
    let url = live().server.url();
    let port = url.rsplit(':').next().unwrap();
    let hide = |text: String| text.replace(port, "PORT");
    let config = kubeconfig(url, json!({}), json!({"token": CANARY}));
    assert_snapshot!(hide(failure(&config, &[])), @"
    exit 2
    error: the certificate of https://127.0.0.1:PORT is not trusted: invalid peer certificate: UnknownIssuer
      help: write the kubeconfig again (`az aks get-credentials`): the cluster's certificates may have been rotated
    ");
    let config = kubeconfig(url, trusted(), json!({"token": CANARY}));
    assert_snapshot!(hide(failure(&config, &[])), @"
    exit 2
    error: https://127.0.0.1:PORT does not accept who you are (401): the token may have expired
      help: sign in again: `az login`, or write the kubeconfig again with `az aks get-credentials`
    ");
}

#[test]
fn where_signing_in_fails() {
    let exec = |command: &str, args: Value| {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": args,
            "interactiveMode": "Never"}})
    };
    let url = "https://127.0.0.1:1";
    let missing = kubeconfig(url, json!({}), exec("/no/such/kubelogin", json!([])));
    assert_snapshot!(failure(&missing, &[]), @"
    exit 2
    error: the program that the kubeconfig names for signing in is not installed
      help: for AKS it is kubelogin: `az aks install-cli` installs it
    ");
    let script =
        format!("echo {CANARY}; echo AADSTS700082: the refresh token has expired >&2; exit 1");
    let failing = kubeconfig(url, json!({}), exec("/bin/sh", json!(["-c", script])));
    assert_snapshot!(failure(&failing, &[]), @"
    exit 2
    error: `/bin/sh`, which signs in, failed: AADSTS700082: the refresh token has expired
      help: sign in again (`az login`, then `kubelogin convert-kubeconfig -l azurecli`)
    ");
    let script = format!("echo {CANARY}");
    let nonsense = kubeconfig(url, json!({}), exec("/bin/sh", json!(["-c", script])));
    assert_snapshot!(failure(&nonsense, &[]), @"
    exit 2
    error: the program that the kubeconfig names for signing in gave no token
      help: sign in again (`az login`, then `kubelogin convert-kubeconfig -l azurecli`)
    ");
}

/// An exec plug-in that works, as kubelogin does.
#[test]
fn a_program_that_signs_in_gives_the_token() {
    let live = live();
    let answer = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": live.server.token()}});
    let script = format!("echo '{answer}'");
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
        "args": ["-c", script], "interactiveMode": "Never"}});
    let config = kubeconfig(live.server.url(), trusted(), user);
    let folder = Folder::of(&[("config", &config)]);
    let ran = folder.run(&[
        "assess",
        "--cluster",
        "--kubeconfig",
        "config",
        "--context",
        "stock",
        "--guideline",
        "pss-privileged",
        "--format",
        "json",
    ]);
    let report = ran.json();
    assert!(!report.findings().is_empty());
    assert_eq!(
        report.value["subject"],
        json!(["cluster stock"]),
        "{}",
        report.value["subject"]
    );
}
