// 10.50.0.0/22 nodes (pods live in an overlay), 10.50.4.0/24 the database's endpoint.
param location string
param tags object

resource guard 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-nodes'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'shop'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRanges: ['80', '443']
        }
      }
      {
        // The night in March when a node hung.
        name: 'ssh'
        properties: {
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '22'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-shop'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.50.0.0/16'] }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: '10.50.0.0/22'
          networkSecurityGroup: { id: guard.id }
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.50.4.0/24' }
      }
    ]
  }

  resource nodes 'subnets' existing = { name: 'nodes' }
}

output nodeSubnetId string = network::nodes.id
