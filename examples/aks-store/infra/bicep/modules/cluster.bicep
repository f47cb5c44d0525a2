// The cluster and who may do what.
param location string
param tags object
param privateCluster bool
param kubernetesVersion string
param administratorId string
param nodeSubnetId string
param registryName string
param vaultName string
param workspaceId string

var role = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  clusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
  contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c'
  vaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource cluster 'Microsoft.ContainerService/managedClusters@2025-10-01' = {
  name: 'shop'
  location: location
  tags: tags
  sku: { name: 'Base', tier: 'Standard' }
  identity: { type: 'SystemAssigned' }
  properties: {
    dnsPrefix: 'shop'
    kubernetesVersion: kubernetesVersion
    enableRBAC: true
    disableLocalAccounts: false
    aadProfile: { managed: true, enableAzureRBAC: true }
    apiServerAccessProfile: { enablePrivateCluster: privateCluster }
    // kured reboots the nodes, says the wiki.
    autoUpgradeProfile: { upgradeChannel: 'none', nodeOSUpgradeChannel: 'Unmanaged' }
    oidcIssuerProfile: { enabled: true }
    securityProfile: { workloadIdentity: { enabled: true } }
    networkProfile: {
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'none'
      podCidr: '192.168.0.0/16'
      serviceCidr: '172.16.0.0/16'
      dnsServiceIP: '172.16.0.10'
    }
    addonProfiles: {
      azureKeyvaultSecretsProvider: {
        enabled: true
        config: { enableSecretRotation: 'true' }
      }
      omsagent: {
        enabled: true
        config: { logAnalyticsWorkspaceResourceID: workspaceId, useAADAuth: 'true' }
      }
    }
    ingressProfile: { webAppRouting: { enabled: true } }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        count: 3
        vmSize: 'Standard_D4ds_v5'
        osType: 'Linux'
        osSKU: 'AzureLinux'
        osDiskType: 'Ephemeral'
        vnetSubnetID: nodeSubnetId
        availabilityZones: ['1', '2', '3']
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
      }
      {
        name: 'shop'
        mode: 'User'
        count: 3
        vmSize: 'Standard_D8ds_v5'
        osType: 'Linux'
        osSKU: 'AzureLinux'
        osDiskType: 'Ephemeral'
        vnetSubnetID: nodeSubnetId
        availabilityZones: ['1', '2', '3']
        // Saved money in one quarter.
        upgradeSettings: { maxSurge: '0', maxUnavailable: '1' }
      }
    ]
  }
}

// Load balancers did not come up, and this helped.
resource controlPlane 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, 'shop', role.contributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.contributor)
    principalId: cluster.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, 'shop', role.acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.acrPull)
    principalId: cluster.properties.identityProfile.kubeletidentity.objectId
    principalType: 'ServicePrincipal'
  }
}

// From the time before workload identity.
resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, 'shop', role.vaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.vaultSecretsUser)
    principalId: cluster.properties.identityProfile.kubeletidentity.objectId
    principalType: 'ServicePrincipal'
  }
}

resource administrator 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(cluster.id, administratorId, role.clusterAdmin)
  scope: cluster
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.clusterAdmin)
    principalId: administratorId
    principalType: 'User'
  }
}

resource ordersIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-orders'
  location: location
  tags: tags

  // No service account is called like that.
  resource federation 'federatedIdentityCredentials' = {
    name: 'cluster'
    properties: {
      issuer: cluster.properties.oidcIssuerProfile.issuerURL
      subject: 'system:serviceaccount:shop:order'
      audiences: ['api://AzureADTokenExchange']
    }
  }
}

resource clusterLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'control-plane'
  scope: cluster
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'kube-apiserver', enabled: true }]
  }
}
