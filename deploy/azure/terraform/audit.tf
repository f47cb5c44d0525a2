# The rights to follow audit logs that a diagnostic setting keeps in a storage account, or sends to an event hub: reading
# their container or receiving from the hub, and writing to a container for the checkpoint.

resource "azurerm_storage_container" "audit" {
  count = var.audit_storage_account_id == null ? 0 : 1

  name                  = var.audit_checkpoint_container
  storage_account_id    = var.audit_storage_account_id
  container_access_type = "private"
}

# The diagnostic setting makes the container of the logs.
resource "azurerm_role_assignment" "audit_reads" {
  count = var.audit_storage_account_id == null || var.audit_hub_id != null ? 0 : 1

  scope                = "${var.audit_storage_account_id}/blobServices/default/containers/${var.audit_logs_container}"
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.seawall.principal_id
  principal_type       = "ServicePrincipal"
}

# No built-in role writes blobs without being able to delete too.
resource "azurerm_role_assignment" "audit_writes" {
  count = var.audit_storage_account_id == null ? 0 : 1

  scope                = azurerm_storage_container.audit[0].id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.seawall.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "audit_receives" {
  count = var.audit_hub_id == null ? 0 : 1

  scope                = var.audit_hub_id
  role_definition_name = "Azure Event Hubs Data Receiver"
  principal_id         = azurerm_user_assigned_identity.seawall.principal_id
  principal_type       = "ServicePrincipal"
}
