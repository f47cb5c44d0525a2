// A container for the history of the posture, in a storage account that is there already, and the right to append to
// it: Storage Blob Data Contributor on that container alone. Its output is the chart's value `history.blob`.
targetScope = 'resourceGroup'

@description('Name of the storage account, in this resource group.')
param storageAccountName string

@description('Object id of the identity that seawall runs as.')
param principalId string

@description('Name of the container.')
param containerName string = 'seawall-posture'

@description('What stands before the names of blobs: that of the cluster, where several share the container.')
param prefix string = 'cluster'

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource posture 'containers' = {
      name: containerName
      properties: {
        publicAccess: 'None'
      }
    }
  }
}

// Storage Blob Data Contributor. No built-in role appends without being able to delete too.
var contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage::blobs::posture.id, principalId, contributor)
  scope: storage::blobs::posture
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Value `history.blob` of the chart.')
output historyBlob string = '${storage.properties.primaryEndpoints.blob}${containerName}/${prefix}'
