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
