metadata name = 'Apple Token Watch'
metadata description = 'A resource group with everything that the app needs, for one environment.'

targetScope = 'subscription'

import { settingsType } from 'settings.bicep'

@description('Name of the environment. It names the resource group, and with it every resource.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region, one that offers Flex Consumption: az functionapp list-flexconsumption-locations')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('URL of the Teams workflow, with its signature. Empty leaves alone what the vault already holds.')
@secure()
param webhookUrl string

@description('E-mail address for alarms; several are separated by commas. It is the way that still works when Teams does not.')
@minLength(3)
param alertEmails string

@description('Time zone of the check and of the dates on the cards, an IANA name such as Europe/Berlin.')
@minLength(1)
@metadata({ azd: { default: 'UTC' } })
param timeZone string

@description('Language of the cards; of two, the second is folded behind a button.')
@allowed(['en', 'ja', 'en+ja', 'ja+en'])
@metadata({ azd: { default: 'en' } })
param language string

@description('Object id of the user or group that may use the admin commands. Empty means who deploys.')
param operators string = ''

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

@description('What azd finds the environment by.')
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module app 'resources.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    webhookUrl: webhookUrl
    alertEmails: alertEmails
    timeZone: timeZone
    language: language
    operators: empty(operators) ? deployer().objectId : operators
    settings: settings
    checkOverdueHours: checkOverdueHours
    furtherActionGroupIds: furtherActionGroupIds
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
  }
}

@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The function app.')
output AZURE_FUNCTION_APP_NAME string = app.outputs.functionAppName

@description('Object id of the app\'s identity, which needs the permission of Microsoft Graph.')
output AZURE_IDENTITY_PRINCIPAL_ID string = app.outputs.identityPrincipalId

@description('The vault with the webhook URL.')
output AZURE_KEY_VAULT_NAME string = app.outputs.keyVaultName

@description('The storage account with tables and queues; python -m admin takes it as --storage.')
output AZURE_STORAGE_ACCOUNT_NAME string = app.outputs.storageAccountName

@description('Id of the log workspace, for queries.')
output AZURE_LOG_WORKSPACE_ID string = app.outputs.logWorkspaceId
