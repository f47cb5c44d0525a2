//! Assignments one by one: what each gives at its own scope, for a reader that spreads it downwards itself.
//!
//! [`Roles::holders`] answers for one resource and looks at every assignment; whoever asks for thousands of
//! resources asks here. Left to the caller: members of groups, scopes below, and denials.

use model::{Estate, ResourceRef};

use super::condition::Outcome;
use super::{Ask, Assignment, Covers, Definition, Role, Roles, Says, Who, assignment, scope};

impl Roles {
    /// Whether a role allows an action.
    pub(crate) fn role_says(&self, definition: &Definition, ask: &Ask<'_>) -> Says {
        self.says(definition, ask)
    }

    /// What the condition of an assignment comes to.
    pub(crate) fn assignment_outcome(&self, assignment: &Assignment, ask: &Ask<'_>) -> Outcome {
        assignment
            .condition
            .as_ref()
            .map_or(Outcome::Holds, |condition| self.outcome(condition, ask))
    }

    /// Whether a denial may count for an action at a resource.
    pub(crate) fn may_be_denied(&self, ask: &Ask<'_>) -> bool {
        !self.denies.is_empty()
            && !self
                .denies_of(ask, &ask.resource.to_ascii_lowercase())
                .is_empty()
    }

    /// Whether there are denials at all.
    pub(crate) fn has_denials(&self) -> bool {
        !self.denies.is_empty()
    }

    /// Whether a scope holds a resource; both in lower case.
    pub(crate) fn scope_covers(&self, scope: &str, target: &str) -> Covers {
        scope::covers(scope, target, &self.groups)
    }

    /// The groups of Entra: object id, resource, direct members where they are known.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&str, ResourceRef, Option<&[Box<str>]>)> {
        self.directory.groups()
    }

    /// Whether somebody is a group of Entra whose members, and those of its groups, are all known.
    pub(crate) fn knows_members(&self, who: &Who) -> bool {
        matches!(who, Who::Id(id) if self.directory.is_group(id) && self.directory.members(id).1)
    }

    /// Whether somebody is a group of Entra of which some members may not be known.
    pub(crate) fn has_other_members(&self, who: &Who) -> bool {
        matches!(who, Who::Id(id) if self.directory.is_group(id)) && !self.knows_members(who)
    }

    /// Whether somebody is the identity of a resource that was given.
    pub(crate) fn is_identity(&self, who: &Who) -> bool {
        match who {
            Who::Id(id) => self.directory.is_identity(id),
            Who::Identity { .. } => true,
            Who::Open(_) => false,
        }
    }

    /// A role by its id: a custom one of the estate, or a built-in one.
    pub(crate) fn role(&self, estate: &Estate, id: &str) -> Option<Definition> {
        match assignment::Definitions::read(estate, &self.builtin).role(id) {
            Role::Known(definition) => Some((*definition).clone()),
            Role::Unknown(_) => None,
        }
    }
}
