//! Fixes that the API server makes itself: a bad example comes out good.

use std::collections::BTreeSet;

use guide::Guide;
use guide::examples::fixed;
use guide::export::{Fixes, Options, map};
use guide::guideline::Expectation;
use guide::setting::{newest_minor, setting};
use serde_json::{Value, json};

use crate::cluster::{Answer, Cluster, SERVER, objects};
use crate::examples::prepare;
use crate::said::{id, say};

const GROUP: &str = "/apis/admissionregistration.k8s.io/v1beta1";

/// The same as it stands, but for requests that name it.
fn listening(name: &str, mut policy: Value, mut binding: Value) -> (Value, Value) {
    policy["metadata"]["name"] = name.into();
    let condition = json!({"name": "asked", "expression": format!("request.options.?fieldManager.orValue('') == '{name}'")});
    policy["spec"]["matchConditions"]
        .as_array_mut()
        .unwrap()
        .push(condition);
    // An error must show here.
    policy["spec"]["failurePolicy"] = "Fail".into();
    binding["metadata"]["name"] = name.into();
    binding["spec"]["policyName"] = name.into();
    binding["spec"]
        .as_object_mut()
        .unwrap()
        .remove("matchResources");
    (policy, binding)
}

#[test]
fn a_bad_example_comes_out_good() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let setting = setting(&guide, None, None).unwrap();
    let options = Options {
        server_minor: SERVER,
        fixes: Some(Fixes::All),
        ..Options::default()
    };
    let export = map(&guide, &setting, options, |_| true);
    let mut known = Vec::new();
    let mut everything = Vec::new();
    for policy in &export.policies {
        let guideline = guide.guideline(&policy.guideline.0).unwrap();
        let mut documents = objects(&policy.text).into_iter();
        let (object, binding) = documents.next().zip(documents.next()).unwrap();
        assert_eq!(object["apiVersion"], "admissionregistration.k8s.io/v1beta1");
        let (object, binding) = listening(&policy.name, object, binding);
        cluster.create(&format!("{GROUP}/mutatingadmissionpolicies"), &object);
        cluster.create(
            &format!("{GROUP}/mutatingadmissionpolicybindings"),
            &binding,
        );
        for example in &guideline.examples {
            everything.extend(example.files.iter().flat_map(|file| objects(&file.text)));
        }
        known.push((guideline, policy));
    }
    cluster.define(&everything);
    cluster.settle("all-made");
    let (mut good, mut number, mut wrong, mut changed) = (0, 0, Vec::new(), BTreeSet::new());
    for (guideline, policy) in known {
        for example in guideline.examples.iter().filter(|example| {
            example.expectation == Expectation::Bad
                && !example.invalid
                && example.params.is_none()
                && example
                    .kubernetes
                    .is_none_or(|minor| minor == newest_minor(&guide))
                && example.files.iter().all(|file| &*file.language == "yaml")
        }) {
            // What the fix leaves for people is left by the policy too.
            let tried = fixed(&guide, guideline, example).unwrap();
            let Some(after) = tried.after.filter(|_| tried.cured > 0) else {
                continue;
            };
            number += 1;
            let wanted = prepare(&cluster, guideline, &after, number);
            let wanted = say(&guide, guideline, &wanted, None, newest_minor(&guide)).unwrap();
            let all = prepare(&cluster, guideline, example, number);
            let whole = all.clone();
            for object in all {
                let kind = object["kind"].as_str().unwrap_or_default().to_owned();
                let workload = model::kinds::pod_route(group(&object), &kind).is_some();
                let about = model::kinds::Kind::Kubernetes {
                    group: group(&object).into(),
                    kind: kind.as_str().into(),
                };
                if !guideline.is_about(&about, workload) || has_ephemeral(&object) {
                    continue;
                }
                let key = id(&object);
                let Some(answer) = patiently(&cluster, &object, &policy.name) else {
                    continue;
                };
                let place = format!("{} {} {}", policy.name, key.0, key.2);
                if answer.status == 409 {
                    continue;
                }
                if answer.status != 201 {
                    wrong.push(format!("{place}: {}", answer.body["message"]));
                    continue;
                }
                let made = answer.body.clone();
                let read = |object: &Value| -> Vec<Value> {
                    let others = whole.iter().filter(|other| id(other) != key).cloned();
                    others.chain([object.clone()]).collect()
                };
                let fails = |objects: &[Value]| {
                    let said = say(&guide, guideline, objects, None, newest_minor(&guide)).unwrap();
                    said.get(&key).cloned().unwrap_or_default().fails
                };
                let left = fails(&read(&made));
                let expected = wanted.get(&key).cloned().unwrap_or_default().fails;
                // Some of its fixes have no such form: those findings stay, and no other comes.
                let partly = export
                    .stricter
                    .iter()
                    .any(|out| out.guideline == guideline.id);
                let whole_cure = left == expected;
                if whole_cure || partly && left.is_subset(&fails(&whole)) {
                    good += usize::from(whole_cure);
                    changed.insert(policy.name.clone());
                } else {
                    wrong.push(format!(
                        "{place}: left {:?}, the fix leaves {:?}",
                        left, expected
                    ));
                }
            }
        }
    }
    for line in &wrong {
        println!("{line}");
    }
    println!(
        "{} policies, {good} objects of {} come out as the fix leaves them, {} do not",
        export.policies.len(),
        changed.len(),
        wrong.len()
    );
    assert!(wrong.is_empty());
    assert!(changed.len() > 20, "{}", changed.len());
}

/// A kind that was just defined is not known to the patcher at once.
fn patiently(cluster: &Cluster, object: &Value, who: &str) -> Option<Answer> {
    let begin = std::time::Instant::now();
    loop {
        let answer = cluster.judge(object, who)?;
        let early = answer.body["message"]
            .as_str()
            .is_some_and(|text| text.contains("There can be a delay"));
        if !early || begin.elapsed().as_secs() > 60 {
            return Some(answer);
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

fn group(object: &Value) -> &str {
    model::kinds::split_api_version(object["apiVersion"].as_str().unwrap_or_default()).0
}

fn has_ephemeral(object: &Value) -> bool {
    object["spec"]["ephemeralContainers"].is_array()
}
