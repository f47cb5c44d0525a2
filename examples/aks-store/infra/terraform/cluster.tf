resource "azurerm_user_assigned_identity" "cluster" {
  name                = "id-shop-rehearsal"
  resource_group_name = azurerm_resource_group.shop.name
  location            = azurerm_resource_group.shop.location
  tags                = local.tags
}

resource "azurerm_role_assignment" "subnet" {
  scope                = azurerm_subnet.nodes.id
  role_definition_name = "Network Contributor"
  principal_id         = azurerm_user_assigned_identity.cluster.principal_id
}

resource "azurerm_kubernetes_cluster" "shop" {
  name                = "shop-rehearsal"
  resource_group_name = azurerm_resource_group.shop.name
  location            = azurerm_resource_group.shop.location
  dns_prefix          = "shop-rehearsal"
  kubernetes_version  = var.kubernetes_version
  sku_tier            = "Free"
  tags                = local.tags

  automatic_upgrade_channel = "rapid"
  node_os_upgrade_channel   = "NodeImage"
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
  azure_policy_enabled      = true
  image_cleaner_enabled     = true

  image_cleaner_interval_hours = 48

  # Somebody has to get in when Entra is down.
  local_account_disabled = false

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled     = true
    admin_group_object_ids = [var.admin_group_id]
  }

  api_server_access_profile {
    authorized_ip_ranges = var.authorized_ranges
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.cluster.id]
  }

  default_node_pool {
    name                         = "system"
    vm_size                      = "Standard_D4ds_v5"
    node_count                   = 2
    only_critical_addons_enabled = true
    os_sku                       = "AzureLinux"
    vnet_subnet_id               = azurerm_subnet.nodes.id

    upgrade_settings {
      max_surge = "33%"
    }
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    pod_cidr            = "192.168.0.0/16"
    service_cidr        = "172.16.0.0/16"
    dns_service_ip      = "172.16.0.10"
  }

  key_vault_secrets_provider {
    secret_rotation_enabled = true
  }

  oms_agent {
    log_analytics_workspace_id      = azurerm_log_analytics_workspace.shop.id
    msi_auth_for_monitoring_enabled = true
  }

  depends_on = [azurerm_role_assignment.subnet]
}

resource "azurerm_kubernetes_cluster_node_pool" "shop" {
  for_each = local.pools

  name                  = each.key
  kubernetes_cluster_id = azurerm_kubernetes_cluster.shop.id
  vm_size               = each.value.size
  mode                  = "User"
  os_sku                = "AzureLinux"
  auto_scaling_enabled  = true
  min_count             = 1
  max_count             = each.value.maximum
  priority              = each.key == "spot" ? "Spot" : "Regular"
  eviction_policy       = each.key == "spot" ? "Delete" : null
  node_labels           = each.key == "spot" ? { "kubernetes.azure.com/scalesetpriority" = "spot" } : null
  node_taints           = each.key == "spot" ? ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"] : null
  vnet_subnet_id        = azurerm_subnet.nodes.id
  tags                  = local.tags
}

resource "azurerm_role_assignment" "pull" {
  scope                = azurerm_container_registry.shop.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_kubernetes_cluster.shop.kubelet_identity[0].object_id
}

resource "azurerm_monitor_diagnostic_setting" "cluster" {
  name                       = "control-plane"
  target_resource_id         = azurerm_kubernetes_cluster.shop.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.shop.id

  dynamic "enabled_log" {
    for_each = toset(["guard", "kube-audit-admin"])
    content {
      category = enabled_log.value
    }
  }
}
