using 'main.bicep'

// The pipeline says which environment it deploys.
param privateCluster = bool(readEnvironmentVariable('SHOP_PRIVATE_CLUSTER'))
param kubernetesVersion = '1.33'
param administratorId = '3f0c9a8e-4b7d-4d52-9a3f-6e1b2c7d8f90'
