//! What the steps of Azure look up among the nodes, and what they call them.

use std::collections::BTreeSet;

use super::Builder;
use crate::ask::PrincipalKind;
use crate::paths::graph::NodeNo;
use crate::paths::node::{Node, principal_key};
use crate::roles::Who;

impl Builder<'_> {
    /// Somebody outside of Entra whose tokens are trusted: `repo:shop/web:ref:refs/heads/main of
    /// token.actions.githubusercontent.com`.
    pub(crate) fn outsider(&mut self, name: &str) -> NodeNo {
        let number = self.text(name);
        self.names
            .shown
            .insert(number, format!("pipeline {name}").into());
        self.node(Node::Principal(number))
    }

    /// Those members of a group that are not known, where some are: who they are counts apart from the group where
    /// a denial names a member.
    pub(crate) fn other_members(&mut self, group: &Who) -> NodeNo {
        let number = self.text(&format!("{}#others", principal_key(group)));
        let name = self.analyses.roles().name(group);
        self.names
            .shown
            .insert(number, format!("another member of group {name}").into());
        let others = self.node(Node::Principal(number));
        let all = self.principal(group);
        self.implied(others, all);
        others
    }

    /// A principal that is there already.
    pub(crate) fn known_principal(&self, who: &Who) -> Option<NodeNo> {
        let number = self.names.texts.find(&principal_key(who))?;
        self.known(Node::Principal(number))
    }

    /// A power that somebody may have.
    pub(crate) fn known_power(&self, power: &'static str, id: &str) -> Option<NodeNo> {
        let number = self.names.texts.find(id)?;
        self.known(Node::Power(power, number))
    }

    /// Over which scopes somebody may have a power.
    pub(crate) fn scopes_of(&self, power: &str) -> BTreeSet<Box<str>> {
        self.nodes
            .iter()
            .filter_map(|node| match node {
                Node::Power(own, number) if *own == power => {
                    Some(self.names.texts.text(*number).into())
                }
                _ => None,
            })
            .collect()
    }

    /// The registries and repositories that there are.
    pub(crate) fn image_names(&self) -> BTreeSet<Box<str>> {
        self.nodes
            .iter()
            .filter_map(|node| match node {
                Node::Images(number) => Some(self.names.texts.text(*number).into()),
                _ => None,
            })
            .collect()
    }

    /// Says of a principal what it is.
    pub(crate) fn title_principal(&mut self, who: &Who, kind: PrincipalKind) {
        let number = self.text(&principal_key(who));
        let name = self.analyses.roles().name(who);
        let word = match kind {
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
            PrincipalKind::ServicePrincipal => "service principal",
            PrincipalKind::ForeignGroup => "foreign group",
            PrincipalKind::Device => "device",
            PrincipalKind::NotSaid => return,
        };
        self.names
            .shown
            .insert(number, format!("{word} {name} of Entra").into());
    }
}
