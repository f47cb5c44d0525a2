//! The kubelet's settings: flag over file over default, and which files count at all.

use super::shapes::{self, CONFIG, Shape};
use super::{read, told};

fn setting(shape: &Shape, name: &str) -> String {
    told(&read(shape), &["kubelet", name])
}

#[test]
fn flags_of_an_environment_file_count() {
    let shape = shapes::ubuntu_2204();
    for (name, wanted) in [
        ("anonymousAuth", "false @ /etc/default/kubelet:1"),
        ("authorizationMode", "Webhook @ /etc/default/kubelet:1"),
        ("readOnlyPort", "0 @ /etc/default/kubelet:1"),
        (
            "streamingConnectionIdleTimeout",
            "14400 @ /etc/default/kubelet:1",
        ),
        ("podPidsLimit", "-1 @ /etc/default/kubelet:1"),
        ("serverTLSBootstrap", "true @ /etc/default/kubelet:1"),
        (
            "kubeconfig",
            "/var/lib/kubelet/kubeconfig @ /etc/systemd/system/kubelet.service.d/10-tlsbootstrap.conf:2",
        ),
        (
            "nodeLabels",
            "agentpool=user,kubernetes.azure.com/role=agent @ /etc/default/kubelet:3",
        ),
        // Nobody says it.
        (
            "makeIPTablesUtilChains",
            "true @ /etc/systemd/system/kubelet.service:7",
        ),
        (
            "seccompDefault",
            "false @ /etc/systemd/system/kubelet.service:7",
        ),
        ("configFiles", "[] @ /etc/systemd/system/kubelet.service:7"),
    ] {
        assert_eq!(setting(&shape, name), wanted, "{name}");
    }
}

#[test]
fn a_configuration_file_counts_less_than_a_flag_and_more_than_a_default() {
    let shape = shapes::ubuntu_2404();
    let wanted = [
        // In a configuration nothing means that nobody is let in without a name.
        (
            "anonymousAuth",
            "false @ /etc/systemd/system/kubelet.service:7",
        ),
        (
            "clientCAFile",
            "/etc/kubernetes/certs/ca.crt @ /etc/default/kubeletconfig.json:7",
        ),
        ("eventRecordQPS", "0 @ /etc/default/kubeletconfig.json:10"),
        ("readOnlyPort", "0 @ /etc/systemd/system/kubelet.service:7"),
        ("serverTLSBootstrap", "true @ /etc/default/kubelet:1"),
        (
            "configFiles",
            "[/etc/default/kubeletconfig.json] @ /etc/systemd/system/kubelet.service:7",
        ),
    ];
    for (name, wanted) in wanted {
        assert_eq!(setting(&shape, name), wanted, "{name}");
    }
    shape.append("/etc/default/kubelet", "");
    shape.replace(
        "/etc/default/kubelet",
        "--max-pods=110",
        "--event-qps=3 --anonymous-auth",
    );
    assert_eq!(
        setting(&shape, "eventRecordQPS"),
        "3 @ /etc/default/kubelet:1"
    );
    assert_eq!(
        setting(&shape, "anonymousAuth"),
        "true @ /etc/default/kubelet:1"
    );
}

#[test]
fn without_a_configuration_file_the_kubelet_is_open() {
    let shape = shapes::old();
    for (name, wanted) in [
        ("anonymousAuth", "true"),
        ("webhookAuthentication", "false"),
        ("authorizationMode", "AlwaysAllow"),
        ("readOnlyPort", "10255"),
        ("clientCAFile", "absent"),
    ] {
        let told = setting(&shape, name);
        assert_eq!(told.split(" @ ").next().unwrap(), wanted, "{name}");
    }
}

#[test]
fn nothing_in_the_file_is_the_default_and_as_a_flag_no_end() {
    let shape = shapes::ubuntu_2404();
    shape.replace("/etc/default/kubeletconfig.json", "\"4h0m0s\"", "\"0s\"");
    assert_eq!(
        setting(&shape, "streamingConnectionIdleTimeout"),
        "14400 @ /etc/systemd/system/kubelet.service:7"
    );
    shape.replace(
        "/etc/default/kubelet",
        "--max-pods=110",
        "--streaming-connection-idle-timeout=0",
    );
    assert_eq!(
        setting(&shape, "streamingConnectionIdleTimeout"),
        "0 @ /etc/default/kubelet:1"
    );
}

#[test]
fn drop_ins_are_merged_by_name() {
    let shape = shapes::ubuntu_2404();
    shape
        .replace("/etc/default/kubelet", "--max-pods=110", "--config-dir=/etc/kubernetes/kubelet.conf.d/")
        .write("/etc/kubernetes/kubelet.conf.d/20-b.conf", 0o644, "eventRecordQPS: 7\nauthentication:\n  webhook: null\n")
        .write("/etc/kubernetes/kubelet.conf.d/10-a.conf", 0o644, "eventRecordQPS: 6\nauthentication: {anonymous: {enabled: true}}\ntlsCipherSuites: [A]\nfeatureGates: {Alpha: true, Beta: true}\n")
        .write("/etc/kubernetes/kubelet.conf.d/30-c.yaml", 0o644, "eventRecordQPS: 8\n")
        .append("/etc/default/kubelet", "")
        .replace("/etc/default/kubelet", "--rotate-server", "--feature-gates=Beta=false,Gamma=true --rotate-server");
    for (name, wanted) in [
        (
            "eventRecordQPS",
            "7 @ /etc/kubernetes/kubelet.conf.d/20-b.conf:1",
        ),
        (
            "anonymousAuth",
            "true @ /etc/kubernetes/kubelet.conf.d/10-a.conf:2",
        ),
        // `null` takes it away: the default is the same.
        (
            "webhookAuthentication",
            "true @ /etc/systemd/system/kubelet.service:7",
        ),
        (
            "clientCAFile",
            "/etc/kubernetes/certs/ca.crt @ /etc/default/kubeletconfig.json:7",
        ),
        (
            "tlsCipherSuites",
            "[A] @ /etc/kubernetes/kubelet.conf.d/10-a.conf:3",
        ),
        (
            "featureGates",
            "{Alpha: true, Beta: false, Gamma: true} @ /etc/default/kubelet:1",
        ),
    ] {
        assert_eq!(setting(&shape, name), wanted, "{name}");
    }
}

#[test]
fn drop_ins_of_the_unit_count_by_name_and_folder() {
    let shape = shapes::ubuntu_2204();
    shape
        .write(
            "/usr/lib/systemd/system/kubelet.service.d/90-x.conf",
            0o644,
            "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --read-only-port=10255\n",
        )
        .write(
            "/etc/systemd/system/kubelet.service.d/90-x.conf",
            0o644,
            "[Service]\nEnvironment=KUBELET_FLAGS=--read-only-port=1\n",
        );
    // Of two with one name that in /etc counts; and a file of the environment counts more than what the unit sets.
    assert_eq!(
        setting(&shape, "readOnlyPort"),
        "0 @ /etc/default/kubelet:1"
    );
    shape.remove("/etc/systemd/system/kubelet.service.d/90-x.conf");
    assert_eq!(
        setting(&shape, "readOnlyPort"),
        "10255 @ /usr/lib/systemd/system/kubelet.service.d/90-x.conf:3"
    );
}

#[test]
fn what_runs_counts_and_the_difference_is_told() {
    let shape = shapes::ubuntu_2404();
    let run = |line: &str| {
        shape.write("/proc/77/comm", 0o444, "kubelet\n").write(
            "/proc/77/cmdline",
            0o444,
            &line
                .split(' ')
                .map(|word| format!("{word}\0"))
                .collect::<String>(),
        );
    };
    let same = "/opt/bin/kubelet --enable-server --node-labels=other=label --v=2 --volume-plugin-dir=/etc/kubernetes/volumeplugins --kubeconfig /var/lib/kubelet/kubeconfig --bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig --config /etc/default/kubeletconfig.json --max-pods=110 --rotate-server-certificates=true";
    run(same);
    assert_eq!(
        setting(&shape, "differs"),
        "[] @ /etc/systemd/system/kubelet.service:7"
    );
    assert_eq!(
        setting(&shape, "serverTLSBootstrap"),
        "true @ /etc/default/kubelet:1"
    );
    assert!(setting(&shape, "running").starts_with("true"));
    run(&same.replace("--max-pods=110", "--anonymous-auth=true"));
    assert_eq!(
        setting(&shape, "anonymousAuth"),
        "true @ /proc/77/cmdline:1"
    );
    assert_eq!(
        setting(&shape, "differs"),
        "[{flag: anonymous-auth, running: true, files: }, {flag: max-pods, running: , files: 110}] @ /proc/77/cmdline:1"
    );
    // A process alone is enough.
    shape.remove("/etc/systemd/system/kubelet.service");
    assert_eq!(
        setting(&shape, "anonymousAuth"),
        "true @ /proc/77/cmdline:1"
    );
}

#[test]
fn azure_json_is_no_configuration_of_the_kubelet() {
    // kube-bench takes the first of a list of files, azure.json before the kubelet's own.
    let shape = shapes::ubuntu_2404();
    shape.write(
        "/etc/kubernetes/azure.json",
        0o600,
        &CONFIG.replace("{}", "{\"enabled\": true}"),
    );
    assert_eq!(
        setting(&shape, "anonymousAuth"),
        "false @ /etc/systemd/system/kubelet.service:7"
    );
    assert_eq!(
        setting(&shape, "configFiles"),
        "[/etc/default/kubeletconfig.json] @ /etc/systemd/system/kubelet.service:7"
    );
    // And its mode is its own, whatever that of the configuration is.
    shape.mode("/etc/kubernetes/azure.json", 0o644);
    let reading = read(&shape);
    let modes: Vec<String> = reading
        .document
        .at(&["files"])
        .unwrap()
        .items()
        .iter()
        .filter(|file| {
            matches!(
                file.at(&["is"]).unwrap().text(),
                Some("azure-json" | "kubelet-config")
            )
        })
        .map(|file| {
            format!(
                "{} {}",
                file.at(&["is"]).unwrap().text().unwrap(),
                file.at(&["mode"]).unwrap().text().unwrap()
            )
        })
        .collect();
    assert_eq!(modes, ["kubelet-config 0600", "azure-json 0644"]);
}

#[test]
fn what_the_kubelet_would_not_take_is_unknown() {
    let shape = shapes::ubuntu_2404();
    shape.replace(
        "/etc/default/kubeletconfig.json",
        "\"anonymous\": {}",
        "\"anonymous\": {\"enabled\": \"no\"}",
    );
    assert_eq!(
        setting(&shape, "anonymousAuth"),
        "unknown: `authentication.anonymous.enabled`, whose value the kubelet does not take @ /etc/default/kubeletconfig.json:5"
    );
    shape.replace("/etc/default/kubeletconfig.json", "\"kind\"", "{\"kind\"");
    let told = setting(&shape, "eventRecordQPS");
    assert!(
        told.starts_with("unknown: /etc/default/kubeletconfig.json (no YAML on line"),
        "{told}"
    );
    shape.remove("/etc/default/kubeletconfig.json");
    let told = setting(&shape, "eventRecordQPS");
    assert!(
        told.starts_with(
            "unknown: /etc/default/kubeletconfig.json, which --config names and which is not there"
        ),
        "{told}"
    );
    // Flags are known still.
    assert_eq!(
        setting(&shape, "serverTLSBootstrap"),
        "true @ /etc/default/kubelet:1"
    );
    // Without the environment file nothing is.
    shape.remove("/etc/default/kubelet");
    let told = setting(&shape, "serverTLSBootstrap");
    assert!(
        told.starts_with("unknown: /etc/default/kubelet (the unit names it, and it is not there)"),
        "{told}"
    );
    // Nor where the unit starts something else.
    let shape = shapes::ubuntu_2204();
    shape.replace(
        "/etc/systemd/system/kubelet.service",
        "/opt/bin/kubelet",
        "/opt/start.sh",
    );
    let told = setting(&shape, "serverTLSBootstrap");
    assert!(
        told.starts_with("unknown: kubelet.service, which starts `start.sh` and no kubelet"),
        "{told}"
    );
}

#[test]
fn a_pool_can_be_told_limits_and_profiles() {
    let shape = shapes::hardened();
    assert_eq!(
        setting(&shape, "podPidsLimit"),
        "4096 @ /etc/default/kubeletconfig.json:11"
    );
    assert_eq!(
        setting(&shape, "seccompDefault"),
        "true @ /etc/default/kubeletconfig.json:12"
    );
}
