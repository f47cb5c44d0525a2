output "client_id" {
  description = "Value `azure.clientId` of the chart."
  value       = azurerm_user_assigned_identity.seawall.client_id
}

output "tenant_id" {
  description = "Value `azure.tenantId` of the chart."
  value       = azurerm_user_assigned_identity.seawall.tenant_id
}

output "alerts_monitor" {
  description = "Value `alerts.monitor` of the chart; null without a workspace."
  value = one([
    for endpoint in azurerm_monitor_data_collection_endpoint.seawall :
    "${endpoint.logs_ingestion_endpoint}/dataCollectionRules/${one(azurerm_monitor_data_collection_rule.seawall[*].immutable_id)}/streams/Custom-SeawallAlerts_CL"
  ])
}

output "history_blob" {
  description = "Value `history.blob` of the chart; null without a storage account."
  value       = one([for container in azurerm_storage_container.posture : "${container.id}/${var.history_prefix}"])
}

output "audit_checkpoint" {
  description = "Value `audit.checkpoint` of the chart; null without a storage account."
  value       = one([for container in azurerm_storage_container.audit : "${container.id}/cluster"])
}
