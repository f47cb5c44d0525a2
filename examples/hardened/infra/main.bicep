// Everything in Azure that the shop needs: network, registry, vault, logs, the way in, the cluster,
// and what holds for the whole subscription.
targetScope = 'subscription'

@description('The region of everything.')
param location string = 'westeurope'

@description('Kubernetes version of control plane and pools. It stands here and nowhere else.')
param kubernetesVersion string

@description('Object id of the Entra group that administers the cluster, for hours at a time.')
param adminGroupId string

@description('Who hears of attacks.')
param securityMail string

var tags = {
  owner: 'team-platform'
  environment: 'production'
  dataClassification: 'confidential'
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-shop'
  location: location
  tags: tags
}

resource logGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-shop-logs'
  location: location
  tags: tags
}

module logs 'modules/logs.bicep' = {
  scope: logGroup
  params: {
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
  }
}

module services 'modules/services.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    endpointSubnetId: network.outputs.endpointSubnetId
    zoneIds: network.outputs.zoneIds
    workspaceId: logs.outputs.workspaceId
  }
}

module gateway 'modules/gateway.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    subnetId: network.outputs.gatewaySubnetId
  }
}

module cluster 'modules/cluster.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    kubernetesVersion: kubernetesVersion
    adminGroupId: adminGroupId
    networkName: network.outputs.networkName
    registryName: services.outputs.registryName
    vaultName: services.outputs.vaultName
    keyUri: services.outputs.keyUri
    workspaceId: logs.outputs.workspaceId
  }
}

module subscriptionWide 'modules/subscription.bicep' = {
  params: {
    workspaceId: logs.outputs.workspaceId
    securityMail: securityMail
  }
}
