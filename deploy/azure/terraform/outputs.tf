output "client_id" {
  description = "Value `azure.clientId` of the chart."
  value       = azurerm_user_assigned_identity.seawall.client_id
}

output "tenant_id" {
  description = "Value `azure.tenantId` of the chart."
  value       = azurerm_user_assigned_identity.seawall.tenant_id
}
