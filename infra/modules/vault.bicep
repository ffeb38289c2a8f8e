metadata description = 'The Key Vault that holds the webhook URL, the only secret.'

import { tagsType } from '../types.bicep'

@description('Name of the vault, globally unique, also among vaults deleted in the last days.')
@minLength(3)
@maxLength(24)
param name string

@description('Azure region.')
param location string

@description('Tags of the vault.')
param tags tagsType

@description('URL of the Teams workflow, with its signature. Empty leaves alone what the vault already holds.')
@secure()
param webhookUrl string

@description('Name of the secret.')
var secretName = 'teams-webhook-url'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    // The shortest time that Azure allows: so long a deleted environment keeps the vault's name.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
  }
}

// Only when a URL is given: a deployment without one leaves alone what was set by hand.
resource webhook 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = if (!empty(webhookUrl)) {
  parent: vault
  name: secretName
  properties: {
    contentType: 'text/uri'
    value: webhookUrl
  }
}

@description('Where the newest version of the webhook URL stands.')
output webhookSecretUri string = '${vault.properties.vaultUri}secrets/${secretName}'
