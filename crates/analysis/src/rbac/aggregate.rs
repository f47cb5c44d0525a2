//! Aggregated ClusterRoles: their rules are those of the ClusterRoles that they select
//! (kubernetes pkg/controller/clusterroleaggregation). The controller replaces what is written in them, so
//! files say little about such a role until this was done; on what a cluster returned it changes nothing.
//!
//! One corner is easily missed: where nothing is selected, or only roles without rules, what is written stays. The
//! controller applies an empty list, which is not sent, and server-side apply leaves alone what it was not sent.

use std::collections::{HashMap, HashSet};

use model::{Estate, Ref};

use super::read::{Objects, Role, RoleKind, RuleAt};

/// Aggregates that select one another never need many rounds; the bound is for hostile input.
const ROUNDS: usize = 32;

type Labels<'a> = HashMap<&'a str, &'a str>;

/// One aggregate: its role, and the roles that each of its selectors finds, by name.
struct Aggregate {
    role: usize,
    selected: Vec<Vec<usize>>,
}

/// Replaces the rules of all aggregates.
pub(crate) fn aggregate(objects: &mut Objects, estate: &Estate) {
    let aggregates = aggregates(objects, estate);
    let order = sources_first(&aggregates);
    for _ in 0..ROUNDS {
        let mut changed = false;
        for aggregate in order.iter().filter_map(|at| aggregates.get(*at)) {
            let rules = sum(aggregate, &objects.roles);
            if let Some(role) = objects.roles.get_mut(aggregate.role)
                && !rules.is_empty()
                && !same(&role.rules, &rules)
            {
                role.rules = rules;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
}

fn same(one: &[RuleAt], two: &[RuleAt]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.rule == two.rule)
}

/// The rules of what is selected, in order, each different one once.
fn sum(aggregate: &Aggregate, roles: &[Role]) -> Vec<RuleAt> {
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for role in aggregate.selected.iter().flatten() {
        for rule in roles.get(*role).map_or(&[][..], |role| &role.rules) {
            if seen.insert(rule.rule) {
                rules.push(*rule);
            }
        }
    }
    rules
}

fn aggregates(objects: &Objects, estate: &Estate) -> Vec<Aggregate> {
    let cluster_roles: Vec<usize> = (0..objects.roles.len())
        .filter(|at| {
            objects
                .roles
                .get(*at)
                .is_some_and(|role| role.kind == RoleKind::ClusterRole)
        })
        .collect();
    let rules: Vec<(usize, Ref<'_>)> = cluster_roles
        .iter()
        .filter_map(|at| {
            let resource = estate.get(objects.roles.get(*at)?.resource)?;
            Some((*at, resource.object().get("aggregationRule")?))
        })
        .collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let labels: HashMap<usize, Labels<'_>> = cluster_roles
        .iter()
        .filter_map(|at| {
            let resource = estate.get(objects.roles.get(*at)?.resource)?;
            let labels = resource.object().path(&["metadata", "labels"]);
            let labels = labels
                .into_iter()
                .flat_map(Ref::entries)
                .map(|(key, _, value)| (key, value.as_str().unwrap_or_default()))
                .collect();
            Some((*at, labels))
        })
        .collect();
    let mut by_label: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for at in &cluster_roles {
        for (key, value) in labels.get(at).into_iter().flatten() {
            by_label.entry((*key, *value)).or_default().push(*at);
        }
    }
    let name = |at: &usize| {
        objects
            .roles
            .get(*at)
            .map_or("", |role| objects.words.text(role.name))
    };
    let mut found = Vec::new();
    'roles: for (role, rule) in rules {
        let mut selected = Vec::new();
        for selector in rule
            .get("clusterRoleSelectors")
            .into_iter()
            .flat_map(Ref::items)
        {
            // The controller gives up on a role with a selector that it cannot read.
            if !is_valid(selector) {
                continue 'roles;
            }
            let needed = selector.get("matchLabels").and_then(|labels| {
                let (key, _, value) = labels.entries().next()?;
                Some((key, value.as_str().unwrap_or_default()))
            });
            let candidates = match needed {
                Some(label) => by_label.get(&label).map_or(&[][..], Vec::as_slice),
                None => &cluster_roles,
            };
            let mut here: Vec<usize> = candidates
                .iter()
                .filter(|at| {
                    // By name: of a role that was given twice, neither is selected by the other.
                    name(at) != name(&role)
                        && labels
                            .get(at)
                            .is_some_and(|labels| selects(selector, labels))
                })
                .copied()
                .collect();
            here.sort_by(|one, two| name(one).cmp(name(two)));
            selected.push(here);
        }
        found.push(Aggregate { role, selected });
    }
    found.sort_by(|one, two| name(&one.role).cmp(name(&two.role)));
    found
}

/// An order in which what is selected comes before what selects it, so that one round is enough unless
/// aggregates select one another in a circle.
fn sources_first(aggregates: &[Aggregate]) -> Vec<usize> {
    let number: HashMap<usize, usize> = aggregates
        .iter()
        .enumerate()
        .map(|(at, aggregate)| (aggregate.role, at))
        .collect();
    let mut order = Vec::with_capacity(aggregates.len());
    let mut entered = vec![false; aggregates.len()];
    for start in 0..aggregates.len() {
        let mut stack = vec![(start, false)];
        while let Some((at, done)) = stack.pop() {
            if done {
                order.push(at);
                continue;
            }
            let Some(seen) = entered.get_mut(at) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            stack.push((at, true));
            let selected = aggregates.get(at).map_or(&[][..], |one| &one.selected);
            stack.extend(
                selected
                    .iter()
                    .flatten()
                    .rev()
                    .filter_map(|role| number.get(role))
                    .map(|next| (*next, false)),
            );
        }
    }
    order
}

/// Whether `LabelSelectorAsSelector` (apimachinery/pkg/apis/meta/v1/helpers.go) accepts a selector.
fn is_valid(selector: Ref<'_>) -> bool {
    let expressions = selector.get("matchExpressions");
    expressions.is_none_or(|expressions| {
        expressions.items().all(|expression| {
            let values = expression
                .get("values")
                .map_or(0, |values| values.items().len());
            match expression.get("operator").and_then(Ref::as_str) {
                Some("In" | "NotIn") => values > 0,
                Some("Exists" | "DoesNotExist") => values == 0,
                _ => false,
            }
        })
    })
}

fn selects(selector: Ref<'_>, labels: &Labels<'_>) -> bool {
    let plain = selector.get("matchLabels").is_none_or(|wanted| {
        wanted
            .entries()
            .all(|(key, _, value)| labels.get(key).copied() == value.as_str())
    });
    let expressions = selector.get("matchExpressions");
    plain
        && expressions.is_none_or(|expressions| {
            expressions.items().all(|expression| {
                let key = expression.get("key").and_then(Ref::as_str);
                let have = key.and_then(|key| labels.get(key).copied());
                let among = |value: &str| {
                    expression.get("values").is_some_and(|values| {
                        values.items().any(|item| item.as_str() == Some(value))
                    })
                };
                match expression.get("operator").and_then(Ref::as_str) {
                    Some("In") => have.is_some_and(among),
                    Some("NotIn") => have.is_none_or(|value| !among(value)),
                    Some("Exists") => have.is_some(),
                    Some("DoesNotExist") => have.is_none(),
                    _ => false,
                }
            })
        })
}
