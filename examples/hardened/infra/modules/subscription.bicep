// What holds for the whole subscription: Defender's plans, whom it tells, and the activity log.
targetScope = 'subscription'

param workspaceId string
param securityMail string

resource plans 'Microsoft.Security/pricings@2024-01-01' = [for plan in ['KeyVaults', 'Arm']: {
  name: plan
  properties: { pricingTier: 'Standard' }
}]

resource containers 'Microsoft.Security/pricings@2024-01-01' = {
  name: 'Containers'
  properties: {
    pricingTier: 'Standard'
    extensions: [for extension in [
      'ContainerRegistriesVulnerabilityAssessments'
      'AgentlessDiscoveryForKubernetes'
      'ContainerSensor'
    ]: {
      name: extension
      isEnabled: 'True'
    }]
  }
}

resource contact 'Microsoft.Security/securityContacts@2023-12-01-preview' = {
  name: 'default'
  properties: {
    isEnabled: true
    emails: securityMail
    notificationsByRole: { state: 'On', roles: ['Owner'] }
    notificationsSources: [{ sourceType: 'Alert', minimalSeverity: 'High' }]
  }
}

resource activityLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'activity'
  properties: {
    workspaceId: workspaceId
    logs: [for category in ['Administrative', 'Security', 'Alert', 'Policy']: {
      category: category
      enabled: true
    }]
  }
}
