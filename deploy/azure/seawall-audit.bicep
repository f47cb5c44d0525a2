// The rights to follow audit logs that a diagnostic setting keeps in a storage account: Storage Blob Data Reader on the
// container of the logs, and a container for the checkpoint that is written there: Storage Blob Data Contributor on that
// container alone. Its outputs are the chart's values `audit.source` and `audit.checkpoint`.
targetScope = 'resourceGroup'

@description('Name of the storage account that has the logs, in this resource group.')
param storageAccountName string

@description('Object id of the identity that seawall runs as.')
param principalId string

@description('Name of the container that has the logs; the diagnostic setting makes it.')
param logsContainerName string = 'insights-logs-kube-audit'

@description('Name of the container for the checkpoint.')
param checkpointContainerName string = 'seawall-audit'

@description('Name of the checkpoint: that of the cluster, where several share the container.')
param checkpointName string = 'cluster'

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource logs 'containers' existing = {
      name: logsContainerName
    }

    resource checkpoint 'containers' = {
      name: checkpointContainerName
      properties: {
        publicAccess: 'None'
      }
    }
  }
}

var reader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage::blobs::logs.id, principalId, reader)
  scope: storage::blobs::logs
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reader)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// No built-in role writes blobs without being able to delete too.
resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage::blobs::checkpoint.id, principalId, contributor)
  scope: storage::blobs::checkpoint
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Value `audit.source` of the chart.')
output auditSource string = '${storage.properties.primaryEndpoints.blob}${logsContainerName}'

@description('Value `audit.checkpoint` of the chart.')
output auditCheckpoint string = '${storage.properties.primaryEndpoints.blob}${checkpointContainerName}/${checkpointName}'
