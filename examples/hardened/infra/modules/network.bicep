// One network for the cluster and what stands before and beside it. The address plan:
//   10.40.0.0/22    nodes (pods live in an overlay)
//   10.40.4.0/24    Application Gateway for Containers
//   10.40.8.0/24    private endpoints
//   10.40.9.0/28    API server
//   10.40.16.0/26   firewall
param location string
param tags object

// Azure gives a firewall the first free address of its subnet.
var firewallAddress = '10.40.16.4'

// Nobody signs in to nodes, from inside neither.
resource nodesGuard 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-nodes'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'no-remote-shells-in'
        properties: {
          priority: 200
          direction: 'Inbound'
          access: 'Deny'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRanges: ['22', '3389']
        }
      }
      {
        name: 'no-remote-shells-out'
        properties: {
          priority: 200
          direction: 'Outbound'
          access: 'Deny'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRanges: ['22', '3389']
        }
      }
    ]
  }
}

// Customers come in here, by TLS only.
resource gatewayGuard 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-gateway'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'customers'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '443'
        }
      }
    ]
  }
}

// The rules that every group has by itself are enough: from the network, not from the Internet.
resource inside 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-inside'
  location: location
  tags: tags
}

// Whatever leaves the nodes passes the firewall.
resource routes 'Microsoft.Network/routeTables@2025-05-01' = {
  name: 'rt-nodes'
  location: location
  tags: tags
  properties: {
    disableBgpRoutePropagation: true
    routes: [
      {
        name: 'out'
        properties: {
          addressPrefix: '0.0.0.0/0'
          nextHopType: 'VirtualAppliance'
          nextHopIpAddress: firewallAddress
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
    addressSpace: { addressPrefixes: ['10.40.0.0/16'] }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: '10.40.0.0/22'
          networkSecurityGroup: { id: nodesGuard.id }
          routeTable: { id: routes.id }
          defaultOutboundAccess: false
        }
      }
      {
        name: 'gateway'
        properties: {
          addressPrefix: '10.40.4.0/24'
          networkSecurityGroup: { id: gatewayGuard.id }
          defaultOutboundAccess: false
          delegations: [
            {
              name: 'gateway'
              properties: { serviceName: 'Microsoft.ServiceNetworking/trafficControllers' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.40.8.0/24'
          networkSecurityGroup: { id: inside.id }
          privateEndpointNetworkPolicies: 'Enabled'
          defaultOutboundAccess: false
        }
      }
      {
        name: 'api-server'
        properties: {
          addressPrefix: '10.40.9.0/28'
          networkSecurityGroup: { id: inside.id }
          defaultOutboundAccess: false
          delegations: [
            {
              name: 'cluster'
              properties: { serviceName: 'Microsoft.ContainerService/managedClusters' }
            }
          ]
        }
      }
      {
        name: 'AzureFirewallSubnet'
        properties: { addressPrefix: '10.40.16.0/26' }
      }
    ]
  }

  resource firewallSubnet 'subnets' existing = { name: 'AzureFirewallSubnet' }
  resource gatewaySubnet 'subnets' existing = { name: 'gateway' }
  resource endpointSubnet 'subnets' existing = { name: 'endpoints' }
}

resource wayOut 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: 'pip-firewall'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  zones: ['1', '2', '3']
  properties: {
    publicIPAllocationMethod: 'Static'
    ddosSettings: { protectionMode: 'Enabled' }
  }
}

resource firewallPolicy 'Microsoft.Network/firewallPolicies@2025-05-01' = {
  name: 'afwp-shop'
  location: location
  tags: tags
  properties: {
    sku: { tier: 'Standard' }
    threatIntelMode: 'Deny'
    dnsSettings: { enableProxy: true }
  }

  resource outgoing 'ruleCollectionGroups' = {
    name: 'nodes'
    properties: {
      priority: 200
      ruleCollections: [
        {
          name: 'aks'
          priority: 100
          ruleCollectionType: 'FirewallPolicyFilterRuleCollection'
          action: { type: 'Allow' }
          rules: [
            {
              name: 'what-aks-needs'
              ruleType: 'ApplicationRule'
              sourceAddresses: ['10.40.0.0/22']
              fqdnTags: ['AzureKubernetesService']
              protocols: [{ protocolType: 'Https', port: 443 }]
            }
            {
              name: 'what-defender-and-logs-need'
              ruleType: 'ApplicationRule'
              sourceAddresses: ['10.40.0.0/22']
              targetFqdns: ['*.ods.opinsights.azure.com', '*.oms.opinsights.azure.com', '*.cloud.defender.microsoft.com']
              protocols: [{ protocolType: 'Https', port: 443 }]
            }
          ]
        }
      ]
    }
  }
}

resource firewall 'Microsoft.Network/azureFirewalls@2025-05-01' = {
  name: 'afw-shop'
  location: location
  tags: tags
  zones: ['1', '2', '3']
  properties: {
    sku: { name: 'AZFW_VNet', tier: 'Standard' }
    firewallPolicy: { id: firewallPolicy.id }
    ipConfigurations: [
      {
        name: 'out'
        properties: {
          subnet: { id: network::firewallSubnet.id }
          publicIPAddress: { id: wayOut.id }
        }
      }
    ]
  }
}

// Names of Azure services that resolve to private endpoints.
var zoneNames = ['privatelink.azurecr.io', 'privatelink.vaultcore.azure.net']

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zoneNames: {
  name: name
  location: 'global'
  tags: tags
}]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, i) in zoneNames: {
  parent: zones[i]
  name: 'vnet-shop'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]

output networkName string = network.name
output gatewaySubnetId string = network::gatewaySubnet.id
output endpointSubnetId string = network::endpointSubnet.id
output zoneIds object = {
  registry: zones[0].id
  vault: zones[1].id
}
