//! What is read of Azure: every type, how it is listed, and the right that takes. One table, so that the
//! role that seawall asks for, the requests it makes and what it declares complete cannot differ.
//!
//! Lists come from Resource Manager itself, not from Resource Graph: a provider's list is complete or
//! refused, in the form and version that the guide is written for, and of now. Resource Graph
//! leaves out silently what the caller may not read, lags behind, and has no diagnostic settings,
//! federated credentials or pools; it serves where a list is refused as a whole, to find the
//! resources that can be read one by one.

/// A type and how it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) kind: &'static str,
    /// The API version where the cloud does not say which it has.
    pub(crate) version: &'static str,
    pub(crate) how: How,
}

/// How a type is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `GET {subscription}/providers/{type}`, with a query.
    Listed(&'static str),
    /// The same; kept is what belongs to resources of these types, there can be very many others.
    ListedOf(&'static [&'static str]),
    /// Its provider lists it by resource group only: Resource Manager's index names the resources,
    /// each is then read.
    Indexed,
    /// It stands in the answer for its parent, in this list of the properties.
    Inside(&'static str),
    /// `GET {parent}/{last part of the type}`.
    Below,
    /// `GET {parent}/{last part of the type}/{name}`: there is one at most.
    Single(&'static str),
    /// `GET {resource}/providers/{type}` for resources of these types.
    On(&'static [&'static str]),
    /// `GET {resource}/providers/{type}/{name}` for clusters.
    SingleOn(&'static str),
}

/// The subscription itself, as something that others are attached to.
pub(crate) const SUBSCRIPTION: &str = "Microsoft.Resources/subscriptions";
pub(crate) const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";
pub(crate) const ROLE_ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";
pub(crate) const ROLE_DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions";
pub(crate) const DIAGNOSTIC_SETTINGS: &str = "Microsoft.Insights/diagnosticSettings";

/// The types whose logs the guide asks for.
const LOGGING: [&str; 10] = [
    SUBSCRIPTION,
    CLUSTERS,
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/bastionHosts",
    "Microsoft.ServiceNetworking/trafficControllers",
    "Microsoft.Cdn/profiles",
];

const fn listed(kind: &'static str, version: &'static str) -> Row {
    Row {
        kind,
        version,
        how: How::Listed(""),
    }
}

const fn below(kind: &'static str, version: &'static str) -> Row {
    Row {
        kind,
        version,
        how: How::Below,
    }
}

const fn inside(kind: &'static str, list: &'static str) -> Row {
    Row {
        kind,
        version: "",
        how: How::Inside(list),
    }
}

const fn row(kind: &'static str, version: &'static str, how: How) -> Row {
    Row { kind, version, how }
}

/// Everything, parents before what belongs to them. Versions are those of Azure/bicep-types-az,
/// August 2026, or older ones that are known to have the form.
pub(crate) const ROWS: [Row; 85] = [
    listed(CLUSTERS, "2026-05-01"),
    inside(
        "Microsoft.ContainerService/managedClusters/agentPools",
        "agentPoolProfiles",
    ),
    below(
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        "2026-05-01",
    ),
    below(
        "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings",
        "2026-05-01",
    ),
    below(
        "Microsoft.ContainerService/managedClusters/managedNamespaces",
        "2026-05-01",
    ),
    below(
        "Microsoft.ContainerService/managedClusters/identityBindings",
        "2026-05-02-preview",
    ),
    row(
        "Microsoft.ContainerService/managedClusters/upgradeProfiles",
        "2026-05-01",
        How::Single("default"),
    ),
    row(
        "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
        "2026-05-01",
        How::Single("default"),
    ),
    row(
        "Microsoft.ContainerService/deploymentSafeguards",
        "2025-07-01",
        How::SingleOn("default"),
    ),
    row(
        "Microsoft.KubernetesConfiguration/extensions",
        "2025-03-01",
        How::On(&[CLUSTERS]),
    ),
    row(
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "2025-04-01",
        How::On(&[CLUSTERS]),
    ),
    listed("Microsoft.Compute/virtualMachineScaleSets", "2025-04-01"),
    listed("Microsoft.Compute/diskEncryptionSets", "2025-01-02"),
    listed("Microsoft.Network/virtualNetworks", "2025-09-01"),
    inside("Microsoft.Network/virtualNetworks/subnets", "subnets"),
    inside(
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "virtualNetworkPeerings",
    ),
    listed("Microsoft.Network/networkSecurityGroups", "2025-09-01"),
    inside(
        "Microsoft.Network/networkSecurityGroups/securityRules",
        "securityRules",
    ),
    listed("Microsoft.Network/applicationSecurityGroups", "2025-09-01"),
    listed("Microsoft.Network/routeTables", "2025-09-01"),
    inside("Microsoft.Network/routeTables/routes", "routes"),
    listed("Microsoft.Network/natGateways", "2025-09-01"),
    listed("Microsoft.Network/publicIPAddresses", "2025-09-01"),
    listed("Microsoft.Network/publicIPPrefixes", "2025-09-01"),
    listed("Microsoft.Network/loadBalancers", "2025-09-01"),
    listed("Microsoft.Network/networkInterfaces", "2025-09-01"),
    listed("Microsoft.Network/azureFirewalls", "2025-09-01"),
    listed("Microsoft.Network/firewallPolicies", "2025-09-01"),
    below(
        "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        "2025-09-01",
    ),
    listed("Microsoft.Network/privateEndpoints", "2025-09-01"),
    below(
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "2025-09-01",
    ),
    listed("Microsoft.Network/privateDnsZones", "2024-06-01"),
    below(
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "2024-06-01",
    ),
    listed("Microsoft.Network/applicationGateways", "2025-09-01"),
    listed(
        "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
        "2025-09-01",
    ),
    listed(
        "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies",
        "2025-03-01",
    ),
    listed("Microsoft.Network/bastionHosts", "2025-09-01"),
    listed("Microsoft.Network/virtualHubs", "2025-09-01"),
    listed("Microsoft.Network/vpnGateways", "2025-09-01"),
    row(
        "Microsoft.Network/virtualNetworkGateways",
        "2025-09-01",
        How::Indexed,
    ),
    row(
        "Microsoft.Network/localNetworkGateways",
        "2025-09-01",
        How::Indexed,
    ),
    listed("Microsoft.Network/ddosProtectionPlans", "2025-09-01"),
    listed("Microsoft.Network/dnsResolvers", "2025-05-01"),
    listed("Microsoft.Network/networkWatchers", "2025-09-01"),
    below("Microsoft.Network/networkWatchers/flowLogs", "2025-09-01"),
    listed(
        "Microsoft.ServiceNetworking/trafficControllers",
        "2025-01-01",
    ),
    below(
        "Microsoft.ServiceNetworking/trafficControllers/securityPolicies",
        "2025-01-01",
    ),
    listed("Microsoft.Cdn/profiles", "2025-06-01"),
    below("Microsoft.Cdn/profiles/customDomains", "2025-06-01"),
    below("Microsoft.Cdn/profiles/securityPolicies", "2025-06-01"),
    below("Microsoft.Cdn/profiles/afdEndpoints", "2025-06-01"),
    below("Microsoft.Cdn/profiles/afdEndpoints/routes", "2025-06-01"),
    listed("Microsoft.ContainerRegistry/registries", "2025-11-01"),
    below(
        "Microsoft.ContainerRegistry/registries/privateEndpointConnections",
        "2025-11-01",
    ),
    below(
        "Microsoft.ContainerRegistry/registries/tokens",
        "2025-11-01",
    ),
    below(
        "Microsoft.ContainerRegistry/registries/scopeMaps",
        "2025-11-01",
    ),
    below(
        "Microsoft.ContainerRegistry/registries/cacheRules",
        "2025-11-01",
    ),
    below("Microsoft.ContainerRegistry/registries/tasks", "2019-04-01"),
    listed("Microsoft.KeyVault/vaults", "2026-02-01"),
    below("Microsoft.KeyVault/vaults/keys", "2026-02-01"),
    below("Microsoft.KeyVault/vaults/secrets", "2026-02-01"),
    listed(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "2024-11-30",
    ),
    below(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "2024-11-30",
    ),
    listed("Microsoft.Storage/storageAccounts", "2025-06-01"),
    listed("Microsoft.Sql/servers", "2023-08-01"),
    listed("Microsoft.DocumentDB/databaseAccounts", "2025-10-15"),
    listed("Microsoft.Cache/redis", "2024-11-01"),
    listed("Microsoft.Cache/redisEnterprise", "2025-07-01"),
    listed("Microsoft.DBforPostgreSQL/flexibleServers", "2025-08-01"),
    listed("Microsoft.DBforMySQL/flexibleServers", "2023-12-30"),
    listed("Microsoft.ServiceBus/namespaces", "2024-01-01"),
    below(
        "Microsoft.ServiceBus/namespaces/networkRuleSets",
        "2024-01-01",
    ),
    listed("Microsoft.EventHub/namespaces", "2024-01-01"),
    below(
        "Microsoft.EventHub/namespaces/networkRuleSets",
        "2024-01-01",
    ),
    listed("Microsoft.OperationalInsights/workspaces", "2026-03-01"),
    below(
        "Microsoft.OperationalInsights/workspaces/tables",
        "2026-03-01",
    ),
    listed("Microsoft.Insights/metricAlerts", "2018-03-01"),
    listed("Microsoft.Insights/activityLogAlerts", "2020-10-01"),
    listed("Microsoft.Insights/scheduledQueryRules", "2022-06-15"),
    listed("Microsoft.Insights/actionGroups", "2023-01-01"),
    listed(
        "Microsoft.AlertsManagement/prometheusRuleGroups",
        "2023-03-01",
    ),
    listed("Microsoft.DataProtection/backupVaults", "2025-07-01"),
    below(
        "Microsoft.DataProtection/backupVaults/backupInstances",
        "2025-07-01",
    ),
    listed("Microsoft.Security/pricings", "2024-01-01"),
    listed("Microsoft.Security/securityContacts", "2023-12-01-preview"),
];

/// What holds for whole subscriptions; who may do what. Lists at a subscription hold what is above
/// and below it, too (<https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest>).
pub(crate) const SCOPED: [Row; 9] = [
    row(
        "Microsoft.Security/assessments",
        "2025-05-04",
        How::ListedOf(&[CLUSTERS, "Microsoft.ContainerRegistry/registries"]),
    ),
    row(DIAGNOSTIC_SETTINGS, "2021-05-01-preview", How::On(&LOGGING)),
    listed("Microsoft.Authorization/locks", "2020-05-01"),
    listed("Microsoft.Authorization/policyAssignments", "2025-03-01"),
    listed(
        "Microsoft.Authorization/policyExemptions",
        "2022-07-01-preview",
    ),
    row(
        ROLE_DEFINITIONS,
        "2022-04-01",
        How::Listed("$filter=type%20eq%20%27CustomRole%27"),
    ),
    listed(ROLE_ASSIGNMENTS, "2022-04-01"),
    listed("Microsoft.Authorization/denyAssignments", "2022-04-01"),
    listed(
        "Microsoft.Authorization/roleEligibilityScheduleInstances",
        "2020-10-01",
    ),
];

/// The rights that reading takes beyond `{type}/read` of each row.
const ASKING: [&str; 6] = [
    "Microsoft.Authorization/permissions/read",
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resources/read",
];

/// All rows in the order in which they are read.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(&SCOPED)
}

/// Every action that reading takes: what the custom role in `deploy/azure` names.
pub fn actions() -> Vec<String> {
    let mut actions: Vec<String> = rows()
        .filter(|row| !matches!(row.how, How::Inside(_)))
        .map(|row| row.action())
        .chain(ASKING.map(str::to_owned))
        .collect();
    actions.sort_by_key(|action| action.to_ascii_lowercase());
    actions.dedup();
    actions
}

impl Row {
    /// The right to read it.
    pub(crate) fn action(&self) -> String {
        format!("{}/read", self.kind)
    }

    /// The type of the resource it belongs to.
    pub(crate) fn parent(&self) -> Option<&'static str> {
        self.kind.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// The last part of the type.
    pub(crate) fn own(&self) -> &'static str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// Whether everything of the type is read when the subscriptions are: diagnostic settings are
    /// read of some types only.
    pub(crate) fn whole(&self) -> bool {
        !matches!(self.how, How::ListedOf(_)) && self.how != How::On(&LOGGING)
    }
}
