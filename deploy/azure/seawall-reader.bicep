// The role that seawall reads a subscription with, and its assignment to the identity it runs as.
targetScope = 'subscription'

@description('Object id of the identity that seawall runs as.')
param principalId string

@description('What it is: a managed identity or an application is a service principal.')
@allowed([
  'ServicePrincipal'
  'User'
  'Group'
])
param principalType string = 'ServicePrincipal'

// The one list of rights.
var reader = loadJsonContent('seawall-reader.json')

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, reader.Name)
  properties: {
    roleName: '${reader.Name} ${subscription().subscriptionId}'
    description: reader.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: reader.Actions
        notActions: reader.NotActions
        dataActions: reader.DataActions
        notDataActions: reader.NotDataActions
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, reader.Name)
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: principalType
  }
}
