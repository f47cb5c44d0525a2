//! Cyclonus' generated cases of NetworkPolicy: its matcher's truth tables, pair by pair.

use std::process::Command;

use analysis::reach::{Options, Protocol};
use model::Scope;
use serde_json::Value;

use super::estate;

#[test]
fn every_generated_case_of_cyclonus_holds() {
    let oracle = oracle::part("oracle-netpol").unwrap();
    let output = Command::new(oracle).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut steps, mut compared) = (0, 0);
    for line in text.lines() {
        let step: Value = serde_json::from_str(line).unwrap();
        compared += compare(&step);
        steps += 1;
    }
    // Fewer than these were not all of them.
    assert!(steps >= 230, "{steps} steps");
    assert!(compared >= 100_000, "{compared} answers");
}

fn compare(step: &Value) -> usize {
    let estate = estate::of(step["objects"].as_array().unwrap(), Scope::Whole);
    let reach = estate::built(&estate, &Options::default());
    let number = |name: &Value| {
        let name = name.as_str().unwrap();
        let workload = reach
            .workloads()
            .iter()
            .find(|one| format!("{}/{}", one.namespace, one.name) == name)
            .unwrap();
        reach.number(reach.end_of(workload))
    };
    let mut matrix = reach.matrix();
    let truths = step["truths"].as_array().unwrap();
    let mut row = (String::new(), Vec::new());
    for truth in truths {
        let from = truth["from"].as_str().unwrap();
        if row.0 != from {
            row = (from.to_owned(), matrix.from(number(&truth["from"])));
        }
        let conn = matrix.conn(row.1[number(&truth["to"])]);
        let protocol = Protocol::parse(truth["protocol"].as_str().unwrap()).unwrap();
        let port = truth["port"].as_u64().unwrap() as u16;
        let wanted = truth["allowed"].as_bool().unwrap();
        let said = (
            conn.sure.contains(protocol, port),
            conn.may.contains(protocol, port),
        );
        assert_eq!(
            said,
            (wanted, wanted),
            "{} step {}: {truth}\n{}",
            step["case"],
            step["step"],
            step["objects"]
        );
    }
    truths.len()
}
