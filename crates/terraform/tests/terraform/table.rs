//! The table of azurerm's arguments.

use terraform::table::Table;

/// The table as it is shipped.
pub(crate) fn table() -> Table {
    Table::parse(include_str!("../../../../guide/data/azurerm.yaml")).unwrap()
}

#[test]
fn the_table_is_read_and_holds_what_a_cluster_needs() {
    let table = table();
    let kinds: Vec<&str> = table.kinds().collect();
    for kind in [
        "azurerm_kubernetes_cluster",
        "azurerm_kubernetes_cluster_node_pool",
        "azurerm_virtual_network",
        "azurerm_subnet",
        "azurerm_subnet_network_security_group_association",
        "azurerm_subnet_route_table_association",
        "azurerm_virtual_network_peering",
        "azurerm_network_security_group",
        "azurerm_network_security_rule",
        "azurerm_route_table",
        "azurerm_route",
        "azurerm_key_vault",
        "azurerm_key_vault_access_policy",
        "azurerm_role_assignment",
        "azurerm_monitor_diagnostic_setting",
        "azurerm_federated_identity_credential",
        "azurerm_user_assigned_identity",
        "azurerm_private_endpoint",
        "azurerm_private_dns_zone",
        "azurerm_private_dns_zone_virtual_network_link",
        "azurerm_firewall",
        "azurerm_firewall_policy",
        "azurerm_firewall_policy_rule_collection_group",
        "azurerm_web_application_firewall_policy",
        "azurerm_application_gateway",
        "azurerm_log_analytics_workspace",
        "azurerm_container_registry",
        "azurerm_security_center_subscription_pricing",
        "azurerm_subscription_policy_assignment",
        "azurerm_resource_group_policy_assignment",
        "azurerm_management_group_policy_assignment",
        "azurerm_resource_policy_assignment",
        "azurerm_management_lock",
        "azurerm_kubernetes_cluster_extension",
        "azurerm_kubernetes_flux_configuration",
        "azurerm_bastion_host",
        "azurerm_public_ip",
        "azurerm_nat_gateway",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn mistakes_in_a_table_are_told() {
    for (text, expected) in [
        ("", "empty"),
        ("a: 1", "`resources` is missing"),
        ("resources: [{type: x}]", "without `azurerm`"),
        ("resources: [{azurerm: a, typ: x}]", "`typ` is no key"),
        ("resources: [{azurerm: a, id: here}]", "no form of an id"),
        (
            "resources: [{azurerm: a, map: {b: 'c | upside'}}]",
            "no step",
        ),
        (
            "resources: [{azurerm: a, map: {b: '@c'}}]",
            "which is missing",
        ),
        (
            "resources: [{azurerm: a, map: {b: {map: {}}}}]",
            "needs `object`",
        ),
        ("resources: [{azurerm: a, use: b}]", "not shared"),
        ("resources: [{azurerm: a}, {azurerm: a}]", "listed twice"),
    ] {
        let message = Table::parse(text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn the_properties_of_a_table_are_told() {
    let table = Table::parse(
        "resources:\n\
         - azurerm: a\n  type: Microsoft.A/b\n  api: '1'\n  set: { sku.name: x }\n  map:\n    \
         plain: properties.plain | not\n    ids: properties.ids | each inner.id\n    \
         many: { list: properties.many, map: { one: one } }\n    \
         keyed: { keyed: properties.keyed, map: { one: one } }\n    \
         made: 'properties.made[]'\n    \
         hangs: 'properties.ref.{plain}'\n    \
         child: { child: c, map: { one: properties.one } }\n    gone: '-'\n\
         - { azurerm: nothing, id: none }\n",
    )
    .unwrap();
    let told: Vec<String> = table
        .properties()
        .iter()
        .map(|one| format!("{} {}", one.kind, one.path.join(".")))
        .collect();
    assert_eq!(
        told,
        [
            "Microsoft.A/b sku.name",
            "Microsoft.A/b properties.plain",
            "Microsoft.A/b properties.ids.[].inner.id",
            "Microsoft.A/b properties.made",
            "Microsoft.A/b properties.ref",
            "Microsoft.A/b properties.many.[].one",
            "Microsoft.A/b properties.keyed.*.one",
            "Microsoft.A/b/c properties.one",
        ]
    );
}
