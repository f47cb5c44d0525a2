# The rehearsal environment: the same shop, where upgrades and releases are tried first. It was moved
# from Bicep to Terraform last spring; production is to follow.

terraform {
  required_version = ">= 1.9"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.40"
    }
  }
}

provider "azurerm" {
  features {}
}

data "azurerm_client_config" "current" {}

locals {
  tags = {
    owner              = "team-platform"
    environment        = "rehearsal"
    dataClassification = "internal"
  }

  # Pools for applications, by name.
  pools = {
    shop = { size = "Standard_D4ds_v5", maximum = 4 }
    spot = { size = "Standard_D8ds_v5", maximum = 2 }
  }
}

resource "azurerm_resource_group" "shop" {
  name     = "rg-shop-rehearsal"
  location = var.location
  tags     = local.tags
}
