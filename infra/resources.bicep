metadata description = 'Everything inside the resource group. It can be deployed alone, into a group that exists.'

import { settingsType } from 'settings.bicep'
import { tagsType } from 'types.bicep'

@description('Azure region of every resource.')
@minLength(1)
param location string = resourceGroup().location

@description('Tags of every resource.')
param tags tagsType = {}

@description('URL of the Teams workflow, with its signature. Empty leaves alone what the vault already holds.')
@secure()
param webhookUrl string

@description('E-mail address for alarms; several are separated by commas. It is the way that still works when Teams does not.')
@minLength(3)
param alertEmails string

@description('Time zone of the check and of the dates on the cards, an IANA name such as Europe/Berlin.')
@minLength(1)
param timeZone string

@description('Language of the cards; of two, the second is folded behind a button.')
@allowed(['en', 'ja', 'en+ja', 'ja+en'])
param language string

@description('Object id of the user or group that may use the admin commands.')
param operators string = deployer().objectId

@description('Settings of the app that shall differ from their defaults.')
param settings settingsType = {}

@description('Hours without a finished check after which the alarm goes off. A log alert looks back two days at most.')
@minValue(25)
@maxValue(47)
param checkOverdueHours int = 26

@description('Resource ids of further action groups that alarms go to: SMS, voice, a ticket system.')
@maxLength(4)
param furtherActionGroupIds string[] = []

@description('Memory of one instance in MB. The largest tenant needs less than the smallest size.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('How many instances may run at most. The app uses one for each of its two functions.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Whether app and storage are spread over availability zones: az functionapp list-flexconsumption-locations --zone-redundant=true')
param zoneRedundant bool = false

@description('Thirteen characters that are the same in every deployment of this group, and those of no other.')
var token = uniqueString(resourceGroup().id)

@description('Names that more than one module needs.')
var names = {
  component: 'appi-${token}'
  storageAccount: 'st${token}'
  vault: 'kv-${token}'
}

@description('The queue of remediation messages, and the one where the host puts those that failed for good.')
var queueNames = ['remediation', 'remediation-poison']

@description('The tables of the app. Operators write the first two.')
var tableNames = ['tokenalerts', 'tokenstatus', 'tokenhistory']

// The identity is a resource of its own: it gets its roles before the app exists, and keeps its
// permission of Microsoft Graph when the app is made anew.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${token}'
  location: location
  tags: tags
}

module storage 'modules/storage.bicep' = {
  params: {
    name: names.storageAccount
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    queueNames: queueNames
    tableNames: tableNames
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: names.vault
    location: location
    tags: tags
    webhookUrl: webhookUrl
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: 'log-${token}'
    componentName: names.component
    location: location
    tags: tags
  }
}

module access 'modules/access.bicep' = {
  params: {
    appPrincipalId: identity.properties.principalId
    operators: operators
    storageAccountName: names.storageAccount
    queueNames: queueNames
    operatorTableNames: take(tableNames, 2)
    vaultName: names.vault
    componentName: names.component
  }
  dependsOn: [storage, vault, monitoring]
}

module functionApp 'modules/function-app.bicep' = {
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityName: identity.name
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
    storageEndpoints: storage.outputs.endpoints
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    webhookSecretUri: vault.outputs.webhookSecretUri
    timeZone: timeZone
    language: language
    settings: settings
  }
  // Before it may read its code, its rows and its webhook URL, the app would start in vain, and a
  // vault reference that failed is tried again after a day only.
  dependsOn: [access]
}

module alarms 'modules/alarms.bicep' = {
  params: {
    actionGroupName: 'ag-${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    emails: alertEmails
    furtherActionGroupIds: furtherActionGroupIds
    checkOverdueHours: checkOverdueHours
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('The function app.')
output functionAppName string = functionApp.outputs.name

@description('Object id of the app\'s identity, which needs the permission of Microsoft Graph.')
output identityPrincipalId string = identity.properties.principalId

@description('The vault with the webhook URL.')
output keyVaultName string = names.vault

@description('The storage account with tables and queues.')
output storageAccountName string = names.storageAccount

@description('Id of the log workspace, for queries.')
output logWorkspaceId string = monitoring.outputs.workspaceCustomerId
