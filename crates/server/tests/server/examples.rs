//! Every object in every example of the guide, as a file and before the gate.

use std::collections::BTreeSet;

use guide::setting::{self, to_json};
use guide::{Guide, Judge};
use model::finding::Finding;
use model::kinds::Kind;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::resource::Origin;
use model::{Estate, Resource, Scope};
use report::config::Config;
use report::triage::Triage;
use serde_json::{Value, json};
use server::admission::{Gate, Half, Review, Rules};

/// The plural of a kind: reviews carry it, nothing depends on it.
fn plural(kind: &str) -> String {
    kind.to_lowercase() + "s"
}

/// A review of a new object.
pub(crate) fn review(object: &Value) -> String {
    let (group, version) = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
        .unwrap_or(("", object["apiVersion"].as_str().unwrap_or_default()));
    let kind = object["kind"].as_str().unwrap_or_default();
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
            "kind": { "group": group, "version": version, "kind": kind },
            "resource": { "group": group, "version": version, "resource": plural(kind) },
            "namespace": object["metadata"]["namespace"],
            "name": object["metadata"]["name"],
            "operation": "CREATE",
            "userInfo": { "username": "jane", "groups": ["system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": false,
        }
    })
    .to_string()
}

pub(crate) fn read(guide: &Guide, text: &str, form: Form, first_line: u32) -> Vec<Resource> {
    let managed = Managed::default();
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let origin = Origin {
        path: "0".into(),
        index: 0,
        rendered_by: None,
        live: false,
    };
    reader.read(text, form, first_line, &origin).resources
}

type Said = (String, String, String, Option<Box<str>>, String);

fn said<'f>(findings: impl Iterator<Item = &'f Finding>) -> BTreeSet<Said> {
    findings
        .map(|finding| {
            (
                finding.guideline.to_string(),
                finding.outcome.word().to_owned(),
                finding.message.clone(),
                finding.item.clone(),
                finding.place.route.clone(),
            )
        })
        .collect()
}

/// As an API server would hand an object on: with a namespace.
fn sent(resource: &Resource) -> Value {
    let mut object = to_json(resource.object());
    if !model::kinds::is_cluster_scoped(resource.name.kind.name())
        && object["metadata"]["namespace"].is_null()
        && object["metadata"].is_object()
    {
        object["metadata"]["namespace"] = "default".into();
    }
    object
}

#[test]
fn the_gate_says_what_assess_says_of_every_example() {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty());
    let mut asked = 0;
    let mut joined = 0;
    let mut wrong = Vec::new();
    for guideline in &guide.guidelines {
        if guideline.files_only || guideline.needs.azure || guideline.needs.network {
            continue;
        }
        for example in &guideline.examples {
            let minor = example.kubernetes;
            let Ok(mut setting) = setting::setting(&guide, example.params.as_deref(), minor) else {
                continue;
            };
            if let Some(day) = example.as_of.as_deref() {
                setting.aks = setting::aks_versions(&guide, Some(day));
                setting.today = setting::midnight(day);
            }
            let judge = Judge::new(&guide, &setting, |other| other.id == guideline.id);
            let gate = Gate::new(
                &guide,
                &setting,
                Rules::default(),
                Triage::new(&Config::default(), "2026-11-27"),
                Managed::default(),
                |other| other.id == guideline.id,
            );
            let scope = if example.whole {
                Scope::Whole
            } else {
                Scope::Open
            };
            let texts: Vec<Value> = example
                .files
                .iter()
                .filter(|file| &*file.language == "yaml")
                .flat_map(|file| yaml::documents(&file.text))
                .flat_map(|raw| read(&guide, &raw.text, Form::Yaml, 1))
                .filter(|resource| matches!(resource.name.kind, Kind::Kubernetes { .. }))
                .map(|resource| sent(&resource))
                .collect();
            for (at, object) in texts.iter().enumerate() {
                // No API server hands on an object whose name is no text.
                if ["name", "namespace"].iter().any(|key| {
                    let value = &object["metadata"][key];
                    !value.is_null() && !value.is_string()
                }) {
                    continue;
                }
                let text = object.to_string();
                let own = read(&guide, &text, Form::Json, 1);
                let [own] = own.as_slice() else {
                    continue;
                };
                // The others stand in the cluster already.
                let mut estate = Estate::new(scope);
                let mut whole = Estate::new(scope);
                let mut number = None;
                for (other, object) in texts.iter().enumerate() {
                    for resource in read(&guide, &object.to_string(), Form::Json, 1) {
                        if other != at {
                            estate.add(resource.clone());
                        }
                        let id = whole.add(resource);
                        if other == at {
                            number = Some(id);
                        }
                    }
                }
                estate.imply_namespaces(&guide.symbols);
                whole.imply_namespaces(&guide.symbols);
                let beside = guide::facts::analyses(&guide, &setting, &estate);
                let all = guide::facts::analyses(&guide, &setting, &whole);
                let mut file = judge.local(own).findings;
                let among = whole.get(number.unwrap()).unwrap();
                if !judge.joined_about(own).is_empty() {
                    joined += 1;
                    file.extend(judge.joined(among, &all).findings);
                }
                let body = review(object);
                let review = Review::parse(&body).unwrap();
                let decision = gate.decide(&review, Half::Both, None, Some(&beside), &|_| false);
                asked += 1;
                let (file, gate) = (
                    said(file.iter()),
                    said(decision.said.iter().map(|said| &said.finding)),
                );
                if file != gate {
                    wrong.push(format!(
                        "{} line {} object {at} ({}):\n  file {file:?}\n  gate {gate:?}",
                        guideline.id,
                        example.files[0].line,
                        own.name.id(),
                    ));
                }
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    assert!(joined > 100, "{joined}");
    assert!(
        wrong.is_empty(),
        "{} of {asked} ({joined} joined) differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
