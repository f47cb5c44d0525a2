//! Exit codes with their reasons, and what a person is told when a command is wrong.

use insta::assert_snapshot;

use crate::run::{Folder, PRIVILEGED, pod};

fn sound(name: &str) -> String {
    pod(name, "")
}

const PRIVILEGED_ONLY: [&str; 2] = ["--guideline", "pss-privileged"];

fn code(folder: &Folder, args: &[&str]) -> i32 {
    folder.assess(&[args, &PRIVILEGED_ONLY[..]].concat()).code
}

#[test]
fn zero_when_nothing_is_at_the_floor_and_everything_was_read() {
    let folder = Folder::of(&[("pod.yaml", &sound("web"))]);
    assert_eq!(code(&folder, &["."]), 0);
}

#[test]
fn one_when_a_finding_is_at_or_above_the_floor() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", PRIVILEGED))]);
    assert_eq!(code(&folder, &["."]), 1);
    assert_eq!(code(&folder, &[".", "--fail-on", "critical"]), 1);
    assert_eq!(code(&folder, &[".", "--fail-on", "none"]), 0);
    let medium = ["--guideline", "cfg-probes"];
    let run = |floor| {
        folder
            .assess(&[&[".", "--fail-on", floor], &medium[..]].concat())
            .code
    };
    assert_eq!((run("high"), run("medium"), run("low")), (0, 1, 1));
    assert_eq!(
        folder.assess(&[".", "--guideline", "cfg-probes"]).code,
        0,
        "the floor is high"
    );
}

#[test]
fn one_goes_before_four() {
    let folder = Folder::of(&[("a.yaml", "a: [\n"), ("pod.yaml", &pod("web", PRIVILEGED))]);
    assert_eq!(code(&folder, &["."]), 1);
    assert_eq!(code(&folder, &[".", "--fail-on", "none"]), 4);
}

#[test]
fn three_when_there_is_nothing_to_assess() {
    let folder = Folder::of(&[("values.yaml", "replicas: 2\n"), ("notes.txt", "hello\n")]);
    let ran = folder.assess(&["."]);
    assert_eq!(ran.code, 3);
    assert_snapshot!(ran.err, @r"
    error: nothing to assess: no Kubernetes object or Azure resource in .
      help: give a folder with manifests, a chart, a template, or `--cluster` (`seawall assess --help`)
    ");
    assert_eq!(Folder::new().assess(&["."]).code, 3, "an empty folder");
    let only = Folder::of(&[(
        "claim.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n",
    )]);
    assert_eq!(
        code(&only, &["."]),
        3,
        "kinds that no selected guideline is about"
    );
}

#[test]
fn four_when_something_given_was_not_read() {
    let folder = Folder::of(&[("a.yaml", "kind: Pod\n"), ("pod.yaml", &sound("web"))]);
    assert_eq!(code(&folder, &["."]), 4);
    assert_eq!(code(&folder, &["pod.yaml"]), 0);
    let alone = Folder::of(&[("main.bicep", "param a string\nmodule b 'gone.bicep' = {}\n")]);
    assert_eq!(code(&alone, &["."]), 4, "also when nothing else is there");
}

#[test]
fn two_when_the_command_is_wrong() {
    let folder = Folder::of(&[("pod.yaml", &sound("web"))]);
    let failure = |args: &[&str]| folder.assess(args).failure();
    assert_snapshot!(failure(&["nowhere"]), @"
    exit 2
    error: `nowhere` does not exist
      help: give files or folders that exist, or `-` for standard input
    ");
    assert_snapshot!(failure(&[".", "--framework", "pss"]), @"
    exit 2
    error: there is no framework `pss`; known are: …
    ");
    assert_snapshot!(failure(&[".", "--guideline", "pss-privilegd"]), @"
    exit 2
    error: there is no guideline `pss-privilegd`
      help: `seawall guide list` shows all
    ");
    assert_snapshot!(failure(&[".", "--chapter", "clusters"]), @"
    exit 2
    error: there is no chapter `clusters`; there are environments, cluster, workloads
    ");
    assert_snapshot!(failure(&[".", "--fail-on", "severe"]), @"
    exit 2
    error: `severe` is no severity
      help: --fail-on takes critical, high, medium, low or none
    ");
    assert_snapshot!(failure(&[".", "--kubernetes", "latest"]), @"
    exit 2
    error: `latest` is no Kubernetes version
      help: write it as `--kubernetes 1.34`
    ");
    assert_snapshot!(failure(&[".", "--format", "pdf"]), @"
    exit 2
    error: there is no format `pdf`; there are terminal, json, sarif, html, junit, markdown, csv, policyreport
    ");
    assert_snapshot!(failure(&[".", "--format", "json", "--format", "csv"]), @"
    exit 2
    error: two formats would be written to standard output
      help: give the others a file: `--format sarif=out.sarif`
    ");
    assert_snapshot!(failure(&[".", "--baseline", "none.json"]), @"
    exit 2
    error: cannot read the baseline `none.json`: No such file or directory (os error 2)
      help: make one with `seawall assess PATH --format json=baseline.json`
    ");
    assert_snapshot!(failure(&[".", "--config", "none.yaml"]), @"
    exit 2
    error: cannot read `none.yaml`: No such file or directory (os error 2)
    ");
    assert_snapshot!(folder.run(&["assess", ".", "--as-of", "tomorrow"]).failure(), @"
    exit 2
    error: `tomorrow` is no date
      help: write it as `--as-of 2027-01-31`
    ");
    assert_snapshot!(folder.run(&["explain", "zzz"]).failure(), @"
    exit 2
    error: there is no guideline, topic, step, detection or renewal `zzz`
      help: `seawall guide list` shows all ids
    ");
    assert_snapshot!(failure(&[".", "--format", "json=no/such/folder.json"]), @"
    exit 2
    error: cannot write `no/such/folder.json`: No such file or directory (os error 2)
    ");
}

#[test]
fn two_without_a_path_and_with_an_unknown_option() {
    let folder = Folder::new();
    assert_snapshot!(folder.run(&["assess"]).failure(), @"
    exit 2
    error: nothing to read was given
      help: give files or folders, `-` for standard input, `--cluster`, `--azure`, or `--snapshot FILE`
    ");
    assert_eq!(folder.run(&["assess", ".", "--nonsense"]).code, 2);
    let bare = folder.run(&[]);
    assert_eq!(bare.code, 2);
    assert!(
        bare.err.contains("Start with `seawall assess .`"),
        "{}",
        bare.err
    );
}

#[test]
fn two_when_the_configuration_is_wrong() {
    let wrong = |text: &str| {
        let folder = Folder::of(&[("seawall.yaml", text), ("pod.yaml", &sound("web"))]);
        folder.assess(&["."]).failure()
    };
    assert_snapshot!(wrong("whole: true\nfail_on: high\n"), @"
    exit 2
    error: seawall.yaml:2: unknown key `fail_on`; did you mean `fail-on`?
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("# a\nwhole: perhaps\n"), @"
    exit 2
    error: seawall.yaml:2: `whole` must be true or false
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("fail-on: severe\n"), @"
    exit 2
    error: seawall.yaml:1: `fail-on` must be critical, high, medium, low or none
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("kubernetes: new\n"), @r#"
    exit 2
    error: seawall.yaml:1: `kubernetes` must be a version such as "1.34"
      help: docs/configuration.md describes the keys of seawall.yaml
    "#);
    assert_snapshot!(wrong("frameworks: [pss]\n"), @"
    exit 2
    error: seawall.yaml:1: there is no framework `pss`; known are: …
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("severities:\n  pss-privileged: low\n  pss-nothing: low\n"), @"
    exit 2
    error: seawall.yaml:3: there is no guideline `pss-nothing`; `seawall guide list` shows all
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("severities:\n  pss-privileged: none\n"), @"
    exit 2
    error: seawall.yaml:2: the severity of `pss-privileged` must be critical, high, medium or low
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("waivers:\n- guideline: pss-nothing\n  reason: a\n"), @"
    exit 2
    error: seawall.yaml:2: a waiver for `pss-nothing`, which is no guideline; `seawall guide list` shows all
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("waivers:\n- guideline: pss-privileged\n  until: soon\n"), @"
    exit 2
    error: seawall.yaml:2: `until: soon` is no date; write it as 2027-01-31
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("waivers:\n- guideline: pss-privileged\n  because: a\n"), @"
    exit 2
    error: seawall.yaml:2: unknown key `because`; known are: …
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("waivers:\n- reason: a\n"), @"
    exit 2
    error: seawall.yaml:2: `guideline` must be a string
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("- whole\n"), @"
    exit 2
    error: seawall.yaml:1: a map is expected
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("whole: [\n"), @"
    exit 2
    error: seawall.yaml:2: a value is missing here
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("whole: true\nwhole: false\n"), @"
    exit 2
    error: seawall.yaml:2: `whole` stands here twice
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("waivers: none\n"), @"
    exit 2
    error: seawall.yaml:1: `waivers` must be a list of waivers
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
    assert_snapshot!(wrong("severities: high\n"), @"
    exit 2
    error: seawall.yaml:1: `severities` must be a map of guideline ids to severities
      help: docs/configuration.md describes the keys of seawall.yaml
    ");
}

#[test]
fn two_when_the_baseline_is_no_report() {
    let folder = Folder::of(&[
        ("pod.yaml", &sound("web")),
        ("a.json", "{}"),
        ("b.json", "no"),
    ]);
    assert_snapshot!(folder.assess(&["pod.yaml", "--baseline", "a.json"]).failure(), @"
    exit 2
    error: `a.json`: it is no JSON report of seawall: `findings` is missing
    ");
    assert_snapshot!(folder.assess(&["pod.yaml", "--baseline", "b.json"]).failure(), @"
    exit 2
    error: `b.json`: it is no JSON report of seawall: expected ident at line 1 column 2
    ");
}

#[test]
fn the_whole_output_of_a_small_estate() {
    let folder = Folder::of(&[
        ("deploy/web.yaml", &pod("web", PRIVILEGED)),
        (
            "deploy/worker.yaml",
            &sound("worker")
                .replace("name: app", "name: worker")
                .replace(":1.2.3", ":latest"),
        ),
    ]);
    let ran = folder.assess(&[
        "deploy",
        "--framework",
        "pss-baseline",
        "--guideline",
        "pss-privileged",
    ]);
    assert_eq!((ran.code, &*ran.err), (1, ""));
    assert_snapshot!(ran.out, @"
    critical[pss-privileged]: Containers are not privileged
      A privileged container gets every Linux capability and every device of the
      node, and the filters that normally stand between a container and the kernel
      are switched off.
      --> deploy/web.yaml:11:19  Pod shop/web
       |
    11 |       privileged: true
       |                   ^^^^ container `app` is privileged
       |
       = unsafe fix: set securityContext.privileged to false
       = cost: half a day of work; may break agents that manage the node: storage,
               network, security sensors
       = more: seawall explain pss-privileged

                 fail  unknown
    critical        1        0
    high            0        0
    medium          0        0
    low             0        0
    total           1        0

    by aspect     api-server 0, traffic 0, images 0, secrets 0, network-isolation 0,
                  pods 1
    by principle  minimise-attack-surface 1, least-privilege 1
    attack paths  not weighed: only a part of the guide was judged

    judged 2 resources in 2 files by 1 guideline; everything was read
    exit 1: 1 finding at or above high
    next: seawall explain pss-privileged
          why it matters, how to mend it, and how to accept it
    ");
    let clean = folder.assess(&["deploy/worker.yaml", "--framework", "pss-baseline"]);
    assert_eq!((clean.code, &*clean.err), (0, ""));
    assert_snapshot!(clean.out, @"
    Nothing found.
    judged 1 resource in 1 file by 13 guidelines; everything was read
    ");
}

#[test]
fn reports_go_to_files_beside_the_terminal() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", PRIVILEGED))]);
    let formats = [
        "json=a.json",
        "sarif=a.sarif",
        "html=a.html",
        "junit=a.xml",
        "markdown=a.md",
        "csv=a.csv",
        "policyreport=a.yaml",
    ];
    let mut args = vec!["pod.yaml", "--format", "terminal"];
    for format in formats {
        args.extend(["--format", format]);
    }
    let ran = folder.assess(&args);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("pss-privileged"));
    for format in formats {
        let file = format.split_once('=').unwrap().1;
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.contains("pss-privileged"), "{file}");
    }
}

#[test]
fn a_pipe_gets_no_colour() {
    let folder = Folder::of(&[("pod.yaml", &pod("web", PRIVILEGED))]);
    assert!(!folder.assess(&["."]).out.contains('\u{1b}'));
}
