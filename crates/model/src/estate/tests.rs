//! An estate whose resources come and go answers as one that is made of what is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Symbols;
use yaml::Limits;

use super::*;
use crate::azure::Defaults;
use crate::managed::Managed;
use crate::manifest::{Form, Reader};
use crate::resource::Origin;

/// Numbers by chance, the same each time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }
}

const NAMES: [&str; 3] = ["api", "db", "web"];

/// An object by chance, and where it lies.
fn object(chance: &mut Chance) -> (String, String) {
    let namespace = chance.of(&["bank", "shop"]);
    let (name, other) = (chance.of(&NAMES), chance.of(&NAMES));
    let meta = format!("metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}");
    let pod = format!(
        "{{containers: [{{name: c, image: x, envFrom: [{{secretRef: {{name: {other}}}}}]}}], serviceAccountName: {other}}}"
    );
    let template =
        format!("template: {{metadata: {{labels: {{app: {name}, tier: {other}}}}}, spec: {pod}}}");
    let owner = format!(
        "ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: {other}, controller: true}}]"
    );
    let (plural, text) = match chance.below(8) {
        0 => {
            let meta = format!("metadata: {{name: {namespace}}}");
            let path = format!("namespaces/{namespace}");
            return (path, format!("apiVersion: v1\nkind: Namespace\n{meta}\n"));
        }
        1 => (
            "pods",
            format!("apiVersion: v1\nkind: Pod\n{meta}, {owner}}}\nspec: {pod}\n"),
        ),
        2 => (
            "deployments",
            format!("apiVersion: apps/v1\nkind: Deployment\n{meta}}}\nspec: {{{template}}}\n"),
        ),
        3 => (
            "services",
            format!(
                "apiVersion: v1\nkind: Service\n{meta}}}\nspec: {{selector: {{app: {other}}}}}\n"
            ),
        ),
        4 => {
            let selector = chance.of(&[
                "{}",
                "{matchLabels: {app: web}}",
                "{matchExpressions: [{key: tier, operator: In, values: [db]}]}",
            ]);
            (
                "networkpolicies",
                format!(
                    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{meta}}}\nspec: {{podSelector: {selector}}}\n"
                ),
            )
        }
        5 => (
            "serviceaccounts",
            format!("apiVersion: v1\nkind: ServiceAccount\n{meta}}}\n"),
        ),
        6 => (
            "secrets",
            format!("apiVersion: v1\nkind: Secret\n{meta}}}\n"),
        ),
        _ => (
            "rolebindings",
            format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n{meta}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {other}}}\nsubjects: [{{kind: ServiceAccount, name: {name}}}]\n"
            ),
        ),
    };
    (format!("{plural}/{namespace}/{name}"), text)
}

fn read(symbols: &Symbols, path: &str, text: &str) -> Resource {
    let reader = Reader {
        symbols,
        wants: &|_| true,
        managed: &Managed::default(),
        defaults: &Defaults::default(),
        limits: Limits::default(),
        schema: None,
    };
    let origin = Origin {
        path: path.into(),
        index: 0,
        rendered_by: None,
        live: true,
    };
    let mut reading = reader.read(text, Form::Yaml, 1, &origin);
    assert_eq!(reading.resources.len(), 1, "{text}");
    reading.resources.remove(0)
}

fn shown<'e>(
    estate: &'e Estate,
    ids: impl IntoIterator<Item = &'e ResourceRef>,
) -> Vec<(&'e str, String)> {
    let ids = ids.into_iter();
    ids.map(|id| {
        let own = estate.get(*id).unwrap();
        (&*own.origin.path, own.name.id())
    })
    .collect()
}

/// Everything that an estate answers.
fn answers(estate: &Estate) -> Vec<String> {
    let mut all = Vec::new();
    for (id, own) in estate.resources().numbered() {
        assert_eq!(estate.number_of(own), Some(id));
        let holder = estate.holder_of(own.object()).unwrap();
        assert_eq!(estate.number_of(holder), Some(id));
        let name = own.name.id();
        all.push(format!(
            "{name} at {} {}",
            own.origin.path,
            estate.is_owned(own)
        ));
        for kind in SELECTORS {
            let selecting = estate.selecting(own, kind);
            all.push(format!("{name} {kind} {:?}", shown(estate, &selecting)));
        }
        let selected = estate.selected_by(own);
        all.push(format!("{name} selects {:?}", shown(estate, &selected)));
        all.push(format!(
            "{name} used {:?}",
            shown(estate, estate.users_of(own))
        ));
        let bound = estate.bindings_of(own);
        all.push(format!("{name} bound {:?}", shown(estate, bound)));
    }
    let kinds: Vec<&str> = estate.by_kind.keys().map(|kind| &**kind).collect();
    for kind in kinds {
        all.push(format!("{kind} {:?}", shown(estate, estate.of_kind(kind))));
        for namespace in ["", "bank", "shop"] {
            let within = estate.in_namespace(namespace, kind);
            all.push(format!("{kind} in {namespace} {:?}", shown(estate, within)));
        }
    }
    let workloads: Vec<ResourceRef> = estate.workloads().collect();
    all.push(format!("workloads {:?}", shown(estate, &workloads)));
    all
}

#[test]
fn what_came_and_went_leaves_what_is_there() {
    let symbols = Symbols::default();
    let (mut implied, mut shared) = (0, 0);
    for seed in 1..=20_u64 {
        let mut chance = Chance(seed * 0x9e37_79b9);
        let mut estate = Estate::by_address(Scope::Open);
        let mut there: BTreeMap<String, (ResourceRef, String)> = BTreeMap::new();
        let mut free: Vec<ResourceRef> = Vec::new();
        let mut next = 0;
        for step in 0..40 {
            let mut changes = BTreeMap::new();
            for _ in 0..=chance.below(4) {
                let (path, text) = object(&mut chance);
                let address: Arc<str> = path.as_str().into();
                let resources = if chance.below(3) == 0 {
                    if let Some((id, _)) = there.remove(&path) {
                        free.push(id);
                    }
                    Vec::new()
                } else {
                    let known = there.get(&path).map(|(id, _)| *id);
                    let id = known.or_else(|| free.pop()).unwrap_or_else(|| {
                        next += 1;
                        // Two are for namespaces that are only named.
                        ResourceRef(next + 1)
                    });
                    let resource = read(&symbols, &path, &text);
                    there.insert(path, (id, text));
                    vec![(id, resource)]
                };
                changes.insert(Arc::clone(&address), Change { address, resources });
            }
            let number = |name: &str| ResourceRef(u32::from(name == "shop"));
            estate.change(changes.into_values().collect(), &symbols, number);

            let mut plain = Estate::new(Scope::Open);
            for (path, (_, text)) in &there {
                plain.add(read(&symbols, path, text));
            }
            plain.imply_namespaces(&symbols);
            assert_eq!(
                answers(&estate),
                answers(&plain),
                "seed {seed}, step {step}"
            );
            implied += estate.resources().iter().filter(|own| own.implied).count();

            // What lies together is found together.
            let mut together: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for own in estate.resources() {
                let others = together.entry(&own.origin.path).or_default();
                others.push(own.name.id());
            }
            for (path, names) in together {
                let found = estate.at(path).into_iter();
                let found: Vec<String> = found.map(|own| own.name.id()).collect();
                assert_eq!(found, names, "seed {seed}, step {step}");
                shared += usize::from(names.len() > 1);
            }
            assert!(estate.at("pods").is_empty());
        }
    }
    assert!(implied > 100 && shared > 100, "{implied} {shared}");
}

#[test]
fn a_name_has_the_first_of_those_who_bear_it() {
    let symbols = Symbols::default();
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\n";
    let mut estate = Estate::by_address(Scope::Open);
    let change = |estate: &mut Estate, path: &str, id: Option<u32>| {
        let resources = id.map(|id| (ResourceRef(id), read(&symbols, path, text)));
        let change = Change {
            address: path.into(),
            resources: resources.into_iter().collect(),
        };
        let number = |_: &str| ResourceRef(9);
        estate.change(vec![change], &symbols, number);
        let found = estate.find("shop", "Secret", "web");
        found.map(|own| own.origin.path.to_string())
    };
    assert_eq!(change(&mut estate, "b", Some(0)).as_deref(), Some("b"));
    assert_eq!(change(&mut estate, "c", Some(1)).as_deref(), Some("b"));
    assert_eq!(change(&mut estate, "a", Some(2)).as_deref(), Some("a"));
    assert_eq!(change(&mut estate, "a", None).as_deref(), Some("b"));
    assert_eq!(change(&mut estate, "b", None).as_deref(), Some("c"));
    assert_eq!(change(&mut estate, "c", None), None);
    assert!(estate.resources().is_empty());
}
