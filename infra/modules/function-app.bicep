metadata description = 'The function app on its Flex Consumption plan, with its settings.'

import { defaultSettings, settingsType } from '../settings.bicep'
import { storageEndpointsType, tagsType } from '../types.bicep'

@description('Name of the app, globally unique.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
@minLength(1)
@maxLength(60)
param planName string

@description('Azure region.')
param location string

@description('Tags of both.')
param tags tagsType

@description('Name of the app\'s identity.')
param identityName string

@description('Memory of one instance in MB.')
param instanceMemoryMB int

@description('How many instances may run at most.')
param maximumInstanceCount int

@description('Whether instances are spread over availability zones.')
param zoneRedundant bool

@description('Where the app finds blobs, queues and tables.')
param storageEndpoints storageEndpointsType

@description('Where deployments put the code.')
param deploymentContainerUrl string

@description('Where records go.')
param applicationInsightsConnectionString string

@description('Where the newest version of the webhook URL stands; the URL itself never comes here.')
param webhookSecretUri string

@description('Time zone of the check and of the dates on the cards.')
param timeZone string

@description('Language of the cards.')
param language string

@description('Settings of the app that shall differ from their defaults.')
param settings settingsType

@description('Settings given and not empty: azd hands over what is not set as an empty text.')
var changedSettings = toObject(filter(items(settings), s => !empty(s.?value)), s => s.key, s => s.value!)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

@description('What the app reads: the platform\'s settings, then its own.')
var appSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  AZURE_CLIENT_ID: identity.properties.clientId
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__clientId: identity.properties.clientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  LANGUAGE: language
  TEAMS_WEBHOOK_URL: '@Microsoft.KeyVault(SecretUri=${webhookSecretUri})'
  TENANT_ID: tenant().tenantId
  TIME_ZONE: timeZone
  ...defaultSettings
  ...changedSettings
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: { instanceMemoryMB: instanceMemoryMB, maximumInstanceCount: maximumInstanceCount }
    }
    siteConfig: {
      appSettings: map(items(appSettings), s => { name: s.key, value: s.value })
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
  }

  // Code is deployed with the deployer's own sign-in, never with a password.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

@description('The app.')
output name string = app.name
