//! The other forms of policies: the kinds of Kyverno and Gatekeeper, checked by an API server that
//! knows their definitions, and Azure Policy. They ask what the API server's own policies ask,
//! which other tests hold against seawall.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guide::Guide;
use guide::export::{Export, Options, Waiver, azure_policy, gatekeeper, kyverno, vap};
use guide::setting::setting;
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVER, objects};

const PARAMS: &str = "{registries: [example.azurecr.io], servicePorts: [443]}";

fn export<E>(guide: &Guide, form: impl Fn(&Guide, &guide::Setting, Options<'_>) -> E) -> E {
    let setting = setting(guide, Some(PARAMS), Some(SERVER)).unwrap();
    let waivers = [Waiver {
        guideline: "pss-privileged".into(),
        resource: Some("apps/DaemonSet/*/log*".into()),
        item: None,
        reason: "logs".into(),
    }];
    let options = Options {
        server_minor: SERVER,
        waivers: &waivers,
        ..Options::default()
    };
    form(guide, &setting, options)
}

/// What the API server's own policies judge by, for each guideline.
fn asked(export: &Export) -> BTreeMap<String, Value> {
    let policies = export.policies.iter();
    policies
        .map(|policy| {
            let object = objects(&policy.text).swap_remove(0);
            (policy.guideline.0.to_string(), object["spec"].clone())
        })
        .collect()
}

/// A server that knows the kinds that the set-up fetched.
fn knowing(file: &str) -> Cluster {
    let folder = oracle::fixture("policy-kinds").unwrap();
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let cluster = Cluster::start();
    let group = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for mut definition in objects(&text) {
        definition["metadata"]["annotations"]["api-approved.kubernetes.io"] =
            "unapproved, for a test".into();
        // A webhook that does not run converts nothing.
        definition["spec"]
            .as_object_mut()
            .unwrap()
            .remove("conversion");
        cluster.create(group, &definition);
    }
    cluster
}

/// Creates an object; unknown fields are errors.
fn take(cluster: &Cluster, object: &Value, problems: &mut Vec<String>) {
    let prefix = format!("/apis/{}", object["apiVersion"].as_str().unwrap());
    let kind = object["kind"].as_str().unwrap();
    cluster
        .server
        .eventually("GET", &prefix, None, |status, list| {
            status == 200 && list.to_string().contains(&format!("\"{kind}\""))
        })
        .unwrap();
    let path = cluster.path(object).unwrap();
    let begin = std::time::Instant::now();
    let (status, answer) = loop {
        let asked = cluster
            .server
            .request(
                "POST",
                &format!("{path}?fieldValidation=Strict"),
                Some(object),
            )
            .unwrap();
        if asked.0 != 404 || begin.elapsed().as_secs() > 30 {
            break asked;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    if status != 201 {
        problems.push(format!(
            "{kind} {}: {}",
            object["metadata"]["name"], answer["message"]
        ));
    }
}

#[test]
fn kyverno_s_kind_takes_the_policies() {
    let (guide, _) = Guide::builtin();
    let own = asked(&export(&guide, |guide, setting, options| {
        vap(guide, setting, options, |_| true)
    }));
    let made = export(&guide, |guide, setting, options| {
        kyverno(guide, setting, options, |_| true)
    });
    let cluster = knowing("kyverno.yaml");
    let mut problems = Vec::new();
    for policy in &made.policies {
        let mut documents = objects(&policy.text);
        assert_eq!(documents.len(), 1);
        let object = documents.swap_remove(0);
        let spec = &own[&*policy.guideline.0];
        for part in ["matchConditions", "variables", "validations"] {
            assert_eq!(object["spec"][part], spec[part], "{} {part}", policy.name);
        }
        assert_eq!(
            object["spec"]["matchConstraints"]["resourceRules"],
            spec["matchConstraints"]["resourceRules"]
        );
        take(&cluster, &object, &mut problems);
    }
    println!(
        "{} policies of Kyverno, {} refused",
        made.policies.len(),
        problems.len()
    );
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(made.policies.len() > 75, "{}", made.policies.len());
}

#[test]
fn gatekeeper_s_kind_takes_the_templates() {
    let (guide, _) = Guide::builtin();
    let own = asked(&export(&guide, |guide, setting, options| {
        vap(guide, setting, options, |_| true)
    }));
    let made = export(&guide, |guide, setting, options| {
        gatekeeper(guide, setting, options, |_| true)
    });
    let cluster = knowing("gatekeeper.yaml");
    let mut problems = Vec::new();
    for policy in &made.policies {
        let documents = objects(&policy.text);
        let [template, constraint] = documents.as_slice() else {
            panic!("{}", policy.text);
        };
        let kind = &template["spec"]["crd"]["spec"]["names"]["kind"];
        assert_eq!(&constraint["kind"], kind);
        assert_eq!(
            template["metadata"]["name"].as_str().unwrap(),
            kind.as_str().unwrap().to_lowercase()
        );
        let source = &template["spec"]["targets"][0]["code"][0]["source"];
        let spec = &own[&*policy.guideline.0];
        for part in ["variables", "validations"] {
            assert_eq!(source[part], spec[part], "{} {part}", policy.name);
        }
        let conditions = source["matchCondition"].as_array().unwrap();
        assert_eq!(
            json!(conditions.get(1..).unwrap()),
            spec["matchConditions"],
            "{}",
            policy.name
        );
        take(&cluster, template, &mut problems);
    }
    println!(
        "{} templates of Gatekeeper, {} refused",
        made.policies.len(),
        problems.len()
    );
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(made.policies.len() > 75, "{}", made.policies.len());
}

#[test]
fn azure_policy_holds_the_templates_and_names_what_there_is() {
    let (guide, _) = Guide::builtin();
    let made = export(&guide, |guide, setting, options| {
        azure_policy(guide, setting, options, |_| true)
    });
    let templates = export(&guide, |guide, setting, options| {
        gatekeeper(guide, setting, options, |_| true)
    });
    let of_clusters = made
        .definitions
        .iter()
        .filter(|definition| definition.template.is_some());
    assert_eq!(of_clusters.count(), templates.policies.len());
    let listed = made.initiative["policyDefinitions"].as_array().unwrap();
    assert_eq!(listed.len(), made.definitions.len() + made.built_in);
    assert!(made.built_in > 35, "{}", made.built_in);
    for (definition, policy) in made.definitions.iter().zip(&templates.policies) {
        let properties = &definition.properties;
        let details = &properties["policyRule"]["then"]["details"];
        let Some(template) = &definition.template else {
            continue;
        };
        let content = STANDARD
            .decode(details["templateInfo"]["content"].as_str().unwrap())
            .unwrap();
        assert_eq!(&String::from_utf8(content).unwrap(), template);
        assert!(policy.text.starts_with(template));
        // Every parameter that is named is declared, and the other way round.
        let declared: Vec<&String> = properties["parameters"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        let rule = properties["policyRule"].to_string();
        for name in &declared {
            assert!(
                rule.contains(&format!("parameters('{name}')")),
                "{} {name}",
                definition.name
            );
        }
        assert_eq!(rule.matches("parameters('").count(), declared.len());
        assert!(properties["displayName"].as_str().unwrap().chars().count() <= 128);
        assert!(properties["description"].as_str().unwrap().chars().count() <= 512);
    }
    references_are_unique(listed);
    let parameters = made.initiative["parameters"].as_object().unwrap();
    let used = made.initiative["policyDefinitions"].to_string();
    for name in parameters.keys() {
        assert!(used.contains(&format!("parameters('{name}')")), "{name}");
    }
    let deployed: Value = serde_json::from_str(&made.deployment).unwrap();
    let resources = deployed["resources"].as_array().unwrap();
    assert_eq!(resources.len(), made.definitions.len() + 1);
    // Expressions of the definitions are no expressions of the template.
    for resource in resources {
        let text = resource["properties"].to_string();
        assert!(!text.contains("\"[parameters('"), "{}", resource["name"]);
    }
}

fn references_are_unique(listed: &[Value]) {
    let mut names: Vec<&str> = listed
        .iter()
        .map(|entry| entry["policyDefinitionReferenceId"].as_str().unwrap())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Conditions on fields say of a resource what the guideline says of it.
#[test]
fn conditions_on_fields_say_what_the_guideline_says() {
    let (guide, _) = Guide::builtin();
    let made = export(&guide, |guide, setting, options| {
        azure_policy(guide, setting, options, |guideline| {
            [
                "psp-flag-gone",
                "env-owner-env-tags",
                "id-control-plane-user-assigned",
            ]
            .contains(&&*guideline.id.0)
        })
    });
    println!("{:?}", made.left_out);
    let rules: BTreeMap<&str, &Value> = made
        .definitions
        .iter()
        .map(|definition| {
            (
                definition.name.as_str(),
                &definition.properties["policyRule"]["if"],
            )
        })
        .collect();
    assert_eq!(
        rules["seawall-psp-flag-gone"],
        &json!({"allOf": [
            {"field": "type", "equals": "Microsoft.ContainerService/managedClusters"},
            {"field": "Microsoft.ContainerService/managedClusters/enablePodSecurityPolicy", "equals": true},
        ]})
    );
}

/// The table of built-in definitions names guidelines that there are, each about Azure.
#[test]
fn built_in_definitions_belong_to_guidelines() {
    let (guide, _) = Guide::builtin();
    let table = objects(&guide.data["azure-policies.yaml"]).swap_remove(0);
    let mut seen = Vec::new();
    for entry in table["definitions"].as_array().unwrap() {
        let id = entry["guideline"].as_str().unwrap();
        let guideline = guide
            .guideline(id)
            .unwrap_or_else(|| panic!("no guideline {id}"));
        assert!(guideline.needs.azure, "{id} reads nothing of Azure");
        let guid = entry["id"].as_str().unwrap();
        let groups: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{guid}");
        assert!(!seen.contains(&guid), "{guid} stands there twice");
        seen.push(guid);
    }
}
