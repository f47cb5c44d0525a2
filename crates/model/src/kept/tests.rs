use cel::Symbols;
use yaml::Limits;

use super::*;
use crate::azure::Defaults;
use crate::managed::Managed;
use crate::manifest::Form;

fn with_reader<T>(run: impl FnOnce(&Reader<'_>) -> T) -> T {
    run(&Reader {
        symbols: &Symbols::default(),
        wants: &|_| true,
        managed: &Managed::default(),
        defaults: &Defaults::default(),
        limits: Limits::default(),
        schema: None,
    })
}

fn origin() -> Origin {
    Origin {
        path: "a.yaml".into(),
        index: 0,
        rendered_by: None,
        live: false,
    }
}

#[test]
fn what_is_kept_reads_the_same() {
    with_reader(|reader| {
        let text = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: web, namespace: shop}\nspec:\n  a: &a [1, 18446744073709551615, 2.5, 1e300, true, \"x\\n\\\"y\\\"\"]\n  b: *a\n  c: {d: ~, e: {}, f: []}\n";
        let resource = reader
            .read(text, Form::Yaml, 1, &origin())
            .resources
            .remove(0);
        let kept = keep(&resource).unwrap();
        let again = read(&kept, reader).resources.remove(0);
        assert!(resource.object().equals(again.object()), "{}", kept.json);
        assert_eq!(again.name, resource.name);
        assert_eq!(keep(&again).unwrap().json, kept.json);
        assert!(again.origin.live);
    });
}

#[test]
fn what_a_template_leaves_open_stays_open() {
    with_reader(|reader| {
        let text = r#"{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "parameters": {"local": {"type": "bool"}, "prefix": {"type": "string"}},
            "resources": [{"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01",
                "name": "[format('{0}-aks', parameters('prefix'))]",
                "properties": {"disableLocalAccounts": "[parameters('local')]", "windowsProfile": {"adminPassword": "Zq7vCanary"}}}]}"#;
        let readings = reader.read(text, Form::Json, 1, &origin()).resources;
        assert!(!readings.is_empty());
        for resource in readings {
            let kept = keep(&resource).unwrap();
            assert!(!kept.json.contains("Canary"), "{}", kept.json);
            let mut reading = read(&kept, reader);
            let again = reading.resources.remove(0);
            assert!(resource.object().equals(again.object()), "{}", kept.json);
            assert_eq!(
                resource
                    .azure
                    .as_ref()
                    .map(|azure| (&azure.id, azure.cases.len())),
                again
                    .azure
                    .as_ref()
                    .map(|azure| (&azure.id, azure.cases.len()))
            );
            let filled = |resource: &Resource| {
                let id = resource.object().get("id");
                id.is_some_and(Ref::is_filled_in)
            };
            assert_eq!(filled(&resource), filled(&again));
        }
    });
}

#[test]
fn marks_that_mean_nothing_are_values() {
    with_reader(|reader| {
        for text in [
            "{\"$seawall\":\"surprise\"}",
            "{\"$seawall\":1}",
            "{\"a\":1,\"$seawall\":\"open\"}",
            "{\"$seawall\":\"default\"}",
        ] {
            let doc = build::read(text, false, reader).unwrap();
            assert!(doc.root().is_map(), "{text}");
        }
        let doc = build::read("{\"$seawall\":\"open\"}", false, reader).unwrap();
        assert!(doc.root().is_open());
    });
}

#[test]
fn secrets_are_struck_from_what_an_api_gave() {
    let secret = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"Canary\"}}","x":"1"},"managedFields":[{"a":"Canary"}]},"data":{"a":"Canary"},"type":"Opaque"}"#;
    assert_eq!(
        scrubbed(secret, false).unwrap(),
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","annotations":{"x":"1"}},"data":{"a":""},"type":"Opaque"}"#
    );
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Pod\",\"env\":[{\"name\":\"A_TOKEN\",\"value\":\"Canary\"}]}"}},"spec":{"env":[{"value":"Canary","name":"A_TOKEN"}],"args":["--password","Canary"]}}"#;
    let struck = scrubbed(pod, false).unwrap();
    assert!(!struck.contains("Canary"), "{struck}");
    assert!(struck.contains(r#"\"kind\":\"Pod\""#), "{struck}");
    let azure = r#"{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/secrets/s","type":"Microsoft.KeyVault/vaults/secrets","properties":{"value":"Canary"}}"#;
    assert!(!scrubbed(azure, true).unwrap().contains("Canary"));
    assert_eq!(scrubbed("{", false), None);
}
