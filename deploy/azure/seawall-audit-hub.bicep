// The rights to follow audit logs that a diagnostic setting sends to an event hub: Azure Event Hubs Data Receiver on that
// hub, and a container for the checkpoint: Storage Blob Data Contributor on that container alone. Its outputs are the
// chart's values `audit.source` and `audit.checkpoint`.
targetScope = 'resourceGroup'

@description('Name of the Event Hubs namespace, in this resource group, of tier Standard or above: Basic speaks no Kafka.')
param namespaceName string

@description('Name of the event hub that the diagnostic setting sends to.')
param hubName string

@description('Name of the storage account for the checkpoint, in this resource group.')
param storageAccountName string

@description('Object id of the identity that seawall runs as.')
param principalId string

@description('Name of the container for the checkpoint.')
param checkpointContainerName string = 'seawall-audit'

@description('Name of the checkpoint: that of the cluster, where several share the container.')
param checkpointName string = 'cluster'

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName

  resource hub 'eventhubs' existing = {
    name: hubName
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource checkpoint 'containers' = {
      name: checkpointContainerName
      properties: {
        publicAccess: 'None'
      }
    }
  }
}

var receiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::hub.id, principalId, receiver)
  scope: namespace::hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', receiver)
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

// `https://NAMESPACE.servicebus.windows.net:443/`, whatever the cloud.
var host = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]

@description('Value `audit.source` of the chart.')
output auditSource string = 'eventhub://${host}/${hubName}'

@description('Value `audit.checkpoint` of the chart.')
output auditCheckpoint string = '${storage.properties.primaryEndpoints.blob}${checkpointContainerName}/${checkpointName}'
