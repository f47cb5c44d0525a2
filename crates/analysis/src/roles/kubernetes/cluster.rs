//! What of a cluster decides who gets into it.

use model::{Estate, Ref, ResourceRef};

use super::CLUSTERS;
use crate::roles::Who;

/// A cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The cluster.
    pub resource: ResourceRef,
    /// Its name.
    pub name: Box<str>,
    /// Its id.
    pub id: Box<str>,
    /// Whether it asks Azure; `None` where the template leaves it open.
    pub asks_azure: Option<bool>,
    /// Whether local accounts are off; `None` where the template leaves it open.
    pub local_accounts_off: Option<bool>,
    /// Whether users sign in with Entra.
    pub entra: Option<bool>,
    /// The issuer of its service accounts' tokens (`oidcIssuerProfile.issuerURL`), where it is known.
    pub issuer: Option<Box<str>>,
    /// Whether it has such an issuer that others can trust; `None` where nobody says.
    pub issues: Option<bool>,
    /// Groups that are cluster administrators by the cluster's own setting
    /// (`aadProfile.adminGroupObjectIDs`).
    pub admin_groups: Vec<Who>,
    /// The id of the resource group that its nodes are in.
    pub node_group: Box<str>,
}

impl Cluster {
    pub(in crate::roles) fn read_all(estate: &Estate) -> Vec<Self> {
        estate
            .of_kind(CLUSTERS)
            .iter()
            .filter_map(|number| Self::read(estate, *number))
            .collect()
    }

    fn read(estate: &Estate, number: ResourceRef) -> Option<Self> {
        let resource = estate.get(number)?;
        let azure = resource.azure.as_ref()?;
        let properties = resource.object().get("properties");
        let flag = |keys: &[&str]| {
            let Some(mut at) = properties else {
                return Some(false);
            };
            for key in keys {
                if at.is_open() {
                    return None;
                }
                match at.get(key) {
                    Some(value) => at = value,
                    None => return Some(false),
                }
            }
            at.as_bool()
        };
        let entra = match properties.and_then(|properties| properties.get("aadProfile")) {
            None => Some(false),
            Some(profile) if profile.is_map() => Some(true),
            Some(profile) if profile.is_open() => None,
            Some(_) => Some(false),
        };
        let admin_groups = properties
            .and_then(|properties| properties.path(&["aadProfile", "adminGroupObjectIDs"]))
            .map(|list| {
                if list.is_open() {
                    return vec![Who::Open(
                        list.open_shown().unwrap_or("an open value").into(),
                    )];
                }
                list.items()
                    .map(
                        |item| match item.as_str().and_then(crate::roles::builtin::guid) {
                            Some(id) => Who::Id(id.into()),
                            None => Who::Open(
                                item.as_str()
                                    .or_else(|| item.open_shown())
                                    .unwrap_or("an open value")
                                    .into(),
                            ),
                        },
                    )
                    .collect()
            })
            .unwrap_or_default();
        Some(Self {
            resource: number,
            name: resource.name.name.clone(),
            id: azure.id.clone(),
            asks_azure: flag(&["aadProfile", "enableAzureRBAC"]),
            local_accounts_off: flag(&["disableLocalAccounts"]),
            entra,
            issuer: properties
                .and_then(|properties| properties.path(&["oidcIssuerProfile", "issuerURL"]))
                .and_then(Ref::as_str)
                .map(Into::into),
            issues: properties
                .and_then(|properties| properties.path(&["oidcIssuerProfile", "enabled"]))
                .and_then(Ref::as_bool),
            admin_groups,
            node_group: node_group(estate, number)?.into(),
        })
    }
}

/// The id of the resource group that a cluster's nodes are in: the one it names, else AKS's own name for it
/// (<https://learn.microsoft.com/azure/aks/faq>, "Why are two resource groups created with AKS?").
pub(in crate::roles) fn node_group(estate: &Estate, number: ResourceRef) -> Option<String> {
    let resource = estate.get(number)?;
    let azure = resource.azure.as_ref()?;
    let parts = model::azure::segments(&azure.id);
    let [_, _, subscription, _, group, .., name] = parts.as_slice() else {
        return None;
    };
    let object = resource.object();
    let text = |keys: &[&str]| {
        object
            .path(keys)
            .and_then(|value| value.as_str().or_else(|| value.open_expression()))
    };
    let own = match text(&["properties", "nodeResourceGroup"]) {
        Some(own) => own.to_owned(),
        None => {
            let location = text(&["location"]).unwrap_or("{location}");
            format!("MC_{group}_{name}_{location}")
        }
    };
    Some(format!(
        "/subscriptions/{subscription}/resourceGroups/{own}"
    ))
}
