//! What a role allows: its permissions, each with actions and what is taken out of them.
//!
//! An action is allowed when one permission lists it and does not take it out again: what `notActions`
//! removes from one permission another may allow. Data actions are a world of their own: no action implies
//! one (<https://learn.microsoft.com/azure/role-based-access-control/role-definitions>).

use model::{Ref, Resource, ResourceRef};

use super::condition::Condition;
use super::pattern;

/// A role definition.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// Its GUID; for a custom role of a template its name as the template has it.
    pub id: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// The resource of a custom role; none for a built-in one.
    pub resource: Option<ResourceRef>,
    /// What it allows.
    pub permissions: Vec<Permission>,
    /// The template leaves open which permissions there are.
    pub open: bool,
}

/// One entry of a role's permissions.
#[derive(Debug, Clone, Default)]
pub struct Permission {
    /// Actions on resources.
    pub control: Actions,
    /// Actions on what is in them.
    pub data: Actions,
    /// When it counts.
    pub condition: Option<Condition>,
}

/// Patterns of actions, and those taken out of them.
#[derive(Debug, Clone, Default)]
pub struct Actions {
    /// `actions` or `dataActions`
    pub allow: Vec<Box<str>>,
    /// `notActions` or `notDataActions`
    pub except: Vec<Box<str>>,
    /// The template leaves open some of what is allowed.
    pub allow_open: bool,
    /// The template leaves open some of what is taken out.
    pub except_open: bool,
}

/// Whether a list of patterns allows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Yes, by the pattern with this number.
    Yes(usize),
    /// A part that a template leaves open decides.
    Open,
    /// No.
    No,
}

impl Actions {
    /// Whether they hold an action.
    #[must_use]
    pub fn hold(&self, action: &str) -> Listed {
        let any = |list: &[Box<str>], by: fn(&str, &str) -> bool| {
            list.iter().position(|pattern| by(pattern, action))
        };
        if any(&self.except, pattern::matches).is_some() {
            return Listed::No;
        }
        let found = any(&self.allow, pattern::matches)
            .or_else(|| any(&self.allow, pattern::matches_widely));
        let spared = any(&self.except, pattern::matches_widely).is_some();
        match found {
            // Whether an undocumented match takes away is not risked.
            Some(_) if self.except_open || spared => Listed::Open,
            Some(number) => Listed::Yes(number),
            None if self.allow_open => Listed::Open,
            None => Listed::No,
        }
    }
}

impl Permission {
    /// The actions of one of the two worlds.
    #[must_use]
    pub const fn of(&self, data: bool) -> &Actions {
        if data { &self.data } else { &self.control }
    }

    /// Reads an entry of `permissions`.
    pub(super) fn read(entry: Ref<'_>) -> Self {
        let actions = |allow: &str, except: &str| {
            let (allow, allow_open) = texts(entry.get(allow));
            let (except, except_open) = texts(entry.get(except));
            Actions {
                allow,
                except,
                allow_open,
                except_open,
            }
        };
        Self {
            control: actions("actions", "notActions"),
            data: actions("dataActions", "notDataActions"),
            condition: entry.get("condition").and_then(Condition::of),
        }
    }
}

/// The texts of a list, and whether some of it is open.
fn texts(list: Option<Ref<'_>>) -> (Vec<Box<str>>, bool) {
    let Some(list) = list else {
        return (Vec::new(), false);
    };
    if list.is_open() {
        return (Vec::new(), true);
    }
    let mut open = false;
    let mut found = Vec::new();
    for item in list.items() {
        match item.as_str() {
            Some(text) if !text.contains('{') => found.push(text.into()),
            _ => open = true,
        }
    }
    (found, open)
}

/// The permissions of a role definition or a deny assignment, and whether the list itself is open.
pub(super) fn permissions(object: Ref<'_>) -> (Vec<Permission>, bool) {
    match object.path(&["properties", "permissions"]) {
        None => (
            Vec::new(),
            object.get("properties").is_some_and(Ref::is_open),
        ),
        Some(list) if list.is_open() => (Vec::new(), true),
        Some(list) => (
            list.items().map(Permission::read).collect(),
            list.items().any(Ref::is_open),
        ),
    }
}

impl Definition {
    /// Reads a custom role.
    pub(super) fn custom(number: ResourceRef, resource: &Resource) -> Self {
        let object = resource.object();
        let text = |keys: &[&str]| {
            object
                .path(keys)
                .and_then(|value| value.as_str().or_else(|| value.open_shown()))
                .map(Box::<str>::from)
        };
        let id = text(&["name"]).unwrap_or_else(|| resource.name.name.clone());
        let (permissions, open) = permissions(object);
        Self {
            name: text(&["properties", "roleName"]).unwrap_or_else(|| id.clone()),
            id,
            resource: Some(number),
            permissions,
            open,
        }
    }
}
