using 'main.bicep'

param kubernetesVersion = '1.36'
param adminGroupId = '5e1f4c1a-6a0b-4c57-9d0e-2f6f3f1f9a10'
param securityMail = 'security@example.com'
