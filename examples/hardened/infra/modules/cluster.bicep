// The cluster, the identities it acts as, and those of the shop's parts.
param location string
param tags object
param kubernetesVersion string
param adminGroupId string
param networkName string
param registryName string
param vaultName string

@description('The key that encrypts the Secrets of the cluster, with its version.')
param keyUri string
param workspaceId string

// The parts of the shop that reach Azure, by their namespace. Each gets an identity of its own.
var workloads = [
  { name: 'orders', namespace: 'shop', vault: true }
  { name: 'describer', namespace: 'shop', vault: false }
  { name: 'queue', namespace: 'shop-data', vault: true }
  { name: 'fulfilment', namespace: 'shop', vault: true }
  { name: 'sales-report', namespace: 'shop', vault: false }
]

var role = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  clusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
  managedIdentityOperator: 'f1a07417-d97a-45cb-824c-7a7467783830'
  networkContributor: '4d97b98b-1d4f-4787-a291-c67834d212e7'
  vaultContributor: 'f25e0fa2-a7c8-4377-a976-54943a77a395'
  vaultCryptoUser: '12338af0-0e69-4776-bea7-57ae8d297424'
  vaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: networkName
  resource nodes 'subnets' existing = { name: 'nodes' }
  resource apiServer 'subnets' existing = { name: 'api-server' }
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource controlPlane 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-shop-cluster'
  location: location
  tags: tags
}

resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-shop-nodes'
  location: location
  tags: tags
}

// What the control plane may do, each on the one resource it is for.
resource useNodeSubnet 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network::nodes.id, controlPlane.id, role.networkContributor)
  scope: network::nodes
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.networkContributor)
    principalId: controlPlane.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource useApiSubnet 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network::apiServer.id, controlPlane.id, role.networkContributor)
  scope: network::apiServer
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.networkContributor)
    principalId: controlPlane.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource lendNodeIdentity 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(nodeIdentity.id, controlPlane.id, role.managedIdentityOperator)
  scope: nodeIdentity
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.managedIdentityOperator)
    principalId: controlPlane.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource useKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in [role.vaultCryptoUser, role.vaultContributor]: {
  name: guid(vault.id, controlPlane.id, id)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', id)
    principalId: controlPlane.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

// All that the nodes may do.
resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, nodeIdentity.id, role.acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.acrPull)
    principalId: nodeIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

var pool = {
  type: 'VirtualMachineScaleSets'
  osType: 'Linux'
  osSKU: 'AzureLinux'
  osDiskType: 'Ephemeral'
  orchestratorVersion: kubernetesVersion
  vnetSubnetID: network::nodes.id
  availabilityZones: ['1', '2', '3']
  enableAutoScaling: true
  enableNodePublicIP: false
  enableEncryptionAtHost: true
  securityProfile: {
    sshAccess: 'Disabled'
    enableSecureBoot: true
    enableVTPM: true
  }
  upgradeSettings: { maxSurge: '33%' }
}

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' = {
  name: 'shop'
  location: location
  tags: tags
  sku: { name: 'Base', tier: 'Standard' }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${controlPlane.id}': {} }
  }
  properties: {
    dnsPrefix: 'shop'
    kubernetesVersion: kubernetesVersion
    nodeResourceGroup: 'rg-shop-nodes'
    nodeResourceGroupProfile: { restrictionLevel: 'ReadOnly' }
    enableRBAC: true
    disableLocalAccounts: true
    aadProfile: {
      managed: true
      enableAzureRBAC: true
      tenantID: subscription().tenantId
    }
    apiServerAccessProfile: {
      enablePrivateCluster: true
      enablePrivateClusterPublicFQDN: false
      privateDNSZone: 'system'
      enableVnetIntegration: true
      subnetId: network::apiServer.id
      disableRunCommand: true
    }
    identityProfile: {
      kubeletidentity: {
        resourceId: nodeIdentity.id
        clientId: nodeIdentity.properties.clientId
        objectId: nodeIdentity.properties.principalId
      }
    }
    autoUpgradeProfile: { upgradeChannel: 'stable', nodeOSUpgradeChannel: 'NodeImage' }
    oidcIssuerProfile: { enabled: true }
    networkProfile: {
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkDataplane: 'cilium'
      networkPolicy: 'cilium'
      outboundType: 'userDefinedRouting'
      podCidr: '192.168.0.0/16'
      serviceCidr: '172.16.0.0/16'
      dnsServiceIP: '172.16.0.10'
      advancedNetworking: {
        enabled: true
        observability: { enabled: true }
        security: {
          enabled: true
          advancedNetworkPolicies: 'FQDN'
          transitEncryption: { type: 'WireGuard' }
        }
      }
    }
    securityProfile: {
      workloadIdentity: { enabled: true }
      imageCleaner: { enabled: true, intervalHours: 48 }
      azureKeyVaultKms: {
        enabled: true
        keyId: keyUri
        keyVaultNetworkAccess: 'Private'
        keyVaultResourceId: vault.id
      }
      defender: {
        logAnalyticsWorkspaceResourceId: workspaceId
        securityMonitoring: { enabled: true }
        securityGating: { enabled: true }
      }
    }
    storageProfile: {
      diskCSIDriver: { enabled: true }
      fileCSIDriver: { enabled: false }
      blobCSIDriver: { enabled: false }
    }
    addonProfiles: {
      azureKeyvaultSecretsProvider: {
        enabled: true
        config: { enableSecretRotation: 'true' }
      }
      azurepolicy: { enabled: true }
      omsagent: {
        enabled: true
        config: { logAnalyticsWorkspaceResourceID: workspaceId, useAADAuth: 'true' }
      }
    }
    agentPoolProfiles: [
      union(pool, {
        name: 'system'
        mode: 'System'
        vmSize: 'Standard_D4ds_v5'
        count: 3
        minCount: 3
        maxCount: 5
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
      })
      union(pool, {
        name: 'shop'
        mode: 'User'
        vmSize: 'Standard_D8ds_v5'
        count: 3
        minCount: 3
        maxCount: 9
      })
    ]
  }
  dependsOn: [useNodeSubnet, useApiSubnet, lendNodeIdentity, useKey]

  // Fixes come in the night to Monday, new versions in the night to Sunday.
  resource nodeWindow 'maintenanceConfigurations' = {
    name: 'aksManagedNodeOSUpgradeSchedule'
    properties: {
      maintenanceWindow: {
        schedule: { weekly: { intervalWeeks: 1, dayOfWeek: 'Monday' } }
        startTime: '01:00'
        durationHours: 4
      }
    }
  }

  resource upgradeWindow 'maintenanceConfigurations' = {
    name: 'aksManagedAutoUpgradeSchedule'
    properties: {
      maintenanceWindow: {
        schedule: { weekly: { intervalWeeks: 1, dayOfWeek: 'Sunday' } }
        startTime: '01:00'
        durationHours: 6
      }
    }
  }
}

// Refuses pods that break the restricted level, in every namespace.
resource safeguards 'Microsoft.ContainerService/deploymentSafeguards@2025-07-01' = {
  name: 'default'
  scope: cluster
  properties: {
    level: 'Enforce'
    podSecurityStandardsLevel: 'Restricted'
  }
}

resource administrators 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(cluster.id, adminGroupId, role.clusterAdmin)
  scope: cluster
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.clusterAdmin)
    principalId: adminGroupId
    principalType: 'Group'
  }
}

resource clusterLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'control-plane'
  scope: cluster
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [for category in [
      'guard'
      'kube-audit-admin'
      'kube-apiserver'
      'kube-controller-manager'
      'kube-scheduler'
      'cluster-autoscaler'
      'cloud-controller-manager'
    ]: {
      category: category
      enabled: true
    }]
  }
}

resource workloadIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [for workload in workloads: {
  name: 'id-${workload.name}'
  location: location
  tags: tags
}]

// Only the named service account of this cluster becomes the identity.
resource federations 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = [for (workload, i) in workloads: {
  parent: workloadIdentities[i]
  name: 'cluster'
  properties: {
    issuer: cluster.properties.oidcIssuerProfile.issuerURL
    subject: 'system:serviceaccount:${workload.namespace}:${workload.name}'
    audiences: ['api://AzureADTokenExchange']
  }
}]

resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (workload, i) in workloads: if (workload.vault) {
  name: guid(vault.id, workload.name, role.vaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.vaultSecretsUser)
    principalId: workloadIdentities[i].properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

output clusterId string = cluster.id
