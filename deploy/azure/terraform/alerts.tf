# A table for what is new and critical, and the one right that the server needs to write to it: Monitoring Metrics
# Publisher on one data collection rule.

locals {
  # What the server sends (`seawall.alert/v1`), column by column.
  alert_columns = {
    TimeGenerated = "datetime"
    Schema        = "string"
    Subject       = "string"
    Guideline     = "string"
    Title         = "string"
    Severity      = "string"
    Message       = "string"
    ResourceUid   = "string"
    ApiVersion    = "string"
    Kind          = "string"
    Namespace     = "string"
    Name          = "string"
    Uri           = "string"
    Route         = "string"
    Fingerprint   = "string"
    Help          = "string"
  }
  alerts = var.workspace_id == null ? 0 : 1
}

resource "azurerm_log_analytics_workspace_table_custom_log" "alerts" {
  count = local.alerts

  name              = "SeawallAlerts_CL"
  workspace_id      = var.workspace_id
  retention_in_days = var.alert_retention_days

  dynamic "column" {
    for_each = local.alert_columns

    content {
      name = column.key
      type = column.value
    }
  }
}

resource "azurerm_monitor_data_collection_endpoint" "seawall" {
  count = local.alerts

  name                          = "dce-seawall"
  location                      = var.location
  resource_group_name           = var.resource_group_name
  public_network_access_enabled = true
  tags                          = var.tags
}

resource "azurerm_monitor_data_collection_rule" "seawall" {
  count = local.alerts

  name                        = "dcr-seawall"
  location                    = var.location
  resource_group_name         = var.resource_group_name
  data_collection_endpoint_id = azurerm_monitor_data_collection_endpoint.seawall[0].id
  tags                        = var.tags

  stream_declaration {
    stream_name = "Custom-SeawallAlerts_CL"

    dynamic "column" {
      for_each = local.alert_columns

      content {
        name = column.key
        type = column.value
      }
    }
  }

  destinations {
    log_analytics {
      name                  = "workspace"
      workspace_resource_id = var.workspace_id
    }
  }

  data_flow {
    streams       = ["Custom-SeawallAlerts_CL"]
    destinations  = ["workspace"]
    transform_kql = "source"
    output_stream = "Custom-SeawallAlerts_CL"
  }

  depends_on = [azurerm_log_analytics_workspace_table_custom_log.alerts]
}

resource "azurerm_role_assignment" "publisher" {
  count = local.alerts

  scope                = azurerm_monitor_data_collection_rule.seawall[0].id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.seawall.principal_id
  principal_type       = "ServicePrincipal"
}
