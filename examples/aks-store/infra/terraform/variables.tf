variable "location" {
  type    = string
  default = "westeurope"
}

variable "kubernetes_version" {
  type    = string
  default = "1.36"
}

variable "admin_group_id" {
  description = "Entra group that administers the cluster."
  type        = string
  default     = "5e1f4c1a-6a0b-4c57-9d0e-2f6f3f1f9a10"
}

variable "authorized_ranges" {
  description = "Who may reach the API server. Everybody works from home."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}
