//! Role assignments as an estate holds them, and the definitions of the roles that they give.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Estate, Ref, ResourceRef};

use super::condition::Condition;
use super::{Builtin, Definition, Who, principal};
use crate::ask::PrincipalKind;

/// The kind of an assignment.
pub(super) const ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";

/// The kinds of resources that give a role, and whether it has to be activated first
/// (`Microsoft.Authorization` in the REST reference of authorization).
pub(super) const GIVING: [(&str, bool); 5] = [
    (ASSIGNMENTS, false),
    (
        "Microsoft.Authorization/roleAssignmentScheduleRequests",
        false,
    ),
    (
        "Microsoft.Authorization/roleEligibilityScheduleRequests",
        true,
    ),
    (
        "Microsoft.Authorization/roleEligibilityScheduleInstances",
        true,
    ),
    ("Microsoft.Authorization/roleEligibilitySchedules", true),
];

/// A role given to somebody at a scope.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The assignment.
    pub resource: ResourceRef,
    /// Whom it names.
    pub who: Who,
    /// What that is, where it is said.
    pub kind: PrincipalKind,
    /// The role.
    pub role: Role,
    /// The scope, as it is written.
    pub scope: Box<str>,
    /// It has to be activated first (Privileged Identity Management).
    pub eligible: bool,
    pub(crate) scope_key: Box<str>,
    pub(crate) condition: Option<Condition>,
    /// Why it may not be there at all.
    pub(crate) doubt: Option<Box<str>>,
}

/// The role that an assignment gives.
#[derive(Debug, Clone)]
pub enum Role {
    /// One whose permissions are known.
    Known(Arc<Definition>),
    /// One that was not given and is not built in, or an open value.
    Unknown(Box<str>),
}

impl Role {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Known(definition) => &definition.name,
            Self::Unknown(shown) => shown,
        }
    }
}

impl Assignment {
    /// Reads an assignment.
    pub(super) fn read(
        estate: &Estate,
        number: ResourceRef,
        eligible: bool,
        definitions: &mut Definitions<'_>,
    ) -> Option<Self> {
        let resource = estate.get(number)?;
        let azure = resource.azure.as_ref()?;
        let object = resource.object();
        let property = |key| object.path(&["properties", key]);
        // A request to remove an assignment gives nothing (`requestType` of schedule requests).
        let request = property("requestType")
            .and_then(Ref::as_str)
            .unwrap_or_default();
        if request.to_ascii_lowercase().contains("remove")
            || request.to_ascii_lowercase().contains("deactivate")
        {
            return None;
        }
        let shown = |value: Ref<'_>| -> Box<str> {
            value
                .as_str()
                .or_else(|| value.open_shown())
                .unwrap_or("an open value")
                .into()
        };
        let role = match property("roleDefinitionId") {
            Some(value) => {
                let id = value.as_str().or_else(|| value.open_expression());
                match id.and_then(|id| definitions.find(id)) {
                    Some(definition) => Role::Known(definition),
                    None => {
                        let shown = shown(value);
                        let id = id.filter(|id| id.starts_with('/'));
                        let last = id.and_then(|id| model::azure::segments(id).last().copied());
                        Role::Unknown(last.map_or(shown, Into::into))
                    }
                }
            }
            None => Role::Unknown("that is not said".into()),
        };
        let scope: Box<str> = property("scope")
            .and_then(Ref::as_str)
            .or_else(|| model::azure::scope_of_id(&azure.id))
            .unwrap_or("/")
            .into();
        let who = principal::of_assignment(estate, resource)
            .unwrap_or_else(|| Who::Open("nobody that is said".into()));
        let kind = property("principalType")
            .and_then(Ref::as_str)
            .map_or(PrincipalKind::NotSaid, principal_kind);
        let kind = match who {
            Who::Identity { .. } => PrincipalKind::ServicePrincipal,
            _ => kind,
        };
        // In one of the cases of an open parameter the template does not make it.
        let doubt = azure
            .cases
            .iter()
            .find(|case| case.root.is_none())
            .map(|case| {
                format!(
                    "it hangs on parameter `{}` whether it is assigned",
                    case.parameter
                )
                .into()
            });
        Some(Self {
            resource: number,
            who,
            kind,
            role,
            scope_key: scope.to_ascii_lowercase().into(),
            scope,
            eligible,
            condition: property("condition").and_then(Condition::of),
            doubt,
        })
    }
}

/// Role definitions by what assignments call them.
pub(super) struct Definitions<'b> {
    builtin: &'b Builtin,
    /// custom roles by the last part of their id, in lower case
    custom: HashMap<Box<str>, Arc<Definition>>,
    known: HashMap<Box<str>, Option<Arc<Definition>>>,
}

impl<'b> Definitions<'b> {
    pub(super) fn read(estate: &Estate, builtin: &'b Builtin) -> Self {
        let mut custom = HashMap::new();
        for number in estate.of_kind("Microsoft.Authorization/roleDefinitions") {
            let Some(resource) = estate.get(*number) else {
                continue;
            };
            let Some(azure) = &resource.azure else {
                continue;
            };
            let definition = Arc::new(Definition::custom(*number, resource));
            let key = model::azure::segments(&azure.id)
                .last()
                .map(|last| last.to_ascii_lowercase())
                .unwrap_or_default();
            custom.entry(key.into()).or_insert(definition);
        }
        Self {
            builtin,
            custom,
            known: HashMap::new(),
        }
    }

    /// A role by its id.
    pub(super) fn role(mut self, id: &str) -> Role {
        match self.find(id) {
            Some(definition) => Role::Known(definition),
            None => Role::Unknown(id.into()),
        }
    }

    fn find(&mut self, id: &str) -> Option<Arc<Definition>> {
        let last = model::azure::segments(id)
            .last()
            .map(|last| last.to_ascii_lowercase())
            .unwrap_or_default();
        if let Some(custom) = self.custom.get(&*last) {
            return Some(Arc::clone(custom));
        }
        if let Some(known) = self.known.get(&*last) {
            return known.clone();
        }
        // Terraform names roles by their names; its mapping leaves a name that it does not know as it is.
        let found = self
            .builtin
            .by_id(&last)
            .or_else(|| self.builtin.by_name(&last))
            .map(Arc::new);
        self.known.insert(last.into(), found.clone());
        found
    }
}

fn principal_kind(text: &str) -> PrincipalKind {
    match text.to_ascii_lowercase().as_str() {
        "user" => PrincipalKind::User,
        "group" => PrincipalKind::Group,
        "serviceprincipal" => PrincipalKind::ServicePrincipal,
        "foreigngroup" => PrincipalKind::ForeignGroup,
        "device" => PrincipalKind::Device,
        _ => PrincipalKind::NotSaid,
    }
}
