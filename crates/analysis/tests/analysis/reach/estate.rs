//! Estates from objects written as YAML or JSON.

use std::collections::BTreeSet;
use std::sync::Arc;

use analysis::reach::{Around, Exposure, Options, Reach, Routes};
use cel::Symbols;
use model::azure::Defaults;
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::{Estate, Origin, Scope};
use serde_json::Value;

pub(crate) fn of(objects: &[Value], scope: Scope) -> Estate {
    let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    read(texts.iter().map(String::as_str), Form::Json, scope)
}

pub(crate) fn of_yaml(text: &str, scope: Scope) -> Estate {
    read(
        text.split("---\n").filter(|part| !part.trim().is_empty()),
        Form::Yaml,
        scope,
    )
}

fn read<'t>(texts: impl Iterator<Item = &'t str>, form: Form, scope: Scope) -> Estate {
    let symbols = Symbols::default();
    let managed = Managed::default();
    let defaults = Defaults::default();
    let reader = Reader {
        symbols: &symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(scope);
    for (index, text) in texts.enumerate() {
        let origin = Origin {
            path: Arc::from("estate.yaml"),
            index: index as u32,
            rendered_by: None,
            live: false,
        };
        let reading = reader.read(text, form, 1, &origin);
        for entry in &reading.entries {
            assert!(entry.reason.is_none(), "{entry:?}\n{text}");
        }
        for resource in reading.resources {
            estate.add(resource);
        }
    }
    estate.imply_namespaces(&symbols);
    estate
}

/// The network of an estate, held against what is worked out namespace by namespace.
pub(crate) fn built(estate: &Estate, options: &Options) -> Reach {
    let whole = Reach::build(estate, options);
    let around = Arc::new(Around::read(estate, options));
    let routes = Routes::read(estate);
    let namespaces: BTreeSet<&str> = whole
        .workloads()
        .iter()
        .map(|one| &*one.namespace)
        .collect();
    let mut exposures = 0;
    for namespace in namespaces {
        let part = Reach::of_namespace(estate, Arc::clone(&around), &routes, namespace);
        let all = whole.workloads().iter().enumerate();
        let own: Vec<_> = all
            .filter(|(_, one)| &*one.namespace == namespace)
            .collect();
        assert_eq!(own.len(), part.workloads().len());
        for ((number, one), (at, same)) in own.into_iter().zip(part.workloads().iter().enumerate())
        {
            assert_eq!(one.resource, same.resource);
            assert_eq!(whole.facts(one), part.facts(same), "{}", one.label());
            let of = |reach: &Reach, number: usize| {
                let found = reach.exposures_of(number).cloned();
                let found = found.map(|exposure| Exposure {
                    workload: 0,
                    ..exposure
                });
                found.collect::<Vec<_>>()
            };
            let (wanted, found) = (of(&whole, number), of(&part, at));
            assert_eq!(wanted, found, "{}", one.label());
            exposures += found.len();
        }
    }
    assert_eq!(exposures, whole.exposures().len());
    whole
}
