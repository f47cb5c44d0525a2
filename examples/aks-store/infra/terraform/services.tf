resource "azurerm_log_analytics_workspace" "shop" {
  name                = "log-shop-rehearsal"
  resource_group_name = azurerm_resource_group.shop.name
  location            = azurerm_resource_group.shop.location
  sku                 = "PerGB2018"
  retention_in_days   = 90
  tags                = local.tags
}

# Rehearsals pull the images that production runs, from a copy.
resource "azurerm_container_registry" "shop" {
  name                = "examplerehearsal"
  resource_group_name = azurerm_resource_group.shop.name
  location            = azurerm_resource_group.shop.location
  sku                 = "Premium"
  admin_enabled       = false
  tags                = local.tags
}

resource "azurerm_key_vault" "shop" {
  name                       = "shop-rehearsal-example"
  resource_group_name        = azurerm_resource_group.shop.name
  location                   = azurerm_resource_group.shop.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  tags                       = local.tags
}
