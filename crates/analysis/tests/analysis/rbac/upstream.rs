//! The same questions to upstream's authorizer and to us, on random estates: no difference.
//!
//! `SEAWALL_RBAC_SEEDS=1000` asks about more estates than a usual run does.

use std::borrow::Cow;

use analysis::ask::{
    Answer, Attributes, Ground, Holder, Names, Question, Reach, Requester, ResourceTarget, Subject,
    Target, Within, service_account,
};
use analysis::rbac::{PolicyRule, Rbac, RoleKindRef, reason};
use model::{Estate, Scope};
use oracle::{Lines, part};
use serde_json::{Value, json};

use super::random::{self, NAMESPACES, Objects};
use crate::estates::{self, Dice, rounds};

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

pub(crate) fn requester(asked: &Value) -> Requester<'_> {
    let groups = asked["groups"].as_array();
    Requester {
        user: text(asked, "user"),
        groups: groups
            .into_iter()
            .flatten()
            .map(|group| Cow::Borrowed(group.as_str().unwrap()))
            .collect(),
        object_id: None,
    }
}

pub(crate) fn attributes(spec: &Value) -> Attributes<'_> {
    let resource = &spec["resourceAttributes"];
    if resource.is_object() {
        return Attributes {
            verb: text(resource, "verb"),
            target: Target::Resource(ResourceTarget {
                group: text(resource, "group"),
                version: text(resource, "version"),
                resource: text(resource, "resource"),
                subresource: text(resource, "subresource"),
                namespace: text(resource, "namespace"),
                name: text(resource, "name"),
            }),
        };
    }
    let path = &spec["nonResourceAttributes"];
    Attributes {
        verb: text(path, "verb"),
        target: Target::Path(text(path, "path")),
    }
}

struct Round {
    estate: Estate,
    rbac: Rbac,
    objects: Objects,
}

fn round(dice: &mut Dice) -> Round {
    let objects = random::objects(dice);
    let estate = estates::estate(Scope::Whole, estates::json(objects.all()));
    Round {
        rbac: Rbac::new(&estate),
        estate,
        objects,
    }
}

/// Puts all questions of all seeds to one oracle, and each answer to a check.
fn hold(
    questions_of: impl Fn(&mut Dice, &Objects) -> Vec<Value>,
    check: impl Fn(&Round, &Value, &Value) -> Result<bool, String>,
) {
    let seeds = rounds("SEAWALL_RBAC_SEEDS", 40);
    let (mut asked, mut agreed_yes) = (0, 0);
    let mut wrong = Vec::new();
    for first in (0..seeds).step_by(50) {
        let mut lines = Vec::new();
        let mut all = Vec::new();
        for seed in first..seeds.min(first + 50) {
            let mut dice = Dice(seed);
            let round = round(&mut dice);
            let questions = questions_of(&mut dice, &round.objects);
            lines.push(round.objects.question());
            lines.extend(questions.iter().cloned());
            all.push((seed, round, questions));
        }
        let oracle = Lines::spawn(part("oracle-rbac").unwrap()).unwrap();
        let mut answers = oracle.ask_all(&lines).unwrap().into_iter();
        for (seed, round, questions) in &all {
            let made = answers.next().unwrap();
            assert!(made["roles"].is_number(), "seed {seed}: {made}");
            for question in questions {
                let answer = answers.next().unwrap();
                assert!(
                    answer["error"].is_null(),
                    "seed {seed}: {question}: {answer}"
                );
                asked += 1;
                match check(round, question, &answer) {
                    Ok(yes) => agreed_yes += usize::from(yes),
                    Err(ours) => wrong.push(format!(
                        "seed {seed}: {question}\n  upstream {answer}\n  ours {ours}"
                    )),
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    // Neither all yes nor all no, or the test would show little.
    assert!(
        agreed_yes * 20 > asked && agreed_yes * 20 < asked * 19,
        "{agreed_yes} of {asked} are yes"
    );
}

#[test]
fn reviews_are_answered_as_upstream_does() {
    hold(
        |dice, objects| {
            (0..120)
                .map(|_| json!({"review": random::review(dice, objects)}))
                .collect()
        },
        |round, question, upstream| {
            let spec = &question["review"];
            let ours = round.rbac.can(&requester(spec), &attributes(spec));
            let allowed = upstream["allowed"] == true;
            let agrees = match &ours {
                Answer::Yes(_) => {
                    allowed && reason(&ours, &round.estate) == text(upstream, "reason")
                }
                Answer::No(Ground::Complete) => !allowed,
                _ => false,
            };
            if agrees {
                Ok(allowed)
            } else {
                Err(format!("{ours:?} {}", reason(&ours, &round.estate)))
            }
        },
    );
}

#[test]
fn bindings_are_checked_as_upstream_does() {
    hold(
        |dice, _| {
            (0..80)
                .map(|_| json!({"bind": random::bind(dice)}))
                .collect()
        },
        |round, question, upstream| {
            let asked = &question["bind"];
            let kind = if asked["roleRef"]["kind"] == "Role" {
                RoleKindRef::Role
            } else {
                RoleKindRef::ClusterRole
            };
            let name = text(&asked["roleRef"], "name");
            let ours = round
                .rbac
                .may_bind(&requester(asked), kind, name, text(asked, "namespace"));
            let passes = upstream["explicit"] == true || upstream["covered"] == true;
            let explicit = matches!(ours, analysis::rbac::BindAnswer::Explicit);
            if ours.passes() == passes && explicit == (upstream["explicit"] == true) {
                Ok(passes)
            } else {
                Err(format!("{ours:?}"))
            }
        },
    );
}

#[test]
fn roles_are_checked_as_upstream_does() {
    hold(
        |dice, objects| {
            (0..80)
                .map(|_| json!({"write": random::write(dice, objects)}))
                .collect()
        },
        |round, question, upstream| {
            let asked = &question["write"];
            let rules: Vec<PolicyRule> = asked["rules"]
                .as_array()
                .unwrap()
                .iter()
                .map(rule)
                .collect();
            let ours = round.rbac.may_write_role(
                &requester(asked),
                text(asked, "namespace"),
                text(asked, "name"),
                &rules,
                asked["aggregates"] == true,
            );
            let passes = upstream["explicit"] == true || upstream["covered"] == true;
            let explicit = matches!(ours, analysis::rbac::WriteAnswer::Explicit);
            if ours.passes() == passes && explicit == (upstream["explicit"] == true) {
                Ok(passes)
            } else {
                Err(format!("{ours:?}"))
            }
        },
    );
}

pub(crate) fn rule(rule: &Value) -> PolicyRule {
    let list = |key: &str| -> Vec<Box<str>> {
        rule[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap().into())
            .collect()
    };
    PolicyRule {
        verbs: list("verbs"),
        groups: list("apiGroups"),
        resources: list("resources"),
        names: list("resourceNames"),
        urls: list("nonResourceURLs"),
    }
}

/// For a question of who may, every somebody is asked about one by one.
#[test]
fn who_can_lists_exactly_those_who_are_allowed_one_by_one() {
    hold(
        |dice, objects| {
            let mut questions = Vec::new();
            for _ in 0..3 {
                let spec = random::review(dice, objects);
                let names: &[&str] = if spec["resourceAttributes"].is_object() {
                    &["", "a", "b", "r0"]
                } else {
                    &[""]
                };
                let places: &[&str] = if names.len() > 1 {
                    &["", NAMESPACES[0], NAMESPACES[1]]
                } else {
                    &[""]
                };
                for (user, groups) in random::everybody() {
                    for name in names {
                        for place in places {
                            let mut one = spec.clone();
                            one["user"] = user.as_str().into();
                            one["groups"] = groups.clone().into();
                            if names.len() > 1 {
                                one["resourceAttributes"]["name"] = (*name).into();
                                one["resourceAttributes"]["namespace"] = (*place).into();
                            }
                            questions.push(json!({"review": one}));
                        }
                    }
                }
            }
            questions
        },
        |round, question, upstream| {
            let spec = &question["review"];
            let allowed = upstream["allowed"] == true;
            let who = match spec["groups"].as_array().unwrap().first() {
                Some(group) => Subject::Group(group.as_str().unwrap().into()),
                None => match service_account(text(spec, "user")) {
                    Some((namespace, name)) => Subject::ServiceAccount {
                        namespace: namespace.into(),
                        name: name.into(),
                    },
                    None => Subject::User(text(spec, "user").into()),
                },
            };
            for (within, named) in ways(spec) {
                let mut asked = spec.clone();
                if !named && asked["resourceAttributes"].is_object() {
                    asked["resourceAttributes"]["name"] = "".into();
                }
                let question = Question {
                    attributes: attributes(&asked),
                    within,
                };
                let found = round.rbac.who_can(&question);
                let place = text(&spec["resourceAttributes"], "namespace");
                let name = text(&spec["resourceAttributes"], "name");
                let listed = found
                    .holders
                    .iter()
                    .any(|holder| holds(holder, &who, place, name));
                if listed != allowed || !found.unknown.is_empty() {
                    return Err(format!("{within:?}, by name {named}: {:?}", found.holders));
                }
            }
            Ok(allowed)
        },
    );
}

/// The ways to find out: for the one name or for any, in the one place or anywhere.
fn ways(spec: &Value) -> Vec<(Within<'_>, bool)> {
    let place = text(&spec["resourceAttributes"], "namespace");
    let here = if place.is_empty() {
        Within::Cluster
    } else {
        Within::Namespace(place)
    };
    vec![
        (here, true),
        (here, false),
        (Within::Anywhere, true),
        (Within::Anywhere, false),
    ]
}

fn holds(holder: &Holder, who: &Subject, place: &str, name: &str) -> bool {
    let there = match &holder.reach {
        Reach::Cluster => true,
        Reach::Namespace(own) => &**own == place,
        Reach::NamespaceNotGiven => false,
    };
    let named = match &holder.names {
        Names::Any => true,
        Names::Only(names) => names.contains(name),
    };
    holder.subject == *who && there && named && holder.condition.is_none()
}
