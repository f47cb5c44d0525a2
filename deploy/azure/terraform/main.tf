# The identity that the server (deploy/chart) reads a subscription as: no secret, tokens of its service account are
# exchanged for it. It holds the reader's role and nothing else.

terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }
}

# The one list of rights.
locals {
  reader = jsondecode(file("${path.module}/../seawall-reader.json"))
}

data "azurerm_subscription" "this" {}

resource "azurerm_user_assigned_identity" "seawall" {
  name                = "id-seawall"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_federated_identity_credential" "server" {
  name                = "seawall-server"
  resource_group_name = var.resource_group_name
  parent_id           = azurerm_user_assigned_identity.seawall.id
  issuer              = var.issuer_url
  subject             = "system:serviceaccount:${var.namespace}:seawall"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_definition" "reader" {
  name        = "${local.reader.Name} ${data.azurerm_subscription.this.subscription_id}"
  description = local.reader.Description
  scope       = data.azurerm_subscription.this.id

  permissions {
    actions          = local.reader.Actions
    not_actions      = local.reader.NotActions
    data_actions     = local.reader.DataActions
    not_data_actions = local.reader.NotDataActions
  }
}

resource "azurerm_role_assignment" "reader" {
  scope              = data.azurerm_subscription.this.id
  role_definition_id = azurerm_role_definition.reader.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.seawall.principal_id
  principal_type     = "ServicePrincipal"
}
