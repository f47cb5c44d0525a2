// The only way in from the Internet: Application Gateway for Containers, with a firewall for web
// applications before it. Its routes are Gateway API objects (base/gateway.yaml).
param location string
param tags object
param subnetId string

resource wafPolicy 'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies@2025-05-01' = {
  name: 'waf-shop'
  location: location
  tags: tags
  properties: {
    policySettings: {
      state: 'Enabled'
      mode: 'Prevention'
      requestBodyCheck: true
    }
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1' }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
      ]
    }
  }
}

resource controller 'Microsoft.ServiceNetworking/trafficControllers@2025-01-01' = {
  name: 'agc-shop'
  location: location
  tags: tags
  properties: {}

  resource frontend 'frontends' = {
    name: 'shop'
    location: location
    properties: {}
  }

  resource association 'associations' = {
    name: 'nodes'
    location: location
    properties: {
      associationType: 'subnets'
      subnet: { id: subnetId }
    }
  }

  resource waf 'securityPolicies' = {
    name: 'waf'
    location: location
    properties: {
      wafPolicy: { id: wafPolicy.id }
    }
  }
}
