//! Every example of every guideline that can be exported.

use std::collections::{BTreeMap, BTreeSet};

use guide::examples::fixed;
use guide::export::{Options, vap};
use guide::guideline::Example;
use guide::setting::{newest_minor, setting};
use guide::{Guide, Guideline};
use model::kinds::is_cluster_scoped;
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVER, objects};
use crate::said::{Said, id, say};

/// What examples of a guideline are judged with: configuration and Kubernetes minor.
type Variant = (Option<Box<str>>, u8);

fn variant(guide: &Guide, example: &Example) -> Variant {
    (
        example.params.clone(),
        example.kubernetes.unwrap_or_else(|| newest_minor(guide)),
    )
}

#[derive(Default)]
struct Count {
    fails: usize,
    passes: usize,
    refused: usize,
    not_served: usize,
    unasked: usize,
    fixed: usize,
    disagreements: Vec<String>,
    refusals: Vec<String>,
    strange: BTreeSet<String>,
}

#[test]
fn the_api_server_agrees_with_every_example() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    let cluster = Cluster::start();
    let mut names: BTreeMap<(Box<str>, Variant), String> = BTreeMap::new();
    let mut everything = Vec::new();
    let mut types = Vec::new();
    let chosen = std::env::var("SEAWALL_VAP_ONLY").ok();
    let asked = |guideline: &&Guideline| {
        chosen
            .as_ref()
            .is_none_or(|only| only.split(',').any(|id| *id == *guideline.id.0))
    };
    for guideline in guide.guidelines.iter().filter(asked) {
        for example in &guideline.examples {
            let variant = variant(&guide, example);
            everything.extend(example.files.iter().flat_map(|file| objects(&file.text)));
            let key = (guideline.id.0.as_ref().into(), variant.clone());
            if names.contains_key(&key) {
                continue;
            }
            let Some((policy, binding)) = export(&guide, guideline, &variant, SERVER) else {
                continue;
            };
            let name = format!("{}-{}", guideline.id, names.len());
            let (policy, binding) = listening(&name, policy, &binding);
            cluster.add(&policy, &binding);
            types.push(type_checked(&cluster, &name, policy));
            names.insert(key, name);
        }
    }
    cluster.define(&everything);
    cluster.settle("all-made");
    let mut warnings = BTreeSet::new();
    for name in &types {
        for warning in cluster.type_warnings(name) {
            let text = warning["warning"].as_str().unwrap_or_default();
            // A guideline about several kinds reads fields that one of them does not have.
            if text.matches("ERROR").count() == text.matches("undefined field").count() {
                continue;
            }
            warnings.insert(format!(
                "{name} {}: {text}",
                warning["fieldRef"].as_str().unwrap_or_default()
            ));
        }
    }
    let mut counts = Count::default();
    for guideline in guide.guidelines.iter().filter(asked) {
        for (number, example) in guideline.examples.iter().enumerate() {
            if let Some(name) =
                names.get(&(guideline.id.0.as_ref().into(), variant(&guide, example)))
            {
                compare(
                    &cluster,
                    &guide,
                    guideline,
                    example,
                    number,
                    name,
                    &mut counts,
                );
                // What the fix makes of it, in namespaces of its own.
                let Some(after) = cured(&guide, guideline, example) else {
                    continue;
                };
                let before = counts.refusals.len();
                compare(
                    &cluster,
                    &guide,
                    guideline,
                    &after,
                    number + 1000,
                    name,
                    &mut counts,
                );
                for refusal in counts.refusals.iter_mut().skip(before) {
                    refusal.push_str(" (after the fix)");
                }
                counts.fixed += 1;
            }
        }
    }
    report(&counts, &names, &warnings);
    assert!(counts.fixed > 50, "{}", counts.fixed);
    assert!(counts.disagreements.is_empty() && counts.refusals.is_empty() && warnings.is_empty());
}

/// A valid bad example as the guideline's fix leaves it; `None` where the fix changes nothing.
fn cured(guide: &Guide, guideline: &Guideline, example: &Example) -> Option<Example> {
    // Of templates no API server is asked.
    if example.files.iter().any(|file| &*file.language != "yaml") {
        return None;
    }
    let tried = fixed(guide, guideline, example).unwrap();
    if example.invalid || tried.cured == 0 {
        return None;
    }
    tried.after
}

fn report(
    counts: &Count,
    names: &BTreeMap<(Box<str>, Variant), String>,
    warnings: &BTreeSet<String>,
) {
    for line in counts
        .disagreements
        .iter()
        .chain(&counts.refusals)
        .chain(&counts.strange)
        .chain(warnings)
    {
        println!("{line}");
    }
    let guidelines: BTreeSet<&str> = names.keys().map(|(id, _)| &**id).collect();
    println!(
        "{} policies of {} guidelines, {} examples fixed: {} objects fail alike, {} pass alike, {} disagree, {} of invalid examples, \
         {} of kinds it does not serve, {} that no policy is asked about; {} type warnings",
        names.len(),
        guidelines.len(),
        counts.fixed,
        counts.fails,
        counts.passes,
        counts.disagreements.len(),
        counts.refused,
        counts.not_served,
        counts.unasked,
        warnings.len(),
    );
}

/// The policy and binding of a guideline.
pub(crate) fn export(
    guide: &Guide,
    guideline: &Guideline,
    variant: &Variant,
    server: u8,
) -> Option<(Value, Value)> {
    let setting = setting(guide, variant.0.as_deref(), Some(variant.1)).unwrap();
    let options = Options {
        server_minor: server,
        ..Options::default()
    };
    let export = vap(guide, &setting, options, |other| other.id == guideline.id);
    let policy = export.policies.into_iter().next()?;
    let mut documents = objects(&policy.text).into_iter();
    documents.next().zip(documents.next())
}

/// A policy that judges only requests that name it, in every namespace, and warns.
pub(crate) fn listening(name: &str, mut policy: Value, binding: &Value) -> (Value, Value) {
    policy["metadata"]["name"] = name.into();
    let condition = json!({"name": "asked", "expression": format!("request.options.?fieldManager.orValue('') == '{name}'")});
    policy["spec"]["matchConditions"]
        .as_array_mut()
        .unwrap()
        .push(condition);
    let mut binding = binding.clone();
    binding["metadata"]["name"] = name.into();
    binding["spec"]["policyName"] = name.into();
    binding["spec"]["validationActions"] = json!(["Warn"]);
    binding["spec"]
        .as_object_mut()
        .unwrap()
        .remove("matchResources");
    (policy, binding)
}

/// The same policy for one version of each resource: the server's type checker skips wildcards.
fn type_checked(cluster: &Cluster, name: &str, mut policy: Value) -> String {
    let name = format!("{name}-typed");
    policy["metadata"]["name"] = name.as_str().into();
    for rule in policy["spec"]["matchConstraints"]["resourceRules"]
        .as_array_mut()
        .unwrap()
    {
        rule["apiVersions"] = json!(["v1"]);
    }
    cluster.create(
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        &policy,
    );
    name
}

/// The objects of an example, each in a namespace that exists.
pub(crate) fn prepare(
    cluster: &Cluster,
    guideline: &Guideline,
    example: &Example,
    number: usize,
) -> Vec<Value> {
    let mut all: Vec<Value> = example
        .files
        .iter()
        .flat_map(|file| objects(&file.text))
        .collect();
    let reads_namespace = guideline
        .needs
        .kinds
        .iter()
        .any(|kind| &**kind == "Namespace");
    // Namespaces of the same name differ between examples: each gets its own.
    let rename = |name: &str| {
        if reads_namespace {
            format!("{name}-{}-{number}", guideline.id)
        } else {
            name.to_owned()
        }
    };
    let mut labels = BTreeMap::new();
    for object in &mut all {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "Namespace" {
            let name = rename(object["metadata"]["name"].as_str().unwrap_or_default());
            object["metadata"]["name"] = name.as_str().into();
            labels.insert(name, object["metadata"]["labels"].clone());
        } else if !is_cluster_scoped(&kind) {
            let name = rename(
                object["metadata"]["namespace"]
                    .as_str()
                    .unwrap_or("somewhere"),
            );
            object["metadata"]["namespace"] = name.into();
        }
    }
    for object in &all {
        if let Some(name) = object["metadata"]["namespace"].as_str() {
            cluster.namespace(
                name,
                labels
                    .get(name)
                    .filter(|_| reads_namespace)
                    .filter(|labels| labels.is_object()),
            );
        }
    }
    all
}

fn compare(
    cluster: &Cluster,
    guide: &Guide,
    guideline: &Guideline,
    example: &Example,
    number: usize,
    policy: &str,
    counts: &mut Count,
) {
    let all = prepare(cluster, guideline, example, number);
    let place = format!(
        "{}:{}",
        guideline.file,
        example.files.first().map_or(1, |file| file.line)
    );
    let (params, minor) = variant(guide, example);
    let said = match say(guide, guideline, &all, params.as_deref(), minor) {
        Ok(said) => said,
        Err(problem) => {
            counts
                .disagreements
                .push(format!("{place}: seawall cannot read it: {problem}"));
            return;
        }
    };
    let mut invalid = false;
    for object in &all {
        let id = id(object);
        let workload = model::kinds::pod_route(api_group(object), &id.0).is_some();
        let kind = model::kinds::Kind::Kubernetes {
            group: api_group(object).into(),
            kind: id.0.as_str().into(),
        };
        if !guideline.is_about(&kind, workload) {
            continue;
        }
        let name = format!("{place}: {} {}", id.0, id.2);
        let ours = said.get(&id).cloned().unwrap_or_default();
        let Some(answer) = cluster.judge(object, policy) else {
            counts.not_served += 1;
            counts
                .strange
                .insert(format!("{name}: {} is not served", object["apiVersion"]));
            continue;
        };
        // What exists already was judged before that was noticed.
        let taken = [200, 201, 409].contains(&answer.status);
        if example.invalid {
            invalid |= !taken
                || answer
                    .warnings
                    .iter()
                    .any(|warning| warning.starts_with("unknown field"));
            counts.refused += 1;
            continue;
        }
        if !taken {
            counts.refusals.push(format!(
                "{name}: refused: {}",
                answer.body["message"].as_str().unwrap_or_default()
            ));
            continue;
        }
        counts.strange.extend(
            answer
                .warnings
                .iter()
                .map(|warning| format!("{name}: warning: {warning}")),
        );
        if id.0.starts_with("ValidatingAdmissionPolicy")
            || id.0.starts_with("MutatingAdmissionPolicy")
        {
            counts.unasked += 1;
            continue;
        }
        tally(&name, &ours, &answer.policies, counts);
    }
    if example.invalid && !invalid {
        counts.refusals.push(format!(
            "{place}: the API server takes an example that is called invalid"
        ));
    }
}

fn api_group(object: &Value) -> &str {
    model::kinds::split_api_version(object["apiVersion"].as_str().unwrap_or_default()).0
}

fn tally(name: &str, ours: &Said, theirs: &[(String, String)], counts: &mut Count) {
    let texts: BTreeSet<String> = theirs
        .iter()
        .flat_map(|(_, text)| text.split("; "))
        .map(str::to_owned)
        .collect();
    if ours.unknowns.is_empty() && ours.fails == texts {
        if texts.is_empty() {
            counts.passes += 1;
        } else {
            counts.fails += 1;
        }
    } else {
        counts.disagreements.push(format!(
            "{name}\n    seawall:    {ours:?}\n    API server: {texts:?}"
        ));
    }
}
