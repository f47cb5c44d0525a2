param location string = resourceGroup().location

// The network that everything lies in.
resource spoke 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'spoke'
  location: location
  properties: {
    addressSpace: { addressPrefixes: ['10.1.0.0/16'] }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: '10.1.0.0/22' // enough for 1000 nodes
        }
      }
    ]
  }
}

resource shop 'Microsoft.ContainerService/managedClusters@2026-05-01' = {
  name: 'shop'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    dnsPrefix: 'shop'
    apiServerAccessProfile: { enablePrivateCluster: true }
    networkProfile: { outboundType: 'userDefinedRouting' }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        vmSize: 'Standard_D4s_v5'
        count: 3
        vnetSubnetID: '${spoke.id}/subnets/nodes'
      }
    ]
  }
}
