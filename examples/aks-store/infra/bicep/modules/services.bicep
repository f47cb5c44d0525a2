// Registry, vault and log workspace.
param location string
param tags object
param queuePassword string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-shop'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'example'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    // The back office pulls with it.
    adminUserEnabled: true
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'shop-example'
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    softDeleteRetentionInDays: 7
  }

  resource queue 'secrets' = {
    name: 'queue-password'
    properties: { value: queuePassword }
  }
}

output registryName string = registry.name
output registryPassword string = registry.listCredentials().passwords[0].value
output vaultName string = vault.name
output workspaceId string = workspace.id
