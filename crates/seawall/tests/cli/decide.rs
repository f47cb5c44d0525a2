//! `decide`: sums that can be followed, limits that hold, and talk a line at a time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value, json};

use crate::run::{DAY, Folder, Json, Ran};

/// A front that the internet reaches, an agent that commands the node's runtime, a job that is privileged.
const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: shop.example/web:1, securityContext: {privileged: true}, ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers:
      - {name: agent, image: shop.example/agent:1, volumeMounts: [{name: run, mountPath: /run/containerd}]}
      volumes: [{name: run, hostPath: {path: /run/containerd}}]
";

fn example(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
        .to_string_lossy()
        .into_owned()
}

fn shop() -> Folder {
    Folder::of(&[("shop.yaml", SHOP)])
}

fn decide(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["decide", "--as-of", DAY], args].concat())
}

fn answer(folder: &Folder, args: &[&str]) -> Json {
    let ran = decide(folder, &[args, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.json()
}

fn ids(json: &Json, list: &str) -> BTreeSet<String> {
    json.list(list)
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

fn talk(folder: &Folder, lines: &str) -> Ran {
    folder.run_with(
        &["decide", ".", "--as-of", DAY, "--interactive"],
        lines.as_bytes(),
        OsString::new(),
    )
}

/// Adds a number of each measure and each shared cost.
fn sum(json: &Json, pointer: &str) -> f64 {
    ["/measures", "/shared"]
        .iter()
        .flat_map(|list| json.list(list))
        .map(|one| one.pointer(pointer).unwrap().as_f64().unwrap())
        .sum()
}

fn number(json: &Json, pointer: &str) -> f64 {
    json.value.pointer(pointer).unwrap().as_f64().unwrap()
}

#[track_caller]
fn near(one: f64, other: f64) {
    assert!((one - other).abs() < 1e-6, "{one} is not {other}");
}

#[track_caller]
fn adds_up(json: &Json) {
    near(number(json, "/totals/monthly"), sum(json, "/cost/monthly"));
    for end in ["0", "1"] {
        near(
            number(json, &format!("/totals/effortDays/{end}")),
            sum(json, &format!("/effortDays/{end}")),
        );
    }
    near(
        number(json, "/totals/upkeepHours"),
        sum(json, "/cost/upkeepHours"),
    );
    near(
        number(json, "/totals/overall/middle"),
        sum(json, "/cost/overall"),
    );
    // All in one is what the text says it is.
    let rate = |name: &str| number(json, &format!("/rates/{name}"));
    let days = (number(json, "/totals/effortDays/0") + number(json, "/totals/effortDays/1")) / 2.0;
    near(
        number(json, "/totals/overall/middle"),
        number(json, "/totals/monthly") * rate("months")
            + days * rate("day")
            + number(json, "/totals/upkeepHours") * rate("hour") * rate("months"),
    );
}

#[test]
fn sums_can_be_followed_by_hand() {
    let folder = Folder::new();
    for name in ["aks-store", "hardened"] {
        let path = example(name);
        for more in [
            &[][..],
            &["--sure"],
            &["--day-rate", "500", "--months", "12"],
        ] {
            let json = answer(&folder, &[&[path.as_str()], more].concat());
            adds_up(&json);
            assert_eq!(json.value["gap"], 0.0, "{name}");
        }
    }
    let json = answer(&folder, &[&example("aks-store")]);
    assert!(!json.list("/measures").is_empty());
    for measure in json.list("/measures") {
        let stands = measure["cuts"]["pairs"].as_u64().unwrap() > 0
            || !measure["requiredBy"].as_array().unwrap().is_empty();
        assert!(stands, "for nothing: {measure}");
    }
}

#[test]
fn a_plan_is_the_cheapest_that_cuts_what_can_be_cut() {
    let folder = shop();
    let json = answer(&folder, &[".", "--sure", "--to", "node-root"]);
    assert_eq!(
        ids(&json, "/measures"),
        BTreeSet::from(["pss-host-path".to_owned(), "pss-privileged".to_owned()])
    );
    assert_eq!(json.value["pairs"], json!({ "all": 2, "cut": 2 }));
    assert_eq!(json.value["risk"]["left"], 0.0);
    // The web pods are reached by the internet: their pair weighs five times as much as the agent's.
    let risk: Vec<f64> = json
        .list("/measures")
        .iter()
        .map(|measure| measure["cuts"]["ways"][0]["risk"].as_f64().unwrap())
        .collect();
    assert_eq!(risk, [12.0, 60.0]);
    let text = decide(&folder, &[".", "--sure", "--to", "node-root"]);
    assert!(
        text.out.starts_with("2 measures cut 2 of 2 pairs"),
        "{}",
        text.out
    );
}

#[test]
fn limits_hold_and_what_stays_says_why() {
    let folder = shop();
    let free = answer(&folder, &[".", "--sure", "--to", "node-root"]);
    let days = number(&free, "/measures/0/effortDays/1");
    let limit = days.to_string();
    let json = answer(
        &folder,
        &[".", "--sure", "--to", "node-root", "--max-effort", &limit],
    );
    adds_up(&json);
    // What weighs more is cut.
    assert_eq!(
        ids(&json, "/measures"),
        BTreeSet::from(["pss-privileged".to_owned()])
    );
    assert_eq!(json.value["remaining"][0]["why"], "limits");
    assert_eq!(
        json.value["remaining"][0]["entries"],
        json!(["workload:shop/agent[DaemonSet]"])
    );
    assert_eq!(json.value["risk"]["left"], 12.0);
    let none = answer(&folder, &[".", "--sure", "--max-effort", "0"]);
    assert_eq!(none.list("/measures").len(), 0);
    assert_eq!(none.value["risk"]["left"], none.value["risk"]["now"]);
}

#[test]
fn the_frontier_has_no_point_that_another_beats() {
    let json = answer(&Folder::new(), &[&example("aks-store")]);
    let points: Vec<(f64, f64, f64)> = json
        .list("/frontier/points")
        .iter()
        .filter(|point| point["plan"] == false)
        .map(|point| {
            let of = |pointer: &str| point.pointer(pointer).unwrap().as_f64().unwrap();
            let days = of("/totals/effortDays/0") + of("/totals/effortDays/1");
            (of("/totals/monthly"), days, of("/risk"))
        })
        .collect();
    assert!(points.len() > 2);
    for (at, one) in points.iter().enumerate() {
        for (other_at, other) in points.iter().enumerate() {
            let beats = other.0 <= one.0 && other.1 <= one.1 && other.2 <= one.2;
            assert!(at == other_at || !beats, "{other:?} beats {one:?}");
        }
    }
    // From doing nothing to the plan.
    let risks: Vec<f64> = json
        .list("/frontier/points")
        .iter()
        .map(|point| point["risk"].as_f64().unwrap())
        .collect();
    assert!(risks.contains(&number(&json, "/risk/now")));
    assert!(risks.contains(&number(&json, "/risk/left")));
}

#[test]
fn measures_are_taken_and_left_as_asked() {
    let folder = shop();
    let json = answer(
        &folder,
        &[
            ".",
            "--sure",
            "--to",
            "node-root",
            "--leave",
            "pss-privileged",
        ],
    );
    assert!(!ids(&json, "/measures").contains("pss-privileged"));
    assert_eq!(json.value["remaining"][0]["why"], "impossible");
    let left = json
        .list("/passed")
        .iter()
        .find(|passed| passed["id"] == "pss-privileged")
        .unwrap();
    assert_eq!(left["why"], "left");

    let taken = "traffic/firewall-egress";
    let json = answer(
        &folder,
        &[".", "--sure", "--to", "node-root", "--take", taken],
    );
    assert!(ids(&json, "/measures").contains(taken));
    adds_up(&json);
    assert!(json.list("/limits/refused").is_empty());

    let both = decide(
        &folder,
        &[".", "--take", "pss-privileged", "--leave", "pss-privileged"],
    );
    assert_eq!(
        both.failure(),
        "exit 2\nerror: `pss-privileged` is to be taken and to be left\n  \
         help: give it to one of `--take` and `--leave`"
    );
}

#[test]
fn prices_enter_the_sums_and_what_has_none_is_named() {
    let folder = shop();
    let taken = ["--take", "traffic/firewall-egress"];
    let without = answer(&folder, &[&[".", "--sure"][..], &taken].concat());
    assert_eq!(without.value["totals"]["monthly"], 0.0);
    let missing = without.list("/totals/withoutPrice");
    assert_eq!(missing[0]["meter"], "azure-firewall-standard");
    let units = missing[0]["units"].as_f64().unwrap();
    assert!(units > 0.0);

    folder.write(
        "prices.yaml",
        "- { meter: azure-firewall-standard, amount: 900.25, currency: EUR, source: our agreement, seen: 2026-11-01 }\n",
    );
    let priced = ["--prices", "prices.yaml", "--region", "westeurope"];
    let with = answer(
        &folder,
        &[&["shop.yaml", "--sure"][..], &taken, &priced].concat(),
    );
    near(number(&with, "/totals/monthly"), units * 900.25);
    adds_up(&with);
    assert!(with.list("/totals/withoutPrice").is_empty());
    let text = decide(
        &folder,
        &[&["shop.yaml", "--sure"][..], &taken, &priced].concat(),
    );
    assert!(text.out.contains("EUR a month\n"), "{}", text.out);

    // A budget below it is no place for it.
    let limited = answer(
        &folder,
        &[
            &["shop.yaml", "--sure", "--budget", "10"][..],
            &taken,
            &priced,
        ]
        .concat(),
    );
    assert_eq!(limited.value["limits"]["refused"], json!([taken[1]]));
    assert!(number(&limited, "/totals/monthly") <= 10.0);

    let nowhere = decide(&folder, &["shop.yaml", "--prices", "prices.yaml"]);
    assert_eq!(
        nowhere.failure(),
        "exit 2\nerror: prices differ by region, and no cluster says one\n  \
         help: say it: `--region westeurope`, or `region` under `budget` in seawall.yaml"
    );
}

#[test]
fn json_follows_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/schema/decide-v1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = shop();
    let store = example("aks-store");
    for arguments in [
        vec!["."],
        vec![".", "--sure", "--max-effort", "0.5", "--budget", "0"],
        vec![
            ".",
            "--take",
            "traffic/firewall-egress",
            "--leave",
            "pss-privileged",
        ],
        vec![&store],
        vec![&store, "--max-effort", "1"],
        vec![&store, "--from", "breached", "--to", "node-root"],
    ] {
        let json = answer(&folder, &arguments);
        let errors: Vec<String> = validator
            .iter_errors(&json.value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
    }
    let good = answer(&folder, &["."]).value;
    for (pointer, wrong) in [
        ("/schema", json!("seawall.decide/v2")),
        ("/gap", json!("none")),
        ("/measures/0/kind", json!("tool")),
        ("/measures/0/effortDays", json!(3)),
        ("/measures/0/cuts/ways/0/certainty", json!("maybe")),
        ("/frontier/points/0/risk", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
}

#[test]
fn same_input_same_bytes_in_every_format_within_eighty_columns() {
    let folder = Folder::new();
    let store = example("aks-store");
    for format in ["text", "json", "html"] {
        let run = || decide(&folder, &[&store, "--format", format]);
        let (one, other) = (run(), run());
        assert_eq!(one.code, 0, "{}", one.err);
        assert_eq!(one.out, other.out, "{format}");
        match format {
            "text" => {
                for line in one.out.lines() {
                    assert!(line.chars().count() <= 80, "{line}");
                }
            }
            "html" => {
                assert!(one.out.contains("<svg") && one.out.ends_with("</html>\n"));
                for loaded in ["src=", "href=\"http", "url(", "<script"] {
                    assert!(!one.out.contains(loaded), "{loaded}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_talk_settles_measures_and_limits() {
    let folder = shop();
    let ran = talk(
        &folder,
        "why pss-privileged\nleave pss-privileged\nwhy pss-privileged\nfree pss-privileged\n\
         effort 0.5\neffort none\neffort 1000\nfrontier\nlist\nlist privileged\ntake pss-\nhello\ntake nothing\ntake monitoring/immutable-logs\nbudget much\nquit\nplan\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let said: Vec<&str> = ran.out.lines().collect();
    let at = |text: &str, after: usize| -> usize {
        let found = said.iter().skip(after).position(|line| line.contains(text));
        after + found.unwrap_or_else(|| panic!("no `{text}` after line {after}: {}", ran.out))
    };
    let mut line = at("`help` lists the commands.", 0);
    line = at("It is in the plan: without it", line);
    line = at("No more in it: pss-privileged", line);
    line = at("It is out because you left it.", line);
    line = at("New in the plan: pss-privileged", line);
    line = at("What stays", line);
    line = at("New in the plan:", line);
    line = at("The plan stays.", line);
    line = at("Within 1000 days of work.", line);
    line = at("risk left", line);
    line = at("In the plan", line);
    line = at("pss-privileged: Containers are not privileged (", line);
    line = at("Not in the plan", line);
    // Of several measures that have a part of an id they are named.
    line = at("In the plan", line);
    line = at("pss-privileged: Containers are not privileged (", line);
    line = at("`pss-`: it could be pss-", line);
    line = at("`hello` is no command; `help` lists them", line);
    line = at("`nothing`: there is no such guideline or option", line);
    line = at("`monitoring/immutable-logs`: it cuts nothing here", line);
    line = at("`much` is no amount", line);
    assert_eq!(line + 1, said.len(), "nothing follows `quit`");
    // The end of a pipe is an end too.
    assert_eq!(talk(&folder, "plan").code, 0);
}

#[test]
fn what_cannot_be_decided_is_said() {
    let folder = shop();
    let nothing = Folder::of(&[(
        "config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    )]);
    assert_eq!(decide(&nothing, &["."]).code, 3);
    let wrong = decide(&folder, &["shop.yaml", "--take", "no-such"]);
    assert_eq!(
        wrong.failure(),
        "exit 2\nerror: `--take no-such`: there is no such guideline or option\n  \
         help: `seawall decide PATH --format json` lists all measures under `measures` and `passed`"
    );
}

#[test]
fn limits_rates_and_prices_can_stand_in_the_configuration() {
    let folder = shop();
    folder.write(
        "prices.yaml",
        "- { meter: azure-firewall-standard, amount: 900.25, currency: USD, source: our agreement, seen: 2026-11-01 }\n",
    );
    folder.write(
        "seawall.yaml",
        "budget: { money: 2000, effort: 9.5, currency: usd, region: westeurope, prices: prices.yaml, day-rate: 1000, hour-rate: 50, months: 12 }\n",
    );
    let plain = Folder::of(&[("shop.yaml", SHOP)]);
    plain.write(
        "prices.yaml",
        std::fs::read_to_string(folder.path().join("prices.yaml")).unwrap(),
    );
    let taken = ["shop.yaml", "--take", "traffic/firewall-egress"];
    let said = answer(&folder, &taken);
    let options = [
        &taken[..],
        &["--budget", "2000", "--max-effort", "9.5"],
        &["--currency", "USD", "--region", "westeurope"],
        &["--prices", "prices.yaml", "--day-rate", "1000"],
        &["--hour-rate", "50", "--months", "12"],
    ];
    let given = answer(&plain, &options.concat());
    for part in ["limits", "measures", "totals", "frontier"] {
        assert_eq!(said.value[part], given.value[part], "{part}");
    }
    assert_eq!(said.value["limits"]["monthly"], 2000.0);
    assert_eq!(said.value["limits"]["effortDays"], 9.5);
    assert_eq!(said.value["rates"]["currency"], "USD");
    assert_eq!(number(&said, "/rates/day"), 1000.0);
    assert_eq!(number(&said, "/rates/hour"), 50.0);
    assert_eq!(number(&said, "/rates/months"), 12.0);
    assert!(number(&said, "/totals/monthly") >= 900.25);
    let text = decide(&folder, &["shop.yaml"]);
    assert!(
        text.out.contains("Within 2,000 USD a month and 9.5 days"),
        "{}",
        text.out
    );

    // The file is beside the configuration, wherever seawall is run; what is given goes before it.
    let path = folder.path().join("shop.yaml");
    let path = path.to_str().unwrap();
    let elsewhere = answer(
        &Folder::new(),
        &[
            path,
            "--budget",
            "none",
            "--max-effort",
            "none",
            "--months",
            "24",
        ],
    );
    assert_eq!(elsewhere.value["limits"]["monthly"], Value::Null);
    assert_eq!(elsewhere.value["limits"]["effortDays"], Value::Null);
    assert_eq!(number(&elsewhere, "/rates/months"), 24.0);
    assert_eq!(elsewhere.value["rates"]["currency"], "USD");

    for (budget, message) in [
        (
            "{ cash: 3 }",
            "1: unknown key `cash` of `budget`; known are: …",
        ),
        (
            "{ money: much }",
            "1: `money` must be a number from 0 to 1000000000",
        ),
        (
            "{ months: 0 }",
            "1: `months` must be a whole number from 1 to 240",
        ),
        (
            "7",
            "1: `budget` must be a map such as { money: 500, effort: 10 }",
        ),
    ] {
        folder.write("seawall.yaml", format!("budget: {budget}\n"));
        let refused = decide(&folder, &["shop.yaml"]);
        let expected = format!("exit 2\nerror: seawall.yaml:{message}");
        assert!(
            refused.failure().starts_with(&expected),
            "{}",
            refused.failure()
        );
    }
    let wrong = decide(&plain, &["shop.yaml", "--budget", "much"]);
    assert_eq!(
        wrong.failure(),
        "exit 2\nerror: `--budget` must be from 0 to 1000000000, or `none`; not `much`"
    );
}
