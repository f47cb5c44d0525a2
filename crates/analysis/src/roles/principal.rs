//! Who holds roles: principals of Microsoft Entra, the identities of resources, and members of groups.
//!
//! What Entra knows is read from these resources, where the estate holds them:
//!
//! | kind | reads |
//! |---|---|
//! | `Microsoft.Graph/groups` | the object id in `properties.id` or `name`; `properties.displayName`; `properties.members`, a list of object ids (direct members are enough). No `members`: they are not known |
//! | `Microsoft.Graph/users`, `Microsoft.Graph/servicePrincipals` | the object id, `properties.displayName` |
//!
//! Without them the members of a group are unknown.

use std::collections::{BTreeMap, BTreeSet};

use model::{Estate, Ref, Resource, ResourceRef};

use super::builtin::guid;

/// Somebody whom an assignment names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// By object id.
    Id(Box<str>),
    /// The identity of a resource whose object id is only known when it is deployed.
    Identity {
        /// the resource's id, in lower case
        resource: Box<str>,
        /// where in it the identity stands: `properties.principalId`
        path: Box<str>,
    },
    /// A value that the template leaves open.
    Open(Box<str>),
}

/// What Entra is known to hold, and which identities belong to which resource.
#[derive(Debug, Default)]
pub(super) struct Directory {
    groups: BTreeMap<Box<str>, Group>,
    names: BTreeMap<Box<str>, Box<str>>,
    /// the groups that an object is a direct member of
    above: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// identities of resources by object id
    identities: BTreeMap<Box<str>, (Box<str>, Box<str>)>,
    /// what people call resources that have an identity, by their ids in lower case
    resources: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug)]
struct Group {
    resource: ResourceRef,
    members: Option<Vec<Box<str>>>,
}

/// Whether somebody is a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Yes,
    /// The members are not known.
    Maybe,
    No,
}

/// A member and the groups on the way to it, from the outermost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) member: Box<str>,
    pub(super) through: Vec<Box<str>>,
}

impl Directory {
    pub(super) fn read(estate: &Estate) -> Self {
        let mut directory = Self::default();
        for kind in [
            "Microsoft.Graph/groups",
            "Microsoft.Graph/users",
            "Microsoft.Graph/servicePrincipals",
        ] {
            for number in estate.of_kind(kind) {
                if let Some(resource) = estate.get(*number) {
                    directory.add(kind, *number, resource.object());
                }
            }
        }
        for resource in estate.resources() {
            if let Some(azure) = &resource.azure {
                if has_identity(resource) {
                    directory.resources.insert(
                        azure.id.to_ascii_lowercase().into(),
                        resource.name.name.clone(),
                    );
                }
                for (path, id) in identities_in(resource.object()) {
                    if let Some(id) = id.as_str().and_then(guid) {
                        directory
                            .identities
                            .entry(id.into())
                            .or_insert_with(|| (azure.id.clone(), path));
                    }
                }
            }
        }
        directory
    }

    fn add(&mut self, kind: &str, number: ResourceRef, object: Ref<'_>) {
        let text = |keys: &[&str]| object.path(keys).and_then(Ref::as_str);
        let Some(id) = [&["properties", "id"][..], &["name"][..], &["id"][..]]
            .into_iter()
            .find_map(|keys| text(keys).and_then(|text| guid(text.rsplit('/').next()?)))
        else {
            return;
        };
        let id: Box<str> = id.into();
        if let Some(name) = text(&["properties", "displayName"]).or_else(|| text(&["displayName"]))
        {
            self.names.insert(id.clone(), name.into());
        }
        if kind != "Microsoft.Graph/groups" {
            return;
        }
        let members = object
            .path(&["properties", "members"])
            .or_else(|| object.get("members"))
            .filter(|members| members.is_list())
            .map(|members| -> Vec<Box<str>> {
                members
                    .items()
                    .filter_map(|item| {
                        let text = item
                            .as_str()
                            .or_else(|| item.get("id").and_then(Ref::as_str))?;
                        Some(guid(text)?.into())
                    })
                    .collect()
            });
        for member in members.iter().flatten() {
            self.above
                .entry(member.clone())
                .or_default()
                .push(id.clone());
        }
        self.groups.insert(
            id,
            Group {
                resource: number,
                members,
            },
        );
    }

    /// Whether the members of a group are known, or how it is known to be a group at all.
    pub(super) fn is_group(&self, id: &str) -> bool {
        self.groups.contains_key(id)
    }

    /// The members of a group, those of its groups among them, and whether that is all.
    pub(super) fn members(&self, group: &str) -> (Vec<Membership>, bool) {
        let mut found = Vec::new();
        let mut whole = true;
        let mut seen = BTreeSet::from([Box::<str>::from(group)]);
        let mut open = vec![(Box::<str>::from(group), vec![Box::<str>::from(group)])];
        while let Some((at, through)) = open.pop() {
            let Some(members) = self.groups.get(&at).and_then(|own| own.members.as_ref()) else {
                whole = false;
                continue;
            };
            for member in members {
                if !seen.insert(member.clone()) {
                    continue;
                }
                found.push(Membership {
                    member: member.clone(),
                    through: through.clone(),
                });
                if self.groups.contains_key(member) {
                    let mut through = through.clone();
                    through.push(member.clone());
                    open.push((member.clone(), through));
                }
            }
        }
        found.sort_by(|one, two| one.member.cmp(&two.member));
        (found, whole)
    }

    /// The groups: id, resource, and direct members where they are known.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&str, ResourceRef, Option<&[Box<str>]>)> {
        self.groups
            .iter()
            .map(|(id, group)| (&**id, group.resource, group.members.as_deref()))
    }

    /// Whether an object id is that of the identity of a resource.
    pub(super) fn is_identity(&self, id: &str) -> bool {
        self.identities.contains_key(id)
    }

    /// Whether somebody is in a group, through other groups as well.
    pub(super) fn is_member(&self, who: &str, group: &str) -> Member {
        let mut seen = BTreeSet::new();
        let mut open = vec![who];
        while let Some(at) = open.pop() {
            for above in self.above.get(at).into_iter().flatten() {
                if **above == *group {
                    return Member::Yes;
                }
                if seen.insert(above) {
                    open.push(above);
                }
            }
        }
        let (_, whole) = self.members(group);
        if whole { Member::No } else { Member::Maybe }
    }

    /// What people call somebody.
    pub(super) fn name(&self, id: &str) -> Option<String> {
        if let Some(name) = self.names.get(id) {
            return Some(name.to_string());
        }
        let (resource, path) = self.identities.get(id)?;
        Some(self.identity_name(resource, path))
    }

    /// `kubelet identity of aks-prod`
    pub(super) fn identity_name(&self, resource: &str, path: &str) -> String {
        let known = self.resources.get(&*resource.to_ascii_lowercase());
        identity_name(resource, path, known.map(|name| &**name))
    }
}

/// Whether a resource can act by itself.
fn has_identity(resource: &Resource) -> bool {
    resource.object().get("identity").is_some()
        || [
            "Microsoft.ManagedIdentity/userAssignedIdentities",
            "Microsoft.ContainerService/managedClusters",
        ]
        .iter()
        .any(|kind| resource.name.kind.is(kind))
}

fn identity_name(resource: &str, path: &str, known: Option<&str>) -> String {
    let name = known.unwrap_or_else(|| {
        let last = model::azure::segments(resource).last().copied();
        last.unwrap_or(resource)
    });
    let kind = model::azure::type_of_id(resource).unwrap_or_default();
    if kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities") {
        return format!("identity {name}");
    }
    let steps: Vec<&str> = path.split('.').collect();
    match steps.as_slice() {
        ["properties", "identityProfile", "kubeletidentity", ..] => {
            format!("kubelet identity of {name}")
        }
        ["properties", "addonProfiles", addon, ..] => format!("{addon} identity of {name}"),
        _ => format!("identity of {name}"),
    }
}

/// Where a resource says object ids of identities, and the ids.
pub(super) fn identities_in(object: Ref<'_>) -> Vec<(Box<str>, Ref<'_>)> {
    let mut found = Vec::new();
    for path in [
        &["identity", "principalId"][..],
        &["properties", "principalId"],
    ] {
        // An assignment says a principal that is not its own.
        let own = path.first() == Some(&"identity")
            || object
                .get("type")
                .and_then(Ref::as_str)
                .is_some_and(|kind| {
                    kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities")
                });
        if let Some(id) = object.path(path).filter(|_| own) {
            found.push((path.join(".").into(), id));
        }
    }
    for (holder, inner) in [
        ("identityProfile", &["objectId"][..]),
        ("addonProfiles", &["identity", "objectId"]),
    ] {
        for (key, _, value) in object
            .path(&["properties", holder])
            .into_iter()
            .flat_map(Ref::entries)
        {
            if let Some(id) = value.path(inner) {
                found.push((
                    format!("properties.{holder}.{key}.{}", inner.join(".")).into(),
                    id,
                ));
            }
        }
    }
    found
}

/// Whom an assignment names.
pub(super) fn of_assignment(estate: &Estate, assignment: &Resource) -> Option<Who> {
    let object = assignment.object();
    let value = object.path(&["properties", "principalId"])?;
    if let Some(id) = value.as_str().and_then(guid) {
        return Some(Who::Id(id.into()));
    }
    let text = |key| object.path(&["principal", key]).and_then(Ref::as_str);
    if let (Some(resource), Some(path)) = (text("id"), text("path")) {
        return Some(canonical(estate, resource, path));
    }
    let shown = value.open_shown().or_else(|| value.as_str())?;
    Some(Who::Open(shown.into()))
}

/// One name for an identity, whichever way it is reached: the object id where it is written, a
/// user-assigned identity itself instead of the cluster that uses it as its kubelet's.
pub(super) fn canonical(estate: &Estate, resource: &str, path: &str) -> Who {
    let own = || Who::Identity {
        resource: resource.to_ascii_lowercase().into(),
        path: path.into(),
    };
    let Some(found) = estate.at_id(resource).and_then(|number| estate.get(number)) else {
        return own();
    };
    let mut keys: Vec<&str> = path.split('.').collect();
    if let Some(id) = found
        .object()
        .path(&keys)
        .and_then(Ref::as_str)
        .and_then(guid)
    {
        return Who::Id(id.into());
    }
    if keys.get(1) == Some(&"identityProfile") {
        keys.truncate(3);
        let used = found
            .object()
            .path(&keys)
            .and_then(|profile| profile.get("resourceId"))
            .and_then(Ref::as_str);
        if let Some(used) = used.filter(|used| !used.eq_ignore_ascii_case(resource)) {
            return user_assigned(estate, used);
        }
    }
    own()
}

/// A user-assigned identity.
pub(crate) fn user_assigned(estate: &Estate, id: &str) -> Who {
    let object_id = estate
        .at_id(id)
        .and_then(|number| estate.get(number))
        .and_then(|identity| identity.object().path(&["properties", "principalId"]))
        .and_then(Ref::as_str)
        .and_then(guid);
    match object_id {
        Some(object_id) => Who::Id(object_id.into()),
        None => Who::Identity {
            resource: id.to_ascii_lowercase().into(),
            path: "properties.principalId".into(),
        },
    }
}

/// The identities that a resource acts as: its own, those it was given, its kubelets', its add-ons'; each with
/// where the resource says so.
#[must_use]
pub fn identities_of(estate: &Estate, number: ResourceRef) -> Vec<(Box<str>, Who)> {
    let Some((resource, azure)) = estate
        .get(number)
        .and_then(|resource| Some((resource, resource.azure.as_ref()?)))
    else {
        return Vec::new();
    };
    let object = resource.object();
    let mut found = Vec::new();
    let kind = object
        .path(&["identity", "type"])
        .and_then(Ref::as_str)
        .unwrap_or_default();
    if kind.to_ascii_lowercase().contains("systemassigned") {
        found.push((
            "identity.principalId".into(),
            canonical(estate, &azure.id, "identity.principalId"),
        ));
    }
    for (id, _, _) in object
        .path(&["identity", "userAssignedIdentities"])
        .into_iter()
        .flat_map(Ref::entries)
    {
        found.push((
            format!("identity.userAssignedIdentities[\"{id}\"]").into(),
            user_assigned(estate, id),
        ));
    }
    for (key, _, profile) in object
        .path(&["properties", "identityProfile"])
        .into_iter()
        .flat_map(Ref::entries)
    {
        let path = format!("properties.identityProfile.{key}");
        let who = match profile.get("resourceId").and_then(Ref::as_str) {
            Some(id) if profile.get("objectId").and_then(Ref::as_str).is_none() => {
                user_assigned(estate, id)
            }
            _ => canonical(estate, &azure.id, &format!("{path}.objectId")),
        };
        found.push((path.into(), who));
    }
    let kubelet = ["properties", "identityProfile", "kubeletidentity"];
    if resource
        .name
        .kind
        .is("Microsoft.ContainerService/managedClusters")
        && object.path(&kubelet).is_none()
        && !kind.is_empty()
    {
        // AKS makes one where none is given.
        let path = kubelet.join(".");
        let who = canonical(estate, &azure.id, &format!("{path}.objectId"));
        found.push((path.into(), who));
    }
    for (key, _, addon) in object
        .path(&["properties", "addonProfiles"])
        .into_iter()
        .flat_map(Ref::entries)
    {
        if addon.get("enabled").and_then(Ref::as_bool) == Some(true) {
            let path = format!("properties.addonProfiles.{key}.identity.objectId");
            let who = canonical(estate, &azure.id, &path);
            found.push((path.into(), who));
        }
    }
    found
}
