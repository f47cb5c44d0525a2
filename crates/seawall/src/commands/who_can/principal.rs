//! What a principal of Entra may do in a cluster that asks Azure. How Azure decides is left to [`analysis::roles`].

use analysis::ask::{
    Answer, Attributes, Evidence, Reach, Requester, ResourceTarget, Subject, Target, Why,
};
use analysis::rbac::{PolicyRule, Right};

use super::Asking;

/// Adds what Azure's roles give somebody with an object id in a cluster that asks Azure: every resource that is
/// known is asked about, in the cluster and in the namespaces that assignments name.
pub(super) fn add(
    asking: &Asking<'_>,
    requester: &Requester<'_>,
    rights: &mut Vec<Right>,
    unknown: &mut Vec<Why>,
) {
    let Some(cluster) = asking
        .rights
        .cluster()
        .filter(|_| requester.object_id.is_some())
    else {
        return;
    };
    let administrator = asking.rights.administrators();
    for holder in &administrator.known.holders {
        let Subject::Principal { id, .. } = &holder.subject else {
            continue;
        };
        if requester.object_id == Some(&**id) || requester.groups.iter().any(|own| *own == **id) {
            rights.push(Right {
                reach: Reach::Cluster,
                rule: super::subject::everything(),
                condition: holder.condition.clone(),
                evidence: holder.evidence.clone(),
            });
        }
    }
    // A doubt names whom it is about.
    let is_own = |why: &&Why| {
        let own = |id: &str| why.text.contains(id);
        requester.object_id.is_some_and(own) || requester.groups.iter().any(|group| own(group))
    };
    unknown.extend(administrator.known.unknown.iter().filter(is_own).cloned());
    let mut places = vec![String::new()];
    places.extend(
        asking
            .rights
            .roles
            .namespaces_assigned(cluster)
            .iter()
            .map(|name| name.to_string()),
    );
    for namespace in &places {
        for known in asking.rights.resources.all() {
            if known.cluster_scoped == Some(true) && !namespace.is_empty() {
                continue;
            }
            let subresources = known.subresources.iter();
            let own = std::iter::once(("", &known.verbs));
            for (subresource, verbs) in
                own.chain(subresources.map(|(name, verbs)| (&**name, verbs)))
            {
                for verb in verbs {
                    let attributes = Attributes {
                        verb,
                        target: Target::Resource(ResourceTarget {
                            group: &known.group,
                            version: "",
                            resource: &known.name,
                            subresource,
                            namespace,
                            name: "",
                        }),
                    };
                    let resource = match subresource {
                        "" => known.name.clone(),
                        subresource => format!("{}/{subresource}", known.name).into(),
                    };
                    let (evidence, condition) =
                        match asking.rights.roles.may(cluster, requester, &attributes) {
                            Answer::Yes(evidence) => (evidence, None),
                            Answer::If {
                                evidence,
                                condition,
                            } => (evidence, Some(condition)),
                            Answer::Unknown(whys) => {
                                for why in whys {
                                    if !unknown.contains(&why) {
                                        unknown.push(why);
                                    }
                                }
                                continue;
                            }
                            Answer::No(_) => continue,
                        };
                    let reach = match namespace.as_str() {
                        "" => Reach::Cluster,
                        namespace => Reach::Namespace(namespace.into()),
                    };
                    note(
                        rights,
                        reach,
                        verb,
                        &known.group,
                        resource,
                        condition,
                        evidence,
                    );
                }
            }
        }
    }
    fold(rights);
}

/// Adds a verb to the right on its resource.
fn note(
    rights: &mut Vec<Right>,
    reach: Reach,
    verb: &str,
    group: &str,
    resource: Box<str>,
    condition: Option<Box<str>>,
    evidence: Evidence,
) {
    let same = |right: &&mut Right| {
        same_grant(&right.evidence, &evidence)
            && right.condition == condition
            && right.rule.groups.iter().any(|own| **own == *group)
            && right.rule.resources.contains(&resource)
    };
    // What holds in the whole cluster is not repeated for a namespace.
    let everywhere = reach != Reach::Cluster
        && rights.iter().any(|right| {
            right.reach == Reach::Cluster
                && same_grant(&right.evidence, &evidence)
                && right.rule.groups.iter().any(|own| **own == *group)
                && right.rule.resources.contains(&resource)
                && right.rule.verbs.iter().any(|own| **own == *verb)
        });
    if everywhere {
        return;
    }
    match rights
        .iter_mut()
        .filter(|right| right.reach == reach)
        .find(same)
    {
        Some(right) => right.rule.verbs.push(verb.into()),
        None => rights.push(Right {
            reach,
            rule: PolicyRule {
                verbs: vec![verb.into()],
                groups: vec![group.into()],
                resources: vec![resource],
                ..PolicyRule::default()
            },
            condition,
            evidence,
        }),
    }
}

/// Makes one right of those by the same assignment with the same verbs in the same group.
fn fold(rights: &mut Vec<Right>) {
    let mut folded: Vec<Right> = Vec::new();
    for right in rights.drain(..) {
        let same = folded.iter_mut().find(|known| {
            matches!(right.evidence, Evidence::Assignment { .. })
                && same_grant(&known.evidence, &right.evidence)
                && known.reach == right.reach
                && known.condition == right.condition
                && known.rule.verbs == right.rule.verbs
                && known.rule.groups == right.rule.groups
        });
        match same {
            Some(known) => known.rule.resources.extend(right.rule.resources),
            None => folded.push(right),
        }
    }
    *rights = folded;
}

/// Whether two rights come from the same assignment; by which line of the role does not matter.
fn same_grant(one: &Evidence, other: &Evidence) -> bool {
    match (one, other) {
        (
            Evidence::Assignment { assignment, .. },
            Evidence::Assignment {
                assignment: other, ..
            },
        ) => assignment == other,
        _ => false,
    }
}
