// The shop's production environment: a network, what the cluster leans on, and the cluster.
// What is wrong here is wrong on purpose; the README of this example says what.

param location string = resourceGroup().location

@description('True in production, false where developers test.')
param privateCluster bool

param kubernetesVersion string

@description('Who runs the shop.')
param administratorId string

// Handed on to the queue by the pipeline.
param queuePassword string = 'Regatta-Buoy-47'

var tags = {
  owner: 'team-platform'
  environment: 'production'
}

module network 'modules/network.bicep' = {
  name: 'network'
  params: {
    location: location
    tags: tags
  }
}

module services 'modules/services.bicep' = {
  name: 'services'
  params: {
    location: location
    tags: tags
    queuePassword: queuePassword
  }
}

module cluster 'modules/cluster.bicep' = {
  name: 'cluster'
  params: {
    location: location
    tags: tags
    privateCluster: privateCluster
    kubernetesVersion: kubernetesVersion
    administratorId: administratorId
    nodeSubnetId: network.outputs.nodeSubnetId
    registryName: services.outputs.registryName
    vaultName: services.outputs.vaultName
    workspaceId: services.outputs.workspaceId
  }
}

output registryPassword string = services.outputs.registryPassword
