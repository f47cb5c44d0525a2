// A table of a Log Analytics workspace for what is new and critical, and the one right that the server needs to write
// to it: Monitoring Metrics Publisher on one data collection rule. Its output is the chart's value `alerts.monitor`.
targetScope = 'resourceGroup'

@description('Where the endpoint and the rule lie: where the workspace lies.')
param location string = resourceGroup().location

@description('Name of the workspace, in this resource group.')
param workspaceName string

@description('Object id of the identity that seawall runs as.')
param principalId string

@description('Days that rows are kept.')
@minValue(4)
@maxValue(730)
param retentionDays int = 90

@description('Tags of the endpoint and the rule.')
param tags object = {}

// What the server sends (`seawall.alert/v1`), column by column.
var columns = [
  { name: 'TimeGenerated', type: 'datetime' }
  { name: 'Schema', type: 'string' }
  { name: 'Subject', type: 'string' }
  { name: 'Guideline', type: 'string' }
  { name: 'Title', type: 'string' }
  { name: 'Severity', type: 'string' }
  { name: 'Message', type: 'string' }
  { name: 'ResourceUid', type: 'string' }
  { name: 'ApiVersion', type: 'string' }
  { name: 'Kind', type: 'string' }
  { name: 'Namespace', type: 'string' }
  { name: 'Name', type: 'string' }
  { name: 'Uri', type: 'string' }
  { name: 'Route', type: 'string' }
  { name: 'Fingerprint', type: 'string' }
  { name: 'Help', type: 'string' }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName

  resource alerts 'tables' = {
    name: 'SeawallAlerts_CL'
    properties: {
      retentionInDays: retentionDays
      schema: {
        name: 'SeawallAlerts_CL'
        columns: columns
      }
    }
  }
}

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2022-06-01' = {
  name: 'dce-seawall'
  location: location
  tags: tags
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Enabled'
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2022-06-01' = {
  name: 'dcr-seawall'
  location: location
  tags: tags
  properties: {
    dataCollectionEndpointId: endpoint.id
    streamDeclarations: {
      'Custom-SeawallAlerts_CL': {
        columns: columns
      }
    }
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspace.id
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          'Custom-SeawallAlerts_CL'
        ]
        destinations: [
          'workspace'
        ]
        transformKql: 'source'
        outputStream: 'Custom-SeawallAlerts_CL'
      }
    ]
  }
  dependsOn: [
    workspace::alerts
  ]
}

// Monitoring Metrics Publisher: nothing but sending to this rule.
var publisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, principalId, publisher)
  scope: rule
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Value `alerts.monitor` of the chart.')
output alertsMonitor string = '${endpoint.properties.logsIngestion.endpoint}/dataCollectionRules/${rule.properties.immutableId}/streams/Custom-SeawallAlerts_CL'
