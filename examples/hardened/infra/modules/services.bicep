// What the cluster leans on: registry and vault. Neither of them answers the Internet.
param location string
param tags object
param endpointSubnetId string
param workspaceId string

@description('Private DNS zones by service.')
param zoneIds object

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'example'
  location: location
  tags: tags
  sku: { name: 'Premium' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: 'Disabled'
    networkRuleBypassOptions: 'AzureServices'
    dataEndpointEnabled: true
    zoneRedundancy: 'Enabled'
    policies: {
      azureADAuthenticationAsArmPolicy: { status: 'disabled' }
      exportPolicy: { status: 'disabled' }
      quarantinePolicy: { status: 'enabled' }
      retentionPolicy: { status: 'enabled', days: 30 }
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'shop-example'
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'premium' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Deny'
    }
  }

  // Encrypts the Secrets of the cluster. It makes a new version of itself every year.
  resource clusterKey 'keys' = {
    name: 'cluster-secrets'
    tags: tags
    properties: {
      kty: 'RSA-HSM'
      keySize: 3072
      keyOps: ['encrypt', 'decrypt']
      attributes: { enabled: true, exp: 1861920000 }
      rotationPolicy: {
        attributes: { expiryTime: 'P2Y' }
        lifetimeActions: [
          {
            action: { type: 'rotate' }
            trigger: { timeAfterCreate: 'P1Y' }
          }
        ]
      }
    }
  }
}

var endpoints = [
  { name: 'registry', id: registry.id, group: 'registry' }
  { name: 'vault', id: vault.id, group: 'vault' }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [for endpoint in endpoints: {
  name: 'pe-${endpoint.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: endpointSubnetId }
    privateLinkServiceConnections: [
      {
        name: endpoint.name
        properties: {
          privateLinkServiceId: endpoint.id
          groupIds: [endpoint.group]
        }
      }
    ]
  }
}]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [for (endpoint, i) in endpoints: {
  parent: privateEndpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: endpoint.name
        properties: { privateDnsZoneId: zoneIds[endpoint.name] }
      }
    ]
  }
}]

resource registryLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: registry
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

// For everything in the resource group.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Lift it for a replacement, and put it back.'
  }
}

output registryName string = registry.name
output vaultName string = vault.name
output keyUri string = vault::clusterKey.properties.keyUriWithVersion
