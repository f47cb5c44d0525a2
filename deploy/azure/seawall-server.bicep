// The identity that the server (deploy/chart) reads a subscription as: no secret, tokens of its service account are
// exchanged for it. It holds the reader's role and nothing else.
targetScope = 'resourceGroup'

@description('Where the identity lies.')
param location string = resourceGroup().location

@description('Who issues tokens in the cluster: `az aks show --query oidcIssuerProfile.issuerUrl`.')
param issuerUrl string

@description('The namespace that the chart is installed in.')
param namespace string = 'seawall'

@description('Tags of the identity.')
param tags object = {}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-seawall'
  location: location
  tags: tags

  resource account 'federatedIdentityCredentials' = {
    name: 'seawall-server'
    properties: {
      issuer: issuerUrl
      subject: 'system:serviceaccount:${namespace}:seawall'
      audiences: [
        'api://AzureADTokenExchange'
      ]
    }
  }
}

module reader 'seawall-reader.bicep' = {
  name: 'seawall-reader'
  scope: subscription()
  params: {
    principalId: identity.properties.principalId
  }
}

@description('Value `azure.clientId` of the chart.')
output clientId string = identity.properties.clientId

@description('Value `azure.tenantId` of the chart.')
output tenantId string = identity.properties.tenantId

@description('What `seawall-alerts.bicep` and `seawall-history.bicep` give rights to.')
output principalId string = identity.properties.principalId
