# A container for the history of the posture, and the right to append to it, on that container alone.

resource "azurerm_storage_container" "posture" {
  count = var.storage_account_id == null ? 0 : 1

  name                  = var.history_container
  storage_account_id    = var.storage_account_id
  container_access_type = "private"
}

# No built-in role appends without being able to delete too.
resource "azurerm_role_assignment" "history" {
  count = var.storage_account_id == null ? 0 : 1

  scope                = azurerm_storage_container.posture[0].id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.seawall.principal_id
  principal_type       = "ServicePrincipal"
}
