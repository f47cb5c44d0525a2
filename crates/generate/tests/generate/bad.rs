//! What the guide calls bad is refused where the generated policies are in force: by them in a namespace that nothing
//! else protects, and by whatever comes first in a namespace that was generated.

use std::collections::{BTreeMap, BTreeSet};

use guide::examples::assess;
use guide::guideline::{Example, ExampleFile, Expectation};
use guide::{Guide, Guideline, front_matter, setting};
use model::finding::Outcome;
use model::kinds;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::made::{Made, objects, parse, text};

/// The version that `cargo xtask setup` builds.
const SERVER: u8 = 34;

/// What guidelines read of a configuration.
fn params(guide: &Guide, configuration: &str) -> String {
    let doc = front_matter::read(configuration, 1).unwrap();
    let known = guide.params.iter().filter_map(|param| {
        Some((
            param.key.to_string(),
            setting::to_json(doc.root().get(&param.key)?),
        ))
    });
    Value::Object(known.collect()).to_string()
}

fn id(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// The objects of an example, each namespace under a name of its own. Namespaces of the example come back with their
/// labels.
fn prepare(
    guideline: &Guideline,
    number: usize,
    example: &Example,
) -> (Vec<Value>, BTreeMap<String, Value>) {
    let mut all: Vec<Value> = example
        .files
        .iter()
        .flat_map(|file| parse(&file.text))
        .collect();
    let own = |name: &str| format!("{name}-{}-{number}", guideline.id);
    let mut namespaces = BTreeMap::new();
    for object in &all {
        if object["kind"] == "Namespace" {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            namespaces.insert(own(name), object["metadata"]["labels"].clone());
        }
    }
    for object in &mut all {
        // These come through a subresource of a pod that is there, and fail alike.
        if let Some(spec) = object["spec"].as_object_mut() {
            spec.remove("ephemeralContainers");
        }
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "Namespace" {
            let name = own(object["metadata"]["name"].as_str().unwrap_or_default());
            object["metadata"]["name"] = name.into();
        } else if !kinds::is_cluster_scoped(&kind) {
            let name = own(object["metadata"]["namespace"]
                .as_str()
                .unwrap_or("somewhere"));
            namespaces.entry(name.clone()).or_insert_with(|| json!({}));
            object["metadata"]["namespace"] = name.into();
        }
    }
    (all, namespaces)
}

/// Kind and name of what fails with the configuration that was generated.
fn failing(
    guide: &Guide,
    guideline: &Guideline,
    all: &[Value],
    params: &str,
) -> BTreeSet<(String, String)> {
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let file = ExampleFile {
        language: "yaml".into(),
        text: texts.join("\n---\n").into(),
        line: 1,
        live: false,
    };
    let example = Example {
        expectation: Expectation::Bad,
        whole: true,
        invalid: false,
        kubernetes: Some(SERVER),
        as_of: None,
        params: Some(params.into()),
        files: vec![file],
    };
    let Ok(outcomes) = assess(guide, guideline, &example) else {
        return BTreeSet::new();
    };
    let fails = outcomes
        .findings
        .into_iter()
        .filter(|finding| matches!(finding.outcome, Outcome::Fail));
    fails
        .map(|finding| {
            (
                finding.resource.kind.name().to_owned(),
                finding.resource.name.to_string(),
            )
        })
        .collect()
}

#[test]
fn what_the_guide_calls_bad_is_refused() {
    let made = Made::new();
    let files = made.decided(&[]);
    let params = params(&made.guide, text(&files, "seawall.yaml"));
    let exported: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| {
            file.path
                .strip_prefix("manifests/cluster/policies/")?
                .strip_suffix(".yaml")
        })
        .collect();
    let cluster = Cluster::start();
    let mut cases = Vec::new();
    let mut spaces: BTreeMap<String, Value> = BTreeMap::new();
    for guideline in made
        .guide
        .guidelines
        .iter()
        .filter(|guideline| exported.contains(&*guideline.id.0))
    {
        let bad = guideline
            .examples
            .iter()
            .enumerate()
            .filter(|(_, example)| example.expectation == Expectation::Bad && !example.invalid);
        for (number, example) in bad {
            let (all, namespaces) = prepare(guideline, number, example);
            spaces.extend(namespaces);
            let failing = failing(&made.guide, guideline, &all, &params);
            let fails = all
                .into_iter()
                .filter(|object| failing.contains(&id(object)));
            cases.extend(fails.map(|object| (guideline, object)));
        }
    }
    // They would be refused once the policies hold.
    for (name, labels) in spaces {
        let labels = if labels.is_object() {
            labels
        } else {
            json!({})
        };
        cluster.made(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
    }
    for object in objects(&files) {
        if let Some((status, message)) = cluster.apply(&object) {
            assert!([200, 201].contains(&status), "{message}\n{object:#}");
        }
    }
    cluster.settle();
    let mut wrong = Vec::new();
    let (mut refused, mut by_own, mut first, mut unasked) = (0, 0, 0, 0);
    let mut guidelines = BTreeSet::new();
    for (guideline, mut object) in cases {
        if object["kind"] == "Namespace" {
            object["metadata"]["name"] = "another".into();
        }
        let Some((status, message)) = cluster.create(&object, true) else {
            unasked += 1;
            continue;
        };
        let what = format!("{}: {:?}", guideline.id, id(&object));
        if status == 422 && message.contains("ValidatingAdmissionPolicy 'seawall-") {
            refused += 1;
            guidelines.insert(&*guideline.id.0);
            by_own += usize::from(message.contains(&format!("'seawall-{}'", guideline.id)));
        } else {
            wrong.push(format!("{what} gets in: {status} {message}"));
        }
        if object["metadata"]["namespace"].is_string() {
            object["metadata"]["namespace"] = "orders".into();
            let (status, message) = cluster.create(&object, true).unwrap();
            first += 1;
            if ![403, 422].contains(&status) {
                wrong.push(format!(
                    "{what} gets into a generated namespace: {status} {message}"
                ));
            }
        }
    }
    let silent: Vec<&&str> = exported
        .iter()
        .filter(|id| !guidelines.contains(**id))
        .collect();
    println!(
        "{refused} bad objects of {} guidelines refused, {by_own} by the guideline's own policy; {first} refused in a \
         generated namespace; {unasked} not asked; without any: {silent:?}",
        guidelines.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Its examples hold no certificate request that a server could read.
    assert_eq!(silent, [&"api-no-client-cert-users"]);
    assert!(refused > 120, "{refused}");
}
