variable "location" {
  description = "Where the identity lies."
  type        = string
}

variable "resource_group_name" {
  description = "The resource group of the identity."
  type        = string
}

variable "issuer_url" {
  description = "Who issues tokens in the cluster: `az aks show --query oidcIssuerProfile.issuerUrl`."
  type        = string
}

variable "namespace" {
  description = "The namespace that the chart is installed in."
  type        = string
  default     = "seawall"
}

variable "tags" {
  description = "Tags of the identity."
  type        = map(string)
  default     = {}
}

variable "workspace_id" {
  description = "Id of the Log Analytics workspace that what is new and critical is told to; null: none."
  type        = string
  default     = null
}

variable "alert_retention_days" {
  description = "Days that alerts are kept in the workspace."
  type        = number
  default     = 90
}

variable "storage_account_id" {
  description = "Id of the storage account that keeps the history of the posture; null: none."
  type        = string
  default     = null
}

variable "history_container" {
  description = "Name of the container for the history."
  type        = string
  default     = "seawall-posture"
}

variable "history_prefix" {
  description = "What stands before the names of blobs: that of the cluster, where several share the container."
  type        = string
  default     = "cluster"
}

variable "audit_storage_account_id" {
  description = "Id of the storage account that has the checkpoint, and the audit logs unless a hub has them; null: none is followed."
  type        = string
  default     = null
}

variable "audit_hub_id" {
  description = "Id of the event hub that a diagnostic setting sends audit logs to; null: they are in the storage account."
  type        = string
  default     = null
}

variable "audit_logs_container" {
  description = "Name of the container of the logs."
  type        = string
  default     = "insights-logs-kube-audit"
}

variable "audit_checkpoint_container" {
  description = "Name of the container for the checkpoint."
  type        = string
  default     = "seawall-audit"
}
