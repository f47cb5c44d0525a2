//! `seawall audit kql`: detections as rules of Microsoft Sentinel and of Azure Monitor.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::run::Folder;

/// The queries alone, by detection.
fn queries(folder: &Folder) -> BTreeMap<String, String> {
    let ran = folder.run(&["audit", "kql", "--to", "queries"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    read(folder, "queries", ".kql")
}

fn read(folder: &Folder, from: &str, ending: &str) -> BTreeMap<String, String> {
    fs::read_dir(folder.path().join(from))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let id = name
                .strip_suffix(ending)
                .unwrap_or_else(|| panic!("{name}"));
            (id.to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Hours of `1d` or `2h`.
fn hours(span: &str) -> u64 {
    let (number, unit) = span.split_at(span.len() - 1);
    number.parse::<u64>().unwrap() * if unit == "d" { 24 } else { 1 }
}

#[test]
fn sentinel_reads_each_rule() {
    let folder = Folder::new();
    let queries = queries(&folder);
    let ran = folder.run(&["audit", "kql", "--as", "sentinel", "--to", "rules"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rules = read(&folder, "rules", ".yaml");
    assert!(rules.len() > 50, "{} rules", rules.len());
    let texts: Vec<&String> = rules.values().collect();
    let answers = oracle::answers("oracle-yaml", &texts).unwrap();
    let mut ids = BTreeSet::new();
    for (detection, answer) in rules.keys().zip(answers) {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let rule = &answer["json"];
        let text = |key: &str| {
            rule[key]
                .as_str()
                .unwrap_or_else(|| panic!("{key}: {answer}"))
        };
        // A rule is known by its id, so no two have one.
        let id = text("id");
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert!(
            id.bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        );
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert_eq!(text("query").trim_end(), queries[detection].trim_end());
        assert!(text("query").chars().count() <= 10_000);
        assert!(["High", "Medium", "Low"].contains(&text("severity")));
        let (often, about) = (hours(text("queryFrequency")), hours(text("queryPeriod")));
        assert!(often <= about && about <= 14 * 24, "{often} {about}");
        assert!(
            !rule["tactics"].as_array().unwrap().is_empty(),
            "{detection}"
        );
        // What is shown of an alert is a column that the query gives.
        let last = text("query").trim_end().lines().last().unwrap();
        for mapping in rule["entityMappings"].as_array().unwrap() {
            let column = mapping["fieldMappings"][0]["columnName"].as_str().unwrap();
            assert!(last.contains(column), "{detection}: {column} in {last}");
        }
    }
    // What is not written is said, with the reason.
    for id in queries.keys().filter(|id| !rules.contains_key(*id)) {
        assert!(ran.err.contains(id.as_str()), "{id}: {}", ran.err);
    }
}

/// Alert rules are Bicep, which the program's own compiler reads: what Azure would get holds the same queries.
#[test]
fn alert_rules_hold_the_same_queries() {
    let folder = Folder::new();
    let queries = queries(&folder);
    let ran = folder.run(&["audit", "kql", "--as", "alert-rule", "--to", "alerts"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let built = folder.run(&["template", "build", "alerts/detections.bicep"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let template: Value = serde_json::from_str(&built.out).unwrap();
    let resources: Vec<&Value> = match &template["resources"] {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        other => panic!("{other}"),
    };
    assert!(resources.len() > 40, "{} rules", resources.len());
    let spans = ["PT1H", "PT2H", "PT3H", "P1D", "P2D"];
    for resource in resources {
        let id = resource["name"]
            .as_str()
            .unwrap()
            .strip_prefix("seawall-")
            .unwrap();
        let properties = &resource["properties"];
        let query = properties["criteria"]["allOf"][0]["query"]
            .as_str()
            .unwrap();
        assert_eq!(query.trim(), queries[id].trim(), "{id}");
        assert_eq!(resource["type"], "Microsoft.Insights/scheduledQueryRules");
        assert!(properties["severity"].as_u64().unwrap() <= 3);
        for key in ["evaluationFrequency", "windowSize"] {
            let span = properties[key].as_str().unwrap();
            assert!(spans.contains(&span), "{id}: {key} {span}");
        }
    }
}
