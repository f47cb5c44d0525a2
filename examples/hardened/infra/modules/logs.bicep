// Where all logs go. It has a resource group of its own: whoever administers the cluster cannot remove its traces.
param location string
param tags object

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-shop'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 365
    features: { disableLocalAuth: true }
  }
}

// For everything in the resource group.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'What happened stays written down.'
  }
}

output workspaceId string = workspace.id
