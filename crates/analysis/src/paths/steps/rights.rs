//! From a subject of the cluster to what its rights amount to.
//!
//! Each deed ([`deeds`]) is asked of RBAC binding by binding; whoever may do it for all names is joined to a
//! right, which leads to its targets once for all; whoever may do it for some names is joined to these alone.
//! The rules of a role that somebody can bind to themselves are asked the same questions without a binding.
//!
//! | module | holds |
//! |---|---|
//! | `deeds` | which rights each deed takes |
//! | `names` | what a name in a rule is the name of |
//! | `members` | groups that follow from names; whoever does not sign in |
//! | `pods` | from rights over workloads and namespaces to pods, service accounts and nodes |
//! | `credentials` | Secrets, tokens, impersonation, certificates |
//! | `roles` | roles that are bound, widened, added to |
//! | `control` | kubelets, admission, scheduling, DNS, Services |
//! | `network` | what leads the internet to pods, and who changes network policies |
//! | `operators` | objects that a powerful controller carries out |
//!
//! Left out: rights that one and the same person holds by several names or groups, where one request needs more
//! than one of them: who a person is, bindings do not say. What somebody gives away of what they hold leads
//! nowhere new.

mod control;
mod credentials;
mod deeds;
mod members;
mod names;
mod network;
mod operators;
mod pods;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{NodeId, Ref, ResourceRef};

use crate::analyses::Rights;
use crate::ask::Names;
use crate::paths::admission::Removed;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::{EVERYTHING, Node, Place};
use crate::rbac::escalations::facts::Level;
use crate::rbac::{BindingView, Part};
use deeds::{Deed, Use};
pub(crate) use deeds::{reads, title_of};
pub(in crate::paths) use members::API_SERVER;

pub(super) fn add(builder: &mut Builder<'_>) {
    // Every cluster has these (kubernetes pkg/controlplane/controller/systemnamespaces).
    for namespace in ["default", "kube-system"] {
        builder.namespaces.insert(namespace.into());
        let accounts = builder.accounts.entry(namespace.into()).or_default();
        accounts.insert("default".into());
    }
    members::add(builder);
    let mut hands = Hands::new(builder);
    hands.held(builder);
    loop {
        roles::targets(builder, &mut hands);
        if !hands.of_roles(builder) {
            break;
        }
    }
    roles::held(builder, &hands);
    pods::add(builder, &hands);
    credentials::add(builder, &hands);
    control::add(builder);
    operators::add(builder);
    network::add(builder);
    from_everything(builder);
}

/// A deed as another authorizer is asked about it, which looks at no names.
#[derive(Clone, Copy)]
pub(super) struct ByOthers {
    pub(super) right: &'static str,
    pub(super) edge: Edge,
    pub(super) doubt: Option<&'static str>,
    /// It binds ClusterRoles of any name: everywhere, or in a namespace.
    binds: Option<bool>,
}

impl ByOthers {
    /// The right that it comes to in a place: cluster-admin is among the roles that can be bound.
    pub(super) fn right_in(self, place: Place) -> &'static str {
        match self.binds {
            Some(everywhere) if everywhere || place != Place::Cluster => EVERYTHING,
            _ => self.right,
        }
    }
}

/// Every deed, and each list of rights that is enough for it; that of everything first.
pub(super) fn asked_of_others(
    minor: u8,
) -> impl Iterator<Item = (ByOthers, &'static [crate::rbac::escalations::facts::Need])> {
    deeds::of_version(minor).flat_map(|deed| {
        let own = ByOthers {
            right: deed.right,
            edge: deed.edge,
            doubt: deed.doubt,
            binds: match deed.leads {
                Use::Bind {
                    everywhere,
                    cluster_role: true,
                } => Some(everywhere),
                _ => None,
            },
        };
        deed.any_of.iter().map(move |needs| (own, *needs))
    })
}

/// Somebody or a role who may do a deed, in one way.
#[derive(Clone)]
pub(super) struct Hand {
    pub(super) from: NodeNo,
    pub(super) place: Place,
    /// One for each right that it takes.
    pub(super) names: Vec<Names>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) doubt: Option<Arc<str>>,
}

impl Hand {
    /// A step from it.
    pub(super) fn step(&self, edge: Edge, to: NodeNo) -> Draft {
        Draft::new(edge, self.from, to)
            .by_all(self.evidence.iter().cloned())
            .perhaps(self.doubt.clone())
    }
}

/// Somebody who may take what keeps pods out away, by its name.
pub(super) struct Tamper {
    pub(super) hand: Hand,
    pub(super) removed: Removed,
}

/// What is known while rights are read.
pub(super) struct Hands {
    /// Roles whose rules somebody can come to hold, and where; in the order in which they were found.
    wanted: Vec<(ResourceRef, Place)>,
    known: BTreeSet<(ResourceRef, Place)>,
    /// How many of them were read.
    read: usize,
    /// Roles that somebody may widen by name, and where they are bound.
    held: BTreeSet<(ResourceRef, Place)>,
    /// Who may take some of what keeps pods out away.
    tampers: Vec<Tamper>,
    names: names::Index,
    bindings: Arc<[Arc<BindingView>]>,
}

impl Hands {
    fn new(builder: &Builder<'_>) -> Self {
        Self {
            wanted: Vec::new(),
            known: BTreeSet::new(),
            read: 0,
            held: BTreeSet::new(),
            tampers: Vec::new(),
            names: names::Index::new(builder),
            bindings: builder
                .analyses
                .rights()
                .rbac
                .bindings()
                .map(Arc::new)
                .collect(),
        }
    }

    /// Who holds which right by a binding.
    fn held(&mut self, builder: &mut Builder<'_>) {
        let rights = builder.analyses.rights();
        let minor = builder.analyses.kubernetes_minor();
        for deed in deeds::of_version(minor) {
            for needs in deed.any_of {
                for doer in rights.rbac.doers(needs) {
                    if deed.right != EVERYTHING && doer.parts.iter().all(|part| part.full) {
                        continue; // comes from there
                    }
                    let hand = Hand {
                        from: builder.subject(&doer.subject),
                        // What is asked for in the whole cluster leads there, wherever the rest is held.
                        place: match needs.first().map(|need| need.level) {
                            Some(Level::Cluster) => Place::Cluster,
                            _ => builder.place(&doer.reach),
                        },
                        names: doer.parts.iter().map(|part| part.names.clone()).collect(),
                        evidence: evidence(builder, rights, &doer.parts, deed.title),
                        doubt: doubt(builder, &doer.parts, deed.doubt),
                    };
                    self.lay(builder, deed, &hand);
                }
            }
        }
        let open = rights
            .rbac
            .bindings()
            .filter_map(|binding| binding.unresolved);
        for why in open.take(GAPS) {
            builder.gap(&why);
        }
    }

    /// What the rules of roles amount to that somebody can come to hold; whether there were any that were not
    /// read before.
    fn of_roles(&mut self, builder: &mut Builder<'_>) -> bool {
        if self.wanted.len() == self.read {
            return false;
        }
        let rights = builder.analyses.rights();
        let minor = builder.analyses.kubernetes_minor();
        let mut by_role: BTreeMap<ResourceRef, Vec<OfRole<'_>>> = BTreeMap::new();
        for deed in deeds::of_version(minor) {
            for needs in deed.any_of {
                let level = needs
                    .iter()
                    .fold(Level::Anywhere, |level, need| match need.level {
                        Level::Anywhere => level,
                        other => other,
                    });
                for doer in rights.rbac.role_doers(needs) {
                    if deed.right != EVERYTHING && doer.parts.iter().all(|part| part.full) {
                        continue;
                    }
                    let own = by_role.entry(doer.role).or_default();
                    own.push((deed, level, doer.parts));
                }
            }
        }
        while let Some((role, place)) = self.wanted.get(self.read).copied() {
            self.read += 1;
            let from = role_node(builder, role, place);
            for (deed, level, parts) in by_role.get(&role).into_iter().flatten() {
                let counts = match (level, place) {
                    (Level::Anywhere, _) | (_, Place::Cluster) => true,
                    (Level::Cluster, _) => false,
                    (Level::Namespace(asked), Place::Namespace(own)) => {
                        builder.names.texts.text(own) == *asked
                    }
                };
                if !counts {
                    continue;
                }
                let hand = Hand {
                    from,
                    place,
                    names: parts.iter().map(|part| part.names.clone()).collect(),
                    evidence: evidence(builder, rights, parts, deed.title),
                    doubt: doubt(builder, parts, deed.doubt),
                };
                self.lay(builder, deed, &hand);
            }
        }
        true
    }

    /// The steps of somebody who may do a deed.
    fn lay(&mut self, builder: &mut Builder<'_>, deed: &Deed, hand: &Hand) {
        match deed.leads {
            Use::Free => {
                let right = builder.right(deed.right, hand.place);
                builder.add(hand.step(deed.edge, right));
            }
            Use::Everything => {
                if hand.names.iter().all(|names| *names == Names::Any) {
                    let right = builder.right(deed.right, hand.place);
                    builder.add(hand.step(deed.edge, right));
                }
            }
            Use::Named(target) => match hand.names.first() {
                Some(Names::Only(names)) => {
                    self.named(builder, deed, target, hand, names);
                }
                _ => {
                    let right = builder.right(deed.right, hand.place);
                    builder.add(hand.step(deed.edge, right));
                }
            },
            Use::Bind { .. } | Use::Rebind { .. } | Use::Widen { .. } | Use::Invent { .. } => {
                roles::lay(builder, self, deed, hand);
            }
        }
    }

    /// The rules of a role, somewhere, can come to be held.
    pub(super) fn want(&mut self, role: ResourceRef, place: Place) {
        if self.known.insert((role, place)) {
            self.wanted.push((role, place));
        }
    }

    pub(super) fn wanted(&self) -> &[(ResourceRef, Place)] {
        &self.wanted
    }

    /// Whoever holds a role somewhere must be known.
    pub(super) fn hold(&mut self, role: ResourceRef, place: Place) {
        self.held.insert((role, place));
    }

    pub(super) fn is_held(&self, role: ResourceRef, place: Place) -> bool {
        self.held.contains(&(role, place))
    }
}

/// What a role's rules allow, and at which level that counts.
type OfRole<'d> = (&'d Deed, Level, Vec<Part>);

/// How many bindings to unknown roles are told one by one.
const GAPS: usize = 20;

/// Who may do everything may do each of these. It is what the word says, so nothing else stands for it.
fn from_everything(builder: &mut Builder<'_>) {
    const LEADS_ON: [&str; 6] = [
        "pod-exec",
        "pod-create",
        "token-request",
        "account-create",
        "secret-read",
        "namespace-label",
    ];
    let always = builder.always("whoever may do everything may do this");
    for place in builder.places_of(EVERYTHING) {
        let from = builder.right(EVERYTHING, place);
        for right in LEADS_ON {
            let Some(deed) = deeds::every().find(|deed| deed.right == right) else {
                continue;
            };
            let to = builder.right(right, place);
            builder.add(Draft::new(deed.edge, from, to).by(always.clone()));
        }
    }
}

/// The node of a role's rules.
pub(super) fn role_node(builder: &mut Builder<'_>, role: ResourceRef, place: Place) -> NodeNo {
    let at = role.0 as usize;
    if builder.names.roles.len() <= at {
        builder.names.roles.resize(at + 1, Box::default());
    }
    let resource = builder.analyses.rights().estate.get(role);
    if let Some(slot) = builder.names.roles.get_mut(at)
        && let Some(resource) = resource
        && slot.is_empty()
    {
        *slot = resource.name.name.clone();
    }
    builder.node(Node::Role {
        role: role.0,
        place,
    })
}

/// Bindings and rules: the very subject and rule of each.
fn evidence(
    builder: &mut Builder<'_>,
    rights: &Rights,
    parts: &[Part],
    title: &str,
) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::with_capacity(parts.len() * 2);
    for part in parts {
        if let Some((binding, subject)) = part.binding {
            let value = item(rights, binding, "subjects", subject);
            let says = format!(
                "{} gives {}",
                called(rights, binding),
                called(rights, part.role)
            );
            let one = builder.seen_right(binding, value, &says);
            if !found.contains(&one) {
                found.push(one);
            }
        }
        let (written, number) = part.rule;
        let value = item(rights, written, "rules", number);
        let says = format!("who holds {} {title}", called(rights, part.role));
        let one = builder.seen_right(written, value, &says);
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// `ClusterRoleBinding ops`
fn called(rights: &Rights, resource: ResourceRef) -> String {
    let resource = rights.estate.get(resource);
    resource.map_or_else(String::new, |one| {
        format!("{} {}", one.name.kind.name(), one.name.name)
    })
}

pub(super) fn item(
    rights: &Rights,
    resource: ResourceRef,
    list: &str,
    number: u32,
) -> Option<NodeId> {
    let object = rights.estate.get(resource)?.object();
    let list = object.get(list)?;
    list.items().nth(number as usize).map(Ref::id)
}

fn doubt(builder: &mut Builder<'_>, parts: &[Part], own: Option<&str>) -> Option<Arc<str>> {
    let condition = parts.iter().find_map(|part| part.condition.as_deref());
    own.or(condition).map(|why| builder.say(why))
}
