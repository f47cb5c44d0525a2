//! What is followed namespace by namespace is what the whole says.

use std::collections::BTreeSet;
use std::sync::Arc;

use analysis::ask::{Evidence, Subject};
use analysis::roles::Builtin;
use analysis::{Analyses, Given, RightsTouched};
use model::{Estate, Scope};
use serde_json::{Value, json};

use super::random::{self, NAMESPACES};
use crate::estates::{self, Dice, rounds};

fn analyses(estate: &Estate) -> Analyses<'_> {
    let given = Given {
        kubernetes_minor: 34,
        builtin_objects: Box::new(Vec::new),
        builtin_roles: Box::new(|| Arc::new(Builtin::default())),
        network: analysis::reach::Options::default(),
    };
    Analyses::new(estate, given)
}

/// What somebody holds, in words: which fact, where, of what, and by which objects.
fn held(analyses: &Analyses<'_>, subject: &Subject) -> Vec<String> {
    let name = |id| {
        let resource = analyses.evidence().get(id).unwrap();
        let name = &resource.name;
        format!("{:?} {:?} {}", name.kind, name.namespace, name.name)
    };
    let all = analyses.escalations_of(subject).into_iter();
    all.map(|(fact, held)| {
        let by = held.evidence.iter().map(|evidence| match evidence {
            Evidence::Binding { binding, role, .. } => {
                format!("{} to {}", name(*binding), name(*role))
            }
            other => format!("{other:?}"),
        });
        let by: Vec<String> = by.collect();
        format!("{} {:?} {:?} {by:?}", fact.id, held.reach, held.names)
    })
    .collect()
}

#[test]
fn a_change_in_a_namespace_is_followed_as_if_all_was_read_anew() {
    let (mut differ, mut same) = (0, 0);
    for seed in 0..rounds("SEAWALL_RBAC_SEEDS", 200) {
        let mut dice = Dice(seed);
        let objects = random::objects(&mut dice);
        let admin = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "cluster-admin"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
        let namespace = *dice.of(&NAMESPACES);
        let (own, mut all): (Vec<Value>, Vec<Value>) = objects
            .all()
            .cloned()
            .partition(|object| object["metadata"]["namespace"] == namespace);
        all.push(admin);
        let without = estates::estate(Scope::Whole, estates::json(&all));
        // They come last, so the others keep their numbers.
        all.extend(own);
        let with = estates::estate(Scope::Whole, estates::json(&all));
        let touched = || RightsTouched {
            namespaces: [namespace.into()].into(),
            everywhere: false,
        };
        for (before, after) in [(&without, &with), (&with, &without)] {
            let (last, _) = analyses(before).follow_rights(None, RightsTouched::default());
            let (followed, again) = analyses(after).follow_rights(last.known_holdings(), touched());
            let again = again.unwrap();
            let (whole, was) = (analyses(after), analyses(before));
            let mut subjects: BTreeSet<&Subject> = whole.rights().rbac.subjects().iter().collect();
            subjects.extend(was.rights().rbac.subjects());
            for subject in subjects {
                let wanted = held(&whole, subject);
                assert_eq!(held(&followed, subject), wanted, "seed {seed}: {subject:?}");
                if held(&was, subject) == wanted {
                    same += 1;
                } else {
                    differ += 1;
                    assert!(again.contains(subject), "seed {seed}: {subject:?}");
                }
            }
        }
    }
    assert!(differ > 100 && same > 100, "{differ} differ, {same} do not");
}
