//! What is kept of an estate comes back as it was.

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
        let text = "# seawall: waive some-guideline because tested\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: web, namespace: shop}\nspec:\n  a: &a [1, 18446744073709551615, 2.5, 1e300, true, \"x\\n\\\"y\\\"\"]\n  b: *a\n  c: {d: ~, e: {}, f: []}\n";
        let first = || reader.read(text, Form::Yaml, 10, &origin());
        let resource = first().resources.remove(0);
        let kept = keep(first()).0.remove(0);
        let reading = read(&kept, reader);
        assert_eq!(reading.entries, first().entries);
        assert_eq!(reading.waivers, first().waivers);
        assert_eq!(reading.waivers.len(), 1);
        let again = &reading.resources[0];
        assert!(resource.object().equals(again.object()), "{}", kept.json);
        assert_eq!(
            (&again.name, &again.origin),
            (&resource.name, &resource.origin)
        );
        let line = |resource: &Resource, route: &[&str]| {
            let value = resource.object().path(route).unwrap();
            let span = value.key_span().unwrap();
            resource.doc.line_column(span.start).0
        };
        for route in [
            &["kind"][..],
            &["metadata"],
            &["metadata", "name"],
            &["spec", "c"],
        ] {
            assert_eq!(line(again, route), line(&resource, route), "{route:?}");
        }
        assert_eq!(line(again, &["spec", "a"]), 15);
        assert_eq!(keep(reading).0.remove(0), kept);
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
        let first = || reader.read(text, Form::Json, 1, &origin());
        let (kept, others) = keep(first());
        assert_eq!(kept.len(), first().resources.len());
        assert!(others.is_empty());
        let mut entries = 0;
        for (kept, resource) in kept.iter().zip(first().resources) {
            assert!(!kept.json.contains("Canary"), "{}", kept.json);
            let mut reading = read(kept, reader);
            entries += reading.entries.len();
            let again = reading.resources.remove(0);
            assert!(resource.object().equals(again.object()), "{}", kept.json);
            let azure = |resource: &Resource| {
                let azure = resource.azure.as_ref();
                azure.map(|azure| (azure.id.clone(), azure.cases.len()))
            };
            assert_eq!(azure(&resource), azure(&again));
            let filled = |resource: &Resource| {
                let id = resource.object().get("id");
                id.is_some_and(Ref::is_filled_in)
            };
            assert_eq!(filled(&resource), filled(&again));
            let line = |resource: &Resource| {
                let local = resource
                    .object()
                    .path(&["properties", "disableLocalAccounts"])?;
                Some(resource.doc.line_column(local.span().start).0)
            };
            assert_eq!(line(&resource), line(&again));
        }
        assert_eq!(entries, first().entries.len());
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
            let doc = build::read(text, false, reader, build::Places::default())
                .unwrap()
                .0;
            assert!(doc.root().is_map(), "{text}");
        }
        let doc = build::read(
            "{\"$seawall\":\"open\"}",
            false,
            reader,
            build::Places::default(),
        )
        .unwrap()
        .0;
        assert!(doc.root().is_open());
    });
}

#[test]
fn secrets_are_struck_from_what_an_api_gave() {
    let secret = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"Canary\"}}","x":"Canary"},"managedFields":[{"a":"Canary"}]},"data":{"a":"Canary"},"type":"Opaque"}"#;
    assert_eq!(
        scrubbed(secret, false).unwrap(),
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"","x":""}},"data":{"a":""},"type":"Opaque"}"#
    );
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Pod\",\"env\":[{\"name\":\"A_TOKEN\",\"value\":\"Canary\"}]}"}},"spec":{"env":[{"value":"Canary","name":"A_TOKEN"}],"args":["--password","Canary"]}}"#;
    let struck = scrubbed(pod, false).unwrap();
    assert!(!struck.contains("Canary"), "{struck}");
    assert!(struck.contains(r#"\"kind\":\"Pod\""#), "{struck}");
    let azure = r#"{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/secrets/s","type":"Microsoft.KeyVault/vaults/secrets","properties":{"value":"Canary"}}"#;
    assert!(!scrubbed(azure, true).unwrap().contains("Canary"));
    assert_eq!(scrubbed("{", false), None);
}
